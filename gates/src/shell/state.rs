//! What is known of a shell at one moment on one path through a script. How it gets there is in `follow.rs`.

use super::argv::{FAILED, JOB, OPAQUE};
use super::arithmetic::evaluate;
use super::options::Options;
use super::tree::{Part, Word};
use std::collections::{BTreeMap, BTreeSet};

/// Between the elements of an array that a variable holds.
const ELEMENT: char = '\u{1f}';

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Zero,
    Failed,
    /// Either, as far as can be known.
    Any,
}

impl Status {
    fn word(self) -> String {
        match self {
            Self::Zero => "0".to_owned(),
            Self::Failed => FAILED.to_string(),
            Self::Any => OPAQUE.to_string(),
        }
    }

    /// The status that `exit` or `return` makes of a word.
    pub(super) fn of_word(word: &str) -> Self {
        match word.trim().parse::<i64>() {
            Ok(number) if number.rem_euclid(256) == 0 => Self::Zero,
            Ok(_) => Self::Failed,
            Err(_) if word.contains(FAILED) && !word.contains(OPAQUE) => Self::Failed,
            Err(_) => Self::Any,
        }
    }
}

/// Where a failure of a verification command was first let go of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// Left of `||`, and the right side ended well.
    Or,
    /// The next command ran, because `set` had switched errexit off.
    ErrexitOff,
    /// The next command ran, because the shell never had errexit.
    NoErrexit,
    /// Not last in a pipeline without pipefail.
    Pipe,
    /// Nobody asked: background, substitution, condition, negation, trap, an ignored line of a recipe.
    Status,
}

/// A verification command that failed on this path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Failure {
    pub(super) leaf: usize,
    pub(super) loss: Option<Loss>,
    /// Whether the same command succeeded later.
    pub(super) succeeded_later: bool,
    /// Whether a loop was left because of that.
    pub(super) is_retried: bool,
    /// Whether an `exit 0` was written down for this path.
    pub(super) exits_zero: bool,
}

/// One path's knowledge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) status: Status,
    /// Whether the status is of a kind that errexit overlooks: from the left of `&&`, or negated.
    pub(super) is_excused: bool,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) exported: BTreeSet<String>,
    pub(super) positional: Vec<String>,
    /// Indexes of functions by name.
    pub(super) functions: BTreeMap<String, usize>,
    pub(super) folder: String,
    pub(super) pipe: Vec<Status>,
    pub(super) failure: Option<Failure>,
    /// Whether the failure happened in a background command that nobody has waited for.
    pub(super) job_failed: bool,
    pub(super) exit_trap: Option<String>,
    pub(super) error_trap: Option<String>,
    /// Whether something earlier may have ended the script in success.
    pub(super) is_conditional: bool,
}

impl State {
    pub(super) fn new(options: Options, folder: &str, env: &BTreeMap<String, String>) -> Self {
        Self {
            options,
            status: Status::Zero,
            is_excused: false,
            variables: env.clone(),
            exported: env.keys().cloned().collect(),
            positional: Vec::new(),
            functions: BTreeMap::new(),
            folder: folder.to_owned(),
            pipe: Vec::new(),
            failure: None,
            job_failed: false,
            exit_trap: None,
            error_trap: None,
            is_conditional: false,
        }
    }

    pub(super) fn with(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Names where the failure was let go of; the first place stands.
    pub(super) fn lose(&mut self, loss: Loss) {
        if let Some(failure) = &mut self.failure {
            failure.loss.get_or_insert(loss);
        }
    }

    /// What the environment of a program is.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let exported = |(name, _): &(&String, &String)| self.exported.contains(*name);
        self.variables.iter().filter(exported).map(|(a, b)| (a.clone(), b.clone())).collect()
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.variables.insert(name.to_owned(), value);
    }

    /// Changes into a folder of the repository; one that is not known stays unknown.
    pub(super) fn change_folder(&mut self, folder: &str) {
        self.folder = join(&self.folder, folder);
    }

