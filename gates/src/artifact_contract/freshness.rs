//! How old an artifact may be, and to which run and commit it must belong. Read from recorded fields,
//! never from file times, which every checkout and every copy sets anew.

use super::{ARTIFACT_STALE, LINEAGE_MISMATCH, contract::Report};
use crate::json_path::Pointer;
use portcullis::{
    Day, Digest, Fault, File, Finding, GateContext, GateError, Globs, Instant, Location,
    kernel::duration::Millis, wire::code::GIT_FAILED,
};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// A time this far ahead of now is a clock that is a little fast; beyond it the time is invented.
const AHEAD_MAX_MS: i64 = 5 * 60 * 1000;
const REMEDY: &str = "produce the artifact again from this commit, in this run";

/// `freshness = { .. }`: at least one key. What it means when several are stated: all must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Freshness {
    max_age: Option<Millis>,
    max_commits: Option<u64>,
    #[serde(default)]
    same_run: bool,
    #[serde(default)]
    same_commit: bool,
    inputs: Option<Globs>,
}

impl Freshness {
    /// The freshness of what this run itself has put together.
    pub(crate) fn of_this_run() -> Self {
        Self { same_run: true, ..Self::default() }
    }

    /// Whether anything is stated at all; `{}` and `same_run = false` state nothing (FG-39).
    pub(crate) fn states_something(&self) -> bool {
        self.max_age.is_some()
            || self.max_commits.is_some()
            || self.same_run
            || self.same_commit
            || self.inputs.is_some()
    }
}

/// Where the facts are recorded; the first place of each list that exists is read.
pub(crate) struct Fields {
    pub(crate) run_id: Vec<Pointer>,
    pub(crate) commit: Vec<Pointer>,
    pub(crate) time: Vec<Pointer>,
    pub(crate) inputs: Vec<Pointer>,
}

/// What an artifact says about its own origin.
#[derive(Default)]
pub(crate) struct Facts {
    records: u64,
    pub(crate) run_id: Option<String>,
    pub(crate) commit: Option<String>,
    /// Of the last record: a stream is as new as its end.
    pub(crate) time: Option<String>,
    inputs: Option<String>,
    /// The first line that names another run or commit than the first record.
    mixed: Option<u32>,
}

impl Facts {
    /// The facts of a document that another reader has read.
    #[cfg(feature = "canary")]
    pub(crate) fn of(run_id: &str, commit: &str) -> Self {
        let (run_id, commit) = (Some(run_id.to_owned()), Some(commit.to_owned()));
        Self { records: 1, run_id, commit, ..Self::default() }
    }

    /// Takes a document, or the next record of a stream, into account.
    pub(crate) fn take(&mut self, fields: &Fields, document: &Value, line: u32) {
        let run_id = recorded(&fields.run_id, document);
        let commit = recorded(&fields.commit, document);
        self.records += 1;
        if self.records == 1 {
            self.run_id = run_id.map(Cow::into_owned);
            self.commit = commit.map(Cow::into_owned);
        } else if self.run_id.as_deref() != run_id.as_deref()
            || self.commit.as_deref() != commit.as_deref()
        {
            self.mixed.get_or_insert(line);
        }
        renew(&mut self.time, recorded(&fields.time, document));
        renew(&mut self.inputs, recorded(&fields.inputs, document));
    }

    /// Takes a text into account: a fact is a line `name: value`, with the name of the field's last step.
    pub(crate) fn take_from_text(&mut self, fields: &Fields, text: &str) {
        self.records = 1;
        self.run_id = stated(&fields.run_id, text);
        self.commit = stated(&fields.commit, text);
        self.time = stated(&fields.time, text);
        self.inputs = stated(&fields.inputs, text);
    }
}

/// Keeps the text that is there where it has not changed: most records of a stream say the same.
fn renew(fact: &mut Option<String>, said: Option<Cow<'_, str>>) {
    if fact.as_deref() != said.as_deref() {
        *fact = said.map(Cow::into_owned);
    }
}

fn recorded<'d>(places: &[Pointer], document: &'d Value) -> Option<Cow<'d, str>> {
    let value = places.iter().find_map(|place| place.one(document))?;
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The first line `name: value`; what decorates a line of Markdown before it is passed over.
fn stated(places: &[Pointer], text: &str) -> Option<String> {
    places.iter().filter_map(Pointer::last_name).find_map(|name| {
        text.lines().find_map(|line| {
            let line = line.trim_start_matches([' ', '#', '-', '*', '>', '|', '`']);
            let value =
                line.strip_prefix(name)?.trim_start_matches(['`', '*', ' ']).strip_prefix(':')?;
            Some(value.trim_matches([' ', '`', '*', '|']).to_owned())
        })
    })
}

/// Reports what is older or of other origin than stated; whether it is fresh.
///
/// # Errors
/// When git cannot say how far away a commit is, or an input cannot be read.
pub(crate) fn judge(
    cx: &GateContext<'_>,
    freshness: &Freshness,
    facts: &Facts,
    file: &File<'_>,
    report: &mut Report<'_>,
) -> Result<bool, GateError> {
    let mut judged = Judged { file, report, fresh: true };
    if let Some(max_age) = freshness.max_age {
        judged.age(max_age, facts.time.as_deref(), cx.now());
    }
    if freshness.same_run {
        judged.lineage("run", cx.run_id().as_str(), facts.run_id.as_deref(), facts.mixed);
    }
    if freshness.same_commit {
        let head = head(cx)?;
        judged.commit(&head, facts.commit.as_deref());
        judged.one_origin(facts.mixed);
    }
    if let Some(max) = freshness.max_commits {
        judged.distance(cx, max, facts.commit.as_deref())?;
        judged.one_origin(facts.mixed);
    }
    if let Some(globs) = &freshness.inputs {
        let today = inputs_digest(cx, globs)?;
        judged.inputs(&today, facts.inputs.as_deref());
    }
    Ok(judged.fresh)
}

