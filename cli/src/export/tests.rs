//! Every format over runs with every status and with hostile text, read by validators and readers that are not ours.

mod accepted;
mod readers;

use super::{Format, account::Account, render};
use crate::{
    annotation,
    history::Sealed,
    outcome::{Line, OUTCOME_SCHEMA, Status},
};
use boon::{Compiler, Schemas};
use portcullis::{
    Effective,
    kernel::{decide::Decision, policy::profile::Kind},
};
use serde_json::{Value, json};
use std::path::Path;

const HOSTILE: &str = "]]></failure><script>alert(1)</script> \u{1b}[31m::error::x\n![i](http://e) @all \u{0}\u{8}\u{ffff}\u{202e}\"'&%";

fn gate(id: &str, effective: &str, blocks: bool, text: &str, findings: usize) -> Value {
    let finding = |n: usize| {
        json!({
            "code": "row_wrong", "subject": format!("s{n}"), "message": format!("{text} {n}"),
            "remedy": text, "advisory": effective == "warn", "fingerprint": format!("{n:016x}"),
            "location": { "path": format!("src/a b{n}.rs"), "line": n, "column": 1 },
        })
    };
    let covered = json!({ "owner": "team", "expires": "2099-01-01", "issue": "#1", "reason": text, "covers": true });
    json!({
        "id": id, "kind": "command", "title": text, "owner": "team", "issue": null, "binary": "gates",
        "outcome": null, "effective": effective, "blocking": true, "blocks": blocks, "code": null,
        "detail": format!("{effective}: {text}"), "examined": 1,
        "findings": (1..=findings).map(finding).collect::<Vec<_>>(), "findings_total": findings,
        "error": null, "skip": null, "waiver": if effective == "waived" { covered } else { Value::Null },
        "rollback_warning": false, "attempts": 1, "artifact_path": null, "duration_ms": 1_234,
    })
}

fn decision(verdict: &str, gates: Vec<Value>, faults: &Value) -> Decision {
    let summary = json!({
        "total_gates": gates.len(), "passed": 0, "warned": 0, "failed": 0, "skipped": 0, "waived": 0,
        "blocking_pass": 0, "blocking_total": 0, "all_blocking_pass": verdict == "pass",
    });
    let exit = match verdict {
        "pass" => 0,
        "blocked" => 11,
        _ => 12,
    };
    serde_json::from_value(json!({
        "verdict": verdict, "exit": exit, "certifiable": false, "why_not_certifiable": ["a test"],
        "mode": "strict", "lane": "pr", "gates": gates, "faults": faults, "loosened": [],
        "waiver_audit": {
            "total_waivers": 0, "active": 0, "expiring_soon": 0, "expired": 0, "stale": 0, "pending": 0,
            "invalid": 0, "waivers": [], "raw_waivers": [], "faults": [], "cliffs": [],
        },
        "not_selected": [], "summary": summary,
    }))
    .expect("a decision")
}

fn line(test: &str, attempt: u32, last: bool, status: Status) -> Line {
    Line {
        schema: OUTCOME_SCHEMA.to_owned(),
        suite: "demo::it".to_owned(),
        test: test.to_owned(),
        kind: Kind::Unit,
        attempt,
        last,
        status,
        leaked: false,
        quarantine: None,
        duration_ms: 5,
        exit_code: None,
        signal: None,
        message: HOSTILE.to_owned(),
    }
}

fn account(decision: Decision, lines: Vec<Line>) -> Account {
    let record = json!({
        "schema": "portcullis.run.v1", "run_id": "run-1", "generated_at": "2026-05-31T12:00:01Z",
        "source": { "commit": "a".repeat(40), "tree": null, "dirty": false, "base": null },
        "tool": { "name": "portcullis", "version": "0.1.0" }, "mode": "strict",
        "clock": { "now": "2026-05-31T12:00:00Z", "source": "system", "past_allowed": false },
        "state": "sealed", "manifest_sha256": "b".repeat(64),
    });
    let record = serde_json::from_value(record).expect("a record");
    let run_id = portcullis::RunId::parse("run-1").expect("an id");
    let sealed = Sealed { run_id, decision, failures: Vec::new() };
    let policy = "[[gate]]\nid = \"fail_gate\"\n";
    Account::of(record, sealed, None, lines, "portcullis.toml".to_owned(), policy)
}

