//! What is run, and what is asked of one run. Leaves out what the commands do.

use super::CargoFlags;
use crate::shard::By;
use clap::{ArgAction, Args, ValueEnum};
use portcullis::kernel::policy::profile::Kind;
use std::path::PathBuf;

/// What a run selects.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Choice {
    /// A profile of `portcullis.toml`, or `quick`, `focused`, `ci`, `full`.
    #[arg(long, default_value = "quick", value_name = "NAME")]
    pub profile: String,
    /// Only these kinds: `unit`, `vcr`, `e2e`, `doc`, `gate`, or `all`.
    #[arg(long, value_delimiter = ',', value_parser = kind, value_name = "KIND")]
    pub kind: Vec<Option<Kind>>,
    /// Only tests that a nextest filterset selects; several select what any of them does.
    #[arg(short = 'E', long = "filterset", value_name = "FILTERSET", action = ArgAction::Append)]
    pub filters: Vec<String>,
    /// Only part `i` of `n`, counted from 1.
    #[arg(long, value_name = "I/N", value_parser = crate::shard::Shard::parse, conflicts_with_all = ["shard_kind", "rerun_from"])]
    pub shard: Option<(u32, u32)>,
    /// How the parts are made.
    #[arg(long, value_enum, requires = "shard", value_name = "HOW")]
    pub shard_by: Option<By>,
    /// The other spelling: whole suites, or single tests.
    #[arg(long, value_enum, requires_all = ["shard_index", "shard_total"], conflicts_with = "rerun_from", value_name = "WHAT")]
    pub shard_kind: Option<ShardKind>,
    /// Which part, counted from 0.
    #[arg(long, requires = "shard_kind", value_name = "I")]
    pub shard_index: Option<u32>,
    /// How many parts.
    #[arg(long, requires = "shard_kind", value_name = "N")]
    pub shard_total: Option<u32>,
    /// Only what failed in an earlier run: a run directory, its `run.json` or `summary.json`, a run id, or `latest`.
    #[arg(long, conflicts_with_all = ["filters", "kind"], value_name = "RUN")]
    pub rerun_from: Option<String>,
    /// Runs the test binaries of this archive of nextest, and builds nothing.
    #[arg(long, value_name = "FILE", conflicts_with = "no_build")]
    pub archive: Option<PathBuf>,
    /// Runs the test binaries that the run before built, whatever the sources say now; such a run never certifies.
    #[arg(long)]
    pub no_build: bool,
    /// Where the decision holds: `local`, `pr`, `main` or `release`.
    #[arg(long, value_parser = ["local", "pr", "main", "release"])]
    pub lane: Option<String>,
    /// The revision that this change is made on top of.
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// How long the whole run may take, such as `90s` or `20m`.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub deadline: Option<u64>,
    /// What cargo is told.
    #[command(flatten)]
    pub cargo: CargoFlags,
}

/// What the parts of the second spelling are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShardKind {
    /// Whole test binaries.
    Suite,
    /// Single tests.
    Unit,
}

/// What is said on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// What failed or is slow.
    Auto,
    /// A line for each test.
    Plain,
    /// Nothing.
    None,
}

/// `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// What is run.
    #[command(flatten)]
    pub choice: Choice,
    /// Compares with an earlier run, which a regression blocks.
    #[arg(long, value_name = "RUN")]
    pub diff_from: Option<String>,
    /// Copies the sealed run directory there; it must not exist.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Puts the sealed run into this object store; when that fails, the run is not a pass.
    #[cfg(feature = "store")]
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// A name that ties this run to others of the same change.
    #[arg(long, value_name = "TEXT")]
    pub correlation_id: Option<String>,
    /// How many tests at once.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: Option<u32>,
    /// What is said on the way.
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub progress: Progress,
}

/// `plan`.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// What would be run.
    #[command(flatten)]
    pub choice: Choice,
}

/// `rerun`.
#[derive(Debug, Args)]
pub(crate) struct Rerun {
    /// A run directory, its `run.json` or `summary.json`, a run id, or `latest`.
    pub run: String,
    /// A profile; its deadline and retries count, its selection does not.
    #[arg(long, default_value = "quick", value_name = "NAME")]
    pub profile: String,
    /// What is said on the way.
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub progress: Progress,
    /// What cargo is told.
    #[command(flatten)]
    pub cargo: CargoFlags,
}

/// `replay`.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// A run directory, its `run.json` or `summary.json`, a run id, or `latest`.
    pub run: String,
    /// Only failures of this test binary.
    #[arg(long, value_name = "SUITE")]
    pub suite: Option<String>,
    /// Only this test.
    #[arg(long, value_name = "TEST", conflicts_with = "gate")]
    pub test: Option<String>,
    /// Only this gate.
    #[arg(long, value_name = "GATE")]
    pub gate: Option<String>,
    /// Shows everything the test says, with full backtraces.
    #[arg(long, conflicts_with = "print")]
    pub debug: bool,
    /// Prints the commands, after asking what they select, and runs none.
    #[arg(long)]
    pub print: bool,
    /// Prints every rung from the failed set down to the failure, after asking what they select, and runs none.
    #[arg(long, conflicts_with_all = ["debug", "print"])]
    pub ladder: bool,
}

/// `diff`.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The run that came first.
    pub base: String,
    /// The run that came after it.
    pub current: String,
}

fn kind(text: &str) -> Result<Option<Kind>, String> {
    match Kind::parse(text) {
        Some(kind) => Ok(Some(kind)),
        None if text == "all" => Ok(None),
        None => Err("write `unit`, `vcr`, `e2e`, `doc`, `gate` or `all`".to_owned()),
    }
}

fn duration(text: &str) -> Result<u64, String> {
    portcullis::kernel::duration::parse_ms(text)
        .ok_or_else(|| format!("write {}", portcullis::kernel::duration::SHAPE))
}

fn digest(text: &str) -> Result<portcullis::Digest, String> {
    portcullis::Digest::parse(text).map_err(|source| source.to_string())
}

/// `merge`.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// The run directories of all shards, or folders that hold them one level down.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// Copies the sealed run directory there; it must not exist.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A run directory, a run id, or `latest`; or a folder that `seal` sealed.
    pub run: String,
    /// The digest that the seal has to be, where it is known from elsewhere.
    #[arg(long, value_name = "SHA256", value_parser = digest)]
    pub seal: Option<portcullis::Digest>,
    /// Holds the run to the whole census, whatever it selected.
    #[arg(long)]
    pub full: bool,
    /// Judges the run from the base of the change: policy, waivers and census of the merge base with this revision, read by
    /// this program, beside those of the commit.
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// The commit that the run has to be about; `HEAD` where it is not given.
    #[arg(long, value_name = "REV", requires = "base")]
    pub commit: Option<String>,
    /// The lane to judge for: that of this environment where it is not given, and `pr` where that is `local`.
    #[arg(long, value_name = "LANE", requires = "base", value_parser = ["local", "pr", "main", "release"])]
    pub lane: Option<String>,
}
