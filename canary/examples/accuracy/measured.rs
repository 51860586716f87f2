//! Real sessions: pairs that are measured here and now, judged as `compare` judges them. Draws nothing from a recording.
//!
//! A session is one measurement of its own run id, so that each has its own random order. Beside each stands what the
//! simple rule says of the same samples: medians of five, compared with a percentage.

use crate::{
    noise::load,
    replay::{config, measurement},
    work::{Kernel, Ready},
};
use portcullis_canary::{
    Base, Body, Config, Decision, Measurement, MilliPct, Order, Point, admit, changes, decide,
    order::{First, blocks, seed},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    error::Error,
    fmt::Write as _,
    fs,
    path::Path,
    time::Instant,
};

const PAIRS: usize = 30;
/// Metrics of one run where many are judged together.
const METRICS: usize = 40;
/// Points of one history.
const POINTS: usize = 50;
/// How many sessions lie between a base and what the simple rule holds against it, as against a committed value.
const APART: usize = 1_000;
const COMMENT_PCT: u64 = 2;
/// What the simple rule is tried with, in percent.
const SIMPLE_PCT: [u64; 6] = [2, 5, 10, 25, 50, 100];
/// How many sessions of each sort are kept for a test to judge again, alarms before all others.
const KEPT: usize = 12;

/// The pairs of a session, as base and candidate.
type Pairs = Vec<(u64, u64)>;

/// Measures one kernel: sessions of unchanged work, then fewer of added work; returns the row, and writes the sample.
pub(crate) fn kernel(name: &str, sessions: u64, folder: &Path) -> Result<Value, Box<dyn Error>> {
    let (name, kernel) = Kernel::parse(name).ok_or("`alu`, `alloc_sort` and `dram` are known")?;
    let mut ready = Ready::new(kernel);
    let (started, load_before, ticks) = (Instant::now(), load(), Ticks::now());
    let mut kept = String::new();
    let unchanged = unchanged(name, sessions, &mut ready, &mut kept)?;
    let mut power = Vec::new();
    for (extra_pct, sizes, share) in
        [(5, [30, 100, 200, 400].as_slice(), 30), (10, &[30, 100, 200], 100), (20, &[30, 100], 100)]
    {
        power.extend(added(name, extra_pct, sizes, sessions / share, &mut ready, &mut kept)?);
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("{name}.jsonl")), kept)?;
    Ok(json!({
        "kernel": name, "steps": ready.steps, "seconds": started.elapsed().as_secs(),
        "load": format!("before {load_before}, after {}", load()),
        "stolen_pct": Ticks::now().zip(ticks).map(|(after, before)| after.stolen_pct_since(&before)),
        "unchanged": unchanged, "added": power,
    }))
}

fn take(run_id: &str, pairs: usize, extra_pct: u64, ready: &mut Ready) -> Pairs {
    let mut all = Vec::with_capacity(pairs);
    for first in blocks(seed(run_id), pairs) {
        all.push(match first {
            First::Base => {
                let base = ready.run(0);
                (base, ready.run(extra_pct))
            }
            First::Candidate => {
                let candidate = ready.run(extra_pct);
                (ready.run(0), candidate)
            }
        });
    }
    all
}

/// The record of a session as `measure` leaves it: its run id, the order that this draws, and every position.
fn record(run_id: &str, pairs: &[(u64, u64)]) -> Measurement {
    let mut record = measurement(&[pairs.to_vec()]);
    let order = blocks(seed(run_id), pairs.len());
    for (side, series) in record.series.iter_mut().enumerate() {
        let Body::Samples(samples) = &mut series.body else { continue };
        for (index, (sample, first)) in samples.iter_mut().zip(&order).enumerate() {
            let (base, candidate) = first.positions(index);
            sample.position = if side == 0 { base } else { candidate };
        }
    }
    Measurement {
        run_id: run_id.to_owned(),
        order: Order::Blocks { seed: seed(run_id) },
        identical_binaries: false,
        ..record
    }
}

/// What was decided, and how far the pairs were apart.
struct Judged {
    decision: Decision,
    s_d: Vec<f64>,
}

fn judge(record: &Measurement, config: &Config) -> Judged {
    let admitted = admit(record, &Base::NotNeeded, config);
    let s_d = admitted.evidence.iter().map(|evidence| evidence.s_d).collect();
    Judged { decision: decide(&admitted, &config.threshold, config.lane), s_d }
}

/// Whether a slowdown is called real: what blocks, and what is told as proven.
fn is_alarm(judged: &Judged) -> bool {
    let proven = ["regression_over_fail", "regression_proven"];
    judged.decision.reasons.iter().any(|reason| proven.contains(&reason.code))
}

