//! `explain` and `list` for what needs no build, driven through the built binary.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

#[expect(clippy::disallowed_methods, reason = "this test is about the process itself")]
fn run(cwd: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-portcullis"));
    command
        .current_dir(cwd)
        .args(words)
        .stdin(Stdio::null())
        .env_clear()
        .output()
        .expect("the binary starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat())
        .into_owned()
}

#[test]
fn codes_kinds_and_gates_are_explained_without_a_build() {
    let folder = tempfile::tempdir().expect("a folder");
    let outside = tempfile::tempdir().expect("a folder");
    let policy = "[policy]\nversion = 1\nowner = \"team\"\n\n[[gate]]\nid = \"formatting\"\nkind = \"command\"\n\
                  lanes = [\"pr\"]\nissue = \"#7\"\nargv = [\"cargo\", \"fmt\", \"--check\"]\n";
    let mut file = fs::File::create(folder.path().join("portcullis.toml")).expect("a file");
    file.write_all(policy.as_bytes()).expect("written");
    let table: [(&str, &Path, &[&str], i32, &str); 9] = [
        ("a code by number", outside.path(), &["explain", "PC0403"], 0, "last valid day"),
        ("a code by name", outside.path(), &["explain", "waiver_expired"], 0, "PC0403"),
        ("a kind", outside.path(), &["explain", "source_scan"], 0, "Remediation"),
        (
            "a gate",
            folder.path(),
            &["explain", "formatting"],
            0,
            "cargo test --test ci_full_suite_gate -- formatting --exact",
        ),
        ("its issue", folder.path(), &["explain", "formatting"], 0, "#7"),
        (
            "a mistyped gate",
            folder.path(),
            &["explain", "formating"],
            3,
            "did you mean `formatting`",
        ),
        (
            "a gate without a repository",
            outside.path(),
            &["explain", "formatting"],
            2,
            "config_absent",
        ),
        ("the kinds", outside.path(), &["list", "--kinds"], 0, "expiring_entries"),
        ("the codes", outside.path(), &["list", "--codes"], 0, "census_gate_missing"),
    ];
    for (case, cwd, words, exit, part) in table {
        let output = run(cwd, words);
        assert_eq!(output.status.code(), Some(exit), "{case}: {}", said(&output));
        assert!(said(&output).contains(part), "{case}: `{part}` is not in\n{}", said(&output));
    }
}

#[test]
fn every_answer_exists_as_one_document() {
    let folder = tempfile::tempdir().expect("a folder");
    for words in [
        &["list", "--kinds"][..],
        &["list", "--codes"],
        &["explain", "PC0403"],
        &["explain", "no such name"],
    ] {
        let output = run(folder.path(), &[words, &["--format", "json"]].concat());
        let document: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("one document");
        assert!(
            document["schema"].as_str().is_some_and(|schema| schema.starts_with("portcullis.")),
            "{words:?}"
        );
        assert!(output.stderr.is_empty(), "{words:?}: {}", said(&output));
    }
}

#[test]
fn help_and_usage_errors_have_their_own_codes_and_streams() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = run(folder.path(), &["portcullis", "verify", "--help"]);
    assert_eq!((help.status.code(), help.stderr.is_empty()), (Some(0), true), "{}", said(&help));
    assert!(said(&help).contains("Examples:"), "{}", said(&help));
    let wrong = run(folder.path(), &["verify"]);
    assert_eq!((wrong.status.code(), wrong.stdout.is_empty()), (Some(2), true), "{}", said(&wrong));
}
