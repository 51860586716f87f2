//! Backlogs as tables over small trees.

use super::REMEDIATION_BACKLOG;
use portcullis::{
    Outcome,
    testing::{self, Seen},
};
use serde_json::Value;

const PLAIN: &str = "source = { path = 's.json' }
status = { field = '/status', passing = ['pass'], not_applicable = ['n/a'] }
fields = { failure = '/why', owner = '/owner', priority = '/prio', next_step = '/next', evidence = '/log' }
route = [
    { match = '^net_', owner = 'net_team', priority = 'p1', next_step = 'rerun' },
    { match = '_tls$', owner = 'tls_team', priority = 'p0', next_step = 'renew', evidence = 'logs/tls' },
]";

fn json(seen: &Seen, name: &str) -> Value {
    serde_json::from_slice(&seen.artifacts[name]).expect("JSON")
}

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&REMEDIATION_BACKLOG), Vec::<String>::new());
}

#[test]
fn contradictory_configuration_is_refused() {
    let table: &[(&str, &str, &str)] = &[
        ("nothing passes", "status = { field = '/s', passing = [] }", "config_invalid"),
        (
            "one status in two lists",
            "status = { field = '/s', passing = ['a'], not_applicable = ['a'] }",
            "config_invalid",
        ),
        ("no status", "", "config_invalid"),
        (
            "a status of several values",
            "status = { field = '/s/*', passing = ['a'] }",
            "config_invalid",
        ),
        (
            "a route without owner",
            "status = { field = '/s', passing = ['a'] }\nroute = [{ match = 'x', owner = ' ', priority = 'p1', next_step = 'x' }]",
            "config_invalid",
        ),
        (
            "a priority of its own",
            "status = { field = '/s', passing = ['a'] }\nroute = [{ match = 'x', owner = 'o', priority = 'high', next_step = 'x' }]",
            "config_invalid",
        ),
        (
            "no regular expression",
            "status = { field = '/s', passing = ['a'] }\nroute = [{ match = '(', owner = 'o', priority = 'p1', next_step = 'x' }]",
            "config_invalid",
        ),
        (
            "failing statuses are not listed",
            "status = { field = '/s', passing = ['a'], failing = ['b'] }",
            "config_unknown_key",
        ),
    ];
    for (case, text, code) in table {
        let config = format!("source = {{ path = 's.json' }}\n{text}");
        let seen =
            testing::run(&REMEDIATION_BACKLOG, &config, &[("s.json", "{\"x\":{\"s\":\"a\"}}")]);
        assert_eq!(seen.code.as_deref(), Some(*code), "{case}: {:?}", seen.messages);
    }
}

#[test]
fn the_backlog_is_empty_exactly_when_nothing_fails() {
    let table: &[(&str, &str, usize, &str, &[&str])] = &[
        (
            "nothing fails",
            "{\"a\":{\"status\":\"pass\"},\"b\":{\"status\":\"n/a\"}}",
            0,
            "no_failures",
            &[],
        ),
        ("a planned failure", "{\"net_a\":{\"status\":\"fail\"}}", 1, "remediation_planned", &[]),
        (
            "a failure nobody took on",
            "{\"a\":{\"status\":\"fail\"}}",
            1,
            "remediation_incomplete",
            &["`a` fails and lacks an owner, a priority, a next step"],
        ),
        (
            "a skip that is not listed",
            "{\"net_a\":{\"status\":\"skip\"}}",
            1,
            "remediation_planned",
            &[],
        ),
        ("in capitals", "{\"net_a\":{\"status\":\"PASS\"}}", 1, "remediation_planned", &[]),
        (
            "a priority that is none",
            "{\"net_a\":{\"status\":\"fail\",\"prio\":\"high\"}}",
            1,
            "remediation_incomplete",
            &["`net_a` fails and lacks a priority"],
        ),
        (
            "all in the item",
            "{\"a\":{\"status\":\"fail\",\"owner\":\"o\",\"prio\":\"p3\",\"next\":\"n\"}}",
            1,
            "remediation_planned",
            &[],
        ),
        (
            "an empty owner",
            "{\"a\":{\"status\":\"fail\",\"owner\":\" \",\"prio\":\"p3\",\"next\":\"n\"}}",
            1,
            "remediation_incomplete",
            &["`a` fails and lacks an owner"],
        ),
    ];
    for (case, text, entries, status, messages) in table {
        let seen = testing::run(&REMEDIATION_BACKLOG, PLAIN, &[("s.json", text)]);
        assert_eq!(seen.messages, *messages, "{case}");
        let backlog = json(&seen, "remediation_backlog.json");
        let dossier = json(&seen, "certification_dossier.json");
        assert_eq!(backlog["entries"].as_array().map(Vec::len), Some(*entries), "{case}");
        assert_eq!(backlog["summary"]["failing"], *entries, "{case}");
        assert_eq!(dossier["status"], *status, "{case}");
        assert_eq!(dossier["failing"].as_array().map(Vec::len), Some(*entries), "{case}");
    }
}

