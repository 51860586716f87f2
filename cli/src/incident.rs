//! An incident from a sealed run: what the decision over triggers needs, what whoever is on call needs, and what became
//! of it since. It notifies nobody, and writes into no run.

mod later;
mod response;
mod targets;

use crate::{
    history::Sealed,
    triage::{Standing, TRIAGE_SCHEMA},
};
use portcullis::{
    Digest, Effective, Fault, Instant, Lane, RelPath, RunId, RunVerdict,
    evidence::{
        store::{Store, read_run},
        tree::{HardLinks, Tree},
    },
    kernel::policy::{Policy, signature::SeverityHint},
};
use portcullis_gates::incident_triggers::decision::{
    Context, CriterionState, Facts, Incident, Triage, decide,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

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
    let red = later::Red {
        run_id: &sealed.run_id,
        lane: sealed.decision.lane,
        since: run.envelope.generated_at,
        tests: sealed
            .failures
            .iter()
            .map(|(rung, _)| (rung.suite.clone(), rung.test.clone()))
            .collect(),
    };
    let later = later::later_runs(store, dir, &red)?;
    let targets = targets::targets(&sealed, policy, &later);
    let bundle = bundle(&tree)?;
    let exit_criteria = response::exit_criteria(&incident, &targets, &later, asked.notes);
    let checklist =
        response::checklist(&incident, &bundle, &targets, policy, asked, &sealed, &exit_criteria);
    let escalation = response::escalation(&incident, policy, &targets);
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
