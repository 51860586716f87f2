//! Five small programs whose durations say how fast a machine is at one thing. What is made of them is another matter.

use portcullis_canary::{Calibration, Kernel};
use std::{
    cell::Cell,
    hint::black_box,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// How often each is run for a calibration.
const RUNS: usize = 17;
const L2_WORDS: usize = 16 * 1024;
const DRAM_WORDS: usize = 8 * 1024 * 1024;

/// A kernel with the memory that it works on.
pub(crate) struct Ready {
    kernel: Kernel,
    words: Vec<u64>,
    steps: u64,
    /// Where the chase through the words goes on: a new start would find its words in the cache.
    at: Cell<u64>,
    own: Option<std::path::PathBuf>,
}

impl Ready {
    /// Prepares a kernel; `own` is this program, which `spawn` starts.
    pub(crate) fn new(kernel: Kernel, own: Option<&Path>) -> Self {
        let size = match kernel {
            Kernel::L2 => L2_WORDS,
            Kernel::Dram => DRAM_WORDS,
            Kernel::AllocSort | Kernel::Alu | Kernel::Spawn => 0,
        };
        let steps = match kernel {
            Kernel::Alu => 200_000,
            Kernel::L2 => 60_000,
            Kernel::Dram => 4_000,
            Kernel::AllocSort => 2_000,
            Kernel::Spawn => 100,
        };
        let own = own.map(Path::to_path_buf);
        Self { kernel, words: cycle(size), steps, at: Cell::new(0), own }
    }

    /// Runs it once, with `milli_pct` more work, and returns how long it took, in nanoseconds.
    ///
    /// # Errors
    /// When the process of `spawn` cannot be run.
    #[expect(clippy::disallowed_methods, reason = "a duration needs a clock")]
    pub(crate) fn run(&self, milli_pct: u64) -> std::io::Result<u64> {
        let steps = self.steps + self.steps * milli_pct / 100_000;
        let start = Instant::now();
        match self.kernel {
            Kernel::Alu => {
                black_box(mixed(steps));
            }
            Kernel::L2 | Kernel::Dram => {
                self.at.set(black_box(chased(&self.words, self.at.get(), steps)));
            }
            Kernel::AllocSort => {
                black_box(sorted(steps));
            }
            Kernel::Spawn => self.spawn(steps)?,
        }
        Ok(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1))
    }

    /// Starts this program, which counts to `steps` thousand and ends.
    #[expect(clippy::disallowed_methods, reason = "the start of a process is what is timed")]
    fn spawn(&self, steps: u64) -> std::io::Result<()> {
        let own =
            self.own.as_deref().ok_or_else(|| std::io::Error::other("no program to start"))?;
        let status = Command::new(own)
            .args(["canary", "kernel", "--steps", &steps.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(std::io::Error::other("a started process failed"))
        }
    }
}

/// The work of a started process.
pub(crate) fn count(steps: u64) {
    black_box(mixed(steps.saturating_mul(1_000)));
}

/// Returns the medians of the five.
///
/// # Errors
/// When a process cannot be run.
pub(crate) fn calibrate(own: &Path) -> std::io::Result<Calibration> {
    let mut medians = std::collections::BTreeMap::new();
    for kernel in Kernel::ALL {
        let ready = Ready::new(kernel, Some(own));
        ready.run(0)?;
        let mut values = (0..RUNS).map(|_| ready.run(0)).collect::<std::io::Result<Vec<_>>>()?;
        values.sort_unstable();
        medians.insert(kernel, values.get(RUNS / 2).copied().unwrap_or(1));
    }
    Ok(Calibration(medians))
}

/// The kernel of a name.
pub(crate) fn parse(name: &str) -> Option<Kernel> {
    match name {
        "alu" => Some(Kernel::Alu),
        "l2" => Some(Kernel::L2),
        "dram" => Some(Kernel::Dram),
        "alloc_sort" => Some(Kernel::AllocSort),
        "spawn" => Some(Kernel::Spawn),
        _ => None,
    }
}

fn mixed(steps: u64) -> u64 {
    (0..steps).fold(0x9e37_79b9_7f4a_7c15, |state: u64, step| {
        (state ^ step).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(29)
    })
}

/// One cycle through all words (Sattolo), so that every read waits for the one before.
fn cycle(size: usize) -> Vec<u64> {
    let mut words: Vec<u64> = (0..size as u64).collect();
    let mut random = portcullis_canary::order::SplitMix64::new(1);
    for last in (1..size).rev() {
        let other = usize::try_from(random.below(last as u64)).unwrap_or(0);
        words.swap(last, other);
    }
    words
}

fn chased(words: &[u64], from: u64, steps: u64) -> u64 {
    let mut at = from;
    for _ in 0..steps {
        at = usize::try_from(at).ok().and_then(|at| words.get(at)).copied().unwrap_or(0);
    }
    at
}

fn sorted(steps: u64) -> u64 {
    let mut random = portcullis_canary::order::SplitMix64::new(2);
    let mut texts: Vec<String> = (0..steps).map(|_| random.next_u64().to_string()).collect();
    texts.sort_unstable();
    texts.first().map_or(0, |text| text.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chase_visits_every_word_before_it_comes_back() {
        let words = cycle(1_000);
        assert_eq!(chased(&words, 0, 1_000), 0);
        assert!((1..1_000).all(|steps| chased(&words, 0, steps) != 0));
    }

    #[test]
    fn a_chase_goes_on_where_the_last_one_ended() {
        let ready = Ready::new(Kernel::Dram, None);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..5 {
            ready.run(0).expect("no process is started");
            assert!(seen.insert(ready.at.get()), "the same words again are in the cache");
        }
    }

    #[test]
    fn the_names_are_those_of_the_documents() {
        for kernel in Kernel::ALL {
            let name = serde_json::to_value(kernel).expect("a name");
            assert_eq!(parse(name.as_str().expect("a text")), Some(kernel));
        }
    }
}
