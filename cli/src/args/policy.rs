//! What is asked about the policy and changed in it. Leaves out what the commands do.

use super::CargoFlags;
use clap::{ArgAction, Args, Subcommand};

/// `nextest-config`.
#[derive(Debug, Args)]
pub(crate) struct NextestConfig {
    /// Compares the committed copy and changes nothing; drift exits 11.
    #[arg(long)]
    pub check: bool,
    /// The file, relative to the repository root.
    #[arg(long, default_value = ".config/portcullis.nextest.toml", value_name = "FILE")]
    pub path: String,
    /// What cargo is told.
    #[command(flatten)]
    pub cargo: CargoFlags,
}

/// `new_gate`.
#[derive(Debug, Args)]
pub(crate) struct NewGate {
    /// The id of the kind.
    pub id: String,
    /// The source file that gets the module; the usual places are tried otherwise.
    #[arg(long, value_name = "FILE")]
    pub into: Option<String>,
}

/// `census`.
#[derive(Debug, Args)]
pub(crate) struct Census {
    /// Compares and changes nothing; the default.
    #[arg(long, conflicts_with = "bless")]
    pub check: bool,
    /// Writes `portcullis.lock` anew and says what changed; refused in CI.
    #[arg(long)]
    pub bless: bool,
    /// What cargo is told.
    #[command(flatten)]
    pub cargo: CargoFlags,
}

/// `waiver`.
#[derive(Debug, Args)]
pub(crate) struct Waiver {
    /// What to do with them.
    #[command(subcommand)]
    pub verb: WaiverVerb,
}

/// What can be done with waivers.
#[derive(Debug, Subcommand)]
pub(crate) enum WaiverVerb {
    /// Checks every waiver against today and shows when they end.
    #[command(after_help = "Example:\n  cargo portcullis waiver lint --format json")]
    Lint,
    /// Adds a waiver from today on.
    #[command(
        after_help = "Example:\n  cargo portcullis waiver new my_gate --issue '#7' --reason 'the upstream fix is not released yet' --remove-when 'it is released'"
    )]
    New(WaiverNew),
    /// Lets a waiver last longer; at most twice, at most 30 days each time.
    #[command(after_help = "Example:\n  cargo portcullis waiver renew my_gate --days 14")]
    Renew(WaiverRenew),
    /// Removes a waiver, those that a run found stale, or those that ended.
    #[command(
        after_help = "Examples:\n  cargo portcullis waiver prune my_gate\n  cargo portcullis waiver prune --stale latest"
    )]
    Prune(WaiverPrune),
    /// Shows when the waivers end, by week.
    #[command(after_help = "Example:\n  cargo portcullis waiver runway")]
    Runway,
}

/// `waiver new`.
#[derive(Debug, Args)]
pub(crate) struct WaiverNew {
    /// The gate.
    pub gate: String,
    /// Where it is discussed.
    #[arg(long)]
    pub issue: String,
    /// Why, in at least 20 characters.
    #[arg(long)]
    pub reason: String,
    /// What ends it.
    #[arg(long)]
    pub remove_when: String,
    /// Who answers for it; the owner of the policy otherwise.
    #[arg(long)]
    pub owner: Option<String>,
    /// Where it applies.
    #[arg(long, default_value = "full", value_parser = ["full", "preflight", "both"])]
    pub scope: String,
    /// How many days it lasts.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=30))]
    pub days: u32,
    /// Waives this finding alone; a new one still fails.
    #[arg(long, action = ArgAction::Append)]
    pub fingerprint: Vec<String>,
}

/// `waiver renew`.
#[derive(Debug, Args)]
pub(crate) struct WaiverRenew {
    /// The gate.
    pub gate: String,
    /// How many days longer.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=30))]
    pub days: u32,
    /// Why it is still needed.
    #[arg(long)]
    pub reason: Option<String>,
    /// Who agreed.
    #[arg(long)]
    pub approved_by: Option<String>,
}

/// `waiver prune`.
#[derive(Debug, Args)]
pub(crate) struct WaiverPrune {
    /// The gate.
    pub gate: Option<String>,
    /// Those that this run found stale.
    #[arg(long, value_name = "RUN", conflicts_with = "gate")]
    pub stale: Option<String>,
    /// Those that ended.
    #[arg(long, conflicts_with = "gate")]
    pub expired: bool,
}

/// `quarantine`.
#[derive(Debug, Args)]
pub(crate) struct Quarantine {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: QuarantineVerb,
}

/// What can be done with the quarantine.
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineVerb {
    /// Adds a test from today on; `flaky` prints what belongs into it.
    #[command(
        after_help = "Example:\n  cargo portcullis quarantine add my_suite my_test --category FLAKE-NET --issue '#7' --evidence '2 of 20 fail' --reason 'the mirror is slow' --remove-when 'the mirror is replaced'"
    )]
    Add(QuarantineAdd),
    /// Checks every entry against today.
    #[command(after_help = "Example:\n  cargo portcullis quarantine lint")]
    Lint,
    /// Removes an entry.
    #[command(after_help = "Example:\n  cargo portcullis quarantine release my_suite my_test")]
    Release(QuarantineRelease),
}

/// `quarantine add`.
#[derive(Debug, Args)]
pub(crate) struct QuarantineAdd {
    /// The test target.
    pub suite: String,
    /// The test.
    pub test: String,
    /// Why it is flaky.
    #[arg(long, value_parser = portcullis::kernel::quarantine::CATEGORIES)]
    pub category: String,
    /// Where it is discussed.
    #[arg(long)]
    pub issue: String,
    /// Where both outcomes were seen.
    #[arg(long)]
    pub evidence: String,
    /// Why it is not mended at once.
    #[arg(long)]
    pub reason: String,
    /// What ends it.
    #[arg(long)]
    pub remove_when: String,
    /// How to see it again.
    #[arg(long)]
    pub repro: Option<String>,
    /// Who answers for it; the owner of the policy otherwise.
    #[arg(long)]
    pub owner: Option<String>,
    /// How many days it lasts.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=14))]
    pub days: u32,
}

/// `quarantine release`.
#[derive(Debug, Args)]
pub(crate) struct QuarantineRelease {
    /// The entry: its name, or suite and test.
    #[arg(required = true, num_args = 1..=2, value_name = "SUITE TEST")]
    pub name: Vec<String>,
}
