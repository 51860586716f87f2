//! The state of the work tree before and after a command: which files differ. It does not say which may.

use super::{Command, GateContext, GateError, Trace, World};
use crate::{
    evidence::{
        digest,
        glob::Globs,
        process::{Exit, Finished},
        tree::{EntryKind, HardLinks},
    },
    wire::{
        code::{GIT_FAILED, INPUT_TOO_LARGE, PATH_REFUSED},
        fault::Fault,
        id::Digest,
        ordered::{VecMap, VecSet},
        path::RelPath,
    },
};
use std::{fmt, fs, path::Path, time::Duration};

/// The most files one snapshot holds (`security.md`, section 4).
const FILES_MAX: usize = 200_000;
/// How long git may take to list them.
const GIT_TIMEOUT: Duration = Duration::from_secs(120);
/// Lists tracked files and those that no tracked rule ignores. `info/exclude` hides files and is not asked (fact G5).
const LIST: &[&str] = &[
    "git",
    "--no-replace-objects",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.untrackedCache=false",
    "-c",
    "core.hooksPath=/dev/null",
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-per-directory=.gitignore",
];

/// Path and digest of every watched file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot(VecMap<String, Digest>);

/// How a file differs between two snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there only afterwards.
    Added,
    /// Its content, or what a link points at, is another.
    Changed,
    /// It is there only before.
    Removed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        })
    }
}

impl Snapshot {
    /// What differs in a later snapshot, by path.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<(String, Change)> {
        let mut changes = VecMap::new();
        for (path, digest) in &self.0 {
            match later.0.get(path) {
                None => changes.insert(path.clone(), Change::Removed),
                Some(other) if other != digest => changes.insert(path.clone(), Change::Changed),
                Some(_same) => None,
            };
        }
        for path in later.0.keys().filter(|path| !self.0.contains_key(*path)) {
            changes.insert(path.clone(), Change::Added);
        }
        changes.into_iter().collect()
    }

    /// How many files it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl GateContext<'_> {
    /// Hashes the work tree: tracked files and those that no tracked rule ignores; without git, every file.
    ///
    /// cargo's target directory and the folder of views are left out, since running gates write there.
    ///
    /// # Errors
    /// When a file cannot be listed or read: a tree that is half seen proves nothing about the other half.
    pub fn snapshot(&self, watch: Option<&Globs>) -> Result<Snapshot, GateError> {
        self.trace.watch(take(self.world, self.trace, watch))
    }
}

fn take(world: &World, trace: &Trace, watch: Option<&Globs>) -> Result<Snapshot, Fault> {
    let left_out = left_out(world);
    let mut files = VecMap::new();
    for path in list(world, trace, watch)? {
        let is_out = left_out.iter().any(|folder| Path::new(path.as_str()).starts_with(folder));
        if is_out || watch.is_some_and(|globs| !globs.matches(path.as_str())) {
            continue;
        }
        if let Some(digest) = digest_of(world, &path)? {
            files.insert(path.as_str().to_owned(), digest);
        }
    }
    trace.say(&format!("work tree: {} files hashed", files.len()));
    Ok(Snapshot(files))
}

/// The folders that gates themselves write to, relative to the root.
fn left_out(world: &World) -> Vec<String> {
    let target = world.target_dir.strip_prefix(world.tree.root()).ok().and_then(Path::to_str);
    let views = world.policy.views.as_ref().map(RelPath::as_str);
    target
        .into_iter()
        .chain(views)
        .filter(|folder| !folder.is_empty())
        .map(|folder| folder.replace('\\', "/"))
        .collect()
}

