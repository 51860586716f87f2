//! Judges what was found for each requirement: proof, stand-in, or something in the way. It opens nothing.

#[cfg(test)]
mod tests;

use super::{
    blocker::{Blocker, Kind, record, subject, words},
    document::{Artifact, Examined, Found, Run, Seen},
    requirement::{Claim, Wanted},
    transcript::Exit,
};
use portcullis::{Digest, RelPath};
use std::collections::BTreeSet;

/// What a requirement comes to.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) proofs: usize,
    /// What stands in for proof, and why it proves nothing.
    pub(super) proxies: Vec<String>,
    pub(super) blockers: Vec<Blocker>,
}

/// One piece of evidence.
enum Standing {
    Proof,
    Proxy(String),
    Blocked(Blocker),
}

/// Judges a requirement for a closeout at `commit`.
pub(super) fn judge(requirement: &Examined, commit: Option<&str>) -> Judged {
    let mut judged = Judged::default();
    if let Some(gap) = gap(requirement) {
        judged.blockers.push(gap);
    }
    for found in &requirement.evidence {
        match standing(requirement, found, commit) {
            Standing::Proof => judged.proofs += 1,
            Standing::Proxy(why) => judged.proxies.push(why),
            Standing::Blocked(blocker) => judged.blockers.push(blocker),
        }
    }
    if requirement.evidence.is_empty() {
        judged.blockers.push(Blocker {
            detail: "nothing is named that would show it".to_owned(),
            expected: "a command, an artifact, a commit or a ledger entry".to_owned(),
            found: "no evidence".to_owned(),
            next_action: format!(
                "name evidence for `{}` in the list of requirements",
                requirement.id
            ),
            ..about(requirement, Kind::MissingEvidence, requirement.id.clone())
        });
    } else if judged.proofs == 0 && !judged.proxies.is_empty() {
        judged.blockers.push(Blocker {
            detail: "what is shown only stands in for proof".to_owned(),
            expected: "one thing that could have failed: a command that passed on this commit, an artifact with schema and \
                       commit, a pushed commit, a finished ledger entry"
                .to_owned(),
            found: judged.proxies.join("; "),
            next_action: format!("show `{}` by a recorded command or an artifact", requirement.id),
            command: requirement.evidence.iter().find_map(|found| match &found.wanted {
                Wanted::Command { argv, .. } => record(argv),
                Wanted::Commit { .. }
                | Wanted::Artifact { .. }
                | Wanted::Ledger { .. }
                | Wanted::Prose { .. }
                | Wanted::Screenshot { .. }
                | Wanted::File { .. } => None,
            }),
            ..about(requirement, Kind::ProxyOnlyEvidence, requirement.id.clone())
        });
    }
    judged
}

/// A blocker of a requirement, with everything else still to be said.
fn about(requirement: &Examined, kind: Kind, subject: String) -> Blocker {
    Blocker {
        kind,
        requirement: Some(requirement.id.clone()),
        subject,
        detail: String::new(),
        expected: String::new(),
        found: String::new(),
        next_action: String::new(),
        command: None,
    }
}

fn gap(requirement: &Examined) -> Option<Blocker> {
    let found = match (requirement.status, &requirement.gap) {
        (Claim::Done, None) => return None,
        (Claim::Done | Claim::Open, Some(gap)) => gap.clone(),
        (Claim::Open, None) => "its status is `open`".to_owned(),
    };
    Some(Blocker {
        detail: "it is known not to be finished".to_owned(),
        expected: "status `done` and no `gap`".to_owned(),
        found,
        next_action: format!("close the gap of `{}`, then say so in the list", requirement.id),
        ..about(requirement, Kind::UnresolvedGap, requirement.id.clone())
    })
}

