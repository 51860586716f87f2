//! One gate evaluated: its attempt begun, its check looked at, its receipt filed. Which gates, and on how many threads, is
//! decided elsewhere.

use super::{
    Session,
    recorder::{Published, Recorder},
    redacted, shared,
    slots::Claimed,
    view_text,
};
use crate::{
    declare::Prepared,
    evidence::{
        clock::Stopwatch,
        context::{ArtifactSink, Trace},
        store::AttemptDir,
    },
    kernel::receipt::Receipt,
    runner::{
        attempt::{Check, Looked, Said},
        events::EventLog,
        pool::Work,
        roster::{Body, Gate},
        spans,
    },
    wire::{
        code::RECEIPT_INVALID,
        fault::Fault,
        id::Digest,
        outcome::SkipReason,
        receipt::{STARTED_SCHEMA, Started, VERDICT_SCHEMA, Verdict},
    },
};
use std::sync::Arc;

/// Which attempt of a gate is made.
#[derive(Clone, Copy)]
enum Claim {
    /// The next one that is free.
    Next,
    /// The first one, unless somebody has it.
    First,
}

/// An attempt that began, and has no receipt yet.
struct Attempt {
    recorder: Arc<Recorder>,
    trace: Arc<Trace>,
    started: Started,
    started_digest: Digest,
    events: EventLog,
    watch: Stopwatch,
}

/// How far an attempt came by itself.
enum Prelude {
    /// Its check has to look.
    Looks(Box<Attempt>, Check),
    /// It ended before anything could be looked at.
    Ended(Box<Receipt>),
    /// Somebody else makes it.
    Taken,
}

/// A gate under way: whoever holds it ends it, on whatever thread, and nobody else can.
pub struct Underway {
    claimed: Claimed<Receipt>,
    attempt: Box<Attempt>,
    check: Check,
}

impl Work for Session {
    type Underway = Underway;
    type Said = Said;

    /// Begins to evaluate a gate. Nothing where its receipt is there already, or was filed without a look.
    fn set_out(&self, n: usize) -> Option<Underway> {
        let claimed = self.slots.claim(n)?;
        let gate = &self.roster.gates[n];
        // What is needed has a time limit of its own, so this returns.
        self.needs(gate);
        match self.prelude(gate, Claim::Next) {
            Prelude::Looks(attempt, check) => Some(Underway { claimed, attempt, check }),
            Prelude::Ended(receipt) => {
                claimed.put(*receipt);
                None
            }
            Prelude::Taken => {
                claimed.put(self.no_attempt_free(gate));
                None
            }
        }
    }

    fn timeout_ms(underway: &Underway) -> u64 {
        underway.check.timeout_ms()
    }

    fn part(underway: &Underway) -> impl FnOnce() -> Said + use<> {
        let parts = underway.check.parts();
        move || parts.run()
    }

    fn arrive(&self, underway: Underway, said: Option<Said>) {
        let Underway { claimed, attempt, check } = underway;
        let gate = &self.roster.gates[claimed.position()];
        let said = said.ok_or_else(|| check.timed_out());
        claimed.put(self.record(gate, *attempt, check.judge(said)));
    }

    fn do_here(&self, n: usize) {
        self.receipt(n);
    }
}

impl Session {
    /// Evaluates a gate and what it needs, each once per process, and returns its receipt.
    pub fn receipt(&self, n: usize) -> &Receipt {
        self.slots.get_or_make(n, || {
            let gate = &self.roster.gates[n];
            self.needs(gate);
            self.attempt(gate)
        })
    }

    fn needs(&self, gate: &Gate) {
        for need in gate.needs() {
            if let Some(m) = self.roster.position(need.as_str()) {
                self.need(m);
            }
        }
    }

    /// Evaluates what another gate needs. Where a runner starts a process for each gate, the first one that needs it
    /// looks, and the others read what it saw: a gate that many need would otherwise be evaluated by each of them.
    fn need(&self, n: usize) {
        let gate = &self.roster.gates[n];
        if !self.is_one_of_many() {
            self.receipt(n);
            return;
        }
        self.slots.get_or_make(n, || {
            self.needs(gate);
            match self.prelude(gate, Claim::First) {
                Prelude::Looks(attempt, check) => self.look(gate, *attempt, check),
                Prelude::Ended(receipt) => *receipt,
                Prelude::Taken => shared::receipt(self, gate).unwrap_or_else(|| self.attempt(gate)),
            }
        });
    }

