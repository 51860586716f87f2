//! Relative paths that mean the same file on every system, or are refused.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// The longest path and the longest part of one, in bytes (`security.md`, section 4).
pub const PATH_MAX: usize = 1024;
const PART_MAX: usize = 255;

/// A path relative to the repository root, with `/`, without `.` or `..`, as every document carries it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RelPath(String);

/// Why a path was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRefused {
    /// The refused path, truncated.
    pub path: String,
    /// The rule it broke.
    pub rule: &'static str,
}

impl fmt::Display for PathRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "path `{}` {}", self.path.escape_debug(), self.rule)
    }
}

impl std::error::Error for PathRefused {}

impl RelPath {
    /// Reads a path in its relative form, before it is ever joined to a root.
    ///
    /// # Errors
    /// Threats T10, T30 and T31: absolute, `..`, drive, UNC, NUL, control characters, `:`, reserved names, too long.
    pub fn parse(text: &str) -> Result<Self, PathRefused> {
        let refuse = |rule| Err(PathRefused { path: text.chars().take(120).collect(), rule });
        if text.is_empty() {
            return refuse("is empty");
        }
        if text.len() > PATH_MAX {
            return refuse("is longer than 1024 bytes");
        }
        if text.contains('\\') {
            return refuse("has a backslash; write `/`");
        }
        if text.starts_with('/') {
            return refuse("is absolute; write it relative to the repository root");
        }
        for part in text.split('/') {
            if let Some(rule) = part_refused(part) {
                return refuse(rule);
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The path as text with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the slashes, at least one.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The path of `name` below this directory.
    ///
    /// # Errors
    /// As [`RelPath::parse`].
    pub fn join(&self, name: &str) -> Result<Self, PathRefused> {
        Self::parse(&format!("{}/{name}", self.0))
    }

    /// The last part.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

/// Whether a file of this name can exist, and means itself, on every system.
#[must_use]
pub fn is_portable_name(part: &str) -> bool {
    part_refused(part).is_none()
}

fn part_refused(part: &str) -> Option<&'static str> {
    if part.is_empty() {
        return Some("has an empty part (a double or trailing slash)");
    }
    if part == "." || part == ".." {
        return Some("has a `.` or `..` part");
    }
    if part.len() > PART_MAX {
        return Some("has a part longer than 255 bytes");
    }
    if part.chars().any(is_refused_char) {
        return Some(
            "has a character no portable name has (control, bidi, or one of `: * ? \" < > |`)",
        );
    }
    if part.ends_with('.') || part.ends_with(' ') {
        return Some("has a part that ends in a dot or a space");
    }
    if is_reserved(part) {
        return Some("has a name that Windows reserves for a device");
    }
    None
}

fn is_refused_char(c: char) -> bool {
    c.is_control()
        || matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|')
        // Bidirectional controls and zero-width characters make two names look like one.
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn is_reserved(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end_matches(' ').to_ascii_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let Some(digit) = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT")) else {
        return false;
    };
    matches!(digit, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t10_t31_hostile_names_are_refused_on_every_system() {
        let long_part = "a".repeat(256);
        let long_path = "a/".repeat(600);
        let hostile: Vec<String> =
            serde_json::from_str(include_str!("../../../fixtures/paths/hostile.json"))
                .expect("a list of names");
        assert!(hostile.len() >= 40, "the table of threat T10 has at least 40 names");
        for name in hostile {
            assert!(RelPath::parse(&name).is_err(), "{name:?} must be refused");
        }
        assert!(RelPath::parse(&long_part).is_err());
        assert!(RelPath::parse(long_path.trim_end_matches('/')).is_err());
    }

    #[test]
    fn ordinary_names_are_accepted() {
        for name in [
            "a",
            "a/b.rs",
            ".github/workflows/ci.yml",
            "a b/c",
            "console.log",
            "com10",
            "ä/ö",
            "a..b",
        ] {
            assert!(RelPath::parse(name).is_ok(), "{name:?} must be accepted");
        }
    }
}
