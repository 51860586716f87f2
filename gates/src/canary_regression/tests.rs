use super::{CANARY_REGRESSION, PROFILE, teeth};
use portcullis::{
    declare::Tooth,
    kernel::policy,
    testing::{self, Bench, Seen},
    wire::outcome::{Outcome, SkipReason},
};

const FILE: &str = "target/portcullis/runs/bench/canary/suite/measurement.json";
const AGAIN: &str = "target/portcullis/runs/bench/canary/suite/confirmation.json";

fn tooth(name: &str) -> &'static Tooth {
    teeth::TEETH.iter().find(|tooth| tooth.name == name).expect("a tooth of this name")
}

fn text(tooth: &Tooth, path: &str) -> &'static str {
    tooth.files.iter().find(|(at, _)| *at == path).expect("a file of the tooth").1
}

/// The tree of a tooth with parts of its files replaced.
fn bench(name: &str, edits: &[(&str, &str, &str)]) -> Bench {
    let tooth = tooth(name);
    let mut bench = Bench::new(&CANARY_REGRESSION, tooth.config);
    for (path, text) in tooth.files {
        let mut text = (*text).to_owned();
        for (_, from, to) in edits.iter().filter(|(at, ..)| at == path) {
            assert!(text.contains(from), "nothing is changed: {from}");
            text = text.replace(from, to);
        }
        if *path == "portcullis.toml" {
            bench = bench.policy(&text);
        }
        bench = bench.file(path, text.as_bytes());
    }
    bench
}

fn judged(seen: &Seen) -> (Outcome, Vec<&str>) {
    (seen.outcome, seen.codes.iter().map(String::as_str).collect())
}

/// No row masks another: what blocks is also told.
const SLOWER: [&str; 2] = ["regression_over_fail", "regression_proven"];

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&CANARY_REGRESSION), Vec::<String>::new());
    assert!(teeth::TEETH.len() > super::REASONS.len());
}

#[test]
fn a_nightly_canary_blocks_in_its_profile_alone() {
    let nightly = &[("portcullis.toml", "'gating'", "'nightly_gating'")];
    for profile in [None, Some("full"), Some("nightly_x"), Some("")] {
        let bench = bench("three_times_slower", nightly);
        let bench = match profile {
            Some(profile) => bench.env(PROFILE, profile),
            None => bench,
        };
        let seen = bench.run();
        assert_eq!(seen.outcome, Outcome::Skip, "{profile:?}");
        assert_eq!(seen.skip().map(|skip| skip.reason), Some(SkipReason::Phase), "{profile:?}");
    }
    let seen = bench("three_times_slower", nightly).env(PROFILE, "nightly").run();
    assert_eq!(judged(&seen), (Outcome::Fail, SLOWER.to_vec()));
}

#[test]
fn t09_an_advisory_lane_tells_a_regression_and_never_forgives_a_crash() {
    let advisory = ("portcullis.toml", "lane = 'gating'", "lane = 'advisory'");
    let no_fail = ("portcullis.toml", "fail_pct = 100\n", "");
    let seen = bench("three_times_slower", &[advisory, no_fail]).run();
    assert_eq!(judged(&seen), (Outcome::Warn, vec!["regression_proven"]));
    let seen = bench("a_run_that_failed_fast", &[advisory, no_fail]).run();
    assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some("run_failed")));
    let seen = bench("nothing_was_measured", &[advisory, no_fail]).run();
    assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some("measurement_missing")));
}

#[test]
fn t17_a_renamed_metric_is_missing_and_new() {
    let renamed = &[(FILE, "\"metric\":\"cold\"", "\"metric\":\"cool\"")];
    let seen = bench("as_fast_as_before", renamed).run();
    let (outcome, mut codes) = judged(&seen);
    codes.sort_unstable();
    assert_eq!((outcome, codes), (Outcome::Fail, vec!["metric_missing", "metric_unbaselined"]));
}

