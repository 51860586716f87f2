//! Digests that earlier seals of a folder read, by everything the system says of a file. A convenience: nothing that certifies
//! asks it, and a cache that cannot be read is an empty one.
//!
//! It is never held against secrets of the environment, as no digest of a secret is kept anywhere: while such secrets
//! are known, every file is read.

use super::Read;
use portcullis::{Digest, RelPath, wire::receipt::Tool};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

const SCHEMA: &str = "portcullis.seal_cache.v1";
/// Two hundred thousand files with long names are less.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// What earlier seals of one folder read.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cache {
    schema: String,
    tool: Option<Tool>,
    /// Path, mark, digest; sorted by path.
    files: Vec<(String, String, Digest)>,
}

impl Cache {
    /// Where the digests of a folder lie below cargo's target directory. By its path, which need not be UTF-8.
    pub(crate) fn path(target_dir: &Path, folder: &Path) -> PathBuf {
        let name = Digest::of(folder.as_os_str().as_encoded_bytes());
        target_dir.join("portcullis/seals").join(format!("{}.json", name.short()))
    }

    /// Reads a cache. One that is absent, damaged or of another version knows nothing.
    pub(crate) fn open(path: &Path) -> Self {
        let Some(cache) = Self::read(path) else { return Self::default() };
        let is_sorted = cache.files.is_sorted_by(|a, b| a.0 < b.0);
        let is_ours = cache.schema == SCHEMA && cache.tool == Some(Tool::this());
        if is_sorted && is_ours { cache } else { Self::default() }
    }

    fn read(path: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// The digest of a file of which the system says what it said when the file was read.
    pub(super) fn get(&self, path: &RelPath, mark: &str) -> Option<Digest> {
        let at = self.files.binary_search_by(|file| file.0.as_str().cmp(path.as_str())).ok()?;
        let (_, known, digest) = self.files.get(at)?;
        (known == mark).then_some(*digest)
    }

    /// Keeps what a seal read, for the next one.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn keep(path: &Path, read: &[Read]) -> io::Result<()> {
        let files = read
            .iter()
            .filter_map(|file| Some((file.row.path.clone(), file.mark.clone()?, file.row.sha256)))
            .collect();
        let cache = Self { schema: SCHEMA.to_owned(), tool: Some(Tool::this()), files };
        let parent = path.parent().unwrap_or(path);
        fs::create_dir_all(parent)?;
        let mut file = tempfile::NamedTempFile::new_in(parent)?;
        file.write_all(&serde_json::to_vec(&cache)?)?;
        file.persist(path).map_err(|refused| refused.error)?;
        Ok(())
    }
}
