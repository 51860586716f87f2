//! What bounds a job: its time, its runners, its token.

use super::{
    Look,
    report::{Report, Violation},
};
use crate::workflow::{
    Access, Job, Lane, Text, Workflow,
    expression::{Scene, Template, Value},
};

/// Holds the timeout of a job against the cap, for every combination of its matrix.
pub(super) fn timeout(look: &Look<'_>, lane: &Lane<'_>, report: &mut Report<'_>) {
    let cap = look.rule.timeout_minutes_max;
    if cap.is_none() && look.rule.timeout_required != Some(true) {
        return;
    }
    report.look();
    let id = lane.id();
    let limit = cap.map_or_else(|| "any limit".to_owned(), |cap| format!("at most {cap}"));
    let Some(timeout) = &lane.job.timeout else {
        report.push(Violation {
            code: super::TIMEOUT_MISSING,
            place: &lane.job.place,
            subject: id.clone(),
            message: format!("job `{id}` has no `timeout-minutes`"),
            expected: limit,
            found: "the provider's 360 minutes".to_owned(),
            remedy: "add `timeout-minutes` to the job",
        });
        return;
    };
    match minutes(lane, timeout) {
        Some(most) => {
            if let Some(cap) = cap.filter(|cap| most > f64::from(*cap)) {
                report.push(Violation {
                    code: super::TIMEOUT_TOO_LONG,
                    place: timeout.place(),
                    subject: id.clone(),
                    message: format!("job `{id}` may take {most} minutes, the cap is {cap}"),
                    expected: limit,
                    found: timeout.written().to_owned(),
                    remedy: "lower `timeout-minutes`; raising the cap is a change of its own",
                });
            }
        }
        None => report.not_static(timeout.place(), id, "`timeout-minutes`"),
    }
}

/// The longest timeout over the matrix.
fn minutes(lane: &Lane<'_>, timeout: &Text) -> Option<f64> {
    if let Some(minutes) = timeout.as_number() {
        return Some(minutes);
    }
    let template = Template::of(timeout);
    let mut most: Option<f64> = None;
    for combination in lane.combinations().ok()? {
        let value = template.fold(&Scene::default().with_matrix(&combination));
        let minutes = match value {
            Value::Number(minutes) => minutes,
            Value::Text(text) => text.trim().parse().ok()?,
            Value::Unknown
            | Value::Null
            | Value::Bool(_)
            | Value::List(_)
            | Value::Every(_)
            | Value::Map { .. } => return None,
        };
        most = Some(most.map_or(minutes, |most| most.max(minutes)));
    }
    most
}

/// Holds the labels of the runners against the list, and against labels that move.
pub(super) fn runners(look: &Look<'_>, lane: &Lane<'_>, report: &mut Report<'_>) {
    let rule = look.rule;
    let pinned = rule.runner_pinned == Some(true);
    if rule.runs_on.is_none() && !pinned {
        return;
    }
    report.look();
    let id = lane.id();
    let labels = match lane.labels() {
        Ok(labels) => labels,
        Err(place) => {
            report.not_static(&place, id, "the label of the runner");
            return;
        }
    };
    let allowed = rule.runs_on.as_ref();
    let group = lane.job.runs_on.as_ref().and_then(|runs_on| runs_on.group.as_ref());
    let group = group.map(|group| (format!("group {}", group.as_str()), group.place().clone()));
    for (label, place) in labels.into_iter().chain(group) {
        let listed = |allowed: &str| allowed.eq_ignore_ascii_case(&label);
        if allowed.is_some_and(|allowed| !allowed.iter().any(|one| listed(one))) {
            report.push(Violation {
                code: super::RUNNER_NOT_ALLOWED,
                place: &place,
                subject: format!("{id}/{label}"),
                message: format!("job `{id}` runs on `{label}`"),
                expected: allowed.into_iter().flatten().cloned().collect::<Vec<_>>().join(", "),
                found: label.clone(),
                remedy: "run the job on a listed runner",
            });
        }
        if pinned && label.to_ascii_lowercase().ends_with("-latest") {
            report.push(Violation {
                code: super::RUNNER_NOT_PINNED,
                place: &place,
                subject: format!("{id}/{label}"),
                message: format!("job `{id}` runs on `{label}`, which moves"),
                expected: "a label with a version".to_owned(),
                found: label.clone(),
                remedy: "name the version of the image, such as `ubuntu-24.04`",
            });
        }
    }
}