fn standing(requirement: &Examined, found: &Found, commit: Option<&str>) -> Standing {
    let blocked = |kind| about(requirement, kind, subject(&found.wanted));
    match (&found.wanted, &found.seen) {
        (Wanted::Commit { rev }, Seen::Commit { commit, in_head, pushed }) => {
            of_commit(rev, commit.as_deref(), *in_head, *pushed, blocked)
        }
        (Wanted::Command { argv, .. }, Seen::Transcripts { transcripts }) => {
            of_command(argv, transcripts, commit, blocked)
        }
        (Wanted::Artifact { path, schema, sha256, .. }, Seen::Artifact { artifact }) => {
            let claims = Claims { path, schema: schema.as_deref(), sha256: sha256.as_deref() };
            of_artifact(&claims, artifact.as_ref(), commit, blocked)
        }
        (Wanted::Ledger { path, terminal, .. }, Seen::Ledger { exists, statuses }) => {
            of_ledger(path, terminal, *exists, statuses, blocked)
        }
        (Wanted::Prose { .. }, Seen::Bare { .. }) => Standing::Proxy("prose".to_owned()),
        (Wanted::Screenshot { path }, Seen::Bare { exists: true }) => {
            Standing::Proxy(format!("the screenshot `{path}`"))
        }
        (Wanted::File { path }, Seen::Bare { exists: true }) => {
            Standing::Proxy(format!("`{path}`, which merely exists"))
        }
        (Wanted::Screenshot { path } | Wanted::File { path }, Seen::Bare { exists: false }) => {
            Standing::Blocked(missing_file(path, blocked(Kind::MissingArtifact)))
        }
        (
            Wanted::Commit { .. }
            | Wanted::Command { .. }
            | Wanted::Artifact { .. }
            | Wanted::Ledger { .. }
            | Wanted::Prose { .. }
            | Wanted::Screenshot { .. }
            | Wanted::File { .. },
            _,
        ) => Standing::Blocked(Blocker {
            detail: "the audit saw another thing than the requirement names".to_owned(),
            expected: "what the requirement names".to_owned(),
            found: "something of another sort".to_owned(),
            next_action: "build the audit with this program; it is not written by hand".to_owned(),
            ..blocked(Kind::ContradictoryEvidence)
        }),
    }
}

fn missing_file(path: &RelPath, blank: Blocker) -> Blocker {
    Blocker {
        detail: format!("`{path}` does not exist"),
        expected: "the file".to_owned(),
        found: "nothing".to_owned(),
        next_action: format!("produce `{path}`, or correct its path in the list of requirements"),
        ..blank
    }
}

fn of_commit(
    rev: &str,
    commit: Option<&str>,
    in_head: bool,
    pushed: bool,
    blocked: impl Fn(Kind) -> Blocker,
) -> Standing {
    let Some(commit) = commit else {
        return Standing::Blocked(Blocker {
            detail: format!("this clone has no commit `{rev}`"),
            expected: "a commit".to_owned(),
            found: "nothing of this name".to_owned(),
            next_action: "fetch the commit, or correct its name".to_owned(),
            command: words(&["git", "fetch", "--all"]),
            ..blocked(Kind::SourceMissing)
        });
    };
    if !in_head {
        return Standing::Proxy(format!("commit {commit}, which is no part of `HEAD`"));
    }
    if !pushed {
        return Standing::Blocked(Blocker {
            detail: "the commit is in this clone alone".to_owned(),
            expected: "the upstream branch has it".to_owned(),
            found: commit.to_owned(),
            next_action: "push the commit to its upstream".to_owned(),
            command: words(&["git", "push"]),
            ..blocked(Kind::MissingPush)
        });
    }
    Standing::Proof
}

fn of_command(
    argv: &[String],
    transcripts: &[Run],
    commit: Option<&str>,
    blocked: impl Fn(Kind) -> Blocker,
) -> Standing {
    if transcripts.is_empty() {
        return Standing::Blocked(Blocker {
            detail: "nobody recorded this command".to_owned(),
            expected: "a transcript of it on this commit".to_owned(),
            found: "no transcript".to_owned(),
            next_action: "record the command on this commit".to_owned(),
            command: record(argv),
            ..blocked(Kind::MissingEvidence)
        });
    }
    let ours: Vec<&Run> = transcripts
        .iter()
        .filter(|run| commit.is_some() && run.commit.as_deref() == commit)
        .collect();
    let passed = |run: &&&Run| run.exit == Exit::Code(0);
    let (passes, failures) =
        (ours.iter().filter(passed).count(), ours.iter().find(|run| !passed(run)));
    let Some(failure) = failures else {
        if passes > 0 {
            return Standing::Proof;
        }
        let of: BTreeSet<&str> = transcripts
            .iter()
            .map(|run| run.commit.as_deref().unwrap_or("a tree that was no commit"))
            .collect();
        let of: Vec<&str> = of.into_iter().take(3).collect();
        return Standing::Proxy(format!("transcripts of another tree: {}", of.join(", ")));
    };
    let end = match failure.exit {
        Exit::Code(code) => format!("exit {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
    };
    if passes > 0 {
        return Standing::Blocked(Blocker {
            detail: "the same command passed and failed on this commit".to_owned(),
            expected: "one answer".to_owned(),
            found: format!("{passes} passed, and {end} in `{}`", failure.path),
            next_action:
                "find out why it does not always pass, mend that, commit, and record it again"
                    .to_owned(),
            command: record(argv),
            ..blocked(Kind::ContradictoryEvidence)
        });
    }
    Standing::Blocked(Blocker {
        detail: "the command failed on this commit".to_owned(),
        expected: "exit 0".to_owned(),
        found: format!("{end}, see `{}`", failure.path),
        next_action: "mend what fails, commit, and record the command again".to_owned(),
        command: record(argv),
        ..blocked(Kind::FailedCommand)
    })
}

/// What a requirement says of an artifact.
struct Claims<'a> {
    path: &'a RelPath,
    schema: Option<&'a str>,
    sha256: Option<&'a str>,
}

