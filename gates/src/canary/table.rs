//! The keys of `[canary.<id>]`, and what they may not say together. What needs the baseline is asked elsewhere.

use super::{
    Canary, is_pattern,
    number::{Pct, Seconds},
    proof::ProofTable,
};
use portcullis::{Fault, RelPath};
use portcullis_canary::{
    Adapter, Lane, Method, MetricId, MilliPct, OnUnbaselined, Suspected, Unit,
};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::{BTreeMap, BTreeSet};

/// A change above this is no threshold any more, in percent.
const FAIL_MAX_PCT: i64 = 1_000;
/// Below this, only pairs tell a change from noise, in percent.
const PAIRED_BELOW_PCT: i64 = 50;
/// Fewer pairs or runs have no bound at any level.
const REPEATS_MIN: u32 = 5;

/// One table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) lane: Lane,
    pub(super) method: MethodName,
    pub(super) adapter: AdapterTable,
    /// What one run is; the bench of the canary's name where it is not stated.
    #[serde(default)]
    pub(super) argv: Vec<String>,
    /// What makes an arm ready to run, once per arm and never within a timed section.
    #[serde(default)]
    pub(super) build: Vec<String>,
    pub(super) roster: Vec<String>,
    pub(super) baseline: Option<RelPath>,
    pub(super) comment_pct: Pct,
    pub(super) fail_pct: Option<Pct>,
    pub(super) fail_p95_s: Option<Seconds>,
    pub(super) p95_over: Option<String>,
    pub(super) floor_pct: Option<Pct>,
    pub(super) abs_min: Option<u64>,
    pub(super) max_mde_pct: Option<Pct>,
    pub(super) alpha: Option<f64>,
    pub(super) pairs: Option<u32>,
    pub(super) runs: Option<u32>,
    pub(super) proof: ProofTable,
    #[serde(default)]
    pub(super) invariants: Vec<String>,
    #[serde(default)]
    pub(super) confirm: Confirm,
    pub(super) force_cpus: Option<u16>,
    pub(super) affinity: Option<Affinity>,
    pub(super) run_limit_s: Option<Seconds>,
    pub(super) job_limit_s: Option<Seconds>,
    pub(super) on_suspected: Option<Suspected>,
    pub(super) on_unbaselined: Option<OnUnbaselined>,
    pub(super) max_false_rate: Option<f64>,
}

/// How a canary is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodName {
    /// Pairs of base and candidate in one job.
    Paired,
    /// Against the baseline, converted where the machine is another one.
    TwoSample,
    /// A share of the same run.
    Budget,
    /// One value against one value; advisory.
    Point,
}

impl MethodName {
    pub(super) const fn method(self) -> Method {
        match self {
            Self::Paired => Method::Paired,
            Self::TwoSample => Method::TwoSample,
            Self::Budget => Method::Budget,
            Self::Point => Method::Point,
        }
    }
}

/// Where a failure is measured again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// In another job.
    FreshJob,
    /// In this one.
    SameJob,
    /// Nowhere.
    #[default]
    None,
}

/// Whether a forced CPU count has to be enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Affinity {
    /// It has to be.
    Required,
    /// Where it can be.
    BestEffort,
}

/// `adapter = "criterion_dir"`, or a table with `name` and what the format does not say itself.
#[derive(Clone, Debug)]
pub struct AdapterTable {
    /// The adapter.
    pub name: Adapter,
    /// Events of gungraun that are metrics.
    pub events: BTreeSet<String>,
    /// Units of the measures of a BMF document.
    pub measures: BTreeMap<String, Unit>,
    /// Whether smaller values are better.
    pub smaller_is_better: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    name: String,
    #[serde(default)]
    events: BTreeSet<String>,
    #[serde(default)]
    measures: BTreeMap<String, Unit>,
    #[serde(default)]
    smaller_is_better: bool,
}

impl<'de> Deserialize<'de> for AdapterTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let declared = if let toml::Value::String(name) = value {
            Declared {
                name,
                events: BTreeSet::new(),
                measures: BTreeMap::new(),
                smaller_is_better: false,
            }
        } else {
            value.try_into().map_err(D::Error::custom)?
        };
        let Some(name) = Adapter::parse(&declared.name) else {
            let names = Adapter::ALL.map(Adapter::name).join(", ");
            return Err(D::Error::custom(format!(
                "no adapter is called `{}`, expected one of {names}",
                declared.name
            )));
        };
        let Declared { events, measures, smaller_is_better, .. } = declared;
        Ok(Self { name, events, measures, smaller_is_better })
    }
}

impl Table {
    pub(super) fn repeats(&self) -> u32 {
        self.pairs.or(self.runs).unwrap_or(REPEATS_MIN)
    }
}

