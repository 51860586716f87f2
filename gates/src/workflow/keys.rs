//! The keys of the provider's syntax, level by level. Leaves out what they mean.

/// A map whose keys are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Workflow,
    Job,
    Step,
    CompositeStep,
    Strategy,
    Permissions,
    Defaults,
    DefaultsRun,
    Concurrency,
    RunsOn,
}

impl Level {
    /// What the map is called in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Workflow => "the workflow",
            Self::Job => "the job",
            Self::Step => "the step",
            Self::CompositeStep => "the step of an action",
            Self::Strategy => "`strategy`",
            Self::Permissions => "`permissions`",
            Self::Defaults => "`defaults`",
            Self::DefaultsRun => "`defaults.run`",
            Self::Concurrency => "`concurrency`",
            Self::RunsOn => "`runs-on`",
        }
    }
}

/// The scopes of a token.
pub(super) const SCOPES: &[&str] = &[
    "actions",
    "artifact-metadata",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "id-token",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "repository-projects",
    "security-events",
    "statuses",
];

/// The keys of a level.
pub(super) const fn of(level: Level) -> &'static [&'static str] {
    match level {
        Level::Workflow => {
            &["name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"]
        }
        Level::Job => &[
            "name",
            "permissions",
            "needs",
            "if",
            "runs-on",
            "snapshot",
            "environment",
            "concurrency",
            "outputs",
            "env",
            "defaults",
            "steps",
            "timeout-minutes",
            "strategy",
            "continue-on-error",
            "container",
            "services",
            "uses",
            "with",
            "secrets",
        ],
        Level::Step => &[
            "id",
            "if",
            "name",
            "uses",
            "run",
            "working-directory",
            "shell",
            "with",
            "env",
            "continue-on-error",
            "timeout-minutes",
        ],
        Level::CompositeStep => &[
            "id",
            "if",
            "name",
            "uses",
            "run",
            "working-directory",
            "shell",
            "with",
            "env",
            "continue-on-error",
        ],
        Level::Strategy => &["matrix", "fail-fast", "max-parallel"],
        Level::Permissions => SCOPES,
        Level::Defaults => &["run"],
        Level::DefaultsRun => &["shell", "working-directory"],
        Level::Concurrency => &["group", "cancel-in-progress"],
        Level::RunsOn => &["group", "labels"],
    }
}
