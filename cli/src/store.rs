//! Run directories in an object store. What comes back is only what was sealed: every file is fetched by its digest, and
//! hashed before it has a name. It decides nothing.
//!
//! `sha256/<digest>` holds the files of all runs, each once; `runs/<run id>/manifest.json` names them, and
//! `runs/<run id>/run.json`, which comes last, holds the digest of the manifest.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{
    ObjectStore, ObjectStoreExt as _, WriteMultipart, parse_url_opts, path::Path as Key,
};
use portcullis::{
    Digest, Fault, Location, RelPath, RunId,
    evidence::{
        digest::Hasher,
        json,
        store::{Manifest, RunRecord, RunState, read_run, verify_manifest},
        tree::{HardLinks, Tree},
    },
    wire::code::{
        ATTEMPT_CONFLICT, DIGEST_MISMATCH, INPUT_TOO_LARGE, PATH_REFUSED, RECEIPT_UNWRITABLE,
        RUN_UNREADABLE, RUN_UNSEALED, STORE_REFUSED, STORE_UNAVAILABLE,
    },
};
use std::{
    collections::BTreeSet,
    fs::File,
    future::Future,
    io::{Read as _, Write as _},
    path::Path,
    sync::Arc,
};
use url::Url;

/// How many files are on their way at once.
const AT_ONCE: usize = 8;
/// Larger files go in parts of this size.
const PART_BYTES: usize = 8 * 1024 * 1024;
const DOCUMENT_MAX_BYTES: u64 = 64 * 1024 * 1024;
const SCHEMES: [&str; 4] = ["file", "s3", "gs", "az"];
/// What the clients read: addresses, regions and keys. Nothing else of the environment reaches them.
const VARIABLES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

/// An object store, at a place in it.
pub(crate) struct Remote {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
    shown: String,
    runtime: tokio::runtime::Runtime,
}

