//! What a record, a baseline and a history say about how they came about, held against what really happened.

use super::{
    FAST, ONE_ARM, PAIRED, Repo, command, says,
    traps::{Court, MS, TWO},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};

const SECOND: &str = "target/portcullis/runs/second/canary/c";
const REFRESH: &[&str] = &["refresh", "c", "--reason", "again, #2"];

fn document(text: &str) -> Value {
    serde_json::from_str(text).expect("a document")
}

/// The runs write down which arm they are and which nonce they got.
#[test]
fn t37_the_runs_are_made_in_the_order_of_the_record_against_the_merge_base() {
    let script = |arm: &str| {
        format!("echo {arm} $PORTCULLIS_CANARY_NONCE >> \"$ORDER\"; sleep 0.02; echo done")
    };
    let repo = Repo::new(PAIRED, &script("base"), &script("candidate"));
    // What came later on the other branch is no base of this one.
    repo.git(&["checkout", "-q", "main"]).script(&script("tip")).commit("later");
    repo.git(&["checkout", "-q", "work"]);
    let file = repo.path("target/order");
    fs::create_dir_all(repo.path("target")).expect("a folder");
    let env = [
        ("ORDER", file.to_str().expect("a path")),
        // Whoever sets it for the whole job is believed, and nobody binds a process to it.
        ("PORTCULLIS_FORCE_CPU_COUNT", "1"),
    ];
    repo.ends_with(&["measure", "c", "--base-ref", "main"], &env, 0);
    let record = repo.measurement();
    let text = fs::read_to_string(&file).expect("an order");
    let (ran, nonces): (Vec<&str>, BTreeSet<&str>) =
        text.lines().map(|line| line.split_once(' ').expect("an arm and a nonce")).unzip();
    let mut expected = vec!["base", "candidate"];
    for pair in 0..10 {
        let at = |arm: usize| {
            record["series"][arm]["body"]["samples"][pair]["position"].as_u64().expect("a position")
        };
        let first = if at(0) < at(1) { ["base", "candidate"] } else { ["candidate", "base"] };
        expected.extend(first);
        // The base again, which says whether the machine was quiet.
        expected.push("base");
    }
    assert_eq!(ran, expected);
    assert_eq!(nonces.len(), ran.len(), "a nonce is given to one run alone: {text}");
    let run_id = record["run_id"].as_str().expect("a run id");
    assert!(nonces.iter().all(|nonce| nonce.starts_with(run_id)), "{text}");
    let host = &record["host"];
    assert_eq!(host["forced_cpus"], 1, "{host}");
    let emulation = if host["allowed_cpus"] == 1 { "pinned" } else { "belief_only" };
    assert_eq!(host["emulation"], emulation, "{host}");
    if Path::new("/proc/stat").exists() {
        assert!(record["noise"]["steal"].is_number(), "{}", record["noise"]);
    }
}

#[test]
fn t2_what_an_earlier_run_left_proves_nothing_and_a_warm_up_proves_its_work() {
    let cold = "mkdir -p target; [ -e target/warm ] && echo done; touch target/warm; sleep 0.02";
    says(&Repo::new(PAIRED, FAST, cold).measure(12), "warm-up of Candidate");
    let table = PAIRED
        .replace("{ stdout = 'done' }", "{ file = 'r.json', pointer = '/ok', equals = true }");
    let left = "{\"ok\":true}";
    let repo = Repo::new(&table, &format!("sleep 0.02; echo '{left}' > r.json"), "sleep 0.02");
    repo.put("r.json", left);
    says(&repo.measure(12), "proof_missing");
    repo.put("r.json", left);
    repo.ends(&["calibrate", "c", "--repeats", "1"], 12);
}

#[test]
fn t38_two_names_of_one_file_are_one_program() {
    let outside = tempfile::tempdir().expect("a folder");
    let program = outside.path().join("program.sh");
    let build = format!("ln -f '{}' made.sh", program.display());
    let table = PAIRED.replace("['./bench.sh']", "['./made.sh']") + "build = ['sh', 'bench.sh']\n";
    let repo = Repo::new(&table, &build, &build);
    fs::copy(repo.path("bench.sh"), &program).expect("a copy");
    says(&repo.measure(12), "arms_are_one_file");
}

