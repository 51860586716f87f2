//! The plan: what is to run, what is left out and why, and which gates must answer. Pure; it lists and runs nothing.

mod hash;

pub(crate) use hash::{Hashing, hash};

use crate::{
    engine::doctest,
    shard::{By, Part, Shard, Weights},
    suites::Suites,
};
use hash::part_digest;
use portcullis::wire::ordered::{VecMap, VecSet};
use portcullis::{
    Digest, GateId,
    kernel::{
        census::Census,
        decide::Decided,
        policy::{
            GateTable, Policy,
            profile::{Kind, Profile},
        },
        quarantine::QuarantineFile,
    },
    runner::roster::AGGREGATES,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Schema of `plan.json`.
pub(crate) const PLAN_SCHEMA: &str = "portcullis.plan.v1";

const DEFAULT_FILTER: &str = "default filter of nextest";

/// What runs the tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Engine {
    /// cargo-nextest.
    #[default]
    Nextest,
    /// cargo builds, and this program starts each test: where cargo-nextest is not installed. It never certifies.
    CargoTest,
}

impl Engine {
    /// How it is called among people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nextest => "nextest",
            Self::CargoTest => "cargo test",
        }
    }
}

/// A test as its runner lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The test binary.
    pub suite: String,
    /// The package.
    pub package: String,
    /// The target as cargo names it.
    pub binary: String,
    /// `lib`, `bin`, `test`, ..., or `doc`.
    pub cargo_kind: String,
    /// The test.
    pub test: String,
    /// Whether it carries `#[ignore]`.
    pub ignored: bool,
    /// Whether the filtersets select it, as the runner resolved them.
    pub matches: bool,
}

/// Something that runs and has an outcome: a test, an example of the documentation, or a gate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Target {
    /// The test binary.
    pub suite: String,
    /// The test within it.
    pub test: String,
    /// What it is.
    pub kind: Kind,
    /// The package.
    pub package: String,
    /// The target as cargo names it.
    pub binary: String,
    /// `lib`, `bin`, `test`, ..., or `doc`.
    pub cargo_kind: String,
    /// The quarantine entry that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
}

impl Target {
    /// Suite and test, as one name.
    pub(crate) fn id(&self) -> String {
        format!("{} {}", self.suite, self.test)
    }

    /// A gate that was expected and that nobody listed.
    pub(crate) fn unlisted(gate: &Decided) -> Self {
        Self {
            suite: gate.binary.clone(),
            test: gate.id.to_string(),
            kind: Kind::Gate,
            package: String::new(),
            binary: gate.binary.clone(),
            cargo_kind: "test".to_owned(),
            quarantine: None,
        }
    }
}

/// A target that was left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Excluded {
    /// The test binary.
    pub suite: String,
    /// The test within it.
    pub test: String,
    /// What it is.
    pub kind: Kind,
    /// Why.
    pub reason: String,
}

/// `plan.json`, without its header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The profile.
    pub profile: String,
    /// What runs it.
    #[serde(default)]
    pub engine: Engine,
    /// Whether a run of this plan may certify at all.
    pub may_certify: bool,
    /// The kinds.
    pub kinds: VecSet<Kind>,
    /// The filtersets, any of which selects.
    pub filters: Vec<String>,
    /// The run of which this one runs the failures again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<String>,
    /// Every target of the selection, sorted, those of all shards included.
    pub targets: Vec<Target>,
    /// What was left out, sorted.
    pub excluded: Vec<Excluded>,
    /// The gates that must answer, with what they need; absent for all.
    pub gates: Option<VecSet<GateId>>,
    /// Gates written in Rust that have no table, with their gate binaries.
    pub rust_gates: VecMap<GateId, String>,
    /// The part of the targets that this run runs; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Digest of the archive whose binaries run; absent where they were built for this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Digest>,
    /// How long each planned test binary takes, where the parts are made of whole binaries and it was recorded.
    #[serde(default, skip_serializing_if = "Weights::is_empty")]
    pub weights: Weights,
    /// Digest of everything above but which part this is: equal on every shard.
    pub hash: Digest,
}

/// What was asked for on the command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Kinds instead of the profile's; none for those of the profile.
    pub kinds: Option<VecSet<Kind>>,
    /// Filtersets beside or instead of those of the profile.
    pub filters: Vec<String>,
    /// The targets of an earlier run, which is all that runs.
    pub only: Option<(String, BTreeSet<(String, String)>)>,
    /// The part that is to run.
    pub shard: Option<Shard>,
    /// The digest of the archive whose binaries are to run.
    pub archive: Option<Digest>,
    /// Whether the binaries are those of an earlier build, whatever the sources say.
    pub not_built: bool,
}

