//! Reports in Markdown. Whatever comes from outside is escaped: a report is read where links and images work.

use super::{
    human,
    views::{self, Replays},
};
use crate::{
    kernel::decide::{Decided, Decision},
    wire::receipt::Envelope,
};
use std::fmt::Write as _;

/// How much of one message a report shows.
const CELL_CHARS: usize = 300;

/// A report over all gates: the verdict first, then what blocks, then the table.
#[must_use]
pub fn report(
    title: &str,
    envelope: &Envelope,
    decision: &Decision,
    replays: &dyn Replays,
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ok = write!(
        text,
        "# {title}: {}\n\n{}\n\n- run `{}`\n- commit `{}`\n- lane `{}`, mode `{}`, clock `{}`\n",
        decision.verdict.name().to_uppercase(),
        human::counts(decision),
        envelope.run_id,
        envelope.source.commit.as_deref().unwrap_or("none"),
        decision.lane,
        decision.mode,
        envelope.clock.now,
    );
    for reason in &decision.why_not_certifiable {
        let _ok = writeln!(text, "- cannot certify: {}", escape(reason));
    }
    for fault in &decision.faults {
        let _ok = write!(
            text,
            "\n## `{}`\n\n{}\n\nRemedy: {}\n",
            fault.code,
            escape(&fault.message),
            escape(&fault.remedy)
        );
    }
    for gate in decision.gates.iter().filter(|gate| gate.blocks) {
        text.push_str(&blocker(gate, replays));
    }
    text.push_str("\n| gate | status | owner | detail |\n|---|---|---|---|\n");
    for gate in &decision.gates {
        let _ok = writeln!(
            text,
            "| `{}` | {}{} | {} | {} |",
            gate.id,
            gate.effective,
            if gate.blocking { "" } else { " (not blocking)" },
            escape(&gate.owner),
            escape(&gate.detail)
        );
    }
    text
}

fn blocker(gate: &Decided, replays: &dyn Replays) -> String {
    let mut text = format!(
        "\n## `{}`: {} `{}`\n\n{}\n\n",
        gate.id,
        gate.effective,
        gate.code.as_deref().unwrap_or("-"),
        escape(&gate.detail)
    );
    for finding in gate.findings.iter().take(20) {
        let place = finding
            .location
            .as_ref()
            .map_or_else(String::new, |place| format!(" ({})", escape(&place.to_string())));
        let _ok = writeln!(
            text,
            "- `{}` {}{place}: {}",
            finding.code,
            escape(&finding.message),
            escape(&finding.remedy)
        );
    }
    let command = views::replay(gate, replays);
    let fence = "`".repeat(longest_run(&command).max(2) + 1);
    let _ok = write!(text, "\n{fence}sh\n{command}\n{fence}\n");
    text
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Escapes a text for one line of Markdown: no markup, no HTML, no mention, no link.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let flat = human::plain(text).replace(['\n', '\r'], " ");
    let short: String = flat.chars().take(CELL_CHARS).collect();
    for c in short.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '|' | '!' | '~' | '{' | '}' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A zero-width joiner keeps `@team` and `https://` from becoming a mention or a link.
            '@' => escaped.push_str("@\u{200d}"),
            ':' => escaped.push_str(":\u{200d}"),
            _ => escaped.push(c),
        }
    }
    if short.len() < flat.len() {
        escaped.push('…');
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t16_hostile_text_has_no_markup_left() {
        let table: &[(&str, &str, &str)] = &[
            ("an image", "![x](http://e/x.png)", "]("),
            ("a tag", "<img src=x>", "<"),
            ("a mention", "@everyone", "@e"),
            ("a bare link", "https://evil.example", "://"),
            ("a table cell", "a | b", " | "),
            ("a heading", "a\n# b", "\n"),
        ];
        for (case, text, refused) in table {
            let escaped = escape(text);
            assert!(!escaped.contains(refused), "{case}: {escaped}");
        }
    }
}
