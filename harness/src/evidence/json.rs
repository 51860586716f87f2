//! Strict JSON: one meaning per text, or a fault with line and column. Leaves out what a document must contain.

use crate::wire::{
    code::{Code, DUPLICATE_KEY, INPUT_TOO_LARGE, JSON_INVALID, NOT_UTF8, VALUE_NOT_FINITE},
    fault::{Fault, Location},
};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Number, Value};
use std::{cell::RefCell, fmt};

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
    let text = text_of(bytes, path)?;
    let reader = Reader { problem: RefCell::new(None), nodes: RefCell::new(0) };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Node { reader: &reader, depth: 0 }.deserialize(&mut deserializer);
    match read.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) => Err(fault_of(&error, reader.problem.into_inner(), path)),
    }
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

/// What the one pass remembers: how many values there were, and the rule that stopped it.
struct Reader {
    problem: RefCell<Option<(Code, String, &'static str)>>,
    nodes: RefCell<u32>,
}

impl Reader {
    fn stop<E: de::Error>(&self, code: Code, headline: String, remedy: &'static str) -> E {
        let error = E::custom(&headline);
        *self.problem.borrow_mut() = Some((code, headline, remedy));
        error
    }

    fn inexact<E: de::Error>(&self, number: impl fmt::Display) -> E {
        let headline = format!("the number {number} lies beyond 2^53");
        self.stop(VALUE_NOT_FINITE, headline, "write a smaller number, or write it as a string")
    }
}

/// One value at one depth.
struct Node<'r> {
    reader: &'r Reader,
    depth: u32,
}

impl Node<'_> {
    fn child<E: de::Error>(&self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > DEPTH_MAX {
            let headline = format!("arrays and objects nest deeper than {DEPTH_MAX}");
            return Err(self.reader.stop(INPUT_TOO_LARGE, headline, "flatten the document"));
        }
        Ok(Self { reader: self.reader, depth })
    }

    fn count<E: de::Error>(&self) -> Result<(), E> {
        let mut nodes = self.reader.nodes.borrow_mut();
        *nodes += 1;
        if *nodes > NODES_MAX {
            let headline = format!("the document has more than {NODES_MAX} values");
            return Err(self.reader.stop(
                INPUT_TOO_LARGE,
                headline,
                "split the document, or write it as JSON Lines",
            ));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        if value > EXACT_MAX { Err(self.reader.inexact(value)) } else { Ok(value.into()) }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > EXACT_MAX {
            Err(self.reader.inexact(value))
        } else {
            Ok(value.into())
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        // serde_json hands an integer beyond 64 bits over as a double, so large doubles are refused with it.
        match Number::from_f64(value) {
            Some(number) if value.abs() <= EXACT_MAX as f64 => Ok(Value::Number(number)),
            Some(_) | None => Err(self.reader.inexact(value)),
        }
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self.child()?)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if object.contains_key(&key) {
                let shown: String = key.chars().take(80).collect();
                let headline =
                    format!("the key `{}` stands twice in one object", shown.escape_debug());
                return Err(self.reader.stop(
                    DUPLICATE_KEY,
                    headline,
                    "keep one of the two, whichever is true",
                ));
            }
            let value = map.next_value_seed(self.child()?)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
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
    fn what_serde_json_writes_is_read_back() {
        let text = r#"{"a":[1,-2,0.5,"\u2028\"",{},[],null,false]}"#;
        let expected: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(parse(text.as_bytes(), "f").expect("a document"), expected);
    }
}
