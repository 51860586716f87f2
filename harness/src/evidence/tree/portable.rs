//! Systems without `openat`: the metadata of every component is looked at without following it.
//!
//! A swap between look and open is possible here; the opened handle is checked once more.

use super::{EntryKind, Refusal, Stamp};
use crate::wire::path::RelPath;
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// The root.
pub(super) struct Root {
    path: PathBuf,
}

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        fs::read_dir(&path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file; returns it with its size and its number of names, which std does not tell here.
    pub(super) fn open_file(&self, path: &RelPath) -> Result<(fs::File, u64, u64), Refusal> {
        let (full, kind) = self.checked(path.as_str())?;
        match kind {
            EntryKind::File => {}
            EntryKind::Dir => return Err(Refusal::Kind("a directory")),
            EntryKind::Link => return Err(Refusal::Link(path.file_name().to_owned())),
            EntryKind::Other => return Err(Refusal::Kind("something unknown")),
        }
        let file = fs::File::open(full).map_err(refusal)?;
        let metadata = file.metadata().map_err(refusal)?;
        if !metadata.is_file() {
            return Err(Refusal::Kind("something unknown"));
        }
        Ok((file, metadata.len(), 1))
    }

    pub(super) fn kind(&self, path: &RelPath) -> Result<EntryKind, Refusal> {
        self.checked(path.as_str()).map(|(_, kind)| kind)
    }

    /// Returns names and kinds in no order; `dir` is empty for the root.
    pub(super) fn read_dir(&self, dir: &str) -> Result<Vec<(OsString, EntryKind)>, Refusal> {
        let full = if dir.is_empty() {
            self.path.clone()
        } else {
            match self.checked(dir)? {
                (full, EntryKind::Dir) => full,
                (_, EntryKind::Link) => return Err(Refusal::Link(dir.to_owned())),
                (_, EntryKind::File | EntryKind::Other) => return Err(Refusal::Absent),
            }
        };
        let mut entries = Vec::new();
        for entry in fs::read_dir(full).map_err(refusal)? {
            let entry = entry.map_err(refusal)?;
            entries.push((entry.file_name(), kind_of(entry.file_type().map_err(refusal)?)));
        }
        Ok(entries)
    }

    fn checked(&self, path: &str) -> Result<(PathBuf, EntryKind), Refusal> {
        let (mut full, mut kind) = (self.path.clone(), EntryKind::Dir);
        for part in path.split('/') {
            match kind {
                EntryKind::Dir => {}
                EntryKind::Link => return Err(Refusal::Link(full.display().to_string())),
                EntryKind::File | EntryKind::Other => return Err(Refusal::Absent),
            }
            full.push(part);
            kind = kind_of(fs::symlink_metadata(&full).map_err(refusal)?.file_type());
        }
        Ok((full, kind))
    }
}

fn refusal(source: io::Error) -> Refusal {
    if source.kind() == io::ErrorKind::NotFound || source.kind() == io::ErrorKind::NotADirectory {
        Refusal::Absent
    } else {
        Refusal::Io(source)
    }
}

fn kind_of(kind: fs::FileType) -> EntryKind {
    if kind.is_symlink() {
        EntryKind::Link
    } else if kind.is_dir() {
        EntryKind::Dir
    } else if kind.is_file() {
        EntryKind::File
    } else {
        EntryKind::Other
    }
}

/// Opens files one after another. Without `openat` there is no handle to share.
pub(super) struct Siblings<'r>(&'r Root);

impl<'r> Siblings<'r> {
    pub(super) fn of(root: &'r Root) -> Self {
        Self(root)
    }

    /// As [`Root::open_file`].
    pub(super) fn open_file(&mut self, path: &RelPath) -> Result<(fs::File, u64, u64), Refusal> {
        self.0.open_file(path)
    }
}

impl Siblings<'_> {
    /// What the system says of a regular file, which is not opened.
    pub(super) fn stamp(&mut self, path: &RelPath) -> Result<Stamp, Refusal> {
        let (full, kind) = self.0.checked(path.as_str())?;
        match kind {
            EntryKind::File => Ok(stamp(&fs::symlink_metadata(full).map_err(refusal)?)),
            EntryKind::Dir => Err(Refusal::Kind("a directory")),
            EntryKind::Link => Err(Refusal::Link(path.file_name().to_owned())),
            EntryKind::Other => Err(Refusal::Kind("something unknown")),
        }
    }
}

/// What the system says of an opened file.
pub(super) fn stamp_of(file: &fs::File) -> io::Result<Stamp> {
    Ok(stamp(&file.metadata()?))
}

/// std tells no time here that programs cannot set, so such a stamp only shows that a file changed, never that it did not.
fn stamp(metadata: &fs::Metadata) -> Stamp {
    let modified = metadata.modified().map_or_else(|_| String::new(), |time| format!("{time:?}"));
    Stamp {
        bytes: metadata.len(),
        names: 1,
        changed_ns: None,
        mark: format!("{:x}.{modified}", metadata.len()),
    }
}
