//! Compares a gate binary with raw libtest-mimic, pair by pair in one run, and fails when a stated goal is missed.
//!
//! `cargo bench --bench startup [-- list exact many cold] [--profile dev,tuned,release] [--pairs N]
//! [--evidence FOLDER]`. Under
//! `cargo test` it measures nothing. Ratios travel between machines, times do not: only ratios are published.
#![expect(clippy::disallowed_methods, reason = "a measurement times and starts other programs")]

#[path = "startup/evidence.rs"]
mod evidence;
#[path = "startup/measure.rs"]
mod measure;
#[path = "startup/sample.rs"]
mod sample;

use measure::{Start, children_cpu_s, median, pairs};
use sample::{Built, Sample};
use serde_json::json;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Whatever keeps a measurement from being made.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The goals: name of the figure, the most it may be, and its unit.
const GOALS: &[(&str, f64, &str)] = &[
    ("list_500_rust", 1.3, "x libtest-mimic"),
    ("exact_10_rust", 2.0, "x libtest-mimic"),
    ("exact_500_rust", 2.0, "x libtest-mimic"),
    ("many_10000_rust_ms_each", 0.5, "ms per gate"),
    // Ten times the gates may take ten times as long, and a third more for noise.
    ("many_growth_1000_to_10000", 13.0, "x for 10x gates"),
    ("many_10000_peak_mb", 150.0, "MB"),
    ("cold_portcullis_crates", 52.0, "crates"),
    ("cold_portcullis_cpu", 3.0, "x libtest-mimic"),
    ("cold_gates_crates", 85.0, "crates"),
];

const SECTIONS: [&str; 4] = ["list", "exact", "many", "cold"];
const PROFILES: [&str; 3] = ["dev", "tuned", "release"];
const DEFAULT_PAIRS: usize = 31;
/// Each is two builds from nothing.
const COLD_PAIRS: usize = 7;

/// One measured figure.
struct Figure {
    profile: String,
    name: String,
    value: f64,
    range: Option<(f64, f64)>,
}

impl Figure {
    fn goal(&self) -> Option<(f64, &'static str)> {
        GOALS.iter().find(|(name, _, _)| *name == self.name).map(|(_, most, unit)| (*most, *unit))
    }

    fn missed(&self) -> bool {
        self.goal().is_some_and(|(most, _)| self.value > most)
    }
}

struct Plan {
    checkout: PathBuf,
    sections: Vec<String>,
    profiles: Vec<String>,
    pairs: usize,
    evidence: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).collect::<Vec<_>>();
    let benchmark = words.iter().any(|word| word == "--bench");
    words.retain(|word| word != "--bench");
    if !benchmark {
        return ExitCode::SUCCESS;
    }
    match Plan::read(words).and_then(|plan| measured(&plan)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            say(&mut io::stderr(), &format!("not measured: {failure}\n"));
            ExitCode::from(2)
        }
    }
}

