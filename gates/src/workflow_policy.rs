//! What workflows must and must not say, rule by rule. It does not ask whether a lane runs what it is named after, nor
//! whether it hides a failure: those are kinds of their own.

mod commands;
mod config;
mod guard;
mod limits;
mod report;
mod shape;
mod steps;
mod teeth;
mod variables;

use crate::{
    admission::Admissions,
    lane::{ADMISSION_UNUSED, NOT_STATIC, OPAQUE, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING},
    shell::open::Project,
    workflow::{
        self, Body, EXPRESSION_INVALID, Hidden, Job, MERGE_KEY, NEEDS_CYCLE, NEEDS_UNKNOWN_JOB,
        Scope, UNKNOWN_KEY, WORKFLOW_INVALID, WORKFLOW_NOT_LOADED, WORKFLOW_TWINS, Workflow,
    },
};
use config::{Config, Rule};
use portcullis::{
    Code, Examined, Fault, Findings, GateContext, GateError, Globs, Location,
    wire::code::CONFIG_INVALID,
};
use report::Report;
use std::rc::Rc;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Holds the workflows of a repository to rules: which jobs, needs, triggers, limits, permissions, pins and guards.
    ///
    /// ### What it checks
    /// Each rule selects files and jobs and makes assertions about them. A local reusable workflow stands in for the job
    /// that calls it, a local composite action for the step that uses it. A value that only the provider knows is
    /// `not_static`, a job that cannot be looked into is `opaque`; both block. A rule that looked at nothing is an error.
    ///
    /// ### Why it gates
    /// A workflow that loses a job, a need or a pin still runs green.
    ///
    /// ### Example
    /// Refused under `job = ["unit"]`, `timeout_minutes_max = 7`: `timeout-minutes: 60`, and no `timeout-minutes`.
    /// Accepted: `timeout-minutes: 7`, and `"7"`.
    ///
    /// ### Configuration
    /// - `files`: globs of the workflows; default every file of `.github/workflows`.
    /// - `known_keys`: keys of the provider that are newer than this version; default none.
    /// - `rule`: tables with `id`, at least one assertion, and optionally `file` (globs of names or paths, default all),
    ///   `except_file` (tables with `file` and `reason`) and `job` (globs of ids). Without `job`, the assertions on job
    ///   ids, triggers, schedule, permissions, variables and concurrency look at the keys of the workflow itself, all
    ///   others at every job. The assertions:
    /// - `jobs_superset`, `jobs_exact`: these jobs exist; no other does.
    /// - `needs_superset`: the job needs each of these directly.
    /// - `matrix_superset`: a table from axis to values that occur; `"@rust-version"` is that of the root manifest.
    /// - `timeout_required`, `timeout_minutes_max`: a timeout is stated, and is at most this many minutes.
    /// - `permissions_max`, `permissions_min`: tables from scope to `none`, `read` or `write`; the maximum of a scope
    ///   without entry is `none`.
    /// - `triggers_superset`, `triggers_deny`, `triggers_unfiltered`: events that are there, are not there, and are not
    ///   narrowed by branches, paths or types.
    /// - `cron_set`: the entries of the schedule, exactly; further keys follow as `; timezone: Europe/Berlin`.
    /// - `runs_on`, `runner_pinned`: the labels a runner may have; none ends in `-latest`.
    /// - `env`, `env_deny`: a table of inherited values as they are printed; globs of names that nothing sets.
    /// - `uses_pinned`, `uses_allow`: actions by commit and images by digest; globs of allowed actions.
    /// - `run_allow`, `run_deny`, `run_require`, `run_order`: patterns of commands: every command matches one, none
    ///   matches one, each matches one, and their first matches are in this order.
    /// - `steps_advisory`: the names or ids of the steps that may fail, exactly.
    /// - `fork_guard`: a table with `steps` that never run for a pull request from a fork, and optionally `alternative`,
    ///   the step that runs exactly then.
    /// - `condition`: the `if` of the job, equal as parsed.
    /// - `concurrency`: a table with `group` and optionally `cancel_in_progress`, equal as parsed.
    /// - `artifact_unique`: uploads in a matrix name every axis that varies; default true.
    ///
    /// ### Remediation
    /// - `job_missing`, `needs_missing`, `trigger_missing`, `matrix_value_missing`, `run_missing`: bring back what is
    ///   named; dropping it from the rule is a change of its own.
    /// - `job_unexpected`: remove the job, or add it to `jobs_exact`.
    /// - `matrix_value_not_string`: put the value in quotes.
    /// - `matrix_empty`: leave at least one combination after `exclude`.
    /// - `timeout_missing`, `timeout_too_long`: state a timeout within the cap.
    /// - `permission_too_wide`, `permission_missing`, `permissions_unset`: state the permissions of the job.
    /// - `trigger_denied`: remove the event.
    /// - `trigger_narrowed`: remove the filter.
    /// - `cron_set_differs`: make the schedule what the rule states.
    /// - `runner_not_allowed`, `runner_not_pinned`: run on a listed image with a version.
    /// - `env_differs`, `env_denied`: set the variable to the stated value, or nowhere.
    /// - `action_not_pinned`: name the commit or the digest. `action_not_allowed`: use a listed action.
    /// - `run_not_allowed`, `run_denied`, `run_order_differs`: change the script as the message says.
    /// - `advisory_differs`: set `continue-on-error` as the rule states it.
    /// - `fork_guard_missing`, `guard_ineffective`: guard the step with one expression and nothing around it.
    /// - `condition_differs`, `concurrency_differs`: write what the rule states.
    /// - `artifact_name_clash`: name the varying axes in the name of the artifact.
    /// - `not_static`, `opaque`, `script_unparsed`: write values out; use what can be looked into.
    /// - `selector_matches_nothing`: correct the file, job or step that is named. `admission_unused`: remove it.
    /// - `workflow_twins`, `workflow_not_loaded`: keep one file per name, in `.github/workflows` itself.
    /// - `workflow_invalid`, `expression_invalid`, `merge_key`, `needs_unknown_job`, `needs_cycle`: correct the file.
    /// - `unknown_key`: correct the key, or name it in `known_keys`.
    pub static WORKFLOW_POLICY: "workflow_policy", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const JOB_MISSING: Code =
    Code::new("PC1420", "job_missing", "A workflow lacks a job that a rule names.");
