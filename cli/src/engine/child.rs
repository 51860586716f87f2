//! A long child process: watched line by line, with a deadline, and ended as a group. Leaves out what its lines mean.

use crate::{
    exit::{Exit as Code, Refused},
    interrupt::{Asked, asked},
};
use portcullis::{
    Fault,
    evidence::{clock::Stopwatch, process::Exit},
    wire::code::COMMAND_FAILED,
};
use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::Duration,
};

/// nextest gives its tests ten seconds to end after it was asked to stop (fact N4).
const GRACE_MS: u64 = 14_000;
/// How long a group may take that was told to end at once.
const KILL_GRACE_MS: u64 = 1_000;
/// How long output may keep flowing after the child is gone.
const DRAIN_MS: u64 = 500;
const LINE_MAX: u64 = 64 * 1024;
const LOG_LINES: usize = 4_000;
const PAUSE: Duration = Duration::from_millis(20);

/// What to run.
pub(crate) struct Job {
    /// The program as an absolute path, then its arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// Its whole environment.
    pub env: BTreeMap<String, String>,
    /// Where its standard output goes; nowhere when absent.
    pub stdout: Option<PathBuf>,
    /// How long it may take.
    pub limit_ms: u64,
}

/// What ended a child before it ended itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nothing did.
    Nothing,
    /// Its time was over.
    Deadline,
    /// The run was asked to stop.
    Stop,
    /// The run was asked to stop at once.
    Kill,
}

/// A child that ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// How.
    pub exit: Exit,
    /// What ended it, if not itself.
    pub cut: Cut,
    /// The last lines of its standard error.
    pub log: Vec<String>,
    /// Whether somebody still holds its standard error after its end.
    pub leaked: bool,
}

impl Ended {
    /// Whether it exited with 0 by itself.
    pub(crate) fn is_success(&self) -> bool {
        self.exit == Exit::Code(0) && self.cut == Cut::Nothing
    }

    /// The end of its log, for a message.
    pub(crate) fn tail(&self, lines: usize) -> String {
        let said: Vec<&String> = self.log.iter().filter(|line| !line.trim().is_empty()).collect();
        let skipped = said.len().saturating_sub(lines);
        said.iter().skip(skipped).map(|line| format!("\n     {line}")).collect()
    }
}

/// Runs a child to its end; `on_line` sees each line of its standard error.
///
/// # Errors
/// When it cannot be started or its end cannot be awaited.
pub(crate) fn run(job: &Job, on_line: &mut dyn FnMut(&str)) -> Result<Ended, Refused> {
    let watch = Stopwatch::start();
    let mut child = start(job)?;
    let lines = child.stderr.take().map(lines);
    let mut watched = Watched { child, lines, log: VecDeque::new(), on_line };
    let waited = watched.wait(&watch, job.limit_ms);
    let (status, cut) = waited
        .map_err(|source| failed(job, "a child's end could not be awaited", &source.to_string()))?;
    watched.drain();
    let leaked = watched.lines.is_some();
    Ok(Ended { exit: exit_of(status), cut, log: watched.log.into(), leaked })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this program that starts a child it watches"
)]
fn start(job: &Job) -> Result<Child, Refused> {
    let (program, words) = match job.argv.split_first() {
        Some((program, words)) if Path::new(program).is_absolute() => (program, words),
        Some(_) | None => return Err(failed(job, "a child has no absolute path", "")),
    };
    let stdout =
        match &job.stdout {
            None => Stdio::null(),
            Some(path) => Stdio::from(File::create_new(path).map_err(|source| {
                failed(job, "an output file cannot be made", &source.to_string())
            })?),
        };
    let mut command = Command::new(program);
    command
        .args(words)
        .current_dir(&job.cwd)
        .env_clear()
        .envs(&job.env)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped());
    group::separate(&mut command);
    command
        .spawn()
        .map_err(|source| failed(job, "a child could not be started", &source.to_string()))
}

fn failed(job: &Job, headline: &str, found: &str) -> Refused {
    let program = job.argv.first().map_or("", String::as_str);
    let remedy = "see whether the program is installed and the disk writable";
    let found = format!("`{}`: {found}", program.escape_debug());
    Refused::new(Code::Nothing, Fault::new(COMMAND_FAILED, headline, remedy).found(found))
}

