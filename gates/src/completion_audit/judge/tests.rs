//! Each piece of evidence alone: proof, stand-in, or the blocker it is.

use super::*;
use serde_json::{Value, json};

const HEAD: &str = "1111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222";

/// What one piece of evidence comes to: `proof`, `proxy`, or the name of what is in the way.
fn word(wanted: &Value, seen: &Value, commit: Option<&str>) -> String {
    let requirement: Examined = serde_json::from_value(json!({
        "id": "suite", "title": "the suite passes", "status": "done",
        "evidence": [{ "wanted": wanted, "seen": seen }],
    }))
    .expect("a requirement");
    let judged = judge(&requirement, commit);
    let kinds: Vec<&str> = judged.blockers.iter().map(|blocker| blocker.kind.name()).collect();
    match (judged.proofs, judged.proxies.len(), kinds.as_slice()) {
        (1, 0, []) => "proof".to_owned(),
        (0, 1, ["proxy_only_evidence"]) => "proxy".to_owned(),
        (0, 0, [kind]) => (*kind).to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_commit_proves_where_head_and_upstream_have_it() {
    let wanted = json!({ "kind": "commit", "rev": "v1" });
    let table = [
        (Some(HEAD), true, true, "proof"),
        (Some(HEAD), true, false, "missing_push"),
        (Some(OTHER), false, true, "proxy"),
        (Some(OTHER), false, false, "proxy"),
        (None, true, true, "source_missing"),
        (None, false, false, "source_missing"),
    ];
    for (commit, in_head, pushed, expected) in table {
        let seen =
            json!({ "kind": "commit", "commit": commit, "in_head": in_head, "pushed": pushed });
        assert_eq!(word(&wanted, &seen, Some(HEAD)), expected, "{seen}");
    }
}

#[test]
fn a_command_proves_where_it_passed_on_this_commit_and_never_failed_there() {
    let wanted = json!({ "kind": "command", "argv": ["make", "test"] });
    type Run<'a> = (Option<&'a str>, Value);
    let passed = |commit| (commit, json!({ "code": 0 }));
    let failed = |commit| (commit, json!({ "code": 2 }));
    let killed = |commit| (commit, json!({ "signal": 9 }));
    let table: Vec<(Vec<Run<'_>>, Option<&str>, &str)> = vec![
        (vec![], Some(HEAD), "missing_evidence"),
        (vec![passed(Some(HEAD))], Some(HEAD), "proof"),
        (vec![passed(Some(HEAD)), failed(Some(OTHER))], Some(HEAD), "proof"),
        (vec![passed(Some(OTHER))], Some(HEAD), "proxy"),
        (vec![passed(None)], Some(HEAD), "proxy"),
        // Where there is no commit, a tree that was no commit is not the same one.
        (vec![passed(None)], None, "proxy"),
        (vec![failed(None)], None, "proxy"),
        (vec![failed(Some(HEAD))], Some(HEAD), "failed_command"),
        (vec![killed(Some(HEAD))], Some(HEAD), "failed_command"),
        (vec![passed(Some(HEAD)), failed(Some(HEAD))], Some(HEAD), "contradictory_evidence"),
        (vec![killed(Some(HEAD)), passed(Some(HEAD))], Some(HEAD), "contradictory_evidence"),
    ];
    for (runs, commit, expected) in table {
        let runs: Vec<Value> = runs
            .iter()
            .map(|(commit, exit)| json!({ "path": "transcripts/1.json", "commit": commit, "exit": exit }))
            .collect();
        let seen = json!({ "kind": "transcripts", "transcripts": runs });
        assert_eq!(word(&wanted, &seen, commit), expected, "{commit:?} {seen}");
    }
}

#[test]
fn an_artifact_proves_by_its_digest_or_by_schema_and_commit() {
    let (digest, another) = (Digest::of(b"it").to_string(), Digest::of(b"x").to_string());
    let says = |schema: Value, commit: Value| json!({ "sha256": digest, "schema": schema, "commit": commit, "against": [] });
    let against = json!({
        "sha256": digest, "schema": "out.v1", "commit": HEAD, "against": ["`/ok` is `false`"],
    });
    let whole = || says(json!("out.v1"), json!(HEAD));
    let table = vec![
        (json!({}), Value::Null, "missing_artifact"),
        (json!({}), whole(), "proxy"),
        (json!({ "schema": "out.v1" }), whole(), "proof"),
        (
            json!({ "schema": "out.v1" }),
            says(json!("out.v10"), json!(HEAD)),
            "contradictory_evidence",
        ),
        (json!({ "schema": "out.v1" }), says(Value::Null, json!(HEAD)), "contradictory_evidence"),
        (json!({ "schema": "out.v1" }), says(json!("out.v1"), Value::Null), "proxy"),
        (json!({ "schema": "out.v1" }), says(json!("out.v1"), json!(OTHER)), "proxy"),
        (json!({ "schema": "out.v1" }), against.clone(), "contradictory_evidence"),
        (json!({ "sha256": digest }), says(Value::Null, Value::Null), "proof"),
        (json!({ "sha256": another }), whole(), "contradictory_evidence"),
        // A digest that is none is equal to nothing.
        (json!({ "sha256": "" }), whole(), "contradictory_evidence"),
        (
            json!({ "sha256": digest, "schema": "out.v1" }),
            says(json!("out.v1"), json!(OTHER)),
            "proof",
        ),
        (json!({ "sha256": digest, "schema": "out.v2" }), whole(), "contradictory_evidence"),
        (json!({ "sha256": digest }), against, "contradictory_evidence"),
    ];
    for (claims, artifact, expected) in table {
        let mut wanted = json!({ "kind": "artifact", "path": "out.json" });
        let fields = wanted.as_object_mut().expect("an object");
        fields.extend(claims.as_object().expect("an object").clone());
        let seen = json!({ "kind": "artifact", "artifact": artifact });
        assert_eq!(word(&wanted, &seen, Some(HEAD)), expected, "{wanted} {seen}");
    }
    let (wanted, seen) = (
        json!({ "kind": "artifact", "path": "out.json", "schema": "out.v1" }),
        json!({ "kind": "artifact", "artifact": whole() }),
    );
    assert_eq!(word(&wanted, &seen, None), "proxy", "of a commit where there is none");
}

#[test]
fn a_ledger_entry_proves_with_one_finished_status() {
    let wanted = json!({
        "kind": "ledger", "path": "issues.jsonl", "id": "7", "terminal": ["closed", "done"],
    });
    let table: &[(bool, &[&str], &str)] = &[
        (true, &["closed"], "proof"),
        (true, &["done"], "proof"),
        (true, &["open"], "unresolved_gap"),
        (true, &["clos"], "unresolved_gap"),
        (true, &[], "missing_evidence"),
        (true, &["closed", "open"], "contradictory_evidence"),
        (true, &["closed", "done"], "contradictory_evidence"),
        (false, &[], "source_missing"),
        (false, &["closed"], "source_missing"),
    ];
    for (exists, statuses, expected) in table {
        let seen = json!({ "kind": "ledger", "exists": exists, "statuses": statuses });
        assert_eq!(word(&wanted, &seen, Some(HEAD)), *expected, "{seen}");
    }
}

#[test]
fn words_pictures_and_bare_files_stand_in_and_nothing_proves_another_thing() {
    let bare = |exists: bool| json!({ "kind": "bare", "exists": exists });
    let prose = json!({ "kind": "prose", "text": "it is green" });
    let picture = json!({ "kind": "screenshot", "path": "a.png" });
    let file = json!({ "kind": "file", "path": "a.txt" });
    for (wanted, exists, expected) in [
        (&prose, true, "proxy"),
        (&prose, false, "proxy"),
        (&picture, true, "proxy"),
        (&picture, false, "missing_artifact"),
        (&file, true, "proxy"),
        (&file, false, "missing_artifact"),
    ] {
        assert_eq!(word(wanted, &bare(exists), Some(HEAD)), expected, "{wanted} {exists}");
    }
    let wanted = [
        json!({ "kind": "commit", "rev": "v1" }),
        json!({ "kind": "command", "argv": ["x"] }),
        json!({ "kind": "artifact", "path": "a.json" }),
        json!({ "kind": "ledger", "path": "l", "id": "7", "terminal": ["closed"] }),
        prose,
    ];
    let seen = [
        json!({ "kind": "commit", "commit": HEAD, "in_head": true, "pushed": true }),
        json!({ "kind": "transcripts", "transcripts": [] }),
        json!({ "kind": "artifact", "artifact": null }),
        json!({ "kind": "ledger", "exists": true, "statuses": ["closed"] }),
        bare(true),
    ];
    for (n, wanted) in wanted.iter().enumerate() {
        for (_, seen) in seen.iter().enumerate().filter(|(m, _)| *m != n) {
            let word = word(wanted, seen, Some(HEAD));
            assert_eq!(word, "contradictory_evidence", "{wanted} {seen}");
        }
    }
}

#[test]
fn a_claim_needs_evidence_no_gap_and_the_word_done() {
    let judged = |status: &str, gap: Option<&str>, evidence: &[Value]| {
        let requirement: Examined = serde_json::from_value(json!({
            "id": "suite", "title": "t", "status": status, "gap": gap, "evidence": evidence,
        }))
        .expect("a requirement");
        let judged = judge(&requirement, Some(HEAD));
        let kinds = judged.blockers.iter().map(|blocker| blocker.kind.name());
        (judged.proofs, kinds.collect::<Vec<_>>().join(" "))
    };
    let proof = json!({
        "wanted": { "kind": "commit", "rev": "v1" },
        "seen": { "kind": "commit", "commit": HEAD, "in_head": true, "pushed": true },
    });
    let prose = json!({
        "wanted": { "kind": "prose", "text": "yes" }, "seen": { "kind": "bare", "exists": true },
    });
    type Judged = (usize, &'static str);
    let table: &[(&str, Option<&str>, &[Value], Judged)] = &[
        ("done", None, &[], (0, "missing_evidence")),
        ("open", None, std::slice::from_ref(&proof), (1, "unresolved_gap")),
        ("open", Some("x"), std::slice::from_ref(&proof), (1, "unresolved_gap")),
        ("done", Some("x"), std::slice::from_ref(&proof), (1, "unresolved_gap")),
        ("done", None, &[proof.clone(), prose.clone()], (1, "")),
        ("done", None, &[prose.clone(), prose], (0, "proxy_only_evidence")),
    ];
    for (status, gap, evidence, expected) in table {
        let seen = judged(status, *gap, evidence);
        assert_eq!((seen.0, seen.1.as_str()), *expected, "{status} {gap:?}");
    }
}
