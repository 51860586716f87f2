//! Which run directory a word means. Leaves out what the directory says.

use crate::{
    engine::cargo_test::Cargo,
    exit::{Exit, OrExit, Refused},
    repository::Repository,
};
use portcullis::{Fault, RunId, evidence::store::Store, wire::code::RUN_UNREADABLE};
use std::path::{Path, PathBuf};

const LATEST: &str = "latest";

/// The directory that a word means: a path, `latest`, or the id of a run.
pub(crate) fn run(word: &str, repository: Option<&Repository>) -> Result<PathBuf, Refused> {
    let gone = |headline: String, remedy: &str| {
        Refused::new(Exit::Invalid, Fault::new(RUN_UNREADABLE, headline, remedy))
    };
    let mut path = Path::new(word);
    // A document of a run stands for the run.
    for name in ["run.json", "summary.json"] {
        if path.is_file() && path.file_name().is_some_and(|file| file == name) {
            path = path.parent().unwrap_or(path);
        }
    }
    if path.file_name().is_some_and(|folder| folder == "views") && path.is_dir() {
        path = path.parent().unwrap_or(path);
    }
    if path.join("run.json").exists() || path.components().count() > 1 || path.is_absolute() {
        // The link `latest` and other links to a run are followed once, here.
        return path.canonicalize().map_err(|source| {
            gone(
                format!("`{word}` is no run directory: {source}"),
                "name an existing run directory",
            )
        });
    }
    let Some(repository) = repository else {
        let remedy = "name the run directory by its path, or ask within the repository";
        return Err(gone(
            format!("`{word}` is looked for in a repository, and there is none here"),
            remedy,
        ));
    };
    let target_dir = target_dir(repository)?;
    if !target_dir.join("portcullis/runs").is_dir() {
        let headline = format!("no run was ever made below {}", target_dir.display());
        return Err(gone(headline, "run the gates first: `cargo test --test <gate binary>`"));
    }
    let store = Store::open(&target_dir).or_exit(Exit::Invalid)?;
    if word == LATEST {
        let latest = store.latest().or_exit(Exit::Invalid)?;
        let Some(latest) = latest else {
            return Err(gone("no run was ever sealed".to_owned(), "run the gates to their end"));
        };
        return Ok(store.run_path(&latest.envelope.run_id));
    }
    let id = RunId::parse(word).map_err(|source| {
        gone(source.to_string(), "name a run directory, a run id, or `latest`")
    })?;
    Ok(store.run_path(&id))
}

/// Where cargo builds: cargo knows where it builds; without a cargo project the place is guessed as the gate binary guesses it.
pub(crate) fn target_dir(repository: &Repository) -> Result<PathBuf, Refused> {
    if !repository.root().join("Cargo.toml").is_file() {
        return Ok(repository.target_dir());
    }
    let cargo = Cargo::find(repository, crate::args::CargoFlags::default())?;
    Ok(cargo.metadata()?.target_directory)
}
