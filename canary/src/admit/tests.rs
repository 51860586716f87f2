mod bases;
mod disturbed;
mod figures;
mod laws;
mod recorded;
mod spoiled;

use super::*;
use crate::{
    Arm, Body, Comparability, Exit, Kernel, Lane, Look, Method, MilliPct, Order, Outcome,
    Provenance, Ratio, Reference, Sample, Summary, Threshold, Unit, Work, WorkDigest, decide,
    specimen::{
        SEED, WORK, calibration, measurement, metric, one_arm, paired, paired_measurement,
        reference, sample, series,
    },
};

/// Pairs whose candidate is slower by about this many percent, with a noise of a few tenths.
fn pairs(n: u64, percent: u64) -> Vec<(u64, u64)> {
    (0..n).map(|i| (1_000 * (100 + percent) + i * 37 % 300, 100_000 + i * 53 % 300)).collect()
}

fn paired_config() -> Config {
    let threshold = Threshold::new(MilliPct::percent(2), Some(MilliPct::percent(10)), true);
    Config::new(Lane::Gating, Method::Paired, threshold)
}

fn suite_config(lane: Lane) -> Config {
    let fail = lane.is_gating().then_some(MilliPct::percent(100));
    let threshold = Threshold::new(MilliPct::percent(50), fail, false);
    Config::new(lane, Method::TwoSample, threshold)
}

fn budget_config() -> Config {
    let threshold = Threshold::new(MilliPct::percent(10), None, false);
    let target = Some(MilliPct::percent(5));
    Config { target, ..Config::new(Lane::Advisory, Method::Budget, threshold) }
}

fn judged(measurement: &Measurement, base: &Base, config: &Config) -> (Outcome, Vec<&'static str>) {
    let decision = decide(&admit(measurement, base, config), &config.threshold, config.lane);
    (decision.outcome, decision.reasons.iter().map(|reason| reason.code).collect())
}

fn read(reference: Reference) -> Base {
    Base::Read(Box::new(reference))
}

fn samples_of(measurement: &mut Measurement, arm: Arm) -> &mut Vec<Sample> {
    let found = measurement.series.iter_mut().find(|series| series.arm == arm);
    match &mut found.expect("an arm").body {
        Body::Samples(samples) => samples,
        Body::Summary(_) => panic!("a summary"),
    }
}

#[test]
fn equal_arms_are_ok_and_a_regression_fails() {
    let table = [
        ("equal", 0, Outcome::Ok, vec![]),
        ("more than the comment", 5, Outcome::CommentOnly, vec!["regression_proven"]),
        (
            "more than the failure",
            20,
            Outcome::Fail,
            vec!["regression_over_fail", "regression_proven"],
        ),
    ];
    for (case, percent, outcome, codes) in table {
        let measurement = paired_measurement(&pairs(30, percent));
        let seen = judged(&measurement, &Base::NotNeeded, &paired_config());
        assert_eq!(seen, (outcome, codes), "{case}");
    }
    let admitted = admit(&paired_measurement(&pairs(30, 0)), &Base::NotNeeded, &paired_config());
    let evidence = &admitted.evidence[0];
    assert_eq!((evidence.n, evidence.method, evidence.alpha), (30, Method::Paired, 0.001));
    assert!(evidence.mde > MilliPct::percent(2) && evidence.mde < MilliPct::percent(3));
}

#[test]
fn other_work_is_told_and_not_refused() {
    let mut measurement = paired_measurement(&pairs(30, 0));
    let work = Work { digest: WorkDigest::new([2; 32]), ..WORK };
    samples_of(&mut measurement, Arm::Candidate).iter_mut().for_each(|sample| sample.work = work);
    let seen = judged(&measurement, &Base::NotNeeded, &paired_config());
    assert_eq!(seen, (Outcome::CommentOnly, vec!["work_changed"]));
}

#[test]
fn t05_a_tenth_of_the_time_is_suspicious() {
    let pairs: Vec<(u64, u64)> =
        pairs(30, 0).into_iter().map(|(now, then)| (now * 11 / 100, then)).collect();
    let mut config = paired_config();
    config.threshold.floor = Some(MilliPct::percent(-80));
    let seen = judged(&paired_measurement(&pairs), &Base::NotNeeded, &config);
    assert_eq!(seen, (Outcome::CommentOnly, vec!["suspicious_improvement"]));
    config.abs_min = Some(20_000);
    let seen = judged(&paired_measurement(&pairs), &Base::NotNeeded, &config);
    assert_eq!(seen, (Outcome::Invalid, vec!["implausibly_fast"]));
}

