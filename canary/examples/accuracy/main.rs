//! How often the canaries are wrong, measured: false alarms on recorded noise, beside a simple rule on the same noise,
//! change points on simulated series, and the time it takes. Leaves out what needs the paired runner.
//!
//! `cargo run --release -p portcullis-canary --example accuracy` prints the figures and writes
//! `evidence/canary_accuracy.json`; with `record` it records the noise anew, with `speed` it only measures
//! its own time and replaces that section, with `against_itself` it only draws unchanged sessions anew, and
//! `sessions <calibration.json>...` takes in what `canary calibrate` measured. `measured <sessions> <kernel>...`
//! measures sessions of unchanged and of added work and replaces those kernels in `evidence/canary_sessions.json`.
#![expect(clippy::disallowed_methods, reason = "a measurement times and starts other programs")]
#![expect(clippy::print_stdout, reason = "the figures are its output")]

mod measured;
mod noise;
mod replay;
mod series;
mod speed;
mod work;

use serde_json::{Value, json};
use std::{
    error::Error,
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
};

/// The seed of everything random here.
const SEED: u64 = 20_261_121;

fn main() -> ExitCode {
    let result = match std::env::args().nth(1).as_deref() {
        Some("record") => noise::record(&root().join("fixtures/canary/noise")),
        Some("speed") => again("speed", speed::measure()),
        Some("against_itself") => recorded()
            .and_then(|recorded| again("against_itself", replay::against_itself(&recorded, SEED))),
        Some("sessions") => sessions(&std::env::args().skip(2).collect::<Vec<_>>()),
        Some("measured") => measured(&std::env::args().skip(2).collect::<Vec<_>>()),
        Some(other) => Err(format!("`{other}` is no section that can be replaced").into()),
        None => all(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Replaces one section of the document.
fn again(section: &str, figures: Value) -> Result<(), Box<dyn Error>> {
    let path = root().join("evidence/canary_accuracy.json");
    let mut document: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    document[section] = figures;
    fs::write(path, serde_json::to_string_pretty(&document)? + "\n")?;
    Ok(())
}

/// Returns what a program says on one line; nothing it could not say is made up.
fn told_by(program: &str, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(program).args(arguments).current_dir(root()).output()?;
    if !output.status.success() {
        return Err(format!("`{program}` failed").into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The noise of every kernel.
fn recorded() -> Result<Vec<noise::Recorded>, Box<dyn Error>> {
    let folder = root().join("fixtures/canary/noise");
    noise::KERNELS.into_iter().map(|kernel| noise::read(&folder, kernel)).collect()
}

/// Takes in what `canary calibrate` measured: sessions of real processes or kernels, one document each.
fn sessions(files: &[String]) -> Result<(), Box<dyn Error>> {
    let mut rows = Vec::new();
    for file in files {
        let row: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
        if row["schema"] != "portcullis.canary_calibration.v1" {
            return Err(format!("{file} is no calibration").into());
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err("name the `calibration.json` of each".into());
    }
    again("sessions", Value::Array(rows))
}

/// Measures kernel after kernel, and writes after each: hours of measuring are not lost with the last one.
fn measured(words: &[String]) -> Result<(), Box<dyn Error>> {
    const SCHEMA: &str = "portcullis.canary_sessions.v1";
    let (sessions, kernels) =
        words.split_first().ok_or("say how many sessions, of which kernels")?;
    let path = root().join("evidence/canary_sessions.json");
    for name in kernels {
        let mut row =
            measured::kernel(name, sessions.parse()?, &root().join("fixtures/canary/sessions"))?;
        row["generated_at"] = told_by("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"])?.into();
        row["commit"] = told_by("git", &["rev-parse", "HEAD"])?.into();
        let mut document = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)?,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => json!({
                "schema": SCHEMA, "kernels": {},
                "command": "cargo run --release -p portcullis-canary --example accuracy -- measured <sessions> <kernel>",
            }),
            Err(source) => return Err(source.into()),
        };
        document["kernels"][name] = row;
        fs::write(&path, serde_json::to_string_pretty(&document)? + "\n")?;
    }
    Ok(())
}

fn all() -> Result<(), Box<dyn Error>> {
    let recorded = recorded()?;
    let document = json!({
        "schema": "portcullis.canary_accuracy.v1",
        "generated_at": told_by("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"])?,
        "source": {
            "commit": told_by("git", &["rev-parse", "HEAD"])?,
            "dirty": !told_by("git", &["status", "--porcelain", "--", "canary", "fixtures/canary"])?.is_empty(),
        },
        "seed": SEED,
        "noise": recorded.iter().map(noise::Recorded::describe).collect::<Vec<Value>>(),
        "speed": speed::measure(),
        "change_points": series::change_points(SEED),
        "thresholds": series::thresholds(SEED),
        "holm": replay::holm(&recorded, SEED),
        "compatibility": replay::beside_the_simple_rule(&recorded),
        "power": replay::power(&recorded, SEED),
        "run_level": replay::run_level(&recorded, SEED),
        "against_itself": replay::against_itself(&recorded, SEED),
        "not_measured_here": [
            "30,000 paired repeats of one build against itself: `canary calibrate`",
            "power against 5 % of injected work: `canary calibrate --inject 5`",
        ],
    });
    let text = serde_json::to_string_pretty(&document)? + "\n";
    fs::write(root().join("evidence/canary_accuracy.json"), text)?;
    Ok(())
}
