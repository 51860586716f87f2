//! Walltime canaries: what was measured and what came of it. So far the types only; nothing is measured or judged here.

pub mod judge;
pub mod sample;

pub use judge::{Judgement, Reason};
pub use sample::{MilliPct, Ratio, Sample, Unit};
