//! Real repositories: what is a change, and what a change is compared with.

use super::*;
use portcullis::{
    Lane, Outcome,
    testing::{Bench, Seen},
};

const FROZEN: &str = "frozen = [{ paths = ['src/**'] }]";
const STAMP: &str = "stamp = [{ path = 'b/*.json', body = ['/m'], header = ['/at', '/why'] }]";

fn bench(config: &str) -> Bench {
    Bench::new(&DIFF_GUARD, config).lane(Lane::Pr)
}

/// A folder that git commands of a test made.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().expect("a folder"));
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        #[expect(clippy::disallowed_methods, reason = "a test writes its own tree")]
        std::fs::write(path, text).expect("a file");
    }

    fn commit(&self) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
        self.git(&["rev-parse", "HEAD"]).trim_end().to_owned()
    }

    #[expect(clippy::disallowed_methods, reason = "a test makes its repository with git itself")]
    fn git(&self, words: &[&str]) -> String {
        let done = std::process::Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.invalid"])
            .args(["-c", "commit.gpgsign=false", "-c", "core.excludesFile="])
            .args(words)
            .current_dir(self.0.path())
            .output()
            .expect("git is installed");
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    fn seen(&self, config: &str) -> Seen {
        bench(config).folder(self.0.path()).run()
    }
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&DIFF_GUARD), Vec::<String>::new());
}

type Files<'a> = &'a [(&'a str, &'a str)];

fn over(config: &str, base: Files<'_>, head: Files<'_>) -> Seen {
    let bench = base
        .iter()
        .fold(bench(config).over(), |bench, (path, text)| bench.base_file(path, text.as_bytes()));
    head.iter().fold(bench, |bench, (path, text)| bench.file(path, text.as_bytes())).run()
}

