//! Annotations of GitHub's workflow commands, made of a finished decision: escaped, sorted and capped. They change no status.

use crate::command::Failure;
use portcullis::{
    Effective, Location,
    kernel::{
        decide::{Decided, Decision},
        policy::profile::Kind,
    },
    report::human::plain,
    wire::receipt::ErrorRecord,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many of each level GitHub shows of one step.
pub(crate) const STEP_MAX: usize = 10;
/// How many it shows of one job.
pub(crate) const JOB_MAX: usize = 50;
const MESSAGE_MAX: usize = 4_000;

/// How loud an annotation is, the loudest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// In the way, or failed.
    Error,
    /// Advice.
    Warning,
    /// Worth a look.
    Notice,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One annotation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Annotation {
    /// Whether it does not block; what blocks comes first.
    advisory: bool,
    level: Level,
    title: String,
    file: Option<String>,
    line: u32,
    column: u32,
    message: String,
}

impl Annotation {
    /// The workflow command.
    pub(crate) fn render(&self) -> String {
        let mut properties = format!("title={}", property(&self.title));
        if let Some(file) = &self.file {
            properties.push_str(&format!(",file={}", property(file)));
            if self.line > 0 {
                properties.push_str(&format!(",line={}", self.line));
            }
            if self.line > 0 && self.column > 0 {
                properties.push_str(&format!(",col={}", self.column));
            }
        }
        format!("::{} {properties}::{}", self.level.name(), data(&self.message))
    }

    fn at(mut self, location: Option<&Location>) -> Self {
        if let Some(location) = location {
            self.file = Some(location.path.clone());
            self.line = location.line;
            self.column = location.column;
        }
        self
    }
}

/// How many a job has shown already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// Of all levels.
    pub total: usize,
}

/// A warning that concerns no file.
pub(crate) fn warning(title: &str, message: &str) -> String {
    format!("::{} title={}::{}", Level::Warning.name(), property(title), data(message))
}

/// The text behind the last colons, of which no part begins a command of its own.
pub(crate) fn data(text: &str) -> String {
    let text: String = plain(text).chars().take(MESSAGE_MAX).collect();
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, in which colons and commas mean something, too.
pub(crate) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A line that a runner would take for a command, with a mark before it.
pub(crate) fn defused(text: &str) -> String {
    let is_command = |line: &str| {
        let line = line.trim_start();
        line.starts_with("::") || line.starts_with("##[")
    };
    if !text.lines().any(is_command) {
        return text.to_owned();
    }
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| if is_command(line) { format!("| {line}") } else { line.to_owned() })
        .collect();
    lines.join("\n")
}

/// The annotations of a run, sorted.
pub(crate) fn of_run(decision: &Decision, failures: &[Failure]) -> Vec<Annotation> {
    let mut found: Vec<Annotation> = Vec::new();
    let mut reasons: BTreeSet<String> = BTreeSet::new();
    for gate in &decision.gates {
        of_gate(gate, &mut reasons, &mut found);
    }
    for failure in failures.iter().filter(|failure| failure.rung.kind != Kind::Gate) {
        let assertion = &failure.digest.first_failing_assertion;
        let (rung, digest) = (&failure.rung, &failure.digest);
        let message = format!("{}\nreplay: {}", assertion.message, rung.targeted.render());
        let level = if failure.blocks { Level::Error } else { Level::Warning };
        let title = format!("{} {}: {}", rung.suite, rung.test, digest.root_cause_class);
        let place = assertion.location.as_deref().and_then(place);
        found.push(plain_one(!failure.blocks, level, title, message).at(place.as_ref()));
    }
    found.extend(decision.faults.iter().map(of_fault));
    found.sort();
    found.dedup();
    found
}

fn plain_one(advisory: bool, level: Level, title: String, message: String) -> Annotation {
    Annotation { advisory, level, title, file: None, line: 0, column: 0, message }
}

fn of_fault(fault: &ErrorRecord) -> Annotation {
    let message = format!("{}\nremedy: {}", fault.message, fault.remedy);
    plain_one(false, Level::Error, fault.code.clone(), message).at(fault.location.as_ref())
}

fn of_gate(gate: &Decided, reasons: &mut BTreeSet<String>, found: &mut Vec<Annotation>) {
    let level = match gate.effective {
        Effective::Pass => return,
        Effective::Warn => Level::Warning,
        Effective::Waived => Level::Notice,
        Effective::Skip if gate.blocks => Level::Error,
        Effective::Skip => Level::Notice,
        Effective::Fail
        | Effective::PendingApproval
        | Effective::Precluded
        | Effective::Missing
        | Effective::Crashed
        | Effective::Error => Level::Error,
    };
    if gate.effective == Effective::Skip && !gate.blocks {
        let reason =
            gate.skip.as_ref().map(|skip| format!("{:?}", skip.reason)).unwrap_or_default();
        if !reasons.insert(reason) {
            return;
        }
    }
    let code = gate.code.as_deref().unwrap_or_default();
    let title = format!("{}: {} {code}", gate.id, gate.effective).trim_end().to_owned();
    if gate.findings.is_empty() {
        let error = gate.error.as_ref();
        let remedy = error.map_or_else(String::new, |error| format!("\nremedy: {}", error.remedy));
        let message = format!("{}{remedy}", gate.detail);
        let place = error.and_then(|error| error.location.as_ref());
        found.push(plain_one(!gate.blocks, level, title, message).at(place));
        return;
    }
    for finding in &gate.findings {
        let title = format!("{}: {} {}", gate.id, gate.effective, finding.code);
        let message = format!("{}\nremedy: {}", finding.message, finding.remedy);
        let level = if finding.advisory { Level::Warning } else { level };
        found.push(plain_one(!gate.blocks, level, title, message).at(finding.location.as_ref()));
    }
}

