//! The table of this kind, and what is refused in it.

use crate::{
    admission::{self, Admission},
    calendar::LocalDate,
    shell::argv::ArgvPattern,
    workflow,
};
use portcullis::{Fault, GateTable, Globs, RelPath, wire::code::CONFIG_INVALID};
use std::collections::BTreeSet;
use toml::Spanned;

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default = "workflow::default_files")]
    pub(super) files: Globs,
    #[serde(default)]
    pub(super) known_keys: BTreeSet<String>,
    #[serde(default = "every")]
    pub(super) jobs: Vec<String>,
    #[serde(default = "verify")]
    pub(super) verify: Vec<ArgvPattern>,
    pub(super) nextest_config: Option<RelPath>,
    #[serde(default)]
    pub(super) allow_retries: bool,
    #[serde(default)]
    pub(super) advisory: Vec<Spanned<Advisory>>,
}

/// A place that may hide failures for a while.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advisory {
    pub(super) file: String,
    pub(super) job: String,
    pub(super) step: Option<String>,
    pub(super) reason: String,
    pub(super) expires: LocalDate,
}

fn every() -> Vec<String> {
    vec!["*".to_owned()]
}

fn verify() -> Vec<ArgvPattern> {
    let patterns = ["cargo **", "cargo-nextest **", "just **", "make **"];
    patterns.into_iter().filter_map(ArgvPattern::parse).collect()
}

/// Refuses what could protect nothing, and admissions without a real reason.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (key, is_empty) in [("jobs", config.jobs.is_empty()), ("verify", config.verify.is_empty())]
    {
        if is_empty {
            let headline = format!("`{key}` is empty, so nothing is protected");
            let remedy = "leave the key out to keep its default";
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(table.location.clone()));
        }
    }
    if let Err(fault) = config.job_globs() {
        faults.push(fault.at(table.location.clone()));
    }
    faults.extend(config.admissions().iter().filter_map(|one| admission::fault(one, table)));
    faults
}

impl Config {
    /// The patterns of protected jobs.
    pub(super) fn job_globs(&self) -> Result<Vec<(&String, Globs)>, Fault> {
        self.jobs.iter().map(|pattern| Ok((pattern, Globs::new(&[pattern])?))).collect()
    }

    /// Whether the exit code of a command carries a verdict.
    pub(super) fn is_verification(&self, argv: &[String]) -> bool {
        let own = argv.split(|word| word == "--").next().unwrap_or(argv);
        let asks_version = own.iter().any(|word| word == "--version" || word == "-V");
        let verb =
            own.iter().skip(1).find(|word| !word.starts_with(['-', '+'])).map(String::as_str);
        let is_cargo = argv.first().is_some_and(|program| program == "cargo");
        if asks_version || (is_cargo && matches!(verb, Some("install" | "fetch"))) {
            return false;
        }
        self.verify.iter().any(|pattern| pattern.matches(argv))
    }

    pub(super) fn admissions(&self) -> Vec<Admission<'_>> {
        let admission = |entry: &'_ Spanned<Advisory>| {
            let (offset, entry) = (entry.span().start, entry.get_ref());
            let step =
                entry.step.as_ref().map_or_else(String::new, |step| format!(", step `{step}`"));
            let what = format!("job `{}` of `{}`{step}", entry.job, entry.file);
            (what, offset)
        };
        self.advisory
            .iter()
            .map(|entry| {
                let (what, offset) = admission(entry);
                let entry = entry.get_ref();
                Admission { what, reason: &entry.reason, expires: Some(entry.expires), offset }
            })
            .collect()
    }
}
