//! Rows 1 to 3: the whole suite, the fast preflight, and the certificate.

use super::row::{Break, Edit, Row};
use serde_json::json;

#[test]
fn row_01_full_suite_gate() {
    Row {
        replay: "cargo test --test ci_full_suite_gate -- full_suite_gate --nocapture --exact",
        spellings: &[
            "cargo test --test ci_full_suite_gate -- full_suite_gate -- --nocapture --exact",
            "cargo test --test ci_full_suite_gate -- full_suite_gate --exact --nocapture",
        ],
        gate: Some("performance_evidence_set"),
        env: &[],
        reads: vec![
            ("full_suite_verdict.json", "/verdict", json!("pass")),
            ("full_suite_verdict.json", "/summary/total_gates", json!(24)),
            ("full_suite_verdict.json", "/summary/passed", json!(24)),
            ("full_suite_verdict.json", "/summary/all_blocking_pass", json!(true)),
            ("full_suite_events.jsonl", "/claim_tiers/effective", json!("pass")),
            ("full_suite_report.md", "", json!("claim_tiers")),
        ],
        breaks: vec![
            Break {
                what: "a gate of another binary fails",
                file: "evidence/coverage_audit.json",
                edit: Edit::Swap("\"uncovered\": []", "\"uncovered\": [\"drain\"]"),
                codes: &["rule_broken", "need_unsatisfied"],
                says: &["performance_evidence_set: fail", "evidence/coverage_audit.json", "/uncovered"],
                reads: vec![
                    ("full_suite_verdict.json", "/verdict", json!("blocked")),
                    ("full_suite_verdict.json", "/summary/failed", json!(2)),
                    ("full_suite_verdict.json", "/summary/all_blocking_pass", json!(false)),
                    ("full_suite_verdict.json", "/gates/performance_evidence_set/status", json!("fail")),
                    ("full_suite_verdict.json", "/gates/performance_evidence_set/blocking", json!(true)),
                    ("full_suite_verdict.json", "/gates/performance_evidence_set/owner", json!("ferry_release")),
                    (
                        "full_suite_verdict.json",
                        "/gates/performance_evidence_set/reproduce_command",
                        json!("cargo test --test release_evidence_gate -- performance_evidence_set --exact"),
                    ),
                    (
                        "full_suite_verdict.json",
                        "/gates/practical_finish_checkpoint_may_we_tag/effective",
                        json!("precluded"),
                    ),
                    ("full_suite_events.jsonl", "/performance_evidence_set/effective", json!("fail")),
                    ("full_suite_report.md", "", json!("performance_evidence_set")),
                ],
            },
        ],
    }
    .show();
}

#[test]
fn row_01_a_census_of_other_gates() {
    Row {
        replay: "cargo test --test ci_full_suite_gate -- full_suite_gate --nocapture --exact",
        spellings: &[],
        gate: None,
        env: &[],
        reads: vec![("full_suite_verdict.json", "/verdict", json!("pass"))],
        breaks: vec![Break {
            what: "a gate of the census is gone",
            file: "portcullis.lock",
            edit: Edit::Swap("performance_lineage kind=lineage", "performance_linage kind=lineage"),
            codes: &["census_gate_missing"],
            says: &[
                "gate `performance_linage` of the census is now called `performance_lineage`",
                "portcullis.lock:19",
                "restore the gate",
            ],
            reads: vec![
                ("full_suite_verdict.json", "/verdict", json!("invalid")),
                (
                    "full_suite_verdict.json",
                    "/gates/performance_linage/effective",
                    json!("missing"),
                ),
            ],
        }],
    }
    .show();
}

#[test]
fn row_02_preflight_fast_fail() {
    Row {
        replay: "cargo test --test ci_full_suite_gate -- preflight_fast_fail --nocapture --exact",
        spellings: &[
            "cargo test --test ci_full_suite_gate -- preflight_fast_fail -- --nocapture --exact",
            "cargo test --test ci_full_suite_gate -- preflight_fast_fail --exact --nocapture",
        ],
        gate: Some("claim_tiers"),
        env: &[],
        reads: vec![
            ("preflight_verdict.json", "/stopped_at", json!(null)),
            ("preflight_verdict.json", "/not_evaluated/#", json!(0)),
            ("preflight_verdict.json", "/evaluated/#", json!(24)),
        ],
        breaks: vec![Break {
            what: "one of the gates fails, and the rest is left",
            file: "claims.toml",
            edit: Edit::Swap("\"guaranteed\"", "\"records\""),
            codes: &["claim_above_tier"],
            says: &["stopped at `claim_tiers`", "not evaluated"],
            reads: vec![
                ("preflight_verdict.json", "/stopped_at", json!("claim_tiers")),
                ("preflight_verdict.json", "/evaluated/claim_tiers/effective", json!("fail")),
                ("preflight_verdict.json", "/not_evaluated/*", json!("waiver_lifecycle")),
            ],
        }],
    }
    .show();
}

#[test]
fn row_03_full_certification() {
    Row {
        replay: "cargo test --test ci_full_suite_gate -- full_certification --nocapture --exact",
        spellings: &[
            "cargo test --test ci_full_suite_gate -- full_certification -- --nocapture --exact",
            "cargo test --test ci_full_suite_gate -- full_certification --exact --nocapture",
        ],
        gate: Some("practical_finish"),
        env: &[],
        reads: vec![
            ("certification_verdict.json", "/verdict", json!("pass")),
            ("certification_verdict.json", "/waivers/total_waivers", json!(0)),
            ("certification_verdict.json", "/mode", json!("strict")),
            ("certification_verdict.json", "/promotion/mode", json!("strict")),
            ("certification_events.jsonl", "/practical_finish/effective", json!("pass")),
            ("certification_report.md", "", json!("practical_finish")),
        ],
        breaks: vec![Break {
            what: "technical work is open",
            file: "evidence/ledger.jsonl",
            edit: Edit::Swap(
                "\"closed\", \"issue_type\": \"bug\"",
                "\"open\", \"issue_type\": \"bug\"",
            ),
            codes: &["open_technical_work", "need_unsatisfied", "rule_broken"],
            says: &["FERRY-70", "evidence/ledger.jsonl:1"],
            reads: vec![
                ("certification_verdict.json", "/verdict", json!("blocked")),
                ("certification_verdict.json", "/gates/practical_finish/status", json!("fail")),
                (
                    "certification_verdict.json",
                    "/rerun/commands/*",
                    json!("cargo test --test ci_full_suite_gate -- practical_finish --exact"),
                ),
                ("certification_events.jsonl", "/practical_finish/effective", json!("fail")),
                ("certification_report.md", "", json!("FERRY-70")),
            ],
        }],
    }
    .show();
}
