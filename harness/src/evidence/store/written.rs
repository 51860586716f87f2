//! What one process wrote into a run of its own, hashed on the way. Leaves out what others wrote.

use super::manifest::ManifestFile;
use crate::wire::{fault::Fault, id::Digest, ordered::VecMap};
use std::sync::{Mutex, PoisonError};

/// The files of a run that has a single writer, as they were written.
///
/// Sealing from this reads nothing again: a file that was changed, added or lost in between differs from what was
/// written, and whoever verifies the seal sees it.
#[derive(Debug, Default)]
pub(super) struct Written(Mutex<VecMap<String, (Digest, u64)>>);

impl Written {
    /// Notes the content of a file, in place of what it was before.
    pub(super) fn note(&self, path: String, sha256: Digest, bytes: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path, (sha256, bytes));
    }

    /// Every file, by path.
    pub(super) fn files(&self) -> Result<Vec<ManifestFile>, Fault> {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = |(path, (sha256, bytes)): &(String, (Digest, u64))| {
            Ok(ManifestFile { path: super::disk::rel(path)?, sha256: *sha256, bytes: *bytes })
        };
        written.iter().map(file).collect()
    }
}
