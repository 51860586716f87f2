//! `run`: plans, builds once, executes, collects, analyses, decides, renders, seals. The decision is the kernel's.

mod close;
mod execute;

pub(crate) use close::{Failure, INDEX_SCHEMA, copy, documents};

use crate::{
    args::{Choice, Progress, Rerun, Run},
    exit::{Exit, OrExit, Refused},
    ground::Ground,
    history::Earlier,
    interrupt::{self, Asked},
    locate,
    plan::{PLAN_SCHEMA, Plan},
    record::Record,
    scratch::scratch,
    transport::Transport,
};
use portcullis::{
    Fault,
    kernel::recorded::INPUTS_SCHEMA,
    wire::code::{LIST_EMPTY, NOTHING_SELECTED, RERUN_CANNOT_CERTIFY, TARGET_GONE},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Schema of `phases.json`.
const PHASES_SCHEMA: &str = "portcullis.phases.v1";
const NAMED: usize = 5;

/// One phase of a run, as `phases.json` has it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Phase {
    name: &'static str,
    started_at: portcullis::Instant,
    ended_at: portcullis::Instant,
    status: &'static str,
}

/// The phases so far.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    phases: Vec<Phase>,
}

impl Phases {
    /// Runs one phase and notes how long it took and how it went.
    pub(crate) fn phase<T>(
        &mut self,
        ground: &Ground,
        name: &'static str,
        body: impl FnOnce() -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let started_at = ground.header.now();
        let result = body();
        let status = if result.is_ok() { "done" } else { "failed" };
        self.phases.push(Phase { name, started_at, ended_at: ground.header.now(), status });
        result
    }
}

/// Runs `run`.
pub(crate) fn run(arguments: &Run, out: &mut Transport) -> Result<Exit, Refused> {
    interrupt::listen();
    let mut ground = Ground::open(&arguments.choice)?;
    take_failures(&mut ground, &arguments.choice)?;
    let baseline = baseline(&ground, arguments)?;
    if let Some(dir) = arguments.out.as_ref().filter(|dir| dir.exists()) {
        let headline = format!("`{}` exists already", dir.display());
        let remedy = "name a folder that does not exist; a run directory is never overwritten";
        let fault = Fault::new(portcullis::wire::code::USAGE, headline, remedy);
        return Err(Refused::new(Exit::Usage, fault));
    }
    let environment = &ground.repository.environment;
    let record = Record::begin(&ground.target_dir, &ground.header, ground.lane, environment)?;
    match whole(&ground, &record, arguments, baseline.as_ref(), out) {
        Ok(exit) => ship(arguments, &record, exit, out),
        Err(refused) => {
            // A directory that says `running` for ever would be taken for a run that died.
            let ended = if interrupt::asked() == Asked::Nothing {
                record.refused()
            } else {
                record.interrupted()
            };
            ended.and(Err(refused))
        }
    }
}

/// Puts the sealed run where it was asked for. Without that, whoever looks for the evidence there finds none.
#[cfg(feature = "store")]
fn ship(
    arguments: &Run,
    record: &Record<'_>,
    exit: Exit,
    out: &mut Transport,
) -> Result<Exit, Refused> {
    let Some(address) = &arguments.store else { return Ok(exit) };
    let shipped = super::shipped(address, record.path(), out);
    shipped.map(|()| exit).map_err(|refused| Refused { exit: refused.exit.worse(exit), ..refused })
}

#[cfg(not(feature = "store"))]
#[expect(clippy::unnecessary_wraps, reason = "the same with and without object stores")]
fn ship(_: &Run, _: &Record<'_>, exit: Exit, _: &mut Transport) -> Result<Exit, Refused> {
    Ok(exit)
}

/// Runs `rerun`: the same run, narrowed to what failed.
pub(crate) fn again(arguments: &Rerun, out: &mut Transport) -> Result<Exit, Refused> {
    let choice = Choice {
        profile: arguments.profile.clone(),
        rerun_from: Some(arguments.run.clone()),
        cargo: arguments.cargo,
        ..Choice::default()
    };
    let run = Run {
        choice,
        diff_from: None,
        out: None,
        #[cfg(feature = "store")]
        store: None,
        correlation_id: None,
        jobs: None,
        progress: arguments.progress,
    };
    self::run(&run, out)
}

/// The run that `--diff-from` names, read before anything is built.
fn baseline(ground: &Ground, arguments: &Run) -> Result<Option<Earlier>, Refused> {
    let Some(word) = &arguments.diff_from else { return Ok(None) };
    let dir = locate::run(word, Some(&ground.repository))?;
    Earlier::read(&dir).map(Some).or_exit(Exit::Nothing)
}

