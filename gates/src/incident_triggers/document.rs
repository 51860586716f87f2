//! `incident.json` and `incident.md`: what was decided, and what the response needs. They decide nothing.

use super::{
    decision::{Context, CriterionState, Incident, State},
    run::Item,
};
use crate::view;
use portcullis::{GateContext, GateError, Instant, report::markdown::escape};
use serde::Serialize;

const SCHEMA: &str = "portcullis.incident.v1";

#[derive(Serialize)]
struct Body<'a> {
    state: &'static str,
    /// The run that is judged, which need not be the one that judges.
    incident_run_id: &'a str,
    context: Context,
    severity: Option<&'static str>,
    opened_at: Instant,
    deadline: Option<Instant>,
    overdue: bool,
    freeze_strict_wording: bool,
    triggers: Vec<TriggerRow<'a>>,
    bundle: &'a [Item],
    exit_criteria: Vec<CriterionRow>,
}

#[derive(Serialize)]
struct TriggerRow<'a> {
    id: &'static str,
    state: State,
    detail: &'a str,
}

#[derive(Serialize)]
struct CriterionRow {
    id: &'static str,
    state: CriterionState,
}

/// Writes both.
pub(super) fn write(
    cx: &GateContext<'_>,
    incident: &Incident,
    bundle: &[Item],
) -> Result<(), GateError> {
    let body = Body {
        state: if incident.is_open() { "open" } else { "clear" },
        incident_run_id: &incident.run_id,
        context: incident.context,
        severity: incident.severity.map(super::decision::Severity::name),
        opened_at: incident.opened_at,
        deadline: incident.deadline,
        overdue: incident.is_overdue,
        freeze_strict_wording: incident.freezes_wording,
        triggers: incident
            .triggers
            .iter()
            .map(|seen| TriggerRow {
                id: seen.trigger.name(),
                state: seen.state,
                detail: &seen.detail,
            })
            .collect(),
        bundle,
        exit_criteria: incident
            .exit_criteria
            .iter()
            .map(|criterion| CriterionRow { id: criterion.name, state: criterion.state })
            .collect(),
    };
    cx.view("incident.json", view::document(cx, SCHEMA, &body)?.as_bytes())?;
    cx.view("incident.md", text(cx, &body).as_bytes())
}

fn text(cx: &GateContext<'_>, body: &Body<'_>) -> String {
    let mut text = view::markdown_header(cx, "Incident", SCHEMA);
    let severity = body.severity.unwrap_or("no severity");
    text.push_str(&format!(
        "\nRun {}: {}, {severity}, opened {}.\n",
        escape(body.incident_run_id),
        body.state,
        body.opened_at
    ));
    if let Some(deadline) = body.deadline {
        let late = if body.overdue { " It has passed: escalate." } else { "" };
        text.push_str(&format!("\nOwner and context are due at {deadline}.{late}\n"));
    }
    if body.freeze_strict_wording {
        text.push_str("\nFreeze strict wording until the incident is closed.\n");
    }
    text.push_str("\n## Triggers\n\n| trigger | state | detail |\n|---|---|---|\n");
    for row in &body.triggers {
        let state = match row.state {
            State::Met => "**met**",
            State::Clear => "clear",
            State::NotApplicable => "not applicable",
        };
        text.push_str(&format!("| `{}` | {state} | {} |\n", row.id, escape(row.detail)));
    }
    text.push_str("\n## Bundle\n\n| role | path | digest |\n|---|---|---|\n");
    for item in body.bundle {
        text.push_str(&format!(
            "| `{}` | {} | `{}` |\n",
            item.role,
            escape(&item.path),
            item.digest
        ));
    }
    text.push_str("\n## Exit criteria\n\n");
    for row in &body.exit_criteria {
        let mark = match row.state {
            CriterionState::Satisfied => "[x]",
            CriterionState::Open => "[ ]",
            CriterionState::NotApplicable => "not applicable:",
        };
        text.push_str(&format!("- {mark} `{}`\n", row.id));
    }
    text
}
