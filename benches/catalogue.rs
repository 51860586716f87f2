//! Measures what gate kinds do with many files, many documents and a long record file, against public peers.
//!
//! `cargo bench --bench catalogue [-- hash contracts records growth] [--pairs N]`, and the same with `--profile dev`. Under
//! `cargo test` it measures nothing. Each figure is the median of ratios of pairs that ran in turn; a peer that is not
//! installed is said to be absent, and its figure counts as missed.
#![expect(clippy::disallowed_methods, reason = "a measurement times and starts other programs")]

#[path = "catalogue/material.rs"]
mod material;
#[path = "startup/measure.rs"]
#[expect(dead_code, reason = "the CPU time of compilers is the business of the other measurement")]
mod measure;
#[path = "catalogue/work.rs"]
mod work;

use material::Material;
use measure::{Start, median, pairs};
use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

/// Whatever keeps a measurement from being made.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The goals: name of the figure, the most it may be, and its unit.
const GOALS: &[(&str, f64, &str)] = &[
    ("hash_vs_sha256sum", 1.0, "x `xargs -P2 sha256sum`"),
    // Three hundred megabytes a second, or seventy percent of the speed of a typed reading by serde_json, whichever
    // is less: the part of the lesser one that was not reached.
    ("events_to_goal", 1.0, "x the time that the goal allows"),
    ("ledger_to_goal", 1.0, "x the time that the goal allows"),
    ("events_peak_mb", 100.0, "MB"),
    ("ledger_peak_mb", 100.0, "MB"),
    // Ten times the work may take ten times as long, and a third more for noise.
    ("growth_hash", 13.0, "x for 10x files"),
    ("growth_scan", 13.0, "x for 10x files"),
    ("growth_contracts", 13.0, "x for 10x documents"),
];
const SECTIONS: [&str; 4] = ["hash", "contracts", "records", "growth"];
const DEFAULT_PAIRS: usize = 7;
/// Three hundred megabytes a second.
const RATE_BYTES_PER_MS: f64 = 300_000.0;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [flag, job, folder] = &words[..]
        && flag == "--work"
    {
        return match work::run(job, Path::new(folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                say(&mut io::stderr(), &format!("{failure}\n"));
                ExitCode::FAILURE
            }
        };
    }
    if !env::args().any(|word| word == "--bench") {
        return ExitCode::SUCCESS;
    }
    match Plan::read(words).and_then(|plan| plan.measure()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            say(&mut io::stderr(), &format!("not measured: {failure}\n"));
            ExitCode::from(2)
        }
    }
}

struct Plan {
    sections: Vec<String>,
    pairs: usize,
    this: PathBuf,
    missed: bool,
}

