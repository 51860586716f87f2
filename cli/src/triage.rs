//! Triage: what changed between two runs, ranked. Pure; that two runs are comparable is asked here, too.

use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Schema of `triage.json` and of the view `triage_diff.json`.
pub(crate) const TRIAGE_SCHEMA: &str = "portcullis.triage_diff.v1";

/// What was seen of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It passed.
    Passed,
    /// It failed, timed out or crashed.
    Failed {
        /// Of its failure.
        fingerprint: String,
        /// Of its failure.
        class: String,
    },
    /// It was not observed.
    NotObserved,
}

/// What became of a target between two runs, worst first: the order is the ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// Passed, and fails.
    Regression,
    /// Was not there, and fails.
    NewFailure,
    /// Passed, and was not observed.
    LostCoverage,
    /// Failed, and fails.
    KnownFailure,
    /// Failed, and was not observed.
    LostFailure,
    /// Failed, and passes.
    Fixed,
    /// Was not there, and passes.
    AddedPass,
    /// Passed, and passes.
    StablePass,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Something fails that did not.
    Regression,
    /// What fails failed before.
    KnownFailuresOnly,
    /// Nothing fails.
    Stable,
}

/// One row that is not a stable pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// From 1.
    pub rank: usize,
    /// The target.
    pub target: String,
    /// What became of it.
    pub change: Change,
    /// Whether a known failure looks different now.
    pub changed: bool,
    /// The class of the failure, now or before.
    pub root_cause_class: String,
    /// The fingerprint on the baseline.
    pub base_fingerprint: Option<String>,
    /// The fingerprint now.
    pub fingerprint: Option<String>,
}

/// Counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Regressions and new failures.
    pub regression_count: usize,
    /// What passed and fails.
    pub pass_to_fail_count: usize,
    /// What is new and fails.
    pub new_failure_count: usize,
    /// What failed and fails.
    pub known_failure_count: usize,
    /// What failed and passes.
    pub fixed_count: usize,
    /// What passed and was not observed.
    pub lost_coverage_count: usize,
    /// What failed and was not observed.
    pub lost_failure_count: usize,
    /// What passed and passes, or is new and passes.
    pub pass_count: usize,
}

/// The comparison of two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Triage {
    /// What it comes to.
    pub status: Standing,
    /// Counts.
    pub summary: Counts,
    /// Everything but what passes on both, ranked.
    pub ranked_diagnostics: Vec<Row>,
}

/// Compares two runs.
pub(crate) fn compare(base: &BTreeMap<String, State>, current: &BTreeMap<String, State>) -> Triage {
    let names: BTreeSet<&String> = base.keys().chain(current.keys()).collect();
    let absent = State::NotObserved;
    let mut rows: Vec<Row> = Vec::new();
    let mut summary = Counts::default();
    for name in names {
        let before = base.get(name).unwrap_or(&absent);
        let now = current.get(name).unwrap_or(&absent);
        let Some(change) = change(before, now) else { continue };
        count(&mut summary, change);
        if matches!(change, Change::StablePass | Change::AddedPass) {
            continue;
        }
        let (base_fingerprint, base_class) = failure(before);
        let (fingerprint, class) = failure(now);
        rows.push(Row {
            rank: 0,
            target: name.clone(),
            change,
            changed: change == Change::KnownFailure && base_fingerprint != fingerprint,
            root_cause_class: class.or(base_class).unwrap_or_default(),
            base_fingerprint,
            fingerprint,
        });
    }
    rows.sort_by(|a, b| {
        let key = |row: &Row| {
            (row.change, !row.changed, row.root_cause_class.clone(), row.target.clone())
        };
        key(a).cmp(&key(b))
    });
    for (n, row) in rows.iter_mut().enumerate() {
        row.rank = n + 1;
    }
    let status = if summary.regression_count > 0 {
        Standing::Regression
    } else if summary.known_failure_count + summary.lost_failure_count > 0 {
        Standing::KnownFailuresOnly
    } else {
        Standing::Stable
    };
    Triage { status, summary, ranked_diagnostics: rows }
}

fn change(before: &State, now: &State) -> Option<Change> {
    match (before, now) {
        (State::Passed, State::Passed) => Some(Change::StablePass),
        (State::Passed, State::Failed { .. }) => Some(Change::Regression),
        (State::Passed, State::NotObserved) => Some(Change::LostCoverage),
        (State::Failed { .. }, State::Passed) => Some(Change::Fixed),
        (State::Failed { .. }, State::Failed { .. }) => Some(Change::KnownFailure),
        (State::Failed { .. }, State::NotObserved) => Some(Change::LostFailure),
        (State::NotObserved, State::Passed) => Some(Change::AddedPass),
        (State::NotObserved, State::Failed { .. }) => Some(Change::NewFailure),
        (State::NotObserved, State::NotObserved) => None,
    }
}

