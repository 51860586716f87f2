//! The configuration of incident triggers. It reads no run.

use super::decision::Context;
use crate::artifact::refuse;
use portcullis::{Fault, GateTable, Lane, RelPath};
use serde::Deserialize;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) views: RelPath,
    #[serde(default)]
    pub(super) of_run: bool,
    /// No default: without a baseline a missing triage says nothing, with one it hides everything.
    pub(super) baseline: bool,
    /// No default: whether a claim is printed is known to its author alone.
    pub(super) strict_wording: bool,
    #[serde(default)]
    pub(super) parity_gates: Vec<String>,
    #[serde(default)]
    pub(super) drift_gates: Vec<String>,
    context: Option<Context>,
}

impl Config {
    /// Where the run stands for; a local run may be anything.
    pub(super) fn context(&self, lane: Lane) -> Context {
        self.context.unwrap_or(match lane {
            Lane::Main => Context::Main,
            Lane::Release => Context::Release,
            Lane::Pr => Context::Branch,
            Lane::Local => Context::Unknown,
        })
    }
}

/// Refuses what cannot be used, before anything runs.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let both = config.drift_gates.iter().filter(|gate| config.parity_gates.contains(gate));
    both.map(|gate| {
        let headline = format!("`{gate}` is a parity gate, and its failure is called drift");
        refuse(table, headline, "name it in one of the two lists")
    })
    .collect()
}
