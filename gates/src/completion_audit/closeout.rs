//! `closeout_gate.json`: an audit looked at again, and what follows. It opens files, starts nothing and writes nothing.

use super::{
    blocker::{Action, Blocker, Kind, actions, of_repository, subject, words},
    collect::{Files, Transcripts, collect},
    document::{Audit, Digested, Examined, Seen},
    judge::judge,
    requirement,
};
use portcullis::{
    Digest, Fault, Instant, RelPath,
    evidence::json,
    wire::receipt::{Envelope, Tool},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The schema of `closeout_gate.json`.
pub const CLOSEOUT_SCHEMA: &str = "portcullis.closeout_gate.v1";

/// The answer. Version rule: `v1` may gain optional fields.
#[derive(Clone, Debug, Serialize)]
pub struct Closeout {
    /// The header; its source is the commit that the audit speaks of.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// `pass` or `blocked`.
    pub verdict: &'static str,
    /// Whether the work may be called complete.
    pub closeout_allowed: bool,
    /// The audit that was checked.
    pub audit: AuditFile,
    /// What was counted.
    pub summary: Summary,
    /// Every requirement with what it comes to.
    pub requirements: Vec<Row>,
    /// Everything in the way.
    pub blockers: Vec<Blocker>,
    /// What to do, in order.
    pub operator_next_actions: Vec<Action>,
}

/// The audit that was checked.
#[derive(Clone, Debug, Serialize)]
pub struct AuditFile {
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// When it was built.
    pub generated_at: Instant,
}

/// What was counted.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How many requirements there are.
    pub requirements: usize,
    /// How many of them are met.
    pub satisfied: usize,
    /// How many things are in the way.
    pub blockers: usize,
    /// The same by kind; every kind is named.
    pub blockers_by_kind: BTreeMap<&'static str, usize>,
}

/// A requirement with what it comes to.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// What is required.
    pub title: String,
    /// `satisfied` or `blocked`.
    pub status: &'static str,
    /// How many pieces of evidence prove it.
    pub proofs: usize,
    /// What stands in for proof, and why it proves nothing.
    pub proxies: Vec<String>,
}

/// Looks at everything an audit names again and says whether the work may be called complete.
///
/// `head` is the commit that the work tree stands on.
///
/// # Errors
/// When the audit or something that it names is there and cannot be read: nobody knows.
pub fn check(
    audit: (&str, &[u8]),
    head: Option<&str>,
    files: &dyn Files,
    now: Instant,
) -> Result<Closeout, Fault> {
    let (path, bytes) = audit;
    let sha256 = Digest::of(bytes);
    let audit = Audit::parse(path, bytes)?;
    let commit = audit.envelope.source.commit.as_deref();
    let mut blockers = of_repository(&audit.repository, commit);
    blockers.extend(of_head(commit, head));
    let transcripts = Transcripts::read(files)?;
    blockers.extend(of_transcripts(&audit, &transcripts));
    let examined = look_again(&audit, files, &transcripts, &mut blockers)?;
    if examined.is_empty() {
        blockers.push(Blocker {
            detail: "the audit holds no requirement, so it shows nothing".to_owned(),
            expected: "at least one requirement".to_owned(),
            found: "none".to_owned(),
            next_action: "write the list of requirements".to_owned(),
            ..about(Kind::MissingEvidence, audit.requirements_source.path.to_string())
        });
    }
    let mut requirements = Vec::with_capacity(examined.len());
    for requirement in &examined {
        let judged = judge(requirement, commit);
        let is_met = judged.blockers.is_empty() && judged.proofs > 0;
        requirements.push(Row {
            id: requirement.id.clone(),
            title: requirement.title.clone(),
            status: if is_met { "satisfied" } else { "blocked" },
            proofs: judged.proofs,
            proxies: judged.proxies,
        });
        blockers.extend(judged.blockers);
    }
    Ok(closeout(&audit, sha256, requirements, blockers, now))
}

