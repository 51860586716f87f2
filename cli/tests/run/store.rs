//! Runs in object stores: a folder, and an S3 server that is a process of its own.

use super::{Case, command, copy_bytes, has_nextest, host, root, target_dir, text};
use serde_json::Value;
use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

const KEY: &str = "PORTCULLISTESTKEY";
const SECRET: &str = "a-secret-that-must-stand-nowhere";
const BUCKET: &str = "runs";

/// A store that can be reached from outside as well, so that a test can change what lies in it.
struct Store {
    url: String,
    /// Where its objects lie.
    folder: PathBuf,
    env: Vec<(&'static str, String)>,
    _root: tempfile::TempDir,
    server: Option<Child>,
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            drop(server.kill());
            drop(server.wait());
        }
    }
}

impl Store {
    fn of_files() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("a store");
        fs::create_dir(&folder).expect("a folder");
        let path = folder.display().to_string().replace(' ', "%20");
        Self { url: format!("file://{path}"), folder, env: Vec::new(), _root: root, server: None }
    }

    /// Starts the server that `.ci/install_tools` installs; nothing where it is not, which CI does not accept.
    #[expect(clippy::disallowed_methods, reason = "the test starts a server")]
    #[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
    fn of_s3() -> Option<Self> {
        let program = target_dir().join("tools/bin/s3s-fs");
        let ci = host("CI").is_some_and(|value| !value.is_empty() && value != "false");
        assert!(program.is_file() || !ci, "CI must prove this: run `.ci/install_tools`");
        if !program.is_file() {
            eprintln!("\n*** no S3 server is installed: `s3://` is NOT proven here ***\n");
            return None;
        }
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join(BUCKET)).expect("a bucket");
        // The system gives a free port; that nobody takes it in between is likely enough for a test.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|held| held.local_addr());
        let port = port.expect("a port").port();
        let server = Command::new(program)
            .args(["--access-key", KEY, "--secret-key", SECRET, "--host", "127.0.0.1"])
            .args(["--port", &port.to_string()])
            .arg(root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let store = Self {
            url: format!("s3://{BUCKET}/ci"),
            folder: root.path().join(BUCKET).join("ci"),
            env: vec![
                ("AWS_ENDPOINT", format!("http://127.0.0.1:{port}")),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
                ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
                ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ],
            _root: root,
            server: Some(server),
        };
        let up = (0..200).any(|_| {
            let open = TcpStream::connect(("127.0.0.1", port)).is_ok();
            if !open {
                std::thread::park_timeout(Duration::from_millis(50));
            }
            open
        });
        assert!(up, "the server listens");
        Some(store)
    }

    fn ask(&self, words: &[&str]) -> Output {
        let mut command = command(root(), words);
        command.args(["--store", &self.url]);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.output().expect("it starts")
    }

    fn said(&self, words: &[&str], code: i32, part: &str) {
        let output = self.ask(words);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        assert!(said.contains(part), "{words:?}: no `{part}` in {said}");
        assert!(!said.contains(SECRET), "{said}");
    }

    /// The objects whose key ends so.
    fn objects(&self, end: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.folder.clone()];
        while let Some(folder) = open.pop() {
            for entry in folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry"))
            {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else if path.display().to_string().replace('\\', "/").ends_with(end) {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }
}

fn verified(dir: &Path) -> Option<i32> {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let path = dir.to_str().expect("a path");
    command(elsewhere.path(), &["verify", path]).output().expect("it starts").status.code()
}

#[expect(clippy::disallowed_methods, reason = "a test changes what lies in its store")]
fn put(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
}

/// What comes back is what was sealed, or an error: whoever has the store cannot change a run.
fn round_trip(store: &Store, name: &str) {
    let case = Case::new(name);
    case.runs("fails", &["run", "--kind", "e2e"], 10);
    store.said(&["push", name], 0, "pushed");
    store.said(&["push", name], 0, "pushed");
    let to = tempfile::tempdir().expect("a folder");
    let folder = to.path().to_str().expect("a path").to_owned();
    let fetched = to.path().join(name);
    let pull = ["pull", name, "--to", &folder];
    store.said(&pull, 0, "pulled");
    assert_eq!(verified(&fetched), Some(10), "a red run comes back red");
    store.said(&pull, 2, "exists already");
    fs::remove_dir_all(&fetched).expect("removed");
    store.said(&["pull", "never", "--to", &folder], 12, "run_unreadable");

    // Another run under the same id never takes the place of the first.
    let other = to.path().join("other");
    copy_bytes(&case.dir(), &other);
    super::edit_and_reseal(&other);
    store.said(&["push", other.to_str().expect("a path")], 12, "attempt_conflict");
    fs::remove_dir_all(&other).expect("removed");

    let outcomes =
        portcullis::Digest::of(&fs::read(case.dir().join("outcomes.jsonl")).expect("outcomes"));
    let table = [
        (format!("sha256/{outcomes}"), "digest_mismatch"),
        (format!("runs/{name}/manifest.json"), "digest_mismatch"),
        (format!("runs/{name}/run.json"), "json_invalid"),
    ];
    for (end, code) in table {
        let objects = store.objects(&end);
        let [object] = objects.as_slice() else { panic!("{end}: {objects:?}") };
        let before = fs::read_to_string(object).expect("an object");
        for changed in [before.replace("failed", "passed") + "x", String::new()] {
            put(object, &changed);
            store.said(&pull, 12, code);
            assert!(!fetched.exists(), "{end}: nothing that was changed gets a name");
        }
        fs::remove_file(object).expect("removed");
        let gone = if end.starts_with("sha256") { "digest_mismatch" } else { "run_unreadable" };
        store.said(&pull, 12, gone);
        put(object, &before);
        store.said(&pull, 0, "pulled");
        fs::remove_dir_all(&fetched).expect("removed");
    }
    assert!(to.path().read_dir().expect("a folder").next().is_none(), "and nothing is left over");
    hostile_names(store, name, &pull);
}

/// A manifest of somebody else's making, sealed as it should be, whose names lead out of the folder.
fn hostile_names(store: &Store, name: &str, pull: &[&str]) {
    let [manifest_path] = &store.objects(&format!("runs/{name}/manifest.json"))[..] else {
        panic!("one manifest")
    };
    let [run_path] = &store.objects(&format!("runs/{name}/run.json"))[..] else {
        panic!("one run")
    };
    let read = |path: &Path| -> Value {
        serde_json::from_slice(&fs::read(path).expect("a document")).expect("a document")
    };
    let (manifest, run) = (read(manifest_path), read(run_path));
    for hostile in ["../x", "/etc/x", "a/../../x", "c:x", "run.json", "PLAN.json", "con", "a\\b"] {
        let mut changed = manifest.clone();
        changed["files"][0]["path"] = hostile.into();
        let document = portcullis::wire::artifact::document(&changed).expect("a text");
        let mut sealed = run.clone();
        sealed["manifest_sha256"] = portcullis::Digest::of(document.as_bytes()).to_string().into();
        put(manifest_path, &document);
        put(run_path, &portcullis::wire::artifact::document(&sealed).expect("a text"));
        let output = store.ask(pull);
        assert_eq!(output.status.code(), Some(12), "{hostile}: {}", text(&output));
    }
}

#[test]
fn t40_a_folder_gives_back_what_was_sealed_and_nothing_else() {
    if has_nextest() {
        round_trip(&Store::of_files(), "store-file");
    }
}

#[test]
fn t40_an_s3_server_gives_back_what_was_sealed_and_nothing_else() {
    if !has_nextest() {
        return;
    }
    let Some(mut store) = Store::of_s3() else { return };
    round_trip(&store, "store-s3");
    // A run that is larger than one part, and a key that the server does not know.
    let case = Case::new("store-large");
    let shipped = case
        .command("", &["run", "--kind", "unit", "--store", &store.url])
        .envs(store.env.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("it starts");
    assert_eq!(shipped.status.code(), Some(0), "{}", text(&shipped));
    let mut files = vec![case.dir()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(path.read_dir().expect("a folder").map(|e| e.expect("an entry").path()));
        } else {
            let bytes = fs::read(&path).expect("a file");
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(SECRET) && !text.contains(KEY), "{}", path.display());
        }
    }
    store.env.retain(|(name, _)| *name != "AWS_SECRET_ACCESS_KEY");
    store.env.push(("AWS_SECRET_ACCESS_KEY", "another".to_owned()));
    store.said(&["push", "store-large"], 12, "store_unavailable");
}

