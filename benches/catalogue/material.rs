//! The trees that are measured: sources, documents and one record file, in two sizes. It writes each once.

use super::Failure;
use std::{
    fmt::Write as _,
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

/// Sources and documents of the large tree; the small one has a tenth.
const SOURCES: usize = 20_000;
const DOCUMENTS: usize = 2_000;
/// Bytes of the record file.
const RECORD_BYTES: u64 = 500_000_000;
const FILES_PER_FOLDER: usize = 200;

/// Where everything is.
pub(crate) struct Material {
    pub(crate) large: PathBuf,
    pub(crate) small: PathBuf,
    /// The sources of the large tree, each ended by NUL.
    pub(crate) list: PathBuf,
    pub(crate) documents: Vec<PathBuf>,
    /// What the contract of the documents says, as a JSON Schema.
    pub(crate) schema: PathBuf,
    pub(crate) record_bytes: u64,
}

impl Material {
    /// Writes what is not there yet, below the folder of this program, which is in the target directory.
    pub(crate) fn prepare(this: &Path) -> Result<Self, Failure> {
        let target = this.ancestors().nth(3).ok_or("the program is not in a target directory")?;
        let folder = target.join("portcullis/catalogue");
        let (large, small) = (folder.join("large"), folder.join("small"));
        tree(&large, SOURCES, DOCUMENTS)?;
        tree(&small, SOURCES / 10, DOCUMENTS / 10)?;
        let records = large.join("records.jsonl");
        if !records.exists() {
            write_records(&records)?;
        }
        let mut names = Vec::new();
        for n in 0..SOURCES {
            names.extend_from_slice(large.join(source_name(n)).to_string_lossy().as_bytes());
            names.push(0);
        }
        let list = folder.join("sources.nul");
        fs::write(&list, names)?;
        let schema = folder.join("schema.json");
        fs::write(&schema, SCHEMA)?;
        let documents = (0..DOCUMENTS).map(|n| large.join(document_name(n))).collect();
        let record_bytes = fs::metadata(&records)?.len();
        Ok(Self { large, small, list, documents, schema, record_bytes })
    }
}

/// The documents a folder holds, relative to it.
pub(crate) fn documents(folder: &Path) -> Vec<String> {
    (0..DOCUMENTS).map(document_name).filter(|name| folder.join(name).exists()).collect()
}

fn source_name(n: usize) -> String {
    format!("src/m{:03}/f{n:05}.rs", n / FILES_PER_FOLDER)
}

fn document_name(n: usize) -> String {
    format!("evidence/d{:03}/e{n:05}.json", n / FILES_PER_FOLDER)
}

fn tree(folder: &Path, sources: usize, documents: usize) -> Result<(), Failure> {
    let done = folder.join("complete");
    if done.exists() {
        return Ok(());
    }
    for n in 0..sources {
        put(&folder.join(source_name(n)), &source(n))?;
    }
    for n in 0..documents {
        put(&folder.join(document_name(n)), &document(n))?;
    }
    fs::write(done, "")?;
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, text)?)
}

/// About 8 KiB of Rust.
fn source(n: usize) -> String {
    let mut text = format!("//! Module {n}.\n\nuse std::collections::BTreeMap;\n");
    for f in 0..40 {
        // Writing to a String cannot fail.
        let _ok = writeln!(
            text,
            "\n/// Adds {f} to every value that is larger than {n}.\npub fn adds_{n}_{f}(map: &mut BTreeMap<String, u64>) {{\n    for value in map.values_mut() {{\n        *value += {f};\n    }}\n}}"
        );
    }
    text
}

/// About 2 KiB of JSON.
fn document(n: usize) -> String {
    let mut items = String::new();
    for i in 0..30 {
        let comma = if i == 0 { "" } else { "," };
        let _ok = write!(
            items,
            "{comma}\n    {{\"id\": \"item_{i}\", \"status\": \"pass\", \"value\": {}}}",
            n + i
        );
    }
    format!(
        "{{\n  \"generated_at\": \"2026-05-31T00:00:00Z\",\n  \"items\": [{items}\n  ],\n  \"run_id\": \"r{n}\",\n  \"schema\": \"bench.evidence.v1\",\n  \"status\": \"ready\",\n  \"total\": 30\n}}\n"
    )
}

/// The contract of `work::contracts`, for the peer.
const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["generated_at", "items", "run_id", "schema", "status", "total"],
  "properties": {
    "schema": {"const": "bench.evidence.v1"},
    "status": {"enum": ["ready", "blocked"]},
    "total": {"type": "integer", "minimum": 1},
    "items": {
      "type": "array",
      "minItems": 1,
      "items": {
        "type": "object",
        "required": ["status", "value"],
        "properties": {"status": {"const": "pass"}, "value": {"type": "integer", "minimum": 0}}
      }
    }
  }
}
"#;

fn write_records(path: &Path) -> Result<(), Failure> {
    let partial = path.with_extension("partial");
    let mut out = BufWriter::new(fs::File::create(&partial)?);
    let mut written = 0;
    for seq in 1u64.. {
        // Two thousand issues, each updated again and again, as a ledger that grows by appending is.
        let line = format!(
            "{{\"schema\":\"bench.event.v1\",\"seq\":{seq},\"id\":\"issue-{}\",\"status\":\"closed\",\"issue_type\":\"bug\",\"title\":\"the parser refuses a torn record in case {seq}\",\"updated_at\":\"2026-05-{:02}T{:02}:{:02}:{:02}.{:06}Z\",\"labels\":[\"parser\",\"evidence\"],\"run_id\":\"bench\",\"generated_at\":\"2026-05-31T00:00:00Z\",\"detail\":{{\"attempt\":1,\"duration_ms\":{}}}}}\n",
            seq % 2_000,
            seq / 86_400 % 28 + 1,
            seq / 3_600 % 24,
            seq / 60 % 60,
            seq % 60,
            seq % 1_000_000,
            seq % 977
        );
        out.write_all(line.as_bytes())?;
        written += line.len() as u64;
        if written >= RECORD_BYTES {
            break;
        }
    }
    out.flush()?;
    fs::rename(partial, path)?;
    Ok(())
}
