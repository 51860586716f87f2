//! The table of this kind, and what is refused in it.

use crate::{
    admission::{self, Admission},
    shell::{argv::ArgvPattern, open::Project},
    workflow,
};
use portcullis::{Fault, GateTable, Globs, RelPath, wire::code::CONFIG_INVALID};
use std::collections::BTreeSet;
use toml::Spanned;

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default = "workflow::default_files")]
    pub(super) files: Globs,
    #[serde(default)]
    pub(super) known_keys: BTreeSet<String>,
    pub(super) local: Vec<Spanned<Entry>>,
    pub(super) ci: Vec<Jobs>,
    #[serde(default)]
    pub(super) compare: Compare,
    #[serde(default)]
    pub(super) ignore: Vec<Spanned<Ignore>>,
}

/// A local entry point.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) file: Option<RelPath>,
    pub(super) entry: String,
}

/// What runs an entry point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Just,
    Make,
    Alias,
    Command,
}

/// Jobs of a workflow.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jobs {
    pub(super) file: String,
    pub(super) job: Vec<String>,
}

/// What is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Compare {
    #[default]
    Selection,
    Commands,
}

/// A command that only one side has, on purpose.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ignore {
    pub(super) command: ArgvPattern,
    pub(super) reason: String,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Just => "just",
            Self::Make => "make",
            Self::Alias => "cargo",
            Self::Command => "command",
        }
    }
}

impl Entry {
    /// The command line of the entry, and whether what it names is there.
    pub(super) fn script(&self, project: &Project<'_>) -> Result<(String, bool), Fault> {
        let file = self.file.as_ref().map(RelPath::as_str);
        let name = self.entry.split_whitespace().next().unwrap_or_default();
        Ok(match self.kind {
            Kind::Just => {
                let path = file.unwrap_or("justfile");
                let found = project.justfile(path)?;
                let is_there = found.is_some_and(|one| one.has(name));
                (format!("just -f {path} {}", self.entry), is_there)
            }
            Kind::Make => {
                let path = file.unwrap_or("Makefile");
                let found = project.makefile(path)?;
                let is_there = found.is_some_and(|one| one.targets().any(|target| target == name));
                (format!("make -f {path} {}", self.entry), is_there)
            }
            Kind::Alias => (format!("cargo {}", self.entry), project.has_alias(name)?),
            Kind::Command => (self.entry.clone(), !self.entry.trim().is_empty()),
        })
    }
}

impl Config {
    pub(super) fn admissions(&self) -> Vec<Admission<'_>> {
        self.ignore
            .iter()
            .map(|entry| Admission {
                what: format!("command `{}`", entry.get_ref().command.text()),
                reason: &entry.get_ref().reason,
                expires: None,
                offset: entry.span().start,
            })
            .collect()
    }
}

/// Refuses a comparison with nothing on one side.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let no_job = config.ci.is_empty() || config.ci.iter().any(|entry| entry.job.is_empty());
    for (key, is_empty) in [("local", config.local.is_empty()), ("ci", no_job)] {
        if is_empty {
            let headline = format!("`{key}` names nothing to compare");
            let remedy = "name at least one entry point and one job";
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(table.location.clone()));
        }
    }
    faults.extend(config.admissions().iter().filter_map(|one| admission::fault(one, table)));
    faults
}
