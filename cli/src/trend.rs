//! What many runs say over time: of gates, waivers, flaky tests and durations. It reads each run once, line by line, and
//! keeps no run in memory.

use crate::{
    history::{self, Lines},
    outcome::Status,
    shard::{By, Weights},
    verdict::{Quarantined, Seen},
};
use portcullis::{
    Effective, Fault, Instant, RunVerdict,
    evidence::{
        store::{RunRecord, RunState},
        tree::Tree,
    },
    kernel::{decide::Decided, policy::profile::Kind, waiver::WaiverAudit},
    report::views::DECISION_SCHEMA,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// One gate over all runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct GateTrend {
    /// How many runs decided it.
    pub runs: u64,
    /// How often each effective status was the answer.
    pub statuses: BTreeMap<String, u64>,
    /// How often it blocked.
    pub blocked: u64,
    /// How often its answer was another one than in the run before.
    pub changes: u64,
    /// The last answer.
    pub last: String,
    /// The wall time of all runs together.
    pub total_ms: u64,
    /// The longest one.
    pub longest_ms: u64,
}

/// One test that did not always pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct TestTrend {
    /// In how many runs it failed at last.
    pub failed: u64,
    /// In how many it failed before it passed.
    pub flaky: u64,
    /// In how many it was planned and had no result.
    pub not_run: u64,
    /// The first run in which it did not simply pass.
    pub first_seen: String,
    /// The last one.
    pub last_seen: String,
}

/// One waiver over all runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct WaiverTrend {
    /// How many runs had it.
    pub runs: u64,
    /// What the last one said of it.
    pub last: String,
    /// The days that the last one left it.
    pub days_remaining: i64,
}

/// One run in the order of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RunRow {
    /// Its id.
    pub run_id: String,
    /// When it ended.
    pub ended_at: Instant,
    /// How far it came.
    pub state: RunState,
    /// What it came to; absent where it was never sealed.
    pub verdict: Option<RunVerdict>,
    /// The commit.
    pub commit: Option<String>,
    /// The profile; absent for a gate binary that ran alone.
    pub profile: Option<String>,
    /// How many targets it had.
    pub targets: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How many failed before they passed.
    pub flaky: u64,
}

/// Everything that is kept of many runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Trend {
    /// The runs, oldest first.
    pub runs: Vec<RunRow>,
    /// The gates.
    pub gates: BTreeMap<String, GateTrend>,
    /// The waivers, by gate.
    pub waivers: BTreeMap<String, WaiverTrend>,
    /// The tests that did not pass every time.
    pub tests: BTreeMap<String, TestTrend>,
    /// The quarantined tests, with what each run made of them.
    pub quarantine: BTreeMap<String, BTreeMap<String, u64>>,
    /// The wall time of each test binary in the last run that had it whole.
    pub suite_ms: Weights,
}

#[derive(Deserialize)]
struct Closing {
    verdict: RunVerdict,
    gates: Vec<Decided>,
    waiver_audit: WaiverAudit,
}

#[derive(Deserialize)]
struct Report {
    entries: Vec<Quarantined>,
}

impl Trend {
    /// Adds the next run in the order of time.
    ///
    /// # Errors
    /// What keeps a document of a sealed run from being read.
    pub(crate) fn add(&mut self, dir: &Path, run: &RunRecord) -> Result<(), Fault> {
        let mut row = RunRow {
            run_id: run.envelope.run_id.to_string(),
            ended_at: run.envelope.generated_at,
            state: run.state,
            verdict: None,
            commit: run.envelope.source.commit.clone(),
            profile: None,
            targets: 0,
            failed: 0,
            flaky: 0,
        };
        if run.state == RunState::Sealed {
            let tree = Tree::new(dir)?;
            self.decision(&tree, &mut row)?;
            if history::has(&tree, "plan.json")? {
                self.tests(&tree, &mut row)?;
            }
        }
        self.runs.push(row);
        Ok(())
    }

