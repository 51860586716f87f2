//! Which run is the latest, and that none is newer.

use super::Latest;
use crate::{
    evidence::store::{RunState, Store, read_run, read_whole},
    wire::{
        code::LATEST_STALE,
        fault::{Fault, Location},
        id::RunId,
        ordered,
        time::Instant,
    },
};
use std::{fs, io};

impl Store {
    /// Returns what `latest.json` names, after checking that no other run is newer; nothing where no run ever was.
    ///
    /// # Errors
    /// `latest_stale` when a newer run lies beside it, sealed or not (FG-77), or when it names a run that is gone.
    pub fn latest(&self) -> Result<Option<Latest>, Fault> {
        let runs = self.runs()?;
        if !self.dir().join("latest.json").exists() {
            return match runs.first() {
                None => Ok(None),
                Some(run) => Err(stale(&format!("the run `{run}`, which nothing names"))),
            };
        }
        let latest: Latest = read_whole(self.dir(), "latest.json")?;
        let named = &latest.envelope.run_id;
        let record = read_run(&self.run_path(named))?;
        if record.state != RunState::Sealed
            || record.manifest_sha256 != Some(latest.manifest_sha256)
        {
            return Err(stale(&format!("the run `{named}`, which has another seal")));
        }
        self.no_newer(&runs, named, record.envelope.generated_at)?;
        Ok(Some(latest))
    }

    fn no_newer(&self, runs: &[String], named: &RunId, ended: Instant) -> Result<(), Fault> {
        for name in runs.iter().filter(|name| name.as_str() != named.as_str()) {
            let run = RunId::parse(name).map_err(|source| {
                stale(&format!("`{}`, which names no run: {source}", name.escape_debug()))
            })?;
            let other = read_run(&self.run_path(&run))?;
            let time = other.envelope.generated_at;
            // Two runs of one millisecond: the one that never ended is taken for the newer.
            let is_newer = time > ended || (time == ended && other.state != RunState::Sealed);
            if is_newer {
                return Err(stale(&format!("the run `{run}`, begun or ended later, at {time}")));
            }
        }
        Ok(())
    }

    /// Returns the names below `runs/`, sorted.
    fn runs(&self) -> Result<Vec<String>, Fault> {
        let dir = self.dir().join("runs");
        let unreadable =
            |source: io::Error| stale(&format!("a folder of runs that cannot be read: {source}"));
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(unreadable)? {
            names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
        }
        ordered::sort(&mut names);
        Ok(names)
    }
}

fn stale(found: &str) -> Fault {
    Fault::new(
        LATEST_STALE,
        "`latest` does not name the newest run",
        "run again to its end, name the run outright, or delete the directories of runs that were given up",
    )
    .at(Location::file("latest.json"))
    .expected("the newest run, sealed")
    .found(found)
}
