//! The items of a module, found by their first words. What stands where an item has to stand and is none is an error;
//! the inside of functions and types is left as tokens.

use super::{
    Kind, Token, after_group,
    attributes::{arguments, leading_path},
    is_path_separator,
};
use portcullis::{Fault, RelPath, wire::code::INPUT_UNREADABLE};
use std::ops::Range;

/// What an item is, as far as gates ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Use,
    ExternCrate,
    Mod,
    Fn,
    MacroCall,
    Other,
}

/// An item of a module.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    pub(crate) name: Option<String>,
    /// Whether only test builds have it.
    pub(crate) is_test_only: bool,
    /// Whether a test runner calls it.
    pub(crate) is_test: bool,
    /// All its tokens, attributes and visibility included.
    pub(crate) whole: Range<usize>,
    /// What stands between its braces.
    pub(crate) body: Option<Range<usize>>,
}

/// A function that a test runner calls.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    /// As the runner names it within its target.
    pub(crate) name: String,
    /// All its tokens.
    pub(crate) whole: Range<usize>,
}

/// The last names of attributes that make a function a test.
const TEST_ATTRIBUTES: &[&str] =
    &["test", "rstest", "test_case", "quickcheck", "wasm_bindgen_test"];

/// The items of a file or of an inline module, in order.
///
/// # Errors
/// `input_unreadable` with the place of the first token that begins no item.
pub(crate) fn items(
    path: &RelPath,
    tokens: &[Token],
    range: Range<usize>,
) -> Result<Vec<Item>, Fault> {
    let mut found = Vec::new();
    let mut index = range.start;
    while index < range.end {
        if tokens[index].is(";") {
            index += 1;
            continue;
        }
        if tokens[index].is("#") && tokens.get(index + 1).is_some_and(|next| next.is("!")) {
            index = after_group(tokens, (index + 2).min(tokens.len() - 1));
            continue;
        }
        match item(tokens, index, range.end) {
            Some(item) => {
                index = item.whole.end.max(index + 1);
                found.push(item);
            }
            None => {
                let headline = format!("`{path}` has something else where an item has to stand");
                return Err(Fault::new(
                    INPUT_UNREADABLE,
                    headline,
                    "mend the file, or leave it out",
                )
                .at(tokens[index].location(path))
                .found(tokens[index].text.chars().take(60).collect::<String>()));
            }
        }
    }
    Ok(found)
}

/// The tests of a file, those of inline modules and in macro calls included. `module` is the name of the file's module.
///
/// # Errors
/// As [`items`].
pub(crate) fn tests(
    path: &RelPath,
    tokens: &[Token],
    module: &[String],
) -> Result<Vec<Test>, Fault> {
    let mut found = Vec::new();
    let mut waiting = vec![(module.to_vec(), 0..tokens.len())];
    while let Some((module, range)) = waiting.pop() {
        let named = |name: &str| {
            module.iter().map(String::as_str).chain([name]).collect::<Vec<&str>>().join("::")
        };
        for item in items(path, tokens, range)? {
            match (item.kind, &item.name, item.body) {
                (ItemKind::Mod, Some(name), Some(body)) => {
                    let inner = module.iter().cloned().chain([name.clone()]).collect();
                    waiting.push((inner, body));
                }
                (ItemKind::Fn, Some(name), _) if item.is_test => {
                    found.push(Test { name: named(name), whole: item.whole });
                }
                (ItemKind::MacroCall, _, Some(body)) => {
                    found.extend(
                        in_macro(tokens, body)
                            .into_iter()
                            .map(|(name, whole)| Test { name: named(&name), whole }),
                    );
                }
                (
                    ItemKind::Use
                    | ItemKind::ExternCrate
                    | ItemKind::Mod
                    | ItemKind::Fn
                    | ItemKind::MacroCall
                    | ItemKind::Other,
                    _,
                    _,
                ) => {}
            }
        }
    }
    found.sort_by_key(|test| test.whole.start);
    Ok(found)
}

/// The outermost items that only test builds have, wherever they stand, in function bodies and macro calls too.
pub(crate) fn test_only_items(tokens: &[Token]) -> Vec<Item> {
    let mut found = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        let opens = tokens[index].is("#") && tokens.get(index + 1).is_some_and(|next| next.is("["));
        // Reading an item costs its length, so only what carries a telling attribute is read as one.
        let item = if opens && is_marked_test_only(tokens, index) {
            item(tokens, index, tokens.len())
        } else {
            None
        };
        match item {
            Some(item) if item.is_test_only => {
                index = item.whole.end.max(index + 1);
                found.push(item);
            }
            Some(_) | None => index += 1,
        }
    }
    found
}

