//! cargo-nextest as a child: the test binaries of the workspace. Leaves out what they come to.

pub(crate) mod config;
pub(crate) mod junit;

use super::{
    cargo_test::{Cargo, TestTarget},
    child::{self, Cut, Ended},
};
use crate::{
    exit::{Exit, Refused},
    plan::Listed,
    repository::Repository,
};
use anyhow::Context as _;
use nextest_metadata::{
    BinaryListSummary, FilterMatch, RustTestSuiteStatusSummary, TestListSummary,
};
use portcullis::{
    Fault,
    evidence::{process, tool},
    wire::code::{LIST_EMPTY, LIST_FAILED, RESULT_INCOMPLETE, TOOL_MISSING, USAGE},
};
use std::{
    fs::File,
    io::{BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

const LIST_LIMIT: Duration = Duration::from_secs(3600);

/// A test binary as its runner names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TestBinary {
    /// The id that nextest's filters use, or package and target.
    pub id: String,
    /// The target.
    pub name: String,
    /// `lib`, `bin`, `test`, ...
    pub kind: String,
}

/// Whether nextest is installed; a program of that name inside the work tree is refused, not used.
pub(crate) fn is_installed(repository: &Repository) -> Result<bool, Refused> {
    tool::find("cargo-nextest", repository.environment.search_path(), repository.root())
        .map(|found| found.is_some())
        .map_err(|fault| Refused::new(Exit::Nothing, fault))
}

/// The test binaries of the workspace, built first where needed.
pub(crate) fn binaries(cargo: &Cargo) -> Result<Vec<TestBinary>, Refused> {
    let words = [
        "nextest",
        "list",
        "--workspace",
        "--list-type",
        "binaries-only",
        "--message-format",
        "json",
    ];
    let finished = cargo.run(&words, &[], LIST_LIMIT)?;
    let refused = |headline: &str, found: String| {
        let fault =
            Fault::new(LIST_FAILED, headline, "mend what cargo-nextest reports, then ask again")
                .found(found);
        Refused::new(Exit::ListFailed, fault)
    };
    if !finished.is_success() {
        return Err(refused(
            "cargo-nextest cannot list the test binaries",
            tail(&finished.stderr.text()),
        ));
    }
    let summary: BinaryListSummary =
        serde_json::from_str(&finished.stdout.text()).map_err(|source| {
            refused("the answer of cargo-nextest cannot be read", source.to_string())
        })?;
    let mut binaries: Vec<TestBinary> = summary
        .rust_binaries
        .values()
        .map(|binary| TestBinary {
            id: binary.binary_id.to_string(),
            name: binary.binary_name.clone(),
            kind: binary.kind.to_string(),
        })
        .collect();
    binaries.sort();
    Ok(binaries)
}

/// The same from cargo's metadata, which knows the targets and not whether they build.
pub(crate) fn from_targets(tests: &[TestTarget]) -> Vec<TestBinary> {
    tests
        .iter()
        .map(|target| TestBinary {
            id: format!("{}::{}", target.package, target.name),
            name: target.name.clone(),
            kind: "test".to_owned(),
        })
        .collect()
}

/// Stands for the tests of a binary that was not asked for them.
const EVERY_TEST: &str = "*";
/// The oldest version whose configuration has what a run is given.
const OLDEST: (u32, u32, u32) = (0, 9, 100);
/// What nextest exits with for a filterset that it cannot read (fact N12).
const FILTERSET_FAILED: i32 = 94;
/// A list of a million tests is shorter.
const LIST_BYTES_MAX: u64 = 512 * 1024 * 1024;
const SHOWN_LINES: usize = 30;

/// How to install it.
pub(crate) const REMEDY: &str = "install it: `cargo install --locked cargo-nextest`";

/// Its version, after saying whether it is new enough; nothing where it is not installed.
pub(crate) fn version(repository: &Repository, cargo: &Cargo) -> Result<Option<String>, Refused> {
    let remedy = REMEDY;
    if !is_installed(repository)? {
        return Ok(None);
    }
    let finished = cargo.run(&["nextest", "--version"], &[], Duration::from_secs(60))?;
    let said = finished.stdout.text();
    let version = said.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if finished.is_success() && (next(), next(), next()) >= OLDEST {
        return Ok(Some(version));
    }
    let (a, b, c) = OLDEST;
    let fault = Fault::new(TOOL_MISSING, "cargo-nextest is too old, or does not answer", remedy)
        .expected(format!("{a}.{b}.{c} or newer"))
        .found(said.lines().next().unwrap_or_default().to_owned());
    Err(Refused::new(Exit::Nothing, fault))
}

/// Where the test binaries come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Binaries {
    /// cargo builds them now.
    Built,
    /// An archive of nextest has them.
    Archive(PathBuf),
    /// They were built by an earlier run, which wrote down here which ones there are.
    Kept(PathBuf),
}

