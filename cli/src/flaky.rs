//! What repeated attempts of one test say: stable, flaky or broken, and of which kind, by the evidence. Pure.

use portcullis::kernel::quarantine::{CATEGORIES, SPAN_MAX_DAYS};
use serde::Serialize;
use std::collections::BTreeSet;

/// A failing attempt this many times slower than the slowest passing one speaks of time.
const SLOWER: u64 = 3;
/// Below this, one attempt is easily three times as slow as another.
const NOTABLE_MS: u64 = 1_000;

/// Words of output, by the category that they speak for, the most telling category first.
const WORDS: &[(&str, &[&str])] = &[
    (
        "FLAKE-NET",
        &[
            "connection refused",
            "connectionrefused",
            "connection reset",
            "connectionreset",
            "name resolution",
            "failed to lookup address",
            "network is unreachable",
            "network unreachable",
            "dns error",
            "broken pipe",
            "tls handshake",
        ],
    ),
    (
        "FLAKE-EXT",
        &[
            "429 too many requests",
            "rate limit",
            "500 internal server error",
            "502 bad gateway",
            "503 service unavailable",
            "504 gateway timeout",
            "service unavailable",
        ],
    ),
    (
        "FLAKE-RES",
        &[
            "too many open files",
            "no space left on device",
            "storagefull",
            "cannot allocate memory",
            "out of memory",
            "memory allocation of",
            "resource temporarily unavailable",
            "address already in use",
            "addrinuse",
            "sigkill",
        ],
    ),
    (
        "FLAKE-ENV",
        &[
            "no such file or directory",
            "permission denied",
            "permissiondenied",
            "read-only file system",
            "environment variable",
            "notpresent",
            "command not found",
        ],
    ),
    (
        "FLAKE-TIMING",
        &[
            "timed out",
            "timedout",
            "timeout",
            "deadline",
            "took too long",
            "too slow",
            "elapsed",
            "did not finish in time",
        ],
    ),
];

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Attempt {
    /// Whether it passed.
    pub passed: bool,
    /// Wall time.
    pub duration_ms: u64,
    /// The class of its failure.
    pub class: String,
    /// Where it failed.
    pub location: Option<String>,
    /// What it said.
    pub message: String,
    /// Equal for the same failure.
    pub fingerprint: String,
}

/// What the attempts come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Nature {
    /// It passed every time.
    Stable,
    /// It passed and it failed.
    Flaky,
    /// It failed every time: broken, not flaky, and no matter for quarantine.
    Broken,
}

/// What is known of a test that was repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Diagnosis {
    /// What it is.
    pub nature: Nature,
    /// How often it failed.
    pub failed: usize,
    /// How often it ran.
    pub runs: usize,
    /// The category of the taxonomy, for a flaky test.
    pub category: Option<&'static str>,
    /// Why this category.
    pub because: Option<String>,
    /// How many different failures there were.
    pub distinct_failures: usize,
}

/// Judges the attempts, all of one commit.
pub(crate) fn diagnose(attempts: &[Attempt]) -> Diagnosis {
    let failures: Vec<&Attempt> = attempts.iter().filter(|attempt| !attempt.passed).collect();
    let nature = match failures.len() {
        0 => Nature::Stable,
        n if n == attempts.len() => Nature::Broken,
        _ => Nature::Flaky,
    };
    let (category, because) = match nature {
        Nature::Flaky => {
            let (category, because) = category(attempts, &failures);
            (Some(category), Some(because))
        }
        Nature::Stable | Nature::Broken => (None, None),
    };
    let prints: BTreeSet<&str> =
        failures.iter().map(|attempt| attempt.fingerprint.as_str()).collect();
    Diagnosis {
        nature,
        failed: failures.len(),
        runs: attempts.len(),
        category,
        because,
        distinct_failures: prints.len(),
    }
}

fn category(attempts: &[Attempt], failures: &[&Attempt]) -> (&'static str, String) {
    if let Some(attempt) = failures.iter().find(|attempt| attempt.class == "timeout") {
        return (
            "FLAKE-TIMING",
            format!("an attempt ran out of time after {} ms", attempt.duration_ms),
        );
    }
    for (category, words) in WORDS {
        for attempt in failures {
            let said = attempt.message.to_ascii_lowercase();
            if let Some(word) = words.iter().find(|word| said.contains(**word)) {
                return (category, format!("a failure says `{word}`"));
            }
        }
    }
    let slowest_pass =
        attempts.iter().filter(|attempt| attempt.passed).map(|a| a.duration_ms).max().unwrap_or(0);
    let slowest_failure = failures.iter().map(|attempt| attempt.duration_ms).max().unwrap_or(0);
    if slowest_failure >= NOTABLE_MS && slowest_failure >= slowest_pass.saturating_mul(SLOWER) {
        return (
            "FLAKE-TIMING",
            format!("a failure took {slowest_failure} ms, no pass more than {slowest_pass} ms"),
        );
    }
    let prints: BTreeSet<&str> =
        failures.iter().map(|attempt| attempt.fingerprint.as_str()).collect();
    let how = if prints.len() == 1 { "always the same failure" } else { "different failures" };
    (
        "FLAKE-LOGIC",
        format!("{how}, and nothing points outside of the code: order, threads or randomness"),
    )
}

