//! A sealed run as exports need it: its decision, and one row for each gate, test and fault. It judges nothing.

use super::standing::{self, Standing};
use crate::{
    history::{self, Sealed},
    outcome::{Line, Status},
    plan::Plan,
    replays::Rung,
};
use portcullis::{
    Digest, Effective, Fault, Lane, Location, RunVerdict,
    evidence::{
        store::{RunRecord, read_run},
        tree::Tree,
    },
    kernel::{
        decide::{Decided, Decision},
        policy::profile::Kind,
        recorded::INPUTS_SCHEMA,
    },
    report::human::plain,
    wire::receipt::{Envelope, ErrorRecord},
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// The suite of what is wrong with the run itself.
pub(crate) const RUN: &str = "run";

/// One attempt of a test that was tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Whether it passed.
    pub passed: bool,
    /// The word for how it ended.
    pub status: &'static str,
    /// One line of what went wrong.
    pub message: String,
    /// Wall time.
    pub duration_ms: u64,
}

/// One gate, test or fault of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The test binary; `run` for a fault of the run.
    pub suite: String,
    /// The lane of a gate, the test binary of a test.
    pub class: String,
    /// The gate, the test, or the code of a fault.
    pub name: String,
    /// The status in our own words.
    pub status: String,
    /// How it is shown.
    pub standing: Standing,
    /// One sentence.
    pub message: String,
    /// All that is known.
    pub text: String,
    /// Wall time.
    pub duration_ms: u64,
    /// The attempts before the last one.
    pub earlier: Vec<Attempt>,
    /// The command that shows it again.
    pub replay: Option<String>,
    /// Equal for the same failure on two runs.
    pub fingerprint: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The waiver that covers it, in words.
    pub waiver: Option<String>,
    /// The entry of the quarantine.
    pub quarantine: Option<String>,
    /// The class and the place of a test's failure, and of a fault.
    pub rule: String,
    /// Where it is, if there is a place.
    pub location: Option<Location>,
    /// Whether it is a gate of the decision.
    pub is_gate: bool,
}

impl Row {
    /// Whether it passed at last, and failed before.
    pub(crate) fn is_flaky(&self) -> bool {
        !self.standing.is_red() && self.earlier.iter().any(|attempt| !attempt.passed)
    }
}

/// What exports say about a run.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The header of the run.
    pub envelope: Envelope,
    /// The decision.
    pub decision: Decision,
    /// Its rows: gates, tests, faults.
    pub rows: Vec<Row>,
    /// Where the policy stands.
    pub policy_path: String,
    /// The digest of its text.
    pub policy_digest: Digest,
    /// The line of each gate's id in the policy.
    tables: BTreeMap<String, u32>,
    /// What sums up the whole run directory.
    pub seal: Option<Digest>,
}

#[derive(Deserialize)]
struct Inputs {
    policy_path: String,
    policy: String,
}

impl Account {
    /// Reads a sealed run.
    ///
    /// # Errors
    /// `baseline_unusable` for a run that is not sealed, or not as it was sealed; what a reader of its parts says.
    pub(crate) fn read(dir: &Path) -> Result<Self, Fault> {
        let sealed = Sealed::read(dir)?;
        let record = read_run(dir)?;
        let tree = Tree::new(dir)?;
        let mut inputs =
            Inputs { policy_path: "portcullis.toml".to_owned(), policy: String::new() };
        if history::has(&tree, "inputs.json")? {
            inputs = history::document(&tree, "inputs.json", INPUTS_SCHEMA)?;
        }
        let tests = history::tests(dir)?;
        let (plan, lines) = tests.map_or((None, Vec::new()), |(plan, lines)| (Some(plan), lines));
        Ok(Self::of(record, sealed, plan.as_ref(), lines, inputs.policy_path, &inputs.policy))
    }

