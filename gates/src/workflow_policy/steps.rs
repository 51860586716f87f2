//! What steps use, upload and are allowed to fail at.

use super::{
    Look,
    config::plain_image,
    report::{Report, Violation},
};
use crate::workflow::{
    Action, Combination, Job, Lane, StepView, Text,
    expression::{Condition, Expression, Scene, Template, Value},
};
use portcullis::{Fault, Globs};
use std::collections::{BTreeMap, BTreeSet};

/// Holds everything that a lane takes from elsewhere against the pins and the list.
pub(super) fn uses(look: &Look<'_>, lane: &Lane<'_>, report: &mut Report<'_>) -> Result<(), Fault> {
    for step in lane.steps() {
        if let Action::Uses { uses, .. } = &step.step.action {
            one_use(look, &step.subject(), uses, Source::Action, report)?;
        }
    }
    let images = lane.job.container.iter().chain(&lane.job.services);
    for image in images {
        one_use(look, &format!("{}/image", lane.id()), image, Source::Image, report)?;
    }
    Ok(())
}

/// Holds the workflow that a job calls against the pins and the list.
pub(super) fn job_use(
    look: &Look<'_>,
    job: &Job,
    uses: &Text,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    one_use(look, &job.id, uses, Source::Action, report)
}

/// Whether a text names an action or workflow, or the image of a container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Action,
    Image,
}

fn one_use(
    look: &Look<'_>,
    subject: &str,
    uses: &Text,
    source: Source,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    let rule = look.rule;
    let pins = rule.uses_pinned == Some(true);
    // A list of actions says nothing about the images of containers.
    let list = rule.uses_allow.as_ref().filter(|_| source == Source::Action);
    if !pins && list.is_none() {
        return Ok(());
    }
    report.look();
    let text = uses.as_str();
    if source == Source::Action && text.starts_with("./") && !uses.has_expression() {
        return Ok(());
    }
    let subject = format!("{subject}: {text}");
    if uses.has_expression() && !is_pinned(text, source) {
        report.not_static(uses.place(), subject, "what is used");
        return Ok(());
    }
    if pins && !is_pinned(text, source) {
        let (expected, remedy) = match source {
            Source::Action if !text.starts_with("docker://") => (
                "`@` and the 40 hex digits of a commit",
                "name the commit, and its version in a comment",
            ),
            Source::Action | Source::Image => {
                ("`@sha256:` and 64 hex digits", "name the digest of the image")
            }
        };
        report.push(Violation {
            code: super::ACTION_NOT_PINNED,
            place: uses.place(),
            subject: subject.clone(),
            message: format!("`{text}` is not pinned to one content"),
            expected: expected.to_owned(),
            found: text.to_owned(),
            remedy,
        });
    }
    if let Some(list) = list.filter(|list| !list.is_empty()) {
        let globs: Vec<String> = list.iter().map(|pattern| plain_image(pattern)).collect();
        let globs = Globs::new(&globs)?;
        let plain = plain_image(text);
        let name = plain.split_once('@').map_or(plain.as_str(), |(name, _)| name);
        if !globs.matches(&plain) && !globs.matches(name) {
            report.push(Violation {
                code: super::ACTION_NOT_ALLOWED,
                place: uses.place(),
                subject,
                message: format!("`{text}` is not in the list of allowed actions"),
                expected: list.join(", "),
                found: text.to_owned(),
                remedy: "use a listed action, or list this one",
            });
        }
    }
    Ok(())
}

