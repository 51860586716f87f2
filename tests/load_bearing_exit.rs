//! Load-bearing: what a process exits with proves nothing without its receipt. Real gate binary, real subcommand.

#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/run.rs"]
mod run;
#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/sample.rs"]
mod sample;
#[path = "false_green/subcommand.rs"]
mod subcommand;

use portcullis::wire::outcome::Effective;
use run::Run;
use sample::Case;

fn first(name: &'static str, fault: &str, code: i32) -> Run {
    let (mut command, run) = Case::new(name).fault(fault).args(["a_first", "--exact"]).bare();
    let run = run.ended(&command.output().expect("the gate binary starts"));
    run.said(code, &[]);
    run
}

#[test]
fn a_gate_that_passes_exits_0() {
    first("lb-exit-good", "", 0);
}

#[test]
fn a_process_that_exits_0_before_its_verdict_has_crashed() {
    let run = first("lb-exit-zero", "exit_zero", 0);
    run.decided("a_first", Effective::Crashed, "receipt_unsealed", 12);
    run.verified(&[], 12, &["a_first: crashed [receipt_unsealed]"]);
}

#[test]
fn a_failure_exits_101() {
    first("lb-exit-fail", "fail", 101).decided("a_first", Effective::Fail, "sample_violation", 12);
}

#[test]
fn a_panic_exits_101_and_is_no_failure() {
    first("lb-exit-panic", "panic", 101).decided("a_first", Effective::Error, "gate_panicked", 12);
}
