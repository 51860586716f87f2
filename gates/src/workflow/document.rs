//! A workflow or composite action as types: every key that is read, nothing that is guessed. It opens no file; what a
//! local `uses` names is put in by the loader.

use super::{
    UNKNOWN_KEY, WORKFLOW_INVALID,
    keys::{self, Level},
    matrix::Matrix,
    permissions::Permissions,
    text::Text,
    yaml::{Node, Place, Value},
};
use portcullis::{Fault, RelPath, kernel::near};
use std::{collections::BTreeSet, rc::Rc};

/// A workflow file.
#[derive(Debug)]
pub(crate) struct Workflow {
    pub(crate) path: RelPath,
    pub(crate) place: Place,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) permissions: Option<Permissions>,
    pub(crate) env: Env,
    pub(crate) defaults: Defaults,
    pub(crate) concurrency: Option<Concurrency>,
    pub(crate) jobs: Vec<Job>,
}

/// An event and how it is narrowed.
#[derive(Debug)]
pub(crate) struct Trigger {
    pub(crate) event: Text,
    /// What stands under the event; nothing in the forms of a string and a list.
    pub(crate) config: Option<Node>,
}

/// The variables of one level, and the expression that stands for all of them, where one does.
#[derive(Debug, Default)]
pub(crate) struct Env {
    pub(crate) entries: Vec<(Text, Text)>,
    pub(crate) expression: Option<Text>,
}

/// What scripts use that say nothing themselves.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) shell: Option<Text>,
    pub(crate) working_directory: Option<Text>,
}

/// Which runs exclude each other.
#[derive(Debug)]
pub(crate) struct Concurrency {
    pub(crate) place: Place,
    pub(crate) group: Text,
    pub(crate) cancel_in_progress: Option<Text>,
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) place: Place,
    pub(crate) needs: Vec<Text>,
    pub(crate) condition: Option<Text>,
    pub(crate) runs_on: Option<RunsOn>,
    pub(crate) timeout: Option<Text>,
    pub(crate) continue_on_error: Option<Text>,
    pub(crate) permissions: Option<Permissions>,
    pub(crate) env: Env,
    pub(crate) defaults: Defaults,
    pub(crate) concurrency: Option<Concurrency>,
    pub(crate) matrix: Option<Matrix>,
    /// The image in which every step runs.
    pub(crate) container: Option<Text>,
    pub(crate) services: Vec<Text>,
    /// The variables of the container and the services.
    pub(crate) images_env: Vec<Env>,
    pub(crate) body: Body,
}

/// The labels a runner must have, and the group it must be of.
#[derive(Debug)]
pub(crate) struct RunsOn {
    pub(crate) labels: Vec<Text>,
    pub(crate) group: Option<Text>,
}

/// What a job does.
#[derive(Debug)]
pub(crate) enum Body {
    Steps(Vec<Step>),
    Reusable {
        uses: Text,
        with: Vec<(Text, Text)>,
        /// The workflow that is called, where it is a file of this repository.
        called: Option<Rc<Workflow>>,
    },
}

/// A step of a job or of a composite action.
#[derive(Debug)]
pub(crate) struct Step {
    /// From 0, among its siblings.
    pub(crate) index: usize,
    pub(crate) place: Place,
    pub(crate) id: Option<Text>,
    pub(crate) name: Option<Text>,
    pub(crate) condition: Option<Text>,
    pub(crate) env: Env,
    pub(crate) continue_on_error: Option<Text>,
    pub(crate) action: Action,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Action {
    Run {
        script: Text,
        shell: Option<Text>,
        working_directory: Option<Text>,
    },
    Uses {
        uses: Text,
        with: Vec<(Text, Text)>,
        /// The action, where it is a composite one of this repository.
        composite: Option<Rc<Composite>>,
    },
}

/// A composite action.
#[derive(Debug)]
pub(crate) struct Composite {
    pub(crate) steps: Vec<Step>,
}

impl Step {
    /// Its name, else its id, else its number from 1: what a person would call it.
    pub(crate) fn label(&self) -> String {
        match self.name.as_ref().or(self.id.as_ref()) {
            Some(text) => text.as_str().to_owned(),
            None => format!("step {}", self.index + 1),
        }
    }

    /// Whether a configuration that names a step means this one.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        [&self.name, &self.id].into_iter().flatten().any(|text| text.as_str() == name)
    }
}

impl Workflow {
    /// The job of an id.
    pub(crate) fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// The trigger of an event.
    pub(crate) fn trigger(&self, event: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.event.as_str() == event)
    }
}

