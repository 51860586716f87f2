//! Recorded noise, judged: by our rules, and by the simple one.

use crate::noise::Recorded;
use portcullis_canary::{
    Arm, Base, Body, Config, Emulation, Exit, Host, Lane, Measurement, Method, MetricId, MilliPct,
    Noise, Order, Proof, Sample, Series, Threshold, Unit, Work, WorkDigest, admit, decide,
    order::SplitMix64,
    stats::{Bar, Binomial, Paired, holm},
};
use serde_json::{Value, json};

const METRICS: usize = 40;
const PAIRS: usize = 30;

fn sample(value: u64) -> Sample {
    let work = Work { digest: WorkDigest::new([1; 32]), count: 1 };
    let (exit, proof) = (Exit::Code(0), vec![Proof::ResultFile]);
    Sample { value, censored: false, exit, proof, position: 0, work }
}

fn series(index: usize, arm: Arm, values: impl Iterator<Item = u64>) -> Series {
    Series {
        metric: MetricId::new(&format!("m{index:05}")).expect("a name"),
        unit: Unit::Ns,
        arm,
        body: Body::Samples(values.map(sample).collect()),
        source: "recorded".to_owned(),
        schema_version: "1".to_owned(),
    }
}

pub(crate) fn measurement(metrics: &[Vec<(u64, u64)>]) -> Measurement {
    let mut all = Vec::with_capacity(2 * metrics.len());
    for (index, pairs) in metrics.iter().enumerate() {
        all.push(series(index, Arm::Base, pairs.iter().map(|(base, _)| *base)));
        all.push(series(index, Arm::Candidate, pairs.iter().map(|(_, candidate)| *candidate)));
    }
    Measurement {
        schema: Measurement::SCHEMA.to_owned(),
        canary: "recorded".to_owned(),
        run_id: "recorded".to_owned(),
        commit: "0".repeat(40),
        // The windows cut through the blocks of the recording.
        order: Order::Unrecorded,
        host: Host {
            os: "linux".to_owned(),
            arch: "x86_64".to_owned(),
            cpu_model: String::new(),
            allowed_cpus: 2,
            forced_cpus: None,
            emulation: Emulation::None,
            rustc: String::new(),
            profile_hash: String::new(),
            logical_cpus: 2,
            virt: String::new(),
            kernel: String::new(),
            libc: String::new(),
        },
        calibration: None,
        noise: Noise::default(),
        looks: None,
        identical_binaries: true,
        series: all,
        faults: Vec::new(),
    }
}

pub(crate) fn config(comment: MilliPct, fail: MilliPct) -> Config {
    Config::new(Lane::Gating, Method::Paired, Threshold::new(comment, Some(fail), true))
}

#[derive(Default)]
struct Alarms {
    fails: u64,
    proven: u64,
}

fn judge(measurement: &Measurement, config: &Config) -> Alarms {
    let decision =
        decide(&admit(measurement, &Base::NotNeeded, config), &config.threshold, config.lane);
    let count = |code: &str| {
        u64::try_from(decision.reasons.iter().filter(|reason| reason.code == code).count())
            .unwrap_or(u64::MAX)
    };
    Alarms { fails: count("regression_over_fail"), proven: count("regression_proven") }
}

