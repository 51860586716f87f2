//! `canary calibrate`: something against itself, and with added work, session by session. It writes what it counted.

use super::Known;
use crate::{
    args::Calibrate as Arguments,
    canary::{
        arm::{Arm, said},
        calibrated::{Figures, PAIRS, of_kernel},
        child,
        folder::{CALIBRATION, Folder, create},
        kernel::{self, Ready},
        machine,
    },
    command::scratch,
    exit::{Exit, Refused},
    interrupt, locate,
    repository::Repository,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{
    Fault,
    evidence::{clock::Stopwatch, target_dir},
    wire::code::{COMMAND_FAILED, USAGE},
};
use portcullis_canary::{
    Adapter, Config, Emulation, Exit as Ended, Measurement, Method, MetricId, Noise, Order,
    baseline::host_class, order::First,
};
use serde_json::json;
use std::path::Path;

/// Runs `canary calibrate`.
#[expect(clippy::too_many_lines, reason = "one report, from the first sample to its last line")]
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    interrupt::listen();
    let watch = Stopwatch::start();
    let repository = Repository::discover()?;
    let own = target_dir::current_exe().context("this program does not know where it is")?;
    let scratch = scratch(&locate::target_dir(&repository)?)?;
    let known = match kernel::parse(&arguments.id) {
        Some(_) => None,
        None => Some(Known::read(&arguments.id)?),
    };
    let config = match &known {
        None => of_kernel(),
        Some(known) => paired(known)?,
    };
    let default = known
        .as_ref()
        .map_or(PAIRS, |known| usize::try_from(known.canary.repeats()).unwrap_or(PAIRS));
    let pairs = arguments.pairs.map_or(default, |pairs| usize::try_from(pairs).unwrap_or(default));
    let folder = Folder::make(&repository, &arguments.id, CALIBRATION)?;
    let rustc = said("rustc", &["--version"], scratch.path(), &repository).unwrap_or_default();
    let forced = known.as_ref().and_then(|known| known.canary.force_cpus());
    let host = machine::host(repository.root(), &rustc, forced, Emulation::None);
    let class = host_class(&host);
    let template = Measurement {
        schema: Measurement::SCHEMA.to_owned(),
        canary: arguments.id.clone(),
        run_id: folder.run_id.to_string(),
        commit: "0".repeat(40),
        order: Order::OneArm,
        host,
        calibration: None,
        noise: Noise::default(),
        looks: None,
        identical_binaries: false,
        series: Vec::new(),
        faults: Vec::new(),
    };
    let mut timed = Timed::new(arguments, known.as_ref(), &own, scratch.path(), &repository)?;
    let name = MetricId::new(&arguments.id).context("an id is no name of a metric")?;
    let mut sessions = |extra: u64| -> Result<Figures, Refused> {
        let mut figures = Figures::default();
        for _ in 0..arguments.repeats {
            let mut take = |arm: First| {
                let extra = if arm == First::Candidate { extra } else { 0 };
                timed.take(extra)
            };
            figures.session(&name, (&template, &config), pairs, &mut take).map_err(failed)?;
        }
        Ok(figures)
    };
    let aa = sessions(0)?;
    let injected = arguments.inject.map(|percent| sessions(percent * 1_000)).transpose()?;
    let seconds = watch.elapsed_ms() / 1_000;
    let document = json!({
        "schema": "portcullis.canary_calibration.v1",
        "exit": 0,
        "of": arguments.id,
        "run_id": folder.run_id.to_string(),
        "host_class": class,
        "pairs": pairs,
        "seconds": seconds,
        "aa": {
            "repeats": aa.repeats,
            "false_comment": aa.comment,
            "false_fail": aa.fail,
            "q999_milli_pct": aa.q999(),
            "rate_upper95": aa.rate_upper95(),
        },
        "injection": injected.as_ref().map(|found| json!({
            "milli_pct": arguments.inject.unwrap_or(0) * 1_000,
            "repeats": found.repeats,
            "detected": found.comment,
        })),
    });
    create(&folder.path.join(CALIBRATION), &format!("{document}\n"))?;
    out.document(&document);
    out.text(&format!(
        "canary {}: {} false of {} sessions, a rate below {:.6} at 95 %; {seconds} s",
        arguments.id,
        aa.comment,
        aa.repeats,
        aa.rate_upper95()
    ));
    if let Some(found) = injected {
        let percent = arguments.inject.unwrap_or(0);
        out.text(&format!("  +{percent} % work: proven in {} of {}", found.comment, found.repeats));
    }
    Ok(Exit::Pass)
}

