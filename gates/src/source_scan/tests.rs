//! Tables over the source scan.

use super::*;
use portcullis::{
    Lane,
    testing::{Bench, run},
};

#[test]
fn names_are_found_in_code_only() {
    let table: &[(&str, &str, &[&str])] = &[
        ("a method", "fn a() { b.unwrap() }", &["forbidden_identifier"]),
        ("a raw name", "fn a() { b.r#unwrap() }", &["forbidden_identifier"]),
        ("a longer name", "fn a() { b.unwrap_or(1) }", &[]),
        ("a comment", "// unwrap()\n/* unwrap() */ fn a() {}", &[]),
        ("documentation", "/// unwrap()\n//! unwrap()\nfn a() {}", &[]),
        ("a text", "const A: &str = r#\"b.unwrap()\"#;", &[]),
        ("a macro call", "fn a() { vec![b.unwrap()]; }", &["forbidden_identifier"]),
        (
            "a macro definition",
            "macro_rules! m { () => { b.unwrap() } }",
            &["forbidden_identifier"],
        ),
        (
            "twice is two findings",
            "fn a() { b.unwrap(); c.unwrap() }",
            &["forbidden_identifier", "forbidden_identifier"],
        ),
    ];
    for (case, text, expected) in table {
        let seen =
            run(&SOURCE_SCAN, "files = ['**/*.rs']\nforbidden = ['unwrap']", &[("a.rs", text)]);
        assert_eq!(seen.codes, *expected, "{case}");
        assert_eq!(seen.examined, 1, "{case}");
    }
}

#[test]
fn what_cannot_be_read_or_is_not_there_never_passes() {
    type Files = &'static [(&'static str, &'static str)];
    let table: &[(&str, &str, Files, &str)] = &[
        ("no file matches", NAMES, &[("a.txt", "")], "nothing_examined"),
        ("not Rust", NAMES, &[("a.rs", "fn a() {")], "input_unreadable"),
        (
            "no text matches, although sources do",
            "files = ['*.rs']\nforbidden = ['x']\ntext_files = ['*.sh']\nforbidden_text = ['y']",
            &[("a.rs", "")],
            "nothing_examined",
        ),
    ];
    for (case, config, files, code) in table {
        assert_eq!(run(&SOURCE_SCAN, config, files).code.as_deref(), Some(*code), "{case}");
    }
    let long = "x".repeat(crate::pattern::LINE_MAX + 1);
    let seen = run(&SOURCE_SCAN, "text_files = ['a']\nforbidden_text = ['y']", &[("a", &long)]);
    assert_eq!(seen.code.as_deref(), Some("budget_exceeded"), "t23");
}

#[test]
fn allowances_end_by_lane_and_never_hide_what_follows() {
    let both: &[&str] = &["forbidden_identifier", "allow_entry_expired"];
    let table: &[(&str, &str, Lane, &[&str])] = &[
        ("long before", "2026-05-01T00:00:00Z", Lane::Main, &[]),
        ("the last second", "2026-06-30T23:59:59Z", Lane::Main, &["allow_entry_expiring"]),
        ("the first second after", "2026-07-01T00:00:00Z", Lane::Main, both),
        ("release", "2026-07-01T00:00:00Z", Lane::Release, both),
        ("a pull request has grace", "2026-07-07T00:00:00Z", Lane::Pr, &["allow_entry_expired"]),
        ("grace ends", "2026-07-08T00:00:00Z", Lane::Pr, both),
        ("local", "2026-12-01T00:00:00Z", Lane::Local, &["allow_entry_expired"]),
    ];
    for (case, now, lane, expected) in table {
        let seen = Bench::new(&SOURCE_SCAN, ALLOWED)
            .file("a.rs", UNWRAP[0].1.as_bytes())
            .now(now)
            .lane(*lane)
            .run();
        assert_eq!(seen.codes, *expected, "{case}");
        let fails = seen.outcome == portcullis::Outcome::Fail;
        assert_eq!(fails, expected.contains(&"forbidden_identifier"), "{case}");
    }
}

#[test]
fn an_allowance_covers_one_file_and_one_token() {
    let files = [("a.rs", "fn a() { b.unwrap() }"), ("b.rs", "fn a() { b.unwrap() }")];
    let seen = run(&SOURCE_SCAN, ALLOWED, &files);
    assert_eq!(seen.codes, ["forbidden_identifier"], "b.rs is not allowed");
}

#[test]
fn a_configuration_that_checks_nothing_is_refused() {
    let allow =
        |entry: &str| format!("files = ['*.rs']\nforbidden = ['x']\nallow = [{{ {entry} }}]");
    let table: &[(&str, String)] = &[
        ("nothing forbidden", "files = ['*.rs']".to_owned()),
        ("no files", "forbidden = ['x']".to_owned()),
        ("text without files", "forbidden_text = ['x']".to_owned()),
        (
            "text files without text",
            "files = ['*.rs']\nforbidden = ['x']\ntext_files = ['a']".to_owned(),
        ),
        ("not a name", "files = ['*.rs']\nforbidden = ['x.y']".to_owned()),
        (
            "no expiry",
            allow("path = 'a.rs', token = 'x', reason = 'twenty characters long', owner = 'o'"),
        ),
        (
            "a short reason",
            allow("path = 'a.rs', token = 'x', reason = 'why', owner = 'o', expires = 2026-06-30"),
        ),
        (
            "a glob",
            allow(
                "path = '**', token = 'x', reason = 'twenty characters long', owner = 'o', expires = 2026-06-30",
            ),
        ),
        (
            "a token nobody forbids",
            allow(
                "path = 'a.rs', token = 'y', reason = 'twenty characters long', owner = 'o', expires = 2026-06-30",
            ),
        ),
    ];
    for (case, config) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((SOURCE_SCAN.prepare)(&table).is_err(), "{case}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&SOURCE_SCAN), Vec::<String>::new());
}
