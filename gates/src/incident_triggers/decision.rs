//! The decision about an incident: a pure function of what the documents of a run say. It reads no file and no clock.

use portcullis::Instant;
use serde::{Deserialize, Serialize};

const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Where the run stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// The main branch.
    Main,
    /// A release cut.
    Release,
    /// A branch that blocks no release.
    Branch,
    /// Nobody knows; it rounds up.
    Unknown,
}

/// What the triage of the run says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Triage {
    /// The run was not compared with a baseline.
    NoBaseline,
    /// Nothing that worked before fails.
    NoRegression,
    /// This many things worked before and fail now; zero when only the status says so.
    Regression(u64),
}

/// What the documents of a run say.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The id of the run.
    pub run_id: String,
    /// Its triage.
    pub triage: Triage,
    /// Its verdict: `pass`, `blocked` or `invalid`.
    pub verdict: String,
    /// The gates that block, or the blocking ones that failed.
    pub failed_gates: Vec<String>,
    /// Those of the parity gates that did not pass, each with its status.
    pub failed_parity: Vec<(String, String)>,
    /// Whether there are parity gates at all.
    pub has_parity: bool,
    /// Gates whose failure is drift of evidence or documents alone.
    pub drift_gates: Vec<String>,
    /// The certification verdict, if the run has one.
    pub certification: Option<String>,
    /// Whether strict wording is needed.
    pub strict_wording: bool,
    /// Where the run stands for.
    pub context: Context,
    /// When the verdict was made.
    pub opened_at: Instant,
    /// The instant of the decision.
    pub now: Instant,
}

/// What makes a run an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The triage is a regression.
    TriageRegression,
    /// A blocking gate failed.
    BlockingGateFailed,
    /// Strict wording without a certificate.
    NotCertified,
    /// The parity gate of CI failed.
    ParityGateFailed,
}

impl Trigger {
    /// The name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TriageRegression => "triage_regression",
            Self::BlockingGateFailed => "blocking_gate_failed",
            Self::NotCertified => "not_certified",
            Self::ParityGateFailed => "parity_gate_failed",
        }
    }
}

/// Whether a trigger, or the opposite of one, holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Met,
    /// It does not.
    Clear,
    /// Nothing asks for it here.
    NotApplicable,
}

/// A trigger as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub trigger: Trigger,
    /// Whether it holds.
    pub state: State,
    /// Why.
    pub detail: String,
}

/// How soon somebody must own the incident, the soonest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// 30 minutes.
    Sev1,
    /// 4 hours.
    Sev2,
    /// One working day.
    Sev3,
}

impl Severity {
    /// The name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sev1 => "SEV-1",
            Self::Sev2 => "SEV-2",
            Self::Sev3 => "SEV-3",
        }
    }
}

/// What has to be true before an incident is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// The name in documents.
    pub name: &'static str,
    /// Whether it holds.
    pub state: CriterionState,
}

/// Whether a criterion holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CriterionState {
    /// It does.
    Satisfied,
    /// It does not yet.
    Open,
    /// Nothing asks for it here.
    NotApplicable,
}

/// The decision.
#[derive(Clone, Debug)]
pub struct Incident {
    /// The id of the run it is about.
    pub run_id: String,
    /// Where the run stands for.
    pub context: Context,
    /// All four, in the order of the pages.
    pub triggers: Vec<Seen>,
    /// Present when a trigger is met.
    pub severity: Option<Severity>,
    /// When the incident began.
    pub opened_at: Instant,
    /// Until when it must have an owner; present with a severity.
    pub deadline: Option<Instant>,
    /// Whether that has passed.
    pub is_overdue: bool,
    /// Whether strict wording must be frozen.
    pub freezes_wording: bool,
    /// What closes it.
    pub exit_criteria: Vec<Criterion>,
}

impl Incident {
    /// Whether a trigger is met.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.severity.is_some()
    }
}

/// Decides what a run is.
#[must_use]
pub fn decide(facts: &Facts) -> Incident {
    let triggers = vec![triage(facts), blocking_gate(facts), certification(facts), parity(facts)];
    let severity = severity(facts, &triggers);
    // A verdict that claims to come from the future must not put off the deadline.
    let opened_at = facts.opened_at.min(facts.now);
    let deadline = severity.map(|severity| deadline(severity, opened_at));
    Incident {
        run_id: facts.run_id.clone(),
        context: facts.context,
        exit_criteria: exit_criteria(&triggers, severity.is_some()),
        triggers,
        severity,
        opened_at,
        deadline,
        is_overdue: deadline.is_some_and(|deadline| facts.now > deadline),
        freezes_wording: severity == Some(Severity::Sev1)
            && matches!(facts.context, Context::Release | Context::Unknown),
    }
}

fn triage(facts: &Facts) -> Seen {
    let (state, detail) = match facts.triage {
        Triage::NoBaseline => (State::NotApplicable, "no baseline was compared".to_owned()),
        Triage::NoRegression => (State::Clear, "no regression against the baseline".to_owned()),
        Triage::Regression(count) => {
            (State::Met, format!("triage is a regression, {count} counted"))
        }
    };
    Seen { trigger: Trigger::TriageRegression, state, detail }
}

