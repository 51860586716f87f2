use super::{walk::Limits, *};
use crate::evidence::glob::Globs;

fn rel(text: &str) -> RelPath {
    RelPath::parse(text).expect("a path in a test table")
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let full = dir.path().join(path);
        fs::create_dir_all(full.parent().expect("a parent")).expect("a folder");
        fs::write(full, text).expect("a file");
    }
    let tree = Tree::new(dir.path()).expect("a tree");
    (dir, tree)
}

fn walked(tree: &Tree, patterns: &[&str]) -> Result<Vec<String>, &'static str> {
    let paths =
        tree.walk(&Globs::new(patterns).expect("globs")).map_err(|fault| fault.code().name())?;
    Ok(paths.iter().map(ToString::to_string).collect())
}

#[test]
fn digests_of_many_files_are_those_of_each() {
    let dir = tempfile::tempdir().expect("a folder");
    let names = ["a.txt", "b/c.txt", "b/d.txt", "b/e/f.txt", "g/h.txt"];
    for name in names {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(&path, name.repeat(3000)).expect("a file");
    }
    let tree = Tree::new(dir.path()).expect("a tree");
    let paths: Vec<RelPath> =
        names.iter().map(|name| RelPath::parse(name).expect("a path")).collect();
    let expected: Vec<(Digest, u64)> = names
        .iter()
        .map(|name| {
            let text = name.repeat(3000);
            (Digest::of(text.as_bytes()), text.len() as u64)
        })
        .collect();
    for threads in 1..=7 {
        let threads = std::num::NonZeroUsize::new(threads).expect("not zero");
        assert_eq!(tree.digests(&paths, threads).expect("digests"), expected, "{threads}");
        assert_eq!(tree.digests(&[], threads).expect("nothing"), []);
        let gone = [paths.clone(), vec![RelPath::parse("b/gone.txt").expect("a path")]].concat();
        let fault = tree.digests(&gone, threads).expect_err("a file that is not there");
        assert!(fault.to_string().contains("b/gone.txt"), "{fault}");
    }
}

#[test]
fn files_are_read_within_their_cap() {
    let (_dir, tree) = folder(&[("a/b.txt", "12345"), ("empty", "")]);
    assert_eq!(tree.read(&rel("a/b.txt"), 5).expect("five bytes"), b"12345");
    assert_eq!(tree.read_text(&rel("empty"), 0).expect("no bytes"), "");
    let fault = tree.read(&rel("a/b.txt"), 4).expect_err("one byte too many");
    assert_eq!(fault.code().name(), "input_too_large");
    assert_eq!(
        (fault.expected_text(), fault.found_text()),
        (Some("at most 4 bytes"), Some("5 bytes"))
    );
}

#[test]
fn t07_absence_is_said_and_only_absence_is_no() {
    let (_dir, tree) = folder(&[("a/b.txt", "x")]);
    let table: &[(&str, &str, bool, &str)] = &[
        ("a name that does not exist", "c", false, "input_unreadable"),
        ("a name in a folder that does not exist", "c/d", false, "input_unreadable"),
        ("a name below a file", "a/b.txt/c", false, "input_unreadable"),
        ("a folder", "a", true, "not_a_file"),
    ];
    for (case, path, exists, code) in table {
        assert_eq!(tree.exists(&rel(path)).expect(case), *exists, "{case}");
        let fault = tree.read(&rel(path), 10).expect_err(case);
        assert_eq!(fault.code().name(), *code, "{case}");
        assert_eq!(fault.to_string().contains("does not exist"), !exists, "{case}: {fault}");
    }
    assert!(tree.exists(&rel("a/b.txt")).expect("a file"));
    assert!(Tree::new(&tree.root().join("nowhere")).is_err());
}

#[test]
fn a_text_that_is_not_utf8_names_the_place() {
    let (dir, tree) = folder(&[("bom", "\u{feff}x")]);
    fs::write(dir.path().join("latin1"), b"ok\n\xfcber").expect("a file");
    let fault = tree.read_text(&rel("latin1"), 100).expect_err("latin1");
    assert_eq!(fault.code().name(), "not_utf8");
    assert_eq!(fault.location().map(|place| place.line), Some(2));
    assert_eq!(tree.read_text(&rel("bom"), 100).expect_err("a mark").code().name(), "not_utf8");
}