fn failure(state: &State) -> (Option<String>, Option<String>) {
    match state {
        State::Failed { fingerprint, class } => (Some(fingerprint.clone()), Some(class.clone())),
        State::Passed | State::NotObserved => (None, None),
    }
}

fn count(summary: &mut Counts, change: Change) {
    let slot = match change {
        Change::Regression => {
            summary.regression_count += 1;
            &mut summary.pass_to_fail_count
        }
        Change::NewFailure => {
            summary.regression_count += 1;
            &mut summary.new_failure_count
        }
        Change::LostCoverage => &mut summary.lost_coverage_count,
        Change::KnownFailure => &mut summary.known_failure_count,
        Change::LostFailure => &mut summary.lost_failure_count,
        Change::Fixed => &mut summary.fixed_count,
        Change::AddedPass | Change::StablePass => &mut summary.pass_count,
    };
    *slot += 1;
}

/// Why two runs cannot be compared; nothing when they can.
pub(crate) fn incomparable(base: &Plan, current: &Plan) -> Option<String> {
    if base.profile != current.profile {
        return Some(format!("profile `{}`, not `{}`", base.profile, current.profile));
    }
    let part = |plan: &Plan| {
        plan.shard.as_ref().map(|shard| (shard.index, shard.total, format!("{:?}", shard.by)))
    };
    if part(base) != part(current) {
        return Some("another shard".to_owned());
    }
    if base.rerun_of.is_some() || current.rerun_of.is_some() {
        return Some("one of them is a rerun".to_owned());
    }
    None
}

/// What was lost without an explanation: it passed, still ought to run, and was not observed.
pub(crate) fn unexplained<'a>(triage: &'a Triage, current: &Plan) -> Vec<&'a str> {
    let left_out: BTreeSet<String> =
        current.excluded.iter().map(|one| format!("{} {}", one.suite, one.test)).collect();
    triage
        .ranked_diagnostics
        .iter()
        .filter(|row| row.change == Change::LostCoverage && !left_out.contains(&row.target))
        .map(|row| row.target.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(print: &str) -> State {
        State::Failed { fingerprint: print.to_owned(), class: "panic".to_owned() }
    }

    fn states(pairs: &[(&str, State)]) -> BTreeMap<String, State> {
        pairs.iter().map(|(name, state)| ((*name).to_owned(), state.clone())).collect()
    }

    #[test]
    fn every_pair_of_states_has_its_word() {
        use Change::{
            AddedPass, Fixed, KnownFailure, LostCoverage, LostFailure, NewFailure, Regression,
            StablePass,
        };
        let (p, f, x) = (State::Passed, failed("a"), State::NotObserved);
        let table = [
            (&p, &p, Some(StablePass)),
            (&p, &f, Some(Regression)),
            (&p, &x, Some(LostCoverage)),
            (&f, &p, Some(Fixed)),
            (&f, &f, Some(KnownFailure)),
            (&f, &x, Some(LostFailure)),
            (&x, &p, Some(AddedPass)),
            (&x, &f, Some(NewFailure)),
            (&x, &x, None),
        ];
        for (before, now, expected) in table {
            assert_eq!(change(before, now), expected, "{before:?} {now:?}");
        }
    }

    #[test]
    fn the_worst_comes_first_and_the_counts_add_up() {
        let base = states(&[
            ("a", State::Passed),
            ("b", failed("1")),
            ("c", State::Passed),
            ("d", failed("1")),
            ("e", State::Passed),
        ]);
        let current = states(&[
            ("a", failed("9")),
            ("b", failed("1")),
            ("d", failed("2")),
            ("e", State::Passed),
            ("f", failed("3")),
        ]);
        let triage = compare(&base, &current);
        assert_eq!(triage.status, Standing::Regression);
        let ranked: Vec<(&str, Change, bool)> = triage
            .ranked_diagnostics
            .iter()
            .map(|row| (row.target.as_str(), row.change, row.changed))
            .collect();
        assert_eq!(
            ranked,
            [
                ("a", Change::Regression, false),
                ("f", Change::NewFailure, false),
                ("c", Change::LostCoverage, false),
                ("d", Change::KnownFailure, true),
                ("b", Change::KnownFailure, false),
            ]
        );
        assert_eq!((triage.summary.regression_count, triage.summary.pass_to_fail_count), (2, 1));
        assert_eq!(triage.ranked_diagnostics.last().map(|row| row.rank), Some(5));
    }

    #[test]
    fn known_failures_are_no_regression_and_a_fix_is_stable() {
        let base = states(&[("a", failed("1")), ("b", failed("1"))]);
        let known = compare(&base, &states(&[("a", failed("2")), ("b", State::Passed)]));
        assert_eq!(known.status, Standing::KnownFailuresOnly);
        let fixed = compare(&base, &states(&[("a", State::Passed), ("b", State::Passed)]));
        assert_eq!((fixed.status, fixed.summary.fixed_count), (Standing::Stable, 2));
        let lost = compare(&base, &BTreeMap::new());
        assert_eq!(lost.status, Standing::KnownFailuresOnly);
    }
}
