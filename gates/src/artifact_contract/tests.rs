//! Contracts as tables over small trees.

use super::ARTIFACT_CONTRACT;
use portcullis::{
    Outcome,
    testing::{self, Bench},
};

const FRESH: &str = "freshness = { max_age = '7d' }";

fn document(fields: &str) -> String {
    format!("{{\"generated_at\":\"2026-05-31T00:00:00Z\",{fields}}}")
}

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&ARTIFACT_CONTRACT), Vec::<String>::new());
}

#[test]
fn contradictory_configuration_is_refused_with_its_line() {
    let table: &[(&str, &str, &str)] = &[
        ("fg39: no freshness", "path = 'a.json'", "freshness_unstated"),
        ("an empty freshness", "path = 'a.json'\nfreshness = {}", "freshness_unstated"),
        (
            "a freshness that states nothing",
            "path = 'a.json'\nfreshness = { same_run = false }",
            "freshness_unstated",
        ),
        ("no path", FRESH, "config_invalid"),
        (
            "two kinds of path",
            "path = 'a.json'\npaths = ['b.json']\nfreshness = { same_run = true }",
            "config_invalid",
        ),
        (
            "formats that differ",
            "paths = ['a.json', 'a.toml']\nfreshness = { same_run = true }",
            "config_invalid",
        ),
        (
            "rules on a text",
            "path = 'a.md'\nrequired = ['/a']\nfreshness = { same_run = true }",
            "config_invalid",
        ),
        (
            "a text rule on JSON",
            "path = 'a.json'\nmax_lines = 3\nfreshness = { same_run = true }",
            "config_invalid",
        ),
        (
            "an unknown key of a rule",
            "path = 'a.json'\nfreshness = { same_run = true }\nrules = [{ path = '/a', equal = 1 }]",
            "config_unknown_key",
        ),
        (
            "a rule that tests nothing",
            "path = 'a.json'\nfreshness = { same_run = true }\nrules = [{ path = '/a' }]",
            "config_invalid",
        ),
        (
            "dots are no pointer",
            "path = 'a.json'\nfreshness = { same_run = true }\nrequired = ['a.b']",
            "config_invalid",
        ),
        (
            "max below min",
            "path = 'a.json'\nfreshness = { same_run = true }\nrules = [{ path = '/a', min = 2, max = 1 }]",
            "config_invalid",
        ),
        (
            "a bad pattern",
            "path = 'a.json'\nfreshness = { same_run = true }\nrules = [{ path = '/a', matches = '(' }]",
            "pattern_invalid",
        ),
    ];
    for (case, config, expected) in table {
        let seen = testing::run(&ARTIFACT_CONTRACT, config, &[("a.json", "{}")]);
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (Outcome::Error, Some(*expected)),
            "{case}: {:?}",
            seen.messages
        );
    }
    let seen = testing::run(
        &ARTIFACT_CONTRACT,
        "path = 'a.json'\nfreshness = { same_run = true }\nrules = [\n  { path = '/a' },\n]",
        &[],
    );
    let place = seen.error().and_then(|error| error.location.clone()).expect("a place");
    assert_eq!(place.line, 4, "{place}");
}

#[test]
fn the_first_path_that_exists_is_held() {
    let config =
        format!("paths = ['a.json', 'b.json']\n{FRESH}\nrules = [{{ path = '/n', equals = 1 }}]");
    let (good, bad) = (document("\"n\":1"), document("\"n\":2"));
    type Row<'t> = (&'t str, &'t [(&'t str, &'t str)], Outcome);
    let table: &[Row<'_>] = &[
        ("the first is good", &[("a.json", &good), ("b.json", &bad)], Outcome::Pass),
        (
            "the first is bad, and the second does not make up for it",
            &[("a.json", &bad), ("b.json", &good)],
            Outcome::Fail,
        ),
        ("only the second exists", &[("b.json", &good)], Outcome::Pass),
        ("none exists", &[("c.json", &good)], Outcome::Fail),
    ];
    for (case, files, expected) in table {
        let seen = testing::run(&ARTIFACT_CONTRACT, &config, files);
        assert_eq!(seen.outcome, *expected, "{case}: {:?}", seen.messages);
    }
    let config = format!("path = 'a.json'\non_missing = 'skip'\n{FRESH}");
    assert_eq!(
        testing::run(&ARTIFACT_CONTRACT, &config, &[]).outcome,
        Outcome::Skip,
        "an absence that is allowed"
    );
}

