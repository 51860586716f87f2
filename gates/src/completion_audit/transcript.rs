//! What a recorded command left: its words, its end, its output, and the tree it ran over. It runs nothing.

use super::AUDIT_INVALID;
use portcullis::{
    Digest, Fault, Instant, Location,
    evidence::json,
    wire::{artifact, receipt::Source, receipt::Tool},
};
use serde::{Deserialize, Serialize};

/// The schema of a transcript.
pub const TRANSCRIPT_SCHEMA: &str = "portcullis.transcript.v1";

/// One recorded command. Version rule: `v1` may gain optional fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// `portcullis.transcript.v1`.
    pub schema: String,
    /// The name of the transcript.
    pub id: String,
    /// What wrote it.
    pub tool: Tool,
    /// The command, word by word, redacted.
    pub argv: Vec<String>,
    /// Where it ran, relative to the repository root.
    pub cwd: String,
    /// When it began.
    pub started_at: Instant,
    /// When it ended.
    pub ended_at: Instant,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// How it ended.
    pub exit: Exit,
    /// The commit, and whether the work tree differed from it, before it ran.
    pub before: Source,
    /// The same after it ran.
    pub after: Source,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// SHA-256 of this document without this field.
    pub seal: String,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

/// One stream, after redaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// SHA-256 of everything that was written, redacted.
    pub sha256: Digest,
    /// How many bytes that is.
    pub bytes: u64,
    /// The beginning and the end.
    pub text: String,
    /// How many bytes between the two are not in `text`.
    pub cut_bytes: u64,
}

impl Transcript {
    /// The document, sealed.
    ///
    /// # Errors
    /// When it cannot be rendered, which is a defect.
    pub fn render(&self) -> Result<String, serde_json::Error> {
        let sealed = Self { seal: self.seal_of()?, ..self.clone() };
        artifact::document(&sealed)
    }

    fn seal_of(&self) -> Result<String, serde_json::Error> {
        let mut value = serde_json::to_value(self)?;
        if let Some(members) = value.as_object_mut() {
            members.remove("seal");
        }
        Ok(Digest::of(artifact::document(&value)?.as_bytes()).to_string())
    }

    /// Reads a transcript; one whose seal does not hold is refused.
    ///
    /// # Errors
    /// `audit_invalid`, and the faults of JSON.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, Fault> {
        let refused = |what: &str| {
            let remedy = "record the command again: `cargo portcullis audit record -- <argv>`";
            Fault::new(AUDIT_INVALID, what, remedy).at(Location::file(path))
        };
        let transcript: Self = json::parse_as(bytes, path)?;
        if transcript.schema != TRANSCRIPT_SCHEMA {
            return Err(refused("a transcript has another schema than this reader knows")
                .expected(TRANSCRIPT_SCHEMA)
                .found(transcript.schema));
        }
        let rendered = transcript.render();
        // Compared as bytes: a field that this reader does not know would be outside of the seal.
        if rendered.is_ok_and(|text| text.as_bytes() == bytes) {
            return Ok(transcript);
        }
        Err(refused("the seal of a transcript does not hold: it was edited"))
    }

    /// The commit it speaks of: the tree was that commit before and after.
    #[must_use]
    pub fn clean_commit(&self) -> Option<&str> {
        let clean = |source: &Source| source.dirty == Some(false);
        let stayed = self.before.commit == self.after.commit;
        (clean(&self.before) && clean(&self.after) && stayed)
            .then_some(self.before.commit.as_deref())
            .flatten()
    }
}
