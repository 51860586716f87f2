//! Tables over the command kind.

use super::*;
use portcullis::testing::{Bench, run};

const TREE: &[(&str, &str)] = &[("README.md", "# a\n")];

#[test]
fn exits_output_and_side_effects_are_held_to_the_gate() {
    let table: &[(&str, &str, &[&str], u64)] = &[
        ("exit and tree are two assertions", "argv = ['git', '--version']", &[], 2),
        (
            "each pattern is one more",
            "argv = ['git', '--version']\nstdout_matches = ['git', 'version']\nstderr_forbids = ['x']",
            &[],
            5,
        ),
        (
            "a required line must be on the right stream",
            "argv = ['git', '--version']\nstderr_matches = ['^git']",
            &["output_contract_broken"],
            3,
        ),
        (
            "two broken promises are two findings",
            "argv = ['git', 'no-such-verb']\nstdout_matches = ['x']",
            &["unexpected_exit", "output_contract_broken"],
            3,
        ),
        (
            "a declared glob does not cover another file",
            "argv = ['git', 'config', '--file', 'made.txt', 'a.b', 'c']\nside_effects = ['other/**']",
            &["undeclared_side_effect"],
            2,
        ),
        (
            "a file outside the watched globs is not compared",
            "argv = ['git', 'config', '--file', 'made.txt', 'a.b', 'c']\nwatch = ['*.md']",
            &[],
            2,
        ),
    ];
    for (case, config, expected, examined) in table {
        let seen = run(&COMMAND, config, TREE);
        assert_eq!(seen.codes, *expected, "{case}");
        assert_eq!(seen.examined, *examined, "{case}");
    }
}

#[test]
fn a_configuration_that_hides_its_command_is_refused() {
    let table: &[(&str, &str)] = &[
        ("no program", "argv = []"),
        ("an empty program", "argv = ['']"),
        ("a path", "argv = ['./check.sh']"),
        ("a shell line", "argv = ['sh', '-c', 'false || true']"),
        ("a shell line with other flags", "argv = ['bash', '-e', '-c', 'x']"),
        ("no exit is right", "argv = ['git']\nexpected_exit = []"),
        ("a variable with a bad name", "argv = ['git']\nenv = { 'A-B' = 'x' }"),
        ("a variable set and passed", "argv = ['git']\nenv = { A = 'x' }\npass_env = ['A']"),
        ("an unknown key", "argv = ['git']\nshell = true"),
        ("an empty pattern", "argv = ['git']\nstdout_forbids = ['']"),
    ];
    for (case, config) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((COMMAND.prepare)(&table).is_err(), "{case}");
    }
    let table = GateTable::from_toml("gate", "argv = ['sh', 'scripts/check.sh']").expect("a table");
    assert!((COMMAND.prepare)(&table).is_ok(), "a script file is an argument like any other");
}

#[test]
fn an_absent_tool_is_a_typed_skip() {
    let seen = run(&COMMAND, "argv = ['portcullis-no-such-tool']", TREE);
    assert_eq!(seen.outcome, portcullis::wire::outcome::Outcome::Skip);
}

#[cfg(unix)]
#[test]
fn a_command_that_hangs_is_killed_and_is_an_error() {
    let seen = run(&COMMAND, "timeout = '1s'\nargv = ['sleep', '600']", TREE);
    assert_eq!(seen.code.as_deref(), Some("command_timed_out"));
}

#[cfg(unix)]
#[test]
fn only_named_variables_reach_the_command() {
    let table: &[(&str, &str, bool)] = &[
        ("nothing by default", "argv = ['env']\nstdout_matches = ['^PORTCULLIS_X=']", false),
        (
            "what the gate sets",
            "argv = ['env']\nenv = { PORTCULLIS_X = '1' }\nstdout_matches = ['^PORTCULLIS_X=1$']",
            true,
        ),
    ];
    for (case, config, expected) in table {
        assert_eq!(run(&COMMAND, config, TREE).codes.is_empty(), *expected, "{case}");
    }
}

#[test]
fn a_file_that_git_ignores_may_change() {
    let config = "argv = ['git', 'config', '--file', 'made.txt', 'a.b', 'c']";
    for (ignored, expected) in [("made.txt\n", 0), ("other.txt\n", 1)] {
        let seen = Bench::new(&COMMAND, config).file(".gitignore", ignored.as_bytes()).git().run();
        assert_eq!(seen.codes.len(), expected, "{ignored:?}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&COMMAND), Vec::<String>::new());
}
