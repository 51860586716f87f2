//! The rules of a contract: which values a pointer leads to, and what they must be.
//! A rule that cannot look is an error; a value that is not there is a violation, never a silent truth.

mod sequence;
mod table;
mod value;

pub(crate) use table::{RuleTable, Unusable, pointer};
pub(crate) use value::{JsonType, Within};

use super::{FIELD_MISSING, IMPLICATION_BROKEN, RULE_BROKEN};
use crate::{
    json_path::{Pointer, Selection},
    json_value::{Number, shown},
    pattern::Pattern,
};
use portcullis::{Code, Fault, Instant, evidence::json::Kept, wire::code::NOTHING_EXAMINED};
use serde_json::Value;
use std::borrow::Cow;

/// A rule, ready to look.
pub(crate) struct Rule {
    pub(crate) path: Pointer,
    pub(crate) tests: Vec<Test>,
    pub(crate) allow_empty: bool,
}

/// What a value, or the sequence of selected values, must be.
pub(crate) enum Test {
    Exists(bool),
    Type(JsonType),
    Equals(Value),
    OneOf(Vec<Value>),
    Matches(Pattern),
    NonEmpty,
    Empty,
    PositiveInt,
    Min(Number),
    Max(Number),
    DateWithin(Within),
    Sorted,
    Unique,
    ContainsAll(Vec<Value>),
    ExactSequence(Vec<Value>),
    SumEquals(Vec<Pointer>),
    Implies { when: Vec<Rule>, then: Vec<Rule> },
}

/// One thing that is not as a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) code: Code,
    /// The path of the value.
    pub(crate) path: String,
    /// The name of the rule.
    pub(crate) rule: &'static str,
    pub(crate) expected: String,
    pub(crate) found: String,
    /// Whether a value was needed to look and was not there; `exists` asks for it, so that is an answer.
    blind: bool,
}

impl Violation {
    pub(super) fn new(path: &str, rule: &'static str, expected: String, found: String) -> Self {
        let path = if path.is_empty() { WHOLE } else { path };
        Self { code: RULE_BROKEN, path: path.to_owned(), rule, expected, found, blind: false }
    }

    fn missing(path: &str, rule: &'static str, blind: bool) -> Self {
        let expected = "a value".to_owned();
        let new = Self::new(path, rule, expected, "no such field".to_owned());
        Self { code: FIELD_MISSING, blind, ..new }
    }
}

/// How messages name the document itself.
const WHOLE: &str = "(the document)";

/// What a rule may know beyond the document, and how much searching is left.
pub(crate) struct Looking {
    pub(crate) now: Instant,
    /// Bytes of text times bytes of pattern that may still be searched (threat T23).
    pub(crate) search_budget: u64,
}

impl Looking {
    /// The budget is one search of the longest pattern in the longest text.
    pub(crate) fn new(now: Instant) -> Self {
        Self { now, search_budget: 1 << 28 }
    }
}

/// Beyond this nobody reads on; the total is still counted by the caller's findings.
const VIOLATIONS_MAX: usize = 1_000;

impl Rule {
    /// Marks everything that the rule looks at as kept.
    pub(crate) fn keep(&self, document: &mut Kept) {
        self.path.keep(document);
        for test in &self.tests {
            if let Test::SumEquals(paths) = test {
                // Summands are paths of the document, wherever the sum stands.
                for path in paths {
                    path.keep(document);
                }
            }
        }
    }

    /// Adds what is not as the rule says.
    ///
    /// # Errors
    /// `nothing_examined` where `*` stands for nothing, `value_not_finite` and `budget_exceeded`.
    pub(crate) fn look(
        &self,
        document: &Value,
        looking: &mut Looking,
        out: &mut Vec<Violation>,
    ) -> Result<(), Fault> {
        let selection = self.path.select(document);
        if !self.allow_empty
            && let Some(path) = selection.empty.first()
        {
            return Err(nothing_at(path));
        }
        if self.tests.iter().all(|test| !matches!(test, Test::Exists(_))) {
            for path in selection.missing.iter().take(VIOLATIONS_MAX) {
                out.push(Violation::missing(path, "exists", true));
            }
        }
        for test in &self.tests {
            if let Test::Exists(expected) = test {
                existence(*expected, &selection, out);
            } else if test.is_of_sequence() {
                self.look_at_sequence(test, document, &selection.found, out)?;
            } else {
                for (path, value) in &selection.found {
                    if out.len() >= VIOLATIONS_MAX {
                        break;
                    }
                    look_at_value(test, path, value, looking, out)?;
                }
            }
        }
        Ok(())
    }

