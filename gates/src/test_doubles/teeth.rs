//! The fixtures of `test_doubles`: each code bites, and tests without doubles pass. They hold no logic.

use super::{DOUBLE_FLOOR_BROKEN, DOUBLE_FLOOR_UNMATCHED, DOUBLE_UNLISTED};
use crate::source_scan::{ALLOW_ENTRY_EXPIRED, ALLOW_ENTRY_EXPIRING, ALLOW_ENTRY_STALE};
use portcullis::{
    Tooth,
    wire::code::{INPUT_UNREADABLE, NOTHING_EXAMINED},
};

pub(super) const PLAIN: &str = "allowed_suites = ['vcr']";
pub(super) const ALLOWED: &str = "allow = [{ path = 'tests/cli.rs', token = 'MockServer', owner = 'o', expires = 2026-06-30, \
    replacement = 'a recorded cassette of the server' }]";
const FLOOR: &str =
    "allowed_suites = ['vcr']\nfloors = [{ module = 'wire', min_real_percent = 51 }]";
const LOST_FLOOR: &str =
    "allowed_suites = ['vcr']\nfloors = [{ module = 'wired', max_doubles = 0 }]";

pub(super) const MANIFEST: (&str, &str) = (
    "Cargo.toml",
    "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
);
pub(super) const LIB: (&str, &str) = (
    "src/lib.rs",
    "pub struct MockMaker;\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn real() {}\n}\n",
);
pub(super) const GROUPS: (&str, &str) = (
    "suite_classification.toml",
    "[suite.unit]\ntargets = ['cli']\n[suite.vcr]\ntargets = ['wire']\n",
);
pub(super) const CLI: (&str, &str) =
    ("tests/cli.rs", "// MockServer\n#[test]\nfn a() { \"MockServer\"; }\n");
pub(super) const MOCKED: (&str, &str) =
    ("tests/cli.rs", "#[test]\nfn a() {\n    let server = MockServer::start();\n}\n");
pub(super) const WIRE: (&str, &str) = (
    "tests/wire.rs",
    "use wiremock::MockServer as Server;\n#[test]\nfn a() { Server::start() }\n#[test]\nfn b() {}\n",
);

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good("doubles_where_they_may_be", PLAIN, &[MANIFEST, LIB, GROUPS, CLI, WIRE]),
    Tooth::known_good("a_double_with_an_allowance", ALLOWED, &[MANIFEST, LIB, GROUPS, MOCKED]),
    Tooth::known_bad(
        "a_double_in_a_unit_test",
        DOUBLE_UNLISTED,
        PLAIN,
        &[MANIFEST, LIB, GROUPS, MOCKED, WIRE],
    ),
    Tooth::known_bad(
        "a_double_in_a_library_test",
        DOUBLE_UNLISTED,
        PLAIN,
        &[MANIFEST, GROUPS, CLI, ("src/lib.rs", "#[cfg(test)]\nmod tests { struct FakeClock; }\n")],
    ),
    Tooth::known_bad(
        "a_module_below_its_floor",
        DOUBLE_FLOOR_BROKEN,
        FLOOR,
        &[MANIFEST, LIB, GROUPS, CLI, WIRE],
    ),
    Tooth::known_bad(
        "a_floor_of_nothing",
        DOUBLE_FLOOR_UNMATCHED,
        LOST_FLOOR,
        &[MANIFEST, LIB, GROUPS, CLI, WIRE],
    ),
    Tooth::known_bad(
        "an_allowance_past_its_day",
        ALLOW_ENTRY_EXPIRED,
        ALLOWED,
        &[MANIFEST, LIB, GROUPS, MOCKED],
    )
    .at("2026-07-01T00:00:00Z"),
    Tooth::known_bad(
        "an_allowance_in_its_last_days",
        ALLOW_ENTRY_EXPIRING,
        ALLOWED,
        &[MANIFEST, LIB, GROUPS, MOCKED],
    )
    .at("2026-06-30T00:00:00Z"),
    Tooth::known_bad(
        "an_allowance_of_nothing",
        ALLOW_ENTRY_STALE,
        ALLOWED,
        &[MANIFEST, LIB, GROUPS, CLI],
    ),
    Tooth::known_bad(
        "a_test_source_that_is_not_rust",
        INPUT_UNREADABLE,
        PLAIN,
        &[MANIFEST, LIB, GROUPS, ("tests/cli.rs", "not rust")],
    ),
    Tooth::known_bad(
        "fg13_no_test",
        NOTHING_EXAMINED,
        PLAIN,
        &[MANIFEST, GROUPS, ("src/lib.rs", "pub fn a() {}\n")],
    ),
];