fn codes(judged: &Judged) -> Vec<&'static str> {
    judged.decision.reasons.iter().map(|reason| reason.code).collect()
}

/// Base against itself, the arms as they ran and the other way round.
fn unchanged(
    name: &str,
    sessions: u64,
    ready: &mut Ready,
    kept: &mut String,
) -> Result<Value, Box<dyn Error>> {
    let config = both_at(COMMENT_PCT);
    let mut found = Found::default();
    let (mut backward, mut runs, mut runs_alarmed) = (0_u64, 0_u64, 0_u64);
    let (mut histories, mut stepped) = (0_u64, 0_u64);
    let (mut of_run, mut history) = (Vec::new(), Vec::new());
    let mut bases: VecDeque<u64> = VecDeque::new();
    for session in 0..sessions {
        let run_id = format!("{name}-0-{session}");
        let pairs = take(&run_id, PAIRS, 0, ready);
        let judged = judge(&record(&run_id, &pairs), &config);
        // The order is that of the arms as they ran, so the swapped record does not claim one.
        let swapped = pairs.iter().map(|(base, candidate)| (*candidate, *base)).collect();
        backward += u64::from(is_alarm(&judge(&measurement(&[swapped]), &config)));
        bases.push_back(median(&pairs, |pair| pair.0));
        if bases.len() > APART {
            found.apart(bases.pop_front().unwrap_or(0), median(&pairs, |pair| pair.1));
        }
        found.add(&pairs, &judged);
        if found.sessions <= KEPT as u64 || is_alarm(&judged) {
            keep(&run_id, 0, &pairs, &judged, kept)?;
        }
        history.push(pairs.iter().map(|pair| pair.0).sum::<u64>() / PAIRS as u64);
        of_run.push(pairs);
        if of_run.len() == METRICS {
            runs += 1;
            runs_alarmed += u64::from(is_alarm(&judge(&measurement(&of_run), &config)));
            of_run.clear();
        }
        if history.len() == POINTS {
            histories += 1;
            let points = history.drain(..).map(|value| Point { value, mde: MilliPct::new(0) });
            stepped += u64::from(!changes(&points.collect::<Vec<_>>()).confirmed.is_empty());
        }
    }
    println!("{name}, unchanged: {} and {backward} alarms of {sessions}", found.ours);
    let mut row = found.row(PAIRS);
    row["alarms_with_the_arms_swapped"] = backward.into();
    row["goal"] = "alarms / sessions < 0.001".into();
    row["median_of_5_apart"] = json!({
        "sessions_between": APART, "evaluations": found.n_apart, "alarms": by_percent(&found.simple_apart),
    });
    row["runs_of_40"] = json!({ "runs": runs, "runs_with_an_alarm": runs_alarmed });
    row["histories_of_50"] = json!({
        "histories": histories, "with_a_confirmed_step": stepped,
        "note": "means of neighbouring sessions: what the machine did in between is a step too",
    });
    Ok(row)
}

