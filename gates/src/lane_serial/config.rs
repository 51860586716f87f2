//! The table of this kind, and what is refused in it.

use crate::workflow;
use portcullis::{Fault, GateTable, Globs, RelPath, wire::code::CONFIG_INVALID};
use std::collections::BTreeSet;

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default = "workflow::default_files")]
    pub(super) files: Globs,
    #[serde(default)]
    pub(super) known_keys: BTreeSet<String>,
    #[serde(default)]
    pub(super) serial: Vec<Entry>,
    #[serde(default)]
    pub(super) veto: Veto,
    pub(super) sources: Option<Vec<RelPath>>,
}

/// A serial lane.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) file: String,
    pub(super) job: String,
}

/// Where no other number of threads may stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Veto {
    #[default]
    Serial,
    Everywhere,
}

/// The files that lanes use most often.
pub(super) const SOURCES: &[&str] =
    &["Cargo.toml", ".cargo/config.toml", ".config/nextest.toml", "justfile", "Makefile"];

impl Config {
    /// Whether a file is one of the sources.
    pub(super) fn reads(&self, path: &str) -> bool {
        self.sources.as_ref().is_none_or(|list| list.iter().any(|one| one.as_str() == path))
    }
}

/// Refuses a gate that names no lane and vetoes nothing elsewhere.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    if config.serial.is_empty() && config.veto == Veto::Serial {
        let headline = "`serial` is empty, so nothing is held to be serial";
        let remedy = "name the serial lanes, or set `veto = \"everywhere\"`";
        return vec![Fault::new(CONFIG_INVALID, headline, remedy).at(table.location.clone())];
    }
    Vec::new()
}
