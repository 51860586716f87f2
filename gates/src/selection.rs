//! Which tests a command would run, by its arguments, its profile and the roster. It runs nothing.

mod arguments;

use crate::{
    filterset::{Filter, Refusal, Subject, Truth},
    nextest_profiles::Profiles,
    shell::{argv::OPAQUE, follow::Leaf},
    test_roster::{Binary, Roster},
    workspace::Workspace,
};
pub(crate) use arguments::{Runner, TestCommand};
use portcullis::{Fault, GateContext};
use std::collections::{BTreeMap, BTreeSet};

/// The tests of a workspace with what chooses among them.
pub(crate) struct Universe {
    binaries: Vec<Candidates>,
    /// The folder of each package, and the packages that are meant when nothing is said at the root.
    folders: BTreeMap<String, String>,
    defaults: BTreeSet<String>,
    pub(crate) profiles: Option<Profiles>,
}

/// The tests of one binary.
struct Candidates {
    package: String,
    name: String,
    id: String,
    kind: &'static str,
    /// Names with whether they run without being asked for; nothing when only the binary knows.
    tests: Option<BTreeMap<String, bool>>,
}

/// What a command selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Ids of the form `binary-id$test`; a binary whose tests nobody knows stands with its id alone.
    pub(crate) tests: BTreeSet<String>,
    /// What else took each test out, the argument that did it.
    pub(crate) removed: BTreeMap<String, String>,
    /// Why it is not known what else it selects.
    pub(crate) unknown: Option<String>,
}

impl Selection {
    /// The binaries that it starts.
    pub(crate) fn binaries(&self) -> BTreeSet<&str> {
        self.tests
            .iter()
            .map(|id| id.split_once('$').map_or(id.as_str(), |(binary, _)| binary))
            .collect()
    }
}

impl Universe {
    /// Puts a roster together with the packages and profiles around it; nothing where there is no cargo.
    ///
    /// # Errors
    /// When manifests or profiles cannot be read.
    pub(crate) fn new(
        cx: &GateContext<'_>,
        roster: &Roster,
        profiles: Option<Profiles>,
    ) -> Result<Option<Self>, Fault> {
        let Some(workspace) = Workspace::read(cx, "Cargo.toml")? else { return Ok(None) };
        let mut folders = BTreeMap::new();
        for package in workspace.packages() {
            if let Some(path) = workspace.relative(package.manifest_path.as_str()) {
                let folder = path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
                folders.insert(package.name.to_string(), folder.to_owned());
            }
        }
        let mut binaries = Vec::new();
        for binary in &roster.binaries {
            binaries.push(candidates(cx, binary)?);
        }
        let defaults =
            workspace.default_packages().map(|package| package.name.to_string()).collect();
        Ok(Some(Self { binaries, folders, defaults, profiles }))
    }

    /// What an id stands for: the tests of a binary that run without being asked for, or one test.
    pub(crate) fn wanted(&self, id: &str) -> Vec<String> {
        if id.contains('$') {
            return vec![id.to_owned()];
        }
        let Some(binary) = self.binaries.iter().find(|binary| binary.id == id) else {
            return vec![id.to_owned()];
        };
        match &binary.tests {
            None => vec![id.to_owned()],
            Some(tests) => {
                let active = tests.iter().filter(|(_, is_active)| **is_active);
                let ids: Vec<String> = active.map(|(name, _)| format!("{id}${name}")).collect();
                if ids.is_empty() { vec![id.to_owned()] } else { ids }
            }
        }
    }

    /// Whether the roster has an id.
    pub(crate) fn has(&self, id: &str) -> bool {
        let (binary_id, test) =
            id.split_once('$').map_or((id, None), |(id, test)| (id, Some(test)));
        self.binaries.iter().any(|binary| {
            binary.id == binary_id
                && match (test, &binary.tests) {
                    (Some(test), Some(tests)) => tests.contains_key(test),
                    (Some(_) | None, None) => true,
                    (None, Some(tests)) => !tests.is_empty(),
                }
        })
    }

    /// What a command selects.
    pub(crate) fn select(&self, command: &TestCommand, leaf: &Leaf) -> Selection {
        let mut selection = Selection { unknown: command.unknown.clone(), ..Selection::default() };
        if let Some(flag) = &command.runs_nothing {
            selection.unknown = None;
            for binary in &self.binaries {
                for id in binary.ids() {
                    selection.removed.insert(id, flag.clone());
                }
            }
            return selection;
        }
        let filters = match self.filters(command) {
            Ok(filters) => filters,
            Err(why) => {
                selection.unknown.get_or_insert(why);
                Vec::new()
            }
        };
        if leaf.folder.contains(OPAQUE) {
            selection.unknown.get_or_insert_with(|| "the folder that it runs in".to_owned());
        }
        // Whatever was not understood may leave out any test, so none counts as selected.
        let is_understood = selection.unknown.is_none();
        let packages = self.packages(command, &leaf.folder);
        for binary in &self.binaries {
            let by_package = packages.contains(&binary.package);
            let taken = if by_package {
                command.takes_target(binary.kind, &binary.name)
            } else {
                Err("the choice of packages".to_owned())
            };
            let names: Vec<(Option<&str>, bool)> = match &binary.tests {
                None => vec![(None, true)],
                Some(tests) => {
                    tests.iter().map(|(name, active)| (Some(name.as_str()), *active)).collect()
                }
            };
            for (name, is_active) in names {
                let id =
                    name.map_or_else(|| binary.id.clone(), |name| format!("{}${name}", binary.id));
                if let Err(argument) = &taken {
                    selection.removed.insert(id, argument.clone());
                    continue;
                }
                let subject = Subject {
                    package: &binary.package,
                    binary: &binary.name,
                    binary_id: &binary.id,
                    kind: binary.kind,
                    test: name,
                };
                match chosen(command, &filters, &subject, is_active) {
                    Chosen::Yes if !is_understood => {}
                    Chosen::Yes => {
                        selection.tests.insert(id);
                    }
                    Chosen::No(argument) => {
                        selection.removed.insert(id, argument);
                    }
                    Chosen::Maybe(why) => {
                        selection.unknown.get_or_insert(why);
                    }
                }
            }
        }
        selection
    }

