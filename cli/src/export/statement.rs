//! in-toto statements about a run: the test result, and the verification summary of SLSA. Unsigned; a signer comes after.

use super::{account::Account, standing::Ctrf};
use portcullis::{Effective, Fault, Mode, RunVerdict, wire::code::USAGE};
use serde_json::{Value, json};

const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// What was gated: the commit, which a statement cannot do without.
fn subject(account: &Account) -> Result<Value, Fault> {
    let source = &account.envelope.source;
    let refuse = |headline: &str| {
        let remedy = "export a run of a committed, unchanged tree";
        Err(Fault::new(USAGE, headline.to_owned(), remedy))
    };
    let Some(commit) = &source.commit else {
        return refuse("the run names no commit, so there is nothing to make a statement about");
    };
    // What was looked at is not that commit, so a statement about the commit would be false.
    if source.dirty != Some(false) {
        return refuse("the work tree differed from its commit, or nobody looked");
    }
    Ok(json!([{ "name": "source", "digest": { "gitCommit": commit } }]))
}

/// `test-result` v0.1: `PASSED` only where nothing failed and nothing is waived.
pub(super) fn test_result(account: &Account) -> Result<Value, Fault> {
    let decision = &account.decision;
    let names = |wanted: &[Ctrf], aloud: bool| -> Vec<String> {
        let of = |row: &&super::account::Row| {
            let warned = row.status == Effective::Warn.name() || row.is_flaky();
            wanted.contains(&row.standing.ctrf)
                && (row.standing.ctrf != Ctrf::Passed || warned == aloud)
        };
        account.rows.iter().filter(of).map(|row| format!("{} {}", row.suite, row.name)).collect()
    };
    let failed = names(&[Ctrf::Failed, Ctrf::Pending], false);
    let mut warned = names(&[Ctrf::Passed], true);
    warned.extend(names(&[Ctrf::Other], false));
    let result = if decision.verdict != RunVerdict::Pass || !failed.is_empty() {
        "FAILED"
    } else if !warned.is_empty() || decision.mode != Mode::Strict {
        "WARNED"
    } else {
        "PASSED"
    };
    Ok(json!({
        "_type": STATEMENT,
        "subject": subject(account)?,
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": result,
            "configuration": configuration(account),
            "passedTests": names(&[Ctrf::Passed], false),
            "warnedTests": warned,
            "failedTests": failed,
        },
    }))
}

/// The verification summary: `PASSED` only where the run may stand as a certificate.
pub(super) fn vsa(account: &Account) -> Result<Value, Fault> {
    let (decision, envelope) = (&account.decision, &account.envelope);
    let subject = subject(account)?;
    let passed = decision.verdict == RunVerdict::Pass && decision.certifiable && !account.is_red();
    let commit = envelope.source.commit.as_deref().unwrap_or_default();
    // The level says what the word cannot: whether anything that failed was accepted for a time.
    let waived = decision.gates.iter().any(|gate| gate.effective == Effective::Waived);
    let levels: &[&str] = match (passed, waived) {
        (true, false) => &["PORTCULLIS_CERTIFIED"],
        (true, true) => &["PORTCULLIS_CERTIFIED_WITH_WAIVERS"],
        (false, _) => &[],
    };
    Ok(json!({
        "_type": STATEMENT,
        "subject": subject,
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {
                "id": "https://github.com/portcullis-rs/portcullis",
                "version": { "portcullis": envelope.tool.version },
            },
            "timeVerified": envelope.generated_at,
            "resourceUri": format!("git+commit:{commit}"),
            "policy": {
                "uri": account.policy_path,
                "digest": { "sha256": account.policy_digest },
            },
            "verificationResult": if passed { "PASSED" } else { "FAILED" },
            "verifiedLevels": levels,
            "slsaVersion": "1.0",
        },
    }))
}

/// What the run was decided by: its policy, and the seal over its directory.
fn configuration(account: &Account) -> Value {
    let mut all = vec![json!({
        "name": account.policy_path,
        "digest": { "sha256": account.policy_digest },
    })];
    if let Some(seal) = &account.seal {
        all.push(json!({
            "name": format!("run {} manifest.json", account.envelope.run_id),
            "digest": { "sha256": seal },
        }));
    }
    Value::Array(all)
}
