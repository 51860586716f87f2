//! A run of ten thousand gates: it is verified, and exports of it stay within what their readers take. The other formats are held to
//! their limits without a run, in `cli/src/export/tests/accepted.rs`.

use super::*;
use portcullis::Finding;

const GATES: usize = 10_000;

/// One gate in four fails, which blocks; the others pass.
fn large() -> Sample {
    let mut text = "[policy]\nversion = 1\nowner = \"team\"\nbinary = \"gates\"\n".to_owned();
    for n in 0..GATES {
        text.push_str(&format!("\n[[gate]]\nid = \"g{n:05}\"\nkind = \"command\"\n"));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let tables = policy::parse("portcullis.toml", &text).expect("a policy").gates;
    let census = Census::of(&tables);
    put(&folder.path().join("portcullis.toml"), &text);
    put(&folder.path().join("portcullis.lock"), &census.render());
    let store = Store::open(&folder.path().join("target")).expect("a store");
    let commit = |mut header: Envelope| {
        header.source =
            Source { commit: Some("a".repeat(40)), dirty: Some(false), ..Source::default() };
        header
    };
    let header = commit(envelope("portcullis.run.v1", RUN));
    let run = store
        .create_run(&header.run_id, Ownership::Owned, Durability::Cached, &header)
        .expect("a run");
    let recorded = Recorded { policy: text, ..recorded(None) };
    let inputs = views::with_envelope(&envelope(INPUTS_SCHEMA, RUN), &recorded).expect("inputs");
    let write = |name: &str, text: String| run.write_file(name, text.as_bytes()).expect("written");
    write("expected.json", artifact::document(&census).expect("a census"));
    write("inputs.json", artifact::document(&inputs).expect("inputs"));
    let mut receipts = Vec::new();
    for (n, table) in tables.iter().enumerate() {
        let mut written = None;
        let dir = run
            .begin_attempt(&table.common.id, |attempt| {
                let started = Started {
                    envelope: envelope(STARTED_SCHEMA, RUN),
                    gate_id: table.common.id.clone(),
                    kind: "command".to_owned(),
                    binary: table.common.binary.clone(),
                    attempt,
                    runner_attempt: 1,
                    runner_run_id: None,
                    pid: 1,
                    policy_digest: table.digest(),
                };
                let text = artifact::document(&started).expect("a record");
                written = Some((started, Digest::of(text.as_bytes())));
                Ok(text)
            })
            .expect("an attempt");
        let (started, digest) = written.expect("a record");
        let mut verdict = verdict(&started, digest);
        if n % 4 == 0 {
            let code = portcullis::wire::code::GATE_BROKEN;
            verdict.outcome = Outcome::Fail;
            verdict.findings = vec![Finding::new(code, "a subject", "it is broken", "mend it")];
            verdict.findings_total = 1;
        }
        dir.write_verdict(&artifact::document(&verdict).expect("a verdict")).expect("written");
        receipts.push(portcullis::kernel::receipt::Receipt::complete(started, verdict));
    }
    let facts = Facts {
        selected: None,
        touched_waivers: true,
        base: None,
        run_faults: Vec::new(),
        source_dirty: false,
        tests: 0,
        reserved: Vec::new(),
    };
    let material = Material::read(&recorded, census).expect("material");
    let header = commit(envelope(views::DECISION_SCHEMA, RUN));
    let decision = material.decide(&header.clock, &facts, &receipts).expect("a decision");
    let document = views::decision(&header, &decision, &facts).expect("a document");
    write("decision.json", artifact::of_sorted(&document).expect("a document"));
    run.seal(&commit(envelope("portcullis.run.v1", RUN))).expect("sealed");
    Sample { folder, tables, run }
}

#[test]
fn a_run_of_ten_thousand_gates_is_verified_and_exported_within_the_limits() {
    let sample = large();
    let (exit, document) = sample.verify(&[RUN]);
    assert_eq!((exit, document["verdict"].as_str()), (Some(11), Some("blocked")));
    assert_eq!(document["faults"], serde_json::json!([]));
    let gates = document["decision"]["gates"].as_array().expect("gates");
    assert_eq!(gates.len(), GATES);

    let export = |format: &str| {
        let output = binary(sample.folder.path()).args(["export", format, "--run", RUN]).output();
        let output = output.expect("the binary starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{format}: {said}");
        String::from_utf8(output.stdout).expect("text")
    };
    let sarif: Value = serde_json::from_str(&export("sarif")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), GATES / 4);
    assert!(export("summary").len() <= 1_000_000);
}
