//! The view `practical_finish_checkpoint.json`: its field names are fixed for operators' scripts.
//! It states what was counted; whether that blocks is decided elsewhere.

use super::config::{Config, Role, Source};
use portcullis::{
    Fault, GateContext, GateError, Instant,
    wire::{
        artifact,
        code::RECEIPT_UNWRITABLE,
        id::RunId,
        receipt::{Source as Gated, Tool},
    },
};
use serde::Serialize;
use std::collections::BTreeSet;

const NAME: &str = "practical_finish_checkpoint.json";
const SCHEMA: &str = "portcullis.practical_finish_checkpoint.v1";

/// What was counted.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) examined: usize,
    pub(super) technical: u64,
    pub(super) docs: u64,
    /// Open documentation issues whose type may not stay open.
    pub(super) refused_residuals: u64,
    pub(super) unknown_types: BTreeSet<String>,
}

/// The document. Counts are `null` when nothing could be counted: a zero would claim that nothing is open.
#[derive(Serialize)]
struct Checkpoint<'a> {
    schema: &'static str,
    run_id: &'a RunId,
    generated_at: Instant,
    tool: Tool,
    source: LedgerSource<'a>,
    status: &'static str,
    detail: String,
    technical_completion_reached: bool,
    residual_open_scope: &'static str,
    open_count: Option<u64>,
    technical_open_count: Option<u64>,
    docs_or_report_open_count: Option<u64>,
    fallback_used: bool,
}

/// What was gated, and the ledger that was counted.
#[derive(Serialize)]
struct LedgerSource<'a> {
    #[serde(flatten)]
    gated: &'a Gated,
    path: Option<&'a str>,
    role: Option<&'static str>,
}

/// Writes what was counted.
pub(super) fn write(
    cx: &GateContext<'_>,
    source: &Source,
    counts: &Counts,
) -> Result<(), GateError> {
    let fallback = source.role == Role::Fallback;
    let blocked = counts.technical > 0 || counts.refused_residuals > 0;
    write_document(
        cx,
        &Checkpoint {
            schema: SCHEMA,
            run_id: cx.run_id(),
            generated_at: cx.now(),
            tool: Tool::this(),
            source: LedgerSource {
                gated: cx.source(),
                path: Some(source.path.as_str()),
                role: Some(source.role.name()),
            },
            status: status(counts.examined, blocked, fallback),
            detail: detail(counts, fallback),
            // A fallback never certifies, whatever it says.
            technical_completion_reached: counts.examined > 0 && counts.technical == 0 && !fallback,
            residual_open_scope: match (counts.technical > 0, counts.docs > 0) {
                (false, false) => "none",
                (false, true) => "docs_or_report",
                (true, false) => "technical",
                (true, true) => "technical_and_docs_or_report",
            },
            open_count: Some(counts.technical + counts.docs),
            technical_open_count: Some(counts.technical),
            docs_or_report_open_count: Some(counts.docs),
            fallback_used: fallback,
        },
    )
}

const fn status(examined: usize, blocked: bool, fallback: bool) -> &'static str {
    match (examined, blocked, fallback) {
        (0, _, _) => "error",
        (_, true, _) => "fail",
        (_, false, true) => "warn",
        (_, false, false) => "pass",
    }
}

/// Writes that nothing could be counted, and why.
pub(super) fn write_unknown(
    cx: &GateContext<'_>,
    config: &Config,
    fault: &Fault,
) -> Result<(), GateError> {
    let path = fault.location().map(|place| place.path.as_str());
    let source = config.sources.iter().find(|source| Some(source.path.as_str()) == path);
    write_document(
        cx,
        &Checkpoint {
            schema: SCHEMA,
            run_id: cx.run_id(),
            generated_at: cx.now(),
            tool: Tool::this(),
            source: LedgerSource {
                gated: cx.source(),
                path: source.map(|source| source.path.as_str()),
                role: source.map(|source| source.role.name()),
            },
            status: "error",
            detail: format!("{}: {}", fault.code().name(), fault.headline()),
            technical_completion_reached: false,
            residual_open_scope: "unknown",
            open_count: None,
            technical_open_count: None,
            docs_or_report_open_count: None,
            fallback_used: source.is_some_and(|source| source.role == Role::Fallback),
        },
    )
}

fn detail(counts: &Counts, fallback: bool) -> String {
    let mut text = format!(
        "{} issues examined; open: {} technical, {} documentation or report",
        counts.examined, counts.technical, counts.docs
    );
    if !counts.unknown_types.is_empty() {
        let names: Vec<&str> = counts.unknown_types.iter().map(String::as_str).collect();
        text.push_str(&format!("; types counted as technical: {}", names.join(", ")));
    }
    if fallback {
        text.push_str("; a fallback ledger was read, which never certifies");
    }
    text
}

fn write_document(cx: &GateContext<'_>, checkpoint: &Checkpoint<'_>) -> Result<(), GateError> {
    let text = artifact::document(checkpoint).map_err(|source| {
        Fault::new(
            RECEIPT_UNWRITABLE,
            format!("{NAME} could not be rendered"),
            "report this as a bug",
        )
        .because(&source)
    })?;
    cx.view(NAME, text.as_bytes())
}