fn closeout(
    audit: &Audit,
    sha256: Digest,
    requirements: Vec<Row>,
    blockers: Vec<Blocker>,
    now: Instant,
) -> Closeout {
    let satisfied = requirements.iter().filter(|row| row.status == "satisfied").count();
    let mut by_kind: BTreeMap<&'static str, usize> =
        Kind::ALL.iter().map(|kind| (kind.name(), 0)).collect();
    for blocker in &blockers {
        *by_kind.entry(blocker.kind.name()).or_default() += 1;
    }
    // Counted as well as listed: a requirement that is not met is in the way, even if nothing says why.
    let allowed = blockers.is_empty() && satisfied == requirements.len() && satisfied > 0;
    Closeout {
        envelope: Envelope {
            schema: CLOSEOUT_SCHEMA.to_owned(),
            generated_at: now,
            tool: Tool::this(),
            ..audit.envelope.clone()
        },
        verdict: if allowed { "pass" } else { "blocked" },
        closeout_allowed: allowed,
        audit: AuditFile { sha256, generated_at: audit.envelope.generated_at },
        summary: Summary {
            requirements: requirements.len(),
            satisfied,
            blockers: blockers.len(),
            blockers_by_kind: by_kind,
        },
        operator_next_actions: actions(&blockers),
        requirements,
        blockers,
    }
}

fn about(kind: Kind, subject: String) -> Blocker {
    Blocker {
        kind,
        requirement: None,
        subject,
        detail: String::new(),
        expected: String::new(),
        found: String::new(),
        next_action: "build the audit again".to_owned(),
        command: words(&["cargo", "portcullis", "audit", "build"]),
    }
}

fn of_head(commit: Option<&str>, head: Option<&str>) -> Option<Blocker> {
    let shown = |id: Option<&str>| id.unwrap_or("no commit").to_owned();
    (commit != head || head.is_none()).then(|| Blocker {
        detail: "the audit speaks of another commit than the one at hand".to_owned(),
        expected: shown(head),
        found: shown(commit),
        ..about(Kind::ContradictoryEvidence, "the audit".to_owned())
    })
}

/// Transcripts that came, went or changed after the audit was built: nobody picks which of them count.
fn of_transcripts(audit: &Audit, transcripts: &Transcripts) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    for (path, fault) in &transcripts.broken {
        blockers.push(Blocker {
            detail: fault.headline().to_owned(),
            expected: "a transcript as it was recorded".to_owned(),
            found: fault.found_text().unwrap_or("another document").to_owned(),
            next_action: format!("remove `{path}`, and record its command again"),
            command: None,
            ..about(Kind::ContradictoryEvidence, path.to_string())
        });
    }
    let index = |list: &[Digested]| -> BTreeMap<RelPath, Digest> {
        list.iter().map(|file| (file.path.clone(), file.sha256)).collect()
    };
    let (then, now) = (index(&audit.transcripts), index(&transcripts.files));
    for (path, sha256) in &then {
        let (kind, detail, found) = match now.get(path) {
            Some(today) if today == sha256 => continue,
            Some(today) => {
                let detail = "a transcript changed after the audit was built";
                (Kind::ContradictoryEvidence, detail, today.to_string())
            }
            None => {
                let detail = "a transcript that the audit names does not exist";
                (Kind::MissingEvidence, detail, "nothing".to_owned())
            }
        };
        blockers.push(Blocker {
            detail: detail.to_owned(),
            expected: sha256.to_string(),
            found,
            ..about(kind, path.to_string())
        });
    }
    let commit = audit.envelope.source.commit.as_deref();
    for path in now.keys().filter(|path| !then.contains_key(*path)) {
        if commit.is_some() && transcripts.commit_of(path) == commit {
            blockers.push(Blocker {
                detail: "a command was recorded on this commit after the audit was built"
                    .to_owned(),
                expected: "an audit that knows every transcript".to_owned(),
                found: "a transcript that it does not name".to_owned(),
                ..about(Kind::ContradictoryEvidence, path.to_string())
            });
        }
    }
    blockers
}

