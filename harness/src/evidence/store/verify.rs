//! Whether a sealed run is still what it was.

use super::{
    RunState,
    manifest::{Manifest, ManifestFile, hash, list},
    read_run, read_small,
};
use crate::{
    evidence::{json, tree::Tree},
    wire::{
        code::{DIGEST_MISMATCH, FILE_UNHASHED, RUN_UNSEALED},
        fault::{Fault, Location},
        id::Digest,
        ordered::VecMap,
        path::RelPath,
    },
};
use std::path::Path;

/// Compares a run directory with its seal; every difference is a fault, an empty list is a whole run.
///
/// # Errors
/// When the directory cannot be read as a run at all.
pub fn verify_manifest(run_dir: &Path) -> Result<Vec<Fault>, Fault> {
    let record = read_run(run_dir)?;
    let (RunState::Sealed, Some(seal)) = (record.state, record.manifest_sha256) else {
        return Ok(vec![unsealed(record.state)]);
    };
    let bytes = read_small(run_dir, "manifest.json")?;
    if Digest::of(&bytes) != seal {
        return Ok(vec![differs(
            "manifest.json",
            &seal.to_string(),
            &Digest::of(&bytes).to_string(),
        )]);
    }
    let manifest: Manifest = json::parse_as(&bytes, "manifest.json")?;
    let tree = Tree::new(run_dir)?;
    let listed: VecMap<RelPath, ManifestFile> =
        manifest.files.into_iter().map(|file| (file.path.clone(), file)).collect();
    let mut faults = Vec::new();
    let there = list(&tree)?;
    for path in &there {
        let Some(file) = listed.get(path) else {
            faults.push(
                Fault::new(
                    FILE_UNHASHED,
                    "a file was added after the run was sealed",
                    "run again; a sealed run is never edited",
                )
                .at(Location::file(path)),
            );
            continue;
        };
        match hash(&tree, path) {
            Ok((sha256, bytes)) if sha256 == file.sha256 && bytes == file.bytes => {}
            Ok((sha256, _)) => {
                faults.push(differs(path.as_str(), &file.sha256.to_string(), &sha256.to_string()))
            }
            Err(fault) => faults.push(fault),
        }
    }
    for (path, file) in &listed {
        if there.binary_search(path).is_err() {
            faults.push(differs(path.as_str(), &file.sha256.to_string(), "no such file"));
        }
    }
    Ok(faults)
}

fn unsealed(state: RunState) -> Fault {
    let (headline, remedy) = match state {
        RunState::Filtered => (
            "the run was filtered, and a filtered run of lane `local` leaves receipts and no seal",
            "run the gate binary without a filter, or read the receipts below `gates/`",
        ),
        RunState::Running | RunState::Sealed | RunState::Interrupted | RunState::Refused => {
            ("the run was never sealed", "run again to its end")
        }
    };
    Fault::new(RUN_UNSEALED, headline, remedy)
        .at(Location::file("run.json"))
        .found(format!("state {state:?}").to_lowercase())
}

fn differs(path: &str, expected: &str, found: &str) -> Fault {
    Fault::new(
        DIGEST_MISMATCH,
        format!("`{path}` is not the file that was sealed"),
        "restore the file from where the run was made, or run again",
    )
    .at(Location::file(path))
    .expected(expected)
    .found(found)
}
