//! Where two decisions differ, in words. Any difference at all is one.

use portcullis::{
    Fault, Location,
    kernel::decide::{Decided, Decision},
    wire::code::DECISION_DIFFERS,
};
use std::collections::{BTreeMap, BTreeSet};

const REMEDY: &str = "trust neither, and run again; a sealed run is never edited";

/// The differences between the recorded decision and the one made now; empty exactly when they are equal.
pub(super) fn between(recorded: &Decision, now: &Decision) -> Vec<Fault> {
    if recorded == now {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let differs = |what: String, before: String, after: String| {
        Fault::new(DECISION_DIFFERS, what, REMEDY)
            .at(Location::file("decision.json"))
            .expected(after)
            .found(format!("{before}, as recorded"))
    };
    if (recorded.verdict, recorded.exit) != (now.verdict, now.exit) {
        let (before, after) = (recorded.verdict.to_string(), now.verdict.to_string());
        faults.push(differs(
            "the recorded verdict is not the one that the evidence gives".to_owned(),
            before,
            after,
        ));
    }
    let rows = |decision: &Decision| -> BTreeMap<String, Decided> {
        decision.gates.iter().map(|gate| (gate.id.to_string(), gate.clone())).collect()
    };
    let (before, after) = (rows(recorded), rows(now));
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for id in ids {
        let (old, new) = (before.get(id), after.get(id));
        if old != new {
            let word = |gate: Option<&Decided>| gate.map_or_else(|| "no row".to_owned(), status);
            faults.push(differs(
                format!("gate `{id}` is recorded otherwise"),
                word(old),
                word(new),
            ));
        }
    }
    if faults.is_empty() {
        let part = |decision: &Decision| {
            format!("{} faults, certifiable: {}", decision.faults.len(), decision.certifiable)
        };
        faults.push(differs(
            "the recorded decision differs beside its gates".to_owned(),
            part(recorded),
            part(now),
        ));
    }
    faults
}

fn status(gate: &Decided) -> String {
    let code = gate.code.as_ref().map_or_else(String::new, |code| format!(" [{code}]"));
    format!(
        "{}{code}, {} findings, {} examined",
        gate.effective, gate.findings_total, gate.examined
    )
}
