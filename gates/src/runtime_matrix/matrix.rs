//! The view `compatibility_matrix.json`: what every probe did on every runtime. It judges nothing.

use super::config::Runtime;
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

const NAME: &str = "compatibility_matrix.json";
const SCHEMA: &str = "portcullis.compatibility_matrix.v1";

/// How a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Ok,
    Failed,
    TimedOut,
}

/// One probe on one runtime.
#[derive(Debug, Serialize)]
pub(super) struct Cell {
    pub(super) runtime: String,
    pub(super) status: Status,
    /// Absent when a signal ended it.
    pub(super) exit: Option<i32>,
    pub(super) output_sha256: Digest,
    /// The beginning of what it wrote: of its output, or of its errors when it failed.
    pub(super) detail: String,
}

impl Cell {
    /// For a finding.
    pub(super) fn shown(&self) -> String {
        let status = match self.status {
            Status::Ok => "ok",
            Status::Failed => "failed",
            Status::TimedOut => "timed out",
        };
        let first: String = self.detail.lines().take(3).collect::<Vec<_>>().join(" / ");
        format!("{}: {status}: {first}", self.runtime)
    }
}

/// One probe.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) probe: String,
    /// Whether it ended well and wrote the same everywhere.
    pub(super) agrees: bool,
    pub(super) runtimes: Vec<Cell>,
}

impl Row {
    pub(super) fn new(probe: String, runtimes: Vec<Cell>) -> Self {
        let agrees = runtimes.iter().all(|cell| cell.status == Status::Ok)
            && runtimes.windows(2).all(|pair| match pair {
                [a, b] => a.output_sha256 == b.output_sha256,
                _ => true,
            });
        Self { probe, agrees, runtimes }
    }
}

#[derive(Serialize)]
struct Version<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    run_id: &'a RunId,
    generated_at: Instant,
    tool: Tool,
    source: &'a Source,
    runtimes: Vec<Version<'a>>,
    rows: &'a [Row],
}

/// Writes the matrix.
pub(super) fn write(
    cx: &GateContext<'_>,
    runtimes: &[Runtime],
    versions: &[String],
    rows: &[Row],
) -> Result<(), GateError> {
    let named = runtimes.iter().zip(versions);
    let document = Document {
        schema: SCHEMA,
        run_id: cx.run_id(),
        generated_at: cx.now(),
        tool: Tool::this(),
        source: cx.source(),
        runtimes: named
            .map(|(runtime, version)| Version { name: &runtime.name, version })
            .collect(),
        rows,
    };
    let text = artifact::document(&document).map_err(|source| {
        Fault::new(RECEIPT_UNWRITABLE, "the matrix could not be rendered", "report this as a bug")
            .because(&source)
    })?;
    cx.view(NAME, text.as_bytes())
}
