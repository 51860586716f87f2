//! Whether a measurement agrees with itself: the machine, the looks, the A/A arm, the order, the layout.

use super::{Candidate, Config};
use crate::{
    Arm, Emulation, Fault, FaultCode, Label, Looks, Measurement, MilliPct, Order, Ratio, Sample,
    order::blocks,
    stats::{Bar, Binomial, Comparison, Paired, TwoSample, elementary::ln},
};

/// The share of stolen time above which a measurement is noisy.
const MOST_STEAL: MilliPct = MilliPct::percent(5);

/// Reports a machine that was disturbed, or is not the one that was asked for.
pub(super) fn host_faults(measurement: &Measurement, config: &Config, faults: &mut Vec<Fault>) {
    if let Some(steal) = measurement.noise.steal.filter(|steal| *steal > MOST_STEAL) {
        let detail = format!("the hypervisor took {steal} of the time, at most {MOST_STEAL}");
        faults.push(Fault::of_run(FaultCode::NoisyRun, detail));
    }
    let host = &measurement.host;
    if let Some(forced) = host.forced_cpus.filter(|forced| *forced > host.allowed_cpus) {
        let detail = format!("{forced} CPUs were forced, {} are allowed", host.allowed_cpus);
        faults.push(Fault::of_run(FaultCode::ForcedAboveHost, detail));
    }
    let is_enforced = match host.emulation {
        Emulation::Pinned => true,
        Emulation::BeliefOnly | Emulation::None => false,
    };
    if config.affinity_required && !is_enforced {
        let detail = "the CPU count must be enforced, and was not";
        faults.push(Fault::of_run(FaultCode::AffinityUnavailable, detail));
    }
}

/// Tells how the record of the looks is not the whole of them; `n` is the number of samples that are judged.
pub(super) fn hidden_look(looks: &Looks, n: Option<u32>) -> Option<String> {
    let planned = looks.planned;
    if looks.taken.len() > usize::try_from(planned).unwrap_or(usize::MAX) {
        return Some(format!("{} looks were taken, {planned} were planned", looks.taken.len()));
    }
    let mut before = 0;
    for (look, expected) in looks.taken.iter().zip(1_u32..) {
        if look.number != expected {
            return Some(format!("look {expected} is missing, look {} is recorded", look.number));
        }
        if look.n <= before {
            return Some(format!("look {expected} adds no sample"));
        }
        before = look.n;
    }
    match n {
        Some(n) if before != n => {
            Some(format!("the last look recorded is at {before} samples, {n} are judged"))
        }
        Some(_) | None if looks.taken.is_empty() => Some("no look is recorded".to_owned()),
        Some(_) | None => None,
    }
}

/// Reports where a metric disagrees with itself at this level, and returns its layout floor and labels.
pub(super) fn of_metric(
    candidate: &Candidate<'_>,
    measurement: &Measurement,
    half: &Binomial,
    level: f64,
    config: &Config,
    faults: &mut Vec<Fault>,
) -> (Option<MilliPct>, Vec<Label>) {
    let (metric, arms) = (candidate.metric, candidate.arms);
    let alarm = Alarm { half, level, bar: Bar::Change(config.threshold.comment) };
    let noisy = |what: &str, faults: &mut Vec<Fault>| {
        let detail = format!("{what} by {} or more is proven", config.threshold.comment);
        faults.push(Fault::of_metric(FaultCode::NoisyRun, metric, detail));
    };
    let base = arms.samples(Arm::Base);
    if let Some(again) = arms.get(Arm::BaseAgain) {
        match (base, again.body.samples()) {
            (Some(base), Some(again)) if base.len() == again.len() => {
                if alarm.is_raised(again.iter().zip(base)) {
                    noisy("a difference of the base from itself", faults);
                }
            }
            (Some(_) | None, Some(_) | None) => {
                let detail = "the A/A arm does not pair with the base";
                faults.push(Fault::of_metric(FaultCode::UnknownShape, metric, detail));
            }
        }
    }
    let is_paired = matches!(candidate.compared.comparison, Comparison::Paired(_));
    match (base, arms.judged_samples()) {
        (Some(base), Some(now)) if is_paired => {
            let in_order = || now.iter().zip(base).map(|(now, base)| by_position(now, base));
            let mut refuse = |detail: String| {
                faults.push(Fault::of_metric(FaultCode::UnknownShape, metric, detail));
            };
            match measurement.order {
                Order::Blocks { seed } => {
                    if let Some(at) = first_out_of_order(seed, base, now) {
                        refuse(format!("pair {at} did not run in the order that the seed draws"));
                    }
                    if alarm.is_raised(in_order()) {
                        noisy("an advantage of a position", faults);
                    }
                }
                // Whoever says that there was one arm has not interleaved two.
                Order::OneArm => refuse("there are pairs, and the record has one arm".to_owned()),
                Order::Unrecorded => {}
            }
        }
        (None, Some(now)) if is_uneven(arms.samples(Arm::Total), now, &alarm) => {
            noisy("a difference of odd from even runs", faults);
        }
        (Some(_) | None, Some(_) | None) => {}
    }
    match (base, arms.samples(Arm::Layout)) {
        (Some(base), Some(layout)) => layout_floor(base, layout, &alarm, config, faults, candidate),
        (Some(_) | None, Some(_) | None) => (None, Vec::new()),
    }
}

