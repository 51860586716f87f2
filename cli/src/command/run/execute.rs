//! Executes a plan and joins the results with it. Leaves out what they come to.

use super::show;
use crate::{
    args::Run,
    engine::{
        child::{Cut, Ended},
        doctest, fallback,
        nextest::{
            self, Binaries, config,
            junit::{Case, Report},
        },
    },
    exit::{Exit, OrExit, Refused},
    ground::Ground,
    outcome::Outcome,
    plan::{Engine, Plan, Target, with_needs},
    reconcile::{self, Ran},
    record::Record,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::wire::ordered::VecSet;
use portcullis::{
    Fault, GateId,
    evidence::process,
    kernel::policy::{Common, profile::Kind},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// A gate ends itself when its time is over; nextest ends it this much later.
const GATE_GRACE_MS: u64 = 30_000;

/// What came of the targets.
pub(crate) struct Executed {
    /// One for each target of this run.
    pub outcomes: Vec<Outcome>,
    /// What is wrong with the results themselves.
    pub faults: Vec<Fault>,
}

/// Runs what is assigned to this run: tests and gates, then examples of documentations.
pub(super) fn execute(
    ground: &Ground,
    record: &Record<'_>,
    arguments: &Run,
    plan: &Plan,
    scratch: &Path,
    out: &mut Transport,
) -> Result<Executed, Refused> {
    // A shard may be empty; that the shards together cover the plan is proven when they are merged.
    let (examples, planned): (Vec<&Target>, Vec<&Target>) =
        plan.assigned().into_iter().partition(|target| target.kind == Kind::Doc);
    let mut executed = Executed { outcomes: Vec::new(), faults: Vec::new() };
    let mut cut = Cut::Nothing;
    if !planned.is_empty() {
        let engine = ground.engine.name();
        let with = [engine, &ground.nextest_version].join(" ");
        let n = portcullis::report::human::count(planned.len(), "target");
        out.progress(&format!("portcullis: running {n} with {}", with.trim_end()));
        let run = Tests { ground, arguments, plan, planned: &planned, scratch };
        let (ended, report) = match ground.engine {
            Engine::Nextest => run.with_nextest(out)?,
            Engine::CargoTest => run.without_nextest(out)?,
        };
        let log = if ground.engine == Engine::Nextest { "nextest" } else { "tests" };
        record.write_text(&format!("logs/{log}.log"), &(ended.log.join("\n") + "\n"))?;
        let without_harness = run.without_harness();
        let run_id = &ground.header.run_id;
        let ran = Ran { engine, run_id, ended: &ended, report, without_harness: &without_harness };
        (executed.outcomes, executed.faults) = reconcile::join(&planned, &ran);
        cut = ended.cut;
    }
    if !examples.is_empty() {
        self::examples(ground, record, arguments, (&examples, cut), scratch, &mut executed, out)?;
    }
    // In the order of the plan, as whoever merges shards reads both side by side.
    executed.outcomes.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(executed)
}

/// Runs the examples of each package, unless the run is over already.
fn examples(
    ground: &Ground,
    record: &Record<'_>,
    arguments: &Run,
    (examples, mut cut): (&[&Target], Cut),
    scratch: &Path,
    executed: &mut Executed,
    out: &mut Transport,
) -> Result<(), Refused> {
    let mut packages: BTreeMap<&str, Vec<&Target>> = BTreeMap::new();
    for target in examples {
        packages.entry(&target.package).or_default().push(target);
    }
    let env = variables(ground, arguments);
    let mut log = String::new();
    for (package, planned) in packages {
        let run_id = &ground.header.run_id;
        let name = run_id.to_string();
        let (ended, cases) = if cut == Cut::Nothing {
            let n = portcullis::report::human::count(planned.len(), "example");
            out.progress(&format!("portcullis: running {n} in the documentation of {package}"));
            let limit_ms = ground.left_ms(&arguments.choice);
            let ran = doctest::run(&ground.cargo, package, &env, scratch, limit_ms, &mut |line| {
                show(out, arguments.progress, line);
            })?;
            (ran.ended, ran.cases)
        } else {
            // Why it is over is said already, and what never began is in no result.
            let exit = process::Exit::Code(0);
            (Ended { exit, cut: Cut::Nothing, log: Vec::new(), leaked: false }, Vec::new())
        };
        log.push_str(&(ended.log.join("\n") + "\n"));
        cut = if cut == Cut::Nothing { ended.cut } else { cut };
        // All examples of a package run together; those of another shard, or that did not fail before, are not asked for.
        let wanted = |case: &Case| planned.iter().any(|target| target.test == case.test);
        let cases = cases.into_iter().filter(wanted).collect();
        let report = Ok(Report { name, cases });
        let suites = BTreeSet::from([doctest::suite(package)]);
        let engine = "cargo test --doc";
        let ran = Ran { engine, run_id, ended: &ended, report, without_harness: &suites };
        let (outcomes, faults) = reconcile::join(&planned, &ran);
        executed.outcomes.extend(outcomes);
        executed.faults.extend(faults);
    }
    record.write_text("logs/doctests.log", &log)
}

/// What is run that is no example of a documentation.
struct Tests<'a> {
    ground: &'a Ground,
    arguments: &'a Run,
    plan: &'a Plan,
    planned: &'a [&'a Target],
    scratch: &'a Path,
}

