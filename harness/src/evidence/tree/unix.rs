//! Unix: every component is opened relative to the one before, with `O_NOFOLLOW`.

use super::{EntryKind, Refusal, Stamp};
use crate::wire::path::RelPath;
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

const DIR: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
// Without O_NONBLOCK a pipe nobody writes to would block the run for ever.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// The opened root.
pub(super) struct Root {
    path: PathBuf,
    handle: OwnedFd,
}

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        let handle = rustix::fs::open(
            &path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        Ok(Self { path, handle })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file; returns it with its size and its number of names.
    pub(super) fn open_file(&self, path: &RelPath) -> Result<(fs::File, u64, u64), Refusal> {
        let (dir, name) = self.parent(path)?;
        Self::open_in(dir.as_ref().map_or_else(|| self.handle.as_fd(), AsFd::as_fd), name)
    }

    fn open_in(dir: BorrowedFd<'_>, name: &str) -> Result<(fs::File, u64, u64), Refusal> {
        let handle = match retry(|| openat(dir, name, FILE, Mode::empty())) {
            Ok(handle) => handle,
            Err(errno) => return Err(classify(dir, name, errno)),
        };
        let stat = retry(|| fstat(&handle)).map_err(|errno| Refusal::Io(errno.into()))?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if !kind.is_file() {
            return Err(Refusal::Kind(noun(kind)));
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        // The width of st_nlink differs between systems.
        #[allow(
            clippy::allow_attributes,
            clippy::useless_conversion,
            clippy::unnecessary_fallible_conversions,
            reason = "a width per system"
        )]
        let names = u64::try_from(stat.st_nlink).unwrap_or(u64::MAX);
        Ok((fs::File::from(handle), size, names))
    }

    pub(super) fn kind(&self, path: &RelPath) -> Result<EntryKind, Refusal> {
        let (dir, name) = self.parent(path)?;
        let dir = dir.as_ref().map_or_else(|| self.handle.as_fd(), AsFd::as_fd);
        match retry(|| statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(stat) => Ok(kind_of(FileType::from_raw_mode(stat.st_mode))),
            Err(errno) => Err(absent_or_io(errno)),
        }
    }

    /// Returns names and kinds in no order; `dir` is empty for the root.
    pub(super) fn read_dir(&self, dir: &str) -> Result<Vec<(OsString, EntryKind)>, Refusal> {
        let opened = if dir.is_empty() { None } else { self.descend(dir.split('/'))? };
        let handle = opened.as_ref().map_or_else(|| self.handle.as_fd(), AsFd::as_fd);
        let io = |errno: Errno| Refusal::Io(errno.into());
        let mut entries = Vec::new();
        for entry in Dir::read_from(handle).map_err(io)? {
            let entry = entry.map_err(io)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                let stat =
                    statat(handle, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW).map_err(io)?;
                kind = FileType::from_raw_mode(stat.st_mode);
            }
            entries.push((OsStr::from_bytes(name).to_owned(), kind_of(kind)));
        }
        Ok(entries)
    }

    fn parent<'p>(&self, path: &'p RelPath) -> Result<(Option<OwnedFd>, &'p str), Refusal> {
        match path.as_str().rsplit_once('/') {
            None => Ok((None, path.as_str())),
            Some((dir, name)) => Ok((self.descend(dir.split('/'))?, name)),
        }
    }

    fn descend<'p>(
        &self,
        parts: impl Iterator<Item = &'p str>,
    ) -> Result<Option<OwnedFd>, Refusal> {
        let mut current: Option<OwnedFd> = None;
        for part in parts {
            let dir = current.as_ref().map_or_else(|| self.handle.as_fd(), AsFd::as_fd);
            let next = match retry(|| openat(dir, part, DIR, Mode::empty())) {
                Ok(next) => next,
                Err(errno) => return Err(classify(dir, part, errno)),
            };
            current = Some(next);
        }
        Ok(current)
    }
}

