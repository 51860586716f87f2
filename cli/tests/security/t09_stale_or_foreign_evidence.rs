//! T09: evidence of another commit, run or time is shown as if it were of this one.

use super::sample::{Sample, ended};
use portcullis::testing;
use portcullis_gates::artifact_contract::ARTIFACT_CONTRACT;
use std::fs;

#[test]
fn t09_evidence_of_another_commit_stands_in_for_proof_only() {
    let sample = Sample::new();
    let record = ["audit", "record", "--", "sh", "-c", "exit 0"];
    assert_eq!(ended(&mut sample.portcullis(&record)).0, Some(0));
    assert_eq!(ended(&mut sample.portcullis(&["audit", "build"])).0, Some(0));
    sample.put("more.txt", "more\n");
    sample.commit();
    sample.git(&["push", "--quiet"]);
    let (exit, said) = ended(&mut sample.portcullis(&["audit", "check"]));
    assert_eq!(exit, Some(11), "{said}");
    assert!(said.contains("contradictory_evidence"), "an old audit: {said}");
    let (exit, said) = ended(&mut sample.portcullis(&["audit", "build"]));
    assert_eq!(exit, Some(11), "{said}");
    assert!(said.contains("proxy_only_evidence"), "an old transcript: {said}");
    // The same transcript with the commit of today written into it has no seal any more.
    let folder = sample.path("target/portcullis/audit/transcripts");
    let entry = folder.read_dir().expect("a folder").next().expect("one").expect("an entry");
    let text = fs::read_to_string(entry.path()).expect("a transcript");
    let today = fs::read_to_string(sample.path(".git/refs/heads/main")).expect("a commit");
    let then =
        text.split("\"commit\": \"").nth(1).and_then(|rest| rest.get(..40)).expect("a commit");
    let name = entry.file_name().into_string().expect("a name");
    let forged = text.replace(then, today.trim());
    assert_ne!(forged, text);
    sample.put(&format!("target/portcullis/audit/transcripts/{name}"), &forged);
    let (exit, said) = ended(&mut sample.portcullis(&["audit", "build"]));
    assert_eq!(exit, Some(11), "{said}");
    assert!(said.contains("it was edited"), "{said}");
}

#[test]
fn t09_age_is_read_from_the_document_and_never_from_the_file() {
    // The file of a bench is new whenever it runs; what it says is not.
    let config = "path = \"a.json\"\nfreshness = { max_age = \"7d\" }";
    let table = [
        ("2026-05-30T12:00:00Z", None),
        ("2026-05-01T12:00:00Z", Some("artifact_stale")),
        ("2027-05-01T12:00:00Z", Some("artifact_stale")),
    ];
    for (time, code) in table {
        let text = format!("{{\"generated_at\": \"{time}\"}}\n");
        let seen = testing::run(&ARTIFACT_CONTRACT, config, &[("a.json", &text)]);
        assert_eq!(seen.code.as_deref(), code, "{time}: {:?}", seen.messages);
    }
}
