//! What `measure`, `refresh` and `history` hold themselves to: how often they measure, and what they write nothing from.

use super::{
    FAST, PAIRED, Repo, says,
    traps::{Court, MS, TWO, around, samples},
};
use serde_json::{Value, json};
use std::fs;

const CONFIRMATION: &str = "target/portcullis/runs/r1/canary/c/confirmation.json";
const RUN: &[(&str, &str)] = &[("PORTCULLIS_RUN_ID", "r1")];
const MEASURE: &[&str] = &["measure", "c", "--base-ref", "main"];

#[test]
fn a_failure_is_measured_once_more_in_the_same_job_and_nothing_else_is() {
    let table = format!("{PAIRED}confirm = 'same_job'\n");
    // A warm-up and ten pairs are slow, and what comes after them is not.
    let at_first = "mkdir -p target; echo >> target/n; [ $(wc -l < target/n) -gt 11 ] && sleep 0.02 || sleep 1.2; echo done";
    let cases = [
        ("it comes back", "sleep 1.2; echo done", 15, "regression_over_fail"),
        ("it does not", at_first, 0, "unconfirmed"),
    ];
    let calm = Repo::new(&table, FAST, FAST);
    calm.ends_with(MEASURE, RUN, 0);
    assert!(!calm.path(CONFIRMATION).exists(), "there was no failure");
    for (case, script, code, words) in cases {
        let repo = Repo::new(&table, FAST, script);
        repo.ends_with(MEASURE, RUN, 0);
        assert!(repo.path(CONFIRMATION).exists(), "{case}");
        let text = repo.ends_with(&["compare", "c"], RUN, code);
        assert!(text.contains(words), "{case}: {text}");
    }
}

#[test]
fn as_many_pairs_are_taken_as_were_asked_for() {
    let repo = Repo::new(PAIRED, FAST, FAST);
    repo.ends(&["measure", "c", "--base-ref", "main", "--pairs", "12"], 0);
    for series in repo.measurement()["series"].as_array().expect("series") {
        assert_eq!(series["body"]["samples"].as_array().map(Vec::len), Some(12));
    }
    // Fewer than the table says are taken as well, and are too few.
    let fewer = Repo::new(PAIRED, FAST, FAST);
    fewer.ends(&["measure", "c", "--base-ref", "main", "--pairs", "6"], 0);
    says(&fewer.ends(&["compare", "c"], 12), "samples_below_minimum");
}

/// Leaves a changed measurement of `HEAD` in a run of its own, and refreshes the baseline from it.
fn refresh(court: &Court, change: impl FnOnce(&mut Value), words: &[&str], code: i32) -> String {
    let mut record = court.record.clone();
    record["run_id"] = "second".into();
    change(&mut record);
    drop(fs::remove_dir_all(court.repo.path("target/portcullis/runs")));
    let folder = "target/portcullis/runs/second/canary/c";
    court.repo.put(&format!("{folder}/measurement.json"), &record.to_string());
    let head = json!({ "commit": record["commit"], "dirty": false, "run_id": "second" });
    court.repo.put(&format!("{folder}/measurement.jsonl"), &format!("{head}\n"));
    let all: Vec<&str> =
        ["refresh", "c", "--reason", "again, #2"].iter().chain(words).copied().collect();
    let text = court.repo.ends(&all, code);
    court.repo.git(&["checkout", "-q", "benches"]);
    text
}

#[test]
fn what_is_no_sound_measurement_makes_no_baseline() {
    type Change = fn(&mut Value);
    let sample = |record: &mut Value, index: usize, key: &str, value: Value| {
        record["series"][0]["body"]["samples"][index][key] = value;
    };
    let table: [(&str, Change, &str); 10] = [
        ("another commit", |r| r["commit"] = "1".repeat(40).into(), "of another commit"),
        (
            "too few",
            |r| r["series"][0]["body"] = samples(&around(100 * MS)[..16]),
            "too few samples",
        ),
        (
            "a summary",
            |r| {
                r["series"][0]["body"] =
                    json!({ "summary": { "value": 5, "lower": null, "upper": null } })
            },
            "a summary is no baseline",
        ),
        ("no samples", |r| r["series"] = json!([]), "no sample"),
        ("stolen time", |r| r["noise"]["steal"] = 9_000.into(), "noisy_run"),
        (
            "a machine of another class",
            |r| r["host"]["cpu_model"] = "another".into(),
            "of another class",
        ),
        (
            "an invariant",
            |r| r["series"][1]["body"] = samples(&around(180 * MS)),
            "invariant_broken",
        ),
        (
            "a fault of the measurement",
            |r| r["faults"] = json!([{ "code": "deadline", "metric": null, "detail": "late" }]),
            "deadline",
        ),
        ("a metric is gone", |r| drop(r["series"].as_array_mut().map(Vec::pop)), "metric_missing"),
        (
            "noise that hides a failure",
            |r| {
                let wide: Vec<u64> = (0..17).map(|n| 10 * MS * (1 + n * n)).collect();
                r["series"][0]["body"] = samples(&wide);
            },
            "cannot",
        ),
    ];
    let court = Court::new(TWO);
    refresh(&court, |_| (), &[], 0);
    for (case, change, words) in table {
        let text = refresh(&court, change, &[], 3);
        assert!(text.contains(words), "{case}: {text}");
    }
    let stopped = |record: &mut Value| {
        sample(record, 3, "censored", true.into());
        sample(record, 3, "exit", "time_limit".into());
    };
    says(&refresh(&court, stopped, &[], 3), "stopped by its limit");
    let other = |record: &mut Value| {
        sample(record, 3, "work", json!({ "digest": "cd".repeat(32), "count": 12 }));
    };
    says(&refresh(&court, other, &[], 3), "different work");
    let moved = |record: &mut Value| record["host"]["cpu_model"] = "another".into();
    refresh(&court, moved, &["--new-host-class"], 0);
    // The journal of the runs says whether the tree was clean; without it nobody knows.
    court.repo.put("target/portcullis/runs/second/canary/c/measurement.jsonl", "");
    says(&court.repo.ends(&["refresh", "c", "--reason", "again, #2"], 3), "dirty tree");
}