#[test]
fn a_walk_is_sorted_and_passes_over_what_is_not_source() {
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# made by cargo\n";
    let (_dir, tree) = folder(&[
        ("b.rs", ""),
        ("a/c.rs", ""),
        ("a/c.txt", ""),
        (".git/hooks/x.rs", ""),
        ("target/CACHEDIR.TAG", tag),
        ("target/gen.rs", ""),
        ("fake/target/CACHEDIR.TAG", "not the signature"),
        ("fake/target/d.rs", ""),
        ("hidden/CACHEDIR.TAG", tag),
        ("hidden/e.rs", ""),
    ]);
    let all: &[&str] = &["a/c.rs", "b.rs", "fake/target/d.rs", "hidden/e.rs"];
    let table: &[(&str, &[&str], &[&str])] = &[
        ("everywhere", &["**/*.rs"], all),
        ("an exclusion", &["**/*.rs", "!fake/**", "!hidden/**"], &all[..2]),
        ("a literal file, named twice", &["b.rs", "*.rs"], &all[1..2]),
        ("a literal part leads into a cache", &["target/*.rs"], &["target/gen.rs"]),
        ("a literal part leads into git", &[".git/hooks/*"], &[".git/hooks/x.rs"]),
        ("a literal part that does not exist", &["nowhere/**"], &[]),
        ("nothing matches", &["**/*.go"], &[]),
    ];
    for (case, patterns, expected) in table {
        assert_eq!(walked(&tree, patterns).expect(case), *expected, "{case}");
    }
}

#[test]
fn t26_a_hit_limit_is_never_a_shorter_list() {
    let (_dir, tree) = folder(&[("a/b/c/d.rs", ""), ("a/e.rs", ""), ("f.txt", "")]);
    let table: &[(&str, usize, usize, Option<usize>)] = &[
        ("both limits are just met", 3, 4, Some(2)),
        ("one file too many, though it does not match", 2, 4, None),
        ("one level too deep", 3, 3, None),
    ];
    for (case, files, depth, expected) in table {
        let globs = Globs::new(&["**/*.rs"]).expect("globs");
        let seen = tree.walk_within(&globs, Limits { files: *files, depth: *depth });
        let seen = seen.map(|paths| paths.len()).map_err(|fault| fault.code().name());
        assert_eq!(seen, expected.ok_or("input_too_large"), "{case}");
    }
}

