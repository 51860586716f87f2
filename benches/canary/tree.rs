//! A tree of gates in a repository of its own, and one run of its gates. Judges neither.

#[path = "../../tests/house/host.rs"]
mod host;

use super::{BINARY, Failure};
use host::HOST;
use portcullis::{
    Digest,
    kernel::{census::Census, policy},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Tells this program that it is the gate binary of a tree.
pub(crate) const VARIABLE: &str = "CANARY_TREE";
/// The day on which every tree is run: waivers end, and these must not.
const TODAY: &str = "2026-11-21T12:00:00Z";
/// The CPU count that a child is told to believe; all else that it needs of its host is what tests need too.
const FORCE_CPU_COUNT: &str = "PORTCULLIS_FORCE_CPU_COUNT";

/// A copy. Its folder goes with it.
pub(crate) struct Tree {
    folder: tempfile::TempDir,
}

/// How a run went.
pub(crate) struct Ran {
    /// From just before its start to just after its end.
    pub(crate) wall: Duration,
    /// What it came to.
    pub(crate) facts: Facts,
}

/// What a run came to: its census, and the status of every gate.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    text: String,
    gates: usize,
}

/// What is written down of the work of a run.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) digest: String,
    pub(crate) gates: usize,
}

/// The work of all trees, with what this child did in place of what was expected of its tree.
///
/// A canary has one work; a child that does other or less work than it should changes it.
pub(crate) fn work(all: &[Facts], index: usize, own: &Facts) -> Work {
    let of = |at: usize| if at == index { Some(own) } else { all.get(at) };
    let all: Vec<&Facts> = (0..all.len()).filter_map(of).collect();
    let text: Vec<&str> = all.iter().map(|facts| facts.text.as_str()).collect();
    let digest = Digest::of(text.join("\n").as_bytes()).to_string();
    Work { digest, gates: all.iter().map(|facts| facts.gates).sum() }
}

impl Tree {
    /// Copies a tree into a repository of its own, without a target directory.
    pub(crate) fn copy(name: &str) -> Result<Self, Failure> {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/canary").join(name);
        let tree = Self { folder: tempfile::tempdir()? };
        let own = std::env::current_exe()?;
        // A gate binary reports into the target directory that it lies in, so it may not lie in ours.
        if fs::hard_link(&own, tree.program()).is_err() {
            fs::copy(&own, tree.program())?;
        }
        copy(&from, &tree.root())?;
        tree.census(&from)?;
        for words in [
            &["init", "-q", "-b", "main"][..],
            &["add", "-A"],
            &["-c", "user.name=c", "-c", "user.email=c@example.org", "commit", "-q", "-m", "tree"],
        ] {
            let status = Command::new("git")
                .args(words)
                .current_dir(tree.root())
                .env("GIT_COMMITTER_DATE", TODAY)
                .env("GIT_AUTHOR_DATE", TODAY)
                .stdin(Stdio::null())
                .status()?;
            if !status.success() {
                return Err(format!("git {words:?} ended with {status}").into());
            }
        }
        Ok(tree)
    }

    /// Holds the census of the fixture against its policy; `PORTCULLIS_BLESS=1` writes it.
    fn census(&self, from: &Path) -> Result<(), Failure> {
        let text = fs::read_to_string(from.join("portcullis.toml"))?;
        let policy = policy::parse("portcullis.toml", &text)
            .map_err(|faults| format!("the policy of {} is refused: {faults:?}", from.display()))?;
        let expected = Census::of(&policy.gates).render();
        let lock = from.join("portcullis.lock");
        if fs::read_to_string(&lock).ok().as_deref() == Some(&expected) {
            return Ok(());
        }
        if std::env::var("PORTCULLIS_BLESS").is_ok_and(|value| value == "1") {
            fs::write(&lock, &expected)?;
            fs::write(self.root().join("portcullis.lock"), &expected)?;
            return Ok(());
        }
        Err(format!(
            "{} is not what its policy gives: measure once with PORTCULLIS_BLESS=1",
            lock.display()
        )
        .into())
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join(format!("{BINARY}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Its target directory.
    pub(crate) fn target(&self) -> PathBuf {
        self.root().join("target")
    }

    /// Runs the whole gate suite of the tree once, as a process of its own.
    pub(crate) fn run(&self, extra: &[(&str, &str)]) -> Result<Ran, Failure> {
        let before = runs(&self.target())?;
        let mut command = Command::new(self.program());
        command.current_dir(self.root()).stdin(Stdio::null()).env_clear();
        for name in HOST.into_iter().chain([FORCE_CPU_COUNT]) {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env(VARIABLE, self.root())
            .env("CARGO_TARGET_DIR", self.target())
            .env("CARGO_NET_OFFLINE", "true")
            .env("PORTCULLIS_LANE", "local")
            .env("PORTCULLIS_NOW", TODAY)
            .env("PORTCULLIS_ALLOW_PAST", "1")
            .envs(extra.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let start = Instant::now();
        let output = command.spawn()?.wait_with_output()?;
        let wall = start.elapsed();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("{BINARY} ended with {}: {said}", output.status).into());
        }
        let after = runs(&self.target())?;
        let run =
            after.iter().find(|run| !before.contains(run)).ok_or("a run left no directory")?;
        Ok(Ran { wall, facts: Facts::read(run)? })
    }
}

impl Facts {
    fn read(run: &Path) -> Result<Self, Failure> {
        let census = Digest::of(&fs::read(run.join("expected.json"))?);
        let decision: Value =
            serde_json::from_str(&fs::read_to_string(run.join("decision.json"))?)?;
        let gates = decision["gates"].as_array().ok_or("a decision names no gates")?;
        let mut text = format!("{census} {}", decision["verdict"]);
        for gate in gates {
            text.push_str(&format!(" {}={}", gate["id"], gate["effective"]));
        }
        Ok(Self { text, gates: gates.len() })
    }
}

/// The runs of a target directory, in the order of their names.
pub(crate) fn runs(target: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = target.join("portcullis/runs");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut runs = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    runs.retain(|path| path.join("run.json").is_file());
    runs.sort_unstable();
    Ok(runs)
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "target" {
                copy(&entry.path(), &target)?;
            }
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
