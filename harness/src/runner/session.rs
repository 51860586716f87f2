//! One process of a gate binary: its world, its run directory, and each gate evaluated at most once.

mod base;
mod evaluation;
mod files;
mod opening;
mod recorder;
mod redacted;
mod shared;
mod slots;

pub use base::{Base, texts};
pub use evaluation::Underway;
pub use opening::{Opening, Package, find_root};

use super::{
    panics, recording,
    registry::Registry,
    roster::Roster,
    spans::{SPANS_VARIABLE, Spans},
    teeth::Teeth,
};
use crate::{
    evidence::{
        clock::{self, Stopwatch},
        context::{Gates, World},
        environment::Environment,
        git::Git,
        store::{Durability, Ownership, RunDir, Store},
        target_dir,
        tree::Tree,
    },
    kernel::{
        census::Census,
        decide::Decision,
        receipt::Receipt,
        waiver::{self, WaiverFile},
    },
    wire::{
        artifact,
        code::{RECEIPT_INVALID, STRAY_PANIC},
        fault::{Fault, Location},
        id::{GateId, RunId},
        ordered::VecSet,
        outcome::{Lane, Mode},
        receipt::{Envelope, Source, Tool},
    },
};
use once_cell::sync::OnceCell;
use recorder::ViewWriters;
use slots::Slots;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// A decision over every gate, and the faults of the run that it knew of.
pub type Whole = (Vec<Fault>, Arc<Decision>);

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
    planned: OnceCell<Option<VecSet<GateId>>>,
    base: OnceCell<(Base, Vec<Fault>)>,
    dirty: OnceCell<bool>,
    slots: Arc<Slots<Receipt>>,
    teeth: Teeth,
    view_writers: ViewWriters,
    evaluating: Mutex<()>,
    whole: Mutex<Option<Whole>>,
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
        let slots = Arc::new(Slots::new(roster.gates.len()));
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
            evaluating: Mutex::default(),
            whole: Mutex::default(),
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
        let ids: VecSet<&GateId> = ids.collect();
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
    pub fn waiver_gates(&self) -> VecSet<GateId> {
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
    pub fn plan(&self, selected: Option<VecSet<GateId>>) {
        // A plan is stated once; a second statement would be about a run that has begun.
        drop(self.planned.set(selected));
    }

    /// What is about to be evaluated; all where nobody stated it, or where other processes take part.
    #[must_use]
    pub fn planned(&self) -> Option<VecSet<GateId>> {
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

    /// Held by whoever evaluates many gates, so that the next one finds them evaluated.
    pub fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.evaluating.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The decision over every gate, if it was made.
    pub fn kept_whole(&self) -> MutexGuard<'_, Option<Whole>> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The receipt of a gate, if it was evaluated.
    #[must_use]
    pub fn existing_receipt(&self, n: usize) -> Option<&Receipt> {
        self.slots.get(n)
    }

    /// The receipts of gates that were evaluated so far.
    pub fn receipts(&self) -> impl Iterator<Item = (usize, &Receipt)> {
        self.slots.all()
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

/// Renders a document whose keys are in order already, with the one fault that can happen.
///
/// # Errors
/// Never for documents of ours; a map with keys that are not text would be refused.
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
        return WaiverFile::parse(CLASSIFICATION_FILE, text, &VecSet::new(), &VecSet::new());
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
