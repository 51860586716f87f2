//! Targets of make: their prerequisites and recipes, as far as no program has to be asked. Functions and conditionals of
//! make are not evaluated; a value that comes from one is unknown.

use super::{DEPENDENCIES_MAX, Leaf, Opened, Opening, Origin, Place, Project, Unit};
use crate::shell::argv::OPAQUE;
use crate::shell::options::Options;
use crate::shell::state::join;
use portcullis::Fault;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A makefile, read once.
#[derive(Debug, Default)]
pub(crate) struct Makefile {
    path: String,
    variables: BTreeMap<String, String>,
    rules: BTreeMap<String, Rule>,
    first: Option<String>,
    ignores_failures: bool,
    is_one_shell: bool,
}

#[derive(Debug, Default)]
struct Rule {
    needs: Vec<String>,
    lines: Vec<(u32, String)>,
}

/// What the command line of make says.
#[derive(Debug, Default)]
struct Call {
    folder: String,
    file: Option<String>,
    targets: Vec<String>,
    values: Vec<(String, String)>,
    ignores_failures: bool,
}

impl Project<'_> {
    /// What `make <target> ..` runs.
    pub(super) fn make(&self, leaf: &Leaf, rest: &[String]) -> Result<Opening, Fault> {
        let Some(call) = Call::read(leaf, rest) else { return Ok(Opening::None) };
        let names = ["GNUmakefile", "makefile", "Makefile"];
        let path = match &call.file {
            Some(path) => Some(join(&call.folder, path)),
            None => names
                .iter()
                .map(|name| join(&call.folder, name))
                .find_map(|path| self.read(&path).map(|text| text.map(|_| path)).transpose())
                .transpose()?,
        };
        let Some(path) = path else { return Ok(Opening::None) };
        let Some(makefile) = self.makefile(&path)? else { return Ok(Opening::None) };
        let mut opened = Opened::default();
        let targets = match call.targets.is_empty() {
            true => makefile.first.iter().cloned().collect(),
            false => call.targets.clone(),
        };
        let mut done = Vec::new();
        for target in targets {
            if !makefile.rules.contains_key(&target) {
                return Ok(Opening::None);
            }
            if let Err(why) = makefile.target(&call, &target, &mut done, &mut opened, 0) {
                return Ok(Opening::Unparsed(why));
            }
        }
        Ok(Opening::Opened(opened))
    }

    pub(crate) fn makefile(&self, path: &str) -> Result<Option<Rc<Makefile>>, Fault> {
        if let Some(known) = self.makefiles.borrow().get(path) {
            return Ok(Some(Rc::clone(known)));
        }
        let Some(text) = self.read(path)? else { return Ok(None) };
        let read = Rc::new(Makefile::read(path, &text));
        self.makefiles.borrow_mut().insert(path.to_owned(), Rc::clone(&read));
        Ok(Some(read))
    }
}

impl Call {
    fn read(leaf: &Leaf, rest: &[String]) -> Option<Self> {
        let mut call = Self { folder: leaf.folder.clone(), ..Self::default() };
        let mut words = rest.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-C" | "--directory" => call.folder = join(&call.folder, words.next()?),
                "-f" | "--file" | "--makefile" => call.file = words.next().cloned(),
                "--version" | "-v" | "-n" | "--dry-run" | "-h" | "--help" | "-q" | "-p" => {
                    return None;
                }
                "-i" | "--ignore-errors" => call.ignores_failures = true,
                "-j" | "--jobs" | "-l" | "-o" | "-W" => {
                    let takes =
                        words.clone().next().is_some_and(|next| next.parse::<u32>().is_ok());
                    if takes {
                        words.next();
                    }
                }
                flag if flag.starts_with("--directory=") => {
                    call.folder = join(&call.folder, flag.trim_start_matches("--directory="));
                }
                flag if flag.starts_with('-') && !flag.starts_with("--") => {
                    call.ignores_failures |= flag.contains('i');
                }
                flag if flag.starts_with("--") => {}
                word => match word.split_once('=') {
                    Some((name, value)) => call.values.push((name.to_owned(), value.to_owned())),
                    None => call.targets.push(word.to_owned()),
                },
            }
        }
        Some(call)
    }
}

