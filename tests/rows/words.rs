//! Rows 14, 15 and 23: claims, owners, documents.

use super::row::{Break, Edit, Row};

fn broken(
    what: &'static str,
    file: &'static str,
    edit: Edit,
    codes: &'static [&'static str],
    says: &'static [&'static str],
) -> Break {
    Break { what, file, edit, codes, says, reads: vec![] }
}

fn more(text: &str) -> Edit {
    Edit::Add(text.to_owned())
}

#[test]
fn row_14_claim_contract() {
    Row {
        replay: "cargo test --test claim_contract -- --nocapture",
        spellings: &[
            "cargo test --test claim_contract -- -- --nocapture",
            "cargo test --test claim_contract -- claim_tiers --exact --nocapture",
        ],
        gate: Some("claim_tiers"),
        env: &[],
        reads: vec![],
        breaks: vec![
            broken(
                "two tiers under each other's names",
                "claims.toml",
                Edit::Swap("id = \"certified\"", "id = \"proven\""),
                &["claim_tier_order_drift"],
                &["proven", "claims.toml"],
            ),
            broken(
                "a tier that needs no evidence",
                "claims.toml",
                Edit::Swap("[\"evidence/budget_summary.json\"]", "[]"),
                &["tier_incomplete"],
                &["measured", "required_evidence"],
            ),
            broken(
                "a document that claims what only the tier above allows",
                "docs/mission.md",
                more("\nferry is a **drop-in**\nreplacement for your queue.\n"),
                &["claim_above_tier"],
                &["drop-in replacement", "docs/mission.md:5:14"],
            ),
            broken(
                "a document that says what the certified tier forbids",
                "README.md",
                more("\nDelivery is guaranteed.\n"),
                &["claim_above_tier"],
                &["guaranteed", "README.md:12"],
            ),
            broken(
                "evidence that is gone",
                "evidence/budget_summary.json",
                Edit::Delete,
                &["tier_evidence_missing"],
                &["evidence/budget_summary.json", "measured"],
            ),
            broken(
                "evidence that says something else",
                "conformance/summary.json",
                Edit::Swap("release-140", "release-139"),
                &["tier_evidence_broken"],
                &["conformance/summary.json", "dependable"],
            ),
            broken(
                "a strict claim without its verdict",
                "evidence/certification.json",
                Edit::Swap(
                    "\"certified_tier\": \"dependable\",\n  \"overall_verdict\": \"CERTIFIED\"",
                    "\"certified_tier\": \"certified\",\n  \"overall_verdict\": \"PARTIAL\"",
                ),
                &["strict_claim_uncertified"],
                &["evidence/certification.json", "CERTIFIED"],
            ),
            broken(
                "no certification at all",
                "evidence/certification.json",
                Edit::Delete,
                &["certification_missing"],
                &["evidence/certification.json"],
            ),
        ],
    }
    .show();
}

#[test]
fn row_15_boundary_manifest() {
    Row {
        replay: "cargo test --test boundary_manifest -- kernel_boundary_manifest_ -- --nocapture",
        spellings: &[
            "cargo test --test boundary_manifest -- kernel_boundary_manifest_ --nocapture",
            "cargo test --test boundary_manifest -- --nocapture kernel_boundary_manifest_",
        ],
        gate: Some("kernel_boundary_manifest_ownership"),
        env: &[],
        reads: vec![],
        breaks: vec![
            broken(
                "the kernel reaches for the transport",
                "src/kernel/ledger.rs",
                Edit::Swap("use std::", "#[expect(unused_imports, reason = \"a trial\")]\nuse crate::transport::frame::frame;\nuse std::"),
                &["kernel_boundary_drift"],
                &["src/kernel/ledger.rs:4", "transport"],
            ),
            broken(
                "a module that nobody owns",
                "boundaries.toml",
                Edit::Swap("\"src/transport/**\"", "\"src/transport/wire/**\""),
                &["module_unowned"],
                &["src/transport/frame.rs"],
            ),
            broken(
                "a module with two owners",
                "boundaries.toml",
                Edit::Swap("\"src/transport/**\"", "\"src/transport/**\", \"src/kernel/route.rs\""),
                &["module_owned_twice"],
                &["src/kernel/route.rs"],
            ),
            broken(
                "a file of no target",
                "src/transport/spare.rs",
                more("//! Nobody includes this.\n"),
                &["module_unlinked"],
                &["src/transport/spare.rs"],
            ),
            broken(
                "a check that the map needs is gone",
                "boundaries.toml",
                Edit::Swap("\"claim_tiers\"", "\"claim_words\""),
                &["required_check_missing"],
                &["claim_words"],
            ),
            broken(
                "the mission lost its link",
                "docs/mission.md",
                Edit::Swap("one owner", "an owner"),
                &["linkage_token_missing"],
                &["one owner", "docs/mission.md"],
            ),
        ],
    }
    .show();
}

#[test]
fn row_23_docs_policy_validation() {
    Row {
        replay: "cargo test --test qa_docs_policy_validation",
        spellings: &[
            "cargo test --test qa_docs_policy_validation -- --nocapture",
            "cargo test --test qa_docs_policy_validation -- docs_commands docs_signature_pages -- --nocapture --exact",
        ],
        gate: Some("docs_commands"),
        env: &[],
        reads: vec![],
        breaks: vec![
            broken(
                "a command that selects nothing",
                "docs/runbook.md",
                Edit::Swap("build_evidence_bundle --nocapture", "build_evidence_bundel --nocapture"),
                &["command_unresolved"],
                &["build_evidence_bundel", "build_evidence_bundle", "docs/runbook.md:"],
            ),
            broken(
                "a command of a test that is gone",
                "README.md",
                Edit::Swap("--test ci_full_suite_gate", "--test ci_full_suite"),
                &["command_unresolved"],
                &["ci_full_suite", "README.md:9"],
            ),
        ],
    }
    .show();
}

#[test]
fn row_23_every_page_is_complete() {
    Row {
        replay: "cargo test --test qa_docs_policy_validation",
        spellings: &[],
        gate: Some("docs_signature_pages"),
        env: &[],
        reads: vec![],
        breaks: vec![
            broken(
                "a page without its way out",
                "docs/runbook.md",
                Edit::Swap("### What to do\n\nMend", "Mend"),
                &["section_missing"],
                &["What to do", "The conformance gate is red"],
            ),
            broken(
                "a path that does not exist",
                "docs/runbook.md",
                Edit::Swap("`conformance/must_pass.txt`", "`conformance/inclusion.txt`"),
                &["path_missing"],
                &["conformance/inclusion.txt"],
            ),
            broken(
                "a link that leads nowhere",
                "docs/runbook.md",
                Edit::Swap("(mission.md)", "(vision.md)"),
                &["link_broken"],
                &["vision.md"],
            ),
        ],
    }
    .show();
}
