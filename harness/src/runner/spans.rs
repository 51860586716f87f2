//! When a run wrote its census and its receipts. Recorded only where `PORTCULLIS_SPANS` is `1`; judges nothing.

use crate::{
    evidence::clock::Stopwatch,
    wire::{artifact, code::RECEIPT_INVALID, fault::Fault},
};
use serde_json::json;
use std::sync::{Mutex, PoisonError};

/// Asks for the spans of a run.
pub const SPANS_VARIABLE: &str = "PORTCULLIS_SPANS";
/// The file of a run that holds them.
pub const SPANS_FILE: &str = "events.jsonl";
const SCHEMA: &str = "portcullis.span.v1";

/// The spans of a process.
pub struct Spans {
    kept: Option<Mutex<Vec<Span>>>,
    since: Stopwatch,
}

struct Span {
    name: &'static str,
    start_ns: u64,
    end_ns: u64,
}

impl Spans {
    /// Starts to keep spans, where somebody asked for them.
    #[must_use]
    pub fn new(is_asked: bool, since: Stopwatch) -> Self {
        Self { kept: is_asked.then(Mutex::default), since }
    }

    /// Whether spans are kept.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.kept.is_some()
    }

    /// Does some work, and keeps when it was done.
    pub fn around<T>(&self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let Some(kept) = &self.kept else { return work() };
        let start_ns = self.since.elapsed_ns();
        let done = work();
        let span = Span { name, start_ns, end_ns: self.since.elapsed_ns() };
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(span);
        done
    }

    /// One line per span, in the order of their ends.
    ///
    /// # Errors
    /// Never for spans of ours.
    pub fn lines(&self) -> Result<String, Fault> {
        let Some(kept) = &self.kept else { return Ok(String::new()) };
        let mut text = String::new();
        for span in kept.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let line = artifact::line(&json!({
                "schema": SCHEMA,
                "event": "span",
                "name": span.name,
                "start_ns": span.start_ns,
                "end_ns": span.end_ns,
            }));
            text.push_str(&line.map_err(|source| {
                Fault::new(RECEIPT_INVALID, "a span could not be rendered", "report this as a bug")
                    .because(&source)
            })?);
        }
        Ok(text)
    }
}

/// Makes every receipt slower by what `PORTCULLIS_INJECT_RECEIPT_US` says: the proof that its span is measured.
#[cfg(feature = "inject")]
pub fn delay(environment: &crate::evidence::environment::Environment) {
    let asked = environment.get("PORTCULLIS_INJECT_RECEIPT_US").and_then(|text| text.parse().ok());
    let Some(asked) = asked.map(std::time::Duration::from_micros) else { return };
    let watch = Stopwatch::start();
    while u128::from(watch.elapsed_ns()) < asked.as_nanos() {
        std::hint::spin_loop();
    }
}

/// Receipts are as fast as they can be.
#[cfg(not(feature = "inject"))]
pub fn delay(_environment: &crate::evidence::environment::Environment) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_kept_where_somebody_asked_for_them() {
        let spans = Spans::new(true, Stopwatch::start());
        assert_eq!(spans.around("outer", || spans.around("inner", || 7)), 7);
        let lines = spans.lines().expect("lines");
        let read: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
        assert_eq!(read.len(), 2);
        assert_eq!((&read[0]["name"], &read[1]["name"]), (&"inner".into(), &"outer".into()));
        let at = |n: usize, key: &str| read[n][key].as_u64().expect("a time");
        assert!(at(1, "start_ns") <= at(0, "start_ns") && at(0, "end_ns") <= at(1, "end_ns"));
        assert!(at(0, "start_ns") <= at(0, "end_ns"));
        let none = Spans::new(false, Stopwatch::start());
        assert_eq!((none.around("outer", || 7), none.lines().expect("lines")), (7, String::new()));
    }
}
