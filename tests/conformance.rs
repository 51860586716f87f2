//! The conformance corpus under the kernel, and proof that its runner can fail.

use portcullis::{
    Effective, Fault, Mode, Outcome, RunVerdict,
    kernel::waiver::WaiverStatus,
    testing::{Bench, Seen},
};
use portcullis_repo::conformance::{
    Answer, CONFORMANCE_FOLDER, CONFORMANCE_VECTORS, Corpus, Expect, Row, Status, Vector,
    difference, judge,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(CONFORMANCE_FOLDER)
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("a file of the corpus").replace("\r\n", "\n")
}

/// Name and text of every file of vectors.
fn files() -> Vec<(String, String)> {
    let mut names: Vec<String> = fs::read_dir(folder().join("vectors"))
        .expect("the folder of vectors")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), text(&format!("vectors/{name}")))).collect()
}

fn corpus() -> Corpus {
    let mut corpus = Corpus::default();
    for (name, text) in files() {
        corpus.add(&name, text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}"));
    }
    corpus.require("must_pass.txt", &text("must_pass.txt")).unwrap_or_else(|f| panic!("{f}"));
    corpus
}

#[test]
fn every_vector_is_decided_as_it_expects() {
    let judged = judge(&corpus());
    let failed: Vec<String> = judged
        .items
        .iter()
        .filter(|item| item.status == Status::Fail)
        .map(|item| format!("{}: {}", item.id, item.detail.clone().unwrap_or_default()))
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {}:\n{}",
        failed.len(),
        judged.summary.total,
        failed.join("\n")
    );
    assert_eq!(judged.pass_rate_percent, 100);
    assert!(judged.summary.passed >= 500, "the corpus has shrunk to {}", judged.summary.passed);
}

#[test]
fn the_lists_name_every_vector() {
    let corpus = corpus();
    let ids: BTreeSet<String> =
        corpus.topics.values().flatten().map(|vector| vector.id.clone()).collect();
    assert_eq!(ids, corpus.must_pass, "must_pass.txt");
    let baseline: Value = serde_json::from_str(&text("baseline.json")).expect("a document");
    let items = ids.iter().map(|id| json!({ "id": id, "status": "pass" })).collect::<Vec<_>>();
    assert_eq!(
        baseline,
        json!({ "schema": "portcullis.conformance_baseline.v1", "version": 1, "items": items })
    );
}

#[test]
fn the_files_are_written_in_one_way() {
    for (name, text) in
        files().into_iter().chain([("baseline.json".to_owned(), text("baseline.json"))])
    {
        let value: Value = serde_json::from_str(&text).expect("a document");
        let expected = portcullis::wire::artifact::of_sorted(&value).expect("rendered");
        assert!(text == expected, "{name}: write it pretty, with sorted keys");
    }
}

#[test]
fn the_corpus_reaches_every_value() {
    let corpus = corpus();
    let answers: Vec<&Answer> = corpus
        .topics
        .values()
        .flatten()
        .filter_map(|vector| match &vector.expect {
            Expect::Decision(answer) => Some(&**answer),
            Expect::Refused(_) => None,
        })
        .collect();
    let rows = || answers.iter().flat_map(|answer| answer.gates.values());
    for effective in Effective::ALL {
        assert!(rows().any(|row| row.effective == *effective), "{effective}");
    }
    for outcome in Outcome::ALL {
        assert!(rows().any(|row| row.outcome == Some(*outcome)), "{outcome}");
    }
    for verdict in RunVerdict::ALL {
        assert!(answers.iter().any(|answer| answer.verdict == *verdict), "{verdict}");
    }
    for mode in Mode::ALL {
        assert!(answers.iter().any(|answer| answer.mode == *mode), "{mode}");
    }
    for status in [
        WaiverStatus::Active,
        WaiverStatus::ExpiringSoon,
        WaiverStatus::ExpiredGrace,
        WaiverStatus::Stale,
        WaiverStatus::Pending,
        WaiverStatus::Expired,
        WaiverStatus::Invalid,
    ] {
        let seen = answers.iter().any(|answer| answer.waivers.values().any(|s| *s == status));
        assert!(seen, "{status:?}");
    }
}