    /// The filter expressions in force, with what they are called.
    fn filters(&self, command: &TestCommand) -> Result<Vec<(String, Vec<Filter>)>, String> {
        let read = |text: &str| {
            Filter::parse(text).map_err(|refusal| match refusal {
                Refusal::Invalid(why) | Refusal::NotStatic(why) => format!("`{text}`: {why}"),
            })
        };
        let mut filters = Vec::new();
        if command.runner != Runner::Nextest {
            return Ok(filters);
        }
        let profile = command.profile.as_deref().unwrap_or("default");
        let chain = self.profiles.as_ref().map(|file| file.chain(profile)).unwrap_or_default();
        if let Some(file) = &self.profiles
            && !file.has(profile)
        {
            return Err(format!("the profile `{profile}`, which is not there"));
        }
        let default = chain.iter().find_map(|one| one.default_filter.as_ref());
        if let Some((text, _)) = default.filter(|_| !command.ignores_default_filter) {
            let name = format!("the default filter of profile `{profile}`");
            filters.push((name, vec![read(text)?]));
        }
        if !command.expressions.is_empty() {
            let all: Result<Vec<Filter>, String> =
                command.expressions.iter().map(|text| read(text)).collect();
            filters.push((format!("-E '{}'", command.expressions.join("' -E '")), all?));
        }
        Ok(filters)
    }

    fn packages(&self, command: &TestCommand, folder: &str) -> BTreeSet<String> {
        let base = command.manifest_folder.as_deref().unwrap_or(folder);
        let named = |pattern: &String, name: &str| {
            let pattern = pattern.split(['@', '#']).next().unwrap_or(pattern);
            arguments::glob(pattern, name)
        };
        let excluded = |name: &str| command.excluded.iter().any(|pattern| named(pattern, name));
        let all = self.folders.keys().cloned();
        if !command.packages.is_empty() {
            return all
                .filter(|name| command.packages.iter().any(|one| named(one, name)))
                .collect();
        }
        if command.is_workspace {
            return all.filter(|name| !excluded(name)).collect();
        }
        // The package whose manifest is the nearest above, unless that is the one of the workspace.
        let is_around = |of: &str| base == of || base.starts_with(&format!("{of}/"));
        let nearest = self
            .folders
            .iter()
            .filter(|(_, of)| !of.is_empty() && is_around(of))
            .max_by_key(|(_, of)| of.len());
        match nearest {
            Some((name, _)) => BTreeSet::from([name.clone()]),
            None => self.defaults.clone(),
        }
    }
}

impl Candidates {
    fn ids(&self) -> Vec<String> {
        match &self.tests {
            None => vec![self.id.clone()],
            Some(tests) => tests.keys().map(|name| format!("{}${name}", self.id)).collect(),
        }
    }
}

enum Chosen {
    Yes,
    No(String),
    Maybe(String),
}

fn chosen(
    command: &TestCommand,
    filters: &[(String, Vec<Filter>)],
    subject: &Subject<'_>,
    is_active: bool,
) -> Chosen {
    for (name, any) in filters {
        let truths: Vec<Truth> = any.iter().map(|filter| filter.holds(subject)).collect();
        if truths.contains(&Truth::Yes) {
            continue;
        }
        if truths.contains(&Truth::Maybe) {
            return Chosen::Maybe(format!("{name}, over the tests of `{}`", subject.binary_id));
        }
        return Chosen::No(name.clone());
    }
    let Some(test) = subject.test else {
        return match command.filters_tests() {
            true => Chosen::Maybe(format!("the tests of `{}`", subject.binary_id)),
            false => Chosen::Yes,
        };
    };
    match command.takes_test(test, is_active) {
        Ok(()) => Chosen::Yes,
        Err(argument) => Chosen::No(argument),
    }
}

/// The tests of a binary. Those of a gate binary are its gates.
fn candidates(cx: &GateContext<'_>, binary: &Binary) -> Result<Candidates, Fault> {
    let mut tests: BTreeMap<String, bool> = BTreeMap::new();
    for test in binary.files.values().flatten() {
        tests.insert(test.name.clone(), test.is_active);
    }
    let mut is_open = binary.is_open && tests.is_empty();
    if is_open {
        for path in binary.files.keys() {
            let text = cx.file(path).text()?;
            if text.contains("portcullis::main!") {
                let own = cx.gates().iter().filter(|gate| gate.common.binary == binary.name);
                tests.extend(own.map(|gate| (gate.common.id.to_string(), true)));
            }
        }
        is_open = tests.is_empty();
    }
    Ok(Candidates {
        package: binary.package.clone(),
        name: binary.name.clone(),
        id: binary.id.clone(),
        kind: binary.kind,
        tests: (!is_open).then_some(tests),
    })
}
