//! Change points on simulated series: how often one is found where there is none, and where there is one.

use portcullis_canary::{
    MilliPct, Point, changes,
    changes::{largest, threshold},
    order::SplitMix64,
    stats::elementary::exp,
};
use serde_json::{Value, json};

#[derive(Clone, Copy)]
enum Noise {
    Normal,
    StudentT3,
    Ar03,
}

struct Source {
    noise: Noise,
    random: SplitMix64,
    last: f64,
}

impl Source {
    fn new(noise: Noise, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let last = random.normal();
        Self { noise, random, last }
    }

    fn next(&mut self) -> f64 {
        match self.noise {
            Noise::Normal => self.random.normal(),
            Noise::StudentT3 => {
                let chi: f64 = (0..3).map(|_| self.random.normal().powi(2)).sum();
                self.random.normal() / (chi / 3.0).sqrt()
            }
            Noise::Ar03 => {
                self.last = 0.3 * self.last + 0.91_f64.sqrt() * self.random.normal();
                self.last
            }
        }
    }
}

const NOISES: [(&str, Noise); 3] =
    [("normal", Noise::Normal), ("student_t3", Noise::StudentT3), ("ar_0.3", Noise::Ar03)];
const SIZES: [usize; 10] = [12, 15, 20, 30, 40, 50, 75, 100, 150, 200];

fn points(values: impl Iterator<Item = f64>) -> Vec<Point> {
    values.map(|ln| Point { value: exp(20.0 + ln) as u64, mde: MilliPct::new(0) }).collect()
}

/// False alarms of one evaluation at a spread of 5 %, and the power for a step of 10 % at 2 %.
pub(crate) fn change_points(seed: u64) -> Value {
    const SERIES: u32 = 20_000;
    let mut rows = Vec::new();
    for (name, noise) in NOISES {
        for n in [20, 30, 50, 75, 100] {
            let mut source = Source::new(noise, seed);
            let (mut statistic, mut confirmed, mut found) = (0_u32, 0_u32, 0_u32);
            for _ in 0..SERIES {
                let logs: Vec<f64> = (0..n).map(|_| 0.05 * source.next()).collect();
                let limit = threshold(n).expect("long enough");
                statistic += u32::from(largest(&logs).is_some_and(|(_, t, _)| t >= limit));
                confirmed += u32::from(!changes(&points(logs.into_iter())).confirmed.is_empty());
                let step = |i: usize| if i + 3 < n { 0.0 } else { 1.1_f64.ln() };
                let stepped = (0..n).map(|i| step(i) + 0.02 * source.next());
                let seen = changes(&points(stepped));
                found += u32::from(seen.confirmed.iter().any(|step| step.at == n - 3));
            }
            println!(
                "change points, {name}, N = {n}: T >= h in {statistic}, confirmed {confirmed} of {SERIES}; a step of \
                 10 % at its third point {found}"
            );
            rows.push(json!({
                "noise": name, "n": n, "series": SERIES, "statistic_reaches_h": statistic,
                "confirmed_without_a_step": confirmed, "confirmed_10_pct_at_third_point_cv_2": found,
                "goal": "without a step at most 1.5 %; a step, normal, N >= 30, at least 95 %",
            }));
        }
    }
    Value::Array(rows)
}

/// The 99th percentile of the largest T on series that follow themselves by 0.3, beside the table.
pub(crate) fn thresholds(seed: u64) -> Value {
    const SERIES: usize = 300_000;
    let rows: Vec<Value> = SIZES
        .into_iter()
        .map(|n| {
            let mut source = Source::new(Noise::Ar03, seed);
            let mut largest_of: Vec<f64> = (0..SERIES)
                .map(|_| {
                    // Each series starts anew, from the stationary distribution.
                    source.last = source.random.normal();
                    let logs: Vec<f64> = (0..n).map(|_| source.next()).collect();
                    largest(&logs).expect("long enough").1
                })
                .collect();
            let (_, quantile, _) =
                largest_of.select_nth_unstable_by(SERIES / 100 * 99, f64::total_cmp);
            let stated = threshold(n).expect("long enough");
            println!("h({n}): simulated {quantile:.3}, stated {stated}");
            json!({ "n": n, "series": SERIES, "simulated": *quantile, "stated": stated })
        })
        .collect();
    Value::Array(rows)
}
