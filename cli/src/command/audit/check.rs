//! `audit check`: an audit looked at again. It opens files and nothing else: no process, no network, nothing written.

use super::{AUDIT_FILE, Disk, FILE_MAX, answer, folder, instant};
use crate::{
    args::AuditCheck,
    exit::{Exit, OrExit, Refused},
    repository::Repository,
    transport::Transport,
};
use portcullis::{
    Fault, Location, RelPath,
    evidence::{git::Git, tree::Tree},
    wire::code::{AUDIT_ABSENT, PATH_REFUSED},
};
use portcullis_gates::completion_audit::check_audit;
use std::path::{Path, PathBuf};

/// Runs `audit check`.
pub(super) fn run(arguments: &AuditCheck, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let now = instant(arguments.generated_at.as_deref())?;
    let path = match &arguments.audit_json {
        Some(path) => path.clone(),
        None => folder(&repository, None).join(AUDIT_FILE),
    };
    let (bytes, beside) = read(&path)?;
    let files = Disk::new(&repository.tree, &beside).or_exit(Exit::Invalid)?;
    // Read from git's own small files. Where they do not say, nobody asks git: the audit is then of no known commit.
    let head = Git::new(repository.root(), None).head_on_disk().or_exit(Exit::Invalid)?;
    let name = path.display().to_string();
    let closeout =
        check_audit((&name, &bytes), head.as_deref(), &files, now).or_exit(Exit::Invalid)?;
    answer(&closeout, out)
}

/// The bytes of an audit, and the folder that it lies in.
fn read(path: &Path) -> Result<(Vec<u8>, PathBuf), Refused> {
    let absent = || {
        let remedy = "build it: `cargo portcullis audit build`";
        let headline = format!("there is no audit at {}", path.display());
        let fault = Fault::new(AUDIT_ABSENT, headline, remedy).at(Location::file(path.display()));
        Refused::new(Exit::Nothing, fault)
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).to_path_buf();
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(absent)?;
    let name = RelPath::parse(name).map_err(|source| {
        let remedy = "give the audit a plain name";
        Refused::new(Exit::Usage, Fault::new(PATH_REFUSED, source.to_string(), remedy))
    })?;
    if !folder.is_dir() {
        return Err(absent());
    }
    let tree = Tree::new(&folder).or_exit(Exit::Invalid)?;
    if !tree.exists(&name).or_exit(Exit::Invalid)? {
        return Err(absent());
    }
    Ok((tree.read(&name, FILE_MAX).or_exit(Exit::Invalid)?, folder))
}