#[test]
fn t1_t2_a_session_that_crashed_proved_nothing_or_cannot_be_judged_is_not_counted() {
    let repo = Repo::new(PAIRED, FAST, FAST);
    let calibrate = |script: &str, pairs: &str, words: &str| {
        repo.script(script);
        let text = repo.run(&["calibrate", "c", "--repeats", "1", "--pairs", pairs], &[]);
        assert_eq!(text.status.code(), Some(12), "{script}: {text:?}");
        let text = String::from_utf8_lossy(&text.stdout).into_owned()
            + &String::from_utf8_lossy(&text.stderr);
        says(&text, words);
    };
    calibrate("echo done; exit 3", "10", "Code(3)");
    calibrate("sleep 0.01", "10", "0 proofs");
    // Five pairs bound nothing, so that no alarm could be raised.
    calibrate("echo done", "5", "cannot be judged");
    assert!(!repo.path("target/portcullis/runs").read_dir().is_ok_and(|mut runs| {
        runs.any(|run| run.expect("a run").path().join("canary/c/calibration.json").exists())
    }));
}

#[test]
fn t1_t2_t4_a_tool_that_failed_or_left_what_was_there_before_has_measured_nothing() {
    let good = r#"{"results":[{"command":"whole","times":[0.1,0.2,0.1,0.2,0.1],"exit_codes":[0,0,0,0,0]}]}"#;
    let advisory = |adapter: &str| {
        ONE_ARM
            .replace("adapter = 'process'", &format!("adapter = '{adapter}'"))
            .replace("lane = 'gating'", "lane = 'advisory'")
            .replace("fail_pct = 800\n", "")
    };
    let hyperfine = advisory("hyperfine_json");
    let writes = format!("echo '{good}' > \"$PORTCULLIS_CANARY_OUTPUT\"; echo done");
    let failed = Repo::new(&hyperfine, FAST, &format!("{writes}; exit 3"));
    says(&failed.ends(&["measure", "c"], 12), "the tool ended with");
    // The result is new, and what is to prove it is of before.
    let proof = "{ file = 'r.json', pointer = '/ok', equals = true }";
    let unproven = Repo::new(&hyperfine.replace("{ stdout = 'done' }", proof), FAST, &writes);
    unproven.put("r.json", "{\"ok\":true}");
    says(&unproven.ends(&["measure", "c"], 12), "proof_missing");
    // An earlier attempt of the same run left its output, and this one writes none.
    let again = Repo::new(&hyperfine, FAST, "echo done");
    again.put("target/portcullis/runs/r1/canary/c/measurement/output", good);
    again.ends_with(&["measure", "c"], &[("PORTCULLIS_RUN_ID", "r1")], 12);
    // A bench that copies what it measured another day.
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/canary/adapters/criterion/0.5.1/tree/sort_flat/merge/1024/new");
    let script = format!(
        "d=\"$CRITERION_HOME/a/new\"; mkdir -p \"$d\"; cp '{}'/*.json \"$d\"\n\
         touch -t 202001010000 \"$d\"/*.json; echo done",
        fixture.display()
    );
    let old = Repo::new(&advisory("criterion_dir"), FAST, &script);
    says(&old.ends(&["measure", "c"], 12), "measurement_stale");
}

/// Leaves a finished measurement of `HEAD` with its journal in the run `second`.
fn second(court: &Court) -> Value {
    let mut record = court.record.clone();
    record["run_id"] = "second".into();
    let head = json!({ "commit": record["commit"], "dirty": false, "run_id": "second" });
    court.repo.put(&format!("{SECOND}/measurement.json"), &record.to_string());
    court.repo.put(&format!("{SECOND}/measurement.jsonl"), &format!("{head}\n"));
    record
}

fn policy(court: &Court, table: &str) {
    let text = format!("[policy]\nversion = 1\nowner = 'o'\n[canary.c]\n{table}");
    court.repo.put("portcullis.toml", &text);
}

