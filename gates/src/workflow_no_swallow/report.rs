//! Findings of this kind: each once, unless an admission covers its place.

use super::config::Config;
use crate::{
    admission::Admissions,
    lane::OPAQUE,
    workflow::{Hidden, Job, StepView, Workflow},
};
use portcullis::{Code, Finding, Findings, GateContext, Location};
use std::collections::BTreeSet;

/// What is reported so far.
pub(super) struct Report<'r> {
    config: &'r Config,
    admissions: Admissions<'r>,
    out: &'r mut Findings,
    /// Equal findings of two paths, combinations or callers are one.
    seen: BTreeSet<(&'static str, String, String)>,
    examined: usize,
    verifications: usize,
}

/// Whose finding it is.
#[derive(Clone)]
pub(super) struct Whose<'w> {
    pub(super) workflow: &'w Workflow,
    /// The job as the file calls it, and its step.
    pub(super) job: String,
    pub(super) step: Option<(String, Vec<String>)>,
    /// The jobs that lead to it.
    pub(super) callers: Vec<(String, String)>,
}

impl<'w> Whose<'w> {
    pub(super) fn job(workflow: &'w Workflow, job: &Job) -> Self {
        Self { workflow, job: job.id.clone(), step: None, callers: Vec::new() }
    }

    pub(super) fn step(view: &StepView<'w>) -> Self {
        let lane = &view.lane;
        let caller = |(workflow, job): &(&Workflow, &Job)| {
            (workflow.path.as_str().to_owned(), job.id.clone())
        };
        let own = view.around.iter().copied().chain([view.step]);
        let names = own.flat_map(|step| [&step.name, &step.id]).flatten();
        Self {
            workflow: lane.workflow,
            job: lane.job.id.clone(),
            step: Some((view.label(), names.map(|text| text.as_str().to_owned()).collect())),
            callers: lane.callers.iter().map(caller).collect(),
        }
    }

    /// `job` or `job/step`.
    pub(super) fn subject(&self) -> String {
        match &self.step {
            Some((label, _)) => format!("{}/{label}", self.job),
            None => self.job.clone(),
        }
    }

    fn is_in(&self, file: &str, job: &str) -> bool {
        let own = (self.workflow.path.as_str(), self.job.as_str());
        let callers = self.callers.iter().map(|(path, job)| (path.as_str(), job.as_str()));
        std::iter::once(own).chain(callers).any(|(path, id)| {
            let name = path.rsplit('/').next().unwrap_or(path);
            (file == path || file == name) && job == id
        })
    }
}

impl<'r> Report<'r> {
    pub(super) fn new(cx: &GateContext<'_>, config: &'r Config, out: &'r mut Findings) -> Self {
        let admissions = Admissions::new(cx, config.admissions());
        Self { config, admissions, out, seen: BTreeSet::new(), examined: 0, verifications: 0 }
    }

    /// Counts something that was judged.
    pub(super) fn examined(&mut self) {
        self.examined += 1;
    }

    /// Counts a command whose status was followed.
    pub(super) fn verification(&mut self) {
        self.examined += 1;
        self.verifications += 1;
    }

    /// Reports a finding, unless an admission covers it.
    pub(super) fn push(
        &mut self,
        code: Code,
        whose: &Whose<'_>,
        detail: &str,
        message: String,
        remedy: &str,
        at: Location,
    ) {
        let mut is_covered = false;
        for (index, entry) in self.config.advisory.iter().enumerate() {
            let entry = entry.get_ref();
            let step = entry.step.as_ref().is_none_or(|wanted| {
                whose
                    .step
                    .as_ref()
                    .is_some_and(|(label, names)| label == wanted || names.contains(wanted))
            });
            if step && whose.is_in(&entry.file, &entry.job) {
                is_covered |= self.admissions.cover(index);
            }
        }
        if is_covered {
            return;
        }
        let mut subject = format!("{}:{}", whose.workflow.path, whose.subject());
        if !detail.is_empty() {
            subject.push_str(": ");
            subject.push_str(detail);
        }
        let place = format!("{at:?}");
        if self.seen.insert((code.name(), subject.clone(), place)) {
            self.out.push(Finding::new(code, subject, message, remedy).at(at));
        }
    }

    /// Reports a job whose steps nobody here can see.
    pub(super) fn hidden(&mut self, workflow: &Workflow, job: &Job, hidden: &Hidden<'_>) {
        let whose = Whose::job(workflow, job);
        let uses = hidden.uses.as_str();
        let message = format!("the steps of `{uses}` cannot be looked into");
        let remedy = "copy the workflow into this repository, or admit the job in `advisory`";
        self.push(OPAQUE, &whose, uses, message, remedy, hidden.uses.location());
    }

    /// Reports admissions that nothing needed, and returns how much was judged: nothing, when no verification command
    /// was there to be judged, however many conditions were.
    pub(super) fn end(self) -> usize {
        self.admissions.report(self.out);
        if self.verifications == 0 && self.seen.is_empty() { 0 } else { self.examined }
    }
}
