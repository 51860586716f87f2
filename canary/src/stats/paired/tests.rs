use super::*;
use crate::{Exit, MilliPct, Work, order::SplitMix64};

fn sample(value: u64, censored: bool) -> Sample {
    let (exit, proof, work) = (Exit::Code(0), Vec::new(), Work::UNSTATED);
    Sample { value, censored, exit, proof, position: 0, work }
}

fn paired(pairs: &[(u64, u64)]) -> Paired {
    let over: Vec<Sample> = pairs.iter().map(|(over, _)| sample(*over, false)).collect();
    let under: Vec<Sample> = pairs.iter().map(|(_, under)| sample(*under, false)).collect();
    Paired::new(&over, &under).expect("pairs")
}

fn parts(interval: Interval) -> (u64, u64, Option<u64>) {
    (interval.lo.parts().0, interval.point.parts().0, interval.hi.map(|hi| hi.parts().0))
}

#[test]
fn the_bounds_are_the_kth_from_either_end() {
    let pairs: Vec<(u64, u64)> = (0..10).map(|i| (100 + (i * 7) % 10, 100)).collect();
    let interval = paired(&pairs).interval(&Binomial::half(10), 0.05).expect("an interval");
    assert_eq!(parts(interval), (101, 105, Some(108)), "k(10, .05) = 2, point r_(6)");
    assert!(paired(&pairs[..9]).interval(&Binomial::half(9), 0.001).is_none(), "2^-9 > .001");
}

#[test]
fn ratios_that_floats_confuse_are_sorted_exactly() {
    let big = u64::MAX;
    let pairs = [(big, big - 1), (big - 1, big - 1), (big - 1, big), (big - 2, big - 1), (1, 1)];
    let sorted = paired(&pairs).low;
    assert!(sorted.is_sorted());
    assert_eq!(sorted.first().map(|ratio| ratio.parts()), Some((big - 2, big - 1)));
    let mut random = SplitMix64::new(11);
    for _ in 0..200 {
        let near = |random: &mut SplitMix64| (1 << 62) + random.below(16);
        let pairs: Vec<(u64, u64)> =
            (0..40).map(|_| (near(&mut random), near(&mut random))).collect();
        assert!(paired(&pairs).low.is_sorted());
    }
}

#[test]
fn a_censored_candidate_opens_the_upper_bound_and_keeps_the_lower() {
    let under = vec![sample(100, false); 10];
    for (n_censored, hi) in [(0, Some(109)), (1, Some(109)), (2, None), (5, None)] {
        let over: Vec<Sample> = (0..10).map(|i| sample(100 + i, i >= 10 - n_censored)).collect();
        let interval = Paired::new(&over, &under).expect("pairs");
        let interval = interval.interval(&Binomial::half(10), 0.011).expect("an interval");
        let hi = if n_censored == 1 { Some(108) } else { hi.map(|_| 108) };
        assert_eq!((parts(interval).0, parts(interval).2), (101, hi), "{n_censored}");
    }
}

#[test]
fn a_censored_candidate_below_the_others_is_no_proof_of_more() {
    // Its limit is 110; that the run would have taken 200 like the others is not known.
    let under = vec![sample(100, false); 10];
    let over: Vec<Sample> = (0..10).map(|i| sample(if i < 3 { 110 } else { 200 }, i < 3)).collect();
    let paired = Paired::new(&over, &under).expect("pairs");
    let interval = paired.interval(&Binomial::half(10), 0.011).expect("an interval");
    assert_eq!(parts(interval), (110, 200, None));
}

#[test]
fn a_censored_base_takes_the_lower_bound_away() {
    let over = vec![sample(300, false); 10];
    let under: Vec<Sample> = (0..10).map(|i| sample(100, i < 2)).collect();
    let paired = Paired::new(&over, &under).expect("pairs");
    let interval = paired.interval(&Binomial::half(10), 0.011).expect("an interval");
    assert_eq!((interval.lo, interval.hi.map(|hi| hi.parts().0)), (Ratio::ZERO, Some(300)));
}

#[test]
fn the_lower_bound_reaches_a_bar_exactly_when_the_p_value_allows_it() {
    let mut random = SplitMix64::new(5);
    let (mut reached, mut missed) = (0, 0);
    for round in 0..3_000 {
        let n = 5 + random.below(60);
        let pairs: Vec<(u64, u64)> =
            (0..n).map(|_| (90 + random.below(40), 95 + random.below(10))).collect();
        let half = Binomial::half(u32::try_from(n).expect("small"));
        let paired = paired(&pairs);
        let q = MilliPct::new(i64::try_from(random.below(30_000)).expect("small") - 10_000);
        for a in [0.05, 0.01, 0.001, 0.000_025, half.at_most(3), half.at_most(7)] {
            if a >= 0.4 {
                continue;
            }
            let lo = paired.interval(&half, a).map(|interval| interval.lo);
            let is_reached = lo.is_some_and(|lo| lo.at_least(q));
            let is_allowed = paired.p_value(&half, Bar::Change(q)) <= a;
            assert_eq!(is_reached, is_allowed, "round {round}, n = {n}, a = {a}, q = {q}");
            if is_reached { reached += 1 } else { missed += 1 }
        }
    }
    assert!(reached > 500 && missed > 500, "{reached} {missed}");
}

#[test]
fn what_has_no_ratio_is_refused() {
    let one = [sample(1, false)];
    assert!(Paired::new(&[], &[]).is_none());
    assert!(Paired::new(&one, &[]).is_none());
    assert!(Paired::new(&one, &[sample(0, false)]).is_none());
}
