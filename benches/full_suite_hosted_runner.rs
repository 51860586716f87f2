//! Times what `full_suite_walltime` times, on as many CPUs as a hosted runner has: the canary `full_suite_hosted_runner`.
//!
//! `cargo portcullis canary measure full_suite_hosted_runner` measures; without it no CPU is bound.
#![expect(clippy::disallowed_methods, reason = "a measurement times and starts other programs")]

#[path = "canary/suite.rs"]
mod suite;
#[path = "canary/trees.rs"]
mod trees;

use portcullis_gates as _;

fn main() -> std::process::ExitCode {
    suite::main("full_suite_hosted_runner", trees::trees)
}
