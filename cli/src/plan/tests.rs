//! Plans of a small world.

use super::*;
use portcullis::kernel::policy::{self, profile};

const POLICY: &str = "[policy]\nversion = 1\nowner = \"o\"\nbinary = \"gates\"\n\n[[gate]]\nid = \"cheap\"\nkind = \"k\"\nneeds = [\"base\"]\n\n[[gate]]\nid = \"dear\"\nkind = \"k\"\ncost = 900\n\n[[gate]]\nid = \"base\"\nkind = \"k\"\ncost = 900\n";

pub(crate) fn listed(suite: &str, test: &str) -> Listed {
    let (package, binary) = suite.split_once("::").unwrap_or((suite, suite));
    let cargo_kind = if suite.contains("::") { "test" } else { "lib" };
    Listed {
        suite: suite.to_owned(),
        package: package.to_owned(),
        binary: binary.to_owned(),
        cargo_kind: cargo_kind.to_owned(),
        test: test.to_owned(),
        ignored: false,
        matches: true,
    }
}

fn all() -> Vec<Listed> {
    let names = [
        ("p", "in_lib"),
        ("p::api", "one"),
        ("p::api", "two"),
        ("p::slow", "three"),
        ("p::gates", "cheap"),
        ("p::gates", "dear"),
        ("p::gates", "base"),
        ("p::gates", "written"),
        ("p::gates", "full_suite_gate"),
    ];
    names.map(|(suite, test)| listed(suite, test)).into()
}

fn planned(profile: &str, asked: &Asked, listed: &[Listed]) -> Plan {
    let policy = policy::parse("portcullis.toml", POLICY).expect("a policy");
    let suites = Suites::parse("[suite.unit]\ntargets = [\"api\"]\n").expect("suites");
    let world = World {
        policy: &policy,
        census: None,
        suites: &suites,
        quarantine: &QuarantineFile::default(),
        engine: Engine::Nextest,
        unlisted: (&[], ""),
        weights: &Weights::new(),
    };
    make(&world, &profile::built_in()[profile], asked, listed)
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.targets.iter().map(|target| target.test.as_str()).collect()
}

fn ids(plan: &Plan) -> Option<Vec<&str>> {
    plan.gates.as_ref().map(|gates| gates.iter().map(GateId::as_str).collect())
}

#[test]
fn nothing_that_is_listed_is_lost() {
    for name in ["quick", "focused", "ci", "full"] {
        let plan = planned(name, &Asked::default(), &all());
        assert_eq!(plan.targets.len() + plan.excluded.len(), all().len(), "{name}");
        assert!(plan.excluded.iter().all(|excluded| !excluded.reason.is_empty()), "{name}");
    }
}

#[test]
fn a_profile_takes_its_kinds_and_its_gates() {
    let quick = planned("quick", &Asked::default(), &all());
    assert_eq!(names(&quick), ["in_lib", "one", "two", "cheap", "written"]);
    assert_eq!(ids(&quick), Some(vec!["base", "cheap", "written"]), "with what they need");
    let full = planned("full", &Asked::default(), &all());
    assert_eq!(full.targets.len(), 8);
    assert_eq!((ids(&full), full.may_certify), (None, true));
    let ci = planned("ci", &Asked::default(), &all());
    assert_eq!(ids(&ci), None, "all");
    assert!(full.reserved().is_empty() && !ci.reserved().is_empty());
    let kinds = Some(VecSet::from([Kind::Gate]));
    let narrowed = planned("full", &Asked { kinds, ..Asked::default() }, &all());
    assert_eq!((ids(&narrowed), narrowed.may_certify), (None, false), "gates alone prove no test");
    assert_eq!(full.rust_gates.keys().map(GateId::as_str).collect::<Vec<_>>(), ["written"]);
}

#[test]
fn fg23_a_gate_that_is_not_listed_must_answer_all_the_same() {
    let mut listed = all();
    listed.retain(|test| test.test != "dear");
    listed.iter_mut().filter(|test| test.test == "base").for_each(|test| test.matches = false);
    let ci = planned("ci", &Asked::default(), &listed);
    assert_eq!(ids(&ci), None, "all, whoever is listed");
    let full = planned("full", &Asked::default(), &listed);
    assert_eq!(full.reserved(), ["a default filter of nextest leaves tests out"]);
    let quick = planned("quick", &Asked::default(), &listed);
    assert_eq!(ids(&quick), Some(vec!["base", "cheap", "written"]), "a need that is not listed");
    let why = ci.excluded.iter().find(|excluded| excluded.test == "base").expect("left out");
    assert_eq!(why.reason, "default filter of nextest");
}

#[test]
fn a_filter_selects_what_it_matches_and_no_more() {
    let mut listed = all();
    listed.iter_mut().for_each(|test| test.matches = test.test == "dear" || test.test == "one");
    let asked = Asked { filters: vec!["x".to_owned()], ..Asked::default() };
    let plan = planned("quick", &asked, &listed);
    assert_eq!(names(&plan), ["one", "dear"], "the cost counts only where nobody chose");
    assert_eq!(ids(&plan), Some(vec!["dear"]));
    let full = planned("full", &asked, &listed);
    assert_eq!(ids(&full), Some(vec!["dear"]), "a filtered run is never a full one");
}

#[test]
fn a_rerun_takes_exactly_the_failures() {
    let failures = [("p::slow", "three"), ("p::gates", "cheap")]
        .map(|(suite, test)| (suite.to_owned(), test.to_owned()));
    let asked = Asked { only: Some(("run-1".to_owned(), failures.into())), ..Asked::default() };
    let plan = planned("full", &asked, &all());
    assert_eq!(names(&plan), ["cheap", "three"]);
    assert_eq!(ids(&plan), Some(vec!["base", "cheap"]));
    assert!(!plan.may_certify, "a rerun never certifies");
}

#[test]
fn every_shard_has_the_same_hash_and_the_shards_cover_the_plan() {
    use crate::shard::{By, Shard};
    let whole = planned("full", &Asked::default(), &all());
    for by in [By::Slice, By::Hash, By::Binary] {
        let mut seen = Vec::new();
        let mut hashes = BTreeSet::new();
        for index in 0..3 {
            let shard = Some(Shard { by, index, total: 3, part: None });
            let plan = planned("full", &Asked { shard, ..Asked::default() }, &all());
            hashes.insert(plan.hash.to_string());
            seen.extend(plan.assigned().into_iter().cloned());
            let kept = plan.kept();
            assert_eq!(kept.assigned(), plan.assigned(), "a shard keeps what it runs");
            assert_eq!((kept.hash, kept.kept()), (plan.hash, kept.clone()), "and no more");
            let (recorded, found) = kept.digests();
            assert_eq!(recorded, found);
            let mut fewer = kept.clone();
            if fewer.targets.pop().is_some() {
                assert_ne!(fewer.digests().0, fewer.digests().1, "{by:?}");
            }
        }
        seen.sort();
        assert_eq!(seen, whole.targets, "{by:?}");
        assert_eq!(hashes.len(), 1, "{by:?}");
    }
}
