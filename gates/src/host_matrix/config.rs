//! The configuration of the host matrix. It looks at no machine.

pub(super) use crate::tool_identity::version::Version;
use crate::{
    artifact_contract::{Contract, Freshness, Terms},
    document::Format,
    pattern::Pattern,
};
use portcullis::{
    Fault, GateTable, Globs,
    evidence::host::Probe,
    wire::code::{CONFIG_INVALID, FRESHNESS_UNSTATED},
};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// Platforms as Rust names them, and `host`.
const PLATFORMS: &[&str] = &[
    "host",
    "linux",
    "macos",
    "windows",
    "android",
    "dragonfly",
    "freebsd",
    "illumos",
    "ios",
    "netbsd",
    "openbsd",
    "solaris",
];
const DEFAULT: &str = "default";

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) required: Spanned<Vec<String>>,
    must_pass: Spanned<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    pub(super) tools: Vec<Tool>,
    pub(super) reports: Option<Globs>,
    freshness: Option<Freshness>,
}

/// A tool that the host must have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) probe: Vec<String>,
    pub(super) must_match: Spanned<Pattern>,
    pub(super) min_version: Option<Version>,
}

/// The id of the check of a tool.
pub(super) fn tool_id(name: &str) -> String {
    format!("tool_{name}")
}

impl Config {
    /// The checks that block on a platform.
    pub(super) fn blocking_on(&self, platform: &str) -> &[String] {
        let lists = self.must_pass.get_ref();
        lists.get(platform).or_else(|| lists.get(DEFAULT)).map(Vec::as_slice).unwrap_or_default()
    }

    /// What a report of another platform must satisfy before its checks are read.
    pub(super) fn contract(&self, table: &GateTable) -> Result<Contract, Vec<Fault>> {
        let terms = Terms { freshness: self.freshness.clone(), ..Terms::default() };
        terms.compile(Format::Json, "doc", table)
    }
}

/// Refuses what could never be satisfied, or would be by doing nothing.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: usize, headline: String, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(table.locate(offset)));
    };
    let required = config.required.get_ref();
    let at = config.required.span().start;
    if required.is_empty() {
        refuse(at, "no platform is required".to_owned(), "write `required = [\"host\"]`");
    }
    for name in required.iter().filter(|name| !PLATFORMS.contains(&name.as_str())) {
        let remedy = "write the name that Rust has for it, such as `linux`, `macos` or `windows`";
        refuse(at, format!("`{}` is no platform", name.escape_debug()), remedy);
    }
    if required.iter().filter(|name| *name != "host").count() > 1 && config.reports.is_none() {
        let remedy = "name the reports of the others with `reports`";
        refuse(at, "one machine cannot be several platforms".to_owned(), remedy);
    }
    let at = config.must_pass.span().start;
    if !config.must_pass.get_ref().contains_key(DEFAULT) {
        let remedy = "write `must_pass = { default = [\"temp_dir\"] }`";
        refuse(at, "`must_pass` has no `default`".to_owned(), remedy);
    }
    for (platform, ids) in config.must_pass.get_ref() {
        if platform != DEFAULT && (platform == "host" || !PLATFORMS.contains(&platform.as_str())) {
            refuse(at, format!("`{}` is no platform", platform.escape_debug()), "correct the name");
        }
        if ids.is_empty() {
            let headline = format!("on `{platform}` nothing blocks, so nothing could ever fail");
            refuse(at, headline, "name at least one check");
        }
        for id in ids {
            let tool = config.tools.iter().any(|tool| tool_id(&tool.name) == *id);
            if !tool && !Probe::ALL.iter().any(|probe| probe.name() == id) {
                let remedy = "name a probe, or `tool_` and the name of one of `tools`";
                refuse(at, format!("there is no check `{}`", id.escape_debug()), remedy);
            }
        }
    }
    for tool in &config.tools {
        let at = tool.must_match.span().start;
        let name = tool.name.as_str();
        if name.is_empty() || name.contains(['/', '\\']) {
            let headline = format!("`{}` is not a name on the search path", name.escape_debug());
            refuse(at, headline, "write a plain name");
        }
        if tool.probe.is_empty() {
            refuse(
                at,
                format!("`{name}` is asked nothing"),
                "write arguments, such as `--version`",
            );
        }
        if tool.min_version.is_some() && tool.must_match.get_ref().groups() == 0 {
            let headline = format!("the pattern of `{name}` captures no version");
            refuse(at, headline, "put the version in parentheses");
        }
    }
    match (&config.reports, &config.freshness) {
        (Some(_), None) => faults.push(
            Fault::new(
                FRESHNESS_UNSTATED,
                "the gate does not say how old the report of a platform may be",
                "state `freshness`, for example `{ max_age = \"7d\", same_commit = true }`",
            )
            .at(table.location.clone()),
        ),
        (None, Some(_)) => faults.push(
            Fault::new(
                CONFIG_INVALID,
                "`freshness` is of reports, and none are named",
                "name them with `reports`, or remove `freshness`",
            )
            .at(table.location.clone()),
        ),
        (Some(_), Some(_)) => faults.extend(config.contract(table).err().unwrap_or_default()),
        (None, None) => {}
    }
    faults
}

/// The one fault that an attempt can carry; the others were shown when the policy was read.
pub(super) fn first(faults: Vec<Fault>) -> Fault {
    faults.into_iter().next().unwrap_or_else(|| {
        Fault::new(CONFIG_INVALID, "the table was refused without a reason", "report this as a bug")
    })
}
