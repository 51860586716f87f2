//! A small world for tests of the decision: policy, census and receipts that fit together, and one thing changed.

use super::{Attempts, Decided, Decision, Inputs, Selection, decide};
use crate::{
    kernel::{
        census::Census,
        loosening::Loosening,
        policy::{self, GateTable, Policy},
        receipt::{Receipt, ReceiptState},
        waiver::{WaiverFile, WaiverScope},
    },
    wire::{
        fault::{Fault, Location},
        finding::Finding,
        id::{Digest, GateId, RunId},
        ordered::VecSet,
        outcome::{Lane, Mode, Outcome, SkipReason},
        receipt::{
            Clock, ClockSource, Envelope, ErrorRecord, STARTED_SCHEMA, Skip, Source, Started, Tool,
            VERDICT_SCHEMA, Verdict,
        },
        time::Instant,
    },
};

/// Everything the decision looks at, owned.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) policy: Policy,
    pub(super) census: Census,
    pub(super) census_faults: Vec<Fault>,
    pub(super) lane: Lane,
    pub(super) selection: Selection,
    pub(super) receipts: Vec<Receipt>,
    pub(super) waivers: WaiverFile,
    pub(super) scope: WaiverScope,
    pub(super) touched: bool,
    pub(super) base: Option<VecSet<GateId>>,
    pub(super) loosened: Vec<Loosening>,
    pub(super) mode: Option<&'static str>,
    pub(super) clock: Clock,
    pub(super) run_faults: Vec<Fault>,
    pub(super) dirty: bool,
}

pub(super) fn id(text: &str) -> GateId {
    GateId::parse(text).expect("a gate id")
}

impl World {
    /// The gates of this policy body, each of which passes, in lane `main` at noon of 2026-05-31.
    pub(super) fn new(body: &str) -> Self {
        let text = format!("[policy]\nversion = 1\nowner = 'team'\n{body}");
        let policy = policy::parse("portcullis.toml", &text).expect("a policy");
        let mut world = Self {
            census: Census::of(&policy.gates),
            census_faults: Vec::new(),
            lane: Lane::Main,
            selection: Selection::all(),
            receipts: Vec::new(),
            waivers: WaiverFile::default(),
            scope: WaiverScope::Full,
            touched: false,
            base: None,
            loosened: Vec::new(),
            mode: None,
            clock: Clock {
                now: Instant::parse("2026-05-31T12:00:00Z").expect("an instant"),
                source: ClockSource::System,
                past_allowed: false,
            },
            run_faults: Vec::new(),
            dirty: false,
            policy,
        };
        world.receipts =
            world.policy.gates.iter().map(|gate| world.receipt(gate, 1, Said::Pass)).collect();
        world
    }

    /// Three gates without anything special.
    pub(super) fn plain() -> Self {
        Self::new("[[gate]]\nid = 'a'\n[[gate]]\nid = 'b'\n[[gate]]\nid = 'c'\n")
    }

    pub(super) fn gate(&self, name: &str) -> &GateTable {
        self.policy.gates.iter().find(|gate| gate.common.id.as_str() == name).expect("a gate")
    }

    fn envelope(&self, schema: &str) -> Envelope {
        Envelope {
            schema: schema.to_owned(),
            run_id: RunId::parse("run-1").expect("a run"),
            generated_at: self.clock.now,
            source: Source::default(),
            tool: Tool::this(),
            mode: Mode::Strict,
            clock: self.clock.clone(),
        }
    }

    /// A receipt as a gate leaves it.
    pub(super) fn receipt(&self, gate: &GateTable, attempt: u32, said: Said) -> Receipt {
        let started = Started {
            envelope: self.envelope(STARTED_SCHEMA),
            gate_id: gate.common.id.clone(),
            kind: gate.kind_name().to_owned(),
            binary: gate.common.binary.clone(),
            attempt,
            runner_attempt: 1,
            runner_run_id: None,
            pid: 7,
            policy_digest: gate.digest(),
        };
        if said == Said::Crash {
            let state = ReceiptState::Unsealed(Box::new(started));
            return Receipt { gate_id: gate.common.id.clone(), attempt, state };
        }
        let mut verdict = Verdict {
            envelope: self.envelope(VERDICT_SCHEMA),
            gate_id: gate.common.id.clone(),
            kind: gate.kind_name().to_owned(),
            binary: gate.common.binary.clone(),
            attempt,
            policy_digest: gate.digest(),
            started_digest: Digest::of(b"started"),
            outcome: Outcome::Pass,
            examined: 3,
            findings: Vec::new(),
            findings_total: 0,
            skip: None,
            error: None,
            evidence: Vec::new(),
            artifacts: Vec::new(),
            output: Vec::new(),
            duration_ms: 5,
        };
        said.fill(&mut verdict);
        Receipt::complete(started, verdict)
    }

