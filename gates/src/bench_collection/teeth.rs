//! The known-good and known-bad workspaces.

use super::{
    BENCH_DUPLICATE, BENCH_EXTRA, BENCH_LIST_FAILED, BENCH_MISSING, BENCH_NOT_RUN_BY_LANE,
    BENCH_RUN_BY_WRONG_LANE, NOT_STATIC, OPAQUE, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING,
};
use portcullis::Tooth;

type File = (&'static str, &'static str);

const RULES: &str = "targets = ['night', 'portfolio']
run_in = [{ file = 'ci.yml', job = 'bench', targets = ['portfolio'] }]";
const NAMES: &str = "targets = ['night', 'portfolio']";
const NO_JOB: &str = "targets = ['night', 'portfolio']
run_in = [{ file = 'ci.yml', job = 'benches', targets = ['portfolio'] }]";
const IDS: &str = "expected = ['a']";

const MANIFEST: File =
    ("Cargo.toml", "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
const LOCK: File =
    ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"acme\"\nversion = \"0.1.0\"\n");
const LIB: File = ("src/lib.rs", "");
const NIGHT: File = ("benches/night.rs", "");
const PORTFOLIO: File = ("benches/portfolio.rs", "");
const OTHER: File = ("benches/index.rs", "");
const BROKEN: File = ("benches/night.rs", "fn");
const WORKSPACE: File = (
    "Cargo.toml",
    "[workspace]\nmembers = [\"b\"]\n[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
);
const MEMBER: File =
    ("b/Cargo.toml", "[package]\nname = \"b\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");

macro_rules! ci {
    ($run:literal) => {
        (
            ".github/workflows/ci.yml",
            concat!(
                "on: pull_request\njobs:\n  bench:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: ",
                $run,
                "\n"
            ),
        )
    };
}

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "the_expected_benches_each_in_its_lane",
        RULES,
        &[MANIFEST, LIB, NIGHT, PORTFOLIO, ci!("cargo bench --locked --bench portfolio")],
    ),
    Tooth::known_bad("one_fewer", BENCH_MISSING, NAMES, &[MANIFEST, LIB, PORTFOLIO]),
    Tooth::known_bad("one_more", BENCH_EXTRA, NAMES, &[MANIFEST, LIB, NIGHT, PORTFOLIO, OTHER]),
    Tooth::known_bad(
        "two_with_one_name",
        BENCH_DUPLICATE,
        NAMES,
        &[
            WORKSPACE,
            MEMBER,
            LIB,
            NIGHT,
            PORTFOLIO,
            ("b/src/lib.rs", ""),
            ("b/benches/night.rs", ""),
        ],
    ),
    Tooth::known_bad(
        "a_lane_that_builds_only",
        BENCH_NOT_RUN_BY_LANE,
        RULES,
        &[MANIFEST, LIB, NIGHT, PORTFOLIO, ci!("cargo bench --bench portfolio --no-run")],
    ),
    Tooth::known_bad(
        "the_nightly_bench_in_the_pull_request",
        BENCH_RUN_BY_WRONG_LANE,
        RULES,
        &[MANIFEST, LIB, NIGHT, PORTFOLIO, ci!("cargo bench --bench portfolio --bench night")],
    ),
    Tooth::known_bad(
        "a_target_that_does_not_build",
        BENCH_LIST_FAILED,
        IDS,
        &[MANIFEST, LOCK, LIB, BROKEN],
    ),
    Tooth::known_bad(
        "a_job_of_another_name",
        SELECTOR_MATCHES_NOTHING,
        NO_JOB,
        &[MANIFEST, LIB, NIGHT, PORTFOLIO, ci!("cargo bench")],
    ),
    Tooth::known_bad(
        "a_name_known_at_run_time",
        NOT_STATIC,
        RULES,
        &[MANIFEST, LIB, NIGHT, PORTFOLIO, ci!("cargo bench --bench ${{ github.actor }}")],
    ),
    Tooth::known_bad(
        "a_script_that_does_not_parse",
        SCRIPT_UNPARSED,
        RULES,
        &[MANIFEST, LIB, NIGHT, PORTFOLIO, ci!("if cargo bench")],
    ),
    Tooth::known_bad(
        "a_script_of_another_language",
        OPAQUE,
        RULES,
        &[MANIFEST, LIB, NIGHT, PORTFOLIO, ci!("x = 1\n        shell: python")],
    ),
];
