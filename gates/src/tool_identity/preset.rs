//! What is asked of a runtime that others imitate. Which answers were given is judged elsewhere.

use super::identity::{Identity, Question};
use crate::pattern::Pattern;
use portcullis::{Code, Fault};
use serde::Deserialize;

/// A tool whose questions are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Preset {
    /// Node.js itself.
    Node,
    /// Bun itself.
    Bun,
}

/// One line each: what it says it is, the marks of other runtimes, and the name of its binary. A single mark could be
/// masked by a script that is loaded first, so all are asked for.
const MARKS: &str = "[\
    'runtime=' + process.release.name, \
    'foreign=' + [process.versions.bun && 'bun', process.versions.webkit && 'webkit', process.versions.deno && 'deno', \
    typeof Bun !== 'undefined' && 'Bun', typeof Deno !== 'undefined' && 'Deno', process.isBun && 'isBun']\
    .filter(Boolean).join(','), \
    'binary=' + process.execPath.split(/[\\\\/]/).pop()].join('\\n')";

impl Preset {
    /// The names it is installed under.
    pub(super) fn candidates(self) -> Vec<String> {
        match self {
            Self::Node => vec!["node".to_owned()],
            Self::Bun => vec!["bun".to_owned()],
        }
    }

    /// The code of a tool that is something else, or is not there.
    pub(super) fn codes(self) -> (Code, Code) {
        match self {
            Self::Node => (super::NODE_UNAVAILABLE_OR_SHIMMED, super::NODE_UNAVAILABLE_OR_SHIMMED),
            Self::Bun => (super::TOOL_IDENTITY_MISMATCH, super::TOOL_ABSENT),
        }
    }

    /// Adds what is asked, and where the version stands.
    ///
    /// # Errors
    /// When a pattern of this file is none.
    pub(super) fn fill(self, identity: &mut Identity) -> Result<(), Fault> {
        match self {
            Self::Node => {
                identity.questions = vec![
                    question(&["--version"], 0, &["^v[0-9]+\\.[0-9]+\\.[0-9]+"])?,
                    question(&["-p", MARKS], 0, &["^runtime=node$", "^foreign=$", "^binary=node"])?,
                    // Node refuses an option that nobody knows, with an exit code of its own.
                    question(&["--portcullis-no-such-option", "-p", "1"], 9, &[])?,
                    // Whoever has no V8 has no list of its options.
                    question(&["--v8-options"], 0, &["--stack-size"])?,
                ];
                identity.version_pattern = Some(Pattern::new("^v([0-9]+\\.[0-9]+\\.[0-9]+)")?);
            }
            Self::Bun => {
                identity.questions = vec![
                    question(&["--version"], 0, &["^[0-9]+\\.[0-9]+\\.[0-9]+"])?,
                    question(&["-p", MARKS], 0, &["^foreign=bun,", "^binary=bun"])?,
                ];
                identity.version_pattern = Some(Pattern::new("^([0-9]+\\.[0-9]+\\.[0-9]+)")?);
            }
        }
        Ok(())
    }
}

fn question(arguments: &[&str], exit: i32, must_match: &[&str]) -> Result<Question, Fault> {
    let patterns: Result<Vec<Pattern>, Fault> =
        must_match.iter().map(|text| Pattern::new(text)).collect();
    Ok(Question {
        arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        exit,
        must_match: patterns?.into_iter().map(|pattern| (pattern, None)).collect(),
        must_not_match: Vec::new(),
    })
}
