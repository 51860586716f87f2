//! The endpoint of a shields badge: one word. Only a pass that counts as one is green.

use super::account::Account;
use portcullis::{Effective, Mode, RunVerdict};
use serde_json::{Value, json};

/// The document.
pub(super) fn render(account: &Account) -> Value {
    let decision = &account.decision;
    let waived = decision.gates.iter().filter(|gate| gate.effective == Effective::Waived).count();
    let (message, color) = match decision.verdict {
        _ if decision.verdict == RunVerdict::Pass && account.is_red() => {
            ("pass, with failures that do not block".to_owned(), "yellow")
        }
        RunVerdict::Pass if waived > 0 => (format!("pass, {waived} waived"), "yellow"),
        RunVerdict::Pass if decision.mode != Mode::Strict => {
            (format!("pass in {} mode", decision.mode), "yellow")
        }
        RunVerdict::Pass => ("pass".to_owned(), "brightgreen"),
        RunVerdict::Blocked => ("blocked".to_owned(), "red"),
        RunVerdict::Invalid => ("invalid".to_owned(), "red"),
    };
    json!({
        "schemaVersion": 1,
        "label": "gates",
        "message": message,
        "color": color,
        "isError": decision.verdict != RunVerdict::Pass,
        "cacheSeconds": 300,
    })
}
