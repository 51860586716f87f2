//! Small repositories that this kind must accept or refuse.

use super::{
    COMMAND_CONDITIONAL, FAIL_FAST_HIDES, GATE_COMMAND_MISSING, NOT_STATIC, OPAQUE,
    SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING, SELECTS_NOTHING, SELECTS_TOO_LITTLE,
};
use portcullis::Tooth;

/// A package with two test targets and a workflow of one job with this step.
macro_rules! tree {
    ($step:literal) => {
        &[
            ("Cargo.toml", "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
            ("src/lib.rs", "#[test]\nfn unit() {}\n"),
            ("tests/gates.rs", "#[test]\nfn one() {}\n#[test]\nfn two() {}\n#[test]\n#[ignore]\nfn slow() {}\n"),
            ("tests/other.rs", "#[test]\nfn three() {}\n"),
            (".cargo/config.toml", "[alias]\ngate = \"test --test gates\"\n"),
            ("justfile", "gates:\n    cargo test --test gates\n"),
            (
                "act/action.yml",
                "name: a\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      run: cargo test --test gates\n",
            ),
            (
                ".github/workflows/ci.yml",
                concat!("on: [push, pull_request]\njobs:\n  gates:\n    runs-on: ubuntu-24.04\n    steps:\n      - ", $step, "\n"),
            ),
        ]
    };
}

const BOTH: &str = "resolve = 'static'\n[[runs]]\nfile = 'ci.yml'\njob = 'gates'\ncommand = 'cargo test **'\nmust_select = ['acme::gates']";
const WHOLE: &str = "resolve = 'static'\n[[runs]]\nfile = 'ci.yml'\njob = 'gates'\ncommand = 'cargo test **'\nno_fail_fast = true";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good("direct", BOTH, tree!("run: cargo test --test=gates --locked")),
    Tooth::known_good("through_just", BOTH, tree!("run: just gates")),
    Tooth::known_good("through_an_alias", BOTH, tree!("run: cargo gate")),
    Tooth::known_good("through_an_action", BOTH, tree!("uses: ./act")),
    Tooth::known_bad("fg66_echo_ok", GATE_COMMAND_MISSING, BOTH, tree!("run: echo ok")),
    Tooth::known_bad(
        "a_misspelt_name",
        SELECTS_NOTHING,
        BOTH,
        tree!("run: cargo test --test gates -- ones --exact"),
    ),
    Tooth::known_bad(
        "fg66_another_target",
        SELECTS_TOO_LITTLE,
        BOTH,
        tree!("run: cargo test --test other"),
    ),
    Tooth::known_bad("fg66_only_built", SELECTS_NOTHING, BOTH, tree!("run: cargo test --no-run")),
    Tooth::known_bad(
        "on_push_only",
        COMMAND_CONDITIONAL,
        BOTH,
        tree!("run: cargo test --test gates\n        if: github.event_name == 'push'"),
    ),
    Tooth::known_bad("the_first_failure_ends_it", FAIL_FAST_HIDES, WHOLE, tree!("run: cargo test")),
    Tooth::known_bad(
        "a_filter_that_nobody_knows",
        NOT_STATIC,
        BOTH,
        tree!("run: cargo test --test gates -- \"$FILTER\""),
    ),
    Tooth::known_bad(
        "a_script_that_does_not_parse",
        SCRIPT_UNPARSED,
        BOTH,
        tree!("run: \"if cargo test --test gates\""),
    ),
    Tooth::known_bad(
        "a_job_of_another_repository",
        OPAQUE,
        BOTH,
        &[
            ("Cargo.toml", "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
            ("src/lib.rs", ""),
            (
                ".github/workflows/ci.yml",
                "on: push\njobs:\n  gates:\n    uses: o/r/.github/workflows/x.yml@v1\n",
            ),
        ],
    ),
    Tooth::known_bad(
        "no_such_job",
        SELECTOR_MATCHES_NOTHING,
        "resolve = 'static'\n[[runs]]\nfile = 'ci.yml'\njob = 'other'\ncommand = 'cargo test **'",
        tree!("run: cargo test"),
    ),
];
