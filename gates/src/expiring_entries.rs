//! Entries that hold for a while: owned, dated, reasoned, and over when their day is. It prunes nothing.

mod entry;
mod preset;

use crate::toml_file::{TomlFile, in_file_order};
use portcullis::{
    Code, Examined, Fault, Findings, GateContext, GateError, GateTable, Lane, RelPath,
    wire::code::{
        CONFIG_INVALID, QUARANTINE_EXPIRED, QUARANTINE_EXPIRING, QUARANTINE_INVALID,
        QUARANTINE_SPAN_EXCEEDED, WAIVER_CLIFF, WAIVER_EXPIRED, WAIVER_EXPIRING,
        WAIVER_FILE_INVALID, WAIVER_NOT_WAIVABLE, WAIVER_NOT_YET_VALID, WAIVER_SPAN_EXCEEDED,
        WAIVER_UNKNOWN_GATE,
    },
};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

portcullis::gate_kind! {
    /// Holds the entries of a TOML table to their owners and their dates.
    /// ### What it checks
    /// Each entry has every required field and no unknown one, its dates are TOML local dates, it lasts no longer than
    /// allowed, and its id exists. Two clocks: what a commit got wrong fails in every lane; what the calendar did
    /// is announced, then fails `main`, `release` and the change that touches the file, gives other pull requests
    /// seven days, and never fails `local`. The presets apply the rules for waivers and for quarantine.
    /// ### Why it gates
    /// An exception without an end is a rule that nobody keeps. A misspelt `expires`, a day that does not exist or a
    /// gate that was renamed must not leave an exception that holds for ever.
    /// ### Example
    /// Refused: `[waiver.build] expires = 2026-02-30`. No waiver of that file applies until the line is mended.
    /// ### Configuration
    /// - `file`: the TOML file, required; it must exist. `table`: the dotted name of the table, required; a table that
    ///   is absent or empty is fine, for the file was looked at.
    /// - `preset`: `"waivers"` (seven fields, 30 days) or `"quarantine"` (nine fields, 14 days); the keys below are
    ///   then not allowed.
    /// - `required`, `optional`: names of text fields. `enums`: fields and the texts they may have.
    /// - `created`, `expires`: names of the date fields, both required.
    /// - `max_span_days`, `warn_days`: whole days, both required.
    /// - `ids`: what the names of entries are, required: `"gates"`, `"test_targets"` or `"none"`.
    /// ### Remediation
    /// - `waiver_file_invalid`, `quarantine_invalid`, `entry_invalid`: mend the line; until then no waiver applies.
    /// - `waiver_unknown_gate`, `entry_unknown_id`: correct the name, or remove the entry.
    /// - `waiver_not_waivable`: remove it; what watches the waivers cannot be waived.
    /// - `waiver_span_exceeded`, `quarantine_span_exceeded`, `entry_span_exceeded`: shorten it; renew it when it ends.
    /// - `waiver_expired`, `quarantine_expired`, `entry_expired`: mend what it excuses, or renew it with a reason.
    /// - `waiver_expiring`, `quarantine_expiring`, `entry_expiring`, advisory: plan the work.
    /// - `waiver_not_yet_valid`: correct the day it was created.
    /// - `waiver_cliff`, advisory: spread the days, so that not all of them end at once.
    pub static EXPIRING_ENTRIES: "expiring_entries", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = CODES, teeth = TEETH;
}

const ENTRY_INVALID: Code = Code::new(
    "PC1010",
    "entry_invalid",
    "An entry lacks a field, has an unknown one, or a value of another kind.",
);
const ENTRY_EXPIRED: Code =
    Code::new("PC1011", "entry_expired", "An entry is past its last valid day.");
const ENTRY_EXPIRING: Code = Code::new("PC1012", "entry_expiring", "An entry expires soon.");
const ENTRY_SPAN_EXCEEDED: Code =
    Code::new("PC1013", "entry_span_exceeded", "An entry lasts longer than allowed.");
const ENTRY_UNKNOWN_ID: Code =
    Code::new("PC1014", "entry_unknown_id", "An entry names something that does not exist.");

/// Every code of this kind; those of the presets are the harness's own.
const CODES: &[Code] = &[
    ENTRY_INVALID,
    ENTRY_EXPIRED,
    ENTRY_EXPIRING,
    ENTRY_SPAN_EXCEEDED,
    ENTRY_UNKNOWN_ID,
    WAIVER_FILE_INVALID,
    WAIVER_NOT_WAIVABLE,
    WAIVER_EXPIRED,
    WAIVER_EXPIRING,
    WAIVER_SPAN_EXCEEDED,
    WAIVER_UNKNOWN_GATE,
    WAIVER_CLIFF,
    WAIVER_NOT_YET_VALID,
    QUARANTINE_EXPIRED,
    QUARANTINE_SPAN_EXCEEDED,
    QUARANTINE_INVALID,
    QUARANTINE_EXPIRING,
];

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    file: Spanned<String>,
    table: Spanned<String>,
    preset: Option<Preset>,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    optional: Vec<String>,
    #[serde(default)]
    enums: BTreeMap<String, Vec<String>>,
    created: Option<String>,
    expires: Option<String>,
    max_span_days: Option<u16>,
    warn_days: Option<u16>,
    ids: Option<Ids>,
}

/// Rules that the kernel knows.
#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Preset {
    Waivers,
    Quarantine,
}

