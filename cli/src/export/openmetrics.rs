//! `OpenMetrics` text: one family for each question, a sample for each gate and status, and the end mark.

use super::account::Account;
use portcullis::{Effective, RunVerdict};
use std::{collections::BTreeMap, fmt::Write as _};

/// The document.
pub(super) fn render(account: &Account) -> String {
    let decision = &account.decision;
    let mut text = String::new();
    let lane = label(decision.lane.name());
    family(&mut text, "portcullis_run_verdict", "Which verdict the run has.");
    for verdict in [RunVerdict::Pass, RunVerdict::Blocked, RunVerdict::Invalid] {
        let one = u8::from(decision.verdict == verdict);
        let verdict = label(&verdict.to_string());
        let _ok =
            writeln!(text, "portcullis_run_verdict{{lane=\"{lane}\",verdict=\"{verdict}\"}} {one}");
    }
    family(&mut text, "portcullis_run_certifiable", "Whether the run may stand as a certificate.");
    let one = u8::from(decision.certifiable);
    let _ok = writeln!(text, "portcullis_run_certifiable{{lane=\"{lane}\"}} {one}");
    family(&mut text, "portcullis_gate_status", "The effective status of each gate.");
    for gate in &decision.gates {
        let (id, kind, status) =
            (label(gate.id.as_str()), label(&gate.kind), label(gate.effective.name()));
        let _ok = writeln!(
            text,
            "portcullis_gate_status{{gate=\"{id}\",kind=\"{kind}\",status=\"{status}\"}} 1"
        );
    }
    family(&mut text, "portcullis_gate_blocks", "Whether each gate blocks.");
    for gate in &decision.gates {
        let (id, one) = (label(gate.id.as_str()), u8::from(gate.blocks));
        let _ok = writeln!(text, "portcullis_gate_blocks{{gate=\"{id}\"}} {one}");
    }
    let name = "portcullis_gate_duration_seconds";
    let _ok = writeln!(text, "# TYPE {name} gauge\n# UNIT {name} seconds");
    let _ok = writeln!(text, "# HELP {name} How long each gate looked.");
    for gate in &decision.gates {
        let (id, ms) = (label(gate.id.as_str()), gate.duration_ms);
        let _ok = writeln!(text, "{name}{{gate=\"{id}\"}} {}.{:03}", ms / 1_000, ms % 1_000);
    }
    family(&mut text, "portcullis_gates", "How many gates have each status.");
    for status in Effective::ALL {
        let n = decision.gates.iter().filter(|gate| gate.effective == *status).count();
        let _ok = writeln!(text, "portcullis_gates{{status=\"{status}\"}} {n}");
    }
    family(&mut text, "portcullis_tests", "How many tests ended how.");
    let mut tests: BTreeMap<&str, usize> = BTreeMap::new();
    for row in account.rows.iter().filter(|row| !row.is_gate && row.suite != super::account::RUN) {
        *tests.entry(&row.status).or_default() += 1;
    }
    for (status, n) in tests {
        let _ok = writeln!(text, "portcullis_tests{{status=\"{}\"}} {n}", label(status));
    }
    text.push_str("# EOF\n");
    text
}

fn family(text: &mut String, name: &str, help: &str) {
    let _ok = writeln!(text, "# TYPE {name} gauge\n# HELP {name} {help}");
}

/// The value of a label, in which three characters mean something.
fn label(text: &str) -> String {
    portcullis::report::human::plain(text)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
