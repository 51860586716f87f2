//! `latest.json` and the link beside it: swapped last, under a lock, and checked against what lies there.

use super::{LATEST_SCHEMA, RunState, Store, read_run, read_whole, render, unwritable};
use crate::{
    evidence::clock::Stopwatch,
    wire::{
        code::{LATEST_STALE, RECEIPT_UNWRITABLE},
        fault::{Fault, Location},
        id::{Digest, RunId},
        ordered,
        receipt::Envelope,
        time::Instant,
    },
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    time::Duration,
};

/// How long a writer waits for another one (`security.md`, section 7).
const LOCK_LIMIT_MS: u64 = 10_000;

/// `latest.json`: the newest sealed run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// The header, with the run's id.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// The run directory relative to the folder `portcullis`.
    pub path: String,
    /// The run's seal.
    pub manifest_sha256: Digest,
}

impl Store {
    /// Returns what `latest.json` names, after checking that no other run is newer; nothing where no run ever was.
    ///
    /// # Errors
    /// `latest_stale` when a newer run lies beside it, sealed or not (FG-77), or when it names a run that is gone.
    pub fn latest(&self) -> Result<Option<Latest>, Fault> {
        let runs = self.runs()?;
        if !self.dir().join("latest.json").exists() {
            return match runs.first() {
                None => Ok(None),
                Some(run) => Err(stale(&format!("the run `{run}`, which nothing names"))),
            };
        }
        let latest: Latest = read_whole(self.dir(), "latest.json")?;
        let named = &latest.envelope.run_id;
        let record = read_run(&self.run_path(named))?;
        if record.state != RunState::Sealed
            || record.manifest_sha256 != Some(latest.manifest_sha256)
        {
            return Err(stale(&format!("the run `{named}`, which has another seal")));
        }
        self.no_newer(&runs, named, record.envelope.generated_at)?;
        Ok(Some(latest))
    }

    fn no_newer(&self, runs: &[String], named: &RunId, ended: Instant) -> Result<(), Fault> {
        for name in runs.iter().filter(|name| name.as_str() != named.as_str()) {
            let run = RunId::parse(name).map_err(|source| {
                stale(&format!("`{}`, which names no run: {source}", name.escape_debug()))
            })?;
            let other = read_run(&self.run_path(&run))?;
            let time = other.envelope.generated_at;
            // Two runs of one millisecond: the one that never ended is taken for the newer.
            let is_newer = time > ended || (time == ended && other.state != RunState::Sealed);
            if is_newer {
                return Err(stale(&format!("the run `{run}`, begun or ended later, at {time}")));
            }
        }
        Ok(())
    }

    /// Returns the names below `runs/`, sorted.
    fn runs(&self) -> Result<Vec<String>, Fault> {
        let dir = self.dir().join("runs");
        let unreadable =
            |source: io::Error| stale(&format!("a folder of runs that cannot be read: {source}"));
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(unreadable)? {
            names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
        }
        ordered::sort(&mut names);
        Ok(names)
    }

    pub(super) fn point_latest_at(&self, envelope: &Envelope, seal: Digest) -> Result<(), Fault> {
        let path = self.dir().join("latest.json");
        let latest = Latest {
            envelope: envelope.with_schema(LATEST_SCHEMA),
            path: format!("runs/{}", envelope.run_id),
            manifest_sha256: seal,
        };
        let text = render(&latest)?;
        let lock = self.lock()?;
        let written = self
            .disk
            .replace(&path, text.as_bytes())
            .and_then(|()| link_latest(self.dir(), &latest.path))
            .map_err(|source| unwritable(&path, &source));
        drop(lock);
        written
    }

    fn lock(&self) -> Result<File, Fault> {
        let path = self.dir().join("latest.lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| unwritable(&path, &source))?;
        let watch = Stopwatch::start();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(source)) => return Err(unwritable(&path, &source)),
                Err(TryLockError::WouldBlock) if watch.elapsed_ms() > LOCK_LIMIT_MS => {
                    return Err(Fault::new(
                        RECEIPT_UNWRITABLE,
                        "another process holds the lock on `latest` for more than 10 seconds",
                        "end the other run, then run again",
                    )
                    .at(Location::file(path.display())));
                }
                // Parking with a limit waits without a promise of being woken, which is all that polling needs.
                Err(TryLockError::WouldBlock) => {
                    std::thread::park_timeout(Duration::from_millis(5))
                }
            }
        }
    }
}

/// Points the link `latest` at a run, by a rename so that a reader sees the old one or the new one.
#[cfg(unix)]
fn link_latest(dir: &std::path::Path, target: &str) -> io::Result<()> {
    let temporary = dir.join(".latest-tmp");
    match fs::remove_file(&temporary) {
        Ok(()) => {}
        Err(source) if source.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(source),
    }
    std::os::unix::fs::symlink(target, &temporary)?;
    fs::rename(&temporary, dir.join("latest"))
}

/// Links need rights of their own here; `latest.json` alone names the run.
#[cfg(not(unix))]
fn link_latest(_dir: &std::path::Path, _target: &str) -> io::Result<()> {
    Ok(())
}

fn stale(found: &str) -> Fault {
    Fault::new(
        LATEST_STALE,
        "`latest` does not name the newest run",
        "run again to its end, name the run outright, or delete the directories of runs that were given up",
    )
    .at(Location::file("latest.json"))
    .expected("the newest run, sealed")
    .found(found)
}
