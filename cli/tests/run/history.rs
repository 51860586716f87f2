//! What many runs say over time, and what their gates noted.

use super::{Case, command, elsewhere, has_nextest, root, text, write};
use serde_json::Value;
use std::{fs, process::Output};

fn asked(words: &[&str]) -> (Output, Value) {
    let output = command(root(), words).args(["--format", "json"]).output().expect("it starts");
    let document = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, document)
}

#[test]
fn a_trend_counts_what_each_run_says() {
    if !has_nextest() {
        return;
    }
    let words = ["run", "--profile", "full"];
    let table =
        [("trend-1", "", 0), ("trend-2", "flickers,gate_fails", 11), ("trend-3", "fails", 10)];
    let cases: Vec<Case> = table.iter().map(|(name, ..)| Case::new(name)).collect();
    for (n, (case, (_, faults, code))) in cases.iter().zip(table).enumerate() {
        let now = format!("2099-05-2{n}T12:00:00Z");
        let mut command = case.command(faults, &words);
        let output = command.env("PORTCULLIS_NOW", now).output().expect("it starts");
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    }
    let dirs: Vec<String> = cases.iter().map(|case| case.dir().display().to_string()).collect();
    let mut words = vec!["history"];
    words.extend(dirs.iter().map(String::as_str));
    let (output, trend) = asked(&words);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let verdicts: Vec<&str> = trend["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| run["verdict"].as_str().expect("a word"))
        .collect();
    assert_eq!(verdicts, ["pass", "blocked", "blocked"], "oldest first: {trend}");
    let health = &trend["gates"]["health"];
    assert_eq!((&health["runs"], &health["blocked"]), (&3.into(), &1.into()));
    assert_eq!((&health["changes"], &health["last"]), (&2.into(), &"pass".into()));
    assert_eq!(trend["tests"]["sample::ends flickers"]["flaky"], 1);
    assert_eq!(trend["tests"]["sample::ends fails"]["failed"], 1);
    assert_eq!(trend["tests"]["sample::ends fails"]["last_seen"], "trend-3");
    assert_eq!(trend["tests"].as_object().expect("tests").len(), 2, "the others always passed");
    assert_eq!(trend["quarantine"]["ends::flickers"]["flaky_tolerated"], 1);
    assert!(trend["suite_ms"]["sample::wide"].is_u64());
    words.extend(["--last", "1"]);
    assert_eq!(asked(&words).1["runs"].as_array().expect("runs").len(), 1);

    // A run that cannot be read is no gap that is passed over.
    let path = cases[1].dir().join("outcomes.jsonl");
    let before = fs::read_to_string(&path).expect("outcomes");
    write(&path, before.trim_end());
    let (output, _) = asked(&words[..4]);
    assert_eq!(output.status.code(), Some(12), "{}", text(&output));
    assert!(text(&output).contains("run_unreadable"), "{}", text(&output));
    write(&path, &before);
}

/// Durations are for people to accept, and balance what is made of whole test binaries.
#[test]
fn durations_are_blessed_by_people_and_balance_whole_binaries() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("durations");
    case.runs("", &["run", "--profile", "full"], 0);
    let dir = case.dir().display().to_string();
    let (tree, _target, _guard) = elsewhere();
    let tree = tree.as_path();
    let mut bless = command(tree, &["history", &dir, "--bless-durations"]);
    let refused = bless.env("CI", "1").output().expect("it starts");
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused));
    let blessed =
        command(tree, &["history", &dir, "--bless-durations"]).output().expect("it starts");
    assert_eq!(blessed.status.code(), Some(0), "{}", text(&blessed));
    let file = tree.join("suite_durations.json");
    assert!(fs::read_to_string(&file).expect("durations").contains("\"sample::wide\": "));
    let slow = "{\"schema\":\"portcullis.suite_durations.v1\",\"suite_ms\":{\"sample::wide\":900,\"sample\":1,\"sample::ends\":1,\"sample::gates\":1}}";
    write(&file, slow);
    let mut alone = Vec::new();
    let mut hashes = Vec::new();
    for index in ["0", "1"] {
        let words = [
            "plan",
            "--profile",
            "full",
            "--shard-kind",
            "suite",
            "--shard-index",
            index,
            "--shard-total",
            "2",
            "--format",
            "json",
        ];
        let planned = command(tree, &words).output().expect("it starts");
        let plan: Value = serde_json::from_slice(&planned.stdout).expect("a plan");
        hashes.push(plan["hash"].clone());
        assert_eq!(plan["weights"]["sample::wide"], 900);
        let planned = command(tree, &words[..9]).output().expect("it starts");
        let said = text(&planned);
        alone.push(said.contains("sample::wide") && !said.contains("sample::ends ("));
    }
    assert!(alone.contains(&true), "the slow one has a part of its own");
    assert_eq!(hashes[0], hashes[1], "the same plan on every shard");
    write(&file, "{}");
    let refused = command(tree, &["plan", "--profile", "full"]).output().expect("it starts");
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
}

#[test]
fn events_are_shown_as_they_were_written_or_not_at_all() {
    if !has_nextest() {
        return;
    }
    let case = Case::new("events");
    case.runs("gate_fails", &["run", "--kind", "gate"], 11);
    let dir = case.dir().display().to_string();
    let (output, all) = asked(&["events", &dir]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let total = all["events_total"].as_u64().expect("a number");
    let (_, failed) = asked(&["events", &dir, "--gate", "health", "--status", "fail"]);
    let events = failed["events"].as_array().expect("events");
    assert!(!events.is_empty() && events.iter().all(|event| event["gate_id"] == "health"));
    assert_eq!(asked(&["events", &dir, "--since", "2100-01-01T00:00:00Z"]).1["events_total"], 0);
    let lines = command(root(), &["events", &dir, "--json"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&lines.stdout).into_owned();
    assert_eq!(said.lines().count() as u64, total);
    assert!(said.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{said}");
    let log = case.dir().join("gates/health/attempt-1/events.jsonl");
    let before = fs::read_to_string(&log).expect("a log");
    for (what, changed) in [
        ("a status", before.replace("\"fail\"", "\"pass\"").replacen("finding_", "funding_", 1)),
        ("a line", before.lines().skip(1).fold(String::new(), |text, line| text + line + "\n")),
        ("an end", before.trim_end().to_owned()),
    ] {
        write(&log, &changed);
        let (output, _) = asked(&["events", &dir]);
        assert_eq!(output.status.code(), Some(12), "{what}: {}", text(&output));
    }
}
