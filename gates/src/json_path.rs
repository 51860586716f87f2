//! JSON Pointers in which `*` stands for every element of a list or member of an object.
//! They only select; what a selected value must be is said by rules.

use portcullis::evidence::json::Kept;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::{borrow::Cow, fmt};

/// Why a text is not a pointer.
pub(crate) const POINTER_SHAPE: &str =
    "a JSON Pointer such as `/summary/total` or `/items/*/id`, at most 1024 bytes and 32 parts";
const POINTER_MAX: usize = 1024;
const PARTS_MAX: usize = 32;

/// A way into a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pointer {
    parts: Vec<Part>,
    /// Its text, where it leads to one value at most: a path for every record of a stream would cost more than the look.
    text: Option<String>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The member of this name, or the element of this number.
    Name(String),
    /// Every element or member.
    Each,
}

/// What a pointer leads to.
#[derive(Default)]
pub(crate) struct Selection<'v> {
    /// The values, each with its own path.
    pub(crate) found: Vec<(Cow<'v, str>, &'v Value)>,
    /// Paths that were named and do not exist.
    pub(crate) missing: Vec<String>,
    /// Paths at which `*` met nothing to stand for.
    pub(crate) empty: Vec<String>,
}

impl Pointer {
    /// Reads `/a/*/b`; `~1` is a slash, `~0` a tilde, and the empty text the whole document.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::of(Vec::new()));
        }
        if text.len() > POINTER_MAX {
            return None;
        }
        let parts = text.strip_prefix('/')?.split('/').map(part).collect::<Option<Vec<_>>>()?;
        (parts.len() <= PARTS_MAX).then(|| Self::of(parts))
    }

    /// A pointer of these steps.
    pub(crate) fn of(parts: Vec<Part>) -> Self {
        let mut text = parts.iter().all(|part| *part != Part::Each).then(String::new);
        if let Some(text) = &mut text {
            for part in &parts {
                if let Part::Name(name) = part {
                    text.push('/');
                    text.push_str(&escaped(name));
                }
            }
        }
        Self { parts, text }
    }

    /// Whether one of its steps is `*`.
    pub(crate) fn has_each(&self) -> bool {
        self.parts.contains(&Part::Each)
    }

    /// Whether its last step is `*`.
    pub(crate) fn ends_with_each(&self) -> bool {
        self.parts.last() == Some(&Part::Each)
    }

    /// The name of its last step.
    pub(crate) fn last_name(&self) -> Option<&str> {
        match self.parts.last() {
            Some(Part::Name(name)) => Some(name),
            Some(Part::Each) | None => None,
        }
    }

    /// Everything it leads to. The number of values is bounded by that of the document.
    pub(crate) fn select<'v>(&'v self, document: &'v Value) -> Selection<'v> {
        let mut selection = Selection::default();
        match (&self.text, self.one(document)) {
            (Some(text), Some(value)) => selection.found.push((Cow::Borrowed(text), value)),
            (Some(_) | None, _) => walk(&self.parts, document, String::new(), &mut selection),
        }
        selection
    }

    /// The one value it leads to, unless it has a `*` and may lead to several.
    pub(crate) fn one<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.parts.iter().try_fold(document, |value, part| match part {
            Part::Name(name) => child(value, name),
            Part::Each => None,
        })
    }

    /// Marks everything it leads to as kept, with all that is in it; the rest may be dropped.
    pub(crate) fn keep(&self, kept: &mut Kept) {
        self.kept(kept).whole();
    }

    /// The place in `kept` of what it leads to.
    pub(crate) fn kept<'k>(&self, kept: &'k mut Kept) -> &'k mut Kept {
        self.parts.iter().fold(kept, |kept, part| match part {
            Part::Name(name) => kept.member(name),
            Part::Each => kept.each(),
        })
    }
}

fn part(text: &str) -> Option<Part> {
    if text == "*" {
        return Some(Part::Each);
    }
    let mut name = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '~' => match rest.next() {
                Some('0') => name.push('~'),
                Some('1') => name.push('/'),
                Some(_) | None => return None,
            },
            c => name.push(c),
        }
    }
    Some(Part::Name(name))
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn walk<'v>(parts: &[Part], value: &'v Value, path: String, selection: &mut Selection<'v>) {
    let Some((part, rest)) = parts.split_first() else {
        selection.found.push((Cow::Owned(path), value));
        return;
    };
    match part {
        Part::Name(name) => {
            let next = format!("{path}/{}", escaped(name));
            match child(value, name) {
                Some(value) => walk(rest, value, next, selection),
                None => selection.missing.push(next),
            }
        }
        Part::Each => each(rest, value, path, selection),
    }
}

