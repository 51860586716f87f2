//! How long it takes to judge 10,000 metrics of 400 pairs each.

use crate::replay::{config, measurement};
use portcullis_canary::{Base, MilliPct, admit, decide, order::SplitMix64};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub(crate) fn measure() -> Value {
    const METRICS: usize = 10_000;
    const PAIRS: usize = 400;
    let mut random = SplitMix64::new(super::SEED);
    let metrics: Vec<Vec<(u64, u64)>> = (0..METRICS)
        .map(|_| {
            let mut value = || 1_000_000 + random.below(50_000);
            (0..PAIRS).map(|_| (value(), value())).collect()
        })
        .collect();
    let measurement = measurement(&metrics);
    drop(metrics);
    let config = config(MilliPct::percent(2), MilliPct::percent(5));
    // Other programs share the CPUs; the fastest of five was disturbed least.
    let mut best: Option<(Duration, Duration)> = None;
    let mut examined = 0;
    for _ in 0..5 {
        let started = Instant::now();
        let admitted = admit(&measurement, &Base::NotNeeded, &config);
        let admitting = started.elapsed();
        examined = decide(&admitted, &config.threshold, config.lane).examined;
        let total = started.elapsed();
        if best.is_none_or(|(_, least)| total < least) {
            best = Some((admitting, total));
        }
    }
    let (admitting, total) = best.unwrap_or_default();
    println!(
        "{METRICS} metrics of {PAIRS} pairs: admitted in {} ms, decided after {} ms, {} examined",
        admitting.as_millis(),
        total.as_millis(),
        examined,
    );
    json!({
        "metrics": METRICS, "pairs": PAIRS, "admit_ms": admitting.as_millis() as u64,
        "admit_and_decide_ms": total.as_millis() as u64, "threads": 1, "best_of": 5, "examined": examined, "goal": "below 1000 ms on one core",
    })
}
