//! Reads the keys of one table by type and collects every fault. Leaves out rules over several keys.

use super::{Entry, Node, Source, Table, integer};
use crate::{
    kernel::{duration, near},
    wire::{
        code::Code,
        fault::{Fault, Location},
        id::GateId,
        ordered::VecSet,
        path::RelPath,
        time::{Day, Instant},
    },
};
use std::{fmt::Display, ops::Range};
use toml::Spanned;

/// The codes that the faults of one kind of file carry.
#[derive(Clone, Copy, Debug)]
pub struct Codes {
    /// A wrong type or value, or an absent key.
    pub invalid: Code,
    /// A key that nothing reads.
    pub unknown: Code,
}

/// A reader of one table.
pub struct Keys<'a, 'f> {
    source: &'a Source,
    table: &'a Table,
    span: Range<usize>,
    name: String,
    codes: Codes,
    asked: VecSet<&'static str>,
    faults: &'f mut Vec<Fault>,
}

impl<'a, 'f> Keys<'a, 'f> {
    /// A reader of `table`, which messages call `name` and which stands at `span`.
    pub fn new(
        source: &'a Source,
        table: &'a Table,
        span: Range<usize>,
        name: impl Display,
        codes: Codes,
        faults: &'f mut Vec<Fault>,
    ) -> Self {
        Self { source, table, span, name: name.to_string(), codes, asked: VecSet::new(), faults }
    }

    /// Adds a fault at a place of the file.
    pub fn fault(
        &mut self,
        code: Code,
        offset: usize,
        headline: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.faults.push(Fault::new(code, headline, remedy).at(self.source.locate(offset)));
    }

