//! The runbook as text, made of the signatures of a policy and the pages of its gates. It reads and writes no file.

use portcullis::{
    declare::KindDecl,
    kernel::{
        policy::{GateTable, Policy, signature::Signature},
        replay::Replay,
    },
    report::markdown::escape,
};
use std::{collections::BTreeSet, fmt::Write as _};

const HEAD: &str = "# Runbook\n\n\
Generated from the signatures and gates of `portcullis.toml` by `cargo portcullis runbook generate`; \
`cargo portcullis runbook check` finds every edit by hand.\n\n\
A red log or run goes to `cargo portcullis triage <log or run>`, which names the signature; its page below says what to \
open, what to run and what to do. Paths are relative to the run directory, or to the repository. \
`cargo portcullis incident <run>` says how soon somebody must own it.\n";

/// The runbook of a policy.
pub(crate) fn render<'k>(policy: &Policy, kinds: impl Fn(&str) -> Option<&'k KindDecl>) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n| signature | row | severity | owner | what |\n|---|---|---|---|---|\n");
    for signature in &policy.signatures {
        let row = signature.row.map_or_else(|| "-".to_owned(), |row| row.to_string());
        let _ok = writeln!(
            text,
            "| [{id}](#{id}) | {row} | {} | {} | {} |",
            severity(signature),
            escape(&signature.owner),
            escape(&signature.title),
            id = signature.id,
        );
    }
    let mut covered: BTreeSet<&str> = BTreeSet::new();
    for signature in &policy.signatures {
        page(&mut text, policy, signature, &kinds);
        covered.extend(signature.matches.gates.iter().map(portcullis::GateId::as_str));
    }
    let rest: Vec<&GateTable> =
        policy.gates.iter().filter(|gate| !covered.contains(gate.common.id.as_str())).collect();
    if !rest.is_empty() {
        text.push_str("\n## gates_without_signature\n\nThey have no page of their own; each prints its way out.\n");
        for gate in rest {
            self::gate(&mut text, policy, gate, &kinds);
        }
    }
    text
}

fn severity(signature: &Signature) -> &'static str {
    signature.severity.map_or("-", portcullis::kernel::policy::signature::SeverityHint::name)
}

fn page<'k>(
    text: &mut String,
    policy: &Policy,
    signature: &Signature,
    kinds: &impl Fn(&str) -> Option<&'k KindDecl>,
) {
    let _ok = writeln!(text, "\n## {}\n\n{}.", signature.id, escape(&signature.title));
    text.push_str("\n### Recognised by\n\n");
    let matches = &signature.matches;
    let list = |text: &mut String, what: &str, names: Vec<String>| {
        if !names.is_empty() {
            let _ok = writeln!(text, "- {what}: {}", names.join(", "));
        }
    };
    list(text, "gates", matches.gates.iter().map(|id| code(id.as_str())).collect());
    list(text, "codes", matches.codes.iter().map(|one| code(&one.text)).collect());
    list(text, "test targets", matches.targets.iter().map(|one| code(one)).collect());
    list(text, "classes", matches.classes.iter().map(|one| code(one)).collect());
    list(text, "lines of a log", matches.log.iter().map(|one| code(&one.text)).collect());
    text.push_str("\n### Open\n\n");
    for path in &signature.artifacts {
        let _ok = writeln!(text, "- {}", code(path.as_str()));
    }
    text.push_str("\n### Replay\n\n");
    text.push_str(&fenced(&signature.replay.render()));
    text.push_str("\n### Remediation\n\n");
    for (n, step) in (1..).zip(&signature.remediation) {
        let _ok = writeln!(text, "{n}. {}", prose(step));
    }
    text.push_str("\n### Escalation\n\n");
    let soon = match severity(signature) {
        "SEV-1" => "SEV-1: owner and context within 30 minutes",
        "SEV-2" => "SEV-2: owner and context within 4 hours",
        "SEV-3" => "SEV-3: owner and context within one business day",
        _ => "the severity follows from where the run stands for",
    };
    let _ok = writeln!(text, "Owner: {}. {soon}; past that, escalate.", escape(&signature.owner));
    let gates: Vec<&GateTable> = matches
        .gates
        .iter()
        .filter_map(|id| policy.gates.iter().find(|gate| gate.common.id == *id))
        .collect();
    for gate in gates {
        self::gate(text, policy, gate, kinds);
    }
}

