//! The configuration of thresholds, and what in it contradicts itself. It reads no artifact.

use super::set::Limits;
use crate::{
    artifact::{Texts, refuse},
    document::Format,
    items::ItemsTable,
    json_path::Pointer,
    json_value::Number,
};
use portcullis::{Fault, GateTable, RelPath};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The key that stands for every metric without its own.
pub(super) const EACH: &str = "*";

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) source: ItemsTable,
    #[serde(default)]
    pub(super) metrics: BTreeMap<String, Pointer>,
    pub(super) value: Option<Pointer>,
    #[serde(default)]
    floors: BTreeMap<String, Number>,
    #[serde(default)]
    ceilings: BTreeMap<String, Number>,
    pub(super) thresholds: Option<Named>,
    pub(super) baseline: Option<Baseline>,
}

/// A file of thresholds and the version of it that was reviewed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) path: RelPath,
    pub(super) version: u32,
}

/// The committed reference.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    pub(super) path: RelPath,
    pub(super) format: Option<Format>,
    better: BTreeMap<String, Better>,
    #[serde(default)]
    allowed_delta: BTreeMap<String, Number>,
}

/// Which direction is an improvement. Nobody can guess it from a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Better {
    Higher,
    Lower,
}

impl Baseline {
    pub(super) fn delta(&self, metric: &str) -> Number {
        let stated = self.allowed_delta.get(metric).or_else(|| self.allowed_delta.get(EACH));
        stated.copied().unwrap_or(Number::Int(0))
    }

    /// Validation has seen to it that one of the two keys exists.
    pub(super) fn better(&self, metric: &str) -> Better {
        let stated = self.better.get(metric).or_else(|| self.better.get(EACH));
        stated.copied().unwrap_or(Better::Higher)
    }

    fn faults(&self, config: &Config, table: &GateTable) -> Vec<Fault> {
        let mut faults =
            config.source.elsewhere(&self.path, self.format).faults(table, Texts::Refused);
        let covered = self.better.contains_key(EACH)
            || (!config.metrics.is_empty()
                && config.metrics.keys().all(|metric| self.better.contains_key(metric)));
        if !covered {
            let headline = "`better` does not cover every metric";
            let remedy =
                "state `\"*\" = \"higher\"` or `\"*\" = \"lower\"`, and exceptions by name";
            faults.push(refuse(table, headline, remedy));
        }
        for (metric, delta) in &self.allowed_delta {
            if delta.is_below(Number::Int(0)) {
                let headline = format!("the allowed delta of `{metric}` is below 0");
                faults.push(refuse(table, headline, "state how much worse it may be, 0 or more"));
            }
        }
        if self.path == *config.source.path() && !config.source.is_of_run() {
            let headline = format!("`{}` is its own baseline", self.path);
            faults.push(refuse(table, headline, "commit the baseline as a file of its own"));
        }
        faults
    }
}

impl Config {
    /// The floors and ceilings that stand in the table itself.
    pub(super) fn limits(&self) -> Limits {
        Limits { floors: self.floors.clone(), ceilings: self.ceilings.clone() }
    }
}

/// Refuses what cannot be used, before anything runs.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = config.source.faults(table, Texts::Refused);
    let limits = config.limits();
    if !config.metrics.is_empty() {
        if config.source.names_items() || config.value.is_some() {
            let headline = "`metrics` and items are two ways to name what is measured";
            faults.push(refuse(table, headline, "keep `metrics`, or `items`, `id` and `value`"));
        }
        if config.source.artifact().format() == Some(Format::Jsonl) {
            let headline = "`metrics` are fields of one document, and the source is a stream";
            faults.push(refuse(table, headline, "measure items, or name a document"));
        }
    }
    let several = config.metrics.iter().map(|(name, pointer)| (name.as_str(), pointer));
    for (name, pointer) in several.chain(config.value.iter().map(|pointer| ("value", pointer))) {
        if pointer.has_each() {
            let headline = format!("the pointer of `{name}` selects several values");
            faults.push(refuse(table, headline, "name one value, or use `items`"));
        }
    }
    match (&config.thresholds, limits.is_empty(), &config.baseline) {
        (Some(_), false, _) => {
            let headline = "thresholds stand in the table and in a file";
            faults.push(refuse(table, headline, "keep one place"));
        }
        (None, true, None) => {
            let headline = "nothing holds the metrics";
            let remedy = "state `floors`, `ceilings`, `thresholds` or `baseline`";
            faults.push(refuse(table, headline, remedy));
        }
        (Some(_), true, _) | (None, _, _) => {}
    }
    for what in limits.contradictions() {
        faults.push(refuse(table, what, "exchange the two, or correct one of them"));
    }
    faults.extend(config.baseline.iter().flat_map(|baseline| baseline.faults(config, table)));
    faults
}
