//! What shows that a run did its work. It looks at no run.

use portcullis::RelPath;
use serde::Deserialize;

/// `proof = { .. }`: one of the four.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofTable {
    /// A file that a run makes, with the nonce that it was given; or the document that `pointer` leads into.
    pub file: Option<RelPath>,
    /// A JSON Pointer to `equals`, in `file`, else in what the run writes to its standard output.
    pub pointer: Option<String>,
    /// The value that has to stand there.
    pub equals: Option<toml::Value>,
    /// A regular expression over the standard output.
    pub stdout: Option<String>,
    /// A file of lines that the measured program writes, one per child that succeeded.
    pub journal: Option<RelPath>,
}

impl ProofTable {
    /// What is wrong with it.
    pub(super) fn wrong(&self) -> Option<&'static str> {
        let ways = [self.pointer.is_some(), self.stdout.is_some(), self.journal.is_some()];
        match (ways.iter().filter(|way| **way).count(), &self.file) {
            (0, None) => Some("nothing proves that a run did its work"),
            (0, Some(_)) if self.equals.is_some() => Some("`equals` needs a `pointer`"),
            (0, Some(_)) => None,
            (1, file) => match (&self.pointer, &self.equals) {
                (Some(pointer), Some(_)) if pointer.is_empty() || pointer.starts_with('/') => None,
                (Some(_), Some(_)) => Some("`pointer` is no JSON Pointer"),
                (Some(_), None) => Some("`pointer` needs the value that it leads to, in `equals`"),
                (None, Some(_)) => Some("`equals` needs a `pointer`"),
                (None, None) if file.is_some() => Some("`file` goes with nothing but `pointer`"),
                (None, None) => match &self.stdout {
                    Some(text) if crate::pattern::Pattern::new(text).is_err() => {
                        Some("`stdout` is no regular expression")
                    }
                    Some(_) | None => None,
                },
            },
            (_, _) => Some("one of `file`, `pointer`, `stdout` and `journal` is enough"),
        }
    }

    /// The file that every run writes.
    pub(super) fn output(&self) -> Option<&RelPath> {
        self.file.as_ref().or(self.journal.as_ref())
    }
}
