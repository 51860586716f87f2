//! Rust sources as gates read them: flat tokens with places, without comments. It resolves no names across files.

#[cfg(feature = "classification")]
mod active;
mod attributes;
#[cfg(feature = "classification")]
mod items;
#[cfg(feature = "classification")]
mod module_tree;
mod paths;

#[cfg(feature = "classification")]
pub(crate) use active::{Features, RosterTest, file_tests};
pub(crate) use attributes::attributes;
#[cfg(feature = "classification")]
pub(crate) use items::{ItemKind, Test, items, test_only_items, tests};
#[cfg(feature = "classification")]
pub(crate) use module_tree::{ModuleFile, declared_elsewhere, module_files};
#[cfg(feature = "classification")]
pub(crate) use paths::PathUse;
#[cfg(feature = "classification")]
pub(crate) use paths::{Written, fits, written};
pub(crate) use paths::{ends_with, path_uses};

use portcullis::{Fault, Location, RelPath, wire::code::INPUT_UNREADABLE};
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree, token_stream};

/// What a token is. Delimiters are kept, so that groups can be found again in the flat list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword, without `r#`.
    Ident,
    /// One character of punctuation.
    Punct,
    /// A literal as written.
    Literal,
    /// `(`, `[` or `{`; nothing for the invisible groups of macros.
    Open,
    /// The matching end.
    Close,
}

/// One token of a source.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Token {
    fn new(kind: Kind, text: String, span: Span) -> Self {
        let at = span.start();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { kind, text, line: number(at.line), column: number(at.column + 1) }
    }

    /// Whether it is this name.
    pub(crate) fn is_ident(&self, name: &str) -> bool {
        self.kind == Kind::Ident && self.text == name
    }

    /// Whether it is this punctuation or delimiter.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Ident && self.kind != Kind::Literal && self.text == text
    }

    /// Its place in a file.
    pub(crate) fn location(&self, path: &RelPath) -> Location {
        Location::at(path, self.line, self.column)
    }
}

/// Reads a source into flat tokens, without comments and documentation.
///
/// # Errors
/// `input_unreadable` with the line when the text is not made of Rust tokens: what cannot be read cannot be cleared.
pub(crate) fn tokens(path: &RelPath, text: &str) -> Result<Vec<Token>, Fault> {
    let without_shebang = match text.strip_prefix("#!") {
        // `#![..]` is an attribute; anything else on the first line is for the shell.
        Some(rest) if !rest.trim_start().starts_with('[') => {
            text.find('\n').map_or("", |end| &text[end..])
        }
        _ => text,
    };
    let parsed: Result<TokenStream, _> = without_shebang.parse();
    let tokens = parsed.map(flatten).map(without_docs).map_err(|source| {
        let at = source.span().start();
        let line = u32::try_from(at.line).unwrap_or(0);
        Fault::new(
            INPUT_UNREADABLE,
            format!("`{path}` is not Rust source"),
            "mend the file, or leave it out",
        )
        .at(Location::at(path, line, u32::try_from(at.column + 1).unwrap_or(0)))
        .because(&source)
    });
    // The spans of a file are kept for the life of the thread otherwise, and with them its text.
    proc_macro2::extra::invalidate_current_thread_spans();
    tokens
}

/// Flattens without recursion: nesting in a hostile file must not exhaust the stack (threat T12).
fn flatten(stream: TokenStream) -> Vec<Token> {
    let mut flat = Vec::new();
    let mut open: Vec<(token_stream::IntoIter, Option<Token>)> = vec![(stream.into_iter(), None)];
    while let Some((iter, _close)) = open.last_mut() {
        match iter.next() {
            Some(TokenTree::Group(group)) => {
                let (opening, closing) = delimiters(&group);
                flat.extend(opening);
                open.push((group.stream().into_iter(), closing));
            }
            Some(TokenTree::Ident(ident)) => {
                let text = ident.to_string();
                let plain = text.strip_prefix("r#").unwrap_or(&text).to_owned();
                flat.push(Token::new(Kind::Ident, plain, ident.span()));
            }
            Some(TokenTree::Punct(punct)) => {
                flat.push(Token::new(Kind::Punct, punct.as_char().to_string(), punct.span()));
            }
            Some(TokenTree::Literal(literal)) => {
                flat.push(Token::new(Kind::Literal, literal.to_string(), literal.span()));
            }
            None => {
                let closing = open.pop().and_then(|(_iter, closing)| closing);
                flat.extend(closing);
            }
        }
    }
    flat
}

