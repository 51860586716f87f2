//! The shape of a decision: one row for each gate, and what they come to.

use crate::{
    kernel::{loosening::Loosening, waiver::WaiverAudit},
    wire::{
        artifact::{list_through_tree, sorted, through_tree},
        finding::Finding,
        id::GateId,
        outcome::{Effective, Lane, Mode, Outcome, RunVerdict},
        path::RelPath,
        receipt::{ErrorRecord, Skip},
        time::Day,
    },
};
use serde::Serialize;

/// What a run comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Decision {
    /// Pass, blocked or invalid.
    pub verdict: RunVerdict,
    /// 0, 11 or 12; when both apply, 12.
    pub exit: u8,
    /// Whether this run may stand as a certificate.
    pub certifiable: bool,
    /// Why not; empty exactly when it may.
    pub why_not_certifiable: Vec<String>,
    /// The promotion mode in force.
    pub mode: Mode,
    /// Where the decision holds.
    pub lane: Lane,
    /// One row for each selected gate, by id.
    pub gates: Vec<Decided>,
    /// Faults of the run that are no gate's. Each of them blocks.
    pub faults: Vec<ErrorRecord>,
    /// The waivers.
    pub waiver_audit: WaiverAudit,
    /// What this change loosens; each blocks until it stands on the base, or an approval there names it.
    #[serde(default)]
    pub loosened: Vec<Loosening>,
    /// Gates that exist and were not selected, by id.
    pub not_selected: Vec<GateId>,
    /// Counts.
    pub summary: Summary,
}

impl Decision {
    /// Whether the trial of one gate is red: the gate blocks, nobody knows, or the run itself is at fault.
    #[must_use]
    pub fn refuses(&self, id: &GateId) -> bool {
        let blocks = self.gates.iter().any(|gate| gate.id == *id && gate.blocks);
        blocks || self.verdict == RunVerdict::Invalid || !self.faults.is_empty()
    }
}

/// What became of one gate. Its fields stand in the order of their keys in a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Decided {
    /// Where its artifact is published.
    pub artifact_path: Option<RelPath>,
    /// How many attempts left a receipt.
    pub attempts: u32,
    /// Its gate binary.
    pub binary: String,
    /// Whether it blocks in this lane, on this day, in this mode.
    pub blocking: bool,
    /// Whether it does block.
    pub blocks: bool,
    /// The code of what is wrong; absent on a pass and on an allowed skip.
    pub code: Option<String>,
    /// One sentence.
    pub detail: String,
    /// Wall time of the attempt that counts, in milliseconds.
    pub duration_ms: u64,
    /// What the decision makes of it.
    pub effective: Effective,
    /// Why there is no outcome of looking.
    #[serde(serialize_with = "through_tree")]
    pub error: Option<ErrorRecord>,
    /// How many things were looked at.
    pub examined: u64,
    /// The kept findings, waived ones included.
    #[serde(serialize_with = "list_through_tree")]
    pub findings: Vec<Finding>,
    /// How many there were.
    pub findings_total: u64,
    /// The gate.
    pub id: GateId,
    /// Where it is discussed.
    pub issue: Option<String>,
    /// Its kind, `rust` for one written in Rust.
    pub kind: String,
    /// The raw outcome of the attempt that counts; absent when there is no verdict.
    pub outcome: Option<Outcome>,
    /// Who answers for it.
    pub owner: String,
    /// Whether it would block, were it not for a rollback record.
    pub rollback_warning: bool,
    /// Why it did not look.
    #[serde(serialize_with = "through_tree")]
    pub skip: Option<Skip>,
    /// Its title.
    pub title: String,
    /// The waiver that covers it, or would.
    #[serde(serialize_with = "through_tree")]
    pub waiver: Option<WaiverNote>,
}

sorted!(Decided);

/// The waiver of a gate, as far as a reader of the verdict needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct WaiverNote {
    /// Who answers for it.
    pub owner: String,
    /// The last valid day.
    pub expires: Day,
    /// Where it is discussed.
    pub issue: String,
    /// Why.
    pub reason: String,
    /// Whether it covers this failure.
    pub covers: bool,
}

/// Counts over the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Summary {
    /// All rows.
    pub total_gates: usize,
    /// Effective status pass.
    pub passed: usize,
    /// Effective status warn.
    pub warned: usize,
    /// Fail, error, precluded, missing, crashed or pending approval.
    pub failed: usize,
    /// Effective status skip.
    pub skipped: usize,
    /// Effective status waived; not among the passed.
    pub waived: usize,
    /// Blocking gates that do not block.
    pub blocking_pass: usize,
    /// Blocking gates.
    pub blocking_total: usize,
    /// Whether no row blocks.
    pub all_blocking_pass: bool,
}

impl Summary {
    /// Counts the rows.
    #[must_use]
    pub fn of(rows: &[Decided]) -> Self {
        let mut summary = Self { total_gates: rows.len(), ..Self::default() };
        for row in rows {
            match row.effective {
                Effective::Pass => summary.passed += 1,
                Effective::Warn => summary.warned += 1,
                Effective::Waived => summary.waived += 1,
                Effective::Skip => summary.skipped += 1,
                Effective::PendingApproval
                | Effective::Fail
                | Effective::Precluded
                | Effective::Missing
                | Effective::Crashed
                | Effective::Error => summary.failed += 1,
            }
            summary.blocking_total += usize::from(row.blocking);
            summary.blocking_pass += usize::from(row.blocking && !row.blocks);
        }
        summary.all_blocking_pass = rows.iter().all(|row| !row.blocks);
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::artifact::assert_sorted;
    use serde_json::json;

    #[test]
    fn a_row_has_its_keys_in_order() {
        let mut row = json!({
            "id": "a", "kind": "rust", "title": "A", "owner": "o", "issue": null, "binary": "gate", "outcome": null,
            "effective": "missing", "blocking": true, "blocks": true, "code": null, "detail": "d", "examined": 0,
            "findings": [], "findings_total": 0, "error": null, "skip": null, "waiver": null, "rollback_warning": false,
            "attempts": 0, "artifact_path": null, "duration_ms": 0,
        });
        let read = |row: &serde_json::Value| -> Decided {
            serde_json::from_value(row.clone()).expect("a row")
        };
        assert_sorted(&read(&row));
        row["findings"] = json!([{
            "code": "c", "subject": "s", "location": { "path": "p", "line": 1, "column": 2 }, "message": "m",
            "expected": "e", "found": "f", "remedy": "r", "advisory": false, "fingerprint": "0123456789abcdef",
        }]);
        row["error"] = json!({ "code": "c", "message": "m", "remedy": "r", "chain": ["why"] });
        row["skip"] = json!({ "reason": "tool_missing", "detail": "d" });
        row["waiver"] = json!({ "owner": "o", "expires": "2026-05-31", "issue": "#1", "reason": "r", "covers": true });
        row["outcome"] = json!("fail");
        row["code"] = json!("c");
        assert_sorted(&read(&row));
        assert_eq!(serde_json::to_value(read(&row)).expect("a tree"), row);
    }
}
