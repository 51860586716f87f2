//! The waiver file: each slip of the pen voids it, and the calendar speaks by lane and day.

use super::*;
use crate::wire::ordered::VecSet;
use crate::wire::outcome::Lane;

const FIELDS: &str = "owner = 'o'\ncreated = 2026-05-01\nexpires = 2026-05-31\nissue = '#1'\n\
                      reason = 'a reason that is long enough'\nscope = 'full'\nremove_when = 'mended'\n";

fn ids(names: &[&str]) -> VecSet<GateId> {
    names.iter().map(|name| GateId::parse(name).expect("a gate")).collect()
}

fn parse(text: &str) -> WaiverFile {
    WaiverFile::parse(
        "suite_classification.toml",
        text,
        &ids(&["a", "b", "guard"]),
        &ids(&["guard"]),
    )
}

fn day(text: &str) -> Day {
    Day::parse(text).expect("a day")
}

#[test]
fn t04_each_field_is_needed_and_none_may_be_misspelt() {
    assert!(parse(&format!("[waiver.a]\n{FIELDS}")).is_valid());
    for line in FIELDS.lines() {
        for body in [FIELDS.replace(line, ""), FIELDS.replace(line, &format!("x{line}"))] {
            let file = parse(&format!("[waiver.b]\n{FIELDS}[waiver.a]\n{body}"));
            assert!(!file.is_valid() && file.waivers.is_empty(), "{line}");
            assert_eq!(file.faults[0].code(), WAIVER_FILE_INVALID, "{line}");
            assert!(
                file.faults[0].location().is_some_and(|place| place.line > 8),
                "{}",
                file.faults[0]
            );
        }
    }
}

#[test]
fn fg56_t03_what_voids_the_whole_file() {
    let with = |from: &str, to: &str| format!("[waiver.a]\n{}", FIELDS.replace(from, to));
    let table: Vec<(&str, String, &str)> = vec![
        ("a day that does not exist", with("2026-05-31", "2026-02-30"), "waiver_file_invalid"),
        ("a day in quotes", with("2026-05-31", "'2026-05-31'"), "waiver_file_invalid"),
        ("a time for a day", with("2026-05-31", "2026-05-31T00:00:00Z"), "waiver_file_invalid"),
        ("an end before the beginning", with("2026-05-31", "2026-04-30"), "waiver_file_invalid"),
        ("a short reason", with("a reason that is long enough", "because"), "waiver_file_invalid"),
        (
            "blank space for a reason",
            with("a reason that is long enough", "                         "),
            "waiver_file_invalid",
        ),
        ("an unknown scope", with("'full'", "'all'"), "waiver_file_invalid"),
        ("a third renewal", format!("[waiver.a]\n{FIELDS}renewals = 3\n"), "waiver_file_invalid"),
        (
            "renewals as text",
            format!("[waiver.a]\n{FIELDS}renewals = '1'\n"),
            "waiver_file_invalid",
        ),
        (
            "no fingerprints",
            format!("[waiver.a]\n{FIELDS}fingerprints = []\n"),
            "waiver_file_invalid",
        ),
        (
            "an empty fingerprint",
            format!("[waiver.a]\n{FIELDS}fingerprints = ['']\n"),
            "waiver_file_invalid",
        ),
        (
            "a pattern of fingerprints",
            format!("[waiver.a]\n{FIELDS}fingerprints = ['*']\n"),
            "waiver_file_invalid",
        ),
        (
            "one table twice",
            format!("[waiver.a]\n{FIELDS}[waiver.a]\n{FIELDS}"),
            "waiver_file_invalid",
        ),
        ("an unknown section", format!("[waivers.a]\n{FIELDS}"), "waiver_file_invalid"),
        ("a pattern of gates", format!("[waiver.\"*\"]\n{FIELDS}"), "waiver_unknown_gate"),
        ("an empty gate", format!("[waiver.\"\"]\n{FIELDS}"), "waiver_unknown_gate"),
        ("an unknown gate", format!("[waiver.c]\n{FIELDS}"), "waiver_unknown_gate"),
        (
            "fg57_ the gate that guards them",
            format!("[waiver.guard]\n{FIELDS}"),
            "waiver_not_waivable",
        ),
        ("a waiver that is no table", "waiver.a = 1\n".to_owned(), "waiver_file_invalid"),
        ("waivers that are no table", "waiver = 1\n".to_owned(), "waiver_file_invalid"),
    ];
    for (case, text, code) in table {
        let file = parse(&text);
        assert!(!file.is_valid() && file.waivers.is_empty(), "{case}");
        assert_eq!(file.faults[0].code().name(), code, "{case}: {}", file.faults[0]);
    }
}

#[test]
fn fg59_a_waiver_lasts_thirty_days_and_a_renewal_thirty_more() {
    let table = [
        ("2026-05-31", 0, true),
        ("2026-06-01", 0, false),
        ("2026-06-30", 1, true),
        ("2026-07-01", 1, false),
        ("2026-07-30", 2, true),
        ("2026-07-31", 2, false),
    ];
    for (expires, renewals, holds) in table {
        let body = FIELDS.replace("2026-05-31", expires);
        let file = parse(&format!("[waiver.a]\n{body}renewals = {renewals}\n"));
        let state = file
            .waivers
            .values()
            .next()
            .map(|waiver| waiver.state(day("2026-05-02"), Lane::Main, false));
        assert_eq!(state == Some(WaiverState::Active), holds, "{expires} {renewals}");
    }
}

#[test]
fn t05_the_calendar_by_lane_and_day() {
    use WaiverState::{Active, Expired, Expiring, Grace, Invalid};
    // From 2026-05-01 to 2026-05-31: local, pr untouched, pr touched, main, release.
    let table = [
        ("2026-04-30", [Invalid; 5]),
        ("2026-05-01", [Active; 5]),
        ("2026-05-16", [Active; 5]),
        ("2026-05-17", [Expiring; 5]),
        ("2026-05-31", [Expiring; 5]),
        ("2026-06-01", [Grace, Grace, Expired, Expired, Expired]),
        ("2026-06-07", [Grace, Grace, Expired, Expired, Expired]),
        ("2026-06-08", [Grace, Expired, Expired, Expired, Expired]),
        ("2027-06-08", [Grace, Expired, Expired, Expired, Expired]),
    ];
    let file = parse(&format!("[waiver.a]\n{FIELDS}"));
    let waiver = file.waivers.values().next().expect("a waiver");
    let lanes = [
        (Lane::Local, true),
        (Lane::Pr, false),
        (Lane::Pr, true),
        (Lane::Main, false),
        (Lane::Release, false),
    ];
    for (today, states) in table {
        for ((lane, touched), expected) in lanes.into_iter().zip(states) {
            assert_eq!(
                waiver.state(day(today), lane, touched),
                expected,
                "{today} {lane} {touched}"
            );
        }
    }
}

#[test]
fn suites_and_quarantine_are_left_to_others() {
    let file =
        parse(&format!("[suite.unit]\nanything = 1\n[quarantine.t]\nx = 1\n[waiver.a]\n{FIELDS}"));
    assert_eq!(file.faults, []);
    assert_eq!((file.waivers.len(), file.raw.len()), (1, 1));
    assert!(parse("").is_valid());
}
