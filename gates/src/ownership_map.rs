//! Every module has one owner, and no owner reaches where it must not. It reads names; it does not type-check.

mod graph;
mod map;
mod teeth;

use crate::{documents, workspace::Workspace};
use graph::{Edge, Graph};
use map::{Map, Owner};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, Globs, Location,
    RelPath, wire::code::CONFIG_INVALID,
};
use std::collections::{BTreeMap, BTreeSet};
use teeth::TEETH;

portcullis::gate_kind! {
    /// Gives every file one owner, and keeps the owners apart as the map says.
    ///
    /// ### What it checks
    /// Each file of `files` is in exactly one domain of the map, or deferred. No file of a domain reaches into another
    /// one that it is banned from: by `use`, by a path in an expression, type, attribute or macro, through `crate`,
    /// `self`, `super`, renamed imports, globs, re-exports, `#[path]` and inline modules, in the module tree of every
    /// target; nor by a dependency between crates that each lie in one domain. Every required check is a gate of the
    /// policy, and the mission document has every linkage token.
    ///
    /// ### Why it gates
    /// A boundary that is only drawn is crossed by the first convenient import, and nobody sees it in a diff.
    ///
    /// ### Example
    /// Refused under `banned = [{ from = "kernel", to = "io" }]`: `use crate::prelude::File;` in a file of `kernel`,
    /// when `prelude` re-exports it from a file of `io`. Accepted: the same import in a file of another domain.
    ///
    /// ### Configuration
    /// - `files`: globs of what must be owned, required; one that matches nothing is an error.
    /// - `manifest`: a TOML or JSON file with the map; or `map`, the same as an inline table. Its members:
    ///   `domains`, tables by name, each with `files` (globs) or `modules` (paths such as `my_crate::kernel`, which own
    ///   what is below them); `deferred`, globs of files that nobody owns yet; `banned`, a list of `{ from, to }`;
    ///   `required_checks`, ids of gates; `linkage`, `{ document, tokens }`.
    /// - `workspace`: the workspace manifest whose targets are read, default `Cargo.toml`.
    /// - `test_code`: `check` (default), or `exempt` for what only test builds have: items under `#[cfg(test)]`, tests
    ///   and dev-dependencies.
    ///
    /// ### Remediation
    /// - `module_unowned`: add the file to the domain that answers for it, or defer it.
    /// - `module_owned_twice`: narrow the globs, so that one owner remains.
    /// - `module_unlinked`: include the file in a target, defer it, or delete it; nobody knows what it imports.
    /// - `kernel_boundary_drift`: turn the dependency round, or move what both sides need to a third domain.
    /// - `domain_empty`, `deferred_stale`: correct the globs, or remove the entry.
    /// - `required_check_missing`: restore the gate, or remove it from the map in a change of its own.
    /// - `linkage_token_missing`: link the map from the mission document again.
    pub static OWNERSHIP_MAP: "ownership_map", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = CODES, teeth = TEETH;
}

const MODULE_UNOWNED: Code =
    Code::new("PC1210", "module_unowned", "A file is in no domain of its map.");
const MODULE_OWNED_TWICE: Code =
    Code::new("PC1211", "module_owned_twice", "A file is in two domains, or owned and deferred.");
const MODULE_UNLINKED: Code =
    Code::new("PC1212", "module_unlinked", "An owned Rust file belongs to no target.");
const KERNEL_BOUNDARY_DRIFT: Code = Code::new(
    "PC1213",
    "kernel_boundary_drift",
    "A domain reaches into one that it is banned from.",
);
const DOMAIN_EMPTY: Code = Code::new("PC1214", "domain_empty", "A domain owns no file.");
const DEFERRED_STALE: Code =
    Code::new("PC1215", "deferred_stale", "A deferred glob matches no file.");
const REQUIRED_CHECK_MISSING: Code =
    Code::new("PC1216", "required_check_missing", "A map requires a gate that does not exist.");
const LINKAGE_TOKEN_MISSING: Code =
    Code::new("PC1217", "linkage_token_missing", "A mission document lacks a linkage token.");

const CODES: &[Code] = &[
    MODULE_UNOWNED,
    MODULE_OWNED_TWICE,
    MODULE_UNLINKED,
    KERNEL_BOUNDARY_DRIFT,
    DOMAIN_EMPTY,
    DEFERRED_STALE,
    REQUIRED_CHECK_MISSING,
    LINKAGE_TOKEN_MISSING,
];

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    files: Globs,
    manifest: Option<RelPath>,
    map: Option<Map>,
    workspace: Option<RelPath>,
    #[serde(default)]
    test_code: TestCode,
}

