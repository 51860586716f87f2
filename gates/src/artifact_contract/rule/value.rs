//! Rules about one value: its type, its text, its size, its date.

use super::{Looking, Test};
use crate::pattern::{LINE_MAX, Pattern};
use portcullis::{
    Day, Fault, Instant,
    wire::code::{BUDGET_EXCEEDED, VALUE_NOT_FINITE},
};
use serde::Deserialize;
use serde_json::Value;
use std::cmp::Ordering;

/// How much of a value a message shows.
const SHOWN_CHARS: usize = 200;
const DAY_MS: i64 = 86_400_000;

/// The types of JSON, with whole numbers told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JsonType {
    /// A text.
    String,
    /// A number without a fraction.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
    /// `null`.
    Null,
}

/// A number that compares exactly where both sides are whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    pub(crate) fn of(number: &serde_json::Number) -> Option<Self> {
        match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(n), _, _) => Some(Self::Int(i128::from(n))),
            (None, Some(n), _) => Some(Self::Int(i128::from(n))),
            (None, None, Some(x)) if x.is_finite() => Some(Self::Float(x)),
            (None, None, Some(_) | None) => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "documents hold whole numbers up to 2^53 only")]
    pub(crate) fn as_float(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(x) => x,
        }
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (a, b) => a.as_float().total_cmp(&b.as_float()),
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(x) => write!(f, "{x}"),
        }
    }
}

/// When a date may lie, relative to now or between two days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Within {
    pub(crate) past_ms: Option<i64>,
    pub(crate) future_ms: Option<i64>,
    pub(crate) from: Option<Day>,
    pub(crate) to: Option<Day>,
}

/// What was expected of a value, if it is anything else.
pub(super) fn unmet(
    test: &Test,
    path: &str,
    value: &Value,
    looking: &mut Looking,
) -> Result<Option<String>, Fault> {
    let expected = match test {
        Test::Type(kind) => {
            (!is_of(*kind, value)).then(|| format!("a value of type {kind:?}").to_lowercase())
        }
        Test::Equals(expected) => (!same(expected, value)).then(|| shown(expected)),
        Test::OneOf(options) => (!options.iter().any(|option| same(option, value))).then(|| {
            let options: Vec<String> = options.iter().map(shown).collect();
            format!("one of {}", options.join(", "))
        }),
        Test::Matches(pattern) => return matches(pattern, path, value, looking),
        Test::NonEmpty => {
            (size(value) == Some(0) || value.is_null()).then(|| "something".to_owned())
        }
        Test::Empty => {
            (size(value) != Some(0)).then(|| "nothing: an empty list, object or text".to_owned())
        }
        Test::PositiveInt => {
            let positive = matches!(number(path, value)?, Some(Number::Int(n)) if n > 0);
            (!positive).then(|| "a whole number above 0".to_owned())
        }
        Test::Min(min) => {
            let met = number(path, value)?.is_some_and(|n| n.compare(*min) != Ordering::Less);
            (!met).then(|| format!("a number of at least {min}"))
        }
        Test::Max(max) => {
            let met = number(path, value)?.is_some_and(|n| n.compare(*max) != Ordering::Greater);
            (!met).then(|| format!("a number of at most {max}"))
        }
        Test::DateWithin(within) => within.unmet(value, looking.now),
        // These are asked of what was selected as a whole, not of one value of it.
        Test::Exists(_)
        | Test::Sorted
        | Test::Unique
        | Test::ContainsAll(_)
        | Test::ExactSequence(_)
        | Test::SumEquals(_)
        | Test::Implies { .. } => None,
    };
    Ok(expected)
}

fn is_of(kind: JsonType, value: &Value) -> bool {
    match kind {
        JsonType::String => value.is_string(),
        JsonType::Integer => value.is_i64() || value.is_u64(),
        JsonType::Number => value.is_number(),
        JsonType::Boolean => value.is_boolean(),
        JsonType::Array => value.is_array(),
        JsonType::Object => value.is_object(),
        JsonType::Null => value.is_null(),
    }
}

