//! `GateContext`: the only way a gate touches the world. What it reads is recorded as evidence.
//!
//! It knows nothing of statuses or waivers: a check cannot see how it will be judged.

mod command;
mod digests;
mod file;
mod snapshot;
mod written;

pub use command::{Command, Tool};
pub use file::File;
pub use snapshot::{Change, Snapshot};
pub use written::Scratch;

use super::{environment::Environment, git::Git, glob::Globs, host::Host, tree::Tree};
use crate::{
    kernel::policy::{GateTable, Policy},
    wire::{
        code::{INPUT_UNREADABLE, PATH_REFUSED, RECEIPT_UNWRITABLE},
        fault::{Fault, Location},
        id::{Digest, RunId},
        outcome::Lane,
        path::RelPath,
        receipt::{Clock, Evidence, Source},
        time::{Day, Instant},
    },
};
use once_cell::sync::Lazy;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Why a gate could not look. The same shape as every other message.
pub type GateError = Fault;

/// What is the same for every gate of one process.
pub struct World {
    /// The repository.
    pub tree: Tree,
    /// git over the same folder.
    pub git: Git,
    /// The one clock reading.
    pub clock: Clock,
    /// The allow-listed environment.
    pub environment: Environment,
    /// Where the decision holds.
    pub lane: Lane,
    /// This run.
    pub run_id: RunId,
    /// What is gated.
    pub source: Source,
    /// The policy, for gates that resolve ids against it.
    pub policy: Arc<Policy>,
    /// Every gate of the policy, resolved: configured ones and those written in Rust.
    pub gates: Gates,
    /// cargo's target directory.
    pub target_dir: std::path::PathBuf,
}

/// Every gate of a process. Few checks ask for all of them, so they are put together for the first that does.
pub struct Gates(Lazy<Vec<GateTable>, Collect>);

type Collect = Box<dyn FnOnce() -> Vec<GateTable> + Send>;

impl Gates {
    /// The gates that `collect` returns, once somebody asks.
    pub fn later(collect: impl FnOnce() -> Vec<GateTable> + Send + 'static) -> Self {
        Self(Lazy::new(Box::new(collect)))
    }
}

/// Where the artifacts of an attempt go.
pub trait ArtifactSink: Send + Sync {
    /// Writes a file of the attempt.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write(&self, name: &RelPath, bytes: &[u8]) -> Result<Evidence, Fault>;
    /// Writes a view: a document under a fixed name that operators' scripts read.
    ///
    /// # Errors
    /// When it cannot be written.
    fn view(&self, name: &RelPath, bytes: &[u8]) -> Result<(), Fault>;
}

/// What an attempt has read, written and said so far.
#[derive(Default)]
pub struct Trace {
    evidence: Mutex<BTreeMap<String, Evidence>>,
    artifacts: Mutex<BTreeMap<String, Evidence>>,
    output: Mutex<Vec<String>>,
    faults: Mutex<Vec<Fault>>,
}

/// How many lines of output a receipt keeps.
const OUTPUT_LINES: usize = 2_000;

impl Trace {
    /// Records a file that was read; the first reading stands.
    pub fn read(&self, path: &str, sha256: Option<Digest>, bytes: u64) {
        lock(&self.evidence).entry(path.to_owned()).or_insert_with(|| Evidence {
            path: path.to_owned(),
            sha256,
            bytes,
        });
    }

    /// Records a line of output.
    pub fn say(&self, text: &str) {
        let mut output = lock(&self.output);
        for line in text.lines() {
            if output.len() < OUTPUT_LINES {
                output.push(line.to_owned());
            }
        }
    }

    /// Passes a result through and remembers its fault: a check that drops one is broken.
    ///
    /// # Errors
    /// The fault that was passed in.
    pub fn watch<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        if let Err(fault) = &result {
            lock(&self.faults).push(fault.clone());
        }
        result
    }

    /// What was read, by path.
    #[must_use]
    pub fn evidence(&self) -> Vec<Evidence> {
        lock(&self.evidence).values().cloned().collect()
    }

    /// What was written, by path.
    #[must_use]
    pub fn artifacts(&self) -> Vec<Evidence> {
        lock(&self.artifacts).values().cloned().collect()
    }

    /// What was said, in order.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        lock(&self.output).clone()
    }

    /// The first fault that was handed to the check.
    #[must_use]
    pub fn first_fault(&self) -> Option<Fault> {
        lock(&self.faults).first().cloned()
    }
}