#[test]
fn figures_of_a_calibration_are_taken_over_from_a_machine_of_the_same_class_alone() {
    let court = Court::new(TWO);
    let path = court.repo.path("benches/baselines/c.json");
    let read = || -> Value {
        serde_json::from_str(&fs::read_to_string(&path).expect("a baseline")).expect("a document")
    };
    let class = read()["host_class"].as_str().expect("a class").to_owned();
    for (of, expected) in [(class.as_str(), true), ("000000000000", false)] {
        let folder = "target/portcullis/runs/second/canary/c";
        let record = json!({ "run_id": "second" });
        let mut measurement = court.record.clone();
        measurement["run_id"] = record["run_id"].clone();
        court.repo.put(&format!("{folder}/measurement.json"), &measurement.to_string());
        let head = json!({ "commit": measurement["commit"], "dirty": false, "run_id": "second" });
        court.repo.put(&format!("{folder}/measurement.jsonl"), &format!("{head}\n"));
        let calibration = json!({
            "host_class": of,
            "aa": { "repeats": 300, "false_comment": 1, "false_fail": 0, "q999_milli_pct": 7, "rate_upper95": 0.0158 },
            "injection": { "milli_pct": 5_000, "repeats": 40, "detected": 39 },
        });
        court.repo.put(&format!("{folder}/calibration.json"), &calibration.to_string());
        court.repo.ends(&["refresh", "c", "--reason", "again, #2"], 0);
        let written = read();
        assert_eq!(written["aa"].is_object(), expected, "{written}");
        if expected {
            let aa = &written["aa"];
            assert_eq!((&aa["repeats"], &aa["false_comment"]), (&300.into(), &1.into()));
            assert_eq!(written["injection"]["detected"], 39);
        }
        court.repo.git(&["checkout", "-q", "benches"]);
    }
}

#[test]
fn a_line_of_the_history_says_what_was_measured_and_of_which_canary() {
    let repo = Repo::new(PAIRED, FAST, FAST);
    repo.measure(0);
    repo.ends(&["history", "append", "c"], 0);
    let file = repo.path("target/portcullis/canary/c.jsonl");
    let line = fs::read_to_string(&file).expect("a line");
    let entry: Value = serde_json::from_str(&line).expect("a document");
    let record = repo.measurement();
    let mut values: Vec<u64> = record["series"][1]["body"]["samples"]
        .as_array()
        .expect("samples")
        .iter()
        .map(|sample| sample["value"].as_u64().expect("a value"))
        .collect();
    values.sort_unstable();
    let value = entry["value"].as_u64().expect("a value");
    assert!((values[4]..=values[5]).contains(&value), "{value} of {values:?}");
    assert_eq!(
        (&entry["n"], &entry["aa"], &entry["metric"]),
        (&10.into(), &true.into(), &"whole".into())
    );
    assert_eq!((&entry["commit"], &entry["run_id"]), (&record["commit"], &record["run_id"]));
    // Another canary's line in the same file is read, and is not shown as ours.
    let mut other = entry.clone();
    other["canary"] = "d".into();
    repo.put("target/portcullis/canary/c.jsonl", &format!("{line}{other}\n"));
    let shown: Value =
        serde_json::from_str(&repo.ends(&["history", "show", "c"], 0)).expect("a document");
    assert_eq!(shown["entries"].as_array().map(Vec::len), Some(1), "{shown}");
    // A measurement of another commit says nothing about this one.
    repo.put("note", "later").commit("later");
    says(&repo.ends(&["history", "append", "c"], 12), "another commit");
}
