//! The engine where cargo-nextest is absent: cargo builds, and each test runs in a process of its own. Leaves out what the
//! results come to.
//!
//! It knows no filtersets, archives or kept builds, and neither runners nor `[env]` of cargo's configuration. A run of it
//! never certifies. Its results are worded as those of nextest are, and judged by the same rules.

use super::{
    cargo_test::{Cargo, Metadata},
    child::{self, Cut, Ended, Job},
    nextest::junit::{Attempt, Case, Report, Said},
};
use crate::{
    exit::{Exit, OrExit as _, Refused},
    interrupt::{self, Asked},
    plan::{Listed, Target},
    reconcile,
};
use anyhow::Context as _;
use portcullis::{
    Fault, RunId,
    evidence::{clock::Stopwatch, process},
    runner::session::ATTEMPT_VARIABLE,
    wire::code::{LIST_EMPTY, LIST_FAILED},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long a test binary may take to list its tests.
const LIST_LIMIT_MS: u64 = 60_000;
/// A message of cargo about one artifact is shorter.
const MESSAGE_BYTES_MAX: u64 = 4 * 1024 * 1024;
const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;
const SHOWN_LINES: usize = 30;
/// How much of the output of one attempt is kept.
const KEPT: u64 = 8 * 1024;
/// The pause before a quarantined test is tried again (`semantics.md`, section 7).
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// A test binary that cargo built.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Built {
    suite: String,
    package: String,
    binary: String,
    cargo_kind: String,
    exe: PathBuf,
    cwd: PathBuf,
    env: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    target: Option<Artifact>,
    executable: Option<PathBuf>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Artifact {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Builds the tests of the workspace, and lists them.
///
/// # Errors
/// `list_failed`, `list_empty`.
pub(crate) fn list(
    cargo: &Cargo,
    metadata: &Metadata,
    scratch: &Path,
    limit_ms: u64,
    on_line: &mut dyn FnMut(&str),
) -> Result<Vec<Listed>, Refused> {
    let messages = scratch.join("build.jsonl");
    let words = ["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"];
    let mut job = cargo.job(words.map(str::to_owned).into(), limit_ms);
    job.stdout = Some(messages.clone());
    let ended = child::run(&job, on_line)?;
    if !ended.is_success() {
        return Err(unlisted("the tests cannot be built", &ended));
    }
    let built = built(cargo, metadata, &messages)?;
    let mut listed = Vec::new();
    for binary in &built {
        let names = names(binary, &[], scratch)?;
        let ignored = names_of_ignored(binary, &names, scratch)?;
        listed.extend(names.into_iter().map(|test| Listed {
            suite: binary.suite.clone(),
            package: binary.package.clone(),
            binary: binary.binary.clone(),
            cargo_kind: binary.cargo_kind.clone(),
            ignored: ignored.contains(&test),
            test,
            matches: true,
        }));
    }
    if listed.is_empty() {
        let remedy =
            "see whether the workspace has tests, and whether they have a `main` of their own";
        let fault = Fault::new(LIST_EMPTY, "no test binary lists a test", remedy);
        return Err(Refused::new(Exit::ListFailed, fault));
    }
    listed.sort_by(|a, b| (&a.suite, &a.test).cmp(&(&b.suite, &b.test)));
    let text = serde_json::to_vec(&built).context("a list of binaries")?;
    File::create_new(binaries_file(scratch))
        .and_then(|mut file| file.write_all(&text))
        .context("the list of binaries cannot be written")?;
    Ok(listed)
}

fn binaries_file(scratch: &Path) -> PathBuf {
    scratch.join("binaries.json")
}

fn unlisted(headline: &str, ended: &Ended) -> Refused {
    let how = match ended.cut {
        Cut::Nothing => format!("{:?}", ended.exit).to_lowercase(),
        Cut::Deadline => "the time for it was over".to_owned(),
        Cut::Stop | Cut::Kill => "the run was interrupted".to_owned(),
    };
    let fault = Fault::new(LIST_FAILED, headline, "mend what is reported, then run again");
    Refused::new(Exit::ListFailed, fault.found(format!("{how}{}", ended.tail(SHOWN_LINES))))
}

/// The test binaries that cargo says it built, named as nextest names them.
fn built(cargo: &Cargo, metadata: &Metadata, messages: &Path) -> Result<Vec<Built>, Refused> {
    let file = File::open(messages).context("what cargo built cannot be read")?;
    let mut reader = BufReader::new(file);
    let libraries = cargo.libraries()?;
    let mut built: BTreeMap<String, Built> = BTreeMap::new();
    loop {
        let mut line = Vec::new();
        let n = reader.by_ref().take(MESSAGE_BYTES_MAX).read_until(b'\n', &mut line);
        if n.context("what cargo built cannot be read")? == 0 {
            return Ok(built.into_values().collect());
        }
        // What a build script or a wrapper prints between the messages is no message.
        if !line.starts_with(b"{") {
            continue;
        }
        let message: Message = serde_json::from_slice(&line).map_err(|source| {
            let headline = "a message of cargo cannot be read";
            let fault = Fault::new(LIST_FAILED, headline, "update cargo or portcullis");
            Refused::new(Exit::ListFailed, fault.because(&source))
        })?;
        let tests = message.profile.is_some_and(|profile| profile.test);
        let (true, "compiler-artifact", Some(target), Some(exe)) =
            (tests, message.reason.as_str(), message.target, message.executable)
        else {
            continue;
        };
        let Some((package, version)) = metadata.package_at(&message.manifest_path) else {
            continue;
        };
        let kind = target.kind.first().map_or("lib", String::as_str);
        let (cargo_kind, suite) = match kind {
            "test" => (kind, format!("{package}::{}", target.name)),
            "bin" | "example" | "bench" => (kind, format!("{package}::{kind}/{}", target.name)),
            _ => ("lib", package.to_owned()),
        };
        let cwd = message.manifest_path.parent().unwrap_or(cargo.root()).to_path_buf();
        let mut env = libraries.clone();
        let own = [
            ("CARGO_MANIFEST_DIR", cwd.display().to_string()),
            ("CARGO_MANIFEST_PATH", message.manifest_path.display().to_string()),
            ("CARGO_PKG_NAME", package.to_owned()),
            ("CARGO_PKG_VERSION", version.to_owned()),
        ];
        env.extend(own.map(|(name, value)| (name.to_owned(), value)));
        let one = Built {
            package: package.to_owned(),
            binary: target.name,
            cargo_kind: cargo_kind.to_owned(),
            exe,
            cwd,
            env,
            suite: suite.clone(),
        };
        if built.insert(suite.clone(), one).is_some() {
            let headline = format!("cargo built two test binaries `{suite}`");
            let fault = Fault::new(LIST_FAILED, headline, "rename one of the two targets");
            return Err(Refused::new(Exit::ListFailed, fault));
        }
    }
}

fn names_of_ignored(
    binary: &Built,
    names: &[String],
    scratch: &Path,
) -> Result<BTreeSet<String>, Refused> {
    if names.is_empty() {
        return Ok(BTreeSet::new());
    }
    Ok(self::names(binary, &["--ignored"], scratch)?.into_iter().collect())
}

/// What a test binary lists.
fn names(binary: &Built, more: &[&str], scratch: &Path) -> Result<Vec<String>, Refused> {
    let mut words = ["--list", "--format", "terse"].to_vec();
    words.extend(more);
    let file = scratch.join("list.out");
    let ended = child::run(&job(binary, &words, &[], file.clone(), LIST_LIMIT_MS), &mut |_| {})?;
    let headline = format!("the test binary `{}` cannot list its tests", binary.suite);
    if !ended.is_success() {
        return Err(unlisted(&headline, &ended));
    }
    let mut text = String::new();
    File::open(&file)
        .and_then(|file| file.take(LIST_BYTES_MAX).read_to_string(&mut text))
        .context("a list of tests cannot be read")?;
    std::fs::remove_file(&file).context("a list of tests cannot be removed")?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let name = line.strip_suffix(": test").or_else(|| line.strip_suffix(": benchmark"));
            name.map(str::to_owned).ok_or_else(|| {
                let remedy = "let it list its tests as libtest does, or take it out of the build";
                let fault = Fault::new(LIST_FAILED, headline.clone(), remedy);
                let found =
                    format!("`{}`", line.chars().take(200).collect::<String>().escape_debug());
                Refused::new(Exit::ListFailed, fault.expected("`<name>: test`").found(found))
            })
        })
        .collect()
}