impl Plan {
    fn read(words: Vec<String>) -> Result<Self, Failure> {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize()?;
        let mut plan = Self {
            checkout,
            sections: Vec::new(),
            profiles: PROFILES.map(str::to_owned).to_vec(),
            pairs: DEFAULT_PAIRS,
            evidence: None,
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--profile" => {
                    let text = words.next().ok_or("`--profile` needs a value")?;
                    plan.profiles = text.split(',').map(str::to_owned).collect();
                }
                "--pairs" => {
                    plan.pairs = words.next().ok_or("`--pairs` needs a value")?.parse()?;
                }
                "--evidence" => {
                    let folder = words.next().ok_or("`--evidence` needs a folder")?;
                    plan.evidence = Some(plan.checkout.join(folder));
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

    fn has(&self, section: &str) -> bool {
        self.sections.iter().any(|wanted| wanted == section)
    }
}

fn measured(plan: &Plan) -> Result<bool, Failure> {
    let mut figures = Vec::new();
    if ["list", "exact", "many"].iter().any(|section| plan.has(section)) {
        warm(plan, &mut figures)?;
    }
    if plan.has("cold") {
        cold(plan, &mut figures)?;
    }
    publish(plan, &figures)?;
    Ok(!figures.iter().any(Figure::missed))
}

/// Everything but cold builds, in each profile.
fn warm(plan: &Plan, figures: &mut Vec<Figure>) -> Result<(), Failure> {
    let checkout = &plan.checkout;
    let mut members = vec![
        sample::mimic(checkout)?,
        sample::kinds(checkout)?,
        sample::rust_gates(checkout, "rust10", 10),
        sample::rust_gates(checkout, "rust500", 500),
    ];
    if plan.has("many") {
        members.push(sample::rust_gates(checkout, "rust1000", 1000));
        members.push(sample::rust_gates(checkout, "rust10000", 10_000));
    }
    let target = checkout.join("target/bench/startup");
    let sample = Sample::create(checkout, Some(&target), &members)?;
    for (name, rust, tables) in [("rust10", 10, 0), ("rust500", 500, 0), ("kinds", 0, 500)] {
        sample.configure(name, rust, tables)?;
    }
    if plan.has("many") {
        sample.configure("rust1000", 1000, 0)?;
        sample.configure("rust10000", 10_000, 0)?;
    }
    sample.commit()?;
    let mut programs = Vec::with_capacity(plan.profiles.len());
    for profile in &plan.profiles {
        say(&mut io::stderr(), &format!("building the sample in `{profile}`\n"));
        programs.push((profile, sample.build(profile)?));
    }
    sample.forget_runs()?;
    for (profile, built) in &programs {
        Seat { plan, sample: &sample, built, profile, figures }.starts()?;
    }
    // Last, because a file system that has just removed ten thousand runs is slow for every start after them.
    for (profile, built) in &programs {
        if plan.has("many") {
            Seat { plan, sample: &sample, built, profile, figures }.many()?;
        }
    }
    sample.forget_runs()
}

/// One profile of the sample, and where its figures go.
struct Seat<'a> {
    plan: &'a Plan,
    sample: &'a Sample,
    built: &'a Built,
    profile: &'a str,
    figures: &'a mut Vec<Figure>,
}

impl<'a> Seat<'a> {
    fn start(
        &self,
        member: &str,
        words: &'a [&'a str],
        trials: usize,
    ) -> Result<Start<'a>, Failure> {
        let program = self.built.executables.get(member).ok_or("a member has no test binary")?;
        Ok(Start { program, words, trials })
    }

    fn note(&mut self, name: &str, value: f64, range: Option<(f64, f64)>) {
        let figure =
            Figure { profile: self.profile.to_owned(), name: name.to_owned(), value, range };
        say(&mut io::stderr(), &line(&figure));
        self.figures.push(figure);
    }

    /// The median over the pairs of how much longer `a` takes than `b`.
    fn ratio(&mut self, name: &str, a: &Start<'_>, b: &Start<'_>) -> Result<(), Failure> {
        let ratios: Vec<f64> =
            pairs(a, b, self.plan.pairs)?.into_iter().map(|(a, b)| a / b).collect();
        let (low, high) = quartiles(&ratios);
        self.note(name, median(ratios), Some((low, high)));
        Ok(())
    }

    /// How many times the instructions of `b` the start `a` takes.
    fn instructions(&mut self, name: &str, a: &Start<'_>, b: &Start<'_>) -> Result<(), Failure> {
        match (a.instructions()?, b.instructions()?) {
            (Some(a), Some(b)) => self.note(name, a / b, None),
            (_, _) => say(&mut io::stderr(), "instructions: not counted without valgrind\n"),
        }
        Ok(())
    }

    fn starts(&mut self) -> Result<(), Failure> {
        const LIST: &[&str] = &["--list", "--format", "terse"];
        const EXACT: &[&str] = &["--exact", "g00250"];
        for (section, words) in [("list", LIST), ("exact", EXACT)] {
            if !self.plan.has(section) {
                continue;
            }
            let raw = self.start("mimic", words, 500)?;
            let rust = self.start("rust500", words, 500)?;
            let kinds = self.start("kinds", words, 500)?;
            // The same program against itself shows how much of a ratio is noise.
            self.ratio(&format!("{section}_500_control"), &raw, &raw)?;
            self.ratio(&format!("{section}_500_rust"), &rust, &raw)?;
            self.ratio(&format!("{section}_500_tables"), &kinds, &raw)?;
            self.instructions(&format!("{section}_500_rust_instructions"), &rust, &raw)?;
            self.sample.forget_runs()?;
        }
        if self.plan.has("exact") {
            const ALONE: &[&str] = &["--exact", "g00000"];
            let (raw, rust) = (self.start("mimic", ALONE, 10)?, self.start("rust10", ALONE, 10)?);
            self.ratio("exact_10_rust", &rust, &raw)?;
            self.instructions("exact_10_rust_instructions", &rust, &raw)?;
        }
        Ok(())
    }

    fn many(&mut self) -> Result<(), Failure> {
        let thousand = self.start("rust1000", &["-q"], 1000)?;
        let ten = self.start("rust10000", &["-q"], 10_000)?;
        let raw = self.start("mimic", &["-q"], 10_000)?;
        let (mut each, mut growth, mut peaks, mut against) = (vec![], vec![], vec![], vec![]);
        for _ in 0..3 {
            let small = thousand.wall_ms()?;
            // Runs are kept until the end: a file system that has just removed them is slow at making new ones.
            let (large, peak) = ten.peak()?;
            each.push(large / 10_000.0);
            growth.push(large / small);
            against.push(large / raw.wall_ms()?);
            peaks.extend(peak);
        }
        self.note("many_10000_rust_ms_each", median(each), None);
        self.note("many_growth_1000_to_10000", median(growth), None);
        self.note("many_10000_rust", median(against), None);
        self.sample.forget_runs()?;
        if peaks.is_empty() {
            say(&mut io::stderr(), "peak memory: not measured on this system\n");
        } else {
            self.note("many_10000_peak_mb", median(peaks), None);
        }
        Ok(())
    }
}

