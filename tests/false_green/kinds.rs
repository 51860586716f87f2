//! Groups A and C: what the standard kinds see. Each fixture is a gate's table over a bad tree and a good one.

use super::{
    run::{Verdict, judged},
    sample::fixture,
};
use portcullis::{
    GateTable,
    declare::KindDecl,
    testing::{Bench, Seen},
    wire::outcome::{Effective, Lane},
};
use portcullis_gates::{
    artifact_contract::ARTIFACT_CONTRACT, canary_regression::CANARY_REGRESSION,
    cargo_config::CARGO_CONFIG, diff_guard::DIFF_GUARD, lineage::LINEAGE,
    nextest_config::NEXTEST_CONFIG, set_equality::SET_EQUALITY, source_scan::SOURCE_SCAN,
    threshold::THRESHOLD, tool_identity::TOOL_IDENTITY, workflow_aggregate::WORKFLOW_AGGREGATE,
    workflow_no_swallow::WORKFLOW_NO_SWALLOW, workflow_policy::WORKFLOW_POLICY,
    workflow_runs_gate::WORKFLOW_RUNS_GATE,
};
use std::{fs, path::Path};

/// A fixture folder, its kind, and what the decision makes of its bad tree.
struct Row(&'static str, &'static KindDecl, Effective, &'static str);

fn bench(row: &Row, tree: &str) -> Bench {
    let folder = fixture(row.0);
    let config = fs::read_to_string(folder.join("gate.toml")).expect("the gate's table");
    let mut bench = Bench::new(row.1, &config);
    let mut files = Vec::new();
    walk(&folder.join(tree), "", &mut files);
    assert!(!files.is_empty(), "{}/{tree} is empty", row.0);
    for (path, bytes) in files {
        if path == "portcullis.toml" {
            bench = bench.policy(&String::from_utf8(bytes.clone()).expect("a policy"));
        }
        // A folder called `target` would be left out of the repository.
        match path.strip_prefix("run_of_bench/") {
            Some(rest) => {
                bench = bench.file(&format!("target/portcullis/runs/bench/{rest}"), &bytes);
            }
            None => bench = bench.file(&path, &bytes),
        }
    }
    if row.0.ends_with("_commit") { bench.git() } else { bench }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = format!("{prefix}{}", entry.file_name().to_str().expect("a name"));
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{path}/"), files);
        } else {
            files.push((path, fs::read(entry.path()).expect("a file")));
        }
    }
}

/// The bad tree is red with the code and blocks with exit 11; the good tree, under the same table, passes.
fn check(rows: &[Row]) {
    for row in rows {
        let seen = bench(row, "bad").run();
        let expected = Verdict { effective: row.2, code: Some(row.3.to_owned()), exit: 11 };
        assert_eq!(judged(&seen), expected, "{}: {:?}", row.0, seen.messages);
        if fixture(row.0).join("good").is_dir() {
            let control: Seen = bench(row, "good").run();
            let passed = Verdict { effective: Effective::Pass, code: None, exit: 0 };
            assert_eq!(judged(&control), passed, "{}/good: {:?}", row.0, control.messages);
        }
    }
}

/// The table itself is refused, so that a gate binary exits 2 before anything runs.
fn refused(folder: &str, code: &str) {
    let config = fs::read_to_string(fixture(folder).join("gate.toml")).expect("the gate's table");
    let table = GateTable::from_toml("a_gate", &config).expect("a table");
    let faults = (ARTIFACT_CONTRACT.prepare)(&table).err().expect("refused");
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code().name()).collect();
    assert_eq!(codes, [code], "{faults:?}");
}

/// `#[should_panic]` met by an unrelated panic: the attribute itself is the finding.
#[test]
fn fg09_should_panic_is_a_finding() {
    check(&[Row("fg09", &SOURCE_SCAN, Effective::Fail, "forbidden_attribute")]);
}

/// A cargo alias that shadows the installed subcommand.
#[test]
fn fg21_an_alias_named_portcullis() {
    check(&[Row("fg21", &CARGO_CONFIG, Effective::Fail, "cargo_alias_shadow")]);
}

/// `[env]` with `force` that sets the promotion mode, or the run id.
#[test]
fn fg22_a_forced_environment_is_a_finding() {
    check(&[
        Row("fg22_mode", &CARGO_CONFIG, Effective::Fail, "cargo_env_override"),
        Row("fg22_run_id", &CARGO_CONFIG, Effective::Fail, "cargo_env_override"),
    ]);
}

