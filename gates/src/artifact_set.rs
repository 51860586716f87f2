//! Several artifacts are evidence only together: each true to its contract, and all of one run.
//! The contracts are those of `artifact_contract`; this kind adds what only the set can show.

mod config;
mod index;

use crate::{
    artifact_contract::{Report, missing},
    document,
};
use config::{Config, Entry};
use index::Row;
use portcullis::{
    Code, Examined, Fault, File, Finding, Findings, GateContext, GateError, Location, Tooth,
    wire::code::CONFIG_INVALID,
};
use serde_json::{Map, Value};

portcullis::gate_kind! {
    /// Holds a set of artifacts against their contracts, and writes an index of the evidence.
    ///
    /// ### What it checks
    /// Every artifact of `artifact` that is required exists, and every one that exists is true to its contract. With
    /// `same_run`, all of them name one run. Writes the view `evidence_bundle/index.json` with digest, size and problem
    /// of each, also when it fails. Its `verdict` is `complete` when nothing is missing or wrong, `partial` when only
    /// artifacts that are not required are, and `insufficient` otherwise.
    ///
    /// ### Why it gates
    /// Each file of a bundle may be right while the bundle is put together from two runs, or lacks one file.
    ///
    /// ### Example
    /// Refused under `same_run = true`: `summary.json` of run 7 beside `events.jsonl` of run 6. Accepted: both of run 7.
    ///
    /// ### Configuration
    /// - `artifact`: tables with `role` (a name, once each), `path`, `required` (default true), `of_run`, `fields`
    ///   (JSON Pointers that must exist), and `format`, `schema`, `rules`, `cel`, `contains`, `max_lines`, `freshness`
    ///   and the `*_field` keys of `artifact_contract`. `freshness` is required.
    /// - `same_run`: whether all artifacts must name one run; required.
    /// - `cel`: expressions over `docs`, which has each artifact under its role; a stream is a list there. They are
    ///   evaluated when no required artifact is missing.
    ///
    /// ### Remediation
    /// - `set_of_several_runs`: produce all artifacts in one run.
    /// - Codes of a single artifact: see `artifact_contract`.
    pub static ARTIFACT_SET: "artifact_set", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = &[SET_OF_SEVERAL_RUNS], teeth = TEETH;
}

const SET_OF_SEVERAL_RUNS: Code = Code::new(
    "PC1110",
    "set_of_several_runs",
    "The artifacts of a set name different runs, or none.",
);

/// What was seen of the whole set.
#[derive(Default)]
struct Set {
    rows: Vec<Row>,
    examined: usize,
    runs: Vec<(String, String, Option<String>)>,
    documents: Map<String, Value>,
    lacks_required: bool,
    /// The first artifact that could not be looked at; the index is written before it is reported.
    fault: Option<Fault>,
}

/// Looks at every artifact before it reports the first that could not be read.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let mut set = Set::default();
    for entry in &config.artifact {
        look(cx, config, entry, &mut set, out)?;
    }
    if config.same_run {
        of_one_run(&mut set, out);
    }
    index::write(cx, &set.rows)?;
    if let Some(fault) = set.fault {
        return Err(fault);
    }
    if !set.lacks_required {
        expressions(cx, config, set.documents, out)?;
    }
    Ok(Examined::items(set.examined))
}

fn look(
    cx: &GateContext<'_>,
    config: &Config,
    entry: &Entry,
    set: &mut Set,
    out: &mut Findings,
) -> Result<(), GateError> {
    let file = if entry.of_run { cx.run_file(&entry.path)? } else { cx.file(&entry.path) };
    let mut row = Row::new(entry);
    if file.exists()? {
        set.examined += 1;
        let mut report = Report::new(out, entry.path.as_str());
        if let Err(fault) = hold(cx, config, entry, &file, &mut row, set, &mut report) {
            row.problem = Some(fault.code().name().to_owned());
            set.fault.get_or_insert(fault);
        } else {
            row.problem = report.problem;
        }
    } else {
        row.problem = Some("artifact_missing".to_owned());
        if entry.required {
            set.examined += 1;
            set.lacks_required = true;
            out.push(missing(entry.path.as_str()));
        }
    }
    set.rows.push(row);
    Ok(())
}