impl Asked {
    /// The kinds of this run. Whoever names tests on the command line means these, of whatever kind.
    pub(crate) fn kinds(&self, profile: &Profile) -> VecSet<Kind> {
        match &self.kinds {
            Some(kinds) => kinds.clone(),
            None if !self.filters.is_empty() => Kind::ALL.into(),
            None => profile.kinds.clone(),
        }
    }

    /// The filtersets of this run: those of the command line, else those of the profile.
    pub(crate) fn filters<'a>(&'a self, profile: &'a Profile) -> &'a [String] {
        if self.filters.is_empty() { &profile.select } else { &self.filters }
    }
}

/// What a plan is made from, beside what was asked.
pub(crate) struct World<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The committed census, where there is one.
    pub census: Option<&'a Census>,
    /// The suites.
    pub suites: &'a Suites,
    /// The quarantine.
    pub quarantine: &'a QuarantineFile,
    /// What runs the tests.
    pub engine: Engine,
    /// The packages that have examples in their documentation, where nobody listed them, and why not.
    pub unlisted: (&'a [String], &'static str),
    /// How long each test binary takes, as it was recorded.
    pub weights: &'a Weights,
}

/// The crate name of a target, which is how policy and census name a gate binary.
fn crate_name(target: &str) -> String {
    target.replace('-', "_")
}

/// Makes the plan.
pub(crate) fn make(world: &World<'_>, profile: &Profile, asked: &Asked, listed: &[Listed]) -> Plan {
    let kinds = asked.kinds(profile);
    let binaries = gate_binaries(world);
    let gates = Gates::of(world, profile, asked, listed, &binaries, &kinds);
    let (mut targets, mut excluded) = (Vec::new(), Vec::new());
    for test in listed {
        let is_gate = is_gate_binary(test, &binaries);
        let kind = if is_gate {
            Kind::Gate
        } else {
            world.suites.kind(&test.package, &test.binary, &test.cargo_kind)
        };
        let target = Target {
            suite: test.suite.clone(),
            test: test.test.clone(),
            kind,
            package: test.package.clone(),
            binary: test.binary.clone(),
            cargo_kind: test.cargo_kind.clone(),
            quarantine: quarantined(world.quarantine, test).filter(|_| !is_gate),
        };
        match reason(test, &target, profile, asked, &kinds, &gates) {
            None => targets.push(target),
            Some(reason) => {
                let Target { suite, test, kind, .. } = target;
                excluded.push(Excluded { suite, test, kind, reason });
            }
        }
    }
    let (unlisted, why) = world.unlisted;
    excluded.extend(unlisted.iter().map(|package| Excluded {
        suite: doctest::suite(package),
        test: "*".to_owned(),
        kind: Kind::Doc,
        reason: why.to_owned(),
    }));
    targets.sort();
    excluded.sort();
    let mut plan = Plan {
        profile: profile.name.clone(),
        engine: world.engine,
        may_certify: profile.may_certify()
            && world.engine == Engine::Nextest
            && asked.only.is_none()
            && !asked.not_built
            && asked.filters(profile).is_empty()
            && kinds == profile.kinds,
        kinds,
        filters: asked.filters(profile).to_vec(),
        rerun_of: asked.only.as_ref().map(|(run, _)| run.clone()),
        targets,
        excluded,
        gates: gates.answer(asked),
        rust_gates: gates.rust,
        shard: asked.shard.clone(),
        archive: asked.archive,
        weights: Weights::new(),
        hash: Digest::of(b""),
    };
    if plan.shard.as_ref().is_some_and(|shard| shard.by == By::Binary) {
        let suites: BTreeSet<&str> = plan.targets.iter().map(|one| one.suite.as_str()).collect();
        let planned = world.weights.iter().filter(|(name, _)| suites.contains(name.as_str()));
        plan.weights = planned.map(|(name, ms)| (name.clone(), *ms)).collect();
    }
    plan.hash = hash(&plan);
    plan
}