/// A quarantine entry, ready to be pasted.
pub(crate) struct Entry<'a> {
    /// The test target.
    pub suite: &'a str,
    /// The test.
    pub test: &'a str,
    /// The category.
    pub category: &'a str,
    /// Who answers for it.
    pub owner: &'a str,
    /// The first day.
    pub quarantined: toml_edit::Date,
    /// The last valid day.
    pub expires: toml_edit::Date,
    /// Where it is discussed.
    pub issue: &'a str,
    /// Where both outcomes were seen.
    pub evidence: &'a str,
    /// How to see it again.
    pub repro: &'a str,
    /// Why it is not mended at once.
    pub reason: &'a str,
    /// What ends it.
    pub remove_when: &'a str,
}

impl Entry<'_> {
    /// Its nine fields.
    pub(crate) fn table(&self) -> toml_edit::Table {
        debug_assert!(
            CATEGORIES.contains(&self.category) && SPAN_MAX_DAYS > 0,
            "a category of the taxonomy"
        );
        let mut table = toml_edit::Table::new();
        let day = |date| toml_edit::Datetime { date: Some(date), time: None, offset: None };
        table.insert("category", toml_edit::value(self.category));
        table.insert("owner", toml_edit::value(self.owner));
        table.insert("quarantined", toml_edit::value(day(self.quarantined)));
        table.insert("expires", toml_edit::value(day(self.expires)));
        table.insert("issue", toml_edit::value(self.issue));
        table.insert("evidence", toml_edit::value(self.evidence));
        table.insert("repro", toml_edit::value(self.repro));
        table.insert("reason", toml_edit::value(self.reason));
        table.insert("remove_when", toml_edit::value(self.remove_when));
        table
    }

    /// The text to paste.
    pub(crate) fn render(&self) -> String {
        let mut test = toml_edit::Table::new();
        test.set_implicit(true);
        test.insert(self.test, toml_edit::Item::Table(self.table()));
        let mut suite = toml_edit::Table::new();
        suite.set_implicit(true);
        suite.insert(self.suite, toml_edit::Item::Table(test));
        let mut document = toml_edit::DocumentMut::new();
        document.as_table_mut().insert("quarantine", toml_edit::Item::Table(suite));
        document.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::{kernel::quarantine::QuarantineFile, wire::time::Day};

    fn attempt(passed: bool, duration_ms: u64, class: &str, message: &str) -> Attempt {
        Attempt {
            passed,
            duration_ms,
            class: class.to_owned(),
            location: None,
            message: message.to_owned(),
            fingerprint: message.to_owned(),
        }
    }

    #[test]
    fn the_evidence_decides_the_category() {
        let pass = attempt(true, 100, "", "");
        let table = [
            (
                "a refused connection",
                attempt(false, 1, "panic", "Os { code: 111, kind: ConnectionRefused }"),
                "FLAKE-NET",
            ),
            (
                "another's service",
                attempt(false, 1, "panic", "got 503 Service Unavailable"),
                "FLAKE-EXT",
            ),
            (
                "a port",
                attempt(false, 1, "panic", "Address already in use (os error 98)"),
                "FLAKE-RES",
            ),
            (
                "a file of another test",
                attempt(false, 1, "panic", "No such file or directory"),
                "FLAKE-ENV",
            ),
            ("a killed hang", attempt(false, 9, "timeout", ""), "FLAKE-TIMING"),
            (
                "words about time",
                attempt(false, 9, "panic", "deadline has elapsed"),
                "FLAKE-TIMING",
            ),
            ("a slow failure", attempt(false, 3_000, "panic", "nothing came"), "FLAKE-TIMING"),
            (
                "a slow one, but not slower",
                attempt(false, 250, "panic", "nothing came"),
                "FLAKE-LOGIC",
            ),
            (
                "an order",
                attempt(false, 1, "assertion_failure", "left: [a, b] right: [b, a]"),
                "FLAKE-LOGIC",
            ),
        ];
        for (case, failure, category) in table {
            let diagnosis = diagnose(&[pass.clone(), failure]);
            assert_eq!(
                (diagnosis.nature, diagnosis.category),
                (Nature::Flaky, Some(category)),
                "{case}"
            );
        }
    }

    #[test]
    fn what_fails_every_time_is_broken_and_what_never_fails_is_stable() {
        let failure = attempt(false, 1, "panic", "connection refused");
        let broken = diagnose(&[failure.clone(), failure.clone(), failure.clone()]);
        assert_eq!(
            (broken.nature, broken.category, broken.distinct_failures),
            (Nature::Broken, None, 1)
        );
        let pass = attempt(true, 1, "", "");
        let stable = diagnose(&[pass.clone(), pass.clone()]);
        assert_eq!((stable.nature, stable.failed, stable.category), (Nature::Stable, 0, None));
        assert_eq!(diagnose(&[failure, pass]).nature, Nature::Flaky);
    }

    #[test]
    fn the_entry_can_be_pasted_whatever_the_test_is_called() {
        for test in ["flickers", "a::b", "it's \"quoted\" and spaced", "dot.ted"] {
            let date = |day| toml_edit::Date { year: 2026, month: 5, day };
            let text = Entry {
                suite: "api",
                test,
                category: "FLAKE-NET",
                owner: "team",
                quarantined: date(1),
                expires: date(15),
                issue: "#7",
                evidence: "2 of 5",
                repro: "cargo test",
                reason: "a \"reason\"\nof two lines",
                remove_when: "never",
            }
            .render();
            let file = QuarantineFile::parse("suite_classification.toml", &text);
            assert!(file.valid, "{text}\n{:?}", file.faults);
            let entry = file.entries.values().next().expect("an entry");
            assert_eq!(
                (entry.suite.as_deref(), entry.test.as_str()),
                (Some("api"), test),
                "{text}"
            );
            assert_eq!(entry.expires, Day::parse("2026-05-15").expect("a day"));
        }
    }
}
