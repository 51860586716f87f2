//! One gate: from its receipts and its waiver to its effective status.

use super::{Attempts, Decided, Inputs, WaiverNote};
use crate::{
    kernel::{
        loosening::Loosening,
        policy::GateTable,
        receipt::{Receipt, ReceiptState, consistent},
        waiver::{Waiver, WaiverState},
    },
    wire::{
        code::{
            ATTEMPT_CONFLICT, ATTEMPT_FAILED, CENSUS_BINARY_MISSING, CENSUS_GATE_MISSING, Code,
            FINDING_NOT_WAIVED, GATE_IGNORED, NEED_UNSATISFIED, NOTHING_EXAMINED, POLICY_LOOSENED,
            RECEIPT_FOREIGN, RECEIPT_UNSEALED, RECEIPT_UNWRITABLE, SKIP_NOT_ALLOWED,
            WAIVER_EXPIRED, WAIVER_NOT_ON_BASE,
        },
        finding::Finding,
        id::GateId,
        ordered::{self, VecMap, VecSet},
        outcome::{Effective, Mode, Outcome, SkipReason},
        path::RelPath,
        receipt::{ErrorRecord, Verdict},
        text::joined,
    },
};

/// One row for each expected gate, by id, before needs are considered; and whether the evidence of all is whole.
///
/// A row shows one attempt. What another one left broken must not be hidden by it, so it is told beside the rows.
pub(super) fn rows(inputs: &Inputs<'_>, mode: Mode) -> (Vec<Decided>, bool) {
    let mut receipts: VecMap<&GateId, Vec<&Receipt>> = VecMap::new();
    for receipt in inputs.receipts {
        receipts.get_or_default(&receipt.gate_id).push(receipt);
    }
    let tables: VecMap<&GateId, &GateTable> =
        inputs.gates.iter().map(|gate| (&gate.common.id, *gate)).collect();
    let heard: VecSet<&str> = tables
        .values()
        .filter(|gate| receipts.contains_key(&gate.common.id))
        .map(|gate| gate.common.binary.as_str())
        .collect();
    let mut rows = Vec::new();
    let mut whole = true;
    for id in super::known(inputs) {
        if !inputs.selection.has(&id) && !inputs.selection.require_full {
            continue;
        }
        let mut row = match tables.get(&id) {
            Some(table) => empty(table, inputs, mode),
            None => gone(&id, inputs),
        };
        let attempts = receipts.get(&id).map_or(&[][..], Vec::as_slice);
        match tables.get(&id) {
            Some(table) if !attempts.is_empty() => {
                whole &= judge(&mut row, table, attempts, inputs);
            }
            Some(_) | None => {
                missing(&mut row, &heard);
                whole = false;
            }
        }
        rows.push(row);
    }
    (rows, whole)
}

/// What a change loosens waits for somebody else to agree; the stricter of base and head says whether it blocks.
///
/// A gate that only the base has gets a row, so that its removal is seen where gates are read. What was approved counts as
/// standing on the base: it stays in the list of what was loosened, and changes no row.
pub(super) fn await_approval(rows: &mut Vec<Decided>, inputs: &Inputs<'_>, mode: Mode) {
    let mut loosened: VecMap<&GateId, Vec<&Loosening>> = VecMap::new();
    for loosening in inputs.loosened.iter().filter(|loosening| loosening.is_pending()) {
        if let Some(gate) = loosening.gate.as_ref().filter(|gate| inputs.selection.has(gate)) {
            loosened.get_or_default(gate).push(loosening);
        }
    }
    for (id, loosenings) in loosened {
        let n = rows.binary_search_by(|row| row.id.cmp(id)).unwrap_or_else(|n| {
            // It left the policy, so nothing expects a receipt; the base did.
            let removed = Decided {
                effective: Effective::PendingApproval,
                blocking: false,
                ..gone(id, inputs)
            };
            rows.insert(n, removed);
            n
        });
        let row = &mut rows[n];
        let enforced = match mode {
            Mode::Strict | Mode::Rollback => true,
            Mode::Shadow => false,
        };
        row.blocking |= enforced
            && loosenings
                .iter()
                .any(|loosening| loosening.blocking && loosening.lanes.contains(&inputs.lane));
        if row.effective > Effective::PendingApproval {
            continue;
        }
        row.effective = Effective::PendingApproval;
        row.code = Some(POLICY_LOOSENED.name().to_owned());
        let clauses = joined(loosenings.iter().map(|loosening| loosening.clause()), "; ");
        row.detail = format!("this change loosens {clauses}");
    }
}

