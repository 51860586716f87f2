//! The series of one metric, by arm. Leaves out what is wrong with their samples.

use crate::{Arm, Body, Fault, FaultCode, MetricId, Sample, Series, Work};
use std::collections::BTreeMap;

/// The series of one metric.
#[derive(Default)]
pub(super) struct Arms<'a>(BTreeMap<Arm, &'a Series>);

/// Sorts the series by metric and arm, and reports those that stand twice or hold nothing.
pub(super) fn by_metric<'a>(
    series: &'a [Series],
    faults: &mut Vec<Fault>,
) -> BTreeMap<&'a MetricId, Arms<'a>> {
    let mut metrics: BTreeMap<&MetricId, Arms<'a>> = BTreeMap::new();
    for series in series {
        if matches!(&series.body, Body::Samples(samples) if samples.is_empty()) {
            let detail = format!("{} has no sample of the arm {:?}", series.source, series.arm);
            faults.push(Fault::of_metric(FaultCode::EmptyMeasurement, &series.metric, detail));
        }
        let arms = metrics.entry(&series.metric).or_default();
        if let Some(first) = arms.0.insert(series.arm, series) {
            let detail = format!("it stands in {} and in {}", first.source, series.source);
            faults.push(Fault::of_metric(FaultCode::DuplicateMetric, &series.metric, detail));
        }
    }
    metrics
}

impl<'a> Arms<'a> {
    pub(super) fn get(&self, arm: Arm) -> Option<&'a Series> {
        self.0.get(&arm).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a Series> {
        self.0.values().copied()
    }

    /// Returns the samples of an arm; nothing where there is no arm, or only a summary.
    pub(super) fn samples(&self, arm: Arm) -> Option<&'a [Sample]> {
        self.get(arm)?.body.samples()
    }

    /// Returns the samples that are judged: the candidate's, of a budget the part's.
    pub(super) fn judged_samples(&self) -> Option<&'a [Sample]> {
        self.samples(Arm::Candidate).or_else(|| self.samples(Arm::Part))
    }

    /// Tells whether samples are there and none of them states its work.
    pub(super) fn is_work_unstated(&self) -> bool {
        let mut samples = self.0.values().filter_map(|series| series.body.samples()).flatten();
        samples.clone().next().is_some() && samples.all(|sample| sample.work == Work::UNSTATED)
    }
}

impl Body {
    /// Returns the samples; nothing for a summary.
    #[must_use]
    pub fn samples(&self) -> Option<&[Sample]> {
        match self {
            Self::Samples(samples) => Some(samples),
            Self::Summary(_) => None,
        }
    }
}
