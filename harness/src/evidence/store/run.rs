//! A run directory and the attempts within it. Each attempt directory has exactly one writer.

use super::{
    ATTEMPTS_MAX, RunRecord, RunState, Store, disk, read_run, render, unwritable, written::Written,
};
use crate::{
    evidence::{
        digest::Hasher,
        tree::{HardLinks, Tree},
    },
    kernel::receipt::RawAttempt,
    wire::{
        code::{ATTEMPT_CONFLICT, INPUT_TOO_LARGE, RECEIPT_UNWRITABLE},
        fault::{Fault, Location},
        id::{Digest, GateId, RunId},
        path::RelPath,
        receipt::{Envelope, Evidence},
    },
};
use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// A run directory.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    run_id: RunId,
    pub(super) store: Store,
    // Absent where other processes write as well, and where nobody is going to seal.
    pub(super) written: Option<Arc<Written>>,
}

impl RunDir {
    pub(super) fn at(path: PathBuf, run_id: RunId, store: Store) -> Self {
        Self { path, run_id, store, written: None }
    }

    /// From here on this process is the only writer, and remembers what it writes.
    pub(super) fn remember(&mut self) {
        self.written = Some(Arc::default());
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which run it is.
    #[must_use]
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// Claims the next free attempt of a gate and writes its `started.json`, before the check runs.
    ///
    /// # Errors
    /// `input_too_large` beyond 64 attempts, `receipt_unwritable`, and the fault of `make_started`.
    pub fn begin_attempt(
        &self,
        gate: &GateId,
        make_started: impl FnOnce(u32) -> Result<String, Fault>,
    ) -> Result<AttemptDir, Fault> {
        let claimed = self.claim(gate, ATTEMPTS_MAX)?.ok_or_else(|| {
            Fault::new(
                INPUT_TOO_LARGE,
                format!("the gate `{gate}` has {ATTEMPTS_MAX} attempts in this run already"),
                "start a new run",
            )
        })?;
        self.begin_claimed(gate, claimed, make_started)
    }

    fn begin_claimed(
        &self,
        gate: &GateId,
        (attempt, path): (u32, PathBuf),
        make_started: impl FnOnce(u32) -> Result<String, Fault>,
    ) -> Result<AttemptDir, Fault> {
        let started = make_started(attempt)?;
        let record = path.join("started.json");
        self.store
            .disk
            .write_new(&record, started.as_bytes())
            .map_err(|source| unwritable(&record, &source))?;
        let dir = AttemptDir {
            path,
            attempt,
            prefix: format!("gates/{gate}/attempt-{attempt}"),
            started: Digest::of(started.as_bytes()),
            disk: self.store.disk.clone(),
            events: Mutex::new(None),
            written: self.written.clone(),
            // Others look only where several processes write, and only at first attempts.
            _at_work: if self.written.is_none() && attempt == 1 { held(&record) } else { None },
        };
        dir.note("started.json", dir.started, started.len() as u64);
        Ok(dir)
    }

    /// Claims the first attempt of a gate and writes its `started.json`; nothing where another process has claimed it.
    ///
    /// # Errors
    /// As [`RunDir::begin_attempt`].
    pub fn begin_first_attempt(
        &self,
        gate: &GateId,
        make_started: impl FnOnce(u32) -> Result<String, Fault>,
    ) -> Result<Option<AttemptDir>, Fault> {
        match self.claim(gate, 1)? {
            Some(claimed) => self.begin_claimed(gate, claimed, make_started).map(Some),
            None => Ok(None),
        }
    }

    /// What the first attempt of a gate left so far, and whether whoever made it is at work on it still.
    ///
    /// # Errors
    /// Whatever keeps a record from being read.
    pub fn first_attempt(&self, gate: &GateId) -> Result<(RawAttempt, AtWork), Fault> {
        let tree = Tree::new(&self.path)?;
        let dir = disk::rel(&format!("gates/{gate}/attempt-1"))?;
        // Asked before the records are read: who ended in between has left its verdict.
        let at_work = at_work(&self.path.join(dir.as_str()).join("started.json"));
        let raw = RawAttempt {
            gate: gate.as_str().to_owned(),
            attempt: 1,
            started: record(&tree, &dir, "started.json")?,
            verdict: record(&tree, &dir, "verdict.json")?,
        };
        Ok((raw, at_work))
    }

    /// Creating a directory is atomic on every system, so two processes never hold one attempt.
    fn claim(&self, gate: &GateId, most: u32) -> Result<Option<(u32, PathBuf)>, Fault> {
        let dir = self.path.join("gates").join(gate.as_str());
        // The usual case is the first attempt of a gate. That the folder exists, or its parent does not, shows below.
        drop(self.store.disk.create_dir(&dir));
        let mut attempt = 1;
        while attempt <= most {
            let path = dir.join(format!("attempt-{attempt}"));
            match self.store.disk.create_dir(&path) {
                Ok(()) => return Ok(Some((attempt, path))),
                Err(source) if source.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
                Err(source) if source.kind() == io::ErrorKind::NotFound && self.path.is_dir() => {
                    self.store
                        .disk
                        .create_dirs(&dir)
                        .map_err(|source| unwritable(&dir, &source))?;
                }
                Err(source) => return Err(unwritable(&path, &source)),
            }
        }
        Ok(None)
    }

    /// Writes a document of the run, whole, in place of what stood there.
    ///
    /// # Errors
    /// `receipt_unwritable`; also for the names that have a writer of their own. `path_refused`.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        if matches!(name, "run.json" | "manifest.json") || name.starts_with("gates/") {
            return Err(Fault::new(
                RECEIPT_UNWRITABLE,
                format!("`{name}` has a writer of its own"),
                "write the document under another name",
            ));
        }
        self.put(name, bytes)?;
        if let Some(written) = &self.written {
            written.note(name.to_owned(), Digest::of(bytes), bytes.len() as u64);
        }
        Ok(())
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let name = disk::rel(name)?;
        let path = self.path.join(name.as_str());
        if let Some((dir, _)) = name.as_str().rsplit_once('/') {
            let dir = self.path.join(dir);
            self.store.disk.create_dirs(&dir).map_err(|source| unwritable(&dir, &source))?;
        }
        self.store.disk.replace(&path, bytes).map_err(|source| unwritable(&path, &source))
    }

    /// Ends a run without a seal: `interrupted` or `refused`. Such a run is never green.
    ///
    /// # Errors
    /// `attempt_conflict` when it is sealed already, `receipt_unwritable`.
    pub fn end_unsealed(&self, envelope: &Envelope, state: RunState) -> Result<(), Fault> {
        self.expect_running()?;
        let state = match state {
            RunState::Sealed | RunState::Running | RunState::Filtered | RunState::Interrupted => {
                RunState::Interrupted
            }
            RunState::Refused => RunState::Refused,
        };
        let envelope = envelope.with_schema(super::RUN_SCHEMA);
        let record = RunRecord { envelope, state, manifest_sha256: None };
        self.put("run.json", render(&record)?.as_bytes())
    }

    pub(super) fn expect_running(&self) -> Result<(), Fault> {
        match read_run(&self.path)?.state {
            RunState::Running => Ok(()),
            RunState::Sealed | RunState::Filtered | RunState::Interrupted | RunState::Refused => {
                Err(super::taken(&self.run_id, "it is over"))
            }
        }
    }
}

