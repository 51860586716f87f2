//! Reads a ledger line by line and folds the lines of one issue into its newest state. It judges nothing.

use super::{ISSUE_INVALID, LEDGER_CONFLICT, config::Config};
use portcullis::{
    Digest, Fault, Instant, Location,
    evidence::{
        context::{File, unreadable},
        json::{self, Kept},
    },
};
use serde_json::Value;
use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

/// How much of a title a message carries.
const TITLE_CHARS: usize = 120;

/// What an issue is about, by its type alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Technical,
    Docs,
}

/// The newest state of one issue.
#[derive(Clone, Debug, Default)]
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
    /// The same as an instant, once it was needed.
    updated: Option<Instant>,
    /// Whether another line claims the same time, unless something newer follows. Whether it is a copy is seen later.
    tied: bool,
}

/// The issues of a ledger by id. Memory grows with the number of issues, not with their lines.
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
    let mut ledger = Ledger::default();
    let kept = looked_at(config);
    let mut record = Value::Null;
    each_line(file, |line, text| {
        json::parse_kept_into(text, file.path().as_str(), &kept, &mut record)?;
        fold(&mut ledger.issues, &record, line, config)
    })?;
    if ledger.issues.values().any(|issue| issue.tied) {
        settle(file, &ledger.issues, config)?;
    }
    Ok(ledger)
}

/// Hands over every line that is not blank; a fault gets the line.
fn each_line(
    file: &File<'_>,
    mut each: impl FnMut(u32, &str) -> Result<(), Fault>,
) -> Result<(), Fault> {
    file.each_exported_line(|number, text| {
        if text.trim().is_empty() {
            return Ok(());
        }
        let line = u32::try_from(number).unwrap_or(u32::MAX);
        each(line, text).map_err(|fault| {
            let column = fault.location().map_or(0, |place| place.column);
            fault.at(Location::at(file.path(), line, column))
        })
    })
}

/// The members of an issue that anything here looks at.
fn looked_at(config: &Config) -> Kept {
    let fields = &config.fields;
    let mut kept = Kept::nothing();
    for name in [&fields.id, &fields.status, &fields.kind, &fields.title, &fields.updated_at] {
        kept.member(name).whole();
    }
    for name in config.select.keys() {
        kept.member(name).whole();
    }
    kept.merged()
}

/// Holds lines that claim one issue at one time against each other: copies fold, anything else is a conflict.
///
/// They are read once more, whole: keeping the content of every issue until a rival turns up would take the memory of
/// the file.
fn settle(file: &File<'_>, issues: &BTreeMap<String, Issue>, config: &Config) -> Result<(), Fault> {
    let mut first: BTreeMap<String, (Digest, u32)> = BTreeMap::new();
    let mut again: BTreeSet<String> = BTreeSet::new();
    each_line(file, |line, text| {
        let record = json::parse_kept(text, file.path().as_str(), &Kept::everything())?;
        let id = member(&record, &config.fields.id)?.into_owned();
        let Some(issue) = issues.get(&id).filter(|issue| issue.tied) else { return Ok(()) };
        let time = record.get(&config.fields.updated_at).and_then(Value::as_str);
        if time != issue.updated_at.as_deref() {
            let (claimed, settled) = (instant(time, issue, line)?, updated(issue)?);
            if claimed != settled {
                return Ok(());
            }
        }
        // `Value` keeps its members sorted, so the order in which they were written is no difference.
        let digest = Digest::of(record.to_string().as_bytes());
        match first.get(&id) {
            None => {
                first.insert(id, (digest, line));
                Ok(())
            }
            Some((known, _)) if *known == digest => {
                again.insert(id);
                Ok(())
            }
            Some(_) if issue.updated_at.is_none() => Err(untimed(issue, line)),
            Some((_, other)) => Err(conflict(issue, *other)),
        }
    })?;
    unchanged(file, issues, &again)
}

/// Every line that claimed a time was there twice; one that is gone was taken away between the two readings.
fn unchanged(
    file: &File<'_>,
    issues: &BTreeMap<String, Issue>,
    again: &BTreeSet<String>,
) -> Result<(), Fault> {
    match issues.values().find(|issue| issue.tied && !again.contains(&issue.id)) {
        None => Ok(()),
        Some(issue) => {
            let headline = format!("the ledger changed while it was read, at issue `{}`", issue.id);
            Err(unreadable(file.path(), headline, "let nothing write to it, then run again"))
        }
    }
}

fn conflict(issue: &Issue, other: u32) -> Fault {
    let headline = format!("issue `{}` has two states at one time", issue.id);
    let remedy = "remove one of the two lines, or correct its time of update";
    Fault::new(LEDGER_CONFLICT, headline, remedy).found(format!("another content on line {other}"))
}