fn list(world: &World, trace: &Trace, watch: Option<&Globs>) -> Result<VecSet<RelPath>, Fault> {
    if world.tree.kind(&path(".git")?)?.is_none() {
        let all = Globs::new(&["**"])?;
        return Ok(world.tree.walk(watch.unwrap_or(&all))?.into_iter().collect());
    }
    let argv: Vec<String> = LIST.iter().map(|word| (*word).to_owned()).collect();
    let finished = Command::new(world, trace, &argv).timeout(GIT_TIMEOUT).quiet().run()?;
    let mut paths = VecSet::new();
    for name in listed(&finished)?.split('\0').filter(|name| !name.is_empty()) {
        // A repository inside this one is listed as its folder.
        paths.insert(path(name.trim_end_matches('/'))?);
        if paths.len() > FILES_MAX {
            let headline = format!("the work tree has more than {FILES_MAX} files");
            return Err(Fault::new(
                INPUT_TOO_LARGE,
                headline,
                "narrow what is watched with `watch`",
            ));
        }
    }
    Ok(paths)
}

fn listed(finished: &Finished) -> Result<String, Fault> {
    let failed = |found: String| {
        Fault::new(
            GIT_FAILED,
            "git did not list the files of the work tree",
            "see whether `git ls-files` works here",
        )
        .found(found)
    };
    if finished.timed_out {
        return Err(failed(format!("no answer in {} s", GIT_TIMEOUT.as_secs())));
    }
    if finished.exit != Exit::Code(0) {
        return Err(failed(
            finished.stderr.text().lines().next().unwrap_or("no message").to_owned(),
        ));
    }
    if finished.stdout.cut > 0 {
        let headline = "the list of files is longer than what is kept of an output";
        return Err(Fault::new(
            INPUT_TOO_LARGE,
            headline,
            "remove or ignore what need not be there",
        ));
    }
    Ok(finished.stdout.text())
}

fn path(name: &str) -> Result<RelPath, Fault> {
    // A replacement character stands for bytes that are not UTF-8: that file could not be opened by this name.
    if name.contains('\u{fffd}') {
        let headline = format!("the name of `{}` is not UTF-8", name.escape_debug());
        return Err(Fault::new(PATH_REFUSED, headline, "rename the file"));
    }
    RelPath::parse(name)
        .map_err(|source| Fault::new(PATH_REFUSED, source.to_string(), "rename the file"))
}

/// The digest of what stands under a name; `None` when nothing does.
fn digest_of(world: &World, path: &RelPath) -> Result<Option<Digest>, Fault> {
    let unreadable = |source: &std::io::Error| {
        super::unreadable(path, format!("`{path}` could not be read"), "see its permissions")
            .because(source)
    };
    match world.tree.kind(path)? {
        None => Ok(None),
        Some(EntryKind::File) => {
            let file = world.tree.open(path, HardLinks::Allow)?;
            digest::of_reader(file)
                .map(|(digest, _bytes)| Some(digest))
                .map_err(|source| unreadable(&source))
        }
        Some(EntryKind::Link) => {
            let target = fs::read_link(world.tree.root().join(path.as_str()))
                .map_err(|source| unreadable(&source))?;
            Ok(Some(Digest::of(format!("link {}", target.display()).as_bytes())))
        }
        Some(EntryKind::Dir) => Ok(Some(Digest::of(b"folder"))),
        Some(EntryKind::Other) => Ok(Some(Digest::of(b"other"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(rows: &[(&str, &str)]) -> Snapshot {
        Snapshot(
            rows.iter()
                .map(|(path, text)| ((*path).to_owned(), Digest::of(text.as_bytes())))
                .collect(),
        )
    }

    #[test]
    fn every_difference_is_named_once() {
        let before = snapshot(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let after = snapshot(&[("b", "2"), ("c", "1"), ("d", "1")]);
        let seen: Vec<String> = before
            .changes(&after)
            .iter()
            .map(|(path, change)| format!("{change} {path}"))
            .collect();
        assert_eq!(seen, ["removed a", "changed b", "added d"]);
        assert!(before.changes(&before).is_empty());
    }

    #[test]
    fn t30_a_name_that_is_not_utf8_is_refused() {
        assert!(path("a\u{fffd}").is_err());
        assert!(path("a/b").is_ok());
    }
}
