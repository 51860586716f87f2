//! Variables: which values are inherited, and which names are denied.

use super::{
    Look,
    report::{Report, Violation},
};
use crate::workflow::{
    Env, Lane, Place, Text, Workflow,
    expression::{Scene, Template},
};

/// Holds the variables of the workflow itself against the values.
pub(super) fn own(look: &Look<'_>, workflow: &Workflow, report: &mut Report<'_>) {
    for (name, expected) in look.rule.env.iter().flatten() {
        report.look();
        let whose = workflow.path.as_str();
        let found = find(&workflow.env, name);
        compare(whose, name, expected, found, None, &workflow.place, report);
    }
}

/// Holds the variables that each step of a lane inherits against the values.
pub(super) fn inherited(look: &Look<'_>, lane: &Lane<'_>, report: &mut Report<'_>) {
    for (name, expected) in look.rule.env.iter().flatten() {
        report.look();
        let found = find(&lane.job.env, name).or_else(|| find(&lane.workflow.env, name));
        let whole = lane.job.env.expression.as_ref().or(lane.workflow.env.expression.as_ref());
        let id = lane.id();
        if let (Some(whole), None) = (whole, found) {
            report.not_static(whole.place(), format!("{id}/{name}"), "the table of variables");
            continue;
        }
        let place = &lane.job.place;
        compare(&id, name, expected, found, Some(lane), place, report);
        for step in lane.steps() {
            for own in step.around.iter().copied().chain([step.step]) {
                if let Some(found) = find(&own.env, name) {
                    let whose = step.subject();
                    compare(&whose, name, expected, Some(found), Some(lane), &own.place, report);
                }
            }
        }
    }
}

fn find<'e>(env: &'e Env, name: &str) -> Option<&'e Text> {
    env.entries.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value)
}

fn compare(
    whose: &str,
    name: &str,
    expected: &str,
    found: Option<&Text>,
    lane: Option<&Lane<'_>>,
    place: &Place,
    report: &mut Report<'_>,
) {
    let subject = format!("{whose}/{name}");
    let mut shown = None;
    if let Some(text) = found {
        let Some(values) = values(text, lane) else {
            report.not_static(text.place(), subject, &format!("the value of `{name}`"));
            return;
        };
        let other = values.into_iter().find(|value| value != expected);
        if other.is_none() {
            return;
        }
        shown = other;
    }
    report.push(Violation {
        code: super::ENV_DIFFERS,
        place: found.map_or(place, Text::place),
        subject,
        message: match &shown {
            Some(value) => format!("`{whose}` sees {name} as `{value}`"),
            None => format!("`{whose}` does not see {name}"),
        },
        expected: format!("{name}: {expected}"),
        found: shown.unwrap_or_else(|| "nothing".to_owned()),
        remedy: "set the variable in `env`, in quotes, and nowhere to another value",
    });
}

/// Reports a variable that a script sets to another value.
pub(super) fn differs(
    whose: &str,
    name: &str,
    expected: &str,
    found: &str,
    place: &Place,
    report: &mut Report<'_>,
) {
    let found = crate::shell::argv::shown(found);
    report.push(Violation {
        code: super::ENV_DIFFERS,
        place,
        subject: format!("{whose}/{name}"),
        message: format!("`{whose}` sets {name} to `{found}`"),
        expected: format!("{name}: {expected}"),
        found,
        remedy: "remove the assignment from the script",
    });
}

/// The values of a variable as printed, over the matrix.
fn values(text: &Text, lane: Option<&Lane<'_>>) -> Option<Vec<String>> {
    let template = Template::of(text);
    if !text.has_expression() {
        return template.fold(&Scene::default()).print().map(|value| vec![value]);
    }
    let scenes: Vec<Scene> = match lane {
        Some(lane) => {
            let cells = lane.combinations().ok()?;
            cells.iter().map(|cell| Scene::default().with_matrix(cell)).collect()
        }
        None => vec![Scene::default()],
    };
    scenes.iter().map(|scene| template.fold(scene).print()).collect()
}

/// Holds every name of a variable against the denied ones, in every key of a file.
pub(super) fn denied(look: &Look<'_>, workflow: &Workflow, report: &mut Report<'_>) {
    if look.rule.env_deny.is_none() {
        return;
    }
    report.look();
    each_name(look, workflow.path.as_str(), &workflow.env, report);
    for job in &workflow.jobs {
        for env in job.images_env.iter().chain([&job.env]) {
            each_name(look, &job.id, env, report);
        }
        let (lanes, _hidden) = workflow.lanes(job);
        for lane in &lanes {
            let envs = [&lane.workflow.env, &lane.job.env];
            for env in envs.into_iter().chain(&lane.job.images_env) {
                each_name(look, &lane.id(), env, report);
            }
            for step in lane.steps() {
                each_name(look, &step.subject(), &step.step.env, report);
            }
        }
    }
}

fn each_name(look: &Look<'_>, whose: &str, env: &Env, report: &mut Report<'_>) {
    for (name, _) in &env.entries {
        report.look();
        deny(look, whose, name.as_str(), name.place(), report);
    }
    if let Some(whole) = &env.expression {
        report.not_static(whole.place(), format!("{whose}/env"), "the table of variables");
    }
}

/// Reports a name that is denied.
pub(super) fn deny(
    look: &Look<'_>,
    whose: &str,
    name: &str,
    place: &Place,
    report: &mut Report<'_>,
) {
    let Some(denied) = &look.rule.env_deny else { return };
    if denied.matches(name) {
        report.push(Violation {
            code: super::ENV_DENIED,
            place,
            subject: format!("{whose}/{name}"),
            message: format!("`{whose}` sets {name}"),
            expected: format!("no variable that matches {denied}"),
            found: name.to_owned(),
            remedy: "remove the variable",
        });
    }
}
