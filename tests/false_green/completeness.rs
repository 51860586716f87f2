//! The corpus itself: no number is silently absent, and its table names tests and fixtures that exist.

use super::sample::fixture;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// The numbers of the corpus (`security.md`, section 3).
const NUMBERS: std::ops::RangeInclusive<u32> = 1..=78;

/// Numbers that nothing here provokes yet, and what they wait for.
const LATER: &[(u32, &str)] = &[];

const SOURCES: &[&str] = &[
    include_str!("../../cli/src/annotation.rs"),
    include_str!("../../cli/src/export/tests.rs"),
    include_str!("../../cli/tests/run/merge.rs"),
    include_str!("../../cli/tests/run/subject.rs"),
    include_str!("census.rs"),
    include_str!("harness.rs"),
    include_str!("kinds.rs"),
    include_str!("nextest.rs"),
    include_str!("receipts.rs"),
    include_str!("runner.rs"),
    include_str!("waivers.rs"),
];

/// The tests by the number in their name.
fn tests() -> BTreeMap<u32, Vec<&'static str>> {
    let mut found: BTreeMap<u32, Vec<&'static str>> = BTreeMap::new();
    for source in SOURCES {
        let mut lines = source.lines();
        while let Some(line) = lines.next() {
            if line.trim() != "#[test]" {
                continue;
            }
            let name = lines.next().and_then(|line| line.trim().strip_prefix("fn "));
            let name = name.and_then(|rest| rest.split('(').next()).expect("a test has a name");
            if let Some(number) = name.strip_prefix("fg").and_then(|rest| rest.get(..2)) {
                found.entry(number.parse().expect("two digits")).or_default().push(name);
            }
        }
    }
    found
}

#[test]
fn every_number_is_proven_or_waits_for_a_stated_reason() {
    let tests = tests();
    let later: BTreeMap<u32, &str> = LATER.iter().copied().collect();
    assert_eq!(later.len(), LATER.len(), "a number stands in the table twice");
    for number in NUMBERS {
        match (tests.get(&number), later.get(&number)) {
            (Some(_), None) => {}
            (None, Some(reason)) => assert!(reason.len() > 10, "FG-{number:02} without a reason"),
            (None, None) => panic!("FG-{number:02} has no test, and no reason to wait"),
            (Some(tests), Some(_)) => panic!("FG-{number:02} waits no longer: {tests:?}"),
        }
    }
    let unknown: Vec<&u32> = tests.keys().filter(|number| !NUMBERS.contains(number)).collect();
    assert!(unknown.is_empty(), "no such numbers: {unknown:?}");
}

#[test]
fn the_table_names_every_test_and_fixture() {
    let readme = fs::read_to_string(fixture("README.md")).expect("the table");
    let mut named = BTreeSet::new();
    for row in readme.lines().filter(|line| line.starts_with("| FG-")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let number: u32 = cells[1].trim_start_matches("FG-").parse().expect("a number");
        for folder in cells[2].split('`').filter(|word| word.ends_with('/')) {
            assert!(fixture(folder).is_dir(), "{row}: no folder `{folder}`");
        }
        for test in cells[3].split('`').filter(|word| word.starts_with("fg")) {
            named.insert((number, test.to_owned()));
        }
    }
    let tests = tests();
    let expected: BTreeSet<(u32, String)> = tests
        .iter()
        .flat_map(|(number, tests)| tests.iter().map(|test| (*number, (*test).to_owned())))
        .collect();
    assert_eq!(named, expected, "the table in fixtures/false_green/README.md, and the tests");
    for folder in fixture("").read_dir().expect("fixtures").map(|entry| entry.expect("an entry")) {
        let name = folder.file_name().to_str().expect("a name").to_owned();
        let known = name == "README.md" || readme.contains(&format!("`{name}/`"));
        assert!(known, "`{name}` is in no row of the table");
    }
}
