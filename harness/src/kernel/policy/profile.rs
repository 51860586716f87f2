//! The profiles: what a run executes, as data. Leaves out how it is executed.

use super::CODES;
use crate::{
    kernel::document::{Keys, Node, Source, Table},
    wire::{
        code::CONFIG_INVALID,
        fault::Fault,
        id::GateId,
        ordered::{VecMap, VecSet},
    },
};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range};

const MINUTE_MS: u64 = 60_000;
/// Gates up to this cost are cheap enough for `quick`; it is the cost of a gate that states none.
const QUICK_COST: u32 = 100;

/// A class of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Unit tests, those within libraries and programs included.
    Unit,
    /// Tests over recorded traffic.
    Vcr,
    /// End-to-end tests.
    E2e,
    /// Examples in documentation.
    Doc,
    /// Gates.
    Gate,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Unit, Self::Vcr, Self::E2e, Self::Doc, Self::Gate];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Vcr => "vcr",
            Self::E2e => "e2e",
            Self::Doc => "doc",
            Self::Gate => "gate",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a run must be before it may stand as a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// One machine ran everything, or all shards were merged.
    UnshardedOrMerged,
    /// It is no rerun of what failed.
    NoRerun,
}

impl Requirement {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "unsharded_or_merged" => Some(Self::UnshardedOrMerged),
            "no_rerun" => Some(Self::NoRerun),
            _ => None,
        }
    }
}

/// Which gates a profile runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gates {
    /// Every gate.
    All,
    /// Those up to this cost.
    UpToCost(u32),
    /// These.
    Named(VecSet<GateId>),
}

impl Gates {
    /// Whether a gate of this id and cost belongs to it.
    #[must_use]
    pub fn has(&self, id: &GateId, cost: u32) -> bool {
        match self {
            Self::All => true,
            Self::UpToCost(most) => cost <= *most,
            Self::Named(ids) => ids.contains(id),
        }
    }
}

/// One profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// nextest filtersets, any of which selects a test; everything when empty.
    pub select: Vec<String>,
    /// The kinds of targets it runs.
    pub kinds: VecSet<Kind>,
    /// The gates it runs, where it runs gates.
    pub gates: Gates,
    /// How often a quarantined test is tried again.
    pub retries: u32,
    /// How long the whole run may take.
    pub deadline_ms: u64,
    /// How long one test may take; absent for as long as the run.
    pub test_timeout_ms: Option<u64>,
    /// What makes a run of it fit for a certificate.
    pub requires: VecSet<Requirement>,
}

impl Profile {
    fn built_in(name: &str, kinds: &[Kind], gates: Gates, deadline_min: u64) -> Self {
        Self {
            name: name.to_owned(),
            select: Vec::new(),
            kinds: kinds.iter().copied().collect(),
            gates,
            retries: 1,
            deadline_ms: deadline_min * MINUTE_MS,
            test_timeout_ms: None,
            requires: VecSet::new(),
        }
    }

    /// Whether a run of this profile may certify at all.
    #[must_use]
    pub fn may_certify(&self) -> bool {
        self.requires.contains(&Requirement::UnshardedOrMerged)
            && self.requires.contains(&Requirement::NoRerun)
    }
}

/// The profiles that every repository has.
#[must_use]
pub fn built_in() -> VecMap<String, Profile> {
    let quick = [Kind::Unit, Kind::Gate];
    let focused = [Kind::Unit, Kind::Vcr, Kind::Gate];
    let mut full = Profile::built_in("full", &Kind::ALL, Gates::All, 120);
    full.requires = VecSet::from([Requirement::UnshardedOrMerged, Requirement::NoRerun]);
    [
        Profile::built_in("quick", &quick, Gates::UpToCost(QUICK_COST), 10),
        Profile::built_in("focused", &focused, Gates::All, 20),
        Profile::built_in("ci", &Kind::ALL, Gates::All, 60),
        full,
    ]
    .map(|profile| (profile.name.clone(), profile))
    .into()
}

/// Reads the tables `[profile.<name>]` over the built-in ones.
pub(super) fn read(
    source: &Source,
    (table, _span): (&Table, Range<usize>),
    faults: &mut Vec<Fault>,
) -> VecMap<String, Profile> {
    let mut profiles = built_in();
    for (name, entry) in table {
        let place = entry.key.start;
        let Node::Table(keys) = entry.value.get_ref() else {
            let headline = format!("`profile.{}` is not a table", name.escape_debug());
            faults.push(
                Fault::new(CONFIG_INVALID, headline, "write `[profile.<name>]`")
                    .at(source.locate(place)),
            );
            continue;
        };
        let shape = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        if !shape {
            let headline = format!("a profile cannot be called `{}`", name.escape_debug());
            let remedy = "use letters, digits, `_` and `-`";
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(source.locate(place)));
            continue;
        }
        let base = profiles
            .get(name)
            .cloned()
            .unwrap_or_else(|| Profile::built_in(name, &Kind::ALL, Gates::All, 60));
        let span = entry.key.clone();
        profiles.insert(name.clone(), read_one(source, base, keys, span, faults));
    }
    profiles
}

