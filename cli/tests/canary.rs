//! The commands of canaries over real child processes: each trap is a repository whose program does what the trap does,
//! and the answer is an exit code and a reason.
#![cfg(unix)]

#[path = "canary/comment.rs"]
mod comment;
#[path = "canary/fresh_job.rs"]
mod fresh_job;
#[path = "canary/further.rs"]
mod further;
#[path = "canary/interrupt.rs"]
mod interrupt;
#[path = "canary/layout.rs"]
mod layout;
#[path = "canary/strict.rs"]
mod strict;
#[path = "canary/traps.rs"]
mod traps;
#[path = "canary/witness.rs"]
mod witness;

use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const PAIRED: &str = "lane = 'gating'
method = 'paired'
adapter = 'process'
argv = ['./bench.sh']
roster = ['whole']
comment_pct = 200
fail_pct = 400
pairs = 10
proof = { stdout = 'done' }
";
const ONE_ARM: &str = "lane = 'gating'
method = 'two_sample'
adapter = 'process'
argv = ['./bench.sh']
roster = ['whole']
baseline = 'benches/baselines/c.json'
comment_pct = 300
fail_pct = 800
runs = 17
proof = { stdout = 'done' }
";
const FAST: &str = "sleep 0.02; echo done";
const SLOW: &str = "sleep 1.2; echo done";

struct Repo(tempfile::TempDir);

#[expect(clippy::disallowed_methods, reason = "these tests are about the process itself")]
fn command(program: &str) -> Command {
    Command::new(program)
}

#[expect(
    clippy::disallowed_methods,
    reason = "programs are looked for where this test found its own"
)]
fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").expect("a search path")
}

#[expect(clippy::disallowed_methods, reason = "an absent tool is a failure where CI runs this")]
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "0" && value != "false")
}

impl Repo {
    /// A repository whose base runs one script and whose candidate runs another.
    fn new(table: &str, base: &str, candidate: &str) -> Self {
        let repo = Self(tempfile::tempdir().expect("a folder"));
        repo.put(
            "portcullis.toml",
            &format!("[policy]\nversion = 1\nowner = 'o'\n[canary.c]\n{table}"),
        );
        repo.put(".gitignore", "/target\n");
        repo.script(base);
        repo.git(&["init", "-q", "-b", "main"]).commit("base");
        repo.git(&["checkout", "-q", "-b", "work"]);
        repo.script(candidate);
        repo.put("note", "another commit");
        repo.commit("candidate");
        repo
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        let mut file = fs::File::create(path).expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        self
    }

    fn script(&self, body: &str) -> &Self {
        self.put("bench.sh", &format!("#!/bin/sh\n{body}\n"));
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path("bench.sh"), mode).expect("a mode");
        self
    }

    fn git(&self, words: &[&str]) -> &Self {
        let output = command("git")
            .current_dir(self.0.path())
            .args(["-c", "user.name=n", "-c", "user.email=e@example.org"])
            .args(words)
            .output()
            .expect("git starts");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        self
    }

    fn commit(&self, message: &str) -> &Self {
        self.git(&["add", "-A"]).git(&["commit", "-q", "-m", message])
    }

    fn run(&self, words: &[&str], env: &[(&str, &str)]) -> Output {
        let mut command = command(env!("CARGO_BIN_EXE_cargo-portcullis"));
        command
            .current_dir(self.0.path())
            .arg("canary")
            .args(words)
            .args(["--format", "json"])
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", search_path())
            .envs(env.iter().copied());
        command.output().expect("it starts")
    }

    /// Runs a command, holds its exit code, and returns its document as text.
    fn ends(&self, words: &[&str], code: i32) -> String {
        self.ends_with(words, &[], code)
    }

    fn ends_with(&self, words: &[&str], env: &[(&str, &str)], code: i32) -> String {
        let output = self.run(words, env);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {text}\n{errors}");
        text
    }

    fn measure(&self, code: i32) -> String {
        self.ends(&["measure", "c", "--base-ref", "main"], code)
    }

    fn measurement(&self) -> Value {
        let runs = self.path("target/portcullis/runs");
        let mut found: Vec<PathBuf> = fs::read_dir(runs)
            .expect("runs")
            .map(|entry| entry.expect("a run").path().join("canary/c/measurement.json"))
            .filter(|path| path.is_file())
            .collect();
        found.sort_unstable();
        let text = fs::read_to_string(found.last().expect("a measurement")).expect("a text");
        serde_json::from_str(&text).expect("a document")
    }
}

