//! The teeth of this kind: small files that must pass, and one at least for each code.

use super::{ENTRY_EXPIRED, ENTRY_EXPIRING, ENTRY_INVALID, ENTRY_SPAN_EXCEEDED, ENTRY_UNKNOWN_ID};
use portcullis::{
    Tooth,
    wire::code::{
        QUARANTINE_EXPIRED, QUARANTINE_EXPIRING, QUARANTINE_INVALID, QUARANTINE_SPAN_EXCEEDED,
        WAIVER_CLIFF, WAIVER_EXPIRED, WAIVER_EXPIRING, WAIVER_FILE_INVALID, WAIVER_NOT_WAIVABLE,
        WAIVER_NOT_YET_VALID, WAIVER_SPAN_EXCEEDED, WAIVER_UNKNOWN_GATE,
    },
};

pub(super) const OWN: &str = "file = 'exceptions.toml'\ntable = 'exception'\nrequired = ['owner', 'reason']\n\
    optional = ['issue']\nenums = { class = ['slow', 'flaky'] }\ncreated = 'created'\nexpires = 'expires'\n\
    max_span_days = 60\nwarn_days = 7\nids = 'gates'";
pub(super) const WAIVERS: &str =
    "file = 'suite_classification.toml'\ntable = 'waiver'\npreset = 'waivers'";

/// A policy with the gates that the entries below name.
pub(super) const POLICY: (&str, &str) = (
    "portcullis.toml",
    "[policy]\nversion = 1\nowner = 'o'\n[[gate]]\nid = 'build'\n[[gate]]\nid = 'docs'\n\
     [[gate]]\nid = 'waiver_lifecycle'\nkind = 'expiring_entries'\n\
     [[gate]]\nid = 'g1'\n[[gate]]\nid = 'g2'\n[[gate]]\nid = 'g3'\n[[gate]]\nid = 'g4'\n[[gate]]\nid = 'g5'\n",
);

macro_rules! exception {
    ($id:literal, $created:literal, $expires:literal) => {
        (
            "exceptions.toml",
            concat!(
                "[exception.",
                $id,
                "]\nowner = 'o'\nreason = 'r'\nclass = 'slow'\ncreated = ",
                $created,
                "\nexpires = ",
                $expires,
                "\n"
            ),
        )
    };
}

macro_rules! waiver {
    ($id:literal, $created:literal, $expires:literal) => {
        concat!(
            "[waiver.", $id, "]\nowner = 'o'\ncreated = ", $created, "\nexpires = ", $expires,
            "\nissue = '#1'\nreason = 'the runner has no network'\nscope = 'both'\nremove_when = 'it has'\n"
        )
    };
}
#[cfg(test)]
pub(super) use waiver;

macro_rules! quarantined {
    ($quarantined:literal, $expires:literal) => {
        concat!(
            "[quarantine.cli.slow_start]\ncategory = 'FLAKE-TIMING'\nowner = 'o'\nquarantined = ", $quarantined,
            "\nexpires = ", $expires, "\nissue = '#1'\nevidence = 'passed and failed on one commit'\n",
            "repro = 'cargo test --test cli slow_start'\nreason = 'the runner is slow in the morning'\n",
            "remove_when = 'it waits for the port'\n"
        )
    };
}
#[cfg(test)]
pub(super) use quarantined;

pub(super) const QUARANTINE: &str =
    "file = 'suite_classification.toml'\ntable = 'quarantine'\npreset = 'quarantine'";

