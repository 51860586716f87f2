//! Ratios of pairs: the order statistics that bound their median. Leaves out how the pairs were measured.

use super::{Bar, Binomial, elementary::ln, spread};
use crate::{Interval, Ratio, Sample};
use std::cmp::Ordering;

/// The ratios of the pairs of one metric, sorted exactly.
#[derive(Clone, Debug)]
pub struct Paired {
    /// Sorted by what each ratio is at least.
    low: Vec<Ratio>,
    /// Sorted by what each ratio is at most; the last `open` have no upper bound. Absent if nothing was censored.
    high: Option<(Vec<Ratio>, usize)>,
    s_d: f64,
}

impl Paired {
    /// Sorts the ratios `over / under` of these pairs; nothing if there is none, if the numbers of samples differ, or
    /// if a lower sample is zero.
    ///
    /// A censored upper sample leaves its ratio open above, a censored lower one takes its lower bound away.
    #[must_use]
    pub fn new(over: &[Sample], under: &[Sample]) -> Option<Self> {
        if over.len() != under.len() || over.is_empty() {
            return None;
        }
        let mut keyed = Vec::with_capacity(over.len());
        for (over, under) in over.iter().zip(under) {
            keyed.push(Keyed::new(Ratio::new(over.value, under.value)?));
        }
        let is_censored = over.iter().chain(under).any(|sample| sample.censored);
        let (mut low, mut high) = (keyed, None);
        if is_censored {
            let pairs = || over.iter().zip(under).zip(&low);
            let open = pairs().filter(|((over, _), _)| over.censored).count();
            let mut closed: Vec<Keyed> =
                pairs().filter(|((over, _), _)| !over.censored).map(|(_, ratio)| *ratio).collect();
            let ((), n) = (closed.sort_unstable_by(Keyed::cmp), over.len());
            let mut ratios: Vec<Ratio> = closed.iter().map(|keyed| keyed.ratio).collect();
            ratios.resize(n, Ratio::ZERO);
            high = Some((ratios, open));
            for (ratio, under) in low.iter_mut().zip(under) {
                if under.censored {
                    *ratio = Keyed::new(Ratio::ZERO);
                }
            }
        }
        low.sort_unstable_by(Keyed::cmp);
        let mut logs: Vec<f64> = low.iter().map(|keyed| ln(keyed.key)).collect();
        let s_d = spread::robust_sd(&mut logs);
        // Infinities leave no spread to speak of: unknown is large.
        let s_d = if s_d.is_nan() { f64::INFINITY } else { s_d };
        Some(Self { low: low.iter().map(|keyed| keyed.ratio).collect(), high, s_d })
    }

    /// Returns how many pairs there are.
    #[must_use]
    pub const fn n(&self) -> usize {
        self.low.len()
    }

    /// Returns the robust spread of the logarithm of one ratio.
    #[must_use]
    pub const fn s_d(&self) -> f64 {
        self.s_d
    }

    /// Returns the median ratio, of an even number the upper one: `r_(floor(n/2) + 1)`.
    #[must_use]
    pub fn point(&self) -> Ratio {
        self.low.get(self.n() / 2).copied().unwrap_or(Ratio::ZERO)
    }

    /// Returns `r_(k)`, the point and `r_(n + 1 - k)`, each bound one-sided at `1 - a`; nothing if n gives no bound.
    #[must_use]
    pub fn interval(&self, half: &Binomial, a: f64) -> Option<Interval> {
        let k = half.rank(a)?;
        let hi_index = self.n().checked_sub(k)?;
        let hi = match &self.high {
            None => Some(*self.low.get(hi_index)?),
            Some((_, open)) if hi_index >= self.n() - open => None,
            Some((high, _)) => Some(*high.get(hi_index)?),
        };
        // From a level of one half on the bounds would cross.
        let lo = (*self.low.get(k - 1)?).min(self.point());
        let hi = hi.map(|hi| hi.max(self.point()));
        Some(Interval { lo, point: self.point(), hi })
    }

    /// Returns P(Bin(n, 1/2) <= number of ratios below the bar).
    #[must_use]
    pub fn p_value(&self, half: &Binomial, bar: Bar) -> f64 {
        half.at_most(self.low.partition_point(|ratio| !bar.is_reached_by(*ratio)))
    }
}

/// A ratio with its float, so that most comparisons need no wide product.
#[derive(Clone, Copy)]
struct Keyed {
    key: f64,
    ratio: Ratio,
}

impl Keyed {
    fn new(ratio: Ratio) -> Self {
        Self { key: ratio.as_f64(), ratio }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        // A key is off by less than 2^-51 of itself (two roundings to 53 bits and one division), so keys further apart
        // than 2^-48 decide; nearer ones are compared exactly.
        let margin = self.key * (1.0 / 281_474_976_710_656.0);
        if self.key + margin < other.key {
            Ordering::Less
        } else if self.key - margin > other.key {
            Ordering::Greater
        } else {
            self.ratio.cmp(&other.ratio)
        }
    }
}

#[cfg(test)]
mod tests;
