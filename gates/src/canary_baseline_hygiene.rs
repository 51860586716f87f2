//! Committed baselines are measured, whole, and refreshed by themselves. It measures nothing, and it refreshes nothing.

mod change;
mod content;
mod teeth;

use crate::{
    artifact::{first, refuse},
    base_commit::base_commit,
    canary::{
        Canary,
        code::{
            BASELINE_MISSING, BASELINE_UNREADABLE, COMMIT_UNKNOWN, HEADER_INCOMPLETE,
            HOST_CLASS_UNUSED, MIXED_CHANGE, OLD, PROJECTED_IN_GATING, RATE_NOT_STATED,
            RELAXED_TOO_FAR, ROSTER_DIFFERS, SUBJECT_WRONG, TIME_IN_FUTURE, TIME_MALFORMED,
            TOO_FEW_SAMPLES, UNKNOWN_KEY, VALUE_NOT_FINITE, VALUE_NOT_MEDIAN, VALUE_NOT_POSITIVE,
        },
    },
    lane::{BASE_IS_HEAD, VALUES_CHANGED_HEADER_SAME},
    pattern::Pattern,
};
use portcullis::{
    Code, Examined, Fault, File, Finding, Findings, GateContext, GateError, GateTable, Globs,
    Location, RelPath, SkipReason,
    wire::code::{BASE_UNRESOLVABLE, DIGEST_MISMATCH},
};
use portcullis_canary::baseline::{self, Baseline, Reading};
use serde::Deserialize;
use std::collections::BTreeMap;
use teeth::TEETH;
use toml::Spanned;

portcullis::gate_kind! {
    /// Keeps committed baselines measured, whole, and refreshed by themselves.
    ///
    /// ### What it checks
    /// Every file of `baselines` is a baseline as the tools write it: every field of its header, positive values that
    /// are the medians of enough samples, and digests that are those of its content. It names the metrics of its
    /// canary's roster, less those it calls retired, and of a change none is gone without being retired. Compared with
    /// the base of the change, values change only under a later and otherwise new header, and no value rises by more
    /// than `max_relax_pct`. A change of a baseline touches nothing outside `allowed_paths`, and its commits say so.
    ///
    /// ### Why it gates
    /// A baseline is what a canary is held against. One that is invented, scaled, or refreshed together with the slow
    /// change lets every later regression pass.
    ///
    /// ### Example
    /// Refused: all values multiplied by 1000 under the same header; a refresh beside an edit of `src/`. Accepted: a
    /// commit `bench(baselines): refresh suite` that holds what `cargo portcullis canary refresh` wrote, alone.
    ///
    /// ### Configuration
    /// - `baselines`: globs of the files, required; a set that matches nothing is an error, and so is a baseline that a
    ///   canary names outside of it.
    /// - `allowed_paths`: globs of what a refresh may touch beside baselines; default nothing.
    /// - `max_relax_pct`: how far a refresh may raise a value, in percent; default 20. More needs a waiver.
    /// - `subject_pattern`: what the subject of a commit that changes a baseline matches; default
    ///   `^bench\(baselines\): refresh `.
    /// - `max_age_days`: from when on a baseline is told to be old; default 180.
    /// - `base_ref`: the revision to compare with, an ancestor of `HEAD`; default the merge base with what the run or
    ///   the provider names, else with the default branch.
    ///
    /// ### Remediation
    /// - `header_incomplete`, `unknown_key`, `time_malformed`, `value_not_median`, `digest_mismatch`: do not write a
    ///   baseline by hand; refresh it with `cargo portcullis canary refresh`.
    /// - `time_in_future`: set the clock of the machine that refreshes.
    /// - `roster_differs`: measure what the roster names, correct the roster, or name the metric under `retired`.
    /// - `value_not_positive`, `value_not_finite`, `too_few_samples`: measure again; these are no measurements.
    /// - `values_changed_header_same`: refresh with a later run and its own reason, or restore the values.
    /// - `commit_unknown`: measure a commit of this history; in CI fetch the whole history.
    /// - `mixed_change`: move the refresh to a change of its own.
    /// - `subject_wrong`: say in the subject of the commit that it refreshes baselines.
    /// - `relaxed_too_far`: find what became slower; if it has to stay, waive this finding until a day.
    /// - `projected_in_gating`: measure on the machine that gates, or make the canary advisory.
    /// - `rate_not_stated`: run `cargo portcullis canary calibrate` often enough, and refresh.
    /// - `old`: refresh it, or confirm in review that nothing it depends on changed.
    /// - `host_class_unused`: refresh it on the machines that measure now.
    /// - `baseline_missing`, `baseline_unreadable`: restore the file, or correct `baselines`.
    /// - `base_unresolvable`: fetch the whole history, `fetch-depth: 0` for actions/checkout.
    /// - `base_is_head`: hand over the commit before the change in `PORTCULLIS_BASE`.
    pub static CANARY_BASELINE_HYGIENE: "canary_baseline_hygiene", since = "0.1.0", config = Config,
        validate = validate, check = check, codes = CODES, teeth = TEETH;
}

