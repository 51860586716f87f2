//! `cargo-portcullis`, built once: what another process says about a run directory and about a repository.

use portcullis_repo::process::{command, subcommand, text};
use std::path::Path;

/// What the subcommand said.
pub(super) struct Answer {
    code: Option<i32>,
    text: String,
}

impl Answer {
    /// Asserts the exit code, and that it said each of `parts`.
    pub(super) fn said(&self, case: &str, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{case}: {}", self.text);
        for part in parts {
            assert!(self.text.contains(part), "{case}: `{part}` is not in\n{}", self.text);
        }
    }
}

/// Calls the binary itself, as generated CI does (facts Z12), with variables of the case.
pub(super) fn portcullis(cwd: &Path, words: &[&str], env: &[(&str, &str)]) -> Answer {
    let mut call = command(subcommand(), cwd);
    let output = call.args(words).envs(env.iter().copied()).output();
    let output = output.expect("the subcommand starts");
    Answer { code: output.status.code(), text: text(&output) }
}

/// Verifies a run directory from within a repository.
pub(super) fn verify(repository: &Path, run: &Path, words: &[&str]) -> Answer {
    let path = run.to_str().expect("a path");
    let words: Vec<&str> = ["verify", path].into_iter().chain(words.iter().copied()).collect();
    portcullis(repository, &words, &[])
}
