//! `verify`: a run directory as data. Re-hashed, decided again from what it holds, and compared; with a base, judged by the base
//! as well. It runs nothing. A folder that `seal` sealed is re-hashed: it holds no gates that could be decided.

mod difference;
mod folder;
mod pinned;
pub(super) mod record;

use crate::{
    args::Verify,
    exit::{Exit, Refused},
    history, locate,
    repository::Repository,
    transport::Transport,
    verdict,
};
use pinned::Stand;
use portcullis::{
    Digest, Effective, Fault, GateId, Location,
    evidence::store::{UNHASHED, read_run, verify_manifest},
    kernel::{
        census::Census,
        decide::{Decided, Decision},
    },
    report::human::count,
    runner::session::CENSUS_FILE,
    wire::{
        code::{CENSUS_GATE_MISSING, DIGEST_MISMATCH},
        receipt::ErrorRecord,
    },
};
use record::Record;
use serde_json::json;
use std::path::Path;

const SCHEMA: &str = "portcullis.verify.v1";

/// What came of a verification.
struct Verified {
    faults: Vec<Fault>,
    decision: Option<Decision>,
    not_selected: Vec<GateId>,
    notes: Vec<String>,
    stand: Option<Stand>,
}

/// Runs `verify`.
pub(crate) fn run(arguments: &Verify, out: &mut Transport) -> Result<Exit, Refused> {
    // A run that was copied elsewhere is verified without its repository, as far as that goes.
    let repository = Repository::discover().ok();
    if let Some(sealed) = folder::named(&arguments.run, repository.as_ref()) {
        return folder::run(arguments, &sealed, out);
    }
    let dir = locate::run(&arguments.run, repository.as_ref())?;
    let stand = Stand::read(arguments, repository.as_ref())?;
    let census = match &stand {
        // The tree that is checked out need not be that of the commit.
        Some(stand) => Some(stand.census()),
        None => repository.as_ref().map(Repository::census).transpose()?,
    };
    let mut verified = verify(&dir, census, arguments.full || stand.is_some(), stand);
    if let Some(expected) = arguments.seal {
        let found = read_run(&dir).ok().and_then(|record| record.manifest_sha256);
        verified.faults.extend(another_seal("run.json", expected, found));
    }
    let exit = exit(&verified);
    answer(&dir, &verified, exit, out);
    Ok(exit)
}

/// Verifies a run directory. `census` is the committed one at hand, or why it cannot be read; absent without a repository.
/// `stand` is the base from which it is judged as well.
fn verify(
    dir: &Path,
    census: Option<Result<Census, Fault>>,
    full: bool,
    stand: Option<Stand>,
) -> Verified {
    let mut verified = Verified {
        faults: Vec::new(),
        decision: None,
        not_selected: Vec::new(),
        notes: Vec::new(),
        stand,
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
    let mut record = match Record::read(dir) {
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
    match history::tests(dir) {
        // A gate binary that ran alone planned no tests.
        Ok(None) => {}
        Ok(Some((plan, lines))) => verified.faults.extend(record.tests(&plan, &lines)),
        Err(fault) => verified.faults.push(fault),
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
    judge_from_base(dir, &mut record, &mut verified);
    verified
}

/// Says that a seal is not the one that is known from elsewhere.
fn another_seal(name: &str, expected: Digest, found: Option<Digest>) -> Option<Fault> {
    if found == Some(expected) {
        return None;
    }
    let remedy = "fetch the evidence again from where it was sealed";
    Some(
        Fault::new(DIGEST_MISMATCH, "the seal is not the one that was asked for", remedy)
            .at(Location::file(name))
            .expected(expected.to_string())
            .found(found.map_or_else(|| "no seal".to_owned(), |found| found.to_string())),
    )
}

/// Where a base was named, its answer takes the place of the run's own.
fn judge_from_base(dir: &Path, record: &mut Record, verified: &mut Verified) {
    let Some(stand) = &mut verified.stand else { return };
    match stand.foreign(dir, record) {
        Ok(faults) => verified.faults.extend(faults),
        Err(fault) => verified.faults.push(fault),
    }
    match stand.decide(dir, record) {
        Ok(decision) => verified.decision = Some(decision),
        Err(faults) => {
            verified.decision = None;
            verified.faults.extend(faults);
        }
    }
    if stand.base == stand.commit {
        verified.notes.push("the commit is its own base, so nothing was compared with it".into());
    }
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
    let decided = verified.decision.as_ref().map_or(Exit::Invalid, verdict::exit);
    if verified.faults.is_empty() { decided } else { decided.worse(Exit::Invalid) }
}

fn answer(dir: &Path, verified: &Verified, exit: Exit, out: &mut Transport) {
    let records: Vec<ErrorRecord> = verified.faults.iter().map(ErrorRecord::from).collect();
    let word = match exit {
        Exit::Pass if verified.not_selected.is_empty() => "pass",
        Exit::Pass => "partial",
        Exit::Blocked | Exit::TestsFailed => "blocked",
        Exit::Internal
        | Exit::Usage
        | Exit::Nothing
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
        "unhashed": UNHASHED,
        "judged_from": verified.stand,
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
    parts.extend(UNHASHED.iter().map(|name| {
        format!(
            "note: `{name}` is not hashed: it holds the seal, and nothing else in it is vouched for"
        )
    }));
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
    let from = verified.stand.as_ref().map_or_else(String::new, |stand| {
        format!("; judged from the base {}, for the lane {}", stand.base, stand.lane)
    });
    parts.push(format!("verify: {word}: {gates} decided again in {}{rest}{from}", dir.display()));
    out.text(&parts.join("\n"));
}

fn line(gate: &Decided) -> String {
    let code = gate.code.as_ref().map_or_else(String::new, |code| format!(" [{code}]"));
    let weight = if gate.blocks { "" } else { " (not in the way)" };
    format!("{}: {}{code}: {}{weight}", gate.id, gate.effective, gate.detail)
}
