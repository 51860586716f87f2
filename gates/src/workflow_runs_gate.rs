//! A lane really runs what it is there for: the command is reached, and it selects the tests it should. Whether a failure
//! then counts is the affair of `workflow_no_swallow`.

mod config;
mod teeth;

use crate::{
    lane::{NOT_STATIC, OPAQUE, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING},
    nextest_profiles,
    selection::{Runner, Selection, TestCommand, Universe},
    shell::{
        argv::shown_all,
        follow::{Leaf, Mode},
        open::Project,
    },
    step_script::{self, Script, StepScript, step_scripts},
    test_roster::Roster,
    workflow::{
        self, Job, Lane, Scope, StepView, Workflow,
        expression::{Condition, Scene},
    },
};
use config::{Config, Run};
use portcullis::{Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Holds lanes to running the tests that they are named after.
    ///
    /// ### What it checks
    /// For each entry, event and combination of the matrix, a command that matches is reached without a condition on the
    /// green path, through actions, scripts, recipes and aliases. Each such command that runs tests selects at least one,
    /// and together they select every test of `must_select`.
    ///
    /// ### Why it gates
    /// A lane that prints `ok`, filters its tests away or misspells a name is as green as one that runs them.
    ///
    /// ### Example
    /// Refused: `cargo test --test gates -- no_such_name --exact`, and `echo ok`. Accepted: `cargo test --test=gates`.
    ///
    /// ### Configuration
    /// - `files`: globs of the workflows; default every file of `.github/workflows`.
    /// - `known_keys`: keys of the provider that are newer than this version; default none.
    /// - `resolve`: who knows the tests, `list` (the runner, which builds them; the default) or `static` (the sources).
    /// - `nextest_config`: the configuration of nextest, default `.config/nextest.toml`.
    /// - `runs`: tables with `file`, `job` and `command` (a pattern, `*` for one word, `**` for any number), and
    ///   optionally `must_select` (ids as `binary-id` or `binary-id$test`), `events` (default all that are declared) and
    ///   `no_fail_fast` (default false). Required.
    ///
    /// ### Remediation
    /// - `gate_command_missing`: run the command in the job.
    /// - `selects_nothing`: correct the name, the target or the filter; the command ends green all the same.
    /// - `selects_too_little`: remove the argument that is named, or bring the test back.
    /// - `command_conditional`: run the command without a condition.
    /// - `fail_fast_hides`: add `--no-fail-fast`, or `fail-fast = false` to the profile.
    /// - `not_static`, `opaque`, `script_unparsed`: write values out; use what can be looked into.
    /// - `selector_matches_nothing`: correct the file or job that is named.
    /// - `list_failed`: mend what the runner reports.
    pub static WORKFLOW_RUNS_GATE: "workflow_runs_gate", since = "0.1.0", config = Config,
        validate = config::validate, check = check, codes = CODES, teeth = TEETH;
}

const GATE_COMMAND_MISSING: Code =
    Code::new("PC1490", "gate_command_missing", "A lane runs no command that it is there for.");
const SELECTS_NOTHING: Code =
    Code::new("PC1491", "selects_nothing", "A command of a lane selects no test, and ends green.");
const SELECTS_TOO_LITTLE: Code = Code::new(
    "PC1492",
    "selects_too_little",
    "The commands of a lane do not select every test that they should.",
);
const COMMAND_CONDITIONAL: Code = Code::new(
    "PC1493",
    "command_conditional",
    "The command of a lane runs under a condition only.",
);
const FAIL_FAST_HIDES: Code = Code::new(
    "PC1494",
    "fail_fast_hides",
    "The first failure keeps other tests of a lane from running.",
);

const CODES: &[Code] = &[
    GATE_COMMAND_MISSING,
    SELECTS_NOTHING,
    SELECTS_TOO_LITTLE,
    COMMAND_CONDITIONAL,
    FAIL_FAST_HIDES,
    NOT_STATIC,
    OPAQUE,
    SCRIPT_UNPARSED,
    SELECTOR_MATCHES_NOTHING,
];

/// Holds each entry against its job, and returns how many commands and required tests were looked for.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let scope = Scope { files: config.files.clone(), known_keys: config.known_keys.clone() };
    let workflows = workflow::load(cx, &scope, out)?;
    let profiles = nextest_profiles::read(cx, config.nextest_config.as_ref())?;
    let Some(roster) = Roster::read(cx, config.resolve)? else {
        return Ok(Roster::skipped(config.resolve));
    };
    let Some(universe) = Universe::new(cx, &roster, profiles)? else {
        return Ok(Roster::skipped(config.resolve));
    };
    let reader = step_script::reader(cx);
    let project = Project::new(&reader);
    let mut judge = Judge { universe, project: &project, out, seen: BTreeSet::new(), examined: 0 };
    for run in &config.runs {
        let found = select(&workflows, run);
        if found.is_empty() {
            let headline = format!("no job `{}` in `{}`", run.job, run.file);
            let fault = Fault::new(SELECTOR_MATCHES_NOTHING, headline, "correct `file` or `job`");
            return cx.watch(Err(fault.at(cx.gate().location.clone())));
        }
        for (workflow, job) in found {
            judge.run(run, workflow, job)?;
        }
    }
    Ok(Examined::items(judge.examined))
}

