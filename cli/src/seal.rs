//! Sealed folders: evidence that no run made, as its digests hold it. Leaves out runs, which `portcullis::evidence::store` seals.
//!
//! `manifest.json` lists every file, `seal.json` holds the digest of the manifest; both appear whole or not at all, the
//! seal last. What is between the two is a folder without a seal, or one whose seal does not fit: never a good one.

mod cache;
mod check;
mod listing;
mod reading;
mod scan;

pub(crate) use cache::Cache;
pub(crate) use check::{Checked, check, is_sealed};
pub(crate) use listing::{Alike, files, refused};
pub(crate) use reading::{Asked, Begun, Read, read};

use portcullis::{
    Digest, Fault, Location, Mode, RelPath, RunId,
    evidence::{
        json,
        store::{MANIFEST_SCHEMA, RUN_SCHEMA},
        tree::{HardLinks, Tree},
    },
    kernel::recorded::INPUTS_SCHEMA,
    wire::{
        artifact::{self, Document},
        code::{INPUT_UNREADABLE, RECEIPT_UNWRITABLE, SCHEMA_UNSUPPORTED, SEAL_BROKEN},
        receipt::{Clock, Envelope, Source, Tool},
        time::Instant,
    },
};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
};

/// The list of files.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The record with the digest of the list.
pub(crate) const SEAL: &str = "seal.json";
/// The schema of `seal.json`.
pub(crate) const SEAL_SCHEMA: &str = "portcullis.seal.v1";
/// What a file is called while it is written.
pub(crate) const TEMPORARY: &str = ".portcullis-tmp-";
/// No seal is larger.
const SEAL_MAX_BYTES: u64 = 64 * 1024;
/// No other document whose schema is asked for is larger: the inputs of a run hold its policy and its waivers.
const DOCUMENT_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Two hundred thousand files with long names are less.
const MANIFEST_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Where the digest of a file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum From {
    /// The file was read for this seal.
    Read,
    /// An earlier seal read it, and the system says that nothing of it changed since.
    Cache,
}

/// A file of a sealed folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Size in bytes.
    pub bytes: u64,
    /// Where the digest comes from.
    pub digest_from: From,
    /// Path relative to the folder. A text until it was looked at: a manifest may come from anybody.
    pub path: String,
    /// SHA-256 of the content.
    pub sha256: Digest,
}

artifact::sorted!(Row);

/// `manifest.json` of a folder: that of a run, with the source of each digest. Without flattened parts, so that a long
/// list is read row by row.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    schema: String,
    run_id: RunId,
    generated_at: Instant,
    source: Source,
    tool: Tool,
    mode: Mode,
    clock: Clock,
    /// Whether every file was read for this seal, as a certificate asks.
    pub certified: bool,
    /// The seal that the folder had before.
    #[serde(default)]
    pub reseals: Option<Digest>,
    /// Its files, sorted by path.
    pub files: Vec<Row>,
}

/// What a manifest says besides its header and its files.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Terms {
    /// As [`Manifest::certified`].
    pub certified: bool,
    /// As [`Manifest::reseals`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reseals: Option<Digest>,
}

/// `seal.json`.
#[derive(Debug, Serialize)]
struct Seal {
    #[serde(flatten)]
    envelope: Envelope,
    manifest_sha256: Digest,
    certified: bool,
    files: usize,
    bytes: u64,
}

impl Manifest {
    /// The header of the document.
    fn envelope(&self) -> Envelope {
        Envelope {
            schema: self.schema.clone(),
            run_id: self.run_id.clone(),
            generated_at: self.generated_at,
            source: self.source.clone(),
            tool: self.tool.clone(),
            mode: self.mode,
            clock: self.clock.clone(),
        }
    }

    /// Reads the bytes of a manifest.
    fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let broken = |source: &serde_json::Error| {
            broken(MANIFEST, "the manifest of a sealed folder cannot be read").because(source)
        };
        let head: Head = serde_json::from_slice(bytes).map_err(|source| broken(&source))?;
        if head.schema != MANIFEST_SCHEMA {
            return Err(unsupported(MANIFEST, MANIFEST_SCHEMA, &head.schema));
        }
        serde_json::from_slice(bytes).map_err(|source| broken(&source))
    }
}

/// What `seal.json` has to say beside a manifest.
fn seal_of(envelope: &Envelope, certified: bool, rows: &[Row], manifest: Digest) -> Seal {
    Seal {
        envelope: envelope.with_schema(SEAL_SCHEMA),
        manifest_sha256: manifest,
        certified,
        files: rows.len(),
        bytes: rows.iter().map(|row| row.bytes).fold(0, u64::saturating_add),
    }
}

