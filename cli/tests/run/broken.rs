//! What is wrong around a run: each has a clear word for it, the right exit code, and nothing that is lost.

use super::{
    Case, command, copy_bytes, edit_document, elsewhere, has_nextest, host, reseal, root, text,
    write,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A sealed run of a name, and a folder with a copy of it.
fn sealed(name: &str) -> (Case, tempfile::TempDir, PathBuf) {
    let case = Case::new(name);
    case.runs("fails", &["run", "--profile", "full"], 10);
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("run");
    copy_bytes(&case.dir(), &dir);
    (case, folder, dir)
}

fn said(words: &[&str], code: i32, part: &str, case: &str) {
    let output = command(root(), words).output().expect("it starts");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(code), "{case}, {words:?}: {said}");
    assert!(said.contains(part), "{case}, {words:?}: no `{part}` in {said}");
    assert!(!said.contains("panicked at cli"), "{case}: {said}");
}

#[test]
fn a_run_directory_that_is_not_what_it_was_is_refused_by_every_reader() {
    if !has_nextest() {
        return;
    }
    type Edit = fn(&Path);
    let table: &[(&str, Edit, &str)] = &[
        (
            "a newer schema of the run",
            |dir| edit_document(dir, "run.json", |run| run["schema"] = "portcullis.run.v2".into()),
            "schema_unsupported",
        ),
        (
            "a newer schema of the plan, sealed",
            |dir| {
                edit_document(dir, "plan.json", |plan| {
                    plan["schema"] = "portcullis.plan.v2".into()
                });
                reseal(dir);
            },
            "schema_unsupported",
        ),
        (
            "a truncated manifest",
            |dir| {
                let path = dir.join("manifest.json");
                let text = fs::read_to_string(&path).expect("a manifest");
                write(&path, &text[..text.len() / 2]);
            },
            "",
        ),
        (
            "an edited receipt",
            |dir| {
                edit_document(dir, "gates/health/attempt-1/verdict.json", |verdict| {
                    verdict["outcome"] = "warn".into();
                });
            },
            "digest_mismatch",
        ),
        (
            "no run record",
            |dir| fs::remove_file(dir.join("run.json")).expect("removed"),
            "run_unreadable",
        ),
    ];
    let (_case, folder, dir) = sealed("broken-base");
    for (name, edit, part) in table {
        let copy = folder.path().join("copy");
        drop(fs::remove_dir_all(&copy));
        copy_bytes(&dir, &copy);
        edit(&copy);
        let path = copy.to_str().expect("a path");
        said(&["verify", path], 12, part, name);
        let base = dir.to_str().expect("a path");
        for words in [
            vec!["diff", base, path],
            vec!["run", "--kind", "unit", "--diff-from", path],
            vec!["rerun", path],
            vec!["replay", path],
        ] {
            let output = command(root(), &words).output().expect("it starts");
            let code = output.status.code();
            assert!(matches!(code, Some(3 | 12)), "{name}, {words:?}: {}", text(&output));
        }
        said(&["merge", path], 12, "", name);
    }
}

#[test]
fn two_runs_of_one_id_never_mix() {
    if !has_nextest() {
        return;
    }
    let (case, folder, dir) = sealed("one-id");
    let other = folder.path().join("other");
    copy_bytes(&dir, &other);
    edit_document(&other, "gates/health/attempt-1/verdict.json", |verdict| {
        verdict["duration_ms"] = 77.into();
    });
    reseal(&other);
    // A receipt of the one in the directory of the other: the id is the same, the digest is not.
    let name = "gates/health/attempt-1/verdict.json";
    fs::copy(other.join(name), dir.join(name)).expect("copied");
    said(&["verify", dir.to_str().expect("a path")], 12, "digest_mismatch", "mixed");
    let said = case.runs("", &["run", "--kind", "unit"], 3);
    assert!(said.contains("attempt_conflict"), "{said}");
}

/// The sample in a folder that is no repository of git, and in one whose HEAD names no branch.
#[test]
fn without_git_and_with_a_detached_head_a_run_works_and_says_which() {
    if !has_nextest() {
        return;
    }
    let (tree, target, _guard) = elsewhere();
    let asked = |words: &[&str], id: &str| {
        let output =
            command(&tree, words).env("PORTCULLIS_RUN_ID", id).output().expect("it starts");
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", text(&output));
        let dir = target.join("portcullis/runs").join(id);
        let run = fs::read_to_string(dir.join("run.json")).expect("a run");
        let decision = fs::read_to_string(dir.join("decision.json")).expect("a decision");
        fs::remove_dir_all(&dir).expect("removed");
        (run, decision)
    };
    for id in ["no-git", "detached"] {
        drop(fs::remove_dir_all(target.join("portcullis/runs").join(id)));
    }
    let (run, decision) = asked(&["run", "--profile", "full"], "no-git");
    assert!(run.contains("\"commit\": null"), "{run}");
    assert!(decision.contains("there is no commit"), "it certifies nothing: {decision}");
    for words in [
        &["init", "-q"][..],
        &["add", "-A"],
        &["-c", "user.name=n", "-c", "user.email=e@x", "commit", "-qm", "one"],
        &["checkout", "-q", "--detach"],
    ] {
        #[expect(clippy::disallowed_methods, reason = "the test makes a repository")]
        let made = Command::new("git").current_dir(&tree).args(words).output().expect("git");
        assert!(made.status.success(), "{}", text(&made));
    }
    let (run, decision) = asked(&["run", "--profile", "full"], "detached");
    assert!(!run.contains("\"commit\": null"), "{run}");
    assert!(decision.contains("\"certifiable\": true"), "{decision}");
}

