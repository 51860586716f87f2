//! Whether the samples of a metric are evidence of anything: exit, proof, value, work. Leaves out what they show.

use super::{Arms, Config};
use crate::{Arm, Body, Exit, Fault, FaultCode, MetricId, Sample, Series, Work};

/// Reports what is wrong with the series of one metric, each kind of fault once per arm.
pub(super) fn sample_faults(
    metric: &MetricId,
    arms: &Arms<'_>,
    config: &Config,
    faults: &mut Vec<Fault>,
) {
    let mut works = Vec::new();
    let mut unit = None;
    for series in arms.iter() {
        if *unit.get_or_insert(series.unit) != series.unit {
            let detail = format!("{} is in {:?}, another arm is not", series.source, series.unit);
            faults.push(Fault::of_metric(FaultCode::UnitMismatch, metric, detail));
        }
        match &series.body {
            Body::Samples(samples) => {
                series_faults(series, samples, config, faults);
                works.push((series.arm, work_of(series, samples, faults)));
            }
            Body::Summary(summary) => {
                let is_odd = |value: Option<u64>| value == Some(0);
                if summary.value == 0 || is_odd(summary.upper) {
                    push(series, zero_code(series.arm), "its summary is zero".to_owned(), faults);
                }
                if config.abs_min.is_some_and(|least| summary.value < least) {
                    push(series, FaultCode::ImplausiblyFast, below(summary.value, config), faults);
                }
            }
        }
    }
    let work_in = |arm: Arm| works.iter().find(|(of, _)| *of == arm).and_then(|(_, work)| *work);
    if let (Some(base), Some(candidate)) = (work_in(Arm::Base), work_in(Arm::Candidate)) {
        compare_work(metric, base, candidate, faults);
    }
    budget_faults(metric, arms, faults);
}

/// Reports a candidate that examined less than its base, or did something else.
pub(super) fn compare_work(metric: &MetricId, base: Work, now: Work, faults: &mut Vec<Fault>) {
    if now.count < base.count {
        let detail = format!("the candidate examined {}, the base {}", now.count, base.count);
        faults.push(Fault::of_metric(FaultCode::WorkShrunk, metric, detail));
    } else if now != base {
        let detail = format!(
            "the candidate examined {} (work {}), the base {} (work {})",
            now.count, now.digest, base.count, base.digest
        );
        faults.push(Fault::of_metric(FaultCode::WorkChanged, metric, detail));
    }
}

/// Returns the work that every finished run of an arm did, and reports runs that differ.
pub(super) fn work_of(
    series: &Series,
    samples: &[Sample],
    faults: &mut Vec<Fault>,
) -> Option<Work> {
    // A run that was cut off has not done its work, and nobody says that it has.
    let mut finished = samples.iter().filter(|sample| !sample.censored);
    let first = finished.next()?.work;
    let others = finished.filter(|sample| sample.work != first).count();
    if others > 0 {
        let detail = format!("{others} of {} runs did other work than the first", samples.len());
        push(series, FaultCode::WorkUnstable, detail, faults);
    }
    Some(first)
}

fn series_faults(series: &Series, samples: &[Sample], config: &Config, faults: &mut Vec<Fault>) {
    let least = config.abs_min.unwrap_or(0);
    let (mut failed, mut unproven, mut zero) = (Tally::default(), Tally::default(), 0);
    let mut fast: Option<u64> = None;
    for (index, sample) in samples.iter().enumerate() {
        // A run that its limit stopped was ended by us, whatever the system calls that.
        let was_stopped = matches!(sample.exit, Exit::TimeLimit | Exit::Signal(_));
        if sample.censored {
            failed.count(index, !was_stopped);
        } else {
            failed.count(index, !sample.exit.is_success());
            unproven.count(index, sample.proof.is_empty());
        }
        zero += usize::from(sample.value == 0);
        if sample.value < least {
            fast = Some(fast.map_or(sample.value, |fastest| fastest.min(sample.value)));
        }
    }
    if let Some(first) = failed.first {
        let exit = samples.get(first).map(|sample| sample.exit);
        let of = format!("{} of {} runs failed", failed.number, samples.len());
        let detail = match exit {
            Some(exit) => format!("{of}, the first at index {first} with {exit:?}"),
            None => of,
        };
        push(series, FaultCode::RunFailed, detail, faults);
    }
    if let Some(first) = unproven.first {
        let detail = format!(
            "nothing shows that {} of {} runs did their work, the first at index {first}",
            unproven.number,
            samples.len()
        );
        push(series, FaultCode::ProofMissing, detail, faults);
    }
    if zero > 0 {
        let detail = format!("{zero} of {} values are zero", samples.len());
        push(series, zero_code(series.arm), detail, faults);
    }
    if let Some(fastest) = fast {
        push(series, FaultCode::ImplausiblyFast, below(fastest, config), faults);
    }
}

/// Reports parts that are not within their total.
fn budget_faults(metric: &MetricId, arms: &Arms<'_>, faults: &mut Vec<Fault>) {
    let (Some(part), Some(total)) = (arms.samples(Arm::Part), arms.samples(Arm::Total)) else {
        return;
    };
    if let Some(at) = part.iter().zip(total).position(|(part, total)| part.value >= total.value) {
        let detail = format!("the part at index {at} is not below its total");
        faults.push(Fault::of_metric(FaultCode::ValueNotPositive, metric, detail));
    }
}

#[derive(Default)]
struct Tally {
    number: usize,
    first: Option<usize>,
}

impl Tally {
    fn count(&mut self, index: usize, is_one: bool) {
        if is_one {
            self.number += 1;
            self.first.get_or_insert(index);
        }
    }
}

const fn zero_code(arm: Arm) -> FaultCode {
    match arm {
        Arm::Base => FaultCode::BaselineNotPositive,
        Arm::Candidate | Arm::BaseAgain | Arm::Layout | Arm::Part | Arm::Total => {
            FaultCode::ValueNotPositive
        }
    }
}

fn below(value: u64, config: &Config) -> String {
    format!("{value} is below the least that the work takes, {}", config.abs_min.unwrap_or(0))
}

fn push(series: &Series, code: FaultCode, detail: String, faults: &mut Vec<Fault>) {
    let detail = format!("{} ({:?}): {detail}", series.source, series.arm);
    faults.push(Fault::of_metric(code, &series.metric, detail));
}
