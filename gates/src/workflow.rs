//! The workflows of a repository as every kind over CI lanes reads them: parsed once, with the place of every value,
//! local actions and reusable workflows put in where they are used. It judges nothing but what no rule could read.

mod document;
pub(crate) mod expression;
mod keys;
mod matrix;
mod permissions;
pub(crate) mod script;
mod text;
mod view;
mod yaml;

pub(crate) use document::{
    Action, Body, Composite, Concurrency, Env, Job, Step, Trigger, Workflow,
};
pub(crate) use matrix::{Combination, combinations};
pub(crate) use permissions::{Access, Permissions};
pub(crate) use text::Text;
pub(crate) use view::{Hidden, Interpreter, Lane, StepView};
pub(crate) use yaml::{Node, Place};

use crate::lane::SELECTOR_MATCHES_NOTHING;
use document::{Locals, Reading};
use portcullis::{
    Code, Fault, Finding, Findings, GateContext, Globs, Location, RelPath,
    wire::code::{INPUT_TOO_LARGE, PATH_REFUSED},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

pub(crate) const MERGE_KEY: Code =
    Code::new("PC1410", "merge_key", "A map of a workflow has a merge key.");
pub(crate) const UNKNOWN_KEY: Code = crate::lane::UNKNOWN_KEY;
pub(crate) const NEEDS_UNKNOWN_JOB: Code =
    Code::new("PC1412", "needs_unknown_job", "A job needs a job that does not exist.");
pub(crate) const NEEDS_CYCLE: Code =
    Code::new("PC1413", "needs_cycle", "Jobs need each other in a circle.");
pub(crate) const WORKFLOW_NOT_LOADED: Code = Code::new(
    "PC1414",
    "workflow_not_loaded",
    "A workflow stands in a subfolder, where the provider does not look.",
);
pub(crate) const WORKFLOW_TWINS: Code = Code::new(
    "PC1415",
    "workflow_twins",
    "Two workflows differ only in the ending of their file names.",
);
pub(crate) const WORKFLOW_INVALID: Code =
    Code::new("PC1416", "workflow_invalid", "A workflow or action cannot be read as one.");
pub(crate) const EXPRESSION_INVALID: Code =
    Code::new("PC1417", "expression_invalid", "An expression of a workflow does not parse.");

/// Whether a token has a scope of this name.
pub(crate) fn is_scope(name: &str) -> bool {
    keys::SCOPES.contains(&name)
}

/// How deep local actions and reusable workflows are followed.
const NESTING_MAX: usize = 10;
/// How many steps a workflow may have with everything put in.
const STEPS_MAX: usize = 100_000;

/// Where a kind looks. Each kind has the keys `files` and `known_keys`, and makes this of them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Scope {
    pub(crate) files: Globs,
    pub(crate) known_keys: BTreeSet<String>,
}

/// The default of the key `files`.
pub(crate) fn default_files() -> Globs {
    #[expect(clippy::expect_used, reason = "the patterns are constants, and a test reads them")]
    Globs::new(&[".github/workflows/*.yml", ".github/workflows/*.yaml"]).expect("two globs")
}

/// Reads every workflow of the scope, sorted by path, and reports files that mislead.
///
/// # Errors
/// `selector_matches_nothing` when no file matches, and the faults of reading: what a rule cannot read, it cannot pass.
pub(crate) fn load(
    cx: &GateContext<'_>,
    scope: &Scope,
    out: &mut Findings,
) -> Result<Vec<Rc<Workflow>>, Fault> {
    let files = cx.files(&scope.files)?;
    let mut paths: Vec<RelPath> = Vec::new();
    for file in &files {
        match lies_below_a_folder(file.path()) {
            true => out.push(not_loaded(file.path())),
            false => paths.push(file.path().clone()),
        }
    }
    if paths.is_empty() {
        let headline = format!("no workflow matches {}", scope.files);
        let remedy = "name files that exist in `files`";
        return Err(Fault::new(SELECTOR_MATCHES_NOTHING, headline, remedy));
    }
    report_subfolders(cx, &files.iter().map(|file| file.path().clone()).collect(), out)?;
    report_twins(&paths, out);
    let mut loader = Loader::new(cx, &scope.known_keys);
    paths.iter().map(|path| loader.file(path)).collect()
}