    /// Whether a runner starts a process for each gate of one run: nextest says so, and so does ours.
    fn is_one_of_many(&self) -> bool {
        let environment = &self.world.environment;
        let said = |name: &&str| environment.get(name).is_some();
        !self.owned && ["NEXTEST_ATTEMPT", super::ATTEMPT_VARIABLE].iter().any(said)
    }

    fn attempt(&self, gate: &Gate) -> Receipt {
        match self.prelude(gate, Claim::Next) {
            Prelude::Looks(attempt, check) => self.look(gate, *attempt, check),
            Prelude::Ended(receipt) => *receipt,
            Prelude::Taken => self.no_attempt_free(gate),
        }
    }

    fn no_attempt_free(&self, gate: &Gate) -> Receipt {
        let fault = Fault::new(RECEIPT_INVALID, "no attempt is free", "start a new run");
        self.unrecorded(gate, &fault, 0)
    }

    /// Everything before the check looks.
    fn prelude(&self, gate: &Gate, claim: Claim) -> Prelude {
        let watch = Stopwatch::start();
        let attempt = match self.spans.around("receipt", || self.begin(gate, claim, watch)) {
            Ok(Some(attempt)) => attempt,
            Ok(None) => return Prelude::Taken,
            Err(fault) => {
                return Prelude::Ended(Box::new(self.unrecorded(gate, &fault, watch.elapsed_ms())));
            }
        };
        match self.prepared(gate) {
            Ok(prepared) => {
                let sink: Arc<dyn ArtifactSink> = Arc::<Recorder>::clone(&attempt.recorder);
                let table = Arc::new(gate.table().clone());
                let check = Check::new(&self.world, &table, prepared, &sink, &attempt.trace);
                Prelude::Looks(Box::new(attempt), check)
            }
            Err(looked) => Prelude::Ended(Box::new(self.record(gate, attempt, *looked))),
        }
    }

    /// Runs the check on a thread of its own, which is given up when it takes too long.
    fn look(&self, gate: &Gate, attempt: Attempt, check: Check) -> Receipt {
        let said = check.run_apart();
        self.record(gate, attempt, check.judge(said))
    }

    fn record(&self, gate: &Gate, attempt: Attempt, looked: Looked) -> Receipt {
        let Attempt { recorder, trace, started, started_digest, mut events, watch } = attempt;
        let ms = watch.elapsed_ms();
        let verdict = self.verdict(gate, &started, started_digest, looked, &trace, ms);
        let finished = self.spans.around("receipt", || {
            spans::delay(&self.world.environment);
            finish(&recorder.dir, &mut events, &verdict)
        });
        match finished {
            Ok(()) => Receipt::complete(started, verdict),
            Err(fault) => self.unrecorded(gate, &fault, watch.elapsed_ms()),
        }
    }

    /// Where the views of a gate are copied to: the folder of the policy, and the gate's own `artifact_path`.
    fn published(&self, gate: &Gate) -> Published {
        Published {
            tree: self.world.tree.clone(),
            views: self.roster.policy.views.clone(),
            artifact: gate.table().common.artifact_path.clone(),
        }
    }

    fn begin(&self, gate: &Gate, claim: Claim, watch: Stopwatch) -> Result<Option<Attempt>, Fault> {
        let mut written: Option<Started> = None;
        let make_started = |attempt| {
            let started = self.started(gate, attempt);
            let text = view_text(&started)?;
            written = Some(started);
            Ok(text)
        };
        let run = self.run_dir()?;
        let dir = match claim {
            Claim::Next => run.begin_attempt(gate.id(), make_started)?,
            Claim::First => match run.begin_first_attempt(gate.id(), make_started)? {
                Some(dir) => dir,
                None => return Ok(None),
            },
        };
        let started = written.ok_or_else(|| {
            Fault::new(RECEIPT_INVALID, "an attempt began without a record", "report this as a bug")
        })?;
        let mut events = EventLog::default();
        dir.append_event(&events.started(&started)?)?;
        let started_digest = dir.started_digest();
        let recorder = Arc::new(Recorder {
            dir,
            run: self.run.get().cloned(),
            published: self.published(gate),
            gate: gate.id().clone(),
            writers: Arc::clone(&self.view_writers),
            world: Arc::clone(&self.world),
        });
        let trace = Arc::new(Trace::default());
        Ok(Some(Attempt { recorder, trace, started, started_digest, events, watch }))
    }

