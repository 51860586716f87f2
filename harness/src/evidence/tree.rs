//! The repository's files, opened component by component and never through a link. Leaves out what they mean.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;
mod walk;

#[cfg(not(unix))]
use portable as system;
#[cfg(unix)]
use unix as system;

use super::digest;
use crate::wire::{
    code::{INPUT_TOO_LARGE, INPUT_UNREADABLE, LINK_REFUSED, NOT_A_FILE, PATH_REFUSED},
    fault::{Fault, Location},
    id::Digest,
    ordered,
    path::RelPath,
};
use std::{
    fs,
    io::{self, Read},
    num::NonZeroUsize,
    path::Path,
    sync::Arc,
    thread,
};

/// A folder and everything below it, held open so that it cannot be exchanged between two readings.
#[derive(Clone)]
pub struct Tree(Arc<system::Root>);

/// Whether a file with a second name may be opened (threat T27: run directories and evidence refuse it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HardLinks {
    /// A file may have several names, as files of a package cache do.
    Allow,
    /// A second name is `link_refused`: whoever holds it can change what was hashed.
    Refuse,
}

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link, or a junction.
    Link,
    /// A pipe, socket or device.
    Other,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its path below the root.
    pub path: RelPath,
    /// What it is; links are not followed.
    pub kind: EntryKind,
}

/// What the system says of a regular file besides its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its size.
    pub bytes: u64,
    /// How many names it has; 1 where the system does not tell.
    pub names: u64,
    /// When content or metadata last changed, in nanoseconds since 1970: the time that no program can set, and the only
    /// one that shows an edit whose modification time was put back. Absent where the system tells no such time.
    pub changed_ns: Option<i128>,
    /// All of it as one text: device, number, mode, names, size and both times. It is compared, never read.
    pub mark: String,
}

impl Stamp {
    /// What the system says of an opened file now.
    ///
    /// # Errors
    /// Those of the system.
    pub fn of(file: &fs::File) -> io::Result<Self> {
        system::stamp_of(file)
    }
}

/// Opens files one after another; neighbours share the handle of their folder.
///
/// For one pass over a sorted list, not for longer: a folder that is exchanged meanwhile stays the one it was.
pub struct Pass<'t>(system::Siblings<'t>);

impl Pass<'_> {
    /// Opens a regular file that has one name.
    ///
    /// # Errors
    /// As [`Tree::open`] where hard links are refused.
    pub fn open(&mut self, path: &RelPath) -> Result<fs::File, Fault> {
        let (file, _, names) = self.0.open_file(path).map_err(|refusal| fault_of(refusal, path))?;
        one_name(path, names).map(|()| file)
    }

    /// What the system says of a regular file that has one name. It is not opened.
    ///
    /// # Errors
    /// As [`Pass::open`].
    pub fn stamp(&mut self, path: &RelPath) -> Result<Stamp, Fault> {
        let stamp = self.0.stamp(path).map_err(|refusal| fault_of(refusal, path))?;
        one_name(path, stamp.names).map(|()| stamp)
    }
}

fn one_name(path: &RelPath, names: u64) -> Result<(), Fault> {
    if names > 1 { Err(fault_of(Refusal::HardLinked(names), path)) } else { Ok(()) }
}

/// Why the system did not open something. The shared vocabulary of the two implementations.
enum Refusal {
    /// Nothing of this name exists, or a part before it is not a directory.
    Absent,
    /// The named part is a link.
    Link(String),
    /// There is something else than asked for.
    Kind(&'static str),
    /// The file has this many names.
    HardLinked(u64),
    /// The system said no.
    Io(io::Error),
}

impl Tree {
    /// Opens a folder as a root. The root itself may be reached through links; nothing below it may.
    ///
    /// # Errors
    /// `input_unreadable` when it does not exist or is not a folder.
    pub fn new(root: &Path) -> Result<Self, Fault> {
        let unreadable = |source: &io::Error| {
            Fault::new(
                INPUT_UNREADABLE,
                format!("the folder `{}` cannot be opened", root.display()),
                "name an existing folder that this user may read",
            )
            .expected("the root of the repository")
            .because(source)
        };
        system::Root::open(root)
            .map(|root| Self(Arc::new(root)))
            .map_err(|source| unreadable(&source))
    }