    pub(super) fn of(
        record: RunRecord,
        sealed: Sealed,
        plan: Option<&Plan>,
        lines: Vec<Line>,
        policy_path: String,
        policy: &str,
    ) -> Self {
        let mut account = Self {
            envelope: record.envelope,
            decision: sealed.decision.clone(),
            rows: Vec::new(),
            policy_path,
            policy_digest: Digest::of(policy.as_bytes()),
            tables: tables(policy),
            seal: record.manifest_sha256,
        };
        let run = account.envelope.run_id.to_string();
        let rungs: BTreeMap<&str, &Rung> = sealed
            .failures
            .iter()
            .filter(|(rung, _)| rung.kind == Kind::Gate)
            .map(|(rung, _)| (rung.test.as_str(), rung))
            .collect();
        for gate in &sealed.decision.gates {
            let rung = rungs.get(gate.id.as_str()).copied();
            account.rows.push(of_gate(gate, rung, sealed.decision.lane, &run));
        }
        account.rows.extend(of_tests(plan, lines, &sealed));
        account.rows.extend(sealed.decision.faults.iter().map(of_fault));
        account.rows.extend(unexplained(&sealed.decision, &account.rows));
        account
    }

    /// Whether anything is shown as failed.
    pub(crate) fn is_red(&self) -> bool {
        self.rows.iter().any(|row| row.standing.is_red())
    }

    /// Where the table of a gate stands in the policy; the whole file where nobody knows.
    pub(crate) fn declared(&self, gate: &str) -> Location {
        let line = self.tables.get(gate).copied().unwrap_or(1);
        Location::at(&self.policy_path, line, 0)
    }
}

/// The line at which each id stands in the text of a policy; the first one counts.
fn tables(policy: &str) -> BTreeMap<String, u32> {
    let mut tables = BTreeMap::new();
    for (at, line) in (1..).zip(policy.lines()) {
        let Some((key, value)) = line.split_once('=') else { continue };
        if key.trim() == "id" {
            let value = value.split('#').next().unwrap_or_default().trim();
            tables.entry(value.trim_matches(['"', '\'']).to_owned()).or_insert(at);
        }
    }
    tables
}

fn of_gate(gate: &Decided, rung: Option<&Rung>, lane: Lane, run: &str) -> Row {
    let name = gate.id.to_string();
    let standing = standing::of(gate.effective.name(), gate.blocks);
    let mut text = gate.detail.clone();
    for finding in &gate.findings {
        let place = finding.location.as_ref().map_or_else(String::new, |at| format!("{at}: "));
        let (code, message, remedy) = (&finding.code, &finding.message, &finding.remedy);
        text.push_str(&format!("\n{place}[{code}] {message}\n  remedy: {remedy}"));
    }
    if let Some(error) = &gate.error {
        text.push_str(&format!("\n[{}] {}\n  remedy: {}", error.code, error.message, error.remedy));
    }
    let waiver = gate.waiver.as_ref().filter(|_| gate.effective == Effective::Waived);
    let code = gate.code.clone().unwrap_or_else(|| gate.effective.name().to_owned());
    let replay = rung.map(|rung| rung.targeted.render()).or_else(|| {
        standing.is_red().then(|| format!("cargo portcullis replay {run} --gate {name}"))
    });
    Row {
        suite: gate.binary.clone(),
        class: lane.name().to_owned(),
        status: gate.effective.name().to_owned(),
        standing,
        message: plain(&gate.detail),
        text: plain(&text),
        duration_ms: gate.duration_ms,
        earlier: Vec::new(),
        replay,
        fingerprint: rung.map_or_else(
            || Digest::of(format!("{name}/{code}").as_bytes()).short(),
            |rung| rung.fingerprint.clone(),
        ),
        owner: Some(gate.owner.clone()),
        waiver: waiver.map(|waiver| {
            let (expires, issue) = (waiver.expires, &waiver.issue);
            format!("waived until {expires} ({issue}): {}", waiver.reason)
        }),
        quarantine: None,
        rule: format!("{}/{code}", gate.kind),
        location: gate.error.as_ref().and_then(|error| error.location.clone()),
        is_gate: true,
        name,
    }
}