/// Keeps the newer of two states. The order of the lines does not matter.
fn fold(
    issues: &mut BTreeMap<String, Issue>,
    record: &Value,
    line: u32,
    config: &Config,
) -> Result<(), Fault> {
    let state = State::of(record, config)?;
    let Some(known) = issues.get_mut(state.id.as_ref()) else {
        let mut issue = Issue { id: state.id.to_string(), ..Issue::default() };
        issue.renew(&state, record, line, config);
        issues.insert(issue.id.clone(), issue);
        return Ok(());
    };
    if state.updated_at == known.updated_at.as_deref() {
        known.tied = true;
        return Ok(());
    }
    let (after, before) = (instant(state.updated_at, known, line)?, updated(known)?);
    known.updated = Some(before);
    match after.cmp(&before) {
        Ordering::Greater => {
            known.renew(&state, record, line, config);
            known.updated = Some(after);
        }
        Ordering::Equal => known.tied = true,
        Ordering::Less => {}
    }
    Ok(())
}

impl Issue {
    /// Takes the place of what was known, in the memory that it had.
    fn renew(&mut self, state: &State<'_>, record: &Value, line: u32, config: &Config) {
        self.known_class = match (config.is_technical(&state.kind), config.is_docs(&state.kind)) {
            (true, _) => Some(Class::Technical),
            (false, true) => Some(Class::Docs),
            (false, false) => None,
        };
        let title = record.get(&config.fields.title).and_then(Value::as_str);
        let title = title.unwrap_or("(no title)");
        let end = title.char_indices().nth(TITLE_CHARS).map_or(title.len(), |(end, _)| end);
        self.open = !config.is_terminal(&state.status);
        state.status.as_ref().clone_into(&mut self.status);
        state.kind.as_ref().clone_into(&mut self.kind);
        title[..end].clone_into(&mut self.title);
        self.line = line;
        self.selected =
            config.select.iter().all(|(name, text)| is_selected(record.get(name), text));
        match (state.updated_at, &mut self.updated_at) {
            (Some(text), Some(kept)) => text.clone_into(kept),
            (text, kept) => *kept = text.map(str::to_owned),
        }
        self.updated = None;
        self.tied = false;
    }
}

/// When an issue was last changed. Only asked where two lines claim one id.
fn updated(issue: &Issue) -> Result<Instant, Fault> {
    if let Some(updated) = issue.updated {
        return Ok(updated);
    }
    instant(issue.updated_at.as_deref(), issue, issue.line)
}

const TIMES: &str = "state when each of the two lines was last updated, in UTC with `Z`";

fn instant(text: Option<&str>, issue: &Issue, line: u32) -> Result<Instant, Fault> {
    let Some(text) = text else { return Err(untimed(issue, line)) };
    Instant::parse(text).map_err(|source| {
        let headline = format!(
            "issue `{}` stands on several lines, and line {line} has no usable time of update",
            issue.id
        );
        Fault::new(LEDGER_CONFLICT, headline, TIMES).because(&source)
    })
}

fn untimed(issue: &Issue, line: u32) -> Fault {
    let headline = format!(
        "issue `{}` stands on several lines, and line {line} has no time of update",
        issue.id
    );
    Fault::new(LEDGER_CONFLICT, headline, TIMES)
}

/// What a line says, borrowed from it: most lines of a ledger that grows are soon replaced by newer ones.
struct State<'r> {
    id: Cow<'r, str>,
    status: Cow<'r, str>,
    kind: Cow<'r, str>,
    updated_at: Option<&'r str>,
}

impl<'r> State<'r> {
    fn of(record: &'r Value, config: &Config) -> Result<Self, Fault> {
        let fields = &config.fields;
        Ok(Self {
            kind: member(record, &fields.kind)?,
            status: member(record, &fields.status)?,
            id: member(record, &fields.id)?,
            updated_at: record.get(&fields.updated_at).and_then(Value::as_str),
        })
    }
}

/// A member that the decision needs, as text. An id may also be a number.
fn member<'r>(record: &'r Value, name: &str) -> Result<Cow<'r, str>, Fault> {
    let refused = |found: &str| {
        let headline = format!("an issue has no usable `{name}`");
        let remedy = format!("give the line a text `{name}`, or map the member under `fields`");
        Err(Fault::new(ISSUE_INVALID, headline, remedy).expected("a text").found(found))
    };
    match record.get(name) {
        Some(Value::String(text)) if text.trim().is_empty() => refused("an empty text"),
        Some(Value::String(text)) => Ok(Cow::Borrowed(text)),
        Some(Value::Number(number)) => Ok(Cow::Owned(number.to_string())),
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
