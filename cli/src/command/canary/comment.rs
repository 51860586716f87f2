//! `canary comment`: posts the report of a measurement to its pull request, and adds it to the summary of the step. What
//! keeps it from posting is a warning; it changes neither an outcome nor an exit code.

use super::{
    Known,
    compare::{context, judge},
};
use crate::{
    annotation,
    args::Comment as Arguments,
    canary::{folder::create, post},
    command::scratch,
    exit::{Exit, Refused},
    export::summary::LIMIT,
    locate,
    repository::Repository,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis_canary::{Outcome, render};
use serde_json::json;
use std::{io::Write as _, path::Path};

/// Runs `canary comment`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let known = Known::read(&arguments.id)?;
    let repository = &known.repository;
    let (measurement, decision) = judge(&known, arguments.measurement.clone())?;
    let report = render(&decision, &context(&known, &measurement));
    let scratch = scratch(&locate::target_dir(repository)?)?;
    let mut warnings = Vec::new();
    if let Err(why) = summarise(repository, &report) {
        warnings.push(format!("no step summary: {why}"));
    }
    // What is artifact and log already cannot be lost by a forge that does not answer.
    let artifact = locate::target_dir(repository)?
        .join("portcullis/canary")
        .join(format!("{}-{}.md", known.canary.id, measurement.run_id));
    if let Err(why) = keep(&artifact, &report) {
        warnings.push(format!("no artifact: {why:#}"));
    }
    let is_ok = decision.outcome == Outcome::Ok;
    // A report begins with the marker by which its comment is found again.
    let marker = report.lines().next().unwrap_or_default();
    let posted = post::post(repository, scratch.path(), marker, &report, is_ok);
    let name = match &posted {
        Ok(posted) => posted.name(),
        Err(why) => {
            warnings.push(format!("no comment on the pull request: {why}"));
            "not_posted"
        }
    };
    let title = format!("canary {}", known.canary.id);
    let lines: Vec<String> =
        warnings.iter().map(|warning| annotation::warning(&title, warning)).collect();
    out.commands(&lines);
    out.document(&json!({
        "schema": "portcullis.canary_comment.v1",
        "exit": Exit::Pass.code(),
        "canary": known.canary.id,
        "outcome": decision.outcome,
        "posted": name,
        "warnings": warnings,
        "report": artifact.display().to_string(),
    }));
    for warning in &warnings {
        out.progress(&format!("canary {}: {warning}", known.canary.id));
    }
    out.text(&format!("canary {}: {name}; the report is {}", known.canary.id, artifact.display()));
    Ok(Exit::Pass)
}

/// Keeps the report. One that said something else of the same run, before a second measurement, is over.
fn keep(artifact: &Path, report: &str) -> anyhow::Result<()> {
    if std::fs::read(artifact).is_ok_and(|bytes| bytes == report.as_bytes()) {
        return Ok(());
    }
    std::fs::create_dir_all(artifact.parent().context("a report has no folder")?)?;
    match std::fs::remove_file(artifact) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(source.into()),
        Ok(()) | Err(_) => {}
    }
    create(artifact, report)
}

/// Adds the report to the summary of the step, where there is one.
fn summarise(repository: &Repository, report: &str) -> Result<(), String> {
    let Some(path) = repository.environment.non_empty("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    // Beyond the limit of the forge everything that the step wrote is lost.
    let before = std::fs::metadata(path).map_or(0, |about| about.len());
    let before = usize::try_from(before).unwrap_or(usize::MAX);
    if before.saturating_add(report.len() + 1) > LIMIT {
        return Err("the file is full".to_owned());
    }
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(format!("{report}\n").as_bytes()))
        .map_err(|source| source.to_string())
}
