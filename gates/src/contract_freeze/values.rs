//! Values of TOML and JSON files, and JSON Schemas without their prose.

use super::{Item, Items, config::Surface, unreadable, unselected};
use crate::{
    document::{self, Format},
    json_path::Pointer,
};
use portcullis::{Findings, GateContext, GateError, Location, RelPath};
use serde_json::Value;

/// Keywords of JSON Schema that explain and do not constrain.
const PROSE: &[&str] = &["$comment", "description", "examples", "title"];
/// Keywords whose lists are sets.
const SETS: &[&str] = &["enum", "required", "type"];
/// Keywords whose members are names that the author chose, and no keywords.
const NAMES: &[&str] =
    &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// The selected values of configuration files, one item per scalar.
pub(super) fn config(
    cx: &GateContext<'_>,
    surface: &Surface,
    out: &mut Findings,
) -> Result<Items, GateError> {
    each(cx, surface, out, |value| value)
}

/// The selected parts of JSON Schemas, one item per scalar.
pub(super) fn schema(
    cx: &GateContext<'_>,
    surface: &Surface,
    out: &mut Findings,
) -> Result<Items, GateError> {
    each(cx, surface, out, |value| without_prose(value, false))
}

fn each(
    cx: &GateContext<'_>,
    surface: &Surface,
    out: &mut Findings,
    shape: impl Fn(Value) -> Value,
) -> Result<Items, GateError> {
    let whole = [String::new()];
    let select = if surface.select.is_empty() { &whole[..] } else { &surface.select };
    let mut items = Items::new();
    let mut hits = vec![0usize; select.len()];
    for path in surface.sources() {
        let file = cx.file(path);
        let document = match Format::of_name(path.as_str()) {
            Some(Format::Toml) => document::read(&file, Format::Toml)?,
            Some(Format::Json) => document::read(&file, Format::Json)?,
            Some(Format::Jsonl | Format::Text) | None => {
                return cx
                    .watch(Err(unreadable(path, format!("`{path}` is neither TOML nor JSON"))));
            }
        };
        let document = shape(document);
        for (selector, hits) in select.iter().zip(&mut hits) {
            let Some(pointer) = Pointer::parse(selector) else { continue };
            for (at, value) in pointer.select(&document).found {
                *hits += 1;
                flatten(path, &at, value, &mut items);
            }
        }
    }
    for (selector, _) in select.iter().zip(&hits).filter(|(_, hits)| **hits == 0) {
        out.push(unselected(surface, selector, Location::file(surface.first_source())));
    }
    Ok(items)
}

/// One item per scalar, and per list or table without members.
fn flatten(path: &RelPath, at: &str, value: &Value, items: &mut Items) {
    let mut waiting = vec![(at.to_owned(), value)];
    while let Some((at, value)) = waiting.pop() {
        match value {
            Value::Array(list) if !list.is_empty() => {
                waiting.extend(list.iter().enumerate().map(|(n, one)| (format!("{at}/{n}"), one)));
            }
            Value::Object(members) if !members.is_empty() => {
                let step = |name: &str| name.replace('~', "~0").replace('/', "~1");
                waiting.extend(
                    members.iter().map(|(name, one)| (format!("{at}/{}", step(name)), one)),
                );
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {
                let item = Item { text: value.to_string(), at: Location::file(path) };
                items.insert(format!("{path}#{at}"), item);
            }
        }
    }
}

/// A schema without prose, its sets as one sorted text. Documents are at most 64 deep, and so is this.
fn without_prose(value: Value, is_names: bool) -> Value {
    match value {
        Value::Object(members) => {
            let kept =
                members.into_iter().filter(|(name, _)| is_names || !PROSE.contains(&name.as_str()));
            let each = |(name, member): (String, Value)| {
                let member = match member {
                    Value::Array(list) if !is_names && SETS.contains(&name.as_str()) => {
                        let mut words: Vec<String> = list.iter().map(Value::to_string).collect();
                        words.sort_unstable();
                        Value::String(words.join(" | "))
                    }
                    member @ (Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Array(_)
                    | Value::Object(_)) => {
                        let inner = !is_names && NAMES.contains(&name.as_str());
                        without_prose(member, inner)
                    }
                };
                (name, member)
            };
            Value::Object(kept.map(each).collect())
        }
        Value::Array(list) => {
            Value::Array(list.into_iter().map(|one| without_prose(one, false)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