fn empty(table: &GateTable, inputs: &Inputs<'_>, mode: Mode) -> Decided {
    let common = &table.common;
    let enforced = common.enforce_from.is_none_or(|day| day <= inputs.clock.now.day());
    let here = common.lanes.contains(&inputs.lane);
    let mode_blocks = match mode {
        Mode::Strict | Mode::Rollback => true,
        Mode::Shadow => false,
    };
    Decided {
        id: common.id.clone(),
        kind: table.kind_name().to_owned(),
        title: common.title.clone(),
        owner: common.owner.clone(),
        issue: common.issue.clone(),
        binary: common.binary.clone(),
        outcome: None,
        effective: Effective::Missing,
        blocking: common.blocking && enforced && here && mode_blocks,
        blocks: false,
        code: None,
        detail: String::new(),
        examined: 0,
        findings: Vec::new(),
        findings_total: 0,
        error: None,
        skip: None,
        waiver: None,
        rollback_warning: false,
        attempts: 0,
        artifact_path: common.artifact_path.clone(),
        duration_ms: 0,
    }
}

/// A gate that only the census knows.
fn gone(id: &GateId, inputs: &Inputs<'_>) -> Decided {
    let row = inputs.census.row(id);
    let text = |part: Option<&String>| part.cloned().unwrap_or_default();
    Decided {
        id: id.clone(),
        kind: text(row.map(|row| &row.kind)),
        title: id.to_string(),
        owner: text(row.map(|row| &row.owner)),
        issue: None,
        binary: text(row.map(|row| &row.binary)),
        outcome: None,
        effective: Effective::Missing,
        blocking: row.is_none_or(|row| row.blocking),
        blocks: true,
        code: None,
        detail: String::new(),
        examined: 0,
        findings: Vec::new(),
        findings_total: 0,
        error: None,
        skip: None,
        waiver: None,
        rollback_warning: false,
        attempts: 0,
        artifact_path: None,
        duration_ms: 0,
    }
}

fn missing(row: &mut Decided, heard: &VecSet<&str>) {
    row.effective = Effective::Missing;
    // A binary that said nothing while others spoke was not built, not run, or has an empty `main`.
    if !heard.is_empty() && !heard.contains(row.binary.as_str()) {
        row.code = Some(CENSUS_BINARY_MISSING.name().to_owned());
        row.detail = format!("no gate of the gate binary `{}` left a receipt", row.binary);
    } else {
        row.code = Some(CENSUS_GATE_MISSING.name().to_owned());
        row.detail = "it is in the census and left no receipt".to_owned();
    }
}

pub(super) fn precluded(row: &mut Decided, need: &GateId) {
    row.effective = Effective::Precluded;
    row.code = Some(NEED_UNSATISFIED.name().to_owned());
    row.detail = format!("`{need}`, which it needs, did not pass");
}

/// What one attempt says, before waivers.
struct Said<'a> {
    effective: Effective,
    code: Option<String>,
    detail: String,
    verdict: Option<&'a Verdict>,
}

impl Said<'_> {
    /// Whether the attempt left evidence. One that crashed, is broken or absent has no verdict; one whose receipt
    /// could not be written has none that lasts.
    fn is_evident(&self) -> bool {
        self.verdict.is_some() && self.code.as_deref() != Some(RECEIPT_UNWRITABLE.name())
    }
}

/// Fills the row, and returns whether every attempt left evidence.
fn judge(row: &mut Decided, table: &GateTable, attempts: &[&Receipt], inputs: &Inputs<'_>) -> bool {
    let mut attempts = attempts.to_vec();
    ordered::sort_by(&mut attempts, |a, b| a.attempt.cmp(&b.attempt));
    let said = said(table, &attempts, inputs.attempts);
    row.attempts = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
    let passed_last = attempts.last().is_some_and(|receipt| {
        matches!(attempt(receipt, table).effective, Effective::Pass | Effective::Warn)
    });
    let waiver = inputs.waivers.waivers.get(&row.id);
    let covered = |said: &Said<'_>| {
        waiver.is_none_or(|waiver| said.verdict.is_none_or(|v| uncovered(v, waiver) == 0))
    };
    let whole = said.iter().all(Said::is_evident);
    // Every attempt counts: the worst decides. Of equal errors one about the evidence comes before one that a check
    // reported; of equal failures one that the waiver does not cover before one that it covers, else a retry would
    // hide what the first attempt found; then the latest is shown.
    let rank = |said: &Said<'_>| (said.effective, !said.is_evident(), !covered(said));
    let Some(worst) = said.into_iter().max_by_key(rank) else { return false };
    let verdict = worst.verdict;
    apply(row, worst);
    if row.effective == Effective::Fail && passed_last {
        row.code = Some(ATTEMPT_FAILED.name().to_owned());
        row.detail = format!("a later attempt passed, an earlier one failed: {}", row.detail);
    }
    if let Some(waiver) = waiver {
        waive(row, waiver, verdict, inputs);
    }
    whole
}

