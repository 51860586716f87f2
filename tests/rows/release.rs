//! Rows 17 and 20: the ledger, and whether we may tag.

use super::{
    product::Product,
    row::{Break, Edit, Row},
};
use portcullis_repo::process;
use serde_json::{Value, json};

const LEDGER: &str = "evidence/ledger.jsonl";
const CHECKPOINT: &str = "practical_finish_checkpoint.json";

#[test]
fn row_17_practical_finish() {
    let reads = |technical: i64, docs: i64| {
        vec![
            (CHECKPOINT, "/technical_open_count", json!(technical)),
            (CHECKPOINT, "/docs_or_report_open_count", json!(docs)),
            (CHECKPOINT, "/open_count", json!(technical + docs)),
            (CHECKPOINT, "/technical_completion_reached", json!(technical == 0)),
            (CHECKPOINT, "/fallback_used", json!(false)),
        ]
    };
    Row {
        replay: "cargo test --test ci_full_suite_gate -- practical_finish --exact",
        spellings: &[
            "cargo test --test ci_full_suite_gate -- practical_finish -- --exact",
            "cargo test --test ci_full_suite_gate -- --exact practical_finish",
            "cargo test --test ci_full_suite_gate -- practical_finish --nocapture --exact",
        ],
        gate: Some("practical_finish"),
        env: &[],
        reads: [
            (CHECKPOINT, "/status", json!("pass")),
            (CHECKPOINT, "/residual_open_scope", json!("docs_or_report")),
        ]
        .into_iter()
        .chain(reads(0, 1))
        .collect(),
        breaks: vec![
            Break {
                what: "a bug is open again",
                file: LEDGER,
                edit: Edit::Swap(
                    "\"closed\", \"issue_type\": \"bug\"",
                    "\"open\", \"issue_type\": \"bug\"",
                ),
                codes: &["open_technical_work"],
                says: &["FERRY-70", "evidence/ledger.jsonl:1"],
                reads: reads(1, 1),
            },
            Break {
                what: "a misspelt status is open",
                file: LEDGER,
                edit: Edit::Swap(
                    "\"closed\", \"issue_type\": \"feature\"",
                    "\"cloesd\", \"issue_type\": \"feature\"",
                ),
                codes: &["open_technical_work"],
                says: &["FERRY-74"],
                reads: reads(1, 1),
            },
            Break {
                what: "a type that nobody knows is technical",
                file: LEDGER,
                edit: Edit::Swap("\"issue_type\": \"docs\"", "\"issue_type\": \"dosc\""),
                codes: &["open_technical_work"],
                says: &["FERRY-79", "warning[unknown_issue_type]: type `dosc`"],
                reads: reads(1, 0),
            },
            Break {
                what: "a documentation type that may not stay open",
                file: LEDGER,
                edit: Edit::Swap("\"issue_type\": \"docs\"", "\"issue_type\": \"report\""),
                codes: &["open_residual_work"],
                says: &["FERRY-79"],
                reads: reads(0, 1),
            },
            Break {
                what: "a ledger that cannot be read",
                file: LEDGER,
                edit: Edit::Add("{\"id\": \"FERRY-81\", \"status\"".to_owned()),
                codes: &["record_torn"],
                says: &["evidence/ledger.jsonl"],
                reads: vec![
                    (CHECKPOINT, "/open_count", Value::Null),
                    (CHECKPOINT, "/technical_completion_reached", json!(false)),
                ],
            },
        ],
    }
    .show();
}

#[test]
fn row_20_release_readiness() {
    let broken =
        |what, file, edit, codes, says| Break { what, file, edit, codes, says, reads: vec![] };
    Row {
        replay: "cargo test --test release_readiness -- practical_finish_checkpoint_ -- --nocapture",
        spellings: &[
            "cargo test --test release_readiness -- practical_finish_checkpoint_ --nocapture",
            "cargo test --test release_readiness -- --nocapture practical_finish_checkpoint_",
        ],
        gate: Some("practical_finish_checkpoint_may_we_tag"),
        env: &[],
        reads: vec![(CHECKPOINT, "/status", json!("pass"))],
        breaks: vec![
            broken(
                "sweeps that are blocked, and say why",
                "evidence/parameter_sweeps.json",
                Edit::Swap(
                    "\"status\": \"ready\",\n  \"ready_for_phase5\": true,\n  \"blocking_reasons\": []",
                    "\"status\": \"blocked\",\n  \"ready_for_phase5\": false,\n  \"blocking_reasons\": [\"two cells\"]",
                ),
                &["rule_broken"],
                &["/status", "evidence/parameter_sweeps.json"],
            ),
            broken(
                "technical work is open",
                LEDGER,
                Edit::Swap("\"closed\", \"issue_type\": \"bug\"", "\"open\", \"issue_type\": \"bug\""),
                &["open_technical_work", "need_unsatisfied", "rule_broken"],
                &["practical_finish_checkpoint_contract"],
            ),
            Break {
                what: "only the fallback of the ledger is there: visible, and it never certifies",
                file: LEDGER,
                edit: Edit::Delete,
                codes: &["need_unsatisfied", "rule_broken"],
                says: &["/fallback_used", "practical_finish_checkpoint_contract"],
                reads: vec![(CHECKPOINT, "/fallback_used", json!(true))],
            },
            broken(
                "an incident of the last run",
                "evidence/last_run/triage_diff.json",
                Edit::Swap("\"stable\"", "\"regression\""),
                &["incident_regression", "need_unsatisfied"],
                &["incident_triggers"],
            ),
            broken(
                "a secret in a recording",
                "cassettes/greeting.json",
                Edit::Swap("hello to you", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
                &["secret_in_cassette", "need_unsatisfied"],
                &["provider_cassettes"],
            ),
        ],
    }
    .show();
}

#[test]
fn row_20_a_release_is_certified_only_from_a_clean_commit() {
    const CERTIFY: &str =
        "cargo test --test ci_full_suite_gate -- full_certification --nocapture --exact";
    let env = [("PORTCULLIS_LANE", "release"), ("VCR_MODE", "playback")];
    let product = Product::take();
    product.commits();
    product.types(CERTIFY, &env).ends(0);
    let verdict: Value =
        serde_json::from_str(&product.view("certification_verdict.json")).expect("JSON");
    assert_eq!(verdict["certifiable"], true, "{verdict}");

    // An edit that no gate looks at: the tag would not name what was judged.
    product.write("docs/later.md", "# Later\n\nNothing yet.\n");
    product
        .types(CERTIFY, &env)
        .ends(101)
        .says(&["cannot certify", "the work tree differs from the commit"]);
    product.delete("docs/later.md");
    product.types(CERTIFY, &env).ends(0);

    // The lane plays recordings back, or it does not certify.
    product
        .types(CERTIFY, &env[..1])
        .ends(101)
        .says(&["provider_cassettes", "playback_not_enforced"]);
    process::done(process::command("git", product.root()).args(["update-ref", "-d", "HEAD"]));
}
