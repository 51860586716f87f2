//! Tables over the tiers kind.

use super::{teeth::*, *};
use portcullis::testing::{Seen, run};

fn codes(seen: &Seen) -> Vec<String> {
    if seen.codes.is_empty() { seen.code.clone().into_iter().collect() } else { seen.codes.clone() }
}

#[test]
fn a_document_may_say_what_its_tier_allows() {
    /// The case, the certified tier, the document, and line and column of each finding.
    type Row = (&'static str, &'static str, &'static str, &'static [(u32, u32)]);
    let table: &[Row] = &[
        ("an allowed phrase", "basic", "compatible", &[]),
        ("a longer allowed phrase", "basic", "Not a drop-in replacement", &[]),
        ("the phrase of the tier above", "basic", "x\nA drop-in replacement", &[(2, 3)]),
        ("what its own tier forbids", "basic", "certified", &[(1, 1)]),
        ("what the tier above forbids", "basic", "guaranteed", &[(1, 1)]),
        ("in a code block", "basic", "```\ndrop-in replacement\n```", &[(2, 1)]),
        (
            "once allowed and once not",
            "basic",
            "not a drop-in replacement, a drop-in replacement",
            &[(1, 30)],
        ),
        ("allowed above", "strict", "A certified drop-in replacement", &[]),
        ("forbidden at the top", "strict", "guaranteed", &[(1, 1)]),
    ];
    for (case, tier, text, expected) in table {
        let config = BASIC.replace("tier = 'basic'", &format!("tier = '{tier}'"));
        let seen = run(&ORDERED_TIERS, &config, &[TIERS, EVIDENCE, ("a.md", text)]);
        let places: Vec<(u32, u32)> = seen
            .looked
            .findings
            .iter()
            .filter_map(|finding| finding.location.as_ref().map(|at| (at.line, at.column)))
            .collect();
        assert_eq!(places, *expected, "{case}: {:?}", seen.messages);
        assert_eq!(seen.examined, 1, "{case}");
    }
}

#[test]
fn only_a_phrase_that_covers_all_of_it_excuses_another() {
    let manifest =
        MANIFEST.replace("'compatible'", "'compatible', 'a drop-in', 'better replacement'");
    for (text, expected) in
        [("a drop-in replacement", 1), ("drop-in better replacement", 0), ("a drop-in", 0)]
    {
        let files = [("tiers.toml", manifest.as_str()), EVIDENCE, ("a.md", text)];
        assert_eq!(run(&ORDERED_TIERS, BASIC, &files).codes.len(), expected, "{text}");
    }
}

#[test]
fn what_a_tier_forbids_is_not_excused_by_a_lower_one() {
    let manifest = MANIFEST.replace("['guaranteed']", "['guaranteed', 'compatible']");
    let files = [("tiers.toml", manifest.as_str()), EVIDENCE, ("a.md", "compatible")];
    for (tier, expected) in [("basic", 0), ("strict", 1)] {
        let config = BASIC.replace("tier = 'basic'", &format!("tier = '{tier}'"));
        assert_eq!(run(&ORDERED_TIERS, &config, &files).codes.len(), expected, "{tier}");
    }
}

#[test]
fn code_blocks_can_be_left_out() {
    let config = format!("{BASIC}\ncode_blocks = 'skip'");
    let text = "```\ndrop-in replacement\n```\nö drop-in replacement";
    let seen = run(&ORDERED_TIERS, &config, &[TIERS, EVIDENCE, ("a.md", text)]);
    let place = seen.looked.findings.first().and_then(|finding| finding.location.clone());
    assert_eq!(place, Some(Location::at("a.md", 4, 3)));
    assert_eq!(seen.codes.len(), 1);
}