/// What each attempt says, and what their numbers say. `attempts` is sorted by number.
fn said<'a>(table: &GateTable, attempts: &[&'a Receipt], whose: Attempts) -> Vec<Said<'a>> {
    let mut said = Vec::with_capacity(attempts.len());
    let mut next = 1;
    for receipt in attempts {
        if receipt.attempt > next && whose == Attempts::Everybodys {
            // Attempts count from 1 without a gap, so that deleting a failure does not leave a clean retry.
            said.push(plain(
                Effective::Missing,
                CENSUS_GATE_MISSING,
                format!("attempt {next} left no receipt, and attempt {} did", receipt.attempt),
            ));
        }
        said.push(attempt(receipt, table));
        if receipt.attempt < next {
            let code = ATTEMPT_CONFLICT;
            let detail = format!("attempt {} has two receipts", receipt.attempt);
            said.push(plain(Effective::Error, code, detail));
        }
        next = receipt.attempt.saturating_add(1);
    }
    said
}

fn plain<'a>(effective: Effective, code: Code, detail: String) -> Said<'a> {
    Said { effective, code: Some(code.name().to_owned()), detail, verdict: None }
}

fn apply(row: &mut Decided, said: Said<'_>) {
    row.effective = said.effective;
    row.code = said.code;
    row.detail = said.detail;
    if let Some(verdict) = said.verdict {
        row.outcome = Some(verdict.outcome);
        row.examined = verdict.examined;
        row.findings.clone_from(&verdict.findings);
        row.findings_total = verdict.findings_total;
        row.error.clone_from(&verdict.error);
        row.skip.clone_from(&verdict.skip);
        row.duration_ms = verdict.duration_ms;
        if row.artifact_path.is_none() {
            row.artifact_path = first_artifact(verdict);
        }
    }
}

/// The first artifact of an attempt, as a path below the run directory.
fn first_artifact(verdict: &Verdict) -> Option<RelPath> {
    let name = &verdict.artifacts.first()?.path;
    RelPath::parse(&format!("gates/{}/attempt-{}/{name}", verdict.gate_id, verdict.attempt)).ok()
}

fn attempt<'a>(receipt: &'a Receipt, table: &GateTable) -> Said<'a> {
    match &receipt.state {
        ReceiptState::Broken { code, detail } => plain(Effective::Error, *code, detail.clone()),
        ReceiptState::Unsealed(started) => plain(
            Effective::Crashed,
            RECEIPT_UNSEALED,
            format!(
                "attempt {} started (process {}) and never finished",
                started.attempt, started.pid
            ),
        ),
        ReceiptState::Complete(_, verdict) if verdict.policy_digest != table.digest() => plain(
            Effective::Error,
            RECEIPT_FOREIGN,
            "the receipt was written under another policy table".to_owned(),
        ),
        ReceiptState::Complete(_, verdict)
            if (verdict.kind.as_str(), verdict.binary.as_str())
                != (table.kind_name(), table.common.binary.as_str())
                || (&verdict.gate_id, verdict.attempt) != (&receipt.gate_id, receipt.attempt) =>
        {
            plain(
                Effective::Error,
                RECEIPT_FOREIGN,
                "the receipt was written for another gate, kind, attempt or gate binary".to_owned(),
            )
        }
        ReceiptState::Complete(_, verdict) => match consistent(verdict) {
            Ok(()) => looked(verdict, table),
            Err((code, detail)) => plain(Effective::Error, code, detail),
        },
    }
}

fn looked<'a>(verdict: &'a Verdict, table: &GateTable) -> Said<'a> {
    let said = |effective, code: Option<&str>, detail: String| Said {
        effective,
        code: code.map(str::to_owned),
        detail,
        verdict: Some(verdict),
    };
    match verdict.outcome {
        Outcome::Pass | Outcome::Warn
            if verdict.examined == 0 && table.common.allow_empty.is_none() =>
        {
            said(
                Effective::Error,
                Some(NOTHING_EXAMINED.name()),
                "the check looked at nothing".to_owned(),
            )
        }
        Outcome::Pass => said(Effective::Pass, None, format!("{} examined", verdict.examined)),
        Outcome::Warn => said(Effective::Warn, first_code(&verdict.findings), findings(verdict)),
        Outcome::Fail => said(Effective::Fail, first_code(&verdict.findings), findings(verdict)),
        Outcome::Skip => skipped(verdict, table),
        Outcome::Error => {
            let unknown = ErrorRecord {
                code: NOTHING_EXAMINED.name().to_owned(),
                message: "an error without a record".to_owned(),
                location: None,
                chain: Vec::new(),
                expected: None,
                found: None,
                remedy: String::new(),
            };
            let error = verdict.error.as_ref().unwrap_or(&unknown);
            said(Effective::Error, Some(&error.code), error.message.clone())
        }
    }
}

