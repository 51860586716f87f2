//! Small packages: what counts as a suite, as a test that runs, and as one that passed.

use super::*;
use portcullis::{
    Outcome,
    testing::{Bench, Seen},
};

const ROSTER: &str =
    "paths = ['tests/lb_a.rs']\nextra = 'tests/lb_*.rs'\nresolve = 'static'\nmust_execute = false";
const MANIFEST: &str = "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

fn seen(config: &str, manifest: &str, files: &[(&str, &str)]) -> Seen {
    let bench = Bench::new(&LOAD_BEARING, config).git();
    let bench = bench.file("Cargo.toml", manifest.as_bytes()).file("src/lib.rs", b"");
    files.iter().fold(bench, |bench, (path, text)| bench.file(path, text.as_bytes())).run()
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&LOAD_BEARING), Vec::<String>::new());
}

#[test]
fn a_suite_has_tests_that_run() {
    let table: &[(&str, &str, usize)] = &[
        ("one", "#[test] fn a() {}", 0),
        ("one of two", "#[test] fn a() {} #[test] #[ignore] fn b() {}", 0),
        ("renamed and more", "#[test] fn z() {} #[test] fn y() {}", 0),
        ("in a module", "mod m { #[test] fn a() {} }", 0),
        ("none", "fn a() {}", 1),
        ("an empty file", "", 1),
        ("a comment", "// #[test] fn a() {}", 1),
        ("a text", "const A: &str = \"#[test] fn a() {}\";", 1),
        ("ignored", "#[test] #[ignore = \"flaky\"] fn a() {}", 1),
        ("ignored under a condition", "#[test] #[cfg_attr(not(slow), ignore)] fn a() {}", 1),
        ("under a condition that never holds", "#[cfg(any())] #[test] fn a() {}", 1),
        ("a file that is out", "#![cfg(feature = \"never\")]\n#[test] fn a() {}", 1),
        ("a module that is out", "#[cfg(not(all()))] mod m { #[test] fn a() {} }", 1),
    ];
    for (case, text, expected) in table {
        let seen = seen(ROSTER, MANIFEST, &[("tests/lb_a.rs", text)]);
        assert_eq!(seen.codes, vec!["no_active_test"; *expected], "{case}: {:?}", seen.messages);
    }
    let two = format!("{ROSTER}\nmin_active = 2");
    let one = seen(&two, MANIFEST, &[("tests/lb_a.rs", "#[test] fn a() {}")]);
    assert_eq!(one.codes, ["no_active_test"]);
}

