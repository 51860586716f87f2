//! The index of a set, a view: its field names are fixed for operators' scripts.

use super::config::Entry;
use portcullis::{
    Digest, Fault, GateContext, GateError, Instant,
    wire::{
        artifact,
        code::RECEIPT_UNWRITABLE,
        id::RunId,
        receipt::{Source, Tool},
    },
};
use serde::Serialize;

const SCHEMA: &str = "portcullis.evidence_bundle_index.v1";

/// One artifact of the index.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) role: String,
    path: String,
    pub(super) sha256: Option<Digest>,
    pub(super) bytes: Option<u64>,
    pub(super) schema: Option<String>,
    pub(super) generated_at: Option<String>,
    pub(super) fresh: Option<bool>,
    required: bool,
    /// The code of what is wrong with it first.
    pub(super) problem: Option<String>,
}

impl Row {
    pub(super) fn new(entry: &Entry) -> Self {
        Self {
            role: entry.role.clone(),
            path: entry.path.to_string(),
            sha256: None,
            bytes: None,
            schema: None,
            generated_at: None,
            fresh: None,
            required: entry.required,
            problem: None,
        }
    }
}

#[derive(Serialize)]
struct Index<'a> {
    schema: &'static str,
    run_id: &'a RunId,
    generated_at: Instant,
    source: &'a Source,
    tool: Tool,
    verdict: &'static str,
    artifacts: &'a [Row],
}

/// Writes the index, whatever was found.
pub(super) fn write(cx: &GateContext<'_>, name: &str, rows: &[Row]) -> Result<(), GateError> {
    let index = Index {
        schema: SCHEMA,
        run_id: cx.run_id(),
        generated_at: cx.now(),
        source: cx.source(),
        tool: Tool::this(),
        verdict: verdict(rows),
        artifacts: rows,
    };
    let text = artifact::document(&index).map_err(|source| {
        let headline = format!("{name} could not be rendered");
        Fault::new(RECEIPT_UNWRITABLE, headline, "report this as a bug").because(&source)
    })?;
    cx.view(name, text.as_bytes())
}

fn verdict(rows: &[Row]) -> &'static str {
    let wrong = |row: &&Row| row.problem.is_some();
    match (rows.iter().any(|row| row.required && wrong(&row)), rows.iter().any(|row| wrong(&row))) {
        (true, _) => "insufficient",
        (false, true) => "partial",
        (false, false) => "complete",
    }
}
