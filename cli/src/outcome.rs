//! What became of a target: `outcomes.jsonl`, one line for each attempt. Leaves out where it was read from.

use crate::{plan::Target, verdict::Seen};
use portcullis::kernel::policy::profile::Kind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Schema of one line.
pub(crate) const OUTCOME_SCHEMA: &str = "portcullis.outcome.v1";

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// It passed.
    Passed,
    /// It failed: a panic, an assertion, an error.
    Failed,
    /// Its time, or that of the run, was over.
    TimedOut,
    /// A signal ended it.
    Crashed,
    /// It exited before its harness could say how it went.
    Exited,
    /// It was planned and has no result.
    NotRun,
}

impl Status {
    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Crashed => "crashed",
            Self::Exited => "exited",
            Self::NotRun => "not run",
        }
    }
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// How it ended.
    pub status: Status,
    /// Whether it left a process behind that held its output.
    pub leaked: bool,
    /// Wall time.
    pub duration_ms: u64,
    /// Its exit code, where one is known and not 0.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// One line of what went wrong.
    pub message: String,
    /// The panic or error, cut.
    pub text: String,
}

impl Attempt {
    /// An attempt that never was.
    pub(crate) fn not_run() -> Self {
        Self {
            status: Status::NotRun,
            leaked: false,
            duration_ms: 0,
            exit_code: None,
            signal: None,
            message: "it is in no result".to_owned(),
            text: String::new(),
        }
    }
}

/// A target with all its attempts; the last one decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The target.
    pub target: Target,
    /// Its attempts; never empty.
    pub attempts: Vec<Attempt>,
}

impl Outcome {
    /// How it ended at last.
    pub(crate) fn status(&self) -> Status {
        self.attempts.last().map_or(Status::NotRun, |attempt| attempt.status)
    }

    /// Whether it failed before it passed.
    pub(crate) fn is_flaky(&self) -> bool {
        self.status() == Status::Passed
            && self.attempts.iter().any(|attempt| attempt.status != Status::Passed)
    }

    /// The attempt that shows what is wrong: the last failure.
    pub(crate) fn failure(&self) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|attempt| attempt.status != Status::Passed)
    }

    /// The lines of `outcomes.jsonl`.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let n = self.attempts.len();
        self.attempts
            .iter()
            .enumerate()
            .map(|(at, attempt)| Line {
                schema: OUTCOME_SCHEMA.to_owned(),
                suite: self.target.suite.clone(),
                test: self.target.test.clone(),
                kind: self.target.kind,
                attempt: u32::try_from(at + 1).unwrap_or(u32::MAX),
                last: at + 1 == n,
                status: attempt.status,
                leaked: attempt.leaked,
                quarantine: self.target.quarantine.clone(),
                duration_ms: attempt.duration_ms,
                exit_code: attempt.exit_code,
                signal: attempt.signal,
                message: attempt.message.clone(),
            })
            .collect()
    }
}

/// What the targets of a run come to, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many targets there are.
    pub planned: usize,
    /// How the tests ended, gates left out.
    pub by_status: BTreeMap<&'static str, usize>,
    /// How many failed before they passed.
    pub flaky: usize,
    /// How many left a process behind.
    pub leaky: usize,
    /// The test binaries.
    pub suites: BTreeSet<String>,
}

impl Tally {
    /// Counts one more target.
    pub(crate) fn add(&mut self, target: &Target, seen: &Seen) {
        self.planned += 1;
        if target.kind != Kind::Gate {
            *self.by_status.entry(seen.status().name()).or_default() += 1;
        }
        self.flaky += usize::from(seen.is_flaky());
        self.leaky += usize::from(seen.is_leaky());
        if !self.suites.contains(&target.suite) {
            self.suites.insert(target.suite.clone());
        }
    }
}

/// One line of `outcomes.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The schema.
    pub schema: String,
    /// The test binary.
    pub suite: String,
    /// The test.
    pub test: String,
    /// What it is.
    pub kind: Kind,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// Whether it is the last one, which decides.
    pub last: bool,
    /// How it ended.
    pub status: Status,
    /// Whether it left a process behind.
    pub leaked: bool,
    /// The quarantine entry that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
    /// Wall time.
    pub duration_ms: u64,
    /// Its exit code, where one is known and not 0.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// One line of what went wrong.
    pub message: String,
}
