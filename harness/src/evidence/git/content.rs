//! Trees by content: the files of a revision and those of the work tree, each with the id of its content.
//!
//! Two ids are equal where the bytes are, whatever an index or a file time says. It does not read the bytes.

use super::{Git, facts, run};
use crate::wire::{
    code::{BASE_NOT_ANCESTOR, INPUT_TOO_LARGE},
    fault::Fault,
    ordered::{VecMap, VecSet},
    path::RelPath,
};
use std::collections::BTreeMap;

/// The most files of one revision (`security.md`, section 4).
const FILES_MAX: usize = 200_000;
/// How many paths one process is asked about; Windows refuses a command line beyond 32 KiB.
const PATHS_BYTES: usize = 16 * 1024;
/// The names a default branch has where the remote does not say.
const USUAL_BRANCHES: &[&str] = &["origin/main", "origin/master", "main", "master"];

/// What a revision holds under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The id of its content.
    pub id: String,
    /// Whether it is a symbolic link, whose content is its target.
    pub is_link: bool,
}

/// What git believes to differ, and what it was told not to look at.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    files: VecSet<String>,
    /// Untracked folders that something private hides, with their `/`.
    folders: Vec<String>,
}

impl Touched {
    /// Whether a file may differ. Every other one is the same, or a committed ignore file names it.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains(path)
            || self.folders.iter().any(|folder| path.starts_with(folder.as_str()))
    }
}

impl Git {
    /// Returns the files below the root that may differ between a revision and the work tree: those git shows, and
    /// those that marks in the index or a private exclude file hide from it (FG-51).
    ///
    /// # Errors
    /// `base_unresolvable`, `git_failed`.
    pub fn touched(&self, base: &str) -> Result<Touched, Fault> {
        let mut touched = Touched::default();
        touched.files.extend(self.changed_files(base)?);
        let prefix = self.repository()?.map_or("", |repository| repository.prefix.as_str());
        for hidden in self.hidden_edits()? {
            let Some(path) = hidden.strip_prefix(prefix) else { continue };
            if path.ends_with('/') {
                touched.folders.push(path.to_owned());
            } else {
                touched.files.insert(path.to_owned());
            }
        }
        Ok(touched)
    }

    /// Returns the renames that were committed since a revision, new name by old name.
    ///
    /// # Errors
    /// `base_unresolvable`, `git_failed`.
    pub fn renames(&self, base: &str) -> Result<BTreeMap<String, String>, Fault> {
        let commit = self.resolve(base)?;
        let words =
            ["diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", &commit, "HEAD"];
        let records = self.program()?.records(&words)?;
        let prefix = self.repository()?.map_or("", |repository| repository.prefix.as_str());
        let below = |path: &str| path.strip_prefix(prefix).unwrap_or(path).to_owned();
        let mut renames = BTreeMap::new();
        for record in records.chunks(3) {
            let [_score, old, new] = record else {
                return Err(run::unexpected("diff-tree", &record.concat()));
            };
            renames.insert(below(old), below(new));
        }
        Ok(renames)
    }

    /// Returns the files of a revision below the root, by path. Submodules are left out.
    ///
    /// # Errors
    /// `base_unresolvable`, `input_too_large` beyond 200 000 files, `git_failed`.
    pub fn files_at(&self, rev: &str) -> Result<VecMap<String, Object>, Fault> {
        let commit = self.resolve(rev)?;
        let prefix = self.repository()?.map_or("", |repository| repository.prefix.as_str());
        let records = self.program()?.records(&["ls-tree", "-r", "-z", "--full-tree", &commit])?;
        if records.len() > FILES_MAX {
            let headline = format!("a revision has more than {FILES_MAX} files");
            return Err(Fault::new(INPUT_TOO_LARGE, headline, "split the repository"));
        }
        let mut files = VecMap::new();
        for record in records {
            // `<mode> <type> <object>\t<path>`
            let unexpected = || run::unexpected("ls-tree", &record);
            let (meta, path) = record.split_once('\t').ok_or_else(unexpected)?;
            let fields: Vec<&str> = meta.split(' ').collect();
            let [mode, kind, id] = fields.as_slice() else { return Err(unexpected()) };
            if *kind == "blob"
                && let Some(path) = path.strip_prefix(prefix)
            {
                let object = Object { id: (*id).to_owned(), is_link: *mode == "120000" };
                files.insert(path.to_owned(), object);
            }
        }
        Ok(files)
    }

