//! Shards become one run: each of them once, all of one plan, and together exactly what the plan selects. It decides
//! nothing, and streams: what it holds in memory does not grow with the number of outcomes.

mod gates;
mod part;
mod weave;

pub(crate) use gates::{copy_logs, copy_receipts, failures};
pub(crate) use part::{Common, Part};

use crate::{
    outcome::Tally,
    plan::{Hashing, Plan, Target},
    shard::{Shard, Weights},
    verdict::{Judged, Judging},
};
use part::{Own, Rest};
use portcullis::{
    Digest, Fault,
    kernel::{policy::profile::Kind, quarantine::QuarantineFile},
    wire::{
        artifact,
        code::{SHARD_CONFLICT, SHARD_COVER_GAP, SHARD_MISMATCH, SHARD_MISSING},
        receipt::ErrorRecord,
        time::Day,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufReader, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
};
use weave::{Open, Row, unwritable, weave};

const NAMED: usize = 5;
const AGAIN: &str = "run the shards of one commit again, all with the same words, and merge those";

/// The shards of one run: each of them once.
#[derive(Debug)]
pub(crate) struct Shards {
    /// What they share.
    pub common: Common,
    /// One for each index, in order.
    pub parts: Vec<Part>,
    /// Runs that say the same as another run of their shard, and were left out.
    pub repeats: Vec<String>,
}

impl Shards {
    /// Reads shards, and refuses what is not exactly one set of them.
    ///
    /// # Errors
    /// `shard_missing`, `shard_mismatch`, `shard_conflict`, and whatever keeps a run from being what was sealed.
    pub(crate) fn read(dirs: &[PathBuf]) -> Result<Self, Vec<Fault>> {
        let (mut faults, mut common, mut parts) = (Vec::new(), None::<Common>, Vec::new());
        for dir in dirs {
            match part::read(dir) {
                Ok((part, own)) => {
                    match &common {
                        None => common = Some(own),
                        Some(common) => faults.extend(
                            common
                                .difference(&own)
                                .map(|difference| mismatch(&parts, &part, difference)),
                        ),
                    }
                    parts.push(part);
                }
                Err(found) => faults.extend(found),
            }
        }
        let Some(common) = common else {
            if faults.is_empty() {
                let headline = "there is no shard to merge";
                let remedy = "see whether the step that brings the run directories found any";
                faults.push(Fault::new(SHARD_MISSING, headline, remedy));
            }
            return Err(faults);
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut shards = Self { common, parts: Vec::new(), repeats: Vec::new() };
        shards.choose(parts).map_err(|fault| vec![fault])?;
        let gaps = shards.gaps();
        if gaps.is_empty() { Ok(shards) } else { Err(gaps) }
    }

    /// Takes each shard once. A run that was handed in twice counts once; two runs of one shard must say the same.
    fn choose(&mut self, mut parts: Vec<Part>) -> Result<(), Fault> {
        parts.sort_by(|a, b| (a.index, &a.run_id, &a.dir).cmp(&(b.index, &b.run_id, &b.dir)));
        let quarantine = self.quarantine();
        for part in parts {
            match self.parts.last().filter(|last| last.index == part.index) {
                Some(last) if last.seal == part.seal => {}
                Some(last) if last.agrees(&part, &quarantine)? => self.repeats.push(part.name()),
                Some(last) => {
                    let headline =
                        format!("two runs of shard {} say different things", part.index + 1);
                    let remedy = "find out why one of them failed, then run all shards again";
                    let fault = Fault::new(SHARD_CONFLICT, headline, remedy);
                    return Err(part::place(
                        fault.found(format!("{} and {}", last.name(), part.name())),
                        &part.dir,
                    ));
                }
                None => self.parts.push(part),
            }
        }
        Ok(())
    }

    /// The indices that nobody handed in.
    fn gaps(&self) -> Vec<Fault> {
        let total = self.common.split.1;
        let have: BTreeSet<u32> = self.parts.iter().map(|part| part.index).collect();
        let missing: Vec<u32> =
            (0..total).filter(|index| !have.contains(index)).map(|index| index + 1).collect();
        if missing.is_empty() {
            return Vec::new();
        }
        let mut shown: Vec<String> = missing.iter().take(NAMED).map(u32::to_string).collect();
        if missing.len() > NAMED {
            shown.push(format!("{} more", missing.len() - NAMED));
        }
        let headline = format!("{} of {total} shards are missing", missing.len());
        let remedy =
            "see why they did not run or were not brought here; none of them counts as passed";
        vec![Fault::new(SHARD_MISSING, headline, remedy).found(shown.join(", "))]
    }

    /// The quarantine, as it stood.
    pub(crate) fn quarantine(&self) -> QuarantineFile {
        let recorded = &self.common.recorded;
        QuarantineFile::parse(&recorded.classification_path, &recorded.classification)
    }
}

fn mismatch(parts: &[Part], part: &Part, (what, mine, theirs): (&str, String, String)) -> Fault {
    let first = parts.first().map(Part::name).unwrap_or_default();
    let headline = format!("{what} of {} is not that of {first}", part.name());
    part::place(Fault::new(SHARD_MISMATCH, headline, AGAIN).expected(mine).found(theirs), &part.dir)
}

/// What the targets of all shards come to.
pub(crate) struct Joined {
    /// The plan as if it had never been split, without its targets.
    pub plan: Plan,
    /// The targets that are gates, with the shard that ran each.
    pub gates: Vec<(Target, u32)>,
    /// The targets in numbers.
    pub tally: Tally,
    /// What the tests come to.
    pub judged: Judged,
    /// Faults of the shards that are not about their tests, each once, in the order of the shards.
    pub rest: Vec<ErrorRecord>,
    /// `outcomes.jsonl`, in the scratch folder.
    pub outcomes: PathBuf,
    targets: PathBuf,
}

/// Weaves the targets of all shards into one list, and proves that it is the list of the plan.
///
/// # Errors
/// `shard_cover_gap`, `shard_conflict`, `decision_differs`, `receipt_unwritable`.
pub(crate) fn join(
    shards: &Shards,
    quarantine: &QuarantineFile,
    today: Day,
    scratch: &Path,
) -> Result<Joined, Fault> {
    let (by, total) = shards.common.split;
    let split = Plan {
        shard: Some(Shard { by, index: 0, total, part: None }),
        ..shards.common.plan.clone()
    };
    let mut plan = Plan { weights: Weights::new(), ..shards.common.plan.clone() };
    let (mut before, mut after) = (Hashing::of(&split), Hashing::of(&plan));
    let (outcomes, targets) = (scratch.join("outcomes.jsonl"), scratch.join("targets.json"));
    let mut lines_out = Out::create(&outcomes)?;
    let mut targets_out = Out::create(&targets)?;
    let (mut gates, mut tally) = (Vec::new(), Tally::default());
    let mut judging = Judging::new(quarantine, today);
    let mut last = None::<(String, String, u32)>;
    let rest = Rest::default();
    let open = |part| -> Open<'_> {
        let rest = Rest::clone(&rest);
        Box::new(move || Ok(Box::new(Own::open(part, quarantine, rest)?)))
    };
    weave(shards.parts.iter().map(open).collect(), scratch, &mut |row: Row| {
        if let Some((suite, test, shard)) = &last
            && (suite, test) == (&row.target.suite, &row.target.test)
        {
            return Err(twice(&row, *shard));
        }
        before.target(&row.target);
        after.target(&row.target);
        let seen = row.seen();
        judging.target(&row.target, &seen);
        tally.add(&row.target, &seen);
        for line in &row.lines {
            lines_out
                .write(&artifact::line(line).map_err(|source| lines_out.fault(&source.into()))?)?;
        }
        let first = if tally.planned == 1 { "\n" } else { ",\n" };
        targets_out.write(first)?;
        targets_out
            .write(&indented(&row.target).map_err(|source| targets_out.fault(&source.into()))?)?;
        if row.target.kind == Kind::Gate {
            gates.push((row.target.clone(), row.shard));
        }
        last = Some((row.target.suite, row.target.test, row.shard));
        Ok(())
    })?;
    lines_out.close()?;
    targets_out.close()?;
    covered(before.finish(), split.hash)?;
    plan.hash = after.finish();
    let mut rest = rest.take();
    rest.sort_by_key(|(index, _)| *index);
    let mut once: Vec<ErrorRecord> = Vec::new();
    for fault in rest.into_iter().flat_map(|(_, faults)| faults) {
        if !once.contains(&fault) {
            once.push(fault);
        }
    }
    let judged = judging.finish(&plan);
    Ok(Joined { plan, gates, tally, judged, rest: once, outcomes, targets })
}

fn twice(row: &Row, shard: u32) -> Fault {
    let headline = format!("`{}` was run by two shards", row.target.id());
    let found = format!("shards {} and {}", shard + 1, row.shard + 1);
    Fault::new(SHARD_CONFLICT, headline, AGAIN).found(found)
}

fn covered(found: Digest, expected: Digest) -> Result<(), Fault> {
    if found == expected {
        return Ok(());
    }
    let headline = "the shards together are not what their plan selects";
    let fault = Fault::new(SHARD_COVER_GAP, headline, AGAIN);
    Err(fault.expected(format!("plan {expected}")).found(format!("plan {found}")))
}

/// One element of a list at the first level of a document.
fn indented(target: &Target) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string_pretty(&serde_json::to_value(target)?)?;
    let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
    Ok(lines.join("\n"))
}

