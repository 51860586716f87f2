//! A measurement that disagrees with itself: the machine, the order, the base against itself, the layout.

use super::*;

#[test]
fn a_twentieth_of_the_time_may_be_stolen() {
    let mut measurement = paired_measurement(&pairs(30, 0));
    measurement.noise.steal = Some(MilliPct::percent(5));
    assert_eq!(judged(&measurement, &Base::NotNeeded, &paired_config()), (Outcome::Ok, vec![]));
}

#[test]
fn t39_either_sign_of_a_moving_layout_is_enough() {
    // All pairs by 2.01 %, whose logarithm is below 2 %; then 16 of 30 by 4 %, which proves nothing.
    for (moved, floor_is_below, n_moved) in [(102_010, true, 30), (104_000, false, 16)] {
        let mut measurement = paired_measurement(&pairs(30, 0));
        let base = samples_of(&mut measurement, Arm::Base).clone();
        let padded = base.into_iter().enumerate().map(|(index, mut sample)| {
            sample.value =
                if index < n_moved { sample.value * moved / 100_000 } else { sample.value };
            sample
        });
        measurement.series.push(series("m", Arm::Layout, padded.collect()));
        let admitted = admit(&measurement, &Base::NotNeeded, &paired_config());
        let evidence = &admitted.evidence[0];
        let floor = evidence.layout_floor.expect("a floor");
        assert_eq!(floor <= MilliPct::percent(2), floor_is_below, "{floor}");
        assert!(evidence.labels.contains(&Label::LayoutSensitive), "{floor}");
    }
}

#[test]
fn t37_base_first_throughout_is_not_the_order_of_the_seed() {
    let mut measurement = paired_measurement(&pairs(30, 0));
    for (arm, position) in [(Arm::Base, 0), (Arm::Candidate, 1)] {
        for (index, sample) in samples_of(&mut measurement, arm).iter_mut().enumerate() {
            sample.position = if index % 2 == 0 { position } else { position + 2 };
        }
    }
    let seen = judged(&measurement, &Base::NotNeeded, &paired_config());
    assert_eq!(seen, (Outcome::Invalid, vec!["unknown_shape"]));
    let mut chosen = paired_measurement(&pairs(30, 0));
    chosen.run_id.push('2');
    let seen = judged(&chosen, &Base::NotNeeded, &paired_config());
    assert_eq!(seen, (Outcome::Invalid, vec!["unknown_shape"]), "another run's order");
    measurement.order = Order::OneArm;
    let seen = judged(&measurement, &Base::NotNeeded, &paired_config());
    assert_eq!(seen, (Outcome::Invalid, vec!["unknown_shape"]));
    measurement.order = Order::Unrecorded;
    let admitted = admit(&measurement, &Base::NotNeeded, &paired_config());
    assert_eq!(admitted.evidence[0].labels, [Label::OrderUnrecorded]);
}

#[test]
fn an_advantage_of_the_second_position_is_noise() {
    let mut measurement = paired_measurement(&pairs(30, 0));
    for arm in [Arm::Base, Arm::Candidate] {
        for sample in samples_of(&mut measurement, arm) {
            if sample.position % 2 == 1 {
                sample.value = sample.value * 104 / 100;
            }
        }
    }
    let (outcome, codes) = judged(&measurement, &Base::NotNeeded, &paired_config());
    assert!(outcome == Outcome::Invalid && codes.contains(&"noisy_run"), "{codes:?}");
}

#[test]
fn a_base_that_differs_from_itself_is_noise() {
    for (percent, expected) in [(0, false), (4, true)] {
        let mut measurement = paired_measurement(&pairs(30, 0));
        let again = samples_of(&mut measurement, Arm::Base).clone();
        let again = again.into_iter().map(|mut sample| {
            sample.value = sample.value * (100 + percent) / 100;
            sample
        });
        measurement.series.push(series("m", Arm::BaseAgain, again.collect()));
        let (_, codes) = judged(&measurement, &Base::NotNeeded, &paired_config());
        assert_eq!(codes.contains(&"noisy_run"), expected, "{percent}");
        // Swapped, it is as bad.
        for series in &mut measurement.series {
            series.arm = match series.arm {
                Arm::Base => Arm::BaseAgain,
                Arm::BaseAgain => Arm::Base,
                arm @ (Arm::Candidate | Arm::Layout | Arm::Part | Arm::Total) => arm,
            };
        }
        let (_, codes) = judged(&measurement, &Base::NotNeeded, &paired_config());
        assert_eq!(codes.contains(&"noisy_run"), expected, "{percent}, the other way round");
        samples_of(&mut measurement, Arm::BaseAgain).pop();
        let (_, codes) = judged(&measurement, &Base::NotNeeded, &paired_config());
        assert!(codes.contains(&"unknown_shape"), "{codes:?}");
    }
}

#[test]
fn odd_runs_against_even_ones_are_the_control_of_a_single_arm() {
    let runs = |odd: u64| (0..40).map(move |i| if i % 2 == 1 { odd } else { 1_000 } + i);
    for (odd, expected) in [(1_000, false), (1_700, true)] {
        let values: Vec<u64> = runs(odd).collect();
        let base = read(reference(&[("m", &values)]));
        let measurement = measurement(Order::OneArm, vec![one_arm("m", values)]);
        let (_, codes) = judged(&measurement, &base, &suite_config(Lane::Gating));
        assert_eq!(codes.contains(&"noisy_run"), expected, "{odd}");
    }
}

#[test]
fn t39_a_layout_that_moves_more_than_the_comment_is_sensitive() {
    for (percent, floor, is_sensitive) in [(0, 0, false), (1, 990, false), (4, 3_920, true)] {
        let mut measurement = paired_measurement(&pairs(30, 20));
        let base = samples_of(&mut measurement, Arm::Base).clone();
        let padded = base.into_iter().map(|mut sample| {
            sample.value = sample.value * (100 + percent) / 100;
            sample
        });
        measurement.series.push(series("m", Arm::Layout, padded.collect()));
        let admitted = admit(&measurement, &Base::NotNeeded, &paired_config());
        let evidence = &admitted.evidence[0];
        let seen = evidence.layout_floor.expect("a floor").get();
        assert!((floor..floor + 10).contains(&seen), "{percent}: {seen}");
        assert_eq!(evidence.labels.contains(&Label::LayoutSensitive), is_sensitive, "{percent}");
        let decision = decide(&admitted, &paired_config().threshold, Lane::Gating);
        let expected = if is_sensitive { Outcome::CommentOnly } else { Outcome::Fail };
        assert_eq!(decision.outcome, expected, "{percent}");
    }
}

#[test]
fn affinity_may_be_demanded() {
    let mut config = paired_config();
    config.affinity_required = true;
    for (emulation, expected) in [
        (crate::Emulation::Pinned, Outcome::Ok),
        (crate::Emulation::BeliefOnly, Outcome::Invalid),
        (crate::Emulation::None, Outcome::Invalid),
    ] {
        let mut measurement = paired_measurement(&pairs(30, 0));
        measurement.host.emulation = emulation;
        assert_eq!(judged(&measurement, &Base::NotNeeded, &config).0, expected, "{emulation:?}");
    }
}