fn each<'v>(rest: &[Part], value: &'v Value, path: String, selection: &mut Selection<'v>) {
    match value {
        Value::Array(items) if items.is_empty() => selection.empty.push(path),
        Value::Object(members) if members.is_empty() => selection.empty.push(path),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(rest, item, format!("{path}/{index}"), selection);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                walk(rest, member, format!("{path}/{}", escaped(name)), selection);
            }
        }
        // A scalar has no elements at all: that is another document than the one expected, not an empty list.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            selection.missing.push(format!("{path}/*"));
        }
    }
}

fn child<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(name),
        // `01` and `+1` are no indices (RFC 6901).
        Value::Array(items) => name
            .parse::<usize>()
            .ok()
            .filter(|index| index.to_string() == name)
            .and_then(|index| items.get(index)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not {POINTER_SHAPE}")))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parts.is_empty() {
            return f.write_str("(the document)");
        }
        for part in &self.parts {
            match part {
                Part::Name(name) => write!(f, "/{}", escaped(name))?,
                Part::Each => f.write_str("/*")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::evidence::json;

    #[test]
    fn pointers_are_read_as_rfc_6901_says() {
        let table: &[(&str, &str, Option<&str>)] = &[
            ("the document", "", Some("(the document)")),
            ("a path", "/a/0/b", Some("/a/0/b")),
            ("each", "/a/*/b", Some("/a/*/b")),
            ("an escaped slash", "/a~1b", Some("/a~1b")),
            ("no slash in front", "a/b", None),
            ("dots are no path", "a.b", None),
            ("an unknown escape", "/a~2", None),
            ("an escape that ends early", "/a~", None),
        ];
        for (case, text, expected) in table {
            let seen = Pointer::parse(text).map(|pointer| pointer.to_string());
            assert_eq!(seen.as_deref(), *expected, "{case}");
        }
        assert!(Pointer::parse(&"/a".repeat(33)).is_none(), "33 parts");
    }

    #[test]
    fn a_selection_says_what_is_missing_and_what_is_empty() {
        let document = serde_json::json!({
            "items": [{"id": 1, "tags": []}, {"name": "x", "tags": ["t"]}],
            "by": {"a": {"id": 3}}, "n": 1, "none": [],
        });
        /// The case, the pointer; what is found, missing and empty.
        type Row = (&'static str, &'static str, [&'static [&'static str]; 3]);
        let table: &[Row] = &[
            ("an element", "/items/0/id", [&["/items/0/id"], &[], &[]]),
            ("an index with a zero in front", "/items/00/id", [&[], &["/items/00"], &[]]),
            ("each element", "/items/*/id", [&["/items/0/id"], &["/items/1/id"], &[]]),
            ("each member", "/by/*/id", [&["/by/a/id"], &[], &[]]),
            ("each of nothing", "/none/*/id", [&[], &[], &["/none"]]),
            ("each of a number", "/n/*", [&[], &["/n/*"], &[]]),
            ("each of each", "/items/*/tags/*", [&["/items/1/tags/0"], &[], &["/items/0/tags"]]),
        ];
        for (case, text, [found, missing, empty]) in table {
            let pointer = Pointer::parse(text).expect("a pointer");
            let seen = pointer.select(&document);
            let paths: Vec<&str> = seen.found.iter().map(|(path, _)| path.as_ref()).collect();
            assert_eq!(paths, *found, "{case}");
            assert_eq!(seen.missing, *missing, "{case}");
            assert_eq!(seen.empty, *empty, "{case}");
            // What a pointer keeps is all that it needs: the same selection from the rest of the document.
            let mut kept = Kept::nothing();
            pointer.keep(&mut kept);
            let text = document.to_string();
            let rest = json::parse_kept(&text, "f", &kept.merged()).expect("a document");
            let again = pointer.select(&rest);
            assert_eq!(again.found, seen.found, "{case}");
            assert_eq!((again.missing, again.empty), (seen.missing, seen.empty), "{case}");
        }
    }
}
