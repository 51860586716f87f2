//! Work is complete when every requirement is shown, not said: an audit is looked at again, file by file. Building an
//! audit and recording commands is done by `cargo portcullis audit`; nothing here runs anything.

mod blocker;
mod closeout;
mod collect;
mod document;
mod judge;
mod requirement;
mod teeth;
mod transcript;

pub use blocker::{Action, Blocker, Kind};
pub use closeout::{CLOSEOUT_SCHEMA, Closeout, Row, check as check_audit};
pub use collect::{Files, OfCommit, Transcripts, collect};
pub use document::{
    AUDIT_SCHEMA, Artifact, Audit, Digested, Examined as Requirement, Found, Repository, Run, Seen,
};
pub use requirement::{Claim, Requirement as Wish, Wanted, parse as parse_requirements};
pub use transcript::{Exit, Output, TRANSCRIPT_SCHEMA, Transcript};

use portcullis::{
    Code, Digest, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, Globs,
    Location, RelPath,
    wire::{artifact, code::CONFIG_INVALID, code::RECEIPT_UNWRITABLE},
};
use serde::Deserialize;
use teeth::TEETH;
use toml::Spanned;

/// The view that the kind writes.
const VIEW: &str = "closeout_gate.json";
/// The folder of transcripts beside an audit.
pub const TRANSCRIPTS: &str = "transcripts";

portcullis::gate_kind! {
    /// Keeps a closeout shut until every requirement is proven on this commit.
    ///
    /// ### What it checks
    /// Reads the `completion_audit.json` that `cargo portcullis audit build` wrote, and the list of requirements that it was
    /// made from, and looks at everything they name again: transcripts, artifacts, ledgers. A requirement is met when it is
    /// claimed, has no gap, and at least one piece of evidence proves it: a command whose transcript passed on this commit
    /// over a clean tree, an artifact with its schema and this commit (or with a digest that the list states), a pushed
    /// commit, a finished ledger entry. Words, pictures, files that merely exist and transcripts of another tree stand in
    /// for proof and prove nothing. Starts no process. Writes the view `closeout_gate.json`, also when it fails.
    ///
    /// ### Why it gates
    /// "Done" is the claim that is checked last and believed first. Each of these blockers was once found after a release.
    ///
    /// ### Example
    /// Refused: a requirement whose only evidence is the sentence "all tests pass". Accepted: one whose command
    /// `cargo test` was recorded on this commit and ended with 0.
    ///
    /// ### Configuration
    /// - `audit`: the file `completion_audit.json`, required; transcripts lie in the folder `transcripts` beside it.
    /// - `requirements`: the list of requirements, required; an audit of another list is refused.
    ///
    /// ### Remediation
    /// `operator_next_actions` of the view says what to do, in order. In short:
    /// - `missing_push`: commit what changed, and push the commit to its upstream.
    /// - `failed_command`: mend what fails, commit, record the command again.
    /// - `proxy_only_evidence`: show it by a command that could have failed, or by an artifact of this commit.
    /// - `missing_artifact`: produce the file, or correct its path.
    /// - `missing_evidence`: record the command, or name evidence at all.
    /// - `contradictory_evidence`: find out which of the two is true; then build the audit again.
    /// - `unresolved_gap`: finish it, or do not claim completion.
    /// - `source_missing`: restore the list, the ledger or the commit that the audit was made from.
    /// - `audit_missing`: build the audit: `cargo portcullis audit build`.
    /// - `audit_invalid`: build the audit, or record the transcript, with this version.
    /// - `requirements_invalid`: correct the named line of the list.
    pub static COMPLETION_AUDIT: "completion_audit", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = CODES, teeth = TEETH;
}

const MISSING_PUSH: Code = Code::new("PC1630", "missing_push", "Work is in this clone alone.");
const FAILED_COMMAND: Code =
    Code::new("PC1631", "failed_command", "A command that a requirement names failed.");
const PROXY_ONLY_EVIDENCE: Code = Code::new(
    "PC1632",
    "proxy_only_evidence",
    "What is shown for a requirement only stands in for proof.",
);
const MISSING_ARTIFACT: Code =
    Code::new("PC1633", "missing_artifact", "A file that a requirement names does not exist.");
const MISSING_EVIDENCE: Code =
    Code::new("PC1634", "missing_evidence", "Nothing is shown for a requirement.");
const CONTRADICTORY_EVIDENCE: Code =
    Code::new("PC1635", "contradictory_evidence", "Two things that are shown cannot both be true.");
const UNRESOLVED_GAP: Code =
    Code::new("PC1636", "unresolved_gap", "A requirement is known not to be met.");
const SOURCE_MISSING: Code =
    Code::new("PC1637", "source_missing", "What an audit was made from does not exist.");
const AUDIT_MISSING: Code = Code::new("PC1638", "audit_missing", "There is no completion audit.");
/// A document of an audit is not what it should be.
pub const AUDIT_INVALID: Code = Code::new(
    "PC1639",
    "audit_invalid",
    "An audit, a transcript or a ledger of it cannot be read as such.",
);
/// The list of requirements cannot be used.
pub const REQUIREMENTS_INVALID: Code = Code::new(
    "PC1640",
    "requirements_invalid",
    "The list of requirements of a closeout cannot be used.",
);

