//! What lanes took: one line for each time a job ran. It decides nothing.

use super::{SOURCE_UNREADABLE, config::Config};
use crate::{decimal, document, json_value::shown};
use portcullis::{Fault, GateContext, GateError, Instant, Location};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A time this far ahead of now is a clock that is a little fast; beyond it the time is invented.
const AHEAD_MAX_MS: i64 = 5 * 60 * 1000;

/// The runs of the lanes that have a budget.
pub(super) struct History {
    lanes: BTreeMap<(String, String), Runs>,
    newest: Option<Instant>,
}

/// The runs of one lane.
#[derive(Clone, Default)]
pub(super) struct Runs {
    by_run: BTreeMap<(String, u64), Run>,
}

/// One run: what its jobs of one id, those of a matrix, took together.
#[derive(Clone, Copy)]
struct Run {
    ended: Instant,
    /// Whether one of them came to an end by itself.
    finished: bool,
    /// The longest of those that came to an end and were measured, in milliseconds.
    took: Option<u64>,
}

/// How a job ended, as far as its time counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// By itself, or by its timeout.
    Finished,
    /// From outside: how long that took says nothing.
    Stopped,
    /// It did not run.
    Never,
}

impl History {
    /// The runs of a lane; none for one that never ran.
    pub(super) fn runs(&self, file: &str, job: &str) -> Runs {
        self.lanes.get(&(file.to_owned(), job.to_owned())).cloned().unwrap_or_default()
    }

    /// When the latest job of any lane ended.
    pub(super) fn newest(&self) -> Option<Instant> {
        self.newest
    }
}

impl Runs {
    /// What the latest runs took that are samples, in milliseconds.
    pub(super) fn latest(&self, window: usize) -> Vec<u64> {
        let sample = |run: &Run| Some((run.ended, run.took?));
        let mut samples: Vec<(Instant, u64)> = self.by_run.values().filter_map(sample).collect();
        samples.sort_unstable_by(|a, b| b.cmp(a));
        samples.into_iter().take(window).map(|(_ended, took)| took).collect()
    }

    /// How many runs came to an end by themselves, measured or not.
    pub(super) fn finished(&self) -> usize {
        self.by_run.values().filter(|run| run.finished).count()
    }

    /// When the latest run ended.
    pub(super) fn newest(&self) -> Option<Instant> {
        self.by_run.values().map(|run| run.ended).max()
    }

    fn add(&mut self, id: (String, u64), job: Run) {
        let run = self.by_run.entry(id).or_insert(job);
        run.ended = run.ended.max(job.ended);
        run.finished |= job.finished;
        run.took = run.took.max(job.took);
    }
}

/// Reads the history.
///
/// # Errors
/// `source_unreadable` where it is absent, or a line is no run; the faults of JSON Lines.
pub(super) fn read(cx: &GateContext<'_>, config: &Config) -> Result<History, GateError> {
    let file = cx.file(&config.history);
    if !file.exists()? {
        let headline = format!("the history `{}` does not exist", config.history);
        let remedy = "let the lanes append to it, or correct the path";
        return Err(
            Fault::new(SOURCE_UNREADABLE, headline, remedy).at(Location::file(&config.history))
        );
    }
    let budgets = config.budget.iter().map(|budget| budget.get_ref());
    let wanted: BTreeSet<(&str, &str)> =
        budgets.map(|budget| (last(&budget.file), budget.job.as_str())).collect();
    let mut history = History { lanes: BTreeMap::new(), newest: None };
    document::each_record(&file, |line, record| {
        let place = Location::at(&config.history, line, 0);
        let record = Record { record: record.as_object(), now: cx.now() };
        let read = record.read().map_err(|(headline, found)| {
            let remedy = "mend what writes the history, and the line with it";
            Fault::new(SOURCE_UNREADABLE, headline, remedy).at(place).found(found)
        })?;
        let Some((file, job, id, run)) = read else { return Ok(()) };
        history.newest = history.newest.max(Some(run.ended));
        // The jobs of a called workflow stand behind the id of their caller.
        let caller = job.split('/').next().unwrap_or(&job);
        if wanted.contains(&(file.as_str(), caller)) {
            history.lanes.entry((file, job)).or_default().add(id, run);
        }
        Ok(())
    })?;
    Ok(history)
}

