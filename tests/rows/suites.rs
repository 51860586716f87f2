//! Rows 4, 5 and 8: suites, waivers, doubles.

use super::{
    product::today,
    row::{Break, Edit, Row},
};
use serde_json::json;

const FILE: &str = "suite_classification.toml";

#[test]
fn row_04_suite_classification() {
    let broken =
        |what, edit, codes, says| Break { what, file: FILE, edit, codes, says, reads: vec![] };
    Row {
        replay: "cargo test --test ci_full_suite_gate -- suite_classification --nocapture --exact",
        spellings: &[
            "cargo test --test ci_full_suite_gate -- suite_classification -- --exact --nocapture",
            "cargo test --test ci_full_suite_gate -- suite_classification",
        ],
        gate: Some("suite_classification"),
        env: &[],
        reads: vec![],
        breaks: vec![
            broken(
                "a target in no suite",
                Edit::Swap("    \"release_readiness\",\n", ""),
                &["unclassified"],
                &["release_readiness"],
            ),
            broken(
                "a target in two suites",
                Edit::Swap("[\"routes\"]", "[\"release_readiness\", \"routes\"]"),
                &["classified_twice"],
                &["release_readiness", "suite_classification.toml:5"],
            ),
            broken(
                "a target that does not exist",
                Edit::Swap("[\"routes\"]", "[\"routers\", \"routes\"]"),
                &["unknown_entry"],
                &["routers"],
            ),
            broken(
                "a list that is not sorted",
                Edit::Swap(
                    "[\"provider_streaming\"]",
                    "[\"provider_streaming\", \"claim_contract\"]",
                ),
                &["unsorted", "classified_twice"],
                &["claim_contract"],
            ),
            Break {
                what: "a double in the unit suite",
                file: "tests/routes.rs",
                edit: Edit::Add("\n/// Agrees with everything.\nstruct MockSink;\n".to_owned()),
                codes: &["suite_leak"],
                says: &["MockSink", "tests/routes.rs"],
                reads: vec![],
            },
            Break {
                what: "a recording in the end-to-end suite",
                file: "tests/command_line.rs",
                edit: Edit::Swap("\"south/1\"", "\"cassettes/greeting.json\""),
                codes: &["suite_leak"],
                says: &["cassettes/", "tests/command_line.rs"],
                reads: vec![],
            },
        ],
    }
    .show();
}

/// A waiver of seven fields on a gate, from and to these days around today.
fn waiver(gate: &str, created: i64, expires: i64) -> String {
    let (created, expires) = (today(created), today(expires));
    format!(
        "\n[waiver.{gate}]\nowner = \"ferry_release\"\ncreated = {created}\nexpires = {expires}\nissue = \"FERRY-80\"\n\
         reason = \"the matrix is measured again on the new machines\"\nscope = \"full\"\nremove_when = \"it is measured\"\n"
    )
}

const AUDIT: &str =
    "cargo test --test ci_full_suite_gate -- waiver_lifecycle_audit --nocapture --exact";
const AUDIT_SPELLINGS: &[&str] = &[
    "cargo test --test ci_full_suite_gate -- waiver_lifecycle_audit -- --nocapture --exact",
    "cargo test --test ci_full_suite_gate -- waiver_lifecycle_audit --exact --nocapture",
];

#[test]
fn row_05_waiver_lifecycle_audit() {
    let broken = |what, text: String, codes, says, count: &'static str| Break {
        what,
        file: FILE,
        edit: Edit::Add(text),
        codes,
        says,
        reads: vec![("waiver_audit.json", count, json!(1))],
    };
    Row {
        replay: AUDIT,
        spellings: AUDIT_SPELLINGS,
        gate: None,
        env: &[],
        reads: vec![("waiver_audit.json", "/total_waivers", json!(0))],
        breaks: vec![
            broken(
                "a waiver of forty days",
                waiver("performance_lineage", -1, 39),
                &["waiver_span_exceeded"],
                &["performance_lineage", "line 41", "let it end at most 30 days"],
                "/invalid",
            ),
            broken(
                "a waiver on a gate that does not exist",
                waiver("performance_linage", -1, 9),
                &["waiver_unknown_gate"],
                &["performance_linage", "performance_lineage"],
                "/invalid",
            ),
            broken(
                "a waiver without a reason",
                waiver("performance_lineage", -1, 9)
                    .replace("reason = \"the matrix is measured again on the new machines\"\n", ""),
                &["waiver_file_invalid"],
                &["reason"],
                "/invalid",
            ),
            broken(
                "a waiver on what watches the waivers",
                waiver("waiver_lifecycle", -1, 9),
                &["waiver_not_waivable"],
                &["waiver_lifecycle"],
                "/invalid",
            ),
        ],
    }
    .show();
}

