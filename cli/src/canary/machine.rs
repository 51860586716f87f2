//! The machine of a measurement: what its class is made of, which CPUs a run is bound to, and what disturbed it.

use portcullis::Digest;
use portcullis_canary::{Emulation, Host, MilliPct, Noise};
use std::{fs, path::Path};

/// The CPUs that a forced count stands for.
pub(crate) struct Binding {
    #[cfg(target_os = "linux")]
    forced: rustix::thread::CpuSet,
    #[cfg(target_os = "linux")]
    own: rustix::thread::CpuSet,
}

/// While it lives, this thread and what it starts are bound.
pub(crate) struct Bound {
    #[cfg(target_os = "linux")]
    own: rustix::thread::CpuSet,
}

impl Binding {
    /// Chooses the `n` lowest CPUs that this process may use; nothing where the system binds none or has fewer.
    #[cfg(target_os = "linux")]
    pub(crate) fn of(n: u16) -> Option<Self> {
        use rustix::thread::{CpuSet, sched_getaffinity};
        let own = sched_getaffinity(None).ok()?;
        let mut forced = CpuSet::new();
        let allowed = (0..CpuSet::MAX_CPU).filter(|cpu| own.is_set(*cpu));
        for cpu in allowed.take(usize::from(n)) {
            forced.set(cpu);
        }
        (forced.count() == u32::from(n)).then_some(Self { forced, own })
    }

    /// Nothing is bound on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of(_n: u16) -> Option<Self> {
        None
    }

    /// Binds this thread until the guard is dropped.
    #[cfg(target_os = "linux")]
    pub(crate) fn enter(&self) -> std::io::Result<Bound> {
        rustix::thread::sched_setaffinity(None, &self.forced)?;
        Ok(Bound { own: self.own })
    }

    /// Nothing is bound on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn enter(&self) -> std::io::Result<Bound> {
        Ok(Bound {})
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // The own set was in force a moment ago; a refusal leaves this thread on fewer CPUs and changes no result.
        #[cfg(target_os = "linux")]
        let _restored = rustix::thread::sched_setaffinity(None, &self.own);
    }
}

/// How many CPUs this process may use, whatever count it is told to believe.
pub(crate) fn allowed_cpus() -> u32 {
    #[cfg(target_os = "linux")]
    if let Ok(own) = rustix::thread::sched_getaffinity(None) {
        return own.count();
    }
    parallelism()
}

/// The parallelism that the system offers.
#[expect(
    clippy::disallowed_methods,
    reason = "what is got is compared with what is believed, so it is asked beside it"
)]
pub(crate) fn parallelism() -> u32 {
    std::thread::available_parallelism()
        .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX))
}

