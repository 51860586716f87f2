//! The scripts of the generated workflows, run as a runner runs them, with a `gh` that answers from files: what they write,
//! and that nothing of an artifact is obeyed.

use super::{
    COMMENT, NIGHTLY,
    archive::{Member, zip},
    planted::job,
    repo,
};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Output},
};

const HEAD: &str = "1111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222";
const MARKER: &str = "<!-- portcullis-comment -->";
const TITLE: &str = "The nightly canary did not succeed";

/// `gh`, as far as the scripts ask it. Filters are run by `jq`, which speaks the same language.
const GH: &str = r#"#!/bin/bash
d="$(dirname "$0")"
printf '%s\n' "$*" >> "$d/log"
if [ -z "$GH_TOKEN" ]; then
  echo 'gh: set the GH_TOKEN environment variable' >&2
  exit 4
fi
filter=.
body=
all=("$@")
for ((i = 0; i < ${#all[@]}; i++)); do
  case "${all[i]}" in
    --jq) filter="${all[i + 1]}" ;;
    --field) body="${all[i + 1]#body=@}" ;;
    --body-file) body="${all[i + 1]}" ;;
  esac
done
case "$*" in
  *--method*) cp "$body" "$d/body" ;;
  "issue list"*) jq --raw-output "$filter" "$d/issues" ;;
  "issue close"*) ;;
  issue*) cp "$body" "$d/body" ;;
  *"/artifacts?per_page"*) jq --raw-output "$filter" "$d/artifacts" ;;
  *"/zip") cat "$d/$(basename "$(dirname "$2")").zip" ;;
  *"/comments?per_page"*) jq --raw-output "$filter" "$d/comments" ;;
  *"/pulls/"*)
    pull="$d/pull-$(basename "$2")"
    [ -f "$pull" ] || { echo 'gh: Not Found (HTTP 404)' >&2; exit 1; }
    jq --raw-output "$filter" "$pull"
    ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"#;

