//! Rules about a sequence of values: its order, its members, its sum.

use super::{Test, Violation};
use crate::{
    json_path::Pointer,
    json_value::{Number, number, same, shown},
};
use portcullis::{Fault, wire::code::NOTHING_EXAMINED};
use serde_json::Value;
use std::cmp::Ordering;

/// Two sums of fractions are equal when they differ by no more than this part of the larger.
const SUM_TOLERANCE: f64 = 1e-9;

/// Adds what is not as the test says of the whole sequence.
pub(super) fn look(
    test: &Test,
    path: &str,
    items: &[&Value],
    document: &Value,
    out: &mut Vec<Violation>,
) -> Result<(), Fault> {
    let mut broken = |expected: String, found: String| {
        out.push(Violation::new(path, test.name(), expected, found));
    };
    match test {
        Test::Sorted => {
            if let Some((before, after)) = unsorted(items) {
                let found = format!("{} before {}", shown(before), shown(after));
                broken("ascending numbers or texts".to_owned(), found);
            }
        }
        Test::Unique => {
            if let Some(twice) = repeated(items) {
                broken("no value twice".to_owned(), format!("{} twice", shown(twice)));
            }
        }
        Test::ContainsAll(expected) => {
            let absent = |value: &&Value| !items.iter().any(|item| same(item, value));
            let absent: Vec<String> = expected.iter().filter(absent).map(shown).collect();
            if !absent.is_empty() {
                broken(format!("{} among them", absent.join(", ")), list(items));
            }
        }
        Test::ExactSequence(expected) => {
            let equal = expected.len() == items.len()
                && expected.iter().zip(items).all(|(expected, item)| same(expected, item));
            if !equal {
                let expected: Vec<&Value> = expected.iter().collect();
                broken(list(&expected), list(items));
            }
        }
        Test::SumEquals(paths) => {
            if let Some((expected, found)) = wrong_sum(path, items, paths, document, out)? {
                out.push(Violation::new(path, test.name(), expected, found));
            }
        }
        Test::Exists(_)
        | Test::Type(_)
        | Test::Equals(_)
        | Test::OneOf(_)
        | Test::Matches(_)
        | Test::NonEmpty
        | Test::Empty
        | Test::PositiveInt
        | Test::Min(_)
        | Test::Max(_)
        | Test::DateWithin(_)
        | Test::Implies { .. } => {}
    }
    Ok(())
}

fn list(items: &[&Value]) -> String {
    shown(&Value::Array(items.iter().take(100).map(|item| (*item).clone()).collect()))
}

/// The first pair out of order. Values that have no order among each other are out of order.
fn unsorted<'v>(items: &[&'v Value]) -> Option<(&'v Value, &'v Value)> {
    if let [only] = items {
        return (ordered(only, only).is_none()).then_some((*only, *only));
    }
    items
        .windows(2)
        .find(|pair| !matches!(ordered(pair[0], pair[1]), Some(Ordering::Less | Ordering::Equal)))
        .map(|pair| (pair[0], pair[1]))
}

fn ordered(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => Some(Number::of(a)?.compare(Number::of(b)?)),
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => None,
    }
}

/// A value that stands there twice. Sorted by text first: comparing all pairs would be quadratic.
fn repeated<'v>(items: &[&'v Value]) -> Option<&'v Value> {
    let mut texts: Vec<(String, &Value)> =
        items.iter().map(|item| (canonical(item), *item)).collect();
    texts.sort_by(|a, b| a.0.cmp(&b.0));
    texts.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1)
}

/// A text that is equal exactly for values that are [`same`].
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => match Number::of(number) {
            Some(Number::Float(x)) if x.fract() == 0.0 => format!("{x:.0}"),
            Some(number) => number.to_string(),
            None => value.to_string(),
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.to_string(),
    }
}

/// What the sum should be and what stands there, if the two differ. Parts that are missing are reported.
fn wrong_sum(
    path: &str,
    items: &[&Value],
    paths: &[Pointer],
    document: &Value,
    out: &mut Vec<Violation>,
) -> Result<Option<(String, String)>, Fault> {
    let [total] = items else {
        return Ok(Some(("one number".to_owned(), list(items))));
    };
    let Some(total) = number(path, total)? else {
        return Ok(Some(("a number".to_owned(), shown(total))));
    };
    let mut parts = Vec::new();
    for pointer in paths {
        let selection = pointer.select(document);
        if let Some(path) = selection.empty.first() {
            let remedy = "fill it, or leave it out of the sum";
            let headline = format!("a sum looked at nothing: `{path}` is empty");
            return Err(Fault::new(NOTHING_EXAMINED, headline, remedy));
        }
        for missing in &selection.missing {
            out.push(Violation::missing(missing, "sum_equals", true));
        }
        for (path, value) in selection.found {
            match number(&path, value)? {
                Some(part) => parts.push(part),
                None => return Ok(Some((format!("a number at `{path}`"), shown(value)))),
            }
        }
    }
    let sum = sum(&parts);
    Ok((!close(sum, total)).then(|| (format!("{sum}, the sum"), total.to_string())))
}

fn sum(parts: &[Number]) -> Number {
    let mut whole: i128 = 0;
    for part in parts {
        match part {
            // At most 250 000 numbers below 2^53: far from the end of this type.
            Number::Int(n) => whole = whole.saturating_add(*n),
            Number::Float(_) => {
                return Number::Float(parts.iter().map(|part| part.as_float()).sum());
            }
        }
    }
    Number::Int(whole)
}

fn close(a: Number, b: Number) -> bool {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => a == b,
        (a, b) => {
            let (a, b) = (a.as_float(), b.as_float());
            (a - b).abs() <= SUM_TOLERANCE * a.abs().max(b.abs())
        }
    }
}
