//! The configuration of a set of artifacts. It looks at no artifact.

use crate::{
    artifact_contract::{CelTable, Contract, Freshness, RuleTable, Terms},
    document::Format,
};
use portcullis::{Fault, GateTable, RelPath, wire::code::CONFIG_INVALID};
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) artifact: Vec<Entry>,
    /// No default: whether two artifacts belong together is the point of a set.
    pub(super) same_run: bool,
    #[serde(default)]
    pub(super) cel: Vec<Spanned<CelTable>>,
}

/// One artifact of the set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) role: String,
    pub(super) path: RelPath,
    #[serde(default = "yes")]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) of_run: bool,
    format: Option<Format>,
    schema: Option<Spanned<String>>,
    #[serde(default)]
    fields: Vec<Spanned<String>>,
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
}

const fn yes() -> bool {
    true
}

impl Entry {
    /// Makes the contract of this artifact ready to look.
    pub(super) fn compile(&self, table: &GateTable) -> Result<(Contract, Format), Vec<Fault>> {
        let Some(format) = self.format.or_else(|| Format::of_name(self.path.as_str())) else {
            let headline = format!("the name of `{}` does not tell its format", self.path);
            let remedy = "state `format`: `json`, `jsonl`, `toml` or `text`";
            return Err(vec![refuse(table, headline, remedy)]);
        };
        let terms = Terms {
            schema: self.schema.clone(),
            required: self.fields.clone(),
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
}

impl Config {
    /// The expressions over the whole set; how old the artifacts are is said by their own contracts.
    pub(super) fn over_the_set(&self, table: &GateTable) -> Result<Contract, Vec<Fault>> {
        let terms = Terms {
            cel: self.cel.clone(),
            freshness: Some(Freshness::of_this_run()),
            ..Terms::default()
        };
        terms.compile(Format::Json, "docs", table)
    }
}

/// Refuses what cannot be used, before anything runs.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (mut roles, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for entry in &config.artifact {
        let named = !entry.role.is_empty()
            && entry
                .role
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !named || !roles.insert(&entry.role) {
            let headline = format!("role `{}` is no name, or stands there twice", entry.role);
            faults.push(refuse(
                table,
                headline,
                "give each artifact a role of its own: `a-z`, `0-9`, `_`",
            ));
        }
        if !paths.insert((entry.of_run, &entry.path)) {
            let headline = format!("artifact `{}` stands in the set twice", entry.path);
            faults.push(refuse(table, headline, "state one contract for it"));
        }
        faults.extend(entry.compile(table).err().unwrap_or_default());
    }
    if !config.artifact.iter().any(|entry| entry.required) {
        let headline = "no artifact of the set is required".to_owned();
        faults.push(refuse(
            table,
            headline,
            "require at least one; a set of nothing proves nothing",
        ));
    }
    faults.extend(config.over_the_set(table).err().unwrap_or_default());
    faults
}

fn refuse(table: &GateTable, headline: String, remedy: &str) -> Fault {
    Fault::new(CONFIG_INVALID, headline, remedy).at(table.location.clone())
}
