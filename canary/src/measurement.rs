//! A finished measurement: the record that is judged, and judged again by whoever distrusts the first judge.

use crate::{Calibration, Fault, Host, MetricId, Noise, Sample, Unit};
use serde::{Deserialize, Serialize};

/// The record of one canary in one run. Version rule: another `schema` is not read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// [`Measurement::SCHEMA`].
    pub schema: String,
    /// The canary.
    pub canary: String,
    /// The run.
    pub run_id: String,
    /// The commit of the candidate, 40 hexadecimal digits.
    pub commit: String,
    /// How the arms were interleaved.
    pub order: Order,
    /// The machine.
    pub host: Host,
    /// The kernels on that machine, in the same run.
    pub calibration: Option<Calibration>,
    /// What disturbed it.
    pub noise: Noise,
    /// The looks of an extended run; absent where the run was looked at once.
    pub looks: Option<Looks>,
    /// Whether both arms were built to the same bytes.
    pub identical_binaries: bool,
    /// The series, one per metric and arm.
    pub series: Vec<Series>,
    /// What the runner or an adapter found wrong.
    pub faults: Vec<Fault>,
}

/// How the samples of a paired measurement were interleaved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// In blocks of two pairs, ABBA or BAAB, drawn from SplitMix64 with this seed.
    Blocks {
        /// The first 8 bytes of SHA-256 of the run id, big-endian.
        seed: u64,
    },
    /// The tool that measured does not tell.
    Unrecorded,
    /// There is one arm.
    OneArm,
}

/// The values of one metric in one arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The metric.
    pub metric: MetricId,
    /// Its unit.
    pub unit: Unit,
    /// The arm.
    pub arm: Arm,
    /// The values.
    pub body: Body,
    /// The file it was read from, relative, with `/`.
    pub source: String,
    /// The version of that file's shape.
    pub schema_version: String,
}

/// Which program a series is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The base.
    Base,
    /// What is judged.
    Candidate,
    /// The base once more, pair by pair with the base: the A/A arm.
    BaseAgain,
    /// The base rebuilt with padding, pair by pair with the base: the layout arm.
    Layout,
    /// Of a budget: the part.
    Part,
    /// Of a budget: the whole that the part is of.
    Total,
}

/// The values of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Every value in the order of measuring.
    Samples(Vec<Sample>),
    /// Only what a tool made of them; never for a gating lane.
    Summary(Summary),
}

/// One value that stands for many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The value in the metric's unit.
    pub value: u64,
    /// The tool's lower value.
    pub lower: Option<u64>,
    /// The tool's upper value.
    pub upper: Option<u64>,
}

/// The looks of a run that may be extended: each is judged at a share of the level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looks {
    /// How many looks were planned; fixed before the first.
    pub planned: u32,
    /// Those taken, the first being number 1.
    pub taken: Vec<Look>,
}

/// One look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Its number.
    pub number: u32,
    /// How many pairs or runs there were.
    pub n: u32,
}

impl Measurement {
    /// The schema that is read and written.
    pub const SCHEMA: &'static str = "portcullis.canary_measurement.v1";
}