#[test]
fn an_entry_says_who_does_what() {
    let text = "{\"net_tls\":{\"status\":\"fail\"},\"a_tls\":{\"status\":\"fail\",\"why\":\"x|y <b>\"},\"net_b\":{\"status\":\"fail\",\"owner\":\"me\",\"log\":\"l\"}}";
    let seen = testing::run(&REMEDIATION_BACKLOG, PLAIN, &[("s.json", text)]);
    assert_eq!(seen.outcome, Outcome::Pass, "{:?}", seen.messages);
    let backlog = json(&seen, "remediation_backlog.json");
    let expected = serde_json::json!([
        {"id": "a_tls", "failure": "x|y <b>", "status": "fail", "owner": "tls_team", "priority": "p0", "next_step": "renew", "evidence": "logs/tls"},
        {"id": "net_b", "failure": "status `fail`", "status": "fail", "owner": "me", "priority": "p1", "next_step": "rerun", "evidence": "l"},
        {"id": "net_tls", "failure": "status `fail`", "status": "fail", "owner": "net_team", "priority": "p1", "next_step": "rerun", "evidence": "s.json#net_tls"},
    ]);
    assert_eq!(backlog["entries"], expected);
    let text = String::from_utf8(seen.artifacts["remediation_backlog.md"].clone()).expect("UTF-8");
    assert!(text.contains("x\\|y &lt;b&gt;"), "{text}");
}

#[test]
fn all_four_documents_are_of_one_run() {
    let seen = testing::run(
        &REMEDIATION_BACKLOG,
        PLAIN,
        &[("s.json", "{\"net_a\":{\"status\":\"fail\"}}")],
    );
    let names: Vec<&String> = seen.artifacts.keys().collect();
    assert_eq!(
        names,
        [
            "certification_dossier.json",
            "certification_dossier.md",
            "remediation_backlog.json",
            "remediation_backlog.md"
        ]
    );
    for name in ["certification_dossier", "remediation_backlog"] {
        let document = json(&seen, &format!("{name}.json"));
        assert_eq!(document["run_id"], "bench");
        assert_eq!(document["schema"], format!("portcullis.{name}.v1"));
        let text = String::from_utf8(seen.artifacts[&format!("{name}.md")].clone()).expect("UTF-8");
        assert!(text.contains("- run_id: `bench`"), "{text}");
    }
}

/// What the kind writes it accepts, until the summary or one of the four documents changes.
#[test]
fn outputs_are_held_against_the_summary_and_each_other() {
    let summary = "{\"net_a\":{\"status\":\"fail\"},\"b\":{\"status\":\"pass\"}}";
    let written = testing::run(&REMEDIATION_BACKLOG, PLAIN, &[("s.json", summary)]).artifacts;
    let config = format!("{PLAIN}\noutputs = {{ folder = 'out' }}");
    let run = |summary: &str, change: &dyn Fn(&str, String) -> Option<String>| {
        let documents = written.iter().filter_map(|(name, bytes)| {
            let text = String::from_utf8(bytes.clone()).expect("UTF-8");
            Some((format!("out/{name}"), change(name, text)?))
        });
        let mut files: Vec<(String, String)> = documents.collect();
        files.push(("s.json".to_owned(), summary.to_owned()));
        let files: Vec<(&str, &str)> =
            files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        testing::run(&REMEDIATION_BACKLOG, &config, &files)
    };
    let same = |_: &str, text: String| Some(text);
    assert_eq!(run(summary, &same).outcome, Outcome::Pass);

    let moved = run(&summary.replace('}', " }"), &same);
    assert_eq!(
        moved.codes, ["backlog_stale"; 2],
        "the summary has other bytes: {:?}",
        moved.messages
    );
    let mended = run(&summary.replace("fail", "pass"), &same);
    assert!(
        mended.messages.contains(&"`net_a` is listed and does not fail".to_owned()),
        "{:?}",
        mended.messages
    );
    let grown = run(
        &summary.replace("\"b\":{\"status\":\"pass\"}", "\"net_b\":{\"status\":\"fail\"}"),
        &same,
    );
    assert!(
        grown.messages.contains(&"`net_b` fails and is not listed".to_owned()),
        "{:?}",
        grown.messages
    );

    for name in written.keys() {
        let other_run = run(summary, &|n, text| {
            Some(if n == name { text.replace("bench", "before") } else { text })
        });
        assert!(other_run.codes.contains(&"backlog_stale".to_owned()), "{name} of another run");
        let absent = run(summary, &|n, text| (n != name).then_some(text));
        assert_eq!(
            (absent.outcome, absent.code.as_deref()),
            (Outcome::Error, Some("artifact_missing")),
            "t07: {name}"
        );
    }
    let renamed = run(summary, &|_, text| Some(text.replace(".v1", ".v2")));
    assert!(renamed.codes.contains(&"schema_mismatch".to_owned()), "{:?}", renamed.codes);
    let emptied = run(summary, &|n, text| {
        Some(if n == "remediation_backlog.json" {
            text.replace("\"entries\"", "\"entry\"")
        } else {
            text
        })
    });
    assert!(emptied.codes.contains(&"backlog_contradicts".to_owned()), "{:?}", emptied.codes);
}

#[test]
fn fg43_what_cannot_be_read_is_an_error() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let table: &[(&str, &str, &str)] = &[
        (
            "fg43: one key twice",
            "{\"a\":{\"status\":\"fail\",\"status\":\"pass\"}}",
            "duplicate_key",
        ),
        (
            "fg43: one id twice",
            "{\"a\":{\"status\":\"fail\"},\"a\":{\"status\":\"pass\"}}",
            "duplicate_key",
        ),
        (
            "one id twice in a list",
            "[{\"id\":\"a\",\"status\":\"fail\"},{\"id\":\"a\",\"status\":\"pass\"}]",
            "item_duplicate",
        ),
        ("a status of null", "{\"a\":{\"status\":null}}", "field_missing"),
        ("t12: too deep", &deep, "input_too_large"),
        ("fg13: nothing", "[]", "nothing_examined"),
    ];
    for (case, text, code) in table {
        let seen = testing::run(&REMEDIATION_BACKLOG, PLAIN, &[("s.json", text)]);
        assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some(*code)), "{case}");
        assert!(seen.artifacts.is_empty(), "{case}: nothing is claimed");
    }
}
