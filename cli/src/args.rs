//! The command line. Leaves out what the commands do.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;

/// CI gates as cargo tests. A gate that cannot prove it looked stays shut.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-portcullis",
    bin_name = "cargo portcullis",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 pass, 1 internal, 2 usage or configuration, 3 nothing evaluated or refused, \
                  11 gate blocked, 12 evidence invalid, 13 build or list failed.\n\n\
                  Example:\n  cargo portcullis list"
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
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Lists the gates of every gate binary, or what needs no build.
    #[command(after_help = "Examples:\n  cargo portcullis list\n  cargo portcullis list --kinds")]
    List(List),
    /// Explains a gate, a kind or a code.
    #[command(
        after_help = "Examples:\n  cargo portcullis explain waiver_lifecycle\n  cargo portcullis explain PC0403"
    )]
    Explain(Explain),
    /// Compares the committed roster with the gates that exist, or commits it anew.
    #[command(
        after_help = "Examples:\n  cargo portcullis census --check\n  cargo portcullis census --bless"
    )]
    Census(Census),
    /// Looks after waivers.
    #[command(after_help = "Example:\n  cargo portcullis waiver lint")]
    Waiver(Waiver),
    /// Re-hashes a run directory, decides again from what it holds, and compares.
    #[command(
        after_help = "Examples:\n  cargo portcullis verify latest\n  cargo portcullis verify latest --full"
    )]
    Verify(Verify),
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
