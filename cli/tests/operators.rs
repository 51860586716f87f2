//! Commands that operators type over small repositories: triage of logs, the runbook, waivers and quarantine. No build is
//! needed for any of them.

use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const NOW: &str = "2036-05-20T12:00:00Z";
const POLICY: &str = "\
[policy]
version = 1
owner = \"team\"

[[gate]]
id = \"build\"
kind = \"command\"
argv = [\"true\"]
signature = \"the bridge is up\"

[[gate]]
id = \"waiver_lifecycle\"
kind = \"expiring_entries\"

[[signature]]
id = \"bridge\"
title = \"the bridge is up\"
row = 3
severity = \"sev-1\"
match = { gates = [\"build\"], codes = [\"waiver_expired\"] }
artifacts = [\"views/summary.json\"]
replay = [\"VCR_MODE=playback\", \"cargo\", \"test\", \"--\", \"it's here\"]
remediation = [\"lower the bridge\", \"run `make bridge`\"]

[[signature]]
id = \"disk_full\"
title = \"the disk is full\"
match = { log = ['No space left on device \\(os error \\d+\\)'] }
artifacts = [\"environment.json\"]
replay = [\"df\", \"-h\"]
remediation = [\"free some of it\"]

[[signature]]
id = \"api_suite\"
title = \"the interface broke\"
match = { targets = [\"api\"], classes = [\"build_error\"] }
artifacts = [\"failures/index.json\"]
replay = [\"cargo\", \"test\", \"--test\", \"api\"]
remediation = [\"mend it\"]
";
const CLASSIFICATION: &str = "# the head stays

[suite.unit] # and so does this
targets = []

# why build is waived
[waiver.build]
owner = \"team\"
created = 2036-05-10
expires = 2036-05-31 # the end
issue = \"#1\"
reason = \"the upstream fix is not released yet\"
scope = \"both\"
remove_when = \"it is released\"
";

struct Repo(tempfile::TempDir);

fn put(path: &Path, bytes: &[u8]) {
    let mut file = fs::File::create(path).expect("a file");
    file.write_all(bytes).expect("written");
}

impl Repo {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        put(&folder.path().join("portcullis.toml"), POLICY.as_bytes());
        put(&folder.path().join("suite_classification.toml"), CLASSIFICATION.as_bytes());
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) -> &Self {
        put(&self.path(name), text.as_bytes());
        self
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    #[expect(clippy::disallowed_methods, reason = "these tests are about the process itself")]
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-portcullis"));
        command
            .current_dir(self.0.path())
            .args(words)
            .stdin(Stdio::null())
            .env_clear()
            .env("PORTCULLIS_NOW", NOW);
        command
    }

    fn ends(&self, words: &[&str], code: i32) -> String {
        let output = self.command(words).output().expect("it starts");
        said(&output, words, code)
    }

    fn json(&self, words: &[&str], code: i32) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--format", "json"]).collect();
        let output = self.command(&words).output().expect("it starts");
        said(&output, &words, code);
        serde_json::from_slice(&output.stdout).expect("a document")
    }

    fn log(&self, text: &[u8], code: i32) -> Value {
        put(&self.path("ci.log"), text);
        self.json(&["triage", "ci.log"], code)
    }
}

fn said(output: &Output, words: &[&str], code: i32) -> String {
    let text = format!(
        "{}\n--- stderr\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
    text
}

fn signatures(document: &Value) -> Vec<&str> {
    let rows = document["signatures"].as_array().expect("signatures");
    rows.iter().map(|row| row["id"].as_str().expect("an id")).collect()
}

#[test]
fn a_red_log_is_mapped_to_signature_artifacts_replay_and_remediation() {
    let repo = Repo::new();
    type Row<'a> = (&'a str, &'a str, i32, &'a [&'a str]);
    let table: &[Row<'_>] = &[
        (
            "a gate",
            "test build ... FAILED\ntest result: FAILED. 0 passed; 1 failed\n",
            11,
            &["bridge"],
        ),
        ("a gate in an aggregate", "build: fail [command_failed]: exit 1\n", 11, &["bridge"]),
        (
            "the text of a gate",
            "2036-05-20T12:00:00.1Z fatal: the bridge is up again\n",
            11,
            &["bridge"],
        ),
        ("a code", "error[PC0403 waiver_expired]: waiver for `x` ended\n", 11, &["bridge"]),
        (
            "a line of a log within a failure",
            "---- t stdout ----\nthread 't' panicked at a.rs:1:1:\nNo space left on device (os error 28)\n\n",
            10,
            &["disk_full"],
        ),
        (
            "a line alone",
            "\u{1b}[31mtar: No space left on device (os error 28)\u{1b}[0m\r\n",
            11,
            &["disk_full"],
        ),
        (
            "a target of libtest",
            "     Running tests/api.rs (target/debug/deps/api-0123456789abcdef)\ntest x ... FAILED\n",
            10,
            &["api_suite"],
        ),
        ("a target of nextest", "        FAIL [   0.005s] (1/2) p::api x\n", 10, &["api_suite"]),
        ("a class", "error[E0308]: mismatched types\n  --> src/lib.rs:1:2\n", 13, &["api_suite"]),
        ("nobody's", "test y ... FAILED\n", 10, &[]),
    ];
    for (case, text, code, expected) in table {
        let document = repo.log(text.as_bytes(), *code);
        assert_eq!(signatures(&document), *expected, "{case}: {document:#}");
        assert_eq!(document["verdict"], "red", "{case}");
    }
    let document = repo.log(b"test build ... FAILED\n", 11);
    let row = &document["signatures"][0];
    assert_eq!(row["artifacts"][0], "views/summary.json");
    assert_eq!(row["replay"], "VCR_MODE=playback cargo test -- 'it'\\''s here'");
    assert_eq!(row["remediation"][0], "lower the bridge");
    assert_eq!(
        (row["runbook"].as_str(), row["severity"].as_str()),
        (Some("docs/runbook.md#bridge"), Some("SEV-1"))
    );
    assert_eq!(
        document["failures"][0]["replay"],
        "cargo test --test ci_full_suite_gate -- build --exact"
    );
    let shown = repo.ends(&["triage", "ci.log"], 11);
    for part in [
        "[bridge]",
        "= open:   views/summary.json",
        "= do:     lower the bridge",
        "docs/runbook.md#bridge",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_log_that_says_nothing_is_never_green() {
    let repo = Repo::new();
    for text in [
        "",
        "hello\n",
        "warning: unused variable\nFinished\n",
        "##[error]Process completed with exit code 101.\n",
    ] {
        let document = repo.log(text.as_bytes(), 3);
        assert_eq!(document["errors"][0]["code"], "nothing_examined", "{text}: {document:#}");
    }
    let silent = "running 2 tests\ntest a ... ok\n";
    let document = repo.log(format!("test result: ok. 1 passed\n{silent}").as_bytes(), 10);
    assert_eq!(document["failures"][0]["root_cause_class"], "exited", "{document:#}");
    let green = "test a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
    assert_eq!(repo.log(green.as_bytes(), 0)["verdict"], "green");
    let failed_later = format!("{green}##[error]Process completed with exit code 1.\n");
    repo.log(failed_later.as_bytes(), 3);
    repo.ends(&["triage", "absent.log"], 12);
}

#[test]
fn a_gate_without_a_table_and_an_aggregate_are_gates() {
    let repo = Repo::new();
    let text = "test tides ... FAILED\ntest full_suite_gate ... FAILED\n\nfailures:\n\n---- full_suite_gate ----\nblocked; 1 gate: 1 fail; 1 blocks\ntides: fail [tide_too_low]: 3 m\n";
    let document = repo.log(text.as_bytes(), 11);
    let kinds: Vec<&str> = document["failures"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(kinds, ["gate", "gate"], "{document:#}");
    let aggregate = &document["failures"][1];
    assert_eq!(
        aggregate["replay"],
        "cargo test --test ci_full_suite_gate -- full_suite_gate --exact"
    );
    let of_a_test = "---- t stdout ----\nthread 't' (1) panicked at a.rs:1:1:\nassertion `left == right` failed\n\nerror[PC0403 waiver_expired]: quoted\n";
    assert_eq!(repo.log(of_a_test.as_bytes(), 10)["failures"][0]["kind"], "test");
}

#[test]
fn a_log_comes_through_a_pipe_as_well() {
    let repo = Repo::new();
    let mut child = repo
        .command(&["triage", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("a pipe").write_all(b"test build ... FAILED\n").expect("written");
    let output = child.wait_with_output().expect("it ends");
    said(&output, &["triage", "-"], 11);
    let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(signatures(&document), ["bridge"]);
}

#[test]
fn t25_a_hostile_log_commands_no_terminal() {
    let repo = Repo::new();
    let hostile = "test a\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2Jb ... FAILED\n---- ab stdout ----\nthread 'ab' panicked at \u{1b}]8;;http://evil\u{7}x.rs:1:1:\n\u{202e}gnp.exe\u{200b}\u{9b}31m\u{0}\u{8}\n::error::forged\n\n";
    put(&repo.path("ci.log"), hostile.as_bytes());
    let output = repo.command(&["triage", "ci.log"]).output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let bad = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}'..='\u{200f}')
    };
    assert!(!text.contains(bad), "{text:?}");
    assert!(!text.contains("evil") && !text.contains("ZXZpbA"), "{text:?}");
    assert!(
        !text.lines().any(|line| line.starts_with("::")),
        "no line begins a workflow command: {text}"
    );
}

#[test]
fn a_signature_is_refused_before_anything_is_read() {
    let repo = Repo::new();
    repo.put("portcullis.toml", &POLICY.replace("No space left", "(unclosed"));
    repo.put("ci.log", "test a ... FAILED\n");
    let refused = repo.ends(&["triage", "ci.log"], 2);
    assert!(refused.contains("portcullis.toml:28:"), "{refused}");
    repo.ends(&["runbook", "check"], 2);
}

#[test]
fn the_runbook_is_generated_and_every_edit_by_hand_is_found() {
    let repo = Repo::new();
    let absent = repo.ends(&["runbook", "check"], 11);
    assert!(absent.contains("runbook_drift") && absent.contains("no such file"), "{absent}");
    repo.ends(&["runbook", "generate"], 0);
    repo.ends(&["runbook", "check"], 0);
    let text = repo.text("docs/runbook.md");
    for part in [
        "## bridge",
        "## disk_full",
        "VCR_MODE=playback cargo test -- 'it'\\''s here'",
        "2. run `make bridge`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    repo.put("docs/runbook.md", &text.replace("lower the bridge", "call somebody"));
    let document = repo.json(&["runbook", "check"], 11);
    assert_eq!(document["faults"][0]["code"], "runbook_drift");
    assert!(
        document["faults"][0]["found"]
            .as_str()
            .is_some_and(|found| found.contains("call somebody"))
    );
    repo.ends(&["runbook", "generate"], 0);
    assert_eq!(repo.text("docs/runbook.md"), text);
    repo.put("portcullis.toml", &POLICY.replace("the disk is full", "the disk is nearly full"));
    repo.ends(&["runbook", "check"], 11);
    repo.put(
        "portcullis.toml",
        &POLICY.replace("codes = [\"waiver_expired\"]", "codes = [\"waiver_expird\"]"),
    );
    let unknown = repo.ends(&["runbook", "generate"], 11);
    assert!(
        unknown.contains("signature_name_unknown") && unknown.contains("waiver_expird"),
        "{unknown}"
    );
    let ci = repo
        .put("portcullis.toml", POLICY)
        .command(&["runbook", "generate", "--path", "other.md"])
        .env("CI", "true")
        .output();
    assert!(said(&ci.expect("it starts"), &["in CI"], 3).contains("bless_refused"));
    assert!(!repo.path("other.md").exists());
    repo.ends(&["runbook", "generate", "--path", "../out.md"], 2);
}

/// The one of this repository.
#[test]
fn the_committed_runbook_is_current() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Repo::new().command(&["runbook", "check"]).current_dir(checkout).output();
    said(&output.expect("it starts"), &["runbook", "check"], 0);
}

/// Every row of signatures that operators rely on has its page, and what it names is here.
#[test]
fn the_signatures_of_this_repository_cover_the_rows_and_name_what_exists() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(checkout.join("portcullis.toml")).expect("the policy");
    let policy: toml_edit::DocumentMut = text.parse().expect("TOML");
    let all = policy["signature"].as_array_of_tables().expect("signatures");
    let mut rows: Vec<i64> = all.iter().filter_map(|one| one.get("row")?.as_integer()).collect();
    rows.sort_unstable();
    assert_eq!(rows, (1..=23).collect::<Vec<i64>>());
    let roots = [
        "views/",
        "failures/",
        "gates",
        "logs",
        "manifest.json",
        "decision.json",
        "expected.json",
        "environment.json",
        "outcomes.jsonl",
        "phases.json",
    ];
    let mut targets = Vec::new();
    for folder in ["tests", "cli/tests"] {
        for entry in checkout.join(folder).read_dir().expect("tests").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            targets.extend(name.strip_suffix(".rs").map(str::to_owned));
        }
    }
    for one in all {
        let id = one["id"].as_str().expect("an id");
        for path in one["artifacts"].as_array().expect("artifacts") {
            let path = path.as_str().expect("a path");
            let of_run = roots.iter().any(|root| path.starts_with(root));
            assert!(of_run || checkout.join(path).exists(), "{id}: {path}");
        }
        let replay: Vec<&str> = one["replay"]
            .as_array()
            .expect("a replay")
            .iter()
            .filter_map(|word| word.as_str())
            .collect();
        if let Some(at) = replay.iter().position(|word| *word == "--test") {
            assert!(targets.iter().any(|target| target == replay[at + 1]), "{id}: {replay:?}");
        }
    }
}

#[test]
fn waivers_are_edited_without_a_scratch_on_the_rest() {
    let repo = Repo::new();
    let file = "suite_classification.toml";
    repo.ends(&["waiver", "renew", "build", "--days", "20"], 0);
    let renewed = repo.text(file);
    let expected = CLASSIFICATION
        .replace("expires = 2036-05-31 # the end", "expires = 2036-06-20 # the end")
        .replace(
            "remove_when = \"it is released\"\n",
            "remove_when = \"it is released\"\nrenewals = 1\n",
        );
    assert_eq!(renewed, expected);
    repo.ends(&["waiver", "lint"], 0);
    repo.ends(&["waiver", "renew", "build", "--days", "30"], 0);
    let third = repo.ends(&["waiver", "renew", "build"], 3);
    assert!(third.contains("renewed 2 times"), "{third}");
    let weeks = repo.json(&["waiver", "runway"], 0);
    assert_eq!(weeks["weeks"]["2036-W29"][0], "build", "{weeks:#}");
    repo.ends(&["waiver", "prune", "build"], 0);
    assert_eq!(
        repo.text(file),
        "# the head stays\n\n[suite.unit] # and so does this\ntargets = []\n"
    );
    let reason = "a reason that is long enough to be one";
    let new = |gate: &str, reason: &str, code: i32| {
        repo.ends(
            &["waiver", "new", gate, "--issue", "#7", "--reason", reason, "--remove-when", "soon"],
            code,
        )
    };
    new("build", reason, 0);
    repo.ends(&["waiver", "lint"], 0);
    let text = repo.text(file);
    assert!(text.contains("created = 2036-05-20\nexpires = 2036-06-03\n"), "{text}");
    for (gate, reason, why) in [
        ("build", reason, "exists already"),
        ("bild", reason, "waiver_unknown_gate"),
        ("waiver_lifecycle", reason, "waiver_not_waivable"),
    ] {
        let refused = new(gate, reason, 2);
        assert!(refused.contains(why), "{gate}: {refused}");
        assert_eq!(repo.text(file), text, "{gate}: nothing is written");
    }
    repo.ends(&["waiver", "prune", "build"], 0);
    let short = new("build", "too short", 2);
    assert!(short.contains("waiver_file_invalid"), "{short}");
    repo.ends(&["waiver", "prune", "build"], 2);
    repo.ends(&["waiver", "prune"], 2);
    repo.put(file, CLASSIFICATION);
    let late = repo
        .command(&["waiver", "prune", "--expired"])
        .env("PORTCULLIS_NOW", "2036-06-01T00:00:00Z")
        .output();
    assert!(said(&late.expect("it starts"), &["prune"], 0).contains("build gone"));
    let ci = repo
        .put(file, CLASSIFICATION)
        .command(&["waiver", "renew", "build"])
        .env("CI", "1")
        .output();
    assert!(said(&ci.expect("it starts"), &["renew"], 3).contains("bless_refused"));
    assert_eq!(repo.text(file), CLASSIFICATION);
}

#[test]
fn quarantine_is_added_judged_and_released() {
    let repo = Repo::new();
    let file = "suite_classification.toml";
    let test = "it's a::b \"c\"";
    let add = |category: &str, code: i32| {
        let words = [
            "quarantine",
            "add",
            "api",
            test,
            "--category",
            category,
            "--issue",
            "#1",
            "--evidence",
            "2 of 20",
            "--reason",
            "slow",
            "--remove-when",
            "mended",
        ];
        repo.ends(&words, code)
    };
    add("FLAKE-MOON", 2);
    add("FLAKE-NET", 0);
    let text = repo.text(file);
    assert!(
        text.starts_with(CLASSIFICATION)
            && text.contains("cargo test --test api -- 'it'\\''s a::b"),
        "{text}"
    );
    let lint = repo.json(&["quarantine", "lint"], 0);
    assert_eq!(
        (lint["entries"][0]["state"].as_str(), lint["entries"][0]["days_remaining"].as_i64()),
        (Some("active"), Some(14))
    );
    add("FLAKE-NET", 2);
    for (now, code) in [("2036-06-03T23:59:59Z", 0), ("2036-06-04T00:00:00Z", 11)] {
        let mut command = repo.command(&["quarantine", "lint"]);
        let output = command.env("PORTCULLIS_NOW", now).env("PORTCULLIS_LANE", "pr").output();
        said(&output.expect("it starts"), &["lint", now], code);
    }
    repo.ends(&["quarantine", "release", "api", "nothing"], 2);
    repo.ends(&["quarantine", "release", "api", test], 0);
    assert_eq!(repo.text(file), CLASSIFICATION);
    repo.put(file, &text.replace("evidence", "evidense"));
    repo.ends(&["quarantine", "lint"], 11);
    repo.ends(&["quarantine", "release", "api", test], 0);
    assert_eq!(repo.text(file), CLASSIFICATION, "an entry that voids the file can be taken out");
}

#[test]
fn shells_and_readers_of_manuals_are_served() {
    let repo = Repo::new();
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef cargo-portcullis"),
        ("fish", "complete -c cargo-portcullis"),
    ] {
        let script = repo.ends(&["completions", shell], 0);
        assert!(script.contains(word) && script.contains("runbook"), "{shell}");
    }
    assert!(repo.ends(&["man"], 0).contains(".TH cargo-portcullis 1"));
    repo.ends(&["man", "--out", "pages"], 0);
    assert!(repo.text("pages/cargo-portcullis-triage.1").contains("red log"));
}
