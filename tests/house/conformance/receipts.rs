//! What the gates of a vector left: abstract receipts, bound to the gates at hand unless the vector says otherwise.

use super::{
    format::{FindingGiven, Foreign, Given, ReceiptGiven},
    world::{code, id, table},
};
use portcullis::{
    Digest, Finding, GateTable, Mode, Outcome, RunId,
    kernel::{
        policy::Policy,
        receipt::{Receipt, ReceiptState},
    },
    wire::receipt::{
        Clock, Envelope, ErrorRecord, STARTED_SCHEMA, Skip, Source, Started, Tool, VERDICT_SCHEMA,
        Verdict,
    },
};

const TIMES_MAX: usize = 10_000;

/// What the gates left. A gate that is named nowhere passed once.
pub(super) fn receipts(
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
        runner_run_id: None,
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
    // A vector is small. A number that is a slip must not fill the memory.
    if given.findings.iter().any(|finding| finding.times > TIMES_MAX) {
        return Err(format!("a finding stands more than {TIMES_MAX} times"));
    }
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
