//! Traps that the kernel knows, through the program itself: each in another spelling than beside this file.

use super::{
    FAST, ONE_ARM, PAIRED, Repo, says,
    traps::{Court, MS, TWO, around, series},
};
use serde_json::{Value, json};

/// A finished pair of arms, to be changed in one way each.
struct Paired {
    repo: Repo,
    record: Value,
}

impl Paired {
    fn new(table: &str) -> Self {
        let repo = Repo::new(table, FAST, FAST);
        repo.measure(0);
        let mut record = repo.measurement();
        // What disturbed the template is not what is tried here.
        record["noise"]["steal"] = 0.into();
        for one in record["series"].as_array_mut().expect("series") {
            for (index, sample) in
                one["body"]["samples"].as_array_mut().expect("samples").iter_mut().enumerate()
            {
                sample["value"] =
                    (100 * MS + 1_000 * u64::try_from(index).expect("a number")).into();
            }
        }
        Self { repo, record }
    }

    fn judge(&self, change: impl FnOnce(&mut Value), code: i32) -> String {
        let mut record = self.record.clone();
        change(&mut record);
        self.repo.put("target/changed.json", &record.to_string());
        let path = self.repo.path("target/changed.json");
        self.repo.ends(&["compare", "c", "--measurement", path.to_str().expect("a path")], code)
    }
}

fn sample(record: &mut Value, arm: usize, index: usize) -> &mut Value {
    &mut record["series"][arm]["body"]["samples"][index]
}

type Change = fn(&mut Value);

/// Judges each change of a sound pair of arms.
fn judged(table: &[(&str, Change, i32, &str)]) {
    let paired = Paired::new(PAIRED);
    says(&paired.judge(|_| (), 0), "\"outcome\": \"ok\"");
    for (case, change, code, words) in table {
        let text = paired.judge(change, *code);
        assert!(text.contains(words), "{case}: {text}");
    }
}

#[test]
fn t1_t2_t11_t16_t36_a_pair_of_arms_that_is_wrong_in_one_way_has_its_answer() {
    let table: &[(&str, Change, i32, &str)] = &[
        ("T1 a usage error", |r| sample(r, 1, 4)["exit"] = json!({"code": 2}), 12, "run_failed"),
        ("T1 a signal", |r| sample(r, 0, 9)["exit"] = json!({"signal": 11}), 12, "run_failed"),
        ("T1 an unknown end", |r| sample(r, 1, 0)["exit"] = "unknown".into(), 12, "run_failed"),
        ("T1 the base again", |r| sample(r, 2, 0)["exit"] = json!({"code": 1}), 12, "run_failed"),
        ("T2 one without proof", |r| sample(r, 1, 7)["proof"] = json!([]), 12, "proof_missing"),
        ("T2 the base", |r| sample(r, 0, 0)["proof"] = json!([]), 12, "proof_missing"),
        ("T11 a base of 0", |r| sample(r, 0, 3)["value"] = 0.into(), 12, "baseline_not_positive"),
        ("T3 a candidate of 0", |r| sample(r, 1, 3)["value"] = 0.into(), 12, "value_not_positive"),
        (
            "T16 an arm without samples",
            |r| r["series"][1]["body"]["samples"] = json!([]),
            3,
            "empty_measurement",
        ),
        (
            "T36 more looks than planned",
            |r| {
                r["looks"] = json!({ "planned": 1, "taken": [{ "number": 1, "n": 5 }, { "number": 2, "n": 10 }] });
            },
            12,
            "look_hidden",
        ),
        (
            "T36 the first look is gone",
            |r| r["looks"] = json!({ "planned": 2, "taken": [{ "number": 2, "n": 10 }] }),
            12,
            "look_hidden",
        ),
        (
            "T36 more pairs than looked at",
            |r| r["looks"] = json!({ "planned": 2, "taken": [{ "number": 1, "n": 5 }] }),
            12,
            "look_hidden",
        ),
    ];
    judged(table);
}

