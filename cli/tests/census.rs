//! `list` and `census` over one sample workspace whose gate binaries speak the list protocol and nothing else.

use serde_json::{Value, json};
use std::{
    env, fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

const POLICY: &str = "[policy]\nversion = 1\nowner = \"team\"\nbinary = \"gates\"\n\n\
                      [[gate]]\nid = \"first\"\nkind = \"command\"\n";
const MANIFEST: &str = "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\n\
                        [[test]]\nname = \"gates\"\npath = \"gates.rs\"\nharness = false\n\n[workspace]\n";
/// Answers with the file that lies beside the manifest, as a gate binary answers with its list.
const MAIN: &str = "fn main() { print!(\"{}\", std::fs::read_to_string(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/answer\")).unwrap()); }\n";

struct Sample(tempfile::TempDir);

fn put(path: &Path, text: &str) {
    let mut file = fs::File::create(path).expect("a file");
    file.write_all(text.as_bytes()).expect("written");
}

fn gate(name: &str) -> Value {
    json!({
        "id": name, "name": name, "kind": "command", "binary": "gates", "title": name, "owner": "team",
        "blocking": true, "lanes": ["local", "pr", "main", "release"], "needs": [], "timeout_ms": 1000,
        "digest": "0".repeat(64), "page": [" Runs a command."],
    })
}

fn answer(gates: &[Value]) -> String {
    json!({ "schema": "portcullis.list.v1", "binary": "gates", "tests": gates }).to_string()
}

impl Sample {
    fn new() -> Self {
        let sample = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in [
            ("Cargo.toml", MANIFEST),
            ("lib.rs", ""),
            ("gates.rs", MAIN),
            ("portcullis.toml", POLICY),
        ] {
            sample.put(name, text);
        }
        sample
    }

    fn put(&self, name: &str, text: &str) {
        put(&self.0.path().join(name), text);
    }

    fn answers(&self, gates: &[Value]) {
        self.put("answer", &answer(gates));
    }

    #[expect(clippy::disallowed_methods, reason = "this test is about the process itself")]
    fn run_with(&self, words: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-portcullis"));
        command.current_dir(self.0.path()).args(words).stdin(Stdio::null()).env_clear();
        for name in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "TMPDIR",
            "SystemRoot",
            "TEMP",
        ] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(variables.iter().copied()).output().expect("the binary starts")
    }

    /// The exit code, and everything that was said.
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = self.run_with(words, &[]);
        let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    fn expect(&self, case: &str, words: &[&str], exit: i32, part: &str) {
        let (code, said) = self.run(words);
        assert_eq!(code, Some(exit), "{case}: {said}");
        assert!(said.contains(part), "{case}: `{part}` is not in\n{said}");
    }

    fn lock(&self) -> Option<String> {
        fs::read_to_string(self.0.path().join("portcullis.lock")).ok()
    }
}

#[test]
fn the_roster_is_blessed_checked_and_loosened_loudly() {
    let sample = Sample::new();
    sample.answers(&[gate("first"), gate("second")]);
    sample.expect("a census was never blessed", &["census"], 11, "census_invalid");
    sample.expect("it is blessed", &["census", "--bless"], 0, "2 gates written");
    sample.expect("it is as committed", &["census", "--check"], 0, "2 gates, as committed");
    let committed = sample.lock().expect("a census");

    sample.answers(&[gate("first")]);
    sample.expect("a gate is gone", &["census", "--check"], 11, "census_gate_missing");
    sample.answers(&[gate("first"), gate("second"), gate("third")]);
    sample.expect("a gate is new", &["census"], 11, "census_gate_extra");
    assert_eq!(sample.lock().as_ref(), Some(&committed), "checking changes nothing");

    let mut weaker = gate("second");
    weaker["blocking"] = json!(false);
    sample.answers(&[gate("first"), weaker]);
    sample.expect("a gate advises only", &["census"], 11, "census_differs");
    sample.expect("and blessing says so", &["census", "--bless"], 0, "policy_loosened");
    sample.expect("a list names owner and kind", &["list"], 0, "second");
    sample.expect("a page comes from the binary", &["explain", "second"], 0, "Runs a command.");
}

#[test]
fn blessing_is_refused_in_ci_before_anything_is_built() {
    let sample = Sample::new();
    for (value, refused) in
        [("true", true), ("1", true), ("0", true), ("yes", true), ("false", false), ("", false)]
    {
        // There is no answer to list, so a blessing that is not refused ends with another code.
        let code = sample.run_with(&["census", "--bless"], &[("CI", value)]).status.code();
        assert_eq!(code == Some(3), refused, "CI={value} gives {code:?}");
        assert_eq!(sample.lock(), None, "CI={value}");
    }
}

#[test]
fn fg19_a_binary_that_lists_nothing_never_counts_as_listed() {
    let sample = Sample::new();
    sample.put("answer", "");
    sample.expect("nothing is listed", &["list"], 13, "list_empty");
    sample.answers(&[]);
    sample.expect("no gate is listed", &["census"], 13, "list_empty");
    sample.answers(&[gate("first")]);
    sample.put("gates.rs", "fn main() { no such thing }");
    sample.expect("it does not build", &["list"], 13, "list_failed");
    sample.put("portcullis.toml", &POLICY.replace("\"gates\"", "\"gatez\""));
    sample.expect("it does not exist", &["list"], 13, "did you mean `gates`?");
    sample.put("portcullis.toml", "[policy]\nversion = 1\nowner = \"team\"\nwat = 1\n");
    sample.expect("the policy is not valid", &["list"], 2, "config_unknown_key");
}
