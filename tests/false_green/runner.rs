//! Group B under `cargo portcullis run`: what nextest's configuration, its results and its exit code could hide.
//!
//! Exit code 10 of FG-63 needs an ordinary test, and so stands in `cli/tests/run.rs`.

use super::{
    run::row,
    sample::{Case, configured, root, sample_target, write},
    subcommand::{Answer, portcullis},
};
use portcullis::wire::outcome::Effective;
use portcullis_repo::process::{has_nextest, host};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A run of the subcommand over the sample; its directory is removed at the end.
struct Called {
    id: String,
}

impl Drop for Called {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(self.dir()));
    }
}

impl Called {
    fn new(id: &str) -> Self {
        let called = Self { id: id.to_owned() };
        drop(std::fs::remove_dir_all(called.dir()));
        called
    }

    fn dir(&self) -> PathBuf {
        sample_target().join("portcullis/runs").join(&self.id)
    }

    fn ask(&self, tree: &Path, words: &[&str], env: &[(&str, &str)]) -> Answer {
        let fixed = [
            ("PORTCULLIS_RUN_ID", self.id.as_str()),
            ("PORTCULLIS_LANE", "pr"),
            ("PORTCULLIS_NOW", super::sample::NOW),
        ];
        let env: Vec<(&str, &str)> = fixed.into_iter().chain(env.iter().copied()).collect();
        portcullis(tree, words, &env)
    }

    fn full(&self, tree: &Path, env: &[(&str, &str)], code: i32, parts: &[&str]) {
        self.ask(tree, &["run", "--profile", "full"], env).said(&self.id, code, parts);
    }

    /// What `verify` says of the sealed run.
    fn verified(&self, code: i32) {
        super::subcommand::verify(root(), &self.dir(), &[]).said(&self.id, code, &[]);
    }
}

/// A second tree whose nextest configuration a case may write; one case at a time.
fn nextest_configured(config: &str) -> (PathBuf, MutexGuard<'static, ()>) {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let tree = configured("nextest_configured", "");
    write(&tree.join(".config/nextest.toml"), config);
    (tree, guard)
}

/// The control: nothing is wrong, and the runner says so.
#[test]
fn the_honest_sample_passes_under_the_runner() {
    if !has_nextest() {
        return;
    }
    let run = Called::new("honest-run");
    run.full(root(), &[], 0, &["8 gates: 8 pass", "exit 0"]);
    run.verified(0);
    let red = Called::new("red-run");
    red.full(root(), &[("SAMPLE_FAULT", "fail")], 11, &["sample_violation"]);
    red.verified(11);
}

/// A default filter of the repository hides a gate from nextest.
#[test]
fn fg23_the_profile_full_misses_what_a_default_filter_hides() {
    if !has_nextest() {
        return;
    }
    let config = "[profile.default]\ndefault-filter = \"not test(c_third)\"\n";
    let (tree, _guard) = nextest_configured(config);
    for profile in ["full", "ci", "quick"] {
        let run = Called::new(&format!("fg23-{profile}"));
        let answer = run.ask(&tree, &["run", "--profile", profile], &[]);
        answer.said(profile, 12, &["c_third", "census_gate_missing"]);
        run.verified(12);
    }
}

/// A retry, asked for by profile, override and variable: the first failure counts.
#[test]
fn fg25_a_retry_mends_nothing() {
    if !has_nextest() {
        return;
    }
    let config = "[profile.default]\nretries = 2\n[[profile.default.overrides]]\nfilter = 'test(a_first)'\nretries = 3\n";
    let (tree, _guard) = nextest_configured(config);
    let folder = tempfile::tempdir().expect("a folder");
    let scratch = folder.path().to_str().expect("a path");
    let run = Called::new("fg25");
    let env = [("SAMPLE_FAULT", "flickers"), ("SAMPLE_SCRATCH", scratch), ("NEXTEST_RETRIES", "2")];
    run.full(&tree, &env, 11, &["sample_violation"]);
    run.verified(11);
    // Where nextest does retry, the receipts of both attempts stand, and the first one counts.
    let folder = tempfile::tempdir().expect("a folder");
    let scratch = folder.path().to_str().expect("a path");
    let case = Case::new("fg25-n").fault("flickers").env("SAMPLE_SCRATCH", scratch);
    let retried = case.args(["--retries", "2", "-E", "test(=a_first)"]).nextest();
    retried.said(0, &["1 flaky"]);
    let decision = retried.decision();
    let row = row(&decision, "a_first");
    assert_eq!((row.effective, row.code.as_deref()), (Effective::Fail, Some("attempt_failed")));
}

