//! What holds for every measurement, tried on random ones.

use super::*;
use crate::order::SplitMix64;

/// The severity of the rows 1 to 6.
fn of_rows(decision: &crate::Decision) -> Outcome {
    const ROWS: [&str; 6] = [
        "regression_over_fail",
        "p95_over_cap",
        "regression_proven",
        "fail_suspected",
        "regression_suspected",
        "p95_suspected",
    ];
    let of_rows = decision.reasons.iter().filter(|reason| ROWS.contains(&reason.code));
    of_rows.map(|reason| reason.severity).max().unwrap_or(Outcome::Ok)
}

fn random_pairs(random: &mut SplitMix64, n: u64) -> Vec<(u64, u64)> {
    let slower = random.below(20);
    (0..n).map(|_| (950 + slower * 10 + random.below(100), 950 + random.below(100))).collect()
}

#[test]
fn a_slower_sample_never_lowers_the_severity() {
    let mut random = SplitMix64::new(3);
    let mut seen = [0_usize; 4];
    for round in 0..2_000 {
        let n = 10 + random.below(30);
        let faster = random_pairs(&mut random, n);
        let mut slower = faster.clone();
        let at = usize::try_from(random.below(n)).expect("small");
        slower[at].0 += 1 + random.below(500);
        let mut config = paired_config();
        config.threshold.fail_p95_ns = Some(1_050 + random.below(200));
        let outcome = |pairs: &[(u64, u64)]| {
            let mut measurement = paired_measurement(pairs);
            measurement.order = Order::Unrecorded;
            let admitted = admit(&measurement, &Base::NotNeeded, &config);
            of_rows(&decide(&admitted, &config.threshold, config.lane))
        };
        assert!(outcome(&slower) >= outcome(&faster), "round {round}");
        seen[outcome(&faster) as usize] += 1;
    }
    assert!(seen[..3].iter().all(|count| *count > 100), "{seen:?}");
}

#[test]
fn order_and_scale_change_nothing_and_swapping_inverts() {
    let mut random = SplitMix64::new(4);
    for round in 0..500 {
        let n = 10 + random.below(30);
        let pairs = random_pairs(&mut random, n);
        let admitted = |pairs: &[(u64, u64)]| {
            let mut measurement = paired_measurement(pairs);
            measurement.order = Order::Unrecorded;
            admit(&measurement, &Base::NotNeeded, &paired_config())
        };
        let reasons = |pairs: &[(u64, u64)]| {
            decide(&admitted(pairs), &paired_config().threshold, Lane::Gating).reasons
        };
        let mut rotated = pairs.clone();
        rotated.rotate_left(3);
        rotated.reverse();
        assert_eq!(reasons(&rotated), reasons(&pairs), "round {round}");
        let scaled: Vec<(u64, u64)> =
            pairs.iter().map(|(now, then)| (now * 1_024, then * 1_024)).collect();
        assert_eq!(reasons(&scaled), reasons(&pairs), "round {round}");
        let swapped: Vec<(u64, u64)> = pairs.iter().map(|(now, then)| (*then, *now)).collect();
        let (ours, theirs) = (admitted(&pairs), admitted(&swapped));
        let (ours, theirs) = (ours.evidence[0].interval, theirs.evidence[0].interval);
        assert_eq!(Some(ours.lo), theirs.hi.and_then(Ratio::inverse), "round {round}");
        assert_eq!(ours.hi, theirs.lo.inverse(), "round {round}");
    }
    let mut two = paired("a", &random_pairs(&mut random, 20));
    two.extend(paired("b", &random_pairs(&mut random, 20)));
    let forward = measurement(Order::Blocks { seed: SEED }, two.clone());
    two.reverse();
    let backward = measurement(Order::Blocks { seed: SEED }, two);
    let decided = |measurement: &Measurement| {
        let admitted = admit(measurement, &Base::NotNeeded, &paired_config());
        decide(&admitted, &paired_config().threshold, Lane::Gating)
    };
    assert_eq!(decided(&forward), decided(&backward));
}

#[test]
fn whatever_is_handed_over_something_comes_back() {
    let mut random = SplitMix64::new(9);
    let arms = [Arm::Base, Arm::Candidate, Arm::BaseAgain, Arm::Layout, Arm::Part, Arm::Total];
    let values = [0, 1, 2, 1_000, u64::MAX - 1, u64::MAX];
    let exits = [Exit::Code(0), Exit::Code(0), Exit::Code(0), Exit::Signal(9), Exit::TimeLimit];
    let methods =
        [Method::Paired, Method::TwoSample, Method::Budget, Method::Normalised, Method::Point];
    let alphas = [0.001, 0.0, -1.0, 0.5, 1.0, 7.0, f64::NAN, f64::INFINITY, 1e-300];
    let pick = |random: &mut SplitMix64, n: usize| {
        usize::try_from(random.below(u64::try_from(n).expect("small"))).expect("small")
    };
    for _ in 0..20_000 {
        let mut all = Vec::new();
        for _ in 0..random.below(5) {
            let arm = arms[pick(&mut random, arms.len())];
            let length = [0, 1, 3, 12, 12, 12, 12][pick(&mut random, 7)];
            let samples = (0..length).map(|_| {
                let mut one = sample(values[pick(&mut random, values.len())], 0);
                one.censored = random.below(8) == 0;
                one.exit = exits[pick(&mut random, exits.len())];
                one
            });
            let samples: Vec<Sample> = samples.collect();
            let mut series = series(["a", "b"][pick(&mut random, 2)], arm, samples);
            if random.below(6) == 0 {
                let value = values[pick(&mut random, values.len())];
                series.body = Body::Summary(Summary { value, lower: None, upper: Some(value) });
            }
            all.push(series);
        }
        let order =
            if random.below(2) == 0 { Order::Unrecorded } else { Order::Blocks { seed: 1 } };
        let mut measurement = measurement(order, all);
        if random.below(4) == 0 {
            let planned = u32::try_from(random.below(3)).expect("small");
            measurement.looks = Some(Looks { planned, taken: vec![Look { number: 1, n: 12 }] });
        }
        let threshold = Threshold {
            fail_p95_ns: (random.below(2) == 0).then_some(5),
            ..Threshold::new(
                MilliPct::new(random.next_u64().cast_signed()),
                Some(MilliPct::new(1)),
                false,
            )
        };
        let mut config =
            Config::new(Lane::Gating, methods[pick(&mut random, methods.len())], threshold);
        config.alpha = alphas[pick(&mut random, alphas.len())];
        config.invariants = vec![Invariant {
            left: metric("a"),
            factor: MilliPct::new(random.next_u64().cast_signed()),
            right: metric("b"),
        }];
        let base = match random.below(3) {
            0 => Base::Missing,
            1 => Base::NotNeeded,
            _ => read(reference(&[("a", &[1, u64::MAX, 3]), ("b", &[])])),
        };
        let admitted = admit(&measurement, &base, &config);
        let decision = decide(&admitted, &config.threshold, config.lane);
        assert!(!decision.reasons.is_empty() || decision.examined > 0, "silence about nothing");
    }
}
