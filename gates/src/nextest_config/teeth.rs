//! The known-good and known-bad configurations, over one small package.

use super::{
    ADMISSION_EXPIRED, ADMISSION_UNUSED, DEFAULT_FILTER_HIDES, FILTER_INVALID, NOT_STATIC,
    OVERRIDE_UNMATCHED, RETRIES_HIDE, TIMEOUT_PASSES, UNKNOWN_KEY,
};
use crate::artifact_contract::ARTIFACT_MISSING;
use portcullis::Tooth;

type File = (&'static str, &'static str);

const STATIC: &str = "resolve = 'static'";
const ADMIT: &str = "resolve = 'static'\nadmit = [{ profile = 'ci', key = 'retries', reason = 'the queue host is slow, issue 12', expires = 2026-06-30 }]";
const PATH: &str = ".config/nextest.toml";
const MANIFEST: File =
    ("Cargo.toml", "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
const LIB: File = ("src/lib.rs", "#[test]\nfn adds() {}\n");
const SUITE: File = ("tests/serial.rs", "#[test]\nfn waits() {}\n");

macro_rules! tree {
    ($text:literal) => {
        &[MANIFEST, LIB, SUITE, (PATH, $text)]
    };
}

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "a_serial_group_with_members",
        STATIC,
        tree!(
            "nextest-version = '0.9.100'\n[profile.default]\nslow-timeout = { period = '60s', terminate-after = 3 }\n[profile.ci]\nretries = 2\nflaky-result = 'fail'\nfail-fast = false\n[profile.ci.junit]\npath = 'junit.xml'\n[[profile.ci.overrides]]\nfilter = 'binary(=serial)'\ntest-group = 'serial'\n[test-groups]\nserial = { max-threads = 1 }\n"
        ),
    ),
    Tooth::known_bad(
        "fg29_a_misspelt_key",
        UNKNOWN_KEY,
        STATIC,
        tree!("[profile.ci]\nretry = 0\n"),
    ),
    Tooth::known_bad(
        "fg30_an_override_for_no_test",
        OVERRIDE_UNMATCHED,
        STATIC,
        tree!("[[profile.ci.overrides]]\nfilter = 'test(=wait)'\nslow-timeout = '5s'\n"),
    ),
    Tooth::known_bad(
        "retries_that_make_green",
        RETRIES_HIDE,
        STATIC,
        tree!("[profile.ci]\nretries = { backoff = 'fixed', count = 2, delay = '1s' }\n"),
    ),
    Tooth::known_bad(
        "a_default_filter_that_leaves_out",
        DEFAULT_FILTER_HIDES,
        STATIC,
        tree!("[profile.ci]\ndefault-filter = 'not test(waits)'\n"),
    ),
    Tooth::known_bad(
        "a_hang_that_passes",
        TIMEOUT_PASSES,
        STATIC,
        tree!(
            "[profile.ci]\nslow-timeout = { period = '5s', terminate-after = 1, on-timeout = 'pass' }\n"
        ),
    ),
    Tooth::known_bad(
        "no_expression",
        FILTER_INVALID,
        STATIC,
        tree!("[[profile.ci.overrides]]\nfilter = 'waits'\nretries = 0\n"),
    ),
    Tooth::known_bad(
        "a_filter_that_asks_for_dependencies",
        NOT_STATIC,
        STATIC,
        tree!("[[profile.ci.overrides]]\nfilter = 'rdeps(acme)'\nretries = 0\n"),
    ),
    Tooth::known_bad(
        "an_admission_that_nothing_needs",
        ADMISSION_UNUSED,
        ADMIT,
        tree!("[profile.ci]\nretries = 0\n"),
    ),
    Tooth::known_bad(
        "an_admission_past_its_day",
        ADMISSION_EXPIRED,
        ADMIT,
        tree!("[profile.ci]\nretries = 1\n"),
    )
    .at("2026-07-31T12:00:00Z"),
    Tooth::known_bad("no_file", ARTIFACT_MISSING, STATIC, &[MANIFEST, LIB]),
];
