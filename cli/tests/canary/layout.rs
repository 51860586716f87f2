//! Trap 39: the base is built once more with its code elsewhere in the file, and what that alone does is no regression.

use super::{Repo, says};

const BUILT: &str = "lane = 'gating'
method = 'paired'
adapter = 'process'
build = ['sh', 'bench.sh']
argv = ['./made.sh']
roster = ['whole']
comment_pct = 20
fail_pct = 40
pairs = 10
proof = { stdout = 'done' }
";

/// A build whose program takes so many seconds, and so many where its code is moved.
fn build(seconds: &str, moved: &str) -> String {
    format!(
        "s='{seconds}'; [ -n \"$PORTCULLIS_CANARY_PADDING\" ] && s='{moved}'\n\
         printf '#!/bin/sh\\nsleep %s; echo done\\n' \"$s\" > made.sh; chmod +x made.sh"
    )
}

#[test]
fn t39_what_a_moved_layout_does_alone_is_told_and_fails_nothing() {
    let table = [
        ("the layout moves it by more than the comment", "0.4", 0, "layout_sensitive", 4),
        ("the layout moves it by nothing, in other bytes", "0.100", 15, "regression_over_fail", 4),
        ("the build takes no notice", "0.1", 15, "regression_over_fail", 3),
    ];
    for (case, moved, code, words, n_series) in table {
        let repo = Repo::new(BUILT, &build("0.1", moved), &build("0.9", moved));
        repo.measure(0);
        let record = repo.measurement();
        let series = record["series"].as_array().expect("series");
        assert_eq!(series.len(), n_series, "{case}");
        if let Some(layout) = series.get(3) {
            assert_eq!(layout["arm"], "layout", "{case}");
            let samples = layout["body"]["samples"].as_array().expect("samples");
            assert_eq!(samples.len(), 10, "{case}: one for each pair");
            assert!(samples.iter().all(|sample| sample["proof"][0] == "pattern"), "{case}");
        }
        let text = repo.ends(&["compare", "c"], code);
        assert!(text.contains(words), "{case}: {text}");
        assert_eq!(text.contains("layout_sensitive"), code == 0, "{case}: {text}");
    }
}

#[test]
fn a_padded_build_that_fails_or_crashes_is_not_passed_over() {
    let unbuilt = "[ -z \"$PORTCULLIS_CANARY_PADDING\" ] || exit 1\n".to_owned();
    let fails = unbuilt + &build("0.02", "0.02");
    Repo::new(BUILT, &fails, &fails).measure(13);
    let crashes = build("0.02", "0.02; exit 3");
    let repo = Repo::new(BUILT, &crashes, &crashes);
    says(&repo.measure(12), "run_failed");
    says(&repo.ends(&["compare", "c"], 12), "run_failed");
}
