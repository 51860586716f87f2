//! Tables over configurations.

use super::*;
use portcullis::{
    Outcome,
    testing::{Seen, run},
};

const FILES: [(&str, &str); 4] = [
    (
        "Cargo.toml",
        "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[[test]]\nname = \"gates\"\nharness = false\n",
    ),
    ("src/lib.rs", "mod inner;\n#[test]\nfn adds() {}\n"),
    ("src/inner.rs", "#[cfg(windows)]\n#[test]\nfn paths() {}\n#[test]\n#[ignore]\nfn slow() {}\n"),
    ("tests/gates.rs", "fn main() {}\n"),
];

fn seen(config: &str, text: &str) -> Seen {
    let mut files = FILES.to_vec();
    files.push((".config/nextest.toml", text));
    run(&NEXTEST_CONFIG, config, &files)
}

fn judged(text: &str) -> Seen {
    seen("resolve = 'static'", text)
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&NEXTEST_CONFIG), Vec::<String>::new());
}

#[test]
fn fg29_a_key_that_nextest_does_not_read_is_found_wherever_it_stands() {
    let table: &[(&str, &str, &str, u32)] = &[
        ("in a profile", "[profile.ci]\nfail_fast = false\n", "profile.ci.fail_fast", 2),
        ("at the root", "[profiles.ci]\nretries = 0\n", "profiles", 1),
        ("a profile key at the root", "retries = 0\n", "retries", 1),
        (
            "in an override",
            "[[profile.ci.overrides]]\nfilter = 'all()'\nretry = 0\n",
            "profile.ci.overrides.retry",
            3,
        ),
        (
            "in an inline table",
            "[profile.ci]\nslow-timeout = { period = '1s', terminate = 2 }\n",
            "profile.ci.slow-timeout.terminate",
            2,
        ),
        ("in a group", "[test-groups.a]\nmax_threads = 1\n", "test-groups.a.max_threads", 2),
        ("in junit", "[profile.ci.junit]\npaht = 'x'\n", "profile.ci.junit.paht", 2),
        ("in a script", "[scripts.setup.db]\ncmd = 'x'\n", "scripts.setup.db.cmd", 2),
        ("a dotted key", "profile.ci.test_threads = 1\n", "profile.ci.test_threads", 1),
    ];
    for (case, text, subject, line) in table {
        let seen = judged(text);
        assert_eq!(seen.codes, ["nextest_config_unknown_key"], "{case}: {:?}", seen.messages);
        let finding = &seen.looked.findings[0];
        assert_eq!(finding.subject, *subject, "{case}");
        assert_eq!(finding.location.as_ref().map(|at| at.line), Some(*line), "{case}");
    }
    let known = "resolve = 'static'\nknown_keys = ['profile.*.weather']";
    assert_eq!(seen(known, "[profile.ci]\nweather = { sun = 1 }\n").codes, Vec::<String>::new());
    assert_eq!(
        seen(known, "[profile.ci.junit]\npath = 'x'\nweather = 1\n").codes,
        ["nextest_config_unknown_key"]
    );
}

#[test]
fn fg30_a_filter_that_matches_no_test_is_found() {
    let table: &[(&str, &str, &[&str])] = &[
        ("a test", "test(adds)", &[]),
        ("an ignored test in a module", "test(=inner::slow)", &[]),
        ("a test of another system", "test(=inner::paths)", &[]),
        ("a binary that lists its own tests", "binary(gates)", &[]),
        ("no test", "test(=add)", &["nextest_override_unmatched"]),
        ("no binary", "binary(gate)", &["nextest_override_unmatched"]),
        ("no package", "package(acme-core)", &["nextest_override_unmatched"]),
        ("nothing left", "kind(lib) & kind(test)", &["nextest_override_unmatched"]),
        ("a test that the binary alone knows", "test(=deep)", &["not_static"]),
    ];
    for (case, filter, expected) in table {
        for place in ["overrides", "scripts"] {
            let rest = if place == "scripts" { "setup = 'db'" } else { "retries = 0" };
            let text = format!("[[profile.ci.{place}]]\nfilter = '{filter}'\n{rest}\n");
            let seen = judged(&text);
            let codes = match seen.error() {
                Some(error) => vec![error.code.clone()],
                None => seen.codes.clone(),
            };
            let found: Vec<&str> = codes.iter().map(String::as_str).collect();
            // Of names in the open binary nothing is known, so that no unmatched name is certain.
            let expected: &[&str] = if *case == "no test" { &["not_static"] } else { expected };
            assert_eq!(found, expected, "{case} in {place}: {:?}", seen.messages);
        }
    }
    let elsewhere = "[[profile.ci.overrides]]\nplatform = 'cfg(windows)'\nfilter = 'binary(gate)'\nretries = 0\n";
    assert_eq!(judged(elsewhere).outcome, Outcome::Warn);
}

