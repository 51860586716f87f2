//! Change points of a history: where the level of a series stepped. Leaves out where the history is kept; what is found
//! here is at worst a comment.

use crate::{
    MilliPct,
    stats::{elementary::ln, spread},
};

/// The most points that are looked at, the newest.
pub const MOST_POINTS: usize = 200;
/// The fewest points that can confirm a step.
pub const FEWEST_POINTS: usize = 12;
/// The fewest points on either side of a step.
pub const FEWEST_BESIDE: usize = 3;
/// The residual autocorrelation above which no step is confirmed.
const MOST_AUTOCORRELATION: f64 = 0.3;

/// One point of a series: a value and the smallest change that could have been proven when it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The value in the unit of the metric.
    pub value: u64,
    /// Of its comparison.
    pub mde: MilliPct,
}

/// A step between two points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The index of the first point after it.
    pub at: usize,
    /// How far the mean of the logarithms moved.
    pub ln_step: f64,
    /// The largest T; infinite for a clean step.
    pub statistic: f64,
    /// The threshold it met.
    pub threshold: f64,
}

/// What a series shows. Indices count from the first point handed over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// The confirmed steps, oldest first.
    pub confirmed: Vec<Step>,
    /// The steps that would be confirmed if the series did not follow itself.
    pub doubtful: Vec<Step>,
    /// Whether the newest one or two points lie off the median of their segment: by how much, in logarithms.
    pub suspected: Option<f64>,
    /// Whether the residuals follow each other, so that nothing is confirmed.
    pub is_autocorrelated: bool,
    /// How many points were looked at.
    pub examined: usize,
}

/// The threshold h(N) at which one evaluation of a series without a step is wrong once in a hundred times.
const THRESHOLDS: [(usize, f64); 10] = [
    (12, 5.65),
    (15, 5.43),
    (20, 5.23),
    (30, 5.05),
    (40, 4.99),
    (50, 4.94),
    (75, 4.91),
    (100, 4.91),
    (150, 4.91),
    (200, 4.92),
];

/// Returns h(N), linear between the simulated sizes; nothing below 12 points, the last value beyond 200.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "sizes are at most hundreds")]
pub fn threshold(n: usize) -> Option<f64> {
    let (_, last) = THRESHOLDS.last()?;
    if n < FEWEST_POINTS {
        return None;
    }
    let between = THRESHOLDS.iter().zip(THRESHOLDS.iter().skip(1));
    let found = between.map(|(left, right)| (*left, *right)).find(|(_, (right, _))| n <= *right);
    let Some(((from, low), (to, high))) = found else { return Some(*last) };
    let share = n.saturating_sub(from) as f64 / (to - from) as f64;
    Some(low + (high - low) * share)
}

/// Finds the steps of one series (one canary, metric, class of machine and work), oldest point first.
///
/// Only the newest 200 points count. A value of zero has no logarithm: such a series shows nothing and examines nothing.
#[must_use]
pub fn changes(points: &[Point]) -> Changes {
    let skipped = points.len().saturating_sub(MOST_POINTS);
    let points = points.get(skipped..).unwrap_or_default();
    if points.iter().any(|point| point.value == 0) {
        return Changes::default();
    }
    #[expect(clippy::cast_precision_loss, reason = "the logarithm of a duration is an estimate")]
    let logs: Vec<f64> = points.iter().map(|point| ln(point.value as f64)).collect();
    let mut found = Vec::new();
    split(&logs, points, 0, &mut found);
    found.sort_by_key(|step: &Step| step.at);
    let is_autocorrelated = lag_1(&residuals(&logs, &found)) > MOST_AUTOCORRELATION;
    let start = found.last().map_or(0, |step| step.at);
    let suspected = newest_off(logs.get(start..).unwrap_or_default());
    for step in &mut found {
        step.at += skipped;
    }
    let (confirmed, doubtful) =
        if is_autocorrelated { (Vec::new(), found) } else { (found, Vec::new()) };
    Changes { confirmed, doubtful, suspected, is_autocorrelated, examined: points.len() }
}

/// Confirms the largest step of a part, then looks at both sides of it.
fn split(logs: &[f64], points: &[Point], offset: usize, found: &mut Vec<Step>) {
    let Some(limit) = threshold(logs.len()) else { return };
    let Some((t, statistic, ln_step)) = largest(logs) else { return };
    let mde = points.iter().map(|point| point.mde).max().unwrap_or_default();
    let least = ln(1.02).max(ln((1.0 + mde.share()).max(1.0)));
    if statistic < limit || ln_step.abs() < least {
        return;
    }
    found.push(Step { at: offset + t, ln_step, statistic, threshold: limit });
    let (left, right) = logs.split_at(t);
    let (left_points, right_points) = points.split_at(t);
    split(left, left_points, offset, found);
    split(right, right_points, offset + t, found);
}

