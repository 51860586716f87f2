//! The subset of SARIF 2.1.0 that code scanning reads. Every result has a place; what is cut is said in a notification.

use super::{
    account::{Account, Row},
    standing::Sarif,
};
use portcullis::{
    Finding, Location, RunVerdict, kernel::decide::Decided, report::human::plain,
    runner::registry::Registry,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How many results an upload keeps.
pub(super) const RESULTS_MAX: usize = 5_000;
const SCHEMA: &str = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json";

/// One result, sorted by what is worst.
struct Found {
    rank: (u8, String, String, u32),
    rule: String,
    result: Value,
}

/// The document.
pub(super) fn render(account: &Account) -> Value {
    let gates: BTreeMap<&str, &Decided> =
        account.decision.gates.iter().map(|gate| (gate.id.as_str(), gate)).collect();
    let mut found = Vec::new();
    let mut notes = Vec::new();
    for row in account.rows.iter().filter(|row| row.standing.sarif != Sarif::None) {
        match gates.get(row.name.as_str()).filter(|gate| row.is_gate && !gate.findings.is_empty()) {
            None => found.push(whole(account, row)),
            Some(gate) => {
                found.extend(gate.findings.iter().map(|one| of(account, row, gate, one)));
                let kept = gate.findings.len();
                if usize::try_from(gate.findings_total).is_ok_and(|total| total > kept) {
                    let total = gate.findings_total;
                    notes.push(format!("{}: {kept} of {total} findings were kept", gate.id));
                }
            }
        }
    }
    found.sort_by(|a, b| a.rank.cmp(&b.rank));
    if found.len() > RESULTS_MAX {
        let (all, run) = (found.len(), &account.envelope.run_id);
        notes.push(format!(
            "{RESULTS_MAX} of {all} results stand here, the worst first; all are in the run {run}"
        ));
        found.truncate(RESULTS_MAX);
    }
    let rules: BTreeSet<&str> = found.iter().map(|one| one.rule.as_str()).collect();
    let registry = Registry::collect().ok();
    let tool = &account.envelope.tool;
    let notifications: Vec<Value> = notes
        .iter()
        .map(|text| json!({ "level": "warning", "message": { "text": text } }))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": tool.name,
                "version": tool.version,
                "rules": rules.into_iter().map(|id| rule(registry.as_ref(), id)).collect::<Vec<_>>(),
            } },
            "automationDetails": { "id": format!("portcullis/{}/", account.decision.lane) },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": account.decision.verdict != RunVerdict::Invalid,
                "exitCode": account.decision.exit,
                "toolExecutionNotifications": notifications,
            }],
            "results": found.into_iter().map(|one| one.result).collect::<Vec<_>>(),
        }],
    })
}

/// A rule with the page of its kind, where that is linked here.
fn rule(registry: Option<&Registry>, id: &str) -> Value {
    let (kind, code) = id.split_once('/').unwrap_or((id, id));
    let page = registry.and_then(|registry| {
        let kind = registry.kinds().find(|known| known.id == kind)?;
        Some(
            kind.page
                .iter()
                .map(|line| line.strip_prefix(' ').unwrap_or(line))
                .collect::<Vec<_>>()
                .join("\n"),
        )
    });
    let text = page.unwrap_or_else(|| format!("cargo portcullis explain {code}"));
    json!({
        "id": id,
        "name": code,
        "shortDescription": { "text": format!("{kind}: {}", code.replace('_', " ")) },
        "help": { "text": text },
    })
}

fn of(account: &Account, row: &Row, gate: &Decided, finding: &Finding) -> Found {
    let rule = format!("{}/{}", gate.kind, finding.code);
    let place = finding.location.as_ref().filter(|place| relative(&place.path).is_some());
    let place = place.cloned().unwrap_or_else(|| account.declared(&row.name));
    let message = format!("{}\nremedy: {}", finding.message, finding.remedy);
    let standing = if finding.advisory && row.standing.sarif == Sarif::Error {
        Sarif::Warning
    } else {
        row.standing.sarif
    };
    result(row, standing, rule, &place, &message, &finding.fingerprint)
}

/// A gate without findings, a test, or a fault of the run.
fn whole(account: &Account, row: &Row) -> Found {
    let place = row.location.as_ref().filter(|place| relative(&place.path).is_some());
    let place = place.cloned().unwrap_or_else(|| account.declared(&row.name));
    let replay = row.replay.as_ref().map_or_else(String::new, |line| format!("\nreplay: {line}"));
    let message = format!("{}: {}{replay}", row.name, row.text);
    result(row, row.standing.sarif, row.rule.clone(), &place, &message, &row.fingerprint)
}

fn result(
    row: &Row,
    standing: Sarif,
    rule: String,
    place: &Location,
    message: &str,
    fingerprint: &str,
) -> Found {
    let (rank, level) = match standing {
        Sarif::ErrorOfClass => (0, "error"),
        Sarif::Error => (1, "error"),
        Sarif::Warning => (2, "warning"),
        Sarif::Suppressed | Sarif::None => (3, "note"),
    };
    let path = relative(&place.path).unwrap_or_else(|| "portcullis.toml".to_owned());
    let mut region = json!({ "startLine": place.line.max(1) });
    if place.column > 0 && place.line > 0 {
        region["startColumn"] = json!(place.column);
    }
    let mut result = json!({
        "ruleId": rule,
        "level": level,
        "message": { "text": plain(message) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": path },
            "region": region,
        } }],
        "partialFingerprints": { "portcullis/v1": fingerprint },
        "properties": { "gate": row.name, "status": row.status },
    });
    if standing == Sarif::ErrorOfClass {
        result["properties"]["class"] = json!(row.status);
    }
    if standing == Sarif::Suppressed {
        let why = row.waiver.as_deref().unwrap_or("waived");
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": plain(why) }]);
    }
    Found { rank: (rank, row.name.clone(), path, place.line), rule, result }
}

/// A path within the repository as a relative URI; nothing for any other.
fn relative(path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let first = path.split('/').next().unwrap_or_default();
    let outside = path.is_empty()
        || path.starts_with('/')
        || first.len() == 2 && first.ends_with(':')
        || path.split('/').any(|part| part == "..");
    if outside {
        return None;
    }
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_relative_and_escaped() {
        let table = [
            ("src/a b.rs", Some("src/a%20b.rs")),
            ("./src\\x.rs", Some("src/x.rs")),
            ("ä:b.rs", Some("%C3%A4%3Ab.rs")),
            ("/etc/passwd", None),
            ("C:\\x.rs", None),
            ("a/../../x", None),
            ("", None),
        ];
        for (path, uri) in table {
            assert_eq!(relative(path).as_deref(), uri, "{path}");
        }
    }
}
