//! `audit record`, `build` and `check` over small repositories with a remote: what is shown, what is only said, and that
//! the checker changes nothing.

#[path = "security/sample.rs"]
#[expect(dead_code, reason = "scripts and joined streams are the business of the threats")]
mod sample;

use sample::Sample;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Output,
};

const REQUIREMENTS: &str = "\
version = 1

[[requirement]]
id = \"works\"
title = \"it works\"
status = \"done\"
evidence = [
    { kind = \"command\", argv = [\"sh\", \"-c\", \"exit 0\"] },
    { kind = \"prose\", text = \"it works on my machine\" },
]

[[requirement]]
id = \"released\"
title = \"the work is on the branch\"
status = \"done\"
evidence = [{ kind = \"commit\", rev = \"HEAD\" }]
";
const SECRET: &str = "hunter2/&+ hunter2";

/// A repository with one commit that its remote has, and the audit of it.
struct Repo(Sample);

impl std::ops::Deref for Repo {
    type Target = Sample;

    fn deref(&self) -> &Sample {
        &self.0
    }
}

impl Repo {
    fn new() -> Self {
        Self(Sample::with(REQUIREMENTS))
    }

    fn root(&self) -> PathBuf {
        self.path("")
    }

    fn audit(&self, words: &[&str]) -> Output {
        self.portcullis(&["audit"]).args(words).output().expect("it starts")
    }

    fn ends(&self, words: &[&str], code: i32) -> String {
        let output = self.audit(words);
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        said
    }

    /// The kinds of blockers, sorted; each once.
    fn blockers(&self, words: &[&str], code: i32) -> Vec<String> {
        let words: Vec<&str> = words.iter().copied().chain(["--format", "json"]).collect();
        let said = self.audit(&words);
        assert_eq!(said.status.code(), Some(code), "{}", String::from_utf8_lossy(&said.stderr));
        let closeout: Value = serde_json::from_slice(&said.stdout).expect("a document");
        let list = closeout["blockers"].as_array().expect("a list");
        let kinds = list.iter().map(|one| one["kind"].as_str().expect("a kind").to_owned());
        kinds.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    fn record(&self, script: &str, code: i32) -> String {
        self.ends(&["record", "--", "sh", "-c", script], code)
    }

    fn transcripts(&self) -> Vec<PathBuf> {
        let folder = self.root().join("target/portcullis/audit/transcripts");
        let entries = folder.read_dir().expect("transcripts");
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        paths
    }
}

/// Every file below a folder with its bytes and its time.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut files = BTreeMap::new();
    for entry in folder.read_dir().expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_dir() {
            files.extend(snapshot(&entry.path()));
        }
        let bytes = if entry.path().is_file() {
            fs::read(entry.path()).expect("bytes")
        } else {
            Vec::new()
        };
        let time = entry.metadata().and_then(|metadata| metadata.modified()).expect("a time");
        files.insert(entry.path(), (bytes, time));
    }
    files
}

#[test]
fn work_is_complete_when_it_is_recorded_committed_and_pushed() {
    let repo = Repo::new();
    assert!(repo.ends(&["check"], 3).contains("audit_absent"), "absent is no pass");
    assert_eq!(repo.blockers(&["build"], 11), ["missing_evidence", "proxy_only_evidence"]);
    repo.record("exit 0", 0);
    assert_eq!(repo.blockers(&["check"], 11), ["contradictory_evidence"]);
    assert_eq!(repo.blockers(&["build"], 0), Vec::<String>::new());
    assert_eq!(repo.blockers(&["check"], 0), Vec::<String>::new());
    let file = repo.root().join("target/portcullis/audit/completion_audit.json");
    let named = file.to_str().expect("UTF-8");
    assert_eq!(repo.blockers(&["check", "--audit-json", named], 0), Vec::<String>::new());

    // A commit that nobody pushed: the audit is of another commit, and built anew it lacks the push and the record.
    repo.put("more.txt", "more\n");
    repo.commit();
    assert_eq!(repo.blockers(&["check"], 11), ["contradictory_evidence"]);
    assert_eq!(repo.blockers(&["build"], 11), ["missing_push", "proxy_only_evidence"]);
    repo.record("exit 0", 0);
    assert_eq!(repo.blockers(&["build"], 11), ["missing_push"]);
    repo.git(&["push", "--quiet"]);
    assert_eq!(repo.blockers(&["build"], 0), Vec::<String>::new());

    // A change that git was told not to see is a change.
    repo.put("more.txt", "edited\n");
    assert_eq!(repo.blockers(&["build"], 11), ["missing_push"]);
    repo.git(&["update-index", "--assume-unchanged", "more.txt"]);
    assert_eq!(repo.blockers(&["build"], 11), ["missing_push"]);
}

#[test]
fn an_upstream_in_this_very_clone_is_no_push() {
    let repo = Repo::new();
    repo.record("exit 0", 0);
    assert_eq!(repo.blockers(&["build"], 0), Vec::<String>::new());
    repo.git(&["checkout", "--quiet", "-b", "side", "--track", "main"]);
    assert_eq!(repo.blockers(&["build"], 11), ["missing_push"]);
    // A detached head of a pushed commit was pushed.
    repo.git(&["checkout", "--quiet", "--detach", "origin/main"]);
    assert_eq!(repo.blockers(&["build"], 0), Vec::<String>::new());
}

#[test]
fn a_command_that_failed_or_did_both_is_in_the_way() {
    let repo = Repo::new();
    repo.put(
        "completion_requirements.toml",
        &REQUIREMENTS.replace("exit 0", "test ! -e target/bad"),
    );
    repo.commit();
    repo.git(&["push", "--quiet"]);
    repo.put("target/bad", "");
    let said = repo.record("test ! -e target/bad", 10);
    assert!(said.contains("exit 1"), "{said}");
    assert_eq!(repo.blockers(&["build"], 11), ["failed_command", "proxy_only_evidence"]);
    fs::remove_file(repo.root().join("target/bad")).expect("removed");
    repo.record("test ! -e target/bad", 0);
    assert_eq!(repo.blockers(&["build"], 11), ["contradictory_evidence", "proxy_only_evidence"]);
    // Taking the failure away, or editing it, is seen by whoever checks.
    let failed = repo.transcripts().remove(0);
    let text = fs::read_to_string(&failed).expect("a transcript");
    fs::remove_file(&failed).expect("removed");
    assert_eq!(repo.blockers(&["check"], 11), ["contradictory_evidence", "missing_evidence"]);
    let edited = text.replace("\"code\": 1", "\"code\": 0");
    assert_ne!(edited, text);
    fs::File::create(&failed).expect("a file").write_all(edited.as_bytes()).expect("written");
    assert_eq!(repo.blockers(&["build"], 11), ["contradictory_evidence"]);
}

#[test]
fn a_command_that_cannot_start_leaves_no_transcript() {
    let repo = Repo::new();
    let said = repo.ends(&["record", "--", "/no/such/program"], 3);
    assert!(said.contains("command_failed"), "{said}");
    assert!(!repo.root().join("target/portcullis/audit/transcripts").exists());
}

/// The list that the requirements name wrongly is refused before anything is looked at.
#[test]
fn a_list_that_means_nothing_is_refused_with_its_line() {
    let repo = Repo::new();
    let table = [
        ("an unknown key", "title = \"it works\"", "titel = \"it works\"", 3),
        ("an unknown sort of evidence", "kind = \"prose\"", "kind = \"hearsay\"", 9),
        ("an unknown status", "status = \"done\"", "status = \"nearly\"", 6),
        ("one name twice", "\"released\"", "\"works\"", 12),
        ("a command without words", "[\"sh\", \"-c\", \"exit 0\"]", "[]", 3),
    ];
    for (case, from, to, _line) in table {
        repo.put("completion_requirements.toml", &REQUIREMENTS.replacen(from, to, 1));
        let said = repo.ends(&["build"], 2);
        assert!(said.contains("requirements_invalid"), "{case}: {said}");
        assert!(said.contains("completion_requirements.toml:"), "{case}: {said}");
    }
    fs::remove_file(repo.root().join("completion_requirements.toml")).expect("removed");
    assert!(repo.ends(&["build"], 2).contains("requirements_invalid"));
}

/// Nothing changes, no tool is found, nothing can be written, and nothing can be reached: the answer is the same.
#[test]
fn the_checker_opens_files_and_does_nothing_else() {
    let repo = Repo::new();
    repo.record("exit 0", 0);
    repo.ends(&["build"], 0);
    let before = snapshot(&repo.root());
    let program = env!("CARGO_BIN_EXE_cargo-portcullis");
    let plain =
        repo.audit(&["check", "--generated-at", "2036-01-01T00:00:00Z", "--format", "json"]);
    assert_eq!(plain.status.code(), Some(0));
    let without_tools = repo
        .command(program)
        .env("PATH", repo.outside("home"))
        .args(["audit", "check", "--generated-at", "2036-01-01T00:00:00Z", "--format", "json"])
        .output()
        .expect("it starts");
    assert_eq!(without_tools.stdout, plain.stdout, "without git or cargo on the search path");
    assert_eq!(snapshot(&repo.root()), before, "the tree is as it was");

    let script = "mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\" && ! touch x 2>/dev/null && exec \"$0\" \"$@\"";
    // Without a user namespace where this user may mount anyway, with one otherwise.
    let within = |how: &str| {
        let words = ["sh", "-c", script, program, "audit", "check", "--format", "json"];
        let time = ["--generated-at", "2036-01-01T00:00:00Z"];
        repo.command("unshare").arg(how).args(words).args(time).output()
    };
    let namespace = match within("-mn") {
        Ok(output) if output.status.code() == Some(0) => Ok(output),
        Ok(_) | Err(_) => within("-rmn"),
    };
    match namespace {
        Ok(output) if output.status.code() == Some(0) => {
            assert_eq!(output.stdout, plain.stdout, "read-only and without network");
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let is_refused =
                ["unshare", "mount", "not permitted"].iter().any(|word| said.contains(word));
            assert!(is_refused, "{said}{}", String::from_utf8_lossy(&output.stdout));
            loud(&said);
        }
        Err(source) => loud(&source.to_string()),
    }
    assert_eq!(snapshot(&repo.root()), before, "the tree is as it was");
}

#[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
fn loud(why: &str) {
    eprintln!("\n*** no namespaces here ({}): the read-only view is NOT proven ***\n", why.trim());
}

#[test]
fn each_golden_fails_when_its_scenario_is_edited() {
    let repo = Repo::new();
    let when = ["--generated-at", "2026-05-31T12:00:00Z"];
    repo.ends(&["check", "--self-test", when[0], when[1]], 0);
    // What every scenario speaks of: its commit, a digest, a requirement. One edit each has to be seen.
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/audit");
    let mut examined = 0;
    for entry in source.read_dir().expect("fixtures") {
        let from = entry.expect("an entry").path();
        if !from.is_dir() {
            continue;
        }
        let scenario = fs::read_to_string(from.join("scenario.json")).expect("a scenario");
        let golden = fs::read_to_string(from.join("closeout_gate.json")).expect("a golden");
        let with = |scenario: &str, golden: &str| {
            repo.put("target/goldens/one/scenario.json", scenario);
            repo.put("target/goldens/one/closeout_gate.json", golden);
        };
        let words = ["check", "--self-test", "--goldens", "target/goldens", when[0], when[1]];
        with(&scenario, &golden);
        repo.ends(&words, 0);
        let other_head = scenario.replace("\"head\": \"1", "\"head\": \"9");
        let other_claim =
            scenario.replace("\"done\"", "\"open\"").replace("\\\"done\\\"", "\\\"open\\\"");
        let other_push = scenario.replace("\"pushed\": true", "\"pushed\": false");
        let no_push = scenario.replace("\"pushed\": false", "\"pushed\": true");
        for edited in [other_head, other_claim, other_push, no_push]
            .iter()
            .filter(|edited| **edited != scenario)
        {
            with(edited, &golden);
            let said = repo.ends(&words, 12);
            assert!(said.contains("self_test_failed"), "{}: {said}", from.display());
            examined += 1;
        }
        with(
            &scenario,
            &golden
                .replace("\"verdict\": \"blocked\"", "\"verdict\": \"pass\"")
                .replace("\"closeout_allowed\": true", "\"closeout_allowed\": false"),
        );
        repo.ends(&words, 12);
        fs::remove_file(repo.root().join("target/goldens/one/closeout_gate.json"))
            .expect("removed");
        repo.ends(&words, 12);
    }
    assert!(examined >= 30, "{examined}");
    fs::remove_file(repo.root().join("target/goldens/one/scenario.json")).expect("removed");
    repo.ends(&["check", "--self-test", "--goldens", "target/goldens"], 3);
}

/// The spellings in which programs print a secret.
fn spelt() -> Vec<String> {
    let percent = "hunter2%2F%26%2B%20hunter2";
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    [
        SECRET,
        percent,
        &percent.to_lowercase(),
        "hunter2%2F%26%2B+hunter2",
        "aHVudGVyMi8mKyBodW50ZXIy",
        "eHVzZXI6aHVudGVyMi8mKyBodW50ZXIyeA==",
        "dTpodW50ZXIyLyYrIGh1bnRlcjI=",
        &hex,
        &format!("ghp_{}", "a1B2".repeat(9)),
        "https://user:hunter22@host/",
        "AKIAIOSFODNN7EXAMPLE",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn t15_a_planted_secret_reaches_neither_disk_nor_output() {
    let repo = Repo::new();
    for secret in spelt() {
        let script = format!("echo 'before {secret} after'; echo '={secret}=' >&2");
        let output = repo
            .command(env!("CARGO_BIN_EXE_cargo-portcullis"))
            .env("DEPLOY_TOKEN", SECRET)
            .args(["audit", "record", "--", "sh", "-c", &script])
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let mut seen: Vec<Vec<u8>> = vec![output.stdout, output.stderr];
        seen.extend(repo.transcripts().iter().map(|path| fs::read(path).expect("a transcript")));
        let needle = if secret.starts_with("https") { "hunter22@" } else { secret.as_str() };
        for bytes in seen {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(needle), "{secret}: {text}");
            // Base64 may be known by its middle alone; the ends of a digit belong to what stood beside it.
            assert!(!text.contains("1bnRlcjI") && !text.contains("odW50ZXI"), "{secret}: {text}");
        }
    }
}
