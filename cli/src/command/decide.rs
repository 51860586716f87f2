//! `decide`: what a sealed run would come to at another time, without a waiver, or under another policy. It reads the run
//! and writes nothing, and its answer certifies nothing.

use super::verify::record::Record;
use crate::{
    args::Decide as Arguments,
    exit::{Exit, OrExit, Refused},
    history, locate,
    repository::Repository,
    transport::Transport,
    verdict,
};
use anyhow::Context as _;
use portcullis::{
    Fault, Instant, Location,
    evidence::store::verify_manifest,
    kernel::{
        census::Census,
        decide::{Decided, Decision},
        policy::{self, GateTable},
        receipt::ReceiptState,
        recorded::Material,
    },
    wire::{
        code::{BASELINE_UNUSABLE, CLOCK_OVERRIDE_INVALID, NAME_UNKNOWN},
        receipt::ClockSource,
    },
};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const SCHEMA: &str = "portcullis.what_if.v1";
const POLICY_MAX_BYTES: u64 = 1024 * 1024;
/// Keys of a gate that say how its outcome counts, and not what its check looks at.
const COUNTING_KEYS: [&str; 14] = [
    "id",
    "title",
    "owner",
    "issue",
    "blocking",
    "lanes",
    "needs",
    "cost",
    "allow_skip",
    "signature",
    "remediation",
    "artifact_path",
    "replay",
    "enforce_from",
];

/// One gate or fault that comes out otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Change {
    what: String,
    recorded: String,
    what_if: String,
}

/// Runs `decide`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover().ok();
    let dir = locate::run(&arguments.run, repository.as_ref())?;
    if let Some(fault) = verify_manifest(&dir).or_exit(Exit::Invalid)?.into_iter().next() {
        let headline = "nothing is decided over a run that was changed since it was sealed";
        let remedy =
            "name a run that came to its end; `cargo portcullis verify` says what is wrong";
        let fault = Fault::new(BASELINE_UNUSABLE, headline, remedy).because(&fault);
        return Err(Refused::new(Exit::Invalid, fault));
    }
    let mut record = Record::read(&dir).map_err(|faults| Refused::all(Exit::Invalid, faults))?;
    let Some(recorded) = record.decision.clone() else {
        let headline = "the run never came to a decision, so none can be compared with it";
        let fault = Fault::new(BASELINE_UNUSABLE, headline, "name a run that came to its end");
        return Err(Refused::new(Exit::Invalid, fault));
    };
    let tests = history::tests(&dir).or_exit(Exit::Invalid)?;
    let mut changes: Vec<String> = Vec::new();
    let before = record.clock.now;
    if let Some(at) = &arguments.at {
        record.clock.now = instant(at)?;
        record.clock.source = ClockSource::Override;
        record.clock.past_allowed = true;
        changes.push(format!("at {} instead of {before}", record.clock.now));
    }
    for gate in &arguments.without_waiver {
        record.inputs.classification = without_waiver(&record.inputs.classification, gate)?;
        changes.push(format!("without the waiver of `{gate}`"));
    }
    let mut notes = Vec::new();
    let mut census = record.census.clone();
    if let Some(file) = &arguments.with_policy {
        census = with_policy(&mut record, file, &mut notes)?;
        changes.push(format!("with the policy of `{}`", file.display()));
    }
    if let Some((plan, lines)) = &tests {
        record.judge_tests_at(plan, lines, record.clock.now);
    }
    let material = Material::read(&record.inputs, census).or_exit(Exit::Usage)?;
    let mut decision =
        material.decide(&record.clock, &record.facts, &record.receipts).or_exit(Exit::Invalid)?;
    decision.certifiable = false;
    decision.why_not_certifiable.push("it is a what-if, and no run".to_owned());
    let exit = verdict::exit(&decision);
    let differences = differences(&recorded, &decision);
    answer(&dir, (&changes, &notes), (&recorded, &decision), &differences, exit, out);
    Ok(exit)
}

