//! `canary history`: appends what a measurement says, prints it, and finds the steps. Nothing in it blocks.

use super::{Known, compare::judge};
use crate::{
    args::{CanaryHistoryFile as Arguments, CanaryHistoryVerb},
    exit::{Exit, OrExit, Refused},
    locate,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{Fault, evidence::git::Git, wire::code::RUN_UNREADABLE};
use portcullis_canary::{
    Arm, Body, FaultCode, MetricId, MilliPct, Outcome, Point, Reason, WorkDigest,
    baseline::host_class,
    changes,
    history::{self, Entry},
    median::median,
    stats::{elementary::ln, spread},
};
use serde_json::json;
use std::{collections::BTreeMap, fs, io, io::Write as _, path::PathBuf};

/// Runs `canary history`.
pub(crate) fn run(verb: &CanaryHistoryVerb, out: &mut Transport) -> Result<Exit, Refused> {
    match verb {
        CanaryHistoryVerb::Append(arguments) => append(arguments, out),
        CanaryHistoryVerb::Show(arguments) => show(arguments, out),
        CanaryHistoryVerb::Changes(arguments) => steps(arguments, out),
    }
}

fn file(known: &Known, arguments: &Arguments) -> Result<PathBuf, Refused> {
    if let Some(file) = &arguments.file {
        return Ok(file.clone());
    }
    let target_dir = locate::target_dir(&known.repository)?;
    Ok(target_dir.join("portcullis/canary").join(format!("{}.jsonl", known.canary.id)))
}

/// The lines of the canary; a line that cannot be read, or stands twice, makes the whole history invalid.
fn read(known: &Known, path: &std::path::Path) -> Result<(String, Vec<Entry>), Refused> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(source) if source.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(invalid(&source.to_string(), path)),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut entries =
        history::read(&name, &text).map_err(|problem| invalid(&problem.to_string(), path))?;
    entries.retain(|entry| entry.canary == known.canary.id);
    Ok((text, entries))
}

fn invalid(why: &str, path: &std::path::Path) -> Refused {
    let headline = format!("the history cannot be read: {why}");
    let remedy = "restore the file: it is only ever appended to";
    let fault = Fault::new(RUN_UNREADABLE, headline, remedy);
    Refused::new(Exit::Invalid, fault.found(path.display().to_string()))
}

fn unfit(why: &str) -> Refused {
    let headline = format!("nothing is appended: {why}");
    let fault = Fault::new(RUN_UNREADABLE, headline, "mend what is measured, and measure again");
    Refused::new(Exit::Invalid, fault)
}

fn append(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let known = Known::read(&arguments.id)?;
    let path = file(&known, arguments)?;
    let (measurement, decision) = judge(&known, None)?;
    let head = Git::new(known.repository.root(), None).head().or_exit(Exit::Usage)?;
    let head = head
        .filter(|head| head.commit == measurement.commit)
        .ok_or_else(|| invalid("the measurement is of another commit than `HEAD`", &path))?;
    // What `measure` itself calls unfit is no duration, so it is no point of a series either.
    let is_unfit = |reason: &&Reason| {
        FaultCode::ALL
            .iter()
            .any(|code| code.is_invalid_everywhere() && code.as_str() == reason.code)
    };
    if let Some(reason) = decision.reasons.iter().find(is_unfit) {
        return Err(unfit(&format!("{}: {}", reason.code, reason.detail)));
    }
    let of_run = decision.reasons.iter().filter(|reason| reason.metric.is_none());
    let of_run = of_run.map(|reason| reason.severity).max().unwrap_or(Outcome::Ok);
    let mut entries = Vec::new();
    for series in measurement.series.iter().filter(|series| series.arm == Arm::Candidate) {
        let Body::Samples(samples) = &series.body else { continue };
        let values: Vec<u64> = samples.iter().map(|sample| sample.value).collect();
        let Some(value) = median(&values) else { continue };
        #[expect(
            clippy::cast_precision_loss,
            reason = "the logarithm of a duration is an estimate"
        )]
        let mut logs: Vec<f64> = values.iter().map(|value| ln((*value).max(1) as f64)).collect();
        let line = decision.metrics.iter().find(|line| line.metric == series.metric);
        entries.push(Entry {
            run_id: measurement.run_id.clone(),
            commit: measurement.commit.clone(),
            commit_time: head.committed_at.to_string(),
            canary: known.canary.id.clone(),
            metric: series.metric.clone(),
            host_class: host_class(&measurement.host),
            work: samples.first().map_or(WorkDigest::new([0; 32]), |sample| sample.work.digest),
            value,
            n: u32::try_from(samples.len()).unwrap_or(u32::MAX),
            s_d: spread::robust_sd(&mut logs),
            outcome: line.map_or(decision.outcome, |line| line.verdict.max(of_run)),
            aa: measurement
                .series
                .iter()
                .any(|one| one.arm == Arm::BaseAgain && one.metric == series.metric),
        });
    }
    if entries.is_empty() {
        return Err(invalid("the measurement holds no sample of a candidate", &path));
    }
    let lines: String = entries.iter().map(Entry::line).collect();
    let (text, _) = read(&known, &path)?;
    // What would make the history unreadable is not appended to it.
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    history::read(&name, &(text + &lines))
        .map_err(|problem| invalid(&problem.to_string(), &path))?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    // One write, so that two that append do not mix within a line.
    file.write_all(lines.as_bytes())
        .and_then(|()| file.sync_all())
        .context("the history cannot be written")?;
    let appended = entries.len();
    out.document(
        &json!({ "schema": "portcullis.canary_appended.v1", "exit": 0, "appended": appended }),
    );
    out.text(&format!(
        "canary {}: {appended} lines appended to {}",
        known.canary.id,
        path.display()
    ));
    Ok(Exit::Pass)
}

