//! The configuration of a backlog: where failures stand, and who takes on which. It reads no summary.

use crate::{
    artifact::{Texts, refuse},
    items::ItemsTable,
    json_path::Pointer,
    pattern::Pattern,
};
use portcullis::{Fault, GateTable, RelPath};
use serde::{Deserialize, Serialize};

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) source: ItemsTable,
    pub(super) status: Status,
    #[serde(default)]
    pub(super) fields: Fields,
    #[serde(default)]
    pub(super) route: Vec<Route>,
    pub(super) outputs: Option<Outputs>,
}

/// Which statuses are no failure. There is no list of failing ones: whatever else stands there is one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    pub(super) field: Pointer,
    pub(super) passing: Vec<String>,
    #[serde(default)]
    pub(super) not_applicable: Vec<String>,
}

/// Where an item says more about its failure.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fields {
    pub(super) failure: Option<Pointer>,
    pub(super) owner: Option<Pointer>,
    pub(super) priority: Option<Pointer>,
    pub(super) next_step: Option<Pointer>,
    pub(super) evidence: Option<Pointer>,
}

/// Who takes on the failures of some ids.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    #[serde(rename = "match")]
    pub(super) pattern: Pattern,
    pub(super) owner: String,
    pub(super) priority: Priority,
    pub(super) next_step: String,
    pub(super) evidence: Option<String>,
}

/// How urgent a failure is, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Priority {
    P0,
    P1,
    P2,
    P3,
}

/// Where the four documents must stand already.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outputs {
    pub(super) folder: RelPath,
    #[serde(default)]
    pub(super) of_run: bool,
}

impl Priority {
    pub(super) fn of(text: &str) -> Option<Self> {
        [Self::P0, Self::P1, Self::P2, Self::P3].into_iter().find(|one| one.name() == text)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::P0 => "p0",
            Self::P1 => "p1",
            Self::P2 => "p2",
            Self::P3 => "p3",
        }
    }
}

/// Refuses what cannot be used, before anything runs.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = config.source.faults(table, Texts::Refused);
    let status = &config.status;
    if status.passing.is_empty() {
        let headline = "`passing` names no status";
        faults.push(refuse(table, headline, "name the statuses of items that passed"));
    }
    for both in status.not_applicable.iter().filter(|text| status.passing.contains(text)) {
        let headline = format!("status `{both}` is passing and not applicable");
        faults.push(refuse(table, headline, "name it in one of the two lists"));
    }
    let fields = &config.fields;
    let pointers =
        [&fields.failure, &fields.owner, &fields.priority, &fields.next_step, &fields.evidence];
    let named = pointers.into_iter().flatten().chain([&status.field]);
    for pointer in named.filter(|pointer| pointer.has_each()) {
        let headline = format!("`{pointer}` selects several values");
        faults.push(refuse(table, headline, "name one member of an item"));
    }
    for route in &config.route {
        if route.owner.trim().is_empty() || route.next_step.trim().is_empty() {
            let headline = format!("the route of `{}` has an empty text", route.pattern.text());
            faults.push(refuse(table, headline, "say who does what"));
        }
    }
    faults
}
