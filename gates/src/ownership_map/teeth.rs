//! The fixtures of `ownership_map`: each code bites, and a tree that keeps its map passes. They hold no logic.

use super::{
    DEFERRED_STALE, DOMAIN_EMPTY, KERNEL_BOUNDARY_DRIFT, LINKAGE_TOKEN_MISSING, MODULE_OWNED_TWICE,
    MODULE_UNLINKED, MODULE_UNOWNED, REQUIRED_CHECK_MISSING,
};
use portcullis::{
    Tooth,
    wire::code::{INPUT_UNREADABLE, NOTHING_EXAMINED},
};

pub(super) const FILE: &str = "files = ['src/**/*.rs']\nmanifest = 'map.toml'";
pub(super) const MAP: &str = "deferred = ['src/lib.rs']\nrequired_checks = ['boundary']\n\
    [domains.kernel]\nmodules = ['a::kernel']\n[domains.io]\nfiles = ['src/io.rs', 'src/io/**']\n\
    [[banned]]\nfrom = 'kernel'\nto = 'io'\n[linkage]\ndocument = 'mission.md'\ntokens = ['map.toml']\n";
const OLD_DEFERRAL: &str = "deferred = ['src/lib.rs', 'src/gone.rs']\n\
    [domains.kernel]\nmodules = ['a::kernel']\n[domains.io]\nfiles = ['src/io.rs', 'src/io/**']\n";
const EMPTY_DOMAIN: &str = "deferred = ['src/lib.rs']\n[domains.kernel]\nmodules = ['a::kernel']\n\
    [domains.io]\nfiles = ['src/io.rs', 'src/io/**']\n[domains.net]\nfiles = ['src/net.rs']\n";
const TWO_OWNERS: &str = "deferred = ['src/lib.rs']\n[domains.kernel]\nmodules = ['a::kernel']\n\
    [domains.io]\nfiles = ['src/io.rs', 'src/kernel.rs']\n";

pub(super) const MANIFEST: (&str, &str) = (
    "Cargo.toml",
    "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
);
pub(super) const LIB: (&str, &str) = ("src/lib.rs", "pub mod kernel;\npub mod io;\n");
pub(super) const IO: (&str, &str) = ("src/io.rs", "pub struct File;\n");
pub(super) const KERNEL: (&str, &str) = ("src/kernel.rs", "pub fn decide() {}\n");
pub(super) const MISSION: (&str, &str) = ("mission.md", "The owners are in `map.toml`.\n");
pub(super) const POLICY: (&str, &str) = (
    "portcullis.toml",
    "[policy]\nversion = 1\nowner = 'o'\n[[gate]]\nid = 'boundary'\nkind = 'cargo_config'\n",
);
const OTHER_POLICY: (&str, &str) = (
    "portcullis.toml",
    "[policy]\nversion = 1\nowner = 'o'\n[[gate]]\nid = 'boundery'\nkind = 'cargo_config'\n",
);

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "a_tree_that_keeps_its_map",
        FILE,
        &[MANIFEST, LIB, IO, KERNEL, MISSION, POLICY, ("map.toml", MAP)],
    ),
    Tooth::known_bad(
        "an_import_over_the_boundary",
        KERNEL_BOUNDARY_DRIFT,
        FILE,
        &[
            MANIFEST,
            LIB,
            IO,
            MISSION,
            POLICY,
            ("map.toml", MAP),
            ("src/kernel.rs", "use crate::io::File;\n"),
        ],
    ),
    Tooth::known_bad(
        "a_file_that_nobody_owns",
        MODULE_UNOWNED,
        FILE,
        &[
            MANIFEST,
            ("src/lib.rs", "pub mod kernel;\npub mod io;\nmod new;\n"),
            IO,
            KERNEL,
            MISSION,
            POLICY,
            ("map.toml", MAP),
            ("src/new.rs", ""),
        ],
    ),
    Tooth::known_bad(
        "a_file_with_two_owners",
        MODULE_OWNED_TWICE,
        FILE,
        &[MANIFEST, LIB, IO, KERNEL, ("map.toml", TWO_OWNERS)],
    ),
    Tooth::known_bad(
        "a_file_of_no_target",
        MODULE_UNLINKED,
        FILE,
        &[MANIFEST, LIB, IO, KERNEL, MISSION, POLICY, ("map.toml", MAP), ("src/io/left.rs", "")],
    ),
    Tooth::known_bad(
        "a_domain_without_files",
        DOMAIN_EMPTY,
        FILE,
        &[MANIFEST, LIB, IO, KERNEL, ("map.toml", EMPTY_DOMAIN)],
    ),
    Tooth::known_bad(
        "a_deferral_of_nothing",
        DEFERRED_STALE,
        FILE,
        &[MANIFEST, LIB, IO, KERNEL, ("map.toml", OLD_DEFERRAL)],
    ),
    Tooth::known_bad(
        "a_required_gate_that_was_renamed",
        REQUIRED_CHECK_MISSING,
        FILE,
        &[MANIFEST, LIB, IO, KERNEL, MISSION, OTHER_POLICY, ("map.toml", MAP)],
    ),
    Tooth::known_bad(
        "a_mission_that_forgot_its_map",
        LINKAGE_TOKEN_MISSING,
        FILE,
        &[MANIFEST, LIB, IO, KERNEL, POLICY, ("map.toml", MAP), ("mission.md", "Onward.\n")],
    ),
    Tooth::known_bad(
        "a_file_that_does_not_parse",
        INPUT_UNREADABLE,
        FILE,
        &[
            MANIFEST,
            LIB,
            IO,
            MISSION,
            POLICY,
            ("map.toml", MAP),
            ("src/kernel.rs", "this is not rust"),
        ],
    ),
    Tooth::known_bad(
        "fg13_no_file",
        NOTHING_EXAMINED,
        "files = ['lib/**/*.rs']\nmanifest = 'map.toml'",
        &[MANIFEST, LIB, IO, KERNEL, MISSION, POLICY, ("map.toml", MAP)],
    ),
];
