//! Workflows as they run: a reusable job replaced by the jobs it calls, a composite action by its steps, each with the
//! variables, shell and permissions in force there.

use super::{
    Access, Action, Body, Env, Job, Permissions, Place, Step, Text, Workflow,
    expression::{Scene, Template},
    matrix::{Combination, combinations},
};
use std::collections::BTreeMap;

/// A job with steps, and the jobs that lead to it: itself, or one that a reusable job calls.
#[derive(Clone, Debug)]
pub(crate) struct Lane<'w> {
    /// The file in which the job stands.
    pub(crate) workflow: &'w Workflow,
    pub(crate) job: &'w Job,
    /// The calling jobs, outermost first, each with its file.
    pub(crate) callers: Vec<(&'w Workflow, &'w Job)>,
}

/// A step as it runs: of a job, or of a composite action that a step uses.
#[derive(Clone, Debug)]
pub(crate) struct StepView<'w> {
    pub(crate) lane: Lane<'w>,
    pub(crate) step: &'w Step,
    /// The steps that use the actions around it, outermost first.
    pub(crate) around: Vec<&'w Step>,
}

/// What runs a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Interpreter {
    /// A POSIX shell, with the options in force at its start.
    Posix { errexit: bool, pipefail: bool },
    /// Anything else, by its name.
    Opaque(String),
}

/// A job whose steps cannot be seen, with the `uses` that hides them.
#[derive(Clone, Debug)]
pub(crate) struct Hidden<'w> {
    pub(crate) job: &'w Job,
    pub(crate) uses: &'w Text,
}

impl Workflow {
    /// The name of its file, without folders.
    pub(crate) fn file_name(&self) -> &str {
        self.path.file_name()
    }

    /// The lanes of a job: itself, or those that stand in for it, and the jobs whose steps nobody here can see.
    pub(crate) fn lanes<'w>(&'w self, job: &'w Job) -> (Vec<Lane<'w>>, Vec<Hidden<'w>>) {
        let (mut lanes, mut hidden) = (Vec::new(), Vec::new());
        let start = Lane { workflow: self, job, callers: Vec::new() };
        start.expand(&mut lanes, &mut hidden);
        (lanes, hidden)
    }
}

impl<'w> Lane<'w> {
    fn expand(self, lanes: &mut Vec<Self>, hidden: &mut Vec<Hidden<'w>>) {
        match &self.job.body {
            Body::Steps(_) => lanes.push(self),
            Body::Reusable { uses, called: None, .. } => {
                hidden.push(Hidden { job: self.job, uses });
            }
            Body::Reusable { called: Some(called), .. } => {
                let mut callers = self.callers;
                callers.push((self.workflow, self.job));
                for job in &called.jobs {
                    let lane = Lane { workflow: called, job, callers: callers.clone() };
                    lane.expand(lanes, hidden);
                }
            }
        }
    }

    /// The id of the job, behind those of its callers.
    pub(crate) fn id(&self) -> String {
        let callers = self.callers.iter().map(|(_, job)| job.id.as_str());
        callers.chain([self.job.id.as_str()]).collect::<Vec<_>>().join("/")
    }

    /// Its steps in order, those of composite actions behind the step that uses them.
    pub(crate) fn steps(&self) -> Vec<StepView<'w>> {
        let mut views = Vec::new();
        if let Body::Steps(steps) = &self.job.body {
            self.collect(steps, &[], &mut views);
        }
        views
    }

    fn collect(&self, steps: &'w [Step], around: &[&'w Step], views: &mut Vec<StepView<'w>>) {
        for step in steps {
            views.push(StepView { lane: self.clone(), step, around: around.to_vec() });
            if let Action::Uses { composite: Some(composite), .. } = &step.action {
                let around: Vec<&Step> = around.iter().copied().chain([step]).collect();
                self.collect(&composite.steps, &around, views);
            }
        }
    }

    /// The permissions in force: those of the job, else of its file, and never more than its callers have.
    pub(crate) fn permissions(&self) -> Effective<'w> {
        effective(self.workflow, self.job, &self.callers)
    }

    /// The values of its matrix; one empty combination without a matrix.
    ///
    /// # Errors
    /// Why the combinations are not known.
    pub(crate) fn combinations(&self) -> Result<Vec<Combination>, super::matrix::Unknown> {
        combinations(self.job)
    }

    /// Every label of its runners over the matrix, where it is known.
    pub(crate) fn labels(&self) -> Result<Vec<(String, Place)>, Place> {
        labels(self.job)
    }
}

/// Permissions, with what set them; `None` where nothing says anything.
#[derive(Clone, Debug)]
pub(crate) struct Effective<'w> {
    blocks: Vec<&'w Permissions>,
}

