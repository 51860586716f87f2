//! Lineages as tables over small trees.

use super::{
    LINEAGE,
    teeth::{EVENTS, SUMMARY, TWO},
};
use portcullis::{Outcome, testing};

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&LINEAGE), Vec::<String>::new());
}

#[test]
fn contradictory_configuration_is_refused() {
    let artifacts =
        "artifact = [{ name = 'a', path = 'a.json' }, { name = 'b', path = 'b.json' }]\n";
    let table: &[(&str, &str, &str)] = &[
        ("nothing is compared", "", "config_invalid"),
        ("a group of one", "equal = [{ what = 'run', fields = { a = '/r' } }]", "config_invalid"),
        (
            "two ways to name a field",
            "equal = [{ what = 'run', field = '/r', fields = { a = '/r' } }]",
            "config_invalid",
        ),
        ("no field", "equal = [{ what = 'run' }]", "config_invalid"),
        (
            "a name nobody has",
            "equal = [{ what = 'run', fields = { a = '/r', c = '/r' } }]",
            "config_invalid",
        ),
        (
            "an order of one",
            "order = [{ what = 'o', times = [{ artifact = 'a', field = '/t' }] }]",
            "config_invalid",
        ),
        ("no pointer", "equal = [{ what = 'run', field = 'run_id' }]", "config_invalid"),
        (
            "an unknown key",
            "equal = [{ what = 'run', field = '/r', values = 1 }]",
            "config_unknown_key",
        ),
    ];
    for (case, text, code) in table {
        let seen = testing::run(&LINEAGE, &format!("{artifacts}{text}"), &[("a.json", "{}")]);
        assert_eq!(seen.code.as_deref(), Some(*code), "{case}: {:?}", seen.messages);
        assert_eq!(seen.outcome, Outcome::Error, "{case}");
    }
    let twice = "artifact = [{ name = 'a', path = 'a.json' }, { name = 'a', path = 'b.json' }]\nequal = [{ what = 'run', field = '/r' }]";
    let texts = "artifact = [{ name = 'a', path = 'a.md' }, { name = 'b', path = 'b.json' }]\nequal = [{ what = 'run', field = '/r' }]";
    let unstated = "artifact = [{ name = 'a', path = 'a.json', schema = 'x.v1' }, { name = 'b', path = 'b.json' }]\nequal = [{ what = 'run', field = '/r' }]";
    for (case, config, code) in [
        ("one name twice", twice, "config_invalid"),
        ("a text has no fields", texts, "config_invalid"),
        ("fg39: a schema without freshness", unstated, "freshness_unstated"),
    ] {
        let seen = testing::run(&LINEAGE, config, &[("a.json", "{}")]);
        assert_eq!(seen.code.as_deref(), Some(code), "{case}: {:?}", seen.messages);
    }
}

#[test]
fn fg40_a_value_that_is_not_recorded_equals_nothing() {
    let config = "artifact = [{ name = 'a', path = 'a.json' }, { name = 'b', path = 'b.jsonl' }]
equal = [{ what = 'run', fields = { a = '/run', b = '/of/run' } }]";
    let table: &[(&str, &str, &str, usize)] = &[
        ("one run", "{\"run\":\"7\"}", "{\"of\":{\"run\":\"7\"}}\n", 0),
        ("a number and its text are one", "{\"run\":7}", "{\"of\":{\"run\":\"7\"}}\n", 0),
        ("another run", "{\"run\":\"7\"}", "{\"of\":{\"run\":\"8\"}}\n", 1),
        (
            "the last record alone",
            "{\"run\":\"7\"}",
            "{\"of\":{\"run\":\"7\"}}\n{\"of\":{\"run\":\"8\"}}\n",
            1,
        ),
        ("a record without", "{\"run\":\"7\"}", "{\"of\":{\"run\":\"7\"}}\n{\"of\":{}}\n", 1),
        ("absent in the first", "{}", "{\"of\":{\"run\":\"7\"}}\n", 1),
        ("absent in both", "{}", "{\"of\":{}}\n", 2),
        ("null in both", "{\"run\":null}", "{\"of\":{\"run\":null}}\n", 2),
        ("empty in both", "{\"run\":\"\"}", "{\"of\":{\"run\":\"\"}}\n", 2),
        ("a stream of nothing", "{\"run\":\"7\"}", "", 1),
    ];
    for (case, a, b, findings) in table {
        let seen = testing::run(&LINEAGE, config, &[("a.json", a), ("b.jsonl", b)]);
        assert_eq!(seen.codes, vec!["lineage_mismatch"; *findings], "{case}: {:?}", seen.messages);
        assert_eq!(seen.examined, 2, "{case}");
    }
}

