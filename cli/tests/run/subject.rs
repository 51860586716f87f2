//! What a verdict is about: the commit that is checked out, as git shows it, and the one that a forge asks about.

use super::{command, elsewhere, has_nextest, text, write};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

#[expect(clippy::disallowed_methods, reason = "the test makes a repository")]
fn git(tree: &Path, words: &[&str]) -> String {
    let made = Command::new("git").current_dir(tree).args(words).output().expect("git");
    assert!(made.status.success(), "{words:?}: {}", text(&made));
    String::from_utf8_lossy(&made.stdout).trim().to_owned()
}

/// The sample as a repository with one commit.
fn committed(tree: &Path) -> String {
    git(tree, &["init", "-q"]);
    git(tree, &["add", "-A"]);
    git(tree, &["-c", "user.name=n", "-c", "user.email=e@x", "commit", "-qm", "one"]);
    git(tree, &["rev-parse", "HEAD"])
}

struct Asked {
    tree: PathBuf,
    target: PathBuf,
}

impl Asked {
    fn dir(&self) -> PathBuf {
        self.target.join("portcullis/runs/subject")
    }

    /// Runs one kind of tests in a directory that is new each time.
    fn run(&self, lane: &str, env: &[(&str, &str)]) -> Output {
        drop(fs::remove_dir_all(self.dir()));
        let words = ["run", "--kind", "unit", "--lane", lane];
        let mut command = command(&self.tree, &words);
        command.env("PORTCULLIS_RUN_ID", "subject").envs(env.iter().copied());
        command.output().expect("it starts")
    }
}

fn said(output: &Output, code: i32, part: &str, case: &str) {
    let said = text(output);
    assert_eq!(output.status.code(), Some(code), "{case}: {said}");
    assert!(said.contains(part), "{case}: no `{part}` in {said}");
}

#[test]
fn fg51_an_edit_that_git_was_told_not_to_show_blocks() {
    if !has_nextest() {
        return;
    }
    let (tree, target, _guard) = elsewhere();
    committed(&tree);
    let asked = Asked { tree: tree.clone(), target };
    said(&asked.run("pr", &[]), 0, "PASS", "the control");
    let edited = "src/lib.rs";
    let before = fs::read_to_string(tree.join(edited)).expect("a source");
    type Hide = fn(&Path);
    let table: &[(&str, Hide, Hide)] = &[
        (
            "assume-unchanged",
            |tree| drop(git(tree, &["update-index", "--assume-unchanged", "src/lib.rs"])),
            |tree| drop(git(tree, &["update-index", "--no-assume-unchanged", "src/lib.rs"])),
        ),
        (
            "skip-worktree",
            |tree| drop(git(tree, &["update-index", "--skip-worktree", "src/lib.rs"])),
            |tree| drop(git(tree, &["update-index", "--no-skip-worktree", "src/lib.rs"])),
        ),
        (
            "info/exclude",
            |tree| {
                write(&tree.join(".git/info/exclude"), "hidden.rs\n");
                write(&tree.join("src/hidden.rs"), "// hidden\n");
            },
            |tree| fs::remove_file(tree.join("src/hidden.rs")).expect("removed"),
        ),
    ];
    for (case, hide, show) in table {
        hide(&tree);
        write(&tree.join(edited), &format!("{before}// an edit\n"));
        said(&asked.run("pr", &[]), 11, "tree_digest_mismatch", case);
        said(&asked.run("local", &[]), 0, "PASS", "on one's own machine it only never certifies");
        write(&tree.join(edited), &before);
        show(&tree);
    }
    said(&asked.run("pr", &[]), 0, "PASS", "the control at the end");
}

#[test]
fn fg78_a_verdict_about_the_head_is_not_shown_for_the_merge() {
    if !has_nextest() {
        return;
    }
    let (tree, target, _guard) = elsewhere();
    let head = committed(&tree);
    let merge = "0123456789abcdef0123456789abcdef01234567";
    let asked = Asked { tree: tree.clone(), target };
    let forge = |event: &'static str, sha: &'static str| {
        [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", event), ("GITHUB_SHA", sha)]
    };
    for event in ["pull_request", "push", "merge_group"] {
        said(&asked.run("pr", &forge(event, merge)), 12, "subject_mismatch", event);
        let state = fs::read_to_string(asked.dir().join("decision.json")).expect("a decision");
        assert!(state.contains("\"verdict\": \"invalid\""), "{state}");
    }
    said(&asked.run("pr", &forge("schedule", merge)), 0, "PASS", "it is shown for a branch");
    let own: &'static str = head.leak();
    said(&asked.run("pr", &forge("pull_request", own)), 0, "PASS", "the control");
    // The same run, where another commit is asked about.
    let dir = asked.dir();
    let dir = dir.to_str().expect("a path");
    let page = tree.join("page.html");
    let page = page.to_str().expect("a path");
    let words: [&[&str]; 2] = [&["export", "badge", "--run", dir], &["report", dir, "--out", page]];
    for words in words {
        let show = |sha| {
            command(&tree, words).envs(forge("pull_request", sha)).output().expect("it starts")
        };
        said(&show(merge), 12, "subject_mismatch", words[0]);
        assert!(!Path::new(page).exists(), "what is refused is not written");
        said(&show(own), 0, "", words[0]);
    }
    let shown = fs::read_to_string(page).expect("a page");
    assert!(shown.starts_with("<!DOCTYPE html>") && shown.contains(own), "{shown}");
}

/// The page is written where it is said to be, and handed to the program that opens pages.
#[cfg(unix)]
#[test]
fn a_report_is_opened_by_the_program_of_the_system() {
    use std::os::unix::fs::PermissionsExt as _;
    if !has_nextest() {
        return;
    }
    let case = super::Case::new("report");
    case.runs("fails", &["run", "--kind", "e2e"], 10);
    let tools = tempfile::tempdir().expect("a folder");
    let seen = tools.path().join("seen");
    let search = super::host("PATH").expect("a search path").into_string().expect("a text");
    let ask = |open: bool, path: &str| {
        let words: &[&str] =
            if open { &["report", "report", "--open"] } else { &["report", "report"] };
        command(super::root(), words).env("PATH", path).output().expect("it starts")
    };
    let plain = ask(false, &search);
    said(&plain, 0, "report.html", "without opening");
    let page = String::from_utf8_lossy(&plain.stdout).trim().to_owned();
    assert!(fs::read_to_string(&page).expect("a page").contains("sample::ends fails"));
    for name in ["xdg-open", "open"] {
        let path = tools.path().join(name);
        write(&path, &format!("#!/bin/sh\nprintf %s \"$1\" > '{}'\n", seen.display()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    said(&ask(true, &format!("{}:{search}", tools.path().display())), 0, "report.html", "opened");
    assert_eq!(fs::read_to_string(&seen).expect("the opener was asked"), page);
    for name in ["xdg-open", "open"] {
        write(&tools.path().join(name), "#!/bin/sh\nexit 3\n");
    }
    let refused = ask(true, &format!("{}:{search}", tools.path().display()));
    said(&refused, 3, "open it by hand", "an opener that fails");
    said(
        &super::command(super::root(), &["report", "never"]).output().expect("it starts"),
        12,
        "",
        "none",
    );
}
