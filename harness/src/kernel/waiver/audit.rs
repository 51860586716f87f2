//! The audit of all waivers: one row each, with what the calendar and the decision say of it.

use super::{CLIFF, Waiver, WaiverFile, WaiverState, not_yet_valid};
use crate::wire::{
    code::{
        Code, WAIVER_CLIFF, WAIVER_EXPIRED, WAIVER_EXPIRING, WAIVER_FILE_INVALID,
        WAIVER_NOT_ON_BASE, WAIVER_STALE,
    },
    fault::Fault,
    id::GateId,
    ordered::{VecMap, VecSet},
    outcome::Lane,
    receipt::ErrorRecord,
    time::Day,
};
use serde::Serialize;

/// What stands in the file, read or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct RawWaiver {
    /// The name behind `waiver.`, whatever it is.
    pub gate_id: String,
    /// Its line.
    pub line: u32,
}

/// What is said of a waiver. Ordered: a later value is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
#[serde(rename_all = "snake_case")]
pub enum WaiverStatus {
    /// It holds.
    Active,
    /// It ends within 14 days.
    ExpiringSoon,
    /// It has ended, and still covers for a few days.
    ExpiredGrace,
    /// It matches nothing any more.
    Stale,
    /// It exists on the head tree only.
    Pending,
    /// It has ended.
    Expired,
    /// It does not apply for a fault of its own.
    Invalid,
}

/// One row of `waiver_audit.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct WaiverRow {
    /// The waived gate.
    pub gate_id: GateId,
    /// What is said of it.
    pub status: WaiverStatus,
    /// Days until its last valid day; negative after it.
    pub days_remaining: i64,
    /// One sentence, with the way out.
    pub detail: String,
    /// Its line.
    pub line: u32,
    /// The last valid day.
    pub expires: Day,
    /// Who answers for it.
    pub owner: String,
    /// Where it is discussed.
    pub issue: String,
    /// The code of what is wrong.
    pub code: Option<String>,
    /// Whether it fails this lane.
    pub fails: bool,
}

/// `waiver_audit.json`, without its header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct WaiverAudit {
    /// How many waivers stand in the file.
    pub total_waivers: usize,
    /// How many hold, those that end soon not counted.
    pub active: usize,
    /// How many end within 14 days.
    pub expiring_soon: usize,
    /// How many have ended, in grace or not.
    pub expired: usize,
    /// How many match nothing.
    pub stale: usize,
    /// How many exist on the head tree only.
    pub pending: usize,
    /// How many do not apply for a fault of their own, or because the file is void.
    pub invalid: usize,
    /// One row for each waiver of a valid file, by gate.
    pub waivers: Vec<WaiverRow>,
    /// What stands in the file, valid or not.
    pub raw_waivers: Vec<RawWaiver>,
    /// Why the file is void.
    pub faults: Vec<ErrorRecord>,
    /// Days on which more than five waivers end.
    pub cliffs: Vec<ErrorRecord>,
}

/// What the decision knows of the waivers: on the base or not, used or not.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The day of the decision.
    pub today: Day,
    /// The lane.
    pub lane: Lane,
    /// Whether this change touches the waiver file.
    pub touched: bool,
    /// The waivers of the base, where a base is known.
    pub base: Option<&'a VecSet<GateId>>,
    /// The waivers that match nothing.
    pub stale: &'a VecSet<GateId>,
}

impl WaiverAudit {
    /// Audits a file.
    #[must_use]
    pub fn of(file: &WaiverFile, seen: &Seen<'_>) -> Self {
        let waivers: Vec<WaiverRow> =
            file.waivers.values().map(|waiver| row(waiver, seen)).collect();
        let count = |statuses: &[WaiverStatus]| {
            waivers.iter().filter(|row| statuses.contains(&row.status)).count()
        };
        Self {
            total_waivers: file.raw.len(),
            active: count(&[WaiverStatus::Active]),
            expiring_soon: count(&[WaiverStatus::ExpiringSoon]),
            expired: count(&[WaiverStatus::Expired, WaiverStatus::ExpiredGrace]),
            stale: count(&[WaiverStatus::Stale]),
            pending: count(&[WaiverStatus::Pending]),
            invalid: if file.is_valid() { count(&[WaiverStatus::Invalid]) } else { file.raw.len() },
            raw_waivers: file.raw.clone(),
            faults: file.faults.iter().map(ErrorRecord::from).collect(),
            cliffs: cliffs(file),
            waivers,
        }
    }
}

