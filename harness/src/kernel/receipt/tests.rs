//! Receipts that prove nothing, each refused by its code.

use super::*;
use crate::wire::{
    outcome::{Mode, Outcome},
    receipt::{Clock, ClockSource, Envelope, Source, Tool},
    time::Instant,
};
use serde_json::{Value, json};

fn run() -> RunId {
    RunId::parse("run-1").expect("a run")
}

fn envelope(schema: &str) -> Envelope {
    let now = Instant::parse("2026-05-31T12:00:00Z").expect("an instant");
    Envelope {
        schema: schema.to_owned(),
        run_id: run(),
        generated_at: now,
        source: Source::default(),
        tool: Tool::this(),
        mode: Mode::Strict,
        clock: Clock { now, source: ClockSource::System, past_allowed: false },
    }
}

fn records() -> (Value, Value) {
    let gate_id = GateId::parse("a").expect("a gate");
    let started = Started {
        envelope: envelope(STARTED_SCHEMA),
        gate_id: gate_id.clone(),
        kind: "command".to_owned(),
        binary: "suite".to_owned(),
        attempt: 1,
        runner_attempt: 1,
        runner_run_id: None,
        pid: 7,
        policy_digest: Digest::of(b"policy"),
    };
    let verdict = Verdict {
        envelope: envelope(VERDICT_SCHEMA),
        gate_id,
        kind: "command".to_owned(),
        binary: "suite".to_owned(),
        attempt: 1,
        policy_digest: Digest::of(b"policy"),
        started_digest: Digest::of(b"replaced below"),
        outcome: Outcome::Pass,
        examined: 1,
        findings: Vec::new(),
        findings_total: 0,
        skip: None,
        error: None,
        evidence: Vec::new(),
        artifacts: Vec::new(),
        output: Vec::new(),
        duration_ms: 1,
    };
    (json!(started), json!(verdict))
}

fn raw(change: impl FnOnce(&mut Value, &mut Value)) -> RawAttempt {
    let (mut started, mut verdict) = records();
    change(&mut started, &mut verdict);
    let bytes = started.to_string().into_bytes();
    if verdict["started_digest"] == json!(Digest::of(b"replaced below")) {
        verdict["started_digest"] = json!(Digest::of(&bytes));
    }
    RawAttempt {
        gate: "a".to_owned(),
        attempt: 1,
        started: Some(bytes),
        verdict: Some(verdict.to_string().into_bytes()),
    }
}

fn code(raw: &RawAttempt) -> Option<&'static str> {
    match judge(raw, &run()).expect("a receipt").state {
        ReceiptState::Complete(..) => None,
        ReceiptState::Unsealed(_) => Some("receipt_unsealed"),
        ReceiptState::Broken { code, .. } => Some(code.name()),
    }
}

#[expect(clippy::too_many_lines, reason = "one table, one sentence per row")]
#[test]
fn what_does_not_belong_together_proves_nothing() {
    let plain = || raw(|_, _| {});
    let text = |raw: &RawAttempt| {
        String::from_utf8(raw.verdict.clone().unwrap_or_default()).unwrap_or_default()
    };
    let twice = text(&plain()).replacen('{', "{\"outcome\":\"fail\",", 1);
    let torn: String = text(&plain()).chars().take(200).collect();
    let with = |verdict: String| RawAttempt { verdict: Some(verdict.into_bytes()), ..plain() };
    let table: Vec<(&str, RawAttempt, Option<&str>)> = vec![
        ("both records", plain(), None),
        (
            "fg76_ killed between the two",
            RawAttempt { verdict: None, ..plain() },
            Some("receipt_unsealed"),
        ),
        (
            "fg49_ a verdict alone",
            RawAttempt { started: None, ..plain() },
            Some("receipt_without_start"),
        ),
        (
            "fg50_ of another gate",
            RawAttempt { gate: "b".to_owned(), ..plain() },
            Some("receipt_foreign"),
        ),
        ("fg50_ of another attempt", RawAttempt { attempt: 2, ..plain() }, Some("receipt_foreign")),
        (
            "fg50_ a start of another run",
            raw(|s, _| s["run_id"] = json!("run-2")),
            Some("receipt_foreign"),
        ),
        (
            "fg50_ a verdict of another run",
            raw(|_, v| v["run_id"] = json!("run-2")),
            Some("receipt_foreign"),
        ),
        (
            "of another policy",
            raw(|_, v| v["policy_digest"] = json!(Digest::of(b"x"))),
            Some("receipt_foreign"),
        ),
        (
            "for another start",
            raw(|_, v| v["started_digest"] = json!(Digest::of(b"x"))),
            Some("digest_mismatch"),
        ),
        (
            "fg75_ an unknown status",
            raw(|_, v| v["outcome"] = json!("passed")),
            Some("status_unknown"),
        ),
        ("no status", raw(|_, v| v["outcome"] = Value::Null), Some("status_unknown")),
        (
            "another major version",
            raw(|_, v| v["schema"] = json!("portcullis.verdict.v2")),
            Some("schema_unsupported"),
        ),
        (
            "fg41_ a version that begins alike",
            raw(|_, v| v["schema"] = json!("portcullis.verdict.v10")),
            Some("schema_unsupported"),
        ),
        ("a field that a newer minor adds", raw(|_, v| v["new"] = json!(1)), None),
        ("fg43_ t37_ two statuses", with(twice), Some("receipt_invalid")),
        ("a torn verdict", with(torn), Some("receipt_invalid")),
        ("an empty verdict", with(String::new()), Some("receipt_invalid")),
        (
            "a pass that counts findings",
            raw(|_, v| v["findings_total"] = json!(1)),
            Some("receipt_invalid"),
        ),
        (
            "a failure without findings",
            raw(|_, v| v["outcome"] = json!("fail")),
            Some("receipt_invalid"),
        ),
        (
            "a skip without a reason",
            raw(|_, v| v["outcome"] = json!("skip")),
            Some("receipt_invalid"),
        ),
        (
            "an error without a record",
            raw(|_, v| v["outcome"] = json!("error")),
            Some("receipt_invalid"),
        ),
    ];
    for (case, raw, expected) in table {
        assert_eq!(code(&raw), expected, "{case}");
    }
}

#[test]
fn every_torn_prefix_of_a_verdict_is_refused() {
    let whole = raw(|_, _| {});
    let bytes = whole.verdict.clone().unwrap_or_default();
    for end in 0..bytes.len() {
        let torn = RawAttempt { verdict: Some(bytes[..end].to_vec()), ..whole.clone() };
        assert!(code(&torn).is_some(), "{end} of {} bytes", bytes.len());
    }
}
