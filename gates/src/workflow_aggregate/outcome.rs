//! How a job ends in one scene: its steps in order, each with its condition and its script.

use super::jq;
use crate::{
    shell::{
        self,
        argv::OPAQUE,
        follow::Mode,
        open::Project,
        tree::{Command, Item, Kind, Part, Word},
    },
    workflow::{
        Job, StepView, Text, Workflow,
        expression::{Condition, Scene, Template},
        script::{NoScript, Script},
    },
};
use portcullis::Fault;
use std::collections::BTreeMap;

/// How a step or job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Succeeds,
    Fails,
    /// Nobody knows, and why not.
    Unknown(String),
}

/// How a job ends. Actions succeed, unless they are handed the results of the needs: those may do anything with them.
pub(super) fn ends(
    workflow: &Workflow,
    job: &Job,
    project: &Project<'_>,
    scene: &Scene,
) -> Result<End, Fault> {
    let (lanes, hidden) = workflow.lanes(job);
    if let Some(hidden) = hidden.first() {
        return Ok(End::Unknown(format!("`{}` cannot be looked into", hidden.uses.as_str())));
    }
    let mut failed = false;
    let mut unknown = None;
    for view in lanes.iter().flat_map(|lane| lane.steps()) {
        let scene = scene.clone().with_status(Some(!failed), Some(failed), Some(false));
        let label = view.label();
        let runs = runs(&view, &scene);
        if runs == Some(false) {
            continue;
        }
        let may_fail =
            view.step.continue_on_error.as_ref().map_or(Some(false), |flag| truth(flag, &scene));
        let end = step(&view, project, &scene)?;
        match (end, runs, may_fail) {
            (End::Succeeds, _, _) | (_, _, Some(true)) => {}
            (End::Fails, Some(true), Some(false)) => failed = true,
            (End::Unknown(why), _, _) => unknown = Some(why),
            (End::Fails, _, _) => {
                unknown = Some(format!("whether step `{label}` runs is not known"))
            }
        }
    }
    Ok(match unknown {
        // A step that certainly fails decides, whatever the others do.
        _ if failed => End::Fails,
        Some(why) => End::Unknown(why),
        None => End::Succeeds,
    })
}

fn runs(view: &StepView<'_>, scene: &Scene) -> Option<bool> {
    let steps = view.around.iter().copied().chain([view.step]);
    let mut result = Some(true);
    for text in steps.map(|step| step.condition.as_ref()) {
        let one = match text {
            Some(text) => Condition::of(text).fold(scene),
            None => Condition::read("success()").fold(scene),
        };
        match one {
            Some(false) => return Some(false),
            Some(true) => {}
            None => result = None,
        }
    }
    result
}

fn truth(flag: &Text, scene: &Scene) -> Option<bool> {
    flag.as_bool().or_else(|| Template::of(flag).fold(scene).truth())
}

fn step(view: &StepView<'_>, project: &Project<'_>, scene: &Scene) -> Result<End, Fault> {
    let label = view.label();
    let script = match Script::of(view, scene) {
        Ok(script) => script,
        Err(NoScript::Action) => return Ok(action(view)),
        Err(NoScript::Opaque(name)) => {
            return Ok(End::Unknown(format!("step `{label}` runs in {name}")));
        }
    };
    if let Some(end) = asks_jq(&script) {
        return Ok(end);
    }
    let followed = script.follow(project, Mode::Green)?;
    Ok(match (followed.may_succeed, followed.may_fail) {
        _ if !followed.troubles.is_empty() => {
            End::Unknown(format!("the script of step `{label}` cannot be followed"))
        }
        (true, false) => End::Succeeds,
        (false, true) => End::Fails,
        (_, _) => End::Unknown(format!("the script of step `{label}` may end either way")),
    })
}

fn action(view: &StepView<'_>) -> End {
    let crate::workflow::Action::Uses { uses, with, composite } = &view.step.action else {
        return End::Succeeds;
    };
    // Its steps follow, each on its own.
    if composite.is_some() {
        return End::Succeeds;
    }
    let reads = |value: &Text| {
        Template::of(value).expressions().any(|expression| expression.reads("needs"))
    };
    if with.iter().any(|(_, value)| reads(value)) {
        return End::Unknown(format!("`{}` judges the results", uses.as_str()));
    }
    End::Succeeds
}

