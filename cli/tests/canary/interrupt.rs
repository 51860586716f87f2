//! A measurement that is interrupted leaves no file that passes, and no process.

use super::{FAST, PAIRED, Repo, command, search_path};
use std::{
    fs,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

/// Waits for something, and gives up loudly.
#[expect(clippy::disallowed_methods, reason = "a test waits for another process")]
fn until(what: &str, mut is_there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_running(pid: &str) -> bool {
    // One that has ended and that nobody has asked about yet runs no more.
    if fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z")) {
        return false;
    }
    command("kill").args(["-0", pid]).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

fn measuring(repo: &Repo) -> Child {
    command(env!("CARGO_BIN_EXE_cargo-portcullis"))
        .current_dir(repo.0.path())
        .args(["canary", "measure", "c", "--base-ref", "main", "--format", "json"])
        .env_clear()
        .env("PATH", search_path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts")
}

#[test]
fn an_interrupted_measurement_leaves_no_file_and_no_child() {
    // The child starts one of its own, so that a whole group has to end.
    let hanging = "sleep 300 & echo $! > grandchild; echo $$ > child; wait";
    for signal in ["-INT", "-TERM"] {
        let repo = Repo::new(PAIRED, FAST, hanging);
        let mut measuring = measuring(&repo);
        let read = |name: &str| fs::read_to_string(repo.path(name)).unwrap_or_default();
        until("the candidate runs", || read("child").ends_with('\n'));
        let pids = [read("child"), read("grandchild")].map(|text| text.trim().to_owned());
        let id = measuring.id().to_string();
        assert!(command("kill").args([signal, &id]).status().expect("kill").success());
        let mut status = None;
        until("it ends", || {
            status = measuring.try_wait().expect("a status");
            status.is_some()
        });
        assert_eq!(status.and_then(|status| status.code()), Some(3), "{signal}");
        until("no process is left", || pids.iter().all(|pid| !is_running(pid)));
        for verb in ["compare", "refresh"] {
            let words = [verb, "c", "--reason", "why, #1"];
            let words = if verb == "compare" { &words[..2] } else { &words[..] };
            let output = repo.run(words, &[]);
            assert!(!output.status.success(), "{signal}: {verb}");
        }
        let runs = fs::read_dir(repo.path("target/portcullis/runs")).expect("runs");
        for run in runs {
            let folder = run.expect("a run").path().join("canary/c");
            assert!(!folder.join("measurement.json").exists(), "{signal}");
        }
    }
}
