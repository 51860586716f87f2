//! The views: documents with fixed field names that operators' scripts read (`artifacts.md`).

use crate::{
    evidence::context::World,
    kernel::{
        decide::{Decided, Decision, WaiverNote},
        policy::Policy,
        recorded::Facts,
    },
    runner::roster::Roster,
    wire::{
        artifact::{self, Document},
        code::RECEIPT_INVALID,
        fault::Fault,
        id::{GateId, RunId},
        outcome::{Effective, Outcome},
        path::RelPath,
        receipt::{Envelope, ErrorRecord},
    },
};
use serde::Serialize;
use serde_json::{Value, json};

/// Schema of `full_suite_verdict.json`.
pub const FULL_SUITE_SCHEMA: &str = "portcullis.full_suite_verdict.v1";
/// Schema of `certification_verdict.json`.
pub const CERTIFICATION_SCHEMA: &str = "portcullis.certification_verdict.v1";
/// Schema of `preflight_verdict.json`.
pub const PREFLIGHT_SCHEMA: &str = "portcullis.preflight_verdict.v1";
/// Schema of `waiver_audit.json`.
pub const WAIVER_AUDIT_SCHEMA: &str = "portcullis.waiver_audit.v1";
/// Schema of `environment.json`.
pub const ENVIRONMENT_SCHEMA: &str = "portcullis.environment.v1";
/// Schema of `decision.json`.
pub const DECISION_SCHEMA: &str = "portcullis.decision.v1";
/// Schema of one line of an event log.
pub const EVENT_SCHEMA: &str = "portcullis.event.v1";

/// The coarse status that scripts read; the effective status stands beside it.
#[must_use]
pub fn coarse(effective: Effective) -> &'static str {
    match effective {
        Effective::Pass => "pass",
        // A waived failure is a warning to scripts, never a pass.
        Effective::Warn | Effective::Waived => "warn",
        Effective::Skip => "skip",
        Effective::PendingApproval
        | Effective::Fail
        | Effective::Precluded
        | Effective::Missing
        | Effective::Crashed
        | Effective::Error => "fail",
    }
}

/// Whoever knows how each gate runs again: a gate binary its own gates, a runner those of all of them.
pub trait Replays {
    /// The policy.
    fn policy(&self) -> &Policy;
    /// The argv that runs one gate again, and nothing else.
    fn argv(&self, gate: &Decided) -> Vec<String>;
}

impl Replays for Roster {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn argv(&self, gate: &Decided) -> Vec<String> {
        replay_argv(gate, self)
    }
}

/// The argv that runs one gate of a gate binary again, and nothing else.
#[must_use]
pub fn replay_argv(gate: &Decided, roster: &Roster) -> Vec<String> {
    let own = roster
        .position(gate.id.as_str())
        .and_then(|n| roster.gates[n].table().common.replay.clone());
    own.unwrap_or_else(|| {
        // A gate that only the base has cannot run here; the whole suite says again what became of it.
        let (binary, trial) = match gate.binary.as_str() {
            "" => (roster.policy.binary.as_str(), "full_suite_gate"),
            binary => (binary, gate.id.as_str()),
        };
        let words = ["cargo", "test", "--test", binary, "--", trial, "--exact"];
        roster.policy.replay_prefix.iter().cloned().chain(words.map(str::to_owned)).collect()
    })
}

/// The same as a shell line.
#[must_use]
pub fn replay(gate: &Decided, replays: &dyn Replays) -> String {
    crate::kernel::replay::render_argv(&replays.argv(gate))
}

/// One row of `gates[]`. Its fields stand in the order of their keys.
#[derive(Clone, Debug, Serialize)]
pub struct GateRow<'a> {
    artifact_path: &'a Option<RelPath>,
    blocking: bool,
    blocks: bool,
    code: &'a Option<String>,
    detail: &'a str,
    duration_ms: u64,
    effective: Effective,
    examined: u64,
    findings_total: u64,
    id: &'a GateId,
    issue: &'a Option<String>,
    kind: &'a str,
    name: &'a str,
    outcome: Option<Outcome>,
    owner: &'a str,
    reproduce_command: String,
    status: &'static str,
    #[serde(serialize_with = "artifact::through_tree")]
    waiver: &'a Option<WaiverNote>,
}

