//! Tables over the tool identity.

use super::*;
use portcullis::{
    Outcome,
    testing::{Bench, run},
};

#[test]
fn an_answer_is_judged_by_its_lines() {
    let table: &[(&str, &str, &[&str])] = &[
        ("right answer", "probe = ['--version']\nmust_match = ['^git version']", &[]),
        (
            "a failing probe",
            "probe = ['no-such-verb']\nmust_match = ['no-such-verb']",
            &["tool_identity_mismatch"],
        ),
        (
            "no version in the answer",
            "probe = ['--version']\nmust_match = ['git']\nmin_version = '1'\nversion_pattern = 'release ([0-9]+)'",
            &["tool_identity_mismatch"],
        ),
    ];
    for (case, body, expected) in table {
        let seen =
            run(&TOOL_IDENTITY, &format!("candidates = ['git']\non_absent = 'fail'\n{body}"), &[]);
        assert_eq!(seen.codes, *expected, "{case}");
        assert_eq!(seen.examined, 1, "{case}");
    }
}

#[cfg(unix)]
#[test]
fn fg53_a_stub_that_always_exits_with_0_is_not_the_tool() {
    let config = "candidates = ['true']\nprobe = ['--no-such-flag']\nmust_match = ['^node$']\non_absent = 'skip'";
    assert_eq!(run(&TOOL_IDENTITY, config, &[]).codes, ["tool_identity_mismatch"]);
}

#[test]
fn absence_is_a_skip_or_a_finding_as_the_policy_says() {
    for (on_absent, outcome) in [("skip", Outcome::Skip), ("fail", Outcome::Fail)] {
        let config = format!(
            "candidates = ['portcullis-no-such-tool']\nprobe = ['-v']\nmust_match = ['x']\non_absent = '{on_absent}'"
        );
        assert_eq!(run(&TOOL_IDENTITY, &config, &[]).outcome, outcome, "{on_absent}");
    }
}

#[test]
fn absence_is_excused_on_a_desk_and_not_in_ci() {
    let config =
        "preset = 'node'\ncandidates = ['portcullis-no-such-tool']\non_absent = 'fail_in_ci'";
    let table: &[(&str, Outcome)] = &[
        ("", Outcome::Skip),
        ("false", Outcome::Skip),
        ("true", Outcome::Fail),
        ("1", Outcome::Fail),
    ];
    for (ci, expected) in table {
        let seen = Bench::new(&TOOL_IDENTITY, config).env("CI", ci).run();
        assert_eq!(seen.outcome, *expected, "{ci:?}");
        if *expected == Outcome::Fail {
            assert_eq!(seen.codes, ["node_runtime_unavailable_or_shimmed"]);
        }
    }
}

#[test]
fn what_comes_first_is_what_must_be_there() {
    let config =
        "preset = 'node'\nthrough = ['portcullis-no-such-tool', 'run']\non_absent = 'skip'";
    assert_eq!(run(&TOOL_IDENTITY, config, &[]).outcome, Outcome::Skip);
    // With git in front, `node` is a verb that git does not know.
    let config = "preset = 'node'\nthrough = ['git']\non_absent = 'skip'";
    let seen = run(&TOOL_IDENTITY, config, &[]);
    assert_eq!(seen.code.as_deref(), Some("node_runtime_unavailable_or_shimmed"));
}

#[test]
fn the_first_candidate_that_is_there_is_asked() {
    let config = "candidates = ['portcullis-no-such-tool', 'git', 'cargo']\nprobe = ['--version']\n\
                  must_match = ['^git version']\non_absent = 'fail'";
    assert_eq!(run(&TOOL_IDENTITY, config, &[]).codes, Vec::<String>::new());
}

#[test]
fn a_question_that_a_stub_would_answer_is_refused() {
    let table: &[(&str, &str)] = &[
        (
            "no required answer",
            "candidates = ['a']\nprobe = ['-v']\nmust_match = []\non_absent = 'skip'",
        ),
        ("no question", "candidates = ['a']\nprobe = []\nmust_match = ['x']\non_absent = 'skip'"),
        ("no tool", "candidates = []\nprobe = ['-v']\nmust_match = ['x']\non_absent = 'skip'"),
        ("a path", "candidates = ['./a']\nprobe = ['-v']\nmust_match = ['x']\non_absent = 'skip'"),
        ("absence undecided", "candidates = ['a']\nprobe = ['-v']\nmust_match = ['x']"),
        (
            "a version without pattern",
            "candidates = ['a']\nprobe = ['-v']\nmust_match = ['x']\non_absent = 'skip'\nmin_version = '1'",
        ),
        (
            "a pattern without group",
            "candidates = ['a']\nprobe = ['-v']\nmust_match = ['x']\non_absent = 'skip'\nmin_version = '1'\nversion_pattern = 'v'",
        ),
        (
            "not a version",
            "candidates = ['a']\nprobe = ['-v']\nmust_match = ['x']\non_absent = 'skip'\nmin_version = 'new'\nversion_pattern = '(v)'",
        ),
    ];
    let more: &[(&str, &str)] = &[
        ("an unknown preset", "preset = 'deno'\non_absent = 'skip'"),
        ("a preset with a question", "preset = 'node'\nprobe = ['-v']\non_absent = 'skip'"),
        ("a preset with a pattern", "preset = 'node'\nmust_match = ['x']\non_absent = 'skip'"),
        ("a preset without candidates", "preset = 'node'\ncandidates = []\non_absent = 'skip'"),
        ("a preset through a path", "preset = 'node'\nthrough = ['./bun']\non_absent = 'skip'"),
        ("neither preset nor candidates", "probe = ['-v']\nmust_match = ['x']\non_absent = 'skip'"),
    ];
    for (case, config) in table.iter().chain(more) {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((TOOL_IDENTITY.prepare)(&table).is_err(), "{case}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&TOOL_IDENTITY), Vec::<String>::new());
}
