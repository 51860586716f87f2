//! The known-good and known-bad packages, each committed.

use super::{
    FILE_EXTRA, FILE_MISSING, FILE_NOT_A_TARGET, NO_ACTIVE_TEST, NOT_EXECUTED, NOT_STATIC,
    RESULTS_MISSING, RESULTS_STALE, SKIPS_OVER_BUDGET,
};
use portcullis::Tooth;

type File = (&'static str, &'static str);

const ROSTER: &str = "paths = ['tests/load_bearing_clock.rs']
extra = 'tests/load_bearing_*.rs'
resolve = 'static'
must_execute = false";
const RUN: &str = "paths = ['tests/load_bearing_clock.rs']
extra = 'tests/load_bearing_*.rs'
resolve = 'static'
results = 'junit.xml'
freshness = { max_age = '1d' }";

const MANIFEST: File =
    ("Cargo.toml", "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
const NO_AUTO: File = (
    "Cargo.toml",
    "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\nautotests = false\n",
);
const OWN_MAIN: File = (
    "Cargo.toml",
    "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[[test]]\nname = \"load_bearing_clock\"\nharness = false\n",
);
const LIB: File = ("src/lib.rs", "");
const CLOCK: File =
    ("tests/load_bearing_clock.rs", "#[test]\nfn back() {}\n#[test]\n#[ignore]\nfn slow() {}\n");
const IGNORED: File = (
    "tests/load_bearing_clock.rs",
    "#[test]\n#[ignore]\nfn back() {}\n#[test]\n#[cfg(any())]\nfn slow() {}\n",
);
const OTHER: File = ("tests/load_bearing_exit.rs", "#[test]\nfn ends() {}\n");

macro_rules! junit {
    ($day:literal, $case:literal) => {
        (
            "junit.xml",
            concat!(
                "<testsuites uuid=\"r\" timestamp=\"2026-05-",
                $day,
                "T11:00:00.000+00:00\"><testsuite name=\"acme::load_bearing_clock\">",
                $case,
                "</testsuite></testsuites>"
            ),
        )
    };
}

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good("one_test_that_runs", ROSTER, &[MANIFEST, LIB, CLOCK]).in_git(),
    Tooth::known_good(
        "one_test_that_passed",
        RUN,
        &[MANIFEST, LIB, CLOCK, junit!("31", "<testcase name=\"back\"/>")],
    )
    .in_git(),
    Tooth::known_bad("no_suite", FILE_MISSING, ROSTER, &[MANIFEST, LIB]).in_git(),
    Tooth::known_bad(
        "a_suite_that_nobody_named",
        FILE_EXTRA,
        ROSTER,
        &[MANIFEST, LIB, CLOCK, OTHER],
    )
    .in_git(),
    Tooth::known_bad(
        "a_file_that_cargo_leaves_out",
        FILE_NOT_A_TARGET,
        ROSTER,
        &[NO_AUTO, LIB, CLOCK],
    )
    .in_git(),
    Tooth::known_bad("every_test_ignored", NO_ACTIVE_TEST, ROSTER, &[MANIFEST, LIB, IGNORED])
        .in_git(),
    Tooth::known_bad("only_compiled", NOT_EXECUTED, RUN, &[MANIFEST, LIB, CLOCK, junit!("31", "")])
        .in_git(),
    Tooth::known_bad(
        "skipped_at_run_time",
        SKIPS_OVER_BUDGET,
        RUN,
        &[MANIFEST, LIB, CLOCK, junit!("31", "<testcase name=\"back\"><skipped/></testcase>")],
    )
    .in_git(),
    Tooth::known_bad("no_results", RESULTS_MISSING, RUN, &[MANIFEST, LIB, CLOCK]).in_git(),
    Tooth::known_bad(
        "results_of_last_week",
        RESULTS_STALE,
        RUN,
        &[MANIFEST, LIB, CLOCK, junit!("24", "<testcase name=\"back\"/>")],
    )
    .in_git(),
    Tooth::known_bad("a_main_of_its_own", NOT_STATIC, ROSTER, &[OWN_MAIN, LIB, CLOCK]).in_git(),
];
