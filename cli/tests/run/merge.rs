//! Shards from one archive, in folders of their own, and what becomes of them.

use super::{Case, command, copy_bytes, edit_document, has_nextest, reseal, root, text, write};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The sample as an archive of nextest, made once.
fn archive() -> &'static Path {
    static ARCHIVE: OnceLock<PathBuf> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let path = root().join("../sample.tar.zst");
        drop(fs::remove_file(&path));
        let name = path.to_str().expect("a path");
        #[expect(clippy::disallowed_methods, reason = "a test asks for its own tools")]
        let made = std::process::Command::new("cargo")
            .current_dir(root())
            .env_remove("CARGO_TARGET_DIR")
            .args(["nextest", "archive", "--workspace", "--archive-file", name])
            .output()
            .expect("it starts");
        assert!(made.status.success(), "{}", text(&made));
        path.canonicalize().expect("an archive")
    })
}

/// Runs the shards of the sample, each of which leaves its run directory in a folder of its own.
struct Shards {
    folder: tempfile::TempDir,
}

impl Shards {
    fn run(name: &str, faults: &str, total: u32, more: &[&str]) -> Self {
        let shards = Self { folder: tempfile::tempdir().expect("a folder") };
        for n in 1..=total {
            shards.one(&format!("{name}-{n}"), faults, &format!("{n}/{total}"), more, n);
        }
        shards
    }

    /// One shard, which goes to the folder with number `to`.
    fn one(&self, id: &str, faults: &str, part: &str, more: &[&str], to: u32) {
        let case = Case::new(id);
        let dir = self.dir(to);
        let dir = dir.to_str().expect("a path");
        let archive = archive().to_str().expect("a path");
        let mut words =
            vec!["run", "--profile", "full", "--shard", part, "--archive", archive, "--out", dir];
        words.extend(more);
        let output = case.command(faults, &words).output().expect("it starts");
        assert!(Path::new(dir).join("run.json").is_file(), "{}", text(&output));
    }

    fn dir(&self, n: u32) -> PathBuf {
        self.folder.path().join(format!("shard-{n}"))
    }

    /// Merges what lies in the folder.
    fn merged(&self, name: &str, code: i32, parts: &[&str]) -> Case {
        let case = Case::new(name);
        let folder = self.folder.path().to_str().expect("a path");
        let said = case.runs("", &["merge", folder], code);
        for part in parts {
            assert!(said.contains(part), "{name}: no `{part}` in {said}");
        }
        case
    }
}

