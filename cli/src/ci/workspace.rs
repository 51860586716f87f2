//! A small repository on disk, and the gates of a policy run over it in this process. Leaves out what is expected of them.

use portcullis::{
    Digest, Fault, GateTable, Lane, Location, Outcome, RelPath, RunId,
    evidence::{
        clock,
        context::{ArtifactSink, Gates, Trace, World},
        environment::Environment,
        git::Git,
        process::{self, Request},
        tool,
        tree::Tree,
    },
    kernel::policy::{self, Policy},
    runner::{attempt, registry::Registry},
    wire::{
        code::{CONFIG_INVALID, GIT_FAILED, INPUT_UNREADABLE, TOOL_MISSING},
        receipt::{Clock, ClockSource, Evidence, Source},
    },
};
use std::{collections::BTreeMap, io::Write as _, path::PathBuf, sync::Arc, time::Duration};

/// What one gate said.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) kind: String,
    pub(crate) outcome: Outcome,
    /// The codes of its findings and of its error, with the first words of each.
    pub(crate) codes: Vec<(String, String)>,
}

/// A repository in a temporary folder.
pub(crate) struct Workspace {
    root: PathBuf,
    git: String,
    search_path: Option<std::ffi::OsString>,
    _folder: tempfile::TempDir,
}

impl Workspace {
    /// Writes the files into a fresh repository; nothing is committed yet.
    ///
    /// # Errors
    /// When there is no git, or the disk refuses.
    pub(crate) fn new(files: &BTreeMap<RelPath, String>) -> Result<Self, Fault> {
        let folder = tempfile::Builder::new()
            .prefix("portcullis-mutate-")
            .tempdir()
            .map_err(|source| unwritable(&source))?;
        let root = folder.path().canonicalize().map_err(|source| unwritable(&source))?;
        let host = Environment::capture(&[]);
        let found = tool::find("git", host.search_path(), &root)?;
        let git = found.and_then(|path| path.to_str().map(str::to_owned)).ok_or_else(|| {
            Fault::new(TOOL_MISSING, "`git` is not on the search path", "install git")
        })?;
        let search_path = host.search_path().map(std::ffi::OsStr::to_owned);
        let workspace = Self { root, git, search_path, _folder: folder };
        for (path, text) in files {
            workspace.write(path, text)?;
        }
        workspace.git(&["init", "--quiet", "--initial-branch", "main"])?;
        Ok(workspace)
    }

