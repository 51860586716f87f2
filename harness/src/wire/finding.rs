//! A finding: one violation with code, subject, place, remedy and fingerprint.

use super::{code::Code, fault::Location, id::GateId, ordered::VecMap, sha256::Sha256};
use serde::{Deserialize, Serialize};

/// How many findings a receipt keeps; the total is always counted (`security.md`, section 4).
pub const FINDINGS_KEPT: usize = 1_000;
const TEXT_MAX: usize = 4 * 1024;

/// One violation. It cannot be built without a message and a way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The `snake_case` name of its code.
    pub code: String,
    /// What it is about: a path, a field, an id.
    pub subject: String,
    /// Where, if there is a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// What is wrong, one line.
    pub message: String,
    /// What was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The way out.
    pub remedy: String,
    /// Whether it only advises: advisory findings make `warn`, never `fail`.
    pub advisory: bool,
    /// 16 hex digits over gate, code, path, subject and ordinal; lines may move without changing it.
    pub fingerprint: String,
}

impl Finding {
    /// A violation of `code` by `subject`.
    #[must_use]
    pub fn new(
        code: Code,
        subject: impl std::fmt::Display,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code: code.name().to_owned(),
            subject: truncated(subject.to_string()),
            location: None,
            message: truncated(message.into()),
            expected: None,
            found: None,
            remedy: truncated(remedy.into()),
            advisory: false,
            fingerprint: String::new(),
        }
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// Adds what was expected.
    #[must_use]
    pub fn expected(mut self, text: impl Into<String>) -> Self {
        self.expected = Some(truncated(text.into()));
        self
    }

    /// Adds what was found.
    #[must_use]
    pub fn found(mut self, text: impl Into<String>) -> Self {
        self.found = Some(truncated(text.into()));
        self
    }

    /// Makes it advisory.
    #[must_use]
    pub fn advisory(mut self) -> Self {
        self.advisory = true;
        self
    }
}

/// Cuts a text at 4 KiB, on a character boundary, and says that it did.
fn truncated(mut text: String) -> String {
    if text.len() > TEXT_MAX {
        let mut end = TEXT_MAX - 16;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(" [truncated]");
    }
    text
}

/// The findings of one attempt: the first thousand are kept, all are counted.
#[derive(Clone, Debug)]
pub struct Findings {
    gate: String,
    kept: Vec<Finding>,
    total: u64,
    violations: u64,
    seen: VecMap<String, u64>,
}

impl Findings {
    /// An empty list for one gate, whose id is part of every fingerprint.
    #[must_use]
    pub fn new(gate: &GateId) -> Self {
        Self {
            gate: gate.to_string(),
            kept: Vec::new(),
            total: 0,
            violations: 0,
            seen: VecMap::new(),
        }
    }

    /// Adds a finding and gives it its fingerprint.
    pub fn push(&mut self, mut finding: Finding) {
        self.total += 1;
        self.violations += u64::from(!finding.advisory);
        if self.kept.len() >= FINDINGS_KEPT {
            return;
        }
        let path = finding.location.as_ref().map_or("", |location| location.path.as_str());
        let key = format!("{}\0{}\0{path}\0{}", self.gate, finding.code, finding.subject);
        // Two equal violations in one file must not share a fingerprint: a waiver for the first
        // would silently cover the second.
        let met = self.seen.get_or_default(key.clone());
        let ordinal = *met;
        *met += 1;
        let digest = Sha256::of(format!("{key}\0{ordinal}").as_bytes());
        finding.fingerprint = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        self.kept.push(finding);
    }

    /// The kept findings, in the order they were found.
    #[must_use]
    pub fn kept(&self) -> &[Finding] {
        &self.kept
    }

    /// How many were found, kept or not.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many of them are not advisory.
    #[must_use]
    pub fn violations(&self) -> u64 {
        self.violations
    }

    /// Gives up the kept findings.
    #[must_use]
    pub fn into_kept(self) -> Vec<Finding> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::code::GATE_BROKEN;

    fn findings() -> Findings {
        Findings::new(&GateId::parse("gate").expect("a gate id"))
    }

    #[test]
    fn a_fingerprint_ignores_the_line_and_separates_twins() {
        let (mut a, mut b) = (findings(), findings());
        for (list, line) in [(&mut a, 1), (&mut b, 9)] {
            list.push(Finding::new(GATE_BROKEN, "s", "m", "r").at(Location::at("f", line, 1)));
            list.push(Finding::new(GATE_BROKEN, "s", "m", "r").at(Location::at("f", line + 1, 1)));
        }
        let prints =
            |list: &Findings| list.kept().iter().map(|f| f.fingerprint.clone()).collect::<Vec<_>>();
        assert_eq!(prints(&a), prints(&b), "lines may move");
        assert_ne!(prints(&a)[0], prints(&a)[1], "a second equal finding is another finding");
    }

    #[test]
    fn a_thousand_are_kept_and_all_are_counted() {
        let mut list = findings();
        for n in 0..1_500 {
            list.push(Finding::new(GATE_BROKEN, n, "m", "r"));
        }
        assert_eq!((list.kept().len(), list.total(), list.violations()), (1_000, 1_500, 1_500));
    }
}
