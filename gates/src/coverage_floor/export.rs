//! The JSON export of `llvm-cov`: counts by file. What it says about percentages is left out, because it is rounded.

use super::{
    SOURCE_STALE, SOURCE_UNREADABLE,
    config::{Config, Percent},
};
use crate::{artifact_contract::Fields, json_path::Pointer, json_value::shown};
use portcullis::{Fault, File, GateContext, GateError, Location};
use serde_json::Value;
use std::collections::BTreeMap;

const TYPE: &str = "llvm.coverage.json.export";
/// The major versions whose summaries are counts of these names.
const VERSIONS: &[&str] = &["2", "3"];

/// What of an export is used.
pub(super) struct Export {
    /// By path from the root, with `/`.
    pub(super) files: BTreeMap<String, Counts>,
    /// The document that records its origin.
    pub(super) facts: Value,
}

/// What is measured of a file, or of several.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) lines: Share,
    pub(super) branches: Option<Share>,
}

impl Counts {
    pub(super) fn plus(self, other: Self) -> Self {
        let branches = match (self.branches, other.branches) {
            (Some(a), Some(b)) => Some(a.plus(b)),
            (a, b) => a.or(b),
        };
        Self { lines: self.lines.plus(other.lines), branches }
    }
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    pub(super) covered: u64,
    pub(super) count: u64,
}

impl Share {
    fn plus(self, other: Self) -> Self {
        Self {
            covered: self.covered.saturating_add(other.covered),
            count: self.count.saturating_add(other.count),
        }
    }

    /// Whether the share is at least the floor.
    pub(super) fn reaches(self, floor: Percent) -> bool {
        u128::from(self.covered) * 10_000 >= u128::from(floor.0) * u128::from(self.count)
    }

    /// The share in percent, rounded down so that what is below a floor never looks like it.
    pub(super) fn percent(self) -> Percent {
        let hundredths =
            (u128::from(self.covered) * 10_000).checked_div(u128::from(self.count)).unwrap_or(0);
        crate::decimal::Decimal(u64::try_from(hundredths).unwrap_or(u64::MAX))
    }
}

/// Where the origin of an export is recorded.
pub(super) fn fields() -> Fields {
    let list = |texts: &[&str]| texts.iter().filter_map(|text| Pointer::parse(text)).collect();
    Fields {
        run_id: list(&["/run_id"]),
        commit: list(&["/source/commit", "/git_sha"]),
        time: list(&["/generated_at"]),
        inputs: list(&["/inputs_digest"]),
    }
}

/// Reads the export and what records its origin.
///
/// # Errors
/// `source_unreadable` for what is no whole export, `source_stale` for a record of another one.
pub(super) fn read(cx: &GateContext<'_>, config: &Config) -> Result<Export, GateError> {
    let file = config.file(cx, &config.source)?;
    let document = present(&file)?.json()?;
    let reading = Reading { cx, config, file: &file };
    let files = reading.files(&document)?;
    let facts = match &config.record {
        None => document,
        Some(path) => {
            let record = config.file(cx, path)?;
            let document = present(&record)?.json()?;
            let digest = file.digest()?.to_string();
            let named = document.get("export_sha256").and_then(Value::as_str);
            if named.map(|named| named.trim_start_matches("sha256:")) != Some(digest.as_str()) {
                let headline = "the record is of another export";
                let remedy = "write the record in the step that measures";
                return Err(Fault::new(SOURCE_STALE, headline, remedy)
                    .at(Location::file(path))
                    .expected(format!("`export_sha256` {digest}"))
                    .found(named.unwrap_or("nothing is recorded").to_owned()));
            }
            document
        }
    };
    Ok(Export { files, facts })
}

fn present<'f, 'a>(file: &'f File<'a>) -> Result<&'f File<'a>, GateError> {
    if file.exists()? {
        return Ok(file);
    }
    let headline = format!("`{}` does not exist", file.path());
    let remedy = "measure before the gates run, or correct the path";
    Err(Fault::new(SOURCE_UNREADABLE, headline, remedy).at(Location::file(file.path())))
}

struct Reading<'r, 'c> {
    cx: &'r GateContext<'c>,
    config: &'r Config,
    file: &'r File<'c>,
}

impl Reading<'_, '_> {
    fn odd(&self, headline: impl Into<String>, found: Option<&Value>) -> Fault {
        let remedy = "write it with `cargo llvm-cov --json --summary-only`, whole and once";
        Fault::new(SOURCE_UNREADABLE, headline, remedy)
            .at(Location::file(self.file.path()))
            .found(found.map_or_else(|| "nothing".to_owned(), shown))
    }

    fn files(&self, document: &Value) -> Result<BTreeMap<String, Counts>, Fault> {
        let kind = document.get("type");
        if kind.and_then(Value::as_str) != Some(TYPE) {
            return Err(self.odd(format!("`type` is not `{TYPE}`"), kind));
        }
        let version = document.get("version");
        let major = version.and_then(Value::as_str).and_then(|text| text.split('.').next());
        if !major.is_some_and(|major| VERSIONS.contains(&major)) {
            return Err(self.odd("the version of the export is not known", version));
        }
        let data = document.get("data");
        let [one] = data.and_then(Value::as_array).map_or(&[][..], Vec::as_slice) else {
            return Err(self.odd("`data` is not exactly one export", data));
        };
        let Some(list) = one.get("files").and_then(Value::as_array) else {
            return Err(self.odd("`files` is no list", one.get("files")));
        };
        let prefix = match &self.config.prefix {
            Some(prefix) => plain(prefix),
            None => plain(&self.cx.root().to_string_lossy()),
        };
        let mut files = BTreeMap::new();
        for entry in list {
            let name = entry.get("filename");
            let Some(written) = name.and_then(Value::as_str) else {
                return Err(self.odd("a file of the export has no name", name));
            };
            let counts = self.counts(written, entry.get("summary"))?;
            // Sources of dependencies lie elsewhere, and nobody asks for them.
            let Some(path) = below(&plain(written), prefix.trim_end_matches('/')) else { continue };
            if files.insert(path, counts).is_some() {
                return Err(self.odd(format!("`{written}` stands twice in the export"), name));
            }
        }
        Ok(files)
    }

    fn counts(&self, file: &str, summary: Option<&Value>) -> Result<Counts, Fault> {
        let lines = summary.and_then(|summary| summary.get("lines"));
        let branches = summary.and_then(|summary| summary.get("branches"));
        let branches = branches.map(|branches| self.share(file, "branches", Some(branches)));
        Ok(Counts { lines: self.share(file, "lines", lines)?, branches: branches.transpose()? })
    }

    fn share(&self, file: &str, what: &str, value: Option<&Value>) -> Result<Share, Fault> {
        let number = |key: &str| value.and_then(|value| value.get(key)).and_then(Value::as_u64);
        match (number("covered"), number("count")) {
            (Some(covered), Some(count)) if covered <= count => Ok(Share { covered, count }),
            _ => Err(self.odd(format!("the {what} of `{file}` are no counts"), value)),
        }
    }
}

/// A path with `/`, without the mark that Windows puts before long ones.
fn plain(path: &str) -> String {
    let path = path.replace('\\', "/");
    path.strip_prefix("//?/").unwrap_or(&path).to_owned()
}

/// The path from the root: below the prefix, or relative as it stands.
fn below(path: &str, prefix: &str) -> Option<String> {
    if let Some(rest) = path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')) {
        return Some(rest.to_owned());
    }
    let is_absolute = path.starts_with('/') || path.as_bytes().get(1) == Some(&b':');
    (!is_absolute).then(|| path.trim_start_matches("./").to_owned())
}
