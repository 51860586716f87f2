//! `ci generate` and `ci check` over a small repository: the same bytes every time, nothing of anybody overwritten, every
//! gate over workflows silent on the result, and every fault that is planted into it found.

use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const FOLDER: &str = ".github/workflows";
const CHANGES: &str = "portcullis.yml";
const NIGHTLY: &str = "portcullis-nightly.yml";
const COMMENT: &str = "portcullis-comment.yml";

const POLICY: &str = r#"[policy]
version = 1
owner = "o"
binary = "gates"

[[gate]]
id = "frozen_contracts"
kind = "contract_freeze"
title = "t"
surface = [{ id = "s", provider = "config_values", source = "values.toml", select = ["/a"], snapshot = "values.json" }]

[[gate]]
id = "no_foreign_crates"
kind = "dependency_fence"
title = "t"
fence = [{ id = "f", deny = ["openssl-sys"] }]

[canary.quick]
lane = "advisory"
method = "paired"
adapter = "process"
argv = ["./bench.sh"]
roster = ["whole"]
comment_pct = 50
pairs = 10
proof = { stdout = "done" }

[canary.nightly]
lane = "nightly_gating"
method = "two_sample"
adapter = "process"
argv = ["./bench.sh"]
roster = ["whole"]
baseline = "benches/baselines/nightly.json"
comment_pct = 50
fail_pct = 100
runs = 17
proof = { stdout = "done" }
"#;

const LANES: &str = r#"
[ci]
prepare = [["cargo", "fetch", "--locked"]]

[ci.pins]
"actions/checkout" = "08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
just = "1.42.4"

[[ci.job]]
id = "lint"
run = [["cargo", "fmt", "--all", "--check"], ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"], ["env", "RUSTDOCFLAGS=-D warnings", "cargo", "+stable", "doc", "--no-deps"]]
timeout_minutes = 8
toolchains = ["@rust-version", "stable"]

[[ci.job]]
id = "unit"
run = [["cargo", "nextest", "run", "--locked", "--workspace", "--no-fail-fast", "-E", "kind(lib) | kind(bin)"]]
timeout_minutes = 7
toolchains = ["@rust-version", "stable"]
serial = true
tools = ["cargo-nextest"]

[[ci.job]]
id = "integration"
run = [["cargo", "test", "--locked", "--no-fail-fast", "--test", "smoke"]]
timeout_minutes = 12
tools = ["just"]

[[ci.job]]
id = "load_bearing"
run = [["cargo", "test", "--locked", "--no-fail-fast", "--test", "load_bearing_clock"]]
timeout_minutes = 10
serial = true
needs = ["fence", "unit"]

[[ci.job]]
id = "bench"
run = [["cargo-portcullis", "canary", "measure", "quick"]]
timeout_minutes = 15

[[ci.job]]
id = "contract_freeze"
run = [["cargo", "test", "--locked", "--test", "gates", "--", "frozen_contracts", "--exact"]]
timeout_minutes = 5
"#;

/// Every file of the repository but the policy.
const FILES: [(&str, &str); 8] = [
    (
        "Cargo.toml",
        "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.89\"\n\n[workspace]\n\n[[bench]]\nname = \"speed\"\nharness = false\n",
    ),
    ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"sample\"\nversion = \"0.1.0\"\n"),
    ("src/lib.rs", "//! Sample.\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() {}\n}\n"),
    ("tests/gates.rs", "#[test]\nfn frozen_contracts() {}\n\n#[test]\nfn no_foreign_crates() {}\n"),
    ("tests/smoke.rs", "#[test]\nfn smoke() {}\n"),
    ("tests/load_bearing_clock.rs", "#[test]\nfn clock() {}\n"),
    ("benches/speed.rs", "fn main() {}\n"),
    ("values.toml", "a = 1\n"),
];

struct Repo(tempfile::TempDir);

impl Repo {
    fn new(policy: &str) -> Self {
        let repo = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in FILES {
            repo.put(name, text);
        }
        repo.put("portcullis.toml", policy);
        repo
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        let mut file = fs::File::create(path).expect("a file");
        file.write_all(text.as_bytes()).expect("written");
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(FOLDER).join(name)).expect("a workflow")
    }

    fn ci(&self, words: &[&str]) -> Output {
        ci(self.0.path(), words)
    }

    /// What a command says, on both streams, after it ended as it should.
    #[track_caller]
    fn ends(&self, words: &[&str], exit: i32) -> String {
        let output = self.ci(words);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{words:?}\n{text}");
        text
    }

    #[track_caller]
    fn generate(&self, more: &[&str]) -> String {
        self.ends(&[&["generate", "--provider", "github"], more].concat(), 0)
    }
}

#[expect(clippy::disallowed_methods, reason = "a test runs the program as a user does")]
fn ci(cwd: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-portcullis"))
        .arg("ci")
        .args(words)
        .current_dir(cwd)
        .env_remove("CI")
        .output()
        .expect("it starts")
}

fn repo() -> Repo {
    Repo::new(&format!("{POLICY}{LANES}"))
}

