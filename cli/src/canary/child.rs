//! One timed process: started, limited, waited for, and never read while it is timed. Leaves out what shows its work.

use crate::{
    canary::machine::Binding,
    interrupt::{Asked, asked},
};
use portcullis_canary::Exit;
use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// What to run.
pub(crate) struct Job<'a> {
    /// The program.
    pub program: &'a Path,
    /// Its words.
    pub words: &'a [String],
    /// Where it runs.
    pub cwd: &'a Path,
    /// What its environment has beyond ours.
    pub env: Vec<(&'static str, OsString)>,
    /// Where its standard output goes; its standard error goes beside it, with `.err`.
    pub stdout: PathBuf,
    /// When it is stopped, in nanoseconds.
    pub limit_ns: Option<u64>,
    /// The CPUs it is bound to.
    pub binding: Option<&'a Binding>,
}

/// Why a run that was cut off has no result.
pub(crate) const INTERRUPTED: &str = "it was interrupted";
/// How often a run that goes on is looked at: whether its time is over, and whether somebody asked to stop.
#[cfg(unix)]
const LOOK: Duration = Duration::from_millis(100);

/// How it went.
pub(crate) struct Ran {
    /// From just before its start to just after its end; the limit where it was stopped.
    pub ns: u64,
    /// How it ended.
    pub exit: Exit,
    /// How often it was made to wait for a CPU, where the system tells.
    pub switches: Option<u64>,
}

/// Runs a process to its end.
///
/// # Errors
/// When it cannot be started, or its end cannot be awaited: nothing was measured then.
#[expect(
    clippy::disallowed_methods,
    reason = "a measured process keeps our environment, and a duration needs a clock"
)]
pub(crate) fn run(job: &Job<'_>) -> std::io::Result<Ran> {
    let out = File::create(&job.stdout)?;
    let mut command = Command::new(job.program);
    command
        .args(job.words)
        .current_dir(job.cwd)
        .stdin(Stdio::null())
        .stdout(Stdio::from(out))
        .stderr(Stdio::from(File::create(errors(&job.stdout))?));
    for (name, value) in &job.env {
        command.env(name, value);
    }
    group::separate(&mut command);
    // A child inherits the CPUs of the thread that starts it.
    let bound = job.binding.map(Binding::enter).transpose()?;
    let start = Instant::now();
    let child = command.spawn();
    drop(bound);
    let mut child = child?;
    let ended = group::wait(&mut child, job.limit_ns.map(Duration::from_nanos))?;
    let ns = ended.at.duration_since(start);
    let ns = u64::try_from(ns.as_nanos()).unwrap_or(u64::MAX);
    let switches = switches_of(&child);
    let status = child.wait()?;
    if asked() != Asked::Nothing {
        // What was cut off from outside was not measured.
        return Err(std::io::Error::other(INTERRUPTED));
    }
    if ended.was_stopped {
        return Ok(Ran { ns: job.limit_ns.unwrap_or(ns), exit: Exit::TimeLimit, switches });
    }
    Ok(Ran { ns, exit: group::exit_of(status), switches })
}

/// Where the standard error of a run goes.
pub(crate) fn errors(stdout: &Path) -> PathBuf {
    let mut name = stdout.as_os_str().to_owned();
    name.push(".err");
    PathBuf::from(name)
}

/// How the wait ended.
struct Ended {
    at: Instant,
    was_stopped: bool,
}

/// Linux keeps the figures of a process until somebody asks for its exit status.
fn switches_of(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}

#[cfg(unix)]
mod group {
    use super::{Asked, Ended, LOOK, asked};
    use portcullis_canary::Exit;
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
    use std::{
        io,
        os::unix::process::{CommandExt as _, ExitStatusExt as _},
        process::{Child, Command, ExitStatus},
        sync::mpsc::{RecvTimeoutError, channel},
        time::{Duration, Instant},
    };

    pub(super) fn separate(command: &mut Command) {
        command.process_group(0);
    }

    /// Waits without polling, so that the end is seen when it comes. The process is not reaped yet: its id stays its own
    /// until the watchdog is gone.
    #[expect(clippy::disallowed_methods, reason = "a duration needs a clock")]
    pub(super) fn wait(child: &mut Child, limit: Option<Duration>) -> io::Result<Ended> {
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::other("the process has no id"))?;
        let (done, ended) = channel::<()>();
        let watchdog = std::thread::spawn(move || {
            let mut left = limit;
            loop {
                let slice = left.map_or(LOOK, |left| left.min(LOOK));
                match ended.recv_timeout(slice) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return false,
                }
                left = left.map(|left| left.saturating_sub(slice));
                let is_over = left.is_some_and(|left| left.is_zero());
                if is_over || asked() != Asked::Nothing {
                    // The whole group: what a stopped run started must not disturb the next one.
                    return kill_process_group(id, Signal::KILL).is_ok() && is_over;
                }
            }
        });
        let waited = loop {
            match waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => break Err(io::Error::from(errno)),
                Ok(_) => break Ok(()),
            }
        };
        let at = Instant::now();
        drop(done);
        let was_stopped =
            watchdog.join().map_err(|_panic| io::Error::other("the watchdog of a run is gone"))?;
        waited.map(|()| Ended { at, was_stopped })
    }

    pub(super) fn exit_of(status: ExitStatus) -> Exit {
        match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Unknown,
        }
    }
}

#[cfg(not(unix))]
mod group {
    use super::{Asked, Ended, asked};
    use portcullis_canary::Exit;
    use std::{
        io,
        process::{Child, Command, ExitStatus},
        time::{Duration, Instant},
    };

    const PAUSE: Duration = Duration::from_micros(200);

    pub(super) fn separate(_command: &mut Command) {}

    #[expect(clippy::disallowed_methods, reason = "a duration needs a clock")]
    pub(super) fn wait(child: &mut Child, limit: Option<Duration>) -> io::Result<Ended> {
        let start = Instant::now();
        loop {
            let ended = child.try_wait()?;
            let at = Instant::now();
            if ended.is_some() {
                return Ok(Ended { at, was_stopped: false });
            }
            if asked() != Asked::Nothing {
                child.kill()?;
                return Ok(Ended { at, was_stopped: false });
            }
            if limit.is_some_and(|limit| at.duration_since(start) >= limit) {
                child.kill()?;
                return Ok(Ended { at, was_stopped: true });
            }
            std::thread::park_timeout(PAUSE);
        }
    }

    pub(super) fn exit_of(status: ExitStatus) -> Exit {
        status.code().map_or(Exit::Unknown, Exit::Code)
    }
}