fn whole(
    ground: &Ground,
    record: &Record<'_>,
    arguments: &Run,
    baseline: Option<&Earlier>,
    out: &mut Transport,
) -> Result<Exit, Refused> {
    let mut phases = Phases::default();
    let scratch = scratch(&ground.target_dir)?;
    let choice = &arguments.choice;
    if let Some(note) = ground.engine_note() {
        out.progress(&note);
    }
    out.progress(&format!("portcullis: building and listing, run {}", ground.header.run_id));
    let plan = phases.phase(ground, "plan", || {
        ground.plan(choice, scratch.path(), &mut |line| show(out, arguments.progress, line))
    })?;
    expect_something(ground, &plan)?;
    record.write("plan.json", PLAN_SCHEMA, &plan.kept())?;
    record.write_text("expected.json", &ground.census.document())?;
    record.write("inputs.json", INPUTS_SCHEMA, &ground.recorded(&plan))?;
    let executed = phases.phase(ground, "execute", || {
        execute::execute(ground, record, arguments, &plan, scratch.path(), out)
    })?;
    if interrupt::asked() == Asked::Kill {
        record.interrupted()?;
        out.progress("portcullis: stopped at once; the run is not sealed");
        return Ok(Exit::Invalid);
    }
    close::close(ground, record, arguments, (&plan, &executed), baseline, &mut phases, out)
}

/// Nothing to run is no run: neither green nor red, and said with a code of its own.
fn expect_something(ground: &Ground, plan: &Plan) -> Result<(), Refused> {
    if let Some((run, gone)) = plan.gone(ground.wanted()) {
        let headline = format!(
            "{} of {run} no longer exist",
            portcullis::report::human::count(gone.len(), "target")
        );
        let named: Vec<&str> = gone.iter().take(NAMED).map(String::as_str).collect();
        let remedy = "run the whole profile; what is gone cannot be run again";
        let fault = Fault::new(TARGET_GONE, headline, remedy).found(named.join(", "));
        return Err(Refused::new(Exit::ListFailed, fault));
    }
    if !plan.targets.is_empty() {
        return Ok(());
    }
    let expects = plan.gates.as_ref().is_none_or(|gates| !gates.is_empty());
    let unfiltered = plan.filters.is_empty() && plan.rerun_of.is_none();
    if expects
        && unfiltered
        && plan.kinds.contains(&portcullis::kernel::policy::profile::Kind::Gate)
    {
        let headline = "gates are expected, and no gate binary lists one";
        let remedy =
            "see whether a target runner replaces the gate binary, or whether its `main` is empty";
        return Err(Refused::new(Exit::ListFailed, Fault::new(LIST_EMPTY, headline, remedy)));
    }
    let why: Vec<String> =
        plan.left_out().into_iter().map(|(reason, n)| format!("{n} left out: {reason}")).collect();
    let remedy = "correct the filterset, the kinds or the profile; `cargo portcullis plan` shows what is left out";
    let fault = Fault::new(NOTHING_SELECTED, "the selection is empty", remedy);
    Err(Refused::new(Exit::NothingSelected, fault.found(why.join("; "))))
}

/// Narrows the run to the failures of an earlier one, where that is asked for.
pub(crate) fn take_failures(ground: &mut Ground, choice: &Choice) -> Result<(), Refused> {
    let Some(word) = &choice.rerun_from else { return Ok(()) };
    if ground.profile.may_certify() {
        let remedy = "run the whole profile without `--rerun-from`, or rerun with another profile";
        let headline =
            format!("a rerun cannot certify, and the profile `{}` does", ground.profile.name);
        return Err(Refused::new(
            Exit::Nothing,
            Fault::new(RERUN_CANNOT_CERTIFY, headline, remedy),
        ));
    }
    let dir = locate::run(word, Some(&ground.repository))?;
    let earlier = Earlier::read(&dir).or_exit(Exit::Nothing)?;
    let failures: BTreeSet<(String, String)> = earlier.failures(&ground.policy);
    if failures.is_empty() {
        let headline = format!("nothing failed in {}", earlier.run_id);
        let fault = Fault::new(NOTHING_SELECTED, headline, "there is nothing to run again");
        return Err(Refused::new(Exit::NothingSelected, fault));
    }
    ground.rerun(earlier.run_id.to_string(), failures);
    Ok(())
}

/// Hands on what nextest says, as far as it was asked for.
pub(crate) fn show(out: &mut Transport, progress: Progress, line: &str) {
    let word = line.split_whitespace().next().unwrap_or_default();
    let calm = ["PASS", "SKIP", "START"].contains(&word) || line.trim().is_empty();
    let shown = match progress {
        Progress::None => false,
        Progress::Plain => true,
        Progress::Auto => !calm && line.contains('['),
    };
    if shown {
        out.progress(line);
    }
}
