//! One required check that is red whenever a lane did not succeed. It judges the one job; what the lanes do is for others.

mod jq;
mod outcome;
mod teeth;
mod truth;

use crate::{
    admission::{self, Admission, Admissions},
    lane::{ADMISSION_UNUSED, SELECTOR_MATCHES_NOTHING},
    workflow::{
        self, Job, Scope, Text, Workflow, default_files,
        expression::{Condition, Scene},
    },
};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, Globs, Location,
    wire::code::CONFIG_INVALID,
};
use serde::Deserialize;
use std::collections::BTreeSet;
use teeth::TEETH;
use toml::Spanned;

portcullis::gate_kind! {
    /// Proves that one job of a workflow is red whenever another job failed, was cancelled or was skipped.
    ///
    /// ### What it checks
    /// The job exists for every event, its condition holds whatever its needs did, it needs every other job directly, and
    /// by truth table: with one need `failure`, `cancelled` or `skipped` and all others `success` a step of it fails, and
    /// with all `success` none does. The table is computed by folding conditions and following scripts. Understood are
    /// conditions over `needs.*.result` with scripts that always fail, scripts that compare results, and `jq -e` over
    /// `toJSON(needs)`.
    ///
    /// ### Why it gates
    /// A job that is skipped counts as success for a required check: one that is not asked for by `always()` is green
    /// exactly when it should be red.
    ///
    /// ### Example
    /// Refused: a job without `if`, and one whose step asks for `'failure'` alone. Accepted: `if: always()` and a step with
    /// `if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled') ||
    /// contains(needs.*.result, 'skipped')` that runs `exit 1`.
    ///
    /// ### Configuration
    /// - `files`: globs of the workflows; default every file of `.github/workflows`.
    /// - `known_keys`: keys of the provider that are newer than this version; default none.
    /// - `file`: globs of the names or paths of the workflows that have the job, required.
    /// - `job`: its id; default `aggregate`.
    /// - `exempt`: tables with `job` and `reason`: jobs that it need not wait for; default none.
    /// - `accept_skipped`: tables with `job` and `reason`: jobs that may be skipped; default none.
    /// - `events`: the events for which it must exist; default `pull_request` and `merge_group`.
    ///
    /// ### Remediation
    /// - `aggregate_missing`: bring back the job, or the event.
    /// - `aggregate_not_always`: give the job `if: ${{ always() }}`.
    /// - `aggregate_needs_missing`: add the job to `needs` of the aggregate.
    /// - `aggregate_accepts_failure`, `aggregate_accepts_cancelled`, `aggregate_accepts_skipped`: make a step fail for this
    ///   result, too.
    /// - `aggregate_always_fails`: let it pass when every need succeeded.
    /// - `aggregate_form_unknown`: use one of the understood forms.
    /// - `admission_unused`: remove the exception, or correct its job.
    /// - `selector_matches_nothing`: correct `file`.
    pub static WORKFLOW_AGGREGATE: "workflow_aggregate", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = CODES, teeth = TEETH;
}

const AGGREGATE_MISSING: Code = Code::new(
    "PC1451",
    "aggregate_missing",
    "The job that sums up a workflow does not exist for an event.",
);
const AGGREGATE_NOT_ALWAYS: Code = Code::new(
    "PC1452",
    "aggregate_not_always",
    "The job that sums up a workflow is skipped when it is needed.",
);
const AGGREGATE_NEEDS_MISSING: Code = Code::new(
    "PC1453",
    "aggregate_needs_missing",
    "The job that sums up a workflow does not wait for a job.",
);
const AGGREGATE_ACCEPTS_FAILURE: Code = Code::new(
    "PC1454",
    "aggregate_accepts_failure",
    "The job that sums up a workflow is green though a job failed.",
);
const AGGREGATE_ACCEPTS_CANCELLED: Code = Code::new(
    "PC1455",
    "aggregate_accepts_cancelled",
    "The job that sums up a workflow is green though a job was cancelled.",
);
const AGGREGATE_ACCEPTS_SKIPPED: Code = Code::new(
    "PC1456",
    "aggregate_accepts_skipped",
    "The job that sums up a workflow is green though a job was skipped.",
);
const AGGREGATE_ALWAYS_FAILS: Code = Code::new(
    "PC1457",
    "aggregate_always_fails",
    "The job that sums up a workflow is red though every job succeeded.",
);
const AGGREGATE_FORM_UNKNOWN: Code = Code::new(
    "PC1458",
    "aggregate_form_unknown",
    "It cannot be computed when the job that sums up a workflow is red.",
);