#[test]
fn t06_warm_slower_than_cold_is_broken_or_suspected() {
    let cold: Vec<u64> = (0..17).map(|i| 1_000 + i).collect();
    let relation =
        Invariant { left: metric("warm"), factor: MilliPct::percent(110), right: metric("cold") };
    for (warm, expected) in [
        (1_000, None),
        // The point of the colder one is 1008, its tenth more 1108.8.
        (1_110, Some((Outcome::CommentOnly, "invariant_suspected"))),
        (1_300, Some((Outcome::Invalid, "invariant_broken"))),
    ] {
        let spread: Vec<u64> =
            (0..17).map(|i| if warm == 1_110 { 1_030 + i * 10 } else { warm + i }).collect();
        let base = read(reference(&[("cold", &cold), ("warm", &spread)]));
        let measurement = measurement(
            Order::OneArm,
            vec![one_arm("cold", cold.clone()), one_arm("warm", spread.clone())],
        );
        let mut config = suite_config(Lane::Advisory);
        config.invariants = vec![relation.clone()];
        let (outcome, codes) = judged(&measurement, &base, &config);
        match expected {
            Some((worst, code)) => assert_eq!((outcome, codes), (worst, vec![code]), "{warm}"),
            None => assert_eq!((outcome, codes), (Outcome::Ok, vec![]), "{warm}"),
        }
    }
    let base = read(reference(&[("cold", &cold)]));
    let mut config = suite_config(Lane::Gating);
    config.invariants = vec![relation];
    let only_cold = measurement(Order::OneArm, vec![one_arm("cold", cold.clone())]);
    assert_eq!(judged(&only_cold, &base, &config), (Outcome::Fail, vec!["metric_missing"]));
}

#[test]
fn too_few_pairs_for_any_bound_are_below_the_minimum() {
    for (n, expected) in [(9, Outcome::Invalid), (10, Outcome::Ok)] {
        let measurement = paired_measurement(&pairs(n, 0));
        let (outcome, codes) = judged(&measurement, &Base::NotNeeded, &paired_config());
        assert_eq!(outcome, expected, "n = {n}: {codes:?}");
    }
    let mut config = paired_config();
    config.minimum = 31;
    let seen = judged(&paired_measurement(&pairs(30, 0)), &Base::NotNeeded, &config);
    assert_eq!(seen, (Outcome::Invalid, vec!["samples_below_minimum"]));
}

#[test]
fn a_budget_is_a_share_of_the_same_run() {
    let run = |part: u64| {
        let of = |arm, value: u64| {
            series("share", arm, (0..17).map(|i| sample(value + i % 3, 0)).collect())
        };
        measurement(Order::OneArm, vec![of(Arm::Part, part), of(Arm::Total, 1_000_000)])
    };
    let table = [
        (40_000, Outcome::Ok, vec![], false),
        (60_000, Outcome::Ok, vec![], true),
        (110_000, Outcome::CommentOnly, vec!["regression_proven"], false),
        (0, Outcome::Invalid, vec!["value_not_positive"], false),
        (1_000_000, Outcome::Invalid, vec!["value_not_positive"], false),
    ];
    for (part, outcome, codes, is_above_target) in table {
        let seen = judged(&run(part), &Base::NotNeeded, &budget_config());
        assert_eq!(seen, (outcome, codes), "{part}");
        let admitted = admit(&run(part), &Base::NotNeeded, &budget_config());
        let labels = admitted.evidence.iter().flat_map(|evidence| &evidence.labels);
        let is_labelled = labels.into_iter().any(|label| *label == Label::AboveTarget);
        assert_eq!(is_labelled, is_above_target, "{part}");
    }
    let mut lone = run(40_000);
    lone.series.pop();
    assert_eq!(judged(&lone, &Base::NotNeeded, &budget_config()).1, ["measurement_missing"]);
    let as_change = judged(&run(40_000), &Base::NotNeeded, &suite_config(Lane::Advisory));
    assert_eq!(as_change, (Outcome::Invalid, vec!["unknown_shape"]));
}

