//! One copy of the sample below the target directory, built once, held by one test at a time in whatever process.

use portcullis_repo::process::{self, cargo, host, target_dir};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{OnceLock, mpsc::channel},
    time::Duration,
};

/// How long a child may take before it is taken for hung; the longest builds the sample.
const PATIENCE: Duration = Duration::from_secs(900);
/// What a copy has beside the files of the fixture.
const NOT_OURS: [&str; 10] = [
    "out",
    "target",
    ".git",
    ".tools",
    ".demo-switch",
    "evidence",
    "Cargo.lock",
    "summary.json",
    "cassettes",
    "suite_classification.toml",
];

/// The sample product, whole.
pub(super) struct Ground {
    root: PathBuf,
    built: &'static Built,
    // Released when the file is closed, also when the process is killed.
    _lock: File,
}

/// The programs.
struct Built {
    suite: PathBuf,
    switch: PathBuf,
    subcommand: PathBuf,
}

/// The folder of the fixture.
pub(super) fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo")
}

/// The target directory is that of the worked example: both link the same libraries, which are built once.
fn folder() -> PathBuf {
    target_dir().join("rows")
}

fn target() -> PathBuf {
    folder().join("target")
}

impl Ground {
    /// Takes the copy, brings it back to what the fixture says, and makes it one of today.
    pub(super) fn take() -> Self {
        fs::create_dir_all(folder()).expect("a folder");
        let lock = File::create(folder().join("lock")).expect("a lock file");
        lock.lock().expect("the lock");
        let root = folder().join("lantern");
        static BUILT: OnceLock<Built> = OnceLock::new();
        let built = BUILT.get_or_init(|| {
            restore(&fixture(), &root);
            build(&root)
        });
        let ground = Self { root, built, _lock: lock };
        static FRESH: OnceLock<()> = OnceLock::new();
        FRESH.get_or_init(|| {
            ground.switch(&["fresh"]).ends(0);
            if !ground.root.join(".git").exists() {
                process::done(process::command("git", &ground.root).args(["init", "--quiet"]));
            }
        });
        ground.switch(&["heal"]).ends(0);
        // Whoever had it before may have recorded anew: an audit asks for a tree that is committed and pushed.
        ground.commits();
        ground.shares();
        ground
    }

    /// The root folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Commits the copy as it stands.
    fn commits(&self) {
        let who = ["-c", "user.name=lantern", "-c", "user.email=lantern@lantern.example"];
        for words in
            [&["add", "--all"][..], &["commit", "--quiet", "--allow-empty", "--message", "0.9.0"]]
        {
            let mut git = process::command("git", &self.root);
            process::done(git.args(who).args(["-c", "commit.gpgsign=false"]).args(words));
        }
    }

    /// Pushes the commit to an upstream of its own, which is made anew: a history of an earlier suite is no part of this one.
    fn shares(&self) {
        let upstream = folder().join("upstream.git");
        drop(fs::remove_dir_all(&upstream));
        let place = upstream.display().to_string();
        let mut made = process::command("git", &self.root);
        process::done(made.args(["init", "--quiet", "--bare", &place]));
        for words in [
            &["config", "remote.origin.url", &place][..],
            &["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"],
            &["push", "--quiet", "--set-upstream", "origin", "HEAD"],
        ] {
            process::done(process::command("git", &self.root).args(words));
        }
    }

    /// The switch with these words.
    pub(super) fn switch(&self, words: &[&str]) -> Answer {
        let mut command = process::command(&self.built.switch, &self.root);
        self.runs(command.args(words), &BTreeMap::new())
    }

    /// All gates at once, each with its status, in this environment.
    pub(super) fn suite(&self, env: &BTreeMap<String, String>) -> Answer {
        drop(fs::remove_dir_all(self.root.join("out")));
        let mut command = process::command(&self.built.suite, &self.root);
        self.runs(command.args(["full_suite_gate", "--exact", "--nocapture"]), env)
    }

    /// A command as somebody types it.
    pub(super) fn types(&self, argv: &[String], env: &BTreeMap<String, String>) -> Answer {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["cargo", "portcullis", words @ ..] => {
                let mut command = process::command(&self.built.subcommand, &self.root);
                self.runs(command.args(words), env)
            }
            ["cargo", words @ ..] => self.runs(cargo(&self.root).args(words), env),
            [program, words @ ..] => {
                self.runs(process::command(program, &self.root).args(words), env)
            }
            [] => panic!("an empty command"),
        }
    }

    fn runs(&self, command: &mut Command, env: &BTreeMap<String, String>) -> Answer {
        command.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
        // No caller's colours, and no lane but the one that a fault states.
        command.env("CARGO_TERM_COLOR", "never").env("PORTCULLIS_LANE", "local");
        let path = host("PATH").expect("a search path").into_string().expect("UTF-8");
        for (name, value) in env {
            let value = value.replace("@ROOT@", &self.root.display().to_string());
            let tools = std::env::temp_dir().join("portcullis-demo-tools");
            let value = value.replace("@TOOLS@", &tools.display().to_string());
            command.env(name, value.replace("@PATH@", &path));
        }
        bounded(command)
    }

    /// The views of the last run: a document, by its name below `out`.
    pub(super) fn view(&self, name: &str) -> Value {
        let path = self.root.join("out").join(name);
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"))
    }

    /// What is not in order in the last run of all gates, with its effective status.
    pub(super) fn red(&self) -> BTreeMap<String, String> {
        let verdict = self.view("full_suite_verdict.json");
        let gates = verdict["gates"].as_array().expect("gates").iter();
        let named = gates.map(|gate| {
            let text = |key: &str| gate[key].as_str().expect("a text").to_owned();
            (text("id"), text("effective"))
        });
        named.filter(|(_, status)| status != "pass" && status != "waived").collect()
    }
}

