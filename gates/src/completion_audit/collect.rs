//! Looks at what requirements name: transcripts, artifacts, ledgers. It opens files and judges nothing.

use super::{
    document::{Artifact, Digested, Examined, Found, Run, Seen},
    requirement::{Requirement, Wanted},
    transcript::{Exit, Transcript},
};
use crate::json_path::Pointer;
use portcullis::{
    Digest, Fault, Instant, Location, RelPath, evidence::json, wire::code::INPUT_UNREADABLE,
};
use serde_json::Value;
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

/// Words with which an artifact says of itself that it is not in order.
const NOT_IN_ORDER: &[&str] = &[
    "blocked",
    "broken",
    "crashed",
    "error",
    "expired",
    "fail",
    "failed",
    "failure",
    "incomplete",
    "insufficient",
    "invalid",
    "missing",
    "no_data",
    "not_certified",
    "partial",
    "rejected",
    "stale",
    "uncertified",
];
/// Where it says so.
const STATES: &[&str] =
    &["verdict", "overall_verdict", "status", "outcome", "result", "conclusion"];

/// The files that a closeout looks at. All of it is reading.
pub trait Files {
    /// A file of the repository; nothing where there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read whole.
    fn of_repository(&self, path: &RelPath) -> Result<Option<Vec<u8>>, Fault>;
    /// The digest of a file of the repository, of any size; nothing where there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn digest_of(&self, path: &RelPath) -> Result<Option<Digest>, Fault>;
    /// A file beside the audit; nothing where there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read whole.
    fn beside(&self, path: &RelPath) -> Result<Option<Vec<u8>>, Fault>;
    /// The transcripts beside the audit, sorted.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    fn transcripts(&self) -> Result<Vec<RelPath>, Fault>;
}

/// What git says of a revision: the commit, whether `HEAD` contains it, whether the upstream does.
pub type OfCommit<'a> = dyn Fn(&str) -> Result<(Option<String>, bool, bool), Fault> + 'a;

/// The transcripts beside an audit.
#[derive(Debug, Default)]
pub struct Transcripts {
    /// Every file, with its digest.
    pub files: Vec<Digested>,
    /// Why a file is no transcript, by path.
    pub broken: BTreeMap<RelPath, Fault>,
    whole: Vec<Heard>,
}

/// What counts of a transcript; its output stays on the disk.
#[derive(Debug)]
struct Heard {
    path: RelPath,
    argv: Vec<String>,
    cwd: String,
    commit: Option<String>,
    exit: Exit,
}

impl Transcripts {
    /// Reads every transcript beside the audit. One that is broken is kept as such.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(files: &dyn Files) -> Result<Self, Fault> {
        let mut transcripts = Self::default();
        for path in files.transcripts()? {
            let bytes = files.beside(&path)?.ok_or_else(|| vanished(&path))?;
            let sha256 = Digest::of(&bytes);
            transcripts.files.push(Digested { path: path.clone(), sha256 });
            match Transcript::parse(path.as_str(), &bytes) {
                Ok(read) => transcripts.whole.push(Heard {
                    path,
                    commit: read.clean_commit().map(str::to_owned),
                    argv: read.argv,
                    cwd: read.cwd,
                    exit: read.exit,
                }),
                Err(fault) => {
                    transcripts.broken.insert(path, fault);
                }
            }
        }
        Ok(transcripts)
    }

    fn of(&self, argv: &[String], cwd: Option<&RelPath>) -> Vec<Run> {
        let cwd = cwd.map_or(".", RelPath::as_str);
        let same = |heard: &&Heard| heard.argv == argv && heard.cwd == cwd;
        let run = |heard: &Heard| Run {
            path: heard.path.clone(),
            commit: heard.commit.clone(),
            exit: heard.exit,
        };
        self.whole.iter().filter(same).map(run).collect()
    }

    /// The commit that a transcript speaks of.
    pub(super) fn commit_of(&self, path: &RelPath) -> Option<&str> {
        let heard = self.whole.iter().find(|heard| heard.path == *path)?;
        heard.commit.as_deref()
    }
}

fn vanished(path: &RelPath) -> Fault {
    let remedy = "run it again while nothing else writes there";
    Fault::new(INPUT_UNREADABLE, "a transcript vanished while it was read", remedy)
        .at(Location::file(path))
}

/// Looks at everything that the requirements name.
///
/// # Errors
/// When something is there and cannot be read: nobody knows what it says.
pub fn collect(
    requirements: &[Requirement],
    files: &dyn Files,
    transcripts: &Transcripts,
    of_commit: &OfCommit<'_>,
) -> Result<Vec<Examined>, Fault> {
    let mut ledgers = Ledgers::default();
    let mut examined = Vec::with_capacity(requirements.len());
    for requirement in requirements {
        let mut evidence = Vec::with_capacity(requirement.evidence.len());
        for wanted in &requirement.evidence {
            let seen = look(wanted, files, transcripts, of_commit, &mut ledgers)?;
            evidence.push(Found { wanted: wanted.clone(), seen });
        }
        examined.push(Examined {
            id: requirement.id.clone(),
            title: requirement.title.clone(),
            status: requirement.claim,
            gap: requirement.gap.clone(),
            evidence,
        });
    }
    Ok(examined)
}

