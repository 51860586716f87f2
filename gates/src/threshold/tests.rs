//! Thresholds as tables over small trees.

use super::THRESHOLD;
use portcullis::{
    Outcome,
    testing::{self, Bench},
};

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&THRESHOLD), Vec::<String>::new());
}

#[test]
fn contradictory_configuration_is_refused() {
    let table: &[(&str, &str, &str)] = &[
        ("nothing holds", "", "config_invalid"),
        ("a floor above its ceiling", "floors = { a = 3 }\nceilings = { a = 2 }", "config_invalid"),
        (
            "a floor for each above the ceiling of one",
            "floors = { '*' = 3 }\nceilings = { a = 2 }",
            "config_invalid",
        ),
        ("a ceiling of nan", "ceilings = { a = nan }", "config_invalid"),
        ("a ceiling without end", "ceilings = { a = inf }", "config_invalid"),
        ("a ceiling beyond 2^53", "ceilings = { a = 9007199254740993 }", "config_invalid"),
        ("a text", "ceilings = { a = '3' }", "config_invalid"),
        (
            "two places",
            "floors = { a = 1 }\nthresholds = { path = 't.toml', version = 1 }",
            "config_invalid",
        ),
        (
            "two ways to measure",
            "floors = { a = 1 }\nvalue = '/v'\nmetrics = { a = '/a' }",
            "config_invalid",
        ),
        ("several values", "floors = { a = 1 }\nmetrics = { a = '/a/*' }", "config_invalid"),
        ("no direction", "baseline = { path = 'b.json' }", "config_invalid"),
        (
            "a direction for one of all",
            "baseline = { path = 'b.json', better = { a = 'lower' } }",
            "config_invalid",
        ),
        (
            "a delta below 0",
            "baseline = { path = 'b.json', better = { '*' = 'lower' }, allowed_delta = { a = -1 } }",
            "config_invalid",
        ),
        (
            "its own baseline",
            "baseline = { path = 'a.json', better = { '*' = 'lower' } }",
            "config_invalid",
        ),
        ("an unknown key", "floor = { a = 1 }", "config_unknown_key"),
    ];
    for (case, text, code) in table {
        let config = format!("source = {{ path = 'a.json' }}\n{text}");
        let seen =
            testing::run(&THRESHOLD, &config, &[("a.json", "{\"a\":1}"), ("b.json", "{\"a\":1}")]);
        assert_eq!(seen.code.as_deref(), Some(*code), "{case}: {:?}", seen.messages);
        assert_eq!(seen.outcome, Outcome::Error, "{case}");
    }
}

#[test]
fn fg44_what_is_no_finite_number_is_no_measurement() {
    let config = |path: &str| format!("source = {{ path = '{path}' }}\nceilings = {{ '*' = 5 }}");
    let table: &[(&str, &str, &str, Outcome, Option<&str>)] = &[
        ("a number", "a.json", "{\"p\":5}", Outcome::Pass, None),
        ("a fraction", "a.json", "{\"p\":4.99}", Outcome::Pass, None),
        ("null", "a.json", "{\"p\":null}", Outcome::Error, Some("value_not_finite")),
        ("a text of nan", "a.json", "{\"p\":\"NaN\"}", Outcome::Error, Some("value_not_finite")),
        ("a text of a number", "a.json", "{\"p\":\"5\"}", Outcome::Error, Some("value_not_finite")),
        ("a truth", "a.json", "{\"p\":true}", Outcome::Error, Some("value_not_finite")),
        ("a list", "a.json", "{\"p\":[1]}", Outcome::Error, Some("value_not_finite")),
        ("infinite in JSON", "a.json", "{\"p\":1e999}", Outcome::Error, Some("value_not_finite")),
        ("nan in TOML", "a.toml", "p = nan\n", Outcome::Error, Some("value_not_finite")),
        ("infinite in TOML", "a.toml", "p = -inf\n", Outcome::Error, Some("value_not_finite")),
        ("fg43: twice", "a.json", "{\"p\":9,\"p\":1}", Outcome::Error, Some("duplicate_key")),
        ("fg46: nothing", "a.json", "{}", Outcome::Error, Some("nothing_examined")),
        ("a scalar", "a.json", "3", Outcome::Error, Some("item_invalid")),
        ("fg47: a torn stream", "a.jsonl", "{\"id\":\"p\"}", Outcome::Error, Some("record_torn")),
    ];
    for (case, path, text, outcome, code) in table {
        let seen = testing::run(&THRESHOLD, &config(path), &[(path, text)]);
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (*outcome, *code),
            "{case}: {:?}",
            seen.messages
        );
    }
}

