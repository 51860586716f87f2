//! The fixtures of `text_tokens`: each code bites, and a document that keeps every rule passes. They hold no logic.

use super::{
    ANCHOR_MISSING, LINK_BROKEN, PATH_MISSING, SECTION_EMPTY, SECTION_MISSING, TOKEN_FORBIDDEN,
    TOKEN_MISSING,
};
use portcullis::{Tooth, wire::code::NOTHING_EXAMINED};

pub(super) const ALL: &str = "files = ['docs/*.md']\nrequired = ['replay', { pattern = '^owner: [a-z]+$' }]\n\
    forbidden = ['TODO']\nrequired_sections = ['Recovery']\nlinks = true\npaths = true\nproduced = ['target/**']";
const TOKENS: &str = "files = ['*.txt']\nrequired = ['a']\nforbidden = ['b']";

const PAGE: &str = "# Page\nowner: me\n\nreplay: see [it](../src/a.rs), [here](#recovery), [b](b.md#b)\n\n\
    ## Recovery\nRun `src/a.rs`, read `target/x.json`.\n";
const OTHER: &str = "# B\nowner: me\n\n## Recovery\nreplay\n";
pub(super) const SOURCE: (&str, &str) = ("src/a.rs", "");

macro_rules! bad {
    ($name:ident, $code:expr, $page:expr) => {
        Tooth::known_bad(
            stringify!($name),
            $code,
            ALL,
            &[SOURCE, ("docs/a.md", PAGE), ("docs/b.md", $page)],
        )
    };
}

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "a_page_that_keeps_every_rule",
        ALL,
        &[SOURCE, ("docs/a.md", PAGE), ("docs/b.md", OTHER)],
    ),
    Tooth::known_good("a_text_without_structure", TOKENS, &[("x.txt", "a # ` [")]),
    bad!(a_page_without_its_token, TOKEN_MISSING, "# B\nowner: me\n\n## Recovery\nx\n"),
    bad!(
        a_page_with_a_placeholder,
        TOKEN_FORBIDDEN,
        "# B\nowner: me\n\n## Recovery\nreplay TODO\n"
    ),
    bad!(a_page_without_its_section, SECTION_MISSING, "# B\nowner: me\n\nreplay\n"),
    bad!(
        a_page_with_an_empty_section,
        SECTION_EMPTY,
        "# B\nowner: me\n\nreplay\n## Recovery\n<!-- x -->\n"
    ),
    bad!(
        a_link_to_a_file_that_is_gone,
        LINK_BROKEN,
        "# B\nowner: me\n\n## Recovery\nreplay [x](gone.md)\n"
    ),
    bad!(
        a_link_to_a_heading_that_is_gone,
        ANCHOR_MISSING,
        "# B\nowner: me\n\n## Recovery\nreplay [x](a.md#gone)\n"
    ),
    bad!(
        a_path_that_is_gone,
        PATH_MISSING,
        "# B\nowner: me\n\n## Recovery\nreplay `src/gone.rs`\n"
    ),
    Tooth::known_bad("fg13_no_file", NOTHING_EXAMINED, ALL, &[SOURCE]),
    Tooth::known_bad("fg46_no_link_and_no_path", NOTHING_EXAMINED, ALL, &[("docs/b.md", OTHER)]),
];