/// Reads a workflow that no file of the work tree holds, such as one of a base. It opens nothing that it uses.
///
/// # Errors
/// The faults of reading.
pub(crate) fn parse(
    path: &RelPath,
    text: &str,
    known_keys: &BTreeSet<String>,
) -> Result<Workflow, Fault> {
    let root = yaml::parse(path, text)?;
    Reading { path, known_keys, locals: &mut Closed }.workflow(&root)
}

/// What a workflow uses that is read alone.
struct Closed;

impl Locals for Closed {
    fn workflow(&mut self, _uses: &Text) -> Result<Option<Rc<Workflow>>, Fault> {
        Ok(None)
    }

    fn composite(&mut self, _uses: &Text) -> Result<Option<Rc<Composite>>, Fault> {
        Ok(None)
    }
}

/// Where the provider looks for workflows.
pub(crate) const FOLDER: &str = ".github/workflows";

fn lies_below_a_folder(path: &RelPath) -> bool {
    path.as_str()
        .strip_prefix(FOLDER)
        .is_some_and(|rest| rest.trim_start_matches("/").contains("/"))
}

/// Reports workflows in subfolders that `files` does not name: whoever put them there believes that they run.
fn report_subfolders(
    cx: &GateContext<'_>,
    seen: &BTreeSet<RelPath>,
    out: &mut Findings,
) -> Result<(), Fault> {
    let below = Globs::new(&[".github/workflows/*/**/*.yml", ".github/workflows/*/**/*.yaml"])?;
    for file in cx.files(&below)?.iter().filter(|file| !seen.contains(file.path())) {
        out.push(not_loaded(file.path()));
    }
    Ok(())
}

fn not_loaded(path: &RelPath) -> Finding {
    let message = format!("`{path}` stands in a subfolder, where the provider does not look");
    Finding::new(WORKFLOW_NOT_LOADED, path, message, "move it up to `.github/workflows/`")
        .at(Location::file(path))
        .advisory()
}

fn report_twins(paths: &[RelPath], out: &mut Findings) {
    let mut stems: BTreeMap<&str, &RelPath> = BTreeMap::new();
    for path in paths {
        let stem = path.as_str().rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem);
        if let Some(first) = stems.insert(stem, path) {
            let message = format!("`{first}` and `{path}` differ only in their ending");
            out.push(
                Finding::new(WORKFLOW_TWINS, path, message, "rename or delete one of the two")
                    .at(Location::file(path)),
            );
        }
    }
}

/// Opens files, each once, and follows what they use.
struct Loader<'l, 'c> {
    cx: &'l GateContext<'c>,
    known_keys: &'l BTreeSet<String>,
    workflows: BTreeMap<RelPath, Known<Workflow>>,
    actions: BTreeMap<RelPath, Known<Composite>>,
    /// How tall and how large the parts are that were put into the file that is being read, one for each open file.
    open: Vec<Extent>,
}

/// A file that was met before.
enum Known<T> {
    /// It is being read: whoever asks for it now asks from inside of it.
    Open,
    Done(Option<Rc<T>>, Extent),
}

/// What putting a file in costs.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    height: usize,
    steps: usize,
}

impl<'l, 'c> Loader<'l, 'c> {
    fn new(cx: &'l GateContext<'c>, known_keys: &'l BTreeSet<String>) -> Self {
        let (workflows, actions) = (BTreeMap::new(), BTreeMap::new());
        Self { cx, known_keys, workflows, actions, open: Vec::new() }
    }

