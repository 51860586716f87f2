//! The nextest half of group A. Without cargo-nextest each case says so loudly; in CI that is a failure.

use super::{
    run::row,
    sample::{Case, write},
};
use portcullis::wire::outcome::Effective;
use portcullis_repo::process::has_nextest;

/// The control of this half.
#[test]
fn the_honest_sample_passes_under_nextest() {
    if has_nextest() {
        Case::new("honest-n").nextest().said(0, &["12 tests run: 12 passed"]).passes();
    }
}

/// nextest says PASS for a gate that called `process::exit(0)`.
#[test]
fn fg06_nextest_exit_zero() {
    if has_nextest() {
        let case = Case::new("fg06-n").fault("exit_zero").args(["-E", "test(=a_first)"]);
        let run = case.nextest();
        run.said(0, &["1 passed"]);
        run.decided("a_first", Effective::Crashed, "receipt_unsealed", 12);
    }
}

/// The faults that the harness itself turns red are red under nextest, with the same code.
#[test]
fn fg08_to_fg18_nextest_agrees() {
    if !has_nextest() {
        return;
    }
    let faults = [
        ("fg08-n", "stray_panic", "stray_panic"),
        ("fg11-n", "skip", "skip_not_allowed"),
        ("fg13-n", "glob_empty", "nothing_examined"),
        ("fg14-n", "error_dropped", "gate_broken"),
    ];
    for (name, fault, code) in faults {
        let run = Case::new(name).fault(fault).args(["-E", "test(=a_first)"]).nextest();
        run.said(100, &[code]);
        assert_eq!(row(&run.decision(), "a_first").code.as_deref(), Some(code), "{name}");
    }
    let features = [
        ("fg09-n", "should_panic", "test(=f_sixth)", "gate_panicked"),
        ("fg10-n", "ignored", "test(=f_sixth)", "gate_ignored"),
        ("fg15-n", "toothless", "test(=g_kind)", "gate_without_fixtures"),
        ("fg04-n", "lost_pack", "test(=full_suite_gate)", "census_gate_missing"),
        ("fg18-n", "hidden", "test(=full_suite_gate)", "census_gate_missing"),
    ];
    for (name, feature, filter, code) in features {
        let run = Case::new(name).feature(feature).args(["-E", filter]).nextest();
        run.said(100, &[code]);
    }
}

/// A gate binary that vanishes from nextest's list, by unmet features or an empty `main`.
#[test]
fn fg16_and_fg17_nextest_misses_a_binary() {
    if !has_nextest() {
        return;
    }
    let gates = "not test(/full_|preflight|waiver_lifecycle/)";
    for (name, words) in
        [("fg16-n", vec!["--no-default-features"]), ("fg17-n", vec!["--features", "empty_main"])]
    {
        let run = Case::new(name).cargo(words).args(["-E", gates]).nextest();
        run.said(0, &["7 tests run: 7 passed"]);
        run.decided("s_kind", Effective::Missing, "census_binary_missing", 12);
    }
}

/// Listed as ignored and not ignored when run: no gate is ever listed so, and `--ignored` runs nothing and exits 3.
#[test]
fn fg12_listed_as_ignored_but_not_when_run() {
    let listed = Case::new("fg12-list").feature("ignored").args(["--list", "--ignored"]);
    let run = listed.args(["--format", "terse"]).cargo_test();
    run.said(0, &[]);
    assert!(!run.text.contains(": test"), "{}", run.text);
    let words = ["f_sixth", "--exact", "--ignored", "--nocapture"];
    let run = Case::new("fg12").env("NEXTEST_TEST_PHASE", "run").args(words).cargo_test();
    run.said(3, &["filter_matched_nothing"]);
    run.decided("f_sixth", Effective::Missing, "census_gate_missing", 12);
    if has_nextest() {
        let words = ["--run-ignored", "only", "--no-tests", "pass"];
        let run = Case::new("fg12-n").feature("ignored").args(words).nextest();
        run.said(0, &["0 tests run"]);
        run.decided("f_sixth", Effective::Missing, "census_gate_missing", 12);
    }
}

/// A runner that executes `--list` and exits 0 for everything else: nextest says PASS for each test.
#[cfg(unix)]
#[test]
fn fg20_a_runner_that_only_lists() {
    if !has_nextest() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("runner.sh");
    write(&script, "case \" $* \" in *' --list '*) exec \"$@\";; esac\nexit 0\n");
    let runner = format!("target.'cfg(all())'.runner=['sh', '{}']", script.display());
    let run = Case::new("fg20").fault("fail").cargo(["--config", &runner]).nextest();
    run.said(0, &["12 passed"]);
    assert!(!run.path().exists(), "no gate ran");
    run.decided("a_first", Effective::Missing, "census_gate_missing", 12);
}

/// nextest's `default-filter` leaves the failing gate out. The aggregates look at it; without them it is missing.
#[test]
fn fg23_nextest_default_filter() {
    if !has_nextest() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("nextest.toml");
    let aggregates = "/full_|preflight|waiver_lifecycle/";
    for (name, filter, code, said) in [
        ("fg23-n-seen", "not test(a_first)".to_owned(), 100, "sample_violation"),
        ("fg23-n", format!("not test(a_first) - test({aggregates})"), 0, "7 passed"),
    ] {
        write(&config, &format!("[profile.default]\ndefault-filter = \"{filter}\"\n"));
        let path = config.to_str().expect("a path").to_owned();
        let run = Case::new(name).fault("fail").args(["--config-file", &path]).nextest();
        run.said(code, &[said]);
        if code == 0 {
            run.decided("a_first", Effective::Missing, "census_gate_missing", 12);
        }
    }
}
