//! Load-bearing: a receipt is whole, of this gate and of this run, or nobody knows. Real gate binary, real subcommand.

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
use std::fs;

fn sealed(name: &'static str) -> Run {
    let run = Case::new(name).sealed();
    run.said(0, &["portcullis: PASS"]).verified(&[], 0, &[]);
    run
}

#[test]
fn a_verdict_without_a_start_counts_for_nothing() {
    let run = sealed("lb-receipts-start");
    fs::remove_file(run.path().join("gates/a_first/attempt-1/started.json")).expect("removed");
    run.verified(&["--full"], 12, &["receipt_without_start"]);
}

#[test]
fn a_missing_verdict_is_a_crash() {
    let run = sealed("lb-receipts-verdict");
    fs::remove_file(run.path().join("gates/a_first/attempt-1/verdict.json")).expect("removed");
    run.verified(&["--full"], 12, &["receipt_unsealed"]);
}

#[test]
fn a_receipt_of_another_gate_is_foreign() {
    let run = sealed("lb-receipts-foreign");
    let of = |gate: &str| run.path().join(format!("gates/{gate}/attempt-1/verdict.json"));
    fs::copy(of("b_second"), of("a_first")).expect("copied");
    run.verified(&["--full"], 12, &["receipt_foreign"]);
}

#[test]
fn a_torn_receipt_is_invalid() {
    let run = sealed("lb-receipts-torn");
    let path = run.path().join("gates/a_first/attempt-1/verdict.json");
    let text = fs::read_to_string(&path).expect("a verdict");
    sample::write(&path, &text[..text.len() / 2]);
    run.verified(&["--full"], 12, &["receipt_invalid"]);
}
