//! One run of the sample: its exit code, what it said, and what the decision makes of what it left on disk.
//!
//! The decision here is made as another process would make it, from receipts, census and policy alone.

use super::{
    process,
    sample::{NOW, root, sample_target},
};
use portcullis::{
    evidence::store::Store,
    kernel::{
        census::Census,
        decide::{Decided, Decision, Inputs, Selection, decide},
        policy::{self, GateTable, Policy},
        receipt::{RawAttempt, Receipt, judge},
        waiver::{WaiverFile, WaiverScope},
    },
    wire::{
        id::RunId,
        outcome::{Effective, Lane, RunVerdict},
        receipt::{Clock, ClockSource},
        time::Instant,
    },
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

/// A run of the sample; its directory is removed at the end.
pub(super) struct Run {
    id: String,
    /// What cargo or the gate binary exited with; `None` for a signal.
    pub(super) code: Option<i32>,
    /// What was said on both streams.
    pub(super) text: String,
    store: PathBuf,
}

impl Drop for Run {
    fn drop(&mut self) {
        // A directory that was never made, or is a file, is no reason to fail.
        drop(fs::remove_dir_all(self.path()).or_else(|_| fs::remove_file(self.path())));
    }
}

impl Run {
    /// A run that has not begun. `name` becomes part of its id.
    pub(super) fn new(name: &str) -> Self {
        let id = format!("{name}-{}", std::process::id());
        Self { id, code: None, text: String::new(), store: sample_target() }
    }

    /// A run whose directory lies below another target directory.
    pub(super) fn below(target: &Path, id: &str) -> Self {
        Self { id: id.to_owned(), code: None, text: String::new(), store: target.to_path_buf() }
    }

    /// The run id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The run directory.
    pub(super) fn path(&self) -> PathBuf {
        self.store.join("portcullis/runs").join(&self.id)
    }

    pub(super) fn ended(mut self, output: &Output) -> Self {
        self.code = output.status.code();
        self.text = process::text(output);
        self
    }

    /// Asserts the exit code of what was run, and that it said each of `parts`.
    pub(super) fn said(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{}: {}", self.id, self.text);
        for part in parts {
            assert!(self.text.contains(part), "{}: `{part}` is not in\n{}", self.id, self.text);
        }
        self
    }

    /// What another process decides over the whole census.
    pub(super) fn decision(&self) -> Decision {
        decision(&self.receipts())
    }

    /// Asserts that another process sees `gate` with this status and code, and exits with `exit`.
    pub(super) fn decided(&self, gate: &str, effective: Effective, code: &str, exit: u8) -> &Self {
        let decision = self.decision();
        let row = row(&decision, gate);
        let seen = (row.effective, row.code.as_deref(), decision.exit);
        assert_eq!(seen, (effective, Some(code), exit), "{}: {}\n{}", self.id, row.detail, self.text);
        assert!(row.blocks, "{}: {gate} does not block", self.id);
        self
    }

    /// Asserts that another process sees a pass: the control of every case that takes something away.
    pub(super) fn passes(&self) -> &Self {
        let decision = self.decision();
        let seen = (decision.verdict, decision.exit);
        assert_eq!(seen, (RunVerdict::Pass, 0), "{}: {:?}\n{}", self.id, decision.gates, self.text);
        self
    }

    /// What every attempt left, judged from its bytes. No run directory means no receipt.
    pub(super) fn receipts(&self) -> Vec<Receipt> {
        let id = RunId::parse(&self.id).expect("a run id");
        if !self.path().is_dir() {
            return Vec::new();
        }
        let store = Store::open(&self.store).expect("a store");
        let run = store.open_run(&id).expect("a run");
        let attempts = run.read_attempts().expect("attempts");
        attempts
            .into_iter()
            .map(|raw| RawAttempt {
                gate: raw.gate,
                attempt: raw.attempt,
                started: raw.started,
                verdict: raw.verdict,
            })
            .map(|raw| judge(&raw, &id).expect("a gate id"))
            .collect()
    }
}

/// The row of a gate.
pub(super) fn row<'a>(decision: &'a Decision, gate: &str) -> &'a Decided {
    decision.gates.iter().find(|row| row.id.as_str() == gate).expect("a row for the gate")
}

/// The clock of a decision.
pub(super) fn clock(now: &str) -> Clock {
    let now = Instant::parse(now).expect("a time");
    Clock { now, source: ClockSource::System, past_allowed: false }
}

/// The committed census of the sample.
pub(super) fn census() -> Census {
    let text = fs::read_to_string(root().join("portcullis.lock")).expect("the census");
    Census::parse(&text).expect("a census")
}

/// The policy of the sample, and its gates with those written in Rust.
pub(super) fn gates() -> (Policy, Vec<GateTable>) {
    let text = fs::read_to_string(root().join("portcullis.toml")).expect("the policy");
    let policy = policy::parse("portcullis.toml", &text).expect("a policy");
    let rust = census().rows.into_iter().filter(|row| row.kind == "rust");
    let tables: Vec<GateTable> = policy
        .gates
        .iter()
        .cloned()
        .chain(rust.map(|row| GateTable::for_rust(row.id, &policy, &row.binary)))
        .collect();
    (policy, tables)
}

/// Decides over receipts of the sample, in the lane `pr`, without waivers.
pub(super) fn decision(receipts: &[Receipt]) -> Decision {
    let (policy, tables) = gates();
    decide(&Inputs {
        policy: &policy,
        gates: &tables.iter().collect::<Vec<_>>(),
        census: &census(),
        census_faults: &[],
        lane: Lane::Pr,
        selection: &Selection::all(),
        receipts,
        waivers: &WaiverFile::default(),
        scope: WaiverScope::Full,
        touched_waivers: false,
        base_waivers: None,
        requested_mode: None,
        clock: &clock(NOW),
        run_faults: &[],
        source_dirty: false,
    })
}
