//! Which packages a package may reach, by which kinds of edges. It compiles nothing and downloads nothing.

mod config;
mod graph;
mod manifests;
mod teeth;

use crate::{
    admission::Admissions,
    lane::{ADMISSION_EXPIRED, ADMISSION_UNUSED, SELECTOR_MATCHES_NOTHING},
    workspace::{self, Workspace},
};
use config::{Config, Fence, Resolve};
use graph::{Graph, Reached};
use manifests::Manifests;
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location, RelPath,
    wire::code::INPUT_UNREADABLE,
};
use std::collections::{BTreeMap, BTreeSet};
use teeth::TEETH;

portcullis::gate_kind! {
    /// Keeps packages out of reach of others.
    ///
    /// ### What it checks
    /// Each fence walks the graph that `cargo metadata --locked --offline` resolves, from its roots, along the kinds
    /// of edges it names. The edges of a root to its dev-dependencies count only under `dev`, those of its
    /// dependencies never; below a dev-dependency its normal edges count. Packages go by their own name, whatever they
    /// are renamed to, and `-` equals `_`. What the manifests require is checked besides, so that a denied name is
    /// found before a lock file knows it.
    ///
    /// ### Why it gates
    /// A network stack or a C compiler arrives through somebody else's default feature, and nobody who reviews the
    /// one added line can see it.
    ///
    /// ### Example
    /// Refused under `deny = ["openssl-sys"]`: a dependency whose dependency links OpenSSL. Accepted: the same
    /// package as a dev-dependency of a root, under `kinds = ["normal", "build"]`.
    ///
    /// ### Configuration
    /// - `resolve`: `graph` (default), or `manifest` to judge by the requirements of the workspace's own manifests
    ///   alone, where no lock file and no sources are at hand.
    /// - `fence`: one table per fence, at least one.
    /// - `id`: the name of the fence, unique in the gate.
    /// - `roots`: names of packages of the workspace; default all of them.
    /// - `kinds`: `normal`, `build` and `dev`; default `normal` and `build`.
    /// - `features`: `all` (default), `default`, or a list of features of the roots.
    /// - `targets`: `all` (default), or a list of target triples.
    /// - `deny`: names of packages that must not be reached.
    /// - `max_crates`: the most packages that may be reached, the roots included; 1 or more, in `graph` only.
    /// - `forbid_native`: `true` to refuse packages with a `links` key, or with a build dependency that compiles C
    ///   (`cc`, `cmake`, `autotools`, `meson-next`); in `graph` only.
    /// - `admit`: list of `{ crate, via, reason, expires }`: one package that one other may require, a reason of at
    ///   least 20 characters, and the last valid day (UTC).
    ///
    /// ### Remediation
    /// - `denied_dependency`: cut the edge that is shown: drop the dependency, or the feature that brings it.
    /// - `too_many_crates`: drop a dependency, or its default features.
    /// - `native_code`: use a package without native code, or admit this one with a reason and a day.
    /// - `metadata_failed`: mend the manifest, update the lock file or fetch the sources, as cargo says.
    /// - `selector_matches_nothing`: correct the name under `roots`.
    /// - `admission_unused`: remove the admission.
    /// - `admission_expired`: cut the edge, or renew the admission in a change of its own.
    pub static DEPENDENCY_FENCE: "dependency_fence", since = "0.1.0", config = Config,
        validate = config::validate, check = check, codes = CODES, teeth = TEETH;
}

const DENIED_DEPENDENCY: Code =
    Code::new("PC1535", "denied_dependency", "A package is reachable that its fence denies.");
const TOO_MANY_CRATES: Code =
    Code::new("PC1536", "too_many_crates", "More packages are reachable than a fence allows.");
const NATIVE_CODE: Code =
    Code::new("PC1537", "native_code", "A package with native code is reachable.");
const METADATA_FAILED: Code = Code::new(
    "PC1538",
    "metadata_failed",
    "cargo could not resolve the packages of the workspace.",
);

const CODES: &[Code] = &[
    DENIED_DEPENDENCY,
    TOO_MANY_CRATES,
    NATIVE_CODE,
    METADATA_FAILED,
    SELECTOR_MATCHES_NOTHING,
    ADMISSION_UNUSED,
    ADMISSION_EXPIRED,
];

/// Walks every fence; returns how many edges and roots were looked at.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    if cx.tool("cargo")?.is_none() {
        return Ok(Workspace::skipped());
    }
    let root = cx.watch(RelPath::parse("Cargo.toml").map_err(|source| {
        Fault::new(INPUT_UNREADABLE, source.to_string(), "report this as a bug")
    }))?;
    let plain = cx.watch(workspace::metadata(cx, &root, &["--no-deps"], METADATA_FAILED))?;
    let manifests = Manifests::new(cx, &plain);
    let mut graphs: BTreeMap<Vec<String>, Result<Graph, Fault>> = BTreeMap::new();
    // What manifests require is judged for every fence before a graph is asked for: the denied requirement of one fence is
    // why no fence has a graph.
    let mut fences = Vec::new();
    for fence in &config.fence {
        let fence = fence.get_ref();
        let roots = cx.watch(manifests.roots(fence))?;
        let mut held = Held {
            fence,
            admissions: Admissions::new(cx, fence.admissions()),
            seen: BTreeSet::new(),
        };
        let seen =
            held.requirements(&manifests, &manifests.walk(fence, &roots, config.resolve), out)?;
        fences.push((held, roots, seen));
    }
    let (mut examined, mut is_unresolved) = (0, false);
    for (mut held, roots, mut seen) in fences {
        let fence = held.fence;
        if config.resolve == Resolve::Graph {
            let words = fence.metadata_words();
            let graph = graphs.entry(words.clone()).or_insert_with(|| {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                workspace::metadata(cx, &root, &words, METADATA_FAILED).and_then(Graph::new)
            });
            match graph {
                Ok(graph) => {
                    seen = held.graph(&manifests, graph, &graph.reach(fence, &roots), out)?
                }
                // The denied requirement is why there is no graph, more often than not; both are reported then.
                Err(_) if is_unresolved => {}
                Err(fault) if out.total() > 0 => {
                    out.push(unresolved(fault));
                    is_unresolved = true;
                }
                Err(fault) => return cx.watch(Err(fault.clone())),
            }
        }
        held.admissions.report(out);
        cx.note(format!("fence `{}`: {seen} edges from {} roots", fence.id, roots.len()));
        examined += seen + roots.len();
    }
    Ok(Examined::items(examined))
}

