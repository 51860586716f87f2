use super::LANE_SERIAL;
use portcullis::testing::{run, teeth};
use std::collections::BTreeSet;

const CI: &str = ".github/workflows/ci.yml";
const NEXTEST: &str = ".config/nextest.toml";
const SERIAL: &str = "[profile.default]\ntest-threads = 1\n";

fn codes(config: &str, files: &[(&str, &str)]) -> Vec<String> {
    let seen = run(&LANE_SERIAL, config, files);
    let unique: BTreeSet<String> = match seen.error() {
        Some(error) => [format!("{}: {}", error.code, error.message)].into(),
        None => seen.codes.into_iter().collect(),
    };
    unique.into_iter().collect()
}

/// A workflow whose job `unit` is serial, with these lines under it.
fn job(lines: &str) -> String {
    let body = lines.replace('\n', "\n    ");
    format!("on: push\njobs:\n  unit:\n    runs-on: ubuntu-24.04\n    {body}\n")
}

const EVERYWHERE: &str = "veto = 'everywhere'\n[[serial]]\nfile = 'ci.yml'\njob = 'unit'";
const SERIAL_ONLY: &str = "[[serial]]\nfile = 'ci.yml'\njob = 'unit'";

#[test]
fn every_tooth_bites() {
    assert_eq!(teeth(&LANE_SERIAL), [""; 0]);
}

/// Each spelling alone is planted into a clean workflow, beside a command that is serial.
#[test]
fn ac_13_each_spelling_is_found_and_each_neighbour_is_not() {
    let table: &[(&str, &[&str])] = &[
        ("cargo nextest run -j 4", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run -j4", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run -j=4", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run -j -1", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run -jnum-cpus", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run -j $(nproc)", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run -j\"$(nproc)\"", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run -j ${{ vars.N }}", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run --test-threads 4", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run --test-threads=num-cpus", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run --jobs 4", &["not_proven_serial", "parallel_flag"]),
        ("T=4; cargo nextest run -j $T", &["not_proven_serial", "parallel_flag"]),
        ("bash -c 'cargo nextest run -j4'", &["not_proven_serial", "parallel_flag"]),
        ("cargo test -- --test-threads 4", &["not_proven_serial", "parallel_flag"]),
        ("cargo test -- --test-threads=4", &["not_proven_serial", "parallel_flag"]),
        ("cargo nextest run -j4 -j1", &["parallel_flag"]),
        ("./target/debug/suite --test-threads=4", &["parallel_flag"]),
        ("NEXTEST_TEST_THREADS=4 cargo nextest run", &["not_proven_serial", "parallel_env"]),
        ("export RUST_TEST_THREADS=4; cargo test", &["not_proven_serial", "parallel_env"]),
        ("env RUST_TEST_THREADS=4 cargo test", &["not_proven_serial", "parallel_env"]),
        ("echo NEXTEST_TEST_THREADS=4 >> $GITHUB_ENV", &["parallel_env"]),
        ("cargo nextest run", &[]),
        ("cargo nextest run -j1", &[]),
        ("cargo nextest run -j 1", &[]),
        ("cargo nextest run --test-threads=1 --build-jobs 4", &[]),
        ("cargo nextest run --no-capture", &[]),
        ("cargo test -j 4 -- --test-threads=1", &[]),
        ("cargo test -j4 -- --test-threads 1", &[]),
        ("cargo build -j4", &[]),
        ("make -j4", &[]),
        ("CARGO_BUILD_JOBS=4 cargo nextest run", &[]),
        ("head -n 4 log; echo -n; [ -n \"$X\" ]", &[]),
        ("echo 'cargo nextest run -j4'", &[]),
        ("true # cargo nextest run -j4", &[]),
        ("RUST_TEST_THREADS=1 cargo test", &[]),
    ];
    for (script, expected) in table {
        let text = job(&format!("steps:\n  - run: cargo nextest run\n  - run: |\n      {script}"));
        let files = [(CI, text.as_str()), (NEXTEST, SERIAL)];
        for config in [EVERYWHERE, SERIAL_ONLY] {
            assert_eq!(codes(config, &files), *expected, "{script} under {config}");
        }
    }
}