#[test]
fn a_suite_is_in_a_target() {
    const SUITE: (&str, &str) = ("tests/lb_a.rs", "#[test] fn a() {}");
    let no_auto = format!("{MANIFEST}autotests = false\n");
    let listed = format!("{no_auto}[[test]]\nname = \"lb_a\"\n");
    let off = format!("{MANIFEST}[[test]]\nname = \"lb_a\"\ntest = false\n");
    let feature = format!(
        "{MANIFEST}[features]\nx = []\n[[test]]\nname = \"lb_a\"\nrequired-features = [\"x\"]\n"
    );
    let on = feature.replace("[features]\n", "[features]\ndefault = [\"x\"]\n");
    let module = format!("{no_auto}[[test]]\nname = \"all\"\n");
    let root: &[(&str, &str)] = &[("tests/all.rs", "mod lb_a;"), SUITE];
    let out: &[(&str, &str)] = &[("tests/all.rs", "#[cfg(any())] mod lb_a;"), SUITE];
    #[expect(clippy::type_complexity, reason = "one table, one case per row")]
    let table: &[(&str, &str, &[(&str, &str)], &[&str])] = &[
        ("found by cargo", MANIFEST, &[SUITE], &[]),
        ("listed", &listed, &[SUITE], &[]),
        ("a module of a target", &module, root, &[]),
        ("a module that is out", &module, out, &["no_active_test"]),
        ("no target", &no_auto, &[SUITE], &["file_not_a_target"]),
        ("switched off", &off, &[SUITE], &["file_not_a_target"]),
        ("behind a feature", &feature, &[SUITE], &["file_not_a_target"]),
        ("behind a default feature", &on, &[SUITE], &[]),
    ];
    for (case, manifest, files, expected) in table {
        let seen = seen(ROSTER, manifest, files);
        assert_eq!(seen.codes, *expected, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn an_untracked_suite_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        #[expect(clippy::disallowed_methods, reason = "a test writes its own tree")]
        std::fs::write(path, text).expect("a file");
    };
    write("Cargo.toml", MANIFEST);
    write("src/lib.rs", "");
    let first = Bench::new(&LOAD_BEARING, ROSTER).folder(folder.path()).git().run();
    assert_eq!(first.codes, ["file_missing"]);
    write("tests/lb_a.rs", "#[test] fn a() {}");
    let untracked = Bench::new(&LOAD_BEARING, ROSTER).folder(folder.path()).run();
    assert_eq!(untracked.codes, ["file_missing"]);
    let tracked = Bench::new(&LOAD_BEARING, ROSTER).folder(folder.path()).git().run();
    assert_eq!(tracked.codes, Vec::<String>::new());
}

#[test]
fn a_skip_that_junit_calls_a_pass_is_in_the_receipt() {
    const RUN: &str = "paths = ['tests/lb_a.rs']\nextra = 'tests/lb_*.rs'\nresolve = 'static'\nresults = 'j.xml'\nfreshness = { same_run = true }";
    const JUNIT: &str = "<testsuites uuid=\"bench\"><testsuite name=\"acme::lb_a\"><testcase name=\"a_gate\"/></testsuite></testsuites>";
    const SUITE: (&str, &str) = ("tests/lb_a.rs", "#[test] fn a_gate() {}");
    let attempt = |n: u32, file: &str| {
        format!("target/portcullis/runs/bench/gates/a_gate/attempt-{n}/{file}")
    };
    let judged = |receipts: &[(String, &str)], junit: &str| {
        let mut files = vec![SUITE, ("j.xml", junit)];
        files.extend(receipts.iter().map(|(path, text)| (path.as_str(), *text)));
        seen(RUN, MANIFEST, &files)
    };
    let started = |n| (attempt(n, "started.json"), "{}");
    let verdict = |n, text| (attempt(n, "verdict.json"), text);
    let (pass, skip) = ("{\"outcome\":\"pass\"}", "{\"outcome\":\"skip\"}");
    type Row<'a> = (&'a str, Vec<(String, &'a str)>, &'a [&'a str]);
    let table: Vec<Row<'_>> = vec![
        ("no receipt", vec![], &[]),
        ("a pass", vec![started(1), verdict(1, pass)], &[]),
        ("a skip", vec![started(1), verdict(1, skip)], &["not_executed", "skips_over_budget"]),
        ("a gate that never ended", vec![started(1)], &["not_executed"]),
        (
            "a pass, then a skip",
            vec![started(1), verdict(1, pass), started(2), verdict(2, skip)],
            &["not_executed", "skips_over_budget"],
        ),
        ("a failure", vec![started(1), verdict(1, "{\"outcome\":\"fail\"}")], &["not_executed"]),
    ];
    for (case, receipts, expected) in &table {
        let seen = judged(receipts, JUNIT);
        assert_eq!(seen.codes, *expected, "{case}: {:?}", seen.messages);
    }
    let other = JUNIT.replace("bench", "other");
    assert_eq!(judged(&[], &other).codes, ["results_stale"], "another run");
    let failed = JUNIT.replace("\"a_gate\"/>", "\"a_gate\"><failure/></testcase>");
    assert_eq!(judged(&[], &failed).codes, ["not_executed"]);
    let torn = judged(&[], "<testsuites>");
    assert_eq!(torn.code.as_deref(), Some("input_unreadable"));
    let roomy = format!("{RUN}\nmax_skips = 1");
    let one = [
        SUITE,
        (
            "j.xml",
            "<testsuites uuid=\"bench\"><testsuite name=\"acme::lb_a\"><testcase name=\"a_gate\"><skipped/></testcase></testsuite></testsuites>",
        ),
    ];
    assert_eq!(
        seen(&roomy, MANIFEST, &one).codes,
        ["not_executed"],
        "a skip is never an execution"
    );
}

#[test]
fn a_table_that_proves_nothing_is_refused() {
    let table: &[(&str, &str)] = &[
        ("no suite", "paths = []\nextra = 'a'\nmust_execute = false"),
        (
            "a suite outside the glob",
            "paths = ['tests/x.rs']\nextra = 'tests/lb_*.rs'\nmust_execute = false",
        ),
        ("a suite twice", "paths = ['a', 'a']\nextra = 'a'\nmust_execute = false"),
        (
            "an execution without results",
            "paths = ['a']\nextra = 'a'\nfreshness = { same_run = true }",
        ),
        ("an execution without freshness", "paths = ['a']\nextra = 'a'\nresults = 'j.xml'"),
        (
            "a freshness that says nothing",
            "paths = ['a']\nextra = 'a'\nresults = 'j.xml'\nfreshness = {}",
        ),
        ("no active test", "paths = ['a']\nextra = 'a'\nmust_execute = false\nmin_active = 0"),
    ];
    for (case, config) in table {
        let seen = seen(config, MANIFEST, &[("a", "")]);
        assert_eq!(seen.outcome, Outcome::Error, "{case}");
        assert_eq!(seen.code.as_deref(), Some("config_invalid"), "{case}");
    }
}
