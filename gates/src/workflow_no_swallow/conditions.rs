//! Jobs and steps that are allowed to fail, or that never run. Scripts are not read here.

use super::report::{Report, Whose};
use super::{CONTINUE_ON_ERROR_JOB, CONTINUE_ON_ERROR_STEP, NEEDS_NEVER_RUNS, NEVER_RUNS};
use crate::workflow::expression::{Condition, Scene, Template, Value};
use crate::workflow::{Combination, Job, Lane, Text, Workflow};
use portcullis::Location;
use std::collections::BTreeSet;

/// Judges the keys of a job and of its steps, those of local workflows and actions included.
pub(super) fn judge(workflow: &Workflow, job: &Job, report: &mut Report<'_>) {
    let events = events(workflow);
    may_fail(workflow, job, report);
    condition(workflow, job, &events, report);
    needs(workflow, job, &events, report);
    let (lanes, _hidden) = workflow.lanes(job);
    for lane in &lanes {
        if !lane.callers.is_empty() {
            may_fail(lane.workflow, lane.job, report);
            condition(lane.workflow, lane.job, &events, report);
            needs(lane.workflow, lane.job, &events, report);
        }
        steps(lane, &events, report);
    }
}

/// The events that trigger a workflow. What calls a reusable one is not known from its own file.
fn events(workflow: &Workflow) -> Vec<Option<String>> {
    workflow
        .triggers
        .iter()
        .map(|trigger| {
            let event = trigger.event.as_str();
            (event != "workflow_call").then(|| event.to_owned())
        })
        .collect()
}

fn scene(event: Option<&String>, combination: Option<&Combination>) -> Scene {
    let scene = event.map_or_else(Scene::default, |event| Scene::default().with_event(event));
    match combination {
        Some(combination) => scene.with_matrix(combination),
        None => scene,
    }
}

/// Whether a condition holds for no event and combination.
fn never_holds(text: &Text, events: &[Option<String>], all: &[Combination]) -> bool {
    let condition = Condition::of(text);
    let combinations: Vec<Option<&Combination>> = match all {
        [] => vec![None],
        all => all.iter().map(Some).collect(),
    };
    !events.is_empty()
        && events.iter().all(|event| {
            combinations.iter().all(|combination| {
                condition.fold_alone(&scene(event.as_ref(), *combination)) == Some(false)
            })
        })
}

fn may_fail(workflow: &Workflow, job: &Job, report: &mut Report<'_>) {
    report.examined();
    let Some(text) = &job.continue_on_error else { return };
    if !is_false(text, &combinations_of(workflow, job)) {
        let message = format!("job `{}` may fail: `continue-on-error: {}`", job.id, text.written());
        let whose = Whose::job(workflow, job);
        let remedy = "remove `continue-on-error`";
        report.push(CONTINUE_ON_ERROR_JOB, &whose, "", message, remedy, text.location());
    }
}

fn combinations_of(workflow: &Workflow, job: &Job) -> Vec<Combination> {
    let lane = Lane { workflow, job, callers: Vec::new() };
    lane.combinations().unwrap_or_default()
}

/// Whether a value is false in every combination.
fn is_false(text: &Text, all: &[Combination]) -> bool {
    if !text.has_expression() {
        return text.as_bool() == Some(false);
    }
    let truth = |scene: &Scene| Template::of(text).fold(scene).truth();
    match all {
        [] => truth(&Scene::default()) == Some(false),
        all => all.iter().all(|one| truth(&Scene::default().with_matrix(one)) == Some(false)),
    }
}

fn condition(workflow: &Workflow, job: &Job, events: &[Option<String>], report: &mut Report<'_>) {
    let Some(text) = &job.condition else { return };
    report.examined();
    if never_holds(text, events, &[]) {
        let message = format!("job `{}` never runs: `if: {}`", job.id, text.written());
        let remedy = "correct the condition, or delete the job";
        let whose = Whose::job(workflow, job);
        report.push(NEVER_RUNS, &whose, "", message, remedy, text.location());
    }
}

/// The ids of the jobs that never run, those that need one included.
fn never_running(workflow: &Workflow, events: &[Option<String>]) -> BTreeSet<String> {
    let own =
        |job: &&Job| job.condition.as_ref().is_some_and(|text| never_holds(text, events, &[]));
    let mut never: BTreeSet<String> =
        workflow.jobs.iter().filter(own).map(|job| job.id.clone()).collect();
    // Each round adds at least a job, or is the last.
    loop {
        let next: Vec<String> = workflow
            .jobs
            .iter()
            .filter(|job| !never.contains(&job.id) && waits_in_vain(job, &never, events).is_some())
            .map(|job| job.id.clone())
            .collect();
        if next.is_empty() || never.is_empty() {
            return never;
        }
        never.extend(next);
    }
}

/// The need that keeps a job from ever running.
fn waits_in_vain<'j>(
    job: &'j Job,
    never: &BTreeSet<String>,
    events: &[Option<String>],
) -> Option<&'j Text> {
    let need = job.needs.iter().find(|need| never.contains(need.as_str()))?;
    let Some(text) = &job.condition else { return Some(need) };
    let condition = Condition::of(text);
    let skipped = |event: &Option<String>| {
        let scene =
            scene(event.as_ref(), None).with_status(Some(false), Some(false), Some(false)).with(
                "needs",
                need.as_str(),
                Value::open([("result".to_owned(), Value::Text("skipped".to_owned()))]),
            );
        condition.fold(&scene) == Some(false)
    };
    (!events.is_empty() && events.iter().all(skipped)).then_some(need)
}

fn needs(workflow: &Workflow, job: &Job, events: &[Option<String>], report: &mut Report<'_>) {
    if job.needs.is_empty() {
        return;
    }
    report.examined();
    let never = never_running(workflow, events);
    if let Some(need) = waits_in_vain(job, &never, events) {
        let message = format!("job `{}` needs `{}`, which never runs", job.id, need.as_str());
        let remedy = "let the needed job run, or add `if: always()` and ask for its result";
        let whose = Whose::job(workflow, job);
        report.push(NEEDS_NEVER_RUNS, &whose, need.as_str(), message, remedy, need.location());
    }
}

fn steps(lane: &Lane<'_>, events: &[Option<String>], report: &mut Report<'_>) {
    let all = lane.combinations().unwrap_or_default();
    for view in lane.steps() {
        report.examined();
        let whose = Whose::step(&view);
        if let Some(text) = &view.step.continue_on_error
            && !is_false(text, &all)
        {
            let message = format!(
                "step `{}` may fail: `continue-on-error: {}`",
                view.label(),
                text.written()
            );
            let remedy = "remove `continue-on-error`";
            report.push(CONTINUE_ON_ERROR_STEP, &whose, "", message, remedy, text.location());
        }
        if let Some(text) = &view.step.condition
            && never_holds(text, events, &all)
        {
            let at: Location = text.location();
            let message = format!("step `{}` never runs: `if: {}`", view.label(), text.written());
            let remedy = "correct the condition, or delete the step";
            report.push(NEVER_RUNS, &whose, "", message, remedy, at);
        }
    }
}