/// Added work, the same sessions judged after fewer and after more of their pairs.
fn added(
    name: &str,
    extra_pct: u64,
    sizes: &[usize],
    sessions: u64,
    ready: &mut Ready,
    kept: &mut String,
) -> Result<Vec<Value>, Box<dyn Error>> {
    let config = both_at(COMMENT_PCT);
    let most = sizes.iter().copied().max().unwrap_or(PAIRS);
    let mut found: BTreeMap<usize, Found> = BTreeMap::new();
    for session in 0..sessions {
        let run_id = format!("{name}-{extra_pct}-{session}");
        let pairs = take(&run_id, most, extra_pct, ready);
        for size in sizes {
            let pairs = pairs.get(..*size).unwrap_or_default();
            let judged = judge(&record(&run_id, pairs), &config);
            let of_size = found.entry(*size).or_default();
            of_size.add(pairs, &judged);
            if *size <= 100 && of_size.sessions <= KEPT as u64 / 4 {
                keep(&run_id, extra_pct, pairs, &judged, kept)?;
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|(size, mut found)| {
            println!("{name}, +{extra_pct} %, {size} pairs: {} of {sessions} proven", found.ours);
            let mut row = found.row(size);
            row["added_pct"] = extra_pct.into();
            row
        })
        .collect())
}

/// A comment and a failure at the same change, as sessions against themselves are judged everywhere here.
pub(crate) fn both_at(percent: u64) -> Config {
    let percent = MilliPct::percent(i64::try_from(percent).unwrap_or(i64::MAX));
    config(percent, percent)
}

/// One session on one line, with what was said about it.
fn keep(
    run_id: &str,
    extra_pct: u64,
    pairs: &[(u64, u64)],
    judged: &Judged,
    kept: &mut String,
) -> Result<(), Box<dyn Error>> {
    let line = json!({
        "run_id": run_id, "added_pct": extra_pct, "comment_pct": COMMENT_PCT, "codes": codes(judged), "pairs": pairs,
    });
    writeln!(kept, "{line}")?;
    Ok(())
}

/// What came of the sessions of one sort.
#[derive(Default)]
struct Found {
    sessions: u64,
    ours: u64,
    codes: BTreeMap<&'static str, u64>,
    simple: [u64; SIMPLE_PCT.len()],
    simple_apart: [u64; SIMPLE_PCT.len()],
    n_apart: u64,
    both: u64,
    neither: u64,
    off_milli_pct: Vec<i64>,
    mde_milli_pct: Vec<i64>,
    s_d_milli_pct: Vec<i64>,
}

impl Found {
    fn add(&mut self, pairs: &[(u64, u64)], judged: &Judged) {
        self.sessions += 1;
        let ours = is_alarm(judged);
        self.ours += u64::from(ours);
        for code in codes(judged) {
            *self.codes.entry(code).or_default() += 1;
        }
        let (base, now) = (median(pairs, |pair| pair.0), median(pairs, |pair| pair.1));
        for (count, percent) in self.simple.iter_mut().zip(SIMPLE_PCT) {
            *count += u64::from(reaches(base, now, percent));
        }
        match (ours, reaches(base, now, COMMENT_PCT)) {
            (true, true) => self.both += 1,
            (false, false) => self.neither += 1,
            (true, false) | (false, true) => {}
        }
        for line in &judged.decision.metrics {
            self.off_milli_pct.push(milli_pct(line.interval.point.as_f64() - 1.0));
            self.mde_milli_pct.push(line.mde.get());
        }
        self.s_d_milli_pct.extend(judged.s_d.iter().map(|s_d| milli_pct(*s_d)));
    }

    fn apart(&mut self, base: u64, now: u64) {
        self.n_apart += 1;
        for (count, percent) in self.simple_apart.iter_mut().zip(SIMPLE_PCT) {
            *count += u64::from(reaches(base, now, percent));
        }
    }

    fn row(&mut self, pairs: usize) -> Value {
        json!({
            "pairs": pairs, "sessions": self.sessions, "comment_pct": COMMENT_PCT, "measured": true,
            "alarms": self.ours, "sessions_by_code": &self.codes,
            "median_of_5_alarms": by_percent(&self.simple),
            "beside_median_of_5_at_2": {
                "both": self.both, "neither": self.neither, "ours_alone": self.ours - self.both,
                "median_of_5_alone": self.simple[0] - self.both,
            },
            "point_milli_pct": quantiles(&mut self.off_milli_pct),
            "smallest_provable_milli_pct": quantiles(&mut self.mde_milli_pct),
            "spread_milli_pct": quantiles(&mut self.s_d_milli_pct),
        })
    }
}

fn by_percent(counts: &[u64]) -> BTreeMap<String, u64> {
    let named = SIMPLE_PCT.iter().zip(counts);
    named.map(|(percent, count)| (format!("{percent:03} %"), *count)).collect()
}

fn milli_pct(share: f64) -> i64 {
    (share * 100_000.0).round() as i64
}

fn quantiles(values: &mut [i64]) -> Value {
    values.sort_unstable();
    let at = |share: f64| {
        let last = values.len().saturating_sub(1) as f64;
        values.get((last * share).round() as usize).copied()
    };
    json!({ "0.001": at(0.001), "0.05": at(0.05), "0.5": at(0.5), "0.95": at(0.95), "0.999": at(0.999) })
}

/// The reference rule: so many percent or more, in whole numbers.
fn reaches(base: u64, now: u64, percent: u64) -> bool {
    u128::from(now) * 100 >= u128::from(base) * u128::from(100 + percent)
}

/// The middle of the first five.
fn median(pairs: &[(u64, u64)], side: fn(&(u64, u64)) -> u64) -> u64 {
    let mut values: Vec<u64> = pairs.iter().take(5).map(side).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// What the kernel of the system counted so far, in ticks.
struct Ticks {
    stolen: u64,
    all: u64,
}

impl Ticks {
    /// Nothing where the system does not tell.
    fn now() -> Option<Self> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let fields: Vec<u64> =
            text.lines().next()?.split_whitespace().skip(1).flat_map(str::parse).collect();
        Some(Self { stolen: *fields.get(7)?, all: fields.iter().take(8).sum() })
    }

    fn stolen_pct_since(&self, before: &Self) -> f64 {
        let share = (self.stolen - before.stolen) as f64 / (self.all - before.all).max(1) as f64;
        (share * 1_000.0).round() / 10.0
    }
}
