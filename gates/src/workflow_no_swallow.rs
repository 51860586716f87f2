//! No CI lane hides a failure: workflows, scripts and flags. It asks what would become of a failure, not whether the
//! right commands run.

mod conditions;
mod config;
mod flags;
mod nextest;
mod report;
mod scripts;
mod teeth;

use crate::{
    lane::{
        ADMISSION_EXPIRED, ADMISSION_UNUSED, NOT_STATIC, OPAQUE, SCRIPT_UNPARSED,
        SELECTOR_MATCHES_NOTHING,
    },
    shell::open::Project,
    step_script,
    workflow::{self, Job, Scope, Workflow},
};
use config::Config;
use portcullis::{Code, Examined, Fault, Findings, GateContext, GateError};
use report::Report;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Keeps CI lanes from hiding a failure.
    ///
    /// ### What it checks
    /// Every path through every script is followed with one verification command failing at a time, through local
    /// scripts, `bash -c`, recipes of just and make, aliases of cargo and composite actions: no path may end green. Jobs
    /// and steps may not be allowed to fail, nor have a condition that never holds. Retries, empty selections and
    /// commands that only build are reported, too.
    ///
    /// ### Why it gates
    /// A lane that cannot turn red proves nothing, and looks the same as one that can.
    ///
    /// ### Example
    /// Refused: `cargo test || true`, and `cargo test | tee log` without pipefail. Accepted: `rm -f log || true`, and
    /// `cargo test || { echo "read the log"; exit 1; }`.
    ///
    /// ### Configuration
    /// - `files`: globs of the workflows; default every file of `.github/workflows`.
    /// - `known_keys`: keys of the provider that are newer than this version; default none.
    /// - `jobs`: globs of the ids of protected jobs; default all.
    /// - `verify`: patterns of commands whose exit code carries a verdict, `*` for one word and `**` for any number;
    ///   default `cargo **`, `cargo-nextest **`, `just **` and `make **`. `cargo install`, `cargo fetch` and
    ///   `--version` never count.
    /// - `nextest_config`: the configuration of nextest, default `.config/nextest.toml`.
    /// - `allow_retries`: whether tests may be retried; default false.
    /// - `advisory`: tables with `file`, `job`, optionally `step`, `reason` and `expires`, the last day on which what
    ///   stands there may hide failures; default none.
    ///
    /// ### Remediation
    /// - `continue_on_error_job`, `continue_on_error_step`: remove `continue-on-error`.
    /// - `never_runs`, `needs_never_runs`: correct the condition, or delete what never runs.
    /// - `or_true`: remove `|| ..`, or end its right side with `exit 1`.
    /// - `errexit_off`: remove `set +e`, or keep the status and end with `exit "$status"`.
    /// - `exit_zero`: remove `exit 0`, or exit with the status of the command.
    /// - `shell_without_errexit`: use `shell: bash`, or begin the script with `set -e`.
    /// - `pipe_without_pipefail`: use `shell: bash`, or `set -o pipefail`.
    /// - `status_lost`: run the command where its status counts: not in the background, a substitution, a condition or
    ///   behind `!`.
    /// - `retry_loop`, `retries_hide`: run the command once; quarantine flaky tests by name.
    /// - `no_tests_allowed`: leave nextest's default, which fails without tests.
    /// - `build_only`: run what was built in a later command.
    /// - `not_static`, `opaque`, `script_unparsed`: write values out; use what can be looked into.
    /// - `selector_matches_nothing`: correct the job or file that is named.
    /// - `admission_unused`: remove the entry. `admission_expired`: mend what it admits.
    pub static WORKFLOW_NO_SWALLOW: "workflow_no_swallow", since = "0.1.0", config = Config,
        validate = config::validate, check = check, codes = CODES, teeth = TEETH;
}

const CONTINUE_ON_ERROR_JOB: Code =
    Code::new("PC1470", "continue_on_error_job", "A protected job is allowed to fail.");
const CONTINUE_ON_ERROR_STEP: Code =
    Code::new("PC1471", "continue_on_error_step", "A step of a protected job is allowed to fail.");
