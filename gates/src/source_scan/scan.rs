//! The search through one file: names, macros and attributes in tokens, or patterns in lines.

use super::{
    Config, FORBIDDEN_ATTRIBUTE, FORBIDDEN_IDENTIFIER, FORBIDDEN_MACRO, FORBIDDEN_TEXT,
    allowance::Allowances,
};
use crate::rust_source::{Token, attributes, ends_with, path_uses, tokens};
use portcullis::{Code, Fault, Finding, Findings, Location, RelPath};

/// The forbidden names, split once.
pub(super) struct Rules<'a> {
    names: Vec<Rule<'a>>,
    macros: Vec<Rule<'a>>,
    attributes: Vec<Rule<'a>>,
}

/// One forbidden name or path.
struct Rule<'a> {
    token: &'a str,
    parts: Vec<String>,
}

impl<'a> Rules<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let split = |list: &'a [toml::Spanned<String>]| {
            let rule = |name: &'a toml::Spanned<String>| Rule {
                token: name.get_ref(),
                parts: name.get_ref().split("::").map(str::to_owned).collect(),
            };
            list.iter().map(rule).collect()
        };
        Self {
            names: split(&config.forbidden),
            macros: split(&config.forbidden_macros),
            attributes: split(&config.forbidden_attributes),
        }
    }
}

/// Searches one Rust source.
///
/// # Errors
/// When it is not made of Rust tokens.
pub(super) fn rust(
    rules: &Rules<'_>,
    path: &RelPath,
    text: &str,
    allowances: &mut Allowances<'_>,
    out: &mut Findings,
) -> Result<(), Fault> {
    let tokens = tokens(path, text)?;
    let mut report = |code: Code, rule: &Rule<'_>, at: &Token| {
        if !allowances.cover(path, rule.token) {
            out.push(finding(code, rule.token, path, at.location(path)));
        }
    };
    for found in path_uses(&tokens) {
        for rule in rules.names.iter().filter(|rule| found.contains(&rule.parts)) {
            report(FORBIDDEN_IDENTIFIER, rule, &found.at);
        }
        for rule in
            rules.macros.iter().filter(|rule| found.is_macro && found.ends_with(&rule.parts))
        {
            report(FORBIDDEN_MACRO, rule, &found.at);
        }
    }
    for found in attributes(&tokens) {
        for rule in rules.attributes.iter().filter(|rule| ends_with(&found.path, &rule.parts)) {
            report(FORBIDDEN_ATTRIBUTE, rule, &found.at);
        }
    }
    Ok(())
}

/// Searches one file line by line.
///
/// # Errors
/// `budget_exceeded` for a line that is too long to search.
pub(super) fn text(
    config: &Config,
    path: &RelPath,
    text: &str,
    allowances: &mut Allowances<'_>,
    out: &mut Findings,
) -> Result<(), Fault> {
    for (index, line) in text.lines().enumerate() {
        for pattern in &config.forbidden_text {
            let pattern = pattern.get_ref();
            if pattern
                .matches(line)
                .map_err(|fault| fault.at(Location::at(path, line_number(index), 0)))?
                && !allowances.cover(path, pattern.text())
            {
                out.push(
                    finding(
                        FORBIDDEN_TEXT,
                        pattern.text(),
                        path,
                        Location::at(path, line_number(index), 0),
                    )
                    .found(line.trim().chars().take(120).collect::<String>()),
                );
            }
        }
    }
    Ok(())
}

fn line_number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

fn finding(code: Code, token: &str, path: &RelPath, at: Location) -> Finding {
    let (what, remedy) = if code == FORBIDDEN_ATTRIBUTE {
        ("has the attribute", "remove it; assert what is meant, or delete the test")
    } else if code == FORBIDDEN_MACRO {
        ("calls the macro", "use what the gate's title asks for instead")
    } else if code == FORBIDDEN_TEXT {
        ("has a line that matches", "write the line without it")
    } else {
        ("uses", "use what the gate's title asks for, or allow it with a reason and a day")
    };
    Finding::new(code, token, format!("`{path}` {what} `{token}`"), remedy).at(at)
}
