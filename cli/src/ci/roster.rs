//! What a repository has that its lanes run: gates by kind, targets, canaries. It configures and renders nothing.

use super::{
    lanes::{FENCE, Lane},
    pins::{NEXTEST, PORTCULLIS},
};
use crate::{
    engine::cargo_test::{Metadata, TestTarget, crate_name},
    exit::{Exit, OrExit, Refused},
    repository::Repository,
};
use portcullis::{
    Fault, Location,
    kernel::{census::Census, policy::Policy},
    wire::code::{CONFIG_INVALID, TOML_INVALID},
};
use portcullis_canary::Lane as CanaryLane;
use portcullis_gates::canary::Canary;
use std::collections::BTreeSet;

const MANIFEST: &str = "Cargo.toml";
const MANIFEST_MAX_BYTES: u64 = 1024 * 1024;
const LOAD_BEARING: &str = "load_bearing_";
/// The fences that are quick enough to come before every build.
const FENCE_KINDS: [&str; 2] = ["dependency_fence", "source_fence"];
const FREEZE_KINDS: [&str; 1] = ["contract_freeze"];
const LINT_KINDS: [&str; 1] = ["lint_floor"];

/// What there is to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    /// `rust-version` of the root manifest.
    pub(crate) rust_version: Option<String>,
    /// Canaries that speak and never block.
    pub(crate) advisory: Vec<String>,
    /// Canaries of the night.
    pub(crate) nightly: Vec<String>,
    fences: Vec<Vec<String>>,
    freezes: Vec<Vec<String>>,
    lints: Vec<Vec<String>>,
    gate_targets: BTreeSet<String>,
    load_bearing: Vec<TestTarget>,
    has_integration: bool,
    benches: Vec<(String, String)>,
}

impl Roster {
    /// Reads manifest, policy, census and targets.
    ///
    /// # Errors
    /// What of them cannot be read.
    pub(crate) fn read(
        repository: &Repository,
        policy: &Policy,
        census: Option<&Census>,
        metadata: &Metadata,
    ) -> Result<Self, Refused> {
        let tests = metadata.tests();
        let mut gates: Vec<(String, String, String)> = policy
            .gates
            .iter()
            .map(|gate| {
                let common = &gate.common;
                (gate.kind_name().to_owned(), common.binary.clone(), common.id.to_string())
            })
            .collect();
        for row in census.into_iter().flat_map(|census| &census.rows) {
            if !gates.iter().any(|(_, _, id)| id == row.id.as_str()) {
                gates.push((row.kind.clone(), row.binary.clone(), row.id.to_string()));
            }
        }
        gates.sort();
        let binaries: BTreeSet<String> =
            gates.iter().map(|(_, binary, _)| crate_name(binary)).collect();
        let of = |kinds: &[&str]| -> Vec<Vec<String>> {
            let mine = gates.iter().filter(|(kind, ..)| kinds.contains(&kind.as_str()));
            mine.filter_map(|(_, binary, id)| one_gate(&tests, binary, id)).collect()
        };
        let is_gate = |test: &&TestTarget| binaries.contains(&test.binary());
        let load_bearing: Vec<TestTarget> =
            tests.iter().filter(|test| test.name.starts_with(LOAD_BEARING)).cloned().collect();
        let plain = |test: &TestTarget| {
            !is_gate(&test) && !test.name.starts_with(LOAD_BEARING) && test.features.is_empty()
        };
        let canaries = Canary::all(policy).map_err(|faults| Refused::all(Exit::Usage, faults))?;
        let lane_of = |wanted: CanaryLane| -> Vec<String> {
            let mine = canaries.values().filter(|canary| canary.lane() == wanted);
            mine.map(|canary| canary.id.clone()).collect()
        };
        let (advisory, nightly) =
            (lane_of(CanaryLane::Advisory), lane_of(CanaryLane::NightlyGating));
        // What a canary measures is measured by it, in its own lane.
        let measured = |bench: &(String, String)| {
            canaries.values().any(|canary| canary.argv().is_empty() && canary.id == bench.0)
        };
        Ok(Self {
            rust_version: rust_version(repository)?,
            fences: of(&FENCE_KINDS),
            freezes: of(&FREEZE_KINDS),
            lints: of(&LINT_KINDS),
            gate_targets: tests.iter().filter(is_gate).map(|test| test.name.clone()).collect(),
            has_integration: tests.iter().any(plain),
            load_bearing,
            benches: metadata.benches().into_iter().filter(|bench| !measured(bench)).collect(),
            advisory,
            nightly,
        })
    }

    /// What the first lane runs: the fences, or where there are none the lockfile.
    pub(crate) fn fence(&self) -> Vec<Vec<String>> {
        if self.fences.is_empty() {
            vec![argv(&["cargo", "tree", "--locked", "--workspace", "--quiet"])]
        } else {
            self.fences.clone()
        }
    }

    /// What the measuring lane of the night runs.
    pub(crate) fn night(&self) -> Vec<Vec<String>> {
        if self.nightly.is_empty() {
            let run = ["cargo-portcullis", "run", "--profile", "full", "--locked"];
            vec![argv(&run)]
        } else {
            self.nightly
                .iter()
                .map(|id| argv(&["cargo-portcullis", "canary", "measure", id]))
                .collect()
        }
    }