fn hold(
    cx: &GateContext<'_>,
    config: &Config,
    entry: &Entry,
    file: &File<'_>,
    row: &mut Row,
    set: &mut Set,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    let (contract, format) = entry.compile(cx.gate()).map_err(first)?;
    let seen = contract.examine(cx, file, report)?;
    let (digest, bytes) = file.digest_and_size()?;
    row.sha256 = Some(digest);
    row.bytes = Some(bytes);
    row.schema = seen.schema;
    row.generated_at = seen.facts.time.clone();
    row.fresh = Some(seen.fresh);
    set.runs.push((entry.role.clone(), entry.path.to_string(), seen.facts.run_id));
    if !config.cel.is_empty() {
        set.documents.insert(entry.role.clone(), document::read(file, format)?);
    }
    if seen.items == 0 {
        let remedy = "produce the artifact again, or remove it from the set";
        let headline = format!("artifact `{}` is empty", entry.path);
        let code = portcullis::wire::code::NOTHING_EXAMINED;
        return Err(Fault::new(code, headline, remedy).at(Location::file(&entry.path)));
    }
    Ok(())
}

/// Two artifacts without a run are not of one run: nobody knows whose they are.
fn of_one_run(set: &mut Set, out: &mut Findings) {
    let Some((_, _, expected)) = set.runs.first().cloned() else { return };
    for (role, path, run) in &set.runs {
        if run.is_some() && *run == expected {
            continue;
        }
        let message = format!("artifact `{role}` is not of the run of the others");
        out.push(
            Finding::new(SET_OF_SEVERAL_RUNS, path, message, "produce all artifacts in one run")
                .at(Location::file(path))
                .expected(expected.as_deref().unwrap_or("a recorded run"))
                .found(run.as_deref().unwrap_or("nothing is recorded")),
        );
        if let Some(row) = set.rows.iter_mut().find(|row| row.role == *role) {
            row.problem.get_or_insert_with(|| SET_OF_SEVERAL_RUNS.name().to_owned());
        }
    }
}

fn expressions(
    cx: &GateContext<'_>,
    config: &Config,
    documents: Map<String, Value>,
    out: &mut Findings,
) -> Result<(), GateError> {
    let contract = config.over_the_set(cx.gate()).map_err(first)?;
    contract.hold_expressions(&Value::Object(documents), &"", &mut Report::new(out, "docs"))
}

fn first(faults: Vec<Fault>) -> Fault {
    faults.into_iter().next().unwrap_or_else(|| {
        Fault::new(
            CONFIG_INVALID,
            "a contract was refused without a reason",
            "report this as a bug",
        )
    })
}

const TWO: &str = "same_run = true
artifact = [
    { role = 'summary', path = 'a.json', freshness = { max_age = '7d' } },
    { role = 'events', path = 'b.jsonl', freshness = { max_age = '7d' } },
]";
const SUMMARY: &str = "{\"run_id\":\"r7\",\"generated_at\":\"2026-05-31T00:00:00Z\"}";
const EVENT: &str = "{\"run_id\":\"r7\",\"generated_at\":\"2026-05-31T00:00:00Z\"}\n";
const FOREIGN: &str = "{\"run_id\":\"r6\",\"generated_at\":\"2026-05-31T00:00:00Z\"}\n";

static TEETH: &[Tooth] = &[
    Tooth::known_good("two_artifacts_of_one_run", TWO, &[("a.json", SUMMARY), ("b.jsonl", EVENT)]),
    Tooth::known_bad(
        "fg40_two_artifacts_of_two_runs",
        SET_OF_SEVERAL_RUNS,
        TWO,
        &[("a.json", SUMMARY), ("b.jsonl", FOREIGN)],
    ),
    Tooth::known_bad(
        "fg37_one_of_two_is_missing",
        crate::artifact_contract::ARTIFACT_MISSING,
        TWO,
        &[("a.json", SUMMARY)],
    ),
];

#[cfg(test)]
mod tests;