fn gate<'k>(
    text: &mut String,
    policy: &Policy,
    gate: &GateTable,
    kinds: &impl Fn(&str) -> Option<&'k KindDecl>,
) {
    let common = &gate.common;
    let kind = common.kind.as_deref();
    let _ok = writeln!(
        text,
        "\n### Gate {}\n\n{}. {}, owner {}.",
        code(common.id.as_str()),
        escape(&common.title),
        kind.map_or_else(|| "Written in Rust".to_owned(), |kind| format!("Kind {}", code(kind))),
        escape(&common.owner)
    );
    let own = common.replay.clone().map(|argv| Replay { argv, ..Replay::default() });
    let replay = own
        .unwrap_or_else(|| Replay::gate(&common.binary, common.id.as_str(), &policy.replay_prefix));
    text.push('\n');
    text.push_str(&fenced(&replay.render()));
    if let Some(remediation) = &common.remediation {
        let _ok = writeln!(text, "\n{}.", prose(remediation.trim_end_matches('.')));
    }
    let section = kind.and_then(kinds).map(|kind| remediation(kind.page)).unwrap_or_default();
    if !section.is_empty() {
        let _ok = writeln!(text, "\n{section}");
    }
}

/// The section *Remediation* of a page.
fn remediation(page: &[&str]) -> String {
    let lines = page.iter().flat_map(|part| part.split('\n'));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
    let section: Vec<&str> = lines
        .skip_while(|line| *line != "### Remediation")
        .skip(1)
        .take_while(|line| !line.starts_with("### "))
        .collect();
    section.join("\n").trim().to_owned()
}

/// A sentence of the policy, in which back-ticks stand for commands and names, and nothing else means anything.
fn prose(text: &str) -> String {
    if !text.matches('`').count().is_multiple_of(2) {
        return escape(text);
    }
    let parts = text.split('`').enumerate();
    parts.map(|(n, part)| if n % 2 == 0 { escape(part) } else { code(part) }).collect()
}

/// A name as code, whatever back-ticks it has.
fn code(text: &str) -> String {
    let text = portcullis::report::human::plain(text).replace(['\n', '\t'], " ");
    let fence = "`".repeat(longest_ticks(&text) + 1);
    let pad =
        if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn fenced(text: &str) -> String {
    let text = portcullis::report::human::plain(text);
    let fence = "`".repeat((longest_ticks(&text) + 1).max(3));
    format!("{fence}sh\n{text}\n{fence}\n")
}

fn longest_ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::kernel::policy;

    const POLICY: &str = "[policy]\nversion = 1\nowner = \"team <b>\"\n[[gate]]\nid = \"g\"\nkind = \"command\"\ntitle = \"a [link](http://x)\"\n\
        remediation = \"run `make`\"\n[[gate]]\nid = \"h\"\nkind = \"command\"\n\
        [[signature]]\nid = \"s\"\ntitle = \"it breaks | @team\"\nrow = 7\nseverity = \"sev-1\"\nartifacts = [\"views/a.json\"]\n\
        replay = [\"A=b c\", \"cargo\", \"test\", \"--\", \"it's `x`\"]\nremediation = [\"open `a`b`\", \"run `make all`\"]\n\
        match = { gates = [\"g\"], log = [\"a``b\"] }\n";

    #[test]
    fn a_page_has_every_section_and_obeys_no_foreign_mark() {
        let policy = policy::parse("portcullis.toml", POLICY).expect("a policy");
        let registry = portcullis::runner::registry::Registry::collect().expect("the kinds");
        let text = render(&policy, |id| registry.kinds().find(|kind| kind.id == id));
        for section in ["Recognised by", "Open", "Replay", "Remediation", "Escalation", "Gate `g`"]
        {
            assert_eq!(text.matches(&format!("\n### {section}\n")).count(), 1, "{section}");
        }
        assert!(text.contains("## s\n") && text.contains("[s](#s) | 7 | SEV-1"), "{text}");
        assert!(text.contains("```sh\nA='b c' cargo test -- 'it'\\''s `x`'\n```"), "{text}");
        assert!(text.contains("- lines of a log: ```a``b```"), "{text}");
        assert!(text.contains("2. run `make all`") && text.contains("run `make`."));
        assert!(
            !text.contains("[link](http") && !text.contains("<b>") && !text.contains("| @team"),
            "{text}"
        );
        assert!(text.contains("## gates_without_signature") && text.contains("### Gate `h`"));
        assert!(
            text.contains("`command_failed`") || text.contains("command"),
            "the page of the kind"
        );
    }
}