/// What a command said and how it ended.
pub(super) struct Answer {
    /// The command.
    line: String,
    /// The exit code.
    pub(super) code: Option<i32>,
    /// Both streams.
    pub(super) text: String,
}

impl Answer {
    /// Asserts the exit code.
    pub(super) fn ends(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}:\n{}", self.line, self.text);
        self
    }

    /// Asserts that each of these was said.
    pub(super) fn says<T: AsRef<str>>(&self, parts: &[T]) -> &Self {
        for part in parts.iter().map(AsRef::as_ref) {
            assert!(self.text.contains(part), "{}: no `{part}` in\n{}", self.line, self.text);
        }
        self
    }
}

/// Runs a child to its end, or ends it: a child that hangs must not take the suite with it.
fn bounded(command: &mut Command) -> Answer {
    let line = format!("{command:?}");
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let (sender, receiver) = channel();
    let streams: [Option<Box<dyn io::Read + Send>>; 2] = [
        child.stdout.take().map(|stream| Box::new(stream) as _),
        child.stderr.take().map(|stream| Box::new(stream) as _),
    ];
    for (number, stream) in streams.into_iter().enumerate() {
        let sender = sender.clone();
        let mut stream = stream.expect("a stream");
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).expect("a stream");
            drop(sender.send((number, bytes)));
        });
    }
    let mut texts = [String::new(), String::new()];
    for _ in 0..2 {
        let Ok((number, bytes)) = receiver.recv_timeout(PATIENCE) else {
            child.kill().expect("it can be ended");
            panic!("{line} is hung");
        };
        texts[number] = String::from_utf8_lossy(&bytes).into_owned();
    }
    let status = child.wait().expect("it ended");
    Answer { line, code: status.code(), text: texts.join("\n--- stderr\n") }
}

/// Builds everything that is run below, and says where it lies.
fn build(root: &Path) -> Built {
    let mut command = cargo(root);
    command.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
    let words = [
        "test",
        "--no-run",
        "--workspace",
        "--features",
        "lantern/ext-conformance",
        "--message-format",
        "json",
        "--quiet",
    ];
    let answer = bounded(command.args(words));
    answer.ends(0);
    let lines = answer.text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let suite = lines
        .filter(|line| line["target"]["name"] == "ci_full_suite_gate")
        .find_map(|line| line["executable"].as_str().map(PathBuf::from));
    let mut switch = cargo(root);
    switch.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
    bounded(switch.args(["build", "--quiet", "--workspace"])).ends(0);
    // The subcommand of this checkout, as its own CI step builds it.
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut subcommand = cargo(checkout);
    subcommand.env("CARGO_TARGET_DIR", target_dir());
    bounded(subcommand.args(["build", "--quiet", "--package", "cargo-portcullis"])).ends(0);
    let program = |name: &str| format!("debug/{name}{}", std::env::consts::EXE_SUFFIX);
    Built {
        suite: suite.expect("the gate binary is built"),
        switch: target().join(program("demo-switch")),
        subcommand: target_dir().join(program("cargo-portcullis")),
    }
}

/// Makes `to` what the fixture says. What is made anew each time is left, so that nothing is built without need.
fn restore(from: &Path, to: &Path) {
    let mut names = BTreeSet::new();
    for entry in from.read_dir().expect("a folder").map(|entry| entry.expect("an entry")) {
        let (name, source, target) = (entry.file_name(), entry.path(), to.join(entry.file_name()));
        let made = ["target", "out", "evidence", ".demo-switch", ".tools"];
        if made.iter().any(|other| name == **other) {
            continue;
        }
        if source.is_dir() {
            restore(&source, &target);
        } else {
            let mut text = fs::read_to_string(&source).expect("a text");
            if name == "Cargo.toml" {
                let checkout = env!("CARGO_MANIFEST_DIR").replace('\\', "/");
                text = text.replace("\"../../", &format!("\"{checkout}/"));
            }
            write(&target, &text);
        }
        names.insert(name);
    }
    for entry in to.read_dir().expect("a folder").map(|entry| entry.expect("an entry")) {
        let (name, path) = (entry.file_name(), entry.path());
        if !names.contains(&name) && !NOT_OURS.iter().any(|other| name == **other) {
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

/// Writes a file unless it says the same already: cargo builds anew what is newer.
#[expect(clippy::disallowed_methods, reason = "a tree of the test's own, in the target directory")]
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("a file");
}
