//! Timeouts have headroom: what lanes took lately against what they may take. It measures nothing itself.

mod config;
mod history;
mod teeth;
mod timeout;

use crate::{
    coverage_floor::{SOURCE_STALE, SOURCE_UNREADABLE},
    lane::{BASE_IS_HEAD, NOT_STATIC, OPAQUE, SELECTOR_MATCHES_NOTHING},
    workflow::{self, Lane, Scope, Workflow},
};
use config::{Budget, Config, Minutes, Stat};
use history::{History, Runs};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location,
    wire::code::BASE_UNRESOLVABLE,
};
use std::rc::Rc;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Tells when a CI lane comes near its budget, before its timeout stops it.
    ///
    /// ### What it checks
    /// A history has one line for each time a lane ran. Of the latest `window` runs the 95th percentile (nearest rank)
    /// or the longest is held against the budget: from `warn_at_pct` on it is told, above 100 % it fails. The timeout of
    /// the job is at least its worst case, and a change that raises it is told.
    ///
    /// ### Why it gates
    /// A lane that takes a little longer each week is green until the day it is stopped, and then it is raised in haste.
    ///
    /// ### Example
    /// With a budget of 5 minutes, refused: 5.005 minutes. Told: 4 minutes. Silent: 3.9 minutes, and a run of an hour
    /// that somebody cancelled.
    ///
    /// ### Configuration
    /// - `history`: the JSON Lines file of what lanes took, required. Each line is an object with `file` (name of the
    ///   workflow), `job` (its id; of a called workflow `caller/job`), `run_id`, `conclusion` (as the provider names it),
    ///   `ended_at` (RFC 3339), and `started_at` or `seconds`; `attempt` is 1 where it is absent. Other keys are free.
    ///   The jobs of a matrix have one id: the longest of them is what the lane took in that run.
    /// - `freshness`: `{ max_age = "7d" }`, how long ago each lane ran last, required.
    /// - `budget`: tables with `file`, `job`, `budget_minutes` (default the timeout of the job, which is 360 where it has
    ///   none) and `worst_case_minutes`; at most three decimals.
    /// - `stat`: `p95` (default) or `max`. `window`: of how many runs, default 20. `min_samples`: how many it needs,
    ///   default 5. `warn_at_pct`: default 80.
    /// - `base`: the revision to compare timeouts with. Default: what the run, `PORTCULLIS_BASE` or the provider names,
    ///   and outside CI the default branch; where no base is known, nothing is compared.
    /// - `files`: globs of workflows, default both endings below `.github/workflows`. `known_keys`: keys of the provider
    ///   newer than the model.
    ///
    /// ### Remediation
    /// - `near_budget`, `over_budget`: make the lane faster, or split it; raising the budget is a change of its own.
    /// - `timeout_below_worst_case`: raise `timeout-minutes`, or correct `worst_case_minutes`.
    /// - `timeout_raised`: say in the change why the lane needs longer.
    /// - `no_measurements`: write a line for each run of the lane, with its times. It is an error once the lane has run
    ///   `min_samples` times to its end, and told before. A run that was cancelled or skipped is no sample.
    /// - `source_stale`: append the latest runs. `source_unreadable`: mend the line that is named; do not skip it.
    /// - `selector_matches_nothing`: correct `file` or `job`.
    /// - `not_static`: write the timeout as a number. `opaque`: copy the called workflow into this repository.
    /// - `base_unresolvable`: fetch the whole history, `fetch-depth: 0` for actions/checkout. `base_is_head`: hand over
    ///   the commit before the change in `PORTCULLIS_BASE`.
    pub static LANE_BUDGET: "lane_budget", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const NEAR_BUDGET: Code =
    Code::new("PC1615", "near_budget", "A CI lane takes most of the time it may take.");
const OVER_BUDGET: Code =
    Code::new("PC1616", "over_budget", "A CI lane takes longer than its budget.");
const TIMEOUT_BELOW_WORST_CASE: Code = Code::new(
    "PC1617",
    "timeout_below_worst_case",
    "The timeout of a CI lane is shorter than its worst case.",
);
const TIMEOUT_RAISED: Code =
    Code::new("PC1618", "timeout_raised", "A change raises the timeout of a CI lane.");
const NO_MEASUREMENTS: Code =
    Code::new("PC1619", "no_measurements", "Too few runs of a CI lane were measured.");

