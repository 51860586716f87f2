//! Sorts out what cannot be judged, and turns the rest into evidence. Leaves out what follows from the evidence.

mod arms;
mod compare;
mod config;
mod invariant;
mod noise;
mod soundness;

pub use config::{Config, Invariant, P95Over};

use crate::{
    Base, Evidence, Fault, FaultCode, Label, Looks, Measurement, MetricId, OnUnbaselined, Proven,
    stats::{Bar, Binomial, Comparison, holm, mde, percentile},
};
use arms::Arms;
use std::collections::{BTreeMap, BTreeSet};

/// What is left to be judged, and what could not be.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted {
    /// The evidence about each admitted metric, in the order of their names.
    pub evidence: Vec<Evidence>,
    /// What is wrong, sorted.
    pub faults: Vec<Fault>,
    /// What a metric without a base does.
    pub on_unbaselined: OnUnbaselined,
}

/// The levels of one run: the whole is divided by the planned looks, and a cap takes half.
#[derive(Clone, Copy)]
struct Levels {
    change: f64,
    cap: f64,
}

/// A metric on its way to becoming evidence.
struct Candidate<'a> {
    metric: &'a MetricId,
    arms: &'a Arms<'a>,
    compared: compare::Compared,
}

/// Turns a measurement into evidence and faults. Total: whatever is handed over, something comes back.
///
/// A metric with a fault that is invalid on every lane gives no evidence. One with a lesser fault does, beside it.
#[must_use]
pub fn admit(measurement: &Measurement, base: &Base, config: &Config) -> Admitted {
    let mut faults = measurement.faults.clone();
    if measurement.schema != Measurement::SCHEMA {
        let detail = format!("schema `{}` is not `{}`", measurement.schema, Measurement::SCHEMA);
        faults.push(Fault::of_run(FaultCode::UnknownShape, detail));
    }
    let metrics = arms::by_metric(&measurement.series, &mut faults);
    if metrics.is_empty() {
        faults.push(Fault::of_run(FaultCode::EmptyMeasurement, "no metric was measured"));
    }
    noise::host_faults(measurement, config, &mut faults);
    base_faults(base, &metrics, &mut faults);
    roster_faults(&metrics, config, &mut faults);
    for (metric, arms) in &metrics {
        soundness::sample_faults(metric, arms, config, &mut faults);
    }

    let unsound = unsound_metrics(&faults);
    let mut candidates = Vec::new();
    for (metric, arms) in metrics.iter().filter(|(metric, _)| !unsound.contains(**metric)) {
        let comparison = compare::compare(metric, arms, measurement, base, config, &mut faults);
        if let Some(compared) = comparison {
            candidates.push(Candidate { metric, arms, compared });
        }
    }
    let levels = levels(measurement.looks.as_ref(), &candidates, config, &mut faults);
    let mut evidence = evidence(&candidates, measurement, levels, config, &mut faults);
    invariant::faults(&metrics, &unsound, levels.change, config, &mut faults);

    // Some faults show only in the comparison; what they concern is not judged either.
    let unsound = unsound_metrics(&faults);
    evidence.retain(|evidence| !unsound.contains(&evidence.metric));
    faults.sort_unstable();
    faults.dedup();
    Admitted { evidence, faults, on_unbaselined: config.on_unbaselined }
}

/// Returns the metrics with a fault that is invalid on every lane.
fn unsound_metrics(faults: &[Fault]) -> BTreeSet<MetricId> {
    let unsound = faults.iter().filter(|fault| fault.code.is_invalid_everywhere());
    unsound.filter_map(|fault| fault.metric.clone()).collect()
}

/// Reports a base that is missing, unreadable or projected, its own faults, and what it holds that was not measured.
fn base_faults(base: &Base, metrics: &BTreeMap<&MetricId, Arms<'_>>, faults: &mut Vec<Fault>) {
    let reference = match base {
        // Only a metric of one arm needs a base: `compare` asks for it.
        Base::NotNeeded | Base::Missing => return,
        Base::Unreadable(why) => {
            faults.push(Fault::of_run(FaultCode::BaselineUnreadable, why.clone()));
            return;
        }
        Base::Read(reference) => reference,
    };
    faults.extend(reference.faults.iter().cloned());
    if reference.provenance == crate::Provenance::Projected {
        let detail = "the base was computed from another machine's, not measured";
        faults.push(Fault::of_run(FaultCode::BaselineProjected, detail));
    }
    for metric in reference.metrics.keys().filter(|metric| !metrics.contains_key(metric)) {
        let detail = "the base has this metric, the measurement does not";
        faults.push(Fault::of_metric(FaultCode::MetricMissing, metric, detail));
    }
}