#[test]
fn the_same_policy_gives_the_same_bytes_and_the_check_finds_every_other() {
    let repo = repo();
    assert!(repo.ends(&["check"], 11).contains("ci_workflow_drift"));
    repo.generate(&["--shards", "3"]);
    let first: Vec<String> = [CHANGES, NIGHTLY, COMMENT].map(|name| repo.text(name)).to_vec();
    assert!(repo.generate(&["--shards", "3"]).contains("unchanged"));
    let second: Vec<String> = [CHANGES, NIGHTLY, COMMENT].map(|name| repo.text(name)).to_vec();
    assert_eq!(first, second);
    // What was asked for is known from the file.
    repo.ends(&["check"], 0);
    assert!(repo.ends(&["check", "--shards", "2"], 11).contains("+"));
    repo.put(&format!("{FOLDER}/{CHANGES}"), &first[0].replace('\n', "\r\n"));
    repo.ends(&["check"], 0);
    let edited = first[0].replace("timeout-minutes: 7", "timeout-minutes: 70");
    repo.put(&format!("{FOLDER}/{CHANGES}"), &edited);
    let said = repo.ends(&["check"], 11);
    for part in ["PC3080", "-    timeout-minutes: 70", "+    timeout-minutes: 7", CHANGES] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    // The wish in the header alone does not make another file.
    repo.put(&format!("{FOLDER}/{CHANGES}"), &first[0].replace("--shards 3", "--shards 1"));
    repo.ends(&["check"], 11);
    repo.generate(&["--shards", "3"]);
    // A workflow that is no longer asked for is left over, and goes.
    assert!(repo.ends(&["check", "--comments", "off"], 11).contains(COMMENT));
    repo.generate(&["--shards", "3", "--comments", "off"]);
    assert!(!repo.path(FOLDER).join(COMMENT).exists());
    repo.ends(&["check"], 0);
    fs::remove_file(repo.path(FOLDER).join(NIGHTLY)).expect("removed");
    assert!(repo.ends(&["check"], 11).contains(NIGHTLY));
    // The policy is what counts.
    repo.generate(&["--comments", "off"]);
    repo.put(
        "portcullis.toml",
        &format!("{POLICY}{LANES}").replace("timeout_minutes = 12", "timeout_minutes = 13"),
    );
    repo.ends(&["check"], 11);
}

#[test]
fn a_foreign_file_is_never_overwritten_and_then_none_is() {
    for (case, text) in [
        ("somebody's workflow", "name: mine\non: push\n"),
        (
            "the header further down",
            "name: mine\n# Generated by `cargo portcullis ci generate`: edits are found by `cargo portcullis ci check`.\n",
        ),
        ("an empty file", ""),
    ] {
        let repo = repo();
        repo.put(&format!("{FOLDER}/{NIGHTLY}"), text);
        for words in [&["--dry-run"][..], &[]] {
            let said = repo.ends(&[&["generate", "--provider", "github"], words].concat(), 3);
            assert!(said.contains("ci_file_foreign"), "{case}: {said}");
        }
        assert_eq!(repo.text(NIGHTLY), text, "{case}");
        assert!(!repo.path(FOLDER).join(CHANGES).exists(), "{case}");
        assert!(repo.ends(&["check"], 11).contains("ci_workflow_drift"), "{case}");
    }
    // With comments off the foreign file of that name is nobody's business.
    let repo = repo();
    repo.put(&format!("{FOLDER}/{COMMENT}"), "name: mine\n");
    repo.generate(&["--comments", "off"]);
    repo.ends(&["check"], 0);
    assert_eq!(repo.text(COMMENT), "name: mine\n");
}

#[cfg(unix)]
#[test]
fn a_link_is_foreign_and_what_it_points_at_stays() {
    let repo = repo();
    repo.generate(&[]);
    let (text, aim) = (repo.text(CHANGES), repo.path("elsewhere.yml"));
    fs::rename(repo.path(FOLDER).join(CHANGES), &aim).expect("moved");
    std::os::unix::fs::symlink(&aim, repo.path(FOLDER).join(CHANGES)).expect("a link");
    repo.ends(&["generate", "--provider", "github", "--shards", "2"], 3);
    assert_eq!(fs::read_to_string(aim).expect("a file"), text);
}

