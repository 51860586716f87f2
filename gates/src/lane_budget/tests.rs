//! Budgets, samples, histories and timeouts.

use super::*;
use portcullis::{Outcome, testing::Bench};
use serde_json::{Value, json};

const RULES: &str = "history = 'lanes.jsonl'\nfreshness = { max_age = '7d' }\nbudget = [{ file = 'ci.yml', job = 'unit', budget_minutes = 5 }]\n";
const SEVEN: &str = "on: pull_request\njobs:\n  unit:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 7\n    steps: [{run: a}]\n";

fn run(id: usize, conclusion: &str, seconds: f64) -> Value {
    let ended = format!("2026-05-30T{:02}:{:02}:00Z", id / 60, id % 60);
    json!({ "file": "ci.yml", "job": "unit", "run_id": id, "conclusion": conclusion, "ended_at": ended, "seconds": seconds })
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

fn all(seconds: &[f64]) -> Vec<Value> {
    (1..).zip(seconds).map(|(id, seconds)| run(id, "success", *seconds)).collect()
}

fn bench(config: &str, workflow: &str, history: &str) -> Bench {
    Bench::new(&LANE_BUDGET, config)
        .file(".github/workflows/ci.yml", workflow.as_bytes())
        .file("lanes.jsonl", history.as_bytes())
}

fn codes_of(bench: Bench) -> String {
    let seen = bench.run();
    match seen.error() {
        Some(error) => format!("error {}", error.code),
        None => seen.codes.join(" "),
    }
}

fn codes(config: &str, records: &[Value]) -> String {
    codes_of(bench(config, SEVEN, &lines(records)))
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&LANE_BUDGET), Vec::<String>::new());
}

#[test]
fn budgets_have_exact_boundaries() {
    let table: &[(&str, f64, &str)] = &[
        ("79.9 %", 239.7, ""),
        ("a moment below 80 %", 239.999, ""),
        ("80.0 %", 240.0, "near_budget"),
        ("100.0 %", 300.0, "near_budget"),
        ("a moment above 100 %", 300.001, "over_budget"),
        ("100.1 %", 300.3, "over_budget"),
    ];
    for (case, seconds, expected) in table {
        assert_eq!(codes(RULES, &all(&[*seconds; 5])), *expected, "{case}");
    }
    let near = bench(RULES, SEVEN, &lines(&all(&[240.0; 5]))).run();
    assert_eq!((near.outcome, near.examined), (Outcome::Warn, 5));
    let over = bench(RULES, SEVEN, &lines(&all(&[301.0; 5]))).run();
    assert_eq!(over.outcome, Outcome::Fail);
    let at_90 = format!("{RULES}warn_at_pct = 90\n");
    assert_eq!(codes(&at_90, &all(&[269.999; 5])), "");
    assert_eq!(codes(&at_90, &all(&[270.0; 5])), "near_budget");
}

#[test]
fn the_percentile_is_by_nearest_rank_over_the_latest_runs() {
    let mut one_of_twenty = vec![400.0];
    one_of_twenty.extend([100.0; 19]);
    let mut two_of_twenty = vec![400.0, 400.0];
    two_of_twenty.extend([100.0; 18]);
    let mut long_ago = vec![400.0; 5];
    long_ago.extend([100.0; 20]);
    let mut lately = vec![100.0; 30];
    lately.extend([400.0; 2]);
    let max = format!("{RULES}stat = 'max'\n");
    let table: &[(&str, &str, &[f64], &str)] = &[
        ("the longest of twenty is beyond the 95th", RULES, &one_of_twenty, ""),
        ("the second longest is not", RULES, &two_of_twenty, "over_budget"),
        ("the longest counts where it is asked for", &max, &one_of_twenty, "over_budget"),
        ("older than the window", &max, &long_ago, ""),
        ("the latest of many", RULES, &lately, "over_budget"),
    ];
    for (case, config, seconds, expected) in table {
        assert_eq!(codes(config, &all(seconds)), *expected, "{case}");
        let mut backwards = all(seconds);
        backwards.reverse();
        assert_eq!(codes(config, &backwards), *expected, "{case}, written backwards");
    }
}

#[test]
fn what_is_no_sample_says_nothing() {
    let good = all(&[100.0; 5]);
    let with = |more: &[Value]| [good.clone(), more.to_vec()].concat();
    let mut other_job = run(7, "success", 9000.0);
    other_job["job"] = json!("lint");
    let mut other_file = run(7, "success", 9000.0);
    other_file["file"] = json!("nightly.yml");
    let table: &[(&str, Vec<Value>, &str)] = &[
        ("cancelled", with(&[run(6, "cancelled", 9000.0)]), ""),
        ("skipped", with(&[run(6, "skipped", 9000.0)]), ""),
        ("another job", with(&[other_job]), ""),
        ("the same job of another workflow", with(&[other_file]), ""),
        ("failed", with(&[run(6, "failure", 9000.0)]), "over_budget"),
        ("stopped by its timeout", with(&[run(6, "timed_out", 9000.0)]), "over_budget"),
        ("four samples", all(&[900.0; 4]), "no_measurements"),
        (
            "four samples and a cancelled run",
            [all(&[900.0; 4]), vec![run(6, "cancelled", 1.0)]].concat(),
            "no_measurements",
        ),
        (
            "only cancelled runs",
            (1..=9).map(|id| run(id, "cancelled", 1.0)).collect(),
            "no_measurements",
        ),
    ];
    for (case, records, expected) in table {
        assert_eq!(codes(RULES, records), *expected, "{case}");
    }
    assert_eq!(bench(RULES, SEVEN, &lines(&all(&[900.0; 4]))).run().outcome, Outcome::Warn);
    // The lane has run often enough, and hides what it took.
    let mut hidden = all(&[100.0; 5]);
    hidden[0]["seconds"] = Value::Null;
    assert_eq!(codes(RULES, &hidden), "error no_measurements");
}

