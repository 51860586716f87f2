//! T33: the configuration of a repository, or `GIT_*` of the environment, names programs for git to run.

use super::sample::{Sample, ended};

#[test]
fn t33_nothing_that_a_repository_names_is_run() {
    let sample = Sample::new();
    let marker = sample.outside("marker");
    sample.script("evil", &format!("#!/bin/sh\ntouch '{}'\nexit 1\n", marker.display()));
    sample.put(".gitattributes", "* filter=evil diff=evil\n");
    sample.commit();
    sample.git(&["push", "--quiet"]);
    let evil = sample.path("evil").display().to_string();
    for name in [
        "core.fsmonitor",
        "core.hooksPath",
        "core.pager",
        "core.sshCommand",
        "filter.evil.clean",
        "filter.evil.process",
        "diff.evil.command",
        "diff.evil.textconv",
        "diff.external",
        "credential.helper",
        "gpg.program",
    ] {
        sample.git(&["config", name, &evil]);
    }
    std::fs::remove_file(&marker).ok();
    let hostile = [
        ("GIT_EXTERNAL_DIFF", evil.as_str()),
        ("GIT_SSH_COMMAND", &evil),
        ("GIT_PAGER", &evil),
        ("GIT_DIR", "/nowhere"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
        ("GIT_CONFIG_VALUE_0", &evil),
    ];
    // `record` first: what it runs is the user's own, and needs nothing of git's environment.
    for words in [
        &["audit", "record", "--", "sh", "-c", "exit 0"][..],
        &["audit", "build"],
        &["audit", "check"],
    ] {
        let (exit, said) = ended(sample.portcullis(words).envs(hostile));
        assert!(matches!(exit, Some(0 | 11)), "{words:?} answers: {said}");
        assert!(!marker.exists(), "{words:?} ran a program of the repository: {said}");
    }
}