#[test]
fn t37_an_order_that_was_not_drawn_or_that_matters_is_no_measurement() {
    let table: &[(&str, Change, i32, &str)] = &[
        (
            "T37 the base first throughout",
            |r| {
                for index in 0..10 {
                    let first = if index % 2 == 0 { 0 } else { 2 };
                    sample(r, 0, index)["position"] = first.into();
                    sample(r, 1, index)["position"] = (first + 1).into();
                }
            },
            12,
            "unknown_shape",
        ),
        ("T37 one arm, it says", |r| r["order"] = "one_arm".into(), 12, "unknown_shape"),
        (
            "T37 a pair is missing",
            |r| {
                r["series"][0]["body"]["samples"].as_array_mut().expect("samples").pop();
            },
            12,
            "unknown_shape",
        ),
        (
            "T37 the second position is slower",
            |r| {
                for (arm, index) in (0..2).flat_map(|arm| (0..10).map(move |index| (arm, index))) {
                    let one = sample(r, arm, index);
                    if one["position"].as_u64().expect("a position") % 2 == 1 {
                        one["value"] = (900 * MS).into();
                    }
                }
            },
            12,
            "noisy_run",
        ),
        (
            "the base differs from itself",
            |r| (0..10).for_each(|index| sample(r, 2, index)["value"] = (900 * MS).into()),
            12,
            "noisy_run",
        ),
    ];
    judged(table);
}

#[test]
fn t38_a_link_to_one_program_is_one_program() {
    let repo = Repo::new(PAIRED, FAST, FAST);
    let outside = tempfile::tempdir().expect("a folder");
    let program = outside.path().join("program.sh");
    std::fs::copy(repo.path("bench.sh"), &program).expect("a copy");
    for branch in ["main", "work"] {
        repo.git(&["checkout", "-q", branch]);
        std::fs::remove_file(repo.path("bench.sh")).expect("removed");
        std::os::unix::fs::symlink(&program, repo.path("bench.sh")).expect("a link");
        repo.commit("a link");
    }
    // The merge base is the older commit, so the branch starts anew from the link.
    repo.git(&["checkout", "-q", "-B", "work", "main"]);
    repo.put("note", "a change").commit("a change");
    says(&repo.measure(12), "arms_are_one_file");
    says(&repo.ends(&["compare", "c"], 12), "arms_are_one_file");
}

#[test]
fn t31_pairs_without_a_base_are_not_measured() {
    let repo = Repo::new(PAIRED, FAST, FAST);
    says(&repo.ends(&["measure", "c"], 2), "pairs need a base");
    repo.ends(&["compare", "c"], 3);
}

#[test]
fn t33_a_count_that_is_believed_and_not_enforced_is_unavailable_where_it_is_demanded() {
    let table = format!("{PAIRED}force_cpus = 1\naffinity = 'required'\n");
    let paired = Paired::new(&PAIRED.replace("pairs = 10", "pairs = 10\nforce_cpus = 1"));
    paired.repo.put(
        "portcullis.toml",
        &format!("[policy]\nversion = 1\nowner = 'o'\n[canary.c]\n{table}"),
    );
    let believed = |record: &mut Value| record["host"]["emulation"] = "belief_only".into();
    says(&paired.judge(believed, 12), "affinity_unavailable");
    let pinned = |record: &mut Value| record["host"]["emulation"] = "pinned".into();
    paired.judge(pinned, 0);
}

/// Slow in 15 of 17 runs: the rank that one metric is judged by is slow, the one that forty are judged by is not.
fn mostly_slow(middle: u64) -> Vec<u64> {
    let values = around(middle).into_iter().enumerate();
    values.map(|(n, value)| if n < 2 { value } else { value * 3 }).collect()
}

#[test]
fn t34_what_one_metric_proves_it_does_not_prove_among_forty() {
    for (n_metrics, code) in [(1, 15), (40, 0)] {
        let names: Vec<String> = (0..n_metrics).map(|n| format!("m{n:02}")).collect();
        let roster = names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let table = TWO
            .replace("'a/cold', 'a/warm'", &roster)
            .replace("invariants = ['a/warm <= 1.10 * a/cold']\n", "");
        let all: Vec<Value> = names.iter().map(|name| series(name, &around(100 * MS))).collect();
        let court = Court::with(&table, &all);
        let text = court.cold(&mostly_slow(100 * MS), code);
        assert_eq!(text.contains("regression_over_fail"), n_metrics == 1, "{n_metrics}: {text}");
        says(&text, if n_metrics == 1 { "regression_proven" } else { "fail_suspected" });
    }
}

