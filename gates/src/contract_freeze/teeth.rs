//! The known-good and known-bad trees of the kind.

use super::{
    ADMISSION_UNUSED, CONTRACT_DRIFT, DECISION_MISSING, GROWTH_NOT_LISTED, SECTION_DUPLICATE,
    SECTION_MISSING, SELECTOR_MATCHES_NOTHING, SNAPSHOT_MISSING, SURFACE_EMPTY,
};
use portcullis::Tooth;

pub(super) const LIMITS: &str = "[[surface]]\nid = 'limits'\nprovider = 'config_values'\n\
    source = 'limits.toml'\nselect = ['/hosted']\nsnapshot = 'limits.json'";
const SECTION: &str = "[[surface]]\nid = 'policy'\nprovider = 'doc_section'\nsource = 'a.md'\n\
    select = ['Limits']\nsnapshot = 'a.json'";
const SNAPSHOT: &str = "{\n  \"schema\": \"portcullis.contract.v1\",\n  \"surface\": \"limits\",\n  \
    \"provider\": \"config_values\",\n  \"items\": [\n    \
    { \"name\": \"limits.toml#/hosted/fail_pct\", \"is\": \"100.0\" }\n  ]\n}\n";
const VALUES: &str = "# The limits.\n[hosted]\nfail_pct = 100.0\n";

/// The surface of the first snapshot, and one value more.
const GROWN: &str = "[hosted]\nfail_pct = 100.0\nfail_p95_s = 360.0\n";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "in_sync_under_other_comments",
        LIMITS,
        &[
            ("limits.toml", "# Other words.\n[hosted]\nfail_pct    = 100.0\n[other]\na = 1\n"),
            ("limits.json", SNAPSHOT),
        ],
    ),
    Tooth::known_bad(
        "a_changed_value",
        CONTRACT_DRIFT,
        LIMITS,
        &[("limits.toml", "[hosted]\nfail_pct = 1000.0\n"), ("limits.json", SNAPSHOT)],
    ),
    Tooth::known_bad("no_snapshot", SNAPSHOT_MISSING, LIMITS, &[("limits.toml", VALUES)]),
    Tooth::known_bad(
        "a_name_that_nobody_decided",
        GROWTH_NOT_LISTED,
        LIMITS,
        &[("limits.toml", GROWN), ("limits.json", SNAPSHOT)],
    ),
    Tooth::known_bad(
        "a_decision_without_its_record",
        DECISION_MISSING,
        "[[surface]]\nid = 'limits'\nprovider = 'config_values'\nsource = 'limits.toml'\nsnapshot = 'limits.json'\n\
         allow = [{ name = 'limits.toml#/hosted/fail_p95_s', decision = 'docs/decisions/1.md' }]",
        &[("limits.toml", GROWN), ("limits.json", SNAPSHOT)],
    ),
    Tooth::known_bad(
        "a_decision_about_nothing",
        ADMISSION_UNUSED,
        "[[surface]]\nid = 'limits'\nprovider = 'config_values'\nsource = 'limits.toml'\nsnapshot = 'limits.json'\n\
         allow = [{ name = 'limits.toml#/hosted/gone', decision = 'limits.toml' }]",
        &[("limits.toml", VALUES), ("limits.json", SNAPSHOT)],
    ),
    Tooth::known_bad(
        "the_selected_table_is_gone",
        SELECTOR_MATCHES_NOTHING,
        LIMITS,
        &[("limits.toml", "[other]\na = 1\n"), ("limits.json", SNAPSHOT)],
    ),
    Tooth::known_bad("the_section_is_gone", SECTION_MISSING, SECTION, &[("a.md", "# Other\n")]),
    Tooth::known_bad(
        "the_section_stands_twice",
        SECTION_DUPLICATE,
        SECTION,
        &[("a.md", "# Limits\na\n# More\n## Limits\nb\n")],
    ),
    Tooth::known_bad(
        "nothing_public",
        SURFACE_EMPTY,
        "[[surface]]\nid = 'api'\nprovider = 'public_items'\nsource = 'a.rs'\nsnapshot = 'a.json'",
        &[("a.rs", "fn a() {}\n")],
    ),
];