#[test]
fn row_05_what_the_calendar_does_fails_the_main_lane() {
    Row {
        replay: AUDIT,
        spellings: &[],
        gate: None,
        env: &[("PORTCULLIS_LANE", "main"), ("VCR_MODE", "playback")],
        reads: vec![("waiver_audit.json", "/total_waivers", json!(0))],
        breaks: vec![
            Break {
                what: "a waiver that ended",
                file: FILE,
                edit: Edit::Add(waiver("performance_lineage", -20, -2)),
                codes: &["waiver_expired"],
                says: &["performance_lineage", "line 41", "fix the gate"],
                reads: vec![("waiver_audit.json", "/expired", json!(1))],
            },
            Break {
                what: "a waiver that excuses nothing",
                file: FILE,
                edit: Edit::Add(waiver("performance_lineage", -1, 20)),
                codes: &["waiver_stale"],
                says: &["performance_lineage", "remove the table `[waiver.performance_lineage]`"],
                reads: vec![("waiver_audit.json", "/stale", json!(1))],
            },
        ],
    }
    .show();
}

#[test]
fn row_08_non_mock_compliance() {
    Row {
        replay: "cargo test --test non_mock_compliance_gate -- --nocapture",
        spellings: &[
            "cargo test --test non_mock_compliance_gate -- -- --nocapture",
            "cargo test --test non_mock_compliance_gate -- non_mock_compliance --exact --nocapture",
        ],
        gate: Some("non_mock_compliance"),
        env: &[],
        reads: vec![
            ("test_double_inventory.json", "/entries/#", json!(2)),
            ("test_double_inventory.json", "/entries/*/identifier", json!("FakeClock")),
            ("test_double_inventory.json", "/entries/*/file", json!("tests/command_line.rs")),
            ("test_double_inventory.json", "/entries/*/suite", json!("e2e")),
        ],
        breaks: vec![
            Break {
                what: "a double that no list allows",
                file: "tests/routes.rs",
                edit: Edit::Add("\n/// Agrees with everything.\nstruct StubSink;\n".to_owned()),
                codes: &["double_unlisted"],
                says: &["StubSink", "tests/routes.rs:19"],
                reads: vec![("test_double_inventory.json", "/entries/*/identifier", json!("StubSink"))],
            },
            Break {
                what: "an allowance that allows nothing any more",
                file: "tests/command_line.rs",
                edit: Edit::Swap("FakeClock", "HostClock"),
                codes: &["allow_entry_stale"],
                says: &["FakeClock", "portcullis.toml"],
                reads: vec![("test_double_inventory.json", "/entries/#", json!(0))],
            },
            Break {
                what: "a double in the kernel, which has a floor",
                file: "src/kernel/route.rs",
                edit: Edit::Swap(
                    "assert_eq!(harbour(\"north\"), None);",
                    "struct MockKey(&'static str);\n        assert_eq!(harbour(MockKey(\"north\").0), None);",
                ),
                codes: &["double_unlisted", "double_floor_broken"],
                says: &["`ferry::kernel` does not keep its floor `max_doubles`", "`ferry::kernel` does not keep its floor `min_real_percent`"],
                reads: vec![("test_double_inventory.json", "/entries/*/identifier", json!("MockKey"))],
            },
        ],
    }
    .show();
}
