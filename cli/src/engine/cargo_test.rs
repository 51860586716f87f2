//! cargo as a child: its metadata, and the list of one gate binary. An argv, never a shell.

use crate::{
    args::CargoFlags,
    engine::child::Job,
    exit::{Exit, OrExit, Refused},
    repository::Repository,
};
use portcullis::{
    Fault,
    evidence::{
        process::{self, Finished, Request},
        tool,
    },
    wire::code::{LIST_FAILED, TOOL_MISSING},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// A first build of a large workspace takes long; a hung one must end.
const BUILD_LIMIT: Duration = Duration::from_secs(3600);
/// The variable that says where a program finds its libraries.
const LIBRARY_PATH: &str = if cfg!(windows) {
    "PATH"
} else if cfg!(target_os = "macos") {
    "DYLD_FALLBACK_LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};
const METADATA_LIMIT: Duration = Duration::from_secs(300);
const CAPTURE_BYTES: usize = 8 * 1024 * 1024;
/// How much of cargo's own words is repeated.
const SHOWN_LINES: usize = 30;

/// cargo, resolved once to an absolute path outside the work tree.
pub(crate) struct Cargo {
    path: String,
    root: PathBuf,
    env: BTreeMap<String, String>,
    flags: CargoFlags,
    features: Vec<String>,
}

/// What `cargo metadata --no-deps` says, as far as it is asked.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    /// Where cargo builds.
    pub target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    #[serde(default)]
    doctest: bool,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

/// A test target of a workspace member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TestTarget {
    /// The package.
    pub package: String,
    /// The target as cargo names it.
    pub name: String,
    /// The features without which cargo leaves it out.
    pub features: Vec<String>,
}

impl TestTarget {
    /// The name that a gate binary has in policy and census.
    pub(crate) fn binary(&self) -> String {
        crate_name(&self.name)
    }
}

/// cargo builds `my-gates` as the crate `my_gates`, which is what the binary knows of itself.
pub(crate) fn crate_name(target: &str) -> String {
    target.replace('-', "_")
}

impl Metadata {
    /// Every test target of the workspace, sorted.
    pub(crate) fn tests(&self) -> Vec<TestTarget> {
        let mut tests: Vec<TestTarget> = self
            .packages
            .iter()
            .flat_map(|package| {
                let tests = package
                    .targets
                    .iter()
                    .filter(|target| target.kind.iter().any(|kind| kind == "test"));
                tests.map(|target| TestTarget {
                    package: package.name.clone(),
                    name: target.name.clone(),
                    features: target.required_features.clone(),
                })
            })
            .collect();
        tests.sort();
        tests
    }

    /// The bench targets of the workspace with their packages, by target and package.
    pub(crate) fn benches(&self) -> Vec<(String, String)> {
        let mut benches: Vec<(String, String)> = self
            .packages
            .iter()
            .flat_map(|package| {
                let is_bench = |target: &&Target| target.kind.iter().any(|kind| kind == "bench");
                let benches = package.targets.iter().filter(is_bench);
                benches.map(|target| (target.name.clone(), package.name.clone()))
            })
            .collect();
        benches.sort();
        benches
    }

    /// The packages whose documentation has examples that cargo would run.
    pub(crate) fn documented(&self) -> Vec<String> {
        let has = |package: &&Package| package.targets.iter().any(|target| target.doctest);
        self.packages.iter().filter(has).map(|package| package.name.clone()).collect()
    }

    /// Name and version of the package with this manifest.
    pub(crate) fn package_at(&self, manifest: &Path) -> Option<(&str, &str)> {
        let package = self.packages.iter().find(|package| package.manifest_path == manifest)?;
        Some((&package.name, &package.version))
    }

    /// The packages of the workspace with their manifests.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.packages.iter().map(|package| (package.name.as_str(), package.manifest_path.as_path()))
    }
}