artifact::sorted!(GateRow<'_>);

/// The row of this gate.
#[must_use]
pub fn gate<'a>(gate: &'a Decided, replays: &dyn Replays) -> GateRow<'a> {
    GateRow {
        artifact_path: &gate.artifact_path,
        blocking: gate.blocking,
        blocks: gate.blocks,
        code: &gate.code,
        detail: &gate.detail,
        duration_ms: gate.duration_ms,
        effective: gate.effective,
        examined: gate.examined,
        findings_total: gate.findings_total,
        id: &gate.id,
        issue: &gate.issue,
        kind: &gate.kind,
        name: &gate.title,
        outcome: gate.outcome,
        owner: &gate.owner,
        reproduce_command: replay(gate, replays),
        status: coarse(gate.effective),
        waiver: &gate.waiver,
    }
}

/// A document: the header, then these fields.
///
/// # Errors
/// When `body` is not an object.
pub fn with_envelope(envelope: &Envelope, body: &impl Serialize) -> Result<Value, Fault> {
    let header = serde_json::to_value(envelope).map_err(|source| unrendered(&source))?;
    Ok(joined(header, serde_json::to_value(body).map_err(|source| unrendered(&source))?))
}

fn joined(mut document: Value, body: Value) -> Value {
    if let (Some(document), Value::Object(fields)) = (document.as_object_mut(), body) {
        document.extend(fields);
    }
    document
}

fn merged(envelope: &Envelope, body: Value) -> Value {
    // A header is always an object.
    serde_json::to_value(envelope).map_or(Value::Null, |header| joined(header, body))
}

fn policy(decision: &Decision) -> Value {
    json!({ "lane": decision.lane, "mode": decision.mode })
}

/// `decision.json`: the decision, and what of its inputs stands nowhere else.
///
/// # Errors
/// Never for documents of ours.
pub fn decision<'a>(
    envelope: &Envelope,
    decision: &'a Decision,
    facts: &Facts,
) -> Result<Document<'a>, Fault> {
    // Named one by one, so that a field which is added to a decision cannot be left out of its record.
    let Decision {
        verdict,
        exit,
        certifiable,
        why_not_certifiable,
        mode,
        lane,
        gates,
        faults,
        waiver_audit,
        loosened,
        not_selected,
        summary,
    } = decision;
    let fields = json!({
        "verdict": verdict,
        "exit": exit,
        "certifiable": certifiable,
        "why_not_certifiable": why_not_certifiable,
        "mode": mode,
        "lane": lane,
        "faults": faults,
        "waiver_audit": waiver_audit,
        "loosened": loosened,
        "not_selected": not_selected,
        "summary": summary,
        "facts": facts,
    });
    Ok(document(envelope, &fields)?.rows("gates", gates, |row| row))
}

/// `full_suite_verdict.json`.
///
/// # Errors
/// Never for documents of ours.
pub fn full_suite<'a>(
    envelope: &Envelope,
    decision: &'a Decision,
    replays: &'a dyn Replays,
) -> Result<Document<'a>, Fault> {
    let fields = json!({
        "verdict": decision.verdict,
        "policy": policy(decision),
        "summary": decision.summary,
        "faults": decision.faults,
        "policy_loosened": decision.loosened,
        "not_selected": decision.not_selected,
        "exit": decision.exit,
    });
    Ok(document(envelope, &fields)?.rows("gates", &decision.gates, |row| gate(row, replays)))
}

/// `certification_verdict.json`.
///
/// # Errors
/// Never for documents of ours.
pub fn certification<'a>(
    envelope: &Envelope,
    decision: &'a Decision,
    replays: &'a dyn Replays,
) -> Result<Document<'a>, Fault> {
    let overall = if decision.certifiable { "CERTIFIED" } else { "NOT_CERTIFIED" };
    let rerun: Vec<String> = decision
        .gates
        .iter()
        .filter(|gate| gate.blocks)
        .map(|gate| replay(gate, replays))
        .collect();
    let fields = json!({
        "overall_verdict": overall,
        "verdict": decision.verdict,
        "certifiable": decision.certifiable,
        "why_not_certifiable": decision.why_not_certifiable,
        "policy": policy(decision),
        "promotion": { "mode": decision.mode, "configured": replays.policy().promotion.mode, "shadow_until": replays.policy().promotion.shadow_until },
        "summary": decision.summary,
        "faults": decision.faults,
        "waivers": decision.waiver_audit,
        "rerun": { "commands": rerun, "note": "a rerun shows whether a failure came back; it never certifies" },
    });
    Ok(document(envelope, &fields)?.rows("gates", &decision.gates, |row| gate(row, replays)))
}

/// The header and these fields, to which rows are added.
fn document<'a>(envelope: &Envelope, fields: &Value) -> Result<Document<'a>, Fault> {
    Document::of(envelope)
        .and_then(|document| document.with(fields))
        .map_err(|source| unrendered(&source))
}

fn unrendered(source: &serde_json::Error) -> Fault {
    Fault::new(RECEIPT_INVALID, "a view could not be rendered", "report this as a bug")
        .because(source)
}