const CODES: &[Code] = &[
    NEAR_BUDGET,
    OVER_BUDGET,
    TIMEOUT_BELOW_WORST_CASE,
    TIMEOUT_RAISED,
    NO_MEASUREMENTS,
    SOURCE_STALE,
    SOURCE_UNREADABLE,
    SELECTOR_MATCHES_NOTHING,
    NOT_STATIC,
    OPAQUE,
    BASE_UNRESOLVABLE,
    BASE_IS_HEAD,
];

/// Holds every lane against its budget; returns how many samples were looked at.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let scope = Scope { files: config.files.clone(), known_keys: config.known_keys.clone() };
    let workflows = workflow::load(cx, &scope, out)?;
    let history = history::read(cx, config)?;
    let base = timeout::base(cx, config)?;
    let mut judge = Judge { cx, config, history, base, out };
    let mut examined = 0;
    for budget in &config.budget {
        let at = cx.locate(budget.span().start);
        for lane in judge.lanes(&workflows, budget.get_ref(), &at)? {
            examined += judge.lane(budget.get_ref(), &lane, &at)?;
        }
    }
    Ok(Examined::items(examined))
}

struct Judge<'j, 'c> {
    cx: &'j GateContext<'c>,
    config: &'j Config,
    history: History,
    base: Option<timeout::Base>,
    out: &'j mut Findings,
}