impl Remote {
    /// Opens the store that an address names.
    ///
    /// # Errors
    /// `store_refused`.
    pub(crate) fn open(address: &str) -> Result<Self, Fault> {
        let url = address_of(address)?;
        // Whoever was first has chosen for the whole process, and there is nobody else here.
        drop(rustls::crypto::ring::default_provider().install_default());
        let options = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let ours = VARIABLES.iter().any(|prefix| name.starts_with(prefix));
            Some((name, value.into_string().ok().filter(|_| ours)?))
        });
        let (store, prefix) = parse_url_opts(&url, options).map_err(|source| {
            let remedy = "correct the address, and set what its store needs, such as `AWS_REGION`";
            Fault::new(STORE_REFUSED, format!("the store `{url}` cannot be opened"), remedy)
                .because(&source)
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(
            |source| {
                let headline = "the system refuses what talking to a store needs";
                Fault::new(STORE_UNAVAILABLE, headline, "see the limits of this process")
                    .because(&source)
            },
        )?;
        Ok(Self { store: store.into(), prefix, shown: url.to_string(), runtime })
    }

    /// Puts a sealed run into the store, and returns how many files it has.
    ///
    /// # Errors
    /// `run_unsealed`, what is wrong with its seal, `attempt_conflict` for another run of that id, `store_unavailable`.
    pub(crate) fn push(&self, dir: &Path) -> Result<usize, Vec<Fault>> {
        let one = |fault: Fault| vec![fault];
        let faults = verify_manifest(dir).map_err(one)?;
        if !faults.is_empty() {
            return Err(faults);
        }
        let run = read_run(dir).map_err(one)?;
        let tree = Tree::new(dir).map_err(one)?;
        let read = |name: &str| tree.read_with(&rel(name)?, DOCUMENT_MAX_BYTES, HardLinks::Refuse);
        let manifest_bytes = read("manifest.json").map_err(one)?;
        let run_bytes = read("run.json").map_err(one)?;
        let manifest: Manifest = json::parse_as(&manifest_bytes, "manifest.json").map_err(one)?;
        let pushed = async {
            let id = &run.envelope.run_id;
            if let Some(there) = self.document(&self.of_run(id, "run.json")).await?
                && there != run_bytes
            {
                let headline = format!("the store has another run `{id}`");
                let remedy = "give each run an id of its own; a run in a store is never replaced";
                return Err(self.place(Fault::new(ATTEMPT_CONFLICT, headline, remedy)));
            }
            // Files first, `run.json` last: what has a `run.json` is whole.
            stream::iter(&manifest.files)
                .map(|file| self.put_file(&tree, &file.path, file.sha256, file.bytes))
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
            self.put(&self.of_run(id, "manifest.json"), manifest_bytes.clone()).await?;
            self.put(&self.of_run(id, "run.json"), run_bytes.clone()).await
        };
        self.wait(pushed).map_err(one)?;
        Ok(manifest.files.len())
    }

    /// Fetches a run into a folder that does not exist yet, and returns how many files it has.
    ///
    /// # Errors
    /// `run_unreadable` where the store has no such run, `run_unsealed`, `digest_mismatch`, `path_refused`,
    /// `input_too_large`, `store_unavailable`.
    pub(crate) fn pull(&self, id: &RunId, to: &Path) -> Result<usize, Fault> {
        self.wait(async {
            let run_bytes = self.required(id, "run.json").await?;
            let run: RunRecord = json::parse_as(&run_bytes, "run.json")?;
            let (RunState::Sealed, Some(seal)) = (run.state, run.manifest_sha256) else {
                let headline = format!("the run `{id}` of the store was never sealed");
                return Err(self.place(Fault::new(RUN_UNSEALED, headline, "push a sealed run")));
            };
            if run.envelope.run_id != *id {
                let found = run.envelope.run_id.to_string();
                return Err(self.differs("run.json", &id.to_string(), &found));
            }
            let manifest_bytes = self.required(id, "manifest.json").await?;
            let found = Digest::of(&manifest_bytes);
            if found != seal {
                return Err(self.differs("manifest.json", &seal.to_string(), &found.to_string()));
            }
            let manifest: Manifest = json::parse_as(&manifest_bytes, "manifest.json")?;
            distinct(&manifest)?;
            create(to)?;
            stream::iter(&manifest.files)
                .map(|file| self.fetch(&file.path, file.sha256, file.bytes, to))
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
            write(&to.join("manifest.json"), &manifest_bytes)?;
            write(&to.join("run.json"), &run_bytes)?;
            Ok(manifest.files.len())
        })
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        self.runtime.block_on(work)
    }

    fn of_run(&self, id: &RunId, name: &str) -> Key {
        self.prefix.clone().join("runs").join(id.as_str()).join(name)
    }

    fn of_digest(&self, digest: Digest) -> Key {
        self.prefix.clone().join("sha256").join(digest.to_string())
    }

    async fn put(&self, key: &Key, bytes: Vec<u8>) -> Result<(), Fault> {
        let put = self.store.put(key, bytes.into()).await;
        put.map(drop).map_err(|source| self.failed("cannot be written", key, &source))
    }

    /// Puts a file under its digest, unless it is there already.
    async fn put_file(
        &self,
        tree: &Tree,
        path: &RelPath,
        digest: Digest,
        bytes: u64,
    ) -> Result<(), Fault> {
        let key = self.of_digest(digest);
        match self.store.head(&key).await {
            Ok(there) if there.size == bytes => return Ok(()),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(source) => return Err(self.failed("cannot be asked for", &key, &source)),
        }
        let mut file = tree.open(path, HardLinks::Refuse)?;
        let refused = |source: &std::io::Error| {
            let remedy = "check the disk, then push again";
            Fault::new(RUN_UNREADABLE, format!("`{path}` cannot be read"), remedy).because(source)
        };
        let mut first = Vec::new();
        std::io::Read::by_ref(&mut file)
            .take(PART_BYTES as u64)
            .read_to_end(&mut first)
            .map_err(|source| refused(&source))?;
        if first.len() < PART_BYTES {
            return self.put(&key, first).await;
        }
        let failed = |source: object_store::Error| self.failed("cannot be written", &key, &source);
        let upload = self.store.put_multipart(&key).await.map_err(failed)?;
        let mut writing = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        writing.write(&first);
        loop {
            writing.wait_for_capacity(2).await.map_err(failed)?;
            let n = file.read(&mut first).map_err(|source| refused(&source))?;
            if n == 0 {
                return writing.finish().await.map(drop).map_err(failed);
            }
            writing.write(first.get(..n).unwrap_or_default());
        }
    }

    /// A document, which is small; nothing where there is none.
    async fn document(&self, key: &Key) -> Result<Option<Vec<u8>>, Fault> {
        let found = match self.store.get(key).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(source) => return Err(self.failed("cannot be read", key, &source)),
        };
        let mut bytes = Vec::new();
        let mut pieces = found.into_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|source| self.failed("cannot be read", key, &source))?;
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > DOCUMENT_MAX_BYTES {
                return Err(self.too_large(key, DOCUMENT_MAX_BYTES));
            }
        }
        Ok(Some(bytes))
    }

    async fn required(&self, id: &RunId, name: &str) -> Result<Vec<u8>, Fault> {
        self.document(&self.of_run(id, name)).await?.ok_or_else(|| {
            let headline = format!("the store has no `{name}` of a run `{id}`");
            let remedy = "see whether that run was pushed, and to this store";
            self.place(Fault::new(RUN_UNREADABLE, headline, remedy))
        })
    }

    /// Fetches a file by its digest; it gets its name only when it is what was sealed.
    async fn fetch(
        &self,
        path: &RelPath,
        digest: Digest,
        bytes: u64,
        to: &Path,
    ) -> Result<(), Fault> {
        let key = self.of_digest(digest);
        let found = self.store.get(&key).await.map_err(|source| {
            if matches!(source, object_store::Error::NotFound { .. }) {
                self.differs(path.as_str(), &digest.to_string(), "no such file in the store")
            } else {
                self.failed("cannot be read", &key, &source)
            }
        })?;
        let target = to.join(path.as_str());
        let folder = target.parent().unwrap_or(to);
        std::fs::create_dir_all(folder).map_err(|source| unwritable(folder, &source))?;
        let mut file =
            tempfile::NamedTempFile::new_in(to).map_err(|source| unwritable(to, &source))?;
        let (mut hasher, mut seen) = (Hasher::new(), 0_u64);
        let mut pieces = found.into_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|source| self.failed("cannot be read", &key, &source))?;
            seen = seen.saturating_add(piece.len() as u64);
            if seen > bytes {
                return Err(self.differs(path.as_str(), &format!("{bytes} bytes"), "more"));
            }
            hasher.update(&piece);
            file.write_all(&piece).map_err(|source| unwritable(&target, &source))?;
        }
        let found = hasher.finish();
        if found != digest || seen != bytes {
            return Err(self.differs(path.as_str(), &digest.to_string(), &found.to_string()));
        }
        file.persist_noclobber(&target).map_err(|refused| unwritable(&target, &refused.error))?;
        Ok(())
    }

    fn place(&self, fault: Fault) -> Fault {
        fault.at(Location::file(&self.shown))
    }

    fn failed(&self, what: &str, key: &Key, source: &dyn std::error::Error) -> Fault {
        let remedy =
            "see whether the store can be reached, and what its keys allow; then try again";
        let headline = format!("`{key}` {what}");
        self.place(Fault::new(STORE_UNAVAILABLE, headline, remedy).because(source))
    }

    fn differs(&self, name: &str, expected: &str, found: &str) -> Fault {
        let headline = format!("the store does not have the `{name}` that was sealed");
        let remedy = "push the run again from where it was made, or run again";
        let fault = Fault::new(DIGEST_MISMATCH, headline, remedy);
        self.place(fault.expected(expected).found(found))
    }

    fn too_large(&self, key: &Key, most: u64) -> Fault {
        let headline = format!("`{key}` is larger than any document of ours");
        let fault = Fault::new(INPUT_TOO_LARGE, headline, "see what wrote it");
        self.place(fault.expected(format!("at most {most} bytes")))
    }
}

