//! The tables `[canary.<id>]` of the policy: what they may say, and what follows from them. It measures nothing.
//!
//! The runner of canaries and the gates that judge them read one table through this one reader, so that neither can
//! hold a measurement against other thresholds than the other.

mod against;
pub(crate) mod code;
pub(crate) mod measurement;
mod number;
mod proof;
mod table;
#[cfg(test)]
mod tests;

pub use proof::ProofTable;
pub use table::{AdapterTable, Affinity, Confirm, MethodName};

use number::{Pct, Seconds};
use portcullis::{
    Fault, Location, RelPath,
    kernel::policy::{Policy, Section},
    wire::code::CONFIG_INVALID,
};
use portcullis_canary::{
    Base, Lane, MetricId, MilliPct, Threshold,
    admit::{Config, Invariant, P95Over},
    baseline::Baseline,
};
use std::collections::BTreeMap;
use table::Table;

/// The name of the tables in the policy.
pub const TABLE: &str = "canary";

/// A canary as the policy describes it.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Its id.
    pub id: String,
    table: Table,
    section: Section,
}

impl Canary {
    /// Reads the table of an id.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line.
    pub fn read(id: &str, section: &Section) -> Result<Self, Vec<Fault>> {
        let table: Table = section.config().map_err(|fault| vec![fault])?;
        let canary = Self { id: id.to_owned(), table, section: section.clone() };
        let faults = canary.contradictions();
        if faults.is_empty() { Ok(canary) } else { Err(faults) }
    }

    /// Reads every canary of a policy, by id.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, and every output path that two of them write.
    pub fn all(policy: &Policy) -> Result<BTreeMap<String, Self>, Vec<Fault>> {
        let (mut canaries, mut faults) = (BTreeMap::new(), Vec::new());
        for (id, section) in &policy.canaries {
            match Self::read(id, section) {
                Ok(canary) => drop(canaries.insert(id.clone(), canary)),
                Err(found) => faults.extend(found),
            }
        }
        faults.extend(clashes(&canaries));
        if faults.is_empty() { Ok(canaries) } else { Err(faults) }
    }

