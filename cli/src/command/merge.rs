//! `merge`: joins the shards of one run, decides over all of them, and seals the result as a run of its own.

use crate::{
    args::Merge as Arguments,
    command::run::{Failure, documents},
    exit::{Exit, OrExit, Refused},
    locate,
    merge::{self, Joined, Shards},
    plan::PLAN_SCHEMA,
    receipts::{self, SHARDS_FILE, SHARDS_SCHEMA},
    record::{Header, Record, asked_run_id},
    replays::Features,
    repository::Repository,
    scratch::scratch,
    summary::Account,
    transport::Transport,
    verdict,
};
use anyhow::Context as _;
use portcullis::{
    Digest, Fault, RunId,
    evidence::clock::Stopwatch,
    kernel::{
        decide::Decision,
        policy, promotion,
        recorded::{Facts, INPUTS_SCHEMA, Material, Recorded},
    },
    report::views::{self, DECISION_SCHEMA},
    runner::session::view_text,
    wire::{
        artifact,
        code::{CENSUS_DIFFERS, SHARD_MISSING, USAGE},
        receipt::ErrorRecord,
    },
};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Runs `merge`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let stopwatch = Stopwatch::start();
    let repository = Repository::discover()?;
    if let Some(dir) = arguments.out.as_ref().filter(|dir| dir.exists()) {
        let headline = format!("`{}` exists already", dir.display());
        let remedy = "name a folder that does not exist; a run directory is never overwritten";
        return Err(Refused::new(Exit::Usage, Fault::new(USAGE, headline, remedy)));
    }
    let mut dirs = Vec::new();
    for word in &arguments.runs {
        dirs.extend(directories(word, &repository)?);
    }
    let shards = Shards::read(&dirs).or_exit(Exit::Invalid)?;
    let header = header(&repository, &shards, stopwatch)?;
    let target_dir = locate::target_dir(&repository)?;
    let lane = shards.common.recorded.lane;
    let record = Record::begin(&target_dir, &header, lane, &repository.environment)?;
    out.progress(&format!(
        "portcullis: merging {} into the run {}",
        portcullis::report::human::count(shards.parts.len(), "shard"),
        header.run_id
    ));
    match whole(&repository, &header, &record, &shards, &target_dir, out) {
        Ok(exit) => {
            if let Some(dir) = &arguments.out {
                crate::command::copy(record.path(), dir)
                    .with_context(|| format!("the run cannot be copied to {}", dir.display()))?;
            }
            Ok(exit)
        }
        Err(refused) => record.refused().and(Err(refused)),
    }
}

/// The run directories that a word means: one, or those in a folder that a download left.
fn directories(word: &str, repository: &Repository) -> Result<Vec<PathBuf>, Refused> {
    let path = Path::new(word);
    let missing = |found: &str| {
        let headline = format!("`{word}` holds no run directory");
        let remedy = "see whether the shards ran, and whether the step that brings their run directories found any";
        let fault = Fault::new(SHARD_MISSING, headline, remedy).found(found);
        Refused::new(Exit::Invalid, fault)
    };
    if path.join("run.json").exists() || RunId::parse(word).is_ok() && !path.exists() {
        return match locate::run(word, Some(repository)) {
            Ok(dir) if dir.join("run.json").exists() => Ok(vec![dir]),
            Ok(_) | Err(_) => Err(missing("no such run")),
        };
    }
    if !path.is_dir() {
        return Err(missing("no such folder"));
    }
    let mut found = Vec::new();
    let entries = path.read_dir().with_context(|| format!("{word} cannot be read"))?;
    for entry in entries {
        let folder = entry.with_context(|| format!("{word} cannot be read"))?.path();
        if folder.join("run.json").exists() {
            found.push(folder);
        }
    }
    found.sort();
    if found.is_empty() {
        Err(missing("a folder without any `run.json` one level down"))
    } else {
        Ok(found)
    }
}

fn header(
    repository: &Repository,
    shards: &Shards,
    stopwatch: Stopwatch,
) -> Result<Header, Refused> {
    let mut clock = repository.clock()?;
    for part in &shards.parts {
        // A merge is never earlier than what it merges, and what may have been set back stays so.
        clock.now = clock.now.max(part.clock.now);
        clock.past_allowed |= part.clock.past_allowed;
    }
    let recorded = &shards.common.recorded;
    let policy = policy::parse(&recorded.policy_path, &recorded.policy).or_exit(Exit::Usage)?;
    let (mode, _faults) =
        promotion::resolve(&policy.promotion, recorded.requested_mode.as_deref(), clock.now);
    let run_id = asked_run_id(&repository.environment, clock.now)?;
    Ok(Header { run_id, source: shards.common.source.clone(), mode, clock, stopwatch })
}