    /// Returns the files below the root that the index has, committed or about to be.
    ///
    /// # Errors
    /// `git_failed`.
    pub fn tracked_files(&self) -> Result<VecSet<String>, Fault> {
        let prefix = self.repository()?.map_or("", |repository| repository.prefix.as_str());
        let records = self.program()?.records(&["ls-files", "--cached", "-z"])?;
        let below = records.iter().filter_map(|path| path.strip_prefix(prefix));
        Ok(below.map(str::to_owned).collect())
    }

    /// Returns the ids that files of the work tree would have with their bytes as they are, in the order asked.
    ///
    /// # Errors
    /// `git_failed` when one of them cannot be read.
    pub fn ids_of(&self, paths: &[RelPath]) -> Result<Vec<String>, Fault> {
        let prefix = self.repository()?.map_or("", |repository| repository.prefix.as_str());
        let program = self.program()?;
        let mut ids = Vec::with_capacity(paths.len());
        let mut waiting = paths;
        while !waiting.is_empty() {
            let mut bytes = 0usize;
            let fits = waiting.iter().take_while(|path| {
                bytes = bytes.saturating_add(prefix.len() + path.as_str().len() + 3);
                bytes <= PATHS_BYTES
            });
            let (now, later) = waiting.split_at(fits.count().max(1));
            let names: Vec<String> = now.iter().map(|path| format!("{prefix}{path}")).collect();
            let mut words = vec!["hash-object", "--no-filters", "--"];
            words.extend(names.iter().map(String::as_str));
            let text = program.text(&words)?;
            let before = ids.len();
            for line in text.lines() {
                ids.push(facts::commit_id(line)?);
            }
            if ids.len() - before != now.len() {
                return Err(run::unexpected("hash-object", &text));
            }
            waiting = later;
        }
        Ok(ids)
    }

    /// Returns the name of the default branch: what the remote says, else a usual name, else the only branch there is.
    ///
    /// # Errors
    /// `git_failed`.
    pub fn default_branch(&self) -> Result<Option<String>, Fault> {
        let program = self.program()?;
        let remote = ["symbolic-ref", "-q", "--short", "refs/remotes/origin/HEAD"];
        if let Some(name) = program.text_or_no(&remote)? {
            return Ok(Some(name.trim_end().to_owned()));
        }
        let listed = program.text(&[
            "for-each-ref",
            "--format=%(refname)",
            "refs/heads",
            "refs/remotes/origin",
        ])?;
        let names: Vec<&str> = listed
            .lines()
            .filter_map(|name| {
                name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/remotes/"))
            })
            .collect();
        let usual = USUAL_BRANCHES.iter().find(|usual| names.contains(*usual));
        let only = match names.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        Ok(usual.copied().or(only).map(str::to_owned))
    }

    /// Returns the commit that a revision names, which is `HEAD` or one of its ancestors.
    ///
    /// # Errors
    /// `base_unresolvable`, `base_not_ancestor`, `git_failed`.
    pub fn ancestor(&self, rev: &str) -> Result<String, Fault> {
        let commit = self.resolve(rev)?;
        let asked = ["merge-base", "--is-ancestor", &commit, "HEAD"];
        match self.program()?.text_or_no(&asked)? {
            Some(_nothing) => Ok(commit),
            None => Err(Fault::new(
                BASE_NOT_ANCESTOR,
                format!("the base `{}` is no ancestor of `HEAD`", rev.escape_debug()),
                "rebase the change onto it, or name no base, to compare with the merge base",
            )),
        }
    }
}
