//! `canary measure`: builds the arms, takes the samples, and writes the record. It judges nothing but whether there is one.

use super::Known;
use crate::{
    args::Measure as Arguments,
    canary::{
        arm::{Arm, checkout, said},
        folder::{CONFIRMATION, Folder, MEASUREMENT, create},
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
    let is_paired =
        canary.method() == MethodName::Paired && canary.adapter().name == Adapter::Process;
    let base_at = if is_paired {
        let base = arguments.base_ref.clone().or_else(|| repository.environment.base());
        let base = base.ok_or_else(|| usage("pairs need a base", "name it: `--base-ref main`"))?;
        let commit = git.merge_base(&base).or_exit(Exit::Usage)?;
        out.progress(&format!("canary: base {commit}"));
        Some(checkout(repository, &commit, scratch.path())?)
    } else {
        None
    };
    let arm = |at: &std::path::Path| Arm::ready(canary, at, scratch.path(), repository);
    let base = base_at.as_deref().map(arm).transpose()?;
    let candidate = arm(repository.root())?;
    let rustc = said("rustc", &["--version"], scratch.path(), repository).unwrap_or_default();
    let folder = Folder::make(repository, &canary.id, MEASUREMENT)?;
    let mut plan = Plan {
        canary,
        repeats,
        folder: &folder,
        name: "measurement",
        commit: head.commit.clone(),
        is_dirty: git.is_dirty().or_exit(Exit::Usage)?,
        base,
        candidate,
        own,
        rustc,
        root: repository.root().to_owned(),
        forced: canary.force_cpus().or(inherited),
        watch,
    };
    let measurement = runner::measure(&plan)?;
    write(&folder, MEASUREMENT, &measurement)?;
    let judged = |measurement: &Measurement| {
        let config = canary.config(known.baseline.as_ref());
        decide(&admit(measurement, &known.base, &config), &config.threshold, canary.lane())
    };
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
    let path = folder.path.join(MEASUREMENT);
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