/// Opens what a local `uses` names. The reader of documents does not know how.
pub(super) trait Locals {
    /// The workflow of a local path; `None` for one of another repository.
    fn workflow(&mut self, uses: &Text) -> Result<Option<Rc<Workflow>>, Fault>;
    /// The composite action of a local path; `None` for any other action.
    fn composite(&mut self, uses: &Text) -> Result<Option<Rc<Composite>>, Fault>;
}

/// Reads the parts of one file.
pub(super) struct Reading<'r, L> {
    pub(super) path: &'r RelPath,
    pub(super) known_keys: &'r BTreeSet<String>,
    pub(super) locals: &'r mut L,
}

impl<L: Locals> Reading<'_, L> {
    /// Reads a workflow.
    ///
    /// # Errors
    /// `unknown_key`, `workflow_invalid`, and the faults of the files it calls.
    pub(super) fn workflow(&mut self, root: &Node) -> Result<Workflow, Fault> {
        let entries = self.known(root, Level::Workflow)?;
        let find = |key: &str| find(entries, key);
        let triggers = match find("on") {
            Some(on) => self.triggers(on)?,
            None => return Err(self.invalid(&root.place, "has no `on`", "name its triggers")),
        };
        let mut jobs = Vec::new();
        let node = find("jobs")
            .ok_or_else(|| self.invalid(&root.place, "has no `jobs`", "write at least one job"))?;
        for (id, job) in self.entries(node, "`jobs`")? {
            jobs.push(self.job(id, job)?);
        }
        if jobs.is_empty() {
            return Err(self.invalid(&node.place, "has no job", "write at least one job"));
        }
        Ok(Workflow {
            path: self.path.clone(),
            place: root.place.clone(),
            triggers,
            permissions: self.permissions(find("permissions"))?,
            env: self.env(find("env"))?,
            defaults: self.defaults(find("defaults"))?,
            concurrency: self.concurrency(find("concurrency"))?,
            jobs,
        })
    }

    /// Reads the steps of an action; `None` when it is no composite one.
    ///
    /// # Errors
    /// As [`Reading::workflow`].
    pub(super) fn action(&mut self, root: &Node) -> Result<Option<Vec<Step>>, Fault> {
        let Some(runs) = root.get("runs") else {
            return Err(self.invalid(&root.place, "has no `runs`", "say how the action runs"));
        };
        let using = runs.get("using").and_then(Node::scalar).map(Text::as_str);
        if using != Some("composite") {
            return Ok(None);
        }
        let Some(steps) = runs.get("steps") else {
            return Err(self.invalid(&runs.place, "has no steps", "write at least one step"));
        };
        self.steps(steps, Level::CompositeStep).map(Some)
    }

    fn triggers(&self, on: &Node) -> Result<Vec<Trigger>, Fault> {
        let triggers: Vec<Trigger> = match &on.value {
            Value::Scalar(event) if !event.is_null() => {
                vec![Trigger { event: event.clone(), config: None }]
            }
            Value::Scalar(_) => Vec::new(),
            Value::List(items) => {
                let mut triggers = Vec::new();
                for item in items {
                    let event = self.scalar(item, "an event")?;
                    triggers.push(Trigger { event, config: None });
                }
                triggers
            }
            Value::Map(entries) => entries
                .iter()
                .map(|(event, config)| Trigger {
                    event: event.clone(),
                    config: (!config.is_null()).then(|| config.clone()),
                })
                .collect(),
        };
        if triggers.is_empty() {
            return Err(self.invalid(&on.place, "has no trigger", "name at least one event"));
        }
        Ok(triggers)
    }

    fn job(&mut self, id: &Text, node: &Node) -> Result<Job, Fault> {
        let entries = self.known(node, Level::Job)?;
        let find = |key: &str| find(entries, key);
        let matrix = match find("strategy") {
            Some(strategy) => self.strategy(strategy)?,
            None => None,
        };
        let body = match (find("steps"), find("uses")) {
            (Some(steps), None) => Body::Steps(self.steps(steps, Level::Step)?),
            (None, Some(uses)) => {
                let uses = self.scalar(uses, "`uses`")?;
                let called = self.locals.workflow(&uses)?;
                Body::Reusable { uses, with: self.with(find("with"))?, called }
            }
            (Some(_), Some(_)) => {
                let what = format!("job `{}` has both `steps` and `uses`", id.as_str());
                return Err(self.invalid(id.place(), &what, "remove one of the two"));
            }
            (None, None) => {
                let what = format!("job `{}` has neither `steps` nor `uses`", id.as_str());
                return Err(self.invalid(id.place(), &what, "write its steps"));
            }
        };
        if matches!(body, Body::Steps(_)) && find("runs-on").is_none() {
            let what = format!("job `{}` has no `runs-on`", id.as_str());
            return Err(self.invalid(id.place(), &what, "name its runner"));
        }
        let (mut services, mut images_env) = (Vec::new(), Vec::new());
        images_env.push(self.env(find("container").and_then(|node| node.get("env")))?);
        if let Some(node) = find("services").filter(|node| node.map().is_some()) {
            for (_, service) in self.entries(node, "`services`")? {
                services.extend(self.image(Some(service))?);
                images_env.push(self.env(service.get("env"))?);
            }
        }
        Ok(Job {
            id: id.as_str().to_owned(),
            place: id.place().clone(),
            needs: self.texts(find("needs"), "`needs`")?,
            condition: self.condition(find("if"))?,
            runs_on: find("runs-on").map(|node| self.runs_on(node)).transpose()?,
            timeout: self.optional(find("timeout-minutes"), "`timeout-minutes`")?,
            continue_on_error: self.optional(find("continue-on-error"), "`continue-on-error`")?,
            permissions: self.permissions(find("permissions"))?,
            env: self.env(find("env"))?,
            defaults: self.defaults(find("defaults"))?,
            concurrency: self.concurrency(find("concurrency"))?,
            matrix,
            container: self.image(find("container"))?,
            services,
            images_env,
            body,
        })
    }

    fn strategy(&self, node: &Node) -> Result<Option<Matrix>, Fault> {
        let entries = self.known(node, Level::Strategy)?;
        find(entries, "matrix").map(Matrix::read).transpose()
    }

    fn steps(&mut self, node: &Node, level: Level) -> Result<Vec<Step>, Fault> {
        let Some(items) = node.list() else {
            let what = format!("`steps` is {}", node.shape());
            return Err(self.invalid(&node.place, &what, "write a list of steps"));
        };
        let mut steps = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            steps.push(self.step(index, item, level)?);
        }
        Ok(steps)
    }

    fn step(&mut self, index: usize, node: &Node, level: Level) -> Result<Step, Fault> {
        let entries = self.known(node, level)?;
        let find = |key: &str| find(entries, key);
        let action = match (find("run"), find("uses")) {
            (Some(script), None) => Action::Run {
                script: self.scalar(script, "`run`")?,
                shell: self.optional(find("shell"), "`shell`")?,
                working_directory: self
                    .optional(find("working-directory"), "`working-directory`")?,
            },
            (None, Some(uses)) => {
                let uses = self.scalar(uses, "`uses`")?;
                let composite = self.locals.composite(&uses)?;
                Action::Uses { uses, with: self.with(find("with"))?, composite }
            }
            (Some(_), Some(_)) => {
                let what = "a step has both `run` and `uses`";
                return Err(self.invalid(&node.place, what, "make it two steps"));
            }
            (None, None) => {
                let what = "a step has neither `run` nor `uses`";
                return Err(self.invalid(&node.place, what, "say what it does"));
            }
        };
        Ok(Step {
            index,
            place: node.place.clone(),
            id: self.optional(find("id"), "`id`")?,
            name: self.optional(find("name"), "`name`")?,
            condition: self.condition(find("if"))?,
            env: self.env(find("env"))?,
            continue_on_error: self.optional(find("continue-on-error"), "`continue-on-error`")?,
            action,
        })
    }

    fn runs_on(&self, node: &Node) -> Result<RunsOn, Fault> {
        if node.map().is_none() {
            return Ok(RunsOn { labels: self.texts(Some(node), "`runs-on`")?, group: None });
        }
        let entries = self.known(node, Level::RunsOn)?;
        Ok(RunsOn {
            labels: self.texts(find(entries, "labels"), "`labels`")?,
            group: self.optional(find(entries, "group"), "`group`")?,
        })
    }

    /// The image of a container or service, in the short and the long form.
    fn image(&self, node: Option<&Node>) -> Result<Option<Text>, Fault> {
        let Some(node) = node else { return Ok(None) };
        match node.map() {
            Some(_) => self.optional(node.get("image"), "`image`"),
            None => self.optional(Some(node), "an image"),
        }
    }

    fn permissions(&self, node: Option<&Node>) -> Result<Option<Permissions>, Fault> {
        let Some(node) = node else { return Ok(None) };
        if node.map().is_some() {
            self.known(node, Level::Permissions)?;
        }
        Permissions::read(node).map(Some)
    }

    fn defaults(&self, node: Option<&Node>) -> Result<Defaults, Fault> {
        let Some(node) = node else { return Ok(Defaults::default()) };
        let entries = self.known(node, Level::Defaults)?;
        let Some(run) = find(entries, "run") else { return Ok(Defaults::default()) };
        let entries = self.known(run, Level::DefaultsRun)?;
        Ok(Defaults {
            shell: self.optional(find(entries, "shell"), "`shell`")?,
            working_directory: self
                .optional(find(entries, "working-directory"), "`working-directory`")?,
        })
    }

    fn concurrency(&self, node: Option<&Node>) -> Result<Option<Concurrency>, Fault> {
        let Some(node) = node else { return Ok(None) };
        let place = node.place.clone();
        if node.map().is_none() {
            let group = self.scalar(node, "`concurrency`")?;
            return Ok(Some(Concurrency { place, group, cancel_in_progress: None }));
        }
        let entries = self.known(node, Level::Concurrency)?;
        let Some(group) = find(entries, "group") else {
            return Err(self.invalid(&place, "`concurrency` has no `group`", "name the group"));
        };
        Ok(Some(Concurrency {
            place,
            group: self.scalar(group, "`group`")?,
            cancel_in_progress: self
                .optional(find(entries, "cancel-in-progress"), "`cancel-in-progress`")?,
        }))
    }

    fn env(&self, node: Option<&Node>) -> Result<Env, Fault> {
        let Some(node) = node.filter(|node| !node.is_null()) else { return Ok(Env::default()) };
        if let Some(text) = node.scalar().filter(|text| text.has_expression()) {
            return Ok(Env { entries: Vec::new(), expression: Some(text.clone()) });
        }
        let mut entries = Vec::new();
        for (name, value) in self.entries(node, "`env`")? {
            entries.push((name.clone(), self.scalar(value, "a variable")?));
        }
        Ok(Env { entries, expression: None })
    }

    /// The inputs of a step or call. A whole table may be an expression; nothing is known of it then.
    fn with(&self, node: Option<&Node>) -> Result<Vec<(Text, Text)>, Fault> {
        Ok(self.env(node)?.entries)
    }

    fn optional(&self, node: Option<&Node>, what: &str) -> Result<Option<Text>, Fault> {
        let text = node.map(|node| self.scalar(node, what)).transpose()?;
        Ok(text.filter(|text| !text.is_null()))
    }

    /// An `if`. One without text is none: the provider asks for success then, as where there is no `if`.
    fn condition(&self, node: Option<&Node>) -> Result<Option<Text>, Fault> {
        let text = self.optional(node, "`if`")?;
        Ok(text.filter(|text| !text.as_str().trim().is_empty()))
    }

    fn scalar(&self, node: &Node, what: &str) -> Result<Text, Fault> {
        node.scalar().cloned().ok_or_else(|| {
            let what = format!("{what} is {}", node.shape());
            self.invalid(&node.place, &what, "write one value")
        })
    }

    /// A scalar or a list of scalars, as one list.
    fn texts(&self, node: Option<&Node>, what: &str) -> Result<Vec<Text>, Fault> {
        let Some(node) = node.filter(|node| !node.is_null()) else { return Ok(Vec::new()) };
        match node.list() {
            Some(items) => items.iter().map(|item| self.scalar(item, what)).collect(),
            None => Ok(vec![self.scalar(node, what)?]),
        }
    }

    fn entries<'n>(&self, node: &'n Node, what: &str) -> Result<&'n [(Text, Node)], Fault> {
        match node.map() {
            Some(entries) => Ok(entries),
            None => {
                let what = format!("{what} is {}", node.shape());
                Err(self.invalid(&node.place, &what, "write a map"))
            }
        }
    }

    /// The entries of a map of which every key is known.
    fn known<'n>(&self, node: &'n Node, level: Level) -> Result<&'n [(Text, Node)], Fault> {
        let entries = self.entries(node, level.name())?;
        let keys = keys::of(level);
        for (key, _) in entries {
            if keys.contains(&key.as_str()) || self.known_keys.contains(key.as_str()) {
                continue;
            }
            let headline = format!("{} has the unknown key `{}`", level.name(), key.as_str());
            let remedy = near::hint(key.as_str(), keys.iter().copied()).unwrap_or_else(|| {
                "remove it, or name it in `known_keys` if the provider has it".to_owned()
            });
            return Err(Fault::new(UNKNOWN_KEY, headline, remedy)
                .at(key.location())
                .expected(keys.join(", "))
                .found(key.as_str()));
        }
        Ok(entries)
    }

    fn invalid(&self, place: &Place, what: &str, remedy: &str) -> Fault {
        let headline = format!("`{}`: {what}", self.path);
        Fault::new(WORKFLOW_INVALID, headline, remedy).at(place.location())
    }
}

fn find<'n>(entries: &'n [(Text, Node)], key: &str) -> Option<&'n Node> {
    entries.iter().find(|(name, _)| name.as_str() == key).map(|(_, value)| value)
}
