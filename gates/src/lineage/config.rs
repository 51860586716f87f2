//! The configuration of a lineage: artifacts by name, and what of them belongs together. It reads no artifact.

use crate::{
    artifact::{Artifact, Texts, refuse},
    artifact_contract::{CelTable, Contract, Freshness, Terms},
    document::Format,
    json_path::Pointer,
};
use portcullis::{Fault, GateTable, RelPath};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) artifact: Vec<Entry>,
    #[serde(default)]
    pub(super) equal: Vec<Group>,
    #[serde(default)]
    pub(super) order: Vec<Order>,
    #[serde(default)]
    pub(super) source_digest: Vec<SourceDigest>,
    #[serde(default)]
    pub(super) cel: Vec<Spanned<CelTable>>,
}

/// One artifact under a name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) path: RelPath,
    #[serde(default)]
    of_run: bool,
    format: Option<Format>,
    schema: Option<Spanned<String>>,
    freshness: Option<Freshness>,
}

/// Fields that must have one value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) what: String,
    field: Option<Pointer>,
    #[serde(default)]
    fields: BTreeMap<String, Pointer>,
}

/// Times that must not go backwards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) what: String,
    pub(super) times: Vec<Step>,
    #[serde(default)]
    pub(super) strict: bool,
}

/// One time of an order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) artifact: String,
    pub(super) field: Pointer,
}

/// A recorded digest and the file it is of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceDigest {
    pub(super) artifact: String,
    pub(super) field: Pointer,
    pub(super) file: RelPath,
    #[serde(default)]
    pub(super) of_run: bool,
}

impl Entry {
    pub(super) fn artifact(&self) -> Artifact {
        Artifact {
            path: self.path.clone(),
            of_run: self.of_run,
            format: self.format,
            schema: self.schema.clone(),
            freshness: self.freshness.clone(),
        }
    }
}

impl Group {
    /// The artifacts of the group with their fields.
    pub(super) fn fields<'g>(&'g self, entries: &'g [Entry]) -> Vec<(&'g str, &'g Pointer)> {
        match &self.field {
            Some(field) => entries.iter().map(|entry| (entry.name.as_str(), field)).collect(),
            None => self.fields.iter().map(|(name, field)| (name.as_str(), field)).collect(),
        }
    }
}

impl Config {
    /// Every field of an artifact that anything asks for, once each.
    pub(super) fn fields_of(&self, name: &str) -> Vec<Pointer> {
        let groups = self.equal.iter().flat_map(|group| group.fields(&self.artifact));
        let steps = self
            .order
            .iter()
            .flat_map(|order| &order.times)
            .map(|step| (step.artifact.as_str(), &step.field));
        let digests =
            self.source_digest.iter().map(|digest| (digest.artifact.as_str(), &digest.field));
        let wanted: BTreeSet<&Pointer> = groups
            .chain(steps)
            .chain(digests)
            .filter(|(of, _)| *of == name)
            .map(|(_, field)| field)
            .collect();
        wanted.into_iter().cloned().collect()
    }

    /// The path of an artifact, for messages.
    pub(super) fn path_of(&self, name: &str) -> &str {
        self.artifact
            .iter()
            .find(|entry| entry.name == name)
            .map_or("", |entry| entry.path.as_str())
    }

    /// The expressions over all artifacts; how old these may be is said by their own tables.
    pub(super) fn expressions(&self, table: &GateTable) -> Result<Contract, Vec<Fault>> {
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
    let mut names = BTreeSet::new();
    for entry in &config.artifact {
        let named = !entry.name.is_empty()
            && entry
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !named || !names.insert(entry.name.as_str()) {
            let headline =
                format!("artifact name `{}` is no name, or stands there twice", entry.name);
            faults.push(refuse(
                table,
                headline,
                "give each artifact a name of its own: `a-z`, `0-9`, `_`",
            ));
        }
        faults.extend(entry.artifact().faults(table, Texts::Refused));
    }
    let compares =
        config.equal.len() + config.order.len() + config.source_digest.len() + config.cel.len();
    if compares == 0 {
        let headline = "a lineage compares nothing";
        faults.push(refuse(table, headline, "state `equal`, `order`, `source_digest` or `cel`"));
    }
    for group in &config.equal {
        faults.extend(group_faults(group, config, table));
    }
    for order in &config.order {
        if order.times.len() < 2 {
            let headline = format!("the order `{}` has fewer than two times", order.what);
            faults.push(refuse(table, headline, "name at least two times, the earliest first"));
        }
    }
    let steps = config.order.iter().flat_map(|order| &order.times).map(|step| &step.artifact);
    let digests = config.source_digest.iter().map(|digest| &digest.artifact);
    let groups = config.equal.iter().flat_map(|group| group.fields.keys());
    for name in steps.chain(digests).chain(groups) {
        if !names.contains(name.as_str()) {
            let headline = format!("no artifact has the name `{name}`");
            faults.push(refuse(table, headline, "name it under `artifact`, or correct the name"));
        }
    }
    faults.extend(config.expressions(table).err().unwrap_or_default());
    faults
}

fn group_faults(group: &Group, config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    if group.field.is_some() != group.fields.is_empty() {
        let headline = format!("the group `{}` needs either `field` or `fields`", group.what);
        faults.push(refuse(
            table,
            headline,
            "state one pointer for all artifacts, or one for each",
        ));
    } else if group.fields(&config.artifact).len() < 2 {
        let headline = format!("the group `{}` has fewer than two fields", group.what);
        faults.push(refuse(
            table,
            headline,
            "one field equals itself; name at least two artifacts",
        ));
    }
    faults
}
