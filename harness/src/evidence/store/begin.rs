//! How a run directory comes to be: whole, with its `run.json`, or not at all. Leaves out what the record says.
//!
//! It is made below `begun/` and moved to its name below `runs/`. Whoever is killed in between leaves something that is
//! no run to any reader, and the next run clears it away.

use super::{Store, unwritable};
use crate::{evidence::clock::Stopwatch, wire::fault::Fault, wire::id::RunId};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long the beginning of a run waits for whoever clears away what others left.
const LOCK_LIMIT_MS: u64 = 10_000;

/// A run directory that has its record, and no name yet. It is removed when it never gets one.
pub(super) struct Begun {
    dir: tempfile::TempDir,
    // Held until the directory has its name: what is begun under this lock is nobody's leftover.
    _lock: Option<File>,
}

/// What became of giving a run directory its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// It lies there.
    Now,
    /// Something else lies there already.
    Before,
}

impl Store {
    /// Where run directories are made.
    pub(super) fn begun_path(&self) -> PathBuf {
        self.dir().join("begun")
    }

    /// Makes a run directory with its record, without a name.
    pub(super) fn begin(&self, run_id: &RunId, record: &str) -> Result<Begun, Fault> {
        let folder = self.begun_path();
        let lock = self.clear_and_lock(&folder);
        let mut builder = tempfile::Builder::new();
        let prefix = format!("{run_id}.");
        builder.prefix(&prefix);
        // Without this the run would keep the mode 0700 of a temporary folder.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let made = self.disk.temporary_dir(&builder, &folder);
        let dir = made.map_err(|source| unwritable(&folder, &source))?;
        let path = dir.path().join("run.json");
        let begun = Begun { dir, _lock: lock };
        self.disk.create(&path, record.as_bytes()).map_err(|source| unwritable(&path, &source))?;
        Ok(begun)
    }

    /// Gives a run directory its name. A name that is taken stays with who has it.
    pub(super) fn name(&self, begun: Begun, path: &Path) -> Result<Named, Fault> {
        match self.disk.rename_new(begun.dir.path(), path) {
            Ok(()) => {
                // It lies elsewhere now, so there is nothing left to remove.
                let _moved = begun.dir.keep();
                Ok(Named::Now)
            }
            // Systems have several words for a folder that is in the way.
            Err(_) if path.symlink_metadata().is_ok() => Ok(Named::Before),
            Err(source) => Err(unwritable(path, &source)),
        }
    }

    /// Clears away what killed processes left, and keeps others from clearing away what is begun here. A file system
    /// without locks keeps its leftovers.
    fn clear_and_lock(&self, folder: &Path) -> Option<File> {
        let path = self.dir().join("begun.lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).ok()?;
        let has_leftover = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
        if has_leftover && file.try_lock().is_ok() {
            // What cannot be removed is in nobody's way: no reader looks here.
            drop(clear(folder));
            file.unlock().ok()?;
        }
        let watch = Stopwatch::start();
        loop {
            match file.try_lock_shared() {
                Ok(()) => return Some(file),
                Err(TryLockError::WouldBlock) if watch.elapsed_ms() < LOCK_LIMIT_MS => {
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                // Whoever clears may then take this one for a leftover, and the run is refused, not lost.
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return None,
            }
        }
    }
}

fn clear(folder: &Path) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
