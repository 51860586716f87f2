//! One piece of work in a process of its own: a gate over a tree, or the typed reading that it is compared with.

use super::{Failure, material};
use portcullis::{
    Examined, Findings, GateContext, GateError, Globs,
    runner::registry::Registry,
    testing::{Bench, Seen},
    wire::{fault::Location, outcome::Outcome},
};
use portcullis_gates as _;
use serde::Deserialize;
use std::{
    fmt::Write as _,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

/// Does `job` over `folder`.
pub(crate) fn run(job: &str, folder: &Path) -> Result<(), Failure> {
    match job {
        "hash" => passed(Bench::rust(hash).folder(folder).run()),
        "scan" => kind(
            "source_scan",
            "files = ['src/**/*.rs']\nforbidden = ['std::process::exit', 'unwrap']\n",
            folder,
        ),
        "contracts" => kind("artifact_set", &contracts(folder), folder),
        "events" => kind("artifact_contract", EVENTS, folder),
        "ledger" => kind("issue_ledger", LEDGER, folder),
        "typed" => typed(&folder.join("records.jsonl")),
        _ => Err(format!("no job is called `{job}`").into()),
    }
}

fn kind(name: &str, config: &str, folder: &Path) -> Result<(), Failure> {
    let registry = Registry::collect().map_err(|faults| format!("{faults:?}"))?;
    let kind = registry.kind(name, &Location::file("bench")).map_err(|fault| fault.to_string())?;
    passed(Bench::new(kind, config).folder(folder).run())
}

/// A gate that is red has not done the work, so its time means nothing.
fn passed(seen: Seen) -> Result<(), Failure> {
    match seen.outcome {
        Outcome::Pass => Ok(()),
        Outcome::Warn | Outcome::Fail | Outcome::Skip | Outcome::Error => {
            Err(format!("{}: {}", seen.outcome.name(), seen.messages.join("\n")).into())
        }
    }
}

fn hash(cx: &GateContext<'_>, _out: &mut Findings) -> Result<Examined, GateError> {
    Ok(Examined::items(cx.digests(&Globs::new(&["src/**/*.rs"])?)?.len()))
}

const EVENTS: &str = "path = 'records.jsonl'
format = 'jsonl'
schema = 'bench.event.v1'
required = ['/id', '/status']
rules = [{ path = '/detail/attempt', positive_int = true }]
freshness = { max_age = '30d' }
";

const LEDGER: &str = "sources = [{ path = 'records.jsonl', role = 'authoritative' }]
terminal = ['closed']
technical_types = ['bug']
docs_types = ['docs']
";

fn contracts(folder: &Path) -> String {
    let mut text = String::from("same_run = false\n");
    for (n, path) in material::documents(folder).iter().enumerate() {
        // Writing to a String cannot fail.
        let _ok = writeln!(
            text,
            "[[artifact]]\nrole = 'e{n}'\npath = '{path}'\nschema = 'bench.evidence.v1'\nfields = ['/generated_at', '/run_id']\nfreshness = {{ max_age = '30d' }}\nrules = [\n  {{ path = '/status', one_of = ['ready', 'blocked'] }},\n  {{ path = '/total', positive_int = true }},\n  {{ path = '/items', non_empty = true }},\n  {{ path = '/items/*/status', equals = 'pass' }},\n  {{ path = '/items/*/value', min = 0 }},\n]"
        );
    }
    text
}

/// The members that the gates read, as somebody who trusts the file would read them.
#[derive(Deserialize)]
#[expect(dead_code, reason = "reading them is the work")]
struct Record {
    schema: String,
    seq: u64,
    id: String,
    status: String,
    issue_type: String,
    title: String,
    updated_at: String,
    labels: Vec<String>,
    run_id: String,
    generated_at: String,
    detail: Detail,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "reading them is the work")]
struct Detail {
    attempt: u64,
    duration_ms: u64,
}

fn typed(path: &Path) -> Result<(), Failure> {
    let mut reader = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let (mut line, mut records) = (Vec::new(), 0u64);
    while reader.read_until(b'\n', &mut line)? > 0 {
        let record: Record = serde_json::from_slice(&line)?;
        records += u64::from(record.seq > 0);
        line.clear();
    }
    if records == 0 { Err("no record".into()) } else { Ok(()) }
}
