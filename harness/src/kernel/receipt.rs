//! Receipts: what an attempt left, and whether it can be believed. It is handed bytes and reads no file.

mod strict;
#[cfg(test)]
mod tests;

use crate::wire::{
    code::{
        Code, DIGEST_MISMATCH, RECEIPT_FOREIGN, RECEIPT_INVALID, RECEIPT_WITHOUT_START,
        SCHEMA_UNSUPPORTED, STATUS_UNKNOWN,
    },
    finding::FINDINGS_KEPT,
    id::{Digest, GateId, RunId},
    outcome::Outcome,
    receipt::{STARTED_SCHEMA, Started, VERDICT_SCHEMA, Verdict},
};
use serde::de::DeserializeOwned;

/// The bytes of an attempt, as they lie in its directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawAttempt {
    /// The gate, as its directory is called.
    pub gate: String,
    /// The attempt, as its directory is called.
    pub attempt: u32,
    /// `started.json`.
    pub started: Option<Vec<u8>>,
    /// `verdict.json`.
    pub verdict: Option<Vec<u8>>,
}

/// One attempt of one gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The gate.
    pub gate_id: GateId,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What it left.
    pub state: ReceiptState,
}

/// What an attempt left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiptState {
    /// Both records, consistent with each other.
    Complete(Box<Started>, Box<Verdict>),
    /// It started and never finished.
    Unsealed(Box<Started>),
    /// It cannot be believed.
    Broken {
        /// Why.
        code: Code,
        /// One sentence more.
        detail: String,
    },
}

impl Receipt {
    /// The receipt of an attempt that this process made itself.
    #[must_use]
    pub fn complete(started: Started, verdict: Verdict) -> Self {
        Self {
            gate_id: verdict.gate_id.clone(),
            attempt: verdict.attempt,
            state: ReceiptState::Complete(Box::new(started), Box::new(verdict)),
        }
    }

    /// What the gate said on the way; nothing where there is no verdict.
    #[must_use]
    pub fn output(&self) -> &[String] {
        match &self.state {
            ReceiptState::Complete(_, verdict) => &verdict.output,
            ReceiptState::Unsealed(_) | ReceiptState::Broken { .. } => &[],
        }
    }
}

/// Judges the bytes of an attempt of the run `run_id`; `None` when its directory is not even called like a gate.
#[must_use]
pub fn judge(raw: &RawAttempt, run_id: &RunId) -> Option<Receipt> {
    let gate_id = GateId::parse(&raw.gate).ok()?;
    let state = match read(raw, &gate_id, run_id) {
        Ok(state) => state,
        Err((code, detail)) => ReceiptState::Broken { code, detail },
    };
    Some(Receipt { gate_id, attempt: raw.attempt, state })
}

type Refused = (Code, String);

fn read(raw: &RawAttempt, gate_id: &GateId, run_id: &RunId) -> Result<ReceiptState, Refused> {
    let Some(started_bytes) = &raw.started else {
        let what = if raw.verdict.is_some() { "a verdict without" } else { "an attempt without" };
        return Err((RECEIPT_WITHOUT_START, format!("{what} `started.json`")));
    };
    let started: Started = document(started_bytes, STARTED_SCHEMA, "started.json")?;
    own(
        "started.json",
        gate_id,
        raw.attempt,
        run_id,
        (&started.gate_id, started.attempt, &started.envelope.run_id),
    )?;
    let Some(verdict_bytes) = &raw.verdict else {
        return Ok(ReceiptState::Unsealed(Box::new(started)));
    };
    status(verdict_bytes)?;
    let verdict: Verdict = document(verdict_bytes, VERDICT_SCHEMA, "verdict.json")?;
    own(
        "verdict.json",
        gate_id,
        raw.attempt,
        run_id,
        (&verdict.gate_id, verdict.attempt, &verdict.envelope.run_id),
    )?;
    if verdict.started_digest != Digest::of(started_bytes) {
        return Err((
            DIGEST_MISMATCH,
            "`started.json` is not the one that the verdict was written for".to_owned(),
        ));
    }
    if (&verdict.policy_digest, &verdict.kind, &verdict.binary)
        != (&started.policy_digest, &started.kind, &started.binary)
    {
        return Err((
            RECEIPT_FOREIGN,
            "the two records name different policies, kinds or binaries".to_owned(),
        ));
    }
    consistent(&verdict)?;
    Ok(ReceiptState::Complete(Box::new(started), Box::new(verdict)))
}

fn document<T: DeserializeOwned>(bytes: &[u8], schema: &str, name: &str) -> Result<T, Refused> {
    let invalid =
        |source: serde_json::Error| (RECEIPT_INVALID, format!("`{name}` cannot be read: {source}"));
    let value = strict::parse(bytes).map_err(invalid)?;
    let found = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default();
    if found != schema {
        return Err((
            SCHEMA_UNSUPPORTED,
            format!("`{name}` has schema `{}`, not `{schema}`", found.escape_debug()),
        ));
    }
    serde_json::from_value(value).map_err(invalid)
}

/// A status that this version does not know is not read as one that it does.
fn status(bytes: &[u8]) -> Result<(), Refused> {
    let value = strict::parse(bytes)
        .map_err(|source| (RECEIPT_INVALID, format!("`verdict.json` cannot be read: {source}")))?;
    let outcome = value.get("outcome").and_then(serde_json::Value::as_str).unwrap_or_default();
    match Outcome::parse(outcome) {
        Some(_) => Ok(()),
        None => Err((
            STATUS_UNKNOWN,
            format!("`verdict.json` states the outcome `{}`", outcome.escape_debug()),
        )),
    }
}

fn own(
    name: &str,
    gate_id: &GateId,
    attempt: u32,
    run_id: &RunId,
    stated: (&GateId, u32, &RunId),
) -> Result<(), Refused> {
    if stated == (gate_id, attempt, run_id) {
        return Ok(());
    }
    let (gate, number, run) = stated;
    Err((RECEIPT_FOREIGN, format!("`{name}` belongs to attempt {number} of `{gate}` in run {run}")))
}

/// Whether a check that looked could have written this verdict.
///
/// # Errors
/// `receipt_invalid`, with the contradiction.
pub(super) fn consistent(verdict: &Verdict) -> Result<(), Refused> {
    let kept = verdict.findings.len() as u64;
    let violations = verdict.findings.iter().filter(|finding| !finding.advisory).count();
    let hidden = verdict.findings_total.saturating_sub(kept);
    // Fewer than a thousand are kept only when there are no more: else somebody took one away.
    let counted =
        verdict.findings_total >= kept && (hidden == 0 || verdict.findings.len() >= FINDINGS_KEPT);
    let (skip, error) = (verdict.skip.is_some(), verdict.error.is_some());
    let fits = match verdict.outcome {
        Outcome::Pass => verdict.findings_total == 0 && !skip && !error,
        Outcome::Warn => violations == 0 && kept > 0 && !skip && !error,
        Outcome::Fail => (violations > 0 || hidden > 0) && !skip && !error,
        Outcome::Skip => verdict.findings_total == 0 && skip && !error,
        Outcome::Error => !skip && error,
    };
    if fits && counted && verdict.attempt > 0 {
        return Ok(());
    }
    Err((
        RECEIPT_INVALID,
        format!("the outcome `{}` does not fit what the verdict says beside it", verdict.outcome),
    ))
}