/// Why a listed test does not run; nothing when it does.
fn reason(
    test: &Listed,
    target: &Target,
    profile: &Profile,
    asked: &Asked,
    kinds: &VecSet<Kind>,
    gates: &Gates,
) -> Option<String> {
    if target.kind == Kind::Gate && AGGREGATES.contains(&test.test.as_str()) {
        return Some("aggregate: the runner decides over all receipts itself".to_owned());
    }
    if let Some((run, only)) = &asked.only {
        let wanted = only.contains(&(test.suite.clone(), test.test.clone()));
        return (!wanted).then(|| format!("rerun: it is not among the failures of {run}"));
    }
    if !kinds.contains(&target.kind) {
        return Some(format!("kind: `{}` was not asked for", target.kind));
    }
    if test.ignored {
        return Some("ignored: the test carries `#[ignore]`".to_owned());
    }
    if !test.matches {
        let filtered = !asked.filters(profile).is_empty();
        let reason = if filtered { "filter: no filterset selects it" } else { DEFAULT_FILTER };
        return Some(reason.to_owned());
    }
    let gate = GateId::parse(&test.test).ok().filter(|_| target.kind == Kind::Gate)?;
    (!gates.wanted.contains(&gate))
        .then(|| format!("gates: the profile `{}` leaves it out", profile.name))
}

/// The names of the gate binaries that policy and census know.
fn gate_binaries(world: &World<'_>) -> BTreeSet<String> {
    let policy = world.policy;
    let tables = policy.gates.iter().map(|gate| crate_name(&gate.common.binary));
    let rows = world.census.into_iter().flat_map(|census| &census.rows);
    tables
        .chain(rows.map(|row| crate_name(&row.binary)))
        .chain([crate_name(&policy.binary)])
        .collect()
}

fn is_gate_binary(test: &Listed, binaries: &BTreeSet<String>) -> bool {
    test.cargo_kind == "test" && binaries.contains(&crate_name(&test.binary))
}

fn quarantined(file: &QuarantineFile, test: &Listed) -> Option<String> {
    let entry = file.entries.values().find(|entry| {
        let suite = entry.suite.as_deref();
        let here = suite.is_none_or(|suite| suite == test.suite || suite == test.binary);
        here && entry.test == test.test
    });
    entry.map(portcullis::kernel::quarantine::Entry::name)
}

/// The gates of a repository, and those of this run.
struct Gates {
    /// Every gate that policy, census or a gate binary knows.
    universe: VecSet<GateId>,
    /// Those that run by themselves.
    wanted: VecSet<GateId>,
    needs: BTreeMap<GateId, Vec<GateId>>,
    rust: VecMap<GateId, String>,
}

impl Gates {
    fn of(
        world: &World<'_>,
        profile: &Profile,
        asked: &Asked,
        listed: &[Listed],
        binaries: &BTreeSet<String>,
        kinds: &VecSet<Kind>,
    ) -> Self {
        let tables: BTreeMap<&GateId, &GateTable> =
            world.policy.gates.iter().map(|gate| (&gate.common.id, gate)).collect();
        let mut universe: VecSet<GateId> = tables.keys().map(|id| (*id).clone()).collect();
        universe
            .extend(world.census.into_iter().flat_map(|c| c.rows.iter().map(|row| row.id.clone())));
        let (mut rust, mut matching) = (VecMap::new(), VecSet::new());
        for test in listed.iter().filter(|test| is_gate_binary(test, binaries)) {
            let Ok(id) = GateId::parse(&test.test) else { continue };
            if AGGREGATES.contains(&id.as_str()) {
                continue;
            }
            universe.insert(id.clone());
            if !tables.contains_key(&id) {
                rust.insert(id.clone(), crate_name(&test.binary));
            }
            let rerun = asked
                .only
                .as_ref()
                .is_some_and(|(_, only)| only.contains(&(test.suite.clone(), test.test.clone())));
            if rerun || (asked.only.is_none() && test.matches) {
                matching.insert(id);
            }
        }
        let cost = |id: &GateId| {
            let plain = || GateTable::for_rust(id.clone(), world.policy, "").common.cost;
            tables.get(id).map_or_else(plain, |table| table.common.cost)
        };
        let filtered = asked.only.is_some() || !asked.filters(profile).is_empty();
        let wanted = if !kinds.contains(&Kind::Gate) && asked.only.is_none() {
            VecSet::new()
        } else if asked.only.is_some() || !asked.filters.is_empty() {
            // Whoever names gates on the command line means these, whatever the profile would take.
            matching
        } else if filtered {
            matching.into_iter().filter(|id| profile.gates.has(id, cost(id))).collect()
        } else {
            // What nobody lists is expected all the same: its absence is what the decision must see.
            universe.iter().filter(|id| profile.gates.has(id, cost(id))).cloned().collect()
        };
        let needs =
            tables.iter().map(|(id, table)| ((*id).clone(), table.common.needs.clone())).collect();
        Self { universe, wanted, needs, rust }
    }

