//! The process group of a child, so that nothing it started outlives its timeout. Leaves out when to end it.

use std::process::{Child, Command};

#[cfg(unix)]
mod system {
    use super::{Child, Command};
    use rustix::process::{Pid, Signal, kill_process_group};
    use std::os::unix::process::CommandExt;

    pub(in super::super) fn separate(command: &mut Command) {
        command.process_group(0);
    }

    pub(in super::super) fn terminate(child: &Child) {
        signal(child, Signal::TERM);
    }

    pub(in super::super) fn kill(child: &Child) {
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
mod system {
    use super::{Child, Command};
    use std::{path::PathBuf, process::Stdio};

    #[cfg(windows)]
    pub(in super::super) fn separate(command: &mut Command) {
        use std::os::windows::process::CommandExt;
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
        command.creation_flags(CREATE_NEW_PROCESS_GROUP);
    }

    #[cfg(not(windows))]
    pub(in super::super) fn separate(_command: &mut Command) {}

    /// There is no gentle way here that reaches a whole tree of processes.
    pub(in super::super) fn terminate(child: &Child) {
        kill(child);
    }

    #[expect(clippy::disallowed_methods, reason = "the system's own tool ends a tree of processes")]
    pub(in super::super) fn kill(child: &Child) {
        let Some(root) = std::env::var_os("SystemRoot") else { return };
        // A tree that is gone already needs no signal, and a refused one leaves nothing else to try.
        let _sent = Command::new(PathBuf::from(root).join("System32").join("taskkill.exe"))
            .args(["/T", "/F", "/PID", &child.id().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

pub(super) use system::{kill, separate, terminate};
