//! From a vector to the inputs of the decision, and the decision as the corpus compares it.

use super::{
    format::{Answer, Expect, ExtraRow, Given, NOW, POLICY_HEAD, Row, RowChange},
    receipts::receipts,
};
use portcullis::wire::ordered::VecSet;
use portcullis::{
    Code, Digest, Fault, GateId, GateTable, Instant, Lane,
    kernel::{
        census::{Census, CensusRow},
        decide::{Attempts, Decided, Decision, Inputs, Selection, decide},
        policy::{self, Policy},
        waiver::{WaiverFile, WaiverScope, guards},
    },
    wire::{
        code::HARNESS_CODES,
        receipt::{Clock, ClockSource},
    },
};
use std::collections::BTreeSet;

/// Evaluates the inputs of a vector.
///
/// # Errors
/// One sentence: what the vector gives cannot be given to a decision.
pub(super) fn evaluate(given: &Given) -> Result<Expect, String> {
    let policy = match policy::parse("portcullis.toml", &policy_text(given)) {
        Ok(policy) => policy,
        Err(faults) => return Ok(refused(&faults)),
    };
    let tables = tables(given, &policy)?;
    let gates: Vec<&GateTable> = tables.iter().collect();
    let unknown = policy::unknown_needs(&gates);
    if !unknown.is_empty() {
        return Ok(refused(&unknown));
    }
    let clock = clock(given)?;
    let receipts = receipts(given, &policy, &tables, &clock)?;
    let known = tables.iter().map(|table| table.common.id.clone()).collect();
    let waivers = WaiverFile::parse(
        "suite_classification.toml",
        &lines(&given.classification),
        &known,
        &guards(gates.iter().copied()),
    );
    let base = given.base_waivers.as_ref().map(ids).transpose()?;
    Ok(Expect::Decision(Box::new(answer(&decide(&Inputs {
        policy: &policy,
        gates: &gates,
        census: &census(given, &policy, &gates)?,
        census_faults: &faults(&given.census.faults)?,
        lane: given.lane.unwrap_or(Lane::Main),
        selection: &selection(given)?,
        receipts: &receipts.iter().collect::<Vec<_>>(),
        attempts: Attempts::Everybodys,
        waivers: &waivers,
        scope: given.scope.unwrap_or(WaiverScope::Full),
        touched_waivers: given.touched_waivers,
        base_waivers: base.as_ref(),
        loosened: &[],
        requested_mode: given.requested_mode.as_deref(),
        clock: &clock,
        run_faults: &faults(&given.run_faults)?,
        source_dirty: given.source_dirty,
    })))))
}

fn policy_text(given: &Given) -> String {
    let body = match &given.policy {
        Some(body) => lines(body),
        None => "[[gate]]\nid = \"a\"\n".to_owned(),
    };
    format!("{POLICY_HEAD}{body}")
}

fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn refused(faults: &[Fault]) -> Expect {
    Expect::Refused(faults.iter().map(|fault| fault.code().name().to_owned()).collect())
}

/// The gates at hand: those of the policy, and those in Rust without a table.
fn tables(given: &Given, policy: &Policy) -> Result<Vec<GateTable>, String> {
    let mut tables = policy.gates.clone();
    for (name, binary) in &given.rust_gates {
        if table(&tables, name).is_some() {
            return Err(format!("`{name}` has a table, and stands under `rust_gates` too"));
        }
        tables.push(GateTable::for_rust(id(name)?, policy, binary));
    }
    Ok(tables)
}

pub(super) fn table<'a>(tables: &'a [GateTable], name: &str) -> Option<&'a GateTable> {
    tables.iter().find(|table| table.common.id.as_str() == name)
}

fn clock(given: &Given) -> Result<Clock, String> {
    let now = match given.clock.now {
        Some(now) => now,
        None => Instant::parse(NOW).map_err(|error| error.to_string())?,
    };
    let source = given.clock.source.unwrap_or(ClockSource::System);
    Ok(Clock { now, source, past_allowed: given.clock.past_allowed })
}

