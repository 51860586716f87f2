//! The configuration of two lists and their relation. It reads no list.

use crate::{
    artifact::{Texts, refuse},
    document::Format,
    items::ItemsTable,
    json_path::Pointer,
};
use portcullis::{Fault, GateTable, RelPath};
use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeSet, fmt};

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) a: Ids,
    pub(super) b: Ids,
    /// No default: which of the two may have more is the point of the gate.
    pub(super) relation: Relation,
    pub(super) status: Option<Status>,
    baseline: Option<Baseline>,
}

/// Which list may have members of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Relation {
    /// Neither.
    Equal,
    /// Only `b`.
    Subset,
    /// Only `a`.
    Superset,
}

/// Ids: in the table itself, or the items of an artifact.
pub(super) enum Ids {
    List(Vec<String>),
    Items(Box<ItemsTable>),
}

/// Which status a member must have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    pub(super) field: Pointer,
    pub(super) one_of: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Baseline {
    path: RelPath,
    format: Option<Format>,
}

impl Status {
    /// Whether a recorded status is one of the accepted texts; nothing recorded is none.
    pub(super) fn accepts(&self, status: Option<&Result<String, String>>) -> bool {
        match status {
            Some(Ok(text)) => self.one_of.contains(text),
            Some(Err(_no_text)) => false,
            None => false,
        }
    }
}

impl Ids {
    /// How messages call the list.
    pub(super) fn name(&self) -> String {
        match self {
            Self::List(_) => "the list of the gate".to_owned(),
            Self::Items(table) => format!("`{}`", table.path()),
        }
    }

    fn faults(&self, what: &str, table: &GateTable, texts: Texts) -> Vec<Fault> {
        match self {
            Self::Items(items) => items.faults(table, texts),
            Self::List(list) => {
                let mut seen = BTreeSet::new();
                let mut faults = Vec::new();
                for id in list {
                    if id.trim().is_empty() || !seen.insert(id.as_str()) {
                        let headline = format!("`{id}` stands in `{what}` twice, or is no id");
                        faults.push(refuse(table, headline, "name each id once"));
                    }
                }
                faults
            }
        }
    }
}

impl Config {
    /// The list that `b` was in the baseline.
    pub(super) fn before(&self) -> Option<Ids> {
        match (&self.baseline, &self.b) {
            (Some(baseline), Ids::Items(table)) => {
                Some(Ids::Items(Box::new(table.elsewhere(&baseline.path, baseline.format))))
            }
            (Some(_) | None, Ids::List(_) | Ids::Items(_)) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrTable;
        impl<'de> de::Visitor<'de> for ListOrTable {
            type Value = Ids;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of ids, or a table with `path`")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, items: A) -> Result<Ids, A::Error> {
                let access = de::value::SeqAccessDeserializer::new(items);
                Vec::deserialize(access).map(Ids::List)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Ids, A::Error> {
                let access = de::value::MapAccessDeserializer::new(map);
                ItemsTable::deserialize(access).map(|table| Ids::Items(Box::new(table)))
            }
        }
        deserializer.deserialize_any(ListOrTable)
    }
}

/// Refuses what cannot be used, before anything runs.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = config.a.faults("a", table, Texts::Allowed);
    let texts = if config.status.is_some() { Texts::Refused } else { Texts::Allowed };
    faults.extend(config.b.faults("b", table, texts));
    if let (Ids::List(_), Ids::List(_)) = (&config.a, &config.b) {
        let headline = "both lists stand in the gate, so nothing is looked at";
        faults.push(refuse(table, headline, "name an artifact for one of them"));
    }
    if let Some(status) = &config.status {
        if matches!(config.b, Ids::List(_)) {
            let headline = "`b` is a list of the gate, which has no status";
            faults.push(refuse(table, headline, "name the artifact that has it"));
        }
        if status.one_of.is_empty() || status.one_of.iter().any(|text| text.trim().is_empty()) {
            let headline = "`one_of` accepts nothing, or an empty text";
            faults.push(refuse(table, headline, "name the accepted statuses, for example `pass`"));
        }
        if status.field.has_each() {
            let headline = "`field` selects several values";
            faults.push(refuse(table, headline, "name one member of an item"));
        }
    }
    if config.baseline.is_some() && config.status.is_none() {
        let headline = "a baseline is compared by status, and none is asked for";
        faults.push(refuse(table, headline, "state `status`, or remove `baseline`"));
    }
    if let Some(before) = config.before() {
        faults.extend(before.faults("baseline", table, Texts::Refused));
    }
    faults
}