    /// The root as an absolute path.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// Opens a regular file without following a link at any component; returns at once for pipes and devices.
    ///
    /// # Errors
    /// `input_unreadable` (also when it does not exist), `link_refused`, `not_a_file`.
    pub fn open(&self, path: &RelPath, links: HardLinks) -> Result<fs::File, Fault> {
        self.open_sized(path, links).map(|(file, _)| file)
    }

    /// Digest and size of each of these files, in their order; the work is shared among `threads`.
    ///
    /// # Errors
    /// As [`Tree::open`], of the first file in order that has a fault.
    pub fn digests(
        &self,
        paths: &[RelPath],
        threads: NonZeroUsize,
    ) -> Result<Vec<(Digest, u64)>, Fault> {
        let share = paths.len().div_ceil(threads.get()).max(1);
        let shares: Vec<Result<Vec<_>, Fault>> = thread::scope(|scope| {
            // All are started before the first is waited for.
            let workers: Vec<_> =
                paths.chunks(share).map(|paths| scope.spawn(|| self.digest_each(paths))).collect();
            let lost = || Fault::new(INPUT_UNREADABLE, "a reader panicked", "report this as a bug");
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|_| Err(lost())))
                .collect()
        });
        let mut digests = Vec::with_capacity(paths.len());
        for share in shares {
            digests.extend(share?);
        }
        Ok(digests)
    }

    /// Begins a pass over a sorted list of files.
    #[must_use]
    pub fn pass(&self) -> Pass<'_> {
        Pass(system::Siblings::of(&self.0))
    }

    fn digest_each(&self, paths: &[RelPath]) -> Result<Vec<(Digest, u64)>, Fault> {
        let mut siblings = system::Siblings::of(&self.0);
        let digest = |path: &RelPath| {
            let (file, _, _) =
                siblings.open_file(path).map_err(|refusal| fault_of(refusal, path))?;
            digest::of_reader(file).map_err(|source| fault_of(Refusal::Io(source), path))
        };
        paths.iter().map(digest).collect()
    }

    fn open_sized(&self, path: &RelPath, links: HardLinks) -> Result<(fs::File, u64), Fault> {
        let (file, bytes, names) =
            self.0.open_file(path).map_err(|refusal| fault_of(refusal, path))?;
        if links == HardLinks::Refuse {
            one_name(path, names)?;
        }
        Ok((file, bytes))
    }

    /// Reads a whole file of at most `cap_bytes`: one open, so what is hashed is what is parsed (threat T29).
    ///
    /// # Errors
    /// As [`Tree::open`]; `input_too_large` with limit and size.
    pub fn read(&self, path: &RelPath, cap_bytes: u64) -> Result<Vec<u8>, Fault> {
        self.read_with(path, cap_bytes, HardLinks::Allow)
    }

    /// Like [`Tree::read`], with a choice about hard links.
    ///
    /// # Errors
    /// As [`Tree::read`]; `link_refused` for a second name.
    pub fn read_with(
        &self,
        path: &RelPath,
        cap_bytes: u64,
        links: HardLinks,
    ) -> Result<Vec<u8>, Fault> {
        let (file, size) = self.open_sized(path, links)?;
        if size > cap_bytes {
            return Err(too_large(path, cap_bytes, &format!("{size} bytes")));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
        // The file may grow while it is read, so the cap is held once more.
        let read = file.take(cap_bytes.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|source| fault_of(Refusal::Io(source), path))?;
        if bytes.len() as u64 > cap_bytes {
            return Err(too_large(path, cap_bytes, "a file that grows"));
        }
        Ok(bytes)
    }

    /// Reads a whole text: UTF-8 without a byte order mark.
    ///
    /// # Errors
    /// As [`Tree::read`]; `not_utf8` with the place.
    pub fn read_text(&self, path: &RelPath, cap_bytes: u64) -> Result<String, Fault> {
        utf8(self.read(path, cap_bytes)?, path)
    }

    /// Whether anything of this name exists. Only "no such name" is no.
    ///
    /// # Errors
    /// Whatever keeps the answer from being known, a link on the way included.
    pub fn exists(&self, path: &RelPath) -> Result<bool, Fault> {
        self.kind(path).map(|kind| kind.is_some())
    }

    /// What stands at this path; nothing when the name does not exist.
    ///
    /// # Errors
    /// `link_refused` for a link at or before it; `input_unreadable` when the system says no.
    pub fn kind(&self, path: &RelPath) -> Result<Option<EntryKind>, Fault> {
        match self.0.kind(path) {
            Ok(EntryKind::Link) => Err(fault_of(Refusal::Link(path.file_name().to_owned()), path)),
            Ok(kind @ (EntryKind::File | EntryKind::Dir | EntryKind::Other)) => Ok(Some(kind)),
            Err(Refusal::Absent) => Ok(None),
            Err(
                refusal @ (Refusal::Link(_)
                | Refusal::Kind(_)
                | Refusal::HardLinked(_)
                | Refusal::Io(_)),
            ) => Err(fault_of(refusal, path)),
        }
    }

    /// Returns the entries of a directory by name; the root's for no path. Links are shown, not followed.
    ///
    /// # Errors
    /// As [`Tree::open`] for the directory; `path_refused` for a name that no record could carry.
    pub fn list_dir(&self, path: Option<&RelPath>) -> Result<Vec<Entry>, Fault> {
        let dir = path.map_or("", RelPath::as_str);
        let mut entries = Vec::new();
        for (name, kind) in self.0.read_dir(dir).map_err(|refusal| fault_at(refusal, dir))? {
            let below = join(dir, &name.to_string_lossy());
            let whole = name.to_str().is_some();
            match RelPath::parse(&below) {
                Ok(path) if whole => entries.push(Entry { path, kind }),
                Ok(_) => return Err(name_refused(&below, "has a name that is not UTF-8")),
                Err(refused) => return Err(name_refused(&below, refused.rule)),
            }
        }
        ordered::sort(&mut entries);
        Ok(entries)
    }
}

