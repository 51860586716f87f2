//! The list of faults as the suite reads it.

use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};

/// The list of the sample.
#[derive(Debug, Deserialize)]
pub(super) struct Catalogue {
    /// All of them.
    #[serde(rename = "fault")]
    pub(super) faults: Vec<Fault>,
}

/// One fault and what is expected of it. The switch refuses unknown keys, so they are not refused twice.
#[derive(Debug, Deserialize)]
pub(super) struct Fault {
    /// The row.
    pub(super) row: u32,
    /// Its name.
    pub(super) name: String,
    /// How it is planted; of this only whether.
    #[serde(default)]
    pub(super) edit: Vec<Value>,
    /// Variables.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// The gate.
    pub(super) gate: Option<String>,
    /// Its effective status.
    pub(super) status: Option<String>,
    /// Its codes.
    #[serde(default)]
    pub(super) codes: Vec<String>,
    /// The signature.
    pub(super) signature: Option<String>,
    /// In a pull request, and on the main branch.
    pub(super) severity: Option<[String; 2]>,
    /// What views say.
    #[serde(default)]
    pub(super) reads: Vec<Read>,
    /// What mends it.
    pub(super) heals: Option<Vec<String>>,
    /// Commands instead of gates.
    #[serde(default)]
    pub(super) steps: Vec<Step>,
}

/// A view, a place in it, and the value there.
#[derive(Debug, Deserialize)]
pub(super) struct Read {
    pub(super) view: String,
    pub(super) at: String,
    pub(super) is: Value,
}

/// A command.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) argv: Vec<String>,
    pub(super) exit: i32,
    #[serde(default)]
    pub(super) says: Vec<String>,
    #[serde(default)]
    pub(super) before: bool,
}

impl Catalogue {
    /// Reads the list of the checkout.
    pub(super) fn read(root: &Path) -> Self {
        let text = fs::read_to_string(root.join("faults.toml")).expect("a list of faults");
        toml::from_str(&text).expect("a list of faults")
    }
}

#[test]
fn every_row_of_gates_and_runner_has_two_faults() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let faults = Catalogue::read(&root).faults;
    for row in 1..=30 {
        let count = faults.iter().filter(|fault| fault.row == row).count();
        assert!(count >= 2, "row {row} has {count} faults");
    }
}
