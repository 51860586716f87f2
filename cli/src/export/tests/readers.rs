//! Statements and metrics, read by the libraries that their publishers wrote. They come from PyPI by `.ci/install_tools`; where
//! they are not installed nothing is proven, which is said aloud, and in CI is a failure.

use super::*;
use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Reads `{name: [format, text]}` and answers `{name: why it is refused, or nothing}`. Fields that a message does not have are refused.
const READER: &str = r#"
import json, sys
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from prometheus_client.openmetrics.parser import text_string_to_metric_families

PREDICATES = {
    "https://in-toto.io/attestation/test-result/v0.1": test_result_pb2.TestResult,
    "https://slsa.dev/verification_summary/v1": vsa_pb2.VerificationSummary,
}

def statement(text):
    proto = json_format.Parse(text, statement_pb2.Statement())
    Statement.copy_from_pb(proto).validate()
    predicate = PREDICATES[proto.predicate_type]()
    fields = json.loads(text)["predicate"]
    if "verifier" in fields:
        # The message is older than the page of SLSA: there levels are a list, and a verifier may have versions.
        levels, versions = fields.pop("verifiedLevels"), fields["verifier"].pop("version", {})
        if not all(isinstance(word, str) for word in [*levels, *versions.keys(), *versions.values()]):
            raise ValueError("levels and versions are words")
    json_format.Parse(json.dumps(fields), predicate)
    for descriptor in getattr(predicate, "configuration", []):
        ResourceDescriptor.copy_from_pb(descriptor).validate()

def metrics(text):
    families = list(text_string_to_metric_families(text))
    if not any(family.samples for family in families):
        raise ValueError("no sample")

answers = {}
for name, (kind, text) in json.load(sys.stdin).items():
    try:
        {"statement": statement, "metrics": metrics}[kind](text)
        answers[name] = None
    except Exception as error:
        answers[name] = "%s: %s" % (type(error).__name__, error)
json.dump(answers, sys.stdout)
"#;

#[expect(clippy::disallowed_methods, reason = "a test asks where its own tools are")]
fn host(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// The folder of the libraries, below the target directory that this test lies in; nothing where they are not installed.
#[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
fn libraries() -> Option<PathBuf> {
    let own = std::env::current_exe().expect("this test has a path");
    let target = own.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let folder = target.expect("a target folder").join("tools/readers");
    let ci = host("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(folder.is_dir() || !ci, "CI must prove this: run `.ci/install_tools`");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("the readers of in-toto and OpenMetrics are not installed: SKIPPED LOUD");
    None
}

/// What the libraries say of documents: why one is refused, by name.
fn answers(libraries: &Path, documents: &Value) -> Value {
    #[expect(clippy::disallowed_methods, reason = "the test starts the readers")]
    let mut python = Command::new("python3")
        .args(["-I", "-c", &format!("import sys; sys.path.insert(0, {libraries:?})\n{READER}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let mut input = python.stdin.take().expect("a pipe");
    input.write_all(documents.to_string().as_bytes()).expect("it reads");
    drop(input);
    let output = python.wait_with_output().expect("it ends");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("answers")
}

#[test]
fn statements_and_metrics_are_read_by_the_libraries_of_their_publishers() {
    let Some(libraries) = libraries() else { return };
    let mut certified = one("pass", vec![gate("a", "pass", false, "x", 0)]);
    certified.decision.certifiable = true;
    let waived = one("pass", vec![gate("b", "waived", false, HOSTILE, 1)]);
    let mut documents = serde_json::Map::new();
    let accounts = [("everything", everything()), ("certified", certified), ("waived", waived)];
    for (case, account) in &accounts {
        for (format, kind) in [
            (Format::Intoto, "statement"),
            (Format::Vsa, "statement"),
            (Format::Openmetrics, "metrics"),
        ] {
            let text = render(format, account).expect("rendered");
            documents.insert(format!("good {case} {format:?}"), json!([kind, text]));
        }
    }
    // The readers look: each of these is refused.
    type Break = fn(&str) -> String;
    let broken: &[(&str, Format, Break)] = &[
        ("type", Format::Intoto, |text| text.replace("Statement/v1", "Statement/v2")),
        ("digest", Format::Vsa, |text| {
            text.replace("gitCommit", "").replace("\"\": \"a", "\"x\": 1, \"y\": \"a")
        }),
        ("subject", Format::Vsa, |text| text.replace("\"subject\"", "\"subjects\"")),
        ("time", Format::Vsa, |text| {
            text.replace("\"timeVerified\": \"2", "\"timeVerified\": \"x")
        }),
        ("levels", Format::Vsa, |text| {
            text.replace("\"verifiedLevels\": [", "\"verifiedLevels\": [1, ")
        }),
        ("result", Format::Intoto, |text| text.replace("\"result\"", "\"verdict\"")),
        ("end", Format::Openmetrics, |text| text.replace("# EOF\n", "")),
        ("unit", Format::Openmetrics, |text| {
            text.replace(
                "# UNIT portcullis_gate_duration_seconds seconds",
                "# UNIT portcullis_gate_duration_seconds hours",
            )
        }),
        ("twice", Format::Openmetrics, |text| {
            let line = "# TYPE portcullis_gates gauge\n";
            text.replace(line, &line.repeat(2))
        }),
        ("label", Format::Openmetrics, |text| text.replacen("verdict=\"", "verdict=", 1)),
    ];
    for (case, format, edit) in broken {
        let text = render(*format, &accounts[0].1).expect("rendered");
        let edited = edit(&text);
        assert_ne!(text, edited, "{case}");
        let kind = if *format == Format::Openmetrics { "metrics" } else { "statement" };
        documents.insert(format!("bad {case}"), json!([kind, edited]));
    }
    let answers = answers(&libraries, &Value::Object(documents.clone()));
    for name in documents.keys() {
        let answer = &answers[name];
        assert_eq!(answer.is_null(), name.starts_with("good"), "{name}: {answer}");
    }
}
