//! What a measurement of one arm is compared with. Leaves out the document it is read from.

use crate::{Calibration, Fault, Host, MetricId, Unit, Work};
use std::collections::BTreeMap;

/// The committed base, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// The comparison needs none: both arms are measured, or a budget has no other run.
    NotNeeded,
    /// There is no file.
    Missing,
    /// There is a file that cannot be read, and why.
    Unreadable(String),
    /// The base.
    Read(Box<Reference>),
}

/// A base of earlier values.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Whether it was measured.
    pub provenance: Provenance,
    /// The machine it was measured on.
    pub host: Host,
    /// The kernels on that machine.
    pub calibration: Calibration,
    /// The metrics.
    pub metrics: BTreeMap<MetricId, ReferenceMetric>,
    /// What its reader found wrong with single values.
    pub faults: Vec<Fault>,
}

/// Where a base comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// It was measured.
    Measured,
    /// It was computed from another machine's; never for a gating lane.
    Projected,
}

/// One metric of a base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceMetric {
    /// Its unit.
    pub unit: Unit,
    /// The value that stands for the samples.
    pub value: u64,
    /// The samples, all of them.
    pub samples: Vec<u64>,
    /// What the runs did.
    pub work: Work,
}
