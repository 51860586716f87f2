//! Group A: what the check, its attributes and its process can do to escape, under plain `cargo test`.

use super::{
    run::{Run, row},
    sample::{Case, NO_AGGREGATES, root},
};
use portcullis::wire::outcome::{Effective, Outcome, RunVerdict};
use std::io::{BufRead as _, BufReader};

/// One gate, alone: what its trial says, and what it left.
fn first(name: &'static str, fault: &str) -> Run {
    Case::new(name).fault(fault).args(["a_first", "--exact"]).cargo_test()
}

/// The control of the corpus: the honest sample is green in the trial, and for another process.
#[test]
fn the_honest_sample_passes() {
    let run = Case::new("honest").cargo_tests();
    run.said(0, &["11 passed", "portcullis: PASS in lane `pr`"]).passes();
    assert_eq!(run.decision().why_not_certifiable, Vec::<String>::new());
}

/// A replay of a renamed gate.
#[test]
fn fg01_a_renamed_gate_exits_3() {
    let run = Case::new("fg01").args(["a_frist", "--exact"]).cargo_test();
    run.said(3, &["filter_matched_nothing", "did you mean `a_first`"]);
    assert!(!run.path().exists(), "nothing ran, so there is no run");
}

/// Two trials under one filter need two gates of one id, which FG-24 refuses; none at all is FG-01. What waits for
/// `cargo portcullis replay` is the comparison with the recorded count, `replay_selects_wrong_count`.
#[test]
fn fg02_a_replay_selects_exactly_one_trial() {
    let replay = portcullis::kernel::replay::Replay::gate("gates", "a_first", &[]);
    let words = replay.render();
    let (_, args) = words.split_once(" -- ").expect("words for the gate binary");
    for (case, args, code, said) in [
        ("fg02-now", args.to_owned(), 0, "1 passed"),
        ("fg02-then", args.replace("a_first", "a_frist"), 3, "filter_matched_nothing"),
    ] {
        let run = Case::new(case).args(args.split_whitespace()).cargo_test();
        run.said(code, &[said]);
    }
}

/// Every `use pack as _;` is deleted.
#[test]
fn fg03_an_empty_registry_exits_3() {
    Case::new("fg03").feature("no_packs").cargo_test().said(3, &["registry_empty"]);
}

/// Cargo takes a fresh binary from a target directory that two checkouts share, and starts it for either of them. Green
/// would be the tree of the checkout that built it.
#[test]
fn a_binary_that_another_checkout_built_is_refused_for_this_one() {
    let other = tempfile::tempdir().expect("a folder");
    let other = other.path().to_str().expect("a text").to_owned();
    let own = root().to_str().expect("a text").to_owned();
    let table = [
        ("shared-own", &own, "sample", 0, "1 passed"),
        ("shared-other", &other, "sample", 2, "binary_foreign"),
        // The cargo of another package says nothing of this one.
        ("shared-outer", &other, "another", 0, "1 passed"),
    ];
    for (case, dir, name, code, said) in table {
        let case = Case::new(case).args(["a_first", "--exact"]);
        let (mut command, run) = case.bare();
        command.env("CARGO_MANIFEST_DIR", dir).env("CARGO_PKG_NAME", name).env_remove("NEXTEST");
        let run = run.ended(&command.output().expect("it starts"));
        run.said(code, &[said]);
        assert_eq!(run.path().exists(), code == 0, "{dir}");
    }
}

/// A check that calls `process::exit(0)`: cargo is green, the receipt is not sealed.
#[test]
fn fg06_exit_zero_before_the_assertion() {
    let run = first("fg06", "exit_zero");
    run.said(0, &[]);
    run.decided("a_first", Effective::Crashed, "receipt_unsealed", 12);
    run.verified(&[], 12, &["a_first: crashed [receipt_unsealed]"]);
}

