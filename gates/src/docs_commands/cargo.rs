//! Commands of cargo: packages, targets, features, aliases and filters. It knows the options that take a value, and
//! checks those that name something of the workspace.

use super::{
    program::{Problem, Resolver},
    shell::Word,
};
use crate::toml_file::TomlFile;
use cargo_metadata::{Package, Target, TargetKind};
use portcullis::{GateContext, GateError, Globs};
use std::collections::{BTreeMap, BTreeSet};

/// What cargo itself can do.
const BUILTIN: &[&str] = &[
    "add",
    "b",
    "bench",
    "build",
    "c",
    "check",
    "clean",
    "clippy",
    "config",
    "d",
    "doc",
    "fetch",
    "fix",
    "fmt",
    "generate-lockfile",
    "help",
    "info",
    "init",
    "install",
    "locate-project",
    "login",
    "logout",
    "metadata",
    "new",
    "owner",
    "package",
    "pkgid",
    "publish",
    "r",
    "read-manifest",
    "remove",
    "report",
    "rm",
    "run",
    "rustc",
    "rustdoc",
    "search",
    "t",
    "test",
    "tree",
    "uninstall",
    "update",
    "vendor",
    "version",
    "yank",
];
/// Options before `--` that take a value.
const WITH_VALUE: &[&str] = &[
    "-p",
    "--package",
    "--exclude",
    "--test",
    "--bench",
    "--bin",
    "--example",
    "-F",
    "--features",
    "--target",
    "--target-dir",
    "--manifest-path",
    "--profile",
    "-j",
    "--jobs",
    "--message-format",
    "--color",
    "--config",
    "-Z",
    "--lockfile-path",
    "-C",
    // nextest, which has more of them
    "-E",
    "--filterset",
    "--filter-expr",
    "-P",
    "--partition",
    "--retries",
    "--test-threads",
    "--cargo-profile",
    "--archive-file",
    "--tool-config-file",
    "--config-file",
    "--run-ignored",
    "--status-level",
    "--final-status-level",
    "--failure-output",
    "--success-output",
    "--max-fail",
    "-T",
    "--workspace-remap",
    "--extract-to",
    "--cargo-message-format",
    "--no-tests",
    // the tree and plugins of rustup
    "-e",
    "--edges",
    "-i",
    "--invert",
    "--prune",
    "--depth",
    "--prefix",
    "--charset",
    "--format",
    "-f",
    "--path",
    "--git",
    "--branch",
    "--tag",
    "--rev",
    "--root",
    "--version",
    "--vers",
];
/// Options of a test binary that take a value.
const BINARY_WITH_VALUE: &[&str] = &[
    "--skip",
    "--test-threads",
    "--format",
    "--logfile",
    "--color",
    "-Z",
    "--shuffle-seed",
    "--show-output-for",
];

/// A command of cargo, its options read.
#[derive(Default)]
struct Call<'w> {
    options: Vec<(&'w str, Option<&'w Word>)>,
    /// Owned values of `--name=value`.
    joined: Vec<(&'w str, Word)>,
    positional: Vec<&'w Word>,
    /// What stands after the first `--`, further `--` left out.
    binary: Option<Vec<&'w Word>>,
}

impl<'w> Call<'w> {
    fn read(words: &'w [Word]) -> Self {
        let mut call = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let text = word.text.as_str();
            if text == "--" {
                call.binary = Some(rest.filter(|word| word.text != "--").collect());
                break;
            }
            if let Some((name, value)) = text.split_once('=').filter(|_| text.starts_with('-')) {
                let value = Word { text: value.to_owned(), ..word.clone() };
                call.joined.push((name, value));
            } else if WITH_VALUE.contains(&text) {
                call.options.push((text, rest.next()));
            } else if text.starts_with('-') && text.len() > 1 {
                call.options.push((text, None));
            } else {
                call.positional.push(word);
            }
        }
        call
    }

    /// The values of an option, under any of its names, where they are known.
    fn values<'s>(&'s self, names: &'s [&str]) -> impl Iterator<Item = &'s str> {
        let apart = self.options.iter().filter(|(name, _)| names.contains(name));
        let joined = self.joined.iter().filter(|(name, _)| names.contains(name));
        apart
            .filter_map(|(_, value)| *value)
            .chain(joined.map(|(_, value)| value))
            .filter(|value| !value.is_open)
            .map(|value| value.text.as_str())
    }

    fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(name, _)| names.contains(name))
            || self.joined.iter().any(|(name, _)| names.contains(name))
    }

    /// An option that ends the command before its value.
    fn lacks_value(&self) -> Option<&str> {
        let lacks = |(name, value): &&(&'w str, Option<&Word>)| {
            value.is_none() && WITH_VALUE.contains(name)
        };
        self.options.iter().find(lacks).map(|(name, _)| *name)
    }
}

