//! `--list`: what nextest reads, what people read, and what programs read.

use super::{argv::Format, session::Session, trial::Subject};
use crate::{
    kernel::census::Census,
    wire::{
        artifact,
        fault::Fault,
        ordered::{VecMap, VecSet},
    },
};
use serde_json::json;
use std::fmt::Write as _;

/// Renders the names. The terse form is exactly what nextest parses; nothing else goes to standard output.
pub(super) fn names(names: &VecSet<&str>, format: Format) -> String {
    let mut text = String::with_capacity(names.iter().map(|name| name.len() + 7).sum());
    for name in names {
        text.push_str(name);
        text.push_str(": test\n");
    }
    match format {
        Format::Pretty => {
            // Writing to a String cannot fail.
            let _ok = writeln!(text, "\n{} tests, 0 benchmarks", names.len());
        }
        Format::Terse | Format::Json => {}
    }
    text
}

/// Renders the names with what the policy says about each.
pub(super) fn machine(
    session: &Session,
    subjects: &VecMap<String, Subject>,
) -> Result<String, Fault> {
    let census = Census::of(session.roster.tables());
    let digests: VecMap<&str, String> =
        census.rows.iter().map(|row| (row.id.as_str(), row.digest.to_string())).collect();
    let rows: Vec<serde_json::Value> = subjects
        .iter()
        .map(|(name, subject)| match subject {
            Subject::Aggregate(_) => {
                json!({ "name": name, "kind": "aggregate", "binary": session.binary })
            }
            Subject::Gate(n) => {
                let gate = &session.roster.gates[*n];
                let common = &gate.table().common;
                json!({
                    "id": gate.id(),
                    "name": name,
                    "kind": gate.kind(),
                    "page": gate.page(),
                    "remediation": common.remediation,
                    "binary": common.binary,
                    "title": common.title,
                    "owner": common.owner,
                    "issue": common.issue,
                    "blocking": common.blocking,
                    "lanes": common.lanes,
                    "needs": common.needs,
                    "cost": common.cost,
                    "timeout_ms": common.timeout_ms,
                    "signature": common.signature,
                    "digest": digests.get(name.as_str()),
                })
            }
        })
        .collect();
    artifact::document(
        &json!({ "schema": "portcullis.list.v1", "binary": session.binary, "tests": rows }),
    )
    .map_err(|source| {
        Fault::new(
            crate::wire::code::RECEIPT_INVALID,
            "the list could not be rendered",
            "report this as a bug",
        )
        .because(&source)
    })
}
