//! The measured figures as evidence that gates can hold: a comparison, the sweep it came from, and its events.
//!
//! It writes what was measured and what was not. Whether a figure is good enough is the business of gates.

use super::{Failure, Figure, Plan, SECTIONS};
use portcullis::{Digest, evidence::clock};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

const COMPARISON: &str = "portcullis.performance_comparison.v1";
const SWEEPS: &str = "portcullis.parameter_sweeps.v1";
const EVENT: &str = "portcullis.performance_event.v1";
const PROGRAM: &str = "benches/startup.rs";
/// How many gates the sample programs of the sweep have.
const GATES: [u32; 4] = [10, 500, 1_000, 10_000];

/// Writes the three documents of one measurement into `folder`.
pub(crate) fn write(plan: &Plan, figures: &[Figure], folder: &Path) -> Result<(), Failure> {
    let now = clock::system_now().map_err(|fault| fault.to_string())?;
    let commit = git(&plan.checkout, &["rev-parse", "HEAD"])?;
    let dirty =
        !git(&plan.checkout, &["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    let head = json!({
        "run_id": format!("bench-{}", now.unix_ms()),
        "correlation_id": format!("startup-{commit}"),
        "generated_at": now.to_string(),
        "source": { "commit": commit, "dirty": dirty },
    });
    let rows: Vec<Value> = figures.iter().map(row).collect();
    let comparison = json!({
        "schema": COMPARISON,
        "peer": "a raw libtest-mimic program with as many trivial trials",
        "pairs": plan.pairs,
        "figures": rows,
    });
    let mut blocking: Vec<String> = SECTIONS
        .iter()
        .filter(|section| !plan.has(section))
        .map(|section| format!("the section `{section}` was not measured"))
        .collect();
    if dirty {
        blocking.push("the work tree differed from the commit".to_owned());
    }
    let program = fs::read(plan.checkout.join(PROGRAM))?;
    let sweeps = json!({
        "schema": SWEEPS,
        "source_identity": { "path": PROGRAM, "sha256": Digest::of(&program).to_string() },
        "dimensions": { "gates": GATES, "profile": plan.profiles, "start": plan.sections },
        "defaults": { "pairs": plan.pairs, "trials": 500 },
        "ready": blocking.is_empty(),
        "status": if blocking.is_empty() { "ready" } else { "blocked" },
        "blocking_reasons": blocking,
    });
    fs::create_dir_all(folder)?;
    put(&folder.join("performance_comparison.json"), &merged(&head, comparison))?;
    put(&folder.join("parameter_sweeps.json"), &merged(&head, sweeps))?;
    let mut events = String::new();
    for (seq, figure) in (1u64..).zip(figures) {
        let event = json!({ "schema": EVENT, "seq": seq, "event": "figure_measured", "figure": row(figure) });
        events.push_str(&format!("{}\n", merged(&head, event)));
    }
    Ok(fs::write(folder.join("performance_events.jsonl"), events)?)
}

fn row(figure: &Figure) -> Value {
    json!({
        "id": format!("{}/{}", figure.profile, figure.name),
        "profile": figure.profile,
        "name": figure.name,
        "value": rounded(figure.value),
        "quartiles": figure.range.map(|(low, high)| [rounded(low), rounded(high)]),
        "goal": figure.goal().map(|(most, _)| most),
        "missed": figure.missed(),
    })
}

/// Two decimals: more would pretend to a precision that no pair of starts has.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn merged(head: &Value, mut body: Value) -> Value {
    if let (Value::Object(body), Value::Object(head)) = (&mut body, head) {
        body.extend(head.clone());
    }
    body
}

fn put(path: &Path, document: &Value) -> Result<(), Failure> {
    Ok(fs::write(path, serde_json::to_string_pretty(document)? + "\n")?)
}

fn git(checkout: &Path, words: &[&str]) -> Result<String, Failure> {
    let output = Command::new("git").current_dir(checkout).args(words).output()?;
    if !output.status.success() {
        return Err(format!("git {words:?} ended with {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
