//! Sets as tables over small trees.

use super::{ARTIFACT_SET, EVENT, FOREIGN, SUMMARY, TWO};
use portcullis::{
    Outcome,
    testing::{self, Seen},
};
use serde_json::Value;

fn index(seen: &Seen) -> Value {
    let bytes = &seen.artifacts["evidence_bundle/index.json"];
    serde_json::from_slice(bytes).expect("the index is written whatever came out")
}

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&ARTIFACT_SET), Vec::<String>::new());
}

#[test]
fn the_index_says_what_the_set_is_worth() {
    let optional = TWO.replace("path = 'b.jsonl'", "path = 'b.jsonl', required = false");
    type Row<'t> = (&'t str, &'t str, &'t [(&'t str, &'t str)], Outcome, &'t str);
    let table: &[Row<'_>] = &[
        (
            "both are there",
            TWO,
            &[("a.json", SUMMARY), ("b.jsonl", EVENT)],
            Outcome::Pass,
            "complete",
        ),
        ("one is not there", TWO, &[("a.json", SUMMARY)], Outcome::Fail, "insufficient"),
        (
            "one is of another run",
            TWO,
            &[("a.json", SUMMARY), ("b.jsonl", FOREIGN)],
            Outcome::Fail,
            "insufficient",
        ),
        (
            "one names no run",
            TWO,
            &[("a.json", SUMMARY), ("b.jsonl", "{\"generated_at\":\"2026-05-31T00:00:00Z\"}\n")],
            Outcome::Fail,
            "insufficient",
        ),
        (
            "one is torn",
            TWO,
            &[("a.json", SUMMARY), ("b.jsonl", "{\"run")],
            Outcome::Error,
            "insufficient",
        ),
        (
            "one is empty",
            TWO,
            &[("a.json", SUMMARY), ("b.jsonl", "")],
            Outcome::Error,
            "insufficient",
        ),
        (
            "an optional one is not there",
            &optional,
            &[("a.json", SUMMARY)],
            Outcome::Pass,
            "partial",
        ),
        (
            "an optional one is wrong",
            &optional,
            &[("a.json", SUMMARY), ("b.jsonl", FOREIGN)],
            Outcome::Fail,
            "partial",
        ),
        ("nothing is there", TWO, &[("c.json", SUMMARY)], Outcome::Fail, "insufficient"),
    ];
    for (case, config, files, outcome, verdict) in table {
        let seen = testing::run(&ARTIFACT_SET, config, files);
        assert_eq!(seen.outcome, *outcome, "{case}: {:?}", seen.messages);
        assert_eq!(index(&seen)["verdict"], *verdict, "{case}");
    }
    let seen = testing::run(&ARTIFACT_SET, TWO, &[("a.json", SUMMARY), ("b.jsonl", EVENT)]);
    let row = &index(&seen)["artifacts"][0];
    assert_eq!(row["sha256"], portcullis::Digest::of(SUMMARY.as_bytes()).to_string());
    assert_eq!((&row["bytes"], &row["fresh"]), (&Value::from(SUMMARY.len()), &Value::from(true)));
}

#[test]
fn a_set_that_proves_nothing_is_refused() {
    let fresh = "freshness = { same_run = true }";
    let table: &[(&str, String, &str)] = &[
        ("no artifact", "same_run = true\nartifact = []".to_owned(), "config_invalid"),
        (
            "nothing required",
            format!(
                "same_run = true\nartifact = [{{ role = 'a', path = 'a.json', required = false, {fresh} }}]"
            ),
            "config_invalid",
        ),
        (
            "a role twice",
            format!(
                "same_run = true\nartifact = [{{ role = 'a', path = 'a.json', {fresh} }}, {{ role = 'a', path = 'b.json', {fresh} }}]"
            ),
            "config_invalid",
        ),
        (
            "a path twice",
            format!(
                "same_run = true\nartifact = [{{ role = 'a', path = 'a.json', {fresh} }}, {{ role = 'b', path = 'a.json', {fresh} }}]"
            ),
            "config_invalid",
        ),
        (
            "fg39: no freshness",
            "same_run = true\nartifact = [{ role = 'a', path = 'a.json' }]".to_owned(),
            "freshness_unstated",
        ),
        (
            "nothing said of the run",
            format!("artifact = [{{ role = 'a', path = 'a.json', {fresh} }}]"),
            "config_invalid",
        ),
    ];
    for (case, config, expected) in table {
        let seen = testing::run(&ARTIFACT_SET, config, &[("a.json", SUMMARY)]);
        assert_eq!(seen.code.as_deref(), Some(*expected), "{case}: {:?}", seen.messages);
    }
}

#[cfg(feature = "cel")]
#[test]
fn expressions_see_all_artifacts() {
    let table: &[(&str, &str, Option<&str>)] = &[
        ("both name one run", "docs.summary.run_id == docs.events[0].run_id", None),
        ("a condition that does not hold", "docs.summary.run_id == 'r8'", Some("expr_false")),
        (
            "fg45: a role that does not exist",
            "docs.sumary.run_id == 'r7' || true",
            Some("expr_failed"),
        ),
        (
            "fg45: the variable of a single artifact",
            "doc.run_id == 'r7'",
            Some("expr_unknown_name"),
        ),
    ];
    for (case, expression, expected) in table {
        let config = format!("cel = [\"{expression}\"]\n{TWO}");
        let seen = testing::run(&ARTIFACT_SET, &config, &[("a.json", SUMMARY), ("b.jsonl", EVENT)]);
        assert_eq!(seen.code.as_deref(), *expected, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn a_message_names_the_artifact_among_several() {
    let rule = "rules = [{ path = '/run_id', equals = 'r8' }], schema = 's.v1', fields = ['/m'], freshness";
    let config = TWO.replacen("freshness", rule, 1);
    let files = [("a.json", SUMMARY), ("b.jsonl", EVENT)];
    let seen = testing::run(&ARTIFACT_SET, &config, &files);
    assert_eq!(
        seen.codes,
        ["schema_mismatch", "field_missing", "rule_broken"],
        "{:?}",
        seen.messages
    );
    for message in &seen.messages {
        assert!(message.contains("`a.json`"), "{message}");
    }
}
