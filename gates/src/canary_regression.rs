//! A finished measurement holds against its base. It starts no run, and it decides nothing itself: the kernel of
//! canaries does, and this is how its outcome reads as a gate.

mod teeth;

use crate::{
    artifact::{first, refuse},
    artifact_contract::{Facts, Freshness, Report, judge_freshness},
    canary::{
        self, Canary, Confirm,
        code::{MEASUREMENT_STALE, REASONS, UNKNOWN_SHAPE, of_reason},
        measurement,
    },
};
use portcullis::{
    Code, Examined, Fault, File, Finding, Findings, GateContext, GateError, GateTable, SkipReason,
    wire::code::{CONFIG_INVALID, FRESHNESS_UNSTATED},
};
use portcullis_canary::{
    Base, Decision, Lane, Measurement, Outcome, Reason, admit,
    baseline::{self, Baseline},
    confirm, decide,
};
use serde::Deserialize;
use teeth::TEETH;
use toml::Spanned;

portcullis::gate_kind! {
    /// Holds a finished measurement of a canary against its base.
    ///
    /// ### What it checks
    /// Reads `canary/<id>/measurement.json` of this run, the baseline that the canary names, and its thresholds in
    /// `[canary.<id>]`, and asks the kernel of canaries. A regression that is proven fails on a gating lane; what is
    /// told but does not block is a warning; a measurement that cannot be judged is an error on every lane. It never
    /// measures: `cargo portcullis canary measure` does, before the gates run. A nightly canary is skipped, with the
    /// reason `phase`, unless the profile of the run is called `nightly`.
    ///
    /// ### Why it gates
    /// A comparison that passes because nothing was measured, or fails because the machine was busy, is soon ignored.
    ///
    /// ### Example
    /// Refused at `fail_pct = 100`: seven runs of 300 ns against seven of 100 ns, and no measurement at all. Accepted:
    /// seven runs of 102 ns; a single stalled run, with a warning.
    ///
    /// ### Configuration
    /// - `canary`: the id of a table `[canary.<id>]`, required.
    /// - `freshness`: of which run and commit the measurement is, required: `same_run`, `same_commit`, or `max_commits`.
    ///
    /// ### Remediation
    /// - `regression_over_fail`, `p95_over_cap`: find what became slower; a new baseline is a change of its own.
    /// - `regression_proven`, `regression_suspected`, `fail_suspected`, `p95_suspected`: look at what changed; more pairs
    ///   or runs tell a change from noise.
    /// - `cannot_gate`, `inconclusive`: measure more pairs or runs, or on a quieter machine.
    /// - `suspicious_improvement`, `implausibly_fast`: see whether the work is still done.
    /// - `empty_measurement`, `measurement_missing`: run `cargo portcullis canary measure` in this run.
    /// - `measurement_stale`: measure in this run, on this commit; do not copy a measurement.
    /// - `run_failed`, `proof_missing`: mend what is measured; a crash is no duration.
    /// - `value_not_finite`, `value_not_positive`, `value_overflow`: mend what writes the values.
    /// - `unknown_shape`, `duplicate_metric`, `unit_mismatch`: read the output with the adapter of its tool and version.
    /// - `baseline_missing`, `baseline_unreadable`, `baseline_not_positive`, `baseline_projected`: refresh the baseline
    ///   with `cargo portcullis canary refresh`.
    /// - `host_incomparable`, `affinity_unavailable`, `forced_above_host`: measure on the machine of the baseline.
    /// - `metric_missing`: measure it again under its name, or retire it in baseline and roster.
    /// - `metric_unbaselined`: refresh the baseline, so that the new metric has a base.
    /// - `samples_below_minimum`, `deadline`: give the measurement the time for its pairs or runs.
    /// - `noisy_run`, `unconfirmed`: measure again; nothing is proven.
    /// - `invariant_broken`, `invariant_suspected`: see why one metric left the other behind.
    /// - `work_unstable`, `work_shrunk`, `work_changed`: see what the runs do; only equal work compares.
    /// - `arms_are_one_file`, `look_hidden`: measure again with the runner of this version.
    pub static CANARY_REGRESSION: "canary_regression", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = REASONS, teeth = TEETH;
}

