//! A fault: why something could not be looked at or used, with the way out. One shape for every message.

use super::code::Code;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A place in a file of the repository. Lines and columns count from 1; line 0 means the whole file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// Path relative to the repository root, with `/`.
    pub path: String,
    /// Line, from 1; 0 for the whole file.
    pub line: u32,
    /// Column in characters, from 1; 0 where only the line is known.
    pub column: u32,
}

impl Location {
    /// The whole file.
    #[must_use]
    pub fn file(path: impl fmt::Display) -> Self {
        Self { path: path.to_string(), line: 0, column: 0 }
    }

    /// A line and column of a file.
    #[must_use]
    pub fn at(path: impl fmt::Display, line: u32, column: u32) -> Self {
        Self { path: path.to_string(), line, column }
    }

    /// The place of byte `offset` in `text`, which is the content of the file.
    #[must_use]
    pub fn of_offset(path: impl fmt::Display, text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        Self::at(
            path,
            u32::try_from(line).unwrap_or(u32::MAX),
            u32::try_from(column).unwrap_or(u32::MAX),
        )
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => f.write_str(&self.path),
            (line, 0) => write!(f, "{}:{line}", self.path),
            (line, column) => write!(f, "{}:{line}:{column}", self.path),
        }
    }
}

/// Why something could not be looked at or used.
///
/// It is an error, never a finding: a finding can be waived, blindness cannot. Rendered as
///
/// ```text
/// error[PC0403 waiver_expired]: waiver for `build` ended on 2026-05-31
///   --> suite_classification.toml:48:11
///    = expected: ...
///    = found:    ...
///    = remedy:   ...
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Fault(Box<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    code: Code,
    headline: String,
    location: Option<Location>,
    expected: Option<String>,
    found: Option<String>,
    remedy: String,
    chain: Vec<String>,
}

impl Fault {
    /// A fault with its headline (a lower-case fragment without full stop) and the way out.
    #[must_use]
    pub fn new(code: Code, headline: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            headline: headline.into(),
            location: None,
            expected: None,
            found: None,
            remedy: remedy.into(),
            chain: Vec::new(),
        }))
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.0.location = Some(location);
        self
    }

    /// Adds what was expected.
    #[must_use]
    pub fn expected(mut self, text: impl Into<String>) -> Self {
        self.0.expected = Some(text.into());
        self
    }

    /// Adds what was found.
    #[must_use]
    pub fn found(mut self, text: impl Into<String>) -> Self {
        self.0.found = Some(text.into());
        self
    }

    /// Adds the error that caused this one, and its causes.
    #[must_use]
    pub fn because(mut self, source: &dyn std::error::Error) -> Self {
        let mut next = Some(source);
        while let Some(error) = next {
            self.0.chain.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The headline, one line.
    #[must_use]
    pub fn headline(&self) -> &str {
        &self.0.headline
    }

    /// The place, where there is one.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// What was found, where that is known.
    #[must_use]
    pub fn found_text(&self) -> Option<&str> {
        self.0.found.as_deref()
    }

    /// What was expected, where that is known.
    #[must_use]
    pub fn expected_text(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// The way out.
    #[must_use]
    pub fn remedy(&self) -> &str {
        &self.0.remedy
    }

    /// The causes, outermost first.
    #[must_use]
    pub fn chain(&self) -> &[String] {
        &self.0.chain
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &*self.0;
        write!(f, "error[{}]: {}", parts.code, parts.headline)?;
        if let Some(location) = &parts.location {
            write!(f, "\n  --> {location}")?;
        }
        if let Some(expected) = &parts.expected {
            write!(f, "\n   = expected: {expected}")?;
        }
        if let Some(found) = &parts.found {
            write!(f, "\n   = found:    {found}")?;
        }
        for cause in &parts.chain {
            write!(f, "\n   = cause:    {cause}")?;
        }
        write!(f, "\n   = remedy:   {}", parts.remedy)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::code::CONFIG_INVALID;

    #[test]
    fn an_offset_becomes_line_and_column() {
        let table: &[(&str, usize, (u32, u32))] = &[
            ("the first byte", 0, (1, 1)),
            ("after a newline", 3, (2, 1)),
            ("after a character of two bytes", 5, (2, 2)),
            ("inside a character", 4, (2, 1)),
            ("beyond the end", 99, (2, 3)),
        ];
        for (case, offset, expected) in table {
            let seen = Location::of_offset("f", "ab\nöx", *offset);
            assert_eq!((seen.line, seen.column), *expected, "{case}");
        }
    }

    #[test]
    fn a_message_has_place_cause_and_remedy() {
        let fault = Fault::new(CONFIG_INVALID, "no policy", "write one")
            .at(Location::at("portcullis.toml", 3, 4))
            .expected("a table")
            .found("a list")
            .because(&std::io::Error::other("broken"));
        assert_eq!(
            fault.to_string(),
            "error[PC0101 config_invalid]: no policy\n  --> portcullis.toml:3:4\n   = expected: a table\n   \
             = found:    a list\n   = cause:    broken\n   = remedy:   write one"
        );
    }
}
