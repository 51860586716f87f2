//! What people read on a terminal: the verdict, what blocks, the ways out. It words a status and never changes one.

use super::views;
use crate::{
    kernel::decide::{Decided, Decision, Selection},
    kernel::waiver::WaiverScope,
    runner::{
        argv::Invocation,
        collect, recording,
        roster::Roster,
        session::{RUN_SCHEMA, Session, view_text},
        spans::SPANS_FILE,
        trial::Subject,
    },
    wire::{
        fault::Fault,
        finding::Finding,
        ordered::VecMap,
        outcome::{Effective, Lane, RunVerdict},
        text::joined,
    },
};
use std::fmt::Write as _;

/// How many findings of one gate are shown; the receipt has them all.
const FINDINGS_SHOWN: usize = 20;
const OUTPUT_SHOWN: usize = 30;
const GATES_NAMED: usize = 60;
const GATED_WIDTH: usize = 90;

/// `1 gate`, `2 gates`.
#[must_use]
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Strips what a terminal would obey: escape sequences, control characters, bidirectional and zero-width marks.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\n' | '\t' => out.push(c),
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => skip_csi(chars),
        // OSC, DCS, PM, APC and SOS run to BEL or to ESC backslash.
        Some(']' | 'P' | '^' | '_' | 'X') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || c == '\u{9c}' {
                    return;
                }
                if c == '\u{1b}' {
                    chars.next();
                    return;
                }
            }
        }
        Some(_) | None => {}
    }
}

fn skip_csi(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    for c in chars.by_ref() {
        if ('@'..='~').contains(&c) {
            return;
        }
    }
}

/// One gate: what is wrong, where, whose, the way out, and how to see it again.
#[must_use]
pub fn gate(gate: &Decided, roster: &Roster) -> String {
    let mut text = format!("{}: {}", gate.id, gate.effective);
    if let Some(code) = &gate.code {
        let _ok = write!(text, " [{code}]");
    }
    let _ok = write!(text, ": {}", gate.detail);
    if let Some(error) = &gate.error {
        if let Some(place) = &error.location {
            let _ok = write!(text, "\n  --> {place}");
        }
        for (label, part) in [("expected", &error.expected), ("found", &error.found)] {
            if let Some(part) = part {
                let _ok = write!(text, "\n   = {label}: {part}");
            }
        }
        for cause in &error.chain {
            let _ok = write!(text, "\n   = cause: {cause}");
        }
        let _ok = write!(text, "\n   = remedy: {}", error.remedy);
    }
    for finding in gate.findings.iter().take(FINDINGS_SHOWN) {
        text.push_str(&self::finding(finding));
    }
    let hidden = gate.findings_total.saturating_sub(FINDINGS_SHOWN as u64);
    if hidden > 0 {
        let _ok = write!(text, "\n  and {hidden} more findings, in the receipt");
    }
    if let Some(n) = roster.position(gate.id.as_str())
        && let Some(remediation) = &roster.gates[n].table().common.remediation
    {
        let _ok = write!(text, "\n   = remediation: {remediation}");
    }
    let owner = match &gate.issue {
        Some(issue) => format!("{}, issue {issue}", gate.owner),
        None => gate.owner.clone(),
    };
    let _ok = write!(text, "\n   = owner: {owner}\n   = replay: {}", views::replay(gate, roster));
    text
}

fn finding(finding: &Finding) -> String {
    let severity = if finding.advisory { "warning" } else { "error" };
    let mut text = format!("\n{severity}[{}]: {}", finding.code, finding.message);
    if let Some(place) = &finding.location {
        let _ok = write!(text, "\n  --> {place}");
    }
    for (label, part) in [("expected", &finding.expected), ("found", &finding.found)] {
        if let Some(part) = part {
            let _ok = write!(text, "\n   = {label}: {part}");
        }
    }
    let _ok = write!(
        text,
        "\n   = remedy: {}\n   = fingerprint: {}",
        finding.remedy, finding.fingerprint
    );
    text
}

