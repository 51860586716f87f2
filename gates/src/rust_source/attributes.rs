//! The attributes of a source, those inside `cfg_attr` included. It does not evaluate any `cfg`.

use super::{Kind, Token, after_group, is_path_separator};

/// An attribute: its path, its arguments, and the token it starts at.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) path: Vec<String>,
    /// The paths that its arguments begin with, as `lint` in `allow(lint, reason = "..")`.
    #[cfg_attr(
        not(feature = "workflows"),
        expect(dead_code, reason = "`lint_floor` asks for them")
    )]
    pub(crate) arguments: Vec<String>,
    pub(crate) at: Token,
}

/// Every attribute of a source, in order, wherever it stands, in macro bodies too.
pub(crate) fn attributes(tokens: &[Token]) -> Vec<Attribute> {
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if !token.is("#") {
            continue;
        }
        let mut open = index + 1;
        if tokens.get(open).is_some_and(|next| next.is("!")) {
            open += 1;
        }
        if tokens.get(open).is_some_and(|next| next.is("[")) {
            let end = after_group(tokens, open).saturating_sub(1);
            read(&tokens[open + 1..end.max(open + 1)], &mut found);
        }
    }
    found
}

/// Reads the content of one attribute, and what a `cfg_attr` would add.
fn read(content: &[Token], found: &mut Vec<Attribute>) {
    let mut waiting = vec![content];
    while let Some(content) = waiting.pop() {
        let (path, next) = leading_path(content);
        let Some(at) = content.first() else { continue };
        // `unsafe(no_mangle)` wraps an attribute, and `cfg_attr(condition, a, b)` adds several.
        let wraps = match path.as_slice() {
            [name] if name == "cfg_attr" => Some(1),
            [name] if name == "unsafe" => Some(0),
            _ => None,
        };
        if let Some(skipped) = wraps
            && content.get(next).is_some_and(|token| token.is("("))
        {
            let end = after_group(content, next).saturating_sub(1);
            waiting
                .extend(arguments(&content[next + 1..end.max(next + 1)]).into_iter().skip(skipped));
        }
        if !path.is_empty() {
            let mut names = Vec::new();
            if content.get(next).is_some_and(|token| token.is("(")) {
                let end = after_group(content, next).saturating_sub(1);
                let inside = arguments(&content[next + 1..end.max(next + 1)]);
                names.extend(inside.into_iter().map(|one| leading_path(one).0.join("::")));
            }
            found.push(Attribute { path, arguments: names, at: at.clone() });
        }
    }
}

pub(super) fn leading_path(content: &[Token]) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    let mut index = 0;
    if is_path_separator(content, index) {
        index += 2;
    }
    while let Some(token) = content.get(index).filter(|token| token.kind == Kind::Ident) {
        path.push(token.text.clone());
        index += 1;
        if !is_path_separator(content, index) {
            break;
        }
        index += 2;
    }
    (path, index)
}

/// Splits at the commas of the outermost level.
pub(super) fn arguments(content: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut start, mut index) = (Vec::new(), 0, 0);
    while index < content.len() {
        if content[index].kind == Kind::Open {
            index = after_group(content, index);
            continue;
        }
        if content[index].is(",") {
            parts.push(&content[start..index]);
            start = index + 1;
        }
        index += 1;
    }
    parts.push(&content[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust_source::tokens;
    use portcullis::RelPath;

    #[test]
    fn attributes_are_found_wherever_they_stand() {
        let table: &[(&str, &str, &[&str])] = &[
            ("outer", "#[test] fn a() {}", &["test"]),
            ("inner", "#![allow(x)]", &["allow"]),
            ("a path with arguments", "#[tokio::test(flavor = 1)] fn a() {}", &["tokio::test"]),
            (
                "inside cfg_attr",
                "#[cfg_attr(all(unix, x), ignore = \"slow\", should_panic)] fn a() {}",
                &["cfg_attr", "should_panic", "ignore"],
            ),
            (
                "nested cfg_attr",
                "#[cfg_attr(a, cfg_attr(b, ignore))] fn a() {}",
                &["cfg_attr", "cfg_attr", "ignore"],
            ),
            ("wrapped in unsafe", "#[unsafe(no_mangle)] fn a() {}", &["unsafe", "no_mangle"]),
            ("in a macro body", "m! { #[ignore] fn a() {} }", &["ignore"]),
            ("a condition is no attribute", "#[cfg(ignore)] fn a() {}", &["cfg"]),
            ("a text is no attribute", "const A: &str = \"#[ignore]\";", &[]),
        ];
        let path = RelPath::parse("a.rs").expect("a path");
        for (case, text, expected) in table {
            let tokens = tokens(&path, text).expect(case);
            let seen: Vec<String> =
                attributes(&tokens).iter().map(|found| found.path.join("::")).collect();
            assert_eq!(seen, *expected, "{case}");
        }
    }
}
