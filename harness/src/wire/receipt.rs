//! The two records of an attempt, `started.json` and `verdict.json`, and the header every document carries.
//!
//! Version rule: `portcullis.<noun>.v1` may gain optional fields; readers ignore fields they do not
//! know and refuse another major version.

use super::{
    artifact::{list_through_tree, sorted, through_tree},
    code::HARNESS_CODES,
    fault::{Fault, Location},
    finding::Finding,
    id::{Digest, GateId, RunId},
    outcome::{Mode, Outcome, SkipReason},
    time::Instant,
};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};
use std::fmt;

/// The schema of `started.json`.
pub const STARTED_SCHEMA: &str = "portcullis.started.v1";
/// The schema of `verdict.json`.
pub const VERDICT_SCHEMA: &str = "portcullis.verdict.v1";

/// The name and version of the program that wrote a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `portcullis`.
    pub name: String,
    /// The package version.
    pub version: String,
}

impl Tool {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
        Self { name: "portcullis".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// What was gated: a commit, and whether the work tree differs from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The base commit, where one was given.
    pub base: Option<String>,
    /// The commit of `HEAD`, 40 or 64 hex digits; absent outside git or before the first commit.
    pub commit: Option<String>,
    /// Whether the work tree differs from it; absent where nobody looked.
    pub dirty: Option<bool>,
    /// The tree of that commit.
    pub tree: Option<String>,
}

/// Where `now` came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The instant every decision of this run uses.
    pub now: Instant,
    /// Whether an override into the past was allowed; such a run never certifies.
    pub past_allowed: bool,
    /// `system`, `commit` or `override`.
    pub source: ClockSource,
}

/// The three sources of `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockSource {
    /// The system clock.
    System,
    /// The committer time of `HEAD`, when it is later.
    Commit,
    /// `PORTCULLIS_NOW` or `--now`.
    Override,
}

/// The header of every document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// `portcullis.<noun>.v1`.
    pub schema: String,
    /// The run that wrote it.
    pub run_id: RunId,
    /// When it was written.
    pub generated_at: Instant,
    /// What was gated.
    pub source: Source,
    /// What wrote it.
    pub tool: Tool,
    /// The promotion mode.
    pub mode: Mode,
    /// Where `now` came from.
    pub clock: Clock,
}

impl Envelope {
    /// The same header for another document.
    #[must_use]
    pub fn with_schema(&self, schema: &str) -> Self {
        Self { schema: schema.to_owned(), ..self.clone() }
    }
}

/// `started.json`: written before the check runs, so that a killed attempt leaves a trace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Started {
    /// The header.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// The gate.
    pub gate_id: GateId,
    /// Its kind, or `rust` for a gate written in Rust.
    pub kind: String,
    /// The gate binary.
    pub binary: String,
    /// The number of this attempt within the run, from 1.
    pub attempt: u32,
    /// The runner's own attempt number (nextest retries), from 1.
    pub runner_attempt: u32,
    /// The runner's own run id (`NEXTEST_RUN_ID`), which is new at each start, also where a run id of ours is used twice.
    #[serde(default)]
    pub runner_run_id: Option<String>,
    /// The process.
    pub pid: u32,
    /// Digest of the gate's policy table.
    pub policy_digest: Digest,
}

/// `verdict.json`: what the check said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Verdict {
    /// The header.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// The gate.
    pub gate_id: GateId,
    /// Its kind, or `rust` for a gate written in Rust.
    pub kind: String,
    /// The gate binary.
    pub binary: String,
    /// The number of this attempt within the run, from 1.
    pub attempt: u32,
    /// Digest of the gate's policy table.
    pub policy_digest: Digest,
    /// Digest of the `started.json` beside it.
    pub started_digest: Digest,
    /// The raw outcome.
    pub outcome: Outcome,
    /// How many things were looked at.
    pub examined: u64,
    /// At most a thousand findings.
    pub findings: Vec<Finding>,
    /// How many findings there were.
    pub findings_total: u64,
    /// Why the check did not look.
    pub skip: Option<Skip>,
    /// Why the check reached no verdict.
    pub error: Option<ErrorRecord>,
    /// What was read, each file once, sorted by path.
    pub evidence: Vec<Evidence>,
    /// What was written, sorted by path.
    pub artifacts: Vec<Evidence>,
    /// What the gate said on the way, and the tail of its commands' output.
    pub output: Vec<String>,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
}

