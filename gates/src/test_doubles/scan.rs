//! The search through targets and modules. Only what a test build has is searched; the rest is no test.

use super::{
    Config,
    inventory::{Entry, Inventory, Kind},
};
use crate::{
    classification::groups::Groups,
    rust_source::{ItemKind, Test, Token, Written, items, module_files, tests, written},
    workspace::Workspace,
};
use portcullis::{Fault, GateContext, GateError, RelPath};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// The suite of a target that stands in none.
const UNCLASSIFIED: &str = "unclassified";

/// Searches every target of a workspace.
///
/// # Errors
/// When a source cannot be read, or is not Rust.
pub(super) fn workspace(
    cx: &GateContext<'_>,
    config: &Config,
    workspace: &Workspace,
    groups: &Groups,
) -> Result<Inventory, GateError> {
    let names: Vec<&str> = config.names().collect();
    let crates: BTreeSet<&str> = config.crates().collect();
    let doubles = Doubles { names, crates };
    let unit = config.unit_suite.as_deref().unwrap_or("unit");
    let mut inventory = Inventory::default();
    for package in workspace.packages() {
        for target in &package.targets {
            let is_code = target.is_lib() || target.is_bin() || target.is_proc_macro();
            if !is_code && !target.is_test() {
                continue;
            }
            let Some(root) = workspace.relative(target.src_path.as_str()) else {
                let headline =
                    format!("the source of `{}` lies outside the repository", target.name);
                let remedy = "move the target into the repository";
                return Err(Fault::new(portcullis::wire::code::INPUT_UNREADABLE, headline, remedy));
            };
            let suite = if is_code { unit } else { suite_of(groups, &package.name, &target.name) };
            let name = target.name.replace('-', "_");
            search(cx, &doubles, &root, &name, suite, !is_code, &mut inventory)?;
        }
    }
    Ok(inventory)
}

fn suite_of<'g>(groups: &'g Groups, package: &str, target: &str) -> &'g str {
    let full = format!("{package}/{target}");
    let entry = groups.entries.iter().find(|entry| entry.name == full || entry.name == target);
    entry.map_or(UNCLASSIFIED, |entry| entry.suite.as_str())
}

/// What counts as a double.
struct Doubles<'c> {
    names: Vec<&'c str>,
    crates: BTreeSet<&'c str>,
}

impl Doubles<'_> {
    /// The double that a path names, and whether its crate says so.
    fn of<'p>(&self, path: &'p [String]) -> Option<(&'p str, bool)> {
        let named = path.iter().find(|part| self.names.iter().any(|name| fits(part, name)));
        let crate_name = path.first().filter(|first| self.crates.contains(first.as_str()));
        // The name says more than the crate, where both do.
        named.map(|name| (name.as_str(), false)).or(crate_name.map(|name| (name.as_str(), true)))
    }
}

fn fits(name: &str, pattern: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(tail), _) => name.ends_with(tail),
        (None, Some(head)) => name.starts_with(head),
        (None, None) => name == pattern,
    }
}

fn search(
    cx: &GateContext<'_>,
    doubles: &Doubles<'_>,
    root: &RelPath,
    target: &str,
    suite: &str,
    is_test: bool,
    inventory: &mut Inventory,
) -> Result<(), GateError> {
    let read = |path: &RelPath| {
        let file = cx.file(path);
        if file.exists()? { file.text().map(Some) } else { Ok(None) }
    };
    let files = cx.watch(module_files(root, read))?;
    let test_modules = cx.watch(test_modules(&files))?;
    for (path, file) in &files {
        let module = std::iter::once(target)
            .chain(file.module.iter().map(String::as_str))
            .collect::<Vec<&str>>()
            .join("::");
        let is_test =
            is_test || (1..=file.module.len()).any(|n| test_modules.contains(&file.module[..n]));
        let ranges = if is_test {
            std::iter::once(0..file.tokens.len()).collect()
        } else {
            cx.watch(test_ranges(path, &file.tokens))?
        };
        if ranges.is_empty() {
            continue;
        }
        let tests = cx.watch(tests(path, &file.tokens, &[]))?;
        let names: Vec<String> = tests.iter().map(|test| test.name.clone()).collect();
        let whole = written(&file.tokens);
        let place = Place { file: path, suite, module: &module };
        let mut found = BTreeMap::new();
        for range in ranges {
            place.collect(doubles, &whole, &file.tokens, range, &tests, &mut found);
        }
        inventory.add(suite, &module, &names, found.into_values().collect());
    }
    Ok(())
}