fn job(
    binary: &Built,
    words: &[&str],
    env: &[(&'static str, String)],
    stdout: PathBuf,
    limit_ms: u64,
) -> Job {
    let argv = std::iter::once(binary.exe.display().to_string())
        .chain(words.iter().map(|word| (*word).to_owned()));
    let mut all = binary.env.clone();
    all.extend(env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Job { argv: argv.collect(), cwd: binary.cwd.clone(), env: all, stdout: Some(stdout), limit_ms }
}

/// How a run is executed.
pub(crate) struct Execution<'a> {
    /// The run, which its results belong to.
    pub run_id: &'a RunId,
    /// Where the test binaries were listed.
    pub scratch: &'a Path,
    /// How many tests at once.
    pub jobs: usize,
    /// Variables of this run.
    pub env: &'a [(&'static str, String)],
    /// How long it may take.
    pub limit_ms: u64,
    /// How often a quarantined test is tried again.
    pub retries: u32,
}

/// Runs these targets, each with the time it may take, several at once; gates come last.
///
/// # Errors
/// When a child cannot be started or awaited.
pub(crate) fn run(
    execution: &Execution<'_>,
    planned: &[(&Target, u64)],
) -> Result<(Ended, Report), Refused> {
    let text = std::fs::read(binaries_file(execution.scratch)).context("the list of binaries")?;
    let built: Vec<Built> = serde_json::from_slice(&text).context("the list of binaries")?;
    let built: BTreeMap<&str, &Built> =
        built.iter().map(|binary| (binary.suite.as_str(), binary)).collect();
    let mut queue: Vec<&(&Target, u64)> = planned.iter().collect();
    queue.sort_by_key(|(target, _)| target.kind == portcullis::kernel::policy::profile::Kind::Gate);
    let running = Running {
        execution,
        built: &built,
        watch: Stopwatch::start(),
        queue: Mutex::new(queue.into_iter().enumerate().collect()),
        done: Mutex::new(Done { cases: Vec::new(), cut: Cut::Nothing, failed: None }),
    };
    std::thread::scope(|scope| {
        for _ in 0..execution.jobs.min(planned.len()).max(1) {
            scope.spawn(|| running.work());
        }
    });
    let done = running.done.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(refused) = done.failed {
        return Err(refused);
    }
    let last = |case: &Case| case.attempts.last().is_some_and(|attempt| attempt.fault.is_some());
    let code = if done.cases.iter().any(last) { reconcile::TESTS_FAILED } else { 0 };
    let log = done.cases.iter().map(line).collect();
    let exit = process::Exit::Code(code);
    let ended = Ended { exit, cut: done.cut, log, leaked: false };
    let name = execution.run_id.to_string();
    Ok((ended, Report { name, cases: done.cases }))
}