/// Turns the bytes of a file into text: UTF-8 without a byte order mark.
///
/// # Errors
/// `not_utf8` with the place.
pub fn utf8(bytes: Vec<u8>, path: &RelPath) -> Result<String, Fault> {
    super::json::text_of(&bytes, path.as_str())?;
    // The bytes were checked just above, so nothing can be lost here.
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

fn name_refused(path: &str, rule: &str) -> Fault {
    let shown: String = path.chars().take(200).collect();
    Fault::new(
        PATH_REFUSED,
        format!("path `{}` {rule}", shown.escape_debug()),
        "rename the file, or exclude its folder with a `!` glob",
    )
    .expected("names that mean the same file on every system")
}

fn too_large(path: &RelPath, cap_bytes: u64, found: &str) -> Fault {
    Fault::new(
        INPUT_TOO_LARGE,
        format!("`{path}` is larger than may be read"),
        "make the file smaller, or raise the limit in the policy",
    )
    .at(Location::file(path))
    .expected(format!("at most {cap_bytes} bytes"))
    .found(found)
}

fn fault_of(refusal: Refusal, path: &RelPath) -> Fault {
    fault_at(refusal, path.as_str())
}

fn fault_at(refusal: Refusal, path: &str) -> Fault {
    let fault = match refusal {
        Refusal::Absent => Fault::new(
            INPUT_UNREADABLE,
            format!("`{path}` does not exist"),
            "write the file, or correct the path where it is named",
        )
        .expected("a regular file")
        .found("no such file"),
        Refusal::Link(part) => Fault::new(
            LINK_REFUSED,
            format!("`{path}` passes through a symbolic link"),
            "replace the link by what it points at, or exclude it with a `!` glob",
        )
        .expected("regular files and folders only")
        .found(format!("the part `{}` is a link", part.escape_debug())),
        Refusal::Kind(kind) => {
            Fault::new(NOT_A_FILE, format!("`{path}` is not a regular file"), "name a regular file")
                .expected("a regular file")
                .found(kind)
        }
        Refusal::HardLinked(names) => Fault::new(
            LINK_REFUSED,
            format!("`{path}` has more than one name"),
            "copy the file instead of linking it",
        )
        .expected("a file with one name")
        .found(format!("{names} hard links")),
        Refusal::Io(source) => Fault::new(
            INPUT_UNREADABLE,
            format!("`{path}` cannot be read"),
            "make the file readable for this user, then run again",
        )
        .expected("a readable file")
        .because(&source),
    };
    fault.at(Location::file(path))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests build their files in place")]
mod tests;
