//! Recipes of just: their dependencies and lines, as far as no program has to be asked. It evaluates no expressions
//! but names of variables with a plain value.

use super::script::interpreter_options;
use super::{DEPENDENCIES_MAX, Leaf, Opened, Opening, Origin, Project, Unit};
use crate::shell::argv::OPAQUE;
use crate::shell::options::{Options, Shell};
use crate::shell::state::join;
use portcullis::Fault;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A justfile, read once.
#[derive(Debug, Default)]
pub(crate) struct Justfile {
    path: String,
    shell: Option<String>,
    variables: BTreeMap<String, String>,
    recipes: BTreeMap<String, Recipe>,
    aliases: BTreeMap<String, String>,
    first: Option<String>,
}

#[derive(Debug, Default)]
struct Recipe {
    parameters: Vec<(String, Option<String>)>,
    before: Vec<Vec<String>>,
    after: Vec<Vec<String>>,
    lines: Vec<(u32, String)>,
}

impl Project<'_> {
    /// What `just <recipe> ..` runs.
    pub(super) fn just(&self, leaf: &Leaf, rest: &[String]) -> Result<Opening, Fault> {
        let mut words = rest.iter();
        let mut file = None;
        let mut called: Vec<String> = Vec::new();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-f" | "--justfile" => file = words.next().map(|path| join(&leaf.folder, path)),
                "-d" | "--working-directory" | "--shell" | "--color" => {
                    words.next();
                }
                "--set" => {
                    words.next();
                    words.next();
                }
                "-l" | "--list" | "--summary" | "--version" | "-V" | "--dump" | "--evaluate"
                | "-h" | "--help" | "-n" | "--dry-run" | "--fmt" => return Ok(Opening::None),
                flag if flag.starts_with('-') && called.is_empty() => {
                    if let Some(path) = flag.strip_prefix("--justfile=") {
                        file = Some(join(&leaf.folder, path));
                    }
                }
                word => called.push(word.to_owned()),
            }
        }
        let found = match file {
            Some(path) => Some(path),
            None => self.nearest(&leaf.folder, &["justfile", "Justfile", ".justfile"])?,
        };
        let Some(path) = found else { return Ok(Opening::None) };
        let Some(justfile) = self.justfile(&path)? else { return Ok(Opening::None) };
        justfile.open(leaf, &called)
    }

    /// The file of one of these names in a folder or the next one above.
    pub(super) fn nearest(&self, folder: &str, names: &[&str]) -> Result<Option<String>, Fault> {
        let mut below = folder;
        loop {
            for name in names {
                let path = join(below, name);
                if self.read(&path)?.is_some() {
                    return Ok(Some(path));
                }
            }
            if below.is_empty() || below.contains(OPAQUE) {
                return Ok(None);
            }
            below = below.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    pub(crate) fn justfile(&self, path: &str) -> Result<Option<Rc<Justfile>>, Fault> {
        if let Some(known) = self.justfiles.borrow().get(path) {
            return Ok(Some(Rc::clone(known)));
        }
        let Some(text) = self.read(path)? else { return Ok(None) };
        let read = Rc::new(Justfile::read(path, &text));
        self.justfiles.borrow_mut().insert(path.to_owned(), Rc::clone(&read));
        Ok(Some(read))
    }
}

impl Justfile {
    /// Whether it has a recipe or alias of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.recipes.contains_key(name) || self.aliases.contains_key(name)
    }

    /// Its variables, with their plain values.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        self.variables.clone()
    }

    /// The names of its recipes.
    pub(crate) fn recipes(&self) -> impl Iterator<Item = &String> {
        self.recipes.keys()
    }

    fn read(path: &str, text: &str) -> Self {
        let mut file = Self { path: path.to_owned(), ..Self::default() };
        let mut current: Option<String> = None;
        let mut number = 0_u32;
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            number = number.saturating_add(1);
            if line.starts_with([' ', '\t']) || line.trim().is_empty() {
                let recipe = current.as_ref().and_then(|name| file.recipes.get_mut(name));
                if let Some(recipe) = recipe
                    && !(line.trim().is_empty() && recipe.lines.is_empty())
                {
                    recipe.lines.push((number, line.to_owned()));
                }
                continue;
            }
            if line.starts_with(['#', '[', '@']) && !line.starts_with('@') {
                continue;
            }
            let start = number;
            let mut whole = line.trim_end_matches('\r').to_owned();
            while whole.ends_with('\\') {
                whole.pop();
                number = number.saturating_add(1);
                whole.push_str(lines.next().unwrap_or_default().trim());
            }
            current = file.header(&whole, start);
        }
        file
    }

    /// Reads a line that begins at the margin, and returns the recipe that it opens.
    fn header(&mut self, line: &str, _number: u32) -> Option<String> {
        if let Some(setting) = line.strip_prefix("set ") {
            if let Some((_, value)) =
                setting.split_once(":=").filter(|(key, _)| key.trim() == "shell")
            {
                let words: Vec<&str> = value
                    .trim()
                    .trim_matches(['[', ']'])
                    .split(',')
                    .map(|word| word.trim().trim_matches(['"', '\'']))
                    .collect();
                self.shell = Some(words.join(" "));
            }
            return None;
        }
        if let Some(alias) = line.strip_prefix("alias ") {
            if let Some((name, target)) = alias.split_once(":=") {
                self.aliases.insert(name.trim().to_owned(), target.trim().to_owned());
            }
            return None;
        }
        let (head, tail) = line.split_once(':')?;
        if let Some(value) = tail.strip_prefix('=') {
            let name = head.trim().trim_start_matches("export ").trim();
            let value = value.trim();
            let plain = ['"', '\''].iter().find_map(|quote| {
                value
                    .strip_prefix(*quote)?
                    .strip_suffix(*quote)
                    .filter(|inner| !inner.contains(*quote))
            });
            let value = plain.map_or_else(|| OPAQUE.to_string(), str::to_owned);
            self.variables.insert(name.to_owned(), value);
            return None;
        }
        let mut words = head.trim_start_matches('@').split_whitespace();
        let name = words.next()?.to_owned();
        let mut recipe = Recipe::default();
        for word in words {
            let word = word.trim_start_matches(['+', '*', '$']);
            let (name, default) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.trim_matches(['"', '\'']).to_owned())),
                None => (word, None),
            };
            recipe.parameters.push((name.to_owned(), default));
        }
        let tail = tail.split(" #").next().unwrap_or_default();
        let (before, after) = tail.split_once("&&").unwrap_or((tail, ""));
        recipe.before = dependencies(before);
        recipe.after = dependencies(after);
        self.first.get_or_insert_with(|| name.clone());
        self.recipes.insert(name.clone(), recipe);
        Some(name)
    }

    fn open(&self, leaf: &Leaf, called: &[String]) -> Result<Opening, Fault> {
        let mut opened = Opened::default();
        let mut words = called.iter().filter(|word| !word.contains('=')).cloned();
        let mut next = words.next().or_else(|| self.first.clone());
        let mut done = Vec::new();
        while let Some(name) = next {
            let name = self.aliases.get(&name).cloned().unwrap_or(name);
            let Some(recipe) = self.recipes.get(&name) else { return Ok(Opening::None) };
            let arguments: Vec<String> = words.by_ref().take(recipe.parameters.len()).collect();
            if let Some(why) = self.recipe(leaf, &name, &arguments, &mut done, &mut opened, 0) {
                return Ok(Opening::Unparsed(why));
            }
            next = words.next();
        }
        Ok(Opening::Opened(opened))
    }

    /// Adds a recipe behind those that it needs; returns why it could not be read.
    fn recipe(
        &self,
        leaf: &Leaf,
        name: &str,
        arguments: &[String],
        done: &mut Vec<(String, Vec<String>)>,
        opened: &mut Opened,
        depth: usize,
    ) -> Option<String> {
        let call = (name.to_owned(), arguments.to_vec());
        if done.contains(&call) {
            return None;
        }
        done.push(call);
        let name = self.aliases.get(name).map_or(name, String::as_str);
        let Some(recipe) = self.recipes.get(name).filter(|_| depth < DEPENDENCIES_MAX) else {
            return Some(format!("`{}` has no recipe `{name}`", self.path));
        };
        let needed = |words: &[String], done: &mut _, opened: &mut _| {
            let (name, arguments) = words.split_first()?;
            self.recipe(leaf, name, arguments, done, opened, depth + 1)
        };
        for words in &recipe.before {
            if let Some(why) = needed(words, done, opened) {
                return Some(why);
            }
        }
        if let Some(why) = self.lines(leaf, recipe, arguments, opened) {
            return Some(why);
        }
        recipe.after.iter().find_map(|words| needed(words, done, opened))
    }

    fn lines(
        &self,
        leaf: &Leaf,
        recipe: &Recipe,
        arguments: &[String],
        opened: &mut Opened,
    ) -> Option<String> {
        let mut values = self.variables.clone();
        for (index, (name, default)) in recipe.parameters.iter().enumerate() {
            let value = arguments.get(index).or(default.as_ref());
            values.insert(name.clone(), value.cloned().unwrap_or_else(|| OPAQUE.to_string()));
        }
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let first = recipe.lines.first().map_or("", |(_, line)| line.trim());
        if let Some(interpreter) = first.strip_prefix("#!") {
            let options = interpreter_options(interpreter)?;
            let (number, _) = recipe.lines.first()?;
            let text: Vec<String> =
                recipe.lines.iter().map(|(_, line)| interpolate(line, &values)).collect();
            return self.unit(leaf, &text.join("\n"), *number, options, &folder, false, opened);
        }
        let shell = self.shell.as_deref().unwrap_or("sh -cu");
        let mut options = match Options::of_shell(Some(&format!("{shell} {{0}}"))) {
            Shell::Posix(options) => options,
            Shell::Opaque => return None,
        };
        // `-c` ends the options; what `set` would take for a name is none.
        options.is_posix = !shell.contains("bash");
        let mut lines = recipe.lines.iter().peekable();
        while let Some((number, line)) = lines.next() {
            let mut text = line.trim_start().to_owned();
            while text.ends_with('\\')
                && let Some((_, next)) = lines.next()
            {
                text.push('\n');
                text.push_str(next);
            }
            let bare = text.trim_start_matches('@');
            let ignores = bare.starts_with('-');
            let bare = bare.trim_start_matches(['-', '@']);
            if bare.trim().is_empty() || bare.starts_with('#') {
                continue;
            }
            let text = interpolate(bare, &values);
            let why = self.unit(leaf, &text, *number, options, &folder, ignores, opened);
            if why.is_some() {
                return why;
            }
        }
        None
    }

    #[expect(clippy::too_many_arguments, reason = "each is a fact about the one line of a recipe")]
    fn unit(
        &self,
        leaf: &Leaf,
        text: &str,
        number: u32,
        options: Options,
        folder: &str,
        ignores_failure: bool,
        opened: &mut Opened,
    ) -> Option<String> {
        let _ = leaf;
        match crate::shell::parse(text) {
            Ok(list) => {
                let place =
                    super::Place::File { path: self.path.as_str().into(), line: number, column: 1 };
                opened.units.push(Unit {
                    list: Rc::new(list),
                    options,
                    origin: Origin::Inside(place),
                    folder: folder.to_owned(),
                    arguments: Vec::new(),
                    ignores_failure,
                });
                None
            }
            Err(unparsed) => Some(format!("`{}` line {number}: {}", self.path, unparsed.why)),
        }
    }
}

/// Dependencies: names, and calls in brackets.
fn dependencies(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (call, after) = match rest.strip_prefix('(') {
            Some(inner) => inner.split_once(')').unwrap_or((inner, "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        let words = call.split_whitespace();
        found.push(words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect());
        rest = after.trim_start();
    }
    found
}

/// A line with the variables that are known put in.
fn interpolate(line: &str, values: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let mut rest = line;
    // `${{ }}` is not just's.
    while let Some((head, tail)) = rest.split_once("{{") {
        text.push_str(head);
        let Some((name, after)) = tail.split_once("}}") else {
            rest = tail;
            break;
        };
        match values.get(name.trim()) {
            Some(value) => text.push_str(value),
            None => text.push(OPAQUE),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}
