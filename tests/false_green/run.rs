//! One run of the sample: its exit code, what it said, and what the decision makes of what it left on disk.
//!
//! The decision here is made as another process would make it, from receipts, census and policy alone.

use super::{
    sample::{NOW, root, sample_target},
    subcommand::verify,
};
use portcullis::{
    Fault,
    evidence::store::Store,
    kernel::{
        census::Census,
        decide::{Attempts, Decided, Decision, Inputs, Selection, decide},
        policy::{self, GateTable, Policy},
        receipt::{Receipt, judge},
        waiver::{WaiverFile, WaiverScope},
    },
    runner::attempt::Looked,
    testing::Seen,
    wire::{
        id::{Digest, GateId, RunId},
        ordered::VecSet,
        outcome::{Effective, Lane, Mode, Outcome, RunVerdict},
        receipt::{
            self, Clock, ClockSource, Envelope, STARTED_SCHEMA, Source, Started, Tool,
            VERDICT_SCHEMA,
        },
        time::Instant,
    },
};
use portcullis_repo::process;
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
    kept: bool,
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // A directory that was never made, or is a file, is no reason to fail.
        drop(fs::remove_dir_all(self.path()).or_else(|_| fs::remove_file(self.path())));
    }
}

impl Run {
    /// A run that has not begun. `name` becomes part of its id.
    pub(super) fn new(name: &str) -> Self {
        let id = format!("{name}-{}", std::process::id());
        Self { id, code: None, text: String::new(), store: sample_target(), kept: false }
    }

    /// A run that made up its own id.
    pub(super) fn called(id: &str) -> Self {
        let store = sample_target();
        Self { id: id.to_owned(), code: None, text: String::new(), store, kept: false }
    }

    /// A run that lies below another target directory, which outlives this.
    pub(super) fn below(target: &Path, id: &str) -> Self {
        let mut run = Self::called(id);
        run.store = target.to_path_buf();
        run.kept = true;
        run
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
        assert_eq!(
            seen,
            (effective, Some(code), exit),
            "{}: {}\n{}",
            self.id,
            row.detail,
            self.text
        );
        assert!(row.blocks, "{}: {gate} does not block", self.id);
        self
    }

    /// Asserts what `cargo-portcullis verify` says of the run directory.
    pub(super) fn verified(&self, words: &[&str], exit: i32, parts: &[&str]) -> &Self {
        verify(root(), &self.path(), words).said(&self.id, exit, parts);
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
        attempts.iter().map(|raw| judge(raw, &id).expect("a gate id")).collect()
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
    decision_with(receipts, &[])
}

/// The same, where the run itself has faults.
pub(super) fn decision_with(receipts: &[Receipt], run_faults: &[Fault]) -> Decision {
    let (policy, tables) = gates();
    let receipts: Vec<&Receipt> = receipts.iter().collect();
    decide(&Inputs {
        policy: &policy,
        gates: &tables.iter().collect::<Vec<_>>(),
        census: &census(),
        census_faults: &[],
        lane: Lane::Pr,
        selection: &Selection::all(),
        receipts: &receipts,
        attempts: Attempts::Everybodys,
        waivers: &WaiverFile::default(),
        scope: WaiverScope::Full,
        touched_waivers: false,
        base_waivers: None,
        loosened: &[],
        requested_mode: None,
        clock: &clock(NOW),
        run_faults,
        source_dirty: false,
    })
}

/// What the decision makes of one gate that runs alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) effective: Effective,
    pub(super) code: Option<String>,
    pub(super) exit: u8,
}

/// Puts what a check was seen to do into a receipt, and decides over it as over a whole run of one blocking gate.
pub(super) fn judged(seen: &Seen) -> Verdict {
    let decision = alone(&seen.looked, &Rules::default());
    let row = &decision.gates[0];
    Verdict { effective: row.effective, code: row.code.clone(), exit: decision.exit }
}

