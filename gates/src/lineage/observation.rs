//! What an artifact records at some fields, in bounded memory however long a stream is. It compares nothing.

use crate::{artifact::Artifact, json_path::Pointer, json_value::shown};
use portcullis::{Findings, GateContext, GateError, Instant};
use serde_json::Value;

/// What was seen at one field.
#[derive(Default)]
pub(super) struct Observation {
    /// The first value.
    pub(super) first: Option<String>,
    /// The first other value than that, with its line.
    other: Option<(u32, String)>,
    /// The first record that has no value there, with its line.
    pub(super) missing: Option<(u32, String)>,
    /// The first value that is no time, with its line.
    pub(super) no_time: Option<(u32, String)>,
    /// The earliest and the latest time.
    pub(super) times: Option<(Instant, Instant)>,
}

impl Observation {
    /// Where something else than `expected` stands, and what.
    pub(super) fn other_than(&self, expected: Option<&String>) -> Option<(u32, String)> {
        match (&self.missing, &self.first) {
            (Some(missing), _) => Some(missing.clone()),
            (None, None) => Some((0, "nothing is recorded".to_owned())),
            (None, Some(first)) if Some(first) != expected => Some((0, first.clone())),
            (None, Some(_)) => self.other.clone(),
        }
    }

    fn take(&mut self, pointer: &Pointer, record: &Value, line: u32) {
        let selection = pointer.select(record);
        if !selection.missing.is_empty() || !selection.empty.is_empty() {
            self.missing.get_or_insert_with(|| (line, "nothing is recorded".to_owned()));
        }
        for (_, value) in &selection.found {
            match recorded(value) {
                Some(text) => self.take_text(text, line),
                None => {
                    self.missing.get_or_insert_with(|| (line, shown(value)));
                }
            }
        }
    }

    fn take_text(&mut self, text: String, line: u32) {
        match Instant::parse(&text) {
            Ok(time) => {
                let (earliest, latest) = self.times.unwrap_or((time, time));
                self.times = Some((earliest.min(time), latest.max(time)));
            }
            // Most fields are no times; only an order asks for one.
            Err(_no_time) => {
                self.no_time.get_or_insert_with(|| (line, text.clone()));
            }
        }
        match &self.first {
            None => self.first = Some(text),
            Some(first) if *first != text => {
                self.other.get_or_insert((line, text));
            }
            Some(_same) => {}
        }
    }
}

/// `null` and an empty text record nothing: two artifacts without a run are not of one run.
fn recorded(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// Reads an artifact once and returns what stands at each of the pointers.
pub(super) fn observe(
    cx: &GateContext<'_>,
    artifact: &Artifact,
    pointers: &[Pointer],
    out: &mut Findings,
) -> Result<Vec<Observation>, GateError> {
    let file = artifact.open(cx, out)?;
    let mut observations: Vec<Observation> =
        pointers.iter().map(|_| Observation::default()).collect();
    artifact.each_record(&file, |line, record| {
        for (pointer, observation) in pointers.iter().zip(&mut observations) {
            observation.take(pointer, &record, line);
        }
        Ok(())
    })?;
    Ok(observations)
}
