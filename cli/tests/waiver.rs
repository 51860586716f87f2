//! `waiver lint` over small repositories: both clocks, every lane, and files that are void.

use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

const POLICY: &str = "[policy]\nversion = 1\nowner = \"team\"\n\n[[gate]]\nid = \"build\"\nkind = \"command\"\n\n\
                      [[gate]]\nid = \"waiver_lifecycle\"\nkind = \"expiring_entries\"\n";
const WAIVER: &str = "[waiver.build]\nowner = \"team\"\ncreated = 2036-05-10\nexpires = 2036-05-31\nissue = \"#1\"\n\
                      reason = \"the upstream fix is not released yet\"\nscope = \"both\"\nremove_when = \"it is released\"\n";

fn put(path: &Path, text: &str) {
    let mut file = fs::File::create(path).expect("a file");
    file.write_all(text.as_bytes()).expect("written");
}

/// The exit code and the document of `waiver lint` at this time in this lane.
#[expect(clippy::disallowed_methods, reason = "this test is about the process itself")]
fn lint(classification: &str, now: &str, lane: &str, zone: &str) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    put(&folder.path().join("portcullis.toml"), POLICY);
    put(&folder.path().join("suite_classification.toml"), classification);
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-portcullis"))
        .current_dir(folder.path())
        .args(["waiver", "lint", "--format", "json"])
        .stdin(Stdio::null())
        .env_clear()
        .envs([("PORTCULLIS_NOW", now), ("PORTCULLIS_LANE", lane), ("TZ", zone)])
        .output()
        .expect("the binary starts");
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

#[test]
fn t05_the_last_day_is_inclusive_and_no_zone_moves_it() {
    let table = [
        ("fifteen days before", "2036-05-16T12:00:00Z", "main", 0, "active"),
        ("it warns", "2036-05-20T12:00:00Z", "main", 0, "expiring_soon"),
        ("the last second of the last day", "2036-05-31T23:59:59Z", "main", 0, "expiring_soon"),
        ("the first second after it", "2036-06-01T00:00:00Z", "main", 11, "expired"),
        ("in a release", "2036-06-01T00:00:00Z", "release", 11, "expired"),
        ("a pull request that may touch it", "2036-06-01T00:00:00Z", "pr", 11, "expired"),
        (
            "a developer's machine never fails on the calendar",
            "2036-06-20T00:00:00Z",
            "local",
            0,
            "expired_grace",
        ),
    ];
    for (case, now, lane, exit, status) in table {
        for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
            let (code, document) = lint(WAIVER, now, lane, zone);
            assert_eq!(code, Some(exit), "{case}, {zone}: {document:#}");
            assert_eq!(
                document["waivers"][0]["status"].as_str(),
                Some(status),
                "{case}, {zone}: {document:#}"
            );
        }
    }
}

#[test]
fn fg56_one_bad_entry_makes_the_whole_file_void_in_every_lane() {
    let table = [
        ("a day that does not exist", WAIVER.replace("2036-05-31", "2036-02-30")),
        ("a misspelt key", WAIVER.replace("expires", "expire")),
        ("a table twice", format!("{WAIVER}\n{WAIVER}")),
        ("an unknown gate", WAIVER.replace("[waiver.build]", "[waiver.biuld]")),
        ("a pattern", WAIVER.replace("[waiver.build]", "[waiver.\"*\"]")),
        (
            "the gate that guards the waivers",
            WAIVER.replace("[waiver.build]", "[waiver.waiver_lifecycle]"),
        ),
        ("a reason that is none", WAIVER.replace("the upstream fix is not released yet", "later")),
    ];
    for (case, text) in table {
        for lane in ["local", "pr", "main", "release"] {
            let (code, document) = lint(&text, "2036-05-20T12:00:00Z", lane, "UTC");
            assert_eq!(code, Some(11), "{case}, {lane}: {document:#}");
            assert_eq!(
                document["waivers"].as_array().map(Vec::len),
                Some(0),
                "{case}: no waiver applies"
            );
            assert!(
                document["faults"].as_array().is_some_and(|faults| !faults.is_empty()),
                "{case}"
            );
        }
    }
}

#[test]
fn the_document_is_the_audit_that_scripts_read() {
    let (code, document) = lint(WAIVER, "2036-05-16T12:00:00Z", "main", "UTC");
    assert_eq!(code, Some(0), "{document:#}");
    for key in [
        "total_waivers",
        "active",
        "expiring_soon",
        "expired",
        "stale",
        "pending",
        "invalid",
        "waivers",
        "raw_waivers",
    ] {
        assert!(!document[key].is_null(), "`{key}` is missing: {document:#}");
    }
    assert_eq!(document["runway"]["2036-W22"][0].as_str(), Some("build"), "{document:#}");
}

#[test]
fn fg61_the_clock_is_never_set_back() {
    assert_eq!(lint(WAIVER, "2001-01-01T00:00:00Z", "main", "UTC").0, Some(2));
}