impl Plan {
    fn read(words: Vec<String>) -> Result<Self, Failure> {
        let mut plan = Self {
            sections: Vec::new(),
            pairs: DEFAULT_PAIRS,
            this: env::current_exe()?,
            missed: false,
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--pairs" => {
                    plan.pairs = words.next().ok_or("`--pairs` needs a value")?.parse()?;
                }
                section if SECTIONS.contains(&section) => plan.sections.push(word),
                _ => return Err(format!("`{word}` is not one of {}", SECTIONS.join(", ")).into()),
            }
        }
        if plan.sections.is_empty() {
            plan.sections = SECTIONS.map(str::to_owned).to_vec();
        }
        Ok(plan)
    }

    fn measure(mut self) -> Result<bool, Failure> {
        let material = Material::prepare(&self.this)?;
        for section in self.sections.clone() {
            match section.as_str() {
                "hash" => self.hash(&material)?,
                "contracts" => self.contracts(&material)?,
                "records" => self.records(&material)?,
                _ => self.growth(&material)?,
            }
        }
        Ok(!self.missed)
    }

    fn hash(&mut self, material: &Material) -> Result<(), Failure> {
        let list = material.list.to_string_lossy().into_owned();
        let words = ["-0", "-a", &list, "-P2", "sha256sum"];
        self.against("hash_vs_sha256sum", "hash", &material.large, "xargs", &words)
    }

    fn contracts(&mut self, material: &Material) -> Result<(), Failure> {
        let schema = material.schema.to_string_lossy().into_owned();
        let documents: Vec<String> =
            material.documents.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let mut words = vec!["--schemafile", &schema];
        words.extend(documents.iter().map(String::as_str));
        let peer = env::var("CHECK_JSONSCHEMA").unwrap_or_else(|_| "check-jsonschema".to_owned());
        self.against("contracts_vs_check_jsonschema", "contracts", &material.large, &peer, &words)
    }

    fn records(&mut self, material: &Material) -> Result<(), Failure> {
        let typed = self.job("typed", &material.large);
        for job in ["events", "ledger"] {
            let ours = self.job(job, &material.large);
            let seen = pairs(&start(&ours), &start(&typed), self.pairs)?;
            let ratios = seen.iter().map(|(ours, peer)| ours / peer).collect();
            self.figure(&format!("{job}_vs_typed"), median(ratios));
            let bytes = material.record_bytes as f64;
            let allowed = |typed_ms: f64| (typed_ms / 0.7).max(bytes / RATE_BYTES_PER_MS);
            let parts = seen.iter().map(|(ours, peer)| ours / allowed(*peer)).collect();
            self.figure(&format!("{job}_to_goal"), median(parts));
            if let (_, Some(peak)) = start(&ours).peak()? {
                self.figure(&format!("{job}_peak_mb"), peak);
            }
        }
        Ok(())
    }

    fn growth(&mut self, material: &Material) -> Result<(), Failure> {
        for job in ["hash", "scan", "contracts"] {
            let (large, small) = (self.job(job, &material.large), self.job(job, &material.small));
            let seen = pairs(&start(&large), &start(&small), self.pairs)?;
            let ratios = seen.iter().map(|(large, small)| large / small).collect();
            self.figure(&format!("growth_{job}"), median(ratios));
            if let (_, Some(peak)) = start(&large).peak()? {
                self.figure(&format!("{job}_peak_mb_20000"), peak);
            }
        }
        Ok(())
    }

    fn against(
        &mut self,
        figure: &str,
        job: &str,
        folder: &Path,
        peer: &str,
        words: &[&str],
    ) -> Result<(), Failure> {
        if Command::new(peer).arg("--version").stdout(Stdio::null()).status().is_err() {
            say(&mut io::stdout(), &format!("{figure}: NOT MEASURED, `{peer}` is not installed\n"));
            self.missed = true;
            return Ok(());
        }
        let ours = self.job(job, folder);
        let theirs = Start { program: Path::new(peer), words, trials: 0 };
        let seen = pairs(&start(&ours), &theirs, self.pairs)?;
        let ratios = seen.iter().map(|(ours, peer)| ours / peer).collect();
        self.figure(figure, median(ratios));
        Ok(())
    }

    fn figure(&mut self, name: &str, value: f64) {
        let goal = GOALS.iter().find(|(goal, _, _)| *goal == name);
        let said = match goal {
            Some((_, most, unit)) if value > *most => {
                self.missed = true;
                format!("goal {most:.2} {unit}: MISSED")
            }
            Some((_, most, unit)) => format!("goal {most:.2} {unit}: reached"),
            None => "no goal".to_owned(),
        };
        say(&mut io::stdout(), &format!("{name}: {value:.2} ({said})\n"));
    }

    /// This program once more, for one piece of work.
    fn job(&self, job: &str, folder: &Path) -> Job {
        let words = ["--work", job, &folder.to_string_lossy()].map(str::to_owned);
        Job { program: self.this.clone(), words }
    }
}

struct Job {
    program: PathBuf,
    words: [String; 3],
}

/// Leaks three words per job, so that a start can borrow them for as long as it likes.
fn start(job: &Job) -> Start<'_> {
    let words: Vec<&str> = job.words.iter().map(String::as_str).collect();
    Start { program: &job.program, words: words.leak(), trials: 0 }
}

fn say(stream: &mut dyn Write, text: &str) {
    drop(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()));
}
