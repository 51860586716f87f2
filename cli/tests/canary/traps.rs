//! The traps of a canary through the program itself, on a gating lane: each is a finished measurement that is wrong in one
//! way, and the answer is an exit code and a reason. Traps of a running child stand beside this file.

use super::{FAST, ONE_ARM, PAIRED, Repo, says};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};

pub(super) const TWO: &str = "lane = 'gating'
method = 'two_sample'
adapter = 'criterion_dir'
argv = ['./bench.sh']
roster = ['a/cold', 'a/warm']
baseline = 'benches/baselines/c.json'
comment_pct = 50
fail_pct = 100
floor_pct = -50
runs = 17
invariants = ['a/warm <= 1.10 * a/cold']
proof = { stdout = 'done' }
";
pub(super) const MS: u64 = 1_000_000;

/// A repository with a committed baseline of 100 ms cold and 90 ms warm, and a measurement of the same to be changed.
pub(super) struct Court {
    pub(super) repo: Repo,
    pub(super) record: Value,
}

pub(super) fn samples(values: &[u64]) -> Value {
    let sample = |value: &u64| {
        json!({
            "value": value, "censored": false, "exit": { "code": 0 }, "proof": ["pattern"], "position": 0,
            "work": { "digest": "ab".repeat(32), "count": 12 },
        })
    };
    json!({ "samples": values.iter().map(sample).collect::<Vec<_>>() })
}

pub(super) fn series(metric: &str, values: &[u64]) -> Value {
    json!({
        "metric": metric, "unit": "ns", "arm": "candidate", "body": samples(values),
        "source": "crafted", "schema_version": "1",
    })
}

/// 17 values around a middle, of which no two are equal.
pub(super) fn around(middle: u64) -> Vec<u64> {
    (0..17).map(|n| middle + n * middle / 10_000 - 8 * middle / 10_000).collect()
}

impl Court {
    pub(super) fn new(table: &str) -> Self {
        Self::with(
            table,
            &[series("a/cold", &around(100 * MS)), series("a/warm", &around(90 * MS))],
        )
    }

    /// The machine is this one; what was measured on it is what the case says.
    pub(super) fn with(table: &str, all: &[Value]) -> Self {
        let repo = Repo::new(ONE_ARM, FAST, FAST);
        repo.measure(0);
        let mut record = repo.measurement();
        fs::remove_dir_all(repo.path("target/portcullis/runs")).expect("removed");
        repo.put(
            "portcullis.toml",
            &format!("[policy]\nversion = 1\nowner = 'o'\n[canary.c]\n{table}"),
        );
        repo.commit("two metrics");
        record["series"] = Value::Array(all.to_vec());
        record["run_id"] = "first".into();
        // What disturbed the template is not what is tried here.
        record["noise"]["steal"] = 0.into();
        let mut court = Self { repo, record };
        court.of_head();
        let folder = "target/portcullis/runs/first/canary/c";
        court.repo.put(&format!("{folder}/measurement.json"), &court.record.to_string());
        let head = json!({ "commit": court.record["commit"], "dirty": false, "run_id": "first" });
        court.repo.put(&format!("{folder}/measurement.jsonl"), &format!("{head}\n"));
        court.repo.ends(&["refresh", "c", "--reason", "the first, #1"], 0);
        court.repo.commit("bench(baselines): refresh c");
        court.of_head();
        court
    }

    pub(super) fn of_head(&mut self) {
        let output = super::command("git")
            .current_dir(self.repo.0.path())
            .args(["rev-parse", "HEAD"])
            .output()
            .expect("git");
        self.record["commit"] = String::from_utf8_lossy(&output.stdout).trim().into();
    }

    /// Leaves a finished measurement of `HEAD`, whose cold values are around this many milliseconds.
    pub(super) fn measured(&self, cold_ms: u64) {
        let mut record = self.record.clone();
        record["series"][0]["body"] = samples(&around(cold_ms * MS));
        record["run_id"] = "second".into();
        drop(fs::remove_dir_all(self.repo.path("target/portcullis/runs")));
        let path = "target/portcullis/runs/second/canary/c/measurement.json";
        self.repo.put(path, &record.to_string());
    }

    pub(super) fn judge(&self, change: impl FnOnce(&mut Value), code: i32) -> String {
        let mut record = self.record.clone();
        change(&mut record);
        self.repo.put("target/changed.json", &record.to_string());
        let path = self.repo.path("target/changed.json");
        self.repo.ends(&["compare", "c", "--measurement", path.to_str().expect("a path")], code)
    }

