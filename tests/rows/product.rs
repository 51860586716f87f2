//! The worked example as a product: one copy of it below the target directory, built once, broken and healed in turn.
//!
//! One copy, because cargo would build a second one anew; so a lock lets one test at a time at it, in whatever process.

use portcullis::{
    evidence::clock,
    wire::time::{Day, Instant},
};
use portcullis_repo::process::{self, cargo, target_dir};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// What a copy has beside the files of the fixture.
const NOT_OURS: [&str; 5] = ["out", "target", ".git", "Cargo.lock", "Cargo.lock.seen"];

/// The folder of the fixture.
pub(super) fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/policies/full_release")
}

fn folder() -> PathBuf {
    target_dir().join("rows")
}

/// The copy, held by one test, whole and without a trace of another test.
pub(super) struct Product {
    root: PathBuf,
    // Released when the file is closed, also when the process is killed.
    _lock: File,
}

impl Product {
    /// Takes the copy, and brings it back to what the fixture says.
    pub(super) fn take() -> Self {
        let lock = lock();
        let root = folder().join("ferry");
        restore(&fixture(), &root, &Stamps::now());
        resolve(&root);
        if !root.join(".git").exists() {
            process::done(process::command("git", &root).args(["init", "--quiet"]));
        }
        let product = Self { root, _lock: lock };
        static BUILT: OnceLock<()> = OnceLock::new();
        BUILT.get_or_init(|| {
            for features in [&[][..], &["--features", "ext-conformance"][..]] {
                let mut build = product.cargo(&[]);
                process::done(build.args(["test", "--no-run", "--tests"]).args(features));
            }
        });
        product
    }

    /// Its root folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// cargo in the copy, with these variables beside those of a desk.
    pub(super) fn cargo(&self, env: &[(&str, &str)]) -> Command {
        let mut command = cargo(&self.root);
        command.env("CARGO_TARGET_DIR", folder().join("target")).env("CARGO_NET_OFFLINE", "true");
        // No caller's colours, and no lane but the one that a row states.
        command.env("CARGO_TERM_COLOR", "never").env("PORTCULLIS_LANE", "local");
        command.envs(env.iter().copied());
        command
    }

    /// Runs a command line as somebody types it: words parted by blanks, `cargo` the first.
    pub(super) fn types(&self, line: &str, env: &[(&str, &str)]) -> Answer {
        let words = line.strip_prefix("cargo ").unwrap_or_else(|| panic!("`{line}` calls cargo"));
        let output: Output =
            self.cargo(env).args(words.split_whitespace()).output().expect("cargo starts");
        Answer { line: line.to_owned(), code: output.status.code(), text: process::text(&output) }
    }