fn look(
    wanted: &Wanted,
    files: &dyn Files,
    transcripts: &Transcripts,
    of_commit: &OfCommit<'_>,
    ledgers: &mut Ledgers,
) -> Result<Seen, Fault> {
    Ok(match wanted {
        Wanted::Commit { rev } => {
            let (commit, in_head, pushed) = of_commit(rev)?;
            Seen::Commit { commit, in_head, pushed }
        }
        Wanted::Command { argv, cwd } => {
            Seen::Transcripts { transcripts: transcripts.of(argv, cwd.as_ref()) }
        }
        Wanted::Artifact { path, schema, expect, .. } => {
            let needs_text = schema.is_some() || !expect.is_empty();
            Seen::Artifact { artifact: artifact(path, needs_text, expect, files)? }
        }
        Wanted::Ledger { path, id, .. } => {
            let ledger = ledgers.read(path, files)?;
            Seen::Ledger {
                exists: ledger.is_some(),
                statuses: ledger
                    .and_then(|entries| entries.get(id))
                    .map_or_else(Vec::new, Entry::statuses),
            }
        }
        Wanted::Prose { text } => Seen::Bare { exists: !text.trim().is_empty() },
        Wanted::Screenshot { path } | Wanted::File { path } => {
            Seen::Bare { exists: files.digest_of(path)?.is_some() }
        }
    })
}

/// What an artifact says of itself. One that must be read and is no JSON says nothing, which is held against it.
fn artifact(
    path: &RelPath,
    needs_text: bool,
    expect: &BTreeMap<String, String>,
    files: &dyn Files,
) -> Result<Option<Artifact>, Fault> {
    if !needs_text {
        let sha256 = files.digest_of(path)?;
        let bare = |sha256| Artifact { sha256, schema: None, commit: None, against: Vec::new() };
        return Ok(sha256.map(bare));
    }
    let Some(bytes) = files.of_repository(path)? else { return Ok(None) };
    let sha256 = Digest::of(&bytes);
    let document = match json::parse(&bytes, path.as_str()) {
        Ok(document) => document,
        Err(fault) => {
            let against = vec![format!("it cannot be read: {}", fault.headline())];
            return Ok(Some(Artifact { sha256, schema: None, commit: None, against }));
        }
    };
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Ok(Some(Artifact {
        sha256,
        schema: text("/schema"),
        commit: text("/source/commit").or_else(|| text("/git_sha")),
        against: against(&document, expect),
    }))
}

fn against(document: &Value, expect: &BTreeMap<String, String>) -> Vec<String> {
    let mut against = Vec::new();
    for (pointer, wanted) in expect {
        let one = Pointer::parse(pointer);
        let found = one.as_ref().and_then(|one| one.one(document));
        let found =
            found.map(|found| found.as_str().map_or_else(|| found.to_string(), str::to_owned));
        if found.as_ref() != Some(wanted) {
            let found = found.unwrap_or_else(|| "nothing".to_owned());
            let found: String = found.chars().take(200).collect();
            against.push(format!("`{pointer}` is `{found}`, not `{wanted}`"));
        }
    }
    for name in STATES {
        let pointer = format!("/{name}");
        let word = document.pointer(&pointer).and_then(Value::as_str).unwrap_or_default();
        let plain = word.to_ascii_lowercase().replace([' ', '-'], "_");
        if !expect.contains_key(&pointer) && NOT_IN_ORDER.contains(&plain.as_str()) {
            against.push(format!("`{pointer}` is `{word}`"));
        }
    }
    if document.pointer("/source/dirty") == Some(&Value::Bool(true)) {
        against.push("it was made over a tree that differed from its commit".to_owned());
    }
    against
}

/// Ledgers that were read, each once.
#[derive(Default)]
struct Ledgers(BTreeMap<RelPath, Option<BTreeMap<String, Entry>>>);

/// The newest lines of one ledger entry.
#[derive(Debug, Default)]
struct Entry {
    updated_at: Option<Instant>,
    statuses: BTreeSet<String>,
}

impl Entry {
    fn statuses(&self) -> Vec<String> {
        self.statuses.iter().cloned().collect()
    }

    /// A newer line replaces an older one; of two lines of one time both stand.
    fn take(&mut self, updated_at: Option<Instant>, status: String) {
        match updated_at.cmp(&self.updated_at) {
            Ordering::Less => return,
            Ordering::Greater => self.statuses.clear(),
            Ordering::Equal => {}
        }
        self.updated_at = updated_at;
        self.statuses.insert(status);
    }
}

impl Ledgers {
    fn read(
        &mut self,
        path: &RelPath,
        files: &dyn Files,
    ) -> Result<Option<&BTreeMap<String, Entry>>, Fault> {
        if !self.0.contains_key(path) {
            let ledger =
                files.of_repository(path)?.map(|bytes| entries(path, &bytes)).transpose()?;
            self.0.insert(path.clone(), ledger);
        }
        Ok(self.0.get(path).and_then(Option::as_ref))
    }
}

fn entries(path: &RelPath, bytes: &[u8]) -> Result<BTreeMap<String, Entry>, Fault> {
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    for (number, line) in (1u32..).zip(json::text_of(bytes, path.as_str())?.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let place = || Location::at(path, number, 0);
        let record =
            json::parse(line.as_bytes(), path.as_str()).map_err(|fault| fault.at(place()))?;
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let unusable = |what: &str| {
            let remedy = "write `id`, `status` and, where an id stands twice, `updated_at`";
            Fault::new(super::AUDIT_INVALID, format!("a line of a ledger has no {what}"), remedy)
                .at(place())
        };
        let (id, status) = (
            text("id").ok_or_else(|| unusable("`id`"))?,
            text("status").ok_or_else(|| unusable("`status`"))?,
        );
        let updated_at = match text("updated_at").map(Instant::parse) {
            None => None,
            Some(Ok(updated_at)) => Some(updated_at),
            Some(Err(source)) => return Err(unusable("time in `updated_at`").because(&source)),
        };
        entries.entry(id.to_owned()).or_default().take(updated_at, status.to_owned());
    }
    Ok(entries)
}
