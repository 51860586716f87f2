//! The 95th percentile: nearest rank and lower bound. Leaves out the cap it is held against.

use super::Binomial;
use crate::{P95, Sample};

/// Returns the percentile of these samples at the level `a` of its lower bound; nothing without one.
///
/// A censored sample counts with its limit, sorted last: the true value is at least as large, so both remain bounds.
#[must_use]
pub fn p95<'a>(samples: impl IntoIterator<Item = &'a Sample>, a: f64) -> Option<P95> {
    let mut sorted: Vec<(bool, u64)> =
        samples.into_iter().map(|sample| (sample.censored, sample.value)).collect();
    sorted.sort_unstable();
    let n = u32::try_from(sorted.len()).ok()?;
    // Of what lies at a rank or above, the least is what the rank is at least, should a limit be below a finished run.
    let at = |index: usize| sorted.get(index..)?.iter().map(|(_, value)| *value).min();
    Some(P95 { point: at(nearest_rank(n))?, lower: at(Binomial::p95(n).rank(a)?.checked_sub(1)?)? })
}

/// Returns the 0-based nearest rank of the 95th percentile: `19 (n - 1) / 20`, half to even.
#[must_use]
pub fn nearest_rank(n: u32) -> usize {
    let twentieths = u64::from(n.saturating_sub(1)) * 19;
    let (rank, rest) = (twentieths / 20, twentieths % 20);
    let rounded = match rest.cmp(&10) {
        std::cmp::Ordering::Less => rank,
        std::cmp::Ordering::Equal => rank + rank % 2,
        std::cmp::Ordering::Greater => rank + 1,
    };
    usize::try_from(rounded).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exit, Work};

    fn samples(values: impl IntoIterator<Item = (u64, bool)>) -> Vec<Sample> {
        let build = |(value, censored)| Sample {
            value,
            censored,
            exit: Exit::Code(0),
            proof: Vec::new(),
            position: 0,
            work: Work::UNSTATED,
        };
        values.into_iter().map(build).collect()
    }

    #[test]
    fn the_nearest_rank_rounds_half_to_even() {
        // 51 would be 47.5, to the even 48; 31 is 28.5, to the even 28.
        for (n, rank) in [(0, 0), (1, 0), (5, 5 - 1), (25, 24 - 1), (31, 29 - 1), (51, 49 - 1)] {
            assert_eq!(nearest_rank(n), rank, "{n}");
        }
        assert_eq!(nearest_rank(u32::MAX), 4_080_218_929);
    }

    #[test]
    fn t35_one_stall_in_twenty_moves_the_point_and_not_the_bound() {
        let values = (1..=20).map(|i| (if i >= 19 { 900 } else { 100 + i }, false));
        let p95 = p95(&samples(values), 0.05).expect("a percentile");
        assert_eq!(p95, P95 { point: 900, lower: 117 });
    }

    #[test]
    fn t24_a_censored_sample_sorts_last_and_counts_with_its_limit() {
        let values = (1..=20).map(|i| if i <= 4 { (500, true) } else { (100, false) });
        assert_eq!(p95(&samples(values), 0.05), Some(P95 { point: 500, lower: 500 }));
        let short_limit = (1..=20).map(|i| if i <= 4 { (50, true) } else { (100, false) });
        assert_eq!(p95(&samples(short_limit), 0.05), Some(P95 { point: 50, lower: 50 }));
        assert_eq!(p95(&[], 0.05), None);
    }
}
