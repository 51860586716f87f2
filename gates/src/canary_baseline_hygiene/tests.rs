use super::{CANARY_BASELINE_HYGIENE, teeth};
use portcullis::{
    Lane,
    declare::Tooth,
    testing::{Bench, Seen, teeth as bite},
    wire::outcome::Outcome,
};
use portcullis_canary::baseline::{self, Baseline};

const FILE: &str = "benches/baselines/suite.json";

fn text(files: &[(&'static str, &'static str)], path: &str) -> &'static str {
    files.iter().find(|(at, _)| *at == path).expect("a file").1
}

fn good() -> &'static Tooth {
    teeth::TEETH.iter().find(|tooth| tooth.name == "a_refresh_alone").expect("the good one")
}

/// What a refresh wrote, to be changed in one place and written whole again.
fn refreshed() -> Baseline {
    let read = baseline::read(FILE, text(good().files, FILE).as_bytes()).expect("JSON");
    assert_eq!(read.flaws, [], "the tooth is without a flaw");
    read.baseline.expect("a baseline")
}

fn earlier() -> Baseline {
    let read = baseline::read(FILE, text(teeth::BASE, FILE).as_bytes()).expect("JSON");
    read.baseline.expect("a baseline")
}

/// A change of the base tree that writes this baseline, under this policy, and these files beside it.
fn change(config: &str, policy: &str, baseline: &str, beside: &[(&str, &str)]) -> Bench {
    let mut bench = Bench::new(&CANARY_BASELINE_HYGIENE, config).lane(Lane::Pr).policy(policy);
    for (path, bytes) in teeth::BASE {
        let of_base = if *path == "portcullis.toml" { policy } else { bytes };
        bench = bench.base_file(path, of_base.as_bytes());
    }
    bench = bench.file("portcullis.toml", policy.as_bytes()).file("src/lib.rs", b"// fast\n");
    bench = beside.iter().fold(bench, |bench, (path, text)| bench.file(path, text.as_bytes()));
    bench.file(FILE, baseline.as_bytes())
}

fn run(baseline: &Baseline) -> Seen {
    change(teeth::RULES, teeth::POLICY.1, &baseline.write(), &[]).run()
}

fn codes(seen: &Seen) -> Vec<&str> {
    seen.codes.iter().map(String::as_str).collect()
}

#[test]
fn every_tooth_bites() {
    assert_eq!(bite(&CANARY_BASELINE_HYGIENE), Vec::<String>::new());
    assert!(teeth::TEETH.len() > super::CODES.len());
}

#[test]
fn t27_values_change_under_a_new_header_only() {
    let seen = run(&refreshed());
    assert_eq!((seen.outcome, codes(&seen)), (Outcome::Pass, vec![]), "{:?}", seen.messages);
    type Change = fn(&mut Baseline);
    let table: &[(&str, Change, &str)] = &[
        ("the time", |b| b.refreshed_at = earlier().refreshed_at, "`refreshed_at` is not later"),
        ("a time before", |b| b.refreshed_at = "2026-04-01T00:00:00Z".into(), "not later"),
        ("the reason", |b| b.reason = earlier().reason, "`reason` is the same"),
        ("the run", |b| b.run_id = earlier().run_id, "`run_id` is the same"),
    ];
    for (case, change, words) in table {
        let mut baseline = refreshed();
        change(&mut baseline);
        let seen = run(&baseline);
        assert_eq!(codes(&seen), ["values_changed_header_same"], "{case}");
        let found = seen.looked.findings[0].found.clone().unwrap_or_default();
        assert!(found.contains(words), "{case}: {found}");
    }
    // A thousand times as much, by hand: the digest and the amount say so as well.
    let mut scaled = earlier();
    for measured in scaled.measurements.values_mut() {
        measured.value *= 1_000;
        measured.samples.iter_mut().for_each(|sample| *sample *= 1_000);
    }
    let seen = run(&scaled);
    assert!(codes(&seen).contains(&"values_changed_header_same"), "{:?}", codes(&seen));
    assert!(codes(&seen).contains(&"relaxed_too_far"), "{:?}", codes(&seen));
}

