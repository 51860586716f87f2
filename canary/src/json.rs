//! Strict JSON for what a canary reads: every key once, numbers as they are written, and a pointer for every complaint.
//!
//! It leaves out what a document means, and it never turns a number into a double.

use crate::{
    Fault, FaultCode, MetricId,
    decimal::{Decimal, NoValue},
};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{error::Category, value::RawValue};
use std::{
    borrow::Cow,
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// How deep a document may nest, how many values it may have, and how long it may be.
const DEPTH_MAX: u32 = 64;
const NODES_MAX: u32 = 250_000;
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// What is wrong with an input, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The code, as in a report.
    pub code: FaultCode,
    /// The file.
    pub file: String,
    /// The place in it: a JSON pointer, or `line 3`; empty for the whole file.
    pub pointer: String,
    /// The metric, where it is known.
    pub metric: Option<MetricId>,
    /// What is wrong.
    pub detail: String,
}

impl Problem {
    pub(crate) fn new(
        code: FaultCode,
        file: &str,
        pointer: &str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            code,
            file: file.to_owned(),
            pointer: pointer.to_owned(),
            metric: None,
            detail: detail.into(),
        }
    }

    pub(crate) fn of(mut self, metric: &str) -> Self {
        self.metric = MetricId::new(metric);
        self
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let detail = problem.to_string();
        Self { code: problem.code, metric: problem.metric, detail }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.pointer.is_empty() { "" } else { "#" };
        write!(f, "{}{separator}{}: {}", self.file, self.pointer, self.detail)
    }
}

/// One value of a document with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    file: &'a str,
    pointer: String,
    raw: &'a str,
}

/// The members of an object, each there once.
pub(crate) struct Object<'a> {
    node: Node<'a>,
    members: BTreeMap<String, &'a str>,
}

/// The bytes as text.
pub(crate) fn text_of<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Problem> {
    if bytes.len() > BYTES_MAX {
        let detail = format!("{} bytes, at most {BYTES_MAX} are read", bytes.len());
        return Err(Problem::new(FaultCode::UnknownShape, file, "", detail));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!("not UTF-8 from byte {} on", error.valid_up_to());
        Problem::new(FaultCode::UnknownShape, file, "", detail)
    })?;
    if text.trim().is_empty() {
        return Err(Problem::new(FaultCode::UnknownShape, file, "", "the file is empty"));
    }
    Ok(text)
}

impl<'a> Node<'a> {
    /// A whole document; `pointer` is put before all of its pointers.
    pub(crate) fn document(file: &'a str, pointer: &str, text: &'a str) -> Result<Self, Problem> {
        Self::within(file, pointer, text, NODES_MAX)
    }

    /// A whole document of at most so many values.
    pub(crate) fn within(
        file: &'a str,
        pointer: &str,
        text: &'a str,
        nodes_max: u32,
    ) -> Result<Self, Problem> {
        let nodes = Cell::new(nodes_max);
        let mut reader = serde_json::Deserializer::from_str(text);
        let checked = Strict { nodes: &nodes, depth: 0 }.deserialize(&mut reader);
        checked
            .and_then(|()| reader.end())
            .map_err(|error| refused(file, pointer, text, &error))?;
        Ok(Self { file, pointer: pointer.to_owned(), raw: text.trim() })
    }

    pub(crate) fn problem(&self, code: FaultCode, detail: impl Into<String>) -> Problem {
        Problem::new(code, self.file, &self.pointer, detail)
    }

    fn expected(&self, what: &str) -> Problem {
        let shown: String = self.raw.chars().take(60).collect();
        self.problem(FaultCode::UnknownShape, format!("expected {what}, found `{shown}`"))
    }

    fn unreadable(&self, error: &serde_json::Error) -> Problem {
        self.problem(FaultCode::UnknownShape, error.to_string())
    }

