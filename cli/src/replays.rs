//! How a failure is seen again: argument vectors, rendered for a shell last. It runs nothing.

use crate::{digest::FailureDigest, plan::Target};
use portcullis::kernel::{
    policy::{Policy, profile::Kind},
    replay::Replay,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Schema of `replay.json` and of the view `replay_bundle.json`.
pub(crate) const REPLAY_SCHEMA: &str = "portcullis.replay_bundle.v1";

/// What targets need turned on, by package and target.
pub(crate) type Features = BTreeMap<(String, String), Vec<String>>;

/// One failure, and the commands that show it again: the whole suite, and the one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rung {
    /// The test binary.
    pub suite: String,
    /// The test, or the gate.
    pub test: String,
    /// What it is.
    pub kind: Kind,
    /// The fingerprint of the failure.
    pub fingerprint: String,
    /// The class of the failure.
    pub root_cause_class: String,
    /// The target alone.
    pub targeted: Replay,
    /// Its whole test binary.
    pub whole: Replay,
    /// Where its digest stands in the run directory.
    pub digest_path: String,
}

impl Rung {
    /// The rung of one failure.
    pub(crate) fn of(
        policy: &Policy,
        features: &Features,
        target: &Target,
        digest: &FailureDigest,
    ) -> Self {
        Self {
            suite: target.suite.clone(),
            test: target.test.clone(),
            kind: target.kind,
            fingerprint: digest.fingerprint.clone(),
            root_cause_class: digest.root_cause_class.clone(),
            targeted: targeted(policy, features, target),
            whole: whole(policy, features, target),
            digest_path: digest_path(target),
        }
    }
}

/// One rung of the ladder from a whole run down to one failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    /// What it runs again: `failed_set`, `suite`, `test`, `debug` or `gate`.
    pub rung: &'static str,
    /// The line for a shell.
    pub command: String,
    /// The words.
    #[serde(skip)]
    pub replay: Replay,
}

/// The ladder of one failure: everything that failed, its suite, itself, itself with all it says; for a gate, the gate.
pub(crate) fn ladder(run_id: &str, failure: &Rung) -> Vec<Step> {
    let words = ["cargo", "portcullis", "rerun", run_id].map(str::to_owned);
    let rerun = Replay { argv: words.into(), ..Replay::default() };
    let alone = if failure.kind == Kind::Gate { "gate" } else { "test" };
    let rungs = [
        ("failed_set", rerun),
        ("suite", failure.whole.clone()),
        (alone, failure.targeted.clone()),
        ("debug", loud(&failure.targeted)),
    ];
    rungs.map(|(rung, replay)| Step { rung, command: replay.render(), replay }).into()
}

/// The same with everything that the test says, and where it was when it failed.
fn loud(replay: &Replay) -> Replay {
    let mut loud = replay.clone();
    loud.env.insert("RUST_BACKTRACE".to_owned(), "full".to_owned());
    // A replay of the policy may run anything; only what we made ourselves is known to take the word.
    let takes_words = loud.argv.iter().any(|word| word == "--")
        && loud.argv.last().is_some_and(|word| word == "--exact")
        && !loud.argv.iter().any(|word| word == "--nocapture");
    if takes_words {
        loud.argv.push("--nocapture".to_owned());
    }
    loud
}

/// Runs one target and nothing else.
pub(crate) fn targeted(policy: &Policy, features: &Features, target: &Target) -> Replay {
    if target.kind == Kind::Gate {
        let table = policy.gates.iter().find(|gate| gate.common.id.as_str() == target.test);
        if let Some(argv) = table.and_then(|gate| gate.common.replay.clone()) {
            return Replay { argv, ..Replay::default() };
        }
    }
    let mut replay = whole(policy, features, target);
    if target.kind == Kind::Doc {
        // rustdoc takes its filters apart at spaces, so no filter names one example; the replay reads its result.
        return replay;
    }
    replay.argv.extend(["--".to_owned(), target.test.clone(), "--exact".to_owned()]);
    replay
}

/// Runs the test binary of a target.
fn whole(policy: &Policy, features: &Features, target: &Target) -> Replay {
    let mut argv = policy.replay_prefix.clone();
    argv.extend(["cargo", "test", "--package", &target.package].map(str::to_owned));
    match target.cargo_kind.as_str() {
        "test" => argv.extend(["--test".to_owned(), target.binary.clone()]),
        "bin" => argv.extend(["--bin".to_owned(), target.binary.clone()]),
        "example" => argv.extend(["--example".to_owned(), target.binary.clone()]),
        "bench" => argv.extend(["--bench".to_owned(), target.binary.clone()]),
        "doc" => argv.push("--doc".to_owned()),
        _ => argv.push("--lib".to_owned()),
    }
    let key = (target.package.clone(), target.binary.clone());
    let features = features.get(&key).cloned().unwrap_or_default();
    if !features.is_empty() {
        argv.extend(["--features".to_owned(), features.join(",")]);
    }
    Replay { argv, features, ..Replay::default() }
}

