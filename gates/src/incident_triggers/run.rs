//! The documents of a run as the decision needs them, and the bundle of all of them. It judges nothing.

use super::{
    INCIDENT_INPUT_INVALID,
    config::Config,
    decision::{Facts, Triage},
};
use crate::{
    artifact::{Artifact, absent},
    artifact_contract::{LINEAGE_MISMATCH, SCHEMA_MISMATCH},
    document::{self, Format},
};
use portcullis::{
    Fault, File, GateContext, GateError, Instant, Location,
    wire::code::{NOTHING_EXAMINED, PATH_REFUSED},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

const VERDICT: (&str, &str) = ("full_suite_verdict.json", "portcullis.full_suite_verdict.v1");
const TRIAGE: (&str, &str) = ("triage_diff.json", "portcullis.triage_diff.v1");
const CERTIFICATION: (&str, &str) =
    ("certification_verdict.json", "portcullis.certification_verdict.v1");

/// What whoever is on call needs: role and name of each document.
const BUNDLE: &[(&str, &str)] = &[
    ("summary", "summary.json"),
    ("triage_diff", TRIAGE.0),
    ("replay_bundle", "replay_bundle.json"),
    ("diagnostics_index", "failure_diagnostics_index.json"),
    ("verdict", VERDICT.0),
    ("events", "full_suite_events.jsonl"),
    ("report", "full_suite_report.md"),
    ("evidence_index", "evidence_bundle/index.json"),
    ("certification_contract", "certification_contract.json"),
    ("certification_verdict", CERTIFICATION.0),
];

/// One document of the bundle.
#[derive(Serialize)]
pub(super) struct Item {
    pub(super) role: &'static str,
    pub(super) path: String,
    /// The SHA-256, or `absent`.
    pub(super) digest: String,
    pub(super) bytes: Option<u64>,
}

/// The head of every document.
#[derive(Deserialize)]
struct Head {
    schema: String,
    run_id: String,
}

#[derive(Deserialize)]
struct Verdict {
    generated_at: Instant,
    verdict: VerdictName,
    gates: Vec<Row>,
    summary: Summary,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum VerdictName {
    Pass,
    Blocked,
    Invalid,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    status: String,
    blocking: bool,
    /// Whether it blocks in its mode and lane; absent in documents of other writers.
    #[serde(default)]
    blocks: bool,
}

#[derive(Deserialize)]
struct Summary {
    all_blocking_pass: bool,
}

#[derive(Deserialize)]
struct TriageDiff {
    status: TriageStatus,
    summary: TriageSummary,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TriageStatus {
    Regression,
    Stable,
    KnownFailuresOnly,
}

#[derive(Deserialize)]
struct TriageSummary {
    regression_count: u64,
}

#[derive(Deserialize)]
struct Certification {
    overall_verdict: String,
}

/// Reads what the triggers need.
///
/// # Errors
/// When a document that must exist does not, is of another run, or does not say what a trigger needs.
pub(super) fn read(cx: &GateContext<'_>, config: &Config) -> Result<Facts, GateError> {
    let file = open(cx, config, VERDICT.0)?;
    if !file.exists()? {
        return Err(absent(file.path()));
    }
    let (head, verdict): (Head, Verdict) = parse(&file, VERDICT.1)?;
    if verdict.gates.is_empty() {
        let remedy = "restore the verdict of a run that evaluated gates";
        return Err(Fault::new(NOTHING_EXAMINED, "the verdict names no gate", remedy)
            .at(Location::file(file.path())));
    }
    let triage = triage(cx, config, &head.run_id)?;
    let certification = of_same_run::<Certification>(cx, config, CERTIFICATION, &head.run_id)?
        .map(|certification| certification.overall_verdict);
    let mut failed_parity = Vec::new();
    for gate in &config.parity_gates {
        let Some(row) = verdict.gates.iter().find(|row| row.id == *gate) else {
            return Err(invalid(&file, format!("the verdict has no gate `{gate}`")));
        };
        if row.status != "pass" {
            failed_parity.push((row.id.clone(), row.status.clone()));
        }
    }
    Ok(Facts {
        run_id: head.run_id,
        triage,
        failed_gates: failed_gates(&verdict),
        verdict: match verdict.verdict {
            VerdictName::Pass => "pass",
            VerdictName::Blocked => "blocked",
            VerdictName::Invalid => "invalid",
        }
        .to_owned(),
        failed_parity,
        has_parity: !config.parity_gates.is_empty(),
        drift_gates: config.drift_gates.clone(),
        certification,
        strict_wording: config.strict_wording,
        context: config.context(cx.lane()),
        opened_at: verdict.generated_at,
        now: cx.now(),
    })
}

/// A blocking gate that failed counts in shadow mode as well, where it does not block; and a gate that blocks counts
/// whatever its status says.
fn failed_gates(verdict: &Verdict) -> Vec<String> {
    let failed = |row: &&Row| row.blocks || (row.blocking && row.status == "fail");
    let mut gates: Vec<String> =
        verdict.gates.iter().filter(failed).map(|row| row.id.clone()).collect();
    if gates.is_empty() && !verdict.summary.all_blocking_pass {
        gates.push("a gate that the verdict does not name".to_owned());
    }
    gates
}

/// With a baseline the triage must exist; without one, an existing triage still counts.
fn triage(cx: &GateContext<'_>, config: &Config, run_id: &str) -> Result<Triage, GateError> {
    match of_same_run::<TriageDiff>(cx, config, TRIAGE, run_id)? {
        None if config.baseline => Err(absent(open(cx, config, TRIAGE.0)?.path())),
        None => Ok(Triage::NoBaseline),
        Some(diff)
            if diff.status == TriageStatus::Regression || diff.summary.regression_count > 0 =>
        {
            Ok(Triage::Regression(diff.summary.regression_count))
        }
        Some(_no_regression) => Ok(Triage::NoRegression),
    }
}

fn of_same_run<T: DeserializeOwned>(
    cx: &GateContext<'_>,
    config: &Config,
    (name, schema): (&str, &str),
    run_id: &str,
) -> Result<Option<T>, GateError> {
    let file = open(cx, config, name)?;
    if !file.exists()? {
        return Ok(None);
    }
    let (head, document): (Head, T) = parse(&file, schema)?;
    if head.run_id != run_id {
        let headline = format!("`{}` is of another run than the verdict", file.path());
        let remedy = "copy the views of one run, all of them";
        return Err(Fault::new(LINEAGE_MISMATCH, headline, remedy)
            .at(Location::file(file.path()))
            .expected(run_id)
            .found(head.run_id));
    }
    Ok(Some(document))
}

fn parse<T: DeserializeOwned>(file: &File<'_>, schema: &str) -> Result<(Head, T), GateError> {
    let json = document::read(file, Format::Json)?;
    let head: Head =
        serde_json::from_value(json.clone()).map_err(|source| invalid(file, source.to_string()))?;
    if head.schema != schema {
        let headline = format!("`{}` has another schema", file.path());
        let remedy = "produce the views again with this version of portcullis";
        return Err(Fault::new(SCHEMA_MISMATCH, headline, remedy)
            .at(Location::file(file.path()))
            .expected(schema)
            .found(head.schema));
    }
    let document =
        serde_json::from_value(json).map_err(|source| invalid(file, source.to_string()))?;
    Ok((head, document))
}

fn invalid(file: &File<'_>, why: String) -> Fault {
    let headline = format!("`{}` does not say what a trigger needs", file.path());
    let remedy = "produce the views again with this version of portcullis";
    Fault::new(INCIDENT_INPUT_INVALID, headline, remedy).at(Location::file(file.path())).found(why)
}

/// Every document of the bundle, with its digest or as absent.
pub(super) fn bundle(cx: &GateContext<'_>, config: &Config) -> Result<Vec<Item>, GateError> {
    let mut items = Vec::new();
    for (role, name) in BUNDLE {
        let file = open(cx, config, name)?;
        let path = file.path().to_string();
        let (digest, bytes) = if file.exists()? {
            let (digest, bytes) = file.digest_and_size()?;
            (digest.to_string(), Some(bytes))
        } else {
            ("absent".to_owned(), None)
        };
        items.push(Item { role, path, digest, bytes });
    }
    Ok(items)
}

fn open<'a>(cx: &GateContext<'a>, config: &Config, name: &str) -> Result<File<'a>, GateError> {
    let mut path = config.views.clone();
    for part in name.split('/') {
        path = path.join(part).map_err(|source| {
            Fault::new(PATH_REFUSED, source.to_string(), "shorten the name of the folder")
        })?;
    }
    Artifact::plain(&path, config.of_run).file(cx)
}
