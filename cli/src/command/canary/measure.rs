//! `canary measure`: builds the arms, takes the samples, and writes the record. It judges nothing but whether there is one.

use super::{Known, read_measurement};
use crate::{
    args::Measure as Arguments,
    canary::{
        arm::{Arm, checkout, said},
        folder::{CONFIRMATION, Folder, MEASUREMENT, create, newest},
        runner::{self, Plan},
    },
    command::scratch,
    exit::{Exit, OrExit, Refused},
    interrupt, locate,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{
    Fault, effective_cpu_count,
    evidence::{clock::Stopwatch, git::Git, target_dir},
    wire::code::{GIT_FAILED, USAGE},
};
use portcullis_canary::{Adapter, Measurement, Outcome, admit, decide, record};
use portcullis_gates::canary::{Confirm, MethodName};
use serde_json::json;
use std::path::Path;

const FORCE_CPU_COUNT: &str = "PORTCULLIS_FORCE_CPU_COUNT";

/// Runs `canary measure`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    interrupt::listen();
    let watch = Stopwatch::start();
    let known = Known::read(&arguments.id)?;
    let (repository, canary) = (&known.repository, &known.canary);
    let repeats = repeats(arguments, &known)?;
    // Whatever the forced count is, a wrong one is refused before anything runs.
    let believed = effective_cpu_count().map_err(Fault::from).or_exit(Exit::Usage)?;
    let inherited = repository.environment.non_empty(FORCE_CPU_COUNT);
    let inherited = inherited.and_then(|_| u16::try_from(believed.get()).ok());
    let git = Git::new(repository.root(), None);
    let head = git.head().or_exit(Exit::Usage)?.ok_or_else(|| {
        let headline = "a measurement is of a commit, and there is none";
        Refused::new(Exit::Usage, Fault::new(GIT_FAILED, headline, "commit first"))
    })?;
    let own = target_dir::current_exe().context("this program does not know where it is")?;
    let scratch = scratch(&locate::target_dir(repository)?)?;
    let base_commit = base_commit(arguments, &known, &git, out)?;
    let judged = |measurement: &Measurement| {
        let config = canary.config(known.baseline.as_ref());
        decide(&admit(measurement, &known.base, &config), &config.threshold, canary.lane())
    };
    // In a fresh job the failure of the first one is there already, and this measurement is held beside it.
    let is_second = canary.confirm() == Confirm::FreshJob
        && failed_before(&known, &head.commit)?
            .is_some_and(|first| judged(&first).outcome == Outcome::Fail);
    let (name, file) =
        if is_second { ("confirmation", CONFIRMATION) } else { ("measurement", MEASUREMENT) };
    let folder = Folder::make(repository, &canary.id, file)?;
    let (base, layout) = match &base_commit {
        Some(commit) => bases(&known, commit, scratch.path(), out)?,
        None => (None, None),
    };
    let candidate = Arm::ready(canary, repository.root(), scratch.path(), repository)?;
    let rustc = said("rustc", &["--version"], scratch.path(), repository).unwrap_or_default();
    let mut plan = Plan {
        canary,
        repeats,
        folder: &folder,
        name,
        commit: head.commit.clone(),
        is_dirty: git.is_dirty().or_exit(Exit::Usage)?,
        base,
        layout,
        candidate,
        own,
        rustc,
        root: repository.root().to_owned(),
        forced: canary.force_cpus().or(inherited),
        watch,
    };
    let measurement = runner::measure(&plan)?;
    write(&folder, file, &measurement)?;
    if canary.confirm() == Confirm::SameJob && judged(&measurement).outcome == Outcome::Fail {
        out.progress("canary: it failed, so it is measured once more");
        plan.name = "confirmation";
        write(&folder, CONFIRMATION, &runner::measure(&plan)?)?;
    }
    let config = canary.config(known.baseline.as_ref());
    let unfit: Vec<String> = admit(&measurement, &known.base, &config)
        .faults
        .iter()
        .filter(|fault| fault.code.is_invalid_everywhere())
        .map(|fault| format!("{}: {}", fault.code.as_str(), fault.detail))
        .collect();
    let exit = if unfit.is_empty() { Exit::Pass } else { Exit::Invalid };
    let path = folder.path.join(file);
    out.document(&json!({
        "schema": "portcullis.canary_measured.v1",
        "exit": exit.code(),
        "run_id": folder.run_id.to_string(),
        "measurement": path.display().to_string(),
        "faults": unfit,
    }));
    let series = measurement.series.len();
    out.text(&format!("canary {}: {series} series in {}", canary.id, path.display()));
    for line in &unfit {
        out.text(&format!("  {line}"));
    }
    Ok(exit)
}