#[test]
fn a_certification_in_doubt_is_the_lowest_tier() {
    let claim = ("a.md", "A drop-in replacement");
    let optional = SOURCE.replace("required = true, ", "");
    let verdict =
        |day: &str, rest: &str| format!("{{\"generated_at\":\"2026-05-{day}T00:00:00Z\",{rest}}}");
    let strict = "\"certified_tier\":\"strict\"";
    let certified = format!("{strict},\"overall_verdict\":\"CERTIFIED\"");
    let table: &[(&str, Option<String>, &[&str])] = &[
        ("certified", Some(verdict("30", &certified)), &[]),
        ("absent", None, &["claim_above_tier"]),
        (
            "no verdict",
            Some(verdict("30", strict)),
            &["strict_claim_uncertified", "claim_above_tier"],
        ),
        ("stale", Some(verdict("01", &certified)), &["artifact_stale", "claim_above_tier"]),
        (
            "a lower tier",
            Some(verdict("30", "\"certified_tier\":\"basic\"")),
            &["claim_above_tier"],
        ),
        ("no tier", Some(verdict("30", "\"x\":1")), &["certified_tier_unknown"]),
        ("not JSON", Some("{".to_owned()), &["json_invalid"]),
    ];
    for (case, verdict, expected) in table {
        let mut files = vec![TIERS, EVIDENCE, claim];
        if let Some(text) = verdict {
            files.push(("v.json", text));
        }
        assert_eq!(codes(&run(&ORDERED_TIERS, &optional, &files)), *expected, "{case}");
    }
}

#[test]
fn a_manifest_of_another_shape_is_an_error() {
    let tier = |rest: &str| format!("[[tiers]]\nid = 'basic'\n{rest}");
    let table: &[(&str, String)] = &[
        ("no tiers", "a = 1".to_owned()),
        ("no table", "tiers = [1]".to_owned()),
        ("no id", "[[tiers]]\nname = 'basic'".to_owned()),
        ("a list of another type", tier("allowed_language = 'x'")),
        ("a phrase without a word", tier("allowed_language = ['***']")),
        ("evidence outside", tier("required_evidence = ['../x']")),
        ("half a check", tier("required_evidence = [{ path = 'x', field = '/a' }]")),
        ("a key nothing reads", tier("required_evidence = [{ path = 'x', equal = 1 }]")),
    ];
    for (case, text) in table {
        let seen = run(&ORDERED_TIERS, BASIC, &[("tiers.toml", text), EVIDENCE, ("a.md", "x")]);
        assert_eq!(seen.code.as_deref(), Some("input_unreadable"), "{case}");
    }
}

#[test]
fn evidence_of_higher_tiers_can_wait() {
    let manifest = MANIFEST.replace("path = 'e.json'", "path = 'later.json'");
    let files = [("tiers.toml", manifest.as_str()), EVIDENCE, ("a.md", "x")];
    assert_eq!(codes(&run(&ORDERED_TIERS, BASIC, &files)), ["tier_evidence_missing"]);
    let waiting = format!("{BASIC}\nevidence_of = 'certified_tiers'");
    assert_eq!(codes(&run(&ORDERED_TIERS, &waiting, &files)), Vec::<String>::new());
}

#[test]
fn fg13_every_glob_has_to_find_a_document() {
    let config = BASIC.replace("['*.md']", "['*.md', 'docs/*.md']");
    let seen = run(&ORDERED_TIERS, &config, &[TIERS, EVIDENCE, ("a.md", "x")]);
    assert_eq!(seen.code.as_deref(), Some("nothing_examined"));
    assert!(seen.messages[0].contains("docs/*.md"), "{:?}", seen.messages);
}

#[test]
fn contradictions_are_refused_before_anything_runs() {
    let table: &[(&str, &str, &str)] = &[
        ("an unknown tier", "tier = 'basic'", "tier = 'top'"),
        ("two sources", "tier = 'basic'", "tier = 'basic', artifact = 'v.json'"),
        ("no source", "tier = 'basic'", "required = true"),
        ("a tier twice", "'strict']", "'strict', 'basic']"),
        ("one tier", ", 'strict']", "]"),
        (
            "no pointer",
            "tier = 'basic'",
            "artifact = 'v.json', field = 'x', freshness = { max_age = '7d' }",
        ),
    ];
    for (case, from, to) in table {
        let config = BASIC.replace(from, to);
        let seen = run(&ORDERED_TIERS, &config, &[TIERS, EVIDENCE, ("a.md", "x")]);
        assert_eq!(seen.code.as_deref(), Some("config_invalid"), "{case}");
        assert!(seen.error().is_some_and(|error| !error.remedy.is_empty()), "{case}");
    }
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&ORDERED_TIERS), Vec::<String>::new());
}