/// A misspelt key of nextest's configuration, which nextest passes over with a warning.
#[test]
fn fg29_a_key_that_nextest_does_not_read() {
    check(&[Row("fg29", &NEXTEST_CONFIG, Effective::Fail, "nextest_config_unknown_key")]);
}

/// An override for a test that has another name by now.
#[test]
fn fg30_an_override_that_matches_no_test() {
    check(&[Row("fg30", &NEXTEST_CONFIG, Effective::Fail, "nextest_override_unmatched")]);
}

/// The clone has the commit of the change and no other, as a shallow one has; the provider names a base.
#[test]
fn fg52_a_base_that_the_clone_does_not_have() {
    let row = Row("fg52", &DIFF_GUARD, Effective::Error, "base_unresolvable");
    let clone = || bench(&row, "bad").git().lane(Lane::Pr).env("CI", "true");
    let seen = clone().env("GITHUB_BASE_REF", "main").run();
    let expected = Verdict { effective: row.2, code: Some(row.3.to_owned()), exit: 11 };
    assert_eq!(judged(&seen), expected, "{:?}", seen.messages);
    let error = format!("{:?}", seen.error());
    assert!(error.contains("fetch-depth: 0"), "the fetch depth to set is named: {error}");
    let control = bench(&row, "bad").git().lane(Lane::Pr).run();
    let passed = Verdict { effective: Effective::Pass, code: None, exit: 0 };
    assert_eq!(judged(&control), passed, "{:?}", control.messages);
}

/// The required artifact is absent; files beside it are there.
#[test]
fn fg37_only_siblings_of_the_artifact_exist() {
    check(&[Row("fg37", &ARTIFACT_CONTRACT, Effective::Fail, "artifact_missing")]);
}

/// The fixtures are written a moment before they are read, so their file times are new; the recorded time and
/// commit are not. A walk over the commits since then waits for the base tree.
#[test]
fn fg38_an_old_artifact_with_a_new_file_time() {
    check(&[
        Row("fg38", &ARTIFACT_CONTRACT, Effective::Fail, "artifact_stale"),
        Row("fg38_commit", &ARTIFACT_CONTRACT, Effective::Fail, "artifact_stale"),
    ]);
}

/// A contract that states no freshness is no contract.
#[test]
fn fg39_a_contract_without_freshness() {
    refused("fg39", "freshness_unstated");
}

/// An artifact of another run, under `same_run`.
#[test]
fn fg40_an_artifact_of_another_run() {
    check(&[
        Row("fg40", &ARTIFACT_CONTRACT, Effective::Fail, "lineage_mismatch"),
        Row("fg40_lineage", &LINEAGE, Effective::Fail, "lineage_mismatch"),
    ]);
}

/// `x.v10` begins with `x.v1` and is another schema.
#[test]
fn fg41_a_schema_that_begins_like_the_right_one() {
    check(&[Row("fg41", &ARTIFACT_CONTRACT, Effective::Fail, "schema_mismatch")]);
}

/// `ready` beside a list of blocking reasons.
#[test]
fn fg42_ready_beside_a_blocking_reason() {
    check(&[Row("fg42", &ARTIFACT_CONTRACT, Effective::Fail, "implication_broken")]);
}

/// One key twice, where the last one says pass.
#[test]
fn fg43_a_status_that_stands_twice() {
    check(&[Row("fg43", &ARTIFACT_CONTRACT, Effective::Error, "duplicate_key")]);
}

/// A metric that is `null`, infinite or not a number is below no ceiling.
#[test]
fn fg44_a_metric_that_is_no_finite_number() {
    let error = |folder| Row(folder, &ARTIFACT_CONTRACT, Effective::Error, "value_not_finite");
    check(&["fg44_null", "fg44_inf", "fg44_toml_nan", "fg44_toml_inf"].map(error));
    check(&[Row("fg44_threshold", &THRESHOLD, Effective::Error, "value_not_finite")]);
    check(&[Row("fg44_canary", &CANARY_REGRESSION, Effective::Error, "value_not_finite")]);
}

/// An unknown name, or-ed with `true`: CEL would absorb it, so the table is refused.
#[test]
fn fg45_an_unknown_name_beside_true() {
    refused("fg45", "expr_unknown_name");
}

/// `all` over an empty list is true, and 1 is not a boolean.
#[test]
fn fg46_a_rule_over_nothing_or_one_that_yields_one() {
    check(&[
        Row("fg46", &ARTIFACT_CONTRACT, Effective::Error, "nothing_examined"),
        Row("fg46_set", &SET_EQUALITY, Effective::Error, "nothing_examined"),
        Row("fg46_cel", &ARTIFACT_CONTRACT, Effective::Error, "nothing_examined"),
        Row("fg46_one", &ARTIFACT_CONTRACT, Effective::Error, "expr_not_bool"),
    ]);
}

