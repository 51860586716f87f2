//! What later runs saw of what was red: a sealed run that passed is the only evidence that something is mended.

use super::triage;
use crate::{
    history::{Earlier, Sealed},
    outcome::Status,
    triage::Standing,
};
use portcullis::{
    Effective, Fault, Instant, Lane, RunId,
    evidence::{
        store::{RunState, Store, read_run},
        tree::Tree,
    },
};
use portcullis_gates::incident_triggers::decision::Triage;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What a later run saw: targets by suite and test, gates by their id alone.
pub(super) struct Later {
    pub(super) run_id: RunId,
    pub(super) tests: BTreeMap<(String, String), Status>,
    pub(super) gates: BTreeMap<String, bool>,
    pub(super) faultless: bool,
    pub(super) compared: Option<Standing>,
}

/// What was red, of which later runs are asked.
pub(super) struct Red<'a> {
    pub(super) run_id: &'a RunId,
    pub(super) lane: Lane,
    pub(super) since: Instant,
    pub(super) tests: BTreeSet<(String, String)>,
}

/// The sealed runs that say whether something is mended, oldest first: the reruns of this run and theirs, and whole runs
/// that came after it in the same lane. A green branch mends no red main.
pub(super) fn later_runs(
    store: Option<&Store>,
    dir: &Path,
    red: &Red<'_>,
) -> Result<Vec<Later>, Fault> {
    let folder = store.map(|store| store.dir().join("runs"));
    let folder = folder.or_else(|| dir.parent().map(Path::to_path_buf));
    let Some(entries) = folder.and_then(|folder| folder.read_dir().ok()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        // A directory that is no run, or one that never ended, has seen nothing.
        let Ok(run) = read_run(&path) else { continue };
        if run.envelope.run_id != *red.run_id && run.state == RunState::Sealed {
            found.push((run.envelope.generated_at, path));
        }
    }
    found.sort();
    let mut seen = Vec::new();
    for (at, path) in found {
        // One that was edited since it was sealed is no evidence that anything is mended.
        let Ok(sealed) = Sealed::read(&path) else { continue };
        let earlier = Earlier::read(&path).ok();
        let parent = earlier.as_ref().and_then(|earlier| earlier.plan.rerun_of.clone());
        if parent.is_none() && (at < red.since || sealed.decision.lane != red.lane) {
            continue;
        }
        let compared = triage(&Tree::new(&path)?)?;
        seen.push((parent, later(&sealed, earlier.as_ref(), compared, red)));
    }
    // Which run is a rerun of which does not follow from their times, which may be overridden.
    let mut family: BTreeSet<String> = BTreeSet::from([red.run_id.to_string()]);
    loop {
        let before = family.len();
        for (parent, run) in &seen {
            if parent.as_ref().is_some_and(|parent| family.contains(parent)) {
                family.insert(run.run_id.to_string());
            }
        }
        if family.len() == before {
            break;
        }
    }
    let counts = |parent: &Option<String>| parent.as_ref().is_none_or(|run| family.contains(run));
    Ok(seen.into_iter().filter(|(parent, _)| counts(parent)).map(|(_, run)| run).collect())
}

fn later(sealed: &Sealed, earlier: Option<&Earlier>, compared: Triage, red: &Red<'_>) -> Later {
    let status = |key: &(String, String)| Some(earlier?.seen.get(key)?.status());
    let tests = red.tests.iter().filter_map(|key| Some((key.clone(), status(key)?)));
    let passed = |status: Effective| status == Effective::Pass || status == Effective::Warn;
    let gates = sealed.decision.gates.iter();
    Later {
        run_id: sealed.run_id.clone(),
        tests: tests.collect(),
        gates: gates.map(|gate| (gate.id.to_string(), passed(gate.effective))).collect(),
        faultless: sealed.decision.faults.is_empty(),
        compared: match compared {
            Triage::NoBaseline => None,
            Triage::NoRegression => Some(Standing::Stable),
            Triage::Regression(_) => Some(Standing::Regression),
        },
    }
}

/// The last run that saw a target, and whether it passed there. One that did not run it says nothing.
pub(super) fn last_seen(
    later: &[Later],
    key: &(String, String),
    is_gate: bool,
) -> (Option<String>, bool) {
    for run in later.iter().rev() {
        let passed = if is_gate {
            run.gates.get(&key.1).copied()
        } else {
            match run.tests.get(key) {
                None | Some(Status::NotRun) => None,
                Some(status) => Some(*status == Status::Passed),
            }
        };
        if let Some(passed) = passed {
            return (Some(run.run_id.to_string()), passed);
        }
    }
    (None, false)
}
