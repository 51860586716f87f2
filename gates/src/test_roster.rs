//! The tests of a workspace, by binary and file: read from its sources, or listed by the runner. It runs none.

use crate::{
    filterset::Subject,
    rust_source::{Features, RosterTest, file_tests, module_files},
    workspace::Workspace,
};
use cargo_metadata::{Package, Target, TargetKind};
use portcullis::{
    Fault, GateContext, GateError, RelPath,
    evidence::process::Exit,
    wire::code::{LIST_FAILED, TOML_INVALID},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long a runner may take to build the tests and list them.
const LIST_TIMEOUT: Duration = Duration::from_secs(1_800);

/// Who says which tests there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Resolve {
    /// The runner, which builds them.
    #[default]
    List,
    /// Their sources.
    Static,
}

/// Every test binary of a workspace.
pub(crate) struct Roster {
    pub(crate) binaries: Vec<Binary>,
}

/// One test binary.
pub(crate) struct Binary {
    pub(crate) package: String,
    pub(crate) name: String,
    /// As nextest names it.
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    /// The tests of each of its files, by path.
    pub(crate) files: BTreeMap<RelPath, Vec<RosterTest>>,
    /// Whether its tests are what its own code says, so that no source shows them.
    pub(crate) is_open: bool,
}

impl Binary {
    /// Its tests as filter expressions see them.
    pub(crate) fn subjects(&self) -> Vec<Subject<'_>> {
        let binary = Subject {
            package: &self.package,
            binary: &self.name,
            binary_id: &self.id,
            kind: self.kind,
            test: None,
        };
        if self.is_open {
            return vec![binary];
        }
        let tests = self.files.values().flatten();
        tests.map(|test| Subject { test: Some(&test.name), ..binary }).collect()
    }
}

impl Roster {
    /// Reads the roster; nothing where a tool that it needs is not installed.
    ///
    /// # Errors
    /// When the manifests or sources cannot be read, or the runner does not list.
    pub(crate) fn read(cx: &GateContext<'_>, resolve: Resolve) -> Result<Option<Self>, GateError> {
        let Some(workspace) = Workspace::read(cx, "Cargo.toml")? else { return Ok(None) };
        let mut binaries = Vec::new();
        for package in workspace.packages() {
            let unharnessed = without_harness(cx, &workspace, package)?;
            let features = default_features(package);
            for target in &package.targets {
                let Some(kind) = kind(target) else { continue };
                let unmet = target.required_features.iter().any(|name| !features.contains(name));
                if !target.test || unmet {
                    continue;
                }
                let Some(root) = workspace.relative(target.src_path.as_str()) else { continue };
                let is_open = unharnessed.contains(&(kind.to_owned(), target.name.clone()));
                let package = package.name.to_string();
                let id = match kind {
                    "lib" => package.clone(),
                    "test" => format!("{package}::{}", target.name),
                    _ => format!("{package}::{kind}/{}", target.name),
                };
                let files = tests_of(cx, &root, &features)?;
                let name = target.name.clone();
                binaries.push(Binary { package, name, id, kind, files, is_open });
            }
        }
        binaries.sort_by(|a, b| a.id.cmp(&b.id));
        let mut roster = Self { binaries };
        if resolve == Resolve::List {
            if cx.tool("cargo-nextest")?.is_none() {
                return Ok(None);
            }
            roster.replace_by(&listed(cx)?);
        }
        Ok(Some(roster))
    }

    /// What a check says where no roster can be had.
    pub(crate) fn skipped(resolve: Resolve) -> portcullis::Examined {
        let tools = match resolve {
            Resolve::List => "`cargo` or `cargo-nextest` is not on the search path",
            Resolve::Static => "`cargo` is not on the search path",
        };
        portcullis::Examined::skipped(portcullis::SkipReason::ToolMissing, tools)
    }

    /// Keeps the files and takes the tests from the runner: those of a file begin with the name of its module.
    fn replace_by(&mut self, listed: &BTreeMap<String, Vec<RosterTest>>) {
        self.binaries.retain(|binary| listed.contains_key(&binary.id));
        for binary in &mut self.binaries {
            let Some(tests) = listed.get(&binary.id) else { continue };
            binary.is_open = false;
            let known: BTreeMap<String, RelPath> = binary
                .files
                .iter()
                .flat_map(|(path, tests)| {
                    tests.iter().map(|test| (test.name.clone(), path.clone()))
                })
                .collect();
            let root = binary.files.keys().next().cloned();
            for tests in binary.files.values_mut() {
                tests.clear();
            }
            for test in tests {
                // A test that no source shows, such as one that a macro makes, belongs to the root.
                let path = known.get(&test.name).or(root.as_ref());
                if let Some(tests) = path.and_then(|path| binary.files.get_mut(path)) {
                    tests.push(test.clone());
                }
            }
        }
    }
}