/// nextest is told that a hang passes.
#[test]
fn fg26_a_timeout_that_passes_is_a_crash() {
    if !has_nextest() {
        return;
    }
    let hangs = "slow-timeout = { period = \"2s\", terminate-after = 1, on-timeout = \"pass\" }";
    let config = format!(
        "[profile.default]\n{hangs}\n[[profile.default.overrides]]\nfilter = 'test(a_first)'\n{hangs}\n"
    );
    let (tree, _guard) = nextest_configured(&config);
    let run = Called::new("fg26");
    let words = ["run", "--deadline", "6s", "-E", "test(=a_first)"];
    let answer = run.ask(&tree, &words, &[("SAMPLE_FAULT", "hang")]);
    answer.said("fg26", 12, &["receipt_unsealed"]);
    run.verified(12);
}

/// nextest is told that no test is a pass.
#[test]
fn fg27_an_empty_selection_is_no_pass() {
    if !has_nextest() {
        return;
    }
    let run = Called::new("fg27");
    let words = ["run", "-E", "test(=no_such_test)"];
    let answer = run.ask(root(), &words, &[("NEXTEST_NO_TESTS", "pass")]);
    answer.said("fg27", 14, &["nothing_selected"]);
    run.verified(12);
}

/// The repository's configuration wins over the generated one and stops after a few tests: the totals come from the plan.
#[test]
fn fg28_what_is_in_no_result_is_missing() {
    if !has_nextest() {
        return;
    }
    let config = "[profile.default]\nfail-fast = true\n[profile.portcullis-run]\nfail-fast = true\ndefault-filter = \"test(=a_first)\"\n";
    let (tree, _guard) = nextest_configured(config);
    let run = Called::new("fg28");
    let parts = ["result_incomplete", "census_gate_missing", "b_second"];
    run.full(&tree, &[], 12, &parts);
    run.verified(12);
    let (tree, _guard) = {
        drop(_guard);
        nextest_configured("[profile.default]\nfail-fast = true\n")
    };
    let all = Called::new("fg28-all");
    all.full(&tree, &[("SAMPLE_FAULT", "fail")], 11, &["8 gates: 1 fail, 7 pass"]);
}

/// A program in front of nextest. `$REAL` is the real one; everything but `run` goes to it unchanged.
#[cfg(unix)]
fn with_nextest(script: &str) -> (tempfile::TempDir, String) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = host("PATH").expect("a search path");
    let real = std::env::split_paths(&path)
        .map(|entry| entry.join("cargo-nextest"))
        .find(|file| file.is_file())
        .expect("nextest on the search path");
    let file = folder.path().join("cargo-nextest");
    let real = real.display();
    let text = format!(
        "#!/bin/sh\nREAL='{real}'\ncase \" $* \" in *' run '*) ;; *) exec \"$REAL\" \"$@\";; esac\n\
         store() {{ sed -n 's/^dir = \"\\(.*\\)\"/\\1/p' \"$1\"; }}\n\
         for word in \"$@\"; do case \"$word\" in portcullis:*) STORE=$(store \"${{word#portcullis:}}\");; esac; done\n\
         XML=\"$STORE/portcullis-run/junit.xml\"\n{script}\n"
    );
    write(&file, &text);
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&file, mode).expect("executable");
    let joined = std::env::join_paths(
        std::iter::once(folder.path().to_path_buf()).chain(std::env::split_paths(&path)),
    );
    let joined = joined.expect("a search path").to_str().expect("a text").to_owned();
    (folder, joined)
}

#[cfg(unix)]
fn behind(name: &str, script: &str, fault: &str, parts: &[&str]) {
    if !has_nextest() {
        return;
    }
    let (_folder, path) = with_nextest(script);
    let run = Called::new(name);
    run.full(root(), &[("PATH", &path), ("SAMPLE_FAULT", fault)], 12, parts);
    run.verified(12);
}

/// A result file that an earlier or parallel run left is not this run's.
#[cfg(unix)]
#[test]
fn fg31_results_of_another_run_are_refused() {
    let script = "\"$REAL\" \"$@\"; CODE=$?; sed -i.bak 's/name=\"fg31\"/name=\"fg30\"/' \"$XML\"; exit $CODE";
    behind("fg31", script, "", &["result_run_mismatch"]);
    // The control: the same program in front, which changes nothing.
    let (_folder, path) = with_nextest("exec \"$REAL\" \"$@\"");
    Called::new("fg31-control").full(root(), &[("PATH", &path)], 0, &[]);
}

