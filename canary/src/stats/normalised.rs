//! A base from another machine, converted by how fast both are at five small programs. Leaves out how those are run.

use super::{
    Bar,
    elementary::{exp, ln},
    normal, spread,
};
use crate::{Calibration, Interval, Kernel, Ratio};

/// How much slower this machine is than that of the base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factor {
    /// The weighted mean of the logarithms of the five quotients.
    pub ln_g: f64,
    /// Their sample standard deviation, at least 0.05.
    pub s_g: f64,
}

/// The converted logarithm of candidate over base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalised {
    estimate: f64,
    standard_error: f64,
    is_open: bool,
}

/// The least spread of a conversion: five programs are not every program.
const LEAST_S_G: f64 = 0.05;
/// The standard error of a median against that of a mean, for a normal variable: sqrt(pi / 2).
const MEDIAN_FACTOR: f64 = 1.2533;
const SCALE: f64 = 1e9;

impl Factor {
    /// Returns the conversion from `base` to `now`, every program weighted alike; nothing unless all five are present
    /// and positive on both sides, or if the machines differ by more than a factor of three.
    #[must_use]
    pub fn new(now: &Calibration, base: &Calibration) -> Option<Self> {
        Self::weighted(now, base, [0.2; 5])
    }

    /// Returns the conversion with weights in the order of [`Kernel::ALL`]; nothing also if they are negative or do not
    /// add up to one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn weighted(now: &Calibration, base: &Calibration, weights: [f64; 5]) -> Option<Self> {
        let total: f64 = weights.iter().sum();
        if weights.iter().any(|weight| weight.is_nan() || *weight < 0.0)
            || (total - 1.0).abs() > 1e-9
        {
            return None;
        }
        let mut quotients = [0.0; 5];
        for (quotient, kernel) in quotients.iter_mut().zip(Kernel::ALL) {
            let positive = |side: &Calibration| side.0.get(&kernel).copied().filter(|ns| *ns > 0);
            *quotient = ln(positive(now)? as f64 / positive(base)? as f64);
        }
        let ln_g: f64 = quotients.iter().zip(weights).map(|(u, weight)| weight * u).sum();
        let mean = quotients.iter().sum::<f64>() / 5.0;
        let squares: f64 = quotients.iter().map(|u| (u - mean) * (u - mean)).sum();
        // Five roundings must not move a factor of exactly three beyond itself.
        (ln_g.abs() <= ln(3.0) + 1e-12)
            .then(|| Self { ln_g, s_g: (squares / 4.0).sqrt().max(LEAST_S_G) })
    }
}

impl Normalised {
    /// Converts the medians of these values, the candidate's with whether each was cut off; nothing if a side is empty
    /// or holds a zero.
    #[must_use]
    pub fn new(candidate: &[(u64, bool)], base: &[u64], factor: Factor) -> Option<Self> {
        let values: Vec<u64> = candidate.iter().map(|(value, _)| *value).collect();
        let (now, s_m) = median_of_logs(&values)?;
        let (then, s_b) = median_of_logs(base)?;
        let standard_error = (s_m * s_m + s_b * s_b + factor.s_g * factor.s_g).sqrt();
        let is_open = candidate.iter().any(|(_, censored)| *censored);
        Some(Self { estimate: now - then - factor.ln_g, standard_error, is_open })
    }

    /// Returns the standard error of the logarithm.
    #[must_use]
    pub const fn standard_error(&self) -> f64 {
        self.standard_error
    }

    /// Returns the interval, each bound one-sided at `1 - a`, as ratios over 10^9 rounded outward.
    #[must_use]
    pub fn interval(&self, a: f64) -> Option<Interval> {
        let width = normal::upper_quantile(a) * self.standard_error;
        if width.is_nan() || a >= 0.5 {
            return None;
        }
        let lo = ratio(exp(self.estimate - width) * SCALE, Rounding::Down)?;
        let point = ratio(exp(self.estimate) * SCALE, Rounding::Nearest)?;
        let hi = ratio(exp(self.estimate + width) * SCALE, Rounding::Up);
        Some(Interval {
            lo: lo.min(point),
            point,
            hi: hi.filter(|_| !self.is_open).map(|hi| hi.max(point)),
        })
    }

    /// Returns the normal tail beyond the distance from the estimate down to the bar.
    #[must_use]
    pub fn p_value(&self, bar: Bar) -> f64 {
        let share = bar.share();
        if share <= 0.0 {
            return 0.0;
        }
        let p = normal::tail((self.estimate - ln(share)) / self.standard_error);
        if p.is_nan() { 1.0 } else { p }
    }
}

enum Rounding {
    Down,
    Nearest,
    Up,
}

/// Rounds to a whole number of billionths; what does not fit is no bound.
fn ratio(billionths: f64, rounding: Rounding) -> Option<Ratio> {
    // The exponential is off by about 1e-16 of its value; outward means beyond that, too.
    let slack = 1e-13;
    let rounded = match rounding {
        Rounding::Down => (billionths * (1.0 - slack)).floor(),
        Rounding::Nearest => billionths.round(),
        Rounding::Up => (billionths * (1.0 + slack)).ceil(),
    };
    if !(0.0..1.8e19).contains(&rounded) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the bounds were tested"
    )]
    Ratio::new(rounded as u64, 1_000_000_000)
}

/// Returns the logarithm of the median, and its standard error `1.2533 s / sqrt(n)`.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn median_of_logs(values: &[u64]) -> Option<(f64, f64)> {
    if values.is_empty() || values.contains(&0) {
        return None;
    }
    let mut logs: Vec<f64> = values.iter().map(|value| ln(*value as f64)).collect();
    let middle = spread::median(&mut logs);
    let s = spread::robust_sd(&mut logs);
    Some((middle, MEDIAN_FACTOR * s / (values.len() as f64).sqrt()))
}

#[cfg(test)]
mod tests;