const CODES: &[Code] = &[
    HEADER_INCOMPLETE,
    UNKNOWN_KEY,
    TIME_MALFORMED,
    TIME_IN_FUTURE,
    ROSTER_DIFFERS,
    VALUE_NOT_POSITIVE,
    VALUE_NOT_FINITE,
    VALUE_NOT_MEDIAN,
    TOO_FEW_SAMPLES,
    DIGEST_MISMATCH,
    VALUES_CHANGED_HEADER_SAME,
    COMMIT_UNKNOWN,
    MIXED_CHANGE,
    SUBJECT_WRONG,
    RELAXED_TOO_FAR,
    PROJECTED_IN_GATING,
    RATE_NOT_STATED,
    OLD,
    HOST_CLASS_UNUSED,
    BASELINE_MISSING,
    BASELINE_UNREADABLE,
    BASE_UNRESOLVABLE,
    BASE_IS_HEAD,
];

const MAX_RELAX_PCT: u32 = 20;
const MAX_AGE_DAYS: u32 = 180;
const SUBJECT_PATTERN: &str = "^bench\\(baselines\\): refresh ";
/// A baseline that may double unnoticed holds nothing.
const RELAX_MAX_PCT: u32 = 100;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    baselines: Globs,
    #[serde(default)]
    allowed_paths: Option<Globs>,
    #[serde(default = "max_relax_pct")]
    max_relax_pct: Spanned<u32>,
    #[serde(default)]
    subject_pattern: Option<Pattern>,
    #[serde(default = "max_age_days")]
    max_age_days: u32,
    base_ref: Option<String>,
}

fn max_relax_pct() -> Spanned<u32> {
    Spanned::new(0..0, MAX_RELAX_PCT)
}

const fn max_age_days() -> u32 {
    MAX_AGE_DAYS
}

fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    if *config.max_relax_pct.get_ref() > RELAX_MAX_PCT {
        let headline = format!("`max_relax_pct` is above {RELAX_MAX_PCT}");
        return vec![refuse(table, headline, "state at most 100 %; more is a waiver")];
    }
    Vec::new()
}

/// Judges every baseline by itself, against its canary, and against the base of the change.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    if cx.tool("git")?.is_none() {
        return Ok(Examined::skipped(SkipReason::ToolMissing, "`git` is not on the search path"));
    }
    let canaries = Canary::all(cx.policy()).map_err(first)?;
    let files = cx.files(&config.baselines)?;
    let named: BTreeMap<&RelPath, &Canary> =
        canaries.values().filter_map(|canary| Some((canary.baseline()?, canary))).collect();
    present(config, &files, &named)?;
    let base = base_commit(cx, config.base_ref.as_deref())?;
    let change = change::Change::read(cx, config, base)?;
    let mut examined = 0;
    for file in &files {
        let reading = read(file)?;
        let canary = named.get(file.path()).copied();
        content::judge(cx, config, file.path(), &reading, canary, out)?;
        change.judge(cx, config, file, &reading, out)?;
        if let (Some(canary), Some(baseline)) = (canary, &reading.baseline)
            && let Some(fault) = canary.against(baseline).into_iter().next()
        {
            return Err(fault);
        }
        examined += reading.names.len().max(1);
    }
    change.deleted(config, &files, out);
    Ok(Examined::items(examined))
}

/// Every file that has to be there is there, and is looked at.
fn present(
    config: &Config,
    files: &[File<'_>],
    named: &BTreeMap<&RelPath, &Canary>,
) -> Result<(), GateError> {
    let missing = |headline: String, remedy: &str| {
        Err(Fault::new(BASELINE_MISSING, headline, remedy).expected(config.baselines.to_string()))
    };
    if files.is_empty() {
        return missing(
            "no file is a baseline".to_owned(),
            "refresh a canary, or correct `baselines`",
        );
    }
    for (path, canary) in named {
        if !config.baselines.matches(path.as_str()) {
            let headline = format!("`{path}` of the canary `{}` is not looked at", canary.id);
            return missing(headline, "widen `baselines`");
        }
        if !files.iter().any(|file| file.path() == *path) {
            let headline = format!("the baseline `{path}` of `{}` does not exist", canary.id);
            return missing(headline, "refresh the canary, or restore the file");
        }
    }
    Ok(())
}

fn read(file: &File<'_>) -> Result<Reading, GateError> {
    let bytes = file.bytes()?;
    baseline::read(file.path().as_str(), &bytes)
        .map_err(|problem| unreadable(file.path(), &problem))
}

/// The fault for a file that is no document at all.
fn unreadable(path: &RelPath, problem: &portcullis_canary::Problem) -> Fault {
    let remedy = "restore it, or refresh it with `cargo portcullis canary refresh`";
    Fault::new(BASELINE_UNREADABLE, format!("the baseline `{path}` cannot be read"), remedy)
        .at(Location::file(path))
        .found(problem.detail.clone())
}

/// A finding about a baseline, or about one metric of it.
fn finding(
    code: Code,
    path: &RelPath,
    what: &str,
    message: impl Into<String>,
    remedy: &str,
) -> Finding {
    let subject = if what.is_empty() { path.to_string() } else { format!("{path}#{what}") };
    Finding::new(code, subject, message, remedy).at(Location::file(path))
}

/// The baseline of a document, where it can be used.
fn usable(reading: &Reading) -> Option<&Baseline> {
    reading.baseline.as_ref()
}

#[cfg(test)]
mod tests;
