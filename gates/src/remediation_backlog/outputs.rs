//! Dossier and backlog that stand somewhere already, held against the summary as it stands and against each other.
//! It writes nothing.

use super::{
    BACKLOG_CONTRADICTS, BACKLOG_STALE, Backlog,
    config::Outputs,
    documents::{BACKLOG, BACKLOG_SCHEMA, DOSSIER, DOSSIER_SCHEMA},
};
use crate::{
    artifact::{Artifact, absent},
    artifact_contract::SCHEMA_MISMATCH,
    document::{self, Format},
    json_path::Pointer,
    json_value::shown,
};
use portcullis::{
    Fault, File, Finding, Findings, GateContext, GateError, Location, wire::code::PATH_REFUSED,
};
use serde_json::Value;
use std::collections::BTreeSet;

const STALE: &str = "write all four documents again in one run, from the source as it stands";

/// Reports where the documents contradict the summary, or each other.
pub(super) fn hold(
    cx: &GateContext<'_>,
    outputs: &Outputs,
    backlog: &Backlog,
    out: &mut Findings,
) -> Result<(), GateError> {
    let mut runs = Vec::new();
    for (name, schema) in [(DOSSIER, DOSSIER_SCHEMA), (BACKLOG, BACKLOG_SCHEMA)] {
        let file = open(cx, outputs, &format!("{name}.json"))?;
        let path = file.path().to_string();
        let json = document::read(&file, Format::Json)?;
        let text = open(cx, outputs, &format!("{name}.md"))?;
        let markdown = text.text()?;
        hold_schema(&path, schema, &json, out);
        let digest = file.digest()?.to_string();
        if stated(&markdown, "json_sha256") != Some(digest.as_str()) {
            let message = "the text was not written together with its JSON twin";
            out.push(stale(
                text.path().as_str(),
                message,
                &digest,
                stated(&markdown, "json_sha256"),
            ));
        }
        let made_from = at("/source_artifact/sha256", &json).and_then(Value::as_str);
        let today = backlog.source_sha256.to_string();
        if made_from != Some(today.as_str()) {
            out.push(stale(&path, "the document was made from another summary", &today, made_from));
        }
        runs.push((path.clone(), at("/run_id", &json).and_then(Value::as_str).map(str::to_owned)));
        runs.push((text.path().to_string(), stated(&markdown, "run_id").map(str::to_owned)));
        let entries = if name == BACKLOG { "/entries/*/id" } else { "/failing/*" };
        hold_entries(&path, entries, &json, backlog, out);
    }
    // Two documents without a run are not of one run.
    let expected = runs.first().and_then(|(_, run)| run.clone());
    for (path, run) in &runs {
        if run.is_none() || *run != expected {
            let wanted = expected.as_deref().unwrap_or("a recorded run");
            out.push(stale(path, "the document is of another run", wanted, run.as_deref()));
        }
    }
    Ok(())
}

fn open<'a>(cx: &GateContext<'a>, outputs: &Outputs, name: &str) -> Result<File<'a>, GateError> {
    let path = outputs.folder.join(name).map_err(|source| {
        Fault::new(PATH_REFUSED, source.to_string(), "shorten the name of the folder")
    })?;
    let file = Artifact::plain(&path, outputs.of_run).file(cx)?;
    if file.exists()? { Ok(file) } else { Err(absent(&path)) }
}

fn hold_schema(path: &str, schema: &str, json: &Value, out: &mut Findings) {
    let found = json.get("schema");
    if found.and_then(Value::as_str) != Some(schema) {
        let found = found.map_or_else(|| "no `schema`".to_owned(), shown);
        let remedy = "write the documents with this kind";
        out.push(
            Finding::new(
                SCHEMA_MISMATCH,
                format!("{path}#/schema"),
                "the document has another schema",
                remedy,
            )
            .at(Location::file(path))
            .expected(schema)
            .found(found),
        );
    }
}

/// A backlog is not empty exactly when failures exist: it lists them, all of them, and nothing else.
fn hold_entries(path: &str, pointer: &str, json: &Value, backlog: &Backlog, out: &mut Findings) {
    let pointer = Pointer::parse(pointer);
    let selection = pointer.as_ref().map(|pointer| pointer.select(json));
    let listed: Vec<&Value> =
        selection.iter().flat_map(|selection| &selection.found).map(|(_, value)| *value).collect();
    let lost = selection.iter().flat_map(|selection| &selection.missing);
    let mut contradicts = |subject: String, message: String| {
        let remedy = "write the documents again; they list the failures and nothing else";
        out.push(
            Finding::new(BACKLOG_CONTRADICTS, format!("{path}#{subject}"), message, remedy)
                .at(Location::file(path)),
        );
    };
    for missing in lost {
        contradicts(missing.clone(), format!("`{missing}` does not exist"));
    }
    let failing: BTreeSet<&str> = backlog.entries.iter().map(|entry| entry.id.as_str()).collect();
    let mut known = BTreeSet::new();
    for value in listed {
        match value.as_str() {
            Some(id) if failing.contains(id) && known.insert(id) => {}
            Some(id) if failing.contains(id) => {
                contradicts(id.to_owned(), format!("`{id}` is listed twice"));
            }
            Some(id) => contradicts(id.to_owned(), format!("`{id}` is listed and does not fail")),
            None => contradicts(shown(value), "an entry has no id".to_owned()),
        }
    }
    for id in failing.difference(&known) {
        contradicts((*id).to_owned(), format!("`{id}` fails and is not listed"));
    }
}

fn stale(path: &str, message: &str, expected: &str, found: Option<&str>) -> Finding {
    Finding::new(BACKLOG_STALE, path, message, STALE)
        .at(Location::file(path))
        .expected(expected)
        .found(found.unwrap_or("nothing is recorded"))
}

fn at<'v>(pointer: &str, json: &'v Value) -> Option<&'v Value> {
    Pointer::parse(pointer)?.one(json)
}

/// A fact of the head of a Markdown text, a line `- name: value` before the first empty one after the title.
fn stated<'t>(markdown: &'t str, name: &str) -> Option<&'t str> {
    let facts = markdown.lines().skip(2).take_while(|line| line.starts_with("- "));
    facts
        .filter_map(|line| line.strip_prefix("- ")?.split_once(": "))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches('`'))
}
