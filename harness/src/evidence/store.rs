//! Run directories: who may write what, and in which order. Leaves out what the documents say.
//!
//! One writer per attempt directory, one fact per file. Every document but `started.json` and `events.jsonl` appears
//! under its name whole or not at all; `run.json` says `running` first and `sealed` last but one, `latest` comes last.

#[cfg(feature = "audit")]
mod attempts;
mod begin;
mod disk;
mod latest;
mod manifest;
mod run;
#[cfg(feature = "audit")]
mod verify;
mod view;
mod written;

#[cfg(feature = "audit")]
pub use attempts::read_attempts;
pub use disk::Durability;
pub use latest::Latest;
pub use manifest::{Manifest, UNHASHED};
pub use run::{AtWork, AttemptDir, RunDir};
#[cfg(feature = "audit")]
pub use verify::verify_manifest;
pub use view::publish_view;

use crate::wire::{
    artifact,
    code::{ATTEMPT_CONFLICT, RECEIPT_UNWRITABLE, RUN_UNREADABLE, SCHEMA_UNSUPPORTED},
    fault::{Fault, Location},
    id::{Digest, RunId},
    receipt::Envelope,
};
use begin::Named;
use disk::Disk;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The schema of `run.json`.
pub const RUN_SCHEMA: &str = "portcullis.run.v1";
/// The schema of `manifest.json`.
pub const MANIFEST_SCHEMA: &str = "portcullis.manifest.v1";
/// The schema of `latest.json`.
pub const LATEST_SCHEMA: &str = "portcullis.latest.v1";

/// Attempts of one gate within one run (`security.md`, section 4).
pub const ATTEMPTS_MAX: u32 = 64;

/// Whether a run belongs to this process alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// One process; a directory that exists already is a conflict.
    Owned,
    /// Several processes that were told one run id; whoever comes first creates it.
    Joined,
}

/// How far a run came. Only `sealed` can be green.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Begun, and perhaps dead.
    Running,
    /// Complete and hashed.
    Sealed,
    /// Begun for some gates only, in a lane that certifies nothing: it leaves receipts and is never sealed.
    Filtered,
    /// Stopped on purpose before its end.
    Interrupted,
    /// Not begun, for a stated reason.
    Refused,
}

/// `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The header.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// How far the run came.
    pub state: RunState,
    /// Digest of `manifest.json`, the run's seal; present exactly when sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_sha256: Option<Digest>,
}

/// The folder `portcullis` of cargo's target directory.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
    disk: Disk,
}

impl Store {
    /// Opens the store below cargo's target directory and creates its folders.
    ///
    /// # Errors
    /// `receipt_unwritable` when they cannot be created.
    pub fn open(target_dir: &Path) -> Result<Self, Fault> {
        let store = Self { dir: target_dir.join("portcullis"), disk: Disk::default() };
        for folder in [store.dir.join("runs"), store.begun_path()] {
            fs::create_dir_all(&folder).map_err(|source| unwritable(&folder, &source))?;
        }
        Ok(store)
    }

    /// The folder `portcullis` itself.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of a run, whether or not it exists.
    #[must_use]
    pub fn run_path(&self, run_id: &RunId) -> PathBuf {
        self.dir.join("runs").join(run_id.as_str())
    }

    /// Creates the directory of a run, or joins it, and writes `run.json` with state `running` and this header.
    ///
    /// # Errors
    /// `attempt_conflict` when the run is not ours to write: it exists already (`Owned`), or it is not running any
    /// more (`Joined`). `receipt_unwritable` when the disk refuses.
    pub fn create_run(
        &self,
        run_id: &RunId,
        ownership: Ownership,
        durability: Durability,
        running: &Envelope,
    ) -> Result<RunDir, Fault> {
        self.begin_run(run_id, ownership, durability, (running, RunState::Running))
    }

    /// Creates the directory of a run that nobody will seal, and writes `run.json` with state `filtered`, which stays.
    ///
    /// # Errors
    /// As [`Store::create_run`] of an owned run.
    pub fn create_filtered_run(
        &self,
        run_id: &RunId,
        durability: Durability,
        header: &Envelope,
    ) -> Result<RunDir, Fault> {
        self.begin_run(run_id, Ownership::Owned, durability, (header, RunState::Filtered))
    }

