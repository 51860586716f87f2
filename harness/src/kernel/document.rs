//! TOML with places: an owned tree in which every key and value knows its line. Leaves out what the keys mean.

mod keys;

pub use keys::{Codes, Keys};

use crate::wire::{
    code::{Code, DUPLICATE_KEY, INPUT_TOO_LARGE, NOT_UTF8, TOML_INVALID},
    fault::{Fault, Location},
    id::Digest,
    ordered::VecMap,
};
use std::{borrow::Cow, fmt, fmt::Write as _, ops::Range, sync::Arc};
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
    value::Datetime,
};

/// No policy, census or waiver file may be larger (`security.md`, section 4).
pub const BYTES_MAX: usize = 1024 * 1024;
/// A broken file repeats one mistake; the first faults say enough.
const FAULTS_MAX: usize = 20;

/// A text with its path, shared by everything that was read from it, which turns offsets into places.
#[derive(Clone)]
pub struct Source(Arc<Text>);

struct Text {
    path: String,
    text: String,
    starts: Vec<usize>,
}

impl Source {
    /// Remembers a text and where its lines begin.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(n, _)| n + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Self(Arc::new(Text { path: path.to_owned(), text: text.to_owned(), starts }))
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The place of a byte of the text. Ten thousand calls cost ten thousand times one.
    #[must_use]
    pub fn locate(&self, offset: usize) -> Location {
        let Text { path, text, starts } = &*self.0;
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let line = starts.partition_point(|start| *start <= end).max(1);
        let column = text[starts[line - 1]..end].chars().count() + 1;
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Location::at(path, narrow(line), narrow(column))
    }

    /// The words of a byte range, for messages.
    #[must_use]
    pub fn excerpt(&self, span: &Range<usize>) -> String {
        let words =
            self.0.text.get(span.clone()).unwrap_or_default().lines().next().unwrap_or_default();
        words.chars().take(80).collect()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?})", self.0.path)
    }
}

/// A table, sorted by key.
pub type Table = VecMap<String, Entry>;

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key stands.
    pub key: Range<usize>,
    /// The value and where it stands.
    pub value: Spanned<Node>,
}

/// A value.
#[derive(Clone, Debug)]
pub enum Node {
    /// A string.
    Text(String),
    /// An integer, as TOML reads it back.
    Integer(String),
    /// A float, as TOML reads it back.
    Float(String),
    /// A boolean.
    Boolean(bool),
    /// A date, a time or both.
    Datetime(Datetime),
    /// An array.
    Array(Vec<Spanned<Node>>),
    /// A table.
    Table(Table),
}

impl Node {
    /// What it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Datetime(_) => "a date or time",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }

    /// The table, if it is one.
    #[must_use]
    pub fn as_table(&self) -> Option<&Table> {
        if let Self::Table(table) = self { Some(table) } else { None }
    }

    fn of(value: DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.into_owned()),
            DeValue::Integer(number) => Self::Integer(number.to_string()),
            DeValue::Float(number) => Self::Float(number.to_string()),
            DeValue::Boolean(truth) => Self::Boolean(truth),
            DeValue::Datetime(moment) => Self::Datetime(moment),
            DeValue::Array(items) => Self::Array(items.into_iter().map(spanned).collect()),
            DeValue::Table(table) => Self::Table(owned(table)),
        }
    }

    // Integers keep their text, because toml gives no other way to build one; it cannot fail on its own output.
    fn lend(&self) -> DeValue<'_> {
        let again =
            |text| DeValue::parse(text).map_or(DeValue::Boolean(false), Spanned::into_inner);
        match self {
            Self::Text(text) => DeValue::String(Cow::Borrowed(text)),
            Self::Integer(text) | Self::Float(text) => again(text),
            Self::Boolean(truth) => DeValue::Boolean(*truth),
            Self::Datetime(moment) => DeValue::Datetime(*moment),
            Self::Array(items) => {
                let lent =
                    items.iter().map(|item| Spanned::new(item.span(), item.get_ref().lend()));
                DeValue::Array(lent.collect::<DeArray<'_>>())
            }
            Self::Table(table) => DeValue::Table(lend(table)),
        }
    }
}

fn spanned(value: Spanned<DeValue<'_>>) -> Spanned<Node> {
    let span = value.span();
    Spanned::new(span, Node::of(value.into_inner()))
}

fn owned(table: DeTable<'_>) -> Table {
    let entry = |(key, value): (Spanned<Cow<'_, str>>, _)| {
        let span = key.span();
        (key.into_inner().into_owned(), Entry { key: span, value: spanned(value) })
    };
    table.into_iter().map(entry).collect()
}

/// The same entries as toml's own table, for its deserializer; spans stay offsets into the file.
#[must_use]
pub fn lend<'a>(entries: impl IntoIterator<Item = &'a (String, Entry)>) -> DeTable<'a> {
    let mut table = DeTable::new();
    for (key, entry) in entries {
        let name = Spanned::new(entry.key.clone(), Cow::Borrowed(key.as_str()));
        table.insert(name, Spanned::new(entry.value.span(), entry.value.get_ref().lend()));
    }
    table
}

