use super::WORKFLOW_RUNS_GATE;
use portcullis::testing::{run, teeth};
use std::collections::BTreeSet;

#[test]
fn every_tooth_bites() {
    assert_eq!(teeth(&WORKFLOW_RUNS_GATE), [""; 0]);
}

/// The codes of a workflow with these lines in its only job, over a small workspace.
fn codes(config: &str, lines: &str, nextest: &str) -> Vec<String> {
    let body = lines.replace('\n', "\n    ");
    let workflow = format!(
        "on: [push, pull_request]\njobs:\n  gates:\n    runs-on: ubuntu-24.04\n    {body}\n"
    );
    let config = format!("resolve = 'static'\n[[runs]]\nfile = 'ci.yml'\njob = 'gates'\n{config}");
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = ['inner']\n[package]\nname = 'acme'\nversion = '0.1.0'\nedition = '2021'\n",
        ),
        ("src/lib.rs", "mod a { #[test] fn first() {} }\n"),
        ("src/main.rs", "fn main() {}\n#[test]\nfn of_main() {}\n"),
        (
            "tests/gates.rs",
            "#[test]\nfn one() {}\n#[test]\nfn two() {}\n#[test]\n#[ignore]\nfn slow() {}\n",
        ),
        ("tests/other.rs", "#[test]\nfn three() {}\n"),
        ("inner/Cargo.toml", "[package]\nname = 'inner'\nversion = '0.1.0'\nedition = '2021'\n"),
        ("inner/src/lib.rs", "#[test]\nfn deep() {}\n"),
        (".config/nextest.toml", nextest),
        (".github/workflows/ci.yml", workflow.as_str()),
    ];
    let seen = run(&WORKFLOW_RUNS_GATE, &config, &files);
    let unique: BTreeSet<String> = match seen.error() {
        Some(error) => [format!("{}: {}", error.code, error.message)].into(),
        None => seen.codes.into_iter().collect(),
    };
    unique.into_iter().collect()
}

#[test]
fn fg66_every_way_to_lose_a_test_is_found() {
    let gates = "command = 'cargo **'\nmust_select = ['acme::gates']";
    let table: &[(&str, &str, &[&str])] = &[
        (gates, "cargo test", &[]),
        (gates, "cargo test --test=gates", &[]),
        (gates, "cargo test --tests --locked", &[]),
        (gates, "cargo test --test 'g*'", &[]),
        (gates, "cargo test -p acme --test gates", &[]),
        (gates, "cargo test --workspace", &[]),
        (gates, "cargo test --manifest-path Cargo.toml", &[]),
        (gates, "cd inner && cargo test", &["selects_too_little"]),
        (gates, "cargo test -p inner", &["selects_too_little"]),
        (gates, "cargo test --workspace --exclude acme", &["selects_too_little"]),
        (gates, "cargo test --lib", &["selects_too_little"]),
        (gates, "cargo test --test other", &["selects_too_little"]),
        (gates, "cargo test one", &["selects_too_little"]),
        (gates, "cargo test -- --skip two", &["selects_too_little"]),
        (gates, "cargo test -- --ignored", &["selects_too_little"]),
        (gates, "cargo test -- --include-ignored", &[]),
        (
            gates,
            "cargo test --test gates -- one --exact\ncargo test --test gates -- two --exact",
            &[],
        ),
        (
            gates,
            "cargo test --test gates -- ones --exact",
            &["selects_nothing", "selects_too_little"],
        ),
        (gates, "cargo test --no-run", &["selects_nothing", "selects_too_little"]),
        (gates, "cargo test -- --list", &["selects_nothing", "selects_too_little"]),
        (gates, "cargo test $X", &["not_static"]),
        (gates, "cargo test -- ${{ vars.X }}", &["not_static"]),
        (gates, "cargo clippy", &["selects_too_little"]),
        (gates, "echo cargo test", &["gate_command_missing"]),
        (gates, "if [ \"$X\" ]; then cargo test; fi", &["command_conditional"]),
        (gates, "cargo nextest run -E 'binary(gates)'", &[]),
        (gates, "cargo nextest run -E 'test(one)' -E 'test(two)'", &[]),
        (gates, "cargo nextest run -E 'binary(=gates) - test(two)'", &["selects_too_little"]),
        (gates, "cargo nextest run -E 'kind(lib)'", &["selects_too_little"]),
        (gates, "cargo nextest run -E 'deps(acme)'", &["not_static"]),
        (gates, "cargo nextest run --run-ignored only", &["selects_too_little"]),
        (gates, "cargo nextest run --profile none", &["not_static"]),
        (gates, "cargo nextest run --partition hash:1/2", &["not_static"]),
        (gates, "cargo nextest list", &["selects_too_little"]),
        ("command = 'cargo **'\nmust_select = ['acme::gates$two']", "cargo test two", &[]),
        (
            "command = 'cargo **'\nmust_select = ['acme::gates$gone']",
            "cargo test",
            &["selects_too_little"],
        ),
        ("command = 'cargo **'\nmust_select = ['acme$a::first']", "cargo test --lib", &[]),
        (
            "command = 'cargo **'\nmust_select = ['acme::bin/acme$of_main']",
            "cargo test --bins",
            &[],
        ),
        (
            "command = 'cargo **'\nmust_select = ['inner']",
            "cargo test --manifest-path inner/Cargo.toml",
            &[],
        ),
        ("command = 'cargo clippy **'", "cargo clippy --all-targets", &[]),
    ];
    for (config, script, expected) in table {
        let lines = format!("steps:\n  - run: |\n      {}", script.replace('\n', "\n      "));
        let seen = codes(config, &lines, "");
        assert_eq!(seen, *expected, "{script} for {config}");
    }
    let inner = "steps:\n  - run: cargo test\n    working-directory: inner";
    assert_eq!(codes(gates, inner, ""), ["selects_too_little"]);
}

