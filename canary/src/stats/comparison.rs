//! One metric compared, whatever the method: the same four questions. Leaves out which method applies.

use super::{Binomial, Normalised, Paired, TwoSample, mde};
use crate::{Interval, Method, MilliPct, Ratio};

/// A threshold as it is held against a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// A change: the ratio is held against one and this much.
    Change(MilliPct),
    /// A share: the ratio itself is held against it.
    Share(MilliPct),
}

/// A metric compared with its base.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// Pair by pair.
    Paired(Paired),
    /// Part against total of the same runs.
    Budget(Paired),
    /// Two sets of runs.
    TwoSample(TwoSample),
    /// By calibration.
    Normalised(Normalised, u32),
    /// One value against one.
    Point(Ratio),
}

impl Bar {
    /// Returns the bar for this method.
    #[must_use]
    pub const fn new(method: Method, q: MilliPct) -> Self {
        match method {
            Method::Budget => Self::Share(q),
            Method::Paired | Method::TwoSample | Method::Normalised | Method::Point => {
                Self::Change(q)
            }
        }
    }

    /// Tells whether the ratio is at or above the bar, exactly.
    #[must_use]
    pub const fn is_reached_by(self, ratio: Ratio) -> bool {
        match self {
            Self::Change(q) => ratio.at_least(q),
            Self::Share(q) => ratio.is_share_at_least(q),
        }
    }

    /// Tells whether the ratio is at or below the bar, exactly.
    #[must_use]
    pub const fn is_not_exceeded_by(self, ratio: Ratio) -> bool {
        match self {
            Self::Change(q) => ratio.at_most(q),
            Self::Share(q) => ratio.is_share_at_most(q),
        }
    }

    /// Returns the ratio at the bar as a float, for estimates alone.
    #[must_use]
    pub fn share(self) -> f64 {
        match self {
            Self::Change(q) => 1.0 + q.share(),
            Self::Share(q) => q.share(),
        }
    }
}

impl Comparison {
    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self {
            Self::Paired(_) => Method::Paired,
            Self::Budget(_) => Method::Budget,
            Self::TwoSample(_) => Method::TwoSample,
            Self::Normalised(..) => Method::Normalised,
            Self::Point(_) => Method::Point,
        }
    }

    /// Returns how many pairs or runs of the candidate there are.
    #[must_use]
    pub fn n(&self) -> u32 {
        match self {
            Self::Paired(paired) | Self::Budget(paired) => {
                u32::try_from(paired.n()).unwrap_or(u32::MAX)
            }
            Self::TwoSample(two) => u32::try_from(two.n()).unwrap_or(u32::MAX),
            Self::Normalised(_, n) => *n,
            Self::Point(_) => 1,
        }
    }

    /// Returns the interval at the one-sided level `a`; nothing if the samples give none. `half` is that of n.
    #[must_use]
    pub fn interval(&self, half: &Binomial, a: f64) -> Option<Interval> {
        match self {
            Self::Paired(paired) | Self::Budget(paired) => paired.interval(half, a),
            Self::TwoSample(two) => two.interval(a),
            Self::Normalised(normalised, _) => normalised.interval(a),
            Self::Point(ratio) => Some(Interval::degenerate(*ratio)),
        }
    }

    /// Returns the smallest level at which the lower bound reaches the bar. `half` is that of n.
    #[must_use]
    pub fn p_value(&self, half: &Binomial, bar: Bar) -> f64 {
        match self {
            Self::Paired(paired) | Self::Budget(paired) => paired.p_value(half, bar),
            Self::TwoSample(two) => two.p_value(bar),
            Self::Normalised(normalised, _) => normalised.p_value(bar),
            Self::Point(ratio) => f64::from(u8::from(!bar.is_reached_by(*ratio))),
        }
    }

    /// Returns the spread of one pair; of two samples, what one pair of n would have to have.
    #[must_use]
    pub fn s_d(&self) -> f64 {
        match self {
            Self::Paired(paired) | Self::Budget(paired) => paired.s_d(),
            Self::TwoSample(two) => two.standard_error() * f64::from(self.n()).sqrt(),
            Self::Normalised(normalised, n) => normalised.standard_error() * f64::from(*n).sqrt(),
            // A single value says nothing about its spread.
            Self::Point(_) => f64::INFINITY,
        }
    }

    /// Returns the smallest change that is proven against this bar; `factor` is [`mde::factor`] of the level.
    #[must_use]
    pub fn smallest_change(&self, bar: Bar, factor: f64) -> MilliPct {
        mde::smallest(bar, factor, self.s_d() / f64::from(self.n()).sqrt())
    }
}
