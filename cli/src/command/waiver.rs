//! `waiver`: every waiver against today, when they end, and edits of them. Whether one still matches anything, only a run says.

mod edit;

use super::list::columns;
use crate::{
    args::{Waiver, WaiverVerb},
    exit::{Exit, Refused},
    repository::{Repository, known_gates},
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::wire::ordered::VecSet;
use portcullis::{
    Lane,
    kernel::{
        census::Census,
        policy::Policy,
        waiver::{Seen, WaiverAudit, WaiverFile, failing, guards},
    },
    report::views::WAIVER_AUDIT_SCHEMA,
    runner::session::CLASSIFICATION_FILE,
    wire::{
        receipt::{Clock, Tool},
        time::Day,
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Runs `waiver`.
pub(crate) fn run(arguments: &Waiver, out: &mut Transport) -> Result<Exit, Refused> {
    match &arguments.verb {
        WaiverVerb::Lint => lint(out),
        WaiverVerb::New(new) => edit::new(new, out),
        WaiverVerb::Renew(renew) => edit::renew(renew, out),
        WaiverVerb::Prune(prune) => edit::prune(prune, out),
        WaiverVerb::Runway => edit::show_runway(out),
    }
}

fn lint(out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    let census = repository.census()?;
    let (lane, clock) = (repository.lane()?, repository.clock()?);
    let file = parse(&policy, census.as_ref().ok(), &repository.classification()?);
    let nothing = VecSet::new();
    // No base is read here, so nobody can say that a change leaves the waivers alone.
    let seen = Seen { today: clock.now.day(), lane, touched: true, base: None, stale: &nothing };
    let audit = WaiverAudit::of(&file, &seen);
    let problems = failing(&audit, lane);
    out.document(&document(&audit, lane, &clock)?);
    out.text(&text(&audit, &problems, lane, &clock));
    Ok(if problems.is_empty() { Exit::Pass } else { Exit::Blocked })
}

fn parse(policy: &Policy, census: Option<&Census>, text: &str) -> WaiverFile {
    WaiverFile::parse(
        CLASSIFICATION_FILE,
        text,
        &known_gates(policy, census),
        &guards(&policy.gates),
    )
}

/// `waiver_audit.json`. No run wrote it, so it has neither a run id nor a source.
fn document(audit: &WaiverAudit, lane: Lane, clock: &Clock) -> Result<Value, Refused> {
    let mut document = serde_json::to_value(audit).context("the audit cannot be rendered")?;
    let header = json!({
        "schema": WAIVER_AUDIT_SCHEMA,
        "generated_at": clock.now,
        "clock": clock,
        "tool": Tool::this(),
        "lane": lane,
        "runway": runway(audit),
    });
    if let (Some(fields), Value::Object(header)) = (document.as_object_mut(), header) {
        fields.extend(header);
    }
    Ok(document)
}

fn text(audit: &WaiverAudit, problems: &[String], lane: Lane, clock: &Clock) -> String {
    let mut text = String::new();
    if !audit.waivers.is_empty() {
        let mut rows =
            vec![["WAIVER", "STATE", "DAYS", "OWNER", "ISSUE", "LINE"].map(str::to_owned).to_vec()];
        rows.extend(audit.waivers.iter().map(|row| {
            let status = serde_json::to_value(row.status).ok();
            let status = status.as_ref().and_then(Value::as_str).unwrap_or("unknown");
            vec![
                row.gate_id.to_string(),
                status.to_owned(),
                row.days_remaining.to_string(),
                row.owner.clone(),
                row.issue.clone(),
                row.line.to_string(),
            ]
        }));
        text.push_str(&columns(&rows));
        text.push('\n');
    }
    for (week, gates) in runway(audit) {
        text.push_str(&format!("{week}: {} ends: {}\n", gates.len(), gates.join(", ")));
    }
    for cliff in &audit.cliffs {
        text.push_str(&format!(
            "warning[{}]: {}\n   = remedy: {}\n",
            cliff.code, cliff.message, cliff.remedy
        ));
    }
    for problem in problems {
        text.push_str(&format!("{problem}\n"));
    }
    let void = if audit.faults.is_empty() { "" } else { "; the file is void, no waiver applies" };
    text.push_str(&format!(
        "waivers: {} in `{CLASSIFICATION_FILE}`, {} in the way of lane `{lane}` on {}{void}\n",
        audit.total_waivers,
        problems.len(),
        clock.now.day(),
    ));
    text
}

/// The waivers by the ISO week in which they end.
fn runway(audit: &WaiverAudit) -> BTreeMap<String, Vec<String>> {
    let mut weeks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &audit.waivers {
        weeks.entry(week(row.expires)).or_default().push(row.gate_id.to_string());
    }
    weeks
}

/// `2026-W22`: weeks begin on Monday, and the first one holds the year's first Thursday.
fn week(day: Day) -> String {
    // 2000-01-03 was a Monday; days outside the years of a waiver never come this far.
    let monday = |year: i64| {
        let fourth = days_of(year, 4);
        fourth - (fourth - 2).rem_euclid(7)
    };
    let n = Day::parse("2000-01-01").map_or(0, |first| day.days_since(first));
    let mut year = 2000 + n / 366;
    while monday(year + 1) <= n {
        year += 1;
    }
    format!("{year}-W{:02}", (n - monday(year)) / 7 + 1)
}

/// The number of a January day, counted from 2000-01-01.
fn days_of(year: i64, day: i64) -> i64 {
    let past = year - 2000;
    // 2000 was a leap year; of the centuries after it only every fourth is one.
    let leaps = (past + 3).div_euclid(4) - (past - 1).div_euclid(100) + (past - 1).div_euclid(400);
    past * 365 + if past > 0 { leaps } else { 0 } + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_those_of_iso_8601() {
        let table = [
            ("a Monday", "2026-11-23", "2026-W48"),
            ("the Sunday before it", "2026-11-22", "2026-W47"),
            ("a January day of the old year's last week", "2027-01-01", "2026-W53"),
            ("a December day of the new year's first week", "2024-12-30", "2025-W01"),
            ("a leap day", "2028-02-29", "2028-W09"),
            ("the first day of the count", "2000-01-03", "2000-W01"),
            ("after a century that is no leap year", "2101-01-03", "2101-W01"),
        ];
        for (case, day, expected) in table {
            assert_eq!(week(Day::parse(day).expect("a day")), expected, "{case}");
        }
    }
}
