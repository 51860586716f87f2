//! The workflows of the sample are the generated ones, and a change of one is seen.

use super::ground::Ground;
use std::{collections::BTreeMap, fs};

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a file of the suite's own copy, edited and written back"
)]
fn the_workflows_are_those_of_the_policy() {
    let ground = Ground::take();
    let argv = ["cargo", "portcullis", "ci", "check"].map(str::to_owned);
    ground.types(&argv, &BTreeMap::new()).ends(0);
    let path = ground.root().join(".github/workflows/portcullis.yml");
    let text = fs::read_to_string(&path).expect("a workflow");
    assert!(text.contains("demo-switch -- fresh") && text.contains("run --profile ci"), "{text}");
    let edited = text.replace("timeout-minutes: 90", "timeout-minutes: 900");
    assert_ne!(text, edited);
    fs::write(&path, edited).expect("written");
    let answer = ground.types(&argv, &BTreeMap::new());
    fs::write(&path, text).expect("written");
    answer.ends(11).says(&["ci_workflow_drift", "timeout-minutes: 900"]);
}
