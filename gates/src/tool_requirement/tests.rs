//! Tables over tools that are there, absent and too old.

use super::*;
use portcullis::{Outcome, testing::Bench};

const ABSENT: &str = "portcullis-no-such-tool";

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&TOOL_REQUIREMENT), Vec::<String>::new());
}

#[test]
fn absence_fails_where_it_may_not_be_skipped() {
    let table: &[(&str, &str, Lane, &str, Outcome)] = &[
        ("nothing is said", "", Lane::Main, "", Outcome::Warn),
        ("it fails everywhere", "on_missing = 'fail'", Lane::Local, "", Outcome::Fail),
        ("a lane that needs it", "must_not_skip = ['main']", Lane::Main, "", Outcome::Fail),
        ("another lane", "must_not_skip = ['main']", Lane::Pr, "", Outcome::Warn),
        (
            "a job that needs it",
            "must_not_skip = ['integration']",
            Lane::Pr,
            "integration",
            Outcome::Fail,
        ),
        ("another job", "must_not_skip = ['integration']", Lane::Pr, "unit", Outcome::Warn),
        (
            "the lane wins",
            "on_missing = 'skip_loud', must_not_skip = ['pr']",
            Lane::Pr,
            "",
            Outcome::Fail,
        ),
    ];
    for (case, more, lane, job, expected) in table {
        let comma = if more.is_empty() { "" } else { ", " };
        let config = format!("tool = [{{ name = '{ABSENT}'{comma}{more} }}]");
        let seen = Bench::new(&TOOL_REQUIREMENT, &config).lane(*lane).env("GITHUB_JOB", job).run();
        assert_eq!(seen.outcome, *expected, "{case}: {:?}", seen.messages);
        assert_eq!(seen.messages, [format!("{ABSENT} not on PATH — SKIPPED LOUD")], "{case}");
    }
}

#[test]
fn the_preflight_has_a_line_for_each_tool_in_order() {
    let config = format!("tool = [{{ name = '{ABSENT}' }}, {{ name = 'git' }}]");
    let seen = Bench::new(&TOOL_REQUIREMENT, &config).git().run();
    let text = String::from_utf8(seen.artifacts["tool_preflight.txt"].clone()).expect("a text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("MISSING: {ABSENT}"));
    assert!(lines[1].starts_with("found: git 2."), "{text}");
    assert_eq!(lines.len(), 2);
    assert_eq!(seen.examined, 2);
}

#[test]
fn skips_stay_within_the_budget_of_the_lane() {
    let log = format!("target/portcullis/runs/bench/{}", skip_file(ABSENT));
    let table: &[(&str, &str, usize, Outcome)] = &[
        ("none", "", 0, Outcome::Warn),
        ("one in a lane that is not named", "skip_budget = { local = 9 }", 1, Outcome::Fail),
        ("within the budget", "skip_budget = { pr = 2 }", 2, Outcome::Warn),
        ("over the budget", "skip_budget = { pr = 2 }", 3, Outcome::Fail),
    ];
    for (case, budget, n, expected) in table {
        let config = format!("tool = [{{ name = '{ABSENT}' }}]\n{budget}");
        let text = "a::b:1\n".repeat(*n);
        let seen =
            Bench::new(&TOOL_REQUIREMENT, &config).lane(Lane::Pr).file(&log, text.as_bytes()).run();
        assert_eq!(seen.outcome, *expected, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn versions_are_found_in_what_tools_say() {
    let table: &[(&str, Option<&str>)] = &[
        ("git version 2.47.3.windows.1", Some("2.47.3")),
        ("tmux 3.4", Some("3.4.0")),
        ("tmux 3.3a", Some("3.3.0")),
        ("jq-1.7.1", Some("1.7.1")),
        ("v20.11.0", Some("20.11.0")),
        ("cargo-nextest 0.9.143 (60fa45f63 2026-08-04)", Some("0.9.143")),
        ("gh version 2.40.1 (2023-12-13)", Some("2.40.1")),
        ("GNU Make 4.4", Some("4.4.0")),
        ("no number", None),
    ];
    for (line, expected) in table {
        let seen = version_in(line).map(|version| version.to_string());
        assert_eq!(seen.as_deref(), *expected, "{line}");
    }
}

#[test]
fn a_table_that_asks_nothing_is_refused() {
    let table: &[(&str, &str)] = &[
        ("no tool", "tool = []"),
        ("a tool twice", "tool = [{ name = 'git' }, { name = 'git' }]"),
        ("a path", "tool = [{ name = './git' }]"),
        ("a probe of another program", "tool = [{ name = 'git', probe = ['jq', '--version'] }]"),
        ("no version", "tool = [{ name = 'git', version = 'new' }]"),
        ("a budget of no lane", "tool = [{ name = 'git' }]\nskip_budget = { nightly = 1 }"),
    ];
    for (case, config) in table {
        let seen = Bench::new(&TOOL_REQUIREMENT, config).run();
        assert_eq!(seen.code.as_deref(), Some("config_invalid"), "{case}");
    }
}