#[test]
fn times_may_be_equal_unless_the_order_is_strict() {
    let config = |strict| {
        format!("artifact = [{{ name = 'a', path = 'a.json' }}, {{ name = 'b', path = 'b.json' }}, {{ name = 'c', path = 'c.json' }}]
order = [{{ what = 'a, b, c', strict = {strict}, times = [{{ artifact = 'a', field = '/t' }}, {{ artifact = 'b', field = '/t/*' }}, {{ artifact = 'c', field = '/t' }}] }}]")
    };
    let time = |second: u32| format!("\"2026-05-31T10:00:{second:02}Z\"");
    let table: &[(&str, [u32; 4], bool, usize)] = &[
        ("forward", [1, 2, 3, 4], true, 0),
        ("equal", [1, 1, 1, 1], false, 0),
        ("equal under strict", [1, 1, 2, 3], true, 1),
        ("one element of b too early", [2, 3, 1, 4], false, 1),
        ("c before the later of b", [1, 2, 4, 3], false, 1),
        ("b goes back, and c lies between", [5, 1, 1, 3], false, 2),
    ];
    for (case, [a, b1, b2, c], strict, findings) in table {
        let files = [
            ("a.json", format!("{{\"t\":{}}}", time(*a))),
            ("b.json", format!("{{\"t\":[{},{}]}}", time(*b1), time(*b2))),
            ("c.json", format!("{{\"t\":{}}}", time(*c))),
        ];
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let seen = testing::run(&LINEAGE, &config(*strict), &files);
        assert_eq!(seen.codes, vec!["time_order_broken"; *findings], "{case}: {:?}", seen.messages);
    }
}

#[test]
fn a_time_that_cannot_be_read_is_an_error() {
    let config = "artifact = [{ name = 'a', path = 'a.json' }, { name = 'b', path = 'b.json' }]
order = [{ what = 'o', times = [{ artifact = 'a', field = '/t' }, { artifact = 'b', field = '/t' }] }]";
    for (case, b) in [
        ("absent", "{}"),
        ("null", "{\"t\":null}"),
        ("a number", "{\"t\":1780000000}"),
        ("another offset", "{\"t\":\"2026-05-31T10:00:00+02:00\"}"),
    ] {
        let seen = testing::run(
            &LINEAGE,
            config,
            &[("a.json", "{\"t\":\"2026-05-31T10:00:00Z\"}"), ("b.json", b)],
        );
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (Outcome::Error, Some("time_invalid")),
            "{case}"
        );
    }
}

fn error(case: &str, files: &[(&str, &str)], code: &str) {
    let seen = testing::run(&LINEAGE, TWO, files);
    let expected = (Outcome::Error, Some(code));
    assert_eq!((seen.outcome, seen.code.as_deref()), expected, "{case}: {:?}", seen.messages);
}

#[test]
fn fg37_only_siblings_of_the_artifacts_exist() {
    error("t07: a stream", &[("a.json", SUMMARY), ("b2.jsonl", EVENTS)], "artifact_missing");
    let beside = [("a.json", SUMMARY), ("b.jsonl", EVENTS), ("src2.txt", "x\n")];
    error("t07: the source", &beside, "artifact_missing");
}

#[test]
fn fg43_a_run_that_stands_twice() {
    error("twice", &[("a.json", "{\"run_id\":\"r6\",\"run_id\":\"r7\"}")], "duplicate_key");
}

#[test]
fn fg47_a_torn_or_missing_record() {
    let gap = EVENTS.replace("\"seq\":1", "\"seq\":2");
    error("a gap", &[("a.json", SUMMARY), ("b.jsonl", &gap)], "record_torn");
    error("a torn line", &[("a.json", SUMMARY), ("b.jsonl", EVENTS.trim_end())], "record_torn");
}

#[test]
fn t12_a_document_that_is_too_deep_or_too_large() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    error("too deep", &[("a.json", &deep)], "input_too_large");
    let long = format!("{{\"run_id\":\"{}\"}}\n", "7".repeat(70_000));
    error("a line too long", &[("a.json", SUMMARY), ("b.jsonl", &long)], "input_too_large");
    let wide = format!("[{}1]", "1,".repeat(260_000));
    error("too many nodes", &[("a.json", &wide)], "input_too_large");
}

#[cfg(feature = "cel")]
#[test]
fn expressions_see_every_artifact_by_name() {
    let config = "artifact = [{ name = 'a', path = 'a.json' }, { name = 'b', path = 'b.json' }]\ncel = ['docs.a.n == docs.b.n']";
    for (b, outcome) in
        [("{\"n\":1}", Outcome::Pass), ("{\"n\":2}", Outcome::Fail), ("{}", Outcome::Error)]
    {
        let seen = testing::run(&LINEAGE, config, &[("a.json", "{\"n\":1}"), ("b.json", b)]);
        assert_eq!(seen.outcome, outcome, "{b}: {:?}", seen.messages);
    }
}
