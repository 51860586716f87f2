//! `triage`: a red log or a run, sorted by known signatures. It runs nothing, and changes neither log nor run.

mod rows;

use crate::{
    args::Triage as Arguments,
    exit::{Exit, OrExit, Refused},
    history, locate,
    red_log::{self, Hit},
    repository::Repository,
    signature::{self, Patterns},
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{
    Fault,
    kernel::policy::{Policy, signature::Signature},
    report::human::count,
    wire::code::NOTHING_EXAMINED,
};
use rows::Row;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _, fs::File, path::Path};

const SCHEMA: &str = "portcullis.signature_triage.v1";
const RUNBOOK: &str = "docs/runbook.md";
const SHOWN: usize = 20;

/// What was read.
struct Reading {
    /// How it was named.
    source: String,
    /// `log` or `run`.
    kind: &'static str,
    rows: Vec<Row>,
    /// Failures that were not kept.
    omitted: u64,
    /// Patterns that matched, by signature.
    noticed: BTreeMap<String, Hit>,
    /// Whether something says that all is well, and nothing says otherwise.
    green: bool,
    /// Whether something says that it is not.
    red: bool,
    facts: Value,
}

/// Runs `triage`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    // A log is read anywhere; without a policy there are no signatures, and it says so.
    let repository = Repository::discover().ok();
    let policy = repository.as_ref().map(Repository::policy).transpose()?;
    let patterns = policy.as_ref().map(Patterns::of).transpose()?.unwrap_or_else(Patterns::none);
    let mut reading = read(&arguments.source, repository.as_ref(), policy.as_ref(), &patterns)?;
    if let Some(policy) = &policy {
        for row in &mut reading.rows {
            row.recognise(policy, &patterns);
        }
    }
    let exit = exit(&reading)?;
    out.document(&document(&reading, policy.as_ref(), exit));
    out.text(&text(&reading, policy.as_ref(), exit));
    Ok(exit)
}

fn read(
    word: &str,
    repository: Option<&Repository>,
    policy: Option<&Policy>,
    patterns: &Patterns,
) -> Result<Reading, Refused> {
    let path = Path::new(word);
    let of_run = path.file_name().is_some_and(|name| name == "run.json" || name == "summary.json");
    if word == "-" {
        return log(word, std::io::stdin().lock(), policy, patterns);
    }
    // A pipe that a shell names like a file is a log, too.
    if path.exists() && !path.is_dir() && !of_run {
        let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()));
        return log(word, file?, policy, patterns);
    }
    let dir = locate::run(word, repository)?;
    let sealed = history::Sealed::read(&dir).or_exit(Exit::Nothing)?;
    let rows = rows::of_run(&sealed, policy);
    let red = !rows.is_empty() || sealed.decision.verdict != portcullis::RunVerdict::Pass;
    Ok(Reading {
        source: sealed.run_id.to_string(),
        kind: "run",
        rows,
        omitted: 0,
        noticed: BTreeMap::new(),
        green: !red,
        red,
        facts: json!({ "verdict": sealed.decision.verdict }),
    })
}

fn log(
    word: &str,
    input: impl std::io::Read,
    policy: Option<&Policy>,
    patterns: &Patterns,
) -> Result<Reading, Refused> {
    let log = red_log::read(input, patterns)?;
    let mut noticed: BTreeMap<String, Hit> = BTreeMap::new();
    for (pattern, hit) in log.hits {
        let Some(known) =
            policy.and_then(|policy| signature::by_pattern(policy, patterns, pattern))
        else {
            continue;
        };
        match noticed.get_mut(known.id.as_str()) {
            None => drop(noticed.insert(known.id.to_string(), hit)),
            Some(first) => {
                first.count += hit.count;
                if hit.line < first.line {
                    first.line = hit.line;
                    first.text = hit.text;
                }
            }
        }
    }
    let failed = !log.failures.is_empty() || log.omitted > 0;
    let green = log.green_results > 0 && log.red_marks == 0 && !failed;
    let rows: Vec<Row> = log.failures.iter().map(|failure| rows::of_log(failure, policy)).collect();
    Ok(Reading {
        source: word.to_owned(),
        kind: "log",
        rows,
        omitted: log.omitted,
        red: failed || log.red_marks > 0 || (!noticed.is_empty() && !green),
        noticed,
        green,
        facts: json!({
            "bytes": log.bytes,
            "lines": log.lines,
            "cut_lines": log.cut_lines,
            "green_results": log.green_results,
            "red_marks": log.red_marks,
        }),
    })
}

/// What the log or run says of itself, by the exit codes of a run; that nobody can say is a refusal.
fn exit(reading: &Reading) -> Result<Exit, Refused> {
    if reading.rows.is_empty() && reading.noticed.is_empty() && !reading.green {
        let (headline, remedy) = if reading.red {
            (
                "it is red, and nothing in it says why",
                "hand over the whole log, or the run directory",
            )
        } else {
            (
                "nothing in it was recognised: no result, and no failure",
                "hand over the output of cargo, libtest, nextest or a gate, or a run",
            )
        };
        let fault = Fault::new(NOTHING_EXAMINED, headline, remedy);
        return Err(Refused::new(Exit::Nothing, fault.found(reading.facts.to_string())));
    }
    let worst = reading.rows.iter().map(Row::exit).fold(Exit::Pass, Exit::worse);
    // Whatever was red and is no failure of its own is a gate's or a tool's.
    Ok(if worst == Exit::Pass && reading.red { Exit::Blocked } else { worst })
}