type Reported = (Ended, Result<Report, Fault>);

impl Tests<'_> {
    fn with_nextest(&self, out: &mut Transport) -> Result<Reported, Refused> {
        let (ground, arguments) = (self.ground, self.arguments);
        let store = self.scratch.join("store");
        let config = self.scratch.join("nextest.toml");
        let limit_ms = ground.left_ms(&arguments.choice);
        write_new(&config, &configuration(ground, self.plan, self.planned, &store, limit_ms))?;
        let env = variables(ground, arguments);
        let execution = nextest::Execution {
            binaries: &ground.binaries,
            scratch: self.scratch,
            config: &config,
            jobs: arguments.jobs,
            env: &env,
            limit_ms,
        };
        let ended = nextest::run(&ground.cargo, &execution, &mut |line| {
            show(out, arguments.progress, line);
        })?;
        Ok((ended, nextest::report(&store)))
    }

    fn without_nextest(&self, out: &mut Transport) -> Result<Reported, Refused> {
        let (ground, arguments) = (self.ground, self.arguments);
        let limit_ms = ground.left_ms(&arguments.choice);
        let threads = portcullis::cpu_budget::effective_cpu_count().map_err(Fault::from);
        let threads = threads.or_exit(Exit::Usage)?.get();
        let own_ms = ground.profile.test_timeout_ms.unwrap_or(limit_ms);
        let times = Times::of(ground);
        let timed = |target: &&'_ Target| times.of_gate(target).unwrap_or(own_ms);
        let planned: Vec<(&Target, u64)> =
            self.planned.iter().map(|target| (*target, timed(target))).collect();
        let env = variables(ground, arguments);
        let execution = fallback::Execution {
            run_id: &ground.header.run_id,
            scratch: self.scratch,
            jobs: arguments.jobs.and_then(|jobs| usize::try_from(jobs).ok()).unwrap_or(threads),
            env: &env,
            limit_ms,
            retries: ground.profile.retries,
        };
        let (ended, report) = fallback::run(&execution, &planned)?;
        for line in &ended.log {
            show(out, arguments.progress, line);
        }
        Ok((ended, Ok(report)))
    }

    /// The test binaries whose harness is not libtest.
    fn without_harness(&self) -> BTreeSet<String> {
        let bare = |target: &&&Target| {
            target.kind == Kind::Gate
                || self.ground.is_without_harness(&target.package, &target.binary)
        };
        self.planned.iter().filter(bare).map(|target| target.suite.clone()).collect()
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), Refused> {
    use std::io::Write as _;
    std::fs::File::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))
        .map_err(Refused::from)
}

