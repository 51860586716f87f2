//! Shards: which part of a plan runs where. Pure, and the same answer on every machine.

use crate::plan::Target;
use portcullis::Digest;
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

/// How long each test binary takes, in milliseconds, as far as anybody recorded it.
pub(crate) type Weights = BTreeMap<String, u64>;

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
    /// Present where only the targets of this part are listed, as `plan.json` of a shard has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// What the plan of a shard says of the targets that it lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Digest of the targets of this part.
    pub digest: Digest,
    /// How many targets all parts have together.
    pub planned: u64,
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

/// The part of each target, from 0, in the order of `targets`, which is sorted. `weights` count for whole binaries.
pub(crate) fn assign(targets: &[Target], by: By, total: u32, weights: &Weights) -> Vec<u32> {
    let total = total.max(1);
    match by {
        By::Slice => (0..total).cycle().take(targets.len()).collect(),
        By::Hash => targets.iter().map(|target| hashed(&target.id(), total)).collect(),
        By::Binary => binaries(targets, total, weights),
    }
}

fn hashed(name: &str, total: u32) -> u32 {
    let hex: String = Digest::of(name.as_bytes()).to_string().chars().take(15).collect();
    let number = u64::from_str_radix(&hex, 16).unwrap_or(0);
    u32::try_from(number % u64::from(total)).unwrap_or(0)
}

/// The longest binary goes to the emptiest part, and so on; ties go by name and number.
fn binaries(targets: &[Target], total: u32, weights: &Weights) -> Vec<u32> {
    let mut tests: BTreeMap<&str, u64> = BTreeMap::new();
    for target in targets {
        *tests.entry(&target.suite).or_default() += 1;
    }
    let test_ms = usual_test_ms(&tests, weights);
    let mut order: Vec<(&str, u64)> = tests
        .into_iter()
        .map(|(name, n)| {
            let unknown = || n.saturating_mul(test_ms);
            (name, weights.get(name).copied().unwrap_or_else(unknown).max(1))
        })
        .collect();
    order.sort_by_key(|(name, ms)| (Reverse(*ms), *name));
    let mut loads: BinaryHeap<Reverse<(u64, u32)>> =
        (0..total).map(|part| Reverse((0, part))).collect();
    let mut parts: BTreeMap<&str, u32> = BTreeMap::new();
    for (name, ms) in order {
        let Some(Reverse((load, part))) = loads.pop() else { break };
        loads.push(Reverse((load.saturating_add(ms), part)));
        parts.insert(name, part);
    }
    targets.iter().map(|target| parts.get(target.suite.as_str()).copied().unwrap_or(0)).collect()
}

/// What a test takes where it was recorded; binaries that nobody recorded are taken to be like the others.
fn usual_test_ms(tests: &BTreeMap<&str, u64>, weights: &Weights) -> u64 {
    let known = tests.iter().filter_map(|(name, n)| Some((weights.get(*name)?, n)));
    let (ms, n) = known.fold((0_u64, 0_u64), |(ms, n), (more_ms, more)| {
        (ms.saturating_add(*more_ms), n.saturating_add(*more))
    });
    ms.checked_div(n).unwrap_or(1).max(1)
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
                    let parts = assign(&targets(n), by, total, &Weights::new());
                    assert_eq!(parts.len(), n, "{by:?}");
                    assert!(parts.iter().all(|part| *part < total), "{by:?}");
                }
                let parts = assign(&targets(n), By::Slice, total, &Weights::new());
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
        let parts = assign(&all, By::Binary, 3, &Weights::new());
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for (target, part) in all.iter().zip(&parts) {
            assert_eq!(seen.entry(&target.suite).or_insert(*part), part, "{}", target.suite);
        }
        let before = assign(&all, By::Hash, 4, &Weights::new());
        let fewer: Vec<Target> = all.iter().skip(5).cloned().collect();
        assert_eq!(assign(&fewer, By::Hash, 4, &Weights::new()), before[5..]);
        assert!(before.iter().collect::<std::collections::BTreeSet<_>>().len() > 1);
    }

    #[test]
    fn recorded_durations_even_out_the_parts_and_an_unknown_binary_counts_as_the_others() {
        let all = targets(70);
        let ms = [90, 10, 10, 10, 30, 30];
        let weights: Weights = (0..6).map(|n| (format!("p::b{n}"), ms[n])).collect();
        let parts = assign(&all, By::Binary, 2, &weights);
        // 180 ms for 60 tests, so the seventh binary with its 10 tests counts for 30.
        let of = |name: &str| if name == "p::b6" { 30 } else { weights[name] };
        let mut loads: BTreeMap<u32, BTreeMap<&str, u64>> = BTreeMap::new();
        for (target, part) in all.iter().zip(&parts) {
            loads.entry(*part).or_default().insert(&target.suite, of(&target.suite));
        }
        let sums: Vec<u64> = loads.values().map(|suites| suites.values().sum()).collect();
        assert_eq!(sums, [110, 100], "{loads:?}");
        assert_eq!(parts, assign(&all, By::Binary, 2, &weights), "the same on every machine");
        let other: Weights = BTreeMap::from([("p::gone".to_owned(), u64::MAX)]);
        assert_eq!(
            assign(&all, By::Binary, 2, &other),
            assign(&all, By::Binary, 2, &Weights::new()),
            "a binary that is gone weighs nothing"
        );
        let most: Weights = (0..7).map(|n| (format!("p::b{n}"), u64::MAX)).collect();
        assert_eq!(assign(&all, By::Binary, 2, &most).len(), 70, "without overflow");
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
