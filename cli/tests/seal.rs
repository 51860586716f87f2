//! `seal` and `verify` of a folder, over the built binary: what may not be sealed, what a seal notices, and what is never
//! taken from a cache.

use portcullis::Digest;
use serde_json::{Value, json};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

const SECRET: &str = "correct horse/battery";

#[expect(clippy::disallowed_methods, reason = "a test asks where its own tools are")]
fn host(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// What is done to a case, and what is put into a folder.
type Change = fn(&Case);
#[cfg(unix)]
type Plant = fn(&Path);

/// A repository that is no git repository, and a folder of evidence in it.
struct Case(tempfile::TempDir);

impl Case {
    fn new() -> Self {
        let case = Self(tempfile::tempdir().expect("a folder"));
        case.put("portcullis.toml", "[policy]\nversion = 1\nowner = \"team\"\n");
        case.put("artifacts/report.json", "{\"ok\": true}\n");
        case.put("artifacts/logs/build.log", "Compiling portcullis\nsee https://docs.rs/x\n");
        case.put("artifacts/logs/empty.log", "");
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::File::create(path).expect("a file").write_all(text.as_ref()).expect("written");
    }

    #[expect(clippy::disallowed_methods, reason = "these tests are about the process itself")]
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-portcullis"));
        command.args(words).current_dir(self.0.path()).stdin(Stdio::null()).env_clear();
        for name in ["PATH", "SystemRoot", "TEMP", "TMP"] {
            command.envs(host(name).map(|value| (name, value)));
        }
        command
    }

    fn ends(&self, words: &[&str], code: i32) -> String {
        ends(&mut self.command(words), code)
    }

    /// Seals the folder and returns what is said for programs.
    fn seal(&self, words: &[&str]) -> Value {
        self.sealed_with(words, &[])
    }

    fn sealed_with(&self, words: &[&str], environment: &[(&str, &str)]) -> Value {
        let all = [&["seal", "artifacts", "--format", "json"], words].concat();
        let said = ends(self.command(&all).envs(environment.iter().copied()), 0);
        serde_json::from_str(&said).expect("a document")
    }

    /// Says that the folder is not what was sealed, and by which codes.
    fn faults(&self, folder: &str) -> Vec<String> {
        let said = self.ends(&["verify", folder, "--format", "json"], 12);
        let answer: Value = serde_json::from_str(&said).expect("a document");
        assert_eq!(answer["verdict"], "invalid");
        let faults = answer["faults"].as_array().expect("a list");
        assert_eq!(answer["faults_total"], faults.len());
        faults.iter().map(|fault| fault["code"].as_str().expect("a code").to_owned()).collect()
    }

    fn manifest(&self) -> Value {
        let text = fs::read(self.path("artifacts/manifest.json")).expect("a manifest");
        serde_json::from_slice(&text).expect("a document")
    }

    fn row(&self, path: &str) -> Value {
        let manifest = self.manifest();
        let rows = manifest["files"].as_array().expect("a list");
        rows.iter().find(|row| row["path"] == path).expect("a row").clone()
    }

    fn is_unsealed(&self) -> bool {
        let entries = self.path("artifacts").read_dir().expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names.into_iter().all(|name| {
            let name = name.to_string_lossy();
            name != "manifest.json" && name != "seal.json" && !name.starts_with(".portcullis-tmp-")
        })
    }

    /// Writes a manifest and the seal that fits it: what somebody does who knows the format.
    fn forge(&self, change: impl Fn(&mut Value)) {
        let mut manifest = self.manifest();
        change(&mut manifest);
        let text = document(&manifest);
        self.put("artifacts/manifest.json", &text);
        let seal = fs::read(self.path("artifacts/seal.json")).expect("a seal");
        let mut seal: Value = serde_json::from_slice(&seal).expect("a document");
        seal["manifest_sha256"] = json!(Digest::of(text.as_bytes()));
        seal["certified"] = manifest["certified"].clone();
        let rows = manifest["files"].as_array().expect("a list");
        seal["files"] = json!(rows.len());
        seal["bytes"] =
            json!(rows.iter().map(|row| row["bytes"].as_u64().unwrap_or(0)).sum::<u64>());
        self.put("artifacts/seal.json", document(&seal));
    }
}