    /// Reads one workflow, or returns it when it was read before.
    fn file(&mut self, path: &RelPath) -> Result<Rc<Workflow>, Fault> {
        match self.workflows.get(path) {
            Some(Known::Done(Some(workflow), extent)) => {
                let (workflow, extent) = (Rc::clone(workflow), *extent);
                self.put_in(path, extent)?;
                return Ok(workflow);
            }
            Some(Known::Open | Known::Done(None, _)) => return Err(circle(path)),
            None => {}
        }
        self.workflows.insert(path.clone(), Known::Open);
        self.open.push(Extent::default());
        let known_keys = self.known_keys;
        let root = yaml::parse(path, &self.cx.file(path).text()?)?;
        check_expressions(&root)?;
        let workflow = Reading { path, known_keys, locals: self }.workflow(&root)?;
        check_needs(&workflow)?;
        check_conditions(&workflow)?;
        let own: usize = workflow.jobs.iter().map(|job| own_steps(&job.body)).sum();
        let workflow = Rc::new(workflow);
        let extent = self.closed(own);
        let known = Known::Done(Some(Rc::clone(&workflow)), extent);
        self.workflows.insert(path.clone(), known);
        self.put_in(path, extent)?;
        Ok(workflow)
    }

    fn action(&mut self, path: &RelPath) -> Result<Option<Rc<Composite>>, Fault> {
        match self.actions.get(path) {
            Some(Known::Done(action, extent)) => {
                let (action, extent) = (action.clone(), *extent);
                self.put_in(path, extent)?;
                return Ok(action);
            }
            Some(Known::Open) => return Err(circle(path)),
            None => {}
        }
        self.actions.insert(path.clone(), Known::Open);
        self.open.push(Extent::default());
        let known_keys = self.known_keys;
        let root = yaml::parse(path, &self.cx.file(path).text()?)?;
        if let Some(steps) = root.get("runs").and_then(|runs| runs.get("steps")) {
            check_expressions(steps)?;
        }
        let steps = Reading { path, known_keys, locals: self }.action(&root)?;
        let own = steps.as_ref().map_or(0, Vec::len);
        let action = steps.map(|steps| Rc::new(Composite { steps }));
        let extent = self.closed(own);
        self.actions.insert(path.clone(), Known::Done(action.clone(), extent));
        self.put_in(path, extent)?;
        Ok(action)
    }

    fn closed(&mut self, own_steps: usize) -> Extent {
        let below = self.open.pop().unwrap_or_default();
        Extent { height: below.height, steps: below.steps.saturating_add(own_steps) }
    }

    /// Counts a part against the limits of the file around it.
    fn put_in(&mut self, path: &RelPath, extent: Extent) -> Result<(), Fault> {
        let Some(around) = self.open.last_mut() else { return Ok(()) };
        around.height = around.height.max(extent.height + 1);
        around.steps = around.steps.saturating_add(extent.steps);
        let remedy = "put the steps where they are used";
        if around.height > NESTING_MAX {
            let headline = format!("`{path}` is used more than {NESTING_MAX} levels deep");
            return Err(Fault::new(INPUT_TOO_LARGE, headline, remedy).at(Location::file(path)));
        }
        if around.steps > STEPS_MAX {
            let headline = format!("a workflow has more than {STEPS_MAX} steps with `{path}`");
            return Err(Fault::new(INPUT_TOO_LARGE, headline, remedy).at(Location::file(path)));
        }
        Ok(())
    }

    /// The file that a local `uses` names: `None` for another repository or an image.
    fn local(&self, uses: &Text) -> Result<Option<RelPath>, Fault> {
        // `./` is the root of the repository, whatever folder the workflow stands in.
        let Some(path) = uses.as_str().strip_prefix("./") else { return Ok(None) };
        let path = path.trim_end_matches('/');
        if uses.has_expression() || path.is_empty() {
            return Ok(None);
        }
        let parsed = RelPath::parse(path).map_err(|source| {
            let remedy =
                "name a path below the root of the repository, such as `./.github/actions/setup`";
            Fault::new(PATH_REFUSED, source.to_string(), remedy).at(uses.location())
        });
        self.cx.watch(parsed).map(Some)
    }
}

impl Locals for Loader<'_, '_> {
    fn workflow(&mut self, uses: &Text) -> Result<Option<Rc<Workflow>>, Fault> {
        let Some(path) = self.local(uses)? else { return Ok(None) };
        if !self.cx.file(&path).exists()? {
            let headline = format!("`{}` does not exist", uses.as_str());
            return Err(Fault::new(
                WORKFLOW_INVALID,
                headline,
                "correct the path, or add the file",
            )
            .at(uses.location()));
        }
        self.file(&path).map(Some)
    }

