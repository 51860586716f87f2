//! Ctrl-C and SIGTERM: counted, so that a run can stop, report, and still say what it is. It ends nothing itself.

use std::sync::atomic::{AtomicU8, Ordering};

static ASKED: AtomicU8 = AtomicU8::new(0);

/// What was asked for from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// Nothing.
    Nothing,
    /// To stop, and to report.
    Stop,
    /// To stop at once.
    Kill,
}

/// Begins to count. Where a handler cannot be set, the system's own behaviour stays: the process dies unsealed.
pub(crate) fn listen() {
    drop(ctrlc::set_handler(|| {
        let before = ASKED.load(Ordering::SeqCst);
        ASKED.store(before.saturating_add(1), Ordering::SeqCst);
    }));
}

/// What was asked for so far.
pub(crate) fn asked() -> Asked {
    match ASKED.load(Ordering::SeqCst) {
        0 => Asked::Nothing,
        1 => Asked::Stop,
        _ => Asked::Kill,
    }
}