/// Module files that are declared for test builds only, by name.
fn test_modules(
    files: &BTreeMap<RelPath, crate::rust_source::ModuleFile>,
) -> Result<BTreeSet<Vec<String>>, Fault> {
    let mut found = BTreeSet::new();
    for (path, file) in files {
        let mut waiting = vec![(file.module.clone(), 0..file.tokens.len())];
        while let Some((around, range)) = waiting.pop() {
            for item in items(path, &file.tokens, range)? {
                let (ItemKind::Mod, Some(name)) = (item.kind, item.name) else { continue };
                let inner: Vec<String> = around.iter().cloned().chain([name]).collect();
                if item.is_test_only {
                    found.insert(inner.clone());
                }
                waiting.extend(item.body.map(|body| (inner, body)));
            }
        }
    }
    Ok(found)
}

/// The tokens that only a test build has.
fn test_ranges(path: &RelPath, tokens: &[Token]) -> Result<Vec<Range<usize>>, Fault> {
    let mut found = Vec::new();
    let whole = 0..tokens.len();
    let mut waiting = vec![whole];
    while let Some(range) = waiting.pop() {
        for item in items(path, tokens, range)? {
            if item.is_test_only {
                found.push(item.whole);
            } else if item.kind == ItemKind::Mod {
                waiting.extend(item.body);
            }
        }
    }
    found.sort_by_key(|range| range.start);
    Ok(found)
}

/// Where entries belong.
struct Place<'p> {
    file: &'p RelPath,
    suite: &'p str,
    module: &'p str,
}

impl Place<'_> {
    /// Collects the doubles of some tokens: the first place of each name in each test.
    fn collect(
        &self,
        doubles: &Doubles<'_>,
        whole: &Written,
        tokens: &[Token],
        range: Range<usize>,
        tests: &[Test],
        found: &mut BTreeMap<(Option<String>, String), Entry>,
    ) {
        let part = written(&tokens[range.clone()]);
        let imported = part.imported.iter().map(|(path, at)| (path, at, true));
        for (path, at, is_import) in
            imported.chain(part.paths.iter().map(|(path, at)| (path, at, false)))
        {
            // A renamed import stands for what it was.
            let meanings = path.first().and_then(|first| whole.names.get(first));
            let full: Vec<&Vec<String>> =
                if is_import { Vec::new() } else { meanings.into_iter().flatten().collect() };
            let hit = std::iter::once(path).chain(full).find_map(|path| doubles.of(path));
            let Some((identifier, is_crate)) = hit else { continue };
            let kind = if is_crate {
                Kind::Crate
            } else if is_import {
                Kind::Import
            } else if is_definition(tokens, at) {
                Kind::Definition
            } else {
                Kind::Use
            };
            let test = test_at(tests, tokens, at);
            let entry = Entry {
                file: self.file.clone(),
                line: at.line,
                suite: self.suite.to_owned(),
                module: self.module.to_owned(),
                test: test.map(str::to_owned),
                identifier: identifier.to_owned(),
                kind,
            };
            let key = (entry.test.clone(), entry.identifier.clone());
            let first = found.entry(key).or_insert_with(|| entry.clone());
            // An import below its use, or a range that comes later, must not move the place.
            if (entry.line, entry.kind) < (first.line, first.kind) {
                *first = entry;
            }
        }
    }
}

fn index_of(tokens: &[Token], at: &Token) -> usize {
    tokens.partition_point(|token| (token.line, token.column) < (at.line, at.column))
}

fn is_definition(tokens: &[Token], at: &Token) -> bool {
    let before = index_of(tokens, at).checked_sub(1).and_then(|index| tokens.get(index));
    before.is_some_and(|token| {
        ["struct", "enum", "union", "trait", "type", "fn", "mod"]
            .iter()
            .any(|word| token.is_ident(word))
    })
}

/// The test around a token. Tests do not overlap, and are in order.
fn test_at<'t>(tests: &'t [Test], tokens: &[Token], at: &Token) -> Option<&'t str> {
    let index = index_of(tokens, at);
    let after = tests.partition_point(|test| test.whole.start <= index);
    let test = after.checked_sub(1).and_then(|number| tests.get(number))?;
    test.whole.contains(&index).then_some(test.name.as_str())
}
