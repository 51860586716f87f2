//! Fixtures: for each code a workflow that raises it, and clean ones in every spelling.

use super::{
    ACTION_NOT_ALLOWED, ACTION_NOT_PINNED, ADMISSION_UNUSED, ADVISORY_DIFFERS, ARTIFACT_NAME_CLASH,
    CONCURRENCY_DIFFERS, CONDITION_DIFFERS, CRON_SET_DIFFERS, ENV_DENIED, ENV_DIFFERS,
    EXPRESSION_INVALID, FORK_GUARD_MISSING, GUARD_INEFFECTIVE, JOB_MISSING, JOB_UNEXPECTED,
    MATRIX_EMPTY, MATRIX_VALUE_MISSING, MATRIX_VALUE_NOT_STRING, MERGE_KEY, NEEDS_CYCLE,
    NEEDS_MISSING, NEEDS_UNKNOWN_JOB, NOT_STATIC, OPAQUE, PERMISSION_MISSING, PERMISSION_TOO_WIDE,
    PERMISSIONS_UNSET, RUN_DENIED, RUN_MISSING, RUN_NOT_ALLOWED, RUN_ORDER_DIFFERS,
    RUNNER_NOT_ALLOWED, RUNNER_NOT_PINNED, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING,
    TIMEOUT_MISSING, TIMEOUT_TOO_LONG, TRIGGER_DENIED, TRIGGER_MISSING, TRIGGER_NARROWED,
    UNKNOWN_KEY, WORKFLOW_INVALID, WORKFLOW_NOT_LOADED, WORKFLOW_TWINS,
};
use portcullis::{
    Tooth,
    wire::code::{DUPLICATE_KEY, NOTHING_EXAMINED},
};

/// A workflow with one job, whose further keys are given.
macro_rules! job {
    ($keys:literal) => {
        concat!(
            "on: pull_request\npermissions: {}\njobs:\n  unit:\n    runs-on: ubuntu-24.04\n",
            $keys,
            "    steps:\n      - run: cargo test\n"
        )
    };
}

/// A workflow with one job, whose steps are given.
macro_rules! steps {
    ($steps:literal) => {
        concat!(
            "on: pull_request\npermissions: {}\njobs:\n  unit:\n    runs-on: ubuntu-24.04\n    steps:\n",
            $steps
        )
    };
}

/// A workflow whose keys above the jobs are given.
macro_rules! top {
    ($keys:literal) => {
        concat!(
            $keys,
            "jobs:\n  unit:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: cargo test\n"
        )
    };
}

/// A known-bad of one file and one rule.
macro_rules! bad {
    ($name:literal, $code:expr, $rule:literal, $text:expr) => {
        Tooth::known_bad(
            $name,
            $code,
            concat!("[[rule]]\nid = \"one\"\n", $rule),
            &[(".github/workflows/ci.yml", $text)],
        )
    };
}

const SHA: &str = "on: pull_request\npermissions: {}\njobs:\n  unit:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683\n";

const EVERYTHING: &str = r#"
[[rule]]
id = "whole"
file = "*"
jobs_superset = ["fence", "unit"]
triggers_superset = ["pull_request"]
triggers_unfiltered = ["pull_request"]
triggers_deny = ["pull_request_target"]
permissions_max = { contents = "read" }
uses_pinned = true
uses_allow = ["actions/*"]
runner_pinned = true
timeout_minutes_max = 7
env_deny = ["PORTCULLIS_BLESS"]
artifact_unique = true

[[rule]]
id = "unit"
job = ["unit"]
needs_superset = ["fence"]
matrix_superset = { toolchain = ["@rust-version", "stable"] }
runs_on = ["ubuntu-24.04"]
env = { ZERO = "0" }
permissions_max = {}
steps_advisory = []
condition = "always()"
concurrency = { group = "unit-${{ github.ref }}", cancel_in_progress = true }

