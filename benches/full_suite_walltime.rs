//! Times the whole gate suite of five trees, cold and warm: the canary `full_suite_walltime`.
//!
//! `cargo portcullis canary measure full_suite_walltime` measures; `cargo bench --bench full_suite_walltime` shows figures.
#![expect(clippy::disallowed_methods, reason = "a measurement times and starts other programs")]

#[path = "canary/suite.rs"]
mod suite;
#[path = "canary/trees.rs"]
mod trees;

use portcullis_gates as _;

fn main() -> std::process::ExitCode {
    suite::main("full_suite_walltime", trees::trees)
}
