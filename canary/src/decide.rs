//! The rules: what follows from evidence and faults. Leaves out where either comes from.

use crate::{
    Admitted, Decision, Evidence, Fault, FaultCode, Label, Lane, MetricId, MetricLine, MilliPct,
    OnUnbaselined, Outcome, P95, P95Policy, Ratio, Reason, Suspected, Threshold, Unit, stats::Bar,
};
use std::collections::{BTreeMap, BTreeSet};

/// Judges what was admitted. Total, exact, and without order: no rule masks another.
#[must_use]
pub fn decide(admitted: &Admitted, threshold: &Threshold, lane: Lane) -> Decision {
    let mut reasons: Vec<Reason> = admitted
        .faults
        .iter()
        .map(|fault| of_fault(fault, admitted.on_unbaselined, lane))
        .collect();
    if admitted.evidence.is_empty() && !admitted.faults.iter().any(explains_absence) {
        reasons.push(Reason {
            code: FaultCode::EmptyMeasurement.as_str(),
            metric: None,
            severity: Outcome::Invalid,
            detail: "no metric was admitted".to_owned(),
        });
    }
    for evidence in &admitted.evidence {
        rows(evidence, &threshold.effective(evidence), lane, &mut reasons);
    }
    sort(&mut reasons);
    let of_metric = by_metric(&reasons);
    let mut metrics: Vec<MetricLine> = admitted
        .evidence
        .iter()
        .map(|evidence| {
            let own = of_metric.get(&evidence.metric).map(Vec::as_slice).unwrap_or_default();
            line(evidence, &threshold.effective(evidence), own)
        })
        .collect();
    metrics.sort_by(|left, right| left.metric.cmp(&right.metric));
    let examined = u32::try_from(admitted.evidence.len()).unwrap_or(u32::MAX);
    Decision { outcome: worst(&reasons), reasons, metrics, examined }
}

/// Judges a failure again by a second run: unless the same row of the same metric fails there too, it is a comment and
/// `unconfirmed`. A second run that cannot be judged confirms nothing and refutes nothing: it is invalid.
#[must_use]
pub fn confirm(first: &Decision, second: &Decision) -> Decision {
    type Row<'a> = (Option<&'a MetricId>, &'static str);
    let again: BTreeSet<Row<'_>> = second
        .reasons
        .iter()
        .filter(|reason| reason.severity == Outcome::Fail)
        .map(|reason| (reason.metric.as_ref(), reason.code))
        .collect();
    let mut confirmed = first.clone();
    let mut added = Vec::new();
    for reason in &mut confirmed.reasons {
        let row = (reason.metric.as_ref(), reason.code);
        if reason.severity == Outcome::Fail && !again.contains(&row) {
            added.push(Reason {
                code: FaultCode::Unconfirmed.as_str(),
                metric: reason.metric.clone(),
                severity: Outcome::CommentOnly,
                detail: format!("`{}` did not fail in the second run", reason.code),
            });
            reason.severity = Outcome::CommentOnly;
        }
    }
    let invalid = |reason: &&Reason| reason.severity == Outcome::Invalid;
    added.extend(second.reasons.iter().filter(invalid).cloned());
    confirmed.reasons.extend(added);
    sort(&mut confirmed.reasons);
    confirmed.outcome = worst(&confirmed.reasons);
    let of_metric = by_metric(&confirmed.reasons);
    for line in &mut confirmed.metrics {
        let own = of_metric.get(&line.metric).map(Vec::as_slice).unwrap_or_default();
        (line.verdict, line.codes) = (worst_of(own), codes(own));
    }
    confirmed
}

fn by_metric(reasons: &[Reason]) -> BTreeMap<&MetricId, Vec<&Reason>> {
    let mut of_metric: BTreeMap<&MetricId, Vec<&Reason>> = BTreeMap::new();
    for reason in reasons {
        if let Some(metric) = &reason.metric {
            of_metric.entry(metric).or_default().push(reason);
        }
    }
    of_metric
}

/// A fault that says why there is no evidence; the others only come beside some.
const fn explains_absence(fault: &Fault) -> bool {
    !matches!(
        fault.code,
        FaultCode::WorkChanged | FaultCode::InvariantSuspected | FaultCode::Unconfirmed
    )
}

