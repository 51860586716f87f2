//! The truth table: what becomes of the job for each result of each need. How one job ends is in `outcome`.

use super::{
    AGGREGATE_ACCEPTS_CANCELLED, AGGREGATE_ACCEPTS_FAILURE, AGGREGATE_ACCEPTS_SKIPPED,
    AGGREGATE_ALWAYS_FAILS, AGGREGATE_FORM_UNKNOWN, Config,
    outcome::{End, ends},
};
use crate::{
    shell::open::Project,
    workflow::{Job, Text, Workflow, expression::Scene, script},
};
use portcullis::{Code, Fault, Finding, Findings, GateContext};

const RESULTS: &[(&str, Code)] = &[
    ("failure", AGGREGATE_ACCEPTS_FAILURE),
    ("cancelled", AGGREGATE_ACCEPTS_CANCELLED),
    ("skipped", AGGREGATE_ACCEPTS_SKIPPED),
];

/// Reports each row of the table that is not as it must be.
pub(super) fn table(
    cx: &GateContext<'_>,
    config: &Config,
    workflow: &Workflow,
    job: &Job,
    accepted: &dyn Fn(&str) -> bool,
    always: bool,
    out: &mut Findings,
) -> Result<(), Fault> {
    let reader = |path: &str| script::read(cx, path);
    let project = Project::new(&reader);
    let needs: Vec<&str> = job.needs.iter().map(Text::as_str).collect();
    // A run that was cancelled skips steps that ask for success. It counts for the job as a whole; see `always`.
    let scene = |changed: usize, result: &'static str, event: &str| {
        let each = needs
            .iter()
            .enumerate()
            .map(move |(index, need)| (*need, if index == changed { result } else { "success" }));
        Scene::default()
            .with_needs(each)
            .with_status(Some(true), Some(false), Some(false))
            .with_event(event)
    };
    let place = job.place.location();
    let report = |code: Code, subject: &str, message: String, remedy: &str, out: &mut Findings| {
        out.push(Finding::new(code, subject, message, remedy).at(place.clone()));
    };
    let form = "use a step condition over `needs.*.result` with a script that always fails, or `jq -e` over `toJSON(needs)`";
    for event in &config.events {
        let before = out.violations();
        let mut unknown = None;
        match ends(workflow, job, &project, &scene(needs.len(), "success", event))? {
            End::Succeeds => {}
            End::Fails => {
                let message = format!("job `{}` fails though every job succeeded", job.id);
                let remedy = "let it pass when every need succeeded";
                report(AGGREGATE_ALWAYS_FAILS, &job.id, message, remedy, out);
            }
            End::Unknown(why) => unknown = Some(why),
        }
        for (index, need) in needs.iter().enumerate() {
            for (result, code) in RESULTS {
                let skips = *result == "skipped" && accepted(need);
                match ends(workflow, job, &project, &scene(index, result, event))? {
                    End::Fails => {}
                    End::Succeeds if skips => {}
                    End::Unknown(_) if skips => {}
                    End::Succeeds => {
                        let message =
                            format!("job `{}` succeeds though `{need}` is `{result}`", job.id);
                        let remedy = "make a step fail for this result, too";
                        report(*code, need, message, remedy, out);
                    }
                    End::Unknown(why) => unknown = Some(why),
                }
            }
        }
        if let Some(why) = unknown {
            let message = format!("it cannot be computed when job `{}` fails: {why}", job.id);
            report(AGGREGATE_FORM_UNKNOWN, &job.id, message, form, out);
        }
        // What is wrong for one event is wrong for the others, and is said once.
        if out.violations() > before {
            break;
        }
    }
    if needs.is_empty() && always && out.violations() == 0 {
        let message = format!("job `{}` needs no job", job.id);
        report(AGGREGATE_FORM_UNKNOWN, &job.id, message, form, out);
    }
    Ok(())
}
