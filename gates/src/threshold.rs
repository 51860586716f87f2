//! Metrics keep within floors and ceilings, and do not get worse than a committed baseline. It measures nothing
//! itself, and it knows no statistics: noise is the business of canaries.

mod config;
mod measured;
mod set;
mod teeth;

use crate::lane::METRIC_MISSING;
use config::{Baseline, Better, Config};
use measured::{Absent, Measured, measure};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location,
    wire::code::NOTHING_EXAMINED,
};
use set::{Limits, Set};
use teeth::TEETH;

portcullis::gate_kind! {
    /// Holds metrics against floors, ceilings and a baseline.
    ///
    /// ### What it checks
    /// Every metric that a floor or ceiling names is measured, is a finite number, and keeps within. A set of
    /// thresholds in a file is versioned: its numbers are those of the last line of its history, its version is the one
    /// that the gate names, and where the base commit is known, numbers do not change under one version and history
    /// is only added to. With a baseline, no metric is worse than there by more than the allowed delta, and none of it
    /// is gone; a new one is noted. A metric that met its threshold in the baseline is called newly failing.
    ///
    /// ### Why it gates
    /// A number nobody holds drifts, and a threshold that can be edited in passing holds nothing.
    ///
    /// ### Example
    /// Refused under `floors = { pass_rate = 95 }`: `{"pass_rate": 94}`, `{"pass_rate": null}`, and a document without
    /// `pass_rate`. Accepted: `{"pass_rate": 95}`.
    ///
    /// ### Configuration
    /// - `source`: a table with `path`, and optionally `of_run` (below the directory of this run), `format`, `schema`,
    ///   `freshness` as in `artifact_contract`, which a `schema` needs; `items`, the JSON Pointer of a list or object
    ///   (`*` stands for each; default the whole document, or every record of a stream); `id`, the pointer in an item
    ///   of its id (default its key in an object, or its member `id`).
    /// - `metrics`: instead of items, a table from the name of a metric to its pointer in the document.
    /// - `value`: the pointer in an item of its number; default the item itself.
    /// - `floors`, `ceilings`: tables from a metric to its least and greatest allowed value; `"*"` is for every metric
    ///   without its own. Or `thresholds`, a table with the `path` of a TOML file and its `version`. The file has
    ///   `version`, `effective` (a date), `floors`, `ceilings`, and for every version a table `[[history]]` with `version`,
    ///   `effective`, `reason` and `digest`, the SHA-256 that the gate prints when it is another one.
    /// - `baseline`: a table with `path` (committed, of the same shape as `source`), `format`, `better` (from a metric or
    ///   `"*"` to `higher` or `lower`, required) and `allowed_delta` (from a metric or `"*"` to a number, default 0).
    ///
    /// ### Remediation
    /// - `below_floor`, `above_ceiling`: mend what is measured; changing the threshold is a change of its own.
    /// - `metric_missing`: measure it again under this name; renaming a metric means renaming its threshold.
    /// - `thresholds_invalid`: correct the file of thresholds as the message says.
    /// - `thresholds_edited`: raise `version`, and add a `[[history]]` table with the reason and the printed digest.
    /// - `thresholds_version_differs`: name the version of the file in the gate, after review.
    /// - `worse_than_baseline`: mend it, or renew the baseline in a change of its own that says why.
    /// - `baseline_item_missing`: bring the item back; what is no longer measured is no improvement.
    /// - `value_not_finite`: measure again; `null`, a text and infinity are no measurements.
    /// - `artifact_missing`, `item_invalid`, `item_duplicate`: produce the artifact again, once per id.
    pub static THRESHOLD: "threshold", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const BELOW_FLOOR: Code = Code::new("PC1136", "below_floor", "A metric is below its floor.");
const ABOVE_CEILING: Code = Code::new("PC1137", "above_ceiling", "A metric is above its ceiling.");
const THRESHOLDS_INVALID: Code =
    Code::new("PC1138", "thresholds_invalid", "A file of thresholds cannot be used.");
const THRESHOLDS_EDITED: Code = Code::new(
    "PC1139",
    "thresholds_edited",
    "Thresholds changed without a new version and a line of history.",
);
const THRESHOLDS_VERSION_DIFFERS: Code = Code::new(
    "PC1140",
    "thresholds_version_differs",
    "A file of thresholds has another version than the gate names.",
);
const WORSE_THAN_BASELINE: Code =
    Code::new("PC1141", "worse_than_baseline", "A metric is worse than in the baseline.");
const BASELINE_ITEM_MISSING: Code =
    Code::new("PC1142", "baseline_item_missing", "An item of the baseline is no longer measured.");

const CODES: &[Code] = &[
    METRIC_MISSING,
    BELOW_FLOOR,
    ABOVE_CEILING,
    THRESHOLDS_INVALID,
    THRESHOLDS_EDITED,
    THRESHOLDS_VERSION_DIFFERS,
    WORSE_THAN_BASELINE,
    BASELINE_ITEM_MISSING,
];

/// How many names a note lists.
const NAMES_SHOWN: usize = 20;

/// Reads thresholds, measurements and baseline, then holds each metric against what is known of it.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let limits = match &config.thresholds {
        Some(named) => Set::read(cx, named, out)?,
        None => config.limits(),
    };
    let measured = measure(cx, config, &config.source, Absent::Refused, out)?;
    if measured.is_empty() {
        return Err(nothing(config.source.path().as_str()));
    }
    for (metric, what) in limits.named() {
        if !measured.contains_key(metric) {
            return Err(metric_missing(metric, config.source.path().as_str()).expected(what));
        }
    }
    let baseline = match &config.baseline {
        Some(baseline) => Some((baseline, read_baseline(cx, config, baseline, out)?)),
        None => None,
    };
    let before = baseline.as_ref().map(|(_, before)| before);
    let mut examined = hold(cx, config, &limits, &measured, before, out)?;
    if let Some((baseline, before)) = &baseline {
        examined += compare(cx, config, baseline, before, &measured, out);
    }
    Ok(Examined::items(examined))
}