/// A runner's folder, and beside it what the forge knows.
struct Runner {
    folder: tempfile::TempDir,
    env: Vec<(&'static str, String)>,
}

impl Runner {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["forge", "work"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let env = [
            ("GH_TOKEN", "token"),
            ("GH_REPO", "o/r"),
            ("REPOSITORY", "o/r"),
            ("RUN_ID", "42"),
            ("HEAD_SHA", HEAD),
            ("RUN_URL", "https://forge.example/o/r/actions/runs/42"),
            ("MEASURED", "success"),
            ("NUMBER", "7"),
            ("COMMIT", HEAD),
            ("GITHUB_STEP_SUMMARY", "summary"),
        ];
        let env = env.map(|(name, value)| (name, value.to_owned())).to_vec();
        let runner = Self { folder, env };
        runner.forge("gh", GH.as_bytes());
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(runner.path("forge/gh"), mode).expect("a mode");
        runner.forge("comments", b"[]");
        runner.forge("issues", b"[]");
        runner.forge("artifacts", br#"{"artifacts":[]}"#);
        runner.forge("pull-7", json!({ "head": { "sha": HEAD } }).to_string().as_bytes());
        runner.forge("pull-8", json!({ "head": { "sha": OTHER } }).to_string().as_bytes());
        runner
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn forge(&self, name: &str, bytes: &[u8]) {
        self.put(&format!("forge/{name}"), bytes);
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::File::create(path).and_then(|mut file| file.write_all(bytes)).expect("written");
    }

    fn read(&self, name: &str) -> String {
        fs::read(self.path(name))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.env.retain(|(known, _)| *known != name);
        self.env.push((name, value.to_owned()));
        self
    }

    /// Offers artifacts with these names and bytes; a name stands for itself.
    fn artifacts(&self, all: &[(&str, Vec<u8>)]) {
        let listed: Vec<Value> = all
            .iter()
            .enumerate()
            .map(|(id, (name, bytes))| {
                self.forge(&format!("{id}.zip"), bytes);
                let size = bytes.len();
                json!({ "id": id, "name": name, "size_in_bytes": size, "expired": false })
            })
            .collect();
        self.forge("artifacts", json!({ "artifacts": listed }).to_string().as_bytes());
    }

    /// Runs steps one after another, as `shell: bash` does, up to the first that fails.
    fn run(&self, scripts: &[String]) -> (Option<i32>, String) {
        let mut said = String::new();
        for script in scripts {
            self.put("step.sh", script.as_bytes());
            let output = self.bash();
            let streams = [output.stdout, output.stderr].concat();
            said.push_str(&String::from_utf8_lossy(&streams));
            if output.status.code() != Some(0) {
                return (output.status.code(), said);
            }
        }
        (Some(0), said)
    }

    #[expect(clippy::disallowed_methods, reason = "a runner starts the shell")]
    fn bash(&self) -> Output {
        let path = std::env::var_os("PATH").expect("a search path");
        let mut search = vec![self.path("forge")];
        search.extend(std::env::split_paths(&path));
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(self.path("step.sh"))
            .current_dir(self.path("work"))
            .env_clear()
            .env("PATH", std::env::join_paths(search).expect("a search path"))
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("bash starts")
    }

    /// What was written to the forge: the requests that change something.
    fn writes(&self) -> Vec<String> {
        let log = self.read("forge/log");
        let writes = ["--method", "issue close", "issue comment", "issue create"];
        let is_write = |line: &&str| writes.iter().any(|word| line.contains(word));
        log.lines().filter(is_write).map(str::to_owned).collect()
    }

    /// Nothing but the folders of the script itself was made, whatever an artifact asked for.
    #[track_caller]
    fn is_untouched(&self, case: &str) {
        for folder in [self.folder.path().to_path_buf(), self.path("work"), self.path("forge")] {
            for entry in fs::read_dir(folder).expect("a folder") {
                let name = entry.expect("an entry").file_name();
                assert!(!name.to_string_lossy().contains("pwned"), "{case}: {name:?}");
            }
        }
    }
}

/// The programs that the scripts use beside `gh`. Absence is told, and fails where CI runs this.
#[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
#[expect(clippy::disallowed_methods, reason = "programs are looked for where the shell finds them")]
fn tools() -> bool {
    let path = std::env::var_os("PATH").expect("a search path");
    let is_there = |name: &str| std::env::split_paths(&path).any(|at| at.join(name).is_file());
    let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    for name in ["bash", "jq", "unzip"] {
        if !is_there(name) {
            assert!(!ci, "CI must prove this: install {name}");
            eprintln!("{name} not on PATH — SKIPPED LOUD");
            return false;
        }
    }
    true
}

/// The script of a step, as the runner gets it.
fn script(workflow: &str, id: &str, step: &str) -> String {
    let job = job(workflow, id);
    let (_, rest) =
        job.split_once(&format!("- name: {step}\n")).unwrap_or_else(|| panic!("{step}"));
    let (_, rest) = rest.split_once("        run: |\n").expect("a script");
    let lines = rest.lines().take_while(|line| line.starts_with("          ") || line.is_empty());
    lines.map(|line| format!("{}\n", line.get(10..).unwrap_or_default())).collect()
}

fn comment_scripts() -> Vec<String> {
    let repo = repo();
    repo.generate(&[]);
    let text = repo.text(COMMENT);
    let steps = ["fetch the decisions as data", "check, confirm, word again and comment"];
    steps.map(|step| script(&text, "comment", step)).to_vec()
}

fn metric(name: &str) -> Value {
    json!({ "metric": name, "unit": "ns", "verdict": "comment_only", "base": 100, "candidate": 160 })
}

fn decisions(number: Value, outcome: &str, metrics: Value) -> Value {
    let decision = json!({ "outcome": outcome, "metrics": metrics });
    let one = json!({ "schema": "portcullis.canary_decision.v1", "canary": "quick", "decision": decision });
    json!({ "schema": "portcullis.canary_decisions.v1", "number": number, "decisions": [one] })
}

fn slower() -> Value {
    decisions(json!(7), "comment_only", json!([metric("whole/p50")]))
}

fn zipped(document: &Value) -> Vec<u8> {
    zip(&[("decisions.json", Member::Stored(document.to_string().into_bytes()))])
}

#[test]
fn a_decision_becomes_one_comment_of_checked_values() {
    if !tools() {
        return;
    }
    let scripts = comment_scripts();
    let own =
        |login: &str, body: &str| json!({ "id": 5, "user": { "login": login }, "body": body });
    let mine = format!("{MARKER}\n**old**");
    let fine = decisions(json!(7), "ok", json!([]));
    let table = [
        ("the first time", slower(), json!([]), "--method POST repos/o/r/issues/7/comments "),
        (
            "again",
            slower(),
            json!([own("github-actions[bot]", &mine)]),
            "--method PATCH repos/o/r/issues/comments/5 ",
        ),
        (
            "beside somebody's copy of it",
            slower(),
            json!([own("mallory", &mine)]),
            "--method POST ",
        ),
        (
            "beside another one of the robot",
            slower(),
            json!([own("github-actions[bot]", "hello")]),
            "--method POST ",
        ),
        ("it is fine, and nothing was said", fine.clone(), json!([]), ""),
        ("it is fine again", fine, json!([own("github-actions[bot]", &mine)]), "--method PATCH "),
    ];
    for (case, document, comments, expected) in table {
        let runner = Runner::new();
        runner.artifacts(&[("portcullis-decision-stable", zipped(&document))]);
        runner.forge("comments", comments.to_string().as_bytes());
        let (code, said) = runner.run(&scripts);
        assert_eq!(code, Some(0), "{case}: {said}");
        let writes = runner.writes();
        assert_eq!(writes.len(), usize::from(!expected.is_empty()), "{case}: {writes:?}");
        assert!(writes.iter().all(|one| one.contains(expected)), "{case}: {writes:?}");
        if expected.contains("POST repos") {
            let body = runner.read("forge/body");
            let row = "| `whole/p50` | 100 | 160 | ns | comment_only |";
            assert!(body.starts_with(&format!("{MARKER}\n**`quick`: comment_only**")), "{body}");
            assert!(body.contains(row), "{body}");
        }
    }
}

/// The name that the artifacts of decisions have.
const NAMED: &str = "portcullis-decision-stable";

/// What it is, its name, its bytes, and what is told.
type Untrusted = (&'static str, &'static str, Vec<u8>, &'static str);

/// Artifacts that nobody may believe.
fn untrusted() -> Vec<Untrusted> {
    let named = NAMED;
    let raw = |text: &str| zip(&[("decisions.json", Member::Stored(text.as_bytes().to_vec()))]);
    let hostile = |name: &str| zipped(&decisions(json!(7), "fail", json!([metric(name)])));
    let mut other_canary = slower();
    other_canary["decisions"][0]["canary"] = json!("quick`@all");
    let mut many = slower();
    many["decisions"] = json!(vec![many["decisions"][0].clone(); 33]);
    let mut hostile_document = decisions(Value::Null, "fail", json!([metric("@everyone")]));
    hostile_document["number"] = json!(false);
    let form = "has not the form";
    let not_its_head = "another commit";
    let nothing = "no decision to comment on";
    vec![
        (
            "a number that is another's",
            named,
            zipped(&decisions(json!(8), "fail", json!([]))),
            not_its_head,
        ),
        (
            "a number that nobody has",
            named,
            zipped(&decisions(json!(9), "fail", json!([]))),
            not_its_head,
        ),
        (
            "no number, as by hand",
            named,
            zipped(&decisions(Value::Null, "fail", json!([]))),
            not_its_head,
        ),
        ("a number as a text", named, zipped(&decisions(json!("7"), "fail", json!([]))), form),
        ("a path as a number", named, zipped(&decisions(json!("7/../8"), "fail", json!([]))), form),
        ("a number below zero", named, zipped(&decisions(json!(-7), "fail", json!([]))), form),
        ("half a number", named, zipped(&decisions(json!(7.5), "fail", json!([]))), form),
        ("an outcome that is none", named, zipped(&decisions(json!(7), "great", json!([]))), form),
        ("a mention", named, hostile("@everyone"), form),
        ("a table", named, hostile("a|b|c"), form),
        ("a tag", named, hostile("<img src=x>"), form),
        ("a link", named, hostile("![x](http://e)"), form),
        ("a code that ends", named, hostile("a`b"), form),
        ("a line break", named, hostile("a\nb"), form),
        ("a command of the runner", named, hostile("a\n::error::b"), form),
        ("an escape", named, hostile("\u{1b}[31m"), form),
        ("another direction", named, hostile("a\u{202e}b"), form),
        ("a canary with a mention", named, zipped(&other_canary), form),
        ("too many canaries", named, zipped(&many), form),
        ("no JSON", named, raw("{"), form),
        ("nothing", named, raw(""), form),
        (
            "two documents, the last one good",
            named,
            raw(&format!("{}{}", hostile_document, slower())),
            form,
        ),
        ("two good ones", named, raw(&format!("{0}{0}", slower())), form),
        ("a list", named, raw("[]"), form),
        ("a text", named, raw("\"$(touch pwned)\""), form),
        ("no archive", named, b"PK".to_vec(), form),
        ("another file", named, zip(&[("x.json", Member::Stored(b"{}".to_vec()))]), form),
        (
            "a file out of the folder",
            named,
            zip(&[("../pwned", Member::Stored(b"x".to_vec()))]),
            form,
        ),
        ("a file that grows", named, zip(&[("decisions.json", Member::Inflated(8_200))]), form),
        ("a large one", named, vec![0; 1_048_577], nothing),
        ("a foreign name", "decisions", zipped(&slower()), nothing),
        ("a name with a folder", "portcullis-decision-../x", zipped(&slower()), nothing),
        ("a name with a command", "portcullis-decision-$(touch pwned)", zipped(&slower()), nothing),
        (
            "a name of two lines",
            "portcullis-decision-a\nportcullis-decision-b",
            zipped(&slower()),
            nothing,
        ),
        ("a name that ends with a line", "portcullis-decision-a\n", zipped(&slower()), nothing),
    ]
}

#[test]
fn what_cannot_be_trusted_is_left_out_and_told() {
    if !tools() {
        return;
    }
    let scripts = comment_scripts();
    for (case, name, bytes, expected) in untrusted() {
        let runner = Runner::new();
        runner.artifacts(&[(name, bytes)]);
        let (code, said) = runner.run(&scripts);
        assert_eq!(code, Some(0), "{case}: {said}");
        assert!(said.contains(expected), "{case}: {said}");
        assert_eq!(runner.writes(), Vec::<String>::new(), "{case}: {said}");
        runner.is_untouched(case);
        // What was left out does not keep the others from being worded.
        let both = Runner::new();
        fs::copy(runner.path("forge/0.zip"), both.path("forge/9.zip")).expect("copied");
        let size = fs::metadata(both.path("forge/9.zip")).expect("a file").len();
        both.artifacts(&[(NAMED, zipped(&slower()))]);
        let listed = |id: u64, name: &str, size: u64| json!({ "id": id, "name": name, "size_in_bytes": size, "expired": false });
        let all = json!({ "artifacts": [listed(9, name, size), listed(0, NAMED, 500)] });
        both.forge("artifacts", all.to_string().as_bytes());
        let (code, said) = both.run(&scripts);
        assert_eq!((code, both.writes().len()), (Some(0), 1), "{case} beside a good one: {said}");
    }
}

#[test]
fn who_lies_about_the_size_and_who_has_no_token() {
    if !tools() {
        return;
    }
    let scripts = comment_scripts();
    // The list says little, and more comes.
    let runner = Runner::new();
    runner.forge("0.zip", &vec![b'x'; 9_000_000]);
    let listed =
        json!({ "id": 0, "name": "portcullis-decision-a", "size_in_bytes": 10, "expired": false });
    runner.forge("artifacts", json!({ "artifacts": [listed] }).to_string().as_bytes());
    let (code, said) = runner.run(&scripts);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("larger than 1 MiB") && runner.writes().is_empty(), "{said}");
    // An artifact that is gone is not asked for; one that cannot be fetched ends the job.
    let runner = Runner::new();
    let gone =
        json!({ "id": 0, "name": "portcullis-decision-a", "size_in_bytes": 10, "expired": true });
    runner.forge("artifacts", json!({ "artifacts": [gone] }).to_string().as_bytes());
    assert_eq!(runner.run(&scripts).0, Some(0));
    runner.forge("artifacts", json!({ "artifacts": [{ "id": 3, "name": "portcullis-decision-a", "size_in_bytes": 10, "expired": false }] }).to_string().as_bytes());
    assert_ne!(runner.run(&scripts).0, Some(0), "what cannot be fetched is no decision");
    // Nobody comments without a token, and nobody calls that a success.
    let runner = Runner::new().with("GH_TOKEN", "");
    runner.artifacts(&[("portcullis-decision-stable", zipped(&slower()))]);
    let (code, said) = runner.run(&scripts);
    assert_ne!(code, Some(0), "{said}");
    assert!(said.contains("GH_TOKEN") && runner.writes().is_empty(), "{said}");
}

#[test]
fn the_night_keeps_one_issue() {
    if !tools() {
        return;
    }
    let repo = repo();
    repo.generate(&[]);
    let steps = [script(&repo.text(NIGHTLY), "report", "open, update or close the issue")];
    let open = json!([{ "number": 3, "title": TITLE }]);
    let alike = json!([{ "number": 4, "title": format!("Re: {TITLE}") }]);
    let good = Some(decisions(Value::Null, "ok", json!([])).to_string());
    let bad = Some(decisions(Value::Null, "fail", json!([])).to_string());
    let hostile = good.clone().map(|text| text.replace("\"quick\"", "\"quick](http://e) @all\""));
    let hostile_first =
        hostile.clone().zip(good.clone()).map(|(bad, good)| format!("{bad}\n{good}"));
    let mut two = decisions(Value::Null, "ok", json!([]));
    two["decisions"] = json!([two["decisions"][0], two["decisions"][0]]);
    let none = json!([]);
    let unread = "There is no decision that can be read.";
    let table = [
        ("it is fine", &good, "success", &none, "", ""),
        ("it is fine again", &good, "success", &open, "issue close 3 ", ""),
        ("it regressed", &bad, "success", &none, "issue create ", "- `quick`: fail"),
        ("it still does", &bad, "success", &open, "issue comment 3 ", "- `quick`: fail"),
        (
            "beside an issue that is called alike",
            &bad,
            "success",
            &alike,
            "issue create ",
            "- `quick`: fail",
        ),
        ("measuring failed", &good, "failure", &none, "issue create ", "ended with failure"),
        (
            "measuring was cancelled",
            &good,
            "cancelled",
            &open,
            "issue comment 3 ",
            "ended with cancelled",
        ),
        ("no artifact", &None, "success", &none, "issue create ", unread),
        ("hostile words", &hostile, "success", &none, "issue create ", unread),
        (
            "hostile words before good ones",
            &hostile_first,
            "success",
            &none,
            "issue create ",
            unread,
        ),
        ("nothing in it", &Some(String::new()), "success", &open, "issue comment 3 ", unread),
        ("no JSON", &Some("{".to_owned()), "success", &none, "issue create ", unread),
        (
            "more canaries than there are",
            &Some(two.to_string()),
            "success",
            &none,
            "issue create ",
            unread,
        ),
        ("too much", &Some(" ".repeat(1_048_577)), "success", &none, "issue create ", unread),
    ];
    for (case, decision, measured, issues, expected, words) in table {
        let runner = Runner::new().with("MEASURED", measured);
        runner.forge("issues", issues.to_string().as_bytes());
        if let Some(text) = decision {
            runner.put("work/target/decisions/decisions.json", text.as_bytes());
        }
        let (code, said) = runner.run(&steps);
        assert_eq!(code, Some(0), "{case}: {said}");
        let writes = runner.writes();
        assert_eq!(writes.len(), usize::from(!expected.is_empty()), "{case}: {writes:?}");
        assert!(writes.iter().all(|one| one.starts_with(expected)), "{case}: {writes:?}");
        let body = runner.read("forge/body");
        assert!(body.contains(words) && !body.contains("@all"), "{case}: {body}");
    }
    let runner = Runner::new().with("GH_TOKEN", "");
    let (code, said) = runner.run(&steps);
    assert_ne!(code, Some(0), "{said}");
}

#[test]
fn what_was_measured_is_collected_as_data() {
    if !tools() {
        return;
    }
    let repo = repo();
    repo.generate(&[]);
    let steps = [script(&repo.text(super::CHANGES), "bench", "collect the decisions")];
    let one = slower()["decisions"][0].to_string();
    for (case, number, expected) in [
        ("of a pull request", "7", json!(7)),
        ("of a push", "", Value::Null),
        ("of somebody clever", "7; touch pwned", Value::Null),
        ("in the shell", "$(touch pwned)", Value::Null),
    ] {
        let runner = Runner::new().with("NUMBER", number);
        runner.put("work/target/portcullis/decisions/quick.decision", one.as_bytes());
        let (code, said) = runner.run(&steps);
        assert_eq!(code, Some(0), "{case}: {said}");
        let text = runner.read("work/target/portcullis/decisions/decisions.json");
        let document: Value = serde_json::from_str(&text).expect("a document");
        assert_eq!(document["number"], expected, "{case}");
        assert_eq!(document["decisions"].as_array().map(Vec::len), Some(1), "{case}");
        runner.is_untouched(case);
    }
    let runner = Runner::new();
    runner.put("work/target/portcullis/decisions/quick.decision", b"{");
    assert_ne!(runner.run(&steps).0, Some(0), "what is cut is no decision");
}