/// A gate of every status, tests of every status, a fault; all texts are hostile.
fn everything() -> Account {
    let gates = Effective::ALL.iter().map(|status| {
        let blocks = !matches!(
            status,
            Effective::Pass | Effective::Warn | Effective::Waived | Effective::Skip
        );
        let found = [Effective::Warn, Effective::Waived, Effective::Fail];
        let findings = if found.contains(status) { 2 } else { 0 };
        gate(&format!("{status}_gate"), status.name(), blocks, HOSTILE, findings)
    });
    let fault = json!([{ "code": "broken", "message": HOSTILE, "remedy": HOSTILE }]);
    let lines = vec![
        line("green", 1, true, Status::Passed),
        line("flaky", 1, false, Status::Failed),
        line("flaky", 2, true, Status::Passed),
        line("red", 1, false, Status::Failed),
        line("red", 2, true, Status::Failed),
        line("slow", 1, true, Status::TimedOut),
        line("gone", 1, true, Status::NotRun),
        line("dead", 1, true, Status::Crashed),
        line(HOSTILE, 1, true, Status::Exited),
    ];
    account(decision("invalid", gates.collect(), &fault), lines)
}

fn parsed(format: Format, account: &Account) -> Value {
    serde_json::from_str(&render(format, account).expect("rendered")).expect("JSON")
}

/// Validates against a published schema.
fn validate(schema: &str, document: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/schemas");
    let folder = folder.canonicalize().expect("the schemas");
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    // Schemas refer to each other by the address that they were published under.
    for name in ["spdx", "jsf-0.82"] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.SNAPSHOT.schema.json")));
        let part = serde_json::from_str(&text.expect("a schema")).expect("JSON");
        let address = format!("http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json");
        compiler.add_resource(&address, part).expect("a resource");
    }
    let path = folder.join(schema);
    let index = compiler.compile(path.to_str().expect("a path"), &mut schemas);
    let index = index.unwrap_or_else(|error| panic!("{schema}: {error:#}"));
    if let Err(error) = schemas.validate(document, index) {
        panic!("{schema}: {error:#}");
    }
}

#[test]
fn sarif_is_what_its_schema_says() {
    let sarif = parsed(Format::Sarif, &everything());
    validate("sarif-2.1.0.json", &sarif);
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("a place");
        assert!(!uri.starts_with('/') && !uri.contains(' '), "{uri}");
        assert!(result["partialFingerprints"]["portcullis/v1"].is_string(), "{result}");
    }
    let of = |status: &str| -> Vec<&Value> {
        let wanted =
            |result: &&Value| result["properties"]["gate"] == format!("{status}_gate").as_str();
        results.iter().filter(wanted).collect()
    };
    assert!(of("pass").is_empty() && of("skip").is_empty());
    assert_eq!(of("warn")[0]["level"], "warning");
    assert_eq!(of("fail").len(), 2);
    assert_eq!(of("fail")[0]["ruleId"], "command/row_wrong");
    assert!(of("fail")[0].get("suppressions").is_none());
    assert_eq!(of("waived")[0]["suppressions"][0]["kind"], "external");
    for status in ["error", "crashed", "missing", "precluded", "pending_approval"] {
        assert_eq!(of(status)[0]["level"], "error", "{status}");
        assert_eq!(of(status)[0]["properties"]["class"], status);
    }
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in results {
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{}", result["ruleId"]);
    }
}