#[test]
fn streams_are_held_record_by_record() {
    let config = "path = 'a.jsonl'\nfreshness = { same_run = true }\nrules = [{ path = '/ok', equals = true }]";
    let record =
        |run: &str, seq: &str, ok: bool| format!("{{\"run_id\":\"{run}\"{seq},\"ok\":{ok}}}\n");
    let table: &[(&str, String, &str)] = &[
        ("every record is good", record("bench", "", true).repeat(3), "pass"),
        (
            "the last record is bad",
            record("bench", "", true) + &record("bench", "", false),
            "rule_broken",
        ),
        (
            "fg40: one record is of another run",
            record("bench", "", true) + &record("other", "", true),
            "lineage_mismatch",
        ),
        ("fg47: a torn last line", record("bench", "", true) + "{\"run_id\"", "record_torn"),
        (
            "fg47: a torn line in the middle",
            "{\"run\n".to_owned() + &record("bench", "", true),
            "json_invalid",
        ),
        ("fg47: a sequence that begins late", record("bench", ",\"seq\":5", true), "record_torn"),
        (
            "fg47: a number that repeats",
            record("bench", ",\"seq\":1", true).repeat(2),
            "record_torn",
        ),
        (
            "fg47: a record without number",
            record("bench", ",\"seq\":0", true) + &record("bench", "", true),
            "record_torn",
        ),
        ("no record at all", String::new(), "nothing_examined"),
    ];
    for (case, text, expected) in table {
        let seen = testing::run(&ARTIFACT_CONTRACT, config, &[("a.jsonl", text)]);
        assert_eq!(
            seen.code.as_deref().unwrap_or("pass"),
            *expected,
            "{case}: {:?}",
            seen.messages
        );
    }
}

#[test]
fn fg38_age_is_read_from_the_record_and_its_bounds_are_exact() {
    let config = "path = 'a.json'\nfreshness = { max_age = '7d' }";
    let table: &[(&str, &str, &str)] = &[
        ("to the second", "\"2026-05-24T12:00:00Z\"", "pass"),
        ("a millisecond too old", "\"2026-05-24T11:59:59.999Z\"", "artifact_stale"),
        ("a day counts from its beginning", "\"2026-05-25\"", "pass"),
        ("a day that began too early", "\"2026-05-24\"", "artifact_stale"),
        ("a clock that is a little fast", "\"2026-05-31T12:04:00Z\"", "pass"),
        ("a time that is invented", "\"2026-06-01T12:00:00Z\"", "artifact_stale"),
        ("no time zone", "\"2026-05-31T12:00:00\"", "artifact_stale"),
        ("null", "null", "artifact_stale"),
    ];
    for (case, time, expected) in table {
        let text = format!("{{\"generated_at\":{time}}}");
        let seen = testing::run(&ARTIFACT_CONTRACT, config, &[("a.json", &text)]);
        assert_eq!(
            seen.code.as_deref().unwrap_or("pass"),
            *expected,
            "{case}: {:?}",
            seen.messages
        );
    }
}

#[test]
fn inputs_are_compared_by_digest() {
    let config = "path = 'a.json'\nfreshness = { inputs = ['src/**'] }";
    let line = format!("src/x\0{}\n", portcullis::Digest::of(b"one"));
    let text =
        format!("{{\"inputs_digest\":\"sha256:{}\"}}", portcullis::Digest::of(line.as_bytes()));
    let run = |content: &str| {
        testing::run(&ARTIFACT_CONTRACT, config, &[("a.json", &text), ("src/x", content)])
    };
    assert_eq!(run("one").code, None);
    assert_eq!(run("two").code.as_deref(), Some("artifact_stale"));
}

