//! The repository of the bundle, written again for portcullis and built once.

use super::translate::{self, Files, TODAY};
use portcullis_repo::process::{cargo, command, done, subcommand, target_dir, text};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, OnceLock},
};

/// The work tree, held by one test at a time: a branch is judged where it is checked out.
pub(super) struct Tollbooth {
    root: PathBuf,
    gates: PathBuf,
    _held: MutexGuard<'static, ()>,
}

/// What one branch came to.
pub(super) struct Judged {
    pub(super) text: String,
    pub(super) exit: u8,
    decision: Value,
}

const BRANCHES: [&str; 6] = [
    "p1-waiver",
    "p2-baseline-number",
    "p3-lock-gate-removed",
    "p4-unclassified-test",
    "p5-loosened-threshold",
    "p6-harmless",
];

impl Tollbooth {
    /// Writes and builds the repository, once for all tests.
    pub(super) fn build() -> Self {
        static TREE: Mutex<()> = Mutex::new(());
        static BUILT: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
        let held = TREE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (root, gates) = BUILT.get_or_init(|| {
            let root = target_dir().join("two_trees/tollbooth");
            if root.exists() {
                fs::remove_dir_all(&root).expect("the tree of an earlier test");
            }
            write(&root);
            let gates = compile(&root);
            (root, gates)
        });
        Self { root: root.clone(), gates: gates.clone(), _held: held }
    }

    /// Judges a branch on a pull request, against this base.
    pub(super) fn judge(&self, branch: &str, base: Option<&str>) -> Judged {
        done(git(&self.root).args(["checkout", "--quiet", branch]));
        let mut gates = command(&self.gates, &self.root);
        gates.args(["full_suite_gate", "--exact"]);
        gates.env("PORTCULLIS_LANE", "pr").env("CI", "true").env("CARGO_NET_OFFLINE", "true");
        // The branches are of a day that is gone.
        gates.env("PORTCULLIS_NOW", TODAY).env("PORTCULLIS_ALLOW_PAST", "1");
        if let Some(base) = base {
            gates.env("PORTCULLIS_BASE", base);
        }
        let runs = self.root.join("target/portcullis/runs");
        let _fresh = fs::remove_dir_all(&runs);
        let output = gates.output().expect("the gate binary starts");
        let run = fs::read_dir(&runs).expect("a run").flatten().next().expect("one run");
        let decision = fs::read_to_string(run.path().join("decision.json")).expect("a decision");
        let decision: Value = serde_json::from_str(&decision).expect("JSON");
        let exit = decision["exit"].as_u64().and_then(|exit| u8::try_from(exit).ok());
        let green = output.status.success();
        let exit = exit.expect("an exit code");
        assert_eq!(green, exit == 0, "{}", text(&output));
        Judged { text: text(&output), exit, decision }
    }

    /// What the built subcommand says of the last run when the base judges it, from the base's own checkout.
    pub(super) fn verify(&self, branch: &str, base: &str) -> Judged {
        done(git(&self.root).args(["checkout", "--quiet", base]));
        let run = fs::read_dir(self.root.join("target/portcullis/runs")).expect("a run");
        let run = run.flatten().next().expect("one run").path();
        let mut verify = command(subcommand(), &self.root);
        verify.arg("verify").arg(run).args(["--base", base, "--commit", branch, "--lane", "pr"]);
        verify.args(["--format", "json"]);
        verify.env("PORTCULLIS_NOW", TODAY).env("PORTCULLIS_ALLOW_PAST", "1");
        let output = verify.output().expect("the subcommand starts");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let exit = output.status.code().and_then(|code| u8::try_from(code).ok());
        let exit = exit.expect("an exit code");
        Judged { text: text(&output), exit, decision: document["decision"].clone() }
    }

    /// A base that approves these loosenings of a gate, and the change of a branch on top of it.
    pub(super) fn approve(&self, branch: &str, gate: &str, digests: &[String]) -> (String, String) {
        let (base, change) = (format!("{branch}-approval"), format!("{branch}-approved"));
        let record = record(gate, digests);
        self.branch(&base, "main", APPROVERS, &record);
        done(git(&self.root).args(["checkout", "--quiet", "-B", &change, &base]));
        done(git(&self.root).args(["cherry-pick", "--quiet", branch]));
        (base, change)
    }

    /// A base that has approvers and no approval, and the change of a branch that brings its own.
    pub(super) fn approve_itself(
        &self,
        branch: &str,
        gate: &str,
        digests: &[String],
    ) -> (String, String) {
        let (base, change) = (format!("{branch}-approvers"), format!("{branch}-itself"));
        self.branch(&base, "main", APPROVERS, "");
        done(git(&self.root).args(["checkout", "--quiet", "-B", &change, &base]));
        done(git(&self.root).args(["cherry-pick", "--quiet", branch]));
        self.branch(&change, &change, "", &record(gate, digests));
        (base, change)
    }

    /// A harmless change on top of a branch.
    pub(super) fn later(&self, branch: &str) -> String {
        let name = format!("{branch}-later");
        self.branch(&name, branch, "\n# later\n", "");
        name
    }

    /// Adds to policy and waivers of a branch, in a commit on a branch of its own.
    fn branch(&self, name: &str, from: &str, policy: &str, waivers: &str) {
        done(git(&self.root).args(["checkout", "--quiet", "-B", name, from]));
        for (file, more) in [("portcullis.toml", policy), ("suite_classification.toml", waivers)] {
            let path = self.root.join(file);
            let text = fs::read_to_string(&path).expect("a text");
            #[expect(clippy::disallowed_methods, reason = "a test writes its own tree")]
            fs::write(path, format!("{text}{more}")).expect("a file");
        }
        done(git(&self.root).args(["commit", "--quiet", "--all", "--message", name]));
    }
}