/// A `cargo-nextest` of this answer, before everything else on the search path.
#[cfg(unix)]
fn stub(folder: &Path, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("cargo-nextest");
    write(&path, script);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    let rest = host("PATH").expect("a search path").into_string().expect("a text");
    format!("{}:{rest}", folder.display())
}

/// The search path without the folders that have nextest, and what else they have that a run needs.
#[cfg(unix)]
pub(super) fn without_nextest(folder: &Path) -> String {
    let search = host("PATH").expect("a search path").into_string().expect("a text");
    let tools = folder.join("tools");
    fs::create_dir(&tools).expect("a folder");
    for name in ["cargo", "rustc", "rustdoc", "git"] {
        let found =
            search.split(':').map(|dir| Path::new(dir).join(name)).find(|path| path.exists());
        std::os::unix::fs::symlink(found.expect("a tool"), tools.join(name)).expect("a link");
    }
    let mut bare = vec![tools.to_str().expect("a path")];
    bare.extend(search.split(':').filter(|dir| !Path::new(dir).join("cargo-nextest").exists()));
    bare.join(":")
}

#[cfg(unix)]
#[test]
fn an_engine_that_is_too_old_or_lacks_what_is_asked_ends_a_run_before_it_begins() {
    if !has_nextest() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let old = stub(folder.path(), "#!/bin/sh\necho 'cargo-nextest 0.9.99 (old)'\n");
    let bare = without_nextest(folder.path());
    let table: [(&str, &str, &[&str], &str); 5] = [
        ("old", &old, &["run"], "0.9.100 or newer"),
        ("missing, filtersets", &bare, &["run", "-E", "all()"], "only it knows filtersets"),
        ("missing, an archive", &bare, &["run", "--archive", "x"], "only it knows archives"),
        ("missing, no build", &bare, &["run", "--no-build"], "only it knows kept builds"),
        ("missing, a plan", &bare, &["plan", "-E", "all()"], "only it knows filtersets"),
    ];
    for (name, path, words, part) in table {
        let case = Case::new("engine-refused");
        let mut run = case.command("", words);
        let output = run.env("PATH", path).output().expect("it starts");
        let said = text(&output);
        assert_eq!(output.status.code(), Some(3), "{name}: {said}");
        assert!(said.contains(part) && said.contains("cargo install"), "{name}: {said}");
        assert!(!case.dir().exists(), "{name}: nothing was begun");
    }
}

#[cfg(unix)]
#[test]
#[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
fn a_target_folder_that_cannot_be_written_is_said_to_be_one() {
    use std::os::unix::fs::PermissionsExt as _;
    if !has_nextest() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("target");
    fs::create_dir_all(&target).expect("a folder");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o555)).expect("read-only");
    if fs::create_dir(target.join("probe")).is_ok() {
        eprintln!(
            "\n*** the superuser writes everywhere: a read-only target is NOT proven here ***\n"
        );
        // A file in the place of the folder is refused to everybody.
        drop(fs::remove_dir_all(&target));
        write(&target, "a file\n");
    }
    let case = Case::new("read-only");
    let mut run = case.command("", &["run", "--kind", "unit"]);
    let output = run.env("CARGO_TARGET_DIR", &target).output().expect("it starts");
    let said = text(&output);
    assert!(matches!(output.status.code(), Some(1 | 3 | 13)), "{said}");
    assert!(said.contains("target"), "{said}");
    drop(fs::set_permissions(&target, fs::Permissions::from_mode(0o755)));
}

/// A disk of two megabytes, which the build fits into a folder beside.
#[cfg(target_os = "linux")]
#[test]
#[expect(clippy::disallowed_methods, reason = "the test mounts a small disk")]
#[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
fn fg76_a_full_disk_is_never_a_pass() {
    if !has_nextest() {
        return;
    }
    let runs = super::sample_target().join("portcullis");
    fs::create_dir_all(&runs).expect("a folder");
    // In a mount namespace of its own, so that nobody else sees the small disk and it goes with the process.
    let script = "mount -t tmpfs -o size=160k none \"$1\" && shift && exec \"$@\"";
    let program = env!("CARGO_BIN_EXE_cargo-portcullis");
    let case = Case::new("full-disk");
    let plain = case.command("fails", &["run", "--profile", "full"]);
    let mut full = Command::new("unshare");
    full.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"])
        .arg(&runs)
        .arg(program)
        .args(["run", "--profile", "full"])
        .current_dir(root())
        .env_clear();
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            full.env(name, value);
        }
    }
    let probe = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", "mount -t tmpfs none /mnt"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("\n*** no mount is allowed here: a full disk is NOT proven ***\n");
        return;
    }
    let output = full.output().expect("it starts");
    let said = text(&output);
    let code = output.status.code();
    assert!(!matches!(code, Some(0 | 10 | 11) | None), "{code:?}: {said}");
    assert!(said.contains("receipt_unwritable") || said.contains("No space left"), "{said}");
}
