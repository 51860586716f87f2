//! One failure of a log, and the class that its words give it. Leaves out how it was put together.

use serde::Serialize;

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A test, or a gate, which is a test.
    Test,
    /// A build.
    Build,
    /// A command of cargo's, or a process.
    Command,
}

/// One failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogFailure {
    /// What failed.
    pub kind: Kind,
    /// The test binary, as the log names it.
    pub suite: Option<String>,
    /// The kind of its target, as far as the log says: `test`, `lib`, `bin` or `doc`.
    pub cargo_kind: Option<&'static str>,
    /// The test.
    pub test: Option<String>,
    /// Its class.
    pub class: String,
    /// Codes that stand below it.
    pub codes: Vec<String>,
    /// Where it failed first.
    pub location: Option<String>,
    /// What it said.
    pub message: String,
    /// The line of its first mention, from 1.
    pub line: u64,
    /// Ways out that the log names.
    pub remedies: Vec<String>,
    /// The replay that the log names.
    pub replay: Option<String>,
    /// Patterns of the policy that matched within it.
    pub patterns: Vec<usize>,
}

/// The class of a failure that nothing but its message tells of.
pub(super) fn class_of(message: &str, panicked: bool) -> &'static str {
    let has = |word: &str| message.contains(word);
    if has("assertion") && (has("failed") || has("left")) {
        "assertion_failure"
    } else if panicked {
        "panic"
    } else if message.starts_with("Error: ") {
        "test_error"
    } else if has("No such file or directory") || has("No space left on device") {
        "environment"
    } else {
        "unknown"
    }
}
