//! `CycloneDX` 1.6 declarations: one claim and one attestation line for each gate. What is waived or did not look conforms not.

use super::{account::Account, standing::Ctrf};
use serde_json::{Value, json};

/// The document.
pub(super) fn render(account: &Account) -> Value {
    let (decision, envelope) = (&account.decision, &account.envelope);
    let gates: Vec<_> = account.rows.iter().filter(|row| row.is_gate).collect();
    let claim = |name: &str| format!("claim:{name}");
    let evidence = |name: &str| format!("evidence:{name}");
    let standard = "portcullis";
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": envelope.generated_at,
            "tools": { "components": [{
                "type": "application", "name": envelope.tool.name, "version": envelope.tool.version,
            }] },
            "component": {
                "type": "application",
                "bom-ref": "source",
                "name": "source",
                "version": envelope.source.commit.as_deref().unwrap_or("no commit"),
            },
            "properties": [
                { "name": "portcullis:verdict", "value": decision.verdict.to_string() },
                { "name": "portcullis:certifiable", "value": decision.certifiable.to_string() },
                { "name": "portcullis:run", "value": envelope.run_id },
                { "name": "portcullis:faults", "value": decision.faults.len().to_string() },
            ],
        },
        "definitions": { "standards": [{
            "bom-ref": standard,
            "name": account.policy_path,
            "version": account.policy_digest.to_string(),
            "requirements": gates.iter().map(|row| json!({
                "bom-ref": format!("requirement:{}", row.name),
                "identifier": row.name,
                "title": row.name,
            })).collect::<Vec<_>>(),
        }] },
        "declarations": {
            "assessors": [{ "bom-ref": "assessor", "thirdParty": false }],
            "attestations": [{
                "summary": format!("gates of the run {}", envelope.run_id),
                "assessor": "assessor",
                "map": gates.iter().map(|row| json!({
                    "requirement": format!("requirement:{}", row.name),
                    "claims": [claim(&row.name)],
                    "conformance": {
                        "score": u8::from(row.standing.ctrf == Ctrf::Passed),
                        "rationale": format!("{}: {}", row.status, row.message),
                    },
                })).collect::<Vec<_>>(),
            }],
            "claims": gates.iter().map(|row| json!({
                "bom-ref": claim(&row.name),
                "target": "target",
                "predicate": format!("the gate {} is {}", row.name, row.status),
                "evidence": [evidence(&row.name)],
            })).collect::<Vec<_>>(),
            "evidence": gates.iter().map(|row| json!({
                "bom-ref": evidence(&row.name),
                "description": row.message,
                "propertyName": "portcullis:status",
                "data": [{ "name": "status", "contents": { "attachment": { "content": row.status } } }],
            })).collect::<Vec<_>>(),
            "targets": { "components": [{ "type": "application", "bom-ref": "target", "name": "source" }] },
        },
    })
}
