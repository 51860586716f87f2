//! Pairs of one small program against itself, recorded on a busy machine.

use portcullis_canary::order::{First, SplitMix64, blocks};
use serde_json::{Value, json};
use std::{
    error::Error, fmt::Write as _, fs, hint::black_box, path::Path, process::Command, time::Instant,
};

pub(crate) const KERNELS: [&str; 3] = ["alu", "alloc_sort", "spawn"];
const PAIRS: usize = 2_000;

/// The pairs of one kernel, in the order of their recording.
pub(crate) struct Recorded {
    pub(crate) kernel: &'static str,
    pub(crate) pairs: Vec<(u64, u64)>,
    load: String,
}

impl Recorded {
    pub(crate) fn describe(&self) -> Value {
        json!({ "kernel": self.kernel, "pairs": self.pairs.len(), "load": self.load })
    }
}

pub(crate) fn record(folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for kernel in KERNELS {
        let before = load();
        let mut text = String::new();
        for _ in 0..20 {
            run(kernel)?;
        }
        for first in blocks(super::SEED, PAIRS) {
            let (one, two) = (run(kernel)?, run(kernel)?);
            let (base, candidate) = match first {
                First::Base => (one, two),
                First::Candidate => (two, one),
            };
            writeln!(text, "{base},{candidate}")?;
        }
        let head =
            format!("# kernel {kernel}, {PAIRS} pairs, load before {before}, after {}\n", load());
        fs::write(folder.join(format!("{kernel}.csv")), head + &text)?;
        println!("{kernel}: recorded");
    }
    Ok(())
}

pub(crate) fn read(folder: &Path, kernel: &'static str) -> Result<Recorded, Box<dyn Error>> {
    let text = fs::read_to_string(folder.join(format!("{kernel}.csv")))?;
    let (head, body) = text.split_once('\n').ok_or("no head")?;
    let load = head.split_once("load ").map(|(_, load)| load.to_owned()).ok_or("no load")?;
    let mut pairs = Vec::new();
    for line in body.lines() {
        let (base, candidate) = line.split_once(',').ok_or("no pair")?;
        pairs.push((base.parse()?, candidate.parse()?));
    }
    if pairs.len() != PAIRS {
        return Err(format!("{} pairs of {kernel}, not {PAIRS}", pairs.len()).into());
    }
    Ok(Recorded { kernel, pairs, load })
}

pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

/// Runs a kernel once and returns its nanoseconds; each lasts at least 200 us.
fn run(kernel: &str) -> Result<u64, Box<dyn Error>> {
    let started = Instant::now();
    match kernel {
        "alu" => {
            let mut random = SplitMix64::new(1);
            let mut sum = 0_u64;
            for _ in 0..400_000 {
                sum ^= random.next_u64();
            }
            black_box(sum);
        }
        "alloc_sort" => {
            let mut random = SplitMix64::new(2);
            let mut numbers: Vec<u64> = (0..40_000).map(|_| random.next_u64()).collect();
            numbers.sort_unstable();
            black_box(numbers);
        }
        _ => {
            let status = Command::new("true").status()?;
            if !status.success() {
                return Err("`true` failed".into());
            }
        }
    }
    Ok(u64::try_from(started.elapsed().as_nanos())?)
}