impl Joined {
    /// Writes `plan.json` from its head, in which the list of targets is empty, and the targets that lie ready.
    ///
    /// # Errors
    /// `receipt_unwritable`.
    pub(crate) fn write_plan(&self, head: &str, to: &Path) -> Result<(), Fault> {
        // A string never holds a line break of its own, so this stands once: two spaces are the first level.
        const EMPTY: &str = "\n  \"targets\": []";
        let mut out = Out::create(to)?;
        let Some((above, below)) = head.split_once(EMPTY).filter(|_| self.tally.planned > 0) else {
            out.write(head)?;
            return out.close();
        };
        out.write(above)?;
        out.write("\n  \"targets\": [")?;
        out.copy(&self.targets)?;
        out.write("\n  ]")?;
        out.write(below)?;
        out.close()
    }
}

/// A file of ours while it is written.
struct Out {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Out {
    fn create(path: &Path) -> Result<Self, Fault> {
        let file = File::create_new(path).map_err(|source| unwritable(path, &source))?;
        Ok(Self { path: path.to_path_buf(), file: BufWriter::new(file) })
    }

    fn fault(&self, source: &std::io::Error) -> Fault {
        unwritable(&self.path, source)
    }

    fn write(&mut self, text: &str) -> Result<(), Fault> {
        self.file.write_all(text.as_bytes()).map_err(|source| unwritable(&self.path, &source))
    }

    fn copy(&mut self, from: &Path) -> Result<(), Fault> {
        let mut from_file =
            BufReader::new(File::open(from).map_err(|source| unwritable(from, &source))?);
        let mut piece = vec![0; 64 * 1024];
        loop {
            let n = from_file.read(&mut piece).map_err(|source| unwritable(from, &source))?;
            if n == 0 {
                return Ok(());
            }
            let read = piece.get(..n).unwrap_or_default();
            self.file.write_all(read).map_err(|source| self.fault(&source))?;
        }
    }

    fn close(mut self) -> Result<(), Fault> {
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        flushed.map_err(|source| unwritable(&self.path, &source))
    }
}

/// The machines that the shards ran on, where they are not all alike.
pub(crate) fn hosts(parts: &[Part]) -> BTreeMap<String, Vec<u32>> {
    let mut hosts: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for part in parts {
        let words: Vec<&str> = part.host.values().map(String::as_str).collect();
        hosts.entry(words.join(" ")).or_default().push(part.index);
    }
    hosts
}
