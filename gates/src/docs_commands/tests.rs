//! Tables over the kind of commands.

use super::{teeth::*, *};
use portcullis::testing::{Bench, Seen};

fn seen(config: &str, page: &str) -> Seen {
    let files =
        [MANIFEST, LIB, MAIN, BENCH, SLOW, CLI, GATES, ALIASES, ("a.md", page), (".ci/run", "")];
    let bench = Bench::new(&DOCS_COMMANDS, config).policy(POLICY.1);
    files.iter().fold(bench, |bench, (path, text)| bench.file(path, text.as_bytes())).run()
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&DOCS_COMMANDS), Vec::<String>::new());
}

/// All commands of a table are in one document, because each reading asks cargo.
fn lines_found(config: &str, commands: &[&str]) -> Vec<String> {
    let page = format!("```sh\n{}\n```\n", commands.join("\n"));
    let seen = seen(config, &page);
    assert!(seen.error().is_none(), "{:?}", seen.messages);
    let line = |finding: &Finding| finding.location.as_ref().map_or(0, |at| at.line);
    let mut lines: Vec<usize> =
        seen.looked.findings.iter().map(|finding| line(finding) as usize).collect();
    // A line of several commands may have several findings.
    lines.dedup();
    lines
        .into_iter()
        .filter_map(|line| commands.get(line.checked_sub(2)?))
        .map(|text| (*text).to_owned())
        .collect()
}

#[test]
fn what_exists_resolves() {
    let commands = [
        "cargo test",
        "cargo test --workspace --all-targets",
        "cargo test --test cli",
        "cargo test --test=cli deep",
        "cargo test --test 'c*'",
        "cargo test --test cli -- deep::starts --exact --nocapture",
        "cargo test --test cli -- starts -- --nocapture",
        "cargo test --test cli -- --test-threads 1 --skip nothing",
        "cargo test tests::inner -- --exact",
        "cargo test --lib inner",
        "cargo test --test gates -- budget --exact",
        "cargo test --test gates -- full_suite_gate --nocapture --exact",
        "cargo test --test slow --features extra -- waits",
        "cargo test --test slow --all-features",
        "cargo +nightly --quiet test -p a --features a/extra",
        "cargo nextest run --test cli -E 'test(x)' starts",
        "cargo nextest list",
        "cargo run",
        "cargo run -p a -- anything here",
        "cargo run --bin a",
        "cargo bench --bench speed -- --anything",
        "cargo x anything",
        "cargo gate",
        "cargo gate --quiet list",
        "cargo gate explain whatever",
        "cargo fmt --all --check",
        "cargo build --manifest-path ./Cargo.toml",
        "cargo install cargo-anything",
        "bash .ci/run",
        "bash -euo pipefail .ci/run",
        "./.ci/run --fast",
        "sh -c 'cargo test --test cli && git diff'",
        "VCR_MODE=playback RUST_LOG= env A=b cargo test --test cli",
        "git diff | cargo gate list > out.txt 2>&1",
        "export A=b",
    ];
    assert_eq!(lines_found(CONFIG, &commands), Vec::<String>::new());
}

#[test]
fn what_does_not_exist_is_found() {
    let commands = [
        "cargo test --test gone",
        "cargo test --test=gone",
        "cargo test --test 'g?ne'",
        "cargo test --test a",
        "cargo test --test cli -- gone",
        "cargo test --test cli -- starts --exact",
        "cargo test --test cli -- deep gone",
        "cargo test --test cli budget",
        "cargo test --test gates -- preflight --exact",
        "cargo test --lib starts",
        "cargo test --test slow",
        "cargo test --test slow --features default",
        "cargo test --features gone",
        "cargo test -p gone",
        "cargo test --test",
        "cargo nextest rnu",
        "cargo nextest run --test gone",
        "cargo run --bin gone",
        "cargo run -p gone",
        "cargo bench --bench gone",
        "cargo gate lits",
        "cargo tset",
        "cargo",
        "cargo build --manifest-path gone/Cargo.toml",
        "bash .ci/gone",
        "bash",
        "./gone",
        "/usr/bin/gone",
        "sh -c 'cargo test --test gone'",
        "true && cargo test --test gone || true",
        "gti diff",
        "A=$(b) cargo test",
        "for x in y; do cargo test; done",
    ];
    assert_eq!(lines_found(CONFIG, &commands), commands);
}

#[test]
fn a_finding_has_its_line_and_a_near_name() {
    let page = "x\n\n- y\n  ```console\n  $ cargo test \\\n      --test cil\n  running\n  ```\n\n`cargo bench --bench sped`\n";
    let seen = seen(CONFIG, page);
    let found: Vec<(u32, Option<&str>)> = seen
        .looked
        .findings
        .iter()
        .map(|found| (found.location.as_ref().map_or(0, |at| at.line), found.expected.as_deref()))
        .collect();
    assert_eq!(found, [(5, Some("did you mean `cli`?")), (10, Some("did you mean `speed`?"))]);
    assert_eq!(seen.examined, 2);
}

#[test]
fn expansions_can_be_allowed() {
    let config = format!("{CONFIG}\nexpansions = 'allow'");
    let commands = ["cargo test --test $SUITE", "cargo test --test cli -- \"$FILTER\"", "$TOOL x"];
    assert_eq!(lines_found(&config, &commands), ["$TOOL x"]);
    assert_eq!(lines_found(CONFIG, &commands), commands);
}

#[test]
fn stated_trials_stand_for_a_harness_of_its_own() {
    let config = format!("{CONFIG}\ntrials = {{ cli = ['generated_7'] }}");
    let commands =
        ["cargo test --test cli -- generated_7 --exact", "cargo test --test cli -- starts"];
    assert_eq!(lines_found(&config, &commands), ["cargo test --test cli -- starts"]);
}

#[test]
fn lists_that_match_nothing_are_refused() {
    for rest in [
        "languages = []",
        "inline = [' ']",
        "subcommands = { 'cargo x' = [] }",
        "program = ['git']",
    ] {
        let config = format!("documents = ['*.md']\n{rest}");
        let seen = seen(&config, "```sh\ncargo test\n```\n");
        assert!(seen.error().is_some_and(|error| error.code.starts_with("config_")), "{rest}");
    }
}
