//! The decision: policy, census, receipts, waivers and clock in; one verdict out. Pure, and the only place that decides.
//!
//! The rules are those of `semantics.md`, sections 2 to 10. Rendering never influences it, and the order of the
//! receipts does not matter.

#[cfg(test)]
mod bench;
mod gate;
mod outline;
#[cfg(test)]
mod removal;
#[cfg(test)]
mod tests;

pub use outline::{Decided, Decision, Summary, WaiverNote};

use super::{
    census::Census,
    loosening::Loosening,
    policy::{GateTable, Policy},
    promotion,
    receipt::Receipt,
    waiver::{WaiverAudit, WaiverFile, WaiverScope, WaiverStatus},
};
use crate::wire::{
    code::{
        ATTEMPT_CONFLICT, CENSUS_BINARY_MISSING, CENSUS_GATE_MISSING, Code, DEADLINE_EXCEEDED,
        DIGEST_MISMATCH, ENGINE_FAILED, FILE_UNHASHED, LATEST_STALE, LINK_REFUSED, LOST_COVERAGE,
        RECEIPT_FOREIGN, RECEIPT_INVALID, RECEIPT_UNSEALED, RECEIPT_UNWRITABLE,
        RECEIPT_WITHOUT_START, REGISTRY_EMPTY, RESULT_INCOMPLETE, RESULT_INCONSISTENT,
        RESULT_RUN_MISMATCH, RUN_INTERRUPTED, RUN_UNREADABLE, RUN_UNSEALED, SCHEMA_UNSUPPORTED,
        SHADOW_EXPIRED, STATUS_UNKNOWN, STRAY_PANIC, SUBJECT_MISMATCH, WAIVER_FILE_INVALID,
        WAIVER_NOT_WAIVABLE,
    },
    fault::Fault,
    id::GateId,
    ordered::{self, VecMap, VecSet},
    outcome::{Effective, Lane, Mode, RunVerdict},
    receipt::{Clock, ErrorRecord},
};

/// Which gates a run was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The selected gates; `None` for all.
    pub selected: Option<VecSet<GateId>>,
    /// Whether a gate that was not selected counts as missing.
    pub require_full: bool,
    /// How many tests were planned beside the gates. A run of tests alone has no gate to decide on.
    pub tests: u64,
    /// Why a runner knows that this run may not certify, whatever its gates say.
    pub reserved: Vec<String>,
}

impl Selection {
    /// Every gate.
    #[must_use]
    pub fn all() -> Self {
        Self { selected: None, require_full: true, ..Self::default() }
    }

    fn has(&self, id: &GateId) -> bool {
        self.selected.as_ref().is_none_or(|selected| selected.contains(id))
    }
}

/// Whose attempts the receipts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// Everybody's: the numbers of a gate's attempts have no gap.
    Everybodys,
    /// Those of one process among several that share a run: other processes have the other numbers.
    OneProcess,
}

/// Everything the decision looks at.
pub struct Inputs<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The gates that are configured or linked, in any order.
    pub gates: &'a [&'a GateTable],
    /// The committed roster.
    pub census: &'a Census,
    /// Why the census could not be read, if so.
    pub census_faults: &'a [Fault],
    /// Where the decision holds.
    pub lane: Lane,
    /// What the run was asked for.
    pub selection: &'a Selection,
    /// Every receipt of the run, in any order.
    pub receipts: &'a [&'a Receipt],
    /// Whose receipts they are.
    pub attempts: Attempts,
    /// The waivers.
    pub waivers: &'a WaiverFile,
    /// Full suite or preflight.
    pub scope: WaiverScope,
    /// Whether this change touches the waiver file; unknown counts as touched.
    pub touched_waivers: bool,
    /// The gates whose waiver stands on the base as wide as here, where a base is known.
    pub base_waivers: Option<&'a VecSet<GateId>>,
    /// What this change loosens; nothing where no base is known.
    pub loosened: &'a [Loosening],
    /// The promotion mode that was asked for from outside.
    pub requested_mode: Option<&'a str>,
    /// The one clock reading.
    pub clock: &'a Clock,
    /// Faults of the run that concern no single gate.
    pub run_faults: &'a [Fault],
    /// Whether the work tree differs from the commit; unknown counts as dirty.
    pub source_dirty: bool,
}

