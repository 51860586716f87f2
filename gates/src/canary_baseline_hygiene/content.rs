//! A baseline by itself, and against the canary it is of. It knows nothing of the change.

use super::{Config, finding, usable};
use crate::canary::{
    Canary,
    code::{
        COMMIT_UNKNOWN, HEADER_INCOMPLETE, HOST_CLASS_UNUSED, OLD, PROJECTED_IN_GATING,
        RATE_NOT_STATED, ROSTER_DIFFERS, TIME_IN_FUTURE, TIME_MALFORMED, TOO_FEW_SAMPLES,
        UNKNOWN_KEY, VALUE_NOT_FINITE, VALUE_NOT_MEDIAN, VALUE_NOT_POSITIVE,
    },
    is_pattern, measurement,
};
use portcullis::{
    Code, Findings, GateContext, GateError, RelPath,
    wire::code::{BASE_NOT_ANCESTOR, BASE_UNRESOLVABLE, DIGEST_MISMATCH},
};
use portcullis_canary::{
    MetricId,
    baseline::{self, Baseline, FlawCode, Origin, Reading},
};

const REFRESH: &str = "refresh it with `cargo portcullis canary refresh`";
/// A clock that is a little fast is none that lies.
const AHEAD_MAX_MS: i64 = 5 * 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Reports what is wrong with a baseline.
pub(super) fn judge(
    cx: &GateContext<'_>,
    config: &Config,
    path: &RelPath,
    reading: &Reading,
    canary: Option<&Canary>,
    out: &mut Findings,
) -> Result<(), GateError> {
    for flaw in &reading.flaws {
        let message = format!("{}: {}", flaw.pointer, flaw.detail);
        out.push(finding(code(flaw.code), path, &flaw.pointer, message, REFRESH));
    }
    roster(path, reading, canary, out);
    let Some(baseline) = usable(reading) else { return Ok(()) };
    age(cx, config, path, baseline, out);
    commit(cx, path, baseline, out)?;
    if let Some(canary) = canary {
        promises(path, baseline, canary, out);
        class(cx, path, baseline, canary, out)?;
    }
    Ok(())
}

fn code(flaw: FlawCode) -> Code {
    match flaw {
        FlawCode::UnknownKey => UNKNOWN_KEY,
        FlawCode::TimeMalformed => TIME_MALFORMED,
        FlawCode::ValueNotPositive => VALUE_NOT_POSITIVE,
        FlawCode::ValueNotFinite => VALUE_NOT_FINITE,
        FlawCode::ValueNotMedian => VALUE_NOT_MEDIAN,
        FlawCode::TooFewSamples => TOO_FEW_SAMPLES,
        FlawCode::DigestMismatch => DIGEST_MISMATCH,
        // What a later version finds beyond these is a header that this one does not understand.
        FlawCode::HeaderIncomplete | _ => HEADER_INCOMPLETE,
    }
}

/// What baseline and roster name, both ways; what is retired need not be measured.
fn roster(path: &RelPath, reading: &Reading, canary: Option<&Canary>, out: &mut Findings) {
    let mut differs = |what: &str, message: String| {
        let remedy = "measure what the roster names, correct the roster, or retire the metric";
        out.push(finding(ROSTER_DIFFERS, path, what, message, remedy));
    };
    let Some(canary) = canary else {
        differs("", "no `[canary.<id>]` of the policy names this file".to_owned());
        return;
    };
    let baseline = usable(reading);
    if let Some(baseline) = baseline.filter(|baseline| baseline.canary != canary.id) {
        let message = format!("it is of `{}`, and stands under `{}`", baseline.canary, canary.id);
        differs("/canary", message);
    }
    let is_retired =
        |metric: &MetricId| baseline.is_some_and(|baseline| baseline.retired.contains(metric));
    for metric in &reading.names {
        if !canary.names(metric) {
            differs(metric.as_str(), format!("`{metric}` is in no entry of the roster"));
        }
        if is_retired(metric) {
            differs(metric.as_str(), format!("`{metric}` is retired, and has a value"));
        }
    }
    for entry in canary.roster() {
        if is_pattern(entry) {
            // What matches nothing here is an error of the table, which is reported as one.
            continue;
        }
        let Some(metric) = MetricId::new(entry) else { continue };
        if !reading.names.contains(&metric) && !is_retired(&metric) {
            differs(entry, format!("`{entry}` of the roster has no baseline"));
        }
    }
}

