//! The response to an incident: what closes it, the steps on the way, and whom to call when it takes too long.

use super::{Asked, Item, Note, Step, Target, later::Later};
use crate::{history::Sealed, triage::Standing};
use portcullis::{
    Mode,
    kernel::{policy::Policy, promotion},
};
use portcullis_gates::incident_triggers::decision::{CriterionState, Incident};
use std::collections::BTreeSet;

/// The criteria of the decision, moved on by what later runs and people say.
pub(super) fn exit_criteria(
    incident: &Incident,
    targets: &[Target],
    later: &[Later],
    notes: &[Note],
) -> Vec<Step> {
    let all_fixed = !targets.is_empty() && targets.iter().all(|target| target.fixed);
    let noted = notes.iter().any(|note| note.note.is_some());
    let linked = notes.iter().any(|note| note.link.is_some());
    let compared = later.iter().rev().find_map(|run| run.compared);
    incident
        .exit_criteria
        .iter()
        .map(|criterion| {
            let (now, detail) = match criterion.name {
                "triage_is_no_regression" => match compared {
                    Some(Standing::Regression) => {
                        (false, "a later run is a regression, too".to_owned())
                    }
                    Some(Standing::Stable | Standing::KnownFailuresOnly) => {
                        (true, "a later run is no regression".to_owned())
                    }
                    None => (all_fixed, "what regressed has to pass in a later run".to_owned()),
                },
                "blocking_gates_pass" => {
                    let fixed = targets.iter().filter(|target| target.fixed).count();
                    (
                        all_fixed,
                        format!("{fixed} of {} failures pass in a later run", targets.len()),
                    )
                }
                "wording_guard_satisfied" => {
                    (false, "the certification verdict has to be CERTIFIED".to_owned())
                }
                _ => (
                    noted && linked,
                    "record both: `--link <address>` and `--note <what happened>`".to_owned(),
                ),
            };
            let state = match criterion.state {
                CriterionState::Open => done(now),
                CriterionState::Satisfied => CriterionState::Satisfied,
                CriterionState::NotApplicable => CriterionState::NotApplicable,
            };
            Step { id: criterion.name, state, detail }
        })
        .collect()
}

const fn done(yes: bool) -> CriterionState {
    if yes { CriterionState::Satisfied } else { CriterionState::Open }
}

pub(super) fn checklist(
    incident: &Incident,
    bundle: &[Item],
    targets: &[Target],
    policy: &Policy,
    asked: &Asked<'_>,
    sealed: &Sealed,
    exit_criteria: &[Step],
) -> Vec<Step> {
    let absent: Vec<&str> =
        bundle.iter().filter(|item| item.bytes.is_none()).map(|item| item.role).collect();
    let unknown = targets.iter().filter(|target| target.signature.is_none()).count();
    let fixed = targets.iter().filter(|target| target.fixed).count();
    let step = |id: &'static str, state: CriterionState, detail: String| Step { id, state, detail };
    let linked = asked.notes.iter().any(|note| note.link.is_some());
    vec![
        step(
            "severity_and_deadline_known",
            CriterionState::Satisfied,
            incident.severity.map_or_else(
                || "no trigger is met".to_owned(),
                |severity| {
                    let due = incident.deadline.map(|at| at.to_string()).unwrap_or_default();
                    format!("{}, due {due}", severity.name())
                },
            ),
        ),
        step(
            "owner_and_context_recorded",
            if incident.is_open() { done(linked) } else { CriterionState::NotApplicable },
            "record where it is handled: `--link <address>`".to_owned(),
        ),
        step(
            "bundle_collected",
            // What a run never made cannot be collected; that it is known to be absent is what counts.
            CriterionState::Satisfied,
            if absent.is_empty() {
                "all documents".to_owned()
            } else {
                format!("absent: {}", absent.join(", "))
            },
        ),
        step(
            "failures_have_signatures",
            if targets.is_empty() { CriterionState::NotApplicable } else { done(unknown == 0) },
            format!("{} of {} recognised", targets.len() - unknown, targets.len()),
        ),
        step(
            "failures_fixed",
            if targets.is_empty() {
                CriterionState::NotApplicable
            } else {
                done(fixed == targets.len())
            },
            format!(
                "{fixed} of {} pass in a later run; `cargo portcullis rerun {}`",
                targets.len(),
                sealed.run_id
            ),
        ),
        step(
            "wording_frozen",
            if incident.freezes_wording { done(linked) } else { CriterionState::NotApplicable },
            "freeze strict wording until the incident is closed".to_owned(),
        ),
        rollback(policy, asked, sealed),
        step(
            "exit_criteria_met",
            if incident.is_open() {
                done(exit_criteria.iter().all(|step| step.state != CriterionState::Open))
            } else {
                CriterionState::NotApplicable
            },
            "see below".to_owned(),
        ),
    ]
}

/// Rollback holds only with a record that has not expired; without one it is strict, and says so.
fn rollback(policy: &Policy, asked: &Asked<'_>, sealed: &Sealed) -> Step {
    let id = "rollback_recorded";
    let wanted = asked.requested_mode == Some("rollback") || sealed.decision.mode == Mode::Rollback;
    let record = policy.promotion.rollback.as_ref();
    if !wanted && record.is_none() {
        let detail = "not used; it needs `[promotion.rollback]` with owner, rationale, issue and an end within 72 h";
        return Step { id, state: CriterionState::NotApplicable, detail: detail.to_owned() };
    }
    let (mode, faults) = promotion::resolve(&policy.promotion, Some("rollback"), asked.now);
    match (mode, faults.first(), record) {
        (Mode::Rollback, None, Some(record)) => Step {
            id,
            state: CriterionState::Satisfied,
            detail: format!(
                "until {}: {} ({}, {})",
                record.expires, record.rationale, record.owner, record.issue
            ),
        },
        (_, Some(fault), _) => {
            Step { id, state: CriterionState::Open, detail: fault.headline().to_owned() }
        }
        (_, None, _) => Step {
            id,
            state: CriterionState::Open,
            detail: "rollback does not hold; the run is strict".to_owned(),
        },
    }
}

pub(super) fn escalation(incident: &Incident, policy: &Policy, targets: &[Target]) -> Vec<String> {
    if !incident.is_open() {
        return Vec::new();
    }
    let ids: BTreeSet<&str> =
        targets.iter().filter_map(|target| target.signature.as_deref()).collect();
    let mut owners: BTreeSet<&str> = policy
        .signatures
        .iter()
        .filter(|signature| ids.contains(signature.id.as_str()))
        .map(|signature| signature.owner.as_str())
        .collect();
    if owners.is_empty() {
        owners.insert(&policy.owner);
    }
    let owners: Vec<&str> = owners.into_iter().collect();
    let mut steps = vec![format!("first: {}", owners.join(", "))];
    if incident.is_overdue {
        steps.push(format!("the deadline has passed: escalate to {} now", policy.owner));
    } else if let Some(deadline) = incident.deadline {
        steps.push(format!("past {deadline} without owner and context: {}", policy.owner));
    }
    if incident.freezes_wording {
        steps.push("freeze strict wording: print no claim above the certified tier".to_owned());
    }
    steps
}
