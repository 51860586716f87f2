//! What a run stands on: policy, census, suites, identity, tools. Phases 0 to 3; it runs no test.

use crate::{
    args::{Choice, ShardKind},
    durations,
    engine::{
        cargo_test::{Cargo, Metadata, TestTarget, crate_name},
        doctest, fallback,
        nextest::{self, Binaries},
    },
    exit::{Exit, OrExit, Refused},
    plan::{self, Asked, Engine, Plan, World},
    record::{Header, asked_run_id},
    replays::Features,
    repository::Repository,
    shard::{By, SHARDS_MAX, Shard, Weights},
    suites::{self, Suites},
};
use anyhow::Context as _;
use portcullis::{
    Digest, Fault, Lane,
    evidence::{clock::Stopwatch, digest, git::Git},
    kernel::{
        census::Census,
        loosening::Head,
        near::near,
        policy::{
            GateTable, Policy,
            profile::{Kind, Profile},
        },
        promotion,
        quarantine::QuarantineFile,
        recorded::Recorded,
        waiver::{WaiverFile, guards},
    },
    runner::session::{Base, CLASSIFICATION_FILE, MODE_VARIABLE, POLICY_FILE},
    wire::{
        code::{BASE_UNRESOLVABLE, LIST_FAILED, TOOL_MISSING, USAGE},
        receipt::{ErrorRecord, Source},
    },
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Everything a plan is made from.
pub(crate) struct Ground {
    /// The repository.
    pub repository: Repository,
    /// The policy.
    pub policy: Policy,
    /// Its text.
    pub policy_text: String,
    /// The committed census; empty where it cannot be read.
    pub census: Census,
    /// Why it cannot be read.
    pub census_faults: Vec<Fault>,
    /// The text of suites, waivers and quarantine.
    pub classification: String,
    /// The suites.
    pub suites: Suites,
    /// The quarantine.
    pub quarantine: QuarantineFile,
    /// The profile.
    pub profile: Profile,
    /// Where the decision holds.
    pub lane: Lane,
    /// The base that was named.
    pub base: Option<String>,
    /// The promotion mode that was asked for from outside.
    pub requested_mode: Option<String>,
    /// The header of this run.
    pub header: Header,
    /// cargo.
    pub cargo: Cargo,
    /// What runs the tests.
    pub engine: Engine,
    /// The version of nextest; empty where it is not installed.
    pub nextest_version: String,
    /// Where cargo builds.
    pub target_dir: PathBuf,
    /// Package and target of what has no libtest around it.
    /// Where the test binaries come from.
    pub binaries: Binaries,
    without_harness: BTreeSet<(String, String)>,
    metadata: Metadata,
    weights: Weights,
    /// What gate binaries need turned on, by package and target.
    pub features: Features,
    asked: Asked,
}

impl Ground {
    /// Reads configuration, looks for the tools, and finds out what is gated.
    pub(crate) fn open(choice: &Choice) -> Result<Self, Refused> {
        let stopwatch = Stopwatch::start();
        let repository = Repository::discover()?;
        let (policy, policy_text) = repository.policy_and_text()?;
        let profile = profile(&policy, choice)?;
        let asked = asked(&profile, choice)?;
        let (census, census_faults) = match repository.census()? {
            Ok(census) => (census, Vec::new()),
            Err(fault) => (Census::default(), vec![fault]),
        };
        let classification = repository.classification()?;
        let suites = Suites::parse(&classification)?;
        let weights = durations::recorded(&repository)?;
        let quarantine = QuarantineFile::parse(CLASSIFICATION_FILE, &classification);
        let lane = match choice.lane.as_deref().and_then(Lane::parse) {
            Some(lane) => lane,
            None => repository.lane()?,
        };
        let cargo = Cargo::find(&repository, choice.cargo)?;
        let nextest_version = nextest::version(&repository, &cargo)?;
        let engine = match nextest_version {
            Some(_) => Engine::Nextest,
            None => fallback_for(&asked, &profile, choice)?,
        };
        let metadata = cargo.metadata()?;
        let without_harness = without_harness(&metadata)?;
        let features = features(&policy, &census, &metadata.tests());
        let all: BTreeSet<String> = features
            .iter()
            .flat_map(|((package, _), names)| {
                names.iter().map(move |name| format!("{package}/{name}"))
            })
            .collect();
        let cargo = cargo.with_features(all.into_iter().collect());
        let (binaries, archive) = binaries(choice, &metadata.target_directory, repository.root())?;
        let asked = Asked { archive, not_built: choice.no_build, ..asked };
        let clock = repository.clock()?;
        let environment = &repository.environment;
        let requested_mode = environment.get(MODE_VARIABLE).map(str::to_owned);
        let (mode, _faults) =
            promotion::resolve(&policy.promotion, requested_mode.as_deref(), clock.now);
        let run_id = asked_run_id(environment, clock.now)?;
        let head = Git::new(repository.root(), None).head().or_exit(Exit::Invalid)?;
        let source = Source {
            commit: head.as_ref().map(|head| head.commit.clone()),
            tree: head.as_ref().map(|head| head.tree.clone()),
            dirty: None,
            base: None,
        };
        let base = choice.base.clone().or_else(|| Base::named(environment));
        Ok(Self {
            header: Header { run_id, source, mode, clock, stopwatch },
            target_dir: metadata.target_directory.clone(),
            policy,
            policy_text,
            census,
            census_faults,
            classification,
            suites,
            quarantine,
            profile,
            lane,
            base,
            requested_mode,
            cargo,
            engine,
            nextest_version: nextest_version.unwrap_or_default(),
            binaries,
            without_harness,
            metadata,
            weights,
            features,
            asked,
            repository,
        })
    }

    /// Takes exactly these targets of an earlier run.
    pub(crate) fn rerun(&mut self, run: String, only: BTreeSet<(String, String)>) {
        self.asked.only = Some((run, only));
    }

    /// The targets of an earlier run that are to run, where it is a rerun.
    pub(crate) fn wanted(&self) -> Option<&BTreeSet<(String, String)>> {
        self.asked.only.as_ref().map(|(_, only)| only)
    }

    /// How long the whole run may take.
    pub(crate) fn limit_ms(&self, choice: &Choice) -> u64 {
        choice.deadline.unwrap_or(self.profile.deadline_ms)
    }

    /// What is left of that time.
    pub(crate) fn left_ms(&self, choice: &Choice) -> u64 {
        self.limit_ms(choice).saturating_sub(self.header.stopwatch.elapsed_ms()).max(1)
    }

    /// Builds, lists, selects and shards. `scratch` is a folder for what passes between processes.
    pub(crate) fn plan(
        &self,
        choice: &Choice,
        scratch: &Path,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<Plan, Refused> {
        let filters = self.asked.filters(&self.profile);
        let limit_ms = self.left_ms(choice);
        let (cargo, metadata) = (&self.cargo, &self.metadata);
        let mut listed = match self.engine {
            Engine::Nextest => {
                nextest::list(cargo, &self.binaries, filters, scratch, limit_ms, on_line)?
            }
            Engine::CargoTest => fallback::list(cargo, metadata, scratch, limit_ms, on_line)?,
        };
        let mut documented = metadata.documented();
        let unlisted = self.unlisted(&documented);
        if unlisted.is_none() {
            let limit_ms = self.left_ms(choice);
            listed.extend(doctest::list(cargo, &documented, scratch, limit_ms, on_line)?);
            documented.clear();
        }
        if self.engine == Engine::Nextest && self.binaries == Binaries::Built {
            let kept = kept_binaries(&self.target_dir, self.repository.root());
            nextest::remember_binaries(scratch, &kept)?;
        }
        let world = World {
            policy: &self.policy,
            census: self.census_faults.is_empty().then_some(&self.census),
            suites: &self.suites,
            quarantine: &self.quarantine,
            engine: self.engine,
            unlisted: (&documented, unlisted.unwrap_or_default()),
            weights: &self.weights,
        };
        Ok(plan::make(&world, &self.profile, &self.asked, &listed))
    }

    /// Why the examples in documentation are not even listed; nothing where they are. Listing them asks rustdoc.
    fn unlisted(&self, documented: &[String]) -> Option<&'static str> {
        let wanted = self.wanted().map(|only| {
            documented
                .iter()
                .any(|name| only.iter().any(|(suite, _)| *suite == doctest::suite(name)))
        });
        if wanted == Some(false) {
            return Some("rerun: none of them is among the failures");
        }
        if wanted.is_none() && !self.asked.kinds(&self.profile).contains(&Kind::Doc) {
            return Some("kind: `doc` was not asked for");
        }
        if wanted.is_none() && !self.asked.filters(&self.profile).is_empty() {
            return Some("filter: no filterset selects an example of a documentation");
        }
        match self.binaries {
            Binaries::Built => None,
            Binaries::Archive(_) | Binaries::Kept(_) => Some(
                "doctests: nothing that was built before holds them; run `--kind doc` beside it",
            ),
        }
    }

    /// What is said once where cargo-nextest is missing.
    pub(crate) fn engine_note(&self) -> Option<String> {
        (self.engine == Engine::CargoTest).then(|| {
            format!(
                "portcullis: cargo-nextest is not installed, so `cargo test` builds and each test is started from here: no \
                 filtersets, archives or kept builds, no runner of cargo's configuration, and no certification; {}",
                nextest::REMEDY
            )
        })
    }

    /// Whether a target has no libtest around it.
    pub(crate) fn is_without_harness(&self, package: &str, target: &str) -> bool {
        self.without_harness.contains(&(package.to_owned(), target.to_owned()))
    }

    /// Every gate with its policy, those of the plan that are written in Rust included.
    pub(crate) fn tables(&self, plan: &Plan) -> Vec<GateTable> {
        let rust = plan
            .rust_gates
            .iter()
            .map(|(id, binary)| GateTable::for_rust(id.clone(), &self.policy, binary));
        self.policy.gates.iter().cloned().chain(rust).collect()
    }

    /// What the decision is made from, as far as it is known before the first test runs.
    pub(crate) fn recorded(&self, plan: &Plan) -> Recorded {
        Recorded {
            lane: self.lane,
            requested_mode: self.requested_mode.clone(),
            policy_path: POLICY_FILE.to_owned(),
            policy: self.policy_text.clone(),
            classification_path: CLASSIFICATION_FILE.to_owned(),
            classification: self.classification.clone(),
            rust_gates: plan.rust_gates.clone(),
            census_faults: self.census_faults.iter().map(ErrorRecord::from).collect(),
            planned: plan.answering(&self.policy),
        }
    }

    /// What the base says. A base that was named and cannot be had is a fault of the run, never an absent base.
    pub(crate) fn base(&self, tables: &[GateTable]) -> (Base, Vec<Fault>) {
        let git = Git::new(self.repository.root(), None);
        let ids = tables.iter().map(|table| table.common.id.clone()).collect();
        let waivers =
            WaiverFile::parse(CLASSIFICATION_FILE, &self.classification, &ids, &guards(tables));
        let head = Head {
            policy: &self.policy_text,
            classification: &self.classification,
            census: self.census_faults.is_empty().then_some(&self.census),
            waivers: &waivers,
        };
        match Base::at(self.base.as_deref(), &git, &head, self.header.clock.now.day()) {
            Ok(base) => (base, Vec::new()),
            Err(fault) => (Base::unknown(), vec![fault]),
        }
    }

    /// What is wrong with the commit that this run would be read for.
    pub(crate) fn subject_faults(&self) -> Vec<Fault> {
        let commit = self.header.source.commit.as_deref();
        let mut faults: Vec<Fault> =
            self.repository.environment.other_subject(commit).into_iter().collect();
        if commit.is_some() && self.lane != Lane::Local {
            match Git::new(self.repository.root(), None).undisclosed() {
                Ok(hidden) => faults.extend(hidden),
                Err(fault) => faults.push(undecided(&fault)),
            }
        }
        faults
    }

    /// Whether the work tree differs from the commit; unknown counts as dirty.
    pub(crate) fn is_dirty(&self) -> Result<bool, Fault> {
        if self.header.source.commit.is_none() {
            return Ok(true);
        }
        let git = Git::new(self.repository.root(), None);
        Ok(git.is_dirty()? || !git.hidden_edits()?.is_empty())
    }
}

/// Package and target of everything in the workspace that has no libtest around it.
fn without_harness(metadata: &Metadata) -> Result<BTreeSet<(String, String)>, Refused> {
    let mut found = BTreeSet::new();
    for (package, manifest) in metadata.manifests() {
        let text = std::fs::read_to_string(manifest)
            .with_context(|| format!("{} cannot be read", manifest.display()))?;
        let name = manifest.display().to_string();
        let bare = suites::without_harness(&name, &text, package)?;
        found.extend(bare.into_iter().map(|target| (package.to_owned(), target)));
    }
    Ok(found)
}

/// Says whether this run can do without nextest.
fn fallback_for(asked: &Asked, profile: &Profile, choice: &Choice) -> Result<Engine, Refused> {
    let what = if !asked.filters(profile).is_empty() {
        "filtersets"
    } else if choice.archive.is_some() {
        "archives"
    } else if choice.no_build {
        "kept builds"
    } else {
        return Ok(Engine::CargoTest);
    };
    let headline = format!("cargo-nextest is not installed, and only it knows {what}");
    let fault = Fault::new(TOOL_MISSING, headline, nextest::REMEDY);
    Err(Refused::new(Exit::Nothing, fault))
}

/// Where a run writes down which binaries it built. Several work trees may share one target directory.
fn kept_binaries(target_dir: &Path, root: &Path) -> PathBuf {
    let tree = Digest::of(root.as_os_str().as_encoded_bytes()).to_string();
    let tree: String = tree.chars().take(12).collect();
    target_dir.join(format!("portcullis/engine/binaries-{tree}.json"))
}

/// Where the test binaries come from, and the digest of the archive if it is one.
fn binaries(
    choice: &Choice,
    target_dir: &Path,
    root: &Path,
) -> Result<(Binaries, Option<Digest>), Refused> {
    if let Some(archive) = &choice.archive {
        let unreadable = |source: std::io::Error| {
            let headline = format!("the archive `{}` cannot be read", archive.display());
            let remedy = "name a file that `cargo nextest archive` made";
            let fault = Fault::new(USAGE, headline, remedy).because(&source);
            Refused::new(Exit::Usage, fault)
        };
        let path = archive.canonicalize().map_err(unreadable)?;
        let file = std::fs::File::open(&path).map_err(unreadable)?;
        let (digest, _bytes) = digest::of_reader(file).map_err(unreadable)?;
        return Ok((Binaries::Archive(path), Some(digest)));
    }
    if !choice.no_build {
        return Ok((Binaries::Built, None));
    }
    let kept = kept_binaries(target_dir, root);
    if kept.is_file() {
        return Ok((Binaries::Kept(kept), None));
    }
    let headline = "no run before this one built anything, and this one was told not to build";
    let remedy = "run once without `--no-build`";
    Err(Refused::new(Exit::ListFailed, Fault::new(LIST_FAILED, headline, remedy)))
}

/// The features of gate binaries that cargo leaves out without them.
fn features(policy: &Policy, census: &Census, tests: &[TestTarget]) -> Features {
    let mut binaries: BTreeSet<String> =
        policy.gates.iter().map(|gate| crate_name(&gate.common.binary)).collect();
    binaries.insert(crate_name(&policy.binary));
    binaries.extend(census.rows.iter().map(|row| crate_name(&row.binary)));
    tests
        .iter()
        .filter(|test| !test.features.is_empty() && binaries.contains(&test.binary()))
        .map(|test| ((test.package.clone(), test.name.clone()), test.features.clone()))
        .collect()
}

fn usage(headline: impl Into<String>, remedy: impl Into<String>) -> Refused {
    Refused::new(Exit::Usage, Fault::new(USAGE, headline, remedy))
}

fn profile(policy: &Policy, choice: &Choice) -> Result<Profile, Refused> {
    policy.profiles.get(&choice.profile).cloned().ok_or_else(|| {
        let names: Vec<&str> = policy.profiles.keys().map(String::as_str).collect();
        let close = near(&choice.profile, names.iter().copied());
        let remedy = close.first().map_or_else(
            || format!("name one of {}", names.join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        usage(format!("there is no profile `{}`", choice.profile.escape_debug()), remedy)
    })
}

/// What the command line asks for; contradictions end here, before anything is built.
fn asked(profile: &Profile, choice: &Choice) -> Result<Asked, Refused> {
    let kinds = if choice.kind.is_empty() || choice.kind.contains(&None) {
        (!choice.kind.is_empty())
            .then(|| portcullis::kernel::policy::profile::Kind::ALL.into_iter().collect())
    } else {
        Some(choice.kind.iter().filter_map(|kind| *kind).collect())
    };
    let selects = !choice.filters.is_empty() || !profile.select.is_empty() || kinds.is_some();
    if profile.name == "focused" && !selects && choice.rerun_from.is_none() {
        return Err(usage(
            "the profile `focused` runs what you name, and nothing is named",
            "add `-E '<filterset>'` or `--kind`, or take the profile `quick`",
        ));
    }
    let shard = match (choice.shard, choice.shard_kind) {
        (Some((index, total)), _) => {
            Some(Shard { by: choice.shard_by.unwrap_or(By::Slice), index, total, part: None })
        }
        (None, Some(kind)) => {
            let by = match kind {
                ShardKind::Suite => By::Binary,
                ShardKind::Unit => By::Slice,
            };
            let (index, total) =
                (choice.shard_index.unwrap_or_default(), choice.shard_total.unwrap_or_default());
            if !(1..=SHARDS_MAX).contains(&total) || index >= total {
                let headline = format!("there is no shard {index} of {total}");
                let remedy = format!("count from 0: 0 <= index < total <= {SHARDS_MAX}");
                return Err(usage(headline, remedy));
            }
            Some(Shard { by, index, total, part: None })
        }
        (None, None) => None,
    };
    Ok(Asked { kinds, filters: choice.filters.clone(), shard, ..Asked::default() })
}

/// The fault of a work tree that git cannot judge.
pub(crate) fn undecided(source: &Fault) -> Fault {
    let headline = "nobody can say whether the work tree is clean";
    Fault::new(BASE_UNRESOLVABLE, headline, "mend what git reports").because(source)
}
