//! What is asked of a store of runs and of sealed folders. Leaves out what the commands do.

use clap::Args;
use std::path::PathBuf;

/// `push`.
#[cfg(feature = "store")]
#[derive(Debug, Args)]
pub(crate) struct Push {
    /// Run directories, run ids, or `latest`.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// `file:///folder`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.
    #[arg(long, value_name = "URL")]
    pub store: String,
}

/// `pull`.
#[cfg(feature = "store")]
#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// The ids of the runs.
    #[arg(required = true, value_name = "ID")]
    pub runs: Vec<String>,
    /// `file:///folder`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.
    #[arg(long, value_name = "URL")]
    pub store: String,
    /// The folder that gets a folder for each run; `portcullis/pulled` of the target directory when absent.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// `history`.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// Run directories, run ids, or `latest`; all runs of this repository when none is named.
    #[arg(value_name = "RUN")]
    pub runs: Vec<String>,
    /// Only the newest of them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub last: Option<u32>,
    /// Writes how long each test binary takes into `suite_durations.json`, which balances shards; refused in CI.
    #[arg(long)]
    pub bless_durations: bool,
}

/// `seal`.
#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// The folder.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Seals a folder again that has a seal; the new manifest names the old seal.
    #[arg(long, alias = "again")]
    pub reseal: bool,
    /// Reads every file anew and says so in the seal; implied by the lanes `main` and `release`.
    #[arg(long)]
    pub certify: bool,
}
