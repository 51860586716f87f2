use super::*;
use crate::evidence::process::{self, Request};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, time::Duration};

fn environment(dir: &Path) -> Environment {
    let path = Environment::capture(&[]).search_path().expect("a search path").to_owned();
    let home = dir.join("home");
    fs::create_dir_all(&home).expect("a folder");
    Environment::from_pairs([("PATH", path), ("HOME", home.into_os_string())])
}

/// A repository with one commit, in a folder of its own.
struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    fn empty() -> Self {
        let sandbox = Self { dir: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir(sandbox.root()).expect("a folder");
        sandbox
    }

    fn new() -> Self {
        let sandbox = Self::empty();
        sandbox.git(&["init", "-q", "-b", "main"]);
        sandbox.write("a.txt", "one\n");
        sandbox.commit("first");
        sandbox
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    fn write(&self, path: &str, text: &str) {
        let full = self.root().join(path);
        fs::create_dir_all(full.parent().expect("a parent")).expect("a folder");
        fs::write(full, text).expect("a file");
    }

    fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"]).trim_end().to_owned()
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.root(), arguments)
    }

    fn git_in(&self, cwd: &Path, arguments: &[&str]) -> String {
        let seen = self.run_git(cwd, arguments);
        assert!(seen.is_success(), "git {arguments:?}: {}", seen.stderr.text());
        seen.stdout.text()
    }

    fn run_git(&self, cwd: &Path, arguments: &[&str]) -> process::Finished {
        let environment = environment(self.dir.path());
        let program = super::super::tool::find("git", environment.search_path(), &self.root());
        let program = program.expect("a search path").expect("git is installed");
        let mut argv = vec![program.display().to_string()];
        argv.extend(arguments.iter().map(ToString::to_string));
        let mut env: BTreeMap<String, String> =
            environment.child_env::<&str>(&[]).expect("an environment");
        for role in ["AUTHOR", "COMMITTER"] {
            env.insert(format!("GIT_{role}_NAME"), "A".to_owned());
            env.insert(format!("GIT_{role}_EMAIL"), "a@example.org".to_owned());
            env.insert(format!("GIT_{role}_DATE"), "1780221600 +0000".to_owned());
        }
        let timeout = Duration::from_secs(60);
        let cwd = cwd.to_path_buf();
        process::run(&Request { argv, cwd, env, timeout, capture_bytes: 1 << 20 }).expect("git")
    }

    fn port(&self) -> Git {
        self.port_at(&self.root())
    }

    fn port_at(&self, root: &Path) -> Git {
        Git::new(root, Some(&self.dir.path().join("cache")))
            .with_environment(environment(self.dir.path()))
    }
}

fn rel(path: &str) -> RelPath {
    RelPath::parse(path).expect("a path")
}

fn code<T: std::fmt::Debug>(result: Result<T, Fault>) -> &'static str {
    result.expect_err("a fault").code().name()
}

#[test]
fn head_is_read_however_it_is_stored() {
    let sandbox = Sandbox::new();
    let expected = sandbox.git(&["rev-parse", "HEAD", "HEAD^{tree}"]);
    let expected: Vec<&str> = expected.lines().collect();
    let check = |case: &str, root: &Path| {
        for round in ["asked", "remembered"] {
            let head = sandbox.port_at(root).head().expect(case).expect(case);
            assert_eq!(
                [head.commit.as_str(), head.tree.as_str()],
                expected.as_slice(),
                "{case}, {round}"
            );
            assert_eq!(head.committed_at.unix_ms(), 1_780_221_600_000, "{case}, {round}");
        }
    };
    check("a loose branch", &sandbox.root());
    assert!(sandbox.dir.path().join("cache").join(format!("head-{}", expected[0])).exists());
    sandbox.write("sub/folder/b.txt", "");
    check("a folder of the repository", &sandbox.root().join("sub/folder"));
    sandbox.git(&["pack-refs", "--all"]);
    check("a packed branch", &sandbox.root());
    let linked = sandbox.dir.path().join("linked");
    sandbox.git(&["worktree", "add", "-q", &linked.display().to_string()]);
    check("a linked work tree", &linked);
    sandbox.git(&["checkout", "-q", "--detach"]);
    check("a detached head", &sandbox.root());
}