/// Reports every metric of the roster that was not measured.
fn roster_faults(
    metrics: &BTreeMap<&MetricId, Arms<'_>>,
    config: &Config,
    faults: &mut Vec<Fault>,
) {
    // A metric of base and roster is missing once.
    let known: BTreeSet<MetricId> = faults
        .iter()
        .filter(|fault| fault.code == FaultCode::MetricMissing)
        .filter_map(|fault| fault.metric.clone())
        .collect();
    let is_there = |metric: &MetricId| metrics.contains_key(metric) || known.contains(metric);
    for metric in config.roster.iter().filter(|metric| !is_there(metric)) {
        let detail = "the roster has this metric, the measurement does not";
        faults.push(Fault::of_metric(FaultCode::MetricMissing, metric, detail));
    }
}

/// Returns the levels, and reports looks that were not planned, not recorded, or recorded out of order.
fn levels(
    looks: Option<&Looks>,
    candidates: &[Candidate<'_>],
    config: &Config,
    faults: &mut Vec<Fault>,
) -> Levels {
    let mut level = config.alpha;
    if let Some(looks) = looks {
        let n = candidates.iter().map(|candidate| candidate.compared.comparison.n()).max();
        if let Some(detail) = noise::hidden_look(looks, n) {
            faults.push(Fault::of_run(FaultCode::LookHidden, detail));
        }
        level /= f64::from(looks.planned.max(1));
    }
    if config.threshold.fail_p95_ns.is_some() {
        Levels { change: level / 2.0, cap: level / 2.0 }
    } else {
        Levels { change: level, cap: 0.0 }
    }
}

/// Judges all metrics together, by Holm, and each by itself.
fn evidence(
    candidates: &[Candidate<'_>],
    measurement: &Measurement,
    levels: Levels,
    config: &Config,
    faults: &mut Vec<Fault>,
) -> Vec<Evidence> {
    let share = share_of(levels.change, candidates.len());
    let factor = mde::factor(share);
    let mut halves: BTreeMap<u32, Binomial> = BTreeMap::new();
    for candidate in candidates {
        let n = candidate.compared.comparison.n();
        // Runs are counted in thousands at most; a longer series than this is no measurement but a mistake.
        halves.entry(n).or_insert_with(|| Binomial::half(n));
    }
    let nothing = Binomial::half(0);
    let caps = caps(candidates, levels.cap, config, faults);
    let (mut p_comment, mut p_fail, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for candidate in candidates {
        let comparison = &candidate.compared.comparison;
        let half = halves.get(&comparison.n()).unwrap_or(&nothing);
        let (layout_floor, mut labels) =
            noise::of_metric(candidate, measurement, half, share, config, faults);
        labels.extend(own_labels(candidate, measurement));
        let interval = comparison.interval(half, share);
        let evidence = interval.map(|interval| Evidence {
            metric: candidate.metric.clone(),
            unit: candidate.compared.unit,
            n: comparison.n(),
            alpha: share,
            interval,
            method: comparison.method(),
            s_d: comparison.s_d(),
            mde: crate::MilliPct::default(),
            proven: Proven::default(),
            p95: caps.get(candidate.metric).copied(),
            labels,
            host: candidate.compared.host.clone(),
            layout_floor,
            base_value: candidate.compared.base_value,
            candidate_value: candidate.compared.candidate_value,
        });
        let Some(mut evidence) = evidence else {
            let detail = format!("{} samples give no bound at the level {share:e}", comparison.n());
            faults.push(Fault::of_metric(FaultCode::SamplesBelowMinimum, candidate.metric, detail));
            // It stays a member of its family: leaving it out would give its share to the others.
            p_comment.push(1.0);
            p_fail.push(1.0);
            all.push(None);
            continue;
        };
        let effective = config.threshold.effective(&evidence);
        let bar = |q| Bar::new(comparison.method(), q);
        p_comment.push(comparison.p_value(half, bar(effective.comment)));
        p_fail.push(effective.fail.map_or(1.0, |fail| comparison.p_value(half, bar(fail))));
        evidence.mde = comparison.smallest_change(bar(effective.comment), factor);
        label(&mut evidence, config);
        all.push(Some(evidence));
    }
    let comments = holm::rejections(&p_comment, levels.change);
    let fails = holm::rejections(&p_fail, levels.change);
    for ((evidence, comment), fail) in all.iter_mut().zip(comments).zip(fails) {
        if let Some(evidence) = evidence {
            let fail = fail && config.threshold.fail.is_some();
            evidence.proven = Proven { comment: comment || fail, fail };
        }
    }
    all.into_iter().flatten().collect()
}

/// Returns the labels that need no statistics.
fn own_labels(candidate: &Candidate<'_>, measurement: &Measurement) -> Vec<Label> {
    let mut labels = Vec::new();
    if measurement.identical_binaries {
        labels.push(Label::IdenticalBinaries);
    }
    let is_paired = matches!(candidate.compared.comparison, Comparison::Paired(_));
    if is_paired && measurement.order == crate::Order::Unrecorded {
        labels.push(Label::OrderUnrecorded);
    }
    if candidate.arms.is_work_unstated() {
        labels.push(Label::WorkUnstated);
    }
    labels
}

/// Adds the labels that follow from the evidence, and sorts them all.
fn label(evidence: &mut Evidence, config: &Config) {
    if let (crate::Method::Budget, Some(target)) = (evidence.method, config.target) {
        let point = evidence.interval.point;
        let comment = config.threshold.comment;
        if point.is_share_at_least(target) && !point.is_share_at_least(comment) {
            evidence.labels.push(Label::AboveTarget);
        }
    }
    if evidence.p95.is_some() && matches!(config.p95_over, P95Over::Pooled(_)) {
        evidence.labels.push(Label::PooledP95);
    }
    evidence.labels.sort_unstable();
    evidence.labels.dedup();
}

/// Returns the percentile of each metric that the cap covers; a cap that covers nothing is a fault.
fn caps(
    candidates: &[Candidate<'_>],
    level: f64,
    config: &Config,
    faults: &mut Vec<Fault>,
) -> BTreeMap<MetricId, crate::P95> {
    let mut caps = BTreeMap::new();
    if config.threshold.fail_p95_ns.is_none() || candidates.is_empty() {
        return caps;
    }
    let is_timed = |candidate: &&Candidate<'_>| candidate.compared.unit == crate::Unit::Ns;
    let covered: Vec<&Candidate<'_>> = candidates
        .iter()
        .filter(is_timed)
        .filter(|candidate| config.p95_over.covers(candidate.metric))
        .collect();
    match &config.p95_over {
        P95Over::Metric => {
            for candidate in &covered {
                let share = share_of(level, covered.len());
                if let Some(p95) = percentile::p95(judged(candidate), share) {
                    caps.insert(candidate.metric.clone(), p95);
                }
            }
        }
        P95Over::Pooled(_) => {
            let pooled = covered.iter().flat_map(|candidate| judged(candidate));
            if let Some(p95) = percentile::p95(pooled, level) {
                caps.extend(covered.iter().map(|candidate| (candidate.metric.clone(), p95)));
            }
        }
    }
    for candidate in covered.iter().filter(|candidate| !caps.contains_key(candidate.metric)) {
        let detail = "there are no samples to hold against the cap";
        faults.push(Fault::of_metric(FaultCode::SamplesBelowMinimum, candidate.metric, detail));
    }
    if covered.is_empty() {
        let detail = "the cap covers no metric in nanoseconds, so nothing was held against it";
        faults.push(Fault::of_run(FaultCode::MeasurementMissing, detail));
    }
    caps
}

fn judged<'a>(candidate: &Candidate<'a>) -> &'a [crate::Sample] {
    candidate.arms.judged_samples().unwrap_or_default()
}

/// Returns the share of a level that each of `m` tests has.
#[expect(clippy::cast_precision_loss, reason = "a number of metrics is far below 2^52")]
fn share_of(level: f64, m: usize) -> f64 {
    level / m.max(1) as f64
}

#[cfg(test)]
mod tests;