#[test]
fn the_command_line_and_the_policy_are_checked_first() {
    let repo = repo();
    for words in [
        &["generate", "--provider", "gitlab"][..],
        &["generate"],
        &["generate", "--provider", "github", "--shards", "0"],
        &["generate", "--provider", "github", "--shards", "257"],
        &["generate", "--provider", "github", "--shards", "many"],
        &["generate", "--provider", "github", "--comments", "maybe"],
        &["check", "--shards", "0"],
    ] {
        repo.ends(words, 2);
    }
    let lane =
        |rest: &str| format!("[[ci.job]]\nid = 'a'\nrun = [['true']]\ntimeout_minutes = 5\n{rest}");
    let table = [
        ("an unknown key", lane("cache = true\n"), "config_unknown_key"),
        ("an unknown table", "[ci.tools]\n".to_owned(), "config_unknown_key"),
        ("no list", "[ci]\njob = 1\n".to_owned(), "config_invalid"),
        ("not a table", "ci = 1\n".to_owned(), "config_invalid"),
        ("a lane of the generator", lane("").replace("'a'", "'gates'"), "ci_lane_invalid"),
        ("an id that is none", lane("").replace("'a'", "'a b'"), "ci_lane_invalid"),
        ("twice", format!("{}{}", lane(""), lane("")), "ci_lane_invalid"),
        ("nothing to run", lane("").replace("[['true']]", "[]"), "ci_lane_invalid"),
        ("an empty command", lane("").replace("[['true']]", "[[]]"), "ci_lane_invalid"),
        (
            "an expression",
            lane("").replace("'true'", "'echo', '${{ github.head_ref }}'"),
            "ci_lane_invalid",
        ),
        ("a line break", lane("").replace("'true'", "\"a\\nb\""), "ci_lane_invalid"),
        ("no time", lane("").replace("= 5", "= 0"), "ci_lane_invalid"),
        ("a script", lane("").replace("'true'", "'x', \"\\u001b\""), "ci_lane_invalid"),
        ("more than six hours", lane("").replace("= 5", "= 361"), "ci_lane_invalid"),
        ("a need that is no lane", lane("needs = ['b']\n"), "ci_lane_invalid"),
        ("itself", lane("needs = ['a']\n"), "ci_lane_invalid"),
        ("no toolchain", lane("toolchains = []\n"), "ci_lane_invalid"),
        ("a toolchain that is a script", lane("toolchains = ['$(id)']\n"), "ci_lane_invalid"),
        ("a tool without version", lane("tools = ['tmux']\n"), "ci_lane_invalid"),
        ("nothing to prepare", "[ci]\nprepare = []\n".to_owned(), "ci_lane_invalid"),
        ("a branch that is none", "[ci]\ndefault_branch = 'a b'\n".to_owned(), "ci_lane_invalid"),
        ("a tag", "[ci.pins]\n'actions/checkout' = 'v4'\n".to_owned(), "ci_pin_invalid"),
        (
            "a commit without version",
            format!("[ci.pins]\n'actions/checkout' = '{}'\n", "a".repeat(40)),
            "ci_pin_invalid",
        ),
        (
            "an action that nobody uses",
            format!("[ci.pins]\n'a/b' = '{} # v1'\n", "a".repeat(40)),
            "ci_pin_invalid",
        ),
        ("a range", "[ci.pins]\njust = '^1'\n".to_owned(), "ci_pin_invalid"),
        (
            "a path out of the tree",
            "[ci.pins]\njust = { path = '../x' }\n".to_owned(),
            "ci_pin_invalid",
        ),
    ];
    for (case, lanes, code) in table {
        // Tables of the top level stand before those of gates.
        let repo = if lanes.starts_with("ci =") {
            Repo::new(&format!("{lanes}{POLICY}"))
        } else {
            Repo::new(&format!("{POLICY}{lanes}"))
        };
        let said = repo.ends(&["generate", "--provider", "github"], 2);
        assert!(said.contains(code) && said.contains("portcullis.toml:"), "{case}: {said}");
        assert!(!repo.path(FOLDER).exists(), "{case}");
    }
}

