//! Rules about one value: its type, its text, its size, its date.

use super::{Looking, Test};
use crate::{
    json_value::{Number, number, same, shown},
    pattern::{LINE_MAX, Pattern},
};
use portcullis::{Day, Fault, Instant, wire::code::BUDGET_EXCEEDED};
use serde::Deserialize;
use serde_json::Value;
use std::cmp::Ordering;

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