fn age(
    cx: &GateContext<'_>,
    config: &Config,
    path: &RelPath,
    baseline: &Baseline,
    out: &mut Findings,
) {
    // A time that is none is reported as that.
    let Some(refreshed_ms) = baseline.refreshed_ms() else { return };
    let age_ms = cx.now().unix_ms().saturating_sub(refreshed_ms);
    if age_ms < -AHEAD_MAX_MS {
        let message = format!("it was refreshed at {}, after now", baseline.refreshed_at);
        let remedy = "set the clock of the machine that refreshes, and refresh again";
        out.push(
            finding(TIME_IN_FUTURE, path, "/refreshed_at", message, remedy)
                .expected(format!("a time up to {}", cx.now())),
        );
    }
    let days = age_ms / DAY_MS;
    if days > i64::from(config.max_age_days) {
        let message = format!("it was refreshed {} ago", crate::calendar::days(days));
        out.push(finding(OLD, path, "/refreshed_at", message, REFRESH).advisory());
    }
}

/// The commit that was measured is one that this history contains.
fn commit(
    cx: &GateContext<'_>,
    path: &RelPath,
    baseline: &Baseline,
    out: &mut Findings,
) -> Result<(), GateError> {
    let commit = baseline.commit.as_str();
    if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        // Reported as a header that is incomplete; a name of another form could be a branch.
        return Ok(());
    }
    match cx.git().ancestor(commit) {
        Ok(_) => Ok(()),
        Err(fault) if matches!(fault.code(), BASE_UNRESOLVABLE | BASE_NOT_ANCESTOR) => {
            let message = format!("it was measured at {commit}, which `HEAD` does not contain");
            let remedy = "measure a commit of this history, and fetch the whole history in CI";
            out.push(finding(COMMIT_UNKNOWN, path, "/commit", message, remedy));
            Ok(())
        }
        Err(fault) => cx.watch(Err(fault)),
    }
}

/// What its canary promises of it.
fn promises(path: &RelPath, baseline: &Baseline, canary: &Canary, out: &mut Findings) {
    if canary.lane().is_gating() && matches!(baseline.origin, Origin::Projected { .. }) {
        let message = "it was computed from another machine's, and its canary blocks";
        let remedy = "measure on the machine that gates, or make the canary advisory";
        out.push(finding(PROJECTED_IN_GATING, path, "/provenance", message, remedy));
    }
    for (metric, measured) in &baseline.measurements {
        let count = measured.samples.len();
        // Below the least of all baselines it is a flaw of the document.
        if count >= baseline::SAMPLES_MIN && (count as u64) < u64::from(canary.repeats()) {
            let message = format!("`{metric}` has {count} samples");
            out.push(
                finding(TOO_FEW_SAMPLES, path, metric.as_str(), message, REFRESH)
                    .expected(format!("{}, as often as the canary measures", canary.repeats())),
            );
        }
    }
    if let Some(rate) = canary.max_false_rate() {
        rate_stated(path, baseline, rate, out);
    }
}

/// No alarm in N repeats bounds the rate by 3/N; repeats that were drawn from others prove nothing.
fn rate_stated(path: &RelPath, baseline: &Baseline, rate: f64, out: &mut Findings) {
    #[expect(clippy::cast_precision_loss, reason = "a count of repeats, compared with a rate")]
    let enough = |repeats: u64| repeats as f64 * rate >= 3.0 - 1e-9;
    let is_proven = baseline
        .aa
        .is_some_and(|aa| enough(aa.repeats) && aa.rate_upper95 <= rate && aa.rate_upper95 > 0.0);
    if !is_proven {
        let found = match baseline.aa {
            None => "no figures".to_owned(),
            Some(aa) => format!("{} repeats, at most {}", aa.repeats, aa.rate_upper95),
        };
        let message = format!("it does not prove a rate of false alarms of at most {rate}");
        let remedy = "run `cargo portcullis canary calibrate` often enough, and refresh";
        out.push(
            finding(RATE_NOT_STATED, path, "/aa", message, remedy)
                .expected(format!("at least {:.0} repeats, and a bound", (3.0 / rate).ceil()))
                .found(found),
        );
    }
}

/// Whether the machine that measured in this run is of the class of the baseline.
fn class(
    cx: &GateContext<'_>,
    path: &RelPath,
    baseline: &Baseline,
    canary: &Canary,
    out: &mut Findings,
) -> Result<(), GateError> {
    let Some(measurement) = measurement::of_run(cx, &canary.id)? else { return Ok(()) };
    if !measurement.host.is_same_class(&baseline.host) {
        let message = "the machines that measure are of another class";
        let remedy = "refresh it on the machines that measure now";
        out.push(
            finding(HOST_CLASS_UNUSED, path, "/host_class", message, remedy)
                .expected(baseline::host_class(&measurement.host))
                .found(baseline::host_class(&baseline.host))
                .advisory(),
        );
    }
    Ok(())
}
