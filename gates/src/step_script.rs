//! The scripts of a lane's steps, followed: every command with what surrounds it in the workflow. It judges nothing.

use crate::shell::{
    argv::OPAQUE,
    follow::{Followed, Leaf, Mode, Place, Start, follow},
    open::Project,
    options::Options,
};
use crate::workflow::expression::{Scene, Template};
use crate::workflow::{self, Combination, Interpreter, Lane, StepView};
use portcullis::{Fault, Location, RelPath};
use std::collections::BTreeMap;

/// A step of a lane with what its script comes to.
pub(crate) struct StepScript<'w> {
    pub(crate) view: StepView<'w>,
    pub(crate) script: Script,
}

/// What is known of a step's script.
pub(crate) enum Script {
    /// The step has none.
    None,
    Followed(Box<Followed>),
    /// Something else than a shell that is read here runs it.
    Opaque(String),
}

/// Follows the scripts of a lane in order, so that variables that one step sets are seen by the next.
///
/// # Errors
/// When a file that a script opens exists and cannot be read.
pub(crate) fn step_scripts<'w>(
    lane: &Lane<'w>,
    combination: Option<&Combination>,
    project: &Project<'_>,
    is_verification: &dyn Fn(&[String]) -> bool,
    mode: Mode,
) -> Result<Vec<StepScript<'w>>, Fault> {
    let mut later: BTreeMap<String, String> = BTreeMap::new();
    let mut scripts = Vec::new();
    for view in lane.steps() {
        let script = match (view.script(), view.interpreter()) {
            (None, _) => Script::None,
            (Some(_), Interpreter::Opaque(name)) => Script::Opaque(name),
            (Some(text), Interpreter::Posix { errexit, pipefail }) => {
                let env = environment(&view, combination, &later);
                let is_posix = is_posix_shell(&view);
                let start = Start {
                    text: text.as_str(),
                    options: Options { errexit, pipefail, switched_off: false, is_posix },
                    folder: &folder(&view, combination),
                    env: &env,
                };
                let followed = follow(&start, project, is_verification, mode)?;
                for (name, value, _) in &followed.later_env {
                    later.insert(name.clone(), value.clone());
                }
                Script::Followed(Box::new(followed))
            }
        };
        scripts.push(StepScript { view, script });
    }
    Ok(scripts)
}

impl StepScript<'_> {
    /// The commands of its script.
    pub(crate) fn leaves(&self) -> &[Leaf] {
        match &self.script {
            Script::Followed(followed) => &followed.leaves,
            Script::None | Script::Opaque(_) => &[],
        }
    }

    /// The place of something in its script.
    pub(crate) fn location(&self, place: &Place) -> Location {
        match (place, self.view.script()) {
            (Place::File { path, line, column }, _) => file_location(path, *line, *column),
            (Place::Script(at), Some(text)) => {
                let before = text.as_str().get(..*at).unwrap_or(text.as_str());
                let line = before.matches('\n').count();
                let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count());
                text.place_of(line, column).location()
            }
            (Place::Script(_), None) => self.view.step.place.location(),
        }
    }
}

/// The place in a file that a script opened.
pub(crate) fn file_location(path: &str, line: u32, column: u32) -> Location {
    match RelPath::parse(path) {
        Ok(path) => Location::at(&path, line, column),
        Err(_) => Location::file(path),
    }
}

/// A repository read through a context.
pub(crate) fn reader<'c, 'w>(
    cx: &'c portcullis::GateContext<'w>,
) -> impl Fn(&str) -> Result<Option<String>, Fault> + use<'c, 'w> {
    move |path: &str| {
        // A path that leads elsewhere belongs to a program, not to a script of the repository.
        let Ok(path) = RelPath::parse(path) else { return Ok(None) };
        let file = cx.file(&path);
        if cx.is_folder(&path)? || !file.exists()? {
            return Ok(None);
        }
        let bytes = file.bytes()?;
        // What is no text is no script; a program of the repository is run as it is.
        Ok(String::from_utf8(bytes).ok())
    }
}

fn is_posix_shell(view: &StepView<'_>) -> bool {
    let workflow::Action::Run { shell, .. } = &view.step.action else { return false };
    shell.as_ref().is_some_and(|shell| shell.as_str().trim_start().starts_with("sh"))
}

/// The variables of a step: what earlier steps wrote, under what the workflow says.
fn environment(
    view: &StepView<'_>,
    combination: Option<&Combination>,
    later: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    // Variables of the job are overridden by what a step writes, those of a step are not.
    for (index, level) in view.levels().enumerate() {
        if index == 2 {
            env.extend(later.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        for (name, value) in &level.entries {
            env.insert(name.as_str().to_owned(), known(value, combination));
        }
    }
    env
}

/// A value as far as it is known before the run.
pub(crate) fn known(text: &workflow::Text, combination: Option<&Combination>) -> String {
    let scene = combination.map_or_else(Scene::default, |one| Scene::default().with_matrix(one));
    let folded = Template::of(text).fold(&scene).print();
    folded.unwrap_or_else(|| OPAQUE.to_string())
}

fn folder(view: &StepView<'_>, combination: Option<&Combination>) -> String {
    let folder = view.working_directory().map_or_else(String::new, |text| known(text, combination));
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    if folder == "." { String::new() } else { folder.to_owned() }
}
