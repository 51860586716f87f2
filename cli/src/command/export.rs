//! `export`: a sealed run in a format of another program. It judges nothing, and exits 0 whatever the verdict was.

use crate::{
    args::Export as Arguments,
    exit::{Exit, OrExit, Refused},
    export::{self, Account},
    locate,
    repository::Repository,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{Fault, wire::code::USAGE};
use std::{fs::File, io::Write as _, path::Path};

/// Runs `export`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover().ok();
    let dir = locate::run(&arguments.run, repository.as_ref())?;
    let account = Account::read(&dir).or_exit(Exit::Invalid)?;
    let text = export::render(arguments.target, &account)?;
    let Some(path) = &arguments.out else {
        out.raw(&text);
        return Ok(Exit::Pass);
    };
    outside(path, &dir)?;
    let written = File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Exit::Pass)
}

/// A file that is added to a sealed run would break its seal.
fn outside(path: &Path, dir: &Path) -> Result<(), Refused> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    let inside = match (folder, dir.canonicalize()) {
        (Ok(folder), Ok(dir)) => folder.starts_with(dir),
        _ => false,
    };
    if !inside {
        return Ok(());
    }
    let headline = format!("{} lies within the sealed run", path.display());
    let remedy = "name a file outside of the run directory";
    Err(Refused::new(Exit::Usage, Fault::new(USAGE, headline, remedy)))
}
