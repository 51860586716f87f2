//! T15 for the files of a run: what a test prints, and what somebody else put into the directory of the run.

use super::{Case, has_nextest, host, root, text};
use std::{
    fs,
    path::{Path, PathBuf},
};

const SECRET: &str = "the sample was told to panic";

/// Every file below a folder that holds a text.
fn holding(folder: &Path, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            found.extend(holding(&entry, needle));
        } else if String::from_utf8_lossy(&fs::read(&entry).expect("bytes")).contains(needle) {
            found.push(entry.display().to_string());
        }
    }
    found
}

#[test]
fn t15_what_a_test_prints_is_redacted_in_every_document() {
    if !has_nextest() {
        return;
    }
    // The control: without a secret of this value, the documents quote the message.
    let open = Case::new("secret-control");
    open.runs("panics", &["run", "--profile", "full"], 10);
    assert_ne!(holding(&open.dir(), SECRET), [""; 0]);
    let case = Case::new("secret-printed");
    let mut command = case.command("panics", &["run", "--profile", "full"]);
    let output = command.env("PLANTED_TOKEN", SECRET).output().expect("it starts");
    assert_eq!(output.status.code(), Some(10), "{}", text(&output));
    assert_eq!(holding(&case.dir(), SECRET), [""; 0]);
    assert_eq!(case.document("run.json")["state"], "sealed");
    assert!(!String::from_utf8_lossy(&output.stdout).contains(SECRET), "{}", text(&output));
}

#[test]
fn a_run_names_no_home_folder_and_is_verified_all_the_same() {
    if !has_nextest() {
        return;
    }
    for (name, is_home) in [("home-control", false), ("home-hidden", true)] {
        let case = Case::new(name);
        let folder = root().parent().and_then(Path::to_str).expect("a text");
        let mut command = case.command("panics", &["run", "--profile", "full"]);
        // A record keeps every variable of this family.
        command.env("PORTCULLIS_PLACE", format!("{folder}/out"));
        if is_home {
            let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
            let own = PathBuf::from(host(variable).expect("somebody's home"));
            for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
                command.env(name, host(name).map_or_else(|| own.join(folder), PathBuf::from));
            }
            command.env(variable, folder);
        }
        let output = command.output().expect("it starts");
        assert_eq!(output.status.code(), Some(10), "{}", text(&output));
        let found = holding(&case.dir(), folder);
        assert_eq!(found.is_empty(), is_home, "{found:?}");
        assert_eq!(case.verified(), Some(10));
    }
}

#[test]
fn t15_a_run_with_a_secret_in_a_file_of_somebody_else_is_never_sealed() {
    if !has_nextest() {
        return;
    }
    let token = format!("ghp_{}", "a1B2".repeat(9));
    for (name, planted, secret) in [
        ("secret-planted", "hunter2hunter2", "hunter2hunter2"),
        ("secret-spelt", "aHVudGVyMmh1bnRlcjI", "hunter2hunter2"),
        ("secret-shape", token.as_str(), "another one"),
    ] {
        let case = Case::new(name);
        // What was measured before a run is the one thing that a run takes over.
        let file = case.dir().join("canary/x/notes.txt");
        fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
        super::write(&file, &format!("deployed with {planted}\n"));
        let mut command = case.command("", &["run", "--profile", "full"]);
        let output = command.env("PLANTED_PASSWORD", secret).output().expect("it starts");
        let said = text(&output);
        assert_eq!(output.status.code(), Some(12), "{name}: {said}");
        assert!(
            said.contains("secret_in_evidence") && said.contains("canary/x/notes.txt"),
            "{said}"
        );
        assert!(!said.contains(planted), "{name}: {said}");
        assert_ne!(case.document("run.json")["state"], "sealed", "{name}");
    }
}