struct Judged<'j, 'o> {
    file: &'j File<'j>,
    report: &'j mut Report<'o>,
    fresh: bool,
}

impl Judged<'_, '_> {
    fn stale(&mut self, what: &str, message: &str, expected: String, found: Option<&str>) {
        self.add(ARTIFACT_STALE, what, message, expected, found);
    }

    fn add(
        &mut self,
        code: portcullis::Code,
        what: &str,
        message: &str,
        expected: String,
        found: Option<&str>,
    ) {
        self.fresh = false;
        let path = self.file.path();
        self.report.push(
            Finding::new(code, format!("{}#{what}", self.report.artifact), message, REMEDY)
                .at(Location::file(path))
                .expected(expected)
                .found(found.unwrap_or("nothing is recorded")),
        );
    }

    fn age(&mut self, max_age: Millis, time: Option<&str>, now: Instant) {
        let max_ms = i64::try_from(max_age.0).unwrap_or(i64::MAX);
        let age_ms = time.and_then(instant).map(|time| now.ms_since(time));
        let expected = format!("a time at most {max_ms} ms before {now}");
        match age_ms {
            None => self.stale("age", "the artifact does not say when it was made", expected, time),
            Some(age_ms) if age_ms > max_ms => {
                self.stale("age", "the artifact is too old", expected, time);
            }
            Some(age_ms) if age_ms < -AHEAD_MAX_MS => {
                self.stale("age", "the artifact claims to come from the future", expected, time);
            }
            Some(_) => {}
        }
    }

    fn lineage(&mut self, what: &str, expected: &str, found: Option<&str>, mixed: Option<u32>) {
        if found != Some(expected) {
            let message = format!("the artifact is of another {what}");
            self.add(LINEAGE_MISMATCH, what, &message, expected.to_owned(), found);
        }
        self.one_origin(mixed);
    }

    /// A stream whose records name several runs or commits was put together from parts.
    fn one_origin(&mut self, mixed: Option<u32>) {
        if let Some(line) = mixed {
            let found = format!("line {line} names another, or none");
            let expected = "one run and one commit in all records".to_owned();
            self.add(
                LINEAGE_MISMATCH,
                "origin",
                "records are of different origin",
                expected,
                Some(&found),
            );
        }
    }

    fn commit(&mut self, head: &str, found: Option<&str>) {
        if found != Some(head) {
            let message = "the artifact was made from another commit";
            self.stale("commit", message, head.to_owned(), found);
        }
    }

    fn distance(
        &mut self,
        cx: &GateContext<'_>,
        max: u64,
        found: Option<&str>,
    ) -> Result<(), GateError> {
        let expected = format!("at most {max} commits behind HEAD");
        let Some(commit) = found.filter(|commit| is_commit(commit)) else {
            self.stale("commits", "the artifact does not name its commit in full", expected, found);
            return Ok(());
        };
        match behind(cx, commit)? {
            None => {
                let message = "the artifact was made from a commit that HEAD does not contain";
                self.stale("commits", message, expected, Some(commit));
            }
            Some(n) if n > max => {
                let found = format!("{n} commits behind");
                self.stale(
                    "commits",
                    "the artifact is too many commits old",
                    expected,
                    Some(&found),
                );
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn inputs(&mut self, today: &Digest, found: Option<&str>) {
        let today = today.to_string();
        if found.map(|found| found.trim_start_matches("sha256:")) != Some(today.as_str()) {
            let message = "the artifact was made from other inputs than today's";
            self.stale("inputs", message, today, found);
        }
    }
}

/// A time, or a day as its first instant: the older reading.
fn instant(text: &str) -> Option<Instant> {
    match (Instant::parse(text), Day::parse(text)) {
        (Ok(instant), _) => Some(instant),
        (Err(_), Ok(day)) => Instant::parse(&format!("{day}T00:00:00Z")).ok(),
        (Err(_), Err(_)) => None,
    }
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn head(cx: &GateContext<'_>) -> Result<String, GateError> {
    if let Some(commit) = &cx.source().commit {
        return Ok(commit.clone());
    }
    let head = cx.watch(cx.git().head())?.map(|head| head.commit);
    head.ok_or_else(|| {
        let remedy = "run inside a git repository that has a commit";
        Fault::new(GIT_FAILED, "nobody knows the commit that is gated", remedy)
    })
}

/// How many commits HEAD is ahead of a commit; `None` for one that it does not contain.
fn behind(cx: &GateContext<'_>, commit: &str) -> Result<Option<u64>, GateError> {
    if cx.watch(cx.git().merge_base(commit))? != commit.to_ascii_lowercase() {
        return Ok(None);
    }
    cx.watch(cx.git().commits_since(commit)).map(Some)
}

/// The digest over the paths and digests of the inputs, as a producer records it.
fn inputs_digest(cx: &GateContext<'_>, globs: &Globs) -> Result<Digest, GateError> {
    let mut lines = String::new();
    for (path, digest) in cx.digests(globs)? {
        lines.push_str(&format!("{path}\0{digest}\n"));
    }
    Ok(Digest::of(lines.as_bytes()))
}
