//! What came of a measurement, and why. Leaves out the rules that lead there.

use crate::{Interval, Label, Method, MetricId, MilliPct, P95, Unit};
use serde::{Deserialize, Serialize};

/// The outcome of a canary; ordered, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing to say, or a note.
    Ok,
    /// Something to say, nothing to block.
    CommentOnly,
    /// A regression.
    Fail,
    /// Nobody knows: the measurement cannot be judged.
    Invalid,
}

/// One reason of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The `snake_case` code.
    pub code: &'static str,
    /// The metric; absent where it concerns the whole measurement.
    pub metric: Option<MetricId>,
    /// How much it weighs.
    pub severity: Outcome,
    /// One sentence.
    pub detail: String,
}

/// What was decided about a measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// The worst severity.
    pub outcome: Outcome,
    /// Every reason, the worst first, then by metric and code.
    pub reasons: Vec<Reason>,
    /// One line per admitted metric, in the order of their names.
    pub metrics: Vec<MetricLine>,
    /// How many metrics were admitted.
    pub examined: u32,
}

/// What is shown of a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricLine {
    /// The metric.
    pub metric: MetricId,
    /// Its unit.
    pub unit: Unit,
    /// How it was compared.
    pub method: Method,
    /// The middle of the base, in the unit.
    pub base: u64,
    /// The middle of the candidate, in the unit.
    pub candidate: u64,
    /// The interval.
    pub interval: Interval,
    /// How many pairs or runs.
    pub n: u32,
    /// The smallest change that would have been proven.
    pub mde: MilliPct,
    /// The percentile.
    pub p95: Option<P95>,
    /// The worst severity of its reasons.
    pub verdict: Outcome,
    /// The codes of its reasons, sorted.
    pub codes: Vec<&'static str>,
    /// The labels, sorted.
    pub labels: Vec<Label>,
    /// What the measurement shows where nothing is wrong: "below 2 %, ...".
    pub note: String,
}

impl Outcome {
    /// Returns the name that documents use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::CommentOnly => "comment_only",
            Self::Fail => "fail",
            Self::Invalid => "invalid",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_knowing_is_worse_than_failing_and_names_agree_with_documents() {
        let ordered = [Outcome::Ok, Outcome::CommentOnly, Outcome::Fail, Outcome::Invalid];
        assert!(ordered.is_sorted());
        for outcome in ordered {
            let text = serde_json::to_string(&outcome).expect("a document");
            assert_eq!(text, format!("\"{}\"", outcome.as_str()));
        }
    }
}
