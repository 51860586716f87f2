//! What left this clone: the upstream of `HEAD`, and whether it has a commit. Asks no remote; it knows what was fetched.

use super::{Git, facts};
use crate::wire::fault::Fault;
use crate::wire::ordered;

/// The branch on a remote that `HEAD` is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its name, such as `origin/main`.
    pub name: String,
    /// Its commit, as far as this clone knows.
    pub commit: String,
}

const REMOTES: &str = "refs/remotes/";

impl Git {
    /// Returns the commit of `HEAD` as its files say it. Starts nothing; nothing where only git itself could tell.
    ///
    /// # Errors
    /// `git_failed` when it is not known whether there is a repository.
    pub fn head_on_disk(&self) -> Result<Option<String>, Fault> {
        Ok(self.repository()?.and_then(super::repository::Repository::head_commit))
    }

    /// Returns the upstream of the branch at `HEAD`; of a detached `HEAD`, a branch on a remote that has its commit.
    /// A branch of this very clone is nobody's upstream.
    ///
    /// # Errors
    /// `git_failed`.
    pub fn upstream(&self) -> Result<Option<Upstream>, Fault> {
        let program = self.program()?;
        let name = match program.text_or_no(&["symbolic-ref", "-q", "HEAD"])? {
            Some(branch) => {
                let asked = ["for-each-ref", "--format=%(upstream)", branch.trim_end()];
                program.text(&asked)?.trim_end().to_owned()
            }
            None => {
                let list = ["for-each-ref", "--format=%(refname)", "--contains", "HEAD", REMOTES];
                program.text(&list)?.lines().next().unwrap_or_default().to_owned()
            }
        };
        let Some(short) = name.strip_prefix(REMOTES) else { return Ok(None) };
        let asked = ["rev-parse", "-q", "--verify", &format!("{name}^{{commit}}")];
        let Some(commit) = program.text_or_no(&asked)? else { return Ok(None) };
        let commit = facts::commit_id(commit.trim_end())?;
        Ok(Some(Upstream { name: short.to_owned(), commit }))
    }

    /// Whether a commit is another one or among its ancestors.
    ///
    /// # Errors
    /// `git_failed`.
    pub fn contains(&self, whole: &str, part: &str) -> Result<bool, Fault> {
        let asked = ["merge-base", "--is-ancestor", part, whole];
        Ok(self.program()?.text_or_no(&asked)?.is_some())
    }

    /// Returns the commit that a revision names; nothing where this clone has none of this name.
    ///
    /// # Errors
    /// `git_failed`.
    pub fn commit_of(&self, rev: &str) -> Result<Option<String>, Fault> {
        if rev.is_empty() || rev.starts_with('-') || rev.chars().any(char::is_control) {
            return Ok(None);
        }
        let asked = ["rev-parse", "-q", "--verify", &format!("{rev}^{{commit}}")];
        match self.program()?.text_or_no(&asked)? {
            Some(text) => facts::commit_id(text.trim_end()).map(Some),
            None => Ok(None),
        }
    }

    /// Returns every path that differs from `HEAD`, untracked ones and those that `status` would hide (FG-51) included.
    ///
    /// # Errors
    /// `git_failed`.
    pub fn changes(&self) -> Result<Vec<String>, Fault> {
        let mut changed = self.program()?.status()?;
        changed.extend(self.hidden_edits()?);
        ordered::sort(&mut changed);
        changed.dedup();
        Ok(changed)
    }
}
