//! `run` over a sample repository with real nextest: every way in which a test can end, and runs that are cut short.
//!
//! The sample is copied into the target directory and built once. Each case has a run id of its own.

#[path = "run/broken.rs"]
mod broken;
#[path = "run/engines.rs"]
mod engines;
#[path = "run/history.rs"]
mod history;
#[path = "run/merge.rs"]
mod merge;
#[path = "run/schemas.rs"]
mod schemas;
#[path = "run/secrets.rs"]
mod secrets;
#[path = "run/store.rs"]
mod store;
#[path = "run/subject.rs"]
mod subject;

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

const NOW: &str = "2099-05-20T12:00:00Z";
/// What a child needs of its host.
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

#[expect(clippy::disallowed_methods, reason = "a test asks where its own tools are")]
fn host(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// The target directory of the checkout, as this test binary lies in it.
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

fn copy(from: &Path, to: &Path) {
    for entry in from.read_dir().expect("a fixture folder").map(|entry| entry.expect("an entry")) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            let text = fs::read_to_string(&source).expect("a text");
            let root = checkout().display().to_string().replace('\\', "/");
            write(&target, &text.replace("@PORTCULLIS@", &root));
        }
    }
}

/// Where the runs of the sample lie.
fn sample_target() -> PathBuf {
    target_dir().join("runner_sample/target")
}

/// The copied sample, with its census blessed.
fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = target_dir().join("runner_sample/tree");
        copy(&checkout().join("fixtures/runner_sample"), &root);
        let ours = fs::read_to_string(checkout().join("Cargo.lock")).expect("a lock file");
        let seen = root.join("Cargo.lock.seen");
        if fs::read_to_string(&seen).map_or(true, |found| found != ours) {
            write(&root.join("Cargo.lock"), &ours);
            write(&seen, &ours);
        }
        let target = sample_target().display().to_string();
        let config = format!("[net]\noffline = true\n\n[build]\ntarget-dir = '{target}'\n");
        write(&root.join(".cargo/config.toml"), &config);
        let blessed = command(&root, &["census", "--bless"]).output().expect("it starts");
        assert!(blessed.status.success(), "{}", text(&blessed));
        root
    })
}

/// The sample outside every repository of git, for tests that change what is committed at a root. One test at a time.
///
/// Its path is the same each time: cargo takes two work trees with one target directory for one, so this has its own.
fn elsewhere() -> (PathBuf, PathBuf, MutexGuard<'static, ()>) {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let name = portcullis::Digest::of(target_dir().as_os_str().as_encoded_bytes()).to_string();
    let short: String = name.chars().take(12).collect();
    let tree = std::env::temp_dir().join(format!("portcullis-sample-{short}"));
    drop(fs::remove_dir_all(&tree));
    copy_bytes(root(), &tree);
    let target = target_dir().join("runner_sample/elsewhere");
    let config = format!("[net]\noffline = true\n\n[build]\ntarget-dir = '{}'\n", target.display());
    write(&tree.join(".cargo/config.toml"), &config);
    (tree, target, guard)
}

#[expect(clippy::disallowed_methods, reason = "these tests are about the process itself")]
fn command(root: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-portcullis"));
    command.current_dir(root).args(words).stdin(Stdio::null()).env_clear();
    for name in HOST {
        if let Some(value) = host(name) {
            command.env(name, value);
        }
    }
    command.env("PORTCULLIS_NOW", NOW);
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
    }
}

impl Case {
    fn new(name: &str) -> Self {
        let case = Self { id: name.to_owned(), scratch: tempfile::tempdir().expect("a folder") };
        drop(fs::remove_dir_all(case.dir()));
        case
    }

    fn dir(&self) -> PathBuf {
        sample_target().join("portcullis/runs").join(&self.id)
    }

    fn command(&self, faults: &str, words: &[&str]) -> Command {
        let mut command = command(root(), words);
        command
            .env("PORTCULLIS_RUN_ID", &self.id)
            .env("SAMPLE_FAULT", faults)
            .env("SAMPLE_SCRATCH", self.scratch.path());
        command
    }

    /// Runs to the end and asserts the exit code.
    fn runs(&self, faults: &str, words: &[&str], code: i32) -> String {
        let output = self.command(faults, words).output().expect("it starts");
        let text = text(&output);
        assert_eq!(output.status.code(), Some(code), "{}: {text}", self.id);
        text
    }

