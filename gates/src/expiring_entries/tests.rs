//! Tables over the expiring entries.

use super::{
    fixtures::{OWN, POLICY, QUARANTINE, WAIVERS, quarantined, waiver},
    *,
};
use portcullis::{Outcome, testing::Bench, testing::Seen};

fn seen(config: &str, path: &str, text: &str, now: &str, lane: Lane) -> Seen {
    Bench::new(&EXPIRING_ENTRIES, config)
        .policy(POLICY.1)
        .file(path, text.as_bytes())
        .now(now)
        .lane(lane)
        .run()
}

const NOW: &str = "2026-05-31T12:00:00Z";

#[test]
fn structural_faults_fail_in_every_lane() {
    let entry = |lines: &str| {
        format!("[exception.build]\nowner = 'o'\nreason = 'r'\nclass = 'slow'\n{lines}")
    };
    let table: &[(&str, String, &[&str])] = &[
        ("complete", entry("created = 2026-05-01\nexpires = 2026-06-30\nissue = '#1'\n"), &[]),
        ("no end", entry("created = 2026-05-01\n"), &["entry_invalid"]),
        (
            "a misspelt end",
            entry("created = 2026-05-01\nexpire = 2026-06-30\n"),
            &["entry_invalid", "entry_invalid"],
        ),
        (
            "an end in quotes",
            entry("created = 2026-05-01\nexpires = '2026-06-30'\n"),
            &["entry_invalid"],
        ),
        (
            "an end with a time",
            entry("created = 2026-05-01\nexpires = 2026-06-30T00:00:00Z\n"),
            &["entry_invalid"],
        ),
        (
            "an end before the beginning",
            entry("created = 2026-06-30\nexpires = 2026-06-20\n"),
            &["entry_invalid", "entry_invalid"],
        ),
        (
            "from tomorrow",
            entry("created = 2026-06-01\nexpires = 2026-06-30\n"),
            &["entry_invalid"],
        ),
        (
            "an empty owner",
            entry("created = 2026-05-01\nexpires = 2026-06-30\n").replace("'o'", "' '"),
            &["entry_invalid"],
        ),
        (
            "another class",
            entry("created = 2026-05-01\nexpires = 2026-06-30\n").replace("slow", "old"),
            &["entry_invalid"],
        ),
        ("not a table", "exception.build = 1\n".to_owned(), &["entry_invalid"]),
    ];
    for (case, text, expected) in table {
        for lane in Lane::ALL {
            let seen = seen(OWN, "exceptions.toml", text, NOW, *lane);
            assert_eq!(seen.codes, *expected, "{case} in {lane}");
            assert_eq!(seen.outcome == Outcome::Fail, !expected.is_empty(), "{case} in {lane}");
        }
    }
}

#[test]
fn fg60_the_calendar_bites_by_lane() {
    let own = "[exception.build]\nowner = 'o'\nreason = 'r'\nclass = 'slow'\ncreated = 2026-05-01\nexpires = 2026-05-30\n";
    let waived = waiver!("build", "2026-05-01", "2026-05-30");
    let table: &[(&str, &str, Lane, Outcome)] = &[
        ("the last second of the last day", "2026-05-30T23:59:59Z", Lane::Main, Outcome::Warn),
        ("the first second after", "2026-05-31T00:00:00Z", Lane::Main, Outcome::Fail),
        ("a release", "2026-05-31T00:00:00Z", Lane::Release, Outcome::Fail),
        ("a pull request, seven days", "2026-06-06T23:59:59Z", Lane::Pr, Outcome::Warn),
        ("a pull request, eight days", "2026-06-07T00:00:00Z", Lane::Pr, Outcome::Fail),
        ("local, a year", "2027-05-31T00:00:00Z", Lane::Local, Outcome::Warn),
    ];
    for (case, now, lane, expected) in table {
        for (config, path, text) in
            [(OWN, "exceptions.toml", own), (WAIVERS, "suite_classification.toml", waived)]
        {
            assert_eq!(seen(config, path, text, now, *lane).outcome, *expected, "{case}: {config}");
        }
    }
}

