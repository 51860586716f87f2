//! What a suite forbids its members: names in code and texts in literals, in all their module files.

use super::{Config, Leak, Placed, SUITE_LEAK, universe::Member};
use crate::rust_source::{Kind, Token, module_files, path_uses};
use portcullis::{
    Fault, Finding, Findings, GateContext, GateError, RelPath, wire::code::INPUT_UNREADABLE,
};

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
        }
        for token in tokens.iter().filter(|token| token.kind == Kind::Literal) {
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
