//! The gate binary as its callers call it: cargo-nextest's list, another working directory, eight at once.
//!
//! The binary is this repository's own, built by the same cargo invocation; cheap gates stand for all.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The newest build of the gate binary beside this test binary.
fn binary() -> PathBuf {
    let own = env::current_exe().expect("this test has a path");
    let folder = own.parent().expect("it lies in a folder");
    let candidates =
        folder.read_dir().expect("the folder can be read").filter_map(Result::ok).filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let stem = name.strip_suffix(env::consts::EXE_SUFFIX).unwrap_or(&name);
            stem.strip_prefix("ci_full_suite_gate-")
                .is_some_and(|hash| hash.len() == 16 && !hash.contains('.'))
        });
    candidates
        .max_by_key(|entry| entry.metadata().and_then(|meta| meta.modified()).ok())
        .map(|entry| entry.path())
        .expect("cargo built the gate binary with this test: run `cargo test --workspace`")
}

#[expect(clippy::disallowed_methods, reason = "this test is about the process itself")]
fn command(arguments: &[&str], cwd: &Path) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(cwd).stdin(Stdio::null()).env_clear();
    for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "TMPDIR", "SystemRoot", "TEMP"] {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("PORTCULLIS_LANE", "local");
    command
}

fn run(arguments: &[&str], cwd: &Path) -> Output {
    command(arguments, cwd).output().expect("the gate binary starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_terse_list_is_what_nextest_reads() {
    let listed = run(&["--list", "--format", "terse"], root());
    assert_eq!(listed.status.code(), Some(0), "{}", stderr(&listed));
    let text = stdout(&listed);
    assert!(text.lines().count() > 12, "{text}");
    for line in text.lines() {
        let name = line.strip_suffix(": test").expect("every line is a test");
        assert!(!name.is_empty() && !name.contains(' '), "{line}");
    }
    for aggregate in [
        "full_suite_gate",
        "preflight_fast_fail",
        "full_certification",
        "waiver_lifecycle_audit",
        "practical_finish",
    ] {
        assert!(
            text.lines().any(|line| line == format!("{aggregate}: test")),
            "{aggregate} is not listed"
        );
    }
    let ignored = run(&["--list", "--format", "terse", "--ignored"], root());
    assert_eq!((ignored.status.code(), stdout(&ignored).as_str()), (Some(0), ""));
}

#[test]
fn the_list_for_programs_has_metadata() {
    let listed = run(&["--list", "--format", "json"], root());
    let document: serde_json::Value =
        serde_json::from_slice(&listed.stdout).expect("JSON and nothing else");
    let tests = document["tests"].as_array().expect("a list");
    let gate = tests.iter().find(|row| row["name"] == "crate_budget").expect("a gate");
    assert_eq!((gate["kind"].as_str(), gate["blocking"].as_bool()), (Some("rust"), Some(true)));
    assert!(gate["digest"].as_str().is_some_and(|digest| digest.len() == 64), "{gate}");
}

#[test]
fn every_gate_runs_alone_from_another_folder() {
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    for gate in [
        "waiver_lifecycle",
        "quarantine_lifecycle",
        "practical_finish",
        "msrv_stated",
        "forbidden_dependency",
    ] {
        for arguments in
            [vec!["--exact", gate, "--nocapture"], vec![gate, "--", "--nocapture", "--exact"]]
        {
            let ran = run(&arguments, elsewhere.path());
            let text = stdout(&ran);
            assert_eq!(ran.status.code(), Some(0), "{gate}: {text}{}", stderr(&ran));
            assert!(text.contains("running 1 test") && text.contains("1 passed"), "{gate}: {text}");
        }
    }
}

/// The run directory that a run names in its last line.
fn receipts(text: &str) -> PathBuf {
    let line = text.lines().find_map(|line| line.strip_prefix("  receipts ")).expect("a run");
    root().join(line.trim())
}

#[test]
fn a_filtered_run_leaves_receipts_and_no_seal_in_lane_local_alone() {
    let gate = "practical_finish";
    let attempt = format!("gates/{gate}/attempt-1");
    let kept =
        ["started.json", "events.jsonl", "verdict.json"].map(|name| format!("{attempt}/{name}"));
    let closing = ["manifest.json", "decision.json", "inputs.json", "expected.json"];
    for (lane, state) in [("local", "filtered"), ("pr", "sealed")] {
        let ran = command(&["--exact", gate], root()).env("PORTCULLIS_LANE", lane).output();
        let ran = ran.expect("the gate binary starts");
        let text = stdout(&ran);
        assert_eq!(ran.status.code(), Some(0), "{lane}: {text}{}", stderr(&ran));
        let dir = receipts(&text);
        let record = std::fs::read_to_string(dir.join("run.json")).expect("a run record");
        assert!(record.contains(&format!("\"state\": \"{state}\"")), "{lane}: {record}");
        for name in &kept {
            assert!(dir.join(name).is_file(), "{lane}: {name}");
        }
        for name in closing {
            assert_eq!(dir.join(name).is_file(), lane == "pr", "{lane}: {name}");
        }
        std::fs::remove_dir_all(dir).expect("a run directory");
    }
}

#[test]
fn fg01_a_name_that_matches_nothing_exits_3_and_suggests() {
    let ran = run(&["crate_buget", "--exact"], root());
    assert_eq!(ran.status.code(), Some(3));
    let text = stderr(&ran);
    assert!(text.contains("filter_matched_nothing") && text.contains("crate_budget"), "{text}");
    let ignored = run(&["crate_budget", "--ignored"], root());
    assert_eq!(ignored.status.code(), Some(3), "nothing is ignored, so nothing would run");
    assert!(stderr(&ignored).contains("without `--ignored`"), "{}", stderr(&ignored));
}

#[test]
fn usage_errors_exit_2() {
    let ran = run(&["--exakt"], root());
    assert_eq!(ran.status.code(), Some(2));
    assert!(stderr(&ran).contains("write `--exact`"), "{}", stderr(&ran));
}

#[test]
fn eight_processes_share_one_run() {
    let run_id = format!("eight-at-once-{}", std::process::id());
    let children: Vec<_> = (0..8)
        .map(|_| {
            command(&["waiver_lifecycle", "practical_finish", "--exact"], root())
                .env("PORTCULLIS_RUN_ID", &run_id)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the gate binary starts")
        })
        .collect();
    for child in children {
        let ran = child.wait_with_output().expect("it ends");
        assert_eq!(ran.status.code(), Some(0), "{}{}", stdout(&ran), stderr(&ran));
    }
    let target = binary()
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
        .expect("a target folder")
        .to_path_buf();
    let attempts = target.join("portcullis/runs").join(&run_id).join("gates/waiver_lifecycle");
    let found = attempts.read_dir().expect("attempts").filter_map(Result::ok);
    let complete = found.filter(|entry| {
        entry.path().join("started.json").is_file() && entry.path().join("verdict.json").is_file()
    });
    assert_eq!(complete.count(), 8, "each process left a receipt of its own");
}
