//! Measures what sealing a folder costs, against `xargs -P2 sha256sum` over the same files, pair by pair in one run.
//!
//! `cargo bench --bench seal [-- --pairs N] [--files N]`. It builds the subcommand in release, and writes its files below the
//! target directory once. Under `cargo test` it measures nothing. Each figure is the median of ratios of starts that ran
//! in turn; a goal that is missed is the exit code.
#![expect(clippy::disallowed_methods, reason = "a measurement times and starts other programs")]

#[path = "seal/folders.rs"]
mod folders;
#[path = "startup/measure.rs"]
#[expect(dead_code, reason = "instructions and CPU time are the business of other measurements")]
mod measure;

use folders::{Folder, SECRETS, prepare};
use measure::{Start, median};
use std::{
    collections::BTreeMap,
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

/// Whatever keeps a measurement from being made.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The goals: name of the figure, the most it may be, and its unit.
const GOALS: &[(&str, f64, &str)] = &[
    ("seal_vs_sha256sum", 1.0, "x `xargs -P2 sha256sum`"),
    ("verify_vs_sha256sum", 1.0, "x two `sha256sum -c`"),
    // Five times faster.
    ("reseal_vs_first", 0.2, "x the first seal"),
    ("seal_peak_mb", 100.0, "MB"),
    ("verify_peak_mb", 100.0, "MB"),
    // Ten times the work may take ten times as long, and a third more for noise.
    ("growth_seal", 13.0, "x for 10x files"),
    ("growth_reseal", 13.0, "x for 10x files"),
    ("growth_verify", 13.0, "x for 10x files"),
];
const DEFAULT_PAIRS: usize = 7;
const DEFAULT_FILES: usize = 20_000;
/// Longer than the coarsest clock of a file system: what changed just now is never taken from the cache.
const SETTLE: Duration = Duration::from_millis(3_000);

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    if !env::args().any(|word| word == "--bench") {
        return ExitCode::SUCCESS;
    }
    match measured(words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            say(&mut io::stderr(), &format!("not measured: {failure}\n"));
            ExitCode::from(2)
        }
    }
}

fn measured(words: Vec<String>) -> Result<bool, Failure> {
    let (mut rounds, mut files) = (DEFAULT_PAIRS, DEFAULT_FILES);
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let number = words.next().ok_or_else(|| format!("`{word}` needs a value"))?.parse()?;
        match word.as_str() {
            "--pairs" => rounds = number,
            "--files" => files = number,
            _ => return Err(format!("`{word}` is neither `--pairs` nor `--files`").into()),
        }
    }
    let program = subcommand()?;
    let target = target_dir()?;
    let large = prepare(&target.join("bench/seal/large"), files)?;
    let small = prepare(&target.join("bench/seal/small"), files / 10)?;
    std::thread::sleep(SETTLE);
    let mut figures = Figures::default();
    for round in 0..=rounds {
        let seen = Round::run(&program, &large, &small, round % 2 == 0)?;
        // The first round fills the caches of the system.
        if round > 0 {
            seen.note(&mut figures);
        }
    }
    for (name, words) in
        [("seal_peak_mb", &["seal", "--reseal", "--certify"][..]), ("verify_peak_mb", &["verify"])]
    {
        let words = large.words(&program, words, &[]);
        let (_, peak) = start(&words).peak()?;
        peak.into_iter().for_each(|peak| figures.note(name, peak));
    }
    say(&mut io::stdout(), &format!("{} files, {} MB\n", large.files, large.bytes / 1_000_000));
    Ok(figures.publish())
}

