//! The receipts of a run, also of one that was merged from others: whose they are, and what they say.

use portcullis::{
    Fault, GateId, Location, RelPath, RunId,
    evidence::{store::read_attempts, tree::Tree},
    kernel::receipt::{RawAttempt, Receipt, ReceiptState, judge},
    wire::code::RECEIPT_FOREIGN,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// The file that says what a run was merged from.
pub(crate) const SHARDS_FILE: &str = "shards.json";
/// Its schema.
pub(crate) const SHARDS_SCHEMA: &str = "portcullis.shards.v1";

/// Where an attempt of a merged run was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The gate.
    pub gate: GateId,
    /// The number of the attempt in the merged run.
    pub attempt: u32,
    /// The run that made it.
    pub run_id: RunId,
    /// Its number there.
    pub attempt_there: u32,
}

#[derive(Deserialize)]
struct Origins {
    receipts: Vec<Origin>,
}

/// Reads and judges every receipt of a run directory.
///
/// # Errors
/// What keeps a record, or the list of origins, from being read.
pub(crate) fn read(dir: &Path, run_id: &RunId) -> Result<Vec<Receipt>, Fault> {
    let origins = origins(dir)?;
    let mut receipts = Vec::new();
    for raw in read_attempts(dir)? {
        let origin = match &origins {
            None => None,
            Some(origins) => {
                let key = (raw.gate.clone(), raw.attempt);
                let found = origins.get(&key);
                // What no shard brought was put here by somebody else.
                let Some(origin) = found else { return Err(stray(&raw)) };
                Some(origin)
            }
        };
        receipts.extend(match origin {
            None => judge(&raw, run_id),
            Some(origin) => of(raw, origin),
        });
    }
    Ok(receipts)
}

/// Judges an attempt as what it was in its own run, under its number in this one.
fn of(raw: RawAttempt, origin: &Origin) -> Option<Receipt> {
    let there = RawAttempt { attempt: origin.attempt_there, ..raw };
    let mut receipt = judge(&there, &origin.run_id)?;
    receipt.attempt = origin.attempt;
    match &mut receipt.state {
        ReceiptState::Complete(started, verdict) => {
            started.attempt = origin.attempt;
            verdict.attempt = origin.attempt;
        }
        ReceiptState::Unsealed(started) => started.attempt = origin.attempt,
        ReceiptState::Broken { .. } => {}
    }
    Some(receipt)
}

/// The origins by gate and attempt.
type ByAttempt = BTreeMap<(String, u32), Origin>;

fn origins(dir: &Path) -> Result<Option<ByAttempt>, Fault> {
    let tree = Tree::new(dir)?;
    let path = RelPath::parse(SHARDS_FILE).map_err(|source| {
        Fault::new(RECEIPT_FOREIGN, source.to_string(), "report this as a bug")
    })?;
    if !tree.exists(&path)? {
        return Ok(None);
    }
    let origins: Origins = crate::history::document(&tree, SHARDS_FILE, SHARDS_SCHEMA)?;
    let by_attempt = origins
        .receipts
        .into_iter()
        .map(|origin| ((origin.gate.to_string(), origin.attempt), origin));
    Ok(Some(by_attempt.collect()))
}

fn stray(raw: &RawAttempt) -> Fault {
    let headline = format!("attempt {} of `{}` is of none of the shards", raw.attempt, raw.gate);
    let remedy = "merge the shards again; a merged run is never edited";
    Fault::new(RECEIPT_FOREIGN, headline, remedy).at(Location::file(SHARDS_FILE))
}