fn unresolved(fault: &Fault) -> Finding {
    Finding::new(METADATA_FAILED, "cargo metadata", fault.headline(), fault.remedy())
        .at(Location::file("Cargo.toml"))
        .found(fault.found_text().unwrap_or_default())
}

/// One fence at work.
struct Held<'a> {
    fence: &'a Fence,
    admissions: Admissions<'a>,
    /// The edges that were reported, since a requirement and the graph show the same one.
    seen: BTreeSet<(String, String)>,
}

impl Held<'_> {
    /// Judges what manifests require.
    fn requirements(
        &mut self,
        manifests: &Manifests<'_, '_>,
        edges: &[manifests::Edge<'_>],
        out: &mut Findings,
    ) -> Result<usize, GateError> {
        for edge in edges {
            let name = &edge.requirement.name;
            let from = edge.chain.last().copied().unwrap_or_default();
            if self.fence.denies(name) && !self.is_admitted(name, from) && self.is_new(from, name) {
                let at = manifests.place(edge)?;
                out.push(self.denied(&edge.chain, name, at));
            }
        }
        Ok(edges.len())
    }

    /// Judges what the graph reaches.
    fn graph(
        &mut self,
        manifests: &Manifests<'_, '_>,
        graph: &Graph,
        reached: &Reached<'_>,
        out: &mut Findings,
    ) -> Result<usize, GateError> {
        for (from, to) in &reached.edges {
            let (via, name) = (graph.name(from), graph.name(to));
            let chain = reached.chain(graph, from);
            if self.fence.denies(name) && !self.is_admitted(name, via) && self.is_new(via, name) {
                out.push(self.denied(
                    &chain,
                    name,
                    manifests.place_of(chain.first().copied(), name)?,
                ));
            }
            if self.fence.forbid_native
                && let Some(why) = graph.native(to)
                && !self.is_admitted(name, via)
                && self.is_new(&format!("native {via}"), name)
            {
                let message = format!("`{name}` {why}, and is reached by {}", shown(&chain, name));
                let remedy =
                    "use a package without native code, or admit it with a reason and a day";
                out.push(
                    Finding::new(
                        NATIVE_CODE,
                        format!("{}: {via} -> {name}", self.fence.id),
                        message,
                        remedy,
                    )
                    .at(manifests.place_of(chain.first().copied(), name)?),
                );
            }
        }
        for id in &reached.roots {
            if self.fence.forbid_native
                && let Some(why) = graph.native(id)
            {
                let name = graph.name(id);
                let remedy = "build without it, or take the package out of the roots";
                out.push(
                    Finding::new(
                        NATIVE_CODE,
                        format!("{}: {name}", self.fence.id),
                        format!("the root `{name}` {why}"),
                        remedy,
                    )
                    .at(manifests.place_of(Some(name), name)?),
                );
            }
        }
        let count = reached.packages.len();
        if let Some(max) = self.fence.max_crates
            && count > max
        {
            let remedy = "see `cargo tree`, and drop a dependency or its default features";
            out.push(
                Finding::new(
                    TOO_MANY_CRATES,
                    &self.fence.id,
                    format!("the fence `{}` reaches {count} packages", self.fence.id),
                    remedy,
                )
                .at(Location::file("Cargo.toml"))
                .expected(format!("at most {max}"))
                .found(count.to_string()),
            );
        }
        Ok(reached.edges.len())
    }

    fn denied(&self, chain: &[&str], name: &str, at: Location) -> Finding {
        let via = chain.last().copied().unwrap_or_default();
        let fence = &self.fence.id;
        Finding::new(
            DENIED_DEPENDENCY,
            format!("{fence}: {via} -> {name}"),
            format!("`{name}` is denied by the fence `{fence}`"),
            format!("remove the edge from `{via}` to `{name}`, or the feature that brings it"),
        )
        .at(at)
        .found(shown(chain, name))
    }

    /// Whether an admission covers this edge; every one that names it is needed.
    fn is_admitted(&mut self, name: &str, via: &str) -> bool {
        let mut is_covered = false;
        for (index, admit) in self.fence.admit.iter().enumerate() {
            let admit = admit.get_ref();
            if same(&admit.package, name) && same(&admit.via, via) {
                is_covered |= self.admissions.cover(index);
            }
        }
        is_covered
    }

    fn is_new(&mut self, from: &str, name: &str) -> bool {
        self.seen.insert((plain(from), plain(name)))
    }
}

/// The way to a package, outermost first.
fn shown(chain: &[&str], name: &str) -> String {
    chain.iter().copied().chain([name]).collect::<Vec<&str>>().join(" -> ")
}

/// A package name as comparisons want it.
fn plain(name: &str) -> String {
    name.replace('-', "_")
}

fn same(a: &str, b: &str) -> bool {
    a == b || plain(a) == plain(b)
}

#[cfg(test)]
mod tests;
