//! The folder of a canary within a run, and its files: made once, written whole, never reused.

use crate::{
    exit::{Exit, Refused},
    locate,
    record::asked_run_id,
    repository::Repository,
};
use anyhow::Context as _;
use portcullis::{Fault, RunId, wire::code::RUN_UNREADABLE};
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// The measurement.
pub(crate) const MEASUREMENT: &str = "measurement.json";
/// The measurement that was taken again because the first one failed.
pub(crate) const CONFIRMATION: &str = "confirmation.json";
/// What came of measuring the base against itself.
pub(crate) const CALIBRATION: &str = "calibration.json";

/// The folder of a canary in this run.
pub(crate) struct Folder {
    /// The run.
    pub run_id: RunId,
    /// Where it is.
    pub path: PathBuf,
}

impl Folder {
    /// Makes the folder in the run that `PORTCULLIS_RUN_ID` names, else in a new one.
    pub(crate) fn make(repository: &Repository, id: &str, file: &str) -> Result<Self, Refused> {
        let now = repository.clock()?.now;
        let run_id = asked_run_id(&repository.environment, now)?;
        let path = runs(repository)?.join(run_id.to_string()).join("canary").join(id);
        fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        if path.join(file).exists() {
            let headline = format!("run `{run_id}` holds a `{file}` of `{id}` already");
            let remedy = "measure in a run of its own: set another `PORTCULLIS_RUN_ID`, or none";
            return Err(Refused::new(Exit::Nothing, Fault::new(RUN_UNREADABLE, headline, remedy)));
        }
        Ok(Self { run_id, path })
    }

    /// A folder below, made empty: what an earlier attempt left in it was not made by this one.
    pub(crate) fn below(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(source),
            Ok(()) | Err(_) => {}
        }
        fs::create_dir_all(&path)?;
        Ok(path)
    }
}

/// Where runs are.
pub(crate) fn runs(repository: &Repository) -> Result<PathBuf, Refused> {
    Ok(locate::target_dir(repository)?.join("portcullis/runs"))
}

/// The newest file of a canary over all runs, or that of the run that is named; nothing where there is none.
pub(crate) fn newest(
    repository: &Repository,
    id: &str,
    file: &str,
) -> Result<Option<PathBuf>, Refused> {
    let runs = runs(repository)?;
    if let Some(run) = repository.environment.non_empty("PORTCULLIS_RUN_ID") {
        let path = runs.join(run).join("canary").join(id).join(file);
        return Ok(path.is_file().then_some(path));
    }
    let entries = match runs.read_dir() {
        Ok(entries) => entries,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(anyhow::Error::from(source).context("runs cannot be listed").into());
        }
    };
    let mut found = None;
    for entry in entries {
        let path =
            entry.context("runs cannot be listed")?.path().join("canary").join(id).join(file);
        let Ok(about) = path.metadata() else { continue };
        let written = about.modified().context("a file has no time")?;
        if found.as_ref().is_none_or(|(newest, _)| *newest < written) {
            found = Some((written, path));
        }
    }
    Ok(found.map(|(_, path)| path))
}

/// Writes a file whole, under a name that nothing has yet.
///
/// # Errors
/// When the name is taken, or the disk refuses.
pub(crate) fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().context("a file has no folder")?;
    let mut file = tempfile::Builder::new().prefix(".portcullis-tmp-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(())
}
