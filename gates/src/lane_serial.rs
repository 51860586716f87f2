//! Serial lanes run one test at a time, and nothing asks for more. It measures nothing: what counts is what the tools'
//! own precedence makes of flags, variables and profiles.

mod config;
mod sources;
mod teeth;
mod threads;

use crate::{
    lane::{OPAQUE, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING},
    nextest_profiles::{self, Profiles},
    selection::{TestCommand, Universe},
    shell::{
        argv::shown_all,
        follow::{Leaf, Mode},
        open::Project,
    },
    step_script::{self, Script, StepScript, step_scripts},
    test_roster::{Resolve, Roster},
    workflow::{self, Job, Lane, Scope, Workflow},
};
use config::{Config, Veto};
use portcullis::{Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location};
use std::collections::BTreeSet;
use std::rc::Rc;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Keeps serial lanes serial.
    ///
    /// ### What it checks
    /// Each command of a serial lane that runs tests has one thread by the tool's own precedence: flag, variable,
    /// profile, test group; or it selects at most one test. And nothing spells another number of threads, neither in the
    /// workflows nor in what they use: aliases, recipes, profiles, variables.
    ///
    /// ### Why it gates
    /// Tests that share a machine measure each other. A flag of three characters makes a lane parallel.
    ///
    /// ### Example
    /// Refused: `cargo nextest run -j4`, and `NEXTEST_TEST_THREADS: num-cpus` above a profile with one thread. Accepted:
    /// `cargo nextest run --build-jobs 4` under a profile with `test-threads = 1`.
    ///
    /// ### Configuration
    /// - `files`: globs of the workflows; default every file of `.github/workflows`.
    /// - `known_keys`: keys of the provider that are newer than this version; default none.
    /// - `serial`: tables with `file` and `job`, the serial lanes; required unless `veto` is `everywhere`.
    /// - `veto`: where no other number of threads may stand: in the lanes of `serial` (`serial`, the default) or in every
    ///   workflow, recipe and profile (`everywhere`).
    /// - `sources`: files that lanes use; default `Cargo.toml`, `.cargo/config.toml`, `.config/nextest.toml`, `justfile`
    ///   and `Makefile`, as far as they exist.
    ///
    /// ### Remediation
    /// - `not_proven_serial`: use a profile with `test-threads = 1`, or end the command with `-- --test-threads=1`.
    /// - `parallel_flag`, `parallel_env`, `parallel_config`: remove what is named, or set it to 1.
    /// - `opaque`, `script_unparsed`: use what can be looked into.
    /// - `selector_matches_nothing`: correct the file or job that is named.
    pub static LANE_SERIAL: "lane_serial", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const NOT_PROVEN_SERIAL: Code = Code::new(
    "PC1500",
    "not_proven_serial",
    "Nothing makes the tests of a serial lane run one at a time.",
);
const PARALLEL_FLAG: Code = Code::new(
    "PC1501",
    "parallel_flag",
    "A flag asks for another number of test threads than one.",
);
const PARALLEL_ENV: Code = Code::new(
    "PC1502",
    "parallel_env",
    "A variable asks for another number of test threads than one.",
);
const PARALLEL_CONFIG: Code = Code::new(
    "PC1503",
    "parallel_config",
    "A profile asks for another number of test threads than one.",
);

const CODES: &[Code] = &[
    NOT_PROVEN_SERIAL,
    PARALLEL_FLAG,
    PARALLEL_ENV,
    PARALLEL_CONFIG,
    OPAQUE,
    SCRIPT_UNPARSED,
    SELECTOR_MATCHES_NOTHING,
];

/// Proves the serial lanes, looks for vetoed spellings, and returns how many commands and sources were judged.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let scope = Scope { files: config.files.clone(), known_keys: config.known_keys.clone() };
    let workflows = workflow::load(cx, &scope, out)?;
    let profiles = nextest_profiles::read(cx, None)?;
    let reader = step_script::reader(cx);
    let project = Project::new(&reader);
    let mut report = Report { out, seen: BTreeSet::new(), examined: 0 };
    let mut used = BTreeSet::new();
    let mut proof = Proof { cx, universe: None };
    for entry in &config.serial {
        let found = select(&workflows, &entry.file, &entry.job);
        if found.is_empty() {
            let headline = format!("no job `{}` in `{}`", entry.job, entry.file);
            let fault = Fault::new(SELECTOR_MATCHES_NOTHING, headline, "correct `file` or `job`");
            return cx.watch(Err(fault.at(cx.gate().location.clone())));
        }
        for (workflow, job) in found {
            let lanes = lanes(workflow, job, &mut report);
            for lane in &lanes {
                let steps = follow(lane, &project)?;
                serial(&steps, &profiles, &mut proof, &mut used, &mut report)?;
                threads::veto(lane, &steps, &mut report);
            }
        }
    }
    if config.veto == Veto::Everywhere {
        for workflow in &workflows {
            for job in &workflow.jobs {
                // What stands in another repository cannot be vetoed, and a serial lane has reported it already.
                let (lanes, _hidden) = workflow.lanes(job);
                for lane in &lanes {
                    let steps = follow(lane, &project)?;
                    threads::veto(lane, &steps, &mut report);
                }
            }
        }
    }
    sources::judge(cx, config, &project, &used, &mut report)?;
    if let Some(profiles) = profiles.filter(|_| config.reads(nextest_profiles::DEFAULT)) {
        sources::profiles(config, &profiles, &used, &mut report);
    }
    Ok(Examined::items(report.examined))
}

