//! Load-bearing: a replay runs the one gate that it names, red or green, or says that it ran nothing. Real gate binary.

#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/run.rs"]
mod run;
#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/sample.rs"]
mod sample;
#[path = "false_green/subcommand.rs"]
mod subcommand;

use portcullis::kernel::replay::Replay;
use run::Run;
use sample::Case;

fn replayed(name: &'static str, fault: &str, gate: &str) -> Run {
    let words = Replay::gate("gates", gate, &[]).render();
    let (_, args) = words.split_once(" -- ").expect("words for the gate binary");
    let (mut command, run) = Case::new(name).fault(fault).args(args.split_whitespace()).bare();
    run.ended(&command.output().expect("the gate binary starts"))
}

#[test]
fn a_green_gate_is_replayed_alone() {
    replayed("lb-replay-green", "", "a_first").said(0, &["1 passed"]);
}

#[test]
fn a_red_gate_is_red_again() {
    replayed("lb-replay-red", "fail", "a_first").said(101, &["sample_violation", "1 failed"]);
}

#[test]
fn a_neighbour_of_a_red_gate_is_green() {
    replayed("lb-replay-other", "fail", "c_third").said(0, &["1 passed"]);
}

#[test]
fn a_gate_that_is_gone_is_not_replayed_as_green() {
    replayed("lb-replay-gone", "", "z_gone").said(3, &["filter_matched_nothing"]);
}
