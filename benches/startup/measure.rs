//! Stopwatch, peak memory and CPU time of other processes. What a number means is said elsewhere.

use super::Failure;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How often the peak of a process is read; the system keeps the maximum itself.
const POLL: Duration = Duration::from_millis(3);
/// `USER_HZ`, which Linux fixes for everything it exports.
const TICKS_PER_SECOND: f64 = 100.0;

/// One program start, ready to be repeated.
#[derive(Clone, Debug)]
pub(crate) struct Start<'a> {
    /// The executable.
    pub(crate) program: &'a Path,
    /// Its arguments.
    pub(crate) words: &'a [&'a str],
    /// `SPEED_TRIALS`, for the raw binary.
    pub(crate) trials: usize,
}

impl Start<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.args(self.words).env("SPEED_TRIALS", self.trials.to_string());
        // A measurement under CI or nextest would open other paths than the ones named in the table.
        for name in ["CI", "NEXTEST", "NEXTEST_RUN_ID", "PORTCULLIS_RUN_ID", "PORTCULLIS_NOW"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end and returns the wall time in milliseconds.
    pub(crate) fn wall_ms(&self) -> Result<f64, Failure> {
        let begin = Instant::now();
        let output = self.command().output()?;
        let elapsed = begin.elapsed();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{self:?} ended with {}:\n{said}", output.status).into());
        }
        Ok(elapsed.as_secs_f64() * 1000.0)
    }

    /// Runs it once under valgrind and returns how many instructions it took; nothing where there is no valgrind.
    ///
    /// Instructions say nothing of the system's own work, but another process on the machine does not change them.
    pub(crate) fn instructions(&self) -> Result<Option<f64>, Failure> {
        let plain = self.command();
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(self.program);
        command.args(self.words).stdin(Stdio::null());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = match command.output() {
            Ok(output) => output,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(source.into()),
        };
        let said = String::from_utf8_lossy(&output.stderr);
        let counted = said.lines().find_map(|line| line.split_once("Collected : "));
        let (_, number) = counted.ok_or_else(|| format!("valgrind counted nothing:\n{said}"))?;
        Ok(Some(number.trim().parse()?))
    }

    /// Runs it once and returns wall time in milliseconds and peak memory in MB, where the system tells.
    pub(crate) fn peak(&self) -> Result<(f64, Option<f64>), Failure> {
        let begin = Instant::now();
        let mut child = self.command().stderr(Stdio::null()).spawn()?;
        let status_file = format!("/proc/{}/status", child.id());
        let mut peak = None;
        let status = loop {
            peak = high_water(&status_file).or(peak);
            if let Some(status) = child.try_wait()? {
                break status;
            }
            thread::sleep(POLL);
        };
        let elapsed = begin.elapsed();
        if !status.success() {
            // Nobody listened while it was measured; what it says stands in its second answer.
            let again = self.command().stdout(Stdio::piped()).output()?;
            let said = [again.stdout, again.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let said: Vec<&str> = said.lines().take(20).collect();
            return Err(format!("{self:?} ended with {status}:\n{}", said.join("\n")).into());
        }
        Ok((elapsed.as_secs_f64() * 1000.0, peak))
    }
}

/// `VmHWM`, in MB.
fn high_water(path: &str) -> Option<f64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024.0 / 1_000_000.0)
}

/// User and system time of all children that were waited for so far, in seconds, where the system tells.
pub(crate) fn children_cpu_s() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in parentheses that may hold blanks; fields are counted after it.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |n: usize| fields.get(n)?.parse::<f64>().ok();
    Some((ticks(13)? + ticks(14)?) / TICKS_PER_SECOND)
}

/// Runs both in turn, one warm-up and then `pairs` pairs, and returns the wall times in milliseconds.
pub(crate) fn pairs(
    a: &Start<'_>,
    b: &Start<'_>,
    pairs: usize,
) -> Result<Vec<(f64, f64)>, Failure> {
    let mut seen = Vec::with_capacity(pairs);
    for n in 0..=pairs {
        // The order alternates, so that whatever the first leaves behind falls on both alike.
        let pair = if n % 2 == 0 {
            let first = a.wall_ms()?;
            (first, b.wall_ms()?)
        } else {
            let first = b.wall_ms()?;
            (a.wall_ms()?, first)
        };
        if n > 0 {
            seen.push(pair);
        }
    }
    Ok(seen)
}

/// The middle of these numbers; 0 of none.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    match numbers.len() {
        0 => 0.0,
        n if n % 2 == 1 => numbers[n / 2],
        n => f64::midpoint(numbers[n / 2 - 1], numbers[n / 2]),
    }
}
