//! The command line. Leaves out what the commands do.

use crate::shard::By;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use portcullis::kernel::policy::profile::Kind;
use std::{ffi::OsString, path::PathBuf};

/// CI gates as cargo tests. A gate that cannot prove it looked stays shut.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-portcullis",
    bin_name = "cargo portcullis",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 pass, 1 internal, 2 usage or configuration, 3 nothing evaluated or refused, \
                  10 tests failed, 11 gate blocked, 12 evidence invalid, 13 build or list failed, \
                  14 nothing selected, 15 regression.\n\n\
                  Example:\n  cargo portcullis run"
)]
pub(crate) struct Arguments {
    /// For people, or for programs.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    Human,
    /// One JSON document.
    Json,
    /// Text for people, and annotations where GitHub shows the change.
    Github,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Plans, builds, runs tests and gates, decides over all receipts, and seals the run.
    #[command(
        after_help = "Examples:\n  cargo portcullis run\n  cargo portcullis run --profile full\n  cargo portcullis run -E 'test(=my_test)'"
    )]
    Run(Run),
    /// Shows what a run would run, and what it would leave out and why. Runs no test.
    #[command(after_help = "Example:\n  cargo portcullis plan --profile full --format json")]
    Plan(Plan),
    /// Runs what failed in an earlier run again, as a run of its own; it never certifies.
    #[command(
        after_help = "Examples:\n  cargo portcullis rerun latest\n  cargo portcullis rerun target/portcullis/runs/<id>"
    )]
    Rerun(Rerun),
    /// Runs one failure of an earlier run again and says whether it came back.
    #[command(
        after_help = "Examples:\n  cargo portcullis replay latest --test my_test\n  cargo portcullis replay latest --print"
    )]
    Replay(Replay),
    /// Says what changed between two runs.
    #[command(after_help = "Example:\n  cargo portcullis diff <base run> latest")]
    Diff(Diff),
    /// Sorts a red log or a run by known signatures: what to open, what to run, what to do.
    #[command(
        after_help = "Examples:\n  cargo portcullis triage ci.log\n  cargo portcullis triage latest --format json\n  gh run view --log-failed | cargo portcullis triage -\n\nExits as the log says: 10 tests failed, 11 a gate blocks, 12 invalid, 13 build failed, 0 green, 3 nothing recognised."
    )]
    Triage(Triage),
    /// Makes the operators' runbook from signatures and gates, or finds where the committed one differs.
    #[command(
        after_help = "Examples:\n  cargo portcullis runbook generate\n  cargo portcullis runbook check"
    )]
    Runbook(Runbook),
    /// Says what a red run means for whoever is on call, and how far the response is.
    #[command(
        after_help = "Examples:\n  cargo portcullis incident latest --context main\n  cargo portcullis incident latest --link https://forge/issue/7 --note 'cache was poisoned'\n\nExits 11 while it is open, 0 when nothing is met or all exit criteria hold."
    )]
    Incident(Incident),
    /// Says what a sealed run would come to at another time, without a waiver or under another policy. Changes nothing.
    #[command(
        after_help = "Examples:\n  cargo portcullis decide latest --at 2026-06-30\n  cargo portcullis decide latest --without-waiver my_gate\n  cargo portcullis decide latest --with-policy stricter.toml\n\nExits as the what-if decision would; it never certifies."
    )]
    Decide(Decide),
    /// Repeats one test and says whether it is stable, flaky or broken; prints a quarantine entry to paste.
    #[command(
        after_help = "Example:\n  cargo portcullis flaky --test my_suite module::my_test --runs 20\n\nExits 0 when it passed every time, 10 otherwise."
    )]
    Flaky(Flaky),
    /// Lists the gates of every gate binary, or what needs no build.
    #[command(after_help = "Examples:\n  cargo portcullis list\n  cargo portcullis list --kinds")]
    List(List),
    /// Explains a gate, a kind or a code.
    #[command(
        after_help = "Examples:\n  cargo portcullis explain waiver_lifecycle\n  cargo portcullis explain PC0403"
    )]
    Explain(Explain),
    /// Writes a sealed run in a format that another program reads. Exits 0 whatever the verdict was.
    #[command(
        after_help = "Examples:\n  cargo portcullis export junit --run latest --out junit.xml\n  cargo portcullis export sarif --run target/portcullis/runs/<id>"
    )]
    Export(Export),
    /// Compares the committed roster with the gates that exist, or commits it anew.
    #[command(
        after_help = "Examples:\n  cargo portcullis census --check\n  cargo portcullis census --bless"
    )]
    Census(Census),
    /// Looks after waivers.
    #[command(after_help = "Example:\n  cargo portcullis waiver lint")]
    Waiver(Waiver),
    /// Joins the shards of one run, decides over all of them, and seals the result.
    #[command(
        after_help = "Examples:\n  cargo portcullis merge shard-1 shard-2 shard-3\n  cargo portcullis merge downloads --out merged"
    )]
    Merge(Merge),
    /// Puts sealed runs into an object store.
    #[cfg(feature = "store")]
    #[command(
        after_help = "Examples:\n  cargo portcullis push latest --store s3://bucket/ci\n  cargo portcullis push latest --store file:///srv/runs"
    )]
    Push(Push),
    /// Fetches runs from an object store, and takes nothing but what was sealed.
    #[cfg(feature = "store")]
    #[command(after_help = "Example:\n  cargo portcullis pull <run id> --store s3://bucket/ci")]
    Pull(Pull),
    /// Shows what many runs say over time: gates, waivers, tests that did not always pass.
    #[command(
        after_help = "Examples:\n  cargo portcullis history --last 50\n  cargo portcullis history latest --bless-durations"
    )]
    History(History),
    /// Shows what the gates of runs noted while they looked.
    #[command(
        after_help = "Example:\n  cargo portcullis events latest --gate my_gate --status fail"
    )]
    Events(Events),
    /// Looks after the quarantine of flaky tests.
    #[command(after_help = "Example:\n  cargo portcullis quarantine lint")]
    Quarantine(Quarantine),
    /// Writes the configuration with which nextest alone treats gates and quarantine as a run does, or checks it.
    #[command(
        after_help = "Examples:\n  cargo portcullis nextest-config\n  cargo portcullis nextest-config --check"
    )]
    NextestConfig(NextestConfig),
    /// Writes the file of a new gate kind: its page, its code, and two teeth that fail until they are filled.
    #[command(
        name = "new_gate",
        alias = "new-gate",
        after_help = "Example:\n  cargo portcullis new_gate release_notes_complete --into src/gates/lib.rs"
    )]
    NewGate(NewGate),
    /// Prints what a shell needs to complete these commands.
    #[command(
        hide = true,
        after_help = "Example:\n  cargo-portcullis completions bash > ~/.local/share/bash-completion/completions/cargo-portcullis"
    )]
    Completions(Completions),
    /// Prints the manual page, or writes one for each command.
    #[command(hide = true, after_help = "Example:\n  cargo-portcullis man --out target/man")]
    Man(Man),
    /// Re-hashes a run directory, decides again from what it holds, and compares.
    #[command(
        after_help = "Examples:\n  cargo portcullis verify latest\n  cargo portcullis verify latest --full"
    )]
    Verify(Verify),
    /// Looks after the workflows of the CI provider.
    #[command(
        after_help = "Example:\n  cargo portcullis ci mutate --corpus fixtures/lanes/lane_mutations.toml"
    )]
    Ci(Ci),
    /// Measures durations, compares them with a base, and keeps baselines and histories.
    #[command(
        after_help = "Examples:\n  cargo portcullis canary measure my_canary\n  cargo portcullis canary compare my_canary"
    )]
    Canary(Canary),
}

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

