//! A script of a step as the shell gets it in one scene: its expressions replaced, its variables set, its options known.

use super::{
    Interpreter, Place, StepView,
    expression::{Scene, Template},
};
use crate::shell::{
    argv::OPAQUE,
    follow::{self, Followed, Mode, Start},
    open::Project,
    options::Options,
};
use portcullis::{Fault, GateContext};
use std::collections::BTreeMap;

/// A script with what is known around it.
pub(crate) struct Script {
    pub(crate) text: String,
    pub(crate) options: Options,
    pub(crate) folder: String,
    pub(crate) env: BTreeMap<String, String>,
}

/// Why a step has no script that can be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoScript {
    /// It uses an action.
    Action,
    /// Its shell is not read here.
    Opaque(String),
}

impl Script {
    /// The script of a step in a scene. What the scene does not know stays an expression.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn of(view: &StepView<'_>, scene: &Scene) -> Result<Self, NoScript> {
        let Some(script) = view.script() else { return Err(NoScript::Action) };
        let options = match view.interpreter() {
            Interpreter::Posix { errexit, pipefail } => {
                Options { errexit, pipefail, ..Options::default() }
            }
            Interpreter::Opaque(name) => return Err(NoScript::Opaque(name)),
        };
        let mut env = BTreeMap::new();
        for (name, value) in view.env() {
            let value = Template::of(value).fold(scene).print();
            env.insert(name.to_owned(), value.unwrap_or_else(|| OPAQUE.to_string()));
        }
        let folder = match view.working_directory() {
            None => String::new(),
            Some(text) => {
                let folder = Template::of(text).fold(scene).print();
                let folder = folder.unwrap_or_else(|| OPAQUE.to_string());
                let folder = folder.trim_start_matches("./").trim_end_matches('/');
                if folder == "." { String::new() } else { folder.to_owned() }
            }
        };
        Ok(Self { text: Template::of(script).render(scene), options, folder, env })
    }

    /// Follows it.
    ///
    /// # Errors
    /// When a file that it opens exists and cannot be read.
    pub(crate) fn follow(&self, project: &Project<'_>, mode: Mode) -> Result<Followed, Fault> {
        let start =
            Start { text: &self.text, options: self.options, folder: &self.folder, env: &self.env };
        follow::follow(&start, project, &|_argv: &[String]| false, mode)
    }
}

/// Reads a file of the repository for a script that names it; nothing where there is none.
pub(crate) fn read(cx: &GateContext<'_>, path: &str) -> Result<Option<String>, Fault> {
    let Ok(path) = portcullis::RelPath::parse(path) else { return Ok(None) };
    let file = cx.file(&path);
    if cx.is_folder(&path)? || !file.exists()? {
        return Ok(None);
    }
    // What is no text is a program, not a script.
    Ok(String::from_utf8(file.bytes()?).ok())
}

/// The place of a command that a script runs.
pub(crate) fn place(view: &StepView<'_>, at: &follow::Place) -> Place {
    match at {
        follow::Place::File { path, line, column } => {
            Place { path: std::rc::Rc::clone(path), line: *line, column: *column }
        }
        follow::Place::Script(offset) => {
            let Some(script) = view.script() else { return view.step.place.clone() };
            let before = script.as_str().get(..*offset).unwrap_or_default();
            let line = before.matches('\n').count();
            let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count());
            script.place_of(line, column)
        }
    }
}
