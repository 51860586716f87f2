//! The graph that cargo resolved, and what of it a fence reaches.

use super::{
    METADATA_FAILED,
    config::{Fence, Kind},
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

    /// Walks from the roots, nearest packages first.
    pub(super) fn reach(&self, fence: &Fence, roots: &[&str]) -> Reached<'_> {
        let mut reached = Reached {
            roots: self.members.iter().filter(|id| roots.contains(&self.name(id))).collect(),
            packages: BTreeSet::new(),
            edges: BTreeSet::new(),
            parents: BTreeMap::new(),
        };
        let mut waiting: VecDeque<&PackageId> = reached.roots.iter().copied().collect();
        reached.packages.extend(reached.roots.iter().copied());
        while let Some(from) = waiting.pop_front() {
            let is_root = reached.roots.contains(&from);
            for dep in self.nodes.get(from).map_or(&[][..], |node| &node.deps) {
                if !dep.dep_kinds.iter().any(|kind| counts(fence, kind.kind, is_root)) {
                    continue;
                }
                reached.edges.insert((from, &dep.pkg));
                if reached.packages.insert(&dep.pkg) {
                    reached.parents.insert(&dep.pkg, from);
                    waiting.push_back(&dep.pkg);
                }
            }
        }
        reached
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
