//! The codes of canaries: what a measurement shows, what makes it unfit, and what is wrong with a baseline.
//!
//! The names of the first two groups are those of the kernel; a test holds the two lists together.

pub(crate) use crate::lane::METRIC_MISSING;
pub(crate) use portcullis::wire::code::VALUE_NOT_FINITE;

use portcullis::Code;

pub(crate) const REGRESSION_OVER_FAIL: Code = Code::new(
    "PC2000",
    "regression_over_fail",
    "A metric is proven to be slower by the threshold that blocks.",
);
pub(crate) const P95_OVER_CAP: Code =
    Code::new("PC2001", "p95_over_cap", "The 95th percentile of a metric is above its cap.");
pub(crate) const REGRESSION_PROVEN: Code = Code::new(
    "PC2002",
    "regression_proven",
    "A metric is proven to be slower by the threshold that is told.",
);
pub(crate) const FAIL_SUSPECTED: Code = Code::new(
    "PC2003",
    "fail_suspected",
    "The middle of a metric is slower by the threshold that blocks, and noise could explain it.",
);
pub(crate) const REGRESSION_SUSPECTED: Code = Code::new(
    "PC2004",
    "regression_suspected",
    "The middle of a metric is slower by the threshold that is told, and noise could explain it.",
);
pub(crate) const P95_SUSPECTED: Code = Code::new(
    "PC2005",
    "p95_suspected",
    "The 95th percentile of a metric is above its cap, and a single stall could explain it.",
);
pub(crate) const CANNOT_GATE: Code = Code::new(
    "PC2006",
    "cannot_gate",
    "A measurement is too noisy to prove the change that it has to block.",
);
pub(crate) const INCONCLUSIVE: Code = Code::new(
    "PC2007",
    "inconclusive",
    "A measurement is too noisy to say whether a metric became slower.",
);
pub(crate) const SUSPICIOUS_IMPROVEMENT: Code = Code::new(
    "PC2008",
    "suspicious_improvement",
    "A metric became faster than work of its kind can.",
);
pub(crate) const EMPTY_MEASUREMENT: Code = Code::new(
    "PC2009",
    "empty_measurement",
    "A measurement holds no metric, or a metric no sample.",
);
pub(crate) const MEASUREMENT_MISSING: Code = Code::new(
    "PC2010",
    "measurement_missing",
    "There is no finished measurement, or a series of it is missing.",
);
pub(crate) const MEASUREMENT_STALE: Code = Code::new(
    "PC2011",
    "measurement_stale",
    "A measurement is of another run or commit, or older than its run.",
);
pub(crate) const RUN_FAILED: Code =
    Code::new("PC2012", "run_failed", "A measured run ended otherwise than with exit code 0.");
pub(crate) const PROOF_MISSING: Code =
    Code::new("PC2013", "proof_missing", "Nothing shows that a measured run did its work.");
pub(crate) const VALUE_NOT_POSITIVE: Code = Code::new(
    "PC2014",
    "value_not_positive",
    "A measured value is zero or negative, or no whole number.",
);
pub(crate) const VALUE_OVERFLOW: Code =
    Code::new("PC2015", "value_overflow", "A measured value does not fit 64 bits.");
pub(crate) const UNKNOWN_SHAPE: Code = Code::new(
    "PC2016",
    "unknown_shape",
    "A measurement or the output of a tool has a shape that is not known.",
);
pub(crate) const DUPLICATE_METRIC: Code =
    Code::new("PC2017", "duplicate_metric", "A metric stands twice in one arm of a measurement.");
pub(crate) const UNIT_MISMATCH: Code = Code::new(
    "PC2018",
    "unit_mismatch",
    "The units of a metric differ, are not known, or higher is better.",
);
pub(crate) const BASELINE_UNREADABLE: Code = Code::new(
    "PC2019",
    "baseline_unreadable",
    "A baseline cannot be read, or was changed by hand.",
);
pub(crate) const BASELINE_NOT_POSITIVE: Code =
    Code::new("PC2020", "baseline_not_positive", "A value of a baseline is zero or negative.");
pub(crate) const IMPLAUSIBLY_FAST: Code = Code::new(
    "PC2021",
    "implausibly_fast",
    "A measured value is below the least that the work can take.",
);
pub(crate) const INVARIANT_BROKEN: Code = Code::new(
    "PC2022",
    "invariant_broken",
    "A relation between two metrics is proven not to hold.",
);
pub(crate) const ARMS_ARE_ONE_FILE: Code = Code::new(
    "PC2023",
    "arms_are_one_file",
    "Both arms of a comparison ran one and the same file.",
);
pub(crate) const WORK_UNSTABLE: Code =
    Code::new("PC2024", "work_unstable", "The runs of one arm did different work.");
pub(crate) const WORK_SHRUNK: Code =
    Code::new("PC2025", "work_shrunk", "The candidate examined less than the base.");
pub(crate) const LOOK_HIDDEN: Code = Code::new(
    "PC2026",
    "look_hidden",
    "A look at the data is missing from the record of a measurement.",
);
pub(crate) const DEADLINE: Code =
    Code::new("PC2027", "deadline", "A measurement was stopped for want of time.");
pub(crate) const FORCED_ABOVE_HOST: Code =
    Code::new("PC2028", "forced_above_host", "More CPUs were forced than the process may use.");
pub(crate) const BASELINE_MISSING: Code =
    Code::new("PC2029", "baseline_missing", "A comparison needs a baseline, and there is none.");
pub(crate) const BASELINE_PROJECTED: Code =
    Code::new("PC2030", "baseline_projected", "A baseline was computed, not measured.");