fn read_baseline(
    cx: &GateContext<'_>,
    config: &Config,
    baseline: &Baseline,
    out: &mut Findings,
) -> Result<Measured, GateError> {
    let table = config.source.elsewhere(&baseline.path, baseline.format);
    let before = measure(cx, config, &table, Absent::Tolerated, out)?;
    if before.is_empty() { Err(nothing(baseline.path.as_str())) } else { Ok(before) }
}

/// Holds every metric against its floor and ceiling, and returns how many had one.
fn hold(
    cx: &GateContext<'_>,
    config: &Config,
    limits: &Limits,
    measured: &Measured,
    before: Option<&Measured>,
    out: &mut Findings,
) -> Result<usize, GateError> {
    let (mut held, mut newly) = (0, Vec::new());
    for (metric, now) in measured {
        let (floor, ceiling) = limits.of(metric);
        if floor.is_none() && ceiling.is_none() {
            if !config.metrics.is_empty() && config.baseline.is_none() {
                let headline = format!("metric `{metric}` has neither floor nor ceiling");
                let remedy = "state one, or remove the metric";
                return Err(Fault::new(THRESHOLDS_INVALID, headline, remedy));
            }
            continue;
        }
        held += 1;
        let was = before.and_then(|before| before.get(metric)).map(|was| was.value);
        let mut report = |code: Code, what: &str, limit: crate::json_value::Number, met: bool| {
            let newly_failing = if met { "newly failing: " } else { "" };
            if met {
                newly.push(metric.as_str());
            }
            let message = format!("{newly_failing}`{metric}` is {what}");
            let remedy = "mend what is measured; changing the threshold is a change of its own";
            out.push(
                Finding::new(code, metric, message, remedy)
                    .at(now.place.clone())
                    .expected(limit.to_string())
                    .found(now.value.to_string()),
            );
        };
        if let Some(floor) = floor.filter(|floor| now.value.is_below(*floor)) {
            report(
                BELOW_FLOOR,
                "below its floor",
                floor,
                was.is_some_and(|was| !was.is_below(floor)),
            );
        }
        if let Some(ceiling) = ceiling.filter(|ceiling| ceiling.is_below(now.value)) {
            report(
                ABOVE_CEILING,
                "above its ceiling",
                ceiling,
                was.is_some_and(|was| !ceiling.is_below(was)),
            );
        }
    }
    note(cx, "newly failing", &newly);
    let unheld = measured.len() - held;
    if unheld > 0 {
        cx.note(format!("{unheld} of {} metrics have no floor and no ceiling", measured.len()));
    }
    Ok(held)
}

/// Holds every metric of the baseline against today's, and returns how many there are.
fn compare(
    cx: &GateContext<'_>,
    config: &Config,
    baseline: &Baseline,
    before: &Measured,
    measured: &Measured,
    out: &mut Findings,
) -> usize {
    for (metric, was) in before {
        let Some(now) = measured.get(metric) else {
            let message = format!("`{metric}` is in the baseline and is not measured now");
            let remedy = "bring the item back, or renew the baseline in a change of its own";
            out.push(
                Finding::new(BASELINE_ITEM_MISSING, metric, message, remedy)
                    .at(Location::file(config.source.path()))
                    .expected(was.value.to_string()),
            );
            continue;
        };
        let delta = baseline.delta(metric);
        let (worse, bound) = match baseline.better(metric) {
            Better::Higher => {
                let bound = was.value.plus(delta.negated());
                (now.value.is_below(bound), format!("at least {bound}"))
            }
            Better::Lower => {
                let bound = was.value.plus(delta);
                (bound.is_below(now.value), format!("at most {bound}"))
            }
        };
        if worse {
            let message =
                format!("`{metric}` is worse than in the baseline, which has {}", was.value);
            let remedy = "mend it, or renew the baseline in a change of its own that says why";
            out.push(
                Finding::new(WORSE_THAN_BASELINE, metric, message, remedy)
                    .at(now.place.clone())
                    .expected(bound)
                    .found(now.value.to_string()),
            );
        }
    }
    let new: Vec<&str> =
        measured.keys().filter(|key| !before.contains_key(*key)).map(String::as_str).collect();
    note(cx, "new since the baseline", &new);
    before.len()
}

fn note(cx: &GateContext<'_>, what: &str, names: &[&str]) {
    if names.is_empty() {
        return;
    }
    let shown: Vec<&str> = names.iter().copied().take(NAMES_SHOWN).collect();
    let rest = names.len() - shown.len();
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    cx.note(format!("{what}: {}{more}", shown.join(", ")));
}

fn metric_missing(metric: &str, path: &str) -> Fault {
    let headline = format!("metric `{metric}` is not measured");
    let remedy = "measure it under this name, or correct the name of its threshold";
    Fault::new(METRIC_MISSING, headline, remedy).at(Location::file(path))
}

fn nothing(path: &str) -> Fault {
    let headline = format!("`{path}` has no metric");
    let remedy = "produce the artifact again, or correct `items`";
    Fault::new(NOTHING_EXAMINED, headline, remedy).at(Location::file(path))
}

#[cfg(test)]
mod tests;
