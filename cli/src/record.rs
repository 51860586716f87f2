//! The run directory as the runner writes it: one thin file between the runner and the store. It judges nothing.

use crate::{
    exit::{Exit, OrExit, Refused},
    seal::{self, Alike, Asked},
};
use anyhow::Context as _;
use portcullis::{
    Fault, Lane, Mode, RunId,
    cpu_budget::effective_cpu_count,
    evidence::{
        clock::Stopwatch,
        environment::Environment,
        store::{Durability, Ownership, RUN_SCHEMA, RunDir, RunState, Store},
        tree::Tree,
    },
    report::views,
    wire::{
        artifact,
        code::USAGE,
        receipt::{Clock, Envelope, Source, Tool},
        time::Instant,
    },
};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What a reader decides the run from again. A pattern or a name in it that begins like somebody's home folder has to stay
/// what it is.
const COMPUTED_FROM: [&str; 4] = ["decision.json", "expected.json", "inputs.json", "plan.json"];
const RUN_ID_VARIABLE: &str = "PORTCULLIS_RUN_ID";

/// What every document of a run says in its header.
pub(crate) struct Header {
    /// The run.
    pub run_id: RunId,
    /// What is gated.
    pub source: Source,
    /// The promotion mode.
    pub mode: Mode,
    /// The one clock reading.
    pub clock: Clock,
    /// Since when the run lasts.
    pub stopwatch: Stopwatch,
}

impl Header {
    /// The header of a document written now.
    pub(crate) fn envelope(&self, schema: &str) -> Envelope {
        Envelope {
            schema: schema.to_owned(),
            run_id: self.run_id.clone(),
            generated_at: self.now(),
            source: self.source.clone(),
            tool: Tool::this(),
            mode: self.mode,
            clock: self.clock.clone(),
        }
    }

    /// The run's clock, moved on by what has passed since.
    pub(crate) fn now(&self) -> Instant {
        let elapsed_ms = i64::try_from(self.stopwatch.elapsed_ms()).unwrap_or(i64::MAX);
        let ms = self.clock.now.unix_ms().saturating_add(elapsed_ms);
        Instant::from_unix_ms(ms).unwrap_or(self.clock.now)
    }
}

/// The run id that was asked for from outside, or a new one.
pub(crate) fn asked_run_id(environment: &Environment, now: Instant) -> Result<RunId, Refused> {
    let Some(text) = environment.non_empty(RUN_ID_VARIABLE) else { return new_run_id(now) };
    RunId::parse(text).map_err(|source| {
        let headline = format!("{RUN_ID_VARIABLE}: {source}");
        Refused::new(Exit::Usage, Fault::new(USAGE, headline, "set another run id"))
    })
}

/// A new run id: the time, and this process.
fn new_run_id(now: Instant) -> Result<RunId, Refused> {
    let text = format!("{}-{:x}", now.to_string().replace(':', "."), std::process::id());
    Ok(RunId::parse(&text).context("a run id of our own is refused")?)
}

/// The run directory of this run.
pub(crate) struct Record<'a> {
    dir: RunDir,
    header: &'a Header,
    environment: &'a Environment,
}