/// The aliases of `.cargo/config.toml` at the root.
///
/// # Errors
/// When the file cannot be read as TOML, or an alias is neither a text nor a list.
pub(super) fn aliases(cx: &GateContext<'_>) -> Result<BTreeMap<String, Vec<String>>, GateError> {
    let mut aliases = BTreeMap::new();
    for path in [".cargo/config.toml", ".cargo/config"] {
        let source = cx.file_at(path)?;
        if !source.exists()? {
            continue;
        }
        let file = cx.watch(TomlFile::new(source.path(), source.text()?))?;
        let root = cx.watch(file.parse())?;
        let Some(table) = cx.watch(file.table(&root, "alias"))? else { continue };
        for (name, value) in table {
            let words = match value.get_ref().as_str() {
                Some(text) => text.split_whitespace().map(str::to_owned).collect(),
                None => {
                    let words = cx.watch(file.strings(value, name.get_ref()))?;
                    words.into_iter().map(|(word, _)| word).collect()
                }
            };
            aliases.entry(name.get_ref().to_string()).or_insert(words);
        }
    }
    Ok(aliases)
}

impl Resolver<'_, '_> {
    /// Whether a command of cargo exists.
    pub(super) fn cargo(
        &mut self,
        words: &[Word],
        depth: usize,
    ) -> Result<Option<Problem>, GateError> {
        let mut rest = words;
        while let Some((first, after)) = rest.split_first() {
            let skipped = match first.text.as_str() {
                "-C" | "--config" | "--color" | "-Z" => 2,
                text if text.starts_with(['-', '+']) => 1,
                _ => 0,
            };
            if matches!(first.text.as_str(), "--version" | "-V" | "--list" | "--help" | "-h") {
                return Ok(None);
            }
            if skipped == 0 {
                break;
            }
            rest = after.get(skipped - 1..).unwrap_or_default();
        }
        let Some((verb, arguments)) = rest.split_first() else {
            return Ok(Some(Problem::new("`cargo` is given nothing to do")));
        };
        if verb.is_open {
            return Ok(None);
        }
        let name = verb.text.as_str();
        if BUILTIN.contains(&name) {
            return self.builtin(name, arguments);
        }
        if name == "nextest" {
            return self.nextest(arguments);
        }
        if let Some(alias) = self.aliases.get(name) {
            let expanded: Vec<Word> = std::iter::once("cargo".to_owned())
                .chain(alias.iter().cloned())
                .map(|text| Word { text, ..Word::default() })
                .chain(arguments.iter().cloned())
                .collect();
            return self.resolve_at(&expanded, depth + 1);
        }
        let listed = [format!("cargo {name}"), format!("cargo-{name}")];
        if listed.iter().any(|plugin| self.config.programs.contains(plugin)) {
            return Ok(None);
        }
        let known: Vec<String> = BUILTIN
            .iter()
            .filter(|name| name.len() > 1)
            .map(|name| (*name).to_owned())
            .chain(self.aliases.keys().cloned())
            .chain(self.config.programs.iter().filter_map(|program| {
                program
                    .strip_prefix("cargo ")
                    .or_else(|| program.strip_prefix("cargo-"))
                    .map(str::to_owned)
            }))
            .collect();
        let what =
            format!("cargo has no command or alias `{name}`, and `programs` does not list it");
        Ok(Some(Problem::unknown(what, name, known.iter().map(String::as_str))))
    }

    fn builtin(&mut self, verb: &str, words: &[Word]) -> Result<Option<Problem>, GateError> {
        let call = Call::read(words);
        if matches!(
            verb,
            "add" | "info" | "install" | "new" | "init" | "search" | "help" | "uninstall"
        ) {
            return Ok(None);
        }
        if let Some(problem) = self.names(&call)? {
            return Ok(Some(problem));
        }
        match verb {
            "test" | "t" => self.filters(&call),
            "run" | "r" => Ok(self.runnable(&call)),
            _ => Ok(None),
        }
    }

