//! Child processes of tests: cargo, git, gate binaries and the subcommand, each in a cleared environment.
//!
//! What an outer `cargo test` or CI sets (`CARGO_*`, `NEXTEST_*`, `PORTCULLIS_*`, `CI`) never reaches a child.

use crate::host::HOST;
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

/// A variable of the host.
#[expect(clippy::disallowed_methods, reason = "a test asks where its own cargo and tools are")]
#[must_use]
pub fn host(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name)
}

/// A program with nothing of the caller's environment but where tools, toolchains and temporary files are, and nothing to read.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests that call it are about commands that people type"
)]
#[must_use]
pub fn command(program: impl AsRef<OsStr>, cwd: &Path) -> Command {
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
#[must_use]
pub fn cargo(cwd: &Path) -> Command {
    command(host("CARGO").unwrap_or_else(|| "cargo".into()), cwd)
}

/// Runs a command that has to succeed.
pub fn done(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}\n{}", text(&output));
}

/// Both streams as one text, for assertions and their messages.
#[must_use]
pub fn text(output: &Output) -> String {
    format!(
        "{}\n--- stderr\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The target directory of the checkout, as this test binary lies in it.
#[must_use]
pub fn target_dir() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| {
        let own = env::current_exe().expect("this test has a path");
        let marked = own.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
        marked.expect("a target folder").to_path_buf()
    })
}

/// `cargo-portcullis`, built once.
#[must_use]
pub fn subcommand() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut build = cargo(root);
        build.args(["build", "--quiet", "--offline", "--package", "cargo-portcullis"]);
        let output = build.arg("--target-dir").arg(target_dir()).output().expect("cargo starts");
        assert!(output.status.success(), "{}", text(&output));
        let name = format!("cargo-portcullis{}", env::consts::EXE_SUFFIX);
        target_dir().join("debug").join(name)
    })
}

/// Whether cargo-nextest is there. Without it the N parts cannot be provoked; in CI that is a failure.
#[must_use]
pub fn has_nextest() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let asked = cargo(root).args(["nextest", "--version"]).output();
        let found = asked.is_ok_and(|output| output.status.success());
        let ci = host("CI").is_some_and(|value| !value.is_empty() && value != "false");
        assert!(found || !ci, "CI must prove the nextest half: install cargo-nextest");
        if !found {
            loud(
                "cargo-nextest is not installed: the nextest half of the corpus is NOT proven here",
            );
        }
        found
    })
}

#[expect(clippy::print_stderr, reason = "a half that is not proven must not pass in silence")]
fn loud(line: &str) {
    eprintln!("\n*** {line} ***\n");
}
