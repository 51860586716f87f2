//! The repository around the working directory: its policy, its census and its clock. It writes nothing.

use crate::exit::{Exit, OrExit, Refused};
use anyhow::Context as _;
use portcullis::wire::ordered::VecSet;
use portcullis::{
    Fault, GateId, Instant, Lane, Location, RelPath,
    evidence::{clock, environment::Environment, git::Git, target_dir, tree::Tree},
    kernel::{
        census::Census,
        policy::{self, Policy},
    },
    runner::session::{
        CENSUS_FILE, CENSUS_MAX_BYTES, CLASSIFICATION_FILE, POLICY_FILE, POLICY_MAX_BYTES,
        find_root,
    },
    wire::{code::CENSUS_INVALID, receipt::Clock},
};
use std::path::{Path, PathBuf};

/// The repository around the working directory.
pub(crate) struct Repository {
    /// Its files.
    pub tree: Tree,
    /// The environment, by allow-list.
    pub environment: Environment,
}

impl Repository {
    /// Finds the nearest folder at or above the working directory that has a policy.
    pub(crate) fn discover() -> Result<Self, Refused> {
        let cwd = std::env::current_dir().context("the working directory cannot be read")?;
        let environment = Environment::capture(&[]);
        let root = find_root(&cwd).or_exit(Exit::Usage)?;
        let tree = Tree::new(&root).or_exit(Exit::Usage)?;
        Ok(Self { tree, environment })
    }

    /// Its root folder.
    pub(crate) fn root(&self) -> &Path {
        self.tree.root()
    }

    /// The policy; every fault of it ends the command.
    pub(crate) fn policy(&self) -> Result<Policy, Refused> {
        self.policy_and_text().map(|(policy, _text)| policy)
    }

    /// The policy and its text, which a run keeps.
    pub(crate) fn policy_and_text(&self) -> Result<(Policy, String), Refused> {
        let text = self.read(POLICY_FILE, POLICY_MAX_BYTES)?.unwrap_or_default();
        let policy = policy::parse(POLICY_FILE, &text).or_exit(Exit::Usage)?;
        Ok((policy, text))
    }

    /// The committed census, or why there is none.
    pub(crate) fn census(&self) -> Result<Result<Census, Fault>, Refused> {
        let Some(text) = self.read(CENSUS_FILE, CENSUS_MAX_BYTES)? else {
            let headline = format!("there is no census: `{CENSUS_FILE}` does not exist");
            let remedy = "run `cargo portcullis census --bless` and commit the file";
            return Ok(Err(
                Fault::new(CENSUS_INVALID, headline, remedy).at(Location::file(CENSUS_FILE))
            ));
        };
        Ok(Census::parse(&text))
    }

    /// The file of suites, waivers and quarantine; empty where there is none.
    pub(crate) fn classification(&self) -> Result<String, Refused> {
        Ok(self.read(CLASSIFICATION_FILE, POLICY_MAX_BYTES)?.unwrap_or_default())
    }

    /// Where a decision made here and now is enforced.
    pub(crate) fn lane(&self) -> Result<Lane, Refused> {
        self.environment.lane().or_exit(Exit::Usage)
    }

    /// `now`: the later of the system clock and `HEAD`, unless it is overridden.
    pub(crate) fn clock(&self) -> Result<Clock, Refused> {
        let head = Git::new(self.root(), None).head().or_exit(Exit::Invalid)?;
        let head: Option<Instant> = head.map(|head| head.committed_at);
        let allow_past = self.environment.get("PORTCULLIS_ALLOW_PAST") == Some("1");
        let system = clock::system_now().or_exit(Exit::Usage)?;
        clock::resolve(system, head, self.environment.get("PORTCULLIS_NOW"), allow_past)
            .or_exit(Exit::Usage)
    }

    /// cargo's target directory as far as it can be told without cargo.
    pub(crate) fn target_dir(&self) -> PathBuf {
        let exe = target_dir::current_exe().filter(|exe| exe.starts_with(self.root()));
        target_dir::find(self.root(), exe.as_deref(), self.environment.get("CARGO_TARGET_DIR"))
    }

    /// A file at the root; nothing where there is none.
    pub(crate) fn read(&self, name: &str, most_bytes: u64) -> Result<Option<String>, Refused> {
        let path = RelPath::parse(name).context("a file of ours has a name that is refused")?;
        if !self.tree.exists(&path).or_exit(Exit::Usage)? {
            return Ok(None);
        }
        self.tree.read_text(&path, most_bytes).or_exit(Exit::Usage).map(Some)
    }
}

/// The ids that waivers may name: tables of the policy, and gates of the census that are written in Rust.
pub(crate) fn known_gates(policy: &Policy, census: Option<&Census>) -> VecSet<GateId> {
    let tables = policy.gates.iter().map(|gate| gate.common.id.clone());
    let rows = census.into_iter().flat_map(|census| census.rows.iter().map(|row| row.id.clone()));
    tables.chain(rows).collect()
}
