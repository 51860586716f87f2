//! The program of a command: a listed one, a shell builtin, a script, or cargo. It knows nothing of cargo's options.

use super::{Config, cargo, shell, shell::Word, trials::Trials};
use crate::workspace::Workspace;
use portcullis::{GateContext, GateError, RelPath, kernel::near};
use std::collections::BTreeMap;

/// How deep aliases and `bash -c` may lead.
const DEPTH_MAX: usize = 8;
const BUILTINS: &[&str] =
    &["cd", "echo", "exit", "export", "false", "printf", "pwd", "set", "true", "unset"];
const SHELLS: &[&str] = &["bash", "sh", "zsh"];

/// Why a command does not resolve, and what it may mean.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) what: String,
    pub(super) hint: Option<String>,
}

impl Problem {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    /// A name that nothing has, with those that are near.
    pub(super) fn unknown<'n>(
        what: impl Into<String>,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        Self { what: what.into(), hint: near::hint(name, known) }
    }
}

/// What commands are held against.
pub(super) struct Resolver<'a, 'c> {
    pub(super) cx: &'a GateContext<'c>,
    pub(super) config: &'a Config,
    pub(super) workspace: &'a Workspace,
    pub(super) aliases: BTreeMap<String, Vec<String>>,
    pub(super) trials: Trials,
}

impl<'a, 'c> Resolver<'a, 'c> {
    pub(super) fn new(
        cx: &'a GateContext<'c>,
        config: &'a Config,
        workspace: &'a Workspace,
    ) -> Result<Self, GateError> {
        let aliases = cargo::aliases(cx)?;
        Ok(Self { cx, config, workspace, aliases, trials: Trials::default() })
    }

    /// Whether a command exists; what is wrong with it otherwise.
    pub(super) fn resolve(&mut self, words: &[Word]) -> Result<Option<Problem>, GateError> {
        self.resolve_at(words, 0)
    }

    pub(super) fn resolve_at(
        &mut self,
        words: &[Word],
        depth: usize,
    ) -> Result<Option<Problem>, GateError> {
        if depth > DEPTH_MAX {
            return Ok(Some(Problem::new("it leads on to itself")));
        }
        let words = without_assignments(words);
        let Some((program, arguments)) = words.split_first() else { return Ok(None) };
        if program.is_open {
            return Ok(Some(Problem::new("its program is not known until it runs")));
        }
        let name = program.text.as_str();
        if let Some(problem) = self.listed_subcommand(words) {
            return Ok(problem);
        }
        if name == "cargo" {
            return self.cargo(arguments, depth);
        }
        if SHELLS.contains(&name) {
            return self.script(name, arguments, depth);
        }
        if matches!(name, "." | "source") {
            return match arguments.first() {
                Some(path) => self.path(path),
                None => Ok(Some(Problem::new("it names no script"))),
            };
        }
        if name.contains('/') {
            return self.path(program);
        }
        if BUILTINS.contains(&name) || self.config.programs.contains(name) {
            return Ok(None);
        }
        let known = self.config.programs.iter().map(String::as_str).chain(["cargo"]);
        let what = format!("the program `{name}` is not listed under `programs`");
        Ok(Some(Problem::unknown(what, name, known)))
    }

    /// `cargo gate list` under `subcommands = { "cargo gate" = ["list"] }`; the longest listed command counts.
    fn listed_subcommand(&self, words: &[Word]) -> Option<Option<Problem>> {
        let starts = |command: &str| {
            let mut parts = command.split_whitespace();
            let mut given = words.iter();
            parts.all(|part| given.next().is_some_and(|word| word.text == part))
        };
        let (command, verbs) = self
            .config
            .subcommands
            .iter()
            .filter(|(command, _)| starts(command))
            .max_by_key(|(command, _)| command.split_whitespace().count())?;
        let rest = words.get(command.split_whitespace().count()..).unwrap_or_default();
        let verb = rest.iter().find(|word| !word.text.starts_with('-'));
        Some(match verb {
            Some(verb) if verb.is_open || verbs.contains(&verb.text) => None,
            Some(verb) => {
                let what = format!("`{command}` has no `{}`", verb.text);
                Some(Problem::unknown(what, &verb.text, verbs.iter().map(String::as_str)))
            }
            // Alone it names the subcommand, which exists.
            None => None,
        })
    }

    fn script(
        &mut self,
        shell: &str,
        arguments: &[Word],
        depth: usize,
    ) -> Result<Option<Problem>, GateError> {
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            let text = word.text.as_str();
            if text.starts_with('-') && text.ends_with('c') && !text.starts_with("--") {
                let script = rest.next().map_or("", |word| word.text.as_str());
                let lines: Vec<(u32, String)> =
                    script.lines().map(|line| (1, line.to_owned())).collect();
                return self.inner(&lines, depth);
            }
            // `-euo pipefail`: the last letter takes a value.
            if text.starts_with(['-', '+']) && text.ends_with('o') {
                rest.next();
            } else if !text.starts_with('-') {
                return self.path(word);
            }
        }
        Ok(Some(Problem::new(format!("`{shell}` is given no script"))))
    }

    fn inner(
        &mut self,
        lines: &[(u32, String)],
        depth: usize,
    ) -> Result<Option<Problem>, GateError> {
        for simple in shell::read(lines) {
            if let Some(what) = simple.obscure {
                return Ok(Some(Problem::new(format!("its script has {what}"))));
            }
            if let Some(problem) = self.resolve_at(&simple.words, depth + 1)? {
                return Ok(Some(problem));
            }
        }
        Ok(None)
    }

    /// A path that has to exist, from the root of the repository.
    pub(super) fn path(&self, word: &Word) -> Result<Option<Problem>, GateError> {
        if word.is_open {
            return Ok(None);
        }
        let plain = word.text.strip_prefix("./").unwrap_or(&word.text).trim_end_matches('/');
        let Ok(path) = RelPath::parse(plain) else {
            return Ok(Some(Problem::new(format!("`{}` is no path of the repository", word.text))));
        };
        let exists = self.cx.file(&path).exists()? || self.cx.is_folder(&path)?;
        Ok((!exists).then(|| Problem::new(format!("`{}` does not exist", word.text))))
    }
}

/// The command behind `NAME=value` and `env`.
fn without_assignments(words: &[Word]) -> &[Word] {
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        let is_name = |name: &str| {
            name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
                && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric())
        };
        let assigns = first.text.split_once('=').is_some_and(|(name, _)| is_name(name));
        if !assigns && first.text != "env" {
            break;
        }
        rest = after;
    }
    rest
}