#[test]
fn sarif_keeps_the_worst_and_says_what_it_cut() {
    let mut gates: Vec<Value> =
        (0..7).map(|n| gate(&format!("warns{n}"), "warn", false, "w", 1_000)).collect();
    gates.push(gate("zz_last", "fail", true, "f", 3));
    let sarif = parsed(Format::Sarif, &account(decision("blocked", gates, &json!([])), Vec::new()));
    validate("sarif-2.1.0.json", &sarif);
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), super::sarif::RESULTS_MAX);
    assert_eq!(results[0]["properties"]["gate"], "zz_last", "the worst first");
    let note = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(note.as_str().is_some_and(|text| text.contains("5000 of 7003")), "{note}");
}

#[test]
fn ctrf_is_what_its_schema_says() {
    let ctrf = parsed(Format::Ctrf, &everything());
    validate("ctrf-0.0.json", &ctrf);
    let results = &ctrf["results"];
    let tests = results["tests"].as_array().expect("tests");
    let of = |name: &str| tests.iter().find(|test| test["name"] == name).expect("a test");
    for (name, status) in [
        ("pass_gate", "passed"),
        ("warn_gate", "passed"),
        ("waived_gate", "other"),
        ("skip_gate", "skipped"),
        ("pending_approval_gate", "pending"),
        ("fail_gate", "failed"),
        ("missing_gate", "failed"),
        ("green", "passed"),
        ("red", "failed"),
        ("gone", "failed"),
        ("dead", "failed"),
        ("broken", "failed"),
    ] {
        assert_eq!(of(name)["status"], status, "{name}");
    }
    assert_eq!(of("warn_gate")["rawStatus"], "warn");
    assert_eq!(of("waived_gate")["rawStatus"], "waived");
    assert_eq!(of("flaky")["flaky"], true);
    assert!(of("red").get("flaky").is_none() && of("green").get("flaky").is_none());
    let summary = &results["summary"];
    let sum: u64 = ["passed", "failed", "skipped", "pending", "other"]
        .iter()
        .map(|word| summary[*word].as_u64().expect("a count"))
        .sum();
    assert_eq!((sum, summary["tests"].as_u64()), (18, Some(18)));
    assert_eq!((&summary["flaky"], &summary["other"]), (&json!(1), &json!(1)));
}

#[test]
fn junit_is_read_by_the_reader_of_nextest() {
    let text = render(Format::Junit, &everything()).expect("rendered");
    let report = quick_junit::Report::deserialize_from_str(&text).expect("a report");
    let cases: Vec<_> = report.test_suites.iter().flat_map(|suite| &suite.test_cases).collect();
    assert_eq!((cases.len(), report.tests), (18, 18));
    let of = |name: &str| {
        let found = cases.iter().find(|case| case.name.as_str() == name).expect("a case");
        match &found.status {
            quick_junit::TestCaseStatus::Success { flaky_runs, .. } if flaky_runs.is_empty() => {
                "passed"
            }
            quick_junit::TestCaseStatus::Success { .. } => "flaky",
            quick_junit::TestCaseStatus::NonSuccess { kind, .. } => match kind {
                quick_junit::NonSuccessKind::Failure => "failure",
                quick_junit::NonSuccessKind::Error => "error",
            },
            quick_junit::TestCaseStatus::Skipped { .. } => "skipped",
        }
    };
    for (name, status) in [
        ("pass_gate", "passed"),
        ("warn_gate", "passed"),
        ("waived_gate", "skipped"),
        ("skip_gate", "skipped"),
        ("fail_gate", "failure"),
        ("pending_approval_gate", "error"),
        ("precluded_gate", "error"),
        ("missing_gate", "error"),
        ("crashed_gate", "error"),
        ("error_gate", "error"),
        ("green", "passed"),
        ("flaky", "flaky"),
        ("red", "failure"),
        ("slow", "failure"),
        ("gone", "error"),
        ("broken", "error"),
    ] {
        assert_eq!(of(name), status, "{name}");
    }
    let waived = cases.iter().find(|case| case.name.as_str() == "waived_gate").expect("a case");
    let property = waived.properties.iter().find(|one| one.name.as_str() == "portcullis.waiver");
    assert!(property.is_some_and(|one| one.value.as_str().starts_with("waived until 2099-01-01")));
    assert_eq!(waived.classname.as_ref().map(|name| name.as_str()), Some("pr"));
    assert!(!text.contains('\u{1b}') && !text.contains("<script"), "{text}");
}