/// Returns t, T(t) and the step for the largest T, the smallest t on ties; nothing for too short a series.
///
/// `T(t) = |mean(x[..t]) - mean(x[t..])| / (s_p sqrt(1/t + 1/(N-t)))` with the pooled variance
/// `s_p^2 = (SS_left + SS_right) / (N - 2)`. Sums run from either end, so the whole is linear.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "sizes are at most hundreds")]
pub fn largest(logs: &[f64]) -> Option<(usize, f64, f64)> {
    let n = logs.len();
    let last = n.checked_sub(FEWEST_BESIDE).filter(|last| *last >= FEWEST_BESIDE)?;
    let left = running(logs.iter());
    let right = running(logs.iter().rev());
    let mut best: Option<(usize, f64, f64)> = None;
    for t in FEWEST_BESIDE..=last {
        let (left_mean, left_ss) = *left.get(t - 1)?;
        let (right_mean, right_ss) = *right.get(n - t - 1)?;
        let step = right_mean - left_mean;
        let pooled = ((left_ss + right_ss) / (n - 2) as f64).max(0.0).sqrt();
        let scale = pooled * (1.0 / t as f64 + 1.0 / (n - t) as f64).sqrt();
        // Without any spread a step is certain, and no step is none.
        let statistic = match (step.abs() > 1e-12, pooled > 1e-13) {
            (true, true) => step.abs() / scale,
            (true, false) => f64::INFINITY,
            (false, _) => 0.0,
        };
        // Sums from two ends round apart by some 1e-16; that is no larger T.
        if best.is_none_or(|(_, largest, _)| statistic > largest * (1.0 + 1e-12)) {
            best = Some((t, statistic, step));
        }
    }
    best
}

/// Returns mean and sum of squares about it of every prefix, by Welford's recurrence.
#[expect(clippy::cast_precision_loss, reason = "sizes are at most hundreds")]
fn running<'a>(values: impl Iterator<Item = &'a f64>) -> Vec<(f64, f64)> {
    let (mut mean, mut squares) = (0.0, 0.0);
    let step = |(index, value): (usize, &f64)| {
        let delta = value - mean;
        mean += delta / (index + 1) as f64;
        squares += delta * (value - mean);
        (mean, squares)
    };
    values.enumerate().map(step).collect()
}

/// Returns what is left of each value without the mean of its segment.
#[expect(clippy::cast_precision_loss, reason = "sizes are at most hundreds")]
fn residuals(logs: &[f64], steps: &[Step]) -> Vec<f64> {
    let mut residuals = Vec::with_capacity(logs.len());
    let ends = steps.iter().map(|step| step.at).chain([logs.len()]);
    let mut start = 0;
    for end in ends {
        let segment = logs.get(start..end).unwrap_or_default();
        let mean = segment.iter().sum::<f64>() / segment.len().max(1) as f64;
        residuals.extend(segment.iter().map(|value| value - mean));
        start = end;
    }
    residuals
}

/// Returns the correlation of each residual with the next; zero where there is no spread, or too little to tell.
fn lag_1(residuals: &[f64]) -> f64 {
    let squares: f64 = residuals.iter().map(|value| value * value).sum();
    if residuals.len() < FEWEST_POINTS || squares <= 1e-24 {
        return 0.0;
    }
    residuals.iter().zip(residuals.iter().skip(1)).map(|(left, right)| left * right).sum::<f64>()
        / squares
}

/// Returns how far the newest one or two points lie off the median of the segment before them, on one side of it.
fn newest_off(segment: &[f64]) -> Option<f64> {
    for newest in [2, 1] {
        let Some(before) = segment.len().checked_sub(newest) else { continue };
        let (body, tail) = segment.split_at(before);
        if body.len() < FEWEST_BESIDE {
            continue;
        }
        let middle = spread::median(&mut body.to_vec());
        let limit = (4.0 * spread::robust_sd(&mut body.to_vec())).max(0.02);
        let off: Vec<f64> = tail.iter().map(|value| value - middle).collect();
        if off.iter().all(|off| *off > limit) || off.iter().all(|off| *off < -limit) {
            return off.last().copied();
        }
    }
    None
}

#[cfg(test)]
mod tests;