#[test]
fn a_branch_that_moved_is_not_the_remembered_one() {
    let sandbox = Sandbox::new();
    let first = sandbox.port().head().expect("a head").expect("a commit");
    let second = sandbox.commit("second");
    let head = sandbox.port().head().expect("a head").expect("a commit");
    assert_eq!(head.commit, second);
    assert_ne!(head.commit, first.commit);
}

#[test]
fn t17_in_ci_no_cache_says_what_time_it_is() {
    let sandbox = Sandbox::new();
    let head = sandbox.port().head().expect("a head").expect("a commit");
    let late = facts::parse(
        &head.commit,
        format!("tree {}\ncommitter A <a> 946684800 +0000\n\n", head.tree).as_bytes(),
    );
    facts::remember(&sandbox.dir.path().join("cache"), &late.expect("a commit"));
    for (ci, expected) in [("", 946_684_800_000), ("true", 1_780_221_600_000)] {
        let environment = Environment::from_pairs([
            ("PATH", environment(sandbox.dir.path()).search_path().expect("a path").to_owned()),
            ("CI", ci.into()),
        ]);
        let git = Git::new(&sandbox.root(), Some(&sandbox.dir.path().join("cache")))
            .with_environment(environment);
        let seen = git.head().expect("a head").expect("a commit").committed_at.unix_ms();
        assert_eq!(seen, expected, "CI={ci}");
    }
}

#[test]
fn no_repository_and_no_commit_are_answers_and_a_broken_one_is_not() {
    let sandbox = Sandbox::empty();
    assert_eq!(sandbox.port().head().expect("no repository"), None);
    assert_eq!(code(sandbox.port().is_dirty()), "git_failed");
    sandbox.git(&["init", "-q", "-b", "main"]);
    assert_eq!(sandbox.port().head().expect("no commit yet"), None);
    sandbox.write("a.txt", "");
    let commit = sandbox.commit("first");
    fs::remove_file(sandbox.root().join(".git/objects").join(&commit[..2]).join(&commit[2..]))
        .expect("an object");
    assert_eq!(code(sandbox.port().head()), "git_failed", "the commit object is gone");
    fs::write(sandbox.root().join(".git/HEAD"), "nonsense\n").expect("a file");
    assert_eq!(code(sandbox.port().head()), "git_failed", "the repository is broken");
}

#[test]
fn every_change_makes_the_tree_dirty() {
    type Change = fn(&Sandbox);
    let table: &[(&str, Change, &[&str])] = &[
        ("nothing", |_| {}, &[]),
        ("an edit", |sandbox| sandbox.write("a.txt", "two\n"), &["a.txt"]),
        (
            "a deletion",
            |sandbox| fs::remove_file(sandbox.root().join("a.txt")).expect("a file"),
            &["a.txt"],
        ),
        (
            "an untracked file with a blank and a tab",
            |sandbox| sandbox.write("b c\td", ""),
            &["b c\td"],
        ),
        ("an untracked file below", |sandbox| sandbox.write("x/y/\u{e4}", ""), &["x/y/\u{e4}"]),
        (
            "a staged rename is both names",
            |sandbox| drop(sandbox.git(&["mv", "a.txt", "z.txt"])),
            &["a.txt", "z.txt"],
        ),
        (
            "a mode",
            |sandbox| {
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(sandbox.root().join("a.txt"), mode).expect("a mode");
            },
            &["a.txt"],
        ),
    ];
    for (case, change, changed) in table {
        let sandbox = Sandbox::new();
        change(&sandbox);
        let git = sandbox.port();
        assert_eq!(git.is_dirty().expect(case), !changed.is_empty(), "{case}");
        assert_eq!(git.changed_files("HEAD").expect(case), *changed, "{case}");
    }
}