fn says(text: &str, words: &str) {
    assert!(text.contains(words), "{words}: {text}");
}

#[test]
fn equal_work_is_measured_in_the_drawn_order_and_passes() {
    let repo = Repo::new(PAIRED, FAST, FAST);
    repo.measure(0);
    let record = repo.measurement();
    // T37: every block is ABBA or BAAB, as the seed of the run id draws it.
    let positions = |arm: usize| -> Vec<u64> {
        let samples = &record["series"][arm]["body"]["samples"];
        let samples = samples.as_array().expect("samples").iter();
        samples.map(|sample| sample["position"].as_u64().expect("a position")).collect()
    };
    let (base, candidate) = (positions(0), positions(1));
    assert_eq!((base.len(), candidate.len()), (10, 10));
    for (base, candidate) in base.chunks(2).zip(candidate.chunks(2)) {
        let block = [base[0], candidate[0], base[1], candidate[1]];
        assert!([[0, 1, 3, 2], [1, 0, 2, 3]].contains(&block), "{block:?}");
    }
    assert_eq!(record["series"][2]["arm"], "base_again");
    assert_eq!(record["identical_binaries"], true, "two files of the same bytes");
    assert!(record["series"].as_array().expect("series").iter().all(|series| {
        series["body"]["samples"].as_array().expect("samples").iter().all(|sample| {
            sample["proof"][0] == "pattern" && sample["value"].as_u64() >= Some(20_000_000)
        })
    }));
    assert_eq!(record["calibration"].as_object().map(serde_json::Map::len), Some(5));
    says(&repo.ends(&["compare", "c"], 0), "\"outcome\": \"ok\"");
}

#[test]
fn t26_a_planted_regression_exits_15() {
    let repo = Repo::new(PAIRED, FAST, SLOW);
    repo.ends_with(&["measure", "c", "--base-ref", "main"], &[("PORTCULLIS_RUN_ID", "r1")], 0);
    says(&repo.ends(&["compare", "c"], 15), "regression_over_fail");
    let again = repo.path("target/portcullis/runs/r1/canary/c/confirmation.json");
    assert!(!again.exists(), "nobody asked for another try");
}

#[test]
fn t1_t2_t9_what_crashes_or_does_nothing_is_never_a_duration() {
    let advisory =
        PAIRED.replace("lane = 'gating'", "lane = 'advisory'").replace("fail_pct = 400\n", "");
    let table = [
        ("T1 a crash", PAIRED, "echo done; exit 3", "run_failed"),
        ("T1 a signal", PAIRED, "echo done; kill -9 $$", "run_failed"),
        ("T9 a crash on an advisory lane", &advisory, "echo done; exit 3", "run_failed"),
        ("T2 a no-op", PAIRED, "exit 0", "proof_missing"),
        ("T2 a no-op on an advisory lane", &advisory, "exit 0", "proof_missing"),
    ];
    for (case, policy, script, code) in table {
        let repo = Repo::new(policy, FAST, script);
        says(&repo.measure(12), code);
        let text = repo.ends(&["compare", "c"], 12);
        assert!(text.contains(code), "{case}: {text}");
    }
}

#[test]
fn a_crash_between_good_runs_is_seen() {
    let script = "n=$(cat target/n 2>/dev/null || echo 0); mkdir -p target; echo $((n + 1)) > target/n\n\
                  sleep 0.02; echo done; [ $n -ne 5 ]";
    let repo = Repo::new(PAIRED, FAST, script);
    repo.measure(12);
    says(&repo.ends(&["compare", "c"], 12), "run_failed");
}

#[test]
fn t38_one_file_for_both_arms_is_no_comparison() {
    for argv in ["['sh', 'bench.sh']", "['/bin/sh', 'bench.sh']"] {
        let repo = Repo::new(&PAIRED.replace("['./bench.sh']", argv), FAST, FAST);
        repo.measure(12);
        says(&repo.ends(&["compare", "c"], 12), "arms_are_one_file");
        let record = repo.measurement();
        assert_eq!(record["series"], serde_json::json!([]), "no pair of one file is kept");
    }
}

