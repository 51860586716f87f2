//! Incidents as tables over the views of small runs.

use super::INCIDENT_TRIGGERS;
use portcullis::{
    Lane, Outcome,
    testing::{self, Bench, Seen},
};
use serde_json::{Value, json};

const CONFIG: &str =
    "views = 'run'\nbaseline = true\nstrict_wording = true\nparity_gates = ['parity']";

/// The three documents of a calm run, which a case may change.
fn run(config: &str, lane: Lane, change: impl Fn(&mut Value, &mut Value, &mut Value)) -> Seen {
    let head = |name: &str| json!({"schema": format!("portcullis.{name}.v1"), "run_id": "r7", "generated_at": "2026-05-31T11:45:00Z"});
    let (mut verdict, mut triage, mut certification) =
        (head("full_suite_verdict"), head("triage_diff"), head("certification_verdict"));
    verdict["verdict"] = json!("pass");
    verdict["summary"] = json!({"all_blocking_pass": true});
    verdict["gates"] = json!([
        {"id": "unit", "blocking": true, "blocks": false, "status": "pass"},
        {"id": "parity", "blocking": false, "blocks": false, "status": "pass"},
    ]);
    triage["status"] = json!("stable");
    triage["summary"] = json!({"regression_count": 0});
    certification["overall_verdict"] = json!("CERTIFIED");
    change(&mut verdict, &mut triage, &mut certification);
    let mut bench = Bench::new(&INCIDENT_TRIGGERS, config).lane(lane);
    for (name, document) in [
        ("full_suite_verdict", verdict),
        ("triage_diff", triage),
        ("certification_verdict", certification),
    ] {
        if !document.is_null() {
            bench = bench.file(&format!("run/{name}.json"), document.to_string().as_bytes());
        }
    }
    bench.run()
}

fn incident(seen: &Seen) -> Value {
    serde_json::from_slice(&seen.artifacts["incident.json"]).expect("JSON")
}

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&INCIDENT_TRIGGERS), Vec::<String>::new());
}

#[test]
fn contradictory_configuration_is_refused() {
    for (case, config, code) in [
        (
            "nobody says whether wording is strict",
            "views = 'run'\nbaseline = true",
            "config_invalid",
        ),
        (
            "nobody says whether there is a baseline",
            "views = 'run'\nstrict_wording = true",
            "config_invalid",
        ),
        (
            "a parity gate that is drift",
            "views = 'run'\nbaseline = true\nstrict_wording = true\nparity_gates = ['a']\ndrift_gates = ['a']",
            "config_invalid",
        ),
        (
            "an unknown context",
            "views = 'run'\nbaseline = true\nstrict_wording = true\ncontext = 'prod'",
            "config_invalid",
        ),
        (
            "an unknown key",
            "views = 'run'\nbaseline = true\nstrict_wording = true\nseverity = 3",
            "config_unknown_key",
        ),
    ] {
        let seen = run(config, Lane::Main, |_, _, _| {});
        assert_eq!(seen.code.as_deref(), Some(code), "{case}: {:?}", seen.messages);
    }
}

#[test]
fn a_calm_run_is_documented_as_well() {
    let seen = run(CONFIG, Lane::Main, |_, _, _| {});
    assert_eq!((seen.outcome, seen.examined), (Outcome::Pass, 4), "{:?}", seen.messages);
    let incident = incident(&seen);
    assert_eq!(
        (&incident["state"], &incident["severity"], &incident["deadline"]),
        (&json!("clear"), &Value::Null, &Value::Null)
    );
    let bundle = incident["bundle"].as_array().expect("a list");
    let absent: Vec<&str> = bundle
        .iter()
        .filter(|item| item["digest"] == "absent")
        .filter_map(|item| item["role"].as_str())
        .collect();
    assert_eq!(
        absent,
        [
            "summary",
            "replay_bundle",
            "diagnostics_index",
            "events",
            "report",
            "evidence_index",
            "certification_contract"
        ]
    );
    assert!(
        bundle
            .iter()
            .filter(|item| item["digest"] != "absent")
            .all(|item| item["digest"].as_str().is_some_and(|digest| digest.len() == 64))
    );
    let text = String::from_utf8(seen.artifacts["incident.md"].clone()).expect("UTF-8");
    assert!(text.contains("| `summary` | run/summary.json | `absent` |"), "{text}");
}

