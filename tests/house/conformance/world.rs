//! From a vector to the inputs of the decision, and the decision as the corpus compares it.

use super::format::{
    Answer, Expect, ExtraRow, FindingGiven, Foreign, Given, NOW, POLICY_HEAD, ReceiptGiven, Row,
    RowChange,
};
use portcullis::{
    Code, Digest, Fault, Finding, GateId, GateTable, Instant, Lane, Mode, Outcome, RunId,
    kernel::{
        census::{Census, CensusRow},
        decide::{Attempts, Decision, Inputs, Selection, decide},
        policy::{self, Policy},
        receipt::{Receipt, ReceiptState},
        waiver::{WaiverFile, WaiverScope, guards},
    },
    wire::{
        code::HARNESS_CODES,
        receipt::{
            Clock, ClockSource, Envelope, ErrorRecord, STARTED_SCHEMA, Skip, Source, Started, Tool,
            VERDICT_SCHEMA, Verdict,
        },
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

fn table<'a>(tables: &'a [GateTable], name: &str) -> Option<&'a GateTable> {
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

fn id(name: &str) -> Result<GateId, String> {
    GateId::parse(name).map_err(|error| error.to_string())
}

fn ids(names: &BTreeSet<String>) -> Result<BTreeSet<GateId>, String> {
    names.iter().map(|name| id(name)).collect()
}

fn code(name: &str) -> Result<Code, String> {
    let code = HARNESS_CODES.iter().find(|code| code.name() == name);
    code.copied().ok_or_else(|| format!("`{name}` is no code"))
}

fn faults(names: &[String]) -> Result<Vec<Fault>, String> {
    names.iter().map(|name| Ok(Fault::new(code(name)?, "given", "mend it"))).collect()
}

fn selection(given: &Given) -> Result<Selection, String> {
    let Some(selection) = &given.selection else { return Ok(Selection::all()) };
    let selected = selection.gates.as_ref().map(ids).transpose()?;
    Ok(Selection { selected, require_full: selection.require_full })
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

/// What the gates left. A gate that is named nowhere passed once.
fn receipts(
    given: &Given,
    policy: &Policy,
    tables: &[GateTable],
    clock: &Clock,
) -> Result<Vec<Receipt>, String> {
    let mut receipts = Vec::new();
    for receipt in &given.receipts {
        if given.silent.contains(&receipt.gate) {
            return Err(format!("`{}` is silent, and left a receipt", receipt.gate));
        }
        // A receipt may belong to a gate that is none; it is then bound to a table that is none.
        let stranger;
        let table = match table(tables, &receipt.gate) {
            Some(table) => table,
            None => {
                stranger = GateTable::for_rust(id(&receipt.gate)?, policy, &policy.binary);
                &stranger
            }
        };
        receipts.push(left(receipt, table, clock)?);
    }
    for table in tables {
        let name = table.common.id.as_str();
        let named = given.receipts.iter().any(|receipt| receipt.gate == name);
        if !named && !given.silent.contains(name) {
            receipts.push(left(&passed(name), table, clock)?);
        }
    }
    Ok(receipts)
}

fn passed(gate: &str) -> ReceiptGiven {
    ReceiptGiven {
        gate: gate.to_owned(),
        attempt: None,
        state: None,
        outcome: None,
        examined: None,
        findings: Vec::new(),
        findings_total: None,
        error: None,
        skip: None,
        foreign: None,
    }
}

fn left(given: &ReceiptGiven, table: &GateTable, clock: &Clock) -> Result<Receipt, String> {
    let attempt = given.attempt.unwrap_or(1);
    let started = Started {
        envelope: envelope(STARTED_SCHEMA, clock)?,
        gate_id: table.common.id.clone(),
        kind: table.kind_name().to_owned(),
        binary: table.common.binary.clone(),
        attempt,
        runner_attempt: 1,
        pid: 1,
        policy_digest: table.digest(),
    };
    let state = match given.state.as_deref().unwrap_or("complete") {
        "complete" => {
            let verdict = verdict(given, &started, clock)?;
            ReceiptState::Complete(Box::new(started), Box::new(verdict))
        }
        "unsealed" => ReceiptState::Unsealed(Box::new(started)),
        other => {
            let name = other.strip_prefix("broken:");
            let name = name.ok_or_else(|| format!("`{other}` is no state of a receipt"))?;
            ReceiptState::Broken { code: code(name)?, detail: "given as broken".to_owned() }
        }
    };
    Ok(Receipt { gate_id: table.common.id.clone(), attempt, state })
}

fn envelope(schema: &str, clock: &Clock) -> Result<Envelope, String> {
    Ok(Envelope {
        schema: schema.to_owned(),
        run_id: RunId::parse("vector").map_err(|error| error.to_string())?,
        generated_at: clock.now,
        source: Source::default(),
        tool: Tool::this(),
        mode: Mode::Strict,
        clock: clock.clone(),
    })
}

fn verdict(given: &ReceiptGiven, started: &Started, clock: &Clock) -> Result<Verdict, String> {
    let findings: Vec<Finding> = given.findings.iter().flat_map(finding).collect();
    let mut verdict = Verdict {
        envelope: envelope(VERDICT_SCHEMA, clock)?,
        gate_id: started.gate_id.clone(),
        kind: started.kind.clone(),
        binary: started.binary.clone(),
        attempt: started.attempt,
        policy_digest: started.policy_digest,
        started_digest: Digest::of(b"started.json"),
        outcome: given.outcome.unwrap_or(Outcome::Pass),
        examined: given.examined.unwrap_or(3),
        findings_total: given.findings_total.unwrap_or(findings.len() as u64),
        findings,
        skip: given.skip.map(|reason| Skip { reason, detail: "given".to_owned() }),
        error: given.error.as_deref().map(error),
        evidence: Vec::new(),
        artifacts: Vec::new(),
        output: Vec::new(),
        duration_ms: 1,
    };
    match given.foreign {
        None => {}
        Some(Foreign::Policy) => verdict.policy_digest = Digest::of(b"another table"),
        Some(Foreign::Binary) => "another_binary".clone_into(&mut verdict.binary),
        Some(Foreign::Kind) => "another_kind".clone_into(&mut verdict.kind),
        Some(Foreign::Attempt) => verdict.attempt = started.attempt.saturating_add(1),
        Some(Foreign::Gate) => verdict.gate_id = id("another_gate")?,
    }
    Ok(verdict)
}

fn finding(given: &FindingGiven) -> impl Iterator<Item = Finding> {
    let finding = Finding {
        code: given.code.clone(),
        subject: given.subject.clone(),
        location: None,
        message: "given".to_owned(),
        expected: None,
        found: None,
        remedy: "mend it".to_owned(),
        advisory: given.advisory,
        fingerprint: given.fingerprint.clone(),
    };
    std::iter::repeat_n(finding, given.times)
}

fn error(code: &str) -> ErrorRecord {
    ErrorRecord {
        code: code.to_owned(),
        message: "given".to_owned(),
        location: None,
        chain: Vec::new(),
        expected: None,
        found: None,
        remedy: "mend it".to_owned(),
    }
}

fn answer(decision: &Decision) -> Answer {
    let row = |gate: &portcullis::kernel::decide::Decided| {
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