/// Everything that blocks, and the faults of the run.
#[must_use]
pub fn blockers(decision: &Decision, roster: &Roster) -> String {
    let mut parts: Vec<String> =
        decision.gates.iter().filter(|row| row.blocks).map(|row| gate(row, roster)).collect();
    for fault in &decision.faults {
        let place =
            fault.location.as_ref().map_or_else(String::new, |place| format!("\n  --> {place}"));
        parts.push(format!(
            "error[{}]: {}{place}\n   = remedy: {}",
            fault.code, fault.message, fault.remedy
        ));
    }
    if parts.is_empty() {
        parts.push(format!("the verdict is {}", decision.verdict));
    }
    plain(&format!("{}; {}\n{}", decision.verdict, counts(decision), parts.join("\n\n")))
}

/// What the failing gates said on the way: notes, and the tail of their commands' output.
#[must_use]
pub fn outputs(session: &Session, decision: &Decision) -> String {
    let mut text = String::new();
    for (n, receipt) in session.receipts() {
        let id = session.roster.gates[n].id();
        let blocks = decision.gates.iter().any(|gate| gate.blocks && gate.id == *id);
        if blocks && !receipt.output().is_empty() {
            text.push_str(&output(id.as_str(), receipt.output()));
        }
    }
    plain(&text)
}

fn output(id: &str, lines: &[String]) -> String {
    let mut text = format!("\n-- output of {id}\n");
    let skipped = lines.len().saturating_sub(OUTPUT_SHOWN);
    if skipped > 0 {
        let _ok = writeln!(text, "   [{skipped} lines before these, in the receipt]");
    }
    for line in &lines[skipped..] {
        let _ok = writeln!(text, "   {line}");
    }
    text
}

/// One line of counts: `17 gates: 1 waived, 16 pass; nothing blocks`.
#[must_use]
pub fn counts(decision: &Decision) -> String {
    let mut by_status: VecMap<Effective, usize> = VecMap::new();
    for gate in &decision.gates {
        *by_status.get_or_default(gate.effective) += 1;
    }
    let parts = joined(by_status.iter().rev().map(|(status, n)| format!("{n} {status}")), ", ");
    let blocking = decision.gates.iter().filter(|gate| gate.blocks).count();
    let blocks = match blocking {
        0 => "nothing blocks".to_owned(),
        1 => "1 blocks".to_owned(),
        n => format!("{n} block"),
    };
    format!("{}: {parts}; {blocks}", count(decision.gates.len(), "gate"))
}

/// The waivers and the gates that guard them, as far as they fail this lane.
#[must_use]
pub fn waiver_faults(decision: &Decision, lane: Lane) -> Vec<String> {
    let audit = &decision.waiver_audit;
    let failing = crate::kernel::waiver::failing(audit, lane);
    failing.iter().map(|problem| plain(problem)).collect()
}

/// What is printed at the end, and what turned the run red after its last trial.
pub struct Closing {
    /// The summary for people.
    pub summary: String,
    /// Faults found while closing.
    pub problems: Vec<String>,
}

/// Decides over what was evaluated, seals the run if this process owns it, and words the result.
#[must_use]
pub fn close(
    session: &Session,
    invocation: &Invocation,
    selected: &VecMap<String, Subject>,
    failed: bool,
) -> Closing {
    let evaluated: Vec<usize> = session.receipts().map(|(n, _)| n).collect();
    let all = evaluated.len() == session.roster.gates.len();
    let selection = if all {
        Selection { selected: None, require_full: false, ..Selection::default() }
    } else {
        crate::runner::aggregate::only(session, &evaluated)
    };
    let mut problems = Vec::new();
    // Made anew, whatever the aggregates decided from: the last word knows of whatever was found of the run since.
    let decision = match collect::decision(session, &evaluated, &selection, WaiverScope::Full) {
        Ok(decision) => decision,
        Err(fault) => return Closing { summary: String::new(), problems: vec![fault.to_string()] },
    };
    // A fault of the run is nobody's trial, so nothing else would turn it red.
    if !failed && (decision.verdict == RunVerdict::Invalid || !decision.faults.is_empty()) {
        problems.push(blockers(&decision, &session.roster));
    }
    let mut unsealed = String::new();
    if let Err(fault) = seal(session, &selection, &decision) {
        match session.world.lane {
            // Nobody certifies from here, but nobody may believe that this run can be verified either.
            Lane::Local => {
                unsealed =
                    format!("warning: this run is not sealed, so `verify` refuses it\n{fault}\n")
            }
            Lane::Pr | Lane::Main | Lane::Release => problems.push(fault.to_string()),
        }
    }
    let only_aggregates = selected.values().all(|subject| matches!(subject, Subject::Aggregate(_)));
    let word = word(&decision, failed || !problems.is_empty());
    let summary = summary(session, invocation, &decision, word, only_aggregates) + &unsealed;
    Closing { summary, problems }
}

