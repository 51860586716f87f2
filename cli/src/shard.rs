//! Shards: which part of a plan runs where. Pure, and the same answer on every machine.

use crate::plan::Target;
use portcullis::Digest;
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::BTreeMap};

/// A run never has more shards (`security.md`, section 4).
pub(crate) const SHARDS_MAX: u32 = 4_096;

/// How a plan is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// In turns: even parts, which move when a test is added.
    Slice,
    /// By the name: a test stays where it is when others come and go.
    Hash,
    /// Whole test binaries.
    Binary,
}

/// One part of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shard {
    /// How the plan is split.
    #[serde(rename = "kind")]
    pub by: By,
    /// Which part this is, from 0.
    pub index: u32,
    /// How many parts there are.
    pub total: u32,
}

impl Shard {
    /// Reads `i/n`, which counts from 1.
    pub(crate) fn parse(text: &str) -> Result<(u32, u32), String> {
        let parts = text.split_once('/').and_then(|(index, total)| {
            Some((index.parse::<u32>().ok()?, total.parse::<u32>().ok()?))
        });
        match parts {
            Some((index, total))
                if (1..=SHARDS_MAX).contains(&total) && (1..=total).contains(&index) =>
            {
                Ok((index - 1, total))
            }
            Some(_) | None => {
                Err(format!("write `i/n` with 1 <= i <= n <= {SHARDS_MAX}, such as `2/3`"))
            }
        }
    }
}

/// The part of each target, from 0, in the order of `targets`, which is sorted.
pub(crate) fn assign(targets: &[Target], by: By, total: u32) -> Vec<u32> {
    let total = total.max(1);
    match by {
        By::Slice => (0..total).cycle().take(targets.len()).collect(),
        By::Hash => targets.iter().map(|target| hashed(&target.id(), total)).collect(),
        By::Binary => binaries(targets, total),
    }
}

fn hashed(name: &str, total: u32) -> u32 {
    let hex: String = Digest::of(name.as_bytes()).to_string().chars().take(15).collect();
    let number = u64::from_str_radix(&hex, 16).unwrap_or(0);
    u32::try_from(number % u64::from(total)).unwrap_or(0)
}

/// The largest binary goes to the emptiest part, and so on; ties go by name and number.
fn binaries(targets: &[Target], total: u32) -> Vec<u32> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for target in targets {
        *sizes.entry(&target.suite).or_default() += 1;
    }
    let mut order: Vec<(&str, usize)> = sizes.into_iter().collect();
    order.sort_by_key(|(name, size)| (Reverse(*size), *name));
    let mut loads: Vec<(usize, u32)> = (0..total).map(|part| (0, part)).collect();
    let mut parts: BTreeMap<&str, u32> = BTreeMap::new();
    for (name, size) in order {
        let Some(least) = loads.iter_mut().min() else { break };
        least.0 += size;
        parts.insert(name, least.1);
    }
    targets.iter().map(|target| parts.get(target.suite.as_str()).copied().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::kernel::policy::profile::Kind;

    fn targets(n: usize) -> Vec<Target> {
        (0..n)
            .map(|n| Target {
                suite: format!("p::b{}", n % 7),
                test: format!("t{n:03}"),
                kind: Kind::Unit,
                package: "p".to_owned(),
                binary: format!("b{}", n % 7),
                cargo_kind: "test".to_owned(),
                quarantine: None,
            })
            .collect()
    }

    #[test]
    fn every_target_is_in_exactly_one_part_and_parts_are_even() {
        for n in [0, 1, 2, 20, 200] {
            for total in [1, 2, 3, 5] {
                for by in [By::Slice, By::Hash, By::Binary] {
                    let parts = assign(&targets(n), by, total);
                    assert_eq!(parts.len(), n, "{by:?}");
                    assert!(parts.iter().all(|part| *part < total), "{by:?}");
                }
                let parts = assign(&targets(n), By::Slice, total);
                let sizes: Vec<usize> =
                    (0..total).map(|part| parts.iter().filter(|p| **p == part).count()).collect();
                let (least, most) = (sizes.iter().min(), sizes.iter().max());
                assert!(most.copied().unwrap_or(0) - least.copied().unwrap_or(0) <= 1);
            }
        }
    }

    #[test]
    fn a_binary_stays_whole_and_a_hash_stays_where_it_is() {
        let all = targets(70);
        let parts = assign(&all, By::Binary, 3);
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for (target, part) in all.iter().zip(&parts) {
            assert_eq!(seen.entry(&target.suite).or_insert(*part), part, "{}", target.suite);
        }
        let before = assign(&all, By::Hash, 4);
        let fewer: Vec<Target> = all.iter().skip(5).cloned().collect();
        assert_eq!(assign(&fewer, By::Hash, 4), before[5..]);
        assert!(before.iter().collect::<std::collections::BTreeSet<_>>().len() > 1);
    }

    #[test]
    fn shards_on_the_command_line_count_from_one() {
        assert_eq!(Shard::parse("1/3"), Ok((0, 3)));
        assert_eq!(Shard::parse("3/3"), Ok((2, 3)));
        for text in ["0/3", "4/3", "1/0", "1", "a/b", "1/5000", "-1/3", "1/3/5"] {
            assert!(Shard::parse(text).is_err(), "{text}");
        }
    }
}
