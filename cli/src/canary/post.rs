//! Posts a report to a pull request with `gh`: edits the comment that carries the marker, or makes one. It judges nothing,
//! and whatever keeps it from posting is said, never returned as a failure.

use crate::{
    canary::{
        arm::find,
        child::{self, Job},
        folder::create,
    },
    repository::Repository,
};
use portcullis_canary::Exit;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// How long one call may take.
const LIMIT_NS: u64 = 30_000_000_000;
/// No event file and no list of comments is larger.
const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The fields of a comment that are needed, one object per line; of the text the first line alone.
const FIELDS: &str = r#".[] | {id, login: .user.login, first: (.body // "" | split("\n")[0])}"#;

/// What came of posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Posted {
    /// A comment was made.
    Created,
    /// The comment that was there says something new.
    Edited,
    /// There is nothing to say, and no comment that says anything else.
    Nothing,
}

impl Posted {
    /// Its name.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Edited => "edited",
            Self::Nothing => "nothing_to_say",
        }
    }
}

/// The pull request of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pull {
    repository: String,
    number: u64,
}

/// Posts a report, or says why it does not.
///
/// With `is_ok` nothing is made; a comment that is there is marked as resolved.
pub(crate) fn post(
    repository: &Repository,
    scratch: &Path,
    marker: &str,
    report: &str,
    is_ok: bool,
) -> Result<Posted, String> {
    let pull = pull()?;
    let gh = find("gh", repository.root(), repository)
        .map_err(|_refused| "there is no program `gh` on the search path".to_owned())?;
    let calls = Calls { gh, root: repository.root(), scratch, count: std::cell::Cell::new(0) };
    let own = calls.own_name()?;
    let existing = calls.existing(&pull, marker, &own)?;
    match (existing, is_ok) {
        (None, true) => Ok(Posted::Nothing),
        (Some(id), is_ok) => {
            let path = format!("repos/{}/issues/comments/{id}", pull.repository);
            let text = if is_ok { resolved(report) } else { report.to_owned() };
            calls.send("PATCH", &path, &text).map(|()| Posted::Edited)
        }
        (None, false) => {
            let path = format!("repos/{}/issues/{}/comments", pull.repository, pull.number);
            calls.send("POST", &path, report).map(|()| Posted::Created)
        }
    }
}

/// The report of a canary that told something before and does not any more.
fn resolved(report: &str) -> String {
    match report.split_once('\n') {
        Some((marker, rest)) => format!("{marker}\n**Resolved.** What stood here is over.\n{rest}"),
        None => report.to_owned(),
    }
}

/// The pull request that the event is about, where its head is in this repository. What is unknown counts as a fork.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment of gates leaves this name out, and a command that posts has to know whose change it is"
)]
fn pull() -> Result<Pull, String> {
    let path = std::env::var_os("GITHUB_EVENT_PATH")
        .filter(|path| !path.is_empty())
        .ok_or("no event file is named: `GITHUB_EVENT_PATH` is not set")?;
    let path = Path::new(&path);
    let about = std::fs::metadata(path).map_err(|source| format!("the event file: {source}"))?;
    if !about.is_file() || about.len() > BYTES_MAX {
        return Err("the event file is no file, or larger than one may be".to_owned());
    }
    let text =
        std::fs::read_to_string(path).map_err(|source| format!("the event file: {source}"))?;
    let event: Value =
        serde_json::from_str(&text).map_err(|source| format!("the event file: {source}"))?;
    of_event(&event)
}

fn of_event(event: &Value) -> Result<Pull, String> {
    let pull = event.get("pull_request").filter(|pull| pull.is_object());
    let pull = pull.ok_or("the event is not about a pull request")?;
    let name = |of: &str| {
        let name = pull.pointer(of).and_then(Value::as_str);
        name.filter(|name| is_name(name))
    };
    let base =
        name("/base/repo/full_name").ok_or("the event does not say which repository it is of")?;
    let head = name("/head/repo/full_name")
        .ok_or("the head of the pull request is nowhere: a fork that is gone counts as a fork")?;
    if !head.eq_ignore_ascii_case(base)
        || pull.pointer("/head/repo/fork") == Some(&Value::Bool(true))
    {
        return Err(format!(
            "the pull request comes from the fork `{head}`, which gets no comment from here"
        ));
    }
    let number = pull.get("number").and_then(Value::as_u64).filter(|number| *number > 0);
    let number = number.ok_or("the event does not say the number of the pull request")?;
    Ok(Pull { repository: base.to_owned(), number })
}

/// `owner/name`, and nothing that a path of the API would read otherwise.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && part.chars().all(is_plain) && !part.starts_with(['.', '-'])
    };
    name.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name))
}

/// Calls of `gh`.
struct Calls<'a> {
    gh: PathBuf,
    root: &'a Path,
    scratch: &'a Path,
    count: std::cell::Cell<u32>,
}