/// The signatures that were recognised, each with how many failures have it first.
fn recognised<'p>(reading: &Reading, policy: Option<&'p Policy>) -> Vec<(&'p Signature, usize)> {
    let signatures = policy.map(|policy| policy.signatures.as_slice()).unwrap_or_default();
    let mut found: Vec<(&Signature, usize)> = signatures
        .iter()
        .filter_map(|signature| {
            let id = signature.id.as_str();
            let n = reading.rows.iter().filter(|row| row.first_signature() == Some(id)).count();
            (n > 0 || reading.noticed.contains_key(id)).then_some((signature, n))
        })
        .collect();
    found.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    found
}

fn document(reading: &Reading, policy: Option<&Policy>, exit: Exit) -> Value {
    let signatures: Vec<Value> = recognised(reading, policy)
        .into_iter()
        .map(|(signature, failures)| {
            let hit = reading.noticed.get(signature.id.as_str());
            json!({
                "id": signature.id,
                "title": signature.title,
                "row": signature.row,
                "owner": signature.owner,
                "severity": signature.severity.map(portcullis::kernel::policy::signature::SeverityHint::name),
                "failures": failures,
                "artifacts": signature.artifacts,
                "replay": signature.replay.render(),
                "remediation": signature.remediation,
                "runbook": format!("{RUNBOOK}#{}", signature.id),
                "log": hit.map(|hit| json!({ "line": hit.line, "count": hit.count, "text": hit.text })),
            })
        })
        .collect();
    let unmatched = reading.rows.iter().filter(|row| row.first_signature().is_none()).count();
    json!({
        "schema": SCHEMA,
        "source": reading.source,
        "kind": reading.kind,
        "verdict": if reading.red { "red" } else { "green" },
        "exit": exit.code(),
        "facts": reading.facts,
        "signatures": signatures,
        "failures": reading.rows.iter().map(Row::document).collect::<Vec<_>>(),
        "unmatched": unmatched,
        "omitted": reading.omitted,
        "has_policy": policy.is_some(),
    })
}

fn text(reading: &Reading, policy: Option<&Policy>, exit: Exit) -> String {
    let mut text = String::new();
    let found = recognised(reading, policy);
    let unmatched = reading.rows.iter().filter(|row| row.first_signature().is_none()).count();
    let word = if reading.red { "red" } else { "green" };
    let total = reading.rows.len() as u64 + reading.omitted;
    let _ok = writeln!(
        text,
        "triage: {} is {word}: {}, {}, {unmatched} unknown; exit {}",
        reading.source,
        count(usize::try_from(total).unwrap_or(usize::MAX), "failure"),
        count(found.len(), "signature"),
        exit.code(),
    );
    for (signature, _) in &found {
        let severity = signature
            .severity
            .map_or("no severity", portcullis::kernel::policy::signature::SeverityHint::name);
        let _ok = writeln!(
            text,
            "\n[{}] {} ({severity}, {})",
            signature.id, signature.title, signature.owner
        );
        let mine =
            reading.rows.iter().filter(|row| row.first_signature() == Some(signature.id.as_str()));
        for row in mine.clone().take(SHOWN) {
            row.show(&mut text);
        }
        let hidden = mine.count().saturating_sub(SHOWN);
        if hidden > 0 {
            let _ok = writeln!(text, "  and {hidden} more");
        }
        if let Some(hit) = reading.noticed.get(signature.id.as_str()) {
            let _ok = writeln!(text, "  line {}: {} ({} such)", hit.line, hit.text, hit.count);
        }
        for path in &signature.artifacts {
            let _ok = writeln!(text, "   = open:   {path}");
        }
        let _ok = writeln!(text, "   = replay: {}", signature.replay.render());
        for step in &signature.remediation {
            let _ok = writeln!(text, "   = do:     {step}");
        }
        let _ok = writeln!(text, "   = page:   {RUNBOOK}#{}", signature.id);
    }
    let unknown = || reading.rows.iter().filter(|row| row.first_signature().is_none());
    if unknown().next().is_some() {
        let _ok = writeln!(text, "\nwithout a signature");
        for row in unknown().take(SHOWN) {
            row.show(&mut text);
            row.show_way_out(&mut text);
        }
        let hidden = unknown().count().saturating_sub(SHOWN);
        if hidden > 0 {
            let _ok = writeln!(text, "  and {hidden} more; `--format json` has them all");
        }
    }
    if policy.is_none() {
        let _ok = writeln!(text, "\nnote: there is no policy here, so no signature is known");
    }
    text
}