#[test]
fn fg51_hidden_edits_are_found() {
    type Hide = fn(&Sandbox);
    let table: &[(&str, Hide, &[&str])] = &[
        ("nothing is hidden", |sandbox| sandbox.write("plain.txt", ""), &[]),
        (
            "a committed ignore file may hide",
            |sandbox| {
                sandbox.write(".gitignore", "*.log\n");
                sandbox.commit("ignore");
                sandbox.write("x.log", "");
            },
            &[],
        ),
        (
            "assume-unchanged",
            |sandbox| {
                sandbox.git(&["update-index", "--assume-unchanged", "a.txt"]);
                sandbox.write("a.txt", "hidden\n");
            },
            &["a.txt"],
        ),
        (
            "skip-worktree",
            |sandbox| {
                sandbox.git(&["update-index", "--skip-worktree", "a.txt"]);
                sandbox.write("a.txt", "hidden\n");
            },
            &["a.txt"],
        ),
        (
            "info/exclude",
            |sandbox| {
                sandbox.write(".git/info/exclude", "hidden.rs\n");
                sandbox.write("hidden.rs", "");
            },
            &["hidden.rs"],
        ),
        (
            "info/exclude, in a folder of hidden files alone",
            |sandbox| {
                sandbox.write(".git/info/exclude", "*.rs\n");
                sandbox.write("deep/er/hidden.rs", "");
            },
            &["deep/er/hidden.rs"],
        ),
        (
            "an ignore file that hides itself",
            |sandbox| {
                sandbox.write("src/kept.rs", "");
                sandbox.commit("src");
                sandbox.write("src/.gitignore", "*\n");
                sandbox.write("src/hidden.rs", "");
            },
            &["src/.gitignore"],
        ),
    ];
    for (case, hide, hidden) in table {
        let sandbox = Sandbox::new();
        hide(&sandbox);
        assert_eq!(sandbox.port().hidden_edits().expect(case), *hidden, "{case}");
    }
}

#[test]
fn fg52_a_base_that_cannot_be_resolved_is_an_error() {
    let sandbox = Sandbox::new();
    let git = sandbox.port();
    for rev in [
        "origin/main",
        "",
        "-h",
        "--all",
        "a\nb",
        "0123456789012345678901234567890123456789",
        "HEAD:a.txt",
    ] {
        let fault = git.merge_base(rev).expect_err(rev);
        assert_eq!(fault.code().name(), "base_unresolvable", "{rev:?}");
        assert!(fault.remedy().contains("fetch-depth: 0"), "{rev:?}");
    }
    sandbox.git(&["checkout", "-q", "--orphan", "other"]);
    sandbox.commit("unrelated");
    assert_eq!(code(sandbox.port().merge_base("main")), "base_unresolvable");
    let shallow = sandbox.dir.path().join("shallow");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.commit("second");
    let url = format!("file://{}", sandbox.root().display());
    sandbox.git_in(
        sandbox.dir.path(),
        &["clone", "-q", "--depth", "1", "--branch", "main", &url, "shallow"],
    );
    assert_eq!(code(sandbox.port_at(&shallow).merge_base("HEAD~1")), "base_unresolvable");
}

