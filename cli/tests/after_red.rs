//! After a red run of real nextest: triage, incident, what-if, the replay ladder pasted into a shell, and flaky tests.
//!
//! The sample is copied into the target directory, with a test binary of its own harness whose names a shell would misread.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

const NOW: &str = "2099-05-20T12:00:00Z";
const HOST: [&str; 8] = [
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "TMPDIR",
    "SystemRoot",
    "USERPROFILE",
];
const ODD: &str = r#"//! A harness of its own: names with spaces, quotes and colons.

const NAMES: [&str; 4] = ["it's \"odd\"", "a::b c; echo $HOME `x`", "src/lib.rs - f (line 3), g\\h", "plain"];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|given| given == word);
    let filters: Vec<&String> = words.iter().filter(|word| !word.starts_with("--") && *word != "terse").collect();
    let chosen = |name: &str| {
        filters.is_empty() || filters.iter().any(|word| if has("--exact") { *word == name } else { name.contains(word.as_str()) })
    };
    if has("--list") {
        for name in NAMES.iter().filter(|name| !has("--ignored") && chosen(name)) {
            println!("{name}: test");
        }
        return;
    }
    let told = std::env::var("SAMPLE_FAULT").is_ok_and(|faults| faults.split(',').any(|fault| fault == "odd"));
    let (mut passed, mut failed) = (0, 0);
    for name in NAMES.iter().filter(|name| !has("--ignored") && chosen(name)) {
        if told && *name != "plain" {
            failed += 1;
            println!("test {name} ... FAILED\n\n---- {name} ----\nthe sample was told to be odd");
        } else {
            passed += 1;
            println!("test {name} ... ok");
        }
    }
    let word = if failed > 0 { "FAILED" } else { "ok" };
    println!("\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out");
    if failed > 0 {
        std::process::exit(101);
    }
}
"#;
const POLICY: &str = "
[[signature]]
id = \"sample_health\"
title = \"the sample is not well\"
severity = \"sev-3\"
match = { gates = [\"health\", \"order\"] }
artifacts = [\"decision.json\"]
replay = [\"cargo\", \"test\", \"--test\", \"gates\", \"--\", \"health\", \"--exact\"]
remediation = [\"unset SAMPLE_FAULT\"]

[[signature]]
id = \"sample_ends\"
title = \"a test of the sample ended badly\"
match = { targets = [\"ends\", \"odd\"] }
artifacts = [\"failures/index.json\"]
replay = [\"cargo\", \"test\", \"--test\", \"ends\"]
remediation = [\"unset SAMPLE_FAULT\"]
";

#[expect(clippy::disallowed_methods, reason = "a test asks where its own tools are")]
fn host(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

fn target_dir() -> PathBuf {
    let own = std::env::current_exe().expect("this test has a path");
    let marked = own.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    marked.expect("a target folder").to_path_buf()
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the checkout")
}

#[expect(clippy::disallowed_methods, reason = "a tree of the test's own, in the target directory")]
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("a file");
}

/// Copies a folder, with what this test adds to three of its files.
fn copy(from: &Path, to: &Path) {
    for entry in from.read_dir().expect("a fixture folder").map(|entry| entry.expect("an entry")) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
            continue;
        }
        let root = checkout().display().to_string().replace('\\', "/");
        let text = fs::read_to_string(&source).expect("a text").replace("@PORTCULLIS@", &root);
        let name = entry.file_name();
        let text = match name.to_str() {
            // Cargo takes two trees of one version and one target directory for one; the other is that of `run.rs`.
            Some("Cargo.toml") => {
                text.replace("version = \"0.0.0\"", "version = \"0.0.1\"").replace(
                    "[profile.dev]",
                    "[[test]]\nname = \"odd\"\nharness = false\n\n[profile.dev]",
                )
            }
            Some("suite_classification.toml") => {
                text.replace("[\"ends\", \"gates\"]", "[\"ends\", \"gates\", \"odd\"]")
            }
            Some("portcullis.toml") => format!("{text}{POLICY}"),
            _ => text,
        };
        write(&target, &text);
    }
}

fn sample_target() -> PathBuf {
    target_dir().join("runner_sample/target")
}

fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = target_dir().join("runner_sample/after_red");
        copy(&checkout().join("fixtures/runner_sample"), &root);
        write(&root.join("tests/odd.rs"), ODD);
        let ours = fs::read_to_string(checkout().join("Cargo.lock")).expect("a lock file");
        let seen = root.join("Cargo.lock.seen");
        if fs::read_to_string(&seen).map_or(true, |found| found != ours) {
            write(&root.join("Cargo.lock"), &ours);
            write(&seen, &ours);
        }
        let target = sample_target().display().to_string();
        write(
            &root.join(".cargo/config.toml"),
            &format!("[net]\noffline = true\n\n[build]\ntarget-dir = '{target}'\n"),
        );
        let blessed = command(&root, &["census", "--bless"]).output().expect("it starts");
        assert!(blessed.status.success(), "{}", text(&blessed));
        root
    })
}

#[expect(clippy::disallowed_methods, reason = "these tests are about processes")]
fn program(program: &str, root: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root).stdin(Stdio::null()).env_clear();
    for name in HOST {
        if let Some(value) = host(name) {
            command.env(name, value);
        }
    }
    command.env("PORTCULLIS_NOW", NOW);
    command
}

fn command(root: &Path, words: &[&str]) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_cargo-portcullis"), root);
    command.args(words);
    command
}

fn text(output: &Output) -> String {
    format!(
        "{}\n--- stderr\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// One run of the sample. Its directory is removed at the end.
struct Case {
    id: String,
    scratch: tempfile::TempDir,
}

impl Drop for Case {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(self.dir()));
        drop(fs::remove_dir_all(sample_target().join("portcullis/incidents").join(&self.id)));
    }
}

impl Case {
    fn new(name: &str) -> Self {
        let case = Self { id: name.to_owned(), scratch: tempfile::tempdir().expect("a folder") };
        drop(fs::remove_dir_all(case.dir()));
        drop(fs::remove_dir_all(sample_target().join("portcullis/incidents").join(name)));
        case
    }

    fn dir(&self) -> PathBuf {
        sample_target().join("portcullis/runs").join(&self.id)
    }

    fn runs(&self, faults: &str, words: &[&str], code: i32) -> Output {
        self.runs_at(NOW, faults, words, code)
    }

    fn runs_at(&self, now: &str, faults: &str, words: &[&str], code: i32) -> Output {
        let output = command(root(), words)
            .env("PORTCULLIS_NOW", now)
            .env("PORTCULLIS_RUN_ID", &self.id)
            .env("SAMPLE_FAULT", faults)
            .env("SAMPLE_SCRATCH", self.scratch.path())
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(code), "{}: {}", self.id, text(&output));
        output
    }
}

/// What a command that runs no test answers.
fn asks(words: &[&str], code: i32) -> Value {
    asks_at(NOW, words, code)
}

fn asks_at(now: &str, words: &[&str], code: i32) -> Value {
    let mut command = command(root(), words);
    let output =
        command.args(["--format", "json"]).env("PORTCULLIS_NOW", now).output().expect("it starts");
    assert_eq!(output.status.code(), Some(code), "{words:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).expect("a document")
}

/// Without cargo-nextest nothing here can be shown; in CI that is a failure.
#[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
fn has_nextest() -> bool {
    let asked = program("cargo", &checkout()).args(["nextest", "--version"]).output();
    let found = asked.is_ok_and(|output| output.status.success());
    let ci = host("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(found || !ci, "CI must prove this: install cargo-nextest");
    if !found {
        eprintln!("\n*** cargo-nextest is not installed: nothing is proven here ***\n");
    }
    found
}

fn state<'a>(document: &'a Value, list: &str, id: &str) -> &'a str {
    let rows = document[list].as_array().expect("a list");
    let row = rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id}"));
    row["state"].as_str().expect("a state")
}

fn bytes(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in dir.read_dir().expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(bytes(&path));
        } else {
            found.push((path.clone(), fs::read(&path).expect("a file")));
        }
    }
    found.sort();
    found
}