    /// What a regression does.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.table.lane
    }

    /// How it is compared.
    #[must_use]
    pub fn method(&self) -> MethodName {
        self.table.method
    }

    /// How the output of its runs is read.
    #[must_use]
    pub fn adapter(&self) -> &AdapterTable {
        &self.table.adapter
    }

    /// What one run is: a program and its words; nothing where the bench of the canary's name is meant.
    #[must_use]
    pub fn argv(&self) -> &[String] {
        &self.table.argv
    }

    /// What makes an arm ready to run.
    #[must_use]
    pub fn build(&self) -> &[String] {
        &self.table.build
    }

    /// Where its baseline stands.
    #[must_use]
    pub fn baseline(&self) -> Option<&RelPath> {
        self.table.baseline.as_ref()
    }

    /// What shows that a run did its work.
    #[must_use]
    pub fn proof(&self) -> &ProofTable {
        &self.table.proof
    }

    /// Whether a failure is measured again, and where.
    #[must_use]
    pub fn confirm(&self) -> Confirm {
        self.table.confirm
    }

    /// The CPU count that its runs are made to believe.
    #[must_use]
    pub fn force_cpus(&self) -> Option<u16> {
        self.table.force_cpus
    }

    /// The time limit of a run, in nanoseconds.
    #[must_use]
    pub fn run_limit_ns(&self) -> Option<u64> {
        self.table.run_limit_s.map(|Seconds(ns)| ns)
    }

    /// The time limit of the job, in nanoseconds.
    #[must_use]
    pub fn job_limit_ns(&self) -> Option<u64> {
        self.table.job_limit_s.map(|Seconds(ns)| ns)
    }

    /// The rate of false alarms that its baseline has to state.
    #[must_use]
    pub fn max_false_rate(&self) -> Option<f64> {
        self.table.max_false_rate
    }

    /// How many pairs or runs it takes.
    #[must_use]
    pub fn repeats(&self) -> u32 {
        self.table.repeats()
    }

    /// The place of a key of its table, or of the table.
    #[must_use]
    pub fn place(&self, key: &str) -> Location {
        self.section.place(key)
    }

    /// The roster as it is written: names, or patterns over the names of the baseline.
    #[must_use]
    pub fn roster(&self) -> &[String] {
        &self.table.roster
    }

    /// Which entry of the roster names a metric.
    #[must_use]
    pub fn names(&self, metric: &MetricId) -> bool {
        self.table.roster.iter().any(|entry| covers(entry, metric))
    }

    /// The metrics that have to be measured: the names of the roster, and what its patterns match in the baseline.
    #[must_use]
    pub fn expected(&self, baseline: Option<&Baseline>) -> Vec<MetricId> {
        let known = baseline.into_iter().flat_map(|baseline| baseline.measurements.keys());
        let mut expected: Vec<MetricId> =
            known.filter(|metric| self.names(metric)).cloned().collect();
        let plain = self.table.roster.iter().filter(|entry| !is_pattern(entry));
        expected.extend(plain.filter_map(|name| MetricId::new(name)));
        expected.sort_unstable();
        expected.dedup();
        expected
    }

    /// The thresholds.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        let Pct(comment) = self.table.comment_pct;
        let fail = self.table.fail_pct.map(|Pct(fail)| fail);
        let mut threshold = Threshold::new(comment, fail, self.table.method == MethodName::Paired);
        threshold.fail_p95_ns = self.table.fail_p95_s.map(|Seconds(ns)| ns);
        threshold.floor = self.table.floor_pct.map(|Pct(floor)| floor);
        if let Some(Pct(max_mde)) = self.table.max_mde_pct {
            threshold.max_mde = max_mde;
        }
        if let Some(on_suspected) = self.table.on_suspected {
            threshold.on_suspected = on_suspected;
        }
        threshold
    }

    /// What a measurement is admitted by.
    #[must_use]
    pub fn config(&self, baseline: Option<&Baseline>) -> Config {
        let table = &self.table;
        let mut config = Config::new(table.lane, table.method.method(), self.threshold());
        if let Some(alpha) = table.alpha {
            config.alpha = alpha;
        }
        config.minimum = self.repeats();
        config.roster = self.expected(baseline);
        config.abs_min = table.abs_min;
        config.affinity_required = table.affinity == Some(Affinity::Required);
        if let Some(on_unbaselined) = table.on_unbaselined {
            config.on_unbaselined = on_unbaselined;
        }
        if let Some(pattern) = &table.p95_over {
            config.p95_over = P95Over::Pooled(pattern.clone());
        }
        config.invariants = self.invariants(&config.roster);
        if table.method == MethodName::Budget {
            // Of a share, half of what is told is the aim.
            let Pct(comment) = table.comment_pct;
            config.target = Some(MilliPct::new(comment.get() / 2));
        }
        config
    }

    /// The base of the comparison, from what was read of the baseline file; `None` for a file that does not exist.
    #[must_use]
    pub fn base(&self, read: Option<Base>) -> Base {
        match (&self.table.baseline, read) {
            (None, _) => Base::NotNeeded,
            (Some(_), None) => Base::Missing,
            (Some(_), Some(base)) => base,
        }
    }

    /// The invariants; one with a `*` holds for each metric of the roster that it fits.
    fn invariants(&self, roster: &[MetricId]) -> Vec<Invariant> {
        let mut invariants = Vec::new();
        for text in &self.table.invariants {
            let Some((left, factor, right)) = table::invariant(text) else { continue };
            let Some((before, after)) = left.split_once('*') else {
                let sides = (MetricId::new(left), MetricId::new(right));
                if let (Some(left), Some(right)) = sides {
                    invariants.push(Invariant { left, factor, right });
                }
                continue;
            };
            for metric in roster {
                let name = metric.as_str();
                let rest = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                let Some(middle) = rest.filter(|middle| !middle.is_empty()) else { continue };
                if let Some(right) = MetricId::new(&right.replacen('*', middle, 1)) {
                    invariants.push(Invariant { left: metric.clone(), factor, right });
                }
            }
        }
        invariants
    }

    fn refuse(&self, key: &str, headline: impl Into<String>, remedy: &str) -> Fault {
        let headline = format!("canary `{}`: {}", self.id, headline.into());
        Fault::new(CONFIG_INVALID, headline, remedy).at(self.place(key))
    }
}

/// Every file that two canaries, or two keys of one, would write: the later one would overwrite the earlier.
fn clashes(canaries: &BTreeMap<String, Canary>) -> Vec<Fault> {
    let mut written: BTreeMap<&str, &str> = BTreeMap::new();
    let mut faults = Vec::new();
    for canary in canaries.values() {
        let baseline = canary.baseline().map(|path| ("baseline", path));
        let proof = canary.proof().output().map(|path| ("proof", path));
        for (key, path) in baseline.into_iter().chain(proof) {
            if let Some(other) = written.insert(path.as_str(), &canary.id) {
                let headline = format!("`{path}` is an output of `{other}` already");
                faults.push(canary.refuse(key, headline, "give each canary a file of its own"));
            }
        }
    }
    faults
}

/// Whether an entry of a roster is a pattern.
pub(crate) fn is_pattern(entry: &str) -> bool {
    entry.contains('*')
}

/// Whether an entry of a roster names a metric: `*` stands for anything but `/`, `**` for anything.
pub(crate) fn covers(entry: &str, metric: &MetricId) -> bool {
    P95Over::Pooled(entry.to_owned()).covers(metric)
}
