//! The ten metrics of a whole gate suite: five trees, cold and warm. What one run is stands elsewhere.

use crate::suite::{
    Failure, is_listing,
    journal::Journal,
    one,
    tree::{self, Facts},
};
use criterion::{Criterion, SamplingMode};
use std::time::Duration;

/// The trees, in the order of the roster.
const TREES: [&str; 5] = ["minimal", "workspace", "mixed", "waived", "wide"];

/// Ten metrics: each tree as a fresh copy, and as the same copy after a completed run.
pub(crate) fn trees(criterion: &mut Criterion, journal: &Journal) -> Result<(), Failure> {
    let all = if is_listing() { Vec::new() } else { facts()? };
    for (index, name) in TREES.into_iter().enumerate() {
        let mut group = criterion.benchmark_group(name);
        group.sampling_mode(SamplingMode::Flat);
        for (bench, is_warm) in [("cold_p50", false), ("warm_p50", true)] {
            let metric = format!("{name}/{bench}");
            group.bench_function(bench, |bencher| {
                bencher.iter_custom(|iterations| {
                    let mut total = Duration::ZERO;
                    for _ in 0..iterations {
                        let ran = journal.child(
                            &metric,
                            || one(name, is_warm),
                            |facts| tree::work(&all, index, facts),
                        );
                        total += ran;
                    }
                    total
                });
            });
        }
        group.finish();
    }
    Ok(())
}

/// What a run of each tree comes to. Every sample is held against it.
fn facts() -> Result<Vec<Facts>, Failure> {
    TREES.into_iter().map(|name| Ok(one(name, false)?.facts)).collect()
}
