//! One attempt: run a check and say, in one of five words, how it went.
//!
//! The rules of `semantics.md`, section 2, that concern a single attempt are here. What the outcome
//! means for the run is decided elsewhere.

use super::panics::{self, InFlight, PanicLog, Panicked};
use crate::{
    declare::{Examined, Prepared},
    evidence::context::{ArtifactSink, GateContext, Trace, World},
    kernel::policy::GateTable,
    wire::{
        code::{
            GATE_BROKEN, GATE_PANICKED, GATE_TIMED_OUT, NOTHING_EXAMINED, STRAY_PANIC, TOOL_MISSING,
        },
        fault::{Fault, Location},
        finding::{Finding, Findings},
        outcome::{Outcome, SkipReason},
        receipt::{ErrorRecord, Skip},
    },
};
use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};

/// What came of an attempt, before anything was written.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The raw outcome.
    pub outcome: Outcome,
    /// How many things were looked at.
    pub examined: u64,
    /// The kept findings.
    pub findings: Vec<Finding>,
    /// How many there were.
    pub findings_total: u64,
    /// Why it did not look.
    pub skip: Option<Skip>,
    /// Why it reached no verdict.
    pub error: Option<ErrorRecord>,
}

impl Looked {
    /// An attempt that reached no verdict.
    #[must_use]
    pub fn error(fault: &Fault) -> Self {
        Self {
            outcome: Outcome::Error,
            examined: 0,
            findings: Vec::new(),
            findings_total: 0,
            skip: None,
            error: Some(ErrorRecord::from(fault)),
        }
    }

    /// An attempt that must not look.
    #[must_use]
    pub fn skipped(reason: SkipReason, detail: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Skip,
            examined: 0,
            findings: Vec::new(),
            findings_total: 0,
            skip: Some(Skip { reason, detail: detail.into() }),
            error: None,
        }
    }
}

/// What came of running a check: its result with its findings, or its panic.
pub type Said = std::thread::Result<(Result<Examined, Fault>, Findings)>;

/// Runs a check to its end or its timeout. What it read and said is in `trace` afterwards.
pub fn look(
    world: &Arc<World>,
    table: &Arc<GateTable>,
    prepared: &Prepared,
    sink: &Arc<dyn ArtifactSink>,
    trace: &Arc<Trace>,
) -> Looked {
    let check = Check::new(world, table, prepared, sink, trace);
    let said = check.run_apart();
    check.judge(said)
}

/// A check with everything it needs, wherever it runs. It counts as running from when it is made until it is judged.
pub struct Check {
    parts: Arc<Parts>,
    in_flight: InFlight,
}

/// What the thread of a check holds. It may outlive the attempt, where the thread was given up.
pub struct Parts {
    world: Arc<World>,
    table: Arc<GateTable>,
    prepared: Prepared,
    sink: Arc<dyn ArtifactSink>,
    trace: Arc<Trace>,
    log: Arc<PanicLog>,
}

impl Parts {
    /// Runs the check on this thread, for as long as it takes.
    pub fn run(&self) -> Said {
        let mut out = Findings::new(&self.table.common.id);
        panics::recorded(&self.log, || {
            let cx = GateContext::new(&self.world, &self.table, &self.trace, &*self.sink);
            let result = (self.prepared)(&cx, &mut out);
            (result, out)
        })
    }
}

impl Check {
    /// The check of a gate; what it reads and says goes to `sink` and `trace`.
    #[must_use]
    pub fn new(
        world: &Arc<World>,
        table: &Arc<GateTable>,
        prepared: &Prepared,
        sink: &Arc<dyn ArtifactSink>,
        trace: &Arc<Trace>,
    ) -> Self {
        let log = Arc::new(PanicLog::default());
        let in_flight = panics::in_flight(&log);
        let parts = Parts {
            world: Arc::clone(world),
            table: Arc::clone(table),
            prepared: Arc::clone(prepared),
            sink: Arc::clone(sink),
            trace: Arc::clone(trace),
            log,
        };
        Self { parts: Arc::new(parts), in_flight }
    }

    /// What the thread that runs it has to hold.
    #[must_use]
    pub fn parts(&self) -> Arc<Parts> {
        Arc::clone(&self.parts)
    }

    /// How long it may take, in milliseconds.
    #[must_use]
    pub fn timeout_ms(&self) -> u64 {
        self.parts.table.common.timeout_ms
    }

    /// That it took longer.
    #[must_use]
    pub fn timed_out(&self) -> Fault {
        let (id, timeout_ms) = (&self.parts.table.common.id, self.timeout_ms());
        Fault::new(
            GATE_TIMED_OUT,
            format!("the check of `{id}` did not end within {timeout_ms} ms"),
            "make it faster, or raise the gate's `timeout`",
        )
    }