fn of_fault(fault: &Fault, on_unbaselined: OnUnbaselined, lane: Lane) -> Reason {
    let severity = match (fault.code, on_unbaselined) {
        (FaultCode::MetricUnbaselined, OnUnbaselined::Fail) => Outcome::Fail,
        (code, OnUnbaselined::Fail | OnUnbaselined::Comment) => code.severity(lane),
    };
    let (metric, detail) = (fault.metric.clone(), fault.detail.clone());
    Reason { code: fault.code.as_str(), metric, severity, detail }
}

/// What a row concludes for one metric.
struct Rows<'a> {
    evidence: &'a Evidence,
    out: &'a mut Vec<Reason>,
}

impl Rows<'_> {
    fn push(&mut self, code: &'static str, severity: Outcome, detail: String) {
        let metric = Some(self.evidence.metric.clone());
        self.out.push(Reason { code, metric, severity, detail });
    }
}

/// The rows 1 to 9 of the table, in its order, each on its own.
fn rows(evidence: &Evidence, threshold: &Threshold, lane: Lane, out: &mut Vec<Reason>) {
    let Threshold { comment, fail, max_mde, .. } = *threshold;
    let bar = |q: MilliPct| Bar::new(evidence.method, q);
    let interval = &evidence.interval;
    let hi_reaches = |q| interval.hi.is_none_or(|hi| bar(q).is_reached_by(hi));
    let cap = threshold.fail_p95_ns.filter(|_| evidence.unit == Unit::Ns).zip(evidence.p95);
    let blocking = if lane.is_gating() { Outcome::Fail } else { Outcome::CommentOnly };
    let unknown = if lane.is_gating() { Outcome::Invalid } else { Outcome::CommentOnly };
    let told = Outcome::CommentOnly;
    let bounds = || bounds(evidence);
    let mut rows = Rows { evidence, out };

    let is_over_fail = fail.is_some() && evidence.proven.fail;
    if let Some(fail) = fail.filter(|_| is_over_fail) {
        let is_layout = evidence.labels.contains(&Label::LayoutSensitive);
        let severity = if is_layout { told } else { blocking };
        rows.push(
            "regression_over_fail",
            severity,
            format!("at least {fail} is proven, {}", bounds()),
        );
    }
    let is_over_cap = cap.is_some_and(|(cap, p95)| capped(p95, threshold.p95) > cap);
    if let Some((cap, p95)) = cap.filter(|_| is_over_cap) {
        rows.push("p95_over_cap", blocking, capped_detail(cap, p95));
    }
    // What reaches `fail` reaches `comment`, whatever a hand-made evidence says.
    let is_proven = evidence.proven.comment || is_over_fail;
    if is_proven {
        rows.push("regression_proven", told, format!("at least {comment} is proven, {}", bounds()));
    }
    if let Some(fail) =
        fail.filter(|fail| !is_over_fail && bar(*fail).is_reached_by(interval.point))
    {
        rows.push("fail_suspected", told, format!("the point reaches {fail}, {}", bounds()));
    }
    if !is_proven && bar(comment).is_reached_by(interval.point) {
        let severity = match threshold.on_suspected {
            Suspected::Comment => told,
            Suspected::Note => Outcome::Ok,
        };
        let detail = format!("the point reaches {comment}, {}", bounds());
        rows.push("regression_suspected", severity, detail);
    }
    if let Some((cap, p95)) = cap.filter(|(cap, p95)| !is_over_cap && p95.point > *cap) {
        rows.push("p95_suspected", told, capped_detail(cap, p95));
    }
    let could_not_see =
        |fail: &MilliPct| !is_over_fail && evidence.mde > *fail && hi_reaches(*fail);
    if let Some(fail) = fail.filter(could_not_see) {
        let detail = format!("only {} could be proven, to fail takes {fail}", change(evidence.mde));
        rows.push("cannot_gate", unknown, detail);
    }
    if !is_proven && evidence.mde > max_mde && hi_reaches(comment) {
        let detail =
            format!("only {} could be proven, {max_mde} is demanded", change(evidence.mde));
        rows.push("inconclusive", told, detail);
    }
    let is_below =
        |floor: &MilliPct| interval.hi.is_some_and(|hi| bar(*floor).is_not_exceeded_by(hi));
    if let Some(floor) = threshold.floor.filter(is_below) {
        let detail = format!("at most {floor} is proven, {}: was the work done?", bounds());
        rows.push("suspicious_improvement", told, detail);
    }
}

