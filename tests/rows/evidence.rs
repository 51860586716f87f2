//! Rows 11, 12, 18 and 19: platforms, the bundle, the sweeps, and the performance evidence.

use super::{
    product::moment,
    row::{Break, Edit, Read, Row},
};
use serde_json::json;

/// A platform that no host of these tests is.
const ELSEWHERE: &str = if cfg!(windows) { "macos" } else { "windows" };
const REPORT: &str = if cfg!(windows) {
    "evidence/platforms/macos/platform_report.json"
} else {
    "evidence/platforms/windows/platform_report.json"
};
const OWN_REPORT: &str = if cfg!(windows) {
    "cross_platform_reports/windows/platform_report.json"
} else if cfg!(target_os = "macos") {
    "cross_platform_reports/macos/platform_report.json"
} else {
    "cross_platform_reports/linux/platform_report.json"
};
const SWEEPS: &str = "evidence/parameter_sweeps.json";

/// What makes an artifact one of last month.
fn aged() -> Edit {
    Edit::Aged(moment(-31 * 24 * 60))
}

#[test]
fn row_11_cross_platform_matrix() {
    let broken =
        |what, edit, codes, says| Break { what, file: REPORT, edit, codes, says, reads: vec![] };
    Row {
        replay: "cargo test --test ci_cross_platform_matrix -- cross_platform_matrix --nocapture --exact",
        spellings: &[
            "cargo test --test ci_cross_platform_matrix -- cross_platform_matrix -- --nocapture --exact",
            "cargo test --test ci_cross_platform_matrix -- cross_platform_matrix --exact --nocapture",
        ],
        gate: Some("cross_platform_matrix"),
        env: &[],
        reads: ["temp_dir", "path_separators", "case_sensitivity", "symlinks", "permissions", "locale", "cpu_count"]
            .map(|id| (OWN_REPORT, "/checks/*/id", json!(id)))
            .into_iter()
            .chain([(OWN_REPORT, "/checks/temp_dir/status", json!("pass"))])
            .collect(),
        breaks: vec![
            broken(
                "a required platform without a report",
                Edit::Delete,
                &["platform_report_missing"],
                &[ELSEWHERE, "run this gate on that platform"],
            ),
            broken(
                "a report of last month",
                aged(),
                &["platform_report_stale"],
                &[ELSEWHERE, REPORT],
            ),
            broken(
                "a check that failed there",
                Edit::Swap("\"temp_dir\", \"status\": \"pass\"", "\"temp_dir\", \"status\": \"fail\""),
                &["platform_check_failed"],
                &["`temp_dir` failed on", REPORT],
            ),
            broken(
                "a report that was cut off",
                Edit::Swap("\"checks\": [", "\"tests\": ["),
                &["platform_report_invalid"],
                &[REPORT],
            ),
        ],
    }
    .show();
}

fn index(role: &'static str, problem: &str, verdict: &str) -> Vec<Read> {
    vec![
        ("evidence_bundle/index.json", "/verdict", json!(verdict)),
        ("evidence_bundle/index.json", role, json!(problem)),
    ]
}

