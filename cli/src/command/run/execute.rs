//! Executes a plan with nextest and joins its results with the plan. Leaves out what they come to.

use super::show;
use crate::{
    args::Run,
    engine::nextest::{self, Binaries, config},
    exit::Refused,
    ground::Ground,
    outcome::Outcome,
    plan::{Plan, Target, with_needs},
    reconcile::{self, Ran},
    record::Record,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{Fault, GateId, kernel::policy::profile::Kind};
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

/// Runs what is assigned to this run.
pub(super) fn execute(
    ground: &Ground,
    record: &Record<'_>,
    arguments: &Run,
    plan: &Plan,
    scratch: &Path,
    out: &mut Transport,
) -> Result<Executed, Refused> {
    let planned = plan.assigned();
    if planned.is_empty() {
        // A shard may be empty; that the shards together cover the plan is proven when they are merged.
        return Ok(Executed { outcomes: Vec::new(), faults: Vec::new() });
    }
    let store = scratch.join("store");
    let config = scratch.join("nextest.toml");
    let limit_ms = ground.left_ms(&arguments.choice);
    write_new(&config, &configuration(ground, plan, &planned, &store, limit_ms))?;
    out.progress(&format!(
        "portcullis: running {} with nextest {}",
        portcullis::report::human::count(planned.len(), "target"),
        ground.nextest_version
    ));
    let env = variables(ground, arguments);
    let execution = nextest::Execution {
        binaries: &ground.binaries,
        scratch,
        config: &config,
        jobs: arguments.jobs,
        env: &env,
        limit_ms,
    };
    let ended = nextest::run(&ground.cargo, &execution, &mut |line| {
        show(out, arguments.progress, line);
    })?;
    record.write_text("logs/nextest.log", &(ended.log.join("\n") + "\n"))?;
    let without_harness: BTreeSet<String> = planned
        .iter()
        .filter(|target| {
            target.kind == Kind::Gate || ground.is_without_harness(&target.package, &target.binary)
        })
        .map(|target| target.suite.clone())
        .collect();
    let ran = Ran {
        run_id: &ground.header.run_id,
        ended: &ended,
        report: nextest::report(&store),
        without_harness: &without_harness,
    };
    let (outcomes, faults) = reconcile::join(&planned, &ran);
    Ok(Executed { outcomes, faults })
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

/// How long each gate may take: its own time and that of what it needs, which runs in the same process.
fn timeouts(ground: &Ground, planned: &[&Target]) -> Vec<(String, u64)> {
    let tables: BTreeMap<&GateId, _> =
        ground.policy.gates.iter().map(|gate| (&gate.common.id, &gate.common)).collect();
    let mut by_time: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for target in planned.iter().filter(|target| target.kind == Kind::Gate) {
        let Ok(id) = GateId::parse(&target.test) else { continue };
        let needs = |id: &GateId| tables.get(id).map(|gate| gate.needs.clone()).unwrap_or_default();
        let all = with_needs(&BTreeSet::from([id]), needs);
        let own = |id: &GateId| {
            tables.get(id).map_or(ground.policy.default_timeout_ms, |gate| gate.timeout_ms)
        };
        let sum = all.iter().map(own).fold(GATE_GRACE_MS, u64::saturating_add);
        by_time.entry(sum).or_default().push(config::one(&target.suite, &target.test));
    }
    by_time.into_iter().map(|(ms, filters)| (config::any(&filters), ms)).collect()
}