/// Drops `#[doc = ".."]`, which is what a doc comment becomes.
fn without_docs(flat: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(flat.len());
    let mut index = 0;
    while index < flat.len() {
        index += doc_length(&flat[index..]).unwrap_or_else(|| {
            kept.push(flat[index].clone());
            1
        });
    }
    kept
}

fn doc_length(flat: &[Token]) -> Option<usize> {
    let bang = usize::from(flat.get(1)?.is("!"));
    let is_doc = flat.first()?.is("#")
        && flat.get(1 + bang)?.is("[")
        && flat.get(2 + bang)?.is_ident("doc")
        && flat.get(3 + bang)?.is("=")
        && flat.get(4 + bang)?.kind == Kind::Literal
        && flat.get(5 + bang)?.is("]");
    is_doc.then_some(6 + bang)
}

fn delimiters(group: &Group) -> (Option<Token>, Option<Token>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => return (None, None),
    };
    (
        Some(Token::new(Kind::Open, open.to_owned(), group.span_open())),
        Some(Token::new(Kind::Close, close.to_owned(), group.span_close())),
    )
}

/// The index after the group that opens at `open`.
pub(crate) fn after_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (offset, token) in tokens[open..].iter().enumerate() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Ident | Kind::Punct | Kind::Literal => {}
        }
        if depth == 0 {
            return open + offset + 1;
        }
    }
    tokens.len()
}

/// Whether a text is a name or path as forbidding lists take it; a part may begin or end with `*`.
pub(crate) fn is_name(text: &str) -> bool {
    text.split("::").all(|part| {
        let name = part.strip_prefix('*').or_else(|| part.strip_suffix('*')).unwrap_or(part);
        let first = name.chars().next();
        first.is_some_and(|c| c == '_' || c.is_alphabetic())
            && name.chars().all(|c| c == '_' || c.is_alphanumeric())
    })
}

/// Whether `::` stands at `index`.
pub(crate) fn is_path_separator(tokens: &[Token], index: usize) -> bool {
    tokens.get(index).is_some_and(|token| token.is(":"))
        && tokens.get(index + 1).is_some_and(|token| token.is(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Token>, Fault> {
        tokens(&RelPath::parse("a.rs").expect("a path"), text)
    }

    #[test]
    fn comments_are_gone_and_places_are_kept() {
        let flat = read("// unwrap\n/// unwrap\nfn a() { /* unwrap */ r#type; \"unwrap\" }\n")
            .expect("Rust");
        let names: Vec<&str> = flat.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(names, ["fn", "a", "(", ")", "{", "type", ";", "\"unwrap\"", "}"]);
        assert_eq!((flat[0].line, flat[0].column), (3, 1));
        let shebang = read("#!/usr/bin/env it's\nfn a() {}").expect("a script");
        assert_eq!((shebang[0].text.as_str(), shebang[0].line), ("fn", 2));
        assert_eq!(read("#![no_std]").expect("an attribute").len(), 5);
    }

    #[test]
    fn t12_what_is_not_rust_is_an_error_and_nesting_is_no_bomb() {
        for text in ["fn a() {", "fn a() }", "\"open", "'"] {
            assert_eq!(read(text).expect_err(text).code().name(), "input_unreadable");
        }
        let deep = format!("{}{}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(read(&deep).expect("balanced").len(), 200_000);
    }
}
