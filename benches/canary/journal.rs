//! The journal of a canary: one line per child, with the nonce of the run and what the child did. It times nothing.

use super::{
    Failure,
    tree::{Facts, Ran, Work},
};
use serde_json::json;
use std::{
    cell::RefCell,
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::Duration,
};

/// Names the run that a line belongs to.
const NONCE: &str = "PORTCULLIS_CANARY_NONCE";

/// A journal while it is written.
pub(crate) struct Journal {
    file: RefCell<Option<File>>,
    nonce: String,
    failed: RefCell<Option<String>>,
}

impl Journal {
    /// The journal of a canary; nothing is written where nobody measures.
    pub(crate) fn open(checkout: &Path, id: &str) -> Result<Self, Failure> {
        let nonce = std::env::var(NONCE).unwrap_or_default();
        let file = if nonce.is_empty() {
            None
        } else {
            let folder = checkout.join("target/portcullis/canary");
            fs::create_dir_all(&folder)?;
            Some(File::create_new(folder.join(format!("{id}.jsonl")))?)
        };
        Ok(Self { file: RefCell::new(file), nonce, failed: RefCell::new(None) })
    }

    /// Runs a child and writes its line. A child that fails leaves a line that proves nothing, and a duration of nothing.
    pub(crate) fn child(
        &self,
        metric: &str,
        run: impl FnOnce() -> Result<Ran, Failure>,
        work: impl FnOnce(&Facts) -> Work,
    ) -> Duration {
        if self.failed.borrow().is_some() {
            return Duration::from_nanos(1);
        }
        match run() {
            Ok(ran) => {
                self.line(metric, 0, &work(&ran.facts));
                ran.wall
            }
            Err(failure) => {
                self.line(metric, 1, &Work::default());
                self.fail(&format!("{metric}: {failure}"));
                Duration::from_nanos(1)
            }
        }
    }

    /// Remembers the first thing that went wrong; criterion cannot be stopped from within.
    pub(crate) fn fail(&self, why: &str) {
        self.failed.borrow_mut().get_or_insert_with(|| why.to_owned());
    }

    /// Writes the line of a child.
    pub(crate) fn line(&self, metric: &str, exit: i32, work: &Work) {
        let mut file = self.file.borrow_mut();
        let Some(file) = file.as_mut() else { return };
        let line = json!({
            "nonce": self.nonce, "exit": exit, "metric": metric, "work": work.digest, "count": work.gates,
        });
        if let Err(source) = writeln!(file, "{line}") {
            self.fail(&format!("the journal cannot be written: {source}"));
        }
    }

    /// Ends the measurement, with the first failure of any child.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.failed.into_inner().map_or(Ok(()), |why| Err(why.into()))
    }
}
