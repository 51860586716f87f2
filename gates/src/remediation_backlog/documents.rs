//! The views `certification_dossier` and `remediation_backlog`, each as JSON and Markdown: their field names are fixed
//! for operators' scripts. All four carry the id of one run, and each Markdown text the digest of its JSON twin.

use super::{Backlog, Entry, Summary, config::Priority};
use crate::view;
use portcullis::{Digest, GateContext, GateError, report::markdown::escape};
use serde::Serialize;

pub(super) const DOSSIER: &str = "certification_dossier";
pub(super) const BACKLOG: &str = "remediation_backlog";
pub(super) const DOSSIER_SCHEMA: &str = "portcullis.certification_dossier.v1";
pub(super) const BACKLOG_SCHEMA: &str = "portcullis.remediation_backlog.v1";

#[derive(Serialize)]
struct SourceArtifact<'a> {
    path: &'a str,
    sha256: Digest,
}

#[derive(Serialize)]
struct BacklogBody<'a> {
    source_artifact: SourceArtifact<'a>,
    summary: &'a Summary,
    entries: &'a [Entry],
}

#[derive(Serialize)]
struct DossierBody<'a> {
    source_artifact: SourceArtifact<'a>,
    status: &'static str,
    summary: &'a Summary,
    failing: Vec<&'a str>,
    backlog: Twin,
}

/// Another document of the same run.
#[derive(Serialize)]
struct Twin {
    path: String,
    sha256: Digest,
}

/// Writes all four.
pub(super) fn write(cx: &GateContext<'_>, backlog: &Backlog) -> Result<(), GateError> {
    let source = || SourceArtifact { path: &backlog.source_path, sha256: backlog.source_sha256 };
    let body = BacklogBody {
        source_artifact: source(),
        summary: &backlog.summary,
        entries: &backlog.entries,
    };
    let backlog_json = view::document(cx, BACKLOG_SCHEMA, &body)?;
    let digest = Digest::of(backlog_json.as_bytes());
    let dossier = DossierBody {
        source_artifact: source(),
        status: status(&backlog.summary),
        summary: &backlog.summary,
        failing: backlog.entries.iter().map(|entry| entry.id.as_str()).collect(),
        backlog: Twin { path: format!("{BACKLOG}.json"), sha256: digest },
    };
    let dossier_json = view::document(cx, DOSSIER_SCHEMA, &dossier)?;
    let dossier_digest = Digest::of(dossier_json.as_bytes());
    cx.view(&format!("{BACKLOG}.json"), backlog_json.as_bytes())?;
    cx.view(&format!("{BACKLOG}.md"), backlog_text(cx, backlog, digest).as_bytes())?;
    cx.view(&format!("{DOSSIER}.json"), dossier_json.as_bytes())?;
    cx.view(&format!("{DOSSIER}.md"), dossier_text(cx, backlog, dossier_digest).as_bytes())
}

const fn status(summary: &Summary) -> &'static str {
    match (summary.failing, summary.unmapped) {
        (0, _) => "no_failures",
        (_, 0) => "remediation_planned",
        (_, _) => "remediation_incomplete",
    }
}

fn head(cx: &GateContext<'_>, title: &str, schema: &str, twin: Digest) -> String {
    format!("{}- json_sha256: `{twin}`\n\n", view::markdown_header(cx, title, schema))
}

fn counts(summary: &Summary) -> String {
    format!(
        "{} items: {} passing, {} not applicable, {} failing, {} of them without a plan.\n",
        summary.total, summary.passing, summary.not_applicable, summary.failing, summary.unmapped
    )
}

fn dossier_text(cx: &GateContext<'_>, backlog: &Backlog, twin: Digest) -> String {
    let mut text = head(cx, "Certification dossier", DOSSIER_SCHEMA, twin);
    text.push_str(&format!(
        "Status: {}. Made from {} (`{}`).\n\n{}",
        escape(status(&backlog.summary)),
        escape(&backlog.source_path),
        backlog.source_sha256,
        counts(&backlog.summary)
    ));
    if !backlog.entries.is_empty() {
        text.push_str("\n## Failing\n\n");
        for entry in &backlog.entries {
            text.push_str(&format!("- {}: {}\n", escape(&entry.id), escape(&entry.failure)));
        }
    }
    text
}

fn backlog_text(cx: &GateContext<'_>, backlog: &Backlog, twin: Digest) -> String {
    let mut text = head(cx, "Remediation backlog", BACKLOG_SCHEMA, twin);
    text.push_str(&counts(&backlog.summary));
    if backlog.entries.is_empty() {
        return text;
    }
    text.push_str(
        "\n| id | failure | owner | priority | next step | evidence |\n|---|---|---|---|---|---|\n",
    );
    for entry in &backlog.entries {
        let cell = |text: Option<&str>| text.map_or_else(|| "nobody said".to_owned(), escape);
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            escape(&entry.id),
            escape(&entry.failure),
            cell(entry.owner.as_deref()),
            cell(entry.priority.map(Priority::name)),
            cell(entry.next_step.as_deref()),
            escape(&entry.evidence)
        ));
    }
    text
}
