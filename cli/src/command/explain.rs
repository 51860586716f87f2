//! `explain`: the page of a gate or kind, or the meaning of a code. It builds only for gates written in Rust.

use super::list::{all_codes, columns, lanes};
use crate::{
    args::Explain,
    engine::{
        cargo_test::Cargo,
        listing::{self, Listed},
    },
    exit::{Exit, OrExit, Refused},
    repository::Repository,
    transport::Transport,
};
use portcullis::{
    Code, Fault, GateTable,
    declare::KindDecl,
    kernel::{near::near, policy::Policy, replay::render_argv},
    runner::{registry::Registry, roster::AGGREGATES, session::POLICY_FILE},
    wire::code::NAME_UNKNOWN,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCHEMA: &str = "portcullis.explanation.v1";

/// Runs `explain`.
pub(crate) fn run(arguments: &Explain, out: &mut Transport) -> Result<Exit, Refused> {
    let registry = Registry::collect().or_exit(Exit::Internal)?;
    let name = arguments.name.trim();
    // Codes and kinds are explained anywhere; a gate only within its repository.
    let repository = match Repository::discover() {
        Ok(repository) => Some(repository),
        Err(refused) if known_without_repository(&registry, name) => {
            drop(refused);
            None
        }
        Err(refused) => return Err(refused),
    };
    let policy = repository.as_ref().map(Repository::policy).transpose()?;
    if let Some(policy) = &policy
        && let Some(table) = policy.gates.iter().find(|gate| gate.common.id.as_str() == name)
        && let Some(kind) =
            registry.kinds().find(|kind| Some(kind.id) == table.common.kind.as_deref())
    {
        gate_of_kind(policy, table, kind, out);
        return Ok(Exit::Pass);
    }
    if let Some(kind) = registry.kinds().find(|kind| kind.id == name) {
        self::kind(kind, out);
        return Ok(Exit::Pass);
    }
    if let Some((code, kinds)) = find_code(&registry, name) {
        self::code(code, &kinds, out);
        return Ok(Exit::Pass);
    }
    let (Some(repository), Some(policy)) = (&repository, &policy) else {
        return Err(unknown(name, &candidates(&registry, None, &[])));
    };
    let census = repository.census()?;
    let expected =
        census.as_ref().is_ok_and(|census| census.rows.iter().any(|row| row.id.as_str() == name));
    let tabled = policy.gates.iter().any(|gate| gate.common.id.as_str() == name);
    let close = candidates(&registry, Some(policy), &rows(census.as_ref().ok()));
    let mistyped = !near(name, close.iter().map(String::as_str)).is_empty();
    if mistyped && !expected && !tabled {
        // A mistyped name is answered at once, not after a build.
        return Err(unknown(name, &close));
    }
    let cargo = Cargo::find(repository, arguments.cargo)?;
    let listing = listing::ask(policy, census.as_ref().ok(), &cargo, out)?;
    match listing.gates.iter().find(|gate| gate.name == name) {
        Some(gate) => listed(policy, gate, out),
        None => {
            let names: Vec<String> = listing.gates.iter().map(|gate| gate.name.clone()).collect();
            return Err(unknown(name, &candidates(&registry, Some(policy), &names)));
        }
    }
    Ok(Exit::Pass)
}

fn known_without_repository(registry: &Registry, name: &str) -> bool {
    registry.kinds().any(|kind| kind.id == name) || find_code(registry, name).is_some()
}

fn rows(census: Option<&portcullis::kernel::census::Census>) -> Vec<String> {
    census.into_iter().flat_map(|census| census.rows.iter().map(|row| row.id.to_string())).collect()
}

fn find_code(registry: &Registry, name: &str) -> Option<(Code, Vec<&'static str>)> {
    let found = |code: Code| code.name() == name || code.number().eq_ignore_ascii_case(name);
    all_codes(registry).into_values().find(|(code, _)| found(*code))
}

fn candidates(registry: &Registry, policy: Option<&Policy>, gates: &[String]) -> Vec<String> {
    let mut names: BTreeSet<String> = gates.iter().cloned().collect();
    names.extend(
        policy
            .into_iter()
            .flat_map(|policy| policy.gates.iter().map(|gate| gate.common.id.to_string())),
    );
    names.extend(registry.kinds().map(|kind| kind.id.to_owned()));
    names.extend(AGGREGATES.iter().map(|name| (*name).to_owned()));
    for (code, _) in all_codes(registry).into_values() {
        names.extend([code.name().to_owned(), code.number().to_owned()]);
    }
    names.into_iter().collect()
}

fn unknown(name: &str, candidates: &[String]) -> Refused {
    let close = near(name, candidates.iter().map(String::as_str));
    let remedy = if close.is_empty() {
        "list what exists: `cargo portcullis list`, with `--kinds` or `--codes`".to_owned()
    } else {
        format!("did you mean `{}`?", close.join("`, `"))
    };
    let headline = format!("no gate, kind or code is called `{name}`");
    Refused::new(Exit::Nothing, Fault::new(NAME_UNKNOWN, headline, remedy))
}

fn gate_of_kind(policy: &Policy, table: &GateTable, kind: &KindDecl, out: &mut Transport) {
    let replay = table
        .common
        .replay
        .clone()
        .unwrap_or_else(|| replay(policy, &table.common.binary, table.common.id.as_str()));
    out.document(&json!({
        "schema": SCHEMA,
        "gate": table.common.id,
        "kind": kind.id,
        "title": table.common.title,
        "owner": table.common.owner,
        "issue": table.common.issue,
        "blocking": table.common.blocking,
        "lanes": table.common.lanes,
        "needs": table.common.needs,
        "timeout_ms": table.common.timeout_ms,
        "enforce_from": table.common.enforce_from,
        "remediation": table.common.remediation,
        "artifact_path": table.common.artifact_path,
        "declared": table.location,
        "replay": replay,
        "page": kind.page,
        "codes": codes_json(kind.codes),
    }));
    let common = &table.common;
    let mut facts = vec![
        pair("gate", &format!("{}: {}", common.id, common.title)),
        pair("kind", kind.id),
        pair("declared", &table.location.to_string()),
        pair("owner", &common.owner),
        pair("blocks", &blocks(common.blocking, &lanes(&common.lanes))),
    ];
    let optional = [
        ("issue", common.issue.clone()),
        ("from", common.enforce_from.map(|day| day.to_string())),
        ("needs", (!common.needs.is_empty()).then(|| join(&common.needs))),
        ("artifact", common.artifact_path.as_ref().map(ToString::to_string)),
        ("way out", common.remediation.clone()),
    ];
    facts.extend(
        optional.into_iter().filter_map(|(name, value)| value.map(|value| pair(name, &value))),
    );
    facts.push(pair("replay", &render_argv(&replay)));
    out.text(&format!("{}\n{}\n{}", columns(&facts), page(kind.page), codes_text(kind.codes)));
}

fn kind(kind: &KindDecl, out: &mut Transport) {
    out.document(&json!({
        "schema": SCHEMA,
        "kind": kind.id,
        "since": kind.since,
        "page": kind.page,
        "codes": codes_json(kind.codes),
    }));
    let facts = [pair("kind", kind.id), pair("since", kind.since)];
    out.text(&format!("{}\n{}\n{}", columns(&facts), page(kind.page), codes_text(kind.codes)));
}

fn code(code: Code, kinds: &[&str], out: &mut Transport) {
    out.document(&json!({
        "schema": SCHEMA,
        "code": code.name(),
        "number": code.number(),
        "meaning": code.meaning(),
        "kinds": kinds,
    }));
    let from = if kinds.is_empty() {
        "portcullis itself".to_owned()
    } else {
        format!("the kinds {}", kinds.join(", "))
    };
    out.text(&format!("{code}\n\n{}\n\nraised by {from}", code.meaning()));
}

fn listed(policy: &Policy, gate: &Listed, out: &mut Transport) {
    let replay = replay(policy, &gate.binary, &gate.name);
    out.document(&json!({
        "schema": SCHEMA,
        "gate": gate.name,
        "kind": gate.kind,
        "title": gate.title,
        "owner": gate.owner,
        "issue": gate.issue,
        "blocking": gate.blocking,
        "lanes": gate.lanes,
        "needs": gate.needs,
        "timeout_ms": gate.timeout_ms,
        "remediation": gate.remediation,
        "replay": replay,
        "page": gate.page,
        "codes": [],
    }));
    let facts = [
        pair("gate", &format!("{}: {}", gate.name, gate.title.as_deref().unwrap_or(&gate.name))),
        pair("kind", &gate.kind),
        pair("owner", gate.owner.as_deref().unwrap_or("unknown")),
        pair("blocks", &blocks(gate.blocking == Some(true), &lanes(&gate.lanes))),
        pair("replay", &render_argv(&replay)),
    ];
    let page = if gate.page.is_empty() {
        format!(
            "no page: give the gate a table in `{POLICY_FILE}` or documentation where it is declared\n"
        )
    } else {
        self::page(&gate.page)
    };
    out.text(&format!("{}\n{page}", columns(&facts)));
}

/// The lines of a page, without the blank that `///` leaves before each.
fn page<S: AsRef<str>>(lines: &[S]) -> String {
    let mut text = String::new();
    for line in lines {
        // A doc comment of several lines may arrive as one string.
        for line in line.as_ref().split('\n') {
            let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
            if line.starts_with("### ") && !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line.strip_prefix("### ").unwrap_or(line));
            text.push('\n');
        }
    }
    text
}