    /// The lanes of a policy that states none. One that would run nothing is left out: it would be green for nothing.
    pub(crate) fn default_lanes(&self) -> Vec<Lane> {
        let mut lanes = Vec::new();
        let mut add = |id: &str, timeout_minutes: u32, run: Vec<Vec<String>>| {
            if run.is_empty() {
                return;
            }
            let calls = |program: &str, second: Option<&str>| {
                run.iter().any(|argv| {
                    argv.first().is_some_and(|first| first == program)
                        && second
                            .is_none_or(|second| argv.get(1).is_some_and(|word| word == second))
                })
            };
            let mut tools = Vec::new();
            if calls("cargo", Some("nextest")) {
                tools.push(NEXTEST.to_owned());
            }
            if calls(PORTCULLIS, None) {
                tools.push(PORTCULLIS.to_owned());
            }
            lanes.push(Lane {
                id: id.to_owned(),
                run,
                timeout_minutes,
                toolchains: vec!["stable".to_owned()],
                needs: vec![FENCE.to_owned()],
                serial: false,
                tools,
            });
        };
        let mut lint = vec![
            argv(&["cargo", "fmt", "--all", "--check"]),
            argv(&[
                "cargo",
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]),
        ];
        lint.extend(self.lints.clone());
        add("lint", 20, lint);
        add("unit", 20, vec![nextest("kind(lib) | kind(bin) | kind(proc-macro)")]);
        add(
            "integration",
            30,
            if self.has_integration { vec![nextest(&self.integration())] } else { Vec::new() },
        );
        add("load_bearing", 20, self.load_bearing());
        add("bench", 60, self.measure());
        add("contract_freeze", 20, self.freezes.clone());
        lanes
    }

    fn integration(&self) -> String {
        let mut filter = format!("kind(test) - binary(/^{LOAD_BEARING}/)");
        for target in &self.gate_targets {
            filter.push_str(&format!(" - binary(={target})"));
        }
        filter
    }

    fn load_bearing(&self) -> Vec<Vec<String>> {
        if self.load_bearing.is_empty() {
            return Vec::new();
        }
        let mut words = argv(&["cargo", "test", "--locked", "--no-fail-fast"]);
        let packages: BTreeSet<&str> =
            self.load_bearing.iter().map(|test| test.package.as_str()).collect();
        words.extend(packages.into_iter().flat_map(|name| argv(&["--package", name])));
        words.extend(self.load_bearing.iter().flat_map(|test| argv(&["--test", &test.name])));
        vec![words]
    }

    fn measure(&self) -> Vec<Vec<String>> {
        if self.advisory.is_empty() {
            let bench = |(name, package): &(String, String)| {
                argv(&["cargo", "bench", "--locked", "--package", package, "--bench", name])
            };
            return self.benches.iter().map(bench).collect();
        }
        let measure = |id: &String| argv(&["cargo-portcullis", "canary", "measure", id]);
        self.advisory.iter().map(measure).collect()
    }
}

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn nextest(filter: &str) -> Vec<String> {
    argv(&["cargo", "nextest", "run", "--locked", "--workspace", "--no-fail-fast", "-E", filter])
}

/// One gate in its own process.
fn one_gate(tests: &[TestTarget], binary: &str, id: &str) -> Option<Vec<String>> {
    let test = tests.iter().find(|test| test.binary() == crate_name(binary))?;
    let mut words =
        argv(&["cargo", "test", "--locked", "--package", &test.package, "--test", &test.name]);
    if !test.features.is_empty() {
        words.extend(argv(&["--features", &test.features.join(",")]));
    }
    words.extend(argv(&["--", id, "--exact"]));
    Some(words)
}

/// The `rust-version` of the root manifest: of its package, else of its workspace.
fn rust_version(repository: &Repository) -> Result<Option<String>, Refused> {
    let Some(text) = repository.read(MANIFEST, MANIFEST_MAX_BYTES)? else { return Ok(None) };
    let manifest: toml::Table = toml::from_str(&text)
        .map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let first = error.message().lines().next().unwrap_or_default().to_owned();
            Fault::new(TOML_INVALID, first, "correct the manifest")
                .at(Location::of_offset(MANIFEST, &text, offset))
        })
        .or_exit(Exit::Usage)?;
    let of =
        |table: Option<&toml::Value>| table.and_then(|table| table.get("rust-version")).cloned();
    let own = of(manifest.get("package"));
    let shared = of(manifest.get("workspace").and_then(|table| table.get("package")));
    match own.filter(toml::Value::is_str).or(shared) {
        None => Ok(None),
        Some(toml::Value::String(version)) => Ok(Some(version)),
        Some(other) => {
            let headline =
                format!("`rust-version` of `{MANIFEST}` is {}, not a text", other.type_str());
            let fault = Fault::new(CONFIG_INVALID, headline, "write it in quotes");
            Err(Refused::new(Exit::Usage, fault.at(Location::file(MANIFEST))))
        }
    }
}
