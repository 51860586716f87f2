//! `verify` over run directories that are made here, sabotaged, and handed to the built binary.

#[path = "verify/large.rs"]
mod large;

use portcullis::wire::ordered::{VecMap, VecSet};
use portcullis::{
    Code, GateId, GateTable, Lane, Mode, Outcome, RunId,
    evidence::store::{Durability, Ownership, RunDir, Store},
    kernel::{
        census::Census,
        policy,
        receipt::judge,
        recorded::{Facts, INPUTS_SCHEMA, Material, Recorded},
    },
    report::views,
    wire::{
        artifact,
        id::Digest,
        receipt::{
            Clock, ClockSource, Envelope, STARTED_SCHEMA, Source, Started, Tool, VERDICT_SCHEMA,
            Verdict,
        },
        time::Instant,
    },
};
use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const POLICY: &str = "[policy]\nversion = 1\nowner = \"team\"\nbinary = \"gates\"\n\n\
                      [[gate]]\nid = \"first\"\nkind = \"command\"\n\n[[gate]]\nid = \"second\"\nkind = \"command\"\n\n\
                      [[gate]]\nid = \"third\"\nkind = \"command\"\nbinary = \"more_gates\"\n";
const RUN: &str = "run-1";

/// A repository in a temporary folder, with one run.
struct Sample {
    folder: tempfile::TempDir,
    tables: Vec<GateTable>,
    run: RunDir,
}

fn put(path: &Path, text: &str) {
    let mut file = fs::File::create(path).expect("a file");
    file.write_all(text.as_bytes()).expect("written");
}

fn id(text: &str) -> GateId {
    GateId::parse(text).expect("an id")
}

fn envelope(schema: &str, run: &str) -> Envelope {
    let now = Instant::parse("2026-05-31T12:00:00Z").expect("an instant");
    Envelope {
        schema: schema.to_owned(),
        run_id: RunId::parse(run).expect("a run id"),
        generated_at: now,
        source: Source::default(),
        tool: Tool::this(),
        mode: Mode::Strict,
        clock: Clock { now, source: ClockSource::System, past_allowed: false },
    }
}

fn recorded(planned: Option<&[&str]>) -> Recorded {
    Recorded {
        lane: Lane::Pr,
        requested_mode: None,
        policy_path: "portcullis.toml".to_owned(),
        policy: POLICY.to_owned(),
        classification_path: "suite_classification.toml".to_owned(),
        classification: String::new(),
        rust_gates: VecMap::new(),
        census_faults: Vec::new(),
        planned: planned.map(|ids| ids.iter().map(|name| id(name)).collect()),
    }
}

impl Sample {
    /// A run that has begun.
    fn begin(planned: Option<&[&str]>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let tables = policy::parse("portcullis.toml", POLICY).expect("a policy").gates;
        let census = Census::of(&tables);
        put(&folder.path().join("portcullis.toml"), POLICY);
        put(&folder.path().join("portcullis.lock"), &census.render());
        let store = Store::open(&folder.path().join("target")).expect("a store");
        let header = envelope("portcullis.run.v1", RUN);
        let run = store
            .create_run(&header.run_id, Ownership::Owned, Durability::Cached, &header)
            .expect("a run");
        let inputs = views::with_envelope(&envelope(INPUTS_SCHEMA, RUN), &recorded(planned))
            .expect("inputs");
        for (name, text) in [
            ("expected.json", artifact::document(&census).expect("a census")),
            ("inputs.json", artifact::document(&inputs).expect("inputs")),
        ] {
            run.write_file(name, text.as_bytes()).expect("written");
        }
        Self { folder, tables, run }
    }

    fn table(&self, gate: &str) -> &GateTable {
        self.tables.iter().find(|table| table.common.id.as_str() == gate).expect("a gate")
    }