/// 100,000 runs of 40 metrics, each of 30 pairs drawn from one recording, the arms swapped at random.
pub(crate) fn run_level(recorded: &[Recorded], seed: u64) -> Value {
    const RUNS: u64 = 100_000;
    let config = config(MilliPct::percent(2), MilliPct::percent(5));
    let mut rows = Vec::new();
    for is_contiguous in [false, true] {
        let runs = if is_contiguous { RUNS / 10 } else { RUNS };
        let mut random = SplitMix64::new(seed);
        let (mut runs_failed, mut runs_proven, mut metrics_proven) = (0_u64, 0_u64, 0_u64);
        for _ in 0..runs {
            let metrics: Vec<Vec<(u64, u64)>> = (0..METRICS)
                .map(|index| {
                    draw(&recorded[index % recorded.len()].pairs, is_contiguous, &mut random)
                })
                .collect();
            let alarms = judge(&measurement(&metrics), &config);
            runs_failed += u64::from(alarms.fails > 0);
            runs_proven += u64::from(alarms.proven > 0);
            metrics_proven += alarms.proven;
        }
        let drawn = if is_contiguous { "30 neighbours" } else { "30 independent pairs" };
        println!(
            "run level, {drawn}: {runs_failed} of {runs} runs failed, {runs_proven} had a regression_proven \
             ({metrics_proven} of {} metrics)",
            runs * 40
        );
        rows.push(json!({
            "drawn": drawn, "runs": runs, "metrics_per_run": METRICS, "pairs": PAIRS,
            "comment_pct": 2, "fail_pct": 5, "runs_failed": runs_failed,
            "runs_with_regression_proven": runs_proven, "metrics_proven": metrics_proven,
            "goal": "runs_failed / runs < 0.001; metrics_proven / metrics < 0.001",
        }));
    }
    Value::Array(rows)
}

fn draw(pairs: &[(u64, u64)], is_contiguous: bool, random: &mut SplitMix64) -> Vec<(u64, u64)> {
    let is_swapped = random.below(2) == 1;
    let mut at = |n: usize| random.below(n as u64) as usize;
    let start = at(pairs.len() - PAIRS);
    (0..PAIRS)
        .map(|i| if is_contiguous { start + i } else { at(pairs.len()) })
        .map(|index| pairs[index])
        .map(|(base, candidate)| if is_swapped { (candidate, base) } else { (base, candidate) })
        .collect()
}

/// 30,000 sessions of one metric and 30 pairs against 2 %, per kernel and way of drawing, the arms swapped at random.
///
/// The pairs are recorded ones, so the sessions are drawn and not measured: they share 2,000 pairs of one afternoon.
pub(crate) fn against_itself(recorded: &[Recorded], seed: u64) -> Value {
    const SESSIONS: u64 = 30_000;
    let config = config(MilliPct::percent(2), MilliPct::percent(2));
    let mut rows = Vec::new();
    for recorded in recorded {
        for is_contiguous in [false, true] {
            let mut random = SplitMix64::new(seed);
            let mut alarms = 0_u64;
            for _ in 0..SESSIONS {
                let pairs = draw(&recorded.pairs, is_contiguous, &mut random);
                let judged = judge(&measurement(&[pairs]), &config);
                alarms += u64::from(judged.fails > 0 || judged.proven > 0);
            }
            let drawn = if is_contiguous { "30 neighbours" } else { "30 independent pairs" };
            println!("against itself, {}, {drawn}: {alarms} of {SESSIONS} alarm", recorded.kernel);
            rows.push(json!({
                "kernel": recorded.kernel, "drawn": drawn, "sessions": SESSIONS, "pairs": PAIRS, "comment_pct": 2,
                "alarms": alarms, "measured": false, "goal": "alarms / sessions < 0.001",
            }));
        }
    }
    Value::Array(rows)
}

/// The share of runs of 40 unchanged metrics in which at least one is called slower at all, with and without Holm.
pub(crate) fn holm(recorded: &[Recorded], seed: u64) -> Value {
    const RUNS: u32 = 20_000;
    const ALPHA: f64 = 0.05;
    let mut random = SplitMix64::new(seed);
    let half = Binomial::half(PAIRS as u32);
    let (mut plain, mut corrected) = (0_u32, 0_u32);
    for _ in 0..RUNS {
        let p_values: Vec<f64> = (0..METRICS)
            .map(|index| {
                let pairs = draw(&recorded[index % recorded.len()].pairs, false, &mut random);
                let (base, candidate): (Vec<Sample>, Vec<Sample>) =
                    pairs.into_iter().map(|(base, now)| (sample(base), sample(now))).unzip();
                let paired = Paired::new(&candidate, &base).expect("pairs");
                paired.p_value(&half, Bar::Change(MilliPct::new(0)))
            })
            .collect();
        plain += u32::from(p_values.iter().any(|p| *p <= ALPHA));
        corrected += u32::from(holm::rejections(&p_values, ALPHA).contains(&true));
    }
    println!("Holm at 40 metrics, level .05: {corrected} of {RUNS} runs alarm, {plain} without it");
    json!({
        "runs": RUNS, "metrics_per_run": METRICS, "level": ALPHA,
        "runs_with_an_alarm": corrected, "runs_with_an_alarm_without_holm": plain,
    })
}

