//! What the manifests of the workspace require, and where they say so.

use super::{
    config::{Features, Fence, Kind, Resolve, Targets},
    same,
};
use crate::{lane::SELECTOR_MATCHES_NOTHING, toml_file::TomlFile};
use cargo_metadata::{Dependency, DependencyKind, Metadata, Package};
use portcullis::{Fault, GateContext, GateError, Location, RelPath};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeTable;

/// The packages of the workspace.
pub(super) struct Manifests<'a, 'c> {
    cx: &'a GateContext<'c>,
    packages: BTreeMap<&'a str, &'a Package>,
    root: &'a str,
}

/// A requirement that counts, and the names of the packages that lead to it; its own package is the last.
pub(super) struct Edge<'a> {
    pub(super) chain: Vec<&'a str>,
    pub(super) requirement: &'a Dependency,
}

impl<'a, 'c> Manifests<'a, 'c> {
    pub(super) fn new(cx: &'a GateContext<'c>, metadata: &'a Metadata) -> Self {
        let members = metadata
            .packages
            .iter()
            .filter(|package| metadata.workspace_members.contains(&package.id));
        Self {
            cx,
            packages: members.map(|package| (package.name.as_str(), package)).collect(),
            root: metadata.workspace_root.as_str(),
        }
    }

    /// The names of the roots of a fence.
    ///
    /// # Errors
    /// `selector_matches_nothing` for a name that no package of the workspace has.
    pub(super) fn roots(&self, fence: &Fence) -> Result<Vec<&'a str>, Fault> {
        let Some(named) = &fence.roots else { return Ok(self.packages.keys().copied().collect()) };
        let find = |name: &String| {
            self.packages.keys().copied().find(|known| same(known, name)).ok_or_else(|| {
                let headline = format!("the workspace has no package `{name}`");
                let fault = Fault::new(SELECTOR_MATCHES_NOTHING, headline, "correct `roots`");
                match portcullis::kernel::near::hint(name, self.packages.keys().copied()) {
                    Some(hint) => fault.expected(hint),
                    None => fault,
                }
            })
        };
        named.iter().map(find).collect()
    }

    /// The requirements of the roots, and of the packages of the workspace that they lead to.
    pub(super) fn walk(&self, fence: &Fence, roots: &[&'a str], resolve: Resolve) -> Vec<Edge<'a>> {
        let mut edges = Vec::new();
        let mut seen: BTreeSet<&str> = roots.iter().copied().collect();
        let mut waiting: Vec<Vec<&'a str>> = roots.iter().map(|root| vec![*root]).collect();
        while let Some(chain) = waiting.pop() {
            let Some(package) = chain.last().and_then(|name| self.packages.get(name)) else {
                continue;
            };
            let is_root = chain.len() == 1;
            let active = is_root.then(|| active_features(package, &fence.features)).flatten();
            for requirement in &package.dependencies {
                if !counts(fence, requirement, is_root, resolve)
                    || !is_active(requirement, active.as_ref())
                {
                    continue;
                }
                edges.push(Edge { chain: chain.clone(), requirement });
                let inner = requirement.path.as_ref().and_then(|_| {
                    self.packages.get_key_value(requirement.name.as_str()).map(|(name, _)| *name)
                });
                if let Some(inner) = inner
                    && seen.insert(inner)
                {
                    waiting.push(chain.iter().copied().chain([inner]).collect());
                }
            }
        }
        edges
    }

    /// The line of a requirement.
    ///
    /// # Errors
    /// When its manifest cannot be read.
    pub(super) fn place(&self, edge: &Edge<'_>) -> Result<Location, GateError> {
        self.place_of(edge.chain.last().copied(), &edge.requirement.name)
    }

    /// The line at which a package of the workspace requires `name`; its manifest, when it does not itself.
    ///
    /// # Errors
    /// As [`Manifests::place`].
    pub(super) fn place_of(
        &self,
        package: Option<&str>,
        name: &str,
    ) -> Result<Location, GateError> {
        let Some(package) = package.and_then(|name| self.packages.get(name)) else {
            return Ok(Location::file("Cargo.toml"));
        };
        let below = package.manifest_path.as_str().strip_prefix(self.root).unwrap_or_default();
        let below = below.replace('\\', "/");
        let Ok(path) = RelPath::parse(below.trim_start_matches('/')) else {
            return Ok(Location::file("Cargo.toml"));
        };
        let key = package
            .dependencies
            .iter()
            .find(|requirement| same(&requirement.name, name))
            .map(|requirement| requirement.rename.as_ref().unwrap_or(&requirement.name));
        let file = self.cx.watch(TomlFile::new(&path, self.cx.file(&path).text()?))?;
        let root = self.cx.watch(file.parse())?;
        let offset = key.and_then(|key| offset_of(&root, key));
        Ok(offset.map_or_else(|| Location::file(&path), |offset| file.locate(offset)))
    }
}

/// Whether a requirement counts for its kind and target.
fn counts(fence: &Fence, requirement: &Dependency, is_root: bool, resolve: Resolve) -> bool {
    let by_kind = match requirement.kind {
        DependencyKind::Normal => fence.has(Kind::Normal) || (!is_root && fence.has(Kind::Dev)),
        DependencyKind::Build => fence.has(Kind::Build),
        DependencyKind::Development => is_root && fence.has(Kind::Dev),
        DependencyKind::Unknown => true,
    };
    let by_target = match (&requirement.target, &fence.targets) {
        (None, _) | (_, Targets::All) => true,
        // cargo filters the graph by target; without a graph, a condition is taken as met.
        (Some(target), Targets::These(list)) => {
            resolve == Resolve::Manifest && {
                let target = target.to_string();
                target.starts_with("cfg(") || list.contains(&target)
            }
        }
    };
    by_kind && by_target
}

/// The features of a root that a fence is about; nothing for all.
fn active_features(package: &Package, wanted: &Features) -> Option<BTreeSet<String>> {
    let mut waiting: Vec<String> = match wanted {
        Features::All => return None,
        Features::Default => vec!["default".to_owned()],
        Features::These(list) => list
            .iter()
            .map(|name| name.rsplit_once('/').map_or(name.clone(), |(_, name)| name.to_owned()))
            .collect(),
    };
    let mut active = BTreeSet::new();
    while let Some(feature) = waiting.pop() {
        if active.insert(feature.clone()) {
            waiting.extend(package.features.get(&feature).into_iter().flatten().cloned());
        }
    }
    Some(active)
}

/// Whether a requirement is there under these features.
fn is_active(requirement: &Dependency, active: Option<&BTreeSet<String>>) -> bool {
    let Some(active) = active.filter(|_| requirement.optional) else { return true };
    let key = requirement.rename.as_ref().unwrap_or(&requirement.name);
    active.iter().any(|feature| {
        let named = feature.strip_prefix("dep:").unwrap_or(feature);
        named == key || named.split_once('/').is_some_and(|(name, _)| name == key)
    })
}

/// The offset of a key in one of the tables of requirements.
fn offset_of(root: &DeTable<'_>, key: &str) -> Option<usize> {
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let in_table = |table: &DeTable<'_>| {
        tables.iter().find_map(|name| {
            let entries = table.get(*name)?.get_ref().as_table()?;
            entries
                .iter()
                .find(|(entry, _)| entry.get_ref() == key)
                .map(|(entry, _)| entry.span().start)
        })
    };
    let targets = root.get("target").and_then(|targets| targets.get_ref().as_table());
    in_table(root).or_else(|| {
        targets?.iter().find_map(|(_, table)| table.get_ref().as_table().and_then(in_table))
    })
}
