//! What a suite forbids its members: names in code and texts in literals, in all their module files.

use super::{Config, Leak, Placed, SUITE_LEAK, universe::Member};
use crate::{
    rust_source::{Kind, PathUse, Token, module_files, path_uses},
    test_doubles::{CRATES, NAMES},
};
use portcullis::{
    Fault, Finding, Findings, GateContext, GateError, RelPath, wire::code::INPUT_UNREADABLE,
};

/// What a suite may deny its members as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Preset {
    /// Stand-ins for the real thing, by their names and by the crates that make them.
    Doubles,
    /// Recorded traffic.
    Cassettes,
    /// Files and builders that tests share.
    Fixtures,
}

impl Preset {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Doubles => NAMES,
            Self::Cassettes => &["Cassette*", "*Cassette", "cassette*", "Vcr*"],
            Self::Fixtures => &["fixture", "fixtures", "fixture_*", "*_fixture", "*_fixtures"],
        }
    }

    fn crates(self) -> &'static [&'static str] {
        match self {
            Self::Doubles => CRATES,
            Self::Cassettes => &["reqwest_vcr", "rvcr", "surf_vcr", "vcr_cassette"],
            Self::Fixtures => &[],
        }
    }

    /// A folder that means it wherever a text names it.
    fn folders(self) -> &'static [&'static str] {
        match self {
            Self::Doubles => &[],
            Self::Cassettes => &["cassette", "cassettes"],
            Self::Fixtures => &["fixture", "fixtures"],
        }
    }

    /// What of it a path names.
    fn in_path(self, found: &PathUse) -> Option<&'static str> {
        let is_named = |name: &&&str| found.contains(&[(**name).to_owned()]);
        let named = self.names().iter().find(is_named).copied();
        // Of a glob import only the import itself names the crate; the names behind it may be anything.
        let is_glob = found.at.is("*");
        let firsts: Vec<&String> = found
            .meanings
            .iter()
            .take(found.direct)
            .filter(|path| path.len() > 1 || is_glob)
            .filter_map(|path| path.first())
            .collect();
        let of_crate = self.crates().iter().find(|name| firsts.iter().any(|first| first == *name));
        named.or(of_crate.copied())
    }

    /// What of it a literal names: one part of a path, whole.
    fn in_literal(self, text: &str) -> Option<&'static str> {
        let mut parts = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        parts.find_map(|part| self.folders().iter().find(|folder| **folder == part).copied())
    }
}

/// Applies each leak rule to the members of its suite.
pub(super) fn scan(
    cx: &GateContext<'_>,
    config: &Config,
    members: &[Member],
    placed: &Placed<'_>,
    out: &mut Findings,
) -> Result<(), GateError> {
    for rule in &config.leak {
        for member in members {
            let entries = placed.get(member.name.as_str()).map_or(&[][..], Vec::as_slice);
            if entries.iter().any(|entry| entry.suite == *rule.suite.get_ref()) {
                scan_member(cx, rule, member, out)?;
            }
        }
    }
    Ok(())
}

fn scan_member(
    cx: &GateContext<'_>,
    rule: &Leak,
    member: &Member,
    out: &mut Findings,
) -> Result<(), GateError> {
    let Some(source) = &member.source else {
        let headline = format!("the source of `{}` lies outside the repository", member.name);
        return Err(Fault::new(INPUT_UNREADABLE, headline, "move the target into the repository"));
    };
    let read = |path: &RelPath| {
        let file = cx.file(path);
        if file.exists()? { file.text().map(Some) } else { Ok(None) }
    };
    for (path, file) in cx.watch(module_files(source, read))? {
        let tokens = file.tokens;
        for found in path_uses(&tokens) {
            for name in &rule.forbid {
                let parts: Vec<String> = name.split("::").map(str::to_owned).collect();
                if found.contains(&parts) {
                    out.push(leak(rule, member, name, &path, &found.at));
                }
            }
            for name in rule.deny.iter().filter_map(|preset| preset.in_path(&found)) {
                out.push(leak(rule, member, name, &path, &found.at));
            }
        }
        for token in tokens.iter().filter(|token| token.kind == Kind::Literal) {
            for name in rule.deny.iter().filter_map(|preset| preset.in_literal(&token.text)) {
                out.push(leak(rule, member, name, &path, token));
            }
            for pattern in &rule.forbid_literals {
                if matches_some_line(pattern, &token.text)? {
                    out.push(leak(rule, member, pattern.text(), &path, token));
                }
            }
        }
    }
    Ok(())
}

fn matches_some_line(pattern: &crate::pattern::Pattern, text: &str) -> Result<bool, Fault> {
    for line in text.lines() {
        if pattern.matches(line)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn leak(rule: &Leak, member: &Member, what: &str, path: &RelPath, at: &Token) -> Finding {
    let suite = rule.suite.get_ref();
    Finding::new(
        SUITE_LEAK,
        format!("{}: {what}", member.label()),
        format!("`{}` is in the suite `{suite}`, which must not use `{what}`", member.label()),
        "move the test to the suite that allows this, or test without it",
    )
    .at(at.location(path))
    .found(at.text.chars().take(120).collect::<String>())
}
