//! Tables over the kind of texts.

use super::{teeth::*, *};
use portcullis::testing::{Seen, run};

fn codes(seen: &Seen) -> Vec<String> {
    if seen.codes.is_empty() { seen.code.clone().into_iter().collect() } else { seen.codes.clone() }
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&TEXT_TOKENS), Vec::<String>::new());
}

#[test]
fn tokens_are_looked_for_in_their_sections() {
    let config = |rest: &str| format!("files = ['a.md']\n{rest}");
    let text = "# A\nx1\n## B\ny2\n## C\n### B\nz3\n";
    let table: &[(&str, &str, &[&str])] = &[
        ("anywhere", "required = ['z3']", &[]),
        ("by pattern", "required = [{ pattern = '^[xyz][0-9]$' }]", &[]),
        ("a pattern sees one line", "required = [{ pattern = 'x1.*y2' }]", &["token_missing"]),
        ("in every section of the name", "sections = ['B']\nrequired = ['y2']", &["token_missing"]),
        ("in one section", "sections = ['C > B']\nrequired = ['z3']", &[]),
        ("outside of the section", "sections = ['C']\nrequired = ['y2']", &["token_missing"]),
        ("forbidden outside of the section", "sections = ['C']\nforbidden = ['y2']", &[]),
        (
            "forbidden in a section below",
            "sections = ['A']\nforbidden = ['y2']",
            &["token_forbidden"],
        ),
        ("each time", "forbidden = [{ pattern = '[0-9]' }]", &["token_forbidden"; 3]),
        ("no such section", "sections = ['D', 'C']\nrequired = ['z3']", &["section_missing"]),
        (
            "only sections that are missing",
            "sections = ['D']\nrequired = ['z3']",
            &["section_missing"],
        ),
        ("case matters", "required = ['X1']", &["token_missing"]),
    ];
    for (case, rest, expected) in table {
        let seen = run(&TEXT_TOKENS, &config(rest), &[("a.md", text)]);
        let found: Vec<String> =
            seen.looked.findings.iter().map(|found| found.code.clone()).collect();
        let found = if found.is_empty() { codes(&seen) } else { found };
        // A missing section leaves nothing to search, which is an error beside the finding.
        if *case == "only sections that are missing" {
            assert_eq!(seen.code.as_deref(), Some("nothing_examined"), "{case}");
        } else {
            assert_eq!(found, *expected, "{case}");
        }
    }
}

#[test]
fn each_page_needs_its_sections() {
    let config = "files = ['a.md']\npage_level = 2\nrequired_sections = ['Recovery']";
    /// The case, the text, and code and line of each finding.
    type Row = (&'static str, &'static str, &'static [(&'static str, u32)]);
    let table: &[Row] = &[
        ("complete", "# T\n## P\n### Recovery\nx\n## Q\n### Recovery\ny\n", &[]),
        ("one lacks it", "# T\n## P\n### Recovery\nx\n## Q\ny\n", &[("section_missing", 5)]),
        (
            "one left it empty",
            "# T\n## P\n### Recovery\n\n## Q\n### Recovery\ny\n",
            &[("section_empty", 3)],
        ),
        (
            "only a comment",
            "## P\n### Recovery\n<!-- x\n\n --> <!-- y -->\n",
            &[("section_empty", 2)],
        ),
        ("a heading is something", "## P\n### Recovery\n#### By hand\n", &[]),
        ("in a code block", "## P\n```\n### Recovery\n```\n", &[("section_missing", 1)]),
        (
            "underlined",
            "## P\nRecovery\n---\nx\n",
            &[("section_missing", 1), ("section_missing", 2)],
        ),
    ];
    for (case, text, expected) in table {
        let seen = run(&TEXT_TOKENS, config, &[("a.md", text)]);
        let found: Vec<(&str, u32)> = seen
            .looked
            .findings
            .iter()
            .map(|found| (found.code.as_str(), found.location.as_ref().map_or(0, |at| at.line)))
            .collect();
        assert_eq!(found, *expected, "{case}");
    }
    let seen = run(&TEXT_TOKENS, config, &[("a.md", "# Only one\n")]);
    assert_eq!(seen.code.as_deref(), Some("nothing_examined"), "no page");
}