impl Calls<'_> {
    /// Who posts: only comments of the same author are edited.
    fn own_name(&self) -> Result<String, String> {
        let words = ["api", "graphql", "-f", "query={viewer{login}}", "--jq", ".data.viewer.login"];
        let text = self.call(&words)?;
        let name = text.trim();
        let name = name.strip_suffix("[bot]").unwrap_or(name);
        if name.is_empty() || name == "null" {
            return Err("`gh` does not say who it is".to_owned());
        }
        Ok(name.to_owned())
    }

    /// The oldest comment with the marker in its first line and the same author.
    fn existing(&self, pull: &Pull, marker: &str, own: &str) -> Result<Option<u64>, String> {
        let path =
            format!("repos/{}/issues/{}/comments?per_page=100", pull.repository, pull.number);
        let text = self.call(&["api", "--paginate", &path, "--jq", FIELDS])?;
        let mut oldest: Option<u64> = None;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let comment: Value = serde_json::from_str(line)
                .map_err(|source| format!("`gh` lists comments in an unknown shape: {source}"))?;
            let field = |name: &str| comment.get(name).and_then(Value::as_str).unwrap_or_default();
            let id = comment.get("id").and_then(Value::as_u64);
            let id = id.ok_or("`gh` lists a comment without an id")?;
            let author = field("login");
            // GraphQL calls an app `name`, the list of comments `name[bot]`.
            let is_own = author.strip_suffix("[bot]").unwrap_or(author) == own;
            if is_own && field("first").trim_end() == marker {
                oldest = Some(oldest.map_or(id, |oldest| oldest.min(id)));
            }
        }
        Ok(oldest)
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Result<(), String> {
        let file = self.scratch.join("comment.json");
        create(&file, &json!({ "body": body }).to_string())
            .map_err(|source| format!("the comment cannot be handed over: {source:#}"))?;
        let file = file.to_str().ok_or("the comment cannot be handed over: its path is no text")?;
        self.call(&["api", "--method", method, path, "--input", file, "--silent"]).map(drop)
    }

    fn call(&self, words: &[&str]) -> Result<String, String> {
        let count = self.count.get();
        self.count.set(count + 1);
        let stdout = self.scratch.join(format!("gh-{count}"));
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        // Nobody is there to answer a question or to turn a page.
        let env = vec![
            ("GH_PROMPT_DISABLED", "1".into()),
            ("GH_NO_UPDATE_NOTIFIER", "1".into()),
            ("GH_PAGER", "".into()),
            ("NO_COLOR", "1".into()),
            ("CLICOLOR_FORCE", "0".into()),
        ];
        let job = Job {
            program: &self.gh,
            words: &words,
            cwd: self.root,
            env,
            stdout: stdout.clone(),
            limit_ns: Some(LIMIT_NS),
            binding: None,
        };
        let ran = child::run(&job).map_err(|source| format!("`gh` cannot be started: {source}"))?;
        match ran.exit {
            Exit::Code(0) => {}
            Exit::TimeLimit => return Err("`gh` did not answer within 30 s".to_owned()),
            exit @ (Exit::Code(_) | Exit::Signal(_) | Exit::Unknown) => {
                let said = std::fs::read(child::errors(&stdout)).unwrap_or_default();
                let said = String::from_utf8_lossy(&said);
                let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                let first: String = first.chars().take(300).collect();
                return Err(format!("`gh` ended with {exit:?}: {first}"));
            }
        }
        let about = std::fs::metadata(&stdout).map_err(|source| format!("`gh`: {source}"))?;
        if about.len() > BYTES_MAX {
            return Err("`gh` says more than an answer may hold".to_owned());
        }
        std::fs::read_to_string(&stdout).map_err(|source| format!("`gh`: {source}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t40_what_is_not_known_to_be_of_this_repository_is_a_fork() {
        let event = |head: Value| {
            json!({ "pull_request": {
                "number": 7, "base": { "repo": { "full_name": "o/r" } }, "head": { "repo": head },
            } })
        };
        let own = event(json!({ "full_name": "o/r" }));
        assert_eq!(of_event(&own), Ok(Pull { repository: "o/r".to_owned(), number: 7 }));
        let mut without_number = own.clone();
        without_number["pull_request"]["number"] = Value::Null;
        let mut zero = own.clone();
        zero["pull_request"]["number"] = 0.into();
        let mut hostile = own.clone();
        hostile["pull_request"]["base"]["repo"]["full_name"] = "o/r/../../x".into();
        let mut nameless = own.clone();
        nameless["pull_request"]["base"] = Value::Null;
        let table = [
            ("another repository", event(json!({ "full_name": "mallory/r" }))),
            ("a fork that is gone", event(Value::Null)),
            ("a head without a name", event(json!({}))),
            ("a name that is no text", event(json!({ "full_name": 7 }))),
            ("called a fork", event(json!({ "full_name": "o/r", "fork": true }))),
            ("no pull request", json!({ "push": {} })),
            ("a pull request that is none", json!({ "pull_request": 7 })),
            ("no number", without_number),
            ("number 0", zero),
            ("a path for a name", hostile),
            ("no base", nameless),
            ("an empty event", json!({})),
            ("a list", json!([])),
        ];
        for (case, event) in table {
            assert!(of_event(&event).is_err(), "{case}");
        }
    }

    #[test]
    fn a_report_that_is_over_keeps_its_marker_in_the_first_line() {
        let text = resolved("<!-- m -->\n\n### Canary\n");
        assert_eq!(text.lines().next(), Some("<!-- m -->"));
        assert!(text.contains("**Resolved.**") && text.contains("### Canary"), "{text}");
    }
}