pub(crate) const HOST_INCOMPARABLE: Code = Code::new(
    "PC2031",
    "host_incomparable",
    "A baseline is of a machine that nothing converts to this one.",
);
pub(crate) const SAMPLES_BELOW_MINIMUM: Code =
    Code::new("PC2032", "samples_below_minimum", "A metric has too few samples for any bound.");
pub(crate) const NOISY_RUN: Code =
    Code::new("PC2033", "noisy_run", "A measurement disagrees with itself.");
pub(crate) const AFFINITY_UNAVAILABLE: Code = Code::new(
    "PC2034",
    "affinity_unavailable",
    "A forced CPU count was believed, and not enforced.",
);
pub(crate) const WORK_CHANGED: Code =
    Code::new("PC2035", "work_changed", "The candidate did other work than the base.");
pub(crate) const INVARIANT_SUSPECTED: Code = Code::new(
    "PC2036",
    "invariant_suspected",
    "The points of two metrics break their relation, and noise could explain it.",
);
pub(crate) const UNCONFIRMED: Code =
    Code::new("PC2037", "unconfirmed", "A failure did not come back when it was measured again.");
pub(crate) const METRIC_UNBASELINED: Code =
    Code::new("PC2038", "metric_unbaselined", "A metric has no base to compare with.");
pub(crate) const HEADER_INCOMPLETE: Code = Code::new(
    "PC2039",
    "header_incomplete",
    "A field in the header of a baseline is absent, of another type, or says nothing.",
);
pub(crate) const UNKNOWN_KEY: Code = crate::lane::UNKNOWN_KEY;
pub(crate) const TIME_MALFORMED: Code =
    Code::new("PC2041", "time_malformed", "A time is not RFC 3339 in UTC.");
pub(crate) const TIME_IN_FUTURE: Code =
    Code::new("PC2042", "time_in_future", "A baseline says that it was refreshed in the future.");
pub(crate) const ROSTER_DIFFERS: Code = Code::new(
    "PC2043",
    "roster_differs",
    "A baseline and the roster of its canary name different metrics.",
);
pub(crate) const VALUE_NOT_MEDIAN: Code = Code::new(
    "PC2044",
    "value_not_median",
    "A value of a baseline is not the median of its samples.",
);
pub(crate) const TOO_FEW_SAMPLES: Code = Code::new(
    "PC2045",
    "too_few_samples",
    "A baseline has fewer samples than it states, or than its canary takes.",
);
pub(crate) const COMMIT_UNKNOWN: Code = Code::new(
    "PC2046",
    "commit_unknown",
    "The commit of a baseline is no ancestor of the commit that is gated.",
);
pub(crate) const MIXED_CHANGE: Code =
    Code::new("PC2047", "mixed_change", "A change refreshes a baseline beside other files.");
pub(crate) const SUBJECT_WRONG: Code = Code::new(
    "PC2048",
    "subject_wrong",
    "A commit that refreshes a baseline does not say so in its subject.",
);
pub(crate) const RELAXED_TOO_FAR: Code = Code::new(
    "PC2049",
    "relaxed_too_far",
    "A refresh raises a value of a baseline by more than is allowed.",
);
pub(crate) const PROJECTED_IN_GATING: Code = Code::new(
    "PC2050",
    "projected_in_gating",
    "A baseline that was computed stands under a canary that blocks.",
);
pub(crate) const RATE_NOT_STATED: Code = Code::new(
    "PC2051",
    "rate_not_stated",
    "A baseline does not prove the rate of false alarms that its canary promises.",
);
pub(crate) const OLD: Code = Code::new("PC2052", "old", "A baseline was refreshed long ago.");
pub(crate) const HOST_CLASS_UNUSED: Code = Code::new(
    "PC2053",
    "host_class_unused",
    "A baseline is of another class of machine than the one that measures.",
);

/// The code of a reason of the kernel; every one of them has one.
pub(crate) fn of_reason(name: &str) -> Option<Code> {
    REASONS.iter().copied().find(|code| code.name() == name)
}

/// Every code that the kernel gives as a reason.
pub(crate) const REASONS: &[Code] = &[
    REGRESSION_OVER_FAIL,
    P95_OVER_CAP,
    REGRESSION_PROVEN,
    FAIL_SUSPECTED,
    REGRESSION_SUSPECTED,
    P95_SUSPECTED,
    CANNOT_GATE,
    INCONCLUSIVE,
    SUSPICIOUS_IMPROVEMENT,
    EMPTY_MEASUREMENT,
    MEASUREMENT_MISSING,
    MEASUREMENT_STALE,
    RUN_FAILED,
    PROOF_MISSING,
    VALUE_NOT_POSITIVE,
    VALUE_OVERFLOW,
    UNKNOWN_SHAPE,
    DUPLICATE_METRIC,
    UNIT_MISMATCH,
    BASELINE_UNREADABLE,
    BASELINE_NOT_POSITIVE,
    IMPLAUSIBLY_FAST,
    INVARIANT_BROKEN,
    ARMS_ARE_ONE_FILE,
    WORK_UNSTABLE,
    WORK_SHRUNK,
    LOOK_HIDDEN,
    DEADLINE,
    FORCED_ABOVE_HOST,
    BASELINE_MISSING,
    BASELINE_PROJECTED,
    HOST_INCOMPARABLE,
    SAMPLES_BELOW_MINIMUM,
    NOISY_RUN,
    AFFINITY_UNAVAILABLE,
    WORK_CHANGED,
    INVARIANT_SUSPECTED,
    UNCONFIRMED,
    METRIC_UNBASELINED,
    VALUE_NOT_FINITE,
    METRIC_MISSING,
];
