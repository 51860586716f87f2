//! The view `cross_platform_reports/<platform>/platform_report.json`: its field names are fixed for operators'
//! scripts. It is written on one machine and read on another.

use super::PLATFORM_REPORT_INVALID;
use crate::artifact_contract::{Contract, Report};
use portcullis::{
    Fault, File, Findings, GateContext, GateError, Instant, Location,
    wire::{
        artifact,
        code::RECEIPT_UNWRITABLE,
        id::RunId,
        receipt::{Source, Tool},
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const SCHEMA: &str = "portcullis.platform_report.v1";

/// What one check found. `blocking` is how the platform that wrote it saw it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) detail: String,
    pub(super) blocking: bool,
}

/// How a check ended; another word is no status, and no pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Pass,
    Fail,
}

impl Row {
    pub(super) fn new(id: &str, is_able: bool, detail: impl Into<String>) -> Self {
        let status = if is_able { Status::Pass } else { Status::Fail };
        Self { id: id.to_owned(), status, detail: detail.into(), blocking: false }
    }
}

/// A report that was read.
pub(super) struct Check {
    pub(super) path: String,
    pub(super) platform: String,
    pub(super) made: Instant,
    pub(super) rows: Vec<Row>,
    /// Why it is not as fresh as stated.
    pub(super) stale: Option<String>,
}

/// The document as it is written.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    run_id: &'a RunId,
    generated_at: Instant,
    tool: Tool,
    source: &'a Source,
    platform: &'a str,
    architecture: &'a str,
    checks: &'a [Row],
}

/// The document as it is read: newer ones may have more members.
#[derive(Deserialize)]
struct Read {
    schema: String,
    generated_at: Instant,
    platform: String,
    checks: Vec<Row>,
}

/// The name of the view of a platform.
pub(super) fn name(platform: &str) -> String {
    format!("cross_platform_reports/{platform}/platform_report.json")
}

/// Writes the report of this host.
pub(super) fn write(cx: &GateContext<'_>, rows: &[Row]) -> Result<(), GateError> {
    let host = cx.host();
    let document = Document {
        schema: SCHEMA,
        run_id: cx.run_id(),
        generated_at: cx.now(),
        tool: Tool::this(),
        source: cx.source(),
        platform: host.platform(),
        architecture: host.architecture(),
        checks: rows,
    };
    let text = artifact::document(&document).map_err(|source| {
        Fault::new(RECEIPT_UNWRITABLE, "the report could not be rendered", "report this as a bug")
            .because(&source)
    })?;
    cx.view(&name(host.platform()), text.as_bytes())
}

/// Reads the report of another platform.
pub(super) fn read(
    cx: &GateContext<'_>,
    file: &File<'_>,
    contract: &Contract,
) -> Result<Check, GateError> {
    let invalid = |why: String| {
        Fault::new(PLATFORM_REPORT_INVALID, why, "bring the report as it was written")
            .at(Location::file(file.path()))
    };
    let read: Result<Read, _> = serde_json::from_value(file.json()?);
    let read = read.map_err(|source| {
        invalid("a file is not the report of a platform".to_owned()).found(source.to_string())
    });
    let read = cx.watch(read)?;
    if read.schema != SCHEMA {
        return cx.watch(Err(invalid("a report has another schema".to_owned()).expected(SCHEMA)));
    }
    let ids: BTreeSet<&str> = read.checks.iter().map(|row| row.id.as_str()).collect();
    if ids.len() != read.checks.len() || ids.is_empty() {
        let why = "a report has no checks, or one check twice".to_owned();
        return cx.watch(Err(invalid(why)));
    }
    let mut aside = Findings::new(&cx.gate().common.id);
    contract.examine(cx, file, &mut Report::new(&mut aside, file.path().as_str()))?;
    let stale = aside.kept().first().map(|finding| match &finding.found {
        Some(found) => format!("{}, found {found}", finding.message),
        None => finding.message.clone(),
    });
    Ok(Check {
        path: file.path().to_string(),
        platform: read.platform,
        made: read.generated_at,
        rows: read.checks,
        stale,
    })
}