    pub(crate) fn file(&self) -> &'a str {
        self.file
    }

    pub(crate) fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The text of the value as it stands.
    pub(crate) fn raw(&self) -> &'a str {
        self.raw
    }

    pub(crate) fn is_null(&self) -> bool {
        self.raw == "null"
    }

    pub(crate) fn object(self) -> Result<Object<'a>, Problem> {
        if !self.raw.starts_with('{') {
            return Err(self.expected("an object"));
        }
        let members: BTreeMap<String, &'a RawValue> =
            serde_json::from_str(self.raw).map_err(|error| self.unreadable(&error))?;
        let members = members.into_iter().map(|(name, raw)| (name, raw.get())).collect();
        Ok(Object { node: self, members })
    }

    pub(crate) fn elements(&self) -> Result<Vec<Node<'a>>, Problem> {
        if !self.raw.starts_with('[') {
            return Err(self.expected("an array"));
        }
        let items: Vec<&'a RawValue> =
            serde_json::from_str(self.raw).map_err(|error| self.unreadable(&error))?;
        Ok(items
            .into_iter()
            .enumerate()
            .map(|(at, raw)| Node {
                file: self.file,
                pointer: format!("{}/{at}", self.pointer),
                raw: raw.get(),
            })
            .collect())
    }

    pub(crate) fn text(&self) -> Result<String, Problem> {
        if !self.raw.starts_with('"') {
            return Err(self.expected("a text"));
        }
        serde_json::from_str(self.raw).map_err(|error| self.unreadable(&error))
    }

    /// A number as it is written. `null` and a text that spells one are how a writer without infinities says so.
    pub(crate) fn number(&self) -> Result<Decimal, Problem> {
        if self.is_null() || (self.raw.starts_with('"') && is_not_finite(&self.text()?)) {
            return Err(
                self.problem(FaultCode::ValueNotFinite, format!("{} is no number", self.raw))
            );
        }
        Decimal::parse(self.raw).ok_or_else(|| self.expected("a number"))
    }

    /// A positive value: the number times `10^shift`, in whole units.
    pub(crate) fn value(&self, shift: i32) -> Result<u64, Problem> {
        self.number()?.shifted(shift).map_err(|why| self.no_value(why))
    }

    pub(crate) fn no_value(&self, why: NoValue) -> Problem {
        let shown: String = self.raw.chars().take(60).collect();
        match why {
            NoValue::NotPositive => {
                self.problem(FaultCode::ValueNotPositive, format!("{shown} is no positive value"))
            }
            NoValue::Overflow => {
                self.problem(FaultCode::ValueOverflow, format!("{shown} does not fit in 64 bits"))
            }
        }
    }

    /// A whole number, which may be zero.
    pub(crate) fn whole(&self) -> Result<u64, Problem> {
        let is_digits = !self.raw.is_empty() && self.raw.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits {
            return Err(self.expected("a whole number"));
        }
        self.raw
            .parse()
            .map_err(|_too_large: std::num::ParseIntError| self.no_value(NoValue::Overflow))
    }

    pub(crate) fn boolean(&self) -> Result<bool, Problem> {
        match self.raw {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.expected("`true` or `false`")),
        }
    }
}

impl<'a> Object<'a> {
    /// The object itself, for complaints about it.
    pub(crate) fn node(&self) -> &Node<'a> {
        &self.node
    }

    /// A member, also one that is `null`.
    pub(crate) fn optional(&self, name: &str) -> Option<Node<'a>> {
        self.members.get(name).map(|raw| self.place(name, raw))
    }

    /// A member that has to be there.
    pub(crate) fn member(&self, name: &str) -> Result<Node<'a>, Problem> {
        self.optional(name).ok_or_else(|| {
            self.node.problem(FaultCode::UnknownShape, format!("there is no member `{name}`"))
        })
    }

    /// All members, by name.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, Node<'a>)> {
        self.members.iter().map(|(name, raw)| (name.as_str(), self.place(name, raw)))
    }

    fn place(&self, name: &str, raw: &'a str) -> Node<'a> {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        Node { file: self.node.file, pointer: format!("{}/{escaped}", self.node.pointer), raw }
    }
}

/// Whether a text spells a number that is none.
pub(crate) fn is_not_finite(text: &str) -> bool {
    let word = text.trim().trim_start_matches(['+', '-']).to_ascii_lowercase();
    matches!(word.as_str(), "nan" | "inf" | "infinity" | "null")
}

/// Says why a text is no JSON; writers that know infinities write them bare, which is another complaint.
fn refused(file: &str, pointer: &str, text: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let code = if message.contains("number out of range") {
        FaultCode::ValueOverflow
    } else if error.classify() == Category::Syntax && is_at_infinity(text, error) {
        FaultCode::ValueNotFinite
    } else {
        FaultCode::UnknownShape
    };
    Problem::new(code, file, pointer, message)
}

