//! The vectors as they are written down: strictly read, every omission with its documented meaning.
//! Leaves out what a vector means to the decision.

use portcullis::{
    Effective, Fault, Instant, Lane, Mode, Outcome, RunVerdict, SkipReason,
    evidence::json,
    kernel::waiver::{WaiverScope, WaiverStatus},
    wire::receipt::ClockSource,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const SCHEMA: &str = "portcullis.conformance_vectors.v1";
/// What stands before the lines of every policy.
pub(super) const POLICY_HEAD: &str = "[policy]\nversion = 1\nowner = \"team\"\n";
/// The one instant of a run that states none.
pub(super) const NOW: &str = "2026-05-31T12:00:00Z";

/// One file of vectors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Always `portcullis.conformance_vectors.v1`.
    pub schema: String,
    /// What the vectors are about; the file is called like it.
    pub topic: String,
    /// The vectors.
    pub vectors: Vec<Vector>,
}

/// One vector: what is given, and what has to come out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Its name, a sentence in snake case, once in the whole corpus.
    pub id: String,
    /// The rule it shows, in a sentence.
    pub rule: String,
    /// The inputs.
    #[serde(default)]
    pub given: Given,
    /// The answer.
    pub expect: Expect,
}

/// The inputs of a decision. What is left out has the meaning that the page of the format states.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    /// The lines of the policy behind its head; one plain gate `a` where left out.
    pub policy: Option<Vec<String>>,
    /// Gates written in Rust that have no table, with their gate binaries.
    pub rust_gates: BTreeMap<String, String>,
    /// In what the committed census differs from the gates at hand.
    pub census: CensusEdits,
    /// The lines of the file of waivers.
    pub classification: Vec<String>,
    /// The lane; `main` where left out.
    pub lane: Option<Lane>,
    /// The clock.
    pub clock: ClockGiven,
    /// The promotion mode that was asked for from outside.
    pub requested_mode: Option<String>,
    /// Which gates the run was asked for; all where left out.
    pub selection: Option<SelectionGiven>,
    /// Full suite or preflight; `full` where left out.
    pub scope: Option<WaiverScope>,
    /// Whether the change touches the file of waivers.
    pub touched_waivers: bool,
    /// The gates that have a waiver on the base; no base is known where left out.
    pub base_waivers: Option<BTreeSet<String>>,
    /// Whether the work tree differs from the commit.
    pub source_dirty: bool,
    /// Codes of faults that concern no single gate.
    pub run_faults: Vec<String>,
    /// What the gates left; each gate that is named nowhere passed once.
    pub receipts: Vec<ReceiptGiven>,
    /// Gates that left nothing.
    pub silent: BTreeSet<String>,
}

/// In what the committed census differs from the gates at hand.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CensusEdits {
    /// Rows that the census lacks.
    pub without: BTreeSet<String>,
    /// Rows that it has beside those of the gates at hand.
    pub extra: Vec<ExtraRow>,
    /// Rows that it has under another name: today's id, then the id in the census.
    pub renamed: BTreeMap<String, String>,
    /// Rows that it has with another content.
    pub changed: BTreeMap<String, RowChange>,
    /// Codes that say why it could not be read.
    pub faults: Vec<String>,
}

/// A row of the census that no gate at hand answers to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraRow {
    /// The gate.
    pub id: String,
    /// Its gate binary; that of the policy where left out.
    pub binary: Option<String>,
    /// Whether it blocks; it does where left out.
    pub blocking: Option<bool>,
}

/// What one row of the census says otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RowChange {
    /// Whether the gate blocks.
    pub blocking: Option<bool>,
    /// Its lanes.
    pub lanes: Option<Vec<Lane>>,
    /// Its gate binary.
    pub binary: Option<String>,
    /// Its owner.
    pub owner: Option<String>,
    /// Whether the digest of its table is another one.
    pub digest: bool,
}

