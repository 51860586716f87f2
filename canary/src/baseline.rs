//! The committed baseline of a canary: read strictly, flaw by flaw, and written in one canonical form.
//!
//! It leaves out what only a repository knows: who changed the file, in which commit, beside what.

mod canonical;
mod reader;
#[cfg(test)]
mod tests;

pub use reader::read;

use crate::{
    Base, Calibration, Emulation, Fault, FaultCode, Host, MetricId, Provenance, Reference,
    ReferenceMetric, Unit, Work,
};
use hmac_sha256::Hash;
use std::collections::{BTreeMap, BTreeSet};

/// The schema that is read and written. Version rule: another one is not read.
pub const SCHEMA: &str = "portcullis.canary_baseline.v1";
/// Fewer samples of a metric prove nothing.
pub const SAMPLES_MIN: usize = 5;

/// A baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// The canary.
    pub canary: String,
    /// When it was written, RFC 3339 in UTC.
    pub refreshed_at: String,
    /// By whom.
    pub refreshed_by: String,
    /// Why: one line with a link.
    pub reason: String,
    /// The commit that was measured, 40 hexadecimal digits.
    pub commit: String,
    /// The run that measured it.
    pub run_id: String,
    /// What the runs did.
    pub work: Work,
    /// Whether it was measured, or computed from another machine's.
    pub origin: Origin,
    /// The machine.
    pub host: Host,
    /// The kernels on that machine.
    pub calibration_ns: Calibration,
    /// How often identical programs were called different.
    pub aa: Option<AaFigures>,
    /// How often added work was noticed.
    pub injection: Option<InjectionFigures>,
    /// The metrics.
    pub measurements: BTreeMap<MetricId, Measured>,
    /// Metrics that are not measured any more, on purpose.
    pub retired: BTreeSet<MetricId>,
}

/// Where the values come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// They were measured.
    Measured,
    /// They were computed; never for a gating lane.
    Projected {
        /// The class of machine that they were computed from.
        from: String,
        /// What they were multiplied with, as it was written.
        factor: f64,
    },
}

/// One metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Its unit.
    pub unit: Unit,
    /// The median of the samples.
    pub value: u64,
    /// All samples in the order of measuring.
    pub samples: Vec<u64>,
    /// The robust spread of their logarithms.
    pub s_d: f64,
}

/// What came of measuring the base against itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AaFigures {
    /// How often it was measured.
    pub repeats: u64,
    /// How many further repeats were drawn from these; they prove nothing about the rate.
    pub resampled: u64,
    /// How many of them would have been told.
    pub false_comment: u64,
    /// How many of them would have blocked.
    pub false_fail: u64,
    /// The 99.9th percentile of the change, in thousandths of a percent.
    pub q999_milli_pct: i64,
    /// The rate that lies above the true one with 95 %.
    pub rate_upper95: f64,
}

/// What came of measuring the base with added work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InjectionFigures {
    /// How much work was added, in thousandths of a percent.
    pub milli_pct: i64,
    /// How often it was measured.
    pub repeats: u64,
    /// How often it was noticed.
    pub detected: u64,
}

/// What is wrong with a baseline, as hygiene calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FlawCode {
    /// A field of the header is absent, of another type, or says nothing.
    HeaderIncomplete,
    /// A key that no field has.
    UnknownKey,
    /// A time that is not RFC 3339 in UTC.
    TimeMalformed,
    /// A value that is no positive whole number.
    ValueNotPositive,
    /// A value that is null, infinite, or no number at all.
    ValueNotFinite,
    /// A value that is not the median of its samples.
    ValueNotMedian,
    /// Fewer samples than are stated, or than prove anything.
    TooFewSamples,
    /// A digest that is not that of what it is stated of.
    DigestMismatch,
}

impl FlawCode {
    /// Returns the name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HeaderIncomplete => "header_incomplete",
            Self::UnknownKey => "unknown_key",
            Self::TimeMalformed => "time_malformed",
            Self::ValueNotPositive => "value_not_positive",
            Self::ValueNotFinite => "value_not_finite",
            Self::ValueNotMedian => "value_not_median",
            Self::TooFewSamples => "too_few_samples",
            Self::DigestMismatch => "digest_mismatch",
        }
    }
}