/// The path of a digest: readable, safe on every system, and unique by a part of the name's own digest.
fn digest_path(target: &Target) -> String {
    let id = target.id();
    let plain: String = id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .take(100)
        .collect();
    let short: String =
        portcullis::Digest::of(id.as_bytes()).to_string().chars().take(12).collect();
    format!("failures/{plain}-{short}.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::kernel::policy;

    fn target(cargo_kind: &str, test: &str, kind: Kind) -> Target {
        Target {
            suite: "p::my-api".to_owned(),
            test: test.to_owned(),
            kind,
            package: "p".to_owned(),
            binary: "my-api".to_owned(),
            cargo_kind: cargo_kind.to_owned(),
            quarantine: None,
        }
    }

    #[test]
    fn every_kind_of_target_has_its_words() {
        let text = "[policy]\nversion = 1\nowner = \"o\"\nreplay_prefix = [\"far\"]\n[[gate]]\nid = \"own\"\nkind = \"k\"\nreplay = [\"make\", \"own\"]\n";
        let policy = policy::parse("portcullis.toml", text).expect("a policy");
        let table = [
            (
                "test",
                "a::b",
                Kind::Unit,
                "far cargo test --package p --test my-api -- a::b --exact",
            ),
            ("lib", "it's", Kind::Unit, "far cargo test --package p --lib -- 'it'\\''s' --exact"),
            ("bin", "x", Kind::Unit, "far cargo test --package p --bin my-api -- x --exact"),
            ("doc", "src/lib.rs - f", Kind::Doc, "far cargo test --package p --doc"),
            ("test", "own", Kind::Gate, "make own"),
            (
                "test",
                "other",
                Kind::Gate,
                "far cargo test --package p --test my-api -- other --exact",
            ),
        ];
        for (cargo_kind, test, kind, expected) in table {
            assert_eq!(
                targeted(&policy, &Features::new(), &target(cargo_kind, test, kind)).render(),
                expected
            );
        }
    }

    #[test]
    fn a_target_behind_a_feature_is_replayed_with_it() {
        let policy =
            policy::parse("p", "[policy]\nversion = 1\nowner = \"o\"\n").expect("a policy");
        let key = ("p".to_owned(), "my-api".to_owned());
        let features = Features::from([(key, vec!["a".to_owned(), "b".to_owned()])]);
        let replay = targeted(&policy, &features, &target("test", "x", Kind::Gate));
        let expected = "cargo test --package p --test my-api --features a,b -- x --exact";
        assert_eq!(replay.render(), expected);
    }

    #[test]
    fn the_ladder_goes_from_the_run_down_to_the_failure() {
        let policy =
            policy::parse("p", "[policy]\nversion = 1\nowner = \"o\"\n").expect("a policy");
        let rung = |kind| {
            let target = target("test", "it's a::b", kind);
            let digest = crate::digest::FailureDigest {
                suite: target.suite.clone(),
                test: target.test.clone(),
                root_cause_class: "panic".to_owned(),
                class_source: "output".to_owned(),
                first_failing_assertion: crate::digest::Assertion::default(),
                fingerprint: String::new(),
                impacted_scenario_ids: Vec::new(),
            };
            Rung::of(&policy, &Features::new(), &target, &digest)
        };
        let one = "cargo test --package p --test my-api -- 'it'\\''s a::b' --exact";
        let expected = [
            ("failed_set", "cargo portcullis rerun run-1".to_owned()),
            ("suite", "cargo test --package p --test my-api".to_owned()),
            ("test", one.to_owned()),
            ("debug", format!("RUST_BACKTRACE=full {one} --nocapture")),
        ];
        let seen = ladder("run-1", &rung(Kind::Unit));
        let seen: Vec<(&str, String)> =
            seen.iter().map(|step| (step.rung, step.command.clone())).collect();
        assert_eq!(seen, expected);
        assert_eq!(ladder("run-1", &rung(Kind::Gate))[2].rung, "gate");
    }

    #[test]
    fn digests_of_names_that_look_alike_have_paths_of_their_own() {
        let a = digest_path(&target("test", "a::b", Kind::Unit));
        let b = digest_path(&target("test", "a__b", Kind::Unit));
        assert!(a != b && a.starts_with("failures/p__my_api_a__b-"), "{a} {b}");
        let long = digest_path(&target("test", &"é".repeat(500), Kind::Unit));
        assert!(long.len() < 200 && long.is_ascii());
    }
}
