use super::*;
use crate::{order::SplitMix64, stats::elementary::exp};

fn points(values: impl IntoIterator<Item = u64>) -> Vec<Point> {
    values.into_iter().map(|value| Point { value, mde: MilliPct::new(0) }).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a duration")]
fn noisy(random: &mut SplitMix64, level: f64, cv: f64) -> u64 {
    (level * exp(cv * random.normal())) as u64
}

#[test]
fn the_threshold_is_that_of_the_table_and_linear_in_between() {
    for (n, expected) in THRESHOLDS {
        assert_eq!(threshold(n), Some(expected), "{n}");
    }
    for (n, expected) in
        [(0, None), (11, None), (25, Some(5.14)), (35, Some(5.02)), (500, Some(4.92))]
    {
        let close = match (threshold(n), expected) {
            (Some(seen), Some(expected)) => (seen - expected).abs() < 1e-9,
            (seen, expected) => seen == expected,
        };
        assert!(close, "{n}: {:?}", threshold(n));
    }
}

/// The largest T of a series without a step, each value leaning by `rho` on the one before.
fn largest_of_none(random: &mut SplitMix64, n: usize, rho: f64) -> f64 {
    let innovation = (1.0 - rho * rho).sqrt();
    let mut value = random.normal();
    let logs: Vec<f64> = (0..n)
        .map(|_| {
            value = rho * value + innovation * random.normal();
            value
        })
        .collect();
    largest(&logs).expect("long enough").1
}

#[test]
fn the_table_is_the_99th_percentile_of_a_series_that_follows_itself_by_0_3() {
    let mut random = SplitMix64::new(20_260);
    for (n, series) in [(12, 250_000), (20, 150_000), (50, 80_000), (100, 60_000)] {
        let mut largest: Vec<f64> =
            (0..series).map(|_| largest_of_none(&mut random, n, 0.3)).collect();
        let rank = series / 100 * 99;
        let (_, quantile, _) = largest.select_nth_unstable_by(rank, f64::total_cmp);
        let stated = threshold(n).expect("a threshold");
        assert!((*quantile - stated).abs() < 0.05, "h({n}) = {quantile}, stated {stated}");
    }
}

#[test]
fn a_clean_step_is_confirmed_where_it_is() {
    type Row = (&'static str, Vec<u64>, Vec<usize>);
    let level = |value: u64, n: usize| vec![value; n];
    let table: [Row; 7] = [
        ("none", level(1_000, 30), vec![]),
        ("up at the tenth", [level(1_000, 10), level(1_100, 10)].concat(), vec![10]),
        ("down at the third", [level(1_000, 3), level(900, 12)].concat(), vec![3]),
        ("two points are not enough", [level(1_000, 13), level(1_100, 2)].concat(), vec![]),
        ("too short", [level(1_000, 6), level(1_100, 5)].concat(), vec![]),
        ("twice", [level(1_000, 15), level(1_100, 15), level(1_300, 15)].concat(), vec![15, 30]),
        ("one percent and a half", [level(1_000, 10), level(1_015, 10)].concat(), vec![]),
    ];
    for (case, values, expected) in table {
        let found = changes(&points(values.clone()));
        let at: Vec<usize> = found.confirmed.iter().map(|step| step.at).collect();
        assert_eq!(at, expected, "{case}");
        assert!(found.confirmed.iter().all(|step| step.statistic >= step.threshold), "{case}");
        assert_eq!(found.examined, values.len(), "{case}");
    }
}

#[test]
fn a_step_below_what_could_have_been_proven_is_not_confirmed() {
    let values = [vec![1_000; 10], vec![1_100; 10]].concat();
    for (mde, expected) in [(9_999, 1), (10_001, 0)] {
        let points: Vec<Point> =
            values.iter().map(|value| Point { value: *value, mde: MilliPct::new(mde) }).collect();
        assert_eq!(changes(&points).confirmed.len(), expected, "{mde}");
    }
}

#[test]
fn the_smallest_place_wins_a_tie() {
    // Symmetric: a step up at 4 and down at 12 are equally large.
    let logs: Vec<f64> =
        [[0.0, 0.1].repeat(2), [1.0, 1.1].repeat(4), [0.0, 0.1].repeat(2)].concat();
    let mirrored: Vec<f64> = logs.iter().rev().copied().collect();
    let (at, ..) = largest(&logs).expect("long enough");
    let (mirrored_at, ..) = largest(&mirrored).expect("long enough");
    assert_eq!((at, mirrored_at), (4, 4));
}

#[test]
fn the_newest_points_may_be_suspected() {
    let before: Vec<u64> = (0..20).map(|i| 1_000 + i % 5).collect();
    let table: [(&str, &[u64], bool); 6] = [
        ("nothing new", &[], false),
        ("one point 10 % up", &[1_100], true),
        ("two points 10 % up", &[1_100, 1_110], true),
        ("one up, one back", &[1_100, 1_002], false),
        ("one percent", &[1_010], false),
        ("one point down", &[900], true),
    ];
    for (case, newest, expected) in table {
        let found = changes(&points(before.iter().chain(newest).copied()));
        // Two of them with one of the old are three, and may already be confirmed.
        let is_found = found.suspected.is_some() || !found.confirmed.is_empty();
        assert_eq!(is_found, expected, "{case}");
        assert_eq!(found.suspected.is_some(), expected && newest.len() == 1, "{case}");
    }
    let noisy: Vec<u64> = (0..20).map(|i| 1_000 + i % 5 * 50).collect();
    let found = changes(&points(noisy.into_iter().chain([1_200])));
    assert_eq!(found.suspected, None, "within four deviations");
}

#[test]
fn a_series_that_follows_itself_confirms_nothing() {
    let ramp: Vec<u64> = (0..60).map(|i| 1_000 + i * 10).collect();
    let found = changes(&points(ramp));
    assert!(found.is_autocorrelated && found.confirmed.is_empty() && !found.doubtful.is_empty());
}

#[test]
fn only_the_newest_200_count_and_a_zero_shows_nothing() {
    let old = [vec![1_000; 100], vec![2_000; 100], vec![4_000; 100]].concat();
    let found = changes(&points(old));
    assert_eq!(found.confirmed.iter().map(|step| step.at).collect::<Vec<_>>(), [200]);
    assert_eq!(found.examined, 200);
    let found = changes(&points([vec![1_000; 20], vec![0], vec![2_000; 20]].concat()));
    assert_eq!(found, Changes::default());
    assert_eq!(changes(&[]), Changes::default());
}

#[test]
fn a_tenth_more_is_confirmed_at_its_third_point() {
    let mut random = SplitMix64::new(15);
    for n in [30, 60] {
        let mut confirmed = 0;
        for _ in 0..1_000 {
            let values = (0..n).map(|i| {
                let level = if i < n - 3 { 1e9 } else { 1.1e9 };
                noisy(&mut random, level, 0.02)
            });
            let found = changes(&points(values.collect::<Vec<u64>>()));
            confirmed += u32::from(found.confirmed.iter().any(|step| step.at == n - 3));
        }
        assert!(confirmed >= 950, "N = {n}: {confirmed} of 1000");
    }
}

#[test]
fn a_series_without_a_step_is_confirmed_less_than_once_in_a_hundred() {
    let mut random = SplitMix64::new(16);
    for n in [20, 50, 100] {
        let mut false_alarms = 0;
        for _ in 0..2_000 {
            let values = (0..n).map(|_| noisy(&mut random, 1e9, 0.05));
            let found = changes(&points(values.collect::<Vec<u64>>()));
            false_alarms += u32::from(!found.confirmed.is_empty());
        }
        assert!(false_alarms <= 30, "N = {n}: {false_alarms} of 2000");
    }
}