/// The first of the gates exits: cargo is green, and everything after it never ran.
#[test]
fn fg07_the_first_gate_exits_for_all() {
    let run = Case::new("fg07").fault("exit_zero").args(["--test-threads", "1"]).cargo_test();
    run.said(0, &[]);
    let decision = run.decision();
    let missing = decision.gates.iter().filter(|row| row.effective == Effective::Missing);
    let missing: Vec<(&str, Option<&str>)> =
        missing.map(|row| (row.id.as_str(), row.code.as_deref())).collect();
    let expected: Vec<(&str, Option<&str>)> = super::sample::GATES[1..]
        .iter()
        // The other binary said nothing at all, which has a code of its own.
        .map(|id| {
            let code =
                if *id == "s_kind" { "census_binary_missing" } else { "census_gate_missing" };
            (*id, Some(code))
        })
        .collect();
    assert_eq!(missing, expected);
    assert_eq!((decision.verdict, decision.exit), (RunVerdict::Invalid, 12));
    let said = ["a_first: crashed [receipt_unsealed]", "b_second: missing [census_gate_missing]"];
    run.verified(&[], 12, &said);
}

/// A thread that nobody joins panics while the check goes on to pass.
#[test]
fn fg08_a_panic_in_a_detached_thread() {
    let run = first("fg08", "stray_panic");
    run.said(101, &["stray_panic", "a panic that nobody waits for"]);
    assert_eq!(row(&run.decision(), "a_first").code.as_deref(), Some("stray_panic"));
    let whole = Case::new("fg08-whole").fault("stray_panic").cargo_tests();
    whole.said(101, &[]).decided("a_first", Effective::Error, "stray_panic", 11);
}

/// `#[should_panic]` on a gate does not turn its panic into a pass. That the attribute is a finding wherever it
/// stands (`forbidden_attribute`) is shown in `kinds.rs`.
#[test]
fn fg09_should_panic_on_a_gate_excuses_nothing() {
    let run = Case::new("fg09").feature("should_panic").cargo_tests();
    run.said(101, &["index out of bounds"]);
    run.decided("f_sixth", Effective::Error, "gate_panicked", 11);
}

/// `#[ignore]` on a blocking gate.
#[test]
fn fg10_an_ignored_gate_blocks() {
    let run = Case::new("fg10").feature("ignored").cargo_tests();
    run.said(101, &["gate_ignored"]).decided("f_sixth", Effective::Skip, "gate_ignored", 11);
    let alone = Case::new("fg10-alone").feature("ignored").args(["f_sixth", "--exact"]);
    alone.cargo_test().said(101, &["gate_ignored"]);
}

/// A skip at run time, for a reason that the policy does not list.
#[test]
fn fg11_a_skip_that_no_policy_allows() {
    let run = Case::new("fg11").fault("skip").cargo_tests();
    run.said(101, &["skip_not_allowed"]).decided(
        "a_first",
        Effective::Skip,
        "skip_not_allowed",
        11,
    );
}

/// Files that a glob used to match are gone; so are all things that a check counts.
#[test]
fn fg13_nothing_examined_is_an_error() {
    for (name, fault) in [("fg13-glob", "glob_empty"), ("fg13-zero", "examined_nothing")] {
        let run = Case::new(name).fault(fault).cargo_tests();
        run.said(101, &["nothing_examined"]).decided(
            "a_first",
            Effective::Error,
            "nothing_examined",
            11,
        );
    }
}

/// A check that drops an error with `.ok()`, and one that catches its own panic.
#[test]
fn fg14_an_error_that_the_check_drops() {
    for (name, fault) in [("fg14-ok", "error_dropped"), ("fg14-catch", "panic_caught")] {
        let run = Case::new(name).fault(fault).cargo_tests();
        run.said(101, &["gate_broken"]).decided("a_first", Effective::Error, "gate_broken", 11);
    }
}

/// A kind whose known-bad fixture is gone cannot prove that it can fail.
#[test]
fn fg15_a_kind_without_a_known_bad_fixture() {
    let run = Case::new("fg15").feature("toothless").cargo_tests();
    run.said(101, &["gate_without_fixtures"]).decided(
        "g_kind",
        Effective::Error,
        "gate_without_fixtures",
        11,
    );
}