#[test]
fn the_lanes_of_a_policy_that_states_none_are_those_that_have_something_to_run() {
    let repo = Repo::new(POLICY);
    repo.generate(&[]);
    let text = repo.text(CHANGES);
    assert!(
        text.contains(
            "needs: [fence, lint, unit, integration, load_bearing, bench, contract_freeze, gates]"
        ),
        "{text}"
    );
    for part in [
        "cargo test --locked --package sample --test gates -- no_foreign_crates --exact",
        "cargo test --locked --package sample --test gates -- frozen_contracts --exact",
        "kind(test) - binary(/^load_bearing_/) - binary(=gates)",
        "--test load_bearing_clock",
        "cargo-portcullis canary measure quick",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(repo.text(NIGHTLY).contains("cargo-portcullis canary measure nightly"));
    // A dry run shows all of it and writes nothing.
    let repo = Repo::new(POLICY);
    let said = repo.generate(&["--dry-run"]);
    assert!(
        said.contains("would be written") && said.contains("name: portcullis-nightly"),
        "{said}"
    );
    assert!(!repo.path(FOLDER).exists());
    let fresh = Repo::new(POLICY);
    fresh.generate(&["--out", "elsewhere/workflows"]);
    assert_eq!(
        fs::read_to_string(fresh.path("elsewhere/workflows").join(CHANGES)).expect("there"),
        text
    );
    fresh.ends(&["check", "--out", "elsewhere/workflows"], 0);
}

#[test]
fn rights_pins_and_promises_of_the_generated_files() {
    let repo = repo();
    for (shards, comments) in [("1", "on"), ("3", "off"), ("256", "on")] {
        repo.generate(&["--shards", shards, "--comments", comments]);
        let (changes, nightly) = (repo.text(CHANGES), repo.text(NIGHTLY));
        // No job of a pull request has a write scope, and no secret stands where code is built.
        assert!(!changes.contains(": write") && !changes.contains("secrets."), "{changes}");
        for text in [&changes, &nightly] {
            for line in text.lines().filter(|line| line.trim_start().starts_with("uses:")) {
                let pin = line.split('@').nth(1).expect(line);
                let (commit, version) = pin.split_once(" # ").expect(line);
                assert!(commit.len() == 40 && version.starts_with('v'), "{line}");
            }
            let count = |part: &str| text.matches(part).count();
            assert_eq!(count("actions/checkout@"), count("persist-credentials: false"));
            assert_eq!(count("runs-on: ubuntu-24.04"), count("timeout-minutes:"));
        }
        assert!(
            changes.contains("08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"),
            "the pin of the policy"
        );
        assert!(changes.contains("--version 1.42.4 just"));
        assert!(changes.contains("toolchain: [\"1.89\", \"stable\"]"), "{changes}");
        assert_eq!(
            changes.contains("\n  archive:\n") && changes.contains("\n  shard:\n"),
            shards != "1"
        );
        if shards == "3" {
            assert!(changes.contains("shard: [\"1\", \"2\", \"3\"]"));
            assert!(changes.contains("run --profile ci --archive"));
            assert!(changes.contains("--shard ${{ matrix.shard }}/3"));
        }
        assert_eq!(repo.path(FOLDER).join(COMMENT).exists(), comments == "on");
    }
    repo.generate(&[]);
    let comment = repo.text(COMMENT);
    assert_eq!(comment.matches(": write").count(), 1);
    assert!(
        comment.contains("      pull-requests: write #") && !comment.contains("uses:"),
        "{comment}"
    );
    let nightly = repo.text(NIGHTLY);
    assert!(
        nightly.contains("- cron: \"0 4 * * *\"")
            && nightly.contains("PORTCULLIS_FORCE_CPU_COUNT: \"2\"")
    );
    assert_eq!(nightly.matches(": write").count(), 1);
    assert!(nightly.contains("      issues: write #"));
}

/// A fault: where, what is replaced by what, and who has to say what.
struct Fault {
    id: &'static str,
    file: &'static str,
    find: &'static str,
    replace: &'static str,
    gate: &'static str,
    code: &'static str,
}

const fn fault(
    id: &'static str,
    file: &'static str,
    find: &'static str,
    replace: &'static str,
    gate: &'static str,
    code: &'static str,
) -> Fault {
    Fault { id, file, find, replace, gate, code }
}

const CLOCK: &str = "          cargo test --locked --no-fail-fast --test load_bearing_clock\n";

/// The faults of the corpus that a workflow can have, and what else the generator promises.
#[rustfmt::skip]
const FAULTS: [Fault; 35] = [
    fault("job_may_fail", CHANGES, "    name: load_bearing (${{ matrix.toolchain }})\n", "    name: load_bearing (${{ matrix.toolchain }})\n    continue-on-error: true\n", "workflow_no_swallow", "continue_on_error_job"),
    fault("step_may_fail", CHANGES, "        run: |\n          cargo test --locked --no-fail-fast --test smoke\n", "        continue-on-error: true\n        run: |\n          cargo test --locked --no-fail-fast --test smoke\n", "workflow_no_swallow", "continue_on_error_step"),
    fault("or_true", CHANGES, CLOCK, "          cargo test --locked --no-fail-fast --test load_bearing_clock || true\n", "workflow_no_swallow", "or_true"),
    fault("errexit_off", CHANGES, CLOCK, "          set +e\n          cargo test --locked --no-fail-fast --test load_bearing_clock\n          exit 0\n", "workflow_no_swallow", "errexit_off"),
    fault("never_runs", CHANGES, "        run: |\n          cargo test --locked --no-fail-fast --test load_bearing_clock\n", "        if: ${{ false }}\n        run: |\n          cargo test --locked --no-fail-fast --test load_bearing_clock\n", "workflow_no_swallow", "never_runs"),
    fault("other_tests", CHANGES, CLOCK, "          cargo test --locked --no-fail-fast --test smoke --test gates\n", "workflow_runs_gate", "gate_command_missing"),
    fault("lint_says_ok", CHANGES, "          cargo clippy --locked --workspace --all-targets -- -D warnings\n", "          echo ok\n", "workflow_runs_gate", "gate_command_missing"),
    fault("attached_flag", CHANGES, "          cargo nextest run --locked --workspace", "          cargo nextest run -jnum-cpus --locked --workspace", "lane_serial", "parallel_flag"),
    fault("parallel_flag", CHANGES, "          cargo nextest run --locked --workspace", "          cargo nextest run -j 4 --locked --workspace", "lane_serial", "parallel_flag"),
    fault("timeout_raised", CHANGES, "timeout-minutes: 7\n", "timeout-minutes: 60\n", "workflow_policy", "timeout_too_long"),
    fault("timeout_gone", CHANGES, "    timeout-minutes: 7\n", "", "workflow_policy", "timeout_missing"),
    fault("more_scopes", CHANGES, "    timeout-minutes: 15\n    strategy:\n", "    timeout-minutes: 15\n    permissions:\n      contents: read\n      pull-requests: write\n    strategy:\n", "workflow_policy", "permission_too_wide"),
    fault("everything_writes", CHANGES, "permissions:\n  contents: read\n", "permissions: write-all\n", "workflow_policy", "permission_too_wide"),
    fault("does_not_wait", CHANGES, "    name: lint (${{ matrix.toolchain }})\n    needs: [fence]\n", "    name: lint (${{ matrix.toolchain }})\n", "workflow_policy", "needs_missing"),
    fault("foreign_code", CHANGES, "  pull_request:\n", "  pull_request:\n  pull_request_target:\n", "workflow_policy", "trigger_denied"),
    fault("narrowed", CHANGES, "  pull_request:\n", "  pull_request:\n    paths: [src/**]\n", "workflow_policy", "trigger_narrowed"),
    fault("gate_misspelt", CHANGES, "          cargo test --locked --test gates -- frozen_contracts --exact\n", "          cargo test --locked --test gates -- frozen_contract --exact\n", "workflow_runs_gate", "gate_command_missing"),
    fault("an_old_toolchain_less", CHANGES, "    name: lint (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 8\n    strategy:\n      fail-fast: false\n      matrix:\n        toolchain: [\"1.89\", \"stable\"]", "    name: lint (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 8\n    strategy:\n      fail-fast: false\n      matrix:\n        toolchain: [\"stable\"]", "workflow_policy", "matrix_value_missing"),
    fault("newest_image", CHANGES, "    name: aggregate\n    if: ${{ always() }}\n    needs: [fence, lint, unit, integration, load_bearing, bench, contract_freeze, gates]\n    runs-on: ubuntu-24.04", "    name: aggregate\n    if: ${{ always() }}\n    needs: [fence, lint, unit, integration, load_bearing, bench, contract_freeze, gates]\n    runs-on: ubuntu-latest", "workflow_policy", "runner_not_pinned"),
    fault("aggregate_forgets_a_lane", CHANGES, "bench, contract_freeze, gates]", "bench, gates]", "workflow_aggregate", "aggregate_needs_missing"),
    fault("aggregate_takes_skipped", CHANGES, " || contains(needs.*.result, 'skipped')", "", "workflow_aggregate", "aggregate_accepts_skipped"),
    fault("aggregate_not_always", CHANGES, "    name: aggregate\n    if: ${{ always() }}\n", "    name: aggregate\n    if: ${{ !cancelled() }}\n", "workflow_aggregate", "aggregate_not_always"),
    fault("drift_unchecked", CHANGES, "          cargo-portcullis ci check\n", "          cargo-portcullis ci check || true\n", "workflow_no_swallow", "or_true"),
    fault("gates_not_run", CHANGES, "          cargo-portcullis --format github run --profile ci --locked", "          cargo-portcullis --format github plan --profile ci --locked", "workflow_runs_gate", "gate_command_missing"),
    fault("no_tests_is_fine", CHANGES, "          cargo nextest run --locked --workspace", "          cargo nextest run --no-tests=pass --locked --workspace", "workflow_no_swallow", "no_tests_allowed"),
    fault("blessed_in_ci", CHANGES, "    name: gates\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 90\n    env:\n", "    name: gates\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 90\n    env:\n      PORTCULLIS_BLESS: \"1\"\n", "workflow_policy", "env_denied"),
    fault("a_job_more", CHANGES, "  # The one check", "  other:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n    steps: [{run: echo}]\n\n  # The one check", "workflow_policy", "job_unexpected"),
    fault("twice_a_night", NIGHTLY, "    - cron: \"0 4 * * *\"\n", "    - cron: \"0 4 * * *\"\n    - cron: \"*/5 * * * *\"\n", "workflow_policy", "cron_set_differs"),
    fault("nightly_or_true", NIGHTLY, "          cargo-portcullis canary measure nightly\n", "          cargo-portcullis canary measure nightly || true\n", "workflow_no_swallow", "or_true"),
    fault("more_processors", NIGHTLY, "PORTCULLIS_FORCE_CPU_COUNT: \"2\"", "PORTCULLIS_FORCE_CPU_COUNT: \"8\"", "workflow_policy", "env_differs"),
    fault("measures_with_rights", NIGHTLY, "    permissions:\n      contents: read\n", "    permissions:\n      contents: write\n", "workflow_policy", "permission_too_wide"),
    fault("comment_unguarded", COMMENT, "    if: ${{ github.event.workflow_run.event == 'pull_request' }}\n", "", "workflow_policy", "condition_differs"),
    fault("comment_checks_out", COMMENT, "    steps:\n", "    steps:\n      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8\n", "workflow_policy", "action_not_allowed"),
    fault("comment_executes", COMMENT, "          done < ids\n", "            bash \"decisions/$id.json\"\n          done < ids\n", "workflow_policy", "run_not_allowed"),
    fault("comment_may_write_code", COMMENT, "      pull-requests: write #", "      contents: write\n      pull-requests: write #", "workflow_policy", "permission_too_wide"),
];

#[rustfmt::skip]
const SHARD_FAULTS: [Fault; 8] = [
    fault("a_shard_less", CHANGES, "shard: [\"1\", \"2\", \"3\"]", "shard: [\"1\", \"2\"]", "workflow_policy", "matrix_value_missing"),
    fault("a_shard_excluded", CHANGES, "        shard: [\"1\", \"2\", \"3\"]\n", "        shard: [\"1\", \"2\", \"3\"]\n        exclude: [{shard: \"3\"}]\n", "workflow_policy", "matrix_value_missing"),
    fault("one_name_for_all", CHANGES, "          name: \"portcullis-shard-${{ matrix.shard }}\"\n", "          name: portcullis-shard\n", "workflow_policy", "artifact_name_clash"),
    fault("parts_not_joined", CHANGES, "          cargo-portcullis --format github merge target/portcullis/shards --out target/portcullis/merged\n", "          echo merged\n", "workflow_runs_gate", "gate_command_missing"),
    fault("merge_or_true", CHANGES, "--out target/portcullis/merged\n", "--out target/portcullis/merged || true\n", "workflow_no_swallow", "or_true"),
    fault("any_archive", CHANGES, "          sha256sum --check --strict tests.tar.zst.sha256\n", "          sha256sum --check --strict tests.tar.zst.sha256 || true\n", "workflow_no_swallow", "or_true"),
    fault("shard_may_fail", CHANGES, "    name: shard (${{ matrix.shard }})\n", "    name: shard (${{ matrix.shard }})\n    continue-on-error: true\n", "workflow_no_swallow", "continue_on_error_job"),
    fault("does_not_wait_for_shards", CHANGES, "    needs: [fence, archive, shard]\n", "    needs: [fence, archive]\n", "workflow_policy", "needs_missing"),
];

/// Edits of form that change nothing.
const BENIGN: [(&str, &str, &str, &str); 4] = [
    (
        "needs_as_string",
        CHANGES,
        "    name: lint (${{ matrix.toolchain }})\n    needs: [fence]\n",
        "    name: lint (${{ matrix.toolchain }})\n    needs: fence\n",
    ),
    ("a_shorter_timeout", CHANGES, "timeout-minutes: 7\n", "timeout-minutes: 6\n"),
    (
        "a_comment",
        CHANGES,
        "  # The one check",
        "  # continue-on-error: true || true\n  # The one check",
    ),
    (
        "an_explicit_false",
        NIGHTLY,
        "    timeout-minutes: 180\n",
        "    timeout-minutes: 180\n    continue-on-error: false\n",
    ),
];

/// The generated files, their generated policy, and edits, as a corpus for `ci mutate`.
fn corpus(
    repo: &Repo,
    more: &[&str],
    faults: &[&[Fault]],
    benign: &[(&str, &str, &str, &str)],
) -> String {
    let words = [&["generate", "--provider", "github", "--policy"], more].concat();
    let output = repo.ci(&words);
    assert_eq!(output.status.code(), Some(0));
    let policy = String::from_utf8(output.stdout).expect("UTF-8");
    repo.generate(more);
    let mut files: Vec<(String, String)> = [CHANGES, NIGHTLY, COMMENT]
        .iter()
        .map(|name| (format!("{FOLDER}/{name}"), repo.text(name)))
        .collect();
    files.extend(FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    written(&policy, &files, faults, benign)
}

/// A corpus of a policy, files, and edits of workflows.
fn written(
    policy: &str,
    files: &[(String, String)],
    faults: &[&[Fault]],
    benign: &[(&str, &str, &str, &str)],
) -> String {
    // A JSON text is a TOML text.
    let json = |text: &str| Value::String(text.to_owned()).to_string();
    let key = |name: &str| format!("base_{}", name.replace(['-', '.'], "_"));
    let mut text = "schema = 'portcullis.lane_mutations.v1'\n".to_owned();
    text.push_str(&format!("base_policy_toml = {}\n", json(policy)));
    let mut paths = "[paths]\nbase_policy_toml = 'portcullis.toml'\n".to_owned();
    let mut stubs = "[stubs]\n".to_owned();
    for (path, file) in files {
        match path.strip_prefix(FOLDER) {
            Some(name) => {
                let key = key(name.trim_start_matches('/'));
                text.push_str(&format!("{key} = {}\n", json(file)));
                paths.push_str(&format!("{key} = '{path}'\n"));
            }
            None => stubs.push_str(&format!("{} = {}\n", json(path), json(file))),
        }
    }
    text.push_str(&paths);
    text.push_str(&stubs);
    for one in faults.iter().copied().flatten() {
        text.push_str(&format!(
            "[[mutation]]\nid = '{}'\nbase = '{}'\nfind = {}\nreplace = {}\nexpect_gate = '{}'\nexpect_code = '{}'\n",
            one.id, key(one.file), json(one.find), json(one.replace), one.gate, one.code
        ));
    }
    for (id, file, find, replace) in benign {
        text.push_str(&format!(
            "[[benign]]\nid = '{id}'\nbase = '{}'\nfind = {}\nreplace = {}\n",
            key(file),
            json(find),
            json(replace)
        ));
    }
    text
}

#[test]
fn every_gate_is_silent_on_the_result_and_every_planted_fault_is_found() {
    for (shards, faults) in [("1", &FAULTS[..]), ("3", &SHARD_FAULTS[..])] {
        let repo = repo();
        let text = corpus(&repo, &["--shards", shards], &[faults], &BENIGN);
        repo.put("corpus.toml", &text);
        let output = repo.ci(&["mutate", "--corpus", "corpus.toml"]);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(0), "{shards} shards\n{said}");
        let expected = format!("caught {0} of {0}, benign silent 4 of 4", faults.len());
        assert!(said.contains(&expected), "{said}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the test starts the tool")]
#[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
#[test]
fn zizmor_has_nothing_to_say_about_the_generated_files() {
    let target =
        Path::new(env!("CARGO_BIN_EXE_cargo-portcullis")).ancestors().nth(2).expect("target");
    let program = target.join("tools/zizmor/bin/zizmor");
    let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(program.is_file() || !ci, "CI must prove this: run `.ci/install_tools`");
    if !program.is_file() {
        eprintln!("zizmor not on PATH — SKIPPED LOUD");
        return;
    }
    let audit = |folder: &Path| -> Vec<Value> {
        let output = Command::new(&program)
            .args(["--offline", "--no-progress", "--no-exit-codes", "--format", "json"])
            .arg(folder)
            .output()
            .expect("zizmor starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&text).expect("findings")
    };
    for shards in ["1", "3"] {
        let repo = repo();
        repo.generate(&["--shards", shards]);
        let loud: Vec<String> = audit(&repo.path(""))
            .iter()
            .filter(|finding| finding["determinations"]["severity"] != "Informational")
            .map(|finding| format!("{} {}", finding["ident"], finding["determinations"]))
            .collect();
        assert!(loud.is_empty(), "{}", loud.join("\n"));
        // The tool looks: the same file with an action by its tag is not clean.
        let text = repo.text(CHANGES).replacen(
            "@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0",
            "@v5",
            1,
        );
        repo.put(&format!("{FOLDER}/{CHANGES}"), &text);
        assert!(audit(&repo.path("")).iter().any(|finding| finding["ident"] == "unpinned-uses"));
    }
}

/// The root of this repository.
fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_path_buf()
}

#[test]
fn the_workflows_of_this_repository_are_the_generated_ones() {
    let output = ci(&checkout(), &["check"]);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
}

/// Tables of the policy of this repository: those of gates of these kinds, with all that belongs to them.
fn own_gates(kinds: &[&str]) -> String {
    let policy = fs::read_to_string(checkout().join("portcullis.toml")).expect("the policy");
    let tables = policy
        .split("\n[[gate]]\n")
        .skip(1)
        .filter(|table| kinds.iter().any(|kind| table.contains(&format!("\nkind = \"{kind}\"\n"))));
    // What follows the last rule of a gate may be another section of the file.
    let whole = |table: &str| {
        let end =
            ["\n[ci", "\n[[ci", "\n[[signature]]"].iter().filter_map(|next| table.find(next)).min();
        format!("[[gate]]\n{}\n", &table[..end.unwrap_or(table.len())])
    };
    tables.map(whole).collect()
}

/// Each acceptance criterion of the lanes, broken once (a job that goes is missed by the aggregate first) in the workflows of this repository: who has to see it.
#[rustfmt::skip]
const CRITERIA: [Fault; 24] = [
    fault("ac_1a", CHANGES, "\n  portfolio:\n    name: portfolio (", "\n  portfolios:\n    name: portfolio (", "workflow_policy", "needs_unknown_job"),
    fault("ac_1b", CHANGES, "\n  supply_chain:\n    name: supply_chain (", "\n  supply:\n    name: supply_chain (", "workflow_policy", "needs_unknown_job"),
    fault("ac_1c_value", CHANGES, "    name: unit (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 7\n    strategy:\n      fail-fast: false\n      matrix:\n        toolchain: [\"1.89\", \"stable\"]", "    name: unit (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 7\n    strategy:\n      fail-fast: false\n      matrix:\n        toolchain: [\"stable\"]", "workflow_policy", "matrix_value_missing"),
    fault("ac_1c_number", CHANGES, "    name: unit (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 7\n    strategy:\n      fail-fast: false\n      matrix:\n        toolchain: [\"1.89\", \"stable\"]", "    name: unit (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 7\n    strategy:\n      fail-fast: false\n      matrix:\n        toolchain: [\"1.89\", 1.90, \"stable\"]", "workflow_policy", "matrix_value_not_string"),
    fault("ac_1d", CHANGES, "    name: bench (${{ matrix.toolchain }})\n    needs: [fence]\n", "    name: bench (${{ matrix.toolchain }})\n", "workflow_policy", "needs_missing"),
    fault("ac_2_cap", CHANGES, "    name: unit (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 7\n", "    name: unit (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 8\n", "workflow_policy", "timeout_too_long"),
    fault("ac_2_serial", CHANGES, "          cargo test --locked --workspace --lib --bins --no-fail-fast\n", "          cargo test --locked --workspace --lib --bins --no-fail-fast -- --test-threads=2\n", "lane_serial", "parallel_flag"),
    fault("ac_4_cap", CHANGES, "    name: portfolio (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 7\n", "    name: portfolio (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n", "workflow_policy", "timeout_missing"),
    fault("ac_4_serial", CHANGES, "          cargo test --locked --no-fail-fast --test conformance --test two_trees\n", "          RUST_TEST_THREADS=3 cargo test --locked --no-fail-fast --test conformance --test two_trees\n", "lane_serial", "parallel_env"),
    fault("ac_4_swallow", CHANGES, "          cargo test --locked --no-fail-fast --test conformance --test two_trees\n", "          cargo test --locked --no-fail-fast --test conformance --test two_trees || echo differs\n", "workflow_no_swallow", "or_true"),
    fault("ac_5_job", CHANGES, "    name: load_bearing (${{ matrix.toolchain }})\n", "    name: load_bearing (${{ matrix.toolchain }})\n    continue-on-error: true\n", "workflow_no_swallow", "continue_on_error_job"),
    fault("ac_5_condition", CHANGES, "    name: load_bearing (${{ matrix.toolchain }})\n", "    name: load_bearing (${{ matrix.toolchain }})\n    if: ${{ github.event_name == 'schedule' }}\n", "workflow_no_swallow", "never_runs"),
    fault("ac_6", CHANGES, "          cargo clippy --locked --workspace --all-targets -- -D warnings\n", "          cargo clippy --locked --workspace --all-targets -- -D warnings -A clippy::exit\n", "workflow_policy", "run_denied"),
    fault("ac_7_advisory", CHANGES, "          cargo bench --locked --bench decide\n", "          cargo bench --locked --bench decide\n        continue-on-error: true\n", "workflow_policy", "advisory_differs"),
    fault("ac_7_scope", CHANGES, "permissions:\n  contents: read\n", "permissions:\n  contents: read\n  pull-requests: write\n", "workflow_policy", "permission_too_wide"),
    fault("ac_7_comment", COMMENT, "      pull-requests: write #", "      statuses: write\n      pull-requests: write #", "workflow_policy", "permission_too_wide"),
    fault("ac_7c", COMMENT, "          mkdir -p decisions\n", "          mkdir -p decisions\n          gh pr checkout 1\n", "workflow_policy", "run_not_allowed"),
    fault("ac_10c_cron", NIGHTLY, "    - cron: \"0 4 * * *\"\n", "    - cron: \"0 5 * * *\"\n", "workflow_policy", "cron_set_differs"),
    fault("ac_10c_image", NIGHTLY, "    name: measure\n    runs-on: ubuntu-24.04\n", "    name: measure\n    runs-on: ubuntu-22.04\n", "workflow_policy", "runner_not_allowed"),
    fault("ac_10c_count", NIGHTLY, "PORTCULLIS_FORCE_CPU_COUNT: \"2\"", "PORTCULLIS_FORCE_CPU_COUNT: \"4\"", "workflow_policy", "env_differs"),
    fault("ac_10c_scope", NIGHTLY, "    permissions:\n      contents: read\n", "    permissions:\n      contents: read\n      pull-requests: read\n", "workflow_policy", "permission_too_wide"),
    fault("ac_11", CHANGES, "          cargo test --locked --test ci_lane_gates -- contract_freeze --exact\n", "          PORTCULLIS_BLESS=1 cargo test --locked --test ci_lane_gates -- contract_freeze --exact\n", "workflow_policy", "env_denied"),
    fault("ac_13_attached", CHANGES, "          cargo nextest run --locked --workspace", "          cargo nextest run -j8 --locked --workspace", "lane_serial", "parallel_flag"),
    fault("ac_13_env", CHANGES, "      RUST_TEST_THREADS: \"1\"\n    steps:\n      - name: check out\n        uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2\n        with:\n          persist-credentials: false\n      - name: toolchain\n        run: |\n          rustup toolchain install \"$RUSTUP_TOOLCHAIN\" --profile minimal --component clippy --component rustfmt\n      - name: cargo test --locked --workspace", "      RUST_TEST_THREADS: \"${{ github.run_attempt }}\"\n    steps:\n      - name: check out\n        uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2\n        with:\n          persist-credentials: false\n      - name: toolchain\n        run: |\n          rustup toolchain install \"$RUSTUP_TOOLCHAIN\" --profile minimal --component clippy --component rustfmt\n      - name: cargo test --locked --workspace", "lane_serial", "parallel_env"),
];

/// What is right on either side of the criteria.
const CRITERIA_BENIGN: [(&str, &str, &str, &str); 4] = [
    (
        "ac_1d_as_string",
        CHANGES,
        "    name: bench (${{ matrix.toolchain }})\n    needs: [fence]\n",
        "    name: bench (${{ matrix.toolchain }})\n    needs: fence\n",
    ),
    (
        "ac_2_below_the_cap",
        CHANGES,
        "    name: unit (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 7\n",
        "    name: unit (${{ matrix.toolchain }})\n    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 6\n",
    ),
    (
        "ac_10c_no_scope_at_all",
        NIGHTLY,
        "    permissions:\n      contents: read\n",
        "    permissions: {}\n",
    ),
    (
        "ac_13_build_jobs",
        CHANGES,
        "          cargo test --locked --workspace --lib --bins --no-fail-fast\n",
        "          cargo test -j 4 --locked --workspace --lib --bins --no-fail-fast\n",
    ),
];

#[test]
fn the_acceptance_criteria_hold_in_the_workflows_of_this_repository() {
    let policy =
        own_gates(&["workflow_policy", "workflow_no_swallow", "workflow_aggregate", "lane_serial"]);
    let workflow =
        |name: &str| fs::read_to_string(checkout().join(FOLDER).join(name)).expect("a workflow");
    let names = [CHANGES, NIGHTLY, COMMENT, "platforms.yml"];
    let mut files: Vec<(String, String)> =
        names.iter().map(|name| (format!("{FOLDER}/{name}"), workflow(name))).collect();
    for name in ["Cargo.toml", ".ci/install_tools"] {
        let text = fs::read_to_string(checkout().join(name)).expect("a file");
        // The sources of this repository are not needed for what is asked here.
        files.push((name.to_owned(), text));
    }
    let text = written(&policy, &files, &[&CRITERIA], &CRITERIA_BENIGN);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("corpus.toml");
    fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
    let output = ci(folder.path(), &["mutate", "--corpus", "corpus.toml"]);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let expected = format!("caught {0} of {0}, benign silent 4 of 4", CRITERIA.len());
    assert!(said.contains(&expected), "{said}");
}
