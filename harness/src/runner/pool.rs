//! Many gates evaluated on a few threads, each check on the thread of its worker. Which gates, and what an outcome means, is
//! decided elsewhere.
//!
//! A thread cannot be stopped from outside. So the caller watches over the workers: one whose check takes too long is given
//! up with it, its attempt is ended here, and another worker takes its place. A thread for each check would be simpler, but
//! handing over twice for each gate took longer than the gates.

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

/// What a pool works on: things by position, each with a part that may never end.
pub trait Work: Send + Sync + 'static {
    /// One of them under way. Whoever holds it ends it, and there is one of it.
    type Underway: Send + 'static;
    /// What the part that may never end comes to.
    type Said;

    /// Does everything before that part. Nothing where there is no such part.
    fn set_out(&self, n: usize) -> Option<Self::Underway>;

    /// How long that part may take, in milliseconds.
    fn timeout_ms(underway: &Self::Underway) -> u64;

    /// That part, by itself: it may outlive everything else.
    fn part(underway: &Self::Underway) -> impl FnOnce() -> Self::Said + use<Self>;

    /// Does the rest; without an answer that part took too long.
    fn arrive(&self, underway: Self::Underway, said: Option<Self::Said>);

    /// Does all of it here, unless it is done.
    fn do_here(&self, n: usize);
}

/// Works on these positions, on so many threads, and waits for all.
pub fn work<W: Work>(on: &Arc<W>, positions: Vec<usize>, workers: usize) {
    let pool = Arc::new(Pool {
        on: Arc::clone(on),
        positions,
        next: AtomicUsize::new(0),
        state: Mutex::new(State { seats: Vec::new(), at_work: 0, looks_again_ms: None }),
        changed: Condvar::new(),
        watch: Stopwatch::start(),
    });
    for _ in 0..workers {
        pool.hire();
    }
    pool.watch_over();
    // Where no thread was to be had, or a worker broke, what is left is done here; usually nothing is.
    for n in &pool.positions {
        on.do_here(*n);
    }
}

struct Pool<W: Work> {
    on: Arc<W>,
    positions: Vec<usize>,
    next: AtomicUsize,
    state: Mutex<State<W>>,
    changed: Condvar,
    watch: Stopwatch,
}

struct State<W: Work> {
    /// One for each worker there ever was.
    seats: Vec<Option<Seat<W>>>,
    /// How many workers have not ended and were not given up.
    at_work: usize,
    /// When whoever watches looks again by itself; nothing before the first check.
    looks_again_ms: Option<u64>,
}

/// A check that runs, and when it has to be over.
struct Seat<W: Work> {
    underway: W::Underway,
    over_ms: u64,
}

impl<W: Work> Pool<W> {
    fn state(&self) -> MutexGuard<'_, State<W>> {
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

    fn sit_down(&self, seat: usize, underway: W::Underway) {
        let over_ms = self.watch.elapsed_ms().saturating_add(W::timeout_ms(&underway));
        let mut state = self.state();
        state.seats[seat] = Some(Seat { underway, over_ms });
        if state.looks_again_ms.is_none_or(|at| over_ms < at) {
            state.looks_again_ms = Some(over_ms);
            self.changed.notify_all();
        }
    }

    /// What is under way at this seat, unless it was given up.
    fn stand_up(&self, seat: usize) -> Option<W::Underway> {
        self.state().seats[seat].take().map(|seat| seat.underway)
    }

