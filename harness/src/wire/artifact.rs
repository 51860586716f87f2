//! The one way documents become bytes: UTF-8, keys sorted, one trailing newline.

mod pretty;

use crate::wire::ordered::VecMap;
use pretty::Pretty;
use serde::{Serialize, Serializer, ser::Error as _};
pub use serde_json::Error;
use serde_json::{Map, Value};

/// Renders a document: pretty, keys sorted at every depth, one trailing newline.
///
/// # Errors
/// When a map has a key that is not a string; documents of ours have none.
pub fn document(value: &impl Serialize) -> Result<String, Error> {
    // Through `Value`, whose map is ordered by key: the order of struct fields is not part of the format.
    of_sorted(&serde_json::to_value(value)?)
}

/// The same of what has its keys in order already, or of a [`Document`], whose rows never become one tree: a run of
/// thousands of gates has no room for that.
///
/// # Errors
/// As [`document`].
pub fn of_sorted(value: &impl Sorted) -> Result<String, Error> {
    let mut text = Vec::new();
    value.render(0, &mut text)?;
    text.push(b'\n');
    String::from_utf8(text).map_err(Error::custom)
}

/// What is rendered with its keys in order at every depth.
pub trait Sorted {
    /// Adds the value as it stands at this depth of a document.
    ///
    /// # Errors
    /// As [`document`].
    fn render(&self, depth: usize, text: &mut Vec<u8>) -> Result<(), Error>;
}

/// States that a type serialises with its keys in order. Each has a test that compares it with its tree.
#[doc(hidden)]
#[macro_export]
macro_rules! __sorted {
    ($($name:ty),+ $(,)?) => {$(
        impl $crate::wire::artifact::Sorted for $name {
            fn render(&self, depth: usize, text: &mut Vec<u8>) -> Result<(), $crate::wire::artifact::Error> {
                $crate::wire::artifact::pretty(self, depth, text)
            }
        }
    )+};
}
pub use __sorted as sorted;

sorted!(Value);

impl<T: Sorted> Sorted for &T {
    fn render(&self, depth: usize, text: &mut Vec<u8>) -> Result<(), Error> {
        (**self).render(depth, text)
    }
}

/// Adds a value, which serialises with its keys in order, as it stands at this depth of a document.
///
/// # Errors
/// As [`document`].
pub fn pretty(value: &impl Serialize, depth: usize, text: &mut Vec<u8>) -> Result<(), Error> {
    value.serialize(&mut serde_json::Serializer::with_formatter(text, Pretty::at(depth)))
}

/// Serialises a part with its keys in order, whatever the order of its fields: for the rare parts of a [`Sorted`] whole.
///
/// # Errors
/// As [`document`].
pub(crate) fn through_tree<T: Serialize, S: Serializer>(
    part: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serde_json::to_value(part).map_err(S::Error::custom)?.serialize(serializer)
}

/// A list of such parts; most lists are empty, and an empty one needs no tree.
///
/// # Errors
/// As [`document`].
pub(crate) fn list_through_tree<T: Serialize, S: Serializer>(
    parts: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if parts.is_empty() {
        return serializer.collect_seq(std::iter::empty::<()>());
    }
    through_tree(&parts, serializer)
}

/// Writes one row of a list.
type Row<'a> = Box<dyn Fn(usize, usize, &mut Vec<u8>) -> Result<(), Error> + 'a>;

/// A document whose long list is rendered row by row, so that there is never a tree of all rows.
pub struct Document<'a>(VecMap<String, Field<'a>>);

enum Field<'a> {
    Value(Value),
    Rows(usize, Row<'a>),
}

impl<'a> Document<'a> {
    /// A document with the fields of this object.
    ///
    /// # Errors
    /// When it cannot be rendered, or is no object.
    pub fn of(fields: &impl Serialize) -> Result<Self, Error> {
        let fields: Map<String, Value> = serde_json::from_value(serde_json::to_value(fields)?)?;
        Ok(Self(fields.into_iter().map(|(name, value)| (name, Field::Value(value))).collect()))
    }

    /// Adds the fields of another object; one that is there already is replaced.
    ///
    /// # Errors
    /// As [`Document::of`].
    pub fn with(mut self, fields: &impl Serialize) -> Result<Self, Error> {
        self.0.extend(Self::of(fields)?.0);
        Ok(self)
    }

