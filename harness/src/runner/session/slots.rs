//! What is made once for each gate, by whoever asks first; the others wait for it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// One slot for each gate of the roster, by position.
pub(super) struct Slots<T> {
    made: Vec<OnceLock<T>>,
    claimed: Mutex<Vec<bool>>,
    changed: Condvar,
}

/// The right to fill a slot. It ends with a value, or, where whoever had it came to nothing, with another claim.
///
/// It belongs to no thread: whoever finishes an attempt need not be the one that began it.
pub(super) struct Claimed<T> {
    slots: Arc<Slots<T>>,
    n: usize,
}

impl<T> Slots<T> {
    pub(super) fn new(gates: usize) -> Self {
        let made = (0..gates).map(|_| OnceLock::new()).collect();
        Self { made, claimed: Mutex::new(vec![false; gates]), changed: Condvar::new() }
    }

    /// The value of a slot, if it was made.
    pub(super) fn get(&self, n: usize) -> Option<&T> {
        self.made.get(n)?.get()
    }

    /// Every value there is, by position.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &T)> {
        self.made.iter().enumerate().filter_map(|(n, slot)| Some((n, slot.get()?)))
    }

    /// The value of a slot, made here unless somebody else makes it.
    pub(super) fn get_or_make(self: &Arc<Self>, n: usize, make: impl FnOnce() -> T) -> &T {
        if let Some(claimed) = self.claim(n) {
            claimed.put(make());
        }
        // Nobody takes a value out of its slot.
        self.made[n].wait()
    }

    /// Claims a slot that is empty and that nobody else fills. Where somebody does, waits for the end of that.
    pub(super) fn claim(self: &Arc<Self>, n: usize) -> Option<Claimed<T>> {
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

impl<T> Claimed<T> {
    /// The position of the slot.
    pub(super) fn position(&self) -> usize {
        self.n
    }

    /// Fills the slot.
    pub(super) fn put(self, value: T) {
        // Whoever has the claim is alone, so the slot is empty.
        drop(self.slots.made[self.n].set(value));
    }
}

impl<T> Drop for Claimed<T> {
    fn drop(&mut self) {
        self.slots.claims()[self.n] = false;
        self.slots.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn each_is_made_once_however_many_ask() {
        let (slots, made) = (Arc::new(Slots::new(3)), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let value = *slots.get_or_make(1, || {
                        std::thread::yield_now();
                        made.fetch_add(1, Ordering::Relaxed) + 7
                    });
                    assert_eq!(value, 7);
                });
            }
        });
        assert_eq!(made.load(Ordering::Relaxed), 1);
        assert_eq!(slots.all().collect::<Vec<_>>(), [(1, &7)]);
        assert_eq!((slots.get(0), slots.get(1), slots.get(9)), (None, Some(&7), None));
        assert!(slots.claim(1).is_none(), "it has its value");
    }

    #[test]
    fn a_claim_that_came_to_nothing_is_free_again() {
        let slots = Arc::new(Slots::new(1));
        let first = slots.claim(0).expect("a claim");
        assert_eq!(first.position(), 0);
        let waiting = std::thread::spawn({
            let slots = Arc::clone(&slots);
            move || *slots.get_or_make(0, || 2)
        });
        // As a panic of whoever had it would.
        drop(first);
        assert_eq!(waiting.join().expect("a value"), 2);
        assert_eq!(slots.get(0), Some(&2));
    }

    #[test]
    fn whoever_waits_gets_what_the_claim_ended_with() {
        let slots = Arc::new(Slots::new(1));
        let claimed = slots.claim(0).expect("a claim");
        let waiting = std::thread::spawn({
            let slots = Arc::clone(&slots);
            move || *slots.get_or_make(0, || 2)
        });
        claimed.put(1);
        assert_eq!(waiting.join().expect("a value"), 1);
    }
}
