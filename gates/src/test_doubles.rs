//! The doubles that tests stand on: found, written down, and held to their lists and floors. It reads names, and cannot
//! tell a double that is called something else.

mod floors;
mod inventory;
mod scan;
mod teeth;

use crate::{
    calendar::LocalDate,
    classification::groups::Groups,
    rust_source::is_name,
    source_scan::{self, REASON_MIN, allowance::Allowances},
    workspace::Workspace,
};
use inventory::Entry;
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, Location, RelPath,
    wire::code::CONFIG_INVALID,
};
use std::collections::BTreeSet;
use teeth::TEETH;
use toml::Spanned;

portcullis::gate_kind! {
    /// Writes down every test double, and refuses those that no list allows.
    ///
    /// ### What it checks
    /// Every test target of the workspace with its modules, and what only test builds have in libraries and binaries,
    /// is searched for names of doubles and for crates that make them, as tokens: comments and texts do not count, and
    /// a renamed import does. What is found is written to the view `test_double_inventory.json`, one entry for each
    /// name in each test, or module outside of tests, with counts per module and suite. A double outside of the suites
    /// that may have them needs an allowance, and modules keep their floors.
    ///
    /// ### Why it gates
    /// A double agrees with whoever wrote it. A suite of doubles is green while the product is broken.
    ///
    /// ### Example
    /// Refused: `let server = MockServer::start();` in a test of the suite `unit`. Accepted: the same in the suite
    /// `vcr`, or with an allowance that names the file, the token, an owner, a last day and a replacement.
    ///
    /// ### Configuration
    /// - `manifest`: the workspace manifest, default `Cargo.toml`.
    /// - `groups_file`: where targets have their suites, default `suite_classification.toml`; a target that stands in
    ///   none has the suite `unclassified`. `unit_suite`: the suite of tests inside libraries and binaries, default `unit`.
    /// - `names`: names of doubles, which may begin or end with `*`; default `Mock`, `Fake`, `Stub`, `Dummy` and `Spy`, each
    ///   as a beginning and as an end. `more_names`: added to them.
    /// - `crates`: crates that make doubles; default the well-known ones, such as `mockall`. `more_crates`: added to them.
    /// - `allowed_suites`: suites that may have doubles, default none.
    /// - `allow`: list of `{ path, token, owner, expires, replacement }`: one file, one name or crate as found, the last
    ///   valid day (UTC), and what will replace it, in 20 characters at least.
    /// - `floors`: list of `{ module, max_doubles, min_real_percent }`, at least one of the two; a module, such as
    ///   `my_crate::parse`, means those below it, too. A floor without tests to measure is an error of its own.
    ///
    /// ### Remediation
    /// - `double_unlisted`: test without it, move the test, or allow it with owner, day and replacement.
    /// - `double_floor_broken`: replace doubles by the real thing, or lower the floor in a change of its own.
    /// - `double_floor_unmatched`: correct the name of the module, or remove the floor.
    /// - `allow_entry_expired`: replace the double, or renew the allowance in a change of its own.
    /// - `allow_entry_expiring`, advisory: plan it. `allow_entry_stale`: remove the allowance.
    pub static TEST_DOUBLES: "test_doubles", since = "0.1.0", config = Config, validate = validate, check = check,
        codes = &[DOUBLE_UNLISTED, DOUBLE_FLOOR_BROKEN, DOUBLE_FLOOR_UNMATCHED], teeth = TEETH;
}

const DOUBLE_UNLISTED: Code = Code::new(
    "PC1220",
    "double_unlisted",
    "A test uses a double that neither its suite nor an allowance permits.",
);
const DOUBLE_FLOOR_BROKEN: Code =
    Code::new("PC1221", "double_floor_broken", "A module has more doubles than its floor permits.");
const DOUBLE_FLOOR_UNMATCHED: Code = Code::new(
    "PC1222",
    "double_floor_unmatched",
    "A floor names a module without tests to measure.",
);

/// Names that usually mean a double.
pub(crate) const NAMES: &[&str] =
    &["Mock*", "Fake*", "Stub*", "Dummy*", "Spy*", "*Mock", "*Fake", "*Stub", "*Dummy", "*Spy"];
/// Crates that make doubles.
pub(crate) const CRATES: &[&str] = &[
    "double",
    "double_trait",
    "fake",
    "faux",
    "galvanic_mock",
    "httpmock",
    "httptest",
    "mock_instant",
    "mockall",
    "mockall_double",
    "mockito",
    "mockiato",
    "mocktopus",
    "mry",
    "simulacrum",
    "unimock",
    "wiremock",
];

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    manifest: Option<RelPath>,
    groups_file: Option<RelPath>,
    unit_suite: Option<String>,
    names: Option<Vec<String>>,
    #[serde(default)]
    more_names: Vec<String>,
    crates: Option<Vec<String>>,
    #[serde(default)]
    more_crates: Vec<String>,
    #[serde(default)]
    allowed_suites: BTreeSet<String>,
    #[serde(default)]
    allow: Vec<Spanned<Allow>>,
    #[serde(default)]
    floors: Vec<Spanned<Floor>>,
}