/// Codes that say "the evidence is broken": nobody knows, so the run is `invalid`.
const BROKEN_EVIDENCE: &[Code] = &[
    ATTEMPT_CONFLICT,
    CENSUS_BINARY_MISSING,
    CENSUS_GATE_MISSING,
    DEADLINE_EXCEEDED,
    DIGEST_MISMATCH,
    ENGINE_FAILED,
    FILE_UNHASHED,
    LATEST_STALE,
    LINK_REFUSED,
    LOST_COVERAGE,
    RECEIPT_FOREIGN,
    RECEIPT_INVALID,
    RECEIPT_UNSEALED,
    RECEIPT_UNWRITABLE,
    RECEIPT_WITHOUT_START,
    REGISTRY_EMPTY,
    RESULT_INCOMPLETE,
    RESULT_INCONSISTENT,
    RESULT_RUN_MISMATCH,
    RUN_INTERRUPTED,
    RUN_UNREADABLE,
    RUN_UNSEALED,
    SCHEMA_UNSUPPORTED,
    STATUS_UNKNOWN,
    // Of the run, not of a gate: nobody knows which gate passed because of it.
    STRAY_PANIC,
    // The evidence is sound, and says nothing about the commit that it would be read for.
    SUBJECT_MISMATCH,
];
const EXIT_BLOCKED: u8 = 11;
const EXIT_INVALID: u8 = 12;

/// Decides a run.
#[must_use]
pub fn decide(inputs: &Inputs<'_>) -> Decision {
    let whole = inputs.selection.selected.is_none() || inputs.selection.require_full;
    let (mode, mode_faults) =
        promotion::resolve(&inputs.policy.promotion, inputs.requested_mode, inputs.clock.now);
    let (mut rows, whole_evidence) = gate::rows(inputs, mode);
    gate::await_approval(&mut rows, inputs, mode);
    preclude(&mut rows, inputs.gates);
    for row in &mut rows {
        settle(row, mode);
    }
    let stale = stale(inputs, &rows);
    let audit = WaiverAudit::of(
        inputs.waivers,
        &super::waiver::Seen {
            today: inputs.clock.now.day(),
            lane: inputs.lane,
            touched: inputs.touched_waivers,
            base: inputs.base_waivers,
            stale: &stale,
        },
    );
    let mut faults: Vec<ErrorRecord> = inputs.run_faults.iter().map(ErrorRecord::from).collect();
    let actual = Census::of(inputs.gates.iter().copied());
    if inputs.census_faults.is_empty() {
        faults.extend(inputs.census.compare(&actual).iter().map(ErrorRecord::from));
    }
    faults.extend(strangers(inputs));
    let no_gate_wanted = inputs.selection.tests > 0
        && inputs.selection.selected.as_ref().is_some_and(VecSet::is_empty);
    if rows.is_empty() && !no_gate_wanted {
        let headline = "there is no gate to decide on";
        let remedy = "add a `[[gate]]` table, or correct the selection";
        faults.push(ErrorRecord::from(&Fault::new(REGISTRY_EMPTY, headline, remedy)));
    }
    if whole {
        // One gate that runs alone is judged alone; who claims that all were judged needs the whole census.
        faults.extend(inputs.census_faults.iter().map(ErrorRecord::from));
        let blocking = mode_faults.iter().filter(|fault| fault.code() != SHADOW_EXPIRED);
        faults.extend(blocking.map(ErrorRecord::from));
        faults.extend(waiver_faults(&audit, &rows));
        let everybodys = inputs
            .loosened
            .iter()
            .filter(|loosening| loosening.gate.is_none() && loosening.is_pending());
        faults.extend(everybodys.map(Loosening::fault));
    }
    conclude(inputs, Parts { mode, mode_faults, rows, whole_evidence, audit, faults })
}

/// Receipts of gates that nobody expects: they are of another policy, or of another run.
fn strangers(inputs: &Inputs<'_>) -> Vec<ErrorRecord> {
    let known = known(inputs);
    let ids: VecSet<&GateId> = inputs.receipts.iter().map(|receipt| &receipt.gate_id).collect();
    let fault = |id: &&GateId| {
        let headline = format!("a receipt belongs to `{id}`, which is no gate of this policy");
        let remedy = "decide with the policy of the run, and run in a fresh run directory";
        ErrorRecord::from(&Fault::new(RECEIPT_FOREIGN, headline, remedy))
    };
    ids.iter().filter(|id| !known.contains(**id)).map(fault).collect()
}

