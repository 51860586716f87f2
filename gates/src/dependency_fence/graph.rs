//! The graph that cargo resolved, and what of it a fence reaches.

use super::{
    METADATA_FAILED,
    config::{Features, Fence, Kind},
    same,
};
use cargo_metadata::{DependencyKind, Metadata, Node, Package, PackageId};
use portcullis::Fault;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Build dependencies that compile C, or call what does.
const C_COMPILERS: &[&str] = &["cc", "cmake", "autotools", "meson-next"];

/// Packages and edges by id.
pub(super) struct Graph {
    packages: BTreeMap<PackageId, Package>,
    nodes: BTreeMap<PackageId, Node>,
    members: Vec<PackageId>,
}

/// What a fence reaches.
pub(super) struct Reached<'g> {
    pub(super) roots: Vec<&'g PackageId>,
    pub(super) packages: BTreeSet<&'g PackageId>,
    /// Every edge that counts, each once.
    pub(super) edges: BTreeSet<(&'g PackageId, &'g PackageId)>,
    /// From where each package was reached first.
    parents: BTreeMap<&'g PackageId, &'g PackageId>,
}

impl Graph {
    /// # Errors
    /// `metadata_failed` when the answer has no graph.
    pub(super) fn new(metadata: Metadata) -> Result<Self, Fault> {
        let Some(resolve) = metadata.resolve else {
            let headline = "the answer of `cargo metadata` has no graph";
            return Err(Fault::new(METADATA_FAILED, headline, "update cargo"));
        };
        let by_id = |package: Package| (package.id.clone(), package);
        Ok(Self {
            packages: metadata.packages.into_iter().map(by_id).collect(),
            nodes: resolve.nodes.into_iter().map(|node| (node.id.clone(), node)).collect(),
            members: metadata.workspace_members,
        })
    }

    /// The name of a package.
    pub(super) fn name(&self, id: &PackageId) -> &str {
        self.packages.get(id).map_or("?", |package| package.name.as_str())
    }

    /// Why a package counts as native.
    pub(super) fn native(&self, id: &PackageId) -> Option<String> {
        let package = self.packages.get(id)?;
        if let Some(links) = &package.links {
            return Some(format!("links `{links}`"));
        }
        let node = self.nodes.get(id)?;
        let compiles = node.deps.iter().find_map(|dep| {
            let is_build = dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Build);
            let name = self.name(&dep.pkg);
            (is_build && C_COMPILERS.iter().any(|one| same(one, name))).then_some(name)
        });
        compiles.map(|name| format!("builds with `{name}`"))
    }

    /// Walks from the roots, nearest packages first, along what the features of the roots turn on.
    ///
    /// cargo describes the features of all members together; what one root is built with alone is followed here.
    pub(super) fn reach(&self, fence: &Fence, roots: &[&str]) -> Reached<'_> {
        let mut reached = Reached {
            roots: self.members.iter().filter(|id| roots.contains(&self.name(id))).collect(),
            packages: BTreeSet::new(),
            edges: BTreeSet::new(),
            parents: BTreeMap::new(),
        };
        let mut features: BTreeMap<&PackageId, BTreeSet<String>> = BTreeMap::new();
        for root in &reached.roots {
            let known = self.packages.get(*root).map(|package| &package.features);
            let wanted: BTreeSet<String> = match &fence.features {
                Features::All => known.into_iter().flat_map(BTreeMap::keys).cloned().collect(),
                Features::Default => BTreeSet::from(["default".to_owned()]),
                Features::These(list) => list
                    .iter()
                    .map(|one| one.rsplit_once('/').map_or(one.clone(), |(_, one)| one.to_owned()))
                    .collect(),
            };
            features.insert(root, wanted);
        }
        reached.packages.extend(reached.roots.iter().copied());
        let mut waiting: VecDeque<&PackageId> = reached.roots.iter().copied().collect();
        while let Some(from) = waiting.pop_front() {
            let is_root = reached.roots.contains(&from);
            let own = features.get(from).cloned().unwrap_or_default();
            for (to, asked) in self.edges(fence, from, is_root, &own) {
                reached.edges.insert((from, to));
                let is_new = reached.packages.insert(to);
                if is_new {
                    reached.parents.insert(to, from);
                }
                let known = features.entry(to).or_default();
                let before = known.len();
                known.extend(asked);
                // A package whose features grew may reach further than it did.
                if is_new || known.len() > before {
                    waiting.push_back(to);
                }
            }
        }
        reached
    }

    /// The packages that one requires under some features, with the features that it asks of them.
    fn edges(
        &self,
        fence: &Fence,
        from: &PackageId,
        is_root: bool,
        features: &BTreeSet<String>,
    ) -> Vec<(&PackageId, BTreeSet<String>)> {
        let (Some(package), Some(node)) = (self.packages.get(from), self.nodes.get(from)) else {
            return Vec::new();
        };
        let turned_on = TurnedOn::new(package, features);
        let mut edges = Vec::new();
        for dep in &node.deps {
            let Some(target) = self.packages.get(&dep.pkg) else { continue };
            let required = package.dependencies.iter().filter(|one| {
                one.name.as_str() == target.name.as_str()
                    && one.req.matches(&target.version)
                    && counts(fence, one.kind, is_root)
                    && dep
                        .dep_kinds
                        .iter()
                        .any(|kind| kind.kind == one.kind && kind.target == one.target)
            });
            let mut asked = None;
            for one in required {
                let key = one.rename.as_ref().unwrap_or(&one.name);
                if one.optional && !turned_on.packages.contains(key) {
                    continue;
                }
                let asked = asked.get_or_insert_with(BTreeSet::new);
                asked.extend(one.features.iter().cloned());
                asked.extend(turned_on.of_others.get(key).into_iter().flatten().cloned());
                if one.uses_default_features {
                    asked.insert("default".to_owned());
                }
            }
            edges.extend(asked.map(|asked| (&dep.pkg, asked)));
        }
        edges
    }
}