[[rule]]
id = "comments"
file = "ci.yml"
job = ["fence"]
fork_guard = { steps = ["comment"], alternative = "notice" }
steps_advisory = ["comment"]
permissions_max = { contents = "read", pull-requests = "write" }
permissions_min = { pull-requests = "write" }

[[rule]]
id = "nightly"
file = "nightly.yaml"
cron_set = ["0 4 * * *"]
"#;

const PLAIN: &str = r#"name: ci
on:
  pull_request:
permissions:
  contents: read
env:
  ZERO: 0
jobs:
  fence:
    runs-on: ubuntu-24.04
    timeout-minutes: 7
    permissions:
      contents: read
      pull-requests: write
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
      - name: comment
        if: ${{ github.event_name == 'pull_request' && github.event.pull_request.head.repo.fork == false }}
        continue-on-error: true
        run: gh pr comment
      - name: notice
        if: github.event.pull_request.head.repo.full_name != github.repository
        run: echo "a fork gets no comment"
  unit:
    needs: [fence]
    if: ${{ always() }}
    runs-on: ubuntu-24.04
    timeout-minutes: 7
    permissions: {}
    concurrency:
      group: unit-${{ github.ref }}
      cancel-in-progress: true
    strategy:
      matrix:
        toolchain: ["1.90", "stable"]
    steps:
      - run: cargo test
      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02
        with:
          name: log-${{ matrix.toolchain }}
"#;

const OTHERWISE: &str = r#"
"on": ["pull_request", schedule, workflow_dispatch]
jobs:
  unit:
    concurrency: {cancel-in-progress: "true", group: "unit-${{github.ref}}"}
    needs: "fence"
    if: always( )
    permissions: {contents: none}
    runs-on: [ubuntu-24.04]
    timeout-minutes: "7"
    env: &zero {ZERO: "0"}
    strategy:
      matrix:
        include:
          - toolchain: stable
          - toolchain: '1.90'
    steps:
      - {env: *zero, run: cargo test, continue-on-error: false}
      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02
        with: {name: "${{ format('log-{0}', matrix['toolchain']) }}"}
  fence:
    steps: [{run: true}]
    runs-on: {labels: ubuntu-24.04}
    timeout-minutes: ${{ fromJSON('6') }}
    permissions: read-all
permissions: read-all
"#;

const NIGHTLY: &str = r#"on:
  pull_request: {types: [opened, synchronize, reopened, labeled]}
  schedule: [{cron: "0 4 * * *"}]
permissions: {contents: read}
env: {ZERO: "0"}
jobs:
  fence: {runs-on: ubuntu-24.04, timeout-minutes: 1, steps: [{run: "true"}]}
  unit:
    needs: fence
    if: "${{ always() }}"
    runs-on: ubuntu-24.04
    timeout-minutes: 7
    permissions: {}
    concurrency: {group: "unit-${{ github.ref }}", cancel-in-progress: true}
    strategy: {matrix: {toolchain: ["1.90", stable, nightly], exclude: [{toolchain: nightly}]}}
    steps: [{run: cargo test}]
"#;