/// One row for each test, with all its attempts; a planned test without a line has not run.
fn of_tests(plan: Option<&Plan>, lines: Vec<Line>, sealed: &Sealed) -> Vec<Row> {
    let mut tests: BTreeMap<(String, String), Vec<Line>> = BTreeMap::new();
    for target in plan.into_iter().flat_map(Plan::assigned) {
        if target.kind != Kind::Gate {
            tests.entry((target.suite.clone(), target.test.clone())).or_default();
        }
    }
    for line in lines.into_iter().filter(|line| line.kind != Kind::Gate) {
        tests.entry((line.suite.clone(), line.test.clone())).or_default().push(line);
    }
    let failures: BTreeMap<(&str, &str), usize> = sealed
        .failures
        .iter()
        .enumerate()
        .filter(|(_, (rung, _))| rung.kind != Kind::Gate)
        .map(|(at, (rung, _))| ((rung.suite.as_str(), rung.test.as_str()), at))
        .collect();
    tests
        .into_iter()
        .map(|((suite, test), mut lines)| {
            lines.sort_by_key(|line| line.attempt);
            let failure = failures.get(&(suite.as_str(), test.as_str()));
            let failure = failure.and_then(|at| sealed.failures.get(*at));
            let mut row = of_test(suite, test, lines);
            if let Some((rung, digest)) = failure {
                let assertion = &digest.first_failing_assertion;
                row.text = plain(&assertion.message);
                row.replay = Some(rung.targeted.render());
                row.fingerprint.clone_from(&digest.fingerprint);
                row.rule = format!("test/{}", digest.root_cause_class);
                row.location = assertion.location.as_deref().and_then(crate::annotation::place);
            }
            row
        })
        .collect()
}

fn of_test(suite: String, test: String, mut lines: Vec<Line>) -> Row {
    let last = lines.pop();
    let status = last.as_ref().map_or(Status::NotRun, |line| line.status);
    let like = match status {
        Status::Passed => Effective::Pass,
        Status::Failed | Status::TimedOut => Effective::Fail,
        Status::Crashed | Status::Exited => Effective::Crashed,
        Status::NotRun => Effective::Missing,
    };
    let message = last.as_ref().map_or("it is in no result", |line| line.message.as_str());
    Row {
        class: suite.clone(),
        status: status.name().to_owned(),
        standing: standing::of(like.name(), false),
        message: plain(message),
        text: plain(message),
        duration_ms: last.as_ref().map_or(0, |line| line.duration_ms),
        earlier: lines
            .into_iter()
            .map(|line| Attempt {
                passed: line.status == Status::Passed,
                status: line.status.name(),
                message: plain(&line.message),
                duration_ms: line.duration_ms,
            })
            .collect(),
        replay: None,
        fingerprint: Digest::of(format!("{suite}/{test}").as_bytes()).short(),
        owner: None,
        waiver: None,
        quarantine: last.and_then(|line| line.quarantine),
        rule: format!("test/{}", status.name().replace(' ', "_")),
        location: None,
        is_gate: false,
        suite,
        name: test,
    }
}

fn of_fault(fault: &ErrorRecord) -> Row {
    let found = fault.found.as_ref().map_or_else(String::new, |found| format!("\nfound: {found}"));
    let text = format!("{}{found}\nremedy: {}", fault.message, fault.remedy);
    of_run(&fault.code, &fault.message, &text, fault.location.clone())
}

/// A run that is no pass, and in which no row is red, has a row that says so.
fn unexplained(decision: &Decision, rows: &[Row]) -> Option<Row> {
    let silent = !rows.iter().any(|row| row.standing.is_red());
    (decision.verdict != RunVerdict::Pass && silent).then(|| {
        let message = format!("the verdict is `{}`, exit {}", decision.verdict, decision.exit);
        of_run("run_not_passed", &message, &message, None)
    })
}

fn of_run(code: &str, message: &str, text: &str, location: Option<Location>) -> Row {
    Row {
        suite: RUN.to_owned(),
        class: RUN.to_owned(),
        name: code.to_owned(),
        status: Effective::Error.name().to_owned(),
        standing: standing::of(Effective::Error.name(), true),
        message: plain(message),
        text: plain(text),
        duration_ms: 0,
        earlier: Vec::new(),
        replay: None,
        fingerprint: Digest::of(format!("run/{code}/{message}").as_bytes()).short(),
        owner: None,
        waiver: None,
        quarantine: None,
        rule: format!("run/{code}"),
        location,
        is_gate: false,
    }
}