#[test]
fn items_are_read_from_lists_objects_and_streams() {
    let table: &[(&str, &str, &str, &str, u64)] = &[
        ("an object", "a.json", "", "{\"x\":1,\"y\":9}", 2),
        (
            "a list",
            "a.json",
            ", items = '/all'",
            "{\"all\":[{\"id\":\"x\",\"v\":1},{\"id\":2,\"v\":9}]}",
            2,
        ),
        (
            "each of several lists",
            "a.json",
            ", items = '/suites/*/all'",
            "{\"suites\":[{\"all\":[{\"id\":\"x\",\"v\":1}]},{\"all\":[{\"id\":\"y\",\"v\":9}]}]}",
            2,
        ),
        (
            "each member",
            "a.json",
            ", items = '/all/*'",
            "{\"all\":{\"x\":{\"v\":1},\"y\":{\"v\":9}}}",
            2,
        ),
        ("a stream", "a.jsonl", ", id = '/n'", "{\"n\":\"x\",\"v\":1}\n{\"n\":\"y\",\"v\":9}\n", 2),
    ];
    for (case, path, items, text, examined) in table {
        let value = if text.contains("\"v\"") { "value = '/v'\n" } else { "" };
        let config =
            format!("source = {{ path = '{path}'{items} }}\n{value}ceilings = {{ '*' = 5 }}");
        let seen = testing::run(&THRESHOLD, &config, &[(path, text)]);
        assert_eq!(seen.codes, ["above_ceiling"], "{case}: {:?}", seen.messages);
        assert_eq!(seen.examined, *examined, "{case}");
    }
    let twice = "[{\"id\":\"x\",\"v\":1},{\"id\":\"x\",\"v\":9}]";
    let nameless = "[{\"v\":1}]";
    for (case, text, code) in
        [("one id twice", twice, "item_duplicate"), ("no id", nameless, "item_invalid")]
    {
        let config = "source = { path = 'a.json' }\nvalue = '/v'\nceilings = { '*' = 5 }";
        let seen = testing::run(&THRESHOLD, config, &[("a.json", text)]);
        assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some(code)), "{case}");
    }
}

#[test]
fn an_item_that_has_a_threshold_of_its_own_must_be_measured() {
    let config = "source = { path = 'a.json' }\nceilings = { '*' = 9, x = 5 }";
    let table: &[(&str, Outcome, Option<&str>)] = &[
        ("{\"x\":1}", Outcome::Pass, None),
        ("{\"y\":1}", Outcome::Error, Some("metric_missing")),
    ];
    for (text, outcome, code) in table {
        let seen = testing::run(&THRESHOLD, config, &[("a.json", text)]);
        assert_eq!((seen.outcome, seen.code.as_deref()), (*outcome, *code), "{text}");
    }
}

#[test]
fn a_metric_without_threshold_is_not_counted_as_held() {
    let config = "source = { path = 'a.json' }\nceilings = { x = 5 }";
    let seen = testing::run(&THRESHOLD, config, &[("a.json", "{\"x\":1,\"y\":9}")]);
    assert_eq!((seen.outcome, seen.examined), (Outcome::Pass, 1));
    assert!(seen.output.iter().any(|line| line.contains("1 of 2 metrics")), "{:?}", seen.output);
    let config =
        "source = { path = 'a.json' }\nmetrics = { x = '/x', y = '/y' }\nceilings = { x = 5 }";
    let seen = testing::run(&THRESHOLD, config, &[("a.json", "{\"x\":1,\"y\":9}")]);
    assert_eq!(seen.code.as_deref(), Some("thresholds_invalid"), "{:?}", seen.messages);
}

