//! Two independent sets of runs: a bound for the ratio of their medians. Leaves out where they were measured.

use super::{Bar, Binomial, elementary::ln, spread};
use crate::{Interval, Ratio};

/// The sorted values of candidate and base.
#[derive(Clone, Debug)]
pub struct TwoSample {
    candidate: Sorted,
    base: Sorted,
    half_candidate: Binomial,
    half_base: Binomial,
}

#[derive(Clone, Debug)]
struct Sorted {
    /// What each value is at least.
    low: Vec<u64>,
    /// The values known exactly; what is missing to the number of `low` is open above.
    high: Vec<u64>,
    s: f64,
}

impl TwoSample {
    /// Sorts both sides, given as value and whether it was cut off; nothing if a side is empty or holds a zero.
    #[must_use]
    pub fn new(candidate: &[(u64, bool)], base: &[(u64, bool)]) -> Option<Self> {
        let (half_candidate, half_base) = (half(candidate.len())?, half(base.len())?);
        let (candidate, base) = (Sorted::new(candidate)?, Sorted::new(base)?);
        Some(Self { candidate, base, half_candidate, half_base })
    }

    /// Returns how many runs of the candidate there are.
    #[must_use]
    pub const fn n(&self) -> usize {
        self.candidate.low.len()
    }

    /// Returns the standard error of the logarithm of the ratio, without the factor of a median:
    /// `sqrt(s_x^2 / n_x + s_b^2 / n_b)`.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        (self.candidate.variance() + self.base.variance()).sqrt()
    }

    /// Returns the ratio of the upper medians.
    #[must_use]
    pub fn point(&self) -> Option<Ratio> {
        let middle = |side: &Sorted| side.low.get(side.low.len() / 2).copied();
        Ratio::new(middle(&self.candidate)?, middle(&self.base)?)
    }

    /// Returns `x_(kx) / b_(nb + 1 - kb)`, the point and `x_(nx + 1 - kx) / b_(kb)`, each side at `a / 2`; nothing if a
    /// side is too small.
    #[must_use]
    pub fn interval(&self, a: f64) -> Option<Interval> {
        let (kx, kb) = (self.half_candidate.rank(a / 2.0)?, self.half_base.rank(a / 2.0)?);
        let point = self.point()?;
        let over = self.candidate.high.get(self.candidate.low.len().checked_sub(kx)?);
        let under = self.base.low.get(kb - 1)?;
        let hi = over.and_then(|over| Ratio::new(*over, *under)).map(|hi| hi.max(point));
        Some(Interval { lo: self.lower(kx, kb)?.min(point), point, hi })
    }

    /// Returns the smallest level at which the lower bound reaches the bar, at most one.
    ///
    /// The level is twice a cumulative probability of one side; both sides are walked upwards together.
    #[must_use]
    pub fn p_value(&self, bar: Bar) -> f64 {
        let (nx, nb) = (self.candidate.low.len(), self.base.low.len());
        let (mut kx, mut kb) = (1, 1);
        let mut level = self.half_candidate.at_most(0).max(self.half_base.at_most(0));
        while level < 0.5 {
            // At one level every rank it allows is used.
            while kx < nx && self.half_candidate.at_most(kx) <= level {
                kx += 1;
            }
            while kb < nb && self.half_base.at_most(kb) <= level {
                kb += 1;
            }
            if self.lower(kx, kb).is_some_and(|lo| bar.is_reached_by(lo)) {
                return 2.0 * level;
            }
            let next_x = if kx < nx { self.half_candidate.at_most(kx) } else { 1.0 };
            let next_b = if kb < nb { self.half_base.at_most(kb) } else { 1.0 };
            level = next_x.min(next_b);
        }
        1.0
    }

    fn lower(&self, kx: usize, kb: usize) -> Option<Ratio> {
        let over = *self.candidate.low.get(kx.checked_sub(1)?)?;
        match self.base.high.get(self.base.low.len().checked_sub(kb)?) {
            Some(under) => Ratio::new(over, *under),
            // A base cut off by its limit may have been as slow as it likes.
            None => Some(Ratio::ZERO),
        }
    }
}

impl Sorted {
    #[expect(clippy::cast_precision_loss, reason = "the spread is an estimate")]
    fn new(values: &[(u64, bool)]) -> Option<Self> {
        if values.is_empty() || values.iter().any(|(value, _)| *value == 0) {
            return None;
        }
        let mut low: Vec<u64> = values.iter().map(|(value, _)| *value).collect();
        let mut high: Vec<u64> =
            values.iter().filter(|(_, censored)| !censored).map(|(value, _)| *value).collect();
        low.sort_unstable();
        high.sort_unstable();
        let mut logs: Vec<f64> = low.iter().map(|value| ln(*value as f64)).collect();
        Some(Self { low, high, s: spread::robust_sd(&mut logs) })
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of runs is far below 2^52")]
    fn variance(&self) -> f64 {
        self.s * self.s / self.low.len() as f64
    }
}

fn half(n: usize) -> Option<Binomial> {
    Some(Binomial::half(u32::try_from(n).ok()?))
}

#[cfg(test)]
mod tests;
