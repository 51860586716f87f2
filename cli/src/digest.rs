//! Failure digests: why a target failed, by which evidence, and a fingerprint that is the same on the next run.

use crate::{
    outcome::{Attempt, Outcome, Status},
    plan::Target,
};
use portcullis::{Digest, Effective, kernel::decide::Decided, wire::code};
use serde::{Deserialize, Serialize};

/// Schema of one digest.
pub(crate) const DIGEST_SCHEMA: &str = "portcullis.failure_digest.v1";
const MESSAGE_MAX: usize = 2_000;
/// Codes of the harness that have a class of their own.
const CLASSES: &[(code::Code, &str)] = &[
    (code::RECEIPT_UNSEALED, "crash"),
    (code::CENSUS_GATE_MISSING, "not_run"),
    (code::CENSUS_BINARY_MISSING, "not_run"),
    (code::GATE_TIMED_OUT, "timeout"),
    (code::GATE_PANICKED, "panic"),
    (code::WAIVER_EXPIRED, "waiver_expired"),
    (code::TOOL_MISSING, "environment"),
];
/// Codes of kinds that have a class of their own.
const NAMES: &[(&str, &str)] = &[
    ("artifact_missing", "missing_artifact"),
    ("artifact_stale", "stale_artifact"),
    ("schema_mismatch", "schema_mismatch"),
    ("cassette_mismatch", "cassette_mismatch"),
    ("lineage_mismatch", "stale_artifact"),
];

/// Where the first failing assertion stands, and what it said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assertion {
    /// `file:line:column`, where one is known.
    pub location: Option<String>,
    /// What was said.
    pub message: String,
}

/// Why one target failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailureDigest {
    /// The test binary.
    pub suite: String,
    /// The test, or the gate.
    pub test: String,
    /// What kind of failure it is.
    pub root_cause_class: String,
    /// Which evidence says so.
    pub class_source: String,
    /// The first failing assertion.
    pub first_failing_assertion: Assertion,
    /// Equal for the same failure on two runs.
    pub fingerprint: String,
    /// The scenarios that it touches: the target itself.
    pub impacted_scenario_ids: Vec<String>,
}

/// The digest of a test that did not pass; nothing for one that did.
pub(crate) fn of_test(outcome: &Outcome) -> Option<FailureDigest> {
    let attempt = match outcome.status() {
        Status::Passed => return None,
        Status::NotRun => {
            return Some(assemble(
                &outcome.target,
                ("not_run", "plan"),
                Assertion { location: None, message: "planned, and in no result".to_owned() },
            ));
        }
        Status::Failed | Status::TimedOut | Status::Crashed | Status::Exited => {
            outcome.failure()?
        }
    };
    Some(of_attempt(&outcome.target, attempt))
}

/// The digest of a test that failed before it passed.
pub(crate) fn of_flaky(outcome: &Outcome) -> Option<FailureDigest> {
    outcome.failure().map(|attempt| of_attempt(&outcome.target, attempt))
}

fn of_attempt(target: &Target, attempt: &Attempt) -> FailureDigest {
    let class = class(attempt);
    let said = if attempt.text.is_empty() { &attempt.message } else { &attempt.text };
    let (location, message) = assertion(said);
    let message = if message.is_empty() { attempt.message.clone() } else { message };
    assemble(target, class, Assertion { location, message })
}

/// The digest of a gate that blocks.
pub(crate) fn of_gate(target: &Target, gate: &Decided) -> FailureDigest {
    let by_code = class_of_code(gate.code.as_deref().unwrap_or_default());
    let class = match gate.effective {
        Effective::Missing => "not_run",
        Effective::Crashed => "crash",
        Effective::Pass
        | Effective::Warn
        | Effective::Waived
        | Effective::Skip
        | Effective::PendingApproval
        | Effective::Fail
        | Effective::Precluded
        | Effective::Error => by_code.unwrap_or("gate_blocked"),
    };
    let finding = gate.findings.first();
    let place = finding
        .and_then(|finding| finding.location.as_ref())
        .or_else(|| gate.error.as_ref().and_then(|error| error.location.as_ref()));
    let message = finding.map_or_else(|| gate.detail.clone(), |finding| finding.message.clone());
    let assertion = Assertion { location: place.map(ToString::to_string), message };
    assemble(target, (class, "receipt"), assertion)
}

/// The class that a code has by itself.
pub(crate) fn class_of_code(name: &str) -> Option<&'static str> {
    CLASSES
        .iter()
        .find(|(code, _)| code.name() == name)
        .map(|(_, class)| *class)
        .or_else(|| NAMES.iter().find(|(code, _)| *code == name).map(|(_, class)| *class))
}

/// The fingerprint of a failure: target, class, file of the panic and what the message says on every run.
pub(crate) fn fingerprint(target: &str, class: &str, place: Option<&str>, message: &str) -> String {
    let file = place.and_then(|place| place.split(':').next()).unwrap_or_default();
    // Examples of a documentation are compiled in a folder of another name each time.
    let file = if is_temporary(file) { "<path>" } else { file };
    let parts = [target, class, file, &normal(message)];
    Digest::of(parts.join("\n").as_bytes()).short()
}

fn assemble(target: &Target, class: (&str, &str), assertion: Assertion) -> FailureDigest {
    let (class, source) = class;
    let place = assertion.location.as_deref();
    let fingerprint = fingerprint(&target.id(), class, place, &assertion.message);
    FailureDigest {
        suite: target.suite.clone(),
        test: target.test.clone(),
        root_cause_class: class.to_owned(),
        class_source: source.to_owned(),
        fingerprint,
        impacted_scenario_ids: vec![target.id()],
        first_failing_assertion: Assertion {
            message: assertion.message.chars().take(MESSAGE_MAX).collect(),
            ..assertion
        },
    }
}