impl Judge<'_, '_> {
    /// The lanes of the job that a budget names.
    fn lanes<'w>(
        &mut self,
        workflows: &'w [Rc<Workflow>],
        budget: &Budget,
        at: &Location,
    ) -> Result<Vec<Lane<'w>>, GateError> {
        let file = &budget.file;
        let found = workflows
            .iter()
            .filter(|one| file == one.path.as_str() || file == one.file_name())
            .find_map(|one| Some((one, one.job(&budget.job)?)));
        let Some((workflow, job)) = found else {
            let headline = format!("no job `{}` in `{file}`", budget.job);
            let remedy = "correct `file` or `job`";
            let fault = Fault::new(SELECTOR_MATCHES_NOTHING, headline, remedy).at(at.clone());
            return self.cx.watch(Err(fault));
        };
        let (lanes, hidden) = workflow.lanes(job);
        for hidden in hidden {
            let message = format!("the timeouts of `{}` cannot be seen", hidden.uses.as_str());
            let remedy = "copy the workflow into this repository";
            self.out.push(
                Finding::new(OPAQUE, hidden.uses.as_str(), message, remedy)
                    .at(hidden.uses.location()),
            );
        }
        Ok(lanes)
    }

    /// Judges one lane, and returns how many samples were looked at.
    fn lane(
        &mut self,
        budget: &Budget,
        lane: &Lane<'_>,
        at: &Location,
    ) -> Result<usize, GateError> {
        let subject = format!("{}/{}", file_of(lane), lane.id());
        let timeout = timeout::of(lane);
        let place = timeout::place(lane);
        match timeout {
            Some(timeout) => self.timeout(budget, lane, timeout, &subject, &place)?,
            None => {
                let message = format!("the timeout of `{subject}` is not known before the run");
                let remedy = "write it as a number";
                self.out.push(Finding::new(NOT_STATIC, &subject, message, remedy).at(place));
            }
        }
        let minutes = budget.budget_minutes.or(timeout.map(|timeout| timeout.least));
        let Some(minutes) = minutes else { return Ok(0) };
        let runs = self.history.runs(file_of(lane), &lane.id());
        self.fresh(&runs, &subject)?;
        let samples = runs.latest(self.config.window);
        if samples.len() < self.config.min_samples {
            self.too_few(&runs, samples.len(), &subject, at)?;
            // That nobody has measured the lane yet is what was seen of it.
            return Ok(samples.len().max(1));
        }
        let took = nearest_rank(&samples, self.config.stat);
        let shown = config::shown(took);
        self.cx.note(format!("{subject}: {shown} of {minutes} minutes in {} runs", samples.len()));
        self.hold(took, minutes, &subject, at);
        Ok(samples.len())
    }

    /// Holds the timeout against the worst case, and against that of the base.
    fn timeout(
        &mut self,
        budget: &Budget,
        lane: &Lane<'_>,
        timeout: timeout::Timeout,
        subject: &str,
        place: &Location,
    ) -> Result<(), GateError> {
        if let Some(worst) = budget.worst_case_minutes.filter(|worst| timeout.least < *worst) {
            let least = timeout.least;
            let message = format!("`{subject}` is stopped after {least} minutes");
            let remedy = "raise `timeout-minutes`, or correct `worst_case_minutes`";
            self.out.push(
                Finding::new(TIMEOUT_BELOW_WORST_CASE, subject, message, remedy)
                    .at(place.clone())
                    .expected(format!("at least {worst} minutes"))
                    .found(least.to_string()),
            );
        }
        let Some(base) = &self.base else { return Ok(()) };
        let Some(before) = base.timeout(self.cx, self.config, lane)? else { return Ok(()) };
        if timeout.most > before.most {
            let message = format!("this change raises the timeout of `{subject}`");
            let remedy = "say in the change why the lane needs longer";
            self.out.push(
                Finding::new(TIMEOUT_RAISED, subject, message, remedy)
                    .at(place.clone())
                    .expected(format!("at most {} minutes", before.most))
                    .found(timeout.most.to_string())
                    .advisory(),
            );
        }
        Ok(())
    }

    /// The lane ran lately enough; of one that never ran the history itself has to be new.
    fn fresh(&self, runs: &Runs, subject: &str) -> Result<(), GateError> {
        let (newest, what) = match runs.newest() {
            Some(newest) => (Some(newest), subject),
            None => (self.history.newest(), "the whole history"),
        };
        let max_ms = i64::try_from(self.config.freshness.max_age.0).unwrap_or(i64::MAX);
        let now = self.cx.now();
        if newest.is_some_and(|newest| now.ms_since(newest) <= max_ms) {
            return Ok(());
        }
        let headline = format!("the latest run of {what} is older than allowed");
        let remedy = "append the latest runs to the history";
        Err(Fault::new(SOURCE_STALE, headline, remedy)
            .at(Location::file(&self.config.history))
            .expected(format!("a run at most {max_ms} ms before {now}"))
            .found(newest.map_or_else(|| "no run".to_owned(), |newest| newest.to_string())))
    }

    /// A lane that ran often enough and was not measured is hidden; a new one is only told.
    ///
    /// # Errors
    /// `no_measurements`.
    fn too_few(
        &mut self,
        runs: &Runs,
        n_samples: usize,
        subject: &str,
        at: &Location,
    ) -> Result<(), GateError> {
        let (min, finished) = (self.config.min_samples, runs.finished());
        let headline = format!("{n_samples} of {finished} runs of `{subject}` were measured");
        let remedy = "write a line for each run of the lane, with its times";
        let expected = format!("at least {min} samples");
        if finished >= min {
            let fault = Fault::new(NO_MEASUREMENTS, headline, remedy);
            return Err(fault.at(at.clone()).expected(expected));
        }
        let finding = Finding::new(NO_MEASUREMENTS, subject, headline, remedy);
        self.out.push(finding.at(at.clone()).expected(expected).advisory());
        Ok(())
    }

    fn hold(&mut self, took: u64, budget: Minutes, subject: &str, at: &Location) {
        let allowed = u128::from(config::milliseconds(budget));
        let used = u128::from(took) * 100;
        let (over, warn_at) = (used > allowed * 100, u128::from(self.config.warn_at_pct));
        if !over && used < allowed * warn_at {
            return;
        }
        let (code, word) = if over { (OVER_BUDGET, "more than") } else { (NEAR_BUDGET, "most of") };
        let stat = self.config.stat.word();
        let message = format!("`{subject}` takes {word} its {budget} minutes ({stat})");
        let remedy = "make it faster, or split it; raising the budget is a change of its own";
        let finding = Finding::new(code, subject, message, remedy)
            .at(at.clone())
            .expected(format!("less than {warn_at} % of {budget} minutes"))
            .found(format!("{} minutes", config::shown(took)));
        self.out.push(if over { finding } else { finding.advisory() });
    }
}

/// The workflow by whose name the history knows a lane: of a called job that of its caller.
fn file_of<'w>(lane: &Lane<'w>) -> &'w str {
    let workflow: &'w Workflow = lane.callers.first().map_or(lane.workflow, |(caller, _)| caller);
    workflow.file_name()
}

/// The percentile by the nearest rank: a value that was really measured.
fn nearest_rank(samples: &[u64], stat: Stat) -> u64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let rank = match stat {
        Stat::P95 => sorted.len().saturating_mul(95).div_ceil(100),
        Stat::Max => sorted.len(),
    };
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
