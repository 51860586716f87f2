//! A file of the repository as a gate sees it: read once, hashed as read, recorded as evidence.

use super::{Trace, World};
use crate::{
    evidence::{
        digest, json,
        lines::{Lines, Mark, TornTail},
        tree::{HardLinks, Tree},
    },
    wire::{fault::Fault, id::Digest, path::RelPath},
};
use std::io::{BufReader, Read};

/// The most that is read into memory from one file (`security.md`, section 4).
const ARTIFACT_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A path of the repository that can be read. What is read is recorded.
pub struct File<'a> {
    world: &'a World,
    trace: &'a Trace,
    /// Another tree than the repository, with the mark that its paths carry in the evidence.
    elsewhere: Option<Tree>,
    path: RelPath,
}

impl<'a> File<'a> {
    pub(super) fn new(world: &'a World, trace: &'a Trace, path: RelPath) -> Self {
        Self { world, trace, elsewhere: None, path }
    }

    pub(super) fn elsewhere(world: &'a World, trace: &'a Trace, tree: Tree, path: RelPath) -> Self {
        Self { world, trace, elsewhere: Some(tree), path }
    }

    fn tree(&self) -> &Tree {
        self.elsewhere.as_ref().unwrap_or(&self.world.tree)
    }

    fn record(&self, sha256: Option<Digest>, bytes: u64) {
        match self.elsewhere {
            Some(_) => self.trace.read(&format!("@run/{}", self.path), sha256, bytes),
            None => self.trace.read(self.path.as_str(), sha256, bytes),
        }
    }

    /// Its path relative to the repository root.
    #[must_use]
    pub fn path(&self) -> &RelPath {
        &self.path
    }

    /// Whether it exists. Absence is recorded as evidence, too.
    ///
    /// # Errors
    /// When the system does not say, or a parent is a link.
    pub fn exists(&self) -> Result<bool, Fault> {
        let found = self.trace.watch(self.tree().exists(&self.path))?;
        if !found {
            self.record(None, 0);
        }
        Ok(found)
    }

    /// Its bytes, at most 16 MiB.
    ///
    /// # Errors
    /// When it is absent, too large, a link, or not a regular file.
    pub fn bytes(&self) -> Result<Vec<u8>, Fault> {
        let bytes = self.trace.watch(self.tree().read(&self.path, ARTIFACT_MAX_BYTES))?;
        self.record(Some(Digest::of(&bytes)), bytes.len() as u64);
        Ok(bytes)
    }

    /// Its text, at most 16 MiB of UTF-8 without byte order mark.
    ///
    /// # Errors
    /// As [`File::bytes`], and `not_utf8`.
    pub fn text(&self) -> Result<String, Fault> {
        let bytes = self.bytes()?;
        self.trace.watch(crate::evidence::tree::utf8(bytes, &self.path))
    }

    /// Its JSON value: no duplicate keys, bounded depth and size, numbers that are exact.
    ///
    /// # Errors
    /// As [`File::bytes`], and the JSON faults with line and column.
    pub fn json(&self) -> Result<serde_json::Value, Fault> {
        let bytes = self.bytes()?;
        self.trace.watch(json::parse(&bytes, self.path.as_str()))
    }

    /// Its digest, streamed; any size.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn digest(&self) -> Result<Digest, Fault> {
        self.digest_and_size().map(|(digest, _)| digest)
    }

    /// Its digest and how many bytes were hashed; any size.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn digest_and_size(&self) -> Result<(Digest, u64), Fault> {
        let file = self.trace.watch(self.tree().open(&self.path, HardLinks::Allow))?;
        let read = digest::of_reader(file).map_err(|source| {
            super::unreadable(&self.path, "a file could not be read", "check the disk")
                .because(&source)
        });
        let (digest, bytes) = self.trace.watch(read)?;
        self.record(Some(digest), bytes);
        Ok((digest, bytes))
    }

    /// Streams its lines through `each` in bounded memory; the digest is recorded when the end is reached.
    ///
    /// # Errors
    /// The faults of reading, and the first fault `each` returns.
    pub fn each_line(
        &self,
        torn_tail: TornTail,
        each: impl FnMut(u64, &str) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.stream(torn_tail, Mark::Refuse, each)
    }

    /// As [`File::each_line`], for files that other programs export: they may begin with a byte order mark.
    ///
    /// # Errors
    /// As [`File::each_line`]; a torn last line is one.
    pub fn each_exported_line(
        &self,
        each: impl FnMut(u64, &str) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.stream(TornTail::Refuse, Mark::Strip, each)
    }

    fn stream(
        &self,
        torn_tail: TornTail,
        mark: Mark,
        mut each: impl FnMut(u64, &str) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let file = self.trace.watch(self.tree().open(&self.path, HardLinks::Allow))?;
        let mut hashing = Hashing { inner: file, hasher: digest::Hasher::new(), bytes: 0 };
        {
            let mut lines = Lines::new(
                BufReader::with_capacity(256 * 1024, &mut hashing),
                self.path.as_str(),
                torn_tail,
            )
            .mark(mark);
            while let Some(line) = self.trace.watch(lines.next_line())? {
                each(line.number, line.text)?;
            }
        }
        self.record(Some(hashing.hasher.finish()), hashing.bytes);
        Ok(())
    }
}

/// Hashes what passes through, so that the recorded digest is of the bytes that were used.
struct Hashing<R> {
    inner: R,
    hasher: digest::Hasher,
    bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
}
