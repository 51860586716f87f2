//! The timeouts of lanes, now and in the base of the change. It judges none of them.

use super::config::{Config, Minutes};
use crate::{
    base_commit::base_commit,
    decimal::{self, Decimal},
    workflow::{
        self, Lane,
        expression::{Scene, Template, Value},
    },
};
use portcullis::{Fault, GateContext, GateError, Location, evidence::json::text_of};

/// What the provider takes where a job says nothing.
const DEFAULT: Minutes = Decimal(360_000);

/// The shortest and the longest over the matrix of a job.
#[derive(Clone, Copy)]
pub(super) struct Timeout {
    pub(super) least: Minutes,
    pub(super) most: Minutes,
}

/// The timeout of a lane; nothing where only the provider knows it.
pub(super) fn of(lane: &Lane<'_>) -> Option<Timeout> {
    let Some(timeout) = &lane.job.timeout else {
        return Some(Timeout { least: DEFAULT, most: DEFAULT });
    };
    let template = Template::of(timeout);
    let mut all = Vec::new();
    for combination in lane.combinations().ok()? {
        let text = match template.fold(&Scene::default().with_matrix(&combination)) {
            Value::Number(minutes) => minutes.to_string(),
            Value::Text(text) => text.trim().to_owned(),
            Value::Unknown
            | Value::Null
            | Value::Bool(_)
            | Value::List(_)
            | Value::Every(_)
            | Value::Map { .. } => return None,
        };
        all.push(Decimal(decimal::units(&text, 3)?));
    }
    Some(Timeout { least: all.iter().min().copied()?, most: all.iter().max().copied()? })
}

/// Where the timeout stands, or would.
pub(super) fn place(lane: &Lane<'_>) -> Location {
    lane.job.timeout.as_ref().map_or_else(|| lane.job.place.location(), |text| text.location())
}

/// The commit that timeouts are compared with.
pub(super) struct Base {
    commit: String,
}

/// The base of the change, where there is one to compare with.
///
/// # Errors
/// `base_unresolvable` and `base_is_head` for a base that is named and is none; `git_failed`.
pub(super) fn base(cx: &GateContext<'_>, config: &Config) -> Result<Option<Base>, GateError> {
    let is_named = config.base.is_some() || cx.named_base().is_some();
    let without = |why: &str| {
        cx.note(format!("timeouts are compared with no base: {why}"));
        Ok(None)
    };
    if !is_named {
        if cx.is_ci() || cx.lane().is_protected() {
            return without("nothing names one");
        }
        if cx.tool("git")?.is_none() {
            return without("`git` is not on the search path");
        }
        if cx.watch(cx.git().head())?.is_none() {
            return without("there is no commit");
        }
        if cx.watch(cx.git().default_branch())?.is_none() {
            return without("no default branch is known");
        }
    }
    base_commit(cx, config.base.as_deref()).map(|commit| Some(Base { commit }))
}

impl Base {
    /// The timeout that the lane has in the base; nothing for a lane that is new, or was not to be read there.
    pub(super) fn timeout(
        &self,
        cx: &GateContext<'_>,
        config: &Config,
        lane: &Lane<'_>,
    ) -> Result<Option<Timeout>, GateError> {
        let path = &lane.workflow.path;
        let Some(bytes) = cx.watch(cx.git().show(&self.commit, path))? else { return Ok(None) };
        let read = text_of(&bytes, path.as_str())
            .and_then(|text| workflow::parse(path, text, &config.known_keys));
        // A workflow that was broken before must not keep the change out that mends it.
        let said = |fault: &Fault| cx.note(format!("`{path}` of the base: {fault}"));
        let Ok(workflow) = read.inspect_err(said) else { return Ok(None) };
        let job = workflow.job(&lane.job.id);
        Ok(job.and_then(|job| of(&Lane { workflow: &workflow, job, callers: Vec::new() })))
    }
}