/// Every format of a real red run is red, exits 0, and leaves the sealed directory alone.
fn exports_say_the_same(run: &str, scratch: &Path) {
    let export = |format: &str, code: i32| {
        let file = scratch.join(format!("export.{format}"));
        let words = ["export", format, "--run", run, "--out"];
        let output = command(root(), &words).arg(&file).output().expect("it starts");
        assert_eq!(output.status.code(), Some(code), "{format}: {}", text(&output));
        fs::read_to_string(&file).unwrap_or_default()
    };
    let junit = export("junit", 0);
    assert!(junit.contains("name=\"health\" classname=\"main\"") && junit.contains("<failure "));
    let ctrf: Value = serde_json::from_str(&export("ctrf", 0)).expect("a report");
    let tests = ctrf["results"]["tests"].as_array().expect("tests");
    let failed = tests.iter().filter(|test| test["status"] == "failed").count();
    assert!(failed >= 3 && tests.iter().any(|test| test["status"] == "passed"), "{ctrf:#}");
    let sarif: Value = serde_json::from_str(&export("sarif", 0)).expect("a log");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert!(results.iter().any(|one| one["properties"]["gate"] == "health"), "{sarif:#}");
    let badge: Value = serde_json::from_str(&export("badge", 0)).expect("a badge");
    assert_eq!((&badge["color"], &badge["isError"]), (&"red".into(), &true.into()));
    assert!(export("openmetrics", 0).contains("status=\"fail\""));
    assert!(export("html", 0).contains("What is wrong"));
    assert!(export("summary", 0).contains("cargo portcullis rerun"));
    assert!(export("cyclonedx", 0).contains("requirement:health"));
    // The sample is no repository, so there is nothing to make a statement about.
    assert_eq!(export("intoto", 3) + &export("vsa", 3), "");
    let inside = Path::new(run).join("junit.xml");
    let refused = command(root(), &["export", "junit", "--run", run, "--out"])
        .arg(&inside)
        .output()
        .expect("it starts");
    assert!(refused.status.code() == Some(2) && !inside.exists(), "{}", text(&refused));
}