fn show(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let known = Known::read(&arguments.id)?;
    let path = file(&known, arguments)?;
    let (_, entries) = read(&known, &path)?;
    if entries.is_empty() {
        return Err(empty(&known));
    }
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            json!({
                "run_id": entry.run_id, "commit": entry.commit, "commit_time": entry.commit_time,
                "metric": entry.metric, "host_class": entry.host_class, "value": entry.value,
                "n": entry.n, "s_d": entry.s_d, "outcome": entry.outcome,
            })
        })
        .collect();
    out.document(
        &json!({ "schema": "portcullis.canary_history_shown.v1", "exit": 0, "entries": rows }),
    );
    for entry in &entries {
        let commit: String = entry.commit.chars().take(12).collect();
        out.text(&format!(
            "{} {commit} {} {} n={} {} {}",
            entry.commit_time,
            entry.host_class,
            entry.metric,
            entry.n,
            entry.value,
            entry.outcome.as_str()
        ));
    }
    Ok(Exit::Pass)
}

fn empty(known: &Known) -> Refused {
    let headline = format!("the history of `{}` is empty", known.canary.id);
    let remedy = "append a measurement: `cargo portcullis canary history append`";
    Refused::new(Exit::Nothing, Fault::new(RUN_UNREADABLE, headline, remedy))
}

fn steps(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let known = Known::read(&arguments.id)?;
    let path = file(&known, arguments)?;
    let (_, entries) = read(&known, &path)?;
    if entries.is_empty() {
        return Err(empty(&known));
    }
    type Key<'a> = (&'a MetricId, &'a str, WorkDigest);
    let mut series: BTreeMap<Key<'_>, Vec<&Entry>> = BTreeMap::new();
    for entry in &entries {
        series.entry((&entry.metric, &entry.host_class, entry.work)).or_default().push(entry);
    }
    let mut rows = Vec::new();
    for ((metric, class, _), points) in series {
        let values: Vec<Point> = points
            .iter()
            .map(|entry| Point { value: entry.value, mde: MilliPct::default() })
            .collect();
        let found = changes(&values);
        let at = |step: &portcullis_canary::Step| {
            let entry = points.get(step.at);
            let percent = (step.ln_step.exp() - 1.0) * 100.0;
            json!({ "commit": entry.map(|entry| &entry.commit), "at": step.at, "change_pct": percent })
        };
        out.text(&format!(
            "{metric} ({class}): {} points, {} steps confirmed, {} doubtful{}",
            found.examined,
            found.confirmed.len(),
            found.doubtful.len(),
            if found.suspected.is_some() { ", one suspected at its end" } else { "" }
        ));
        for step in &found.confirmed {
            let commit = points.get(step.at).map_or("", |entry| entry.commit.as_str());
            out.text(&format!("  {:+.1} % from {commit} on", (step.ln_step.exp() - 1.0) * 100.0));
        }
        rows.push(json!({
            "metric": metric, "host_class": class, "points": found.examined,
            "confirmed": found.confirmed.iter().map(at).collect::<Vec<_>>(),
            "doubtful": found.doubtful.iter().map(at).collect::<Vec<_>>(),
            "suspected": found.suspected, "autocorrelated": found.is_autocorrelated,
        }));
    }
    out.document(&json!({ "schema": "portcullis.canary_changes.v1", "exit": 0, "series": rows }));
    Ok(Exit::Pass)
}
