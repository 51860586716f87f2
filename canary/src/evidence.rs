//! What a measurement shows about one metric. Leaves out what follows from it.

use crate::{Interval, MetricId, MilliPct, Unit};
use serde::Serialize;

/// The evidence about one admitted metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// The metric.
    pub metric: MetricId,
    /// Its unit.
    pub unit: Unit,
    /// How many pairs, or runs of the candidate.
    pub n: u32,
    /// The one-sided level of the interval: the level of the run divided by the number of metrics.
    pub alpha: f64,
    /// Candidate over base; of a budget, part over total.
    pub interval: Interval,
    /// How it was compared.
    pub method: Method,
    /// The robust spread of the logarithms of one pair: 1.4826 times the median absolute deviation.
    pub s_d: f64,
    /// The smallest change that would be proven against `comment` with power 0.99.
    pub mde: MilliPct,
    /// Which thresholds are proven to be reached, all metrics of the run considered.
    pub proven: Proven,
    /// The 95th percentile of the candidate, where it has samples.
    pub p95: Option<P95>,
    /// What a reader has to know.
    pub labels: Vec<Label>,
    /// Whether base and candidate come from comparable machines.
    pub host: Comparability,
    /// How far the layout of the program alone moves the metric: |median ln(A'/A)|.
    pub layout_floor: Option<MilliPct>,
    /// The middle of the base, in the unit, for display; of a budget, of the total.
    pub base_value: u64,
    /// The middle of the candidate, in the unit, for display; of a budget, of the part.
    pub candidate_value: u64,
}

/// How a metric was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Pair by pair, in one job.
    Paired,
    /// Against samples of the same class of machine.
    TwoSample,
    /// Against samples of another machine, by calibration.
    Normalised,
    /// Part against total of the same run.
    Budget,
    /// One value against one value; proves nothing about noise.
    Point,
}

/// Which thresholds are proven to be reached; `fail` implies `comment`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proven {
    /// `comment`.
    pub comment: bool,
    /// `fail`.
    pub fail: bool,
}

/// The 95th percentile in the metric's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct P95 {
    /// The nearest rank.
    pub point: u64,
    /// The lower bound.
    pub lower: u64,
}

/// What a reader has to know about a metric; ordered by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Label {
    /// Of a budget: above its target, below `comment`.
    AboveTarget,
    /// The series of the history follows itself.
    Autocorrelated,
    /// The smallest change that could be proven is above `fail`.
    CannotGate,
    /// Both arms are the same bytes.
    IdenticalBinaries,
    /// Where the program lies in memory moves the metric by more than `comment`.
    LayoutSensitive,
    /// A foreign tool interleaved the arms and does not tell how.
    OrderUnrecorded,
    /// The percentile is of several metrics together.
    PooledP95,
    /// The runs do not state their work.
    WorkUnstated,
}

/// Whether base and candidate come from comparable machines.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparability {
    /// The same machine, or one of its class.
    Same,
    /// Another one, converted by calibration.
    Normalised {
        /// The logarithm of how much slower this machine is.
        ln_g: f64,
        /// The spread of that logarithm over the kernels.
        s_g: f64,
    },
    /// No conversion is possible, and why.
    Incomparable(String),
}

impl Label {
    /// Returns the name that readers see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AboveTarget => "above_target",
            Self::Autocorrelated => "autocorrelated",
            Self::CannotGate => "cannot gate",
            Self::IdenticalBinaries => "identical_binaries",
            Self::LayoutSensitive => "layout_sensitive",
            Self::OrderUnrecorded => "order_unrecorded",
            Self::PooledP95 => "pooled_p95",
            Self::WorkUnstated => "work_unstated",
        }
    }
}