/// One line of the log, as nextest would put it.
fn line(case: &Case) -> String {
    let failed = case.attempts.last().and_then(|attempt| attempt.fault.as_ref());
    let word = match failed {
        None => "PASS",
        Some(said) if said.kind.contains("leaked") => "LEAK",
        Some(_) => "FAIL",
    };
    let ms = case.attempts.last().map_or(0, |attempt| attempt.duration_ms);
    format!("{word} [{:>4}.{:03}s] {} {}", ms / 1000, ms % 1000, case.suite, case.test)
}

struct Done {
    cases: Vec<Case>,
    cut: Cut,
    failed: Option<Refused>,
}

type Queue<'a> = VecDeque<(usize, &'a (&'a Target, u64))>;

struct Running<'a> {
    execution: &'a Execution<'a>,
    built: &'a BTreeMap<&'a str, &'a Built>,
    watch: Stopwatch,
    queue: Mutex<Queue<'a>>,
    done: Mutex<Done>,
}

impl Running<'_> {
    fn work(&self) {
        loop {
            let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((n, (target, limit_ms))) = next else { return };
            if interrupt::asked() != Asked::Nothing || self.left_ms() == 0 {
                // What was not begun is in no result, and the run says why it ended.
                let cut = if self.left_ms() == 0 { Cut::Deadline } else { Cut::Stop };
                return self.cut(cut);
            }
            match self.one(n, target, *limit_ms) {
                Ok(case) => {
                    self.done.lock().unwrap_or_else(PoisonError::into_inner).cases.push(case);
                }
                Err(refused) => {
                    self.done.lock().unwrap_or_else(PoisonError::into_inner).failed = Some(refused);
                    self.queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
                }
            }
        }
    }

    fn left_ms(&self) -> u64 {
        self.execution.limit_ms.saturating_sub(self.watch.elapsed_ms())
    }

    fn cut(&self, cut: Cut) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.cut == Cut::Nothing {
            done.cut = cut;
        }
    }

    fn one(&self, n: usize, target: &Target, limit_ms: u64) -> Result<Case, Refused> {
        let found = self.built.get(target.suite.as_str()).ok_or_else(|| {
            let headline = format!("the test binary `{}` is gone", target.suite);
            Fault::new(LIST_FAILED, headline, "run again")
        });
        let binary = found.or_exit(Exit::ListFailed)?;
        let tries = if target.quarantine.is_some() { self.execution.retries } else { 0 };
        let mut attempts = Vec::new();
        for again in 0..=tries {
            if again > 0 {
                std::thread::park_timeout(RETRY_PAUSE);
            }
            let file = self.execution.scratch.join(format!("test-{n}-{again}.out"));
            let attempt = self.attempt(binary, &target.test, (file, again + 1), limit_ms)?;
            let passed = attempt.fault.is_none();
            attempts.push(attempt);
            if passed || interrupt::asked() != Asked::Nothing || self.left_ms() == 0 {
                break;
            }
        }
        Ok(Case { suite: target.suite.clone(), test: target.test.clone(), attempts })
    }

    fn attempt(
        &self,
        binary: &Built,
        test: &str,
        (file, number): (PathBuf, u32),
        limit_ms: u64,
    ) -> Result<Attempt, Refused> {
        let watch = Stopwatch::start();
        let left_ms = self.left_ms();
        let words = ["--exact", test, "--nocapture"];
        let limit = limit_ms.min(left_ms);
        let mut job = job(binary, &words, self.execution.env, file.clone(), limit);
        job.env.insert(ATTEMPT_VARIABLE.to_owned(), number.to_string());
        let ended = child::run(&job, &mut |_| {})?;
        let stdout = tail(&file).context("the output of a test cannot be read")?;
        drop(std::fs::remove_file(&file));
        let whole_run = left_ms < limit_ms;
        match ended.cut {
            Cut::Nothing => {}
            Cut::Deadline if !whole_run => {}
            cut @ (Cut::Deadline | Cut::Stop | Cut::Kill) => self.cut(cut),
        }
        let stderr = ended.log.join("\n");
        let fault = fault(&ended, whole_run, &stderr);
        Ok(Attempt { fault, duration_ms: watch.elapsed_ms(), stdout, stderr: String::new() })
    }
}

