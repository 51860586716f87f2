//! The table of a diff guard, and what in it cannot be used.

use crate::{
    admission::{self, Admission},
    artifact::refuse,
    calendar::LocalDate,
    json_path::Pointer,
};
use portcullis::{Fault, GateTable, Globs, RelPath, wire::code::CONFIG_INVALID};
use serde::Deserialize;
use toml::Spanned;

/// One `[[gate]]` table of this kind. A guard that names nothing is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) base: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) frozen: Vec<Frozen>,
    #[serde(default)]
    pub(super) sidecar: Vec<Sidecar>,
    #[serde(default)]
    pub(super) stamp: Vec<Stamp>,
}

/// Files that do not change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Frozen {
    pub(super) paths: Spanned<Globs>,
    #[serde(default)]
    pub(super) allow: Vec<Spanned<Allow>>,
}

/// One file that may, for a reason, until a day.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allow {
    pub(super) path: RelPath,
    reason: String,
    expires: LocalDate,
}

/// Files that change together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sidecar {
    pub(super) when: Spanned<Globs>,
    pub(super) require: Globs,
    #[serde(default)]
    pub(super) same_stem: bool,
}

/// Values that change under a new header only.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stamp {
    pub(super) path: Spanned<Globs>,
    pub(super) body: Vec<Spanned<Pointer>>,
    pub(super) header: Vec<Spanned<Pointer>>,
    #[serde(default)]
    pub(super) keys: Keys,
}

/// Whether values may go away.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Keys {
    /// No.
    #[default]
    NoLoss,
    /// Yes.
    Any,
}

/// Refuses a guard that guards nothing, and admissions without a reason.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    if config.frozen.is_empty() && config.sidecar.is_empty() && config.stamp.is_empty() {
        faults.push(refuse(
            table,
            "the guard has no rule",
            "add a `frozen`, `sidecar` or `stamp` table",
        ));
    }
    for allow in config.frozen.iter().flat_map(|rule| &rule.allow) {
        faults.extend(admission::fault(&admission(allow), table));
        if !config
            .frozen
            .iter()
            .any(|rule| rule.paths.get_ref().matches(allow.get_ref().path.as_str()))
        {
            let headline = format!("`{}` is admitted and is not frozen", allow.get_ref().path);
            faults.push(
                Fault::new(CONFIG_INVALID, headline, "correct the path, or remove the entry")
                    .at(table.locate(allow.span().start)),
            );
        }
    }
    for rule in &config.stamp {
        if rule.body.is_empty() || rule.header.is_empty() {
            let headline = "a stamp has no `body` or no `header`";
            faults.push(
                Fault::new(CONFIG_INVALID, headline, "name at least one pointer in each")
                    .at(table.locate(rule.path.span().start)),
            );
        }
    }
    faults
}

/// What an entry of `allow` admits.
pub(super) fn admission(allow: &Spanned<Allow>) -> Admission<'_> {
    let entry = allow.get_ref();
    Admission {
        what: format!("the change of `{}`", entry.path),
        reason: &entry.reason,
        expires: Some(entry.expires),
        offset: allow.span().start,
    }
}