const CODES: &[Code] = &[
    AGGREGATE_MISSING,
    AGGREGATE_NOT_ALWAYS,
    AGGREGATE_NEEDS_MISSING,
    AGGREGATE_ACCEPTS_FAILURE,
    AGGREGATE_ACCEPTS_CANCELLED,
    AGGREGATE_ACCEPTS_SKIPPED,
    AGGREGATE_ALWAYS_FAILS,
    AGGREGATE_FORM_UNKNOWN,
    ADMISSION_UNUSED,
    SELECTOR_MATCHES_NOTHING,
];

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "default_files")]
    files: Globs,
    #[serde(default)]
    known_keys: BTreeSet<String>,
    file: Globs,
    #[serde(default = "aggregate")]
    job: String,
    #[serde(default)]
    exempt: Vec<Spanned<Exception>>,
    #[serde(default)]
    accept_skipped: Vec<Spanned<Exception>>,
    #[serde(default = "events")]
    events: Vec<String>,
}

/// A job that a rule does not hold for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    job: String,
    reason: String,
}

fn aggregate() -> String {
    "aggregate".to_owned()
}

fn events() -> Vec<String> {
    ["pull_request", "merge_group"].map(str::to_owned).to_vec()
}

impl Config {
    fn admissions(&self) -> impl Iterator<Item = Admission<'_>> {
        let of = |what: &'static str| move |one: &Spanned<Exception>| (what, one.span().start);
        let exempt = self.exempt.iter().map(move |one| (one, of("need of")(one)));
        let skipped = self.accept_skipped.iter().map(move |one| (one, of("skip of")(one)));
        exempt.chain(skipped).map(|(one, (what, offset))| Admission {
            what: format!("{what} `{}`", one.get_ref().job),
            reason: one.get_ref().reason.as_str(),
            expires: None,
            offset,
        })
    }
}

fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults: Vec<Fault> =
        config.admissions().filter_map(|one| admission::fault(&one, table)).collect();
    if config.events.is_empty() {
        let remedy = "name the events of the required check, or leave `events` out";
        faults.push(Fault::new(CONFIG_INVALID, "`events` names no event", remedy));
    }
    for list in [&config.exempt, &config.accept_skipped] {
        let mut seen = BTreeSet::new();
        for one in list.iter().filter(|one| !seen.insert(&one.get_ref().job)) {
            let headline = format!("job `{}` is excepted twice", one.get_ref().job);
            faults.push(
                Fault::new(CONFIG_INVALID, headline, "keep one of the two")
                    .at(table.locate(one.span().start)),
            );
        }
    }
    faults
}

/// Computes the truth table of the job in every workflow that must have it.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let scope = Scope { files: config.files.clone(), known_keys: config.known_keys.clone() };
    let workflows = workflow::load(cx, &scope, out)?;
    let selected: Vec<_> = workflows
        .iter()
        .filter(|one| {
            config.file.matches(one.path.as_str()) || config.file.matches(one.file_name())
        })
        .collect();
    if selected.is_empty() {
        let headline = format!("no workflow matches {}", config.file);
        return Err(Fault::new(SELECTOR_MATCHES_NOTHING, headline, "correct `file`")
            .at(Location::file(workflow::FOLDER)));
    }
    let mut admissions = Admissions::new(cx, config.admissions());
    let mut examined = 0;
    for workflow in selected {
        examined += judge(cx, config, workflow, &mut admissions, out)?;
    }
    admissions.report(out);
    Ok(Examined::items(examined))
}

