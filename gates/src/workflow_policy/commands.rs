//! What scripts run and which variables they set.

use super::{
    Look,
    report::{Report, Violation},
    variables,
};
use crate::{
    lane::{OPAQUE, SCRIPT_UNPARSED},
    shell::{
        argv::{ArgvPattern, shown_all},
        follow::{Followed, Mode},
        open::Project,
    },
    workflow::{
        Lane, Place, StepView,
        expression::Scene,
        script::{self, NoScript, Script},
    },
};
use portcullis::{Fault, Finding};

/// A command of a lane, where it stands.
struct Command<'w> {
    view: StepView<'w>,
    place: Place,
    argv: Vec<String>,
}

/// Whether a rule has to know what scripts do.
fn is_wanted(look: &Look<'_>) -> bool {
    let rule = look.rule;
    rule.run_allow.is_some()
        || rule.run_deny.is_some()
        || rule.run_require.is_some()
        || rule.run_order.is_some()
        || rule.env_deny.is_some()
        || (rule.env.is_some() && rule.job.is_some())
}

/// Holds the commands of a lane, and the variables that its scripts set, against the rule.
pub(super) fn commands(
    look: &Look<'_>,
    lane: &Lane<'_>,
    project: &Project<'_>,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    if !is_wanted(look) {
        return Ok(());
    }
    let mut commands = Vec::new();
    for view in lane.steps() {
        let script = match Script::of(&view, &Scene::default()) {
            Ok(script) => script,
            Err(NoScript::Action) => continue,
            Err(NoScript::Opaque(name)) => {
                report.look();
                let what = format!("a script of `{name}`");
                report.opaque(&view.step.place, view.subject(), &what);
                continue;
            }
        };
        report.look();
        let followed = script.follow(project, Mode::Failures)?;
        troubles(&view, &followed, report);
        variables_of(look, &view, &script, &followed, report);
        for leaf in followed.leaves {
            let place = script::place(&view, &leaf.place);
            commands.push(Command { view: view.clone(), place, argv: leaf.argv });
        }
    }
    listed(look, &commands, report);
    wanted(look, lane, &commands, report);
    Ok(())
}

fn troubles(view: &StepView<'_>, followed: &Followed, report: &mut Report<'_>) {
    for trouble in &followed.troubles {
        let code = if trouble.is_unparsed { SCRIPT_UNPARSED } else { OPAQUE };
        let place = script::place(view, &trouble.place);
        let remedy = "write the script more plainly, or in a form that a POSIX shell reads";
        let message = format!("the script cannot be read: {}", trouble.why);
        report.add(
            Finding::new(code, view.subject(), message, remedy)
                .at(place.location())
                .found(&trouble.why),
        );
    }
}

/// Holds every variable that a script sets against the denied names and the wanted values.
fn variables_of(
    look: &Look<'_>,
    view: &StepView<'_>,
    script: &Script,
    followed: &Followed,
    report: &mut Report<'_>,
) {
    let mut one = |name: &str, value: &str, place: &Place| {
        variables::deny(look, &view.subject(), name, place, report);
        let wanted = look.rule.env.as_ref().filter(|_| look.rule.job.is_some());
        if let Some(wanted) = wanted.and_then(|env| env.get(name)).filter(|wanted| *wanted != value)
        {
            variables::differs(&view.subject(), name, wanted, value, place, report);
        }
    };
    for leaf in &followed.leaves {
        let set = leaf.env.iter().filter(|(name, value)| script.env.get(*name) != Some(*value));
        let place = script::place(view, &leaf.place);
        set.for_each(|(name, value)| one(name, value, &place));
    }
    for (name, value, place) in &followed.later_env {
        one(name, value, &script::place(view, place));
    }
}

/// Holds every command against the lists of allowed and denied ones.
fn listed(look: &Look<'_>, commands: &[Command<'_>], report: &mut Report<'_>) {
    let allow = patterns(look.rule.run_allow.as_ref());
    let deny = patterns(look.rule.run_deny.as_ref());
    if look.rule.run_allow.is_none() && deny.is_empty() {
        return;
    }
    for command in commands {
        report.look();
        let shown = shown_all(&command.argv);
        let subject = format!("{}: {shown}", command.view.subject());
        if look.rule.run_allow.is_some() && !allow.iter().any(|one| one.matches(&command.argv)) {
            report.push(Violation {
                code: super::RUN_NOT_ALLOWED,
                place: &command.place,
                subject: subject.clone(),
                message: format!("`{shown}` matches no allowed pattern"),
                expected: allow.iter().map(ArgvPattern::text).collect::<Vec<_>>().join("; "),
                found: shown.clone(),
                remedy: "remove the command, or allow it",
            });
        }
        if let Some(denied) = deny.iter().find(|one| one.matches(&command.argv)) {
            report.push(Violation {
                code: super::RUN_DENIED,
                place: &command.place,
                subject,
                message: format!("`{shown}` is denied"),
                expected: format!("no command that matches `{}`", denied.text()),
                found: shown,
                remedy: "remove the command",
            });
        }
    }
}

/// Holds the lane against the commands that it must run, and against their order.
fn wanted(look: &Look<'_>, lane: &Lane<'_>, commands: &[Command<'_>], report: &mut Report<'_>) {
    let require = patterns(look.rule.run_require.as_ref());
    let order = patterns(look.rule.run_order.as_ref());
    let first =
        |pattern: &ArgvPattern| commands.iter().position(|command| pattern.matches(&command.argv));
    let id = lane.id();
    for pattern in require.iter().chain(&order) {
        report.look();
        if first(pattern).is_none() {
            report.push(Violation {
                code: super::RUN_MISSING,
                place: &lane.job.place,
                subject: format!("{id}: {}", pattern.text()),
                message: format!("job `{id}` runs no `{}`", pattern.text()),
                expected: pattern.text().to_owned(),
                found: format!("{} commands, none that matches", commands.len()),
                remedy: "bring the command back",
            });
        }
    }
    let found: Vec<(usize, &ArgvPattern)> =
        order.iter().filter_map(|pattern| Some((first(pattern)?, pattern))).collect();
    for pair in found.windows(2) {
        if let [(before, a), (after, b)] = pair
            && let Some(command) = commands.get(*after).filter(|_| before >= after)
        {
            report.push(Violation {
                code: super::RUN_ORDER_DIFFERS,
                place: &command.place,
                subject: format!("{id}: {}", b.text()),
                message: format!("`{}` runs before `{}`", b.text(), a.text()),
                expected: format!("`{}`, then `{}`", a.text(), b.text()),
                found: shown_all(&command.argv),
                remedy: "put the commands into the order of `run_order`",
            });
        }
    }
}

fn patterns(texts: Option<&Vec<String>>) -> Vec<ArgvPattern> {
    texts.into_iter().flatten().filter_map(|text| ArgvPattern::parse(text)).collect()
}
