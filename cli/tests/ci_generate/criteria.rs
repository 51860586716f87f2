//! The acceptance criteria of the lanes, each broken once in the files of this repository: who has to see it.
//!
//! Criteria that need a base, or runs that this repository does not keep, are broken in a repository that the test makes of
//! the same files: the budgets of 2 and 4, and the frozen kernel of 10b.

use super::{
    CHANGES, COMMENT, FOLDER, NIGHTLY, checkout,
    planted::{Edit, Fault, Tree, fault, harmless},
};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Tables of the policy of this repository: those of gates of these kinds, with all that belongs to them.
fn own_gates(kinds: &[&str]) -> String {
    let policy = own("portcullis.toml");
    let tables = policy
        .split("\n[[gate]]\n")
        .skip(1)
        .filter(|table| kinds.iter().any(|kind| table.contains(&format!("\nkind = \"{kind}\"\n"))));
    // What follows the last rule of a gate may be another section of the file.
    let whole = |table: &str| {
        let ends = ["\n[ci", "\n[[ci", "\n[[signature]]", "\n[canary"];
        let end = ends.iter().filter_map(|next| table.find(next)).min();
        format!("[[gate]]\n{}\n", &table[..end.unwrap_or(table.len())])
    };
    tables.map(whole).collect()
}

/// The tables of the canaries, as this repository ships them.
fn own_canaries() -> String {
    let policy = own("portcullis.toml");
    let tables = policy.split("\n[canary.").skip(1);
    let whole = |table: &str| {
        let end = ["\n# AC-", "\n[[gate]]"].iter().filter_map(|next| table.find(next)).min();
        format!("[canary.{}\n", &table[..end.unwrap_or(table.len())])
    };
    tables.map(whole).collect()
}