    /// Judges a measurement whose cold values are these.
    pub(super) fn cold(&self, values: &[u64], code: i32) -> String {
        self.judge(|record| record["series"][0]["body"] = samples(values), code)
    }
}

fn each(record: &mut Value, series: usize, change: impl Fn(&mut Value)) {
    let all = record["series"][series]["body"]["samples"].as_array_mut().expect("samples");
    all.iter_mut().for_each(change);
}

#[test]
fn t3_t5_t6_t7_t34_t36_a_measurement_that_is_wrong_in_one_way_has_its_answer() {
    let court = Court::new(TWO);
    says(&court.judge(|_| (), 0), "\"outcome\": \"ok\"");
    says(
        &court.judge(|record| each(record, 0, |s| s["value"] = 0.into()), 12),
        "value_not_positive",
    );
    // T5: 89 % less.
    let text = court.judge(
        |record| {
            for n in [0, 1] {
                each(record, n, |s| s["value"] = (s["value"].as_u64().unwrap_or(0) / 9).into());
            }
        },
        0,
    );
    says(&text, "suspicious_improvement");
    // T6: warm takes 30 % longer than cold, each within its own bounds.
    let text = court.judge(|record| record["series"][1]["body"] = samples(&around(130 * MS)), 12);
    says(&text, "invariant_broken");
    let text = court.judge(|record| record["series"][1]["body"] = samples(&around(105 * MS)), 0);
    assert!(!text.contains("invariant"), "5 % are allowed: {text}");
    // T7: one thing less was examined.
    says(
        &court.judge(|record| each(record, 0, |s| s["work"]["count"] = 11.into()), 12),
        "work_shrunk",
    );
    let text = court
        .judge(|record| record["series"][0]["body"]["samples"][3]["work"]["count"] = 13.into(), 12);
    says(&text, "work_unstable");
    // T34: the level is shared by both metrics.
    let text = court.cold(&around(250 * MS), 15);
    says(&text, "regression_over_fail");
    says(
        &court.judge(|record| record["looks"] = json!({ "planned": 2, "taken": [] }), 12),
        "look_hidden",
    );
}

#[test]
fn t12_t13_t14_thresholds_are_exact() {
    let flat = |middle: u64| vec![middle; 17];
    let table = TWO.replace("invariants = ['a/warm <= 1.10 * a/cold']\n", "");
    let court =
        Court::with(&table, &[series("a/cold", &flat(100 * MS)), series("a/warm", &flat(90 * MS))]);
    let table: &[(&str, u64, i32, &str)] = &[
        ("T12, case 4: exactly 50 %", 150 * MS, 0, "regression_proven"),
        ("case 3: a nanosecond less", 150 * MS - 1, 0, "\"outcome\": \"ok\""),
        ("case 6: a nanosecond below 100 %", 200 * MS - 1, 0, "regression_proven"),
        ("T13, case 7: exactly 100 %", 200 * MS, 15, "regression_over_fail"),
        ("T14: as much as there is", u64::MAX, 15, "regression_over_fail"),
    ];
    for (case, value, code, words) in table {
        let text = court.cold(&flat(*value), *code);
        assert!(text.contains(words), "{case}: {text}");
    }
    let text = court.cold(&flat(150 * MS - 1), 0);
    assert!(!text.contains("regression_proven"), "{text}");
}

#[test]
fn t13_t35_a_cap_is_met_and_one_stall_does_not_fail() {
    let table = TWO
        .replace("fail_pct = 100\n", "fail_pct = 900\nfail_p95_s = 0.36\np95_over = '*/cold'\n")
        .replace("runs = 17", "runs = 85")
        .replace("invariants = ['a/warm <= 1.10 * a/cold']\n", "");
    let flat = |middle: u64| vec![middle; 85];
    let court =
        Court::with(&table, &[series("a/cold", &flat(100 * MS)), series("a/warm", &flat(90 * MS))]);
    let text = court.cold(&flat(360 * MS), 0);
    assert!(!text.contains("p95_"), "case 12, at the cap: {text}");
    says(&court.cold(&flat(360 * MS + 1), 15), "p95_over_cap");
    // Five of 85 runs stall: the point moves above the cap, and the bound does not.
    let mut stalled = flat(100 * MS);
    stalled.iter_mut().take(6).for_each(|value| *value = 9_000 * MS);
    let text = court.cold(&stalled, 0);
    says(&text, "p95_suspected");
    stalled.iter_mut().take(1).for_each(|value| *value = 100 * MS);
    stalled.iter_mut().skip(2).for_each(|value| *value = 100 * MS);
    assert!(!court.cold(&stalled, 0).contains("p95_"), "one stall");
}