#[test]
fn two_trees_are_compared_from_their_merge_base() {
    let sandbox = Sandbox::new();
    let base = sandbox.port().head().expect("a head").expect("a commit").commit;
    sandbox.git(&["checkout", "-q", "-b", "topic"]);
    sandbox.write("sub/b.txt", "b\n");
    sandbox.commit("on the topic");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.write("a.txt", "main\n");
    sandbox.commit("on main");
    sandbox.git(&["checkout", "-q", "topic"]);
    let git = sandbox.port();
    assert_eq!(git.merge_base("main").expect("a base"), base);
    assert_eq!(git.changed_files(&base).expect("changes"), ["sub/b.txt"]);
    assert_eq!(git.commits_since(&base).expect("a count"), 1);
    assert_eq!(
        git.show("main", &rel("a.txt")).expect("a file").as_deref(),
        Some(b"main\n".as_slice())
    );
    assert_eq!(
        git.show(&base, &rel("a.txt")).expect("a file").as_deref(),
        Some(b"one\n".as_slice())
    );
    assert_eq!(git.show(&base, &rel("sub/b.txt")).expect("no file"), None);
    assert_eq!(git.show("HEAD", &rel("sub")).expect("a folder"), None);
    assert_eq!(code(git.show("nowhere", &rel("a.txt"))), "base_unresolvable");
    let below = sandbox.port_at(&sandbox.root().join("sub"));
    assert_eq!(
        below.changed_files(&base).expect("changes"),
        ["b.txt"],
        "paths count from the folder asked about"
    );
    assert!(below.show("HEAD", &rel("b.txt")).expect("a file").is_some());
    std::os::unix::fs::symlink("a.txt", sandbox.root().join("link")).expect("a link");
    sandbox.commit("a link");
    assert_eq!(code(sandbox.port().show("HEAD", &rel("link"))), "link_refused");
}

#[test]
fn trees_are_compared_by_the_ids_of_their_contents() {
    let sandbox = Sandbox::new();
    sandbox.write("sub/b.txt", "one\n");
    sandbox.commit("second");
    let git = sandbox.port();
    let files = git.files_at("HEAD").expect("a tree");
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["a.txt", "sub/b.txt"]);
    sandbox.write("new.txt", "");
    let tracked = git.tracked_files().expect("an answer");
    assert_eq!(tracked.iter().collect::<Vec<_>>(), ["a.txt", "sub/b.txt"]);
    fs::remove_file(sandbox.root().join("new.txt")).expect("a file");
    sandbox.git(&["update-index", "--assume-unchanged", "a.txt"]);
    sandbox.write("a.txt", "two\n");
    let ids = git.ids_of(&[rel("sub/b.txt"), rel("a.txt")]).expect("two ids");
    assert_eq!(ids[0], files["a.txt"].id, "one content has one id");
    assert_ne!(ids[1], files["a.txt"].id, "the index is not asked");
    assert_eq!(code(git.ids_of(&[rel("gone.txt")])), "git_failed");
    let many: Vec<RelPath> = (0..3_000).map(|_| rel("sub/b.txt")).collect();
    assert_eq!(git.ids_of(&many).expect("ids").len(), many.len(), "more than one process takes");
    let below = sandbox.port_at(&sandbox.root().join("sub"));
    assert_eq!(below.files_at("HEAD").expect("a tree").keys().collect::<Vec<_>>(), ["b.txt"]);
    assert_eq!(below.ids_of(&[rel("b.txt")]).expect("an id"), [ids[0].clone()]);
    let touched = git.touched("HEAD").expect("an answer");
    assert!(touched.contains("a.txt") && !touched.contains("sub/b.txt"));
    sandbox.git(&["mv", "sub/b.txt", "c.txt"]);
    sandbox.commit("a rename");
    let renames = git.renames("HEAD~1").expect("an answer");
    assert_eq!(renames.get("sub/b.txt").map(String::as_str), Some("c.txt"));
}

#[test]
fn the_default_branch_is_what_is_known_of_it() {
    let sandbox = Sandbox::new();
    let git = sandbox.port();
    assert_eq!(git.default_branch().expect("an answer").as_deref(), Some("main"));
    sandbox.git(&["branch", "-m", "trunk"]);
    assert_eq!(git.default_branch().expect("an answer").as_deref(), Some("trunk"), "the only one");
    sandbox.git(&["branch", "other"]);
    assert_eq!(git.default_branch().expect("an answer"), None, "nobody says which");
    sandbox.git(&["update-ref", "refs/remotes/origin/other", "HEAD"]);
    sandbox.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/other"]);
    assert_eq!(git.default_branch().expect("an answer").as_deref(), Some("origin/other"));
}