fn failed(source: std::io::Error) -> Refused {
    let fault = Fault::new(
        COMMAND_FAILED,
        "a run failed, or a session cannot be judged",
        "mend what is measured, or take more pairs; a crash is no duration",
    );
    Refused::new(Exit::Invalid, fault.because(&source))
}

/// Only what the runner times itself can be measured against itself here.
fn paired(known: &Known) -> Result<Config, Refused> {
    let config = known.canary.config(None);
    if known.canary.adapter().name == Adapter::Process && config.method == Method::Paired {
        return Ok(config);
    }
    let headline = "only pairs that the runner times itself are calibrated";
    let remedy =
        "calibrate a canary with `method = \"paired\"` and `adapter = \"process\"`, or a kernel";
    Err(Refused::new(Exit::Usage, Fault::new(USAGE, headline, remedy)))
}

/// What is run in a session: a kernel in this process, or the program of a canary.
enum Timed<'a> {
    Kernel(Ready),
    Runs { arm: Arm<'a>, scratch: &'a Path, limit_ns: Option<u64>, nonce: u64 },
}

impl<'a> Timed<'a> {
    fn new(
        arguments: &Arguments,
        known: Option<&'a Known>,
        own: &Path,
        scratch: &'a Path,
        repository: &Repository,
    ) -> Result<Self, Refused> {
        let mut timed = match (kernel::parse(&arguments.id), known) {
            (Some(kernel), _) => Self::Kernel(Ready::new(kernel, Some(own))),
            (None, Some(known)) => {
                let arm = Arm::ready(&known.canary, repository.root(), scratch, repository)?;
                Self::Runs { arm, scratch, limit_ns: known.canary.run_limit_ns(), nonce: 0 }
            }
            (None, None) => return Err(anyhow::anyhow!("nothing is calibrated").into()),
        };
        // The first run of anything is slower, and belongs to no session.
        timed.take(0).map_err(failed)?;
        Ok(timed)
    }

    fn take(&mut self, extra: u64) -> std::io::Result<u64> {
        let (arm, scratch, limit_ns, count) = match self {
            Self::Kernel(ready) => return ready.run(extra),
            Self::Runs { arm, scratch, limit_ns, nonce } => (arm, scratch, *limit_ns, nonce),
        };
        *count += 1;
        let nonce = format!("calibrate-{count}");
        arm.proving.clear()?;
        let stdout = scratch.join("stdout");
        let env = vec![
            ("PORTCULLIS_CANARY_NONCE", nonce.clone().into()),
            ("PORTCULLIS_CANARY_EXTRA_MILLI_PCT", extra.to_string().into()),
        ];
        let (program, words, cwd) = (&arm.program, &arm.words, &arm.checkout);
        let job = child::Job {
            program,
            words,
            cwd,
            env,
            stdout: stdout.clone(),
            limit_ns,
            binding: None,
        };
        let ran = child::run(&job)?;
        let (proof, _) = arm.proving.of_run(&nonce, &stdout);
        if ran.exit == Ended::Code(0) && !proof.is_empty() {
            return Ok(ran.ns);
        }
        Err(std::io::Error::other(format!("{:?}, {} proofs", ran.exit, proof.len())))
    }
}