#[test]
fn variables_are_found_at_every_level() {
    let table: &[(&str, &[&str])] = &[
        (
            "env:\n  NEXTEST_TEST_THREADS: num-cpus\nsteps:\n  - run: cargo nextest run",
            &["not_proven_serial", "parallel_env"],
        ),
        (
            "env:\n  NEXTEST_TEST_THREADS: 4\nsteps:\n  - run: cargo nextest run -j1",
            &["parallel_env"],
        ),
        (
            "steps:\n  - run: cargo nextest run\n    env:\n      RUST_TEST_THREADS: 4",
            &["parallel_env"],
        ),
        (
            "container:\n  image: x\n  env:\n    RUST_TEST_THREADS: 4\nsteps:\n  - run: cargo nextest run",
            &["parallel_env"],
        ),
        ("env:\n  NEXTEST_TEST_THREADS: '1'\nsteps:\n  - run: cargo nextest run", &[]),
        ("env:\n  CARGO_BUILD_JOBS: 4\nsteps:\n  - run: cargo nextest run", &[]),
    ];
    for (lines, expected) in table {
        let text = job(lines);
        assert_eq!(codes(SERIAL_ONLY, &[(CI, &text), (NEXTEST, SERIAL)]), *expected, "{lines}");
    }
}

#[test]
fn sources_are_held_to_the_veto() {
    let clean = job("steps:\n  - run: cargo nextest run -j1");
    let table: &[(&str, &str, &[&str], &[&str])] = &[
        (NEXTEST, "[profile.other]\ntest-threads = 4", &["parallel_config"], &[]),
        (
            NEXTEST,
            "[profile.default]\ntest-threads = 'num-cpus'",
            &["parallel_config"],
            &["parallel_config"],
        ),
        (
            NEXTEST,
            "[profile.default]\ntest-threads = -1",
            &["parallel_config"],
            &["parallel_config"],
        ),
        (
            NEXTEST,
            "[[profile.default.overrides]]\nfilter = 'all()'\nthreads-required = 2",
            &[],
            &[],
        ),
        (
            NEXTEST,
            "[[profile.default.overrides]]\nfilter = 'all()'\ntest-group = 'g'\n[test-groups]\ng = { max-threads = 2 }",
            &["parallel_config"],
            &["parallel_config"],
        ),
        (NEXTEST, "[test-groups]\ng = { max-threads = 2 }", &[], &[]),
        (
            NEXTEST,
            "[profile.default]\nrun-extra-args = ['--test-threads', '4']",
            &["parallel_config"],
            &["parallel_config"],
        ),
        (
            ".cargo/config.toml",
            "[alias]\nnt = 'nextest run -j4'",
            &["parallel_flag"],
            &["parallel_flag"],
        ),
        (
            ".cargo/config.toml",
            "[env]\nRUST_TEST_THREADS = '4'",
            &["parallel_env"],
            &["parallel_env"],
        ),
        (".cargo/config.toml", "[build]\njobs = 4", &[], &[]),
        ("justfile", "all:\n    cargo nextest run -j4\n", &["parallel_flag"], &[]),
        ("justfile", "export RUST_TEST_THREADS := '4'\nall:\n    echo\n", &["parallel_env"], &[]),
        ("Makefile", "all:\n\tcargo nextest run --test-threads=4\n", &["parallel_flag"], &[]),
        ("Makefile", "all:\n\tmake -j4 build\nbuild:\n\tcargo build -j4\n", &[], &[]),
    ];
    for (path, text, everywhere, serial) in table {
        let files = [(CI, clean.as_str()), (*path, *text)];
        assert_eq!(codes(EVERYWHERE, &files), *everywhere, "{path}: {text}");
        assert_eq!(codes(SERIAL_ONLY, &files), *serial, "{path}: {text}, in serial lanes");
    }
    let missing = codes(&format!("sources = ['x']\n{SERIAL_ONLY}"), &[(CI, &clean)]);
    assert!(missing[0].starts_with("selector_matches_nothing"), "{missing:?}");
    assert!(codes("", &[(CI, &clean)])[0].starts_with("config_invalid"));
}
