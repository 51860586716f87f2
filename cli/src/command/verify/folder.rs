//! A sealed folder under `verify`: which words mean one, and what is said of it.

use super::{SCHEMA, another_seal};
use crate::{
    args::Verify,
    exit::{Exit, Refused},
    locate,
    repository::Repository,
    seal::{self, Checked, SEAL},
    transport::Transport,
};
use portcullis::{
    Fault, Location,
    cpu_budget::effective_cpu_count,
    report::human::count,
    wire::{code::RUN_UNREADABLE, receipt::ErrorRecord},
};
use serde_json::json;
use std::path::{Path, PathBuf};

/// How many faults are shown; all of them are counted.
const SHOWN: usize = 1_000;

/// The sealed folder that a word means. `latest` and the id of a run that exists always mean the run, whatever folder of
/// this name lies about.
pub(super) fn named(word: &str, repository: Option<&Repository>) -> Option<PathBuf> {
    let path = Path::new(word);
    // A document of a sealed folder stands for the folder.
    let path = if path.file_name().is_some_and(|name| name == SEAL) && path.is_file() {
        path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
    } else {
        path
    };
    if !seal::is_sealed(path) {
        return None;
    }
    let is_word = path.components().count() == 1 && !word.starts_with('.');
    let is_run = || word == "latest" || locate::run(word, repository).is_ok_and(|dir| dir.is_dir());
    if is_word && is_run() { None } else { Some(path.to_owned()) }
}

/// Looks at a sealed folder, and says what came of it.
pub(super) fn run(arguments: &Verify, folder: &Path, out: &mut Transport) -> Result<Exit, Refused> {
    let threads =
        effective_cpu_count().map_err(|refused| Refused::new(Exit::Usage, refused.into()))?;
    let mut checked = seal::check(folder, threads);
    let asked = [("--full", arguments.full), ("--base", arguments.base.is_some())];
    for (flag, _) in asked.iter().filter(|(_, asked)| *asked) {
        let headline = format!("`{flag}` asks about gates, and a sealed folder holds no gates");
        let remedy = format!("name a run, or leave `{flag}` out");
        let fault = Fault::new(RUN_UNREADABLE, headline, remedy);
        checked.faults.push(fault.at(Location::file(folder.display())));
    }
    if let Some(expected) = arguments.seal {
        checked.faults.extend(another_seal(SEAL, expected, checked.seal));
    }
    let exit = if checked.faults.is_empty() { Exit::Pass } else { Exit::Invalid };
    answer(folder, &checked, exit, out);
    Ok(exit)
}

fn answer(folder: &Path, checked: &Checked, exit: Exit, out: &mut Transport) {
    let word = if exit == Exit::Pass { "sealed" } else { "invalid" };
    let shown: Vec<&Fault> = checked.faults.iter().take(SHOWN).collect();
    let records: Vec<ErrorRecord> = shown.iter().map(|fault| ErrorRecord::from(*fault)).collect();
    out.document(&json!({
        "schema": SCHEMA,
        "folder": folder.display().to_string(),
        "verdict": word,
        "exit": exit.code(),
        "faults": records,
        "faults_total": checked.faults.len(),
        "notes": checked.notes,
        "unhashed": [SEAL],
        "seal": checked.seal,
        "files": checked.files,
        "bytes": checked.bytes,
        "certified": checked.certified,
        "reseals": checked.reseals,
    }));
    let mut parts: Vec<String> = shown.iter().map(ToString::to_string).collect();
    let more = checked.faults.len() - shown.len();
    if more > 0 {
        parts.push(format!("and {}", count(more, "further fault")));
    }
    parts.extend(checked.notes.iter().map(|note| format!("note: {note}")));
    parts.push(format!(
        "note: `{SEAL}` is not hashed: it holds the seal, and what it says is held to the manifest"
    ));
    parts.push(format!(
        "verify: {word}: {} and {} bytes hashed again in {}; a sealed folder has no gates, and nothing was decided",
        count(checked.files, "file"),
        checked.bytes,
        folder.display()
    ));
    out.text(&parts.join("\n"));
}
