//! `ci mutate`: which planted faults the gates catch, and which harmless edits they leave alone.

use super::{
    corpus::{Corpus, Edit},
    workspace::{Said, Workspace, read_policy},
};
use crate::{
    args::Mutate,
    exit::{Exit, OrExit, Refused},
    transport::Transport,
};
use portcullis::{Fault, Outcome, runner::registry::Registry};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCHEMA: &str = "portcullis.ci_mutate.v1";

/// One row of the answer.
struct Row {
    id: String,
    is_as_expected: bool,
    expected: String,
    said: Vec<Said>,
}

/// Runs `ci mutate`.
pub(crate) fn run(arguments: &Mutate, out: &mut Transport) -> Result<Exit, Refused> {
    let corpus = Corpus::read(&arguments.corpus).or_exit(Exit::Usage)?;
    let policy = read_policy(&corpus.policy).or_exit(Exit::Usage)?;
    let registry = Registry::collect().or_exit(Exit::Internal)?;
    let linked: BTreeSet<&str> = registry.kinds().map(|kind| kind.id).collect();
    let unknown: BTreeSet<String> = policy
        .gates
        .iter()
        .map(|gate| gate.kind_name().to_owned())
        .filter(|kind| !linked.contains(kind.as_str()))
        .collect();
    let judge =
        |workspace: &Workspace, env: &[(&str, &str)]| workspace.judge(&policy, &registry, env);

    let workspace = Workspace::new(&corpus.files).or_exit(Exit::Internal)?;
    // Gates that keep snapshots accept the clean tree as it is, once, before anything is expected of them.
    judge(&workspace, &[("PORTCULLIS_BLESS", "1")]).or_exit(Exit::Internal)?;
    let base = workspace.commit().or_exit(Exit::Internal)?;
    workspace.branch().or_exit(Exit::Internal)?;
    let env = [("PORTCULLIS_BASE", base.as_str())];
    let head = |edit: Option<&Edit>| -> Result<Vec<Said>, Fault> {
        workspace.reset(&base)?;
        if let Some(edit) = edit {
            let (path, text) = corpus.edited(edit)?;
            workspace.write(path, &text)?;
        }
        workspace.commit()?;
        judge(&workspace, &env)
    };
    let clean = silent("clean tree", head(None).or_exit(Exit::Internal)?);
    let mut caught = Vec::new();
    for edit in &corpus.mutations {
        out.progress(&edit.id);
        caught.push(judged(edit, head(Some(edit)).or_exit(Exit::Internal)?));
    }
    let mut benign = Vec::new();
    for edit in &corpus.benign {
        out.progress(&edit.id);
        benign.push(silent(&edit.id, head(Some(edit)).or_exit(Exit::Internal)?));
    }
    out.document(&document(&clean, &caught, &benign, &unknown));
    out.text(&text(&clean, &caught, &benign, &unknown));
    if !unknown.is_empty() {
        return Ok(Exit::Usage);
    }
    let all = caught.iter().chain(&benign).chain([&clean]).all(|row| row.is_as_expected);
    Ok(if all { Exit::Pass } else { Exit::Blocked })
}

/// A mutation is caught when the expected kind of gate reports the expected code, whatever else is reported.
fn judged(edit: &Edit, said: Vec<Said>) -> Row {
    let gate = edit.expect_gate.as_deref().unwrap_or_default();
    let code = edit.expect_code.as_deref().unwrap_or_default();
    let is_as_expected =
        said.iter().any(|one| one.kind == gate && one.codes.iter().any(|(found, _)| found == code));
    Row { id: edit.id.clone(), is_as_expected, expected: format!("{gate}/{code}"), said }
}

/// A clean tree gives no finding and no error. A gate that did not look has not been silent.
fn silent(id: &str, said: Vec<Said>) -> Row {
    let is_as_expected = !said.is_empty()
        && said.iter().all(|one| one.codes.is_empty() && one.outcome == Outcome::Pass);
    Row { id: id.to_owned(), is_as_expected, expected: "nothing".to_owned(), said }
}

fn counted(rows: &[Row]) -> usize {
    rows.iter().filter(|row| row.is_as_expected).count()
}

fn text(clean: &Row, caught: &[Row], benign: &[Row], unknown: &BTreeSet<String>) -> String {
    let mut lines = vec![format!(
        "caught {} of {}, benign silent {} of {}",
        counted(caught),
        caught.len(),
        counted(benign),
        benign.len()
    )];
    for kind in unknown {
        lines.push(format!("error: kind `{kind}` is not linked, so its gates were not judged"));
    }
    let rows = [("tree", std::slice::from_ref(clean)), ("mutation", caught), ("benign", benign)];
    for (what, rows) in rows {
        for row in rows.iter().filter(|row| !row.is_as_expected) {
            lines.push(format!(
                "{what} `{}`: expected {}, found {}",
                row.id,
                row.expected,
                found(row)
            ));
        }
    }
    lines.join("\n")
}

/// What the gates said, one line each.
fn found(row: &Row) -> String {
    let mut words = Vec::new();
    for one in &row.said {
        for (code, message) in &one.codes {
            words.push(format!("\n    {}/{code}: {message}", one.kind));
        }
        if one.codes.is_empty() && one.outcome != Outcome::Pass {
            words.push(format!("\n    {}: {}", one.kind, one.outcome.name()));
        }
    }
    if words.is_empty() { "nothing".to_owned() } else { words.concat() }
}

fn document(clean: &Row, caught: &[Row], benign: &[Row], unknown: &BTreeSet<String>) -> Value {
    let row = |row: &Row| {
        let found: Vec<Value> = row
            .said
            .iter()
            .flat_map(|one| {
                one.codes.iter().map(
                    |(code, message)| json!({ "kind": one.kind, "code": code, "message": message }),
                )
            })
            .collect();
        json!({ "id": row.id, "as_expected": row.is_as_expected, "expected": row.expected, "found": found })
    };
    json!({
        "schema": SCHEMA,
        "caught": counted(caught),
        "mutations": caught.iter().map(row).collect::<Vec<_>>(),
        "silent": counted(benign),
        "benign": benign.iter().map(row).collect::<Vec<_>>(),
        "clean": row(clean),
        "unknown_kinds": unknown,
    })
}