/// What the tests and gates of this run are told: which run they belong to, and where it is decided.
fn variables(ground: &Ground, arguments: &Run) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("PORTCULLIS_RUN_ID", ground.header.run_id.to_string()),
        ("PORTCULLIS_LANE", ground.lane.to_string()),
        ("PORTCULLIS_PROFILE", ground.profile.name.to_string()),
    ];
    if let Binaries::Archive(_) = ground.binaries {
        // A binary that was unpacked lies below no folder that cargo marked, and reports where it is told.
        variables.push(("CARGO_TARGET_DIR", ground.target_dir.display().to_string()));
    }
    variables.extend(ground.base.clone().map(|base| ("PORTCULLIS_BASE", base)));
    let correlation = arguments.correlation_id.clone();
    variables.extend(correlation.map(|id| ("PORTCULLIS_CORRELATION_ID", id)));
    variables
}

fn configuration(
    ground: &Ground,
    plan: &Plan,
    planned: &[&Target],
    store: &Path,
    limit_ms: u64,
) -> String {
    let one = |target: &&Target| config::one(&target.suite, &target.test);
    let quarantined: Vec<String> =
        planned.iter().filter(|target| target.quarantine.is_some()).map(one).collect();
    config::render(&config::Settings {
        store,
        run_id: &ground.header.run_id,
        filter: &filter(plan, planned),
        test_timeout_ms: ground.profile.test_timeout_ms.unwrap_or(limit_ms),
        timeouts: &timeouts(ground, planned),
        quarantined: &quarantined,
        retries: ground.profile.retries,
    })
}

/// The filterset of exactly these targets: whole binaries where nothing of them is left out, else the shorter list.
fn filter(plan: &Plan, planned: &[&Target]) -> String {
    let mut suites: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for target in planned {
        suites.entry(&target.suite).or_default().insert(&target.test);
    }
    let mut others: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let excluded = plan.excluded.iter().map(|one| (one.suite.as_str(), one.test.as_str()));
    let elsewhere = plan.targets.iter().map(|one| (one.suite.as_str(), one.test.as_str()));
    for (suite, test) in excluded.chain(elsewhere) {
        if suites.get(suite).is_some_and(|tests| !tests.contains(test)) {
            others.entry(suite).or_default().insert(test);
        }
    }
    let nothing = BTreeSet::new();
    let filters: Vec<String> = suites
        .iter()
        .map(|(suite, tests)| {
            let others = others.get(suite).unwrap_or(&nothing);
            let list = |tests: &BTreeSet<&str>| {
                let one = |test: &&str| config::one(suite, test);
                config::any(&tests.iter().map(one).collect::<Vec<_>>())
            };
            if tests.len() <= others.len() {
                list(tests)
            } else if others.is_empty() {
                config::suite(suite)
            } else {
                format!("({} - {})", config::suite(suite), list(others))
            }
        })
        .collect();
    config::any(&filters)
}

/// How long each gate may take, as filtersets.
fn timeouts(ground: &Ground, planned: &[&Target]) -> Vec<(String, u64)> {
    let times = Times::of(ground);
    let mut by_time: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for target in planned {
        if let Some(ms) = times.of_gate(target) {
            by_time.entry(ms).or_default().push(config::one(&target.suite, &target.test));
        }
    }
    by_time.into_iter().map(|(ms, filters)| (config::any(&filters), ms)).collect()
}

/// How long gates may take: their own time and that of what they need, which runs in the same process.
struct Times<'a> {
    tables: BTreeMap<&'a GateId, &'a Common>,
    default_ms: u64,
}

impl<'a> Times<'a> {
    fn of(ground: &'a Ground) -> Self {
        let tables = ground.policy.gates.iter().map(|gate| (&gate.common.id, &gate.common));
        Self { tables: tables.collect(), default_ms: ground.policy.default_timeout_ms }
    }

    fn of_gate(&self, target: &Target) -> Option<u64> {
        let id = GateId::parse(&target.test).ok().filter(|_| target.kind == Kind::Gate)?;
        let needs =
            |id: &GateId| self.tables.get(id).map(|gate| gate.needs.clone()).unwrap_or_default();
        let all = with_needs(&VecSet::from([id]), needs);
        let own = |id: &GateId| self.tables.get(id).map_or(self.default_ms, |gate| gate.timeout_ms);
        Some(all.iter().map(own).fold(GATE_GRACE_MS, u64::saturating_add))
    }
}
