//! `diff`: what changed between two sealed runs. It runs nothing and decides nothing about either.

use crate::{
    args::Diff as Arguments,
    exit::{Exit, OrExit, Refused},
    history::Earlier,
    locate,
    repository::Repository,
    transport::Transport,
    triage::{self, Standing, TRIAGE_SCHEMA},
};
use portcullis::{Fault, report::human::count, wire::code::BASELINE_UNUSABLE};
use serde_json::json;
use std::fmt::Write as _;

/// Runs `diff`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover().ok();
    let read = |word: &str| -> Result<Earlier, Refused> {
        let dir = locate::run(word, repository.as_ref())?;
        Earlier::read(&dir).or_exit(Exit::Nothing)
    };
    let (base, current) = (read(&arguments.base)?, read(&arguments.current)?);
    if let Some(why) = triage::incomparable(&base.plan, &current.plan) {
        let headline = "these two runs cannot be compared";
        let remedy = "name two runs of one profile and shard, neither of them a rerun";
        let fault = Fault::new(BASELINE_UNUSABLE, headline, remedy).found(why);
        return Err(Refused::new(Exit::Nothing, fault));
    }
    let triage = triage::compare(&base.states(), &current.states());
    let exit = if triage.status == Standing::Regression { Exit::Regression } else { Exit::Pass };
    out.document(&json!({
        "schema": TRIAGE_SCHEMA,
        "base": base.run_id,
        "run_id": current.run_id,
        "status": triage.status,
        "summary": triage.summary,
        "ranked_diagnostics": triage.ranked_diagnostics,
        "exit": exit.code(),
    }));
    let mut text = String::new();
    for row in &triage.ranked_diagnostics {
        let changed = if row.changed { ", with another fingerprint" } else { "" };
        let _ok = writeln!(
            text,
            "{:>4} {:?} {} [{}]{changed}",
            row.rank, row.change, row.target, row.root_cause_class
        );
    }
    let summary = &triage.summary;
    let _ok = write!(
        text,
        "diff: {} ({} new), {} known, {} fixed, {} lost",
        count(summary.regression_count, "regression"),
        summary.new_failure_count,
        summary.known_failure_count,
        summary.fixed_count,
        summary.lost_coverage_count,
    );
    out.text(&text);
    Ok(exit)
}
