//! Posting: what a fake `gh` is asked for, and that whatever it answers never changes an exit code.

use super::{
    command, says, search_path,
    traps::{Court, TWO},
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

const MARKER: &str = "<!-- portcullis:canary:c -->";
/// What the cold runs of a measurement take, against a baseline of 100 ms.
const EQUAL: u64 = 100;
const SLOWER: u64 = 300;

/// A comment as it is listed: its number, its author, and the first line of its text.
type Listed<'a> = (u64, &'a str, &'a str);

/// A repository with a measurement, and beside it a `gh` that writes down what it is asked.
struct Forge {
    court: Court,
    folder: tempfile::TempDir,
}

impl Forge {
    fn new(cold_ms: u64) -> Self {
        let court = Court::new(TWO);
        court.measured(cold_ms);
        let forge = Self { court, folder: tempfile::tempdir().expect("a folder") };
        let script = "#!/bin/sh
d=$(dirname \"$0\")
printf '%s\\n' \"$*\" >> \"$d/log\"
[ -e \"$d/hang\" ] && exec sleep 45
[ -e \"$d/refuse\" ] && { echo 'HTTP 403: Resource not accessible by integration' >&2; exit 1; }
case \"$*\" in
*graphql*) cat \"$d/login\" ;;
*--paginate*) cat \"$d/comments\" ;;
*--input*) while [ \"$1\" != --input ]; do shift; done; cat \"$2\" > \"$d/body\" ;;
*) exit 9 ;;
esac
";
        forge.put("gh", script).put("login", "robot\n").put("comments", "");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(forge.path("gh"), mode).expect("a mode");
        forge.event(&json!({ "full_name": "o/r" }));
        forge
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str) -> &Self {
        let mut file = fs::File::create(self.path(name)).expect("a file");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
        self
    }

    fn event(&self, head: &Value) -> &Self {
        let event = json!({ "pull_request": {
            "number": 7, "base": { "repo": { "full_name": "o/r" } }, "head": { "repo": head },
        } });
        self.put("event.json", &event.to_string())
    }

    fn comments(&self, all: &[Listed<'_>]) -> &Self {
        let lines: Vec<String> = all
            .iter()
            .map(|(id, login, first)| {
                json!({ "id": id, "login": login, "first": first }).to_string()
            })
            .collect();
        self.put("comments", &lines.join("\n"))
    }

    /// Comments, which always ends with 0, and returns the document.
    fn post(&self) -> Value {
        self.post_with(&[])
    }

    fn post_with(&self, env: &[(&str, &str)]) -> Value {
        for name in ["log", "body", "summary"] {
            drop(fs::remove_file(self.path(name)));
        }
        let path = format!("{}:{}", self.folder.path().display(), search_path().display());
        let (event, summary) = (self.path("event.json"), self.path("summary"));
        let mut all = vec![
            ("PATH", path.as_str()),
            ("GITHUB_EVENT_PATH", event.to_str().expect("a path")),
            ("GITHUB_STEP_SUMMARY", summary.to_str().expect("a path")),
        ];
        all.extend(env);
        let text = self.court.repo.ends_with(&["comment", "c"], &all, 0);
        serde_json::from_str(&text).expect("a document")
    }

    /// Comments, and holds what came of it.
    fn posts(&self, expected: &str) {
        let found = self.post();
        assert_eq!(found["posted"], expected, "{found}");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn body(&self) -> String {
        let body: Value = serde_json::from_str(&self.read("body")).expect("a body");
        body["body"].as_str().expect("a text").to_owned()
    }
}

#[test]
fn t41_one_comment_is_edited_in_place_and_a_foreign_one_never() {
    let forge = Forge::new(SLOWER);
    forge.posts("created");
    assert!(forge.body().starts_with(&format!("{MARKER}\n")), "{}", forge.body());
    says(&forge.body(), "FAIL");
    says(&forge.read("log"), "api --method POST repos/o/r/issues/7/comments --input");
    let table: &[(&str, &[Listed<'_>], &str)] = &[
        ("its own", &[(5, "robot", MARKER)], "PATCH repos/o/r/issues/comments/5 "),
        ("its own as an app", &[(5, "robot[bot]", MARKER)], "PATCH repos/o/r/issues/comments/5 "),
        (
            "of several the oldest, wherever it stands",
            &[(9, "robot", MARKER), (5, "robot", MARKER), (7, "robot", MARKER)],
            "PATCH repos/o/r/issues/comments/5 ",
        ),
        (
            "a foreign one with the marker",
            &[(2, "mallory", MARKER), (5, "robot", MARKER)],
            "PATCH repos/o/r/issues/comments/5 ",
        ),
        ("only a foreign one", &[(2, "mallory", MARKER)], "POST repos/o/r/issues/7/comments"),
        ("a name that begins alike", &[(2, "robot2", MARKER)], "POST "),
        (
            "its own, of another canary",
            &[(2, "robot", "<!-- portcullis:canary:cc -->")],
            "POST repos/o/r/issues/7/comments",
        ),
        ("its own, which quotes the marker", &[(2, "robot", &format!("> {MARKER}"))], "POST "),
    ];
    for (case, comments, asked) in table {
        forge.comments(comments).post();
        let log = forge.read("log");
        assert!(log.contains(&format!("--method {asked}")), "{case}: {log}");
        assert_eq!(log.matches("--method").count(), 1, "{case}: {log}");
    }
}

#[test]
fn an_outcome_that_is_fine_makes_no_comment_and_resolves_the_one_that_is_there() {
    let forge = Forge::new(EQUAL);
    forge.posts("nothing_to_say");
    assert!(!forge.read("log").contains("--method"), "{}", forge.read("log"));
    says(&forge.read("summary"), MARKER);
    forge.comments(&[(5, "robot", MARKER)]).posts("edited");
    assert!(forge.body().starts_with(&format!("{MARKER}\n**Resolved.**")), "{}", forge.body());
    // What cannot be judged is not fine: it is told, and nothing is resolved by it.
    let path = "target/portcullis/runs/second/canary/c/measurement.json";
    let mut record = forge.court.record.clone();
    record["run_id"] = "second".into();
    record["series"][0]["body"]["samples"][0]["exit"] = json!({ "code": 3 });
    forge.court.repo.put(path, &record.to_string());
    forge.comments(&[]).posts("created");
    says(&forge.body(), "run\\_failed");
    forge.comments(&[(5, "robot", MARKER)]).posts("edited");
    assert!(!forge.body().contains("Resolved"), "{}", forge.body());
}

#[test]
fn t40_whatever_keeps_it_from_posting_is_a_warning_and_a_summary() {
    let forge = Forge::new(SLOWER);
    let warned = |case: &str, forge: &Forge, env: &[(&str, &str)], words: &str| {
        let found = forge.post_with(env);
        assert_eq!(found["posted"], "not_posted", "{case}: {found}");
        assert!(found["warnings"].to_string().contains(words), "{case}: {found}");
        assert!(forge.read("body").is_empty(), "{case}: something was posted");
        says(&forge.read("summary"), "regression\\_over\\_fail");
        found["report"].as_str().expect("a path").to_owned()
    };
    forge.event(&json!({ "full_name": "mallory/r" }));
    let report = warned("a fork", &forge, &[], "fork");
    says(&fs::read_to_string(report).expect("an artifact"), MARKER);
    assert!(forge.read("log").is_empty(), "a fork asks nobody");
    forge.event(&Value::Null);
    warned("a fork that is gone", &forge, &[], "fork");
    forge.put("event.json", "{");
    warned("an event that is cut", &forge, &[], "event file");
    forge.put("event.json", "{}");
    warned("an event of something else", &forge, &[], "not about a pull request");
    warned("no event file", &forge, &[("GITHUB_EVENT_PATH", "/nowhere/event.json")], "event file");
    warned("an event file that is a folder", &forge, &[("GITHUB_EVENT_PATH", "/")], "event file");
    warned("no name of one", &forge, &[("GITHUB_EVENT_PATH", "")], "event file");
    forge.event(&json!({ "full_name": "o/r" }));
    let plain = search_path();
    let plain = plain.to_str().expect("a path");
    if !forge_has_gh() {
        warned("no gh", &forge, &[("PATH", plain)], "no program `gh`");
    }
    forge.put("refuse", "");
    warned("the forge refuses", &forge, &[], "403");
    fs::remove_file(forge.path("refuse")).expect("removed");
    forge.put("login", "null\n");
    warned("nobody knows who posts", &forge, &[], "who it is");
    forge.put("login", "robot\n").put("comments", "<html>");
    warned("a list of another shape", &forge, &[], "unknown shape");
    forge.put("comments", "");
    forge.posts("created");
}

#[test]
fn t40_a_forge_that_does_not_answer_is_given_up_on() {
    let forge = Forge::new(EQUAL);
    forge.put("hang", "");
    let found = forge.post();
    says(&found["warnings"].to_string(), "did not answer within 30 s");
}

#[test]
fn t43_what_only_told_of_the_night_stands_in_the_summary() {
    let court = Court::new(&TWO.replace("lane = 'gating'", "lane = 'nightly_gating'"));
    court.measured(160);
    let repo = &court.repo;
    let summary = repo.path("target/summary.md");
    let env = [("GITHUB_STEP_SUMMARY", summary.to_str().expect("a path"))];
    let text = repo.ends_with(&["comment", "c"], &env, 0);
    says(&text, "\"outcome\": \"comment_only\"");
    let summary = fs::read_to_string(summary).expect("a summary");
    says(&summary, "comment only");
    says(&summary, "regression\\_proven");
}

#[test]
fn a_warning_is_a_command_of_the_forge_and_a_full_summary_is_left_alone() {
    let forge = Forge::new(SLOWER);
    forge.event(&json!({ "full_name": "mallory/r%0A::error::x" }));
    let full = forge.path("full");
    forge.put("full", &"x".repeat(1024 * 1024 - 10));
    let output = command(env!("CARGO_BIN_EXE_cargo-portcullis"))
        .current_dir(forge.court.repo.0.path())
        .args(["canary", "comment", "c", "--format", "github"])
        .env_clear()
        .env("PATH", search_path())
        .env("GITHUB_EVENT_PATH", forge.path("event.json"))
        .env("GITHUB_STEP_SUMMARY", &full)
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    says(&text, "::warning title=canary c::no comment on the pull request: ");
    says(&text, "::warning title=canary c::no step summary: the file is full");
    assert_eq!(fs::metadata(full).expect("a file").len(), 1024 * 1024 - 10);
}

fn forge_has_gh() -> bool {
    std::env::split_paths(&search_path()).any(|folder| folder.join("gh").is_file())
}

/// The arguments are those that the program itself takes: its own parser reads them, and nothing is sent anywhere.
#[test]
fn the_real_gh_understands_what_it_is_asked() {
    let forge = Forge::new(SLOWER);
    forge.comments(&[]).post();
    let asked = forge.read("log");
    assert_eq!(asked.lines().count(), 3, "{asked}");
    if !forge_has_gh() {
        let is_ci = super::is_ci();
        assert!(!is_ci, "`gh` is not on the search path, and this is CI");
        drop(std::io::Write::write_all(
            &mut std::io::stderr(),
            b"gh not on PATH \xe2\x80\x94 SKIPPED LOUD\n",
        ));
        return;
    }
    let body = forge.path("body");
    let sent = ["api", "--method", "POST", "repos/o/r/issues/7/comments", "--silent", "--input"];
    let listed = ["api", "--paginate", "repos/o/r/issues/7/comments?per_page=100", "--jq", ".[]"];
    let named = ["api", "graphql", "-f", "query={viewer{login}}", "--jq", ".data.viewer.login"];
    for words in [&sent[..], &listed, &named] {
        let mut gh = command("gh");
        gh.args(words).env_clear().env("PATH", search_path()).env("GH_TOKEN", "none");
        gh.env("GH_HOST", "localhost:9").env("HOME", forge.folder.path());
        if words.last() == Some(&"--input") {
            gh.arg(&body);
        }
        let said = gh.output().expect("it starts");
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        for wrong in ["unknown flag", "unknown shorthand", "unknown command", "accepts"] {
            assert!(!said.contains(wrong), "{words:?}: {said}");
        }
    }
}