    fn nextest(&mut self, words: &[Word]) -> Result<Option<Problem>, GateError> {
        const VERBS: &[&str] = &["archive", "list", "run", "self", "show-config", "help"];
        let verb = words.iter().position(|word| !word.text.starts_with('-'));
        let Some((verb, rest)) =
            verb.and_then(|at| words.get(at..)).and_then(<[Word]>::split_first)
        else {
            return Ok(Some(Problem::new("`cargo nextest` is given nothing to do")));
        };
        if !VERBS.contains(&verb.text.as_str()) {
            let what = format!("`cargo nextest` has no `{}`", verb.text);
            return Ok(Some(Problem::unknown(what, &verb.text, VERBS.iter().copied())));
        }
        if !matches!(verb.text.as_str(), "run" | "list" | "archive") {
            return Ok(None);
        }
        let call = Call::read(rest);
        match self.names(&call)? {
            Some(problem) => Ok(Some(problem)),
            None => self.filters(&call),
        }
    }

    /// Whether everything that options name exists.
    fn names(&self, call: &Call<'_>) -> Result<Option<Problem>, GateError> {
        if let Some(option) = call.lacks_value() {
            return Ok(Some(Problem::new(format!("`{option}` has no value"))));
        }
        for path in call.values(&["--manifest-path"]) {
            let word = Word { text: path.to_owned(), ..Word::default() };
            if let Some(problem) = self.path(&word)? {
                return Ok(Some(problem));
            }
            if path.trim_start_matches("./") != self.config.manifest() {
                // Another workspace: what it has is not known here.
                return Ok(None);
            }
        }
        for name in call.values(&["-p", "--package", "--exclude"]) {
            let plain = name.split(['@', ':']).next().unwrap_or(name);
            let known: Vec<&str> =
                self.workspace.packages().map(|package| package.name.as_str()).collect();
            if !known.iter().any(|known| is_named(known, plain)) {
                let what = format!("the workspace has no package `{name}`");
                return Ok(Some(Problem::unknown(what, plain, known)));
            }
        }
        let kinds: [(&[&str], TargetKind, &str); 4] = [
            (&["--test"], TargetKind::Test, "test target"),
            (&["--bench"], TargetKind::Bench, "bench target"),
            (&["--bin"], TargetKind::Bin, "binary"),
            (&["--example"], TargetKind::Example, "example"),
        ];
        for (options, kind, what) in kinds {
            for name in call.values(options) {
                if let Some(problem) = self.target(call, name, &kind, what) {
                    return Ok(Some(problem));
                }
            }
        }
        Ok(self.features(call))
    }

    fn selected<'s>(&'s self, call: &Call<'_>) -> Vec<&'s Package> {
        let names: Vec<&str> = call
            .values(&["-p", "--package"])
            .map(|name| name.split(['@', ':']).next().unwrap_or(name))
            .collect();
        self.workspace
            .packages()
            .filter(|package| {
                names.is_empty() || names.iter().any(|name| is_named(&package.name, name))
            })
            .collect()
    }

    fn targets<'s>(&'s self, call: &Call<'_>, kind: &TargetKind) -> Vec<&'s Target> {
        let packages = self.selected(call);
        let targets = packages.into_iter().flat_map(|package| &package.targets);
        targets.filter(|target| target.kind.contains(kind)).collect()
    }

    fn target(
        &self,
        call: &Call<'_>,
        name: &str,
        kind: &TargetKind,
        what: &str,
    ) -> Option<Problem> {
        let targets = self.targets(call, kind);
        let Some(target) = targets.iter().find(|target| is_named(&target.name, name)) else {
            let known = targets.iter().map(|target| target.name.as_str());
            return Some(Problem::unknown(format!("there is no {what} `{name}`"), name, known));
        };
        let given: BTreeSet<&str> =
            call.values(&["-F", "--features"]).flat_map(|list| list.split([',', ' '])).collect();
        let lacks = |feature: &&String| {
            !call.has(&["--all-features"])
                && !given.iter().any(|given| given.rsplit('/').next() == Some(feature.as_str()))
        };
        let missing = target.required_features.iter().find(lacks)?;
        let enabled_by_default = |package: &Package| {
            let default = package.features.get("default");
            default.is_some_and(|list| list.contains(missing))
                && !call.has(&["--no-default-features"])
        };
        if self.selected(call).into_iter().any(enabled_by_default) {
            return None;
        }
        Some(Problem::new(format!("`{name}` needs `--features {missing}`")))
    }

