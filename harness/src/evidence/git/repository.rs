//! Where the repository is, and which commit `HEAD` names, read from its files. Starts nothing.

use super::facts::is_object_id;
use crate::{
    evidence::tree::Tree,
    wire::{code::GIT_FAILED, fault::Fault, path::RelPath},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The most that is read of one of git's small files; a packed-refs file beyond it is left to git.
const SMALL_MAX_BYTES: u64 = 64 * 1024;
const PACKED_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// A repository with a work tree.
#[derive(Debug)]
pub(super) struct Repository {
    /// The top folder of the work tree.
    pub(super) top: PathBuf,
    /// The path from there to the folder that was asked about, empty or with a trailing `/`.
    pub(super) prefix: String,
    git_dir: PathBuf,
}

/// Finds the repository that a folder lies in; nothing when no folder above it has a `.git`.
pub(super) fn discover(root: &Path) -> Result<Option<Repository>, Fault> {
    let failed = |source: &io::Error| {
        Fault::new(
            GIT_FAILED,
            "it is not known whether this is a git repository",
            "make the folder readable, then run again",
        )
        .found(root.display().to_string())
        .because(source)
    };
    let start = fs::canonicalize(root).map_err(|source| failed(&source))?;
    for top in start.ancestors() {
        let dot_git = top.join(".git");
        let kind = match fs::symlink_metadata(&dot_git) {
            Ok(metadata) => metadata.file_type(),
            Err(source) if source.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(failed(&source)),
        };
        let git_dir = if kind.is_file() { linked(top).unwrap_or(dot_git) } else { dot_git };
        let below = start.strip_prefix(top).unwrap_or(Path::new(""));
        let Some(mut prefix) = below.to_str().map(|text| text.replace('\\', "/")) else {
            return Err(Fault::new(
                GIT_FAILED,
                "the path within the repository is not UTF-8",
                "rename the folder",
            ));
        };
        if !prefix.is_empty() {
            prefix.push('/');
        }
        return Ok(Some(Repository { top: top.to_path_buf(), prefix, git_dir }));
    }
    Ok(None)
}

/// The git folder of a linked work tree, whose `.git` is a file that names it.
fn linked(top: &Path) -> Option<PathBuf> {
    let text = small(top, ".git", SMALL_MAX_BYTES)?;
    let target = text.strip_prefix("gitdir: ")?.trim_end_matches(['\n', '\r']);
    Some(top.join(target))
}

/// A small text file of a folder; whatever is unusual about it reads as nothing, and git is asked instead.
fn small(dir: &Path, name: &str, cap_bytes: u64) -> Option<String> {
    let path = RelPath::parse(name).ok()?;
    Tree::new(dir).ok()?.read_text(&path, cap_bytes).ok()
}

impl Repository {
    /// The commit of `HEAD`, when its files say so plainly. Nothing means that git has to be asked.
    pub(super) fn head_commit(&self) -> Option<String> {
        let head = small(&self.git_dir, "HEAD", SMALL_MAX_BYTES)?;
        let head = head.trim_end_matches(['\n', '\r']);
        if is_object_id(head) {
            return Some(head.to_owned());
        }
        let name = head.strip_prefix("ref: ")?;
        // Branches live in the shared folder of all linked work trees.
        let common = match small(&self.git_dir, "commondir", SMALL_MAX_BYTES) {
            Some(text) => self.git_dir.join(text.trim_end_matches(['\n', '\r'])),
            None => self.git_dir.clone(),
        };
        if !name.starts_with("refs/heads/") {
            return None;
        }
        let loose = small(&common, name, SMALL_MAX_BYTES).map(|text| text.trim_end().to_owned());
        let found =
            loose.or_else(|| packed(&small(&common, "packed-refs", PACKED_MAX_BYTES)?, name));
        found.filter(|commit| is_object_id(commit))
    }
}

fn packed(text: &str, name: &str) -> Option<String> {
    let wanted = |line: &str| {
        line.split_once(' ')
            .filter(|(_, found)| *found == name)
            .map(|(commit, _)| commit.to_owned())
    };
    text.lines().find_map(wanted)
}
