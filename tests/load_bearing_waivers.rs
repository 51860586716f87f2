//! Load-bearing: a waiver excuses its own gate, until its last day, and nothing else. Real gate binary.

#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/run.rs"]
mod run;
#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/sample.rs"]
mod sample;
#[path = "false_green/subcommand.rs"]
mod subcommand;

use run::Run;
use sample::Case;

fn on_main(name: &'static str, fault: &str, gate: &str, now: &str) -> Run {
    let (mut command, run) = Case::new(name).fault(fault).args([gate, "--exact"]).bare();
    command.envs([("PORTCULLIS_NOW", now), ("PORTCULLIS_LANE", "main")]);
    run.ended(&command.output().expect("the gate binary starts"))
}

#[test]
fn a_waived_failure_is_told_and_does_not_block() {
    on_main("lb-waivers", "second_fails", "b_second", sample::NOW).said(0, &["waived"]);
}

#[test]
fn a_failure_of_another_gate_blocks() {
    on_main("lb-waivers-other", "fail", "a_first", sample::NOW).said(101, &["sample_violation"]);
}

#[test]
fn an_expired_waiver_excuses_nothing() {
    let late = "2099-07-01T00:00:00Z";
    on_main("lb-waivers-late", "second_fails", "b_second", late).said(101, &["waiver_expired"]);
}

#[test]
fn a_waiver_of_tomorrow_excuses_nothing_today() {
    let early = "2099-05-04T12:00:00Z";
    on_main("lb-waivers-early", "second_fails", "b_second", early).said(101, &["sample_violation"]);
}
