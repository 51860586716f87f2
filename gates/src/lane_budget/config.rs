//! The table of lane budgets, and what in it cannot be used.

use crate::{artifact::refuse, decimal::Decimal, workflow::default_files};
use portcullis::{Fault, GateTable, Globs, RelPath, kernel::duration::Millis};
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

/// Minutes in thousandths.
pub(super) type Minutes = Decimal<3>;

const WINDOW: usize = 20;
/// Nobody looks further back, and a percentile of more runs tells nothing new.
const WINDOW_MAX: usize = 10_000;
const MIN_SAMPLES: usize = 5;
const WARN_AT_PCT: u32 = 80;
/// A thousandth of a minute, in milliseconds.
const UNIT_MS: u64 = 60;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default = "default_files")]
    pub(super) files: Globs,
    #[serde(default)]
    pub(super) known_keys: BTreeSet<String>,
    pub(super) history: RelPath,
    pub(super) freshness: Freshness,
    pub(super) budget: Vec<Spanned<Budget>>,
    #[serde(default = "warn_at_pct")]
    pub(super) warn_at_pct: u32,
    #[serde(default = "window")]
    pub(super) window: usize,
    #[serde(default = "min_samples")]
    pub(super) min_samples: usize,
    #[serde(default)]
    pub(super) stat: Stat,
    pub(super) base: Option<String>,
}

/// How long ago a lane may have run last. The runs of a history are of many runs and commits by nature.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Freshness {
    pub(super) max_age: Millis,
}

/// What one lane may take.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Budget {
    pub(super) file: String,
    pub(super) job: String,
    pub(super) budget_minutes: Option<Minutes>,
    pub(super) worst_case_minutes: Option<Minutes>,
}

/// What of several runs is held against the budget.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stat {
    #[default]
    P95,
    Max,
}

impl Stat {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::P95 => "p95",
            Self::Max => "max",
        }
    }
}

const fn warn_at_pct() -> u32 {
    WARN_AT_PCT
}

const fn window() -> usize {
    WINDOW
}

const fn min_samples() -> usize {
    MIN_SAMPLES
}

/// The same time in milliseconds.
pub(super) fn milliseconds(minutes: Minutes) -> u64 {
    minutes.0.saturating_mul(UNIT_MS)
}

/// Milliseconds as minutes, rounded up so that what is over a budget never looks like it.
pub(super) fn shown(ms: u64) -> Minutes {
    Decimal(ms.div_ceil(UNIT_MS))
}

/// Refuses tables that hold nothing, and numbers that contradict each other.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    if config.budget.is_empty() {
        faults.push(refuse(table, "`budget` names no lane", "name at least one"));
    }
    if !(1..=100).contains(&config.warn_at_pct) {
        let remedy = "state a percentage from 1 to 100";
        faults.push(refuse(table, "`warn_at_pct` is no part of a budget", remedy));
    }
    let samples = 1..=config.window;
    if !samples.contains(&config.min_samples) || config.window > WINDOW_MAX {
        let headline = "`min_samples` and `window` leave nothing to look at";
        let remedy = format!("state 1 <= min_samples <= window <= {WINDOW_MAX}");
        faults.push(refuse(table, headline, &remedy));
    }
    let mut lanes = BTreeSet::new();
    for budget in &config.budget {
        let at = table.locate(budget.span().start);
        let budget = budget.get_ref();
        if !lanes.insert((&budget.file, &budget.job)) {
            let headline = format!("`{}` of `{}` has two budgets", budget.job, budget.file);
            faults.push(refuse(table, headline, "join the two tables").at(at.clone()));
        }
        let stated = [budget.budget_minutes, budget.worst_case_minutes];
        if stated.into_iter().flatten().any(|minutes| minutes.0 == 0) {
            let headline = format!("`{}` may take no time at all", budget.job);
            faults.push(refuse(table, headline, "state minutes above 0").at(at));
        }
    }
    faults
}
