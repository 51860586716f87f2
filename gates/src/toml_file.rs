//! A TOML file of the repository with the place of every key. It judges nothing but the syntax.

use portcullis::{
    Fault, Location, RelPath,
    wire::code::{DUPLICATE_KEY, INPUT_TOO_LARGE, TOML_INVALID},
};
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

/// The largest policy file, in bytes (`security.md`, section 4).
const FILE_MAX: usize = 1024 * 1024;

/// A path and the text that was read from it.
pub(crate) struct TomlFile {
    path: RelPath,
    text: String,
}

impl TomlFile {
    /// Wraps a text that was read.
    ///
    /// # Errors
    /// `input_too_large` above 1 MiB.
    pub(crate) fn new(path: &RelPath, text: String) -> Result<Self, Fault> {
        if text.len() > FILE_MAX {
            let headline = format!("`{path}` has {} bytes", text.len());
            return Err(Fault::new(
                INPUT_TOO_LARGE,
                headline,
                "split the file, or remove what is not needed",
            )
            .at(Location::file(path))
            .expected(format!("at most {FILE_MAX} bytes")));
        }
        Ok(Self { path: path.clone(), text })
    }

    /// The root table, with spans.
    ///
    /// # Errors
    /// `duplicate_key` or `toml_invalid`, with line and column.
    pub(crate) fn parse(&self) -> Result<DeTable<'_>, Fault> {
        DeTable::parse(&self.text).map(Spanned::into_inner).map_err(|source| {
            let message = source.message();
            let code = if message.contains("duplicate key") { DUPLICATE_KEY } else { TOML_INVALID };
            let offset = source.span().map_or(0, |span| span.start);
            let first = message.lines().next().unwrap_or("the text is not TOML");
            Fault::new(
                code,
                format!("`{}` is not valid TOML: {first}", self.path),
                "correct the line",
            )
            .at(self.locate(offset))
        })
    }

    /// The text as it was read.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The path it was read from.
    pub(crate) fn path(&self) -> &RelPath {
        &self.path
    }

    /// The place of a byte offset.
    pub(crate) fn locate(&self, offset: usize) -> Location {
        Location::of_offset(&self.path, &self.text, offset)
    }

    /// A fault about the value or key at `offset`.
    pub(crate) fn fault(
        &self,
        offset: usize,
        headline: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Fault {
        Fault::new(TOML_INVALID, headline, remedy).at(self.locate(offset))
    }

    /// The table under a dotted name; `None` when a part of it is absent.
    ///
    /// # Errors
    /// `toml_invalid` when a part of the name is there and is not a table.
    pub(crate) fn table<'t, 'i>(
        &self,
        root: &'t DeTable<'i>,
        dotted: &str,
    ) -> Result<Option<&'t DeTable<'i>>, Fault> {
        let mut table = root;
        for part in dotted.split('.') {
            let Some(value) = table.get(part) else { return Ok(None) };
            table = self.as_table(value, part)?;
        }
        Ok(Some(table))
    }

    /// The value as a table.
    ///
    /// # Errors
    /// `toml_invalid` when it is something else.
    pub(crate) fn as_table<'t, 'i>(
        &self,
        value: &'t Spanned<DeValue<'i>>,
        name: &str,
    ) -> Result<&'t DeTable<'i>, Fault> {
        value.get_ref().as_table().ok_or_else(|| {
            self.fault(
                value.span().start,
                format!("`{name}` is not a table"),
                "write it as a table",
            )
            .found(value.get_ref().type_str())
        })
    }

    /// The value as a list of strings with their offsets.
    ///
    /// # Errors
    /// `toml_invalid` when it is something else.
    #[cfg(feature = "classification")]
    pub(crate) fn strings(
        &self,
        value: &Spanned<DeValue<'_>>,
        name: &str,
    ) -> Result<Vec<(String, usize)>, Fault> {
        let wrong = |value: &Spanned<DeValue<'_>>| {
            self.fault(
                value.span().start,
                format!("`{name}` is not a list of strings"),
                "write `[\"a\", \"b\"]`",
            )
            .found(value.get_ref().type_str())
        };
        let Some(list) = value.get_ref().as_array() else { return Err(wrong(value)) };
        let mut strings = Vec::with_capacity(list.len());
        for item in list.iter() {
            let text = item.get_ref().as_str().ok_or_else(|| wrong(item))?;
            strings.push((text.to_owned(), item.span().start));
        }
        Ok(strings)
    }
}

/// The entries of a table in the order of the file, which its map does not keep.
pub(crate) fn in_file_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(&'t Spanned<DeString<'i>>, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _value)| key.span().start);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> TomlFile {
        TomlFile::new(&RelPath::parse("a.toml").expect("a path"), text.to_owned())
            .expect("a small file")
    }

    #[test]
    fn t37_syntax_faults_have_code_and_line() {
        let table: &[(&str, &str, &str, u32)] = &[
            ("a key twice", "a = 1\na = 2\n", "duplicate_key", 2),
            ("a table twice", "[a]\nx = 1\n[b]\n[a]\n", "duplicate_key", 4),
            ("a date that does not exist", "\na = 2026-02-30\n", "toml_invalid", 2),
            ("no value", "a =\n", "toml_invalid", 1),
        ];
        for (case, text, code, line) in table {
            let fault = file(text).parse().expect_err(case);
            assert_eq!(
                (fault.code().name(), fault.location().map(|at| at.line)),
                (*code, Some(*line)),
                "{case}"
            );
        }
    }

    #[cfg(feature = "classification")]
    #[test]
    fn values_of_another_type_are_refused_with_their_line() {
        let file = file("[a]\nlist = [\"x\",\n 3]\nb = 1\n");
        let root = file.parse().expect("TOML");
        let table = file.table(&root, "a").expect("a table").expect("present");
        let fault = file.strings(&table["list"], "list").expect_err("3 is not a string");
        assert_eq!(fault.location().map(|at| at.line), Some(3));
        assert!(file.table(&root, "a.b").is_err(), "a number is not a table");
        assert!(file.table(&root, "a.c").expect("absent is not wrong").is_none());
    }
}
