//! `quarantine`: entries added, judged and released. Whether a test is flaky is for `flaky` and for runs to say.

use crate::{
    args::{Quarantine, QuarantineAdd, QuarantineRelease, QuarantineVerb},
    classified::Classified,
    dates,
    exit::{Exit, Refused},
    flaky::Entry,
    repository::Repository,
    transport::Transport,
};
use portcullis::{
    Fault, Location,
    kernel::{
        near::near,
        quarantine::{QuarantineFile, QuarantineState},
        replay::render_argv,
    },
    report::human::count,
    runner::session::CLASSIFICATION_FILE,
    wire::{code::NAME_UNKNOWN, receipt::ErrorRecord},
};
use serde_json::{Value, json};

const LINT_SCHEMA: &str = "portcullis.quarantine_lint.v1";
const EDIT_SCHEMA: &str = "portcullis.quarantine_edit.v1";

/// Runs `quarantine`.
pub(crate) fn run(arguments: &Quarantine, out: &mut Transport) -> Result<Exit, Refused> {
    match &arguments.verb {
        QuarantineVerb::Add(add) => self::add(add, out),
        QuarantineVerb::Lint => lint(out),
        QuarantineVerb::Release(release) => self::release(release, out),
    }
}

fn add(arguments: &QuarantineAdd, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    let today = repository.clock()?.now.day();
    let expires = dates::plus(today, i64::from(arguments.days))?;
    let repro = arguments.repro.clone().unwrap_or_else(|| {
        let words = ["cargo", "test", "--test", &arguments.suite, "--", &arguments.test, "--exact"];
        render_argv(&words.map(str::to_owned))
    });
    let fields = Entry {
        suite: &arguments.suite,
        test: &arguments.test,
        category: &arguments.category,
        owner: arguments.owner.as_deref().unwrap_or(&policy.owner),
        quarantined: dates::edited(today)?,
        expires: dates::edited(expires)?,
        issue: &arguments.issue,
        evidence: &arguments.evidence,
        repro: &repro,
        reason: &arguments.reason,
        remove_when: &arguments.remove_when,
    }
    .table();
    let mut file = Classified::read(&repository)?;
    file.add(&["quarantine", &arguments.suite, &arguments.test], fields)?;
    let judged = QuarantineFile::parse(CLASSIFICATION_FILE, &file.text());
    file.write(&repository, judged.faults)?;
    out.document(&json!({
        "schema": EDIT_SCHEMA,
        "command": "add",
        "entry": format!("{}::{}", arguments.suite, arguments.test),
        "expires": expires,
        "exit": Exit::Pass.code(),
    }));
    out.text(&format!(
        "quarantine add: `{} {}` in `{CLASSIFICATION_FILE}`, until {expires} (UTC); it still runs, and blocks when it fails every time",
        arguments.suite, arguments.test
    ));
    Ok(Exit::Pass)
}

fn lint(out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let (lane, today) = (repository.lane()?, repository.clock()?.now.day());
    let file = QuarantineFile::parse(CLASSIFICATION_FILE, &repository.classification()?);
    let notices = file.notices(today, lane);
    let failing: Vec<&Fault> =
        notices.iter().filter(|(_, fails)| *fails).map(|(fault, _)| fault).collect();
    let exit = if failing.is_empty() { Exit::Pass } else { Exit::Blocked };
    let entries: Vec<Value> = file
        .entries
        .values()
        .map(|entry| {
            json!({
                "entry": entry.name(),
                "category": entry.category,
                "owner": entry.owner,
                "issue": entry.issue,
                "quarantined": entry.quarantined,
                "expires": entry.expires,
                "days_remaining": entry.expires.days_since(today),
                "state": entry.state(today),
                "line": entry.location.line,
            })
        })
        .collect();
    let rows: Vec<Value> = notices
        .iter()
        .map(|(fault, fails)| json!({ "fault": ErrorRecord::from(fault), "blocks": fails }))
        .collect();
    out.document(&json!({
        "schema": LINT_SCHEMA,
        "lane": lane,
        "today": today,
        "entries": entries,
        "notices": rows,
        "exit": exit.code(),
    }));
    let mut parts: Vec<String> = file
        .entries
        .values()
        .map(|entry| {
            let state = match entry.state(today) {
                QuarantineState::Active => "active",
                QuarantineState::ExpiringSoon => "expiring soon",
                QuarantineState::Expired => "expired",
                QuarantineState::NotYetValid => "not yet valid",
            };
            format!(
                "{}: {state} until {} ({}, {}, {})",
                entry.name(),
                entry.expires,
                entry.category,
                entry.owner,
                entry.issue
            )
        })
        .collect();
    parts.extend(notices.iter().map(|(fault, fails)| {
        let text = fault.to_string();
        if *fails { text } else { text.replacen("error[", "warning[", 1) }
    }));
    parts.push(format!(
        "quarantine: {}, {} in the way of lane `{lane}` on {today}",
        count(file.entries.len(), "entry").replace("entrys", "entries"),
        failing.len()
    ));
    out.text(&parts.join("\n"));
    Ok(exit)
}

fn release(arguments: &QuarantineRelease, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let mut file = Classified::read(&repository)?;
    let judged = QuarantineFile::parse(CLASSIFICATION_FILE, &file.text());
    let wanted = arguments.name.join("::");
    let wanted =
        arguments.name.last().filter(|_| arguments.name.len() == 1).map_or(wanted, Clone::clone);
    let path: Vec<String> = match judged.entries.get(&wanted) {
        Some(entry) => entry.suite.iter().cloned().chain([entry.test.clone()]).collect(),
        // A void file has no entries to look among; the table itself may still go.
        None if !judged.valid => arguments.name.clone(),
        None => {
            let headline = format!("`{}` is not quarantined", wanted.escape_debug());
            let close = near(&wanted, judged.entries.keys().map(String::as_str));
            let remedy = close.first().map_or_else(
                || "`cargo portcullis quarantine lint` shows the entries".to_owned(),
                |name| format!("did you mean `{name}`?"),
            );
            let fault = Fault::new(NAME_UNKNOWN, headline, remedy);
            return Err(Refused::new(Exit::Usage, fault.at(Location::file(CLASSIFICATION_FILE))));
        }
    };
    let mut words = vec!["quarantine"];
    words.extend(path.iter().map(String::as_str));
    file.remove(&words)?;
    file.write(&repository, Vec::new())?;
    out.document(&json!({
        "schema": EDIT_SCHEMA,
        "command": "release",
        "entry": wanted,
        "exit": Exit::Pass.code(),
    }));
    out.text(&format!("quarantine release: `{wanted}` gone from `{CLASSIFICATION_FILE}`; commit it with what mended the test"));
    Ok(Exit::Pass)
}