pub(super) fn record(tree: &Tree, dir: &RelPath, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    let path = disk::rel(&format!("{dir}/{name}"))?;
    if !tree.exists(&path)? {
        return Ok(None);
    }
    tree.read_with(&path, disk::DOCUMENT_MAX_BYTES, HardLinks::Refuse).map(Some)
}

/// The directory of one attempt, and its only writer.
#[derive(Debug)]
pub struct AttemptDir {
    path: PathBuf,
    attempt: u32,
    prefix: String,
    started: Digest,
    disk: disk::Disk,
    events: Mutex<Option<Events>>,
    written: Option<Arc<Written>>,
    // The lock on `started.json`, which goes with this process however it ends.
    _at_work: Option<File>,
}

/// Whether an attempt is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtWork {
    /// Its process holds it, or has not begun, or nobody can say.
    Perhaps,
    /// Its process let go of it.
    No,
}

/// Holds the record of an attempt for as long as its process is at work on it. Elsewhere a lock would keep readers out.
#[cfg(unix)]
fn held(record: &Path) -> Option<File> {
    let file = File::open(record).ok()?;
    // Whoever asks holds it for a moment; then it is ours.
    file.lock().ok()?;
    Some(file)
}

#[cfg(not(unix))]
fn held(_record: &Path) -> Option<File> {
    None
}

