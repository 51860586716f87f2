//! An incident from a sealed run: what the decision over triggers needs, what whoever is on call needs, and what became
//! of it since. It notifies nobody, and writes into no run.

use crate::{
    history::{Earlier, Sealed},
    outcome::Status,
    replays::Rung,
    signature::{self, Patterns, Traits},
    triage::{Standing, TRIAGE_SCHEMA},
};
use portcullis::{
    Digest, Effective, Fault, Instant, Lane, Mode, RelPath, RunId, RunVerdict,
    evidence::{
        store::{RunState, Store, read_run},
        tree::{HardLinks, Tree},
    },
    kernel::{
        policy::{Policy, profile::Kind, signature::SeverityHint},
        promotion,
    },
};
use portcullis_gates::incident_triggers::decision::{
    Context, CriterionState, Facts, Incident, Triage, decide,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Schema of `certification_verdict.json`.
const CERTIFICATION_SCHEMA: &str = "portcullis.certification_verdict.v1";
const DOCUMENT_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The documents of the bundle: role, and where a run may have it.
const BUNDLE: &[(&str, &[&str])] = &[
    ("summary", &["views/summary.json"]),
    ("triage_diff", &["views/triage_diff.json", "triage.json"]),
    ("replay_bundle", &["views/replay_bundle.json", "replay.json"]),
    ("diagnostics_index", &["views/failure_diagnostics_index.json", "failures/index.json"]),
    ("verdict", &["views/full_suite_verdict.json", "decision.json"]),
    ("events", &["views/full_suite_events.jsonl"]),
    ("report", &["views/full_suite_report.md"]),
    ("evidence_index", &["views/evidence_bundle/index.json"]),
    ("certification_contract", &["views/certification_contract.json"]),
    ("certification_verdict", &["views/certification_verdict.json"]),
];

/// What was asked for.
pub(crate) struct Asked<'a> {
    /// Where the run stands for; its lane decides where nobody says.
    pub context: Option<Context>,
    /// Whether strict wording is needed; on a release it is.
    pub strict_wording: bool,
    /// Gates that must have passed for CI and local runs to agree.
    pub parity: &'a [String],
    /// Now.
    pub now: Instant,
    /// The mode that was asked for from outside.
    pub requested_mode: Option<&'a str>,
    /// What people wrote down about it.
    pub notes: &'a [Note],
}

/// Something that people know and no document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// When it was written down.
    pub ts: Instant,
    /// What.
    pub note: Option<String>,
    /// Where.
    pub link: Option<String>,
}

/// One document of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    /// What it is for.
    pub role: &'static str,
    /// Where it lies in the run directory.
    pub path: &'static str,
    /// Its SHA-256, or `absent`.
    pub digest: String,
    /// Its size.
    pub bytes: Option<u64>,
}

/// One step of the response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    /// Its name in documents.
    pub id: &'static str,
    /// Whether it is done.
    pub state: CriterionState,
    /// What is known of it.
    pub detail: String,
}

/// A failure, and whether a later run saw it pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Target {
    /// Suite and test, or the gate.
    pub target: String,
    /// Its signature.
    pub signature: Option<String>,
    /// How to see it again.
    pub replay: Option<String>,
    /// The run that saw it last, if not this one.
    pub seen_in: Option<String>,
    /// Whether it passed there.
    pub fixed: bool,
}

/// Everything about it.
pub(crate) struct Assessment {
    /// The decision.
    pub incident: Incident,
    /// The documents.
    pub bundle: Vec<Item>,
    /// What failed.
    pub targets: Vec<Target>,
    /// The response.
    pub checklist: Vec<Step>,
    /// What closes it, as things stand now.
    pub exit_criteria: Vec<Step>,
    /// What to do when it takes too long.
    pub escalation: Vec<String>,
}

impl Assessment {
    /// Whether nothing is left to do.
    pub(crate) fn is_resolved(&self) -> bool {
        !self.incident.is_open()
            || self.exit_criteria.iter().all(|step| step.state != CriterionState::Open)
    }
}

