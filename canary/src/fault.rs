//! What makes a measurement, or one metric of it, unfit to be judged. Leaves out how it is found.

use crate::{Lane, MetricId, Outcome};
use serde::{Deserialize, Serialize};

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What is wrong.
    pub code: FaultCode,
    /// The metric; absent where it concerns the whole measurement.
    pub metric: Option<MetricId>,
    /// One sentence: where, and what was found.
    pub detail: String,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// There is no metric, or one without a sample.
    EmptyMeasurement,
    /// A series that the comparison needs is not there.
    MeasurementMissing,
    /// The file is older than the run.
    MeasurementStale,
    /// A run ended otherwise than with exit code 0.
    RunFailed,
    /// Nothing shows that a run did its work.
    ProofMissing,
    /// A value is no number, or infinite.
    ValueNotFinite,
    /// A value is zero or negative, or a part is not within its total.
    ValueNotPositive,
    /// A value does not fit 64 bits.
    ValueOverflow,
    /// A document or a record has a shape that is not known.
    UnknownShape,
    /// A metric stands twice in one arm.
    DuplicateMetric,
    /// The units of the two sides differ, or higher is better.
    UnitMismatch,
    /// The base cannot be read.
    BaselineUnreadable,
    /// A value of the base is zero or negative.
    BaselineNotPositive,
    /// A value is below the least that the work can take.
    ImplausiblyFast,
    /// A relation between two metrics is proven not to hold.
    InvariantBroken,
    /// Both arms ran one and the same file.
    ArmsAreOneFile,
    /// The runs of one arm did different work.
    WorkUnstable,
    /// The candidate examined less than the base.
    WorkShrunk,
    /// A look at the data is missing from the record.
    LookHidden,
    /// The measurement was stopped for want of time.
    Deadline,
    /// More CPUs were forced than the process may use.
    ForcedAboveHost,
    /// There is no base.
    BaselineMissing,
    /// The base was computed, not measured.
    BaselineProjected,
    /// The base comes from a machine that nothing converts to this one.
    HostIncomparable,
    /// There are too few samples for any bound.
    SamplesBelowMinimum,
    /// The measurement disagrees with itself.
    NoisyRun,
    /// The forced CPU count was believed, not enforced.
    AffinityUnavailable,
    /// A metric of the roster or the base was not measured.
    MetricMissing,
    /// The candidate did other work than the base.
    WorkChanged,
    /// The points of two metrics break their relation, their bounds do not.
    InvariantSuspected,
    /// A failure did not come back when it was measured again.
    Unconfirmed,
    /// A metric has no base.
    MetricUnbaselined,
}

impl FaultCode {
    /// Every code.
    pub const ALL: [Self; 32] = [
        Self::EmptyMeasurement,
        Self::MeasurementMissing,
        Self::MeasurementStale,
        Self::RunFailed,
        Self::ProofMissing,
        Self::ValueNotFinite,
        Self::ValueNotPositive,
        Self::ValueOverflow,
        Self::UnknownShape,
        Self::DuplicateMetric,
        Self::UnitMismatch,
        Self::BaselineUnreadable,
        Self::BaselineNotPositive,
        Self::ImplausiblyFast,
        Self::InvariantBroken,
        Self::ArmsAreOneFile,
        Self::WorkUnstable,
        Self::WorkShrunk,
        Self::LookHidden,
        Self::Deadline,
        Self::ForcedAboveHost,
        Self::BaselineMissing,
        Self::BaselineProjected,
        Self::HostIncomparable,
        Self::SamplesBelowMinimum,
        Self::NoisyRun,
        Self::AffinityUnavailable,
        Self::MetricMissing,
        Self::WorkChanged,
        Self::InvariantSuspected,
        Self::Unconfirmed,
        Self::MetricUnbaselined,
    ];