#[test]
fn t11_t28_t29_an_edited_baseline_is_no_base() {
    let court = Court::new(TWO);
    let path = "benches/baselines/c.json";
    let text = fs::read_to_string(court.repo.path(path)).expect("a baseline");
    let baseline: Value = serde_json::from_str(&text).expect("a document");
    let edited = |change: &dyn Fn(&mut Value), words: &str| {
        let mut document = baseline.clone();
        change(&mut document);
        court.repo.put(path, &document.to_string());
        says(&court.judge(|_| (), 12), words);
    };
    edited(&|b| b["measurements"]["a/cold"]["value"] = 0.into(), "baseline_");
    edited(&|b| b["measurements"]["a/cold"]["value"] = true.into(), "baseline_");
    edited(&|b| b["measurements"]["a/cold"]["value"] = (-5).into(), "baseline_");
    edited(&|b| b["measurements"]["a/cold"]["samples"] = json!([1]), "baseline_");
    edited(&|b| b["refreshed_at"] = "xyzZ".into(), "baseline_");
    court.repo.put(path, &text);
    court.judge(|_| (), 0);
}

#[test]
fn t17_a_renamed_bench_is_missing_and_new() {
    let court = Court::new(TWO);
    let text = court.judge(|record| record["series"][0]["metric"] = "a/colder".into(), 15);
    says(&text, "metric_missing");
    says(&text, "metric_unbaselined");
}

#[test]
fn t32_another_machine_is_converted_or_refused() {
    let court = Court::new(TWO);
    let text = court.judge(|record| record["host"]["cpu_model"] = "another one".into(), 0);
    says(&text, "normalised");
    // Ten times as fast is no machine of this kind.
    let far = |record: &mut Value| {
        record["host"]["cpu_model"] = "another one".into();
        let kernels = record["calibration"].as_object_mut().expect("kernels");
        for value in kernels.values_mut() {
            *value = (value.as_u64().expect("a number") * 10).into();
        }
    };
    says(&court.judge(far, 12), "host_incomparable");
    says(&court.judge(|record| record["host"]["arch"] = "another".into(), 12), "host_incomparable");
    says(
        &court.judge(
            |record| {
                record["host"]["cpu_model"] = "another one".into();
                record["calibration"] = Value::Null;
            },
            12,
        ),
        "host_incomparable",
    );
}

#[test]
fn t42_a_hostile_name_is_escaped_where_it_is_shown() {
    let name = "@team|`x`--><b>";
    let table = TWO
        .replace("'a/cold', 'a/warm'", &format!("'{name}', 'a/warm'"))
        .replace("invariants = ['a/warm <= 1.10 * a/cold']\n", "");
    let all = [series(name, &around(100 * MS)), series("a/warm", &around(90 * MS))];
    let court = Court::with(&table, &all);
    let found: Value =
        serde_json::from_str(&court.cold(&around(300 * MS), 15)).expect("a document");
    let report = found["report"].as_str().expect("a report");
    let marker = "<!-- portcullis:canary:c -->";
    let rest = report.strip_prefix(marker).expect("the marker stands first");
    for wrong in ["@team", "-->", "<b>", "`x`"] {
        assert!(!rest.contains(wrong), "{wrong}: {rest}");
    }
    let rows: Vec<&str> = rest.lines().filter(|line| line.starts_with("| ")).collect();
    let cells = |row: &str| row.replace("\\|", "").matches('|').count();
    assert!(rows.iter().all(|row| cells(row) == cells(rows[0])), "{rest}");
}

#[test]
fn t15_commas_of_a_tool_are_digits() {
    let table = ONE_ARM
        .replace("adapter = 'process'", "adapter = 'libtest_bench'")
        .replace("lane = 'gating'", "lane = 'advisory'")
        .replace("method = 'two_sample'", "method = 'point'")
        .replace("runs = 17\n", "")
        .replace("fail_pct = 800\n", "");
    let script = "echo done >&2; printf 'running 1 test\\ntest whole ... bench:   1,234,567 ns/iter (+/- 8,000)\\n\\n\
                  test result: ok. 0 passed; 0 failed; 0 ignored; 1 measured; 0 filtered out; finished in 1.00s\\n' \
                  > \"$PORTCULLIS_CANARY_OUTPUT\"; echo done";
    let repo = Repo::new(&table, script, script);
    repo.ends(&["measure", "c"], 0);
    says(&repo.measurement().to_string(), "1234567");
}

