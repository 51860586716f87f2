//! T01: a change edits gates, policy, census or its own evidence. The base, read by a program of the base, has the last word.

use super::{
    change::{BASE, Change, Story, WAIVERS, faults, row},
    sample::ended,
};
use std::fs;

const WAITS: &str = "pending_approval policy_loosened";

/// Each single loosening exits 11 seen from the base, although the run of the change itself is green; what is harmless or
/// stricter passes.
#[test]
fn t01_each_single_loosening_is_red_from_the_base() {
    let table: &[(&str, &str, &str, &str, Option<i32>)] = &[
        ("nothing", "", "", "pass -", Some(0)),
        ("a higher ceiling", "max_errors = 3", "max_errors = 9", WAITS, Some(11)),
        ("a lower ceiling", "max_errors = 3", "max_errors = 2", "pass -", Some(0)),
        ("no ceiling", "max_errors = 3\n", "", WAITS, Some(11)),
        ("advisory", "max_errors = 3", "max_errors = 3\nblocking = false", WAITS, Some(11)),
        ("fewer lanes", "max_errors = 3", "max_errors = 3\nlanes = [\"main\"]", WAITS, Some(11)),
        ("later", "max_errors = 3", "max_errors = 3\nenforce_from = 2030-01-01", WAITS, Some(11)),
        ("a skip", "max_errors = 3", "max_errors = 3\nallow_skip = [\"phase\"]", WAITS, Some(11)),
        ("emptiness", "max_errors = 3", "max_errors = 3\nallow_empty = \"so\"", WAITS, Some(11)),
        ("another kind", "kind = \"threshold\"", "kind = \"command\"", WAITS, Some(11)),
        ("a new key", "max_errors = 3", "max_errors = 3\nbananas = true", WAITS, Some(11)),
        ("words", "max_errors = 3", "max_errors = 3\ntitle = \"so\"", "pass -", Some(0)),
        (
            "the gate itself",
            "[[gate]]\nid = \"first\"\nkind = \"threshold\"\nmax_errors = 3\n",
            "",
            WAITS,
            Some(11),
        ),
        ("a name", "id = \"first\"", "id = \"fist\"", WAITS, Some(11)),
    ];
    for (case, from, to, first, exit) in table {
        let change = Change::new("");
        change.write(&BASE.replacen(from, to, usize::from(!from.is_empty())), "");
        change.sample.put("README.md", "harmless\n");
        change.sample.commit();
        let (seen, said, document) = change.judged(&Story::honest());
        assert_eq!((seen, row(&document, "first").as_str()), (*exit, *first), "{case}: {said}");
        // The change's own view of itself is green: only the base sees it.
        let (alone, said) = ended(&mut change.sample.portcullis(&["verify", "run-1"]));
        assert_eq!(alone, Some(0), "{case}: {said}");
    }
}

/// What concerns all gates is a fault of the run: promotion, rollback, who may approve.
#[test]
fn t01_a_rule_for_all_gates_is_loosened_for_the_run() {
    let rollback = "[promotion.rollback]\nowner = \"o\"\nrationale = \"r\"\nissue = \"i\"\n\
                    created = \"2026-05-31T00:00:00Z\"\nexpires = \"2026-06-02T00:00:00Z\"\n";
    let shadow = "[promotion]\nmode = \"shadow\"\nshadow_until = 2999-01-01\n";
    for (case, more) in [("rollback", rollback), ("shadow", shadow)] {
        let change = Change::new("");
        change.write(&BASE.replace("[approval]", &format!("{more}\n[approval]")), "");
        change.sample.commit();
        let story = Story { mode: Some("rollback"), fails: vec!["second"], ..Story::honest() };
        let (exit, said, document) = change.judged(&story);
        assert_eq!(exit, Some(11), "{case}: {said}");
        assert!(faults(&document).contains(&"policy_loosened".to_owned()), "{case}: {said}");
    }
    let change = Change::new("");
    change.write(&BASE.replace("rita@", "eve@example.org\", \"rita@"), "");
    change.sample.commit();
    let (exit, said, _) = change.judged(&Story::honest());
    assert_eq!(exit, Some(11), "an approver of its own: {said}");
    assert!(said.contains("approval.approvers"), "{said}");
}

/// A change that writes its evidence as it likes: another commit, policy, lane, day or selection than it is judged for.
#[test]
fn t01_what_a_run_says_of_its_own_rules_counts_for_nothing() {
    let honest = Story::honest;
    let red = || Story { fails: vec!["second"], ..honest() };
    let table: Vec<(&str, Story, Option<i32>, &str)> = vec![
        ("an honest failure", red(), Some(11), ""),
        (
            "a failure in a lane of its own",
            Story { lane: portcullis::Lane::Local, ..red() },
            Some(11),
            "",
        ),
        ("a rollback of its own", Story { mode: Some("rollback"), ..red() }, Some(11), ""),
        (
            "some gates only",
            Story { selected: Some(vec!["first"]), ..honest() },
            Some(12),
            "census_gate_missing",
        ),
        (
            "another commit",
            Story { commit: Some("a".repeat(40)), ..honest() },
            Some(12),
            "subject_mismatch",
        ),
        ("a changed tree", Story { dirty: true, ..honest() }, Some(12), "subject_mismatch"),
        (
            "the policy of the base instead of its own",
            Story { policy: Some(BASE.replace("max_errors = 3", "max_errors = 2")), ..honest() },
            Some(12),
            "inputs_foreign",
        ),
        (
            "a schema that nobody knows yet",
            Story { schema: "portcullis.inputs.v2", ..honest() },
            Some(12),
            "schema_unsupported",
        ),
    ];
    for (case, story, expected, code) in table {
        let change = Change::new("");
        change.sample.put("README.md", "harmless\n");
        change.sample.commit();
        let (exit, said, document) = change.judged(&story);
        assert_eq!(exit, expected, "{case}: {said}");
        let named = code.is_empty() || faults(&document).iter().any(|name| name == code);
        assert!(named, "{case}: {said}");
    }
}