fn document(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a text") + "\n"
}

fn ends(command: &mut Command, code: i32) -> String {
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{command:?}: {said}{errors}");
    if said.is_empty() { errors } else { said }
}

#[test]
fn a_sealed_folder_verifies_by_itself_wherever_it_lies() {
    let case = Case::new();
    let sealed = case.seal(&[]);
    assert_eq!((&sealed["files"], &sealed["read"]), (&json!(3), &json!(3)));
    let manifest = case.manifest();
    let paths: Vec<&Value> =
        manifest["files"].as_array().expect("rows").iter().map(|row| &row["path"]).collect();
    assert_eq!(paths, ["logs/build.log", "logs/empty.log", "report.json"]);
    assert_eq!(manifest["schema"], "portcullis.manifest.v1");
    let text = fs::read(case.path("artifacts/manifest.json")).expect("a manifest");
    assert_eq!(sealed["seal"], json!(Digest::of(&text)));
    assert_eq!(text, document(&manifest).into_bytes(), "sorted keys, one newline");
    let schema = include_str!("../../docs/schemas/manifest.json");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let schema = serde_json::from_str(schema).expect("a schema");
    compiler.add_resource("file:///manifest.json", schema).expect("a schema");
    let index = compiler.compile("file:///manifest.json", &mut schemas).expect("a schema");
    assert!(schemas.validate(&manifest, index).is_ok(), "the manifest is that of a run");
    for word in ["artifacts", "./artifacts", "artifacts/seal.json"] {
        let said = case.ends(&["verify", word], 0);
        assert!(said.contains("verify: sealed: 3 files"), "{said}");
        assert!(said.contains("`seal.json` is not hashed"), "unhashed files are listed: {said}");
    }
    // Elsewhere, without a repository, by its absolute path.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let folder = case.path("artifacts").display().to_string();
    let mut command = case.command(&["verify", &folder]);
    assert!(ends(command.current_dir(elsewhere.path()), 0).contains("verify: sealed"));
    let mut command = case.command(&["seal", &folder, "--reseal"]);
    assert!(ends(command.current_dir(elsewhere.path()), 0).contains("3 read, 0 known"));
}

#[test]
fn every_edited_byte_is_noticed() {
    let case = Case::new();
    case.seal(&[]);
    for name in ["report.json", "logs/build.log", "manifest.json", "seal.json"] {
        let path = format!("artifacts/{name}");
        let whole = fs::read(case.path(&path)).expect("a file");
        // Each part of each file, at distances that share nothing with the width of a line.
        for at in (0..whole.len()).step_by(if name.contains('/') { 5 } else { 23 }) {
            for bit in [1u8, 0x20] {
                let mut edited = whole.clone();
                edited[at] ^= bit;
                case.put(&path, &edited);
                assert_ne!(case.faults("artifacts"), [""; 0], "byte {at} of {name}, bit {bit}");
            }
        }
        case.put(&path, &whole[..whole.len() - 1]);
        assert_ne!(case.faults("artifacts"), [""; 0], "{name} without its last byte");
        case.put(&path, [&whole[..], b"\n"].concat());
        assert_ne!(case.faults("artifacts"), [""; 0], "{name} with another newline");
        case.put(&path, &whole);
    }
    case.ends(&["verify", "artifacts"], 0);
}