    fn begin_run(
        &self,
        run_id: &RunId,
        ownership: Ownership,
        durability: Durability,
        (header, state): (&Envelope, RunState),
    ) -> Result<RunDir, Fault> {
        let disk = self.disk.clone().with_durability(durability);
        let store = Self { dir: self.dir.clone(), disk };
        let mut run = RunDir::at(self.run_path(run_id), run_id.clone(), store.clone());
        if ownership == Ownership::Owned && state == RunState::Running {
            run.remember();
        }
        let there = run.path().symlink_metadata().is_ok();
        if there && ownership == Ownership::Owned {
            return Err(taken(run_id, "its directory exists already"));
        }
        if !there || !run.path().join("run.json").exists() {
            let record = RunRecord {
                envelope: Envelope { run_id: run_id.clone(), ..header.with_schema(RUN_SCHEMA) },
                state,
                manifest_sha256: None,
            };
            let begun = store.begin(run_id, &render(&record)?)?;
            match (store.name(begun, run.path())?, ownership) {
                (Named::Now, _) => return Ok(run),
                (Named::Before, Ownership::Joined) => {}
                (Named::Before, Ownership::Owned) => {
                    return Err(taken(run_id, "its directory exists already"));
                }
            }
        }
        let state = read_run(run.path())?.state;
        if state == RunState::Running { Ok(run) } else { Err(taken(run_id, "it is over")) }
    }

    /// Opens the directory of a run for reading.
    ///
    /// # Errors
    /// `run_unreadable` when there is none.
    pub fn open_run(&self, run_id: &RunId) -> Result<RunDir, Fault> {
        let run = RunDir::at(self.run_path(run_id), run_id.clone(), self.clone());
        read_run(run.path()).map(|_| run)
    }
}

/// Reads `run.json` of a run directory.
///
/// # Errors
/// `run_unreadable` when it is absent, cut short, or not what a run record is; `schema_unsupported` for one of another
/// version, whose words may mean something else.
pub fn read_run(run_dir: &Path) -> Result<RunRecord, Fault> {
    let record: RunRecord = read_whole(run_dir, "run.json")?;
    let found = &record.envelope.schema;
    if found == RUN_SCHEMA {
        return Ok(record);
    }
    let headline = "a run has another schema than this reader knows";
    let remedy = "use the version of portcullis that made the run";
    Err(Fault::new(SCHEMA_UNSUPPORTED, headline, remedy)
        .at(Location::file(run_dir.join("run.json").display()))
        .expected(RUN_SCHEMA)
        .found(found.clone()))
}

/// Reads a document of ours; one that lost even its last byte is refused.
fn read_whole<T: serde::de::DeserializeOwned>(dir: &Path, name: &str) -> Result<T, Fault> {
    let refused = |fault: &Fault| {
        Fault::new(
            RUN_UNREADABLE,
            format!("`{name}` of a run cannot be read"),
            "run again; a directory that lost a file proves nothing and may be deleted",
        )
        .at(Location::file(dir.join(name).display()))
        .because(fault)
    };
    let bytes = read_small(dir, name).map_err(|fault| refused(&fault))?;
    if !bytes.ends_with(b"}\n") {
        return Err(refused(&Fault::new(RUN_UNREADABLE, "the document is cut short", "run again")));
    }
    super::json::parse_as(&bytes, name).map_err(|fault| refused(&fault))
}

fn read_small(dir: &Path, name: &str) -> Result<Vec<u8>, Fault> {
    let path = disk::rel(name)?;
    super::tree::Tree::new(dir)?.read_with(
        &path,
        disk::DOCUMENT_MAX_BYTES,
        super::tree::HardLinks::Refuse,
    )
}

fn render(value: &impl Serialize) -> Result<String, Fault> {
    artifact::document(value).map_err(|source| unrendered(&source))
}

fn unrendered(source: &serde_json::Error) -> Fault {
    Fault::new(
        RECEIPT_UNWRITABLE,
        "a document cannot be rendered",
        "report this as a defect of portcullis",
    )
    .because(source)
}

fn taken(run_id: &RunId, why: &str) -> Fault {
    Fault::new(
        ATTEMPT_CONFLICT,
        format!("the run `{run_id}` cannot be written: {why}"),
        "unset `PORTCULLIS_RUN_ID` or give each run an id of its own; a run directory is never reused",
    )
}

/// Names the operation system's answer: full disk, read-only file system and missing rights all end here.
fn unwritable(path: &Path, source: &io::Error) -> Fault {
    Fault::new(
        RECEIPT_UNWRITABLE,
        "a file of the run could not be written",
        "make the target directory writable and free some space, then run again",
    )
    .at(Location::file(path.display()))
    .because(source)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests build their files in place")]
mod tests;