/// A day stands for its first instant; anything else is a time in UTC.
fn instant(text: &str) -> Result<Instant, Refused> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Instant::parse(&whole).map_err(|source| {
        let headline = format!("`{}` is no time", text.escape_debug());
        let remedy = "write `2026-05-31` or `2026-05-31T10:00:00Z`";
        let fault = Fault::new(CLOCK_OVERRIDE_INVALID, headline, remedy).because(&source);
        Refused::new(Exit::Usage, fault)
    })
}

/// The file of waivers without one of them.
fn without_waiver(text: &str, gate: &str) -> Result<String, Refused> {
    let mut document: toml_edit::DocumentMut =
        text.parse().map_err(|source: toml_edit::TomlError| {
            let headline = "the recorded file of waivers is no TOML";
            let fault = Fault::new(BASELINE_UNUSABLE, headline, "decide over another run");
            Refused::new(Exit::Invalid, fault.because(&source))
        })?;
    let removed = document
        .get_mut("waiver")
        .and_then(toml_edit::Item::as_table_like_mut)
        .and_then(|waivers| waivers.remove(gate));
    if removed.is_some() {
        return Ok(document.to_string());
    }
    let names: Vec<String> = document
        .get("waiver")
        .and_then(toml_edit::Item::as_table_like)
        .map(|waivers| waivers.iter().map(|(name, _)| format!("`{name}`")).collect())
        .unwrap_or_default();
    let headline = format!("the run had no waiver of `{}`", gate.escape_debug());
    let found = if names.is_empty() { "no waiver at all".to_owned() } else { names.join(", ") };
    let fault = Fault::new(NAME_UNKNOWN, headline, "name a gate whose waiver the run had");
    Err(Refused::new(Exit::Usage, fault.found(found)))
}

/// Puts another policy in the place of the recorded one. Receipts still speak for gates whose check looks at the same.
fn with_policy(
    record: &mut Record,
    file: &std::path::Path,
    notes: &mut Vec<String>,
) -> Result<Census, Refused> {
    let name = file.display().to_string();
    let size = std::fs::metadata(file).with_context(|| format!("{name} cannot be read"))?.len();
    if size > POLICY_MAX_BYTES {
        let headline = format!("{name} is larger than a policy may be");
        let code = portcullis::wire::code::INPUT_TOO_LARGE;
        return Err(Refused::new(Exit::Usage, Fault::new(code, headline, "name a policy file")));
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))?;
    let after = policy::parse(&name, &text).or_exit(Exit::Usage)?;
    let before =
        policy::parse(&record.inputs.policy_path, &record.inputs.policy).or_exit(Exit::Invalid)?;
    let (mut old, new) = (looks_at(&record.inputs.policy), looks_at(&text));
    let mut known = before.gates.clone();
    for (id, binary) in &record.inputs.rust_gates {
        // A gate written in Rust has a check whether or not the policy has a table for it.
        old.insert(id.to_string(), format!("{:?}", BTreeMap::<&str, String>::new()));
        known.push(GateTable::for_rust(id.clone(), &before, binary));
    }
    let mut digests = BTreeMap::new();
    for table in &after.gates {
        let id = table.common.id.as_str();
        match known.iter().find(|gate| gate.common.id == table.common.id) {
            Some(gate) if gate.digest() == table.digest() => {}
            Some(gate) if old.get(id) == new.get(id) && old.contains_key(id) => {
                digests.insert(id.to_owned(), (gate.digest(), table.digest()));
            }
            Some(_) => notes.push(format!(
                "`{id}` looks at something else now: only a run can say what it comes to"
            )),
            None => notes.push(format!("`{id}` is new: only a run can say what it comes to")),
        }
    }
    for receipt in &mut record.receipts {
        if let Some((from, to)) = digests.get(receipt.gate_id.as_str())
            && let ReceiptState::Complete(started, verdict) = &mut receipt.state
            && verdict.policy_digest == *from
        {
            started.policy_digest = *to;
            verdict.policy_digest = *to;
        }
    }
    let gone = before
        .gates
        .iter()
        .filter(|gate| after.gates.iter().all(|other| other.common.id != gate.common.id));
    notes.extend(gone.map(|gate| format!("`{}` is in the recorded policy alone", gate.common.id)));
    notes.push("the census is taken as blessed for this policy".to_owned());
    let tabled = |id: &portcullis::GateId| after.gates.iter().any(|gate| gate.common.id == *id);
    for gate in before.gates.iter().filter(|gate| gate.common.kind.is_none()) {
        record.inputs.rust_gates.insert(gate.common.id.clone(), gate.common.binary.clone());
    }
    record.inputs.rust_gates.retain(|id, _| !tabled(id));
    record.inputs.policy = text;
    let rust = record.inputs.rust_gates.iter();
    let rust: Vec<GateTable> =
        rust.map(|(id, binary)| GateTable::for_rust(id.clone(), &after, binary)).collect();
    Ok(Census::of(after.gates.iter().chain(&rust)))
}