fn seal(session: &Session, selection: &Selection, decision: &Decision) -> Result<(), Fault> {
    let Some(run) = session.existing_run_dir() else { return Ok(()) };
    if !session.owns_run() || session.leaves_only_receipts() {
        // The runner that made a run seals it, after every process has reported.
        return Ok(());
    }
    let environment = views::environment(
        &session.envelope(views::ENVIRONMENT_SCHEMA, decision.mode),
        &session.world,
    );
    run.write_file("environment.json", view_text(&environment)?.as_bytes())?;
    let facts = recording::facts(session, selection)?;
    let header = session.envelope(views::DECISION_SCHEMA, decision.mode);
    let decided = views::decision(&header, decision, &facts)?;
    run.write_file("decision.json", view_text(&decided)?.as_bytes())?;
    if session.spans.is_asked() {
        run.write_file(SPANS_FILE, session.spans.lines()?.as_bytes())?;
    }
    run.seal(&session.envelope(RUN_SCHEMA, decision.mode)).map(drop)
}

/// The first word of the summary. It is `PASS` only beside exit code 0 and a decision that passes.
fn word(decision: &Decision, failed: bool) -> &'static str {
    match decision.verdict {
        RunVerdict::Invalid => "INVALID",
        RunVerdict::Blocked => "BLOCKED",
        RunVerdict::Pass if failed => "BLOCKED",
        RunVerdict::Pass => "PASS",
    }
}

fn summary(
    session: &Session,
    invocation: &Invocation,
    decision: &Decision,
    word: &str,
    only_aggregates: bool,
) -> String {
    let mut text = String::new();
    let _ok =
        write!(text, "portcullis: {word} in lane `{}`, {} mode", session.world.lane, decision.mode);
    if decision.gates.is_empty() {
        text.push_str("; no gate was evaluated\n");
    } else {
        let _ok = writeln!(text, "; {}", counts(decision));
        text.push_str(&gated(decision));
    }
    for gate in &decision.gates {
        let shown = match gate.effective {
            Effective::Pass => false,
            Effective::Warn
            | Effective::Waived
            | Effective::Skip
            | Effective::PendingApproval
            | Effective::Fail
            | Effective::Precluded
            | Effective::Missing
            | Effective::Crashed
            | Effective::Error => true,
        };
        if shown {
            let until = gate
                .waiver
                .as_ref()
                .map_or_else(String::new, |waiver| format!(", until {}", waiver.expires));
            let _ok = writeln!(
                text,
                "  {:<16} {}: {}{until}",
                gate.effective.name(),
                gate.id,
                gate.detail
            );
        }
    }
    if invocation.show_output && !only_aggregates {
        for (n, receipt) in session.receipts().filter(|(_, receipt)| !receipt.output().is_empty()) {
            text.push_str(&output(session.roster.gates[n].id().as_str(), receipt.output()));
        }
    }
    if !decision.not_selected.is_empty() || decision.gates.len() < session.roster.gates.len() {
        let _ok = writeln!(
            text,
            "  not selected     {}; a filtered run cannot certify",
            count(session.roster.gates.len() - decision.gates.len(), "gate")
        );
    } else if !decision.certifiable {
        let _ok = writeln!(text, "  not certifiable  {}", decision.why_not_certifiable.join("; "));
    }
    if let Some(run) = session.existing_run_dir() {
        let path = run.path().strip_prefix(session.world.tree.root()).unwrap_or(run.path());
        let _ok = writeln!(text, "  receipts         {}", path.display());
    }
    text
}

/// The names of the gates that were evaluated, in lines of bounded width.
fn gated(decision: &Decision) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for gate in decision.gates.iter().take(GATES_NAMED) {
        if !line.is_empty() && line.len() + gate.id.as_str().len() > GATED_WIDTH {
            let _ok = writeln!(text, "  {:<16} {line}", if text.is_empty() { "gated" } else { "" });
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(gate.id.as_str());
    }
    let hidden = decision.gates.len().saturating_sub(GATES_NAMED);
    if hidden > 0 {
        let _ok = write!(line, " and {hidden} more");
    }
    let _ok = writeln!(text, "  {:<16} {line}", if text.is_empty() { "gated" } else { "" });
    text
}
