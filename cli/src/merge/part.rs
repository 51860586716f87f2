//! One shard as its sealed run directory has it: what it shares with the others, and its own targets. It merges nothing.

use super::weave::{Row, Rows};
use crate::{
    history::{self, Lines},
    outcome::Line,
    plan::{Plan, Target},
    shard::{By, SHARDS_MAX, Shard},
    verdict::Judging,
};
use portcullis::{
    Digest, Effective, Fault, GateId, Location, Outcome, RelPath, RunId,
    evidence::{
        store::{RunState, read_run, verify_manifest},
        tree::Tree,
    },
    kernel::{
        decide::Decided,
        loosening::Texts,
        quarantine::QuarantineFile,
        recorded::{Facts, INPUTS_SCHEMA, Recorded},
    },
    report::views::{DECISION_SCHEMA, ENVIRONMENT_SCHEMA},
    wire::{
        code::{DECISION_DIFFERS, SHARD_COVER_GAP, SHARD_MISMATCH, SHARD_MISSING},
        receipt::{Clock, ErrorRecord, Source, Tool},
    },
};
use serde::Deserialize;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
};

const CENSUS_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What all shards of one run have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Common {
    /// The plan without its targets, as if it had no shards.
    pub plan: Plan,
    /// How it is split, and in how many parts.
    pub split: (By, u32),
    /// The commit.
    pub source: Source,
    /// What ran them.
    pub tool: Tool,
    /// Policy, waivers, lane and mode, as they stood.
    pub recorded: Recorded,
    /// The census, as it stood.
    pub census: String,
    /// What ties it to other runs.
    pub correlation_id: Option<String>,
    /// Whether the change touches the waiver file.
    pub touched_waivers: bool,
    /// The policy of the base, where a base is known.
    pub base: Option<Texts>,
}

impl Common {
    /// The first thing in which two shards differ: its name, and what each has.
    pub(super) fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        if self == other {
            return None;
        }
        let commit =
            |common: &Self| common.source.commit.clone().unwrap_or_else(|| "no commit".to_owned());
        let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
        let (a, b) = (&self.recorded, &other.recorded);
        let table = [
            ("the commit", commit(self), commit(other)),
            ("the tree or the base of the commit", of(&self.source), of(&other.source)),
            ("the policy", digest(&a.policy), digest(&b.policy)),
            ("waivers and suites", digest(&a.classification), digest(&b.classification)),
            ("the census", digest(&self.census), digest(&other.census)),
            ("the version of portcullis", of(&self.tool), of(&other.tool)),
            ("the lane", a.lane.to_string(), b.lane.to_string()),
            ("the mode that was asked for", of(&a.requested_mode), of(&b.requested_mode)),
            ("what else the policy was read from", of(a), of(b)),
            ("the profile", self.plan.profile.clone(), other.plan.profile.clone()),
            ("the number of shards", of(&self.split), of(&other.split)),
            ("the plan", self.plan.hash.to_string(), other.plan.hash.to_string()),
            ("the rest of the plan", of(&self.plan), of(&other.plan)),
            ("the correlation id", of(&self.correlation_id), of(&other.correlation_id)),
            (
                "what the base says of waivers",
                of(&(self.touched_waivers, &self.base)),
                of(&(other.touched_waivers, &other.base)),
            ),
        ];
        table.into_iter().find(|(_, mine, theirs)| mine != theirs)
    }
}

fn of(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    if text.len() <= 200 { text } else { Digest::of(text.as_bytes()).to_string() }
}

/// What one shard has for itself.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its run directory.
    pub dir: PathBuf,
    /// Its run.
    pub run_id: RunId,
    /// Its seal.
    pub seal: Digest,
    /// Which shard it is, from 0.
    pub index: u32,
    /// What it was decided from.
    pub facts: Facts,
    /// What became of its gates.
    pub gates: Vec<Decided>,
    /// Its clock.
    pub clock: Clock,
    /// The machine it ran on.
    pub host: BTreeMap<String, String>,
    /// The version of nextest that ran it.
    pub nextest: String,
}

#[derive(Deserialize)]
struct Closing {
    clock: Clock,
    facts: Facts,
    gates: Vec<Decided>,
}

#[derive(Deserialize)]
struct Machine {
    host: BTreeMap<String, String>,
    #[serde(default)]
    nextest: String,
}

#[derive(Deserialize)]
struct Summary {
    #[serde(default)]
    correlation_id: Option<String>,
}

