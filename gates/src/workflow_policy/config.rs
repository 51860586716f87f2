//! The rules of a workflow policy, and what in them contradicts itself. It reads no workflow.

use crate::{
    admission::{self, Admission},
    workflow::{Access, default_files, expression},
};
use portcullis::{Fault, GateTable, Globs, wire::code::CONFIG_INVALID};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default = "default_files")]
    pub(super) files: Globs,
    #[serde(default)]
    pub(super) known_keys: BTreeSet<String>,
    #[serde(rename = "rule")]
    pub(super) rules: Vec<Rule>,
}

/// One rule: which files and jobs, and what holds for them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) id: Spanned<String>,
    #[serde(default = "every_file")]
    pub(super) file: Globs,
    #[serde(default)]
    pub(super) except_file: Vec<Spanned<Except>>,
    pub(super) job: Option<Vec<String>>,

    pub(super) jobs_superset: Option<BTreeSet<String>>,
    pub(super) jobs_exact: Option<BTreeSet<String>>,
    pub(super) needs_superset: Option<BTreeSet<String>>,
    pub(super) matrix_superset: Option<BTreeMap<String, Vec<String>>>,
    pub(super) timeout_required: Option<bool>,
    pub(super) timeout_minutes_max: Option<u32>,
    pub(super) permissions_max: Option<BTreeMap<String, Access>>,
    pub(super) permissions_min: Option<BTreeMap<String, Access>>,
    pub(super) triggers_superset: Option<BTreeSet<String>>,
    pub(super) triggers_deny: Option<BTreeSet<String>>,
    pub(super) triggers_unfiltered: Option<BTreeSet<String>>,
    pub(super) cron_set: Option<BTreeSet<String>>,
    pub(super) runs_on: Option<BTreeSet<String>>,
    pub(super) runner_pinned: Option<bool>,
    pub(super) env: Option<BTreeMap<String, String>>,
    pub(super) env_deny: Option<Globs>,
    pub(super) uses_pinned: Option<bool>,
    pub(super) uses_allow: Option<Vec<String>>,
    pub(super) run_allow: Option<Vec<String>>,
    pub(super) run_deny: Option<Vec<String>>,
    pub(super) run_require: Option<Vec<String>>,
    pub(super) run_order: Option<Vec<String>>,
    pub(super) steps_advisory: Option<BTreeSet<String>>,
    pub(super) fork_guard: Option<ForkGuard>,
    pub(super) condition: Option<String>,
    pub(super) concurrency: Option<Group>,
    pub(super) artifact_unique: Option<bool>,
}

/// A file that a rule does not look at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Except {
    pub(super) file: Globs,
    pub(super) reason: String,
}

/// Steps that never run for a pull request from a fork, and the one that runs in their place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForkGuard {
    pub(super) steps: Vec<String>,
    pub(super) alternative: Option<String>,
}

/// A concurrency group.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) group: String,
    pub(super) cancel_in_progress: Option<Flag>,
}

/// A boolean, or the expression that gives one.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Flag {
    Plain(bool),
    Expression(String),
}

fn every_file() -> Globs {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, and a test reads it")]
    Globs::new(&["**"]).expect("one glob")
}

impl Rule {
    pub(super) fn id(&self) -> &str {
        self.id.get_ref()
    }

    /// Whether this rule looks at a file. `*` and `ci.yml` are names, whatever the folder; a path names one file.
    pub(super) fn selects(&self, path: &str) -> bool {
        selects(&self.file, path)
    }

