//! `audit check --self-test`: every known scenario has to come out as its golden says. Nothing is written.

use super::{AUDIT_FILE, CLOSEOUT_FILE, FILE_MAX, instant};
use crate::{
    args::AuditCheck,
    exit::{Exit, OrExit, Refused},
    repository::Repository,
    transport::Transport,
};
use portcullis::{
    Digest, Fault, Instant, Location, RelPath,
    evidence::{
        json,
        tree::{EntryKind, Tree},
    },
    wire::{artifact, code::SELF_TEST_FAILED, receipt::ErrorRecord},
};
use portcullis_gates::completion_audit::{Files, TRANSCRIPTS, check_audit};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SCENARIO_FILE: &str = "scenario.json";
const FOLDER: &str = "fixtures/audit";

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$((
            $name,
            include_str!(concat!("../../../../fixtures/audit/", $name, "/scenario.json")),
            include_str!(concat!("../../../../fixtures/audit/", $name, "/closeout_gate.json")),
        )),+]
    };
}

/// The scenarios that this program was built with: they hold where the repository has none.
const BUILT_IN: &[(&str, &str, &str)] = built_in![
    "complete",
    "contradictory_edited_transcript",
    "contradictory_evidence",
    "contradictory_later_transcript",
    "contradictory_shortened_audit",
    "failed_command",
    "failed_command_by_signal",
    "missing_artifact",
    "missing_evidence",
    "missing_push",
    "missing_push_uncommitted",
    "proxy_only_evidence",
    "proxy_transcript_of_another_commit",
    "source_missing",
    "unresolved_gap",
];

/// A small repository as values: an audit and everything that it names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    #[serde(rename = "what")]
    _what: String,
    head: Option<String>,
    files: BTreeMap<String, Value>,
}

impl Scenario {
    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(match self.files.get(path) {
            None => None,
            Some(Value::String(text)) => Some(text.clone().into_bytes()),
            Some(document) => Some(rendered(document)?.into_bytes()),
        })
    }
}

fn rendered(document: &Value) -> Result<String, Fault> {
    artifact::document(document)
        .map_err(|source| failed("a document cannot be rendered").because(&source))
}

fn failed(headline: &str) -> Fault {
    let remedy = "do not rely on this program; restore the scenario, its golden, or the program";
    Fault::new(SELF_TEST_FAILED, headline, remedy)
}

impl Files for Scenario {
    fn of_repository(&self, path: &RelPath) -> Result<Option<Vec<u8>>, Fault> {
        self.bytes(path.as_str())
    }

    fn digest_of(&self, path: &RelPath) -> Result<Option<Digest>, Fault> {
        Ok(self.bytes(path.as_str())?.map(|bytes| Digest::of(&bytes)))
    }

    fn beside(&self, path: &RelPath) -> Result<Option<Vec<u8>>, Fault> {
        self.bytes(path.as_str())
    }

    fn transcripts(&self) -> Result<Vec<RelPath>, Fault> {
        let below = |path: &&String| path.starts_with(&format!("{TRANSCRIPTS}/"));
        let parsed = |path: &String| {
            RelPath::parse(path)
                .map_err(|source| failed("a scenario has a path that is refused").because(&source))
        };
        self.files.keys().filter(below).map(parsed).collect()
    }
}

/// Where scenario and golden lie, and what they say.
struct Case {
    at: String,
    scenario: Vec<u8>,
    golden: Option<Vec<u8>>,
}

