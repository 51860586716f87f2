//! An artifact that a table names: where it stands, how it is written, of which schema and how old it may be.
//! It judges none of the content; a gate that needs an artifact and does not find it could not look.

use crate::{
    artifact_contract::{ARTIFACT_MISSING, Freshness, Report, Terms},
    document::{self, Format, Sequence},
    json_path::Pointer,
};
use portcullis::{
    Fault, File, Findings, GateContext, GateError, GateTable, Location, RelPath,
    wire::code::CONFIG_INVALID,
};
use serde_json::Value;
use toml::Spanned;

/// Where an artifact stands and what it must be.
#[derive(Clone)]
pub(crate) struct Artifact {
    pub(crate) path: RelPath,
    /// Whether the path begins at the directory of this run.
    pub(crate) of_run: bool,
    pub(crate) format: Option<Format>,
    pub(crate) schema: Option<Spanned<String>>,
    pub(crate) freshness: Option<Freshness>,
}

/// Whether a text without structure will do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texts {
    Allowed,
    Refused,
}

impl Artifact {
    /// A file of the repository of which nothing but its format is asked.
    pub(crate) fn plain(path: &RelPath, of_run: bool) -> Self {
        Self { path: path.clone(), of_run, format: None, schema: None, freshness: None }
    }

    /// The format that is stated, or that the name promises.
    pub(crate) fn format(&self) -> Option<Format> {
        self.format.or_else(|| Format::of_name(self.path.as_str()))
    }

    /// What in it cannot be used.
    pub(crate) fn faults(&self, table: &GateTable, texts: Texts) -> Vec<Fault> {
        let Some(format) = self.format() else {
            let headline = format!("the name of `{}` does not tell its format", self.path);
            return vec![refuse(table, headline, "state `format`: `json`, `jsonl` or `toml`")];
        };
        if format == Format::Text && texts == Texts::Refused {
            let headline = format!("`{}` is a text, which has no fields to compare", self.path);
            return vec![refuse(table, headline, "name a JSON, JSON Lines or TOML artifact")];
        }
        match self.terms() {
            Some(terms) => terms.compile(format, "doc", table).err().unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// A schema without a freshness is refused like any contract without one.
    fn terms(&self) -> Option<Terms> {
        (self.schema.is_some() || self.freshness.is_some()).then(|| Terms {
            schema: self.schema.clone(),
            freshness: self.freshness.clone(),
            ..Terms::default()
        })
    }

    /// The file, whether it exists or not.
    pub(crate) fn file<'a>(&self, cx: &GateContext<'a>) -> Result<File<'a>, GateError> {
        if self.of_run { cx.run_file(&self.path) } else { Ok(cx.file(&self.path)) }
    }

    /// The file, which exists; reports what is not as its schema and freshness say.
    ///
    /// # Errors
    /// `artifact_missing`: of what is not there nothing can be said, so it is no finding that a waiver could cover.
    pub(crate) fn open<'a>(
        &self,
        cx: &GateContext<'a>,
        out: &mut Findings,
    ) -> Result<File<'a>, GateError> {
        let file = self.file(cx)?;
        if !file.exists()? {
            return Err(absent(&self.path));
        }
        if let (Some(terms), Some(format)) = (self.terms(), self.format()) {
            let contract = terms.compile(format, "doc", cx.gate()).map_err(first)?;
            contract.examine(cx, &file, &mut Report::new(out, self.path.as_str()))?;
        }
        Ok(file)
    }

    /// Hands over the document with line 0, or every record of a stream with its line.
    ///
    /// # Errors
    /// When it cannot be read strictly, and the first fault of `each`.
    pub(crate) fn each_record(
        &self,
        file: &File<'_>,
        mut each: impl FnMut(u32, Value) -> Result<(), Fault>,
    ) -> Result<(), GateError> {
        match self.format() {
            Some(Format::Jsonl) => {
                let mut sequence = Sequence::default();
                let seq = Pointer::parse("/seq");
                document::each_record(file, |line, record| {
                    let number = seq.as_ref().and_then(|seq| seq.one(&record));
                    sequence.next(number, self.path.as_str(), line)?;
                    each(line, record)
                })
            }
            Some(format @ (Format::Json | Format::Toml | Format::Text)) => {
                each(0, document::read(file, format)?)
            }
            None => each(0, document::read(file, Format::Json)?),
        }
    }
}

/// The fault for an artifact without which nothing can be looked at.
pub(crate) fn absent(path: &RelPath) -> Fault {
    let remedy = "run the tool that writes it, or correct the path";
    Fault::new(ARTIFACT_MISSING, format!("artifact `{path}` does not exist"), remedy)
        .at(Location::file(path))
}

/// A fault of the configuration, at the table.
pub(crate) fn refuse(table: &GateTable, headline: impl Into<String>, remedy: &str) -> Fault {
    Fault::new(CONFIG_INVALID, headline, remedy).at(table.location.clone())
}

/// The one fault that an attempt can carry; the others were shown when the policy was read.
pub(crate) fn first(faults: Vec<Fault>) -> Fault {
    faults.into_iter().next().unwrap_or_else(|| {
        let headline = "the table was refused without a reason";
        Fault::new(CONFIG_INVALID, headline, "report this as a bug")
    })
}
