//! `latest.json` and the link beside it: swapped last, under a lock.

#[cfg(feature = "audit")]
mod reading;

use super::{LATEST_SCHEMA, Store, render, unwritable};
use crate::{
    evidence::clock::Stopwatch,
    wire::{
        code::RECEIPT_UNWRITABLE,
        fault::{Fault, Location},
        id::Digest,
        receipt::Envelope,
    },
};
use serde::Serialize;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    time::Duration,
};

/// How long a writer waits for another one (`security.md`, section 7).
const LOCK_LIMIT_MS: u64 = 10_000;

/// `latest.json`: the newest sealed run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
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