/// What a decision over one gate is made under, beside its receipt.
pub(super) struct Rules<'a> {
    pub(super) lane: Lane,
    pub(super) now: &'a str,
    /// The text of `suite_classification.toml`.
    pub(super) waivers: &'a str,
    /// The text of `portcullis.toml`, without the gate.
    pub(super) policy: &'a str,
    pub(super) requested_mode: Option<&'a str>,
}

impl Default for Rules<'_> {
    fn default() -> Self {
        Self {
            lane: Lane::Main,
            now: "2026-05-31T12:00:00Z",
            waivers: "",
            policy: "[policy]\nversion = 1\nowner = \"sample\"\n",
            requested_mode: None,
        }
    }
}

/// The gate that [`alone`] decides about; fingerprints of a bench contain it.
pub(super) const GATE: &str = "bench_gate";
/// The gate that guards the waivers, beside it.
pub(super) const GUARD: &str = "waiver_lifecycle";

/// Decides over [`GATE`] with this outcome and [`GUARD`], which passes.
pub(super) fn alone(looked: &Looked, rules: &Rules<'_>) -> Decision {
    let policy = policy::parse("portcullis.toml", rules.policy).expect("a policy");
    let ids = [GATE, GUARD].map(|id| GateId::parse(id).expect("an id"));
    let tables: Vec<GateTable> =
        ids.iter().map(|id| GateTable::for_rust(id.clone(), &policy, "gates")).collect();
    let passed = Looked {
        outcome: Outcome::Pass,
        examined: 1,
        findings: Vec::new(),
        findings_total: 0,
        skip: None,
        error: None,
    };
    let clock = clock(rules.now);
    let receipts = [receipt(&tables[0], looked, &clock), receipt(&tables[1], &passed, &clock)];
    let waivers = WaiverFile::parse(
        "suite_classification.toml",
        rules.waivers,
        &ids.iter().cloned().collect(),
        &VecSet::from([ids[1].clone()]),
    );
    decide(&Inputs {
        policy: &policy,
        gates: &tables.iter().collect::<Vec<_>>(),
        census: &Census::of(&tables),
        census_faults: &[],
        lane: rules.lane,
        selection: &Selection::all(),
        receipts: &[&receipts[0], &receipts[1]],
        attempts: Attempts::Everybodys,
        waivers: &waivers,
        scope: WaiverScope::Full,
        touched_waivers: false,
        base_waivers: None,
        loosened: &[],
        requested_mode: rules.requested_mode,
        clock: &clock,
        run_faults: &[],
        source_dirty: false,
    })
}

fn receipt(table: &GateTable, looked: &Looked, clock: &Clock) -> Receipt {
    let envelope = Envelope {
        schema: STARTED_SCHEMA.to_owned(),
        run_id: RunId::parse("bench").expect("a run id"),
        generated_at: clock.now,
        source: Source::default(),
        tool: Tool::this(),
        mode: Mode::Strict,
        clock: clock.clone(),
    };
    let started = Started {
        envelope: envelope.clone(),
        gate_id: table.common.id.clone(),
        kind: table.kind_name().to_owned(),
        binary: table.common.binary.clone(),
        attempt: 1,
        runner_attempt: 1,
        runner_run_id: None,
        pid: 1,
        policy_digest: table.digest(),
    };
    let verdict = receipt::Verdict {
        envelope: envelope.with_schema(VERDICT_SCHEMA),
        gate_id: table.common.id.clone(),
        kind: table.kind_name().to_owned(),
        binary: table.common.binary.clone(),
        attempt: 1,
        policy_digest: table.digest(),
        started_digest: Digest::of(b""),
        outcome: looked.outcome,
        examined: looked.examined,
        findings: looked.findings.clone(),
        findings_total: looked.findings_total,
        skip: looked.skip.clone(),
        error: looked.error.clone(),
        evidence: Vec::new(),
        artifacts: Vec::new(),
        output: Vec::new(),
        duration_ms: 0,
    };
    Receipt::complete(started, verdict)
}