    fn document(&self, name: &str) -> Value {
        let bytes =
            fs::read(self.dir().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_slice(&bytes).expect("a document")
    }

    /// The statuses of a test, attempt by attempt.
    fn statuses(&self, test: &str) -> Vec<String> {
        let text = fs::read_to_string(self.dir().join("outcomes.jsonl")).expect("outcomes");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line"));
        let of = lines.filter(|line| line["test"] == test);
        of.map(|line| line["status"].as_str().expect("a status").to_owned()).collect()
    }

    fn class(&self, test: &str) -> Option<String> {
        let index = self.document("failures/index.json");
        let digests = index["digests"].as_array().expect("digests").clone();
        let of = digests.iter().find(|digest| digest["test"] == test)?;
        of["root_cause_class"].as_str().map(str::to_owned)
    }

    /// What `verify` exits with, from a folder that is no repository.
    fn verified(&self) -> Option<i32> {
        let elsewhere = tempfile::tempdir().expect("a folder");
        let copy = elsewhere.path().join("run");
        copy_bytes(&self.dir(), &copy);
        let path = copy.to_str().expect("a path");
        let output = command(elsewhere.path(), &["verify", path]).output().expect("it starts");
        output.status.code()
    }
}

fn copy_bytes(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in from.read_dir().expect("a folder").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_bytes(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Without cargo-nextest nothing here can be shown; in CI that is a failure.
#[expect(clippy::disallowed_methods, reason = "a test asks for its own tools")]
#[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
fn has_nextest() -> bool {
    let asked = Command::new("cargo").args(["nextest", "--version"]).output();
    let found = asked.is_ok_and(|output| output.status.success());
    let ci = host("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(found || !ci, "CI must prove this: install cargo-nextest");
    if !found {
        eprintln!("\n*** cargo-nextest is not installed: `run` is NOT proven here ***\n");
    }
    found
}

#[test]
fn an_honest_run_passes_and_verify_agrees_elsewhere() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("honest");
    let said = case.runs("", &["run", "--profile", "full"], 0);
    assert!(
        said.contains("PASS") && said.contains("17 passed") && said.contains("3 gates: 3 pass"),
        "{said}"
    );
    assert_eq!(case.verified(), Some(0));
    let plan = case.document("plan.json");
    let targets = plan["targets"].as_array().expect("targets").len();
    assert_eq!(targets, 20);
    let reasons: Vec<&str> = plan["excluded"]
        .as_array()
        .expect("excluded")
        .iter()
        .map(|one| one["reason"].as_str().expect("a reason").split(':').next().expect("a word"))
        .collect();
    assert_eq!(reasons.iter().filter(|word| **word == "aggregate").count(), 4, "{reasons:?}");
    assert_eq!(reasons.iter().filter(|word| **word == "ignored").count(), 1, "{reasons:?}");
    assert_eq!(reasons.iter().filter(|word| **word == "kind").count(), 1, "{reasons:?}");
    assert_eq!(case.document("run.json")["state"], "sealed");
    let summary = case.document("views/summary.json");
    assert_eq!((&summary["verdict"], &summary["total_suites"]), (&"pass".into(), &4.into()));
}

#[test]
fn every_end_is_classified_and_nothing_planned_is_lost() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("ends");
    let faults = "fails,panics,returns_an_error,aborts,exits,hangs,leaks,flickers,gate_fails";
    let said = case.runs(faults, &["run", "--profile", "full"], 10);
    let table = [
        ("passes", &["passed"][..], None),
        ("fails", &["failed"], Some("assertion_failure")),
        ("panics", &["failed"], Some("panic")),
        ("returns_an_error", &["failed"], Some("test_error")),
        ("aborts", &["crashed"], Some("crash")),
        ("exits", &["exited"], Some("exited")),
        ("hangs", &["timed_out"], Some("timeout")),
        ("leaks", &["passed"], None),
        ("flickers", &["failed", "passed"], Some("panic")),
        ("is_ignored", &[], None),
    ];
    for (test, statuses, class) in table {
        assert_eq!(case.statuses(test), statuses, "{test}\n{said}");
        assert_eq!(case.class(test).as_deref(), class, "{test}\n{said}");
    }
    assert_eq!(case.class("health").as_deref(), Some("gate_blocked"));
    let lines = fs::read_to_string(case.dir().join("outcomes.jsonl")).expect("outcomes");
    assert_eq!(lines.matches("\"last\":true").count(), 20, "each planned target has an end");
    assert!(said.contains("6 tests failed") && said.contains("1 flaky; 1 leaky"), "{said}");
    assert_eq!(case.verified(), Some(10), "verify says what the run said");
    let summary = case.document("views/summary.json");
    let failed = summary["failed_names"].as_array().expect("names");
    assert!(
        failed.contains(&"sample::gates health".into())
            && failed.contains(&"sample::gates order".into())
    );
    assert!(!failed.contains(&"sample::ends flickers".into()), "tolerated, and reported apart");
    let report = case.document("views/quarantine_report.json");
    assert_eq!(report["entries"][0]["verdict"], "flaky_tolerated");
}

#[test]
fn a_blocked_gate_alone_is_exit_11_and_a_lost_one_exit_12() {
    if !has_nextest() {
        return;
    }
    let table = [("gate_fails", 11, "sample_violation"), ("gate_exits", 12, "receipt_unsealed")];
    for (fault, code, name) in table {
        let case = Case::new(fault);
        let said = case.runs(fault, &["run", "--kind", "gate"], code);
        assert!(said.contains(name), "{said}");
        assert_eq!(case.verified(), Some(code), "{fault}");
    }
}

#[test]
fn tests_alone_can_be_run_without_a_gate() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("unit-alone");
    case.runs("", &["run", "--kind", "unit"], 0);
    assert_eq!(case.verified(), Some(0));
    let red = Case::new("e2e-alone");
    red.runs("fails", &["run", "--kind", "e2e"], 10);
    assert_eq!(red.verified(), Some(10));
}

/// A quarantine that ended yesterday excuses nothing, and one that holds does not excuse what fails every time.
#[test]
fn fg63_an_expired_quarantine_exits_10() {
    if !has_nextest() {
        return;
    }
    let words = ["run", "-E", "test(=flickers)"];
    let today = Case::new("fg63-last-day");
    let mut last = today.command("flickers", &words);
    let last = last.env("PORTCULLIS_NOW", "2099-05-25T23:59:59Z").output().expect("it starts");
    assert_eq!(last.status.code(), Some(0), "{}", text(&last));
    let case = Case::new("fg63");
    let mut late = case.command("flickers", &words);
    let late = late.env("PORTCULLIS_NOW", "2099-05-26T00:00:00Z").output().expect("it starts");
    assert_eq!(late.status.code(), Some(10), "{}", text(&late));
    assert!(text(&late).contains("quarantine_expired"), "{}", text(&late));
    assert_eq!(case.statuses("flickers"), ["failed", "passed"]);
    assert_eq!(case.verified(), Some(10));
}

/// A run with more time than it may take ends by itself, and says which tests it cost.
#[test]
fn a_deadline_is_a_timeout_and_never_a_pass() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("deadline");
    let words = ["run", "--profile", "ci", "--kind", "e2e", "--deadline", "4s", "--jobs", "1"];
    let said = case.runs("hangs", &words, 12);
    assert!(said.contains("deadline_exceeded"), "{said}");
    assert_eq!(case.statuses("hangs"), ["timed_out"]);
    assert_eq!(case.class("hangs").as_deref(), Some("timeout"));
    assert_eq!(case.verified(), Some(12));
}