    /// The admissions of the files it leaves out.
    pub(super) fn admissions(&self) -> impl Iterator<Item = Admission<'_>> {
        self.except_file.iter().map(|except| Admission {
            what: format!("{} in rule `{}`", except.get_ref().file, self.id()),
            reason: &except.get_ref().reason,
            expires: None,
            offset: except.span().start,
        })
    }

    /// How many assertions it makes. Uniqueness of artifacts counts only where it is written.
    fn assertions(&self) -> usize {
        let some = [
            self.jobs_superset.is_some(),
            self.jobs_exact.is_some(),
            self.needs_superset.is_some(),
            self.matrix_superset.is_some(),
            self.timeout_required == Some(true),
            self.timeout_minutes_max.is_some(),
            self.permissions_max.is_some(),
            self.permissions_min.is_some(),
            self.triggers_superset.is_some(),
            self.triggers_deny.is_some(),
            self.triggers_unfiltered.is_some(),
            self.cron_set.is_some(),
            self.runs_on.is_some(),
            self.runner_pinned == Some(true),
            self.env.is_some(),
            self.env_deny.is_some(),
            self.uses_pinned == Some(true),
            self.uses_allow.is_some(),
            self.run_allow.is_some(),
            self.run_deny.is_some(),
            self.run_require.is_some(),
            self.run_order.is_some(),
            self.steps_advisory.is_some(),
            self.fork_guard.is_some(),
            self.condition.is_some(),
            self.concurrency.is_some(),
            self.artifact_unique == Some(true),
        ];
        some.into_iter().filter(|some| *some).count()
    }

    /// Lists and tables that may not be empty: without an entry they would hold for everything.
    fn empty_lists(&self) -> Vec<&'static str> {
        let lists = [
            ("job", self.job.as_ref().map(Vec::len)),
            ("jobs_superset", self.jobs_superset.as_ref().map(BTreeSet::len)),
            ("jobs_exact", self.jobs_exact.as_ref().map(BTreeSet::len)),
            ("needs_superset", self.needs_superset.as_ref().map(BTreeSet::len)),
            ("matrix_superset", self.matrix_superset.as_ref().map(BTreeMap::len)),
            ("permissions_min", self.permissions_min.as_ref().map(BTreeMap::len)),
            ("triggers_superset", self.triggers_superset.as_ref().map(BTreeSet::len)),
            ("triggers_deny", self.triggers_deny.as_ref().map(BTreeSet::len)),
            ("triggers_unfiltered", self.triggers_unfiltered.as_ref().map(BTreeSet::len)),
            ("runs_on", self.runs_on.as_ref().map(BTreeSet::len)),
            ("env", self.env.as_ref().map(BTreeMap::len)),
            ("uses_allow", self.uses_allow.as_ref().map(Vec::len)),
            ("run_allow", self.run_allow.as_ref().map(Vec::len)),
            ("run_deny", self.run_deny.as_ref().map(Vec::len)),
            ("run_require", self.run_require.as_ref().map(Vec::len)),
            ("run_order", self.run_order.as_ref().map(Vec::len)),
            ("fork_guard.steps", self.fork_guard.as_ref().map(|guard| guard.steps.len())),
        ];
        lists.into_iter().filter(|(_, len)| *len == Some(0)).map(|(name, _)| name).collect()
    }
}

/// Whether globs match a path or the name at its end.
pub(super) fn selects(globs: &Globs, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    globs.matches(path) || globs.matches(name)
}

/// Refuses rules that say nothing, say two things, or say what cannot be read.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    if config.rules.is_empty() {
        let remedy = "write at least one `[[gate.rule]]` table";
        faults.push(Fault::new(CONFIG_INVALID, "the policy has no rule", remedy));
    }
    let mut ids = BTreeSet::new();
    for rule in &config.rules {
        let id = rule.id();
        let at = table.locate(rule.id.span().start);
        let mut refuse = |what: String, remedy: &str| {
            faults.push(Fault::new(CONFIG_INVALID, what, remedy).at(at.clone()));
        };
        if !ids.insert(id) {
            refuse(format!("two rules have the id `{id}`"), "rename one of them");
        }
        if rule.assertions() == 0 {
            refuse(format!("rule `{id}` asserts nothing"), "add an assertion, or remove the rule");
        }
        for name in rule.empty_lists() {
            let remedy = "name at least one entry, or remove the key";
            refuse(format!("`{name}` of rule `{id}` is empty"), remedy);
        }
        for (what, remedy) in contradictions(rule) {
            refuse(format!("rule `{id}`: {what}"), remedy);
        }
        for (what, remedy) in unreadable(rule, &config.known_keys) {
            refuse(format!("rule `{id}`: {what}"), remedy);
        }
        for admission in rule.admissions() {
            faults.extend(admission::fault(&admission, table));
        }
    }
    faults
}