#[test]
fn profiles_filter_and_inherit() {
    let gates = "command = 'cargo **'\nmust_select = ['acme::gates']";
    let table: &[(&str, &str, &[&str])] = &[
        (
            "cargo nextest run",
            "[profile.default]\ndefault-filter = 'not test(two)'",
            &["selects_too_little"],
        ),
        (
            "cargo nextest run -P ci",
            "[profile.a]\ndefault-filter = 'test(one)'\n[profile.ci]\ninherits = 'a'",
            &["selects_too_little"],
        ),
        (
            "cargo nextest run -P ci",
            "[profile.default]\ndefault-filter = 'test(one)'\n[profile.ci]\ndefault-filter = 'all()'",
            &[],
        ),
        (
            "cargo nextest run --ignore-default-filter",
            "[profile.default]\ndefault-filter = 'test(one)'",
            &[],
        ),
    ];
    for (script, nextest, expected) in table {
        let lines = format!("steps:\n  - run: {script}");
        assert_eq!(codes(gates, &lines, nextest), *expected, "{script} under {nextest}");
    }
}

#[test]
fn fail_fast_is_found_where_it_hides() {
    let whole = "command = 'cargo **'\nno_fail_fast = true";
    let table: &[(&str, &str, &[&str])] = &[
        ("cargo test", "", &["fail_fast_hides"]),
        ("cargo test --no-fail-fast", "", &[]),
        ("cargo test --test gates", "", &[]),
        ("cargo nextest run", "", &["fail_fast_hides"]),
        ("cargo nextest run --no-fail-fast", "", &[]),
        ("cargo nextest run", "[profile.default]\nfail-fast = false", &[]),
        ("cargo nextest run --max-fail=all", "", &[]),
        ("cargo nextest run --test other", "", &[]),
    ];
    for (script, nextest, expected) in table {
        let lines = format!("steps:\n  - run: {script}");
        assert_eq!(codes(whole, &lines, nextest), *expected, "{script} under {nextest}");
    }
}

#[test]
fn conditions_of_jobs_steps_and_events_count() {
    let gates = "command = 'cargo test **'\nmust_select = ['acme::gates']";
    let table: &[(&str, &str, &[&str])] = &[
        (
            "",
            "if: github.event_name == 'push'\nsteps:\n  - run: cargo test",
            &["command_conditional"],
        ),
        ("events = ['push']", "if: github.event_name == 'push'\nsteps:\n  - run: cargo test", &[]),
        ("events = ['schedule']", "steps:\n  - run: cargo test", &["gate_command_missing"]),
        ("", "steps:\n  - run: cargo test\n    if: failure()", &["command_conditional"]),
        ("", "steps:\n  - run: cargo test\n    if: always()", &[]),
        ("", "steps:\n  - run: cargo test\n    if: github.ref == 'x'", &["command_conditional"]),
        (
            "",
            "strategy:\n  matrix:\n    os: [a, b]\nsteps:\n  - run: cargo test\n    if: matrix.os == 'a'",
            &["command_conditional"],
        ),
        ("", "strategy:\n  matrix:\n    os: [a, b]\nsteps:\n  - run: cargo test", &[]),
    ];
    for (events, lines, expected) in table {
        let config = format!("{gates}\n{events}");
        assert_eq!(codes(&config, lines, ""), *expected, "{lines} for {events}");
    }
}
