//! What one measured run left behind: a value and the evidence that the run did its work. Leaves out how it is taken.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The unit of a value; lower is better in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// A count.
    Count,
    /// Bytes.
    Bytes,
}

/// How the measured process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// At its time limit: the sample is censored.
    TimeLimit,
    /// Nobody recorded it.
    Unknown,
}

/// Evidence that the work behind a sample was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A result file made during the sample, with the nonce given to it.
    ResultFile,
    /// A JSON pointer led to the expected value.
    Pointer,
    /// A pattern matched the standard output.
    Pattern,
    /// The journal of the measured program has a successful line for this sample.
    Journal,
}

/// SHA-256 of what a run did, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkDigest([u8; 32]);

/// What a run did: its digest, and how many things it examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// The digest of what was done.
    pub digest: WorkDigest,
    /// How many things were examined; a run that counts nothing says 0 in both arms.
    pub count: u64,
}

/// One value, and the evidence for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The value in the metric's unit.
    pub value: u64,
    /// Whether the run was stopped at this value; the true one is at least as large.
    pub censored: bool,
    /// How the run ended.
    pub exit: Exit,
    /// The proofs that held; none means that nothing shows the work was done.
    pub proof: Vec<Proof>,
    /// The position within its block, from 0.
    pub position: u8,
    /// What the run did.
    pub work: Work,
}

impl Work {
    /// The work of a run that states none. It equals itself and nothing stated.
    pub const UNSTATED: Self = Self { digest: WorkDigest([0; 32]), count: 0 };
}

impl WorkDigest {
    /// Returns the digest of these bytes of SHA-256.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl TryFrom<String> for WorkDigest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "a digest has 64 lowercase hexadecimal digits";
        let nibble = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(EXPECTED);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else {
                return Err(EXPECTED);
            };
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

impl From<WorkDigest> for String {
    fn from(digest: WorkDigest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for WorkDigest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for WorkDigest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Exit {
    /// Tells whether the run ended by itself and reported success.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_reads_back_and_an_unknown_member_is_refused() {
        let sample = Sample {
            value: 1_500,
            censored: true,
            exit: Exit::TimeLimit,
            proof: vec![Proof::ResultFile],
            position: 3,
            work: Work { digest: WorkDigest::new([0xa5; 32]), count: 7 },
        };
        let text = serde_json::to_string(&sample).expect("a document");
        assert_eq!(serde_json::from_str::<Sample>(&text).expect("a sample"), sample);
        let more = text.replacen('{', "{\"more\":1,", 1);
        assert!(serde_json::from_str::<Sample>(&more).is_err());
    }

    #[test]
    fn a_digest_is_64_lowercase_digits() {
        let table = [
            ("as written", "0a".repeat(32), true),
            ("in capitals", "0A".repeat(32), false),
            ("one digit short", "0a".repeat(32)[1..].to_owned(), false),
            ("one byte long", "0a".repeat(33), false),
            ("another letter", "0g".repeat(32), false),
        ];
        for (case, text, expected) in table {
            let read = WorkDigest::try_from(text.clone());
            assert_eq!(read.is_ok(), expected, "{case}");
            assert!(read.is_ok_and(|digest| digest.to_string() == text) == expected, "{case}");
        }
    }

    #[test]
    fn only_code_0_is_success() {
        for exit in [Exit::Code(1), Exit::Code(-1), Exit::Signal(0), Exit::TimeLimit, Exit::Unknown]
        {
            assert!(!exit.is_success(), "{exit:?}");
        }
        assert!(Exit::Code(0).is_success());
    }
}