#[test]
fn exports_of_a_red_run_are_red_and_leave_it_alone() {
    if !has_nextest() {
        return;
    }
    let red = Case::new("export-red");
    red.runs("fails,gate_fails", &["run", "--profile", "full", "--lane", "main"], 10);
    let before = bytes(&red.dir());
    let dir = red.dir();
    exports_say_the_same(dir.to_str().expect("a path"), red.scratch.path());
    assert!(before == bytes(&red.dir()), "the sealed directory is as it was");
}

#[test]
fn a_step_summary_is_added_within_its_limit_and_changes_no_exit_code() {
    if !has_nextest() {
        return;
    }
    let red = Case::new("export-step-summary");
    let file = red.scratch.path().join("summary.md");
    write(&file, "before\n");
    let run = || {
        drop(fs::remove_dir_all(red.dir()));
        let output = command(root(), &["run", "--profile", "full", "--format", "github"])
            .env("PORTCULLIS_RUN_ID", &red.id)
            .env("SAMPLE_FAULT", "gate_fails")
            .env("SAMPLE_SCRATCH", red.scratch.path())
            .env("GITHUB_STEP_SUMMARY", &file)
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(11), "{}", text(&output));
        fs::read_to_string(&file).expect("a text")
    };
    let found = run();
    assert!(found.starts_with("before\n# portcullis: blocked"), "{found}");
    assert!(found.contains("## Replay") && found.contains("## All gates"), "{found}");
    let full = "x".repeat(1024 * 1024 - 10);
    write(&file, &full);
    assert!(run() == full, "a file that is full would lose everything");
}