    fn composite(&mut self, uses: &Text) -> Result<Option<Rc<Composite>>, Fault> {
        let Some(folder) = self.local(uses)? else { return Ok(None) };
        for name in ["action.yml", "action.yaml"] {
            let joined = folder.join(name).map_err(|source| {
                Fault::new(PATH_REFUSED, source.to_string(), "rename the folder")
                    .at(uses.location())
            });
            let path = self.cx.watch(joined)?;
            if self.cx.file(&path).exists()? {
                return self.action(&path);
            }
        }
        // The folder may be one that an earlier step checks out. Nothing of it can be seen here.
        Ok(None)
    }
}

fn circle(path: &RelPath) -> Fault {
    let headline = format!("`{path}` uses itself");
    Fault::new(WORKFLOW_INVALID, headline, "break the circle").at(Location::file(path))
}

fn own_steps(body: &Body) -> usize {
    match body {
        Body::Steps(steps) => steps.len(),
        Body::Reusable { .. } => 0,
    }
}

/// Refuses expressions that do not parse, in every scalar: the provider would refuse the file.
fn check_expressions(root: &Node) -> Result<(), Fault> {
    let mut fault = None;
    root.each_scalar(&mut |text| {
        if fault.is_none() && text.has_expression() {
            fault = expression::faults(text.as_str()).map(|why| expression_fault(text, &why));
        }
    });
    fault.map_or(Ok(()), Err)
}

fn expression_fault(text: &Text, why: &str) -> Fault {
    Fault::new(EXPRESSION_INVALID, why, "correct the expression").at(text.location())
}

/// Refuses conditions without braces that do not parse.
fn check_conditions(workflow: &Workflow) -> Result<(), Fault> {
    for job in &workflow.jobs {
        let steps = match &job.body {
            Body::Steps(steps) => steps.as_slice(),
            Body::Reusable { .. } => &[],
        };
        let conditions = steps.iter().map(|step| &step.condition).chain([&job.condition]);
        for text in conditions.flatten().filter(|text| !text.has_expression()) {
            if let Err(why) = expression::parse(text.as_str()) {
                return Err(expression_fault(text, &format!("{why} in `{}`", text.as_str())));
            }
        }
    }
    Ok(())
}

/// Refuses needs that name no job, and jobs that wait for each other.
fn check_needs(workflow: &Workflow) -> Result<(), Fault> {
    let ids: BTreeMap<&str, &Job> =
        workflow.jobs.iter().map(|job| (job.id.as_str(), job)).collect();
    for job in &workflow.jobs {
        for need in &job.needs {
            if !ids.contains_key(need.as_str()) {
                let headline = format!("job `{}` needs `{}`", job.id, need.as_str());
                let remedy = portcullis::kernel::near::hint(need.as_str(), ids.keys().copied())
                    .unwrap_or_else(|| "name a job of this workflow".to_owned());
                return Err(Fault::new(NEEDS_UNKNOWN_JOB, headline, remedy).at(need.location()));
            }
        }
    }
    let mut waiting: BTreeMap<&str, BTreeSet<&str>> = workflow
        .jobs
        .iter()
        .map(|job| (job.id.as_str(), job.needs.iter().map(Text::as_str).collect()))
        .collect();
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for job in &workflow.jobs {
        for need in &job.needs {
            users.entry(need.as_str()).or_default().push(&job.id);
        }
    }
    let mut ready: Vec<&str> =
        waiting.iter().filter(|(_, needs)| needs.is_empty()).map(|(id, _)| *id).collect();
    while let Some(done) = ready.pop() {
        waiting.remove(done);
        for user in users.get(done).into_iter().flatten() {
            if let Some(needs) = waiting.get_mut(user) {
                needs.remove(done);
                if needs.is_empty() {
                    ready.push(user);
                }
            }
        }
    }
    let Some(job) = workflow.jobs.iter().find(|job| waiting.contains_key(job.id.as_str())) else {
        return Ok(());
    };
    let circle: Vec<&str> = waiting.keys().copied().collect();
    let headline = format!("jobs wait for each other: {}", circle.join(", "));
    Err(Fault::new(NEEDS_CYCLE, headline, "remove one of their needs").at(job.place.location()))
}

#[cfg(test)]
mod tests;