/// The class of a failed attempt, and the evidence for it: structure before text.
fn class(attempt: &Attempt) -> (&'static str, &'static str) {
    match attempt.status {
        Status::TimedOut => return ("timeout", "result"),
        Status::Crashed => return ("crash", "result"),
        Status::Exited => return ("exited", "result"),
        Status::NotRun => return ("not_run", "plan"),
        Status::Passed | Status::Failed => {}
    }
    let text = if attempt.text.is_empty() { &attempt.message } else { &attempt.text };
    let has = |word: &str| text.contains(word);
    if has("assertion") && (has("failed") || has("left")) {
        ("assertion_failure", "output")
    } else if has("panicked at") {
        ("panic", "output")
    } else if text.trim_start().starts_with("Error: ") {
        ("test_error", "output")
    } else if has("execution failure") || has("No such file or directory") {
        ("environment", "output")
    } else {
        ("unknown", "none")
    }
}

/// `thread 'x' (7) panicked at src/a.rs:3:5:` and the lines of the message below it.
fn assertion(text: &str) -> (Option<String>, String) {
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((_, place)) = line.split_once("panicked at ") {
            let place = place.trim_end().trim_end_matches(':').to_owned();
            let message: Vec<&str> = lines
                .take_while(|line| {
                    !line.starts_with("stack backtrace:") && !line.starts_with("note: ")
                })
                .collect();
            return (Some(place), message.join("\n").trim_end().to_owned());
        }
    }
    (None, text.trim().to_owned())
}

fn is_temporary(path: &str) -> bool {
    ["/tmp/", "/var/folders/", "\\Temp\\"].iter().any(|part| path.contains(part))
}

/// The message without what differs from run to run: digits, hex, temporary paths, thread ids, escapes.
pub(crate) fn normal(message: &str) -> String {
    let plain = portcullis::report::human::plain(message);
    let mut words = Vec::new();
    for word in plain.split_whitespace() {
        if is_temporary(word) {
            words.push("<path>".to_owned());
            continue;
        }
        let mut normal = String::new();
        let mut run = String::new();
        for c in word.chars().chain([' ']) {
            if c.is_ascii_hexdigit() || (c == 'x' && run == "0") {
                run.push(c);
                continue;
            }
            let number = run.bytes().any(|b| b.is_ascii_digit());
            normal.push_str(if number { "#" } else { &run });
            run.clear();
            if c != ' ' {
                normal.push(c);
            }
        }
        words.push(normal);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::kernel::policy::profile::Kind;

    fn outcome(status: Status, text: &str) -> Outcome {
        let target = Target {
            suite: "p::api".to_owned(),
            test: "t".to_owned(),
            kind: Kind::Unit,
            package: "p".to_owned(),
            binary: "api".to_owned(),
            cargo_kind: "test".to_owned(),
            quarantine: None,
        };
        let attempt = Attempt { status, text: text.to_owned(), ..Attempt::not_run() };
        Outcome { target, attempts: vec![attempt] }
    }

    fn panic(thread: u32, line: u32, found: &str) -> String {
        format!(
            "thread 't' ({thread}) panicked at tests/api.rs:{line}:5:\nassertion `left == right` failed: {found}\n  left: 1\n right: 2\nstack backtrace:\n   0: x"
        )
    }

    #[test]
    fn each_failure_has_its_class_and_evidence() {
        let table = [
            (Status::NotRun, "", "not_run", "plan"),
            (Status::TimedOut, "panicked at x", "timeout", "result"),
            (Status::Crashed, "", "crash", "result"),
            (Status::Exited, "", "exited", "result"),
            (Status::Failed, &panic(1, 2, "x"), "assertion_failure", "output"),
            (Status::Failed, "thread 't' (1) panicked at a.rs:1:1:\nboom", "panic", "output"),
            (Status::Failed, "Error: \"no\"", "test_error", "output"),
            (Status::Failed, "???", "unknown", "none"),
        ];
        for (status, text, class, source) in table {
            let digest = of_test(&outcome(status, text)).expect("a digest");
            assert_eq!(
                (digest.root_cause_class.as_str(), digest.class_source.as_str()),
                (class, source)
            );
        }
        assert_eq!(of_test(&outcome(Status::Passed, "")), None);
    }

    #[test]
    fn the_same_failure_has_the_same_fingerprint() {
        let print =
            |text: &str| of_test(&outcome(Status::Failed, text)).expect("a digest").fingerprint;
        let base = print(&panic(1, 2, "7 of 0x1f in /tmp/a/b"));
        assert_eq!(base, print(&panic(99, 20, "8 of 0x2e in /tmp/c")), "what differs by run");
        assert_ne!(base, print(&panic(1, 2, "other words")), "another message");
        let example = |folder: &str| print(&panic(1, 2, "x").replace("tests/", folder));
        assert_eq!(example("/tmp/rustdocA/"), example("/tmp/rustdocB/"), "another folder");
        assert_ne!(base, print(&panic(1, 2, "7 of 0x1f in /tmp/a/b").replace("api.rs", "b.rs")));
    }

    #[test]
    fn the_first_assertion_is_taken_whole() {
        let digest = of_test(&outcome(Status::Failed, &panic(1, 2, "x"))).expect("a digest");
        let assertion = digest.first_failing_assertion;
        assert_eq!(assertion.location.as_deref(), Some("tests/api.rs:2:5"));
        assert_eq!(assertion.message, "assertion `left == right` failed: x\n  left: 1\n right: 2");
    }
}
