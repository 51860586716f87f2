//! Every failure of a summary has an owner, a priority and a next step, and the documents that say so are of one
//! run. Whether failures may exist at all is said by `threshold` and `set_equality`.

mod config;
mod documents;
mod outputs;
mod teeth;

use crate::{artifact_contract::FIELD_MISSING, json_value::shown};
use config::{Config, Priority};
use portcullis::{
    Code, Digest, Examined, Fault, Finding, Findings, GateContext, GateError, Location,
    wire::code::NOTHING_EXAMINED,
};
use serde::Serialize;
use serde_json::Value;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Turns the failures of a summary into a dossier and a backlog, and holds committed ones against it.
    ///
    /// ### What it checks
    /// Every item of `source` has a status; one that is neither passing nor not applicable is a failure, a misspelt one
    /// included. Every failure has an owner, a priority and a next step. Writes `certification_dossier.json` and `.md` and
    /// `remediation_backlog.json` and `.md`, all with this run's id; the backlog has one entry per failure, so it is empty
    /// exactly when nothing fails. With `outputs`, the four documents in that folder are of one run, were made from the
    /// source as it stands, and list the same failures. Failures that are planned do not make this gate fail.
    ///
    /// ### Why it gates
    /// A failure without an owner stays, and a backlog that is older than the failures it lists comforts nobody.
    ///
    /// ### Example
    /// Refused: the item `net_tls` with the status `fail` and no `route` that matches it. Accepted: the same with a route for
    /// `^net_` that has owner, priority and next step.
    ///
    /// ### Configuration
    /// - `source`: a table with `path`, and optionally `of_run` (below the directory of this run), `format`, `schema`,
    ///   `freshness` as in `artifact_contract`, which a `schema` needs; `items`, the JSON Pointer of a list or object
    ///   (`*` stands for each; default the whole document, or every record of a stream); `id`, the pointer in an item
    ///   of its id (default its key in an object, or its member `id`).
    /// - `status`: a table with `field`, `passing` (texts) and `not_applicable` (texts, default none).
    /// - `fields`: a table with the pointers in an item of `failure`, `owner`, `priority`, `next_step` and `evidence`, each
    ///   optional; what an item says itself goes before a route.
    /// - `route`: tables with `match` (a regular expression over the id, found anywhere: anchor it), `owner`, `priority`
    ///   (`p0` to `p3`), `next_step`, and optionally `evidence`; the first that matches is taken.
    /// - `outputs`: a table with `folder`, and optionally `of_run`: where documents of these names must stand already.
    ///
    /// ### Remediation
    /// - `failure_unmapped`: add a `route` for the id, or record owner, priority and next step in the item.
    /// - `backlog_contradicts`: write the documents again; the backlog lists the failures, all of them, and nothing else.
    /// - `backlog_stale`: write all four documents again in one run, from the source as it stands.
    /// - `schema_mismatch`, `artifact_missing`: write the documents with this kind.
    /// - `field_missing`: record a status in every item.
    /// - `item_invalid`, `item_duplicate`: produce the summary again, with one id per item.
    pub static REMEDIATION_BACKLOG: "remediation_backlog", since = "0.1.0", config = Config,
        validate = config::validate, check = check,
        codes = &[FAILURE_UNMAPPED, BACKLOG_CONTRADICTS, BACKLOG_STALE], teeth = TEETH;
}

const FAILURE_UNMAPPED: Code =
    Code::new("PC1150", "failure_unmapped", "A failure has no owner, priority or next step.");
const BACKLOG_CONTRADICTS: Code = Code::new(
    "PC1151",
    "backlog_contradicts",
    "A backlog lists other failures than the summary has.",
);
const BACKLOG_STALE: Code = Code::new(
    "PC1152",
    "backlog_stale",
    "Dossier and backlog are of several runs, or of another summary.",
);

/// What was counted.
#[derive(Default, Serialize)]
struct Summary {
    total: usize,
    passing: usize,
    not_applicable: usize,
    failing: usize,
    unmapped: usize,
}

/// One failure and what is done about it; `null` where nobody said.
#[derive(Serialize)]
struct Entry {
    id: String,
    failure: String,
    status: String,
    owner: Option<String>,
    priority: Option<Priority>,
    next_step: Option<String>,
    evidence: String,
}