    /// A view of the last run, as it lies in the folder that the policy names.
    pub(super) fn view(&self, name: &str) -> String {
        let path = self.root.join("out").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Removes the views, so that none of an earlier run is taken for one of the next.
    pub(super) fn forget_views(&self) {
        let out = self.root.join("out");
        if out.exists() {
            fs::remove_dir_all(out).expect("the views are removed");
        }
    }

    /// Commits the copy as it stands, as somebody who is about to tag does.
    pub(super) fn commits(&self) {
        for words in [
            &["add", "--all"][..],
            &["commit", "--quiet", "--allow-empty", "--message", "1.4.0"][..],
        ] {
            let mut git = process::command("git", &self.root);
            git.args(["-c", "user.name=ferry", "-c", "user.email=ferry@harbour.example"]);
            process::done(git.args(["-c", "commit.gpgsign=false"]).args(words));
        }
    }

    /// A file of the copy.
    pub(super) fn text(&self, file: &str) -> String {
        fs::read_to_string(self.root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// Writes a file of the copy.
    pub(super) fn write(&self, file: &str, text: &str) {
        write(&self.root.join(file), text);
    }

    /// Deletes a file of the copy.
    pub(super) fn delete(&self, file: &str) {
        fs::remove_file(self.root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

/// What a command said and how it ended.
pub(super) struct Answer {
    /// The command line.
    pub(super) line: String,
    /// The exit code; cargo hands on that of the gate binary.
    pub(super) code: Option<i32>,
    /// Both streams.
    pub(super) text: String,
}

impl Answer {
    /// Asserts the exit code.
    pub(super) fn ends(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "`{}`:\n{}", self.line, self.text);
        self
    }

    /// Asserts that each of these parts was said.
    pub(super) fn says(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.text.contains(part), "`{}`: no `{part}` in\n{}", self.line, self.text);
        }
        self
    }

    /// Every code that was reported, once each.
    pub(super) fn codes(&self) -> BTreeSet<&str> {
        // A finding begins with its code; an error and what it precludes have it in the headline of their gate.
        let headlines = self.text.lines().filter_map(|line| {
            let (_, rest) = line.split_once(": ").filter(|(gate, _)| !gate.contains(' '))?;
            let (_, rest) = rest.split_once(" [").filter(|(status, _)| !status.contains(' '))?;
            rest.split_once("]: ").map(|(code, _)| code)
        });
        self.marked("error[", "]").chain(headlines).collect()
    }

    /// Every replay that was printed.
    pub(super) fn replays(&self) -> BTreeSet<&str> {
        self.marked("   = replay: ", "\n").map(str::trim).collect()
    }

    fn marked<'a>(&'a self, begin: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
        self.text.split(begin).skip(1).filter_map(move |rest| rest.split(end).next())
    }
}

/// One test at a time, in this process and in others.
fn lock() -> File {
    fs::create_dir_all(folder()).expect("a folder");
    let lock = File::create(folder().join("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    lock
}

/// Moments and days around today, for the placeholders of the fixture.
struct Stamps {
    now: Instant,
}

impl Stamps {
    /// An hour ago: nothing in the copy may come from the future, not even while the clock is adjusted.
    fn now() -> Self {
        let ms = clock::system_now().expect("a clock").unix_ms() - 3_600_000;
        Self { now: Instant::from_unix_ms(ms).expect("a moment") }
    }

    fn fill(&self, text: &str) -> String {
        let text = text.replace("@PORTCULLIS@", &env!("CARGO_MANIFEST_DIR").replace('\\', "/"));
        let text = each(&text, "@NOW", |minutes| {
            let ms = self.now.unix_ms() + minutes * 60_000;
            Instant::from_unix_ms(ms).expect("a moment").to_string()
        });
        each(&text, "@DAY", |days| day(self.now, days).to_string())
    }
}

/// The calendar day some days from a moment, in UTC.
pub(super) fn day(from: Instant, days: i64) -> Day {
    Instant::from_unix_ms(from.unix_ms() + days * 86_400_000).expect("a moment").day()
}

/// Today, some days on, as the copy counts.
pub(super) fn today(days: i64) -> String {
    day(Stamps::now().now, days).to_string()
}

/// Some minutes before or after the moment of the copy.
pub(super) fn moment(minutes: i64) -> String {
    Stamps::now().fill(&format!("@NOW{minutes:+}@"))
}

/// Puts a text for each placeholder that begins so, ends in `@`, and may have a signed number between.
fn each(text: &str, begin: &str, filled: impl Fn(i64) -> String) -> String {
    let mut parts = text.split(begin);
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('@').expect("a placeholder ends");
        let number = if number.is_empty() { 0 } else { number.parse().expect("a signed number") };
        done += &filled(number);
        done += rest;
    }
    done
}

/// Makes `to` what the fixture says, and nothing else.
fn restore(from: &Path, to: &Path, stamps: &Stamps) {
    let mut names = BTreeSet::new();
    for entry in from.read_dir().expect("a folder").map(|entry| entry.expect("an entry")) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        names.insert(entry.file_name());
        if source.is_dir() {
            restore(&source, &target, stamps);
        } else {
            write(&target, &stamps.fill(&fs::read_to_string(&source).expect("a text")));
        }
    }
    for entry in to.read_dir().expect("a folder").map(|entry| entry.expect("an entry")) {
        let name = entry.file_name();
        if !names.contains(&name) && !NOT_OURS.iter().any(|other| name == **other) {
            discard(&entry.path());
        }
    }
}

fn discard(path: &Path) {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removed");
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

/// The copy resolves to the versions of this checkout, without the network. cargo prunes what it does not need.
fn resolve(root: &Path) {
    let ours = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"));
    let ours = ours.expect("a lock file");
    if fs::read_to_string(root.join("Cargo.lock.seen")).is_ok_and(|found| found == ours) {
        return;
    }
    write(&root.join("Cargo.lock"), &ours);
    write(&root.join("Cargo.lock.seen"), &ours);
}
