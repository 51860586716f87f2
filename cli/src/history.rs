//! An earlier run as data: its plan, what became of each target, and its failures. It runs nothing.

use crate::{
    digest::{DIGEST_SCHEMA, FailureDigest},
    outcome::{Line, OUTCOME_SCHEMA, Status},
    plan::{PLAN_SCHEMA, Plan},
    replays::{REPLAY_SCHEMA, Rung},
    shard::Shard,
    triage::State,
    verdict::{Seen, collect},
};
use portcullis::{
    Effective, Fault, Location, RelPath, RunId,
    evidence::{
        json,
        store::{RunRecord, read_run, verify_manifest},
        tree::{HardLinks, Tree},
    },
    kernel::{
        decide::{Decided, Decision},
        policy::{Policy, profile::Kind},
    },
    report::views::{DECISION_SCHEMA, ENVIRONMENT_SCHEMA},
    wire::{
        code::{BASELINE_UNUSABLE, RECORD_TORN, SCHEMA_UNSUPPORTED},
        receipt::Source,
    },
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead, BufReader, Read as _},
    path::Path,
};

/// A document of ours is never larger; `outcomes.jsonl` is read as a stream.
const DOCUMENT_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// No line of ours is longer (`security.md`, section 4).
const LINE_MAX_BYTES: u64 = 64 * 1024;
/// A plan of a million targets is smaller.
const PLAN_MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// A plan below this size is read as strictly as any document.
const PLAN_TREE_BYTES: usize = 4 * 1024 * 1024;

/// A sealed run that was read back.
pub(crate) struct Earlier {
    /// Its id.
    pub run_id: RunId,
    /// The machine it ran on.
    pub host: BTreeMap<String, String>,
    /// What it was about.
    pub source: Source,
    /// Its plan.
    pub plan: Plan,
    /// What became of its targets.
    pub seen: BTreeMap<(String, String), Seen>,
    /// Its decision.
    pub decision: Decision,
    /// Its failures, with their replays.
    pub rungs: Vec<Rung>,
}

#[derive(Deserialize)]
struct Machine {
    host: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Bundle {
    rungs: Vec<Rung>,
}

impl Earlier {
    /// Reads a sealed run.
    ///
    /// # Errors
    /// `baseline_unusable` for a run that is not sealed, or not as it was sealed; what a reader of its parts says.
    pub(crate) fn read(dir: &Path) -> Result<Self, Fault> {
        let run = sealed(dir)?;
        let tree = Tree::new(dir)?;
        let machine: Machine = document(&tree, "environment.json", ENVIRONMENT_SCHEMA)?;
        let bundle: Bundle = document(&tree, "replay.json", REPLAY_SCHEMA)?;
        Ok(Self {
            run_id: run.envelope.run_id.clone(),
            host: machine.host,
            source: run.envelope.source.clone(),
            plan: plan(&tree)?,
            seen: collect(&lines(&tree)?),
            decision: document(&tree, "decision.json", DECISION_SCHEMA)?,
            rungs: bundle.rungs,
        })
    }

    /// Every target that failed, flickered or has no result, the gates that block, and the gates that need those.
    pub(crate) fn failures(&self, policy: &Policy) -> BTreeSet<(String, String)> {
        let mut failures = BTreeSet::new();
        let mut gates: BTreeSet<&str> = self
            .decision
            .gates
            .iter()
            .filter(|gate| gate.blocks)
            .map(|gate| gate.id.as_str())
            .collect();
        let nothing = Seen::default();
        for target in self.plan.assigned() {
            let key = (target.suite.clone(), target.test.clone());
            let seen = self.seen.get(&key).unwrap_or(&nothing);
            if target.kind != Kind::Gate {
                if seen.status() != Status::Passed || seen.is_flaky() {
                    failures.insert(key);
                }
            } else if seen.status() == Status::NotRun {
                gates.insert(&target.test);
            }
        }
        loop {
            let more: Vec<&str> = policy
                .gates
                .iter()
                .map(|gate| &gate.common)
                .filter(|gate| gate.needs.iter().any(|need| gates.contains(need.as_str())))
                .map(|gate| gate.id.as_str())
                .filter(|id| !gates.contains(id))
                .collect();
            if more.is_empty() {
                break;
            }
            gates.extend(more);
        }
        for id in gates {
            let target = self.plan.targets.iter().find(|t| t.kind == Kind::Gate && t.test == id);
            // A gate of another shard runs again with the one of this shard that needs it.
            if target.is_none() && self.plan.shard.is_some() {
                continue;
            }
            // A gate that nobody listed cannot run again; the plan of the rerun will say that it is gone.
            let suite = target.map_or_else(|| "no gate binary".to_owned(), |t| t.suite.clone());
            failures.insert((suite, id.to_owned()));
        }
        failures
    }

