//! Items of an artifact, each with an id: the elements of a list, the members of an object, the records of a
//! stream, the lines of a text. It says what is there, not what it should be.

use crate::{
    artifact::{Artifact, Texts, refuse},
    artifact_contract::{FIELD_MISSING, Freshness},
    document::Format,
    json_path::Pointer,
    json_value::shown,
};
use portcullis::{
    Code, Digest, Fault, Findings, GateContext, GateError, GateTable, Location, RelPath,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use toml::Spanned;

pub(crate) const ITEM_INVALID: Code =
    Code::new("PC1130", "item_invalid", "An item of a list has no id, or no usable member.");
pub(crate) const ITEM_DUPLICATE: Code =
    Code::new("PC1131", "item_duplicate", "One id stands twice in a list of items.");

/// Items as a table names them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemsTable {
    path: RelPath,
    #[serde(default)]
    of_run: bool,
    format: Option<Format>,
    schema: Option<Spanned<String>>,
    freshness: Option<Freshness>,
    items: Option<Pointer>,
    id: Option<Pointer>,
}

/// One item: its id, its value, and where it stands.
pub(crate) struct Item<'v> {
    pub(crate) id: &'v str,
    pub(crate) value: &'v Value,
    pub(crate) place: Location,
}

impl ItemsTable {
    /// The artifact alone.
    pub(crate) fn artifact(&self) -> Artifact {
        Artifact {
            path: self.path.clone(),
            of_run: self.of_run,
            format: self.format,
            schema: self.schema.clone(),
            freshness: self.freshness.clone(),
        }
    }

    /// The same items in another artifact.
    pub(crate) fn elsewhere(&self, path: &RelPath, format: Option<Format>) -> Self {
        let (items, id) = (self.items.clone(), self.id.clone());
        let (path, of_run) = (path.clone(), false);
        Self { path, of_run, format, schema: None, freshness: None, items, id }
    }

    /// Whether it says where in the artifact the items stand.
    pub(crate) fn names_items(&self) -> bool {
        self.items.is_some() || self.id.is_some()
    }

    /// The path of the artifact.
    pub(crate) fn path(&self) -> &RelPath {
        &self.path
    }

    /// Whether it is one of this run's own documents.
    pub(crate) fn is_of_run(&self) -> bool {
        self.of_run
    }

    /// What in the table cannot be used.
    pub(crate) fn faults(&self, table: &GateTable, texts: Texts) -> Vec<Fault> {
        let artifact = self.artifact();
        let mut faults = artifact.faults(table, texts);
        let structured = self.items.is_some() || self.id.is_some();
        if artifact.format() == Some(Format::Text) && structured {
            let headline = format!("`{}` is a text: its lines are its items", self.path);
            faults.push(refuse(table, headline, "remove `items` and `id`, or state `format`"));
        }
        if self.id.as_ref().is_some_and(Pointer::has_each) {
            let headline = "`id` selects several values";
            faults.push(refuse(table, headline, "name one member, for example `/id`"));
        }
        faults
    }

    /// Hands over every item once, in the order of the artifact, and returns the artifact's digest.
    ///
    /// # Errors
    /// `artifact_missing`; `field_missing` when `items` leads nowhere; `item_invalid` for an item without id;
    /// `item_duplicate`, because of two items with one id nobody can say which one counts.
    pub(crate) fn each(
        &self,
        cx: &GateContext<'_>,
        out: &mut Findings,
        mut each: impl FnMut(&Item<'_>) -> Result<(), Fault>,
    ) -> Result<Digest, GateError> {
        let artifact = self.artifact();
        let file = artifact.open(cx, out)?;
        let mut seen = BTreeSet::new();
        let mut hand = |item: &Item<'_>| {
            if !seen.insert(item.id.to_owned()) {
                let headline = format!("`{}` stands twice", item.id);
                let remedy = "keep one of the two; nobody can say which one counts";
                return Err(Fault::new(ITEM_DUPLICATE, headline, remedy).at(item.place.clone()));
            }
            each(item)
        };
        if artifact.format() == Some(Format::Text) {
            for (line, text) in (1u32..).zip(file.text()?.lines()) {
                let id = text.trim();
                if !id.is_empty() && !id.starts_with('#') {
                    let place = Location::at(&self.path, line, 0);
                    hand(&Item { id, value: &Value::Null, place })?;
                }
            }
        } else {
            artifact.each_record(&file, |line, record| self.of_record(&record, line, &mut hand))?;
        }
        file.digest()
    }

