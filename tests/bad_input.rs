//! Bad input gets a message with file, line, what was expected and what to do. The messages are snapshots.

use portcullis::{
    runner::{
        registry::Registry,
        session::{Package, Session},
    },
    testing::Bench,
};
use portcullis_gates as _;
use std::{fmt::Write as _, fs, io, path::Path};

const HEAD: &str = "[policy]\nversion = 1\nowner = \"team\"\n";
const BINARY: &str = "ci_full_suite_gate";

/// What opening a repository with these files says; nothing when it is accepted.
fn opened(files: &[(&str, &[u8])]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        put(&folder.path().join(name), bytes).expect("a file");
    }
    let registry = Registry::collect().expect("the standard kinds are linked");
    let faults = match Session::open(Package::at(folder.path()), BINARY, &registry) {
        Err(faults) => faults,
        Ok(session) => {
            let prepared =
                session.roster.gates.iter().filter_map(|gate| gate.prepared().err()).flatten();
            prepared
                .chain(session.census_faults().iter().cloned())
                .chain(session.waivers.faults.iter().cloned())
                .collect()
        }
    };
    let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
    text.join("\n").replace(&folder.path().display().to_string(), "<root>")
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write as _;
    fs::File::create_new(path)?.write_all(bytes)
}

fn policy(body: &str) -> String {
    opened(&[("portcullis.toml", format!("{HEAD}{body}").as_bytes()), ("portcullis.lock", b"")])
}

#[test]
fn every_bad_policy_is_refused_with_place_and_remedy() {
    let contract = "[[gate]]\nid = \"g\"\nkind = \"artifact_contract\"\npath = \"a.json\"\nformat = \"json\"\n";
    let table: &[(&str, String)] = &[
        ("no policy file", opened(&[])),
        (
            "an unknown key of a gate",
            policy("[[gate]]\nid = \"g\"\nkind = \"command\"\nargv = [\"git\"]\nblokking = true\n"),
        ),
        (
            "an unknown key of a kind",
            policy("[[gate]]\nid = \"g\"\nkind = \"command\"\nargv = [\"git\"]\nshell = true\n"),
        ),
        ("an unknown table", policy("[gates]\nid = \"g\"\n")),
        ("a wrong type", policy("[[gate]]\nid = \"g\"\nkind = \"command\"\nargv = \"git\"\n")),
        ("a duplicate key", policy("[[gate]]\nid = \"g\"\nid = \"h\"\n")),
        (
            "a duplicate gate",
            policy(
                "[[gate]]\nid = \"g\"\nkind = \"command\"\nargv = [\"git\"]\n[[gate]]\nid = \"g\"\nkind = \"command\"\nargv = [\"git\"]\n",
            ),
        ),
        ("an unknown kind", policy("[[gate]]\nid = \"g\"\nkind = \"comand\"\n")),
        ("a gate that nobody wrote", policy("[[gate]]\nid = \"g\"\n")),
        (
            "a need that does not exist",
            policy("[[gate]]\nid = \"g\"\nkind = \"command\"\nargv = [\"git\"]\nneeds = [\"h\"]\n"),
        ),
        (
            "a bad date",
            policy(
                "[[gate]]\nid = \"g\"\nkind = \"command\"\nargv = [\"git\"]\nenforce_from = 2026-02-30\n",
            ),
        ),
        ("no freshness", policy(contract)),
        (
            "a CEL expression that does not compile",
            policy(&format!("{contract}freshness = {{ same_run = true }}\ncel = [\"doc.a ==\"]\n")),
        ),
        (
            "a CEL expression with an unknown name",
            policy(&format!(
                "{contract}freshness = {{ same_run = true }}\ncel = [\"typo == 1 || true\"]\n"
            )),
        ),
        ("not TOML", policy("[[gate]\n")),
        ("not UTF-8", opened(&[("portcullis.toml", b"[policy]\nversion = 1\nowner = \"\xff\"\n")])),
        ("a byte order mark", opened(&[("portcullis.toml", b"\xef\xbb\xbf[policy]\n")])),
        ("no census", opened(&[("portcullis.toml", HEAD.as_bytes())])),
        (
            "a census that is not one",
            opened(&[("portcullis.toml", HEAD.as_bytes()), ("portcullis.lock", b"what is this\n")]),
        ),
        (
            "a waiver file with a bad date",
            opened(&[
                ("portcullis.toml", HEAD.as_bytes()),
                ("portcullis.lock", b""),
                ("suite_classification.toml", b"[waiver.g]\nowner = \"a\"\nexpires = 2026-02-30\n"),
            ]),
        ),
    ];
    let mut text = String::new();
    for (case, message) in table {
        assert!(!message.is_empty(), "{case} was accepted");
        assert!(message.contains("remedy:"), "{case} has no remedy: {message}");
        // Writing to a String cannot fail.
        let _ok = writeln!(text, "## {case}\n{message}\n");
    }
    portcullis_repo::snapshot("bad_input/policy.txt", &text).expect("the committed messages");
}