#[cfg(unix)]
mod signals {
    use super::*;

    fn started(case: &Case, faults: &str, words: &[&str]) -> Child {
        let mut command = case.command(faults, words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    }

    /// Waits until the run has begun to look at something.
    fn wait_for(path: &Path) {
        for _ in 0..600 {
            if path.exists() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("{} never came", path.display());
    }

    fn signal(child: &Child, name: &str) {
        #[expect(clippy::disallowed_methods, reason = "the test sends a signal")]
        let sent = Command::new("kill").args([name, &child.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }

    #[test]
    fn a_run_that_is_asked_to_stop_reports_and_seals() {
        if !has_nextest() {
            return;
        }
        let case = Case::new("sigterm");
        let words = ["run", "-E", "test(=health) | test(=hangs) | test(=one)"];
        let child = started(&case, "hangs", &words);
        wait_for(&case.dir().join("gates/health/attempt-1/verdict.json"));
        signal(&child, "-TERM");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(12), "{}", text(&output));
        assert!(text(&output).contains("run_interrupted"), "{}", text(&output));
        assert_eq!(case.document("run.json")["state"], "sealed");
        assert_eq!(case.verified(), Some(12));
    }

    #[test]
    fn a_run_that_is_asked_twice_is_interrupted() {
        if !has_nextest() {
            return;
        }
        let case = Case::new("sigterm-twice");
        let child = started(&case, "gate_hangs", &["run", "-E", "test(=health)"]);
        wait_for(&case.dir().join("gates/health/attempt-1/started.json"));
        signal(&child, "-INT");
        signal(&child, "-TERM");
        let output = child.wait_with_output().expect("it ends");
        let state = case.document("run.json")["state"].clone();
        assert_eq!(output.status.code(), Some(12), "{}", text(&output));
        // The two signals may arrive as one, and then the run still seals; it is never green.
        assert!(state == "interrupted" || state == "sealed", "{state}");
        assert_eq!(case.verified(), Some(12));
    }

    /// How often a runner is killed; `PORTCULLIS_TEST_KILLS=200` takes as many moments.
    fn kills() -> u64 {
        let asked = host("PORTCULLIS_TEST_KILLS").and_then(|text| text.into_string().ok());
        asked.map_or(20, |text| text.parse().expect("a number of kills"))
    }

    /// Killed at many moments between its start and its end: no such run is ever a pass, and the next run sweeps up.
    #[test]
    fn fg76_a_runner_that_is_killed_is_never_a_pass() {
        if !has_nextest() {
            return;
        }
        let kills = kills();
        for n in 0..kills {
            let case = Case::new(&format!("killed-{n}"));
            let mut child = started(&case, "", &["run", "--profile", "quick"]);
            std::thread::park_timeout(Duration::from_millis(30 + n * 1_400 / kills));
            let ended = child.try_wait().expect("asked").is_some();
            drop(child.kill());
            let output = child.wait_with_output().expect("it ended");
            if ended {
                assert_eq!(output.status.code(), Some(0), "{}", text(&output));
                continue;
            }
            if case.dir().exists() && output.status.code().is_none() {
                let state = case.document("run.json")["state"].clone();
                assert!(state == "running" || state == "sealed", "killed-{n}: {state}");
                let sealed = state == "sealed";
                // Sealing is the last but one write; a run that was killed right after it is a whole run.
                assert_eq!(case.verified(), Some(if sealed { 0 } else { 12 }), "killed-{n}");
            }
        }
        Case::new("after-the-kills").runs("", &["run", "--profile", "quick"], 0);
    }

    /// The processes of a run whose command line has this word, the engine left out.
    #[cfg(target_os = "linux")]
    fn processes(run: &str, word: &str) -> Vec<u32> {
        let entries = Path::new("/proc").read_dir().expect("processes");
        let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        ids.filter(|id| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let env = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let ours = format!("PORTCULLIS_RUN_ID={run}\0");
            let is_of_run = String::from_utf8_lossy(&env).contains(&ours);
            is_of_run
                && line.contains(word)
                && line.contains("--exact")
                && !line.contains("nextest")
        })
        .collect()
    }

    /// A test, and then a gate, whose process is killed from outside.
    #[cfg(target_os = "linux")]
    #[test]
    fn fg76_a_test_that_is_killed_has_crashed_and_a_gate_left_no_receipt() {
        if !has_nextest() {
            return;
        }
        let table = [
            ("killed-test", "hangs", "hangs", 10, "crash"),
            ("killed-gate", "gate_hangs", "health", 12, "crash"),
        ];
        for (name, fault, test, code, class) in table {
            let case = Case::new(name);
            let filter = format!("test(={test})");
            let child = started(&case, fault, &["run", "--profile", "ci", "-E", &filter]);
            let found = (0..600).find_map(|_| {
                std::thread::park_timeout(Duration::from_millis(50));
                let found = processes(&case.id, test);
                found.first().copied()
            });
            let id = found.expect("the test runs").to_string();
            if code == 12 {
                // Before its first record a gate has not begun, which is another word for the same exit code.
                wait_for(&case.dir().join("gates/health/attempt-1/started.json"));
            }
            #[expect(clippy::disallowed_methods, reason = "the test sends a signal")]
            let sent = Command::new("kill").args(["-9", &id]).status();
            assert!(sent.expect("kill").success());
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), Some(code), "{name}: {}", text(&output));
            assert_eq!(case.class(test).as_deref(), Some(class), "{name}");
            assert_eq!(case.verified(), Some(code), "{name}");
        }
    }
}