impl<'a> Record<'a> {
    /// Creates the directory and its `run.json`, which says `running`.
    pub(crate) fn begin(
        target_dir: &Path,
        header: &'a Header,
        lane: Lane,
        environment: &'a Environment,
    ) -> Result<Self, Refused> {
        // A lost machine may lose a local run; it must not lose the evidence of a release.
        let durability = match lane {
            Lane::Local => Durability::Cached,
            Lane::Pr | Lane::Main | Lane::Release => Durability::Synced,
        };
        let store = Store::open(target_dir).or_exit(Exit::Nothing)?;
        let running = header.envelope(RUN_SCHEMA);
        let run_id = &header.run_id;
        let measured = Measured::set_aside(target_dir, run_id)?;
        let owned = store.create_run(run_id, Ownership::Owned, durability, &running);
        measured.put_back()?;
        owned.or_exit(Exit::Nothing)?;
        // Gate binaries write here, too, so whoever seals hashes what lies there and not what it wrote itself.
        let dir = store
            .create_run(run_id, Ownership::Joined, durability, &running)
            .or_exit(Exit::Nothing)?;
        Ok(Self { dir, header, environment })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a document with the header of this run; secrets are replaced first.
    pub(crate) fn write(
        &self,
        name: &str,
        schema: &str,
        body: &impl Serialize,
    ) -> Result<(), Refused> {
        let envelope = self.header.envelope(schema);
        let document = views::with_envelope(&envelope, body).or_exit(Exit::Internal)?;
        self.write_value(name, &document)
    }

    /// Writes a document that has its header already.
    pub(crate) fn write_value(&self, name: &str, document: &impl Serialize) -> Result<(), Refused> {
        let text = artifact::document(document).context("a document cannot be rendered")?;
        self.write_text(name, &text)
    }

    /// Writes a text; secrets are replaced first, and the home folder where nothing is computed from the text again.
    pub(crate) fn write_text(&self, name: &str, text: &str) -> Result<(), Refused> {
        let text = if COMPUTED_FROM.contains(&name) {
            self.environment.redact(text)
        } else {
            self.environment.recordable(text)
        };
        self.dir.write_file(name, text.as_bytes()).or_exit(Exit::Invalid)
    }

    /// Writes one object per line.
    pub(crate) fn write_lines(&self, name: &str, lines: &[impl Serialize]) -> Result<(), Refused> {
        let mut text = String::new();
        for line in lines {
            text.push_str(&artifact::line(line).context("a line cannot be rendered")?);
        }
        self.write_text(name, &text)
    }

    /// Hashes every file and seals the run. One with a secret in any file is never sealed: what this program writes is
    /// redacted, and what others wrote into the directory is not ours to edit.
    pub(crate) fn seal(&self) -> Result<(), Refused> {
        self.without_secrets()?;
        let envelope = self.header.envelope(RUN_SCHEMA);
        self.dir.seal(&envelope).map(drop).or_exit(Exit::Invalid)
    }

    fn without_secrets(&self) -> Result<(), Refused> {
        let tree = Tree::new(self.path()).or_exit(Exit::Invalid)?;
        let files = seal::files(&tree, Alike::Allow).or_exit(Exit::Invalid)?;
        let threads =
            effective_cpu_count().map_err(|refused| Refused::new(Exit::Usage, refused.into()))?;
        let redactor = Some(self.environment.redactor());
        let asked = Asked { redactor, cache: None, begun: None, threads };
        let read = seal::read(&tree, &files, &asked);
        let faults: Vec<Fault> = read.into_iter().filter_map(Result::err).collect();
        if faults.is_empty() { Ok(()) } else { Err(Refused::all(Exit::Invalid, faults)) }
    }

    /// Ends the run without a seal: it was stopped outright.
    pub(crate) fn interrupted(&self) -> Result<(), Refused> {
        self.end(RunState::Interrupted)
    }

    /// Ends the run without a seal: it never came to run anything.
    pub(crate) fn refused(&self) -> Result<(), Refused> {
        self.end(RunState::Refused)
    }

    fn end(&self, state: RunState) -> Result<(), Refused> {
        let envelope = self.header.envelope(RUN_SCHEMA);
        self.dir.end_unsealed(&envelope, state).or_exit(Exit::Invalid)
    }
}
/// What `canary measure` left in the directory of a run that has not begun: a run owns its directory from the start, so
/// it is moved away while the directory is made, and only one of two runs finds it.
struct Measured {
    from: PathBuf,
    aside: Option<PathBuf>,
}

impl Measured {
    /// Moves it away, where the directory holds nothing else.
    fn set_aside(target_dir: &Path, run_id: &RunId) -> Result<Self, Refused> {
        let place = target_dir.join("portcullis");
        let run = place.join("runs").join(run_id.to_string());
        let mut measured = Self { from: run.join("canary"), aside: None };
        let Ok(entries) = run.read_dir() else { return Ok(measured) };
        let names: Vec<_> = entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<std::io::Result<_>>()
            .context("the directory of the run cannot be listed")?;
        if names != ["canary"] || !measured.from.is_dir() {
            return Ok(measured);
        }
        let aside = place.join(format!("measured-{run_id}"));
        if std::fs::rename(&measured.from, &aside).is_ok() {
            measured.aside = Some(aside);
            // What fails here leaves a directory that exists, and the run is refused.
            drop(std::fs::remove_dir(&run));
        }
        Ok(measured)
    }

    /// Moves it back, whether or not the run could be begun.
    fn put_back(self) -> Result<(), Refused> {
        let Some(aside) = self.aside else { return Ok(()) };
        let back = || {
            self.from.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::rename(&aside, &self.from)
        };
        Ok(back().context("what was measured for this run cannot be put back")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_run_takes_over_what_was_measured_for_it_and_nothing_else() {
        let target = tempfile::tempdir().expect("a folder");
        let run_id = RunId::parse("r1").expect("an id");
        let run = target.path().join("portcullis/runs/r1");
        let measurement = run.join("canary/c/measurement.json");
        fs::create_dir_all(run.join("canary/c")).expect("folders");
        fs::File::create(&measurement).expect("a file");
        let measured = Measured::set_aside(target.path(), &run_id).expect("moved away");
        assert!(!run.exists(), "the directory is free for whoever owns the run");
        let second = Measured::set_aside(target.path(), &run_id).expect("nothing to move");
        assert!(second.aside.is_none(), "only one of two runs finds it");
        measured.put_back().expect("moved back");
        assert!(measurement.is_file());
        // A run that has begun is somebody's already.
        fs::File::create(run.join("run.json")).expect("a file");
        let begun = Measured::set_aside(target.path(), &run_id).expect("nothing to move");
        assert!(begun.aside.is_none() && measurement.is_file());
    }
}
