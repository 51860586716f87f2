use super::WORKFLOW_NO_SWALLOW;
use portcullis::testing::{run, teeth};
use std::collections::BTreeSet;

const CI: &str = ".github/workflows/ci.yml";

/// The codes of a workflow and further files, each once; the error where there is one.
fn codes(config: &str, workflow: &str, files: &[(&str, &str)]) -> Vec<String> {
    let mut all = vec![(CI, workflow)];
    all.extend_from_slice(files);
    let seen = run(&WORKFLOW_NO_SWALLOW, config, &all);
    let unique: BTreeSet<String> = match seen.error() {
        Some(error) => [format!("{}: {}", error.code, error.message)].into(),
        None => seen.codes.into_iter().collect(),
    };
    unique.into_iter().collect()
}

/// A workflow of one job with these lines under it.
fn job(lines: &str) -> String {
    let body = lines.replace('\n', "\n    ");
    format!("on: [push, pull_request]\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    {body}\n")
}

/// A workflow with one script.
fn script(shell: &str, script: &str) -> String {
    job(&format!("steps:\n  - {shell}run: |\n      {}", script.replace('\n', "\n      ")))
}

#[test]
fn every_tooth_bites() {
    assert_eq!(teeth(&WORKFLOW_NO_SWALLOW), [""; 0]);
}

#[test]
fn fg64_a_shell_that_hides_a_failure_is_found() {
    let table: &[(&str, &str, &[&str])] = &[
        ("", "cargo test || true", &["or_true"]),
        ("", "set +e\ncargo test\necho", &["errexit_off"]),
        ("", "set +e\ncargo test\nexit 0", &["errexit_off", "exit_zero"]),
        ("", "cargo test | tee log", &["pipe_without_pipefail"]),
        ("shell: bash {0}\n    ", "cargo test\necho", &["shell_without_errexit"]),
        ("shell: bash\n    ", "cargo test | tee log", &[]),
        ("shell: bash\n    ", "! cargo test", &["status_lost"]),
        ("", "until cargo test; do sleep 1; done", &["retry_loop"]),
        ("", "just unknown || true", &["or_true"]),
        ("", "cargo test\nrm -f x || true", &[]),
    ];
    for (shell, text, expected) in table {
        assert_eq!(codes("", &script(shell, text), &[]), *expected, "{shell}{text}");
    }
    let may_fail = job("continue-on-error: true\nsteps:\n  - run: cargo test");
    assert_eq!(codes("", &may_fail, &[]), ["continue_on_error_job"]);
}

#[test]
fn whoever_may_fail_is_found_in_every_spelling() {
    let table: &[(&str, &[&str])] = &[
        ("continue-on-error: true", &["continue_on_error_job"]),
        ("continue-on-error: 'true'", &["continue_on_error_job"]),
        ("continue-on-error: ${{ true }}", &["continue_on_error_job"]),
        ("continue-on-error: ${{ inputs.soft }}", &["continue_on_error_job"]),
        ("continue-on-error: ${{ github.event_name == 'push' }}", &["continue_on_error_job"]),
        (
            "continue-on-error: ${{ matrix.soft }}\nstrategy:\n  matrix:\n    soft: [true, false]",
            &["continue_on_error_job"],
        ),
        ("continue-on-error: ${{ matrix.soft }}\nstrategy:\n  matrix:\n    soft: [false]", &[]),
        ("continue-on-error: false", &[]),
        ("continue-on-error: 'false'", &[]),
        ("continue-on-error: ${{ false }}", &[]),
        ("continue-on-error: ${{ 1 == 2 }}", &[]),
    ];
    for (line, expected) in table {
        let text = job(&format!("{line}\nsteps:\n  - run: cargo test"));
        assert_eq!(codes("", &text, &[]), *expected, "{line}");
    }
    let aliased =
        job("env:\n  X: &soft true\ncontinue-on-error: *soft\nsteps:\n  - run: cargo test");
    assert_eq!(codes("", &aliased, &[]), ["continue_on_error_job"]);
}

