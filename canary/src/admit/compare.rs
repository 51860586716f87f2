//! Which comparison decides: a pair of the same job, else a base of the same class, else a converted one.

use super::{Arms, Config, soundness};
use crate::{
    Arm, Base, Body, Comparability, Fault, FaultCode, Measurement, Method, MetricId, Provenance,
    Ratio, Reference, ReferenceMetric, Sample, Unit,
    stats::{Comparison, Normalised, Paired, TwoSample, normalised::Factor},
};

/// A metric compared, and what is shown of it.
pub(super) struct Compared {
    pub(super) comparison: Comparison,
    pub(super) unit: Unit,
    pub(super) host: Comparability,
    pub(super) base_value: u64,
    pub(super) candidate_value: u64,
}

/// Compares one metric, or reports why it cannot be compared.
pub(super) fn compare(
    metric: &MetricId,
    arms: &Arms<'_>,
    measurement: &Measurement,
    base: &Base,
    config: &Config,
    faults: &mut Vec<Fault>,
) -> Option<Compared> {
    let compared = match config.method {
        Method::Budget => budget(metric, arms),
        Method::Paired | Method::TwoSample | Method::Normalised | Method::Point => {
            change(metric, arms, measurement, base, config, faults)
        }
    };
    let compared = match compared {
        Ok(compared) => compared,
        Err(fault) => {
            faults.extend(fault);
            return None;
        }
    };
    let comparison = &compared.comparison;
    let n = comparison.n();
    if matches!(comparison, Comparison::Point(_)) {
        if config.lane.is_gating() {
            let detail = "a summary without samples bounds nothing, and this lane blocks";
            faults.push(Fault::of_metric(FaultCode::SamplesBelowMinimum, metric, detail));
        }
    } else if n < config.minimum {
        let detail = format!("{n} samples, at least {} are needed", config.minimum);
        faults.push(Fault::of_metric(FaultCode::SamplesBelowMinimum, metric, detail));
    }
    Some(compared)
}

type Refused = Option<Fault>;

fn refused(code: FaultCode, metric: &MetricId, detail: impl Into<String>) -> Refused {
    Some(Fault::of_metric(code, metric, detail))
}

fn budget(metric: &MetricId, arms: &Arms<'_>) -> Result<Compared, Refused> {
    let (Some(part), Some(total)) = (arms.get(Arm::Part), arms.get(Arm::Total)) else {
        let detail = "a budget needs a part and its total";
        return Err(refused(FaultCode::MeasurementMissing, metric, detail));
    };
    match (&part.body, &total.body) {
        (Body::Samples(parts), Body::Samples(totals)) => {
            let paired = pairs(metric, parts, totals)?;
            Ok(shown(Comparison::Budget(paired), part.unit, middle(totals), middle(parts)))
        }
        // A share of two summaries would be judged as a change.
        (Body::Summary(_), _) | (_, Body::Summary(_)) => {
            let detail = "a budget needs the part and the total of every run";
            Err(refused(FaultCode::SamplesBelowMinimum, metric, detail))
        }
    }
}

fn change(
    metric: &MetricId,
    arms: &Arms<'_>,
    measurement: &Measurement,
    base: &Base,
    config: &Config,
    faults: &mut Vec<Fault>,
) -> Result<Compared, Refused> {
    if arms.get(Arm::Part).is_some() || arms.get(Arm::Total).is_some() {
        let detail = "parts and totals are judged as a budget, which this canary is not";
        return Err(refused(FaultCode::UnknownShape, metric, detail));
    }
    let Some(candidate) = arms.get(Arm::Candidate) else {
        let detail = "the base was measured, the candidate was not";
        return Err(refused(FaultCode::MetricMissing, metric, detail));
    };
    let Some(in_job) = arms.get(Arm::Base) else {
        if config.method == Method::Paired {
            return Err(unpaired(metric, measurement));
        }
        return against_reference(metric, arms, measurement, base, faults);
    };
    match (&candidate.body, &in_job.body) {
        (Body::Samples(now), Body::Samples(then)) if config.method == Method::TwoSample => {
            let comparison = two_sample(metric, now, &values(then))?;
            Ok(shown(comparison, candidate.unit, middle(then), middle(now)))
        }
        (Body::Samples(now), Body::Samples(then)) => {
            let comparison = Comparison::Paired(pairs(metric, now, then)?);
            Ok(shown(comparison, candidate.unit, middle(then), middle(now)))
        }
        (now, then) => point(metric, candidate.unit, value(now), value(then)),
    }
}

/// A measurement without any base arm is not paired; one with others has this metric only in the candidate.
fn unpaired(metric: &MetricId, measurement: &Measurement) -> Refused {
    if measurement.series.iter().any(|series| series.arm == Arm::Base) {
        let detail = "the candidate has this metric, the base does not";
        return refused(FaultCode::MetricUnbaselined, metric, detail);
    }
    let detail = "a paired canary needs the base measured in the same job";
    Some(Fault::of_run(FaultCode::MeasurementMissing, detail))
}

