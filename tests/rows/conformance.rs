//! Rows 9, 10 and 13: who must pass, how many do, and what becomes of those that do not.

use super::row::{Break, Edit, Read, Row};
use serde_json::json;

const SUMMARY: &str = "conformance/summary.json";

fn broken(
    what: &'static str,
    edit: Edit,
    codes: &'static [&'static str],
    says: &'static [&'static str],
    reads: Vec<Read>,
) -> Break {
    Break { what, file: SUMMARY, edit, codes, says, reads }
}

#[test]
fn row_09_conformance_must_pass_gate() {
    let member = "\"frame_large\", \"status\": \"pass\"";
    Row {
        replay: "cargo test --test ext_conformance_generated --features ext-conformance -- conformance_must_pass_gate --nocapture --exact",
        spellings: &[
            "cargo test --test ext_conformance_generated --features ext-conformance -- conformance_must_pass_gate -- --nocapture --exact",
            "cargo test --test ext_conformance_generated --features ext-conformance -- conformance_must_pass_gate --exact --nocapture",
        ],
        gate: Some("conformance_must_pass_gate"),
        env: &[],
        reads: vec![],
        breaks: vec![
            broken(
                "a member that passed at the last release fails",
                Edit::Swap(member, "\"frame_large\", \"status\": \"fail\""),
                &["member_newly_failing"],
                &["frame_large", "--features ext-conformance"],
                vec![],
            ),
            broken(
                "a member that is not applicable has not passed",
                Edit::Swap(member, "\"frame_large\", \"status\": \"n/a\""),
                &["member_newly_failing"],
                &["frame_large", "n/a"],
                vec![],
            ),
            broken(
                "a member that was skipped has not passed",
                Edit::Swap(member, "\"frame_large\", \"status\": \"skip\""),
                &["member_newly_failing"],
                &["frame_large", "skip"],
                vec![],
            ),
            broken(
                "a member that was renamed out of the summary",
                Edit::Swap("\"frame_large\"", "\"frame_big\""),
                &["set_mismatch"],
                &["frame_large", "conformance/must_pass.txt"],
                vec![],
            ),
            Break {
                what: "a member that nobody ever measured",
                file: "conformance/must_pass.txt",
                edit: Edit::Add("drain_on_close\n".to_owned()),
                codes: &["set_mismatch"],
                says: &["drain_on_close"],
                reads: vec![],
            },
            Break {
                what: "an inclusion list of nothing",
                file: "conformance/must_pass.txt",
                edit: Edit::Delete,
                codes: &["artifact_missing"],
                says: &["conformance/must_pass.txt"],
                reads: vec![],
            },
        ],
    }
    .show();
}

#[test]
fn row_10_pass_rate_and_regression() {
    Row {
        replay: "cargo test --test ci_full_suite_gate -- conformance_ --nocapture",
        spellings: &["cargo test --test ci_full_suite_gate -- conformance_ -- --nocapture"],
        gate: Some("conformance_pass_rate"),
        env: &[],
        reads: vec![],
        breaks: vec![
            broken(
                "a pass rate below its floor",
                Edit::Swap("\"pass_rate\": 83", "\"pass_rate\": 79"),
                &["below_floor"],
                &["pass_rate", "79", "80"],
                vec![],
            ),
            broken(
                "more failures than the ceiling",
                Edit::Swap("\"failures\": 1", "\"failures\": 3"),
                &["above_ceiling"],
                &["failures"],
                vec![],
            ),
            broken(
                "more members that are not applicable than the ceiling",
                Edit::Swap("\"not_applicable\": 0", "\"not_applicable\": 2"),
                &["above_ceiling"],
                &["not_applicable"],
                vec![],
            ),
            broken(
                "a pass rate that was not measured",
                Edit::Swap("\"pass_rate\": 83", "\"pass_rate\": null"),
                &["value_not_finite"],
                &["pass_rate"],
                vec![],
            ),
            Break {
                what: "a floor that was lowered in passing",
                file: "conformance/thresholds.toml",
                edit: Edit::Swap("pass_rate = 80", "pass_rate = 60"),
                codes: &["thresholds_edited"],
                says: &["conformance/thresholds.toml", "digest"],
                reads: vec![],
            },
        ],
    }
    .show();
}

#[test]
fn row_10_no_item_is_worse_than_the_baseline() {
    Row {
        replay: "cargo test --test ci_full_suite_gate -- full_suite_gate --nocapture --exact",
        spellings: &[],
        gate: Some("conformance_no_regression"),
        env: &[],
        reads: vec![(
            "full_suite_verdict.json",
            "/gates/conformance_no_regression/status",
            json!("pass"),
        )],
        breaks: vec![
            broken(
                "fewer cases of one member pass than at the last release",
                Edit::Swap("\"cases_passed\": 40", "\"cases_passed\": 39"),
                &["worse_than_baseline", "need_unsatisfied"],
                &["order_kept", "39", "40"],
                vec![(
                    "full_suite_verdict.json",
                    "/gates/conformance_no_regression/status",
                    json!("fail"),
                )],
            ),
            broken(
                "a member is measured no more",
                Edit::Swap("\"retry_bound\"", "\"retry_limit\""),
                &["baseline_item_missing", "need_unsatisfied"],
                &["retry_bound"],
                vec![(
                    "full_suite_verdict.json",
                    "/gates/conformance_no_regression/status",
                    json!("fail"),
                )],
            ),
        ],
    }
    .show();
}

#[test]
fn row_13_certification_dossier() {
    Row {
        replay: "cargo test --test qa_certification_dossier -- certification_dossier --nocapture --exact",
        spellings: &[
            "cargo test --test qa_certification_dossier -- certification_dossier -- --nocapture --exact",
            "cargo test --test qa_certification_dossier -- certification_dossier --exact --nocapture",
        ],
        gate: Some("certification_dossier"),
        env: &[],
        reads: vec![
            ("remediation_backlog.json", "/entries/#", json!(1)),
            ("remediation_backlog.json", "/entries/legacy_v0/owner", json!("ferry_legacy")),
            ("remediation_backlog.json", "/entries/legacy_v0/priority", json!("p3")),
            ("remediation_backlog.md", "", json!("drop the format in 2.0")),
            ("certification_dossier.json", "/schema", json!("portcullis.certification_dossier.v1")),
            ("certification_dossier.json", "/failing/#", json!(1)),
            ("certification_dossier.md", "", json!("1 failing")),
        ],
        breaks: vec![
            broken(
                "a failure that nobody took on",
                Edit::Swap("\"retry_bound\", \"status\": \"pass\"", "\"retry_bound\", \"status\": \"fail\""),
                &["failure_unmapped"],
                &["retry_bound"],
                vec![("remediation_backlog.json", "/entries/#", json!(2))],
            ),
            broken(
                "a member without a status",
                Edit::Swap("\"retry_bound\", \"status\": \"pass\"", "\"retry_bound\", \"state\": \"pass\""),
                &["field_missing"],
                &["retry_bound"],
                vec![],
            ),
        ],
    }
    .show();
}
