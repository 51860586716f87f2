//! The Rust files of a rule: those that its globs match, and those that these bring in from elsewhere.

use super::{Rule, TestCode, is_rust, unparsed};
use crate::rust_source::{ItemKind, Token, declared_elsewhere, test_only_items, tokens};
use portcullis::{
    Fault, Findings, GateContext, GateError, RelPath,
    wire::code::{INPUT_TOO_LARGE, INPUT_UNREADABLE},
};
use std::collections::{BTreeMap, BTreeSet};

/// How many files one rule may read.
const FILES_MAX: usize = 50_000;

type Sources = BTreeMap<RelPath, Result<Vec<Token>, Fault>>;

/// Reads them, without what only test builds have where the rule leaves that out.
pub(super) fn rust_files(
    cx: &GateContext<'_>,
    rule: &Rule,
    matched: &[RelPath],
    out: &mut Findings,
) -> Result<Sources, GateError> {
    let mut sources = Sources::new();
    if !rule.wants_rust() {
        return Ok(sources);
    }
    let mut tests = BTreeSet::new();
    let mut waiting: Vec<RelPath> = matched.iter().filter(|path| is_rust(path)).cloned().collect();
    while let Some(path) = waiting.pop() {
        if sources.contains_key(&path) {
            continue;
        }
        if sources.len() >= FILES_MAX {
            let headline = format!("the rule `{}` reads more than {FILES_MAX} files", rule.id);
            return cx.watch(Err(Fault::new(INPUT_TOO_LARGE, headline, "split the rule")));
        }
        let text = cx.file(&path).text()?;
        // What is no Rust becomes a finding of the rule, so that the other files are still looked at.
        let read = tokens(&path, &text);
        if let Ok(read) = &read {
            for (places, at) in declared_elsewhere(&path, read) {
                match existing(cx, &places)? {
                    Some(found) => waiting.push(found),
                    None => out.push(unparsed(&path, &absent(&path, &places, &at))),
                }
            }
            if rule.tests == TestCode::Exclude {
                test_modules(&path, read, &mut tests);
            }
        }
        sources.insert(path, read);
    }
    if rule.tests == TestCode::Exclude {
        sources.retain(|path, _| !tests.iter().any(|stem| is_below(path, stem)));
        for read in sources.values_mut().flatten() {
            without_test_items(read);
        }
    }
    Ok(sources)
}

fn existing(cx: &GateContext<'_>, places: &[String]) -> Result<Option<RelPath>, GateError> {
    for place in places {
        // A place outside of the repository is no place that a gate reads; it is reported as absent.
        if let Ok(path) = RelPath::parse(place)
            && cx.file(&path).exists()?
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn absent(path: &RelPath, places: &[String], at: &Token) -> Fault {
    let headline = format!("`{path}` brings in a file that is not in the repository");
    let remedy = "add the file, or remove what names it";
    Fault::new(INPUT_UNREADABLE, headline, remedy).at(at.location(path)).found(places.join(", "))
}

/// The paths, without `.rs`, at which modules that only test builds have may live.
fn test_modules(path: &RelPath, tokens: &[Token], into: &mut BTreeSet<String>) {
    let own = path.as_str().trim_end_matches(".rs");
    let folder = path.as_str().rsplit_once('/').map_or("", |(folder, _name)| folder);
    for item in test_only_items(tokens) {
        if let (ItemKind::Mod, Some(name), None) = (item.kind, item.name, item.body) {
            let is_root = matches!(path.file_name(), "lib.rs" | "main.rs" | "mod.rs");
            let base = if is_root { folder } else { own };
            into.insert(if base.is_empty() { name } else { format!("{base}/{name}") });
        }
    }
}

fn is_below(path: &RelPath, stem: &str) -> bool {
    path.as_str().strip_prefix(stem).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn without_test_items(read: &mut Vec<Token>) {
    let mut keep = vec![true; read.len()];
    for item in test_only_items(read) {
        for flag in keep.iter_mut().take(item.whole.end).skip(item.whole.start) {
            *flag = false;
        }
    }
    let mut keep = keep.into_iter();
    read.retain(|_| keep.next().unwrap_or(true));
}