#[test]
fn a_rerun_takes_exactly_what_failed_and_never_certifies() {
    if !has_nextest() {
        return;
    }
    let red = Case::new("rerun-base");
    red.runs("fails,panics,gate_fails", &["run", "--profile", "full"], 10);
    let path = red.dir();
    let from = path.to_str().expect("a path");
    let again = Case::new("rerun-red");
    again.runs("fails,gate_fails", &["rerun", from], 10);
    let mut planned: Vec<String> = again.document("plan.json")["targets"]
        .as_array()
        .expect("targets")
        .iter()
        .map(|target| target["test"].as_str().expect("a name").to_owned())
        .collect();
    planned.sort();
    assert_eq!(
        planned,
        ["fails", "health", "order", "panics"],
        "with the gate that needs a red one"
    );
    let green = Case::new("rerun-green");
    green.runs("", &["rerun", from], 0);
    assert_eq!(green.document("decision.json")["certifiable"], false);
    assert_eq!(green.document("views/summary.json")["rerun_of"], "rerun-base");
    assert_eq!(red.verified(), Some(10), "the parent stays what it is");
    let summary = path.join("views/summary.json");
    let by_summary = Case::new("rerun-by-summary");
    by_summary.runs("", &["run", "--rerun-from", summary.to_str().expect("a path")], 0);
}

