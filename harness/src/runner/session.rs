//! One process of a gate binary: its world, its run directory, and each gate evaluated at most once.

mod base;
mod files;
mod opening;
mod recorder;
mod redacted;
mod shared;

pub use base::{Base, texts};
pub use opening::{Opening, Package, find_root};

use super::{
    attempt::{self, Looked},
    events::EventLog,
    panics, recording,
    registry::Registry,
    roster::{Body, Gate, Roster},
    spans::{self, SPANS_VARIABLE, Spans},
    teeth::Teeth,
};
use crate::{
    evidence::{
        clock::{self, Stopwatch},
        context::{ArtifactSink, Gates, Trace, World},
        environment::Environment,
        git::Git,
        store::{AttemptDir, Durability, Ownership, RunDir, Store},
        target_dir,
        tree::Tree,
    },
    kernel::{
        census::Census,
        receipt::Receipt,
        waiver::{self, WaiverFile},
    },
    wire::{
        artifact,
        code::{RECEIPT_INVALID, STRAY_PANIC},
        fault::{Fault, Location},
        id::{Digest, GateId, RunId},
        outcome::{Lane, Mode, SkipReason},
        receipt::{Envelope, STARTED_SCHEMA, Source, Started, Tool, VERDICT_SCHEMA, Verdict},
    },
};
use once_cell::sync::OnceCell;
use recorder::{Published, Recorder, ViewWriters};
use std::{collections::BTreeSet, sync::Arc};

/// The policy file.
pub const POLICY_FILE: &str = "portcullis.toml";
/// The census file.
pub const CENSUS_FILE: &str = "portcullis.lock";
/// The file of suites, waivers and quarantine.
pub const CLASSIFICATION_FILE: &str = "suite_classification.toml";
/// No policy file may be larger (`security.md`, section 4).
pub const POLICY_MAX_BYTES: u64 = 1024 * 1024;
/// No census may be larger: a row has about 150 bytes, and ten thousand gates in one process are a goal.
pub const CENSUS_MAX_BYTES: u64 = 4 * 1024 * 1024;
const RUN_ID_VARIABLE: &str = "PORTCULLIS_RUN_ID";
const NEXTEST_RUN_ID_VARIABLE: &str = "NEXTEST_RUN_ID";
/// Schema of `run.json`.
pub const RUN_SCHEMA: &str = "portcullis.run.v1";
/// The variable by which the runner of this program says that it started a process for one gate, and how often.
pub const ATTEMPT_VARIABLE: &str = "PORTCULLIS_ATTEMPT";
/// The variable that asks for a promotion mode.
pub const MODE_VARIABLE: &str = "CI_GATE_PROMOTION_MODE";

/// Which attempt of a gate is made.
#[derive(Clone, Copy)]
enum Claim {
    /// The next one that is free.
    Next,
    /// The first one, unless somebody has it.
    First,
}

/// An attempt that began.
struct Begun {
    dir: AttemptDir,
    started: Started,
    started_digest: Digest,
    events: EventLog,
}

/// One process of a gate binary.
pub struct Session {
    /// What every gate shares.
    pub world: Arc<World>,
    /// Every gate.
    pub roster: Roster,
    /// The waivers.
    pub waivers: WaiverFile,
    /// The text of the policy.
    pub policy_text: String,
    /// The text of the file of waivers; empty where there is none.
    pub classification: String,
    /// The gate binary.
    pub binary: String,
    /// The promotion mode that the environment asks for.
    pub requested_mode: Option<String>,
    census_text: Result<String, Fault>,
    census: OnceCell<(Census, Vec<Fault>)>,
    run: OnceCell<Arc<RunDir>>,
    planned: OnceCell<Option<BTreeSet<GateId>>>,
    base: OnceCell<(Base, Vec<Fault>)>,
    dirty: OnceCell<bool>,
    slots: Vec<OnceCell<Receipt>>,
    teeth: Teeth,
    view_writers: ViewWriters,
    /// When census and receipts were written.
    pub spans: Spans,
    stopwatch: Stopwatch,
    owned: bool,
}

impl Session {
    /// Reads everything a run depends on: see [`Opening`].
    ///
    /// # Errors
    /// Every fault of the configuration, before anything runs.
    pub fn open(
        package: Package<'_>,
        binary: &str,
        registry: &Registry,
    ) -> Result<Self, Vec<Fault>> {
        Opening::read(package)?.session(binary, registry)
    }