/// How often 5 % more time, put onto one arm of the recorded noise, is proven against 2 %: 1,000 draws each.
pub(crate) fn power(recorded: &[Recorded], seed: u64) -> Value {
    const DRAWS: u32 = 1_000;
    let config = config(MilliPct::percent(2), MilliPct::percent(100));
    let mut rows = Vec::new();
    for recorded in recorded {
        for n in [50_u64, 100, 200, 400] {
            let mut random = SplitMix64::new(seed);
            let mut proven = 0_u32;
            for _ in 0..DRAWS {
                let mut pair =
                    || recorded.pairs[random.below(recorded.pairs.len() as u64) as usize];
                let slower = |(base, now): (u64, u64)| (base, now + now / 20);
                let pairs: Vec<(u64, u64)> = (0..n).map(|_| slower(pair())).collect();
                proven += u32::from(judge(&measurement(&[pairs]), &config).proven > 0);
            }
            println!("power, {}, {n} pairs: {proven} of {DRAWS} proven", recorded.kernel);
            rows.push(json!({
                "kernel": recorded.kernel, "pairs": n, "draws": DRAWS, "added_pct": 5, "comment_pct": 2,
                "proven": proven, "note": "time added by arithmetic, not by work",
            }));
        }
    }
    Value::Array(rows)
}

/// Every window of the recordings, by the reference rule on medians of 5 and by ours on 30 pairs.
pub(crate) fn beside_the_simple_rule(recorded: &[Recorded]) -> Value {
    let mut rows = Vec::new();
    for recorded in recorded {
        for percent in [5, 10, 25, 50, 100] {
            let fail = MilliPct::percent(percent);
            let reaches = |base: u64, now: u64| {
                u128::from(now) * 100 >= u128::from(base) * (100 + percent.unsigned_abs() as u128)
            };
            let windows = recorded.pairs.windows(5);
            let n_simple = windows.len();
            let simple = windows
                .filter(|window| {
                    reaches(median(window, |pair| pair.0), median(window, |pair| pair.1))
                })
                .count();
            // Base measured first, candidate a thousand pairs later, as against a baseline of the same machine.
            let later = recorded.pairs.get(1_000..).unwrap_or_default();
            let apart = recorded
                .pairs
                .windows(5)
                .zip(later.windows(5))
                .filter(|(then, now)| {
                    reaches(median(then, |pair| pair.0), median(now, |pair| pair.1))
                })
                .count();
            let config = config(MilliPct::percent(percent.min(2)), fail);
            let windows = recorded.pairs.windows(PAIRS);
            let n_ours = windows.len();
            let ours = windows
                .filter(|window| judge(&measurement(&[window.to_vec()]), &config).fails > 0)
                .count();
            println!(
                "{} at {percent} %: simple rule {simple} of {n_simple} (apart {apart} of {}), ours {ours} of {n_ours}",
                recorded.kernel,
                later.len() - 4,
            );
            rows.push(json!({
                "kernel": recorded.kernel, "fail_pct": percent,
                "median_of_5_false_fails": simple, "median_of_5_evaluations": n_simple,
                "median_of_5_apart_false_fails": apart, "median_of_5_apart_evaluations": later.len() - 4,
                "ours_false_fails": ours, "ours_evaluations": n_ours,
            }));
        }
    }
    Value::Array(rows)
}

fn median(window: &[(u64, u64)], side: fn(&(u64, u64)) -> u64) -> u64 {
    let mut values: Vec<u64> = window.iter().map(side).collect();
    values.sort_unstable();
    values[values.len() / 2]
}
