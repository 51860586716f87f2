//! `waiver new`, `renew`, `prune`, `runway`: edits that keep comments and order, judged before they are written.

use super::{parse, runway};
use crate::{
    args::{WaiverNew, WaiverPrune, WaiverRenew},
    classified::Classified,
    dates,
    exit::{Exit, OrExit, Refused},
    history::Sealed,
    locate,
    repository::Repository,
    transport::Transport,
};
use portcullis::wire::ordered::VecSet;
use portcullis::{
    Fault, Location,
    kernel::{
        policy::Policy,
        waiver::{RENEWALS_MAX, SPAN_DAYS, Seen, WaiverAudit, WaiverFile, WaiverStatus},
    },
    runner::session::CLASSIFICATION_FILE,
    wire::code::{NAME_UNKNOWN, USAGE, WAIVER_SPAN_EXCEEDED},
};
use serde_json::json;
use std::collections::BTreeSet;
use toml_edit::{Array, Datetime, Table, value};

const EDIT_SCHEMA: &str = "portcullis.waiver_edit.v1";
const RUNWAY_SCHEMA: &str = "portcullis.waiver_runway.v1";

/// The waivers as an edited text has them, and what is wrong with it.
fn judged(
    repository: &Repository,
    policy: &Policy,
    text: &str,
) -> Result<(WaiverFile, Vec<Fault>), Refused> {
    let census = repository.census()?;
    let file = parse(policy, census.as_ref().ok(), text);
    let mut faults = file.faults.clone();
    faults.extend(file.waivers.values().filter_map(|waiver| waiver.problem.clone()));
    Ok((file, faults))
}

fn day(date: toml_edit::Date) -> toml_edit::Item {
    value(Datetime { date: Some(date), time: None, offset: None })
}

/// Adds a waiver.
pub(super) fn new(arguments: &WaiverNew, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    let today = repository.clock()?.now.day();
    let mut file = Classified::read(&repository)?;
    let expires = dates::plus(today, i64::from(arguments.days))?;
    let mut fields = Table::new();
    fields.insert("owner", value(arguments.owner.as_deref().unwrap_or(&policy.owner)));
    fields.insert("created", day(dates::edited(today)?));
    fields.insert("expires", day(dates::edited(expires)?));
    fields.insert("issue", value(&arguments.issue));
    fields.insert("reason", value(&arguments.reason));
    fields.insert("scope", value(&arguments.scope));
    fields.insert("remove_when", value(&arguments.remove_when));
    if !arguments.fingerprint.is_empty() {
        fields.insert("fingerprints", value(arguments.fingerprint.iter().collect::<Array>()));
    }
    file.add(&["waiver", &arguments.gate], fields)?;
    let (_, faults) = judged(&repository, &policy, &file.text())?;
    file.write(&repository, faults)?;
    told(out, "new", &arguments.gate, Some(&expires.to_string()));
    Ok(Exit::Pass)
}

/// Lets a waiver last longer, once more.
pub(super) fn renew(arguments: &WaiverRenew, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    let today = repository.clock()?.now.day();
    let mut file = Classified::read(&repository)?;
    let (before, faults) = judged(&repository, &policy, &file.text())?;
    if !before.faults.is_empty() {
        return Err(Refused::all(Exit::Usage, faults));
    }
    let waiver = before.waivers.values().find(|waiver| waiver.gate_id.as_str() == arguments.gate);
    let waiver = waiver.ok_or_else(|| absent(&arguments.gate, &before))?;
    let renewals = waiver.renewals + 1;
    let refused = |headline: String| {
        let remedy =
            "mend what it excuses, or let somebody else decide: a new waiver is a new review";
        Refused::new(
            Exit::Nothing,
            Fault::new(WAIVER_SPAN_EXCEEDED, headline, remedy).at(waiver.location.clone()),
        )
    };
    if renewals > RENEWALS_MAX {
        return Err(refused(format!(
            "the waiver of `{}` was renewed {RENEWALS_MAX} times",
            arguments.gate
        )));
    }
    let from = waiver.expires.max(today);
    let last = dates::plus(waiver.created, SPAN_DAYS * (1 + i64::from(renewals)))?;
    let most = dates::plus(waiver.expires, SPAN_DAYS)?.min(last);
    let expires = dates::plus(from, i64::from(arguments.days))?.min(most);
    if expires <= today || expires <= waiver.expires {
        return Err(refused(format!(
            "a renewal of the waiver of `{}` could last until {most} at most",
            arguments.gate
        )));
    }
    if let Some(table) = file.table_mut(&["waiver", &arguments.gate]) {
        // The decoration of a value, such as a comment behind it, stays with its key.
        set(
            table,
            "expires",
            Datetime { date: Some(dates::edited(expires)?), time: None, offset: None }.into(),
        );
        set(table, "renewals", i64::from(renewals).into());
        if let Some(reason) = &arguments.reason {
            set(table, "reason", reason.as_str().into());
        }
        if let Some(approved_by) = &arguments.approved_by {
            set(table, "approved_by", approved_by.as_str().into());
        }
    }
    let (_, faults) = judged(&repository, &policy, &file.text())?;
    file.write(&repository, faults)?;
    told(out, "renew", &arguments.gate, Some(&expires.to_string()));
    Ok(Exit::Pass)
}