    /// The items of one document or record.
    fn of_record(
        &self,
        record: &Value,
        line: u32,
        hand: &mut impl FnMut(&Item<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let Some(pointer) = &self.items else {
            return match line {
                0 => self.of_container("", record, line, hand),
                _ => self.one(None, "", record, line, hand),
            };
        };
        let selection = pointer.select(record);
        if let Some(missing) = selection.missing.first() {
            let headline = format!("`{missing}` does not exist in `{}`", self.path);
            let remedy = "correct `items`, or produce the artifact with this field";
            return Err(Fault::new(FIELD_MISSING, headline, remedy).at(self.place(line)));
        }
        for (path, value) in &selection.found {
            if pointer.ends_with_each() {
                let key = path.rsplit('/').next().filter(|_| is_of_object(pointer, path, record));
                let key = key.map(|key| key.replace("~1", "/").replace("~0", "~"));
                self.one(key.as_deref(), path, value, line, hand)?;
            } else if pointer.has_each() && value.is_string() {
                // `/tests/*/name` leads to the ids themselves.
                self.one(None, path, value, line, hand)?;
            } else {
                self.of_container(path, value, line, hand)?;
            }
        }
        Ok(())
    }

    fn of_container(
        &self,
        path: &str,
        value: &Value,
        line: u32,
        hand: &mut impl FnMut(&Item<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match value {
            Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
                self.one(None, &format!("{path}/{index}"), item, line, hand)
            }),
            Value::Object(members) => members.iter().try_for_each(|(key, item)| {
                self.one(Some(key), &format!("{path}/{key}"), item, line, hand)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Err(self.invalid(path, "is neither a list nor an object", value, line))
            }
        }
    }

    /// The id is the member that `id` names; without `id`, the key of an object's member, the text itself, or the
    /// member `id`.
    fn one(
        &self,
        key: Option<&str>,
        path: &str,
        value: &Value,
        line: u32,
        hand: &mut impl FnMut(&Item<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let stated = match (&self.id, key) {
            (Some(pointer), _) => pointer.one(value),
            (None, Some(key)) => {
                return hand(&Item { id: key, value, place: self.place(line) });
            }
            (None, None) if value.is_object() => value.get("id"),
            (None, None) => Some(value),
        };
        let id = match stated {
            Some(Value::String(text)) if !text.trim().is_empty() => text.clone(),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
            Some(_) | None => return Err(self.invalid(path, "has no id", value, line)),
        };
        hand(&Item { id: &id, value, place: self.place(line) })
    }

    fn place(&self, line: u32) -> Location {
        Location::at(&self.path, line, 0)
    }

    fn invalid(&self, path: &str, what: &str, value: &Value, line: u32) -> Fault {
        let path = if path.is_empty() { "the document" } else { path };
        let remedy = "give every item an id, or name its member with `id`";
        Fault::new(ITEM_INVALID, format!("{path} of `{}` {what}", self.path), remedy)
            .at(self.place(line))
            .found(shown(value))
    }
}

/// Whether the last `*` stood for the members of an object, so that the last step of a path is a key.
fn is_of_object(pointer: &Pointer, path: &str, record: &Value) -> bool {
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    pointer.ends_with_each()
        && Pointer::parse(parent)
            .is_some_and(|parent| parent.one(record).is_some_and(Value::is_object))
}