impl Makefile {
    /// Its variables, as they are written.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        self.variables.clone()
    }

    /// The names of its targets.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &String> {
        self.rules.keys()
    }

    fn read(path: &str, text: &str) -> Self {
        let mut file = Self { path: path.to_owned(), ..Self::default() };
        let mut current: Vec<String> = Vec::new();
        for (number, line) in (1_u32..).zip(text.lines()) {
            let line = line.trim_end_matches('\r');
            if let Some(recipe) = line.strip_prefix('\t') {
                for name in &current {
                    if let Some(rule) = file.rules.get_mut(name) {
                        rule.lines.push((number, recipe.to_owned()));
                    }
                }
                continue;
            }
            let line = line.split('#').next().unwrap_or_default();
            if line.trim().is_empty() {
                continue;
            }
            if let Some(targets) = file.line(line, number) {
                current = targets;
            }
        }
        file
    }

    /// Reads a line at the margin, and returns the targets that its recipe belongs to.
    fn line(&mut self, line: &str, number: u32) -> Option<Vec<String>> {
        let sign = line.find('=').filter(|at| {
            line.find(':').is_none_or(|colon| {
                colon > *at
                    || line
                        .get(colon..)
                        .is_some_and(|rest| rest.starts_with(":=") || rest.starts_with("::="))
            })
        });
        if let Some(at) = sign {
            let name = line.get(..at)?.trim_end_matches([':', '?', '+', '!', ' ', '\t']);
            let name = name.trim().trim_start_matches("export ").trim();
            let value = line.get(at + 1..)?.trim().to_owned();
            self.variables.insert(name.to_owned(), value);
            return None;
        }
        let (head, tail) = line.split_once(':')?;
        let (needs, inline) = tail.split_once(';').unwrap_or((tail, ""));
        let needs: Vec<String> = needs
            .trim_start_matches(':')
            .split_whitespace()
            .filter(|word| *word != "|")
            .map(str::to_owned)
            .collect();
        let mut targets = Vec::new();
        for name in head.split_whitespace() {
            match name {
                ".IGNORE" => self.ignores_failures = true,
                ".ONESHELL" => self.is_one_shell = true,
                _ if name.starts_with('.') && !name.contains('/') => {}
                _ => {
                    self.first.get_or_insert_with(|| name.to_owned());
                    let rule = self.rules.entry(name.to_owned()).or_default();
                    rule.needs.extend(needs.iter().cloned());
                    if !inline.trim().is_empty() {
                        rule.lines.push((number, inline.trim().to_owned()));
                    }
                    targets.push(name.to_owned());
                }
            }
        }
        Some(targets)
    }

    fn target(
        &self,
        call: &Call,
        name: &str,
        done: &mut Vec<String>,
        opened: &mut Opened,
        depth: usize,
    ) -> Result<(), String> {
        if done.iter().any(|known| known == name) || depth > DEPENDENCIES_MAX {
            return Ok(());
        }
        done.push(name.to_owned());
        // A prerequisite without a rule is a file.
        let Some(rule) = self.rules.get(name) else { return Ok(()) };
        for need in &rule.needs {
            for need in self.expand(need, call, name, 0).split_whitespace() {
                self.target(call, need, done, opened, depth + 1)?;
            }
        }
        let mut lines = rule.lines.iter().peekable();
        while let Some((number, line)) = lines.next() {
            let mut text = line.clone();
            while (text.ends_with('\\') || self.is_one_shell)
                && let Some((_, next)) = lines.next()
            {
                text.push('\n');
                text.push_str(next);
            }
            let bare = text.trim_start_matches(['@', '+', ' ', '\t']);
            let ignores = bare.starts_with('-') || self.ignores_failures || call.ignores_failures;
            let bare = bare.trim_start_matches(['-', '@', '+', ' ', '\t']);
            let text = self.expand(bare, call, name, 0);
            if text.trim().is_empty() {
                continue;
            }
            let list = crate::shell::parse(&text)
                .map_err(|unparsed| format!("`{}` line {number}: {}", self.path, unparsed.why))?;
            let place = Place::File { path: self.path.as_str().into(), line: *number, column: 1 };
            opened.units.push(Unit {
                list: Rc::new(list),
                options: self.options(),
                origin: Origin::Inside(place),
                folder: call.folder.clone(),
                arguments: Vec::new(),
                ignores_failure: ignores,
            });
        }
        Ok(())
    }

    fn options(&self) -> Options {
        let flags = self.variables.get(".SHELLFLAGS").map_or("", String::as_str);
        let is_bash = self.variables.get("SHELL").is_some_and(|shell| shell.contains("bash"));
        let mut options = Options { is_posix: !is_bash, ..Options::default() };
        options.set(&flags.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        options
    }

    /// A text with its variables put in.
    fn expand(&self, text: &str, call: &Call, target: &str, depth: usize) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((head, tail)) = rest.split_once('$') {
            out.push_str(head);
            let mut chars = tail.chars();
            match chars.next() {
                Some('$') => {
                    out.push('$');
                    rest = chars.as_str();
                }
                Some(open @ ('(' | '{')) => {
                    let close = if open == '(' { ')' } else { '}' };
                    let inner = chars.as_str();
                    let Some(end) = inner.find(close) else {
                        out.push(OPAQUE);
                        rest = "";
                        continue;
                    };
                    let (name, after) = inner.split_at_checked(end).unwrap_or((inner, ""));
                    let set = call.values.iter().find(|(known, _)| known == name).map(|(_, v)| v);
                    match (name, set.or_else(|| self.variables.get(name))) {
                        ("MAKE", _) => out.push_str("make"),
                        ("CARGO", None) => out.push_str("cargo"),
                        (_, Some(value)) if depth < 8 && !value.starts_with("$(shell") => {
                            out.push_str(&self.expand(value, call, target, depth + 1));
                        }
                        (_, Some(_) | None) => out.push(OPAQUE),
                    }
                    rest = after.get(1..).unwrap_or_default();
                }
                Some('@') => {
                    out.push_str(target);
                    rest = chars.as_str();
                }
                Some(_) | None => {
                    out.push(OPAQUE);
                    rest = chars.as_str();
                }
            }
        }
        out.push_str(rest);
        out
    }
}
