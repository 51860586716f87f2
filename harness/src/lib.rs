//! CI gates as cargo tests. A gate that cannot prove it looked stays shut.
//!
//! A gate binary is a test target with `harness = false` and a few lines:
//!
//! ```text
//! portcullis::main! { crates: [portcullis_gates] }
//! ```
//!
//! Its gates come from `[[gate]]` tables in `portcullis.toml`, each an instance of a kind, and from
//! [`gate!`] declarations in linked crates. Every attempt leaves a receipt, the committed census
//! `portcullis.lock` says which receipts must exist, and one pure function decides.
//!
//! # Limitations
//! - A check that exceeds its timeout is reported, but its thread runs until the process ends.
//! - What a check prints itself is not captured; [`GateContext::note`] and commands are.
//! - A panic in a detached thread is noticed as long as the process lives.
//!
//! # Reading order
//! [`wire`] (documents), [`kernel`] (pure rules and the decision), [`evidence`] (all contact with the
//! outside), [`declare`] (the macros), [`runner`] (attempts and trials), [`report`] (documents for
//! people and scripts), [`testing`] (for authors of gates).

pub mod cpu_budget;
pub mod declare;
pub mod evidence;
pub mod kernel;
pub mod report;
pub mod runner;
pub mod testing;
pub mod wire;

pub use cpu_budget::effective_cpu_count;
pub use declare::{Examined, Tooth};
pub use evidence::{
    context::{Command, File, GateContext, GateError, Tool},
    glob::Globs,
};
pub use kernel::policy::GateTable;
pub use wire::{
    code::Code,
    fault::{Fault, Location},
    finding::{Finding, Findings},
    id::{Digest, GateId, RunId},
    outcome::{Effective, Lane, Mode, Outcome, RunVerdict, SkipReason},
    path::RelPath,
    time::{Day, Instant},
};