/// Whether what only test builds have is held to the boundaries.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum TestCode {
    #[default]
    Check,
    Exempt,
}

/// Refuses a gate without a map, and an inline map that contradicts itself.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let refuse = |headline: String, remedy: &str| {
        Fault::new(CONFIG_INVALID, headline, remedy).at(table.location.clone())
    };
    let mut faults = Vec::new();
    if config.manifest.is_some() == config.map.is_some() {
        let headline = "the map is either a `manifest` or an inline `map`".to_owned();
        faults.push(refuse(headline, "write one of the two"));
    }
    if let Some(map) = &config.map {
        faults.extend(
            map.contradictions().into_iter().map(|(headline, remedy)| refuse(headline, remedy)),
        );
    }
    faults
}

/// Judges owners, then the import graph; returns how many files and edges were looked at.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let files: Vec<RelPath> =
        documents::matched(cx, &config.files)?.iter().map(|file| file.path().clone()).collect();
    let read;
    let map = match (&config.map, &config.manifest) {
        (Some(map), _) => map,
        (None, Some(path)) => {
            read = map::read(cx, path)?;
            &read
        }
        (None, None) => return Ok(Examined::items(0)),
    };
    let manifest = config.workspace.as_ref().map_or("Cargo.toml", RelPath::as_str);
    let Some(workspace) = Workspace::read(cx, manifest)? else { return Ok(Workspace::skipped()) };
    let graph = Graph::read(cx, &workspace)?;
    let owners: BTreeMap<&RelPath, Vec<Owner<'_>>> =
        files.iter().map(|path| (path, map.owners(path, graph.modules_of(path)))).collect();
    owned_once(config, map, &owners, out);
    stale(config, map, &owners, out);
    for (path, owners) in &owners {
        let is_owned = owners.iter().any(|owner| matches!(owner, Owner::Domain(_)));
        if is_owned && path.as_str().ends_with(".rs") && !graph.has(path) {
            out.push(unlinked(path));
        }
    }
    let edges = graph.edges();
    boundaries(config, map, &graph, &edges, out);
    crate_edges(config, map, &workspace, &graph, out);
    required(cx, map, out);
    linkage(cx, map, out)?;
    cx.note(format!("{} files, {} references between them", files.len(), edges.len()));
    Ok(Examined::items(files.len()))
}

fn place_of_map(config: &Config) -> Location {
    Location::file(config.manifest.as_ref().map_or("portcullis.toml", RelPath::as_str))
}

fn owned_once(
    config: &Config,
    map: &Map,
    owners: &BTreeMap<&RelPath, Vec<Owner<'_>>>,
    out: &mut Findings,
) {
    for (path, owners) in owners {
        match owners.as_slice() {
            [] => {
                let names: Vec<&str> = map.domains.keys().map(String::as_str).collect();
                out.push(
                    Finding::new(
                        MODULE_UNOWNED,
                        path,
                        format!("`{path}` is in no domain"),
                        format!(
                            "add it to a domain in `{}`, or defer it",
                            place_of_map(config).path
                        ),
                    )
                    .at(Location::file(path))
                    .expected(format!("one of {}", names.join(", "))),
                );
            }
            [_one] => {}
            several => {
                let names: Vec<&str> = several.iter().map(Owner::name).collect();
                out.push(
                    Finding::new(
                        MODULE_OWNED_TWICE,
                        path,
                        format!("`{path}` is owned by {}", names.join(" and by ")),
                        "narrow the globs, so that one owner remains",
                    )
                    .at(Location::file(path)),
                );
            }
        }
    }
}

fn stale(
    config: &Config,
    map: &Map,
    owners: &BTreeMap<&RelPath, Vec<Owner<'_>>>,
    out: &mut Findings,
) {
    let used: BTreeSet<&str> = owners.values().flatten().map(Owner::name).collect();
    for name in map.domains.keys().filter(|name| !used.contains(name.as_str())) {
        let message = format!("the domain `{name}` owns no file");
        out.push(
            Finding::new(DOMAIN_EMPTY, name, message, "correct its globs, or remove it")
                .at(place_of_map(config)),
        );
    }
    for glob in &map.deferred {
        let is_used = Globs::new(&[glob])
            .is_ok_and(|globs| owners.keys().any(|path| globs.matches(path.as_str())));
        if !is_used {
            let message = format!("the deferred glob `{glob}` matches no file");
            out.push(
                Finding::new(DEFERRED_STALE, glob, message, "correct it, or remove it")
                    .at(place_of_map(config)),
            );
        }
    }
}