    fn decision(&mut self, tree: &Tree, row: &mut RunRow) -> Result<(), Fault> {
        let decision: Closing = history::document(tree, "decision.json", DECISION_SCHEMA)?;
        row.verdict = Some(decision.verdict);
        for gate in decision.gates {
            let trend = self.gates.entry(gate.id.to_string()).or_default();
            let word = gate.effective.name().to_owned();
            trend.changes += u64::from(trend.runs > 0 && trend.last != word);
            trend.runs += 1;
            trend.blocked += u64::from(gate.blocks);
            trend.total_ms = trend.total_ms.saturating_add(gate.duration_ms);
            trend.longest_ms = trend.longest_ms.max(gate.duration_ms);
            *trend.statuses.entry(word.clone()).or_default() += 1;
            trend.last = word;
            if gate.effective == Effective::Waived || gate.waiver.is_some() {
                self.waivers.entry(gate.id.to_string()).or_default();
            }
        }
        for waiver in decision.waiver_audit.waivers {
            let trend = self.waivers.entry(waiver.gate_id.to_string()).or_default();
            trend.runs += 1;
            trend.last = word(&waiver.status);
            trend.days_remaining = waiver.days_remaining;
        }
        Ok(())
    }

    /// Reads the outcomes one target at a time: the lines of a target follow each other.
    fn tests(&mut self, tree: &Tree, row: &mut RunRow) -> Result<(), Fault> {
        let head = history::head(tree)?;
        // The parts of a test binary say nothing of how long the whole takes.
        let whole = head.filters.is_empty()
            && head.rerun_of.is_none()
            && head.shard.is_none_or(|shard| shard.by == By::Binary);
        row.profile = Some(head.profile);
        let mut suites: Weights = Weights::new();
        let mut open: Option<(String, String, Kind, Seen)> = None;
        for line in Lines::open(tree)? {
            let line = line?;
            match suites.get_mut(&line.suite) {
                Some(ms) => *ms = ms.saturating_add(line.duration_ms),
                None => drop(suites.insert(line.suite.clone(), line.duration_ms)),
            }
            let same = open
                .as_ref()
                .is_some_and(|(suite, test, ..)| *suite == line.suite && *test == line.test);
            if !same {
                self.target(open.take(), row);
                open = Some((line.suite.clone(), line.test.clone(), line.kind, Seen::default()));
            }
            if let Some((.., seen)) = &mut open {
                seen.add(&line);
            }
        }
        self.target(open, row);
        if whole {
            self.suite_ms.extend(suites);
        }
        if history::has(tree, "views/quarantine_report.json")? {
            let name = "views/quarantine_report.json";
            let report: Report = history::document(tree, name, "portcullis.quarantine_report.v1")?;
            for entry in report.entries {
                let words = self.quarantine.entry(entry.entry).or_default();
                *words.entry(word(&entry.verdict)).or_default() += 1;
            }
        }
        Ok(())
    }

    fn target(&mut self, one: Option<(String, String, Kind, Seen)>, row: &mut RunRow) {
        let Some((suite, test, kind, seen)) = one else { return };
        row.targets += 1;
        let (status, flaky) = (seen.status(), seen.is_flaky());
        if kind == Kind::Gate || (status == Status::Passed && !flaky) {
            return;
        }
        let trend = self.tests.entry(format!("{suite} {test}")).or_default();
        match status {
            Status::Passed => trend.flaky += 1,
            Status::NotRun => trend.not_run += 1,
            Status::Failed | Status::TimedOut | Status::Crashed | Status::Exited => {
                trend.failed += 1;
                row.failed += 1;
            }
        }
        row.flaky += u64::from(flaky);
        if trend.first_seen.is_empty() {
            trend.first_seen.clone_from(&row.run_id);
        }
        trend.last_seen.clone_from(&row.run_id);
    }
}

/// The word that documents have for a value.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(source) => source.to_string(),
    }
}
