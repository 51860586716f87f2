//! Strict JSON: one meaning per text, or a fault with line and column. Leaves out what a document must contain.

mod kept;

pub use kept::Kept;

use crate::wire::{
    code::{Code, DUPLICATE_KEY, INPUT_TOO_LARGE, JSON_INVALID, NOT_UTF8, VALUE_NOT_FINITE},
    fault::{Fault, Location},
};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Number, Value};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::BTreeSet,
    fmt,
};

/// How deep arrays and objects may nest, and how many values a document may have (`security.md`, section 4).
const DEPTH_MAX: u32 = 64;
const NODES_MAX: u32 = 250_000;
/// Beyond this a number does not survive a reader that keeps numbers as doubles.
const EXACT_MAX: u64 = 1 << 53;

/// Reads a document in which every key stands once and every number is exact.
///
/// `path` is only for messages.
///
/// # Errors
/// `not_utf8`, `duplicate_key`, `value_not_finite`, `input_too_large` (depth or count) and `json_invalid`, each with
/// line and column.
pub fn parse(bytes: &[u8], path: &str) -> Result<Value, Fault> {
    parse_kept(text_of(bytes, path)?, path, &Kept::everything())
}

/// Checks a whole document as [`parse`] does, and returns of it only what `kept` names.
///
/// Members that are not kept are absent; elements that are not kept are `null`, so that the others stand where they
/// stood.
///
/// # Errors
/// As [`parse`].
pub fn parse_kept(text: &str, path: &str, kept: &Kept) -> Result<Value, Fault> {
    let mut value = Value::Null;
    parse_kept_into(text, path, kept, &mut value).map(|()| value)
}

/// As [`parse_kept`], over a value that is there: the records of a stream are alike, and what one of them needed in
/// memory the next one uses again. After an error the value means nothing.
///
/// # Errors
/// As [`parse`].
pub fn parse_kept_into(
    text: &str,
    path: &str,
    kept: &Kept,
    value: &mut Value,
) -> Result<(), Fault> {
    let reader = Reader::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let node = Node { reader: &reader, depth: 0, slot: Some((value, kept)) };
    let read = node.deserialize(&mut deserializer);
    read.and_then(|()| deserializer.end())
        .map_err(|error| fault_of(&error, reader.problem.into_inner(), path))
}

/// Reads a document strictly, then into a type.
///
/// # Errors
/// As [`parse`]; `json_invalid` where the shape is not that of the type.
pub fn parse_as<T: DeserializeOwned>(bytes: &[u8], path: &str) -> Result<T, Fault> {
    let value = parse(bytes, path)?;
    match serde_json::from_value(value) {
        Ok(typed) => Ok(typed),
        // The tree has no positions, so the refused text is read once more to say where it is wrong.
        Err(error) => match serde_json::from_slice::<T>(bytes) {
            Ok(_) => Err(fault_of(&error, None, path)),
            Err(placed) => Err(fault_of(&placed, None, path)),
        },
    }
}

/// Returns the bytes as text without a byte order mark.
///
/// # Errors
/// `not_utf8` with the place of the first byte that is not text.
pub fn text_of<'a>(bytes: &'a [u8], path: &str) -> Result<&'a str, Fault> {
    const REMEDY: &str = "save the file as UTF-8 without a byte order mark";
    match std::str::from_utf8(bytes) {
        Ok(text) if text.starts_with('\u{feff}') => {
            Err(Fault::new(NOT_UTF8, "a text begins with a byte order mark", REMEDY)
                .at(Location::at(path, 1, 1)))
        }
        Ok(text) => Ok(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            Err(Fault::new(NOT_UTF8, "a text is not UTF-8", REMEDY)
                .at(Location::of_offset(path, &valid, valid.len()))
                .found(format!(
                    "byte 0x{:02x} at offset {}",
                    bytes[error.valid_up_to()],
                    error.valid_up_to()
                )))
        }
    }
}

