//! T17: a job of CI writes what later jobs are held against.

use super::sample::{Sample, ended};

#[test]
fn t17_nothing_that_is_committed_is_written_in_ci() {
    let sample = Sample::new();
    let (exit, said) =
        ended(&mut sample.portcullis(&["runbook", "generate", "--path", "runbook.md"]));
    assert_eq!(exit, Some(0), "the control, outside of CI: {said}");
    std::fs::remove_file(sample.path("runbook.md")).expect("removed");
    for words in [&["runbook", "generate", "--path", "runbook.md"][..], &["census", "--bless"]] {
        let (exit, said) = ended(sample.portcullis(words).env("CI", "true"));
        assert_eq!(exit, Some(3), "{words:?}: {said}");
        assert!(said.contains("bless_refused"), "{words:?}: {said}");
    }
    assert!(!sample.path("runbook.md").exists() && !sample.path("portcullis.lock").exists());
}
