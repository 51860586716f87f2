//! The summary of a step on a forge, in Markdown and within its budget. Whole sections drop from the end, and are named.

use super::account::{Account, Row};
use portcullis::report::{human::count, markdown};
use std::fmt::Write as _;

/// How much a step may write, with what it wrote before: beyond 1 MiB everything is lost.
pub(crate) const BUDGET: usize = 1_000_000;
/// What the forge takes of one step.
pub(crate) const LIMIT: usize = 1024 * 1024;
const REPLAYS: usize = 20;
const WORD_MAX: usize = 400;

/// The summary, in at most `budget` bytes where verdict, ways out and replay leave room for more.
pub(crate) fn render(account: &Account, budget: usize) -> String {
    let decision = &account.decision;
    let run = account.envelope.run_id.as_str();
    let red: Vec<&Row> = account.rows.iter().filter(|row| row.standing.is_red()).collect();
    let head = format!(
        "# portcullis: {}\n\n{} gates, lane `{}`, {} mode, exit {}; {}\n",
        decision.verdict,
        decision.gates.len(),
        decision.lane,
        decision.mode,
        decision.exit,
        count(red.len(), "failure"),
    );
    let mut tail = format!(
        "\n## Ways out\n\nMend what is named, then run again.\n{}",
        fenced(&format!("cargo portcullis rerun {run}\ncargo portcullis triage {run}"))
    );
    let lines: Vec<String> =
        red.iter().filter_map(|row| row.replay.as_deref()).take(REPLAYS).map(cut).collect();
    let lines =
        if lines.is_empty() { format!("cargo portcullis replay {run}") } else { lines.join("\n") };
    let _ok = write!(tail, "\n## Replay\n{}", fenced(&lines));
    let mut sections = [
        ("what is wrong", wrong(&red)),
        ("waived", waived(account)),
        ("all gates", gates(account)),
    ];
    // The line that names what was dropped needs room, too.
    let room = budget.saturating_sub(head.len() + tail.len() + 200);
    let mut dropped = Vec::new();
    for at in (0..sections.len()).rev() {
        let size: usize = sections.iter().map(|(_, text)| text.len()).sum();
        if size > room {
            dropped.push(sections[at].0);
            sections[at].1.clear();
        }
    }
    let body: String = sections.into_iter().map(|(_, text)| text).collect();
    let mut note = String::new();
    if !dropped.is_empty() {
        dropped.reverse();
        let _ok = writeln!(note, "\nLeft out for want of room: {}.", dropped.join(", "));
    }
    format!("{head}{body}{note}{tail}")
}

fn wrong(red: &[&Row]) -> String {
    let mut text = String::new();
    for row in red {
        let (name, status) = (escape(&row.name), escape(&row.status));
        let _ok = writeln!(text, "- **{name}** {status}: {}", escape(&row.message));
    }
    if text.is_empty() { text } else { format!("\n## What is wrong\n\n{text}") }
}

fn waived(account: &Account) -> String {
    let mut text = String::new();
    for row in &account.rows {
        if let Some(waiver) = &row.waiver {
            let _ok = writeln!(text, "- **{}**: {}", escape(&row.name), escape(waiver));
        }
    }
    if text.is_empty() { text } else { format!("\n## Waived, which is no pass\n\n{text}") }
}

fn gates(account: &Account) -> String {
    let mut text =
        "\n## All gates\n\n| gate | status | blocks | owner |\n|---|---|---|---|\n".to_owned();
    for gate in &account.decision.gates {
        let (id, owner) = (escape(gate.id.as_str()), escape(&gate.owner));
        let blocks = if gate.blocks { "yes" } else { "no" };
        let _ok = writeln!(text, "| {id} | {} | {blocks} | {owner} |", gate.effective);
    }
    text
}

/// Text without markup, mention, reference or link, not even those that a forge makes of bare words.
pub(crate) fn escape(text: &str) -> String {
    let escaped = markdown::escape(text);
    let mut out = String::with_capacity(escaped.len());
    for c in escaped.chars() {
        // Between two of these a forge sets mathematics.
        if c == '$' {
            out.push('\\');
        }
        out.push(c);
        // `www.` and `#1` are made into links after the Markdown was read, whatever was escaped in it.
        if c == '.' || c == '#' {
            out.push('\u{200d}');
        }
    }
    out
}

/// A block of code behind a fence that is longer than any run of back-ticks in it.
pub(crate) fn fenced(text: &str) -> String {
    let text = portcullis::report::human::plain(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("\n{fence}sh\n{text}\n{fence}\n")
}

fn cut(line: &str) -> String {
    line.replace(['\n', '\r'], " ").chars().take(WORD_MAX).collect()
}