const JOB_UNEXPECTED: Code =
    Code::new("PC1421", "job_unexpected", "A workflow has a job that a rule does not name.");
const NEEDS_MISSING: Code =
    Code::new("PC1422", "needs_missing", "A job does not wait for a job that a rule names.");
const MATRIX_VALUE_MISSING: Code =
    Code::new("PC1423", "matrix_value_missing", "A matrix lacks a value that a rule names.");
const MATRIX_VALUE_NOT_STRING: Code = Code::new(
    "PC1424",
    "matrix_value_not_string",
    "A number in a matrix is printed in another way than it is written.",
);
const MATRIX_EMPTY: Code =
    Code::new("PC1425", "matrix_empty", "A matrix has no combination, so its job never runs.");
const TIMEOUT_MISSING: Code = Code::new("PC1426", "timeout_missing", "A job states no timeout.");
const TIMEOUT_TOO_LONG: Code =
    Code::new("PC1427", "timeout_too_long", "A job may take longer than its cap.");
const PERMISSION_TOO_WIDE: Code =
    Code::new("PC1428", "permission_too_wide", "A token may do more than a rule allows.");
const PERMISSION_MISSING: Code =
    Code::new("PC1429", "permission_missing", "A token may do less than a rule wants.");
const PERMISSIONS_UNSET: Code = Code::new(
    "PC1430",
    "permissions_unset",
    "Nothing says what a token may do, so the setting of the repository decides.",
);
const TRIGGER_MISSING: Code = Code::new(
    "PC1431",
    "trigger_missing",
    "A workflow does not run on an event that a rule names.",
);
const TRIGGER_DENIED: Code =
    Code::new("PC1432", "trigger_denied", "A workflow runs on an event that a rule denies.");
const TRIGGER_NARROWED: Code = Code::new(
    "PC1433",
    "trigger_narrowed",
    "A filter keeps a workflow from running on all of an event.",
);
const CRON_SET_DIFFERS: Code =
    Code::new("PC1434", "cron_set_differs", "A schedule is not the one that a rule states.");
const RUNNER_NOT_ALLOWED: Code =
    Code::new("PC1435", "runner_not_allowed", "A job runs on a runner that no rule lists.");
