//! One command per file. Leaves out how the gates of a repository are found: see `engine`.

mod audit;
mod canary;
mod census;
mod ci;
mod decide;
mod diff;
mod events;
mod explain;
mod export;
mod flaky;
mod history;
mod incident;
mod list;
mod merge;
mod new_gate;
mod nextest_config;
mod plan;
#[cfg(feature = "store")]
mod push;
mod quarantine;
mod replay;
mod report;
mod run;
mod runbook;
mod seal;
mod shell;
mod triage;
mod verify;
mod waiver;

pub(crate) use crate::scratch::scratch;
#[cfg(feature = "store")]
pub(crate) use push::shipped;
pub(crate) use run::{Failure, INDEX_SCHEMA, copy};

use crate::{
    args::{Arguments, Verb},
    exit::{Exit, Refused},
    transport::Transport,
};

/// Runs the command and returns what the process exits with.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    match &arguments.verb {
        Verb::Run(run) => run::run(run, out),
        Verb::Rerun(rerun) => run::again(rerun, out),
        Verb::Replay(replay) => replay::run(replay, out),
        Verb::Diff(diff) => diff::run(diff, out),
        Verb::Triage(triage) => triage::run(triage, out),
        Verb::Runbook(runbook) => runbook::run(runbook, out),
        Verb::Incident(incident) => incident::run(incident, out),
        Verb::Decide(decide) => decide::run(decide, out),
        Verb::Flaky(flaky) => flaky::run(flaky, out),
        Verb::Quarantine(quarantine) => quarantine::run(quarantine, out),
        Verb::NextestConfig(config) => nextest_config::run(config, out),
        Verb::NewGate(new) => new_gate::run(new, out),
        Verb::Completions(completions) => shell::completions(completions, out),
        Verb::Man(man) => shell::man(man, out),
        Verb::Plan(plan) => plan::run(plan, out),
        Verb::Audit(audit) => audit::run(audit, out),
        Verb::List(list) => list::run(list, out),
        Verb::Explain(explain) => explain::run(explain, out),
        Verb::Export(export) => export::run(export, out),
        Verb::Report(report) => report::run(report, out),
        Verb::Census(census) => census::run(census, out),
        Verb::Waiver(waiver) => waiver::run(waiver, out),
        Verb::Merge(merge) => merge::run(merge, out),
        #[cfg(feature = "store")]
        Verb::Push(arguments) => push::push(arguments, out),
        #[cfg(feature = "store")]
        Verb::Pull(arguments) => push::pull(arguments, out),
        Verb::History(history) => history::run(history, out),
        Verb::Events(events) => events::run(events, out),
        Verb::Verify(verify) => verify::run(verify, out),
        Verb::Seal(seal) => seal::run(seal, out),
        Verb::Ci(ci) => ci::run(ci, out),
        Verb::Canary(canary) => canary::run(canary, out),
    }
}