/// Whether a text names one content for ever.
fn is_pinned(text: &str, source: Source) -> bool {
    let hex = |digits: &str, n: usize| {
        digits.len() == n && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if source == Source::Image || text.starts_with("docker://") {
        return text.rsplit_once("@sha256:").is_some_and(|(_, digits)| hex(digits, 64));
    }
    text.rsplit_once('@').is_some_and(|(_, reference)| hex(reference, 40))
}

/// Holds the steps that may fail against the list.
pub(super) fn advisory(look: &Look<'_>, lane: &Lane<'_>, report: &mut Report<'_>) {
    let Some(expected) = &look.rule.steps_advisory else { return };
    report.look();
    let steps = lane.steps();
    for name in expected.iter().filter(|name| !steps.iter().any(|one| one.step.is_called(name))) {
        report.blind(look.no_such("step", name, lane.job.place.location()));
    }
    for step in &steps {
        report.look();
        let listed = expected.iter().any(|name| step.step.is_called(name));
        let flag = step.step.continue_on_error.as_ref();
        let Some(is) = flag.map_or(Some(false), |flag| truth(flag, lane)) else {
            let place = flag.map_or(&step.step.place, Text::place);
            report.not_static(place, step.subject(), "`continue-on-error`");
            continue;
        };
        if is != listed {
            report.push(Violation {
                code: super::ADVISORY_DIFFERS,
                place: flag.map_or(&step.step.place, Text::place),
                subject: step.subject(),
                message: if is {
                    format!("step `{}` may fail", step.label())
                } else {
                    format!("step `{}` may not fail, though it is listed as advisory", step.label())
                },
                expected: format!("continue-on-error: {listed}"),
                found: format!("continue-on-error: {is}"),
                remedy: "set `continue-on-error` as `steps_advisory` says",
            });
        }
    }
}

/// Whether a flag counts as true for some combination of the matrix; `None` where that is not known.
fn truth(flag: &Text, lane: &Lane<'_>) -> Option<bool> {
    if let Some(value) = flag.as_bool() {
        return Some(value);
    }
    let template = Template::of(flag);
    let mut any = false;
    for combination in lane.combinations().ok()? {
        any |= template.fold(&Scene::default().with_matrix(&combination)).truth()?;
    }
    Some(any)
}

/// Holds the names of uploads inside a matrix against each other: two cells with one name overwrite or refuse.
pub(super) fn artifacts(look: &Look<'_>, lane: &Lane<'_>, report: &mut Report<'_>) {
    if look.rule.artifact_unique == Some(false) {
        return;
    }
    let uploads: Vec<StepView<'_>> =
        lane.steps().into_iter().filter(|step| is_upload(step)).collect();
    let mut jobs: Vec<&Job> = lane.callers.iter().map(|(_, job)| *job).collect();
    jobs.push(lane.job);
    if uploads.is_empty() || jobs.iter().all(|job| job.matrix.is_none()) {
        if look.rule.artifact_unique == Some(true) {
            report.look();
        }
        return;
    }
    for upload in &uploads {
        report.look();
        for (level, job) in jobs.iter().enumerate() {
            clash(lane, upload, level, job, report);
        }
    }
}

fn is_upload(step: &StepView<'_>) -> bool {
    let Action::Uses { uses, .. } = &step.step.action else { return false };
    let name = uses.as_str().split_once('@').map_or(uses.as_str(), |(name, _)| name);
    name.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case("upload-artifact"))
}