    /// Replaces what a gate left by these attempts, numbered from 1.
    pub(super) fn says(mut self, name: &str, attempts: &[Said]) -> Self {
        self.receipts.retain(|receipt| receipt.gate_id.as_str() != name);
        let gate = self.gate(name).clone();
        for (attempt, said) in (1..).zip(attempts) {
            self.receipts.push(self.receipt(&gate, attempt, *said));
        }
        self
    }

    /// Adds waivers; `gate` of the lines is a fingerprint list or nothing.
    pub(super) fn waived(mut self, text: &str) -> Self {
        let ids = self.policy.gates.iter().map(|gate| gate.common.id.clone()).collect();
        let guards = VecSet::from([id("waiver_lifecycle")]);
        self.waivers = WaiverFile::parse("suite_classification.toml", text, &ids, &guards);
        self
    }

    pub(super) fn decide(&self) -> Decision {
        let gates: Vec<&GateTable> = self.policy.gates.iter().collect();
        let receipts: Vec<&Receipt> = self.receipts.iter().collect();
        decide(&Inputs {
            policy: &self.policy,
            gates: &gates,
            census: &self.census,
            census_faults: &self.census_faults,
            lane: self.lane,
            selection: &self.selection,
            receipts: &receipts,
            attempts: Attempts::Everybodys,
            waivers: &self.waivers,
            scope: self.scope,
            touched_waivers: self.touched,
            base_waivers: self.base.as_ref(),
            loosened: &self.loosened,
            requested_mode: self.mode,
            clock: &self.clock,
            run_faults: &self.run_faults,
            source_dirty: self.dirty,
        })
    }
}

/// `[waiver.<gate>]` that holds from 2026-05-20 to `expires`.
pub(super) fn waiver(gate: &str, expires: &str, more: &str) -> String {
    format!(
        "[waiver.{gate}]\nowner = 'o'\ncreated = 2026-05-20\nexpires = {expires}\nissue = '#1'\n\
         reason = 'a reason that is long enough'\nscope = 'full'\nremove_when = 'mended'\n{more}\n"
    )
}

/// What a gate says; the letter of a failure is in its fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Pass,
    Warn,
    Fail(char),
    Skip(SkipReason),
    Error,
    Nothing,
    Crash,
}

/// The fingerprint of the failure with this letter.
pub(super) fn print(letter: char) -> String {
    letter.to_string().repeat(16)
}

fn finding(letter: char, advisory: bool) -> Finding {
    Finding {
        code: "gate_broken".to_owned(),
        subject: "s".to_owned(),
        location: Some(Location::at("f", 1, 1)),
        message: format!("failure {letter}"),
        expected: None,
        found: None,
        remedy: "mend it".to_owned(),
        advisory,
        fingerprint: print(letter),
    }
}

impl Said {
    fn fill(self, verdict: &mut Verdict) {
        match self {
            Self::Pass | Self::Crash => {}
            Self::Nothing => verdict.examined = 0,
            Self::Warn => {
                verdict.outcome = Outcome::Warn;
                verdict.findings = vec![finding('0', true)];
            }
            Self::Fail(letter) => {
                verdict.outcome = Outcome::Fail;
                verdict.findings = vec![finding(letter, false)];
            }
            Self::Skip(reason) => {
                verdict.outcome = Outcome::Skip;
                verdict.skip = Some(Skip { reason, detail: "d".to_owned() });
            }
            Self::Error => {
                verdict.outcome = Outcome::Error;
                verdict.error = Some(ErrorRecord {
                    code: "git_failed".to_owned(),
                    message: "m".to_owned(),
                    location: None,
                    chain: Vec::new(),
                    expected: None,
                    found: None,
                    remedy: "r".to_owned(),
                });
            }
        }
        verdict.findings_total = verdict.findings.len() as u64;
    }
}

/// The row of a gate.
pub(super) fn row<'a>(decision: &'a Decision, name: &str) -> &'a Decided {
    decision.gates.iter().find(|gate| gate.id.as_str() == name).expect("a row")
}