/// One flaw and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What it is.
    pub code: FlawCode,
    /// The metric, where it is one's.
    pub metric: Option<MetricId>,
    /// The JSON pointer.
    pub pointer: String,
    /// One sentence.
    pub detail: String,
}

/// What was read: the document as far as it can be used, and everything that is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The baseline without what is flawed; absent when the header cannot be used.
    pub baseline: Option<Baseline>,
    /// Every metric that the document names, those with a flaw as well.
    pub names: BTreeSet<MetricId>,
    /// The flaws, in the order of the document.
    pub flaws: Vec<Flaw>,
}

impl Reading {
    /// Returns what a measurement is compared with. A flaw is a fault of the base, never a reason to do without.
    #[must_use]
    pub fn into_base(self) -> Base {
        let Some(baseline) = self.baseline else {
            let details: Vec<String> = self
                .flaws
                .iter()
                .map(|flaw| format!("{}: {}", flaw.pointer, flaw.detail))
                .collect();
            return Base::Unreadable(details.join("; "));
        };
        let faults = self.flaws.into_iter().map(|flaw| {
            let code = match flaw.code {
                FlawCode::ValueNotPositive => FaultCode::BaselineNotPositive,
                FlawCode::ValueNotFinite => FaultCode::ValueNotFinite,
                FlawCode::HeaderIncomplete
                | FlawCode::UnknownKey
                | FlawCode::TimeMalformed
                | FlawCode::ValueNotMedian
                | FlawCode::TooFewSamples
                | FlawCode::DigestMismatch => FaultCode::BaselineUnreadable,
            };
            let detail = format!("{} at {}: {}", flaw.code.as_str(), flaw.pointer, flaw.detail);
            Fault { code, metric: flaw.metric, detail }
        });
        let mut reference = baseline.reference();
        reference.faults = faults.collect();
        Base::Read(Box::new(reference))
    }
}

impl Baseline {
    /// Returns the canonical text: sorted keys, one value per line but for arrays, and the digest of the rest.
    #[must_use]
    pub fn write(&self) -> String {
        canonical::write(self)
    }

    /// Returns what the kernel compares with.
    #[must_use]
    pub fn reference(&self) -> Reference {
        let metrics = self.measurements.iter().map(|(metric, measured)| {
            let Measured { unit, value, samples, s_d: _ } = measured.clone();
            (metric.clone(), ReferenceMetric { unit, value, samples, work: self.work })
        });
        Reference {
            provenance: match self.origin {
                Origin::Measured => Provenance::Measured,
                Origin::Projected { .. } => Provenance::Projected,
            },
            host: self.host.clone(),
            calibration: self.calibration_ns.clone(),
            metrics: metrics.collect(),
            faults: Vec::new(),
        }
    }

    /// Returns when it was refreshed, in milliseconds since 1970; nothing for a time that the reader would refuse.
    #[must_use]
    pub fn refreshed_ms(&self) -> Option<i64> {
        crate::instant::parse_ms(&self.refreshed_at)
    }
}

/// Returns the class of a machine: 12 hexadecimal digits of SHA-256 over its first eight fields, as a JSON array.
#[must_use]
pub fn host_class(host: &Host) -> String {
    let emulation = emulation(host.emulation);
    let fields = serde_json::json!([
        host.os,
        host.arch,
        host.cpu_model,
        host.allowed_cpus,
        host.forced_cpus,
        emulation,
        host.rustc,
        host.profile_hash
    ]);
    let mut digest = hex(&Hash::hash(fields.to_string().as_bytes()));
    digest.truncate(12);
    digest
}

const fn emulation(emulation: Emulation) -> &'static str {
    match emulation {
        Emulation::None => "none",
        Emulation::Pinned => "pinned",
        Emulation::BeliefOnly => "belief_only",
    }
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Ns => "ns",
        Unit::Count => "count",
        Unit::Bytes => "bytes",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