const RUNNER_NOT_PINNED: Code =
    Code::new("PC1436", "runner_not_pinned", "The image of a runner moves with time.");
const ENV_DIFFERS: Code =
    Code::new("PC1437", "env_differs", "A variable has another value than a rule states.");
const ENV_DENIED: Code =
    Code::new("PC1438", "env_denied", "A workflow sets a variable that a rule denies.");
const ACTION_NOT_PINNED: Code = Code::new(
    "PC1439",
    "action_not_pinned",
    "An action, workflow or image is not named by its content.",
);
const ACTION_NOT_ALLOWED: Code =
    Code::new("PC1440", "action_not_allowed", "An action is used that no rule lists.");
const RUN_NOT_ALLOWED: Code =
    Code::new("PC1441", "run_not_allowed", "A lane runs a command that no pattern allows.");
const RUN_DENIED: Code =
    Code::new("PC1442", "run_denied", "A lane runs a command that a pattern denies.");
const RUN_MISSING: Code =
    Code::new("PC1443", "run_missing", "A lane does not run a command that a rule names.");
const RUN_ORDER_DIFFERS: Code =
    Code::new("PC1444", "run_order_differs", "A lane runs its commands in another order.");
const ADVISORY_DIFFERS: Code =
    Code::new("PC1445", "advisory_differs", "Another step may fail than a rule states.");
const FORK_GUARD_MISSING: Code =
    Code::new("PC1446", "fork_guard_missing", "A step may run for a pull request from a fork.");
const GUARD_INEFFECTIVE: Code =
    Code::new("PC1447", "guard_ineffective", "The condition of a guarded step is always true.");
const CONDITION_DIFFERS: Code = Code::new(
    "PC1448",
    "condition_differs",
    "The condition of a job is not the one that a rule states.",
);
const CONCURRENCY_DIFFERS: Code = Code::new(
    "PC1449",
    "concurrency_differs",
    "The concurrency of a job or workflow is not the one that a rule states.",
);
const ARTIFACT_NAME_CLASH: Code =
    Code::new("PC1450", "artifact_name_clash", "Two jobs of a matrix upload under one name.");

const CODES: &[Code] = &[
    JOB_MISSING,
    JOB_UNEXPECTED,
    NEEDS_MISSING,
    MATRIX_VALUE_MISSING,
    MATRIX_VALUE_NOT_STRING,
    MATRIX_EMPTY,
    TIMEOUT_MISSING,
    TIMEOUT_TOO_LONG,
    PERMISSION_TOO_WIDE,
    PERMISSION_MISSING,
    PERMISSIONS_UNSET,
    TRIGGER_MISSING,
    TRIGGER_DENIED,
    TRIGGER_NARROWED,
    CRON_SET_DIFFERS,
    RUNNER_NOT_ALLOWED,
    RUNNER_NOT_PINNED,
    ENV_DIFFERS,
    ENV_DENIED,
    ACTION_NOT_PINNED,
    ACTION_NOT_ALLOWED,
    RUN_NOT_ALLOWED,
    RUN_DENIED,
    RUN_MISSING,
    RUN_ORDER_DIFFERS,
    ADVISORY_DIFFERS,
    FORK_GUARD_MISSING,
    GUARD_INEFFECTIVE,
    CONDITION_DIFFERS,
    CONCURRENCY_DIFFERS,
    ARTIFACT_NAME_CLASH,
    NOT_STATIC,
    OPAQUE,
    SCRIPT_UNPARSED,
    SELECTOR_MATCHES_NOTHING,
    ADMISSION_UNUSED,
    WORKFLOW_TWINS,
    WORKFLOW_NOT_LOADED,
    WORKFLOW_INVALID,
    EXPRESSION_INVALID,
    MERGE_KEY,
    NEEDS_UNKNOWN_JOB,
    NEEDS_CYCLE,
    UNKNOWN_KEY,
];

/// What a rule needs to be judged.
struct Look<'r> {
    rule: &'r Rule,
    project: &'r Project<'r>,
    /// The `rust-version` of the root manifest, where a rule asks for it.
    rust_version: Option<&'r str>,
}