    /// The runner's own id of this run.
    pub(super) fn runner_run_id(&self) -> Option<&str> {
        self.world.environment.get(super::NEXTEST_RUN_ID_VARIABLE).filter(|id| !id.is_empty())
    }

    fn started(&self, gate: &Gate, attempt: u32) -> Started {
        let runner_attempt = self
            .world
            .environment
            .get("NEXTEST_ATTEMPT")
            .or_else(|| self.world.environment.get(super::ATTEMPT_VARIABLE))
            .and_then(|text| text.parse().ok())
            .unwrap_or(1);
        Started {
            envelope: self.envelope(STARTED_SCHEMA, self.mode().0),
            gate_id: gate.id().clone(),
            kind: gate.kind().to_owned(),
            binary: gate.binary().to_owned(),
            attempt,
            runner_attempt,
            runner_run_id: self.runner_run_id().map(str::to_owned),
            pid: std::process::id(),
            policy_digest: gate.table().digest(),
        }
    }

    /// The check of a gate, or why it must not look.
    fn prepared<'a>(&self, gate: &'a Gate) -> Result<&'a Prepared, Box<Looked>> {
        if gate.attributes().iter().any(|attribute| attribute.starts_with("ignore")) {
            let looked = Looked::skipped(SkipReason::Ignored, "the gate carries `#[ignore]`");
            return Err(Box::new(looked));
        }
        if let Body::Kind(kind) = gate.body
            && let Some(fault) = self.teeth.prove(kind)
        {
            return Err(Box::new(Looked::error(&fault)));
        }
        // A run refuses its configuration at the start; this is the way of a filtered run.
        gate.prepared().map_err(|faults| {
            let unsaid =
                || Fault::new(RECEIPT_INVALID, "refused without a reason", "report this as a bug");
            Box::new(Looked::error(&faults.into_iter().next().unwrap_or_else(unsaid)))
        })
    }

    fn verdict(
        &self,
        gate: &Gate,
        started: &Started,
        started_digest: Digest,
        looked: Looked,
        trace: &Trace,
        duration_ms: u64,
    ) -> Verdict {
        let environment = &self.world.environment;
        let looked = redacted::looked(looked, environment);
        Verdict {
            envelope: self.envelope(VERDICT_SCHEMA, started.envelope.mode),
            gate_id: gate.id().clone(),
            kind: gate.kind().to_owned(),
            binary: gate.binary().to_owned(),
            attempt: started.attempt,
            policy_digest: gate.table().digest(),
            started_digest,
            outcome: looked.outcome,
            examined: looked.examined,
            findings: looked.findings,
            findings_total: looked.findings_total,
            skip: looked.skip,
            error: looked.error,
            evidence: trace.evidence(),
            artifacts: trace.artifacts(),
            output: trace.output().iter().map(|line| environment.recordable(line)).collect(),
            duration_ms,
        }
    }

    /// The receipt of an attempt that could not be written. It is never better than an error.
    fn unrecorded(&self, gate: &Gate, fault: &Fault, duration_ms: u64) -> Receipt {
        let started = self.started(gate, 1);
        let looked = Looked::error(fault);
        let digest = Digest::of(b"");
        let verdict = self.verdict(gate, &started, digest, looked, &Trace::default(), duration_ms);
        Receipt::complete(started, verdict)
    }
}

fn finish(dir: &AttemptDir, events: &mut EventLog, verdict: &Verdict) -> Result<(), Fault> {
    for line in events.finished(verdict)? {
        dir.append_event(&line)?;
    }
    dir.write_verdict(&view_text(verdict)?)
}
