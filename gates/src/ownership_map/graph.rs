//! The import graph of a workspace: which file names something of which other file. Names are resolved through module
//! trees, imports, globs and re-exports; where two meanings are possible, both count.

use crate::{
    rust_source::{ItemKind, Token, Written, items, module_files, written},
    workspace::Workspace,
};
use portcullis::{Fault, GateContext, GateError, RelPath};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// How many re-exports a name may lead through.
const REEXPORTS_MAX: usize = 16;

/// A module of a target.
#[derive(Default)]
struct Module {
    /// The file its tokens stand in.
    file: Option<RelPath>,
    children: BTreeSet<String>,
    /// Names of functions, types and constants that it defines itself.
    defined: BTreeSet<String>,
    names: BTreeMap<String, Vec<Vec<String>>>,
    globs: Vec<Vec<String>>,
}

/// A target with its module tree.
struct Target {
    package: String,
    /// Under which name other crates import it; nothing for binaries and tests.
    crate_name: Option<String>,
    /// Crate names that this package gives to workspace libraries, and their own names.
    renamed: BTreeMap<String, String>,
    has_old_paths: bool,
    modules: BTreeMap<Vec<String>, Module>,
    /// Modules in files of their own that are declared for test builds only.
    test_only: BTreeSet<Vec<String>>,
}

/// A path somewhere in a source.
struct Reference {
    target: usize,
    module: Vec<String>,
    path: Vec<String>,
    at: Token,
    is_import: bool,
    is_test_only: bool,
}

/// All targets of a workspace.
pub(super) struct Graph {
    targets: Vec<Target>,
    references: Vec<Reference>,
    modules_of: BTreeMap<RelPath, Vec<Vec<String>>>,
    files_of: BTreeMap<String, BTreeSet<RelPath>>,
}

/// One file names something of another.
pub(super) struct Edge<'g> {
    pub(super) from: &'g RelPath,
    pub(super) to: &'g RelPath,
    /// As written.
    pub(super) path: &'g [String],
    pub(super) at: &'g Token,
    pub(super) is_test_only: bool,
}

/// A module, by target and name.
type Place = (usize, Vec<String>);

impl Graph {
    /// Reads the module tree of every target in the repository.
    ///
    /// # Errors
    /// When a source cannot be read or is not Rust: a file that nobody understood may import anything.
    pub(super) fn read(cx: &GateContext<'_>, workspace: &Workspace) -> Result<Self, GateError> {
        let mut graph = Self {
            targets: Vec::new(),
            references: Vec::new(),
            modules_of: BTreeMap::new(),
            files_of: BTreeMap::new(),
        };
        let libraries: BTreeMap<&str, String> = workspace
            .packages()
            .filter_map(|package| {
                let lib = package
                    .targets
                    .iter()
                    .find(|target| target.is_lib() || target.is_proc_macro())?;
                Some((package.name.as_str(), lib.name.replace('-', "_")))
            })
            .collect();
        for package in workspace.packages() {
            let mut renamed: BTreeMap<String, String> = BTreeMap::new();
            for dependency in &package.dependencies {
                if let Some(library) = libraries.get(dependency.name.as_str()) {
                    let name = dependency.rename.as_ref().map(|name| name.replace('-', "_"));
                    renamed.insert(name.unwrap_or_else(|| library.clone()), library.clone());
                }
            }
            if let Some(own) = libraries.get(package.name.as_str()) {
                // Binaries and tests of a package see its library without declaring it.
                renamed.insert(own.clone(), own.clone());
            }
            for target in &package.targets {
                let Some(root) = workspace.relative(target.src_path.as_str()) else { continue };
                let is_library = target.is_lib() || target.is_proc_macro();
                let read = Target {
                    package: package.name.to_string(),
                    crate_name: is_library.then(|| target.name.replace('-', "_")),
                    renamed: renamed.clone(),
                    has_old_paths: target.edition == cargo_metadata::Edition::E2015,
                    modules: BTreeMap::new(),
                    test_only: BTreeSet::new(),
                };
                let only_tests = target.is_test() || target.is_bench() || target.is_example();
                graph.target(cx, read, &root, &target.name.replace('-', "_"), only_tests)?;
            }
        }
        Ok(graph)
    }