#[test]
fn retries_hide_unless_a_flaky_test_fails() {
    let table: &[(&str, &str, usize)] = &[
        ("none", "[profile.ci]\nretries = 0\n", 0),
        ("some", "[profile.ci]\nretries = 1\n", 1),
        ("with consequence", "[profile.ci]\nretries = 1\nflaky-result = 'fail'\n", 0),
        (
            "with a consequence of the default",
            "[profile.default]\nflaky-result = 'fail'\n[profile.ci]\nretries = 1\n",
            0,
        ),
        (
            "with a consequence inherited",
            "[profile.a]\nflaky-result = 'fail'\n[profile.ci]\ninherits = 'a'\nretries = 1\n",
            0,
        ),
        (
            "of whom it does not inherit from",
            "[profile.a]\nflaky-result = 'fail'\n[profile.ci]\nretries = 1\n",
            1,
        ),
        (
            "inherited, and the consequence taken away",
            "[profile.a]\nretries = 1\nflaky-result = 'fail'\n[profile.ci]\ninherits = 'a'\nflaky-result = 'pass'\n",
            1,
        ),
        ("in an override", "[[profile.ci.overrides]]\nfilter = 'all()'\nretries = 2\n", 1),
        (
            "an override without consequence",
            "[profile.ci]\nretries = 1\nflaky-result = 'fail'\n[[profile.ci.overrides]]\nfilter = 'all()'\nflaky-result = 'pass'\n",
            1,
        ),
        (
            "an override that needs none",
            "[profile.ci]\nflaky-result = 'pass'\n[[profile.ci.overrides]]\nfilter = 'all()'\nretries = 0\n",
            0,
        ),
        ("a table", "[profile.ci]\nretries = { count = 0, backoff = 'fixed' }\n", 0),
        ("in the default profile", "[profile.default]\nretries = 3\n", 1),
        (
            "profiles that inherit in a circle",
            "[profile.a]\ninherits = 'b'\nretries = 1\n[profile.b]\ninherits = 'a'\n",
            1,
        ),
    ];
    for (case, text, expected) in table {
        let seen = judged(text);
        assert_eq!(
            seen.codes,
            vec!["nextest_retries_hide"; *expected],
            "{case}: {:?}",
            seen.messages
        );
    }
}

#[test]
fn a_default_filter_may_name_everything() {
    assert_eq!(judged("[profile.ci]\ndefault-filter = 'all()'\n").codes, Vec::<String>::new());
    let part = judged("[profile.ci]\ndefault-filter = 'kind(lib)'\n");
    assert_eq!(part.codes, ["nextest_default_filter_hides"]);
    let other =
        judged("[[profile.ci.overrides]]\nplatform = 'cfg(unix)'\ndefault-filter = 'kind(test)'\n");
    assert_eq!(other.codes, ["nextest_default_filter_hides"]);
}

#[test]
fn a_file_that_is_not_toml_or_absent_is_an_error() {
    let table: &[(&str, &str, &str)] = &[
        ("no TOML", "[profile", "toml_invalid"),
        ("a key twice", "[profile.ci]\nretries = 0\nretries = 0\n", "duplicate_key"),
        ("a filter that is no text", "[[profile.ci.overrides]]\nfilter = 3\n", "toml_invalid"),
    ];
    for (case, text, code) in table {
        assert_eq!(judged(text).code.as_deref(), Some(*code), "{case}");
    }
    assert_eq!(judged("").code.as_deref(), Some("nothing_examined"), "an empty file says nothing");
}

#[test]
fn nextest_itself_may_say_which_tests_there_are() {
    let manifest = "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let lock = "version = 4\n\n[[package]]\nname = \"acme\"\nversion = \"0.1.0\"\n";
    let made = "macro_rules! m { ($n:ident) => { #[test] fn $n() {} } }\nm!(made);\n";
    let filters = "[[profile.ci.overrides]]\nfilter = 'test(=made)'\nretries = 0\n[[profile.ci.overrides]]\nfilter = 'test(=gone)'\nretries = 0\n";
    let files = [
        ("Cargo.toml", manifest),
        ("Cargo.lock", lock),
        ("src/lib.rs", made),
        (".config/nextest.toml", filters),
    ];
    let seen = run(&NEXTEST_CONFIG, "", &files);
    if let Some(skip) = seen.skip() {
        assert_eq!(skip.reason, portcullis::SkipReason::ToolMissing);
        return;
    }
    assert_eq!(seen.codes, ["nextest_override_unmatched"], "{:?}", seen.messages);
    assert!(seen.messages[0].contains("gone"), "{:?}", seen.messages);
    let broken = [files[0], files[1], ("src/lib.rs", "pub fn a() -> u8 { \"x\" }"), files[3]];
    assert_eq!(run(&NEXTEST_CONFIG, "", &broken).code.as_deref(), Some("list_failed"));
}
