//! `canary`: measures, compares, refreshes, calibrates, and keeps the history. What a measurement shows is the kernel's to say.

mod calibrate;
mod comment;
mod compare;
mod history;
mod measure;
mod refresh;

use crate::{
    args::{Canary as Arguments, CanaryVerb},
    canary::kernel,
    exit::{Exit, OrExit, Refused},
    interrupt,
    repository::Repository,
    transport::Transport,
};
use portcullis::{
    Fault, RunId, effective_cpu_count,
    wire::code::{NAME_UNKNOWN, RUN_INTERRUPTED, RUN_UNREADABLE},
};
use portcullis_canary::{Base, Measurement, baseline, baseline::Baseline, record};
use portcullis_gates::canary::Canary;
use std::path::Path;

/// Runs `canary`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let done = verb(arguments, out);
    if done.is_err() && interrupt::asked() != interrupt::Asked::Nothing {
        let remedy = "run it again to its end; what was measured so far is kept by no file";
        let fault = Fault::new(RUN_INTERRUPTED, "the measurement was interrupted", remedy);
        return Err(Refused::new(Exit::Nothing, fault));
    }
    done
}

fn verb(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    match &arguments.verb {
        CanaryVerb::Measure(arguments) => measure::run(arguments, out),
        CanaryVerb::Compare(arguments) => compare::run(arguments, out),
        CanaryVerb::Comment(arguments) => comment::run(arguments, out),
        CanaryVerb::Refresh(arguments) => refresh::run(arguments, out),
        CanaryVerb::Calibrate(arguments) => calibrate::run(arguments, out),
        CanaryVerb::History(arguments) => history::run(&arguments.verb, out),
        CanaryVerb::Kernel(arguments) => {
            if arguments.probe {
                let believed = effective_cpu_count().map_err(Fault::from).or_exit(Exit::Usage)?;
                out.raw(&format!("{believed} {}\n", crate::canary::machine::parallelism()));
            }
            kernel::count(arguments.steps);
            Ok(Exit::Pass)
        }
    }
}

/// A canary with its baseline, both free of contradictions.
struct Known {
    repository: Repository,
    canary: Canary,
    base: Base,
    baseline: Option<Baseline>,
}

impl Known {
    /// Reads both; whatever the configuration may not say ends the command before anything is measured.
    fn read(id: &str) -> Result<Self, Refused> {
        let repository = Repository::discover()?;
        let policy = repository.policy()?;
        let mut all = Canary::all(&policy).map_err(|faults| Refused::all(Exit::Usage, faults))?;
        let names: Vec<String> = all.keys().cloned().collect();
        let Some(canary) = all.remove(id) else {
            let headline = format!("there is no table `[canary.{}]`", id.escape_debug());
            let fault = Fault::new(NAME_UNKNOWN, headline, "name a canary of the policy");
            return Err(Refused::new(Exit::Usage, fault.found(names.join(", "))));
        };
        let (base, baseline) = read_base(&repository, &canary)?;
        let faults = baseline.as_ref().map(|known| canary.against(known)).unwrap_or_default();
        if faults.is_empty() {
            Ok(Self { repository, canary, base, baseline })
        } else {
            Err(Refused::all(Exit::Usage, faults))
        }
    }
}

fn read_base(
    repository: &Repository,
    canary: &Canary,
) -> Result<(Base, Option<Baseline>), Refused> {
    const BYTES_MAX: u64 = 16 * 1024 * 1024;
    let Some(path) = canary.baseline() else { return Ok((canary.base(None), None)) };
    let Some(text) = repository.read(path.as_str(), BYTES_MAX)? else {
        return Ok((canary.base(None), None));
    };
    Ok(match baseline::read(path.as_str(), text.as_bytes()) {
        Ok(reading) => {
            let baseline = reading.baseline.clone();
            (canary.base(Some(reading.into_base())), baseline)
        }
        Err(problem) => (Base::Unreadable(problem.to_string()), None),
    })
}

/// A measurement that is of this canary.
fn read_measurement(path: &Path, id: &str) -> Result<Measurement, Refused> {
    const BYTES_MAX: u64 = 256 * 1024 * 1024;
    let refused = |headline: String| {
        let fault =
            Fault::new(RUN_UNREADABLE, headline, "measure again with this version of portcullis");
        Refused::new(Exit::Invalid, fault.found(path.display().to_string()))
    };
    let about = path
        .metadata()
        .map_err(|source| refused(format!("the measurement cannot be read: {source}")))?;
    if !about.is_file() || about.len() > BYTES_MAX {
        return Err(refused("the measurement is no file, or larger than one may be".to_owned()));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|source| refused(format!("the measurement cannot be read: {source}")))?;
    let measurement = record::read("measurement.json", &text)
        .map_err(|problem| refused(format!("the measurement cannot be read: {problem}")))?;
    // Files are named after the run, and a name that is none could lead anywhere.
    if let Err(source) = RunId::parse(&measurement.run_id) {
        return Err(refused(format!("the measurement is of no run: {source}")));
    }
    if measurement.canary == id {
        Ok(measurement)
    } else {
        Err(refused(format!("the measurement is of `{}`, not of `{id}`", measurement.canary)))
    }
}