fn unlinked(path: &RelPath) -> Finding {
    Finding::new(
        MODULE_UNLINKED,
        path,
        format!("no target includes `{path}`, so nobody knows what it imports"),
        "declare it as a module, defer it, or delete it",
    )
    .at(Location::file(path))
}

fn boundaries(config: &Config, map: &Map, graph: &Graph, edges: &[Edge<'_>], out: &mut Findings) {
    let mut reported = BTreeSet::new();
    for edge in edges {
        if edge.is_test_only && config.test_code == TestCode::Exempt {
            continue;
        }
        let from = map.owners(edge.from, graph.modules_of(edge.from));
        let to = map.owners(edge.to, graph.modules_of(edge.to));
        for banned in &map.banned {
            let crosses = from.contains(&Owner::Domain(&banned.from))
                && to.contains(&Owner::Domain(&banned.to));
            let place = edge.at.location(edge.from);
            if crosses && reported.insert((edge.from, place.line, place.column, &banned.to)) {
                out.push(
                    Finding::new(
                        KERNEL_BOUNDARY_DRIFT,
                        format!("{} -> {}", banned.from, banned.to),
                        format!(
                            "`{}` reaches from `{}` into `{}`",
                            edge.from, banned.from, banned.to
                        ),
                        "turn the dependency round, or move what both sides need to a third domain",
                    )
                    .at(place)
                    .found(format!(
                        "`{}`, which is in `{}`",
                        edge.path.join("::"),
                        edge.to
                    )),
                );
            }
        }
    }
}

/// A crate that lies in one domain must not depend on a crate that lies in one it is banned from.
fn crate_edges(
    config: &Config,
    map: &Map,
    workspace: &Workspace,
    graph: &Graph,
    out: &mut Findings,
) {
    let domain_of = |package: &str| -> Option<BTreeSet<&str>> {
        let files = graph.files_of(package);
        let mut names = BTreeSet::new();
        for path in files {
            match map.owners(path, graph.modules_of(path)).as_slice() {
                [Owner::Domain(name)] => {
                    names.insert(*name);
                }
                _ => return None,
            }
        }
        (names.len() == 1).then_some(names)
    };
    let domains: BTreeMap<&str, &str> = workspace
        .packages()
        .filter_map(|package| {
            let name = package.name.as_str();
            domain_of(name)
                .and_then(|domains| domains.first().copied())
                .map(|domain| (name, domain))
        })
        .collect();
    for package in workspace.packages() {
        let Some(from) = domains.get(package.name.as_str()) else { continue };
        for dependency in &package.dependencies {
            let is_dev = dependency.kind == cargo_metadata::DependencyKind::Development;
            let Some(to) = domains.get(dependency.name.as_str()) else { continue };
            let crosses = map.banned.iter().any(|banned| banned.from == *from && banned.to == *to);
            if crosses && !(is_dev && config.test_code == TestCode::Exempt) {
                let manifest = workspace.relative(package.manifest_path.as_str());
                let manifest = manifest
                    .map_or_else(|| package.manifest_path.to_string(), |path| path.to_string());
                out.push(
                    Finding::new(
                        KERNEL_BOUNDARY_DRIFT,
                        format!("{from} -> {to}"),
                        format!(
                            "crate `{}` of `{from}` depends on crate `{}` of `{to}`",
                            package.name, dependency.name
                        ),
                        "remove the dependency, or move what both sides need to a third domain",
                    )
                    .at(Location::file(manifest)),
                );
            }
        }
    }
}

fn required(cx: &GateContext<'_>, map: &Map, out: &mut Findings) {
    let known: Vec<&str> = cx.gates().iter().map(|gate| gate.common.id.as_str()).collect();
    for id in map.required_checks.iter().filter(|id| !known.contains(&id.as_str())) {
        let finding = Finding::new(
            REQUIRED_CHECK_MISSING,
            id,
            format!("the policy has no gate `{id}`"),
            "restore the gate, or remove it from the map in a change of its own",
        )
        .at(Location::file(&cx.gate().location.path));
        out.push(match portcullis::kernel::near::hint(id, known.iter().copied()) {
            Some(hint) => finding.expected(hint),
            None => finding,
        });
    }
}

fn linkage(cx: &GateContext<'_>, map: &Map, out: &mut Findings) -> Result<(), GateError> {
    let Some(linkage) = &map.linkage else { return Ok(()) };
    let text = cx.file(&linkage.document).text()?;
    for token in linkage.tokens.iter().filter(|token| !text.contains(token.as_str())) {
        out.push(
            Finding::new(
                LINKAGE_TOKEN_MISSING,
                token,
                format!("`{}` lacks `{token}`", linkage.document),
                "link the map from this document again",
            )
            .at(Location::file(&linkage.document)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