fn of_artifact(
    claims: &Claims<'_>,
    artifact: Option<&Artifact>,
    commit: Option<&str>,
    blocked: impl Fn(Kind) -> Blocker,
) -> Standing {
    let Some(artifact) = artifact else {
        return Standing::Blocked(missing_file(claims.path, blocked(Kind::MissingArtifact)));
    };
    let contradicts = |detail: &str, expected: String, found: String| {
        Standing::Blocked(Blocker {
            detail: detail.to_owned(),
            expected,
            found,
            next_action: format!(
                "produce `{}` again, or correct what is claimed of it",
                claims.path
            ),
            ..blocked(Kind::ContradictoryEvidence)
        })
    };
    if let Some(sha256) = claims.sha256
        && !Digest::parse(sha256).is_ok_and(|sha256| sha256 == artifact.sha256)
    {
        let found = artifact.sha256.to_string();
        return contradicts("the artifact has another content", sha256.to_owned(), found);
    }
    if let Some(schema) = claims.schema
        && artifact.schema.as_deref() != Some(schema)
    {
        let found = artifact.schema.clone().unwrap_or_else(|| "no schema".to_owned());
        return contradicts("the artifact has another schema", schema.to_owned(), found);
    }
    if !artifact.against.is_empty() {
        let found = artifact.against.join("; ");
        return contradicts(
            "the artifact itself says otherwise",
            "nothing of the kind".to_owned(),
            found,
        );
    }
    if claims.sha256.is_some() {
        return Standing::Proof;
    }
    match (claims.schema, &artifact.commit) {
        (None, _) => Standing::Proxy(format!("`{}`, which merely exists", claims.path)),
        (Some(_), None) => Standing::Proxy(format!("`{}`, which names no commit", claims.path)),
        (Some(_), Some(of)) if commit != Some(of.as_str()) => {
            Standing::Proxy(format!("`{}`, which is of another commit, {of}", claims.path))
        }
        (Some(_), Some(_)) => Standing::Proof,
    }
}

fn of_ledger(
    path: &RelPath,
    terminal: &BTreeSet<String>,
    exists: bool,
    statuses: &[String],
    blocked: impl Fn(Kind) -> Blocker,
) -> Standing {
    if !exists {
        return Standing::Blocked(Blocker {
            detail: format!("the ledger `{path}` does not exist"),
            expected: "the ledger".to_owned(),
            found: "nothing".to_owned(),
            next_action: format!("export the ledger to `{path}`"),
            ..blocked(Kind::SourceMissing)
        });
    }
    let expected = terminal.iter().cloned().collect::<Vec<_>>().join(", ");
    match statuses {
        [] => Standing::Blocked(Blocker {
            detail: "the ledger has no such entry".to_owned(),
            expected,
            found: "no entry".to_owned(),
            next_action: format!("enter it in `{path}`, or correct its name"),
            ..blocked(Kind::MissingEvidence)
        }),
        [status] if terminal.contains(status) => Standing::Proof,
        [status] => Standing::Blocked(Blocker {
            detail: "the entry is not finished".to_owned(),
            expected,
            found: status.clone(),
            next_action: "finish the work, then close the entry".to_owned(),
            ..blocked(Kind::UnresolvedGap)
        }),
        several => Standing::Blocked(Blocker {
            detail: "lines of one time give the entry different statuses".to_owned(),
            expected: "one status".to_owned(),
            found: several.join(", "),
            next_action: format!(
                "remove the wrong line from `{path}`, or correct its `updated_at`"
            ),
            ..blocked(Kind::ContradictoryEvidence)
        }),
    }
}
