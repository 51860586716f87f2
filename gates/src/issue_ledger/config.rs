//! The configuration of an issue ledger, and what in it contradicts itself. It reads no ledger.

use portcullis::{Fault, GateTable, RelPath, wire::code::CONFIG_INVALID};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(deserialize_with = "some_sources")]
    pub(super) sources: Vec<Source>,
    #[serde(default)]
    pub(super) fields: Fields,
    #[serde(default)]
    pub(super) select: BTreeMap<String, String>,
    terminal: Spanned<BTreeSet<String>>,
    technical_types: BTreeSet<String>,
    docs_types: Spanned<BTreeSet<String>>,
    #[serde(default)]
    pub(super) allowed_residuals: BTreeSet<String>,
}

/// A ledger and how much it is worth.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) path: RelPath,
    pub(super) role: Role,
}

/// Whether a ledger can certify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    /// The ledger itself.
    Authoritative,
    /// A copy that is better than nothing and never certifies.
    Fallback,
}

impl Role {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Authoritative => "authoritative",
            Self::Fallback => "fallback",
        }
    }
}

/// The names of the members of a record. They have defaults: they are spelling, not policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fields {
    pub(super) id: String,
    pub(super) status: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) updated_at: String,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            id: "id".to_owned(),
            status: "status".to_owned(),
            kind: "issue_type".to_owned(),
            title: "title".to_owned(),
            updated_at: "updated_at".to_owned(),
        }
    }
}

impl Config {
    pub(super) fn is_terminal(&self, status: &str) -> bool {
        self.terminal.get_ref().contains(status)
    }

    pub(super) fn is_technical(&self, kind: &str) -> bool {
        self.technical_types.contains(kind)
    }

    pub(super) fn is_docs(&self, kind: &str) -> bool {
        self.docs_types.get_ref().contains(kind)
    }
}

fn some_sources<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Source>, D::Error> {
    let sources = Vec::<Source>::deserialize(deserializer)?;
    if sources.is_empty() {
        return Err(serde::de::Error::custom("`sources` names no ledger"));
    }
    Ok(sources)
}

/// Refuses what could only ever be wrong: two classes for one type, an order that no authority explains.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: usize, what: String, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, what, remedy).at(table.locate(offset)));
    };
    let docs = config.docs_types.span().start;
    if config.terminal.get_ref().is_empty() {
        let remedy = "name the statuses of finished issues";
        refuse(config.terminal.span().start, "`terminal` names no status".to_owned(), remedy);
    }
    for kind in config.docs_types.get_ref().intersection(&config.technical_types) {
        refuse(docs, format!("type `{kind}` has two classes"), "name it in one of the two lists");
    }
    for kind in config.allowed_residuals.difference(config.docs_types.get_ref()) {
        let what = format!("`allowed_residuals` names `{kind}`, which is no documentation type");
        refuse(docs, what, "name only types of `docs_types`; technical work is never a residual");
    }
    for (what, remedy) in source_faults(&config.sources) {
        refuse(docs, what, remedy);
    }
    faults
}

fn source_faults(sources: &[Source]) -> Vec<(String, &'static str)> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let mut fallback = false;
    for source in sources {
        if !seen.insert(&source.path) {
            faults.push((format!("`sources` names `{}` twice", source.path), "name it once"));
        }
        match source.role {
            Role::Fallback => fallback = true,
            Role::Authoritative if fallback => {
                let what = format!("authoritative `{}` stands after a fallback", source.path);
                faults.push((what, "order `sources` by authority"));
            }
            Role::Authoritative => {}
        }
    }
    if sources.iter().all(|source| source.role == Role::Fallback) {
        faults.push(("no source is authoritative".to_owned(), "give one the role `authoritative`"));
    }
    faults
}