fn own(path: &str) -> String {
    fs::read_to_string(checkout().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The workflows of this repository, and these files of it.
fn tree(policy: String, paths: &[&str]) -> Tree {
    let workflows = [CHANGES, NIGHTLY, COMMENT, "platforms.yml"];
    let workflows = workflows.map(|name| format!("{FOLDER}/{name}"));
    let paths = paths.iter().map(|path| (*path).to_owned()).chain(workflows);
    Tree { policy, files: paths.map(|path| (path.clone(), own(&path))).collect() }
}

/// The files of a folder with this ending, as paths of the repository.
fn files_of(folder: &str, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(checkout().join(folder)).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let name = |path: PathBuf| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let names = paths.filter(|path| path.is_file()).filter_map(name);
    names.filter(|name| name.ends_with(ending)).map(|name| format!("{folder}/{name}")).collect()
}

const UNIT_TESTS: &str = "          cargo test --locked --workspace --lib --bins --no-fail-fast\n";
const PORTFOLIO: &str =
    "          cargo test --locked --no-fail-fast --test conformance --test two_trees\n";
const TOOLCHAINS: &str = "toolchain: [\"1.89\", \"stable\"]";
const ONE_THREAD: &str = "      RUST_TEST_THREADS: \"1\"\n";
const DECIDE: &str = "          cargo bench --locked --bench decide\n";

#[rustfmt::skip]
const WORKFLOWS: [Fault; 24] = [
    fault("ac_1a", (CHANGES, ""), "\n  portfolio:\n", "\n  portfolios:\n", "workflow_policy/needs_unknown_job"),
    fault("ac_1b", (CHANGES, ""), "\n  supply_chain:\n", "\n  supply:\n", "workflow_policy/needs_unknown_job"),
    fault("ac_1c_value", (CHANGES, "unit"), TOOLCHAINS, "toolchain: [\"stable\"]", "workflow_policy/matrix_value_missing"),
    fault("ac_1c_number", (CHANGES, "unit"), TOOLCHAINS, "toolchain: [\"1.89\", 1.90, \"stable\"]", "workflow_policy/matrix_value_not_string"),
    fault("ac_1d", (CHANGES, "bench"), "    needs: [fence]\n", "", "workflow_policy/needs_missing"),
    fault("ac_2_cap", (CHANGES, "unit"), "timeout-minutes: 7\n", "timeout-minutes: 8\n", "workflow_policy/timeout_too_long"),
    fault("ac_2_serial", (CHANGES, ""), UNIT_TESTS, "          cargo test --locked --workspace --lib --bins --no-fail-fast -- --test-threads=2\n", "lane_serial/parallel_flag"),
    fault("ac_4_cap", (CHANGES, "portfolio"), "    timeout-minutes: 7\n", "", "workflow_policy/timeout_missing"),
    fault("ac_4_serial", (CHANGES, ""), PORTFOLIO, "          RUST_TEST_THREADS=3 cargo test --locked --no-fail-fast --test conformance --test two_trees\n", "lane_serial/parallel_env"),
    fault("ac_4_swallow", (CHANGES, ""), PORTFOLIO, "          cargo test --locked --no-fail-fast --test conformance --test two_trees || echo differs\n", "workflow_no_swallow/or_true"),
    fault("ac_5_job", (CHANGES, "load_bearing"), "    timeout-minutes: 30\n", "    timeout-minutes: 30\n    continue-on-error: true\n", "workflow_no_swallow/continue_on_error_job"),
    fault("ac_5_condition", (CHANGES, "load_bearing"), "    timeout-minutes: 30\n", "    timeout-minutes: 30\n    if: ${{ github.event_name == 'schedule' }}\n", "workflow_no_swallow/never_runs"),
    fault("ac_6", (CHANGES, ""), "          cargo clippy --locked --workspace --all-targets -- -D warnings\n", "          cargo clippy --locked --workspace --all-targets -- -D warnings -A clippy::exit\n", "workflow_policy/run_denied"),
    fault("ac_7_advisory", (CHANGES, ""), DECIDE, "          cargo bench --locked --bench decide\n        continue-on-error: true\n", "workflow_policy/advisory_differs"),
    fault("ac_7_scope", (CHANGES, ""), "permissions:\n  contents: read\n", "permissions:\n  contents: read\n  pull-requests: write\n", "workflow_policy/permission_too_wide"),
    fault("ac_7_comment", (COMMENT, ""), "      pull-requests: write #", "      statuses: write\n      pull-requests: write #", "workflow_policy/permission_too_wide"),
    fault("ac_7c", (COMMENT, ""), "          mkdir -p decisions\n", "          mkdir -p decisions\n          gh pr checkout 1\n", "workflow_policy/run_not_allowed"),
    fault("ac_10c_cron", (NIGHTLY, ""), "    - cron: \"0 4 * * *\"\n", "    - cron: \"0 5 * * *\"\n", "workflow_policy/cron_set_differs"),
    fault("ac_10c_image", (NIGHTLY, "measure"), "runs-on: ubuntu-24.04", "runs-on: ubuntu-22.04", "workflow_policy/runner_not_allowed"),
    fault("ac_10c_count", (NIGHTLY, ""), "PORTCULLIS_FORCE_CPU_COUNT: \"2\"", "PORTCULLIS_FORCE_CPU_COUNT: \"4\"", "workflow_policy/env_differs"),
    fault("ac_10c_scope", (NIGHTLY, "measure"), "      contents: read\n", "      contents: read\n      pull-requests: read\n", "workflow_policy/permission_too_wide"),
    fault("ac_11", (CHANGES, "contract_freeze"), "          cargo test", "          PORTCULLIS_BLESS=1 cargo test", "workflow_policy/env_denied"),
    fault("ac_13_attached", (CHANGES, "integration"), "          cargo nextest run", "          cargo nextest run -j8", "lane_serial/parallel_flag"),
    fault("ac_13_env", (CHANGES, "unit"), ONE_THREAD, "      RUST_TEST_THREADS: \"${{ github.run_attempt }}\"\n", "lane_serial/parallel_env"),
];

/// What is right on either side of the criteria.
#[rustfmt::skip]
const WORKFLOWS_BENIGN: [Edit; 4] = [
    harmless("ac_1d_as_string", (CHANGES, "bench"), "    needs: [fence]\n", "    needs: fence\n"),
    harmless("ac_2_below_the_cap", (CHANGES, "unit"), "timeout-minutes: 7\n", "timeout-minutes: 6\n"),
    harmless("ac_10c_no_scope_at_all", (NIGHTLY, "measure"), "    permissions:\n      contents: read\n", "    permissions: {}\n"),
    harmless("ac_13_build_jobs", (CHANGES, ""), UNIT_TESTS, "          cargo test -j 4 --locked --workspace --lib --bins --no-fail-fast\n"),
];

#[test]
fn the_acceptance_criteria_hold_in_the_workflows_of_this_repository() {
    let kinds = ["workflow_policy", "workflow_no_swallow", "workflow_aggregate", "lane_serial"];
    tree(own_gates(&kinds), &["Cargo.toml", ".ci/install_tools"])
        .holds(&WORKFLOWS, &WORKFLOWS_BENIGN);
}

#[rustfmt::skip]
const TARGETS: [Fault; 9] = [
    fault("ac_3_not_asked", (CHANGES, "integration"), "          cargo test --locked --test ci_lane_gates -- tool_requirement --exact", "          cargo test --locked --test ci_lane_gates -- source_fence --exact", "workflow_runs_gate/gate_command_missing"),
    fault("ac_3_only_at_night", (CHANGES, "integration"), "        run: |\n          cargo test", "        if: ${{ github.event_name == 'workflow_dispatch' }}\n        run: |\n          cargo test", "workflow_runs_gate/command_conditional"),
    fault("ac_7b_gone", ("Cargo.toml", ""), "[[bench]]\nname = \"registry\"\n", "[[bench]]\nname = \"registry\"\nbench = false\n", "bench_collection/bench_missing"),
    fault("ac_7b_swapped", ("Cargo.toml", ""), "[[bench]]\nname = \"registry\"\n", "[[bench]]\nname = \"records\"\npath = \"benches/registry.rs\"\n", "bench_collection/bench_extra"),
    fault("ac_7b_one_more", ("Cargo.toml", ""), "[[bench]]\nname = \"registry\"\n", "[[bench]]\nname = \"again\"\npath = \"benches/registry.rs\"\nharness = false\n\n[[bench]]\nname = \"registry\"\n", "bench_collection/bench_extra"),
    fault("ac_7b_night_by_day", (CHANGES, "bench"), DECIDE, "          cargo bench --locked --bench decide --bench full_suite_hosted_runner\n", "bench_collection/bench_run_by_wrong_lane"),
    fault("ac_7b_not_measured", (CHANGES, "bench"), "          cargo-portcullis canary measure census_overhead\n", "          echo measured\n", "bench_collection/bench_not_run_by_lane"),
    fault("ac_12_network", ("harness/Cargo.toml", ""), "\n[dependencies]\n", "\n[dependencies]\ntokio = \"1\"\n", "dependency_fence/denied_dependency"),
    fault("ac_12_renamed", ("canary/Cargo.toml", ""), "\n[dependencies]\n", "\n[dependencies]\nweb = { package = \"ureq\", version = \"3\", optional = true }\n", "dependency_fence/denied_dependency"),
];

#[rustfmt::skip]
const TARGETS_BENIGN: [Edit; 1] = [
    harmless("ac_12_for_tests", ("harness/Cargo.toml", ""), "\n[dev-dependencies]\n", "\n# tokio = \"1\" is what nobody needs here.\n[dev-dependencies]\n"),
];

/// The manifests of the workspace with the targets that they name; libraries are empty, for nobody looks into them.
fn manifests(policy: String) -> Tree {
    let members = ["harness", "gates", "canary", "cli"];
    let manifests: Vec<String> =
        members.iter().map(|member| format!("{member}/Cargo.toml")).collect();
    let mut paths: Vec<&str> = manifests.iter().map(String::as_str).collect();
    paths.extend(["Cargo.toml", "Cargo.lock", ".ci/install_tools"]);
    let mut tree = tree(policy, &paths);
    let empty = |path: &str| (path.to_owned(), "//! Nothing.\n".to_owned());
    let mut others: BTreeMap<String, String> = BTreeMap::new();
    others.extend(members.map(|member| empty(&format!("{member}/src/lib.rs"))));
    others.remove("cli/src/lib.rs");
    let targets = ["cli/src/main.rs", "tests/house/lib.rs", "canary/examples/criterion_read.rs"];
    others.extend(targets.map(empty));
    for folder in ["tests", "benches", "cli/benches"] {
        others.extend(files_of(folder, ".rs").iter().map(|path| empty(path)));
    }
    // The gates of a binary are found by its `main!`.
    others.insert("tests/ci_lane_gates.rs".to_owned(), own("tests/ci_lane_gates.rs"));
    tree.files.append(&mut others);
    tree
}

#[test]
fn the_acceptance_criteria_hold_in_the_targets_of_this_repository() {
    let mut policy = own_gates(&["bench_collection", "dependency_fence"]);
    // Of the commands that lanes have to run, the one that asks for tools; the others select tests of all sources.
    let runs = own_gates(&["workflow_runs_gate"]);
    let mut tables = runs.split("\n[[gate.runs]]\n");
    policy.push_str(tables.next().expect("a gate"));
    let preflight: Vec<&str> = tables.filter(|table| table.contains("tool_requirement")).collect();
    assert_eq!(preflight.len(), 1, "{preflight:?}");
    policy.push_str(&format!("\n[[gate.runs]]\n{}\n", preflight[0]));
    // The gate that is asked for; which tools this machine has is not what is tested.
    policy.push_str("\n[[gate]]\nid = \"tool_requirement\"\nkind = \"tool_requirement\"\nbinary = \"ci_lane_gates\"\ntitle = \"t\"\ntool = [{ name = \"git\" }]\n");
    manifests(policy).holds(&TARGETS, &TARGETS_BENIGN);
}

#[test]
fn ac_12_one_crate_more_than_the_cap_is_found() {
    let policy = own_gates(&["dependency_fence"]);
    let cap = policy.split("max_crates = ").nth(1).and_then(|rest| rest.lines().next());
    let cap: u32 = cap.expect("a cap").parse().expect("a number");
    // The cap is what there is: one less, and the clean tree is over it.
    let lowered =
        policy.replace(&format!("max_crates = {cap}"), &format!("max_crates = {}", cap - 1));
    assert_ne!(policy, lowered);
    let (code, said) = manifests(lowered).judged(&[], &TARGETS_BENIGN);
    assert_eq!(code, Some(11), "{said}");
    assert!(said.contains("dependency_fence/too_many_crates"), "{said}");
}

#[rustfmt::skip]
const SETTINGS: [Fault; 9] = [
    fault("ac_8_told_later", ("portcullis.toml", ""), "comment_pct = 50\nruns = 17\n", "comment_pct = 50.1\nruns = 17\n", "contract_freeze/contract_drift"),
    fault("ac_8_fails_later_at_night", ("portcullis.toml", ""), "fail_pct = 100\n", "fail_pct = 101\n", "contract_freeze/contract_drift"),
    fault("ac_8_fewer_runs", ("portcullis.toml", ""), "comment_pct = 50\nruns = 17\n", "comment_pct = 50\nruns = 4\n", "contract_freeze/contract_drift"),
    fault("ac_8_a_tree_less", ("portcullis.toml", ""), "    \"wide/cold_p50\", \"wide/warm_p50\",\n]\nbaseline = \"benches/baselines/full_suite_walltime.json\"\n", "]\nbaseline = \"benches/baselines/full_suite_walltime.json\"\n", "contract_freeze/contract_drift"),
    fault("ac_9_told_later", ("portcullis.toml", ""), "comment_pct = 10\n", "comment_pct = 20\n", "contract_freeze/contract_drift"),
    fault("ac_9_modelled", ("portcullis.toml", ""), "method = \"budget\"\n", "method = \"two_sample\"\n", "contract_freeze/contract_drift"),
    fault("ac_9_blocks", ("portcullis.toml", ""), "comment_pct = 10\n", "comment_pct = 10\nfail_pct = 15\n", "contract_freeze/growth_not_listed"),
    fault("ac_10a_called", ("cli/src/main.rs", ""), "\nfn main()", "\n/// Counts.\npub fn count() -> usize {\n    std::thread::available_parallelism().map_or(1, usize::from)\n}\n\nfn main()", "source_fence/forbidden_path"),
    fault("ac_10a_renamed", ("harness/src/lib.rs", ""), "\npub mod evidence;\n", "\nuse std::{thread::{self as t, available_parallelism as n}};\npub mod evidence;\n", "source_fence/forbidden_path"),
];

#[rustfmt::skip]
const SETTINGS_BENIGN: [Edit; 2] = [
    harmless("ac_9_a_comment", ("portcullis.toml", ""), "comment_pct = 10\n", "# fail_pct = 15\ncomment_pct = 10 # told\n"),
    harmless("ac_10a_only_named", ("cli/src/main.rs", ""), "\nfn main()", "\n// std::thread::available_parallelism is asked elsewhere.\nfn main()"),
];

#[test]
fn the_acceptance_criteria_hold_in_the_settings_of_this_repository() {
    let policy = own_gates(&["contract_freeze", "source_fence"]) + &own_canaries();
    let sources = [
        "canary/src/lib.rs",
        "cli/src/canary/machine.rs",
        "cli/src/main.rs",
        "docs/policy.md",
        "gates/src/lib.rs",
        "harness/src/cpu_budget.rs",
        "harness/src/evidence/context.rs",
        "harness/src/lib.rs",
    ];
    let folders = [("contracts", ".json"), ("docs/decisions", ".md"), ("docs/schemas", ".json")];
    let listed: Vec<String> =
        folders.iter().flat_map(|(folder, ending)| files_of(folder, ending)).collect();
    let paths: Vec<&str> = sources.into_iter().chain(listed.iter().map(String::as_str)).collect();
    tree(policy, &paths).holds(&SETTINGS, &SETTINGS_BENIGN);
}

/// What holds a change against its base: a run of the tip of the default branch has none, so these gates are not of this
/// repository's policy. The files are its own.
const OF_A_CHANGE: &str = r#"
[[gate]]
id = "diff_guard"
kind = "diff_guard"
title = "kernel and baselines change on purpose only"
frozen = [{ paths = ["canary/src/decide.rs", "canary/src/ratio.rs"] }]
stamp = [{ path = "benches/baselines/*.json", body = ["/measurements/*/value"], header = ["/refreshed_at", "/commit", "/reason"] }]

[[gate]]
id = "lane_budget"
kind = "lane_budget"
title = "short lanes have headroom"
history = "lanes.jsonl"
freshness = { max_age = "3650d" }
budget = [
    { file = "portcullis.yml", job = "unit", budget_minutes = 5, worst_case_minutes = 6.5 },
    { file = "portcullis.yml", job = "portfolio", budget_minutes = 6 },
]
"#;

#[rustfmt::skip]
const CHANGES_OF: [Fault; 9] = [
    fault("ac_8_a_value", ("benches/baselines/full_suite_walltime.json", ""), "\"value\": 849508126", "\"value\": 1849508126", "diff_guard/values_changed_header_same"),
    fault("ac_8_a_metric_less", ("benches/baselines/full_suite_walltime.json", ""), "\"minimal/cold_p50\"", "\"minimal/cold_p5O\"", "diff_guard/keys_lost"),
    fault("ac_10b_operator", ("canary/src/decide.rs", ""), "p95.point > *cap)", "p95.point >= *cap)", "diff_guard/frozen_changed"),
    fault("ac_10b_boundary", ("canary/src/ratio.rs", ""), "100_000 >= self.den", "100_000 > self.den", "diff_guard/frozen_changed"),
    fault("ac_2_near", ("lanes.jsonl", ""), "\"unit\",\"run_id\":\"5\",\"seconds\":239.999", "\"unit\",\"run_id\":\"5\",\"seconds\":240", "lane_budget/near_budget"),
    fault("ac_2_over", ("lanes.jsonl", ""), "\"unit\",\"run_id\":\"5\",\"seconds\":239.999", "\"unit\",\"run_id\":\"5\",\"seconds\":300.001", "lane_budget/over_budget"),
    fault("ac_2_worst_case", (CHANGES, "unit"), "timeout-minutes: 7\n", "timeout-minutes: 6\n", "lane_budget/timeout_below_worst_case"),
    fault("ac_4_over", ("lanes.jsonl", ""), "\"portfolio\",\"run_id\":\"5\",\"seconds\":287.999", "\"portfolio\",\"run_id\":\"5\",\"seconds\":360.001", "lane_budget/over_budget"),
    fault("ac_4_raised", (CHANGES, "portfolio"), "timeout-minutes: 7\n", "timeout-minutes: 7.5\n", "lane_budget/timeout_raised"),
];

#[rustfmt::skip]
const CHANGES_OF_BENIGN: [Edit; 2] = [
    harmless("ac_2_somebody_cancelled", ("lanes.jsonl", ""), "\"conclusion\":\"cancelled\",\"job\":\"unit\",\"run_id\":\"6\",\"seconds\":10", "\"conclusion\":\"cancelled\",\"job\":\"unit\",\"run_id\":\"6\",\"seconds\":9000"),
    harmless("ac_4_below_the_cap", (CHANGES, "portfolio"), "timeout-minutes: 7\n", "timeout-minutes: 6\n"),
];

/// Five runs of each short lane, the last just below what is told, and one that was cancelled.
fn history() -> String {
    let line = |conclusion: &str, job: &str, run: u32, seconds: &str| {
        format!(
            "{{\"file\":\"portcullis.yml\",\"ended_at\":\"2025-01-0{run}T00:10:00Z\",\"conclusion\":\"{conclusion}\",\"job\":\"{job}\",\"run_id\":\"{run}\",\"seconds\":{seconds}}}\n"
        )
    };
    let lanes = [("unit", "239.999"), ("portfolio", "287.999")];
    let runs = lanes.into_iter().flat_map(|(job, longest)| {
        (1..=5).map(move |run| line("success", job, run, if run == 5 { longest } else { "120" }))
    });
    runs.chain([line("cancelled", "unit", 6, "10")]).collect()
}

#[test]
fn the_acceptance_criteria_that_compare_hold_over_the_files_of_this_repository() {
    let paths = [
        "benches/baselines/full_suite_walltime.json",
        "canary/src/decide.rs",
        "canary/src/ratio.rs",
    ];
    let mut tree = tree(OF_A_CHANGE.to_owned(), &paths);
    tree.files.insert("lanes.jsonl".to_owned(), history());
    // The next refresh writes other values, and the edit has to name one.
    let baseline = tree.files.get_mut(paths[0]).expect("a baseline");
    let (head, rest) = baseline.split_once("\"value\": ").expect("a value");
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    *baseline = format!("{head}\"value\": 849508126{rest}");
    tree.holds(&CHANGES_OF, &CHANGES_OF_BENIGN);
}
