//! Tables over the kind of doubles, and the document it writes.

use super::{teeth::*, *};
use portcullis::testing::{Seen, run};
use serde_json::Value;

fn inventory(seen: &Seen) -> Value {
    let bytes = seen.artifacts.get(inventory::NAME).expect("an inventory");
    serde_json::from_slice(bytes).expect("JSON")
}

/// Line, test, identifier and kind of each entry of `tests/cli.rs`.
fn rows(cli: &str, config: &str) -> Vec<(u64, String, String, String)> {
    let seen = run(&TEST_DOUBLES, config, &[MANIFEST, LIB, GROUPS, ("tests/cli.rs", cli)]);
    assert!(seen.error().is_none(), "{:?}", seen.messages);
    let document = inventory(&seen);
    let entries = document["entries"].as_array().expect("entries").clone();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    entries
        .iter()
        .map(|entry| {
            (
                entry["line"].as_u64().expect("a line"),
                text(entry, "test"),
                text(entry, "identifier"),
                text(entry, "kind"),
            )
        })
        .collect()
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&TEST_DOUBLES), Vec::<String>::new());
}

#[test]
fn doubles_are_found_however_they_are_written() {
    /// The case, the source, and line, test, identifier and kind of each entry.
    type Row =
        (&'static str, &'static str, &'static [(u64, &'static str, &'static str, &'static str)]);
    let table: &[Row] = &[
        (
            "a definition",
            "#[test] fn a() {}\nstruct FakeClock;",
            &[(2, "-", "FakeClock", "definition")],
        ),
        (
            "at the end of a name",
            "#[test] fn a() {}\nstruct ClockStub;",
            &[(2, "-", "ClockStub", "definition")],
        ),
        (
            "in a test",
            "#[test]\nfn a() {\n let b = c::SpyPort::new();\n SpyPort::new() }",
            &[(3, "a", "SpyPort", "use")],
        ),
        (
            "in two tests",
            "#[test] fn a() { MockA }\nmod m {\n#[test] fn b() { MockA } }",
            &[(1, "a", "MockA", "use"), (3, "m::b", "MockA", "use")],
        ),
        (
            "imported and renamed",
            "use x::MockA as A;\n#[test] fn a() { A::new() }",
            &[(1, "-", "MockA", "import"), (2, "a", "MockA", "use")],
        ),
        (
            "imported below",
            "#[test] fn a() { A::new() }\nuse x::{MockA as A};",
            &[(1, "a", "MockA", "use"), (2, "-", "MockA", "import")],
        ),
        (
            "a crate",
            "use mockall::automock;\n#[test] fn a() {\n automock() }",
            &[(1, "-", "mockall", "crate"), (3, "a", "mockall", "crate")],
        ),
        (
            "a crate in full",
            "#[test] fn a() { mockito::Server::new() }",
            &[(1, "a", "mockito", "crate")],
        ),
        (
            "an attribute",
            "#[mockall::automock] trait A {}\n#[test] fn a() {}",
            &[(1, "-", "mockall", "crate")],
        ),
        ("in a macro call", "#[test] fn a() { m![MockA] }", &[(1, "a", "MockA", "use")]),
        (
            "in a generated test",
            "proptest! { #[test] fn a(b in c) { MockA } }",
            &[(1, "a", "MockA", "use")],
        ),
        (
            "a helper outside of tests",
            "#[test] fn a() { b() }\nfn b() { MockA }",
            &[(2, "-", "MockA", "use")],
        ),
        ("a comment and a text", "// MockA\n/// FakeB\n#[test] fn a() { \"StubC\" }", &[]),
        ("another name", "#[test] fn a() { Amockery; mock; b.fakes }", &[]),
    ];
    for (case, source, expected) in table {
        let seen = rows(source, "allowed_suites = ['unit']");
        let seen: Vec<(u64, &str, &str, &str)> = seen
            .iter()
            .map(|(line, test, name, kind)| (*line, test.as_str(), name.as_str(), kind.as_str()))
            .collect();
        assert_eq!(seen, *expected, "{case}");
    }
}

#[test]
fn names_and_crates_can_be_stated() {
    assert_eq!(
        rows(
            "#[test] fn a() { fixture_x; MockA }",
            "allowed_suites = ['unit']\nnames = ['fixture_*']"
        )
        .len(),
        1
    );
    assert_eq!(
        rows(
            "#[test] fn a() { fixture_x; MockA }",
            "allowed_suites = ['unit']\nmore_names = ['fixture_*']"
        )
        .len(),
        2
    );
    assert_eq!(
        rows(
            "#[test] fn a() { pretend::b() }",
            "allowed_suites = ['unit']\nmore_crates = ['pretend']"
        )
        .len(),
        1
    );
}