/// Cold builds in the dev profile: number of crates, and CPU time of cargo and all compilers together.
fn cold(plan: &Plan, figures: &mut Vec<Figure>) -> Result<(), Failure> {
    let checkout = &plan.checkout;
    let (mut bare, mut harness) = (None, None);
    let mut ratios = Vec::with_capacity(COLD_PAIRS);
    for n in 0..COLD_PAIRS {
        // The order alternates, as with starts.
        let mut one = |shelved: bool| -> Result<Option<f64>, Failure> {
            let (built, cpu_s) = if shelved {
                cold_build(checkout, sample::shelved(), true)?
            } else {
                cold_build(checkout, sample::mimic(checkout)?, false)?
            };
            *(if shelved { &mut harness } else { &mut bare }) = Some(built);
            Ok(cpu_s)
        };
        let (first, second) = (one(n % 2 == 1)?, one(n % 2 == 0)?);
        let (base, ours) = if n % 2 == 0 { (first, second) } else { (second, first) };
        ratios.extend(ours.zip(base).map(|(ours, base)| ours / base));
    }
    let (gates, _) = cold_build(checkout, sample::shipped(checkout), false)?;
    let mut note = |name: &str, value: f64, range: Option<(f64, f64)>| {
        let name = format!("cold_{name}");
        let figure = Figure { profile: "dev".to_owned(), name, value, range };
        say(&mut io::stderr(), &line(&figure));
        figures.push(figure);
    };
    for (name, built) in [("mimic", bare), ("portcullis", harness), ("gates", Some(gates))] {
        // The user's own package is not a dependency.
        let crates = built.map_or(0, |built| built.packages.len().saturating_sub(1));
        note(&format!("{name}_crates"), f64::from(u32::try_from(crates)?), None);
    }
    if ratios.is_empty() {
        say(&mut io::stderr(), "CPU time: not measured on this system\n");
    } else {
        let range = quartiles(&ratios);
        note("portcullis_cpu", median(ratios), Some(range));
    }
    Ok(())
}

/// Builds one sample from nothing, and says what that took, in seconds of the processor.
fn cold_build(
    checkout: &Path,
    member: (String, String, String),
    shelved: bool,
) -> Result<(sample::Built, Option<f64>), Failure> {
    let sample = Sample::create(checkout, None, &[member])?;
    if shelved {
        sample.shelve(checkout)?;
    }
    let before = children_cpu_s();
    let built = sample.build("dev")?;
    Ok((built, children_cpu_s().zip(before).map(|(after, before)| after - before)))
}

/// The first and third quartile.
fn quartiles(numbers: &[f64]) -> (f64, f64) {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    (median(sorted[..half].to_vec()), median(sorted[sorted.len() - half..].to_vec()))
}

fn line(figure: &Figure) -> String {
    let Figure { profile, name, value, range } = figure;
    let spread = range.map_or_else(String::new, |(low, high)| format!(" ({low:.2} to {high:.2})"));
    let verdict = match figure.goal() {
        Some((most, unit)) if figure.missed() => format!("  MISSED: at most {most} {unit}"),
        Some((most, unit)) => format!("  at most {most} {unit}"),
        None => String::new(),
    };
    format!("{profile:8} {name:30} {value:9.2}{spread}{verdict}\n")
}

/// Prints the table and leaves the same figures as JSON.
fn publish(plan: &Plan, figures: &[Figure]) -> Result<(), Failure> {
    let text: String = figures.iter().map(line).collect();
    say(&mut io::stdout(), &text);
    let rows: Vec<_> = figures
        .iter()
        .map(|figure| {
            json!({
                "profile": figure.profile,
                "name": figure.name,
                "value": figure.value,
                "quartiles": figure.range,
                "goal": figure.goal().map(|(most, _)| most),
                "missed": figure.missed(),
            })
        })
        .collect();
    if let Some(folder) = &plan.evidence {
        evidence::write(plan, figures, folder)?;
    }
    let folder = plan.checkout.join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let text =
        serde_json::to_string_pretty(&json!({ "pairs": plan.pairs, "figures": rows }))? + "\n";
    Ok(std::fs::write(folder.join("startup.json"), text)?)
}

fn say(stream: &mut dyn Write, text: &str) {
    drop(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()));
}