fn row(waiver: &Waiver, seen: &Seen<'_>) -> WaiverRow {
    let (status, code, detail) = judge(waiver, seen);
    let protected = seen.lane.is_protected();
    let fails = match status {
        WaiverStatus::Active | WaiverStatus::ExpiringSoon | WaiverStatus::ExpiredGrace => false,
        WaiverStatus::Stale => protected,
        WaiverStatus::Pending | WaiverStatus::Expired | WaiverStatus::Invalid => true,
    };
    WaiverRow {
        gate_id: waiver.gate_id.clone(),
        status,
        days_remaining: waiver.expires.days_since(seen.today),
        detail,
        line: waiver.location.line,
        expires: waiver.expires,
        owner: waiver.owner.clone(),
        issue: waiver.issue.clone(),
        code: code.map(|code| code.name().to_owned()),
        fails,
    }
}

fn judge(waiver: &Waiver, seen: &Seen<'_>) -> (WaiverStatus, Option<Code>, String) {
    let id = &waiver.gate_id;
    let renew = format!("fix the gate, or renew the waiver for `{id}` with its approver");
    if let Some(problem) = waiver.problem.clone().or_else(|| not_yet_valid(waiver, seen.today)) {
        return (
            WaiverStatus::Invalid,
            Some(problem.code()),
            format!("{}; {}", problem.headline(), problem.remedy()),
        );
    }
    let state = waiver.state(seen.today, seen.lane, seen.touched);
    if state == WaiverState::Expired {
        return (
            WaiverStatus::Expired,
            Some(WAIVER_EXPIRED),
            format!("ended on {}; {renew}", waiver.expires),
        );
    }
    let stale = seen.stale.contains(id);
    // A waiver that excuses nothing awaits no approval where it fails for being stale.
    if seen.base.is_some_and(|base| !base.contains(id)) && !(stale && seen.lane.is_protected()) {
        let detail = "exists only in this change, and needs an approval on the base".to_owned();
        return (WaiverStatus::Pending, Some(WAIVER_NOT_ON_BASE), detail);
    }
    if stale {
        let detail = format!("matches nothing any more; remove the table `[waiver.{id}]`");
        return (WaiverStatus::Stale, Some(WAIVER_STALE), detail);
    }
    match state {
        WaiverState::Grace => (
            WaiverStatus::ExpiredGrace,
            Some(WAIVER_EXPIRED),
            format!("ended on {}, in grace; {renew}", waiver.expires),
        ),
        WaiverState::Expiring => (
            WaiverStatus::ExpiringSoon,
            Some(WAIVER_EXPIRING),
            format!("ends after {}; {renew}", waiver.expires),
        ),
        WaiverState::Active | WaiverState::Expired | WaiverState::Invalid => {
            (WaiverStatus::Active, None, format!("holds until {}", waiver.expires))
        }
    }
}

fn cliffs(file: &WaiverFile) -> Vec<ErrorRecord> {
    let mut days: VecMap<Day, usize> = VecMap::new();
    for waiver in file.waivers.values() {
        *days.get_or_default(waiver.expires) += 1;
    }
    days.into_iter()
        .filter(|(_, n)| *n > CLIFF)
        .map(|(day, n)| {
            let fault = Fault::new(
                WAIVER_CLIFF,
                format!("{n} waivers end on {day}"),
                "spread their ends over several days",
            );
            ErrorRecord::from(&fault)
        })
        .collect()
}

/// What fails this lane, one text each: the faults of the file, then the rows.
#[must_use]
pub fn failing(audit: &WaiverAudit, lane: Lane) -> Vec<String> {
    let place = |record: &ErrorRecord| {
        record.location.as_ref().map_or_else(String::new, |place| format!("\n  --> {place}"))
    };
    let faults = audit.faults.iter().map(|record| {
        format!(
            "error[{}]: {}{}\n   = remedy: {}",
            record.code,
            record.message,
            place(record),
            record.remedy
        )
    });
    let rows = audit.waivers.iter().filter(|row| row.fails).map(|row| {
        let code = row.code.as_deref().unwrap_or(WAIVER_FILE_INVALID.name());
        format!(
            "error[{code}]: the waiver for `{}` {} (lane {lane}, line {})",
            row.gate_id, row.detail, row.line
        )
    });
    faults.chain(rows).collect()
}