    /// Runs it on a thread of its own, which is given up when it takes too long.
    ///
    /// # Errors
    /// `gate_timed_out`, or `gate_broken` where no thread is to be had.
    pub fn run_apart(&self) -> Result<Said, Fault> {
        let (sender, receiver) = mpsc::channel();
        let (parts, answer) = (self.parts(), Arc::new(Mutex::new(None)));
        let said = Arc::clone(&answer);
        let name = parts.table.common.id.to_string();
        let started = std::thread::Builder::new().name(name).spawn(move || {
            *said.lock().unwrap_or_else(PoisonError::into_inner) = Some(parts.run());
            // The receiver is gone only after a timeout, and then nobody wants the answer.
            let _heard = sender.send(());
        });
        // Nobody joins the thread: what it did is seen once its answer is received, and waiting for its end takes longer
        // than most checks.
        started.map_err(|source| {
            Fault::new(
                GATE_BROKEN,
                "a thread for the check could not be started",
                "free resources and run again",
            )
            .because(&source)
        })?;
        // A thread that takes too long cannot be stopped from outside. The process ends without waiting for it.
        let limit = Duration::from_millis(self.timeout_ms());
        receiver.recv_timeout(limit).map_err(|_late| self.timed_out())?;
        let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.ok_or_else(|| self.timed_out())
    }

    /// What it came to, in one of five words.
    #[must_use]
    pub fn judge(self, said: Result<Said, Fault>) -> Looked {
        let Self { parts, in_flight } = self;
        drop(in_flight);
        let looked = match said {
            Ok(said) => judge(said, &parts.table, &parts.trace, &parts.log),
            Err(fault) => Looked::error(&fault),
        };
        // A panic that nobody waited for is the worst: the check may have passed because of it.
        match parts.log.stray().first() {
            Some(stray) if looked.outcome != Outcome::Error => Looked::error(&stray_panic(stray)),
            Some(_) | None => looked,
        }
    }
}

fn judge(said: Said, table: &GateTable, trace: &Trace, log: &PanicLog) -> Looked {
    let Ok((result, findings)) = said else {
        return Looked::error(&panicked(log.own().last()));
    };
    let examined = match result {
        Err(fault) if fault.code() == TOOL_MISSING => {
            return Looked::skipped(SkipReason::ToolMissing, fault.headline());
        }
        Err(fault) => return Looked::error(&fault),
        Ok(examined) => examined,
    };
    if let Some(caught) = log.own().last() {
        return Looked::error(&broken(
            "caught its own panic",
            &format!("{} at {}", caught.message, place(caught)),
        ));
    }
    if let Some(dropped) = trace.first_fault() {
        return Looked::error(&broken("dropped an error it was given", dropped.headline()));
    }
    match examined {
        Examined::Skipped { reason, detail } => Looked::skipped(reason, detail),
        Examined::Items(0) if findings.violations() == 0 && table.common.allow_empty.is_none() => {
            Looked::error(&Fault::new(
                NOTHING_EXAMINED,
                "the check looked at nothing",
                "correct the selector, or state why nothing is fine: `allow_empty = \"<reason>\"`",
            ))
        }
        Examined::Items(examined) => {
            let outcome = match (findings.violations(), findings.total()) {
                (0, 0) => Outcome::Pass,
                (0, _) => Outcome::Warn,
                (_, _) => Outcome::Fail,
            };
            let findings_total = findings.total();
            Looked {
                outcome,
                examined,
                findings: findings.into_kept(),
                findings_total,
                skip: None,
                error: None,
            }
        }
    }
}

fn broken(what: &str, detail: &str) -> Fault {
    Fault::new(GATE_BROKEN, format!("the check {what}"), "let the check return the error with `?`")
        .found(detail)
}

fn place(panicked: &Panicked) -> Location {
    Location::at(&panicked.file, panicked.line, panicked.column)
}

fn panicked(last: Option<&Panicked>) -> Fault {
    let Some(panicked) = last else {
        // `resume_unwind` skips the hook; the attempt is lost all the same.
        return Fault::new(
            GATE_PANICKED,
            "the check panicked without a message",
            "run it with `RUST_BACKTRACE=1`",
        );
    };
    let mut fault = Fault::new(
        GATE_PANICKED,
        format!("the check panicked: {}", panicked.message),
        "return an error or a finding instead; `RUST_BACKTRACE=1` shows the way there",
    )
    .at(place(panicked));
    for line in &panicked.backtrace {
        fault = fault.because(&std::io::Error::other(line.clone()));
    }
    fault
}

fn stray_panic(stray: &Panicked) -> Fault {
    Fault::new(
        STRAY_PANIC,
        format!("thread `{}`, which nothing waits for, panicked: {}", stray.thread, stray.message),
        "join every thread and return its error",
    )
    .at(place(stray))
}
