//! Small repositories that this kind must accept or refuse.

use super::{
    ADMISSION_EXPIRED, ADMISSION_UNUSED, BUILD_ONLY, CONTINUE_ON_ERROR_JOB, CONTINUE_ON_ERROR_STEP,
    ERREXIT_OFF, EXIT_ZERO, NEEDS_NEVER_RUNS, NEVER_RUNS, NO_TESTS_ALLOWED, NOT_STATIC, OPAQUE,
    OR_TRUE, PIPE_WITHOUT_PIPEFAIL, RETRIES_HIDE, RETRY_LOOP, SCRIPT_UNPARSED,
    SELECTOR_MATCHES_NOTHING, SHELL_WITHOUT_ERREXIT, STATUS_LOST,
};
use portcullis::Tooth;

const CI: &str = ".github/workflows/ci.yml";

/// A workflow of one job with these lines in the script of its only step, under `bash`.
macro_rules! script {
    ($($line:literal),+) => {
        concat!(
            "on: [push]\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - name: run\n",
            "        shell: bash\n        run: |\n",
            $("          ", $line, "\n"),+
        )
    };
}

/// A workflow of one job with these lines under it.
macro_rules! job {
    ($($line:literal),+) => {
        concat!("on: [push]\njobs:\n  test:\n    runs-on: ubuntu-24.04\n", $("    ", $line, "\n"),+)
    };
}

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "every_benign_form",
        "",
        &[
            (
                CI,
                concat!(
                    "on:\n  push:\n  pull_request:\njobs:\n  first:\n    runs-on: ubuntu-24.04\n    continue-on-error: false\n",
                    "    steps:\n",
                    "      # never `continue-on-error: true`, never `|| true`\n",
                    "      - uses: ./.github/actions/setup\n",
                    "      - shell: bash\n        continue-on-error: ${{ false }}\n        run: |\n",
                    "          rm -f log || true\n          docker ps | grep x || true\n",
                    "          cargo test 2>&1 | tee log\n",
                    "          cargo xtask check || { echo \"::error::use || true\"; exit 1; }\n",
                    "          cargo test --no-run\n          cargo test\n",
                    "          cargo install x || true\n          cargo --version || true\n          cargo fetch || true\n",
                    "      - run: |\n          set +e\n          cargo clippy\n          status=$?\n          echo report\n          exit \"$status\"\n",
                    "      - run: |\n          if ! cargo doc; then echo bad; exit 1; fi\n",
                    "      - run: |\n          # cargo test || true\n          echo 'cargo test || true' \"&& cargo test &\"\n",
                    "      - run: cargo nextest run --retries 0 --no-tests=fail\n",
                    "      - if: ${{ failure() }}\n        uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02\n",
                    "      - if: always()\n        run: echo done\n",
                    "      - if: github.event_name == 'pull_request'\n        run: echo done\n",
                    "  last:\n    needs: first\n    if: ${{ always() }}\n    runs-on: ubuntu-24.04\n    steps:\n      - run: just all\n",
                    "  called:\n    uses: ./.github/workflows/local.yml\n",
                ),
            ),
            (
                ".github/workflows/local.yml",
                "on: workflow_call\njobs:\n  inner:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make test\n",
            ),
            (
                ".github/actions/setup/action.yml",
                "name: set up\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      run: rustup show || true\n",
            ),
            ("justfile", "all:\n    cargo test\n    -rm log\n"),
            ("Makefile", "test:\n\tcargo test\n\t-rm log\n"),
            (
                ".config/nextest.toml",
                "[profile.default]\nretries = 0\n[profile.other]\nretries = 3\n[profile.honest]\nretries = 2\nflaky-result = 'fail'\n",
            ),
        ],
    ),
    Tooth::known_good(
        "an_advisory_job_under_admission",
        concat!(
            "[[advisory]]\nfile = 'ci.yml'\njob = 'test'\nreason = 'the new suite is measured for a month before it gates'\n",
            "expires = 2026-08-31\n"
        ),
        &[(CI, job!("continue-on-error: true", "steps:", "  - run: cargo test || true"))],
    ),
    Tooth::known_bad(
        "the_job_may_fail",
        CONTINUE_ON_ERROR_JOB,
        "",
        &[(CI, job!("continue-on-error: true", "steps:", "  - run: cargo test"))],
    ),
    Tooth::known_bad(
        "a_step_may_fail",
        CONTINUE_ON_ERROR_STEP,
        "",
        &[(CI, job!("steps:", "  - run: cargo test", "    continue-on-error: 'true'"))],
    ),
    Tooth::known_bad(
        "a_step_of_an_action_may_fail",
        CONTINUE_ON_ERROR_STEP,
        "",
        &[
            (CI, job!("steps:", "  - uses: ./act")),
            (
                "act/action.yml",
                "name: a\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      continue-on-error: true\n      run: cargo test\n",
            ),
        ],
    ),
    Tooth::known_bad(
        "the_job_never_runs",
        NEVER_RUNS,
        "",
        &[(CI, job!("if: false", "steps:", "  - run: cargo test"))],
    ),
    Tooth::known_bad(
        "the_job_needs_one_that_never_runs",
        NEEDS_NEVER_RUNS,
        "",
        &[(
            CI,
            concat!(
                "on: push\njobs:\n  a:\n    if: github.event_name == 'pull_request'\n    runs-on: ubuntu-24.04\n",
                "    steps:\n      - run: cargo test\n  b:\n    needs: [a]\n    runs-on: ubuntu-24.04\n    steps:\n      - run: cargo test\n"
            ),
        )],
    ),
    Tooth::known_bad("or_true", OR_TRUE, "", &[(CI, script!("cargo test || true"))]),
    Tooth::known_bad(
        "or_true_in_a_called_workflow",
        OR_TRUE,
        "files = ['.github/workflows/ci.yml']",
        &[
            (CI, "on: push\njobs:\n  call:\n    uses: ./.github/workflows/inner.yml\n"),
            (
                ".github/workflows/inner.yml",
                "on: workflow_call\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: cargo test || true\n",
            ),
        ],
    ),
    Tooth::known_bad(
        "errexit_off",
        ERREXIT_OFF,
        "",
        &[(CI, script!("set +e", "cargo test", "echo done"))],
    ),
    Tooth::known_bad(
        "exit_zero",
        EXIT_ZERO,
        "",
        &[(CI, script!("set +e", "cargo test", "exit 0"))],
    ),
    Tooth::known_bad(
        "a_shell_without_errexit",
        SHELL_WITHOUT_ERREXIT,
        "",
        &[(
            CI,
            job!(
                "steps:",
                "  - shell: bash {0}",
                "    run: |",
                "      cargo test",
                "      echo done"
            ),
        )],
    ),
    Tooth::known_bad(
        "a_pipe_without_pipefail",
        PIPE_WITHOUT_PIPEFAIL,
        "",
        &[(CI, job!("steps:", "  - run: cargo test | tee log"))],
    ),
    Tooth::known_bad(
        "the_status_is_lost",
        STATUS_LOST,
        "",
        &[(CI, script!("if cargo test; then echo good; fi"))],
    ),
    Tooth::known_bad(
        "a_retry_loop",
        RETRY_LOOP,
        "",
        &[(CI, script!("for i in 1 2 3; do cargo test && break; done"))],
    ),
    Tooth::known_bad(
        "a_retry_action",
        RETRY_LOOP,
        "",
        &[(
            CI,
            job!(
                "steps:",
                "  - uses: nick-fields/retry@v3",
                "    with:",
                "      command: cargo test"
            ),
        )],
    ),
    Tooth::known_bad(
        "retries_by_flag",
        RETRIES_HIDE,
        "",
        &[(CI, script!("cargo nextest run --retries 2"))],
    ),
    Tooth::known_bad(
        "retries_by_profile",
        RETRIES_HIDE,
        "",
        &[
            (CI, script!("cargo nextest run --profile ci")),
            (
                ".config/nextest.toml",
                "[profile.base]\nretries = 2\n[profile.ci]\ninherits = 'base'\n",
            ),
        ],
    ),
    Tooth::known_bad(
        "no_tests_is_fine",
        NO_TESTS_ALLOWED,
        "",
        &[(CI, script!("cargo nextest run --no-tests=pass"))],
    ),
    Tooth::known_bad(
        "fg66_only_built",
        BUILD_ONLY,
        "",
        &[(CI, script!("cargo test --no-run --test a", "cargo test --test b"))],
    ),
    Tooth::known_bad(
        "too_many_paths",
        NOT_STATIC,
        "",
        &[(
            CI,
            script!(
                "if $A; then a=1; else a=2; fi",
                "if $B; then b=1; else b=2; fi",
                "if $C; then c=1; else c=2; fi",
                "if $D; then d=1; else d=2; fi",
                "if $E; then e=1; else e=2; fi",
                "if $F; then f=1; else f=2; fi",
                "if $G; then g=1; else g=2; fi",
                "if $H; then h=1; else h=2; fi",
                "if $I; then i=1; else i=2; fi",
                "if $J; then j=1; else j=2; fi",
                "cargo test"
            ),
        )],
    ),
    Tooth::known_bad(
        "another_shell",
        OPAQUE,
        "",
        &[(CI, job!("steps:", "  - shell: pwsh", "    run: cargo test"))],
    ),
    Tooth::known_bad(
        "a_script_that_does_not_parse",
        SCRIPT_UNPARSED,
        "",
        &[(CI, script!("if cargo test"))],
    ),
    Tooth::known_bad(
        "no_job_of_that_name",
        SELECTOR_MATCHES_NOTHING,
        "jobs = ['other']",
        &[(CI, script!("cargo test"))],
    ),
    Tooth::known_bad(
        "an_admission_nothing_needs",
        ADMISSION_UNUSED,
        concat!(
            "[[advisory]]\nfile = 'ci.yml'\njob = 'test'\nreason = 'the new suite is measured for a month before it gates'\n",
            "expires = 2026-08-31\n"
        ),
        &[(CI, script!("cargo test"))],
    ),
    Tooth::known_bad(
        "an_admission_that_ended",
        ADMISSION_EXPIRED,
        concat!(
            "[[advisory]]\nfile = 'ci.yml'\njob = 'test'\nreason = 'the new suite is measured for a month before it gates'\n",
            "expires = 2026-01-31\n"
        ),
        &[(CI, script!("cargo test || true"))],
    ),
];