fn codes_json(codes: &[Code]) -> Vec<Value> {
    codes
        .iter()
        .map(|code| json!({ "number": code.number(), "name": code.name(), "meaning": code.meaning() }))
        .collect()
}

fn codes_text(codes: &[Code]) -> String {
    let rows: Vec<Vec<String>> = codes
        .iter()
        .map(|code| {
            vec![format!("  {}", code.number()), code.name().to_owned(), code.meaning().to_owned()]
        })
        .collect();
    if rows.is_empty() { String::new() } else { format!("Codes\n{}", columns(&rows)) }
}

/// The words that run one gate again, and nothing else.
fn replay(policy: &Policy, binary: &str, gate: &str) -> Vec<String> {
    let words = ["cargo", "test", "--test", binary, "--", gate, "--exact"];
    policy.replay_prefix.iter().cloned().chain(words.map(str::to_owned)).collect()
}

fn blocks(blocking: bool, lanes: &str) -> String {
    if blocking { format!("yes, in lanes: {lanes}") } else { "no, it advises".to_owned() }
}

fn pair(name: &str, value: &str) -> Vec<String> {
    vec![name.to_owned(), value.to_owned()]
}

fn join(ids: &[portcullis::GateId]) -> String {
    ids.iter().map(portcullis::GateId::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_loses_its_comment_marks_and_keeps_its_sections() {
        let lines = [" Keeps it short.", " ### Why it gates", " Long files hide."];
        assert_eq!(page(&lines), "Keeps it short.\n\nWhy it gates\nLong files hide.\n");
    }

    #[test]
    fn a_code_is_found_by_name_and_by_number() {
        let registry = Registry::collect().expect("the standard kinds are linked");
        let table =
            [("waiver_expired", Some("PC0403")), ("pc0403", Some("PC0403")), ("PC9999", None)];
        for (asked, number) in table {
            assert_eq!(
                find_code(&registry, asked).map(|(code, _)| code.number()),
                number,
                "{asked}"
            );
        }
    }

    #[test]
    fn an_unknown_name_suggests_a_near_one() {
        let registry = Registry::collect().expect("the standard kinds are linked");
        let refused = unknown("waiver_expird", &candidates(&registry, None, &[]));
        assert_eq!(refused.exit, Exit::Nothing);
        assert!(refused.faults[0].remedy().contains("`waiver_expired`"), "{}", refused.faults[0]);
    }
}
