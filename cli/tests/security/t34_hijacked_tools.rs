//! T34: the search path leads to a tool of the work tree.

use super::sample::{Sample, ended, host};

#[test]
fn t34_git_of_the_work_tree_is_refused() {
    let sample = Sample::new();
    let marker = sample.outside("marker");
    let stub = format!("#!/bin/sh\ntouch '{}'\n", marker.display());
    sample.script("git", &stub);
    sample.script("bin/git", &stub);
    let path = host("PATH").unwrap_or_default().to_string_lossy().into_owned();
    let inside = sample.path("bin").display().to_string();
    for search in [
        ":",
        &format!(":{path}"),
        &format!("bin:{path}"),
        &format!("./bin:{path}"),
        &format!("{inside}:{path}"),
    ] {
        let (exit, said) = ended(sample.portcullis(&["audit", "build"]).env("PATH", search));
        assert_ne!(exit, Some(0), "{search}: {said}");
        assert!(said.contains("tool_path_refused"), "{search}: {said}");
        assert!(!marker.exists(), "{search}: the stub ran");
    }
    // The control: an honest search path is answered.
    let (exit, said) = ended(&mut sample.portcullis(&["audit", "build"]));
    assert_eq!(exit, Some(11), "{said}");
    assert!(!said.contains("tool_path_refused"), "{said}");
}