/// Assesses a run.
///
/// # Errors
/// When a document of it cannot be read, or is of another run.
pub(crate) fn assess(
    dir: &Path,
    store: Option<&Store>,
    policy: &Policy,
    asked: &Asked<'_>,
) -> Result<Assessment, Fault> {
    let sealed = Sealed::read(dir)?;
    let run = read_run(dir)?;
    let tree = Tree::new(dir)?;
    let triage = triage(&tree)?;
    let certification = certification(&tree, &sealed.run_id)?;
    let context = asked.context.unwrap_or(match sealed.decision.lane {
        Lane::Main => Context::Main,
        Lane::Release => Context::Release,
        Lane::Pr => Context::Branch,
        // A run on somebody's machine may stand for anything.
        Lane::Local => Context::Unknown,
    });
    let facts = Facts {
        run_id: sealed.run_id.to_string(),
        triage,
        verdict: word(sealed.decision.verdict).to_owned(),
        failed_gates: failed(&sealed),
        failed_parity: parity(&sealed, asked.parity),
        has_parity: !asked.parity.is_empty(),
        drift_gates: drift(policy),
        certification,
        strict_wording: asked.strict_wording || context == Context::Release,
        context,
        opened_at: run.envelope.generated_at,
        now: asked.now,
    };
    let incident = decide(&facts);
    let red = Red {
        run_id: &sealed.run_id,
        lane: sealed.decision.lane,
        since: run.envelope.generated_at,
        tests: sealed
            .failures
            .iter()
            .map(|(rung, _)| (rung.suite.clone(), rung.test.clone()))
            .collect(),
    };
    let later = later_runs(store, dir, &red)?;
    let targets = targets(&sealed, policy, &later);
    let bundle = bundle(&tree)?;
    let exit_criteria = exit_criteria(&incident, &targets, &later, asked.notes);
    let checklist = checklist(&incident, &bundle, &targets, policy, asked, &sealed, &exit_criteria);
    let escalation = escalation(&incident, policy, &targets);
    Ok(Assessment { incident, bundle, targets, checklist, exit_criteria, escalation })
}

const fn word(verdict: RunVerdict) -> &'static str {
    match verdict {
        RunVerdict::Pass => "pass",
        RunVerdict::Blocked => "blocked",
        RunVerdict::Invalid => "invalid",
    }
}

/// The gates in the way, and the faults of the run, which are never mere drift.
fn failed(sealed: &Sealed) -> Vec<String> {
    let gates = sealed.decision.gates.iter().filter(|gate| {
        // In shadow mode a blocking gate fails without being in the way, and fails all the same.
        gate.blocks || gate.rollback_warning || (gate.blocking && gate.effective == Effective::Fail)
    });
    let faults = sealed.decision.faults.iter().map(|fault| format!("run ({})", fault.code));
    gates.map(|gate| gate.id.to_string()).chain(faults).collect()
}

fn parity(sealed: &Sealed, wanted: &[String]) -> Vec<(String, String)> {
    let status = |id: &String| {
        let gate = sealed.decision.gates.iter().find(|gate| gate.id.as_str() == id);
        gate.map_or("missing", |gate| gate.effective.name()).to_owned()
    };
    let rows = wanted.iter().map(|id| (id.clone(), status(id)));
    rows.filter(|(_, status)| status != "pass").collect()
}

/// Gates whose every signature says that their failure is drift of evidence or documents alone.
fn drift(policy: &Policy) -> Vec<String> {
    let mut hints: BTreeMap<&str, Vec<Option<SeverityHint>>> = BTreeMap::new();
    for signature in &policy.signatures {
        for gate in &signature.matches.gates {
            hints.entry(gate.as_str()).or_default().push(signature.severity);
        }
    }
    let only_drift = |hints: &Vec<Option<SeverityHint>>| {
        hints.iter().all(|hint| *hint == Some(SeverityHint::Sev3))
    };
    hints.iter().filter(|(_, hints)| only_drift(hints)).map(|(id, _)| (*id).to_owned()).collect()
}

#[derive(Deserialize)]
struct TriageDocument {
    status: Standing,
    summary: TriageCounts,
}

#[derive(Deserialize)]
struct TriageCounts {
    regression_count: u64,
}

