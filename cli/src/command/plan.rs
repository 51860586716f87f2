//! `plan`: what a run would run, and what it would leave out and why. It builds and lists, and runs no test.

use crate::{
    args::Plan as Arguments,
    command::run::take_failures,
    exit::{Exit, Refused},
    ground::Ground,
    interrupt,
    plan::{PLAN_SCHEMA, Plan},
    scratch::scratch,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::report::{human::count, views};
use std::{collections::BTreeMap, fmt::Write as _};

/// Runs `plan`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    interrupt::listen();
    let mut ground = Ground::open(&arguments.choice)?;
    take_failures(&mut ground, &arguments.choice)?;
    if let Some(note) = ground.engine_note() {
        out.progress(&note);
    }
    let scratch = scratch(&ground.target_dir)?;
    let plan = ground.plan(&arguments.choice, scratch.path(), &mut |_line| {})?;
    let document = views::with_envelope(&ground.header.envelope(PLAN_SCHEMA), &plan);
    out.document(&document.map_err(|fault| Refused::new(Exit::Internal, fault))?);
    out.text(&table(&plan).context("a table cannot be written")?);
    Ok(if plan.assigned().is_empty() { Exit::NothingSelected } else { Exit::Pass })
}

fn table(plan: &Plan) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let own = plan.assigned();
    writeln!(text, "plan of profile `{}`: {}", plan.profile, count(own.len(), "target"))?;
    if let Some(shard) = &plan.shard {
        let (index, total) = (shard.index + 1, shard.total);
        writeln!(text, "  shard {index} of {total}; all shards: {}", plan.targets.len())?;
    }
    let mut suites: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for target in own {
        suites.entry(&target.suite).or_default().push(&target.test);
    }
    for (suite, tests) in suites {
        writeln!(text, "\n{suite} ({})", tests.len())?;
        for test in tests {
            writeln!(text, "  {test}")?;
        }
    }
    let excluded = plan.left_out();
    if !excluded.is_empty() {
        writeln!(text, "\nleft out")?;
    }
    for (reason, n) in excluded {
        writeln!(text, "  {n:>5}  {reason}")?;
    }
    if let Some(gates) = &plan.gates {
        writeln!(text, "\ngates that must answer: {}", gates.len())?;
    } else {
        writeln!(text, "\ngates that must answer: all")?;
    }
    write!(text, "plan hash {}", plan.hash)?;
    Ok(text)
}