/// Holds the permissions of the workflow itself against the bounds.
pub(super) fn own_permissions(look: &Look<'_>, workflow: &Workflow, report: &mut Report<'_>) {
    if look.rule.permissions_max.is_none() && look.rule.permissions_min.is_none() {
        return;
    }
    report.look();
    let Some(block) = &workflow.permissions else {
        unset(workflow, workflow.path.as_str().to_owned(), &workflow.place, report);
        return;
    };
    let level = |scope: &str| (block.of(scope), block.place_of(scope));
    bounds(look, "", workflow.path.as_str(), &block.scopes(), level, report);
}

/// Holds the permissions in force in a job against the bounds.
pub(super) fn permissions(look: &Look<'_>, lane: &Lane<'_>, report: &mut Report<'_>) {
    if look.rule.permissions_max.is_none() && look.rule.permissions_min.is_none() {
        return;
    }
    report.look();
    let effective = lane.permissions();
    let id = lane.id();
    if effective.is_unset() {
        unset(lane.workflow, id, &lane.job.place, report);
        return;
    }
    let level = |scope: &str| {
        let (access, place) = effective.of(scope);
        (access, place.unwrap_or(&lane.job.place))
    };
    bounds(look, &id, &format!("job `{id}`"), &effective.scopes(), level, report);
}

fn unset(
    workflow: &Workflow,
    subject: String,
    place: &crate::workflow::Place,
    report: &mut Report<'_>,
) {
    report.push(Violation {
        code: super::PERMISSIONS_UNSET,
        place,
        message: format!(
            "no `permissions` in `{}` say what the token of `{subject}` may do",
            workflow.path
        ),
        subject,
        expected: "a block of permissions".to_owned(),
        found: "the setting of the repository".to_owned(),
        remedy: "add `permissions` to the workflow or the job; `{}` gives nothing",
    });
}

fn bounds<'p>(
    look: &Look<'_>,
    id: &str,
    whose: &str,
    scopes: &[&str],
    level: impl Fn(&str) -> (Access, &'p crate::workflow::Place),
    report: &mut Report<'_>,
) {
    let subject =
        |scope: &str| if id.is_empty() { scope.to_owned() } else { format!("{id}/{scope}") };
    if let Some(max) = &look.rule.permissions_max {
        for scope in scopes {
            let (access, place) = level(scope);
            let most = max.get(*scope).copied().unwrap_or(Access::None);
            if access > most {
                report.push(Violation {
                    code: super::PERMISSION_TOO_WIDE,
                    place,
                    subject: subject(scope),
                    message: format!("{whose} has `{scope}: {}`", access.name()),
                    expected: format!("{scope}: {}", most.name()),
                    found: format!("{scope}: {}", access.name()),
                    remedy: "lower the scope in `permissions`",
                });
            }
        }
    }
    for (scope, least) in look.rule.permissions_min.iter().flatten() {
        let (access, place) = level(scope);
        if access < *least {
            report.push(Violation {
                code: super::PERMISSION_MISSING,
                place,
                subject: subject(scope),
                message: format!("{whose} has `{scope}: {}`", access.name()),
                expected: format!("{scope}: {}", least.name()),
                found: format!("{scope}: {}", access.name()),
                remedy: "give the scope in `permissions` of the job",
            });
        }
    }
}

/// The permissions of a job whose steps cannot be seen: what it calls has at most those.
pub(super) fn caller<'w>(workflow: &'w Workflow, job: &'w Job) -> Lane<'w> {
    Lane { workflow, job, callers: Vec::new() }
}
