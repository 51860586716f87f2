//! `history`: what many runs say over time. It decides nothing, and trusts no run for anything but a trend.

use crate::{
    args::History as Arguments,
    durations::{self, DURATIONS_FILE},
    exit::{Exit, Refused},
    locate,
    repository::Repository,
    transport::Transport,
    trend::Trend,
};
use anyhow::Context as _;
use portcullis::{
    Fault,
    evidence::store::{RunRecord, read_run},
    report::human::count,
    wire::{
        code::{BLESS_REFUSED, NOTHING_SELECTED, RUN_UNREADABLE},
        receipt::ErrorRecord,
    },
};
use serde_json::json;
use std::{fmt::Write as _, path::PathBuf};

const SCHEMA: &str = "portcullis.history.v1";
const SHOWN: usize = 20;

/// Runs `history`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    if arguments.bless_durations && repository.environment.is_ci() {
        let headline = "accepting durations is for people, and this is CI";
        let remedy = "write the file on a machine of your own, and commit it";
        return Err(Refused::new(Exit::Nothing, Fault::new(BLESS_REFUSED, headline, remedy)));
    }
    let mut faults = Vec::new();
    let mut runs = Vec::new();
    for dir in directories(arguments, &repository)? {
        match read_run(&dir) {
            Ok(run) => runs.push((run, dir)),
            Err(fault) => faults.push(fault),
        }
    }
    runs.sort_by_key(|(run, dir)| (run.envelope.generated_at, dir.clone()));
    let last = arguments.last.map_or(runs.len(), |n| usize::try_from(n).unwrap_or(usize::MAX));
    let skipped = runs.len().saturating_sub(last);
    let mut trend = Trend::default();
    for (run, dir) in runs.iter().skip(skipped) {
        if let Err(fault) = trend.add(dir, run) {
            faults.push(unreadable(run, &fault));
        }
    }
    if trend.runs.is_empty() && faults.is_empty() {
        let remedy = "run something first";
        let fault = Fault::new(NOTHING_SELECTED, "there is no run to look back on", remedy);
        return Err(Refused::new(Exit::NothingSelected, fault));
    }
    // A run that cannot be read is no gap in a trend: it is why the trend is not known.
    let exit = if faults.is_empty() { Exit::Pass } else { Exit::Invalid };
    let records: Vec<ErrorRecord> = faults.iter().map(ErrorRecord::from).collect();
    let mut document = serde_json::to_value(&trend).context("a trend")?;
    if let Some(fields) = document.as_object_mut() {
        fields.insert("schema".to_owned(), json!(SCHEMA));
        fields.insert("faults".to_owned(), json!(records));
        fields.insert("exit".to_owned(), json!(exit.code()));
    }
    out.document(&document);
    let mut text = table(&trend).context("a table cannot be written")?;
    for fault in &faults {
        let _ok = write!(text, "\n{fault}\n");
    }
    out.text(&text);
    if arguments.bless_durations && exit == Exit::Pass {
        bless(&repository, &trend, out)?;
    }
    Ok(exit)
}

fn directories(arguments: &Arguments, repository: &Repository) -> Result<Vec<PathBuf>, Refused> {
    if !arguments.runs.is_empty() {
        return arguments.runs.iter().map(|word| locate::run(word, Some(repository))).collect();
    }
    let folder = locate::target_dir(repository)?.join("portcullis/runs");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries =
        folder.read_dir().with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        found.push(entry.with_context(|| format!("{} cannot be read", folder.display()))?.path());
    }
    Ok(found)
}

fn unreadable(run: &RunRecord, fault: &Fault) -> Fault {
    let headline = format!("the run {} cannot be read", run.envelope.run_id);
    let remedy = "verify it, and delete its directory if it is broken";
    Fault::new(RUN_UNREADABLE, headline, remedy).because(fault)
}

fn bless(repository: &Repository, trend: &Trend, out: &mut Transport) -> Result<(), Refused> {
    if trend.suite_ms.is_empty() {
        let headline = "no run has a whole test binary to measure";
        let remedy = "run once without `-E` and without shards of single tests";
        let fault = Fault::new(NOTHING_SELECTED, headline, remedy);
        return Err(Refused::new(Exit::NothingSelected, fault));
    }
    let text = durations::render(&trend.suite_ms).context("durations")?;
    let path = repository.root().join(DURATIONS_FILE);
    let mut file = tempfile::NamedTempFile::new_in(repository.root())
        .with_context(|| format!("{} cannot be written", path.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes())
        .with_context(|| format!("{} cannot be written", path.display()))?;
    file.persist(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    let n = count(trend.suite_ms.len(), "test binary");
    out.text(&format!("wrote the durations of {n} to {DURATIONS_FILE}; commit it"));
    Ok(())
}

fn table(trend: &Trend) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for run in trend.runs.iter().rev().take(SHOWN) {
        let verdict = run.verdict.map_or_else(
            || format!("{:?}", run.state).to_lowercase(),
            |verdict| verdict.to_string(),
        );
        writeln!(
            text,
            "{} {:<11} {:<8} {} targets, {} failed, {} flaky  {}",
            run.ended_at,
            verdict,
            run.profile.as_deref().unwrap_or("-"),
            run.targets,
            run.failed,
            run.flaky,
            run.run_id
        )?;
    }
    if trend.runs.len() > SHOWN {
        writeln!(text, "and {} older ones", trend.runs.len() - SHOWN)?;
    }
    if !trend.gates.is_empty() {
        writeln!(text, "\ngates")?;
    }
    for (id, gate) in &trend.gates {
        let statuses: Vec<String> =
            gate.statuses.iter().map(|(word, n)| format!("{n} {word}")).collect();
        writeln!(
            text,
            "  {id}: {}; now {}, {} changes, blocked {}; at most {} ms",
            statuses.join(", "),
            gate.last,
            gate.changes,
            gate.blocked,
            gate.longest_ms
        )?;
    }
    if !trend.waivers.is_empty() {
        writeln!(text, "\nwaivers")?;
    }
    for (id, waiver) in &trend.waivers {
        writeln!(
            text,
            "  {id}: {} for {} days, in {} runs",
            waiver.last, waiver.days_remaining, waiver.runs
        )?;
    }
    let mut tests: Vec<_> = trend.tests.iter().collect();
    tests.sort_by_key(|(name, test)| {
        (std::cmp::Reverse(test.failed + test.flaky + test.not_run), *name)
    });
    if !tests.is_empty() {
        writeln!(text, "\ntests that did not always pass")?;
    }
    for (name, test) in tests.iter().take(SHOWN) {
        writeln!(
            text,
            "  {name}: failed {}, flaky {}, not run {}; last in {}",
            test.failed, test.flaky, test.not_run, test.last_seen
        )?;
    }
    if tests.len() > SHOWN {
        writeln!(text, "  and {} more", tests.len() - SHOWN)?;
    }
    write!(text, "\nhistory: {}", count(trend.runs.len(), "run"))?;
    Ok(text)
}