    /// With `*` the sequence is what was selected; without, it is the list that the path names.
    fn look_at_sequence(
        &self,
        test: &Test,
        document: &Value,
        found: &[(Cow<'_, str>, &Value)],
        out: &mut Vec<Violation>,
    ) -> Result<(), Fault> {
        let path = self.path.to_string();
        let items: Vec<&Value> = match found {
            [] => return Ok(()),
            [(path, only)] if !self.path.has_each() => match only.as_array() {
                Some(items) => items.iter().collect(),
                None if matches!(test, Test::SumEquals(_)) => vec![*only],
                None => {
                    let found = shown(only);
                    out.push(Violation::new(path, test.name(), "a list".to_owned(), found));
                    return Ok(());
                }
            },
            _ => found.iter().map(|(_, value)| *value).collect(),
        };
        if items.is_empty() && test.is_vacuous_on_nothing() && !self.allow_empty {
            return Err(nothing_at(&path));
        }
        sequence::look(test, &path, &items, document, out)
    }
}

fn nothing_at(path: &str) -> Fault {
    Fault::new(
        NOTHING_EXAMINED,
        format!("a rule looked at nothing: `{path}` is empty"),
        "fill it, or say `allow_empty = true` in the rule if nothing may stand there",
    )
}

fn existence(expected: bool, selection: &Selection<'_>, out: &mut Vec<Violation>) {
    if expected {
        for path in selection.missing.iter().take(VIOLATIONS_MAX) {
            out.push(Violation::missing(path, "exists", false));
        }
    } else {
        for (path, value) in selection.found.iter().take(VIOLATIONS_MAX) {
            out.push(Violation::new(path, "exists", "no such field".to_owned(), shown(value)));
        }
    }
}

fn look_at_value(
    test: &Test,
    path: &str,
    value: &Value,
    looking: &mut Looking,
    out: &mut Vec<Violation>,
) -> Result<(), Fault> {
    if let Test::Implies { when, then } = test {
        return implication(when, then, path, value, looking, out);
    }
    if let Some(expected) = value::unmet(test, path, value, looking)? {
        out.push(Violation::new(path, test.name(), expected, shown(value)));
    }
    Ok(())
}

/// A condition that cannot be evaluated is reported: otherwise a renamed field would silence the rule.
fn implication(
    when: &[Rule],
    then: &[Rule],
    path: &str,
    value: &Value,
    looking: &mut Looking,
    out: &mut Vec<Violation>,
) -> Result<(), Fault> {
    let mut unmet = Vec::new();
    for rule in when {
        rule.look(value, looking, &mut unmet)?;
    }
    if !unmet.is_empty() {
        let blind = unmet.into_iter().filter(|violation| violation.blind);
        out.extend(blind.map(|blind| Violation { path: below(path, &blind.path), ..blind }));
        return Ok(());
    }
    let mut broken = Vec::new();
    for rule in then {
        rule.look(value, looking, &mut broken)?;
    }
    for violation in broken {
        let expected = format!("{} ({}), as `when` holds", violation.expected, violation.rule);
        let path = below(path, &violation.path);
        out.push(Violation {
            code: IMPLICATION_BROKEN,
            rule: "implies",
            path,
            expected,
            ..violation
        });
    }
    Ok(())
}

/// The path of a value below the one that an implication stands on.
fn below(path: &str, inner: &str) -> String {
    match (path, inner) {
        (path, WHOLE) if !path.is_empty() => path.to_owned(),
        (_, WHOLE) => WHOLE.to_owned(),
        (path, inner) => format!("{path}{inner}"),
    }
}

impl Test {
    /// The name in the configuration.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Exists(_) => "exists",
            Self::Type(_) => "type",
            Self::Equals(_) => "equals",
            Self::OneOf(_) => "one_of",
            Self::Matches(_) => "matches",
            Self::NonEmpty => "non_empty",
            Self::Empty => "empty",
            Self::PositiveInt => "positive_int",
            Self::Min(_) => "min",
            Self::Max(_) => "max",
            Self::DateWithin(_) => "date_within",
            Self::Sorted => "sorted",
            Self::Unique => "unique",
            Self::ContainsAll(_) => "contains_all",
            Self::ExactSequence(_) => "exact_sequence",
            Self::SumEquals(_) => "sum_equals",
            Self::Implies { .. } => "implies",
        }
    }

    const fn is_of_sequence(&self) -> bool {
        matches!(
            self,
            Self::Sorted
                | Self::Unique
                | Self::ContainsAll(_)
                | Self::ExactSequence(_)
                | Self::SumEquals(_)
        )
    }

    /// Whether it is true of no elements at all.
    const fn is_vacuous_on_nothing(&self) -> bool {
        matches!(self, Self::Sorted | Self::Unique)
    }
}

#[cfg(test)]
mod tests;
