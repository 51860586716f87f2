//! Rules as tables over values: what holds, what is a violation, what cannot be looked at.

use super::*;
use crate::artifact_contract::FIELD_MISSING;
use serde::Deserialize;

/// The case, the rule, the document, what comes of it.
type Row = (&'static str, &'static str, &'static str, &'static str);

fn rule(toml: &str) -> Result<Rule, table::Unusable> {
    #[derive(Deserialize)]
    struct One {
        rule: RuleTable,
    }
    let one: One = toml::from_str(&format!("rule = {toml}")).expect("a rule table");
    one.rule.compile()
}

/// `ok`, the code of the first violation, or the code of the error.
fn look(toml: &str, document: &str) -> &'static str {
    let document: Value = serde_json::from_str(document).expect("a document");
    let now = Instant::parse("2026-05-31T12:00:00Z").expect("a time");
    let mut out = Vec::new();
    let rule = rule(toml).expect("a usable rule");
    match rule.look(&document, &mut Looking::new(now), &mut out) {
        Ok(()) => out.first().map_or("ok", |violation| violation.code.name()),
        Err(fault) => fault.code().name(),
    }
}

const OF_ONE_VALUE: &[Row] = &[
    ("exists", "{ path = '/a', exists = true }", r#"{"a":null}"#, "ok"),
    ("does not exist", "{ path = '/a', exists = true }", "{}", "field_missing"),
    ("must not exist", "{ path = '/a', exists = false }", r#"{"a":1}"#, "rule_broken"),
    ("must not exist and does not", "{ path = '/a', exists = false }", "{}", "ok"),
    (
        "a field of the wrong name is never true",
        "{ path = '/typo', empty = true }",
        r#"{"a":[]}"#,
        "field_missing",
    ),
    ("type", "{ path = '/a', type = 'integer' }", r#"{"a":1}"#, "ok"),
    (
        "a fraction is no integer",
        "{ path = '/a', type = 'integer' }",
        r#"{"a":1.5}"#,
        "rule_broken",
    ),
    ("null is no string", "{ path = '/a', type = 'string' }", r#"{"a":null}"#, "rule_broken"),
    ("equals", "{ path = '/a', equals = 'x' }", r#"{"a":"x"}"#, "ok"),
    ("equals compares numbers", "{ path = '/a', equals = 1 }", r#"{"a":1.0}"#, "ok"),
    ("a text is no number", "{ path = '/a', equals = 1 }", r#"{"a":"1"}"#, "rule_broken"),
    ("equals compares tables", "{ path = '/a', equals = { b = [1] } }", r#"{"a":{"b":[1]}}"#, "ok"),
    (
        "equals is exact on tables",
        "{ path = '/a', equals = { b = 1 } }",
        r#"{"a":{"b":1,"c":2}}"#,
        "rule_broken",
    ),
    ("one of", "{ path = '/a', one_of = ['x', 'y'] }", r#"{"a":"y"}"#, "ok"),
    ("none of", "{ path = '/a', one_of = ['x', 'y'] }", r#"{"a":"z"}"#, "rule_broken"),
    ("matches", "{ path = '/a', matches = '^v[0-9]+$' }", r#"{"a":"v12"}"#, "ok"),
    ("does not match", "{ path = '/a', matches = '^v[0-9]+$' }", r#"{"a":"v12x"}"#, "rule_broken"),
    ("a number matches nothing", "{ path = '/a', matches = '1' }", r#"{"a":1}"#, "rule_broken"),
    ("not empty", "{ path = '/a', non_empty = true }", r#"{"a":[0]}"#, "ok"),
    ("an empty text", "{ path = '/a', non_empty = true }", r#"{"a":""}"#, "rule_broken"),
    ("null is nothing", "{ path = '/a', non_empty = true }", r#"{"a":null}"#, "rule_broken"),
    ("empty", "{ path = '/a', empty = true }", r#"{"a":{}}"#, "ok"),
    ("not empty enough", "{ path = '/a', empty = true }", r#"{"a":[1]}"#, "rule_broken"),
    ("null is not an empty list", "{ path = '/a', empty = true }", r#"{"a":null}"#, "rule_broken"),
    ("positive", "{ path = '/a', positive_int = true }", r#"{"a":1}"#, "ok"),
    ("zero", "{ path = '/a', positive_int = true }", r#"{"a":0}"#, "rule_broken"),
    ("a fraction", "{ path = '/a', positive_int = true }", r#"{"a":1.5}"#, "rule_broken"),
    ("at the floor", "{ path = '/a', min = 0.5 }", r#"{"a":0.5}"#, "ok"),
    ("below the floor", "{ path = '/a', min = 3 }", r#"{"a":2.999}"#, "rule_broken"),
    ("at the ceiling", "{ path = '/a', max = 3 }", r#"{"a":3}"#, "ok"),
    ("above the ceiling", "{ path = '/a', max = 3 }", r#"{"a":4}"#, "rule_broken"),
    ("a text is below no ceiling", "{ path = '/a', max = 3 }", r#"{"a":"1"}"#, "rule_broken"),
    (
        "fg44: null is no measurement",
        "{ path = '/a', max = 3 }",
        r#"{"a":null}"#,
        "value_not_finite",
    ),
    (
        "fg44: a text that spells NaN",
        "{ path = '/a', max = 3 }",
        r#"{"a":"NaN"}"#,
        "value_not_finite",
    ),
    (
        "fg44: a text that spells infinity",
        "{ path = '/a', positive_int = true }",
        r#"{"a":"-Infinity"}"#,
        "value_not_finite",
    ),
    (
        "a date in the window",
        "{ path = '/a', date_within = { past = '7d' } }",
        r#"{"a":"2026-05-24"}"#,
        "ok",
    ),
    (
        "a date before the window",
        "{ path = '/a', date_within = { past = '7d' } }",
        r#"{"a":"2026-05-23"}"#,
        "rule_broken",
    ),
    (
        "a date ahead of a window into the past",
        "{ path = '/a', date_within = { past = '7d' } }",
        r#"{"a":"2026-06-01"}"#,
        "rule_broken",
    ),
    (
        "a date ahead, allowed",
        "{ path = '/a', date_within = { past = '7d', future = '1d' } }",
        r#"{"a":"2026-06-01T12:00:00Z"}"#,
        "ok",
    ),
    (
        "the last day counts",
        "{ path = '/a', date_within = { to = 2026-05-31 } }",
        r#"{"a":"2026-05-31T23:59:59Z"}"#,
        "ok",
    ),
    (
        "the day after the last",
        "{ path = '/a', date_within = { to = '2026-05-31' } }",
        r#"{"a":"2026-06-01"}"#,
        "rule_broken",
    ),
    (
        "no date",
        "{ path = '/a', date_within = { past = '7d' } }",
        r#"{"a":20260531}"#,
        "rule_broken",
    ),
];

#[test]
fn rules_of_one_value() {
    for (case, rule, document, expected) in OF_ONE_VALUE {
        assert_eq!(look(rule, document), *expected, "{case}");
    }
}

const OF_A_SEQUENCE: &[Row] = &[
    ("sorted", "{ path = '/a', sorted = true }", r#"{"a":["a","b","b"]}"#, "ok"),
    ("not sorted", "{ path = '/a', sorted = true }", r#"{"a":[2,10,9]}"#, "rule_broken"),
    (
        "what has no order is not sorted",
        "{ path = '/a', sorted = true }",
        r#"{"a":["1",2]}"#,
        "rule_broken",
    ),
    (
        "one object has no order either",
        "{ path = '/a', sorted = true }",
        r#"{"a":[{}]}"#,
        "rule_broken",
    ),
    (
        "fg46: nothing is sorted",
        "{ path = '/a', sorted = true }",
        r#"{"a":[]}"#,
        "nothing_examined",
    ),
    (
        "nothing may stand there",
        "{ path = '/a', sorted = true, allow_empty = true }",
        r#"{"a":[]}"#,
        "ok",
    ),
    ("a text is no list", "{ path = '/a', sorted = true }", r#"{"a":"ab"}"#, "rule_broken"),
    ("unique", "{ path = '/a', unique = true }", r#"{"a":[1,2,"1"]}"#, "ok"),
    (
        "one number in two spellings",
        "{ path = '/a', unique = true }",
        r#"{"a":[1,2,1.0]}"#,
        "rule_broken",
    ),
    (
        "unique over what each selects",
        "{ path = '/a/*/id', unique = true }",
        r#"{"a":[{"id":1},{"id":1}]}"#,
        "rule_broken",
    ),
    (
        "one selected value is a sequence",
        "{ path = '/a/*/id', unique = true }",
        r#"{"a":[{"id":1}]}"#,
        "ok",
    ),
    ("contains all", "{ path = '/a', contains_all = ['x', 'y'] }", r#"{"a":["y","z","x"]}"#, "ok"),
    (
        "does not contain all",
        "{ path = '/a', contains_all = ['x', 'y'] }",
        r#"{"a":["x"]}"#,
        "rule_broken",
    ),
    (
        "an empty list contains nothing",
        "{ path = '/a', contains_all = ['x'] }",
        r#"{"a":[]}"#,
        "rule_broken",
    ),
    (
        "the exact sequence",
        "{ path = '/a', exact_sequence = ['x', 'y'] }",
        r#"{"a":["x","y"]}"#,
        "ok",
    ),
    (
        "another order",
        "{ path = '/a', exact_sequence = ['x', 'y'] }",
        r#"{"a":["y","x"]}"#,
        "rule_broken",
    ),
    (
        "a longer one",
        "{ path = '/a', exact_sequence = ['x'] }",
        r#"{"a":["x","y"]}"#,
        "rule_broken",
    ),
    ("a sum", "{ path = '/t', sum_equals = ['/a', '/b/*'] }", r#"{"t":6,"a":1,"b":[2,3]}"#, "ok"),
    (
        "a wrong sum",
        "{ path = '/t', sum_equals = ['/a', '/b/*'] }",
        r#"{"t":7,"a":1,"b":[2,3]}"#,
        "rule_broken",
    ),
    (
        "a sum of fractions",
        "{ path = '/t', sum_equals = ['/a', '/b'] }",
        r#"{"t":0.3,"a":0.1,"b":0.2}"#,
        "ok",
    ),
    (
        "a part that is not there",
        "{ path = '/t', sum_equals = ['/a', '/c'] }",
        r#"{"t":1,"a":1}"#,
        "field_missing",
    ),
    (
        "fg44: a part that is null",
        "{ path = '/t', sum_equals = ['/a'] }",
        r#"{"t":0,"a":null}"#,
        "value_not_finite",
    ),
    (
        "a total that is a list",
        "{ path = '/t', sum_equals = ['/a'] }",
        r#"{"t":[1,2],"a":3}"#,
        "rule_broken",
    ),
    (
        "fg46: each of nothing",
        "{ path = '/a/*', type = 'string' }",
        r#"{"a":[]}"#,
        "nothing_examined",
    ),
    (
        "each of nothing, allowed",
        "{ path = '/a/*', type = 'string', allow_empty = true }",
        r#"{"a":[]}"#,
        "ok",
    ),
    (
        "one of many is wrong",
        "{ path = '/a/*', type = 'string' }",
        r#"{"a":["x",1]}"#,
        "rule_broken",
    ),
    (
        "one of many is not there",
        "{ path = '/a/*/id', exists = true }",
        r#"{"a":[{"id":1},{}]}"#,
        "field_missing",
    ),
];

#[test]
fn rules_of_a_sequence() {
    for (case, rule, document, expected) in OF_A_SEQUENCE {
        assert_eq!(look(rule, document), *expected, "{case}");
    }
}

#[test]
fn fg42_implications() {
    let ready = "{ implies = { when = { path = '/status', equals = 'ready' }, then = [{ path = '/ok', equals = true }, { path = '/blocking', empty = true }] } }";
    let each = "{ path = '/items/*', implies = { when = { path = '/kind', equals = 'x' }, then = { path = '/n', min = 1 } } }";
    let table: &[(&str, &str, &str, &str)] = &[
        (
            "condition and consequence hold",
            ready,
            r#"{"status":"ready","ok":true,"blocking":[]}"#,
            "ok",
        ),
        (
            "the condition does not hold",
            ready,
            r#"{"status":"blocked","ok":false,"blocking":["x"]}"#,
            "ok",
        ),
        (
            "a consequence is broken",
            ready,
            r#"{"status":"ready","ok":true,"blocking":["x"]}"#,
            "implication_broken",
        ),
        (
            "a consequence is not there",
            ready,
            r#"{"status":"ready","ok":true}"#,
            "implication_broken",
        ),
        (
            "a renamed condition does not silence the rule",
            ready,
            r#"{"state":"ready","ok":false,"blocking":["x"]}"#,
            "field_missing",
        ),
        ("it holds for each", each, r#"{"items":[{"kind":"x","n":1},{"kind":"y","n":0}]}"#, "ok"),
        (
            "it is broken for one",
            each,
            r#"{"items":[{"kind":"y","n":0},{"kind":"x","n":0}]}"#,
            "implication_broken",
        ),
        (
            "an optional field: absent",
            "{ implies = { when = { path = '/a', exists = true }, then = { path = '/a', min = 1 } } }",
            "{}",
            "ok",
        ),
        (
            "an optional field: wrong",
            "{ implies = { when = { path = '/a', exists = true }, then = { path = '/a', min = 1 } } }",
            r#"{"a":0}"#,
            "implication_broken",
        ),
    ];
    for (case, rule, document, expected) in table {
        assert_eq!(look(rule, document), *expected, "{case}");
    }
}

#[test]
fn rules_that_could_never_be_right_are_refused() {
    let table: &[(&str, &str)] = &[
        ("no test", "{ path = '/a' }"),
        ("no path", "{ equals = 1 }"),
        ("no pointer", "{ path = 'a', exists = true }"),
        ("a flag that is off", "{ path = '/a', sorted = false }"),
        ("nothing to choose from", "{ path = '/a', one_of = [] }"),
        ("nothing to contain", "{ path = '/a', contains_all = [] }"),
        ("empty and not empty", "{ path = '/a', empty = true, non_empty = true }"),
        ("a test of what must not exist", "{ path = '/a', exists = false, equals = 1 }"),
        ("max below min", "{ path = '/a', min = 2, max = 1 }"),
        ("a limit that is a text", "{ path = '/a', min = '2' }"),
        ("a limit that is no number", "{ path = '/a', min = nan }"),
        ("a sum of nothing", "{ path = '/a', sum_equals = [] }"),
        ("many totals", "{ path = '/a/*', sum_equals = ['/b'] }"),
        ("a window without bounds", "{ path = '/a', date_within = {} }"),
        (
            "a window that ends before it begins",
            "{ path = '/a', date_within = { from = 2026-05-31, to = 2026-05-30 } }",
        ),
        ("a day that does not exist", "{ path = '/a', date_within = { from = '2026-02-30' } }"),
        (
            "an implication of nothing",
            "{ implies = { when = { path = '/a', exists = true }, then = [] } }",
        ),
        ("a pattern that matches everything", "{ path = '/a', matches = '' }"),
    ];
    for (case, toml) in table {
        assert!(rule(toml).is_err(), "{case}");
    }
}

#[test]
fn t23_a_search_has_a_budget() {
    let table: &[(&str, usize, &str, &str)] = &[
        ("a text of 64 KiB", 64 * 1024, "B", "rule_broken"),
        ("a text beyond 64 KiB", 64 * 1024 + 1, "B", "budget_exceeded"),
        ("a quadratic pattern over too much text", 100_000, ".*[^A-Z]|[A-Z]", "budget_exceeded"),
    ];
    for (case, bytes, pattern, expected) in table {
        let document = format!("{{\"a\":\"{}\"}}", "a".repeat(*bytes));
        assert_eq!(
            look(&format!("{{ path = '/a', matches = '{pattern}' }}"), &document),
            *expected,
            "{case}"
        );
    }
    let many = format!("{{\"a\":[{}\"\"]}}", format!("\"{}\",", "a".repeat(60_000)).repeat(300));
    let pattern = "x".repeat(20);
    assert_eq!(
        look(&format!("{{ path = '/a/*', matches = '{pattern}' }}"), &many),
        "budget_exceeded"
    );
}

#[test]
fn a_violation_names_path_rule_and_both_sides() {
    let document: Value = serde_json::json!({"items": [{"n": 1}, {"n": 9}]});
    let now = Instant::parse("2026-05-31T12:00:00Z").expect("a time");
    let mut out = Vec::new();
    let rule = rule("{ path = '/items/*/n', max = 5 }").expect("a rule");
    rule.look(&document, &mut Looking::new(now), &mut out).expect("it can look");
    let expected =
        Violation::new("/items/1/n", "max", "a number of at most 5".to_owned(), "9".to_owned());
    assert_eq!(out, [expected]);
    assert_ne!(out[0].code, FIELD_MISSING);
}
