//! What a check may write besides its artifacts: expected output that a person accepts, and a folder for one attempt.

use super::{GateContext, GateError, World};
use crate::{
    evidence::tree::EntryKind,
    wire::{
        code::{BLESS_REFUSED, NOT_A_FILE, OUTPUT_UNWRITABLE},
        fault::{Fault, Location},
        path::RelPath,
    },
};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// A folder below cargo's target directory that is removed when it is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into it.
    ///
    /// # Errors
    /// `output_unwritable` when the disk refuses.
    pub fn write(&self, name: &RelPath, bytes: &[u8]) -> Result<PathBuf, Fault> {
        let path = self.folder.path().join(name.as_str());
        put(&path, bytes).map_err(|source| unwritable(name.as_str(), &source))?;
        Ok(path)
    }
}

impl GateContext<'_> {
    /// Whether this run accepts what it sees as expected: `PORTCULLIS_BLESS=1`.
    ///
    /// # Errors
    /// `bless_refused` when `CI` is set to anything at all: a machine that accepts its own output proves nothing.
    pub fn is_blessing(&self) -> Result<bool, GateError> {
        if self.env("PORTCULLIS_BLESS") != Some("1") {
            return Ok(false);
        }
        match self.env("CI") {
            None => Ok(true),
            Some(value) => {
                let remedy = "bless on your own machine, and commit the file for review";
                let headline = "expected output is never accepted in CI";
                let fault = Fault::new(BLESS_REFUSED, headline, remedy);
                self.watch(Err(fault.found(format!("CI={}", value.escape_debug()))))
            }
        }
    }

    /// Writes expected output that somebody asked to accept, whole or not at all.
    ///
    /// # Errors
    /// As [`GateContext::is_blessing`]; `link_refused` when a part of the path is a link; `output_unwritable`.
    pub fn bless(&self, path: &RelPath, bytes: &[u8]) -> Result<(), GateError> {
        if !self.is_blessing()? {
            let headline = format!("nobody asked to accept `{path}`");
            let fault = Fault::new(BLESS_REFUSED, headline, "set `PORTCULLIS_BLESS=1`");
            return self.watch(Err(fault));
        }
        self.watch(replace(self.world, path, bytes))?;
        self.note(format!("blessed `{path}`"));
        Ok(())
    }

    /// A new folder for this attempt, below cargo's target directory.
    ///
    /// # Errors
    /// `output_unwritable` when the disk refuses.
    pub fn scratch(&self) -> Result<Scratch, GateError> {
        let base = self.world.target_dir.join("portcullis/scratch");
        let made = fs::create_dir_all(&base)
            .and_then(|()| tempfile::Builder::new().prefix("attempt-").tempdir_in(&base))
            .map_err(|source| unwritable("portcullis/scratch", &source));
        self.watch(made).map(|folder| Scratch { folder })
    }
}

fn replace(world: &World, path: &RelPath, bytes: &[u8]) -> Result<(), Fault> {
    // The folders on the way are looked at one by one, since a link among them would lead elsewhere.
    let parts: Vec<&str> = path.as_str().split('/').collect();
    for end in 1..=parts.len() {
        let part = RelPath::parse(&parts[..end].join("/")).map_err(|source| {
            Fault::new(OUTPUT_UNWRITABLE, source.to_string(), "name a plain relative path")
        })?;
        match world.tree.kind(&part)? {
            None | Some(EntryKind::Dir) if end < parts.len() => {}
            None | Some(EntryKind::File) if end == parts.len() => {}
            None | Some(EntryKind::File | EntryKind::Dir | EntryKind::Link | EntryKind::Other) => {
                let headline = format!("`{part}` stands where `{path}` has to be written");
                return Err(
                    Fault::new(NOT_A_FILE, headline, "name another file").at(Location::file(path))
                );
            }
        }
    }
    put(&world.tree.root().join(path.as_str()), bytes)
        .map_err(|source| unwritable(path.as_str(), &source))
}

fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".portcullis-tmp-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Readable like any file of a repository; a temporary file is private otherwise.
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

fn unwritable(path: &str, source: &std::io::Error) -> Fault {
    Fault::new(
        OUTPUT_UNWRITABLE,
        format!("`{path}` cannot be written"),
        "let this user write there, or free some space",
    )
    .because(source)
}
