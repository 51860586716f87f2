//! One arm of a measurement: a checkout that was made ready, and the program in it. Leaves out when it runs.

use crate::{
    canary::{child, proof::Proving},
    exit::{Exit, Refused},
    repository::Repository,
};
use anyhow::Context as _;
use portcullis::{Code, Digest, Fault, wire::code::COMMAND_FAILED};
use portcullis_gates::canary::Canary;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

const GIT_LIMIT_NS: u64 = 600_000_000_000;

/// An arm.
pub(crate) struct Arm<'a> {
    /// Where it runs.
    pub checkout: PathBuf,
    /// Its program, as a path that exists.
    pub program: PathBuf,
    /// The words of the program.
    pub words: Vec<String>,
    /// What proves its runs.
    pub proving: Proving<'a>,
}

impl<'a> Arm<'a> {
    /// Makes a checkout ready and finds the program in it.
    pub(crate) fn ready(
        canary: &'a Canary,
        checkout: &Path,
        scratch: &Path,
        repository: &Repository,
    ) -> Result<Self, Refused> {
        Self::built(canary, checkout, scratch, repository, Vec::new())
    }

    /// Whether an arm is built at all: what lies in the checkout as it is cannot be moved within its file.
    pub(crate) fn is_built(canary: &Canary) -> bool {
        !build(canary).is_empty()
    }

    /// The base once more, built so that the same code lies elsewhere in its file; nothing where the build takes no notice
    /// and makes the same bytes again.
    ///
    /// rustc mixes `metadata` into the names of symbols, and their order is that of the code. A build that is not cargo's
    /// finds `PORTCULLIS_CANARY_PADDING`.
    pub(crate) fn padded(
        canary: &'a Canary,
        base: &Self,
        checkout: &Path,
        scratch: &Path,
        repository: &Repository,
    ) -> Result<Option<Self>, Refused> {
        let arm = Self::built(canary, checkout, scratch, repository, padding(repository))?;
        Ok((arm.digest()? != base.digest()?).then_some(arm))
    }

    fn built(
        canary: &'a Canary,
        checkout: &Path,
        scratch: &Path,
        repository: &Repository,
        env: Vec<(&'static str, OsString)>,
    ) -> Result<Self, Refused> {
        let (argv, build) = (argv(canary), build(canary));
        if let Some((program, words)) = build.split_first() {
            let program = find(program, checkout, repository)?;
            let log = scratch.join("build.log");
            let job = child::Job { env, ..job(&program, words, checkout, &log, None) };
            let ran = child::run(&job)
                .with_context(|| format!("{} cannot be started", program.display()))?;
            if !ran.exit.is_success() {
                return Err(failed("an arm could not be built", &log, Exit::ListFailed));
            }
        }
        let (program, words) = argv.split_first().context("a canary has no program")?;
        let program = find(program, checkout, repository)?;
        let proving = Proving::new(canary.proof(), checkout)?;
        Ok(Self { checkout: checkout.to_owned(), program, words: words.to_vec(), proving })
    }

    /// The digest of its program.
    pub(crate) fn digest(&self) -> anyhow::Result<Digest> {
        let bytes = std::fs::read(&self.program)
            .with_context(|| format!("{} cannot be read", self.program.display()))?;
        Ok(Digest::of(&bytes))
    }

    /// Whether both arms run one and the same file.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        if real(&self.program) == real(&other.program) {
            return true;
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let inode = |path: &Path| path.metadata().ok().map(|about| (about.dev(), about.ino()));
            inode(&self.program) == inode(&other.program)
        }
        #[cfg(not(unix))]
        false
    }
}

/// What one run is; without `argv` it is the bench of the canary's name.
pub(crate) fn argv(canary: &Canary) -> Vec<String> {
    if canary.argv().is_empty() {
        return ["cargo", "bench", "--bench", &canary.id].map(str::to_owned).to_vec();
    }
    canary.argv().to_vec()
}

/// What makes an arm ready to run; nothing where its program lies in the checkout as it is.
fn build(canary: &Canary) -> Vec<String> {
    if canary.argv().is_empty() && canary.build().is_empty() {
        return argv(canary).into_iter().take(4).chain(["--no-run".to_owned()]).collect();
    }
    canary.build().to_vec()
}

