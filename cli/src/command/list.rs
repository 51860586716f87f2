//! `list`: gates, kinds, codes or test binaries. It judges nothing.

use crate::{
    args::List,
    engine::{
        cargo_test::{Cargo, crate_name},
        listing::{self, LIST_SCHEMA, Listed, Listing},
        nextest::{self, TestBinary},
    },
    exit::{Exit, OrExit, Refused},
    repository::Repository,
    transport::Transport,
};
use portcullis::{
    Code, Lane, declare::KindDecl, kernel::policy::Policy, report::human::count,
    runner::registry::Registry, wire::code::HARNESS_CODES,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Runs `list`.
pub(crate) fn run(arguments: &List, out: &mut Transport) -> Result<Exit, Refused> {
    if arguments.kinds {
        return kinds(out);
    }
    if arguments.codes {
        return codes(out);
    }
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    let cargo = Cargo::find(&repository, arguments.cargo)?;
    if arguments.binaries {
        return binaries(&repository, &policy, &cargo, out);
    }
    let census = repository.census()?;
    let listing = listing::ask(&policy, census.as_ref().ok(), &cargo, out)?;
    out.document(&document(&listing));
    out.text(&table(&listing));
    Ok(if listing.gates.is_empty() { Exit::Nothing } else { Exit::Pass })
}

fn document(listing: &Listing) -> Value {
    json!({ "schema": LIST_SCHEMA, "gates": listing.gates, "aggregates": listing.aggregates })
}

fn table(listing: &Listing) -> String {
    let header = ["GATE", "KIND", "BLOCKS", "LANES", "OWNER", "BINARY"].map(str::to_owned).to_vec();
    let mut rows = vec![header];
    rows.extend(listing.gates.iter().map(row));
    let mut text = columns(&rows);
    if !listing.aggregates.is_empty() {
        let names: Vec<&str> =
            listing.aggregates.iter().map(|listed| listed.name.as_str()).collect();
        text.push_str(&format!("\naggregates: {}\n", names.join(", ")));
    }
    text.push_str(&format!(
        "{}; `cargo portcullis explain <gate>` shows a page\n",
        count(listing.gates.len(), "gate")
    ));
    text
}

fn row(gate: &Listed) -> Vec<String> {
    let blocks = if gate.blocking == Some(true) { "yes" } else { "no" };
    vec![
        gate.name.clone(),
        gate.kind.clone(),
        blocks.to_owned(),
        lanes(&gate.lanes),
        gate.owner.clone().unwrap_or_default(),
        gate.binary.clone(),
    ]
}

/// `all`, or the lanes by name.
pub(crate) fn lanes(lanes: &[Lane]) -> String {
    if Lane::ALL.iter().all(|lane| lanes.contains(lane)) {
        return "all".to_owned();
    }
    lanes.iter().map(|lane| lane.name()).collect::<Vec<_>>().join(",")
}

/// Rows with their columns aligned; the last column is not padded.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn kinds(out: &mut Transport) -> Result<Exit, Refused> {
    let registry = Registry::collect().or_exit(Exit::Internal)?;
    let kinds: Vec<&KindDecl> = registry.kinds().collect();
    let rows: Vec<Value> = kinds
        .iter()
        .map(|kind| json!({ "kind": kind.id, "since": kind.since, "summary": summary(kind.page), "codes": names(kind.codes) }))
        .collect();
    out.document(&json!({ "schema": "portcullis.kinds.v1", "kinds": rows }));
    let rows: Vec<Vec<String>> =
        kinds.iter().map(|kind| vec![kind.id.to_owned(), summary(kind.page)]).collect();
    out.text(&columns(&rows));
    Ok(Exit::Pass)
}

fn names(codes: &[Code]) -> Vec<&'static str> {
    codes.iter().map(|code| code.name()).collect()
}

/// The first sentence of a page.
pub(crate) fn summary<S: AsRef<str>>(page: &[S]) -> String {
    page.iter()
        .map(|line| line.as_ref().trim())
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// Every code of the harness and of the linked kinds, by number, with the kinds that raise it.
pub(crate) fn all_codes(registry: &Registry) -> BTreeMap<&'static str, (Code, Vec<&'static str>)> {
    let mut codes: BTreeMap<&'static str, (Code, Vec<&'static str>)> =
        HARNESS_CODES.iter().map(|code| (code.number(), (*code, Vec::new()))).collect();
    for kind in registry.kinds() {
        for code in kind.codes {
            codes.entry(code.number()).or_insert_with(|| (*code, Vec::new())).1.push(kind.id);
        }
    }
    codes
}

fn codes(out: &mut Transport) -> Result<Exit, Refused> {
    let registry = Registry::collect().or_exit(Exit::Internal)?;
    let codes = all_codes(&registry);
    let rows: Vec<Value> = codes
        .values()
        .map(|(code, kinds)| json!({ "number": code.number(), "name": code.name(), "meaning": code.meaning(), "kinds": kinds }))
        .collect();
    out.document(&json!({ "schema": "portcullis.codes.v1", "codes": rows }));
    let rows: Vec<Vec<String>> = codes
        .values()
        .map(|(code, _)| {
            vec![code.number().to_owned(), code.name().to_owned(), code.meaning().to_owned()]
        })
        .collect();
    out.text(&columns(&rows));
    Ok(Exit::Pass)
}

fn binaries(
    repository: &Repository,
    policy: &Policy,
    cargo: &Cargo,
    out: &mut Transport,
) -> Result<Exit, Refused> {
    let gates: BTreeSet<String> = std::iter::once(&policy.binary)
        .chain(policy.gates.iter().map(|gate| &gate.common.binary))
        .map(|binary| crate_name(binary))
        .collect();
    let (source, found): (&str, Vec<TestBinary>) = if nextest::is_installed(repository)? {
        ("cargo-nextest", nextest::binaries(cargo)?)
    } else {
        out.progress("portcullis: cargo-nextest is not installed; cargo's metadata knows test targets, not unit tests");
        ("cargo metadata", nextest::from_targets(&cargo.metadata()?.tests()))
    };
    let holds =
        |binary: &TestBinary| binary.kind == "test" && gates.contains(&crate_name(&binary.name));
    let rows: Vec<Value> = found
        .iter()
        .map(|binary| json!({ "id": binary.id, "name": binary.name, "kind": binary.kind, "gate_binary": holds(binary) }))
        .collect();
    out.document(
        &json!({ "schema": "portcullis.binaries.v1", "source": source, "binaries": rows }),
    );
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|binary| {
            let note = if holds(binary) { "gate binary" } else { "" };
            vec![binary.id.clone(), binary.kind.clone(), note.to_owned()]
        })
        .collect();
    out.text(&columns(&rows));
    Ok(if found.is_empty() { Exit::Nothing } else { Exit::Pass })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_number_and_one_name() {
        let registry = Registry::collect().expect("the standard kinds are linked");
        let codes = all_codes(&registry);
        let names: BTreeSet<&str> = codes.values().map(|(code, _)| code.name()).collect();
        assert_eq!(names.len(), codes.len(), "two numbers share one name");
        for kind in registry.kinds() {
            for code in kind.codes {
                assert_eq!(
                    codes[code.number()].0,
                    *code,
                    "{} of `{}` has two meanings",
                    code.number(),
                    kind.id
                );
            }
        }
    }

    #[test]
    fn columns_are_aligned_and_lines_do_not_end_in_blanks() {
        let rows = [vec!["a".to_owned(), "x".to_owned()], vec!["long".to_owned(), String::new()]];
        assert_eq!(columns(&rows), "a     x\nlong\n");
    }
}
