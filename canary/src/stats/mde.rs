//! The smallest change that would be proven, and how many pairs a change takes. Leaves out whether that is enough.

use super::{
    Bar,
    elementary::{exp, ln},
    normal::upper_quantile,
};
use crate::MilliPct;

/// The power of every statement about what could have been proven.
pub const POWER: f64 = 0.99;

/// Returns the factor `(z_a + z_power) sqrt(pi / 2)`; its square is 46.09 at a = 0.001.
#[must_use]
pub fn factor(a: f64) -> f64 {
    (upper_quantile(a) + upper_quantile(1.0 - POWER)) * (std::f64::consts::PI / 2.0).sqrt()
}

/// Returns the smallest change (of a budget: share) that is proven to reach the bar with power 0.99, rounded up:
/// `exp(ln(1 + comment) + factor * se) - 1`, where `se = s_d / sqrt(n)`.
#[must_use]
pub fn smallest(bar: Bar, factor: f64, standard_error: f64) -> MilliPct {
    let share = bar.share();
    if share <= 0.0 {
        return MilliPct::new(i64::MAX);
    }
    let reached = exp(ln(share) + factor * standard_error);
    match bar {
        Bar::Change(_) => MilliPct::of_share_rounded_up(reached - 1.0),
        Bar::Share(_) => MilliPct::of_share_rounded_up(reached),
    }
}

/// Returns how many pairs prove this effect against `comment` with power 0.99: `(factor s_d / ln((1 + effect) / (1 +
/// comment)))^2`, rounded up; nothing where no number does.
#[must_use]
pub fn pairs_needed(comment: MilliPct, effect: MilliPct, s_d: f64, a: f64) -> Option<u32> {
    let distance = ln((1.0 + effect.share()) / (1.0 + comment.share()));
    let pairs = (factor(a) * s_d / distance).powi(2).ceil();
    if distance.is_nan() || distance <= 0.0 || !(0.0..4e9).contains(&pairs) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the bounds were tested"
    )]
    Some(pairs as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_squared_factor_is_46_09_and_the_table_of_pairs_is_met() {
        assert!((factor(0.001).powi(2) - 46.09).abs() < 0.005, "{}", factor(0.001).powi(2));
        let (comment, effect) = (MilliPct::percent(2), MilliPct::percent(5));
        for (s_d, pairs) in [(0.01, 6), (0.02, 22), (0.05, 138), (0.10, 549)] {
            assert_eq!(pairs_needed(comment, effect, s_d, 0.001), Some(pairs), "{s_d}");
        }
        assert_eq!(pairs_needed(comment, comment, 0.01, 0.001), None);
        assert_eq!(pairs_needed(effect, comment, 0.01, 0.001), None);
        assert_eq!(pairs_needed(comment, effect, f64::INFINITY, 0.001), None);
    }

    #[test]
    fn the_smallest_change_is_what_that_many_pairs_prove() {
        let bar = Bar::Change(MilliPct::percent(2));
        for (s_d, pairs) in [(0.01_f64, 6_u32), (0.02, 22), (0.05, 138), (0.10, 549)] {
            let with = |n: u32| smallest(bar, factor(0.001), s_d / f64::from(n).sqrt());
            assert!(with(pairs) <= MilliPct::percent(5), "{s_d}");
            assert!(with(pairs - 1) > MilliPct::percent(5), "{s_d}");
        }
        assert_eq!(smallest(bar, factor(0.001), 0.0), MilliPct::new(2_000));
        assert_eq!(smallest(bar, factor(0.001), f64::INFINITY).get(), i64::MAX);
        assert_eq!(smallest(bar, factor(0.001), f64::NAN).get(), i64::MAX);
    }
}
