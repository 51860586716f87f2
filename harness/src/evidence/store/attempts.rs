//! The attempts of a run, as they lie on the disk. Leaves out what they come to.

use super::{ATTEMPTS_MAX, RunDir, disk, run::record};
use crate::{
    evidence::tree::{EntryKind, Tree},
    kernel::receipt::RawAttempt,
    wire::{
        code::RECEIPT_INVALID,
        fault::{Fault, Location},
        id::GateId,
        ordered,
        path::RelPath,
    },
};
use std::path::Path;

impl RunDir {
    /// Returns the records of every attempt, by gate and number.
    ///
    /// # Errors
    /// `receipt_invalid` for a name that is no gate or attempt, `link_refused`, and whatever keeps a record from being
    /// read. A record that does not exist is no error here: its absence is what is judged.
    pub fn read_attempts(&self) -> Result<Vec<RawAttempt>, Fault> {
        read_attempts(self.path())
    }
}

/// Returns the records of every attempt below a run directory, by gate and number.
///
/// # Errors
/// As [`RunDir::read_attempts`].
pub fn read_attempts(run_dir: &Path) -> Result<Vec<RawAttempt>, Fault> {
    let tree = Tree::new(run_dir)?;
    let gates = disk::rel("gates")?;
    if !tree.exists(&gates)? {
        return Ok(Vec::new());
    }
    let mut attempts = Vec::new();
    for gate in tree.list_dir(Some(&gates))? {
        let id = GateId::parse(gate.path.file_name());
        let (Ok(id), EntryKind::Dir) = (id, gate.kind) else {
            return Err(stray(&gate.path, "directories named after gates"));
        };
        for entry in tree.list_dir(Some(&gate.path))? {
            let number = attempt_number(entry.path.file_name());
            let (Some(attempt), EntryKind::Dir) = (number, entry.kind) else {
                return Err(stray(&entry.path, "directories `attempt-1` to `attempt-64`"));
            };
            attempts.push(RawAttempt {
                gate: id.as_str().to_owned(),
                attempt,
                started: record(&tree, &entry.path, "started.json")?,
                verdict: record(&tree, &entry.path, "verdict.json")?,
            });
        }
    }
    // By number: `attempt-10` comes before `attempt-2` in a listing.
    ordered::sort_by(&mut attempts, |a, b| (&a.gate, a.attempt).cmp(&(&b.gate, b.attempt)));
    Ok(attempts)
}

fn attempt_number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("attempt-")?;
    let number: u32 = digits.parse().ok()?;
    // `attempt-01` and `attempt-+1` would be second names of attempt 1.
    (number.to_string() == digits && (1..=ATTEMPTS_MAX).contains(&number)).then_some(number)
}

fn stray(path: &RelPath, expected: &str) -> Fault {
    Fault::new(
        RECEIPT_INVALID,
        "a run directory has an entry that nothing of ours wrote",
        "run again in a new directory",
    )
    .at(Location::file(path))
    .expected(expected)
    .found(format!("`{path}`"))
}