fn size(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.len()),
        Value::Array(items) => Some(items.len()),
        Value::Object(members) => Some(members.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn matches(
    pattern: &Pattern,
    path: &str,
    value: &Value,
    looking: &mut Looking,
) -> Result<Option<String>, Fault> {
    let expected = || Some(format!("a text that matches `{}`", pattern.text()));
    let Some(text) = value.as_str() else {
        return Ok(expected());
    };
    let cost = (text.len() as u64 + 1).saturating_mul(pattern.text().len() as u64 + 1);
    if text.len() > LINE_MAX || cost > looking.search_budget {
        let remedy = "search in a shorter field, or shorten the pattern";
        let headline = format!("`{path}` is too much text to search with `matches`");
        return Err(Fault::new(BUDGET_EXCEEDED, headline, remedy)
            .expected(format!("at most {LINE_MAX} bytes at once, and a bounded total"))
            .found(format!("{} bytes", text.len())));
    }
    looking.search_budget -= cost;
    Ok(if pattern.matches(text)? { None } else { expected() })
}

/// The number at a path; `None` for a value that is plainly something else.
///
/// # Errors
/// FG-44: `null` is how a not-a-number is written, and a text may spell one. Neither is a measurement.
pub(crate) fn number(path: &str, value: &Value) -> Result<Option<Number>, Fault> {
    let spelled = |text: &str| {
        let text = text.trim().trim_start_matches(['+', '-']).to_ascii_lowercase();
        matches!(text.as_str(), "nan" | "inf" | "infinity")
    };
    let finite = match value {
        Value::Null => false,
        Value::Number(number) => {
            return Number::of(number).map(Some).ok_or_else(|| not_finite(path, value));
        }
        Value::String(text) => !spelled(text),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => true,
    };
    if finite { Ok(None) } else { Err(not_finite(path, value)) }
}

fn not_finite(path: &str, value: &Value) -> Fault {
    let remedy = "measure it again; a missing measurement is no measurement";
    Fault::new(VALUE_NOT_FINITE, format!("`{path}` is no finite number"), remedy)
        .found(shown(value))
}

impl Within {
    fn unmet(&self, value: &Value, now: Instant) -> Option<String> {
        let Some(text) = value.as_str() else {
            return Some(self.to_string());
        };
        let (day, age_ms) = match (Instant::parse(text), Day::parse(text)) {
            (Ok(instant), _) => (instant.day(), now.ms_since(instant)),
            (Err(_), Ok(day)) => (day, now.day().days_since(day).saturating_mul(DAY_MS)),
            (Err(_), Err(_)) => return Some(self.to_string()),
        };
        // Whoever states only how old a date may be does not mean that it may lie ahead.
        let future_ms = self.future_ms.or(self.past_ms.map(|_| 0));
        let met = self.past_ms.is_none_or(|past| age_ms <= past)
            && future_ms.is_none_or(|future| age_ms >= -future)
            && self.from.is_none_or(|from| from <= day)
            && self.to.is_none_or(|to| day <= to);
        (!met).then(|| self.to_string())
    }
}

impl std::fmt::Display for Within {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a day or UTC time")?;
        if let Some(past) = self.past_ms {
            write!(f, ", at most {past} ms ago")?;
        }
        if let Some(future) = self.future_ms {
            write!(f, ", at most {future} ms ahead")?;
        }
        if let Some(from) = self.from {
            write!(f, ", from {from}")?;
        }
        if let Some(to) = self.to {
            write!(f, ", until {to}")?;
        }
        Ok(())
    }
}

/// Whether two values are equal; `1` and `1.0` are the same number.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => match (Number::of(x), Number::of(y)) {
            (Some(x), Some(y)) => x.compare(y) == Ordering::Equal,
            (None, _) | (_, None) => false,
        },
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(name, x)| y.get(name).is_some_and(|y| same(x, y)))
        }
        (a, b) => a == b,
    }
}

/// A value as a message shows it.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARS {
        return text;
    }
    let head: String = text.chars().take(SHOWN_CHARS).collect();
    format!("{head} [truncated]")
}
