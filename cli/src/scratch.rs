//! Folders for what passes between processes. Those of processes that were killed are removed by the next one.

use crate::exit::Refused;
use anyhow::Context as _;
use std::{fs::File, io, path::Path};
use tempfile::TempDir;

const PREFIX: &str = "run-";
const LOCK: &str = "owner.lock";

/// A folder of this process's own, which goes when the process does.
#[derive(Debug)]
pub(crate) struct Scratch {
    // Held for as long as the process lives, however it ends; let go of first, or some systems keep the folder.
    _lock: File,
    dir: TempDir,
}

impl Scratch {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Makes a folder beside the runs, so that result files never mix with those of another run.
pub(crate) fn scratch(target_dir: &Path) -> Result<Scratch, Refused> {
    let parent = target_dir.join("portcullis/engine");
    marked(target_dir)
        .and_then(|()| made(&parent))
        .with_context(|| format!("{} cannot be written", parent.display()))
        .map_err(Refused::from)
}

/// Marks cargo's target directory as cargo does when it makes it: gate binaries find their runs by the mark, and where this
/// program comes before cargo, cargo finds a folder that it leaves as it is.
fn marked(target_dir: &Path) -> io::Result<()> {
    const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# This file marks a cache directory, see https://bford.info/cachedir/\n";
    std::fs::create_dir_all(target_dir)?;
    match File::create_new(target_dir.join("CACHEDIR.TAG")) {
        Ok(mut file) => io::Write::write_all(&mut file, TAG.as_bytes()),
        Err(source) if source.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(source),
    }
}

fn made(parent: &Path) -> io::Result<Scratch> {
    std::fs::create_dir_all(parent)?;
    sweep(parent)?;
    let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
    let lock = File::create_new(dir.path().join(LOCK))?;
    lock.lock()?;
    Ok(Scratch { _lock: lock, dir })
}

/// Removes the folders whose owner is gone. One that cannot be removed is in nobody's way.
fn sweep(parent: &Path) -> io::Result<()> {
    for entry in parent.read_dir()? {
        let folder = entry?.path();
        if is_abandoned(&folder) {
            drop(std::fs::remove_dir_all(folder));
        }
    }
    Ok(())
}

fn is_abandoned(folder: &Path) -> bool {
    let ours = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
    // A folder without a lock is being made at this moment.
    let lock = File::open(folder.join(LOCK)).ok().filter(|_| ours);
    lock.is_some_and(|lock| lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner_and_stays_while_it_lives() {
        let target = tempfile::tempdir().expect("a folder");
        let parent = target.path().join("portcullis/engine");
        let living = scratch(target.path()).expect("a folder");
        // What a killed process leaves: its folder, and a lock that nobody holds.
        let dead = parent.join("run-dead");
        std::fs::create_dir_all(dead.join("store")).expect("folders");
        File::create_new(dead.join(LOCK)).expect("a lock");
        let begun = parent.join("run-begun");
        let other = parent.join("another");
        for folder in [&begun, &other] {
            std::fs::create_dir(folder).expect("a folder");
        }
        let next = scratch(target.path()).expect("a folder");
        assert!(!dead.exists(), "swept");
        assert!(living.path().is_dir() && begun.is_dir() && other.is_dir() && next.path().is_dir());
        let path = next.path().to_path_buf();
        drop(next);
        assert!(!path.exists());
        assert!(target.path().join("CACHEDIR.TAG").is_file());
    }
}
