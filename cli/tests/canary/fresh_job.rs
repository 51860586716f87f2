//! `confirm = "fresh_job"`: a failure is measured again by another job of the same run, and stays one unless that refutes it.

use super::{FAST, PAIRED, Repo, says};
use serde_json::Value;
use std::fs;

const RUN: &[(&str, &str)] = &[("PORTCULLIS_RUN_ID", "r1")];
const MEASURE: &[&str] = &["measure", "c", "--base-ref", "main"];
/// Slow until a file is there.
const SLOW_AT_FIRST: &str = "[ -e target/calm ] && sleep 0.02 || sleep 1.2; echo done";

fn repo(candidate: &str) -> Repo {
    Repo::new(&format!("{PAIRED}confirm = 'fresh_job'\n"), FAST, candidate)
}

#[test]
fn a_failure_that_comes_back_in_a_fresh_job_stays_one() {
    let repo = repo(SLOW_AT_FIRST);
    repo.ends_with(MEASURE, RUN, 0);
    says(&repo.ends_with(&["compare", "c"], RUN, 15), "regression_over_fail");
    says(&repo.ends_with(MEASURE, RUN, 0), "confirmation.json");
    let text = repo.ends_with(&["compare", "c"], RUN, 15);
    assert!(!text.contains("unconfirmed"), "{text}");
    // A third measurement of the same run would be a retry until one is pleasant.
    repo.ends_with(MEASURE, RUN, 3);
}

#[test]
fn a_failure_that_a_fresh_job_does_not_see_is_told_as_unconfirmed() {
    let repo = repo(SLOW_AT_FIRST);
    repo.ends_with(MEASURE, RUN, 0);
    repo.put("target/calm", "");
    repo.ends_with(MEASURE, RUN, 0);
    says(&repo.ends_with(&["compare", "c"], RUN, 0), "unconfirmed");
    // The second has to be of the same commit: one that was taken of other code refutes nothing.
    let path = "target/portcullis/runs/r1/canary/c/confirmation.json";
    let text = fs::read_to_string(repo.path(path)).expect("a second measurement");
    let mut second: Value = serde_json::from_str(&text).expect("a document");
    second["commit"] = "0".repeat(40).into();
    repo.put(path, &second.to_string());
    says(&repo.ends_with(&["compare", "c"], RUN, 12), "measurement_stale");
}

#[test]
fn what_did_not_fail_or_is_of_another_commit_is_not_measured_twice() {
    let calm = repo(FAST);
    calm.ends_with(MEASURE, RUN, 0);
    calm.ends_with(MEASURE, RUN, 3);
    let failed = repo(SLOW_AT_FIRST);
    failed.ends_with(MEASURE, RUN, 0);
    failed.put("note", "later").commit("later");
    failed.ends_with(MEASURE, RUN, 3);
}