/// The clock reading.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockGiven {
    /// The one instant of the run; noon of 2026-05-31 where left out.
    pub now: Option<Instant>,
    /// Where it came from; `system` where left out.
    pub source: Option<ClockSource>,
    /// Whether an override into the past was allowed.
    pub past_allowed: bool,
}

/// Which gates the run was asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectionGiven {
    /// The gates; all where left out.
    pub gates: Option<BTreeSet<String>>,
    /// Whether a gate that was not selected counts as missing; it does not where left out.
    #[serde(default)]
    pub require_full: bool,
}

/// What one attempt left.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptGiven {
    /// The gate.
    pub gate: String,
    /// The attempt; the first where left out.
    pub attempt: Option<u32>,
    /// `complete`, `unsealed` or `broken:<code>`; complete where left out.
    pub state: Option<String>,
    /// What the check said; `pass` where left out.
    pub outcome: Option<Outcome>,
    /// How many things it looked at; 3 where left out.
    pub examined: Option<u64>,
    /// What it found.
    #[serde(default)]
    pub findings: Vec<FindingGiven>,
    /// How many findings there were; as many as are listed where left out.
    pub findings_total: Option<u64>,
    /// The code of the error that the check reported.
    pub error: Option<String>,
    /// Why the check did not look.
    pub skip: Option<SkipReason>,
    /// What the receipt is bound to otherwise than by the gate at hand.
    pub foreign: Option<Foreign>,
}

/// One finding.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FindingGiven {
    /// Its code.
    pub code: String,
    /// What it is about.
    pub subject: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Whether it only advises.
    pub advisory: bool,
    /// How many findings like it there are.
    pub times: usize,
}

impl Default for FindingGiven {
    fn default() -> Self {
        Self {
            code: "rule_broken".to_owned(),
            subject: "subject".to_owned(),
            fingerprint: "a".repeat(16),
            advisory: false,
            times: 1,
        }
    }
}

/// What a receipt is bound to otherwise than by the gate at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Foreign {
    /// Another table.
    Policy,
    /// Another gate binary.
    Binary,
    /// Another kind.
    Kind,
    /// Another attempt.
    Attempt,
    /// Another gate.
    Gate,
}

/// The answer: the policy is refused before anything runs, or there is a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// The codes of all faults of the policy.
    Refused(BTreeSet<String>),
    /// What is compared of a decision.
    Decision(Box<Answer>),
}

/// What is compared of a decision. Both sides are of this type, so that nothing is compared by one side only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The verdict of the run.
    pub verdict: RunVerdict,
    /// The exit code.
    pub exit: u8,
    /// Whether the run may stand as a certificate.
    pub certifiable: bool,
    /// The promotion mode in force; strict where left out.
    #[serde(default = "strict", skip_serializing_if = "is_strict")]
    pub mode: Mode,
    /// Every gate that was judged.
    pub gates: BTreeMap<String, Row>,
    /// The codes of all faults that are no gate's, each once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub faults: BTreeSet<String>,
    /// The status of every waiver of a valid file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waivers: BTreeMap<String, WaiverStatus>,
    /// On how many days too many waivers end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cliffs: usize,
    /// The gates that exist and were not selected.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub not_selected: BTreeSet<String>,
}

/// What is compared of one gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The effective status.
    pub effective: Effective,
    /// The raw outcome; there is none where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Whether the gate blocks.
    #[serde(default, skip_serializing_if = "is_false")]
    pub blocks: bool,
    /// Whether it would block, were it not for a rollback record.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rollback_warning: bool,
    /// The code of what is wrong; nothing is wrong where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

const fn strict() -> Mode {
    Mode::Strict
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_strict(mode: &Mode) -> bool {
    *mode == Mode::Strict
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Reads one file. An unknown field is refused: a misspelt one would otherwise be an input that nobody set.
///
/// # Errors
/// The faults of strict JSON, and `json_invalid` for another shape, with line and column.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Topic, Fault> {
    json::parse_as(bytes, path)
}
