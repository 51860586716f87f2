//! The table of this kind, and what is refused in it.

use crate::{shell::argv::ArgvPattern, test_roster::Resolve, workflow};
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
    pub(super) resolve: Resolve,
    pub(super) nextest_config: Option<RelPath>,
    pub(super) runs: Vec<Run>,
}

/// What one job has to run.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) file: String,
    pub(super) job: String,
    pub(super) command: ArgvPattern,
    #[serde(default)]
    pub(super) must_select: Vec<String>,
    #[serde(default)]
    pub(super) events: Vec<String>,
    #[serde(default)]
    pub(super) no_fail_fast: bool,
}

/// Refuses a gate without entries, and ids that name no test.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |headline: String, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(table.location.clone()));
    };
    if config.runs.is_empty() {
        refuse("`runs` is empty".to_owned(), "name at least one job with its command");
    }
    for run in &config.runs {
        let bad = run.must_select.iter().find(|id| {
            id.is_empty() || id.split_once('$').is_some_and(|(a, b)| a.is_empty() || b.is_empty())
        });
        if let Some(id) = bad {
            refuse(format!("`{id}` names no test"), "write `binary-id` or `binary-id$test`");
        }
    }
    faults
}