#[test]
fn missing_added_truncated_and_exchanged_files_are_told_apart() {
    let table: &[(&str, Change, &[&str])] = &[
        (
            "missing",
            |case| fs::remove_file(case.path("artifacts/logs/empty.log")).expect("removed"),
            &["digest_mismatch"],
        ),
        ("added", |case| case.put("artifacts/logs/more.log", "x"), &["file_unhashed"]),
        ("truncated", |case| case.put("artifacts/report.json", ""), &["digest_mismatch"]),
        (
            "exchanged",
            |case| {
                let path = |name: &str| case.path("artifacts").join(name);
                fs::rename(path("report.json"), path("x")).expect("renamed");
                fs::rename(path("logs/build.log"), path("report.json")).expect("renamed");
                fs::rename(path("x"), path("logs/build.log")).expect("renamed");
            },
            &["digest_mismatch", "digest_mismatch"],
        ),
        (
            "renamed",
            |case| {
                let path = |name: &str| case.path("artifacts").join(name);
                fs::rename(path("report.json"), path("Report.json")).expect("renamed");
            },
            &["digest_mismatch", "file_unhashed"],
        ),
        (
            "without its seal",
            |case| fs::remove_file(case.path("artifacts/seal.json")).expect("removed"),
            &["run_unsealed"],
        ),
        (
            "without its manifest",
            |case| fs::remove_file(case.path("artifacts/manifest.json")).expect("removed"),
            &["input_unreadable"],
        ),
    ];
    for (what, change, expected) in table {
        let case = Case::new();
        case.seal(&[]);
        change(&case);
        assert_eq!(case.faults("artifacts"), *expected, "{what}");
    }
}

#[test]
fn t10_a_manifest_that_somebody_made_is_taken_for_nothing() {
    let push = |manifest: &mut Value, path: &str| {
        let row =
            json!({ "path": path, "sha256": Digest::of(b""), "bytes": 0, "digest_from": "read" });
        manifest["files"].as_array_mut().expect("rows").push(row);
    };
    for path in ["../portcullis.toml", "/etc/passwd", "a\\b", "C:/x", "NUL", "a/../b", "", "a//b"] {
        let case = Case::new();
        case.seal(&[]);
        case.forge(|manifest| push(manifest, path));
        assert_eq!(case.faults("artifacts"), ["path_refused"], "{path:?}");
    }
    for path in ["report.json", "seal.json", "manifest.json"] {
        let case = Case::new();
        case.seal(&[]);
        case.forge(|manifest| push(manifest, path));
        assert_eq!(case.faults("artifacts"), ["seal_broken"], "{path:?}");
    }
    let case = Case::new();
    case.seal(&["--certify"]);
    case.forge(|manifest| manifest["files"][0]["digest_from"] = json!("cache"));
    assert_eq!(case.faults("artifacts"), ["digest_not_read"]);
    case.forge(|manifest| manifest["schema"] = json!("portcullis.manifest.v2"));
    assert_eq!(case.faults("artifacts"), ["schema_unsupported"]);
    // Nothing at all is no folder that anybody sealed.
    for name in ["report.json", "logs/build.log", "logs/empty.log"] {
        fs::remove_file(case.path("artifacts").join(name)).expect("removed");
    }
    case.forge(|manifest| {
        manifest["schema"] = json!("portcullis.manifest.v1");
        manifest["files"] = json!([]);
    });
    assert_eq!(case.faults("artifacts"), ["seal_broken"]);
    // The forger's own files, sealed with the forger's own seal, are not what was asked for.
    let case = Case::new();
    let sealed = case.seal(&[]);
    let seal = sealed["seal"].as_str().expect("a digest");
    case.ends(&["verify", "artifacts", "--seal", seal], 0);
    case.put("artifacts/report.json", "{\"ok\": false}\n");
    case.seal(&["--reseal"]);
    case.ends(&["verify", "artifacts"], 0);
    let said = case.ends(&["verify", "artifacts", "--seal", seal], 12);
    assert!(said.contains("digest_mismatch"), "{said}");
}