    /// Waits until no worker is left, and gives up those whose check takes too long.
    fn watch_over(self: &Arc<Self>) {
        let mut state = self.state();
        while state.at_work > 0 {
            let now_ms = self.watch.elapsed_ms();
            let is_late = |seat: &mut Seat<W>| seat.over_ms <= now_ms;
            let late: Vec<Seat<W>> =
                state.seats.iter_mut().filter_map(|seat| seat.take_if(is_late)).collect();
            if !late.is_empty() {
                state.at_work -= late.len();
                drop(state);
                for Seat { underway, .. } in late {
                    self.hire();
                    self.on.arrive(underway, None);
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

struct Worker<W: Work> {
    pool: Arc<Pool<W>>,
    seat: usize,
    is_given_up: bool,
}

impl<W: Work> Worker<W> {
    fn work(mut self) {
        let pool = Arc::clone(&self.pool);
        while let Some(n) = pool.positions.get(pool.next.fetch_add(1, Ordering::Relaxed)) {
            let Some(underway) = pool.on.set_out(*n) else { continue };
            let part = W::part(&underway);
            pool.sit_down(self.seat, underway);
            let said = part();
            match pool.stand_up(self.seat) {
                Some(underway) => pool.on.arrive(underway, Some(said)),
                None => {
                    // Its attempt ended without it, and another worker has its place.
                    self.is_given_up = true;
                    return;
                }
            }
        }
    }
}

impl<W: Work> Drop for Worker<W> {
    /// However a worker ends: whoever waits must not wait for ever.
    fn drop(&mut self) {
        if !self.is_given_up {
            self.pool.state().at_work -= 1;
            self.pool.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Things that end at once, never, or with a panic of their own worker.
    struct Things {
        kinds: Vec<Thing>,
        begun: Mutex<Vec<usize>>,
        ended: Mutex<Vec<(usize, Option<usize>)>>,
        here: Mutex<Vec<usize>>,
        // What never ends waits for a word that is said after the pool has given it up.
        word: Mutex<Receiver<()>>,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Thing {
        Ends,
        Hangs,
        NeedsNoPart,
        BreaksBefore,
    }

    impl Things {
        fn new(kinds: Vec<Thing>) -> (Arc<Self>, Sender<()>) {
            let (sender, receiver) = channel();
            let things = Self {
                kinds,
                begun: Mutex::default(),
                ended: Mutex::default(),
                here: Mutex::default(),
                word: Mutex::new(receiver),
            };
            (Arc::new(things), sender)
        }
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl Work for Arc<Things> {
        type Underway = (usize, Arc<Things>);
        type Said = usize;

        fn set_out(&self, n: usize) -> Option<Self::Underway> {
            lock(&self.begun).push(n);
            assert!(self.kinds[n] != Thing::BreaksBefore, "as a defect of ours would");
            (self.kinds[n] != Thing::NeedsNoPart).then(|| (n, Arc::clone(self)))
        }

        fn timeout_ms(underway: &Self::Underway) -> u64 {
            // Long enough that nothing which ends is given up, on a machine however busy.
            if underway.1.kinds[underway.0] == Thing::Hangs { 30 } else { 600_000 }
        }

        fn part(underway: &Self::Underway) -> impl FnOnce() -> usize + use<> {
            let (n, things) = (underway.0, Arc::clone(&underway.1));
            move || {
                if things.kinds[n] == Thing::Hangs {
                    let _ended = lock(&things.word).recv();
                }
                n
            }
        }

        fn arrive(&self, underway: Self::Underway, said: Option<usize>) {
            lock(&self.ended).push((underway.0, said));
        }

        fn do_here(&self, n: usize) {
            lock(&self.here).push(n);
        }
    }

    fn ended(things: &Things) -> Vec<(usize, Option<usize>)> {
        let mut ended = lock(&things.ended).clone();
        ended.sort_unstable();
        ended
    }

    #[test]
    fn everything_is_done_once_and_what_hangs_is_given_up() {
        use Thing::{Ends, Hangs, NeedsNoPart};
        // More of them hang than there are workers, first and last among them.
        let kinds = [Hangs, Ends, Hangs, NeedsNoPart, Ends, Hangs, Ends, Ends, Hangs];
        for workers in [1, 2, 16] {
            let (things, word) = Things::new(kinds.to_vec());
            work(&Arc::new(Arc::clone(&things)), (0..kinds.len()).collect(), workers);
            let expected: Vec<(usize, Option<usize>)> = (0..kinds.len())
                .filter(|n| kinds[*n] != NeedsNoPart)
                .map(|n| (n, (kinds[n] == Ends).then_some(n)))
                .collect();
            assert_eq!(ended(&things), expected, "{workers} workers");
            let mut begun = lock(&things.begun).clone();
            begun.sort_unstable();
            assert_eq!(begun, (0..kinds.len()).collect::<Vec<_>>(), "each of them once");
            assert_eq!(lock(&things.here).len(), kinds.len(), "nothing is left behind");
            // Those that come back late find that their attempt ended without them.
            drop(word);
            std::thread::yield_now();
            assert_eq!(ended(&things), expected, "{workers} workers, later");
        }
    }

    #[test]
    fn a_worker_that_breaks_is_not_waited_for() {
        let kinds = vec![Thing::BreaksBefore, Thing::Ends, Thing::BreaksBefore, Thing::Ends];
        let (things, _word) = Things::new(kinds);
        work(&Arc::new(Arc::clone(&things)), vec![0, 1, 2, 3], 1);
        assert_eq!(ended(&things), Vec::new(), "its only worker broke at the first");
        assert_eq!(*lock(&things.here), [0, 1, 2, 3], "so everything is done by whoever waits");
        let (nothing, _word) = Things::new(Vec::new());
        work(&Arc::new(nothing), Vec::new(), 2);
    }

    #[test]
    fn a_short_time_is_noticed_beside_a_long_one_and_who_comes_back_late_counts_for_nobody() {
        // The first of two workers announces ten minutes and waits for the second, which hangs until it is given up.
        struct Both(Arc<Things>, Mutex<Option<Sender<()>>>);
        impl Work for Both {
            type Underway = (usize, Arc<Things>);
            type Said = ();

            fn set_out(&self, n: usize) -> Option<Self::Underway> {
                Some((n, Arc::clone(&self.0)))
            }

            fn timeout_ms(underway: &Self::Underway) -> u64 {
                if underway.0 == 0 { 600_000 } else { 30 }
            }

            fn part(underway: &Self::Underway) -> impl FnOnce() + use<> {
                let (n, things) = (underway.0, Arc::clone(&underway.1));
                move || {
                    let _ended = lock(&things.word).recv();
                    // The one that was given up comes back meanwhile, and counts for nobody.
                    if n == 0 {
                        std::thread::park_timeout(Duration::from_millis(50));
                    }
                }
            }

            fn arrive(&self, underway: Self::Underway, said: Option<()>) {
                lock(&self.0.ended).push((underway.0, said.map(|()| underway.0)));
                // Only now may the first one end.
                drop(lock(&self.1).take());
            }

            fn do_here(&self, _: usize) {}
        }
        let (things, word) = Things::new(Vec::new());
        work(&Arc::new(Both(Arc::clone(&things), Mutex::new(Some(word)))), vec![0, 1], 2);
        assert_eq!(*lock(&things.ended), [(1, None), (0, Some(0))]);
    }
}