struct Parts {
    mode: Mode,
    mode_faults: Vec<Fault>,
    rows: Vec<Decided>,
    whole_evidence: bool,
    audit: WaiverAudit,
    faults: Vec<ErrorRecord>,
}

fn conclude(inputs: &Inputs<'_>, parts: Parts) -> Decision {
    let Parts { mode, mode_faults, rows, whole_evidence, audit, faults } = parts;
    let broken = |code: &str| BROKEN_EVIDENCE.iter().any(|broken| broken.name() == code);
    // An error that a check itself reported blocks; an attempt without evidence means that nobody knows.
    let verdict = if !whole_evidence || faults.iter().any(|fault| broken(&fault.code)) {
        RunVerdict::Invalid
    } else if rows.iter().any(|row| row.blocks) || !faults.is_empty() {
        RunVerdict::Blocked
    } else {
        RunVerdict::Pass
    };
    let exit = match verdict {
        RunVerdict::Pass => 0,
        RunVerdict::Blocked => EXIT_BLOCKED,
        RunVerdict::Invalid => EXIT_INVALID,
    };
    let not_selected: Vec<GateId> =
        known(inputs).into_iter().filter(|id| !inputs.selection.has(id)).collect();
    let why = why_not_certifiable(inputs, verdict, mode, &mode_faults, &rows);
    Decision {
        verdict,
        exit,
        certifiable: why.is_empty(),
        why_not_certifiable: why,
        mode,
        lane: inputs.lane,
        summary: Summary::of(&rows),
        gates: rows,
        faults,
        waiver_audit: audit,
        loosened: inputs.loosened.to_vec(),
        not_selected,
    }
}

/// Every gate that anybody expects.
fn known(inputs: &Inputs<'_>) -> VecSet<GateId> {
    let configured = inputs.gates.iter().map(|gate| gate.common.id.clone());
    configured.chain(inputs.census.rows.iter().map(|row| row.id.clone())).collect()
}

fn why_not_certifiable(
    inputs: &Inputs<'_>,
    verdict: RunVerdict,
    mode: Mode,
    mode_faults: &[Fault],
    rows: &[Decided],
) -> Vec<String> {
    let mut why = Vec::new();
    match verdict {
        RunVerdict::Pass => {}
        RunVerdict::Blocked | RunVerdict::Invalid => why.push(format!("the verdict is {verdict}")),
    }
    if inputs.selection.selected.is_some() {
        why.push("only some gates were selected".to_owned());
    }
    why.extend(inputs.selection.reserved.iter().cloned());
    if rows.is_empty() {
        why.push("there is no gate".to_owned());
    }
    match mode {
        Mode::Strict => {}
        Mode::Shadow | Mode::Rollback => why.push(format!("the mode is {mode}")),
    }
    why.extend(mode_faults.iter().map(|fault| fault.headline().to_owned()));
    if inputs.source_dirty {
        why.push("the work tree differs from the commit, or there is no commit".to_owned());
    }
    if inputs.clock.past_allowed {
        why.push("the clock may have been set into the past".to_owned());
    }
    why
}

/// A gate whose need did not pass cannot pass. Waived needs were accepted; everything else was not.
fn preclude(rows: &mut [Decided], gates: &[&GateTable]) {
    let position: VecMap<GateId, usize> =
        rows.iter().enumerate().map(|(n, row)| (row.id.clone(), n)).collect();
    let mut dependents: VecMap<&GateId, Vec<usize>> = VecMap::new();
    let mut unmet: Vec<(usize, &GateId)> = Vec::new();
    for gate in gates {
        let Some(n) = position.get(&gate.common.id) else { continue };
        for need in &gate.common.needs {
            dependents.get_or_default(need).push(*n);
            if !position.get(need).is_some_and(|m| satisfies(rows[*m].effective)) {
                unmet.push((*n, need));
            }
        }
    }
    // Taken from the end, so the first need in order is the one that is named. Each gate is precluded once, so the
    // work grows with the number of needs and not with its square.
    ordered::sort_by(&mut unmet, |a, b| b.cmp(a));
    while let Some((n, need)) = unmet.pop() {
        if rows[n].effective >= Effective::Precluded {
            continue;
        }
        gate::precluded(&mut rows[n], need);
        let Some((id, _)) = dependents.get_key_value(&rows[n].id) else { continue };
        unmet.extend(dependents.get(*id).into_iter().flatten().map(|m| (*m, *id)));
    }
}

