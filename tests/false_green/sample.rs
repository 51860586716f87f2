//! The sample repository: copied, built and blessed once, then run by each case with a fault of its own.
//!
//! It lies in the target directory, so that a second run finds it built. No case changes a file of it.

use super::run::Run;
use portcullis::{
    kernel::census::{Census, CensusRow},
    wire::{
        id::{Digest, GateId},
        outcome::Lane,
    },
};
use portcullis_repo::process::{self, cargo, target_dir};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// `now` of every case that does not say otherwise. The waiver of the sample holds then.
pub(super) const NOW: &str = "2099-05-20T12:00:00Z";
/// Every gate of the sample, as the honest build must list them.
pub(super) const GATES: [&str; 8] =
    ["a_first", "b_second", "c_third", "d_fourth", "e_fifth", "f_sixth", "g_kind", "s_kind"];
/// Leaves the aggregates out, which look at every gate themselves.
pub(super) const NO_AGGREGATES: [&str; 8] = [
    "--skip",
    "full_suite_gate",
    "--skip",
    "full_certification",
    "--skip",
    "preflight_fast_fail",
    "--skip",
    "waiver_lifecycle_audit",
];

/// The folder of the copied tree.
pub(super) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = tree("sample", "");
        bless(&root);
        root
    })
}

/// A second copy, under the same census, whose cargo configuration says more; its gates are built anew.
pub(super) fn configured(name: &str, config: &str) -> PathBuf {
    let copy = tree(name, config);
    let census = fs::read_to_string(root().join("portcullis.lock")).expect("the census");
    write(&copy.join("portcullis.lock"), &census);
    copy
}

fn tree(name: &str, config: &str) -> PathBuf {
    let root = target_dir().join("false_green").join(name);
    // Cargo takes two trees of one version and one target directory for one, and starts the binary of either in both.
    let version = match name {
        "sample" => "0.0.0",
        "runner" => "0.0.1",
        _ => "0.0.2",
    };
    copy(&fixture("sample"), &root, version);
    lock(&root);
    // For the subcommand, which asks cargo by itself.
    let target = sample_target().display().to_string();
    let ours = format!("[net]\noffline = true\n\n[build]\ntarget-dir = '{target}'\n");
    write(&root.join(".cargo/config.toml"), &format!("{ours}\n{config}"));
    root
}

/// The target directory of the sample.
pub(super) fn sample_target() -> PathBuf {
    target_dir().join("false_green/target")
}

/// A folder of `fixtures/false_green/`.
pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/false_green").join(name)
}

fn copy(from: &Path, to: &Path, version: &str) {
    for entry in from.read_dir().expect("a fixture folder").map(|entry| entry.expect("an entry")) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target, version);
        } else {
            let text = fs::read_to_string(&source).expect("a text");
            let checkout = env!("CARGO_MANIFEST_DIR").replace('\\', "/");
            let text = text.replace("version = \"0.0.0\"", &format!("version = {version:?}"));
            write(&target, &text.replace("@PORTCULLIS@", &checkout));
        }
    }
}

/// Writes a file unless it says the same already: cargo rebuilds what is newer.
#[expect(clippy::disallowed_methods, reason = "a tree of the test's own, in the target directory")]
pub(super) fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("a file");
}

/// The sample resolves to the versions of this checkout, without the network. cargo prunes what it does not need.
fn lock(root: &Path) {
    let ours = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"));
    let ours = ours.expect("a lock file");
    let seen = root.join("Cargo.lock.seen");
    if fs::read_to_string(&seen).is_ok_and(|found| found == ours) {
        return;
    }
    write(&root.join("Cargo.lock"), &ours);
    write(&seen, &ours);
}

/// Writes the census of the honest build, and refuses one that is not whole: it is what every case is held against.
fn bless(root: &Path) {
    let mut rows: Vec<CensusRow> =
        ["gates", "second"].into_iter().flat_map(|binary| listed(root, binary)).collect();
    rows.sort_by(|left, right| left.id.cmp(&right.id));
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, GATES, "the honest sample has exactly these gates");
    write(&root.join("portcullis.lock"), &Census { rows }.render());
}

fn listed(root: &Path, binary: &str) -> Vec<CensusRow> {
    let mut list = test_command(root, &["--test", binary]);
    let output = list.args(["--", "--list", "--format", "json"]).output().expect("cargo starts");
    assert!(output.status.success(), "{}", process::text(&output));
    let document: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("a list and nothing else");
    let tests = document["tests"].as_array().expect("rows").clone();
    let text = |row: &serde_json::Value, key: &str| {
        row[key].as_str().unwrap_or_else(|| panic!("`{key}` in {row}")).to_owned()
    };
    tests
        .iter()
        .filter(|row| row["kind"] != "aggregate")
        .map(|row| CensusRow {
            id: GateId::parse(&text(row, "name")).expect("an id"),
            kind: text(row, "kind"),
            binary: text(row, "binary"),
            lanes: Lane::ALL.to_vec(),
            blocking: row["blocking"].as_bool().expect("a flag"),
            owner: text(row, "owner"),
            digest: Digest::parse(&text(row, "digest")).expect("a digest"),
        })
        .collect()
}

