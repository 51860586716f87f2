//! Scripts of steps: failures that a path lets go of, retry actions, and what could not be read.

use super::config::Config;
use super::nextest::Profiles;
use super::report::{Report, Whose};
use super::{
    ERREXIT_OFF, EXIT_ZERO, OR_TRUE, PIPE_WITHOUT_PIPEFAIL, RETRY_LOOP, SHELL_WITHOUT_ERREXIT,
    STATUS_LOST, flags,
};
use crate::{
    lane::{NOT_STATIC, OPAQUE, SCRIPT_UNPARSED},
    shell::{
        argv::shown_all,
        follow::{Followed, Loss, Mode, Start, Swallowed, follow},
        open::Project,
        options::Options,
    },
    step_script::{Script, StepScript, step_scripts},
    workflow::{Action, Lane},
};
use portcullis::{Code, Fault};
use std::collections::BTreeMap;

/// Judges the scripts of a lane.
pub(super) fn judge(
    config: &Config,
    lane: &Lane<'_>,
    project: &Project<'_>,
    nextest: &Profiles,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    let is_verification = |argv: &[String]| config.is_verification(argv);
    let steps = step_scripts(lane, None, project, &is_verification, Mode::Failures)?;
    for step in &steps {
        let whose = Whose::step(&step.view);
        match &step.script {
            Script::None => retry_action(config, step, &whose, project, report)?,
            Script::Opaque(shell) => {
                let message =
                    format!("step `{}` runs in {shell}, which is not read", step.view.label());
                let remedy = "use `shell: bash`, or admit the step in `advisory`";
                let at = step.view.step.place.location();
                report.push(OPAQUE, &whose, "", message, remedy, at);
            }
            Script::Followed(followed) => one(step, followed, &whose, report),
        }
    }
    flags::judge(config, &steps, nextest, report);
    Ok(())
}

fn one(step: &StepScript<'_>, followed: &Followed, whose: &Whose<'_>, report: &mut Report<'_>) {
    for trouble in &followed.troubles {
        let code = if trouble.is_unparsed { SCRIPT_UNPARSED } else { NOT_STATIC };
        let message =
            format!("the script of `{}` cannot be judged: {}", step.view.label(), trouble.why);
        let remedy = "write it so that it parses as bash, in smaller parts";
        report.push(code, whose, "", message, remedy, step.location(&trouble.place));
    }
    for _ in followed.leaves.iter().filter(|leaf| leaf.is_verification) {
        report.verification();
    }
    for swallowed in &followed.swallowed {
        let Some(leaf) = followed.leaves.get(swallowed.leaf) else { continue };
        let argv = shown_all(&leaf.argv);
        for (code, why, remedy) in losses(swallowed) {
            let message = format!("a failure of `{argv}` is lost: {why}");
            report.push(code, whose, &argv, message, remedy, step.location(&leaf.place));
        }
    }
}

/// The codes of a path that ends green, with why and the way out.
fn losses(swallowed: &Swallowed) -> Vec<(Code, &'static str, &'static str)> {
    let mut found = Vec::new();
    if swallowed.is_retried {
        let why = "it is tried again until it succeeds";
        found.push((RETRY_LOOP, why, "run it once; quarantine flaky tests by name"));
        return found;
    }
    match swallowed.loss {
        Some(Loss::Or) => found.push((
            OR_TRUE,
            "the right side of `||` can end well",
            "remove `|| ..`, or end its right side with `exit 1`",
        )),
        Some(Loss::ErrexitOff) => found.push((
            ERREXIT_OFF,
            "errexit is off, and the status is not raised again",
            "remove `set +e`, or keep the status and end with `exit \"$status\"`",
        )),
        Some(Loss::NoErrexit) => found.push((
            SHELL_WITHOUT_ERREXIT,
            "the shell has no errexit, and another command follows",
            "use `shell: bash`, or begin the script with `set -e`",
        )),
        Some(Loss::Pipe) => found.push((
            PIPE_WITHOUT_PIPEFAIL,
            "it is not last in a pipeline without pipefail",
            "use `shell: bash`, or `set -o pipefail`",
        )),
        Some(Loss::Status) => found.push((
            STATUS_LOST,
            "nothing asks for its status",
            "run it in the foreground, outside of substitutions, conditions and `!`",
        )),
        None if !swallowed.exits_zero => found.push((
            STATUS_LOST,
            "the script ends well all the same",
            "let the script end with its status",
        )),
        None => {}
    }
    if swallowed.exits_zero {
        found.push((EXIT_ZERO, "the script ends with `exit 0`", "remove `exit 0`"));
    }
    found
}

/// An action that runs a command until it succeeds.
fn retry_action(
    config: &Config,
    step: &StepScript<'_>,
    whose: &Whose<'_>,
    project: &Project<'_>,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    let Action::Uses { uses, with, .. } = &step.view.step.action else { return Ok(()) };
    let name = uses.as_str().split('@').next().unwrap_or_default().to_ascii_lowercase();
    let is_retry = name.split('/').nth(1).is_some_and(|part| part.contains("retry"));
    if !is_retry || name.starts_with("./") {
        return Ok(());
    }
    report.verification();
    let scripts = ["command", "run", "cmd", "script"];
    let script = with.iter().find(|(key, _)| scripts.contains(&key.as_str())).map(|(_, text)| text);
    if let Some(script) = script {
        let env = BTreeMap::new();
        let options = Options { errexit: true, ..Options::default() };
        let start = Start { text: script.as_str(), options, folder: "", env: &env };
        let is_verification = |argv: &[String]| config.is_verification(argv);
        let followed = follow(&start, project, &is_verification, Mode::Failures)?;
        let is_harmless = followed.troubles.is_empty()
            && !script.has_expression()
            && !followed.leaves.iter().any(|leaf| leaf.is_verification);
        if is_harmless {
            return Ok(());
        }
    }
    let message = format!("`{}` runs a command until it succeeds", uses.as_str());
    let remedy = "run the command once; quarantine flaky tests by name";
    report.push(RETRY_LOOP, whose, uses.as_str(), message, remedy, uses.location());
    Ok(())
}