/// Describes the machine. What the system does not tell is `unknown`, which equals itself alone.
pub(crate) fn host(root: &Path, rustc: &str, forced: Option<u16>, emulation: Emulation) -> Host {
    let cpuinfo = read("/proc/cpuinfo");
    let field = |name: &str| {
        let mut lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    let unknown = || "unknown".to_owned();
    let logical = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let is_virtual =
        field("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    let kernel = read("/proc/sys/kernel/osrelease");
    Host {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cpu_model: field("model name").unwrap_or_else(unknown),
        allowed_cpus: allowed_cpus(),
        forced_cpus: forced.map(u32::from),
        emulation,
        rustc: major_minor(rustc),
        profile_hash: profile_hash(root),
        logical_cpus: u32::try_from(logical).ok().filter(|n| *n > 0).unwrap_or_else(parallelism),
        virt: if cpuinfo.is_empty() {
            unknown()
        } else if is_virtual {
            "hypervisor".to_owned()
        } else {
            "none".to_owned()
        },
        kernel: if kernel.trim().is_empty() { unknown() } else { kernel.trim().to_owned() },
        libc: (if cfg!(target_env = "musl") {
            "musl"
        } else if cfg!(target_env = "gnu") {
            "gnu"
        } else {
            "system"
        })
        .to_owned(),
    }
}

/// `rustc 1.95.0 (...)` is 1.95.
fn major_minor(version: &str) -> String {
    let number = version.split(' ').nth(1).unwrap_or("unknown");
    number.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// What the workspace says about profiles: other settings make other programs.
fn profile_hash(root: &Path) -> String {
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let profiles = text.parse::<toml::Table>().ok().and_then(|table| table.get("profile").cloned());
    let config = fs::read_to_string(root.join(".cargo/config.toml")).unwrap_or_default();
    let profiles = serde_json::to_string(&profiles).unwrap_or_default();
    let said = format!("{profiles}\n{config}");
    Digest::of(said.as_bytes()).short()
}

fn read(path: &str) -> String {
    // Another system has no such file, and says nothing.
    fs::read_to_string(path).unwrap_or_default()
}

/// What the CPUs did since the system started, in ticks.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ticks {
    total: u64,
    stolen: u64,
}

impl Ticks {
    /// Reads them; nothing where the system keeps none.
    pub(crate) fn now() -> Option<Self> {
        let stat = read("/proc/stat");
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> =
            line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are within the first two.
        let total = ticks.iter().take(8).sum();
        Some(Self { total, stolen: *ticks.get(7)? })
    }
}

/// What disturbed the time between two readings.
pub(crate) fn noise(before: Option<Ticks>, after: Option<Ticks>, switches: Option<u64>) -> Noise {
    let steal = before.zip(after).and_then(|(before, after)| {
        let total = after.total.saturating_sub(before.total);
        let stolen = after.stolen.saturating_sub(before.stolen);
        let share = stolen.saturating_mul(100_000).checked_div(total)?;
        i64::try_from(share).ok().map(MilliPct::new)
    });
    let load = read("/proc/loadavg");
    let load_milli = load.split(' ').next().and_then(|one| {
        let (whole, part) = one.split_once('.')?;
        format!("{whole}{part:0<3}").parse().ok()
    });
    Noise { load_milli, steal, involuntary_switches: switches }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_that_is_described_is_this_one_with_these_settings() {
        let described = |manifest: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            let mut file = fs::File::create(folder.path().join("Cargo.toml")).expect("a file");
            std::io::Write::write_all(&mut file, manifest.as_bytes()).expect("written");
            host(folder.path(), "rustc 1.95.0 (x)", Some(3), Emulation::BeliefOnly)
        };
        let plain = described("[package]\nname = 'a'\n");
        assert_eq!((plain.forced_cpus, plain.emulation), (Some(3), Emulation::BeliefOnly));
        assert_eq!((plain.rustc.as_str(), plain.allowed_cpus), ("1.95", allowed_cpus()));
        let cpuinfo = read("/proc/cpuinfo");
        let is_told = cpuinfo.lines().any(|line| line.starts_with("model name"));
        assert!(!is_told || cpuinfo.contains(&plain.cpu_model), "{}", plain.cpu_model);
        let other = described("[package]\nname = 'b'\n");
        assert!(plain.is_same_class(&other), "another package is no other machine");
        let profile = described("[package]\nname = 'a'\n[profile.release]\nlto = true\n");
        assert!(!plain.is_same_class(&profile), "another profile makes other programs");
    }

    #[test]
    fn a_version_is_cut_to_what_classes_compare() {
        assert_eq!(major_minor("rustc 1.95.0 (f8297e351 2026-01-01)"), "1.95");
        assert_eq!(major_minor("rustc 1.96.0-nightly (x)"), "1.96");
        assert_eq!(major_minor(""), "unknown");
    }

    #[test]
    fn stolen_time_is_a_share_and_no_reading_is_none() {
        let ticks = |total, stolen| Some(Ticks { total, stolen });
        assert_eq!(noise(ticks(100, 5), ticks(300, 25), None).steal, Some(MilliPct::percent(10)));
        assert_eq!(noise(ticks(100, 5), ticks(100, 5), None).steal, None, "no time passed");
        assert_eq!(noise(None, ticks(1, 0), Some(3)).steal, None);
    }

    #[test]
    fn more_cpus_than_there_are_bind_nothing() {
        assert!(Binding::of(u16::MAX).is_none());
        let before = parallelism();
        if let Some(one) = Binding::of(1) {
            let bound = one.enter().expect("bound");
            assert_eq!(parallelism(), 1);
            drop(bound);
        }
        assert_eq!(parallelism(), before, "let go of");
    }
}
