//! Binomial distributions, and the ranks that bound a median or a percentile. Leaves out the samples.

use super::elementary::power_of_two;

/// P(Bin(n, p) <= i) for every i.
#[derive(Clone, Debug)]
pub struct Binomial {
    cumulative: Vec<f64>,
}

impl Binomial {
    /// Returns the distribution of how many of `n` samples lie below the median.
    #[must_use]
    pub fn half(n: u32) -> Self {
        Self::new(n, 1.0, 0.5)
    }

    /// Returns the distribution of how many of `n` samples lie below the 95th percentile.
    #[must_use]
    pub fn p95(n: u32) -> Self {
        Self::new(n, 19.0, 0.05)
    }

    /// Sums `C(n, i) p^i (1 - p)^(n - i)` from the smallest i on, given the odds `p / (1 - p)` and `1 - p`.
    ///
    /// A term is kept as a float times a power of two, so that `(1 - p)^n` does not vanish for a large n.
    fn new(n: u32, odds: f64, miss: f64) -> Self {
        let mut term = Scaled { value: 1.0, exponent: 0 };
        for _ in 0..n {
            term.multiply(miss);
        }
        let mut sum = term.get();
        let mut cumulative = vec![sum];
        for i in 0..n {
            term.multiply(f64::from(n - i) / f64::from(i + 1) * odds);
            sum += term.get();
            cumulative.push(sum.min(1.0));
        }
        Self { cumulative }
    }

    /// Returns n.
    #[must_use]
    pub fn n(&self) -> u32 {
        u32::try_from(self.cumulative.len() - 1).unwrap_or(u32::MAX)
    }

    /// Returns P(Bin(n, p) <= count); one from n on.
    #[must_use]
    pub fn at_most(&self, count: usize) -> f64 {
        if count.saturating_add(1) >= self.cumulative.len() {
            return 1.0;
        }
        self.cumulative.get(count).copied().unwrap_or(1.0)
    }

    /// Returns `max { j in 1..=n : P(Bin(n, p) <= j - 1) <= a }`; nothing where even j = 1 is too likely.
    ///
    /// With p = 1/2 this is `k(n, a)`: the j-th smallest sample lies above the median with probability at most a.
    #[must_use]
    pub fn rank(&self, a: f64) -> Option<usize> {
        let n = self.cumulative.len() - 1;
        // The last entry is one up to rounding and belongs to no rank.
        let below = self.cumulative.get(..n).unwrap_or_default();
        let rank = below.partition_point(|probability| *probability <= a);
        (rank > 0).then_some(rank)
    }
}

struct Scaled {
    value: f64,
    exponent: i64,
}

impl Scaled {
    fn multiply(&mut self, factor: f64) {
        self.value *= factor;
        // Scaling by powers of two is exact.
        if self.value < power_of_two(-400) {
            self.value *= power_of_two(400);
            self.exponent -= 400;
        } else if self.value > power_of_two(400) {
            self.value *= power_of_two(-400);
            self.exponent += 400;
        }
    }

    fn get(&self) -> f64 {
        self.value * power_of_two(self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_to(table: &str, a: f64, distribution: fn(u32) -> Binomial) {
        for entry in table.split_whitespace() {
            let (n, expected) = entry.split_once(':').expect("n:k");
            let (n, expected) = (n.parse().expect("a size"), expected.parse().ok());
            assert_eq!(distribution(n).rank(a), expected, "n = {n}, a = {a}");
        }
    }

    #[test]
    fn the_ranks_of_a_median_are_those_of_the_four_tables() {
        let tables = [
            (
                0.05,
                "5:1 10:2 15:4 17:5 20:6 25:8 30:11 40:15 50:19 75:30 100:42 150:65 200:88 300:136 400:184",
            ),
            (
                0.01,
                "10:1 15:3 17:4 20:5 25:7 30:9 40:13 50:17 75:27 100:38 150:61 200:84 300:130 400:177",
            ),
            (
                0.001,
                "10:1 15:2 17:2 20:3 25:5 30:7 40:10 50:14 75:24 100:35 150:56 200:78 300:123 400:169",
            ),
            (
                0.000_025,
                "17:1 20:2 25:3 30:4 40:8 50:11 75:20 100:30 150:50 200:72 300:115 400:160",
            ),
        ];
        for (a, table) in tables {
            held_to(table, a, Binomial::half);
        }
        assert_eq!(Binomial::half(17).rank(0.000_25), Some(2), "why the suites are run 17 times");
    }

    #[test]
    fn the_smallest_sizes_that_bound_anything() {
        for (a, smallest) in [(0.05, 5), (0.01, 7), (0.001, 10), (0.000_025, 16)] {
            assert_eq!(Binomial::half(smallest).rank(a), Some(1), "{a}");
            assert_eq!(Binomial::half(smallest - 1).rank(a), None, "{a}");
        }
        assert_eq!(Binomial::half(0).rank(0.5), None);
    }

    #[test]
    fn the_ranks_of_the_percentile_are_those_of_the_table() {
        held_to("5:4 10:8 17:14 20:17 25:22 30:26 50:45 85:77 100:91", 0.05, Binomial::p95);
        held_to("85:75", 0.005, Binomial::p95);
    }

    #[test]
    fn large_sizes_neither_vanish_nor_overflow() {
        for n in [1_000, 1_074, 1_100, 5_000, 100_000] {
            let binomial = Binomial::half(n);
            let middle = binomial.at_most(n as usize / 2);
            assert!((0.5..0.52).contains(&middle), "n = {n}: {middle}");
            assert!((binomial.at_most(n as usize) - 1.0).abs() < 1e-9, "n = {n}");
            let rank = binomial.rank(0.001).expect("a rank");
            assert!(rank < n as usize / 2 && rank > n as usize / 2 - 500, "n = {n}: {rank}");
            assert!(Binomial::p95(n).rank(0.05).is_some(), "n = {n}");
        }
    }

    #[test]
    fn a_level_that_is_none_gives_no_rank() {
        for a in [0.0, -1.0, f64::NAN] {
            assert_eq!(Binomial::half(30).rank(a), None, "{a}");
        }
        assert_eq!(Binomial::half(30).rank(2.0), Some(30));
    }
}
