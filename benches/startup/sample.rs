//! Workspaces that are generated for a measurement, as a user would write them. Measures nothing.

use super::Failure;
use portcullis::{
    GateId, GateTable,
    kernel::{census::Census, policy},
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A registry that has one crate: the harness, packed as it would be published.
///
/// What cargo takes from a registry it compiles otherwise than what lies beside a workspace: without incremental
/// compilation and without lints, as every user of the crate does.
const SHELF: &str = r#"
[registries.shelf]
index = "file:///nowhere"

[source.shelf]
registry = "file:///nowhere"
replace-with = "packed"

[source.packed]
directory = "packed"
"#;

/// A trivial trial of libtest-mimic, as many times as the environment says.
const MIMIC: &str = r#"
fn main() {
    let n: usize = std::env::var("SPEED_TRIALS").map_or(1, |text| text.parse().expect("a number"));
    let trials = (0..n).map(|n| libtest_mimic::Trial::test(format!("g{n:05}"), || Ok(()))).collect();
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials).exit();
}
"#;

/// A kind that looks at one thing, with the fixtures that every kind needs.
const KIND: &str = r#"
use portcullis::{Code, Examined, Finding, Findings, GateContext, GateError, Tooth};

portcullis::gate_kind! {
    /// Accepts every value but zero.
    pub static TRIVIAL: "trivial", since = "0.1.0", config = Config, check = check,
        codes = &[ZERO], teeth = TEETH;
}

const ZERO: Code = Code::new("PC1999", "zero_value", "A value is zero.");
const TEETH: &[Tooth] = &[
    Tooth::known_good("one_is_fine", "value = 1", &[]),
    Tooth::known_bad("zero_is_reported", ZERO, "value = 0", &[]),
];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    value: u32,
}

fn check(_: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    if config.value == 0 {
        out.push(Finding::new(ZERO, "value", "the value is zero", "write another one"));
    }
    Ok(Examined::items(1))
}

portcullis::main! {}
"#;

const POLICY: &str = "[policy]\nversion = 1\nowner = \"speed\"\nbinary = \"gate\"\n";

/// A generated workspace. Its folder goes with it.
pub(crate) struct Sample {
    folder: tempfile::TempDir,
    target: PathBuf,
}

impl Sample {
    /// A workspace of these members, each `(name, dependencies, source of tests/gate.rs)`.
    ///
    /// The profile `tuned` is `dev` with the overrides that `docs/performance.md` recommends.
    pub(crate) fn create(
        checkout: &Path,
        target: Option<&Path>,
        members: &[(String, String, String)],
    ) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let target = target.map_or_else(|| folder.path().join("target"), Path::to_path_buf);
        let names: Vec<String> = members.iter().map(|(name, _, _)| format!("{name:?}")).collect();
        let mut manifest = format!("[workspace]\nmembers = [{}]\n", names.join(", "));
        manifest.push_str("resolver = \"3\"\n\n[profile.tuned]\ninherits = \"dev\"\n");
        manifest.push_str(&overrides(checkout)?);
        write(&folder.path().join("Cargo.toml"), &manifest)?;
        // The same versions as in this repository, without a look at the registry.
        fs::copy(checkout.join("Cargo.lock"), folder.path().join("Cargo.lock"))?;
        write(&folder.path().join(".gitignore"), "/target\n")?;
        for (name, dependencies, source) in members {
            let member = folder.path().join(name);
            let manifest = format!(
                "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\ntest = false\n\n\
                 [dev-dependencies]\n{dependencies}\n\n[[test]]\nname = \"gate\"\nharness = false\n"
            );
            write(&member.join("Cargo.toml"), &manifest)?;
            write(&member.join("lib.rs"), "")?;
            write(&member.join("tests/gate.rs"), source)?;
        }
        Ok(Self { folder, target })
    }

    /// The folder of a member.
    pub(crate) fn member(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives a member its policy and the census that goes with it: `rust` gates, then `tables` of the kind above.
    pub(crate) fn configure(&self, name: &str, rust: usize, tables: usize) -> Result<(), Failure> {
        let mut text = POLICY.to_owned();
        for n in 0..tables {
            let _ok = write!(
                text,
                "\n[[gate]]\nid = \"g{n:05}\"\nkind = \"trivial\"\nvalue = {}\n",
                n + 1
            );
        }
        let parsed = policy::parse("portcullis.toml", &text)
            .map_err(|faults| format!("the generated policy is refused: {faults:?}"))?;
        let mut gates = parsed.gates.clone();
        for n in 0..rust {
            let id = GateId::parse(&format!("g{n:05}"))?;
            gates.push(GateTable::for_rust(id, &parsed, "gate"));
        }
        let member = self.member(name);
        write(&member.join("portcullis.toml"), &text)?;
        write(&member.join("portcullis.lock"), &Census::of(&gates).render())
    }

    /// Makes the workspace a git repository with one commit, as every real one is.
    pub(crate) fn commit(&self) -> Result<(), Failure> {
        let words: &[&[&str]] = &[
            &["init", "-q"],
            &["add", "-A"],
            &["-c", "user.name=s", "-c", "user.email=s@s", "commit", "-q", "-m", "sample"],
        ];
        for words in words {
            let status =
                Command::new("git").args(*words).current_dir(self.folder.path()).status()?;
            if !status.success() {
                return Err(format!("git {words:?} ended with {status}").into());
            }
        }
        Ok(())
    }

    /// Puts the harness of this checkout on the shelf of this workspace.
    pub(crate) fn shelve(&self, checkout: &Path) -> Result<(), Failure> {
        let (packing, packed) =
            (self.folder.path().join("packing"), self.folder.path().join("packed"));
        let status = Command::new("cargo")
            .args(["package", "--quiet", "--package", "portcullis", "--no-verify", "--allow-dirty"])
            .args(["--offline", "--target-dir"])
            .arg(&packing)
            .current_dir(checkout)
            .status()?;
        if !status.success() {
            return Err("the harness cannot be packed".into());
        }
        fs::create_dir_all(&packed)?;
        for entry in fs::read_dir(packing.join("package"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "crate") {
                let status =
                    Command::new("tar").arg("-xzf").arg(&path).arg("-C").arg(&packed).status()?;
                if !status.success() {
                    return Err(format!("`{}` cannot be unpacked", path.display()).into());
                }
            }
        }
        for entry in fs::read_dir(&packed)? {
            write(&entry?.path().join(".cargo-checksum.json"), r#"{"files":{}}"#)?;
        }
        write(&self.folder.path().join(".cargo/config.toml"), SHELF)
    }

    /// `cargo test --no-run` in this workspace; returns the executables by package, and the compiled packages.
    pub(crate) fn build(&self, profile: &str) -> Result<Built, Failure> {
        let output = Command::new("cargo")
            .args(["test", "--no-run", "--offline", "--workspace", "--message-format", "json"])
            .args(["--profile", profile])
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("RUSTFLAGS")
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the sample does not build in `{profile}`:\n{said}").into());
        }
        let mut built = Built::default();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let message: serde_json::Value = serde_json::from_str(line)?;
            let Some(package) = message["package_id"].as_str() else { continue };
            if message["reason"] == "compiler-artifact" {
                built.packages.insert(package.to_owned(), ());
                if let Some(path) = message["executable"].as_str() {
                    let folder = Path::new(message["manifest_path"].as_str().unwrap_or_default());
                    let name =
                        folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
                    built.executables.insert(name.unwrap_or_default().to_owned(), path.into());
                }
            }
        }
        Ok(built)
    }

    /// Forgets the runs so far: their directories would make every later one slower.
    pub(crate) fn forget_runs(&self) -> Result<(), Failure> {
        let runs = self.target.join("portcullis/runs");
        if runs.exists() {
            fs::remove_dir_all(runs)?;
        }
        Ok(())
    }
}

