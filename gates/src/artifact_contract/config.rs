//! The configuration of one artifact contract. It looks at no artifact.

use super::{CelTable, Contract, Freshness, RuleTable, Terms};
use crate::document::Format;
use portcullis::{
    Fault, File, GateContext, GateError, GateTable, RelPath, wire::code::CONFIG_INVALID,
};
use serde::Deserialize;
use toml::Spanned;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    path: Option<RelPath>,
    #[serde(default)]
    paths: Vec<RelPath>,
    #[serde(default)]
    of_run: bool,
    format: Option<Format>,
    schema: Option<Spanned<String>>,
    #[serde(default)]
    required: Vec<Spanned<String>>,
    #[serde(default)]
    rules: Vec<Spanned<RuleTable>>,
    #[serde(default)]
    cel: Vec<Spanned<CelTable>>,
    #[serde(default)]
    contains: Vec<Spanned<String>>,
    max_lines: Option<usize>,
    freshness: Option<Freshness>,
    run_id_field: Option<Spanned<String>>,
    commit_field: Option<Spanned<String>>,
    time_field: Option<Spanned<String>>,
    inputs_field: Option<Spanned<String>>,
    seq_field: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) on_missing: OnMissing,
}

/// What the absence of every path means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OnMissing {
    /// A violation.
    #[default]
    Fail,
    /// Nothing to look at here.
    Skip,
}

impl Config {
    /// The paths in order of preference.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &RelPath> {
        self.path.iter().chain(&self.paths)
    }

    pub(super) fn file<'a>(
        &self,
        cx: &GateContext<'a>,
        path: &RelPath,
    ) -> Result<File<'a>, GateError> {
        if self.of_run { cx.run_file(path) } else { Ok(cx.file(path)) }
    }

    /// Makes the contract ready to look.
    pub(super) fn compile(&self, table: &GateTable) -> Result<(Contract, Format), Vec<Fault>> {
        let format = self.one_format(table).map_err(|fault| vec![fault])?;
        let terms = Terms {
            schema: self.schema.clone(),
            required: self.required.clone(),
            rules: self.rules.clone(),
            cel: self.cel.clone(),
            contains: self.contains.clone(),
            max_lines: self.max_lines,
            freshness: self.freshness.clone(),
            run_id_field: self.run_id_field.clone(),
            commit_field: self.commit_field.clone(),
            time_field: self.time_field.clone(),
            inputs_field: self.inputs_field.clone(),
            seq_field: self.seq_field.clone(),
        };
        terms.compile(format, "doc", table).map(|contract| (contract, format))
    }

    fn one_format(&self, table: &GateTable) -> Result<Format, Fault> {
        let refuse = |headline: String, remedy: &str| {
            Err(Fault::new(CONFIG_INVALID, headline, remedy).at(table.location.clone()))
        };
        if self.path.is_some() != self.paths.is_empty() {
            let headline = "an artifact contract needs either `path` or `paths`".to_owned();
            return refuse(headline, "name one file with `path`, or several in order with `paths`");
        }
        if let Some(format) = self.format {
            return Ok(format);
        }
        let mut formats: Vec<Option<Format>> =
            self.candidates().map(|path| Format::of_name(path.as_str())).collect();
        formats.dedup();
        match formats.as_slice() {
            [Some(format)] => Ok(*format),
            _ => {
                let headline = "the file names do not tell one format".to_owned();
                refuse(headline, "state `format`: `json`, `jsonl`, `toml` or `text`")
            }
        }
    }
}

/// Refuses what cannot be used, before anything runs.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    config.compile(table).err().unwrap_or_default()
}

/// The one fault that an attempt can carry; the others were shown when the policy was read.
pub(super) fn first(faults: Vec<Fault>) -> Fault {
    faults.into_iter().next().unwrap_or_else(|| {
        Fault::new(
            CONFIG_INVALID,
            "the contract was refused without a reason",
            "report this as a bug",
        )
    })
}