#[test]
fn a_diff_ranks_what_changed_and_exits_15_for_a_regression() {
    if !has_nextest() {
        return;
    }
    let words = ["run", "--profile", "full"];
    let (base, worse) = (Case::new("diff-base"), Case::new("diff-worse"));
    base.runs("fails", &words, 10);
    worse.runs("fails,panics", &words, 10);
    let (a, b) = (base.dir(), worse.dir());
    let (a, b) = (a.to_str().expect("a path"), b.to_str().expect("a path"));
    let asker = Case::new("diff-asker");
    let said = asker.runs("", &["diff", a, b], 15);
    assert!(
        said.contains("Regression sample::ends panics")
            && said.contains("KnownFailure sample::ends fails"),
        "{said}"
    );
    asker.runs("", &["diff", b, a], 0);
    let from = Case::new("diff-from");
    let with: Vec<&str> = words.iter().copied().chain(["--diff-from", a]).collect();
    from.runs("", &with, 0);
    assert_eq!(from.document("triage.json")["summary"]["fixed_count"], 1);
    let quick = Case::new("diff-other-profile");
    let said = quick.runs("", &["run", "--profile", "quick", "--diff-from", a], 3);
    assert!(said.contains("baseline_unusable"), "{said}");
}

#[test]
fn a_replay_says_whether_the_failure_came_back() {
    if !has_nextest() {
        return;
    }
    let red = Case::new("replay-base");
    red.runs("fails,gate_fails", &["run", "--profile", "full"], 10);
    let path = red.dir();
    let from = path.to_str().expect("a path");
    let asker = Case::new("replay-asker");
    let said = asker.runs("fails", &["replay", from, "--test", "fails"], 10);
    assert!(said.contains("reproduced (assertion_failure)"), "{said}");
    let said = asker.runs("", &["replay", from, "--test", "fails"], 0);
    assert!(said.contains("not reproduced"), "{said}");
    let said = asker.runs("gate_fails", &["replay", from, "--gate", "health"], 11);
    assert!(said.contains("reproduced (gate_blocked)"), "{said}");
    let said = asker.runs("", &["replay", from, "--print"], 0);
    assert!(said.contains("cargo test --package sample --test ends -- fails --exact"), "{said}");
}

#[test]
fn shards_run_their_parts_and_agree_on_the_plan() {
    if !has_nextest() {
        return;
    }
    let mut planned = 0;
    let mut hashes = Vec::new();
    for n in 1..=3 {
        let case = Case::new(&format!("shard-{n}"));
        case.runs("", &["run", "--profile", "full", "--shard", &format!("{n}/3")], 0);
        let lines = fs::read_to_string(case.dir().join("outcomes.jsonl")).expect("outcomes");
        planned += lines.lines().count();
        hashes.push(case.document("plan.json")["hash"].clone());
        assert_eq!(case.document("decision.json")["certifiable"], false);
        assert_eq!(case.verified(), Some(0), "shard {n}");
    }
    assert_eq!(planned, 20);
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "{hashes:?}");
}

