//! `push` and `pull`: sealed runs to an object store and back. They decide nothing.

use crate::{
    args::{Pull, Push},
    exit::{Exit, OrExit, Refused},
    locate,
    repository::Repository,
    store::Remote,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{Fault, RunId, report::human::count, wire::code::USAGE};
use serde_json::json;
use std::path::Path;

const PUSH_SCHEMA: &str = "portcullis.push.v1";
const PULL_SCHEMA: &str = "portcullis.pull.v1";

/// Runs `push`.
pub(crate) fn push(arguments: &Push, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover().ok();
    let remote = Remote::open(&arguments.store).or_exit(Exit::Usage)?;
    let mut rows = Vec::new();
    for word in &arguments.runs {
        let dir = locate::run(word, repository.as_ref())?;
        let files = remote.push(&dir).or_exit(Exit::Invalid)?;
        rows.push(json!({ "run": dir.display().to_string(), "files": files }));
        let files = count(files, "file");
        out.text(&format!("pushed {} with {files} to {}", dir.display(), arguments.store));
    }
    out.document(&json!({ "schema": PUSH_SCHEMA, "store": arguments.store, "runs": rows }));
    Ok(Exit::Pass)
}

/// Puts a run that just ended into a store.
pub(crate) fn shipped(address: &str, dir: &Path, out: &mut Transport) -> Result<(), Refused> {
    let remote = Remote::open(address).or_exit(Exit::Usage)?;
    let files = remote.push(dir).or_exit(Exit::Invalid)?;
    out.progress(&format!("portcullis: pushed {} to {address}", count(files, "file")));
    Ok(())
}

/// Runs `pull`.
pub(crate) fn pull(arguments: &Pull, out: &mut Transport) -> Result<Exit, Refused> {
    let remote = Remote::open(&arguments.store).or_exit(Exit::Usage)?;
    let folder = match &arguments.to {
        Some(folder) => folder.clone(),
        // Beside the runs of this place, not among them: the newest of those is found by looking at all.
        None => locate::target_dir(&Repository::discover()?)?.join("portcullis/pulled"),
    };
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{} cannot be written", folder.display()))?;
    let mut rows = Vec::new();
    for word in &arguments.runs {
        let id = RunId::parse(word).map_err(|source| {
            let fault = Fault::new(USAGE, source.to_string(), "name runs by their ids");
            Refused::new(Exit::Usage, fault)
        })?;
        let to = folder.join(id.as_str());
        if to.exists() {
            let headline = format!("`{}` exists already", to.display());
            let remedy = "name another folder with `--to`; a run directory is never overwritten";
            return Err(Refused::new(Exit::Usage, Fault::new(USAGE, headline, remedy)));
        }
        let files = fetch(&remote, &id, &folder, &to)?;
        rows.push(json!({ "run": to.display().to_string(), "files": files }));
        out.text(&format!("pulled {} with {}", to.display(), count(files, "file")));
    }
    out.document(&json!({ "schema": PULL_SCHEMA, "store": arguments.store, "runs": rows }));
    Ok(Exit::Pass)
}

/// Fetches into a folder beside the target, which gets its name when all of it is there and is what was sealed.
fn fetch(remote: &Remote, id: &RunId, folder: &Path, to: &Path) -> Result<usize, Refused> {
    let scratch = tempfile::Builder::new()
        .prefix(".pull-")
        .tempdir_in(folder)
        .with_context(|| format!("{} cannot be written", folder.display()))?;
    let fetched = scratch.path().join("run");
    let files = remote.pull(id, &fetched).or_exit(Exit::Invalid)?;
    let faults = portcullis::evidence::store::verify_manifest(&fetched).or_exit(Exit::Invalid)?;
    if !faults.is_empty() {
        return Err(Refused::all(Exit::Invalid, faults));
    }
    std::fs::rename(&fetched, to).with_context(|| format!("{} cannot be written", to.display()))?;
    Ok(files)
}