fn select<'w>(workflows: &'w [Rc<Workflow>], run: &Run) -> Vec<(&'w Workflow, &'w Job)> {
    workflows
        .iter()
        .filter(|workflow| run.file == workflow.path.as_str() || run.file == workflow.file_name())
        .filter_map(|workflow| Some((workflow.as_ref(), workflow.job(&run.job)?)))
        .collect()
}

struct Judge<'j> {
    universe: Universe,
    project: &'j Project<'j>,
    out: &'j mut Findings,
    seen: BTreeSet<(&'static str, String)>,
    examined: usize,
}

/// A command that matches, with whether nothing keeps it from running.
struct Match<'m> {
    leaf: &'m Leaf,
    at: Location,
    is_reached: bool,
}

impl Judge<'_> {
    fn push(&mut self, code: Code, subject: String, message: String, remedy: &str, at: Location) {
        // One fault shows in every event and combination; it is one finding.
        if self.seen.insert((code.name(), subject.clone())) {
            self.out.push(Finding::new(code, subject, message, remedy).at(at));
        }
    }

    fn run(&mut self, run: &Run, workflow: &Workflow, job: &Job) -> Result<(), Fault> {
        let subject = format!("{}:{}: {}", workflow.path, job.id, run.command.text());
        let declared: Vec<&str> =
            workflow.triggers.iter().map(|trigger| trigger.event.as_str()).collect();
        let wanted: Vec<&str> = match run.events.is_empty() {
            true => declared.clone(),
            false => run.events.iter().map(String::as_str).collect(),
        };
        let (lanes, hidden) = workflow.lanes(job);
        for hidden in hidden {
            let message = format!("the steps of `{}` cannot be looked into", hidden.uses.as_str());
            let remedy = "copy the workflow into this repository";
            self.push(OPAQUE, subject.clone(), message, remedy, hidden.uses.location());
        }
        for event in wanted {
            self.examined += 1 + run.must_select.len();
            if !declared.contains(&event) {
                let message =
                    format!("`{event}` does not trigger the workflow, so nothing runs then");
                let remedy = "add the trigger, or correct `events`";
                self.push(
                    GATE_COMMAND_MISSING,
                    subject.clone(),
                    message,
                    remedy,
                    workflow.place.location(),
                );
                continue;
            }
            for lane in &lanes {
                self.lane(run, &subject, event, lane, &lanes)?;
            }
        }
        Ok(())
    }

    fn lane(
        &mut self,
        run: &Run,
        subject: &str,
        event: &str,
        lane: &Lane<'_>,
        lanes: &[Lane<'_>],
    ) -> Result<(), Fault> {
        let combinations = match lane.combinations() {
            Ok(all) => all,
            Err(unknown) => {
                let message = format!("the matrix is not known: {}", unknown.why);
                let remedy = "write its values out";
                self.push(
                    NOT_STATIC,
                    subject.to_owned(),
                    message,
                    remedy,
                    unknown.place.location(),
                );
                return Ok(());
            }
        };
        for combination in &combinations {
            let never = |_: &[String]| false;
            let steps = step_scripts(lane, Some(combination), self.project, &never, Mode::Green)?;
            self.unread(subject, &steps);
            let needs = lane.job.needs.iter().map(workflow::Text::as_str);
            let scene = Scene::green(needs).with_event(event).with_matrix(combination);
            let callers = lane.callers.iter().map(|(_, job)| *job);
            let is_job_reached = callers.chain([lane.job]).all(|job| {
                job.condition
                    .as_ref()
                    .is_none_or(|text| Condition::of(text).fold(&scene) == Some(true))
            });
            let mut matches = Vec::new();
            for step in &steps {
                let is_step_reached = is_job_reached && is_reached(&step.view, &scene);
                for leaf in step.leaves().iter().filter(|leaf| run.command.matches(&leaf.argv)) {
                    let is_reached = is_step_reached && !leaf.is_conditional;
                    matches.push(Match { leaf, at: step.location(&leaf.place), is_reached });
                }
            }
            // A reusable workflow may run it in one of several jobs.
            if matches.is_empty() && lanes.len() > 1 {
                continue;
            }
            self.matches(run, subject, lane, &matches);
        }
        Ok(())
    }

    fn unread(&mut self, subject: &str, steps: &[StepScript<'_>]) {
        for step in steps {
            let Script::Followed(followed) = &step.script else { continue };
            for trouble in &followed.troubles {
                let code = if trouble.is_unparsed { SCRIPT_UNPARSED } else { NOT_STATIC };
                let message = format!("a script cannot be judged: {}", trouble.why);
                let remedy = "write it so that it parses as bash, in smaller parts";
                let subject = format!("{subject}: {}", step.view.label());
                self.push(code, subject, message, remedy, step.location(&trouble.place));
            }
        }
    }

    fn matches(&mut self, run: &Run, subject: &str, lane: &Lane<'_>, matches: &[Match<'_>]) {
        let pattern = run.command.text();
        let Some(first) = matches.first() else {
            let message = format!("no command of job `{}` matches `{pattern}`", lane.id());
            let remedy = "run the command in this job";
            self.push(
                GATE_COMMAND_MISSING,
                subject.to_owned(),
                message,
                remedy,
                lane.job.place.location(),
            );
            return;
        };
        let reached: Vec<&Match<'_>> = matches.iter().filter(|one| one.is_reached).collect();
        if reached.is_empty() {
            let argv = shown_all(&first.leaf.argv);
            let message = format!("`{argv}` runs under a condition only");
            let remedy = "run it without a condition of the job, the step or the script";
            self.push(COMMAND_CONDITIONAL, subject.to_owned(), message, remedy, first.at.clone());
            return;
        }
        let mut union: BTreeSet<String> = BTreeSet::new();
        let mut removed: BTreeMap<String, String> = BTreeMap::new();
        let mut unknown = None;
        for one in &reached {
            let Some(command) = TestCommand::of(one.leaf) else { continue };
            let selection = self.universe.select(&command, one.leaf);
            self.one(run, subject, one, &command, &selection);
            union.extend(selection.tests);
            removed.extend(selection.removed);
            unknown = unknown.or(selection.unknown);
        }
        self.required(run, subject, &union, &removed, unknown, &first.at);
    }

    fn one(
        &mut self,
        run: &Run,
        subject: &str,
        one: &Match<'_>,
        command: &TestCommand,
        selection: &Selection,
    ) {
        let argv = shown_all(&one.leaf.argv);
        let subject = format!("{subject}: {argv}");
        if selection.tests.is_empty() {
            let at = one.at.clone();
            match &selection.unknown {
                Some(why) => {
                    let message = format!("what `{argv}` selects is not known: {why}");
                    self.push(NOT_STATIC, subject.clone(), message, "write the values out", at);
                }
                None => {
                    let message = format!("`{argv}` selects no test");
                    let remedy = "correct the name, the target or the filter";
                    self.push(SELECTS_NOTHING, subject.clone(), message, remedy, at);
                }
            }
        }
        if !run.no_fail_fast || command.no_fail_fast {
            return;
        }
        let profile = command.profile.as_deref().unwrap_or("default");
        let by_profile = self
            .universe
            .profiles
            .as_ref()
            .and_then(|file| file.chain(profile).iter().find_map(|one| one.fail_fast));
        let hides = match command.runner {
            Runner::Cargo => selection.binaries().len() > 1 || selection.unknown.is_some(),
            Runner::Nextest => by_profile != Some(false) && selection.tests.len() != 1,
        };
        if hides {
            let message = format!("`{argv}` stops at the first failure");
            self.push(FAIL_FAST_HIDES, subject, message, "add `--no-fail-fast`", one.at.clone());
        }
    }

    fn required(
        &mut self,
        run: &Run,
        subject: &str,
        union: &BTreeSet<String>,
        removed: &BTreeMap<String, String>,
        unknown: Option<String>,
        at: &Location,
    ) {
        let mut missing = Vec::new();
        let mut n_missing = 0_usize;
        for id in &run.must_select {
            for wanted in self.universe.wanted(id) {
                let is_there = union.contains(&wanted)
                    // A binary that alone knows its tests stands for all of them.
                    || wanted.split_once('$').is_some_and(|(binary, _)| union.contains(binary));
                if is_there {
                    continue;
                }
                n_missing += 1;
                if missing.len() >= 10 {
                    continue;
                }
                missing.push(match removed.get(&wanted) {
                    Some(argument) => format!("`{wanted}` (left out by {argument})"),
                    None if !self.universe.has(&wanted) => {
                        format!("`{wanted}` (there is no such test)")
                    }
                    None => format!("`{wanted}`"),
                });
            }
        }
        if n_missing == 0 {
            return;
        }
        if let Some(why) = unknown {
            let message = format!("whether {} runs is not known: {why}", missing.join(", "));
            self.push(NOT_STATIC, subject.to_owned(), message, "write the values out", at.clone());
            return;
        }
        let more = n_missing.saturating_sub(missing.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("the lane does not select {}{more}", missing.join(", "));
        let remedy = "remove the argument that leaves it out, or bring the test back";
        self.push(SELECTS_TOO_LITTLE, subject.to_owned(), message, remedy, at.clone());
    }
}

/// Whether a step and the steps around it run on the green path.
fn is_reached(view: &StepView<'_>, scene: &Scene) -> bool {
    view.around.iter().copied().chain([view.step]).all(|step| {
        step.condition.as_ref().is_none_or(|text| Condition::of(text).fold(scene) == Some(true))
    })
}

#[cfg(test)]
mod tests;
