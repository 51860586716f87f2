//! `events`: what the gates of runs noted while they looked, line by line. A log that was changed is said to be.

use crate::{
    args::Events as Arguments,
    exit::{Exit, OrExit, Refused},
    locate,
    repository::Repository,
    transport::Transport,
};
use portcullis::{
    Digest, Fault, Instant, Location, RelPath,
    evidence::{
        json,
        store::read_run,
        tree::{EntryKind, HardLinks, Tree},
    },
    wire::{
        artifact,
        code::{RECORD_TORN, RUN_UNREADABLE},
        receipt::ErrorRecord,
    },
};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

const SCHEMA: &str = "portcullis.events.v1";
/// No line of ours is longer (`security.md`, section 4).
const LINE_MAX_BYTES: u64 = 64 * 1024;
/// A document of more events would not be read as one; people and pipes get every line.
const DOCUMENT_EVENTS_MAX: usize = 10_000;

/// Runs `events`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover().ok();
    let mut found = Found { n: 0, kept: Vec::new(), faults: Vec::new() };
    for word in &arguments.runs {
        let dir = locate::run(word, repository.as_ref())?;
        read_run(&dir).or_exit(Exit::Invalid)?;
        let tree = Tree::new(&dir).or_exit(Exit::Invalid)?;
        for log in logs(&tree).or_exit(Exit::Invalid)? {
            if let Err(fault) = read(&tree, &log, arguments, &mut found, out) {
                found.faults.push(at(fault, &dir, &log));
            }
        }
    }
    let exit = if found.faults.is_empty() { Exit::Pass } else { Exit::Invalid };
    let records: Vec<ErrorRecord> = found.faults.iter().map(ErrorRecord::from).collect();
    if !arguments.json {
        out.document(&json!({
            "schema": SCHEMA,
            "events": found.kept,
            "events_total": found.n,
            "faults": records,
            "exit": exit.code(),
        }));
        out.text(&format!("events: {}", portcullis::report::human::count(found.n, "event")));
    }
    for fault in &found.faults {
        out.progress(&fault.to_string());
    }
    Ok(exit)
}

struct Found {
    n: usize,
    kept: Vec<Value>,
    faults: Vec<Fault>,
}

fn at(fault: Fault, dir: &Path, log: &RelPath) -> Fault {
    if fault.location().is_some() {
        return fault;
    }
    fault.at(Location::file(dir.join(log.as_str()).display()))
}

/// The event logs of a run, in the order of gates and attempts.
fn logs(tree: &Tree) -> Result<Vec<RelPath>, Fault> {
    let gates = rel("gates")?;
    if !tree.exists(&gates)? {
        return Ok(Vec::new());
    }
    let mut logs = Vec::new();
    for gate in tree.list_dir(Some(&gates))?.iter().filter(|gate| gate.kind == EntryKind::Dir) {
        for attempt in tree.list_dir(Some(&gate.path))? {
            let log = rel(&format!("{}/events.jsonl", attempt.path))?;
            if attempt.kind == EntryKind::Dir && tree.exists(&log)? {
                logs.push(log);
            }
        }
    }
    Ok(logs)
}

/// Reads one log and shows what was asked for. Each line holds the digest of the one before.
fn read(
    tree: &Tree,
    log: &RelPath,
    arguments: &Arguments,
    found: &mut Found,
    out: &mut Transport,
) -> Result<(), Fault> {
    let mut reader = BufReader::new(tree.open(log, HardLinks::Refuse)?);
    let (mut line, mut seq, mut previous) = (Vec::new(), 0_u64, None::<Digest>);
    loop {
        line.clear();
        let read = reader.by_ref().take(LINE_MAX_BYTES).read_until(b'\n', &mut line);
        let n = read.map_err(|source| torn("a line that cannot be read").because(&source))?;
        if n == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            return Err(torn("a line without an end"));
        }
        let event = json::parse(&line, log.as_str())?;
        seq += 1;
        let chained = event.get("prev_sha256").and_then(Value::as_str).map(str::to_owned)
            == previous.map(|digest| digest.to_string());
        if event.get("seq").and_then(Value::as_u64) != Some(seq) || !chained {
            return Err(torn(&format!("line {seq} does not follow the line before it")));
        }
        previous = Some(Digest::of(&line));
        if wanted(&event, arguments) {
            show(&event, arguments, found, out)?;
        }
    }
}

fn torn(found: &str) -> Fault {
    let remedy = "trust nothing of this log, and run again";
    Fault::new(RECORD_TORN, "an event log is not as it was written", remedy).found(found)
}

fn wanted(event: &Value, arguments: &Arguments) -> bool {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let gate = arguments.gate.as_ref().is_none_or(|gate| text("gate_id") == gate);
    let status = arguments.status.as_ref().is_none_or(|status| text("status") == status);
    // An event without a readable time cannot be said to be older.
    let since = arguments
        .since
        .is_none_or(|since| Instant::parse(text("ts")).map_or(true, |ts| ts >= since));
    gate && status && since
}

fn show(
    event: &Value,
    arguments: &Arguments,
    found: &mut Found,
    out: &mut Transport,
) -> Result<(), Fault> {
    found.n += 1;
    if arguments.json {
        let line = artifact::line(event).map_err(|source| torn("a line").because(&source))?;
        out.line(&line);
        return Ok(());
    }
    if out.is_human() {
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let rest: Vec<&str> =
            ["status", "code", "message"].into_iter().map(text).filter(|t| !t.is_empty()).collect();
        let (ts, gate, name) = (text("ts"), text("gate_id"), text("event"));
        out.text(&format!("{ts} {gate} {name} {}", rest.join(" ")));
    } else if found.kept.len() < DOCUMENT_EVENTS_MAX {
        found.kept.push(event.clone());
    }
    Ok(())
}

fn rel(path: &str) -> Result<RelPath, Fault> {
    RelPath::parse(path).map_err(|source| {
        Fault::new(RUN_UNREADABLE, source.to_string(), "run again in a new directory")
    })
}