#[test]
fn the_inventory_is_complete_and_counted() {
    let seen = run(&TEST_DOUBLES, PLAIN, &[MANIFEST, LIB, GROUPS, MOCKED, WIRE]);
    let document = inventory(&seen);
    assert_eq!(document["schema"], "portcullis.test_double_inventory.v1");
    assert_eq!(
        document["entries"][0],
        serde_json::json!({"file": "tests/cli.rs", "line": 3, "suite": "unit", "module": "cli", "test": "a", "identifier": "MockServer", "kind": "use"})
    );
    assert_eq!(document["entries"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        document["modules"]["wire"],
        serde_json::json!({"doubles": 2, "tests": 2, "tests_with_doubles": 1})
    );
    assert_eq!(
        document["suites"]["unit"],
        serde_json::json!({"doubles": 1, "tests": 2, "tests_with_doubles": 1})
    );
    assert_eq!(seen.codes, ["double_unlisted"]);
    assert_eq!(seen.examined, 4);
}

#[test]
fn only_what_test_builds_have_is_searched_in_code() {
    let table: &[(&str, &str, &str, usize)] = &[
        (
            "outside of tests",
            "pub struct MockA;\n#[cfg(test)] mod tests { #[test] fn a() {} }",
            "",
            0,
        ),
        ("a test module", "#[cfg(test)] mod tests { struct MockA; #[test] fn a() {} }", "", 1),
        (
            "a test import",
            "#[cfg(test)] use x::MockA;\n#[cfg(test)] mod tests { #[test] fn a() {} }",
            "",
            1,
        ),
        (
            "a condition that may be met elsewhere",
            "#[cfg(any(test, unix))] use x::MockA;\n#[test] fn a() {}",
            "",
            0,
        ),
        (
            "within a module",
            "mod m { #[cfg(test)] mod tests { struct MockA; #[test] fn a() {} } }",
            "",
            1,
        ),
        (
            "a file of its own",
            "#[cfg(test)] mod tests;",
            "mod deep { struct MockA; }\n#[test] fn a() {}",
            1,
        ),
        ("a file of its own, not for tests", "mod tests;", "struct MockA;\n#[test] fn a() {}", 0),
    ];
    for (case, lib, module, expected) in table {
        let files = [MANIFEST, GROUPS, ("src/lib.rs", *lib), ("src/tests.rs", *module)];
        let seen = run(&TEST_DOUBLES, PLAIN, &files);
        assert!(seen.error().is_none(), "{case}: {:?}", seen.messages);
        assert_eq!(seen.codes, vec!["double_unlisted"; *expected], "{case}");
    }
}

#[test]
fn floors_count_the_module_and_what_is_below_it() {
    let floor = |rest: &str| format!("allowed_suites = ['unit', 'vcr']\nfloors = [{{ {rest} }}]");
    let source =
        "mod parse { #[test] fn a() { MockA; MockB } #[test] fn b() {} #[test] fn c() {} }\n";
    let table: &[(&str, &str, &[&str])] = &[
        ("as many as allowed", "module = 'cli', max_doubles = 2", &[]),
        ("one too many", "module = 'cli', max_doubles = 1", &["double_floor_broken"]),
        ("two of three are 66 percent", "module = 'cli', min_real_percent = 66", &[]),
        (
            "two of three are not 67 percent",
            "module = 'cli', min_real_percent = 67",
            &["double_floor_broken"],
        ),
        (
            "both",
            "module = 'cli', max_doubles = 0, min_real_percent = 100",
            &["double_floor_broken"; 2],
        ),
        ("a beginning is no module", "module = 'cl', max_doubles = 9", &["double_floor_unmatched"]),
    ];
    for (case, rest, expected) in table {
        let files = [MANIFEST, LIB, GROUPS, ("tests/cli.rs", source)];
        assert_eq!(run(&TEST_DOUBLES, &floor(rest), &files).codes, *expected, "{case}");
    }
}

#[test]
fn suites_decide_where_doubles_may_be() {
    let groups = |text: &'static str| ("suite_classification.toml", text);
    let table: &[(&str, &str, &[&str])] = &[
        ("an allowed suite", "[suite.vcr]\ntargets = ['cli']", &[]),
        ("with its package", "[suite.vcr]\ntargets = ['a/cli']", &[]),
        ("another suite", "[suite.unit]\ntargets = ['cli']", &["double_unlisted"]),
        ("no suite", "[suite.vcr]\ntargets = []", &["double_unlisted"]),
    ];
    for (case, text, expected) in table {
        let seen = run(&TEST_DOUBLES, PLAIN, &[MANIFEST, LIB, groups(text), MOCKED]);
        assert_eq!(seen.codes, *expected, "{case}");
    }
}

#[test]
fn lists_without_a_plan_are_refused() {
    let table: &[(&str, &str)] = &[
        (
            "no plan",
            "allow = [{ path = 'a.rs', token = 'MockA', owner = 'o', expires = 2026-06-30, replacement = 'soon' }]",
        ),
        (
            "no owner",
            "allow = [{ path = 'a.rs', token = 'MockA', owner = ' ', expires = 2026-06-30, replacement = 'a recorded cassette of the server' }]",
        ),
        (
            "a text for a day",
            "allow = [{ path = 'a.rs', token = 'MockA', owner = 'o', expires = '2026-06-30', replacement = 'a recorded cassette of the server' }]",
        ),
        ("a floor of nothing", "floors = [{ module = 'a' }]"),
        ("above all", "floors = [{ module = 'a', min_real_percent = 101 }]"),
        ("nothing is a double", "names = []\ncrates = []"),
        ("a pattern", "names = ['Mo*ck']"),
        ("a path", "more_names = ['a::Mock']"),
    ];
    for (case, config) in table {
        let seen = run(&TEST_DOUBLES, config, &[MANIFEST, LIB, GROUPS, CLI]);
        assert!(
            seen.error().is_some_and(|error| error.code.starts_with("config_")),
            "{case}: {:?}",
            seen.code
        );
    }
}