    fn target(
        &mut self,
        cx: &GateContext<'_>,
        target: Target,
        root: &RelPath,
        name: &str,
        is_test_only: bool,
    ) -> Result<(), GateError> {
        let read = |path: &RelPath| {
            let file = cx.file(path);
            if file.exists()? { file.text().map(Some) } else { Ok(None) }
        };
        let number = self.targets.len();
        let package = target.package.clone();
        self.targets.push(target);
        for (path, file) in cx.watch(module_files(root, read))? {
            let full: Vec<String> =
                std::iter::once(name.to_owned()).chain(file.module.iter().cloned()).collect();
            let names = self.modules_of.entry(path.clone()).or_default();
            if !names.contains(&full) {
                names.push(full);
            }
            self.files_of.entry(package.clone()).or_default().insert(path.clone());
            let whole = 0..file.tokens.len();
            let scope = Scope { target: number, path: &path, tokens: &file.tokens };
            cx.watch(self.module(&scope, file.module.clone(), whole, is_test_only))?;
        }
        Ok(())
    }

    /// Reads one module and the inline modules in it, without recursion.
    fn module(
        &mut self,
        scope: &Scope<'_>,
        name: Vec<String>,
        range: Range<usize>,
        is_test_only: bool,
    ) -> Result<(), Fault> {
        let mut waiting = vec![(name, range, is_test_only)];
        while let Some((name, range, is_test_only)) = waiting.pop() {
            self.declare(scope, &name);
            for item in items(scope.path, scope.tokens, range)? {
                let is_test_only = is_test_only || item.is_test_only;
                if let (ItemKind::Mod, Some(child), Some(body)) =
                    (item.kind, &item.name, &item.body)
                {
                    let inner = name.iter().cloned().chain([child.clone()]).collect();
                    waiting.push((inner, body.clone(), is_test_only));
                    // What stands on the module, such as its attributes, belongs to the module around it.
                    let head = item.whole.start..body.start;
                    self.take(scope, &name, written(&scope.tokens[head]), is_test_only);
                    continue;
                }
                if let (ItemKind::Mod, Some(child), true) = (item.kind, &item.name, is_test_only)
                    && let Some(target) = self.targets.get_mut(scope.target)
                {
                    target.test_only.insert(name.iter().cloned().chain([child.clone()]).collect());
                }
                if let (ItemKind::Fn | ItemKind::Other, Some(defined)) = (item.kind, &item.name)
                    && let Some(target) = self.targets.get_mut(scope.target)
                {
                    let module = target.modules.entry(name.clone()).or_default();
                    module.defined.insert(defined.clone());
                }
                let tokens = &scope.tokens[item.whole.clone()];
                if item.kind == ItemKind::ExternCrate {
                    self.extern_crate(scope, &name, tokens);
                }
                self.take(scope, &name, written(tokens), is_test_only);
            }
        }
        Ok(())
    }

    fn declare(&mut self, scope: &Scope<'_>, name: &[String]) {
        let Some(target) = self.targets.get_mut(scope.target) else { return };
        target.modules.entry(name.to_vec()).or_default().file = Some(scope.path.clone());
        if let Some((last, around)) = name.split_last() {
            target.modules.entry(around.to_vec()).or_default().children.insert(last.clone());
        }
    }

