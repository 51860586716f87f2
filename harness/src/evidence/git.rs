//! git as an input: read-only, through fixed arguments, with nothing of its own configuration executed.
//!
//! Every failure is a fault, never an empty answer. Leaves out what a change means, and changes inside submodules.

mod commits;
mod content;
mod facts;
mod repository;
mod run;
mod upstream;

pub use commits::Titled;
pub use content::{Object, Touched};
pub use facts::Head;
pub use upstream::Upstream;

use super::environment::Environment;
use crate::wire::{
    code::{BASE_UNRESOLVABLE, GIT_FAILED, INPUT_TOO_LARGE, LINK_REFUSED, TREE_DIGEST_MISMATCH},
    fault::{Fault, Location},
    ordered::VecSet,
    path::RelPath,
    text::joined,
};
use once_cell::sync::OnceCell;
use repository::Repository;
use run::Program;
use std::path::{Path, PathBuf};

/// How many hidden edits a message names.
const SHOWN: usize = 5;

/// git over one work tree. Nothing is started until a question needs it.
pub struct Git {
    root: PathBuf,
    cache: Option<PathBuf>,
    environment: OnceCell<Environment>,
    repository: OnceCell<Option<Repository>>,
    program: OnceCell<Program>,
}

impl Git {
    /// git over a folder. `cache` holds one small file per commit that was asked about; commits never change.
    #[must_use]
    pub fn new(work_tree: &Path, cache: Option<&Path>) -> Self {
        Self {
            root: work_tree.to_path_buf(),
            cache: cache.map(Path::to_path_buf),
            environment: OnceCell::new(),
            repository: OnceCell::new(),
            program: OnceCell::new(),
        }
    }

    /// The same with another environment than that of this process.
    #[must_use]
    pub fn with_environment(mut self, environment: Environment) -> Self {
        self.environment = OnceCell::with_value(environment);
        self
    }

    fn environment(&self) -> &Environment {
        self.environment.get_or_init(|| Environment::capture(&[]))
    }

    fn repository(&self) -> Result<Option<&Repository>, Fault> {
        self.repository.get_or_try_init(|| repository::discover(&self.root)).map(Option::as_ref)
    }

    fn program(&self) -> Result<&Program, Fault> {
        self.program.get_or_try_init(|| {
            let Some(repository) = self.repository()? else {
                return Err(Fault::new(
                    GIT_FAILED,
                    "the folder is not in a git repository",
                    "run inside a clone of the repository",
                )
                .found(self.root.display().to_string()));
            };
            Program::find(repository, self.environment())
        })
    }

    /// Returns the commit of `HEAD`; nothing outside a repository or before the first commit.
    ///
    /// Usually reads a few small files and starts nothing.
    ///
    /// # Errors
    /// `git_failed` when there is a repository and it does not answer.
    pub fn head(&self) -> Result<Option<Head>, Fault> {
        let Some(repository) = self.repository()? else {
            return Ok(None);
        };
        let commit = match repository.head_commit() {
            Some(commit) => commit,
            // Whatever is unusual (a reftable, a symbolic link, an unborn branch) is left to git itself.
            None => match self.program()?.text_or_no(&["rev-parse", "-q", "--verify", "HEAD"])? {
                None => return Ok(None),
                Some(text) => facts::commit_id(text.trim_end())?,
            },
        };
        // A cache that other jobs can fill must not tell CI what time it is.
        let cache = self.cache.as_deref().filter(|_| !self.environment().is_ci());
        if let Some(head) = cache.and_then(|cache| facts::cached(cache, &commit)) {
            return Ok(Some(head));
        }
        let object = self.program()?.bytes(&["cat-file", "commit", &commit])?;
        let head = facts::parse(&commit, &object)?;
        if let Some(cache) = cache {
            facts::remember(cache, &head);
        }
        Ok(Some(head))
    }

    /// Whether the work tree or the index differs from `HEAD`, untracked files included.
    ///
    /// # Errors
    /// `git_failed`.
    pub fn is_dirty(&self) -> Result<bool, Fault> {
        Ok(!self.program()?.status()?.is_empty())
    }

