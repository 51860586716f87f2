//! The configuration: surfaces, where they come from, and how they may grow.

use crate::json_path::Pointer;
use portcullis::{Fault, GateTable, RelPath, wire::code::CONFIG_INVALID};
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) surface: Vec<Spanned<Surface>>,
}

/// One frozen surface.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Surface {
    pub(super) id: String,
    pub(super) provider: Provider,
    source: OneOrMany,
    #[serde(default)]
    pub(super) select: Vec<String>,
    pub(super) snapshot: RelPath,
    #[serde(default)]
    pub(super) growth: Growth,
    #[serde(default)]
    pub(super) allow: Vec<Spanned<Allow>>,
    #[serde(default = "change_the_code")]
    pub(super) direction: String,
}

/// What a surface is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Provider {
    JsonSchema,
    PublicItems,
    DocSection,
    ConfigValues,
    CliHelp,
}

impl Provider {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::JsonSchema => "json_schema",
            Self::PublicItems => "public_items",
            Self::DocSection => "doc_section",
            Self::ConfigValues => "config_values",
            Self::CliHelp => "cli_help",
        }
    }
}

/// What a new name needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Growth {
    /// An entry in `allow`, with a decision record.
    #[default]
    Listed,
    /// Nothing but the snapshot.
    Free,
    /// There is no way.
    None,
}

/// A path or a list of paths.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a path or a list of paths below the repository root")]
enum OneOrMany {
    One(RelPath),
    Many(Vec<RelPath>),
}

/// A name that was added, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allow {
    pub(super) name: String,
    pub(super) decision: RelPath,
}

fn change_the_code() -> String {
    "change the code to match the snapshot".to_owned()
}

impl Surface {
    pub(super) fn sources(&self) -> &[RelPath] {
        match &self.source {
            OneOrMany::One(path) => std::slice::from_ref(path),
            OneOrMany::Many(paths) => paths,
        }
    }

    /// A file to point at when the whole surface is meant.
    pub(super) fn first_source(&self) -> &RelPath {
        self.sources().first().unwrap_or(&self.snapshot)
    }

    pub(super) fn allowed(&self, name: &str) -> Option<&Allow> {
        self.allow.iter().map(Spanned::get_ref).find(|allow| allow.name == name)
    }
}

/// Refuses surfaces without sources, two of one name or snapshot, and selectors that their provider cannot read.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: Option<usize>, headline: String, remedy: &str| {
        let at = offset.map_or_else(|| table.location.clone(), |offset| table.locate(offset));
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at));
    };
    if config.surface.is_empty() {
        refuse(None, "the gate freezes nothing".to_owned(), "add a `[[gate.surface]]`");
    }
    let (mut ids, mut snapshots) = (BTreeSet::new(), BTreeSet::new());
    for surface in &config.surface {
        let (at, surface) = (Some(surface.span().start), surface.get_ref());
        let id = &surface.id;
        if !ids.insert(id.as_str()) {
            refuse(at, format!("two surfaces have the id `{id}`"), "rename one of them");
        }
        if !snapshots.insert(surface.snapshot.as_str()) {
            let headline = format!("`{}` is the snapshot of two surfaces", surface.snapshot);
            refuse(at, headline, "give each a file of its own");
        }
        let sources: BTreeSet<&RelPath> = surface.sources().iter().collect();
        if sources.is_empty() || sources.len() != surface.sources().len() {
            let headline = format!("`source` of `{id}` is empty, or names a file twice");
            refuse(at, headline, "name each file once");
        }
        if sources.contains(&surface.snapshot) {
            let headline = format!("the surface `{id}` is compared with itself");
            refuse(at, headline, "name another file as `snapshot`");
        }
        let reads_pointers =
            matches!(surface.provider, Provider::ConfigValues | Provider::JsonSchema);
        for selector in &surface.select {
            if reads_pointers && Pointer::parse(selector).is_none() {
                let headline = format!("`{selector}` is not a JSON Pointer");
                refuse(at, headline, "write a pointer such as `/limits/max`");
            }
            if selector.trim().is_empty() && !reads_pointers {
                refuse(at, format!("`select` of `{id}` has an empty entry"), "name what is frozen");
            }
        }
        if surface.provider == Provider::DocSection && surface.select.is_empty() {
            let headline = format!("the surface `{id}` names no section");
            refuse(at, headline, "add the headings under `select`");
        }
        if surface.growth != Growth::Listed && !surface.allow.is_empty() {
            let headline = format!("`allow` of `{id}` has no effect under this `growth`");
            refuse(at, headline, "remove `allow`, or write `growth = \"listed\"`");
        }
        let names: BTreeSet<&str> =
            surface.allow.iter().map(|one| one.get_ref().name.as_str()).collect();
        if names.len() != surface.allow.len() {
            refuse(at, format!("`allow` of `{id}` lists a name twice"), "keep one of them");
        }
        if surface.direction.trim().is_empty() {
            refuse(
                at,
                format!("`direction` of `{id}` is empty"),
                "say what to do, or leave it out",
            );
        }
    }
    faults
}
