//! The same ends under both engines, and the examples of the documentation under each.

use super::{Case, HOST, NOW, broken, command, elsewhere, has_nextest, host, text, write};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

const FAULTS: &str = "fails,panics,returns_an_error,aborts,exits,hangs,leaks,flickers,gate_fails,doctest,aborted_example";

/// How each planned target of the sample ends: statuses by attempt, and the class of its failure.
const ENDS: &[(&str, &[&str], Option<&str>)] = &[
    ("passes", &["passed"], None),
    ("tests::doubles", &["passed"], None),
    ("a::b::nested_name", &["passed"], None),
    ("fails", &["failed"], Some("assertion_failure")),
    ("panics", &["failed"], Some("panic")),
    ("returns_an_error", &["failed"], Some("test_error")),
    ("aborts", &["crashed"], Some("crash")),
    ("exits", &["exited"], Some("exited")),
    ("hangs", &["timed_out"], Some("timeout")),
    ("leaks", &["passed"], None),
    ("flickers", &["failed", "passed"], Some("panic")),
    ("is_ignored", &[], None),
    ("health", &["failed"], Some("gate_blocked")),
    ("stock", &["passed"], None),
    ("src/lib.rs - double", &["passed"], None),
    ("src/lib.rs - halve", &["failed"], Some("assertion_failure")),
    ("src/lib.rs - wait", &["passed"], None),
    ("src/lib.rs - wait #2", &["passed"], None),
    ("src/lib.rs - wait #3", &[], None),
    ("src/lib.rs - wait #4", &["passed"], None),
    ("src/lib.rs - wait #5", &["crashed"], Some("crash")),
    ("src/lib.rs - wait #6", &["passed"], None),
];

/// The 20 targets that are no examples, and the 7 examples that run.
const PLANNED: usize = 27;

fn ends(case: &Case, said: &str) {
    for (test, statuses, class) in ENDS {
        assert_eq!(case.statuses(test), *statuses, "{test}\n{said}");
        assert_eq!(case.class(test).as_deref(), *class, "{test}\n{said}");
    }
    let lines = fs::read_to_string(case.dir().join("outcomes.jsonl")).expect("outcomes");
    assert_eq!(lines.matches("\"last\":true").count(), PLANNED, "each planned target has an end");
    assert!(said.contains("1 flaky; 1 leaky"), "{said}");
    assert_eq!(case.verified(), Some(10), "verify says what the run said");
    let plan = case.document("plan.json");
    let excluded = plan["excluded"].as_array().expect("excluded").clone();
    let ignored = |test: &str| {
        excluded.iter().any(|one| {
            one["test"] == test
                && one["reason"].as_str().is_some_and(|why| why.starts_with("ignored"))
        })
    };
    assert!(ignored("is_ignored") && ignored("src/lib.rs - wait #3"), "{excluded:?}");
    let kinds = plan["targets"].as_array().expect("targets").iter();
    assert_eq!(kinds.filter(|target| target["kind"] == "doc").count(), 7);
}

#[test]
fn under_nextest_every_end_is_classified_examples_of_the_documentation_included() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("ends-nextest");
    let said = case.runs(FAULTS, &["run", "--profile", "documented"], 10);
    ends(&case, &said);
    assert_eq!(case.document("plan.json")["engine"], "nextest");
    let replayed = Case::new("ends-replayed");
    let path = case.dir();
    let from = path.to_str().expect("a path");
    let said = replayed.runs(FAULTS, &["replay", from, "--test", "src/lib.rs - halve"], 10);
    assert!(said.contains("reproduced (assertion_failure)"), "{said}");
    let said =
        replayed.runs("aborted_example", &["replay", from, "--test", "src/lib.rs - halve"], 0);
    assert!(said.contains("not reproduced"), "another example failed: {said}");
    let again = Case::new("ends-rerun");
    again.runs("", &["rerun", from], 0);
    assert_eq!(again.statuses("src/lib.rs - halve"), ["passed"]);
    assert!(again.statuses("src/lib.rs - double").is_empty(), "what did not fail is not run again");
}

#[test]
fn an_honest_run_with_examples_certifies_and_their_deadline_is_never_a_pass() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("documented");
    let said = case.runs("", &["run", "--profile", "documented"], 0);
    assert!(said.contains("24 passed") && said.contains("3 gates: 3 pass"), "{said}");
    let late = Case::new("documented-late");
    let words = ["run", "--profile", "documented", "--kind", "doc", "--deadline", "8s"];
    let said = late.runs("hanging_example", &words, 12);
    assert!(said.contains("deadline_exceeded"), "{said}");
    assert!(!late.statuses("src/lib.rs - wait #6").contains(&"passed".to_owned()), "{said}");
    assert_eq!(late.verified(), Some(12));
}