#[test]
fn t18_a_metric_that_is_gone_from_bench_and_baseline_is_missed() {
    let mut without = refreshed();
    without.measurements.pop_last();
    let seen = run(&without);
    assert_eq!(
        codes(&seen),
        ["roster_differs", "roster_differs"],
        "by the roster, and by the base"
    );
    let pattern = teeth::POLICY.1.replace("['cold', 'warm']", "['*']");
    let seen = change(teeth::RULES, &pattern, &without.write(), &[]).run();
    assert!(codes(&seen).contains(&"roster_differs"), "a pattern does not know what is gone");
    let warm = earlier().measurements.keys().next_back().expect("a metric").clone();
    without.retired.insert(warm);
    let seen = run(&without);
    let rest: Vec<&str> =
        codes(&seen).into_iter().filter(|code| *code != "commit_unknown").collect();
    assert_eq!(rest, Vec::<&str>::new(), "retired on purpose: {:?}", seen.messages);
}

#[test]
fn t30_a_refresh_touches_nothing_else_but_what_is_allowed() {
    let refreshed = refreshed().write();
    let policy = teeth::POLICY.1;
    #[expect(clippy::type_complexity, reason = "one table, one case per row")]
    let table: &[(&str, &str, &[(&str, &str)], &[&str])] = &[
        ("alone", teeth::RULES, &[], &[]),
        ("with the slow change", teeth::RULES, &[("src/lib.rs", "// slow\n")], &["mixed_change"]),
        ("with a new file", teeth::RULES, &[("notes.txt", "x")], &["mixed_change"]),
        ("with what cargo leaves", teeth::RULES, &[("target/debug/x", "x")], &[]),
        (
            "with an allowed file",
            "baselines = ['benches/baselines/*.json']\nallowed_paths = ['CHANGELOG.md']",
            &[("CHANGELOG.md", "x")],
            &[],
        ),
        (
            "with an allowed file and another",
            "baselines = ['benches/baselines/*.json']\nallowed_paths = ['CHANGELOG.md']",
            &[("CHANGELOG.md", "x"), ("build.rs", "x")],
            &["mixed_change"],
        ),
    ];
    for (case, config, beside, expected) in table {
        let seen = change(config, policy, &refreshed, beside).run();
        assert_eq!(codes(&seen), *expected, "{case}: {:?}", seen.messages);
    }
    let same = text(teeth::BASE, FILE);
    let seen = change(teeth::RULES, policy, same, &[("src/lib.rs", "// slow\n")]).run();
    assert!(
        !codes(&seen).contains(&"mixed_change"),
        "a change without a refresh: {:?}",
        codes(&seen)
    );
}

#[test]
fn how_far_a_value_may_rise_is_exact() {
    let raised = |value: u64, config: &str| {
        let mut baseline = refreshed();
        let cold = baseline.measurements.values_mut().next().expect("a metric");
        (cold.value, cold.samples) = (value, vec![value; 5]);
        let seen = change(config, teeth::POLICY.1, &baseline.write(), &[]).run();
        codes(&seen).contains(&"relaxed_too_far")
    };
    let wide = "baselines = ['benches/baselines/*.json']\nmax_relax_pct = 50";
    let table = [
        ("20 % of 100", 120, teeth::RULES, false),
        ("one more", 121, teeth::RULES, true),
        ("lower", 50, teeth::RULES, false),
        ("50 % where that is allowed", 150, wide, false),
        ("one more than that", 151, wide, true),
    ];
    for (case, value, config, expected) in table {
        assert_eq!(raised(value, config), expected, "{case}");
    }
}