fn judge(
    cx: &GateContext<'_>,
    config: &Config,
    workflow: &Workflow,
    admissions: &mut Admissions<'_>,
    out: &mut Findings,
) -> Result<usize, Fault> {
    for event in config.events.iter().filter(|event| workflow.trigger(event).is_none()) {
        let message = format!("`{}` does not run on `{event}`", workflow.path);
        out.push(
            Finding::new(AGGREGATE_MISSING, event, message, "add the event to `on`")
                .at(workflow.place.location())
                .expected(event)
                .found("no such event"),
        );
    }
    let Some(job) = workflow.job(&config.job) else {
        let message = format!("`{}` has no job `{}`", workflow.path, config.job);
        out.push(
            Finding::new(AGGREGATE_MISSING, &config.job, message, "bring the job back")
                .at(workflow.place.location())
                .expected(format!("job `{}`", config.job)),
        );
        return Ok(1);
    };
    needs(config, workflow, job, admissions, out);
    let always = always(config, job, out);
    let first_skip = config.exempt.len();
    let accepted =
        |need: &str| config.accept_skipped.iter().position(|one| one.get_ref().job == need);
    for (index, one) in config.accept_skipped.iter().enumerate() {
        if job.needs.iter().any(|need| need.as_str() == one.get_ref().job) {
            admissions.cover(first_skip + index);
        }
    }
    let accepted = |need: &str| accepted(need).is_some();
    truth::table(cx, config, workflow, job, &accepted, always, out)?;
    Ok(3 * job.needs.len() + 1)
}

/// Reports every job that the aggregate does not wait for.
fn needs(
    config: &Config,
    workflow: &Workflow,
    job: &Job,
    admissions: &mut Admissions<'_>,
    out: &mut Findings,
) {
    let direct: BTreeSet<&str> = job.needs.iter().map(Text::as_str).collect();
    for other in workflow.jobs.iter().filter(|other| other.id != job.id) {
        if direct.contains(other.id.as_str()) {
            continue;
        }
        let exempt = config.exempt.iter().position(|one| one.get_ref().job == other.id);
        if exempt.is_some_and(|index| admissions.cover(index)) {
            continue;
        }
        let message = format!("job `{}` does not wait for `{}`", job.id, other.id);
        let remedy = "add the job to its `needs`";
        out.push(
            Finding::new(AGGREGATE_NEEDS_MISSING, &other.id, message, remedy)
                .at(job.needs.first().map_or_else(|| job.place.location(), Text::location))
                .expected(format!("needs: {}", other.id))
                .found(direct.iter().copied().collect::<Vec<_>>().join(", ")),
        );
    }
}

/// Whether the job runs whatever its needs did, also after a cancellation.
fn always(config: &Config, job: &Job, out: &mut Findings) -> bool {
    let needs: Vec<&str> = job.needs.iter().map(Text::as_str).collect();
    let results = |changed: Option<usize>, result: &'static str| {
        let each = needs.iter().enumerate().map(move |(index, need)| {
            (*need, if Some(index) == changed { result } else { "success" })
        });
        Scene::default().with_needs(each)
    };
    let (yes, no) = (Some(true), Some(false));
    let mut scenes = vec![
        ("every job succeeded", results(None, "").with_status(yes, no, no)),
        ("the run was cancelled", results(None, "").with_status(no, no, yes)),
    ];
    for index in 0..needs.len() {
        let changed = Some(index);
        scenes.push(("a job failed", results(changed, "failure").with_status(no, yes, no)));
        scenes.push(("a job was skipped", results(changed, "skipped").with_status(no, no, no)));
        scenes.push(("a job was cancelled", results(changed, "cancelled").with_status(no, no, no)));
        scenes.push((
            "the run was cancelled",
            results(changed, "cancelled").with_status(no, no, yes),
        ));
    }
    let condition = job.condition.as_ref().map(Condition::of);
    let holds = |scene: &Scene| match &condition {
        Some(condition) => condition.fold(scene) == Some(true),
        None => false,
    };
    for event in &config.events {
        let skipped = scenes.iter().find(|(_, scene)| !holds(&scene.clone().with_event(event)));
        if let Some((when, _)) = skipped {
            let found = job.condition.as_ref();
            let message = format!("job `{}` may be skipped on `{event}` when {when}", job.id);
            out.push(
                Finding::new(
                    AGGREGATE_NOT_ALWAYS,
                    &job.id,
                    message,
                    "give the job `if: ${{ always() }}`",
                )
                .at(found.map_or_else(|| job.place.location(), Text::location))
                .expected("always()")
                .found(found.map_or("no condition", Text::as_str)),
            );
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests;