fn skipped<'a>(verdict: &'a Verdict, table: &GateTable) -> Said<'a> {
    let (reason, detail) = match &verdict.skip {
        Some(skip) => (skip.reason, skip.detail.as_str()),
        None => (SkipReason::Ignored, "no reason was recorded"),
    };
    let code = match reason {
        // No policy can allow it: the attribute stands in the code, not in the policy.
        SkipReason::Ignored => Some(GATE_IGNORED),
        SkipReason::ToolMissing
        | SkipReason::Platform
        | SkipReason::FeatureOff
        | SkipReason::NotApplicable
        | SkipReason::Phase => {
            (!table.common.allow_skip.contains(&reason)).then_some(SKIP_NOT_ALLOWED)
        }
    };
    Said {
        effective: Effective::Skip,
        code: code.map(|code| code.name().to_owned()),
        detail: format!("{reason}: {detail}"),
        verdict: Some(verdict),
    }
}

fn first_code(findings: &[Finding]) -> Option<&str> {
    let violation = findings.iter().find(|finding| !finding.advisory);
    violation.or(findings.first()).map(|finding| finding.code.as_str())
}

fn findings(verdict: &Verdict) -> String {
    let first =
        verdict.findings.iter().find(|finding| !finding.advisory).or(verdict.findings.first());
    let message = first.map_or("", |finding| finding.message.as_str());
    match verdict.findings_total {
        0 | 1 => message.to_owned(),
        n => format!("{message}, and {} more", n - 1),
    }
}

/// A waiver turns a failure into `waived`, and nothing else into anything.
fn waive(row: &mut Decided, waiver: &Waiver, verdict: Option<&Verdict>, inputs: &Inputs<'_>) {
    if !waiver.scope.covers(inputs.scope) {
        return;
    }
    let state = waiver.state(inputs.clock.now.day(), inputs.lane, inputs.touched_waivers);
    let on_base = inputs.base_waivers.is_none_or(|base| base.contains(&waiver.gate_id));
    let uncovered = verdict.map_or(0, |verdict| uncovered(verdict, waiver));
    let holds = match state {
        WaiverState::Active | WaiverState::Expiring | WaiverState::Grace => true,
        WaiverState::Expired | WaiverState::Invalid => false,
    };
    let fails = row.effective == Effective::Fail;
    row.waiver = Some(WaiverNote {
        owner: waiver.owner.clone(),
        expires: waiver.expires,
        issue: waiver.issue.clone(),
        reason: waiver.reason.clone(),
        covers: fails && holds && uncovered == 0 && on_base,
    });
    if !fails {
        return;
    }
    if state == WaiverState::Expired {
        row.code = Some(WAIVER_EXPIRED.name().to_owned());
        row.detail = format!("its waiver ended on {}: {}", waiver.expires, row.detail);
    } else if !holds {
        row.detail = format!("its waiver is not valid: {}", row.detail);
    } else if uncovered > 0 {
        row.code = Some(FINDING_NOT_WAIVED.name().to_owned());
        row.detail = format!(
            "its waiver does not cover {uncovered} of {} findings: {}",
            row.findings_total, row.detail
        );
    } else if on_base {
        row.effective = Effective::Waived;
        row.detail = format!(
            "waived until {} by {} ({}): {}",
            waiver.expires, waiver.owner, waiver.issue, row.detail
        );
    } else {
        row.effective = Effective::PendingApproval;
        row.code = Some(WAIVER_NOT_ON_BASE.name().to_owned());
        row.detail =
            format!("its waiver, as it stands, exists only in this change: {}", row.detail);
    }
}

/// How many violations the waiver does not name. Those that the receipt did not keep are not covered by a list.
fn uncovered(verdict: &Verdict, waiver: &Waiver) -> u64 {
    let Some(prints) = &waiver.fingerprints else { return 0 };
    let kept = verdict
        .findings
        .iter()
        .filter(|finding| !finding.advisory && !prints.contains(&finding.fingerprint))
        .count();
    let lost = verdict.findings_total.saturating_sub(verdict.findings.len() as u64);
    kept as u64 + lost
}