/// An exception: one file, one double, for a while, with a plan.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    path: RelPath,
    token: String,
    owner: String,
    expires: LocalDate,
    replacement: String,
}

/// How much of a module must be real.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Floor {
    module: String,
    max_doubles: Option<u64>,
    min_real_percent: Option<u64>,
}

impl Config {
    fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.names.iter().flatten().map(String::as_str);
        let default = self.names.is_none().then_some(NAMES).into_iter().flatten().copied();
        own.chain(default).chain(self.more_names.iter().map(String::as_str))
    }

    fn crates(&self) -> impl Iterator<Item = &str> {
        let own = self.crates.iter().flatten().map(String::as_str);
        let default = self.crates.is_none().then_some(CRATES).into_iter().flatten().copied();
        own.chain(default).chain(self.more_crates.iter().map(String::as_str))
    }
}

/// Refuses names that are none, allowances without a plan, and floors that hold nothing.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |at: Location, headline: String, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at));
    };
    if config.names().next().is_none() && config.crates().next().is_none() {
        let headline = "no name and no crate means a double".to_owned();
        refuse(table.location.clone(), headline, "leave `names` or `crates` at its default");
    }
    for name in config.names().chain(config.crates()) {
        if name.contains("::") || !is_name(name) {
            let headline = format!("`{name}` is not a name of Rust");
            refuse(table.location.clone(), headline, "write `Name`, `Beginning*` or `*End`");
        }
    }
    for allow in &config.allow {
        let (entry, at) = (allow.get_ref(), table.locate(allow.span().start));
        if entry.owner.trim().is_empty() || entry.replacement.trim().chars().count() < REASON_MIN {
            let headline = "an allowance has no owner, or no real replacement plan".to_owned();
            refuse(at.clone(), headline, "state both; 20 characters at least");
        }
        if entry.token.trim().is_empty() {
            refuse(at, "an allowance names no double".to_owned(), "write the name as it was found");
        }
    }
    for floor in &config.floors {
        let (entry, at) = (floor.get_ref(), table.locate(floor.span().start));
        if entry.max_doubles.is_none() && entry.min_real_percent.is_none() {
            let headline = format!("the floor of `{}` holds nothing", entry.module);
            refuse(at.clone(), headline, "state `max_doubles` or `min_real_percent`");
        }
        if entry.min_real_percent.is_some_and(|percent| percent > 100) {
            refuse(at, "`min_real_percent` is above 100".to_owned(), "write a whole percentage");
        }
    }
    faults
}

/// Searches every target, writes the inventory, and judges it; returns how many tests were searched.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let manifest = config.manifest.as_ref().map_or("Cargo.toml", RelPath::as_str);
    let groups = config.groups_file.as_ref().map_or("suite_classification.toml", RelPath::as_str);
    let groups = Groups::read(cx, groups, "targets")?;
    let Some(workspace) = Workspace::read(cx, manifest)? else { return Ok(Workspace::skipped()) };
    let inventory = scan::workspace(cx, config, &workspace, &groups)?;
    inventory.write(cx)?;
    let listed: Vec<Spanned<source_scan::Allow>> = config.allow.iter().map(as_listed).collect();
    let mut allowances = Allowances::new(cx, &listed);
    for entry in &inventory.entries {
        let is_listed = allowances.cover(&entry.file, &entry.identifier);
        if !is_listed && !config.allowed_suites.contains(&entry.suite) {
            out.push(unlisted(entry));
        }
    }
    allowances.report(out);
    floors::judge(cx, config, &inventory, out);
    Ok(Examined::items(inventory.tests()))
}

/// An allowance of a double is one of a token whose reason is the plan to replace it.
fn as_listed(allow: &Spanned<Allow>) -> Spanned<source_scan::Allow> {
    let entry = allow.get_ref();
    let listed = source_scan::Allow {
        path: entry.path.to_string(),
        token: entry.token.clone(),
        reason: entry.replacement.clone(),
        owner: entry.owner.clone(),
        expires: entry.expires,
    };
    Spanned::new(allow.span(), listed)
}

fn unlisted(entry: &Entry) -> Finding {
    let place = entry.test.as_ref().map_or_else(
        || format!("the module `{}`", entry.module),
        |test| format!("the test `{test}`"),
    );
    Finding::new(
        DOUBLE_UNLISTED,
        format!("{}: {}", entry.module, entry.identifier),
        format!("{place} of the suite `{}` uses the double `{}`", entry.suite, entry.identifier),
        "test without it, move the test, or allow it with owner, day and replacement",
    )
    .at(Location::at(&entry.file, entry.line, 0))
}

#[cfg(test)]
mod tests;
