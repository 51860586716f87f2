//! What is asked after a red build. Leaves out what the commands do.

use super::CargoFlags;
use clap::{ArgAction, Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `triage`.
#[derive(Debug, Args)]
pub(crate) struct Triage {
    /// A log file, `-` for standard input, or a run: its directory, its `run.json`, its id, or `latest`.
    #[arg(value_name = "LOG|RUN")]
    pub source: String,
}

/// `runbook`.
#[derive(Debug, Args)]
pub(crate) struct Runbook {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: RunbookVerb,
}

/// What can be done with the runbook.
#[derive(Debug, Subcommand)]
pub(crate) enum RunbookVerb {
    /// Writes it; refused in CI.
    #[command(after_help = "Example:\n  cargo portcullis runbook generate")]
    Generate(RunbookPlace),
    /// Compares it and changes nothing; drift exits 11.
    #[command(after_help = "Example:\n  cargo portcullis runbook check")]
    Check(RunbookPlace),
}

/// Where the runbook lies.
#[derive(Debug, Args)]
pub(crate) struct RunbookPlace {
    /// The file, relative to the repository root.
    #[arg(long, default_value = "docs/runbook.md", value_name = "FILE")]
    pub path: String,
}

/// `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The format.
    #[arg(value_enum, value_name = "FORMAT")]
    pub target: crate::export::Format,
    /// A run directory, its `run.json` or `summary.json`, a run id, or `latest`.
    #[arg(long, default_value = "latest", value_name = "RUN")]
    pub run: String,
    /// Writes this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Signs with this command, which no shell reads: what is signed is on its standard input, the signature on its output.
    #[arg(long, value_name = "COMMAND")]
    pub sign_with: Option<String>,
}

/// `report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// A run directory, its `run.json` or `summary.json`, a run id, or `latest`.
    #[arg(default_value = "latest", value_name = "RUN")]
    pub run: String,
    /// Writes this file instead of one below the target directory.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Shows the page with the program that the system opens pages with.
    #[arg(long)]
    pub open: bool,
}

/// `incident`.
#[derive(Debug, Args)]
pub(crate) struct Incident {
    /// A run directory, its `run.json` or `summary.json`, a run id, or `latest`.
    pub run: String,
    /// Where the run stands for; its lane says so otherwise, and what nobody knows rounds up.
    #[arg(long, value_enum, value_name = "WHERE")]
    pub context: Option<IncidentContext>,
    /// Strict wording is needed, as it always is on a release.
    #[arg(long)]
    pub strict_wording: bool,
    /// A gate that must have passed for CI and local runs to agree.
    #[arg(long, value_name = "GATE", action = ArgAction::Append)]
    pub parity_gate: Vec<String>,
    /// Records what happened.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Records where it is handled.
    #[arg(long, value_name = "ADDRESS")]
    pub link: Option<String>,
}

/// Where a run stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IncidentContext {
    /// The main branch.
    Main,
    /// A release cut.
    Release,
    /// A branch that blocks no release.
    Pr,
}

/// `decide`.
#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// A run directory, its `run.json` or `summary.json`, a run id, or `latest`.
    pub run: String,
    /// As on this day or at this time, in UTC.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// As if this gate had no waiver.
    #[arg(long, value_name = "GATE", action = ArgAction::Append)]
    pub without_waiver: Vec<String>,
    /// As if this file were the policy.
    #[arg(long, value_name = "FILE")]
    pub with_policy: Option<PathBuf>,
}

/// `flaky`.
#[derive(Debug, Args)]
pub(crate) struct Flaky {
    /// The test target, or a package for its library, and the whole name of the test.
    #[arg(long, required = true, num_args = 2, value_names = ["SUITE", "TEST"])]
    pub test: Vec<String>,
    /// How often it is run.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub runs: u32,
    /// Who answers for the entry; the owner of the policy otherwise.
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Where it is discussed.
    #[arg(long, value_name = "ISSUE")]
    pub issue: Option<String>,
    /// What cargo is told.
    #[command(flatten)]
    pub cargo: CargoFlags,
}

/// `events`.
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Run directories, run ids, or `latest`.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// Only events of this gate.
    #[arg(long, value_name = "GATE")]
    pub gate: Option<String>,
    /// Only the ends of attempts with this outcome: `pass`, `warn`, `fail`, `skip` or `error`.
    #[arg(long, value_name = "STATUS", value_parser = ["pass", "warn", "fail", "skip", "error"])]
    pub status: Option<String>,
    /// Only events at or after this time, such as `2026-05-20T12:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = portcullis::Instant::parse)]
    pub since: Option<portcullis::Instant>,
    /// One event per line, as it was recorded.
    #[arg(long)]
    pub json: bool,
}