#[expect(clippy::too_many_lines, reason = "one story, from the red run to the closed incident")]
#[test]
fn an_incident_opens_with_a_red_run_and_closes_after_a_green_rerun() {
    if !has_nextest() {
        return;
    }
    let red = Case::new("incident-red");
    red.runs("fails,gate_fails", &["run", "--profile", "full", "--lane", "main"], 10);
    let before = bytes(&red.dir());
    let dir = red.dir();
    let run = dir.to_str().expect("a path");
    let triage = asks(&["triage", run], 10);
    let rows = triage["signatures"].as_array().expect("signatures");
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, ["sample_health", "sample_ends"], "{triage:#}");
    let digests = fs::read_dir(dir.join("failures")).expect("digests").flatten();
    let pointers = digests.filter(|entry| {
        fs::read_to_string(entry.path()).is_ok_and(|text| text.contains("docs/runbook.md#sample_"))
    });
    assert_eq!(pointers.count(), 3, "health, order and fails");

    let open = asks(&["incident", run], 11);
    assert_eq!(
        (open["state"].as_str(), open["severity"].as_str(), open["context"].as_str()),
        (Some("open"), Some("SEV-1"), Some("main"))
    );
    let bundle = open["bundle"].as_array().expect("a bundle");
    let digest = |role: &str| {
        bundle.iter().find(|item| item["role"] == role).expect("a role")["digest"]
            .as_str()
            .expect("a digest")
    };
    assert_eq!(digest("triage_diff"), "absent", "there was no baseline");
    assert_eq!(digest("certification_verdict").len(), 64);
    assert_eq!(digest("summary").len(), 64);
    assert_eq!(state(&open, "checklist", "failures_fixed"), "open");
    assert_eq!(state(&open, "exit_criteria", "blocking_gates_pass"), "open");
    assert_eq!(state(&open, "checklist", "rollback_recorded"), "not_applicable");
    let mut lenient = command(root(), &["incident", run, "--format", "json"]);
    let lenient = lenient.env("CI_GATE_PROMOTION_MODE", "rollback").output().expect("it starts");
    let lenient: Value = serde_json::from_slice(&lenient.stdout).expect("a document");
    assert_eq!(state(&lenient, "checklist", "rollback_recorded"), "open", "there is no record");
    let branch = asks(&["incident", run, "--context", "pr"], 11);
    assert_eq!(branch["severity"], "SEV-2");
    let release = asks(&["incident", run, "--context", "release"], 11);
    assert_eq!(
        (release["severity"].as_str(), release["freeze_strict_wording"].as_bool()),
        (Some("SEV-1"), Some(true))
    );
    assert_eq!(state(&release, "exit_criteria", "wording_guard_satisfied"), "open");

    let branch = Case::new("incident-green-branch");
    let later = "2099-05-20T12:30:00Z";
    branch.runs_at(later, "", &["run", "--profile", "full", "--lane", "pr"], 0);
    let still = asks(&["incident", run], 11);
    assert_eq!(state(&still, "checklist", "failures_fixed"), "open", "a branch mends no main");
    let worse = Case::new("incident-rerun-red");
    worse.runs_at("2099-05-20T13:00:00Z", "fails", &["rerun", run], 10);
    let half = asks(&["incident", run], 11);
    let rows = half["failures"].as_array().expect("failures");
    let fixed: Vec<(&str, bool)> = rows
        .iter()
        .map(|row| {
            (row["target"].as_str().expect("a name"), row["fixed"].as_bool().expect("whether"))
        })
        .collect();
    assert_eq!(
        fixed,
        [
            ("sample::ends fails", false),
            ("sample::gates health", true),
            ("sample::gates order", true)
        ],
        "one of them still fails"
    );
    assert_eq!(state(&half, "checklist", "failures_fixed"), "open");
    let green = Case::new("incident-rerun-green");
    green.runs_at("2099-05-20T14:00:00Z", "", &["rerun", run], 0);
    let fixed = asks(&["incident", run], 11);
    assert_eq!(state(&fixed, "checklist", "failures_fixed"), "satisfied", "{fixed:#}");
    assert_eq!(state(&fixed, "exit_criteria", "blocking_gates_pass"), "satisfied");
    assert_eq!(state(&fixed, "exit_criteria", "links_and_final_note_recorded"), "open");
    asks(&["incident", run, "--note", "the sample was told to fail"], 11);
    let closed = asks(&["incident", run, "--link", "https://forge/issue/1"], 0);
    assert_eq!(closed["state"], "resolved");
    let markdown = sample_target().join("portcullis/incidents/incident-red/incident.md");
    let markdown = fs::read_to_string(markdown).expect("the Markdown");
    assert!(
        markdown.contains("- [x] `blocking_gates_pass`")
            && markdown.contains("passes in incident-rerun-green"),
        "{markdown}"
    );
    assert_eq!(bytes(&dir), before, "the run is as it was");
    let broken = Case::new("incident-edited");
    drop(fs::remove_dir_all(broken.dir()));
    copy_dir(&dir, &broken.dir());
    write(&broken.dir().join("views/summary.json"), "{}\n");
    asks(&["incident", broken.dir().to_str().expect("a path")], 3);
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in from.read_dir().expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