/// Times, identities and what is said of the split itself: the fields that `docs/runner.md` says differ.
fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["run_id", "generated_at", "duration_ms"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        // The number of the thread or of the process, which every execution has its own of.
        Value::String(text) => {
            for mark in ["' (", "(process "] {
                if let Some((before, after)) = text.clone().split_once(mark) {
                    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
                    *text = format!("{before}{mark}N{after}");
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn comparable(case: &Case, name: &str) -> String {
    let text = fs::read_to_string(case.dir().join(name)).expect("a document");
    let mut value: Value = match name.ends_with(".jsonl") {
        true => {
            text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line")).collect()
        }
        false => serde_json::from_str(&text).expect("a document"),
    };
    without_times(&mut value);
    if name == "decision.json" {
        // Every shard looks for itself at what its gates need; a run that is not split looks once.
        for gate in value["gates"].as_array_mut().expect("a list") {
            if gate["id"] == "health" {
                gate.as_object_mut().expect("an object").remove("attempts");
            }
        }
    }
    if name == "views/summary.json" {
        let fields = value.as_object_mut().expect("an object");
        fields.remove("shard");
        fields.remove("replay_bundle");
    }
    value.to_string()
}

#[test]
fn three_shards_from_one_archive_are_the_run_that_was_never_split() {
    if !has_nextest() {
        return;
    }
    let archive = archive().to_str().expect("a path");
    for (faults, code) in
        [("", 0), ("fails,panics,exits,flickers", 10), ("gate_fails", 11), ("gate_exits", 12)]
    {
        let name = format!("whole-{code}");
        let whole = Case::new(&name);
        whole.runs(faults, &["run", "--profile", "full", "--archive", archive], code);
        let shards = Shards::run(&format!("part-{code}"), faults, 3, &[]);
        let merged = shards.merged(&format!("merged-{code}"), code, &["17 planned"]);
        let names = [
            "plan.json",
            "expected.json",
            "inputs.json",
            "outcomes.jsonl",
            "decision.json",
            "failures/index.json",
            "replay.json",
            "views/summary.json",
            "views/failure_diagnostics_index.json",
            "views/quarantine_report.json",
        ];
        for name in names {
            assert_eq!(comparable(&merged, name), comparable(&whole, name), "{code}: {name}");
        }
        assert_eq!(merged.verified(), Some(code), "offline, in another folder");
        assert_eq!(merged.document("views/summary.json")["shard"]["kind"], "merged");
        let said = merged.runs(
            "",
            &[
                "diff",
                whole.dir().to_str().expect("a path"),
                merged.dir().to_str().expect("a path"),
            ],
            0,
        );
        assert!(said.contains("0 regressions"), "{said}");
    }
}

#[test]
fn fg70_a_shard_that_is_left_out_or_emptied_is_missed() {
    if !has_nextest() {
        return;
    }
    let shards = Shards::run("fg70", "fails", 3, &[]);
    let away = tempfile::tempdir().expect("a folder");
    let red = (1..=3)
        .find(|n| {
            let lines = fs::read_to_string(shards.dir(*n).join("outcomes.jsonl"));
            lines.expect("outcomes").contains("\"failed\"")
        })
        .expect("one of them is red");
    fs::rename(shards.dir(red), away.path().join("red")).expect("moved");
    let gone = shards.merged("fg70-gone", 12, &["shard_missing", &red.to_string()]);
    assert!(!gone.dir().exists(), "nothing stands where nothing could be merged");
    for name in ["outcomes.jsonl", "plan.json"] {
        let target = shards.dir(red);
        drop(fs::remove_dir_all(&target));
        copy_bytes(&away.path().join("red"), &target);
        let path = target.join(name);
        if name == "plan.json" {
            let mut plan: Value =
                serde_json::from_slice(&fs::read(&path).expect("a plan")).expect("a plan");
            plan["targets"] = Value::Array(Vec::new());
            write(&path, &portcullis::wire::artifact::document(&plan).expect("a text"));
        } else {
            write(&path, "");
        }
        shards.merged("fg70-edited", 12, &["digest_mismatch"]);
        reseal(&target);
        let case = shards.merged("fg70-resealed", 12, &["shard_cover_gap"]);
        assert_eq!(case.document("run.json")["state"], "refused", "{name}");
    }
}

/// A shard whose plan, digest of its part and outcomes all agree that there was nothing to run.
#[test]
fn fg70_a_shard_that_forgot_a_target_everywhere_is_found_by_the_plan() {
    if !has_nextest() {
        return;
    }
    let shards = Shards::run("fg70-plan", "", 3, &[]);
    let dir = shards.dir(2);
    let mut plan: Value =
        serde_json::from_slice(&fs::read(dir.join("plan.json")).expect("a plan")).expect("a plan");
    plan["targets"] = Value::Array(Vec::new());
    plan["shard"]["part"]["digest"] = portcullis::Digest::of(b"").to_string().into();
    write(&dir.join("plan.json"), &portcullis::wire::artifact::document(&plan).expect("a text"));
    write(&dir.join("outcomes.jsonl"), "");
    reseal(&dir);
    shards.merged("fg70-plan", 12, &["shard_cover_gap"]);
}

#[test]
fn fg71_two_runs_of_one_shard_must_say_the_same() {
    if !has_nextest() {
        return;
    }
    let shards = Shards::run("fg71", "", 2, &[]);
    copy_bytes(&shards.dir(1), &shards.dir(9));
    shards.merged("fg71-twice", 0, &["PASS"]);
    fs::remove_dir_all(shards.dir(9)).expect("removed");
    shards.one("fg71-again", "", "1/2", &[], 9);
    shards.merged("fg71-same", 0, &["left out shard 1 (fg71-again)"]);
    fs::remove_dir_all(shards.dir(9)).expect("removed");
    shards.one("fg71-red", "fails,aborts,exits,panics", "1/2", &[], 9);
    shards.merged("fg71-other", 12, &["shard_conflict", "fg71-red"]);
}

#[test]
fn fg72_shards_of_two_commits_policies_censuses_or_groups_are_refused() {
    if !has_nextest() {
        return;
    }
    let table: [(&str, &str, &[&str]); 3] = [
        ("another number of shards", "2/3", &[]),
        ("another lane", "2/2", &["--lane", "main"]),
        ("another change", "2/2", &["--correlation-id", "other"]),
    ];
    let honest = Shards::run("fg72", "", 2, &[]);
    for (n, (case, part, more)) in table.into_iter().enumerate() {
        let shards = Shards { folder: tempfile::tempdir().expect("a folder") };
        copy_bytes(&honest.dir(1), &shards.dir(1));
        shards.one(&format!("fg72-{n}"), "", part, more, 2);
        let merged = shards.merged(&format!("fg72-merged-{n}"), 12, &["shard_mismatch"]);
        assert!(!merged.dir().exists(), "{case}");
    }
    // What cannot be had without a second checkout is edited in, and the run sealed anew.
    type Edit = fn(&Path);
    let edits: [(&str, Edit); 4] = [
        ("commit", |dir| {
            edit_document(dir, "run.json", |run| run["source"]["commit"] = "1".repeat(40).into())
        }),
        ("policy", |dir| {
            edit_document(dir, "inputs.json", |inputs| {
                let policy = inputs["policy"].as_str().expect("a text").to_owned();
                inputs["policy"] = (policy + "\n# other\n").into();
            });
        }),
        ("census", |dir| {
            edit_document(dir, "expected.json", |census| {
                let rows = census["rows"].as_array_mut();
                let rows = rows.expect("rows");
                rows.pop();
            });
        }),
        ("plan", |dir| {
            edit_document(dir, "plan.json", |plan| plan["hash"] = "1".repeat(64).into())
        }),
    ];
    for (what, change) in edits {
        let shards = Shards { folder: tempfile::tempdir().expect("a folder") };
        copy_bytes(&honest.dir(1), &shards.dir(1));
        copy_bytes(&honest.dir(2), &shards.dir(2));
        change(&shards.dir(2));
        reseal(&shards.dir(2));
        shards.merged(&format!("fg72-{what}"), 12, &["shard_mismatch", what]);
    }
}

/// A download that found no file leaves an empty folder, or none at all.
#[test]
fn fg73_a_download_that_brought_nothing_is_no_pass() {
    if !has_nextest() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty");
    fs::create_dir_all(empty.join("shard-1")).expect("folders");
    let asker = Case::new("fg73");
    for word in [empty.join("shard-1"), empty, folder.path().join("never"), "shards/*".into()] {
        let word = word.to_str().expect("a path");
        let said = asker.runs("", &["merge", word], 12);
        assert!(said.contains("shard_missing"), "{word}: {said}");
        assert!(!asker.dir().exists(), "{word}");
    }
    let output = command(root(), &["merge"]).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}

#[test]
fn a_shard_that_was_killed_and_a_run_that_is_no_shard_are_refused() {
    if !has_nextest() {
        return;
    }
    let shards = Shards::run("unsealed", "", 2, &[]);
    edit_document(&shards.dir(2), "run.json", |run| {
        run["state"] = "running".into();
        run.as_object_mut().expect("an object").remove("manifest_sha256");
    });
    shards.merged("unsealed-merged", 12, &["shard_missing", "running"]);
    let whole = Case::new("no-shard");
    whole.runs("", &["run", "--kind", "unit"], 0);
    let dir = whole.dir();
    let said = Case::new("no-shard-merged").runs("", &["merge", dir.to_str().expect("a path")], 12);
    assert!(said.contains("shard_mismatch") && said.contains("is not a shard"), "{said}");
}

#[test]
fn a_run_without_a_build_takes_what_the_last_one_built_and_never_certifies() {
    if !has_nextest() {
        return;
    }
    let built = Case::new("built");
    built.runs("", &["run", "--profile", "full"], 0);
    let kept = Case::new("not-built");
    kept.runs("", &["run", "--profile", "full", "--no-build"], 0);
    assert_eq!(kept.document("plan.json")["may_certify"], false);
    assert_eq!(kept.document("plan.json")["targets"], built.document("plan.json")["targets"]);
    assert_eq!(kept.verified(), Some(0));
    let said = Case::new("no-archive").runs("", &["run", "--archive", "no.tar.zst"], 2);
    assert!(said.contains("no.tar.zst"), "{said}");
}
