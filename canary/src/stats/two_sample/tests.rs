use super::*;
use crate::{MilliPct, order::SplitMix64};

fn exact(values: impl IntoIterator<Item = u64>) -> Vec<(u64, bool)> {
    values.into_iter().map(|value| (value, false)).collect()
}

#[test]
fn each_side_gives_its_kth_at_half_the_level() {
    let two = TwoSample::new(&exact(201..=217), &exact(101..=117)).expect("two samples");
    let interval = two.interval(0.01).expect("an interval");
    // k(17, .005) = 3: P(Bin <= 2) = .0012, P(Bin <= 3) = .0064.
    assert_eq!(interval.lo.parts(), (203, 115));
    assert_eq!(interval.point.parts(), (209, 109));
    assert_eq!(interval.hi.map(Ratio::parts), Some((215, 103)));
    assert_eq!(two.interval(0.000_01), None, "2^-17 is above half of that");
}

#[test]
fn the_lower_bound_reaches_a_bar_exactly_when_the_p_value_allows_it() {
    let mut random = SplitMix64::new(6);
    let (mut reached, mut missed) = (0, 0);
    for round in 0..3_000 {
        let mut draw = |least: u64| -> Vec<(u64, bool)> {
            let n = 6 + random.below(30);
            (0..n).map(|_| (least + random.below(30), random.below(20) == 0)).collect()
        };
        let (x, b) = (draw(120), draw(100));
        let two = TwoSample::new(&x, &b).expect("two samples");
        let q = MilliPct::new(i64::try_from(random.below(40_000)).expect("small") - 10_000);
        let levels = [
            0.05,
            0.01,
            0.001,
            2.0 * two.half_candidate.at_most(2),
            2.0 * two.half_base.at_most(3),
        ];
        for a in levels.into_iter().filter(|a| *a < 0.4) {
            let is_reached = two.interval(a).is_some_and(|interval| interval.lo.at_least(q));
            let p = two.p_value(Bar::Change(q));
            assert_eq!(is_reached, p <= a, "round {round}, a = {a}, q = {q}, p = {p}");
            if is_reached { reached += 1 } else { missed += 1 }
        }
    }
    assert!(reached > 500 && missed > 500, "{reached} {missed}");
}

#[test]
fn censored_values_open_what_needs_them() {
    let mut candidate = exact(201..=217);
    let base = exact(101..=117);
    for slot in &mut candidate[14..] {
        slot.1 = true;
    }
    let two = TwoSample::new(&candidate, &base).expect("two samples");
    let interval = two.interval(0.01).expect("an interval");
    assert_eq!((interval.lo.parts(), interval.hi), ((203, 115), None));
    let mut base = base;
    for slot in &mut base[14..] {
        slot.1 = true;
    }
    let two = TwoSample::new(&exact(201..=217), &base).expect("two samples");
    assert_eq!(two.interval(0.01).expect("an interval").lo, Ratio::ZERO);
}

#[test]
fn an_empty_side_or_a_zero_is_refused() {
    let one = exact([1]);
    assert!(TwoSample::new(&[], &one).is_none() && TwoSample::new(&one, &[]).is_none());
    assert!(
        TwoSample::new(&exact([0]), &one).is_none() && TwoSample::new(&one, &exact([0])).is_none()
    );
}
