//! The configuration: fences, what each denies, and what may pass.

use super::{plain, same};
use crate::{
    admission::{self, Admission},
    calendar::LocalDate,
};
use portcullis::{Fault, GateTable, wire::code::CONFIG_INVALID};
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) resolve: Resolve,
    pub(super) fence: Vec<Spanned<Fence>>,
}

/// Where edges come from.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Resolve {
    #[default]
    Graph,
    Manifest,
}

/// One fence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fence {
    pub(super) id: String,
    pub(super) roots: Option<Vec<String>>,
    #[serde(default = "normal_and_build")]
    pub(super) kinds: Vec<Kind>,
    #[serde(default)]
    pub(super) features: Features,
    #[serde(default)]
    pub(super) targets: Targets,
    #[serde(default)]
    pub(super) deny: Vec<String>,
    pub(super) max_crates: Option<usize>,
    #[serde(default)]
    pub(super) forbid_native: bool,
    #[serde(default)]
    pub(super) admit: Vec<Spanned<Admit>>,
}

/// A kind of edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Normal,
    Build,
    Dev,
}

fn normal_and_build() -> Vec<Kind> {
    vec![Kind::Normal, Kind::Build]
}

/// Which features the roots have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "OneOrMany")]
pub(super) enum Features {
    #[default]
    All,
    Default,
    These(Vec<String>),
}

/// For which targets the roots are built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "OneOrMany")]
pub(super) enum Targets {
    #[default]
    All,
    These(Vec<String>),
}

/// A word or a list of words.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a word such as `\"all\"`, or a list of texts")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl TryFrom<OneOrMany> for Features {
    type Error = String;

    fn try_from(value: OneOrMany) -> Result<Self, String> {
        match value {
            OneOrMany::One(word) if word == "all" => Ok(Self::All),
            OneOrMany::One(word) if word == "default" => Ok(Self::Default),
            OneOrMany::One(word) => {
                Err(format!("`features` is \"all\", \"default\" or a list, not \"{word}\""))
            }
            OneOrMany::Many(list) => Ok(Self::These(list)),
        }
    }
}

impl TryFrom<OneOrMany> for Targets {
    type Error = String;

    fn try_from(value: OneOrMany) -> Result<Self, String> {
        match value {
            OneOrMany::One(word) if word == "all" => Ok(Self::All),
            OneOrMany::Many(list) if !list.is_empty() => Ok(Self::These(list)),
            OneOrMany::One(_) | OneOrMany::Many(_) => {
                Err("`targets` is \"all\", or a list of target triples".to_owned())
            }
        }
    }
}

/// An edge that is let through.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Admit {
    #[serde(rename = "crate")]
    pub(super) package: String,
    pub(super) via: String,
    reason: String,
    expires: LocalDate,
}

impl Fence {
    pub(super) fn denies(&self, name: &str) -> bool {
        self.deny.iter().any(|denied| same(denied, name))
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    pub(super) fn admissions(&self) -> impl Iterator<Item = Admission<'_>> {
        self.admit.iter().map(|admit| {
            let entry = admit.get_ref();
            Admission {
                what: format!("`{}` via `{}` in fence `{}`", entry.package, entry.via, self.id),
                reason: &entry.reason,
                expires: Some(entry.expires),
                offset: admit.span().start,
            }
        })
    }

    /// What `cargo metadata` is asked for, so that fences which ask the same share an answer.
    pub(super) fn metadata_words(&self) -> Vec<String> {
        // The whole graph is asked for; which of its edges the features turn on is followed afterwards.
        let mut words = vec!["--all-features".to_owned()];
        if let Targets::These(list) = &self.targets {
            words.extend(list.iter().flat_map(|one| ["--filter-platform".to_owned(), one.clone()]));
        }
        words
    }
}

/// Refuses fences that keep nothing out, and what the manifests alone cannot tell.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: Option<usize>, headline: String, remedy: &str| {
        let at = offset.map_or_else(|| table.location.clone(), |offset| table.locate(offset));
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at));
    };
    if config.fence.is_empty() {
        refuse(None, "the gate has no fence".to_owned(), "add a `[[gate.fence]]`");
    }
    let mut ids = BTreeSet::new();
    for fence in &config.fence {
        let (at, fence) = (Some(fence.span().start), fence.get_ref());
        let id = &fence.id;
        if !ids.insert(id.as_str()) {
            refuse(at, format!("two fences have the id `{id}`"), "rename one of them");
        }
        if fence.deny.is_empty() && fence.max_crates.is_none() && !fence.forbid_native {
            let remedy = "add `deny`, `max_crates` or `forbid_native`";
            refuse(at, format!("the fence `{id}` keeps nothing out"), remedy);
        }
        if fence.max_crates == Some(0) {
            let remedy = "write how many packages may be reached, the roots included";
            refuse(at, format!("the fence `{id}` has a `max_crates` of 0"), remedy);
        }
        if fence.kinds.is_empty() || fence.roots.as_ref().is_some_and(Vec::is_empty) {
            let remedy = "name what the fence is about, or remove the empty list";
            refuse(at, format!("the fence `{id}` walks no edge"), remedy);
        }
        let needs_graph = fence.max_crates.is_some() || fence.forbid_native;
        if config.resolve == Resolve::Manifest && needs_graph {
            let remedy = "remove `resolve = \"manifest\"`, or what needs the graph";
            let headline =
                format!("manifests do not tell `max_crates` or `forbid_native` of `{id}`");
            refuse(at, headline, remedy);
        }
        let names: BTreeSet<String> = fence.deny.iter().map(|name| plain(name)).collect();
        if names.len() != fence.deny.len() || fence.deny.iter().any(|name| name.trim().is_empty()) {
            let remedy = "name each package once";
            refuse(at, format!("`deny` of `{id}` has an empty or repeated name"), remedy);
        }
    }
    for fence in &config.fence {
        let admissions = fence.get_ref().admissions();
        faults.extend(admissions.filter_map(|one| admission::fault(&one, table)));
    }
    faults
}
