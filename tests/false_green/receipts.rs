//! Groups C and F: a whole, sealed run of the honest sample, and what happens when somebody touches it.
//!
//! Each case lays the run out in a repository of its own, changes bytes, and asks the decision and the subcommand.

use super::{
    run::{Run, decision_with, row},
    sample::{Case, NOW, root, write},
    subcommand::{portcullis, verify},
};
use portcullis::{
    Fault, Instant, RunId,
    evidence::store::{LATEST_SCHEMA, Latest, Store, read_run, verify_manifest},
    wire::{
        artifact,
        outcome::{Effective, RunVerdict},
        receipt::Clock,
    },
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The honest run: its id, and every file of it.
struct Honest {
    id: String,
    files: BTreeMap<String, Vec<u8>>,
}

fn honest() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(|| {
        let run = Case::new("sealed").sealed();
        run.said(0, &["portcullis: PASS"]);
        let mut files = BTreeMap::new();
        read(&run.path(), "", &mut files);
        Honest { id: run.id().to_owned(), files }
    })
}

fn read(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = format!("{prefix}{}", entry.file_name().to_str().expect("a name"));
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{path}/"), files);
        } else {
            files.insert(path, fs::read(entry.path()).expect("a file"));
        }
    }
}

/// A repository with the honest run in it.
struct Laid {
    folder: tempfile::TempDir,
    id: String,
}

impl Laid {
    fn new() -> Self {
        let honest = honest();
        let laid = Self { folder: tempfile::tempdir().expect("a folder"), id: honest.id.clone() };
        for name in ["portcullis.toml", "portcullis.lock", "suite_classification.toml"] {
            let text = fs::read_to_string(root().join(name)).expect("a file of the sample");
            write(&laid.folder.path().join(name), &text);
        }
        for (path, bytes) in &honest.files {
            laid.put(path, bytes);
        }
        let record = read_run(&laid.path()).expect("a run record");
        let latest = Latest {
            envelope: record.envelope.with_schema(LATEST_SCHEMA),
            path: format!("runs/{}", laid.id),
            manifest_sha256: record.manifest_sha256.expect("a seal"),
        };
        let text = artifact::document(&latest).expect("a document");
        write(&laid.target().join("portcullis/latest.json"), &text);
        laid
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("target")
    }

    fn path(&self) -> PathBuf {
        self.target().join("portcullis/runs").join(&self.id)
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        write(&self.path().join(path), std::str::from_utf8(bytes).expect("a text"));
    }

    /// Replaces text in a file of the run; it must stand there.
    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join(path)).expect("a file of the run");
        assert!(text.contains(from), "{path}: {text}");
        self.put(path, text.replace(from, to).as_bytes());
    }

    /// Copies a file of the run over another.
    fn copy(&self, from: &str, to: &str) {
        self.put(to, &fs::read(self.path().join(from)).expect("a file of the run"));
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).expect("a file of the run");
    }

    fn run(&self) -> Run {
        Run::below(&self.target(), &self.id)
    }

    /// Asserts status and code of a gate, exit 12 of the decision, and the same of `verify` by exit and code.
    fn broken(&self, case: &str, gate: &str, code: &str) {
        let run = self.run();
        let decision = run.decision();
        let row = row(&decision, gate);
        let seen = (row.effective, row.code.as_deref(), decision.exit);
        assert_eq!(seen, (Effective::Error, Some(code), 12), "{case}: {}", row.detail);
        self.verify(case, 12, &[code]);
    }

    fn verify(&self, case: &str, exit: i32, parts: &[&str]) {
        verify(self.folder.path(), &self.path(), &["--full"]).said(case, exit, parts);
    }
}

const FIRST: &str = "gates/a_first/attempt-1";
const SECOND: &str = "gates/b_second/attempt-1";

fn at(path: &str, name: &str) -> String {
    format!("{path}/{name}")
}

/// The control of every case here: untouched, the run is whole, passes, and is the newest.
#[test]
fn the_untouched_run_passes() {
    let laid = Laid::new();
    assert_eq!(verify_manifest(&laid.path()), Ok(Vec::<Fault>::new()));
    laid.run().passes();
    laid.verify("untouched", 0, &["verify: pass"]);
    portcullis(laid.folder.path(), &["verify", "latest"], &[]).said("latest", 0, &["verify: pass"]);
}

