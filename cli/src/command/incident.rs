//! `incident`: what a red run means for whoever is on call, and how far the response is. It writes into no run.

use crate::{
    args::{Incident as Arguments, IncidentContext},
    exit::{Exit, OrExit, Refused},
    incident::{self, Asked, Assessment, Note, Step},
    locate,
    repository::Repository,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{
    Fault, Instant,
    evidence::store::{Store, read_run},
    report::markdown::escape,
    runner::session::MODE_VARIABLE,
    wire::{artifact, code::USAGE, receipt::Tool},
};
use portcullis_gates::incident_triggers::decision::{Context, CriterionState, Severity, State};
use serde_json::{Value, json};
use std::{fmt::Write as _, io::Write as _, path::Path};

const SCHEMA: &str = "portcullis.incident.v1";
const NOTES: &str = "notes.jsonl";
const NOTES_MAX_BYTES: u64 = 1024 * 1024;
const NOTE_MAX: usize = 4_000;

/// Runs `incident`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    let dir = locate::run(&arguments.run, Some(&repository))?;
    let store = Store::open(&locate::target_dir(&repository)?).or_exit(Exit::Invalid)?;
    let run = read_run(&dir).or_exit(Exit::Nothing)?;
    let now = repository.clock()?.now;
    let folder = store.dir().join("incidents").join(run.envelope.run_id.as_str());
    let mut notes = read_notes(&folder)?;
    if arguments.note.is_some() || arguments.link.is_some() {
        let note = Note { ts: now, note: arguments.note.clone(), link: arguments.link.clone() };
        append(&folder, &note)?;
        notes.push(note);
    }
    let asked = Asked {
        context: arguments.context.map(|context| match context {
            IncidentContext::Main => Context::Main,
            IncidentContext::Release => Context::Release,
            IncidentContext::Pr => Context::Branch,
        }),
        strict_wording: arguments.strict_wording,
        parity: &arguments.parity_gate,
        now,
        requested_mode: repository.environment.get(MODE_VARIABLE),
        notes: &notes,
    };
    let assessment =
        incident::assess(&dir, Some(&store), &policy, &asked).or_exit(Exit::Nothing)?;
    let exit = if assessment.is_resolved() { Exit::Pass } else { Exit::Blocked };
    let document = document(&assessment, &notes, now, exit);
    let markdown = markdown(&assessment, &notes);
    let text = artifact::document(&document).context("the incident cannot be rendered")?;
    replace(&folder, "incident.json", &repository.environment.recordable(&text))?;
    replace(&folder, "incident.md", &repository.environment.recordable(&markdown))?;
    out.document(&document);
    out.text(&format!("{markdown}\nwritten to {}", folder.display()));
    Ok(exit)
}

fn state(assessment: &Assessment) -> &'static str {
    match (assessment.incident.is_open(), assessment.is_resolved()) {
        (false, _) => "clear",
        (true, true) => "resolved",
        (true, false) => "open",
    }
}

fn document(assessment: &Assessment, notes: &[Note], now: Instant, exit: Exit) -> Value {
    let incident = &assessment.incident;
    let triggers: Vec<Value> = incident
        .triggers
        .iter()
        .map(
            |seen| json!({ "id": seen.trigger.name(), "state": seen.state, "detail": seen.detail }),
        )
        .collect();
    json!({
        "schema": SCHEMA,
        "tool": Tool::this(),
        "generated_at": now,
        "run_id": incident.run_id,
        "incident_run_id": incident.run_id,
        "state": state(assessment),
        "context": incident.context,
        "severity": incident.severity.map(Severity::name),
        "opened_at": incident.opened_at,
        "deadline": incident.deadline,
        "overdue": incident.is_overdue,
        "freeze_strict_wording": incident.freezes_wording,
        "triggers": triggers,
        "failures": assessment.targets,
        "bundle": assessment.bundle,
        "checklist": assessment.checklist,
        "exit_criteria": assessment.exit_criteria,
        "escalation": assessment.escalation,
        "notes": notes,
        "exit": exit.code(),
    })
}

fn mark(state: CriterionState) -> &'static str {
    match state {
        CriterionState::Satisfied => "[x]",
        CriterionState::Open => "[ ]",
        CriterionState::NotApplicable => "[-]",
    }
}

fn steps(text: &mut String, title: &str, steps: &[Step]) {
    let _ok = writeln!(text, "\n## {title}\n");
    for step in steps {
        let _ok = writeln!(text, "- {} `{}`: {}", mark(step.state), step.id, escape(&step.detail));
    }
}

