//! What a script is made of: lists of pipelines of commands, with their places. It holds no values.

/// Commands in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) items: Vec<Item>,
}

/// A chain of `&&` and `||`, run in the foreground or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(Connector, Pipeline)>,
    pub(crate) is_background: bool,
}

/// What stands between two pipelines of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connector {
    And,
    Or,
}

/// Commands joined by `|`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pipeline {
    pub(crate) is_negated: bool,
    pub(crate) commands: Vec<Command>,
}

/// One command with its redirections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) kind: Kind,
    pub(crate) redirects: Vec<Redirect>,
    /// The offset of its first word.
    pub(crate) at: usize,
}

/// The forms of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Simple(Simple),
    Group(List),
    Subshell(List),
    If {
        branches: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    Loop {
        until: bool,
        condition: List,
        body: List,
    },
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: List,
    },
    /// `for ((..))`: how often it runs is not followed.
    Counted {
        body: List,
    },
    Case {
        word: Word,
        arms: Vec<(Vec<Word>, List)>,
    },
    Function {
        name: String,
        body: std::rc::Rc<Command>,
    },
    /// `[[ .. ]]`, word by word.
    Test(Vec<Word>),
    /// `(( .. ))` as written.
    Arithmetic(String),
}

/// Assignments and words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Simple {
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) words: Vec<Word>,
}

/// `name=value`, `name+=value` or `name=(..)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) is_appended: bool,
    pub(crate) value: Word,
}

/// Where input comes from or output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    pub(crate) operator: String,
    /// The file, the descriptor, or the text of a here-document.
    pub(crate) target: Word,
}

/// A word before expansion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) parts: Vec<Part>,
    pub(crate) at: usize,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text {
        text: String,
        is_quoted: bool,
    },
    /// `$name`, `${name}` or `${name<operation>}`, where the operation is as written.
    Variable {
        name: String,
        operation: String,
        is_quoted: bool,
    },
    /// `$(..)` or backticks.
    Substitution {
        list: List,
        is_quoted: bool,
    },
    /// `<(..)` or `>(..)`.
    Process(List),
    /// `$((..))` as written.
    Arithmetic(String),
    /// `${{ .. }}` of the provider, as written between the braces.
    Expression(String),
    /// `(..)` after `name=`.
    Array(Vec<Word>),
}

impl Word {
    /// Its text, when nothing in it is expanded.
    pub(crate) fn literal(&self) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            let Part::Text { text: piece, .. } = part else { return None };
            text.push_str(piece);
        }
        Some(text)
    }

    /// Its text, when none of it is quoted: only then it can be a keyword.
    pub(super) fn bare(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text { text, is_quoted: false }] => Some(text),
            _ => None,
        }
    }

    /// The commands whose output is a piece of it, those in quotes and arrays included.
    pub(crate) fn substitutions(&self) -> Vec<&List> {
        let mut found = Vec::new();
        let mut open: Vec<&Self> = vec![self];
        while let Some(word) = open.pop() {
            for part in &word.parts {
                match part {
                    Part::Substitution { list, .. } | Part::Process(list) => found.push(list),
                    Part::Array(words) => open.extend(words),
                    Part::Text { .. }
                    | Part::Variable { .. }
                    | Part::Arithmetic(_)
                    | Part::Expression(_) => {}
                }
            }
        }
        found
    }
}
