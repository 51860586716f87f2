//! The receipt of a need that another process of the same run evaluates. It judges nothing.

use super::Session;
use crate::{
    evidence::{clock::Stopwatch, store::AtWork},
    kernel::receipt::{Receipt, ReceiptState, judge},
    runner::roster::Gate,
};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(5);
/// How long a record may take to appear after its attempt was claimed, and a verdict after the time of its gate.
const GRACE_MS: u64 = 2_000;

/// Waits for the receipt of the first attempt. Nothing where its process ended without one, took too long, looked under
/// another policy, or was started by an earlier runner whose run id was used again: then whoever asks looks for itself.
pub(super) fn receipt(session: &Session, gate: &Gate) -> Option<Receipt> {
    let run = session.existing_run_dir()?;
    let watch = Stopwatch::start();
    let limit_ms = gate.table().common.timeout_ms.saturating_add(GRACE_MS);
    loop {
        // What cannot be read now is read again by the runner, and judged there.
        let (raw, at_work) = run.first_attempt(gate.id()).ok()?;
        let receipt = judge(&raw, &session.world.run_id)?;
        match &receipt.state {
            ReceiptState::Complete(started, verdict) => {
                let of_now = started.runner_run_id.as_deref() == session.runner_run_id();
                let of_policy = verdict.policy_digest == gate.table().digest();
                return (of_now && of_policy).then_some(receipt);
            }
            ReceiptState::Unsealed(started)
                if started.runner_run_id.as_deref() != session.runner_run_id() =>
            {
                return None;
            }
            ReceiptState::Unsealed(_) | ReceiptState::Broken { .. } => {}
        }
        let begun = raw.started.is_some();
        if (begun && at_work == AtWork::No && watch.elapsed_ms() > GRACE_MS / 10)
            || (!begun && watch.elapsed_ms() > GRACE_MS)
            || watch.elapsed_ms() > limit_ms
        {
            return None;
        }
        std::thread::park_timeout(PAUSE);
    }
}