#[test]
fn row_12_build_evidence_bundle() {
    Row {
        replay: "cargo test --test ci_evidence_bundle -- build_evidence_bundle --nocapture --exact",
        spellings: &[
            "cargo test --test ci_evidence_bundle -- build_evidence_bundle -- --nocapture --exact",
            "cargo test --test ci_evidence_bundle -- build_evidence_bundle --exact --nocapture",
        ],
        gate: Some("build_evidence_bundle"),
        env: &[],
        reads: vec![
            ("evidence_bundle/index.json", "/verdict", json!("complete")),
            ("evidence_bundle/index.json", "/artifacts/#", json!(5)),
            ("evidence_bundle/index.json", "/artifacts/budgets/fresh", json!(true)),
            ("evidence_bundle/index.json", "/artifacts/budgets/problem", json!(null)),
        ],
        breaks: vec![
            Break {
                what: "a required artifact is not there",
                file: "evidence/budget_summary.json",
                edit: Edit::Delete,
                codes: &["artifact_missing"],
                says: &["evidence/budget_summary.json"],
                reads: index("/artifacts/budgets/problem", "artifact_missing", "insufficient"),
            },
            Break {
                what: "an artifact of last month",
                file: "evidence/budget_summary.json",
                edit: aged(),
                codes: &["artifact_stale"],
                says: &["evidence/budget_summary.json"],
                reads: index("/artifacts/budgets/problem", "artifact_stale", "insufficient"),
            },
            Break {
                what: "an artifact of another run",
                file: "evidence/budget_summary.json",
                edit: Edit::Swap("release-140", "release-139"),
                codes: &["set_of_several_runs"],
                says: &["evidence/budget_summary.json", "release-139", "release-140"],
                reads: index("/artifacts/budgets/problem", "set_of_several_runs", "insufficient"),
            },
            Break {
                what: "an artifact of another schema",
                file: SWEEPS,
                edit: Edit::Swap("ferry.parameter_sweeps.v1", "ferry.parameter_sweeps.v2"),
                codes: &["schema_mismatch"],
                says: &[SWEEPS, "ferry.parameter_sweeps.v2"],
                reads: index("/artifacts/sweeps/problem", "schema_mismatch", "insufficient"),
            },
            Break {
                what: "a stream whose end is torn off",
                file: "evidence/release_events.jsonl",
                edit: Edit::Add("{\"seq\": 3, \"run_id\"".to_owned()),
                codes: &["record_torn"],
                says: &["evidence/release_events.jsonl"],
                reads: index("/artifacts/events/problem", "record_torn", "insufficient"),
            },
            Break {
                what: "an optional artifact of another schema is wrong all the same",
                file: "evidence/notes.json",
                edit: aged(),
                codes: &["artifact_stale"],
                says: &["evidence/notes.json"],
                reads: index("/artifacts/notes/problem", "artifact_stale", "partial"),
            },
        ],
    }
    .show();
}

#[test]
fn row_18_parameter_sweeps_contract() {
    let broken =
        |what, edit, codes, says| Break { what, file: SWEEPS, edit, codes, says, reads: vec![] };
    Row {
        replay: "cargo test --test release_evidence_gate -- parameter_sweeps_contract_links_phase1_matrix_and_readiness --nocapture --exact",
        spellings: &[
            "cargo test --test release_evidence_gate -- parameter_sweeps_contract_links_phase1_matrix_and_readiness -- --nocapture --exact",
            "cargo test --test release_evidence_gate -- parameter_sweeps_contract_links_phase1_matrix_and_readiness --exact --nocapture",
        ],
        gate: Some("parameter_sweeps_contract_links_phase1_matrix_and_readiness"),
        env: &[],
        reads: vec![],
        breaks: vec![
            broken(
                "ready with reasons that block",
                Edit::Swap("\"blocking_reasons\": []", "\"blocking_reasons\": [\"two cells\"]"),
                &["implication_broken"],
                &[SWEEPS, "/blocking_reasons"],
            ),
            broken(
                "ready without its flag",
                Edit::Swap("\"ready_for_phase5\": true", "\"ready_for_phase5\": false"),
                &["implication_broken"],
                &[SWEEPS, "/ready_for_phase5"],
            ),
            broken(
                "blocked without a reason",
                Edit::Swap("\"status\": \"ready\"", "\"status\": \"blocked\""),
                &["implication_broken"],
                &[SWEEPS, "/blocking_reasons", "/ready_for_phase5"],
            ),
            broken(
                "a status that does not exist",
                Edit::Swap("\"status\": \"ready\"", "\"status\": \"redy\""),
                &["rule_broken"],
                &["/status", "redy"],
            ),
            broken(
                "another schema",
                Edit::Swap("parameter_sweeps.v1", "parameter_sweeps.v2"),
                &["schema_mismatch"],
                &["ferry.parameter_sweeps.v2"],
            ),
            broken(
                "another source",
                Edit::Swap("\"path\": \"evidence/phase1_matrix.json\"", "\"path\": \"evidence/phase0_matrix.json\""),
                &["rule_broken"],
                &["/phase1_matrix/path"],
            ),
            broken(
                "a default of nothing",
                Edit::Swap("\"workers\": 4", "\"workers\": 0"),
                &["rule_broken"],
                &["/defaults/workers"],
            ),
            broken(
                "a default that is no whole number",
                Edit::Swap("\"batch_size\": 64", "\"batch_size\": 6.5"),
                &["rule_broken"],
                &["/defaults/batch_size"],
            ),
            broken(
                "a dimension that was not swept",
                Edit::Swap("\"name\": \"workers\"", "\"name\": \"threads\""),
                &["rule_broken"],
                &["/dimensions/*/name", "workers"],
            ),
            broken("sweeps of last month", aged(), &["artifact_stale"], &[SWEEPS]),
            broken("no sweeps", Edit::Delete, &["artifact_missing"], &[SWEEPS]),
        ],
    }
    .show();
}

