//! Conditions: who is kept out by them, and what excludes what.

use super::{
    Look,
    config::{Flag, Group},
    report::{Report, Violation},
};
use crate::workflow::{
    Concurrency, Job, Lane, Place, StepView, Text,
    expression::{Condition, Scene, Template, Value},
};

/// Holds the conditions of the named steps against a pull request from a fork.
pub(super) fn forks(look: &Look<'_>, lanes: &[Lane<'_>], job: &Job, report: &mut Report<'_>) {
    let Some(guard) = &look.rule.fork_guard else { return };
    let steps: Vec<StepView<'_>> = lanes.iter().flat_map(Lane::steps).collect();
    for name in &guard.steps {
        let named: Vec<&StepView<'_>> =
            steps.iter().filter(|view| view.step.is_called(name)).collect();
        if named.is_empty() {
            report.blind(look.no_such("step", name, job.place.location()));
        }
        for view in named {
            report.look();
            guarded(view, report);
        }
    }
    let Some(name) = &guard.alternative else { return };
    let named: Vec<&StepView<'_>> = steps.iter().filter(|view| view.step.is_called(name)).collect();
    if named.is_empty() {
        report.blind(look.no_such("step", name, job.place.location()));
    }
    for view in named {
        report.look();
        alternative(view, report);
    }
}

/// A pull request from a fork, or from the repository itself.
fn scene(fork: bool, event: &str) -> Scene {
    let text = |text: &str| Value::Text(text.to_owned());
    let member = |name: &str, value: Value| (name.to_owned(), value);
    let theirs = if fork { "stranger" } else { "owner" };
    let repository = |owner: &str, fork: bool| {
        Value::open([
            member("fork", Value::Bool(fork)),
            member("full_name", text(&format!("{owner}/repository"))),
            member("owner", Value::open([member("login", text(owner))])),
        ])
    };
    let pull_request = Value::open([
        member("head", Value::open([member("repo", repository(theirs, fork))])),
        member("base", Value::open([member("repo", repository("owner", false))])),
    ]);
    let event_value = Value::open([
        member("pull_request", pull_request),
        member("repository", repository("owner", false)),
    ]);
    Scene::default()
        .with_status(Some(true), Some(false), Some(false))
        .with_event(event)
        .with("github", "event", event_value)
        .with("github", "repository", text("owner/repository"))
        .with("github", "repository_owner", text("owner"))
}

/// Every condition that a step stands behind: of the jobs that lead to it, of the steps around it, its own.
fn conditions<'w>(view: &StepView<'w>) -> Vec<&'w Text> {
    let callers = view.lane.callers.iter().map(|(_, job)| job.condition.as_ref());
    let steps = view.around.iter().map(|step| step.condition.as_ref());
    callers
        .chain([view.lane.job.condition.as_ref()])
        .chain(steps)
        .chain([view.step.condition.as_ref()])
        .flatten()
        .collect()
}

/// Whether all conditions of a step hold in a scene; `None` where that is not known, or differs over its matrix.
fn runs(view: &StepView<'_>, scene: &Scene) -> Option<bool> {
    let scenes: Vec<Scene> = match view.lane.combinations() {
        Ok(cells) => cells.iter().map(|cell| scene.clone().with_matrix(cell)).collect(),
        Err(_unknown) => vec![scene.clone()],
    };
    let conditions: Vec<Condition> = conditions(view).into_iter().map(Condition::of).collect();
    let holds = |scene: &Scene| {
        let answers: Vec<Option<bool>> = conditions.iter().map(|one| one.fold(scene)).collect();
        if answers.contains(&Some(false)) {
            return Some(false);
        }
        answers.iter().all(Option::is_some).then_some(true)
    };
    let mut answers = scenes.iter().map(holds);
    let first = answers.next()?;
    answers.all(|answer| answer == first).then_some(first).flatten()
}

