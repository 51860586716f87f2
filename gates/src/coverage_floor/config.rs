//! The table of a coverage floor, and what in it cannot be used.

use crate::{
    admission::{self, Admission},
    artifact::refuse,
    artifact_contract::Freshness,
    calendar::LocalDate,
    decimal::Decimal,
};
use portcullis::{
    Fault, File, GateContext, GateError, GateTable, Globs, RelPath, wire::code::FRESHNESS_UNSTATED,
};
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

/// A percentage in hundredths.
pub(super) type Percent = Decimal<2>;

const WHOLE: Percent = Decimal(10_000);

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) source: RelPath,
    #[serde(default)]
    of_run: bool,
    pub(super) record: Option<RelPath>,
    pub(super) prefix: Option<String>,
    pub(super) freshness: Freshness,
    pub(super) files: Spanned<Globs>,
    pub(super) line_min: Percent,
    pub(super) branch_min: Option<Percent>,
    pub(super) per_file_min: Option<Percent>,
    #[serde(default)]
    pub(super) carve: Vec<Spanned<Carve>>,
    pub(super) carve_count: Spanned<u64>,
}

/// A file with a floor of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Carve {
    pub(super) path: RelPath,
    pub(super) line_min: Percent,
    pub(super) branch_min: Option<Percent>,
    reason: String,
    #[serde(rename = "ref")]
    reference: String,
    expires: LocalDate,
}

impl Config {
    /// Where the origin of the export is recorded.
    pub(super) fn recorded_in(&self) -> &RelPath {
        self.record.as_ref().unwrap_or(&self.source)
    }

    pub(super) fn file<'a>(
        &self,
        cx: &GateContext<'a>,
        path: &RelPath,
    ) -> Result<File<'a>, GateError> {
        if self.of_run { cx.run_file(path) } else { Ok(cx.file(path)) }
    }
}

pub(super) fn admission(carve: &Spanned<Carve>) -> Admission<'_> {
    Admission {
        what: format!("`{}`", carve.get_ref().path),
        reason: &carve.get_ref().reason,
        expires: Some(carve.get_ref().expires),
        offset: carve.span().start,
    }
}

/// Refuses floors that hold nothing or that nothing reaches, and carvings that say too little.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !config.freshness.states_something() {
        let headline = "nothing says how old the export may be";
        let remedy = "write `freshness = { same_commit = true }`, or a `max_age`";
        faults.push(Fault::new(FRESHNESS_UNSTATED, headline, remedy).at(table.location.clone()));
    }
    if config.record.as_ref() == Some(&config.source) {
        let remedy = "name another file, or leave `record` out";
        faults.push(refuse(table, "`record` is the export itself", remedy));
    }
    let own = [Some(config.line_min), config.branch_min, config.per_file_min];
    if let Some(floor) = own.into_iter().flatten().find(|floor| !holds_something(*floor)) {
        faults.push(refuse(table, no_floor(floor), FLOOR));
    }
    let mut paths = BTreeSet::new();
    for carve in &config.carve {
        let at = table.locate(carve.span().start);
        faults.extend(admission::fault(&admission(carve), table));
        let carve = carve.get_ref();
        if !paths.insert(&carve.path) {
            let headline = format!("`{}` is carved twice", carve.path);
            faults.push(refuse(table, headline, "join the two tables").at(at.clone()));
        }
        if carve.reference.trim().is_empty() {
            let headline = format!("the carving of `{}` refers to nothing", carve.path);
            faults.push(refuse(table, headline, "name an issue or a page in `ref`").at(at.clone()));
        }
        let own = [Some(carve.line_min), carve.branch_min];
        if let Some(floor) = own.into_iter().flatten().find(|floor| !holds_something(*floor)) {
            faults.push(refuse(table, no_floor(floor), FLOOR).at(at));
        }
    }
    faults
}

const FLOOR: &str = "state a percentage above 0 and up to 100";

fn holds_something(floor: Percent) -> bool {
    floor.0 > 0 && floor <= WHOLE
}

fn no_floor(floor: Percent) -> String {
    format!("a floor of {floor} % holds nothing, or is never reached")
}