/// The file of waivers and quarantine.
const FILE: &str = "suite_classification.toml";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "an_entry_in_its_season",
        OWN,
        &[POLICY, exception!("build", "2026-05-01", "2026-06-30")],
    ),
    Tooth::known_good("no_table_at_all", OWN, &[POLICY, ("exceptions.toml", "")]),
    Tooth::known_good(
        "a_waiver_in_its_season",
        WAIVERS,
        &[POLICY, (FILE, waiver!("build", "2026-05-20", "2026-06-19"))],
    ),
    Tooth::known_good("no_waiver", WAIVERS, &[POLICY, (FILE, "[suite.unit]\ntargets = []\n")]),
    Tooth::known_bad(
        "a_field_nothing_reads",
        ENTRY_INVALID,
        OWN,
        &[POLICY, ("exceptions.toml", "[exception.build]\nexpire = 2026-06-01\n")],
    ),
    Tooth::known_bad(
        "past_its_last_day",
        ENTRY_EXPIRED,
        OWN,
        &[POLICY, exception!("build", "2026-05-01", "2026-05-30")],
    ),
    Tooth::known_bad(
        "in_its_last_week",
        ENTRY_EXPIRING,
        OWN,
        &[POLICY, exception!("build", "2026-05-01", "2026-06-07")],
    ),
    Tooth::known_bad(
        "longer_than_allowed",
        ENTRY_SPAN_EXCEEDED,
        OWN,
        &[POLICY, exception!("build", "2026-05-01", "2026-07-01")],
    ),
    Tooth::known_bad(
        "a_gate_that_was_renamed",
        ENTRY_UNKNOWN_ID,
        OWN,
        &[POLICY, exception!("biuld", "2026-05-01", "2026-06-30")],
    ),
    Tooth::known_bad(
        "fg56_a_day_that_does_not_exist",
        WAIVER_FILE_INVALID,
        WAIVERS,
        &[POLICY, (FILE, waiver!("build", "2026-02-01", "2026-02-30"))],
    ),
    Tooth::known_bad(
        "fg57_a_waiver_on_the_lifecycle_gate",
        WAIVER_NOT_WAIVABLE,
        WAIVERS,
        &[POLICY, (FILE, waiver!("waiver_lifecycle", "2026-05-20", "2026-06-19"))],
    ),
    Tooth::known_bad(
        "fg59_longer_than_thirty_days",
        WAIVER_SPAN_EXCEEDED,
        WAIVERS,
        &[POLICY, (FILE, waiver!("build", "2026-05-20", "2026-06-20"))],
    ),
    Tooth::known_bad(
        "fg60_past_its_last_day_on_main",
        WAIVER_EXPIRED,
        WAIVERS,
        &[POLICY, (FILE, waiver!("build", "2026-05-01", "2026-05-30"))],
    ),
    Tooth::known_bad(
        "a_waiver_in_its_last_days",
        WAIVER_EXPIRING,
        WAIVERS,
        &[POLICY, (FILE, waiver!("build", "2026-05-20", "2026-06-01"))],
    ),
    Tooth::known_bad(
        "a_waiver_for_no_gate",
        WAIVER_UNKNOWN_GATE,
        WAIVERS,
        &[POLICY, (FILE, waiver!("biuld", "2026-05-20", "2026-06-19"))],
    ),
    Tooth::known_bad(
        "a_waiver_from_tomorrow",
        WAIVER_NOT_YET_VALID,
        WAIVERS,
        &[POLICY, (FILE, waiver!("build", "2026-06-01", "2026-06-19"))],
    ),
    Tooth::known_bad(
        "many_waivers_that_end_at_once",
        WAIVER_CLIFF,
        WAIVERS,
        &[
            POLICY,
            (
                FILE,
                concat!(
                    waiver!("build", "2026-05-20", "2026-06-19"),
                    waiver!("g1", "2026-05-20", "2026-06-19"),
                    waiver!("g2", "2026-05-20", "2026-06-19"),
                    waiver!("g3", "2026-05-20", "2026-06-19"),
                    waiver!("g4", "2026-05-20", "2026-06-19"),
                    waiver!("g5", "2026-05-20", "2026-06-19"),
                ),
            ),
        ],
    ),
    Tooth::known_good(
        "a_test_in_quarantine",
        QUARANTINE,
        &[(FILE, quarantined!("2026-05-25", "2026-06-08"))],
    ),
    Tooth::known_bad(
        "fg63_a_quarantine_that_ended_yesterday",
        QUARANTINE_EXPIRED,
        QUARANTINE,
        &[(FILE, quarantined!("2026-05-20", "2026-05-30"))],
    ),
    Tooth::known_bad(
        "a_quarantine_in_its_last_days",
        QUARANTINE_EXPIRING,
        QUARANTINE,
        &[(FILE, quarantined!("2026-05-25", "2026-06-01"))],
    ),
    Tooth::known_bad(
        "a_quarantine_of_fifteen_days",
        QUARANTINE_SPAN_EXCEEDED,
        QUARANTINE,
        &[(FILE, quarantined!("2026-05-25", "2026-06-09"))],
    ),
    Tooth::known_bad(
        "a_quarantine_without_evidence",
        QUARANTINE_INVALID,
        QUARANTINE,
        &[(FILE, "[quarantine.slow]\nowner = 'o'\n")],
    ),
];
