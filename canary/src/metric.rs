//! The name of a metric. Leaves out how it is escaped: each medium does that for itself.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A name as the measuring tool gave it, such as `workspace/cold_p50`: not empty, at most 1,024 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetricId(String);

impl MetricId {
    /// The most bytes that a name may have.
    pub const MAX_BYTES: usize = 1_024;

    /// Returns the name; nothing when it is empty or too long.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let fits = !name.is_empty() && name.len() <= Self::MAX_BYTES;
        fits.then(|| Self(name.to_owned()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MetricId {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(&name).ok_or("a metric has a name of 1 to 1024 bytes")
    }
}

impl From<MetricId> for String {
    fn from(metric: MetricId) -> Self {
        metric.0
    }
}

impl fmt::Display for MetricId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_neither_empty_nor_endless() {
        let table = [
            ("an ordinary one", "workspace/cold_p50".to_owned(), true),
            ("the longest", "m".repeat(1_024), true),
            ("one byte more", "m".repeat(1_025), false),
            ("none", String::new(), false),
        ];
        for (case, name, expected) in table {
            assert_eq!(MetricId::new(&name).is_some(), expected, "{case}");
            assert_eq!(MetricId::try_from(name).is_ok(), expected, "{case}");
        }
    }
}