/// nextest is killed: there is no result file, or one that is cut short.
#[cfg(unix)]
#[test]
fn fg32_a_runner_that_is_killed_leaves_no_result() {
    behind("fg32", "kill -9 $$", "", &["result_incomplete", "engine_failed"]);
    let cut = "\"$REAL\" \"$@\"; CODE=$?; head -c 300 \"$XML\" > \"$XML.cut\"; mv \"$XML.cut\" \"$XML\"; exit $CODE";
    behind("fg32-cut", cut, "", &["result_incomplete"]);
    let gone = "\"$REAL\" \"$@\"; rm \"$XML\"; exit 0";
    behind("fg32-gone", gone, "", &["result_incomplete"]);
}

/// Exit code 0 beside a failure in the results, and the reverse.
#[cfg(unix)]
#[test]
fn fg35_exit_code_and_results_contradict_each_other() {
    behind("fg35", "\"$REAL\" \"$@\"; exit 0", "fail", &["result_inconsistent"]);
    behind("fg35-reverse", "\"$REAL\" \"$@\"; exit 100", "", &["result_inconsistent"]);
}

/// A green run has nothing to run again.
#[test]
fn fg33_nothing_to_rerun_is_no_pass() {
    if !has_nextest() {
        return;
    }
    let green = Called::new("fg33-base");
    green.full(root(), &[], 0, &[]);
    let dir = green.dir();
    let again = Called::new("fg33");
    let answer = again.ask(root(), &["rerun", dir.to_str().expect("a path")], &[]);
    answer.said("fg33", 14, &["nothing_selected"]);
    assert!(!again.dir().exists(), "nothing ran");
}

/// A rerun that passes is not the profile that certifies.
#[test]
fn fg34_a_rerun_cannot_certify() {
    if !has_nextest() {
        return;
    }
    let red = Called::new("fg34-base");
    red.full(root(), &[("SAMPLE_FAULT", "fail")], 11, &[]);
    let dir = red.dir();
    let path = dir.to_str().expect("a path");
    let again = Called::new("fg34");
    let words = ["run", "--profile", "full", "--rerun-from", path];
    again.ask(root(), &words, &[]).said("fg34", 3, &["rerun_cannot_certify"]);
    let honest = Called::new("fg34-rerun");
    honest.ask(root(), &["rerun", path], &[]).said("fg34-rerun", 0, &["1 gate: 1 pass"]);
    let decision = std::fs::read_to_string(honest.dir().join("decision.json")).expect("a decision");
    assert!(decision.contains("\"certifiable\": false"));
}

/// A runner that lists nothing: the recorded replay selects no trial any more.
#[cfg(unix)]
#[test]
fn fg02_a_replay_that_selects_nothing_now() {
    if !has_nextest() {
        return;
    }
    let red = Called::new("fg02-base");
    red.full(root(), &[("SAMPLE_FAULT", "fail")], 11, &[]);
    let dir = red.dir();
    let asker = Called::new("fg02-asker");
    let words = ["replay", dir.to_str().expect("a path"), "--gate", "a_first"];
    let runner = format!(
        "CARGO_TARGET_{}_RUNNER",
        env_triple().to_ascii_uppercase().replace(['-', '.'], "_")
    );
    let answer = asker.ask(root(), &words, &[(&runner, "true")]);
    answer.said("fg02", 3, &["replay_selects_wrong_count"]);
    asker.ask(root(), &words, &[("SAMPLE_FAULT", "fail")]).said(
        "fg02-control",
        11,
        &["reproduced"],
    );
}

/// The triple of the host, as rustc says it.
#[cfg(unix)]
fn env_triple() -> String {
    let output =
        portcullis_repo::process::command("rustc", root()).arg("-vV").output().expect("rustc");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.expect("a host").to_owned()
}

/// A name that is no failure of the run selects nothing, and is no green replay.
#[test]
fn fg36_a_replay_of_a_name_that_no_failure_has() {
    if !has_nextest() {
        return;
    }
    let red = Called::new("fg36-base");
    red.full(root(), &[("SAMPLE_FAULT", "fail")], 11, &[]);
    let dir = red.dir();
    let asker = Called::new("fg36-asker");
    let words = ["replay", dir.to_str().expect("a path"), "--test", "typo"];
    asker.ask(root(), &words, &[]).said("fg36", 3, &["replay_selects_wrong_count"]);
}
