//! Takes the samples of a canary: pairs in a drawn order, or one arm again and again. It judges none of them.

use crate::{
    canary::{
        arm::Arm,
        child,
        folder::Folder,
        kernel,
        machine::{self, Binding},
    },
    exit::Refused,
};
use anyhow::Context as _;
use portcullis::evidence::{clock::Stopwatch, clock::system_now};
use portcullis_canary::{
    Adapter, Body, Emulation, Exit, Fault, FaultCode, Host, Measurement, MetricId, Order, Proof,
    Sample, Series, Unit, Work, adapter,
    measurement::Arm as Side,
    order::{First, blocks, seed},
};
use portcullis_gates::canary::{Canary, MethodName};
use serde_json::json;
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

/// A sample is no shorter than this, in nanoseconds.
const SAMPLE_MIN_NS: u64 = 200_000;
/// Nor than so many times what the clock can tell apart.
const RESOLUTIONS: u64 = 1_000;
/// The most processes in one sample.
const ITERATIONS_MAX: u64 = 10_000;
const FORCE_CPU_COUNT: &str = "PORTCULLIS_FORCE_CPU_COUNT";

/// What is measured, and where.
pub(crate) struct Plan<'a> {
    /// The canary.
    pub canary: &'a Canary,
    /// How many pairs or runs.
    pub repeats: usize,
    /// Where its files go.
    pub folder: &'a Folder,
    /// What the runs of this measurement are called in the folder.
    pub name: &'a str,
    /// The commit of the candidate.
    pub commit: String,
    /// Whether the work tree differs from it.
    pub is_dirty: bool,
    /// The base, of pairs.
    pub base: Option<Arm<'a>>,
    /// The base with its code elsewhere in the file, where it could be built so.
    pub layout: Option<Arm<'a>>,
    /// What is judged.
    pub candidate: Arm<'a>,
    /// This program.
    pub own: PathBuf,
    /// What `rustc --version` says.
    pub rustc: String,
    /// The root of the repository.
    pub root: PathBuf,
    /// The CPU count that runs believe, from the table or from our own environment.
    pub forced: Option<u16>,
    /// Since when the job lasts.
    pub watch: Stopwatch,
}

/// The runs of a measurement while they are made.
struct Taking<'a> {
    plan: &'a Plan<'a>,
    binding: Option<Binding>,
    scratch: PathBuf,
    journal: File,
    iterations: u64,
    switches: Option<u64>,
    started: u64,
    faults: Vec<Fault>,
}

/// Measures. What goes wrong with a run stands in the record; only what keeps runs from being made ends it.
pub(crate) fn measure(plan: &Plan<'_>) -> Result<Measurement, Refused> {
    let scratch = plan.folder.below(plan.name).context("the folder of a canary cannot be made")?;
    let mut journal = File::create_new(plan.folder.path.join(format!("{}.jsonl", plan.name)))
        .context("the journal of a canary cannot be made")?;
    let head = json!({ "commit": plan.commit, "dirty": plan.is_dirty, "run_id": plan.folder.run_id.to_string() });
    writeln!(journal, "{head}").context("the journal cannot be written")?;
    let binding = plan.canary.force_cpus().and_then(Binding::of);
    let mut taking = Taking {
        plan,
        binding,
        scratch,
        journal,
        iterations: 1,
        switches: None,
        started: 0,
        faults: Vec::new(),
    };
    let before = machine::Ticks::now();
    let allowed = machine::allowed_cpus();
    let is_above = plan.forced.is_some_and(|forced| u32::from(forced) > allowed);
    let emulation = taking.emulation().context("the forced CPU count cannot be tried out")?;
    let host = machine::host(&plan.root, &plan.rustc, plan.forced, emulation);
    let calibration = kernel::calibrate(&plan.own).context("the machine cannot be calibrated")?;
    let (mut series, mut order) = (Vec::new(), Order::OneArm);
    // Fewer CPUs than were forced measure something else; the record says so and holds nothing that could be compared.
    if !is_above && taking.faults.is_empty() {
        (series, order) = taking.take().context("a run cannot be made")?;
    }
    let mut noise = machine::noise(before, machine::Ticks::now(), taking.switches);
    noise.involuntary_switches = taking.switches;
    let identical_binaries = taking.compare_files()?;
    Ok(Measurement {
        schema: Measurement::SCHEMA.to_owned(),
        canary: plan.canary.id.clone(),
        run_id: plan.folder.run_id.to_string(),
        commit: plan.commit.clone(),
        order,
        host: Host { emulation, ..host },
        calibration: Some(calibration),
        noise,
        looks: None,
        identical_binaries,
        series,
        faults: taking.faults,
    })
}

