//! The documents that the product's gates and closeout leave are those of the committed schemas.

use super::ground::Ground;
use boon::{Compiler, Schemas};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Where each document lies, below the folder that is named with it.
const VIEWS: [(&str, &str); 3] = [
    ("preflight_verdict", "preflight_verdict.json"),
    ("practical_finish_checkpoint", "practical_finish_checkpoint.json"),
    ("full_suite_verdict", "full_suite_verdict.json"),
];

#[test]
fn the_documents_of_gates_and_closeout_are_what_their_schemas_say() {
    let ground = Ground::take();
    let types = |line: &str| {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        ground.types(&argv, &BTreeMap::new()).ends(0);
    };
    ground.suite(&BTreeMap::new()).ends(0);
    types("cargo test --test ci_full_suite_gate -- preflight_fast_fail --exact");
    for (name, view) in VIEWS {
        holds(name, &ground.view(view));
    }
    let platform = format!("cross_platform_reports/{}/platform_report.json", std::env::consts::OS);
    holds("platform_report", &ground.view(&platform));
    types("cargo portcullis audit record --dir out/audit -- cargo test --test provider_streaming");
    types("cargo portcullis audit build --dir out/audit");
    holds("completion_audit", &ground.view("audit/completion_audit.json"));
    holds("closeout_gate", &ground.view("audit/closeout_gate.json"));
    let transcripts = ground.root().join("out/audit/transcripts");
    let entries = transcripts.read_dir().expect("transcripts").map(|entry| entry.expect("one"));
    let names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!names.is_empty(), "no transcript");
    for name in &names {
        holds("transcript", &ground.view(&format!("audit/transcripts/{name}")));
    }
}

/// Asserts that a document is valid, has no field of its own, and would be refused without any of those it must have.
fn holds(name: &str, document: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schemas/{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let schema: Value = serde_json::from_str(&text).expect("a schema");
    let keys = |value: &Value| -> BTreeSet<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    let unknown: Vec<String> =
        keys(document).difference(&keys(&schema["properties"])).cloned().collect();
    assert!(unknown.is_empty(), "{name}: not in its schema: {unknown:?}");
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("file:///schema.json", schema.clone()).expect("a schema");
    let index = compiler.compile("file:///schema.json", &mut schemas).expect("it compiles");
    let why = |document: &Value| {
        schemas.validate(document, index).err().map(|wrong| format!("{name}: {wrong:#}"))
    };
    assert_eq!(why(document), None, "{document:#}");
    for key in schema["required"].as_array().expect("names") {
        let mut without = document.clone();
        without.as_object_mut().expect("an object").remove(key.as_str().expect("a name"));
        assert!(why(&without).is_some(), "{name} without {key}");
    }
}