const NEVER_RUNS: Code = Code::new(
    "PC1472",
    "never_runs",
    "A job or step has a condition that holds for no trigger of its workflow.",
);
const NEEDS_NEVER_RUNS: Code = Code::new(
    "PC1473",
    "needs_never_runs",
    "A job needs a job that never runs, and so never runs.",
);
const OR_TRUE: Code = Code::new(
    "PC1474",
    "or_true",
    "A verification command stands left of `||`, and the right side can end well.",
);
const ERREXIT_OFF: Code = Code::new(
    "PC1475",
    "errexit_off",
    "A verification command may fail where errexit is switched off, and its status is not raised again.",
);
const EXIT_ZERO: Code = Code::new(
    "PC1476",
    "exit_zero",
    "A script reaches `exit 0` after a verification command that may have failed.",
);
const SHELL_WITHOUT_ERREXIT: Code = Code::new(
    "PC1477",
    "shell_without_errexit",
    "A shell without errexit goes on after a verification command that failed.",
);
const PIPE_WITHOUT_PIPEFAIL: Code = Code::new(
    "PC1478",
    "pipe_without_pipefail",
    "A verification command is not last in a pipeline without pipefail.",
);
const STATUS_LOST: Code =
    Code::new("PC1479", "status_lost", "The status of a verification command goes nowhere.");
const RETRY_LOOP: Code =
    Code::new("PC1480", "retry_loop", "A verification command is tried again until it succeeds.");
const RETRIES_HIDE: Code =
    Code::new("PC1481", "retries_hide", "Tests are retried, and a pass after a failure counts.");
const NO_TESTS_ALLOWED: Code =
    Code::new("PC1482", "no_tests_allowed", "A run of tests that selects none is declared fine.");
const BUILD_ONLY: Code = Code::new(
    "PC1483",
    "build_only",
    "Tests are built with `--no-run`, and no later command of the lane runs them.",
);

const CODES: &[Code] = &[
    CONTINUE_ON_ERROR_JOB,
    CONTINUE_ON_ERROR_STEP,
    NEVER_RUNS,
    NEEDS_NEVER_RUNS,
    OR_TRUE,
    ERREXIT_OFF,
    EXIT_ZERO,
    SHELL_WITHOUT_ERREXIT,
    PIPE_WITHOUT_PIPEFAIL,
    STATUS_LOST,
    RETRY_LOOP,
    RETRIES_HIDE,
    NO_TESTS_ALLOWED,
    BUILD_ONLY,
    NOT_STATIC,
    OPAQUE,
    SCRIPT_UNPARSED,
    SELECTOR_MATCHES_NOTHING,
    ADMISSION_UNUSED,
    ADMISSION_EXPIRED,
];

/// Looks at every protected job, and returns how many conditions, flags and verification commands were judged.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let scope = Scope { files: config.files.clone(), known_keys: config.known_keys.clone() };
    let workflows = workflow::load(cx, &scope, out)?;
    let reader = step_script::reader(cx);
    let project = Project::new(&reader);
    let nextest = nextest::Profiles::read(cx, config)?;
    let mut report = Report::new(cx, config, out);
    for glob in config.job_globs()? {
        let mut jobs = workflows.iter().flat_map(|workflow| &workflow.jobs);
        if !jobs.any(|job| glob.1.matches(&job.id)) {
            let headline = format!("no job matches `{}`", glob.0);
            let remedy = "correct the pattern in `jobs`, or bring the job back";
            let fault = Fault::new(SELECTOR_MATCHES_NOTHING, headline, remedy);
            return cx.watch(Err(fault.at(cx.gate().location.clone())));
        }
    }
    for workflow in &workflows {
        for job in protected(config, workflow)? {
            conditions::judge(workflow, job, &mut report);
            let (lanes, hidden) = workflow.lanes(job);
            for hidden in hidden {
                report.hidden(workflow, job, &hidden);
            }
            for lane in &lanes {
                scripts::judge(config, lane, &project, &nextest, &mut report)?;
            }
        }
    }
    let examined = report.end();
    Ok(Examined::items(examined))
}

/// The jobs of a workflow that may not hide a failure.
fn protected<'w>(config: &Config, workflow: &'w Workflow) -> Result<Vec<&'w Job>, Fault> {
    let globs = config.job_globs()?;
    let is_protected = |job: &&Job| globs.iter().any(|(_, glob)| glob.matches(&job.id));
    Ok(workflow.jobs.iter().filter(is_protected).collect())
}

#[cfg(test)]
mod tests;