/// Runs `audit check --self-test`.
pub(super) fn run(arguments: &AuditCheck, out: &mut Transport) -> Result<Exit, Refused> {
    let now = instant(arguments.generated_at.as_deref())?;
    let cases = cases(arguments).or_exit(Exit::Invalid)?;
    let faults: Vec<Fault> = cases.iter().filter_map(|case| held(case, now).err()).collect();
    let exit = match (cases.is_empty(), faults.is_empty()) {
        (true, _) => Exit::Nothing,
        (false, true) => Exit::Pass,
        (false, false) => Exit::Invalid,
    };
    let records: Vec<ErrorRecord> = faults.iter().map(ErrorRecord::from).collect();
    out.document(&json!({
        "schema": "portcullis.audit_self_test.v1",
        "generated_at": now,
        "verdict": if exit == Exit::Pass { "pass" } else { "fail" },
        "scenarios": cases.iter().map(|case| case.at.as_str()).collect::<Vec<_>>(),
        "faults": records,
        "exit": exit.code(),
    }));
    let mut lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    lines.push(format!(
        "audit: self-test: {} of {} scenarios come out as their goldens say",
        cases.len() - faults.len(),
        cases.len()
    ));
    out.text(&lines.join("\n"));
    Ok(exit)
}

/// Those of the folder that was named; else the built-in ones and those of the repository.
fn cases(arguments: &AuditCheck) -> Result<Vec<Case>, Fault> {
    if let Some(folder) = &arguments.goldens {
        return of_folder(&Tree::new(folder)?, None);
    }
    let built_in = |(name, scenario, golden): &(&str, &str, &str)| Case {
        at: format!("built in: {name}"),
        scenario: scenario.as_bytes().to_vec(),
        golden: Some(golden.as_bytes().to_vec()),
    };
    let mut cases: Vec<Case> = BUILT_IN.iter().map(built_in).collect();
    // Outside of a repository the built-in ones are all there is.
    if let Ok(repository) = Repository::discover() {
        let folder = RelPath::parse(FOLDER)
            .map_err(|source| failed("a path of ours is refused").because(&source))?;
        if repository.tree.kind(&folder)? == Some(EntryKind::Dir) {
            cases.extend(of_folder(&repository.tree, Some(&folder))?);
        }
    }
    Ok(cases)
}

fn of_folder(tree: &Tree, folder: Option<&RelPath>) -> Result<Vec<Case>, Fault> {
    let mut cases = Vec::new();
    let mut entries = tree.list_dir(folder)?;
    entries.sort();
    for entry in entries.into_iter().filter(|entry| entry.kind == EntryKind::Dir) {
        let read = |name: &str| -> Result<Option<Vec<u8>>, Fault> {
            let path = entry
                .path
                .join(name)
                .map_err(|source| failed("a path of ours is refused").because(&source))?;
            super::read(tree, &path)
        };
        let Some(scenario) = read(SCENARIO_FILE)? else { continue };
        debug_assert!(scenario.len() as u64 <= FILE_MAX);
        cases.push(Case { at: entry.path.to_string(), scenario, golden: read(CLOSEOUT_FILE)? });
    }
    Ok(cases)
}

/// Holds one scenario against its golden.
fn held(case: &Case, now: Instant) -> Result<(), Fault> {
    let place = Location::file(&case.at);
    let scenario: Scenario = json::parse_as(&case.scenario, &case.at)
        .map_err(|fault| failed("a scenario cannot be read").because(&fault).at(place.clone()))?;
    let found = outcome(&scenario, now).map_err(|fault| fault.at(place.clone()))?;
    let golden = case.golden.as_ref().ok_or_else(|| {
        failed("a scenario has no golden")
            .expected(CLOSEOUT_FILE)
            .found("nothing")
            .at(place.clone())
    })?;
    let golden = json::parse(golden, &case.at)?;
    match first_difference("", &golden, &found) {
        None => Ok(()),
        Some((at, expected, found)) => {
            let headline = format!("a scenario comes out otherwise at `{at}`");
            Err(failed(&headline).at(place).expected(expected).found(found))
        }
    }
}