#[test]
fn fg56_a_waiver_file_with_one_bad_line_fails_as_a_whole() {
    let good = waiver!("docs", "2026-05-20", "2026-06-19");
    let table: &[(&str, String, &str)] = &[
        (
            "a day that does not exist",
            waiver!("build", "2026-02-01", "2026-02-30").to_owned(),
            "waiver_file_invalid",
        ),
        (
            "a misspelt key",
            good.replace("[waiver.docs]", "[waiver.build]").replace("expires", "expire"),
            "waiver_file_invalid",
        ),
        ("the same table twice", good.to_owned(), "waiver_file_invalid"),
        ("an empty name", good.replace("docs", "''"), "waiver_unknown_gate"),
        ("t03 a pattern", good.replace("docs", "'*'"), "waiver_unknown_gate"),
        ("not TOML", "[waiver".to_owned(), "waiver_file_invalid"),
    ];
    for (case, bad, code) in table {
        let seen =
            seen(WAIVERS, "suite_classification.toml", &format!("{good}{bad}"), NOW, Lane::Local);
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (Outcome::Fail, Some(*code)),
            "{case}: {:?}",
            seen.messages
        );
        assert!(
            seen.looked.findings[0].location.as_ref().is_some_and(|at| at.line > 0),
            "{case} has a line"
        );
    }
}

#[test]
fn t21_each_of_the_nine_fields_of_a_quarantine_is_required() {
    let whole = quarantined!("2026-05-25", "2026-06-08");
    let path = "suite_classification.toml";
    assert_eq!(seen(QUARANTINE, path, whole, NOW, Lane::Main).codes, Vec::<String>::new());
    for (index, line) in whole.lines().enumerate().skip(1) {
        let without: Vec<&str> = whole
            .lines()
            .enumerate()
            .filter(|(n, _line)| *n != index)
            .map(|(_n, line)| line)
            .collect();
        let seen = seen(QUARANTINE, path, &without.join("\n"), NOW, Lane::Local);
        assert_eq!(seen.outcome, Outcome::Fail, "without `{line}`");
    }
}

#[test]
fn fg63_an_expired_quarantine_fails_wherever_it_counts() {
    let ended = quarantined!("2026-05-20", "2026-05-30");
    for (lane, expected) in [
        (Lane::Local, Outcome::Warn),
        (Lane::Pr, Outcome::Fail),
        (Lane::Main, Outcome::Fail),
        (Lane::Release, Outcome::Fail),
    ] {
        let seen = seen(QUARANTINE, "suite_classification.toml", ended, NOW, lane);
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (expected, Some("quarantine_expired")),
            "{lane}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    for config in [OWN, WAIVERS, QUARANTINE] {
        assert_eq!(
            seen(config, "other.toml", "", NOW, Lane::Main).outcome,
            Outcome::Error,
            "{config}"
        );
    }
}

#[test]
fn rules_that_are_not_complete_are_refused() {
    let table: &[(&str, String)] = &[
        ("no rules", "file = 'a'\ntable = 'b'".to_owned()),
        ("rules beside a preset", format!("{WAIVERS}\nmax_span_days = 90")),
        ("another preset", WAIVERS.replace("waivers", "waiver")),
        ("the table of another preset", WAIVERS.replace("'waiver'", "'quarantine'")),
        ("a negative span", OWN.replace("60", "-1")),
        ("one field for both days", OWN.replace("expires = 'expires'", "expires = 'created'")),
        ("a path out of the tree", OWN.replace("exceptions.toml", "../x.toml")),
    ];
    for (case, config) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((EXPIRING_ENTRIES.prepare)(&table).is_err(), "{case}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&EXPIRING_ENTRIES), Vec::<String>::new());
}
