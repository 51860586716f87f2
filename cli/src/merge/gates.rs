//! What the shards left beside their outcomes: receipts, failures, logs. It judges none of it.

use super::{Shards, part::Part};
use crate::{
    command::Failure,
    digest::{self, DIGEST_SCHEMA, FailureDigest},
    exit::{Exit, OrExit, Refused},
    history,
    plan::Target,
    receipts::Origin,
    replays::{Features, REPLAY_SCHEMA, Rung},
};
use anyhow::Context as _;
use portcullis::{
    Fault,
    evidence::{
        store::{ATTEMPTS_MAX, read_attempts},
        tree::Tree,
    },
    kernel::{decide::Decision, policy::Policy, policy::profile::Kind},
    wire::code::{INPUT_TOO_LARGE, RECEIPT_INVALID, SHARD_MISMATCH},
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// Copies every attempt of every shard, and says where each came from. The shard whose plan has a gate comes first; where
/// other shards evaluated it as a need, their attempts follow, as they would in a run that was never split.
pub(crate) fn copy_receipts(
    shards: &Shards,
    gates: &[(Target, u32)],
    to: &Path,
) -> Result<Vec<Origin>, Refused> {
    let homes: BTreeMap<&str, u32> =
        gates.iter().map(|(target, shard)| (target.test.as_str(), *shard)).collect();
    let mut attempts = Vec::new();
    for part in &shards.parts {
        for raw in read_attempts(&part.dir).or_exit(Exit::Invalid)? {
            let away = homes.get(raw.gate.as_str()) != Some(&part.index);
            attempts.push((raw.gate, away, part, raw.attempt));
        }
    }
    attempts.sort_by(|a, b| (&a.0, a.1, a.2.index, a.3).cmp(&(&b.0, b.1, b.2.index, b.3)));
    let mut origins: Vec<Origin> = Vec::new();
    for (name, _, part, attempt_there) in attempts {
        let gate = portcullis::GateId::parse(&name).map_err(|source| {
            let remedy = "run that shard again in a new directory";
            Refused::new(Exit::Invalid, Fault::new(RECEIPT_INVALID, source.to_string(), remedy))
        })?;
        let before = origins.last().filter(|last| last.gate == gate).map_or(0, |last| last.attempt);
        let attempt = before + 1;
        if attempt > ATTEMPTS_MAX {
            let headline = format!("the shards evaluated `{gate}` more than {ATTEMPTS_MAX} times");
            let remedy = "let fewer shards hold gates that need it, or run gates in one shard";
            return Err(Refused::new(Exit::Invalid, Fault::new(INPUT_TOO_LARGE, headline, remedy)));
        }
        let there = part.dir.join(format!("gates/{gate}/attempt-{attempt_there}"));
        copy(&there, &to.join(format!("gates/{gate}/attempt-{attempt}")))?;
        origins.push(Origin { gate, attempt, run_id: part.run_id.clone(), attempt_there });
    }
    Ok(origins)
}

/// Copies what the engine of each shard said.
pub(crate) fn copy_logs(shards: &Shards, to: &Path) -> Result<(), Refused> {
    for part in &shards.parts {
        let from = part.dir.join("logs");
        if from.is_dir() {
            copy(&from, &to.join(format!("logs/shard-{}", part.index + 1)))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Refused> {
    crate::command::copy(from, to)
        .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))
        .map_err(Refused::from)
}

#[derive(Deserialize)]
struct Bundle {
    rungs: Vec<Rung>,
}

#[derive(Deserialize)]
struct Index {
    digests: Vec<Indexed>,
}

#[derive(Deserialize)]
struct Indexed {
    path: String,
    blocks: bool,
}

/// The failures of the tests as the shards have them, in the order of the plan; those of the gates are made from the
/// decision over all of them.
pub(crate) fn failures(
    shards: &Shards,
    gates: &[(Target, u32)],
    policy: &Policy,
    decision: &Decision,
) -> Result<Vec<Failure>, Fault> {
    let (mut tests, mut known) = (Vec::new(), BTreeMap::new());
    for part in &shards.parts {
        for failure in of_part(part)? {
            let key = (failure.rung.suite.clone(), failure.rung.test.clone());
            if failure.rung.kind == Kind::Gate {
                known.insert(key, failure.rung);
            } else {
                tests.push((key, failure));
            }
        }
    }
    tests.sort_by(|a, b| a.0.cmp(&b.0));
    let mut failures: Vec<Failure> = tests.into_iter().map(|(_, failure)| failure).collect();
    for gate in decision.gates.iter().filter(|gate| gate.blocks) {
        let listed = gates.iter().find(|(target, _)| target.test == gate.id.as_str());
        let target = listed.map_or_else(|| Target::unlisted(gate), |(target, _)| target.clone());
        let digest = digest::of_gate(&target, gate);
        let made = Rung::of(policy, &Features::new(), &target, &digest);
        // Its shard knew the features that its gate binary needs.
        let rung = match known.remove(&(target.suite, target.test)) {
            Some(rung) => Rung { targeted: rung.targeted, whole: rung.whole, ..made },
            None => made,
        };
        failures.push(Failure { digest, rung, blocks: true });
    }
    Ok(failures)
}

fn of_part(part: &Part) -> Result<Vec<Failure>, Fault> {
    let tree = Tree::new(&part.dir)?;
    let bundle: Bundle = history::document(&tree, "replay.json", REPLAY_SCHEMA)?;
    let index: Index =
        history::document(&tree, "failures/index.json", crate::command::INDEX_SCHEMA)?;
    let blocks: BTreeMap<&str, bool> =
        index.digests.iter().map(|one| (one.path.as_str(), one.blocks)).collect();
    let mut failures = Vec::new();
    for rung in bundle.rungs {
        if !rung.digest_path.starts_with("failures/") {
            let headline = format!("{} keeps a digest where none belongs", part.name());
            let remedy = "run that shard again; a sealed run is never edited";
            let fault = Fault::new(SHARD_MISMATCH, headline, remedy);
            return Err(fault.found(rung.digest_path.clone()));
        }
        let digest: FailureDigest = history::document(&tree, &rung.digest_path, DIGEST_SCHEMA)?;
        // What the index does not name counts as the worse.
        let blocks = blocks.get(rung.digest_path.as_str()).copied().unwrap_or(true);
        failures.push(Failure { digest, rung, blocks });
    }
    Ok(failures)
}
