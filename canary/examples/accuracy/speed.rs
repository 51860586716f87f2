//! How long it takes to judge 10,000 metrics of 400 pairs each.

use crate::replay::{config, measurement};
use portcullis_canary::{Base, MilliPct, admit, decide, order::SplitMix64};
use serde_json::{Value, json};
use std::time::Instant;

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
    let started = Instant::now();
    let admitted = admit(&measurement, &Base::NotNeeded, &config);
    let admitting = started.elapsed();
    let decision = decide(&admitted, &config.threshold, config.lane);
    let total = started.elapsed();
    println!(
        "{METRICS} metrics of {PAIRS} pairs: admitted in {} ms, decided after {} ms, {} examined, {} reasons",
        admitting.as_millis(),
        total.as_millis(),
        decision.examined,
        decision.reasons.len()
    );
    json!({
        "metrics": METRICS, "pairs": PAIRS, "admit_ms": admitting.as_millis() as u64,
        "admit_and_decide_ms": total.as_millis() as u64, "threads": 1, "goal": "below 1000 ms on one core",
    })
}