/// A file larger than one part, in a run that is sealed anew around it.
#[test]
fn a_large_file_goes_in_parts_and_comes_back_whole() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("store-parts");
    case.runs("", &["run", "--kind", "unit"], 0);
    let from = tempfile::tempdir().expect("a folder");
    let dir = from.path().join("run");
    copy_bytes(&case.dir(), &dir);
    let log = dir.join("logs/nextest.log");
    put(&log, &"a line of a log\n".repeat(1_500_000));
    super::reseal(&dir);
    for store in [Some(Store::of_files()), Store::of_s3()].into_iter().flatten() {
        let to = tempfile::tempdir().expect("a folder");
        let folder = to.path().to_str().expect("a path");
        store.said(&["push", dir.to_str().expect("a path")], 0, "pushed");
        store.said(&["pull", "store-parts", "--to", folder], 0, "pulled");
        assert_eq!(verified(&to.path().join("store-parts")), Some(0));
    }
}

#[test]
fn a_store_that_takes_nothing_is_no_pass() {
    if !has_nextest() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    put(&file, "no folder");
    let url = format!("file://{}/below", file.display());
    let case = Case::new("store-refuses");
    let said = case.runs("", &["run", "--kind", "unit", "--store", &url], 12);
    assert!(said.contains("store_unavailable"), "{said}");
    let said = Case::new("store-secret").runs(
        "",
        &["push", "latest", "--store", "s3://key:secret@bucket/x"],
        2,
    );
    assert!(said.contains("store_refused"), "{said}");
}
