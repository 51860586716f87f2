//! A run directory, read as data: inputs, census, attempts and the recorded decision. It judges no gate itself.

use crate::{outcome::Line, plan::Plan, receipts, verdict};
use portcullis::{
    Fault, GateId, Instant, Location, RelPath,
    evidence::{
        json,
        store::{RunState, read_attempts, read_run},
        tree::{HardLinks, Tree},
    },
    kernel::{
        census::Census,
        decide::Decision,
        quarantine::QuarantineFile,
        receipt::{Receipt, ReceiptState, judge},
        recorded::{Facts, INPUTS_SCHEMA, Material, Recorded},
    },
    report::views::DECISION_SCHEMA,
    wire::{
        code::{
            DECISION_DIFFERS, INPUTS_INVALID, RECEIPT_FOREIGN, RECEIPT_UNSEALED, SCHEMA_UNSUPPORTED,
        },
        receipt::{Clock, Envelope, ErrorRecord},
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{collections::BTreeSet, path::Path};

/// A document of ours is never larger.
const DOCUMENT_MAX_BYTES: u64 = 16 * 1024 * 1024;
const REMEDY: &str = "trust neither, and run again; a sealed run is never edited";

/// What a run directory says.
pub(in crate::command) struct Record {
    /// The census as it stood.
    pub(in crate::command) census: Census,
    /// The decision that the run came to; absent when it never ended.
    pub(in crate::command) decision: Option<Decision>,
    /// What was known before the first gate ran.
    pub(in crate::command) inputs: Recorded,
    /// What was known at the end.
    pub(in crate::command) facts: Facts,
    /// The clock of the run.
    pub(in crate::command) clock: Clock,
    /// What the attempts left.
    pub(in crate::command) receipts: Vec<Receipt>,
    judged_at: Instant,
    material: Material,
    quarantine: QuarantineFile,
}

impl Record {
    /// Reads a run directory.
    pub(in crate::command) fn read(dir: &Path) -> Result<Self, Vec<Fault>> {
        let one = |fault: Fault| vec![fault];
        let run = read_run(dir).map_err(one)?;
        let tree = Tree::new(dir).map_err(one)?;
        let census: Census = document(&tree, "expected.json")
            .and_then(|value| typed("expected.json", value))
            .map_err(one)?;
        let value = document(&tree, "inputs.json").map_err(one)?;
        let envelope =
            envelope("inputs.json", &value, INPUTS_SCHEMA, &run.envelope).map_err(one)?;
        let inputs: Recorded = typed("inputs.json", value).map_err(one)?;
        let (clock, facts, decision) = match run.state {
            RunState::Sealed => {
                let (clock, facts, decision) = closing(&tree, &run.envelope).map_err(one)?;
                (clock, facts, Some(decision))
            }
            // Nothing is known of a run that did not end, and a decision that lies there was not sealed.
            RunState::Running | RunState::Filtered | RunState::Interrupted | RunState::Refused => {
                (envelope.clock, Facts::unknown(inputs.planned.clone()), None)
            }
        };
        let receipts = receipts::read(dir, &run.envelope.run_id).map_err(one)?;
        let material = Material::read(&inputs, census.clone())?;
        let quarantine = QuarantineFile::parse(&inputs.classification_path, &inputs.classification);
        let judged_at = clock.now;
        Ok(Self {
            census,
            decision,
            inputs,
            facts,
            clock,
            receipts,
            judged_at,
            material,
            quarantine,
        })
    }

    /// Judges the tests again. What they come to must stand among the facts that the run was decided from.
    pub(in crate::command) fn tests(&self, plan: &Plan, lines: &[Line]) -> Vec<Fault> {
        let today = self.clock.now.day();
        let judged = verdict::judge(plan, &verdict::collect(lines), &self.quarantine, today);
        let (recorded, hash) = plan.digests();
        let mut faults = Vec::new();
        if hash != recorded {
            let headline = "the plan is not the one that was hashed";
            faults.push(
                Fault::new(DECISION_DIFFERS, headline, REMEDY)
                    .at(Location::file("plan.json"))
                    .expected(hash.to_string())
                    .found(recorded.to_string()),
            );
        }
        // A run that never ended has no facts, and is invalid whatever its tests say.
        let known: Vec<&ErrorRecord> =
            self.decision.iter().flat_map(|_| &self.facts.run_faults).collect();
        for fault in judged.faults.iter().filter(|_| self.decision.is_some()) {
            if !known.contains(&&ErrorRecord::from(fault)) {
                let headline = "the tests come to something else than was recorded";
                faults.push(
                    Fault::new(DECISION_DIFFERS, headline, REMEDY)
                        .at(Location::file("outcomes.jsonl"))
                        .expected(fault.headline())
                        .found("no such fault, as recorded"),
                );
            }
        }
        faults
    }

    /// Judges the tests on another day: takes what they came to out of the facts, and puts in what they come to then.
    pub(in crate::command) fn judge_tests_at(&mut self, plan: &Plan, lines: &[Line], now: Instant) {
        let seen = verdict::collect(lines);
        let inputs = &self.inputs;
        let quarantine = QuarantineFile::parse(&inputs.classification_path, &inputs.classification);
        let judge = |now: Instant| -> Vec<ErrorRecord> {
            let judged = verdict::judge(plan, &seen, &quarantine, now.day());
            judged.faults.iter().map(ErrorRecord::from).collect()
        };
        let (old, new) = (judge(self.judged_at), judge(now));
        self.facts.run_faults.retain(|fault| !old.contains(fault));
        self.facts.run_faults.extend(new);
        self.judged_at = now;
    }

    /// Decides again.
    pub(in crate::command) fn decide(&self) -> Result<Decision, Fault> {
        self.material.decide(&self.clock, &self.facts, &self.receipts)
    }

    /// The gates that the run left out.
    pub(in crate::command) fn not_selected(&self) -> Vec<GateId> {
        let all = self.material.gates();
        let selected = self.facts.selected.as_ref();
        let nothing = BTreeSet::new();
        match selected {
            None => Vec::new(),
            Some(selected) => all.difference(selected).chain(&nothing).cloned().collect(),
        }
    }
}

/// What is wrong with the receipts of a run that was filtered in lane `local`; nothing for any other run.
pub(in crate::command) fn filtered(dir: &Path) -> Result<Option<Vec<Fault>>, Fault> {
    let run = read_run(dir)?;
    if run.state != RunState::Filtered {
        return Ok(None);
    }
    let attempts = read_attempts(dir)?;
    let judged = attempts.iter().filter_map(|attempt| judge(attempt, &run.envelope.run_id));
    Ok(Some(judged.filter_map(|receipt| unfit(&receipt)).collect()))
}

fn unfit(receipt: &Receipt) -> Option<Fault> {
    let (code, detail) = match &receipt.state {
        ReceiptState::Complete(..) => return None,
        ReceiptState::Unsealed(_) => (RECEIPT_UNSEALED, "it started and never finished"),
        ReceiptState::Broken { code, detail } => (*code, detail.as_str()),
    };
    let headline = format!("attempt {} of `{}`: {detail}", receipt.attempt, receipt.gate_id);
    Some(Fault::new(code, headline, "run the gate again"))
}

/// What was written when the run ended.
fn closing(tree: &Tree, run: &Envelope) -> Result<(Clock, Facts, Decision), Fault> {
    let name = "decision.json";
    let value = document(tree, name)?;
    let envelope = envelope(name, &value, DECISION_SCHEMA, run)?;
    let facts = value.get("facts").cloned().unwrap_or(Value::Null);
    Ok((envelope.clock, typed(name, facts)?, typed(name, value)?))
}

fn document(tree: &Tree, name: &str) -> Result<Value, Fault> {
    let path = RelPath::parse(name).map_err(|source| invalid(name).because(&source))?;
    let bytes = tree
        .read_with(&path, DOCUMENT_MAX_BYTES, HardLinks::Refuse)
        .map_err(|fault| invalid(name).because(&fault))?;
    json::parse(&bytes, name).map_err(|fault| invalid(name).because(&fault))
}

fn typed<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|source| invalid(name).because(&source))
}

/// The header of a document, which must be of this run and of a version known here.
fn envelope(name: &str, value: &Value, schema: &str, run: &Envelope) -> Result<Envelope, Fault> {
    let envelope: Envelope = typed(name, value.clone())?;
    if envelope.schema != schema {
        let headline = format!("`{name}` has another schema than this reader knows");
        let fault = Fault::new(
            SCHEMA_UNSUPPORTED,
            headline,
            "verify with the version of portcullis that made the run",
        );
        return Err(fault.at(Location::file(name)).expected(schema).found(envelope.schema));
    }
    if envelope.run_id != run.run_id {
        let headline = format!("`{name}` belongs to another run");
        let fault = Fault::new(
            RECEIPT_FOREIGN,
            headline,
            "run again; documents are never moved between runs",
        );
        return Err(fault
            .at(Location::file(name))
            .expected(run.run_id.to_string())
            .found(envelope.run_id.to_string()));
    }
    Ok(envelope)
}

fn invalid(name: &str) -> Fault {
    let headline =
        format!("the run does not say what its decision was made from: `{name}` cannot be read");
    Fault::new(INPUTS_INVALID, headline, "run again; a directory that lost a file proves nothing")
        .at(Location::file(name))
}
