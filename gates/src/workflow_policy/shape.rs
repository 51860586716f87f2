//! The shape of a workflow: its jobs, what they need, their matrices, and what triggers it.

use super::{
    Look,
    report::{Report, Violation},
};
use crate::workflow::{Job, Lane, Node, Place, Text, Trigger, Workflow};
use std::collections::BTreeSet;

/// Holds the job ids against `jobs_superset` and `jobs_exact`.
pub(super) fn jobs(look: &Look<'_>, workflow: &Workflow, report: &mut Report<'_>) {
    let ids: BTreeSet<&str> = workflow.jobs.iter().map(|job| job.id.as_str()).collect();
    let wanted = [&look.rule.jobs_superset, &look.rule.jobs_exact];
    for id in wanted.into_iter().flatten().flatten() {
        report.look();
        if !ids.contains(id.as_str()) {
            report.push(Violation {
                code: super::JOB_MISSING,
                place: &workflow.place,
                subject: id.clone(),
                message: format!("`{}` has no job `{id}`", workflow.path),
                expected: format!("job `{id}`"),
                found: ids.iter().copied().collect::<Vec<_>>().join(", "),
                remedy: "bring the job back under this id",
            });
        }
    }
    let Some(exact) = &look.rule.jobs_exact else { return };
    for job in workflow.jobs.iter().filter(|job| !exact.contains(&job.id)) {
        report.push(Violation {
            code: super::JOB_UNEXPECTED,
            place: &job.place,
            subject: job.id.clone(),
            message: format!("job `{}` is not one of the expected jobs", job.id),
            expected: exact.iter().cloned().collect::<Vec<_>>().join(", "),
            found: job.id.clone(),
            remedy: "remove the job, or name it in `jobs_exact`",
        });
    }
}

/// Holds the direct needs of a job against `needs_superset`.
pub(super) fn needs(look: &Look<'_>, job: &Job, report: &mut Report<'_>) {
    for id in look.rule.needs_superset.iter().flatten() {
        report.look();
        if !job.needs.iter().any(|need| need.as_str() == id) {
            let needs: Vec<&str> = job.needs.iter().map(Text::as_str).collect();
            report.push(Violation {
                code: super::NEEDS_MISSING,
                place: job.needs.first().map_or(&job.place, Text::place),
                subject: format!("{}/{id}", job.id),
                message: format!("job `{}` does not need `{id}`", job.id),
                expected: format!("needs: {id}"),
                found: needs.join(", "),
                remedy: "add it to `needs` of the job",
            });
        }
    }
}

/// Reports matrices that give no job, and numbers in them that the provider prints in another way.
pub(super) fn matrices(workflow: &Workflow, report: &mut Report<'_>) {
    for job in &workflow.jobs {
        let Some(matrix) = &job.matrix else { continue };
        for text in matrix.misprinted() {
            report.push(Violation {
                code: super::MATRIX_VALUE_NOT_STRING,
                place: text.place(),
                subject: format!("{}/{}", job.id, text.written()),
                message: format!(
                    "`{}` is a number, and the provider prints `{}`",
                    text.written(),
                    text.as_str()
                ),
                expected: format!("\"{}\"", text.written()),
                found: text.as_str().to_owned(),
                remedy: "put the value in quotes",
            });
        }
        if crate::workflow::combinations(job).is_ok_and(|all| all.is_empty()) {
            report.push(Violation {
                code: super::MATRIX_EMPTY,
                place: matrix.place(),
                subject: job.id.clone(),
                message: format!("the matrix of job `{}` has no combination", job.id),
                expected: "at least one combination".to_owned(),
                found: "none".to_owned(),
                remedy: "leave at least one combination after `exclude`",
            });
        }
    }
}

/// Holds the values of a matrix against `matrix_superset`.
pub(super) fn matrix(look: &Look<'_>, lane: &Lane<'_>, report: &mut Report<'_>) {
    for (axis, values) in look.rule.matrix_superset.iter().flatten() {
        let place = lane.job.matrix.as_ref().map_or(&lane.job.place, |matrix| matrix.place());
        let all = match lane.combinations() {
            Ok(all) => all,
            Err(unknown) => {
                report.look();
                report.not_static(&unknown.place, format!("{}/{axis}", lane.id()), &unknown.why);
                continue;
            }
        };
        let found: BTreeSet<String> =
            all.iter().filter_map(|one| one.get(axis)).filter_map(|value| value.print()).collect();
        let matrix = lane.job.matrix.as_ref();
        let misprinted: BTreeSet<&str> = matrix
            .map(|matrix| matrix.misprinted().into_iter().map(Text::written).collect())
            .unwrap_or_default();
        for value in values {
            report.look();
            let value = look.resolve(value);
            // A number that is printed in another way has a finding of its own, which says more.
            if found.contains(value) || misprinted.contains(value) {
                continue;
            }
            report.push(Violation {
                code: super::MATRIX_VALUE_MISSING,
                place,
                subject: format!("{}/{axis}={value}", lane.id()),
                message: format!("job `{}` does not run with {axis} `{value}`", lane.id()),
                expected: format!("{axis}: {value}"),
                found: found.iter().cloned().collect::<Vec<_>>().join(", "),
                remedy: "add the value to the matrix, in quotes",
            });
        }
    }
}