/// Above this many members a linear search for a name that stands twice would cost more than a set.
const MEMBERS_SEARCHED: usize = 16;

/// What the one pass remembers: how many values there were, the rule that stopped it, and the names of the members of
/// every object that is open.
#[derive(Default)]
struct Reader<'de> {
    problem: RefCell<Option<(Code, String, &'static str)>>,
    nodes: Cell<u32>,
    names: RefCell<Vec<Cow<'de, str>>>,
}

impl<'de> Reader<'de> {
    fn stop<E: de::Error>(&self, code: Code, headline: String, remedy: &'static str) -> E {
        let error = E::custom(&headline);
        *self.problem.borrow_mut() = Some((code, headline, remedy));
        error
    }

    fn inexact<E: de::Error>(&self, number: impl fmt::Display) -> E {
        let headline = format!("the number {number} lies beyond 2^53");
        self.stop(VALUE_NOT_FINITE, headline, "write a smaller number, or write it as a string")
    }

    fn twice<E: de::Error>(&self, name: &str) -> E {
        let shown: String = name.chars().take(80).collect();
        let headline = format!("the key `{}` stands twice in one object", shown.escape_debug());
        self.stop(DUPLICATE_KEY, headline, "keep one of the two, whichever is true")
    }
}

/// One value at one depth, and where it is kept. Without a place it is checked and dropped, and costs no memory.
struct Node<'r, 'v, 'de> {
    reader: &'r Reader<'de>,
    depth: u32,
    slot: Option<(&'v mut Value, &'r Kept)>,
}