/// Reads lines on a thread of its own, so that a silent child can still be ended.
fn lines(pipe: std::process::ChildStderr) -> Receiver<String> {
    let (sender, receiver) = sync_channel(256);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        loop {
            let mut line = Vec::new();
            // A line without end is handed on in pieces.
            match reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {
                    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                    if sender.send(text).is_err() {
                        return;
                    }
                }
            }
        }
    });
    receiver
}

struct Watched<'a> {
    child: Child,
    lines: Option<Receiver<String>>,
    log: VecDeque<String>,
    on_line: &'a mut dyn FnMut(&str),
}

impl Watched<'_> {
    fn wait(&mut self, watch: &Stopwatch, limit_ms: u64) -> std::io::Result<(ExitStatus, Cut)> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, Cut::Nothing));
            }
            let cut = match asked() {
                Asked::Kill => Cut::Kill,
                Asked::Stop => Cut::Stop,
                Asked::Nothing if watch.elapsed_ms() >= limit_ms => Cut::Deadline,
                Asked::Nothing => {
                    self.pause();
                    continue;
                }
            };
            return self.end(cut);
        }
    }

    /// Asks the group to end, waits, and then makes it.
    fn end(&mut self, cut: Cut) -> std::io::Result<(ExitStatus, Cut)> {
        group::terminate(&mut self.child);
        let (watch, mut limit_ms, mut cut) = (Stopwatch::start(), GRACE_MS, cut);
        if cut == Cut::Kill {
            limit_ms = KILL_GRACE_MS;
        }
        while watch.elapsed_ms() < limit_ms {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, cut));
            }
            if cut != Cut::Kill && asked() == Asked::Kill {
                cut = Cut::Kill;
                // nextest kills its tests outright when it is asked a second time.
                group::terminate(&mut self.child);
                limit_ms = watch.elapsed_ms().saturating_add(KILL_GRACE_MS);
            }
            self.pause();
        }
        group::kill(&mut self.child);
        Ok((self.child.wait()?, cut))
    }

    /// Hands lines on for a moment.
    fn pause(&mut self) {
        let Some(lines) = &self.lines else {
            std::thread::park_timeout(PAUSE);
            return;
        };
        match lines.recv_timeout(PAUSE) {
            Ok(line) => self.keep(line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.lines = None,
        }
    }

    fn keep(&mut self, line: String) {
        (self.on_line)(&line);
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    /// What was written before the end is read; whoever holds the pipe after it is not waited for.
    fn drain(&mut self) {
        let watch = Stopwatch::start();
        while self.lines.is_some() && watch.elapsed_ms() < DRAIN_MS {
            self.pause();
        }
    }
}

#[cfg(unix)]
fn exit_of(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Signal(0),
    }
}

#[cfg(not(unix))]
fn exit_of(status: ExitStatus) -> Exit {
    status.code().map_or(Exit::Signal(0), Exit::Code)
}

#[cfg(unix)]
mod group {
    use rustix::process::{Pid, Signal, kill_process_group};
    use std::{
        os::unix::process::CommandExt as _,
        process::{Child, Command},
    };

    /// Ctrl-C on the terminal reaches this program alone, which then asks its child.
    pub(super) fn separate(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) fn terminate(child: &mut Child) {
        signal(child, Signal::TERM);
    }

    pub(super) fn kill(child: &mut Child) {
        signal(child, Signal::KILL);
    }

    fn signal(child: &Child, signal: Signal) {
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // A group that is gone already needs no signal, and a refused one leaves nothing else to try.
            let _sent = kill_process_group(group, signal);
        }
    }
}

#[cfg(not(unix))]
mod group {
    use std::process::{Child, Command};

    pub(super) fn separate(_command: &mut Command) {}

    pub(super) fn terminate(child: &mut Child) {
        kill(child);
    }

    pub(super) fn kill(child: &mut Child) {
        // A child that is gone already needs no end.
        let _ended = child.kill();
    }
}