    /// A gate that started and, unless it exited, passed.
    fn attempt(&self, gate: &str, finished: bool) {
        let table = self.table(gate);
        let mut digest = Digest::of(b"");
        let started = |attempt: u32| Started {
            envelope: envelope(STARTED_SCHEMA, RUN),
            gate_id: table.common.id.clone(),
            kind: "command".to_owned(),
            binary: table.common.binary.clone(),
            attempt,
            runner_attempt: 1,
            runner_run_id: None,
            pid: 1,
            policy_digest: table.digest(),
        };
        let dir = self
            .run
            .begin_attempt(&table.common.id, |attempt| {
                let text = artifact::document(&started(attempt)).expect("a record");
                digest = Digest::of(text.as_bytes());
                Ok(text)
            })
            .expect("an attempt");
        if finished {
            dir.write_verdict(
                &artifact::document(&verdict(&started(dir.attempt()), digest)).expect("a verdict"),
            )
            .expect("written");
        }
    }

    /// Decides, writes the decision and seals, as a gate binary does at its end.
    fn seal(&self, selected: Option<&[&str]>) {
        let facts = Facts {
            selected: selected.map(|ids| ids.iter().map(|name| id(name)).collect::<VecSet<_>>()),
            touched_waivers: true,
            base: None,
            run_faults: Vec::new(),
            source_dirty: false,
            tests: 0,
            reserved: Vec::new(),
        };
        let header = envelope(views::DECISION_SCHEMA, RUN);
        let material = Material::read(&recorded(None), Census::of(&self.tables)).expect("material");
        let attempts = self.run.read_attempts().expect("attempts");
        let receipts: Vec<_> =
            attempts.iter().filter_map(|raw| judge(raw, &header.run_id)).collect();
        let decision = material.decide(&header.clock, &facts, &receipts).expect("a decision");
        let document = views::decision(&header, &decision, &facts).expect("a document");
        let text = artifact::of_sorted(&document).expect("a document");
        self.run.write_file("decision.json", text.as_bytes()).expect("written");
        self.run.seal(&envelope("portcullis.run.v1", RUN)).expect("sealed");
    }

    /// A run of some gates in lane `local`: receipts, and nothing that could be decided again.
    fn filtered() -> Self {
        let sample = Self::begin(None);
        fs::remove_dir_all(sample.run.path()).expect("the other run");
        let store = Store::open(&sample.folder.path().join("target")).expect("a store");
        let header = envelope("portcullis.run.v1", RUN);
        let run =
            store.create_filtered_run(&header.run_id, Durability::Cached, &header).expect("a run");
        Self { run, ..sample }
    }

    /// A whole green run.
    fn green() -> Self {
        let sample = Self::begin(None);
        for gate in ["first", "second", "third"] {
            sample.attempt(gate, true);
        }
        sample.seal(None);
        sample
    }

    fn file(&self, name: &str) -> PathBuf {
        self.run.path().join(name)
    }

    /// The exit code of `verify`, and its document.
    fn verify(&self, words: &[&str]) -> (Option<i32>, Value) {
        let output = binary(self.folder.path())
            .args(["verify", "--format", "json"])
            .args(words)
            .output()
            .expect("the binary starts");
        let document = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code(), document)
    }

    fn edit(&self, name: &str, change: impl FnOnce(&str) -> String) {
        let path = self.file(name);
        let text = fs::read_to_string(&path).expect("a text");
        let changed = change(&text);
        assert_ne!(text, changed, "the sabotage of {name} changes something");
        fs::remove_file(&path).expect("removed");
        put(&path, &changed);
    }
}

fn verdict(started: &Started, started_digest: Digest) -> Verdict {
    Verdict {
        envelope: envelope(VERDICT_SCHEMA, RUN),
        gate_id: started.gate_id.clone(),
        kind: started.kind.clone(),
        binary: started.binary.clone(),
        attempt: started.attempt,
        policy_digest: started.policy_digest,
        started_digest,
        outcome: Outcome::Pass,
        examined: 1,
        findings: Vec::new(),
        findings_total: 0,
        skip: None,
        error: None,
        evidence: Vec::new(),
        artifacts: Vec::new(),
        output: Vec::new(),
        duration_ms: 1,
    }
}