fn select<'w>(
    workflows: &'w [Rc<Workflow>],
    file: &str,
    job: &str,
) -> Vec<(&'w Workflow, &'w Job)> {
    workflows
        .iter()
        .filter(|workflow| file == workflow.path.as_str() || file == workflow.file_name())
        .filter_map(|workflow| Some((workflow.as_ref(), workflow.job(job)?)))
        .collect()
}

fn lanes<'w>(workflow: &'w Workflow, job: &'w Job, report: &mut Report<'_>) -> Vec<Lane<'w>> {
    let (lanes, hidden) = workflow.lanes(job);
    for hidden in hidden {
        let message = format!("the steps of `{}` cannot be looked into", hidden.uses.as_str());
        let remedy = "copy the workflow into this repository";
        report.push(
            OPAQUE,
            &format!("{}:{}", workflow.path, job.id),
            message,
            remedy,
            hidden.uses.location(),
        );
    }
    lanes
}

fn follow<'w>(lane: &Lane<'w>, project: &Project<'_>) -> Result<Vec<StepScript<'w>>, Fault> {
    let never = |_: &[String]| false;
    step_scripts(lane, None, project, &never, Mode::Failures)
}

/// Findings of this kind, each once.
struct Report<'r> {
    out: &'r mut Findings,
    seen: BTreeSet<(&'static str, String, String)>,
    examined: usize,
}

impl Report<'_> {
    fn push(&mut self, code: Code, subject: &str, message: String, remedy: &str, at: Location) {
        if self.seen.insert((code.name(), subject.to_owned(), format!("{at:?}"))) {
            self.out.push(Finding::new(code, subject, message, remedy).at(at));
        }
    }
}

/// What a proof may need: the tests of the workspace, read when the first command asks for them.
struct Proof<'p, 'c> {
    cx: &'p GateContext<'c>,
    universe: Option<Option<Universe>>,
}

impl Proof<'_, '_> {
    fn universe(&mut self) -> Result<Option<&Universe>, Fault> {
        if self.universe.is_none() {
            let roster = Roster::read(self.cx, Resolve::Static)?;
            let profiles = nextest_profiles::read(self.cx, None)?;
            let universe = match roster {
                Some(roster) => Universe::new(self.cx, &roster, profiles)?,
                None => None,
            };
            self.universe = Some(universe);
        }
        Ok(self.universe.as_ref().and_then(Option::as_ref))
    }

    /// The tests that a command runs, when that is known.
    fn tests(
        &mut self,
        command: &TestCommand,
        leaf: &Leaf,
    ) -> Result<Option<BTreeSet<String>>, Fault> {
        let Some(universe) = self.universe()? else { return Ok(None) };
        let selection = universe.select(command, leaf);
        Ok(selection.unknown.is_none().then_some(selection.tests))
    }
}

/// Holds each command of a serial lane that runs tests to one thread.
fn serial(
    steps: &[StepScript<'_>],
    profiles: &Option<Profiles>,
    proof: &mut Proof<'_, '_>,
    used: &mut BTreeSet<String>,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    for step in steps {
        let subject = step.view.subject();
        match &step.script {
            Script::None => {}
            Script::Opaque(shell) => {
                let message = format!("`{subject}` runs in {shell}, which is not read");
                report.push(
                    OPAQUE,
                    &subject,
                    message,
                    "use `shell: bash`",
                    step.view.step.place.location(),
                );
            }
            Script::Followed(followed) => {
                for trouble in &followed.troubles {
                    let message = format!("a script cannot be judged: {}", trouble.why);
                    let remedy = "write it so that it parses as bash, in smaller parts";
                    report.push(
                        SCRIPT_UNPARSED,
                        &subject,
                        message,
                        remedy,
                        step.location(&trouble.place),
                    );
                }
            }
        }
        for leaf in step.leaves() {
            let Some(command) = TestCommand::of(leaf).filter(|one| one.runs_nothing.is_none())
            else {
                continue;
            };
            report.examined += 1;
            used.insert(command.profile.clone().unwrap_or_else(|| "default".to_owned()));
            let why = threads::not_serial(&command, leaf, profiles.as_ref(), proof)?;
            if let Some(why) = why {
                let argv = shown_all(&leaf.argv);
                let message = format!("`{argv}` is not shown to run one test at a time: {why}");
                let remedy = "use a profile with `test-threads = 1`, or `-- --test-threads=1` under cargo test";
                report.push(
                    NOT_PROVEN_SERIAL,
                    &format!("{subject}: {argv}"),
                    message,
                    remedy,
                    step.location(&leaf.place),
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