#[test]
fn what_the_seal_says_beside_the_digest_is_held_to_the_manifest() {
    for (name, value) in [
        ("files", json!(4)),
        ("bytes", json!(0)),
        ("certified", json!(true)),
        ("run_id", json!("x")),
    ] {
        let case = Case::new();
        case.seal(&[]);
        let seal = fs::read(case.path("artifacts/seal.json")).expect("a seal");
        let mut seal: Value = serde_json::from_slice(&seal).expect("a document");
        seal[name] = value;
        case.put("artifacts/seal.json", document(&seal));
        assert_eq!(case.faults("artifacts"), ["seal_broken"], "{name}");
    }
    // A field of a newer version is accepted, and said to be vouched for by nothing.
    let case = Case::new();
    case.seal(&[]);
    let seal = fs::read(case.path("artifacts/seal.json")).expect("a seal");
    let mut seal: Value = serde_json::from_slice(&seal).expect("a document");
    seal["newer"] = json!(1);
    case.put("artifacts/seal.json", document(&seal));
    assert!(case.ends(&["verify", "artifacts"], 0).contains("`newer`"));
}

#[test]
fn what_may_not_be_sealed_is_refused_and_nothing_is_written() {
    const RUN: &str = "{\"schema\": \"portcullis.run.v1\"}\n";
    // The policy of a large repository stands in it.
    static INPUTS: LazyLock<String> = LazyLock::new(|| {
        document(&json!({"schema": "portcullis.inputs.v1", "policy": "x".repeat(200_000)}))
    });
    let table: &[(&str, Change, &str)] = &[
        ("a run", |case| case.put("artifacts/run.json", RUN), "seal_conflict"),
        (
            "a folder that holds a run",
            |case| case.put("artifacts/r/run.json", RUN),
            "seal_conflict",
        ),
        ("a folder within a run", |case| case.put("run.json", RUN), "seal_conflict"),
        (
            "a run that lost its record",
            |case| case.put("artifacts/inputs.json", &*INPUTS),
            "seal_conflict",
        ),
        (
            "a run whose record says nothing",
            |case| {
                case.put("artifacts/run.json", "{}\n");
                case.put("artifacts/inputs.json", &*INPUTS);
            },
            "seal_conflict",
        ),
        (
            "a folder that holds a run that lost its record",
            |case| case.put("artifacts/r/inputs.json", &*INPUTS),
            "seal_conflict",
        ),
        (
            "a folder within a run that lost its record",
            |case| case.put("inputs.json", &*INPUTS),
            "seal_conflict",
        ),
        (
            "a folder within a sealed one",
            |case| case.put("seal.json", "{\"schema\": \"portcullis.seal.v1\"}\n"),
            "seal_conflict",
        ),
        (
            "a folder that an interrupted seal left",
            |case| case.put("artifacts/.portcullis-tmp-x1", ""),
            "seal_conflict",
        ),
        (
            "an empty folder",
            |case| {
                fs::remove_dir_all(case.path("artifacts")).expect("removed");
                fs::create_dir_all(case.path("artifacts/empty/too")).expect("folders");
            },
            "nothing_examined",
        ),
        (
            "no folder",
            |case| {
                fs::remove_dir_all(case.path("artifacts")).expect("removed");
                case.put("artifacts", "");
            },
            "input_unreadable",
        ),
    ];
    for (what, change, code) in table {
        let case = Case::new();
        change(&case);
        let said = case.ends(&["seal", "artifacts"], 3);
        assert!(said.contains(code), "{what}: {said}");
        let left = case.path("artifacts").join(".portcullis-tmp-x1").exists();
        assert!(left || !case.path("artifacts").is_dir() || case.is_unsealed(), "{what}");
    }
}