#[test]
fn a_baseline_is_compared_item_by_item() {
    let config = |better: &str| {
        format!(
            "source = {{ path = 'a.json' }}
ceilings = {{ '*' = 100 }}
baseline = {{ path = 'b.json', better = {{ '*' = '{better}' }}, allowed_delta = {{ '*' = 2, wide = 10 }} }}"
        )
    };
    /// The case, better, now, before; the messages.
    type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);
    let table: &[Row] = &[
        ("within", "lower", "{\"x\":12,\"wide\":20}", "{\"x\":10,\"wide\":10}", &[]),
        (
            "beyond",
            "lower",
            "{\"x\":13,\"wide\":21}",
            "{\"x\":10,\"wide\":10}",
            &[
                "`wide` is worse than in the baseline, which has 10",
                "`x` is worse than in the baseline, which has 10",
            ],
        ),
        ("better is no worse", "lower", "{\"x\":1}", "{\"x\":10}", &[]),
        (
            "higher is better",
            "higher",
            "{\"x\":7}",
            "{\"x\":10}",
            &["`x` is worse than in the baseline, which has 10"],
        ),
        ("higher within", "higher", "{\"x\":8}", "{\"x\":10}", &[]),
        ("a new item", "lower", "{\"x\":10,\"new\":1}", "{\"x\":10}", &[]),
        (
            "an item that is gone",
            "lower",
            "{\"y\":10}",
            "{\"x\":10}",
            &["`x` is in the baseline and is not measured now"],
        ),
        (
            "newly failing",
            "higher",
            "{\"x\":101}",
            "{\"x\":99}",
            &["newly failing: `x` is above its ceiling"],
        ),
        (
            "failing before, too",
            "higher",
            "{\"x\":101}",
            "{\"x\":101}",
            &["`x` is above its ceiling"],
        ),
    ];
    for (case, better, now, before, messages) in table {
        let seen =
            testing::run(&THRESHOLD, &config(better), &[("a.json", now), ("b.json", before)]);
        assert_eq!(seen.messages, *messages, "{case}");
        assert_eq!(
            seen.output.iter().any(|line| line == "new since the baseline: new"),
            *case == "a new item",
            "{:?}",
            seen.output
        );
    }
    for (case, before, code) in [
        ("fg46: an empty baseline", "{}", "nothing_examined"),
        ("fg44: a baseline of null", "{\"x\":null}", "value_not_finite"),
    ] {
        let seen = testing::run(
            &THRESHOLD,
            &config("lower"),
            &[("a.json", "{\"x\":1}"), ("b.json", before)],
        );
        assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some(code)), "{case}");
    }
    let seen = testing::run(&THRESHOLD, &config("lower"), &[("a.json", "{\"x\":1}")]);
    assert_eq!(
        (seen.outcome, seen.code.as_deref()),
        (Outcome::Error, Some("artifact_missing")),
        "t07"
    );
}

