//! Load-bearing: a sealed run that somebody touched is refused. Real gate binary, real subcommand.

#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/run.rs"]
mod run;
#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/sample.rs"]
mod sample;
#[path = "false_green/subcommand.rs"]
mod subcommand;

use run::Run;
use sample::{Case, write};
use std::fs;

fn sealed(name: &'static str) -> Run {
    let run = Case::new(name).sealed();
    run.said(0, &["portcullis: PASS"]).verified(&[], 0, &[]);
    run
}

fn edit(run: &Run, file: &str, from: &str, to: &str) {
    let path = run.path().join(file);
    let text = fs::read_to_string(&path).expect("a file of the run");
    assert!(text.contains(from), "{file}: {text}");
    write(&path, &text.replace(from, to));
}

#[test]
fn another_decision_is_found() {
    let run = sealed("lb-tamper-decision");
    edit(&run, "decision.json", "not_selected", "not_selectee");
    run.verified(&[], 12, &["digest_mismatch", "decision.json"]);
}

#[test]
fn another_verdict_is_found() {
    let run = sealed("lb-tamper-verdict");
    edit(&run, "gates/a_first/attempt-1/verdict.json", "a_first", "a_frist");
    run.verified(&[], 12, &["digest_mismatch"]);
}

#[test]
fn a_file_that_nobody_hashed_is_found() {
    let run = sealed("lb-tamper-more");
    write(&run.path().join("views/more.json"), "{}\n");
    run.verified(&[], 12, &["file_unhashed", "views/more.json"]);
}

#[test]
fn a_run_without_its_manifest_is_refused() {
    let run = sealed("lb-tamper-manifest");
    fs::remove_file(run.path().join("manifest.json")).expect("removed");
    run.verified(&[], 12, &["manifest.json"]);
}