    /// Adds a list, of which each row is rendered when it is written.
    #[must_use]
    pub fn rows<T, R: Sorted>(
        mut self,
        name: &str,
        rows: &'a [T],
        row: impl Fn(&'a T) -> R + 'a,
    ) -> Self {
        let write = move |n: usize, depth: usize, text: &mut Vec<u8>| match rows.get(n) {
            Some(one) => row(one).render(depth, text),
            None => Ok(()),
        };
        self.0.insert(name.to_owned(), Field::Rows(rows.len(), Box::new(write)));
        self
    }
}

impl Sorted for Document<'_> {
    fn render(&self, depth: usize, text: &mut Vec<u8>) -> Result<(), Error> {
        text.push(b'{');
        for (n, (name, field)) in self.0.iter().enumerate() {
            line_begins(n == 0, depth + 1, text);
            pretty(name, depth + 1, text)?;
            text.extend_from_slice(b": ");
            match field {
                Field::Value(value) => value.render(depth + 1, text)?,
                Field::Rows(0, _) => text.extend_from_slice(b"[]"),
                Field::Rows(count, row) => {
                    text.push(b'[');
                    for n in 0..*count {
                        line_begins(n == 0, depth + 2, text);
                        row(n, depth + 2, text)?;
                    }
                    line_begins(true, depth + 1, text);
                    text.push(b']');
                }
            }
        }
        if !self.0.is_empty() {
            line_begins(true, depth, text);
        }
        text.push(b'}');
        Ok(())
    }
}

fn line_begins(is_first: bool, depth: usize, text: &mut Vec<u8>) {
    text.extend_from_slice(if is_first { b"\n" } else { b",\n" });
    text.resize(text.len() + 2 * depth, b' ');
}

/// Renders a record of a JSON Lines file: one line, keys sorted, one trailing newline.
///
/// # Errors
/// As [`document`].
pub fn line(value: &impl Serialize) -> Result<String, Error> {
    line_of_sorted(&serde_json::to_value(value)?)
}

/// The same of what has its keys in order already.
///
/// # Errors
/// As [`document`].
pub fn line_of_sorted(value: &(impl Sorted + Serialize)) -> Result<String, Error> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    Ok(text)
}

/// Asserts that a value which claims to have its keys in order renders as its tree does.
#[cfg(test)]
pub(crate) fn assert_sorted(value: &(impl Sorted + Serialize)) {
    let (own, tree) = (of_sorted(value), document(value));
    assert_eq!(own.expect("a document"), tree.expect("a document"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Serialize)]
    struct Unsorted {
        b: u8,
        a: u8,
    }

    #[test]
    fn keys_are_sorted_and_a_newline_ends_the_document() {
        let text = document(&Unsorted { b: 1, a: 2 }).expect("a document");
        assert_eq!(text, "{\n  \"a\": 2,\n  \"b\": 1\n}\n");
        assert_eq!(line(&Unsorted { b: 1, a: 2 }).expect("a line"), "{\"a\":2,\"b\":1}\n");
    }

    #[test]
    fn a_document_by_rows_is_the_document_of_its_tree() {
        for rows in [vec![], vec![3], vec![3, 1, 2]] {
            let header = json!({ "b": 1, "a": {}, "d": { "y": 1, "x": [] } });
            let row = |n: &u8| json!({ "name": "\"\n", "list": [n, [n]], "none": [] });
            let written = Document::of(&header).expect("an object").rows("c", &rows, row);
            let mut tree = header.clone();
            tree["c"] = rows.iter().map(row).collect();
            assert_eq!(of_sorted(&written).ok(), document(&tree).ok(), "{rows:?}");
        }
        let nothing = Document::of(&json!({})).expect("an object");
        assert_eq!(of_sorted(&nothing).expect("a document"), "{}\n");
        assert!(Document::of(&json!([1])).is_err());
    }

    #[test]
    fn the_layout_is_that_of_serde_json() {
        let mut deep = json!({ "bottom": [1, { "key": "value" }], "empty": {} });
        for n in 0..40 {
            let mut around = json!({ "": [], "b\"\\\n": [deep, null, true, 1.5, "x", n] });
            if n % 3 == 0 {
                around = json!([around, [], [[]], {}]);
            }
            deep = around;
            let expected = serde_json::to_string_pretty(&deep).expect("a text") + "\n";
            assert_eq!(of_sorted(&deep).expect("a document"), expected);
        }
    }
}
