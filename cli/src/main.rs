//! `cargo portcullis`: reads arguments, dispatches one command, exits with its code. Leaves out what a command does.

// Naming the crate links its kinds, so that their pages and codes are known without a build.
use portcullis_gates as _;

mod annotation;
mod args;
mod canary;
mod ci;
mod classified;
mod command;
mod dates;
mod digest;
mod durations;
mod engine;
mod exit;
mod export;
mod flaky;
mod ground;
mod history;
mod incident;
mod interrupt;
mod locate;
mod merge;
mod outcome;
mod plan;
mod receipts;
mod reconcile;
mod record;
mod red_log;
mod replays;
mod repository;
mod runbook;
mod scratch;
mod seal;
mod shard;
mod signature;
#[cfg(feature = "store")]
mod store;
mod suites;
mod summary;
mod transport;
mod trend;
mod triage;
mod verdict;
mod written;

use portcullis::evidence::environment::Environment;
use std::process::ExitCode;
use transport::Transport;

fn main() -> ExitCode {
    let arguments = match args::Arguments::read(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(shown) => return transport::usage(&shown),
    };
    // Whatever a command says may quote what a test or a tool said.
    let redactor = Environment::capture(&[]).redactor().clone();
    let mut out = Transport::new(arguments.format, redactor);
    let exit = match command::run(&arguments, &mut out) {
        Ok(exit) => exit,
        Err(refused) => out.refuse(&refused),
    };
    out.close(exit)
}