/// The profile in which nightly canaries block.
const NIGHTLY: &str = "nightly";
/// Names the profile of the run.
const PROFILE: &str = "PORTCULLIS_PROFILE";
/// How many reasons an error lists.
const SHOWN: usize = 5;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    canary: Spanned<String>,
    freshness: Freshness,
}

/// Refuses a canary that is not there, and whatever its own table may not say.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !config.freshness.states_something() {
        let remedy = "write `freshness = { same_run = true, same_commit = true }`";
        let headline = "nothing says of which run and commit the measurement has to be";
        faults.push(Fault::new(FRESHNESS_UNSTATED, headline, remedy).at(table.location.clone()));
    }
    let id = config.canary.get_ref();
    // The table of a tooth stands in no policy; there the check looks.
    if table.is_in_policy() {
        match table.beside(canary::TABLE, id) {
            Ok(Some(section)) => {
                faults.extend(Canary::read(id, &section).err().unwrap_or_default())
            }
            Ok(None) => {
                faults.push(refuse(table, no_table(id), "write the table, or correct the id"));
            }
            Err(found) => faults.extend(found),
        }
    }
    faults
}

fn no_table(id: &str) -> String {
    format!("there is no table `[canary.{id}]`")
}

/// Reads measurement and base, lets the kernel decide, and says it as a gate does.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let id = config.canary.get_ref();
    let canary = Canary::all(cx.policy()).map_err(first)?.remove(id).ok_or_else(|| {
        Fault::new(CONFIG_INVALID, no_table(id), "write the table, or correct the id")
            .at(cx.locate(config.canary.span().start))
    })?;
    if canary.lane() == Lane::NightlyGating && cx.env(PROFILE) != Some(NIGHTLY) {
        let detail = format!("`{id}` blocks in the profile `{NIGHTLY}` alone");
        return Ok(Examined::skipped(SkipReason::Phase, detail));
    }
    let (base, baseline) = read_base(cx, &canary)?;
    let fault = baseline.as_ref().and_then(|known| canary.against(known).into_iter().next());
    if let Some(fault) = fault {
        return Err(fault);
    }
    let measurement = measurement::required(cx, id)?;
    is_of(id, &measurement)?;
    fresh(cx, config, &measurement, &measurement::file(cx, id)?)?;
    let judged = |measurement: &Measurement| {
        let rules = canary.config(baseline.as_ref());
        decide(&admit(measurement, &base, &rules), &rules.threshold, canary.lane())
    };
    let mut decision = judged(&measurement);
    // Where nothing is measured again, a second measurement that lies there refutes nothing.
    if canary.confirm() != Confirm::None
        && let Some(second) = measurement::again(cx, id)?
    {
        is_of(id, &second)?;
        fresh(cx, config, &second, &measurement::file(cx, id)?)?;
        decision = confirm(&decision, &judged(&second));
    }
    report(cx, &canary, &decision, out)
}

fn is_of(id: &str, measurement: &Measurement) -> Result<(), GateError> {
    if measurement.canary == id {
        return Ok(());
    }
    let remedy = "measure this canary; do not copy the measurement of another";
    Err(Fault::new(UNKNOWN_SHAPE, "the measurement is of another canary", remedy)
        .expected(id.to_owned())
        .found(measurement.canary.clone()))
}

/// The base of the comparison, and the baseline as far as it can be used.
fn read_base(cx: &GateContext<'_>, canary: &Canary) -> Result<(Base, Option<Baseline>), GateError> {
    let Some(path) = canary.baseline() else { return Ok((canary.base(None), None)) };
    let file = cx.file(path);
    if !file.exists()? {
        return Ok((canary.base(None), None));
    }
    match baseline::read(path.as_str(), &file.bytes()?) {
        Ok(reading) => {
            let baseline = reading.baseline.clone();
            Ok((canary.base(Some(reading.into_base())), baseline))
        }
        Err(problem) => Ok((Base::Unreadable(problem.to_string()), None)),
    }
}