// Written out field by field, with the keys in order: every attempt writes both, and a tree of each, made to sort its keys,
// took longer than the check of a small gate.

impl Serialize for Started {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Envelope { schema, run_id, generated_at, source, tool, mode, clock } = &self.envelope;
        let mut fields = serializer.serialize_struct("Started", 15)?;
        fields.serialize_field("attempt", &self.attempt)?;
        fields.serialize_field("binary", &self.binary)?;
        fields.serialize_field("clock", clock)?;
        fields.serialize_field("gate_id", &self.gate_id)?;
        fields.serialize_field("generated_at", generated_at)?;
        fields.serialize_field("kind", &self.kind)?;
        fields.serialize_field("mode", mode)?;
        fields.serialize_field("pid", &self.pid)?;
        fields.serialize_field("policy_digest", &self.policy_digest)?;
        fields.serialize_field("run_id", run_id)?;
        fields.serialize_field("runner_attempt", &self.runner_attempt)?;
        match &self.runner_run_id {
            Some(id) => fields.serialize_field("runner_run_id", id)?,
            None => fields.skip_field("runner_run_id")?,
        }
        fields.serialize_field("schema", schema)?;
        fields.serialize_field("source", source)?;
        fields.serialize_field("tool", tool)?;
        fields.end()
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Envelope { schema, run_id, generated_at, source, tool, mode, clock } = &self.envelope;
        let mut fields = serializer.serialize_struct("Verdict", 23)?;
        fields.serialize_field("artifacts", &Listed(&self.artifacts))?;
        fields.serialize_field("attempt", &self.attempt)?;
        fields.serialize_field("binary", &self.binary)?;
        fields.serialize_field("clock", clock)?;
        fields.serialize_field("duration_ms", &self.duration_ms)?;
        fields.serialize_field("error", &Part(&self.error))?;
        fields.serialize_field("evidence", &Listed(&self.evidence))?;
        fields.serialize_field("examined", &self.examined)?;
        fields.serialize_field("findings", &Listed(&self.findings))?;
        fields.serialize_field("findings_total", &self.findings_total)?;
        fields.serialize_field("gate_id", &self.gate_id)?;
        fields.serialize_field("generated_at", generated_at)?;
        fields.serialize_field("kind", &self.kind)?;
        fields.serialize_field("mode", mode)?;
        fields.serialize_field("outcome", &self.outcome)?;
        fields.serialize_field("output", &self.output)?;
        fields.serialize_field("policy_digest", &self.policy_digest)?;
        fields.serialize_field("run_id", run_id)?;
        fields.serialize_field("schema", schema)?;
        fields.serialize_field("skip", &Part(&self.skip))?;
        fields.serialize_field("source", source)?;
        fields.serialize_field("started_digest", &self.started_digest)?;
        fields.serialize_field("tool", tool)?;
        fields.end()
    }
}

sorted!(Started, Verdict);

/// A part that is rare, or whose fields stand in another order.
struct Part<'a, T>(&'a Option<T>);

impl<T: Serialize> Serialize for Part<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(part) => through_tree(part, serializer),
            None => serializer.serialize_none(),
        }
    }
}

/// A list of such parts.
struct Listed<'a, T>(&'a [T]);

impl<T: Serialize> Serialize for Listed<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        list_through_tree(self.0, serializer)
    }
}

/// Why a check did not look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// The typed reason.
    pub reason: SkipReason,
    /// One sentence more.
    pub detail: String,
}

/// Why a check reached no verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// The `snake_case` name of the code.
    pub code: String,
    /// The headline.
    pub message: String,
    /// The place, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The causes, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// What was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The way out.
    pub remedy: String,
}

impl From<&Fault> for ErrorRecord {
    fn from(fault: &Fault) -> Self {
        Self {
            code: fault.code().name().to_owned(),
            message: fault.headline().to_owned(),
            location: fault.location().cloned(),
            chain: fault.chain().to_vec(),
            expected: fault.expected_text().map(str::to_owned),
            found: fault.found_text().map(str::to_owned),
            remedy: fault.remedy().to_owned(),
        }
    }
}

