//! Quarantine: tests that are known to be flaky, for at most 14 days. Leaves out how they are retried.

use super::document::{self, Codes, Keys, Node, Source, Table};
use crate::wire::{
    code::{
        BROKEN_NOT_FLAKY, Code, QUARANTINE_EXPIRED, QUARANTINE_EXPIRING, QUARANTINE_INVALID,
        QUARANTINE_SPAN_EXCEEDED,
    },
    fault::{Fault, Location},
    ordered::VecMap,
    outcome::Lane,
    time::Day,
};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How many days an entry may last.
pub const SPAN_MAX_DAYS: i64 = 14;
/// From how many days before its end an entry is reported.
pub const WARN_DAYS: i64 = 3;
/// Why a test is flaky.
pub const CATEGORIES: [&str; 6] =
    ["FLAKE-TIMING", "FLAKE-ENV", "FLAKE-NET", "FLAKE-RES", "FLAKE-EXT", "FLAKE-LOGIC"];

const CODES: Codes = Codes { invalid: QUARANTINE_INVALID, unknown: QUARANTINE_INVALID };

/// One quarantined test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The test target; absent where the test's name says enough.
    pub suite: Option<String>,
    /// The test.
    pub test: String,
    /// Why it is flaky.
    pub category: String,
    /// Who answers for it.
    pub owner: String,
    /// Its first day.
    pub quarantined: Day,
    /// Its last valid day.
    pub expires: Day,
    /// Where it is discussed.
    pub issue: String,
    /// Where both outcomes were seen.
    pub evidence: String,
    /// How to see it again.
    pub repro: String,
    /// Why it is not mended at once.
    pub reason: String,
    /// What ends it.
    pub remove_when: String,
    /// Where it stands.
    pub location: Location,
}

/// What an entry is worth on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineState {
    /// Holds.
    Active,
    /// Holds, and ends within 3 days.
    ExpiringSoon,
    /// Ended.
    Expired,
    /// Begins after today.
    NotYetValid,
}

/// What a quarantined test amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineVerdict {
    /// It passed every time.
    Passed,
    /// It failed at least once and is known to be flaky: reported, not blocking.
    FlakyTolerated,
    /// It failed every time: not flaky but broken. Blocks.
    BrokenNotFlaky,
    /// The entry does not hold, whatever the test did. Blocks.
    QuarantineExpired,
    /// It did not run: quarantined tests still run. Blocks.
    NotRun,
}

impl QuarantineVerdict {
    /// Whether it blocks.
    #[must_use]
    pub const fn blocks(self) -> bool {
        match self {
            Self::Passed | Self::FlakyTolerated => false,
            Self::BrokenNotFlaky | Self::QuarantineExpired | Self::NotRun => true,
        }
    }

    /// The code of a verdict that blocks.
    #[must_use]
    pub const fn code(self) -> Option<Code> {
        match self {
            Self::Passed | Self::FlakyTolerated => None,
            Self::BrokenNotFlaky => Some(BROKEN_NOT_FLAKY),
            Self::QuarantineExpired => Some(QUARANTINE_EXPIRED),
            Self::NotRun => Some(QUARANTINE_INVALID),
        }
    }
}

impl Entry {
    /// What the calendar makes of it.
    #[must_use]
    pub fn state(&self, now: Day) -> QuarantineState {
        if self.quarantined > now {
            return QuarantineState::NotYetValid;
        }
        match self.expires.days_since(now) {
            left if left > WARN_DAYS => QuarantineState::Active,
            0..=WARN_DAYS => QuarantineState::ExpiringSoon,
            _ => QuarantineState::Expired,
        }
    }

    /// `suite::test`, or the test alone.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.suite {
            Some(suite) => format!("{suite}::{}", self.test),
            None => self.test.clone(),
        }
    }
}