impl Taking<'_> {
    fn fault(&mut self, code: FaultCode, detail: impl Into<String>) {
        self.faults.push(Fault::of_run(code, detail));
    }

    /// Starts this program as a run is started, and asks it how many CPUs it believes in and how many it got.
    fn emulation(&mut self) -> anyhow::Result<Emulation> {
        let Some(forced) = self.plan.forced else { return Ok(Emulation::None) };
        let words = ["canary", "kernel", "--probe"].map(str::to_owned);
        let stdout = self.scratch.join("probe");
        let mut job = self.job(&self.plan.own, &words, &self.plan.root, stdout.clone(), "probe");
        job.limit_ns = None;
        let ran = child::run(&job)?;
        let said = std::fs::read_to_string(&stdout)?;
        let counts: Vec<u32> =
            said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let forced = u32::from(forced);
        Ok(match counts[..] {
            [believed, got] if ran.exit.is_success() && believed == forced => {
                if got == forced {
                    Emulation::Pinned
                } else {
                    Emulation::BeliefOnly
                }
            }
            _ => {
                let detail = format!("{forced} CPUs were forced, and a run saw `{}`", said.trim());
                self.fault(FaultCode::RunFailed, detail);
                Emulation::BeliefOnly
            }
        })
    }

    fn job<'j>(
        &'j self,
        program: &'j Path,
        words: &'j [String],
        cwd: &'j Path,
        stdout: PathBuf,
        nonce: &str,
    ) -> child::Job<'j> {
        let mut env: Vec<(&'static str, OsString)> = vec![
            ("PORTCULLIS_CANARY_NONCE", nonce.into()),
            ("PORTCULLIS_CANARY_OUTPUT", self.scratch.join("output").into_os_string()),
            ("CRITERION_HOME", self.scratch.join("criterion").into_os_string()),
        ];
        // Assigned whatever is inherited, an empty value included.
        if let Some(forced) = self.plan.canary.force_cpus() {
            env.push((FORCE_CPU_COUNT, forced.to_string().into()));
        }
        let limit_ns = self.plan.canary.run_limit_ns();
        child::Job { program, words, cwd, env, stdout, limit_ns, binding: self.binding.as_ref() }
    }

    /// Whether nine tenths of the job's time are over: what is there is written while there is time to write it.
    fn is_late(&self) -> bool {
        let elapsed_ns = self.plan.watch.elapsed_ms().saturating_mul(1_000_000);
        self.plan.canary.job_limit_ns().is_some_and(|limit| elapsed_ns >= limit / 10 * 9)
    }

    fn take(&mut self) -> anyhow::Result<(Vec<Series>, Order)> {
        let adapter = self.plan.canary.adapter().name;
        if adapter != Adapter::Process {
            let order = if adapter.reads_both_arms() { Order::Unrecorded } else { Order::OneArm };
            return Ok((self.read_tool()?, order));
        }
        match &self.plan.base {
            Some(base) => self.pairs(base),
            None => Ok((self.runs()?, Order::OneArm)),
        }
    }

    /// Runs one arm once, `iterations` processes together; the sample has the worst of their ends.
    fn sample(&mut self, arm: &Arm<'_>, side: Side, position: u8) -> anyhow::Result<Sample> {
        let mut sample = Sample {
            value: 0,
            censored: false,
            exit: Exit::Code(0),
            proof: Vec::new(),
            position,
            work: Work::UNSTATED,
        };
        for iteration in 0..self.iterations {
            self.started += 1;
            let nonce = format!("{}-{}", self.plan.folder.run_id, self.started);
            arm.proving.clear().context("the proof of an earlier run cannot be removed")?;
            let stdout = self.scratch.join("stdout");
            let job = self.job(&arm.program, &arm.words, &arm.checkout, stdout.clone(), &nonce);
            let ran = child::run(&job).with_context(|| format!("{}", arm.program.display()))?;
            let (proof, work) = arm.proving.of_run(&nonce, &stdout);
            let line = json!({
                "nonce": nonce, "arm": side, "position": position, "ns": ran.ns, "exit": ran.exit,
                "proof": proof, "work": work, "switches": ran.switches,
            });
            writeln!(self.journal, "{line}")?;
            if let Some(switches) = ran.switches {
                self.switches = Some(self.switches.unwrap_or(0).saturating_add(switches));
            }
            if !add(&mut sample, iteration == 0, &ran, (proof, work)) {
                break;
            }
        }
        Ok(sample)
    }

    /// A warm-up is held to what every sample is held to; nothing is measured after one that failed.
    fn warm_up(&mut self, arm: &Arm<'_>, side: Side) -> anyhow::Result<Option<u64>> {
        let sample = self.sample(arm, side, 0)?;
        if sample.censored {
            return Ok(Some(sample.value));
        }
        if !sample.exit.is_success() {
            self.fault(
                FaultCode::RunFailed,
                format!("the warm-up of {side:?} ended with {:?}", sample.exit),
            );
            return Ok(None);
        }
        if sample.proof.is_empty() {
            self.fault(
                FaultCode::ProofMissing,
                format!("nothing shows that the warm-up of {side:?} did its work"),
            );
            return Ok(None);
        }
        Ok(Some(sample.value))
    }

    /// How many processes make a sample that is long enough: fixed once, for every arm.
    fn fix_iterations(&mut self, warm_ns: u64) {
        let least = SAMPLE_MIN_NS.max(RESOLUTIONS.saturating_mul(resolution_ns()));
        self.iterations = least.div_ceil(warm_ns.max(1)).clamp(1, ITERATIONS_MAX);
    }

    fn runs(&mut self) -> anyhow::Result<Vec<Series>> {
        let candidate = &self.plan.candidate;
        let Some(warm_ns) = self.warm_up(candidate, Side::Candidate)? else {
            return Ok(Vec::new());
        };
        self.fix_iterations(warm_ns);
        let mut samples = Vec::new();
        for run in 0..self.plan.repeats {
            if self.is_late() {
                self.late(run);
                break;
            }
            samples.push(self.sample(candidate, Side::Candidate, 0)?);
        }
        Ok(self.series(vec![(Side::Candidate, samples)]))
    }

    /// Pairs, each followed by one more run of the base, and by one of the base that lies elsewhere in its file. The base
    /// against itself says whether the machine was quiet, and the other what a move of the code alone does.
    fn pairs(&mut self, base: &Arm<'_>) -> anyhow::Result<(Vec<Series>, Order)> {
        let candidate = &self.plan.candidate;
        let seed = seed(&self.plan.folder.run_id.to_string());
        let order = Order::Blocks { seed };
        if base.is_same_file(candidate) {
            // The record keeps its pairs out: one file against itself says nothing about two.
            return Ok((Vec::new(), order));
        }
        let Some(warm_ns) = self.warm_up(base, Side::Base)? else { return Ok((Vec::new(), order)) };
        if self.warm_up(candidate, Side::Candidate)?.is_none() {
            return Ok((Vec::new(), order));
        }
        if let Some(layout) = &self.plan.layout
            && self.warm_up(layout, Side::Layout)?.is_none()
        {
            return Ok((Vec::new(), order));
        }
        self.fix_iterations(warm_ns);
        let (mut bases, mut candidates, mut again) = (Vec::new(), Vec::new(), Vec::new());
        let mut moved = Vec::new();
        for (pair, first) in blocks(seed, self.plan.repeats).into_iter().enumerate() {
            if self.is_late() {
                self.late(pair);
                break;
            }
            let (base_at, candidate_at) = first.positions(pair);
            if first == First::Base {
                bases.push(self.sample(base, Side::Base, base_at)?);
                candidates.push(self.sample(candidate, Side::Candidate, candidate_at)?);
            } else {
                candidates.push(self.sample(candidate, Side::Candidate, candidate_at)?);
                bases.push(self.sample(base, Side::Base, base_at)?);
            }
            again.push(self.sample(base, Side::BaseAgain, base_at)?);
            if let Some(layout) = &self.plan.layout {
                moved.push(self.sample(layout, Side::Layout, base_at)?);
            }
        }
        let arms = vec![
            (Side::Base, bases),
            (Side::Candidate, candidates),
            (Side::BaseAgain, again),
            (Side::Layout, moved),
        ];
        Ok((self.series(arms), order))
    }

    fn late(&mut self, done: usize) {
        let detail = format!(
            "nine tenths of the job's time were over after {done} of {}",
            self.plan.repeats
        );
        self.fault(FaultCode::Deadline, detail);
    }

    fn series(&self, arms: Vec<(Side, Vec<Sample>)>) -> Vec<Series> {
        let name = self.plan.canary.roster().first().and_then(|name| MetricId::new(name));
        let Some(metric) = name else { return Vec::new() };
        let filled = arms.into_iter().filter(|(_, samples)| !samples.is_empty());
        filled
            .map(|(arm, samples)| Series {
                metric: metric.clone(),
                unit: Unit::Ns,
                arm,
                body: Body::Samples(samples),
                source: format!("{}.jsonl", self.plan.name),
                schema_version: self.iterations.to_string(),
            })
            .collect()
    }

    /// Runs a tool once and reads what it measured.
    fn read_tool(&mut self) -> anyhow::Result<Vec<Series>> {
        let (arm, table) = (&self.plan.candidate, self.plan.canary.adapter());
        // Without it an old file could not be told from a new one.
        let not_before_ms = Some(system_now()?.unix_ms());
        let nonce = format!("{}-1", self.plan.folder.run_id);
        arm.proving.clear()?;
        let stdout = self.scratch.join("stdout");
        let mut job = self.job(&arm.program, &arm.words, &arm.checkout, stdout.clone(), &nonce);
        // A tool makes all runs in one process: the limit of the job is its own.
        job.limit_ns = self.plan.canary.job_limit_ns().map(|limit| limit / 10 * 9);
        let ran = child::run(&job)?;
        self.switches = ran.switches;
        writeln!(self.journal, "{}", json!({ "nonce": nonce, "ns": ran.ns, "exit": ran.exit }))?;
        if ran.exit == Exit::TimeLimit {
            self.late(0);
        } else if !ran.exit.is_success() {
            self.fault(FaultCode::RunFailed, format!("the tool ended with {:?}", ran.exit));
        }
        let inputs = if table.name == Adapter::CriterionDir {
            let root = self.scratch.join("criterion");
            let mut inputs = Vec::new();
            below(&root, &root, &mut inputs)?;
            inputs
        } else {
            let output = self.scratch.join("output");
            let from = if output.is_file() { output } else { stdout.clone() };
            vec![input(&self.scratch, &from)?]
        };
        let settings = adapter::Settings {
            arm: Side::Candidate,
            events: table.events.clone(),
            measures: table.measures.clone(),
            smaller_is_better: table.smaller_is_better,
            // A file system may keep whole seconds alone.
            not_before_ms: not_before_ms.map(|ms| ms / 1_000 * 1_000),
        };
        let reading = adapter::read(table.name, inputs, &settings);
        self.faults.extend(reading.problems.into_iter().map(Fault::from));
        let mut series = reading.series;
        for one in &mut series {
            let Body::Samples(samples) = &mut one.body else { continue };
            let proofs =
                arm.proving.of_samples(&nonce, &stdout, one.metric.as_str(), samples.len());
            for (sample, (proof, work)) in samples.iter_mut().zip(proofs) {
                if sample.exit == Exit::Unknown {
                    sample.exit = ran.exit;
                }
                (sample.proof, sample.work) = (proof, work);
            }
        }
        if self.plan.canary.method() == MethodName::Budget {
            shares(&mut series);
        }
        Ok(series)
    }

    /// Tells whether both arms have the same bytes, and reports arms that are one file.
    fn compare_files(&mut self) -> Result<bool, Refused> {
        let Some(base) = &self.plan.base else { return Ok(false) };
        if base.is_same_file(&self.plan.candidate) {
            let detail = format!("both arms run {}", self.plan.candidate.program.display());
            self.fault(FaultCode::ArmsAreOneFile, detail);
            return Ok(false);
        }
        Ok(base.digest()? == self.plan.candidate.digest()?)
    }
}