#[test]
fn a_second_measurement_refutes_the_one_of_its_own_run_where_one_is_asked_for() {
    let court = Court::new(TWO);
    court.measured(300);
    let run = [("PORTCULLIS_RUN_ID", "second")];
    let compare = |code: i32| court.repo.ends_with(&["compare", "c"], &run, code);
    // The newest of all runs is another one, and is not the one that is named.
    let mut newest = court.record.clone();
    newest["run_id"] = "third".into();
    let third = "target/portcullis/runs/third/canary/c/measurement.json";
    court.repo.put(third, &newest.to_string());
    // Two files that are written at once may have the same time.
    let file = fs::File::options().append(true).open(court.repo.path(third)).expect("a file");
    let later = file.metadata().and_then(|about| about.modified()).expect("a time");
    file.set_modified(later + std::time::Duration::from_secs(5)).expect("a later time");
    says(&compare(15), "regression_over_fail");
    court.repo.ends(&["compare", "c"], 0);
    // Nobody asks for another try, so there is none, and one that lies there is none.
    court.repo.ends_with(&["measure", "c"], &run, 3);
    let again = |run_id: &str| {
        let mut record = court.record.clone();
        record["run_id"] = run_id.into();
        court.repo.put(&format!("{SECOND}/confirmation.json"), &record.to_string());
    };
    again("second");
    let text = compare(15);
    assert!(!text.contains("unconfirmed"), "{text}");
    let report = || -> String {
        let found = document(&court.repo.ends_with(&["comment", "c"], &run, 0));
        fs::read_to_string(found["report"].as_str().expect("a path")).expect("a report")
    };
    assert!(!report().contains("unconfirmed"), "{}", report());
    policy(&court, &format!("{TWO}confirm = 'same_job'\n"));
    says(&compare(0), "unconfirmed");
    // The report that is kept says what is decided now.
    says(&report(), "unconfirmed");
    again("third");
    says(&compare(12), "the second is of run third");
    // A cap that no run of this baseline could ever reach gates nothing.
    let cap = TWO.replace("fail_pct = 100\n", "fail_pct = 100\nfail_p95_s = 60\n");
    policy(&court, &cap);
    says(&compare(2), "fail_p95_s");
    policy(&court, TWO);
    // A run id names files.
    says(&court.judge(|record| record["run_id"] = "../../x".into(), 12), "of no run");
}

#[test]
fn a_baseline_says_where_its_figures_are_from_and_of_which_runs() {
    let court = Court::new(TWO);
    let path = "benches/baselines/c.json";
    let read = || document(&fs::read_to_string(court.repo.path(path)).expect("a baseline"));
    let refused = |words: &str| says(&court.repo.ends(REFRESH, 3), words);
    let class = read()["host_class"].clone();
    // A kernel is calibrated on this machine, whose class is that of its measurements.
    let found = document(&court.repo.ends(&["calibrate", "spawn", "--repeats", "1"], 0));
    assert_eq!(found["host_class"], class);
    second(&court);
    let figures = json!({
        "host_class": class,
        "aa": { "repeats": 300, "false_comment": 3, "false_fail": 2, "q999_milli_pct": 7, "rate_upper95": 0.026 },
        "injection": Value::Null,
    });
    let calibration = format!("{SECOND}/calibration.json");
    for key in ["repeats", "false_comment", "false_fail", "q999_milli_pct", "rate_upper95"] {
        let mut silent = figures.clone();
        silent["aa"].as_object_mut().expect("figures").remove(key);
        court.repo.put(&calibration, &silent.to_string());
        refused(key);
    }
    court.repo.put(&calibration, &figures.to_string());
    court.repo.ends(REFRESH, 0);
    let aa = read()["aa"].clone();
    assert_eq!((&aa["false_comment"], &aa["false_fail"]), (&3.into(), &2.into()));
    assert_eq!((aa["rate_upper95"].as_f64(), &aa["q999_milli_pct"]), (Some(0.026), &7.into()));
    assert_eq!(read()["calibration_ns"].as_object().map(serde_json::Map::len), Some(5));
    // Figures stay until there are newer ones.
    court.repo.commit("bench(baselines): refresh c");
    let court = {
        let mut court = court;
        court.of_head();
        court
    };
    let refused = |words: &str| says(&court.repo.ends(REFRESH, 3), words);
    fs::remove_file(court.repo.path(&calibration)).expect("removed");
    let record = second(&court);
    court.repo.ends(REFRESH, 0);
    let text = fs::read_to_string(court.repo.path(path)).expect("a baseline");
    assert_eq!(document(&text)["aa"], aa);
    court.repo.git(&["checkout", "-q", "benches"]);
    let two_lines = ["refresh", "c", "--reason", "again, #2\nand more"];
    says(&court.repo.ends(&two_lines, 3), "one line");
    // The journal of other runs says nothing about the tree of these.
    for (key, value) in [("run_id", "third".to_owned()), ("commit", "1".repeat(40))] {
        let mut head =
            json!({ "commit": record["commit"], "dirty": false, "run_id": record["run_id"] });
        head[key] = value.into();
        court.repo.put(&format!("{SECOND}/measurement.jsonl"), &format!("{head}\n"));
        refused("of another run");
    }
    // Of a baseline that cannot be read nobody knows the machine.
    court.repo.put(path, "{").commit("broken");
    let court = {
        let mut court = court;
        court.of_head();
        court
    };
    second(&court);
    says(&court.repo.ends(REFRESH, 3), "nor its class");
    court.repo.ends(&[REFRESH, &["--new-host-class"]].concat(), 0);
}

