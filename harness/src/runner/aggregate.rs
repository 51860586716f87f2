//! The aggregates: trials over all gates, each with its own documents. They evaluate and render; `decide` decides.

use super::{
    collect,
    session::{Session, view_text},
};
use crate::{
    evidence::store,
    kernel::{
        decide::{Decision, Selection},
        waiver::WaiverScope,
    },
    report::{human, markdown, views},
    wire::{
        code::CENSUS_INVALID,
        fault::Fault,
        ordered,
        outcome::{Lane, RunVerdict},
    },
};
use std::sync::Arc;

/// What an aggregate came to: `Err` holds the text that the failed trial shows.
pub type Judged = Result<(), String>;

/// Runs an aggregate by its trial name; `None` for another name.
pub fn run(session: &Arc<Session>, aggregate: &str, threads: Option<usize>) -> Option<Judged> {
    let judged = match aggregate {
        "full_suite_gate" => full_suite(session, threads),
        "full_certification" => certification(session, threads),
        "preflight_fast_fail" => preflight(session),
        "waiver_lifecycle_audit" => waiver_audit(session, threads),
        _ => return None,
    };
    Some(judged.unwrap_or_else(|fault| Err(fault.to_string())))
}

fn whole(session: &Arc<Session>, threads: Option<usize>) -> Result<Arc<Decision>, Fault> {
    collect::evaluate(session, threads)?;
    collect::whole(session)
}

fn full_suite(session: &Arc<Session>, threads: Option<usize>) -> Result<Judged, Fault> {
    let decision = whole(session, threads)?;
    let envelope = session.envelope(views::FULL_SUITE_SCHEMA, decision.mode);
    publish(
        session,
        "full_suite_verdict.json",
        &view_text(&views::full_suite(&envelope, &decision, &session.roster)?)?,
    )?;
    publish(session, "full_suite_events.jsonl", &views::events(&envelope, &decision)?)?;
    publish(
        session,
        "full_suite_report.md",
        &markdown::report("Full-suite gate", &envelope, &decision, &session.roster),
    )?;
    Ok(judged(session, &decision))
}

fn certification(session: &Arc<Session>, threads: Option<usize>) -> Result<Judged, Fault> {
    let decision = whole(session, threads)?;
    let envelope = session.envelope(views::CERTIFICATION_SCHEMA, decision.mode);
    publish(
        session,
        "certification_verdict.json",
        &view_text(&views::certification(&envelope, &decision, &session.roster)?)?,
    )?;
    publish(session, "certification_events.jsonl", &views::events(&envelope, &decision)?)?;
    publish(
        session,
        "certification_report.md",
        &markdown::report("Certification", &envelope, &decision, &session.roster),
    )?;
    // A release lane asks for a certificate, not only for the absence of a blocker.
    match session.world.lane {
        Lane::Main | Lane::Release
            if decision.verdict == RunVerdict::Pass && !decision.certifiable =>
        {
            Ok(Err(format!(
                "nothing blocks, but this run cannot certify: {}",
                decision.why_not_certifiable.join("; ")
            )))
        }
        Lane::Local | Lane::Pr | Lane::Main | Lane::Release => Ok(judged(session, &decision)),
    }
}

fn preflight(session: &Session) -> Result<Judged, Fault> {
    let lane = session.world.lane;
    let mut order: Vec<usize> = (0..session.roster.gates.len())
        .filter(|n| {
            let common = &session.roster.gates[*n].table().common;
            common.blocking && common.lanes.contains(&lane)
        })
        .collect();
    let cost = |n: usize| session.roster.gates[n].table().common.cost;
    ordered::sort_by(&mut order, |a, b| cost(*a).cmp(&cost(*b)));
    let mut evaluated = Vec::new();
    let (mut stopped_at, mut why) = (None, String::new());
    // Without a census nobody knows what there was to evaluate, so nothing is.
    let lost = session.census_faults().first();
    for n in order.iter().filter(|_| lost.is_none()) {
        session.receipt(*n);
        let positions = session.roster.with_needs([*n]);
        let decision = collect::decision(
            session,
            &positions,
            &only(session, &positions),
            WaiverScope::Preflight,
        )?;
        let id = session.roster.gates[*n].id().clone();
        let stop = decision.refuses(&id);
        if stop {
            // Not only the gate: a fault of the census stops as well, and the gate itself may have passed.
            why = human::blockers(&decision, &session.roster);
        }
        evaluated.extend(decision.gates.into_iter().filter(|gate| gate.id == id));
        if stop {
            stopped_at = Some(id);
            break;
        }
    }
    let not_evaluated: Vec<_> =
        order.iter().skip(evaluated.len()).map(|n| session.roster.gates[*n].id().clone()).collect();
    let envelope = session.envelope(views::PREFLIGHT_SCHEMA, session.mode().0);
    let view = views::preflight(&envelope, (&evaluated, &not_evaluated), stopped_at.as_ref(), lost);
    publish(session, "preflight_verdict.json", &view_text(&view)?)?;
    if evaluated.is_empty() && session.roster.gates.is_empty() {
        return Err(Fault::new(
            CENSUS_INVALID,
            "there is no gate to evaluate",
            "add a `[[gate]]` table",
        ));
    }
    if let Some(fault) = lost {
        return Err(fault.clone());
    }
    let Some(id) = stopped_at else { return Ok(Ok(())) };
    let rest = human::count(not_evaluated.len(), "gate");
    Ok(Err(format!("stopped at `{id}`, {rest} not evaluated\n{why}")))
}

fn waiver_audit(session: &Arc<Session>, threads: Option<usize>) -> Result<Judged, Fault> {
    let decision = whole(session, threads)?;
    let envelope = session.envelope(views::WAIVER_AUDIT_SCHEMA, decision.mode);
    let audit = &decision.waiver_audit;
    publish(session, "waiver_audit.json", &view_text(&views::with_envelope(&envelope, audit)?)?)?;
    let faults = human::waiver_faults(&decision, session.world.lane);
    Ok(if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) })
}

/// The selection of exactly these gates.
#[must_use]
pub fn only(session: &Session, positions: &[usize]) -> Selection {
    let selected = positions.iter().map(|n| session.roster.gates[*n].id().clone()).collect();
    Selection { selected: Some(selected), require_full: false, ..Selection::default() }
}

fn judged(session: &Session, decision: &Decision) -> Judged {
    match decision.verdict {
        RunVerdict::Pass => Ok(()),
        RunVerdict::Blocked | RunVerdict::Invalid => {
            Err(human::blockers(decision, &session.roster) + &human::outputs(session, decision))
        }
    }
}

/// Writes a view into the run, and into the declared folder of the repository.
fn publish(session: &Session, view: &str, text: &str) -> Result<(), Fault> {
    let text = session.world.environment.recordable(text);
    session.run_dir()?.write_file(&format!("views/{view}"), text.as_bytes())?;
    if let Some(folder) = &session.roster.policy.views {
        store::publish_view(session.world.tree.root(), folder, view, text.as_bytes())?;
    }
    Ok(())
}
