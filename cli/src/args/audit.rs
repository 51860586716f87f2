//! The completion audit. Leaves out what the commands do.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `audit`.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// What to do.
    #[command(subcommand)]
    pub verb: AuditVerb,
}

/// What can be done with an audit.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Runs a command, shows what it writes, and seals what happened as a transcript; secrets are replaced.
    #[command(
        after_help = "Example:\n  cargo portcullis audit record -- cargo test --workspace\n\nExits 0 when the command did, 10 when it failed; the transcript is kept either way."
    )]
    Record(AuditRecord),
    /// Looks at everything the requirements name and writes `completion_audit.json` and `closeout_gate.json`.
    #[command(
        after_help = "Example:\n  cargo portcullis audit build --requirements completion_requirements.toml\n\nExits 0 when nothing is in the way, 11 otherwise."
    )]
    Build(AuditBuild),
    /// Looks at an audit again. It opens files only: no process, no network, nothing is written.
    #[command(
        after_help = "Examples:\n  cargo portcullis audit check\n  cargo portcullis audit check --audit-json completion_audit.json\n  cargo portcullis audit check --self-test --generated-at 2026-05-31T12:00:00Z\n\nExits 0 when the work may be called complete, 11 otherwise, 3 without an audit, 12 when it cannot be read."
    )]
    Check(AuditCheck),
}

/// `audit record`.
#[derive(Debug, Args)]
pub(crate) struct AuditRecord {
    /// Where audits and transcripts lie; `portcullis/audit` of cargo's target directory otherwise.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The command, after `--`.
    #[arg(last = true, required = true, value_name = "ARGV")]
    pub argv: Vec<String>,
}

/// `audit build`.
#[derive(Debug, Args)]
pub(crate) struct AuditBuild {
    /// The list of requirements, relative to the repository root.
    #[arg(long, default_value = "completion_requirements.toml", value_name = "FILE")]
    pub requirements: String,
    /// Where audits and transcripts lie; `portcullis/audit` of cargo's target directory otherwise.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `audit check`.
#[derive(Debug, Args)]
pub(crate) struct AuditCheck {
    /// The audit; transcripts lie in the folder `transcripts` beside it.
    #[arg(long, value_name = "FILE", conflicts_with = "self_test")]
    pub audit_json: Option<PathBuf>,
    /// Checks the checker: every known scenario has to come out as its golden says.
    #[arg(long)]
    pub self_test: bool,
    /// A folder of scenarios instead of those that are built in and those of `fixtures/audit`.
    #[arg(long, value_name = "DIR", requires = "self_test")]
    pub goldens: Option<PathBuf>,
    /// What the answer says of when it was made.
    #[arg(long, value_name = "TIME")]
    pub generated_at: Option<String>,
}