/// The name of a file without its folders.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

struct Record<'r> {
    record: Option<&'r Map<String, Value>>,
    now: Instant,
}

/// What is wrong with a record, and what was found instead.
type Odd = (String, String);
/// File, job, run and attempt, and what is known of it.
type Read = (String, String, (String, u64), Run);

impl Record<'_> {
    /// The job of the line; nothing for one that did not run.
    fn read(&self) -> Result<Option<Read>, Odd> {
        if self.record.is_none() {
            return Err((
                "a line of the history is no object".to_owned(),
                "another value".to_owned(),
            ));
        }
        let ending = self.ending()?;
        let file = last(&self.text("file")?).to_owned();
        let (job, run_id) = (self.text("job")?, self.text("run_id")?);
        if ending == Ending::Never {
            return Ok(None);
        }
        let attempt = match self.get("attempt") {
            None => 1,
            Some(value) => value.as_u64().ok_or_else(|| self.odd("attempt", "a whole number"))?,
        };
        let ended = self.instant("ended_at")?;
        let ended = ended.ok_or_else(|| self.odd("ended_at", "a time"))?;
        if self.now.ms_since(ended) < -AHEAD_MAX_MS {
            return Err(self.odd("ended_at", "a time that has come"));
        }
        let took = self.took(ended)?;
        let finished = ending == Ending::Finished;
        let run = Run { ended, finished, took: took.filter(|_| finished) };
        Ok(Some((file, job, (run_id, attempt), run)))
    }

    /// A conclusion that is not known may be one that hides a long run, so it is none.
    fn ending(&self) -> Result<Ending, Odd> {
        match self.get("conclusion").and_then(Value::as_str) {
            Some("success" | "failure" | "timed_out" | "neutral") => Ok(Ending::Finished),
            Some("cancelled" | "stale" | "action_required" | "startup_failure") => {
                Ok(Ending::Stopped)
            }
            Some("skipped") => Ok(Ending::Never),
            Some(_) | None => Err(self.odd("conclusion", "one of the provider's")),
        }
    }

    fn took(&self, ended: Instant) -> Result<Option<u64>, Odd> {
        let started = self.instant("started_at")?;
        match (started, self.get("seconds")) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(self.odd("seconds", "either `started_at` or `seconds`")),
            (Some(started), None) => {
                let ms = u64::try_from(ended.ms_since(started));
                ms.map(Some).map_err(|_negative| self.odd("started_at", "a time before `ended_at`"))
            }
            (None, Some(seconds)) => {
                let ms = seconds.as_number().map(ToString::to_string);
                let ms = ms.and_then(|text| decimal::units(&text, 3));
                ms.map(Some).ok_or_else(|| self.odd("seconds", "a number of at most 3 decimals"))
            }
        }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.record?.get(key).filter(|value| !value.is_null())
    }

    fn text(&self, key: &str) -> Result<String, Odd> {
        match self.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            // The provider counts runs with numbers.
            Some(Value::Number(number)) if key == "run_id" => Ok(number.to_string()),
            _ => Err(self.odd(key, "a text")),
        }
    }

    fn instant(&self, key: &str) -> Result<Option<Instant>, Odd> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let instant = value.as_str().map(Instant::parse);
        match instant {
            Some(Ok(instant)) => Ok(Some(instant)),
            Some(Err(_)) | None => Err(self.odd(key, "a time such as `2026-05-31T12:00:00Z`")),
        }
    }

    fn odd(&self, key: &str, expected: &str) -> Odd {
        let found = self.get(key).map_or_else(|| "nothing".to_owned(), shown);
        (format!("`{key}` of a run is not {expected}"), found)
    }
}