/// What cargo is told where a gate binary must be built.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct CargoFlags {
    /// Passed to cargo: the lockfile must not change.
    #[arg(long)]
    pub locked: bool,
    /// Passed to cargo: no network.
    #[arg(long)]
    pub offline: bool,
}

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

/// `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Writes one page for each command there.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
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

/// `list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Lists the standard gate kinds; builds nothing.
    #[arg(long, conflicts_with_all = ["codes", "binaries"])]
    pub kinds: bool,
    /// Lists every code; builds nothing.
    #[arg(long, conflicts_with = "binaries")]
    pub codes: bool,
    /// Lists the test binaries of the workspace and which of them hold gates.
    #[arg(long)]
    pub binaries: bool,
    /// What cargo is told.
    #[command(flatten)]
    pub cargo: CargoFlags,
}

/// `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A gate, a kind, the name of a code, or its number.
    pub name: String,
    /// What cargo is told.
    #[command(flatten)]
    pub cargo: CargoFlags,
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
    /// A run directory, a run id, or `latest`.
    pub run: String,
    /// Holds the run to the whole census, whatever it selected.
    #[arg(long)]
    pub full: bool,
}

impl Arguments {
    /// Reads the words of the process. cargo calls its subcommands with their own name as first argument.
    pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut words: Vec<OsString> = words.into_iter().collect();
        if words.get(1).is_some_and(|word| word == "portcullis") {
            words.remove(1);
        }
        Self::try_parse_from(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn read(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::read(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn both_ways_to_call_it_mean_the_same() {
        for line in ["cargo-portcullis list --kinds", "cargo-portcullis portcullis list --kinds"] {
            let arguments = read(line).expect("a command");
            assert!(matches!(arguments.verb, Verb::List(List { kinds: true, .. })), "{line}");
        }
    }

    #[test]
    fn contradictions_are_refused_before_anything_runs() {
        let table = [
            ("checking and blessing at once", "x census --check --bless"),
            ("an unknown format", "x list --format xml"),
            ("an unknown command", "x launch"),
            ("no command", "x"),
            ("two kinds of list", "x list --kinds --codes"),
        ];
        for (case, line) in table {
            assert!(read(line).is_err(), "{case}");
        }
    }

    #[test]
    fn every_command_shows_an_example() {
        for command in Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{}", command.get_name());
        }
    }
}