/// The measurement is of the run and commit that the gate states.
fn fresh(
    cx: &GateContext<'_>,
    config: &Config,
    measurement: &Measurement,
    file: &File<'_>,
) -> Result<(), GateError> {
    let facts = Facts::of(&measurement.run_id, &measurement.commit);
    let mut stale = Findings::new(&cx.gate().common.id);
    let mut report = Report::new(&mut stale, &measurement.canary);
    if judge_freshness(cx, &config.freshness, &facts, file, &mut report)? {
        return Ok(());
    }
    let (expected, found): (Vec<String>, Vec<String>) = stale
        .kept()
        .iter()
        .map(|finding| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            (text(&finding.expected), text(&finding.found))
        })
        .unzip();
    let remedy = "measure in this run, on this commit";
    Err(Fault::new(MEASUREMENT_STALE, "the measurement is of another run or commit", remedy)
        .expected(expected.join(", "))
        .found(found.join(", ")))
}

/// `Invalid` is an error; what blocks is a finding, what is told an advisory one, and the rest a note.
fn report(
    cx: &GateContext<'_>,
    canary: &Canary,
    decision: &Decision,
    out: &mut Findings,
) -> Result<Examined, GateError> {
    for line in &decision.metrics {
        cx.note(format!(
            "{}: {}, n = {}, {}",
            line.metric,
            line.verdict.as_str(),
            line.n,
            line.note
        ));
    }
    if decision.outcome == Outcome::Invalid {
        return Err(invalid(canary, decision));
    }
    for reason in &decision.reasons {
        let code = code(reason)?;
        let subject = match &reason.metric {
            Some(metric) => format!("{}#{metric}", canary.id),
            None => canary.id.clone(),
        };
        let finding = Finding::new(code, subject, reason.detail.as_str(), remedy(reason.severity))
            .at(canary.place("comment_pct"));
        match reason.severity {
            Outcome::Ok => cx.note(format!("{}: {}", reason.code, reason.detail)),
            Outcome::CommentOnly => out.push(finding.advisory()),
            Outcome::Fail | Outcome::Invalid => out.push(finding),
        }
    }
    // A metric that is missing was looked for, even where no other is left.
    let looked_for = u32::from(decision.outcome == Outcome::Fail);
    Ok(Examined::Items(u64::from(decision.examined.max(looked_for))))
}

const fn remedy(severity: Outcome) -> &'static str {
    match severity {
        Outcome::Fail | Outcome::Invalid => {
            "find what became slower or is gone; a new baseline is a change of its own"
        }
        Outcome::CommentOnly | Outcome::Ok => "look at what changed; it does not block",
    }
}

/// The code of a reason. A kernel with a reason that this gate does not know has to be an error.
fn code(reason: &Reason) -> Result<Code, GateError> {
    of_reason(reason.code).ok_or_else(|| {
        let headline = format!("the reason `{}` has no code", reason.code);
        Fault::new(UNKNOWN_SHAPE, headline, "report this as a bug")
    })
}

fn invalid(canary: &Canary, decision: &Decision) -> GateError {
    let mut reasons =
        decision.reasons.iter().filter(|reason| reason.severity == Outcome::Invalid).peekable();
    let code = reasons.peek().map_or(Ok(UNKNOWN_SHAPE), |reason| code(reason));
    let code = match code {
        Ok(code) => code,
        Err(fault) => return fault,
    };
    let details: Vec<String> = reasons
        .take(SHOWN)
        .map(|reason| {
            let metric =
                reason.metric.as_ref().map_or(String::new(), |metric| format!(" `{metric}`"));
            format!("{}{metric}: {}", reason.code, reason.detail)
        })
        .collect();
    let headline = format!("the measurement of `{}` cannot be judged", canary.id);
    let remedy = "measure again; see the page of the code for what to mend first";
    Fault::new(code, headline, remedy).at(canary.place("lane")).found(details.join("; "))
}

#[cfg(test)]
mod tests;