/// Which binaries a run lists, and then runs: asked once, so that nothing is built in between.
fn binaries_file(scratch: &Path) -> PathBuf {
    scratch.join("binaries.json")
}

/// Where an archive is unpacked.
fn unpacked(scratch: &Path) -> PathBuf {
    scratch.join("archive")
}

/// Lists the tests, after building them where that is asked for; the filtersets are resolved by nextest itself.
pub(crate) fn list(
    cargo: &Cargo,
    binaries: &Binaries,
    filters: &[String],
    scratch: &Path,
    limit_ms: u64,
    on_line: &mut dyn FnMut(&str),
) -> Result<Vec<Listed>, Refused> {
    let words = ["nextest", "list", "--message-format", "json"];
    let mut words: Vec<String> = words.map(str::to_owned).into();
    words.extend(filters.iter().flat_map(|filter| ["-E".to_owned(), filter.clone()]));
    let path = |path: &Path| path.display().to_string();
    let mut job = match binaries {
        Binaries::Built => {
            words.push("--workspace".to_owned());
            cargo.job(words, limit_ms)
        }
        Binaries::Archive(archive) => {
            let (root, to) = (path(cargo.root()), path(&unpacked(scratch)));
            std::fs::create_dir(unpacked(scratch)).context("an archive cannot be unpacked")?;
            let archive = path(archive);
            let more =
                ["--archive-file", &archive, "--workspace-remap", &root, "--extract-to", &to];
            words.extend(more.map(str::to_owned));
            cargo.job_without_build(words, limit_ms)
        }
        Binaries::Kept(kept) => {
            words.extend(["--binaries-metadata".to_owned(), path(kept)]);
            cargo.job_without_build(words, limit_ms)
        }
    };
    let file = scratch.join(format!("list-{}.json", std::process::id()));
    job.stdout = Some(file.clone());
    let ended = child::run(&job, on_line)?;
    if !ended.is_success() {
        return Err(unlisted(&ended));
    }
    let mut text = String::new();
    File::open(&file)
        .and_then(|file| file.take(LIST_BYTES_MAX).read_to_string(&mut text))
        .context("the list of nextest cannot be read")?;
    drop(std::fs::remove_file(&file));
    // A target runner may say something of its own above the document.
    let start = text.find('{').unwrap_or(text.len());
    let summary: TestListSummary = serde_json::from_str(&text[start..]).map_err(|source| {
        let remedy = "update cargo-nextest or portcullis";
        let fault = Fault::new(LIST_FAILED, "the list of nextest cannot be read", remedy);
        Refused::new(Exit::ListFailed, fault.because(&source))
    })?;
    keep_binaries(&summary, &binaries_file(scratch))?;
    let listed = flat(&summary);
    if listed.is_empty() {
        let headline = "no test binary lists a test";
        let remedy =
            "see whether a target runner replaces the test binaries, or whether there are none";
        return Err(Refused::new(Exit::ListFailed, Fault::new(LIST_EMPTY, headline, remedy)));
    }
    Ok(listed)
}

/// Writes down which binaries there are, in nextest's own form.
fn keep_binaries(summary: &TestListSummary, to: &Path) -> Result<(), Refused> {
    let rust_binaries =
        summary.rust_suites.iter().map(|(id, suite)| (id.clone(), suite.binary.clone())).collect();
    let binaries =
        BinaryListSummary { rust_build_meta: summary.rust_build_meta.clone(), rust_binaries };
    let text = serde_json::to_vec(&binaries).context("a list of binaries")?;
    File::create_new(to)
        .and_then(|mut file| file.write_all(&text))
        .with_context(|| format!("{} cannot be written", to.display()))
        .map_err(Refused::from)
}

/// Keeps for later runs which binaries this one built.
pub(crate) fn remember_binaries(scratch: &Path, to: &Path) -> Result<(), Refused> {
    // Swapped by a rename, so that a run beside this one reads the old list or the new one.
    let copy = scratch.join("binaries-kept.json");
    std::fs::copy(binaries_file(scratch), &copy)
        .and_then(|_| std::fs::rename(&copy, to))
        .with_context(|| format!("{} cannot be written", to.display()))
        .map_err(Refused::from)
}