#[test]
fn a_matrix_is_as_long_as_its_longest_job_and_a_second_attempt_is_a_run() {
    let mut records = all(&[100.0; 5]);
    records.push(run(3, "success", 400.0));
    assert_eq!(codes(RULES, &records), "over_budget");
    // The job that ends last is not the one that takes longest.
    records.push(run(3, "success", 50.0));
    assert_eq!(codes(RULES, &records), "over_budget", "a short one behind the long one");
    records.push(run(3, "cancelled", 900.0));
    assert_eq!(codes(RULES, &records), "over_budget", "and one that was stopped");
    let one_run: Vec<Value> = (0..9).map(|_| run(3, "success", 400.0)).collect();
    assert_eq!(codes(RULES, &one_run), "no_measurements", "nine jobs of one run are one sample");
    let attempts: Vec<Value> = (1..=5)
        .map(|attempt| {
            let mut one = run(3, "success", 400.0);
            one["attempt"] = json!(attempt);
            one
        })
        .collect();
    assert_eq!(codes(RULES, &attempts), "over_budget");
}

#[test]
fn a_line_that_is_no_run_is_an_error() {
    let with = |key: &str, value: Value| {
        let mut records = all(&[100.0; 6]);
        records[3][key] = value;
        lines(&records)
    };
    let table: &[(&str, String)] = &[
        ("an unknown conclusion", with("conclusion", json!("fine"))),
        ("no conclusion", with("conclusion", Value::Null)),
        ("no job", with("job", Value::Null)),
        ("no run", with("run_id", Value::Null)),
        ("no end", with("ended_at", Value::Null)),
        ("an end with an offset", with("ended_at", json!("2026-05-30T10:00:00+02:00"))),
        ("an end that has not come", with("ended_at", json!("2026-05-31T12:05:01Z"))),
        ("two times", with("started_at", json!("2026-05-30T09:00:00Z"))),
        ("a negative time", with("seconds", json!(-5))),
        ("a time that is a text", with("seconds", json!("100"))),
        ("an attempt that is none", with("attempt", json!("first"))),
        ("no object", "[1]\n".to_owned()),
    ];
    for (case, history) in table {
        assert_eq!(codes_of(bench(RULES, SEVEN, history)), "error source_unreadable", "{case}");
    }
    let seen = bench(RULES, SEVEN, &with("conclusion", json!("fine"))).run();
    let place = seen.error().and_then(|error| error.location.clone()).expect("a place");
    assert_eq!((place.path.as_str(), place.line), ("lanes.jsonl", 4));
    let torn = lines(&all(&[100.0; 5]));
    let torn = bench(RULES, SEVEN, torn.trim_end_matches(['}', '\n'])).run();
    assert_eq!(torn.outcome, Outcome::Error);
    assert_eq!(codes_of(bench(RULES, SEVEN, "")), "error source_stale", "an empty history");
}

#[test]
fn times_may_be_two_instants() {
    let record = |id: usize, started: &str| {
        let mut one = run(id, "success", 0.0);
        one["seconds"] = Value::Null;
        one["ended_at"] = json!("2026-05-30T10:05:00Z");
        one["started_at"] = json!(started);
        one
    };
    let of = |started: &str| -> Vec<Value> { (1..=5).map(|id| record(id, started)).collect() };
    assert_eq!(codes(RULES, &of("2026-05-30T10:01:01Z")), "");
    assert_eq!(codes(RULES, &of("2026-05-30T10:01:00Z")), "near_budget");
    assert_eq!(codes(RULES, &of("2026-05-30T09:59:59Z")), "over_budget");
    assert_eq!(codes(RULES, &of("2026-05-30T10:05:01Z")), "error source_unreadable");
}

#[test]
fn each_lane_has_to_have_run_lately() {
    let mut records = all(&[100.0; 5]);
    for record in &mut records {
        record["ended_at"] = json!("2026-05-24T12:00:00Z");
    }
    assert_eq!(codes(RULES, &records), "", "seven days to the second");
    for record in &mut records {
        record["ended_at"] = json!("2026-05-24T11:59:59Z");
    }
    // Another lane that ran today does not make this one fresh.
    let mut other = run(9, "success", 1.0);
    other["job"] = json!("lint");
    records.push(other);
    assert_eq!(codes(RULES, &records), "error source_stale");
}