fn input<'s>(step: &'s crate::workflow::Step, name: &str) -> Option<&'s Text> {
    let Action::Uses { with, .. } = &step.action else { return None };
    with.iter().find(|(key, _)| key.as_str().eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Reports an upload whose name is the same in two cells of one matrix: that of the job, or of a caller.
fn clash(lane: &Lane<'_>, upload: &StepView<'_>, level: usize, job: &Job, report: &mut Report<'_>) {
    if job.matrix.is_none() {
        return;
    }
    let name = input(upload.step, "name");
    let place = name.map_or(&upload.step.place, Text::place);
    let mentioned = mentioned(lane, upload, name, level);
    if mentioned.whole {
        return;
    }
    let cells = match crate::workflow::combinations(job) {
        Ok(cells) => cells,
        Err(unknown) => {
            report.not_static(&unknown.place, upload.subject(), &unknown.why);
            return;
        }
    };
    let running: Vec<&Combination> =
        cells.iter().filter(|cell| level < lane.callers.len() || runs_in(upload, cell)).collect();
    let mut seen = BTreeMap::new();
    for cell in &running {
        let projected: Vec<Option<String>> =
            mentioned.axes.iter().map(|axis| cell.get(axis).and_then(Value::print)).collect();
        *seen.entry(projected).or_insert(0_usize) += 1;
    }
    let Some(most) = seen.values().max().filter(|count| **count > 1) else { return };
    let missing = varying(&running)
        .into_iter()
        .filter(|axis| !mentioned.axes.iter().any(|known| known.eq_ignore_ascii_case(axis)))
        .collect::<Vec<_>>();
    report.push(Violation {
        code: super::ARTIFACT_NAME_CLASH,
        place,
        subject: upload.subject(),
        message: format!("{most} jobs of one matrix upload under one name"),
        expected: missing
            .iter()
            .map(|axis| format!("${{{{ matrix.{axis} }}}}"))
            .collect::<Vec<_>>()
            .join(" "),
        found: name.map_or("artifact, the default", Text::as_str).to_owned(),
        remedy: "name every axis of the matrix in the name of the artifact",
    });
}

/// The axes that have more than one value.
fn varying(cells: &[&Combination]) -> Vec<String> {
    let mut values: BTreeMap<&str, BTreeSet<Option<String>>> = BTreeMap::new();
    for cell in cells {
        for (axis, value) in &cell.values {
            values.entry(axis).or_default().insert(value.print());
        }
    }
    values
        .into_iter()
        .filter(|(_, values)| values.len() > 1)
        .map(|(axis, _)| axis.to_owned())
        .collect()
}

/// Whether a step may run in a cell: its condition does not exclude it.
fn runs_in(step: &StepView<'_>, cell: &Combination) -> bool {
    let scene = Scene::default().with_matrix(cell);
    let conditions = step.around.iter().copied().chain([step.step]);
    conditions
        .filter_map(|step| step.condition.as_ref())
        .all(|text| Condition::of(text).fold_alone(&scene) != Some(false))
}

/// Which parts of a matrix a name contains.
#[derive(Default)]
struct Mentioned {
    axes: BTreeSet<String>,
    /// All of it: the number of the job, or the matrix as a text.
    whole: bool,
}

/// What of the matrix of one level the name of an upload contains, followed through the inputs of actions and calls.
fn mentioned(
    lane: &Lane<'_>,
    upload: &StepView<'_>,
    name: Option<&Text>,
    level: usize,
) -> Mentioned {
    let mut found = Mentioned::default();
    let mut texts: Vec<&Text> = name.into_iter().collect();
    // The steps around, innermost first; then, for a caller's matrix, the calls.
    let mut inputs_of = upload.around.iter().rev();
    let mut depth = upload.around.len();
    let mut calls = lane.callers.iter().rev();
    let mut at = lane.callers.len();
    loop {
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for text in texts {
            for expression in Template::of(text).expressions() {
                if depth == 0 && at == level {
                    collect_axes(expression, &mut found);
                }
                collect_inputs(expression, &mut wanted);
            }
        }
        let with: Vec<(&str, &Text)> = if depth > 0 {
            depth -= 1;
            let Some(step) = inputs_of.next() else { return found };
            let Action::Uses { with, .. } = &step.action else { return found };
            with.iter().map(|(key, value)| (key.as_str(), value)).collect()
        } else {
            let Some((_, job)) = calls.next().filter(|_| at > level) else { return found };
            at -= 1;
            let crate::workflow::Body::Reusable { with, .. } = &job.body else { return found };
            with.iter().map(|(key, value)| (key.as_str(), value)).collect()
        };
        texts = with
            .into_iter()
            .filter(|(key, _)| wanted.contains(&key.to_ascii_lowercase()))
            .map(|(_, value)| value)
            .collect();
    }
}

fn collect_axes(expression: &Expression, found: &mut Mentioned) {
    walk(expression, &mut |one| {
        if let Expression::Property(of, name) = one
            && let Expression::Name(context) = of.as_ref()
        {
            if context == "matrix" {
                found.axes.insert(name.clone());
            } else if context == "strategy" && name == "job-index" {
                found.whole = true;
            }
        } else if let Expression::Call(name, arguments) = one
            && name == "tojson"
        {
            found.whole |= *arguments == [Expression::Name("matrix".to_owned())];
        }
    });
}

fn collect_inputs(expression: &Expression, wanted: &mut BTreeSet<String>) {
    walk(expression, &mut |one| {
        if let Expression::Property(of, name) = one
            && **of == Expression::Name("inputs".to_owned())
        {
            wanted.insert(name.clone());
        }
    });
}

fn walk(expression: &Expression, each: &mut impl FnMut(&Expression)) {
    each(expression);
    match expression {
        Expression::Null
        | Expression::Bool(_)
        | Expression::Number(_)
        | Expression::Text(_)
        | Expression::Name(_) => {}
        Expression::Property(of, _) | Expression::Every(of) | Expression::Not(of) => walk(of, each),
        Expression::Index(a, b) | Expression::Compare(_, a, b) => {
            walk(a, each);
            walk(b, each);
        }
        Expression::Call(_, all) | Expression::And(all) | Expression::Or(all) => {
            all.iter().for_each(|one| walk(one, each));
        }
    }
}