fn markdown(assessment: &Assessment, notes: &[Note]) -> String {
    let incident = &assessment.incident;
    let severity = incident.severity.map_or("no severity", Severity::name);
    let mut text = format!(
        "# Incident {}\n\nState: {}, {severity}, opened {}.\n",
        escape(&incident.run_id),
        state(assessment),
        incident.opened_at
    );
    if let Some(deadline) = incident.deadline {
        let late = if incident.is_overdue { " It has passed: escalate." } else { "" };
        let _ok = writeln!(text, "\nOwner and context are due at {deadline}.{late}");
    }
    text.push_str("\n## Triggers\n\n| trigger | state | detail |\n|---|---|---|\n");
    for seen in &incident.triggers {
        let word = match seen.state {
            State::Met => "**met**",
            State::Clear => "clear",
            State::NotApplicable => "not applicable",
        };
        let _ok =
            writeln!(text, "| `{}` | {word} | {} |", seen.trigger.name(), escape(&seen.detail));
    }
    if !assessment.targets.is_empty() {
        text.push_str("\n## Failures\n\n| target | signature | now |\n|---|---|---|\n");
        for target in &assessment.targets {
            let now = match (&target.seen_in, target.fixed) {
                (Some(run), true) => format!("passes in {}", escape(run)),
                (Some(run), false) => format!("fails in {}", escape(run)),
                (None, _) => "not run since".to_owned(),
            };
            let signature = target.signature.as_deref().unwrap_or("none");
            let _ok =
                writeln!(text, "| {} | {} | {now} |", escape(&target.target), escape(signature));
        }
    }
    text.push_str("\n## Bundle\n\n| role | path | digest |\n|---|---|---|\n");
    for item in &assessment.bundle {
        let _ok = writeln!(text, "| `{}` | `{}` | `{}` |", item.role, item.path, item.digest);
    }
    steps(&mut text, "Checklist", &assessment.checklist);
    steps(&mut text, "Exit criteria", &assessment.exit_criteria);
    if !assessment.escalation.is_empty() {
        text.push_str("\n## Escalation\n\n");
        for step in &assessment.escalation {
            let _ok = writeln!(text, "- {}", escape(step));
        }
    }
    if !notes.is_empty() {
        text.push_str("\n## Notes\n\n");
        for note in notes {
            let said = [note.note.as_deref(), note.link.as_deref()];
            let said: Vec<String> = said.into_iter().flatten().map(escape).collect();
            let _ok = writeln!(text, "- {}: {}", note.ts, said.join("; "));
        }
    }
    text
}

fn read_notes(folder: &Path) -> Result<Vec<Note>, Refused> {
    let path = folder.join(NOTES);
    let text = match std::fs::metadata(&path) {
        Ok(found) if found.len() > NOTES_MAX_BYTES => {
            let headline = format!("{} is too large", path.display());
            let fault = Fault::new(portcullis::wire::code::INPUT_TOO_LARGE, headline, "shorten it");
            return Err(Refused::new(Exit::Usage, fault));
        }
        Ok(_) => std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(anyhow::Error::from(source).into()),
    };
    let mut notes = Vec::new();
    for line in text.lines() {
        let note = serde_json::from_str(line).map_err(|source| {
            let headline = format!("{} has a line that is no note", path.display());
            Refused::new(
                Exit::Usage,
                Fault::new(USAGE, headline, "remove the line").because(&source),
            )
        })?;
        notes.push(note);
    }
    Ok(notes)
}

fn append(folder: &Path, note: &Note) -> Result<(), Refused> {
    for text in [&note.note, &note.link].into_iter().flatten() {
        if text.trim().is_empty() || text.len() > NOTE_MAX {
            let headline = format!("a note has something to say, in at most {NOTE_MAX} bytes");
            return Err(Refused::new(Exit::Usage, Fault::new(USAGE, headline, "write it anew")));
        }
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let path = folder.join(NOTES);
    let line = artifact::line(note).context("a note cannot be rendered")?;
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(())
}

fn replace(folder: &Path, name: &str, text: &str) -> Result<(), Refused> {
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(folder.join(name)).map_err(|source| source.error)?;
        Ok(())
    };
    write().with_context(|| format!("{} cannot be written", folder.join(name).display()))?;
    Ok(())
}
