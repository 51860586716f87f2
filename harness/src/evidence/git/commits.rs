//! Commits between a revision and `HEAD`, by what they say of themselves. It does not read what they change.

use super::{Git, run};
use crate::wire::{fault::Fault, ordered::VecSet, path::RelPath};

/// A commit and the first line of its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Titled {
    /// The id.
    pub commit: String,
    /// The first line of the message.
    pub subject: String,
}

impl Git {
    /// Returns the addresses of those who wrote the commits from one revision to another. Merges change nothing of their own.
    ///
    /// # Errors
    /// `base_unresolvable`, `git_failed`.
    pub fn authors(&self, base: &str, head: &str) -> Result<VecSet<String>, Fault> {
        let (from, to) = (self.resolve(base)?, self.resolve(head)?);
        let range = format!("{from}..{to}");
        let words = ["log", "-z", "--no-merges", "--format=%ae", &range];
        Ok(self.program()?.records(&words)?.into_iter().collect())
    }

    /// Returns the commits since a revision that change a file, newest first; merges change nothing of their own.
    ///
    /// # Errors
    /// `base_unresolvable`, `git_failed`.
    pub fn commits_touching(&self, base: &str, path: &RelPath) -> Result<Vec<Titled>, Fault> {
        let commit = self.resolve(base)?;
        let prefix = self.repository()?.map_or("", |repository| repository.prefix.as_str());
        let range = format!("{commit}..HEAD");
        let file = format!("{prefix}{path}");
        let words = ["log", "-z", "--no-merges", "--format=%H %s", &range, "--", &file];
        let mut commits = Vec::new();
        for record in self.program()?.records(&words)? {
            let Some((commit, subject)) = record.split_once(' ') else {
                return Err(run::unexpected("log", &record));
            };
            commits.push(Titled { commit: commit.to_owned(), subject: subject.to_owned() });
        }
        Ok(commits)
    }
}
