//! A bounded regular expression: capped in size, run over one capped line at a time. It never searches twice.

use portcullis::{
    Fault,
    wire::code::{BUDGET_EXCEEDED, PATTERN_INVALID},
};
use serde::{Deserialize, Deserializer};

/// The longest pattern, in bytes (`security.md`, section 4).
const PATTERN_MAX: usize = 4 * 1024;
/// The longest text one search may see, in bytes (threat T23).
pub(crate) const LINE_MAX: usize = 64 * 1024;
/// What a compiled pattern may weigh, in bytes; counted repetitions multiply.
const PROGRAM_MAX: usize = 1024 * 1024;

/// A regular expression of the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: String,
    regex: regex_lite::Regex,
}

impl Pattern {
    /// Compiles a pattern within its limits.
    ///
    /// # Errors
    /// `pattern_invalid` when it is empty, too long, too heavy, or not a regular expression.
    pub(crate) fn new(text: &str) -> Result<Self, Fault> {
        let refuse = |why: String| {
            let remedy = "write a non-empty regular expression of at most 4 KiB, in the syntax of regex-lite";
            Err(Fault::new(PATTERN_INVALID, why, remedy))
        };
        if text.is_empty() {
            return refuse("an empty pattern matches every line".to_owned());
        }
        if text.len() > PATTERN_MAX {
            return refuse(format!(
                "a pattern has {} bytes, the limit is {PATTERN_MAX}",
                text.len()
            ));
        }
        match regex_lite::RegexBuilder::new(text).size_limit(PROGRAM_MAX).build() {
            Ok(regex) => Ok(Self { text: text.to_owned(), regex }),
            Err(source) => refuse(format!("the pattern `{text}` cannot be used: {source}")),
        }
    }

    /// The pattern as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches somewhere in one line.
    ///
    /// # Errors
    /// `budget_exceeded` for a line longer than 64 KiB: a search that was cut short would be a blind spot.
    pub(crate) fn matches(&self, line: &str) -> Result<bool, Fault> {
        self.within_budget(line)?;
        Ok(self.regex.is_match(line))
    }

    /// The first capture group of the first match in one line.
    ///
    /// # Errors
    /// As [`Pattern::matches`].
    pub(crate) fn capture<'t>(&self, line: &'t str) -> Result<Option<&'t str>, Fault> {
        self.within_budget(line)?;
        Ok(self.regex.captures(line).and_then(|found| found.get(1)).map(|group| group.as_str()))
    }

    /// How many capture groups it has.
    pub(crate) fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    fn within_budget(&self, line: &str) -> Result<(), Fault> {
        if line.len() <= LINE_MAX {
            return Ok(());
        }
        let headline =
            format!("a line of {} bytes is too long to search for `{}`", line.len(), self.text);
        Err(Fault::new(BUDGET_EXCEEDED, headline, "break the line, or narrow what is searched")
            .expected(format!("at most {LINE_MAX} bytes")))
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(|fault| serde::de::Error::custom(fault.headline()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t23_patterns_and_lines_are_bounded() {
        let long = "a".repeat(PATTERN_MAX + 1);
        let table: &[(&str, &str, bool)] = &[
            ("a plain pattern", "^ok [0-9]+$", true),
            ("an empty pattern", "", false),
            ("a pattern over 4 KiB", &long, false),
            ("a pattern that multiplies itself", "((a{100}){100}){100}", false),
            ("an open group", "(", false),
        ];
        for (case, text, expected) in table {
            assert_eq!(Pattern::new(text).is_ok(), *expected, "{case}");
        }
        let quadratic = Pattern::new(".*[^A-Z]|[A-Z]").expect("a pattern");
        let line = "A".repeat(LINE_MAX);
        assert_eq!(quadratic.matches(&line), Ok(true));
        let fault = quadratic.matches(&format!("{line}A")).expect_err("one byte over the limit");
        assert_eq!(fault.code().name(), "budget_exceeded");
    }

    #[test]
    fn the_first_group_is_captured() {
        let version = Pattern::new("^v([0-9.]+)").expect("a pattern");
        assert_eq!(version.capture("v20.1.0-rc"), Ok(Some("20.1.0")));
        assert_eq!(version.capture("x"), Ok(None));
        assert_eq!(version.groups(), 1);
    }
}
