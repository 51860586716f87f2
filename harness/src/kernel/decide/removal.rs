//! `removal_never_improves`: whatever is taken away from the evidence, no verdict gets greener.
//!
//! The last attempt of a gate is the exception that the decision cannot see; the manifest of the run sees it.

use super::bench::{Said, World, id, print, waiver};
use crate::{
    kernel::receipt::{RawAttempt, Receipt, ReceiptState, judge},
    wire::{
        artifact,
        id::{Digest, RunId},
        outcome::{Lane, SkipReason},
    },
};
use proptest::prelude::*;
use serde_json::Value;

const GATES: [&str; 4] = ["a", "b", "c", "d"];

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        4 => Just(Said::Pass),
        1 => Just(Said::Warn),
        3 => prop_oneof![Just('a'), Just('b')].prop_map(Said::Fail),
        1 => Just(Said::Skip(SkipReason::Platform)),
        1 => Just(Said::Skip(SkipReason::Ignored)),
        1 => Just(Said::Error),
        1 => Just(Said::Nothing),
        1 => Just(Said::Crash),
    ]
}

/// Blocking, may skip, may be empty, needs the one before, what it says, and whether its waiver names findings.
type Drawn = (bool, bool, bool, bool, Vec<Said>, Option<bool>);

fn gate() -> impl Strategy<Value = Drawn> {
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        proptest::collection::vec(said(), 1..4),
        proptest::option::weighted(0.4, any::<bool>()),
    )
}

fn waivers(gates: &[Drawn]) -> String {
    let named =
        GATES.iter().zip(gates).filter_map(|(name, gate)| gate.5.map(|prints| (name, prints)));
    named
        .map(|(name, prints)| {
            let more =
                if prints { format!("fingerprints = ['{}']", print('a')) } else { String::new() };
            waiver(name, "2026-06-18", &more)
        })
        .collect()
}

fn world() -> impl Strategy<Value = (World, String)> {
    let lane =
        prop_oneof![Just(Lane::Local), Just(Lane::Pr), Just(Lane::Main), Just(Lane::Release)];
    let gates = proptest::collection::vec(gate(), GATES.len());
    (gates, lane, any::<bool>(), any::<bool>()).prop_map(|(gates, lane, touched, based)| {
        let mut body = String::new();
        for (n, (name, (blocking, allowed, empty, needs, _, _))) in
            GATES.iter().zip(&gates).enumerate()
        {
            body.push_str(&format!(
                "[[gate]]\nid = '{name}'\nblocking = {blocking}\nbinary = 'bin{}'\n",
                n % 2
            ));
            body.push_str(if *allowed { "allow_skip = ['platform']\n" } else { "" });
            body.push_str(if *empty { "allow_empty = 'new'\n" } else { "" });
            if *needs && n > 0 {
                body.push_str(&format!("needs = ['{}']\n", GATES[n - 1]));
            }
        }
        let waivers = waivers(&gates);
        let mut world = World::new(&body).waived(&waivers);
        for (name, gate) in GATES.iter().zip(&gates) {
            world = world.says(name, &gate.4);
        }
        (world.lane, world.touched) = (lane, touched);
        world.base = based.then(|| [id("a"), id("b")].into());
        (world, waivers)
    })
}

