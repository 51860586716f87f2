//! The receipts of a process: each gate is evaluated once, by whoever asks first; the others wait for it.

use crate::kernel::receipt::Receipt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// One slot for each gate of the roster, by position.
pub(super) struct Slots {
    receipts: Vec<OnceLock<Receipt>>,
    claimed: Mutex<Vec<bool>>,
    changed: Condvar,
}

/// The right to evaluate a gate. It ends with a receipt, or, where whoever had it came to nothing, with another claim.
///
/// It belongs to no thread: whoever finishes an attempt need not be the one that began it.
pub(super) struct Claimed {
    slots: Arc<Slots>,
    n: usize,
}

impl Slots {
    pub(super) fn new(gates: usize) -> Self {
        let receipts = (0..gates).map(|_| OnceLock::new()).collect();
        Self { receipts, claimed: Mutex::new(vec![false; gates]), changed: Condvar::new() }
    }

    /// The receipt of a gate, if it was evaluated.
    pub(super) fn get(&self, n: usize) -> Option<&Receipt> {
        self.receipts.get(n)?.get()
    }

    /// Every receipt there is, by position.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Receipt)> {
        self.receipts.iter().enumerate().filter_map(|(n, slot)| Some((n, slot.get()?)))
    }

    /// The receipt of a gate, made here unless somebody else makes it.
    pub(super) fn get_or_make(
        self: &Arc<Self>,
        n: usize,
        make: impl FnOnce() -> Receipt,
    ) -> &Receipt {
        if let Some(claimed) = self.claim(n) {
            claimed.put(make());
        }
        // Nobody takes a receipt out of its slot.
        self.receipts[n].wait()
    }

    /// Claims a gate that has no receipt and that nobody else evaluates. Where somebody does, waits for the end of that.
    pub(super) fn claim(self: &Arc<Self>, n: usize) -> Option<Claimed> {
        let mut claimed = self.claims();
        loop {
            if self.get(n).is_some() {
                return None;
            }
            if !std::mem::replace(&mut claimed[n], true) {
                return Some(Claimed { slots: Arc::clone(self), n });
            }
            claimed = self.changed.wait(claimed).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn claims(&self) -> MutexGuard<'_, Vec<bool>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claimed {
    /// The position of the gate.
    pub(super) fn position(&self) -> usize {
        self.n
    }

    /// Files the receipt.
    pub(super) fn put(self, receipt: Receipt) {
        // Whoever has the claim is alone, so the slot is empty.
        drop(self.slots.receipts[self.n].set(receipt));
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.slots.claims()[self.n] = false;
        self.slots.changed.notify_all();
    }
}