    /// The gates that must answer; absent for all.
    fn answer(&self, asked: &Asked) -> Option<VecSet<GateId>> {
        let all = self.wanted == self.universe && !self.universe.is_empty();
        // Whoever asked for some gates and happened to name all is judged as one who asked for some.
        if all && asked.only.is_none() && asked.filters.is_empty() {
            return None;
        }
        Some(with_needs(&self.wanted, |id| self.needs.get(id).cloned().unwrap_or_default()))
    }
}

/// These gates and all that they need: a gate is evaluated after its needs, in one process.
pub(crate) fn with_needs(
    start: &VecSet<GateId>,
    needs: impl Fn(&GateId) -> Vec<GateId>,
) -> VecSet<GateId> {
    let mut found = VecSet::new();
    let mut open: Vec<GateId> = start.iter().cloned().collect();
    while let Some(id) = open.pop() {
        if found.insert(id.clone()) {
            open.extend(needs(&id));
        }
    }
    found
}

impl Plan {
    /// Why a run of this plan may not certify; nothing when it may.
    pub(crate) fn reserved(&self) -> Vec<String> {
        let mut why = Vec::new();
        if self.engine == Engine::CargoTest {
            why.push(
                "cargo-nextest was not installed, and its fallback does not certify".to_owned(),
            );
        }
        if let Some(run) = &self.rerun_of {
            why.push(format!("it is a rerun of {run}"));
        } else if !self.may_certify {
            why.push(format!("the profile `{}`, or its narrowing, does not certify", self.profile));
        }
        if let Some(shard) = &self.shard {
            why.push(format!("it is shard {} of {}", shard.index + 1, shard.total));
        }
        if self.excluded.iter().any(|one| one.reason == DEFAULT_FILTER) {
            why.push("a default filter of nextest leaves tests out".to_owned());
        }
        why
    }

    /// Why targets were left out, with how many for each reason.
    pub(crate) fn left_out(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for one in &self.excluded {
            *reasons.entry(one.reason.as_str()).or_default() += 1;
        }
        reasons
    }

    /// The run that this one reruns and what of it is gone: wanted, and no longer a target.
    pub(crate) fn gone(
        &self,
        wanted: Option<&BTreeSet<(String, String)>>,
    ) -> Option<(&str, Vec<String>)> {
        let run = self.rerun_of.as_deref()?;
        let has = |suite: &str, test: &str| {
            self.targets.iter().any(|target| target.suite == suite && target.test == test)
        };
        let gone = wanted.into_iter().flatten().filter(|(suite, test)| !has(suite, test));
        let gone: Vec<String> = gone.map(|(suite, test)| format!("{suite} {test}")).collect();
        (!gone.is_empty()).then_some((run, gone))
    }

    /// The plan as a run keeps it: of a shard, its own targets, or a plan of many shards would be kept many times.
    pub(crate) fn kept(&self) -> Self {
        let mut kept = self.clone();
        if let Some(shard) = kept.shard.as_mut().filter(|shard| shard.part.is_none()) {
            kept.targets = self.assigned().into_iter().cloned().collect();
            let planned = self.targets.len() as u64;
            shard.part = Some(Part { digest: part_digest(&kept.targets), planned });
        }
        kept
    }

    /// The digest that is recorded over the targets that are listed here, and the one that they have.
    pub(crate) fn digests(&self) -> (Digest, Digest) {
        match self.shard.as_ref().and_then(|shard| shard.part.as_ref()) {
            Some(part) => (part.digest, part_digest(&self.targets)),
            None => (self.hash, hash(self)),
        }
    }

    /// The targets that this run runs, those of its shard.
    pub(crate) fn assigned(&self) -> Vec<&Target> {
        match self.shard.as_ref().filter(|shard| shard.part.is_none()) {
            None => self.targets.iter().collect(),
            Some(shard) => {
                let (by, total) = (shard.by, shard.total);
                let parts = crate::shard::assign(&self.targets, by, total, &self.weights);
                let own = self.targets.iter().zip(parts);
                own.filter(|(_, part)| *part == shard.index).map(|(target, _)| target).collect()
            }
        }
    }

    /// The gates that must answer in this run: all, the selected ones, or those of the shard with their needs.
    pub(crate) fn answering(&self, policy: &Policy) -> Option<VecSet<GateId>> {
        if self.shard.is_none() {
            return self.gates.clone();
        }
        let own = self.assigned().into_iter().filter(|target| target.kind == Kind::Gate);
        let own = own.filter_map(|target| GateId::parse(&target.test).ok()).collect();
        let needs = |id: &GateId| {
            let table = policy.gates.iter().find(|gate| gate.common.id == *id);
            table.map(|gate| gate.common.needs.clone()).unwrap_or_default()
        };
        Some(with_needs(&own, needs))
    }
}

#[cfg(test)]
pub(crate) mod tests;