/// Reads a shard, and hashes every file of it.
pub(super) fn read(dir: &Path) -> Result<(Part, Common), Vec<Fault>> {
    let one = |fault: Fault| vec![fault];
    let run = read_run(dir).map_err(one)?;
    let (RunState::Sealed, Some(seal)) = (run.state, run.manifest_sha256) else {
        let headline = format!("the run {} of a shard was never sealed", run.envelope.run_id);
        let remedy = "run that shard again to its end; what it did not finish may fail";
        let found = format!("state {:?}", run.state).to_lowercase();
        return Err(vec![place(Fault::new(SHARD_MISSING, headline, remedy).found(found), dir)]);
    };
    let faults = verify_manifest(dir).map_err(one)?;
    if !faults.is_empty() {
        return Err(faults.into_iter().map(|fault| below(fault, dir)).collect());
    }
    let tree = Tree::new(dir).map_err(one)?;
    let mut plan = history::plan(&tree).map_err(one)?;
    plan.targets = Vec::new();
    let (index, split) = match plan.shard.take() {
        Some(Shard { by, index, total, part: Some(_) }) if index < total && total <= SHARDS_MAX => {
            (index, (by, total))
        }
        Some(_) | None => {
            let headline = format!("the run {} is not a shard", run.envelope.run_id);
            let remedy = "name runs that were made with `--shard`; a whole run needs no merge";
            return Err(vec![place(Fault::new(SHARD_MISMATCH, headline, remedy), dir)]);
        }
    };
    let recorded: Recorded = history::document(&tree, "inputs.json", INPUTS_SCHEMA).map_err(one)?;
    let census = RelPath::parse("expected.json")
        .map_err(|source| Fault::new(SHARD_MISSING, source.to_string(), "report this as a bug"))
        .and_then(|path| tree.read_text(&path, CENSUS_MAX_BYTES))
        .map_err(one)?;
    let closing: Closing =
        history::document(&tree, "decision.json", DECISION_SCHEMA).map_err(one)?;
    let machine: Machine =
        history::document(&tree, "environment.json", ENVIRONMENT_SCHEMA).map_err(one)?;
    let summary: Summary =
        history::document(&tree, "views/summary.json", crate::summary::SUMMARY_SCHEMA)
            .map_err(one)?;
    let common = Common {
        plan,
        split,
        source: run.envelope.source.clone(),
        tool: run.envelope.tool.clone(),
        recorded: Recorded { planned: None, ..recorded },
        census,
        correlation_id: summary.correlation_id,
        touched_waivers: closing.facts.touched_waivers,
        base: closing.facts.base.clone(),
    };
    let part = Part {
        dir: dir.to_path_buf(),
        run_id: run.envelope.run_id,
        seal,
        index,
        facts: closing.facts,
        gates: closing.gates,
        clock: closing.clock,
        host: machine.host,
        nextest: machine.nextest,
    };
    Ok((part, common))
}

impl Part {
    /// How it is named in messages; people count from 1.
    pub(crate) fn name(&self) -> String {
        format!("shard {} ({})", self.index + 1, self.run_id)
    }

    /// Whether two runs of one shard say the same of every target and gate.
    pub(super) fn agrees(&self, other: &Self, quarantine: &QuarantineFile) -> Result<bool, Fault> {
        type Gist<'a> = (&'a GateId, Option<Outcome>, Effective, Option<&'a str>, Vec<&'a str>);
        fn gist(gate: &Decided) -> Gist<'_> {
            let prints = gate.findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
            (&gate.id, gate.outcome, gate.effective, gate.code.as_deref(), prints)
        }
        let same = self.gates.iter().map(gist).eq(other.gates.iter().map(gist))
            && self.facts.run_faults == other.facts.run_faults;
        if !same {
            return Ok(false);
        }
        let rest = Rc::new(RefCell::new(Vec::new()));
        let (mut mine, mut theirs) =
            (Own::open(self, quarantine, Rc::clone(&rest))?, Own::open(other, quarantine, rest)?);
        let statuses = |row: &Row| -> Vec<_> {
            row.lines.iter().map(|line| (line.attempt, line.last, line.status)).collect()
        };
        loop {
            match (mine.next()?, theirs.next()?) {
                (None, None) => return Ok(true),
                (Some(a), Some(b)) if a.target == b.target && statuses(&a) == statuses(&b) => {}
                _ => return Ok(false),
            }
        }
    }
}