pub(super) fn id(name: &str) -> Result<GateId, String> {
    GateId::parse(name).map_err(|error| error.to_string())
}

fn ids(names: &BTreeSet<String>) -> Result<VecSet<GateId>, String> {
    names.iter().map(|name| id(name)).collect()
}

pub(super) fn code(name: &str) -> Result<Code, String> {
    let code = HARNESS_CODES.iter().find(|code| code.name() == name);
    code.copied().ok_or_else(|| format!("`{name}` is no code"))
}

fn faults(names: &[String]) -> Result<Vec<Fault>, String> {
    names.iter().map(|name| Ok(Fault::new(code(name)?, "given", "mend it"))).collect()
}

fn selection(given: &Given) -> Result<Selection, String> {
    let Some(selection) = &given.selection else { return Ok(Selection::all()) };
    let selected = selection.gates.as_ref().map(ids).transpose()?;
    Ok(Selection { selected, require_full: selection.require_full, ..Selection::default() })
}

/// The committed census: that of the gates at hand, with the stated differences.
fn census(given: &Given, policy: &Policy, gates: &[&GateTable]) -> Result<Census, String> {
    let mut census = Census::of(gates.iter().copied());
    let edits = &given.census;
    let named = edits.without.iter().chain(edits.renamed.keys()).chain(edits.changed.keys());
    for name in named {
        if census.row(&id(name)?).is_none() {
            return Err(format!("the census has no row `{name}` to differ from"));
        }
    }
    census.rows.retain(|row| !edits.without.contains(row.id.as_str()));
    for row in &mut census.rows {
        if let Some(change) = edits.changed.get(row.id.as_str()) {
            edit(row, change);
        }
        if let Some(name) = edits.renamed.get(row.id.as_str()) {
            row.id = id(name)?;
        }
    }
    for row in &edits.extra {
        census.rows.push(extra(row, policy)?);
    }
    census.rows.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(census)
}

fn edit(row: &mut CensusRow, change: &RowChange) {
    row.blocking = change.blocking.unwrap_or(row.blocking);
    row.lanes = change.lanes.clone().unwrap_or_else(|| row.lanes.clone());
    row.binary = change.binary.clone().unwrap_or_else(|| row.binary.clone());
    row.owner = change.owner.clone().unwrap_or_else(|| row.owner.clone());
    if change.digest {
        row.digest = Digest::of(b"another table");
    }
}

fn extra(row: &ExtraRow, policy: &Policy) -> Result<CensusRow, String> {
    Ok(CensusRow {
        id: id(&row.id)?,
        kind: "rust".to_owned(),
        binary: row.binary.clone().unwrap_or_else(|| policy.binary.clone()),
        lanes: Lane::ALL.to_vec(),
        blocking: row.blocking.unwrap_or(true),
        owner: policy.owner.clone(),
        digest: Digest::of(format!("the table of {}", row.id).as_bytes()),
    })
}

fn answer(decision: &Decision) -> Answer {
    let row = |gate: &Decided| {
        let row = Row {
            effective: gate.effective,
            outcome: gate.outcome,
            blocks: gate.blocks,
            rollback_warning: gate.rollback_warning,
            code: gate.code.clone(),
        };
        (gate.id.to_string(), row)
    };
    Answer {
        verdict: decision.verdict,
        exit: decision.exit,
        certifiable: decision.certifiable,
        mode: decision.mode,
        gates: decision.gates.iter().map(row).collect(),
        faults: decision.faults.iter().map(|fault| fault.code.clone()).collect(),
        waivers: decision
            .waiver_audit
            .waivers
            .iter()
            .map(|waiver| (waiver.gate_id.to_string(), waiver.status))
            .collect(),
        cliffs: decision.waiver_audit.cliffs.len(),
        not_selected: decision.not_selected.iter().map(GateId::to_string).collect(),
    }
}