#[test]
fn fg74_a_run_that_is_no_pass_is_green_nowhere() {
    let quiet = account(
        decision("invalid", vec![gate("a", "pass", false, "x", 0)], &json!([])),
        Vec::new(),
    );
    assert!(quiet.rows.iter().any(|row| row.standing.is_red()));
    assert!(render(Format::Junit, &quiet).expect("rendered").contains("errors=\"1\""));
    assert_eq!(parsed(Format::Ctrf, &quiet)["results"]["summary"]["failed"], 1);
    assert_eq!(parsed(Format::Sarif, &quiet)["runs"][0]["results"][0]["level"], "error");
    let calm =
        account(decision("pass", vec![gate("a", "pass", false, "x", 0)], &json!([])), Vec::new());
    assert_eq!(parsed(Format::Sarif, &calm)["runs"][0]["results"], json!([]));
    assert!(!calm.rows.iter().any(|row| row.standing.is_red()));
}

/// Texts that a runner, a terminal, a browser, an XML reader or an eye would obey.
const OBEYED: &[&str] = &[
    "a\n::error file=x::b",
    "a\r\n##[error]b",
    "%0A::add-mask::a%25",
    "::stop-commands::pause",
    "\u{1b}[2J\u{1b}]8;;http://e\u{7}link\u{1b}]8;;\u{7}",
    "\u{9b}31mred \u{0}\u{8}\u{b}\u{7f}\u{85}",
    "a\u{202e}b\u{2066}c\u{200b}d\u{feff}",
    "]]><!--<script>alert(1)</script>&x;",
    "\u{fffe}\u{ffff}",
    "@all ![x](http://e) | a | b |\n```\n# h",
];

#[test]
fn nothing_obeys_ten_thousand_findings_and_they_keep_within_the_limits() {
    let gates: Vec<Value> = (0..100)
        .map(|n| {
            let (status, blocks) = [("fail", true), ("warn", false)][n % 2];
            gate(&format!("g{n:02}"), status, blocks, OBEYED[n / 2 % OBEYED.len()], 100)
        })
        .collect();
    let account = one("blocked", gates);
    let is_obeyed = |c: char| {
        // A summary has joiners of its own, which keep a forge from making links.
        let is_mark = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        is_mark || (c.is_control() && c != '\n' && c != '\t')
    };
    let hold = |what: &str, text: &str| {
        let found = text.chars().find(|c| is_obeyed(*c));
        assert_eq!(found, None, "{what}");
    };
    // Ten of each level and step, fifty of a job, one line each, and all that is told begins with the level.
    let all = annotation::of_run(&account.decision, &[]);
    let (mut shown, mut told) = (annotation::Shown::default(), 0);
    for step in 0..5 {
        let (lines, now) = annotation::commands(&all, shown, "the run");
        for line in &lines {
            hold("annotations", line);
            assert!(!line.contains('\n'), "{line}");
            let rest = line.strip_prefix("::error ").or_else(|| line.strip_prefix("::warning "));
            let (properties, message) = rest.and_then(|rest| rest.split_once("::")).expect(line);
            assert!(properties.starts_with("title="), "{line}");
            let is_escaped = |text: &str| {
                text.split('%').skip(1).all(|at| {
                    ["25", "0A", "0D", "3A", "2C"].iter().any(|code| at.starts_with(code))
                })
            };
            assert!(is_escaped(properties) && is_escaped(message), "{line}");
        }
        let of = |level: &str| lines.iter().filter(|line| line.starts_with(level)).count();
        assert!(of("::error ") <= annotation::STEP_MAX && of("::warning ") <= annotation::STEP_MAX);
        assert!(
            step > 0 || lines.iter().any(|line| line.contains("4991 more of this level")),
            "{lines:?}"
        );
        (shown, told) = (now, told + lines.len());
    }
    assert_eq!(told, annotation::JOB_MAX);
    let junit = render(Format::Junit, &account).expect("rendered");
    hold("junit", &junit);
    assert!(!junit.contains(['\u{fffe}', '\u{ffff}']) && !junit.contains("]]>"));
    quick_junit::Report::deserialize_from_str(&junit).expect("a report");
    let sarif = parsed(Format::Sarif, &account);
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), super::sarif::RESULTS_MAX);
    assert!(results.iter().all(|result| result["level"] == "error"), "the worst are kept");
    for result in results.iter().take(200) {
        hold("sarif", result["message"]["text"].as_str().expect("a text"));
    }
    for test in parsed(Format::Ctrf, &account)["results"]["tests"].as_array().expect("tests") {
        for key in ["name", "message", "trace"] {
            hold("ctrf", test[key].as_str().unwrap_or_default());
        }
    }
    let summary = super::summary::render(&account, super::summary::BUDGET);
    assert!(summary.len() <= super::summary::BUDGET);
    hold("summary", &summary);
    hold("page", &render(Format::Html, &account).expect("rendered"));
}