#[cfg(unix)]
mod unix_only {
    use super::*;
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, os::unix::fs::symlink};

    #[test]
    fn t10_a3_no_link_is_followed_at_any_component() {
        let (dir, tree) = folder(&[("real/file", "x"), ("outside/secret", "y")]);
        symlink("real", dir.path().join("folder_link")).expect("a link");
        symlink("real/file", dir.path().join("file_link")).expect("a link");
        symlink("nowhere", dir.path().join("dangling")).expect("a link");
        symlink("../../etc", dir.path().join("real/up")).expect("a link");
        for path in ["folder_link/file", "file_link", "dangling", "real/up/passwd"] {
            let fault = tree.read(&rel(path), 10).expect_err(path);
            assert_eq!(fault.code().name(), "link_refused", "{path}");
            assert!(tree.exists(&rel(path)).is_err(), "{path}: whether it exists is not known");
        }
    }

    #[test]
    fn a_link_that_matches_is_refused_and_others_are_passed_over() {
        let (dir, tree) = folder(&[("src/a.rs", ""), ("docs/b.md", "")]);
        symlink("a.rs", dir.path().join("src/link.rs")).expect("a link");
        symlink("src", dir.path().join("loop")).expect("a link");
        let table: &[(&str, &[&str], Result<usize, &str>)] = &[
            ("the link matches", &["src/*.rs"], Err("link_refused")),
            ("the link is excluded", &["src/*.rs", "!src/link.rs"], Ok(1)),
            ("the link does not match", &["**/*.md"], Ok(1)),
            ("the literal part is a link", &["loop/*.rs"], Err("link_refused")),
            ("the literal file is a link", &["src/link.rs"], Err("link_refused")),
        ];
        for (case, patterns, expected) in table {
            assert_eq!(walked(&tree, patterns).map(|paths| paths.len()), *expected, "{case}");
        }
    }

    #[test]
    fn t28_pipes_and_sockets_are_refused_at_once() {
        let (dir, tree) = folder(&[("plain", "")]);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.path().join("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .expect("a pipe");
        let _listener =
            std::os::unix::net::UnixListener::bind(dir.path().join("socket")).expect("a socket");
        let watch = crate::evidence::clock::Stopwatch::start();
        for path in ["pipe", "socket"] {
            let fault = tree.open(&rel(path), HardLinks::Allow).expect_err(path);
            assert_eq!(fault.code().name(), "not_a_file", "{path}");
        }
        assert!(watch.elapsed_ms() < 1000, "a pipe must not block");
        assert_eq!(walked(&tree, &["*"]), Err("not_a_file"));
        assert_eq!(walked(&tree, &["pl*"]).expect("a plain file"), ["plain"]);
    }

    #[test]
    fn t27_a_second_name_is_refused_where_it_matters() {
        let (dir, tree) = folder(&[("one", "x")]);
        assert!(tree.open(&rel("one"), HardLinks::Refuse).is_ok());
        fs::hard_link(dir.path().join("one"), dir.path().join("two")).expect("a hard link");
        assert!(tree.open(&rel("one"), HardLinks::Allow).is_ok());
        let fault = tree.open(&rel("two"), HardLinks::Refuse).expect_err("a second name");
        assert_eq!(fault.code().name(), "link_refused");
    }

    #[test]
    fn t30_names_that_no_record_could_carry_are_refused_where_they_match() {
        let (dir, tree) = folder(&[("a.rs", ""), ("docs/b.md", "")]);
        fs::write(dir.path().join(OsStr::from_bytes(b"\xff.rs")), "").expect("a file");
        fs::write(dir.path().join("docs/con.md"), "").expect("a file");
        let table: &[(&str, &[&str], Result<usize, &str>)] = &[
            ("a name that is not UTF-8", &["*.rs"], Err("path_refused")),
            ("a name that Windows reserves", &["docs/*.md"], Err("path_refused")),
            ("neither matches", &["a.*"], Ok(1)),
        ];
        for (case, patterns, expected) in table {
            assert_eq!(walked(&tree, patterns).map(|paths| paths.len()), *expected, "{case}");
        }
        assert!(tree.list_dir(None).is_err());
        assert_eq!(
            tree.list_dir(Some(&rel("docs"))).map_err(|fault| fault.code().name()),
            Err("path_refused")
        );
    }

    #[test]
    fn t30_names_that_differ_by_case_only_are_refused() {
        let (_dir, tree) = folder(&[("src/a.rs", ""), ("src/A.rs", ""), ("src/b.md", "")]);
        assert_eq!(walked(&tree, &["src/*.rs"]), Err("path_refused"));
        assert_eq!(walked(&tree, &["src/*.md"]).expect("one file"), ["src/b.md"]);
    }

    #[test]
    fn t29_a_swap_for_a_link_is_never_followed() {
        let (dir, tree) = folder(&[("file", "inside"), ("secret", "outside")]);
        let (name, spare) = (dir.path().join("file"), dir.path().join("spare"));
        std::thread::scope(|scope| {
            let swapper = scope.spawn(|| {
                for round in 0..2_000 {
                    if round % 2 == 0 {
                        symlink("secret", &spare).expect("a link");
                    } else {
                        fs::write(&spare, "inside").expect("a file");
                    }
                    fs::rename(&spare, &name).expect("a swap");
                }
            });
            while !swapper.is_finished() {
                if let Ok(bytes) = tree.read(&rel("file"), 100) {
                    assert_eq!(bytes, b"inside", "the link was followed");
                }
            }
        });
    }
}
