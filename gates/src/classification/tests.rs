//! Tables over the classification kind.

use super::*;
use portcullis::testing::run;

#[test]
fn each_member_is_in_exactly_one_suite() {
    const FILES: &str = "universe = 'files'\nfiles = ['tests/*.rs']\nsuites = ['e2e', 'unit']";
    let table: &[(&str, &str, &[&str])] = &[
        ("all placed", "[suite.unit]\nfiles = ['tests/a.rs', 'tests/b.rs']", &[]),
        (
            "in two suites",
            "[suite.unit]\nfiles = ['tests/a.rs']\n[suite.e2e]\nfiles = ['tests/b.rs']",
            &[],
        ),
        ("one forgotten", "[suite.unit]\nfiles = ['tests/a.rs']", &["unclassified"]),
        ("no table at all", "[waiver.x]\na = 1", &["unclassified", "unclassified"]),
        (
            "twice in one list",
            "[suite.unit]\nfiles = ['tests/a.rs', 'tests/a.rs', 'tests/b.rs']",
            &["classified_twice"],
        ),
        (
            "an unknown suite",
            "[suite.unti]\nfiles = []\n[suite.unit]\nfiles = ['tests/a.rs', 'tests/b.rs']",
            &["unknown_entry"],
        ),
        (
            "an unknown entry",
            "[suite.unit]\nfiles = ['tests/a.rs', 'tests/b.rs', 'tests/c.rs']",
            &["unknown_entry"],
        ),
        ("not sorted", "[suite.unit]\nfiles = ['tests/b.rs', 'tests/a.rs']", &["unsorted"]),
        ("a key nothing reads", "[suite.unit]\ntargets = ['tests/a.rs']", &["config_unknown_key"]),
        ("a list of another type", "[suite.unit]\nfiles = 'tests/a.rs'", &["toml_invalid"]),
        ("a table twice", "[suite.unit]\nfiles = []\n[suite.unit]\nfiles = []", &["duplicate_key"]),
    ];
    for (case, groups, expected) in table {
        let files = [("tests/a.rs", ""), ("tests/b.rs", ""), (GROUPS, *groups)];
        let seen = run(&CLASSIFICATION, FILES, &files);
        let codes =
            if seen.codes.is_empty() { seen.code.into_iter().collect() } else { seen.codes };
        assert_eq!(codes, *expected, "{case}");
    }
}

#[test]
fn an_empty_universe_is_not_a_pass() {
    let config = "universe = 'files'\nfiles = ['nowhere/*.rs']\nsuites = ['unit']";
    let seen = run(&CLASSIFICATION, config, &[(GROUPS, "[suite.unit]\nfiles = []\n")]);
    assert_eq!(seen.code.as_deref(), Some("nothing_examined"));
}

#[test]
fn a_name_of_two_packages_must_be_written_in_full() {
    let manifest = |name: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
    };
    let (a, b) = (manifest("a"), manifest("b"));
    let table: &[(&str, &str, &[&str])] = &[
        ("both in full", "targets = ['a/cli', 'b/cli']", &[]),
        (
            "a short name that means two",
            "targets = ['cli']",
            &["unknown_entry", "unclassified", "unclassified"],
        ),
    ];
    for (case, list, expected) in table {
        let groups = format!("[suite.unit]\n{list}\n");
        let files = [
            ("Cargo.toml", "[workspace]\nmembers = ['a', 'b']\nresolver = '2'\n"),
            ("a/Cargo.toml", &a),
            ("a/src/lib.rs", ""),
            ("a/tests/cli.rs", ""),
            ("b/Cargo.toml", &b),
            ("b/src/lib.rs", ""),
            ("b/tests/cli.rs", ""),
            (GROUPS, &groups),
        ];
        let seen = run(&CLASSIFICATION, CARGO, &files);
        assert_eq!(seen.codes, *expected, "{case}");
        let short = seen.messages.iter().skip(1).find(|message| message.contains("`cli`"));
        assert_eq!(short, None, "{case}: a name that means two is never shown");
    }
}

#[test]
fn a_broken_manifest_is_an_error_and_not_an_empty_universe() {
    let seen = run(&CLASSIFICATION, CARGO, &[("Cargo.toml", "[package]\n"), (GROUPS, "")]);
    assert_eq!(seen.code.as_deref(), Some("command_failed"));
}

