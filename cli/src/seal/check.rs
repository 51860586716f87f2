//! A sealed folder as data: every file is read again and held to the manifest, the manifest to the seal. It trusts nothing that
//! stands in the folder, and asks no cache.

use super::{
    Alike, From, MANIFEST, MANIFEST_MAX_BYTES, Manifest, Row, SEAL, SEAL_MAX_BYTES, SEAL_SCHEMA,
    broken, files, is_of_a_run, own, read,
    reading::{Asked, Read},
    seal_of, unsupported,
};
use portcullis::{
    Digest, Fault, Location, RelPath,
    evidence::{
        json,
        tree::{HardLinks, Tree},
    },
    wire::{
        artifact,
        code::{DIGEST_MISMATCH, DIGEST_NOT_READ, FILE_UNHASHED, PATH_REFUSED, RUN_UNSEALED},
    },
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    path::Path,
};

/// What came of looking at a sealed folder.
#[derive(Default)]
pub(crate) struct Checked {
    /// Every difference between the folder and its seal.
    pub faults: Vec<Fault>,
    /// What nothing vouches for.
    pub notes: Vec<String>,
    /// The digest of its manifest.
    pub seal: Option<Digest>,
    /// How many files its manifest lists.
    pub files: usize,
    /// How many bytes these have.
    pub bytes: u64,
    /// Whether it says that every file was read for it.
    pub certified: bool,
    /// The seal that it replaced, as it says.
    pub reseals: Option<Digest>,
}

/// Whether a folder is sealed by itself, or was about to be, and is no run.
pub(crate) fn is_sealed(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).symlink_metadata().is_ok();
    // A run that lost its record is still a run, and says so.
    let is_run = || ["plan.json", "inputs.json", "gates"].into_iter().any(has);
    let was_run = || is_of_a_run(&folder.join("inputs.json"));
    let is_own = (has(SEAL) && !was_run()) || (has(MANIFEST) && !is_run());
    folder.is_dir() && !has("run.json") && is_own
}

/// Looks at a sealed folder.
pub(crate) fn check(folder: &Path, threads: NonZeroUsize) -> Checked {
    let mut checked = Checked::default();
    if let Err(fault) = looked(folder, threads, &mut checked) {
        checked.faults.push(fault);
    }
    checked
}

fn looked(folder: &Path, threads: NonZeroUsize, checked: &mut Checked) -> Result<(), Fault> {
    let tree = Tree::new(folder)?;
    let (seal, manifest) = (own(SEAL)?, own(MANIFEST)?);
    if !tree.exists(&seal)? {
        let remedy = "seal the folder again; whoever sealed it did not come to the end";
        return Err(Fault::new(RUN_UNSEALED, "the folder was never sealed", remedy)
            .at(Location::file(SEAL))
            .found("a manifest, and no seal of it"));
    }
    let text = tree.read_with(&seal, SEAL_MAX_BYTES, HardLinks::Refuse)?;
    let stated = stated(&text)?;
    let bytes = tree.read_with(&manifest, MANIFEST_MAX_BYTES, HardLinks::Refuse)?;
    let digest = Digest::of(&bytes);
    if stated.get("manifest_sha256").and_then(Value::as_str) != Some(&digest.to_string()) {
        let found = digest.to_string();
        let expected = stated.get("manifest_sha256").map_or("no digest".into(), Value::to_string);
        return Err(differs(MANIFEST, expected.trim_matches('"'), &found));
    }
    checked.seal = Some(digest);
    let manifest = Manifest::parse(&bytes)?;
    drop(bytes);
    same(&stated, &manifest, digest, checked)?;
    checked.files = manifest.files.len();
    checked.bytes = manifest.files.iter().map(|row| row.bytes).fold(0, u64::saturating_add);
    checked.certified = manifest.certified;
    checked.reseals = manifest.reseals;
    if manifest.certified
        && let Some(row) = manifest.files.iter().find(|row| row.digest_from == From::Cache)
    {
        let headline = "a certifying seal has a digest that nobody read for it";
        let remedy = "seal the folder again with `--certify`";
        let fault = Fault::new(DIGEST_NOT_READ, headline, remedy);
        checked.faults.push(fault.at(Location::file(&row.path)));
    }
    let listed = listed(manifest.files, &mut checked.faults);
    if listed.is_empty() {
        checked.faults.push(broken(MANIFEST, "the manifest of a sealed folder lists no file"));
    }
    compare(&tree, &listed, threads, &mut checked.faults)
}