/// An address without anything secret in it: what stands here may stand in records.
fn address_of(address: &str) -> Result<Url, Fault> {
    let refused = |found: &str| {
        let remedy = format!("write {}, and give keys in the environment", SHAPES);
        Fault::new(STORE_REFUSED, "the address of a store cannot be used", remedy)
            .found(found.to_owned())
    };
    let url = Url::parse(address).map_err(|source| refused(&source.to_string()))?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(refused(&format!("the scheme `{}`", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("a user or a password in the address"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("a query or a fragment in the address"));
    }
    if url.scheme() == "file" && url.host_str().is_some_and(|host| !host.is_empty()) {
        return Err(refused("a host in the address of a folder"));
    }
    Ok(url)
}

const SHAPES: &str =
    "`file:///folder`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`";

/// Two names that one file system takes for one would hide a file behind another.
fn distinct(manifest: &Manifest) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for file in &manifest.files {
        let name = file.path.as_str().to_lowercase();
        if matches!(name.as_str(), "run.json" | "manifest.json") || !seen.insert(name) {
            let headline = format!("`{}` stands twice in the manifest of a run", file.path);
            let remedy = "trust nothing of this run, and run again";
            return Err(Fault::new(PATH_REFUSED, headline, remedy));
        }
    }
    Ok(())
}

fn rel(name: &str) -> Result<RelPath, Fault> {
    RelPath::parse(name)
        .map_err(|source| Fault::new(PATH_REFUSED, source.to_string(), "report this as a bug"))
}

fn create(dir: &Path) -> Result<(), Fault> {
    std::fs::create_dir(dir).map_err(|source| unwritable(dir, &source))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    File::create_new(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| unwritable(path, &source))
}

fn unwritable(path: &Path, source: &std::io::Error) -> Fault {
    let remedy = "name a folder that can be written and does not exist yet";
    Fault::new(RECEIPT_UNWRITABLE, "a file of a run could not be written", remedy)
        .at(Location::file(path.display()))
        .because(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t40_an_address_holds_no_secret_and_names_a_known_store() {
        for good in ["file:///tmp/x", "s3://bucket", "s3://b/p/q", "gs://b/p", "az://c"] {
            assert!(address_of(good).is_ok(), "{good}");
        }
        let table = [
            "",
            "bucket/prefix",
            "http://bucket/prefix",
            "ftp://x",
            "s3://key:secret@bucket/prefix",
            "s3://key@bucket",
            "s3://bucket/p?X-Amz-Signature=abc",
            "s3://bucket/p#x",
            "file://host/share",
        ];
        for bad in table {
            let fault = address_of(bad).expect_err(bad);
            assert_eq!(fault.code(), STORE_REFUSED, "{bad}");
            assert!(!fault.to_string().contains("secret"), "{fault}");
        }
    }
}
