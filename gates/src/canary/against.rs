//! What a canary's table may not say against its baseline. A baseline that cannot be read says nothing here.

use super::{
    Canary, covers, is_pattern,
    number::{Pct, Seconds},
    table::MethodName,
};
use portcullis::Fault;
use portcullis_canary::{Unit, baseline::Baseline};

/// A cap this many times above the largest value is never met.
const CAP_MAX: u128 = 50;
/// A percentage as a share of 100 000.
const WHOLE: u128 = 100_000;

impl Canary {
    /// What is wrong with the table once its baseline is known: patterns that match nothing, a cap that nothing
    /// reaches, and time limits that end a run or the job before there is a verdict.
    #[must_use]
    pub fn against(&self, baseline: &Baseline) -> Vec<Fault> {
        let mut faults = Vec::new();
        for entry in self.table.roster.iter().filter(|entry| is_pattern(entry)) {
            if !baseline.measurements.keys().any(|metric| covers(entry, metric)) {
                let headline = format!("the pattern `{entry}` matches no metric of the baseline");
                faults.push(self.refuse("roster", headline, "correct the pattern"));
            }
        }
        let durations: Vec<u128> = baseline
            .measurements
            .iter()
            .filter(|(metric, measured)| measured.unit == Unit::Ns && self.names(metric))
            .map(|(_, measured)| u128::from(measured.value))
            .collect();
        let Some(largest) = durations.iter().copied().max() else { return faults };
        if let Some(Seconds(cap)) = self.table.fail_p95_s
            && u128::from(cap) > CAP_MAX * largest
        {
            let headline = format!("`fail_p95_s` is above {CAP_MAX} times the largest baseline");
            faults.push(self.refuse(
                "fail_p95_s",
                headline,
                "state a cap that a regression can reach",
            ));
        }
        faults.extend(self.limits(&durations, largest));
        faults
    }

    /// Limits hold up to the fail threshold: what is slower than that is censored, and its verdict is known.
    fn limits(&self, durations: &[u128], largest: u128) -> Vec<Fault> {
        let mut faults = Vec::new();
        // Without a fail threshold the level of a comment has to be seen.
        let Pct(at) = self.table.fail_pct.unwrap_or(self.table.comment_pct);
        let Ok(change) = u128::try_from(at.get()) else { return faults };
        if let Some(Seconds(limit)) = self.table.run_limit_s {
            // limit < 1.5 * base * (1 + fail), in whole numbers.
            if u128::from(limit) * 2 * WHOLE < 3 * largest * (WHOLE + change) {
                let headline = "`run_limit_s` is below 1.5 times the slowest run at the threshold";
                faults.push(self.refuse("run_limit_s", headline, "give a run more time"));
            }
        }
        if let Some(Seconds(limit)) = self.table.job_limit_s {
            let arms = if self.table.method == MethodName::Paired { 2 } else { 1 };
            // One warm-up more than the runs that count.
            let runs = (u128::from(self.repeats()) + 1) * arms;
            let one_set = durations.iter().fold(0_u128, |sum, ns| sum.saturating_add(*ns));
            let set = one_set.saturating_mul(runs).saturating_mul(WHOLE + change) / WHOLE;
            // A quarter more, within 80 % of the job: 1.25 / 0.8 = 25 / 16.
            if set.saturating_mul(25) > u128::from(limit).saturating_mul(16) {
                let headline = "`job_limit_s` ends before all runs at the threshold can";
                faults.push(self.refuse(
                    "job_limit_s",
                    headline,
                    "give the job more time, or run less",
                ));
            }
        }
        faults
    }
}
