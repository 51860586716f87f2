//! The corpus: all files of vectors and the must-pass list. A corpus that is not whole is refused, never judged in part.

use super::{
    CONFORMANCE_CORPUS_INVALID,
    format::{self, SCHEMA, Topic, Vector},
};
use portcullis::{Fault, Location};
use std::collections::{BTreeMap, BTreeSet};

/// Vectors by topic, and the ids that every implementation has to pass.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// The vectors of each topic, in the order of the file.
    pub topics: BTreeMap<String, Vec<Vector>>,
    /// The must-pass list.
    pub must_pass: BTreeSet<String>,
    files: BTreeMap<String, String>,
}

impl Corpus {
    /// Adds a file of vectors.
    ///
    /// # Errors
    /// Faults of the text; another schema, a topic that the file is not called like, a file without vectors, an id
    /// that stands twice or is no sentence.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> Result<(), Fault> {
        let Topic { schema, topic, vectors } = format::read(path, bytes)?;
        let refused = |headline: String| invalid(headline).at(Location::file(path));
        if schema != SCHEMA {
            return Err(refused(format!("the schema is `{}`", schema.escape_debug()))
                .expected(format!("`{SCHEMA}`")));
        }
        if path.rsplit('/').next() != Some(&format!("{topic}.json")) {
            return Err(refused(format!(
                "the file states the topic `{}`, after which it is not called",
                topic.escape_debug()
            )));
        }
        if vectors.is_empty() {
            return Err(refused("the file holds no vector".to_owned()));
        }
        for vector in &vectors {
            if !is_name(&vector.id) || vector.rule.trim().is_empty() {
                return Err(refused(format!(
                    "`{}` is no name in snake case, or its rule is empty",
                    vector.id.escape_debug()
                )));
            }
            if let Some(other) = self.files.insert(vector.id.clone(), path.to_owned()) {
                return Err(refused(format!("the id `{}` stands twice", vector.id))
                    .found(format!("the other one in {other}")));
            }
        }
        self.topics.insert(topic, vectors);
        Ok(())
    }

    /// Adds the must-pass list: one id on each line, sorted.
    ///
    /// # Errors
    /// An empty list, a line that is no id, and lines that are out of order or stand twice.
    pub fn require(&mut self, path: &str, text: &str) -> Result<(), Fault> {
        let mut last = "";
        for (number, line) in (1u32..).zip(text.lines()) {
            if !is_name(line) || line <= last {
                let headline = format!("`{}` is no id, or not in its place", line.escape_debug());
                return Err(invalid(headline)
                    .at(Location::at(path, number, 0))
                    .expected("one id on each line, sorted, each once"));
            }
            self.must_pass.insert(line.to_owned());
            last = line;
        }
        if self.must_pass.is_empty() {
            return Err(invalid("the must-pass list is empty".to_owned()).at(Location::file(path)));
        }
        Ok(())
    }

    /// How many vectors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no vector.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The file of a vector.
    #[must_use]
    pub fn file(&self, id: &str) -> Option<&str> {
        self.files.get(id).map(String::as_str)
    }
}

fn invalid(headline: String) -> Fault {
    Fault::new(
        CONFORMANCE_CORPUS_INVALID,
        headline,
        "write the corpus as `fixtures/conformance/README.md` says",
    )
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