fn triage(tree: &Tree) -> Result<Triage, Fault> {
    let name = "triage.json";
    if !tree.exists(&crate::history::rel(name)?)? {
        return Ok(Triage::NoBaseline);
    }
    let document: TriageDocument = crate::history::document(tree, name, TRIAGE_SCHEMA)?;
    let counted = document.summary.regression_count;
    Ok(if document.status == Standing::Regression || counted > 0 {
        Triage::Regression(counted)
    } else {
        Triage::NoRegression
    })
}

#[derive(Deserialize)]
struct Certification {
    run_id: RunId,
    overall_verdict: String,
}

fn certification(tree: &Tree, run_id: &RunId) -> Result<Option<String>, Fault> {
    let name = "views/certification_verdict.json";
    if !tree.exists(&crate::history::rel(name)?)? {
        return Ok(None);
    }
    let document: Certification = crate::history::document(tree, name, CERTIFICATION_SCHEMA)?;
    // A certificate of another run covers nothing here.
    Ok((document.run_id == *run_id).then_some(document.overall_verdict))
}

fn bundle(tree: &Tree) -> Result<Vec<Item>, Fault> {
    let mut items = Vec::new();
    for (role, places) in BUNDLE {
        let mut item = Item {
            role,
            path: places.first().copied().unwrap_or_default(),
            digest: "absent".to_owned(),
            bytes: None,
        };
        for place in *places {
            let path: RelPath = crate::history::rel(place)?;
            if tree.exists(&path)? {
                let bytes = tree.read_with(&path, DOCUMENT_MAX_BYTES, HardLinks::Refuse)?;
                item.path = place;
                item.digest = Digest::of(&bytes).to_string();
                item.bytes = Some(bytes.len() as u64);
                break;
            }
        }
        items.push(item);
    }
    Ok(items)
}

/// What a later run saw: targets by suite and test, gates by their id alone.
struct Later {
    run_id: RunId,
    tests: BTreeMap<(String, String), Status>,
    gates: BTreeMap<String, bool>,
    faultless: bool,
    compared: Option<Standing>,
}

/// What was red, of which later runs are asked.
struct Red<'a> {
    run_id: &'a RunId,
    lane: Lane,
    since: Instant,
    tests: BTreeSet<(String, String)>,
}

/// The sealed runs that say whether something is mended, oldest first: the reruns of this run and theirs, and whole runs
/// that came after it in the same lane. A green branch mends no red main.
fn later_runs(store: Option<&Store>, dir: &Path, red: &Red<'_>) -> Result<Vec<Later>, Fault> {
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

fn targets(sealed: &Sealed, policy: &Policy, later: &[Later]) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut gates: BTreeSet<&str> = BTreeSet::new();
    for (rung, _) in &sealed.failures {
        let is_gate = rung.kind == Kind::Gate;
        if is_gate {
            gates.insert(&rung.test);
        }
        targets.push(target(sealed, policy, later, rung, is_gate));
    }
    for gate in
        sealed.decision.gates.iter().filter(|gate| gate.blocks && !gates.contains(gate.id.as_str()))
    {
        let key = (gate.binary.clone(), gate.id.to_string());
        let (seen_in, fixed) = last_seen(later, &key, true);
        targets.push(Target {
            target: gate.id.to_string(),
            signature: signature_of(sealed, policy, &key, "gate_blocked", true),
            replay: Some(
                portcullis::kernel::replay::Replay::gate(
                    &gate.binary,
                    gate.id.as_str(),
                    &policy.replay_prefix,
                )
                .render(),
            ),
            seen_in,
            fixed,
        });
    }
    for fault in &sealed.decision.faults {
        if fault.code == "tests_failed" && !sealed.failures.is_empty() {
            continue;
        }
        let clean = later.iter().rfind(|run| run.faultless);
        targets.push(Target {
            target: format!("run: {}", fault.code),
            signature: {
                let traits = Traits { codes: vec![fault.code.as_str()], ..Traits::default() };
                let found = signature::recognise(policy, &Patterns::none(), &traits);
                found.first().map(|one| one.signature.id.to_string())
            },
            replay: Some(format!("cargo portcullis rerun {}", sealed.run_id)),
            seen_in: clean.map(|run| run.run_id.to_string()),
            fixed: clean.is_some(),
        });
    }
    targets
}