fn set(table: &mut dyn toml_edit::TableLike, key: &str, new: toml_edit::Value) {
    let decor = table.get(key).and_then(toml_edit::Item::as_value).map(|old| old.decor().clone());
    let mut new = new;
    if let Some(decor) = decor {
        *new.decor_mut() = decor;
    }
    match table.get_mut(key) {
        Some(item) => *item = toml_edit::Item::Value(new),
        None => drop(table.insert(key, toml_edit::Item::Value(new))),
    }
}

/// Removes waivers: the named one, or those that a run found stale, and those that ended.
pub(super) fn prune(arguments: &WaiverPrune, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    if arguments.gate.is_none() && arguments.stale.is_none() && !arguments.expired {
        let remedy = "name a gate, or add `--stale <run>` or `--expired`";
        return Err(Refused::new(
            Exit::Usage,
            Fault::new(USAGE, "nothing is said to be pruned", remedy),
        ));
    }
    let mut file = Classified::read(&repository)?;
    let (before, _) = judged(&repository, &policy, &file.text())?;
    let mut gates: BTreeSet<String> = BTreeSet::new();
    if let Some(gate) = &arguments.gate {
        gates.insert(gate.clone());
    }
    if let Some(run) = &arguments.stale {
        let dir = locate::run(run, Some(&repository))?;
        let sealed = Sealed::read(&dir).or_exit(Exit::Nothing)?;
        let rows = sealed.decision.waiver_audit.waivers.iter();
        let stale = rows.filter(|row| row.status == WaiverStatus::Stale);
        let named = stale.map(|row| row.gate_id.to_string());
        // What was pruned since the run is gone already.
        gates.extend(
            named.filter(|id| before.waivers.values().any(|waiver| waiver.gate_id.as_str() == id)),
        );
    }
    if arguments.expired {
        let today = repository.clock()?.now.day();
        let ended = before.waivers.values().filter(|waiver| waiver.expires < today);
        gates.extend(ended.map(|waiver| waiver.gate_id.to_string()));
    }
    for gate in &gates {
        file.remove(&["waiver", gate])?;
    }
    if !gates.is_empty() {
        file.write(&repository, Vec::new())?;
    }
    let names: Vec<&String> = gates.iter().collect();
    out.document(&json!({
        "schema": EDIT_SCHEMA,
        "command": "prune",
        "gates": names,
        "exit": Exit::Pass.code(),
    }));
    let shown = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    out.text(&if names.is_empty() {
        "waiver prune: nothing to prune".to_owned()
    } else {
        format!("waiver prune: {shown} gone from `{CLASSIFICATION_FILE}`; commit it")
    });
    Ok(Exit::Pass)
}

/// The ends of all waivers by week, and the days on which too many end at once.
pub(super) fn show_runway(out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    let (file, faults) = judged(&repository, &policy, &repository.classification()?)?;
    if !file.faults.is_empty() {
        return Err(Refused::all(Exit::Usage, faults));
    }
    let clock = repository.clock()?;
    let nothing = VecSet::new();
    let today = clock.now.day();
    let seen =
        Seen { today, lane: repository.lane()?, touched: false, base: None, stale: &nothing };
    let audit = WaiverAudit::of(&file, &seen);
    let weeks = runway(&audit);
    let rows: Vec<_> = audit
        .waivers
        .iter()
        .map(|row| json!({ "gate_id": row.gate_id, "expires": row.expires, "days_remaining": row.days_remaining, "owner": row.owner }))
        .collect();
    out.document(&json!({
        "schema": RUNWAY_SCHEMA,
        "generated_at": clock.now,
        "weeks": weeks,
        "waivers": rows,
        "cliffs": audit.cliffs,
        "exit": Exit::Pass.code(),
    }));
    let mut text = String::new();
    for (week, gates) in &weeks {
        text.push_str(&format!(
            "{week}  {:<20} {}\n",
            "#".repeat(gates.len().min(20)),
            gates.join(", ")
        ));
    }
    for cliff in &audit.cliffs {
        text.push_str(&format!(
            "warning[{}]: {}\n   = remedy: {}\n",
            cliff.code, cliff.message, cliff.remedy
        ));
    }
    text.push_str(&format!("waiver runway: {} waivers from {today} on", audit.total_waivers));
    out.text(&text);
    Ok(Exit::Pass)
}

fn absent(gate: &str, file: &WaiverFile) -> Refused {
    let headline = format!("there is no waiver of `{}`", gate.escape_debug());
    let names: Vec<String> =
        file.waivers.values().map(|waiver| format!("`{}`", waiver.gate_id)).collect();
    let found = if names.is_empty() { "no waiver at all".to_owned() } else { names.join(", ") };
    let fault = Fault::new(NAME_UNKNOWN, headline, "name a gate that has one");
    Refused::new(Exit::Usage, fault.at(Location::file(CLASSIFICATION_FILE)).found(found))
}

fn told(out: &mut Transport, command: &str, gate: &str, expires: Option<&str>) {
    out.document(&json!({
        "schema": EDIT_SCHEMA,
        "command": command,
        "gates": [gate],
        "expires": expires,
        "exit": Exit::Pass.code(),
    }));
    let until = expires.map_or_else(String::new, |day| format!(", valid until {day} (UTC)"));
    out.text(&format!("waiver {command}: `{gate}` in `{CLASSIFICATION_FILE}`{until}; commit it"));
}
