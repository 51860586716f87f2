//! What is asked about workflows. Leaves out what the commands do.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `ci`: what is asked about workflows.
#[derive(Clone, Debug, Args)]
pub(crate) struct Ci {
    /// What to do.
    #[command(subcommand)]
    pub verb: CiVerb,
}

/// What can be asked about workflows.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CiVerb {
    /// Writes the workflows that follow from policy, census and targets. The same input gives the same bytes.
    ///
    /// The lanes are the tables `[[ci.job]]` of the policy; where there is none, those that its gates and targets need.
    /// `[ci.pins]` puts other commits and versions in place of the built-in ones. A file without the generated header is
    /// never overwritten, and then none is written.
    #[command(
        after_help = "Exit codes: 0 written, or would be; 2 a policy or a command line that cannot be used; 3 a foreign file is in the way.\n\n\
                      Examples:\n  cargo portcullis ci generate --provider github\n  cargo portcullis ci generate --provider github --shards 3 --dry-run\n  cargo portcullis ci generate --provider github --policy"
    )]
    Generate(CiGenerate),
    /// Renders the workflows in memory and says where the committed ones differ. Writes nothing.
    #[command(
        after_help = "Exit codes: 0 no difference, 2 a policy that cannot be used, 11 a file differs, is missing or is left over.\n\n\
                      Example:\n  cargo portcullis ci check"
    )]
    Check(CiCheck),
    /// Plants each fault of a corpus into its clean tree and says which the gates catch. Builds and runs nothing.
    ///
    /// The tree is written from the `base_*` texts at their `[paths]`, the `[stubs]`, and a stub for each target of the
    /// roster `base_tests_toml` without a file; contract snapshots are blessed once, and all of it is committed as the
    /// base. Each edit replaces the one occurrence of `find` and is committed on top of it; all gates of
    /// `base_policy_toml` judge it in lane `pr`. A mutation is caught when a gate of kind `expect_gate` reports
    /// `expect_code`; the clean tree and benign edits must give no finding and no error.
    #[command(
        after_help = "Exit codes: 0 every row as expected, 2 a corpus that cannot be used or a kind that is not linked, 11 a row differs.\n\n\
                      Example:\n  cargo portcullis ci mutate --corpus fixtures/lanes/lane_mutations.toml"
    )]
    Mutate(Mutate),
}

/// `ci mutate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Mutate {
    /// The corpus, of schema `portcullis.lane_mutations.v1`.
    #[arg(long, value_name = "FILE")]
    pub corpus: PathBuf,
}

/// Who runs the workflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    /// GitHub Actions.
    Github,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// It is done.
    On,
    /// It is not.
    Off,
}

/// `ci generate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CiGenerate {
    /// Who runs the workflows.
    #[arg(long, value_enum)]
    pub provider: Provider,
    /// In how many parts tests and gates are run.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub shards: u16,
    /// Whether a workflow of its own comments on pull requests.
    #[arg(long, value_enum, value_name = "SWITCH", default_value_t = Switch::On)]
    pub comments: Switch,
    /// Where the workflows stand; `.github/workflows` of the repository where none is named.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Shows what would be written, and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Prints the gates that hold these workflows, as tables for `portcullis.toml`, and writes nothing.
    #[arg(long, conflicts_with = "dry_run")]
    pub policy: bool,
}

/// `ci check`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CiCheck {
    /// Who runs the workflows.
    #[arg(long, value_enum, default_value_t = Provider::Github)]
    pub provider: Provider,
    /// In how many parts; what the committed file says where it is not named.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub shards: Option<u16>,
    /// Whether a workflow comments; what the committed file says where it is not named.
    #[arg(long, value_enum, value_name = "SWITCH")]
    pub comments: Option<Switch>,
    /// Where the workflows stand; `.github/workflows` of the repository where none is named.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
