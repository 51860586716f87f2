//! Measures `cargo portcullis` at scale: shards merged, runs looked back on, and what `run` adds to nextest.
//!
//! `cargo bench --bench scale [-- merge history run] [--pairs N] [--program FILE]`. The program is built with the profile
//! `release`, unless one is named. Under `cargo test` it measures nothing. The shards are made here: a thousand sealed run directories of a thousand outcomes.
#![expect(clippy::disallowed_methods, reason = "a measurement times and starts other programs")]

#[path = "startup/measure.rs"]
#[expect(dead_code, reason = "shared with the other measurements, each of which uses a part")]
mod measure;
#[path = "scale/shards.rs"]
mod shards;

use measure::{Start, median, pairs};
use shards::Made;
use std::{
    fmt::Write as _,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Whatever keeps a measurement from being made.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The goals: name of the figure, the most it may be, and its unit.
const GOALS: &[(&str, f64, &str)] = &[
    ("merge_1000x1000_peak_mb", 200.0, "MB"),
    // Ten times the outcomes may take ten times as long, and a third more for noise.
    ("merge_growth_100_to_1000_shards", 13.0, "x for 10x outcomes"),
    ("history_1m_lines_peak_mb", 200.0, "MB"),
    ("run_600_over_nextest_ms", 500.0, "ms beyond 10 % over nextest"),
];
const SECTIONS: [&str; 3] = ["merge", "history", "run"];
const DEFAULT_PAIRS: usize = 11;
const TESTS: usize = 600;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).collect::<Vec<_>>();
    let benchmark = words.iter().any(|word| word == "--bench");
    words.retain(|word| word != "--bench");
    if !benchmark {
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
    let (mut sections, mut n_pairs, mut program) = (Vec::new(), DEFAULT_PAIRS, None);
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--pairs" => n_pairs = words.next().ok_or("`--pairs` needs a value")?.parse()?,
            "--program" => {
                let file = words.next().ok_or("`--program` needs a file")?;
                program = Some(Path::new(&file).canonicalize()?);
            }
            section if SECTIONS.contains(&section) => sections.push(word),
            _ => return Err(format!("`{word}` is not one of {}", SECTIONS.join(", ")).into()),
        }
    }
    let has = |section: &str| sections.is_empty() || sections.iter().any(|one| one == section);
    let program = program.map_or_else(built, Ok)?;
    let mut good = true;
    if has("merge") || has("history") {
        good &= merges(&program, has("merge"), has("history"))?;
    }
    if has("run") {
        good &= runs(&program, n_pairs)?;
    }
    Ok(good)
}

/// Builds the program and returns its path.
fn built() -> Result<PathBuf, Failure> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = std::env::var_os("CARGO").ok_or("started without cargo")?;
    let words = ["build", "--release", "-p", "cargo-portcullis", "--message-format", "json"];
    let output = Command::new(cargo).args(words).current_dir(checkout).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let path = said.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    path.ok_or_else(|| "cargo names no program".into())
}

fn merges(program: &Path, merge: bool, history: bool) -> Result<bool, Failure> {
    let folder = tempfile::tempdir()?;
    std::env::set_current_dir(folder.path())?;
    fs::write("portcullis.toml", shards::POLICY)?;
    let mut good = true;
    let mut times = Vec::new();
    for n in [100, 1_000] {
        let made = Made::new(&folder.path().join(format!("shards-{n}")), n, 1_000)?;
        let dir = made.folder.to_str().ok_or("a path")?;
        if merge {
            let start = Start { program, words: &["merge", dir], trials: 0 };
            let (ms, peak) = start.peak()?;
            times.push(ms);
            let name = format!("merge_{n}x1000_peak_mb");
            good &= figure(&name, peak.ok_or("the system tells no peak")?)?;
            figure(&format!("merge_{n}x1000_s"), ms / 1000.0)?;
        }
        if history && n == 1_000 {
            let mut words = vec!["history", "--format", "json"];
            let dirs: Vec<String> = made.dirs.iter().map(|dir| dir.display().to_string()).collect();
            words.extend(dirs.iter().map(String::as_str));
            let (ms, peak) = Start { program, words: &words, trials: 0 }.peak()?;
            good &= figure("history_1m_lines_peak_mb", peak.ok_or("the system tells no peak")?)?;
            figure("history_1m_lines_s", ms / 1000.0)?;
        }
    }
    if let [small, large] = times.as_slice() {
        good &= figure("merge_growth_100_to_1000_shards", large / small)?;
    }
    Ok(good)
}

/// A package of trivial tests, under nextest alone and under `run`, in turn.
fn runs(program: &Path, n_pairs: usize) -> Result<bool, Failure> {
    let folder = tempfile::tempdir()?;
    std::env::set_current_dir(folder.path())?;
    let mut tests = String::new();
    for n in 0..TESTS {
        writeln!(tests, "#[test]\nfn trivial_{n:03}() {{}}")?;
    }
    fs::create_dir_all("src")?;
    fs::write("src/lib.rs", tests)?;
    fs::write(
        "Cargo.toml",
        "[workspace]\n[package]\nname = \"many\"\nversion = \"0.0.0\"\nedition = \"2024\"\n",
    )?;
    fs::write("portcullis.toml", "[policy]\nversion = 1\nowner = \"bench\"\n")?;
    let cargo = std::env::var_os("CARGO").ok_or("started without cargo")?;
    let nextest = Start { program: Path::new(&cargo), words: &["nextest", "run"], trials: 0 };
    let ours = Start { program, words: &["run", "--kind", "unit"], trials: 0 };
    let seen = pairs(&nextest, &ours, n_pairs)?;
    let beyond = seen.iter().map(|(theirs, ours)| ours - theirs * 1.1).collect();
    figure("run_600_nextest_ms", median(seen.iter().map(|(theirs, _)| *theirs).collect()))?;
    figure("run_600_ms", median(seen.iter().map(|(_, ours)| *ours).collect()))?;
    figure("run_600_over_nextest_ms", median(beyond))
}

/// Prints a figure with its goal, and returns whether the goal is met.
fn figure(name: &str, value: f64) -> Result<bool, Failure> {
    let goal = GOALS.iter().find(|(goal, _, _)| *goal == name);
    let (rest, good) = match goal {
        None => (String::new(), true),
        Some((_, most, unit)) => {
            let met = value <= *most;
            let word = if met { "met" } else { "MISSED" };
            (format!("  at most {most} {unit}: {word}"), met)
        }
    };
    say(&mut io::stdout(), &format!("{name:<34} {value:>10.1}{rest}\n"));
    Ok(good)
}

fn say(out: &mut dyn Write, text: &str) {
    // Whoever closed the terminal does not want to know.
    drop(out.write_all(text.as_bytes()));
}