#[test]
fn a_base_is_something_the_change_was_made_from() {
    let sandbox = Sandbox::new();
    let first = sandbox.port().head().expect("a head").expect("a commit").commit;
    sandbox.git(&["checkout", "-q", "-b", "topic"]);
    sandbox.commit("second");
    sandbox.git(&["checkout", "-q", "main"]);
    assert_eq!(sandbox.port().ancestor(&first).expect("itself"), first);
    assert_eq!(code(sandbox.port().ancestor("topic")), "base_not_ancestor");
    assert_eq!(code(sandbox.port().ancestor("nowhere")), "base_unresolvable");
    sandbox.git(&["checkout", "-q", "topic"]);
    assert_eq!(sandbox.port().ancestor("main").expect("an ancestor"), first);
}

#[test]
fn t33_nothing_of_a_hostile_repository_runs() {
    let sandbox = Sandbox::new();
    let marker = sandbox.dir.path().join("marker");
    let evil = sandbox.dir.path().join("evil.sh");
    fs::write(&evil, format!("#!/bin/sh\ntouch {}\ncat\n", marker.display())).expect("a script");
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).expect("a mode");
    let evil = evil.display().to_string();
    sandbox.write(".gitattributes", "*.txt filter=evil diff=evil\n");
    sandbox.write("b.txt", "b\n");
    let base = sandbox.commit("second");
    for hook in ["post-index-change", "reference-transaction", "fsmonitor-watchman"] {
        sandbox.write(
            &format!(".git/hooks/{hook}"),
            &format!("#!/bin/sh\ntouch {}\n", marker.display()),
        );
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(sandbox.root().join(".git/hooks").join(hook), mode).expect("a mode");
    }
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "gpg.program",
        "core.sshCommand",
    ] {
        sandbox.git(&["config", key, &evil]);
    }
    sandbox.git(&["config", "filter.evil.required", "true"]);
    sandbox.git(&["config", "log.showSignature", "true"]);
    // The content is the same and its time is not, so `status` must hash the file again, through its filters.
    sandbox.write("a.txt", "one\n");
    sandbox.write("b.txt", "changed\n");
    let git = sandbox.port();
    git.head().expect("a head");
    assert_eq!(git.changed_files(&base).expect("changes"), ["b.txt"]);
    assert!(git.is_dirty().expect("a status"));
    git.hidden_edits().expect("no hidden edits");
    git.merge_base("HEAD").expect("a base");
    git.show("HEAD", &rel("a.txt")).expect("a file");
    git.touched(&base).expect("an answer");
    git.files_at(&base).expect("a tree");
    git.ids_of(&[rel("a.txt"), rel("b.txt")]).expect("two ids");
    git.renames(&base).expect("an answer");
    git.ancestor(&base).expect("an ancestor");
    assert!(!marker.exists(), "a configured program ran");
    sandbox.run_git(&sandbox.root(), &["status"]);
    assert!(marker.exists(), "the trap does not work, so this test proves nothing");
}

#[test]
fn t33_another_work_tree_or_another_object_is_not_looked_at() {
    let sandbox = Sandbox::new();
    let head = sandbox.port().head().expect("a head").expect("a commit");
    let decoy = sandbox.dir.path().join("decoy");
    fs::create_dir(&decoy).expect("a folder");
    fs::copy(sandbox.root().join("a.txt"), decoy.join("a.txt")).expect("a copy");
    sandbox.git(&["config", "core.worktree", &decoy.display().to_string()]);
    sandbox.write("a.txt", "edited\n");
    assert!(sandbox.port().is_dirty().expect("a status"), "the edit is hidden by core.worktree");
    let empty = sandbox.git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
    let replaced = sandbox.git(&["commit-tree", "-m", "another tree", empty.trim_end()]);
    sandbox.git(&["replace", &head.commit, replaced.trim_end()]);
    fs::remove_dir_all(sandbox.dir.path().join("cache")).expect("a cache");
    assert_eq!(sandbox.port().head().expect("a head"), Some(head), "a replacement changes nothing");
}
