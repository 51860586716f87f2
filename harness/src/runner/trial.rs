//! Trials for libtest-mimic: one per gate and one per aggregate, and what it needs to run them.

use super::{
    aggregate,
    argv::{Color, Format, Invocation},
    collect,
    roster::AGGREGATES,
    session::Session,
};
use crate::wire::ordered::VecMap;
use crate::{kernel::waiver::WaiverScope, report::human};
use libtest_mimic::{Arguments, ColorSetting, Failed, FormatSetting, Trial};
use std::sync::Arc;

/// What a trial stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A gate, by its position in the roster.
    Gate(usize),
    /// An aggregate, by its name.
    Aggregate(&'static str),
}

/// What the trial of this name, one of [`super::roster::names`], stands for.
#[must_use]
pub fn subject(session: &Session, name: &str) -> Option<Subject> {
    let aggregate = AGGREGATES.iter().find(|aggregate| **aggregate == name);
    match aggregate {
        Some(name) => Some(Subject::Aggregate(name)),
        None => session.roster.position(name).map(Subject::Gate),
    }
}

/// The trials of these subjects.
pub fn trials(
    session: &Arc<Session>,
    subjects: &VecMap<String, Subject>,
    threads: Option<usize>,
) -> Vec<Trial> {
    subjects
        .iter()
        .map(|(name, subject)| {
            let (session, subject) = (Arc::clone(session), *subject);
            Trial::test(name.clone(), move || run(&session, subject, threads).map_err(Failed::from))
        })
        .collect()
}

fn run(session: &Arc<Session>, subject: Subject, threads: Option<usize>) -> Result<(), String> {
    match subject {
        Subject::Aggregate(name) => aggregate::run(session, name, threads)
            .unwrap_or_else(|| Err(format!("`{name}` is not an aggregate; report this as a bug"))),
        Subject::Gate(n) => gate(session, n),
    }
}

fn gate(session: &Session, n: usize) -> Result<(), String> {
    session.receipt(n);
    let positions = session.roster.with_needs([n]);
    let selection = aggregate::only(session, &positions);
    let decision = collect::decision(session, &positions, &selection, WaiverScope::Full)
        .map_err(|fault| fault.to_string())?;
    if !decision.refuses(session.roster.gates[n].id()) {
        return Ok(());
    }
    Err(human::blockers(&decision, &session.roster) + &human::outputs(session, &decision))
}

/// The arguments that libtest-mimic gets for so many trials: filtering and listing were done before.
pub fn arguments(invocation: &Invocation, trials: usize) -> Arguments {
    Arguments {
        // One trial needs no pool: libtest-mimic runs it on the thread that is there.
        test_threads: invocation.test_threads.or((trials == 1).then_some(1)),
        quiet: invocation.quiet && invocation.format == Format::Pretty,
        color: invocation.color.map(|color| match color {
            Color::Auto => ColorSetting::Auto,
            Color::Always => ColorSetting::Always,
            Color::Never => ColorSetting::Never,
        }),
        format: Some(match invocation.format {
            Format::Pretty => FormatSetting::Pretty,
            Format::Terse => FormatSetting::Terse,
            Format::Json => FormatSetting::Json,
        }),
        ..Arguments::default()
    }
}