fn whole(
    repository: &Repository,
    header: &Header,
    record: &Record<'_>,
    shards: &Shards,
    target_dir: &Path,
    out: &mut Transport,
) -> Result<Exit, Refused> {
    let scratch = scratch(target_dir)?;
    let quarantine = shards.quarantine();
    let today = header.clock.now.day();
    let joined = merge::join(shards, &quarantine, today, scratch.path()).or_exit(Exit::Invalid)?;
    let head = views::with_envelope(&header.envelope(PLAN_SCHEMA), &joined.plan)
        .or_exit(Exit::Internal)?;
    let head = artifact::document(&head).context("a plan cannot be rendered")?;
    let text = repository.environment.redact(&head);
    joined.write_plan(&text, &record.path().join("plan.json")).or_exit(Exit::Invalid)?;
    std::fs::rename(&joined.outcomes, record.path().join("outcomes.jsonl"))
        .context("the outcomes cannot be put in their place")?;
    record.write_text("expected.json", &shards.common.census)?;
    let recorded =
        Recorded { planned: joined.plan.gates.clone(), ..shards.common.recorded.clone() };
    record.write("inputs.json", INPUTS_SCHEMA, &recorded)?;
    let origins = merge::copy_receipts(shards, &joined.gates, record.path())?;
    merge::copy_logs(shards, record.path())?;
    let rows: Vec<_> = shards
        .parts
        .iter()
        .map(|part| {
            json!({
                "index": part.index,
                "run_id": part.run_id,
                "manifest_sha256": part.seal,
                "host": part.host,
            })
        })
        .collect();
    record.write(
        SHARDS_FILE,
        SHARDS_SCHEMA,
        &json!({ "shards": rows, "repeats": shards.repeats, "receipts": origins }),
    )?;
    let (facts, decision) = decide(repository, header, record, shards, &joined, &recorded)?;
    close(repository, header, record, shards, (&joined, &facts, &decision), out)
}

/// The same decision as of a run that was never split, over the receipts of all shards.
fn decide(
    repository: &Repository,
    header: &Header,
    record: &Record<'_>,
    shards: &Shards,
    joined: &Joined,
    recorded: &Recorded,
) -> Result<(Facts, Decision), Refused> {
    let plan = &joined.plan;
    let selected = plan.gates.clone();
    let mut faults = joined.rest.clone();
    faults.extend(joined.judged.faults.iter().map(ErrorRecord::from));
    let unfiltered = plan.filters.is_empty() && plan.rerun_of.is_none();
    if unfiltered && selected.as_ref().is_some_and(|gates| !gates.is_empty()) {
        faults.extend(recorded.census_faults.iter().cloned());
    }
    faults.extend(foreign_census(repository, header, shards)?.iter().map(ErrorRecord::from));
    let facts = Facts {
        selected,
        touched_waivers: shards.common.touched_waivers,
        base: shards.common.base.clone(),
        run_faults: faults,
        source_dirty: shards.parts.iter().any(|part| part.facts.source_dirty),
        tests: joined.tally.planned as u64,
        reserved: plan.reserved(),
    };
    let census = serde_json::from_str(&shards.common.census).context("a census")?;
    let material = Material::read(recorded, census).or_exit(Exit::Usage)?;
    let receipts = receipts::read(record.path(), &header.run_id).or_exit(Exit::Invalid)?;
    let decision = material.decide(&header.clock, &facts, &receipts).or_exit(Exit::Invalid)?;
    Ok((facts, decision))
}

/// Where the commit of the shards is checked out, its census is the one that counts.
fn foreign_census(
    repository: &Repository,
    header: &Header,
    shards: &Shards,
) -> Result<Option<Fault>, Refused> {
    let head = portcullis::evidence::git::Git::new(repository.root(), None).head();
    let here = head.or_exit(Exit::Invalid)?.map(|head| head.commit);
    if here.is_none() || here != header.source.commit {
        return Ok(None);
    }
    let census = match repository.census()? {
        Ok(census) => census,
        Err(fault) => return Ok(Some(fault)),
    };
    let (ours, theirs) = (census.document(), &shards.common.census);
    if ours == *theirs {
        return Ok(None);
    }
    let headline = "the shards were held to another census than the one of this commit";
    let remedy = "run the shards again from a clean checkout";
    let fault = Fault::new(CENSUS_DIFFERS, headline, remedy)
        .expected(Digest::of(ours.as_bytes()).to_string())
        .found(Digest::of(theirs.as_bytes()).to_string());
    Ok(Some(fault))
}

/// Words the decision, and seals the run.
fn close(
    repository: &Repository,
    header: &Header,
    record: &Record<'_>,
    shards: &Shards,
    (joined, facts, decision): (&Joined, &Facts, &Decision),
    out: &mut Transport,
) -> Result<Exit, Refused> {
    let recorded = &shards.common.recorded;
    let policy = policy::parse(&recorded.policy_path, &recorded.policy).or_exit(Exit::Usage)?;
    let failures: Vec<Failure> =
        merge::failures(shards, &joined.gates, &policy, decision).or_exit(Exit::Invalid)?;
    let exit = verdict::exit(decision);
    let first = shards.parts.first();
    let account = Account {
        header,
        environment: &repository.environment,
        root: repository.root(),
        lane: recorded.lane,
        policy: &policy,
        features: &Features::new(),
        nextest_version: first.map_or("", |part| part.nextest.as_str()),
        plan: &joined.plan,
        merged: Some(shards.common.split.1),
        tally: &joined.tally,
        judged: &joined.judged,
        decision,
        failures: &failures,
        triage: None,
        correlation_id: shards.common.correlation_id.as_deref(),
        exit,
        dir: record.path(),
    };
    let gates: Vec<_> = joined.gates.iter().map(|(target, _)| target.clone()).collect();
    documents(record, &account, &gates)?;
    let envelope = header.envelope(DECISION_SCHEMA);
    let document = views::decision(&envelope, decision, facts).or_exit(Exit::Internal)?;
    record.write_text("decision.json", &view_text(&document).or_exit(Exit::Internal)?)?;
    record.seal()?;
    out.document(&account.summary().or_exit(Exit::Internal)?);
    let mut text = account.text();
    for (host, indices) in merge::hosts(&shards.parts).iter().filter(|_| shards.parts.len() > 1) {
        let n = portcullis::report::human::count(indices.len(), "shard");
        text.push_str(&format!("\n  {n} ran on {host}"));
    }
    for repeat in &shards.repeats {
        text.push_str(&format!("\n  left out {repeat}: another run of that shard says the same"));
    }
    out.text(&text);
    Ok(exit)
}
