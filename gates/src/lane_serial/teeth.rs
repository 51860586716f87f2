//! Small repositories that this kind must accept or refuse.

use super::{
    NOT_PROVEN_SERIAL, OPAQUE, PARALLEL_CONFIG, PARALLEL_ENV, PARALLEL_FLAG, SCRIPT_UNPARSED,
    SELECTOR_MATCHES_NOTHING,
};
use portcullis::Tooth;

const CI: &str = ".github/workflows/ci.yml";
const NEXTEST: &str = ".config/nextest.toml";
const CONFIG: &str = "[[serial]]\nfile = 'ci.yml'\njob = 'unit'";
const EVERYWHERE: &str = "veto = 'everywhere'\n[[serial]]\nfile = 'ci.yml'\njob = 'unit'";
const SERIAL: &str = "[profile.ci_serial]\ntest-threads = 1\n";

/// A workflow of one job with this script.
macro_rules! script {
    ($script:literal) => {
        concat!(
            "on: push\njobs:\n  unit:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: ",
            $script,
            "\n"
        )
    };
}

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good("by_flag", CONFIG, &[(CI, script!("cargo nextest run -j1 --build-jobs 4"))]),
    Tooth::known_good(
        "by_libtest_flag",
        CONFIG,
        &[(CI, script!("cargo test -j 4 -- --test-threads=1"))],
    ),
    Tooth::known_good(
        "by_variable",
        CONFIG,
        &[(CI, script!("NEXTEST_TEST_THREADS=1 cargo nextest run"))],
    ),
    Tooth::known_good(
        "by_profile",
        EVERYWHERE,
        &[(CI, script!("cargo nextest run --profile ci_serial")), (NEXTEST, SERIAL)],
    ),
    Tooth::known_good(
        "by_group",
        CONFIG,
        &[
            (CI, script!("cargo nextest run")),
            (
                NEXTEST,
                "[[profile.default.overrides]]\nfilter = 'all()'\ntest-group = 'one'\n[test-groups]\none = { max-threads = 1 }\n",
            ),
            ("Cargo.toml", "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
            ("src/lib.rs", "#[test]\nfn a() {}\n#[test]\nfn b() {}\n"),
        ],
    ),
    Tooth::known_bad(
        "without_the_line_of_the_profile",
        NOT_PROVEN_SERIAL,
        EVERYWHERE,
        &[
            (CI, script!("cargo nextest run --profile ci_serial")),
            (NEXTEST, "[profile.ci_serial]\nretries = 0\n"),
            ("Cargo.toml", "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
            ("src/lib.rs", "#[test]\nfn a() {}\n#[test]\nfn b() {}\n"),
        ],
    ),
    Tooth::known_bad(
        "an_attached_flag",
        PARALLEL_FLAG,
        CONFIG,
        &[(CI, script!("cargo nextest run -jnum-cpus --profile ci_serial")), (NEXTEST, SERIAL)],
    ),
    Tooth::known_bad(
        "a_variable",
        PARALLEL_ENV,
        CONFIG,
        &[(CI, script!("RUST_TEST_THREADS=4 cargo test"))],
    ),
    Tooth::known_bad(
        "a_profile",
        PARALLEL_CONFIG,
        CONFIG,
        &[
            (CI, script!("cargo nextest run -j1")),
            (NEXTEST, "[profile.default]\ntest-threads = 4\n"),
        ],
    ),
    Tooth::known_bad(
        "another_repository",
        OPAQUE,
        CONFIG,
        &[(CI, "on: push\njobs:\n  unit:\n    uses: o/r/.github/workflows/x.yml@v1\n")],
    ),
    Tooth::known_bad(
        "a_script_that_does_not_parse",
        SCRIPT_UNPARSED,
        CONFIG,
        &[(CI, script!("\"if cargo test\""))],
    ),
    Tooth::known_bad(
        "no_such_job",
        SELECTOR_MATCHES_NOTHING,
        "[[serial]]\nfile = 'ci.yml'\njob = 'other'",
        &[(CI, script!("cargo test -- --test-threads=1"))],
    ),
];
