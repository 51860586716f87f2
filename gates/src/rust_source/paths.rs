//! The paths of a source, with its own `use` declarations resolved. Scopes are ignored: an import counts everywhere.

use super::{Kind, Token, is_path_separator};
use std::collections::BTreeMap;

/// One use of a path: as written, and as the imports of the file complete it.
#[derive(Clone, Debug)]
pub(crate) struct PathUse {
    /// The paths it can mean, the written one first.
    pub(crate) meanings: Vec<Vec<String>>,
    /// How many of them, from the first, no glob import has guessed.
    #[cfg_attr(
        not(feature = "classification"),
        expect(dead_code, reason = "leak rules ask for it")
    )]
    pub(crate) direct: usize,
    /// Its first token.
    pub(crate) at: Token,
    /// Whether `!` follows, as in a macro call.
    pub(crate) is_macro: bool,
}

impl PathUse {
    /// Whether some meaning contains these parts in a row.
    pub(crate) fn contains(&self, parts: &[String]) -> bool {
        self.meanings.iter().any(|path| path.windows(parts.len()).any(|window| fits(window, parts)))
    }

    /// Whether some meaning ends in these parts.
    pub(crate) fn ends_with(&self, parts: &[String]) -> bool {
        self.meanings.iter().any(|path| ends_with(path, parts))
    }
}

/// Whether a path ends in these parts.
pub(crate) fn ends_with(path: &[String], parts: &[String]) -> bool {
    path.len() >= parts.len() && fits(&path[path.len() - parts.len()..], parts)
}

/// Whether names fit parts of the same number; a part may begin or end with `*`.
pub(crate) fn fits(names: &[String], parts: &[String]) -> bool {
    names.iter().zip(parts).all(|(name, part)| {
        match (part.strip_prefix('*'), part.strip_suffix('*')) {
            (Some(tail), _) => name.ends_with(tail),
            (None, Some(head)) => name.starts_with(head),
            (None, None) => name == part,
        }
    })
}

/// What the `use` declarations of a file bring in.
#[derive(Default)]
struct Imports {
    /// Name in this file, and the paths it stands for.
    names: BTreeMap<String, Vec<Vec<String>>>,
    /// Paths whose whole content is brought in.
    globs: Vec<Vec<String>>,
}

/// Every path of a source, in order. Each leaf of a `use` declaration is one.
pub(crate) fn path_uses(tokens: &[Token]) -> Vec<PathUse> {
    let mut imports = Imports::default();
    let mut uses = Vec::new();
    let mut index = 0;
    // Imports may stand below their use, so they are all read before any path is completed.
    let mut written: Vec<(Vec<String>, usize, bool)> = Vec::new();
    while index < tokens.len() {
        if tokens[index].is_ident("use") && starts_item(tokens, index) {
            index = read_use(tokens, index + 1, &mut imports, &mut uses);
            continue;
        }
        if tokens[index].kind != Kind::Ident {
            index += 1;
            continue;
        }
        let start = index;
        let (path, next) = read_path(tokens, index);
        index = next;
        written.push((path, start, is_macro_call(tokens, next)));
    }
    for (path, start, is_macro) in written {
        // After a dot stands a method or a field, which no import completes.
        let is_member = start > 0 && tokens[start - 1].is(".");
        let meanings = if is_member { vec![path] } else { imports.meanings(path) };
        let guessed = if is_member { 0 } else { imports.globs.len() };
        let direct = meanings.len().saturating_sub(guessed);
        uses.push(PathUse { meanings, direct, at: tokens[start].clone(), is_macro });
    }
    uses.sort_by_key(|found| (found.at.line, found.at.column));
    uses
}

/// The imports and paths of some tokens, as written and not completed.
#[cfg(feature = "classification")]
#[derive(Default)]
pub(crate) struct Written {
    /// Names in this scope, and the paths they stand for.
    pub(crate) names: BTreeMap<String, Vec<Vec<String>>>,
    /// Paths whose whole content is brought in.
    pub(crate) globs: Vec<Vec<String>>,
    /// Each imported path, a glob without its star.
    pub(crate) imported: Vec<(Vec<String>, Token)>,
    /// Each path outside of imports; names after a dot are left out.
    pub(crate) paths: Vec<(Vec<String>, Token)>,
}

