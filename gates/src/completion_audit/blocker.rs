//! What stands in the way of a closeout, and what an operator does about it. It finds nothing by itself.

use super::{document::Repository, requirement::Wanted};
use serde::{Deserialize, Serialize};

/// The kinds of blockers; operators' scripts read these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something is in this clone alone.
    MissingPush,
    /// A command that should pass did not.
    FailedCommand,
    /// Nothing but words, pictures, bare files or foreign transcripts.
    ProxyOnlyEvidence,
    /// A file that was named does not exist.
    MissingArtifact,
    /// Nothing was shown.
    MissingEvidence,
    /// Two things that were shown cannot both be true.
    ContradictoryEvidence,
    /// It is known not to be finished.
    UnresolvedGap,
    /// What the audit was made from is not there.
    SourceMissing,
}

impl Kind {
    /// All of them, in the order in which they are worked off.
    pub const ALL: [Self; 8] = [
        Self::SourceMissing,
        Self::UnresolvedGap,
        Self::ContradictoryEvidence,
        Self::FailedCommand,
        Self::MissingArtifact,
        Self::MissingEvidence,
        Self::ProxyOnlyEvidence,
        Self::MissingPush,
    ];

    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingPush => "missing_push",
            Self::FailedCommand => "failed_command",
            Self::ProxyOnlyEvidence => "proxy_only_evidence",
            Self::MissingArtifact => "missing_artifact",
            Self::MissingEvidence => "missing_evidence",
            Self::ContradictoryEvidence => "contradictory_evidence",
            Self::UnresolvedGap => "unresolved_gap",
            Self::SourceMissing => "source_missing",
        }
    }

    /// Its place in [`Kind::ALL`].
    fn rank(self) -> usize {
        Self::ALL.iter().position(|kind| *kind == self).unwrap_or(Self::ALL.len())
    }
}

/// One thing in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// What sort of thing.
    pub kind: Kind,
    /// The requirement; nothing where it is about the audit or the repository.
    pub requirement: Option<String>,
    /// What it is about: a path, a command, a commit.
    pub subject: String,
    /// What is wrong.
    pub detail: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// What to do.
    pub next_action: String,
    /// The command that does it, word by word, where there is one.
    pub command: Option<Vec<String>>,
}

/// One step of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Action {
    /// What to do.
    pub action: String,
    /// The command that does it, word by word, where there is one.
    pub command: Option<Vec<String>>,
    /// The kinds of blockers it is for, and how many.
    pub resolves: Vec<String>,
}

/// The words of a command.
pub(super) fn words(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(ToString::to_string).collect())
}

const BUILD: &[&str] = &["cargo", "portcullis", "audit", "build"];

/// The command that records a command.
pub(super) fn record(argv: &[String]) -> Option<Vec<String>> {
    let mut command = words(&["cargo", "portcullis", "audit", "record", "--"])?;
    command.extend(argv.iter().cloned());
    Some(command)
}

/// The steps in the order in which they help: every distinct one once, and the audit built anew at the end.
#[must_use]
pub(super) fn actions(blockers: &[Blocker]) -> Vec<Action> {
    let mut sorted: Vec<&Blocker> = blockers.iter().collect();
    sorted.sort_by_key(|blocker| blocker.kind.rank());
    let mut actions: Vec<Action> = Vec::new();
    for blocker in sorted {
        let about = blocker.requirement.as_deref().unwrap_or("the repository");
        let resolves = format!("{}: {about}", blocker.kind.name());
        let same = |action: &&mut Action| {
            action.action == blocker.next_action && action.command == blocker.command
        };
        match actions.iter_mut().find(same) {
            Some(action) if action.resolves.contains(&resolves) => {}
            Some(action) => action.resolves.push(resolves),
            None => actions.push(Action {
                action: blocker.next_action.clone(),
                command: blocker.command.clone(),
                resolves: vec![resolves],
            }),
        }
    }
    if !actions.is_empty() {
        actions.push(Action {
            action: "build the audit again, then check it".to_owned(),
            command: words(BUILD),
            resolves: Vec::new(),
        });
    }
    actions
}

/// What one wanted thing is called in messages.
#[must_use]
pub(super) fn subject(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Commit { rev } => format!("commit `{rev}`"),
        Wanted::Command { argv, .. } => format!("command `{}`", argv.join(" ")),
        Wanted::Artifact { path, .. } | Wanted::File { path } | Wanted::Screenshot { path } => {
            path.to_string()
        }
        Wanted::Ledger { path, id, .. } => format!("{path}#{id}"),
        Wanted::Prose { .. } => "prose".to_owned(),
    }
}

/// What git says against a closeout.
pub(super) fn of_repository(repository: &Repository, commit: Option<&str>) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    let subject = commit.map_or_else(|| "HEAD".to_owned(), |commit| format!("commit {commit}"));
    if repository.changed_total > 0 {
        blockers.push(Blocker {
            kind: Kind::MissingPush,
            requirement: None,
            subject: "the work tree".to_owned(),
            detail: "changes that nobody committed cannot have been pushed".to_owned(),
            expected: "a work tree that equals `HEAD`".to_owned(),
            found: format!(
                "{} changed: {}",
                repository.changed_total,
                repository.changed.join(", ")
            ),
            next_action: "commit the changed paths, or discard them".to_owned(),
            command: words(&["git", "status", "--short"]),
        });
    }
    if commit.is_none() {
        blockers.push(Blocker {
            kind: Kind::SourceMissing,
            requirement: None,
            subject: subject.clone(),
            detail: "there is no commit that the audit could speak of".to_owned(),
            expected: "a commit".to_owned(),
            found: "none".to_owned(),
            next_action: "commit the work".to_owned(),
            command: words(&["git", "commit"]),
        });
    }
    if !repository.pushed {
        let (found, command) = match &repository.upstream {
            Some(upstream) => (format!("`{upstream}` does not have it"), words(&["git", "push"])),
            None => (
                "no branch on a remote".to_owned(),
                words(&["git", "push", "--set-upstream", "origin", "HEAD"]),
            ),
        };
        blockers.push(Blocker {
            kind: Kind::MissingPush,
            requirement: None,
            subject,
            detail: "the commit is in this clone alone".to_owned(),
            expected: "the upstream branch has it".to_owned(),
            found,
            next_action: "push the commit to its upstream".to_owned(),
            command,
        });
    }
    blockers
}