/// The tables of a policy by id, without the keys that only say how an outcome counts.
fn looks_at(text: &str) -> BTreeMap<String, String> {
    let mut tables = BTreeMap::new();
    let Ok(document) = text.parse::<toml_edit::DocumentMut>() else { return tables };
    let Some(gates) = document.get("gate").and_then(toml_edit::Item::as_array_of_tables) else {
        return tables;
    };
    for gate in gates {
        let Some(id) = gate.get("id").and_then(toml_edit::Item::as_str) else { continue };
        let keys: BTreeMap<&str, String> = gate
            .iter()
            .filter(|(key, _)| !COUNTING_KEYS.contains(key))
            .map(|(key, item)| (key, item.to_string().trim().to_owned()))
            .collect();
        tables.insert(id.to_owned(), format!("{keys:?}"));
    }
    tables
}

fn differences(recorded: &Decision, now: &Decision) -> Vec<Change> {
    let rows = |decision: &Decision| -> BTreeMap<String, String> {
        decision.gates.iter().map(|gate| (format!("gate {}", gate.id), status(gate))).collect()
    };
    let faults = |decision: &Decision| -> BTreeMap<String, String> {
        let rows = decision.faults.iter();
        rows.map(|fault| (format!("run {}: {}", fault.code, fault.message), "blocks".to_owned()))
            .collect()
    };
    let mut changes = Vec::new();
    if recorded.verdict != now.verdict {
        changes.push(Change {
            what: "verdict".to_owned(),
            recorded: recorded.verdict.to_string(),
            what_if: now.verdict.to_string(),
        });
    }
    for (before, after) in [(rows(recorded), rows(now)), (faults(recorded), faults(now))] {
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let word = |side: Option<&String>| side.cloned().unwrap_or_else(|| "absent".to_owned());
            let (old, new) = (word(before.get(name)), word(after.get(name)));
            if old != new {
                changes.push(Change { what: name.clone(), recorded: old, what_if: new });
            }
        }
    }
    changes
}

fn status(gate: &Decided) -> String {
    let code = gate.code.as_ref().map_or_else(String::new, |code| format!(" [{code}]"));
    let weight = if gate.blocks { ", blocks" } else { "" };
    format!("{}{code}{weight}", gate.effective)
}

fn answer(
    dir: &std::path::Path,
    (changes, notes): (&[String], &[String]),
    (recorded, decision): (&Decision, &Decision),
    differences: &[Change],
    exit: Exit,
    out: &mut Transport,
) {
    out.document(&json!({
        "schema": SCHEMA,
        "what_if": true,
        "run": dir.display().to_string(),
        "assumed": changes,
        "notes": notes,
        "recorded": { "verdict": recorded.verdict, "exit": verdict::exit(recorded).code() },
        "differences": differences,
        "decision": decision,
        "certifiable": false,
        "exit": exit.code(),
    }));
    let assumed = if changes.is_empty() { "nothing else".to_owned() } else { changes.join("; ") };
    let mut text = format!("what if: {assumed}\n");
    for change in differences {
        text.push_str(&format!("  {}: {} -> {}\n", change.what, change.recorded, change.what_if));
    }
    if differences.is_empty() {
        text.push_str("  no difference\n");
    }
    for note in notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text.push_str(&format!(
        "what-if: {} instead of {}; exit {}; it certifies nothing, and {} is as it was",
        decision.verdict,
        recorded.verdict,
        exit.code(),
        Location::file(dir.display()),
    ));
    out.text(&text);
}