impl ErrorRecord {
    /// The fault that was recorded; nothing where this version has no such code.
    #[must_use]
    pub fn to_fault(&self) -> Option<Fault> {
        let code = HARNESS_CODES.iter().find(|code| code.name() == self.code)?;
        let mut fault = Fault::new(*code, self.message.as_str(), self.remedy.as_str());
        if let Some(location) = &self.location {
            fault = fault.at(location.clone());
        }
        if let Some(expected) = &self.expected {
            fault = fault.expected(expected.as_str());
        }
        if let Some(found) = &self.found {
            fault = fault.found(found.as_str());
        }
        Some(match Cause::chain(&self.chain) {
            Some(cause) => fault.because(&cause),
            None => fault,
        })
    }
}

/// A recorded cause, with the causes below it.
#[derive(Debug)]
struct Cause {
    text: String,
    source: Option<Box<Cause>>,
}

impl Cause {
    fn chain(texts: &[String]) -> Option<Self> {
        let (text, below) = texts.split_first()?;
        Some(Self { text: text.clone(), source: Self::chain(below).map(Box::new) })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

/// A file that was read or written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// Path relative to the repository root, or to the attempt for artifacts.
    pub path: String,
    /// SHA-256 of the bytes that were used; absent when the file did not exist.
    pub sha256: Option<Digest>,
    /// Size in bytes.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::artifact::{self, assert_sorted};
    use serde_json::{Value, json};

    fn header(schema: &str) -> Value {
        let now = "2026-05-31T12:00:00.000Z";
        json!({
            "schema": schema, "run_id": "run-1", "generated_at": now, "mode": "strict",
            "source": { "commit": "c", "tree": null, "dirty": true, "base": null },
            "tool": { "name": "portcullis", "version": "0.1.0" },
            "clock": { "now": now, "source": "system", "past_allowed": false },
        })
    }

    fn with(mut record: Value, fields: Value) -> Value {
        let (Value::Object(record_fields), Value::Object(fields)) = (&mut record, fields) else {
            panic!("two objects");
        };
        record_fields.extend(fields);
        record
    }

    /// What was read and is written again has every key it had, in order.
    fn survives<T: artifact::Sorted + Serialize + serde::de::DeserializeOwned>(record: &Value) {
        let read: T = serde_json::from_value(record.clone()).expect("a record");
        assert_sorted(&read);
        assert_eq!(serde_json::to_value(&read).expect("a tree"), *record);
    }

    #[test]
    fn records_have_every_field_and_their_keys_in_order() {
        let digest = "ab".repeat(32);
        let started = with(
            header(STARTED_SCHEMA),
            json!({
                "gate_id": "a", "kind": "rust", "binary": "gate", "attempt": 2, "runner_attempt": 3, "pid": 4,
                "policy_digest": digest,
            }),
        );
        survives::<Started>(&started);
        survives::<Started>(&with(started, json!({ "runner_run_id": "id" })));
        let bare = with(
            header(VERDICT_SCHEMA),
            json!({
                "gate_id": "a", "kind": "rust", "binary": "gate", "attempt": 2, "policy_digest": digest,
                "started_digest": digest, "outcome": "pass", "examined": 5, "findings": [], "findings_total": 0,
                "skip": null, "error": null, "evidence": [], "artifacts": [], "output": [], "duration_ms": 6,
            }),
        );
        survives::<Verdict>(&bare);
        let place = json!({ "path": "p", "line": 1, "column": 2 });
        let file = json!({ "path": "p", "sha256": digest, "bytes": 7 });
        survives::<Verdict>(&with(
            bare,
            json!({
                "outcome": "fail", "findings_total": 1, "output": ["a line"], "evidence": [file], "artifacts": [file],
                "findings": [{
                    "code": "c", "subject": "s", "location": place, "message": "m", "expected": "e", "found": "f",
                    "remedy": "r", "advisory": false, "fingerprint": "0123456789abcdef",
                }],
                "skip": { "reason": "tool_missing", "detail": "d" },
                "error": {
                    "code": "c", "message": "m", "location": place, "chain": ["why"], "expected": "e", "found": "f",
                    "remedy": "r",
                },
            }),
        ));
    }
}