/// Reads `seal.json`, of which every byte has to be as this program writes it.
fn stated(text: &[u8]) -> Result<Value, Fault> {
    let unreadable = |fault: &Fault| broken(SEAL, "the seal cannot be read").because(fault);
    let value = json::parse(text, SEAL).map_err(|fault| unreadable(&fault))?;
    let schema = value.get("schema").and_then(Value::as_str).unwrap_or_default();
    if schema != SEAL_SCHEMA {
        return Err(unsupported(SEAL, SEAL_SCHEMA, schema));
    }
    let written = artifact::document(&value).unwrap_or_default();
    if written.as_bytes() == text {
        Ok(value)
    } else {
        Err(broken(SEAL, "the seal is not written as it was"))
    }
}

/// Holds what the seal says to what the manifest says. The digest alone would leave the rest of it to anybody.
fn same(
    stated: &Value,
    manifest: &Manifest,
    digest: Digest,
    checked: &mut Checked,
) -> Result<(), Fault> {
    let seal = seal_of(&manifest.envelope(), manifest.certified, &manifest.files, digest);
    let expected = serde_json::to_value(seal)
        .map_err(|source| broken(SEAL, "the seal cannot be made again").because(&source))?;
    let (Value::Object(stated), Value::Object(expected)) = (stated, expected) else {
        return Err(broken(SEAL, "the seal is no object"));
    };
    for (name, value) in &expected {
        if stated.get(name) != Some(value) {
            let found = stated.get(name).map_or_else(|| "nothing".to_owned(), Value::to_string);
            checked.faults.push(
                broken(SEAL, &format!("`{name}` of the seal is not what the manifest says"))
                    .expected(value.to_string())
                    .found(found.chars().take(200).collect::<String>()),
            );
        }
    }
    let unknown = stated.keys().filter(|name| !expected.contains_key(*name));
    checked.notes.extend(unknown.map(|name| {
        format!("`{}` of `{SEAL}` is unknown here, and nothing vouches for it", name.escape_debug())
    }));
    Ok(())
}

/// The files of a manifest by path; a path that no folder may have, or that stands twice, is a fault. Two paths that are one
/// on some systems are both in the folder, whose listing refuses them, or one of them is missing.
fn listed(rows: Vec<Row>, faults: &mut Vec<Fault>) -> BTreeMap<RelPath, Row> {
    let mut listed = BTreeMap::new();
    for row in rows {
        match RelPath::parse(&row.path) {
            Err(refused) => {
                let remedy =
                    "no seal of ours lists such a path; do not unpack or copy what came with it";
                faults.push(
                    Fault::new(PATH_REFUSED, refused.to_string(), remedy)
                        .at(Location::file(MANIFEST)),
                );
            }
            Ok(path) if matches!(path.as_str(), MANIFEST | SEAL) => {
                faults.push(broken(MANIFEST, &format!("the manifest lists `{path}`")));
            }
            Ok(path) if listed.contains_key(&path) => {
                faults.push(broken(MANIFEST, &format!("`{path}` stands twice in the manifest")));
            }
            Ok(path) => drop(listed.insert(path, row)),
        }
    }
    listed
}

fn compare(
    tree: &Tree,
    listed: &BTreeMap<RelPath, Row>,
    threads: NonZeroUsize,
    faults: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let found = files(tree, Alike::Refuse)?;
    let there: BTreeSet<&RelPath> = found.iter().collect();
    let gone = listed.iter().filter(|(path, _)| !there.contains(path));
    faults.extend(
        gone.map(|(path, row)| differs(path.as_str(), &row.sha256.to_string(), "no such file")),
    );
    let (both, added): (Vec<RelPath>, Vec<RelPath>) =
        found.into_iter().partition(|path| listed.contains_key(path));
    faults.extend(added.iter().map(|path| {
        Fault::new(
            FILE_UNHASHED,
            "a file was added after the folder was sealed",
            "take the file out, or seal the folder again",
        )
        .at(Location::file(path))
    }));
    let asked = Asked { redactor: None, cache: None, begun: None, threads };
    for (path, read) in both.iter().zip(read(tree, &both, &asked)) {
        match (read, listed.get(path)) {
            (Err(fault), _) => faults.push(fault),
            (Ok(Read { row, .. }), Some(sealed)) => faults.extend(difference(path, sealed, &row)),
            (Ok(_), None) => {}
        }
    }
    Ok(())
}

fn difference(path: &RelPath, sealed: &Row, row: &Row) -> Option<Fault> {
    let said = |row: &Row| format!("{} bytes, {}", row.bytes, row.sha256);
    let is_same = sealed.sha256 == row.sha256 && sealed.bytes == row.bytes;
    (!is_same).then(|| differs(path.as_str(), &said(sealed), &said(row)))
}

fn differs(path: &str, expected: &str, found: &str) -> Fault {
    Fault::new(
        DIGEST_MISMATCH,
        format!("`{path}` is not the file that was sealed"),
        "restore the file from where the folder was sealed",
    )
    .at(Location::file(path))
    .expected(expected)
    .found(found)
}
