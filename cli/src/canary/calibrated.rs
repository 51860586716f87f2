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
    /// When a run cannot be made, or the session cannot be judged.
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
        if admitted.evidence.is_empty() {
            // It raised no alarm because nothing could have: counting it would make the rate of alarms look smaller.
            let why = admitted.faults.iter().map(|fault| fault.detail.as_str());
            let why = why.collect::<Vec<_>>().join("; ");
            return Err(std::io::Error::other(format!("a session cannot be judged: {why}")));
        }
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
    use portcullis_canary::{Emulation, Host, Noise};

    fn template() -> Measurement {
        Measurement {
            schema: Measurement::SCHEMA.to_owned(),
            canary: "alu".to_owned(),
            run_id: "r".to_owned(),
            commit: "0".repeat(40),
            order: Order::OneArm,
            host: Host {
                os: "linux".to_owned(),
                arch: "x86_64".to_owned(),
                cpu_model: "m".to_owned(),
                allowed_cpus: 2,
                forced_cpus: None,
                emulation: Emulation::None,
                rustc: "1.95".to_owned(),
                profile_hash: "0".to_owned(),
                logical_cpus: 2,
                virt: "kvm".to_owned(),
                kernel: "6".to_owned(),
                libc: "gnu".to_owned(),
            },
            calibration: None,
            noise: Noise::default(),
            looks: None,
            identical_binaries: false,
            series: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Counts sessions in which the candidate takes so many thousandths of the base, and returns the order of their runs.
    fn counted(
        sessions: u64,
        pairs: usize,
        permille: u64,
    ) -> (std::io::Result<Figures>, Vec<First>) {
        let mut threshold = Threshold::new(MilliPct::percent(2), Some(MilliPct::percent(50)), true);
        threshold.max_mde = MilliPct::percent(50);
        let config =
            Config { roster: Vec::new(), ..Config::new(Lane::Gating, Method::Paired, threshold) };
        let name = MetricId::new("alu").expect("a name");
        let (mut figures, mut order) = (Figures::default(), Vec::new());
        let mut take = |arm: First| {
            order.push(arm);
            Ok(if arm == First::Base { 1_000_000 } else { 1_000 * permille })
        };
        for _ in 0..sessions {
            let done = figures.session(&name, (&template(), &config), pairs, &mut take);
            if let Err(source) = done {
                return (Err(source), order);
            }
        }
        (Ok(figures), order)
    }

    #[test]
    fn t37_a_session_is_drawn_and_every_alarm_in_it_is_counted() {
        let (figures, order) = counted(2, PAIRS, 1_000);
        let figures = figures.expect("sessions");
        assert_eq!((figures.repeats, figures.comment, figures.fail), (2, 0, 0));
        assert_eq!(order.len(), 4 * PAIRS);
        let firsts: Vec<First> = order.iter().step_by(2).copied().collect();
        for first in [First::Base, First::Candidate] {
            assert_eq!(
                firsts.iter().filter(|one| **one == first).count(),
                PAIRS,
                "half of all pairs"
            );
        }
        let figures = counted(10, PAIRS, 1_100).0.expect("sessions");
        assert_eq!(
            (figures.comment, figures.fail),
            (10, 0),
            "a tenth more is told, and blocks nothing"
        );
        assert_eq!(figures.q999(), 10_000);
        assert!((figures.rate_upper95() - 1.0).abs() < 1e-9, "each of them raised an alarm");
        let figures = counted(2, PAIRS, 900).0.expect("sessions");
        assert_eq!(
            (figures.comment, figures.q999()),
            (0, 10_000),
            "faster is no alarm, and is off as far"
        );
        assert_eq!(counted(1, PAIRS, 2_000).0.expect("a session").fail, 1);
    }

    #[test]
    fn what_cannot_be_judged_is_no_session_without_an_alarm() {
        for (pairs, permille) in [(5, 1_000), (PAIRS, 0)] {
            let (figures, _) = counted(1, pairs, permille);
            let source = figures.expect_err("no session").to_string();
            assert!(source.contains("cannot be judged"), "{source}");
        }
    }

    #[test]
    fn rates_are_bounded_as_they_are_taught() {
        let table = [(0, 30_000, 1e-4), (1, 1_000, 4.744e-3), (3, 1_000, 7.754e-3), (0, 0, 1.0)];
        for (alarms, repeats, expected) in table {
            let rate = upper95(alarms, repeats);
            assert!((rate - expected).abs() < 2e-6, "{alarms} of {repeats}: {rate}");
        }
    }
}
