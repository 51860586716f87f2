//! The corpus of decisions: every vector is decided and compared. How a vector is written: `conformance/format.rs`.

mod corpus;
mod format;
mod receipts;
mod world;

pub use corpus::Corpus;
pub use format::{Answer, Expect, Given, Row, Topic, Vector};

use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, Globs, Instant, Location,
    RunId,
    wire::{artifact, code::RECEIPT_UNWRITABLE, receipt::Source, receipt::Tool},
};
use serde::Serialize;
use serde_json::Value;

portcullis::gate! {
    /// Decides every vector of the conformance corpus and compares the answers.
    /// ### What it checks
    /// Each vector of `fixtures/conformance/vectors/` is decided by the kernel; verdict, exit code, certificate, mode,
    /// every gate, the faults, the waivers and the gates that were not selected are those that the vector expects. Every
    /// id of `fixtures/conformance/must_pass.txt` is among the vectors.
    /// ### Why it gates
    /// The rules of the decision are promises. A change that moves one of them has to move a line of the corpus, too,
    /// and that line is what gets reviewed.
    /// ### Example
    /// Refused: a failing gate whose vector expects exit 11, while the kernel says 0. Accepted: both say 11.
    /// ### Remediation
    /// `conformance_vector_failed`: mend the kernel; correct the vector only where it misreads the rule.
    /// `conformance_vector_missing`: restore the vector. Taking an id off the list is a change of the promise.
    /// `conformance_corpus_invalid`: write the file as `fixtures/conformance/README.md` says.
    pub static CONFORMANCE_VECTORS: "conformance_vectors", check = check;
}

const CONFORMANCE_VECTOR_FAILED: Code = Code::new(
    "PC1931",
    "conformance_vector_failed",
    "The decision on a conformance vector is not the expected one.",
);
const CONFORMANCE_VECTOR_MISSING: Code = Code::new(
    "PC1932",
    "conformance_vector_missing",
    "A vector of the must-pass list is not in the corpus.",
);
const CONFORMANCE_CORPUS_INVALID: Code =
    Code::new("PC1933", "conformance_corpus_invalid", "The conformance corpus cannot be read.");

/// Where the corpus lies.
pub const CONFORMANCE_FOLDER: &str = "fixtures/conformance";
const VIEW: &str = "conformance_summary.json";
const VIEW_SCHEMA: &str = "portcullis.conformance_summary.v1";

/// The view.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    run_id: &'a RunId,
    generated_at: Instant,
    tool: Tool,
    source: &'a Source,
    #[serde(flatten)]
    judged: &'a Judged,
}

/// What became of every vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// Counts.
    pub summary: Counts,
    /// The passed vectors in a hundred, rounded down, so that one failure never reads as all.
    pub pass_rate_percent: usize,
    /// One item for each vector, and for each id of the must-pass list without one, by id.
    pub items: Vec<Item>,
}

/// Counts over the items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All.
    pub total: usize,
    /// As expected.
    pub passed: usize,
    /// Otherwise than expected, or absent.
    pub failed: usize,
    /// Not judged. This implementation judges everything; another one may lack a part.
    pub not_applicable: usize,
}

/// One vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// Its topic; absent where the vector is.
    pub topic: Option<String>,
    /// What became of it.
    pub status: Status,
    /// The first difference.
    pub detail: Option<String>,
}

/// What became of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As expected.
    Pass,
    /// Otherwise.
    Fail,
}

fn check(cx: &GateContext<'_>, out: &mut Findings) -> Result<Examined, GateError> {
    let mut corpus = Corpus::default();
    for file in cx.files(&Globs::new(&[format!("{CONFORMANCE_FOLDER}/vectors/*.json")])?)? {
        corpus.add(file.path().as_str(), &file.bytes()?)?;
    }
    let list = cx.file_at(&format!("{CONFORMANCE_FOLDER}/must_pass.txt"))?;
    corpus.require(list.path().as_str(), &list.text()?)?;
    let judged = judge(&corpus);
    for item in judged.items.iter().filter(|item| item.status == Status::Fail) {
        out.push(finding(&corpus, item));
    }
    write_view(cx, &judged)?;
    Ok(Examined::items(corpus.len()))
}

