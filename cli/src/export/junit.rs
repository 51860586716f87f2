//! `JUnit` XML in the dialect of nextest: a test case for each gate, test and fault of the run.

use super::{
    account::{Account, Row},
    standing::Junit,
    xml::{attribute, escape},
};
use std::{collections::BTreeMap, fmt::Write as _};

#[derive(Default)]
struct Counts {
    tests: usize,
    skipped: usize,
    failures: usize,
    errors: usize,
}

impl Counts {
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            counts.tests += 1;
            match row.standing.junit {
                Junit::Passed | Junit::PassedAloud => {}
                Junit::Skipped => counts.skipped += 1,
                Junit::Failure => counts.failures += 1,
                Junit::Error => counts.errors += 1,
            }
        }
        counts
    }

    fn attributes(&self) -> String {
        let Self { tests, skipped, failures, errors } = self;
        format!(
            "tests=\"{tests}\" skipped=\"{skipped}\" failures=\"{failures}\" errors=\"{errors}\""
        )
    }
}

/// The document.
pub(super) fn render(account: &Account) -> String {
    let mut suites: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &account.rows {
        suites.entry(&row.suite).or_default().push(row);
    }
    let stamp = account.envelope.generated_at;
    let all = Counts::of(account.rows.iter()).attributes();
    let total: u64 = account.rows.iter().map(|row| row.duration_ms).sum();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"portcullis\" {all} timestamp=\"{stamp}\" time=\"{}\">\n",
        seconds(total)
    );
    for (name, rows) in suites {
        let counts = Counts::of(rows.iter().copied()).attributes();
        let time: u64 = rows.iter().map(|row| row.duration_ms).sum();
        let (name, time) = (attribute(name), seconds(time));
        let _ok = writeln!(xml, "  <testsuite name=\"{name}\" {counts} time=\"{time}\">");
        for row in rows {
            case(row, &mut xml);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn case(row: &Row, xml: &mut String) {
    let (name, class) = (attribute(&row.name), attribute(&row.class));
    let time = seconds(row.duration_ms);
    let _ok = writeln!(xml, "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{time}\">");
    properties(row, xml);
    let status = attribute(&row.status);
    let message = attribute(&row.message);
    let text = escape(&row.text);
    let _ok = match row.standing.junit {
        Junit::Passed => Ok(()),
        Junit::PassedAloud => Ok(()),
        Junit::Skipped => {
            let reason = row.waiver.as_deref().unwrap_or(&row.message);
            writeln!(xml, "      <skipped type=\"{status}\" message=\"{}\"/>", attribute(reason))
        }
        Junit::Failure => {
            writeln!(xml, "      <failure type=\"{status}\" message=\"{message}\">{text}</failure>")
        }
        Junit::Error => {
            writeln!(xml, "      <error type=\"{status}\" message=\"{message}\">{text}</error>")
        }
    };
    // What was tried before the last attempt: `flakyFailure` where that passed, `rerunFailure` where it failed, too.
    let tag = if row.standing.is_red() { "rerunFailure" } else { "flakyFailure" };
    for attempt in row.earlier.iter().filter(|attempt| !attempt.passed) {
        let (kind, message) = (attribute(attempt.status), attribute(&attempt.message));
        let (text, time) = (escape(&attempt.message), seconds(attempt.duration_ms));
        let _ok = writeln!(
            xml,
            "      <{tag} type=\"{kind}\" message=\"{message}\" time=\"{time}\">{text}</{tag}>"
        );
    }
    if row.standing.junit == Junit::PassedAloud {
        let _ok = writeln!(xml, "      <system-out>{text}</system-out>");
    }
    xml.push_str("    </testcase>\n");
}

fn properties(row: &Row, xml: &mut String) {
    let known = [
        ("portcullis.status", Some(row.status.as_str())),
        ("replay", row.replay.as_deref()),
        ("fingerprint", Some(row.fingerprint.as_str())),
        ("owner", row.owner.as_deref()),
        ("portcullis.waiver", row.waiver.as_deref()),
        ("portcullis.quarantine", row.quarantine.as_deref()),
    ];
    xml.push_str("      <properties>\n");
    for (name, value) in known {
        if let Some(value) = value {
            let value = attribute(value);
            let _ok = writeln!(xml, "        <property name=\"{name}\" value=\"{value}\"/>");
        }
    }
    xml.push_str("      </properties>\n");
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}