#[test]
fn leaks_are_found_in_code_and_not_in_comments() {
    let table: &[(&str, &str, &[&str])] = &[
        ("clean", "fn a() {}", &[]),
        ("a double by prefix", "struct MockClock;", &["suite_leak"]),
        ("a crate in an import", "use wiremock::Server as S;", &["suite_leak"]),
        ("a text in a literal", "fn a() { open(\"cassettes/x.json\") }", &["suite_leak"]),
        ("a comment", "// MockClock, wiremock, cassettes/\nfn a() {}", &[]),
        ("a doc comment with a name", "/// MockClock\nfn a() {}", &[]),
        ("in a module file", "mod deep;", &["suite_leak"]),
    ];
    for (case, text, expected) in table {
        let files = [
            ("tests/cli.rs", *text),
            ("tests/deep/mod.rs", "fn b() { MockClock::new() }"),
            (GROUPS, "[suite.unit]\nfiles = ['tests/cli.rs']\n"),
        ];
        assert_eq!(run(&CLASSIFICATION, LEAK, &files).codes, *expected, "{case}");
    }
}

#[test]
fn a_configuration_that_contradicts_itself_is_refused() {
    let table: &[(&str, &str)] = &[
        ("files without globs", "universe = 'files'\nsuites = ['unit']"),
        ("globs for targets", "universe = 'cargo_test_targets'\nfiles = ['a']\nsuites = ['unit']"),
        ("no suites", "universe = 'cargo_test_targets'\nsuites = []"),
        ("another universe", "universe = 'tests'\nsuites = ['unit']"),
        (
            "a rule for no suite",
            "universe = 'cargo_test_targets'\nsuites = ['a']\nleak = [{ suite = 'b', forbid = ['x'] }]",
        ),
        (
            "a rule without content",
            "universe = 'cargo_test_targets'\nsuites = ['a']\nleak = [{ suite = 'a' }]",
        ),
        (
            "a name that is none",
            "universe = 'cargo_test_targets'\nsuites = ['a']\nleak = [{ suite = 'a', forbid = ['a b'] }]",
        ),
        (
            "a path out of the tree",
            "universe = 'cargo_test_targets'\nsuites = ['a']\ngroups_file = '../x.toml'",
        ),
    ];
    for (case, config) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((CLASSIFICATION.prepare)(&table).is_err(), "{case}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&CLASSIFICATION), Vec::<String>::new());
}

#[test]
fn a_suite_can_deny_doubles_cassettes_and_fixtures() {
    let config = |deny: &str| {
        format!(
            "universe = 'files'\nfiles = ['tests/*.rs']\nsuites = ['unit']\nleak = [{{ suite = 'unit', deny = ['{deny}'] }}]"
        )
    };
    let table: &[(&str, &str, &str, bool)] = &[
        ("a double", "doubles", "fn a() { FakeClock::new() }", true),
        ("a double at the end of a name", "doubles", "struct ClockStub;", true),
        ("a crate of doubles", "doubles", "use mockito::Server;", true),
        ("all of a crate", "doubles", "use wiremock::*;", true),
        ("a renamed double", "doubles", "use x::MockA as Real;", true),
        (
            "a renamed crate of doubles",
            "doubles",
            "use httpmock as h;\nfn a() { h::start() }",
            true,
        ),
        ("a function of the name of a crate", "doubles", "fn a() { fake(); double(2) }", false),
        ("a double in a comment", "doubles", "// MockA\nfn a() { \"MockA\" }", false),
        (
            "a cassette by its folder",
            "cassettes",
            "fn a() { open(\"tests/cassettes/a.json\") }",
            true,
        ),
        ("a cassette by its part", "cassettes", "fn a() { root.join(\"cassettes\") }", true),
        ("a cassette by its type", "cassettes", "fn a(b: Cassette) {}", true),
        ("a cassette by its crate", "cassettes", "fn a() { rvcr::open() }", true),
        ("no cassette", "cassettes", "fn a() { \"cassettesque\" }", false),
        (
            "a fixture that is included",
            "fixtures",
            "const A: &str = include_str!(\"../fixtures/a.txt\");",
            true,
        ),
        ("a fixture that is built", "fixtures", "fn a() { order_fixture() }", true),
        ("a fixture by its path", "fixtures", "#[path = \"fixtures/a.rs\"] mod a;", true),
        ("no fixture", "fixtures", "fn a() { \"affixtures\"; prefix() }", false),
        ("another preset", "fixtures", "fn a() { FakeClock::new() }", false),
    ];
    for (case, deny, source, expected) in table {
        let files = [
            ("tests/a.rs", *source),
            ("tests/fixtures/a.rs", ""),
            (GROUPS, "[suite.unit]\nfiles = ['tests/a.rs']\n"),
        ];
        let seen = run(&CLASSIFICATION, &config(deny), &files);
        assert!(seen.error().is_none(), "{case}: {:?}", seen.messages);
        assert_eq!(seen.codes.contains(&"suite_leak".to_owned()), *expected, "{case}");
    }
    let seen = run(&CLASSIFICATION, &config("mocks"), &[(GROUPS, "")]);
    assert!(
        seen.error().is_some_and(|error| error.code.starts_with("config_")),
        "an unknown preset"
    );
}
