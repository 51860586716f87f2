//! The known-good and known-bad trees of the kind. Their packages are all in the tree, so that nothing is fetched.

use super::{
    ADMISSION_EXPIRED, ADMISSION_UNUSED, DENIED_DEPENDENCY, METADATA_FAILED, NATIVE_CODE,
    SELECTOR_MATCHES_NOTHING, TOO_MANY_CRATES,
};
use portcullis::Tooth;

const APP: &str = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
    [dependencies]\nmiddle = { path = \"middle\" }\n[dev-dependencies]\nhelper = { path = \"helper\" }\n\
    [workspace]\n";
const MIDDLE: &str = "[package]\nname = \"middle\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
    [dependencies]\nsockets = { package = \"net-stack\", path = \"../net\" }\n";
const NET: &str = "[package]\nname = \"net-stack\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
    links = \"net\"\nbuild = \"build.rs\"\n";
const HELPER: &str = "[package]\nname = \"helper\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\
    dependencies = [\n \"helper\",\n \"middle\",\n]\n\n[[package]]\nname = \"helper\"\nversion = \"0.1.0\"\n\n\
    [[package]]\nname = \"middle\"\nversion = \"0.1.0\"\ndependencies = [\n \"net-stack\",\n]\n\n\
    [[package]]\nname = \"net-stack\"\nversion = \"0.1.0\"\n";

/// `app` needs `middle`, which needs `net-stack` under another name; `helper` is only for its tests.
pub(super) const TREE: &[(&str, &str)] = &[
    ("Cargo.toml", APP),
    ("Cargo.lock", LOCK),
    ("src/lib.rs", ""),
    ("middle/Cargo.toml", MIDDLE),
    ("middle/src/lib.rs", ""),
    ("net/Cargo.toml", NET),
    ("net/build.rs", "fn main() {}\n"),
    ("net/src/lib.rs", ""),
    ("helper/Cargo.toml", HELPER),
    ("helper/src/lib.rs", ""),
];
const WITHOUT_LOCK: &[(&str, &str)] = &[
    ("Cargo.toml", APP),
    ("src/lib.rs", ""),
    ("middle/Cargo.toml", MIDDLE),
    ("middle/src/lib.rs", ""),
    ("net/Cargo.toml", NET),
    ("net/build.rs", "fn main() {}\n"),
    ("net/src/lib.rs", ""),
    ("helper/Cargo.toml", HELPER),
    ("helper/src/lib.rs", ""),
];

const DENY: &str = "[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['net_stack']";
pub(super) const ADMIT: &str = "[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['net_stack']\n\
    admit = [{ crate = 'net-stack', via = 'middle', reason = 'the one package with sockets', expires = 2026-06-30 }]";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "a_denied_helper_of_tests",
        "[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['helper']\nmax_crates = 3",
        TREE,
    ),
    Tooth::known_good("an_admitted_edge", ADMIT, TREE).at("2026-05-01T00:00:00Z"),
    Tooth::known_bad("a_renamed_package_behind_another", DENIED_DEPENDENCY, DENY, TREE),
    Tooth::known_bad(
        "a_requirement_without_a_lock_file",
        DENIED_DEPENDENCY,
        "resolve = 'manifest'\n[[fence]]\nid = 'f'\ndeny = ['net-stack']",
        WITHOUT_LOCK,
    ),
    Tooth::known_bad(
        "one_package_too_many",
        TOO_MANY_CRATES,
        "[[fence]]\nid = 'f'\nroots = ['app']\nmax_crates = 2",
        TREE,
    ),
    Tooth::known_bad(
        "a_package_that_links",
        NATIVE_CODE,
        "[[fence]]\nid = 'f'\nroots = ['app']\nforbid_native = true",
        TREE,
    ),
    Tooth::known_bad(
        "no_lock_file",
        METADATA_FAILED,
        "[[fence]]\nid = 'f'\nroots = ['app']\nmax_crates = 9",
        WITHOUT_LOCK,
    ),
    Tooth::known_bad(
        "a_root_that_is_not_there",
        SELECTOR_MATCHES_NOTHING,
        "[[fence]]\nid = 'f'\nroots = ['ap']\ndeny = ['x']",
        TREE,
    ),
    Tooth::known_bad(
        "an_admission_for_nothing",
        ADMISSION_UNUSED,
        "[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['x']\n\
         admit = [{ crate = 'x', via = 'middle', reason = 'it was needed once upon a time', expires = 2026-06-30 }]",
        TREE,
    ),
    Tooth::known_bad("an_admission_past_its_day", ADMISSION_EXPIRED, ADMIT, TREE)
        .at("2026-07-01T00:00:00Z"),
];
