//! Pairs of lists as tables over small trees.

use super::SET_EQUALITY;
use portcullis::{Outcome, testing};

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&SET_EQUALITY), Vec::<String>::new());
}

#[test]
fn contradictory_configuration_is_refused() {
    let b = "b = { path = 'b.json' }\nrelation = 'equal'";
    let table: &[(&str, String, &str)] = &[
        ("no relation", "a = ['x']\nb = { path = 'b.json' }".to_owned(), "config_invalid"),
        ("an unknown relation", "a = ['x']\nb = { path = 'b.json' }\nrelation = 'like'".to_owned(), "config_invalid"),
        ("an id twice", format!("a = ['x', 'x']\n{b}"), "config_invalid"),
        ("an empty id", format!("a = [' ']\n{b}"), "config_invalid"),
        ("two lists of the gate", "a = ['x']\nb = ['x']\nrelation = 'equal'".to_owned(), "config_invalid"),
        ("a status that accepts nothing", format!("a = ['x']\n{b}\nstatus = {{ field = '/s', one_of = [] }}"), "config_invalid"),
        ("a status of several values", format!("a = ['x']\n{b}\nstatus = {{ field = '/s/*', one_of = ['p'] }}"), "config_invalid"),
        ("a baseline without status", format!("a = ['x']\n{b}\nbaseline = {{ path = 'c.json' }}"), "config_invalid"),
        ("a status in a text", "a = ['x']\nb = { path = 'b.txt' }\nrelation = 'equal'\nstatus = { field = '/s', one_of = ['p'] }".to_owned(), "config_invalid"),
        ("items of a text", "a = ['x']\nb = { path = 'b.txt', items = '/x' }\nrelation = 'equal'".to_owned(), "config_invalid"),
        ("an unknown key of a list", "a = ['x']\nb = { path = 'b.json', ids = '/x' }\nrelation = 'equal'".to_owned(), "config_unknown_key"),
    ];
    for (case, config, code) in table {
        let seen = testing::run(&SET_EQUALITY, config, &[("b.json", "[\"x\"]"), ("b.txt", "x\n")]);
        assert_eq!(seen.code.as_deref(), Some(*code), "{case}: {:?}", seen.messages);
        assert_eq!(seen.outcome, Outcome::Error, "{case}");
    }
}

#[test]
fn the_relation_says_which_list_may_have_more() {
    /// The case, the list `b`; how many findings under equal, subset and superset.
    type Row = (&'static str, &'static str, [usize; 3]);
    let table: &[Row] = &[
        ("the same, in another order", "[\"y\",\"x\"]", [0, 0, 0]),
        ("one less", "[\"x\"]", [1, 1, 0]),
        ("one more", "[\"x\",\"y\",\"z\"]", [1, 0, 1]),
        ("fg54: one renamed", "[\"x\",\"y2\"]", [2, 1, 1]),
        ("case matters", "[\"x\",\"Y\"]", [2, 1, 1]),
    ];
    for (case, b, findings) in table {
        for (relation, findings) in ["equal", "subset", "superset"].iter().zip(findings) {
            let config =
                format!("a = ['x', 'y']\nb = {{ path = 'b.json' }}\nrelation = '{relation}'");
            let seen = testing::run(&SET_EQUALITY, &config, &[("b.json", b)]);
            assert_eq!(seen.codes, vec!["set_mismatch"; *findings], "{case}, {relation}");
        }
    }
}