/// Whether one of the attributes that begin at `start` makes its item part of test builds only.
fn is_marked_test_only(tokens: &[Token], start: usize) -> bool {
    let mut index = start;
    while tokens.get(index).is_some_and(|token| token.is("#"))
        && tokens.get(index + 1).is_some_and(|next| next.is("["))
    {
        let after = after_group(tokens, index + 1);
        let content = &tokens[index + 2..after.saturating_sub(1).max(index + 2)];
        let (path, next) = leading_path(content);
        let is_cfg = path == ["cfg"] && content.get(next).is_some_and(|token| token.is("("));
        let condition = if is_cfg {
            let inner = after_group(content, next).saturating_sub(1).max(next + 1);
            implies_test(&content[next + 1..inner])
        } else {
            false
        };
        if condition || is_test_attribute(content) {
            return true;
        }
        index = after;
    }
    false
}

/// Functions under a test attribute among the tokens of a macro call.
fn in_macro(tokens: &[Token], range: Range<usize>) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let mut index = range.start;
    let mut marked = None;
    // Where the attributes in front of the next item begin: what stands before the mark belongs to the test, too.
    let mut first = None;
    while index < range.end {
        let opens = tokens.get(index + 1).is_some_and(|next| next.is("["));
        if tokens[index].is("#") && opens {
            let end = after_group(tokens, index + 1);
            let start = *first.get_or_insert(index);
            if is_test_attribute(&tokens[index + 2..end.saturating_sub(1).max(index + 2)]) {
                marked.get_or_insert(start);
            }
            index = end;
            continue;
        }
        first = None;
        if tokens[index].is_ident("fn")
            && let Some(start) = marked.take()
            && let Some(name) = tokens.get(index + 1).filter(|next| next.kind == Kind::Ident)
        {
            let end = signature_end(tokens, index, range.end);
            found.push((name.text.clone(), start..end.map_or(range.end, |(_, end)| end)));
        }
        index += 1;
    }
    found
}

fn is_test_attribute(content: &[Token]) -> bool {
    let (path, _) = leading_path(content);
    path.last().is_some_and(|last| TEST_ATTRIBUTES.contains(&last.as_str()))
}

/// Whether a `cfg` condition can only hold in a test build.
fn implies_test(condition: &[Token]) -> bool {
    let (path, next) = leading_path(condition);
    let is_list = condition.get(next).is_some_and(|token| token.is("("));
    let list = || {
        let end = after_group(condition, next).saturating_sub(1).max(next + 1);
        let parts = arguments(&condition[next + 1..end]);
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>()
    };
    match path.as_slice() {
        [name] if name == "test" => condition.len() == 1,
        [name] if name == "all" && is_list => list().into_iter().any(implies_test),
        [name] if name == "any" && is_list => {
            let parts = list();
            !parts.is_empty() && parts.into_iter().all(implies_test)
        }
        _ => false,
    }
}

/// Reads one item.
fn item(tokens: &[Token], start: usize, end: usize) -> Option<Item> {
    let (mut is_test_only, mut is_test) = (false, false);
    let mut index = start;
    while index < end && tokens[index].is("#") {
        let open = index + 1;
        if !tokens.get(open)?.is("[") {
            return None;
        }
        let after = after_group(tokens, open);
        let content = &tokens[open + 1..after.saturating_sub(1).max(open + 1)];
        is_test |= is_test_attribute(content);
        let (path, next) = leading_path(content);
        if path == ["cfg"] && content.get(next).is_some_and(|token| token.is("(")) {
            let inner = after_group(content, next).saturating_sub(1).max(next + 1);
            is_test_only |= implies_test(&content[next + 1..inner]);
        }
        index = after;
    }
    if tokens.get(index)?.is_ident("pub") {
        index += 1;
        if tokens.get(index)?.is("(") {
            index = after_group(tokens, index);
        }
    }
    let (kind, name, index) = head(tokens, index, end)?;
    let (body, whole_end) = match kind {
        ItemKind::Use | ItemKind::ExternCrate => (None, statement_end(tokens, index, end)?),
        ItemKind::Mod | ItemKind::Fn => signature_end(tokens, index, end)?,
        ItemKind::MacroCall => macro_end(tokens, index, end)?,
        ItemKind::Other => {
            let is_statement =
                ["const", "static", "type"].iter().any(|word| tokens[index].is_ident(word));
            if is_statement {
                (None, statement_end(tokens, index, end)?)
            } else {
                signature_end(tokens, index, end)?
            }
        }
    };
    is_test_only |= is_test;
    Some(Item { kind, name, is_test_only, is_test, whole: start..whole_end, body })
}

