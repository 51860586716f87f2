//! Measures which share of a whole run census and receipts take: the canary `census_overhead`.
//!
//! `cargo portcullis canary measure census_overhead` measures. `cargo bench --profile dev --bench census_overhead
//! --features inject -- prove` shows that a receipt which takes longer is seen: the part grows by at least 90 % of what
//! was added.
#![expect(clippy::disallowed_methods, reason = "a measurement times and starts other programs")]

#[path = "canary/suite.rs"]
mod suite;

use criterion::{Criterion, SamplingMode};
use portcullis_gates as _;
use serde_json::Value;
use std::{cell::RefCell, process::ExitCode, time::Duration};
use suite::{
    Failure, is_listing,
    journal::Journal,
    one, say,
    tree::{self, Tree},
};

fn main() -> ExitCode {
    if std::env::args().any(|word| word == "prove") {
        return suite::done(prove());
    }
    suite::main("census_overhead", shares)
}

/// Two sides of one share, both of one child: what census and receipts took, and the whole of it.
fn shares(criterion: &mut Criterion, journal: &Journal) -> Result<(), Failure> {
    const SPANS: &[(&str, &str)] = &[("PORTCULLIS_SPANS", "1")];
    let expected = if is_listing() { Vec::new() } else { vec![one("minimal", false)?.facts] };
    // Criterion measures one side after the other; each child gives a sample of both.
    let totals = RefCell::new(Vec::new());
    let mut group = criterion.benchmark_group("minimal/census_and_receipts");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("part", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut part = Duration::ZERO;
            for _ in 0..iterations {
                let mut spent = Duration::ZERO;
                let total = journal.child(
                    "minimal/census_and_receipts/part",
                    || {
                        let tree = Tree::copy("minimal")?;
                        let ran = tree.run(SPANS)?;
                        spent = census_and_receipts(&tree)?;
                        Ok(ran)
                    },
                    |facts| tree::work(&expected, 0, facts),
                );
                totals.borrow_mut().push(total);
                part += spent;
            }
            part
        });
    });
    let mut replayed = totals.into_inner().into_iter();
    group.bench_function("total", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut total = Duration::ZERO;
            for _ in 0..iterations {
                // As many as there are parts, in their order; one that is missing would be a sample of nothing.
                match replayed.next() {
                    Some(of_child) => total += of_child,
                    None => journal.fail("there are more totals than parts"),
                }
                if let Some(own) = expected.first() {
                    journal.line(
                        "minimal/census_and_receipts/total",
                        0,
                        &tree::work(&expected, 0, own),
                    );
                }
            }
            total
        });
    });
    group.finish();
    Ok(())
}

/// How long census and receipts took in the newest run of a tree: the length of the union of their spans.
fn census_and_receipts(tree: &Tree) -> Result<Duration, Failure> {
    let run = tree::runs(&tree.target())?.pop().ok_or("there is no run")?;
    let mut spans = Vec::new();
    for line in std::fs::read_to_string(run.join("events.jsonl"))?.lines() {
        let line: Value = serde_json::from_str(line)?;
        let at = |key: &str| line[key].as_u64().ok_or("a span has no time");
        spans.push((at("start_ns")?, at("end_ns")?));
    }
    Ok(Duration::from_nanos(union(spans)))
}

/// The length of what the spans cover together.
fn union(mut spans: Vec<(u64, u64)>) -> u64 {
    spans.sort_unstable();
    let (mut length, mut reached) = (0, 0);
    for (start, end) in spans {
        length += end.saturating_sub(start.max(reached));
        reached = reached.max(end);
    }
    length
}

/// Adds 50 ms to each receipt of a real run, and sees whether the part grows by at least 45 ms for each.
fn prove() -> Result<(), Failure> {
    const DELAY: Duration = Duration::from_millis(50);
    const PAIRS: usize = 9;
    const GATES: u32 = 1;
    let mut grown = Vec::new();
    for _ in 0..PAIRS {
        let spent = |delay: &str| -> Result<Duration, Failure> {
            let tree = Tree::copy("minimal")?;
            tree.run(&[("PORTCULLIS_SPANS", "1"), ("PORTCULLIS_INJECT_RECEIPT_US", delay)])?;
            census_and_receipts(&tree)
        };
        let plain = spent("0")?;
        grown.push(spent(&DELAY.as_micros().to_string())?.saturating_sub(plain));
    }
    grown.sort_unstable();
    let middle = grown[PAIRS / 2];
    say(&format!(
        "census_overhead: {GATES} receipt 50 ms slower, the part grew by {middle:?} (median of {PAIRS})\n"
    ));
    if middle >= DELAY * GATES * 9 / 10 && middle <= DELAY * GATES * 2 {
        Ok(())
    } else {
        Err("the delay is not seen: is this build one with `--features inject`?".into())
    }
}