#[expect(clippy::disallowed_methods, reason = "this test is about the process itself")]
fn binary(cwd: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-portcullis"));
    command.current_dir(cwd).stdin(Stdio::null()).env_clear();
    command
}

/// The codes of a document: faults first, then what the decision says of its gates.
fn codes(document: &Value) -> Vec<String> {
    let faults = document["faults"].as_array().into_iter().flatten();
    let errors = document["errors"].as_array().into_iter().flatten();
    let gates = document["decision"]["gates"].as_array().into_iter().flatten();
    faults
        .chain(errors)
        .chain(gates)
        .filter_map(|entry| entry["code"].as_str().map(str::to_owned))
        .collect()
}

fn expect_invalid(case: &str, sample: &Sample, words: &[&str], code: Code) {
    let (exit, document) = sample.verify(words);
    assert_eq!(exit, Some(12), "{case}: {document:#}");
    assert!(
        codes(&document).iter().any(|name| name == code.name()),
        "{case}: {:?}",
        codes(&document)
    );
}

#[test]
fn a_sealed_green_run_is_green_by_every_name() {
    let sample = Sample::green();
    let path = sample.run.path().display().to_string();
    for word in [RUN, "latest", path.as_str(), "target/portcullis/runs/run-1"] {
        let (exit, document) = sample.verify(&[word]);
        assert_eq!(
            (exit, document["verdict"].as_str()),
            (Some(0), Some("pass")),
            "{word}: {document:#}"
        );
    }
}

#[test]
fn fg48_any_change_to_a_sealed_run_is_found() {
    use portcullis::wire::code::{DIGEST_MISMATCH, FILE_UNHASHED};
    let started = "gates/first/attempt-1/started.json";
    let edit = |name: &'static str| {
        move |sample: &Sample| sample.edit(name, |text| text.replacen("run-1", "run-2", 1))
    };
    type Sabotage = Box<dyn Fn(&Sample)>;
    let table: Vec<(&str, Sabotage, Code)> = vec![
        (
            "a verdict was edited",
            Box::new(edit("gates/first/attempt-1/verdict.json")),
            DIGEST_MISMATCH,
        ),
        ("a started record was edited", Box::new(edit(started)), DIGEST_MISMATCH),
        ("the decision was edited", Box::new(edit("decision.json")), DIGEST_MISMATCH),
        ("the inputs were edited", Box::new(edit("inputs.json")), DIGEST_MISMATCH),
        ("the manifest was edited", Box::new(edit("manifest.json")), DIGEST_MISMATCH),
        (
            "a file was added",
            Box::new(|sample| put(&sample.file("extra.json"), "{}\n")),
            FILE_UNHASHED,
        ),
    ];
    for (case, sabotage, code) in table {
        let sample = Sample::green();
        sabotage(&sample);
        expect_invalid(case, &sample, &[RUN], code);
    }
}

#[test]
fn every_deleted_file_makes_a_run_invalid() {
    let names = [
        "run.json",
        "manifest.json",
        "expected.json",
        "inputs.json",
        "decision.json",
        "gates/first/attempt-1/started.json",
        "gates/first/attempt-1/verdict.json",
    ];
    for name in names {
        let sample = Sample::green();
        fs::remove_file(sample.file(name)).expect("removed");
        let (exit, document) = sample.verify(&[RUN]);
        assert_eq!(exit, Some(12), "without {name}: {document:#}");
    }
}

#[cfg(unix)]
#[test]
fn t27_a_hard_linked_verdict_is_refused() {
    let sample = Sample::green();
    let verdict = sample.file("gates/first/attempt-1/verdict.json");
    fs::hard_link(&verdict, sample.folder.path().join("elsewhere.json")).expect("linked");
    expect_invalid("a second name", &sample, &[RUN], portcullis::wire::code::LINK_REFUSED);
}

