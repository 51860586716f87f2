//! Waivers: owned, dated acceptances of red gates, under two clocks (`semantics.md`, section 6).
//!
//! Structural faults (a commit caused them) and temporal ones (the calendar did) are kept apart. Whether a
//! waiver matches anything is not known here; the decision says so.

mod audit;
#[cfg(test)]
mod tests;

pub use audit::{RawWaiver, Seen, WaiverAudit, WaiverRow, WaiverStatus, failing};

use super::{
    approval::ApprovalFile,
    document::{self, Codes, Keys, Source, Table},
    policy::GateTable,
};
use crate::wire::{
    code::{
        WAIVER_FILE_INVALID, WAIVER_NOT_WAIVABLE, WAIVER_NOT_YET_VALID, WAIVER_SPAN_EXCEEDED,
        WAIVER_UNKNOWN_GATE,
    },
    fault::{Fault, Location},
    id::GateId,
    ordered::{VecMap, VecSet},
    outcome::Lane,
    time::Day,
};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How many days a waiver lasts at most, and how many each renewal adds.
pub const SPAN_DAYS: i64 = 30;
/// How often a waiver may be renewed.
pub const RENEWALS_MAX: u32 = 2;
/// From how many days before its end a waiver warns.
pub const WARN_DAYS: i64 = 14;
/// How many days an unrelated pull request has after the end.
pub const GRACE_DAYS: i64 = 7;
/// More waivers than this ending on one day are a cliff.
pub const CLIFF: usize = 5;
const REASON_CHARS: usize = 20;
const CODES: Codes = Codes { invalid: WAIVER_FILE_INVALID, unknown: WAIVER_FILE_INVALID };

/// Where a waiver applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaiverScope {
    /// In the full suite.
    Full,
    /// In the preflight.
    Preflight,
    /// In both.
    Both,
}

impl WaiverScope {
    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "full" => Some(Self::Full),
            "preflight" => Some(Self::Preflight),
            "both" => Some(Self::Both),
            _ => None,
        }
    }

    /// Whether a waiver of this scope applies in a run of `other`.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self == Self::Both || self == other
    }
}

/// One waiver, well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The waived gate.
    pub gate_id: GateId,
    /// Who answers for it.
    pub owner: String,
    /// The first day.
    pub created: Day,
    /// The last valid day.
    pub expires: Day,
    /// Where it is discussed.
    pub issue: String,
    /// Why.
    pub reason: String,
    /// Where it applies.
    pub scope: WaiverScope,
    /// What ends the need for it.
    pub remove_when: String,
    /// The findings it covers; all, where absent.
    pub fingerprints: Option<VecSet<String>>,
    /// Who agreed.
    pub approved_by: Option<String>,
    /// How often it was renewed.
    pub renewals: u32,
    /// Where it stands.
    pub location: Location,
    /// Why it does not apply although the file is valid.
    pub problem: Option<Fault>,
}

/// What the calendar says of a waiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaiverState {
    /// It holds.
    Active,
    /// It holds, and ends within 14 days.
    Expiring,
    /// It has ended and still covers, loudly.
    Grace,
    /// It has ended.
    Expired,
    /// It does not apply for a fault of its own.
    Invalid,
}

impl Waiver {
    /// What the calendar says on `today`. `touched` is whether this change touches the waiver file or the waived paths.
    #[must_use]
    pub fn state(&self, today: Day, lane: Lane, touched: bool) -> WaiverState {
        let left = self.expires.days_since(today);
        if self.problem.is_some() || today < self.created {
            return WaiverState::Invalid;
        }
        match (left, lane) {
            (WARN_DAYS.., _) if left > WARN_DAYS => WaiverState::Active,
            (0.., _) => WaiverState::Expiring,
            // A developer's machine never fails on the calendar.
            (_, Lane::Local) => WaiverState::Grace,
            (_, Lane::Pr) if -left <= GRACE_DAYS && !touched => WaiverState::Grace,
            (_, Lane::Pr | Lane::Main | Lane::Release) => WaiverState::Expired,
        }
    }
}

/// The waivers of a file, or why none of them applies.
#[derive(Clone, Debug, Default)]
pub struct WaiverFile {
    /// The path, for messages.
    pub path: String,
    /// The waivers by gate; empty when the file is void.
    pub waivers: VecMap<GateId, Waiver>,
    /// What stands in the file, read or not, for the audit.
    pub raw: Vec<RawWaiver>,
    /// Why the file is void. One of them is enough, and then no waiver applies.
    pub faults: Vec<Fault>,
}