#[test]
fn a_what_if_says_what_would_come_out_and_leaves_the_run_alone() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("what-if");
    case.runs("flickers,gate_fails", &["run", "--profile", "full"], 11);
    let before = bytes(&case.dir());
    let dir = case.dir();
    let run = dir.to_str().expect("a path");
    let same = asks(&["decide", run], 11);
    assert_eq!(same["differences"].as_array().map(Vec::len), Some(0), "{same:#}");
    assert_eq!(
        (same["what_if"].as_bool(), same["certifiable"].as_bool()),
        (Some(true), Some(false))
    );
    let later = asks(&["decide", run, "--at", "2099-05-26"], 10);
    let changes = later["differences"].to_string();
    assert!(changes.contains("quarantine_expired"), "{later:#}");
    let late = Case::new("what-if-late");
    let output = command(root(), &["run", "--profile", "full"])
        .env("PORTCULLIS_RUN_ID", &late.id)
        .env("PORTCULLIS_NOW", "2099-05-26T12:00:00Z")
        .env("SAMPLE_SCRATCH", late.scratch.path())
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(10), "{}", text(&output));
    let sooner = asks(&["decide", late.dir().to_str().expect("a path"), "--at", "2099-05-20"], 0);
    assert!(sooner["differences"].to_string().contains("quarantine_expired"), "{sooner:#}");
    let folder = tempfile::tempdir().expect("a folder");
    let policy = fs::read_to_string(root().join("portcullis.toml")).expect("a policy");
    let lenient = folder.path().join("lenient.toml");
    write(&lenient, &format!("{policy}\n[[gate]]\nid = \"health\"\nblocking = false\n"));
    let with = asks(&["decide", run, "--with-policy", lenient.to_str().expect("a path")], 11);
    assert!(with["differences"].to_string().contains("health"), "{with:#}");
    let broken = folder.path().join("broken.toml");
    write(&broken, "[policy]\nversion = 9\n");
    asks(&["decide", run, "--with-policy", broken.to_str().expect("a path")], 2);
    asks(&["decide", run, "--at", "yesterday"], 2);
    asks(&["decide", run, "--without-waiver", "health"], 2);
    assert_eq!(bytes(&dir), before, "the run is as it was");
}

#[test]
fn every_rung_of_the_ladder_works_when_it_is_pasted_into_a_shell() {
    if !has_nextest() || cfg!(windows) {
        return;
    }
    let case = Case::new("ladder");
    case.runs("odd,fails,gate_fails", &["run", "--profile", "full"], 10);
    let run = case.dir();
    let document = asks(&["replay", run.to_str().expect("a path"), "--ladder"], 0);
    let replays = document["replays"].as_array().expect("replays");
    let tests: Vec<&str> =
        replays.iter().map(|row| row["test"].as_str().expect("a test")).collect();
    let odd = ["it's \"odd\"", "a::b c; echo $HOME `x`", "src/lib.rs - f (line 3), g\\h"];
    for test in odd.into_iter().chain(["fails", "health"]) {
        assert!(tests.contains(&test), "{test}: {tests:?}");
    }
    let own = Path::new(env!("CARGO_BIN_EXE_cargo-portcullis")).parent().expect("a folder");
    let path = format!("{}:{}", own.display(), host("PATH").expect("a path").to_string_lossy());
    let mut rungs: Vec<(&str, &str, &str)> = Vec::new();
    for row in replays {
        for step in row["ladder"].as_array().expect("a ladder") {
            let (rung, line) =
                (step["rung"].as_str().expect("a rung"), step["command"].as_str().expect("a line"));
            if !rungs.iter().any(|(_, known, _)| *known == line) {
                rungs.push((rung, line, row["test"].as_str().expect("a test")));
            }
        }
    }
    for wanted in ["failed_set", "suite", "test", "debug", "gate"] {
        assert!(rungs.iter().any(|(rung, ..)| *rung == wanted), "{wanted}");
    }
    for (rung, line, test) in rungs {
        // Whatever the words of a rung select fails with the fault, and passes without it.
        for (faults, red) in [("odd,fails,gate_fails", true), ("", false)] {
            let mut shell = program("sh", root());
            let output = shell
                .args(["-c", line])
                .env("PATH", &path)
                .env("SAMPLE_FAULT", faults)
                .env("SAMPLE_SCRATCH", case.scratch.path())
                .output()
                .expect("a shell");
            let said = text(&output);
            assert_eq!(!output.status.success(), red, "{rung}: {line}: {said}");
            if rung == "test" || rung == "debug" || rung == "gate" {
                assert!(said.contains(test), "{rung}: {line}: {said}");
                assert!(
                    said.contains("running 1 test")
                        || said.contains("1 passed; 0 failed")
                        || said.contains("0 passed; 1 failed"),
                    "{rung}: {line}: {said}"
                );
            }
        }
    }
}

