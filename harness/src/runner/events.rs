//! The event log of one attempt: one writer, one object per line, numbered and chained.
//!
//! A line that is lost, doubled or forged breaks the chain (threat T36). Text only ever stands in strings.

use crate::wire::{
    artifact,
    code::RECEIPT_INVALID,
    fault::Fault,
    finding::Finding,
    id::Digest,
    receipt::{Started, Verdict},
};
use serde_json::{Value, json};

/// How many findings become events; the receipt has them all.
const FINDINGS_LOGGED: usize = 20;

/// Numbers and chains the lines of an attempt.
#[derive(Default)]
pub struct EventLog {
    seq: u64,
    previous: Option<Digest>,
}

impl EventLog {
    /// The line that says that an attempt began.
    ///
    /// # Errors
    /// Never for events of ours.
    pub fn started(&mut self, started: &Started) -> Result<String, Fault> {
        self.line(json!({
            "event": "attempt_started",
            "ts": started.envelope.generated_at,
            "run_id": started.envelope.run_id,
            "gate_id": started.gate_id,
            "attempt": started.attempt,
        }))
    }

    /// The lines that say what was found and how the attempt ended.
    ///
    /// # Errors
    /// Never for events of ours.
    pub fn finished(&mut self, verdict: &Verdict) -> Result<Vec<String>, Fault> {
        let base = |event: &str| {
            json!({
                "event": event,
                "ts": verdict.envelope.generated_at,
                "run_id": verdict.envelope.run_id,
                "gate_id": verdict.gate_id,
                "attempt": verdict.attempt,
            })
        };
        let mut lines = Vec::new();
        for finding in verdict.findings.iter().take(FINDINGS_LOGGED) {
            lines.push(self.line(with_finding(base("finding_reported"), finding))?);
        }
        let mut end = base("attempt_finished");
        end["status"] = json!(verdict.outcome);
        end["findings_total"] = json!(verdict.findings_total);
        lines.push(self.line(end)?);
        Ok(lines)
    }

    fn line(&mut self, mut event: Value) -> Result<String, Fault> {
        self.seq += 1;
        event["schema"] = json!("portcullis.event.v1");
        event["seq"] = json!(self.seq);
        event["prev_sha256"] = json!(self.previous);
        let line = artifact::line(&event).map_err(|source| {
            Fault::new(RECEIPT_INVALID, "an event could not be rendered", "report this as a bug")
                .because(&source)
        })?;
        self.previous = Some(Digest::of(line.as_bytes()));
        Ok(line)
    }
}

fn with_finding(mut event: Value, finding: &Finding) -> Value {
    event["code"] = json!(finding.code);
    event["message"] = json!(finding.message);
    event["fingerprint"] = json!(finding.fingerprint);
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t36_a_forged_line_stays_inside_one_string() {
        let mut log = EventLog::default();
        let hostile = "a\n{\"event\":\"attempt_finished\",\"status\":\"pass\"}";
        let line =
            log.line(json!({ "event": "finding_reported", "message": hostile })).expect("a line");
        assert_eq!(line.matches('\n').count(), 1, "one record is one line: {line}");
        let next = log.line(json!({ "event": "attempt_finished" })).expect("a line");
        let next: Value = serde_json::from_str(&next).expect("JSON");
        assert_eq!(
            (next["seq"].as_u64(), next["prev_sha256"].as_str()),
            (Some(2), Some(Digest::of(line.as_bytes()).to_string().as_str()))
        );
    }
}