#[test]
fn t01_evidence_that_was_edited_after_its_seal_is_refused() {
    let change = Change::new("");
    change.sample.put("README.md", "harmless\n");
    change.sample.commit();
    let names =
        ["decision.json", "inputs.json", "expected.json", "gates/second/attempt-1/verdict.json"];
    for name in names {
        let run = change.seal(&Story { fails: vec!["second"], ..Story::honest() });
        let path = run.path().join(name);
        let text = fs::read_to_string(&path).expect("a text");
        let edited = if name.ends_with("verdict.json") {
            text.replace("\"outcome\": \"fail\"", "\"outcome\": \"pass\"")
        } else {
            text.replacen("second", "secund", 1)
        };
        assert_ne!(text, edited, "{name}");
        fs::remove_file(&path).expect("removed");
        change.sample.put(&format!("target/portcullis/runs/run-1/{name}"), &edited);
        let (exit, said, _) = change.verify(&[]);
        assert_eq!(exit, Some(12), "{name}: {said}");
        assert!(said.contains("digest_mismatch"), "{name}: {said}");
    }
}

/// The enforcing job has the base checked out and the commit at hand; nothing of the work tree of the change is needed.
#[test]
fn t01_the_base_judges_from_its_own_checkout() {
    let change = Change::new("");
    change.write(&BASE.replace("max_errors = 3", "max_errors = 9"), "");
    change.sample.commit();
    let head = change.head();
    change.seal(&Story::honest());
    change.sample.git(&["checkout", "--quiet", "main"]);
    let (exit, said, document) = change.verify(&["--commit", &head, "--lane", "main"]);
    assert_eq!((exit, row(&document, "first").as_str()), (Some(11), WAITS), "{said}");
    assert_eq!(document["judged_from"]["commit"].as_str(), Some(head.as_str()), "{said}");
    assert_eq!(document["judged_from"]["lane"], "main", "{said}");
    // Without the commit, `HEAD` is asked about, and that is another one.
    let (exit, said, document) = change.verify(&[]);
    assert_eq!(exit, Some(12), "{said}");
    assert!(faults(&document).contains(&"subject_mismatch".to_owned()), "{said}");
    for (rev, commit) in [("nowhere", head.as_str()), ("main", "nowhere"), ("--help", &head)] {
        let base = format!("--base={rev}");
        let words = ["verify", "run-1", &base, "--commit", commit];
        let (exit, said) = ended(&mut change.sample.portcullis(&words));
        assert_eq!(exit, Some(11), "{rev} {commit}: {said}");
        assert!(said.contains("base_unresolvable"), "{rev} {commit}: {said}");
    }
}

/// A gate that blocks from pull requests on does not block in a run that calls itself local.
#[test]
fn t01_the_lane_is_that_of_the_judge() {
    let change = Change::new("");
    change.sample.put("README.md", "harmless\n");
    change.sample.commit();
    let story = Story { lane: portcullis::Lane::Local, fails: vec!["second"], ..Story::honest() };
    let (exit, said, document) = change.judged(&story);
    assert_eq!((exit, document["judged_from"]["lane"].as_str()), (Some(11), Some("pr")), "{said}");
    let (alone, said) = ended(&mut change.sample.portcullis(&["verify", "run-1"]));
    assert_eq!(alone, Some(0), "{said}");
    let (exit, said, _) = change.verify(&["--lane", "local"]);
    assert_eq!(exit, Some(0), "who asks for `local` is told of `local`: {said}");
}

/// A waiver that ended does not hold because the run says that it was made earlier.
#[test]
fn t01_the_later_clock_judges() {
    let waiver = "[waiver.second]\nowner = \"o\"\ncreated = 2020-01-01\nexpires = 2020-01-20\nissue = \"T-1\"\n\
                  reason = \"the second gate is being mended\"\nscope = \"full\"\nremove_when = \"it is mended\"\n";
    let change = Change::new(waiver);
    change.sample.put("README.md", "harmless\n");
    change.sample.commit();
    let now = "2020-01-05T12:00:00Z";
    let (exit, said, document) =
        change.judged(&Story { fails: vec!["second"], now, ..Story::honest() });
    assert_eq!(
        (exit, row(&document, "second").as_str()),
        (Some(11), "fail waiver_expired"),
        "{said}"
    );
    assert!(fs::exists(change.sample.path(WAIVERS)).expect("a file"));
}