/// The end of a script whose verdict is a `jq -e` over a known text. `None` for every other script.
fn asks_jq(script: &Script) -> Option<End> {
    let list = shell::parse(&script.text).ok()?;
    let (mut verdict, mut after) = (None, false);
    for item in &list.items {
        if let Some(end) = jq_item(item, script) {
            after = verdict.is_some();
            verdict.get_or_insert(end);
        } else if is_harmless(item) {
            after = verdict.is_some();
        } else {
            return None;
        }
    }
    // Without errexit, only the last command decides.
    verdict.filter(|_| !after || script.options.errexit)
}

/// Whether an item only prints.
fn is_harmless(item: &Item) -> bool {
    let simple = item.rest.is_empty() && item.first.commands.len() == 1 && !item.is_background;
    let first = item.first.commands.first().filter(|_| simple);
    let Some(Kind::Simple(command)) = first.map(|command| &command.kind) else { return false };
    let program = command.words.first().and_then(Word::literal);
    command.assignments.is_empty() && matches!(program.as_deref(), Some("echo" | "printf"))
}

/// How `.. | jq -e '..'` or `jq -e '..' <<< ..` ends.
fn jq_item(item: &Item, script: &Script) -> Option<End> {
    if !item.rest.is_empty() || item.is_background || item.first.is_negated {
        return None;
    }
    let (last, before) = item.first.commands.split_last()?;
    let (program, has_status) = jq_program(last, &script.env)?;
    let input = match before {
        [] => {
            let here = last.redirects.iter().find(|one| one.operator.ends_with("<<<"))?;
            text_of(&here.target, &script.env)?
        }
        [echo] => printed(echo, &script.env)?,
        [_, ..] => return None,
    };
    let input: serde_json::Value = serde_json::from_str(&input).ok()?;
    if !has_status {
        // Without `-e` the status says nothing about the answer.
        return Some(End::Succeeds);
    }
    Some(match jq::succeeds(&program, &input) {
        Some(true) => End::Succeeds,
        Some(false) => End::Fails,
        None => End::Unknown("the program of jq is not understood".to_owned()),
    })
}

/// The program that jq is given, and whether its status is that of the answer.
fn jq_program(command: &Command, env: &BTreeMap<String, String>) -> Option<(String, bool)> {
    let Kind::Simple(simple) = &command.kind else { return None };
    let words: Option<Vec<String>> = simple.words.iter().map(|word| text_of(word, env)).collect();
    let words = words?;
    let (first, rest) = words.split_first()?;
    if first != "jq" {
        return None;
    }
    let (mut program, mut has_status) = (None, false);
    for word in rest {
        match word.as_str() {
            "--exit-status" => has_status = true,
            "--raw-output" | "--compact-output" => {}
            flags if flags.starts_with("--") => return None,
            flags if flags.starts_with('-') => {
                if !flags[1..].chars().all(|flag| matches!(flag, 'e' | 'r' | 'c' | 'M' | 'S')) {
                    return None;
                }
                has_status |= flags.contains('e');
            }
            text if program.is_none() => program = Some(text.to_owned()),
            _ => return None,
        }
    }
    program.map(|program| (program, has_status))
}

/// What `echo` or `printf '%s'` prints.
fn printed(command: &Command, env: &BTreeMap<String, String>) -> Option<String> {
    let Kind::Simple(simple) = &command.kind else { return None };
    let words: Option<Vec<String>> = simple.words.iter().map(|word| text_of(word, env)).collect();
    match words?.as_slice() {
        [echo, text] if echo == "echo" => Some(text.clone()),
        [printf, format, text]
            if printf == "printf" && matches!(format.as_str(), "%s" | "%s\\n") =>
        {
            Some(text.clone())
        }
        _ => None,
    }
}

/// A word with its variables replaced; `None` where one is not known.
fn text_of(word: &Word, env: &BTreeMap<String, String>) -> Option<String> {
    let mut text = String::new();
    for part in &word.parts {
        match part {
            Part::Text { text: piece, .. } => text.push_str(piece),
            Part::Variable { name, operation, .. } if operation.is_empty() => {
                text.push_str(env.get(name).filter(|value| !value.contains(OPAQUE))?);
            }
            Part::Variable { .. }
            | Part::Substitution { .. }
            | Part::Process(_)
            | Part::Arithmetic(_)
            | Part::Expression(_)
            | Part::Array(_) => return None,
        }
    }
    Some(text)
}
