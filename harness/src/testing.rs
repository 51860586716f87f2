//! For authors of gates and kinds: small trees, a fixed clock, one call. It writes no receipts.

use crate::{
    declare::{Check, KindDecl, Prepared, Tooth},
    evidence::{
        context::{ArtifactSink, Gates, Trace, World},
        environment::Environment,
        git::Git,
        process::{self, Request},
        tree::Tree,
    },
    kernel::policy::{self, GateTable},
    runner::attempt::{self, Looked},
    wire::{
        code::{CONFIG_INVALID, GIT_FAILED, INPUT_UNREADABLE, TOOL_MISSING},
        fault::Fault,
        id::{Digest, GateId, RunId},
        ordered::VecMap,
        outcome::{Lane, Outcome},
        path::RelPath,
        receipt::{Clock, ClockSource, ErrorRecord, Evidence, Skip, Source},
        time::Instant,
    },
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What a check was seen to do.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The raw outcome.
    pub outcome: Outcome,
    /// The code of the error, else of the first finding.
    pub code: Option<String>,
    /// The codes of all findings, in order.
    pub codes: Vec<String>,
    /// The messages of all findings, in order; of the error, where there is one.
    pub messages: Vec<String>,
    /// How many things were looked at.
    pub examined: u64,
    /// The rest of what the attempt left.
    pub looked: Looked,
    /// What was read.
    pub evidence: Vec<Evidence>,
    /// What was said.
    pub output: Vec<String>,
    /// The artifacts by name.
    pub artifacts: VecMap<String, Vec<u8>>,
}

impl Seen {
    /// The error, where there is one.
    #[must_use]
    pub fn error(&self) -> Option<&ErrorRecord> {
        self.looked.error.as_ref()
    }

    /// The skip, where there is one.
    #[must_use]
    pub fn skip(&self) -> Option<&Skip> {
        self.looked.skip.as_ref()
    }
}

/// Runs a kind over a small tree.
///
/// A configuration that is refused shows as outcome `error` with the code of its first fault.
#[must_use]
pub fn run(kind: &'static KindDecl, config: &str, files: &[(&str, &str)]) -> Seen {
    files
        .iter()
        .fold(Bench::new(kind, config), |bench, (path, text)| bench.file(path, text.as_bytes()))
        .run()
}

/// Runs every tooth of a kind and returns what is wrong, nothing when all bite.
#[must_use]
pub fn teeth(kind: &'static KindDecl) -> Vec<String> {
    crate::runner::teeth::faults(kind)
}

/// When the tree of a bench is committed: before every `now` that a bench uses.
const BENCH_COMMIT: &str = "2026-01-01T00:00:00Z";

enum Subject {
    Kind(&'static KindDecl, String),
    Rust(Check),
}

/// A small world for one run of a check.
pub struct Bench {
    subject: Subject,
    files: Vec<(String, Vec<u8>)>,
    folder: Option<PathBuf>,
    now: String,
    lane: Lane,
    git: bool,
    base: Option<Vec<(String, Vec<u8>)>>,
    committed: bool,
    env: Vec<(String, String)>,
    policy: String,
}

impl Bench {
    /// A kind with the body of its `[[gate]]` table.
    #[must_use]
    pub fn new(kind: &'static KindDecl, config: &str) -> Self {
        Self::of(Subject::Kind(kind, config.to_owned()))
    }

    /// A gate written in Rust.
    #[must_use]
    pub fn rust(check: Check) -> Self {
        Self::of(Subject::Rust(check))
    }

    fn of(subject: Subject) -> Self {
        Self {
            subject,
            files: Vec::new(),
            folder: None,
            now: "2026-05-31T12:00:00Z".to_owned(),
            lane: Lane::Main,
            git: false,
            base: None,
            committed: false,
            env: Vec::new(),
            policy: "[policy]\nversion = 1\nowner = \"bench\"\n".to_owned(),
        }
    }

    /// The bench of a tooth.
    #[must_use]
    pub fn tooth(kind: &'static KindDecl, tooth: &Tooth) -> Self {
        let bench = Self::new(kind, tooth.config).now(tooth.now).lane(tooth.lane);
        let bench = if tooth.git { bench.git() } else { bench };
        let bench = match tooth.base {
            Some(base) => base
                .iter()
                .fold(bench.over(), |bench, (path, text)| bench.base_file(path, text.as_bytes())),
            None => bench,
        };
        let bench = if tooth.committed { bench.committed() } else { bench };
        // A tree that has a policy is judged under it, so that ids can be resolved.
        let policy = tooth.files.iter().find(|(path, _text)| *path == "portcullis.toml");
        let bench = match policy {
            Some((_path, text)) => bench.policy(text),
            None => bench,
        };
        tooth.files.iter().fold(bench, |bench, (path, text)| bench.file(path, text.as_bytes()))
    }