    /// The state of every target, for a comparison with another run.
    pub(crate) fn states(&self) -> BTreeMap<String, State> {
        states(&self.plan, &self.seen, &self.decision, &self.rungs)
    }
}

/// A sealed run as triage and incidents need it: whatever sealed it, a runner or a gate binary alone.
pub(crate) struct Sealed {
    /// Its id.
    pub run_id: RunId,
    /// Its decision.
    pub decision: Decision,
    /// Its failures with their digests; none where a gate binary sealed it.
    pub failures: Vec<(Rung, FailureDigest)>,
}

impl Sealed {
    /// Reads a sealed run.
    ///
    /// # Errors
    /// As [`Earlier::read`].
    pub(crate) fn read(dir: &Path) -> Result<Self, Fault> {
        let run = sealed(dir)?;
        let tree = Tree::new(dir)?;
        let decision = document(&tree, "decision.json", DECISION_SCHEMA)?;
        let mut failures = Vec::new();
        if tree.exists(&rel("replay.json")?)? {
            let bundle: Bundle = document(&tree, "replay.json", REPLAY_SCHEMA)?;
            for rung in bundle.rungs {
                let digest = document(&tree, &rung.digest_path, DIGEST_SCHEMA)?;
                failures.push((rung, digest));
            }
        }
        Ok(Self { run_id: run.envelope.run_id, decision, failures })
    }
}

/// The record of a run that came to its end and is as it was sealed.
fn sealed(dir: &Path) -> Result<RunRecord, Fault> {
    let run = read_run(dir)?;
    if let Some(fault) = verify_manifest(dir)?.into_iter().next() {
        let headline = format!("the run {} cannot be relied on", run.envelope.run_id);
        let remedy = "name a run that came to its end and was not changed since";
        return Err(Fault::new(BASELINE_UNUSABLE, headline, remedy).because(&fault));
    }
    Ok(run)
}

/// The state of every target of a run. A gate is what its receipts say.
pub(crate) fn states(
    plan: &Plan,
    seen: &BTreeMap<(String, String), Seen>,
    decision: &Decision,
    rungs: &[Rung],
) -> BTreeMap<String, State> {
    let prints: BTreeMap<(&str, &str), &Rung> =
        rungs.iter().map(|rung| ((rung.suite.as_str(), rung.test.as_str()), rung)).collect();
    let rows: BTreeMap<&str, &Decided> =
        decision.gates.iter().map(|gate| (gate.id.as_str(), gate)).collect();
    let nothing = Seen::default();
    let mut states = BTreeMap::new();
    let own = plan.assigned();
    for target in &own {
        let failed = || {
            let rung = prints.get(&(target.suite.as_str(), target.test.as_str()));
            State::Failed {
                fingerprint: rung.map(|rung| rung.fingerprint.clone()).unwrap_or_default(),
                class: rung.map(|rung| rung.root_cause_class.clone()).unwrap_or_default(),
            }
        };
        let state = if target.kind == Kind::Gate {
            match rows.get(target.test.as_str()) {
                Some(gate) if gate.blocks => failed(),
                Some(gate) if gate.effective == Effective::Skip => State::NotObserved,
                Some(_) => State::Passed,
                None => State::NotObserved,
            }
        } else {
            let key = (target.suite.clone(), target.test.clone());
            match seen.get(&key).unwrap_or(&nothing).status() {
                Status::Passed => State::Passed,
                Status::NotRun => State::NotObserved,
                Status::Failed | Status::TimedOut | Status::Crashed | Status::Exited => failed(),
            }
        };
        states.insert(target.id(), state);
    }
    // A gate that nobody listed is no target, and blocks all the same.
    for gate in decision.gates.iter().filter(|gate| gate.blocks) {
        let listed = own.iter().any(|t| t.kind == Kind::Gate && t.test == gate.id.as_str());
        if !listed {
            let class = gate.code.clone().unwrap_or_default();
            let state = State::Failed { fingerprint: class.clone(), class };
            states.insert(format!("gate {}", gate.id), state);
        }
    }
    states
}

/// Reads a document of a run that has this schema.
pub(crate) fn document<T: DeserializeOwned>(
    tree: &Tree,
    name: &str,
    schema: &str,
) -> Result<T, Fault> {
    let value = json::parse(&bytes(tree, name, DOCUMENT_MAX_BYTES)?, name)?;
    let found = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default();
    if found != schema {
        return Err(unsupported(name, schema, found));
    }
    serde_json::from_value(value).map_err(|source| unusable(name).because(&source))
}

/// Reads `plan.json`. The plan of many shards that were merged has more values than any other document, and no tree.
pub(crate) fn plan(tree: &Tree) -> Result<Plan, Fault> {
    #[derive(Deserialize)]
    struct Headed {
        schema: String,
    }
    let name = "plan.json";
    let bytes = bytes(tree, name, PLAN_MAX_BYTES)?;
    if bytes.len() < PLAN_TREE_BYTES {
        drop(json::parse(&bytes, name)?);
    }
    let broken = |source: serde_json::Error| unusable(name).because(&source);
    let headed: Headed = serde_json::from_slice(&bytes).map_err(broken)?;
    if headed.schema != PLAN_SCHEMA {
        return Err(unsupported(name, PLAN_SCHEMA, &headed.schema));
    }
    serde_json::from_slice(&bytes).map_err(broken)
}

/// What a plan says above its targets, which are read past.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    /// The schema of the document.
    schema: String,
    /// The profile.
    pub profile: String,
    /// The filtersets.
    pub filters: Vec<String>,
    /// The run that it reruns.
    #[serde(default)]
    pub rerun_of: Option<String>,
    /// The part that it is.
    #[serde(default)]
    pub shard: Option<Shard>,
}

