//! The lists of all gate binaries, joined. A binary that lists nothing is never an empty set of gates.

use super::cargo_test::{Cargo, Metadata, TestTarget, crate_name};
use crate::{
    exit::{Exit, Refused},
    transport::Transport,
};
use portcullis::wire::ordered::VecSet;
use portcullis::{
    Digest, Fault, GateId, Lane, Location,
    evidence::json,
    kernel::{
        census::{Census, CensusRow},
        near::near,
        policy::Policy,
    },
    runner::session::POLICY_FILE,
    wire::code::{DUPLICATE_GATE_ID, LIST_EMPTY, LIST_FAILED},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The schema that a gate binary writes.
pub(crate) const LIST_SCHEMA: &str = "portcullis.list.v1";
const AGGREGATE: &str = "aggregate";

/// One entry of a list. What an aggregate lacks is absent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// The id, as the trial is named.
    pub name: String,
    /// The kind, `rust`, or `aggregate`.
    pub kind: String,
    /// The gate binary.
    pub binary: String,
    /// One line for people.
    #[serde(default)]
    pub title: Option<String>,
    /// Who answers for it.
    #[serde(default)]
    pub owner: Option<String>,
    /// Where it is discussed.
    #[serde(default)]
    pub issue: Option<String>,
    /// Whether a failure blocks.
    #[serde(default)]
    pub blocking: Option<bool>,
    /// Where a failure blocks.
    #[serde(default)]
    pub lanes: Vec<Lane>,
    /// What must pass first.
    #[serde(default)]
    pub needs: Vec<GateId>,
    /// How long the check may run.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// Digest of the policy.
    #[serde(default)]
    pub digest: Option<Digest>,
    /// The lines of its page.
    #[serde(default)]
    pub page: Vec<String>,
    /// A way out beside that of the kind.
    #[serde(default)]
    pub remediation: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Document {
    schema: String,
    binary: String,
    tests: Vec<Listed>,
}

/// Every gate and every aggregate of a repository.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The gates, by id.
    pub gates: Vec<Listed>,
    /// The aggregates, by name.
    pub aggregates: Vec<Listed>,
}

impl Listing {
    /// The census as it would be committed now.
    pub(crate) fn census(&self) -> Result<Census, Refused> {
        let rows: Result<Vec<CensusRow>, Refused> = self.gates.iter().map(row).collect();
        Ok(Census { rows: rows? })
    }
}

fn row(gate: &Listed) -> Result<CensusRow, Refused> {
    let lacks = |part: &str| broken(&gate.binary, &format!("gate `{}` has no {part}", gate.name));
    Ok(CensusRow {
        id: GateId::parse(&gate.name)
            .map_err(|source| broken(&gate.binary, &source.to_string()))?,
        kind: gate.kind.clone(),
        binary: gate.binary.clone(),
        lanes: gate.lanes.clone(),
        blocking: gate.blocking.ok_or_else(|| lacks("`blocking`"))?,
        owner: gate.owner.clone().ok_or_else(|| lacks("`owner`"))?,
        digest: gate.digest.ok_or_else(|| lacks("`digest`"))?,
    })
}

/// Asks every gate binary that the policy names, and those of the census that still exist.
pub(crate) fn ask(
    policy: &Policy,
    census: Option<&Census>,
    cargo: &Cargo,
    out: &mut Transport,
) -> Result<Listing, Refused> {
    let metadata = cargo.metadata()?;
    let tests = metadata.tests();
    let mut listing = Listing::default();
    for (binary, expected) in binaries(policy, census) {
        let Some(target) = target(&metadata, &tests, &binary, &expected)? else { continue };
        out.progress(&format!("portcullis: asking the gate binary `{}`", target.name));
        let document = parse(&binary, &cargo.list(&target)?, &expected)?;
        for listed in document.tests {
            if listed.kind == AGGREGATE {
                listing.aggregates.push(listed)
            } else {
                listing.gates.push(listed)
            }
        }
    }
    listing.gates.sort_by(|a, b| a.name.cmp(&b.name));
    listing.aggregates.sort_by(|a, b| a.name.cmp(&b.name));
    unique(&listing.gates)?;
    Ok(listing)
}

/// Why a gate binary is asked, and what is expected in it.
#[derive(Debug, Default)]
struct Expected {
    by_policy: bool,
    gates: VecSet<GateId>,
}

/// The gate binaries of policy and census.
fn binaries(policy: &Policy, census: Option<&Census>) -> BTreeMap<String, Expected> {
    let mut found: BTreeMap<String, Expected> = BTreeMap::new();
    found.entry(crate_name(&policy.binary)).or_default().by_policy = true;
    for gate in &policy.gates {
        let expected = found.entry(crate_name(&gate.common.binary)).or_default();
        expected.by_policy = true;
        expected.gates.insert(gate.common.id.clone());
    }
    for row in census.into_iter().flat_map(|census| &census.rows) {
        found.entry(crate_name(&row.binary)).or_default().gates.insert(row.id.clone());
    }
    found
}

