//! Tables over the runtime matrix, with git in the place of runtimes. Real ones are compared elsewhere.

use super::*;
use portcullis::{
    GateTable, Lane, Outcome,
    testing::{Bench, run},
};

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&RUNTIME_MATRIX), Vec::<String>::new());
}

#[test]
fn the_matrix_says_what_each_runtime_did() {
    let seen = run(&RUNTIME_MATRIX, OTHER, &[A, ("p/b.cfg", "[\n"), ("p/c.cfg", AGREED)]);
    assert_eq!(seen.examined, 6);
    assert_eq!(seen.codes, ["runtime_difference", "runtime_probe_failed"], "{:?}", seen.messages);
    let bytes = seen.artifacts.get("compatibility_matrix.json").expect("the view");
    let matrix: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
    assert_eq!(matrix["schema"], "portcullis.compatibility_matrix.v1");
    assert!(
        matrix["runtimes"][1]["version"]
            .as_str()
            .is_some_and(|text| text.starts_with("git version"))
    );
    let rows = matrix["rows"].as_array().expect("rows");
    let table = [
        ("p/a.cfg", false, "ok", "ok"),
        ("p/b.cfg", false, "failed", "failed"),
        ("p/c.cfg", true, "ok", "ok"),
    ];
    assert_eq!(rows.len(), table.len());
    for (row, (probe, agrees, first, second)) in rows.iter().zip(table) {
        assert_eq!((row["probe"].as_str(), row["agrees"].as_bool()), (Some(probe), Some(agrees)));
        assert_eq!(
            (row["runtimes"][0]["status"].as_str(), row["runtimes"][1]["status"].as_str()),
            (Some(first), Some(second))
        );
    }
    let digests = |row: usize| {
        (
            rows[row]["runtimes"][0]["output_sha256"].clone(),
            rows[row]["runtimes"][1]["output_sha256"].clone(),
        )
    };
    assert_ne!(digests(0).0, digests(0).1);
    assert_eq!(digests(2).0, digests(2).1);
}

#[test]
fn a_declared_difference_holds_until_its_day() {
    let table: &[(&str, &str, Lane, Outcome)] = &[
        ("before", "2026-05-31T12:00:00Z", Lane::Main, Outcome::Pass),
        ("the last days", "2026-06-20T00:00:00Z", Lane::Main, Outcome::Warn),
        ("the last day", "2026-06-30T23:59:59Z", Lane::Release, Outcome::Warn),
        ("after it", "2026-07-01T00:00:00Z", Lane::Main, Outcome::Fail),
        ("after it, in grace", "2026-07-07T00:00:00Z", Lane::Pr, Outcome::Warn),
        ("after the grace", "2026-07-08T00:00:00Z", Lane::Pr, Outcome::Fail),
        ("long after, here", "2027-07-08T00:00:00Z", Lane::Local, Outcome::Warn),
    ];
    for (case, now, lane, expected) in table {
        let bench = Bench::new(&RUNTIME_MATRIX, KNOWN).file(A.0, A.1.as_bytes());
        let seen = bench.now(now).lane(*lane).run();
        assert_eq!(seen.outcome, *expected, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn a_declared_difference_of_no_probe_is_reported() {
    let config = SAME.to_owned()
        + "known = [{ probe = 'p/z.cfg', reason = 'the second one writes values as well', expires = 2026-06-30 }]";
    assert_eq!(run(&RUNTIME_MATRIX, &config, &[A]).codes, ["runtime_difference_gone"]);
}

#[test]
fn fg13_t07_nothing_is_compared_without_probes_and_runtimes() {
    let none = run(&RUNTIME_MATRIX, SAME, &[]);
    assert_eq!((none.outcome, none.code.as_deref()), (Outcome::Error, Some("nothing_examined")));
    let broken = SAME.replace("version = ['--version']", "version = ['no-such-verb']");
    let broken = run(&RUNTIME_MATRIX, &broken, &[A]);
    assert_eq!((broken.outcome, broken.code.as_deref()), (Outcome::Error, Some("command_failed")));
    let absent = |on_absent: &str, ci: Option<&str>| {
        let config = SAME
            .replacen("argv = ['git'", "argv = ['portcullis-no-such-tool'", 1)
            .replace("'skip'", on_absent);
        let bench = Bench::new(&RUNTIME_MATRIX, &config).file(A.0, A.1.as_bytes());
        ci.map_or_else(
            || bench.run(),
            |ci| Bench::new(&RUNTIME_MATRIX, &config).file(A.0, A.1.as_bytes()).env("CI", ci).run(),
        )
    };
    let table: &[(&str, Option<&str>, Outcome)] = &[
        ("'skip'", Some("true"), Outcome::Skip),
        ("'fail'", None, Outcome::Fail),
        ("'fail_in_ci'", None, Outcome::Skip),
        ("'fail_in_ci'", Some("false"), Outcome::Skip),
        ("'fail_in_ci'", Some("true"), Outcome::Fail),
    ];
    for (on_absent, ci, expected) in table {
        assert_eq!(absent(on_absent, *ci).outcome, *expected, "{on_absent} {ci:?}");
    }
}

#[test]
fn a_matrix_that_compares_nothing_is_refused() {
    let one = "probes = ['p/*']\non_absent = 'fail'\nruntimes = [{ name = 'a', argv = ['git'], version = ['-v'] }]";
    let short = KNOWN.replace("the second one writes values as well", "differs");
    let text = KNOWN.replace("2026-06-30", "'2026-06-30'");
    let table: &[(&str, &str)] = &[
        ("one runtime", one),
        ("one name for two", &SAME.replace("name = 'b'", "name = 'a'")),
        ("no program", &SAME.replace("'git', 'config', '--list', '--name-only', '--file'", "")),
        ("no question for the version", &SAME.replace("'--version'", "")),
        ("no reason", &short),
        ("a day that is a text", &text),
        ("absence undecided", &SAME.replace("on_absent = 'skip'\n", "")),
    ];
    for (case, config) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((RUNTIME_MATRIX.prepare)(&table).is_err(), "{case}");
    }
}