/// Decides every vector of a corpus.
#[must_use]
pub fn judge(corpus: &Corpus) -> Judged {
    let mut items: Vec<Item> = corpus
        .topics
        .iter()
        .flat_map(|(topic, vectors)| vectors.iter().map(move |vector| item(topic, vector)))
        .collect();
    let absent = corpus.must_pass.iter().filter(|id| corpus.file(id).is_none());
    items.extend(absent.map(|id| Item {
        id: id.clone(),
        topic: None,
        status: Status::Fail,
        detail: Some("it is on the must-pass list and not in the corpus".to_owned()),
    }));
    items.sort_by(|a, b| a.id.cmp(&b.id));
    let passed = items.iter().filter(|item| item.status == Status::Pass).count();
    let summary =
        Counts { total: items.len(), passed, failed: items.len() - passed, not_applicable: 0 };
    let pass_rate_percent = (passed * 100).checked_div(items.len()).unwrap_or(0);
    Judged { summary, pass_rate_percent, items }
}

fn item(topic: &str, vector: &Vector) -> Item {
    let detail = difference(vector);
    let status = if detail.is_none() { Status::Pass } else { Status::Fail };
    Item { id: vector.id.clone(), topic: Some(topic.to_owned()), status, detail }
}

/// The first difference between what a vector expects and what is decided; nothing where both are equal.
#[must_use]
pub fn difference(vector: &Vector) -> Option<String> {
    let found = match world::evaluate(&vector.given) {
        Ok(found) => found,
        Err(why) => return Some(format!("the vector cannot be given to a decision: {why}")),
    };
    if found == vector.expect {
        return None;
    }
    let tree = |answer: &Expect| serde_json::to_value(answer).unwrap_or(Value::Null);
    let first = first_difference("", &tree(&vector.expect), &tree(&found));
    Some(first.unwrap_or_else(|| "the answers differ".to_owned()))
}

fn first_difference(path: &str, expected: &Value, found: &Value) -> Option<String> {
    if expected == found {
        return None;
    }
    if let (Value::Object(left), Value::Object(right)) = (expected, found) {
        let keys = left.keys().chain(right.keys().filter(|key| !left.contains_key(*key)));
        return keys.map(|key| (key, left.get(key), right.get(key))).find_map(|(key, a, b)| {
            let below = format!("{path}/{key}");
            first_difference(&below, a.unwrap_or(&Value::Null), b.unwrap_or(&Value::Null))
        });
    }
    // What is left out of an answer shows as null here.
    Some(format!("{path}: expected {expected}, found {found}"))
}

fn finding(corpus: &Corpus, item: &Item) -> Finding {
    let detail = item.detail.as_deref().unwrap_or_default();
    match corpus.file(&item.id) {
        Some(file) => Finding::new(
            CONFORMANCE_VECTOR_FAILED,
            &item.id,
            format!("vector `{}`: {detail}", item.id),
            "mend the kernel; correct the vector only where it misreads the rule",
        )
        .at(Location::file(file)),
        None => Finding::new(
            CONFORMANCE_VECTOR_MISSING,
            &item.id,
            format!("vector `{}`: {detail}", item.id),
            "restore the vector; taking its id off the list is a change of the promise",
        )
        .at(Location::file(format!("{CONFORMANCE_FOLDER}/must_pass.txt"))),
    }
}

fn write_view(cx: &GateContext<'_>, judged: &Judged) -> Result<(), GateError> {
    let document = Document {
        schema: VIEW_SCHEMA,
        run_id: cx.run_id(),
        generated_at: cx.now(),
        tool: Tool::this(),
        source: cx.source(),
        judged,
    };
    let text = artifact::document(&document).map_err(|source| {
        Fault::new(
            RECEIPT_UNWRITABLE,
            format!("{VIEW} could not be rendered"),
            "report this as a bug",
        )
        .because(&source)
    })?;
    cx.view(VIEW, text.as_bytes())
}
