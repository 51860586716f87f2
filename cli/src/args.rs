//! The command line. Leaves out what the commands do.

mod after_red;
mod audit;
mod canary;
mod ci;
mod policy;
mod run;
mod store;

pub(crate) use after_red::{
    Decide, Events, Export, Flaky, Incident, IncidentContext, Report, Runbook, RunbookVerb, Triage,
};
pub(crate) use audit::{Audit, AuditBuild, AuditCheck, AuditRecord, AuditVerb};
pub(crate) use canary::{
    Calibrate, Canary, CanaryHistoryFile, CanaryHistoryVerb, CanaryVerb, Comment, Compare, Measure,
    Refresh,
};
pub(crate) use ci::{Ci, CiCheck, CiGenerate, CiVerb, Mutate, Switch};
pub(crate) use policy::{
    Census, NewGate, NextestConfig, Quarantine, QuarantineAdd, QuarantineRelease, QuarantineVerb,
    Waiver, WaiverNew, WaiverPrune, WaiverRenew, WaiverVerb,
};
pub(crate) use run::{Choice, Diff, Merge, Plan, Progress, Replay, Rerun, Run, ShardKind, Verify};
pub(crate) use store::{History, Seal};
#[cfg(feature = "store")]
pub(crate) use store::{Pull, Push};

use clap::{Args, Parser, Subcommand, ValueEnum};
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
    /// Shows that work is complete, requirement by requirement, or says what is in the way.
    #[command(
        after_help = "Examples:\n  cargo portcullis audit record -- cargo test --workspace\n  cargo portcullis audit build\n  cargo portcullis audit check"
    )]
    Audit(Audit),
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
    /// Writes the page of a sealed run, and says where it is. Exits 0 whatever the verdict was.
    #[command(
        after_help = "Examples:\n  cargo portcullis report --open\n  cargo portcullis report target/portcullis/runs/<id> --out page.html"
    )]
    Report(Report),
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
    /// Re-hashes a run directory, decides again from what it holds, and compares; re-hashes a folder that `seal` sealed.
    #[command(
        after_help = "Examples:\n  cargo portcullis verify latest\n  cargo portcullis verify latest --full\n  cargo portcullis verify run-1 --base origin/main --commit HEAD\n  cargo portcullis verify artifacts --seal <digest>"
    )]
    Verify(Verify),
    /// Seals a folder of evidence that no run made: a manifest of every file, and the digest of that.
    #[command(
        after_help = "Examples:\n  cargo portcullis seal artifacts\n  cargo portcullis seal artifacts --reseal --certify\n  cargo portcullis verify artifacts\n\nExits 0 when it is sealed, 3 when it is empty or may not be sealed, 12 when a file of it is in the way, as one with a secret."
    )]
    Seal(Seal),
    /// Looks after the workflows of the CI provider.
    #[command(
        after_help = "Examples:\n  cargo portcullis ci generate --provider github --shards 3\n  cargo portcullis ci check\n  cargo portcullis ci mutate --corpus fixtures/lanes/lane_mutations.toml"
    )]
    Ci(Ci),
    /// Measures durations, compares them with a base, and keeps baselines and histories.
    #[command(
        after_help = "Examples:\n  cargo portcullis canary measure my_canary\n  cargo portcullis canary compare my_canary"
    )]
    Canary(Canary),
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