fn against_reference(
    metric: &MetricId,
    arms: &Arms<'_>,
    measurement: &Measurement,
    base: &Base,
    faults: &mut Vec<Fault>,
) -> Result<Compared, Refused> {
    let reference = match base {
        Base::Read(reference) => reference,
        // Told once, for the run.
        Base::Unreadable(_) => return Err(None),
        Base::NotNeeded | Base::Missing => {
            let detail = "there is no base to compare with";
            return Err(Some(Fault::of_run(FaultCode::BaselineMissing, detail)));
        }
    };
    let Some(then) = reference.metrics.get(metric) else {
        return Err(refused(FaultCode::MetricUnbaselined, metric, "the base lacks this metric"));
    };
    let Some(candidate) = arms.get(Arm::Candidate) else {
        return Err(refused(FaultCode::MetricMissing, metric, "the candidate was not measured"));
    };
    if then.unit != candidate.unit {
        let detail = format!("measured in {:?}, the base is in {:?}", candidate.unit, then.unit);
        return Err(refused(FaultCode::UnitMismatch, metric, detail));
    }
    if then.value == 0 || then.samples.contains(&0) {
        return Err(refused(FaultCode::BaselineNotPositive, metric, "the base has a zero"));
    }
    let Body::Samples(now) = &candidate.body else {
        return point(metric, candidate.unit, value(&candidate.body), then.value);
    };
    let mut elsewhere = Vec::new();
    if let Some(work) = soundness::work_of(candidate, now, &mut elsewhere) {
        soundness::compare_work(metric, then.work, work, faults);
    }
    with_samples(metric, now, then, candidate.unit, measurement, reference)
}

fn with_samples(
    metric: &MetricId,
    now: &[Sample],
    then: &ReferenceMetric,
    unit: Unit,
    measurement: &Measurement,
    reference: &Reference,
) -> Result<Compared, Refused> {
    // A projected base has no samples of this machine: whatever it holds is one value.
    if then.samples.is_empty() || reference.provenance == Provenance::Projected {
        return point(metric, unit, middle(now), then.value);
    }
    if measurement.host.is_same_class(&reference.host) {
        let known: Vec<(u64, bool)> = then.samples.iter().map(|value| (*value, false)).collect();
        return Ok(shown(two_sample(metric, now, &known)?, unit, then.value, middle(now)));
    }
    if !measurement.host.is_convertible(&reference.host) {
        let detail = "system, architecture, emulation or build profile differ from the base's";
        return Err(Some(Fault::of_run(FaultCode::HostIncomparable, detail)));
    }
    let calibration = measurement.calibration.as_ref();
    let factor = calibration.and_then(|now| Factor::new(now, &reference.calibration));
    let Some(factor) = factor else {
        let detail = "another class of machine, and no calibration converts to it: a kernel is \
                      missing, or the machines differ by more than a factor of three";
        return Err(Some(Fault::of_run(FaultCode::HostIncomparable, detail)));
    };
    let normalised = Normalised::new(&values(now), &then.samples, factor);
    let Some(normalised) = normalised else {
        return Err(refused(FaultCode::ValueNotPositive, metric, "a value is zero"));
    };
    let n = u32::try_from(now.len()).unwrap_or(u32::MAX);
    let comparison = Comparison::Normalised(normalised, n);
    let host = Comparability::Normalised { ln_g: factor.ln_g, s_g: factor.s_g };
    Ok(Compared { host, ..shown(comparison, unit, then.value, middle(now)) })
}

fn pairs(metric: &MetricId, over: &[Sample], under: &[Sample]) -> Result<Paired, Refused> {
    if over.len() != under.len() {
        let detail = format!("{} and {} samples do not make pairs", over.len(), under.len());
        return Err(refused(FaultCode::UnknownShape, metric, detail));
    }
    let paired = Paired::new(over, under);
    paired.ok_or_else(|| refused(FaultCode::BaselineNotPositive, metric, "the base has a zero"))
}

fn two_sample(
    metric: &MetricId,
    now: &[Sample],
    then: &[(u64, bool)],
) -> Result<Comparison, Refused> {
    let two = TwoSample::new(&values(now), then).map(Comparison::TwoSample);
    two.ok_or_else(|| refused(FaultCode::ValueNotPositive, metric, "a value is zero"))
}

fn point(metric: &MetricId, unit: Unit, now: u64, then: u64) -> Result<Compared, Refused> {
    let Some(ratio) = Ratio::new(now, then) else {
        return Err(refused(FaultCode::BaselineNotPositive, metric, "the base is zero"));
    };
    Ok(shown(Comparison::Point(ratio), unit, then, now))
}

const fn shown(
    comparison: Comparison,
    unit: Unit,
    base_value: u64,
    candidate_value: u64,
) -> Compared {
    Compared { comparison, unit, host: Comparability::Same, base_value, candidate_value }
}

fn values(samples: &[Sample]) -> Vec<(u64, bool)> {
    samples.iter().map(|sample| (sample.value, sample.censored)).collect()
}

fn value(body: &Body) -> u64 {
    match body {
        Body::Samples(samples) => middle(samples),
        Body::Summary(summary) => summary.value,
    }
}

/// Returns the upper median of the values.
fn middle(samples: &[Sample]) -> u64 {
    let mut values: Vec<u64> = samples.iter().map(|sample| sample.value).collect();
    if values.is_empty() {
        return 0;
    }
    let half = values.len() / 2;
    *values.select_nth_unstable(half).1
}