impl<'w> Effective<'w> {
    /// Whether no block decides, so that the setting of the repository does.
    pub(crate) fn is_unset(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The level of a scope, and where it is said.
    pub(crate) fn of(&self, scope: &str) -> (Access, Option<&'w Place>) {
        let least = self.blocks.iter().min_by_key(|block| block.of(scope));
        least.map_or((Access::Write, None), |block| (block.of(scope), Some(block.place_of(scope))))
    }

    /// Every scope that is known or named.
    pub(crate) fn scopes(&self) -> Vec<&'w str> {
        let mut all: Vec<&str> = self.blocks.iter().flat_map(|block| block.scopes()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

pub(crate) fn effective<'w>(
    workflow: &'w Workflow,
    job: &'w Job,
    callers: &[(&'w Workflow, &'w Job)],
) -> Effective<'w> {
    let levels = callers.iter().copied().chain([(workflow, job)]);
    let blocks = levels
        .filter_map(|(workflow, job)| job.permissions.as_ref().or(workflow.permissions.as_ref()))
        .collect();
    Effective { blocks }
}

/// Every label of the runners of a job over its matrix.
///
/// # Errors
/// The place of a label that is not known, or of the matrix that is not.
pub(crate) fn labels(job: &Job) -> Result<Vec<(String, Place)>, Place> {
    let Some(runs_on) = &job.runs_on else { return Ok(Vec::new()) };
    let all = combinations(job).map_err(|unknown| unknown.place)?;
    let mut labels: BTreeMap<String, Place> = BTreeMap::new();
    for label in &runs_on.labels {
        for combination in &all {
            let scene = Scene::default().with_matrix(combination);
            let value = Template::of(label).fold(&scene);
            let names = value.texts().ok_or_else(|| label.place().clone())?;
            for name in names {
                labels.entry(name).or_insert_with(|| label.place().clone());
            }
        }
    }
    Ok(labels.into_iter().collect())
}

impl<'w> StepView<'w> {
    /// What it is called, behind the steps around it.
    pub(crate) fn label(&self) -> String {
        let around = self.around.iter().map(|step| step.label());
        around.chain([self.step.label()]).collect::<Vec<_>>().join("/")
    }

    /// `job/step`, the subject of findings about it.
    pub(crate) fn subject(&self) -> String {
        format!("{}/{}", self.lane.id(), self.label())
    }

    /// Its script, where it has one.
    pub(crate) fn script(&self) -> Option<&'w Text> {
        match &self.step.action {
            Action::Run { script, .. } => Some(script),
            Action::Uses { .. } => None,
        }
    }

    /// Where its script runs, relative to the root; `None` for the root.
    pub(crate) fn working_directory(&self) -> Option<&'w Text> {
        let Action::Run { working_directory, .. } = &self.step.action else { return None };
        let defaults = [&self.lane.job.defaults, &self.lane.workflow.defaults];
        let inherited = defaults.into_iter().find_map(|level| level.working_directory.as_ref());
        // The defaults of a workflow do not reach into an action.
        working_directory.as_ref().or(inherited.filter(|_| self.around.is_empty()))
    }

    /// The variables it sees, by name: of the workflow, the job, the steps around it and itself; the inner wins.
    pub(crate) fn env(&self) -> BTreeMap<&'w str, &'w Text> {
        self.levels().flat_map(|env| &env.entries).map(|(k, v)| (k.as_str(), v)).collect()
    }

    /// The levels of variables that it sees, outermost first.
    pub(crate) fn levels(&self) -> impl Iterator<Item = &'w Env> {
        let steps: Vec<&'w Step> = self.around.iter().copied().chain([self.step]).collect();
        [&self.lane.workflow.env, &self.lane.job.env]
            .into_iter()
            .chain(steps.into_iter().map(|step| &step.env))
    }

    /// What runs its script: its own shell, the default of the job, of the workflow, of the runner.
    pub(crate) fn interpreter(&self) -> Interpreter {
        let Action::Run { shell, .. } = &self.step.action else {
            return Interpreter::Opaque("an action".to_owned());
        };
        let defaults = [&self.lane.job.defaults, &self.lane.workflow.defaults];
        let inherited = defaults.into_iter().find_map(|level| level.shell.as_ref());
        match shell.as_ref().or(inherited.filter(|_| self.around.is_empty())) {
            Some(shell) => interpreter(shell.as_str()),
            None => match self.lane.labels() {
                Ok(labels) if labels.iter().any(|(label, _)| is_windows(label)) => {
                    Interpreter::Opaque("the default of Windows".to_owned())
                }
                Ok(_) => Interpreter::Posix { errexit: true, pipefail: false },
                Err(_) => Interpreter::Opaque("the default of an unknown runner".to_owned()),
            },
        }
    }
}

fn is_windows(label: &str) -> bool {
    label.to_ascii_lowercase().contains("windows")
}

/// Reads a value of `shell`. `bash` alone has more options in force than a template that names it.
pub(crate) fn interpreter(shell: &str) -> Interpreter {
    match shell.trim() {
        "bash" => return Interpreter::Posix { errexit: true, pipefail: true },
        "sh" => return Interpreter::Posix { errexit: true, pipefail: false },
        _ => {}
    }
    let opaque = || Interpreter::Opaque(shell.to_owned());
    let mut words = shell.split_whitespace();
    let program = words.next().unwrap_or_default();
    if !matches!(program.rsplit('/').next(), Some("bash" | "sh" | "dash")) {
        return opaque();
    }
    let (mut errexit, mut pipefail) = (false, false);
    while let Some(word) = words.next() {
        let on = word.starts_with('-');
        match word {
            "{0}" => return Interpreter::Posix { errexit, pipefail },
            _ if word.starts_with("--") => {}
            _ if on || word.starts_with('+') => {
                let letters = &word[1..];
                // `-c` takes a script of its own, and what follows it is not ours.
                if letters.contains('c') {
                    return opaque();
                }
                if letters.contains('e') {
                    errexit = on;
                }
                if letters.contains('o') {
                    match words.next() {
                        Some("errexit") => errexit = on,
                        Some("pipefail") => pipefail = on,
                        Some(_) => {}
                        None => return opaque(),
                    }
                }
            }
            _ => return opaque(),
        }
    }
    opaque()
}