#[cfg(unix)]
fn at_work(record: &Path) -> AtWork {
    match File::open(record).map(|file| file.try_lock_shared()) {
        Ok(Ok(())) => AtWork::No,
        Ok(Err(_)) | Err(_) => AtWork::Perhaps,
    }
}

#[cfg(not(unix))]
fn at_work(_record: &Path) -> AtWork {
    AtWork::Perhaps
}

/// `events.jsonl` while it grows.
#[derive(Debug)]
struct Events {
    file: File,
    hasher: Hasher,
    bytes: u64,
}

impl AttemptDir {
    /// The number of this attempt within the run, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The digest of its `started.json`.
    #[must_use]
    pub fn started_digest(&self) -> Digest {
        self.started
    }

    fn note(&self, name: &str, sha256: Digest, bytes: u64) {
        if let Some(written) = &self.written {
            written.note(format!("{}/{name}", self.prefix), sha256, bytes);
        }
    }

    /// Writes `verdict.json`, which seals the attempt.
    ///
    /// # Errors
    /// `attempt_conflict` when there is one already, `receipt_unwritable`.
    pub fn write_verdict(&self, text: &str) -> Result<(), Fault> {
        let path = self.path.join("verdict.json");
        self.note_events();
        match self.disk.create(&path, text.as_bytes()) {
            Ok(()) => {
                if self.written.is_some() {
                    self.note("verdict.json", Digest::of(text.as_bytes()), text.len() as u64);
                }
                Ok(())
            }
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => Err(Fault::new(
                ATTEMPT_CONFLICT,
                "an attempt has a verdict already",
                "run again; an attempt is judged once",
            )
            .at(Location::file(path.display()))),
            Err(source) => Err(unwritable(&path, &source)),
        }
    }

    /// Appends one record to `events.jsonl`; the line ends in its only newline (threat T36).
    ///
    /// # Errors
    /// `receipt_unwritable`, also for a text that is not one line.
    pub fn append_event(&self, line: &str) -> Result<(), Fault> {
        let path = self.path.join("events.jsonl");
        if line.find('\n') != Some(line.len().wrapping_sub(1)) {
            return Err(Fault::new(
                RECEIPT_UNWRITABLE,
                "an event is not one line",
                "render events with `wire::artifact::line`",
            ));
        }
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match events.take() {
            Some(open) => open,
            None => OpenOptions::new()
                .append(true)
                .create_new(true)
                .open(&path)
                .map(|file| Events { file, hasher: Hasher::new(), bytes: 0 })
                .map_err(|source| unwritable(&path, &source))?,
        };
        let open = events.insert(open);
        self.disk
            .append(&mut open.file, line.as_bytes())
            .map_err(|source| unwritable(&path, &source))?;
        if self.written.is_some() {
            open.hasher.update(line.as_bytes());
            open.bytes += line.len() as u64;
        }
        Ok(())
    }

    /// Notes what the log came to. The verdict is the last thing that is written, whether or not it can be.
    fn note_events(&self) {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = &*events {
            self.note("events.jsonl", open.hasher.clone().finish(), open.bytes);
        }
    }

    /// Writes a file below `artifacts/`, whole, in place of an earlier one of this attempt.
    ///
    /// # Errors
    /// `receipt_unwritable`, `path_refused`.
    pub fn write_artifact(&self, name: &RelPath, bytes: &[u8]) -> Result<Evidence, Fault> {
        let name = disk::rel(&format!("artifacts/{name}"))?;
        let path = self.path.join(name.as_str());
        let dir = path.parent().unwrap_or(&self.path);
        self.disk.create_dirs(dir).map_err(|source| unwritable(dir, &source))?;
        self.disk.replace(&path, bytes).map_err(|source| unwritable(&path, &source))?;
        let (sha256, bytes) = (Digest::of(bytes), bytes.len() as u64);
        self.note(name.as_str(), sha256, bytes);
        Ok(Evidence { path: name.to_string(), sha256: Some(sha256), bytes })
    }
}