impl WaiverFile {
    /// Reads the `[waiver.*]` tables; `[suite]`, `[quarantine]` and `[approval]` are known and left to others. An approval that
    /// is not valid makes the file void like any other entry.
    ///
    /// `gates` are all gates that exist, `guards` those that guard the waivers and cannot be waived.
    #[must_use]
    pub fn parse(path: &str, text: &str, gates: &VecSet<GateId>, guards: &VecSet<GateId>) -> Self {
        let (source, root, mut faults) = document::read(path, text, Some(WAIVER_FILE_INVALID));
        let mut keys = Keys::new(&source, &root, 0..0, "the file", CODES, &mut faults);
        let section = keys.table("waiver");
        keys.leave(&["suite", "quarantine", "approval"]);
        keys.finish();
        let mut file = Self { path: path.to_owned(), ..Self::default() };
        if let Some((table, _)) = section {
            for (name, entry) in table {
                let span = entry.value.span();
                file.raw.push(RawWaiver {
                    gate_id: name.clone(),
                    line: source.locate(entry.key.start).line,
                });
                let Some(body) = entry.value.get_ref().as_table() else {
                    faults.push(
                        Fault::new(
                            WAIVER_FILE_INVALID,
                            format!("`[waiver.{name}]` is not a table"),
                            "write its seven fields",
                        )
                        .at(source.locate(span.start)),
                    );
                    continue;
                };
                let place = source.locate(entry.key.start);
                if let Some(waiver) =
                    read(&source, body, (name, span, place), gates, guards, &mut faults)
                {
                    file.waivers.insert(waiver.gate_id.clone(), waiver);
                }
            }
        }
        if faults.is_empty() {
            faults = ApprovalFile::parse(path, text).faults;
        }
        if !faults.is_empty() {
            // One bad entry and none applies: nobody can say which one its author meant.
            file.waivers.clear();
        }
        file.faults = faults;
        file
    }

    /// The waivers of these gates in a file whose other gates may be unknown here; none where it does not parse.
    fn parse_known(path: &str, text: &str, ids: &VecSet<GateId>) -> VecMap<GateId, Waiver> {
        let (_, root, _) = document::read(path, text, Some(WAIVER_FILE_INVALID));
        let names = root.get("waiver").and_then(|entry| entry.value.get_ref().as_table());
        let others = names.into_iter().flat_map(|table| table.keys());
        let known = others.filter_map(|name| GateId::parse(name).ok()).chain(ids.iter().cloned());
        Self::parse(path, text, &known.collect(), &VecSet::new()).waivers
    }

    /// Whether its waivers apply.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }
}

type Head<'a> = (&'a str, Range<usize>, Location);

fn read(
    source: &Source,
    table: &Table,
    (name, span, location): Head<'_>,
    gates: &VecSet<GateId>,
    guards: &VecSet<GateId>,
    faults: &mut Vec<Fault>,
) -> Option<Waiver> {
    let gate_id = gate(name, &location, gates, guards, faults);
    let mut keys = Keys::new(source, table, span, format!("`[waiver.{name}]`"), CODES, faults);
    let owner = keys.text("owner");
    let owner = keys.required("owner", owner);
    let created = keys.day("created");
    let created = keys.required("created", created);
    let expires = keys.day("expires");
    let expires = keys.required("expires", expires);
    let issue = keys.text("issue");
    let issue = keys.required("issue", issue);
    let reason = keys.parsed("reason", "a reason of at least 20 characters", |text| {
        (text.trim().chars().count() >= REASON_CHARS).then(|| text.to_owned())
    });
    let reason = keys.required("reason", reason);
    let scope = keys.parsed("scope", "`full`, `preflight` or `both`", WaiverScope::parse);
    let scope = keys.required("scope", scope);
    let remove_when = keys.text("remove_when");
    let remove_when = keys.required("remove_when", remove_when);
    let fingerprints = keys.list("fingerprints", "a fingerprint of 16 hex digits", fingerprint);
    if fingerprints.as_ref().is_some_and(Vec::is_empty) {
        keys.wrong(
            "fingerprints",
            "an empty list of fingerprints waives nothing",
            "list the findings, or remove the key",
        );
    }
    let approved_by = keys.text("approved_by");
    let renewals = keys.whole("renewals", RENEWALS_MAX).unwrap_or(0);
    if let (Some(created), Some(expires)) = (created, expires)
        && expires < created
    {
        keys.wrong("expires", "a waiver ends before it begins", "correct one of the two days");
    }
    keys.finish();
    let (created, expires) = (created?, expires?);
    Some(Waiver {
        problem: span_problem(name, created, expires, renewals, &location),
        gate_id: gate_id?,
        owner: owner?,
        created,
        expires,
        issue: issue?,
        reason: reason?,
        scope: scope?,
        remove_when: remove_when?,
        fingerprints: fingerprints
            .map(|list| list.into_iter().map(toml::Spanned::into_inner).collect()),
        approved_by,
        renewals,
        location,
    })
}