#[test]
fn t24_what_its_limit_ends_is_censored_and_fails() {
    let policy = format!("{PAIRED}run_limit_s = 1\n");
    let repo = Repo::new(&policy, FAST, "echo done; sleep 4");
    repo.ends(&["measure", "c", "--base-ref", "main"], 0);
    let record = repo.measurement();
    let sample = &record["series"][1]["body"]["samples"][0];
    assert_eq!((&sample["censored"], &sample["value"]), (&true.into(), &1_000_000_000_u64.into()));
    says(&repo.ends(&["compare", "c"], 15), "regression_over_fail");
}

#[test]
fn a_job_that_ends_too_early_says_so() {
    let policy = format!("{PAIRED}run_limit_s = 0.5\njob_limit_s = 1\n");
    let repo = Repo::new(&policy, "sleep 0.2; echo done", "sleep 0.2; echo done");
    says(&repo.measure(12), "deadline");
    says(&repo.ends(&["compare", "c"], 12), "deadline");
}

#[test]
fn what_cannot_be_built_or_found_exits_13() {
    let table = [
        ("a build that fails", format!("{PAIRED}build = ['false']\n")),
        ("a program that is not there", PAIRED.replace("./bench.sh", "./absent")),
    ];
    for (case, policy) in table {
        let repo = Repo::new(&policy, FAST, FAST);
        assert!(!repo.measure(13).is_empty(), "{case}");
        repo.ends(&["compare", "c"], 3);
    }
}

#[test]
fn t20_t21_t22_t23_a_configuration_that_gates_nothing_exits_2_before_anything_runs() {
    let table = [
        ("T21 fail below comment", PAIRED.replace("fail_pct = 400", "fail_pct = 100"), "below"),
        (
            "T22 a gating lane that blocks nothing",
            PAIRED.replace("fail_pct = 400\n", ""),
            "neither",
        ),
        ("T22 a fail that nothing reaches", PAIRED.replace("= 400", "= 100000"), "nothing reaches"),
        ("T2 no proof", PAIRED.replace("{ stdout = 'done' }", "{}"), "nothing proves"),
        ("two metrics of one process", PAIRED.replace("['whole']", "['a', 'b']"), "one metric"),
        ("nothing to run", PAIRED.replace("argv = ['./bench.sh']\n", ""), "what is run"),
        (
            "T23 a job as short as a run",
            format!("{PAIRED}run_limit_s = 5\njob_limit_s = 5\n"),
            "no longer",
        ),
        ("an unknown key", format!("{PAIRED}retries = 3\n"), "unknown field"),
        (
            "T20 one output of two canaries",
            format!("{ONE_ARM}[canary.d]\n{ONE_ARM}"),
            "output of `c` already",
        ),
    ];
    for (case, policy, words) in table {
        let repo = Repo::new(&policy, "touch ran; echo done", "touch ran; echo done");
        for verb in ["measure", "compare"] {
            let text = repo.ends(&[verb, "c"], 2);
            assert!(text.contains(words), "{case}: {text}");
        }
        assert!(!repo.path("ran").exists(), "{case}");
    }
    let repo = Repo::new(PAIRED, FAST, FAST);
    repo.ends(&["measure", "other"], 2);
    repo.ends(&["measure", "c", "--runs", "9"], 2);
    repo.ends(&["measure", "c", "--base-ref", "nowhere"], 2);
}

#[test]
fn t33_a_forced_count_is_refused_overwritten_and_reported() {
    let variable = "PORTCULLIS_FORCE_CPU_COUNT";
    let script = "sleep 0.02; echo done cpus=$PORTCULLIS_FORCE_CPU_COUNT";
    let policy = PAIRED.replace("'done'", "'cpus=1\\s'") + "force_cpus = 1\n";
    let repo = Repo::new(&policy, script, script);
    for wrong in ["0", "-1", "02", " 2", "1.5", "abc", "65536"] {
        says(
            &repo.ends_with(&["measure", "c", "--base-ref", "main"], &[(variable, wrong)], 2),
            variable,
        );
    }
    repo.ends_with(&["measure", "c", "--base-ref", "main"], &[(variable, "")], 0);
    let record = repo.measurement();
    let emulation = if cfg!(target_os = "linux") { "pinned" } else { "belief_only" };
    assert_eq!(record["host"]["emulation"], emulation);
    assert_eq!(record["host"]["forced_cpus"], 1);
    let above = Repo::new(&format!("{PAIRED}force_cpus = 9999\n"), FAST, FAST);
    says(&above.measure(12), "forced_above_host");
    says(&above.ends(&["compare", "c"], 12), "forced_above_host");
    assert_eq!(above.measurement()["series"], serde_json::json!([]), "nothing is measured there");
}

