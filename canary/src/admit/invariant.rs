//! Relations between two metrics of the candidate, such as warm against cold. Leaves out comparisons with a base.

use super::{Arms, Config, Invariant, share_of};
use crate::{
    Arm, Fault, FaultCode, MetricId, Ratio,
    stats::{Bar, TwoSample},
};
use std::collections::{BTreeMap, BTreeSet};

/// Reports every relation that is proven not to hold, that seems not to, or whose metrics are not there.
pub(super) fn faults(
    metrics: &BTreeMap<&MetricId, Arms<'_>>,
    unsound: &BTreeSet<MetricId>,
    level: f64,
    config: &Config,
    faults: &mut Vec<Fault>,
) {
    let share = share_of(level, config.invariants.len());
    for invariant in &config.invariants {
        let sides = [&invariant.left, &invariant.right];
        if sides.into_iter().any(|metric| unsound.contains(metric)) {
            continue;
        }
        let values = |metric: &MetricId| -> Option<Vec<(u64, bool)>> {
            let samples = metrics.get(metric)?.samples(Arm::Candidate)?;
            Some(samples.iter().map(|sample| (sample.value, sample.censored)).collect())
        };
        let (Some(left), Some(right)) = (values(&invariant.left), values(&invariant.right)) else {
            for metric in sides.into_iter().filter(|metric| values(metric).is_none()) {
                let detail = format!("`{}` needs its samples", shown(invariant));
                faults.push(Fault::of_metric(FaultCode::MetricMissing, metric, detail));
            }
            continue;
        };
        let Some(two) = TwoSample::new(&left, &right) else { continue };
        let exceeds = |ratio: Ratio| !Bar::Share(invariant.factor).is_not_exceeded_by(ratio);
        let is_proven = two.interval(share).is_some_and(|interval| exceeds(interval.lo));
        let code = if is_proven {
            FaultCode::InvariantBroken
        } else if two.point().is_some_and(exceeds) {
            FaultCode::InvariantSuspected
        } else {
            continue;
        };
        let detail = format!("`{}` does not hold", shown(invariant));
        faults.push(Fault::of_metric(code, &invariant.left, detail));
    }
}

fn shown(invariant: &Invariant) -> String {
    format!("{} <= {} of {}", invariant.left, invariant.factor, invariant.right)
}