fn read_one(
    source: &Source,
    base: Profile,
    table: &Table,
    span: Range<usize>,
    faults: &mut Vec<Fault>,
) -> Profile {
    let mut profile = base;
    let label = format!("`[profile.{}]`", profile.name);
    let mut keys = Keys::new(source, table, span, label, CODES, faults);
    let text = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
    if let Some(select) = keys.list("select", "a nextest filterset", text) {
        profile.select = select.into_iter().map(toml::Spanned::into_inner).collect();
    }
    let expected = "a kind: `unit`, `vcr`, `e2e`, `doc` or `gate`";
    if let Some(kinds) = keys.list("kinds", expected, Kind::parse) {
        if kinds.is_empty() {
            keys.wrong("kinds", "a profile of no kind selects nothing", "name a kind");
        }
        profile.kinds = kinds.into_iter().map(toml::Spanned::into_inner).collect();
    }
    if let Some(gates) = gates(&mut keys, source) {
        profile.gates = gates;
    }
    if let Some(retries) = keys.whole("retries", 10) {
        profile.retries = retries;
    }
    if let Some(deadline_ms) = keys.duration_ms("deadline") {
        profile.deadline_ms = deadline_ms;
    }
    if let Some(test_timeout_ms) = keys.duration_ms("test_timeout") {
        profile.test_timeout_ms = Some(test_timeout_ms);
    }
    let expected = "a requirement: `unsharded_or_merged` or `no_rerun`";
    if let Some(requires) = keys.list("requires", expected, Requirement::parse) {
        profile.requires = requires.into_iter().map(toml::Spanned::into_inner).collect();
    }
    keys.finish();
    profile
}

/// `gates`: a list of ids. `max_gate_cost`: a bound instead of a list.
fn gates(keys: &mut Keys<'_, '_>, _source: &Source) -> Option<Gates> {
    let named = keys.list("gates", "a gate id", |text| GateId::parse(text).ok());
    let most = keys.whole("max_gate_cost", u32::MAX);
    match (named, most) {
        (Some(_), Some(_)) => {
            let remedy = "keep the list, or the bound";
            keys.wrong("max_gate_cost", "`gates` and `max_gate_cost` exclude each other", remedy);
            None
        }
        (Some(ids), None) => {
            Some(Gates::Named(ids.into_iter().map(toml::Spanned::into_inner).collect()))
        }
        (None, Some(most)) => Some(Gates::UpToCost(most)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::policy;

    fn policy(profile: &str) -> Result<policy::Policy, Vec<Fault>> {
        let text = format!("[policy]\nversion = 1\nowner = \"o\"\n\n{profile}");
        policy::parse("portcullis.toml", &text)
    }

    #[test]
    fn only_a_profile_with_both_requirements_may_certify() {
        let profiles = built_in();
        let may: Vec<&str> =
            profiles.values().filter(|p| p.may_certify()).map(|p| p.name.as_str()).collect();
        assert_eq!(may, ["full"]);
        let one = policy("[profile.full]\nrequires = [\"no_rerun\"]\n").expect("a policy");
        assert!(!one.profiles["full"].may_certify());
    }

    #[test]
    fn a_table_changes_what_it_names_and_nothing_else() {
        let text = "[profile.quick]\ngates = [\"a\"]\ndeadline = \"90s\"\n\n[profile.nightly]\nkinds = [\"e2e\"]\nmax_gate_cost = 5\n";
        let policy = policy(text).expect("a policy");
        let quick = &policy.profiles["quick"];
        assert_eq!(quick.kinds, VecSet::from([Kind::Unit, Kind::Gate]));
        assert_eq!((quick.deadline_ms, quick.retries), (90_000, 1));
        let a = GateId::parse("a").expect("an id");
        assert!(
            quick.gates.has(&a, 9_000) && !quick.gates.has(&GateId::parse("b").expect("an id"), 1)
        );
        let nightly = &policy.profiles["nightly"];
        assert_eq!(nightly.kinds, VecSet::from([Kind::E2e]));
        assert!(nightly.gates.has(&a, 5) && !nightly.gates.has(&a, 6));
        assert_eq!(policy.profiles.len(), 5);
    }

    #[test]
    fn what_no_profile_has_is_refused_with_its_line() {
        let table = [
            ("an unknown key", "[profile.quick]\nkind = [\"unit\"]\n", "config_unknown_key", 6),
            ("an unknown kind", "[profile.quick]\nkinds = [\"slow\"]\n", "config_invalid", 6),
            ("no kind", "[profile.quick]\nkinds = []\n", "config_invalid", 6),
            ("an unknown requirement", "[profile.x]\nrequires = [\"luck\"]\n", "config_invalid", 6),
            ("a deadline without unit", "[profile.x]\ndeadline = \"5\"\n", "config_invalid", 6),
            (
                "both ways to choose gates",
                "[profile.x]\ngates = []\nmax_gate_cost = 1\n",
                "config_invalid",
                7,
            ),
            ("no table", "[profile]\nquick = 1\n", "config_invalid", 6),
            ("a name with a slash", "[profile.\"a/b\"]\n", "config_invalid", 5),
        ];
        for (case, text, code, line) in table {
            let faults = policy(text).expect_err(case);
            let place = faults[0].location().map(|place| place.line);
            assert_eq!(
                (faults[0].code().name(), place),
                (code, Some(line)),
                "{case}: {}",
                faults[0]
            );
        }
    }
}