impl Cargo {
    /// Finds cargo: the one that called this subcommand, else the first of the search path.
    pub(crate) fn find(repository: &Repository, flags: CargoFlags) -> Result<Self, Refused> {
        let root = repository.root().to_path_buf();
        let env = inherited();
        // The cargo that called this subcommand is the one whose toolchain the user chose.
        let caller = env.get("CARGO").filter(|path| Path::new(path).is_absolute());
        let name = caller.map_or("cargo", String::as_str);
        let found =
            tool::find(name, repository.environment.search_path(), &root).or_exit(Exit::Nothing)?;
        let path = found.ok_or_else(|| {
            let fault =
                Fault::new(TOOL_MISSING, "cargo is not installed", "install Rust with rustup");
            Refused::new(Exit::Nothing, fault)
        })?;
        Ok(Self { path: path.display().to_string(), root, env, flags, features: Vec::new() })
    }

    /// What the workspace holds.
    pub(crate) fn metadata(&self) -> Result<Metadata, Refused> {
        let finished =
            self.run(&["metadata", "--no-deps", "--format-version", "1"], &[], METADATA_LIMIT)?;
        if !finished.is_success() {
            return Err(failed("cargo cannot read the workspace", &finished));
        }
        serde_json::from_str(&finished.stdout.text()).map_err(|source| {
            let remedy = "update cargo; its metadata has had this form since 2018";
            let fault =
                Fault::new(LIST_FAILED, "cargo's metadata cannot be read", remedy).because(&source);
            Refused::new(Exit::ListFailed, fault)
        })
    }

    /// What a gate binary writes when it is asked for its list; building it first where needed.
    pub(crate) fn list(&self, target: &TestTarget) -> Result<String, Refused> {
        // A gate behind a feature is a gate of the census like any other; whether a run turned the feature on shows in
        // its receipts.
        let features = target.features.join(",");
        let mut build = vec!["test", "--package", &target.package, "--test", &target.name];
        if !features.is_empty() {
            build.extend(["--features", &features]);
        }
        let finished = self.run(&build, &["--", "--list", "--format", "json"], BUILD_LIMIT)?;
        if finished.is_success() {
            return Ok(finished.stdout.text());
        }
        Err(failed(
            &format!("the gate binary `{}` cannot be built or listed", target.name),
            &finished,
        ))
    }

    /// Turns features on in every watched child: gate binaries that need them would vanish without a word.
    pub(crate) fn with_features(mut self, features: Vec<String>) -> Self {
        self.features = features;
        self
    }

