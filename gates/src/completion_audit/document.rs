//! `completion_audit.json`: the requirements with what was found for each. It states facts and judges none of them.

use super::{
    AUDIT_INVALID,
    requirement::{Claim, Wanted},
    transcript::Exit,
};
use portcullis::{Digest, Fault, Location, RelPath, evidence::json, wire::receipt::Envelope};
use serde::{Deserialize, Serialize};

/// The schema of `completion_audit.json`.
pub const AUDIT_SCHEMA: &str = "portcullis.completion_audit.v1";

/// The audit. Version rule: `v1` may gain optional fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The header; its source is the commit that the audit speaks of.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// The list of requirements that was read.
    pub requirements_source: Digested,
    /// What git said.
    pub repository: Repository,
    /// Every transcript that lay beside the audit, sorted by path.
    pub transcripts: Vec<Digested>,
    /// The requirements, in the order of the list.
    pub requirements: Vec<Examined>,
}

/// A file and its digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digested {
    /// The path.
    pub path: RelPath,
    /// SHA-256 of its content.
    pub sha256: Digest,
}

/// What git said of the work tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The branch on the remote that `HEAD` was compared with.
    pub upstream: Option<String>,
    /// Whether that branch has the commit of `HEAD`.
    pub pushed: bool,
    /// How many paths differ from `HEAD`, hidden ones included.
    pub changed_total: u64,
    /// The first of them.
    pub changed: Vec<String>,
}

/// A requirement with what was found for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examined {
    /// Its name.
    pub id: String,
    /// What is required.
    pub title: String,
    /// Whether it is said to be met.
    pub status: Claim,
    /// What is known to be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<String>,
    /// What it names, and what was found.
    pub evidence: Vec<Found>,
}

/// One piece of evidence: what was asked for, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What the requirement names.
    pub wanted: Wanted,
    /// What was seen.
    pub seen: Seen,
}

/// What was seen of a piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Seen {
    /// A revision.
    Commit {
        /// The commit it names, if this clone has it.
        commit: Option<String>,
        /// Whether `HEAD` contains it.
        in_head: bool,
        /// Whether the upstream contains it.
        pushed: bool,
    },
    /// The transcripts of a command, sorted by path.
    Transcripts {
        /// Each of them.
        transcripts: Vec<Run>,
    },
    /// An artifact; nothing where it does not exist.
    Artifact {
        /// What it says.
        artifact: Option<Artifact>,
    },
    /// A ledger entry.
    Ledger {
        /// Whether the ledger exists.
        exists: bool,
        /// The statuses that its newest lines have, sorted; several when they contradict each other.
        statuses: Vec<String>,
    },
    /// A file of which nothing was asked, or words.
    Bare {
        /// Whether there is anything.
        exists: bool,
    },
}

/// A transcript of a command that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Where it lies, beside the audit.
    pub path: RelPath,
    /// The commit it speaks of; nothing when the tree differed from its commit.
    pub commit: Option<String>,
    /// How the command ended.
    pub exit: Exit,
}

/// What an artifact says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// SHA-256 of its content.
    pub sha256: Digest,
    /// Its schema, where it is JSON and has one.
    pub schema: Option<String>,
    /// The commit it says it is of.
    pub commit: Option<String>,
    /// What it says of itself that contradicts a claim of completion.
    pub against: Vec<String>,
}

impl Audit {
    /// Reads an audit.
    ///
    /// # Errors
    /// `audit_invalid` for another schema, and the faults of JSON.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, Fault> {
        let remedy = "build it again: `cargo portcullis audit build`";
        let audit: Self = json::parse_as(bytes, path)?;
        if audit.envelope.schema == AUDIT_SCHEMA {
            return Ok(audit);
        }
        let headline = "an audit has another schema than this reader knows";
        Err(Fault::new(AUDIT_INVALID, headline, remedy)
            .at(Location::file(path))
            .expected(AUDIT_SCHEMA)
            .found(audit.envelope.schema))
    }
}