#[cfg(unix)]
#[test]
fn without_nextest_cargo_test_says_the_same_and_never_certifies() {
    if !has_nextest() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = broken::without_nextest(folder.path());
    let run = |case: &Case, faults: &str, words: &[&str], code: i32| {
        let mut command = case.command(faults, words);
        let output = command.env("PATH", &path).output().expect("it starts");
        let said = super::text(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.matches("cargo-nextest is not installed").count(), 1, "said once: {said}");
        said
    };
    let case = Case::new("ends-cargo-test");
    let said = run(&case, FAULTS, &["run", "--profile", "documented"], 10);
    ends(&case, &said);
    for name in ["plan.json", "environment.json", "views/summary.json"] {
        assert_eq!(case.document(name)["engine"], "cargo_test", "{name}");
    }
    let green = Case::new("green-cargo-test");
    run(&green, "", &["run", "--profile", "full"], 0);
    let decision = green.document("decision.json");
    assert_eq!(decision["certifiable"], false, "the only reason is the engine");
    let why = decision["why_not_certifiable"].to_string();
    assert!(why.contains("cargo-nextest was not installed"), "{why}");
    let lost = Case::new("lost-cargo-test");
    let said = run(&lost, "gate_exits", &["run", "--kind", "gate"], 12);
    assert!(said.contains("receipt_unsealed"), "{said}");
    let late = Case::new("late-cargo-test");
    let words = ["run", "--profile", "ci", "--kind", "e2e", "--deadline", "6s", "--jobs", "1"];
    let said = run(&late, "hangs", &words, 12);
    assert!(said.contains("deadline_exceeded"), "{said}");
    assert_eq!(late.statuses("hangs"), ["timed_out"]);
    assert_eq!(late.statuses("stock").len(), 0, "what was not asked for");
    for case in [&lost, &late] {
        assert_eq!(case.verified(), Some(12));
    }
}

/// Seventy gates that need one: the first process that needs it looks, the others read its receipt.
#[test]
fn a_gate_that_more_than_sixty_four_need_is_evaluated_once_for_all_of_them() {
    if !has_nextest() {
        return;
    }
    let (tree, target, _guard) = elsewhere();
    let (mut gates, mut tables) = (String::new(), String::new());
    for n in 0..70 {
        let name = format!("crowd_{n:02}");
        gates.push_str(&format!(
            "portcullis::gate! {{\n    /// Looks at one thing.\n    pub static {}: \"{name}\", check = one;\n}}\n\n",
            name.to_uppercase()
        ));
        tables.push_str(&format!("\n[[gate]]\nid = \"{name}\"\nneeds = [\"stock\"]\n"));
    }
    let edit = |name: &str, change: &dyn Fn(String) -> String| {
        let path = tree.join(name);
        write(&path, &change(fs::read_to_string(&path).expect("a file")));
    };
    edit("tests/gates.rs", &|text| {
        text.replace("portcullis::main!", &format!("{gates}portcullis::main!"))
    });
    edit("portcullis.toml", &|text| text + &tables);
    let blessed = command(&tree, &["census", "--bless"]).output().expect("it starts");
    assert!(blessed.status.success(), "{}", text(&blessed));
    let dir = target.join("portcullis/runs/crowd");
    for (fault, code) in [("", 0), ("stock_exits", 12)] {
        drop(fs::remove_dir_all(&dir));
        let mut run = command(&tree, &["run", "--profile", "ci", "--kind", "gate", "--jobs", "8"]);
        run.env("PORTCULLIS_RUN_ID", "crowd").env("SAMPLE_FAULT", fault);
        let output = run.output().expect("it starts");
        let said = text(&output);
        assert_eq!(output.status.code(), Some(code), "{fault}: {said}");
        if code == 0 {
            assert!(said.contains("73 gates: 73 pass"), "{said}");
            let attempts = dir.join("gates/stock").read_dir().expect("attempts").count();
            assert!(attempts <= 2, "once for those that need it, and once for itself: {attempts}");
        } else {
            assert!(said.contains("1 crashed"), "a need that died is no pass: {said}");
        }
    }
    // Somebody sets the run id by hand and uses it twice: what the first start saw says nothing of the second.
    for (start, fault, code) in
        [("the first", "", 0), ("a broken need", "gate_fails", 100), ("mended", "", 0)]
    {
        let mut nextest = nextest(&tree);
        nextest.args(["--test", "gates", "-E", "test(=order)"]);
        nextest.env("PORTCULLIS_RUN_ID", "again").env("SAMPLE_FAULT", fault);
        let output = nextest.output().expect("it starts");
        assert_eq!(output.status.code(), Some(code), "{start}: {}", text(&output));
    }
}

/// `cargo nextest run` as somebody types it, with no runner of ours around it.
#[expect(clippy::disallowed_methods, reason = "these tests are about the process itself")]
fn nextest(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(["nextest", "run", "--offline"]).stdin(Stdio::null());
    command.env_clear();
    for name in HOST {
        if let Some(value) = host(name) {
            command.env(name, value);
        }
    }
    command.env("PORTCULLIS_NOW", NOW);
    command
}
