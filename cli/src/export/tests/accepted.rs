//! What was accepted for a time is shown as a pass by no format, and what a format may hold is never exceeded.

use super::*;
use crate::export::summary;

const ALL: [Format; 10] = [
    Format::Junit,
    Format::Sarif,
    Format::Ctrf,
    Format::Intoto,
    Format::Vsa,
    Format::Cyclonedx,
    Format::Badge,
    Format::Openmetrics,
    Format::Html,
    Format::Summary,
];

/// Whether a format shows the only gate or test of an account as passed, and nothing beside that.
fn passes(format: Format, account: &Account, name: &str) -> bool {
    let text = render(format, account).expect("rendered");
    let json = || serde_json::from_str::<Value>(&text).expect("JSON");
    match format {
        Format::Junit => {
            let report = quick_junit::Report::deserialize_from_str(&text).expect("read");
            let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
            let mut named = cases.filter(|case| case.name.as_str() == name);
            named.any(|case| matches!(case.status, quick_junit::TestCaseStatus::Success { .. }))
        }
        Format::Sarif => json()["runs"][0]["results"] == json!([]),
        Format::Ctrf => {
            let tests = json()["results"]["tests"].clone();
            let mut tests = tests.as_array().expect("tests").iter();
            tests.any(|test| test["name"] == name && test["status"] == "passed")
        }
        Format::Intoto => {
            let predicate = json()["predicate"].clone();
            predicate["result"] == "PASSED" || predicate["passedTests"] != json!([])
        }
        Format::Vsa => {
            let levels = json()["predicate"]["verifiedLevels"].clone();
            levels.as_array().expect("levels").contains(&json!("PORTCULLIS_CERTIFIED"))
        }
        Format::Cyclonedx => {
            let map = json()["declarations"]["attestations"][0]["map"].clone();
            map.as_array().expect("a map").iter().any(|row| row["conformance"]["score"] == 1)
        }
        Format::Badge => json()["color"] == "brightgreen",
        Format::Openmetrics => {
            let gate = format!(
                "portcullis_gate_status{{gate=\"{name}\",kind=\"command\",status=\"pass\"}} 1"
            );
            text.contains(&gate) || text.contains("portcullis_tests{status=\"passed\"} 1")
        }
        Format::Html => {
            let row = text.lines().find(|line| line.starts_with(&format!("<tr><td>{name}</td>")));
            row.is_some_and(|row| row.contains("class=\"green\""))
        }
        Format::Summary => {
            let sections = ["## What is wrong", "## Waived, which is no pass", "| waived |"];
            !sections.iter().any(|section| text.contains(section))
        }
    }
}

fn certified(gates: Vec<Value>, lines: Vec<Line>) -> Account {
    let mut account = account(decision("pass", gates, &json!([])), lines);
    account.decision.certifiable = true;
    account
}

#[test]
fn what_is_waived_or_quarantined_is_a_pass_in_no_format() {
    let test = |status: Status| Line {
        quarantine: (status != Status::Passed).then(|| "demo::it.g".to_owned()),
        message: String::new(),
        ..line("g", 1, true, status)
    };
    let pass = certified(vec![gate("g", "pass", false, "x", 0)], Vec::new());
    let green = certified(Vec::new(), vec![test(Status::Passed)]);
    let accepted = [
        ("waived", certified(vec![gate("g", "waived", false, "x", 1)], Vec::new())),
        ("quarantined, failed", certified(Vec::new(), vec![test(Status::Failed)])),
        ("quarantined, timed out", certified(Vec::new(), vec![test(Status::TimedOut)])),
        ("quarantined, crashed", certified(Vec::new(), vec![test(Status::Crashed)])),
    ];
    for format in ALL {
        assert!(passes(format, &pass, "g"), "{format:?} cannot show a pass");
        // Claims and statements about gates say nothing of a single test.
        let silent = format == Format::Cyclonedx;
        assert!(silent || passes(format, &green, "g"), "{format:?} cannot show a test that passed");
        for (case, account) in &accepted {
            assert!(!passes(format, account, "g"), "{format:?} shows `{case}` as a pass");
        }
    }
}

/// Limits of those who read: 5,000 results and 10 MiB for code scanning, 1,000,000 bytes for a step.
#[test]
fn ten_thousand_gates_stay_within_every_limit() {
    let gates: Vec<Value> = (0..10_000)
        .map(|n| match n % 4 {
            0 => gate(&format!("g{n}"), "fail", true, "f", 1),
            1 => gate(&format!("g{n}"), "waived", false, "f", 1),
            2 => gate(&format!("g{n}"), "warn", false, "f", 1),
            _ => gate(&format!("g{n}"), "pass", false, "f", 0),
        })
        .collect();
    let account = account(decision("blocked", gates, &json!([])), Vec::new());
    for format in ALL {
        let text = render(format, &account).expect("rendered");
        assert!(text.len() < 20_000_000, "{format:?}: {}", text.len());
        if format == Format::Sarif {
            let sarif: Value = serde_json::from_str(&text).expect("JSON");
            let results = sarif["runs"][0]["results"].as_array().expect("results");
            assert_eq!(results.len(), 5_000);
            let worst = results.iter().filter(|result| result["level"] == "error").count();
            assert_eq!(worst, 2_500, "no failure is among what was cut");
            assert!(text.len() < 10 * 1024 * 1024, "{}", text.len());
        }
        if format == Format::Summary {
            assert!(text.len() <= summary::BUDGET, "{}", text.len());
            assert!(text.starts_with("# portcullis: blocked"), "the verdict comes first");
        }
        if format == Format::Badge {
            assert!(text.len() < 1_000, "{text}");
        }
    }
}
