//! The known-good and known-bad trees of the kind.

use super::{
    ADMISSION_EXPIRED, ADMISSION_UNUSED, CAP_LINTS, COMMAND_LINE_LOWER, FLOOR_LOWERED,
    FLOOR_MISSING, GROUP_OVERRIDES_FLOOR, LINT_SUPPRESSED, MEMBER_NOT_INHERITING, PLANT_NOT_GREEN,
    PLANT_NOT_RED, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING,
};
use portcullis::Tooth;

const FLOOR: &str = "floor = { unused_must_use = 'deny', unsafe_code = 'forbid' }";
pub(super) const ROOT: &str = "[workspace]\n\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n\
    unused_must_use = \"deny\"\n\n[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
    [lints]\nworkspace = true\n";
const LIB: (&str, &str) = (
    "src/lib.rs",
    "//! `#[allow(unused_must_use)]`\nfn a() { \"#[expect(unsafe_code)]\"; }\n#[allow(dead_code)]\nfn b() {}\n",
);
const PLANT: &str = "floor = { unused_must_use = 'deny' }\n\
    plants = [{ lint = 'unused_must_use', source = 'plant.rs' }]";
const SITE: &str = "floor = { unused_must_use = 'deny' }\nsites = [{ path = 'src/lib.rs', lint = 'unused_must_use', \
    reason = 'a best-effort flush at exit', expires = 2026-06-30 }]";
const SUPPRESSED: (&str, &str) = ("src/lib.rs", "#[expect(unused_must_use)]\nfn a() {}\n");

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "the_floor_holds",
        FLOOR,
        &[
            ("Cargo.toml", ROOT),
            LIB,
            (".cargo/config.toml", "[build]\nrustflags = [\"-D\", \"warnings\"]\n"),
            (
                "justfile",
                "# cargo clippy -- -A unused_must_use\nlint:\n    RUSTFLAGS=\"-D warnings\" cargo clippy -- -D warnings\n",
            ),
        ],
    ),
    Tooth::known_good(
        "a_plant_that_its_lint_alone_refuses",
        PLANT,
        &[
            ("Cargo.toml", ROOT),
            LIB,
            ("plant.rs", "pub fn a() { b(); }\nfn b() -> Result<(), ()> { Ok(()) }\n"),
        ],
    ),
    Tooth::known_bad(
        "a_lint_without_level",
        FLOOR_MISSING,
        "floor = { unreachable_patterns = 'deny' }",
        &[("Cargo.toml", ROOT), LIB],
    ),
    Tooth::known_bad(
        "a_lowered_level",
        FLOOR_LOWERED,
        "floor = { unused_must_use = 'forbid' }",
        &[("Cargo.toml", ROOT), LIB],
    ),
    Tooth::known_bad(
        "a_group_that_outranks",
        GROUP_OVERRIDES_FLOOR,
        "floor = { unused_must_use = 'deny' }",
        &[
            (
                "Cargo.toml",
                "[workspace]\n[workspace.lints.rust]\nunused_must_use = \"deny\"\nunused = { level = \"allow\", priority = 1 }\n\
                 [package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lints]\nworkspace = true\n",
            ),
            LIB,
        ],
    ),
    Tooth::known_bad(
        "a_member_without_lints",
        MEMBER_NOT_INHERITING,
        "floor = { unused_must_use = 'deny' }",
        &[
            (
                "Cargo.toml",
                "[workspace]\n[workspace.lints.rust]\nunused_must_use = \"deny\"\n\
                 [package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
            ),
            LIB,
        ],
    ),
    Tooth::known_bad("an_expectation", LINT_SUPPRESSED, FLOOR, &[("Cargo.toml", ROOT), SUPPRESSED]),
    Tooth::known_bad(
        "a_conditional_group",
        LINT_SUPPRESSED,
        FLOOR,
        &[("Cargo.toml", ROOT), ("src/lib.rs", "#![cfg_attr(test, allow(unused))]\n")],
    ),
    Tooth::known_bad(
        "capped_lints",
        CAP_LINTS,
        FLOOR,
        &[
            ("Cargo.toml", ROOT),
            LIB,
            (".cargo/config.toml", "[build]\nrustflags = [\"--cap-lints\", \"warn\"]\n"),
        ],
    ),
    Tooth::known_bad(
        "a_flag_of_a_recipe",
        COMMAND_LINE_LOWER,
        FLOOR,
        &[
            ("Cargo.toml", ROOT),
            LIB,
            ("justfile", "lint:\n    cargo clippy -- -A unused-must-use\n"),
        ],
    ),
    Tooth::known_bad(
        "a_script_that_does_not_parse",
        SCRIPT_UNPARSED,
        FLOOR,
        &[
            ("Cargo.toml", ROOT),
            LIB,
            (
                ".github/workflows/ci.yml",
                "on: push\njobs:\n  lint:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: \"if true; then\"\n",
            ),
        ],
    ),
    Tooth::known_bad(
        "a_hard_error_is_no_plant",
        PLANT_NOT_RED,
        PLANT,
        &[
            ("Cargo.toml", ROOT),
            LIB,
            ("plant.rs", "pub fn a(b: bool) { match b { true => {} } }\n"),
        ],
    ),
    Tooth::known_bad(
        "a_plant_with_a_second_fault",
        PLANT_NOT_GREEN,
        "floor = { unused_must_use = 'deny' }\nplants = [{ lint = 'unused_must_use', source = 'plant.rs' }]",
        &[
            ("Cargo.toml", ROOT),
            LIB,
            (
                "plant.rs",
                "pub fn a() { b(); }\nfn b() -> Result<(), ()> { Ok(()) }\n#[forbid(unused_must_use)]\npub fn c() { b(); }\n",
            ),
        ],
    ),
    Tooth::known_bad(
        "a_member_that_is_not_there",
        SELECTOR_MATCHES_NOTHING,
        "floor = { unused_must_use = 'deny' }\n\
         exempt_members = [{ name = 'gone', reason = 'a generated crate of bindings', expires = 2026-09-30 }]",
        &[("Cargo.toml", ROOT), LIB],
    ),
    Tooth::known_bad(
        "a_site_that_lowers_nothing",
        ADMISSION_UNUSED,
        SITE,
        &[("Cargo.toml", ROOT), LIB],
    ),
    Tooth::known_bad(
        "a_site_past_its_day",
        ADMISSION_EXPIRED,
        SITE,
        &[("Cargo.toml", ROOT), SUPPRESSED],
    )
    .at("2026-07-01T00:00:00Z"),
];
