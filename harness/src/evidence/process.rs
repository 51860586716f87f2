//! Child processes: argv without a shell, a complete environment, bounded output, and an end. Leaves out what a
//! non-zero exit means.

mod captured;
mod group;

pub use captured::Captured;

use super::clock::Stopwatch;
use crate::wire::{code::COMMAND_FAILED, fault::Fault};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

/// How long a process group may take to end after it was asked to.
const GRACE_MS: u64 = 2_000;
/// How long output may keep flowing after the child itself is gone: a grandchild may hold the pipe for ever.
const DRAIN_MS: u64 = 500;

/// What to run.
#[derive(Clone, Debug)]
pub struct Request {
    /// The program as an absolute path, then its arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// Its whole environment; nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// How long it may run before its whole process group is ended.
    pub timeout: Duration,
    /// How much of each stream is kept: half from the beginning, half from the end.
    pub capture_bytes: usize,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited by itself.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
}

/// A process that ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How.
    pub exit: Exit,
    /// What it wrote to standard output.
    pub stdout: Captured,
    /// What it wrote to standard error.
    pub stderr: Captured,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// Whether it was ended because its time was over.
    pub timed_out: bool,
}

impl Finished {
    /// Whether it exited with 0 within its time.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.exit == Exit::Code(0) && !self.timed_out
    }
}

/// Runs a process to its end.
///
/// # Errors
/// `command_failed` when it could not be started or its end could not be awaited. A non-zero exit, a signal or a
/// timeout is in the result.
pub fn run(request: &Request) -> Result<Finished, Fault> {
    let watch = Stopwatch::start();
    let mut child = start(request)?;
    let (report, readers) = channel();
    let half = request.capture_bytes / 2;
    let stdout =
        child.stdout.take().map(|pipe| captured::read(Box::new(pipe), half, report.clone()));
    let stderr = child.stderr.take().map(|pipe| captured::read(Box::new(pipe), half, report));
    let timeout_ms = u64::try_from(request.timeout.as_millis()).unwrap_or(u64::MAX);
    let mut running = Running { child: &mut child, readers: &readers, open: 2 };
    let first = running.wait(&watch, timeout_ms);
    let (status, timed_out) = match first {
        Ok(Some(status)) => (Ok(status), false),
        Ok(None) => (running.end(), true),
        Err(source) => (Err(source), false),
    };
    let status = status.map_err(|source| {
        failed(request, "a command's end could not be awaited").because(&source)
    })?;
    running.drain();
    let take =
        |stream: Option<captured::Shared>| stream.map(|shared| shared.take()).unwrap_or_default();
    Ok(Finished {
        exit: exit_of(status),
        stdout: take(stdout),
        stderr: take(stderr),
        duration_ms: watch.elapsed_ms(),
        timed_out,
    })
}

#[expect(clippy::disallowed_methods, reason = "the one place that starts processes")]
fn start(request: &Request) -> Result<Child, Fault> {
    let Some((program, arguments)) = request.argv.split_first() else {
        return Err(failed(request, "a command has no words"));
    };
    if !Path::new(program).is_absolute() {
        return Err(failed(request, "a command is not an absolute path"));
    }
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&request.cwd)
        .env_clear()
        .envs(&request.env)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    group::separate(&mut command);
    command
        .spawn()
        .map_err(|source| failed(request, "a command could not be started").because(&source))
}

fn failed(request: &Request, headline: &str) -> Fault {
    let program = request.argv.first().map_or("", String::as_str);
    Fault::new(
        COMMAND_FAILED,
        headline,
        "install the program, or correct the command where it is named",
    )
    .expected("the absolute path of a program this user may run")
    .found(format!("`{}` in `{}`", program.escape_debug(), request.cwd.display()))
}

struct Running<'a> {
    child: &'a mut Child,
    readers: &'a Receiver<()>,
    open: usize,
}

impl Running<'_> {
    /// Waits until the child ended; nothing when `limit_ms` of `watch` are over first.
    fn wait(&mut self, watch: &Stopwatch, limit_ms: u64) -> std::io::Result<Option<ExitStatus>> {
        let mut pause = Duration::from_micros(200);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            let left_ms = limit_ms.saturating_sub(watch.elapsed_ms());
            if left_ms == 0 {
                return Ok(None);
            }
            // A closed pipe wakes this at once, so a short command is not charged a whole pause.
            self.pause(pause.min(Duration::from_millis(left_ms)));
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    fn pause(&mut self, pause: Duration) {
        if self.open == 0 {
            std::thread::park_timeout(pause);
            return;
        }
        match self.readers.recv_timeout(pause) {
            Ok(()) => self.open -= 1,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.open = 0,
        }
    }

    /// Ends the whole group: asks first, then kills.
    fn end(&mut self) -> std::io::Result<ExitStatus> {
        group::terminate(self.child);
        if let Some(status) = self.wait(&Stopwatch::start(), GRACE_MS)? {
            // The leader went; whoever of the group did not follow is killed now.
            group::kill(self.child);
            return Ok(status);
        }
        group::kill(self.child);
        self.child.wait()
    }

    /// Waits for the end of both streams, kills what still holds them, and then gives up on them.
    fn drain(&mut self) {
        if !self.drained() {
            group::kill(self.child);
            self.drained();
        }
    }

    fn drained(&mut self) -> bool {
        let watch = Stopwatch::start();
        while self.open > 0 && watch.elapsed_ms() < DRAIN_MS {
            self.pause(Duration::from_millis(20));
        }
        self.open == 0
    }
}

#[cfg(unix)]
fn exit_of(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
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

#[cfg(all(test, unix))]
mod tests;