#[test]
fn row_19_performance_evidence_set() {
    let mut breaks: Vec<Break> = [
        "evidence/budget_summary.json",
        "evidence/comparison.json",
        "evidence/stress_triage.json",
        "evidence/parameter_sweeps.json",
        "evidence/coverage_audit.json",
        "evidence/checkpoint.json",
    ]
    .into_iter()
    .map(|file| Break {
        what: file,
        file,
        edit: aged(),
        codes: if file == "evidence/comparison.json" {
            &["artifact_stale", "time_order_broken"]
        } else {
            &["artifact_stale"]
        },
        says: &["the artifact is too old", "produce the artifact again"],
        reads: vec![],
    })
    .collect();
    breaks.extend(
        [
            "evidence/budget_events.jsonl",
            "evidence/comparison_events.jsonl",
            "evidence/stress_events.jsonl",
        ]
        .into_iter()
        .map(|file| Break {
            what: file,
            file,
            edit: Edit::Delete,
            codes: &["artifact_missing"],
            says: &["does not exist"],
            reads: vec![],
        }),
    );
    breaks.insert(
        0,
        Break {
            what: "a failure under stress that nobody sorted",
            file: "evidence/stress_triage.json",
            edit: Edit::Swap("\"untriaged\": 0", "\"untriaged\": 2"),
            codes: &["rule_broken"],
            says: &["evidence/stress_triage.json", "/untriaged"],
            reads: vec![],
        },
    );
    Row {
        replay: "cargo test --test release_evidence_gate",
        spellings: &[
            "cargo test --test release_evidence_gate -- --nocapture",
            "cargo test --test release_evidence_gate -- -- --nocapture",
        ],
        gate: Some("performance_evidence_set"),
        env: &[],
        reads: vec![],
        breaks,
    }
    .show();
}

#[test]
fn row_19_one_run_and_one_correlation() {
    let broken =
        |what, file, edit, codes, says| Break { what, file, edit, codes, says, reads: vec![] };
    Row {
        replay: "cargo test --test release_evidence_gate",
        spellings: &[],
        gate: Some("performance_lineage"),
        env: &[],
        reads: vec![],
        breaks: vec![
            broken(
                "another correlation",
                "evidence/comparison.json",
                Edit::Swap("ferry-140-7c1e", "ferry-139-0a0a"),
                &["lineage_mismatch"],
                &["evidence/comparison.json", "ferry-139-0a0a"],
            ),
            broken(
                "another run",
                "evidence/comparison.json",
                Edit::Swap("release-140", "release-139"),
                &["lineage_mismatch", "set_of_several_runs"],
                &["evidence/comparison.json", "release-139"],
            ),
            broken(
                "a comparison that is older than what it compares",
                "evidence/comparison.json",
                Edit::Aged(moment(-60)),
                &["time_order_broken"],
                &["sweeps before comparison"],
            ),
            broken(
                "a matrix that changed after the sweeps",
                "evidence/phase1_matrix.json",
                Edit::Swap("\"workers\": 2", "\"workers\": 8"),
                &["source_digest_differs"],
                &["evidence/phase1_matrix.json"],
            ),
        ],
    }
    .show();
}