/// Reads the imports and paths of some tokens. An import counts for all of them, wherever it stands.
#[cfg(feature = "classification")]
pub(crate) fn written(tokens: &[Token]) -> Written {
    let mut written = Written::default();
    let mut imports = Imports::default();
    let mut uses = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        if tokens[index].is_ident("use") && starts_item(tokens, index) {
            index = read_use(tokens, index + 1, &mut imports, &mut uses);
            continue;
        }
        if tokens[index].kind != Kind::Ident {
            index += 1;
            continue;
        }
        let start = index;
        let (path, next) = read_path(tokens, index);
        index = next;
        let dots = |back: usize| start.checked_sub(back).is_some_and(|at| tokens[at].is("."));
        // One dot makes a member; two make a range, and a path may stand behind it.
        if !dots(1) || dots(2) {
            written.paths.push((path, tokens[start].clone()));
        }
    }
    written.names = imports.names;
    written.globs = imports.globs;
    written.imported = uses
        .into_iter()
        .flat_map(|found| found.meanings.into_iter().map(move |path| (path, found.at.clone())))
        .collect();
    written
}

/// `use` is a keyword, but `impl Trait + use<'a>` is no import.
fn starts_item(tokens: &[Token], index: usize) -> bool {
    !tokens.get(index + 1).is_some_and(|next| next.is("<"))
}

fn is_macro_call(tokens: &[Token], index: usize) -> bool {
    let bang = tokens.get(index).is_some_and(|token| token.is("!"));
    bang && tokens
        .get(index + 1)
        .is_some_and(|next| next.kind == Kind::Open || next.kind == Kind::Ident)
}

/// Reads `a::b::<T>::c` from its first name, and returns the index after it.
fn read_path(tokens: &[Token], start: usize) -> (Vec<String>, usize) {
    let mut path = vec![tokens[start].text.clone()];
    let mut index = start + 1;
    while is_path_separator(tokens, index) {
        let mut next = index + 2;
        if tokens.get(next).is_some_and(|token| token.is("<")) {
            next = after_angles(tokens, next);
            if !is_path_separator(tokens, next) {
                break;
            }
            next += 2;
        }
        let Some(token) = tokens.get(next).filter(|token| token.kind == Kind::Ident) else { break };
        path.push(token.text.clone());
        index = next + 1;
    }
    (path, index)
}

/// The index after the `>` that ends the generic arguments at `open`; the arrow of a function type is none.
fn after_angles(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (offset, token) in tokens[open..].iter().enumerate() {
        let index = open + offset;
        if token.is("<") {
            depth += 1;
        } else if token.is(">") && !tokens[index - 1].is("-") {
            depth -= 1;
        }
        if depth == 0 {
            return index + 1;
        }
    }
    open + 1
}

/// Reads one `use` tree up to its `;`, and returns the index after it.
fn read_use(
    tokens: &[Token],
    start: usize,
    imports: &mut Imports,
    uses: &mut Vec<PathUse>,
) -> usize {
    let mut prefixes: Vec<Vec<String>> = vec![Vec::new()];
    let mut current: Vec<String> = Vec::new();
    let mut at: Option<Token> = None;
    let mut index = start;
    while let Some(token) = tokens.get(index) {
        let ends = token.is(",") || token.is("}") || token.is(";");
        if token.is("{") {
            let mut prefix = prefixes.last().cloned().unwrap_or_default();
            prefix.append(&mut current);
            prefixes.push(prefix);
            at = None;
        } else if token.is_ident("as") {
            let alias = tokens.get(index + 1).map(|next| next.text.clone());
            leaf(&prefixes, &mut current, alias, at.take(), imports, uses);
            index += 1;
        } else if token.is("*") {
            let prefix: Vec<String> =
                prefixes.last().into_iter().flatten().cloned().chain(current.drain(..)).collect();
            uses.push(PathUse {
                meanings: vec![prefix.clone()],
                direct: 1,
                at: token.clone(),
                is_macro: false,
            });
            imports.globs.push(prefix);
            at = None;
        } else if token.kind == Kind::Ident {
            at.get_or_insert_with(|| token.clone());
            current.push(token.text.clone());
        } else if ends {
            leaf(&prefixes, &mut current, None, at.take(), imports, uses);
            if token.is("}") {
                prefixes.pop();
            }
        }
        index += 1;
        if token.is(";") {
            break;
        }
    }
    index
}

