//! Each fault of the list, planted, seen and healed. Which gates turn red for which is a snapshot that people review.

use super::{
    faults::{Catalogue, Fault, Step},
    ground::{Answer, Ground, fixture},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Which gates turn red for which fault.
const MATRIX: &str = "tests/snapshots/demo_faults.txt";
const LOG: &str = "out/red.log";

#[test]
fn each_fault_is_seen_by_its_gate_and_by_no_gate_by_accident() {
    let ground = Ground::take();
    let catalogue = Catalogue::read(&fixture());
    let mut failed = Vec::new();
    let mut matrix = String::from(
        "# Fault: gate=effective status, for every gate that is not in order while it is planted.\n",
    );
    for fault in catalogue.faults.iter().filter(|fault| fault.gate.is_some()) {
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| seen(&ground, fault))) {
            Ok(red) => {
                let cells: Vec<String> =
                    red.iter().map(|(gate, status)| format!("{gate}={status}")).collect();
                matrix.push_str(&format!("{:>2} {}: {}\n", fault.row, fault.name, cells.join(" ")));
            }
            Err(_) => failed.push(fault.name.as_str()),
        }
        ground.switch(&["heal"]).ends(0);
    }
    green(&ground, &BTreeMap::new());
    assert!(failed.is_empty(), "not seen as the list says: {failed:?}");
    is_reviewed(&matrix);
}

/// Holds one fault to its expectations, and gives every gate that is red meanwhile.
fn seen(ground: &Ground, fault: &Fault) -> BTreeMap<String, String> {
    let gate = fault.gate.as_deref().expect("a gate");
    green(ground, &BTreeMap::new());
    ground.switch(&["break", &fault.name]).ends(0);
    let answer = ground.suite(&fault.env);
    answer.ends(101);
    let red = ground.red();
    assert_eq!(red.get(gate), fault.status.as_ref(), "{}: {red:?}\n{}", fault.name, answer.text);
    reads(ground, fault);
    triaged(ground, fault, &answer);
    severe(ground, fault);
    replayed(ground, fault, gate);
    red
}

fn green(ground: &Ground, env: &BTreeMap<String, String>) {
    ground.suite(env).ends(0);
    assert_eq!(ground.red(), BTreeMap::new());
}

fn reads(ground: &Ground, fault: &Fault) {
    for read in &fault.reads {
        let view = ground.view(&read.view);
        let at: Vec<&str> = read.at.split('/').skip(1).collect();
        assert!(
            holds(&view, &at, &read.is),
            "{}: {}{} of {view:#}",
            fault.name,
            read.view,
            read.at
        );
    }
}

/// Whether a path leads to the value; `*` is some element.
fn holds(document: &Value, path: &[&str], value: &Value) -> bool {
    match path {
        [] => document == value,
        ["*", rest @ ..] => document
            .as_array()
            .is_some_and(|items| items.iter().any(|item| holds(item, rest, value))),
        [key, rest @ ..] => document.get(key).is_some_and(|item| holds(item, rest, value)),
    }
}

/// The log alone, as somebody finds it in CI, leads to the codes and the signature.
fn triaged(ground: &Ground, fault: &Fault, answer: &Answer) {
    let gate = fault.gate.as_deref().unwrap_or_default();
    let document = triage(ground, answer);
    let failures = document["failures"].as_array().expect("failures");
    let own: Vec<&Value> = failures.iter().filter(|failure| failure["test"] == gate).collect();
    assert!(
        !own.is_empty(),
        "{}: no failure of `{gate}` in {document:#}\n{}",
        fault.name,
        answer.text
    );
    let codes: BTreeSet<&str> = own
        .iter()
        .flat_map(|failure| failure["codes"].as_array().expect("codes"))
        .map(|code| code.as_str().expect("a code"))
        .collect();
    let expected: BTreeSet<&str> = fault.codes.iter().map(String::as_str).collect();
    assert_eq!(codes, expected, "{}: {own:#?}", fault.name);
    let signature = fault.signature.as_deref().expect("a signature");
    let names = own.iter().any(|failure| failure["signature"] == signature);
    assert!(names, "{}: not `{signature}` but {own:#?}", fault.name);
    let signatures = document["signatures"].as_array().expect("signatures");
    let page = signatures.iter().find(|found| found["id"] == signature).expect("its page");
    for key in ["artifacts", "remediation"] {
        let count = page[key].as_array().map_or(0, Vec::len);
        assert!(count > 0, "{}: no {key} in {page:#}", fault.name);
    }
}