#[test]
fn timeouts_are_compared_with_the_worst_case_and_the_base() {
    let of = |timeout: &str| SEVEN.replace("    timeout-minutes: 7\n", timeout);
    let records = lines(&all(&[100.0; 5]));
    let worst = RULES.replace("budget_minutes = 5", "budget_minutes = 5, worst_case_minutes = 7");
    let matrix = "    strategy: {matrix: {m: [6, 9]}}\n    timeout-minutes: ${{ matrix.m }}\n";
    let table: &[(&str, &str, &str)] = &[
        ("equal", "    timeout-minutes: 7\n", ""),
        ("below", "    timeout-minutes: 6.9\n", "timeout_below_worst_case"),
        ("quoted and below", "    timeout-minutes: \"6\"\n", "timeout_below_worst_case"),
        ("one of a matrix below", matrix, "timeout_below_worst_case"),
        ("none is that of the provider", "", ""),
        ("only the provider knows", "    timeout-minutes: ${{ vars.M }}\n", "not_static"),
    ];
    for (case, timeout, expected) in table {
        assert_eq!(codes_of(bench(&worst, &of(timeout), &records)), *expected, "{case}");
    }
    let table: &[(&str, &str, &str, &str)] = &[
        ("raised", "    timeout-minutes: 7\n", "    timeout-minutes: 7.5\n", "timeout_raised"),
        ("raised in a matrix", "    timeout-minutes: 7\n", matrix, "timeout_raised"),
        ("removed", "    timeout-minutes: 7\n", "", "timeout_raised"),
        (
            "equal in another spelling",
            "    timeout-minutes: 7\n",
            "    timeout-minutes: \"7.0\"\n",
            "",
        ),
        ("lowered", "    timeout-minutes: 7\n", "    timeout-minutes: 6\n", ""),
        ("new", "", "    timeout-minutes: 7\n", ""),
    ];
    for (case, before, after, expected) in table {
        let over = bench(RULES, &of(after), &records)
            .lane(portcullis::Lane::Local)
            .base_file(".github/workflows/ci.yml", of(before).as_bytes());
        assert_eq!(codes_of(over), *expected, "{case}");
    }
    let new_lane = bench(RULES, SEVEN, &records)
        .lane(portcullis::Lane::Local)
        .base_file("README.md", b"no workflow yet");
    assert_eq!(codes_of(new_lane), "");
    let mended = bench(RULES, SEVEN, &records)
        .lane(portcullis::Lane::Local)
        .base_file(".github/workflows/ci.yml", b"on: [\n");
    assert_eq!(codes_of(mended), "", "a base that cannot be read keeps nothing out");
}

#[test]
fn a_called_workflow_has_its_own_lanes() {
    let caller = "on: pull_request\njobs:\n  unit:\n    uses: ./.github/workflows/inner.yml\n";
    let inner = "on: workflow_call\njobs:\n  deep:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 4\n    steps: [{run: a}]\n";
    let mut records = all(&[300.0; 5]);
    for record in &mut records {
        record["job"] = json!("unit/deep");
    }
    let own = RULES.replace(", budget_minutes = 5", "");
    let bench =
        bench(&own, caller, &lines(&records)).file(".github/workflows/inner.yml", inner.as_bytes());
    assert_eq!(codes_of(bench), "over_budget");
}

#[test]
fn a_table_that_holds_nothing_is_refused() {
    let records = all(&[100.0; 5]);
    let table: &[(&str, String)] = &[
        ("no lane", RULES.replace("[{ file = 'ci.yml', job = 'unit', budget_minutes = 5 }]", "[]")),
        ("a lane twice", RULES.replace("5 }]", "5 }, { file = 'ci.yml', job = 'unit' }]")),
        ("a budget of nothing", RULES.replace("= 5", "= 0")),
        ("a worst case of nothing", RULES.replace("= 5", "= 5, worst_case_minutes = 0")),
        ("a warning at nothing", format!("{RULES}warn_at_pct = 0\n")),
        ("a warning beyond the budget", format!("{RULES}warn_at_pct = 101\n")),
        ("no window", format!("{RULES}window = 0\n")),
        ("fewer runs than samples", format!("{RULES}window = 4\n")),
        ("no sample", format!("{RULES}min_samples = 0\n")),
        ("another statistic", format!("{RULES}stat = 'mean'\n")),
        ("a freshness without age", RULES.replace("{ max_age = '7d' }", "{}")),
    ];
    for (case, config) in table {
        assert_eq!(codes(config, &records), "error config_invalid", "{case}");
    }
    let of_one_run = RULES.replace("max_age = '7d'", "max_age = '7d', same_run = true");
    assert_eq!(codes(&of_one_run, &records), "error config_unknown_key");
    let unstated = RULES.replace("freshness = { max_age = '7d' }", "");
    assert_eq!(codes(&unstated, &records), "error freshness_unstated");
}