    /// Returns what `status` would never show, sorted (FG-51): entries marked assume-unchanged or skip-worktree, and
    /// untracked files that only a private exclude file hides. Only a committed `.gitignore` may hide a file.
    ///
    /// # Errors
    /// `git_failed`.
    pub fn hidden_edits(&self) -> Result<Vec<String>, Fault> {
        let program = self.program()?;
        let mut hidden: VecSet<String> = VecSet::new();
        for record in program.records(&["ls-files", "-v", "-z"])? {
            let (tag, path) =
                record.split_at_checked(2).ok_or_else(|| run::unexpected("ls-files", &record))?;
            // A lower-case letter is assume-unchanged, `S` skip-worktree.
            if tag.starts_with('S') || tag.starts_with(|letter: char| letter.is_ascii_lowercase()) {
                hidden.insert(path.to_owned());
            }
        }
        // File by file: a folder of nothing but hidden files would stand in both lists.
        let others = &["ls-files", "--others", "-z", "--exclude-per-directory=.gitignore"];
        let shown: VecSet<String> = program
            .records(&["ls-files", "--others", "-z", "--exclude-standard"])?
            .into_iter()
            .collect();
        hidden.extend(program.records(others)?.into_iter().filter(|path| !shown.contains(path)));
        // An ignore file that hides itself is nobody's committed decision.
        let ignored = &[
            "ls-files",
            "--others",
            "--ignored",
            "--directory",
            "-z",
            "--exclude-per-directory=.gitignore",
        ];
        let is_ignore_file = |path: &String| path == ".gitignore" || path.ends_with("/.gitignore");
        hidden.extend(program.records(ignored)?.into_iter().filter(is_ignore_file));
        Ok(hidden.into_iter().collect())
    }

    /// Says that the work tree has edits which git was told not to show, so that no commit names what was looked at (FG-51).
    ///
    /// # Errors
    /// `git_failed`.
    pub fn undisclosed(&self) -> Result<Option<Fault>, Fault> {
        let hidden = self.hidden_edits()?;
        if hidden.is_empty() {
            return Ok(None);
        }
        let shown = hidden.iter().take(SHOWN).map(|path| format!("`{}`", path.escape_debug()));
        let rest = hidden.len().saturating_sub(SHOWN);
        let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
        let headline = "the work tree has edits that git was told not to show";
        let remedy = "take back `git update-index --assume-unchanged` or `--skip-worktree`, and hide files by a committed \
                      `.gitignore` alone";
        let fault = Fault::new(TREE_DIGEST_MISMATCH, headline, remedy);
        Ok(Some(fault.found(format!("{}{more}", joined(shown, ", ")))))
    }

    /// Returns the commit that a revision names.
    ///
    /// # Errors
    /// `base_unresolvable` (FG-52), with the fetch depth to set.
    pub fn resolve(&self, rev: &str) -> Result<String, Fault> {
        if rev.is_empty() || rev.starts_with('-') || rev.chars().any(char::is_control) {
            return Err(unresolvable(rev, "the name is not a revision"));
        }
        let found = self
            .program()?
            .text_or_no(&["rev-parse", "-q", "--verify", &format!("{rev}^{{commit}}")])
            .map_err(|fault| unresolvable(rev, "git does not know it").because(&fault))?;
        match found {
            Some(text) => facts::commit_id(text.trim_end()),
            None => Err(unresolvable(rev, "there is no such commit in this clone")),
        }
    }

    /// Returns the merge base of `HEAD` and a revision.
    ///
    /// # Errors
    /// `base_unresolvable` when the revision or the merge base cannot be found, as in a shallow clone.
    pub fn merge_base(&self, base: &str) -> Result<String, Fault> {
        self.merge_base_of(base, "HEAD")
    }

    /// Returns the merge base of two revisions.
    ///
    /// # Errors
    /// `base_unresolvable` when a revision or the merge base cannot be found, as in a shallow clone.
    pub fn merge_base_of(&self, base: &str, head: &str) -> Result<String, Fault> {
        let commit = self.resolve(base)?;
        let tip = if head == "HEAD" { head.to_owned() } else { self.resolve(head)? };
        let shown: String = head.chars().take(40).collect();
        let found =
            self.program()?.text_or_no(&["merge-base", &commit, &tip]).map_err(|fault| {
                unresolvable(base, &format!("git cannot compare it with `{shown}`")).because(&fault)
            })?;
        match found {
            Some(text) => facts::commit_id(text.trim_end()),
            None => Err(unresolvable(
                base,
                &format!("it shares no commit with `{shown}` in this clone"),
            )),
        }
    }