/// A panicking check poisons its own locks; what it had recorded until then is still true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a check gets: files, documents, git, clock and environment, and nothing else.
pub struct GateContext<'a> {
    world: &'a World,
    gate: &'a GateTable,
    trace: &'a Trace,
    sink: &'a dyn ArtifactSink,
}

impl<'a> GateContext<'a> {
    /// The context of one attempt.
    #[must_use]
    pub fn new(
        world: &'a World,
        gate: &'a GateTable,
        trace: &'a Trace,
        sink: &'a dyn ArtifactSink,
    ) -> Self {
        Self { world, gate, trace, sink }
    }

    /// The gate's own policy table.
    #[must_use]
    pub fn gate(&self) -> &GateTable {
        self.gate
    }

    /// The whole policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.world.policy
    }

    /// Every gate, configured or written in Rust.
    #[must_use]
    pub fn gates(&self) -> &[GateTable] {
        &self.world.gates.0
    }

    /// The instant every decision of this run uses.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.world.clock.now
    }

    /// The UTC day of [`GateContext::now`].
    #[must_use]
    pub fn today(&self) -> Day {
        self.world.clock.now.day()
    }

    /// Where the decision holds.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.world.lane
    }

    /// This run.
    #[must_use]
    pub fn run_id(&self) -> &RunId {
        &self.world.run_id
    }

    /// What is gated.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.world.source
    }

    /// The repository root. For tools that need a directory; files are read through [`GateContext::file`].
    #[must_use]
    pub fn root(&self) -> &Path {
        self.world.tree.root()
    }

    /// cargo's target directory.
    #[must_use]
    pub fn target_dir(&self) -> &Path {
        &self.world.target_dir
    }

    /// An allow-listed environment variable.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<&str> {
        self.world.environment.get(name)
    }

    /// The revision that this run, a person or the provider names as the base of this change.
    #[must_use]
    pub fn named_base(&self) -> Option<String> {
        self.world.source.base.clone().or_else(|| self.world.environment.base())
    }

    /// Whether this is a CI machine, where nothing is excused for being absent.
    #[must_use]
    pub fn is_ci(&self) -> bool {
        self.world.environment.is_ci()
    }

    /// This machine, to be tried out.
    #[must_use]
    pub fn host(&self) -> Host<'a> {
        Host::new(&self.world.environment)
    }

    /// The files that match, sorted by path. A symbolic link that matches is an error, not a shorter list.
    ///
    /// # Errors
    /// When the tree cannot be walked within its limits.
    pub fn files(&self, globs: &Globs) -> Result<Vec<File<'a>>, GateError> {
        let paths = self.trace.watch(self.world.tree.walk(globs))?;
        Ok(paths.into_iter().map(|path| File::new(self.world, self.trace, path)).collect())
    }

    /// A file of the repository; nothing is opened yet.
    #[must_use]
    pub fn file(&self, path: &RelPath) -> File<'a> {
        File::new(self.world, self.trace, path.clone())
    }

    /// A file named by a text that may come from anywhere.
    ///
    /// # Errors
    /// `path_refused` when the text is not a path inside the repository.
    pub fn file_at(&self, path: &str) -> Result<File<'a>, GateError> {
        let parsed = RelPath::parse(path).map_err(|source| {
            Fault::new(
                PATH_REFUSED,
                source.to_string(),
                "name a file below the repository root, with `/`",
            )
        });
        self.trace.watch(parsed).map(|path| File::new(self.world, self.trace, path))
    }

    /// Whether a folder of this path exists.
    ///
    /// # Errors
    /// When the system does not say, or a part of the path is a link.
    pub fn is_folder(&self, path: &RelPath) -> Result<bool, GateError> {
        let kind = self.trace.watch(self.world.tree.kind(path))?;
        Ok(kind == Some(crate::evidence::tree::EntryKind::Dir))
    }

    /// Whether this run has a directory yet. A check that is tried out has none.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn has_run_folder(&self) -> Result<bool, GateError> {
        let run = self.world.target_dir.join("portcullis/runs").join(self.world.run_id.as_str());
        self.trace.watch(run.try_exists().map_err(|source| {
            let headline = "it is not known whether this run has a directory";
            Fault::new(INPUT_UNREADABLE, headline, "make the target directory readable")
                .because(&source)
        }))
    }

    /// A file of this run's own directory, such as a view that a needed gate wrote.
    ///
    /// # Errors
    /// When the run has no directory yet.
    pub fn run_file(&self, path: &RelPath) -> Result<File<'a>, GateError> {
        let run = self.world.target_dir.join("portcullis/runs").join(self.world.run_id.as_str());
        let tree = self.trace.watch(Tree::new(&run))?;
        Ok(File::elsewhere(self.world, self.trace, tree, path.clone()))
    }

    /// git, read-only.
    ///
    /// Faults of the returned port must be passed on; wrap them with [`GateContext::watch`].
    #[must_use]
    pub fn git(&self) -> &Git {
        &self.world.git
    }

    /// Passes a result through and remembers its fault, so that a check which drops it is found out.
    ///
    /// # Errors
    /// The fault that was passed in.
    pub fn watch<T>(&self, result: Result<T, Fault>) -> Result<T, GateError> {
        self.trace.watch(result)
    }

    /// Finds a tool on the search path.
    ///
    /// # Errors
    /// `tool_path_refused` when it would come from the work tree or a relative entry.
    pub fn tool(&self, name: &str) -> Result<Option<Tool>, GateError> {
        self.trace.watch(command::find(self.world, self.trace, name))
    }

    /// Finds a tool in folders below cargo's target directory, where lanes install tools, then on the search path.
    ///
    /// # Errors
    /// As [`GateContext::tool`], and when a link leads out of the target directory.
    pub fn tool_in(&self, folders: &[RelPath], name: &str) -> Result<Option<Tool>, GateError> {
        self.trace.watch(command::find_in(self.world, self.trace, folders, name))
    }

    /// The digest of a tool, so that a receipt says which program answered.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn tool_digest(&self, tool: &Tool) -> Result<Digest, GateError> {
        self.trace.watch(command::digest(tool))
    }

    /// A command whose first word is looked up on the search path; run it with [`Command::run`].
    #[must_use]
    pub fn command(&self, argv: &[String]) -> Command<'a> {
        Command::new(self.world, self.trace, argv)
    }

    /// Writes an artifact of this attempt.
    ///
    /// # Errors
    /// `receipt_unwritable` when the disk refuses.
    pub fn artifact(&self, name: &str, bytes: &[u8]) -> Result<(), GateError> {
        let name = self.artifact_name(name)?;
        let written = self.trace.watch(self.sink.write(&name, bytes))?;
        lock(&self.trace.artifacts).insert(written.path.clone(), written);
        Ok(())
    }

    /// Writes an artifact that is also a view with a fixed name, such as `practical_finish_checkpoint.json`.
    ///
    /// # Errors
    /// As [`GateContext::artifact`].
    pub fn view(&self, name: &str, bytes: &[u8]) -> Result<(), GateError> {
        self.artifact(name, bytes)?;
        let name = self.artifact_name(name)?;
        self.trace.watch(self.sink.view(&name, bytes))
    }

    fn artifact_name(&self, name: &str) -> Result<RelPath, GateError> {
        self.trace.watch(RelPath::parse(name).map_err(|source| {
            Fault::new(
                RECEIPT_UNWRITABLE,
                source.to_string(),
                "name the artifact by a plain relative path",
            )
        }))
    }

    /// Says something; it stands in the receipt and is shown when the gate fails.
    pub fn note(&self, text: impl AsRef<str>) {
        self.trace.say(text.as_ref());
    }

    /// The place in `portcullis.toml` of a `toml::Spanned` value of the configuration.
    #[must_use]
    pub fn locate(&self, offset: usize) -> Location {
        self.gate.locate(offset)
    }
}

/// A fault for content that is there and cannot be used, with its place.
#[must_use]
pub fn unreadable(path: &RelPath, why: impl Into<String>, remedy: impl Into<String>) -> GateError {
    Fault::new(INPUT_UNREADABLE, why, remedy).at(Location::file(path))
}
