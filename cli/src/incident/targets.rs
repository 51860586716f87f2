//! What failed, one row each: its signature, how to see it again, and whether it is mended.

use super::{
    Target,
    later::{Later, last_seen},
};
use crate::{
    history::Sealed,
    replays::Rung,
    signature::{self, Patterns, Traits},
};
use portcullis::kernel::policy::{Policy, profile::Kind};
use std::collections::BTreeSet;

pub(super) fn targets(sealed: &Sealed, policy: &Policy, later: &[Later]) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut gates: BTreeSet<&str> = BTreeSet::new();
    for (rung, _) in &sealed.failures {
        let is_gate = rung.kind == Kind::Gate;
        if is_gate {
            gates.insert(&rung.test);
        }
        targets.push(target(sealed, policy, later, rung, is_gate));
    }
    for gate in
        sealed.decision.gates.iter().filter(|gate| gate.blocks && !gates.contains(gate.id.as_str()))
    {
        let key = (gate.binary.clone(), gate.id.to_string());
        let (seen_in, fixed) = last_seen(later, &key, true);
        targets.push(Target {
            target: gate.id.to_string(),
            signature: signature_of(sealed, policy, &key, "gate_blocked", true),
            replay: Some(
                portcullis::kernel::replay::Replay::gate(
                    &gate.binary,
                    gate.id.as_str(),
                    &policy.replay_prefix,
                )
                .render(),
            ),
            seen_in,
            fixed,
        });
    }
    for fault in &sealed.decision.faults {
        if fault.code == "tests_failed" && !sealed.failures.is_empty() {
            continue;
        }
        let clean = later.iter().rfind(|run| run.faultless);
        targets.push(Target {
            target: format!("run: {}", fault.code),
            signature: {
                let traits = Traits { codes: vec![fault.code.as_str()], ..Traits::default() };
                let found = signature::recognise(policy, &Patterns::none(), &traits);
                found.first().map(|one| one.signature.id.to_string())
            },
            replay: Some(format!("cargo portcullis rerun {}", sealed.run_id)),
            seen_in: clean.map(|run| run.run_id.to_string()),
            fixed: clean.is_some(),
        });
    }
    targets
}

fn target(sealed: &Sealed, policy: &Policy, later: &[Later], rung: &Rung, is_gate: bool) -> Target {
    let key = (rung.suite.clone(), rung.test.clone());
    let (seen_in, fixed) = last_seen(later, &key, is_gate);
    Target {
        target: format!("{} {}", rung.suite, rung.test),
        signature: signature_of(sealed, policy, &key, &rung.root_cause_class, is_gate),
        // A record must not be able to say how something is run.
        replay: rung
            .targeted
            .clone()
            .checked()
            .map_or_else(|fault| Some(fault.headline().to_owned()), |replay| Some(replay.render())),
        seen_in,
        fixed,
    }
}

fn signature_of(
    sealed: &Sealed,
    policy: &Policy,
    (suite, test): &(String, String),
    class: &str,
    is_gate: bool,
) -> Option<String> {
    let gate = sealed.decision.gates.iter().find(|gate| is_gate && gate.id.as_str() == test);
    let codes = gate.map(|gate| {
        let of_findings = gate.findings.iter().map(|finding| finding.code.as_str());
        gate.code.as_deref().into_iter().chain(of_findings).collect()
    });
    let traits = Traits {
        test: Some(test),
        suite: Some(suite),
        class,
        codes: codes.unwrap_or_default(),
        patterns: &[],
    };
    let found = signature::recognise(policy, &Patterns::none(), &traits);
    found.first().map(|one| one.signature.id.to_string())
}