    /// Returns the files below the root that differ between a revision and the work tree, sorted; a rename is both
    /// of its names.
    ///
    /// # Errors
    /// `base_unresolvable`, `git_failed`.
    pub fn changed_files(&self, base: &str) -> Result<Vec<String>, Fault> {
        let commit = self.resolve(base)?;
        let program = self.program()?;
        let diff = [
            "diff-tree",
            "-r",
            "-z",
            "--name-only",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
        ];
        let mut changed: VecSet<String> =
            program.records(&[&diff[..], &[&commit, "HEAD"]].concat())?.into_iter().collect();
        changed.extend(program.status()?);
        let prefix = self.repository()?.map_or("", |repository| repository.prefix.as_str());
        Ok(changed.iter().filter_map(|path| path.strip_prefix(prefix)).map(str::to_owned).collect())
    }

    /// Returns a file as it stands in a revision; nothing when the revision has no such file.
    ///
    /// # Errors
    /// `base_unresolvable`, `link_refused` for a committed link, `input_too_large` beyond 16 MiB, `git_failed`.
    pub fn show(&self, rev: &str, path: &RelPath) -> Result<Option<Vec<u8>>, Fault> {
        let commit = self.resolve(rev)?;
        let program = self.program()?;
        let prefix = self.repository()?.map_or("", |repository| repository.prefix.as_str());
        let full = format!("{prefix}{path}");
        let records = program.records(&["ls-tree", "-z", "--full-tree", &commit, "--", &full])?;
        let Some(record) = records.first() else {
            return Ok(None);
        };
        // `<mode> <type> <object>\t<path>`
        let meta: Vec<&str> = record.split('\t').next().unwrap_or_default().split(' ').collect();
        match meta.as_slice() {
            ["120000", ..] => Err(Fault::new(
                LINK_REFUSED,
                format!("`{path}` is a symbolic link in `{}`", rev.escape_debug()),
                "commit the file itself instead of a link",
            )
            .at(Location::file(path))),
            [_, "blob", object] => {
                let seen = program.run(&["cat-file", "blob", object])?;
                if seen.stdout.cut > 0 {
                    return Err(Fault::new(
                        INPUT_TOO_LARGE,
                        format!("`{path}` is larger than may be read"),
                        "split the file",
                    )
                    .at(Location::file(path)));
                }
                program.checked(&["cat-file", "blob", object], &seen)?;
                Ok(Some(seen.stdout.bytes()))
            }
            // A folder or a submodule of this name is not the file that was asked for.
            [_, "tree" | "commit", _] => Ok(None),
            _ => Err(run::unexpected("ls-tree", record)),
        }
    }

    /// Returns how many commits `HEAD` has that a revision has not.
    ///
    /// # Errors
    /// `base_unresolvable`, `git_failed`.
    pub fn commits_since(&self, rev: &str) -> Result<u64, Fault> {
        let commit = self.resolve(rev)?;
        let text = self.program()?.text(&["rev-list", "--count", &format!("{commit}..HEAD")])?;
        text.trim_end().parse().map_err(|source: std::num::ParseIntError| {
            run::unexpected("rev-list", text.trim_end()).because(&source)
        })
    }
}

fn unresolvable(rev: &str, why: &str) -> Fault {
    let shown: String = rev.chars().take(120).collect();
    Fault::new(
        BASE_UNRESOLVABLE,
        format!("the revision `{}` cannot be resolved: {why}", shown.escape_debug()),
        "fetch the whole history (`fetch-depth: 0` for actions/checkout, `git fetch --unshallow` here), then run again",
    )
    .expected("a commit that this clone has")
}

#[cfg(all(test, unix))]
#[expect(clippy::disallowed_methods, reason = "tests build their files in place")]
mod tests;