#[test]
fn links_are_followed_within_the_repository() {
    let table: &[(&str, &str, &[&str])] = &[
        ("a file beside it", "[x](b.md)", &[]),
        ("a file above", "[x](../src/a.rs#L3)", &[]),
        ("a folder", "[x](../src/)", &[]),
        ("from the root", "[x](/src/a.rs)", &[]),
        ("the root itself", "[x](..)", &[]),
        ("an escaped name", "[x](a%20b.md)", &[]),
        ("a heading", "[x](b.md#the-code-b)", &[]),
        ("a heading of its own", "# Own\n[x](#own)", &[]),
        ("an anchor of HTML", "<a name=\"here\"></a>\n[x](#here)", &[]),
        ("a produced file", "[x](../target/doc/index.html)", &[]),
        ("another host beside it", "[x](https://example.invalid/gone) [y](b.md)", &[]),
        ("an image", "![x](gone.png)", &["link_broken"]),
        ("a reference", "[x][y]\n\n[y]: gone.md", &["link_broken"]),
        ("a reference nobody defined", "[x][y]", &["link_broken"]),
        ("out of the repository", "[x](../../x.md)", &["link_broken"]),
        ("a heading that is gone", "[x](b.md#gone)", &["anchor_missing"]),
        ("a heading of its own that is gone", "[x](#gone)", &["anchor_missing"]),
        ("a heading in a code block", "```\n# Gone\n```\n[x](#gone)", &["anchor_missing"]),
        (
            "only other hosts",
            "[x](https://example.invalid/) [y](mailto:a@b.invalid)",
            &["nothing_examined"],
        ),
        ("in a code block", "```\n[x](gone.md)\n```", &["nothing_examined"]),
    ];
    let config = "files = ['docs/a.md']\nlinks = true\nproduced = ['target/**']";
    for (case, text, expected) in table {
        let files =
            [SOURCE, ("docs/a.md", *text), ("docs/b.md", "# The `code` B\n"), ("docs/a b.md", "x")];
        assert_eq!(codes(&run(&TEXT_TOKENS, config, &files)), *expected, "{case}");
    }
}

#[test]
fn t07_paths_between_backticks_exist() {
    let table: &[(&str, &str, &[&str])] = &[
        ("from the root", "`src/a.rs`", &[]),
        ("with a line", "`src/a.rs:12`", &[]),
        ("a folder", "`src/`", &[]),
        ("from its own folder", "`b/c.md`", &[]),
        ("a name that counts", "`clippy.toml`", &[]),
        ("a name that counts and is gone", "`deny.toml`", &["path_missing"]),
        ("gone", "`src/b.rs`", &["path_missing"]),
        ("gone, over a line break", "a\n`src/b.rs`\nb", &["path_missing"]),
        ("a folder that is gone", "`lib/`", &["path_missing"]),
        ("out of the repository", "`../../etc/x.conf`", &["path_missing"]),
        ("produced", "`target/x.json` `src/a.rs`", &[]),
        (
            "no paths",
            "`a/b` `--flag` `https://x.invalid/y.md` `src/*.rs` `a = b/c.d` `b.md`",
            &["nothing_examined"],
        ),
    ];
    let config =
        "files = ['docs/a.md']\npaths = true\npath_names = ['*.toml']\nproduced = ['target/**']";
    for (case, text, expected) in table {
        let files = [SOURCE, ("docs/a.md", *text), ("docs/b/c.md", ""), ("clippy.toml", "")];
        assert_eq!(codes(&run(&TEXT_TOKENS, config, &files)), *expected, "{case}");
    }
    let rooted = format!("{config}\npath_roots = ['src/']");
    let files = [SOURCE, ("docs/a.md", "`lib/gone.rs` `src/a.rs` `src/gone`")];
    assert_eq!(codes(&run(&TEXT_TOKENS, &rooted, &files)), ["path_missing"]);
}

#[test]
fn tables_that_check_nothing_are_refused() {
    let table: &[(&str, &str)] = &[
        ("nothing", ""),
        ("an empty token", "required = ['']"),
        ("sections without tokens", "sections = ['A']\nlinks = true"),
        ("an empty heading", "required_sections = ['A > ']"),
        ("a level", "page_level = 7\nrequired = ['a']"),
        ("roots without paths", "path_roots = ['src/']\nlinks = true"),
        ("produced for nothing", "produced = ['target/**']\nrequired = ['a']"),
        ("a key nothing reads", "required = ['a']\nrequire = ['b']"),
        ("an empty pattern", "required = [{ pattern = '' }]"),
    ];
    for (case, rest) in table {
        let seen = run(&TEXT_TOKENS, &format!("files = ['a.md']\n{rest}"), &[("a.md", "a")]);
        assert!(
            seen.error().is_some_and(|error| error.code.starts_with("config_")),
            "{case}: {:?}",
            seen.code
        );
    }
    let seen = run(&TEXT_TOKENS, "files = ['a.txt']\nlinks = true", &[("a.txt", "a")]);
    assert_eq!(seen.code.as_deref(), Some("config_invalid"), "links of a text that is no Markdown");
}

#[test]
fn t23_a_line_too_long_for_a_pattern_is_an_error() {
    let long = "x".repeat(crate::pattern::LINE_MAX + 1);
    let config = "files = ['a.txt']\nforbidden = [{ pattern = 'y' }]";
    let seen = run(&TEXT_TOKENS, config, &[("a.txt", &long)]);
    assert_eq!(seen.code.as_deref(), Some("budget_exceeded"));
}
