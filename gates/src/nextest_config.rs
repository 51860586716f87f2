//! nextest's own configuration: every key is one that nextest reads, every filter matches, nothing hides a failure.
//! It leaves out what command lines and the environment override.

mod filters;
mod hides;
mod keys;
mod teeth;

use crate::{
    admission::{Admission, Admissions, fault as admission_fault},
    artifact::absent,
    calendar::LocalDate,
    lane::{ADMISSION_EXPIRED, ADMISSION_UNUSED, NOT_STATIC},
    test_roster::{Resolve, Roster},
    toml_file::{TomlFile, in_file_order},
};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, RelPath,
};
use teeth::TEETH;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

portcullis::gate_kind! {
    /// Keeps nextest's configuration from saying something that nextest does not do, and from hiding failures.
    ///
    /// ### What it checks
    /// Every key of the file is one that nextest reads at that place. Every `filter` of an override and of a script
    /// matches at least one test, so that the timeouts, groups and retries it sets are set for something. No retry
    /// makes a failure green: where the effective `retries` are above 0, the effective `flaky-result` is `fail`. No
    /// `default-filter` leaves tests out, and no `on-timeout` lets a killed test pass.
    ///
    /// ### Why it gates
    /// nextest warns of an unknown key and goes on without it, and says nothing about a filter that matches nothing. A
    /// serial group that nobody is in, and a timeout that is never set, look the same as working ones.
    ///
    /// ### Example
    /// Refused: `[profile.ci] retry = 0`, for the key is `retries`. Refused: an override with
    /// `filter = "binary(=load_baering)"`. Accepted: `retries = 2` beside `flaky-result = "fail"`.
    ///
    /// ### Configuration
    /// - `path`: the file, default `.config/nextest.toml`. That it is absent is an error.
    /// - `known_keys`: keys newer than nextest 0.9.143, dotted from the root, `*` for a name; default none.
    /// - `resolve`: who says which tests there are: `list` (default) asks nextest, which builds them; `static` reads
    ///   their sources, all those under a condition included.
    /// - `admit`: tables with `profile`, `key` (`retries`, `default-filter` or `on-timeout`), `reason` and `expires`.
    ///
    /// ### Remediation
    /// - `nextest_config_unknown_key`: correct the key, or remove it; a key newer than this table goes to `known_keys`.
    /// - `nextest_override_unmatched`: correct the filter, or remove the override.
    /// - `nextest_retries_hide`: add `flaky-result = "fail"`, or set `retries = 0` and quarantine the flaky test.
    /// - `nextest_default_filter_hides`: remove the filter, and select on the command line of the lane that wants less.
    /// - `nextest_timeout_passes`: remove `on-timeout`.
    /// - `nextest_filter_invalid`: mend the expression; nextest refuses it, too.
    /// - `not_static`: write the filter with names, binaries, kinds and packages, or resolve by `list`.
    /// - `admission_unused`: remove the entry. `admission_expired`: end what it admits, or renew it.
    /// - `artifact_missing`: add the file, or correct `path`.
    pub static NEXTEST_CONFIG: "nextest_config", since = "0.1.0", config = Config, validate = validate, check = check,
        codes = CODES, teeth = TEETH;
}

const UNKNOWN_KEY: Code = Code::new(
    "PC1575",
    "nextest_config_unknown_key",
    "A key of nextest's configuration is none that nextest reads.",
);
const OVERRIDE_UNMATCHED: Code = Code::new(
    "PC1576",
    "nextest_override_unmatched",
    "A filter of nextest's configuration matches no test.",
);
const RETRIES_HIDE: Code =
    Code::new("PC1577", "nextest_retries_hide", "Retries make a failed test green.");
const DEFAULT_FILTER_HIDES: Code = Code::new(
    "PC1578",
    "nextest_default_filter_hides",
    "A default filter leaves tests out without a word.",
);
const TIMEOUT_PASSES: Code = Code::new(
    "PC1579",
    "nextest_timeout_passes",
    "A test that is killed for its time counts as passed.",
);
const FILTER_INVALID: Code = Code::new(
    "PC1580",
    "nextest_filter_invalid",
    "A filter of nextest's configuration is no filter expression.",
);

const CODES: &[Code] = &[
    UNKNOWN_KEY,
    OVERRIDE_UNMATCHED,
    RETRIES_HIDE,
    DEFAULT_FILTER_HIDES,
    TIMEOUT_PASSES,
    FILTER_INVALID,
    NOT_STATIC,
    ADMISSION_UNUSED,
    ADMISSION_EXPIRED,
    crate::artifact_contract::ARTIFACT_MISSING,
];

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "path")]
    path: RelPath,
    #[serde(default)]
    known_keys: Vec<String>,
    #[serde(default)]
    resolve: Resolve,
    #[serde(default)]
    admit: Vec<Spanned<Admit>>,
}

/// One setting that may hide something, for a reason.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Admit {
    profile: String,
    key: Key,
    reason: String,
    expires: LocalDate,
}

/// A setting that can hide a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Key {
    Retries,
    DefaultFilter,
    OnTimeout,
}