impl Look<'_> {
    /// A wanted value of a matrix, with the name of the manifest's replaced.
    fn resolve<'v>(&'v self, value: &'v str) -> &'v str {
        if value == RUST_VERSION { self.rust_version.unwrap_or(value) } else { value }
    }

    /// The error of a selector that matches nothing.
    fn no_such(&self, what: &str, name: &str, place: Location) -> Fault {
        let headline =
            format!("rule `{}` names the {what} `{name}`, which is not there", self.rule.id());
        let remedy = format!("bring the {what} back, or correct its name in the rule");
        Fault::new(SELECTOR_MATCHES_NOTHING, headline, remedy).at(place)
    }
}

const RUST_VERSION: &str = "@rust-version";

/// Reads the workflows, holds each rule against what it selects, and reports what could not be judged.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let scope = Scope { files: config.files.clone(), known_keys: config.known_keys.clone() };
    let workflows = workflow::load(cx, &scope, out)?;
    let rust_version =
        if config.rules.iter().any(wants_rust_version) { Some(rust_version(cx)?) } else { None };
    let admissions: Vec<_> = config.rules.iter().flat_map(Rule::admissions).collect();
    let mut admissions = Admissions::new(cx, admissions);
    let mut used = Vec::new();
    let reader = |path: &str| workflow::script::read(cx, path);
    let project = Project::new(&reader);
    let mut report = Report::new(out);
    for workflow in &workflows {
        shape::matrices(workflow, &mut report);
    }
    let mut first = 0;
    for rule in &config.rules {
        let look = Look { rule, project: &project, rust_version: rust_version.as_deref() };
        let selected = selected(rule, &workflows, first, &mut used);
        first += rule.except_file.len();
        judge(&look, &selected, &mut report)?;
        report.end_rule(rule.id());
    }
    let examined = report.end()?;
    used.into_iter().for_each(|index| {
        admissions.cover(index);
    });
    admissions.report(out);
    Ok(Examined::items(examined))
}

/// The files of a rule. An exception that takes one out is used.
fn selected<'w>(
    rule: &Rule,
    workflows: &'w [Rc<Workflow>],
    first: usize,
    used: &mut Vec<usize>,
) -> Vec<&'w Workflow> {
    let mut selected = Vec::new();
    for workflow in workflows.iter().filter(|workflow| rule.selects(workflow.path.as_str())) {
        let path = workflow.path.as_str();
        let mut exceptions = rule.except_file.iter().enumerate();
        match exceptions.find(|(_, except)| config::selects(&except.get_ref().file, path)) {
            Some((index, _)) => used.push(first + index),
            None => selected.push(workflow.as_ref()),
        }
    }
    selected
}

fn judge(look: &Look<'_>, workflows: &[&Workflow], report: &mut Report<'_>) -> Result<(), Fault> {
    if workflows.is_empty() {
        let name = look.rule.id();
        report.blind(look.no_such("file of", name, Location::file(workflow::FOLDER)));
        return Ok(());
    }
    let globs =
        look.rule.job.iter().flatten().map(|pattern| Ok((pattern, Globs::new(&[pattern])?)));
    let globs: Vec<(&String, Globs)> = globs.collect::<Result<_, Fault>>()?;
    for (pattern, glob) in &globs {
        let mut jobs = workflows.iter().flat_map(|workflow| &workflow.jobs);
        if !jobs.any(|job| glob.matches(&job.id)) {
            let place = workflows.first().map(|workflow| workflow.place.location());
            report.blind(look.no_such("job", pattern, place.unwrap_or_else(|| Location::file(""))));
        }
    }
    for workflow in workflows {
        if look.rule.job.is_none() {
            own_keys(look, workflow, report);
        }
        shape::jobs(look, workflow, report);
        shape::triggers(look, workflow, report);
        shape::schedule(look, workflow, report);
        variables::denied(look, workflow, report);
        let is_selected = |job: &&Job| {
            look.rule.job.is_none() || globs.iter().any(|(_, glob)| glob.matches(&job.id))
        };
        for job in workflow.jobs.iter().filter(is_selected) {
            one_job(look, workflow, job, report)?;
        }
    }
    Ok(())
}

