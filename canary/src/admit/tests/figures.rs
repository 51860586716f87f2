//! The measured figures: recorded sessions are judged again, and the page says what the evidence says.

use super::*;
use crate::order::{blocks, seed};
use serde_json::Value;

const SESSIONS: &str = include_str!("../../../../evidence/canary_sessions.json");
const PAGE: &str = include_str!("../../../../docs/canary_accuracy.md");
const KEPT: [(&str, &str); 3] = [
    ("alloc_sort", include_str!("../../../../fixtures/canary/sessions/alloc_sort.jsonl")),
    ("alu", include_str!("../../../../fixtures/canary/sessions/alu.jsonl")),
    ("dram", include_str!("../../../../fixtures/canary/sessions/dram.jsonl")),
];

fn document(text: &str) -> Value {
    serde_json::from_str(text).expect("a document")
}

fn rows(of: &Value) -> &Vec<Value> {
    of.as_array().expect("rows")
}

fn number(row: &Value, key: &str) -> u64 {
    row[key].as_u64().unwrap_or_else(|| panic!("`{key}` of {row}"))
}

/// The pairs of a session as the record that was judged when it was measured.
fn record(run_id: &str, pairs: &[(u64, u64)]) -> Measurement {
    let (mut base, mut candidate) = (Vec::new(), Vec::new());
    for (index, ((then, now), first)) in
        pairs.iter().zip(blocks(seed(run_id), pairs.len())).enumerate()
    {
        let (base_at, candidate_at) = first.positions(index);
        base.push(sample(*then, base_at));
        candidate.push(sample(*now, candidate_at));
    }
    let series = vec![series("m", Arm::Base, base), series("m", Arm::Candidate, candidate)];
    let order = Order::Blocks { seed: seed(run_id) };
    Measurement { run_id: run_id.to_owned(), ..measurement(order, series) }
}

#[test]
fn recorded_sessions_get_the_verdicts_that_were_recorded() {
    for (kernel, text) in KEPT {
        let (mut n_silent, mut n_proven) = (0, 0);
        for line in text.lines().map(document) {
            let run_id = line["run_id"].as_str().expect("a run id");
            let pairs: Vec<(u64, u64)> =
                serde_json::from_value(line["pairs"].clone()).expect("pairs");
            let percent = i64::try_from(number(&line, "comment_pct")).expect("a percentage");
            let bar = MilliPct::percent(percent);
            let threshold = Threshold::new(bar, Some(bar), true);
            let config = Config::new(Lane::Gating, Method::Paired, threshold);
            let (_, codes) = judged(&record(run_id, &pairs), &Base::NotNeeded, &config);
            let expected: Vec<&str> =
                rows(&line["codes"]).iter().filter_map(Value::as_str).collect();
            assert_eq!(codes, expected, "{run_id} of {kernel}, {} pairs", pairs.len());
            let is_proven = codes.contains(&"regression_over_fail");
            n_proven += u32::from(is_proven && number(&line, "added_pct") > 0);
            n_silent += u32::from(!is_proven && number(&line, "added_pct") == 0);
        }
        assert!(n_silent >= 10 && n_proven >= 3, "{kernel}: {n_silent}, {n_proven}");
    }
}

/// A line of the page has to stand in it as it is computed here.
fn stands(line: &str) {
    assert!(PAGE.lines().any(|stated| stated == line), "the page does not say:\n{line}");
}

fn by_percent(counts: &Value, percent: &[&str]) -> String {
    let at = |percent: &&str| number(counts, &format!("{percent} %")).to_string();
    percent.iter().map(at).collect::<Vec<_>>().join(" / ")
}

#[test]
fn the_page_states_the_sessions_that_were_measured() {
    let document = document(SESSIONS);
    let kernels = document["kernels"].as_object().expect("kernels");
    assert_eq!(kernels.len(), KEPT.len());
    for (kernel, row) in kernels {
        let unchanged = &row["unchanged"];
        let (runs, histories) = (&unchanged["runs_of_40"], &unchanged["histories_of_50"]);
        stands(&format!(
            "| `{kernel}` | {} | {} and {} | {} | {} of {} | {} of {} | {} of {} |",
            number(unchanged, "sessions"),
            number(unchanged, "alarms"),
            number(unchanged, "alarms_with_the_arms_swapped"),
            by_percent(&unchanged["median_of_5_alarms"], &["002", "005", "010", "025"]),
            by_percent(
                &unchanged["median_of_5_apart"]["alarms"],
                &["005", "010", "025", "050", "100"]
            ),
            number(&unchanged["median_of_5_apart"], "evaluations"),
            number(runs, "runs_with_an_alarm"),
            number(runs, "runs"),
            number(histories, "with_a_confirmed_step"),
            number(histories, "histories"),
        ));
        for added in rows(&row["added"]) {
            stands(&format!(
                "| `{kernel}` | +{} % | {} | {} of {} | {} of {} |",
                number(added, "added_pct"),
                number(added, "pairs"),
                number(added, "alarms"),
                number(added, "sessions"),
                number(&added["median_of_5_alarms"], "002 %"),
                number(added, "sessions"),
            ));
        }
    }
}

/// What was reached. What was not stands in the page as such, and a better figure has to take it from there.
#[test]
fn the_measured_sessions_meet_the_goals_that_the_page_says_are_met() {
    let document = document(SESSIONS);
    for (kernel, row) in document["kernels"].as_object().expect("kernels") {
        let unchanged = &row["unchanged"];
        assert!(number(unchanged, "sessions") >= 30_000, "{kernel}");
        for key in ["alarms", "alarms_with_the_arms_swapped"] {
            assert!(number(unchanged, key) * 1_000 < number(unchanged, "sessions"), "{kernel}");
        }
        let simple = number(&unchanged["median_of_5_alarms"], "005 %");
        assert!(simple > 0, "{kernel}: without noise this proves nothing");
    }
}

#[test]
fn the_page_states_what_the_other_tools_said_of_the_same_binaries() {
    let document = document(include_str!("../../../../evidence/canary_peers.json"));
    let tools = document["versions"].as_object().expect("versions");
    assert!(tools.len() >= 3 && tools.contains_key("portcullis"), "{tools:?}");
    for tool in tools.keys() {
        let of = |added_pct: u64| {
            let mut found = rows(&document["rows"]).iter().filter(|row| {
                row["tool"] == tool.as_str() && number(row, "added_pct") == added_pct
            });
            let row = found.next().expect("a row for each amount of work");
            let answers = ["called_slower", "silent", "no_answer"];
            let n_answers: u64 = answers.iter().map(|key| number(row, key)).sum();
            assert_eq!(n_answers, number(row, "sessions"), "{row}");
            row
        };
        let (same, five, ten) = (of(0), of(5), of(10));
        stands(&format!(
            "| {tool} | {} | {} | {} | {} | {} / {} / {} |",
            number(same, "sessions"),
            number(same, "called_slower"),
            number(five, "silent"),
            number(ten, "silent"),
            number(same, "no_answer"),
            number(five, "no_answer"),
            number(ten, "no_answer"),
        ));
    }
}
