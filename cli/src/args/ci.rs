//! What is asked about workflows. Leaves out what the commands do.

use clap::{Args, Subcommand};
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
