//! The one way documents become bytes: UTF-8, keys sorted, one trailing newline.

use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeSeq as _},
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Renders a document: pretty, keys sorted at every depth, one trailing newline.
///
/// # Errors
/// When a map has a key that is not a string; documents of ours have none.
pub fn document(value: &impl Serialize) -> Result<String, serde_json::Error> {
    // Through `Value`, whose map is ordered by key: the order of struct fields is not part of the format.
    of_sorted(&serde_json::to_value(value)?)
}

/// The same of a tree that is there already, or of a [`Document`], whose rows never become one: a run of thousands of
/// gates has no room for that.
///
/// # Errors
/// Those of a [`Document`]'s rows; never for a tree of ours.
pub fn of_sorted(value: &impl Sorted) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}

/// What serialises with its keys in order at every depth.
pub trait Sorted: Serialize {}

impl Sorted for Value {}
impl Sorted for Document<'_> {}

/// A document whose long list is rendered row by row, so that only one row at a time is a tree.
pub struct Document<'a>(BTreeMap<String, Field<'a>>);

enum Field<'a> {
    Value(Value),
    Rows(usize, Box<dyn Fn(usize) -> Result<Value, serde_json::Error> + 'a>),
}

impl<'a> Document<'a> {
    /// A document with the fields of this object.
    ///
    /// # Errors
    /// When it cannot be rendered, or is no object.
    pub fn of(fields: &impl Serialize) -> Result<Self, serde_json::Error> {
        let fields: Map<String, Value> = serde_json::from_value(serde_json::to_value(fields)?)?;
        Ok(Self(fields.into_iter().map(|(name, value)| (name, Field::Value(value))).collect()))
    }

    /// Adds the fields of another object; one that is there already is replaced.
    ///
    /// # Errors
    /// As [`Document::of`].
    pub fn with(mut self, fields: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.0.extend(Self::of(fields)?.0);
        Ok(self)
    }

    /// Adds a list, of which each row is rendered when it is written.
    #[must_use]
    pub fn rows<T, R: Serialize>(
        mut self,
        name: &str,
        rows: &'a [T],
        render: impl Fn(&'a T) -> R + 'a,
    ) -> Self {
        let row = move |n: usize| serde_json::to_value(rows.get(n).map(&render));
        self.0.insert(name.to_owned(), Field::Rows(rows.len(), Box::new(row)));
        self
    }
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Rows(count, row) => {
                let mut list = serializer.serialize_seq(Some(*count))?;
                for n in 0..*count {
                    list.serialize_element(&row(n).map_err(S::Error::custom)?)?;
                }
                list.end()
            }
        }
    }
}

/// Renders a record of a JSON Lines file: one line, keys sorted, one trailing newline.
///
/// # Errors
/// As [`document`].
pub fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string(&serde_json::to_value(value)?)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_a_newline_ends_the_document() {
        #[derive(Serialize)]
        struct Unsorted {
            b: u8,
            a: u8,
        }
        let text = document(&Unsorted { b: 1, a: 2 }).expect("a document");
        assert_eq!(text, "{\n  \"a\": 2,\n  \"b\": 1\n}\n");
        let rows = [3, 1];
        let written = Document::of(&Unsorted { b: 1, a: 2 })
            .and_then(|document| document.with(&serde_json::json!({ "d": { "y": 1, "x": [] } })))
            .map(|document| document.rows("c", &rows, |n| Unsorted { b: *n, a: 0 }))
            .expect("a document");
        assert_eq!(of_sorted(&written).ok(), document(&written).ok(), "by rows or by a tree");
        assert!(of_sorted(&written).is_ok_and(|text| text.contains("\"b\": 3")));
        assert_eq!(line(&Unsorted { b: 1, a: 2 }).expect("a line"), "{\"a\":2,\"b\":1}\n");
    }
}
