//! Reads a ledger line by line and folds the lines of one issue into its newest state. It judges nothing.

use super::{ISSUE_INVALID, LEDGER_CONFLICT, config::Config};
use portcullis::{
    Digest, Fault, Instant, Location, RelPath,
    evidence::{context::File, json},
};
use serde_json::Value;
use std::collections::{BTreeMap, btree_map::Entry};

/// How much of a title a message carries.
const TITLE_CHARS: usize = 120;

/// What an issue is about, by its type alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Technical,
    Docs,
}

/// The newest state of one issue.
#[derive(Clone, Debug)]
pub(super) struct Issue {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) line: u32,
    pub(super) open: bool,
    /// `None` for a type of neither list.
    pub(super) known_class: Option<Class>,
    selected: bool,
    updated_at: Option<String>,
    digest: Digest,
    /// The line of another content with the same time, unless something newer follows.
    rival: Option<u32>,
}

/// The issues of a ledger by id. Memory grows with the number of issues, not with their texts.
#[derive(Default)]
pub(super) struct Ledger {
    issues: BTreeMap<String, Issue>,
}

impl Ledger {
    /// The issues that the configuration selects, by id.
    pub(super) fn selected(&self) -> impl Iterator<Item = &Issue> {
        self.issues.values().filter(|issue| issue.selected)
    }
}

/// Reads every line; a torn, unreadable or contradictory one is an error, never a shorter ledger.
pub(super) fn read(file: &File<'_>, config: &Config) -> Result<Ledger, Fault> {
    let path = file.path();
    let mut ledger = Ledger::default();
    file.each_exported_line(|number, text| {
        if text.trim().is_empty() {
            return Ok(());
        }
        let line = u32::try_from(number).unwrap_or(u32::MAX);
        let here = |fault: Fault| {
            let column = fault.location().map_or(0, |place| place.column);
            fault.at(Location::at(path, line, column))
        };
        let record = json::parse(text.as_bytes(), path.as_str()).map_err(here)?;
        let issue = issue_of(&record, line, config).map_err(here)?;
        fold(&mut ledger.issues, issue).map_err(here)
    })?;
    for issue in ledger.issues.values() {
        if let Some(rival) = issue.rival {
            return Err(conflict(path, issue, rival));
        }
    }
    Ok(ledger)
}

fn conflict(path: &RelPath, issue: &Issue, rival: u32) -> Fault {
    let headline = format!("issue `{}` has two states at one time", issue.id);
    let remedy = "remove one of the two lines, or correct its time of update";
    Fault::new(LEDGER_CONFLICT, headline, remedy)
        .at(Location::at(path, rival, 0))
        .found(format!("another content on line {}", issue.line))
}

/// Keeps the newer of two states. The order of the lines does not matter.
fn fold(issues: &mut BTreeMap<String, Issue>, issue: Issue) -> Result<(), Fault> {
    let mut slot = match issues.entry(issue.id.clone()) {
        Entry::Vacant(slot) => {
            slot.insert(issue);
            return Ok(());
        }
        Entry::Occupied(slot) => slot,
    };
    let known = slot.get_mut();
    if known.digest == issue.digest {
        return Ok(());
    }
    let (before, after) = (updated(known)?, updated(&issue)?);
    match after.cmp(&before) {
        std::cmp::Ordering::Greater => *known = issue,
        std::cmp::Ordering::Equal => known.rival = Some(issue.line),
        std::cmp::Ordering::Less => {}
    }
    Ok(())
}

/// When an issue was last changed. Only asked where two lines claim one id.
fn updated(issue: &Issue) -> Result<Instant, Fault> {
    let remedy = "state when each of the two lines was last updated, in UTC with `Z`";
    let headline = format!("issue `{}` stands on two lines and line {}", issue.id, issue.line);
    let Some(text) = &issue.updated_at else {
        return Err(Fault::new(
            LEDGER_CONFLICT,
            format!("{headline} has no time of update"),
            remedy,
        ));
    };
    Instant::parse(text).map_err(|source| {
        Fault::new(LEDGER_CONFLICT, format!("{headline} has no usable time of update"), remedy)
            .because(&source)
    })
}

fn issue_of(record: &Value, line: u32, config: &Config) -> Result<Issue, Fault> {
    let fields = &config.fields;
    let kind = member(record, &fields.kind)?;
    let status = member(record, &fields.status)?;
    let known_class = match (config.is_technical(&kind), config.is_docs(&kind)) {
        (true, _) => Some(Class::Technical),
        (false, true) => Some(Class::Docs),
        (false, false) => None,
    };
    let title = record.get(&fields.title).and_then(Value::as_str).unwrap_or("(no title)");
    Ok(Issue {
        id: member(record, &fields.id)?,
        open: !config.is_terminal(&status),
        status,
        kind,
        title: title.chars().take(TITLE_CHARS).collect(),
        line,
        known_class,
        selected: config.select.iter().all(|(name, text)| is_selected(record.get(name), text)),
        updated_at: record.get(&fields.updated_at).and_then(Value::as_str).map(str::to_owned),
        // `Value` keeps its members sorted, so the order in which they were written is no difference.
        digest: Digest::of(record.to_string().as_bytes()),
        rival: None,
    })
}

/// A member that the decision needs, as text. An id may also be a number.
fn member(record: &Value, name: &str) -> Result<String, Fault> {
    let refused = |found: &str| {
        let headline = format!("an issue has no usable `{name}`");
        let remedy = format!("give the line a text `{name}`, or map the member under `fields`");
        Err(Fault::new(ISSUE_INVALID, headline, remedy).expected("a text").found(found))
    };
    match record.get(name) {
        Some(Value::String(text)) if text.trim().is_empty() => refused("an empty text"),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Null) => refused("null"),
        Some(Value::Bool(_)) => refused("a boolean"),
        Some(Value::Array(_)) => refused("a list"),
        Some(Value::Object(_)) => refused("an object"),
        None if record.is_object() => refused("no such member"),
        None => refused("a line that is no object"),
    }
}

fn is_selected(value: Option<&Value>, text: &str) -> bool {
    match value {
        Some(Value::String(found)) => found == text,
        Some(Value::Number(number)) => number.to_string() == text,
        Some(Value::Bool(flag)) => flag.to_string() == text,
        Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(text)),
        Some(Value::Null | Value::Object(_)) | None => false,
    }
}