/// Reads a document. What could be read is returned even beside faults, for views that show a broken file.
///
/// Every fault has `syntax` as its code, or one of toml's own: `toml_invalid`, `duplicate_key`.
#[must_use]
pub fn read(path: &str, text: &str, syntax: Option<Code>) -> (Source, Table, Vec<Fault>) {
    let source = Source::new(path, text);
    if let Some(fault) = unreadable(path, text) {
        return (source, Table::new(), vec![fault]);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let faults =
        errors.iter().take(FAULTS_MAX).map(|error| fault(&source, error, syntax)).collect();
    (source, owned(document.into_inner()), faults)
}

fn unreadable(path: &str, text: &str) -> Option<Fault> {
    if text.len() > BYTES_MAX {
        let fault = Fault::new(
            INPUT_TOO_LARGE,
            format!("`{path}` is too large"),
            "split it, or remove what is old",
        );
        let found = format!("{} bytes", text.len());
        return Some(
            fault
                .at(Location::file(path))
                .expected(format!("at most {BYTES_MAX} bytes"))
                .found(found),
        );
    }
    text.starts_with('\u{feff}').then(|| {
        let remedy = "save the file as UTF-8 without a byte order mark";
        Fault::new(NOT_UTF8, "a text begins with a byte order mark", remedy)
            .at(Location::at(path, 1, 1))
    })
}

fn fault(source: &Source, error: &toml::de::Error, syntax: Option<Code>) -> Fault {
    let duplicate = error.message().contains("duplicate key");
    let code = syntax.unwrap_or(if duplicate { DUPLICATE_KEY } else { TOML_INVALID });
    let span = error.span().unwrap_or(0..0);
    let remedy = if duplicate { "keep one of the two" } else { "correct the TOML at this place" };
    let headline = error.message().lines().next().unwrap_or("not TOML").to_lowercase();
    let fault = Fault::new(code, headline, remedy).at(source.locate(span.start));
    let found = source.excerpt(&span);
    if found.is_empty() { fault } else { fault.found(format!("`{found}`")) }
}

/// The digest of a table: order, comments, blank space and spelling of numbers do not change it.
#[must_use]
pub fn digest(table: &Table) -> Digest {
    let mut text = String::new();
    render(table, &mut text);
    Digest::of(text.as_bytes())
}

// Writing to a String cannot fail.
fn render(table: &Table, text: &mut String) {
    text.push('{');
    for (key, entry) in table {
        let _ok = write!(text, "{key:?}=");
        render_node(entry.value.get_ref(), text);
        text.push(';');
    }
    text.push('}');
}

fn render_node(node: &Node, text: &mut String) {
    let _ok = match node {
        Node::Text(value) => write!(text, "s{value:?}"),
        Node::Integer(value) => match integer(value) {
            Some(number) => write!(text, "i{number}"),
            None => write!(text, "i{value}"),
        },
        Node::Float(value) => match value.parse::<f64>() {
            Ok(number) => write!(text, "f{number:?}"),
            Err(_) => write!(text, "f{value}"),
        },
        Node::Boolean(value) => write!(text, "b{value}"),
        Node::Datetime(value) => write!(text, "d{value}"),
        Node::Array(items) => {
            text.push('[');
            for item in items {
                render_node(item.get_ref(), text);
                text.push(',');
            }
            text.push(']');
            Ok(())
        }
        Node::Table(table) => {
            render(table, text);
            Ok(())
        }
    };
}

/// The value of an integer as TOML spells it.
fn integer(text: &str) -> Option<i64> {
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (&text[2..], 16),
        Some("0o") => (&text[2..], 8),
        Some("0b") => (&text[2..], 2),
        Some(_) | None => (text, 10),
    };
    i64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        let (_, table, faults) = read("f.toml", text, None);
        assert_eq!(faults, [], "{text}");
        table
    }

    #[test]
    fn a_digest_ignores_order_comments_and_spelling_and_nothing_else() {
        let same = digest(&table("a = 0x10\nb = ['x', {c = 1.50}] # why\n"));
        assert_eq!(digest(&table("b=[\"x\",{c=1.5}]\n\n\na=16")), same);
        for other in [
            "a = 17\nb = ['x', {c = 1.5}]",
            "a = 16",
            "a = '16'\nb = ['x', {c = 1.5}]",
            "b = 16\na = ['x']",
        ] {
            assert_ne!(digest(&table(other)), same, "{other}");
        }
        // Quoting keeps a value from imitating structure.
        assert_ne!(digest(&table("a = 's\"b\";'")), digest(&table("a = 's'\nb = ''")));
    }

    #[test]
    fn fg43_duplicate_keys_are_refused_with_their_line() {
        let (_, _, faults) = read("f.toml", "a = 1\nb = 2\na = 3\n", None);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].code(), DUPLICATE_KEY);
        assert_eq!(faults[0].location().map(ToString::to_string).as_deref(), Some("f.toml:3:1"));
    }

    #[test]
    fn what_is_not_toml_is_refused_with_its_line() {
        let cases: [(&str, &str, Code); 4] = [
            ("an unclosed string", "a = \"x", TOML_INVALID),
            ("a day that does not exist", "a = 2026-02-30", TOML_INVALID),
            ("a byte order mark", "\u{feff}a = 1", NOT_UTF8),
            ("a bare word", "a = yes", TOML_INVALID),
        ];
        for (case, text, code) in cases {
            let (_, _, faults) = read("f.toml", text, None);
            assert_eq!(faults.first().map(Fault::code), Some(code), "{case}");
            assert!(faults.iter().all(|fault| fault.location().is_some()), "{case}");
        }
        let large = "# ".repeat(BYTES_MAX);
        assert_eq!(read("f.toml", &large, None).2[0].code(), INPUT_TOO_LARGE);
    }

    #[test]
    fn places_count_characters() {
        let source = Source::new("f", "ab\nöx\n");
        let seen: Vec<String> =
            [0, 3, 5, 4, 7, 99].iter().map(|n| source.locate(*n).to_string()).collect();
        assert_eq!(seen, ["f:1:1", "f:2:1", "f:2:2", "f:2:1", "f:3:1", "f:3:1"]);
    }
}