/// A file of a sealed run is changed: a view, a receipt, an event, the decision itself.
#[test]
fn fg48_a_file_changed_after_it_was_hashed() {
    let table: [(&str, &str, &str); 4] = [
        ("views/full_suite_verdict.json", "\"a_first\"", "\"a_frist\""),
        ("gates/a_first/attempt-1/verdict.json", "\"examined\": 1", "\"examined\": 2"),
        ("gates/a_first/attempt-1/events.jsonl", "a_first", "a_frist"),
        ("decision.json", "\"not_selected\"", "\"not_selectee\""),
    ];
    for (path, from, to) in table {
        let laid = Laid::new();
        let text = fs::read_to_string(laid.path().join(path)).expect("a file of the run");
        let from = if text.contains(from) { from.to_owned() } else { from.replace(": ", ":") };
        laid.edit(path, &from, to);
        let faults = verify_manifest(&laid.path()).expect("a run");
        let codes: Vec<&str> = faults.iter().map(|fault| fault.code().name()).collect();
        assert_eq!(codes, ["digest_mismatch"], "{path}");
        let decision = decision_with(&laid.run().receipts(), &faults);
        assert_eq!((decision.verdict, decision.exit), (RunVerdict::Invalid, 12), "{path}");
        laid.verify(path, 12, &["digest_mismatch", path]);
    }
}

/// A verdict written by hand has no `started.json` beside it.
#[test]
fn fg49_a_verdict_without_a_start() {
    let laid = Laid::new();
    laid.remove(&at(FIRST, "started.json"));
    laid.broken("fg49", "a_first", "receipt_without_start");
}

/// A receipt copied from another gate, another attempt, or another run.
#[test]
fn fg50_a_receipt_from_elsewhere() {
    let gate = Laid::new();
    for name in ["started.json", "verdict.json"] {
        gate.copy(&at(SECOND, name), &at(FIRST, name));
    }
    gate.broken("another gate", "a_first", "receipt_foreign");
    let verdict = Laid::new();
    verdict.copy(&at(SECOND, "verdict.json"), &at(FIRST, "verdict.json"));
    verdict.broken("the verdict alone", "a_first", "receipt_foreign");
    let attempt = Laid::new();
    for name in ["started.json", "verdict.json"] {
        attempt.copy(&at(FIRST, name), &at("gates/a_first/attempt-2", name));
    }
    attempt.broken("another attempt", "a_first", "receipt_foreign");
    let run = Laid::new();
    for name in ["started.json", "verdict.json"] {
        run.edit(&at(FIRST, name), &run.id, "the-run-of-yesterday");
    }
    run.broken("another run", "a_first", "receipt_foreign");
}

/// A verdict that states a status which does not exist.
#[test]
fn fg75_an_unknown_status() {
    for status in ["passed", "PASS", "ok", ""] {
        let laid = Laid::new();
        let path = at(FIRST, "verdict.json");
        let text = fs::read_to_string(laid.path().join(&path)).expect("a verdict");
        let mut verdict: Value = serde_json::from_str(&text).expect("a document");
        verdict["outcome"] = status.into();
        laid.put(&path, artifact::document(&verdict).expect("a document").as_bytes());
        laid.broken(status, "a_first", "status_unknown");
    }
}

/// A run directory in which the verdict is missing is that of a killed process.
#[test]
fn fg76_a_run_that_lost_its_verdict() {
    let laid = Laid::new();
    laid.remove(&at(FIRST, "verdict.json"));
    laid.run().decided("a_first", Effective::Crashed, "receipt_unsealed", 12);
    laid.verify("fg76", 12, &["receipt_unsealed"]);
}

/// `latest` still names the green run, and a newer one lies beside it that never ended.
#[test]
fn fg77_latest_names_the_previous_green_run() {
    let laid = Laid::new();
    let store = Store::open(&laid.target()).expect("a store");
    let latest = store.latest().expect("a green run").expect("one");
    assert_eq!(latest.envelope.run_id, RunId::parse(&laid.id).expect("a run id"), "the control");
    let mut newer = read_run(&laid.path()).expect("a run record").envelope;
    newer.run_id = RunId::parse("newer").expect("a run id");
    newer.generated_at = Instant::parse("2099-05-20T13:00:00Z").expect("a time");
    newer.clock = Clock { now: newer.generated_at, ..newer.clock };
    assert!(newer.generated_at > Instant::parse(NOW).expect("a time"));
    let owned = portcullis::evidence::store::Ownership::Owned;
    let cached = portcullis::evidence::store::Durability::Cached;
    store.create_run(&newer.run_id, owned, cached, &newer).expect("a run that begins");
    let fault = store.latest().expect_err("stale");
    assert_eq!(fault.code().name(), "latest_stale");
    let decision = decision_with(&laid.run().receipts(), &[fault]);
    assert_eq!((decision.verdict, decision.exit), (RunVerdict::Invalid, 12));
    let words = ["verify", "latest"];
    portcullis(laid.folder.path(), &words, &[]).said("fg77", 12, &["latest_stale"]);
}
