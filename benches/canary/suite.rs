//! What the canaries of this repository measure: the gate suite of a tree as a child process, which is this program again.
//!
//! Criterion keeps the samples; one sample is one child, and nothing is compiled while one runs.

pub(crate) mod journal;
pub(crate) mod tree;

use criterion::Criterion;
use journal::Journal;
use portcullis::runner::Package;
use std::{io::Write as _, path::Path, process::ExitCode, time::Duration};
use tree::{Ran, Tree};

/// Whatever keeps a measurement from being made.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// How often each is timed: at the level of these canaries 17 runs have a bound.
const RUNS: usize = 17;
/// The gate binary that the policies of the trees name.
const BINARY: &str = "gate";

/// Runs as the gate binary of a tree where a parent says so, else as a bench.
pub(crate) fn main(
    id: &str,
    benches: fn(&mut Criterion, &Journal) -> Result<(), Failure>,
) -> ExitCode {
    if let Ok(tree) = std::env::var(tree::VARIABLE) {
        return portcullis::runner::main(Package::at(Path::new(&tree)), BINARY);
    }
    // `cargo test` runs a bench once without `--bench`; there is nothing to measure then.
    if !std::env::args().any(|word| word == "--bench" || word == "--list") {
        return ExitCode::SUCCESS;
    }
    done(measure(id, benches))
}

pub(crate) fn done(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("not measured: {failure}\n"));
            ExitCode::from(2)
        }
    }
}

pub(crate) fn say(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}

fn measure(
    id: &str,
    benches: fn(&mut Criterion, &Journal) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let journal = Journal::open(Path::new(env!("CARGO_MANIFEST_DIR")), id)?;
    let mut criterion = Criterion::default()
        .sample_size(RUNS)
        // One iteration per sample: neither time is ever reached, and neither may be zero.
        .warm_up_time(Duration::from_nanos(1))
        .measurement_time(Duration::from_nanos(1))
        .nresamples(1_001)
        .without_plots()
        .configure_from_args();
    benches(&mut criterion, &journal)?;
    criterion.final_summary();
    journal.finish()
}

/// One timed run of a tree.
pub(crate) fn one(name: &str, is_warm: bool) -> Result<Ran, Failure> {
    let tree = Tree::copy(name)?;
    if is_warm {
        tree.run(&[])?;
    }
    tree.run(&[])
}

/// Whether only names are asked for.
pub(crate) fn is_listing() -> bool {
    std::env::args().any(|word| word == "--list")
}
