//! Identifiers and digests as newtypes, valid by construction.

use super::sha256::Sha256;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// The longest gate id, in bytes (`security.md`, section 4).
pub const GATE_ID_MAX: usize = 128;

/// A gate id: `[a-z][a-z0-9_]*`, at most 128 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct GateId(String);

/// Why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdError {
    /// The refused text, truncated.
    pub text: String,
    /// What an identifier looks like.
    pub expected: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}", self.text.escape_debug(), self.expected)
    }
}

impl std::error::Error for IdError {}

impl GateId {
    /// Reads a gate id.
    ///
    /// # Errors
    /// When the text is empty, too long, or has another character than `a-z`, `0-9` and `_`.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        Self::check(text).map(|()| Self(text.to_owned()))
    }

    /// Says whether a text is a gate id.
    ///
    /// # Errors
    /// As [`GateId::parse`].
    pub fn check(text: &str) -> Result<(), IdError> {
        // A plain loop: every linked gate is looked at by every process, in builds without optimisation.
        let mut valid = text.len() <= GATE_ID_MAX;
        let mut head = true;
        for byte in text.as_bytes() {
            valid &= match *byte {
                b'a'..=b'z' => true,
                b'0'..=b'9' | b'_' => !head,
                _ => false,
            };
            head = false;
        }
        if valid && !head {
            return Ok(());
        }
        Err(IdError {
            text: text.chars().take(60).collect(),
            expected: "a gate id: `a-z`, then `a-z`, `0-9` or `_`, at most 128 bytes",
        })
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::borrow::Borrow<str> for GateId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for GateId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A run id: letters, digits, `-`, `_` and `.`, not starting with a dot, at most 128 bytes.
///
/// It names a directory on every system, so it is as narrow as a portable file name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Debug)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// Reads a run id.
    ///
    /// # Errors
    /// When the text could not name a directory on every system.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let shape = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let ends = !text.starts_with('.') && !text.ends_with('.') && !text.is_empty();
        if shape && ends && text.len() <= 128 && super::path::is_portable_name(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(IdError {
            text: text.chars().take(60).collect(),
            expected: "a run id: letters, digits, `-`, `_` and inner `.`, at most 128 bytes",
        })
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// SHA-256 of some content, as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Wraps the 32 bytes of a SHA-256.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::of(bytes))
    }

    /// Reads 64 lower-case hex digits.
    ///
    /// # Errors
    /// When the text has another length or another character.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let refused = || IdError {
            text: text.chars().take(80).collect(),
            expected: "a SHA-256 digest: 64 lower-case hex digits",
        };
        if text.len() != 64 {
            return Err(refused());
        }
        let mut bytes = [0u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let (Some(high), Some(low)) = (nibble(pair[0]), nibble(pair[1])) else {
                return Err(refused());
            };
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }

    fn digits<'t>(&self, text: &'t mut [u8; 64]) -> &'t str {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut n = 0;
        // A plain loop: a document of a run holds tens of thousands of digests, in builds without optimisation.
        while n < 32 {
            text[2 * n] = HEX[(self.0[n] >> 4) as usize];
            text[2 * n + 1] = HEX[(self.0[n] & 15) as usize];
            n += 1;
        }
        // Only ASCII was written above.
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// The first 12 hex digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

fn nibble(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digits(&mut [0u8; 64]))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.digits(&mut [0u8; 64]))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gate_ids_are_narrow() {
        let table: &[(&str, &str, bool)] = &[
            ("plain", "full_suite", true),
            ("digits after the first letter", "a1_2", true),
            ("empty", "", false),
            ("leading digit", "1a", false),
            ("leading underscore", "_a", false),
            ("upper case", "aB", false),
            ("a path", "a/b", false),
            ("non-ASCII", "gäte", false),
        ];
        for (case, text, expected) in table {
            assert_eq!(GateId::parse(text).is_ok(), *expected, "{case}");
        }
        assert!(GateId::parse(&"a".repeat(GATE_ID_MAX)).is_ok());
        assert!(GateId::parse(&"a".repeat(GATE_ID_MAX + 1)).is_err());
    }

    #[test]
    fn digests_read_back_what_they_print() {
        let digest =
            Digest::from_bytes(std::array::from_fn(|i| u8::try_from(i * 7).unwrap_or(255)));
        assert_eq!(Digest::parse(&digest.to_string()), Ok(digest));
        assert!(Digest::parse(&digest.to_string().to_uppercase()).is_err());
        assert!(Digest::parse("00").is_err());
    }

    #[test]
    fn run_ids_name_a_directory_everywhere() {
        for good in ["a", "2026-05-31T10.00.00Z-1a2b", "0d7e0c2e-7f4c-4f0a-9d1e-0123456789ab"] {
            assert!(RunId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".hidden", "a/b", "a b", "CON", "con", "a:b", "end.", "ä"] {
            assert!(RunId::parse(bad).is_err(), "{bad}");
        }
    }
}