/// `src/a.rs:3:5` as a place.
pub(crate) fn place(text: &str) -> Option<Location> {
    let mut parts = text.rsplitn(3, ':');
    let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Location::at(file, line.parse().ok()?, column.parse().ok()?))
}

/// The commands of one step, within what GitHub shows; the last slot of a level says what is left out, and where it is.
pub(crate) fn commands(
    annotations: &[Annotation],
    shown: Shown,
    place: &str,
) -> (Vec<String>, Shown) {
    let mut lines = Vec::new();
    let mut left = JOB_MAX.saturating_sub(shown.total);
    for level in [Level::Error, Level::Warning, Level::Notice] {
        let all: Vec<&Annotation> = annotations.iter().filter(|one| one.level == level).collect();
        let slots = STEP_MAX.min(left);
        if all.is_empty() || slots == 0 {
            continue;
        }
        let kept = if all.len() > slots { slots - 1 } else { all.len() };
        lines.extend(all.iter().take(kept).map(|one| one.render()));
        left -= kept;
        let more = all.len() - kept;
        if more > 0 {
            let message =
                format!("{more} more of this level are not shown here; all are in {place}");
            lines.push(plain_one(false, level, "portcullis".to_owned(), message).render());
            left -= 1;
        }
    }
    let total = shown.total + lines.len();
    (lines, Shown { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(level: Level, advisory: bool, title: &str) -> Annotation {
        plain_one(advisory, level, title.to_owned(), "m".to_owned())
    }

    #[test]
    fn t13_no_text_becomes_a_command_or_a_property() {
        let hostile = "a%0A::error::x\r\n::set-env name=PATH::y\u{1b}]8;;z\u{7},b:c";
        let line = one(Level::Error, false, hostile).render();
        assert_eq!(line.lines().count(), 1, "{line:?}");
        assert_eq!(
            line,
            "::error title=a%250A%3A%3Aerror%3A%3Ax%0A%3A%3Aset-env name=PATH%3A%3Ay%2Cb%3Ac::m"
        );
        let location = Location::at("a,b:c.rs", 3, 0);
        let placed = one(Level::Warning, false, "t").at(Some(&location)).render();
        assert_eq!(placed, "::warning title=t,file=a%2Cb%3Ac.rs,line=3::m");
        assert_eq!(data("50 % of\nit"), "50 %25 of%0Ait");
    }

    #[test]
    fn a_line_that_a_runner_would_obey_is_marked() {
        assert_eq!(
            defused("a\n  ::error::x\n##[group]y\nb::c"),
            "a\n|   ::error::x\n| ##[group]y\nb::c"
        );
        assert_eq!(defused("plain\n"), "plain\n");
    }

    #[test]
    fn fg74_what_is_not_shown_is_counted_in_the_last_slot() {
        let many: Vec<Annotation> =
            (0..25).map(|n| one(Level::Error, false, &format!("e{n:02}"))).collect();
        let (lines, shown) = commands(&many, Shown::default(), "the run");
        assert_eq!((lines.len(), shown.total), (10, 10));
        assert!(
            lines[9].contains("16 more of this level") && lines[9].contains("the run"),
            "{}",
            lines[9]
        );
        let ten: Vec<Annotation> = many.iter().take(10).cloned().collect();
        assert_eq!(commands(&ten, Shown::default(), "r").0.len(), 10);
        assert!(!commands(&ten, Shown::default(), "r").0[9].contains("more"), "ten fit");
        let (late, shown) = commands(&many, Shown { total: 47 }, "r");
        assert_eq!((late.len(), shown.total), (3, 50));
        assert!(late[2].contains("23 more"), "{}", late[2]);
        assert_eq!(commands(&many, Shown { total: 50 }, "r").0.len(), 0);
    }

    #[test]
    fn what_blocks_comes_first() {
        let mut all = [
            one(Level::Notice, false, "c"),
            one(Level::Error, true, "b"),
            one(Level::Error, false, "z"),
        ];
        all.sort();
        let titles: Vec<&str> = all.iter().map(|one| one.title.as_str()).collect();
        assert_eq!(titles, ["z", "c", "b"]);
    }
}