/// `preflight_verdict.json`.
#[must_use]
pub fn preflight(
    envelope: &Envelope,
    (evaluated, not_evaluated): (&[Decided], &[GateId]),
    stopped_at: Option<&GateId>,
    lost: Option<&Fault>,
) -> Value {
    let rows: Vec<Value> = evaluated
        .iter()
        .map(|gate| json!({ "id": gate.id, "status": coarse(gate.effective), "effective": gate.effective, "detail": gate.detail }))
        .collect();
    merged(
        envelope,
        json!({
            "verdict": if stopped_at.is_some() || lost.is_some() { "blocked" } else { "pass" },
            "faults": lost.map(ErrorRecord::from).into_iter().collect::<Vec<_>>(),
            "evaluated": rows,
            "not_evaluated": not_evaluated,
            "stopped_at": stopped_at,
        }),
    )
}

/// One event per gate in id order, one object per line, numbered from 1.
///
/// # Errors
/// Never for events of ours.
pub fn events(envelope: &Envelope, decision: &Decision) -> Result<String, Fault> {
    let mut text = String::new();
    // Rendered once: it is the same in every line.
    let ts = envelope.generated_at.to_string();
    for (seq, gate) in (1u64..).zip(&decision.gates) {
        let event = GateDecided {
            artifact_path: &gate.artifact_path,
            blocking: gate.blocking,
            effective: gate.effective,
            event: "gate_decided",
            gate_id: &gate.id,
            run_id: &envelope.run_id,
            schema: EVENT_SCHEMA,
            seq,
            status: coarse(gate.effective),
            ts: &ts,
        };
        text.push_str(&artifact::line_of_sorted(&event).map_err(|source| {
            Fault::new(RECEIPT_INVALID, "an event could not be rendered", "report this as a bug")
                .because(&source)
        })?);
    }
    Ok(text)
}

/// One line of an event log. Its fields stand in the order of their keys.
#[derive(Serialize)]
struct GateDecided<'a> {
    artifact_path: &'a Option<RelPath>,
    blocking: bool,
    effective: Effective,
    event: &'static str,
    gate_id: &'a GateId,
    run_id: &'a RunId,
    schema: &'static str,
    seq: u64,
    status: &'static str,
    ts: &'a str,
}

artifact::sorted!(GateDecided<'_>);

/// `environment.json`: what was allowed to be recorded of the host. Secrets by name are never in it.
#[must_use]
pub fn environment(envelope: &Envelope, world: &World) -> Value {
    merged(
        envelope,
        json!({
            "profile": Value::Null,
            "vcr_mode": world.environment.get("VCR_MODE"),
            "git_sha": world.source.commit,
            "lane": world.lane,
            "shard": { "kind": Value::Null, "index": 0, "total": 1 },
            "host": { "os": std::env::consts::OS, "arch": std::env::consts::ARCH },
            "variables": world.environment.recorded(),
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::policy;

    struct Nobody(Policy);

    impl Replays for Nobody {
        fn policy(&self) -> &Policy {
            &self.0
        }

        fn argv(&self, gate: &Decided) -> Vec<String> {
            vec!["run".to_owned(), gate.id.to_string()]
        }
    }

    #[test]
    fn rows_and_events_have_their_keys_in_order() {
        let policy = policy::parse("portcullis.toml", "[policy]\nversion = 1\nowner = \"o\"\n");
        let decided: Decided = serde_json::from_value(json!({
            "id": "a", "kind": "rust", "title": "A", "owner": "o", "issue": "#1", "binary": "gate", "outcome": "fail",
            "effective": "waived", "blocking": true, "blocks": false, "code": "c", "detail": "d", "examined": 0,
            "findings": [], "findings_total": 0, "error": null, "skip": null, "rollback_warning": false,
            "waiver": { "owner": "o", "expires": "2026-05-31", "issue": "#1", "reason": "r", "covers": true },
            "attempts": 1, "artifact_path": "out/a.json", "duration_ms": 0,
        }))
        .expect("a row");
        let row = gate(&decided, &Nobody(policy.expect("a policy")));
        assert_eq!(row.reproduce_command, "run a");
        artifact::assert_sorted(&row);
        let run_id = RunId::parse("run-1").expect("an id");
        artifact::assert_sorted(&GateDecided {
            artifact_path: &decided.artifact_path,
            blocking: true,
            effective: Effective::Waived,
            event: "gate_decided",
            gate_id: &decided.id,
            run_id: &run_id,
            schema: EVENT_SCHEMA,
            seq: 1,
            status: "warn",
            ts: "2026-05-31T12:00:00.000Z",
        });
    }
}