impl Node<'_, '_, '_> {
    fn below<E: de::Error>(&self) -> Result<u32, E> {
        let depth = self.depth + 1;
        if depth > DEPTH_MAX {
            let headline = format!("arrays and objects nest deeper than {DEPTH_MAX}");
            return Err(self.reader.stop(INPUT_TOO_LARGE, headline, "flatten the document"));
        }
        Ok(depth)
    }

    fn count<E: de::Error>(&self) -> Result<(), E> {
        let nodes = self.reader.nodes.get() + 1;
        self.reader.nodes.set(nodes);
        if nodes > NODES_MAX {
            let headline = format!("the document has more than {NODES_MAX} values");
            return Err(self.reader.stop(
                INPUT_TOO_LARGE,
                headline,
                "split the document, or write it as JSON Lines",
            ));
        }
        Ok(())
    }

    fn put(self, value: impl FnOnce() -> Value) {
        if let Some((slot, _)) = self.slot {
            *slot = value();
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.put(|| Value::Null);
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.put(|| Value::Bool(value));
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        if value > EXACT_MAX {
            return Err(self.reader.inexact(value));
        }
        self.put(|| value.into());
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        if value.unsigned_abs() > EXACT_MAX {
            return Err(self.reader.inexact(value));
        }
        self.put(|| value.into());
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        // serde_json hands an integer beyond 64 bits over as a double, so large doubles are refused with it.
        match Number::from_f64(value) {
            Some(number) if value.abs() <= EXACT_MAX as f64 => self.put(|| Value::Number(number)),
            Some(_) | None => return Err(self.reader.inexact(value)),
        }
        Ok(())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        match self.slot {
            Some((Value::String(text), _)) => {
                text.clear();
                text.push_str(value);
            }
            Some((slot, _)) => *slot = Value::String(value.to_owned()),
            None => {}
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (depth, reader) = (self.below()?, self.reader);
        let Some((slot, kept)) = self.slot else {
            while list.next_element_seed(Node { reader, depth, slot: None })?.is_some() {}
            return Ok(());
        };
        if !slot.is_array() {
            *slot = Value::Array(Vec::new());
        }
        let Value::Array(items) = slot else { return Ok(()) };
        let mut length = 0;
        loop {
            let mut dropped = Value::Null;
            let kept_here = kept.of_element(length);
            let place = match items.get_mut(length) {
                Some(item) => item,
                None => &mut dropped,
            };
            let slot = kept_here.map(|kept| (&mut *place, kept));
            let is_kept = slot.is_some();
            if list.next_element_seed(Node { reader, depth, slot })?.is_none() {
                break;
            }
            if !is_kept {
                *place = Value::Null;
            }
            if length >= items.len() {
                items.push(dropped);
            }
            length += 1;
        }
        items.truncate(length);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (depth, reader) = (self.below()?, self.reader);
        let mut names = Names::of(reader);
        let Some((slot, kept)) = self.slot else {
            while let Some(name) = map.next_key_seed(Name)? {
                names.add(name)?;
                map.next_value_seed(Node { reader, depth, slot: None })?;
            }
            return Ok(());
        };
        if !slot.is_object() {
            *slot = Value::Object(Map::new());
        }
        let Value::Object(object) = slot else { return Ok(()) };
        let mut members = 0;
        while let Some(name) = map.next_key_seed(Name)? {
            let slot = match kept.of_member(&name) {
                None => None,
                Some(kept) => {
                    members += 1;
                    if !object.contains_key(name.as_ref()) {
                        object.insert(name.as_ref().to_owned(), Value::Null);
                    }
                    object.get_mut(name.as_ref()).map(|value| (value, kept))
                }
            };
            names.add(name)?;
            map.next_value_seed(Node { reader, depth, slot })?;
        }
        if object.len() != members {
            // Members of the record before that this one does not have.
            object.retain(|name, _value| names.has(name));
        }
        Ok(())
    }
}

/// The names of the members of one open object, which stand at the end of the reader's list.
struct Names<'r, 'de> {
    reader: &'r Reader<'de>,
    begin: usize,
    /// A bit for each name; a name whose bit is not set is new, and most are.
    marks: u64,
    /// All of them, once there are many.
    many: BTreeSet<Cow<'de, str>>,
}

impl<'r, 'de> Names<'r, 'de> {
    fn of(reader: &'r Reader<'de>) -> Self {
        let begin = reader.names.borrow().len();
        Self { reader, begin, marks: 0, many: BTreeSet::new() }
    }

    fn add<E: de::Error>(&mut self, name: Cow<'de, str>) -> Result<(), E> {
        let bytes = name.as_bytes();
        let (first, last) = (bytes.first().copied(), bytes.last().copied());
        let mix = u64::from(first.unwrap_or(0)) ^ (u64::from(last.unwrap_or(0)) << 1);
        let mark = 1u64 << ((mix ^ ((bytes.len() as u64) << 3)) & 63);
        let may_be_there = self.marks & mark != 0;
        self.marks |= mark;
        if may_be_there && self.has(&name) {
            return Err(self.reader.twice(&name));
        }
        let mut names = self.reader.names.borrow_mut();
        if !self.many.is_empty() {
            self.many.insert(name);
        } else if names.len() - self.begin < MEMBERS_SEARCHED {
            names.push(name);
        } else {
            self.many.extend(names.drain(self.begin..));
            self.many.insert(name);
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        if self.many.is_empty() {
            let names = self.reader.names.borrow();
            names.iter().skip(self.begin).any(|known| known == name)
        } else {
            self.many.contains(name)
        }
    }
}

impl Drop for Names<'_, '_> {
    fn drop(&mut self) {
        self.reader.names.borrow_mut().truncate(self.begin);
    }
}

/// The name of a member, borrowed from the text unless it has escapes.
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

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

fn fault_of(
    error: &serde_json::Error,
    problem: Option<(Code, String, &'static str)>,
    path: &str,
) -> Fault {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let place = match error.line() {
        0 => Location::file(path),
        line => Location::at(path, narrow(line), narrow(error.column().max(1))),
    };
    if let Some((code, headline, remedy)) = problem {
        return Fault::new(code, headline, remedy).at(place);
    }
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    if message.contains("number out of range") {
        return Fault::new(
            VALUE_NOT_FINITE,
            "a number is too large to be finite",
            "write a finite number",
        )
        .at(place);
    }
    if message.contains("recursion limit") {
        return Fault::new(
            INPUT_TOO_LARGE,
            "arrays and objects nest too deeply",
            "flatten the document",
        )
        .at(place);
    }
    Fault::new(
        JSON_INVALID,
        "a text is not the JSON it should be",
        "write the document again with the tool that made it",
    )
    .at(place)
    .found(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &[u8]) -> Option<&'static str> {
        parse(text, "a.json").err().map(|fault| fault.code().name())
    }

    #[test]
    fn fg43_x1_a_text_has_one_meaning_or_none() {
        let table: &[(&str, &str, Option<&str>)] = &[
            ("an object", r#"{"a": [1, -2.5, "x", null, true]}"#, None),
            ("fg43: a key twice", r#"{"status":"fail","status":"pass"}"#, Some("duplicate_key")),
            ("a key twice, deep inside", r#"[{"a":{"b":1,"b":1}}]"#, Some("duplicate_key")),
            ("a key twice, once escaped", r#"{"a":1,"\u0061":2}"#, Some("duplicate_key")),
            ("one key in two objects", r#"[{"a":1},{"a":2}]"#, None),
            ("2^53", "9007199254740992", None),
            ("2^53 + 1", "9007199254740993", Some("value_not_finite")),
            ("-2^53 - 1", "-9007199254740993", Some("value_not_finite")),
            ("2^64, which would become a double", "18446744073709551616", Some("value_not_finite")),
            ("fg44: beyond any double", "1e400", Some("value_not_finite")),
            ("fg44: NaN", "NaN", Some("json_invalid")),
            ("trailing data", "{} {}", Some("json_invalid")),
            ("a trailing comma", "[1,]", Some("json_invalid")),
            ("a comment", "{} // x", Some("json_invalid")),
            ("nothing", "", Some("json_invalid")),
            ("cut short", r#"{"a": tr"#, Some("json_invalid")),
            ("a byte order mark", "\u{feff}{}", Some("not_utf8")),
        ];
        for (case, text, expected) in table {
            assert_eq!(code(text.as_bytes()), *expected, "{case}");
        }
        assert_eq!(code(b"\"\xff\""), Some("not_utf8"));
    }

    #[test]
    fn t12_depth_and_count_are_limited() {
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(code(nested(64).as_bytes()), None);
        assert_eq!(code(nested(65).as_bytes()), Some("input_too_large"));
        assert_eq!(code("[".repeat(1_000_000).as_bytes()), Some("input_too_large"));
        let wide = |n: usize| format!("[{}]", vec!["1"; n].join(","));
        assert_eq!(code(wide(249_999).as_bytes()), None);
        assert_eq!(code(wide(250_000).as_bytes()), Some("input_too_large"));
    }

    #[test]
    fn a_fault_names_line_column_and_key() {
        let fault = parse(b"{\n  \"a\": 1,\n  \"a\": 2\n}", "x/a.json").expect_err("a key twice");
        let place = fault.location().expect("a place");
        assert_eq!((place.path.as_str(), place.line), ("x/a.json", 3));
        assert!(fault.headline().contains("`a`"), "{fault}");
    }

    #[test]
    fn a_typed_reading_is_strict_first() {
        #[derive(serde::Deserialize, Debug)]
        struct Small {
            a: u8,
        }
        assert_eq!(parse_as::<Small>(b"{\"a\":1,\"b\":2}", "f").expect("a document").a, 1);
        let table: &[(&str, &str, &str, u32)] = &[
            ("an unread key twice", "{\"a\":1,\n\"b\":1,\"b\":1}", "duplicate_key", 2),
            ("a wrong type", "{\n\"a\":\"x\"}", "json_invalid", 2),
            ("a missing field", "{}", "json_invalid", 1),
            ("a number out of the field's range", "{\"a\":256}", "json_invalid", 1),
        ];
        for (case, text, code, line) in table {
            let fault = parse_as::<Small>(text.as_bytes(), "f").expect_err(case);
            let seen = fault.location().map(|place| place.line);
            assert_eq!((fault.code().name(), seen), (*code, Some(*line)), "{case}");
        }
    }

    #[test]
    fn what_is_not_kept_is_checked_and_dropped() {
        let mut kept = Kept::nothing();
        kept.member("a").whole();
        kept.member("list").each().member("id").whole();
        kept.member("pair").member("1").whole();
        kept.member("by").each().member("n").whole();
        kept.member("by").member("x").member("m").whole();
        kept.member("deep").member("er").whole();
        let kept = kept.merged();
        let text = r#"{"a":{"b":[1]},"z":{"q":1},"list":[{"id":1,"no":2},{"no":3},4],"pair":["x","y"],
            "by":{"x":{"n":1,"m":2,"o":3},"y":{"n":4,"m":5}},"deep":"flat"}"#;
        let expected = serde_json::json!({
            "a": {"b": [1]}, "list": [{"id": 1}, {}, 4], "pair": [null, "y"],
            "by": {"x": {"n": 1, "m": 2}, "y": {"n": 4}}, "deep": "flat",
        });
        assert_eq!(parse_kept(text, "f", &kept).expect("a document"), expected);
        // What is dropped is held to the same rules as what is kept.
        let refused: &[(&str, &str)] = &[
            (r#"{"z":{"q":1,"q":2}}"#, "duplicate_key"),
            (r#"{"z":9007199254740993}"#, "value_not_finite"),
            (r#"{"z":[1,]}"#, "json_invalid"),
            (r#"{"z":"\x"}"#, "json_invalid"),
        ];
        for (text, code) in refused {
            let fault = parse_kept(text, "f", &kept).expect_err(text);
            assert_eq!(fault.code().name(), *code, "{text}");
        }
        // A value that is there is used again, and nothing of it is left over.
        let mut value = parse_kept(text, "f", &kept).expect("a document");
        let other = r#"{"list":[{"id":"x"}],"a":1,"by":{"y":{"n":2}},"pair":[0,1,2]}"#;
        let expected =
            serde_json::json!({"list":[{"id":"x"}],"a":1,"by":{"y":{"n":2}},"pair":[null,1,null]});
        parse_kept_into(other, "f", &kept, &mut value).expect("a document");
        assert_eq!(value, expected);
        let deep = format!("{{\"z\":{}1{}}}", "[".repeat(64), "]".repeat(64));
        let fault = parse_kept(&deep, "f", &Kept::nothing()).expect_err("65 deep");
        assert_eq!(fault.code().name(), "input_too_large");
    }

    #[test]
    fn fg43_a_key_twice_is_found_among_many_and_after_an_inner_object() {
        let many = |last: &str| {
            let members: Vec<String> = (0..40).map(|n| format!("\"k{n}\":{{\"k0\":1}}")).collect();
            format!("{{{},\"{last}\":1}}", members.join(","))
        };
        let table =
            [("other", None), ("k0", Some("duplicate_key")), ("k39", Some("duplicate_key"))];
        for (last, expected) in table {
            assert_eq!(code(many(last).as_bytes()), expected, "{last}");
        }
        assert_eq!(code(br#"{"a":{"b":1},"a":2}"#), Some("duplicate_key"), "after an inner object");
        assert_eq!(code(br#"{"a":{"b":1},"b":2}"#), None, "the inner name is another one");
    }

    #[test]
    fn what_serde_json_writes_is_read_back() {
        let text = r#"{"a":[1,-2,0.5,"\u2028\"",{},[],null,false]}"#;
        let expected: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(parse(text.as_bytes(), "f").expect("a document"), expected);
    }
}
