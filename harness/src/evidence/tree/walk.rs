//! The walk: regular files that a set of globs matches, sorted, or a fault. A hit limit is never a shorter list.

use super::{EntryKind, HardLinks, Refusal, Tree, fault_at, fault_of, join, name_refused};
use crate::{
    evidence::glob::Globs,
    wire::{
        code::{INPUT_TOO_LARGE, PATH_REFUSED},
        fault::Fault,
        ordered::{self, VecMap, VecSet},
        path::RelPath,
    },
};
use std::{ffi::OsStr, io::Read};

/// Limits of a walk (`security.md`, section 4).
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) files: usize,
    pub(super) depth: usize,
}

const LIMITS: Limits = Limits { files: 200_000, depth: 64 };

/// The first bytes of a file that marks its folder as a cache (bford.info/cachedir).
const CACHE_TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

impl Tree {
    /// Returns the regular files that match, sorted by path.
    ///
    /// Starts at the literal parts of the globs. Passes over `.git` and every `target` that carries a `CACHEDIR.TAG`, unless the
    /// literal part of a glob leads into them, and links that no glob matches.
    ///
    /// # Errors
    /// `link_refused` and `not_a_file` for a match that is no regular file, `path_refused` for names that no record
    /// could carry or that differ by case only, `input_too_large` beyond 200 000 files or 64 levels.
    pub fn walk(&self, globs: &Globs) -> Result<Vec<RelPath>, Fault> {
        self.walk_within(globs, LIMITS)
    }

    pub(super) fn walk_within(&self, globs: &Globs, limits: Limits) -> Result<Vec<RelPath>, Fault> {
        let mut walk = Walk {
            tree: self,
            globs,
            limits,
            seen: 0,
            entered: VecSet::new(),
            found: VecSet::new(),
        };
        for start in globs.starts() {
            walk.start(&start)?;
        }
        no_case_collision(&walk.found)?;
        Ok(walk.found.into_iter().collect())
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    globs: &'a Globs,
    limits: Limits,
    seen: usize,
    entered: VecSet<String>,
    found: VecSet<RelPath>,
}

impl Walk<'_> {
    fn start(&mut self, start: &str) -> Result<(), Fault> {
        if start.is_empty() {
            return self.descend(String::new());
        }
        let path = RelPath::parse(start).map_err(|source| name_refused(start, source.rule))?;
        match self.tree.kind(&path)? {
            // A glob that leads nowhere matches nothing; that nothing was examined is said by whoever asked.
            None => Ok(()),
            Some(EntryKind::Dir) => self.descend(start.to_owned()),
            Some(kind) => self.meet(start, None, kind),
        }
    }

    fn descend(&mut self, from: String) -> Result<(), Fault> {
        let mut stack = vec![from];
        while let Some(dir) = stack.pop() {
            if !self.entered.insert(dir.clone()) {
                continue;
            }
            if depth(&dir) >= self.limits.depth {
                return Err(self.too_deep(&dir));
            }
            let mut entries =
                self.tree.0.read_dir(&dir).map_err(|refusal| fault_at(refusal, &dir))?;
            ordered::sort(&mut entries);
            for (name, kind) in entries {
                let path = join(&dir, &name.to_string_lossy());
                if name == ".git" {
                    continue;
                }
                if kind != EntryKind::Dir {
                    self.meet(&path, Some(&name), kind)?;
                } else if !self.globs.prunes(&path) && !self.is_cache(&path, &name)? {
                    checked(&path, Some(&name))?;
                    stack.push(path);
                }
            }
        }
        Ok(())
    }

    fn meet(&mut self, path: &str, name: Option<&OsStr>, kind: EntryKind) -> Result<(), Fault> {
        self.seen += 1;
        if self.seen > self.limits.files {
            return Err(Fault::new(
                INPUT_TOO_LARGE,
                "a walk met more files than its limit",
                "begin the globs with a folder, or exclude large folders with a `!` glob",
            )
            .expected(format!("at most {} files below {}", self.limits.files, self.globs)));
        }
        if !self.globs.matches(path) {
            return Ok(());
        }
        let path = checked(path, name)?;
        match kind {
            EntryKind::File => {
                self.found.insert(path);
                Ok(())
            }
            EntryKind::Link => Err(fault_of(Refusal::Link(path.file_name().to_owned()), &path)),
            EntryKind::Other => Err(fault_of(Refusal::Kind("a pipe, socket or device"), &path)),
            EntryKind::Dir => Ok(()),
        }
    }

    fn too_deep(&self, dir: &str) -> Fault {
        let shown: String = dir.chars().take(200).collect();
        Fault::new(
            INPUT_TOO_LARGE,
            "a walk met folders nested too deeply",
            "flatten the folders, or exclude them with a `!` glob",
        )
        .expected(format!("at most {} levels", self.limits.depth))
        .found(format!("`{}`", shown.escape_debug()))
    }

    fn is_cache(&self, dir: &str, name: &OsStr) -> Result<bool, Fault> {
        // Only cargo's own folder: a tag that anybody may commit must not hide other folders from a gate.
        if name.to_str() != Some("target") {
            return Ok(false);
        }
        let Ok(tag) = RelPath::parse(&join(dir, "CACHEDIR.TAG")) else {
            // The folder's own name is refused by whoever enters it.
            return Ok(false);
        };
        if self.tree.kind_or_link(&tag)? != Some(EntryKind::File) {
            return Ok(false);
        }
        let mut head = Vec::new();
        let file = self.tree.open(&tag, HardLinks::Allow)?;
        file.take(CACHE_TAG.len() as u64)
            .read_to_end(&mut head)
            .map_err(|source| fault_of(Refusal::Io(source), &tag))?;
        Ok(head == CACHE_TAG)
    }
}

impl Tree {
    /// Like [`Tree::kind`], where a link is an answer.
    fn kind_or_link(&self, path: &RelPath) -> Result<Option<EntryKind>, Fault> {
        match self.0.kind(path) {
            Ok(kind) => Ok(Some(kind)),
            Err(Refusal::Absent) => Ok(None),
            Err(refusal) => Err(fault_of(refusal, path)),
        }
    }
}

fn depth(dir: &str) -> usize {
    if dir.is_empty() { 0 } else { dir.split('/').count() }
}

fn checked(path: &str, name: Option<&OsStr>) -> Result<RelPath, Fault> {
    if name.is_some_and(|name| name.to_str().is_none()) {
        return Err(name_refused(path, "has a name that is not UTF-8"));
    }
    RelPath::parse(path).map_err(|source| name_refused(path, source.rule))
}

fn no_case_collision(found: &VecSet<RelPath>) -> Result<(), Fault> {
    let mut folded: VecMap<String, &RelPath> = VecMap::new();
    for path in found {
        if let Some(other) = folded.insert(path.as_str().to_ascii_lowercase(), path) {
            return Err(Fault::new(
                PATH_REFUSED,
                format!("`{other}` and `{path}` differ by case only"),
                "rename one of the two; on some systems they are one file",
            ));
        }
    }
    Ok(())
}
