//! Whether a finished run is an incident: four triggers over its documents, a severity, a deadline, and the bundle
//! that whoever is on call needs. It notifies nobody, and it decides nothing about the run itself.

mod config;
pub mod decision;
mod document;
mod run;
mod teeth;

use config::Config;
use decision::{Incident, State, Trigger, decide};
use portcullis::{Code, Examined, Finding, Findings, GateContext, GateError, Location};
use teeth::TEETH;

portcullis::gate_kind! {
    /// Fails when a run meets a trigger of an incident, and writes what the response needs.
    ///
    /// ### What it checks
    /// Four triggers over the views of a run: its triage is a regression; a blocking gate failed, or its verdict is not
    /// `pass`; strict wording is needed and its certification verdict is missing or not `CERTIFIED`; a gate of
    /// `parity_gates` did not pass. The documents have the ids of one run. Writes `incident.json` and `incident.md`, also
    /// when nothing is met: triggers, severity, deadline, bundle (each document with its digest or `absent`) and exit criteria.
    ///
    /// SEV-1 (30 minutes) is a blocking regression on main, on a release or in an unknown context, or a release whose strict
    /// wording no certificate covers; SEV-2 (4 hours) a regression on a branch; SEV-3 (the same time on the next working
    /// day, UTC) drift of evidence or documents alone. An unknown context rounds up. The time of the verdict opens the incident.
    ///
    /// ### Why it gates
    /// A red run that nobody recognises as an incident has no owner and no deadline.
    ///
    /// ### Example
    /// Refused: `triage_diff.json` with the status `regression`. Accepted: `stable`, a verdict of `pass`, and `CERTIFIED`.
    ///
    /// ### Configuration
    /// - `views`: the folder with the views of the run, under the names that portcullis gives them; `of_run = true` looks
    ///   for it below the directory of this run.
    /// - `baseline`: whether the run was compared with one, required; if so, `triage_diff.json` must exist.
    /// - `strict_wording`: whether strict wording is needed, required.
    /// - `parity_gates`: ids of gates that must have passed for CI and local runs to agree; default none.
    /// - `drift_gates`: ids of gates whose failure is drift of evidence or documents alone; default none.
    /// - `context`: `main`, `release`, `branch` or `unknown`; default by the lane, and unknown in a local run.
    ///
    /// ### Remediation
    /// - `incident_regression`: start with the first of `ranked_diagnostics` in `triage_diff.json`.
    /// - `incident_blocking_gate`: replay the named gates; each prints its way out.
    /// - `incident_not_certified`: freeze strict wording until the certification verdict is `CERTIFIED`.
    /// - `incident_parity`: compare `environment.json` of both runs, then replay the gate.
    /// - `incident_input_invalid`: produce the views again with this version of portcullis.
    /// - `artifact_missing`: restore the document of the run; without it nobody can say that nothing happened.
    /// - `lineage_mismatch`: copy the views of one run, all of them.
    pub static INCIDENT_TRIGGERS: "incident_triggers", since = "0.1.0", config = Config,
        validate = config::validate, check = check, codes = CODES, teeth = TEETH;
}

const INCIDENT_REGRESSION: Code =
    Code::new("PC1155", "incident_regression", "The triage of a run is a regression.");
const INCIDENT_BLOCKING_GATE: Code =
    Code::new("PC1156", "incident_blocking_gate", "A blocking gate of a run failed.");
const INCIDENT_NOT_CERTIFIED: Code = Code::new(
    "PC1157",
    "incident_not_certified",
    "Strict wording is needed, and no certification verdict covers it.",
);
const INCIDENT_PARITY: Code =
    Code::new("PC1158", "incident_parity", "The parity gate of CI did not pass.");
const INCIDENT_INPUT_INVALID: Code = Code::new(
    "PC1159",
    "incident_input_invalid",
    "A document of a run does not say what a trigger needs.",
);

const CODES: &[Code] = &[
    INCIDENT_REGRESSION,
    INCIDENT_BLOCKING_GATE,
    INCIDENT_NOT_CERTIFIED,
    INCIDENT_PARITY,
    INCIDENT_INPUT_INVALID,
];

/// Reads the views, decides, writes the incident whatever came out, and reports what is met.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let facts = run::read(cx, config)?;
    let incident = decide(&facts);
    let bundle = run::bundle(cx, config)?;
    document::write(cx, &incident, &bundle)?;
    for seen in &incident.triggers {
        if seen.state == State::Met {
            out.push(finding(config, &incident, seen.trigger, &seen.detail));
        }
    }
    Ok(Examined::items(incident.triggers.len()))
}

fn finding(config: &Config, incident: &Incident, trigger: Trigger, detail: &str) -> Finding {
    let (code, document, remedy) = match trigger {
        Trigger::TriageRegression => (
            INCIDENT_REGRESSION,
            "triage_diff.json",
            "start with the first of its `ranked_diagnostics`",
        ),
        Trigger::BlockingGateFailed => {
            (INCIDENT_BLOCKING_GATE, "full_suite_verdict.json", "replay the named gates")
        }
        Trigger::NotCertified => (
            INCIDENT_NOT_CERTIFIED,
            "certification_verdict.json",
            "freeze strict wording until the verdict is `CERTIFIED`",
        ),
        Trigger::ParityGateFailed => (
            INCIDENT_PARITY,
            "full_suite_verdict.json",
            "compare the environments of both runs, then replay the gate",
        ),
    };
    let place = format!("{}/{document}", config.views);
    let severity = incident.severity.map_or("an incident", decision::Severity::name);
    let deadline = incident.deadline.map_or_else(String::new, |at| format!(", due {at}"));
    let late = if incident.is_overdue { ", which has passed: escalate" } else { "" };
    Finding::new(code, trigger.name(), format!("{severity}{deadline}{late}: {detail}"), remedy)
        .at(Location::file(place))
}

#[cfg(test)]
mod tests;