#[test]
fn t18_a_bench_that_vanished_with_its_entry_is_missed_by_the_roster() {
    let court = Court::new(TWO);
    let gone = |record: &mut Value| {
        record["series"].as_array_mut().expect("series").pop();
    };
    says(&court.judge(gone, 15), "metric_missing");
}

#[test]
fn t5_what_is_faster_than_it_can_be_is_invalid() {
    let court = Court::new(&format!("{TWO}abs_min = 50000000\n"));
    court.judge(|_| (), 0);
    says(&court.cold(&around(20 * MS), 12), "implausibly_fast");
}

#[test]
fn t42_a_report_over_the_limit_is_cut_and_says_so() {
    let names: Vec<String> = (0..700).map(|n| format!("{}/m{n:04}", "long".repeat(20))).collect();
    let roster = names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let table = TWO
        .replace("'a/cold', 'a/warm'", &roster)
        .replace("invariants = ['a/warm <= 1.10 * a/cold']\n", "")
        .replace("runs = 17", "runs = 40");
    let flat: Vec<u64> = (0..40).map(|n| 100 * MS + n).collect();
    let all: Vec<Value> = names.iter().map(|name| series(name, &flat)).collect();
    let court = Court::with(&table, &all);
    let slow: Vec<u64> = flat.iter().map(|value| value * 3).collect();
    let found: Value = serde_json::from_str(&court.cold(&slow, 15)).expect("a document");
    let report = found["report"].as_str().expect("a report");
    assert!(report.starts_with("<!-- portcullis:canary:c -->"), "the marker stays");
    assert!(report.chars().count() <= 65_536, "{}", report.chars().count());
    says(report, "more in the artifact");
    says(report, "cargo portcullis canary compare c");
    // The worst stands first, and is not what was cut; a report escapes what Markdown would read.
    let first = report.lines().find(|line| line.contains("m0000")).expect("the slow one");
    says(first, "regression\\_over\\_fail");
}

#[test]
fn t10_t16_t19_whatever_a_tool_writes_instead_of_durations_is_an_answer() {
    let hyperfine = ONE_ARM
        .replace("adapter = 'process'", "adapter = 'hyperfine_json'")
        .replace("lane = 'gating'", "lane = 'advisory'")
        .replace("fail_pct = 800\n", "");
    let with = |times: &str| {
        format!(r#"{{"results":[{{"command":"whole","times":[{times}],"exit_codes":[0,0,0]}}]}}"#)
    };
    let table: [(&str, String, &str); 9] = [
        ("T10 an infinity", with("0.1,Infinity,0.1"), "value_not_finite"),
        ("T10 beyond a float", with("0.1,1e400,0.1"), ""),
        ("T10 beyond an integer", with("0.1,1e30,0.1"), "value_overflow"),
        ("T10 a text", with("0.1,\"0.1\",0.1"), "unknown_shape"),
        ("T10 below zero", with("0.1,-0.1,0.1"), "value_not_positive"),
        ("T3 a zero", with("0.1,0,0.1"), "value_not_positive"),
        ("unequal lengths", with("0.1,0.1"), "unknown_shape"),
        ("T19 no result", r#"{"results":[]}"#.to_owned(), "empty_measurement"),
        ("cut off", with("0.1,0.1,0.1").chars().take(40).collect(), "unknown_shape"),
    ];
    for (case, output, words) in table {
        let script = format!(
            "echo done >&2; cat > \"$PORTCULLIS_CANARY_OUTPUT\" <<'X'\n{output}\nX\necho done"
        );
        let repo = Repo::new(&hyperfine, &script, &script);
        let text = repo.ends(&["measure", "c"], 12);
        assert!(text.contains(words), "{case}: {text}");
        // Whatever it is, nothing that is judged afterwards passes.
        let output = repo.run(&["compare", "c"], &[]);
        assert!(matches!(output.status.code(), Some(3 | 12)), "{case}: {output:?}");
    }
}