#[test]
fn t8_added_work_is_done_and_seen_in_a_real_child() {
    let script =
        "[ \"${PORTCULLIS_CANARY_EXTRA_MILLI_PCT:-0}\" -gt 0 ] && sleep 0.6; sleep 0.02; echo done";
    let table = PAIRED
        .replace("comment_pct = 200", "comment_pct = 50")
        .replace("fail_pct = 400", "fail_pct = 100");
    let seen = |script: &str| -> Value {
        let repo = Repo::new(&table, FAST, script);
        let words = ["calibrate", "c", "--repeats", "1", "--pairs", "10", "--inject", "500"];
        serde_json::from_str(&repo.ends(&words, 0)).expect("a document")
    };
    assert_eq!(seen(script)["injection"]["detected"], 1, "thirty times the work");
    // A program that ignores the request does no more work, and nothing is made up for it.
    assert_eq!(seen(FAST)["injection"]["detected"], 0);
}

/// The committed figures over sessions of unchanged work, held against the goal that they were made for.
#[test]
fn drawn_sessions_of_unchanged_work_raise_no_alarm() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../evidence/canary_accuracy.json");
    let text = fs::read_to_string(path).expect("a document");
    let document: Value = serde_json::from_str(&text).expect("a document");
    let rows = document["against_itself"].as_array().expect("a section");
    assert_eq!(rows.len(), 6, "three kernels, drawn in two ways");
    for row in rows {
        let number = |key: &str| row[key].as_u64().expect("a number");
        assert!(number("sessions") >= 30_000, "{row}");
        assert!(number("alarms") * 1_000 < number("sessions"), "{row}");
    }
}

/// The limits are read from the policy that is shipped, never from a copy that a test keeps.
#[test]
fn t25_the_limits_that_are_shipped_are_the_ones_that_were_promised() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../portcullis.toml");
    let text = fs::read_to_string(path).expect("the policy of this repository");
    let policy: toml_edit::DocumentMut = text.parse().expect("a policy");
    let number = |id: &str, key: &str| policy["canary"][id][key].as_integer();
    assert_eq!(number("full_suite_walltime", "comment_pct"), Some(50));
    assert_eq!(number("census_overhead", "comment_pct"), Some(10));
    for id in ["full_suite_walltime", "census_overhead"] {
        assert_eq!(policy["canary"][id]["lane"].as_str(), Some("advisory"), "{id}");
        assert_eq!(number(id, "runs"), Some(17), "{id}");
    }
    let roster = policy["canary"]["full_suite_walltime"]["roster"].as_array();
    assert_eq!(roster.map(toml_edit::Array::len), Some(10), "five trees, cold and warm");
}

/// Every trap has a test that carries its number; a number that no test carries is a trap that nobody tries.
#[test]
fn every_trap_has_a_test() {
    const TRAPS: u32 = 43;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found: BTreeSet<u32> = BTreeSet::new();
    for folder in [
        "canary/src",
        "gates/src/canary",
        "gates/src/canary_regression",
        "gates/src/canary_baseline_hygiene",
        // Elsewhere the same numbers are those of threats.
        "cli/src/canary",
        "cli/src/command/canary",
        "cli/tests/canary",
        "cli/tests/canary.rs",
    ] {
        let mut open = vec![root.join(folder)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(
                    fs::read_dir(path)
                        .expect("a folder")
                        .map(|entry| entry.expect("an entry").path()),
                );
                continue;
            }
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let mut lines = text.lines().map(str::trim);
            while let Some(line) = lines.next() {
                if line == "#[test]"
                    && let Some(name) = lines.next().and_then(|line| line.strip_prefix("fn "))
                {
                    let words = name
                        .split(['_', '('])
                        .map_while(|word| word.strip_prefix('t')?.parse::<u32>().ok());
                    found.extend(words);
                }
            }
        }
    }
    let missing: Vec<u32> = (1..=TRAPS).filter(|number| !found.contains(number)).collect();
    assert!(missing.is_empty(), "no test carries the number of trap {missing:?}");
}
