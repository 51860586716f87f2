//! Values of documents: numbers that compare exactly, equality, and how a message shows them. It selects nothing.

use crate::document;
use portcullis::{Fault, wire::code::VALUE_NOT_FINITE};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::cmp::Ordering;

/// How much of a value a message shows.
const SHOWN_CHARS: usize = 200;

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

impl Number {
    /// The sum; whole numbers add exactly.
    pub(crate) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Self::Int(a.saturating_add(b)),
            (a, b) => Self::Float(a.as_float() + b.as_float()),
        }
    }

    /// The number with its sign turned.
    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Int(n) => Self::Int(n.saturating_neg()),
            Self::Float(x) => Self::Float(-x),
        }
    }

    /// Whether it lies below another.
    pub(crate) fn is_below(self, other: Self) -> bool {
        self.compare(other) == Ordering::Less
    }
}

/// A number of the configuration: finite, and exact for every reader.
impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let json = document::json_of_toml(&value).map_err(serde::de::Error::custom)?;
        let number = json.as_number().and_then(Self::of);
        number.ok_or_else(|| {
            serde::de::Error::custom(format!("{} is no finite number", shown(&json)))
        })
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