#[test]
fn a_set_of_thresholds_is_held_against_its_history() {
    let config = "source = { path = 'a.json' }\nthresholds = { path = 't.toml', version = 1 }";
    // The digest of one ceiling, 5, for each metric.
    let digest = portcullis::Digest::of(b"ceiling\0*\x005\n").to_string();
    let set = |head: &str, line: &str| format!("{head}\nceilings = {{ '*' = 5 }}\n{line}");
    let line = |version: u32, day: &str, reason: &str, digest: &str| {
        format!(
            "[[history]]\nversion = {version}\neffective = {day}\nreason = '{reason}'\ndigest = '{digest}'\n"
        )
    };
    let head = "version = 1\neffective = 2026-05-31";
    let good = line(1, "2026-05-31", "begin", &digest);
    let table: &[(&str, String, Option<&str>)] = &[
        ("good, on its first day", set(head, &good), None),
        ("no history", set(head, "history = []"), Some("thresholds_edited")),
        (
            "another digest",
            set(head, &line(1, "2026-05-31", "begin", &digest.replace('a', "b"))),
            Some("thresholds_edited"),
        ),
        (
            "a history of another version",
            set(head, &line(2, "2026-05-31", "begin", &digest)),
            Some("thresholds_edited"),
        ),
        (
            "a history of another day",
            set(head, &line(1, "2026-05-30", "begin", &digest)),
            Some("thresholds_edited"),
        ),
        ("no reason", set(head, &line(1, "2026-05-31", " ", &digest)), Some("thresholds_invalid")),
        (
            "not in force yet",
            set("version = 1\neffective = 2026-06-01", &line(1, "2026-06-01", "begin", &digest)),
            Some("thresholds_invalid"),
        ),
        (
            "a history that goes back",
            set(head, &format!("{}{good}", line(2, "2026-05-01", "x", &digest))),
            Some("thresholds_invalid"),
        ),
        ("an unknown key", set(&format!("{head}\nfloor = 1"), &good), Some("thresholds_invalid")),
        ("no threshold", format!("{head}\n{good}"), Some("thresholds_invalid")),
        ("a key twice", format!("version = 1\n{}", set(head, &good)), Some("duplicate_key")),
        (
            "t12: too large",
            format!("{}\n#{}", set(head, &good), "x".repeat(1024 * 1024)),
            Some("input_too_large"),
        ),
    ];
    for (case, text, code) in table {
        let seen = testing::run(&THRESHOLD, config, &[("a.json", "{\"x\":1}"), ("t.toml", text)]);
        assert_eq!(seen.code.as_deref(), *code, "{case}: {:?}", seen.messages);
    }
    let seen = testing::run(&THRESHOLD, config, &[("a.json", "{\"x\":1}")]);
    assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some("artifact_missing")));
}

/// A file that was rewritten whole agrees with itself; the base still has the numbers as they were.
#[test]
fn numbers_that_change_together_with_their_history_are_seen_from_the_base() {
    let set = |floor: u32, digest: &str| {
        format!(
            "version = 1\neffective = 2026-01-01\n\n[floors]\na = {floor}\n\n[[history]]\nversion = 1\n\
             effective = 2026-01-01\nreason = \"measured\"\ndigest = \"{digest}\"\n"
        )
    };
    let config = "source = { path = 'a.json' }\nthresholds = { path = 't.toml', version = 1 }";
    let bench = |text: &str| {
        Bench::new(&THRESHOLD, config).file("a.json", b"{\"a\":5}").file("t.toml", text.as_bytes())
    };
    // The gate prints the digest that belongs to the numbers.
    let honest = |floor: u32| {
        let seen = bench(&set(floor, &"0".repeat(64))).run();
        let told = format!("{:?}", seen.looked.findings);
        let mut words = told.split(|c: char| !c.is_ascii_hexdigit());
        let digest = words.find(|word| word.len() == 64 && word.contains(|c| c != '0'));
        let digest = digest.unwrap_or_else(|| panic!("no digest in {told}"));
        set(floor, digest)
    };
    let (before, after) = (honest(3), honest(1));
    let changed = |base: Option<&str>| {
        let bench = bench(&after).over().base_file("t.toml", before.as_bytes());
        base.into_iter().fold(bench, |bench, rev| bench.env("PORTCULLIS_BASE", rev)).run()
    };
    let alone = changed(None);
    assert_eq!(alone.outcome, Outcome::Pass, "{:?}", alone.messages);
    let seen = changed(Some("HEAD"));
    // The version stayed, and the line of history was written anew.
    assert_eq!(seen.codes, ["thresholds_edited"; 2], "{:?}", seen.messages);
    let shallow = changed(Some("nowhere"));
    assert_eq!(shallow.code.as_deref(), Some("base_unresolvable"));
}