    /// Returns the name, as documents spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmptyMeasurement => "empty_measurement",
            Self::MeasurementMissing => "measurement_missing",
            Self::MeasurementStale => "measurement_stale",
            Self::RunFailed => "run_failed",
            Self::ProofMissing => "proof_missing",
            Self::ValueNotFinite => "value_not_finite",
            Self::ValueNotPositive => "value_not_positive",
            Self::ValueOverflow => "value_overflow",
            Self::UnknownShape => "unknown_shape",
            Self::DuplicateMetric => "duplicate_metric",
            Self::UnitMismatch => "unit_mismatch",
            Self::BaselineUnreadable => "baseline_unreadable",
            Self::BaselineNotPositive => "baseline_not_positive",
            Self::ImplausiblyFast => "implausibly_fast",
            Self::InvariantBroken => "invariant_broken",
            Self::ArmsAreOneFile => "arms_are_one_file",
            Self::WorkUnstable => "work_unstable",
            Self::WorkShrunk => "work_shrunk",
            Self::LookHidden => "look_hidden",
            Self::Deadline => "deadline",
            Self::ForcedAboveHost => "forced_above_host",
            Self::BaselineMissing => "baseline_missing",
            Self::BaselineProjected => "baseline_projected",
            Self::HostIncomparable => "host_incomparable",
            Self::SamplesBelowMinimum => "samples_below_minimum",
            Self::NoisyRun => "noisy_run",
            Self::AffinityUnavailable => "affinity_unavailable",
            Self::MetricMissing => "metric_missing",
            Self::WorkChanged => "work_changed",
            Self::InvariantSuspected => "invariant_suspected",
            Self::Unconfirmed => "unconfirmed",
            Self::MetricUnbaselined => "metric_unbaselined",
        }
    }

    /// Returns how much the fault weighs on this lane.
    #[must_use]
    pub const fn severity(self, lane: Lane) -> Outcome {
        match self {
            Self::EmptyMeasurement
            | Self::MeasurementMissing
            | Self::MeasurementStale
            | Self::RunFailed
            | Self::ProofMissing
            | Self::ValueNotFinite
            | Self::ValueNotPositive
            | Self::ValueOverflow
            | Self::UnknownShape
            | Self::DuplicateMetric
            | Self::UnitMismatch
            | Self::BaselineUnreadable
            | Self::BaselineNotPositive
            | Self::ImplausiblyFast
            | Self::InvariantBroken
            | Self::ArmsAreOneFile
            | Self::WorkUnstable
            | Self::WorkShrunk
            | Self::LookHidden
            | Self::Deadline
            | Self::ForcedAboveHost => Outcome::Invalid,
            Self::BaselineMissing
            | Self::BaselineProjected
            | Self::HostIncomparable
            | Self::SamplesBelowMinimum
            | Self::NoisyRun
            | Self::AffinityUnavailable => {
                if lane.is_gating() {
                    Outcome::Invalid
                } else {
                    Outcome::CommentOnly
                }
            }
            Self::MetricMissing => {
                if lane.is_gating() {
                    Outcome::Fail
                } else {
                    Outcome::CommentOnly
                }
            }
            Self::WorkChanged
            | Self::InvariantSuspected
            | Self::Unconfirmed
            | Self::MetricUnbaselined => Outcome::CommentOnly,
        }
    }
}

impl FaultCode {
    /// Tells whether the fault is invalid even where a regression would only be told.
    #[must_use]
    pub fn is_invalid_everywhere(self) -> bool {
        self.severity(Lane::Advisory) == Outcome::Invalid
    }
}

impl Fault {
    /// Returns a fault of the whole measurement.
    #[must_use]
    pub fn of_run(code: FaultCode, detail: impl Into<String>) -> Self {
        Self { code, metric: None, detail: detail.into() }
    }

    /// Returns a fault of one metric.
    #[must_use]
    pub fn of_metric(code: FaultCode, metric: &MetricId, detail: impl Into<String>) -> Self {
        Self { code, metric: Some(metric.clone()), detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_with_documents_and_every_code_stands_once() {
        let mut names: Vec<&str> = FaultCode::ALL.into_iter().map(FaultCode::as_str).collect();
        for code in FaultCode::ALL {
            let text = serde_json::to_string(&code).expect("a document");
            assert_eq!(text, format!("\"{}\"", code.as_str()));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FaultCode::ALL.len());
    }

    #[test]
    fn a_fault_weighs_by_lane_as_the_table_says() {
        use FaultCode as F;
        use Outcome::{CommentOnly, Fail, Invalid};
        let lane_dependent = [
            F::BaselineMissing,
            F::BaselineProjected,
            F::HostIncomparable,
            F::SamplesBelowMinimum,
            F::NoisyRun,
            F::AffinityUnavailable,
        ];
        let told = [F::WorkChanged, F::InvariantSuspected, F::Unconfirmed, F::MetricUnbaselined];
        for code in FaultCode::ALL {
            let expected = if lane_dependent.contains(&code) {
                (CommentOnly, Invalid)
            } else if told.contains(&code) {
                (CommentOnly, CommentOnly)
            } else if code == F::MetricMissing {
                (CommentOnly, Fail)
            } else {
                (Invalid, Invalid)
            };
            let advisory = code.severity(Lane::Advisory);
            assert_eq!((advisory, code.severity(Lane::Gating)), expected, "{code:?}");
            assert_eq!(code.severity(Lane::NightlyGating), expected.1, "{code:?}");
        }
    }
}
