//! Commands that run other commands: shells, local scripts, recipes of just and make, aliases of cargo. It reads files of
//! the repository, and follows nothing itself.

mod alias;
mod just;
mod make;
mod script;

use super::argv::OPAQUE;
use super::follow::{Leaf, Place};
use super::options::Options;
use super::state::join;
use super::tree::{Command, List};
use portcullis::Fault;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How deep commands are opened.
pub(crate) const LEVELS_MAX: u8 = 4;

/// How deep recipes call each other as dependencies.
const DEPENDENCIES_MAX: usize = 64;

/// How a file of the repository is read: nothing when there is none, or when the path leads elsewhere.
pub(crate) type Reader<'r> = dyn Fn(&str) -> Result<Option<String>, Fault> + 'r;

/// Aliases of one cargo configuration, by name, as words.
type Aliases = BTreeMap<String, Vec<String>>;

/// The repository as commands see it: each file is read once.
pub(crate) struct Project<'r> {
    reader: &'r Reader<'r>,
    files: RefCell<BTreeMap<String, Option<Rc<str>>>>,
    aliases: RefCell<BTreeMap<String, Rc<Aliases>>>,
    justfiles: RefCell<BTreeMap<String, Rc<just::Justfile>>>,
    makefiles: RefCell<BTreeMap<String, Rc<make::Makefile>>>,
}

/// What a text belongs to, so that places in it can be named.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// The script that is followed.
    Step,
    /// A text that stands at one place, such as the argument of `bash -c`.
    Inside(Place),
    /// A file, with the offsets at which its lines begin.
    File { path: Rc<str>, starts: Rc<[usize]> },
}

impl Origin {
    /// The place of an offset.
    pub(crate) fn place(&self, at: usize) -> Place {
        match self {
            Self::Step => Place::Script(at),
            Self::Inside(place) => place.clone(),
            Self::File { path, starts } => {
                let line = starts.partition_point(|start| *start <= at);
                let start = starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
                let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                let column = number(at.saturating_sub(start) + 1);
                Place::File { path: Rc::clone(path), line: number(line), column }
            }
        }
    }

    fn file(path: &str, text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self::File { path: path.into(), starts }
    }
}

/// A text that a command runs, in a shell of its own or not.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) list: Rc<List>,
    pub(crate) options: Options,
    pub(crate) origin: Origin,
    pub(crate) folder: String,
    pub(crate) arguments: Vec<String>,
    /// Whether the next unit runs whatever becomes of this one.
    pub(crate) ignores_failure: bool,
}

/// Texts in the order in which they run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened {
    pub(crate) units: Vec<Unit>,
    pub(crate) is_same_shell: bool,
}

/// What a command turns out to be.
#[derive(Clone, Debug)]
pub(crate) enum Opening {
    /// It runs nothing that could be read.
    None,
    Argv(Vec<String>),
    Opened(Opened),
    /// What it runs was found, and does not parse.
    Unparsed(String),
}

impl<'r> Project<'r> {
    pub(crate) fn new(reader: &'r Reader<'r>) -> Self {
        Self {
            reader,
            files: RefCell::default(),
            aliases: RefCell::default(),
            justfiles: RefCell::default(),
            makefiles: RefCell::default(),
        }
    }

    /// The text of a file, when there is one.
    pub(crate) fn read(&self, path: &str) -> Result<Option<Rc<str>>, Fault> {
        if path.contains(OPAQUE) || path.is_empty() {
            return Ok(None);
        }
        if let Some(known) = self.files.borrow().get(path) {
            return Ok(known.clone());
        }
        let text: Option<Rc<str>> = (self.reader)(path)?.map(Rc::from);
        self.files.borrow_mut().insert(path.to_owned(), text.clone());
        Ok(text)
    }

    /// What a command runs.
    pub(super) fn open(
        &self,
        leaf: &Leaf,
        command: &Command,
        options: &Options,
        origin: &Origin,
    ) -> Result<Opening, Fault> {
        let Some((program, rest)) = leaf.argv.split_first() else { return Ok(Opening::None) };
        match program.as_str() {
            "cargo" => self.alias(leaf, rest),
            "just" => self.just(leaf, rest),
            "make" | "gmake" => self.make(leaf, rest),
            "." | "source" => self.sourced(leaf, rest, options),
            "sh" | "bash" | "dash" | "zsh" | "ksh" => {
                self.shell(leaf, program == "bash", rest, command, origin)
            }
            path if path.contains('/') => self.script(leaf, path, rest),
            _ => Ok(Opening::None),
        }
    }
}

/// A path of a command, seen from the repository.
fn located(leaf: &Leaf, path: &str) -> String {
    join(&leaf.folder, path)
}