/// A torn last line, and a gap in the sequence.
#[test]
fn fg47_a_torn_or_missing_record() {
    check(&[
        Row("fg47", &ARTIFACT_CONTRACT, Effective::Error, "record_torn"),
        Row("fg47_gap", &ARTIFACT_CONTRACT, Effective::Error, "record_torn"),
    ]);
}

/// A member of the must-pass list is in the summary under another name; whatever is there passed.
#[test]
fn fg54_a_member_renamed_out_of_the_summary() {
    check(&[Row("fg54", &SET_EQUALITY, Effective::Fail, "set_mismatch")]);
}

/// A stub first on the search path that exits with 0 whatever it is asked; the control answers as the tool does.
#[cfg(unix)]
#[test]
fn fg53_a_stub_that_always_exits_with_0() {
    use std::os::unix::fs::PermissionsExt as _;
    const TOOL: &str = "portcullis-fg53";
    let config = fs::read_to_string(fixture("fg53").join("gate.toml")).expect("the gate's table");
    let passed = Verdict { effective: Effective::Pass, code: None, exit: 0 };
    let code = Some("tool_identity_mismatch".to_owned());
    let refused = Verdict { effective: Effective::Fail, code, exit: 11 };
    for (tree, expected) in [("bad", refused), ("good", passed)] {
        // Outside the tree: a tool of the tree itself is refused before it is asked anything.
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join(TOOL);
        fs::copy(fixture("fg53").join(tree).join(TOOL), &target).expect("a copy");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755)).expect("a mode");
        let path = folder.path().to_str().expect("a plain path");
        let seen = Bench::new(&TOOL_IDENTITY, &config).env("PATH", path).run();
        assert_eq!(judged(&seen), expected, "{tree}: {:?}", seen.messages);
    }
}

/// A canary whose metric is gone, whose baseline is zero, or whose bench crashes fast: none of them is no regression.
#[test]
fn fg69_a_canary_that_measured_nothing_comparable() {
    check(&[
        Row("fg69_metric", &CANARY_REGRESSION, Effective::Fail, "metric_missing"),
        Row("fg69_baseline", &CANARY_REGRESSION, Effective::Error, "baseline_not_positive"),
        Row("fg69_crash", &CANARY_REGRESSION, Effective::Error, "run_failed"),
    ]);
}

/// Or-true, `set +e`, no pipefail, `continue-on-error`: the lane is green whatever its suites say.
#[test]
fn fg64_a_shell_that_hides_a_failure() {
    check(&[
        Row("fg64/or_true", &WORKFLOW_NO_SWALLOW, Effective::Fail, "or_true"),
        Row("fg64/errexit_off", &WORKFLOW_NO_SWALLOW, Effective::Fail, "errexit_off"),
        Row("fg64/no_pipefail", &WORKFLOW_NO_SWALLOW, Effective::Fail, "pipe_without_pipefail"),
        Row("fg64/job_may_fail", &WORKFLOW_NO_SWALLOW, Effective::Fail, "continue_on_error_job"),
    ]);
}

/// `echo ok`, another target, or only a build: the lane is green without its gate.
#[test]
fn fg66_a_lane_that_runs_something_else() {
    check(&[
        Row("fg66/echo_ok", &WORKFLOW_RUNS_GATE, Effective::Fail, "gate_command_missing"),
        Row("fg66/another_target", &WORKFLOW_RUNS_GATE, Effective::Fail, "selects_too_little"),
        Row("fg66/only_built", &WORKFLOW_NO_SWALLOW, Effective::Fail, "build_only"),
    ]);
}

/// The job that is required is skipped as soon as a job it needs fails, and a skipped job counts as success.
#[test]
fn fg65_a_required_job_that_is_skipped_when_it_counts() {
    check(&[Row("fg65", &WORKFLOW_AGGREGATE, Effective::Fail, "aggregate_not_always")]);
}

/// A job that calls a workflow of another repository has no step that a rule could look at.
#[test]
fn fg67_a_reusable_job_has_no_steps_to_check() {
    check(&[Row("fg67", &WORKFLOW_POLICY, Effective::Error, "nothing_examined")]);
}

/// A job that stands twice is the last one alone; two cells that upload under one name keep one of the two.
#[test]
fn fg68_a_job_twice_and_an_artifact_twice() {
    check(&[Row("fg68", &WORKFLOW_POLICY, Effective::Error, "duplicate_key")]);
    check(&[Row("fg68_names", &WORKFLOW_POLICY, Effective::Fail, "artifact_name_clash")]);
}