#[test]
fn every_way_to_change_a_frozen_file_is_found() {
    const BASE: Files<'_> = &[("src/a.rs", "a\n"), ("src/b.rs", "b\n"), ("free.rs", "f\n")];
    let table: &[(&str, Files<'_>, &[&str])] = &[
        ("nothing", BASE, &[]),
        ("another file", &[BASE[0], BASE[1], ("free.rs", "g\n"), ("new.rs", "")], &[]),
        ("an edit", &[("src/a.rs", "b\n"), BASE[1], BASE[2]], &["edits"]),
        ("a deletion", &[BASE[0], BASE[2]], &["deletes"]),
        ("a new file", &[BASE[0], BASE[1], BASE[2], ("src/c.rs", "")], &["adds"]),
        ("a rename out", &[BASE[0], BASE[2], ("b.rs", "b\n")], &["deletes"]),
        ("a rename in", &[BASE[0], BASE[1], ("src/free.rs", "f\n")], &["adds"]),
        ("line ends", &[("src/a.rs", "a\r\n"), BASE[1], BASE[2]], &["edits"]),
        (
            "two files swapped",
            &[("src/a.rs", "b\n"), ("src/b.rs", "a\n"), BASE[2]],
            &["edits", "edits"],
        ),
    ];
    for (case, head, expected) in table {
        let seen = over(FROZEN, BASE, head);
        assert_eq!(
            seen.codes,
            vec!["frozen_changed"; expected.len()],
            "{case}: {:?}",
            seen.messages
        );
        for (message, word) in seen.messages.iter().zip(*expected) {
            assert!(message.contains(word), "{case}: {message}");
        }
        assert!(seen.examined >= 2, "{case}: an empty change is not vacuous");
    }
}

#[test]
fn what_an_index_hides_is_a_change_and_what_it_invents_is_none() {
    type Change = fn(&Repository);
    let table: &[(&str, Change, usize)] = &[
        (
            "an edit under assume-unchanged",
            |repository| {
                repository.git(&["update-index", "--assume-unchanged", "src/a.rs"]);
                repository.write("src/a.rs", "hidden\n");
            },
            1,
        ),
        (
            "an edit under skip-worktree",
            |repository| {
                repository.git(&["update-index", "--skip-worktree", "src/a.rs"]);
                repository.write("src/a.rs", "hidden\n");
            },
            1,
        ),
        (
            "a file that info/exclude hides",
            |repository| {
                repository.write(".git/info/exclude", "*.new\n");
                repository.write("src/deep/a.new", "");
            },
            1,
        ),
        (
            "a file that a committed ignore file names",
            |repository| {
                repository.write("src/a.log", "");
            },
            0,
        ),
        ("the same content, written again", |repository| repository.write("src/a.rs", "a\n"), 0),
        (
            "an executable bit",
            |repository| {
                repository.git(&["update-index", "--chmod=+x", "src/a.rs"]);
            },
            0,
        ),
        (
            "staged and committed alike",
            |repository| {
                repository.write("src/a.rs", "b\n");
                repository.git(&["checkout", "-q", "-b", "topic"]);
                repository.commit();
            },
            1,
        ),
        (
            "a committed rename names both",
            |repository| {
                repository.git(&["checkout", "-q", "-b", "topic"]);
                repository.git(&["mv", "src/a.rs", "b.rs"]);
                repository.commit();
            },
            1,
        ),
    ];
    for (case, change, expected) in table {
        let repository = Repository::new();
        repository.write(".gitignore", "*.log\n");
        repository.write("src/a.rs", "a\n");
        repository.commit();
        change(&repository);
        let seen = repository.seen(FROZEN);
        assert_eq!(seen.codes.len(), *expected, "{case}: {:?}", seen.messages);
        assert_ne!(seen.outcome, Outcome::Error, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn line_ends_of_this_system_are_no_change() {
    let repository = Repository::new();
    repository.write(".gitattributes", "* text eol=crlf\n");
    repository.write("src/a.rs", "a\n");
    repository.commit();
    repository.git(&["rm", "-q", "--cached", "-r", "."]);
    repository.git(&["reset", "-q", "--hard"]);
    let text = std::fs::read(repository.0.path().join("src/a.rs")).expect("a file");
    assert_eq!(text, b"a\r\n", "the checkout has other line ends");
    assert_eq!(repository.seen(FROZEN).codes, Vec::<String>::new());
    repository.write("src/a.rs", "b\r\n");
    assert_eq!(repository.seen(FROZEN).codes, ["frozen_changed"]);
}

#[test]
fn the_base_is_the_merge_base_unless_it_is_stated() {
    let repository = Repository::new();
    repository.write("src/a.rs", "a\n");
    let first = repository.commit();
    repository.git(&["checkout", "-q", "-b", "topic"]);
    repository.write("free.rs", "f\n");
    let topic = repository.commit();
    repository.git(&["checkout", "-q", "main"]);
    repository.write("src/a.rs", "main\n");
    repository.commit();
    repository.git(&["checkout", "-q", "topic"]);
    assert_eq!(repository.seen(FROZEN).codes, Vec::<String>::new(), "what main did is not ours");
    let named =
        |rev: &str| bench(FROZEN).folder(repository.0.path()).env("PORTCULLIS_BASE", rev).run();
    assert_eq!(named("main").codes, Vec::<String>::new());
    assert_eq!(named(&first).codes, Vec::<String>::new());
    assert_eq!(named(&"0".repeat(40)).codes, Vec::<String>::new(), "a first push");
    assert_eq!(named("nowhere").code.as_deref(), Some("base_unresolvable"));
    let stated = |rev: &str| repository.seen(&format!("base = '{rev}'\n{FROZEN}"));
    assert_eq!(stated(&first).codes, Vec::<String>::new());
    assert_eq!(stated("main").code.as_deref(), Some("base_not_ancestor"));
    assert_eq!(stated(&topic).outcome, Outcome::Pass, "a person: the change is in the work tree");
    assert_eq!(stated("HEAD").code.as_deref(), Some("base_is_head"));
}

#[test]
fn a_base_that_is_head_hides_what_was_committed() {
    #[expect(clippy::type_complexity, reason = "one table, one case per row")]
    let table: &[(&str, Lane, &[(&str, &str)], Option<&str>)] = &[
        ("a person", Lane::Local, &[], None),
        ("a pull request judged by hand", Lane::Pr, &[], None),
        ("a pull request in CI", Lane::Pr, &[("CI", "true")], Some("base_is_head")),
        ("main", Lane::Main, &[], Some("base_is_head")),
        ("a release", Lane::Release, &[], Some("base_is_head")),
    ];
    for (case, lane, env, expected) in table {
        let start = Bench::new(&DIFF_GUARD, FROZEN).lane(*lane).git().file("src/a.rs", b"a\n");
        let seen = env.iter().fold(start, |bench, (name, value)| bench.env(name, value)).run();
        assert_eq!(seen.code.as_deref(), *expected, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn fg52_a_shallow_clone_has_no_base() {
    let repository = Repository::new();
    repository.write("src/a.rs", "a\n");
    repository.commit();
    repository.git(&["checkout", "-q", "-b", "topic"]);
    repository.write("src/a.rs", "b\n");
    repository.commit();
    let url = format!("file://{}", repository.0.path().display());
    for (case, depth) in [("shallow", "1"), ("whole", "10")] {
        let clone = tempfile::tempdir().expect("a folder");
        let path = clone.path().join("clone");
        let target = path.display().to_string();
        repository.git(&[
            "clone",
            "-q",
            "--depth",
            depth,
            "--no-single-branch",
            "--branch",
            "topic",
            &url,
            &target,
        ]);
        let seen =
            bench(FROZEN).folder(&path).env("CI", "true").env("GITHUB_BASE_REF", "main").run();
        if case == "whole" {
            assert_eq!(seen.codes, ["frozen_changed"], "{:?}", seen.error());
            continue;
        }
        let error = seen.error().expect(case);
        assert_eq!(error.code, "base_unresolvable");
        assert!(format!("{error:?}").contains("fetch-depth: 0"), "{error:?}");
    }
}

#[test]
fn new_values_need_a_new_header() {
    const BASE: &str = "{\"at\":\"1\",\"why\":\"x\",\"m\":{\"a\":1,\"b\":[1,2]}}";
    let table: &[(&str, &str, &[&str])] = &[
        ("nothing", BASE, &[]),
        (
            "spelt in another way",
            "{\"m\": {\"b\": [1.0, 2], \"a\": 1}, \"why\": \"x\", \"at\": \"1\"}",
            &[],
        ),
        ("a new header alone", "{\"at\":\"2\",\"why\":\"x\",\"m\":{\"a\":1,\"b\":[1,2]}}", &[]),
        (
            "one value",
            "{\"at\":\"1\",\"why\":\"x\",\"m\":{\"a\":2,\"b\":[1,2]}}",
            &["values_changed_header_same"],
        ),
        (
            "one value of a list",
            "{\"at\":\"1\",\"why\":\"x\",\"m\":{\"a\":1,\"b\":[1,3]}}",
            &["values_changed_header_same"],
        ),
        (
            "an added value",
            "{\"at\":\"1\",\"why\":\"x\",\"m\":{\"a\":1,\"b\":[1,2],\"c\":3}}",
            &["values_changed_header_same"],
        ),
        (
            "half a header",
            "{\"at\":\"2\",\"why\":\"x\",\"m\":{\"a\":2,\"b\":[1,2]}}",
            &["values_changed_header_same"],
        ),
        (
            "a header that is gone",
            "{\"at\":\"2\",\"m\":{\"a\":2,\"b\":[1,2]}}",
            &["values_changed_header_same"],
        ),
        ("a whole header", "{\"at\":\"2\",\"why\":\"y\",\"m\":{\"a\":2,\"b\":[1,2]}}", &[]),
        ("a lost value", "{\"at\":\"2\",\"why\":\"y\",\"m\":{\"b\":[1,2]}}", &["keys_lost"]),
        (
            "a renamed value",
            "{\"at\":\"2\",\"why\":\"y\",\"m\":{\"z\":1,\"b\":[1,2]}}",
            &["keys_lost"],
        ),
        (
            "a shorter list",
            "{\"at\":\"2\",\"why\":\"y\",\"m\":{\"a\":1,\"b\":[1]}}",
            &["keys_lost"],
        ),
        (
            "no values at all",
            "{\"at\":\"2\",\"why\":\"y\"}",
            &["keys_lost", "keys_lost", "keys_lost"],
        ),
    ];
    for (case, head, expected) in table {
        let seen = over(STAMP, &[("b/p.json", BASE)], &[("b/p.json", head)]);
        assert_eq!(seen.codes, *expected, "{case}: {:?}", seen.messages);
    }
    let renamed = over(STAMP, &[("b/p.json", BASE)], &[("b/q.json", BASE)]);
    assert_eq!(renamed.codes, ["keys_lost"; 3], "the values of the old file are gone");
    let any = STAMP.replace("'/why'] }", "'/why'], keys = 'any' }");
    let lost = "{\"at\":\"2\",\"why\":\"y\",\"m\":{\"b\":[1,2]}}";
    assert_eq!(
        over(&any, &[("b/p.json", BASE)], &[("b/p.json", lost)]).codes,
        Vec::<String>::new()
    );
    let toml = STAMP.replace("*.json", "*.toml");
    let (old, new) = ("at = 1\nwhy = 'x'\nm = { a = 1 }\n", "at = 1\nwhy = 'x'\nm = { a = 2 }\n");
    assert_eq!(
        over(&toml, &[("b/p.toml", old)], &[("b/p.toml", new)]).codes,
        ["values_changed_header_same"]
    );
}

#[test]
fn a_pointer_or_glob_that_leads_nowhere_is_an_error() {
    const FILES: Files<'_> = &[("b/p.json", "{\"at\":\"1\",\"m\":{\"a\":1}}")];
    let table: &[(&str, &str)] = &[
        ("a body", "stamp = [{ path = 'b/*.json', body = ['/n'], header = ['/at'] }]"),
        ("a header", "stamp = [{ path = 'b/*.json', body = ['/m'], header = ['/why'] }]"),
        ("a stamped file", "stamp = [{ path = 'c/*.json', body = ['/m'], header = ['/at'] }]"),
        ("a file with a companion", "sidecar = [{ when = 'c/*', require = 'b/*' }]"),
        ("a frozen file", "frozen = [{ paths = ['b/*.toml'] }]"),
    ];
    for (case, config) in table {
        let seen = over(config, FILES, FILES);
        assert_eq!(seen.code.as_deref(), Some("selector_matches_nothing"), "{case}");
        assert_eq!(seen.outcome, Outcome::Error, "{case}");
        let place = seen.error().and_then(|error| error.location.clone()).expect(case);
        assert_eq!(place.line, 1, "{case}");
    }
}

#[test]
fn a_companion_is_another_file_that_was_written() {
    const BASE: Files<'_> = &[("g/a.txt", "1"), ("g/b.txt", "1"), ("n/a.md", "1"), ("n/b.md", "1")];
    const ANY: &str = "sidecar = [{ when = 'g/*', require = 'n/*' }]";
    const SAME: &str = "sidecar = [{ when = 'g/*', require = 'n/*', same_stem = true }]";
    const SELF: &str = "sidecar = [{ when = 'g/*', require = 'g/*' }]";
    let edited = ("g/a.txt", "2");
    let table: &[(&str, &str, Files<'_>, usize)] = &[
        ("no companion", ANY, &[edited, BASE[1], BASE[2], BASE[3]], 1),
        ("any companion", ANY, &[edited, BASE[1], BASE[2], ("n/b.md", "2")], 0),
        ("a companion of another stem", SAME, &[edited, BASE[1], BASE[2], ("n/b.md", "2")], 1),
        ("a companion of this stem", SAME, &[edited, BASE[1], ("n/a.md", "2"), BASE[3]], 0),
        ("a new companion", ANY, &[edited, BASE[1], BASE[2], BASE[3], ("n/c.md", "")], 0),
        ("a deleted companion", ANY, &[edited, BASE[1], BASE[3]], 1),
        ("a deleted file", ANY, &[BASE[1], BASE[2], BASE[3]], 1),
        ("a file alone is not its own companion", SELF, &[edited, BASE[1], BASE[2], BASE[3]], 1),
        ("two files are each other's", SELF, &[edited, ("g/b.txt", "2"), BASE[2], BASE[3]], 0),
    ];
    for (case, config, head, expected) in table {
        let seen = over(config, BASE, head);
        assert_eq!(seen.codes, vec!["sidecar_missing"; *expected], "{case}: {:?}", seen.messages);
    }
}

#[test]
fn a_table_that_guards_nothing_is_refused() {
    let table: &[(&str, &str)] = &[
        ("no rule", ""),
        ("a stamp without body", "stamp = [{ path = 'a', body = [], header = ['/a'] }]"),
        ("a stamp without header", "stamp = [{ path = 'a', body = ['/a'], header = [] }]"),
        ("an unknown key", "frozen = [{ path = ['a'] }]"),
        (
            "an admission without reason",
            "frozen = [{ paths = ['a'], allow = [{ path = 'a', reason = 'x', expires = 2026-06-01 }] }]",
        ),
        (
            "an admission without end",
            "frozen = [{ paths = ['a'], allow = [{ path = 'a', reason = 'a reason that is long enough' }] }]",
        ),
        (
            "an admission of a free file",
            "frozen = [{ paths = ['a'], allow = [{ path = 'b', reason = 'a reason that is long enough', expires = 2026-06-01 }] }]",
        ),
    ];
    for (case, config) in table {
        let seen = over(config, &[("a", "")], &[("a", "")]);
        assert_eq!(seen.outcome, Outcome::Error, "{case}");
        assert!(
            matches!(seen.code.as_deref(), Some("config_invalid" | "config_unknown_key")),
            "{case}: {:?}",
            seen.code
        );
    }
}