#[test]
fn what_never_runs_is_found_and_what_may_is_not() {
    let table: &[(&str, &[&str])] = &[
        ("if: false", &["never_runs"]),
        ("if: ${{ false }}", &["never_runs"]),
        ("if: 0", &["never_runs"]),
        ("if: github.event_name == 'schedule'", &["never_runs"]),
        ("if: ${{ false && always() }}", &["never_runs"]),
        ("if: ${{ failure() && false }}", &["never_runs"]),
        ("if: github.event_name == 'push'", &[]),
        ("if: failure()", &[]),
        ("if: ${{ always() }}", &[]),
        ("if: cancelled()", &[]),
        ("if: github.ref == 'refs/heads/main'", &[]),
        ("if: '${{ false }} '", &[]),
    ];
    for (line, expected) in table {
        let of_job = job(&format!("{line}\nsteps:\n  - run: cargo test"));
        assert_eq!(codes("", &of_job, &[]), *expected, "job: {line}");
        let of_step = job(&format!("steps:\n  - run: cargo test\n    {line}"));
        assert_eq!(codes("", &of_step, &[]), *expected, "step: {line}");
    }
    let needing = |condition: &str| {
        format!(
            "on: push\njobs:\n  a:\n    if: false\n    runs-on: x\n    steps: [{{run: cargo test}}]\n  b:\n    needs: a\n    {condition}\n    runs-on: x\n    steps: [{{run: cargo test}}]\n"
        )
    };
    let both: &[&str] = &["needs_never_runs", "never_runs"];
    for (condition, expected) in [
        ("", both),
        ("if: github.event_name == 'push'", both),
        ("if: failure()", both),
        ("if: success()", both),
        ("if: always()", &["never_runs"]),
        ("if: ${{ !cancelled() }}", &["never_runs"]),
        ("if: ${{ !failure() }}", &["never_runs"]),
    ] {
        assert_eq!(codes("", &needing(condition), &[]), expected, "{condition}");
    }
}

#[test]
fn flags_that_make_tests_pass_are_found() {
    let profiles = ".config/nextest.toml";
    let table: &[(&str, &str, &[&str])] = &[
        ("cargo nextest run --retries 2", "", &["retries_hide"]),
        ("cargo nextest run --retries=1", "", &["retries_hide"]),
        ("cargo nextest run --retries 0", "", &[]),
        ("cargo nextest run --retries 2 --flaky-result fail", "", &[]),
        ("cargo nextest run --retries ${{ vars.N }}", "", &["retries_hide"]),
        ("NEXTEST_RETRIES=2 cargo nextest run", "", &["retries_hide"]),
        ("export NEXTEST_RETRIES=2\ncargo nextest run", "", &["retries_hide"]),
        ("cargo-nextest nextest run --retries 2", "", &["retries_hide"]),
        ("cargo nextest run", "[profile.default]\nretries = 1", &["retries_hide"]),
        (
            "cargo nextest run",
            "[profile.default]\nretries = { backoff = 'fixed', count = 2, delay = '1s' }",
            &["retries_hide"],
        ),
        ("cargo nextest run", "[profile.default]\nretries = 1\nflaky-result = 'fail'", &[]),
        (
            "cargo nextest run",
            "[[profile.default.overrides]]\nfilter = 'test(x)'\nretries = 1",
            &["retries_hide"],
        ),
        ("cargo nextest run -P ci", "[profile.ci]\nretries = 1", &["retries_hide"]),
        ("cargo nextest run -Pci", "[profile.ci]\nretries = 1", &["retries_hide"]),
        (
            "cargo nextest run --profile=ci",
            "[profile.a]\nretries = 1\n[profile.ci]\ninherits = 'a'",
            &["retries_hide"],
        ),
        ("cargo nextest run --retries 0", "[profile.default]\nretries = 1", &[]),
        ("cargo nextest run", "[profile.ci]\nretries = 1", &[]),
        ("cargo nextest run --no-tests=pass", "", &["no_tests_allowed"]),
        ("cargo nextest run --no-tests warn", "", &["no_tests_allowed"]),
        ("NEXTEST_NO_TESTS=pass cargo nextest run", "", &["no_tests_allowed"]),
        ("NEXTEST_NO_TESTS=pass cargo nextest run --no-tests=fail", "", &[]),
        ("cargo nextest run --no-tests=fail", "", &[]),
        ("cargo test --no-run", "", &["build_only"]),
        ("cargo test --no-run\ncargo test", "", &[]),
        ("cargo test --locked --no-run --test a\ncargo test --test a --locked -- x", "", &[]),
        ("cargo test --no-run --test a\ncargo test --test b", "", &["build_only"]),
        ("cargo test --no-run\ncargo test --no-run", "", &["build_only"]),
        ("cargo test\ncargo test --no-run", "", &["build_only"]),
        ("cargo test --no-run\ncargo test -- --list", "", &["build_only"]),
        ("cargo nextest run --no-run\ncargo nextest run", "", &[]),
        ("cargo bench --no-run", "", &["build_only"]),
        ("cargo bench --no-run\ncargo test", "", &["build_only"]),
        ("cargo test\necho cargo test --no-run", "", &[]),
    ];
    for (text, config, expected) in table {
        let seen = codes("", &script("", text), &[(profiles, config)]);
        assert_eq!(seen, *expected, "{text} under {config}");
    }
    let allowed = codes("allow_retries = true", &script("", "cargo nextest run --retries 2"), &[]);
    assert_eq!(allowed, [""; 0]);
}

