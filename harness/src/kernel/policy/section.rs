//! A table of the policy that somebody else interprets: a canary, the generated workflows. It says where things stand, not
//! what they mean.

use crate::{
    kernel::{
        document::{self, Entry, Node, Source, Table},
        near,
    },
    wire::{
        code::{CONFIG_INVALID, CONFIG_UNKNOWN_KEY, DUPLICATE_KEY, FRESHNESS_UNSTATED},
        fault::{Fault, Location},
        ordered::VecMap,
    },
};
use serde::de::DeserializeOwned;
use std::ops::Range;
use toml::Spanned;

/// One table `[<name>.<id>]`, or `[<name>]`.
#[derive(Clone, Debug)]
pub struct Section {
    /// What messages call it.
    name: String,
    source: Source,
    span: Range<usize>,
    keys: Table,
}

impl Section {
    /// The tables below `name`, by id.
    pub(super) fn each(
        source: &Source,
        entry: Option<&Entry>,
        name: &str,
        faults: &mut Vec<Fault>,
    ) -> VecMap<String, Self> {
        let Some(entry) = entry else { return VecMap::new() };
        let wrong = |offset: usize| {
            let headline = format!("`{name}` does not hold one table for each id");
            Fault::new(CONFIG_INVALID, headline, format!("write `[{name}.<id>]`"))
                .at(source.locate(offset))
        };
        let Some(tables) = entry.value.get_ref().as_table() else {
            faults.push(wrong(entry.key.start));
            return VecMap::new();
        };
        let mut sections = VecMap::new();
        for (id, entry) in tables {
            let Node::Table(keys) = entry.value.get_ref() else {
                faults.push(wrong(entry.key.start));
                continue;
            };
            let section = Self {
                name: format!("{name} `{id}`"),
                source: source.clone(),
                span: entry.key.clone(),
                keys: keys.clone(),
            };
            sections.insert(id.clone(), section);
        }
        sections
    }

    /// The table `name`, where there is one.
    pub(super) fn one(
        source: &Source,
        entry: Option<&Entry>,
        name: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let entry = entry?;
        let Node::Table(keys) = entry.value.get_ref() else {
            let headline = format!("`{name}` is not a table");
            let fault = Fault::new(CONFIG_INVALID, headline, format!("write `[{name}]`"));
            faults.push(fault.at(source.locate(entry.key.start)));
            return None;
        };
        let (source, span) = (source.clone(), entry.key.clone());
        Some(Self { name: format!("`[{name}]`"), source, span, keys: keys.clone() })
    }

    /// Reads the table. Spans of `toml::Spanned` inside the type are offsets for [`Section::locate`].
    ///
    /// # Errors
    /// `config_unknown_key` for a key that the type does not have, else `config_invalid`, with the place.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let lent = Spanned::new(self.span.clone(), document::lend(self.keys.iter()));
        let read = T::deserialize(toml::de::Deserializer::from(lent));
        read.map_err(|error| refused(&self.source, &self.span, &self.name, &[], &error))
    }

    /// The place of a key, or of the table where it does not have the key.
    #[must_use]
    pub fn place(&self, key: &str) -> Location {
        let offset = self.keys.get(key).map_or(self.span.start, |entry| entry.key.start);
        self.source.locate(offset)
    }

    /// The place of a byte of the policy file.
    #[must_use]
    pub fn locate(&self, offset: usize) -> Location {
        self.source.locate(offset)
    }
}

/// Says what is wrong with a table that a type refused.
pub(super) fn refused(
    source: &Source,
    span: &Range<usize>,
    name: &str,
    common: &[&str],
    error: &toml::de::Error,
) -> Fault {
    let message = error.message().lines().next().unwrap_or("cannot be read");
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (code, remedy) = if message.starts_with("unknown field") {
        let known = names.iter().skip(1).chain(common.iter()).copied();
        let hint = near::hint(names.first().copied().unwrap_or_default(), known);
        (CONFIG_UNKNOWN_KEY, hint.unwrap_or_else(|| "remove the key".to_owned()))
    } else if message.contains("freshness_unstated") || message == "missing field `freshness`" {
        (FRESHNESS_UNSTATED, "say how old it may be: `freshness = { max_age = \"7d\" }`".to_owned())
    } else if message.starts_with("duplicate field") {
        (DUPLICATE_KEY, "keep one of the two".to_owned())
    } else if message.starts_with("missing field") {
        (CONFIG_INVALID, format!("add `{} = ...`", names.first().copied().unwrap_or("it")))
    } else {
        (CONFIG_INVALID, "write the value as the kind's page says".to_owned())
    };
    let offset = error.span().map_or(span.start, |span| span.start);
    let headline = format!("{name}: {message}");
    let fault = Fault::new(code, headline, remedy).at(source.locate(offset));
    let found = error.span().map(|span| source.excerpt(&span)).filter(|text| !text.is_empty());
    let fault = match found {
        Some(text) if offset != span.start => fault.found(format!("`{text}`")),
        Some(_) | None => fault,
    };
    match message.split_once(", expected ") {
        Some((_, expected)) => fault.expected(expected),
        None => fault,
    }
}