#[test]
fn t31_without_a_base_or_a_file_nobody_looked() {
    let refreshed = refreshed().write();
    let gone = "baselines = ['benches/baselines/*.json']\nbase_ref = 'origin/gone'";
    let seen = change(gone, teeth::POLICY.1, &refreshed, &[]).run();
    assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some("base_unresolvable")));
    let elsewhere = "baselines = ['benches/other/*.json']";
    let seen =
        change(elsewhere, teeth::POLICY.1, &refreshed, &[("benches/other/x.json", "{}")]).run();
    assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some("baseline_missing")));
    let wrong = "baselines = ['benches/baselines/*.json']\nmax_relax_pct = 101";
    let seen = change(wrong, teeth::POLICY.1, &refreshed, &[]).run();
    assert_eq!(seen.code.as_deref(), Some("config_invalid"));
}

#[test]
fn a_baseline_has_as_many_samples_as_its_canary_takes() {
    let policy = teeth::POLICY.1.replace("runs = 5", "runs = 6");
    let seen = change(teeth::RULES, &policy, &refreshed().write(), &[]).run();
    assert!(codes(&seen).contains(&"too_few_samples"), "{:?}", codes(&seen));
}

/// AC-8: the baseline that this repository ships, under the canary that it ships, as the next refresh may change it.
#[test]
fn ac_8_the_baseline_of_this_repository_is_held() {
    const SHIPPED: [&str; 2] = [
        "benches/baselines/full_suite_hosted_runner.json",
        "benches/baselines/full_suite_walltime.json",
    ];
    type Change = fn(&mut Baseline, &Baseline);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let own = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).expect("a file");
    let policy = own("portcullis.toml");
    let table: &[(&str, Change, &[&str], &[&str])] = &[
        ("as it is written", |_, _| {}, &[], &[]),
        ("a metric less", |b, _| drop(b.measurements.pop_last()), &[], &["roster_differs"; 2]),
        (
            "a run less",
            |b, _| {
                let first = b.measurements.values_mut().next().expect("a metric");
                first.samples = vec![first.value; 16];
            },
            &[],
            &["too_few_samples"],
        ),
        (
            "other values under the same header",
            |b, earlier| {
                let measurements = std::mem::take(&mut b.measurements);
                *b = Baseline { measurements, ..earlier.clone() };
                let first = b.measurements.values_mut().next().expect("a metric");
                first.value -= 1;
                first.samples = vec![first.value; 17];
            },
            &[],
            &["values_changed_header_same"],
        ),
        ("beside what made it slow", |_, _| {}, &["src/lib.rs"], &["mixed_change"]),
    ];
    for (path, (case, change, beside, expected)) in
        SHIPPED.iter().flat_map(|path| table.iter().map(move |row| (*path, row)))
    {
        let text = own(path);
        let read = baseline::read(path, text.as_bytes()).expect("JSON");
        assert_eq!(read.flaws, []);
        let shipped = read.baseline.expect("a baseline");
        assert_eq!(shipped.measurements.len(), 10, "five trees, cold and warm");
        assert!(shipped.measurements.values().all(|measured| measured.samples.len() == 17));
        let mut refreshed = shipped.clone();
        refreshed.refreshed_at = "2027-01-30T04:00:00Z".to_owned();
        refreshed.reason = "a faster machine, #2".to_owned();
        refreshed.run_id = "walltime-2".to_owned();
        refreshed.commit = "2".repeat(40);
        change(&mut refreshed, &shipped);
        let bench = Bench::new(&CANARY_BASELINE_HYGIENE, teeth::RULES)
            .lane(Lane::Pr)
            .now("2027-01-31T00:00:00Z")
            .policy(&policy);
        // The other one stays as it is.
        let bench = SHIPPED.iter().fold(bench, |bench, one| {
            let text = own(one);
            bench.base_file(one, text.as_bytes()).file(one, text.as_bytes())
        });
        let bench = beside.iter().fold(bench, |bench, path| bench.file(path, b"// slow\n"));
        let seen = bench.file(path, refreshed.write().as_bytes()).run();
        // The commit that was measured is one of this repository, and not of the tree of the test.
        let found: Vec<&str> =
            codes(&seen).into_iter().filter(|code| *code != "commit_unknown").collect();
        assert_eq!(found, *expected, "{path}, {case}: {:?}", seen.messages);
    }
}
