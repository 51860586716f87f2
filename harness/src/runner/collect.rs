//! Hands receipts to the decision. It repeats no rule of it.

use super::{pool, session::Session};
use crate::{
    kernel::{
        census::Census,
        decide::{Attempts, Decision, Inputs, Selection, decide},
        policy::GateTable,
        receipt::Receipt,
        waiver::WaiverScope,
    },
    wire::fault::Fault,
};
use std::sync::Arc;

/// Evaluates every gate, several at a time, and waits for all. Whoever asks while that is going on waits for it, too.
///
/// # Errors
/// When the forced CPU count cannot be understood.
pub fn evaluate(session: &Arc<Session>, threads: Option<usize>) -> Result<(), Fault> {
    let budget = crate::cpu_budget::effective_cpu_count().map_err(Fault::from)?.get();
    let _alone = session.one_at_a_time();
    let missing: Vec<usize> = (0..session.roster.gates.len())
        .filter(|n| session.existing_receipt(*n).is_none())
        .collect();
    if !missing.is_empty() {
        let workers = threads.unwrap_or(budget).min(missing.len()).max(1);
        pool::work(session, missing, workers);
    }
    Ok(())
}

/// The decision over every gate from the receipts that exist. It is made once, unless more was found of the run since.
///
/// # Errors
/// As [`decision`].
pub fn whole(session: &Session) -> Result<Arc<Decision>, Fault> {
    let mut kept = session.kept_whole();
    let faults = session.run_faults();
    if let Some((known, decision)) = &*kept
        && *known == faults
    {
        return Ok(Arc::clone(decision));
    }
    let all: Vec<usize> = (0..session.roster.gates.len()).collect();
    let selection = Selection { selected: None, require_full: true, ..Selection::default() };
    let decision = Arc::new(decision(session, &all, &selection, WaiverScope::Full)?);
    *kept = Some((faults, Arc::clone(&decision)));
    Ok(decision)
}

/// Decides over these gates from the receipts that exist.
///
/// # Errors
/// When git does not say whether the work tree is clean.
pub fn decision(
    session: &Session,
    positions: &[usize],
    selection: &Selection,
    scope: WaiverScope,
) -> Result<Decision, Fault> {
    let whole = selection.selected.is_none();
    let gates: Vec<&GateTable> =
        positions.iter().map(|n| session.roster.gates[*n].table()).collect();
    let partial;
    let (census, census_faults, receipts): (&Census, &[Fault], Vec<&Receipt>) = if whole {
        (
            session.census(),
            session.census_faults(),
            session.receipts().map(|(_, receipt)| receipt).collect(),
        )
    } else {
        // A gate that runs alone answers for its own row, not for everybody's. Only its own rows are looked up:
        // a walk over all of them for each trial would make a run quadratic in the number of gates.
        partial = session.census_rows(gates.iter().map(|gate| &gate.common.id));
        let receipts = positions.iter().filter_map(|n| session.existing_receipt(*n));
        (&partial.0, &partial.1, receipts.collect())
    };
    let (base, _) = session.base();
    let mut run_faults = session.run_faults();
    if whole {
        run_faults.extend(session.subject_faults()?);
    }
    let source_dirty = if whole { session.is_dirty()? } else { false };
    Ok(decide(&Inputs {
        policy: &session.roster.policy,
        gates: &gates,
        census,
        census_faults,
        lane: session.world.lane,
        selection,
        receipts: &receipts,
        attempts: if session.owns_run() { Attempts::Everybodys } else { Attempts::OneProcess },
        waivers: &session.waivers,
        scope,
        touched_waivers: base.touched,
        base_waivers: base.seen.as_ref().map(|seen| &seen.waivers),
        loosened: base.seen.as_ref().map_or(&[], |seen| &seen.loosened),
        requested_mode: session.requested_mode.as_deref(),
        clock: &session.world.clock,
        run_faults: &run_faults,
        source_dirty,
    }))
}
