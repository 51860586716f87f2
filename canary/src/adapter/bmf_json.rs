//! Bencher's metric format, read and written: value, lower and upper of every measure of every bench.

use super::{At, Out, VERSION, summarised};
use crate::{
    FaultCode, Series, Summary, Unit,
    json::{Node, Object, Problem},
};
use serde_json::{Map, Value, json};

const LATENCY: &str = "latency";
const FILE_SIZE: &str = "file-size";

pub(super) fn read(file: &str, text: &str, out: &mut Out<'_>) -> Result<(), Problem> {
    let document = Node::document(file, "", text)?.object()?;
    for (bench, measures) in document.members() {
        let measures = measures.object()?;
        for (measure, node) in measures.members() {
            let metric = format!("{bench}#{measure}");
            let read = read_measure(file, &metric, measure, &node, out);
            out.note(read.map_err(|problem| problem.of(&metric)));
        }
    }
    Ok(())
}

fn read_measure(
    file: &str,
    metric: &str,
    measure: &str,
    node: &Node<'_>,
    out: &mut Out<'_>,
) -> Result<(), Problem> {
    let unit = match (out.settings.measures.get(measure), measure) {
        (Some(unit), _) => *unit,
        (None, LATENCY) => Unit::Ns,
        (None, FILE_SIZE) => Unit::Bytes,
        (None, _) => {
            let detail = format!("no unit is declared for the measure `{measure}`");
            return Err(node.problem(FaultCode::UnitMismatch, detail));
        }
    };
    let object = node.clone().object()?;
    let value = object.member("value")?.value(0)?;
    let (lower, upper) = (bound(&object, "lower_value")?, bound(&object, "upper_value")?);
    let at = At { metric, unit, file, pointer: node.pointer(), version: VERSION };
    out.summary(&at, out.settings.arm, Summary { value, lower, upper });
    Ok(())
}

/// A bound, which may be absent; one that is below every value has nothing to say and must still be a number.
fn bound(object: &Object<'_>, name: &str) -> Result<Option<u64>, Problem> {
    match object.optional(name).filter(|node| !node.is_null()) {
        None => Ok(None),
        Some(node) => {
            let number = node.number()?;
            if number.is_negative() { Ok(None) } else { Ok(number.shifted(0).ok()) }
        }
    }
}

/// Writes the series of one arm; a metric without a measure in its name gets that of its unit.
#[must_use]
pub fn write(series: &[Series]) -> String {
    let mut benches: Map<String, Value> = Map::new();
    for series in series {
        let Some(Summary { value, lower, upper }) = summarised(series) else { continue };
        let own = match series.unit {
            Unit::Ns => LATENCY,
            Unit::Bytes => FILE_SIZE,
            Unit::Count => "count",
        };
        let name = series.metric.as_str();
        let (bench, measure) = name.rsplit_once('#').unwrap_or((name, own));
        let mut members = Map::new();
        members.insert("value".to_owned(), json!(value));
        for (name, bound) in [("lower_value", lower), ("upper_value", upper)] {
            if let Some(bound) = bound {
                members.insert(name.to_owned(), json!(bound));
            }
        }
        let measures = benches.entry(bench).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(measures) = measures {
            measures.insert(measure.to_owned(), Value::Object(members));
        }
    }
    let mut text = Value::Object(benches).to_string();
    text.push('\n');
    text
}