    /// A variable by its name, where it is known.
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "?" => Some(self.status.word()),
            "!" => Some(JOB.to_string()),
            "#" => Some(self.positional.len().to_string()),
            "@" | "*" => Some(self.positional.join(&ELEMENT.to_string())),
            "PIPESTATUS" => {
                let words: Vec<String> = self.pipe.iter().map(|status| status.word()).collect();
                Some(words.join(&ELEMENT.to_string()))
            }
            _ => match name.parse::<usize>() {
                Ok(number) => self.positional.get(number.checked_sub(1)?).cloned(),
                Err(_) => self.variables.get(name).cloned(),
            },
        }
    }

    /// What `${name<operation>}` comes to; several words only for arrays.
    fn expansion(&self, name: &str, operation: &str) -> Option<Vec<String>> {
        let value = self.variable(name);
        let elements = || -> Option<Vec<String>> {
            let value = value.clone()?;
            if value.is_empty() {
                return Some(Vec::new());
            }
            Some(value.split(ELEMENT).map(str::to_owned).collect())
        };
        match operation {
            "" if matches!(name, "@" | "*") => elements(),
            "" => Some(vec![value?.split(ELEMENT).next().unwrap_or_default().to_owned()]),
            "[@]" | "[*]" => elements(),
            "#[@]" | "#[*]" => Some(vec![elements()?.len().to_string()]),
            _ => {
                if let Some(index) = operation.strip_prefix('[').and_then(|op| op.strip_suffix(']'))
                {
                    return Some(vec![elements()?.get(index.parse::<usize>().ok()?)?.clone()]);
                }
                let default =
                    operation.strip_prefix(":-").or_else(|| operation.strip_prefix('-'))?;
                match value {
                    Some(value) if !value.is_empty() => Some(vec![value]),
                    Some(_) if !default.contains(['$', '`']) => Some(vec![default.to_owned()]),
                    Some(_) | None => None,
                }
            }
        }
    }

    /// A word as one text, as in an assignment or a test.
    pub(super) fn single(&self, word: &Word) -> String {
        let mut text = String::new();
        for part in &word.parts {
            match part {
                Part::Text { text: piece, .. } => text.push_str(&clean(piece)),
                Part::Variable { name, operation, .. } => match self.expansion(name, operation) {
                    Some(words) => text.push_str(&words.join(" ")),
                    None => text.push(OPAQUE),
                },
                Part::Arithmetic(expression) => {
                    text.push_str(&evaluate(expression, &|name| self.variable(name)).0.word());
                }
                Part::Array(words) => {
                    let words: Vec<String> =
                        words.iter().flat_map(|word| self.expand(word)).collect();
                    text.push_str(&words.join(&ELEMENT.to_string()));
                }
                Part::Substitution { .. } | Part::Process(_) | Part::Expression(_) => {
                    text.push(OPAQUE)
                }
            }
        }
        text
    }

    /// The value of `((..))`, with the variable that it sets.
    pub(super) fn arithmetic(&mut self, text: &str) -> Option<bool> {
        let (number, set) = evaluate(text, &|name| self.variable(name));
        if let Some((name, value)) = set {
            self.set(&name, value.word());
        }
        number.is_true()
    }

    /// Assigns a variable, an array included.
    pub(super) fn assign(&mut self, name: &str, is_appended: bool, value: &Word) {
        let is_array = matches!(value.parts.first(), Some(Part::Array(_)));
        let new = self.single(value);
        let text = match self.variables.get(name).filter(|_| is_appended) {
            Some(old) if is_array && !old.is_empty() => format!("{old}{ELEMENT}{new}"),
            Some(old) => format!("{old}{new}"),
            None => new,
        };
        // `x=$x$x` in a loop must not grow without bound.
        self.set(name, if text.len() > 65_536 { OPAQUE.to_string() } else { text });
    }

    /// A word as the words that a command sees: variables split, arrays and braces spread.
    pub(super) fn expand(&self, word: &Word) -> Vec<String> {
        if let [Part::Text { text, is_quoted: false }] = word.parts.as_slice() {
            return braces(&clean(text), 0);
        }
        let mut words = Vec::new();
        let mut open: Option<String> = None;
        for part in &word.parts {
            match part {
                Part::Variable { name, operation, is_quoted } => {
                    let spreads = matches!(name.as_str(), "@" | "*") || operation.contains("[@]");
                    let values = self.expansion(name, operation);
                    let pieces: Vec<String> = match values {
                        None => vec![OPAQUE.to_string()],
                        Some(values) if *is_quoted && spreads => values,
                        Some(values) if *is_quoted => vec![values.join(" ")],
                        Some(values) => values
                            .iter()
                            .flat_map(|v| v.split_whitespace())
                            .map(str::to_owned)
                            .collect(),
                    };
                    let last = pieces.len().saturating_sub(1);
                    for (index, piece) in pieces.into_iter().enumerate() {
                        open.get_or_insert_default().push_str(&piece);
                        if index < last {
                            words.extend(open.take());
                        }
                    }
                }
                Part::Text { text, .. } => open.get_or_insert_default().push_str(&clean(text)),
                Part::Substitution { .. }
                | Part::Process(_)
                | Part::Arithmetic(_)
                | Part::Expression(_)
                | Part::Array(_) => {
                    let one = Word { parts: vec![part.clone()], at: word.at };
                    open.get_or_insert_default().push_str(&self.single(&one));
                }
            }
        }
        words.extend(open);
        words
    }
}