/// Opens files one after another; neighbours share the handle of their folder.
///
/// For one pass over a sorted list, not for longer: a folder that is exchanged meanwhile stays the one it was.
pub(super) struct Siblings<'r> {
    root: &'r Root,
    folder: Option<(String, OwnedFd)>,
}

impl<'r> Siblings<'r> {
    pub(super) fn of(root: &'r Root) -> Self {
        Self { root, folder: None }
    }

    /// As [`Root::open_file`].
    pub(super) fn open_file(&mut self, path: &RelPath) -> Result<(fs::File, u64, u64), Refusal> {
        let (folder, name) = self.folder_of(path)?;
        Root::open_in(folder, name)
    }

    /// What the system says of a regular file, which is not opened.
    pub(super) fn stamp(&mut self, path: &RelPath) -> Result<Stamp, Refusal> {
        let (folder, name) = self.folder_of(path)?;
        let stat = retry(|| statat(folder, name, AtFlags::SYMLINK_NOFOLLOW));
        let stat = stat.map_err(absent_or_io)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(stamp(&stat)),
            FileType::Symlink => Err(Refusal::Link(name.to_owned())),
            kind @ (FileType::Directory
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown) => Err(Refusal::Kind(noun(kind))),
        }
    }

    fn folder_of<'p>(&mut self, path: &'p RelPath) -> Result<(BorrowedFd<'_>, &'p str), Refusal> {
        let Some((folder, name)) = path.as_str().rsplit_once('/') else {
            return Ok((self.root.handle.as_fd(), path.as_str()));
        };
        if self.folder.as_ref().is_none_or(|(open, _)| open != folder) {
            let handle = self.root.descend(folder.split('/'))?;
            self.folder = handle.map(|handle| (folder.to_owned(), handle));
        }
        let handle = self.folder.as_ref().map(|(_, handle)| handle.as_fd());
        Ok((handle.unwrap_or_else(|| self.root.handle.as_fd()), name))
    }
}

/// What the system says of an opened file.
pub(super) fn stamp_of(file: &fs::File) -> io::Result<Stamp> {
    Ok(stamp(&retry(|| fstat(file))?))
}

/// The widths of these fields differ between systems, so all of them become the widest.
fn stamp(stat: &Stat) -> Stamp {
    let ns = |seconds: i128, ns: i128| seconds * 1_000_000_000 + ns;
    let changed_ns = ns(i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec));
    let modified_ns = ns(i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec));
    let (device, number) = (i128::from(stat.st_dev), i128::from(stat.st_ino));
    let (mode, names, bytes) =
        (i128::from(stat.st_mode), i128::from(stat.st_nlink), i128::from(stat.st_size));
    Stamp {
        bytes: u64::try_from(bytes).unwrap_or(0),
        names: u64::try_from(names).unwrap_or(u64::MAX),
        changed_ns: Some(changed_ns),
        mark: format!(
            "{device:x}.{number:x}.{mode:o}.{names}.{bytes:x}.{modified_ns:x}.{changed_ns:x}"
        ),
    }
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            done => return done,
        }
    }
}

/// The open has failed already, so this look at the name only words the message.
fn classify(dir: BorrowedFd<'_>, name: &str, errno: Errno) -> Refusal {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        .map(|stat| FileType::from_raw_mode(stat.st_mode))
    {
        Ok(FileType::Symlink) => Refusal::Link(name.to_owned()),
        Ok(kind) if errno == Errno::NXIO => Refusal::Kind(noun(kind)),
        Ok(_) | Err(_) => absent_or_io(errno),
    }
}

fn absent_or_io(errno: Errno) -> Refusal {
    if errno == Errno::NOENT || errno == Errno::NOTDIR {
        Refusal::Absent
    } else {
        Refusal::Io(errno.into())
    }
}

fn kind_of(kind: FileType) -> EntryKind {
    match kind {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Dir,
        FileType::Symlink => EntryKind::Link,
        FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => EntryKind::Other,
    }
}

fn noun(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "a regular file",
        FileType::Directory => "a directory",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "something unknown",
    }
}