#[test]
fn cyclonedx_is_what_its_schema_says() {
    let bom = parsed(Format::Cyclonedx, &everything());
    validate("bom-1.6.SNAPSHOT.schema.json", &bom);
    let map = bom["declarations"]["attestations"][0]["map"].as_array().expect("a map");
    assert_eq!(map.len(), Effective::ALL.len());
    for row in map {
        let name = row["requirement"].as_str().expect("a requirement");
        let passed = ["requirement:pass_gate", "requirement:warn_gate"].contains(&name);
        assert_eq!(row["conformance"]["score"], u8::from(passed), "{name}");
    }
}

#[test]
fn every_export_can_be_told_from_a_broken_one() {
    let mut ctrf = parsed(Format::Ctrf, &everything());
    ctrf["results"]["tests"][0]["duration"] = json!(1.5);
    assert!(std::panic::catch_unwind(|| validate("ctrf-0.0.json", &ctrf)).is_err());
    let mut sarif = parsed(Format::Sarif, &everything());
    sarif["runs"][0]["results"][0]["level"] = json!("fatal");
    assert!(std::panic::catch_unwind(|| validate("sarif-2.1.0.json", &sarif)).is_err());
    let mut bom = parsed(Format::Cyclonedx, &everything());
    bom["declarations"]["attestations"][0]["map"][0]["conformance"]["score"] = json!(2);
    assert!(std::panic::catch_unwind(|| validate("bom-1.6.SNAPSHOT.schema.json", &bom)).is_err());
}

fn one(verdict: &str, gates: Vec<Value>) -> Account {
    account(decision(verdict, gates, &json!([])), Vec::new())
}

#[test]
fn statements_pass_only_what_passed() {
    let pass = || gate("a", "pass", false, "x", 0);
    let table = [
        ("a pass", "pass", vec![pass()], "PASSED"),
        ("a warning", "pass", vec![pass(), gate("b", "warn", false, "x", 1)], "WARNED"),
        ("a waiver", "pass", vec![pass(), gate("b", "waived", false, "x", 1)], "WARNED"),
        ("a failure", "blocked", vec![pass(), gate("b", "fail", true, "x", 1)], "FAILED"),
        (
            "a pending change",
            "blocked",
            vec![gate("b", "pending_approval", true, "x", 0)],
            "FAILED",
        ),
        ("an advisory failure", "pass", vec![gate("b", "fail", false, "x", 1)], "FAILED"),
        ("an invalid run", "invalid", vec![pass()], "FAILED"),
    ];
    for (case, verdict, gates, expected) in table {
        let account = one(verdict, gates);
        let statement = parsed(Format::Intoto, &account);
        assert_eq!(statement["predicate"]["result"], expected, "{case}");
        assert_eq!(statement["subject"][0]["digest"]["gitCommit"], "a".repeat(40).as_str());
        let vsa = parsed(Format::Vsa, &account);
        assert_eq!(
            vsa["predicate"]["verificationResult"], "FAILED",
            "{case}: never certifiable here"
        );
        assert_eq!(vsa["predicate"]["verifiedLevels"], json!([]), "{case}");
    }
    let mut certified = one("pass", vec![pass()]);
    certified.decision.certifiable = true;
    let vsa = parsed(Format::Vsa, &certified);
    assert_eq!(vsa["predicate"]["verificationResult"], "PASSED");
    let levels = vsa["predicate"]["verifiedLevels"].as_array().expect("levels");
    assert!(levels.iter().all(|level| !level.as_str().is_some_and(|l| l.starts_with("SLSA_"))));
    let waived = one("pass", vec![gate("b", "waived", false, "x", 1)]);
    let statement = parsed(Format::Intoto, &waived);
    assert_eq!(statement["predicate"]["passedTests"], json!([]));
    assert_eq!(statement["predicate"]["warnedTests"], json!(["gates b"]));
}

