//! `ci generate` and `ci check` over a small repository: the same bytes every time, nothing of anybody overwritten, every
//! gate over workflows silent on the result, and every fault that is planted into it found.

#[cfg(unix)]
#[path = "ci_generate/archive.rs"]
mod archive;
#[path = "ci_generate/criteria.rs"]
mod criteria;
#[path = "ci_generate/planted.rs"]
mod planted;
#[cfg(unix)]
#[path = "ci_generate/scripts.rs"]
mod scripts;
#[path = "ci_generate/zizmor.rs"]
mod zizmor;

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
        (
            "two names of one rule",
            format!("{}{}", lane("").replace("'a'", "'a-b_c'"), lane("").replace("'a'", "'a_b-c'")),
            "differ in `-` and `_` alone",
        ),
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