#[test]
fn a_test_that_is_repeated_is_stable_flaky_or_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    let asks = |faults: &str, words: &[&str], code: i32| -> Value {
        let words: Vec<&str> =
            ["flaky", "--test"].iter().chain(words).copied().chain(["--format", "json"]).collect();
        let mut command = command(root(), &words);
        let output = command
            .env("SAMPLE_FAULT", faults)
            .env("SAMPLE_SCRATCH", folder.path())
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).expect("a document")
    };
    let stable = asks("", &["ends", "flickers", "--runs", "3"], 0);
    assert_eq!(
        (stable["diagnosis"]["nature"].as_str(), stable["quarantine_entry"].is_null()),
        (Some("stable"), true)
    );
    let flaky =
        asks("flickers", &["sample::ends", "flickers", "--runs", "3", "--issue", "#63"], 10);
    assert_eq!(flaky["diagnosis"]["nature"], "flaky", "{flaky:#}");
    assert_eq!(
        (flaky["diagnosis"]["failed"].as_i64(), flaky["diagnosis"]["category"].as_str()),
        (Some(1), Some("FLAKE-LOGIC"))
    );
    let entry = flaky["quarantine_entry"].as_str().expect("an entry");
    assert!(
        entry.contains("[quarantine.ends.flickers]")
            && entry.contains("expires = 2099-06-03")
            && entry.contains("issue = \"#63\""),
        "{entry}"
    );
    let broken = asks("breaks", &["ends", "breaks", "--runs", "2"], 10);
    assert_eq!(
        (broken["diagnosis"]["nature"].as_str(), broken["quarantine_entry"].is_null()),
        (Some("broken"), true)
    );
    let exits = asks("exits", &["ends", "exits", "--runs", "2"], 10);
    assert_eq!(
        exits["diagnosis"]["nature"], "broken",
        "a process that ends in its test has not passed"
    );
    asks("", &["nowhere", "flickers"], 2);
    asks("", &["ends", "flicker"], 3);
}

/// What this repository commits for a bare nextest is what its policy gives.
#[test]
fn the_committed_configuration_of_nextest_is_the_generated_one() {
    let own = env!("CARGO_BIN_EXE_cargo-portcullis");
    let output = program(own, &checkout()).args(["nextest-config", "--check"]).output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "write it anew with `nextest-config`: {said}");
}

#[test]
fn nextest_alone_accepts_the_generated_configuration_and_drift_is_found() {
    if !has_nextest() {
        return;
    }
    let folder = "generated";
    let file = format!("{folder}/nextest.toml");
    drop(fs::remove_dir_all(root().join(folder)));
    asks(&["nextest-config", "--check", "--path", &file], 11);
    asks(&["nextest-config", "--path", &file], 0);
    asks(&["nextest-config", "--check", "--path", &file], 0);
    let config = format!("portcullis:{}", root().join(&file).display());
    let mut nextest = program("cargo", root());
    let output = nextest
        .args(["nextest", "run", "--test", "ends", "--tool-config-file", &config])
        .env("SAMPLE_FAULT", "flickers")
        .env("SAMPLE_SCRATCH", tempfile::tempdir().expect("a folder").path())
        .output()
        .expect("it starts");
    let said = text(&output);
    assert!(
        said.contains("TRY 1 FAIL") && said.contains("DELAY 2/2"),
        "the quarantined test is tried again: {said}"
    );
    let text = fs::read_to_string(root().join(&file)).expect("the file");
    write(&root().join(&file), &text.replace("retries = 0", "retries = 3"));
    let drift = asks(&["nextest-config", "--check", "--path", &file], 11);
    assert_eq!(drift["fault"]["code"], "nextest_config_drift");
    drop(fs::remove_dir_all(root().join(folder)));
}

