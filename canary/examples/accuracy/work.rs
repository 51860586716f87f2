//! Three small programs of a fixed amount of work, and of a few percent more of the same.

use portcullis_canary::order::SplitMix64;
use std::{hint::black_box, time::Instant};

/// A sample lasts at least this long, in nanoseconds: less than the 200 us that the runner insists on, so that an interrupt
/// weighs more here than there, and enough sessions fit into an hour.
const SAMPLE_MIN_NS: u64 = 60_000;
/// 64 MiB, more than the caches of one processor of a virtual machine.
const WORDS: u64 = 8 * 1024 * 1024;

#[derive(Clone, Copy)]
pub(crate) enum Kernel {
    /// Arithmetic in registers.
    Alu,
    /// Texts that are allocated, sorted and freed.
    AllocSort,
    /// Reads that each wait for the one before, all over the memory.
    Dram,
}

impl Kernel {
    pub(crate) fn parse(name: &str) -> Option<(&'static str, Self)> {
        let all = [("alu", Self::Alu), ("alloc_sort", Self::AllocSort), ("dram", Self::Dram)];
        all.into_iter().find(|(known, _)| *known == name)
    }
}

/// A kernel with its memory, and with an amount of work that is fixed once and the same for both arms.
pub(crate) struct Ready {
    kernel: Kernel,
    words: Vec<u64>,
    at: u64,
    pub(crate) steps: u64,
}

impl Ready {
    pub(crate) fn new(kernel: Kernel) -> Self {
        let words = match kernel {
            Kernel::Alu | Kernel::AllocSort => Vec::new(),
            Kernel::Dram => cycle(),
        };
        let mut ready = Self { kernel, words, at: 0, steps: 64 };
        loop {
            let mut times: Vec<u64> = (0..31).map(|_| ready.run(0)).collect();
            times.sort_unstable();
            if times[times.len() / 2] >= SAMPLE_MIN_NS {
                return ready;
            }
            ready.steps += ready.steps / 4;
        }
    }

    /// Runs it once with so many percent more work, and returns how long that took, in nanoseconds.
    pub(crate) fn run(&mut self, extra_pct: u64) -> u64 {
        let steps = self.steps + self.steps * extra_pct / 100;
        let started = Instant::now();
        match self.kernel {
            Kernel::Alu => {
                let mut random = SplitMix64::new(1);
                black_box((0..steps * 16).fold(0_u64, |sum, _| sum ^ random.next_u64()));
            }
            Kernel::AllocSort => {
                let mut random = SplitMix64::new(2);
                let mut texts: Vec<String> =
                    (0..steps).map(|_| random.next_u64().to_string()).collect();
                texts.sort_unstable();
                black_box(texts);
            }
            // Goes on where the last sample ended: from the start again it would find its words in the cache.
            Kernel::Dram => {
                for _ in 0..steps {
                    self.at = usize::try_from(self.at)
                        .ok()
                        .and_then(|at| self.words.get(at))
                        .copied()
                        .unwrap_or(0);
                }
                black_box(self.at);
            }
        }
        u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }
}

/// One cycle through all words (Sattolo), so that no read can be guessed.
fn cycle() -> Vec<u64> {
    let mut words: Vec<u64> = (0..WORDS).collect();
    let mut random = SplitMix64::new(1);
    for last in (1..words.len()).rev() {
        let other = random.below(last as u64) as usize;
        words.swap(last, other);
    }
    words
}