const MANIFEST: &str = "[workspace.package]\nrust-version = \"1.90\"\n[package]\nname = \"a\"\nrust-version.workspace = true\n";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "two_workflows_in_every_spelling",
        EVERYTHING,
        &[
            (".github/workflows/ci.yml", PLAIN),
            (".github/workflows/nightly.yaml", NIGHTLY),
            ("Cargo.toml", MANIFEST),
        ],
    ),
    Tooth::known_good(
        "the_other_spellings",
        r#"
[[rule]]
id = "unit"
job = ["unit"]
needs_superset = ["fence"]
matrix_superset = { toolchain = ["@rust-version", "stable"] }
runs_on = ["ubuntu-24.04"]
timeout_minutes_max = 7
env = { ZERO = "0" }
permissions_max = {}
steps_advisory = []
condition = "always()"
concurrency = { group = "unit-${{ github.ref }}", cancel_in_progress = true }

[[rule]]
id = "whole"
triggers_unfiltered = ["pull_request"]
timeout_minutes_max = 7
jobs_exact = ["fence", "unit"]
artifact_unique = true
"#,
        &[(".github/workflows/ci.yaml", OTHERWISE), ("Cargo.toml", MANIFEST)],
    ),
    Tooth::known_good(
        "timeout_at_the_cap",
        "[[rule]]\nid = \"one\"\njob = [\"u*\"]\ntimeout_minutes_max = 7\n",
        &[(".github/workflows/ci.yml", job!("    timeout-minutes: 7\n"))],
    ),
    bad!(
        "a_minute_over_the_cap",
        TIMEOUT_TOO_LONG,
        "timeout_minutes_max = 7\n",
        job!("    timeout-minutes: 8\n")
    ),
    bad!("no_timeout", TIMEOUT_MISSING, "timeout_required = true\n", job!("")),
    bad!("a_deleted_job", JOB_MISSING, "jobs_superset = [\"unit\", \"lint\"]\n", job!("")),
    bad!("a_further_job", JOB_UNEXPECTED, "jobs_exact = [\"lint\"]\n", job!("")),
    bad!("no_need", NEEDS_MISSING, "job = [\"unit\"]\nneeds_superset = [\"fence\"]\n", job!("")),
    bad!(
        "a_toolchain_excluded",
        MATRIX_VALUE_MISSING,
        "matrix_superset = { t = [\"1.90\", \"stable\"] }\n",
        job!("    strategy: {matrix: {t: [\"1.90\", stable], exclude: [{t: \"1.90\"}]}}\n")
    ),
    bad!(
        "a_version_as_a_number",
        MATRIX_VALUE_NOT_STRING,
        "matrix_superset = { t = [\"1.90\"] }\n",
        job!("    strategy: {matrix: {t: [1.90]}}\n")
    ),
    bad!(
        "everything_excluded",
        MATRIX_EMPTY,
        "timeout_minutes_max = 7\n",
        job!("    timeout-minutes: 7\n    strategy: {matrix: {t: [a], exclude: [{t: a}]}}\n")
    ),
    bad!(
        "a_scope_more",
        PERMISSION_TOO_WIDE,
        "job = [\"unit\"]\npermissions_max = { contents = \"read\" }\n",
        job!("    permissions: {contents: read, id-token: write}\n")
    ),
    bad!(
        "a_scope_less",
        PERMISSION_MISSING,
        "job = [\"unit\"]\npermissions_min = { contents = \"read\" }\n",
        job!("")
    ),
    bad!(
        "nothing_said",
        PERMISSIONS_UNSET,
        "permissions_max = { contents = \"write\" }\n",
        top!("on: pull_request\n")
    ),
    bad!("an_event_less", TRIGGER_MISSING, "triggers_superset = [\"push\"]\n", job!("")),
    bad!(
        "a_write_token_for_strangers",
        TRIGGER_DENIED,
        "triggers_deny = [\"pull_request_target\"]\n",
        top!("on: [pull_request, pull_request_target]\npermissions: {}\n")
    ),
    bad!(
        "a_path_filter",
        TRIGGER_NARROWED,
        "triggers_unfiltered = [\"pull_request\"]\n",
        top!("on:\n  pull_request:\n    paths: [\"src/**\"]\npermissions: {}\n")
    ),
    bad!(
        "a_second_schedule",
        CRON_SET_DIFFERS,
        "cron_set = [\"0 4 * * *\"]\n",
        top!(
            "on:\n  schedule:\n    - cron: \"0 4 * * *\"\n    - cron: \"*/5 * * * *\"\npermissions: {}\n"
        )
    ),
    bad!("another_runner", RUNNER_NOT_ALLOWED, "runs_on = [\"ubuntu-22.04\"]\n", job!("")),
    bad!(
        "a_moving_runner",
        RUNNER_NOT_PINNED,
        "runner_pinned = true\n",
        "on: push\npermissions: {}\njobs:\n  a: {runs-on: ubuntu-latest, steps: [{run: a}]}\n"
    ),
    bad!(
        "a_step_overrides_the_value",
        ENV_DIFFERS,
        "job = [\"unit\"]\nenv = { N = \"2\" }\n",
        "on: push\njobs:\n  unit:\n    runs-on: a-1\n    env: {N: 2}\n    steps:\n      - run: a\n        env: {N: 3}\n"
    ),
    bad!(
        "a_denied_name_in_a_step",
        ENV_DENIED,
        "env_deny = [\"INSTA_*\"]\n",
        steps!("      - run: a\n        env: {INSTA_UPDATE: always}\n")
    ),
    bad!(
        "a_tag",
        ACTION_NOT_PINNED,
        "uses_pinned = true\n",
        steps!("      - uses: actions/checkout@v4\n")
    ),
    bad!("a_foreign_action", ACTION_NOT_ALLOWED, "uses_allow = [\"ours/*\"]\n", SHA),
    bad!(
        "a_denied_name_in_a_script",
        ENV_DENIED,
        "env_deny = [\"INSTA_*\"]\n",
        steps!("      - run: INSTA_UPDATE=always cargo test\n")
    ),
    bad!(
        "a_command_nobody_allowed",
        RUN_NOT_ALLOWED,
        "run_allow = [\"cargo **\"]\n",
        steps!("      - run: cargo test && curl example.org\n")
    ),
    bad!(
        "a_denied_command_behind_a_shell",
        RUN_DENIED,
        "run_deny = [\"** --bless\"]\n",
        steps!("      - run: sudo bash -c 'just --version; cargo xtask schemas --bless'\n")
    ),
    bad!(
        "the_command_in_a_comment",
        RUN_MISSING,
        "run_require = [\"cargo test **\"]\n",
        steps!("      - run: |\n          # cargo test\n          echo 'cargo test'\n")
    ),
    bad!(
        "the_check_before_the_build",
        RUN_ORDER_DIFFERS,
        "run_order = [\"cargo build **\", \"cargo test **\"]\n",
        steps!("      - run: cargo test\n      - run: cargo build\n")
    ),
    bad!(
        "a_script_with_an_open_quote",
        SCRIPT_UNPARSED,
        "run_require = [\"cargo test **\"]\n",
        steps!("      - run: cargo test 'a\n")
    ),
    bad!(
        "a_step_may_fail",
        ADVISORY_DIFFERS,
        "steps_advisory = []\n",
        steps!("      - run: a\n        continue-on-error: \"true\"\n")
    ),
    bad!(
        "no_guard",
        FORK_GUARD_MISSING,
        "fork_guard = { steps = [\"comment\"] }\n",
        steps!("      - name: comment\n        run: a\n")
    ),
    bad!(
        "a_guard_that_is_a_text",
        GUARD_INEFFECTIVE,
        "fork_guard = { steps = [\"comment\"] }\n",
        steps!(
            "      - name: comment\n        if: ${{ github.event.pull_request.head.repo.fork }} == false\n        run: a\n"
        )
    ),
    bad!(
        "another_condition",
        CONDITION_DIFFERS,
        "job = [\"unit\"]\ncondition = \"always()\"\n",
        job!("    if: success()\n")
    ),
    bad!(
        "another_group",
        CONCURRENCY_DIFFERS,
        "concurrency = { group = \"ci-${{ github.ref }}\" }\n",
        top!("on: push\npermissions: {}\nconcurrency: ci\n")
    ),
    bad!(
        "one_name_for_two_cells",
        ARTIFACT_NAME_CLASH,
        "artifact_unique = true\n",
        "on: push\njobs:\n  a:\n    runs-on: a-1\n    strategy: {matrix: {t: [a, b], os: [c, d]}}\n    steps:\n      - uses: actions/upload-artifact@v4\n        with: {name: \"log-${{ matrix.t }}\"}\n"
    ),
    bad!(
        "a_runner_that_an_earlier_job_chooses",
        NOT_STATIC,
        "runner_pinned = true\n",
        "on: push\njobs:\n  a: {runs-on: \"${{ needs.b.outputs.os }}\", steps: [{run: a}]}\n"
    ),
    bad!(
        "a_foreign_workflow_beside_a_job",
        OPAQUE,
        "timeout_required = true\n",
        "on: push\njobs:\n  a: {runs-on: a-1, timeout-minutes: 1, steps: [{run: a}]}\n  b: {uses: o/r/.github/workflows/a.yml@11bd71901bbe5b1630ceea73d27597364c9af683}\n"
    ),
    bad!(
        "nothing_but_a_foreign_workflow",
        NOTHING_EXAMINED,
        "steps_advisory = []\n",
        "on: push\njobs:\n  b: {uses: o/r/.github/workflows/a.yml@11bd71901bbe5b1630ceea73d27597364c9af683}\n"
    ),
    bad!(
        "a_job_that_is_not_there",
        SELECTOR_MATCHES_NOTHING,
        "job = [\"lint\"]\ntimeout_required = true\n",
        job!("    timeout-minutes: 1\n")
    ),
    bad!(
        "an_exception_for_no_file",
        ADMISSION_UNUSED,
        "timeout_required = true\nexcept_file = [{ file = \"old.yml\", reason = \"its jobs are moved in the next change\" }]\n",
        job!("    timeout-minutes: 1\n")
    ),
    Tooth::known_bad(
        "one_name_with_two_endings",
        WORKFLOW_TWINS,
        "[[rule]]\nid = \"one\"\ntriggers_deny = [\"push\"]\n",
        &[(".github/workflows/ci.yml", job!("")), (".github/workflows/ci.yaml", job!(""))],
    ),
    Tooth::known_bad(
        "a_workflow_in_a_subfolder",
        WORKFLOW_NOT_LOADED,
        "[[rule]]\nid = \"one\"\ntriggers_deny = [\"push\"]\n",
        &[(".github/workflows/ci.yml", job!("")), (".github/workflows/old/ci.yml", job!(""))],
    ),
    Tooth::known_bad(
        "a_fault_in_the_sibling_with_the_other_ending",
        TIMEOUT_MISSING,
        "[[rule]]\nid = \"one\"\ntimeout_required = true\n",
        &[
            (".github/workflows/ci.yml", job!("    timeout-minutes: 1\n")),
            (".github/workflows/b.yaml", job!("")),
        ],
    ),
    bad!(
        "a_key_twice",
        DUPLICATE_KEY,
        "timeout_required = true\n",
        job!("    timeout-minutes: 1\n    timeout-minutes: 60\n")
    ),
    bad!(
        "two_documents",
        WORKFLOW_INVALID,
        "timeout_required = true\n",
        "on: push\n---\non: push\n"
    ),
    bad!(
        "an_open_bracket",
        EXPRESSION_INVALID,
        "timeout_required = true\n",
        job!("    if: ${{ (true }}\n")
    ),
    bad!(
        "a_merge_key",
        MERGE_KEY,
        "timeout_required = true\n",
        job!("    env: &e {A: b}\n    defaults: {<<: *e}\n")
    ),
    bad!(
        "a_need_of_nobody",
        NEEDS_UNKNOWN_JOB,
        "timeout_required = true\n",
        job!("    needs: fense\n")
    ),
    bad!("a_circle", NEEDS_CYCLE, "timeout_required = true\n", job!("    needs: unit\n")),
    bad!(
        "a_misspelt_key",
        UNKNOWN_KEY,
        "timeout_required = true\n",
        job!("    timeout-minute: 7\n")
    ),
];
