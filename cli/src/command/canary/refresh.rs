//! `canary refresh`: makes the baseline from a finished measurement. A person supplies the reason and nothing else.

use super::{Known, read_measurement};
use crate::{
    args::Refresh as Arguments,
    canary::folder::{CALIBRATION, MEASUREMENT, newest},
    exit::{Exit, OrExit, Refused},
    transport::Transport,
    written,
};
use anyhow::Context as _;
use portcullis::{
    Fault,
    evidence::git::Git,
    wire::code::{BLESS_REFUSED, USAGE},
};
use portcullis_canary::{
    Arm, Base, Body, Lane, Measurement, Outcome, Work, admit,
    baseline::{AaFigures, Baseline, InjectionFigures, Measured, Origin, SAMPLES_MIN, host_class},
    decide,
    median::median,
    stats::{elementary::ln, spread},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

/// Runs `canary refresh`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let known = Known::read(&arguments.id)?;
    let id = &known.canary.id;
    let path = known.canary.baseline().cloned().ok_or_else(|| {
        let headline = format!("canary `{id}` has no baseline");
        Refused::new(Exit::Usage, Fault::new(USAGE, headline, "state `baseline` in its table"))
    })?;
    let reason = arguments.reason.trim();
    let has_link = reason.contains('#') || reason.contains("://");
    if reason.is_empty() || reason.chars().any(char::is_control) || !has_link {
        return Err(refused(
            "the reason is not one line with a link",
            "write `--reason 'why, #12'`",
            reason,
        ));
    }
    let git = Git::new(known.repository.root(), None);
    if git.is_dirty().or_exit(Exit::Usage)? {
        return Err(refused(
            "the work tree is dirty",
            "commit or stash, then measure and refresh",
            "",
        ));
    }
    let file = newest(&known.repository, id, MEASUREMENT)?.ok_or_else(|| {
        refused("nothing was measured", &format!("run `cargo portcullis canary measure {id}`"), "")
    })?;
    let measurement = read_measurement(&file, id)?;
    let head = git.head().or_exit(Exit::Usage)?.map(|head| head.commit).unwrap_or_default();
    if measurement.commit != head {
        return Err(refused(
            "the measurement is of another commit",
            "measure this one",
            &measurement.commit,
        ));
    }
    if was_dirty(&file, &measurement) {
        return Err(refused(
            "it was measured in a dirty tree, or its journal is gone or of another run",
            "measure again",
            "",
        ));
    }
    // Of a baseline that cannot be read nobody knows on which machine it was measured.
    if known.baseline.is_none()
        && !matches!(known.base, Base::Missing | Base::NotNeeded)
        && !arguments.new_host_class
    {
        return Err(refused(
            "the baseline that is there cannot be read, nor its class of machine",
            "restore it, or give it up: `--new-host-class`",
            path.as_str(),
        ));
    }
    if let Some(old) = &known.baseline
        && !old.host.is_same_class(&measurement.host)
        && !arguments.new_host_class
    {
        let found = format!("{} -> {}", host_class(&old.host), host_class(&measurement.host));
        return Err(refused(
            "the machine is of another class",
            "say so: `--new-host-class`",
            &found,
        ));
    }
    let now = known.repository.clock()?.now.to_string();
    let baseline = made(&known, &measurement, reason, &now)?;
    sound(&known, &measurement, &baseline)?;
    written::replace(&known.repository, path.as_str(), &baseline.write())?;
    out.document(&json!({
        "schema": "portcullis.canary_refreshed.v1",
        "exit": Exit::Pass.code(),
        "baseline": path.as_str(),
        "metrics": baseline.measurements.len(),
    }));
    let metrics = baseline.measurements.len();
    out.text(&format!("canary {id}: {metrics} metrics in `{path}`; commit it alone, as `bench(baselines): refresh {id}`"));
    Ok(Exit::Pass)
}

fn refused(headline: &str, remedy: &str, found: &str) -> Refused {
    let fault = Fault::new(BLESS_REFUSED, format!("no baseline is written: {headline}"), remedy);
    Refused::new(Exit::Nothing, fault.found(found.to_owned()))
}

/// The head of the journal says what the tree was when it was measured; that of another measurement says nothing.
fn was_dirty(file: &Path, measurement: &Measurement) -> bool {
    let journal = std::fs::read_to_string(file.with_extension("jsonl")).unwrap_or_default();
    let head: Value =
        journal.lines().next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    let is = |name: &str, value: &str| head.get(name).and_then(Value::as_str) == Some(value);
    let is_its = is("run_id", &measurement.run_id) && is("commit", &measurement.commit);
    !is_its || head.get("dirty").and_then(Value::as_bool) != Some(false)
}