    /// Adds a fault that is built already.
    pub fn push(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Adds a fault of the table's usual code at the value of `key`, or at the table where it is absent.
    pub fn wrong(&mut self, key: &str, headline: impl Into<String>, remedy: impl Into<String>) {
        let offset = self.table.get(key).map_or(self.span.start, |entry| entry.value.span().start);
        self.fault(self.codes.invalid, offset, headline, remedy);
    }

    /// Whether the key is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The place of the value of `key`, or of the table where it is absent.
    #[must_use]
    pub fn place(&self, key: &str) -> Location {
        let offset = self.table.get(key).map_or(self.span.start, |entry| entry.value.span().start);
        self.source.locate(offset)
    }

    fn entry(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.asked.insert(key);
        self.table.get(key)
    }

    fn refuse(&mut self, key: &str, value: &Spanned<Node>, expected: impl Into<String>) {
        let headline = format!("`{key}` of {} cannot be used", self.name);
        let found = match value.get_ref() {
            Node::Text(text) => format!("{:?}", text.chars().take(80).collect::<String>()),
            Node::Integer(text) | Node::Float(text) => format!("`{text}`"),
            Node::Datetime(moment) => format!("`{moment}`"),
            Node::Boolean(_) | Node::Array(_) | Node::Table(_) => value.get_ref().kind().to_owned(),
        };
        let expected = expected.into();
        let fault = Fault::new(self.codes.invalid, headline, format!("write {expected}"))
            .at(self.source.locate(value.span().start))
            .expected(expected)
            .found(found);
        self.faults.push(fault);
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        convert: impl FnOnce(&'a Node) -> Option<T>,
    ) -> Option<T> {
        let entry = self.entry(key)?;
        let converted = convert(entry.value.get_ref());
        if converted.is_none() {
            self.refuse(key, &entry.value, expected);
        }
        converted
    }

    /// Says that a key is required, where it is absent, and passes its value through.
    pub fn required<T>(&mut self, key: &'static str, value: Option<T>) -> Option<T> {
        if !self.has(key) {
            let headline = format!("{} has no `{key}`", self.name);
            let offset = self.span.start;
            self.fault(self.codes.invalid, offset, headline, format!("add `{key} = ...`"));
        }
        value
    }

    /// A string with something in it.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.read(key, "a non-empty string", |node| match node {
            Node::Text(text) if !text.trim().is_empty() => Some(text.clone()),
            Node::Text(_)
            | Node::Integer(_)
            | Node::Float(_)
            | Node::Boolean(_)
            | Node::Datetime(_)
            | Node::Array(_)
            | Node::Table(_) => None,
        })
    }

    /// A string that `parse` accepts.
    pub fn parsed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.read(key, expected, |node| text_of(node).and_then(parse))
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.read(key, "`true` or `false`", |node| {
            if let Node::Boolean(truth) = node { Some(*truth) } else { None }
        })
    }

    /// A whole number that is not negative.
    pub fn whole(&mut self, key: &'static str, max: u32) -> Option<u32> {
        self.read(key, &format!("a whole number from 0 to {max}"), |node| {
            let Node::Integer(text) = node else { return None };
            integer(text)
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| *number <= max)
        })
    }

    /// A calendar day, written as a TOML date: a day in quotes is a string and refused.
    pub fn day(&mut self, key: &'static str) -> Option<Day> {
        self.read(key, "a day without quotes, such as `2026-05-31`", |node| {
            let Node::Datetime(moment) = node else { return None };
            Day::parse(&moment.to_string()).ok()
        })
    }

    /// An instant in UTC, as a TOML time or as a string.
    pub fn instant(&mut self, key: &'static str) -> Option<Instant> {
        self.read(key, "a time in UTC, such as `2026-05-31T10:00:00Z`", |node| match node {
            Node::Datetime(moment) => Instant::parse(&moment.to_string()).ok(),
            Node::Text(text) => Instant::parse(text).ok(),
            Node::Integer(_)
            | Node::Float(_)
            | Node::Boolean(_)
            | Node::Array(_)
            | Node::Table(_) => None,
        })
    }

    /// A duration in milliseconds.
    pub fn duration_ms(&mut self, key: &'static str) -> Option<u64> {
        self.parsed(key, duration::SHAPE, duration::parse_ms)
    }

    /// A path relative to the repository root.
    pub fn path(&mut self, key: &'static str) -> Option<RelPath> {
        self.parsed(key, "a plain path relative to the repository root", |text| {
            RelPath::parse(text).ok()
        })
    }

    /// A gate id.
    pub fn gate_id(&mut self, key: &'static str) -> Option<GateId> {
        let expected = "a gate id: `a-z`, then `a-z`, `0-9` or `_`, at most 128 bytes";
        self.parsed(key, expected, |text| GateId::parse(text).ok())
    }

    /// A list of strings that `parse` accepts, each once, with their places.
    pub fn list<T: Ord + Clone>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<Spanned<T>>> {
        let entry = self.entry(key)?;
        let Node::Array(items) = entry.value.get_ref() else {
            self.refuse(key, &entry.value, format!("a list of {expected}"));
            return None;
        };
        let mut seen = VecSet::new();
        let mut values = Vec::new();
        for item in items {
            match text_of(item.get_ref()).and_then(&parse) {
                None => self.refuse(key, item, expected),
                Some(value) => {
                    if !seen.insert(value.clone()) {
                        let headline = format!("`{key}` of {} lists one value twice", self.name);
                        self.fault(
                            self.codes.invalid,
                            item.span().start,
                            headline,
                            "keep one of the two",
                        );
                    }
                    values.push(Spanned::new(item.span(), value));
                }
            }
        }
        Some(values)
    }

    /// An argument vector: strings, in order, the first one not empty; repetition is fine.
    pub fn argv(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.read(key, "a list of strings: program and arguments", |node| {
            let Node::Array(items) = node else { return None };
            items.iter().map(|item| text_of(item.get_ref()).map(str::to_owned)).collect()
        })
    }

    /// A table below this one.
    pub fn table(&mut self, key: &'static str) -> Option<(&'a Table, Range<usize>)> {
        let span = self.entry(key)?.value.span();
        self.read(key, "a table", |node| node.as_table()).map(|table| (table, span))
    }

    /// Marks keys as known without reading them.
    pub fn leave(&mut self, keys: &[&'static str]) {
        self.asked.extend(keys.iter().copied());
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        for (key, entry) in self.table {
            if self.asked.contains(key.as_str()) {
                continue;
            }
            let headline = format!("{} has an unknown key `{}`", self.name, key.escape_debug());
            let known: Vec<&str> = self.asked.iter().copied().collect();
            let remedy = near::hint(key, known.iter().copied())
                .unwrap_or_else(|| "remove the key".to_owned());
            let fault = Fault::new(self.codes.unknown, headline, remedy)
                .at(self.source.locate(entry.key.start))
                .expected(format!("one of {}", known.join(", ")))
                .found(format!("`{}`", key.escape_debug()));
            self.faults.push(fault);
        }
    }
}

fn text_of(node: &Node) -> Option<&str> {
    if let Node::Text(text) = node { Some(text) } else { None }
}
