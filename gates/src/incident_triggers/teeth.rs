//! The fixtures of `incident_triggers`: each code bites, and a calm run passes. They hold no logic.

use super::{
    INCIDENT_BLOCKING_GATE, INCIDENT_INPUT_INVALID, INCIDENT_NOT_CERTIFIED, INCIDENT_PARITY,
    INCIDENT_REGRESSION,
};
use crate::artifact_contract::{ARTIFACT_MISSING, LINEAGE_MISMATCH};
use portcullis::{Tooth, wire::code::NOTHING_EXAMINED};

const PLAIN: &str =
    "views = 'run'\nbaseline = true\nstrict_wording = true\nparity_gates = ['parity']";

macro_rules! verdict {
    ($verdict:literal, $status:literal, $blocks:literal, $parity:literal) => {
        concat!(
            "{\"schema\":\"portcullis.full_suite_verdict.v1\",\"run_id\":\"r7\",\"generated_at\":\"2026-05-31T11:45:00Z\",\"verdict\":\"",
            $verdict,
            "\",\"summary\":{\"all_blocking_pass\":true},\"gates\":[{\"id\":\"unit\",\"blocking\":true,\"blocks\":",
            $blocks,
            ",\"status\":\"",
            $status,
            "\"},{\"id\":\"parity\",\"blocking\":false,\"blocks\":false,\"status\":\"",
            $parity,
            "\"}]}"
        )
    };
}

const CALM: &str = verdict!("pass", "pass", "false", "pass");
const STABLE: &str = "{\"schema\":\"portcullis.triage_diff.v1\",\"run_id\":\"r7\",\"status\":\"stable\",\"summary\":{\"regression_count\":0}}";
const CERTIFIED: &str = "{\"schema\":\"portcullis.certification_verdict.v1\",\"run_id\":\"r7\",\"overall_verdict\":\"CERTIFIED\"}";

macro_rules! run {
    ($verdict:expr, $triage:expr, $certification:expr) => {
        &[
            ("run/full_suite_verdict.json", $verdict),
            ("run/triage_diff.json", $triage),
            ("run/certification_verdict.json", $certification),
        ]
    };
}

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good("a_calm_run", PLAIN, run!(CALM, STABLE, CERTIFIED)),
    Tooth::known_bad(
        "triage_says_regression",
        INCIDENT_REGRESSION,
        PLAIN,
        run!(
            CALM,
            "{\"schema\":\"portcullis.triage_diff.v1\",\"run_id\":\"r7\",\"status\":\"regression\",\"summary\":{\"regression_count\":2}}",
            CERTIFIED
        ),
    ),
    Tooth::known_bad(
        "a_blocking_gate_failed",
        INCIDENT_BLOCKING_GATE,
        PLAIN,
        run!(verdict!("blocked", "fail", "true", "pass"), STABLE, CERTIFIED),
    ),
    Tooth::known_bad(
        "not_certified_under_strict_wording",
        INCIDENT_NOT_CERTIFIED,
        PLAIN,
        run!(
            CALM,
            STABLE,
            "{\"schema\":\"portcullis.certification_verdict.v1\",\"run_id\":\"r7\",\"overall_verdict\":\"NOT_CERTIFIED\"}"
        ),
    ),
    Tooth::known_bad(
        "no_certification_verdict_at_all",
        INCIDENT_NOT_CERTIFIED,
        PLAIN,
        &[("run/full_suite_verdict.json", CALM), ("run/triage_diff.json", STABLE)],
    ),
    Tooth::known_bad(
        "the_parity_gate_was_skipped",
        INCIDENT_PARITY,
        PLAIN,
        run!(verdict!("pass", "pass", "false", "skip"), STABLE, CERTIFIED),
    ),
    Tooth::known_bad(
        "a_status_of_triage_that_does_not_exist",
        INCIDENT_INPUT_INVALID,
        PLAIN,
        run!(
            CALM,
            "{\"schema\":\"portcullis.triage_diff.v1\",\"run_id\":\"r7\",\"status\":\"fine\",\"summary\":{\"regression_count\":0}}",
            CERTIFIED
        ),
    ),
    Tooth::known_bad(
        "fg37_no_triage_although_there_is_a_baseline",
        ARTIFACT_MISSING,
        PLAIN,
        &[("run/full_suite_verdict.json", CALM), ("run/certification_verdict.json", CERTIFIED)],
    ),
    Tooth::known_bad(
        "fg40_a_certificate_of_another_run",
        LINEAGE_MISMATCH,
        PLAIN,
        run!(
            CALM,
            STABLE,
            "{\"schema\":\"portcullis.certification_verdict.v1\",\"run_id\":\"r6\",\"overall_verdict\":\"CERTIFIED\"}"
        ),
    ),
    Tooth::known_bad(
        "fg13_a_verdict_over_no_gate",
        NOTHING_EXAMINED,
        PLAIN,
        run!(
            "{\"schema\":\"portcullis.full_suite_verdict.v1\",\"run_id\":\"r7\",\"generated_at\":\"2026-05-31T11:45:00Z\",\"verdict\":\"pass\",\"summary\":{\"all_blocking_pass\":true},\"gates\":[]}",
            STABLE,
            CERTIFIED
        ),
    ),
];