/// Holds the measurement against the baseline it would make, as a gating lane would: whatever is invalid is about itself.
fn sound(known: &Known, measurement: &Measurement, baseline: &Baseline) -> Result<(), Refused> {
    let config =
        portcullis_canary::Config { lane: Lane::Gating, ..known.canary.config(Some(baseline)) };
    let base = Base::Read(Box::new(baseline.reference()));
    let decision = decide(&admit(measurement, &base, &config), &config.threshold, Lane::Gating);
    let invalid: Vec<String> = decision
        .reasons
        .iter()
        .filter(|reason| reason.severity >= Outcome::Fail)
        .map(|reason| format!("{}: {}", reason.code, reason.detail))
        .collect();
    if invalid.is_empty() {
        Ok(())
    } else {
        Err(refused("the measurement cannot be judged", "measure again", &invalid.join("; ")))
    }
}

fn made(
    known: &Known,
    measurement: &Measurement,
    reason: &str,
    now: &str,
) -> Result<Baseline, Refused> {
    let mut measurements = BTreeMap::new();
    let mut works: Vec<Work> = Vec::new();
    for series in measurement.series.iter().filter(|series| series.arm == Arm::Candidate) {
        let Body::Samples(samples) = &series.body else {
            return Err(refused(
                "a summary is no baseline",
                "measure samples",
                series.metric.as_str(),
            ));
        };
        if samples.iter().any(|sample| sample.censored) {
            return Err(refused(
                "a run was stopped by its limit",
                "give it more time",
                series.metric.as_str(),
            ));
        }
        if samples.len()
            < SAMPLES_MIN.max(usize::try_from(known.canary.repeats()).unwrap_or(usize::MAX))
        {
            return Err(refused(
                "there are too few samples",
                "measure all of them",
                series.metric.as_str(),
            ));
        }
        let values: Vec<u64> = samples.iter().map(|sample| sample.value).collect();
        #[expect(
            clippy::cast_precision_loss,
            reason = "the logarithm of a duration is an estimate"
        )]
        let mut logs: Vec<f64> = values.iter().map(|value| ln((*value).max(1) as f64)).collect();
        let Some(value) = median(&values) else { continue };
        let measured = Measured {
            unit: series.unit,
            value,
            samples: values,
            s_d: spread::robust_sd(&mut logs),
        };
        works.extend(samples.iter().map(|sample| sample.work));
        measurements.insert(series.metric.clone(), measured);
    }
    let Some(work) = works.first().copied() else {
        return Err(refused("the measurement holds no sample of a candidate", "measure again", ""));
    };
    if works.iter().any(|other| *other != work) {
        return Err(refused("the runs did different work", "see what they do", ""));
    }
    let old = known.baseline.as_ref();
    let (aa, injection) = figures(known, measurement)?;
    let by = ["GITHUB_ACTOR", "USER", "USERNAME"]
        .iter()
        .find_map(|name| known.repository.environment.non_empty(name));
    Ok(Baseline {
        canary: known.canary.id.clone(),
        refreshed_at: now.to_owned(),
        refreshed_by: by.unwrap_or("cargo portcullis canary refresh").to_owned(),
        reason: reason.to_owned(),
        commit: measurement.commit.clone(),
        run_id: measurement.run_id.clone(),
        work,
        origin: Origin::Measured,
        host: measurement.host.clone(),
        calibration_ns: measurement.calibration.clone().unwrap_or_default(),
        aa: aa.or(old.and_then(|old| old.aa)),
        injection: injection.or(old.and_then(|old| old.injection)),
        measurements,
        retired: old.map(|old| old.retired.clone()).unwrap_or_default(),
    })
}

/// What `calibrate` found out on a machine of this class.
fn figures(
    known: &Known,
    measurement: &Measurement,
) -> Result<(Option<AaFigures>, Option<InjectionFigures>), Refused> {
    let Some(path) = newest(&known.repository, &known.canary.id, CALIBRATION)? else {
        return Ok((None, None));
    };
    let text = std::fs::read_to_string(&path).context("a calibration cannot be read")?;
    let document: Value = serde_json::from_str(&text).context("a calibration cannot be read")?;
    if document["host_class"].as_str() != Some(&host_class(&measurement.host)) {
        return Ok((None, None));
    }
    let silent = |name: &str| {
        // A figure that is not there is none, and never a zero.
        refused("the newest calibration cannot be read", "calibrate again", name)
    };
    let number =
        |of: &Value, name: &str| of.get(name).and_then(Value::as_u64).ok_or_else(|| silent(name));
    let change =
        |of: &Value, name: &str| of.get(name).and_then(Value::as_i64).ok_or_else(|| silent(name));
    let aa = match document.get("aa").filter(|aa| !aa.is_null()) {
        None => None,
        Some(aa) => Some(AaFigures {
            repeats: number(aa, "repeats")?,
            resampled: 0,
            false_comment: number(aa, "false_comment")?,
            false_fail: number(aa, "false_fail")?,
            q999_milli_pct: change(aa, "q999_milli_pct")?,
            rate_upper95: aa["rate_upper95"].as_f64().ok_or_else(|| silent("rate_upper95"))?,
        }),
    };
    let injection = match document.get("injection").filter(|found| !found.is_null()) {
        None => None,
        Some(found) => Some(InjectionFigures {
            milli_pct: change(found, "milli_pct")?,
            repeats: number(found, "repeats")?,
            detected: number(found, "detected")?,
        }),
    };
    Ok((aa, injection))
}