    /// `extern crate a as b;` is an import of the crate.
    fn extern_crate(&mut self, scope: &Scope<'_>, module: &[String], tokens: &[Token]) {
        let words: Vec<&str> = tokens
            .iter()
            .skip_while(|token| !token.is_ident("crate"))
            .skip(1)
            .map(|token| token.text.as_str())
            .collect();
        let (Some(name), alias) = (words.first(), words.get(2).or(words.first())) else { return };
        if let (Some(alias), Some(target)) = (alias, self.targets.get_mut(scope.target)) {
            let module = target.modules.entry(module.to_vec()).or_default();
            // `extern crate self as b;` names the crate itself.
            let name = if *name == "self" { "crate" } else { name };
            module.names.entry((*alias).to_owned()).or_default().push(vec![name.to_owned()]);
        }
    }

    fn take(&mut self, scope: &Scope<'_>, module: &[String], found: Written, is_test_only: bool) {
        if let Some(target) = self.targets.get_mut(scope.target) {
            let entry = target.modules.entry(module.to_vec()).or_default();
            for (name, mut paths) in found.names {
                entry.names.entry(name).or_default().append(&mut paths);
            }
            entry.globs.extend(found.globs);
        }
        let imported = found.imported.into_iter().map(|(path, at)| (path, at, true));
        let paths = found.paths.into_iter().map(|(path, at)| (path, at, false));
        self.references.extend(imported.chain(paths).map(|(path, at, is_import)| Reference {
            target: scope.target,
            module: module.to_vec(),
            path,
            at,
            is_import,
            is_test_only,
        }));
    }

    /// The names that lead to a file, the crate first.
    pub(super) fn modules_of(&self, path: &RelPath) -> &[Vec<String>] {
        self.modules_of.get(path).map_or(&[], Vec::as_slice)
    }

    /// Whether a target includes a file.
    pub(super) fn has(&self, path: &RelPath) -> bool {
        self.modules_of.contains_key(path)
    }

    /// The files of all targets of a package.
    pub(super) fn files_of(&self, package: &str) -> impl Iterator<Item = &RelPath> {
        self.files_of.get(package).into_iter().flatten()
    }