#[test]
fn what_contradicts_itself_is_refused_before_anything_is_built() {
    if !has_nextest() {
        return;
    }
    let table: &[(&str, &[&str], i32, &str)] = &[
        ("no such profile", &["run", "--profile", "quik"], 2, "did you mean `quick`"),
        ("focused on nothing", &["run", "--profile", "focused"], 2, "nothing is named"),
        ("shard 0 of 3", &["run", "--shard", "0/3"], 2, "i/n"),
        ("half a shard", &["run", "--shard-kind", "suite"], 2, "--shard-index"),
        (
            "an index beyond the total",
            &["run", "--shard-kind", "suite", "--shard-index", "3", "--shard-total", "3"],
            2,
            "count from 0",
        ),
        (
            "a rerun of a selection",
            &["run", "--rerun-from", "latest", "-E", "all()"],
            2,
            "cannot be used with",
        ),
        ("a filterset that is none", &["run", "-E", "test(="], 2, "filterset"),
        ("a deadline without unit", &["run", "--deadline", "5"], 2, "5m"),
        ("an unknown kind", &["run", "--kind", "slow"], 2, "unit"),
    ];
    for (name, words, code, part) in table {
        let case = Case::new("refused");
        let said = case.runs("", words, *code);
        assert!(said.contains(part), "{name}: {said}");
        if case.dir().exists() {
            assert_eq!(case.document("run.json")["state"], "refused", "{name}");
        }
    }
}

#[test]
fn a_run_id_is_never_used_twice() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("twice");
    case.runs("", &["run", "--kind", "unit"], 0);
    let said = case.runs("", &["run", "--kind", "unit"], 3);
    assert!(said.contains("attempt_conflict"), "{said}");
    assert_eq!(case.verified(), Some(0), "the first one stays whole");
}

#[test]
fn a_sealed_run_that_is_edited_is_found_out() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("edited");
    case.runs("fails", &["run", "--profile", "full"], 10);
    let path = case.dir().join("outcomes.jsonl");
    let before = fs::read_to_string(&path).expect("outcomes");
    write(&path, &before.replace("\"status\":\"failed\"", "\"status\":\"passed\""));
    assert_eq!(case.verified(), Some(12));
    write(&path, &before);
    assert_eq!(case.verified(), Some(10));
    for name in ["outcomes.jsonl", "plan.json", "decision.json", "inputs.json"] {
        let path = case.dir().join(name);
        let bytes = fs::read_to_string(&path).expect("a document");
        fs::remove_file(&path).expect("removed");
        assert_eq!(case.verified(), Some(12), "without {name}");
        write(&path, &bytes);
    }
}

/// Hashes an edited run anew, as somebody would who knows how it is sealed.
fn reseal(dir: &Path) {
    let path = dir.join("manifest.json");
    let mut manifest: Value =
        serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("a document");
    for file in manifest["files"].as_array_mut().expect("files") {
        let bytes = fs::read(dir.join(file["path"].as_str().expect("a path"))).expect("a file");
        file["sha256"] = portcullis::Digest::of(&bytes).to_string().into();
        file["bytes"] = bytes.len().into();
    }
    let text = portcullis::wire::artifact::document(&manifest).expect("a text");
    write(&path, &text);
    let path = dir.join("run.json");
    let mut run: Value =
        serde_json::from_slice(&fs::read(&path).expect("a run")).expect("a document");
    run["manifest_sha256"] = portcullis::Digest::of(text.as_bytes()).to_string().into();
    write(&path, &portcullis::wire::artifact::document(&run).expect("a text"));
}

/// Changes a document of a run and seals nothing.
fn edit_document(dir: &Path, name: &str, change: impl FnOnce(&mut Value)) {
    let path = dir.join(name);
    let mut value: Value =
        serde_json::from_slice(&fs::read(&path).expect("a document")).expect("a document");
    change(&mut value);
    write(&path, &portcullis::wire::artifact::document(&value).expect("a text"));
}

/// Makes another sealed run of the same id.
fn edit_and_reseal(dir: &Path) {
    write(&dir.join("logs/nextest.log"), "another\n");
    reseal(dir);
}

/// A decision that forgets the failed tests, in a run that is whole otherwise.
#[test]
fn the_tests_are_judged_again_and_not_believed() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("resealed");
    case.runs("fails", &["run", "--profile", "full"], 10);
    reseal(&case.dir());
    assert_eq!(case.verified(), Some(10), "the control: nothing was edited");
    let mut decision = case.document("decision.json");
    decision["verdict"] = "pass".into();
    decision["exit"] = 0.into();
    decision["faults"] = Value::Array(Vec::new());
    decision["facts"]["run_faults"] = Value::Array(Vec::new());
    let why = decision["why_not_certifiable"].as_array_mut().expect("reasons");
    why.retain(|reason| reason != "the verdict is blocked");
    let text = portcullis::wire::artifact::document(&decision).expect("a text");
    write(&case.dir().join("decision.json"), &text);
    reseal(&case.dir());
    assert_eq!(case.verified(), Some(12), "outcomes.jsonl says otherwise");
}