#[test]
fn a_history_has_the_points_of_sound_runs_and_tells_no_step_across_machines_or_work() {
    let mut court = Court::new(TWO);
    let amended = command("git")
        .current_dir(court.repo.0.path())
        .args(["-c", "user.name=n", "-c", "user.email=e@example.org"])
        .args(["commit", "-q", "--amend", "--allow-empty", "--no-edit"])
        .env("GIT_COMMITTER_DATE", "2020-01-02T03:04:05Z")
        .output()
        .expect("git");
    assert!(amended.status.success(), "{amended:?}");
    court.of_head();
    court.measured(300);
    court.repo.ends(&["history", "append", "c"], 0);
    let file = court.repo.path("target/portcullis/canary/c.jsonl");
    let lines = || -> Vec<Value> {
        fs::read_to_string(&file).expect("lines").lines().map(document).collect()
    };
    let line = lines().remove(0);
    assert_eq!((&line["metric"], &line["outcome"]), (&"a/cold".into(), &"fail".into()));
    assert_eq!(lines()[1]["outcome"], "ok");
    assert_eq!(line["work"], "ab".repeat(32));
    says(line["commit_time"].as_str().expect("a time"), "2020-01-02T03:04:05");
    assert!(line["s_d"].as_f64() > Some(0.0), "{line}");
    let appended = |change: &dyn Fn(&mut Value), code: i32| -> String {
        let mut record = court.record.clone();
        record["run_id"] = "second".into();
        change(&mut record);
        fs::remove_file(&file).expect("removed");
        court.repo.put(&format!("{SECOND}/measurement.json"), &record.to_string());
        court.repo.put("target/portcullis/canary/c.jsonl", "");
        court.repo.ends(&["history", "append", "c"], code)
    };
    // What disturbs the whole run is said of each of its metrics.
    appended(&|record| record["noise"]["steal"] = 9_000.into(), 0);
    assert!(lines().iter().all(|line| line["outcome"] == "invalid"), "{:?}", lines());
    let crashed =
        |r: &mut Value| r["series"][0]["body"]["samples"][3]["exit"] = json!({ "code": 3 });
    says(&appended(&crashed, 12), "run_failed");
    assert!(lines().is_empty(), "a crash is no point");
    // From the half on another machine, or other work; and once nothing but another value.
    let history = |change: &dyn Fn(&mut Value)| -> Value {
        let mut text = String::new();
        for n in 0..40_u64 {
            let mut point = line.clone();
            point["run_id"] = format!("run-{n}").into();
            point["commit"] = format!("{n:040x}").into();
            point["value"] = (MS + (n * 7919) % 9_000).into();
            if n >= 25 {
                point["value"] = (2 * MS + (n * 7919) % 9_000).into();
                change(&mut point);
            }
            text += &format!("{point}\n");
        }
        court.repo.put("target/portcullis/canary/c.jsonl", &text);
        document(&court.repo.ends(&["history", "changes", "c"], 0))
    };
    let moved: [&dyn Fn(&mut Value); 2] =
        [&|point| point["host_class"] = "0123456789ab".into(), &|point| {
            point["work"] = "cd".repeat(32).into()
        }];
    for change in moved {
        let found = history(change);
        let series = found["series"].as_array().expect("series");
        assert_eq!(series.len(), 2, "{found}");
        assert!(series.iter().all(|one| one["confirmed"] == json!([])), "{found}");
    }
    let found = history(&|_| ());
    assert_eq!(found["series"][0]["confirmed"][0]["commit"], format!("{:040x}", 25), "{found}");
}
