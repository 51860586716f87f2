//! Measured values under a header: new values need a new header, and no value goes away.

use super::{
    KEYS_LOST,
    compare::{Comparison, How},
    config::{Keys, Stamp},
};
use crate::{
    document::{self, Format},
    json_path::Pointer,
    lane::{SELECTOR_MATCHES_NOTHING, VALUES_CHANGED_HEADER_SAME},
};
use portcullis::{Fault, Finding, Findings, GateContext, GateError, Location};
use serde_json::Value;
use std::collections::BTreeMap;
use toml::Spanned;

/// How many differences a message shows.
const SHOWN: usize = 3;

/// The values below some pointers, by their own path.
type Leaves<'v> = BTreeMap<String, &'v Value>;

/// Judges every file of a stamp rule.
pub(super) fn judge(
    cx: &GateContext<'_>,
    rule: &Stamp,
    comparison: &Comparison,
    out: &mut Findings,
) -> Result<(), GateError> {
    for path in comparison.files(rule.path.get_ref()) {
        let format = Format::of_name(path).unwrap_or(Format::Json);
        let before = match comparison.before(path) {
            Some(_id) => before(cx, comparison.base(), path, format)?,
            None => None,
        };
        let after = match comparison.change(path) {
            Some(How::Removed) => None,
            Some(How::Edited | How::Added) | None => {
                Some(document::read(&cx.file_at(path)?, format)?)
            }
        };
        pointers_lead_somewhere(cx, rule, path, [before.as_ref(), after.as_ref()])?;
        if let Some(before) = &before {
            compare(rule, path, before, after.as_ref().unwrap_or(&Value::Null), out);
        }
    }
    Ok(())
}

/// The document of the base; nothing where it could not be read there, since this change may be what mends it.
fn before(
    cx: &GateContext<'_>,
    base: &str,
    path: &str,
    format: Format,
) -> Result<Option<Value>, GateError> {
    let file = cx.file_at(path)?;
    let Some(bytes) = cx.watch(cx.git().show(base, file.path()))? else { return Ok(None) };
    match document::parse(path, &bytes, format) {
        Ok(value) => Ok(Some(value)),
        Err(fault) => {
            cx.note(format!("`{path}` of the base cannot be read: {}", fault.headline()));
            Ok(None)
        }
    }
}

fn pointers_lead_somewhere(
    cx: &GateContext<'_>,
    rule: &Stamp,
    path: &str,
    documents: [Option<&Value>; 2],
) -> Result<(), GateError> {
    for pointer in rule.body.iter().chain(&rule.header) {
        let leads = |document: &&Value| !pointer.get_ref().select(document).found.is_empty();
        if !documents.iter().flatten().any(leads) {
            let headline = format!("`{}` leads to nothing in `{path}`", pointer.get_ref());
            return cx.watch(Err(Fault::new(
                SELECTOR_MATCHES_NOTHING,
                headline,
                "correct the pointer, or leave the file out of `path`",
            )
            .at(cx.locate(pointer.span().start))));
        }
    }
    Ok(())
}

fn compare(rule: &Stamp, path: &str, before: &Value, after: &Value, out: &mut Findings) {
    let (old, new) = (leaves(&rule.body, before), leaves(&rule.body, after));
    let lost: Vec<&str> =
        old.keys().filter(|name| !new.contains_key(*name)).map(String::as_str).collect();
    if rule.keys == Keys::NoLoss {
        for name in &lost {
            out.push(
                Finding::new(
                    KEYS_LOST,
                    format!("{path}: {name}"),
                    format!("`{path}` lost the value `{name}`"),
                    "restore the value, or say with `keys = \"any\"` that values may go away",
                )
                .at(Location::file(path)),
            );
        }
    }
    let changed = differences(&old, &new);
    if after.is_null() || changed.is_empty() {
        return;
    }
    let same: Vec<String> = rule
        .header
        .iter()
        .map(Spanned::get_ref)
        .filter(|pointer| !renewed(pointer, before, after))
        .map(|pointer| format!("`{pointer}`"))
        .collect();
    if !same.is_empty() {
        let shown = changed.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
        out.push(
            Finding::new(
                VALUES_CHANGED_HEADER_SAME,
                path,
                format!("{} values of `{path}` changed under the old header", changed.len()),
                "measure again with the tool that writes the header, or restore the values",
            )
            .at(Location::file(path))
            .expected(format!("a new value of {}", same.join(", ")))
            .found(shown),
        );
    }
}

/// Every value below the pointers, down to texts, numbers and empty containers.
fn leaves<'v>(pointers: &'v [Spanned<Pointer>], document: &'v Value) -> Leaves<'v> {
    let mut leaves = Leaves::new();
    for pointer in pointers {
        let found = pointer.get_ref().select(document).found;
        let mut waiting: Vec<(String, &Value)> =
            found.into_iter().map(|(path, value)| (path.into_owned(), value)).collect();
        while let Some((path, value)) = waiting.pop() {
            match value {
                Value::Object(members) if !members.is_empty() => {
                    let below = members.iter().map(|(name, value)| {
                        (format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), value)
                    });
                    waiting.extend(below);
                }
                Value::Array(items) if !items.is_empty() => {
                    let below = items.iter().enumerate();
                    waiting.extend(below.map(|(n, value)| (format!("{path}/{n}"), value)));
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_) => {
                    leaves.insert(path, value);
                }
            }
        }
    }
    leaves
}

/// What differs, in words: changed values first, then added and removed ones.
fn differences(old: &Leaves<'_>, new: &Leaves<'_>) -> Vec<String> {
    let mut changed = Vec::new();
    for (name, value) in old {
        match new.get(name) {
            Some(now) if !same(value, now) => changed.push(format!("`{name}`: {value}, now {now}")),
            Some(_) => {}
            None => changed.push(format!("`{name}`: {value}, now gone")),
        }
    }
    let added = new.iter().filter(|(name, _value)| !old.contains_key(*name));
    changed.extend(added.map(|(name, value)| format!("`{name}`: new, {value}")));
    changed
}

/// `1` and `1.0` are one number; the reader keeps whole numbers within what a double holds.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

/// Whether a header value is there and is another than before.
fn renewed(pointer: &Pointer, before: &Value, after: &Value) -> bool {
    let values = |document| -> Vec<Value> {
        pointer.select(document).found.into_iter().map(|(_path, value)| value.clone()).collect()
    };
    let now = values(after);
    !now.is_empty() && now != values(before)
}