#[test]
fn t4_t16_nothing_measured_and_something_old_are_two_answers() {
    let repo = Repo::new(PAIRED, FAST, FAST);
    repo.ends(&["compare", "c"], 3);
    repo.ends_with(&["measure", "c", "--base-ref", "main"], &[("PORTCULLIS_RUN_ID", "r1")], 0);
    repo.ends_with(&["measure", "c", "--base-ref", "main"], &[("PORTCULLIS_RUN_ID", "r1")], 3);
    repo.put("note", "later").commit("later");
    says(&repo.ends(&["compare", "c"], 12), "measurement_stale");
    let file = repo.path("target/portcullis/runs/r1/canary/c/measurement.json");
    let file = file.to_str().expect("a path");
    repo.ends(&["compare", "c", "--measurement", file], 0);
    let mut record: Value =
        serde_json::from_str(&fs::read_to_string(file).expect("a text")).expect("a document");
    let mut judged = |change: &dyn Fn(&mut Value), code: i32, words: &str| {
        let whole = record.clone();
        change(&mut record);
        repo.put("changed.json", &record.to_string());
        let path = repo.path("changed.json");
        let words_of = ["compare", "c", "--measurement", path.to_str().expect("a path")];
        says(&repo.ends(&words_of, code), words);
        record = whole;
    };
    judged(&|record| record["series"] = Value::Array(Vec::new()), 3, "empty_measurement");
    judged(&|record| record["canary"] = "d".into(), 12, "not of `c`");
    judged(&|record| record["schema"] = "v9".into(), 12, "schema");
    judged(&|record| record["order"]["blocks"]["seed"] = 7.into(), 12, "not that of the run id");
    judged(
        &|record| record["looks"] = serde_json::json!({ "planned": 2, "taken": [] }),
        12,
        "look_hidden",
    );
    judged(
        &|record| {
            let samples = record["series"][1]["body"]["samples"].as_array_mut().expect("samples");
            samples[0]["value"] = 0.into();
        },
        12,
        "value_not_positive",
    );
    judged(&|record| record["noise"]["steal"] = 9_000.into(), 12, "noisy_run");
    judged(&|record| record["series"][1]["metric"] = "renamed".into(), 15, "metric_missing");
}

#[test]
fn t4_t16_t19_a_tool_is_read_and_an_empty_one_is_nothing() {
    let policy = ONE_ARM
        .replace("adapter = 'process'", "adapter = 'hyperfine_json'")
        .replace("lane = 'gating'", "lane = 'advisory'")
        .replace("fail_pct = 800\n", "");
    let good = r#"{"results":[{"command":"whole","times":[0.1,0.2,0.1,0.2,0.1],"exit_codes":[0,0,0,0,0]}]}"#;
    let table = [
        ("a result", good, 0, ""),
        ("no output", "", 12, "unknown_shape"),
        ("a failed run", &good.replace("[0,0,", "[0,1,"), 12, "run_failed"),
        ("T10 no number", &good.replace("[0.1,", "[NaN,"), 12, ""),
    ];
    for (case, output, code, words) in table {
        let script = format!(
            "echo done >&2; cat > \"$PORTCULLIS_CANARY_OUTPUT\" <<'X'\n{output}\nX\necho done"
        );
        let repo = Repo::new(&policy, &script, &script);
        let text = repo.ends(&["measure", "c"], code);
        assert!(text.contains(words), "{case}: {text}");
    }
}