fn target(sealed: &Sealed, policy: &Policy, later: &[Later], rung: &Rung, is_gate: bool) -> Target {
    let key = (rung.suite.clone(), rung.test.clone());
    let (seen_in, fixed) = last_seen(later, &key, is_gate);
    Target {
        target: format!("{} {}", rung.suite, rung.test),
        signature: signature_of(sealed, policy, &key, &rung.root_cause_class, is_gate),
        // A record must not be able to say how something is run.
        replay: rung
            .targeted
            .clone()
            .checked()
            .map_or_else(|fault| Some(fault.headline().to_owned()), |replay| Some(replay.render())),
        seen_in,
        fixed,
    }
}

fn signature_of(
    sealed: &Sealed,
    policy: &Policy,
    (suite, test): &(String, String),
    class: &str,
    is_gate: bool,
) -> Option<String> {
    let gate = sealed.decision.gates.iter().find(|gate| is_gate && gate.id.as_str() == test);
    let codes = gate.map(|gate| {
        let of_findings = gate.findings.iter().map(|finding| finding.code.as_str());
        gate.code.as_deref().into_iter().chain(of_findings).collect()
    });
    let traits = Traits {
        test: Some(test),
        suite: Some(suite),
        class,
        codes: codes.unwrap_or_default(),
        patterns: &[],
    };
    let found = signature::recognise(policy, &Patterns::none(), &traits);
    found.first().map(|one| one.signature.id.to_string())
}