#[test]
fn toml_and_text_artifacts_are_held_as_well() {
    let table: &[(&str, &str, &str, &str, &str)] = &[
        (
            "a TOML document",
            "a.toml",
            "freshness = { max_age = '7d' }\nrules = [{ path = '/a/n', min = 1 }]",
            "generated_at = '2026-05-31T00:00:00Z'\n[a]\nn = 1\n",
            "pass",
        ),
        (
            "a TOML time without quotes",
            "a.toml",
            "freshness = { max_age = '7d' }",
            "generated_at = 2026-05-31T00:00:00Z\n",
            "pass",
        ),
        (
            "fg44: not a number in TOML",
            "a.toml",
            "freshness = { max_age = '7d' }",
            "generated_at = 2026-05-31T00:00:00Z\nn = nan\n",
            "value_not_finite",
        ),
        (
            "fg43: a TOML key twice",
            "a.toml",
            "freshness = { max_age = '7d' }",
            "a = 1\na = 2\n",
            "duplicate_key",
        ),
        ("no TOML", "a.toml", "freshness = { max_age = '7d' }", "a = = 1\n", "toml_invalid"),
        (
            "a report that says what it must",
            "a.md",
            "freshness = { same_run = true }\ncontains = ['# Report']",
            "# Report\n- run_id: `bench`\n",
            "pass",
        ),
        (
            "a report without its heading",
            "a.md",
            "freshness = { same_run = true }\ncontains = ['# Report']",
            "run_id: bench\n",
            "rule_broken",
        ),
        (
            "a report that is too long",
            "a.md",
            "freshness = { same_run = true }\nmax_lines = 1",
            "run_id: bench\nx\n",
            "rule_broken",
        ),
        (
            "a report of another run",
            "a.md",
            "freshness = { same_run = true }",
            "run_id: other\n",
            "lineage_mismatch",
        ),
        ("an empty report", "a.md", "freshness = { same_run = true }", "", "nothing_examined"),
    ];
    for (case, path, config, text, expected) in table {
        let seen = testing::run(
            &ARTIFACT_CONTRACT,
            &format!("path = '{path}'\n{config}"),
            &[(path, text)],
        );
        assert_eq!(
            seen.code.as_deref().unwrap_or("pass"),
            *expected,
            "{case}: {:?}",
            seen.messages
        );
    }
}

#[test]
fn an_artifact_of_this_run_is_found_below_its_directory() {
    let config = "of_run = true\npath = 'views/a.json'\nfreshness = { same_run = true }";
    let run = |path: &str| {
        Bench::new(&ARTIFACT_CONTRACT, config).file(path, b"{\"run_id\":\"bench\"}").run()
    };
    let seen = run("target/portcullis/runs/bench/views/a.json");
    assert_eq!(seen.outcome, Outcome::Pass, "{:?}", seen.messages);
    let seen = run("target/portcullis/runs/bench/views/b.json");
    assert_eq!(seen.code.as_deref(), Some("artifact_missing"), "another view of this run");
    let seen = run("views/a.json");
    assert_eq!(seen.outcome, Outcome::Error, "a run without directory: {:?}", seen.messages);
}

#[test]
fn fg38_commits_are_counted_in_git() {
    let config = "path = 'a.json'\nfreshness = { max_commits = 3 }";
    let seen =
        Bench::new(&ARTIFACT_CONTRACT, config).file("a.json", b"{\"git_sha\":\"abc\"}").git().run();
    assert_eq!(
        seen.code.as_deref(),
        Some("artifact_stale"),
        "a short name proves nothing: {:?}",
        seen.messages
    );
    let unknown = b"{\"git_sha\":\"0123456789012345678901234567890123456789\"}";
    let seen = Bench::new(&ARTIFACT_CONTRACT, config).file("a.json", unknown).git().run();
    assert_eq!(
        seen.outcome,
        Outcome::Error,
        "a commit that git does not know: {:?}",
        seen.messages
    );
}

#[cfg(not(feature = "cel"))]
#[test]
fn an_expression_without_the_feature_is_refused() {
    let config = "path = 'a.json'\nfreshness = { same_run = true }\ncel = ['true']";
    let seen = testing::run(&ARTIFACT_CONTRACT, config, &[]);
    assert_eq!(seen.code.as_deref(), Some("config_invalid"));
    assert!(seen.error().is_some_and(|error| error.remedy.contains("feature `cel`")));
}
