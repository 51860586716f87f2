//! The worked example itself: small enough to read, large enough to be a release, and its census is that of its gates.

use super::product::{Product, fixture};
use portcullis::{
    kernel::{
        census::{Census, CensusRow},
        policy::{self, Policy},
    },
    wire::{
        id::{Digest, GateId},
        outcome::Lane,
    },
};
use portcullis_repo::process;
use std::{collections::BTreeSet, fs};

fn text() -> String {
    fs::read_to_string(fixture().join("portcullis.toml")).expect("the policy")
}

fn read() -> Policy {
    policy::parse("portcullis.toml", &text()).unwrap_or_else(|faults| panic!("{faults:?}"))
}

#[test]
fn twenty_gates_in_at_most_250_lines_and_no_rust() {
    let policy = read();
    assert!(policy.gates.len() >= 20, "{} gates", policy.gates.len());
    assert!(text().lines().count() <= 250, "{} lines", text().lines().count());
    let kinds: BTreeSet<&str> =
        policy.gates.iter().filter_map(|gate| gate.common.kind.as_deref()).collect();
    assert!(kinds.len() >= 15, "kinds that are shown: {kinds:?}");
    assert!(
        policy.gates.iter().all(|gate| gate.common.kind.is_some()),
        "a gate is written in Rust"
    );
}

#[test]
fn a_gate_binary_is_three_lines() {
    for binary in read().gates.iter().map(|gate| &gate.common.binary) {
        let path = fixture().join("tests").join(format!("{binary}.rs"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{binary}: {error}"));
        assert_eq!(text.lines().count(), 3, "{binary}: {text}");
        assert!(
            text.ends_with("portcullis::main! { crates: [portcullis_gates] }\n"),
            "{binary}: {text}"
        );
    }
}

/// What `cargo portcullis census --check` asks, of the copy.
#[test]
fn its_census_is_that_of_its_gate_binaries_and_each_shows_its_own_group() {
    let product = Product::take();
    let policy = read();
    let binaries: BTreeSet<&str> =
        policy.gates.iter().map(|gate| gate.common.binary.as_str()).collect();
    let mut rows = Vec::new();
    for binary in binaries {
        let mut cargo = product.cargo(&[]);
        cargo.args(["test", "--quiet", "--features", "ext-conformance", "--test", binary]);
        let output =
            cargo.args(["--", "--list", "--format", "json"]).output().expect("cargo starts");
        assert!(output.status.success(), "{}", process::text(&output));
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a list");
        let tests = list["tests"].as_array().expect("rows");
        let names: BTreeSet<&str> = tests
            .iter()
            .filter(|row| row["kind"] != "aggregate")
            .map(|row| row["name"].as_str().expect("a name"))
            .collect();
        let own = policy.gates.iter().filter(|gate| gate.common.binary == binary);
        let own: BTreeSet<&str> = own.map(|gate| gate.common.id.as_str()).collect();
        assert_eq!(names, own, "{binary} shows its own group and nothing else");
        let text = |row: &serde_json::Value, key: &str| {
            row[key].as_str().unwrap_or_else(|| panic!("`{key}` in {row}")).to_owned()
        };
        rows.extend(tests.iter().filter(|row| row["kind"] != "aggregate").map(|row| CensusRow {
            id: GateId::parse(&text(row, "name")).expect("an id"),
            kind: text(row, "kind"),
            binary: text(row, "binary"),
            lanes: Lane::ALL.to_vec(),
            blocking: row["blocking"].as_bool().expect("a flag"),
            owner: text(row, "owner"),
            digest: Digest::parse(&text(row, "digest")).expect("a digest"),
        }));
    }
    rows.sort_by(|left, right| left.id.cmp(&right.id));
    let committed = Census::parse(&product.text("portcullis.lock")).expect("a census");
    let faults: Vec<String> =
        committed.compare(&Census { rows }).iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "bless `fixtures/policies/full_release`:\n{}", faults.join("\n"));
}