#[test]
fn files_of_somebody_else_are_files_like_any_other() {
    // A file of somebody else is never replaced, whatever was asked for.
    for name in ["manifest.json", "seal.json"] {
        let case = Case::new();
        case.put(&format!("artifacts/{name}"), "{\"name\": \"web app\"}\n");
        for words in [&["seal", "artifacts"][..], &["seal", "artifacts", "--reseal"]] {
            assert!(case.ends(words, 3).contains("seal_conflict"), "{name}");
        }
        let text = fs::read_to_string(case.path("artifacts").join(name)).expect("a file");
        assert_eq!(text, "{\"name\": \"web app\"}\n");
    }
    // A run that is somebody else's document is a file like any other.
    let case = Case::new();
    case.put("artifacts/run.json", "{\"schema\": \"another.run.v1\"}\n");
    case.seal(&[]);
}

/// What was a run is never a good folder, whoever sealed it and by which means.
#[test]
fn a_run_that_lost_its_record_is_no_sealed_folder() {
    let case = Case::new();
    case.seal(&[]);
    let inputs = document(&json!({"schema": "portcullis.inputs.v1", "policy": ""}));
    case.put("artifacts/inputs.json", &inputs);
    let row = json!({
        "path": "inputs.json",
        "sha256": Digest::of(inputs.as_bytes()),
        "bytes": inputs.len(),
        "digest_from": "read",
    });
    case.forge(|manifest| {
        let rows = manifest["files"].as_array_mut().expect("a list");
        rows.push(row.clone());
        rows.sort_by_key(|row| row["path"].as_str().map(str::to_owned));
    });
    let said = case.ends(&["verify", "artifacts"], 12);
    assert!(said.contains("run_unreadable"), "{said}");
    // The same document of somebody else is a file like any other.
    case.put("artifacts/inputs.json", "{\"schema\": \"another.inputs.v1\"}\n");
    case.seal(&["--reseal"]);
    case.ends(&["verify", "artifacts"], 0);
}

#[test]
fn a_folder_is_sealed_again_only_on_request_and_the_seal_names_the_one_before() {
    let case = Case::new();
    let first = case.seal(&[]);
    let said = case.ends(&["seal", "artifacts"], 3);
    assert!(said.contains("seal_conflict") && said.contains("--reseal"), "{said}");
    case.put("artifacts/more.txt", "more\n");
    let second = case.seal(&["--reseal"]);
    assert_eq!((&second["reseals"], &second["files"]), (&first["seal"], &json!(4)));
    assert_eq!(case.manifest()["reseals"], first["seal"]);
    case.ends(&["verify", "artifacts"], 0);
    // A seal that did not come to its end is no seal, and stands in nobody's way.
    fs::remove_file(case.path("artifacts/seal.json")).expect("removed");
    assert_eq!(case.faults("artifacts"), ["run_unsealed"]);
    assert_eq!(case.seal(&[])["reseals"], Value::Null);
    case.ends(&["verify", "artifacts"], 0);
}

#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "the standard library makes no pipe with a name")]
fn pipe(path: &Path) {
    let status = Command::new("mkfifo").arg(path).status().expect("it starts");
    assert!(status.success(), "{}", path.display());
}