/// What cargo built.
#[derive(Default)]
pub(crate) struct Built {
    /// The test binary of each member.
    pub(crate) executables: BTreeMap<String, PathBuf>,
    /// Every package that was compiled, members included.
    pub(crate) packages: BTreeMap<String, ()>,
}

/// The per-package overrides of this repository's own `dev` profile, under another profile's name.
fn overrides(checkout: &Path) -> Result<String, Failure> {
    let manifest = fs::read_to_string(checkout.join("Cargo.toml"))?;
    let section = manifest
        .split_once("\n[profile.dev.package]\n")
        .ok_or("Cargo.toml has no `[profile.dev.package]`")?
        .1;
    let section = section.split("\n[").next().unwrap_or_default();
    // Packages that a sample does not link would only be warned about.
    Ok(format!("\n[profile.tuned.package]\n{section}\n"))
}

/// The source of a test binary with `n` trivial trials.
pub(crate) fn mimic(checkout: &Path) -> Result<(String, String, String), Failure> {
    let version = requirement(checkout, "libtest-mimic")?;
    Ok(("mimic".to_owned(), format!("libtest-mimic = {version}"), MIMIC.to_owned()))
}

/// A gate binary with one gate written in Rust, of a user who has the harness from a registry.
pub(crate) fn shelved() -> (String, String, String) {
    let dependency = "portcullis = { version = \"0\", registry = \"shelf\" }";
    ("cold".to_owned(), dependency.to_owned(), rust_source(1))
}

/// A gate binary with `n` gates written in Rust.
pub(crate) fn rust_gates(checkout: &Path, name: &str, n: usize) -> (String, String, String) {
    (name.to_owned(), harness(checkout), rust_source(n))
}

fn rust_source(n: usize) -> String {
    let mut source = "use portcullis::{Examined, Findings, GateContext, GateError};\n\n\
        fn check(_: &GateContext<'_>, _: &mut Findings) -> Result<Examined, GateError> {\n    \
        Ok(Examined::items(1))\n}\n\nportcullis::main! {}\n"
        .to_owned();
    for n in 0..n {
        let _ok = write!(
            source,
            "portcullis::gate! {{ /// Looks at one thing.\n static G{n:05}: \"g{n:05}\", check = check; }}\n"
        );
    }
    source
}

/// A gate binary with one trivial kind.
pub(crate) fn kinds(checkout: &Path) -> Result<(String, String, String), Failure> {
    let serde = requirement(checkout, "serde")?;
    Ok(("kinds".to_owned(), format!("{}\nserde = {serde}", harness(checkout)), KIND.to_owned()))
}

/// A gate binary that links the shipped kinds.
pub(crate) fn shipped(checkout: &Path) -> (String, String, String) {
    let path = checkout.join("gates");
    let dependencies = format!("{}\nportcullis-gates = {{ path = {path:?} }}", harness(checkout));
    let source = "portcullis::main! { crates: [portcullis_gates] }\n";
    ("shipped".to_owned(), dependencies, source.to_owned())
}

fn harness(checkout: &Path) -> String {
    format!("portcullis = {{ path = {:?} }}", checkout.join("harness"))
}

/// The requirement of a workspace dependency, as it stands in the root manifest.
fn requirement(checkout: &Path, name: &str) -> Result<String, Failure> {
    let manifest = fs::read_to_string(checkout.join("Cargo.toml"))?;
    let prefix = format!("{name} = ");
    manifest
        .lines()
        .find_map(|line| line.strip_prefix(&prefix))
        .map(str::to_owned)
        .ok_or_else(|| format!("Cargo.toml names no `{name}`").into())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, text)?)
}
