//! The configuration: the floor, and who may stand below it.

use crate::{
    admission::{self, Admission},
    calendar::LocalDate,
};
use portcullis::{Fault, GateTable, RelPath, wire::code::CONFIG_INVALID};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) floor: BTreeMap<String, Level>,
    #[serde(default)]
    pub(super) exempt_members: Vec<Spanned<Exempt>>,
    #[serde(default)]
    pub(super) sites: Vec<Spanned<Site>>,
    #[serde(default)]
    pub(super) plants: Vec<Spanned<Plant>>,
    pub(super) env_files: Option<Vec<RelPath>>,
}

/// A lint level, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    Allow,
    Expect,
    Warn,
    Deny,
    Forbid,
}

impl Level {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "allow" => Self::Allow,
            "expect" => Self::Expect,
            "warn" => Self::Warn,
            "deny" => Self::Deny,
            "forbid" => Self::Forbid,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Expect => "expect",
            Self::Warn => "warn",
            Self::Deny => "deny",
            Self::Forbid => "forbid",
        }
    }
}

/// A member without the floor.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exempt {
    pub(super) name: String,
    reason: String,
    expires: LocalDate,
}

/// A file that may lower one lint.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Site {
    pub(super) path: RelPath,
    pub(super) lint: String,
    reason: String,
    expires: LocalDate,
}

/// A planted fault.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plant {
    pub(super) lint: String,
    pub(super) source: RelPath,
}

impl Config {
    pub(super) fn exemptions(&self) -> impl Iterator<Item = Admission<'_>> {
        self.exempt_members.iter().map(|entry| Admission {
            what: format!("member `{}`", entry.get_ref().name),
            reason: &entry.get_ref().reason,
            expires: Some(entry.get_ref().expires),
            offset: entry.span().start,
        })
    }

    pub(super) fn site_admissions(&self) -> impl Iterator<Item = Admission<'_>> {
        self.sites.iter().map(|entry| Admission {
            what: format!("`{}` in `{}`", entry.get_ref().lint, entry.get_ref().path),
            reason: &entry.get_ref().reason,
            expires: Some(entry.get_ref().expires),
            offset: entry.span().start,
        })
    }
}

/// Refuses a floor that holds nothing, admissions for what is no floor, and plants for it.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: Option<usize>, headline: String, remedy: &str| {
        let at = offset.map_or_else(|| table.location.clone(), |offset| table.locate(offset));
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at));
    };
    if config.floor.is_empty() {
        refuse(None, "the floor has no lint".to_owned(), "add a lint with its level");
    }
    for (lint, level) in &config.floor {
        if *level < Level::Warn {
            let headline = format!("`{lint}` has the level `{}` in the floor", level.name());
            refuse(None, headline, "write `warn`, `deny` or `forbid`");
        }
        if !crate::rust_source::is_name(lint) || lint.contains('*') {
            refuse(
                None,
                format!("`{lint}` is not the name of a lint"),
                "write `lint` or `clippy::lint`",
            );
        }
    }
    let named = config.sites.iter().map(|site| (site.span().start, &site.get_ref().lint));
    let planted = config.plants.iter().map(|plant| (plant.span().start, &plant.get_ref().lint));
    for (offset, lint) in named.chain(planted) {
        if !config.floor.contains_key(lint) {
            refuse(Some(offset), format!("`{lint}` is not in the floor"), "name a lint of `floor`");
        }
    }
    let sources: BTreeSet<&RelPath> =
        config.plants.iter().map(|plant| &plant.get_ref().source).collect();
    if sources.len() != config.plants.len() {
        refuse(None, "two plants have one source".to_owned(), "plant one fault per file");
    }
    let admissions = config.exemptions().chain(config.site_admissions());
    faults.extend(admissions.filter_map(|one| admission::fault(&one, table)));
    faults
}
