//! Tables over the tool identity.

use super::*;
use portcullis::{Outcome, testing::run};

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
    for (case, config) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((TOOL_IDENTITY.prepare)(&table).is_err(), "{case}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&TOOL_IDENTITY), Vec::<String>::new());
}