#[cfg(unix)]
#[test]
fn t10_t27_t28_links_pipes_and_names_are_refused() {
    use std::os::unix::{ffi::OsStrExt as _, fs::symlink};
    let table: &[(&str, Plant, &str)] = &[
        (
            "a link out",
            |dir| symlink("../portcullis.toml", dir.join("x")).expect("a link"),
            "link_refused",
        ),
        (
            "a link to a folder",
            |dir| symlink("/etc", dir.join("logs/etc")).expect("a link"),
            "link_refused",
        ),
        (
            "a link to nothing",
            |dir| symlink("nothing", dir.join("x")).expect("a link"),
            "link_refused",
        ),
        (
            "a link within",
            |dir| symlink("report.json", dir.join("x")).expect("a link"),
            "link_refused",
        ),
        (
            "a second name",
            |dir| fs::hard_link(dir.join("report.json"), dir.join("x")).expect("a link"),
            "link_refused",
        ),
        ("a pipe", |dir| pipe(&dir.join("x")), "not_a_file"),
        // Whoever asks for the schema of a document that only a run has must not wait for somebody to write into it.
        ("a pipe like a run's", |dir| pipe(&dir.join("inputs.json")), "not_a_file"),
        ("a name of Windows", |dir| drop(fs::File::create(dir.join("aux.log"))), "path_refused"),
        ("a colon", |dir| drop(fs::File::create(dir.join("a:b"))), "path_refused"),
        ("a line break", |dir| drop(fs::File::create(dir.join("a\nb"))), "path_refused"),
        ("a backslash", |dir| drop(fs::File::create(dir.join("a\\b"))), "path_refused"),
        (
            "no text",
            |dir| drop(fs::File::create(dir.join(std::ffi::OsStr::from_bytes(b"a\xffb")))),
            "path_refused",
        ),
        ("another case", |dir| drop(fs::File::create(dir.join("REPORT.json"))), "path_refused"),
        (
            "a folder of another case",
            |dir| fs::create_dir(dir.join("Logs")).expect("a folder"),
            "path_refused",
        ),
        (
            "another composition",
            |dir| {
                ["\u{e4}", "a\u{308}"]
                    .into_iter()
                    .for_each(|name| drop(fs::File::create(dir.join(name))))
            },
            "path_refused",
        ),
    ];
    for (what, change, code) in table {
        let case = Case::new();
        change(&case.path("artifacts"));
        let said = case.ends(&["seal", "artifacts"], 12);
        assert!(said.contains(code), "{what}: {said}");
        assert!(case.is_unsealed(), "{what}");
        // The same, after the folder was sealed.
        let case = Case::new();
        case.seal(&[]);
        change(&case.path("artifacts"));
        assert!(case.faults("artifacts").iter().any(|fault| fault == code), "{what}");
    }
}

#[test]
fn t15_a_file_with_a_secret_is_refused_by_name_and_nothing_is_written() {
    let token = format!("token = ghp_{}\n", "a1B2".repeat(9));
    let far = ["x".repeat(300_000).as_str(), SECRET].concat();
    let table = [
        ("plain", SECRET.to_owned()),
        ("far into a file", far),
        ("percent-encoded", "correct%20horse%2Fbattery".to_owned()),
        ("base64", "dXNlcjpjb3JyZWN0IGhvcnNlL2JhdHRlcnk=".to_owned()),
        ("a token", token),
        ("a key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n".to_owned()),
        ("a password in an address", "https://me:hunter2@host/x\n".to_owned()),
    ];
    for (what, text) in table {
        let case = Case::new();
        case.put("artifacts/logs/deploy.log", &text);
        let mut command = case.command(&["seal", "artifacts"]);
        let said = ends(command.env("DEPLOY_PASSWORD", SECRET), 12);
        assert!(said.contains("secret_in_evidence") && said.contains("logs/deploy.log"), "{said}");
        assert!(!said.contains(text.trim()) && !said.contains(SECRET), "{what}: {said}");
        assert!(case.is_unsealed(), "{what}");
        assert!(!case.path("target/portcullis/seals").exists(), "{what}: nothing is kept either");
    }
    // Two files, two names.
    let case = Case::new();
    case.put("artifacts/a.log", SECRET);
    case.put("artifacts/b.log", SECRET);
    let said = ends(case.command(&["seal", "artifacts"]).env("A_TOKEN", SECRET), 12);
    assert!(said.contains("`a.log`") && said.contains("`b.log`"), "{said}");
    // In a name, where the name itself must not be shown.
    let case = Case::new();
    case.put("artifacts/hunter2hunter2.log", "");
    let said = ends(case.command(&["seal", "artifacts"]).env("A_TOKEN", "hunter2hunter2"), 12);
    assert!(said.contains("secret_in_evidence") && !said.contains("hunter2"), "{said}");
    for name in [".git/config", "home/.cargo/credentials.toml", ".netrc", ".npmrc", "id_ed25519"] {
        let case = Case::new();
        case.put(&format!("artifacts/{name}"), "");
        let said = case.ends(&["seal", "artifacts"], 12);
        assert!(said.contains("secret_in_evidence"), "{name}: {said}");
    }
}