/// Adds a process to its sample, and tells whether another one follows. One that failed or proved nothing leaves the whole
/// of the sample so, whatever the others did.
fn add(sample: &mut Sample, is_first: bool, ran: &child::Ran, said: (Vec<Proof>, Work)) -> bool {
    let (proof, work) = said;
    sample.value = sample.value.saturating_add(ran.ns);
    if !ran.exit.is_success() && sample.exit.is_success() {
        sample.exit = ran.exit;
    }
    if ran.exit == Exit::TimeLimit {
        (sample.censored, sample.proof) = (true, proof);
        return false;
    }
    if is_first {
        (sample.proof, sample.work) = (proof, work);
    } else if proof.is_empty() || work != sample.work {
        sample.proof = Vec::new();
    }
    true
}

/// Of a budget, `<metric>/part` and `<metric>/total` are the two sides of `<metric>`.
fn shares(series: &mut [Series]) {
    let names: BTreeSet<String> = series.iter().map(|one| one.metric.as_str().to_owned()).collect();
    for one in series {
        let name = one.metric.as_str();
        let side = [("/part", "/total", Side::Part), ("/total", "/part", Side::Total)];
        for (own, other, arm) in side {
            let Some(stem) = name.strip_suffix(own) else { continue };
            let Some(metric) = MetricId::new(stem) else { continue };
            if names.contains(&format!("{stem}{other}")) {
                (one.metric, one.arm) = (metric, arm);
                break;
            }
        }
    }
}

