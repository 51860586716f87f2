//! `runbook`: writes the runbook, or says where the committed one differs. What it says comes from the policy.

use super::list::all_codes;
use crate::{
    args::{Runbook as Arguments, RunbookVerb},
    exit::{Exit, OrExit, Refused},
    repository::{Repository, known_gates},
    runbook,
    signature::Patterns,
    transport::Transport,
    written::{self, Drift},
};
use portcullis::{
    Fault,
    kernel::policy::Policy,
    runner::{registry::Registry, roster::AGGREGATES},
    wire::{
        code::{RUNBOOK_DRIFT, SIGNATURE_NAME_UNKNOWN},
        receipt::ErrorRecord,
    },
};
use serde_json::json;
use std::collections::BTreeSet;

const SCHEMA: &str = "portcullis.runbook_check.v1";

/// Runs `runbook`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    // A pattern that is none would make a page about nothing.
    drop(Patterns::of(&policy)?);
    let registry = Registry::collect().or_exit(Exit::Internal)?;
    let mut faults = unknown(&repository, &policy, &registry)?;
    let text = runbook::render(&policy, |id| registry.kinds().find(|kind| kind.id == id));
    let (verb, path) = match &arguments.verb {
        RunbookVerb::Generate(place) => ("generate", &place.path),
        RunbookVerb::Check(place) => ("check", &place.path),
    };
    let changed = match (&arguments.verb, faults.is_empty()) {
        (RunbookVerb::Generate(_), true) => written::write(&repository, path, &text)?,
        (RunbookVerb::Generate(_), false) => false,
        (RunbookVerb::Check(_), _) => {
            let drift = written::compare(&repository, path, &text)?;
            let drifted = drift.is_some();
            faults.extend(drift.map(|drift| stale(path, &drift)));
            drifted
        }
    };
    let exit = if faults.is_empty() { Exit::Pass } else { Exit::Blocked };
    let records: Vec<ErrorRecord> = faults.iter().map(ErrorRecord::from).collect();
    out.document(&json!({
        "schema": SCHEMA,
        "command": verb,
        "path": path,
        "signatures": policy.signatures.len(),
        "changed": changed,
        "faults": records,
        "exit": exit.code(),
    }));
    let mut parts: Vec<String> = faults.iter().map(Fault::to_string).collect();
    let word = match (verb, changed, exit) {
        (_, _, Exit::Blocked) => "not as it should be",
        ("generate", true, _) => "written",
        _ => "up to date",
    };
    parts.push(format!("runbook: `{path}` is {word}; {} signatures", policy.signatures.len()));
    out.text(&parts.join("\n"));
    Ok(exit)
}

fn stale(path: &str, drift: &Drift) -> Fault {
    let headline = format!("`{path}` is not the runbook that signatures and gates give");
    let remedy = "run `cargo portcullis runbook generate`, read the difference, and commit it";
    drift.fault(RUNBOOK_DRIFT, headline, remedy)
}

/// Gates and codes that signatures name and nobody knows: such a page is never reached.
fn unknown(
    repository: &Repository,
    policy: &Policy,
    registry: &Registry,
) -> Result<Vec<Fault>, Refused> {
    let census = repository.census()?;
    let gates = known_gates(policy, census.as_ref().ok());
    let codes: BTreeSet<&str> =
        all_codes(registry).into_values().map(|(code, _)| code.name()).collect();
    let mut faults = Vec::new();
    for signature in &policy.signatures {
        let mut fault = |what: &str, name: &str, at| {
            let headline =
                format!("signature `{}` names a {what} that does not exist", signature.id);
            let remedy = format!("correct the name, or take the {what} out of the signature");
            faults.push(
                Fault::new(SIGNATURE_NAME_UNKNOWN, headline, remedy).at(at).found(name.to_owned()),
            );
        };
        for id in &signature.matches.gates {
            if !gates.contains(id) && !AGGREGATES.contains(&id.as_str()) {
                fault("gate", id.as_str(), signature.location.clone());
            }
        }
        for code in &signature.matches.codes {
            if !codes.contains(code.text.as_str()) {
                fault("code", &code.text, code.at.clone());
            }
        }
    }
    Ok(faults)
}
