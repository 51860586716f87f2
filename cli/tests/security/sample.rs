//! A small repository with a remote, and the built subcommand over it.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

const REQUIREMENTS: &str = "\
version = 1

[[requirement]]
id = \"works\"
title = \"it works\"
status = \"done\"
evidence = [{ kind = \"command\", argv = [\"sh\", \"-c\", \"exit 0\"] }]
";

#[expect(clippy::disallowed_methods, reason = "a test asks where its own tools are")]
pub(crate) fn host(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// A repository with one commit that its remote has.
pub(crate) struct Sample(tempfile::TempDir);

impl Sample {
    pub(crate) fn new() -> Self {
        Self::with(REQUIREMENTS)
    }

    /// One whose work is complete when these requirements are.
    pub(crate) fn with(requirements: &str) -> Self {
        let sample = Self(tempfile::tempdir().expect("a folder"));
        for folder in ["work", "home"] {
            fs::create_dir(sample.0.path().join(folder)).expect("a folder");
        }
        sample.put("portcullis.toml", "[policy]\nversion = 1\nowner = \"team\"\n");
        sample.put(".gitignore", "/target\n");
        sample.put("completion_requirements.toml", requirements);
        sample.git(&["init", "--quiet", "--bare", "../remote.git"]);
        sample.git(&["init", "--quiet", "--initial-branch=main"]);
        sample.git(&["remote", "add", "origin", "../remote.git"]);
        sample.commit();
        sample.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
        sample
    }

    /// A path of the work tree.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("work").join(name)
    }

    /// A path beside the work tree.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::File::create(path).expect("a file").write_all(text.as_bytes()).expect("written");
    }

    /// A script that anybody may run.
    #[cfg(unix)]
    pub(crate) fn script(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.put(name, text);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path(name), mode).expect("a mode");
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "change"]);
    }

    pub(crate) fn git(&self, words: &[&str]) {
        let identity = [
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.invalid",
            "-c",
            "commit.gpgsign=false",
        ];
        let output = self.command("git").args(identity).args(words).output().expect("git starts");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    #[expect(clippy::disallowed_methods, reason = "these tests are about the process itself")]
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path(""))
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", host("PATH").unwrap_or_default())
            .env("HOME", self.outside("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    /// The subcommand, ready to be given more of an environment.
    pub(crate) fn portcullis(&self, words: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_cargo-portcullis"));
        command.args(words);
        command
    }
}

/// The exit code, and everything that was said.
pub(crate) fn ended(command: &mut Command) -> (Option<i32>, String) {
    let output: Output = command.output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}