    /// A child that is watched: cargo with these words and our flags. What an outer nextest said is left out, and so is
    /// what would steer this one from outside the plan.
    pub(crate) fn job(&self, words: Vec<String>, limit_ms: u64) -> Job {
        let flags = [("--locked", self.flags.locked), ("--offline", self.flags.offline)];
        let flags = flags.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag.to_owned());
        let features =
            (!self.features.is_empty()).then(|| ["--features".to_owned(), self.features.join(",")]);
        let argv = std::iter::once(self.path.clone())
            .chain(words)
            .chain(flags)
            .chain(features.into_iter().flatten())
            .collect();
        let mut env = self.env.clone();
        env.retain(|name, _| !name.starts_with("NEXTEST"));
        Job { argv, cwd: self.root.clone(), env, stdout: None, limit_ms }
    }

    /// The tests of one package that these words choose. Features of other packages are none of its business, and cargo
    /// refuses them.
    pub(crate) fn job_of_package(
        &self,
        package: &str,
        choice: &[&str],
        rest: &[&str],
        limit_ms: u64,
    ) -> Job {
        let own = format!("{package}/");
        let features = self.features.iter().filter(|name| name.starts_with(&own)).cloned();
        let narrowed = Self {
            path: self.path.clone(),
            root: self.root.clone(),
            env: self.env.clone(),
            flags: self.flags,
            features: features.collect(),
        };
        let words = ["test", "--package", package].into_iter().chain(choice.iter().copied());
        let mut job = narrowed.job(words.map(str::to_owned).collect(), limit_ms);
        if !rest.is_empty() {
            job.argv.push("--".to_owned());
            job.argv.extend(rest.iter().map(|word| (*word).to_owned()));
        }
        job
    }

    /// The same for words that build nothing, which take no flag of a build; what a flag forbids is still forbidden.
    pub(crate) fn job_without_build(&self, words: Vec<String>, limit_ms: u64) -> Job {
        let bare = Self {
            path: self.path.clone(),
            root: self.root.clone(),
            env: self.env.clone(),
            flags: CargoFlags::default(),
            features: Vec::new(),
        };
        let mut job = bare.job(words, limit_ms);
        if self.flags.offline {
            job.env.insert("CARGO_NET_OFFLINE".to_owned(), "true".to_owned());
        }
        job
    }

    /// What a test binary is told where it is started without cargo: the caller's environment, cargo itself, and where the
    /// libraries of the toolchain lie.
    pub(crate) fn libraries(&self) -> Result<BTreeMap<String, String>, Refused> {
        let mut env = self.env.clone();
        env.retain(|name, _| !name.starts_with("NEXTEST"));
        env.insert("CARGO".to_owned(), self.path.clone());
        let rustc = env.get("RUSTC").cloned().unwrap_or_else(|| "rustc".to_owned());
        let search = env.get("PATH").cloned().unwrap_or_default();
        let found = tool::find(&rustc, Some(search.as_ref()), &self.root).or_exit(Exit::Nothing)?;
        let Some(rustc) = found else { return Ok(env) };
        let request = Request {
            argv: vec![
                rustc.display().to_string(),
                "--print".to_owned(),
                "target-libdir".to_owned(),
            ],
            cwd: self.root.clone(),
            env: self.env.clone(),
            timeout: METADATA_LIMIT,
            capture_bytes: CAPTURE_BYTES,
        };
        let finished = process::run(&request).or_exit(Exit::ListFailed)?;
        let said = finished.stdout.text();
        let folder = said.trim();
        if finished.is_success() && !folder.is_empty() {
            let name = LIBRARY_PATH;
            let joined = match env.get(name).filter(|there| !there.is_empty()) {
                Some(there) => std::env::join_paths(
                    std::iter::once(PathBuf::from(folder)).chain(std::env::split_paths(there)),
                )
                .ok()
                .and_then(|joined| joined.into_string().ok()),
                None => Some(folder.to_owned()),
            };
            env.extend(joined.map(|joined| (name.to_owned(), joined)));
        }
        Ok(env)
    }

    /// Where it works.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Runs cargo with these words, our flags, and `rest`.
    pub(crate) fn run(
        &self,
        words: &[&str],
        rest: &[&str],
        timeout: Duration,
    ) -> Result<Finished, Refused> {
        let flags = [("--locked", self.flags.locked), ("--offline", self.flags.offline)];
        let flags = flags.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag);
        let argv = std::iter::once(self.path.as_str())
            .chain(words.iter().copied())
            .chain(flags)
            .chain(rest.iter().copied());
        let request = Request {
            argv: argv.map(str::to_owned).collect(),
            cwd: self.root.clone(),
            env: self.env.clone(),
            timeout,
            capture_bytes: CAPTURE_BYTES,
        };
        process::run(&request).or_exit(Exit::ListFailed)
    }
}

/// A user's build needs the user's environment; another one would rebuild everything. What an outer `cargo run` said
/// about this program's own package is left out.
pub(crate) fn inherited() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !name.starts_with("CARGO_PKG_") && !name.starts_with("CARGO_MANIFEST_"))
        .collect()
}

/// The fault of a child that failed, with the end of what it said.
fn failed(headline: &str, finished: &Finished) -> Refused {
    let said = finished.stderr.text();
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = lines
        .iter()
        .skip(lines.len().saturating_sub(SHOWN_LINES))
        .map(|line| format!("\n     {line}"));
    let how = if finished.timed_out {
        "it ran too long".to_owned()
    } else {
        format!("{:?}", finished.exit).to_lowercase()
    };
    let remedy = "mend what cargo reports, then ask again";
    let fault = Fault::new(LIST_FAILED, headline, remedy)
        .found(format!("{how}{}", shown.collect::<String>()));
    Refused::new(Exit::ListFailed, fault)
}
