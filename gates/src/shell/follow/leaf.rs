//! A command that runs: its final argv with where it stands, and what kind of command it is.

use crate::shell::argv::OPAQUE;
use crate::shell::tree::{Command, Kind, List, Part, Pipeline, Redirect, Word};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Where something stands: in the script that was followed, or in a file that it opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// An offset into the script.
    Script(usize),
    File {
        path: Rc<str>,
        line: u32,
        column: u32,
    },
}

/// A command that may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Without the programs in front of it; [`OPAQUE`] stands for what is not known.
    pub(crate) argv: Vec<String>,
    pub(crate) place: Place,
    /// Its environment, as far as the script and what surrounds it set one.
    pub(crate) env: BTreeMap<String, String>,
    /// The folder below the repository that it runs in; may hold [`OPAQUE`].
    pub(crate) folder: String,
    /// Whether it runs on some paths only.
    pub(crate) is_conditional: bool,
    pub(crate) is_verification: bool,
}

/// What tells one leaf from another.
pub(super) type Key = (Place, Vec<String>, BTreeMap<String, String>, String);

/// Programs whose status is the answer to a question, so that a failure of theirs is no fault.
const QUESTIONS: &[&str] = &[
    "[", "test", "grep", "egrep", "fgrep", "diff", "cmp", "which", "type", "hash", "pgrep", "false",
];

/// Programs that never fail, as far as a script is concerned.
pub(super) const HARMLESS: &[&str] =
    &["true", ":", "echo", "printf", "sleep", "date", "pwd", "umask"];

/// Whether an argv asks a question.
pub(super) fn is_question(argv: &[String]) -> bool {
    match argv {
        [program, flag, ..] if program == "command" => flag == "-v" || flag == "-V",
        [program, verb, ..] if program == "git" => {
            verb == "diff" && argv.iter().any(|word| word == "--quiet" || word == "--exit-code")
        }
        [program, ..] => QUESTIONS.contains(&program.as_str()),
        [] => false,
    }
}

/// Whether a pipeline asks a question, as far as its words show.
pub(super) fn asks(pipeline: &Pipeline) -> bool {
    let Some(last) = pipeline.commands.last() else { return false };
    let by_form = match &last.kind {
        Kind::Test(_) | Kind::Arithmetic(_) | Kind::If { .. } | Kind::Case { .. } => true,
        Kind::Simple(simple) => {
            let argv: Vec<String> = simple
                .words
                .iter()
                .map(|word| word.literal().unwrap_or_else(|| OPAQUE.to_string()))
                .collect();
            // A program that is a variable is most often `true` or `false`.
            is_question(&argv) || argv.first().is_some_and(|program| program.contains(OPAQUE))
        }
        Kind::Group(list) | Kind::Subshell(list) => list
            .items
            .iter()
            .any(|item| asks(&item.first) || item.rest.iter().any(|(_, p)| asks(p))),
        Kind::Loop { .. } | Kind::For { .. } | Kind::Counted { .. } | Kind::Function { .. } => {
            false
        }
    };
    pipeline.is_negated || by_form
}

/// Whether a condition is written to hold always.
pub(super) fn is_constant(condition: &List) -> bool {
    let [item] = condition.items.as_slice() else { return false };
    let [command] = item.first.commands.as_slice() else { return false };
    let Kind::Simple(simple) = &command.kind else { return false };
    let literal = simple.words.first().and_then(Word::literal);
    item.rest.is_empty() && literal.is_some_and(|word| word == "true" || word == ":")
}

/// Whether a redirection goes to the file from which the provider takes variables for later steps.
pub(super) fn is_provider_file(redirect: &Redirect) -> bool {
    names_provider_file(&redirect.target) && redirect.operator.contains('>')
}

fn names_provider_file(word: &Word) -> bool {
    word.parts.iter().any(|part| match part {
        Part::Variable { name, .. } => name == "GITHUB_ENV",
        Part::Expression(text) => text.contains("GITHUB_ENV") || text.trim() == "github.env",
        Part::Text { .. }
        | Part::Substitution { .. }
        | Part::Process(_)
        | Part::Arithmetic(_)
        | Part::Array(_) => false,
    })
}

/// Whether a command of a pipeline is a `tee` into that file.
pub(super) fn writes_provider_file(command: &Command) -> bool {
    match &command.kind {
        Kind::Simple(simple) => simple.words.iter().any(names_provider_file),
        Kind::Group(_)
        | Kind::Subshell(_)
        | Kind::If { .. }
        | Kind::Loop { .. }
        | Kind::For { .. }
        | Kind::Counted { .. }
        | Kind::Case { .. }
        | Kind::Function { .. }
        | Kind::Test(_)
        | Kind::Arithmetic(_) => false,
    }
}