/// The end of what a test wrote: what libtest says at its end is there.
fn tail(file: &Path) -> std::io::Result<String> {
    let mut file = File::open(file)?;
    let bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(bytes.saturating_sub(KEPT)))?;
    let mut tail = Vec::new();
    file.take(KEPT).read_to_end(&mut tail)?;
    Ok(String::from_utf8_lossy(&tail).into_owned())
}

/// How an attempt ended, in the words that nextest has for it; nothing for a pass.
fn fault(ended: &Ended, whole_run: bool, stderr: &str) -> Option<Said> {
    let said = |kind: &str, message: &str| {
        let text = failure(stderr);
        let message =
            if message.is_empty() { text.lines().next().unwrap_or_default() } else { message };
        Some(Said { kind: kind.to_owned(), message: message.to_owned(), text: text.to_owned() })
    };
    match (ended.cut, ended.exit) {
        (Cut::Deadline, _) if !whole_run => said("test timeout", ""),
        (Cut::Deadline | Cut::Stop | Cut::Kill, _) => {
            said("test abort", "process aborted with signal 15 (SIGTERM)")
        }
        (Cut::Nothing, process::Exit::Signal(signal)) => {
            said("test abort", &format!("process aborted with signal {signal}"))
        }
        (Cut::Nothing, process::Exit::Code(0)) if ended.leaked => {
            said("test exited with code 0, but leaked handles so was marked failed", "")
        }
        (Cut::Nothing, process::Exit::Code(0)) => None,
        (Cut::Nothing, process::Exit::Code(code)) => {
            said(&format!("test failure with exit code {code}"), "")
        }
    }
}

