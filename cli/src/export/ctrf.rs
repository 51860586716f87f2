//! The Common Test Report Format, 0.0.0. Keys of our own stand under `extra` only; times are whole milliseconds.

use super::{
    account::{Account, Row},
    standing::Ctrf,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The document.
pub(super) fn render(account: &Account) -> Value {
    let rows = &account.rows;
    let count = |wanted: Ctrf| rows.iter().filter(|row| row.standing.ctrf == wanted).count();
    let suites: BTreeSet<&str> = rows.iter().map(|row| row.suite.as_str()).collect();
    let stop = account.envelope.generated_at.unix_ms().max(0);
    let start = account.envelope.clock.now.unix_ms().clamp(0, stop);
    let (envelope, decision) = (&account.envelope, &account.decision);
    json!({
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "runId": envelope.run_id,
        "timestamp": envelope.generated_at,
        "generatedBy": envelope.tool.name,
        "results": {
            "tool": { "name": envelope.tool.name, "version": envelope.tool.version },
            "summary": {
                "tests": rows.len(),
                "passed": count(Ctrf::Passed),
                "failed": count(Ctrf::Failed),
                "skipped": count(Ctrf::Skipped),
                "pending": count(Ctrf::Pending),
                "other": count(Ctrf::Other),
                "flaky": rows.iter().filter(|row| row.is_flaky()).count(),
                "suites": suites.len(),
                "start": start,
                "stop": stop,
            },
            "tests": rows.iter().map(test).collect::<Vec<_>>(),
            "extra": {
                "portcullis": {
                    "verdict": decision.verdict,
                    "exit": decision.exit,
                    "certifiable": decision.certifiable,
                    "lane": decision.lane,
                    "mode": decision.mode,
                    "commit": envelope.source.commit,
                    "not_selected": decision.not_selected.len(),
                },
            },
        },
    })
}

fn test(row: &Row) -> Value {
    let mut test = Map::new();
    let mut put = |key: &str, value: Value| drop(test.insert(key.to_owned(), value));
    // The format knows no empty name.
    let name = if row.name.is_empty() { "(no name)" } else { &row.name };
    put("name", json!(name));
    put("status", json!(row.standing.ctrf.name()));
    put("duration", json!(row.duration_ms));
    put("suite", json!([row.suite]));
    put("rawStatus", json!(row.status));
    if row.standing.ctrf != Ctrf::Passed || row.status == "warn" {
        put("message", json!(row.waiver.as_ref().unwrap_or(&row.message)));
        put("trace", json!(row.text));
    }
    if row.is_flaky() {
        put("flaky", json!(true));
    }
    if !row.earlier.is_empty() {
        put("retries", json!(row.earlier.len()));
    }
    put(
        "extra",
        json!({
            "portcullis": {
                "class": row.class,
                "replay": row.replay,
                "fingerprint": row.fingerprint,
                "owner": row.owner,
                "waiver": row.waiver,
                "quarantine": row.quarantine,
            },
        }),
    );
    Value::Object(test)
}
