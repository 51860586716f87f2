//! What is demanded of a metric, and where. Leaves out the file it is configured in.

use crate::{Evidence, MilliPct};
use serde::{Deserialize, Serialize};

/// What a regression does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// It is told.
    Advisory,
    /// It blocks.
    Gating,
    /// It blocks, in the nightly profile alone.
    NightlyGating,
}

/// The thresholds of a canary. Percentages are changes against the base; of a budget, shares of the total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// From here on a regression is told.
    pub comment: MilliPct,
    /// From here on it blocks.
    pub fail: Option<MilliPct>,
    /// Above this 95th percentile, in nanoseconds, it blocks.
    pub fail_p95_ns: Option<u64>,
    /// A measurement that could not prove this much is inconclusive.
    pub max_mde: MilliPct,
    /// At or below this change an improvement is too good.
    pub floor: Option<MilliPct>,
    /// Which percentile the cap is held against.
    pub p95: P95Policy,
    /// What a suspicion does.
    pub on_suspected: Suspected,
}

/// Which percentile a cap is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum P95Policy {
    /// The lower bound: a single stall does not reach it.
    Lower,
    /// The nearest rank.
    Point,
}

/// What a suspected regression does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspected {
    /// It is told.
    Comment,
    /// It is noted beside an Ok.
    Note,
}

/// What a metric without a base does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnbaselined {
    /// It is told.
    Comment,
    /// It blocks.
    Fail,
}

impl Lane {
    /// Tells whether a regression blocks.
    #[must_use]
    pub const fn is_gating(self) -> bool {
        match self {
            Self::Advisory => false,
            Self::Gating | Self::NightlyGating => true,
        }
    }
}

impl Threshold {
    /// Returns thresholds with the defaults that follow from these two: `max_mde` is `fail`, else twice `comment`; a
    /// suspicion is told, unless the comparison is paired.
    #[must_use]
    pub const fn new(comment: MilliPct, fail: Option<MilliPct>, is_paired: bool) -> Self {
        let max_mde = match fail {
            Some(fail) => fail,
            None => MilliPct::new(comment.get().saturating_mul(2)),
        };
        let on_suspected = if is_paired { Suspected::Note } else { Suspected::Comment };
        let (floor, fail_p95_ns, p95) = (None, None, P95Policy::Lower);
        Self { comment, fail, fail_p95_ns, max_mde, floor, p95, on_suspected }
    }

    /// Returns what holds for this metric: no threshold is below twice its layout floor.
    #[must_use]
    pub fn effective(&self, evidence: &Evidence) -> Self {
        let Some(floor) = evidence.layout_floor else { return *self };
        let least = MilliPct::new(floor.get().saturating_mul(2));
        let (comment, fail) = (self.comment.max(least), self.fail.map(|fail| fail.max(least)));
        Self { comment, fail, ..*self }
    }
}