struct Alarm<'a> {
    half: &'a Binomial,
    level: f64,
    bar: Bar,
}

impl Alarm<'_> {
    /// Tells whether one side of the pairs is proven to be slower than the other by the bar, either way round.
    ///
    /// Counting suffices: the lower bound of the median reaches the bar exactly when few enough ratios are below it.
    fn is_raised<'s>(&self, pairs: impl Iterator<Item = (&'s Sample, &'s Sample)>) -> bool {
        let (mut n, mut forward, mut backward) = (0_u32, 0_usize, 0_usize);
        for (over, under) in pairs {
            n = n.saturating_add(1);
            // A run that was cut off proves neither.
            if over.censored || under.censored {
                continue;
            }
            let reaches = |over: u64, under: u64| {
                Ratio::new(over, under).is_some_and(|ratio| self.bar.is_reached_by(ratio))
            };
            forward += usize::from(reaches(over.value, under.value));
            backward += usize::from(reaches(under.value, over.value));
        }
        let most = forward.max(backward);
        let Some(below) = usize::try_from(n).ok().and_then(|n| n.checked_sub(most)) else {
            return false;
        };
        // Most pairs share one number; another arm may have its own.
        if most == 0 {
            return false;
        }
        if self.half.n() == n {
            return self.half.at_most(below) <= self.level;
        }
        Binomial::half(n).at_most(below) <= self.level
    }
}

/// Returns the second and the first sample of a pair, as their positions say.
fn by_position<'a>(now: &'a Sample, base: &'a Sample) -> (&'a Sample, &'a Sample) {
    if now.position > base.position { (now, base) } else { (base, now) }
}

/// Returns the first pair whose recorded positions are not those of the seed.
fn first_out_of_order(seed: u64, base: &[Sample], now: &[Sample]) -> Option<usize> {
    let order = blocks(seed, now.len());
    let mut pairs = base.iter().zip(now).zip(order).enumerate();
    let found = pairs.find(|(index, ((base, now), first))| {
        first.positions(*index) != (base.position, now.position)
    });
    found.map(|(index, _)| index)
}

/// Tells whether odd and even runs of one arm differ; of a budget, their shares.
fn is_uneven(total: Option<&[Sample]>, now: &[Sample], alarm: &Alarm<'_>) -> bool {
    let share = |index: usize, sample: &Sample| match total.and_then(|total| total.get(index)) {
        // In billionths; a share above one was refused before.
        Some(total) if total.value > 0 => {
            let share = u128::from(sample.value) * 1_000_000_000 / u128::from(total.value);
            u64::try_from(share).unwrap_or(u64::MAX)
        }
        Some(_) | None => sample.value,
    };
    let half = |parity: usize| -> Vec<(u64, bool)> {
        let chosen = now.iter().enumerate().filter(|(index, _)| index % 2 == parity);
        chosen.map(|(index, sample)| (share(index, sample), sample.censored)).collect()
    };
    let (even, odd) = (half(0), half(1));
    let is_above = |over: &[(u64, bool)], under: &[(u64, bool)]| {
        TwoSample::new(over, under).is_some_and(|two| two.p_value(alarm.bar) <= alarm.level)
    };
    is_above(&even, &odd) || is_above(&odd, &even)
}

/// Returns how far the layout alone moves a metric, and the label if that is more than may be told from a regression.
fn layout_floor(
    base: &[Sample],
    layout: &[Sample],
    alarm: &Alarm<'_>,
    config: &Config,
    faults: &mut Vec<Fault>,
    candidate: &Candidate<'_>,
) -> (Option<MilliPct>, Vec<Label>) {
    let Some(paired) = Paired::new(layout, base) else {
        let detail = "the layout arm does not pair with the base";
        faults.push(Fault::of_metric(FaultCode::UnknownShape, candidate.metric, detail));
        return (None, Vec::new());
    };
    let floor = MilliPct::of_share_rounded_up(ln(paired.point().as_f64()).abs());
    let is_sensitive = floor > config.threshold.comment || alarm.is_raised(layout.iter().zip(base));
    let label = is_sensitive.then_some(Label::LayoutSensitive);
    (Some(floor), label.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Look;

    #[test]
    fn t36_a_record_of_looks_has_no_gap() {
        let look = |number, n| Look { number, n };
        let table = [
            ("one of two", 2, vec![look(1, 30)], None),
            ("both", 2, vec![look(1, 15), look(2, 30)], None),
            ("none is recorded", 2, vec![], Some("recorded")),
            ("the first is missing", 2, vec![look(2, 30)], Some("look 1 is missing")),
            ("one between is missing", 3, vec![look(1, 10), look(3, 30)], Some("look 2")),
            ("more than planned", 1, vec![look(1, 15), look(2, 30)], Some("1 were planned")),
            ("none was planned", 0, vec![look(1, 30)], Some("0 were planned")),
            ("a look at nothing new", 2, vec![look(1, 30), look(2, 30)], Some("adds no sample")),
            ("more was measured than looked at", 2, vec![look(1, 15)], Some("30 are judged")),
        ];
        for (case, planned, taken, expected) in table {
            let found = hidden_look(&Looks { planned, taken }, Some(30));
            match expected {
                Some(words) => assert!(found.is_some_and(|found| found.contains(words)), "{case}"),
                None => assert_eq!(found, None, "{case}"),
            }
        }
    }
}
