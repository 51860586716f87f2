//! T15: a secret of the environment reaches a transcript, an audit or the terminal.

use super::sample::{Sample, ended};
use std::fs;

const SECRET: &str = "correct horse/battery";

#[test]
fn t15_a_list_of_requirements_with_a_secret_is_never_built_into_an_audit() {
    let sample = Sample::new();
    let list = fs::read_to_string(sample.path("completion_requirements.toml")).expect("a list");
    // Plain, percent-encoded, and in base64 as a header has it.
    for spelt in [SECRET, "correct%20horse%2Fbattery", "dXNlcjpjb3JyZWN0IGhvcnNlL2JhdHRlcnk="] {
        let with = list.replace("it works", spelt);
        assert_ne!(with, list);
        sample.put("completion_requirements.toml", &with);
        let mut command = sample.portcullis(&["audit", "build"]);
        let (exit, said) = ended(command.env("DEPLOY_PASSWORD", SECRET));
        assert_eq!(exit, Some(12), "{said}");
        assert!(said.contains("secret_in_evidence") && !said.contains(spelt), "{said}");
        assert!(!sample.path("target/portcullis/audit/completion_audit.json").exists());
    }
}

#[test]
fn t15_the_words_of_a_recorded_command_are_redacted() {
    let sample = Sample::new();
    let script = format!("echo {SECRET} >/dev/null");
    let mut command = sample.portcullis(&["audit", "record", "--", "sh", "-c", &script]);
    let (exit, said) = ended(command.env("DEPLOY_PASSWORD", SECRET));
    assert_eq!(exit, Some(0), "{said}");
    assert!(!said.contains(SECRET));
    let folder = sample.path("target/portcullis/audit/transcripts");
    let entries: Vec<_> = folder.read_dir().expect("a folder").collect();
    assert_eq!(entries.len(), 1);
    for entry in entries {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a transcript");
        assert!(text.contains("[redacted:21]") && !text.contains(SECRET), "{text}");
    }
}
