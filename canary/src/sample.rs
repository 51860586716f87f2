//! What one measurement is: whole numbers in a stated unit. Leaves out how it is taken.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// The unit of a value; lower is better in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// A count.
    Count,
    /// Bytes.
    Bytes,
}

/// Thousandths of a percent: 50 % is 50 000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MilliPct(i64);

impl MilliPct {
    /// This many thousandths of a percent.
    #[must_use]
    pub const fn new(thousandths: i64) -> Self {
        Self(thousandths)
    }

    /// The thousandths of a percent.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// A positive ratio, compared exactly; `2/4` and `1/2` are equal.
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

impl Ratio {
    /// `num / den`; nothing when `den` is zero.
    #[must_use]
    pub const fn new(num: u64, den: u64) -> Option<Self> {
        if den == 0 { None } else { Some(Self { num, den }) }
    }

    /// Numerator and denominator as they were given.
    #[must_use]
    pub const fn parts(self) -> (u64, u64) {
        (self.num, self.den)
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

/// One value, and whether it was cut off by a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The value in the metric's unit.
    pub value: u64,
    /// Whether the run was stopped at this value; the true one is at least as large.
    pub censored: bool,
    /// The position within its block, from 0.
    pub position: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_compared_without_rounding() {
        let table = [
            ("equal in other terms", (2, 4), (1, 2), Ordering::Equal),
            (
                "one part in 2^64 apart",
                (u64::MAX - 1, u64::MAX),
                (u64::MAX, u64::MAX),
                Ordering::Less,
            ),
            ("nothing against something", (0, 7), (1, u64::MAX), Ordering::Less),
            ("the largest against the smallest", (u64::MAX, 1), (1, u64::MAX), Ordering::Greater),
        ];
        for (case, (a, b), (c, d), expected) in table {
            let (left, right) =
                (Ratio::new(a, b).expect("a ratio"), Ratio::new(c, d).expect("a ratio"));
            assert_eq!(left.cmp(&right), expected, "{case}");
        }
        assert_eq!(Ratio::new(1, 0), None);
    }

    #[test]
    fn documents_read_back_and_a_zero_denominator_is_refused() {
        let sample = Sample { value: 1_500, censored: true, position: 1 };
        let text = serde_json::to_string(&sample).expect("a document");
        assert_eq!(serde_json::from_str::<Sample>(&text).expect("a sample"), sample);
        let ratio = Ratio::new(3, 2).expect("a ratio");
        let text = serde_json::to_string(&ratio).expect("a document");
        assert_eq!(serde_json::from_str::<Ratio>(&text).expect("a ratio").parts(), (3, 2));
        assert!(serde_json::from_str::<Ratio>("{\"num\":1,\"den\":0}").is_err());
        assert_eq!(serde_json::to_string(&MilliPct::new(50_000)).expect("a document"), "50000");
    }
}
