//! The inventory of doubles, and the view it is written to. It judges nothing.

use portcullis::{
    Fault, GateContext, GateError, Instant, RelPath,
    wire::{
        artifact,
        code::RECEIPT_UNWRITABLE,
        id::RunId,
        receipt::{Source, Tool},
    },
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const NAME: &str = "test_double_inventory.json";
const SCHEMA: &str = "portcullis.test_double_inventory.v1";

/// A double in one test, or in a module outside of its tests. The order of fields is the order of the document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Entry {
    pub(super) file: RelPath,
    pub(super) line: u32,
    pub(super) suite: String,
    pub(super) module: String,
    pub(super) test: Option<String>,
    pub(super) identifier: String,
    pub(super) kind: Kind,
}

/// How a double appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// It is imported.
    Import,
    /// It is defined here.
    Definition,
    /// It is used by its name.
    Use,
    /// Something of a crate that makes doubles is used.
    Crate,
}

/// What was counted of a module or suite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) doubles: u64,
    pub(super) tests: u64,
    pub(super) tests_with_doubles: u64,
}

/// Everything that was found.
#[derive(Default)]
pub(super) struct Inventory {
    pub(super) entries: BTreeSet<Entry>,
    /// Counts by module.
    pub(super) modules: BTreeMap<String, Counts>,
    suites: BTreeMap<String, Counts>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    run_id: &'a RunId,
    generated_at: Instant,
    tool: Tool,
    source: &'a Source,
    entries: &'a BTreeSet<Entry>,
    modules: &'a BTreeMap<String, Counts>,
    suites: &'a BTreeMap<String, Counts>,
}

impl Inventory {
    /// Adds what one module has: its tests by name, and its doubles.
    pub(super) fn add(&mut self, suite: &str, module: &str, tests: &[String], found: Vec<Entry>) {
        let with_doubles: BTreeSet<&String> =
            found.iter().filter_map(|entry| entry.test.as_ref()).collect();
        for counts in [
            self.modules.entry(module.to_owned()).or_default(),
            self.suites.entry(suite.to_owned()).or_default(),
        ] {
            counts.doubles += found.len() as u64;
            counts.tests += tests.len() as u64;
            counts.tests_with_doubles += with_doubles.len() as u64;
        }
        self.entries.extend(found);
    }

    /// How many tests were searched.
    pub(super) fn tests(&self) -> usize {
        let tests: u64 = self.suites.values().map(|counts| counts.tests).sum();
        usize::try_from(tests).unwrap_or(usize::MAX)
    }

    /// Writes the view.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, cx: &GateContext<'_>) -> Result<(), GateError> {
        let document = Document {
            schema: SCHEMA,
            run_id: cx.run_id(),
            generated_at: cx.now(),
            tool: Tool::this(),
            source: cx.source(),
            entries: &self.entries,
            modules: &self.modules,
            suites: &self.suites,
        };
        let text = artifact::document(&document).map_err(|source| {
            Fault::new(
                RECEIPT_UNWRITABLE,
                format!("{NAME} could not be rendered"),
                "report this as a bug",
            )
            .because(&source)
        })?;
        cx.view(NAME, text.as_bytes())
    }
}
