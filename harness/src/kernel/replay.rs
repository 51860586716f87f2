//! Replays: a command as words, rendered to a shell line last. Leaves out whether it selects what it should.

use crate::wire::{code::REPLAY_ENV_REFUSED, fault::Fault, path::RelPath, text::joined};
use serde::Serialize;
use std::collections::BTreeMap;

/// A command that shows a failure again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Replay {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Variables that are set for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The folder it runs in; the root when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<RelPath>,
    /// The cargo features it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The shard it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
}

impl Replay {
    /// The trial of one gate, and nothing else.
    #[must_use]
    pub fn gate(binary: &str, gate: &str, prefix: &[String]) -> Self {
        let words = ["cargo", "test", "--test", binary, "--", gate, "--exact"];
        let argv = prefix.iter().cloned().chain(words.map(str::to_owned)).collect();
        Self { argv, ..Self::default() }
    }

    /// Adds a variable.
    ///
    /// # Errors
    /// `replay_env_refused` for a name that changes what is run, or how.
    pub fn with_env(mut self, name: &str, value: &str) -> Result<Self, Fault> {
        check_env(name)?;
        self.env.insert(name.to_owned(), value.to_owned());
        Ok(self)
    }

    /// Checks a replay that was read from a record, whose environment nobody checked.
    ///
    /// # Errors
    /// `replay_env_refused` for the first refused name.
    pub fn checked(self) -> Result<Self, Fault> {
        for name in self.env.keys() {
            check_env(name)?;
        }
        Ok(self)
    }

    /// The line for a POSIX shell.
    #[must_use]
    pub fn render(&self) -> String {
        let cwd = self.cwd.iter().map(|folder| format!("cd {} && ", quote(folder.as_str())));
        let env = self.env.iter().map(|(name, value)| format!("{name}={} ", quote(value)));
        let prefix: String = cwd.chain(env).collect();
        format!("{prefix}{}", render_argv(&self.argv))
    }
}

/// Words as a line for a POSIX shell.
#[must_use]
pub fn render_argv(argv: &[String]) -> String {
    joined(argv.iter().map(|word| quote(word)), " ")
}

/// One word for a POSIX shell.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:,+@%".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    // Inside single quotes a shell obeys nothing; a single quote itself stands outside of them.
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn check_env(name: &str) -> Result<(), Fault> {
    let upper = name.to_ascii_uppercase();
    let shape = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let prefixes = ["LD_", "DYLD_", "GIT_", "RUSTC"];
    let names = [
        "PATH",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "IFS",
        "ENV",
        "BASH_ENV",
        "SHELLOPTS",
    ];
    let suffixes = ["_RUNNER", "_WRAPPER", "_RUSTFLAGS", "_LINKER"];
    let refused = !shape
        || names.contains(&upper.as_str())
        || prefixes.iter().any(|prefix| upper.starts_with(prefix))
        || suffixes.iter().any(|suffix| upper.ends_with(suffix));
    if !refused {
        return Ok(());
    }
    let headline = format!(
        "a replay may not set `{}`",
        name.escape_debug().to_string().chars().take(60).collect::<String>()
    );
    Err(Fault::new(
        REPLAY_ENV_REFUSED,
        headline,
        "remove it from the record, and set it by hand if you mean it",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t14_no_word_becomes_two_or_a_command() {
        let table = [
            ("a plain word", "--exact", "--exact"),
            ("an empty word", "", "''"),
            ("a space", "a b", "'a b'"),
            ("a quote", "it's", "'it'\\''s'"),
            ("a command", "$(rm -rf /)", "'$(rm -rf /)'"),
            ("a newline", "a\nb", "'a\nb'"),
            ("a home", "~", "'~'"),
            ("an assignment", "A=b", "'A=b'"),
            ("a glob", "*", "'*'"),
            ("a comment", "#x", "'#x'"),
        ];
        for (case, word, expected) in table {
            assert_eq!(quote(word), expected, "{case}");
        }
    }

    #[test]
    fn t32_variables_that_change_what_runs_are_refused() {
        for name in [
            "LD_PRELOAD",
            "DYLD_INSERT_LIBRARIES",
            "PATH",
            "Path",
            "GIT_DIR",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTFLAGS",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
            "CARGO_BUILD_RUSTC_WRAPPER",
            "ld_preload",
            "",
            "A=B",
            "A B",
            "1A",
        ] {
            let refused = Replay::default().with_env(name, "x").expect_err(name);
            assert_eq!(refused.code().name(), "replay_env_refused");
            let record = Replay {
                env: BTreeMap::from([(name.to_owned(), "x".to_owned())]),
                ..Replay::default()
            };
            assert!(record.checked().is_err(), "{name:?}");
        }
        for name in ["CI", "PORTCULLIS_NOW", "TZ", "RUST_LOG"] {
            assert!(Replay::default().with_env(name, "x").is_ok(), "{name}");
        }
    }

    #[test]
    fn a_gate_is_replayed_behind_the_prefix_of_the_site() {
        let prefix = ["ssh".to_owned(), "my host".to_owned()];
        let replay =
            Replay::gate("suite", "build", &prefix).with_env("TZ", "UTC +1").expect("accepted");
        assert_eq!(
            replay.render(),
            "TZ='UTC +1' ssh 'my host' cargo test --test suite -- build --exact"
        );
    }
}
