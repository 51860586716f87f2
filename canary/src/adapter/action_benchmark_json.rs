//! The custom format of github-action-benchmark, read and written. It does not say which direction is better.

use super::{At, Out, VERSION, summarised};
use crate::{
    FaultCode, Series, Summary, Unit,
    json::{Node, Object, Problem},
};
use serde_json::{Value, json};

pub(super) fn read(file: &str, text: &str, out: &mut Out<'_>) -> Result<(), Problem> {
    let document = Node::document(file, "", text)?;
    let items = document.elements()?;
    if !out.settings.smaller_is_better {
        let detail = "nothing declares that smaller values are better";
        return Err(document.problem(FaultCode::UnitMismatch, detail));
    }
    for item in items {
        let read = item.object().and_then(|item| {
            let metric = item.member("name")?.text()?;
            read_item(file, &metric, &item, out).map_err(|problem| problem.of(&metric))
        });
        out.note(read);
    }
    Ok(())
}

fn read_item(
    file: &str,
    metric: &str,
    item: &Object<'_>,
    out: &mut Out<'_>,
) -> Result<(), Problem> {
    let unit = item.member("unit")?;
    let (known, shift) = match unit.text()?.as_str() {
        "ns" => (Unit::Ns, 0),
        "us" => (Unit::Ns, 3),
        "ms" => (Unit::Ns, 6),
        "s" => (Unit::Ns, 9),
        "bytes" => (Unit::Bytes, 0),
        "count" => (Unit::Count, 0),
        other => {
            let detail = format!("the unit `{other}` is none of ns, us, ms, s, bytes, count");
            return Err(unit.problem(FaultCode::UnitMismatch, detail));
        }
    };
    for name in ["range", "extra"] {
        if let Some(text) = item.optional(name).filter(|node| !node.is_null()) {
            // Some writers put a number here.
            if text.text().is_err() {
                text.number()?;
            }
        }
    }
    let value = item.member("value")?;
    let summary = Summary::of(value.value(shift)?);
    let at = At { metric, unit: known, file, pointer: value.pointer(), version: VERSION };
    out.summary(&at, out.settings.arm, summary);
    Ok(())
}

/// Writes the series of one arm in their own units.
#[must_use]
pub fn write(series: &[Series]) -> String {
    let items = series.iter().filter_map(|series| {
        let Summary { value, lower, upper } = summarised(series)?;
        let unit = match series.unit {
            Unit::Ns => "ns",
            Unit::Bytes => "bytes",
            Unit::Count => "count",
        };
        let mut item = json!({ "name": series.metric.as_str(), "unit": unit, "value": value });
        if let (Some(lower), Some(upper), Some(item)) = (lower, upper, item.as_object_mut()) {
            item.insert("range".to_owned(), Value::String(format!("{lower} to {upper}")));
        }
        Some(item)
    });
    let mut text = Value::Array(items.collect()).to_string();
    text.push('\n');
    text
}