/// A change of an answer, as the runner has to notice it.
type Change = (&'static str, fn(&mut Answer));

/// One change for each field that is compared.
const CHANGES: &[Change] = &[
    ("verdict", |answer| {
        answer.verdict = match answer.verdict {
            RunVerdict::Pass => RunVerdict::Blocked,
            RunVerdict::Blocked | RunVerdict::Invalid => RunVerdict::Pass,
        };
    }),
    ("exit", |answer| answer.exit ^= 1),
    ("certifiable", |answer| answer.certifiable = !answer.certifiable),
    ("mode", |answer| {
        answer.mode = if answer.mode == Mode::Strict { Mode::Shadow } else { Mode::Strict };
    }),
    ("gates", |answer| {
        let row = Row {
            effective: Effective::Pass,
            outcome: None,
            blocks: false,
            rollback_warning: false,
            code: None,
        };
        answer.gates.insert("one_more".to_owned(), row);
    }),
    ("gates", |answer| drop(answer.gates.pop_last())),
    ("effective", |answer| {
        each(answer, |row| {
            row.effective =
                if row.effective == Effective::Pass { Effective::Fail } else { Effective::Pass };
        })
    }),
    ("outcome", |answer| {
        each(answer, |row| {
            row.outcome = if row.outcome.is_none() { Some(Outcome::Pass) } else { None };
        })
    }),
    ("blocks", |answer| each(answer, |row| row.blocks = !row.blocks)),
    ("rollback_warning", |answer| each(answer, |row| row.rollback_warning = !row.rollback_warning)),
    ("code", |answer| {
        each(answer, |row| {
            row.code = if row.code.is_none() { Some("made_up".to_owned()) } else { None };
        })
    }),
    ("faults", |answer| {
        if answer.faults.pop_last().is_none() {
            answer.faults.insert("made_up".to_owned());
        }
    }),
    ("waivers", |answer| {
        if answer.waivers.pop_last().is_none() {
            answer.waivers.insert("a".to_owned(), WaiverStatus::Active);
        }
    }),
    ("cliffs", |answer| answer.cliffs += 1),
    ("not_selected", |answer| {
        answer.not_selected.insert("made_up".to_owned());
    }),
];

fn each(answer: &mut Answer, change: fn(&mut Row)) {
    answer.gates.values_mut().for_each(change);
}

#[test]
fn every_change_of_an_expectation_is_noticed() {
    let mut changed = 0;
    for vector in corpus().topics.values().flatten() {
        for (field, change) in CHANGES {
            let mut wrong: Vector = vector.clone();
            match &mut wrong.expect {
                Expect::Decision(answer) => change(answer),
                Expect::Refused(codes) => drop(codes.pop_last()),
            }
            if wrong.expect == vector.expect {
                // Only a decision without a gate has none to change.
                continue;
            }
            let detail = difference(&wrong).unwrap_or_else(|| panic!("{} {field}", vector.id));
            let named = matches!(wrong.expect, Expect::Refused(_)) || detail.contains(field);
            assert!(named, "{}: `{field}` was changed, `{detail}` was said", vector.id);
            changed += 1;
        }
    }
    assert!(changed > 7_000, "{changed} changes were tried");
}

/// One vector, as a file of the topic `t`.
fn file(vector: &Value) -> Value {
    json!({ "schema": "portcullis.conformance_vectors.v1", "topic": "t", "vectors": [vector] })
}

fn vector() -> Value {
    json!({
        "id": "v",
        "rule": "A rule.",
        "expect": { "decision": {
            "verdict": "pass", "exit": 0, "certifiable": true,
            "gates": { "a": { "effective": "pass", "outcome": "pass" } },
        } },
    })
}

/// The same vector with one value put in.
fn with(path: &str, value: Value) -> Value {
    let mut vector = vector();
    let mut at = &mut vector;
    for part in path.split('/') {
        if at.get(part).is_none() {
            at[part] = json!({});
        }
        at = at.get_mut(part).expect("just made");
    }
    *at = value;
    vector
}

fn add(text: &str) -> Result<Corpus, Fault> {
    let mut corpus = Corpus::default();
    corpus.add("vectors/t.json", text.as_bytes()).map(|()| corpus)
}

#[test]
fn a_file_that_is_not_understood_is_refused() {
    add(&file(&vector()).to_string()).expect("the vector itself is understood");
    let misspelt = [
        ("comment", json!("")),
        ("given/lanes", json!("pr")),
        ("given/lane", json!("prod")),
        ("given/clock/noe", json!("2026-05-31T12:00:00Z")),
        ("given/clock/now", json!("2026-05-31")),
        ("given/selection/all", json!(true)),
        ("given/census/added", json!([])),
        ("given/census/changed", json!({ "a": { "blocks": true } })),
        ("given/census/extra", json!([{ "id": "b", "kind": "rust" }])),
        ("given/receipts", json!([{ "gate": "a", "status": "fail" }])),
        ("given/receipts", json!([{ "gate": "a", "outcome": "passed" }])),
        ("given/receipts", json!([{ "gate": "a", "foreign": "run" }])),
        ("given/receipts", json!([{ "gate": "a", "findings": [{ "print": "" }] }])),
        ("given/receipts", json!([{ "attempt": 1 }])),
        ("expect/decision/fault", json!([])),
        ("expect/decision/verdict", json!("passed")),
        ("expect/decision/gates", json!({ "a": { "effective": "pass", "blocking": true } })),
        ("expect/decision/gates", json!({ "a": { "outcome": "pass" } })),
        ("expect/decision/waivers", json!({ "a": "expired_soon" })),
        ("expect/refused", json!([])),
        ("expect", json!({})),
        ("rule", json!(" ")),
        ("id", json!("A sentence")),
    ];
    for (path, value) in misspelt {
        let text = file(&with(path, value.clone())).to_string();
        assert!(add(&text).is_err(), "{path} = {value} was accepted");
    }
    let good = file(&vector());
    for (case, key, value) in [
        ("another schema", "schema", json!("portcullis.conformance_vectors.v2")),
        ("another topic than its name", "topic", json!("u")),
        ("no vector", "vectors", json!([])),
        ("an id twice", "vectors", json!([vector(), vector()])),
        ("an unknown field", "author", json!("")),
    ] {
        let mut file = good.clone();
        file[key] = value;
        assert!(add(&file.to_string()).is_err(), "{case} was accepted");
    }
    let twice = good.to_string().replacen("\"exit\":0", "\"exit\":12,\"exit\":0", 1);
    let fault = add(&twice).expect_err("a key that stands twice");
    assert_eq!(fault.code().name(), "duplicate_key");
}

#[test]
fn an_id_stands_once_over_all_files() {
    let mut corpus = add(&file(&vector()).to_string()).expect("understood");
    let mut other = file(&vector());
    other["topic"] = json!("u");
    let fault = corpus.add("vectors/u.json", other.to_string().as_bytes()).expect_err("refused");
    assert!(fault.headline().contains("`v` stands twice"), "{fault}");
}

#[test]
fn what_cannot_be_given_to_a_decision_fails() {
    for (path, value) in [
        ("given/run_faults", json!(["made_up"])),
        ("given/receipts", json!([{ "gate": "a", "state": "lost" }])),
        ("given/receipts", json!([{ "gate": "a", "state": "broken:made_up" }])),
        ("given/receipts", json!([{ "gate": "A" }])),
        ("given/receipts", json!([{ "gate": "a", "findings": [{ "times": 10_001 }] }])),
        ("given", json!({ "silent": ["a"], "receipts": [{ "gate": "a" }] })),
        ("given/rust_gates", json!({ "a": "gates" })),
        ("given/census", json!({ "without": ["b"] })),
        ("given/census", json!({ "changed": { "b": {} } })),
        ("given/base_waivers", json!(["A"])),
    ] {
        let corpus = add(&file(&with(path, value.clone())).to_string()).expect("well-formed");
        let judged = judge(&corpus);
        let detail = judged.items[0].detail.clone().unwrap_or_default();
        assert!(detail.contains("cannot be given"), "{path} = {value}: {detail}");
        assert_eq!(judged.summary.failed, 1);
    }
}

#[test]
fn one_failure_never_reads_as_a_hundred_percent() {
    let mut corpus = corpus();
    corpus.require("must_pass.txt", "a_vector_that_is_gone\n").expect("a list");
    let judged = judge(&corpus);
    assert_eq!((judged.summary.failed, judged.pass_rate_percent), (1, 99));
    assert_eq!(judged.items.len(), corpus.len() + 1);
}

#[test]
fn the_must_pass_list_is_sorted_and_not_empty() {
    for (case, list) in [
        ("empty", ""),
        ("out of order", "b\na\n"),
        ("twice", "a\na\n"),
        ("a blank line", "a\n\nb\n"),
        ("no id", "a\nb c\n"),
    ] {
        assert!(Corpus::default().require("must_pass.txt", list).is_err(), "{case}");
    }
}

fn gate(files: &[(&str, &str)]) -> Seen {
    let bench = Bench::rust(CONFORMANCE_VECTORS.check);
    let placed = files.iter().fold(bench, |bench, (path, text)| {
        bench.file(&format!("{CONFORMANCE_FOLDER}/{path}"), text.as_bytes())
    });
    placed.run()
}

#[test]
fn the_gate_reports_what_fails_and_what_is_gone() {
    let good = file(&vector()).to_string();
    let bad = file(&with("expect/decision/exit", json!(11))).to_string();
    let cases: [(&str, &str, &str, Outcome, Option<&str>); 4] = [
        ("all as expected", &good, "v\n", Outcome::Pass, None),
        ("another answer", &bad, "v\n", Outcome::Fail, Some("conformance_vector_failed")),
        ("a vector is gone", &good, "v\nw\n", Outcome::Fail, Some("conformance_vector_missing")),
        ("not on the list", &bad, "w\n", Outcome::Fail, Some("conformance_vector_failed")),
    ];
    for (case, vectors, list, outcome, code) in cases {
        let seen = gate(&[("vectors/t.json", vectors), ("must_pass.txt", list)]);
        assert_eq!((seen.outcome, seen.code.as_deref()), (outcome, code), "{case}: {seen:?}");
        assert_eq!(seen.examined, 1, "{case}");
    }
    let seen = gate(&[("vectors/t.json", &bad), ("must_pass.txt", "v\n")]);
    assert!(
        seen.messages[0].ends_with("/decision/exit: expected 11, found 0"),
        "the first difference is shown: {}",
        seen.messages[0]
    );
    let bytes = &seen.artifacts["conformance_summary.json"];
    let view: Value = serde_json::from_slice(bytes).expect("a document");
    assert_eq!(view["schema"], "portcullis.conformance_summary.v1");
    assert_eq!(
        view["summary"],
        json!({ "total": 1, "passed": 0, "failed": 1, "not_applicable": 0 })
    );
    assert_eq!(
        (&view["pass_rate_percent"], &view["items"][0]["status"]),
        (&json!(0), &json!("fail"))
    );
}

#[test]
fn the_gate_stays_shut_over_a_corpus_that_is_not_there() {
    let good = file(&vector()).to_string();
    let cases: [(&str, &[(&str, &str)]); 4] = [
        ("nothing at all", &[]),
        ("no vectors", &[("must_pass.txt", "v\n")]),
        ("no list", &[("vectors/t.json", &good)]),
        ("an empty list", &[("vectors/t.json", &good), ("must_pass.txt", "")]),
    ];
    for (case, files) in cases {
        let seen = gate(files);
        let shut = matches!(seen.outcome, Outcome::Error | Outcome::Fail);
        assert!(shut, "{case}: {:?} {:?}", seen.outcome, seen.code);
    }
}