/// Records one imported path under its name in this file.
fn leaf(
    prefixes: &[Vec<String>],
    current: &mut Vec<String>,
    alias: Option<String>,
    at: Option<Token>,
    imports: &mut Imports,
    uses: &mut Vec<PathUse>,
) {
    let Some(at) = at else { return };
    let mut path = prefixes.last().cloned().unwrap_or_default();
    path.append(current);
    if path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let Some(last) = path.last().cloned() else { return };
    imports.names.entry(alias.unwrap_or(last)).or_default().push(path.clone());
    uses.push(PathUse { meanings: vec![path], direct: 1, at, is_macro: false });
}

impl Imports {
    fn meanings(&self, written: Vec<String>) -> Vec<Vec<String>> {
        let mut meanings = Vec::new();
        let first = written.first().cloned().unwrap_or_default();
        for full in self.names.get(&first).into_iter().flatten() {
            meanings.push(full.iter().chain(&written[1..]).cloned().collect());
        }
        for prefix in &self.globs {
            meanings.push(prefix.iter().chain(&written).cloned().collect());
        }
        meanings.insert(0, written);
        meanings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust_source::tokens;
    use portcullis::RelPath;

    #[test]
    fn a_forbidden_path_is_found_however_it_is_spelt() {
        let table: &[(&str, &str, bool)] = &[
            ("in full", "fn a() { std::process::exit(0) }", true),
            ("from the root", "fn a() { ::std::process::exit(0) }", true),
            ("by an imported module", "use std::process; fn a() { process::exit(0) }", true),
            ("by an import below", "fn a() { process::exit(0) } use std::process;", true),
            ("imported and called", "use std::process::exit;", true),
            ("renamed", "use std::process as p; fn a() { p::exit(0) }", true),
            ("renamed function", "use std::process::exit as quit;", true),
            (
                "in a tree",
                "use std::{fs, process::{self, Command}}; fn a() { process::exit(0) }",
                true,
            ),
            ("in a tree, as a leaf", "use std::{fs, process::{id, exit}};", true),
            ("by a glob", "use std::process::*; fn a() { exit(0) }", true),
            ("in a macro call", "vec![std::process::exit(0)]", true),
            ("through generic arguments", "fn a() { std::process::<fn() -> u8>::exit(0) }", true),
            ("a method of the same name", "use std::process::*; fn a() { b.exit() }", false),
            ("another function", "use std::process; fn a() { process::id() }", false),
            ("a function of the same name", "fn exit() {} fn a() { exit() }", false),
            (
                "another module of that name",
                "use mine::process; fn a() { process::exit(0) }",
                false,
            ),
            ("in a comment", "// std::process::exit(0)\nfn a() {}", false),
            ("in a doc comment", "/// std::process::exit(0)\nfn a() {}", false),
            ("in a text", "const A: &str = \"std::process::exit(0)\";", false),
        ];
        let file = RelPath::parse("a.rs").expect("a path");
        let parts: Vec<String> = ["std", "process", "exit"].map(str::to_owned).to_vec();
        for (case, text, expected) in table {
            let tokens = tokens(&file, text).expect(case);
            let seen = path_uses(&tokens).iter().any(|found| found.contains(&parts));
            assert_eq!(seen, *expected, "{case}");
        }
    }

    #[test]
    fn macro_calls_are_told_from_other_marks() {
        let table: &[(&str, &str, &[&str])] = &[
            (
                "each delimiter",
                "fn a() { dbg!(1); todo![]; x::panic! {} }",
                &["dbg", "todo", "panic"],
            ),
            ("a definition", "macro_rules! m { () => {} }", &["macro_rules"]),
            ("not equal and not", "fn a() { if a != b && !c {} }", &[]),
        ];
        let file = RelPath::parse("a.rs").expect("a path");
        for (case, text, expected) in table {
            let tokens = tokens(&file, text).expect(case);
            let uses = path_uses(&tokens);
            let seen: Vec<&String> = uses
                .iter()
                .filter(|found| found.is_macro)
                .filter_map(|found| found.meanings[0].last())
                .collect();
            assert_eq!(seen, *expected, "{case}");
        }
    }
}