/// What the features of a package turn on.
#[derive(Default)]
struct TurnedOn {
    /// Optional dependencies, by the name they have in the manifest.
    packages: BTreeSet<String>,
    /// Features of dependencies.
    of_others: BTreeMap<String, BTreeSet<String>>,
}

impl TurnedOn {
    fn new(package: &Package, features: &BTreeSet<String>) -> Self {
        let mut turned_on = Self::default();
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<String> = features.iter().cloned().collect();
        while let Some(feature) = waiting.pop() {
            if !seen.insert(feature.clone()) {
                continue;
            }
            if let Some(name) = feature.strip_prefix("dep:") {
                turned_on.packages.insert(name.to_owned());
            } else if let Some((name, of_other)) = feature.split_once('/') {
                let plain = name.trim_end_matches('?');
                turned_on
                    .of_others
                    .entry(plain.to_owned())
                    .or_default()
                    .insert(of_other.to_owned());
                if plain == name {
                    turned_on.packages.insert(name.to_owned());
                    waiting.push(name.to_owned());
                }
            } else {
                waiting.extend(package.features.get(&feature).into_iter().flatten().cloned());
            }
        }
        turned_on
    }
}

/// Whether an edge counts.
fn counts(fence: &Fence, kind: DependencyKind, is_root: bool) -> bool {
    match kind {
        // What a dev-dependency is linked with comes along, although the root itself is asked for `dev` alone.
        DependencyKind::Normal => fence.has(Kind::Normal) || (!is_root && fence.has(Kind::Dev)),
        DependencyKind::Build => fence.has(Kind::Build),
        DependencyKind::Development => is_root && fence.has(Kind::Dev),
        // A kind that nobody has heard of is not waved through.
        DependencyKind::Unknown => true,
    }
}

impl Reached<'_> {
    /// The names on the shortest way to a package, a root first.
    pub(super) fn chain<'g>(&self, graph: &'g Graph, to: &PackageId) -> Vec<&'g str> {
        let mut chain = vec![graph.name(to)];
        let mut at = to;
        while let Some(parent) = self.parents.get(at) {
            chain.push(graph.name(parent));
            at = parent;
        }
        chain.reverse();
        chain
    }
}