/// What moves the code of a build. Of the variables that hold flags for rustc cargo reads the first that is set.
fn padding(repository: &Repository) -> Vec<(&'static str, OsString)> {
    const FLAG: [&str; 2] = ["-C", "metadata=portcullis_layout"];
    let inherited = |name: &str| repository.environment.non_empty(name).map(str::to_owned);
    let (name, flags, between) = if let Some(flags) = inherited("CARGO_ENCODED_RUSTFLAGS") {
        ("CARGO_ENCODED_RUSTFLAGS", Some(flags), "\u{1f}")
    } else if let Some(flags) = inherited("RUSTFLAGS") {
        ("RUSTFLAGS", Some(flags), " ")
    } else {
        // Joined with what a configuration file says, where the two before would replace it.
        ("CARGO_BUILD_RUSTFLAGS", inherited("CARGO_BUILD_RUSTFLAGS"), " ")
    };
    let words = flags.into_iter().chain(FLAG.map(str::to_owned)).collect::<Vec<_>>();
    vec![("PORTCULLIS_CANARY_PADDING", "1".into()), (name, words.join(between).into())]
}

/// A program with a `/` is a file of the checkout; any other is looked for where the system looks.
pub(crate) fn find(
    program: &str,
    checkout: &Path,
    repository: &Repository,
) -> Result<PathBuf, Refused> {
    let path = Path::new(program);
    if path.is_absolute() || path.components().count() > 1 {
        let path = checkout.join(path);
        if path.is_file() {
            return Ok(path);
        }
    } else if let Some(search) = repository.environment.search_path() {
        let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        let found = std::env::split_paths(search).map(|folder| folder.join(&name));
        if let Some(found) = found.into_iter().find(|path| path.is_file()) {
            return Ok(found);
        }
    }
    let headline = format!("there is no program `{}`", program.escape_debug());
    let remedy = "correct `argv`, or let `build` make the program";
    let fault = Fault::new(COMMAND_FAILED, headline, remedy).found(checkout.display().to_string());
    Err(Refused::new(Exit::ListFailed, fault))
}

fn job<'a>(
    program: &'a Path,
    words: &'a [String],
    cwd: &'a Path,
    log: &Path,
    limit_ns: Option<u64>,
) -> child::Job<'a> {
    let stdout = log.to_owned();
    child::Job { program, words, cwd, env: Vec::new(), stdout, limit_ns, binding: None }
}

/// Checks a commit out into a folder of its own, of this name; the repository itself is left as it is.
pub(crate) fn checkout(
    repository: &Repository,
    commit: &str,
    scratch: &Path,
    name: &str,
) -> Result<PathBuf, Refused> {
    let git = find("git", repository.root(), repository)?;
    let (to, log) = (scratch.join(name), scratch.join("git.log"));
    let text = |path: &Path| path.display().to_string();
    let root = text(repository.root());
    let steps = [
        vec![
            "clone".to_owned(),
            "--quiet".into(),
            "--shared".into(),
            "--no-checkout".into(),
            root,
            text(&to),
        ],
        vec![
            "-C".to_owned(),
            text(&to),
            "checkout".into(),
            "--quiet".into(),
            "--detach".into(),
            commit.to_owned(),
        ],
    ];
    for words in &steps {
        let ran = child::run(&job(&git, words, repository.root(), &log, Some(GIT_LIMIT_NS)))
            .context("git cannot be started")?;
        if !ran.exit.is_success() {
            return Err(failed("the base could not be checked out", &log, Exit::ListFailed));
        }
    }
    Ok(to)
}

/// What a helper process says on its only line.
pub(crate) fn said(
    program: &str,
    words: &[&str],
    scratch: &Path,
    repository: &Repository,
) -> Option<String> {
    let program = find(program, repository.root(), repository).ok()?;
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let log = scratch.join("said.log");
    let ran =
        child::run(&job(&program, &words, repository.root(), &log, Some(GIT_LIMIT_NS))).ok()?;
    let text = std::fs::read_to_string(&log).ok()?;
    ran.exit.is_success().then(|| text.trim().to_owned())
}

fn failed(headline: &str, log: &Path, exit: Exit) -> Refused {
    const CODE: Code = COMMAND_FAILED;
    let log = child::errors(log);
    let text = std::fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = lines.iter().skip(lines.len().saturating_sub(8)).copied().collect::<Vec<_>>();
    let remedy = format!("see {}", log.display());
    Refused::new(exit, Fault::new(CODE, headline, remedy).found(tail.join(" | ")))
}