/// One round: everything once, in turn.
#[derive(Default)]
struct Round(BTreeMap<&'static str, f64>);

impl Round {
    fn run(
        program: &Path,
        large: &Folder,
        small: &Folder,
        ours_first: bool,
    ) -> Result<Self, Failure> {
        let mut round = Self::default();
        let first = |round: &mut Self| {
            large.unseal()?;
            round.time("first", &large.words(program, &["seal"], &[]))
        };
        if ours_first {
            first(&mut round)?;
            round.time("sums", &large.sums())?;
        } else {
            round.time("sums", &large.sums())?;
            first(&mut round)?;
        }
        round.time("again", &large.words(program, &["seal", "--reseal"], &[]))?;
        round.time("certify", &large.words(program, &["seal", "--reseal", "--certify"], &[]))?;
        round
            .time("secrets", &large.words(program, &["seal", "--reseal", "--certify"], SECRETS))?;
        round.time("verify", &large.words(program, &["verify"], &[]))?;
        round.time("check", &large.check_sums())?;
        small.unseal()?;
        round.time("small_first", &small.words(program, &["seal"], &[]))?;
        round.time("small_again", &small.words(program, &["seal", "--reseal"], &[]))?;
        round.time("small_verify", &small.words(program, &["verify"], &[]))?;
        Ok(round)
    }

    fn time(&mut self, name: &'static str, words: &[String]) -> Result<(), Failure> {
        self.0.insert(name, start(words).wall_ms()?);
        Ok(())
    }

    fn note(&self, figures: &mut Figures) {
        for (name, a, b) in [
            ("seal_vs_sha256sum", "first", "sums"),
            ("certify_vs_sha256sum", "certify", "sums"),
            ("verify_vs_sha256sum", "verify", "check"),
            ("reseal_vs_first", "again", "first"),
            ("known_secrets_vs_none", "secrets", "certify"),
            ("seal_vs_verify", "certify", "verify"),
            ("growth_seal", "first", "small_first"),
            ("growth_reseal", "again", "small_again"),
            ("growth_verify", "verify", "small_verify"),
        ] {
            if let (Some(a), Some(b)) = (self.0.get(a), self.0.get(b)) {
                figures.note(name, a / b);
            }
        }
    }
}

/// The figures, each with what every round said.
#[derive(Default)]
struct Figures(BTreeMap<&'static str, Vec<f64>>);

impl Figures {
    fn note(&mut self, name: &'static str, value: f64) {
        self.0.entry(name).or_default().push(value);
    }

    /// Prints them, and returns whether every goal is reached. A goal of which nothing was measured is missed.
    fn publish(mut self) -> bool {
        let mut reached = true;
        for (name, _, _) in GOALS {
            self.0.entry(name).or_default();
        }
        for (name, values) in self.0 {
            let goal = GOALS.iter().find(|(goal, _, _)| *goal == name);
            if values.is_empty() {
                say(&mut io::stdout(), &format!("{name}: NOT MEASURED\n"));
                reached = false;
                continue;
            }
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(0.0, f64::max);
            let value = median(values);
            let said = match goal {
                Some((_, most, unit)) if value > *most => {
                    reached = false;
                    format!("goal {most:.2} {unit}: MISSED")
                }
                Some((_, most, unit)) => format!("goal {most:.2} {unit}: reached"),
                None => "no goal".to_owned(),
            };
            say(
                &mut io::stdout(),
                &format!("{name}: {value:.2}, {low:.2} to {high:.2} ({said})\n"),
            );
        }
        reached
    }
}

/// Builds the subcommand as users install it, but for the object stores, which have no part in this.
fn subcommand() -> Result<PathBuf, Failure> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "cargo-portcullis",
            "--no-default-features",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !built.success() {
        return Err("the subcommand could not be built".into());
    }
    let program =
        target_dir()?.join("release").join(format!("cargo-portcullis{}", env::consts::EXE_SUFFIX));
    Ok(program)
}

fn target_dir() -> Result<PathBuf, Failure> {
    let this = env::current_exe()?;
    Ok(this.ancestors().nth(3).ok_or("the program is not in a target directory")?.to_path_buf())
}

/// A start of `env` with these words: nothing of the caller's environment counts, least of all its secrets.
fn start(words: &[String]) -> Start<'static> {
    // Leaks a few words per start, so that it can borrow them for as long as it likes.
    let words: Vec<&'static str> = words.iter().map(|word| &*word.clone().leak()).collect();
    Start { program: Path::new("env"), words: words.leak(), trials: 0 }
}

fn say(stream: &mut dyn Write, text: &str) {
    drop(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()));
}