impl Key {
    fn name(self) -> &'static str {
        match self {
            Self::Retries => "retries",
            Self::DefaultFilter => "default-filter",
            Self::OnTimeout => "on-timeout",
        }
    }
}

fn path() -> RelPath {
    RelPath::parse(".config/nextest.toml").expect("a plain relative path")
}

/// Refuses admissions without a reason.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    config.admit.iter().filter_map(|admit| admission_fault(&admission(admit), table)).collect()
}

fn admission(admit: &Spanned<Admit>) -> Admission<'_> {
    let entry = admit.get_ref();
    Admission {
        what: format!("`{}` of profile `{}`", entry.key.name(), entry.profile),
        reason: &entry.reason,
        expires: Some(entry.expires),
        offset: admit.span().start,
    }
}

/// Reads the file, its keys, its filters and what it hides; returns how many of each were looked at.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let source = cx.file(&config.path);
    if !source.exists()? {
        return cx.watch(Err(absent(&config.path)));
    }
    let file = cx.watch(TomlFile::new(&config.path, source.text()?))?;
    let root = cx.watch(file.parse())?;
    let mut seen = Seen { config, file: &file, examined: 0 };
    seen.keys(&root, &mut Vec::new(), out);
    let profiles = cx.watch(hides::profiles(&file, &root))?;
    let admitted = config.admit.iter().map(admission);
    let mut admissions = Admissions::new(cx, admitted);
    seen.examined += hides::retries(&mut seen.judge(&mut admissions), &profiles, out);
    seen.examined += hides::timeouts(&mut seen.judge(&mut admissions), &profiles, out);
    let filters = cx.watch(filters::of(&file, &profiles))?;
    if !filters.is_empty() {
        let Some(roster) = Roster::read(cx, config.resolve)? else {
            return Ok(Roster::skipped(config.resolve));
        };
        seen.examined += filters.len();
        filters::judge(cx, &mut seen.judge(&mut admissions), &filters, &roster, out)?;
    }
    admissions.report(out);
    Ok(Examined::items(seen.examined))
}

/// The file under examination.
struct Seen<'c> {
    config: &'c Config,
    file: &'c TomlFile,
    examined: usize,
}

/// What the judges of settings need: the place of a value, and whether it is admitted.
struct Judge<'j, 'c> {
    config: &'c Config,
    file: &'c TomlFile,
    admissions: &'j mut Admissions<'c>,
}

impl Judge<'_, '_> {
    /// Reports a setting, unless an admission that still applies names it.
    fn report(
        &mut self,
        (code, key): (Code, Key),
        profile: &str,
        offset: usize,
        (message, found, remedy): (String, String, &str),
        out: &mut Findings,
    ) {
        let names = |admit: &Spanned<Admit>| {
            admit.get_ref().profile == profile && admit.get_ref().key == key
        };
        let index = self.config.admit.iter().position(names);
        if index.is_some_and(|index| self.admissions.cover(index)) {
            return;
        }
        let subject = format!("profile.{profile}.{}", key.name());
        out.push(
            Finding::new(code, subject, message, remedy).at(self.file.locate(offset)).found(found),
        );
    }
}

impl<'c> Seen<'c> {
    fn judge<'j>(&self, admissions: &'j mut Admissions<'c>) -> Judge<'j, 'c> {
        Judge { config: self.config, file: self.file, admissions }
    }

    /// Walks every key. What is below an unknown one is not looked at: its parent says it all.
    fn keys<'t>(&mut self, table: &'t DeTable<'_>, place: &mut Vec<&'t str>, out: &mut Findings) {
        for (key, value) in in_file_order(table) {
            place.push(key.get_ref());
            self.examined += 1;
            if keys::is_known(place) || self.is_admitted(place) {
                self.below(value, place, out);
            } else {
                let name = place.join(".");
                let near = keys::nearest(place);
                let remedy = match &near {
                    Some(near) => format!("write `{near}`, or remove the key"),
                    None => {
                        "remove the key, or name it in `known_keys` if nextest is newer".to_owned()
                    }
                };
                out.push(
                    Finding::new(
                        UNKNOWN_KEY,
                        &name,
                        format!("nextest does not read `{name}`, and goes on without it"),
                        remedy,
                    )
                    .at(self.file.locate(key.span().start)),
                );
            }
            place.pop();
        }
    }

    fn below<'t>(
        &mut self,
        value: &'t Spanned<DeValue<'_>>,
        place: &mut Vec<&'t str>,
        out: &mut Findings,
    ) {
        if let Some(table) = value.get_ref().as_table() {
            self.keys(table, place, out);
        }
        for item in value.get_ref().as_array().into_iter().flat_map(|items| items.iter()) {
            if let Some(table) = item.get_ref().as_table() {
                self.keys(table, place, out);
            }
        }
    }

    /// Whether the gate's own table names a key, itself or what it is below.
    fn is_admitted(&self, place: &[&str]) -> bool {
        self.config.known_keys.iter().any(|known| {
            let parts: Vec<&str> = known.split('.').collect();
            parts.len() <= place.len()
                && parts.iter().zip(place).all(|(part, name)| *part == "*" || part == name)
        })
    }
}

#[cfg(test)]
mod tests;
