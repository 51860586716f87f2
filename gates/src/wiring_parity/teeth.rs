//! Small repositories that this kind must accept or refuse.

use super::{
    ADMISSION_UNUSED, ENTRY_IS_A_STUB, ENTRY_MISSING, NOT_STATIC, ONLY_IN_CI, ONLY_LOCAL, OPAQUE,
    SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING,
};
use portcullis::Tooth;

/// A package, a justfile with this recipe `ci`, and a workflow of one job with this step.
macro_rules! tree {
    ($recipe:literal, $step:literal) => {
        &[
            ("Cargo.toml", "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
            ("src/lib.rs", "#[test]\nfn unit() {}\n"),
            ("tests/gates.rs", "#[test]\nfn one() {}\n#[test]\nfn two() {}\n"),
            ("justfile", concat!("ci:\n    ", $recipe, "\n")),
            (
                ".github/workflows/ci.yml",
                concat!(
                    "on: push\njobs:\n  gates:\n    runs-on: ubuntu-24.04\n    steps:\n      - ",
                    $step,
                    "\n"
                ),
            ),
        ]
    };
}

const CONFIG: &str =
    "local = [{ kind = 'just', entry = 'ci' }]\nci = [{ file = 'ci.yml', job = ['gates'] }]";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "equal_in_two_spellings",
        CONFIG,
        tree!(
            "cargo test --lib\n    cargo test --test gates\n    cargo clippy --all-targets -p acme",
            "run: |\n          cargo clippy -p acme --all-targets --locked\n          cargo test --locked --no-fail-fast\n          cargo install x"
        ),
    ),
    Tooth::known_bad(
        "ci_has_one_more",
        ONLY_IN_CI,
        CONFIG,
        tree!("cargo test --lib", "run: cargo test"),
    ),
    Tooth::known_bad(
        "a_lint_only_local",
        ONLY_LOCAL,
        CONFIG,
        tree!("cargo test && cargo clippy", "run: cargo test"),
    ),
    Tooth::known_bad(
        "no_such_recipe",
        ENTRY_MISSING,
        "local = [{ kind = 'just', entry = 'all' }]\nci = [{ file = 'ci.yml', job = ['gates'] }]",
        tree!("cargo test", "run: cargo test"),
    ),
    Tooth::known_bad("a_stub", ENTRY_IS_A_STUB, CONFIG, tree!("echo ok", "run: cargo test")),
    Tooth::known_bad(
        "a_filter_that_nobody_knows",
        NOT_STATIC,
        CONFIG,
        tree!("cargo test", "run: cargo test $FILTER"),
    ),
    Tooth::known_bad(
        "a_script_that_does_not_parse",
        SCRIPT_UNPARSED,
        CONFIG,
        tree!("cargo test", "run: \"if cargo test\""),
    ),
    Tooth::known_bad(
        "a_job_of_another_repository",
        OPAQUE,
        CONFIG,
        &[
            ("Cargo.toml", "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
            ("src/lib.rs", "#[test]\nfn unit() {}\n"),
            ("justfile", "ci:\n    cargo test\n"),
            (
                ".github/workflows/ci.yml",
                "on: push\njobs:\n  gates:\n    uses: o/r/.github/workflows/x.yml@v1\n",
            ),
        ],
    ),
    Tooth::known_bad(
        "an_exception_nothing_needs",
        ADMISSION_UNUSED,
        concat!(
            "local = [{ kind = 'just', entry = 'ci' }]\nci = [{ file = 'ci.yml', job = ['gates'] }]\n",
            "ignore = [{ command = 'cargo doc **', reason = 'the documentation is built in CI alone' }]"
        ),
        tree!("cargo test", "run: cargo test"),
    ),
    Tooth::known_bad(
        "no_such_job",
        SELECTOR_MATCHES_NOTHING,
        "local = [{ kind = 'just', entry = 'ci' }]\nci = [{ file = 'ci.yml', job = ['other'] }]",
        tree!("cargo test", "run: cargo test"),
    ),
];
