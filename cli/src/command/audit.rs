//! `audit`: record commands, build the completion audit, check it. What an audit comes to is judged by the gate kind.

mod build;
mod check;
mod record;
mod self_test;

use crate::{
    args::{Audit, AuditVerb},
    exit::{Exit, OrExit, Refused},
    repository::Repository,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{
    Digest, Fault, Instant, RelPath,
    evidence::{
        clock, digest,
        tree::{HardLinks, Tree},
    },
    wire::{artifact, code::PATH_REFUSED, code::USAGE},
};
use portcullis_gates::completion_audit::{Closeout, Files, TRANSCRIPTS};
use serde_json::Value;
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

/// The file of an audit.
const AUDIT_FILE: &str = "completion_audit.json";
/// The file of its answer.
const CLOSEOUT_FILE: &str = "closeout_gate.json";
/// The most that is read of one file (`security.md`, section 4).
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// Runs `audit`.
pub(crate) fn run(arguments: &Audit, out: &mut Transport) -> Result<Exit, Refused> {
    match &arguments.verb {
        AuditVerb::Record(record) => record::run(record, out),
        AuditVerb::Build(build) => build::run(build, out),
        AuditVerb::Check(check) if check.self_test => self_test::run(check, out),
        AuditVerb::Check(check) => check::run(check, out),
    }
}

/// Where audits and transcripts lie.
fn folder(repository: &Repository, dir: Option<&PathBuf>) -> PathBuf {
    dir.cloned().unwrap_or_else(|| repository.target_dir().join("portcullis/audit"))
}

/// The instant that was named, or the system's.
fn instant(named: Option<&str>) -> Result<Instant, Refused> {
    let Some(text) = named else { return clock::system_now().or_exit(Exit::Usage) };
    Instant::parse(text).map_err(|source| {
        let fault = Fault::new(USAGE, source.to_string(), "write `2026-05-31T12:00:00Z`");
        Refused::new(Exit::Usage, fault)
    })
}

/// Writes a document as a whole. Secrets are replaced before: no byte of them is written.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), Refused> {
    let failed = || format!("{} cannot be written", folder.join(name).display());
    let target = folder.join(name);
    let parent = target.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).with_context(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(parent).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(&target).with_context(failed)?;
    Ok(())
}

/// The files of a repository and those beside its audit.
struct Disk {
    repository: Tree,
    /// Nothing where the folder does not exist: then nothing lies in it.
    beside: Option<Tree>,
}

impl Disk {
    fn new(repository: &Tree, folder: &Path) -> Result<Self, Fault> {
        let beside = if folder.is_dir() { Some(Tree::new(folder)?) } else { None };
        Ok(Self { repository: repository.clone(), beside })
    }
}

fn read(tree: &Tree, path: &RelPath) -> Result<Option<Vec<u8>>, Fault> {
    if !tree.exists(path)? {
        return Ok(None);
    }
    tree.read(path, FILE_MAX).map(Some)
}

impl Files for Disk {
    fn of_repository(&self, path: &RelPath) -> Result<Option<Vec<u8>>, Fault> {
        read(&self.repository, path)
    }

    fn digest_of(&self, path: &RelPath) -> Result<Option<Digest>, Fault> {
        if !self.repository.exists(path)? {
            return Ok(None);
        }
        let file = self.repository.open(path, HardLinks::Allow)?;
        let (digest, _bytes) = digest::of_reader(file).map_err(|source| {
            portcullis::evidence::context::unreadable(
                path,
                "a file could not be read",
                "check the disk",
            )
            .because(&source)
        })?;
        Ok(Some(digest))
    }

    fn beside(&self, path: &RelPath) -> Result<Option<Vec<u8>>, Fault> {
        self.beside.as_ref().map_or(Ok(None), |tree| read(tree, path))
    }

    fn transcripts(&self) -> Result<Vec<RelPath>, Fault> {
        let folder = RelPath::parse(TRANSCRIPTS).map_err(|source| {
            Fault::new(PATH_REFUSED, source.to_string(), "report this as a bug")
        })?;
        let Some(tree) = self.beside.as_ref() else { return Ok(Vec::new()) };
        if !tree.exists(&folder)? {
            return Ok(Vec::new());
        }
        let mut paths: Vec<RelPath> =
            tree.list_dir(Some(&folder))?.into_iter().map(|entry| entry.path).collect();
        paths.retain(|path| path.as_str().ends_with(".json"));
        paths.sort();
        Ok(paths)
    }
}

/// Says what a closeout came to, and returns the exit code of it.
fn answer(closeout: &Closeout, out: &mut Transport) -> Result<Exit, Refused> {
    let document: Value =
        serde_json::to_value(closeout).context("a closeout cannot be rendered")?;
    out.document(&document);
    out.text(&text(closeout));
    Ok(if closeout.closeout_allowed { Exit::Pass } else { Exit::Blocked })
}

fn text(closeout: &Closeout) -> String {
    let summary = &closeout.summary;
    let mut lines = vec![format!(
        "audit: {}: {} of {} requirements satisfied, {} in the way",
        closeout.verdict, summary.satisfied, summary.requirements, summary.blockers
    )];
    for blocker in &closeout.blockers {
        let code = portcullis_gates::completion_audit::code(blocker.kind);
        let of = blocker.requirement.as_deref().unwrap_or("the repository");
        lines.push(format!("error[{code}]: {of}: {}", blocker.detail));
        lines.push(format!("  --> {}", blocker.subject));
        lines.push(format!("   = expected: {}", blocker.expected));
        lines.push(format!("   = found:    {}", blocker.found));
        lines.push(format!("   = remedy:   {}", blocker.next_action));
    }
    if !closeout.operator_next_actions.is_empty() {
        lines.push("operator next actions:".to_owned());
    }
    for (n, action) in (1..).zip(&closeout.operator_next_actions) {
        lines.push(format!("  {n}. {}", action.action));
        if let Some(command) = &action.command {
            let words: Vec<String> =
                command.iter().map(|word| portcullis::kernel::replay::quote(word)).collect();
            lines.push(format!("     {}", words.join(" ")));
        }
    }
    lines.join("\n")
}

fn render(closeout: &Closeout) -> Result<String, Refused> {
    Ok(artifact::document(closeout).context("a closeout cannot be rendered")?)
}