    fn assemble(
        tree: Tree,
        environment: Environment,
        roster: Roster,
        binary: &str,
        (policy_text, stopwatch): (String, Stopwatch),
    ) -> Result<Self, Fault> {
        let lane = environment.lane()?;
        let exe = target_dir::current_exe();
        let target_dir =
            target_dir::find(tree.root(), exe.as_deref(), environment.get("CARGO_TARGET_DIR"));
        let git = Git::new(tree.root(), Some(&target_dir.join("portcullis/cache")))
            .with_environment(environment.clone());
        let head = git.head()?;
        let allow_past = environment.get("PORTCULLIS_ALLOW_PAST") == Some("1");
        let clock = clock::resolve(
            clock::system_now()?,
            head.as_ref().map(|head| head.committed_at),
            environment.get("PORTCULLIS_NOW"),
            allow_past,
        )?;
        let (run_id, owned) = run_id(&environment, &clock.now)?;
        let source = Source {
            commit: head.as_ref().map(|head| head.commit.clone()),
            tree: head.as_ref().map(|head| head.tree.clone()),
            dirty: None,
            base: None,
        };
        let census_text = files::read_census(&tree)?;
        let classification = files::read_classification(&tree)?;
        let waivers = waivers(&roster, &classification);
        let gates = Arc::clone(&roster.gates);
        let requested_mode = environment.get(MODE_VARIABLE).map(str::to_owned);
        let spans = Spans::new(environment.get(SPANS_VARIABLE) == Some("1"), stopwatch);
        let world = Arc::new(World {
            git,
            clock,
            lane,
            run_id,
            source,
            policy: Arc::clone(&roster.policy),
            gates: Gates::later(move || gates.iter().map(|gate| gate.table().clone()).collect()),
            target_dir,
            environment,
            tree,
        });
        let slots = roster.gates.iter().map(|_| OnceCell::new()).collect();
        Ok(Self {
            world,
            roster,
            waivers,
            policy_text,
            classification,
            binary: binary.to_owned(),
            requested_mode,
            census_text,
            census: OnceCell::new(),
            run: OnceCell::new(),
            planned: OnceCell::new(),
            base: OnceCell::new(),
            dirty: OnceCell::new(),
            slots,
            teeth: Teeth::default(),
            view_writers: ViewWriters::default(),
            spans,
            stopwatch,
            owned,
        })
    }

    /// The header of a document written now.
    #[must_use]
    pub fn envelope(&self, schema: &str, mode: Mode) -> Envelope {
        let mut source = self.world.source.clone();
        source.dirty = self.dirty.get().copied();
        source.base = self.base.get().and_then(|(base, _)| base.commit.clone());
        let elapsed_ms = i64::try_from(self.stopwatch.elapsed_ms()).unwrap_or(i64::MAX);
        let now = self.world.clock.now;
        let written =
            crate::wire::time::Instant::from_unix_ms(now.unix_ms().saturating_add(elapsed_ms));
        Envelope {
            schema: schema.to_owned(),
            run_id: self.world.run_id.clone(),
            generated_at: written.unwrap_or(now),
            source,
            tool: Tool::this(),
            mode,
            clock: self.world.clock.clone(),
        }
    }