/// The commit that pairs are measured against: the merge base with `HEAD`. What is not paired has none.
fn base_commit(
    arguments: &Arguments,
    known: &Known,
    git: &Git,
    out: &mut Transport,
) -> Result<Option<String>, Refused> {
    let canary = &known.canary;
    if canary.method() != MethodName::Paired || canary.adapter().name != Adapter::Process {
        return Ok(None);
    }
    let base = arguments.base_ref.clone().or_else(|| known.repository.environment.base());
    let base = base.ok_or_else(|| usage("pairs need a base", "name it: `--base-ref main`"))?;
    let commit = git.merge_base(&base).or_exit(Exit::Usage)?;
    out.progress(&format!("canary: base {commit}"));
    Ok(Some(commit))
}

/// The measurement of this commit that another job left in the run that is named; nothing where there is none, or where it
/// was held beside a second one already.
fn failed_before(known: &Known, commit: &str) -> Result<Option<Measurement>, Refused> {
    if known.repository.environment.non_empty("PORTCULLIS_RUN_ID").is_none() {
        return Ok(None);
    }
    let id = &known.canary.id;
    let Some(path) = newest(&known.repository, id, MEASUREMENT)? else { return Ok(None) };
    if path.with_file_name(CONFIRMATION).exists() {
        return Ok(None);
    }
    let first = read_measurement(&path, id)?;
    Ok((first.commit == commit).then_some(first))
}

/// The base, and the base with its code elsewhere, each in a checkout of its own.
fn bases<'a>(
    known: &'a Known,
    commit: &str,
    scratch: &Path,
    out: &mut Transport,
) -> Result<(Option<Arm<'a>>, Option<Arm<'a>>), Refused> {
    let (repository, canary) = (&known.repository, &known.canary);
    let at = checkout(repository, commit, scratch, "checkout")?;
    let base = Arm::ready(canary, &at, scratch, repository)?;
    if !Arm::is_built(canary) {
        return Ok((Some(base), None));
    }
    let at = checkout(repository, commit, scratch, "layout")?;
    let layout = Arm::padded(canary, &base, &at, scratch, repository)?;
    if layout.is_none() {
        out.progress("canary: the build took no notice of its padding, so there is no layout arm");
    }
    Ok((Some(base), layout))
}

fn write(folder: &Folder, name: &str, measurement: &Measurement) -> Result<(), Refused> {
    let text = record::write(measurement).context("a measurement cannot be written")?;
    Ok(create(&folder.path.join(name), &text)?)
}

/// As many as the table says, or as were asked for by the name that the method has for them.
fn repeats(arguments: &Arguments, known: &Known) -> Result<usize, Refused> {
    let (asked, other, name) = if known.canary.method() == MethodName::Paired {
        (arguments.pairs, arguments.runs, "--pairs")
    } else {
        (arguments.runs, arguments.pairs, "--runs")
    };
    if other.is_some() {
        return Err(usage("this canary counts otherwise", &format!("write `{name}`")));
    }
    let repeats = asked.unwrap_or_else(|| known.canary.repeats());
    Ok(usize::try_from(repeats).unwrap_or(usize::MAX))
}

fn usage(headline: &str, remedy: &str) -> Refused {
    Refused::new(Exit::Usage, Fault::new(USAGE, headline, remedy))
}
