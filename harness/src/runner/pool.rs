//! Many gates evaluated on a few threads, each check on the thread of its worker. Which gates, and what an outcome means, is
//! decided elsewhere.
//!
//! A thread cannot be stopped from outside. So the caller watches over the workers: one whose check takes too long is given
//! up with it, its attempt is ended here, and another worker takes its place. A thread for each check would be simpler, but
//! handing over twice for each gate took longer than the gates.

use super::session::{Session, Underway};
use crate::evidence::clock::Stopwatch;
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// How long nobody looks while there is nothing to look at; whoever begins something says so.
const LONG_MS: u64 = 60_000;

/// Evaluates these gates, on so many threads, and waits for all.
pub fn evaluate(session: &Arc<Session>, positions: Vec<usize>, workers: usize) {
    let pool = Arc::new(Pool {
        session: Arc::clone(session),
        positions,
        next: AtomicUsize::new(0),
        state: Mutex::default(),
        changed: Condvar::new(),
        watch: Stopwatch::start(),
    });
    for _ in 0..workers {
        pool.hire();
    }
    pool.watch_over();
    // Where no thread was to be had, or a worker broke, what is left is done here; usually nothing is.
    for n in &pool.positions {
        session.receipt(*n);
    }
}

struct Pool {
    session: Arc<Session>,
    positions: Vec<usize>,
    next: AtomicUsize,
    state: Mutex<State>,
    changed: Condvar,
    watch: Stopwatch,
}

#[derive(Default)]
struct State {
    /// One for each worker there ever was.
    seats: Vec<Option<Seat>>,
    /// How many workers have not ended and were not given up.
    at_work: usize,
    /// When whoever watches looks again by itself; nothing before the first check.
    looks_again_ms: Option<u64>,
}

/// A check that runs, and when it has to be over.
struct Seat {
    underway: Underway,
    over_ms: u64,
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts one worker. Where the system has no thread left, there is one less.
    fn hire(self: &Arc<Self>) {
        let mut state = self.state();
        let worker = Worker { pool: Arc::clone(self), seat: state.seats.len(), is_given_up: false };
        state.seats.push(None);
        state.at_work += 1;
        drop(state);
        let name = "portcullis worker".to_owned();
        // A worker that never began is dropped, and so counted as one that ended.
        drop(std::thread::Builder::new().name(name).spawn(move || worker.work()));
    }

    fn sit_down(&self, seat: usize, underway: Underway) {
        let over_ms = self.watch.elapsed_ms().saturating_add(underway.check().timeout_ms());
        let mut state = self.state();
        state.seats[seat] = Some(Seat { underway, over_ms });
        if state.looks_again_ms.is_none_or(|at| over_ms < at) {
            state.looks_again_ms = Some(over_ms);
            self.changed.notify_all();
        }
    }

    /// The gate that is under way at this seat, unless it was given up.
    fn stand_up(&self, seat: usize) -> Option<Underway> {
        self.state().seats[seat].take().map(|seat| seat.underway)
    }

    /// Waits until no worker is left, and gives up those whose check takes too long.
    fn watch_over(self: &Arc<Self>) {
        let mut state = self.state();
        while state.at_work > 0 {
            let now_ms = self.watch.elapsed_ms();
            let is_late = |seat: &mut Seat| seat.over_ms <= now_ms;
            let late: Vec<Seat> =
                state.seats.iter_mut().filter_map(|seat| seat.take_if(is_late)).collect();
            if !late.is_empty() {
                state.at_work -= late.len();
                drop(state);
                for Seat { underway, .. } in late {
                    self.hire();
                    let fault = underway.check().timed_out();
                    self.session.arrive(underway, Err(fault));
                }
                state = self.state();
                continue;
            }
            // A time that was announced stands, though its check is over: otherwise each of ten thousand short checks would
            // announce its own.
            let announced = state.looks_again_ms.filter(|at| *at > now_ms);
            let under_way = state.seats.iter().flatten().map(|seat| seat.over_ms);
            state.looks_again_ms = under_way.chain(announced).min();
            let wait_ms = state.looks_again_ms.map_or(LONG_MS, |at| at - now_ms);
            let waited = self.changed.wait_timeout(state, Duration::from_millis(wait_ms));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

struct Worker {
    pool: Arc<Pool>,
    seat: usize,
    is_given_up: bool,
}

impl Worker {
    fn work(mut self) {
        let pool = Arc::clone(&self.pool);
        while let Some(n) = pool.positions.get(pool.next.fetch_add(1, Ordering::Relaxed)) {
            let Some(underway) = pool.session.set_out(*n) else { continue };
            let check = underway.check().parts();
            pool.sit_down(self.seat, underway);
            let said = check.run();
            match pool.stand_up(self.seat) {
                Some(underway) => pool.session.arrive(underway, Ok(said)),
                None => {
                    // Its attempt ended without it, and another worker has its place.
                    self.is_given_up = true;
                    return;
                }
            }
        }
    }
}

impl Drop for Worker {
    /// However a worker ends: whoever waits must not wait for ever.
    fn drop(&mut self) {
        if !self.is_given_up {
            self.pool.state().at_work -= 1;
            self.pool.changed.notify_all();
        }
    }
}