/// The keys under an event that narrow it.
const FILTERS: &[&str] =
    &["branches", "branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore", "types"];

/// Holds the triggers against the three lists of events.
pub(super) fn triggers(look: &Look<'_>, workflow: &Workflow, report: &mut Report<'_>) {
    let rule = look.rule;
    let wanted = [&rule.triggers_superset, &rule.triggers_unfiltered];
    for event in wanted.into_iter().flatten().flatten() {
        report.look();
        if workflow.trigger(event).is_none() {
            report.push(Violation {
                code: super::TRIGGER_MISSING,
                place: &workflow.place,
                subject: event.clone(),
                message: format!("`{}` does not run on `{event}`", workflow.path),
                expected: event.clone(),
                found: shown(&workflow.triggers),
                remedy: "add the event to `on`",
            });
        }
    }
    for event in rule.triggers_unfiltered.iter().flatten() {
        let Some(config) = workflow.trigger(event).and_then(|trigger| trigger.config.as_ref())
        else {
            continue;
        };
        for (key, value) in config.map().into_iter().flatten() {
            if FILTERS.contains(&key.as_str()) && narrows(event, key.as_str(), value) {
                report.push(Violation {
                    code: super::TRIGGER_NARROWED,
                    place: key.place(),
                    subject: format!("{event}/{}", key.as_str()),
                    message: format!("`{}` narrows the event `{event}`", key.as_str()),
                    expected: format!("`{event}` without filters"),
                    found: key.as_str().to_owned(),
                    remedy: "remove the filter",
                });
            }
        }
    }
    for event in rule.triggers_deny.iter().flatten() {
        report.look();
        if let Some(trigger) = workflow.trigger(event) {
            report.push(Violation {
                code: super::TRIGGER_DENIED,
                place: trigger.event.place(),
                subject: event.clone(),
                message: format!("`{}` runs on `{event}`", workflow.path),
                expected: format!("not `{event}`"),
                found: event.clone(),
                remedy: "remove the event from `on`",
            });
        }
    }
}

/// Whether a filter leaves out anything that happens without it.
fn narrows(event: &str, key: &str, value: &Node) -> bool {
    let mut words = Vec::new();
    value.each_scalar(&mut |text| words.push(text.as_str()));
    match key {
        // All types that start a run without the filter.
        "types" => {
            let usual: &[&str] = match event {
                "pull_request" | "pull_request_target" => &["opened", "synchronize", "reopened"],
                "merge_group" => &["checks_requested"],
                _ => return true,
            };
            !usual.iter().all(|one| words.contains(one))
        }
        // On a push, a filter of branches also leaves out every tag.
        "branches" if event != "push" => words != ["**"],
        _ => true,
    }
}

fn shown(triggers: &[Trigger]) -> String {
    triggers.iter().map(|trigger| trigger.event.as_str()).collect::<Vec<_>>().join(", ")
}

/// Holds the schedule against `cron_set`.
pub(super) fn schedule(look: &Look<'_>, workflow: &Workflow, report: &mut Report<'_>) {
    let Some(expected) = &look.rule.cron_set else { return };
    report.look();
    let trigger = workflow.trigger("schedule");
    let entries: Vec<(String, &Place)> = trigger
        .and_then(|trigger| trigger.config.as_ref())
        .and_then(Node::list)
        .into_iter()
        .flatten()
        .map(|entry| (entry_of(entry), &entry.place))
        .collect();
    let expected: BTreeSet<String> = expected.iter().map(|cron| plain(cron)).collect();
    let found: BTreeSet<&String> = entries.iter().map(|(entry, _)| entry).collect();
    let mut differs = |place: &Place, entry: &str, message: String, remedy: &str| {
        report.push(Violation {
            code: super::CRON_SET_DIFFERS,
            place,
            subject: entry.to_owned(),
            message,
            expected: expected.iter().cloned().collect::<Vec<_>>().join("; "),
            found: entry.to_owned(),
            remedy,
        });
    };
    for (entry, place) in entries.iter().filter(|(entry, _)| !expected.contains(entry)) {
        let message = format!("`{}` also runs at `{entry}`", workflow.path);
        differs(place, entry, message, "remove the entry from `schedule`");
    }
    let place = trigger.map_or(&workflow.place, |trigger| trigger.event.place());
    for entry in expected.iter().filter(|entry| !found.contains(entry)) {
        let message = format!("`{}` does not run at `{entry}`", workflow.path);
        differs(place, entry, message, "add the entry to `schedule`");
    }
}

/// An entry of a schedule by all its keys: `0 4 * * *`, or `0 4 * * *; timezone: Europe/Berlin`.
fn entry_of(entry: &Node) -> String {
    let mut cron = String::new();
    let mut others = Vec::new();
    for (key, value) in entry.map().into_iter().flatten() {
        let value = value.scalar().map_or("", Text::as_str);
        match key.as_str() {
            "cron" => cron = plain(value),
            other => others.push(format!("; {other}: {value}")),
        }
    }
    others.sort();
    cron + &others.concat()
}

/// A cron expression with single spaces.
fn plain(cron: &str) -> String {
    cron.split_whitespace().collect::<Vec<_>>().join(" ")
}