fn unlisted(ended: &Ended) -> Refused {
    if ended.exit == process::Exit::Code(FILTERSET_FAILED) {
        let fault =
            Fault::new(USAGE, "a filterset cannot be read", "correct it; see the nextest book");
        return Refused::new(Exit::Usage, fault.found(ended.tail(SHOWN_LINES)));
    }
    let how = match ended.cut {
        Cut::Nothing => format!("{:?}", ended.exit).to_lowercase(),
        Cut::Deadline => "the time for the whole run was over".to_owned(),
        Cut::Stop | Cut::Kill => "the run was interrupted".to_owned(),
    };
    let remedy = "mend what cargo reports, then run again";
    let fault = Fault::new(LIST_FAILED, "the tests cannot be built or listed", remedy);
    Refused::new(Exit::ListFailed, fault.found(format!("{how}{}", ended.tail(SHOWN_LINES))))
}

fn flat(summary: &TestListSummary) -> Vec<Listed> {
    let mut listed = Vec::new();
    for suite in summary.rust_suites.values() {
        if suite.status != RustTestSuiteStatusSummary::LISTED {
            // A filterset excluded the binary as a whole, so it was not asked for its tests.
            listed.push(Listed {
                suite: suite.binary.binary_id.to_string(),
                package: suite.package_name.clone(),
                binary: suite.binary.binary_name.clone(),
                cargo_kind: suite.binary.kind.to_string(),
                test: EVERY_TEST.to_owned(),
                ignored: false,
                matches: false,
            });
            continue;
        }
        for (test, case) in &suite.test_cases {
            listed.push(Listed {
                suite: suite.binary.binary_id.to_string(),
                package: suite.package_name.clone(),
                binary: suite.binary.binary_name.clone(),
                cargo_kind: suite.binary.kind.to_string(),
                test: test.to_string(),
                ignored: case.ignored,
                matches: matches!(case.filter_match, FilterMatch::Matches),
            });
        }
    }
    listed.sort_by(|a, b| (&a.suite, &a.test).cmp(&(&b.suite, &b.test)));
    listed
}

/// How a run is executed.
pub(crate) struct Execution<'a> {
    /// Where the test binaries come from.
    pub binaries: &'a Binaries,
    /// Where they were listed.
    pub scratch: &'a Path,
    /// The generated configuration.
    pub config: &'a Path,
    /// How many tests at once; nextest's own choice when absent.
    pub jobs: Option<u32>,
    /// Variables of this run.
    pub env: &'a [(&'static str, String)],
    /// How long it may take.
    pub limit_ms: u64,
}

/// Runs the tests that the configuration selects.
pub(crate) fn run(
    cargo: &Cargo,
    execution: &Execution<'_>,
    on_line: &mut dyn FnMut(&str),
) -> Result<Ended, Refused> {
    let config = format!("{}:{}", config::TOOL, execution.config.display());
    let fixed = [
        "nextest",
        "run",
        "--no-fail-fast",
        "--no-tests=pass",
        "--profile",
        config::PROFILE,
        "--tool-config-file",
        &config,
        "--status-level=all",
        "--final-status-level=none",
        "--failure-output=never",
        "--success-output=never",
        "--show-progress=none",
        "--color=never",
    ];
    let mut words: Vec<String> = fixed.map(str::to_owned).into();
    if let Some(jobs) = execution.jobs {
        words.push(format!("--test-threads={jobs}"));
    }
    let path = |path: PathBuf| path.display().to_string();
    let (scratch, root) = (execution.scratch, cargo.root().display().to_string());
    match execution.binaries {
        // What was listed is what runs; asking cargo again would take time, and might build something else.
        Binaries::Built | Binaries::Kept(_) => {
            words.extend(["--binaries-metadata".to_owned(), path(binaries_file(scratch))]);
        }
        Binaries::Archive(_) => {
            let target = unpacked(scratch).join("target");
            words.extend([
                "--cargo-metadata".to_owned(),
                path(target.join("nextest/cargo-metadata.json")),
                "--binaries-metadata".to_owned(),
                path(target.join("nextest/binaries-metadata.json")),
                "--workspace-remap".to_owned(),
                root,
                "--target-dir-remap".to_owned(),
                path(target),
            ]);
        }
    }
    let mut job = cargo.job_without_build(words, execution.limit_ms);
    job.env.extend(execution.env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    child::run(&job, on_line)
}

/// Reads the result file of a run from its own store.
pub(crate) fn report(store: &Path) -> Result<junit::Report, Fault> {
    let path = store.join(config::PROFILE).join("junit.xml");
    let file = File::open(&path).map_err(|source| {
        let remedy = "run again; without a result file nobody knows what happened";
        Fault::new(RESULT_INCOMPLETE, "nextest left no result file", remedy).because(&source)
    })?;
    junit::read(BufReader::new(file))
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(20)).map(|line| format!("\n     {line}")).collect()
}
