//! Which test plays which cassette. It reads test sources as lines, and runs none.

use super::{CASSETTE_DANGLING, CASSETTE_ORPHANED};
use crate::pattern::Pattern;
use portcullis::{
    Fault, File, Finding, Findings, GateContext, GateError, Globs, Location,
    wire::code::{BUDGET_EXCEEDED, NOTHING_EXAMINED},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// More names on one line are data, not a test.
const PER_LINE_MAX: usize = 64;

/// `references = { .. }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct References {
    files: Globs,
    pattern: Spanned<Pattern>,
    names: Names,
}

/// What the group of the pattern captures of a cassette.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Names {
    /// The path from the root of the repository.
    Path,
    /// The last part of the path.
    FileName,
    /// The last part without what follows its last dot.
    Stem,
}

impl Names {
    fn of(self, file: &File<'_>) -> String {
        let name = file.path().file_name();
        match self {
            Self::Path => file.path().to_string(),
            Self::FileName => name.to_owned(),
            Self::Stem => name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned(),
        }
    }
}

impl References {
    pub(super) fn refuse(&self, refuse: &mut impl FnMut(usize, String, &str)) {
        if self.pattern.get_ref().groups() != 1 {
            let headline = "`references.pattern` does not have one group".to_owned();
            refuse(self.pattern.span().start, headline, "put the cassette in parentheses");
        }
    }
}

/// Reports cassettes that no test names, and names of cassettes that do not exist.
pub(super) fn hold(
    cx: &GateContext<'_>,
    references: &References,
    cassettes: &[File<'_>],
    out: &mut Findings,
) -> Result<(), GateError> {
    let sources = cx.files(&references.files)?;
    if sources.is_empty() {
        let headline =
            "no test source matches `references.files`, so nobody can say who plays the cassettes";
        return cx.watch(Err(Fault::new(NOTHING_EXAMINED, headline, "correct the globs")
            .at(cx.gate().location.clone())));
    }
    let mut named: BTreeMap<String, Location> = BTreeMap::new();
    for source in &sources {
        let path = source.path().as_str();
        for (number, line) in (1..).zip(source.text()?.lines()) {
            let start = line.trim_start();
            if start.starts_with("//") || start.starts_with('#') {
                continue;
            }
            for name in cx.watch(names_on(line, references.pattern.get_ref()))? {
                named.entry(name.to_owned()).or_insert_with(|| Location::at(path, number, 0));
            }
        }
    }
    let mut known = BTreeSet::new();
    for cassette in cassettes {
        let name = references.names.of(cassette);
        if !named.contains_key(&name) {
            let message = format!("no test names the cassette `{}`", cassette.path());
            let remedy = "delete it, or bring back the test that plays it";
            out.push(
                Finding::new(CASSETTE_ORPHANED, cassette.path(), message, remedy)
                    .at(Location::file(cassette.path())),
            );
        }
        known.insert(name);
    }
    for (name, location) in &named {
        if !known.contains(name) {
            let message = format!("a test names the cassette `{name}`, which does not exist");
            let remedy = "record it, or correct the name";
            out.push(Finding::new(CASSETTE_DANGLING, name, message, remedy).at(location.clone()));
        }
    }
    Ok(())
}

fn names_on<'l>(line: &'l str, pattern: &Pattern) -> Result<Vec<&'l str>, Fault> {
    let mut names = Vec::new();
    let mut rest = line;
    while let Some(name) = pattern.capture(rest)? {
        names.push(name);
        // Both are parts of one line, so the distance of their beginnings is where the name stands.
        let end = name.as_ptr() as usize - rest.as_ptr() as usize + name.len();
        // An empty name would be found for ever.
        let step = end.max(1);
        rest = rest.get(step..).unwrap_or_default();
        if names.len() > PER_LINE_MAX {
            let headline = format!("a line names more than {PER_LINE_MAX} cassettes");
            return Err(Fault::new(BUDGET_EXCEEDED, headline, "break the line"));
        }
    }
    Ok(names)
}
