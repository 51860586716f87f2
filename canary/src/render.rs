//! The report of a decision: one text for comment, step summary and terminal. Leaves out where it is posted; nothing
//! here changes an outcome.

mod escape;
mod sparkline;

pub use escape::{cell, line};
pub use sparkline::{Spark, sparkline};

use crate::{
    Decision, Method, MetricLine, Outcome, Reason, Unit,
    decide::{as_percent, change},
};
use std::{cmp::Reverse, fmt::Write as _};

/// The most characters of a report: what the comment of a pull request may have.
pub const MOST_CHARACTERS: usize = 65_536;

/// What a report says besides the decision. All of it is foreign text and escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The canary.
    pub canary: String,
    /// What was compared with what: "candidate 0123abc against base 4567def, paired".
    pub comparison: String,
    /// The class of the machine, 12 hexadecimal digits, and whatever names it.
    pub host_class: String,
    /// The bound on false alarms that the A/A runs gave; absent where none were made.
    pub aa_bound: Option<String>,
    /// The command that judges this measurement again.
    pub replay: String,
    /// Where the whole report is.
    pub link: Option<String>,
}

/// Returns the marker by which a comment of this canary is found again: the first line of every report.
#[must_use]
pub fn marker(canary: &str) -> String {
    // An id is `snake_case`; what else arrives must not end the comment that hides it.
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-./".contains(c) { c } else { '_' };
    let plain: String = canary.chars().take(128).map(plain).collect();
    format!("<!-- portcullis:canary:{} -->", plain.replace("--", "__"))
}

/// Writes the report. Worst rows first; where not all fit, rows drop from the end and are counted.
#[must_use]
pub fn render(decision: &Decision, context: &Context) -> String {
    let head = head(decision, context);
    let foot = foot(context);
    let table = table(decision);
    let reasons: Vec<String> = decision.reasons.iter().map(reason).collect();
    // The reasons of the whole measurement explain an empty table, so they may not be crowded out by rows.
    let fixed = characters(&head) + characters(&foot) + 2 * characters(&more(usize::MAX)) + 8;
    let mut left = MOST_CHARACTERS.saturating_sub(fixed);
    let mut out = head;
    let share = left / 3;
    let unused = share - add(&mut out, REASONS_HEAD, &reasons, share);
    left = left - share + unused;
    add(&mut out, TABLE_HEAD, &table, left);
    out.push_str(&foot);
    out
}

const REASONS_HEAD: &str = "";
const TABLE_HEAD: &str = "\n| metric | base | candidate | change | bounds | n | provable from | verdict | codes |\n\
                          |---|---|---|---|---|---|---|---|---|\n";

/// Adds a head and as many lines as fit, tells how many did not, and returns how many characters were used.
fn add(out: &mut String, head: &str, lines: &[String], room: usize) -> usize {
    let mut used = characters(head);
    if lines.is_empty() || used > room {
        return 0;
    }
    out.push_str(head);
    let mut written = 0;
    for line in lines {
        let length = characters(line);
        if used + length > room {
            break;
        }
        out.push_str(line);
        (used, written) = (used + length, written + 1);
    }
    if written < lines.len() {
        // Its room was set aside.
        out.push_str(&more(lines.len() - written));
    }
    used
}

fn more(n: usize) -> String {
    format!("\n{n} more in the artifact\n")
}

fn characters(text: &str) -> usize {
    // The limit is stated in characters; whoever counts UTF-16 units must not find more either.
    text.chars().map(char::len_utf16).sum()
}

fn head(decision: &Decision, context: &Context) -> String {
    let mut out = marker(&context.canary);
    let outcome = outcome_word(decision.outcome);
    let canary = line(&context.canary, 200);
    let _ = writeln!(out, "\n### Canary {canary}: {outcome}\n");
    let _ = writeln!(out, "Compared: {}", line(&context.comparison, 1_000));
    let _ = writeln!(out, "Host class: {}", line(&context.host_class, 500));
    let _ = writeln!(out, "Examined: {} metrics", decision.examined);
    out.push('\n');
    out
}

fn foot(context: &Context) -> String {
    let mut out = String::from("\n");
    match &context.aa_bound {
        Some(bound) => {
            let _ = writeln!(out, "A/A: {}", line(bound, 500));
        }
        None => out.push_str("A/A: no bound on false alarms is known\n"),
    }
    let _ = writeln!(out, "Replay: `{}`", escape::code(&context.replay, 2_000));
    if let Some(link) = &context.link {
        let _ = writeln!(out, "Artifact: {}", escape::url(link, 2_000));
    }
    out
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::CommentOnly => "comment only",
        Outcome::Fail => "FAIL",
        Outcome::Invalid => "INVALID (nobody knows)",
    }
}

fn reason(reason: &Reason) -> String {
    let metric = match &reason.metric {
        Some(metric) => format!("{}: ", cell(metric.as_str(), 200)),
        None => String::new(),
    };
    let (severity, detail) = (outcome_word(reason.severity), line(&reason.detail, 500));
    format!("- {severity}, {}: {metric}{detail}\n", reason.code.replace('_', "\\_"))
}

/// The rows, worst first, then by size of the change and name.
fn table(decision: &Decision) -> Vec<String> {
    let mut lines: Vec<&MetricLine> = decision.metrics.iter().collect();
    lines.sort_by(|left, right| {
        let key = |line: &MetricLine| (Reverse(line.verdict), Reverse(line.interval.point));
        key(left).cmp(&key(right)).then_with(|| left.metric.cmp(&right.metric))
    });
    lines.into_iter().map(row).collect()
}

fn row(metric: &MetricLine) -> String {
    let is_share = metric.method == Method::Budget;
    let shown = |ratio| as_percent(ratio, is_share);
    let hi = metric.interval.hi.map_or_else(|| "open".to_owned(), shown);
    let labels: Vec<&str> = metric.labels.iter().map(|label| label.as_str()).collect();
    let codes: Vec<&str> = metric.codes.iter().copied().chain(labels).collect();
    let codes = if codes.is_empty() { metric.note.clone() } else { codes.join(", ") };
    format!(
        "| {} | {} | {} | {} | [{}, {hi}] | {} | {} | {} | {} |\n",
        cell(metric.metric.as_str(), 200),
        value(metric.base, metric.unit),
        value(metric.candidate, metric.unit),
        shown(metric.interval.point),
        shown(metric.interval.lo),
        metric.n,
        change(metric.mde),
        outcome_word(metric.verdict),
        cell(&codes, 500),
    )
}

/// Writes a value with a unit a reader takes in: 1.234 ms, 17 bytes.
#[must_use]
pub fn value(value: u64, unit: Unit) -> String {
    match unit {
        Unit::Count => value.to_string(),
        Unit::Bytes => format!("{value} bytes"),
        Unit::Ns => {
            let (name, scale) = match value {
                0..1_000 => return format!("{value} ns"),
                1_000..1_000_000 => ("us", 1_000),
                1_000_000..1_000_000_000 => ("ms", 1_000_000),
                1_000_000_000.. => ("s", 1_000_000_000),
            };
            format!("{}.{:03} {name}", value / scale, value % scale * 1_000 / scale)
        }
    }
}

#[cfg(test)]
mod tests;