#[test]
fn the_number_of_threads_changes_no_row() {
    let case = Case::new();
    for n in 0..300 {
        case.put(&format!("artifacts/many/{}/{n}.txt", n % 7), format!("{n}\n"));
    }
    case.put("artifacts/large.bin", vec![7u8; 5 * 1024 * 1024]);
    case.seal(&[]);
    let rows = case.manifest()["files"].clone();
    for threads in ["1", "2", "9"] {
        case.sealed_with(&["--reseal", "--certify"], &[("PORTCULLIS_FORCE_CPU_COUNT", threads)]);
        assert_eq!(case.manifest()["files"], rows, "{threads} threads");
        let mut command = case.command(&["verify", "artifacts"]);
        ends(command.env("PORTCULLIS_FORCE_CPU_COUNT", threads), 0);
    }
}

#[test]
fn a_word_that_names_a_run_never_means_a_folder() {
    let case = Case::new();
    case.seal(&[]);
    fs::rename(case.path("artifacts"), case.path("latest")).expect("renamed");
    let said = case.ends(&["verify", "latest"], 12);
    assert!(said.contains("run_unreadable"), "{said}");
    case.ends(&["verify", "./latest"], 0);
    for asked in [&["--full"][..], &["--base", "HEAD"]] {
        let words = [&["verify", "./latest"], asked].concat();
        let said = case.ends(&words, 12);
        assert!(said.contains("holds no gates"), "{said}");
    }
}

/// The cache needs times that no program sets.
#[cfg(unix)]
mod cache {
    use super::*;
    use std::time::Duration;