fn test_command(root: &Path, selection: &[&str]) -> Command {
    let mut command = cargo(root);
    command.args(["test", "--quiet", "--offline", "--target-dir"]).arg(sample_target());
    command.args(selection).env("PORTCULLIS_LANE", "pr").env("PORTCULLIS_NOW", NOW);
    command
}

/// One case over the sample: a fault, and how the gates are run.
pub(super) struct Case {
    name: &'static str,
    cargo_args: Vec<String>,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Case {
    /// A case; `name` is the number and part, and unique.
    pub(super) fn new(name: &'static str) -> Self {
        let env = [("PORTCULLIS_LANE", "pr"), ("PORTCULLIS_NOW", NOW)];
        Self {
            name,
            cargo_args: Vec::new(),
            args: Vec::new(),
            env: env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    /// How the first gate misbehaves at run time.
    pub(super) fn fault(self, fault: &str) -> Self {
        self.env("SAMPLE_FAULT", fault)
    }

    /// Sets a variable.
    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Words for cargo.
    pub(super) fn cargo<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        self.cargo_args.extend(words.into_iter().map(str::to_owned));
        self
    }

    /// Builds with a fault.
    pub(super) fn feature(self, feature: &str) -> Self {
        self.cargo(["--features", feature])
    }

    /// Words for the gate binary, or for nextest.
    pub(super) fn args<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        self.args.extend(words.into_iter().map(str::to_owned));
        self
    }

    /// Runs the gate binary `gates` under plain `cargo test`, which hands its exit code on.
    pub(super) fn cargo_test(self) -> Run {
        let mut command = test_command(root(), &["--test", "gates"]);
        command.args(&self.cargo_args).arg("--").args(&self.args);
        self.finish(command)
    }

    /// Runs every target that cargo finds under plain `cargo test`, which exits 101 for whatever fails.
    pub(super) fn cargo_tests(self) -> Run {
        let mut command = test_command(root(), &[]);
        command.arg("--no-fail-fast").args(&self.cargo_args).arg("--").args(&self.args);
        self.finish(command)
    }

    /// Runs the gate binaries under nextest; `args` are nextest's own.
    pub(super) fn nextest(self) -> Run {
        let mut command = cargo(root());
        command.args(["nextest", "run", "--offline", "--no-fail-fast", "--target-dir"]);
        command.arg(sample_target()).args(&self.cargo_args).args(&self.args);
        self.finish(command)
    }

    /// The bare gate binary, without cargo around it, ready to be started.
    pub(super) fn bare(self) -> (Command, Run) {
        let run = Run::new(self.name);
        let mut command = process::command(binary(), root());
        command.args(&self.args).envs(self.env).env("PORTCULLIS_RUN_ID", run.id());
        (command, run)
    }

    /// The same, run to its end under an id that the gate binary makes up: such a run it seals itself.
    pub(super) fn sealed(self) -> Run {
        let (mut command, _unused) = self.bare();
        let output = command.env_remove("PORTCULLIS_RUN_ID").output().expect("it starts");
        let said = process::text(&output);
        let path = said.lines().find_map(|line| line.trim().strip_prefix("receipts"));
        let path = PathBuf::from(path.unwrap_or_else(|| panic!("{said}")).trim());
        let id = path.file_name().and_then(|name| name.to_str()).expect("a run id");
        Run::called(id).ended(&output)
    }

    fn finish(self, mut command: Command) -> Run {
        let run = Run::new(self.name);
        command.envs(self.env).env("PORTCULLIS_RUN_ID", run.id());
        let output: Output = command.output().expect("cargo starts");
        run.ended(&output)
    }
}

/// The honest gate binary as cargo built it.
fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY
        .get_or_init(|| {
            let mut build = test_command(root(), &["--test", "gates"]);
            let output = build.args(["--no-run", "--message-format", "json"]).output();
            let output = output.expect("cargo starts");
            let messages = String::from_utf8_lossy(&output.stdout);
            let executable = messages.lines().find_map(|line| {
                let message: serde_json::Value = serde_json::from_str(line).ok()?;
                let is_gates = message["target"]["name"] == "gates";
                message["executable"].as_str().filter(|_| is_gates).map(PathBuf::from)
            });
            executable.unwrap_or_else(|| panic!("{}", process::text(&output)))
        })
        .clone()
}