fn gate(
    name: &str,
    location: &Location,
    gates: &VecSet<GateId>,
    guards: &VecSet<GateId>,
    faults: &mut Vec<Fault>,
) -> Option<GateId> {
    let fault = match GateId::parse(name) {
        Ok(id) if guards.contains(&id) => Fault::new(
            WAIVER_NOT_WAIVABLE,
            format!("`{id}` guards the waivers and cannot be waived"),
            "mend what it reports",
        ),
        Ok(id) if gates.contains(&id) => return Some(id),
        Ok(id) => {
            let remedy = super::near::hint(name, gates.iter().map(GateId::as_str))
                .unwrap_or_else(|| "remove the waiver, or correct the name".to_owned());
            Fault::new(
                WAIVER_UNKNOWN_GATE,
                format!("a waiver names the gate `{id}`, which does not exist"),
                remedy,
            )
        }
        Err(error) => Fault::new(
            WAIVER_UNKNOWN_GATE,
            error.to_string(),
            "name exactly one gate; a waiver takes no pattern",
        ),
    };
    faults.push(fault.at(location.clone()));
    None
}

fn fingerprint(text: &str) -> Option<String> {
    let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (text.len() == 16 && hex).then(|| text.to_owned())
}

fn span_problem(
    name: &str,
    created: Day,
    expires: Day,
    renewals: u32,
    location: &Location,
) -> Option<Fault> {
    let allowed = SPAN_DAYS * (1 + i64::from(renewals));
    let span = expires.days_since(created);
    (span > allowed).then(|| {
        Fault::new(
            WAIVER_SPAN_EXCEEDED,
            format!("the waiver for `{name}` lasts {span} days"),
            format!("let it end at most {allowed} days after `created`; a renewal adds {SPAN_DAYS} and is counted"),
        )
        .at(location.clone())
        .expected(format!("at most {allowed} days"))
        .found(format!("{span} days"))
    })
}

/// The gates whose waiver excuses no more here than it does in the text of the base, nor for longer.
#[must_use]
pub fn standing(base: &str, head: &WaiverFile) -> VecSet<GateId> {
    // Whether a gate exists was asked of the head. On the base a waiver stands by its name alone.
    let ids: VecSet<GateId> = head.waivers.keys().cloned().collect();
    let before = WaiverFile::parse_known(&head.path, base, &ids);
    let covers = |(id, waiver): &(GateId, Waiver)| {
        let was = before.get(id)?;
        let scope = was.scope == waiver.scope || was.scope == WaiverScope::Both;
        let findings = match (&was.fingerprints, &waiver.fingerprints) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(was), Some(is)) => is.is_subset(was),
        };
        (waiver.expires <= was.expires && scope && findings).then(|| id.clone())
    };
    head.waivers.iter().filter_map(covers).collect()
}

/// The gates that guard the waivers themselves; no waiver applies to them.
#[must_use]
pub fn guards<'a>(gates: impl IntoIterator<Item = &'a GateTable>) -> VecSet<GateId> {
    let is_guard = |gate: &&GateTable| {
        gate.kind_name() == "expiring_entries" || gate.common.id.as_str() == "waiver_lifecycle"
    };
    gates.into_iter().filter(is_guard).map(|gate| gate.common.id.clone()).collect()
}

/// The fault of a waiver that begins in the future.
#[must_use]
pub fn not_yet_valid(waiver: &Waiver, today: Day) -> Option<Fault> {
    (today < waiver.created).then(|| {
        Fault::new(
            WAIVER_NOT_YET_VALID,
            format!(
                "the waiver for `{}` begins on {}, which is after today",
                waiver.gate_id, waiver.created
            ),
            "correct `created`",
        )
        .at(waiver.location.clone())
        .found(format!("today is {today} (UTC)"))
    })
}
