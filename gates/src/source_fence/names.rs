//! The names of one rule, and the paths of a source that mean one of them.

use super::Rule;
use crate::rust_source::{Kind, Token, fits, is_path_separator, written};
use std::collections::{BTreeMap, BTreeSet};

/// How many renames one path may go through; a cycle of imports ends here too.
const RENAMES_MAX: usize = 6;
/// How many meanings one path may have.
const MEANINGS_MAX: usize = 128;

/// The names of a rule, split once.
pub(super) struct Names<'a> {
    paths: Vec<Name<'a>>,
    pub(super) macros: Vec<Name<'a>>,
    pub(super) attributes: Vec<Name<'a>>,
}

/// One name of a rule.
pub(super) struct Name<'a> {
    pub(super) text: &'a str,
    pub(super) parts: Vec<String>,
}

/// A path of a source that means a name of the rule.
pub(super) struct Found<'a> {
    pub(super) name: &'a str,
    pub(super) at: Token,
    pub(super) meaning: String,
}

impl<'a> Names<'a> {
    pub(super) fn new(rule: &'a Rule) -> Self {
        let split = |list: &'a [toml::Spanned<String>]| {
            let name = |text: &'a toml::Spanned<String>| Name {
                text: text.get_ref(),
                parts: text
                    .get_ref()
                    .trim_start_matches("::")
                    .split("::")
                    .map(str::to_owned)
                    .collect(),
            };
            list.iter().map(name).collect()
        };
        Self {
            paths: split(&rule.paths),
            macros: split(&rule.macros),
            attributes: split(&rule.attributes),
        }
    }

    /// Every path of a source that means one of the rule's, in order, each place once per name.
    pub(super) fn paths_in(&self, tokens: &[Token]) -> Vec<Found<'a>> {
        if self.paths.is_empty() {
            return Vec::new();
        }
        let scope = Scope::read(tokens);
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for (path, at) in &scope.paths {
            let meanings = scope.meanings(path);
            for name in &self.paths {
                let hit = meanings.iter().find(|meaning| name.covers(meaning));
                if let Some(meaning) = hit
                    && seen.insert((at.line, at.column, name.text))
                {
                    let meaning = meaning.join("::");
                    found.push(Found { name: name.text, at: at.clone(), meaning });
                }
            }
        }
        found.sort_by_key(|one| (one.at.line, one.at.column));
        found
    }
}

impl Name<'_> {
    /// Whether a path is this name, or lies below it.
    fn covers(&self, path: &[String]) -> bool {
        let Some(head) = path.get(..self.parts.len()) else { return false };
        let (Some(first), Some(own)) = (head.first(), self.parts.first()) else { return false };
        let same_library = is_standard(first) && is_standard(own);
        if same_library { fits(&head[1..], &self.parts[1..]) } else { fits(head, &self.parts) }
    }
}

/// `core` and `alloc` are parts of `std` under other names.
fn is_standard(name: &str) -> bool {
    matches!(name, "std" | "core" | "alloc")
}

/// What the names of one file stand for. An import counts for the whole file, wherever it stands.
struct Scope {
    names: BTreeMap<String, Vec<Vec<String>>>,
    globs: Vec<Vec<String>>,
    paths: Vec<(Vec<String>, Token)>,
}

impl Scope {
    fn read(tokens: &[Token]) -> Self {
        let written = written(tokens);
        let mut scope = Self { names: written.names, globs: written.globs, paths: written.paths };
        scope.paths.extend(written.imported);
        scope.aliases(tokens);
        scope.qualified(tokens);
        scope
    }

    /// `extern crate a as b;` and `type A = b::C;` are imports in other words.
    fn aliases(&mut self, tokens: &[Token]) {
        for (index, token) in tokens.iter().enumerate() {
            let ident = |n: usize| {
                tokens
                    .get(index + n)
                    .filter(|token| token.kind == Kind::Ident)
                    .map(|t| t.text.clone())
            };
            let is = |n: usize, text: &str| tokens.get(index + n).is_some_and(|t| t.is(text));
            if token.is_ident("extern") && ident(1).as_deref() == Some("crate") {
                let (Some(name), Some("as"), Some(alias)) =
                    (ident(2), ident(3).as_deref(), ident(4))
                else {
                    continue;
                };
                self.names.entry(alias).or_default().push(vec![name]);
            } else if token.is_ident("type") && is(2, "=") {
                let start =
                    if is_path_separator(tokens, index + 3) { index + 5 } else { index + 3 };
                let (Some(alias), (path, _end)) = (ident(1), plain_path(tokens, start)) else {
                    continue;
                };
                if !path.is_empty() {
                    self.names.entry(alias).or_default().push(path);
                }
            }
        }
    }

    /// `<a::B>::C` and `<a::B as D>::C` mean `a::B::C`.
    fn qualified(&mut self, tokens: &[Token]) {
        for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.is("<")) {
            let start = if is_path_separator(tokens, index + 1) { index + 3 } else { index + 1 };
            let (mut path, mut end) = plain_path(tokens, start);
            if tokens.get(end).is_some_and(|token| token.is_ident("as")) {
                let skip = usize::from(is_path_separator(tokens, end + 1)) * 2;
                end = plain_path(tokens, end + 1 + skip).1;
            }
            let closes = tokens.get(end).is_some_and(|token| token.is(">"));
            if path.is_empty() || !closes || !is_path_separator(tokens, end + 1) {
                continue;
            }
            let (tail, _end) = plain_path(tokens, end + 3);
            if !tail.is_empty() {
                path.extend(tail);
                self.paths.push((path, token.clone()));
            }
        }
    }

    /// Everything a path can mean, the written one first.
    fn meanings(&self, path: &[String]) -> Vec<Vec<String>> {
        let mut seen = BTreeSet::from([path.to_vec()]);
        let mut all = vec![path.to_vec()];
        let mut newest = all.clone();
        for _ in 0..RENAMES_MAX {
            let mut next = Vec::new();
            for path in &newest {
                for meaning in self.step(path) {
                    if all.len() + next.len() < MEANINGS_MAX && seen.insert(meaning.clone()) {
                        next.push(meaning);
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            all.extend(next.iter().cloned());
            newest = next;
        }
        all
    }

    /// One rename, one glob, or one leading `self`, `super` or `crate` less.
    fn step(&self, path: &[String]) -> Vec<Vec<String>> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let mut next = Vec::new();
        if matches!(first.as_str(), "self" | "super" | "crate") {
            next.push(rest.to_vec());
            return next;
        }
        for full in self.names.get(first).into_iter().flatten() {
            // `use a::a;` would make `a::x` longer for ever.
            if full.first() != Some(first) || full.len() == 1 || !path.starts_with(full) {
                next.push(full.iter().chain(rest).cloned().collect());
            }
        }
        if !is_standard(first) {
            next.extend(self.globs.iter().map(|glob| glob.iter().chain(path).cloned().collect()));
        }
        next
    }
}

/// Reads names with `::` between them, and returns the index after.
fn plain_path(tokens: &[Token], start: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    let mut index = start;
    while let Some(token) = tokens.get(index).filter(|token| token.kind == Kind::Ident) {
        path.push(token.text.clone());
        index += 1;
        if !is_path_separator(tokens, index) {
            break;
        }
        index += 2;
    }
    (path, index)
}