const APPROVERS: &str = "\n[approval]\napprovers = [\"rita@example.org\"]\n";

fn record(gate: &str, digests: &[String]) -> String {
    format!(
        "\n[approval.{gate}]\ngate = \"{gate}\"\napprover = \"rita@example.org\"\ncreated = 2026-03-15\nexpires = 2026-03-25\n\
         issue = \"T-9\"\nreason = \"the toll booth is being rebuilt\"\nloosenings = {digests:?}\n"
    )
}

impl Judged {
    fn row(&self, gate: &str) -> Option<&Value> {
        self.decision["gates"].as_array()?.iter().find(|row| row["id"] == gate)
    }

    pub(super) fn effective(&self, gate: &str) -> String {
        let row = self.row(gate).and_then(|row| row["effective"].as_str());
        row.unwrap_or("absent").to_owned()
    }

    pub(super) fn code(&self, gate: &str) -> Option<String> {
        self.row(gate)?["code"].as_str().map(str::to_owned)
    }

    /// What an approval of everything that is loosened would name.
    pub(super) fn digests(&self) -> Vec<String> {
        let loosened = self.decision["loosened"].as_array().expect("a list");
        let digest = |one: &Value| one["digest"].as_str().expect("a digest").to_owned();
        loosened.iter().map(digest).collect()
    }

    /// The gates that block beside this one.
    pub(super) fn others(&self, gate: &str) -> Vec<String> {
        let rows = self.decision["gates"].as_array().expect("rows");
        let others = rows.iter().filter(|row| row["id"] != gate && row["blocks"] == true);
        others.map(|row| format!("{} {}", row["id"], row["code"])).collect()
    }
}

fn write(root: &Path) {
    fs::create_dir_all(root).expect("a folder");
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/two_trees/tollbooth.bundle");
    let clone = root.join("../bundle");
    let _fresh = fs::remove_dir_all(&clone);
    done(command("git", root).args(["clone", "--quiet"]).args([&bundle, &clone]));
    done(git(root).args(["init", "--quiet", "--initial-branch", "main"]));
    commit(root, &translate::files(&theirs(&clone, "origin/main"), None), "main");
    for branch in BRANCHES {
        done(git(root).args(["checkout", "--quiet", "-b", branch, "main"]));
        let files = translate::files(&theirs(&clone, &format!("origin/{branch}")), None);
        commit(root, &files, branch);
    }
    done(git(root).args(["checkout", "--quiet", "-b", "p7", "main"]));
    commit(root, &translate::files(&theirs(&clone, "origin/main"), Some("budget")), "p7");
    done(git(root).args(["checkout", "--quiet", "main"]));
}

/// The files of one commit of the bundle.
fn theirs(clone: &Path, rev: &str) -> Files {
    let names = git(clone).args(["ls-tree", "-r", "--name-only", rev]).output().expect("git");
    let names = String::from_utf8(names.stdout).expect("names");
    let read = |name: &str| {
        let shown = git(clone).args(["show", &format!("{rev}:{name}")]).output().expect("git");
        (name.to_owned(), String::from_utf8(shown.stdout).expect("text"))
    };
    names.lines().map(read).collect()
}

fn commit(root: &Path, files: &Files, message: &str) {
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        #[expect(clippy::disallowed_methods, reason = "a test writes its own tree")]
        fs::write(path, text).expect("a file");
    }
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    if !root.join("Cargo.lock").exists() {
        fs::copy(lock, root.join("Cargo.lock")).expect("a lock file");
        // cargo prunes what the tree does not need, once, before the first commit.
        done(offline(root).args(["metadata", "--format-version", "1"]));
    }
    done(git(root).args(["add", "--all"]));
    done(git(root).args(["commit", "--quiet", "--message", message]));
}

fn compile(root: &Path) -> PathBuf {
    let mut build = offline(root);
    build.env("CARGO_TARGET_DIR", target_dir().join("rows/target"));
    build.args(["test", "--no-run", "--test", "ci_full_suite_gate", "--message-format", "json"]);
    let output = build.output().expect("cargo starts");
    assert!(output.status.success(), "{}", text(&output));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let built = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = built
        .filter(|line| line["target"]["name"] == "ci_full_suite_gate")
        .find_map(|line| line["executable"].as_str().map(PathBuf::from))
        .expect("a gate binary");
    // Beside the tree, so that its own target folder, and no other, takes the runs.
    let own = root.join("target/debug").join(executable.file_name().expect("a name"));
    fs::create_dir_all(own.parent().expect("a folder")).expect("a folder");
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
    #[expect(clippy::disallowed_methods, reason = "a test writes its own tree")]
    fs::write(root.join("target/CACHEDIR.TAG"), tag).expect("a tag");
    fs::copy(executable, &own).expect("a copy");
    own
}

fn offline(root: &Path) -> Command {
    let mut cargo = cargo(root);
    cargo.env("CARGO_NET_OFFLINE", "true");
    cargo
}

fn git(root: &Path) -> Command {
    let mut git = command("git", root);
    git.args(["-c", "user.name=tollbooth", "-c", "user.email=tolls@example.org"]);
    git.args(["-c", "commit.gpgsign=false"]);
    git
}