/// Judges the attempts of a quarantined test on one commit, in order; `true` is a pass.
///
/// `passed_on_same_commit`: a pass of this very commit is on record, so failing every time now is no accident
/// of the commit but the test being broken here. Without any pass, today or on record, it is broken as well:
/// nothing shows that it was ever flaky.
#[must_use]
pub fn judge(
    entry: &Entry,
    attempts: &[bool],
    passed_on_same_commit: bool,
    now: Day,
) -> QuarantineVerdict {
    match entry.state(now) {
        QuarantineState::Expired | QuarantineState::NotYetValid => {
            return QuarantineVerdict::QuarantineExpired;
        }
        QuarantineState::Active | QuarantineState::ExpiringSoon => {}
    }
    let passes = attempts.iter().filter(|passed| **passed).count();
    match (attempts.len(), passes) {
        (0, _) => QuarantineVerdict::NotRun,
        (all, passes) if all == passes => QuarantineVerdict::Passed,
        // A single failure cannot tell flaky from broken, unless a pass on record says that it can pass.
        (1, 0) if !passed_on_same_commit => QuarantineVerdict::FlakyTolerated,
        (_, 0) => QuarantineVerdict::BrokenNotFlaky,
        (_, _) => QuarantineVerdict::FlakyTolerated,
    }
}

/// The quarantine of `suite_classification.toml`.
#[derive(Clone, Debug, Default)]
pub struct QuarantineFile {
    /// The entries by [`Entry::name`]; none when the file is void.
    pub entries: VecMap<String, Entry>,
    /// Structural faults. One is enough: no entry applies.
    pub faults: Vec<Fault>,
    /// Whether there is no structural fault.
    pub valid: bool,
}

impl QuarantineFile {
    /// Reads `[quarantine.<test>]` and `[quarantine.<suite>.<test>]`.
    #[must_use]
    pub fn parse(path: &str, text: &str) -> Self {
        let (source, root, mut faults) = document::read(path, text, Some(QUARANTINE_INVALID));
        let mut entries = VecMap::new();
        let section = if faults.is_empty() { root.get("quarantine") } else { None };
        if let Some(section) = section {
            match section.value.get_ref().as_table() {
                Some(table) => read_section(&source, table, &mut entries, &mut faults),
                None => faults.push(
                    Fault::new(
                        QUARANTINE_INVALID,
                        "`quarantine` is not a table",
                        "write `[quarantine.<test>]`",
                    )
                    .at(source.locate(section.key.start)),
                ),
            }
        }
        let valid = faults.is_empty();
        if !valid {
            entries.clear();
        }
        Self { entries, faults, valid }
    }

    /// Both clocks: what is wrong by a commit, and what the calendar says; `true` where it fails this lane.
    #[must_use]
    pub fn notices(&self, now: Day, lane: Lane) -> Vec<(Fault, bool)> {
        let structural = self.faults.iter().map(|fault| (fault.clone(), true));
        structural
            .chain(self.entries.values().filter_map(|entry| notice(entry, now, lane)))
            .collect()
    }
}

fn notice(entry: &Entry, now: Day, lane: Lane) -> Option<(Fault, bool)> {
    let (name, expires) = (entry.name(), entry.expires);
    let (code, headline, blocks) = match entry.state(now) {
        QuarantineState::Active => return None,
        QuarantineState::ExpiringSoon => {
            (QUARANTINE_EXPIRING, format!("quarantine of `{name}` ends on {expires}"), false)
        }
        QuarantineState::Expired => (
            QUARANTINE_EXPIRED,
            format!("quarantine of `{name}` ended on {expires}"),
            lane != Lane::Local,
        ),
        QuarantineState::NotYetValid => (
            QUARANTINE_INVALID,
            format!("quarantine of `{name}` begins on {}, after today", entry.quarantined),
            true,
        ),
    };
    let fault =
        Fault::new(code, headline, "mend the test and remove its entry").at(entry.location.clone());
    Some((fault, blocks))
}

