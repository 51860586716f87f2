//! Child processes of the rows: cargo and git, each in a cleared environment.
//!
//! What an outer `cargo test` or CI sets (`CARGO_*`, `NEXTEST_*`, `PORTCULLIS_*`, `CI`) never reaches a child.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

/// What a child needs of its host: where tools, toolchains and temporary files are.
const HOST: [&str; 14] = [
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SystemRoot",
    "SystemDrive",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramFiles",
];

/// A variable of the host.
#[expect(clippy::disallowed_methods, reason = "a test asks where its own cargo and tools are")]
pub(super) fn host(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name)
}

/// A program with nothing of the caller's environment but [`HOST`], and nothing to read.
#[expect(clippy::disallowed_methods, reason = "the rows are about commands that people type")]
pub(super) fn command(program: impl AsRef<OsStr>, cwd: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(cwd).stdin(Stdio::null()).env_clear();
    for name in HOST {
        if let Some(value) = host(name) {
            command.env(name, value);
        }
    }
    command
}

/// cargo, the one that runs this test.
pub(super) fn cargo(cwd: &Path) -> Command {
    command(host("CARGO").unwrap_or_else(|| "cargo".into()), cwd)
}

/// Runs a command that has to succeed.
pub(super) fn done(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}\n{}", text(&output));
}

/// Both streams as one text, for assertions and their messages.
pub(super) fn text(output: &Output) -> String {
    format!(
        "{}\n--- stderr\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The target directory of the checkout, as this test binary lies in it.
pub(super) fn target_dir() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| {
        let own = env::current_exe().expect("this test has a path");
        let marked = own.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
        marked.expect("a target folder").to_path_buf()
    })
}
