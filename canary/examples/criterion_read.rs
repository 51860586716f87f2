//! Measures what reading criterion's directory costs: `cargo run --release -p portcullis-canary --example criterion_read`.
//!
//! The directory is made in memory, 100 samples per bench, so that the figure is that of reading and not of a disk.
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use portcullis_canary::{
    Arm,
    adapter::{Adapter, Input, Settings, read},
};
use std::{
    error::Error,
    io::{Write as _, stdout},
    time::Instant,
};

/// What 1,000 directories may cost, in seconds of one core.
const GOAL_S: f64 = 2.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut figures = Vec::new();
    for benches in [1_000, 10_000] {
        let inputs = directory(benches);
        let bytes: usize = inputs.iter().map(|input| input.bytes.len()).sum();
        let start = Instant::now();
        let reading = read(Adapter::CriterionDir, inputs, &Settings::of(Arm::Candidate));
        let seconds = start.elapsed().as_secs_f64();
        if reading.series.len() != benches || !reading.problems.is_empty() {
            return Err(format!("{} of {benches} benches were read", reading.series.len()).into());
        }
        writeln!(stdout(), "{benches} directories, {bytes} bytes: {seconds:.3} s")?;
        figures.push(seconds);
    }
    let [small, large] = figures[..] else { return Err("two figures".into()) };
    writeln!(
        stdout(),
        "goal for 1000: {GOAL_S} s; ten times as many take {:.1} times as long",
        large / small
    )?;
    Ok(())
}

fn directory(benches: usize) -> Vec<Input> {
    let mut inputs = Vec::with_capacity(benches * 4);
    for bench in 0..benches {
        let iters: Vec<String> = (1..=100).map(|n| format!("{}.0", n * 298)).collect();
        let times: Vec<String> =
            (1..=100).map(|n| format!("{}.5", n * 298 * (431 + bench % 7))).collect();
        let files = [
            ("benchmark.json", format!("{{\"group_id\":\"g\",\"function_id\":null,\"full_id\":\"g/{bench}\"}}")),
            (
                "sample.json",
                format!(
                    "{{\"sampling_mode\":\"Linear\",\"iters\":[{}],\"times\":[{}]}}",
                    iters.join(","),
                    times.join(",")
                ),
            ),
            (
                "estimates.json",
                "{\"median\":{\"confidence_interval\":{\"confidence_level\":0.95,\"lower_bound\":430.1,\"upper_bound\":432.2},\"point_estimate\":431.0,\"standard_error\":0.1},\"slope\":null}".to_owned(),
            ),
            ("tukey.json", "[1.0,2.0,3.0,4.0]".to_owned()),
        ];
        for (name, text) in files {
            let path = format!("g/{bench}/new/{name}");
            inputs.push(Input { path, bytes: text.into_bytes(), modified_ms: None });
        }
    }
    inputs
}
