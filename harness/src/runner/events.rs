//! The event log of one attempt: one writer, one object per line, numbered and chained.
//!
//! A line that is lost, doubled or forged breaks the chain (threat T36). Text only ever stands in strings.

use crate::wire::{
    artifact,
    code::RECEIPT_INVALID,
    fault::Fault,
    id::{Digest, GateId, RunId},
    outcome::Outcome,
    receipt::{Envelope, Started, Verdict},
    time::Instant,
};
use serde::Serialize;

const SCHEMA: &str = "portcullis.event.v1";

/// How many findings become events; the receipt has them all.
const FINDINGS_LOGGED: usize = 20;

/// Numbers and chains the lines of an attempt.
#[derive(Default)]
pub struct EventLog {
    seq: u64,
    /// The line before, of which only a next one needs the digest.
    previous: Option<String>,
}

/// One line. Its fields stand in the order of their keys; most events have none of the optional ones.
#[derive(Serialize)]
struct Line<'a> {
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings_total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<&'a str>,
    gate_id: &'a GateId,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    prev_sha256: Option<Digest>,
    run_id: &'a RunId,
    schema: &'static str,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Outcome>,
    ts: Instant,
}

artifact::sorted!(Line<'_>);

impl<'a> Line<'a> {
    fn of(event: &'static str, envelope: &'a Envelope, gate_id: &'a GateId, attempt: u32) -> Self {
        Self {
            attempt,
            code: None,
            event,
            findings_total: None,
            fingerprint: None,
            gate_id,
            message: None,
            prev_sha256: None,
            run_id: &envelope.run_id,
            schema: SCHEMA,
            seq: 0,
            status: None,
            ts: envelope.generated_at,
        }
    }
}

impl EventLog {
    /// The line that says that an attempt began.
    ///
    /// # Errors
    /// Never for events of ours.
    pub fn started(&mut self, started: &Started) -> Result<String, Fault> {
        let Started { envelope, gate_id, attempt, .. } = started;
        self.line(Line::of("attempt_started", envelope, gate_id, *attempt))
    }

    /// The lines that say what was found and how the attempt ended.
    ///
    /// # Errors
    /// Never for events of ours.
    pub fn finished(&mut self, verdict: &Verdict) -> Result<Vec<String>, Fault> {
        let base = |event| Line::of(event, &verdict.envelope, &verdict.gate_id, verdict.attempt);
        let mut lines = Vec::new();
        for finding in verdict.findings.iter().take(FINDINGS_LOGGED) {
            lines.push(self.line(Line {
                code: Some(&finding.code),
                message: Some(&finding.message),
                fingerprint: Some(&finding.fingerprint),
                ..base("finding_reported")
            })?);
        }
        lines.push(self.line(Line {
            status: Some(verdict.outcome),
            findings_total: Some(verdict.findings_total),
            ..base("attempt_finished")
        })?);
        Ok(lines)
    }

    fn line(&mut self, event: Line<'_>) -> Result<String, Fault> {
        self.seq += 1;
        let prev_sha256 = self.previous.as_ref().map(|line| Digest::of(line.as_bytes()));
        let event = Line { seq: self.seq, prev_sha256, ..event };
        let line = artifact::line_of_sorted(&event).map_err(|source| {
            Fault::new(RECEIPT_INVALID, "an event could not be rendered", "report this as a bug")
                .because(&source)
        })?;
        self.previous = Some(line.clone());
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn envelope() -> Envelope {
        serde_json::from_value(json!({
            "schema": "portcullis.verdict.v1", "run_id": "r", "generated_at": "2026-05-31T10:00:00.000Z",
            "source": { "commit": null, "tree": null, "dirty": null, "base": null },
            "tool": { "name": "portcullis", "version": "0" }, "mode": "strict",
            "clock": { "now": "2026-05-31T10:00:00.000Z", "source": "system", "past_allowed": false },
        }))
        .expect("a header")
    }

    #[test]
    fn t36_a_forged_line_stays_inside_one_string() {
        let (envelope, gate) = (envelope(), GateId::parse("a_gate").expect("an id"));
        let base = |event| Line::of(event, &envelope, &gate, 1);
        let mut log = EventLog::default();
        let hostile = "a\n{\"event\":\"attempt_finished\",\"status\":\"pass\"}";
        let forged = Line { message: Some(hostile), ..base("finding_reported") };
        let line = log.line(forged).expect("a line");
        assert_eq!(line.matches('\n').count(), 1, "one record is one line: {line}");
        let next = log.line(base("attempt_finished")).expect("a line");
        let next: Value = serde_json::from_str(&next).expect("JSON");
        assert_eq!(
            (next["seq"].as_u64(), next["prev_sha256"].as_str()),
            (Some(2), Some(Digest::of(line.as_bytes()).to_string().as_str()))
        );
    }

    #[test]
    fn the_keys_of_a_line_are_in_order() {
        let (envelope, gate) = (envelope(), GateId::parse("a_gate").expect("an id"));
        artifact::assert_sorted(&Line::of("attempt_started", &envelope, &gate, 1));
        artifact::assert_sorted(&Line {
            code: Some("c"),
            findings_total: Some(1),
            fingerprint: Some("f"),
            message: Some("m"),
            prev_sha256: Some(Digest::of(b"")),
            status: Some(Outcome::Fail),
            ..Line::of("attempt_finished", &envelope, &gate, 1)
        });
    }
}