/// What a rule without `job` says about the keys of the workflow itself.
fn own_keys(look: &Look<'_>, workflow: &Workflow, report: &mut Report<'_>) {
    limits::own_permissions(look, workflow, report);
    variables::own(look, workflow, report);
    let whose = workflow.path.as_str();
    let found = workflow.concurrency.as_ref();
    guard::concurrency(look, whose, &workflow.place, found, report);
}

fn one_job(
    look: &Look<'_>,
    workflow: &Workflow,
    job: &Job,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    shape::needs(look, job, report);
    guard::condition(look, job, report);
    let (lanes, hidden) = workflow.lanes(job);
    if look.rule.job.is_some() {
        guard::concurrency(look, &job.id, &job.place, job.concurrency.as_ref(), report);
    }
    if let Body::Reusable { uses, .. } = &job.body {
        steps::job_use(look, job, uses, report)?;
    }
    // A caller with a matrix runs what it calls once for each combination of its own.
    if job.matrix.is_some() && matches!(job.body, Body::Reusable { .. }) {
        shape::matrix(look, &limits::caller(workflow, job), report);
    } else {
        lanes.iter().for_each(|lane| shape::matrix(look, lane, report));
    }
    for lane in &lanes {
        limits::timeout(look, lane, report);
        limits::runners(look, lane, report);
        steps::uses(look, lane, report)?;
        steps::advisory(look, lane, report);
        steps::artifacts(look, lane, report);
        commands::commands(look, lane, look.project, report)?;
        if look.rule.job.is_some() {
            limits::permissions(look, lane, report);
            variables::inherited(look, lane, report);
        }
    }
    if look.rule.job.is_some() && lanes.is_empty() {
        limits::permissions(look, &limits::caller(workflow, job), report);
    }
    if !lanes.is_empty() {
        guard::forks(look, &lanes, job, report);
    }
    for one in &hidden {
        unseen(look, one, report);
    }
    Ok(())
}

/// Reports a job that nobody here can look into, where the rule had to.
fn unseen(look: &Look<'_>, hidden: &Hidden<'_>, report: &mut Report<'_>) {
    let rule = look.rule;
    let about_steps = rule.timeout_minutes_max.is_some()
        || rule.timeout_required == Some(true)
        || rule.runs_on.is_some()
        || rule.runner_pinned == Some(true)
        || rule.steps_advisory.is_some()
        || rule.run_allow.is_some()
        || rule.run_deny.is_some()
        || rule.run_require.is_some()
        || rule.run_order.is_some()
        || rule.fork_guard.is_some()
        || rule.artifact_unique == Some(true)
        || (rule.matrix_superset.is_some() && hidden.job.matrix.is_none())
        || (rule.env.is_some() && rule.job.is_some());
    if about_steps {
        let what = format!("`{}`", hidden.uses.as_str());
        report.opaque(hidden.uses.place(), hidden.job.id.clone(), &what);
    }
}

fn wants_rust_version(rule: &Rule) -> bool {
    let values = rule.matrix_superset.iter().flatten().flat_map(|(_, values)| values);
    values.into_iter().any(|value| value == RUST_VERSION)
}

/// The `rust-version` of the root manifest: of its package, else of its workspace.
fn rust_version(cx: &GateContext<'_>) -> Result<String, Fault> {
    #[derive(serde::Deserialize)]
    struct Manifest {
        package: Option<Package>,
        workspace: Option<Workspace>,
    }
    #[derive(serde::Deserialize)]
    struct Workspace {
        package: Option<Package>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Package {
        rust_version: Option<toml::Value>,
    }
    let file = cx.file_at("Cargo.toml")?;
    let text = file.text()?;
    let invalid = |why: String| {
        let remedy =
            "state `rust-version` in the root manifest, or write the version into the rule";
        Fault::new(CONFIG_INVALID, why, remedy).at(Location::file("Cargo.toml"))
    };
    let manifest: Manifest = toml::from_str(&text)
        .map_err(|error| invalid(format!("the root manifest: {}", error.message())))?;
    let of = |package: Option<Package>| {
        let version = package.and_then(|package| package.rust_version);
        version.and_then(|version| version.as_str().map(str::to_owned))
    };
    let inherited = manifest.workspace.and_then(|workspace| workspace.package);
    of(manifest.package)
        .or_else(|| of(inherited))
        .ok_or_else(|| invalid("the root manifest states no `rust-version`".to_owned()))
}

#[cfg(test)]
mod tests;
