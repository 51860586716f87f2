//! What a run keeps so that anybody can decide again: the inputs before the first gate, the facts after the last one.

use super::session::{CLASSIFICATION_FILE, POLICY_FILE, Session, view_text};
use crate::{
    kernel::{
        decide::Selection,
        recorded::{Facts, INPUTS_SCHEMA, Recorded},
    },
    report::views,
    wire::{fault::Fault, receipt::ErrorRecord},
};

/// `inputs.json`, written before the first gate runs, so that a run that is killed can be judged too.
///
/// # Errors
/// Never for documents of ours.
pub fn inputs(session: &Session) -> Result<String, Fault> {
    let bare = session.roster.gates.iter().filter(|gate| gate.is_bare());
    let recorded = Recorded {
        lane: session.world.lane,
        requested_mode: session.requested_mode.clone(),
        policy_path: POLICY_FILE.to_owned(),
        policy: session.policy_text.clone(),
        classification_path: CLASSIFICATION_FILE.to_owned(),
        classification: session.classification.clone(),
        rust_gates: bare.map(|gate| (gate.id().clone(), gate.binary().to_owned())).collect(),
        census_faults: session.census_faults().iter().map(ErrorRecord::from).collect(),
        planned: session.planned(),
    };
    let envelope = session.envelope(INPUTS_SCHEMA, session.mode().0);
    view_text(&views::with_envelope(&envelope, &recorded)?)
}

/// What is known once every gate has ended.
///
/// # Errors
/// When git does not say whether the work tree is clean.
pub fn facts(session: &Session, selection: &Selection) -> Result<Facts, Fault> {
    let (base, _) = session.base();
    Ok(Facts {
        selected: selection.selected.clone(),
        touched_waivers: base.touched,
        base: base.texts.clone(),
        run_faults: session.run_faults().iter().map(ErrorRecord::from).collect(),
        source_dirty: if selection.selected.is_none() { session.is_dirty()? } else { false },
        tests: 0,
        reserved: Vec::new(),
    })
}
