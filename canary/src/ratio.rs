//! Exact ratios and the intervals made of them. Leaves out which samples they come from.

use crate::MilliPct;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A ratio that is not negative, compared exactly; `2/4` and `1/2` are equal.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Ratio {
    num: u64,
    den: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    num: u64,
    den: u64,
}

/// Candidate over base (of a budget: part over total); `hi` absent is open, no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The lower bound, one-sided.
    pub lo: Ratio,
    /// The middle: an order statistic, or the one value there is.
    pub point: Ratio,
    /// The upper bound, one-sided; absent where a censored sample leaves none.
    pub hi: Option<Ratio>,
}

impl Ratio {
    /// Nothing over one: the bound that claims nothing.
    pub const ZERO: Self = Self { num: 0, den: 1 };

    /// Returns `num / den`; nothing when `den` is zero.
    #[must_use]
    pub const fn new(num: u64, den: u64) -> Option<Self> {
        if den == 0 { None } else { Some(Self { num, den }) }
    }

    /// Returns numerator and denominator as they were given.
    #[must_use]
    pub const fn parts(self) -> (u64, u64) {
        (self.num, self.den)
    }

    /// Tells whether the ratio is at least `1 + q`: `num * 100_000 >= den * (100_000 + q)`, exactly.
    #[must_use]
    pub const fn at_least(self, q: MilliPct) -> bool {
        self.at_least_share(q.get() as i128 + 100_000)
    }

    /// Tells whether the ratio is at most `1 + q`, exactly.
    #[must_use]
    pub const fn at_most(self, q: MilliPct) -> bool {
        self.at_most_share(q.get() as i128 + 100_000)
    }

    /// Tells whether the share is at least `q`: `num * 100_000 >= den * q`, exactly; for budgets.
    #[must_use]
    pub const fn is_share_at_least(self, q: MilliPct) -> bool {
        self.at_least_share(q.get() as i128)
    }

    /// Tells whether the share is at most `q`, exactly; for budgets.
    #[must_use]
    pub const fn is_share_at_most(self, q: MilliPct) -> bool {
        self.at_most_share(q.get() as i128)
    }

    // A ratio of u64 times 2^64 stays below 2^128, and a share is below 2^64, so neither side ever wraps.
    const fn at_least_share(self, share: i128) -> bool {
        share <= 0 || self.num as u128 * 100_000 >= self.den as u128 * share.unsigned_abs()
    }

    const fn at_most_share(self, share: i128) -> bool {
        share >= 0 && self.num as u128 * 100_000 <= self.den as u128 * share.unsigned_abs()
    }

    /// Returns the ratio as a float, for estimates and display alone.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate, never compared with a threshold")]
    pub fn as_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// Returns `den / num`; nothing when `num` is zero.
    #[must_use]
    pub const fn inverse(self) -> Option<Self> {
        Self::new(self.den, self.num)
    }
}

impl Interval {
    /// Returns the interval of a single value: no width, no proof of anything else.
    #[must_use]
    pub const fn degenerate(ratio: Ratio) -> Self {
        Self { lo: ratio, point: ratio, hi: Some(ratio) }
    }
}

impl TryFrom<Parts> for Ratio {
    type Error = &'static str;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        Self::new(parts.num, parts.den).ok_or("a ratio has a denominator that is not zero")
    }
}

impl From<Ratio> for Parts {
    fn from(ratio: Ratio) -> Self {
        Self { num: ratio.num, den: ratio.den }
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        // Products of two u64 always fit, so no comparison ever rounds.
        let left = u128::from(self.num) * u128::from(other.den);
        left.cmp(&(u128::from(other.num) * u128::from(self.den)))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ratio {}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(num: u64, den: u64) -> Ratio {
        Ratio::new(num, den).expect("a ratio")
    }

    #[test]
    fn ratios_are_compared_without_rounding() {
        let max = u64::MAX;
        let table = [
            ("equal in other terms", (2, 4), (1, 2), Ordering::Equal),
            ("one part in 2^64 apart", (max - 1, max), (max, max), Ordering::Less),
            ("nothing against something", (0, 7), (1, max), Ordering::Less),
            ("the largest against the smallest", (max, 1), (1, max), Ordering::Greater),
        ];
        for (case, (a, b), (c, d), expected) in table {
            assert_eq!(ratio(a, b).cmp(&ratio(c, d)), expected, "{case}");
        }
        assert_eq!(Ratio::new(1, 0), None);
    }

    #[test]
    fn a_threshold_is_met_exactly_at_its_value() {
        let q = MilliPct::percent(50);
        let table = [
            ("one below", ratio(149_999, 100_000), false, true),
            ("exactly there", ratio(3, 2), true, true),
            ("one above", ratio(150_001, 100_000), true, false),
        ];
        for (case, ratio, at_least, at_most) in table {
            assert_eq!((ratio.at_least(q), ratio.at_most(q)), (at_least, at_most), "{case}");
        }
        assert!(ratio(1, 10).is_share_at_least(MilliPct::percent(10)));
        assert!(!ratio(99_999, 1_000_000).is_share_at_least(MilliPct::percent(10)));
        assert!(Ratio::ZERO.at_least(MilliPct::percent(-100)), "nothing is below zero");
        assert!(!ratio(1, 10).at_most(MilliPct::percent(-101)));
    }

    #[test]
    fn t14_the_largest_values_do_not_wrap() {
        let most = MilliPct::new(i64::MAX);
        assert!(ratio(u64::MAX, 1).at_least(most));
        assert!(!ratio(u64::MAX, u64::MAX).at_least(most));
        assert!(ratio(u64::MAX, u64::MAX).at_least(MilliPct::new(0)));
        assert!(!ratio(u64::MAX - 1, u64::MAX).at_least(MilliPct::new(0)));
        assert!(ratio(1, u64::MAX).at_most(most));
        assert!(ratio(1, u64::MAX).at_least(MilliPct::new(i64::MIN)));
        assert!(!ratio(1, u64::MAX).at_most(MilliPct::new(i64::MIN)));
    }

    #[test]
    fn documents_read_back_and_a_zero_denominator_is_refused() {
        let interval = Interval { lo: ratio(1, 2), point: ratio(3, 2), hi: None };
        let text = serde_json::to_string(&interval).expect("a document");
        assert_eq!(serde_json::from_str::<Interval>(&text).expect("an interval"), interval);
        assert!(serde_json::from_str::<Ratio>("{\"num\":1,\"den\":0}").is_err());
        assert!(serde_json::from_str::<Ratio>("{\"num\":-1,\"den\":1}").is_err());
    }
}
