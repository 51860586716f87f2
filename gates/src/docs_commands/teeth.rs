//! The fixtures of `docs_commands`: each code bites, and commands that exist pass. They hold no logic.

use super::{COMMAND_OBSCURE, COMMAND_UNRESOLVED};
use portcullis::{Tooth, wire::code::NOTHING_EXAMINED};

pub(super) const CONFIG: &str = "documents = ['*.md']\nprograms = ['git']\ninline = ['cargo ']\n\
    subcommands = { 'cargo gate' = ['list', 'explain'] }";
pub(super) const MANIFEST: (&str, &str) = (
    "Cargo.toml",
    "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[features]\ndefault = []\nextra = []\n\
     [workspace]\n[[bench]]\nname = \"speed\"\n[[test]]\nname = \"slow\"\nrequired-features = [\"extra\"]\n",
);
pub(super) const LIB: (&str, &str) =
    ("src/lib.rs", "#[cfg(test)] mod tests { #[test] fn inner() {} }\n");
pub(super) const MAIN: (&str, &str) = ("src/main.rs", "fn main() {}\n");
pub(super) const BENCH: (&str, &str) = ("benches/speed.rs", "fn main() {}\n");
pub(super) const SLOW: (&str, &str) = ("tests/slow.rs", "#[test] fn waits() {}\n");
pub(super) const CLI: (&str, &str) = ("tests/cli.rs", "mod deep { #[test] fn starts() {} }\n");
pub(super) const GATES: (&str, &str) = ("tests/gates.rs", "fn main() {}\n");
pub(super) const POLICY: (&str, &str) = (
    "portcullis.toml",
    "[policy]\nversion = 1\nowner = 'o'\nbinary = 'gates'\n[[gate]]\nid = 'budget'\nkind = 'cargo_config'\n",
);
pub(super) const ALIASES: (&str, &str) = (".cargo/config.toml", "[alias]\nx = 'run --quiet --'\n");

macro_rules! tree {
    ($page:expr) => {
        &[MANIFEST, LIB, MAIN, BENCH, SLOW, CLI, GATES, POLICY, ALIASES, ("a.md", $page)]
    };
}

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "commands_that_exist",
        CONFIG,
        tree!(
            "Run `cargo bench --bench speed`.\n\n```sh\ncargo test --test gates -- budget --exact  # one gate\n\
               RUST_LOG=1 cargo test --test cli deep::starts && git diff | cargo gate list\n```\n"
        ),
    ),
    Tooth::known_bad(
        "fg01_a_renamed_gate",
        COMMAND_UNRESOLVED,
        CONFIG,
        tree!("```sh\ncargo test --test gates -- budgte --exact\n```\n"),
    ),
    Tooth::known_bad(
        "a_variable",
        COMMAND_OBSCURE,
        CONFIG,
        tree!("```sh\ncargo test --test $SUITE\n```\n"),
    ),
    Tooth::known_bad("fg13_no_document", NOTHING_EXAMINED, CONFIG, &[MANIFEST, LIB]),
    Tooth::known_bad(
        "fg13_no_command",
        NOTHING_EXAMINED,
        CONFIG,
        tree!("```text\ncargo test --test gone\n```\n"),
    ),
];