/// What the checker says of a scenario, without what differs from call to call and version to version.
fn outcome(scenario: &Scenario, now: Instant) -> Result<Value, Fault> {
    let audit = scenario.bytes(AUDIT_FILE)?.unwrap_or_default();
    let closeout = check_audit((AUDIT_FILE, &audit), scenario.head.as_deref(), scenario, now)?;
    let mut value = serde_json::to_value(&closeout)
        .map_err(|source| failed("a closeout cannot be rendered").because(&source))?;
    let Some(members) = value.as_object_mut() else {
        return Err(failed("a closeout is no object"));
    };
    members.remove("tool");
    if members.remove("generated_at") != Some(json!(now)) {
        return Err(failed("a closeout does not say when it was made"));
    }
    Ok(value)
}

/// The first place at which two values differ, with what stands there.
fn first_difference(at: &str, expected: &Value, found: &Value) -> Option<(String, String, String)> {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            names.into_iter().find_map(|name| {
                let (a, b) =
                    (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
                first_difference(&format!("{at}/{name}"), a, b)
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => (0..)
            .zip(a.iter().zip(b))
            .find_map(|(n, (a, b))| first_difference(&format!("{at}/{n}"), a, b)),
        (a, b) if a == b => None,
        (a, b) => Some((at.to_owned(), short(a), short(b))),
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_gates::completion_audit::Kind;
    use std::{io::Write as _, path::PathBuf};

    fn fixtures() -> PathBuf {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/audit"))
    }

    fn now() -> Instant {
        Instant::parse("2026-05-31T12:00:00Z").expect("an instant")
    }

    fn of(name: &str, text: &str) -> Value {
        let scenario: Scenario = json::parse_as(text.as_bytes(), name).expect("a scenario");
        outcome(&scenario, now()).expect("an outcome")
    }

    #[test]
    fn goldens_are_what_scenarios_come_to() {
        for (name, scenario, golden) in BUILT_IN {
            let found = rendered(&of(name, scenario)).expect("a document");
            #[expect(
                clippy::disallowed_methods,
                reason = "blessing is asked for by the environment"
            )]
            let is_blessed =
                std::env::var_os("PORTCULLIS_BLESS").is_some() && std::env::var_os("CI").is_none();
            if is_blessed {
                let path = fixtures().join(name).join(CLOSEOUT_FILE);
                let mut file = std::fs::File::create(path).expect("a golden");
                file.write_all(found.as_bytes()).expect("written");
            } else {
                assert_eq!(found, *golden, "{name}; bless with PORTCULLIS_BLESS=1");
            }
        }
        let mut folders: Vec<String> = fixtures()
            .read_dir()
            .expect("fixtures")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| fixtures().join(name).is_dir())
            .collect();
        folders.sort();
        let built_in: Vec<&str> = BUILT_IN.iter().map(|(name, _, _)| *name).collect();
        assert_eq!(folders, built_in, "every committed scenario is built in");
    }

    #[test]
    fn every_kind_of_blocker_has_a_golden_named_after_it() {
        for kind in Kind::ALL {
            let (_, scenario, _) = BUILT_IN
                .iter()
                .find(|(name, _, _)| *name == kind.name())
                .unwrap_or_else(|| panic!("no golden `{}`", kind.name()));
            let found = of(kind.name(), scenario);
            let count = &found["summary"]["blockers_by_kind"][kind.name()];
            assert!(count.as_u64() > Some(0), "{}: {count}", kind.name());
            let others = found["blockers"].as_array().expect("a list").iter();
            let others: Vec<&Value> = others.filter(|one| one["kind"] != kind.name()).collect();
            assert!(others.is_empty(), "{}: red for another reason: {others:?}", kind.name());
            assert_eq!(found["closeout_allowed"], false, "{}", kind.name());
            let next = found["operator_next_actions"].as_array().map(Vec::len);
            assert!(next > Some(0), "{}", kind.name());
        }
        let complete = of("complete", BUILT_IN[0].1);
        assert_eq!((BUILT_IN[0].0, &complete["closeout_allowed"]), ("complete", &json!(true)));
    }
}