fn satisfies(effective: Effective) -> bool {
    match effective {
        Effective::Pass | Effective::Warn | Effective::Waived => true,
        Effective::Skip
        | Effective::PendingApproval
        | Effective::Fail
        | Effective::Precluded
        | Effective::Missing
        | Effective::Crashed
        | Effective::Error => false,
    }
}

/// Whether a row blocks, once its status stands.
fn settle(row: &mut Decided, mode: Mode) {
    let would = match row.effective {
        Effective::Pass | Effective::Warn | Effective::Waived => false,
        // No flag makes it harmless that nobody knows.
        Effective::Error | Effective::Crashed | Effective::Missing => true,
        Effective::Fail | Effective::Precluded | Effective::PendingApproval => row.blocking,
        Effective::Skip => row.blocking && row.code.is_some(),
    };
    row.rollback_warning = would && mode == Mode::Rollback && row.effective == Effective::Fail;
    row.blocks = would && !row.rollback_warning;
}

/// The waivers that match nothing: their gate passes, or none of its findings is theirs.
fn stale(inputs: &Inputs<'_>, rows: &[Decided]) -> VecSet<GateId> {
    let mut stale = VecSet::new();
    for waiver in inputs.waivers.waivers.values() {
        let Some(row) = rows.iter().find(|row| row.id == waiver.gate_id) else { continue };
        let matches =
            |print: &String| row.findings.iter().any(|finding| finding.fingerprint == *print);
        let unused = match row.effective {
            Effective::Pass | Effective::Warn => true,
            Effective::Fail | Effective::Waived | Effective::PendingApproval => {
                let all_kept = row.findings_total <= row.findings.len() as u64;
                let prints = waiver.fingerprints.as_ref();
                all_kept && prints.is_some_and(|prints| !prints.iter().any(matches))
            }
            Effective::Skip
            | Effective::Precluded
            | Effective::Missing
            | Effective::Crashed
            | Effective::Error => false,
        };
        if unused && waiver.scope.covers(inputs.scope) {
            stale.insert(waiver.gate_id.clone());
        }
    }
    stale
}

fn waiver_faults(audit: &WaiverAudit, rows: &[Decided]) -> Vec<ErrorRecord> {
    let mut faults = audit.faults.clone();
    if !faults.is_empty() && !faults.iter().any(|fault| fault.code == WAIVER_FILE_INVALID.name()) {
        let fault = Fault::new(
            WAIVER_FILE_INVALID,
            "the waiver file is not valid, so no waiver applies",
            "mend every fault that is named beside this one",
        );
        faults.insert(0, ErrorRecord::from(&fault));
    }
    // What has expired or is pending shows as the status of its gate; what matches nothing shows nowhere else.
    for row in &audit.waivers {
        let shown = match row.status {
            WaiverStatus::Stale | WaiverStatus::Invalid | WaiverStatus::Expired => row.fails,
            WaiverStatus::Active
            | WaiverStatus::ExpiringSoon
            | WaiverStatus::ExpiredGrace
            | WaiverStatus::Pending => false,
        };
        if shown {
            faults.push(ErrorRecord {
                code: row.code.clone().unwrap_or_default(),
                message: format!("the waiver for `{}` {}", row.gate_id, row.detail),
                location: None,
                chain: Vec::new(),
                expected: None,
                found: None,
                remedy: "renew it, mend the gate, or remove the waiver".to_owned(),
            });
        }
        let unwaivable = rows.iter().any(|gate| {
            gate.id == row.gate_id
                && matches!(
                    gate.effective,
                    Effective::Error | Effective::Crashed | Effective::Missing
                )
        });
        if unwaivable {
            let fault = Fault::new(
                WAIVER_NOT_WAIVABLE,
                format!(
                    "a waiver stands on `{}`, which could not look; that cannot be waived",
                    row.gate_id
                ),
                "mend the gate, then see whether the waiver is still needed",
            );
            faults.push(ErrorRecord::from(&fault));
        }
    }
    faults
}