#[test]
fn t24_a_run_that_its_limit_ended_fails_the_cap_and_opens_the_upper_bound() {
    let runs: Vec<u64> = (0..17).map(|i| 1_000 + i).collect();
    let mut slow = one_arm("m", runs.iter().map(|value| value + 500));
    if let Body::Samples(samples) = &mut slow.body {
        for stopped in samples.iter_mut().take(6) {
            (stopped.value, stopped.censored, stopped.exit) = (9_000, true, Exit::TimeLimit);
            stopped.proof.clear();
        }
    }
    let mut config = suite_config(Lane::Gating);
    config.threshold.fail_p95_ns = Some(8_000);
    let measurement = measurement(Order::OneArm, vec![slow]);
    let admitted = admit(&measurement, &read(reference(&[("m", &runs)])), &config);
    assert_eq!(admitted.faults, []);
    assert_eq!(admitted.evidence[0].interval.hi, None);
    let decision = decide(&admitted, &config.threshold, config.lane);
    assert_eq!(decision.outcome, Outcome::Fail);
    assert_eq!(decision.reasons[0].code, "p95_over_cap");
}

#[test]
fn a_cap_takes_half_of_the_level_and_may_be_pooled() {
    let runs: Vec<u64> = (0..17).map(|i| 1_000 + i).collect();
    let names = ["a/cold", "b/cold", "c/cold", "d/cold", "e/cold", "a/warm"];
    let series = names.iter().map(|name| one_arm(name, runs.clone())).collect();
    let base: Vec<(&str, &[u64])> = names.iter().map(|name| (*name, runs.as_slice())).collect();
    let (measurement, base) = (measurement(Order::OneArm, series), read(reference(&base)));
    let mut config = suite_config(Lane::Gating);
    config.threshold.fail_p95_ns = Some(10_000);
    config.p95_over = P95Over::Pooled("*/cold".to_owned());
    let admitted = admit(&measurement, &base, &config);
    assert!((admitted.evidence[0].alpha - 0.005 / 6.0).abs() < 1e-12);
    // Of 85 pooled runs the 75th bounds the percentile at .005: the 15th value five times over.
    let pooled: Vec<Option<u64>> =
        admitted.evidence.iter().map(|evidence| evidence.p95.map(|p95| p95.lower)).collect();
    assert_eq!(pooled, [Some(1_014), None, Some(1_014), Some(1_014), Some(1_014), Some(1_014)]);
    config.p95_over = P95Over::Pooled("nothing".to_owned());
    let seen = judged(&measurement, &base, &config);
    assert_eq!(seen, (Outcome::Invalid, vec!["measurement_missing"]));
}

#[test]
fn looks_and_metrics_share_the_level() {
    let mut series = paired("a", &pairs(40, 0));
    series.extend(paired("b", &pairs(40, 0)));
    let mut measurement = measurement(Order::Blocks { seed: SEED }, series);
    measurement.looks = Some(Looks { planned: 2, taken: vec![Look { number: 1, n: 40 }] });
    let admitted = admit(&measurement, &Base::NotNeeded, &paired_config());
    assert_eq!(admitted.faults, []);
    assert!(admitted.evidence.iter().all(|evidence| (evidence.alpha - 0.000_25).abs() < 1e-15));
}

#[test]
fn t34_what_one_metric_proves_forty_do_not() {
    // Of 30 pairs, 25 are slower: enough at .001 for one metric, not for one of forty.
    let mixed: Vec<(u64, u64)> =
        (0..30).map(|i| (if i < 6 { 1_000 } else { 1_100 }, 1_000)).collect();
    let with = |n_others: u32| {
        let mut series = paired("slow", &mixed);
        for index in 0..n_others {
            series.extend(paired(&format!("m{index}"), &pairs(30, 0)));
        }
        let measurement = measurement(Order::Unrecorded, series);
        judged(&measurement, &Base::NotNeeded, &paired_config()).1
    };
    assert!(with(0).contains(&"regression_proven"));
    let of_forty = with(39);
    assert!(!of_forty.contains(&"regression_proven") && of_forty.contains(&"regression_suspected"));
}