/// How green a run is: the verdict, and for each gate whether it blocks.
fn greener(before: &World, after: &World) -> Option<String> {
    let (old, new) = (before.decide(), after.decide());
    if new.verdict < old.verdict
        || (old.exit != 0 && new.exit == 0)
        || (new.certifiable && !old.certifiable)
    {
        return Some(format!(
            "{} became {}\n{:?}\n{:?}",
            old.verdict, new.verdict, old.gates, new.gates
        ));
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn removal_never_improves_by_a_gate((world, _) in world(), name in 0..GATES.len()) {
        let mut after = world.clone();
        after.receipts.retain(|receipt| receipt.gate_id.as_str() != GATES[name]);
        prop_assert_eq!(greener(&world, &after), None);
    }

    #[test]
    fn removal_never_improves_by_an_attempt((world, _) in world(), n in any::<prop::sample::Index>()) {
        let gone = n.get(&world.receipts).clone();
        let last = world.receipts.iter().filter(|r| r.gate_id == gone.gate_id).map(|r| r.attempt).max();
        prop_assume!(Some(gone.attempt) != last || gone.attempt == 1);
        let mut after = world.clone();
        after.receipts.retain(|receipt| *receipt != gone);
        prop_assert_eq!(greener(&world, &after), None);
    }

    #[test]
    fn removal_never_improves_by_a_verdict((world, _) in world(), n in any::<prop::sample::Index>()) {
        let mut after = world.clone();
        let receipt = &mut after.receipts[n.index(world.receipts.len())];
        if let ReceiptState::Complete(started, _) = &receipt.state {
            receipt.state = ReceiptState::Unsealed(started.clone());
        }
        prop_assert_eq!(greener(&world, &after), None);
    }

    #[test]
    fn removal_never_improves_by_a_field_of_a_receipt(
        (world, _) in world(),
        n in any::<prop::sample::Index>(),
        field in any::<prop::sample::Index>(),
        in_started in any::<bool>(),
    ) {
        let mut after = world.clone();
        let at = n.index(world.receipts.len());
        let Some(removed) = without_field(&world.receipts[at], &field, in_started) else { return Ok(()) };
        after.receipts[at] = removed;
        prop_assert_eq!(greener(&world, &after), None);
    }

    #[test]
    fn removal_never_improves_by_a_gate_of_the_policy((world, _) in world(), n in 0..GATES.len()) {
        let mut after = world.clone();
        after.policy.gates.remove(n);
        prop_assert_eq!(greener(&world, &after), None, "the census row stays");
    }

    #[test]
    fn removal_never_improves_by_a_line_of_the_waivers(
        (world, text) in world(),
        line in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!text.is_empty());
        let lines: Vec<&str> = text.lines().collect();
        let gone = line.index(lines.len());
        // Without its list a waiver covers more; that is a change of policy, which the base tree catches.
        prop_assume!(!lines[gone].starts_with("fingerprints"));
        let rest: Vec<&str> = lines.iter().enumerate().filter(|(n, _)| *n != gone).map(|(_, line)| *line).collect();
        let mut after = world.clone().waived(&rest.join("\n"));
        after.base.clone_from(&world.base);
        prop_assert_eq!(greener(&world, &after), None);
    }

    #[test]
    fn the_order_of_receipts_does_not_matter((world, _) in world(), seed in any::<u64>()) {
        let mut after = world.clone();
        let key = |receipt: &Receipt| Digest::of(format!("{seed}{}{}", receipt.gate_id, receipt.attempt).as_bytes());
        after.receipts.sort_by_key(key);
        prop_assert_eq!(world.decide(), after.decide());
    }

    #[test]
    fn a_decision_reads_back_what_it_writes((world, _) in world()) {
        let decision = world.decide();
        let text = artifact::document(&decision).expect("a document");
        prop_assert_eq!(serde_json::from_str::<super::Decision>(&text).expect("read back"), decision);
    }
}

/// The receipt as judged from its bytes after one field was taken out of one record; the other record is made to fit.
fn without_field(
    receipt: &Receipt,
    field: &prop::sample::Index,
    in_started: bool,
) -> Option<Receipt> {
    let (started, verdict) = match &receipt.state {
        ReceiptState::Complete(started, verdict) => (started, Some(verdict)),
        ReceiptState::Unsealed(started) => (started, None),
        ReceiptState::Broken { .. } => return None,
    };
    let mut first = serde_json::to_value(started).expect("a value");
    let mut second = verdict.map(|verdict| serde_json::to_value(verdict).expect("a value"));
    match (&mut second, in_started) {
        (Some(second), false) => remove(second, field),
        (Some(_) | None, _) => remove(&mut first, field),
    }
    let started = serde_json::to_vec(&first).expect("bytes");
    if let Some(Value::Object(fields)) = &mut second
        && fields.contains_key("started_digest")
    {
        fields.insert("started_digest".to_owned(), Value::from(Digest::of(&started).to_string()));
    }
    let raw = RawAttempt {
        gate: receipt.gate_id.to_string(),
        attempt: receipt.attempt,
        started: Some(started),
        verdict: second.map(|second| serde_json::to_vec(&second).expect("bytes")),
    };
    judge(&raw, &RunId::parse("run-1").expect("a run"))
}

/// Takes out a field of the record, or of its first finding.
fn remove(value: &mut Value, field: &prop::sample::Index) {
    let findings = value.get("findings").and_then(Value::as_array).map_or(0, Vec::len);
    let own = value.as_object().map_or(0, serde_json::Map::len);
    let nested =
        value.pointer("/findings/0").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    let n = field.index(own + nested + usize::from(findings > 0));
    if n < own {
        take(value, n);
    } else if n < own + nested {
        if let Some(finding) = value.pointer_mut("/findings/0") {
            take(finding, n - own);
        }
    } else if let Some(Value::Array(findings)) = value.get_mut("findings") {
        findings.remove(0);
    }
}

fn take(value: &mut Value, n: usize) {
    if let Value::Object(fields) = value
        && let Some(key) = fields.keys().nth(n).cloned()
    {
        fields.remove(&key);
    }
}