#[test]
fn each_trigger_is_met_by_its_document() {
    type Change = fn(&mut Value, &mut Value, &mut Value);
    let table: &[(&str, Change, &[&str])] = &[
        ("triage", |_, t, _| t["status"] = json!("regression"), &["incident_regression"]),
        (
            "a count that the status hides",
            |_, t, _| t["summary"]["regression_count"] = json!(1),
            &["incident_regression"],
        ),
        ("known failures only", |_, t, _| t["status"] = json!("known_failures_only"), &[]),
        (
            "a gate that blocks",
            |v, _, _| v["gates"][0]["blocks"] = json!(true),
            &["incident_blocking_gate"],
        ),
        (
            "a verdict of blocked",
            |v, _, _| v["verdict"] = json!("blocked"),
            &["incident_blocking_gate"],
        ),
        ("an invalid run", |v, _, _| v["verdict"] = json!("invalid"), &["incident_blocking_gate"]),
        (
            "a summary that contradicts",
            |v, _, _| v["summary"]["all_blocking_pass"] = json!(false),
            &["incident_blocking_gate"],
        ),
        ("a waived gate", |v, _, _| v["gates"][0]["status"] = json!("warn"), &[]),
        (
            "a failed gate that does not block",
            |v, _, _| v["gates"][0] = json!({"id": "x", "blocking": false, "status": "fail"}),
            &[],
        ),
        (
            "a failed gate that shadow mode lets pass",
            |v, _, _| v["gates"][0]["status"] = json!("fail"),
            &["incident_blocking_gate"],
        ),
        (
            "a failed gate of another writer",
            |v, _, _| v["gates"][0] = json!({"id": "x", "blocking": true, "status": "fail"}),
            &["incident_blocking_gate"],
        ),
        ("no certificate", |_, _, c| *c = Value::Null, &["incident_not_certified"]),
        (
            "a certificate in small letters",
            |_, _, c| c["overall_verdict"] = json!("certified"),
            &["incident_not_certified"],
        ),
        ("parity failed", |v, _, _| v["gates"][1]["status"] = json!("fail"), &["incident_parity"]),
        (
            "parity only warned",
            |v, _, _| v["gates"][1]["status"] = json!("warn"),
            &["incident_parity"],
        ),
        (
            "two at once",
            |v, t, _| {
                v["verdict"] = json!("blocked");
                t["status"] = json!("regression");
            },
            &["incident_regression", "incident_blocking_gate"],
        ),
    ];
    for (case, change, codes) in table {
        let seen = run(CONFIG, Lane::Main, change);
        assert_eq!(seen.codes, *codes, "{case}: {:?}", seen.messages);
        assert_eq!(
            incident(&seen)["state"],
            if codes.is_empty() { "clear" } else { "open" },
            "{case}"
        );
    }
}

#[test]
fn severity_and_deadline_follow_the_lane_unless_the_context_is_stated() {
    let regression =
        |_: &mut Value, triage: &mut Value, _: &mut Value| triage["status"] = json!("regression");
    let table: &[(&str, Lane, &str, &str)] = &[
        ("", Lane::Main, "SEV-1", "2026-05-31T12:15:00.000Z"),
        ("", Lane::Release, "SEV-1", "2026-05-31T12:15:00.000Z"),
        ("", Lane::Pr, "SEV-2", "2026-05-31T15:45:00.000Z"),
        ("", Lane::Local, "SEV-1", "2026-05-31T12:15:00.000Z"),
        ("context = 'branch'", Lane::Main, "SEV-2", "2026-05-31T15:45:00.000Z"),
        ("context = 'unknown'", Lane::Pr, "SEV-1", "2026-05-31T12:15:00.000Z"),
    ];
    for (context, lane, severity, deadline) in table {
        let incident = incident(&run(&format!("{CONFIG}\n{context}"), *lane, regression));
        assert_eq!(
            (&incident["severity"], &incident["deadline"]),
            (&json!(severity), &json!(deadline)),
            "{lane} {context}"
        );
    }
}

#[test]
fn a_baseline_or_strict_wording_that_nobody_asks_for_is_not_missed() {
    let config = "views = 'run'\nbaseline = false\nstrict_wording = false";
    let seen = run(config, Lane::Main, |_, triage, certification| {
        *triage = Value::Null;
        *certification = Value::Null;
    });
    assert_eq!(seen.outcome, Outcome::Pass, "{:?}", seen.messages);
    let states: Vec<Value> = incident(&seen)["triggers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["state"].clone())
        .collect();
    assert_eq!(states, ["not_applicable", "clear", "not_applicable", "not_applicable"]);
    let seen = run(config, Lane::Main, |_, triage, _| triage["status"] = json!("regression"));
    assert_eq!(seen.codes, ["incident_regression"], "a triage that exists is read");
}

#[test]
fn fg40_what_does_not_say_enough_is_an_error() {
    type Change = fn(&mut Value, &mut Value, &mut Value);
    let table: &[(&str, Change, &str)] = &[
        ("t07: no verdict", |v, _, _| *v = Value::Null, "artifact_missing"),
        ("t07: no triage", |_, t, _| *t = Value::Null, "artifact_missing"),
        ("fg13: no gate", |v, _, _| v["gates"] = json!([]), "nothing_examined"),
        ("fg40: a triage of another run", |_, t, _| t["run_id"] = json!("r6"), "lineage_mismatch"),
        (
            "fg41: a schema that begins alike",
            |v, _, _| v["schema"] = json!("portcullis.full_suite_verdict.v10"),
            "schema_mismatch",
        ),
        ("no run id", |v, _, _| v["run_id"] = Value::Null, "incident_input_invalid"),
        ("an unknown verdict", |v, _, _| v["verdict"] = json!("ok"), "incident_input_invalid"),
        ("no time", |v, _, _| v["generated_at"] = json!("today"), "incident_input_invalid"),
        ("no gates", |v, _, _| v["gates"] = Value::Null, "incident_input_invalid"),
        (
            "a gate that does not say whether it blocks",
            |v, _, _| v["gates"][0] = json!({"id": "x", "status": "fail"}),
            "incident_input_invalid",
        ),
        (
            "no parity gate",
            |v, _, _| v["gates"][1]["id"] = json!("parity_2"),
            "incident_input_invalid",
        ),
        ("no count", |_, t, _| t["summary"] = json!({}), "incident_input_invalid"),
        (
            "no overall verdict",
            |_, _, c| c["overall_verdict"] = Value::Null,
            "incident_input_invalid",
        ),
    ];
    for (case, change, code) in table {
        let seen = run(CONFIG, Lane::Main, change);
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (Outcome::Error, Some(*code)),
            "{case}: {:?}",
            seen.messages
        );
    }
    let twice = "{\"status\":\"regression\",\"status\":\"stable\"}";
    let seen = testing::run(&INCIDENT_TRIGGERS, CONFIG, &[("run/full_suite_verdict.json", twice)]);
    assert_eq!(seen.code.as_deref(), Some("duplicate_key"), "fg43");
}