#[test]
fn a_policy_of_a_hundred_megabytes_is_refused_unread() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = fs::File::create_new(folder.path().join("portcullis.toml")).expect("a file");
    file.set_len(100 * 1024 * 1024).expect("a sparse file");
    let registry = Registry::collect().expect("the standard kinds are linked");
    let faults =
        Session::open(Package::at(folder.path()), BINARY, &registry).err().expect("it is refused");
    let text = faults[0].to_string();
    assert!(text.contains("input_too_large") && text.contains("portcullis.toml"), "{text}");
}

const CONTRACT: &str = "path = 'a.json'\nformat = 'json'\nrequired = ['/a']\nfreshness = { max_age = '7d' }\ntime_field = '/generated_at'";

fn contract(bytes: &[u8]) -> String {
    let seen = Bench::new(&portcullis_gates::artifact_contract::ARTIFACT_CONTRACT, CONTRACT)
        .file("a.json", bytes)
        .run();
    described(&seen)
}

fn described(seen: &portcullis::testing::Seen) -> String {
    let mut text = format!("outcome {}\n", seen.outcome);
    if let Some(error) = seen.error() {
        let place =
            error.location.as_ref().map_or_else(|| "(no place)".to_owned(), ToString::to_string);
        let _ok = write!(
            text,
            "error[{}]: {}\n  --> {place}\n   = expected: {}\n   = found: {}\n   = remedy: {}\n",
            error.code,
            error.message,
            error.expected.as_deref().unwrap_or("-"),
            error.found.as_deref().unwrap_or("-"),
            error.remedy
        );
    }
    for finding in &seen.looked.findings {
        let place =
            finding.location.as_ref().map_or_else(|| "(no place)".to_owned(), ToString::to_string);
        let _ok = write!(
            text,
            "error[{}]: {}\n  --> {place}\n   = remedy: {}\n",
            finding.code, finding.message, finding.remedy
        );
    }
    text
}

#[test]
fn every_bad_artifact_is_refused_with_place_and_remedy() {
    let mut deep = "[".repeat(100);
    deep.push_str(&"]".repeat(100));
    let table: &[(&str, &[u8])] = &[
        ("not JSON", b"{\n  \"a\": ,\n}"),
        ("a duplicate key", b"{\"a\": 1,\n \"a\": 2}"),
        ("a value that is not finite", b"{\"a\": 1e400}"),
        ("an integer beyond 2^53", b"{\"a\": 9007199254740993}"),
        ("not UTF-8", b"{\"a\": \"\xff\"}"),
        ("a byte order mark", b"\xef\xbb\xbf{}"),
        ("too deep", deep.as_bytes()),
        ("something after the end", b"{} {}"),
        ("a torn file", b"{\"a\": 1"),
        ("an empty file", b""),
    ];
    let mut text = String::new();
    for (case, bytes) in table {
        let message = contract(bytes);
        assert!(message.contains("a.json") && message.contains("remedy"), "{case}: {message}");
        let _ok = writeln!(text, "## {case}\n{message}");
    }
    portcullis_repo::snapshot("bad_input/artifact.txt", &text).expect("the committed messages");
}

#[test]
fn an_artifact_of_a_hundred_megabytes_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = fs::File::create_new(folder.path().join("a.json")).expect("a file");
    file.set_len(100 * 1024 * 1024).expect("a sparse file");
    let seen = Bench::new(&portcullis_gates::artifact_contract::ARTIFACT_CONTRACT, CONTRACT)
        .folder(folder.path())
        .run();
    assert_eq!(seen.code.as_deref(), Some("input_too_large"), "{:?}", seen.messages);
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_tree_and_a_locked_file_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("a.json")).expect("a link");
    let bench = || {
        Bench::new(&portcullis_gates::artifact_contract::ARTIFACT_CONTRACT, CONTRACT)
            .folder(folder.path())
    };
    assert_eq!(bench().run().code.as_deref(), Some("link_refused"));
    fs::remove_file(folder.path().join("a.json")).expect("removed");
    fs::create_dir(folder.path().join("a.json")).expect("a folder");
    assert_eq!(bench().run().code.as_deref(), Some("not_a_file"));
}