#[test]
fn the_measurement_is_of_this_run_this_commit_and_this_canary() {
    #[expect(clippy::type_complexity, reason = "one table, one case per row")]
    let table: &[(&str, &[(&str, &str, &str)], &str)] = &[
        ("another run", &[(FILE, "\"bench\"", "\"bench2\"")], "measurement_stale"),
        (
            "another canary",
            &[(FILE, "\"canary\":\"suite\"", "\"canary\":\"other\"")],
            "unknown_shape",
        ),
        ("another schema", &[(FILE, "measurement.v1", "measurement.v2")], "unknown_shape"),
        (
            "a key twice",
            &[(FILE, "\"looks\":null", "\"looks\":null,\"looks\":null")],
            "unknown_shape",
        ),
        (
            "an unknown member",
            &[(FILE, "\"looks\":null", "\"looks\":null,\"ok\":true")],
            "unknown_shape",
        ),
        (
            "an unknown canary",
            &[("portcullis.toml", "[canary.suite]", "[canary.suites]")],
            "config_invalid",
        ),
        (
            "a table that contradicts itself",
            &[("portcullis.toml", "fail_pct = 100", "fail_pct = 40")],
            "config_invalid",
        ),
        (
            "a cap that nothing reaches",
            &[("portcullis.toml", "fail_pct = 100", "fail_p95_s = 60")],
            "config_invalid",
        ),
    ];
    for (case, edits, code) in table {
        let seen = bench("as_fast_as_before", edits).run();
        assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some(*code)), "{case}");
    }
    let commit = "canary = 'suite'\nfreshness = { same_run = true, same_commit = true }";
    let tooth = tooth("as_fast_as_before");
    let bench = Bench::new(&CANARY_REGRESSION, commit).policy(text(tooth, "portcullis.toml"));
    let files = tooth.files.iter();
    let seen = files.fold(bench.git(), |bench, (at, text)| bench.file(at, text.as_bytes())).run();
    assert_eq!(seen.code.as_deref(), Some("measurement_stale"), "another commit");
}

#[test]
fn a_failure_that_does_not_come_back_is_told_and_never_hidden() {
    let slow = text(tooth("three_times_slower"), FILE);
    let fine = text(tooth("as_fast_as_before"), FILE);
    let seen = bench("three_times_slower", &[]).file(AGAIN, fine.as_bytes()).run();
    assert_eq!(judged(&seen), (Outcome::Fail, SLOWER.to_vec()), "nobody asked for a second");
    let again = &[("portcullis.toml", "comment_pct", "confirm = 'same_job'\ncomment_pct")];
    let seen = bench("three_times_slower", again).file(AGAIN, slow.as_bytes()).run();
    assert_eq!(judged(&seen), (Outcome::Fail, SLOWER.to_vec()), "it came back");
    let seen = bench("three_times_slower", again).file(AGAIN, fine.as_bytes()).run();
    assert_eq!(seen.outcome, Outcome::Warn, "{:?}", seen.messages);
    assert!(seen.codes.iter().any(|code| code == "unconfirmed"), "{:?}", seen.codes);
    let stale = fine.replace("\"bench\"", "\"bench2\"");
    let seen = bench("three_times_slower", again).file(AGAIN, stale.as_bytes()).run();
    assert_eq!(seen.code.as_deref(), Some("measurement_stale"));
    let crashed = text(tooth("a_run_that_failed_fast"), FILE);
    let seen = bench("three_times_slower", again).file(AGAIN, crashed.as_bytes()).run();
    assert_eq!(seen.outcome, Outcome::Error, "nothing is confirmed by a crash");
}

#[test]
fn a_gate_of_a_policy_is_refused_with_its_canary_before_anything_runs() {
    let gate = "[[gate]]\nid = 'speed'\nkind = 'canary_regression'\ncanary = 'suite'\nfreshness = { same_run = true }\n";
    let policy_of = |name: &str| text(tooth(name), "portcullis.toml");
    let good = format!("{}{gate}", policy_of("as_fast_as_before"));
    let table: &[(&str, String, Option<&str>)] = &[
        ("a canary with its table", good.clone(), None),
        ("no such canary", good.replace("canary = 'suite'", "canary = 'suit'"), Some("no table")),
        ("no such key", good.replace("runs = 7", "runs = 7\nretries = 2"), Some("retries")),
        ("no lane", good.replace("lane = 'gating'\n", ""), Some("missing field `lane`")),
        ("no freshness", good.replace("{ same_run = true }", "{}"), Some("nothing says")),
        ("nothing that blocks", good.replace("fail_pct = 100", ""), Some("states neither")),
    ];
    for (case, text, expected) in table {
        let policy = policy::parse("portcullis.toml", text).expect(case);
        let refused = (CANARY_REGRESSION.prepare)(&policy.gates[0]).err().unwrap_or_default();
        let words: Vec<&str> = refused.iter().map(|fault| fault.headline()).collect();
        match expected {
            None => assert!(refused.is_empty(), "{case}: {words:?}"),
            Some(expected) => {
                assert!(words.iter().any(|text| text.contains(expected)), "{case}: {words:?}");
                assert!(refused.iter().all(|fault| fault.location().is_some()), "{case}");
            }
        }
    }
}