fn read_section(
    source: &Source,
    table: &Table,
    entries: &mut VecMap<String, Entry>,
    faults: &mut Vec<Fault>,
) {
    for (name, outer) in table {
        let Some(fields) = fields(source, name, outer, faults) else { continue };
        let nested = !fields.is_empty()
            && fields.values().all(|inner| matches!(inner.value.get_ref(), Node::Table(_)));
        let found: Vec<Option<Entry>> = if nested {
            let inner = fields.iter().filter_map(|(test, entry)| {
                entry.value.get_ref().as_table().map(|table| (test, entry.key.clone(), table))
            });
            inner
                .map(|(test, place, table)| {
                    read_entry(source, Some(name), test, table, place, faults)
                })
                .collect()
        } else {
            vec![read_entry(source, None, name, fields, outer.key.clone(), faults)]
        };
        for entry in found.into_iter().flatten() {
            let (key, place) = (entry.name(), entry.location.clone());
            if let Some(other) = entries.insert(key.clone(), entry) {
                let headline = format!("`{key}` is quarantined twice");
                let fault =
                    Fault::new(QUARANTINE_INVALID, headline, "keep one of the two").at(place);
                faults.push(fault.found(format!("the other one at {}", other.location)));
            }
        }
    }
}

fn fields<'a>(
    source: &Source,
    name: &str,
    entry: &'a document::Entry,
    faults: &mut Vec<Fault>,
) -> Option<&'a Table> {
    let table = entry.value.get_ref().as_table();
    if table.is_none() {
        let headline = format!("`quarantine.{}` is not a table", name.escape_debug());
        faults.push(
            Fault::new(QUARANTINE_INVALID, headline, "write `[quarantine.<test>]`")
                .at(source.locate(entry.key.start)),
        );
    }
    table
}