/// Reads the head of `plan.json`, whatever its size.
pub(crate) fn head(tree: &Tree) -> Result<Head, Fault> {
    let name = "plan.json";
    let file = tree
        .open(&rel(name)?, HardLinks::Refuse)
        .map_err(|fault| unusable(name).because(&fault))?;
    let reader = BufReader::new(file.take(PLAN_MAX_BYTES));
    let head: Head =
        serde_json::from_reader(reader).map_err(|source| unusable(name).because(&source))?;
    if head.schema == PLAN_SCHEMA {
        Ok(head)
    } else {
        Err(unsupported(name, PLAN_SCHEMA, &head.schema))
    }
}

/// Whether a run directory has this file.
pub(crate) fn has(tree: &Tree, name: &str) -> Result<bool, Fault> {
    tree.exists(&rel(name)?)
}

fn bytes(tree: &Tree, name: &str, most: u64) -> Result<Vec<u8>, Fault> {
    tree.read_with(&rel(name)?, most, HardLinks::Refuse)
        .map_err(|fault| unusable(name).because(&fault))
}

fn unsupported(name: &str, schema: &str, found: &str) -> Fault {
    let headline = format!("`{name}` has another schema than this reader knows");
    let remedy = "use the version of portcullis that made the run";
    let fault = Fault::new(SCHEMA_UNSUPPORTED, headline, remedy).at(Location::file(name));
    fault.expected(schema).found(found.to_owned())
}

/// Reads `plan.json` and `outcomes.jsonl` of a run directory; nothing where there is no plan, as a gate binary leaves it.
pub(crate) fn tests(dir: &Path) -> Result<Option<(Plan, Vec<Line>)>, Fault> {
    let tree = Tree::new(dir)?;
    if !tree.exists(&rel("plan.json")?)? {
        return Ok(None);
    }
    Ok(Some((plan(&tree)?, lines(&tree)?)))
}

/// The lines of `outcomes.jsonl`; a torn one is a fault.
fn lines(tree: &Tree) -> Result<Vec<Line>, Fault> {
    Lines::open(tree)?.collect()
}

/// `outcomes.jsonl`, line by line.
pub(crate) struct Lines {
    reader: BufReader<File>,
    buffer: Vec<u8>,
}

impl Lines {
    const NAME: &str = "outcomes.jsonl";

    /// Opens the file of a run.
    pub(crate) fn open(tree: &Tree) -> Result<Self, Fault> {
        let file = tree
            .open(&rel(Self::NAME)?, HardLinks::Refuse)
            .map_err(|fault| unusable(Self::NAME).because(&fault))?;
        Ok(Self { reader: BufReader::new(file), buffer: Vec::new() })
    }

    fn read(&mut self) -> Result<Option<Line>, Fault> {
        self.buffer.clear();
        let read = self.reader.by_ref().take(LINE_MAX_BYTES).read_until(b'\n', &mut self.buffer);
        if read.map_err(|source| unusable(Self::NAME).because(&source))? == 0 {
            return Ok(None);
        }
        let torn = || {
            let headline = format!("`{}` has a torn line", Self::NAME);
            Fault::new(RECORD_TORN, headline, "run again").at(Location::file(Self::NAME))
        };
        if self.buffer.last() != Some(&b'\n') {
            return Err(torn());
        }
        // A line is flat, so its type alone sees a key that stands twice.
        let one: Line =
            serde_json::from_slice(&self.buffer).map_err(|source| torn().because(&source))?;
        if one.schema != OUTCOME_SCHEMA {
            return Err(torn().expected(OUTCOME_SCHEMA).found(one.schema));
        }
        Ok(Some(one))
    }
}

impl Iterator for Lines {
    type Item = Result<Line, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// The path of a file of a run directory.
pub(crate) fn rel(name: &str) -> Result<RelPath, Fault> {
    RelPath::parse(name).map_err(|source| unusable(name).because(&source))
}

fn unusable(name: &str) -> Fault {
    let headline = format!("`{name}` of a run cannot be read");
    let remedy = "name a run that `cargo portcullis run` made and sealed";
    Fault::new(BASELINE_UNUSABLE, headline, remedy).at(Location::file(name))
}