const CODES: &[Code] = &[
    MISSING_PUSH,
    FAILED_COMMAND,
    PROXY_ONLY_EVIDENCE,
    MISSING_ARTIFACT,
    MISSING_EVIDENCE,
    CONTRADICTORY_EVIDENCE,
    UNRESOLVED_GAP,
    SOURCE_MISSING,
    AUDIT_MISSING,
    AUDIT_INVALID,
    REQUIREMENTS_INVALID,
];

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    audit: Spanned<RelPath>,
    requirements: RelPath,
}

fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    if config.audit.get_ref() != &config.requirements {
        return Vec::new();
    }
    let remedy =
        "name the list that a person wrote under `requirements`, and what was built under `audit`";
    let headline = "the audit and its list of requirements are one file";
    vec![Fault::new(CONFIG_INVALID, headline, remedy).at(table.locate(config.audit.span().start))]
}

/// Looks at the audit again, writes the view whatever came out, and reports what is in the way.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let path = config.audit.get_ref();
    let file = cx.file(path);
    if !file.exists()? {
        let remedy = "build it: `cargo portcullis audit build`";
        return Err(Fault::new(AUDIT_MISSING, format!("`{path}` does not exist"), remedy)
            .at(Location::file(path)));
    }
    let bytes = file.bytes()?;
    let head = match &cx.source().commit {
        Some(commit) => Some(commit.clone()),
        None => cx.watch(cx.git().head())?.map(|head| head.commit),
    };
    let files = Gated { cx, audit: path };
    let audit = cx.watch(Audit::parse(path.as_str(), &bytes))?;
    let checked = check_audit((path.as_str(), &bytes), head.as_deref(), &files, cx.now());
    let closeout = cx.watch(checked)?;
    let text = artifact::document(&closeout).map_err(|source| {
        let headline = format!("{VIEW} could not be rendered");
        Fault::new(RECEIPT_UNWRITABLE, headline, "report this as a bug").because(&source)
    })?;
    cx.view(VIEW, text.as_bytes())?;
    if audit.requirements_source.path != config.requirements {
        let what = "the audit was made from another list of requirements";
        let remedy = "build it from the list that the gate names";
        out.push(
            Finding::new(CONTRADICTORY_EVIDENCE, path, what, remedy)
                .at(Location::file(path))
                .expected(config.requirements.as_str())
                .found(audit.requirements_source.path.as_str()),
        );
    }
    for blocker in &closeout.blockers {
        out.push(finding(blocker, path));
    }
    Ok(Examined::items(closeout.requirements.len()))
}

fn finding(blocker: &Blocker, audit: &RelPath) -> Finding {
    let subject = match &blocker.requirement {
        Some(requirement) => format!("{requirement}: {}", blocker.subject),
        None => blocker.subject.clone(),
    };
    let what = format!("{subject}: {}", blocker.detail);
    Finding::new(code(blocker.kind), subject, what, blocker.next_action.as_str())
        .at(Location::file(audit))
        .expected(blocker.expected.as_str())
        .found(blocker.found.as_str())
}

/// The code of a kind of blocker.
#[must_use]
pub const fn code(kind: Kind) -> Code {
    match kind {
        Kind::MissingPush => MISSING_PUSH,
        Kind::FailedCommand => FAILED_COMMAND,
        Kind::ProxyOnlyEvidence => PROXY_ONLY_EVIDENCE,
        Kind::MissingArtifact => MISSING_ARTIFACT,
        Kind::MissingEvidence => MISSING_EVIDENCE,
        Kind::ContradictoryEvidence => CONTRADICTORY_EVIDENCE,
        Kind::UnresolvedGap => UNRESOLVED_GAP,
        Kind::SourceMissing => SOURCE_MISSING,
    }
}

/// The files of a gate, which records what it read.
struct Gated<'a> {
    cx: &'a GateContext<'a>,
    audit: &'a RelPath,
}

impl Gated<'_> {
    fn path(&self, beside: &str) -> Result<RelPath, Fault> {
        let folder = self.audit.as_str().rsplit_once('/').map_or("", |(folder, _name)| folder);
        let path = if folder.is_empty() { beside.to_owned() } else { format!("{folder}/{beside}") };
        self.cx.file_at(&path).map(|file| file.path().clone())
    }
}

impl Files for Gated<'_> {
    fn of_repository(&self, path: &RelPath) -> Result<Option<Vec<u8>>, Fault> {
        let file = self.cx.file(path);
        if file.exists()? { file.bytes().map(Some) } else { Ok(None) }
    }

    fn digest_of(&self, path: &RelPath) -> Result<Option<Digest>, Fault> {
        let file = self.cx.file(path);
        if file.exists()? { file.digest().map(Some) } else { Ok(None) }
    }

    fn beside(&self, path: &RelPath) -> Result<Option<Vec<u8>>, Fault> {
        self.of_repository(&self.path(path.as_str())?)
    }

    fn transcripts(&self) -> Result<Vec<RelPath>, Fault> {
        let folder = self.path(TRANSCRIPTS)?;
        if !self.cx.is_folder(&folder)? {
            return Ok(Vec::new());
        }
        let glob = Globs::new(&[format!("{folder}/*.json")])?;
        let own = |path: &RelPath| RelPath::parse(&format!("{TRANSCRIPTS}/{}", path.file_name()));
        let files = self.cx.files(&glob)?;
        files
            .iter()
            .map(|file| {
                own(file.path()).map_err(|source| {
                    let remedy = "remove the file; recorded transcripts have plain names";
                    Fault::new(AUDIT_INVALID, source.to_string(), remedy)
                        .at(Location::file(file.path()))
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