    /// Writes one file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn write(&self, path: &RelPath, text: &str) -> Result<(), Fault> {
        let target = self.root.join(path.as_str());
        let write = || {
            if let Some(folder) = target.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(true);
            options.open(&target)?.write_all(text.as_bytes())
        };
        write().map_err(|source| unwritable(&source))
    }

    /// Commits everything on the current branch and returns the commit.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn commit(&self) -> Result<String, Fault> {
        self.git(&["add", "--all", "--force"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "corpus"])?;
        Ok(self.git(&["rev-parse", "HEAD"])?.trim().to_owned())
    }

    /// Starts the branch of heads at the current commit.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn branch(&self) -> Result<(), Fault> {
        self.git(&["checkout", "--quiet", "-b", "head"]).map(drop)
    }

    /// Goes back to a commit, whatever was written since.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn reset(&self, commit: &str) -> Result<(), Fault> {
        self.git(&["reset", "--quiet", "--hard", commit])?;
        self.git(&["clean", "--quiet", "-d", "--force", "-x"]).map(drop)
    }

    fn git(&self, words: &[&str]) -> Result<String, Fault> {
        let settings = [
            "-c",
            "user.name=corpus",
            "-c",
            "user.email=corpus@example.invalid",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.autocrlf=false",
        ];
        let none: [&str; 0] = [];
        let mut env = self.environment(&[]).child_env(&none)?;
        env.insert("GIT_CONFIG_GLOBAL".to_owned(), String::new());
        env.insert("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned());
        let argv = std::iter::once(self.git.as_str()).chain(settings).chain(words.iter().copied());
        let request = Request {
            argv: argv.map(str::to_owned).collect(),
            cwd: self.root.clone(),
            env,
            timeout: Duration::from_secs(120),
            capture_bytes: 64 * 1024,
        };
        let finished = process::run(&request)?;
        if !finished.is_success() {
            let headline = format!("`git {}` failed", words.join(" "));
            return Err(
                Fault::new(GIT_FAILED, headline, "see what git says").found(finished.stderr.text())
            );
        }
        Ok(finished.stdout.text().clone())
    }

    /// The search path and what is given; nothing else of this machine, so that no verdict depends on it.
    fn environment(&self, more: &[(&str, &str)]) -> Environment {
        let path = self.search_path.iter().map(|path| ("PATH".to_owned(), path.clone()));
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
        Environment::from_pairs_allowing(path.chain(more), &[])
    }

    /// Runs every gate whose kind is linked, in lane `pr`, and returns what each said.
    ///
    /// # Errors
    /// When the tree cannot be opened. What a gate cannot do is its own answer.
    pub(crate) fn judge(
        &self,
        policy: &Arc<Policy>,
        registry: &Registry,
        env: &[(&str, &str)],
    ) -> Result<Vec<Said>, Fault> {
        let tables: Vec<GateTable> = policy.gates.clone();
        let all = tables.clone();
        let run_id = RunId::parse("corpus").map_err(|source| {
            Fault::new(CONFIG_INVALID, source.to_string(), "report this as a bug")
        })?;
        let now = clock::system_now()?;
        let world = Arc::new(World {
            tree: Tree::new(&self.root)?,
            git: Git::new(&self.root, None),
            clock: Clock { now, source: ClockSource::System, past_allowed: false },
            environment: self.environment(env),
            lane: Lane::Pr,
            run_id,
            source: Source::default(),
            policy: Arc::clone(policy),
            gates: Gates::later(move || all),
            target_dir: self.root.join("target"),
        });
        let mut said = Vec::new();
        for table in tables {
            let kind = table.kind_name().to_owned();
            let Ok(declared) = registry.kind(&kind, &Location::file("portcullis.toml")) else {
                continue;
            };
            let prepared = match (declared.prepare)(&table) {
                Ok(prepared) => prepared,
                Err(faults) => {
                    let codes = faults.iter().map(|f| (f.code().name().to_owned(), f.to_string()));
                    said.push(Said { kind, outcome: Outcome::Error, codes: codes.collect() });
                    continue;
                }
            };
            let sink: Arc<dyn ArtifactSink> = Arc::new(Nowhere);
            let trace = Arc::new(Trace::default());
            let looked = attempt::look(&world, &Arc::new(table), &prepared, &sink, &trace);
            let findings = looked.findings.iter().map(|one| {
                let place = one.location.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
                (one.code.clone(), format!("{}{place}", one.message))
            });
            let error = looked.error.iter().map(|one| (one.code.clone(), one.message.clone()));
            let codes = findings.chain(error).collect();
            said.push(Said { kind, outcome: looked.outcome, codes });
        }
        Ok(said)
    }
}

/// Reads the policy of a corpus.
///
/// # Errors
/// The first fault of its text.
pub(crate) fn read_policy(text: &str) -> Result<Arc<Policy>, Vec<Fault>> {
    // A corpus states gates alone; whose policy it is does not matter to them.
    let whole = if text.contains("[policy]") {
        text.to_owned()
    } else {
        format!("{text}\n[policy]\nversion = 1\nowner = \"corpus\"\n")
    };
    policy::parse("portcullis.toml", &whole).map(Arc::new)
}

fn unwritable(source: &std::io::Error) -> Fault {
    let remedy = "check the temporary folder";
    Fault::new(INPUT_UNREADABLE, "the tree of the corpus could not be written", remedy)
        .because(source)
}

/// Where the artifacts of gates go that nobody reads.
struct Nowhere;

impl ArtifactSink for Nowhere {
    fn write(&self, name: &RelPath, bytes: &[u8]) -> Result<Evidence, Fault> {
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
