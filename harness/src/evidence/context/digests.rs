//! Digests of many files at once. What they are compared with is the business of gates.

use super::{GateContext, GateError};
use crate::{
    cpu_budget,
    evidence::glob::Globs,
    wire::{code::CONFIG_INVALID, fault::Fault, id::Digest, path::RelPath},
};

impl GateContext<'_> {
    /// The digest of every file that matches, sorted by path; all of them are recorded as evidence.
    ///
    /// As many readers work at once as the CPU budget of the process allows.
    ///
    /// # Errors
    /// As [`GateContext::files`], and when a file cannot be read.
    pub fn digests(&self, globs: &Globs) -> Result<Vec<(RelPath, Digest)>, GateError> {
        let tree = &self.world.tree;
        let paths = self.trace.watch(tree.walk(globs))?;
        let threads = cpu_budget::effective_cpu_count().map_err(|source| {
            Fault::new(CONFIG_INVALID, source.to_string(), "correct the variable, or remove it")
        });
        let threads = self.trace.watch(threads)?;
        let digests = self.trace.watch(tree.digests(&paths, threads))?;
        let seen = paths.into_iter().zip(digests).map(|(path, (digest, bytes))| {
            self.trace.read(path.as_str(), Some(digest), bytes);
            (path, digest)
        });
        Ok(seen.collect())
    }
}