/// The target behind a gate binary; none for one that only the census remembers.
fn target(
    metadata: &Metadata,
    tests: &[TestTarget],
    binary: &str,
    expected: &Expected,
) -> Result<Option<TestTarget>, Refused> {
    let found: Vec<&TestTarget> = tests.iter().filter(|target| target.binary() == binary).collect();
    match (found.as_slice(), expected.by_policy) {
        ([target], _) => Ok(Some((*target).clone())),
        ([], false) => Ok(None),
        ([], true) => {
            let names: Vec<String> = metadata.tests().iter().map(TestTarget::binary).collect();
            let close = near(binary, names.iter().map(String::as_str));
            let remedy = match close.first() {
                Some(name) => format!("did you mean `{name}`? set `binary` in `{POLICY_FILE}`"),
                None => format!(
                    "add `[[test]]` with `name = \"{binary}\"` and `harness = false` to a package of the workspace"
                ),
            };
            let fault = Fault::new(
                LIST_FAILED,
                format!("no package of the workspace has a test target `{binary}`"),
                remedy,
            );
            Err(Refused::new(Exit::ListFailed, fault.at(Location::file(POLICY_FILE))))
        }
        (several, _) => {
            let packages: Vec<&str> =
                several.iter().map(|target| target.package.as_str()).collect();
            let headline = format!("several packages have a test target `{binary}`");
            let fault = Fault::new(
                LIST_FAILED,
                headline,
                "rename all but one, so that a replay runs exactly one of them",
            );
            Err(Refused::new(Exit::ListFailed, fault.found(packages.join(", "))))
        }
    }
}

/// Reads the one document in what cargo wrote on standard output.
fn parse(binary: &str, text: &str, expected: &Expected) -> Result<Document, Refused> {
    let empty = |found: &str| {
        let headline = format!(
            "the gate binary `{binary}` lists nothing, and {} expected in it",
            gates(expected.gates.len())
        );
        let remedy =
            "see whether a target runner replaces the binary, or whether its `main` is empty";
        Refused::new(Exit::ListFailed, Fault::new(LIST_EMPTY, headline, remedy).found(found))
    };
    let Some(start) = start_of_document(text) else {
        return Err(empty("no list on standard output"));
    };
    let document: Document = json::parse_as(text[start..].trim_end().as_bytes(), "the list")
        .map_err(|source| {
            let fault = Fault::new(
                LIST_FAILED,
                format!("the list of `{binary}` cannot be read"),
                "rebuild the gate binary",
            );
            Refused::new(Exit::ListFailed, fault.because(&source))
        })?;
    if document.schema != LIST_SCHEMA {
        return Err(broken(
            binary,
            &format!("schema `{}` instead of `{LIST_SCHEMA}`", document.schema),
        ));
    }
    if crate_name(&document.binary) != binary {
        return Err(broken(binary, &format!("the list of `{}`", document.binary)));
    }
    let holds_gates = document.tests.iter().any(|listed| listed.kind != AGGREGATE);
    if !holds_gates && !expected.gates.is_empty() {
        return Err(empty("a list without gates"));
    }
    Ok(document)
}

/// The document begins at the first line that begins with a brace; anything above it is noise of a runner.
fn start_of_document(text: &str) -> Option<usize> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('{') {
            return Some(offset);
        }
        offset += line.len();
    }
    None
}

fn gates(n: usize) -> String {
    match n {
        0 => "its aggregates are".to_owned(),
        1 => "1 gate is".to_owned(),
        n => format!("{n} gates are"),
    }
}

fn broken(binary: &str, found: &str) -> Refused {
    let headline = format!("the gate binary `{binary}` answered with something else than its list");
    let remedy = "build the gate binary and this subcommand from the same version of portcullis";
    Refused::new(Exit::ListFailed, Fault::new(LIST_FAILED, headline, remedy).found(found))
}

fn unique(gates: &[Listed]) -> Result<(), Refused> {
    let twice: Vec<Fault> = gates
        .windows(2)
        .filter(|pair| pair[0].name == pair[1].name)
        .map(|pair| {
            let headline = format!("two gate binaries hold a gate `{}`", pair[0].name);
            Fault::new(DUPLICATE_GATE_ID, headline, "rename one of the two")
                .found(format!("`{}` and `{}`", pair[0].binary, pair[1].binary))
        })
        .collect();
    if twice.is_empty() { Ok(()) } else { Err(Refused::all(Exit::Usage, twice)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expecting(gates: usize) -> Expected {
        let gates =
            (0..gates).map(|n| GateId::parse(&format!("gate_{n}")).expect("an id")).collect();
        Expected { by_policy: true, gates }
    }

    #[test]
    fn fg19_a_binary_that_lists_nothing_is_never_an_empty_set() {
        let aggregates = r#"{"schema":"portcullis.list.v1","binary":"b","tests":[{"name":"full_suite_gate","kind":"aggregate","binary":"b"}]}"#;
        let table = [
            ("a runner that answers nothing", "", 2, "list_empty"),
            ("a runner that answers for itself", "ok\n", 1, "list_empty"),
            ("nothing where only aggregates are expected", "", 0, "list_empty"),
            ("aggregates alone where gates are expected", aggregates, 1, "list_empty"),
            ("another document", "{}", 1, "list_failed"),
            ("a torn document", "{\"schema\":\"portcullis.list.v1\"", 1, "list_failed"),
            (
                "another major version",
                r#"{"schema":"portcullis.list.v2","binary":"b","tests":[]}"#,
                0,
                "list_failed",
            ),
            (
                "the list of another binary",
                r#"{"schema":"portcullis.list.v1","binary":"c","tests":[]}"#,
                0,
                "list_failed",
            ),
            (
                "two documents",
                "{\"schema\":\"portcullis.list.v1\",\"binary\":\"b\",\"tests\":[]}\n{}\n",
                0,
                "list_failed",
            ),
        ];
        for (case, text, gates, code) in table {
            let refused = parse("b", text, &expecting(gates)).expect_err(case);
            assert_eq!(refused.exit, Exit::ListFailed, "{case}");
            assert_eq!(refused.faults[0].code().name(), code, "{case}: {}", refused.faults[0]);
        }
    }

    #[test]
    fn a_banner_above_the_document_is_passed_over() {
        let text = "runner says hello\n{\"schema\":\"portcullis.list.v1\",\"binary\":\"b\",\"tests\":[]}\n";
        assert!(parse("b", text, &expecting(0)).is_ok());
    }
}
