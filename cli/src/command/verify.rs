//! `verify`: a run directory as data. Re-hashed, decided again from what it holds, and compared. It runs nothing.

mod difference;
mod record;

use crate::{
    args::Verify,
    engine::cargo_test::Cargo,
    exit::{Exit, OrExit, Refused},
    repository::Repository,
    transport::Transport,
};
use portcullis::{
    Effective, Fault, GateId, Location, RunId, RunVerdict,
    evidence::store::{Store, verify_manifest},
    kernel::{
        census::Census,
        decide::{Decided, Decision},
    },
    report::human::count,
    runner::session::CENSUS_FILE,
    wire::{
        code::{CENSUS_GATE_MISSING, RUN_UNREADABLE},
        receipt::ErrorRecord,
    },
};
use record::Record;
use serde_json::json;
use std::path::{Path, PathBuf};

const SCHEMA: &str = "portcullis.verify.v1";
const LATEST: &str = "latest";

/// What came of a verification.
struct Verified {
    faults: Vec<Fault>,
    decision: Option<Decision>,
    not_selected: Vec<GateId>,
    notes: Vec<String>,
}

/// Runs `verify`.
pub(crate) fn run(arguments: &Verify, out: &mut Transport) -> Result<Exit, Refused> {
    // A run that was copied elsewhere is verified without its repository, as far as that goes.
    let repository = Repository::discover().ok();
    let dir = locate(&arguments.run, repository.as_ref())?;
    let census = repository.as_ref().map(Repository::census).transpose()?;
    let verified = verify(&dir, census, arguments.full);
    let exit = exit(&verified);
    answer(&dir, &verified, exit, out);
    Ok(exit)
}

/// The directory that a word means: a path, `latest`, or the id of a run.
fn locate(word: &str, repository: Option<&Repository>) -> Result<PathBuf, Refused> {
    let gone = |headline: String, remedy: &str| {
        Refused::new(Exit::Invalid, Fault::new(RUN_UNREADABLE, headline, remedy))
    };
    let path = Path::new(word);
    if path.join("run.json").exists() || path.components().count() > 1 || path.is_absolute() {
        // The link `latest` and other links to a run are followed once, here.
        return path.canonicalize().map_err(|source| {
            gone(
                format!("`{word}` is no run directory: {source}"),
                "name an existing run directory",
            )
        });
    }
    let Some(repository) = repository else {
        let remedy = "name the run directory by its path, or ask within the repository";
        return Err(gone(
            format!("`{word}` is looked for in a repository, and there is none here"),
            remedy,
        ));
    };
    let target_dir = target_dir(repository)?;
    if !target_dir.join("portcullis/runs").is_dir() {
        let headline = format!("no run was ever made below {}", target_dir.display());
        return Err(gone(headline, "run the gates first: `cargo test --test <gate binary>`"));
    }
    let store = Store::open(&target_dir).or_exit(Exit::Invalid)?;
    if word == LATEST {
        let latest = store.latest().or_exit(Exit::Invalid)?;
        let Some(latest) = latest else {
            return Err(gone("no run was ever sealed".to_owned(), "run the gates to their end"));
        };
        return Ok(store.run_path(&latest.envelope.run_id));
    }
    let id = RunId::parse(word).map_err(|source| {
        gone(source.to_string(), "name a run directory, a run id, or `latest`")
    })?;
    Ok(store.run_path(&id))
}

/// cargo knows where it builds; without a cargo project the place is guessed as the gate binary guesses it.
fn target_dir(repository: &Repository) -> Result<PathBuf, Refused> {
    if !repository.root().join("Cargo.toml").is_file() {
        return Ok(repository.target_dir());
    }
    let cargo = Cargo::find(repository, crate::args::CargoFlags::default())?;
    Ok(cargo.metadata()?.target_directory)
}