fn is_at_infinity(text: &str, error: &serde_json::Error) -> bool {
    let Some(line) = text.split('\n').nth(error.line().saturating_sub(1)) else { return false };
    let at = error.column().saturating_sub(1).min(line.len());
    let bytes = line.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'+');
    let start = bytes[..at].iter().rposition(|byte| !is_word(byte)).map_or(0, |before| before + 1);
    let end = bytes[at..].iter().position(|byte| !is_word(byte)).map_or(bytes.len(), |n| at + n);
    std::str::from_utf8(&bytes[start..end])
        .is_ok_and(|word| is_not_finite(word) && !word.eq_ignore_ascii_case("null"))
}

/// Reads a value through to its end, and keeps nothing of it but how many more values it may have.
struct Strict<'n> {
    nodes: &'n Cell<u32>,
    depth: u32,
}

impl Strict<'_> {
    fn count<E: de::Error>(&self) -> Result<(), E> {
        match self.nodes.get().checked_sub(1) {
            Some(left) => self.nodes.set(left),
            None => return Err(E::custom("more values than are read")),
        }
        if self.depth > DEPTH_MAX {
            return Err(E::custom(format!("nested deeper than {DEPTH_MAX}")));
        }
        Ok(())
    }

    fn inner(&self) -> Strict<'_> {
        Strict { nodes: self.nodes, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _value: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _value: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _value: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(name) = members.next_key_seed(Name)? {
            if names.contains(&name) {
                return Err(de::Error::custom(format!("the member `{name}` stands twice")));
            }
            names.insert(name);
            members.next_value_seed(self.inner())?;
        }
        Ok(())
    }
}

/// The name of a member, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        match Node::document("f", "", text) {
            Ok(_) => "fine",
            Err(problem) => problem.code.as_str(),
        }
    }

    #[test]
    fn a_text_has_one_meaning_or_is_refused() {
        let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
        let many = format!("[{}1]", "1,".repeat(250_000));
        let table: &[(&str, &str, &str)] = &[
            ("an object", "{\"a\":[1,null,\"NaN\"]}", "fine"),
            ("a key twice", "{\"a\":1,\"a\":1}", "unknown_shape"),
            ("a key twice in other spelling", "{\"a\":1,\"\\u0061\":1}", "unknown_shape"),
            ("a key twice below", "[{\"b\":{\"a\":1,\"a\":1}}]", "unknown_shape"),
            ("cut", "{\"a\":[1,", "unknown_shape"),
            ("something behind it", "{} {}", "unknown_shape"),
            ("a byte order mark", "\u{feff}{}", "unknown_shape"),
            ("a bare NaN", "{\"a\": NaN}", "value_not_finite"),
            ("a bare nan", "[1,\n nan]", "value_not_finite"),
            ("a bare infinity", "[-Infinity, 1]", "value_not_finite"),
            ("a bare word", "[nothing]", "unknown_shape"),
            ("a number no double holds", "[1e400]", "value_overflow"),
            ("too deep", &deep, "unknown_shape"),
            ("too many values", &many, "unknown_shape"),
        ];
        for (case, text, expected) in table {
            assert_eq!(code(text), *expected, "{case}");
        }
        assert_eq!(text_of("f", b" \n").expect_err("empty").detail, "the file is empty");
        assert_eq!(text_of("f", b"\xff").expect_err("no text").code, FaultCode::UnknownShape);
        let large = vec![b' '; BYTES_MAX + 1];
        assert_eq!(text_of("f", &large).expect_err("too large").code, FaultCode::UnknownShape);
    }

    #[test]
    fn complaints_name_file_and_pointer() {
        let node = Node::document("f.json", "", "{\"a/b\":[{\"n\":true}]}").expect("JSON");
        let list = node.object().expect("an object").member("a/b").expect("a member");
        let first = list.elements().expect("a list").remove(0).object().expect("an object");
        let problem = first.member("n").and_then(|n| n.number().map(drop)).expect_err("a boolean");
        assert_eq!(problem.to_string(), "f.json#/a~1b/0/n: expected a number, found `true`");
        let problem = first.member("m").map(drop).expect_err("no such member");
        assert_eq!(problem.to_string(), "f.json#/a~1b/0: there is no member `m`");
    }
}