fn read_entry(
    source: &Source,
    suite: Option<&str>,
    test: &str,
    table: &Table,
    place: Range<usize>,
    faults: &mut Vec<Fault>,
) -> Option<Entry> {
    let location = source.locate(place.start);
    let name = format!("quarantine of `{}`", test.escape_debug());
    let mut keys = Keys::new(source, table, place, name, CODES, faults);
    let expected = "a category: `FLAKE-TIMING`, `-ENV`, `-NET`, `-RES`, `-EXT` or `-LOGIC`";
    let category = keys
        .parsed("category", expected, |text| CATEGORIES.contains(&text).then(|| text.to_owned()));
    let category = keys.required("category", category);
    let quarantined = keys.day("quarantined");
    let quarantined = keys.required("quarantined", quarantined);
    let expires = keys.day("expires");
    let expires = keys.required("expires", expires);
    let texts = ["owner", "issue", "evidence", "repro", "reason", "remove_when"].map(|key| {
        let text = keys.text(key);
        keys.required(key, text)
    });
    if let (Some(from), Some(to)) = (quarantined, expires) {
        let days = to.days_since(from);
        if !(0..=SPAN_MAX_DAYS).contains(&days) {
            let place = keys.place("expires");
            let headline =
                format!("a quarantine lasts {days} days, and 0 to {SPAN_MAX_DAYS} are allowed");
            let remedy = format!("end it at most {SPAN_MAX_DAYS} days after `quarantined`");
            keys.push(Fault::new(QUARANTINE_SPAN_EXCEEDED, headline, remedy).at(place));
        }
    }
    keys.finish();
    let [owner, issue, evidence, repro, reason, remove_when] = texts;
    Some(Entry {
        suite: suite.map(str::to_owned),
        test: test.to_owned(),
        category: category?,
        owner: owner?,
        quarantined: quarantined?,
        expires: expires?,
        issue: issue?,
        evidence: evidence?,
        repro: repro?,
        reason: reason?,
        remove_when: remove_when?,
        location,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &str = "category = 'FLAKE-NET'\nowner = 'o'\nquarantined = 2026-05-20\nexpires = 2026-06-03\n\
                          issue = '#1'\nevidence = 'runs/1'\nrepro = 'cargo test t'\nreason = 'r'\nremove_when = 'mended'\n";

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a day")
    }

    fn entry() -> Entry {
        let file = QuarantineFile::parse("f", &format!("[quarantine.t]\n{FIELDS}"));
        file.entries.get("t").cloned().unwrap_or_else(|| panic!("{:?}", file.faults))
    }

    #[test]
    fn both_shapes_are_read_and_other_sections_left_alone() {
        let text = format!(
            "[suite.unit]\nfiles = []\n[waiver.x]\n[quarantine.\"a::b\"]\n{FIELDS}[quarantine.net.t]\n{FIELDS}[quarantine.net.u]\n{FIELDS}"
        );
        let file = QuarantineFile::parse("f", &text);
        assert_eq!(file.faults, []);
        assert_eq!(file.entries.keys().collect::<Vec<_>>(), ["a::b", "net::t", "net::u"]);
    }

    #[test]
    fn t21_each_field_is_needed_and_none_may_be_misspelt() {
        for line in FIELDS.lines() {
            let without = FIELDS.replace(line, "");
            let misspelt = FIELDS.replace(line, &format!("x{line}"));
            for body in [without, misspelt] {
                let file = QuarantineFile::parse("f", &format!("[quarantine.t]\n{body}"));
                assert!(!file.valid && file.entries.is_empty(), "{line}");
            }
        }
        let table = [
            (
                "fifteen days",
                FIELDS.replace("2026-06-03", "2026-06-04"),
                "quarantine_span_exceeded",
            ),
            ("backwards", FIELDS.replace("2026-06-03", "2026-05-19"), "quarantine_span_exceeded"),
            ("an unknown category", FIELDS.replace("FLAKE-NET", "FLAKE"), "quarantine_invalid"),
            (
                "a day that does not exist",
                FIELDS.replace("2026-06-03", "2026-06-31"),
                "quarantine_invalid",
            ),
            ("a day in quotes", FIELDS.replace("2026-06-03", "'2026-06-03'"), "quarantine_invalid"),
        ];
        for (case, body, code) in table {
            let file = QuarantineFile::parse("f", &format!("[quarantine.t]\n{body}"));
            assert_eq!(file.faults.first().map(|fault| fault.code().name()), Some(code), "{case}");
        }
    }

    #[test]
    fn fg63_an_expired_entry_blocks_whatever_the_test_did() {
        use QuarantineVerdict::{
            BrokenNotFlaky, FlakyTolerated, NotRun, Passed, QuarantineExpired,
        };
        let table: &[(&str, &[bool], bool, &str, QuarantineVerdict)] = &[
            ("fails, then passes", &[false, true], false, "2026-06-03", FlakyTolerated),
            (
                "fails, then passes, a day too late",
                &[false, true],
                false,
                "2026-06-04",
                QuarantineExpired,
            ),
            ("passes a day too late", &[true], false, "2026-06-04", QuarantineExpired),
            ("before its first day", &[false, true], false, "2026-05-19", QuarantineExpired),
            ("passes", &[true], false, "2026-06-01", Passed),
            (
                "fails every time beside a recorded pass",
                &[false, false],
                true,
                "2026-06-01",
                BrokenNotFlaky,
            ),
            ("fails every time", &[false, false], false, "2026-06-01", BrokenNotFlaky),
            ("fails once without a retry", &[false], false, "2026-06-01", FlakyTolerated),
            ("fails once beside a recorded pass", &[false], true, "2026-06-01", BrokenNotFlaky),
            ("did not run", &[], true, "2026-06-01", NotRun),
        ];
        for (case, attempts, recorded, now, expected) in table {
            assert_eq!(judge(&entry(), attempts, *recorded, day(now)), *expected, "{case}");
        }
        assert!(QuarantineExpired.blocks() && BrokenNotFlaky.blocks() && NotRun.blocks());
    }

    #[test]
    fn the_calendar_speaks_by_lane() {
        let file = QuarantineFile::parse("f", &format!("[quarantine.t]\n{FIELDS}"));
        let table = [
            ("2026-05-30", Lane::Main, None),
            ("2026-05-31", Lane::Main, Some(("quarantine_expiring", false))),
            ("2026-06-03", Lane::Main, Some(("quarantine_expiring", false))),
            ("2026-06-04", Lane::Main, Some(("quarantine_expired", true))),
            ("2026-06-04", Lane::Pr, Some(("quarantine_expired", true))),
            ("2026-06-04", Lane::Local, Some(("quarantine_expired", false))),
            ("2026-05-19", Lane::Local, Some(("quarantine_invalid", true))),
        ];
        for (now, lane, expected) in table {
            let notices = file.notices(day(now), lane);
            let seen = notices.first().map(|(fault, blocks)| (fault.code().name(), *blocks));
            assert_eq!(seen, expected, "{now} {lane}");
        }
    }
}