/// What the names of entries are.
#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ids {
    Gates,
    TestTargets,
    None,
}

/// Refuses a table without rules, and rules beside a preset.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: usize, headline: &str, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(table.locate(offset)));
    };
    let at = config.table.span().start;
    if let Err(source) = RelPath::parse(config.file.get_ref()) {
        refuse(config.file.span().start, &source.to_string(), "name a file of the repository");
    }
    if config.table.get_ref().split('.').any(str::is_empty) {
        refuse(at, "`table` is not a dotted name", "write `waiver` or `a.b`");
    }
    let has_fields =
        !(config.required.is_empty() && config.optional.is_empty() && config.enums.is_empty());
    let stated = [
        config.created.is_some(),
        config.expires.is_some(),
        config.max_span_days.is_some(),
        config.warn_days.is_some(),
        config.ids.is_some(),
    ];
    match config.preset {
        Some(_) if has_fields || stated.contains(&true) => {
            refuse(at, "a preset has its own rules", "remove `preset`, or the keys beside it");
        }
        None if stated.contains(&false) => refuse(
            at,
            "the rules of the entries are not complete",
            "state `created`, `expires`, `max_span_days`, `warn_days` and `ids`, or a `preset`",
        ),
        Some(_) | None => {}
    }
    let own = match config.preset {
        Some(Preset::Waivers) => Some("waiver"),
        Some(Preset::Quarantine) => Some("quarantine"),
        None => None,
    };
    if own.is_some_and(|own| own != config.table.get_ref()) {
        refuse(
            at,
            "the preset is for another table",
            "write `waiver` for waivers, `quarantine` for quarantine",
        );
    }
    if config.created.is_some() && config.created == config.expires {
        refuse(at, "`created` and `expires` are one field", "name two fields");
    }
    if cfg!(not(feature = "classification")) && config.ids == Some(Ids::TestTargets) {
        refuse(
            at,
            "test targets need the feature `classification` of portcullis-gates",
            "switch it on",
        );
    }
    faults
}

/// Judges every entry, and returns one for the file and one for each entry.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let source = cx.file_at(config.file.get_ref())?;
    let file = TomlFile::new(source.path(), source.text()?)?;
    let is_touched = is_touched(cx, file.path())?;
    match config.preset {
        Some(Preset::Waivers) => Ok(preset::waivers(cx, &file, is_touched, out)),
        Some(Preset::Quarantine) => Ok(preset::quarantine(cx, &file, out)),
        None => entries(cx, config, &file, is_touched, out),
    }
}

/// Whether this pull request edits the file; such a change has no grace.
fn is_touched(cx: &GateContext<'_>, path: &RelPath) -> Result<bool, GateError> {
    match (cx.lane(), &cx.source().base) {
        (Lane::Pr, Some(base)) => {
            let changed = cx.watch(cx.git().changed_files(base))?;
            Ok(changed.iter().any(|changed| changed == path.as_str()))
        }
        (Lane::Pr, None) | (Lane::Local | Lane::Main | Lane::Release, _) => Ok(false),
    }
}

fn entries(
    cx: &GateContext<'_>,
    config: &Config,
    file: &TomlFile,
    is_touched: bool,
    out: &mut Findings,
) -> Result<Examined, GateError> {
    let root = file.parse()?;
    let Some(table) = file.table(&root, config.table.get_ref())? else {
        return Ok(Examined::items(1));
    };
    let known = match known_ids(cx, config)? {
        Known::Ids(ids) => ids,
        Known::Skipped(examined) => return Ok(examined),
    };
    for (name, value) in in_file_order(table) {
        let entry = entry::Entry::read(config, file, name, value, out);
        entry.judge(cx, config, file, known.as_ref(), is_touched, out);
    }
    Ok(Examined::items(1 + table.len()))
}

/// The ids that entries may have; `None` where any will do.
enum Known {
    Ids(Option<BTreeSet<String>>),
    #[cfg_attr(
        not(feature = "classification"),
        expect(dead_code, reason = "only cargo can be absent")
    )]
    Skipped(Examined),
}

fn known_ids(cx: &GateContext<'_>, config: &Config) -> Result<Known, GateError> {
    match config.ids {
        Some(Ids::Gates) => {
            Ok(Known::Ids(Some(cx.gates().iter().map(|gate| gate.common.id.to_string()).collect())))
        }
        Some(Ids::TestTargets) => test_targets(cx),
        Some(Ids::None) | None => Ok(Known::Ids(None)),
    }
}

#[cfg(feature = "classification")]
fn test_targets(cx: &GateContext<'_>) -> Result<Known, GateError> {
    use crate::classification::universe::{Members, cargo_test_targets};
    Ok(match cargo_test_targets(cx, "Cargo.toml")? {
        Members::Known(members) => Known::Ids(Some(
            members
                .into_iter()
                .flat_map(|member| [Some(member.name), member.short])
                .flatten()
                .collect(),
        )),
        Members::Skipped(examined) => Known::Skipped(examined),
    })
}

/// Refused by `validate` already; no id is known, so every entry is reported.
#[cfg(not(feature = "classification"))]
fn test_targets(_cx: &GateContext<'_>) -> Result<Known, GateError> {
    Ok(Known::Ids(Some(BTreeSet::new())))
}

mod fixtures;
use fixtures::TEETH;

#[cfg(test)]
mod tests;