/// The kind and name of an item, and the index of the word that says so.
fn head(tokens: &[Token], start: usize, end: usize) -> Option<(ItemKind, Option<String>, usize)> {
    let mut index = start;
    while index < end {
        let token = tokens.get(index).filter(|token| token.kind == Kind::Ident)?;
        let next = tokens.get(index + 1);
        let name = || next.filter(|next| next.kind == Kind::Ident).map(|next| next.text.clone());
        let follows =
            |words: &[&str]| next.is_some_and(|next| words.iter().any(|word| next.is_ident(word)));
        return Some(match token.text.as_str() {
            "const" if follows(&["fn", "async", "unsafe", "extern"]) => {
                index += 1;
                continue;
            }
            "async" | "unsafe" | "safe" | "auto" | "default"
                if next.is_some_and(|next| next.kind == Kind::Ident) =>
            {
                index += 1;
                continue;
            }
            "extern" if follows(&["crate"]) => {
                let name = tokens.get(index + 2).map(|name| name.text.clone());
                (ItemKind::ExternCrate, name, index)
            }
            "extern" if next.is_some_and(|next| next.is("{")) => (ItemKind::Other, None, index),
            "extern" => {
                // An ABI may stand between; a block of foreign items has no name.
                let abi = usize::from(next.is_some_and(|next| next.kind == Kind::Literal));
                index += 1 + abi;
                if tokens.get(index)?.is("{") {
                    return Some((ItemKind::Other, None, index));
                }
                continue;
            }
            "use" => (ItemKind::Use, None, index),
            "mod" => (ItemKind::Mod, Some(name()?), index),
            "fn" => (ItemKind::Fn, Some(name()?), index),
            "struct" | "enum" | "trait" | "type" | "static" | "const" => {
                (ItemKind::Other, Some(name()?), index)
            }
            "union" | "macro" if next.is_some_and(|next| next.kind == Kind::Ident) => {
                (ItemKind::Other, name(), index)
            }
            "impl" => (ItemKind::Other, None, index),
            _ => {
                let mut bang = index + 1;
                while is_path_separator(tokens, bang) {
                    bang += 3;
                }
                tokens.get(bang).filter(|token| token.is("!"))?;
                (ItemKind::MacroCall, Some(token.text.clone()), bang)
            }
        });
    }
    None
}

/// The index after the `;` that ends a statement; groups are passed over.
fn statement_end(tokens: &[Token], start: usize, end: usize) -> Option<usize> {
    let mut index = start;
    while index < end {
        match tokens[index].kind {
            Kind::Open => {
                index = after_group(tokens, index);
                continue;
            }
            Kind::Punct if tokens[index].is(";") => return Some(index + 1),
            Kind::Ident | Kind::Punct | Kind::Literal | Kind::Close => index += 1,
        }
    }
    None
}

/// What stands between the braces of an item with a signature, and the index after it.
fn signature_end(
    tokens: &[Token],
    start: usize,
    end: usize,
) -> Option<(Option<Range<usize>>, usize)> {
    let mut index = start;
    let mut angles = 0usize;
    while index < end {
        let token = &tokens[index];
        if token.is(";") && angles == 0 {
            return Some((None, index + 1));
        }
        if token.kind == Kind::Open {
            let after = after_group(tokens, index);
            // A brace among generic arguments is a constant: `impl A<{ 1 }> for B {}`.
            if token.is("{") && angles == 0 {
                return Some((Some(index + 1..after.saturating_sub(1).max(index + 1)), after));
            }
            index = after;
            continue;
        }
        if token.is("<") {
            angles += 1;
        } else if token.is(">") && !tokens[index.saturating_sub(1)].is("-") {
            angles = angles.saturating_sub(1);
        }
        index += 1;
    }
    None
}

/// The content of a macro call from its `!`, and the index after it.
fn macro_end(tokens: &[Token], bang: usize, end: usize) -> Option<(Option<Range<usize>>, usize)> {
    let mut open = bang + 1;
    if tokens.get(open)?.kind == Kind::Ident {
        open += 1;
    }
    tokens.get(open).filter(|token| token.kind == Kind::Open)?;
    let after = after_group(tokens, open);
    let body = open + 1..after.saturating_sub(1).max(open + 1);
    if tokens[open].is("{") {
        return Some((Some(body), after));
    }
    let semicolon = after < end && tokens[after].is(";");
    semicolon.then_some((Some(body), after + 1))
}

#[cfg(test)]
mod fixtures {
    use super::*;