#[test]
fn variables_of_every_level_reach_the_command() {
    let table: &[&str] = &[
        "env:\n  NEXTEST_RETRIES: 2\nsteps:\n  - run: cargo nextest run",
        "steps:\n  - run: cargo nextest run\n    env:\n      NEXTEST_RETRIES: '2'",
        "steps:\n  - run: echo NEXTEST_RETRIES=2 >> $GITHUB_ENV\n  - run: cargo nextest run",
        "env:\n  NEXTEST_RETRIES: ${{ vars.N }}\nsteps:\n  - run: cargo nextest run",
    ];
    for lines in table {
        assert_eq!(codes("", &job(lines), &[]), ["retries_hide"], "{lines}");
    }
    let inner = "env:\n  NEXTEST_RETRIES: 2\nsteps:\n  - run: cargo nextest run\n    env:\n      NEXTEST_RETRIES: 0";
    assert_eq!(codes("", &job(inner), &[]), [""; 0], "the inner level wins");
}

#[test]
fn retry_actions_are_found_where_they_run_a_verdict() {
    let table: &[(&str, &[&str])] = &[
        (
            "steps:\n  - uses: nick-fields/retry@v3\n    with:\n      command: cargo test",
            &["retry_loop"],
        ),
        (
            "steps:\n  - uses: Wandalen/wretry.action@v3\n    with:\n      command: cargo test",
            &["retry_loop"],
        ),
        (
            "steps:\n  - uses: nick-fields/retry@v3\n    with:\n      command: ${{ inputs.x }}",
            &["retry_loop"],
        ),
        ("steps:\n  - uses: nick-fields/retry@v3", &["retry_loop"]),
        (
            "steps:\n  - run: cargo test\n  - uses: nick-fields/retry@v3\n    with:\n      command: curl -O x",
            &[],
        ),
        ("steps:\n  - run: cargo test\n  - uses: actions/checkout@v4", &[]),
    ];
    for (lines, expected) in table {
        assert_eq!(codes("", &job(lines), &[]), *expected, "{lines}");
    }
}

#[test]
fn what_cannot_be_looked_into_blocks() {
    let table: &[(&str, &str)] = &[
        ("steps:\n  - shell: python\n    run: print()", "opaque"),
        ("steps:\n  - shell: pwsh\n    run: cargo test", "opaque"),
        ("steps:\n  - run: \"cargo test 'x\"", "script_unparsed"),
    ];
    for (lines, expected) in table {
        assert_eq!(codes("", &job(lines), &[]), [*expected], "{lines}");
    }
    let remote = "on: push\njobs:\n  a:\n    uses: o/r/.github/workflows/x.yml@v1\n  b:\n    runs-on: x\n    steps: [{run: cargo test}]\n";
    assert_eq!(codes("", remote, &[]), ["opaque"]);
}

#[test]
fn admissions_name_their_place_and_no_other() {
    let admit = |step: &str| {
        format!(
            "[[advisory]]\nfile = 'ci.yml'\njob = 'test'\n{step}reason = 'the new suite is measured for a month before it gates'\nexpires = 2026-08-31"
        )
    };
    let text = job(
        "steps:\n  - name: soft\n    run: cargo test || true\n  - name: hard\n    run: cargo doc",
    );
    assert_eq!(codes(&admit(""), &text, &[]), [""; 0]);
    assert_eq!(codes(&admit("step = 'soft'\n"), &text, &[]), [""; 0]);
    assert_eq!(codes(&admit("step = 'hard'\n"), &text, &[]), ["admission_unused", "or_true"]);
    let short = admit("").replace("the new suite is measured for a month before it gates", "flaky");
    assert!(codes(&short, &text, &[])[0].starts_with("config_invalid"), "a reason is a sentence");
    assert!(codes("verify = []", &text, &[])[0].starts_with("config_invalid"));
    assert_eq!(
        codes("verify = ['npm **']", &text, &[]).len(),
        1,
        "nothing of that kind was examined"
    );
}

#[test]
fn a_finding_names_the_line_of_the_command() {
    let text = script("", "echo a\ncargo test || true");
    let seen = run(&WORKFLOW_NO_SWALLOW, "", &[(CI, &text)]);
    let place = seen.looked.findings.first().and_then(|finding| finding.location.clone());
    let at = place.expect("a place");
    assert_eq!((at.path.as_str(), at.line, at.column), (CI, 8, 11));
    let seen = run(
        &WORKFLOW_NO_SWALLOW,
        "",
        &[(CI, &script("", "just x")), ("justfile", "# why\nx:\n    cargo test || true\n")],
    );
    let place = seen.looked.findings.first().and_then(|finding| finding.location.clone());
    assert_eq!(place.map(|at| (at.path, at.line)), Some(("justfile".to_owned(), 3)));
}