#[test]
fn no_statement_is_made_of_a_changed_tree() {
    for source in [
        json!({ "commit": null, "tree": null, "dirty": false, "base": null }),
        json!({ "commit": "a".repeat(40), "tree": null, "dirty": true, "base": null }),
        json!({ "commit": "a".repeat(40), "tree": null, "dirty": null, "base": null }),
    ] {
        let mut account = one("pass", vec![gate("a", "pass", false, "x", 0)]);
        account.envelope.source = serde_json::from_value(source).expect("a source");
        for format in [Format::Intoto, Format::Vsa] {
            assert!(render(format, &account).is_err(), "{format:?}");
        }
    }
}

#[test]
fn a_badge_is_green_only_for_a_pass_of_everything() {
    let pass = || gate("a", "pass", false, "x", 0);
    let table = [
        ("pass", vec![pass()], "brightgreen"),
        ("pass", vec![pass(), gate("b", "waived", false, "x", 1)], "yellow"),
        ("pass", vec![pass(), gate("b", "fail", false, "x", 1)], "yellow"),
        ("blocked", vec![gate("b", "fail", true, "x", 1)], "red"),
        ("invalid", vec![pass()], "red"),
    ];
    for (verdict, gates, color) in table {
        let badge = parsed(Format::Badge, &one(verdict, gates));
        assert_eq!(badge["color"], color, "{badge}");
        assert_eq!(badge["schemaVersion"], 1);
        assert!(badge["message"].as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!(badge["isError"], verdict != "pass");
        // The fields of the page of shields about endpoints; no schema of them is published.
        let known = ["schemaVersion", "label", "message", "color", "isError", "cacheSeconds"];
        let fields = badge.as_object().expect("an object");
        assert!(fields.keys().all(|key| known.contains(&key.as_str())), "{badge}");
        assert!(badge["label"].is_string());
        assert!(badge["cacheSeconds"].as_u64().is_some_and(|seconds| seconds >= 300), "{badge}");
    }
}

#[test]
fn openmetrics_ends_and_declares_every_family() {
    let text = render(Format::Openmetrics, &everything()).expect("rendered");
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
    let mut family = "";
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            family = declared.split(' ').next().expect("a name");
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&format!("{family}{{")), "{line} in {family}");
            assert!(line.rsplit(' ').next().is_some_and(|value| value.parse::<f64>().is_ok()));
        }
    }
    assert!(text.contains("portcullis_gates{status=\"waived\"} 1\n"), "{text}");
    assert!(text.contains(
        "portcullis_gate_status{gate=\"waived_gate\",kind=\"command\",status=\"waived\"} 1\n"
    ));
}

/// Texts that became links, pictures, tags or mentions somewhere.
const CORPUS: &[&str] = &[
    HOSTILE,
    "[x](javascript:alert(1))",
    "![x](http://evil/x.png)",
    "<img src=x onerror=y>",
    "<details open>",
    "<!-- -->",
    "@everyone @org/team",
    "http://evil.example www.evil.example x@evil.example",
    "fixes #12, org/repo#7",
    "| a | b |\n|---|---|",
    "# h\n- [ ] x\n> q\n***\n",
    "````\n```\n`x`",
    "[a]: http://evil\n[a]",
    "\\<b> \\[x](y) &lt;b&gt; &#60;b&#62;",
    "<http://evil>",
    "*a* _b_ ~~c~~ `d` $e$",
];