/// Verifies a run directory. `census` is the committed one at hand, or why it cannot be read; absent without a repository.
fn verify(dir: &Path, census: Option<Result<Census, Fault>>, full: bool) -> Verified {
    let mut verified = Verified {
        faults: Vec::new(),
        decision: None,
        not_selected: Vec::new(),
        notes: Vec::new(),
    };
    match verify_manifest(dir) {
        Ok(faults) => verified.faults = faults,
        Err(fault) => verified.faults.push(fault),
    }
    match record::filtered(dir) {
        Ok(None) => {}
        Ok(Some(faults)) => {
            verified.faults.extend(faults);
            verified
                .notes
                .push("a filtered run keeps no inputs, so nothing is decided again".into());
            return verified;
        }
        Err(fault) => {
            // What keeps the run record from being read was said by the manifest's check already.
            if !verified.faults.contains(&fault) {
                verified.faults.push(fault);
            }
            return verified;
        }
    }
    let record = match Record::read(dir) {
        Ok(record) => record,
        Err(faults) => {
            verified.faults.extend(faults);
            return verified;
        }
    };
    match census {
        Some(Ok(census)) => verified.faults.extend(census.compare(&record.census)),
        Some(Err(fault)) => verified.faults.push(fault),
        None => verified
            .notes
            .push(format!("no `{CENSUS_FILE}` is at hand, so the run is held to its own census")),
    }
    match record.decide() {
        Err(fault) => verified.faults.push(fault),
        Ok(decision) => {
            if let Some(recorded) = &record.decision {
                verified.faults.extend(difference::between(recorded, &decision));
            }
            verified.not_selected = record.not_selected();
            verified.decision = Some(decision);
        }
    }
    if full {
        verified.faults.extend(verified.not_selected.iter().map(missing));
    }
    verified
}

fn missing(id: &GateId) -> Fault {
    let headline = format!("gate `{id}` is expected in a full run, and this run did not select it");
    Fault::new(
        CENSUS_GATE_MISSING,
        headline,
        "run the gate binary without a filter, then verify again",
    )
    .at(Location::file(CENSUS_FILE))
}

fn exit(verified: &Verified) -> Exit {
    let decided = match verified.decision.as_ref().map(|decision| decision.verdict) {
        Some(RunVerdict::Pass) => Exit::Pass,
        Some(RunVerdict::Blocked) => Exit::Blocked,
        Some(RunVerdict::Invalid) | None => Exit::Invalid,
    };
    if verified.faults.is_empty() { decided } else { decided.worse(Exit::Invalid) }
}

fn answer(dir: &Path, verified: &Verified, exit: Exit, out: &mut Transport) {
    let records: Vec<ErrorRecord> = verified.faults.iter().map(ErrorRecord::from).collect();
    let word = match exit {
        Exit::Pass if verified.not_selected.is_empty() => "pass",
        Exit::Pass => "partial",
        Exit::Blocked => "blocked",
        Exit::Internal
        | Exit::Usage
        | Exit::Nothing
        | Exit::TestsFailed
        | Exit::Invalid
        | Exit::ListFailed
        | Exit::NothingSelected
        | Exit::Regression => "invalid",
    };
    out.document(&json!({
        "schema": SCHEMA,
        "run": dir.display().to_string(),
        "verdict": word,
        "exit": exit.code(),
        "faults": records,
        "notes": verified.notes,
        "not_selected": verified.not_selected,
        "decision": verified.decision,
    }));
    let mut parts: Vec<String> = verified.faults.iter().map(Fault::to_string).collect();
    if let Some(decision) = &verified.decision {
        parts.extend(
            decision.gates.iter().filter(|gate| gate.effective != Effective::Pass).map(line),
        );
        parts.extend(decision.faults.iter().map(|fault| {
            format!("error[{}]: {}\n   = remedy:   {}", fault.code, fault.message, fault.remedy)
        }));
    }
    parts.extend(verified.notes.iter().map(|note| format!("note: {note}")));
    let gates =
        count(verified.decision.as_ref().map_or(0, |decision| decision.gates.len()), "gate");
    let rest = match verified.not_selected.as_slice() {
        [] => String::new(),
        ids => format!(
            "; {} not selected: {}",
            ids.len(),
            ids.iter().map(GateId::as_str).collect::<Vec<_>>().join(", ")
        ),
    };
    parts.push(format!("verify: {word}: {gates} decided again in {}{rest}", dir.display()));
    out.text(&parts.join("\n"));
}

fn line(gate: &Decided) -> String {
    let code = gate.code.as_ref().map_or_else(String::new, |code| format!(" [{code}]"));
    let weight = if gate.blocks { "" } else { " (not in the way)" };
    format!("{}: {}{code}: {}{weight}", gate.id, gate.effective, gate.detail)
}
