//! Recorded noise, replayed: one program against itself on a busy machine.

use super::*;

const RECORDINGS: [(&str, &str); 3] = [
    ("alu", include_str!("../../../../fixtures/canary/noise/alu.csv")),
    ("alloc_sort", include_str!("../../../../fixtures/canary/noise/alloc_sort.csv")),
    ("spawn", include_str!("../../../../fixtures/canary/noise/spawn.csv")),
];

/// The pairs as candidate and base.
fn recorded(text: &str) -> Vec<(u64, u64)> {
    let pairs = text.lines().skip(1).map(|line| {
        let (base, candidate) = line.split_once(',').expect("a pair");
        (candidate.parse().expect("a number"), base.parse().expect("a number"))
    });
    let pairs: Vec<(u64, u64)> = pairs.collect();
    assert_eq!(pairs.len(), 2_000);
    pairs
}

fn fails(pairs: &[(u64, u64)], percent: i64) -> bool {
    let mut measurement = paired_measurement(pairs);
    measurement.order = Order::Unrecorded;
    let mut config = paired_config();
    config.threshold.fail = Some(MilliPct::percent(percent));
    judged(&measurement, &Base::NotNeeded, &config).1.contains(&"regression_over_fail")
}

/// The reference rule on medians of five.
fn simple_rule_fails(pairs: &[(u64, u64)], percent: u64) -> bool {
    let median = |side: fn(&(u64, u64)) -> u64| {
        let mut values: Vec<u64> = pairs.iter().map(side).collect();
        values.sort_unstable();
        values[values.len() / 2]
    };
    median(|pair| pair.0) * 100 >= median(|pair| pair.1) * (100 + percent)
}

#[test]
fn recorded_noise_never_fails_where_the_simple_rule_does() {
    let mut n_simple = 0;
    for (kernel, text) in RECORDINGS {
        let pairs = recorded(text);
        let swapped: Vec<(u64, u64)> = pairs.iter().map(|(now, then)| (*then, *now)).collect();
        for direction in [&pairs, &swapped] {
            for (index, window) in direction.windows(30).enumerate().step_by(5) {
                assert!(!fails(window, 5), "{kernel} at {index}");
            }
            n_simple += direction.windows(5).filter(|five| simple_rule_fails(five, 5)).count();
        }
    }
    assert!(n_simple > 0, "without noise this proves nothing");
}

#[test]
fn a_real_slowdown_is_proven_through_the_same_noise() {
    for (kernel, text) in RECORDINGS {
        let slower: Vec<(u64, u64)> =
            recorded(text).into_iter().map(|(now, then)| (now * 120 / 100, then)).collect();
        let n_found = slower.chunks(200).filter(|window| fails(window, 5)).count();
        assert!(n_found >= 9, "{kernel}: {n_found} of 10");
    }
}

/// The document that the accuracy program wrote, held against the goals it was written for.
#[test]
fn the_measured_figures_meet_their_goals() {
    let text = include_str!("../../../../evidence/canary_accuracy.json");
    let document: serde_json::Value = serde_json::from_str(text).expect("a document");
    assert_eq!(document["schema"], "portcullis.canary_accuracy.v1");
    let rows = |section: &str| document[section].as_array().expect("a section").clone();
    let number = |row: &serde_json::Value, key: &str| row[key].as_f64().expect("a number");
    for row in rows("run_level") {
        assert!(number(&row, "runs_failed") < number(&row, "runs") * 0.001, "{row}");
        let metrics = number(&row, "runs") * number(&row, "metrics_per_run");
        assert!(number(&row, "metrics_proven") < metrics * 0.001, "{row}");
    }
    for row in rows("change_points") {
        let share = number(&row, "confirmed_without_a_step") / number(&row, "series");
        assert!(share <= 0.015, "{row}");
        let found = number(&row, "confirmed_10_pct_at_third_point_cv_2") / number(&row, "series");
        assert!(row["noise"] != "normal" || number(&row, "n") < 30.0 || found >= 0.95, "{row}");
    }
    for row in rows("thresholds") {
        assert!((number(&row, "simulated") - number(&row, "stated")).abs() < 0.05, "{row}");
    }
    let simple: f64 = rows("compatibility")
        .iter()
        .map(|row| {
            assert_eq!(number(row, "ours_false_fails"), 0.0, "{row}");
            number(row, "median_of_5_false_fails")
        })
        .sum();
    assert!(simple > 0.0, "without noise this proves nothing");
    let holm = &document["holm"];
    assert!(number(holm, "runs_with_an_alarm") <= number(holm, "runs") * 0.05);
    assert!(number(&document["speed"], "cpu_ms") < 1_000.0);
}