    /// Adds a file to the tree.
    #[must_use]
    pub fn file(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.push((path.to_owned(), bytes.to_vec()));
        self
    }

    /// Uses this folder as the tree instead of a fresh one.
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_path_buf());
        self
    }

    /// Sets `now`, RFC 3339.
    #[must_use]
    pub fn now(mut self, now: &str) -> Self {
        now.clone_into(&mut self.now);
        self
    }

    /// Sets the lane.
    #[must_use]
    pub fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// Commits the tree to a fresh git repository first.
    #[must_use]
    pub fn git(mut self) -> Self {
        self.git = true;
        self
    }

    /// Commits the base files alone, none so far; the files of the tree are then a change that nobody committed.
    #[must_use]
    pub fn over(mut self) -> Self {
        self.git = true;
        self.base = Some(Vec::new());
        self
    }

    /// Adds a file to what is committed under the tree.
    #[must_use]
    pub fn base_file(mut self, path: &str, bytes: &[u8]) -> Self {
        self.git = true;
        self.base.get_or_insert_default().push((path.to_owned(), bytes.to_vec()));
        self
    }

    /// Commits the change over the base files as well.
    #[must_use]
    pub fn committed(mut self) -> Self {
        self.committed = true;
        self
    }

    /// Sets an environment variable; the gate sees it when the harness or the bench's policy lets it.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the text of `portcullis.toml`, for checks that resolve gate ids.
    #[must_use]
    pub fn policy(mut self, text: &str) -> Self {
        text.clone_into(&mut self.policy);
        self
    }

    /// Runs the check.
    #[must_use]
    pub fn run(self) -> Seen {
        let trace = Arc::new(Trace::default());
        let sink = Arc::new(Memory::default());
        let looked = match self.look(&trace, &sink) {
            Ok(looked) => looked,
            Err(fault) => Looked::error(&fault),
        };
        let codes: Vec<String> =
            looked.findings.iter().map(|finding| finding.code.clone()).collect();
        let error = looked.error.clone();
        let artifacts = sink.files.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Seen {
            outcome: looked.outcome,
            code: error.as_ref().map(|error| error.code.clone()).or_else(|| codes.first().cloned()),
            messages: match &error {
                Some(error) => vec![error.message.clone()],
                None => looked.findings.iter().map(|finding| finding.message.clone()).collect(),
            },
            codes,
            examined: looked.examined,
            looked,
            evidence: trace.evidence(),
            output: trace.output(),
            artifacts,
        }
    }

    /// The host's search path, so that tools are found, and what the bench sets; nothing else of the host.
    fn environment(&self, allow: &[String]) -> Environment {
        let host = Environment::capture(&[]);
        let path = host.search_path().map(|path| ("PATH".to_owned(), path.to_owned()));
        let set = self.env.iter().map(|(name, value)| (name.clone(), value.into()));
        Environment::from_pairs_allowing(path.into_iter().chain(set), allow)
    }

    fn look(&self, trace: &Arc<Trace>, sink: &Arc<Memory>) -> Result<Looked, Fault> {
        crate::runner::panics::install();
        let fresh = tempfile::Builder::new()
            .prefix("portcullis-bench-")
            .tempdir()
            .map_err(|source| io(&source))?;
        let root = self.folder.clone().unwrap_or_else(|| fresh.path().to_path_buf());
        let environment = self.environment(&[]);
        if let Some(base) = &self.base {
            write_all(&root, base)?;
            commit(&root, &environment)?;
            for (path, _bytes) in base {
                std::fs::remove_file(root.join(path)).map_err(|source| io(&source))?;
            }
        }
        write_all(&root, &self.files)?;
        let policy = policy::parse("portcullis.toml", &self.policy).map_err(first)?;
        let now = Instant::parse(&self.now).map_err(|source| {
            Fault::new(CONFIG_INVALID, source.to_string(), "write `2026-05-31T12:00:00Z`")
        })?;
        let git = Git::new(&root, None);
        let environment = self.environment(&policy.env_allow);
        if self.git && (self.base.is_none() || self.committed) {
            commit(&root, &environment)?;
        }
        let (table, prepared): (GateTable, Prepared) = match &self.subject {
            Subject::Kind(kind, config) => {
                let table = GateTable::from_toml("bench_gate", config)?;
                let prepared = (kind.prepare)(&table).map_err(first)?;
                (table, prepared)
            }
            Subject::Rust(check) => {
                let table = GateTable::from_toml("bench_gate", "")?;
                let check = *check;
                (table, Arc::new(check))
            }
        };
        let gates = policy.gates.clone();
        let run_id = RunId::parse("bench")
            .map_err(|source| Fault::new(CONFIG_INVALID, source.to_string(), "rename"))?;
        let world = Arc::new(World {
            tree: Tree::new(&root)?,
            git,
            clock: Clock { now, source: ClockSource::System, past_allowed: false },
            environment,
            lane: self.lane,
            run_id,
            source: Source::default(),
            policy: Arc::new(policy),
            gates: Gates::later(move || gates),
            target_dir: root.join("target"),
        });
        let sink: Arc<dyn ArtifactSink> = Arc::<Memory>::clone(sink);
        Ok(attempt::look(&world, &Arc::new(table), &prepared, &sink, trace))
    }
}