/// What the requirements name, as it is now; the list itself is read again, so that nobody shortens the audit by hand.
fn look_again(
    audit: &Audit,
    files: &dyn Files,
    transcripts: &Transcripts,
    blockers: &mut Vec<Blocker>,
) -> Result<Vec<Examined>, Fault> {
    let source = &audit.requirements_source;
    let Some(bytes) = files.of_repository(&source.path)? else {
        blockers.push(Blocker {
            detail: "the list of requirements does not exist".to_owned(),
            expected: source.sha256.to_string(),
            found: "nothing".to_owned(),
            next_action: format!("restore `{}`", source.path),
            command: None,
            ..about(Kind::SourceMissing, source.path.to_string())
        });
        return Ok(audit.requirements.clone());
    };
    if Digest::of(&bytes) != source.sha256 {
        blockers.push(Blocker {
            detail: "the list of requirements changed after the audit was built".to_owned(),
            expected: source.sha256.to_string(),
            found: Digest::of(&bytes).to_string(),
            ..about(Kind::ContradictoryEvidence, source.path.to_string())
        });
    }
    let list = requirement::parse(&source.path, json::text_of(&bytes, source.path.as_str())?)?;
    let recorded = |rev: &str| Ok(recorded_commit(audit, rev));
    let examined = collect(&list, files, transcripts, &recorded)?;
    blockers.extend(differences(&audit.requirements, &examined));
    Ok(examined)
}

/// What git said of a revision when the audit was built: the check starts no process.
fn recorded_commit(audit: &Audit, rev: &str) -> (Option<String>, bool, bool) {
    let all = audit.requirements.iter().flat_map(|requirement| &requirement.evidence);
    let mut seen = all.filter_map(|found| match (&found.wanted, &found.seen) {
        (super::Wanted::Commit { rev: named }, Seen::Commit { commit, in_head, pushed })
            if named == rev =>
        {
            Some((commit.clone(), *in_head, *pushed))
        }
        _ => None,
    });
    seen.next().unwrap_or((None, false, false))
}

/// Where the audit says another thing than the files do.
fn differences(then: &[Examined], now: &[Examined]) -> Vec<Blocker> {
    let by_id = |list: &[Examined]| -> BTreeMap<String, Examined> {
        list.iter().map(|requirement| (requirement.id.clone(), requirement.clone())).collect()
    };
    let (recorded, today) = (by_id(then), by_id(now));
    let mut blockers = Vec::new();
    let differs = |id: &str, detail: &str, found: String| Blocker {
        requirement: Some(id.to_owned()),
        detail: detail.to_owned(),
        expected: "what the audit says".to_owned(),
        found,
        ..about(Kind::ContradictoryEvidence, id.to_owned())
    };
    for (id, requirement) in &today {
        match recorded.get(id) {
            Some(then) if then == requirement => {}
            Some(then) => {
                let changed: Vec<String> = requirement
                    .evidence
                    .iter()
                    .filter(|found| !then.evidence.contains(found))
                    .map(|found| subject(&found.wanted))
                    .collect();
                let what =
                    if changed.is_empty() { "its claim".to_owned() } else { changed.join(", ") };
                let detail = "it is not as it was when the audit was built";
                blockers.push(differs(id, detail, format!("another state of {what}")));
            }
            None => {
                let detail = "the audit leaves a requirement of the list out";
                blockers.push(differs(id, detail, "no such requirement in the audit".to_owned()));
            }
        }
    }
    for id in recorded.keys().filter(|id| !today.contains_key(*id)) {
        let detail = "the audit holds a requirement that is not in the list";
        blockers.push(differs(id, detail, "no such requirement in the list".to_owned()));
    }
    blockers
}
