//! The views: documents with fixed field names that operators' scripts read (`artifacts.md`).

use crate::{
    evidence::context::World,
    kernel::{
        decide::{Decided, Decision},
        policy::Policy,
        recorded::Facts,
    },
    runner::roster::Roster,
    wire::{
        artifact::{self, Document},
        code::RECEIPT_INVALID,
        fault::Fault,
        id::GateId,
        outcome::Effective,
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

/// One row of `gates[]`.
#[must_use]
pub fn gate(gate: &Decided, replays: &dyn Replays) -> Value {
    json!({
        "id": gate.id,
        "name": gate.title,
        "kind": gate.kind,
        "status": coarse(gate.effective),
        "effective": gate.effective,
        "outcome": gate.outcome,
        "blocking": gate.blocking,
        "blocks": gate.blocks,
        "code": gate.code,
        "detail": gate.detail,
        "examined": gate.examined,
        "findings_total": gate.findings_total,
        "artifact_path": gate.artifact_path,
        "reproduce_command": replay(gate, replays),
        "owner": gate.owner,
        "issue": gate.issue,
        "waiver": gate.waiver,
        "duration_ms": gate.duration_ms,
    })
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
    for (seq, gate) in (1u64..).zip(&decision.gates) {
        let event = json!({
            "schema": EVENT_SCHEMA,
            "seq": seq,
            "ts": envelope.generated_at,
            "event": "gate_decided",
            "gate_id": gate.id,
            "status": coarse(gate.effective),
            "effective": gate.effective,
            "blocking": gate.blocking,
            "artifact_path": gate.artifact_path,
            "run_id": envelope.run_id,
        });
        text.push_str(&artifact::line(&event).map_err(|source| {
            Fault::new(RECEIPT_INVALID, "an event could not be rendered", "report this as a bug")
                .because(&source)
        })?);
    }
    Ok(text)
}

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