#[test]
fn t16_a_step_summary_has_no_markup_of_others() {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    for text in CORPUS {
        let gates = vec![gate("b", "fail", true, text, 2), gate("w", "waived", false, text, 1)];
        let mut account = one("blocked", gates);
        account.decision.gates[0].owner = (*text).to_owned();
        account.rows[0].name = (*text).to_owned();
        account.rows[0].replay = Some((*text).to_owned());
        let summary = render(Format::Summary, &account).expect("rendered");
        let (mut code, mut blocks) = (false, 0);
        for event in Parser::new_ext(&summary, Options::all()) {
            // The lane is told in our own words.
            let own = matches!(&event, Event::Code(own) if &**own == "pr");
            let foreign = matches!(
                event,
                Event::Start(
                    Tag::Link { .. }
                        | Tag::Image { .. }
                        | Tag::HtmlBlock
                        | Tag::Emphasis
                        | Tag::Strikethrough
                ) | Event::Html(_)
                    | Event::InlineHtml(_)
                    | Event::FootnoteReference(_)
                    | Event::TaskListMarker(_)
                    | Event::Code(_)
                    | Event::InlineMath(_)
                    | Event::DisplayMath(_)
            );
            assert!(own || !foreign, "{event:?} of {text:?}:\n{summary}");
            if matches!(event, Event::Start(Tag::CodeBlock(_))) {
                (code, blocks) = (true, blocks + 1);
            } else if matches!(event, Event::End(pulldown_cmark::TagEnd::CodeBlock)) {
                code = false;
            } else if let Event::Text(said) = &event
                && !code
            {
                for bad in ["@e", "@o", "://", "www.e", "#1", "#7"] {
                    assert!(!said.contains(bad), "{bad} of {text:?}: {said}");
                }
            }
        }
        assert_eq!(blocks, 2, "the fences hold: {summary}");
    }
}

#[test]
fn t16_a_page_loads_nothing_and_has_no_tag_of_others() {
    for text in CORPUS {
        let gates = vec![gate("b", "fail", true, text, 2), gate("w", "waived", false, text, 1)];
        let html = render(Format::Html, &one("blocked", gates)).expect("rendered");
        for bad in ["<img", "<script", "<a ", "<b>", "<details", "src=\"", "href=", "onerror=y>"] {
            assert!(!html.contains(bad), "{bad} of {text:?}");
        }
        assert!(html.contains("default-src 'none'") && html.contains("prefers-color-scheme:dark"));
    }
}

#[test]
fn a_step_summary_stays_in_its_budget_and_keeps_what_it_must() {
    let long = "w".repeat(280);
    let gates: Vec<Value> =
        (0..10_000).map(|n| gate(&format!("g{n}"), "fail", true, &long, 0)).collect();
    let account = one("blocked", gates);
    for budget in [super::summary::BUDGET, 700_000, 20_000, 0] {
        let text = super::summary::render(&account, budget);
        assert!(text.len() <= budget.max(8_000), "{} of {budget}", text.len());
        for kept in ["# portcullis: blocked", "## Ways out", "## Replay", "cargo portcullis replay"]
        {
            assert!(text.contains(kept), "{kept} of {budget}");
        }
        assert!(text.contains("Left out for want of room: "), "{budget}");
    }
    let gates: Vec<Value> =
        (0..100).map(|n| gate(&format!("g{n}"), "fail", true, &long, 0)).collect();
    let account = one("blocked", gates);
    for budget in (12_000..60_000).step_by(500) {
        let size = super::summary::render(&account, budget).len();
        assert!(size <= budget, "{size} of {budget}");
    }
    let small = super::summary::render(&one("pass", vec![gate("a", "pass", false, "x", 0)]), 9_000);
    assert!(!small.contains("Left out") && small.contains("## All gates"));
}
