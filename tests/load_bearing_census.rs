//! Load-bearing: a gate that did not run is missing, whatever cargo says. Real gate binary, real subcommand.

#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/run.rs"]
mod run;
#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/sample.rs"]
mod sample;
#[path = "false_green/subcommand.rs"]
mod subcommand;

use sample::{Case, NO_AGGREGATES};

#[test]
fn the_whole_census_is_there() {
    Case::new("lb-census").sealed().said(0, &["portcullis: PASS"]).verified(&["--full"], 0, &[]);
}

#[test]
fn a_gate_that_is_left_out_is_missing() {
    let words = ["--skip", "b_second"].into_iter().chain(NO_AGGREGATES);
    let run = Case::new("lb-census-skip").args(words).sealed();
    run.said(0, &[]).verified(&["--full"], 12, &["census_gate_missing", "b_second"]);
}

#[test]
fn a_gate_of_another_name_runs_nothing() {
    let (mut command, run) = Case::new("lb-census-name").args(["a_frist", "--exact"]).bare();
    let run = run.ended(&command.output().expect("the gate binary starts"));
    run.said(3, &["filter_matched_nothing", "did you mean `a_first`"]);
}