fn contradictions(rule: &Rule) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let one = "keep one of the two";
    if rule.timeout_minutes_max == Some(0) {
        found.push(("`timeout_minutes_max` is 0".to_owned(), "state a limit of at least 1"));
    }
    if rule.timeout_minutes_max.is_some() && rule.timeout_required == Some(false) {
        let what = "`timeout_required` is false beside a cap".to_owned();
        found.push((what, "remove `timeout_required`: a cap needs a timeout"));
    }
    if let (Some(superset), Some(exact)) = (&rule.jobs_superset, &rule.jobs_exact) {
        for id in superset.difference(exact) {
            found.push((format!("`jobs_superset` names `{id}`, `jobs_exact` does not"), one));
        }
    }
    if let Some(deny) = &rule.triggers_deny {
        let wanted = [&rule.triggers_superset, &rule.triggers_unfiltered];
        for event in wanted.into_iter().flatten().flatten().filter(|event| deny.contains(*event)) {
            found.push((format!("event `{event}` is both wanted and denied"), one));
        }
    }
    if let (Some(min), Some(max)) = (&rule.permissions_min, &rule.permissions_max) {
        for (scope, least) in min {
            if max.get(scope).copied().unwrap_or(Access::None) < *least {
                found.push((format!("scope `{scope}` has a minimum above its maximum"), one));
            }
        }
    }
    if let (Some(env), Some(deny)) = (&rule.env, &rule.env_deny) {
        for name in env.keys().filter(|name| deny.matches(name)) {
            found.push((format!("variable `{name}` is both wanted and denied"), one));
        }
    }
    if rule.runner_pinned == Some(true) {
        let labels = rule.runs_on.iter().flatten();
        for label in labels.filter(|label| label.ends_with("-latest")) {
            found.push((format!("`runs_on` names `{label}`, which is not pinned"), one));
        }
    }
    found
}

fn unreadable(rule: &Rule, known: &BTreeSet<String>) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let scopes = [&rule.permissions_min, &rule.permissions_max];
    for scope in scopes.into_iter().flatten().flat_map(BTreeMap::keys) {
        if !crate::workflow::is_scope(scope) && !known.contains(scope) {
            found.push((format!("`{scope}` is no scope of a token"), "correct the name"));
        }
    }
    let patterns = [("job", rule.job.as_ref()), ("uses_allow", rule.uses_allow.as_ref())];
    for (key, patterns) in patterns {
        for pattern in patterns.into_iter().flatten() {
            if let Err(fault) = Globs::new(&[&plain_image(pattern)]) {
                let what = format!("`{key}` has `{pattern}`: {}", fault.headline());
                found.push((what, "write a glob, such as `unit_*`"));
            }
        }
    }
    let lists = [&rule.run_allow, &rule.run_deny, &rule.run_require, &rule.run_order];
    for pattern in lists.into_iter().flatten().flatten() {
        if crate::shell::argv::ArgvPattern::parse(pattern).is_none() {
            let what = "a pattern of a command has no word".to_owned();
            found.push((
                what,
                "write the words of the command, `*` for one and `**` for any number",
            ));
        }
    }
    if let Some(Err(why)) = rule.condition.as_deref().map(condition) {
        found.push((format!("`condition` does not parse: {why}"), "correct the expression"));
    }
    let values = rule.matrix_superset.iter().flatten();
    for (axis, _) in values.filter(|(_, values)| values.is_empty()) {
        found.push((format!("axis `{axis}` names no value"), "name a value, or remove the axis"));
    }
    found
}

/// Checks the text of a condition, with or without its braces.
fn condition(text: &str) -> Result<(), String> {
    match expression::Condition::read(text) {
        expression::Condition::Expression(_) => Ok(()),
        expression::Condition::AlwaysTrue(_) => {
            Err("it has text around its expression, and so is always true".to_owned())
        }
        expression::Condition::Broken => match expression::parse(text) {
            Err(why) => Err(why),
            Ok(_) => Err("its braces do not match".to_owned()),
        },
    }
}

/// A container image as a path, so that a glob can name it: `docker://ghcr.io/a/b:1` is `docker/ghcr.io/a/b_1`.
pub(super) fn plain_image(text: &str) -> String {
    match text.strip_prefix("docker://") {
        Some(image) => format!("docker/{}", image.replace(':', "_")),
        None => text.to_owned(),
    }
}