fn blocking_gate(facts: &Facts) -> Seen {
    let (state, detail) = match (facts.failed_gates.as_slice(), facts.verdict.as_str()) {
        ([], "pass") => (State::Clear, "all blocking gates passed".to_owned()),
        ([], verdict) => (State::Met, format!("the verdict is {verdict}")),
        (gates, verdict) => {
            (State::Met, format!("the verdict is {verdict}; failed: {}", gates.join(", ")))
        }
    };
    Seen { trigger: Trigger::BlockingGateFailed, state, detail }
}

fn certification(facts: &Facts) -> Seen {
    let (state, detail) = match (facts.strict_wording, facts.certification.as_deref()) {
        (false, _) => (State::NotApplicable, "no strict wording is needed".to_owned()),
        (true, Some("CERTIFIED")) => (State::Clear, "certified".to_owned()),
        (true, Some(other)) => (State::Met, format!("the certification verdict is {other}")),
        (true, None) => (State::Met, "the certification verdict is missing".to_owned()),
    };
    Seen { trigger: Trigger::NotCertified, state, detail }
}

fn parity(facts: &Facts) -> Seen {
    let failed: Vec<String> =
        facts.failed_parity.iter().map(|(gate, status)| format!("{gate} ({status})")).collect();
    let (state, detail) = match (facts.has_parity, failed.is_empty()) {
        (_, false) => (State::Met, format!("did not pass: {}", failed.join(", "))),
        (true, true) => (State::Clear, "all parity gates passed".to_owned()),
        (false, true) => (State::NotApplicable, "no parity gate is named".to_owned()),
    };
    Seen { trigger: Trigger::ParityGateFailed, state, detail }
}

/// The worst that any met trigger asks for.
fn severity(facts: &Facts, triggers: &[Seen]) -> Option<Severity> {
    let met = triggers.iter().filter(|seen| seen.state == State::Met);
    met.map(|seen| match seen.trigger {
        Trigger::TriageRegression | Trigger::ParityGateFailed => of_regression(facts.context),
        Trigger::BlockingGateFailed if is_drift(facts) => match facts.context {
            Context::Main | Context::Release | Context::Branch => Severity::Sev3,
            Context::Unknown => Severity::Sev2,
        },
        Trigger::BlockingGateFailed => of_regression(facts.context),
        // On a release the uncovered claim is about to be printed; elsewhere only evidence is behind.
        Trigger::NotCertified => match facts.context {
            Context::Release | Context::Unknown => Severity::Sev1,
            Context::Main | Context::Branch => Severity::Sev3,
        },
    })
    .min()
}

const fn of_regression(context: Context) -> Severity {
    match context {
        Context::Main | Context::Release | Context::Unknown => Severity::Sev1,
        Context::Branch => Severity::Sev2,
    }
}

/// Whether what failed is known, and all of it is drift; an invalid run is never that.
fn is_drift(facts: &Facts) -> bool {
    facts.verdict != "invalid"
        && !facts.failed_gates.is_empty()
        && facts.failed_gates.iter().all(|gate| facts.drift_gates.contains(gate))
}

fn deadline(severity: Severity, opened_at: Instant) -> Instant {
    let opened = opened_at.unix_ms();
    let ms = match severity {
        Severity::Sev1 => opened.saturating_add(30 * MINUTE_MS),
        Severity::Sev2 => opened.saturating_add(4 * HOUR_MS),
        Severity::Sev3 => {
            let days = (1..=3).find(|days| is_working_day(opened.saturating_add(days * DAY_MS)));
            opened.saturating_add(days.unwrap_or(1) * DAY_MS)
        }
    };
    // Beyond the last year that documents may name, the incident is due at once.
    Instant::from_unix_ms(ms).unwrap_or(opened_at)
}

/// Monday to Friday, UTC. 1970-01-01 was a Thursday.
fn is_working_day(unix_ms: i64) -> bool {
    let since_monday = unix_ms.div_euclid(DAY_MS).saturating_add(3).rem_euclid(7);
    since_monday < 5
}

fn exit_criteria(triggers: &[Seen], is_open: bool) -> Vec<Criterion> {
    let of = |name: &'static str, which: &[Trigger]| {
        let states =
            || triggers.iter().filter(|seen| which.contains(&seen.trigger)).map(|seen| seen.state);
        let state = if states().any(|state| state == State::Met) {
            CriterionState::Open
        } else if states().any(|state| state == State::Clear) {
            CriterionState::Satisfied
        } else {
            CriterionState::NotApplicable
        };
        Criterion { name, state }
    };
    let note = if is_open { CriterionState::Open } else { CriterionState::NotApplicable };
    vec![
        of("triage_is_no_regression", &[Trigger::TriageRegression]),
        of("blocking_gates_pass", &[Trigger::BlockingGateFailed, Trigger::ParityGateFailed]),
        of("wording_guard_satisfied", &[Trigger::NotCertified]),
        // Only people can know it.
        Criterion { name: "links_and_final_note_recorded", state: note },
    ]
}

#[cfg(test)]
mod tests;