#[test]
fn lists_are_read_from_every_format() {
    let table: &[(&str, &str, &str, &str)] = &[
        ("text with CRLF and without a last newline", "b.txt", "", "# c\r\nx\r\n\r\n y"),
        ("TOML", "b.toml", ", items = '/list'", "list = ['x', 'y']\n"),
        ("TOML keys", "b.toml", ", items = '/suite'", "[suite.x]\n[suite.y]\n"),
        ("JSON", "b.json", "", "[\"x\",\"y\"]"),
        (
            "JSON by path",
            "b.json",
            ", items = '/t/*/name'",
            "{\"t\":[{\"name\":\"x\"},{\"name\":\"y\"}]}",
        ),
        ("JSON Lines", "b.jsonl", ", id = '/name'", "{\"name\":\"x\"}\n{\"name\":\"y\"}\n"),
        ("JSON Lines of texts", "b.jsonl", "", "\"x\"\n\"y\"\n"),
    ];
    for (case, path, more, text) in table {
        let config = format!("a = ['x', 'y']\nb = {{ path = '{path}'{more} }}\nrelation = 'equal'");
        let seen = testing::run(&SET_EQUALITY, &config, &[(path, text)]);
        assert_eq!(
            (seen.outcome, seen.examined),
            (Outcome::Pass, 2),
            "{case}: {:?}",
            seen.messages
        );
        let config = format!("a = ['x', 'z']\nb = {{ path = '{path}'{more} }}\nrelation = 'equal'");
        let seen = testing::run(&SET_EQUALITY, &config, &[(path, text)]);
        assert_eq!(seen.codes.len(), 2, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn only_an_accepted_status_is_one() {
    let config = "a = ['x']\nb = { path = 'b.json' }\nrelation = 'subset'\nstatus = { field = '/s', one_of = ['pass'] }\nbaseline = { path = 'c.json' }";
    let table: &[(&str, &str, &str, Option<&str>)] = &[
        ("pass", "{\"x\":{\"s\":\"pass\"}}", "{\"x\":{\"s\":\"fail\"}}", None),
        (
            "another member fails",
            "{\"x\":{\"s\":\"pass\"},\"z\":{\"s\":\"fail\"}}",
            "{\"z\":{\"s\":\"pass\"}}",
            None,
        ),
        (
            "skip",
            "{\"x\":{\"s\":\"skip\"}}",
            "{\"x\":{\"s\":\"skip\"}}",
            Some("member_status_refused"),
        ),
        ("n/a", "{\"x\":{\"s\":\"n/a\"}}", "{\"z\":{}}", Some("member_status_refused")),
        ("in capitals", "{\"x\":{\"s\":\"PASS\"}}", "{\"z\":{}}", Some("member_status_refused")),
        ("no status", "{\"x\":{}}", "{\"x\":{}}", Some("member_status_refused")),
        ("null", "{\"x\":{\"s\":null}}", "{\"z\":{}}", Some("member_status_refused")),
        ("a truth", "{\"x\":{\"s\":true}}", "{\"z\":{}}", Some("member_status_refused")),
        (
            "newly failing",
            "{\"x\":{\"s\":\"fail\"}}",
            "{\"x\":{\"s\":\"pass\"}}",
            Some("member_newly_failing"),
        ),
        (
            "newly skipped",
            "{\"x\":{\"s\":\"skip\"}}",
            "{\"x\":{\"s\":\"pass\"}}",
            Some("member_newly_failing"),
        ),
        ("gone", "{\"z\":{\"s\":\"pass\"}}", "{\"x\":{\"s\":\"pass\"}}", Some("set_mismatch")),
    ];
    for (case, b, before, code) in table {
        let seen = testing::run(&SET_EQUALITY, config, &[("b.json", b), ("c.json", before)]);
        assert_eq!(seen.code.as_deref(), *code, "{case}: {:?}", seen.messages);
        assert!(seen.codes.len() <= 1, "{case}");
        if *case == "newly failing" {
            assert_eq!(seen.messages, ["newly failing: `x`, which passed in the baseline"]);
        }
    }
}

#[test]
fn fg13_nothing_and_the_unreadable_are_errors() {
    let config = "a = { path = 'a.txt' }\nb = { path = 'b.json' }\nrelation = 'subset'";
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    /// The case, the tree, the code.
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let table: &[Row<'_>] = &[
        ("fg13: both lists are empty", &[("a.txt", ""), ("b.json", "[]")], "nothing_examined"),
        ("fg13: a is empty", &[("a.txt", "\n"), ("b.json", "[\"x\"]")], "nothing_examined"),
        ("fg13: b is empty", &[("a.txt", "x\n"), ("b.json", "{}")], "nothing_examined"),
        ("t07: a does not exist", &[("b.json", "[\"x\"]")], "artifact_missing"),
        ("t07: b does not exist", &[("a.txt", "x\n")], "artifact_missing"),
        ("twice in a text", &[("a.txt", "x\nx\n"), ("b.json", "[\"x\"]")], "item_duplicate"),
        (
            "fg43: one key twice",
            &[("a.txt", "x\n"), ("b.json", "{\"x\":1,\"x\":2}")],
            "duplicate_key",
        ),
        ("t12: too deep", &[("a.txt", "x\n"), ("b.json", &deep)], "input_too_large"),
        ("no text", &[("a.txt", "x\n"), ("b.json", "[true]")], "item_invalid"),
    ];
    for (case, files, code) in table {
        let seen = testing::run(&SET_EQUALITY, config, files);
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (Outcome::Error, Some(*code)),
            "{case}: {:?}",
            seen.messages
        );
    }
}
