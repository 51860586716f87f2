//! cargo-nextest as a child: the test binaries of the workspace. Leaves out running them.

use super::cargo_test::{Cargo, TestTarget};
use crate::{
    exit::{Exit, Refused},
    repository::Repository,
};
use nextest_metadata::BinaryListSummary;
use portcullis::{Fault, evidence::tool, wire::code::LIST_FAILED};
use std::time::Duration;

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

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(20)).map(|line| format!("\n     {line}")).collect()
}