#[test]
fn fg06_a_gate_that_exited_is_crashed() {
    let sample = Sample::begin(None);
    sample.attempt("first", true);
    sample.attempt("second", false);
    sample.attempt("third", true);
    expect_invalid("exit(0) in a body", &sample, &[RUN], portcullis::wire::code::RECEIPT_UNSEALED);
    expect_invalid("and no seal", &sample, &[RUN], portcullis::wire::code::RUN_UNSEALED);
}

#[test]
fn fg07_the_gates_after_one_that_exited_are_missing() {
    let sample = Sample::begin(None);
    sample.attempt("first", false);
    sample.attempt("third", true);
    let (exit, document) = sample.verify(&[RUN]);
    assert_eq!(exit, Some(12));
    let effective: Vec<&str> = document["decision"]["gates"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|gate| gate["effective"].as_str())
        .collect();
    assert_eq!(effective, ["crashed", "missing", "pass"], "{document:#}");
}

#[test]
fn fg16_fg17_a_gate_binary_that_left_nothing_is_missing() {
    let sample = Sample::begin(None);
    sample.attempt("first", true);
    sample.attempt("second", true);
    sample.seal(None);
    expect_invalid(
        "the second binary never ran",
        &sample,
        &[RUN],
        portcullis::wire::code::CENSUS_BINARY_MISSING,
    );
}

#[test]
fn a_decision_that_its_evidence_does_not_give_is_found_even_when_sealed() {
    let green = fs::read_to_string(Sample::green().file("decision.json")).expect("a decision");
    let liar = Sample::begin(None);
    for gate in ["first", "second"] {
        liar.attempt(gate, true);
    }
    liar.run.write_file("decision.json", green.as_bytes()).expect("written");
    liar.run.seal(&envelope("portcullis.run.v1", RUN)).expect("sealed");
    expect_invalid(
        "the decision of another run",
        &liar,
        &[RUN],
        portcullis::wire::code::DECISION_DIFFERS,
    );
}

#[test]
fn a_filtered_run_is_partial_and_never_full() {
    let sample = Sample::begin(Some(&["second"]));
    sample.attempt("second", true);
    sample.seal(Some(&["second"]));
    let (exit, document) = sample.verify(&[RUN]);
    assert_eq!((exit, document["verdict"].as_str()), (Some(0), Some("partial")), "{document:#}");
    assert_eq!(document["not_selected"], serde_json::json!(["first", "third"]));
    expect_invalid(
        "held to the whole census",
        &sample,
        &[RUN, "--full"],
        portcullis::wire::code::CENSUS_GATE_MISSING,
    );
}

#[test]
fn the_census_at_hand_counts_not_only_the_one_of_the_run() {
    let sample = Sample::green();
    let mut census = Census::of(&sample.tables);
    census.rows[0].owner = "somebody else".to_owned();
    put(&sample.folder.path().join("portcullis.lock"), &census.render());
    expect_invalid("another owner", &sample, &[RUN], portcullis::wire::code::CENSUS_DIFFERS);
}

#[test]
fn fg77_latest_must_name_the_newest_run() {
    let sample = Sample::green();
    let store = Store::open(&sample.folder.path().join("target")).expect("a store");
    let mut newer = envelope("portcullis.run.v1", "run-2");
    newer.generated_at = Instant::parse("2026-06-01T12:00:00Z").expect("an instant");
    store.create_run(&newer.run_id, Ownership::Owned, Durability::Cached, &newer).expect("a run");
    expect_invalid(
        "a newer run was killed",
        &sample,
        &["latest"],
        portcullis::wire::code::LATEST_STALE,
    );
}