    /// Longer than the coarsest clock of a file system, within which a second change would leave no trace.
    #[expect(
        clippy::disallowed_methods,
        reason = "the clock of the file system is what is waited for"
    )]
    fn settle() {
        std::thread::sleep(Duration::from_millis(2_200));
    }

    /// Writes other bytes of the same length in place, and puts the time of modification back.
    fn edit_in_place(path: &Path, text: &str) {
        let file = fs::OpenOptions::new().write(true).open(path).expect("a file");
        let before = file.metadata().expect("metadata");
        (&file).write_all(text.as_bytes()).expect("written");
        file.set_modified(before.modified().expect("a time")).expect("the time is put back");
        let after = file.metadata().expect("metadata");
        assert_eq!((after.len(), after.modified().ok()), (before.len(), before.modified().ok()));
    }

    /// Gives every file of the cache a digest that is wrong.
    fn poison(case: &Case) -> usize {
        let folder = case.path("target/portcullis/seals");
        let entry = folder.read_dir().expect("a cache").next().expect("one").expect("an entry");
        let text = fs::read(entry.path()).expect("a cache");
        let mut cache: Value = serde_json::from_slice(&text).expect("a document");
        let files = cache["files"].as_array_mut().expect("rows");
        files.iter_mut().for_each(|row| row[2] = json!(Digest::of(b"wrong")));
        let count = files.len();
        fs::File::create(entry.path())
            .expect("a file")
            .write_all(&serde_json::to_vec(&cache).expect("a text"))
            .expect("written");
        count
    }

    #[test]
    fn a_digest_is_kept_only_while_the_system_says_that_nothing_changed() {
        let case = Case::new();
        // What changed just now may change once more within one tick.
        case.seal(&[]);
        assert_eq!(case.seal(&["--reseal"])["cached"], 0, "too new to be known");
        settle();
        assert_eq!(case.seal(&["--reseal"])["cached"], 0, "read, and kept from now on");
        let again = case.seal(&["--reseal"]);
        assert_eq!((&again["cached"], &again["read"]), (&json!(3), &json!(0)));
        assert_eq!(case.row("report.json")["digest_from"], "cache");
        case.ends(&["verify", "artifacts"], 0);
        // Same size, same time of modification: the system's own time tells.
        edit_in_place(&case.path("artifacts/report.json"), "{\"ok\": fals}\n");
        let edited = case.seal(&["--reseal"]);
        assert_eq!((&edited["cached"], &edited["read"]), (&json!(2), &json!(1)));
        let row = case.row("report.json");
        assert_eq!(row["digest_from"], "read");
        assert_eq!(row["sha256"], json!(Digest::of(b"{\"ok\": fals}\n")));
        case.ends(&["verify", "artifacts"], 0);
        // A file that took the place of another has another number, whatever its times.
        let (path, other) = (case.path("artifacts/logs/build.log"), case.path("artifacts/x"));
        fs::copy(&path, &other).expect("a copy");
        fs::rename(&other, &path).expect("renamed");
        assert_eq!(case.seal(&["--reseal"])["read"], 2, "it, and the one that is too new still");
    }

    #[test]
    fn a_seal_that_certifies_never_takes_a_digest_that_it_did_not_read() {
        let case = Case::new();
        settle();
        case.seal(&[]);
        assert_eq!(poison(&case), 3);
        // The control: the cache is what an ordinary seal believes, and `verify` is who finds out.
        assert_eq!(case.seal(&["--reseal"])["cached"], 3);
        assert_eq!(case.faults("artifacts"), ["digest_mismatch"; 3]);
        type Lane<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);
        let lanes: [Lane<'_>; 4] = [
            (&["--certify"], &[]),
            (&[], &[("PORTCULLIS_LANE", "release")]),
            (&[], &[("PORTCULLIS_LANE", "main")]),
            (&["--certify"], &[("PORTCULLIS_LANE", "pr")]),
        ];
        for (words, environment) in lanes {
            poison(&case);
            let sealed = case.sealed_with(&[&["--reseal"], words].concat(), environment);
            assert_eq!(sealed["certified"], true, "{words:?} {environment:?}");
            assert_eq!((&sealed["read"], &sealed["cached"]), (&json!(3), &json!(0)), "{words:?}");
            case.ends(&["verify", "artifacts"], 0);
            let rows = case.manifest()["files"].clone();
            let rows = rows.as_array().expect("rows");
            assert!(rows.iter().all(|row| row["digest_from"] == "read"), "{rows:?}");
        }
        assert_eq!(case.seal(&["--reseal"])["certified"], false);
    }

    #[test]
    fn t15_a_secret_that_became_known_is_looked_for_in_every_file() {
        let case = Case::new();
        case.put("artifacts/logs/deploy.log", SECRET);
        settle();
        case.seal(&[]);
        assert_eq!(case.seal(&["--reseal"])["cached"], 4, "nobody knows that it is one");
        let mut command = case.command(&["seal", "artifacts", "--reseal"]);
        let said = ends(command.env("DEPLOY_PASSWORD", SECRET), 12);
        assert!(said.contains("secret_in_evidence") && said.contains("deploy.log"), "{said}");
        // No digest of a secret is kept, and so nothing that says which secrets were looked for.
        let other = [("DEPLOY_PASSWORD", "another secret")];
        assert_eq!(case.sealed_with(&["--reseal"], &other)["cached"], 0);
    }

    #[test]
    fn a_cache_that_cannot_be_read_is_an_empty_one() {
        let case = Case::new();
        settle();
        case.seal(&[]);
        let folder = case.path("target/portcullis/seals");
        let entry = folder.read_dir().expect("a cache").next().expect("one").expect("an entry");
        let whole = fs::read(entry.path()).expect("a cache");
        for text in [&whole[..whole.len() / 2], b"", b"{}", b"[1]"] {
            fs::File::create(entry.path()).expect("a file").write_all(text).expect("written");
            assert_eq!(case.seal(&["--reseal"])["cached"], 0);
        }
        assert_eq!(case.seal(&["--reseal"])["cached"], 3, "it was written anew");
    }
}