/// A text of the script without the characters that stand for knowledge of ours.
fn clean(text: &str) -> String {
    text.replace([FAILED, JOB, ELEMENT], &OPAQUE.to_string())
}

/// `a{b,c}` as the words that it stands for.
fn braces(text: &str, depth: usize) -> Vec<String> {
    let found = text.find('{').and_then(|start| {
        let end = start + text.get(start..)?.find('}')?;
        let inner = text.get(start + 1..end)?;
        (inner.contains(',') && depth < 4).then(|| (start, inner, end + 1))
    });
    let Some((start, inner, end)) = found else { return vec![text.to_owned()] };
    let (head, tail) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    inner.split(',').flat_map(|piece| braces(&format!("{head}{piece}{tail}"), depth + 1)).collect()
}

/// A path below another; unknown when it leads out of the repository or is not known.
pub(super) fn join(folder: &str, path: &str) -> String {
    if path.contains(OPAQUE) || path.starts_with(['/', '~']) || folder.contains(OPAQUE) {
        return OPAQUE.to_string();
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return OPAQUE.to_string();
                }
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What `[`, `test` or `[[` says about its words; nothing when that is not known.
pub(super) fn predicate(words: &[String]) -> Option<bool> {
    for (operators, all) in [(["||", "-o"], false), (["&&", "-a"], true)] {
        if let Some(at) = words.iter().position(|word| operators.contains(&word.as_str())) {
            let left = predicate(words.get(..at)?);
            let right = predicate(words.get(at + 1..)?);
            return match (left, right) {
                (Some(left), Some(right)) => Some(if all { left && right } else { left || right }),
                (Some(known), None) | (None, Some(known)) if known != all => Some(known),
                (Some(_), None) | (None, Some(_) | None) => None,
            };
        }
    }
    let known = |text: &str| !text.contains(OPAQUE);
    match words {
        [] => Some(false),
        [bang, rest @ ..] if bang == "!" => predicate(rest).map(|truth| !truth),
        [open, inner @ .., close] if open == "(" && close == ")" => predicate(inner),
        [one] => known(one).then_some(!one.is_empty()),
        [flag, text] if flag == "-z" => known(text).then_some(text.is_empty()),
        [flag, text] if flag == "-n" => known(text).then_some(!text.is_empty()),
        [left, operator, right] if matches!(operator.as_str(), "=" | "==" | "!=") => {
            if !known(left) || !known(right) || right.contains(['*', '?', '[']) {
                return None;
            }
            let is_equal = match (left.contains(FAILED), right.contains(FAILED)) {
                (false, false) => left == right,
                // A failure is neither `0` nor empty; which other number it is, nobody knows.
                (true, false) if matches!(right.as_str(), "0" | "") => false,
                (false, true) if matches!(left.as_str(), "0" | "") => false,
                _ => return None,
            };
            Some(is_equal == (operator != "!="))
        }
        [left, operator, right] => {
            use super::arithmetic::{Number, compare};
            compare(Number::of(left), operator, Number::of(right))
        }
        _ => None,
    }
}
