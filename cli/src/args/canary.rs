//! What is asked about canaries. Leaves out what the commands do.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `canary`: what is asked about a canary.
#[derive(Clone, Debug, Args)]
pub(crate) struct Canary {
    /// What to do.
    #[command(subcommand)]
    pub verb: CanaryVerb,
}

/// What can be asked about a canary.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CanaryVerb {
    /// Runs a canary and writes `canary/<id>/measurement.json` into the directory of the run.
    ///
    /// One run is `argv` of its table, else `cargo bench --bench <id>`; `build` makes each arm ready first. A run finds
    /// in its environment `PORTCULLIS_CANARY_NONCE`, which a result file or journal has to repeat, a fresh
    /// `CRITERION_HOME`, and `PORTCULLIS_CANARY_OUTPUT`, the file that an adapter reads where it is made, else the
    /// standard output. A journal line is `{"nonce": .., "exit": 0, "metric": .., "work": .., "count": ..}`.
    /// With the adapter `process` the runner times each run itself: pairs against the merge base, or one arm.
    #[command(
        after_help = "Exit codes: 0 measured, 2 usage or configuration, 3 the run holds one already, 12 not fit to be judged, 13 an arm could not be built.\n\n\
                      Example:\n  cargo portcullis canary measure my_canary --base-ref main --pairs 60"
    )]
    Measure(Measure),
    /// Holds a measurement against its base and shows the report. Reads only.
    #[command(
        after_help = "Exit codes: 0 nothing blocks, 2 usage or configuration, 3 nothing was measured, 12 cannot be judged, 15 a regression.\n\n\
                      Example:\n  cargo portcullis canary compare my_canary"
    )]
    Compare(Compare),
    /// Posts the report to the pull request of the event with `gh`, and adds it to the summary of the step.
    ///
    /// The comment that carries the marker of this canary and is of the same author is edited; where there is none, one
    /// is made, unless there is nothing to tell. A fork, a missing `gh`, no token, or a forge that refuses or does not
    /// answer within 30 s is a warning: the exit code is that of a comment that was posted.
    #[command(
        after_help = "Exit codes: 0 posted or warned, 2 usage or configuration, 3 nothing was measured, 12 the measurement cannot be read.\n\n\
                      Example:\n  cargo portcullis canary comment my_canary"
    )]
    Comment(Comment),
    /// Writes the baseline from the newest measurement. Refused for a dirty tree, and for what cannot be judged.
    #[command(
        after_help = "Exit codes: 0 written, 2 usage or configuration, 3 refused.\n\nExample:\n  cargo portcullis canary refresh my_canary --reason 'first baseline, #12'"
    )]
    Refresh(Refresh),
    /// Measures the base against itself, and with added work: how often is identical work called a change?
    ///
    /// Instead of a canary one of the kernels `alu`, `l2`, `dram`, `alloc_sort` and `spawn` may be named: 30 pairs against
    /// 2 %. The runs of a canary find the added work in `PORTCULLIS_CANARY_EXTRA_MILLI_PCT`.
    #[command(
        after_help = "Exit codes: 0 measured, 2 usage or configuration, 12 a run failed.\n\nExample:\n  cargo portcullis canary calibrate alu --repeats 1000 --inject 5"
    )]
    Calibrate(Calibrate),
    /// Appends to the history of a canary, shows it, and finds where it stepped.
    #[command(after_help = "Example:\n  cargo portcullis canary history changes my_canary")]
    History(CanaryHistory),
    /// What a run of a calibration starts.
    #[command(hide = true, after_help = "Example:\n  cargo portcullis canary kernel --steps 1")]
    Kernel(CanaryKernel),
}

/// `canary measure`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Measure {
    /// A table `[canary.<id>]` of the policy.
    pub id: String,
    /// What the base of pairs is: its merge base with `HEAD`.
    #[arg(long, value_name = "REF")]
    pub base_ref: Option<String>,
    /// How many pairs, instead of what the table says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub pairs: Option<u32>,
    /// How many runs, instead of what the table says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub runs: Option<u32>,
}

/// `canary compare`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Compare {
    /// A table `[canary.<id>]` of the policy.
    pub id: String,
    /// The measurement; the newest one of `HEAD` where none is named.
    #[arg(long, value_name = "FILE")]
    pub measurement: Option<PathBuf>,
}

/// `canary comment`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Comment {
    /// A table `[canary.<id>]` of the policy.
    pub id: String,
    /// The measurement; the newest one of `HEAD` where none is named.
    #[arg(long, value_name = "FILE")]
    pub measurement: Option<PathBuf>,
}

/// `canary refresh`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Refresh {
    /// A table `[canary.<id>]` of the policy.
    pub id: String,
    /// Why: one line with a link, such as `#12`.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Takes the baseline over to a machine of another class.
    #[arg(long)]
    pub new_host_class: bool,
}

/// `canary calibrate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Calibrate {
    /// A table `[canary.<id>]` of the policy, or a kernel.
    pub id: String,
    /// How many sessions.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub repeats: u64,
    /// How much work is added to one arm, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub inject: Option<u64>,
    /// How many pairs a session has, instead of 30 or what the table says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(5..=1_000))]
    pub pairs: Option<u32>,
}

/// `canary history`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CanaryHistory {
    /// What to do.
    #[command(subcommand)]
    pub verb: CanaryHistoryVerb,
}

/// What can be asked about a history.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CanaryHistoryVerb {
    /// Appends what the newest measurement says.
    #[command(after_help = "Example:\n  cargo portcullis canary history append my_canary")]
    Append(CanaryHistoryFile),
    /// Prints the history.
    #[command(after_help = "Example:\n  cargo portcullis canary history show my_canary")]
    Show(CanaryHistoryFile),
    /// Finds the steps of each series.
    #[command(after_help = "Example:\n  cargo portcullis canary history changes my_canary")]
    Changes(CanaryHistoryFile),
}

/// Which history.
#[derive(Clone, Debug, Args)]
pub(crate) struct CanaryHistoryFile {
    /// A table `[canary.<id>]` of the policy.
    pub id: String,
    /// The file; `portcullis/canary/<id>.jsonl` below the target directory where none is named.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `canary kernel`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CanaryKernel {
    /// How many thousand steps to count.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub steps: u64,
    /// Prints how many CPUs are believed in, and how many there are.
    #[arg(long)]
    pub probe: bool,
}
