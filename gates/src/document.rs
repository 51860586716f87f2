//! An artifact as values: JSON and TOML as one, JSON Lines as many, read strictly. It judges nothing.

use portcullis::{
    Fault, GateError, Location,
    evidence::{
        context::File,
        json::{self, Kept},
        lines::TornTail,
    },
    wire::code::{DUPLICATE_KEY, INPUT_TOO_LARGE, RECORD_TORN, TOML_INVALID, VALUE_NOT_FINITE},
};
use serde::Deserialize;
use serde_json::{Map, Number, Value};

/// Beyond this a whole number does not survive a reader that keeps numbers as doubles.
const EXACT_MAX: u64 = 1 << 53;
/// How deep a document may nest (`security.md`, section 4).
const DEPTH_MAX: u32 = 64;

/// How an artifact is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// One JSON document.
    Json,
    /// One JSON document per line.
    Jsonl,
    /// One TOML document, seen as JSON.
    Toml,
    /// Text without structure.
    Text,
}

impl Format {
    /// The format that a file name promises.
    pub(crate) fn of_name(path: &str) -> Option<Self> {
        match path.rsplit('.').next() {
            Some("json" | "sarif") => Some(Self::Json),
            Some("jsonl" | "ndjson") => Some(Self::Jsonl),
            Some("toml") => Some(Self::Toml),
            Some("md" | "txt" | "log") => Some(Self::Text),
            Some(_) | None => None,
        }
    }
}

/// Reads a JSON or TOML artifact.
pub(crate) fn read(file: &File<'_>, format: Format) -> Result<Value, GateError> {
    match format {
        Format::Json => file.json(),
        Format::Toml => toml(file.path().as_str(), &file.text()?),
        Format::Text => file.text().map(Value::String),
        Format::Jsonl => {
            let mut records = Vec::new();
            each_record(file, |_line, record| {
                records.push(record);
                Ok(())
            })?;
            Ok(Value::Array(records))
        }
    }
}

/// Reads the bytes of a JSON or TOML document that no file of the work tree holds.
pub(crate) fn parse(path: &str, bytes: &[u8], format: Format) -> Result<Value, Fault> {
    match format {
        Format::Json | Format::Jsonl => json::parse(bytes, path),
        Format::Toml => toml(path, json::text_of(bytes, path)?),
        Format::Text => json::text_of(bytes, path).map(|text| Value::String(text.to_owned())),
    }
}

/// Streams the records of a JSON Lines artifact in bounded memory, each with its line.
pub(crate) fn each_record(
    file: &File<'_>,
    mut each: impl FnMut(u32, Value) -> Result<(), Fault>,
) -> Result<(), GateError> {
    each_kept_record(file, &Kept::everything(), |line, record| each(line, record.clone()))
}

/// As [`each_record`]; of every record only what `kept` names is lent, and all of it is checked.
///
/// A long stream is read in the memory of one record, which is what makes it fast.
pub(crate) fn each_kept_record(
    file: &File<'_>,
    kept: &Kept,
    mut each: impl FnMut(u32, &Value) -> Result<(), Fault>,
) -> Result<(), GateError> {
    let path = file.path();
    let mut record = Value::Null;
    file.each_line(TornTail::Refuse, |number, text| {
        let line = u32::try_from(number).unwrap_or(u32::MAX);
        json::parse_kept_into(text, path.as_str(), kept, &mut record).map_err(|fault| {
            let column = fault.location().map_or(0, |place| place.column);
            fault.at(Location::at(path, line, column))
        })?;
        each(line, &record)
    })
}

/// Watches the sequence numbers of records: a gap is a line that somebody took away (FG-47).
#[derive(Default)]
pub(crate) struct Sequence {
    last: Option<u64>,
    records: u64,
}

impl Sequence {
    /// Takes the next record's number into account.
    pub(crate) fn next(&mut self, seq: Option<&Value>, path: &str, line: u32) -> Result<(), Fault> {
        let torn = |expected: String, found: String| {
            let remedy = "write the file again from its first record";
            Err(Fault::new(RECORD_TORN, "the sequence of records has a gap", remedy)
                .at(Location::at(path, line, 0))
                .expected(expected)
                .found(found))
        };
        self.records += 1;
        let first = self.records == 1;
        match (seq, self.last) {
            (None, None) => return Ok(()),
            (None, Some(last)) => {
                return torn(format!("`seq` {}", last + 1), "no `seq`".to_owned());
            }
            (Some(seq), None) if !first => {
                return torn("no `seq`, as in the first record".to_owned(), seq.to_string());
            }
            (Some(seq), last) => {
                let Some(number) = seq.as_u64() else {
                    return torn("a whole number".to_owned(), seq.to_string());
                };
                let expected = last.map(|last| last + 1);
                match expected {
                    Some(expected) if number != expected => {
                        return torn(format!("`seq` {expected}"), number.to_string());
                    }
                    None if number > 1 => {
                        return torn("`seq` 0 or 1".to_owned(), number.to_string());
                    }
                    Some(_) | None => self.last = Some(number),
                }
            }
        }
        Ok(())
    }
}

fn toml(path: &str, text: &str) -> Result<Value, Fault> {
    let table: toml::Table = text.parse().map_err(|source: toml::de::Error| {
        let code =
            if source.message().contains("duplicate key") { DUPLICATE_KEY } else { TOML_INVALID };
        let offset = source.span().map_or(0, |span| span.start);
        let remedy = "write the artifact again with a TOML writer";
        Fault::new(code, source.message().lines().next().unwrap_or("the text is no TOML"), remedy)
            .at(Location::of_offset(path, text, offset))
    })?;
    json_of_toml(&toml::Value::Table(table)).map_err(|what| {
        let code = if what.contains("nests") { INPUT_TOO_LARGE } else { VALUE_NOT_FINITE };
        Fault::new(code, what, "write a finite number within 2^53").at(Location::file(path))
    })
}

/// A TOML value as JSON has it; dates and times become texts.
pub(crate) fn json_of_toml(value: &toml::Value) -> Result<Value, String> {
    convert(value, 0)
}

fn convert(value: &toml::Value, depth: u32) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("the document nests deeper than {DEPTH_MAX}"));
    }
    Ok(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(n) if n.unsigned_abs() > EXACT_MAX => {
            return Err(format!("the number {n} lies beyond 2^53"));
        }
        toml::Value::Integer(n) => Value::from(*n),
        toml::Value::Float(x) => {
            let number =
                Number::from_f64(*x).ok_or_else(|| format!("the number {x} is not finite"))?;
            Value::Number(number)
        }
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Datetime(datetime) => Value::String(datetime.to_string()),
        toml::Value::Array(items) => {
            let items = items.iter().map(|item| convert(item, depth + 1));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        toml::Value::Table(members) => {
            let members = members
                .iter()
                .map(|(name, member)| Ok((name.clone(), convert(member, depth + 1)?)));
            Value::Object(members.collect::<Result<Map<_, _>, String>>()?)
        }
    })
}