fn below(root: &Path, folder: &Path, inputs: &mut Vec<adapter::Input>) -> anyhow::Result<()> {
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        // A tool that wrote nothing is reported by its adapter.
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(source.into()),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort_unstable();
    for path in paths {
        let about = path.symlink_metadata()?;
        if about.is_dir() {
            below(root, &path, inputs)?;
        } else if about.is_file() && path.extension().is_some_and(|kind| kind == "json") {
            inputs.push(input(root, &path)?);
        }
    }
    Ok(())
}

fn input(root: &Path, path: &Path) -> anyhow::Result<adapter::Input> {
    const BYTES_MAX: u64 = 64 * 1024 * 1024;
    let about = path.metadata()?;
    anyhow::ensure!(about.len() <= BYTES_MAX, "{} is larger than an output may be", path.display());
    let since = about.modified()?.duration_since(std::time::UNIX_EPOCH)?;
    let names: Vec<String> = path
        .strip_prefix(root)?
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    Ok(adapter::Input {
        path: names.join("/"),
        bytes: std::fs::read(path)?,
        modified_ms: i64::try_from(since.as_millis()).ok(),
    })
}

/// The smallest step of the clock that is seen, in nanoseconds.
#[expect(clippy::disallowed_methods, reason = "the clock is what is looked at")]
fn resolution_ns() -> u64 {
    let mut least = u64::MAX;
    let mut last = Instant::now();
    for _ in 0..1_000 {
        let now = Instant::now();
        let step = u64::try_from(now.duration_since(last).as_nanos()).unwrap_or(u64::MAX);
        if step > 0 {
            least = least.min(step);
        }
        last = now;
    }
    if least == u64::MAX { 1 } else { least }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t1_t2_a_sample_of_several_processes_is_as_bad_as_its_worst() {
        let work = |count| Work { count, ..Work::UNSTATED };
        let ok = (Exit::Code(0), true, 3);
        let taken = |processes: &[(Exit, bool, u64)]| {
            let mut sample = Sample {
                value: 0,
                censored: false,
                exit: Exit::Code(0),
                proof: Vec::new(),
                position: 0,
                work: Work::UNSTATED,
            };
            let mut made = 0;
            for (exit, is_proven, count) in processes {
                let ran = child::Ran { ns: 5, exit: *exit, switches: None };
                let proof = is_proven.then_some(Proof::Pattern).into_iter().collect();
                made += 1;
                if !add(&mut sample, made == 1, &ran, (proof, work(*count))) {
                    break;
                }
            }
            assert_eq!(sample.value, made * 5, "the time of each counts");
            (made, sample.exit, sample.censored, !sample.proof.is_empty(), sample.work.count)
        };
        let good = (3, Exit::Code(0), false, true, 3);
        assert_eq!(taken(&[ok, ok, ok]), good);
        for at in 0..3 {
            let with = |one: (Exit, bool, u64)| {
                let mut all = [ok; 3];
                all[at] = one;
                taken(&all)
            };
            assert_eq!(with((Exit::Code(7), true, 3)).1, Exit::Code(7), "{at}");
            assert_eq!(with((Exit::Signal(9), true, 3)).1, Exit::Signal(9), "{at}");
            assert!(!with((Exit::Code(0), false, 3)).3, "{at}: nothing shows its work");
            assert!(!with((Exit::Code(0), true, 2)).3, "{at}: it did other work");
            let stopped = with((Exit::TimeLimit, true, 3));
            assert_eq!((stopped.0, stopped.1, stopped.2), (at as u64 + 1, Exit::TimeLimit, true));
        }
        // A crash before the limit is still a crash.
        assert_eq!(taken(&[(Exit::Code(7), true, 3), (Exit::TimeLimit, true, 3)]).1, Exit::Code(7));
    }

    #[test]
    fn two_sides_of_a_budget_become_one_metric() {
        let series = |name: &str| Series {
            metric: MetricId::new(name).expect("a name"),
            unit: Unit::Ns,
            arm: Side::Candidate,
            body: Body::Samples(Vec::new()),
            source: String::new(),
            schema_version: String::new(),
        };
        let mut all = vec![series("share/part"), series("share/total"), series("lone/part")];
        shares(&mut all);
        let seen: Vec<(&str, Side)> =
            all.iter().map(|one| (one.metric.as_str(), one.arm)).collect();
        let expected =
            [("share", Side::Part), ("share", Side::Total), ("lone/part", Side::Candidate)];
        assert_eq!(seen, expected);
    }
}
