//! Sealed shards of one run, made without running anything: they are what `cargo portcullis run --shard` leaves.

use super::Failure;
use portcullis::{Digest, evidence::digest::Hasher, wire::artifact};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The policy of the repository that merges them: it has no gate.
pub(crate) const POLICY: &str = "[policy]\nversion = 1\nowner = \"bench\"\n";
const TIME: &str = "2026-05-20T12:00:00.000Z";

/// The shards that were made.
pub(crate) struct Made {
    /// The folder of all of them.
    pub(crate) folder: PathBuf,
    /// Each of them.
    pub(crate) dirs: Vec<PathBuf>,
}

impl Made {
    /// Makes `shards` run directories with `each` outcomes each, split in turns.
    pub(crate) fn new(folder: &Path, shards: usize, each: usize) -> Result<Self, Failure> {
        let total = shards * each;
        let mut whole = Hasher::new();
        whole.update(head(shards).to_string().as_bytes());
        for n in 0..total {
            whole.update(target(n).to_string().as_bytes());
        }
        let hash = whole.finish();
        let mut dirs = Vec::new();
        for index in 0..shards {
            let dir = folder.join(format!("shard-{index:04}"));
            shard(&dir, (index, shards, total), hash)?;
            dirs.push(dir);
        }
        Ok(Self { folder: folder.to_path_buf(), dirs })
    }
}

fn target(n: usize) -> Value {
    json!({
        "suite": "many::tests",
        "test": format!("module_{:03}::a_test_with_a_name_of_usual_length_{n:07}", n / 10_000),
        "kind": "unit",
        "package": "many",
        "binary": "tests",
        "cargo_kind": "test",
    })
}

/// What the hash of a plan covers above its targets.
fn head(shards: usize) -> Value {
    json!({
        "profile": "quick",
        "engine": "nextest",
        "may_certify": false,
        "kinds": ["unit"],
        "filters": [],
        "rerun_of": null,
        "excluded": [],
        "gates": [],
        "rust_gates": {},
        "shards": ["slice", shards],
        "archive": null,
        "weights": {},
    })
}

#[expect(clippy::too_many_lines, reason = "one document after another, each in a few lines")]
fn shard(
    dir: &Path,
    (index, shards, total): (usize, usize, usize),
    hash: Digest,
) -> Result<(), Failure> {
    for folder in ["views", "failures"] {
        fs::create_dir_all(dir.join(folder))?;
    }
    let run_id = format!("bench-{index:04}");
    let envelope = json!({
        "run_id": run_id,
        "generated_at": TIME,
        "source": { "commit": null, "tree": null, "dirty": null, "base": null },
        "tool": { "name": "portcullis", "version": env!("CARGO_PKG_VERSION") },
        "mode": "strict",
        "clock": { "now": TIME, "source": "override", "past_allowed": false },
    });
    let mut files = Vec::new();
    let mut write = |name: &str, text: &str| -> Result<(), Failure> {
        fs::write(dir.join(name), text)?;
        files.push(json!({
            "path": name,
            "sha256": Digest::of(text.as_bytes()).to_string(),
            "bytes": text.len(),
        }));
        Ok(())
    };
    let document = |schema: &str, mut body: Value| -> Result<String, Failure> {
        let fields = body.as_object_mut().ok_or("an object")?;
        fields.extend(envelope.as_object().cloned().unwrap_or_default());
        fields.insert("schema".to_owned(), schema.into());
        Ok(artifact::document(&body)?)
    };
    let own: Vec<usize> = (index..total).step_by(shards).collect();
    let mut part = Hasher::new();
    let mut lines = String::new();
    for n in &own {
        let target = target(*n);
        part.update(target.to_string().as_bytes());
        lines.push_str(&artifact::line(&json!({
            "schema": "portcullis.outcome.v1",
            "suite": target["suite"],
            "test": target["test"],
            "kind": "unit",
            "attempt": 1,
            "last": true,
            "status": "passed",
            "leaked": false,
            "duration_ms": n % 1000,
            "exit_code": null,
            "signal": null,
            "message": "",
        }))?);
    }
    let mut plan = head(shards);
    let fields = plan.as_object_mut().ok_or("an object")?;
    for gone in ["shards", "archive", "weights"] {
        fields.remove(gone);
    }
    fields.insert("hash".to_owned(), hash.to_string().into());
    fields.insert("targets".to_owned(), own.iter().map(|n| target(*n)).collect());
    let part = json!({ "digest": part.finish().to_string(), "planned": total });
    fields.insert(
        "shard".to_owned(),
        json!({ "kind": "slice", "index": index, "total": shards, "part": part }),
    );
    write("plan.json", &document("portcullis.plan.v1", plan)?)?;
    write("outcomes.jsonl", &lines)?;
    write("expected.json", "{\n  \"rows\": []\n}\n")?;
    let inputs = json!({
        "lane": "local",
        "requested_mode": null,
        "policy_path": "portcullis.toml",
        "policy": POLICY,
        "classification_path": "suite_classification.toml",
        "classification": "",
        "rust_gates": {},
        "census_faults": [],
        "planned": [],
    });
    write("inputs.json", &document("portcullis.inputs.v1", inputs)?)?;
    write("decision.json", &document("portcullis.decision.v1", decision(total))?)?;
    let machine = json!({ "host": { "os": "linux", "arch": "x86_64" }, "nextest": "0.9.143" });
    write("environment.json", &document("portcullis.environment.v1", machine)?)?;
    write("views/summary.json", &document("portcullis.summary.v1", json!({}))?)?;
    write("replay.json", &document("portcullis.replay_bundle.v1", json!({ "rungs": [] }))?)?;
    let index = json!({ "digests": [], "classes": {} });
    write("failures/index.json", &document("portcullis.failure_diagnostics_index.v1", index)?)?;
    files.sort_by_key(|file| file["path"].as_str().unwrap_or_default().to_owned());
    let manifest = document("portcullis.manifest.v1", json!({ "files": files }))?;
    fs::write(dir.join("manifest.json"), &manifest)?;
    let seal = Digest::of(manifest.as_bytes()).to_string();
    let run = json!({ "state": "sealed", "manifest_sha256": seal });
    fs::write(dir.join("run.json"), document("portcullis.run.v1", run)?)?;
    Ok(())
}

fn decision(total: usize) -> Value {
    json!({
        "verdict": "pass",
        "exit": 0,
        "certifiable": false,
        "why_not_certifiable": ["only some gates were selected"],
        "mode": "strict",
        "lane": "local",
        "gates": [],
        "faults": [],
        "waiver_audit": {
            "total_waivers": 0, "active": 0, "expiring_soon": 0, "expired": 0, "stale": 0, "pending": 0,
            "invalid": 0, "waivers": [], "raw_waivers": [], "faults": [], "cliffs": [],
        },
        "not_selected": [],
        "summary": {
            "total_gates": 0, "passed": 0, "warned": 0, "failed": 0, "skipped": 0, "waived": 0,
            "blocking_pass": 0, "blocking_total": 0, "all_blocking_pass": true,
        },
        "facts": {
            "selected": [], "touched_waivers": false, "base_waivers": null, "run_faults": [],
            "source_dirty": false, "tests": total, "reserved": [],
        },
    })
}