/// The failures of a summary, the most urgent first.
struct Backlog {
    source_path: String,
    source_sha256: Digest,
    summary: Summary,
    entries: Vec<Entry>,
}

/// Reads the summary, writes the documents whatever came out, and reports what nobody has taken on.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let backlog = read(cx, config, out)?;
    if backlog.summary.total == 0 {
        let headline = format!("`{}` has no item", backlog.source_path);
        let remedy = "produce the summary again, or correct `items`";
        return Err(Fault::new(NOTHING_EXAMINED, headline, remedy));
    }
    documents::write(cx, &backlog)?;
    if let Some(outputs) = &config.outputs {
        outputs::hold(cx, outputs, &backlog, out)?;
    }
    Ok(Examined::items(backlog.summary.total))
}

fn read(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Backlog, GateError> {
    let mut summary = Summary::default();
    let mut entries = Vec::new();
    let mut unmapped = Vec::new();
    let path = config.source.path();
    let source_sha256 = config.source.each(cx, out, |item| {
        summary.total += 1;
        let status = match config.status.field.one(item.value) {
            Some(Value::String(status)) => status.clone(),
            other => {
                let headline = format!("`{}` has no status", item.id);
                let remedy = "record a status in every item";
                let found = other.map_or_else(|| "no such field".to_owned(), shown);
                return Err(Fault::new(FIELD_MISSING, headline, remedy)
                    .at(item.place.clone())
                    .found(found));
            }
        };
        if config.status.passing.contains(&status) {
            summary.passing += 1;
        } else if config.status.not_applicable.contains(&status) {
            summary.not_applicable += 1;
        } else {
            summary.failing += 1;
            let entry = entry(config, item.id, item.value, status)?;
            if let Some(finding) = unmapped_finding(&entry, item.place.clone()) {
                summary.unmapped += 1;
                unmapped.push(finding);
            }
            entries.push(entry);
        }
        Ok(())
    })?;
    for finding in unmapped {
        out.push(finding);
    }
    // Nobody has judged how urgent an unmapped failure is, so it comes first.
    entries.sort_by(|a, b| (a.priority, &a.id).cmp(&(b.priority, &b.id)));
    Ok(Backlog { source_path: path.to_string(), source_sha256, summary, entries })
}

/// What an item says itself goes before the first route that matches its id.
fn entry(config: &Config, id: &str, item: &Value, status: String) -> Result<Entry, Fault> {
    let fields = &config.fields;
    let mut route = None;
    for candidate in &config.route {
        if candidate.pattern.matches(id)? {
            route = Some(candidate);
            break;
        }
    }
    let own = |pointer: &Option<crate::json_path::Pointer>| {
        let text = pointer.as_ref()?.one(item)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let owner = own(&fields.owner).or_else(|| route.map(|route| route.owner.clone()));
    let next_step = own(&fields.next_step).or_else(|| route.map(|route| route.next_step.clone()));
    // A priority that is none of ours is no priority, and no reason to take the route's instead.
    let priority = match own(&fields.priority) {
        Some(text) => Priority::of(&text),
        None => route.map(|route| route.priority),
    };
    let evidence = own(&fields.evidence)
        .or_else(|| route.and_then(|route| route.evidence.clone()))
        .unwrap_or_else(|| format!("{}#{id}", config.source.path()));
    let failure = own(&fields.failure).unwrap_or_else(|| format!("status `{status}`"));
    Ok(Entry { id: id.to_owned(), failure, status, owner, priority, next_step, evidence })
}

fn unmapped_finding(entry: &Entry, place: Location) -> Option<Finding> {
    let lacks: Vec<&str> = [
        (entry.owner.is_none(), "an owner"),
        (entry.priority.is_none(), "a priority"),
        (entry.next_step.is_none(), "a next step"),
    ]
    .iter()
    .filter_map(|(lacks, what)| lacks.then_some(*what))
    .collect();
    let message = format!("`{}` fails and lacks {}", entry.id, lacks.join(", "));
    let remedy = "add a `route` for the id, or record them in the item";
    (!lacks.is_empty()).then(|| {
        Finding::new(FAILURE_UNMAPPED, &entry.id, message, remedy)
            .at(place)
            .found(entry.failure.clone())
    })
}

#[cfg(test)]
mod tests;
