//! The statistics behind a verdict: order-statistic bounds, percentiles, Holm's procedure, the smallest change that can
//! be proven. Leaves out which samples may be used and what follows from a bound.
//!
//! Floats appear for levels, spreads and estimates alone; a ratio is compared with a threshold in integers. Logarithm
//! and exponential are computed here, by additions and multiplications that every machine rounds alike, because a
//! platform's own may differ in the last digit, and a proof must not depend on the machine that repeats it.

pub mod binomial;
pub mod comparison;
pub mod elementary;
pub mod holm;
pub mod mde;
pub mod normal;
pub mod normalised;
pub mod paired;
pub mod percentile;
pub mod spread;
pub mod two_sample;

pub use binomial::Binomial;
pub use comparison::{Bar, Comparison};
pub use normalised::Normalised;
pub use paired::Paired;
pub use two_sample::TwoSample;
