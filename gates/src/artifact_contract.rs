//! An artifact must be what its readers rely on: present, of one schema, true to its rules, and fresh.
//! It never runs the producer, and it trusts no file time.

mod cel;
mod config;
mod contract;
mod freshness;
mod rule;

pub(crate) use cel::CelTable;
pub(crate) use contract::{Contract, Report, Terms};
pub(crate) use freshness::{Facts, Fields, Freshness, judge as judge_freshness};
pub(crate) use rule::RuleTable;

use config::{Config, OnMissing};
use portcullis::{Code, Examined, Finding, Findings, GateContext, GateError, Location, SkipReason};

portcullis::gate_kind! {
    /// Holds a machine-written artifact against a contract.
    ///
    /// ### What it checks
    /// The first of `paths` that exists has exactly the stated schema, every required field, every rule and every
    /// expression, and is as fresh as stated. Of a JSON Lines artifact every record is checked; a torn last line and
    /// a gap in `seq` are errors. JSON and TOML are read strictly: no key twice, no number beyond 2^53.
    ///
    /// ### Why it gates
    /// Whoever reads an artifact believes it. One that is missing, stale, or of another run is believed as well.
    ///
    /// ### Example
    /// Refused under `rules = [{ path = "/status", equals = "ready" }]`: `{"status": "blocked"}`, and a document
    /// without `status`. Accepted: `{"status": "ready"}`.
    ///
    /// ### Configuration
    /// - `path`, or `paths` in order of preference; `of_run = true` reads below the directory of this run.
    /// - `format`: `json`, `jsonl`, `toml` or `text`; default by the file name.
    /// - `schema`: the exact value of the field `schema`. `required`: JSON Pointers of fields that must exist.
    /// - `rules`: tables with `path`, a JSON Pointer in which `*` is each element, and tests: `exists`, `type`,
    ///   `equals`, `one_of`, `matches` (a regular expression, found anywhere: anchor it), `non_empty`, `empty`,
    ///   `positive_int`, `min`, `max`, `date_within` (`past`, `future`, `from`, `to`); on the list at the path, or on
    ///   what `*` selected: `sorted`, `unique`, `contains_all`, `exact_sequence`; `sum_equals` (paths that add up to
    ///   this one); `implies` (`when`, `then`: a rule or several, relative to `path`). A field that does not exist is
    ///   a finding; `*` over an empty list is an error unless the rule says `allow_empty = true`.
    /// - `cel`: expressions over `doc`, each a text or `{ expr, allow_empty }`; needs the feature `cel`. At most 4 KiB,
    ///   32 brackets, 2 macros deep, 10000 elements per list. Every field named outside `has()` must exist.
    /// - `contains`, `max_lines`: for text artifacts.
    /// - `freshness`, required: one or more of `max_age`, `max_commits`, `same_run`, `same_commit`, `inputs` (globs).
    /// - `run_id_field`, `commit_field`, `time_field`, `inputs_field`, `seq_field`: pointers, default `/run_id`,
    ///   `/source/commit` or `/git_sha`, `/generated_at`, `/inputs_digest`, `/seq`. In a text artifact a field is a
    ///   line `name: value`. The time of a stream is that of its last record.
    /// - `on_missing`: `fail`, or `skip` with reason `not_applicable`; default `fail`.
    ///
    /// ### Remediation
    /// - `artifact_missing`: run the producer, or correct the path.
    /// - `artifact_stale`: run the producer again on this commit.
    /// - `lineage_mismatch`: produce the artifact in this run; do not copy it from another.
    /// - `schema_mismatch`: produce it with the tool that writes this schema, or follow the new schema.
    /// - `field_missing`: produce it with this field, or correct the path of the rule.
    /// - `rule_broken`, `implication_broken`, `expr_false`: correct what the artifact is about, or the rule.
    /// - `expr_not_bool`: compare the value with something.
    /// - `expr_failed`: correct the expression or the artifact; an error of CEL is never absorbed.
    pub static ARTIFACT_CONTRACT: "artifact_contract", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

pub(crate) const ARTIFACT_MISSING: Code =
    Code::new("PC1100", "artifact_missing", "A required artifact does not exist.");
pub(crate) const ARTIFACT_STALE: Code =
    Code::new("PC1101", "artifact_stale", "An artifact is older than its contract allows.");
pub(crate) const LINEAGE_MISMATCH: Code =
    Code::new("PC1102", "lineage_mismatch", "An artifact is of another run or origin.");
pub(crate) const SCHEMA_MISMATCH: Code = Code::new(
    "PC1103",
    "schema_mismatch",
    "An artifact has another schema than the one asked for.",
);
pub(crate) const FIELD_MISSING: Code =
    Code::new("PC1104", "field_missing", "A field that a contract names does not exist.");
const RULE_BROKEN: Code =
    Code::new("PC1105", "rule_broken", "A value is not what a rule of the contract says.");
const IMPLICATION_BROKEN: Code =
    Code::new("PC1106", "implication_broken", "A condition holds, and what it implies does not.");
const EXPR_FALSE: Code =
    Code::new("PC1107", "expr_false", "An expression of the contract is false.");
#[cfg(feature = "cel")]
const EXPR_NOT_BOOL: Code =
    Code::new("PC1108", "expr_not_bool", "An expression yields something else than a boolean.");
#[cfg(feature = "cel")]
const EXPR_FAILED: Code =
    Code::new("PC1109", "expr_failed", "An expression could not be evaluated.");

#[cfg(feature = "cel")]
const CODES: &[Code] = &[
    ARTIFACT_MISSING,
    ARTIFACT_STALE,
    LINEAGE_MISMATCH,
    SCHEMA_MISMATCH,
    FIELD_MISSING,
    RULE_BROKEN,
    IMPLICATION_BROKEN,
    EXPR_FALSE,
    EXPR_NOT_BOOL,
    EXPR_FAILED,
];
#[cfg(not(feature = "cel"))]
const CODES: &[Code] = &[
    ARTIFACT_MISSING,
    ARTIFACT_STALE,
    LINEAGE_MISMATCH,
    SCHEMA_MISMATCH,
    FIELD_MISSING,
    RULE_BROKEN,
    IMPLICATION_BROKEN,
];

/// Holds the first artifact that exists against the contract.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let (contract, format) = config.compile(cx.gate()).map_err(config::first)?;
    let names: Vec<String> = config.candidates().map(ToString::to_string).collect();
    for path in config.candidates() {
        let file = config.file(cx, path)?;
        if file.exists()? {
            cx.note(format!("artifact `{}` as {format:?}", file.path()));
            let mut report = Report::new(out, file.path().as_str());
            return Ok(Examined::items(contract.examine(cx, &file, &mut report)?.items));
        }
    }
    match config.on_missing {
        OnMissing::Skip => {
            let detail = format!("none of {} exists", names.join(", "));
            Ok(Examined::skipped(SkipReason::NotApplicable, detail))
        }
        OnMissing::Fail => {
            out.push(missing(&names.join(", ")));
            Ok(Examined::items(names.len()))
        }
    }
}

/// The finding for an artifact that had to exist.
pub(crate) fn missing(names: &str) -> Finding {
    let remedy = "run the tool that writes it, or correct the path";
    Finding::new(ARTIFACT_MISSING, names, format!("artifact {names} does not exist"), remedy)
        .at(Location::file(names))
}

mod teeth;
use teeth::TEETH;

#[cfg(test)]
mod tests;