/// Writes the manifest, then the seal, and returns the digest of the manifest.
///
/// # Errors
/// `receipt_unwritable` when the disk refuses; `seal_conflict` when another process sealed the folder meanwhile.
pub(crate) fn write(
    folder: &Path,
    envelope: &Envelope,
    terms: Terms,
    rows: &[Row],
) -> Result<Digest, Fault> {
    let unrendered = |source: serde_json::Error| {
        Fault::new(RECEIPT_UNWRITABLE, "a seal cannot be rendered", "report this as a bug")
            .because(&source)
    };
    let manifest = Document::of(&envelope.with_schema(MANIFEST_SCHEMA))
        .and_then(|document| document.with(&terms))
        .map(|document| document.rows("files", rows, |row| row))
        .and_then(|document| artifact::of_sorted(&document))
        .map_err(unrendered)?;
    let digest = Digest::of(manifest.as_bytes());
    let seal = artifact::document(&seal_of(envelope, terms.certified, rows, digest));
    let seal = seal.map_err(unrendered)?;
    for (name, text) in [(MANIFEST, &manifest), (SEAL, &seal)] {
        put(folder, name, text).map_err(|source| unwritable(folder, name, &source))?;
    }
    Ok(digest)
}

/// Makes a file appear whole under its name.
fn put(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let mut file = temporary(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map_err(|refused| refused.error)?;
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A new file in the folder, which goes when it is dropped.
fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    // Without this a document would keep the mode 0600 of a temporary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder.tempfile_in(folder)
}

fn unwritable(folder: &Path, name: &str, source: &io::Error) -> Fault {
    let headline = format!("`{name}` of a sealed folder cannot be written");
    Fault::new(RECEIPT_UNWRITABLE, headline, "make the folder writable, or copy it, then seal it")
        .at(Location::file(folder.join(name).display()))
        .because(source)
}

fn unreadable(path: &str, source: &io::Error) -> Fault {
    let headline = format!("`{path}` cannot be read");
    Fault::new(INPUT_UNREADABLE, headline, "make the file readable for this user, then try again")
        .at(Location::file(path))
        .because(source)
}

fn broken(name: &str, headline: &str) -> Fault {
    let remedy =
        "restore the folder from where it was sealed; a folder without its seal proves nothing";
    Fault::new(SEAL_BROKEN, headline, remedy).at(Location::file(name))
}

fn unsupported(name: &str, expected: &str, found: &str) -> Fault {
    let headline = format!("`{name}` has another schema than this reader knows");
    Fault::new(SCHEMA_UNSUPPORTED, headline, "use the version of portcullis that sealed the folder")
        .at(Location::file(name))
        .expected(expected)
        .found(found.chars().take(80).collect::<String>().escape_debug().to_string())
}

/// The schema that a small document beside the others states; nothing where it is absent or no document.
pub(crate) fn schema_at(path: &Path) -> Option<String> {
    // Whoever cannot read it cannot tell whose it is; what it is needed for is asked again, with an answer. A pipe of this
    // name would keep a plain reader waiting for ever.
    let tree = Tree::new(path.parent()?).ok()?;
    let name = RelPath::parse(path.file_name()?.to_str()?).ok()?;
    let bytes = tree.read_with(&name, DOCUMENT_MAX_BYTES, HardLinks::Refuse).ok()?;
    let document = json::parse(&bytes, SEAL).ok()?;
    Some(document.get("schema")?.as_str()?.to_owned())
}

/// Whether a file is a document that only a run has. A run that lost one of the two is still a run: sealed as a folder it
/// would be whole again, although nobody can decide it any more.
pub(crate) fn is_of_a_run(path: &Path) -> bool {
    const OWN: [(&str, &str); 2] = [("run.json", RUN_SCHEMA), ("inputs.json", INPUTS_SCHEMA)];
    let own = OWN.iter().find(|(name, _)| path.file_name().is_some_and(|found| found == *name));
    own.is_some_and(|(_, schema)| schema_at(path).is_some_and(|found| found == *schema))
}

/// Whether a file is a manifest of ours, however many files it lists: whoever seals a folder again replaces it.
pub(crate) fn begins_as_manifest(path: &Path) -> bool {
    let read = || Manifest::parse(&manifest_bytes(path).ok()?).ok();
    read().is_some()
}

/// The digest of the manifest of a folder as it stands there.
pub(crate) fn digest_of_manifest(folder: &Path) -> Option<Digest> {
    manifest_bytes(&folder.join(MANIFEST)).ok().map(|bytes| Digest::of(&bytes))
}

fn manifest_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MANIFEST_MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the name of a file of ours.
fn own(name: &str) -> Result<RelPath, Fault> {
    RelPath::parse(name).map_err(|source| broken(name, &source.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_keys_in_order() {
        let row = Row {
            bytes: 1,
            digest_from: From::Read,
            path: "a".to_owned(),
            sha256: Digest::of(b"a"),
        };
        assert_eq!(artifact::of_sorted(&row).ok(), artifact::document(&row).ok());
    }
}