    fn features(&self, call: &Call<'_>) -> Option<Problem> {
        let packages = self.selected(call);
        let given = call.values(&["-F", "--features"]).flat_map(|list| list.split([',', ' ']));
        for feature in given.filter(|feature| !feature.is_empty()) {
            let (package, name) = match feature.split_once('/') {
                Some((package, name)) => (Some(package), name),
                None => (None, feature),
            };
            let within =
                |candidate: &&&Package| package.is_none_or(|name| candidate.name.as_str() == name);
            let known: Vec<&str> = match package {
                Some(_) => self
                    .workspace
                    .packages()
                    .filter(|candidate| within(&candidate))
                    .flat_map(|package| package.features.keys())
                    .map(String::as_str)
                    .collect(),
                None => packages
                    .iter()
                    .flat_map(|package| package.features.keys())
                    .map(String::as_str)
                    .collect(),
            };
            if !known.contains(&name) {
                let what = format!("no selected package has the feature `{feature}`");
                return Some(Problem::unknown(what, name, known));
            }
        }
        None
    }

    /// Whether `cargo run` has exactly something to run.
    fn runnable(&self, call: &Call<'_>) -> Option<Problem> {
        if call.has(&["--bin", "--example", "--manifest-path"]) {
            return None;
        }
        let bins = self.targets(call, &TargetKind::Bin);
        bins.is_empty().then(|| Problem::new("there is no binary to run"))
    }

    /// Whether every filter selects at least one trial of the selected targets.
    fn filters(&mut self, call: &Call<'_>) -> Result<Option<Problem>, GateError> {
        let (mut filters, mut exact) = (Vec::new(), false);
        filters.extend(call.positional.iter().copied());
        let mut rest = call.binary.iter().flatten();
        while let Some(word) = rest.next() {
            match word.text.as_str() {
                "--exact" => exact = true,
                text if BINARY_WITH_VALUE.contains(&text) => {
                    rest.next();
                }
                text if text.starts_with('-') => {}
                _ => filters.push(word),
            }
        }
        filters.retain(|word| !word.is_open);
        let other_workspace = call
            .values(&["--manifest-path"])
            .any(|path| path.trim_start_matches("./") != self.config.manifest());
        if filters.is_empty() || other_workspace || call.has(&["--doc"]) {
            return Ok(None);
        }
        let known = self.selected_trials(call)?;
        for filter in filters {
            let name = filter.text.as_str();
            let selects = |trial: &String| if exact { trial == name } else { trial.contains(name) };
            if !known.iter().any(selects) {
                let how = if exact { "is named" } else { "contains" };
                let what = format!("no trial {how} `{name}`");
                return Ok(Some(Problem::unknown(what, name, known.iter().map(String::as_str))));
            }
        }
        Ok(None)
    }

    fn selected_trials(&mut self, call: &Call<'_>) -> Result<BTreeSet<String>, GateError> {
        let tests: Vec<String> = call.values(&["--test"]).map(str::to_owned).collect();
        let only_tests = !tests.is_empty() || call.has(&["--tests"]);
        let has_kind =
            only_tests || call.has(&["--lib", "--bin", "--bins", "--example", "--bench"]);
        let mut known = BTreeSet::new();
        let packages: Vec<Package> = self.selected(call).into_iter().cloned().collect();
        for package in &packages {
            for target in &package.targets {
                let is_test = target.kind.contains(&TargetKind::Test);
                let wanted = if is_test {
                    tests.iter().any(|name| is_named(&target.name, name))
                        || (tests.is_empty() && (!has_kind || only_tests))
                } else {
                    !has_kind
                        || (target.is_lib() && call.has(&["--lib", "--tests"]))
                        || (target.is_bin() && call.has(&["--bin", "--bins", "--tests"]))
                };
                if wanted && (is_test || target.test) {
                    known.extend(self.trials_of(target)?);
                }
            }
        }
        Ok(known)
    }
}

/// cargo takes globs for packages and targets, too.
fn is_named(name: &str, pattern: &str) -> bool {
    name == pattern
        || (pattern.contains(['*', '?', '['])
            && Globs::new(&[pattern]).is_ok_and(|globs| globs.matches(name)))
}
