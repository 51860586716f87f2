//! `ci mutate` over the corpus of the lane gates, and over corpora that cannot be used.

use serde_json::Value;
use std::{path::Path, process::Command};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/lanes/lane_mutations.toml");
/// The same faults in other spellings, places and files.
const MORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/lanes/more_mutations.toml");

fn mutate(corpus: &Path) -> (Option<i32>, String, String) {
    #[expect(clippy::disallowed_methods, reason = "a test runs the program as a user does")]
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-portcullis"))
        .args(["portcullis", "--format", "json", "ci", "mutate", "--corpus"])
        .arg(corpus)
        .output()
        .expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn rows<'d>(document: &'d Value, key: &str) -> &'d [Value] {
    document[key].as_array().expect("rows")
}

#[test]
fn every_row_is_as_expected() {
    as_expected(CORPUS, 24, 8);
}

#[test]
fn every_row_in_other_spellings_is_as_expected() {
    as_expected(MORE, 99, 25);
}

#[track_caller]
fn as_expected(corpus: &str, mutations: usize, benign: usize) {
    let (code, stdout, stderr) = mutate(Path::new(corpus));
    let document: Value = serde_json::from_str(&stdout).expect(&stderr);
    assert_eq!(rows(&document, "unknown_kinds").len(), 0, "{}", document["unknown_kinds"]);
    assert_eq!(rows(&document, "mutations").len(), mutations);
    assert_eq!(rows(&document, "benign").len(), benign);
    let all = rows(&document, "mutations")
        .iter()
        .chain(rows(&document, "benign"))
        .chain([&document["clean"]]);
    let wrong: Vec<String> =
        all.filter(|row| row["as_expected"] != true).map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(code, Some(0));
}

#[test]
fn a_row_that_differs_and_a_corpus_that_cannot_be_used() {
    let text = std::fs::read_to_string(CORPUS).expect("the corpus");
    let folder = tempfile::tempdir().expect("a folder");
    let run = |name: &str, text: &str| {
        let path = folder.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "a test writes its input")]
        std::fs::write(&path, text).expect("it is written");
        mutate(&path)
    };
    let small = |policy: &str, rest: &str| {
        format!(
            "schema = 'portcullis.lane_mutations.v1'\nbase_ci_yml = '''\non: push\njobs:\n  a:\n    runs-on: b\n    timeout-minutes: 7\n    steps: [{{run: c}}]\n'''\nbase_policy_toml = '''\n{policy}\n'''\n[paths]\nbase_ci_yml = '.github/workflows/ci.yml'\nbase_policy_toml = 'portcullis.toml'\n{rest}"
        )
    };
    let policy = "[[gate]]\nid = 'p'\nkind = 'workflow_policy'\ntitle = 't'\nowner = 'o'\n[[gate.rule]]\nid = 'r'\ntimeout_minutes_max = 7\n";
    let edit = |find: &str, replace: &str, code: &str| {
        format!(
            "[[mutation]]\nid = 'm'\nbase = 'base_ci_yml'\nfind = '{find}'\nreplace = '{replace}'\nexpect_gate = 'workflow_policy'\nexpect_code = '{code}'\n"
        )
    };
    let benign = |replace: &str| {
        format!("[[benign]]\nid = 'b'\nbase = 'base_ci_yml'\nfind = ': 7'\nreplace = '{replace}'\n")
    };
    let table: &[(&str, String, i32)] = &[
        ("caught", small(policy, &edit(": 7", ": 8", "timeout_too_long")), 0),
        ("not caught", small(policy, &edit(": 7", ": 6", "timeout_too_long")), 11),
        ("another code", small(policy, &edit(": 7", ": 8", "timeout_missing")), 11),
        ("silent", small(policy, &benign(": 6")), 0),
        ("not silent", small(policy, &benign(": 8")), 11),
        (
            "a clean tree that is not clean",
            small(&policy.replace("= 7", "= 6"), &edit(": 7", ": 8", "timeout_too_long")),
            11,
        ),
        (
            "an unknown kind",
            small(&policy.replace("workflow_policy", "workflow_police"), &benign(": 6")),
            2,
        ),
        ("nothing to replace", small(policy, &edit(": 9", ": 8", "timeout_too_long")), 2),
        ("no single place", small(policy, &edit("s", "t", "timeout_too_long")), 2),
        ("no edit", small(policy, ""), 2),
        ("another schema", text.replace("lane_mutations.v1", "lane_mutations.v2"), 2),
        (
            "an unknown key",
            small(policy, &format!("{}expected = 'x'\n", edit(": 7", ": 8", "timeout_too_long"))),
            2,
        ),
        ("no TOML", "schema = ".to_owned(), 2),
    ];
    for (index, (case, text, expected)) in table.iter().enumerate() {
        let (code, stdout, stderr) = run(&format!("{index}.toml"), text);
        assert_eq!(code, Some(*expected), "{case}\n{stdout}\n{stderr}");
        if *case == "an unknown kind" {
            assert!(stdout.contains("workflow_police"), "{stdout}");
        }
    }
}