/// `left <= 1.10 * right`; a `*` within the names stands on both sides or on neither.
pub(super) fn invariant(text: &str) -> Option<(&str, MilliPct, &str)> {
    let (left, bound) = text.split_once(" <= ")?;
    let (factor, right) = bound.split_once(" * ")?;
    let (left, right) = (left.trim(), right.trim());
    // Three decimals of percent are five of the factor.
    let (whole, decimals) = factor.trim().split_once('.').unwrap_or((factor.trim(), ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(decimals) || decimals.len() > 5 {
        return None;
    }
    let thousandths: i64 = format!("{whole}{decimals:0<5}").parse().ok()?;
    let stars = [left, right].map(|name| name.matches('*').count());
    let is_named = MetricId::new(left).is_some() && MetricId::new(right).is_some();
    let fits = thousandths > 0 && is_named && matches!(stars, [0, 0] | [1, 1]);
    fits.then_some((left, MilliPct::new(thousandths), right))
}

impl Canary {
    /// What the table says against itself.
    pub(super) fn contradictions(&self) -> Vec<Fault> {
        let mut faults = self.thresholds();
        faults.extend(self.lanes());
        faults.extend(self.measuring());
        faults
    }

    fn thresholds(&self) -> Vec<Fault> {
        let table = &self.table;
        let mut faults = Vec::new();
        let comment = table.comment_pct;
        if comment.0 <= MilliPct::new(0) {
            faults.push(self.refuse(
                "comment_pct",
                format!("`comment_pct` is {}", comment.0),
                "state a change above 0 %",
            ));
        }
        if let Some(fail) = table.fail_pct {
            if fail < comment {
                let headline =
                    format!("`fail_pct` ({}) is below `comment_pct` ({})", fail.0, comment.0);
                faults.push(self.refuse(
                    "fail_pct",
                    headline,
                    "block at the level of a comment, or above",
                ));
            }
            if fail.0 > MilliPct::percent(FAIL_MAX_PCT) {
                let headline = format!("`fail_pct` is {}, which nothing reaches", fail.0);
                faults.push(self.refuse("fail_pct", headline, "state at most 1000 %"));
            }
        }
        for (key, pct) in [("max_mde_pct", table.max_mde_pct)] {
            if pct.is_some_and(|pct| pct.0 <= MilliPct::new(0)) {
                faults.push(self.refuse(
                    key,
                    format!("`{key}` is not above 0 %"),
                    "state a change above 0 %",
                ));
            }
        }
        if table
            .floor_pct
            .is_some_and(|floor| floor.0 >= MilliPct::new(0) || floor.0 <= MilliPct::percent(-100))
        {
            let headline = "`floor_pct` is no improvement";
            faults.push(self.refuse(
                "floor_pct",
                headline,
                "state a change between -100 % and 0 %",
            ));
        }
        if table.alpha.is_some_and(|alpha| !(alpha > 0.0 && alpha <= 0.1)) {
            let headline = "`alpha` is no level of a test";
            faults.push(self.refuse("alpha", headline, "state a rate above 0 and at most 0.1"));
        }
        if table.max_false_rate.is_some_and(|rate| !(rate > 0.0 && rate < 1.0)) {
            let headline = "`max_false_rate` is no rate";
            faults.push(self.refuse("max_false_rate", headline, "state a rate between 0 and 1"));
        }
        if table.abs_min == Some(0) {
            faults.push(self.refuse(
                "abs_min",
                "`abs_min` is 0, which nothing is below",
                "leave it out, or state a value",
            ));
        }
        faults
    }

    fn lanes(&self) -> Vec<Fault> {
        let table = &self.table;
        let mut faults = Vec::new();
        let blocks = table.fail_pct.is_some() || table.fail_p95_s.is_some();
        if table.lane.is_gating() && !blocks {
            let headline = "a gating lane states neither `fail_pct` nor `fail_p95_s`";
            faults.push(self.refuse(
                "lane",
                headline,
                "state what blocks, or make the lane advisory",
            ));
        }
        if !table.lane.is_gating() && blocks {
            let key = if table.fail_pct.is_some() { "fail_pct" } else { "fail_p95_s" };
            let headline = format!("`{key}` blocks nothing on an advisory lane");
            faults.push(self.refuse(key, headline, "remove it, or make the lane gating"));
        }
        let adapter = table.adapter.name;
        let is_point = table.method == MethodName::Point;
        if table.lane.is_gating() && (is_point || adapter.is_summary_only()) {
            let key = if is_point { "method" } else { "adapter" };
            let headline = format!("one value per metric (`{}`) cannot block", adapter.name());
            faults.push(self.refuse(key, headline, "make the lane advisory, or measure samples"));
        }
        if adapter.is_summary_only() && !is_point {
            let headline = format!("`{}` has one value per metric, no samples", adapter.name());
            faults.push(self.refuse("method", headline, "write `method = \"point\"`"));
        }
        if table.method == MethodName::TwoSample
            && table.comment_pct.0 < MilliPct::percent(PAIRED_BELOW_PCT)
        {
            let headline = "a threshold below 50 % needs pairs";
            faults.push(self.refuse(
                "method",
                headline,
                "write `method = \"paired\"`, or comment at 50 %",
            ));
        }
        faults
    }

    /// What is run, and how it is made ready.
    fn running(&self) -> Vec<Fault> {
        let table = &self.table;
        let mut faults = Vec::new();
        if table.adapter.name == Adapter::Process {
            let is_one = matches!(table.roster.as_slice(), [only] if !is_pattern(only));
            if !is_one {
                let headline = "a process that is timed is one metric";
                faults.push(self.refuse("roster", headline, "name exactly one metric"));
            }
            if table.argv.is_empty() {
                let headline = "nothing says what is run";
                faults.push(self.refuse("argv", headline, "state `argv`: a program and its words"));
            }
        }
        for (key, words) in [("argv", &table.argv), ("build", &table.build)] {
            if words.iter().any(|word| word.contains('\0'))
                || words.first().is_some_and(String::is_empty)
            {
                let headline = format!("`{key}` names no program");
                faults.push(self.refuse(key, headline, "write a program and its words"));
            }
        }
        faults
    }

    fn measuring(&self) -> Vec<Fault> {
        let table = &self.table;
        let mut faults = Vec::new();
        if table.roster.is_empty() {
            faults.push(self.refuse(
                "roster",
                "the roster names no metric",
                "name what has to be measured",
            ));
        }
        let mut seen = BTreeSet::new();
        for entry in &table.roster {
            if MetricId::new(entry).is_none() || !seen.insert(entry) {
                let headline = format!("`{entry}` is no name of a metric, or stands twice");
                faults.push(self.refuse("roster", headline, "name every metric once"));
            }
            if is_pattern(entry) && table.baseline.is_none() {
                let headline = format!("the pattern `{entry}` has no baseline to match in");
                faults.push(self.refuse(
                    "roster",
                    headline,
                    "name the metrics, or state `baseline`",
                ));
            }
        }
        faults.extend(self.running());
        let needs_base = matches!(table.method, MethodName::TwoSample)
            || (table.method == MethodName::Point && !both_arms(table.adapter.name));
        if needs_base && table.baseline.is_none() {
            faults.push(self.refuse(
                "method",
                "there is nothing to compare with",
                "state `baseline`",
            ));
        }
        let (stated, other) = match table.method {
            MethodName::Paired => (("pairs", table.pairs), ("runs", table.runs)),
            MethodName::TwoSample | MethodName::Budget | MethodName::Point => {
                (("runs", table.runs), ("pairs", table.pairs))
            }
        };
        if other.1.is_some() {
            let headline = format!("`{}` says nothing here", other.0);
            faults.push(self.refuse(other.0, headline, &format!("state `{}`", stated.0)));
        }
        let is_few = stated.1.is_none_or(|count| count < REPEATS_MIN);
        if is_few && table.method != MethodName::Point {
            let headline = format!("`{}` is not stated, or below {REPEATS_MIN}", stated.0);
            faults.push(self.refuse(stated.0, headline, "state how often it is measured"));
        }
        if let Some(wrong) = table.proof.wrong() {
            let remedy = "state `proof` as a file, a pointer, a pattern or a journal";
            faults.push(self.refuse("proof", wrong, remedy));
        }
        for text in table.invariants.iter().filter(|text| invariant(text).is_none()) {
            let headline = format!("`{text}` is no relation of two metrics");
            faults.push(self.refuse("invariants", headline, "write `left <= 1.10 * right`"));
        }
        if table.force_cpus == Some(0) {
            faults.push(self.refuse("force_cpus", "`force_cpus` is 0", "state 1 to 65535"));
        }
        if table.affinity.is_some() && table.force_cpus.is_none() {
            let headline = "`affinity` says how far a CPU count is enforced, and none is forced";
            faults.push(self.refuse("affinity", headline, "state `force_cpus`"));
        }
        if let (Some(limit), Some(cap)) = (table.run_limit_s, table.fail_p95_s)
            && limit <= cap
        {
            let headline = "`run_limit_s` stops a run before `fail_p95_s` can see it";
            faults.push(self.refuse("run_limit_s", headline, "give a run more time than the cap"));
        }
        if let (Some(job), Some(run)) = (table.job_limit_s, table.run_limit_s)
            && job <= run
        {
            let headline = "`job_limit_s` is no longer than one run";
            faults.push(self.refuse("job_limit_s", headline, "give the job time for all runs"));
        }
        faults
    }
}

/// Adapters that read both arms from one output need no baseline.
const fn both_arms(adapter: Adapter) -> bool {
    adapter.reads_both_arms()
}