const fn capped(p95: P95, policy: P95Policy) -> u64 {
    match policy {
        P95Policy::Lower => p95.lower,
        P95Policy::Point => p95.point,
    }
}

fn capped_detail(cap: u64, p95: P95) -> String {
    format!("95th percentile {} ns, at least {} ns, cap {cap} ns", p95.point, p95.lower)
}

fn bounds(evidence: &Evidence) -> String {
    let bar_is_share = evidence.method == crate::Method::Budget;
    let shown = |ratio: Ratio| as_percent(ratio, bar_is_share);
    let (lo, point) = (shown(evidence.interval.lo), shown(evidence.interval.point));
    let hi = evidence.interval.hi.map_or_else(|| "open".to_owned(), shown);
    format!("{point} in [{lo}, {hi}] at n = {}", evidence.n)
}

/// Writes a change with its sign (of a budget: the share) in percent, cut towards zero after three decimals.
#[must_use]
pub fn as_percent(ratio: Ratio, is_share: bool) -> String {
    let (num, den) = ratio.parts();
    // Below 2^64 * 10^5, and a change against one is no larger.
    let scaled = i128::try_from(u128::from(num) * 100_000 / u128::from(den)).unwrap_or(i128::MAX);
    let change = if is_share { scaled } else { scaled - 100_000 };
    let sign = if change < 0 {
        "-"
    } else if is_share {
        ""
    } else {
        "+"
    };
    let (whole, rest) = (change.unsigned_abs() / 1_000, change.unsigned_abs() % 1_000);
    format!("{sign}{whole}.{rest:03} %")
}

/// Writes a smallest change that may be unknown.
#[must_use]
pub fn change(mde: MilliPct) -> String {
    if mde == MilliPct::new(i64::MAX) { "nothing".to_owned() } else { mde.to_string() }
}

fn line(evidence: &Evidence, threshold: &Threshold, reasons: &[&Reason]) -> MetricLine {
    let is_share = evidence.method == crate::Method::Budget;
    let below = match evidence.interval.hi {
        Some(hi) => format!("below {}", as_percent(hi, is_share)),
        None => "no upper bound".to_owned(),
    };
    let mut labels = evidence.labels.clone();
    if threshold.fail.is_some_and(|fail| evidence.mde > fail) {
        labels.push(Label::CannotGate);
    }
    labels.sort_unstable();
    labels.dedup();
    MetricLine {
        metric: evidence.metric.clone(),
        unit: evidence.unit,
        method: evidence.method,
        base: evidence.base_value,
        candidate: evidence.candidate_value,
        interval: evidence.interval,
        n: evidence.n,
        mde: evidence.mde,
        p95: evidence.p95,
        verdict: worst_of(reasons),
        codes: codes(reasons),
        labels,
        note: format!("{below}, provable from {} on", change(evidence.mde)),
    }
}

fn codes(reasons: &[&Reason]) -> Vec<&'static str> {
    let mut codes: Vec<&'static str> = reasons.iter().map(|reason| reason.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Puts the worst first, then by metric and code.
fn sort(reasons: &mut [Reason]) {
    reasons.sort_by(|left, right| {
        let by_severity = right.severity.cmp(&left.severity);
        by_severity
            .then_with(|| left.metric.cmp(&right.metric))
            .then_with(|| left.code.cmp(right.code))
            .then_with(|| left.detail.cmp(&right.detail))
    });
}

fn worst(reasons: &[Reason]) -> Outcome {
    reasons.iter().map(|reason| reason.severity).max().unwrap_or(Outcome::Ok)
}

fn worst_of(reasons: &[&Reason]) -> Outcome {
    reasons.iter().map(|reason| reason.severity).max().unwrap_or(Outcome::Ok)
}

#[cfg(test)]
mod tests;