    /// Whether the work tree differs from `HEAD`. Outside git nothing is known, which counts as dirty.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn is_dirty(&self) -> Result<bool, Fault> {
        if self.world.source.commit.is_none() {
            return Ok(true);
        }
        self.dirty
            .get_or_try_init(|| {
                Ok(self.world.git.is_dirty()? || !self.world.git.hidden_edits()?.is_empty())
            })
            .copied()
    }

    /// What the base tree says. Read once, and only when a decision needs it.
    pub fn base(&self) -> &(Base, Vec<Fault>) {
        self.base.get_or_init(|| match base::read(self) {
            Ok(base) => (base, Vec::new()),
            Err(fault) => (Base { touched: true, ..Base::default() }, vec![fault]),
        })
    }

    /// The roster as it was committed; empty where it cannot be used.
    #[must_use]
    pub fn census(&self) -> &Census {
        &self.parsed_census().0
    }

    /// Why the census cannot be used, if so.
    #[must_use]
    pub fn census_faults(&self) -> &[Fault] {
        &self.parsed_census().1
    }

    fn parsed_census(&self) -> &(Census, Vec<Fault>) {
        let parse = || {
            let parsed = self.census_text.as_ref().map_err(Clone::clone);
            match parsed.and_then(|text| Census::parse(text)) {
                Ok(census) => (census, Vec::new()),
                Err(fault) => (Census::default(), vec![fault]),
            }
        };
        self.census.get_or_init(|| self.spans.around("census", parse))
    }

    /// The rows of these gates, for those that answer for nobody else.
    ///
    /// A run that needs no other row reads no other one; whatever is wrong with the whole is said with the whole.
    pub fn census_rows<'a>(&self, ids: impl Iterator<Item = &'a GateId>) -> (Census, Vec<Fault>) {
        let ids: BTreeSet<&GateId> = ids.collect();
        if self.census.get().is_none()
            && self.leaves_only_receipts()
            && let Ok(text) = &self.census_text
            && let Some(rows) = Census::rows_of(text, ids.iter().map(|id| id.as_str()))
        {
            return (Census { rows }, Vec::new());
        }
        let rows = ids.iter().filter_map(|id| self.census().row(id)).cloned().collect();
        (Census { rows }, self.census_faults().to_vec())
    }

    /// The gates that guard the waivers themselves; no waiver applies to them.
    #[must_use]
    pub fn waiver_gates(&self) -> BTreeSet<GateId> {
        waiver::guards(self.roster.tables())
    }

    /// The run directory, made on first use.
    ///
    /// # Errors
    /// `receipt_unwritable` when the target directory refuses.
    pub fn run_dir(&self) -> Result<&Arc<RunDir>, Fault> {
        self.run.get_or_try_init(|| {
            let store = Store::open(&self.world.target_dir)?;
            let ownership = if self.owned { Ownership::Owned } else { Ownership::Joined };
            let running = self.envelope(RUN_SCHEMA, self.mode().0);
            if self.leaves_only_receipts() {
                let run =
                    store.create_filtered_run(&self.world.run_id, self.durability(), &running)?;
                return Ok(Arc::new(run));
            }
            let run =
                store.create_run(&self.world.run_id, ownership, self.durability(), &running)?;
            let census = || run.write_file("expected.json", self.census().document().as_bytes());
            self.spans.around("census", census)?;
            run.write_file("inputs.json", recording::inputs(self)?.as_bytes())?;
            Ok(Arc::new(run))
        })
    }

    /// States what is about to be evaluated, all when absent, before the first gate runs.
    pub fn plan(&self, selected: Option<BTreeSet<GateId>>) {
        // A plan is stated once; a second statement would be about a run that has begun.
        drop(self.planned.set(selected));
    }

    /// What is about to be evaluated; all where nobody stated it, or where other processes take part.
    #[must_use]
    pub fn planned(&self) -> Option<BTreeSet<GateId>> {
        if self.owned { self.planned.get().cloned().flatten() } else { None }
    }

    /// Whether this run looks at some gates only, in the lane in which people do that all day.
    ///
    /// It can never certify, so it leaves what it saw and nothing that would let others decide again: a seal over a
    /// run that proves one gate costs more than the gate.
    #[must_use]
    pub fn leaves_only_receipts(&self) -> bool {
        let filtered = self.planned.get().is_some_and(Option::is_some);
        match self.world.lane {
            Lane::Local => self.owned && filtered,
            Lane::Pr | Lane::Main | Lane::Release => false,
        }
    }

    /// The run directory, if anything was written.
    #[must_use]
    pub fn existing_run_dir(&self) -> Option<&Arc<RunDir>> {
        self.run.get()
    }

    /// Whether this process made the run, and so seals it.
    #[must_use]
    pub fn owns_run(&self) -> bool {
        self.owned
    }

    /// The promotion mode in force, and why it is not the one that was asked for.
    #[must_use]
    pub fn mode(&self) -> (Mode, Vec<Fault>) {
        crate::kernel::promotion::resolve(
            &self.roster.policy.promotion,
            self.requested_mode.as_deref(),
            self.world.clock.now,
        )
    }

    // A lost machine may lose a local run; it must not lose the evidence of a release.
    fn durability(&self) -> Durability {
        match self.world.lane {
            Lane::Local => Durability::Cached,
            Lane::Pr | Lane::Main | Lane::Release => Durability::Synced,
        }
    }

    /// Evaluates a gate and what it needs, each once per process, and returns its receipt.
    pub fn receipt(&self, n: usize) -> &Receipt {
        self.slots[n].get_or_init(|| {
            let gate = &self.roster.gates[n];
            for need in gate.needs() {
                if let Some(m) = self.roster.position(need.as_str()) {
                    self.need(m);
                }
            }
            self.attempt(gate)
        })
    }

    /// Evaluates what another gate needs. Where a runner starts a process for each gate, the first one that needs it
    /// looks, and the others read what it saw: a gate that many need would otherwise be evaluated by each of them.
    fn need(&self, n: usize) {
        let gate = &self.roster.gates[n];
        if !self.is_one_of_many() {
            self.receipt(n);
            return;
        }
        self.slots[n].get_or_init(|| {
            for need in gate.needs() {
                if let Some(m) = self.roster.position(need.as_str()) {
                    self.need(m);
                }
            }
            let watch = Stopwatch::start();
            match self.spans.around("receipt", || self.begin(gate, Claim::First)) {
                Ok(Some(begun)) => self.carry_out(gate, begun, &watch),
                Ok(None) => shared::receipt(self, gate).unwrap_or_else(|| self.attempt(gate)),
                Err(fault) => self.unrecorded(gate, &fault, watch.elapsed_ms()),
            }
        });
    }

    /// Whether a runner starts a process for each gate of one run: nextest says so, and so does ours.
    fn is_one_of_many(&self) -> bool {
        let environment = &self.world.environment;
        let said = |name: &&str| environment.get(name).is_some();
        !self.owned && ["NEXTEST_ATTEMPT", ATTEMPT_VARIABLE].iter().any(said)
    }

    /// The receipt of a gate, if it was evaluated.
    #[must_use]
    pub fn existing_receipt(&self, n: usize) -> Option<&Receipt> {
        self.slots.get(n).and_then(OnceCell::get)
    }

    /// The receipts of gates that were evaluated so far.
    pub fn receipts(&self) -> impl Iterator<Item = (usize, &Receipt)> {
        self.slots.iter().enumerate().filter_map(|(n, slot)| slot.get().map(|receipt| (n, receipt)))
    }

    fn attempt(&self, gate: &Gate) -> Receipt {
        let watch = Stopwatch::start();
        match self.spans.around("receipt", || self.begin(gate, Claim::Next)) {
            Ok(Some(begun)) => self.carry_out(gate, begun, &watch),
            Ok(None) => {
                let fault = Fault::new(RECEIPT_INVALID, "no attempt is free", "start a new run");
                self.unrecorded(gate, &fault, watch.elapsed_ms())
            }
            Err(fault) => self.unrecorded(gate, &fault, watch.elapsed_ms()),
        }
    }

    fn carry_out(&self, gate: &Gate, begun: Begun, watch: &Stopwatch) -> Receipt {
        let Begun { dir, started, started_digest, mut events } = begun;
        let recorder = Arc::new(Recorder {
            dir,
            run: self.run.get().cloned(),
            published: self.published(gate),
            gate: gate.id().clone(),
            writers: Arc::clone(&self.view_writers),
            world: Arc::clone(&self.world),
        });
        let (looked, trace) = self.look(gate, Arc::<Recorder>::clone(&recorder));
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

    fn begin(&self, gate: &Gate, claim: Claim) -> Result<Option<Begun>, Fault> {
        let mut written: Option<Started> = None;
        let make_started = |attempt| {
            let started = self.started(gate, attempt);
            let text = artifact_text(&started)?;
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
        Ok(Some(Begun { dir, started, started_digest, events }))
    }

    /// The runner's own id of this run.
    fn runner_run_id(&self) -> Option<&str> {
        self.world.environment.get(NEXTEST_RUN_ID_VARIABLE).filter(|id| !id.is_empty())
    }

    fn started(&self, gate: &Gate, attempt: u32) -> Started {
        let runner_attempt = self
            .world
            .environment
            .get("NEXTEST_ATTEMPT")
            .or_else(|| self.world.environment.get(ATTEMPT_VARIABLE))
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

    fn look(&self, gate: &Gate, sink: Arc<dyn ArtifactSink>) -> (Looked, Arc<Trace>) {
        let trace = Arc::new(Trace::default());
        if gate.attributes().iter().any(|attribute| attribute.starts_with("ignore")) {
            return (Looked::skipped(SkipReason::Ignored, "the gate carries `#[ignore]`"), trace);
        }
        if let Body::Kind(kind) = gate.body
            && let Some(fault) = self.teeth.prove(kind)
        {
            return (Looked::error(&fault), trace);
        }
        let looked = match gate.prepared() {
            Ok(prepared) => {
                attempt::look(&self.world, &Arc::new(gate.table().clone()), prepared, &sink, &trace)
            }
            // A run refuses its configuration at the start; this is the way of a filtered run.
            Err(faults) => match faults.first() {
                Some(fault) => Looked::error(fault),
                None => Looked::error(&Fault::new(
                    RECEIPT_INVALID,
                    "refused without a reason",
                    "report this as a bug",
                )),
            },
        };
        (looked, trace)
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

    /// What is wrong with the commit that a whole run would be read for. Where no forge enforces it, an edit that git does
    /// not show only keeps a run from certifying.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn subject_faults(&self) -> Result<Vec<Fault>, Fault> {
        let commit = self.world.source.commit.as_deref();
        let mut faults: Vec<Fault> =
            self.world.environment.other_subject(commit).into_iter().collect();
        if commit.is_some() && self.world.lane != Lane::Local {
            faults.extend(self.world.git.undisclosed()?);
        }
        Ok(faults)
    }

    /// Faults that concern the run and no single gate.
    #[must_use]
    pub fn run_faults(&self) -> Vec<Fault> {
        let stray = panics::unclaimed().into_iter().map(|panicked| {
            Fault::new(
                STRAY_PANIC,
                format!(
                    "thread `{}` panicked after its gate had ended: {}",
                    panicked.thread, panicked.message
                ),
                "join every thread that a check starts",
            )
            .at(Location::at(panicked.file, panicked.line, panicked.column))
        });
        stray.chain(self.base().1.iter().cloned()).collect()
    }
}

fn finish(dir: &AttemptDir, events: &mut EventLog, verdict: &Verdict) -> Result<(), Fault> {
    for line in events.finished(verdict)? {
        dir.append_event(&line)?;
    }
    dir.write_verdict(&artifact_text(verdict)?)
}

/// Renders a document, with the one fault that can happen.
///
/// # Errors
/// Never for documents of ours; a map with keys that are not text would be refused.
pub fn artifact_text(value: &impl serde::Serialize) -> Result<String, Fault> {
    artifact::document(value).map_err(|source| json(&source))
}

/// Renders a view, whose keys are in order already.
///
/// # Errors
/// As [`artifact_text`].
pub fn view_text(view: &impl artifact::Sorted) -> Result<String, Fault> {
    artifact::of_sorted(view).map_err(|source| json(&source))
}

fn json(source: &serde_json::Error) -> Fault {
    Fault::new(RECEIPT_INVALID, "a document could not be rendered", "report this as a bug")
        .because(source)
}

/// Reads the waivers. Without a file there is nothing to hold against the gates that exist.
fn waivers(roster: &Roster, text: &str) -> WaiverFile {
    if text.is_empty() {
        return WaiverFile::parse(CLASSIFICATION_FILE, text, &BTreeSet::new(), &BTreeSet::new());
    }
    let ids = roster.gates.iter().map(|gate| gate.id().clone()).collect();
    WaiverFile::parse(CLASSIFICATION_FILE, text, &ids, &waiver::guards(roster.tables()))
}

/// The run id, and whether this process made it up and so owns the run.
fn run_id(
    environment: &Environment,
    now: &crate::wire::time::Instant,
) -> Result<(RunId, bool), Fault> {
    for variable in [RUN_ID_VARIABLE, NEXTEST_RUN_ID_VARIABLE] {
        if let Some(text) = environment.get(variable).filter(|text| !text.is_empty()) {
            let id = RunId::parse(text).map_err(|source| {
                Fault::new(
                    crate::wire::code::CONFIG_INVALID,
                    format!("{variable}: {source}"),
                    "set another run id",
                )
            })?;
            return Ok((id, false));
        }
    }
    let text = format!("{}-{:x}", now.to_string().replace(':', "."), std::process::id());
    let id = RunId::parse(&text).map_err(|source| {
        Fault::new(RECEIPT_INVALID, source.to_string(), "report this as a bug")
    })?;
    Ok((id, true))
}
