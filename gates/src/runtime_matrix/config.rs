//! The configuration of the runtime matrix. It starts nothing.

use crate::calendar::{Season, days, local_date, season};
use portcullis::{
    Day, Fault, GateTable, Globs, Lane, RelPath, kernel::duration::Millis,
    wire::code::CONFIG_INVALID,
};
use serde::{Deserialize, Deserializer};
use std::{collections::BTreeSet, time::Duration};
use toml::Spanned;

const REASON_MIN: usize = 20;
const WARN_DAYS: i64 = 14;
const TIMEOUT: Duration = Duration::from_secs(30);

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) probes: Globs,
    pub(super) runtimes: Vec<Runtime>,
    #[serde(default)]
    pub(super) known: Vec<Spanned<Known>>,
    pub(super) on_absent: OnAbsent,
    probe_timeout: Option<Millis>,
}

/// A runtime and how a probe is started on it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Runtime {
    pub(super) name: String,
    pub(super) argv: Vec<String>,
    pub(super) version: Vec<String>,
    #[serde(default)]
    pub(super) tool_dirs: Vec<RelPath>,
}

/// A difference that is expected for a while.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    pub(super) probe: RelPath,
    pub(super) reason: String,
    #[serde(deserialize_with = "day")]
    expires: Day,
}

/// What absence means.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OnAbsent {
    Skip,
    Fail,
    FailInCi,
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
    let value: toml::value::Datetime = Deserialize::deserialize(deserializer)?;
    local_date(&value).map_err(serde::de::Error::custom)
}

/// What a declared difference is worth today.
pub(super) enum Expectation {
    Holds,
    Ends(String),
    Grace(String),
    Ended(String),
}

impl Known {
    pub(super) fn expectation(&self, today: Day, lane: Lane) -> Expectation {
        let probe = &self.probe;
        match season(self.expires, today, lane, WARN_DAYS, false) {
            Season::Valid => Expectation::Holds,
            Season::Expiring(left) => Expectation::Ends(format!(
                "the declared difference of `{probe}` ends after {}",
                days(left)
            )),
            Season::Grace(over) => Expectation::Grace(format!(
                "the declared difference of `{probe}` ended {} ago",
                days(over)
            )),
            Season::Expired(over) => Expectation::Ended(format!(
                "the declared difference of `{probe}` ended {} ago",
                days(over)
            )),
        }
    }
}

impl Config {
    pub(super) fn timeout(&self) -> Duration {
        self.probe_timeout.map_or(TIMEOUT, |timeout| Duration::from_millis(timeout.0))
    }
}

/// Refuses a matrix that could compare nothing, and differences that nobody explains.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: Option<usize>, headline: String, remedy: &str| {
        let place = offset.map_or_else(|| table.location.clone(), |offset| table.locate(offset));
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(place));
    };
    let names: BTreeSet<&str> =
        config.runtimes.iter().map(|runtime| runtime.name.as_str()).collect();
    if config.runtimes.len() < 2 || names.len() != config.runtimes.len() {
        let headline = "a matrix needs two runtimes or more, with different names".to_owned();
        refuse(None, headline, "name what is compared");
    }
    for runtime in &config.runtimes {
        if runtime.name.is_empty() || runtime.argv.is_empty() || runtime.version.is_empty() {
            let headline =
                format!("the runtime `{}` lacks a name, `argv` or `version`", runtime.name);
            refuse(
                None,
                headline,
                "write the program, and the arguments that make it say its version",
            );
        }
    }
    let mut seen = BTreeSet::new();
    for known in &config.known {
        let at = Some(known.span().start);
        let entry = known.get_ref();
        if entry.reason.trim().chars().count() < REASON_MIN {
            let headline =
                format!("the reason of a difference has less than {REASON_MIN} characters");
            refuse(at, headline, "say why the runtimes differ");
        }
        if !seen.insert(entry.probe.as_str()) {
            refuse(at, format!("`{}` is declared twice", entry.probe), "keep one of the two");
        }
    }
    faults
}