fn kind(target: &Target) -> Option<&'static str> {
    target.kind.iter().find_map(|kind| match kind {
        TargetKind::Lib
        | TargetKind::RLib
        | TargetKind::DyLib
        | TargetKind::CDyLib
        | TargetKind::StaticLib => Some("lib"),
        TargetKind::ProcMacro => Some("proc-macro"),
        TargetKind::Bin => Some("bin"),
        TargetKind::Test => Some("test"),
        TargetKind::Bench => Some("bench"),
        TargetKind::Example => Some("example"),
        TargetKind::CustomBuild | TargetKind::Unknown(_) => None,
        // A kind that this version of cargo does not have has no tests that anybody here could read.
        _ => None,
    })
}

/// What `default` turns on, transitively.
pub(crate) fn default_features(package: &Package) -> Features {
    let mut features = Features::new();
    let mut waiting = vec!["default".to_owned()];
    while let Some(name) = waiting.pop() {
        if let Some(list) = package.features.get(&name)
            && features.insert(name)
        {
            waiting.extend(list.iter().cloned());
        }
    }
    features
}

/// The targets whose tests are what their own `main` says, as kind and name.
fn without_harness(
    cx: &GateContext<'_>,
    workspace: &Workspace,
    package: &Package,
) -> Result<BTreeSet<(String, String)>, GateError> {
    let mut found = BTreeSet::new();
    let Some(path) = workspace.relative(package.manifest_path.as_str()) else { return Ok(found) };
    let text = cx.file(&path).text()?;
    let manifest: toml::Table = cx.watch(text.parse().map_err(|source: toml::de::Error| {
        Fault::new(TOML_INVALID, format!("`{path}` is not TOML"), "mend the manifest")
            .because(&source)
    }))?;
    for kind in ["test", "bench", "bin", "example"] {
        let targets = manifest.get(kind).and_then(toml::Value::as_array);
        for target in targets.into_iter().flatten() {
            let harness = target.get("harness").and_then(toml::Value::as_bool);
            if let (Some(false), Some(name)) =
                (harness, target.get("name").and_then(toml::Value::as_str))
            {
                found.insert((kind.to_owned(), name.to_owned()));
            }
        }
    }
    if manifest.get("lib").and_then(|lib| lib.get("harness")).and_then(toml::Value::as_bool)
        == Some(false)
    {
        let libs = package.targets.iter().filter(|target| kind(target) == Some("lib"));
        found.extend(libs.map(|target| ("lib".to_owned(), target.name.clone())));
    }
    Ok(found)
}

/// The tests of a target, by file. A module under a condition that does not hold takes its files with it.
fn tests_of(
    cx: &GateContext<'_>,
    root: &RelPath,
    features: &Features,
) -> Result<BTreeMap<RelPath, Vec<RosterTest>>, GateError> {
    let read = |path: &RelPath| -> Result<Option<String>, Fault> {
        let file = cx.file(path);
        if file.exists()? { file.text().map(Some) } else { Ok(None) }
    };
    let files = cx.watch(module_files(root, read))?;
    let mut tests = BTreeMap::new();
    let mut inactive: Vec<String> = Vec::new();
    for (path, file) in &files {
        let found = cx.watch(file_tests(path, &file.tokens, &file.module, features))?;
        inactive.extend(found.inactive_modules);
        tests.insert(path.clone(), found.tests);
    }
    for test in tests.values_mut().flatten() {
        let is_below = |module: &String| {
            test.name.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with("::"))
        };
        if inactive.iter().any(is_below) {
            test.is_active = false;
        }
    }
    Ok(tests)
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    rust_suites: BTreeMap<String, Suite>,
}

#[derive(serde::Deserialize)]
struct Suite {
    testcases: BTreeMap<String, Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    ignored: bool,
}

/// What nextest lists, by binary id.
fn listed(cx: &GateContext<'_>) -> Result<BTreeMap<String, Vec<RosterTest>>, GateError> {
    let words = [
        "cargo",
        "nextest",
        "list",
        "--workspace",
        "--locked",
        "--offline",
        "--message-format",
        "json",
    ];
    let finished = cx.command(&words.map(str::to_owned)).timeout(LIST_TIMEOUT).quiet().run()?;
    let refused = |why: String| {
        Fault::new(LIST_FAILED, "nextest cannot list the tests", "mend what it reports").found(why)
    };
    if finished.timed_out || finished.exit != Exit::Code(0) || finished.stdout.cut > 0 {
        let stderr = finished.stderr.text();
        let tail: Vec<&str> = stderr.lines().rev().take(5).collect();
        return cx.watch(Err(refused(tail.join(" | "))));
    }
    let parsed: Result<Listed, _> = serde_json::from_str(&finished.stdout.text());
    let listed = cx.watch(parsed.map_err(|source| refused(source.to_string()).because(&source)))?;
    let suites = listed.rust_suites.into_iter().map(|(id, suite)| {
        let tests = suite.testcases.into_iter();
        (id, tests.map(|(name, case)| RosterTest { name, is_active: !case.ignored }).collect())
    });
    Ok(suites.collect())
}
