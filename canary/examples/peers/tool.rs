//! The tools: how each compares the two binaries of a pair, and what it answers.

use crate::{COMMENT_PCT, Failure, RUNS, said, work::MODE, work::Pair};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A tool, and where it is.
pub(crate) enum Tool {
    /// `cargo portcullis canary measure`, then `compare`.
    Portcullis(PathBuf),
    /// A bench that saves a baseline, then the other that is held against it.
    Criterion,
    /// Two commands, and the ratio of their means.
    Hyperfine(PathBuf),
    /// Two files of many processes, and `compare_to`, which tests for significance. The folder is that of its package.
    Pyperf(PathBuf),
}

/// What a tool says of the second binary.
pub(crate) enum Answer {
    /// It is slower.
    Slower,
    /// Nothing.
    Silent,
    /// That it could not be told.
    None,
}

impl Tool {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Portcullis(_) => "portcullis",
            Self::Criterion => "criterion",
            Self::Hyperfine(_) => "hyperfine",
            Self::Pyperf(_) => "pyperf",
        }
    }

    pub(crate) fn version(&self) -> Result<String, Failure> {
        match self {
            Self::Portcullis(program) | Self::Hyperfine(program) => {
                let text = said(Command::new(program).arg("--version"))?;
                Ok(text.lines().next().unwrap_or_default().to_owned())
            }
            Self::Criterion => {
                // The lock file says which one this program is built with.
                let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
                let text = fs::read_to_string(lock)?;
                let (_, rest) = text.split_once("name = \"criterion\"\n").ok_or("no criterion")?;
                let version = rest.lines().next().and_then(|line| line.split('"').nth(1));
                Ok(format!("criterion {}", version.ok_or("no version of criterion")?))
            }
            Self::Pyperf(folder) => {
                let code = "import pyperf; print('pyperf', pyperf.__version__)";
                said(Command::new("python3").env("PYTHONPATH", folder).args(["-c", code]))
            }
        }
    }

    pub(crate) fn compare(&self, pair: &Pair, session: &str) -> Result<Answer, Failure> {
        match self {
            Self::Portcullis(program) => portcullis(program, pair, session),
            Self::Criterion => criterion(pair),
            Self::Hyperfine(program) => hyperfine(program, pair),
            Self::Pyperf(folder) => pyperf(folder, pair),
        }
    }
}

/// Ours: slower is what is proven to be so by `comment_pct`. What cannot be judged, and what was too noisy for the change
/// that is looked for, is no answer.
fn portcullis(program: &Path, pair: &Pair, session: &str) -> Result<Answer, Failure> {
    let canary = |words: &[&str]| -> Result<(Option<i32>, Value), Failure> {
        let output = Command::new(program)
            .arg("canary")
            .args(words)
            .args(["--format", "json"])
            .current_dir(&pair.repository)
            .env("PORTCULLIS_RUN_ID", session)
            .env(MODE, "work")
            .env_remove("CARGO_TARGET_DIR")
            .output()?;
        let document = serde_json::from_slice(&output.stdout)
            .map_err(|source| format!("{source}: {}", String::from_utf8_lossy(&output.stderr)))?;
        Ok((output.status.code(), document))
    };
    canary(&["measure", "work", "--base-ref", "main"])?;
    let (code, document) = canary(&["compare", "work"])?;
    fs::remove_dir_all(pair.repository.join("target/portcullis/runs").join(session))?;
    let codes = document["decision"]["reasons"].as_array().ok_or("no reasons")?;
    let says = |code: &str| codes.iter().any(|reason| reason["code"] == code);
    match code {
        Some(12) => Ok(Answer::None),
        Some(0 | 15) if says("regression_proven") => Ok(Answer::Slower),
        Some(0 | 15) if says("inconclusive") => Ok(Answer::None),
        Some(0 | 15) => Ok(Answer::Silent),
        _ => Err(format!("{code:?}: {document}").into()),
    }
}

/// criterion's own sentence, at its own threshold.
fn criterion(pair: &Pair) -> Result<Answer, Failure> {
    let home = pair.scratch.join("criterion");
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    let run = |program: &Path, words: [&str; 2]| {
        let mut command = Command::new(program);
        command.env(MODE, "criterion").env("CRITERION_HOME", &home).arg("--bench");
        said(command.args(["--noplot"]).args(words).current_dir(&pair.scratch))
    };
    run(&pair.base, ["--save-baseline", "base"])?;
    let text = run(&pair.candidate, ["--baseline", "base"])?;
    Ok(answer(text.contains("Performance has regressed")))
}

/// What a reader of hyperfine's table does: the means, compared.
fn hyperfine(program: &Path, pair: &Pair) -> Result<Answer, Failure> {
    let file = pair.scratch.join("hyperfine.json");
    let runs = RUNS.to_string();
    said(
        Command::new(program)
            .args(["--shell=none", "--style", "none", "--warmup", "3", "--runs", &runs])
            .arg("--export-json")
            .arg(&file)
            .args([&pair.base, &pair.candidate])
            .env(MODE, "work"),
    )?;
    let document: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
    let mean = |side: usize| document["results"][side]["mean"].as_f64().ok_or("no mean");
    Ok(answer(mean(1)? / mean(0)? - 1.0 >= COMMENT_PCT as f64 / 100.0))
}

/// pyperf's own test of significance, and changes below the percentage left out as it offers.
fn pyperf(folder: &Path, pair: &Pair) -> Result<Answer, Failure> {
    let python = || {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", folder).env(MODE, "work").current_dir(&pair.scratch);
        python.args(["-m", "pyperf"]);
        python
    };
    for (program, name) in [(&pair.base, "base.json"), (&pair.candidate, "candidate.json")] {
        let file = pair.scratch.join(name);
        if file.exists() {
            fs::remove_file(&file)?;
        }
        // Each worker and each value starts an interpreter, so that most runs are the loops of a value.
        let values = (RUNS / 4 / 5).to_string();
        said(
            python()
                .args(["command", "--quiet", "--processes", "4", "--values", &values])
                .args(["--warmups", "1", "--loops", "5", "--name", "work"])
                .args(["--inherit-environ", &format!("{MODE},PYTHONPATH"), "-o", name, "--"])
                .arg(program),
        )?;
    }
    let percent = COMMENT_PCT.to_string();
    let words = ["compare_to", "base.json", "candidate.json", "--min-speed", &percent];
    let text = said(python().args(words))?;
    Ok(answer(text.contains("slower")))
}

fn answer(is_slower: bool) -> Answer {
    if is_slower { Answer::Slower } else { Answer::Silent }
}