/// Which run a fault is about.
pub(super) fn place(fault: Fault, dir: &Path) -> Fault {
    fault.at(Location::file(dir.display()))
}

fn below(fault: Fault, dir: &Path) -> Fault {
    let path = fault.location().map_or_else(String::new, |at| format!("/{}", at.path));
    fault.at(Location::file(format!("{}{path}", dir.display())))
}

/// Faults of a shard that are not about its tests, by its index.
pub(super) type Rest = Rc<RefCell<Vec<(u32, Vec<ErrorRecord>)>>>;

/// The targets of one shard with their lines, held against each other on the way.
pub(super) struct Own<'a> {
    part: &'a Part,
    targets: std::vec::IntoIter<Target>,
    last: Option<Target>,
    lines: Lines,
    ahead: Option<Line>,
    judging: Option<(Judging<'a>, Plan)>,
    rest: Rest,
}

impl<'a> Own<'a> {
    /// Opens the plan and the outcomes of a shard.
    pub(super) fn open(
        part: &'a Part,
        quarantine: &'a QuarantineFile,
        rest: Rest,
    ) -> Result<Self, Fault> {
        let tree = Tree::new(&part.dir)?;
        let mut plan = history::plan(&tree)?;
        let (recorded, found) = plan.digests();
        if recorded != found {
            let what = format!("{} lists other targets than it was given", part.name());
            let remedy = "run that shard again; a sealed run is never edited";
            let fault = Fault::new(SHARD_COVER_GAP, what, remedy);
            return Err(place(
                fault.expected(recorded.to_string()).found(found.to_string()),
                &part.dir,
            ));
        }
        let targets = std::mem::take(&mut plan.targets).into_iter();
        let mut lines = Lines::open(&tree)?;
        let ahead = lines.next().transpose()?;
        let judging = Some((Judging::new(quarantine, part.clock.now.day()), plan));
        Ok(Self { part, targets, last: None, lines, ahead, judging, rest })
    }

    fn gap(&self, found: String) -> Fault {
        let headline = format!("the outcomes of {} are not those of its plan", self.part.name());
        let remedy = "run that shard again; what has no outcome may fail";
        place(Fault::new(SHARD_COVER_GAP, headline, remedy).found(found), &self.part.dir)
    }

    /// What its tests come to must stand among the facts that it was decided from; the other facts are kept.
    fn close(&mut self) -> Result<(), Fault> {
        if let Some(line) = &self.ahead {
            return Err(self.gap(format!("a line of `{} {}`", line.suite, line.test)));
        }
        let Some((judging, plan)) = self.judging.take() else { return Ok(()) };
        let judged = judging.finish(&plan);
        let known = &self.part.facts.run_faults;
        let of_tests: Vec<ErrorRecord> = judged.faults.iter().map(ErrorRecord::from).collect();
        if let Some(unknown) = of_tests.iter().find(|fault| !known.contains(fault)) {
            let headline =
                format!("the tests of {} come to something else than it says", self.part.name());
            let remedy = "trust neither, and run that shard again";
            let fault = Fault::new(DECISION_DIFFERS, headline, remedy);
            let fault = fault.expected(unknown.message.clone()).found("no such fault, as recorded");
            return Err(place(fault, &self.part.dir));
        }
        let rest = known.iter().filter(|fault| !of_tests.contains(fault)).cloned().collect();
        self.rest.borrow_mut().push((self.part.index, rest));
        Ok(())
    }
}

impl Rows for Own<'_> {
    fn next(&mut self) -> Result<Option<Row>, Fault> {
        let Some(target) = self.targets.next() else {
            return self.close().map(|()| None);
        };
        if self.last.as_ref().is_some_and(|last| *last >= target) {
            return Err(self.gap(format!("`{}` out of its order", target.id())));
        }
        let mut lines = Vec::new();
        while let Some(line) =
            self.ahead.take_if(|line| line.suite == target.suite && line.test == target.test)
        {
            lines.push(line);
            self.ahead = self.lines.next().transpose()?;
        }
        if lines.is_empty() {
            return Err(self.gap(format!("no line of `{}`", target.id())));
        }
        let row = Row { target, shard: self.part.index, lines };
        if let Some((judging, _)) = &mut self.judging {
            judging.target(&row.target, &row.seen());
        }
        self.last = Some(row.target.clone());
        Ok(Some(row))
    }
}