fn guarded(view: &StepView<'_>, report: &mut Report<'_>) {
    let conditions = conditions(view);
    let subject = view.subject();
    let label = view.label();
    let last = conditions.last();
    let place = last.map_or(&view.step.place, |text| text.place());
    let found = last.map_or("no condition", |text| text.as_str()).to_owned();
    let expected = "a condition that is false for a pull request from a fork".to_owned();
    // The other event that runs for forks even has a token that may write.
    let top = view.lane.callers.first().map_or(view.lane.workflow, |(workflow, _)| workflow);
    let target = Some("pull_request_target").filter(|event| top.trigger(event).is_some());
    let mut events = ["pull_request"].into_iter().chain(target);
    if events.all(|event| runs(view, &scene(true, event)) == Some(false)) {
        return;
    }
    let always =
        conditions.iter().find(|text| matches!(Condition::of(text), Condition::AlwaysTrue(_)));
    if let Some(text) = always {
        report.push(Violation {
            code: super::GUARD_INEFFECTIVE,
            place: text.place(),
            subject,
            message: format!("the condition of step `{label}` is a text, and so always true"),
            expected,
            found,
            remedy: "put the whole condition into one pair of braces, with nothing around it",
        });
        return;
    }
    report.push(Violation {
        code: super::FORK_GUARD_MISSING,
        place,
        subject,
        message: format!("step `{label}` may run for a pull request from a fork"),
        expected,
        found,
        remedy: "add `github.event.pull_request.head.repo.fork == false` to its `if`",
    });
}

fn alternative(view: &StepView<'_>, report: &mut Report<'_>) {
    let fork = runs(view, &scene(true, "pull_request"));
    let own = runs(view, &scene(false, "pull_request"));
    if (fork, own) == (Some(true), Some(false)) {
        return;
    }
    let last = conditions(view).into_iter().last();
    report.push(Violation {
        code: super::FORK_GUARD_MISSING,
        place: last.map_or(&view.step.place, Text::place),
        subject: view.subject(),
        message: format!("step `{}` does not run exactly for pull requests from forks", view.label()),
        expected: "a condition that is true for forks alone".to_owned(),
        found: last.map_or("no condition", Text::as_str).to_owned(),
        remedy: "give it `github.event_name == 'pull_request' && github.event.pull_request.head.repo.fork`",
    });
}

/// Holds the `if` of a job against an expression: equal as parsed.
pub(super) fn condition(look: &Look<'_>, job: &Job, report: &mut Report<'_>) {
    let Some(expected) = &look.rule.condition else { return };
    report.look();
    let found = job.condition.as_ref();
    if found.is_some_and(|found| Condition::of(found) == Condition::read(expected)) {
        return;
    }
    report.push(Violation {
        code: super::CONDITION_DIFFERS,
        place: found.map_or(&job.place, Text::place),
        subject: job.id.clone(),
        message: format!("the condition of job `{}` is another one", job.id),
        expected: expected.clone(),
        found: found.map_or("no condition", Text::as_str).to_owned(),
        remedy: "write the condition as the rule states it",
    });
}

/// Holds a concurrency group against the rule.
pub(super) fn concurrency(
    look: &Look<'_>,
    whose: &str,
    place: &Place,
    found: Option<&Concurrency>,
    report: &mut Report<'_>,
) {
    let Some(expected) = &look.rule.concurrency else { return };
    report.look();
    if found.is_some_and(|found| is_same(expected, found)) {
        return;
    }
    let shown = |group: &str, cancel: &str| format!("group: {group}; cancel-in-progress: {cancel}");
    let cancel = match &expected.cancel_in_progress {
        None => "anything".to_owned(),
        Some(Flag::Plain(flag)) => flag.to_string(),
        Some(Flag::Expression(text)) => text.clone(),
    };
    report.push(Violation {
        code: super::CONCURRENCY_DIFFERS,
        place: found.map_or(place, |found| &found.place),
        subject: whose.to_owned(),
        message: format!("the concurrency of `{whose}` is another one"),
        expected: shown(&expected.group, &cancel),
        found: found.map_or_else(
            || "none".to_owned(),
            |found| {
                let cancel = found.cancel_in_progress.as_ref().map_or("false", Text::as_str);
                shown(found.group.as_str(), cancel)
            },
        ),
        remedy: "write `concurrency` as the rule states it",
    });
}

fn is_same(expected: &Group, found: &Concurrency) -> bool {
    let cancel = found.cancel_in_progress.as_ref();
    let same_flag = match &expected.cancel_in_progress {
        None => true,
        Some(Flag::Plain(flag)) => cancel.map_or(Some(false), Text::as_bool) == Some(*flag),
        Some(Flag::Expression(text)) => {
            cancel.is_some_and(|cancel| Template::of(cancel) == Template::read(text))
        }
    };
    same_flag && Template::read(found.group.as_str()) == Template::read(&expected.group)
}