#[test]
fn fg75_a_status_that_does_not_exist_is_not_read_as_one_that_does() {
    let sample = Sample::begin(None);
    for gate in ["first", "second", "third"] {
        sample.attempt(gate, true);
    }
    sample.edit("gates/first/attempt-1/verdict.json", |text| {
        text.replace("\"outcome\": \"pass\"", "\"outcome\": \"passed\"")
    });
    sample.seal(None);
    expect_invalid("passed is no status", &sample, &[RUN], portcullis::wire::code::STATUS_UNKNOWN);
}

#[test]
fn a_run_that_is_not_there_is_never_green() {
    let sample = Sample::green();
    for word in ["run-9", "/nowhere/at/all", "..", "a b"] {
        let (exit, document) = sample.verify(&[word]);
        assert_eq!(exit, Some(12), "{word}: {document:#}");
    }
}

#[test]
fn a_filtered_run_is_never_green_and_says_why() {
    let sample = Sample::filtered();
    sample.attempt("first", true);
    let (exit, document) = sample.verify(&[RUN]);
    assert_eq!(exit, Some(12), "{document}");
    assert_eq!(document["verdict"], "invalid");
    assert_eq!(codes(&document), ["run_unsealed"], "{document}");
    let said = document["faults"][0]["message"].as_str().unwrap_or_default();
    assert!(said.contains("filtered"), "{said}");
    sample.attempt("second", false);
    let (exit, document) = sample.verify(&[RUN]);
    assert_eq!(exit, Some(12), "{document}");
    assert_eq!(codes(&document), ["run_unsealed", "receipt_unsealed"], "{document}");
    sample.edit("gates/first/attempt-1/started.json", |_| "{}\n".to_owned());
    let (_, document) = sample.verify(&[RUN]);
    assert_eq!(codes(&document), ["run_unsealed", "schema_unsupported", "receipt_unsealed"]);
}

/// Every file of a folder, relative to it.
fn files(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in folder.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(root, &path, found);
        } else {
            let name = path.strip_prefix(root).expect("below").to_string_lossy().replace('\\', "/");
            found.push(name);
        }
    }
}

/// What no digest covers is said, so that nobody takes its words for sealed ones.
#[test]
fn one_changed_byte_of_any_hashed_file_is_found_and_the_others_are_named() {
    use portcullis::evidence::store::verify_manifest;
    const EDITS: u64 = 1_000;
    let sample = Sample::green();
    let mut names = Vec::new();
    files(sample.run.path(), sample.run.path(), &mut names);
    names.sort();
    let (_, document) = sample.verify(&[RUN]);
    let unhashed: Vec<String> =
        serde_json::from_value(document["unhashed"].clone()).expect("the names of unhashed files");
    assert_eq!(unhashed, ["run.json"], "{document:#}");
    let text = binary(sample.folder.path()).args(["verify", RUN]).output().expect("it starts");
    assert!(String::from_utf8_lossy(&text.stdout).contains("`run.json` is not hashed"));
    names.retain(|name| !unhashed.contains(name));
    assert!(names.len() >= 10 && names.contains(&"manifest.json".to_owned()), "{names:?}");
    // A fixed sequence: the same edits every time, spread over files, places and bits.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).expect("a size")).expect("an index")
    };
    for n in 0..EDITS {
        let name = &names[next(names.len())];
        let path = sample.file(name);
        let whole = fs::read(&path).expect("bytes");
        let mut edited = whole.clone();
        let at = next(edited.len());
        edited[at] ^= u8::try_from(1 + next(255)).expect("a byte");
        let write = |bytes: &[u8]| {
            fs::File::create(&path).expect("a file").write_all(bytes).expect("written");
        };
        write(&edited);
        let found = verify_manifest(sample.run.path());
        assert!(
            found.is_err() || found.is_ok_and(|faults| !faults.is_empty()),
            "edit {n}: {name} at {at}"
        );
        write(&whole);
    }
    assert_eq!(
        verify_manifest(sample.run.path()).map_err(|fault| fault.to_string()),
        Ok(Vec::new())
    );
}