#[test]
fn a_new_gate_compiles_and_its_teeth_fail_until_they_are_filled() {
    let tree = target_dir().join("runner_sample/new_gate");
    drop(fs::remove_dir_all(&tree));
    copy_dir(root(), &tree);
    let manifest = fs::read_to_string(tree.join("Cargo.toml")).expect("a manifest");
    let with_serde = "[dev-dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\n";
    write(&tree.join("Cargo.toml"), &manifest.replace("[dev-dependencies]\n", with_serde));
    let new = |words: &[&str], code: i32| -> String {
        let words: Vec<&str> = ["new_gate"].iter().chain(words).copied().collect();
        let output = command(&tree, &words).output().expect("it starts");
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", text(&output));
        text(&output)
    };
    new(&["My-Gate"], 2);
    new(&["command", "--into", "tests/gates.rs"], 2);
    let said = new(&["tide_table", "--into", "tests/gates.rs"], 0);
    let table = "[[gate]]\nid = \"tide_table\"\nkind = \"tide_table\"\ntitle = \"FILL IN\"\nfiles = [\"**/*.txt\"]\n";
    assert!(said.contains(table), "{said}");
    let again = new(&["tide_table", "--into", "tests/gates.rs"], 2);
    assert!(again.contains("exists already"), "{again}");
    let policy = fs::read_to_string(tree.join("portcullis.toml")).expect("a policy");
    write(&tree.join("portcullis.toml"), &format!("{policy}\n{table}"));
    write(&tree.join("a.txt"), "water\n");
    let gate = || {
        let blessed = command(&tree, &["census", "--bless"]).output().expect("it starts");
        assert!(blessed.status.success(), "{}", text(&blessed));
        let mut cargo = program("cargo", &tree);
        let words = ["test", "--test", "gates", "--", "tide_table", "--exact"];
        cargo.args(words).output().expect("it starts")
    };
    let unfilled = gate();
    assert!(
        !unfilled.status.success() && text(&unfilled).contains("gate_broken"),
        "{}",
        text(&unfilled)
    );
    let file = tree.join("tests/tide_table.rs");
    let source = fs::read_to_string(&file).expect("the gate");
    let filled = source
        .replace(
            "(_text: &str) -> bool {\n    false",
            "(text: &str) -> bool {\n    text.contains(\"FILL\")",
        )
        .replace("ALL, &[])", "ALL, &[(\"a.txt\", \"water\")])");
    write(&file, &filled);
    let green = gate();
    assert!(green.status.success(), "{}", text(&green));
}

#[test]
fn t13_annotations_are_escaped_and_change_no_exit_code() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("annotated");
    let words = ["run", "--profile", "full", "--format", "github"];
    let output = case.runs("fails,odd,gate_fails", &words, 10);
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let opened =
        stdout.lines().find_map(|line| line.strip_prefix("::stop-commands::")).expect("a token");
    let (quiet, commands) = stdout.split_once(&format!("\n::{opened}::\n")).expect("the end token");
    assert!(quiet.contains("portcullis: BLOCKED") && opened.len() == 32, "{stdout}");
    let lines: Vec<&str> = commands.lines().collect();
    assert!(
        lines.iter().all(|line| line.starts_with("::error ")
            || line.starts_with("::warning ")
            || line.starts_with("::notice ")),
        "{commands}"
    );
    assert!(lines.len() <= 30, "{commands}");
    let place = "file=tests/ends.rs,line=";
    assert!(
        lines.iter().any(|line| line.contains("title=sample%3A%3Aends fails%3A assertion_failure")
            && line.contains(place)),
        "{commands}"
    );
    assert!(
        lines.iter().any(|line| line.contains("title=health%3A fail sample_violation")),
        "{commands}"
    );
    let other = Case::new("annotated-again");
    let again = other.runs("fails,odd,gate_fails", &words, 10);
    let again = String::from_utf8(again.stdout).expect("UTF-8");
    assert!(!again.contains(opened), "the token is another one each time");
}