    fn read(text: &str) -> (RelPath, Vec<Token>) {
        let path = RelPath::parse("a.rs").expect("a path");
        let tokens = crate::rust_source::tokens(&path, text).expect("tokens");
        (path, tokens)
    }

    #[test]
    fn items_are_told_apart() {
        let table: &[(&str, &str, &[&str])] = &[
            (
                "imports",
                "use a::{b, c}; pub(in crate::x) use d as e; extern crate f;",
                &["Use", "Use", "ExternCrate f"],
            ),
            (
                "modules",
                "mod a; pub mod b { fn c() {} } unsafe mod d;",
                &["Mod a", "Mod b", "Mod d"],
            ),
            (
                "functions",
                "fn a() {} const fn b() {} pub async unsafe extern \"C\" fn c() -> Vec<u8> {}",
                &["Fn a", "Fn b", "Fn c"],
            ),
            (
                "constants",
                "const A: [u8; 2] = { [1; 2] }; static B: u8 = 1; const _: () = ();",
                &["Other A", "Other B", "Other _"],
            ),
            (
                "types",
                "struct A; struct B(u8); struct C<T> where T: D { x: T } enum E {} union F { a: u8 } type G = H;",
                &["Other A", "Other B", "Other C", "Other E", "Other F", "Other G"],
            ),
            (
                "implementations",
                "impl<T> A<{ 1 }> for B<T> where F: Fn(u8) -> C {} unsafe impl D {} trait E {}",
                &["Other", "Other", "Other E"],
            ),
            (
                "foreign items",
                "extern \"C\" { fn a(); } extern {} unsafe extern \"C\" { fn b(); }",
                &["Other", "Other", "Other"],
            ),
            (
                "macros",
                "macro_rules! a { () => {} } b! {} c::d!(1); e![2];",
                &["MacroCall macro_rules", "MacroCall b", "MacroCall c", "MacroCall e"],
            ),
            ("attributes", "#![no_std] #[a] #[b(c)] pub fn d() {};", &["Fn d"]),
        ];
        for (case, text, expected) in table {
            let (path, tokens) = read(text);
            let seen: Vec<String> = items(&path, &tokens, 0..tokens.len())
                .expect(case)
                .iter()
                .map(|item| format!("{:?} {}", item.kind, item.name.as_deref().unwrap_or("")))
                .map(|text| text.trim_end().to_owned())
                .collect();
            assert_eq!(seen, *expected, "{case}");
        }
    }

    #[test]
    fn what_is_no_item_is_an_error() {
        for text in [
            "this is not rust",
            "fn a()",
            "use a::b",
            "let a = 1;",
            "a!()",
            "1;",
            "#[a]",
            "# fn a() {}",
            "mod { }",
        ] {
            let (path, tokens) = read(text);
            let fault = items(&path, &tokens, 0..tokens.len()).expect_err(text);
            assert_eq!(fault.code().name(), "input_unreadable", "{text}");
        }
    }

    #[test]
    fn only_test_builds_have_what_their_condition_says() {
        let table: &[(&str, bool)] = &[
            ("#[cfg(test)] mod a {}", true),
            ("#[cfg(all(test, unix))] use a::b;", true),
            ("#[cfg(any(test, all(test, unix)))] use a::b;", true),
            ("#[test] fn a() {}", true),
            ("#[cfg(any(test, unix))] use a::b;", false),
            ("#[cfg(not(test))] use a::b;", false),
            ("#[cfg(feature = \"test\")] use a::b;", false),
            ("#[cfg_attr(test, a)] use a::b;", false),
            ("#[cfg(any())] use a::b;", false),
        ];
        for (text, expected) in table {
            let (path, tokens) = read(text);
            let seen = items(&path, &tokens, 0..tokens.len()).expect(text);
            assert_eq!(seen[0].is_test_only, *expected, "{text}");
        }
    }

    #[test]
    fn tests_are_named_as_their_runner_names_them() {
        let text = "#[test] fn a() {} #[tokio::test(flavor = \"x\")] async fn b() {} fn c() {}\n\
                    mod m { #[test] fn d() {} mod n { #[rstest] #[case(1)] fn e() {} } }\n\
                    proptest! { #![config(x)] #[test] fn f(x in 0..1) {} fn g() {} }\n\
                    // #[test] fn h() {}\nconst T: &str = \"#[test] fn i() {}\";";
        let (path, tokens) = read(text);
        let seen = tests(&path, &tokens, &["x".to_owned()]).expect("items");
        let names: Vec<&str> = seen.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(names, ["x::a", "x::b", "x::m::d", "x::m::n::e", "x::f"]);
    }
}
