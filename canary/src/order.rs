//! The random order of the arms, from a seed alone. Leaves out where the seed comes from.

use crate::stats::elementary::ln;
use hmac_sha256::Hash;

/// Sebastiano Vigna's SplitMix64: the state is a counter, each number a mix of it.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

/// Which arm of a pair runs first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The base.
    Base,
    /// The candidate.
    Candidate,
}

impl SplitMix64 {
    /// Returns the generator of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `bound`, each about as likely; zero for the bound zero.
    pub const fn below(&mut self, bound: u64) -> u64 {
        // The high half of a product favours no number by more than bound / 2^64.
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// Returns a number of [0, 1), from 53 bits.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a standard normal number, by Marsaglia's polar method: for simulations.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * ln(square) / square).sqrt();
            }
        }
    }
}

/// Returns the seed of a run: the first 8 bytes of SHA-256 of its id, big-endian. Nobody can choose an order that suits.
#[must_use]
pub fn seed(run_id: &str) -> u64 {
    let digest = Hash::hash(run_id.as_bytes());
    digest.into_iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(byte))
}

/// Returns for each of `pairs` pairs which arm runs first: blocks of two pairs, ABBA or BAAB, drawn from the seed.
///
/// Within a block each arm is once first and once second, so that a drift of the machine favours neither.
#[must_use]
pub fn blocks(seed: u64, pairs: usize) -> Vec<First> {
    let mut random = SplitMix64::new(seed);
    let mut order = Vec::with_capacity(pairs);
    while order.len() < pairs {
        // The highest bit: the low bits of a mix are no worse, but need not be argued about.
        let starts_with_base = random.next_u64() >> 63 == 0;
        let (first, second) = if starts_with_base {
            (First::Base, First::Candidate)
        } else {
            (First::Candidate, First::Base)
        };
        order.push(first);
        if order.len() < pairs {
            order.push(second);
        }
    }
    order
}

impl First {
    /// Returns the positions of base and candidate within their block, in the pair of this index.
    #[must_use]
    pub const fn positions(self, pair: usize) -> (u8, u8) {
        let start = if pair.is_multiple_of(2) { 0 } else { 2 };
        match self {
            Self::Base => (start, start + 1),
            Self::Candidate => (start + 1, start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first numbers of the seed 1234567, as in the author's reference.
        let mut random = SplitMix64::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        for number in expected {
            assert_eq!(random.next_u64(), number);
        }
        assert!((0..1_000).all(|_| random.below(7) < 7));
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut random = SplitMix64::new(1);
        let (mut sum, mut squares, mut beyond) = (0.0, 0.0, 0);
        for _ in 0..100_000 {
            let x = random.normal();
            (sum, squares) = (sum + x, squares + x * x);
            beyond += u32::from(x > 2.326_348);
        }
        assert!((sum / 1e5_f64).abs() < 0.015 && (squares / 1e5_f64 - 1.0).abs() < 0.02);
        assert!((870..1_130).contains(&beyond), "{beyond}");
        assert!((0..1_000).all(|_| (0.0..1.0).contains(&random.unit())));
    }

    #[test]
    fn a_run_id_is_a_seed() {
        // SHA-256 of "abc" begins ba7816bf 8f01cfea.
        assert_eq!(seed("abc"), 0xba78_16bf_8f01_cfea);
    }

    #[test]
    fn each_block_of_two_pairs_has_each_arm_first_once_and_both_blocks_occur() {
        let order = blocks(42, 400);
        assert_eq!(order.len(), 400);
        let (blocks_of_two, rest) = order.as_chunks::<2>();
        assert!(rest.is_empty() && blocks_of_two.iter().all(|[first, second]| first != second));
        let from_base = blocks_of_two.iter().filter(|[first, _]| *first == First::Base).count();
        assert!((70..130).contains(&from_base), "{from_base}");
        assert_eq!(blocks(42, 400), order, "a seed decides");
        assert_ne!(blocks(43, 400), order);
        assert_eq!(blocks(42, 5), order[..5]);
        assert_eq!(blocks(42, 0), []);
    }

    #[test]
    fn positions_count_the_four_samples_of_a_block() {
        assert_eq!((First::Base.positions(0), First::Candidate.positions(1)), ((0, 1), (3, 2)));
        assert_eq!((First::Candidate.positions(2), First::Base.positions(3)), ((1, 0), (2, 3)));
    }
}
