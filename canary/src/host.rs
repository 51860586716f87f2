//! The machine a measurement was taken on, as far as comparisons care. Leaves out how it is found out.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far a forced CPU count was enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emulation {
    /// None was forced.
    None,
    /// Believed count and parallelism got are both the forced one.
    Pinned,
    /// Only the believed count is.
    BeliefOnly,
}

/// A machine; its first eight fields are its class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Operating system.
    pub os: String,
    /// Architecture.
    pub arch: String,
    /// The model of the CPU.
    pub cpu_model: String,
    /// How many CPUs the process may use.
    pub allowed_cpus: u32,
    /// The forced count, if one was.
    pub forced_cpus: Option<u32>,
    /// How far it was enforced.
    pub emulation: Emulation,
    /// The compiler's version, major and minor.
    pub rustc: String,
    /// The digest of the build profile.
    pub profile_hash: String,
    /// How many CPUs the machine has.
    pub logical_cpus: u32,
    /// The virtualisation, `none` without one.
    pub virt: String,
    /// The kernel's release.
    pub kernel: String,
    /// The C library.
    pub libc: String,
}

/// A small program whose duration says how fast a machine is at one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// Arithmetic in registers.
    Alu,
    /// Reads within the second cache.
    L2,
    /// Reads beyond every cache.
    Dram,
    /// Allocation and sorting.
    AllocSort,
    /// Starting a process.
    Spawn,
}

/// Medians of the kernels in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calibration(pub BTreeMap<Kernel, u64>);

/// What disturbed a measurement; absent where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// The load average of one minute, in thousandths.
    pub load_milli: Option<u64>,
    /// The share of time the hypervisor took, in thousandths of a percent.
    pub steal: Option<crate::MilliPct>,
    /// How often the measured processes were made to wait for a CPU.
    pub involuntary_switches: Option<u64>,
}

impl Host {
    /// Tells whether both machines are of one class: the first eight fields agree.
    #[must_use]
    pub fn is_same_class(&self, other: &Self) -> bool {
        self.is_convertible(other)
            && self.cpu_model == other.cpu_model
            && self.allowed_cpus == other.allowed_cpus
            && self.forced_cpus == other.forced_cpus
            && self.rustc == other.rustc
    }

    /// Tells whether durations may be converted: system, architecture, emulation and profile agree.
    #[must_use]
    pub fn is_convertible(&self, other: &Self) -> bool {
        self.os == other.os
            && self.arch == other.arch
            && self.emulation == other.emulation
            && self.profile_hash == other.profile_hash
    }
}

impl Kernel {
    /// The five kernels.
    pub const ALL: [Self; 5] = [Self::Alu, Self::L2, Self::Dram, Self::AllocSort, Self::Spawn];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        Host {
            os: "linux".into(),
            arch: "x86_64".into(),
            cpu_model: "a model".into(),
            allowed_cpus: 2,
            forced_cpus: None,
            emulation: Emulation::None,
            rustc: "1.95".into(),
            profile_hash: "0123".into(),
            logical_cpus: 4,
            virt: "kvm".into(),
            kernel: "6.1".into(),
            libc: "glibc 2.36".into(),
        }
    }

    #[test]
    fn the_class_is_the_first_eight_fields_and_conversion_needs_four() {
        type Change = fn(&mut Host);
        let table: [(&str, Change, bool, bool); 12] = [
            ("os", |host| host.os = "macos".into(), false, false),
            ("arch", |host| host.arch = "aarch64".into(), false, false),
            ("emulation", |host| host.emulation = Emulation::BeliefOnly, false, false),
            ("profile", |host| host.profile_hash = "4567".into(), false, false),
            ("cpu model", |host| host.cpu_model = "another".into(), false, true),
            ("allowed cpus", |host| host.allowed_cpus = 3, false, true),
            ("forced cpus", |host| host.forced_cpus = Some(2), false, true),
            ("rustc", |host| host.rustc = "1.96".into(), false, true),
            ("logical cpus", |host| host.logical_cpus = 8, true, true),
            ("virtualisation", |host| host.virt = "none".into(), true, true),
            ("kernel", |host| host.kernel = "6.2".into(), true, true),
            ("libc", |host| host.libc = "musl".into(), true, true),
        ];
        for (case, change, same, convertible) in table {
            let mut other = host();
            change(&mut other);
            assert_eq!(host().is_same_class(&other), same, "{case}");
            assert_eq!(host().is_convertible(&other), convertible, "{case}");
        }
    }
}