#[test]
fn a_baseline_is_refreshed_from_a_sound_measurement_alone() {
    let repo = Repo::new(ONE_ARM, FAST, FAST);
    let refresh = ["refresh", "c", "--reason", "the first, #1"];
    repo.ends(&refresh, 3);
    repo.measure(0);
    says(&repo.ends(&["compare", "c"], 12), "baseline_missing");
    says(&repo.ends(&["refresh", "c"], 3), "reason");
    says(&repo.ends(&["refresh", "c", "--reason", "no link"], 3), "reason");
    repo.put("note", "dirty");
    says(&repo.ends(&refresh, 3), "dirty");
    repo.git(&["checkout", "-q", "note"]);
    repo.ends(&refresh, 0);
    let text = fs::read_to_string(repo.path("benches/baselines/c.json")).expect("a baseline");
    let baseline: Value = serde_json::from_str(&text).expect("a document");
    assert_eq!(baseline["provenance"], "measured");
    assert_eq!(baseline["measurements"]["whole"]["n"], 17);
    repo.commit("bench(baselines): refresh c");
    says(&repo.ends(&["compare", "c"], 12), "measurement_stale");
    repo.measure(0);
    repo.ends(&["compare", "c"], 0);
    // A person who edits a value is found out: the digest is no longer that of the values.
    let value = baseline["measurements"]["whole"]["value"].to_string();
    repo.put("benches/baselines/c.json", &text.replace(&value, &format!("{value}000")));
    says(&repo.ends(&["compare", "c"], 12), "baseline_unreadable");
    repo.git(&["checkout", "-q", "benches"]);
    repo.script("exit 1").commit("it crashes");
    repo.measure(12);
    repo.ends(&refresh, 3);
    repo.script(SLOW).commit("it is slow");
    repo.measure(0);
    says(&repo.ends(&["compare", "c"], 15), "regression_over_fail");
}

#[test]
fn a_measurement_of_a_dirty_tree_makes_no_baseline() {
    let repo = Repo::new(ONE_ARM, FAST, FAST);
    repo.put("note", "dirty");
    repo.measure(0);
    repo.git(&["checkout", "-q", "note"]);
    says(&repo.ends(&["refresh", "c", "--reason", "the first, #1"], 3), "dirty tree");
}

#[test]
fn a_history_is_only_appended_to() {
    let repo = Repo::new(PAIRED, FAST, FAST);
    for verb in ["show", "changes"] {
        repo.ends(&["history", verb, "c"], 3);
    }
    repo.measure(0);
    repo.ends(&["history", "append", "c"], 0);
    // The same run twice would make the history unreadable, and is not written.
    repo.ends(&["history", "append", "c"], 12);
    says(&repo.ends(&["history", "show", "c"], 0), "\"whole\"");
    let file = repo.path("target/portcullis/canary/c.jsonl");
    let line = fs::read_to_string(&file).expect("a line");
    let mut lines = String::new();
    for n in 0..40 {
        let mut point: Value = serde_json::from_str(&line).expect("a document");
        point["run_id"] = format!("run-{n}").into();
        point["value"] = (if n < 25 { 1_000_000 } else { 1_300_000 } + (n * 7919) % 9_000).into();
        lines += &format!("{point}\n");
    }
    repo.put("target/portcullis/canary/c.jsonl", &lines);
    let found: Value =
        serde_json::from_str(&repo.ends(&["history", "changes", "c"], 0)).expect("a document");
    assert_eq!(found["series"][0]["confirmed"][0]["at"], 25, "{found}");
    repo.put("target/portcullis/canary/c.jsonl", &format!("{lines}{{}}\n"));
    repo.ends(&["history", "changes", "c"], 12);
}

#[test]
fn a_calibration_counts_what_it_did() {
    let repo = Repo::new(PAIRED, FAST, FAST);
    let text = repo.ends(&["calibrate", "alu", "--repeats", "20", "--inject", "400"], 0);
    let found: Value = serde_json::from_str(&text).expect("a document");
    assert_eq!((&found["aa"]["repeats"], &found["pairs"]), (&20.into(), &30.into()));
    assert!(found["injection"]["detected"].as_u64() >= Some(15), "five times the work: {found}");
    assert!(found["aa"]["false_comment"].as_u64() <= Some(1), "{found}");
    repo.ends(&["calibrate", "c", "--repeats", "1", "--pairs", "10"], 0);
    repo.ends(&["calibrate", "nothing", "--repeats", "1"], 2);
    let crashing = Repo::new(PAIRED, FAST, "exit 1");
    crashing.ends(&["calibrate", "c", "--repeats", "1"], 12);
}

#[test]
fn a_shown_report_has_its_marker() {
    let repo = Repo::new(PAIRED, FAST, FAST);
    repo.measure(0);
    let mut command = command(env!("CARGO_BIN_EXE_cargo-portcullis"));
    command.current_dir(Path::new(repo.0.path())).args(["canary", "compare", "c"]).env_clear();
    let output = command.env("PATH", search_path()).output().expect("it starts");
    says(&String::from_utf8_lossy(&output.stdout), "<!-- portcullis:canary:c -->");
}
