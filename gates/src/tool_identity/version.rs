//! Versions of tools: numbers between dots. What follows the last number does not order them.

use serde::{Deserialize, Deserializer};
use std::{cmp::Ordering, fmt};

/// The numbers of a version; missing ones count as 0.
#[derive(Clone, Debug)]
pub(crate) struct Version(Vec<u64>);

impl Version {
    /// Reads `2.47.3`, `2.47.3.windows.1` and `1.95.0-nightly`; `None` when it does not begin with a number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = Vec::new();
        for part in text.split('.') {
            let digits: &str =
                &part[..part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len())];
            match digits.parse() {
                Ok(number) => numbers.push(number),
                // A word ends the numbers; a number too large for 64 bits is no version.
                Err(_) if digits.is_empty() => break,
                Err(_) => return None,
            }
            if digits.len() < part.len() {
                break;
            }
        }
        (!numbers.is_empty()).then_some(Self(numbers))
    }

    fn number(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.0.len().max(other.0.len());
        (0..length)
            .map(|index| self.number(index).cmp(&other.number(index)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        Self::parse(&text).filter(|_version| is_plain).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is not a version such as `2.30`"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let table: &[(&str, &str, &str, Ordering)] = &[
            ("numbers, not text", "2.9", "2.10", Ordering::Less),
            ("a missing number is 0", "2.30", "2.30.0", Ordering::Equal),
            ("a suffix does not count", "2.47.3.windows.1", "2.47.3", Ordering::Equal),
            ("a pre-release is its number", "1.95.0-nightly", "1.95", Ordering::Equal),
            ("the first number decides", "3", "2.99.99", Ordering::Greater),
        ];
        for (case, a, b, expected) in table {
            let (a, b) = (Version::parse(a).expect(case), Version::parse(b).expect(case));
            assert_eq!(a.cmp(&b), *expected, "{case}");
        }
        for bad in ["", "v1", ".1", "99999999999999999999999"] {
            assert!(Version::parse(bad).is_none(), "{bad:?}");
        }
    }
}
