//! Walltime canaries: durations are compared with a base and judged. Pure values in, a decision out; nothing here
//! reads a clock, an environment, a file or a process, and random order comes only from a seed of the caller.

#[cfg(feature = "adapters")]
pub mod adapter;
pub mod admit;
pub mod baseline;
pub mod changes;
pub mod decide;
mod decimal;
pub mod evidence;
pub mod fault;
pub mod history;
pub mod host;
pub mod instant;
mod json;
pub mod measurement;
pub mod median;
pub mod metric;
pub mod milli_pct;
pub mod order;
pub mod ratio;
pub mod record;
pub mod reference;
pub mod render;
pub mod sample;
#[cfg(test)]
mod specimen;
pub mod stats;
pub mod threshold;
pub mod tool;
pub mod verdict;

pub use admit::{Admitted, Config, Invariant, P95Over, admit};
pub use changes::{Changes, Point, Step, changes};
pub use decide::{confirm, decide};
pub use evidence::{Comparability, Evidence, Label, Method, P95, Proven};
pub use fault::{Fault, FaultCode};
pub use host::{Calibration, Emulation, Host, Kernel, Noise};
pub use json::Problem;
pub use measurement::{Arm, Body, Look, Looks, Measurement, Order, Series, Summary};
pub use metric::MetricId;
pub use milli_pct::{MilliPct, MilliPctError};
pub use ratio::{Interval, Ratio};
pub use reference::{Base, Provenance, Reference, ReferenceMetric};
pub use render::{Context, render};
pub use sample::{Exit, Proof, Sample, Unit, Work, WorkDigest};
pub use threshold::{Lane, OnUnbaselined, P95Policy, Suspected, Threshold};
pub use tool::Adapter;
pub use verdict::{Decision, MetricLine, Outcome, Reason};
