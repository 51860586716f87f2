//! `canary compare`: reads a measurement and its base, asks the kernel, and shows the report. It writes no measurement.

use super::{Known, read_measurement};
use crate::{
    args::Compare as Arguments,
    canary::folder::{CONFIRMATION, MEASUREMENT, newest},
    exit::{Exit, OrExit, Refused},
    transport::Transport,
};
use portcullis::{Fault, evidence::git::Git, wire::code::RUN_UNREADABLE};
use portcullis_canary::{
    Context, Decision, FaultCode, Measurement, Outcome, admit, baseline::host_class, confirm,
    decide, render,
};
use portcullis_gates::canary::Confirm;
use serde_json::json;
use std::path::PathBuf;

/// Runs `canary compare`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let known = Known::read(&arguments.id)?;
    let (measurement, decision) = judge(&known, arguments.measurement.clone())?;
    let exit = exit(&decision);
    let report = render(&decision, &context(&known, &measurement));
    out.document(&json!({
        "schema": "portcullis.canary_decision.v1",
        "exit": exit.code(),
        "canary": known.canary.id,
        "run_id": measurement.run_id,
        "commit": measurement.commit,
        "decision": decision,
        "report": report,
    }));
    out.text(&report);
    Ok(exit)
}

/// The measurement that is named, or the newest one, and what follows from it.
pub(super) fn judge(
    known: &Known,
    named: Option<PathBuf>,
) -> Result<(Measurement, Decision), Refused> {
    let id = &known.canary.id;
    let is_named = named.is_some();
    let path = match named {
        Some(path) => path,
        None => newest(&known.repository, id, MEASUREMENT)?.ok_or_else(|| {
            let remedy = format!("measure first: `cargo portcullis canary measure {id}`");
            let headline = format!("nothing was ever measured of `{id}` here");
            Refused::new(Exit::Nothing, Fault::new(RUN_UNREADABLE, headline, remedy))
        })?,
    };
    let mut measurement = read_measurement(&path, id)?;
    if !is_named {
        // What lies around may be of yesterday; whoever names a file knows what it is of.
        let head = Git::new(known.repository.root(), None).head().or_exit(Exit::Usage)?;
        let head = head.map(|head| head.commit).unwrap_or_default();
        if head != measurement.commit {
            let detail = format!("it is of {}, `HEAD` is {head}", measurement.commit);
            let fault = portcullis_canary::Fault::of_run(FaultCode::MeasurementStale, detail);
            measurement.faults.push(fault);
        }
    }
    let config = known.canary.config(known.baseline.as_ref());
    let judged = |measurement: &Measurement| {
        decide(&admit(measurement, &known.base, &config), &config.threshold, known.canary.lane())
    };
    let mut decision = judged(&measurement);
    let second = path.with_file_name(CONFIRMATION);
    // Where nothing is measured again, a second measurement that lies there refutes nothing.
    if known.canary.confirm() != Confirm::None && second.is_file() {
        let mut again = read_measurement(&second, id)?;
        if again.commit != measurement.commit {
            let detail =
                format!("the second is of {}, not of {}", again.commit, measurement.commit);
            let fault = portcullis_canary::Fault::of_run(FaultCode::MeasurementStale, detail);
            again.faults.push(fault);
        }
        if again.run_id != measurement.run_id {
            let detail =
                format!("the second is of run {}, not of {}", again.run_id, measurement.run_id);
            let fault = portcullis_canary::Fault::of_run(FaultCode::MeasurementStale, detail);
            again.faults.push(fault);
        }
        decision = confirm(&decision, &judged(&again));
    }
    Ok((measurement, decision))
}

/// Nothing that was measured is another answer than something that cannot be judged.
fn exit(decision: &Decision) -> Exit {
    let empty = [
        FaultCode::EmptyMeasurement.as_str(),
        FaultCode::MeasurementMissing.as_str(),
        FaultCode::MetricMissing.as_str(),
    ];
    let invalid = || decision.reasons.iter().filter(|reason| reason.severity == Outcome::Invalid);
    match decision.outcome {
        Outcome::Ok | Outcome::CommentOnly if decision.examined == 0 => Exit::Nothing,
        Outcome::Ok | Outcome::CommentOnly => Exit::Pass,
        Outcome::Fail => Exit::Regression,
        Outcome::Invalid
            if decision.examined == 0 && invalid().all(|reason| empty.contains(&reason.code)) =>
        {
            Exit::Nothing
        }
        Outcome::Invalid => Exit::Invalid,
    }
}

pub(super) fn context(known: &Known, measurement: &Measurement) -> Context {
    let short = |commit: &str| commit.chars().take(12).collect::<String>();
    let base = match &known.baseline {
        Some(baseline) => format!("baseline of {}", short(&baseline.commit)),
        None => "the base of the same job".to_owned(),
    };
    let host = &measurement.host;
    Context {
        canary: known.canary.id.clone(),
        comparison: format!("candidate {} against {base}", short(&measurement.commit)),
        host_class: format!(
            "{} ({}, {} of {} CPUs)",
            host_class(host),
            host.cpu_model,
            host.allowed_cpus,
            host.logical_cpus
        ),
        aa_bound: known.baseline.as_ref().and_then(|baseline| baseline.aa).map(|aa| {
            format!(
                "{} false in {}, a rate below {:.6}",
                aa.false_comment, aa.repeats, aa.rate_upper95
            )
        }),
        replay: format!("cargo portcullis canary compare {}", known.canary.id),
        link: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_canary::Reason;

    #[test]
    fn every_outcome_has_its_code() {
        let of = |outcome, examined, code| {
            let reasons =
                vec![Reason { code, metric: None, severity: outcome, detail: String::new() }];
            exit(&Decision { outcome, reasons, metrics: Vec::new(), examined })
        };
        assert_eq!(of(Outcome::Ok, 1, "x"), Exit::Pass);
        assert_eq!(of(Outcome::Ok, 0, "x"), Exit::Nothing);
        assert_eq!(of(Outcome::CommentOnly, 1, "regression_proven"), Exit::Pass);
        assert_eq!(of(Outcome::Fail, 1, "regression_over_fail"), Exit::Regression);
        assert_eq!(of(Outcome::Fail, 0, "metric_missing"), Exit::Regression);
        assert_eq!(of(Outcome::Invalid, 0, "empty_measurement"), Exit::Nothing);
        assert_eq!(of(Outcome::Invalid, 0, "run_failed"), Exit::Invalid);
        assert_eq!(of(Outcome::Invalid, 1, "empty_measurement"), Exit::Invalid);
    }
}