/// The panic or the error in what a test wrote, to its end.
fn failure(stderr: &str) -> &str {
    let panic = stderr.find("panicked at ").map(|at| stderr[..at].rfind('\n').map_or(0, |n| n + 1));
    let error = || {
        stderr
            .find("\nError: ")
            .map(|at| at + 1)
            .or_else(|| stderr.starts_with("Error: ").then_some(0))
    };
    panic.or_else(error).and_then(|at| stderr.get(at..)).unwrap_or(stderr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_is_worded_as_nextest_words_it() {
        let ended = |exit, cut, leaked| Ended { exit, cut, log: Vec::new(), leaked };
        let code = process::Exit::Code;
        let table = [
            ("a pass", ended(code(0), Cut::Nothing, false), false, None),
            (
                "a leak",
                ended(code(0), Cut::Nothing, true),
                false,
                Some("test exited with code 0, but leaked"),
            ),
            (
                "a panic",
                ended(code(101), Cut::Nothing, false),
                false,
                Some("test failure with exit code 101"),
            ),
            (
                "an abort",
                ended(process::Exit::Signal(6), Cut::Nothing, false),
                false,
                Some("test abort"),
            ),
            (
                "a hang",
                ended(process::Exit::Signal(15), Cut::Deadline, false),
                false,
                Some("test timeout"),
            ),
            (
                "the deadline",
                ended(process::Exit::Signal(15), Cut::Deadline, false),
                true,
                Some("test abort"),
            ),
            (
                "a hang that exits with 0",
                ended(code(0), Cut::Deadline, false),
                false,
                Some("test timeout"),
            ),
            ("interrupted", ended(code(0), Cut::Stop, false), false, Some("test abort")),
        ];
        for (case, ended, whole_run, expected) in table {
            let said = fault(&ended, whole_run, "noise\nthread 'a' panicked at x.rs:1:1:\nboom\n");
            let starts = |kind: &str| said.as_ref().is_some_and(|said| said.kind.starts_with(kind));
            assert_eq!(expected.is_none(), said.is_none(), "{case}");
            assert!(expected.is_none_or(starts), "{case}: {said:?}");
        }
    }

    #[test]
    fn the_failure_is_found_in_what_a_test_says() {
        assert_eq!(failure("a\nthread 'x' panicked at y\nb"), "thread 'x' panicked at y\nb");
        assert_eq!(failure("a\nError: \"no\"\n"), "Error: \"no\"\n");
        assert_eq!(failure("Error: 1"), "Error: 1");
        assert_eq!(failure("nothing of note"), "nothing of note");
    }
}