/// The last run that saw a target, and whether it passed there. One that did not run it says nothing.
fn last_seen(later: &[Later], key: &(String, String), is_gate: bool) -> (Option<String>, bool) {
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

/// The criteria of the decision, moved on by what later runs and people say.
fn exit_criteria(
    incident: &Incident,
    targets: &[Target],
    later: &[Later],
    notes: &[Note],
) -> Vec<Step> {
    let all_fixed = !targets.is_empty() && targets.iter().all(|target| target.fixed);
    let noted = notes.iter().any(|note| note.note.is_some());
    let linked = notes.iter().any(|note| note.link.is_some());
    let compared = later.iter().rev().find_map(|run| run.compared);
    incident
        .exit_criteria
        .iter()
        .map(|criterion| {
            let (now, detail) = match criterion.name {
                "triage_is_no_regression" => match compared {
                    Some(Standing::Regression) => {
                        (false, "a later run is a regression, too".to_owned())
                    }
                    Some(Standing::Stable | Standing::KnownFailuresOnly) => {
                        (true, "a later run is no regression".to_owned())
                    }
                    None => (all_fixed, "what regressed has to pass in a later run".to_owned()),
                },
                "blocking_gates_pass" => {
                    let fixed = targets.iter().filter(|target| target.fixed).count();
                    (
                        all_fixed,
                        format!("{fixed} of {} failures pass in a later run", targets.len()),
                    )
                }
                "wording_guard_satisfied" => {
                    (false, "the certification verdict has to be CERTIFIED".to_owned())
                }
                _ => (
                    noted && linked,
                    "record both: `--link <address>` and `--note <what happened>`".to_owned(),
                ),
            };
            let state = match criterion.state {
                CriterionState::Open => done(now),
                CriterionState::Satisfied => CriterionState::Satisfied,
                CriterionState::NotApplicable => CriterionState::NotApplicable,
            };
            Step { id: criterion.name, state, detail }
        })
        .collect()
}

const fn done(yes: bool) -> CriterionState {
    if yes { CriterionState::Satisfied } else { CriterionState::Open }
}

fn checklist(
    incident: &Incident,
    bundle: &[Item],
    targets: &[Target],
    policy: &Policy,
    asked: &Asked<'_>,
    sealed: &Sealed,
    exit_criteria: &[Step],
) -> Vec<Step> {
    let absent: Vec<&str> =
        bundle.iter().filter(|item| item.bytes.is_none()).map(|item| item.role).collect();
    let unknown = targets.iter().filter(|target| target.signature.is_none()).count();
    let fixed = targets.iter().filter(|target| target.fixed).count();
    let step = |id: &'static str, state: CriterionState, detail: String| Step { id, state, detail };
    let linked = asked.notes.iter().any(|note| note.link.is_some());
    vec![
        step(
            "severity_and_deadline_known",
            CriterionState::Satisfied,
            incident.severity.map_or_else(
                || "no trigger is met".to_owned(),
                |severity| {
                    let due = incident.deadline.map(|at| at.to_string()).unwrap_or_default();
                    format!("{}, due {due}", severity.name())
                },
            ),
        ),
        step(
            "owner_and_context_recorded",
            if incident.is_open() { done(linked) } else { CriterionState::NotApplicable },
            "record where it is handled: `--link <address>`".to_owned(),
        ),
        step(
            "bundle_collected",
            // What a run never made cannot be collected; that it is known to be absent is what counts.
            CriterionState::Satisfied,
            if absent.is_empty() {
                "all documents".to_owned()
            } else {
                format!("absent: {}", absent.join(", "))
            },
        ),
        step(
            "failures_have_signatures",
            if targets.is_empty() { CriterionState::NotApplicable } else { done(unknown == 0) },
            format!("{} of {} recognised", targets.len() - unknown, targets.len()),
        ),
        step(
            "failures_fixed",
            if targets.is_empty() {
                CriterionState::NotApplicable
            } else {
                done(fixed == targets.len())
            },
            format!(
                "{fixed} of {} pass in a later run; `cargo portcullis rerun {}`",
                targets.len(),
                sealed.run_id
            ),
        ),
        step(
            "wording_frozen",
            if incident.freezes_wording { done(linked) } else { CriterionState::NotApplicable },
            "freeze strict wording until the incident is closed".to_owned(),
        ),
        rollback(policy, asked, sealed),
        step(
            "exit_criteria_met",
            if incident.is_open() {
                done(exit_criteria.iter().all(|step| step.state != CriterionState::Open))
            } else {
                CriterionState::NotApplicable
            },
            "see below".to_owned(),
        ),
    ]
}

/// Rollback holds only with a record that has not expired; without one it is strict, and says so.
fn rollback(policy: &Policy, asked: &Asked<'_>, sealed: &Sealed) -> Step {
    let id = "rollback_recorded";
    let wanted = asked.requested_mode == Some("rollback") || sealed.decision.mode == Mode::Rollback;
    let record = policy.promotion.rollback.as_ref();
    if !wanted && record.is_none() {
        let detail = "not used; it needs `[promotion.rollback]` with owner, rationale, issue and an end within 72 h";
        return Step { id, state: CriterionState::NotApplicable, detail: detail.to_owned() };
    }
    let (mode, faults) = promotion::resolve(&policy.promotion, Some("rollback"), asked.now);
    match (mode, faults.first(), record) {
        (Mode::Rollback, None, Some(record)) => Step {
            id,
            state: CriterionState::Satisfied,
            detail: format!(
                "until {}: {} ({}, {})",
                record.expires, record.rationale, record.owner, record.issue
            ),
        },
        (_, Some(fault), _) => {
            Step { id, state: CriterionState::Open, detail: fault.headline().to_owned() }
        }
        (_, None, _) => Step {
            id,
            state: CriterionState::Open,
            detail: "rollback does not hold; the run is strict".to_owned(),
        },
    }
}

fn escalation(incident: &Incident, policy: &Policy, targets: &[Target]) -> Vec<String> {
    if !incident.is_open() {
        return Vec::new();
    }
    let ids: BTreeSet<&str> =
        targets.iter().filter_map(|target| target.signature.as_deref()).collect();
    let mut owners: BTreeSet<&str> = policy
        .signatures
        .iter()
        .filter(|signature| ids.contains(signature.id.as_str()))
        .map(|signature| signature.owner.as_str())
        .collect();
    if owners.is_empty() {
        owners.insert(&policy.owner);
    }
    let owners: Vec<&str> = owners.into_iter().collect();
    let mut steps = vec![format!("first: {}", owners.join(", "))];
    if incident.is_overdue {
        steps.push(format!("the deadline has passed: escalate to {} now", policy.owner));
    } else if let Some(deadline) = incident.deadline {
        steps.push(format!("past {deadline} without owner and context: {}", policy.owner));
    }
    if incident.freezes_wording {
        steps.push("freeze strict wording: print no claim above the certified tier".to_owned());
    }
    steps
}