fn first(faults: Vec<Fault>) -> Fault {
    faults.into_iter().next().unwrap_or_else(|| {
        Fault::new(CONFIG_INVALID, "refused without a reason", "report this as a bug")
    })
}

fn io(source: &std::io::Error) -> Fault {
    Fault::new(
        INPUT_UNREADABLE,
        "the small tree of a bench could not be written",
        "check the temporary folder",
    )
    .because(source)
}

/// Commits everything below `root` to a fresh repository, at a fixed time by a fixed author.
fn commit(root: &Path, environment: &Environment) -> Result<(), Fault> {
    let tool = crate::evidence::tool::find("git", environment.search_path(), root)?;
    let git = tool.and_then(|path| path.to_str().map(str::to_owned)).ok_or_else(|| {
        Fault::new(TOOL_MISSING, "`git` is not on the search path", "install git")
    })?;
    let none: [&str; 0] = [];
    let mut env = environment.child_env(&none)?;
    for (name, value) in [
        ("GIT_AUTHOR_DATE", BENCH_COMMIT),
        ("GIT_COMMITTER_DATE", BENCH_COMMIT),
        ("GIT_CONFIG_GLOBAL", ""),
        ("GIT_CONFIG_NOSYSTEM", "1"),
    ] {
        env.insert(name.to_owned(), value.to_owned());
    }
    let identity = [
        "-c",
        "user.name=bench",
        "-c",
        "user.email=bench@example.invalid",
        "-c",
        "commit.gpgsign=false",
    ];
    let steps: [&[&str]; 3] = [
        &["init", "--quiet"],
        &["add", "--all", "--force"],
        &["commit", "--quiet", "--allow-empty", "--message", "bench"],
    ];
    for step in steps {
        let words = std::iter::once(git.as_str()).chain(identity).chain(step.iter().copied());
        let request = Request {
            argv: words.map(str::to_owned).collect(),
            cwd: root.to_path_buf(),
            env: env.clone(),
            timeout: Duration::from_secs(60),
            capture_bytes: 64 * 1024,
        };
        let finished = process::run(&request)?;
        if !finished.is_success() {
            return Err(Fault::new(
                GIT_FAILED,
                "the tree of a bench could not be committed",
                "see what git says",
            )
            .found(finished.stderr.text()));
        }
    }
    Ok(())
}

fn write_all(root: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Fault> {
    for (path, bytes) in files {
        let path = RelPath::parse(path).map_err(|source| {
            let remedy = "name the file by a plain relative path";
            Fault::new(CONFIG_INVALID, source.to_string(), remedy)
        })?;
        write(root, &path, bytes).map_err(|source| io(&source))?;
    }
    Ok(())
}

fn write(root: &Path, path: &RelPath, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let target = root.join(path.as_str());
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(target)?
        .write_all(bytes)
}

/// Artifacts in memory.
#[derive(Default)]
struct Memory {
    files: Mutex<VecMap<String, Vec<u8>>>,
}

impl ArtifactSink for Memory {
    fn write(&self, name: &RelPath, bytes: &[u8]) -> Result<Evidence, Fault> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(name.to_string(), bytes.to_vec());
        Ok(Evidence {
            path: name.to_string(),
            sha256: Some(Digest::of(bytes)),
            bytes: bytes.len() as u64,
        })
    }

    fn view(&self, name: &RelPath, bytes: &[u8]) -> Result<(), Fault> {
        self.write(name, bytes).map(drop)
    }
}

/// The gate id that a bench uses; fingerprints contain it.
#[must_use]
pub fn bench_gate() -> Option<GateId> {
    GateId::parse("bench_gate").ok()
}