    /// Every reference that leads to another file.
    pub(super) fn edges(&self) -> Vec<Edge<'_>> {
        let mut edges = Vec::new();
        for reference in &self.references {
            let Some(from) = self.file(&(reference.target, reference.module.clone())) else {
                continue;
            };
            let mut seen = BTreeSet::new();
            for place in self.meanings(reference) {
                let Some(to) = self.file(&place).filter(|to| *to != from) else { continue };
                if seen.insert(to) {
                    edges.push(Edge {
                        from,
                        to,
                        path: &reference.path,
                        at: &reference.at,
                        is_test_only: reference.is_test_only || self.is_in_tests(reference),
                    });
                }
            }
        }
        edges
    }

    /// Whether a module around a reference is declared for test builds only.
    fn is_in_tests(&self, reference: &Reference) -> bool {
        let Some(target) = self.targets.get(reference.target) else { return false };
        (1..=reference.module.len()).any(|n| target.test_only.contains(&reference.module[..n]))
    }

    fn file(&self, (target, module): &Place) -> Option<&RelPath> {
        self.targets.get(*target)?.modules.get(module)?.file.as_ref()
    }

    fn module_at(&self, (target, module): &Place) -> Option<&Module> {
        self.targets.get(*target)?.modules.get(module)
    }

    /// The modules that a reference may name something of.
    fn meanings(&self, reference: &Reference) -> BTreeSet<Place> {
        let mut found = BTreeSet::new();
        let start = (reference.target, reference.module.clone());
        if reference.path.len() == 1 && !reference.is_import {
            // A bare name was brought in by an import, which is a reference of its own, or by a glob.
            self.through_globs(&start, &reference.path, 0, &mut found);
        } else {
            self.resolve(&start, &reference.path, reference.is_import, 0, &mut found);
        }
        found
    }

    /// Follows a path from a module, as its first name says.
    fn resolve(
        &self,
        start: &Place,
        path: &[String],
        is_import: bool,
        depth: usize,
        found: &mut BTreeSet<Place>,
    ) {
        let Some((first, rest)) = path.split_first() else { return };
        if depth > REEXPORTS_MAX {
            return;
        }
        let (target, module) = start;
        match first.as_str() {
            "crate" => self.descend((*target, Vec::new()), rest, depth, found),
            // `self::super` goes up as `super` does.
            "self" if rest.first().is_some_and(|next| next == "super") => {
                self.resolve(start, rest, is_import, depth, found);
            }
            "self" => self.descend(start.clone(), rest, depth, found),
            "super" => {
                let mut around = module.clone();
                around.pop();
                let mut rest = rest;
                while rest.first().is_some_and(|next| next == "super") {
                    around.pop();
                    rest = rest.get(1..).unwrap_or_default();
                }
                self.descend((*target, around), rest, depth, found);
            }
            _ => {
                self.named(start, path, depth, found);
                if is_import && self.targets.get(*target).is_some_and(|target| target.has_old_paths)
                {
                    self.named(&(*target, Vec::new()), path, depth, found);
                }
                for other in self.libraries(*target, first) {
                    self.descend((other, Vec::new()), rest, depth, found);
                }
            }
        }
    }

    /// The workspace library that a target knows under this name.
    fn libraries(&self, target: usize, name: &str) -> impl Iterator<Item = usize> {
        let own = self.targets.get(target).and_then(|target| target.renamed.get(name));
        let same = move |target: &Target| own.is_some() && target.crate_name.as_ref() == own;
        self.targets
            .iter()
            .enumerate()
            .filter(move |(_, target)| same(target))
            .map(|(index, _)| index)
    }

    /// Follows a path whose first name is declared in, imported into or globbed into a module.
    fn named(&self, at: &Place, path: &[String], depth: usize, found: &mut BTreeSet<Place>) {
        let (Some((first, rest)), Some(module)) = (path.split_first(), self.module_at(at)) else {
            return;
        };
        if module.children.contains(first) {
            let child = at.1.iter().cloned().chain([first.clone()]).collect();
            self.descend((at.0, child), rest, depth, found);
        }
        if module.defined.contains(first) {
            found.insert(at.clone());
        }
        for import in module.names.get(first).into_iter().flatten() {
            // `use a;` would lead to itself.
            if import.as_slice() != [first.clone()] || self.libraries(at.0, first).next().is_some()
            {
                let whole: Vec<String> = import.iter().chain(rest).cloned().collect();
                if whole != path {
                    self.resolve(at, &whole, true, depth + 1, found);
                }
            }
        }
        self.through_globs(at, path, depth, found);
    }

    fn through_globs(
        &self,
        at: &Place,
        path: &[String],
        depth: usize,
        found: &mut BTreeSet<Place>,
    ) {
        let Some(module) = self.module_at(at).filter(|_| depth < REEXPORTS_MAX) else { return };
        for glob in &module.globs {
            let mut sources = BTreeSet::new();
            if glob.first() != path.first() || glob.len() > 1 {
                self.resolve(at, glob, true, depth + 4, &mut sources);
            }
            for source in sources.iter().filter(|source| *source != at) {
                self.named(source, path, depth + 4, found);
            }
        }
    }

    /// Goes down the rest of a path; the module it ends in is a meaning, and so is one that only re-exports.
    fn descend(&self, at: Place, rest: &[String], depth: usize, found: &mut BTreeSet<Place>) {
        let mut at = at;
        let mut rest = rest;
        while let Some((next, after)) = rest.split_first() {
            if next == "self" {
                rest = after;
                continue;
            }
            let is_child = self.module_at(&at).is_some_and(|module| module.children.contains(next));
            if !is_child {
                if depth < REEXPORTS_MAX {
                    self.named(&at, rest, depth + 1, found);
                }
                break;
            }
            at.1.push(next.clone());
            rest = after;
        }
        found.insert(at);
    }
}

/// The tokens that are being read.
struct Scope<'t> {
    target: usize,
    path: &'t RelPath,
    tokens: &'t [Token],
}
