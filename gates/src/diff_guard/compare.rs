//! Both trees, file by file: what differs in content. Which difference is allowed is not decided here.

use super::config::Config;
use crate::lane::SELECTOR_MATCHES_NOTHING;
use portcullis::wire::ordered::VecMap;
use portcullis::{
    Fault, GateContext, GateError, Globs, RelPath,
    evidence::git::{Object, Touched},
};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// How a file differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Its content is another.
    Edited,
    /// It is there only now.
    Added,
    /// It was there only before.
    Removed,
}

impl How {
    /// What the change does to the file.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Edited => "edits",
            Self::Added => "adds",
            Self::Removed => "deletes",
        }
    }
}

/// The commit before the change, the guarded files now, and what differs.
pub(super) struct Comparison {
    base: String,
    before: VecMap<String, Object>,
    after: BTreeMap<String, String>,
    changed: BTreeMap<String, How>,
    renames: BTreeMap<String, String>,
    guarded: usize,
}

impl Comparison {
    /// Reads both trees as far as the rules reach.
    ///
    /// # Errors
    /// When a tree cannot be read, or a glob of a rule matches nothing in either.
    pub(super) fn read(
        cx: &GateContext<'_>,
        config: &Config,
        base: String,
    ) -> Result<Self, GateError> {
        let before = cx.watch(cx.git().files_at(&base))?;
        let touched = cx.watch(cx.git().touched(&base))?;
        let renames = cx.watch(cx.git().renames(&base))?;
        let selectors = selectors(config);
        let mut paths = BTreeSet::new();
        for globs in selectors
            .iter()
            .map(|globs| globs.get_ref())
            .chain(config.sidecar.iter().map(|rule| &rule.require))
        {
            // The digests are evidence: they say which bytes were judged.
            paths.extend(cx.digests(globs)?.into_iter().map(|(path, _digest)| path));
        }
        let paths: Vec<RelPath> = paths.into_iter().collect();
        let ids = cx.watch(cx.git().ids_of(&paths))?;
        let after: BTreeMap<String, String> = paths
            .into_iter()
            .map(|path| path.as_str().to_owned())
            .zip(ids)
            // What a committed ignore file names is nobody's change.
            .filter(|(path, _id)| before.contains_key(path) || touched.contains(path))
            .collect();
        let mut comparison =
            Self { base, before, after, changed: BTreeMap::new(), renames, guarded: 0 };
        comparison.guarded = comparison.count(cx, &selectors)?;
        comparison.compare(cx, config, &touched)?;
        Ok(comparison)
    }

    /// How many files the rules guard. A rule that guards none does not do what its author meant.
    fn count(
        &self,
        cx: &GateContext<'_>,
        selectors: &[&Spanned<Globs>],
    ) -> Result<usize, GateError> {
        let mut guarded = BTreeSet::new();
        for globs in selectors {
            let mut n = 0usize;
            for path in self.before.keys().chain(self.after.keys()) {
                if globs.get_ref().matches(path) {
                    n += 1;
                    guarded.insert(path);
                }
            }
            if n == 0 {
                let headline =
                    format!("{} matches no file, before the change or after", globs.get_ref());
                return cx.watch(Err(Fault::new(
                    SELECTOR_MATCHES_NOTHING,
                    headline,
                    "correct the glob, or remove the rule",
                )
                .at(cx.locate(globs.span().start))));
            }
        }
        Ok(guarded.len())
    }

    fn compare(
        &mut self,
        cx: &GateContext<'_>,
        config: &Config,
        touched: &Touched,
    ) -> Result<(), GateError> {
        for (path, id) in &self.after {
            match self.before.get(path) {
                None => {
                    self.changed.insert(path.clone(), How::Added);
                }
                Some(object) if object.id == *id && !object.is_link => {}
                Some(_object) => {
                    if touched.contains(path) || !is_checkout_of(cx, &self.base, path)? {
                        self.changed.insert(path.clone(), How::Edited);
                    }
                }
            }
        }
        let required = config.sidecar.iter().map(|rule| &rule.require);
        let globs: Vec<&Globs> =
            selectors(config).into_iter().map(Spanned::get_ref).chain(required).collect();
        for path in self.before.keys() {
            if !self.after.contains_key(path) && globs.iter().any(|globs| globs.matches(path)) {
                self.changed.insert(path.clone(), How::Removed);
            }
        }
        Ok(())
    }

    /// What differs among the files that match, by path.
    pub(super) fn changes<'a>(
        &'a self,
        globs: &'a Globs,
    ) -> impl Iterator<Item = (&'a str, How)> + 'a {
        let changes = self.changed.iter().map(|(path, how)| (path.as_str(), *how));
        changes.filter(|(path, _how)| globs.matches(path))
    }

    /// Whether a file differs, and how.
    pub(super) fn change(&self, path: &str) -> Option<How> {
        self.changed.get(path).copied()
    }

    /// The files that match, before or now.
    pub(super) fn files<'a>(&'a self, globs: &'a Globs) -> BTreeSet<&'a str> {
        let all = self.before.keys().chain(self.after.keys()).map(String::as_str);
        all.filter(|path| globs.matches(path)).collect()
    }

    /// The id of a file before the change.
    pub(super) fn before(&self, path: &str) -> Option<&str> {
        self.before.get(path).map(|object| object.id.as_str())
    }

    /// The id of a file now.
    pub(super) fn after(&self, path: &str) -> Option<&str> {
        self.after.get(path).map(String::as_str)
    }

    /// The other name of a file that a commit renamed.
    pub(super) fn renamed(&self, path: &str) -> Option<&str> {
        let to = self.renames.get(path);
        let from = || self.renames.iter().find(|(_old, new)| *new == path).map(|(old, _new)| old);
        to.or_else(from).map(String::as_str)
    }

    /// The commit before the change.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// How many files the rules guard.
    pub(super) fn guarded(&self) -> usize {
        self.guarded
    }
}

/// The globs that must match something: those of companions need not, before the first one is written.
fn selectors(config: &Config) -> Vec<&Spanned<Globs>> {
    let frozen = config.frozen.iter().map(|rule| &rule.paths);
    let when = config.sidecar.iter().map(|rule| &rule.when);
    frozen.chain(when).chain(config.stamp.iter().map(|rule| &rule.path)).collect()
}

/// Whether a file that git holds for unchanged is the committed one with the line ends of this system.
fn is_checkout_of(cx: &GateContext<'_>, base: &str, path: &str) -> Result<bool, GateError> {
    let file = cx.file_at(path)?;
    let Some(before) = cx.watch(cx.git().show(base, file.path()))? else { return Ok(false) };
    let now = file.bytes()?;
    let plain = |bytes: &[u8]| -> Vec<u8> {
        let ends = |index: usize| bytes.get(index + 1) == Some(&b'\n');
        let kept =
            bytes.iter().enumerate().filter(|(index, byte)| **byte != b'\r' || !ends(*index));
        kept.map(|(_index, byte)| *byte).collect()
    };
    Ok(plain(&before) == plain(&now))
}
