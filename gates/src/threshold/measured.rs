//! What was measured, by metric: named fields of a document, or the items of a list. It judges no number.

use super::{config::Config, metric_missing};
use crate::{
    items::ItemsTable,
    json_path::Pointer,
    json_value::{Number, number, shown},
};
use portcullis::{Fault, Findings, GateContext, GateError, Location, wire::code::VALUE_NOT_FINITE};
use serde_json::Value;
use std::collections::BTreeMap;

/// A finite number and where it was recorded.
pub(super) struct Measurement {
    pub(super) value: Number,
    pub(super) place: Location,
}

/// Every measurement by metric.
pub(super) type Measured = BTreeMap<String, Measurement>;

/// What a metric means that a document does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// Nobody measured it.
    Refused,
    /// It is newer than the document.
    Tolerated,
}

/// Reads an artifact that has the shape of the source.
pub(super) fn measure(
    cx: &GateContext<'_>,
    config: &Config,
    table: &ItemsTable,
    absent: Absent,
    out: &mut Findings,
) -> Result<Measured, GateError> {
    let mut measured = Measured::new();
    let path = table.path().as_str();
    let mut take = |metric: &str, pointer: Option<&Pointer>, from: &Value, place: Location| {
        let value = match pointer {
            None => Some(from),
            Some(pointer) => pointer.one(from),
        };
        let Some(value) = value else {
            return if absent == Absent::Refused {
                Err(metric_missing(metric, path))
            } else {
                Ok(())
            };
        };
        let value = finite(metric, value).map_err(|fault| fault.at(place.clone()))?;
        measured.insert(metric.to_owned(), Measurement { value, place });
        Ok(())
    };
    if config.metrics.is_empty() {
        table.each(cx, out, |item| {
            take(item.id, config.value.as_ref(), item.value, item.place.clone())
        })?;
    } else {
        let artifact = table.artifact();
        let file = artifact.open(cx, out)?;
        artifact.each_record(&file, |line, document| {
            config.metrics.iter().try_for_each(|(metric, pointer)| {
                take(metric, Some(pointer), &document, Location::at(path, line, 0))
            })
        })?;
    }
    Ok(measured)
}

/// FG-44: what is no finite number lies above every floor and below every ceiling, or so it seems.
fn finite(metric: &str, value: &Value) -> Result<Number, Fault> {
    number(metric, value)?.ok_or_else(|| {
        let remedy = "record the measurement as a number";
        Fault::new(VALUE_NOT_FINITE, format!("`{metric}` is no number"), remedy).found(shown(value))
    })
}
