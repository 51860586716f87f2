//! The few ways a run directory is written. Leaves out where and why.

use crate::wire::{code::PATH_REFUSED, fault::Fault, path::RelPath};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// The largest document of ours that is read back into memory.
pub(super) const DOCUMENT_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// What a write promises about power loss. Both promise the same about a killed process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The system writes when it likes.
    #[default]
    Cached,
    /// Files and their folders are synced before their names appear.
    Synced,
}

/// The disk, with the number of writes it still accepts in tests.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    durability: Durability,
    #[cfg(test)]
    pub(super) writes_left: Option<std::sync::Arc<std::sync::atomic::AtomicI64>>,
}

impl Disk {
    pub(super) fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    #[cfg(test)]
    fn step(&self) -> io::Result<()> {
        let left = self
            .writes_left
            .as_ref()
            .map(|left| left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst));
        if left.is_some_and(|left| left <= 0) {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }

    #[cfg(not(test))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "the test build refuses writes here"
    )]
    fn step(&self) -> io::Result<()> {
        Ok(())
    }

    /// Creates one folder; that it exists already is an error.
    pub(super) fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        fs::create_dir(path)
    }

    /// Creates a folder and its parents.
    pub(super) fn create_dirs(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        fs::create_dir_all(path)
    }

    /// Makes a folder of a name that nobody else has.
    pub(super) fn temporary_dir(
        &self,
        builder: &tempfile::Builder<'_, '_>,
        within: &Path,
    ) -> io::Result<tempfile::TempDir> {
        self.step()?;
        builder.tempdir_in(within)
    }

    /// Gives a folder a name that only an empty folder may have; that anything else has it is an error.
    pub(super) fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs::rename(from, to)?;
        self.sync_parent(to)
    }

    /// Writes a new file in place. For directories with one writer: a cut file is a broken receipt, never a green one.
    pub(super) fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        self.sync(&file)?;
        self.sync_parent(path)
    }

    /// Makes a new file appear whole under its name; that the name exists already is an error.
    pub(super) fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.temporary(path, bytes)?;
        file.persist_noclobber(path).map_err(|refused| refused.error)?;
        self.sync_parent(path)
    }

    /// Makes a file appear whole under its name, in place of whatever stood there; a link is replaced, not followed.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.temporary(path, bytes)?;
        file.persist(path).map_err(|refused| refused.error)?;
        self.sync_parent(path)
    }

    /// Appends to a file of an attempt.
    pub(super) fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        file.write_all(bytes)?;
        self.sync(file)
    }

    fn temporary(&self, path: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
        self.step()?;
        let dir = path.parent().unwrap_or_else(|| Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".portcullis-tmp-");
        // Without this the document would keep the mode 0600 of a temporary file (fact A2).
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(dir)?;
        file.write_all(bytes)?;
        self.sync(file.as_file())?;
        self.step()?;
        Ok(file)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        match self.durability {
            Durability::Cached => Ok(()),
            Durability::Synced => file.sync_all(),
        }
    }

    fn sync_parent(&self, path: &Path) -> io::Result<()> {
        match (self.durability, path.parent()) {
            (Durability::Synced, Some(dir)) if cfg!(unix) => File::open(dir)?.sync_all(),
            (Durability::Synced | Durability::Cached, _) => Ok(()),
        }
    }
}

/// Reads the name of a file within a run.
pub(super) fn rel(name: &str) -> Result<RelPath, Fault> {
    RelPath::parse(name).map_err(|source| {
        Fault::new(
            PATH_REFUSED,
            source.to_string(),
            "name the file by a plain relative path with `/`",
        )
    })
}
