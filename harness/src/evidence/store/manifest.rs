//! Sealing: the digest of every file of a run. Leaves out what the files say.

use super::{MANIFEST_SCHEMA, RUN_SCHEMA, RunDir, RunRecord, RunState, render, unrendered};
use crate::{
    evidence::{
        digest,
        tree::{EntryKind, HardLinks, Tree},
    },
    wire::{
        artifact::{self, Document},
        code::{INPUT_TOO_LARGE, INPUT_UNREADABLE},
        fault::{Fault, Location},
        id::Digest,
        ordered,
        path::RelPath,
        receipt::Envelope,
    },
};
use serde::Serialize;
use std::path::Path;

/// The two files no manifest can list: itself, and the record that holds its digest.
const UNLISTED: &[&str] = &["manifest.json", "run.json"];
/// The one file of a run that no digest covers: it holds the seal.
pub const UNHASHED: &[&str] = &["run.json"];
/// Directories nest `gates/<id>/attempt-<n>/artifacts/…`; artifacts may nest as deep as a walk goes.
const DEPTH_MAX: usize = 64;
const FILES_MAX: usize = 200_000;

/// `manifest.json`: every file of a run but itself and `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Manifest {
    /// The header.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// By path relative to the run directory.
    pub files: Vec<ManifestFile>,
}

/// A file of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct ManifestFile {
    /// Size in bytes.
    pub bytes: u64,
    /// Path relative to the run directory.
    pub path: RelPath,
    /// SHA-256 of the content.
    pub sha256: Digest,
}

artifact::sorted!(ManifestFile);

impl RunDir {
    /// Writes the digest of every file into `manifest.json`, seals `run.json` with its digest, and swaps `latest` last.
    ///
    /// `envelope` is the header of the sealed run record: its `generated_at` is when the run ended. Returns the seal.
    ///
    /// # Errors
    /// `attempt_conflict` when the run is over, `link_refused` for a link in it, `receipt_unwritable`.
    pub fn seal(&self, envelope: &Envelope) -> Result<Digest, Fault> {
        self.expect_running()?;
        let files = match &self.written {
            Some(written) => written.files()?,
            None => found(self.path())?,
        };
        // A run of ten thousand gates has thirty thousand files, so they never become one tree.
        let manifest = Document::of(&envelope.with_schema(MANIFEST_SCHEMA))
            .map(|document| document.rows("files", &files, |file| file))
            .and_then(|document| artifact::of_sorted(&document))
            .map_err(|source| unrendered(&source))?;
        self.put("manifest.json", manifest.as_bytes())?;
        let seal = Digest::of(manifest.as_bytes());
        let record = RunRecord {
            envelope: envelope.with_schema(RUN_SCHEMA),
            state: RunState::Sealed,
            manifest_sha256: Some(seal),
        };
        self.put("run.json", render(&record)?.as_bytes())?;
        self.store.point_latest_at(envelope, seal)?;
        Ok(seal)
    }
}

/// Hashes what lies in a run directory: the way of whoever seals what others wrote.
fn found(run_dir: &Path) -> Result<Vec<ManifestFile>, Fault> {
    let tree = Tree::new(run_dir)?;
    let hashed = |path: RelPath| {
        let (sha256, bytes) = hash(&tree, &path)?;
        Ok(ManifestFile { path, sha256, bytes })
    };
    list(&tree)?.into_iter().map(hashed).collect()
}

/// Returns every file of a run but the two unlisted ones, sorted. A link or a pipe is a fault: nobody of ours made it.
pub(super) fn list(tree: &Tree) -> Result<Vec<RelPath>, Fault> {
    let (mut files, mut stack) = (Vec::new(), vec![None::<RelPath>]);
    while let Some(dir) = stack.pop() {
        let depth = dir.as_ref().map_or(0, |dir| dir.parts().count());
        for entry in tree.list_dir(dir.as_ref())? {
            match entry.kind {
                EntryKind::Dir if depth < DEPTH_MAX => stack.push(Some(entry.path)),
                EntryKind::File if UNLISTED.contains(&entry.path.as_str()) => {}
                EntryKind::File if files.len() < FILES_MAX => files.push(entry.path),
                EntryKind::Dir | EntryKind::File => {
                    return Err(Fault::new(
                        INPUT_TOO_LARGE,
                        "a run directory has too many files or levels",
                        "write fewer or flatter artifacts",
                    )
                    .at(Location::file(&entry.path))
                    .expected(format!("at most {FILES_MAX} files and {DEPTH_MAX} levels")));
                }
                // Opening refuses it with the message that fits.
                EntryKind::Link | EntryKind::Other => {
                    tree.open(&entry.path, HardLinks::Refuse)?;
                }
            }
        }
    }
    ordered::sort(&mut files);
    Ok(files)
}

pub(super) fn hash(tree: &Tree, path: &RelPath) -> Result<(Digest, u64), Fault> {
    let file = tree.open(path, HardLinks::Refuse)?;
    digest::of_reader(file).map_err(|source| {
        Fault::new(
            INPUT_UNREADABLE,
            format!("`{path}` cannot be read"),
            "check the disk, then run again",
        )
        .at(Location::file(path))
        .because(&source)
    })
}
