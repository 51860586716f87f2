//! Measuring something against itself, many times: how often that is called a change, and how often added work is.

use portcullis_canary::{
    Arm, Base, Body, Decision, Exit, Lane, Measurement, Method, MetricId, MilliPct, Order, Proof,
    Sample, Series, Threshold, Unit, Work,
    admit::{Config, admit},
    decide,
    order::{First, blocks, seed},
};

/// Pairs of one session.
pub(crate) const PAIRS: usize = 30;

/// What came of the sessions.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    /// How many there were.
    pub repeats: u64,
    /// In how many a change at the level of a comment was proven.
    pub comment: u64,
    /// In how many one at the level that blocks was.
    pub fail: u64,
    /// How far the middle of each was off, in thousandths of a percent.
    pub off_milli_pct: Vec<i64>,
}

/// The demands of a calibration of a kernel: pairs against 2 %.
pub(crate) fn of_kernel() -> Config {
    let threshold = Threshold::new(MilliPct::percent(2), Some(MilliPct::percent(2)), true);
    Config { roster: Vec::new(), ..Config::new(Lane::Gating, Method::Paired, threshold) }
}

impl Figures {
    /// Measures one session more: `take` returns a duration of the base, or of the candidate.
    ///
    /// # Errors
    /// When a run cannot be made.
    pub(crate) fn session(
        &mut self,
        name: &MetricId,
        (template, config): (&Measurement, &Config),
        pairs: usize,
        take: &mut dyn FnMut(First) -> std::io::Result<u64>,
    ) -> std::io::Result<()> {
        let run_id = format!("{}-{}", template.run_id, self.repeats);
        let (mut bases, mut candidates) = (Vec::new(), Vec::new());
        for (pair, first) in blocks(seed(&run_id), pairs).into_iter().enumerate() {
            let (base_at, candidate_at) = first.positions(pair);
            let second = if first == First::Base { First::Candidate } else { First::Base };
            for arm in [first, second] {
                let value = take(arm)?;
                match arm {
                    First::Base => bases.push(sample(value, base_at)),
                    First::Candidate => candidates.push(sample(value, candidate_at)),
                }
            }
        }
        let series = |arm, samples| Series {
            metric: name.clone(),
            unit: Unit::Ns,
            arm,
            body: Body::Samples(samples),
            source: "calibrate".to_owned(),
            schema_version: "1".to_owned(),
        };
        let measurement = Measurement {
            order: Order::Blocks { seed: seed(&run_id) },
            run_id,
            series: vec![series(Arm::Base, bases), series(Arm::Candidate, candidates)],
            ..template.clone()
        };
        let admitted = admit(&measurement, &Base::NotNeeded, config);
        self.repeats += 1;
        let proven = |of: fn(&portcullis_canary::Proven) -> bool| {
            u64::from(admitted.evidence.iter().any(|evidence| of(&evidence.proven)))
        };
        self.comment += proven(|proven| proven.comment);
        self.fail += proven(|proven| proven.fail);
        let decision: Decision = decide(&admitted, &config.threshold, config.lane);
        for line in &decision.metrics {
            let point = line.interval.point.as_f64();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a change in thousandths of a percent is small"
            )]
            self.off_milli_pct.push(((point - 1.0) * 100_000.0).round() as i64);
        }
        Ok(())
    }

    /// The middle that only one in a thousand sessions was further off than.
    pub(crate) fn q999(&self) -> i64 {
        let mut off: Vec<i64> = self.off_milli_pct.iter().map(|off| off.abs()).collect();
        off.sort_unstable();
        let rank = (off.len() * 999).div_ceil(1_000).saturating_sub(1);
        off.get(rank).copied().unwrap_or(0)
    }

    /// The rate that lies above the true one with 95 %: of no alarm in N, 3 / N.
    pub(crate) fn rate_upper95(&self) -> f64 {
        upper95(self.comment.max(self.fail), self.repeats)
    }
}

/// The rate at which so few alarms in so many sessions have a chance of 5 % (Poisson).
#[expect(clippy::cast_precision_loss, reason = "numbers of sessions are far below 2^52")]
fn upper95(alarms: u64, repeats: u64) -> f64 {
    if repeats == 0 {
        return 1.0;
    }
    if alarms == 0 {
        return (3.0 / repeats as f64).min(1.0);
    }
    let chance = |mean: f64| {
        let mut term = (-mean).exp();
        let mut sum = term;
        for k in 1..=alarms {
            term *= mean / k as f64;
            sum += term;
        }
        sum
    };
    let (mut low, mut high) = (alarms as f64, alarms as f64 * 4.0 + 10.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if chance(middle) > 0.05 { low = middle } else { high = middle }
    }
    (high / repeats as f64).min(1.0)
}

fn sample(value: u64, position: u8) -> Sample {
    Sample {
        value,
        censored: false,
        exit: Exit::Code(0),
        proof: vec![Proof::ResultFile],
        position,
        work: Work::UNSTATED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_bounded_as_they_are_taught() {
        let table = [(0, 30_000, 1e-4), (1, 1_000, 4.744e-3), (3, 1_000, 7.754e-3), (0, 0, 1.0)];
        for (alarms, repeats, expected) in table {
            let rate = upper95(alarms, repeats);
            assert!((rate - expected).abs() < 2e-6, "{alarms} of {repeats}: {rate}");
        }
    }
}