fn triage(ground: &Ground, answer: &Answer) -> Value {
    // In the order of a CI log: cargo says on stderr which target runs before the target says anything.
    let (said, noted) = answer.text.split_once("\n--- stderr\n").expect("two streams");
    write(&ground.root().join(LOG), &format!("{noted}\n{said}"));
    let answer =
        ground.types(&words("cargo portcullis triage out/red.log --format json"), &BTreeMap::new());
    let (document, _) = answer.text.split_once("\n--- stderr").expect("two streams");
    serde_json::from_str(document).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
}

/// The run that the gates left is an incident, as bad as the list says in a pull request and on the main branch.
fn severe(ground: &Ground, fault: &Fault) {
    let verdict = ground.view("full_suite_verdict.json");
    let run = verdict["run_id"].as_str().expect("a run");
    let severity = fault.severity.as_ref().expect("a severity");
    for (context, expected) in ["pr", "main"].iter().zip(severity) {
        let line = format!("cargo portcullis incident {run} --context {context}");
        ground.types(&words(&line), &BTreeMap::new()).ends(11).says(&[expected]);
    }
    let blocked = if verdict["verdict"] == "invalid" { 12 } else { 11 };
    ground.types(&words(&format!("cargo portcullis decide {run}")), &BTreeMap::new()).ends(blocked);
}

/// The printed replay comes to the same; where the way out is a command, it mends what was broken.
fn replayed(ground: &Ground, fault: &Fault, gate: &str) {
    let verdict = ground.view("full_suite_verdict.json");
    let gates = verdict["gates"].as_array().expect("gates");
    let row = gates.iter().find(|row| row["id"] == gate).expect("the gate");
    let line = row["reproduce_command"].as_str().expect("a replay").to_owned();
    if fault.status.as_deref() != Some("missing") {
        let answer = ground.types(&words(&line), &fault.env);
        // The first code is the gate's own; what a whole run adds to it is not the replay's to say.
        answer.ends(101).says(fault.codes.get(..1).expect("a code"));
    }
    if let Some(argv) = &fault.heals {
        ground.types(argv, &BTreeMap::new()).ends(0);
        ground.types(&words(&line), &fault.env).ends(0);
    }
}

#[test]
fn each_fault_of_the_runner_ends_its_commands_as_the_list_says() {
    let ground = Ground::take();
    let mut failed = Vec::new();
    for fault in Catalogue::read(&fixture()).faults.iter().filter(|fault| fault.gate.is_none()) {
        let held =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stepped(&ground, fault)));
        if held.is_err() {
            failed.push(fault.name.clone());
        }
        ground.switch(&["heal"]).ends(0);
    }
    assert!(failed.is_empty(), "not as the list says: {failed:?}");
}

fn stepped(ground: &Ground, fault: &Fault) {
    drop(fs::remove_dir_all(ground.root().join("out")));
    let step = |step: &Step| {
        let answer = ground.types(&step.argv, &fault.env);
        answer.ends(step.exit).says(&step.says);
        answer
    };
    fault.steps.iter().filter(|step| step.before).for_each(|before| drop(step(before)));
    let mut after = fault.steps.iter().filter(|step| !step.before);
    let first = after.next().expect("a step");
    if !fault.edit.is_empty() {
        ground.types(&first.argv, &fault.env).ends(0);
        ground.switch(&["break", &fault.name]).ends(0);
    }
    let answer = step(first);
    reads(ground, fault);
    if let Some(signature) = &fault.signature {
        let document = triage(ground, &answer);
        let found = document["signatures"].as_array().expect("signatures");
        let found: Vec<&str> = found.iter().filter_map(|row| row["id"].as_str()).collect();
        assert!(found.contains(&signature.as_str()), "{}: {found:?}\n{}", fault.name, answer.text);
    }
    after.for_each(|after| drop(step(after)));
    if let Some(argv) = &fault.heals {
        ground.types(argv, &BTreeMap::new()).ends(0);
        ground.types(&first.argv, &fault.env).ends(0);
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn is_reviewed(matrix: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(MATRIX);
    if portcullis_repo::process::host("PORTCULLIS_BLESS").is_some_and(|value| value == "1") {
        write(&path, matrix);
    }
    let reviewed = fs::read_to_string(&path).unwrap_or_default();
    assert!(reviewed == matrix, "review, then bless with PORTCULLIS_BLESS=1:\n{matrix}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a log in the target directory, and a snapshot of the suite's own"
)]
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("a file");
}