/// `--skip` leaves the failing gate out: the aggregates look at it all the same, and without them a full profile
/// misses it. `cargo portcullis run --profile full` is the part that waits.
#[test]
fn fg23_a_skipped_gate_is_missing_from_a_full_profile() {
    let skip = ["--skip", "a_first"];
    let seen = Case::new("fg23-seen").fault("fail").args(skip).cargo_test();
    seen.said(101, &["sample_violation"]);
    let run = Case::new("fg23").fault("fail").args(skip).args(NO_AGGREGATES).cargo_tests();
    run.said(0, &["a filtered run cannot certify"]);
    run.decided("a_first", Effective::Missing, "census_gate_missing", 12);
    let sealed = Case::new("fg23-sealed").fault("fail").args(skip).args(NO_AGGREGATES).sealed();
    sealed.said(0, &[]).verified(&[], 0, &["verify: partial", "a_first"]);
    sealed.verified(&["--full"], 12, &["census_gate_missing", "a_first"]);
    // The control: what was left out is all that is wrong.
    Case::new("fg23-all").args(NO_AGGREGATES).cargo_tests().said(0, &[]).passes();
}

/// Two gates with one id: nothing runs, and both places are named.
#[test]
fn fg24_two_gates_with_one_id() {
    let run = Case::new("fg24").feature("duplicate").cargo_test();
    run.said(2, &["duplicate_gate_id", "`a_first`", "pack_a", "pack_b"]);
    assert!(!run.path().exists(), "nothing ran, so nothing was overwritten");
}

/// A process that is killed while its gate looks.
#[test]
fn fg76_sigkill_between_started_and_verdict() {
    let (mut command, run) = Case::new("fg76").fault("hang").args(["a_first", "--exact"]).bare();
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the gate binary starts");
    let mut said = BufReader::new(child.stderr.take().expect("its standard error"));
    let mut line = String::new();
    while !line.contains("SAMPLE HANGS") {
        line.clear();
        assert_ne!(said.read_line(&mut line).expect("a line"), 0, "it ended without hanging");
    }
    child.kill().expect("it lives");
    assert!(!child.wait().expect("it ended").success());
    run.decided("a_first", Effective::Crashed, "receipt_unsealed", 12);
    run.verified(&[], 12, &["a_first: crashed [receipt_unsealed]"]);
}

/// One check that never ends is an error of its own gate, and of no other one.
#[test]
fn a_check_that_hangs_is_given_up() {
    let run = Case::new("hang").fault("hang").cargo_tests();
    run.said(101, &["a_first: error [gate_timed_out]", "did not end within 8000 ms"]);
    run.decided("a_first", Effective::Error, "gate_timed_out", 11);
    let decision = run.decision();
    let odd = decision.gates.iter().filter(|gate| gate.effective != Effective::Pass);
    assert_eq!(odd.map(|gate| gate.id.as_str()).collect::<Vec<_>>(), ["a_first"]);
}

/// The receipts cannot be written: a file stands where the run directory should be, as on a disk that refuses.
#[test]
fn fg76_a_receipt_that_cannot_be_written() {
    let (mut command, run) = Case::new("fg76-disk").args(["a_first", "--exact"]).bare();
    let path = run.path();
    let _root = root();
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    super::sample::write(&path, "not a folder\n");
    let run = run.ended(&command.output().expect("the gate binary starts"));
    run.said(101, &["receipt_unwritable"]);
}

/// What a check that simply fails looks like here: the other end of the scale.
#[test]
fn a_failing_gate_fails() {
    let run = Case::new("fail").fault("fail").cargo_tests();
    run.said(101, &[]).decided("a_first", Effective::Fail, "sample_violation", 11);
    let decision = run.decision();
    assert_eq!(row(&decision, "a_first").outcome, Some(Outcome::Fail));
    assert_eq!(decision.gates.iter().filter(|row| row.blocks).count(), 1);
}

/// An aggregate that is about something else passes beside a failing gate; the closing line does not say `PASS`.
#[test]
fn the_closing_line_never_says_pass_beside_a_blocker() {
    let words = ["waiver_lifecycle_audit", "--exact"];
    let run = Case::new("closing").fault("fail").args(words).cargo_test();
    run.said(0, &["1 passed", "portcullis: BLOCKED in lane `pr`", "1 blocks"]);
    assert!(!run.text.contains("PASS"), "{}", run.text);
}
